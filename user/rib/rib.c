// SPDX-License-Identifier: GPL-2.0-only
/*
 * The facade of a vnet's RIB: peers and their sessions, UPDATEs in, limits, what the vnet originates, and
 * the walk that does in slices what touches many prefixes. session.c and the node call it; adj_rib_in,
 * loc_rib and adj_rib_out do the work. Must never do in one call what grows with the table, except
 * rib_free() and (one session in 200 without a finished walk) rib_peer_down().
 *
 * There is one kind of queued work, the walk: it meets every net once, collects dead paths, applies
 * inbound maps again where a peer asks for it, and decides. Whoever needs any of that starts it again.
 */
#include "rib/rib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rib_internal.h"

static const char *const state_names[RIB_PATH_STATE_MAX] = {
	[RIB_PATH_OK] = "Ok",
	[RIB_PATH_FILTERED] = "Filtered",
	[RIB_PATH_LOOP] = "Loop",
	[RIB_PATH_NEXTHOP_SELF] = "NextHopSelf",
	[RIB_PATH_NEXTHOP_UNRESOLVED] = "NextHopUnresolved",
	[RIB_PATH_OTC_LEAK] = "OtcLeak",
	[RIB_PATH_OVER_LIMIT] = "OverLimit",
};

static const char *const cause_names[RIB_CAUSE_MAX] = {
	[RIB_CAUSE_NONE] = "",
	[RIB_CAUSE_ANNOUNCED] = "announced",
	[RIB_CAUSE_WITHDRAWN] = "withdrawn",
	[RIB_CAUSE_SESSION_ENDED] = "sessionEnded",
	[RIB_CAUSE_STALE_GONE] = "staleGone",
	[RIB_CAUSE_NEXT_HOP] = "nextHop",
	[RIB_CAUSE_CONFIGURATION] = "configuration",
	[RIB_CAUSE_LIMIT] = "limit",
	[RIB_CAUSE_RESTART] = "restart",
	[RIB_CAUSE_SEVERAL] = "several",
};

const char *rib_cause_name(enum rib_cause cause)
{
	return cause < RIB_CAUSE_MAX ? cause_names[cause] : "";
}

const char *rib_path_state_name(enum rib_path_state state)
{
	return state_names[state];
}

/* --- the RIB itself ------------------------------------------------------------------------------ */

static void release_nexthop(void *ctx, uint32_t tag)
{
	struct rib *rib = ctx;

	nexthop_unref(rib->nexthops, tag);
}

static bool init_parts(struct rib *rib)
{
	struct bgp_attrs local = {
		.has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH,
		.origin = BGP_ORIGIN_IGP,
	};
	bool ok = true;

	rib->attrs = attr_store_new();
	rib->weights = calloc(1, sizeof(*rib->weights));
	rib->n_weights = 1;
	rib->export = export_scratch_new();
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		ok &= !adj_rib_in_init(&rib->in[f], bgp_family_ip(f));
		adj_rib_out_init(&rib->out[f]);
		rib->share[f] = out_share_new(); /* without memory for it nothing is shared */
	}
	if (!ok || !rib->attrs || !rib->weights || !rib->export)
		return false;
	attr_store_on_release(rib->attrs, release_nexthop, rib);
	rib->local_attrs = attr_store_intern(rib->attrs, &local);
	return rib->local_attrs != ATTR_NONE;
}

struct rib *rib_new(const struct rib_config *config, struct nexthop_table *nexthops,
		    const struct rib_callbacks *callbacks)
{
	struct rib *rib = calloc(1, sizeof(*rib));

	if (!rib)
		return NULL;
	rib->config = *config;
	rib->nexthops = nexthops;
	rib->callbacks = *callbacks;
	if (!init_parts(rib)) {
		rib_free(rib);
		return NULL;
	}
	return rib;
}

static void release_groups(struct rib *rib, const struct adj_rib_in *in)
{
	if (!in->prefixes)
		return;
	for (uint32_t net = prefix_table_next(in->prefixes, 0); net != PREFIX_ID_NONE;
	     net = prefix_table_next(in->prefixes, net + 1))
		group_unref(rib->nexthops, in->nets[net].group);
}

void rib_free(struct rib *rib)
{
	if (!rib)
		return;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		release_groups(rib, &rib->in[f]);
		adj_rib_in_done(&rib->in[f]);
		adj_rib_out_done(&rib->out[f]);
		out_share_free(rib->share[f]);
		for (unsigned int kind = 0; kind < LOCAL_KINDS; kind++)
			free(rib->local[f][kind].nets);
	}
	by_source_clear(rib);
	attr_store_free(rib->attrs); /* gives its next hops back */
	for (uint32_t i = 0; i < rib->peer_high; i++)
		free(rib->peers[i]);
	free(rib->decide.verdicts);
	free(rib->decide.paths);
	free(rib->decide.ids);
	free(rib->decide.lost_at);
	free(rib->decide.backup_lost_at);
	free(rib->weights);
	export_scratch_free(rib->export);
	free(rib);
}

static void tell(const struct rib *rib, enum rib_event_type type, uint16_t peer,
		 enum bgp_family family, uint32_t count)
{
	if (rib->callbacks.event)
		rib->callbacks.event(rib->callbacks.ctx, type, peer, family, count);
}

void rib_wake(struct rib *rib, enum bgp_family family)
{
	uint32_t cursor = 0;
	const struct out_member *member;

	while ((member = adj_rib_out_wake(&rib->out[family], &cursor)))
		tell(rib, RIB_EVENT_OUTPUT, member->peer, family, 0);
}

/* --- admission -------------------------------------------------------------------------------------- */

/* RFC 4271 9.1.2 (AS loop) and RFC 4456 8 (reflection loop). */
static bool is_loop(const struct rib *rib, const struct bgp_attrs *attrs)
{
	if (aspath_contains(attrs->as_path, rib->config.local_asn))
		return true;
	if (attrs->has & BGP_HAS_ORIGINATOR_ID && attrs->originator_id == rib->config.local_id)
		return true;
	/* CLUSTER_LIST has the shape of COMMUNITIES: numbers of four octets. */
	return community_contains(attrs->cluster_list, rib->config.local_id);
}

static bool is_own_address(const struct rib *rib, const struct rib_peer *peer,
			   const struct ip_addr *addr)
{
	if (addr->family && ip_equal(addr, &peer->source))
		return true;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		if (addr->family && ip_equal(addr, &rib->config.local_addr[f]))
			return true;
	}
	return false;
}

/* Few distinct ones: they come from the configuration. Too many: the rest counts as none. */
static uint16_t weight_index(struct rib *rib, uint32_t weight)
{
	uint32_t *grown;

	for (uint32_t i = 0; i < rib->n_weights; i++) {
		if (rib->weights[i] == weight)
			return (uint16_t)i;
	}
	if (rib->n_weights > UINT16_MAX)
		return 0;
	grown = reallocarray(rib->weights, rib->n_weights + 1, sizeof(*grown));
	if (!grown)
		return 0;
	rib->weights = grown;
	grown[rib->n_weights] = weight;
	return (uint16_t)rib->n_weights++;
}

static void apply_inbound_map(struct rib *rib, const struct route_map *map,
			      const struct ip_prefix *prefix, const struct bgp_attrs *attrs,
			      struct admission *a)
{
	struct policy_result *result = &rib->policy;

	route_map_apply(map, prefix, attrs, result, NULL);
	a->rule = result->last_rule;
	if (!result->permit) {
		attr_store_unref(rib->attrs, a->attrs);
		a->attrs = ATTR_NONE;
		a->state = RIB_PATH_FILTERED;
		return;
	}
	a->weight = weight_index(rib, result->weight);
	if (!result->changed)
		return;
	attr_store_unref(rib->attrs, a->attrs);
	a->attrs = attr_store_intern(rib->attrs, &result->attrs);
	a->failed = a->attrs == ATTR_NONE;
}

/* RFC 9234 5: before the inbound map, which can not take it away again. */
static void add_otc(struct rib *rib, const struct rib_peer *peer, struct bgp_attrs *attrs,
		    struct admission *a)
{
	uint32_t bare = a->attrs;

	attrs->has |= BGP_HAS_OTC;
	attrs->otc = peer->params.peer_asn;
	a->attrs = attr_store_intern(rib->attrs, attrs);
	a->failed = a->attrs == ATTR_NONE;
	attr_store_unref(rib->attrs, bare);
}

struct admission rib_admit(struct rib *rib, const struct rib_peer *peer,
			   const struct ip_prefix *prefix, uint32_t attrs_in)
{
	struct admission a = { .state = RIB_PATH_OK, .attrs = attrs_in, .rule = -1 };
	struct bgp_attrs attrs;

	attr_store_ref(rib->attrs, attrs_in);
	attr_store_get(rib->attrs, attrs_in, &attrs);
	if (is_loop(rib, &attrs)) {
		a.state = RIB_PATH_LOOP;
		return a;
	}
	if (otc_leaks_in(peer, &attrs)) {
		a.state = RIB_PATH_OTC_LEAK;
		return a;
	}
	if (otc_rule(peer).add_in && !(attrs.has & BGP_HAS_OTC)) {
		add_otc(rib, peer, &attrs, &a);
		if (a.failed)
			return a;
	}
	if (peer->config.in) {
		apply_inbound_map(rib, peer->config.in, prefix, &attrs, &a);
		if (a.state != RIB_PATH_OK || a.failed)
			return a;
		attrs.next_hop = rib->policy.attrs.next_hop;
	}
	if (is_own_address(rib, peer, &attrs.next_hop))
		a.state = RIB_PATH_NEXTHOP_SELF;
	return a;
}

/* --- the walk -------------------------------------------------------------------------------------- */

static void because(struct rib *rib, enum rib_cause cause, uint16_t peer)
{
	rib->why = (struct rib_why){ cause, peer };
}

static void ask_walk(struct rib *rib, enum bgp_family family)
{
	struct rib_walk *walk = &rib->walk[family];
	struct rib_why why = rib->why;

	/* The end of a session takes its next hop with it: the session is what people ask about. */
	if (walk->active && why.cause == RIB_CAUSE_NEXT_HOP)
		why = walk->why;
	else if (walk->active && walk->why.cause == why.cause && walk->why.peer != why.peer)
		why.peer = RIB_PEER_NONE;
	else if (walk->active && walk->why.cause != RIB_CAUSE_NEXT_HOP &&
		 walk->why.cause != why.cause)
		why = (struct rib_why){ RIB_CAUSE_SEVERAL, RIB_PEER_NONE };
	*walk = (struct rib_walk){
		.active = true, .to_end = true, .next = walk->next, .stop = walk->next, .why = why
	};
}

static void ask_walks(struct rib *rib)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		ask_walk(rib, f);
}

/*
 * What a path costs beside its attributes: itself, its net, and the prefix in the table. A peer is charged
 * for its attribute sets as if nobody shared them, so that what it may take does not depend on others.
 */
#define PATH_OCTETS (sizeof(struct rib_path) + sizeof(struct rib_net) + 24u)

static uint32_t path_octets(const struct rib *rib, uint32_t attrs_in)
{
	return (uint32_t)PATH_OCTETS + attr_store_octets(rib->attrs, attrs_in);
}

/* A path comes (@by = 1) or goes (-1): counted and charged. */
static void account(const struct rib *rib, struct peer_in *in, const struct rib_path *path, int by)
{
	peer_in_count(in, path, by);
	peer_in_charge(in, path, path_octets(rib, path->attrs_in), by);
}

static void release_path(struct rib *rib, enum bgp_family family, uint32_t net, uint32_t id)
{
	struct rib_path *path = &rib->in[family].paths[id];

	account(rib, &rib->peers[path->peer]->in[family], path, -1);
	attr_store_unref(rib->attrs, path->attrs_in);
	attr_store_unref(rib->attrs, path->attrs);
	adj_rib_in_remove(&rib->in[family], net, id);
}

/* A living path of this peer that carries the prefix in the peer's count, or PATH_NONE. */
static uint32_t counted_path(const struct rib *rib, enum bgp_family family, uint32_t net,
			     uint16_t peer)
{
	const struct adj_rib_in *in = &rib->in[family];
	uint32_t id = in->nets[net].head;

	for (; id != PATH_NONE; id = in->paths[id].next) {
		const struct rib_path *path = &in->paths[id];

		if (path->peer == peer && !(path->flags & PATH_F_EXTRA) &&
		    path_age(&rib->peers[peer]->in[family], path) != PATH_DEAD)
			break;
	}
	return id;
}

/* After the counted path of a peer went (ADD-PATH): another of its living paths takes its place. */
static void promote_extra(struct rib *rib, enum bgp_family family, uint32_t net, uint16_t peer)
{
	struct adj_rib_in *in = &rib->in[family];
	struct peer_in *peer_in = &rib->peers[peer]->in[family];

	if (counted_path(rib, family, net, peer) != PATH_NONE)
		return;
	for (uint32_t id = in->nets[net].head; id != PATH_NONE; id = in->paths[id].next) {
		struct rib_path *path = &in->paths[id];

		if (path->peer != peer || path_age(peer_in, path) == PATH_DEAD)
			continue;
		peer_in_count(peer_in, path, -1);
		path->flags &= (uint8_t)~PATH_F_EXTRA;
		peer_in_count(peer_in, path, 1);
		return;
	}
}

static void drop_path(struct rib *rib, enum bgp_family family, uint32_t net, uint32_t id)
{
	const struct rib_path *path = &rib->in[family].paths[id];
	uint16_t peer = path->peer;
	bool extra = path->flags & PATH_F_EXTRA;

	release_path(rib, family, net, id);
	if (!extra)
		promote_extra(rib, family, net, peer);
}

/* No path over the limit may be let in while the limit is reached. */
static bool limit_reached(const struct rib_peer *peer, enum bgp_family family)
{
	const struct rib_limit *limit = &peer->config.limit;

	return limit->limit && limit->action == RIB_LIMIT_BLOCK &&
	       peer_in_within_limit(&peer->in[family]) >= limit->limit;
}

static bool is_long_lived(const struct rib_peer *peer, enum bgp_family family,
			  const struct rib_path *path)
{
	const struct peer_in *in = &peer->in[family];

	return in->long_lived && path_age(in, path) == PATH_STALE;
}

/* RFC 9494 4.3: the mark goes to the path as it is used and told, not to what was received. */
static void mark_llgr_stale(struct rib *rib, struct admission *a)
{
	uint8_t buf[POLICY_SCRATCH];
	struct bgp_attrs attrs;

	if (a->failed || !a->attrs ||
	    attr_store_summary(rib->attrs, a->attrs)->flags & ATTR_SUM_LLGR_STALE)
		return;
	attr_store_get(rib->attrs, a->attrs, &attrs);
	if (community_add(&attrs, BGP_COMM_LLGR_STALE, buf, sizeof(buf)) < 0)
		return;
	attr_store_unref(rib->attrs, a->attrs);
	a->attrs = attr_store_intern(rib->attrs, &attrs);
	a->failed = a->attrs == ATTR_NONE;
}

static void admit_again(struct rib *rib, enum bgp_family family, uint32_t net,
			struct rib_path *path)
{
	struct rib_peer *peer = rib->peers[path->peer];
	struct ip_prefix prefix = prefix_table_key(rib->in[family].prefixes, net);
	struct admission a = rib_admit(rib, peer, &prefix, path->attrs_in);

	if (is_long_lived(peer, family, path))
		mark_llgr_stale(rib, &a);
	if (a.failed)
		return;
	peer_in_count(&peer->in[family], path, -1);
	if (path->state == RIB_PATH_OVER_LIMIT && limit_reached(peer, family))
		a.state = RIB_PATH_OVER_LIMIT;
	attr_store_unref(rib->attrs, path->attrs);
	path->attrs = a.attrs;
	path->weight = a.weight;
	path->state = (uint8_t)a.state;
	peer_in_count(&peer->in[family], path, 1);
}

/* RFC 9494 4.2: NO_LLGR, as received or as the inbound map made it. */
static bool refuses_long_life(const struct rib *rib, const struct rib_peer *peer,
			      enum bgp_family family, const struct rib_path *path)
{
	uint32_t attrs = path->attrs ? path->attrs : path->attrs_in;

	return is_long_lived(peer, family, path) &&
	       attr_store_summary(rib->attrs, attrs)->flags & ATTR_SUM_NO_LLGR;
}

static void visit(struct rib *rib, enum bgp_family family, uint32_t net)
{
	struct adj_rib_in *in = &rib->in[family];
	struct loc_rib_export before = loc_rib_export(rib, family, net);
	uint32_t next;

	if (in->nets[net].head == PATH_NONE)
		return;
	for (uint32_t id = in->nets[net].head; id != PATH_NONE; id = next) {
		struct rib_path *path = &in->paths[id];
		const struct rib_peer *peer = rib->peers[path->peer];

		next = path->next;
		if (path_age(&peer->in[family], path) == PATH_DEAD ||
		    refuses_long_life(rib, peer, family, path)) {
			rib->losing |= !peer->leaving;
			drop_path(rib, family, net, id);
		} else if (peer->reapply) {
			admit_again(rib, family, net, path);
		}
	}
	loc_rib_settle(rib, family, net, before);
	rib->losing = false;
}

/* Blocked prefixes wait although there is room again. */
static bool can_unblock(const struct rib_peer *peer)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		if (peer_in_sum(&peer->in[f], COUNT_STATE + RIB_PATH_OVER_LIMIT) &&
		    !limit_reached(peer, f))
			return true;
	}
	return false;
}

static void free_peer(struct rib *rib, uint32_t index)
{
	free(rib->peers[index]);
	rib->peers[index] = NULL;
	while (rib->peer_high && !rib->peers[rib->peer_high - 1])
		rib->peer_high--;
}

/* Every session has waited for this. */
static void release_output(struct rib *rib)
{
	rib->hold = HOLD_NONE;
	for (uint16_t i = 0; i < rib->peer_high; i++) {
		for (enum bgp_family f = 0; rib->peers[i] && f < BGP_FAMILY_MAX; f++) {
			if (rib->peers[i]->out[f])
				tell(rib, RIB_EVENT_OUTPUT, i, f, 0);
		}
	}
}

/* All nets of all families were met since the last request. */
static void walks_done(struct rib *rib)
{
	if (rib->hold == HOLD_OUTPUT)
		release_output(rib);
	for (uint32_t i = rib->peer_high; i-- > 0;) {
		struct rib_peer *peer = rib->peers[i];

		if (!peer)
			continue;
		peer->reapply = false;
		for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
			peer->in[f].unpurged = 0;
		if (peer->leaving) {
			free_peer(rib, i);
		} else if (can_unblock(peer)) {
			peer->reapply = true;
			because(rib, RIB_CAUSE_LIMIT, (uint16_t)i);
			ask_walks(rib);
		}
	}
}

static bool walking(const struct rib *rib)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		if (rib->walk[f].active)
			return true;
	}
	return false;
}

/* The next net to meet, PREFIX_ID_NONE at the end of the walk. */
static uint32_t walk_step(struct rib_walk *walk, const struct prefix_table *prefixes)
{
	if (walk->to_end && walk->next >= prefix_table_limit(prefixes)) {
		walk->to_end = false;
		walk->next = 0;
	}
	walk->active = walk->to_end || walk->next < walk->stop;
	return walk->active ? walk->next++ : PREFIX_ID_NONE;
}

/* A net that is not there costs an eighth of one that is. What is left of the budget. */
static unsigned int walk_some(struct rib *rib, enum bgp_family family, unsigned int budget)
{
	struct rib_walk *walk = &rib->walk[family];
	const struct prefix_table *prefixes = rib->in[family].prefixes;
	uint64_t credit = 8ULL * budget;

	rib->why = walk->why;
	while (walk->active && credit >= 8) {
		uint32_t net = walk_step(walk, prefixes);

		if (net == PREFIX_ID_NONE)
			break;
		credit -= 1;
		if (prefix_table_has(prefixes, net)) {
			visit(rib, family, net);
			credit -= 7;
		}
	}
	return (unsigned int)(credit / 8);
}

bool rib_work(struct rib *rib, unsigned int budget, struct mono now)
{
	if (!walking(rib))
		return false;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		budget = walk_some(rib, f, budget);
	if (!walking(rib))
		walks_done(rib);
	return walking(rib);
}

void rib_hold(struct rib *rib, bool hold)
{
	if (hold) {
		rib->hold = HOLD_SELECTION;
		return;
	}
	if (rib->hold != HOLD_SELECTION)
		return;
	rib->hold = HOLD_OUTPUT;
	because(rib, RIB_CAUSE_RESTART, RIB_PEER_NONE);
	ask_walks(rib);
}

bool rib_held(const struct rib *rib)
{
	return rib->hold != HOLD_NONE;
}

/* --- peers ------------------------------------------------------------------------------------------- */

static struct rib_peer *peer_at(const struct rib *rib, uint16_t peer)
{
	return peer < rib->peer_high && rib->peers[peer] && !rib->peers[peer]->leaving
		       ? rib->peers[peer]
		       : NULL;
}

int rib_peer_add(struct rib *rib, const struct rib_peer_config *config, uint16_t *ret_peer)
{
	struct rib_peer *peer;
	uint32_t index = 0;

	while (index < RIB_PEERS_MAX && rib->peers[index])
		index++;
	if (index == RIB_PEERS_MAX)
		return -ENOSPC;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	peer->config = *config;
	rib->peers[index] = peer;
	if (index >= rib->peer_high)
		rib->peer_high = index + 1;
	*ret_peer = (uint16_t)index;
	return 0;
}

/* Everything that the peer may be told is looked at again: more, less and other than before. */
static void resend(struct rib *rib, uint16_t index, enum bgp_family family)
{
	struct rib_peer *peer = rib->peers[index];

	if (!peer->out[family])
		return;
	out_member_restart(&rib->out[family], peer->out[family]);
	tell(rib, RIB_EVENT_OUTPUT, index, family, 0);
}

static void resend_all(struct rib *rib, uint16_t index)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		resend(rib, index, f);
}

static bool differs_in_bgp_role(const struct rib_peer_config *a, const struct rib_peer_config *b)
{
	return a->has_bgp_role != b->has_bgp_role || a->bgp_role != b->bgp_role;
}

/* What peers were told under other policies is no example for others any more. */
static void forget_shared(struct rib *rib)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		rib->out[f].epoch++;
}

void rib_peer_reconfigure(struct rib *rib, uint16_t index, const struct rib_peer_config *config)
{
	struct rib_peer *peer = peer_at(rib, index);
	struct rib_peer_config old;

	if (!peer)
		return;
	because(rib, RIB_CAUSE_CONFIGURATION, index);
	old = peer->config;
	peer->config = *config;
	forget_shared(rib);
	if (old.in || config->in || old.role != config->role || differs_in_bgp_role(&old, config) ||
	    memcmp(&old.limit, &config->limit, sizeof(old.limit))) {
		peer->reapply = true;
		ask_walks(rib);
	}
	if (old.out || config->out || old.role != config->role ||
	    differs_in_bgp_role(&old, config) || old.advertise_vnet != config->advertise_vnet ||
	    old.advertise_learned != config->advertise_learned ||
	    old.advertise_host_routes != config->advertise_host_routes)
		resend_all(rib, index);
	/* Its paths may go to others, or no longer. */
	for (uint16_t i = 0; old.role != config->role && i < rib->peer_high; i++) {
		if (peer_at(rib, i))
			resend_all(rib, i);
	}
}

static void drop_retired(void *ctx, uint32_t net)
{
	adj_rib_in_drop_net(ctx, net);
}

static void leave(struct rib *rib, struct rib_peer *peer)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		rib->in[f].told_whole -= peer->out[f] && peer->out[f]->paths;
		adj_rib_out_leave(&rib->out[f], peer->out[f]);
		peer->out[f] = NULL;
		adj_rib_out_collect(&rib->out[f], drop_retired, &rib->in[f]);
	}
}

void rib_peer_source(struct rib *rib, uint16_t index, const struct ip_addr *addr)
{
	struct rib_peer *peer = peer_at(rib, index);

	if (peer)
		peer->source = *addr;
}

/* RFC 7911: for how many paths of a prefix the session has identifiers; 0: it has none. */
static unsigned int paths_told(const struct rib_peer *peer, enum bgp_family family)
{
	if (!(peer->params.add_path_tx & BGP_FAMILY_BIT(family)))
		return 0;
	return peer->config.add_path_max ? peer->config.add_path_max : 1;
}

void rib_peer_up(struct rib *rib, uint16_t index, const struct bgp_session_params *params,
		 struct mono now)
{
	struct rib_peer *peer = peer_at(rib, index);

	if (!peer)
		return;
	leave(rib, peer);
	peer->params = *params;
	peer->up = true;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		peer->in[f].eor = peer->in[f].warned = peer->in[f].exceeded = false;
		peer->in[f].refreshing = false;
		peer->in[f].shadow = 0;
		if (!(params->families & BGP_FAMILY_BIT(f))) {
			/* RFC 4724 4.2: what it no longer speaks of can not be refreshed. */
			rib_peer_sweep(rib, index, f);
			continue;
		}
		peer->out[f] = adj_rib_out_join(&rib->out[f], index, paths_told(peer, f));
		rib->in[f].told_whole += peer->out[f] && peer->out[f]->paths;
		if (peer->out[f])
			tell(rib, RIB_EVENT_OUTPUT, index, f, 0);
	}
}

static void end_family(struct rib *rib, struct rib_peer *peer, enum bgp_family family,
		       bool graceful)
{
	struct peer_in *in = &peer->in[family];

	if (graceful)
		peer_in_grace(in);
	else
		peer_in_end(in);
	in->eor = in->refreshing = in->long_lived = false;
	in->waiting = graceful;
	if (in->unpurged)
		ask_walk(rib, family);
}

void rib_peer_down(struct rib *rib, uint16_t index, bool graceful, struct mono now)
{
	struct rib_peer *peer = peer_at(rib, index);
	bool full = false;

	if (!peer)
		return;
	because(rib, RIB_CAUSE_SESSION_ENDED, index);
	peer->up = peer->shutting_down = false;
	leave(rib, peer);
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		end_family(rib, peer, f, graceful && peer->config.stale_allowed);
		full |= peer->in[f].unpurged >= PEER_EPOCHS_MAX;
	}
	/* Epochs would repeat: this once the walk is not put off. */
	while (full && rib_work(rib, 1024, now))
		;
}

void rib_peer_remove(struct rib *rib, uint16_t index)
{
	struct rib_peer *peer = peer_at(rib, index);
	bool empty = true;

	if (!peer)
		return;
	rib_peer_down(rib, index, false, (struct mono){ 0 });
	peer->leaving = true;
	peer->reapply = false;
	peer->config.in = peer->config.out = NULL;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		empty &= !peer->in[f].unpurged;
	if (empty)
		free_peer(rib, index);
	else
		ask_walks(rib);
}

void rib_peer_sweep(struct rib *rib, uint16_t index, enum bgp_family family)
{
	struct rib_peer *peer = peer_at(rib, index);

	if (!peer)
		return;
	because(rib, RIB_CAUSE_STALE_GONE, index);
	peer->in[family].waiting = peer->in[family].long_lived = false;
	if (peer_in_sweep(&peer->in[family]))
		ask_walk(rib, family);
}

void rib_peer_long_lived(struct rib *rib, uint16_t index, enum bgp_family family)
{
	struct rib_peer *peer = peer_at(rib, index);

	if (!peer || !peer->in[family].waiting)
		return;
	because(rib, RIB_CAUSE_STALE_GONE, index);
	peer->in[family].long_lived = true;
	peer->reapply = true;
	ask_walk(rib, family);
}

bool rib_peer_waiting(const struct rib *rib, uint16_t index, enum bgp_family family)
{
	const struct rib_peer *peer = peer_at(rib, index);

	return peer && peer->in[family].waiting;
}

void rib_peer_mark_stale(struct rib *rib, uint16_t index, enum bgp_family family)
{
	struct rib_peer *peer = peer_at(rib, index);

	if (!peer)
		return;
	because(rib, RIB_CAUSE_STALE_GONE, index);
	/* A peer that only ever begins and never ends a refresh: what is stale so long goes. */
	if (peer->in[family].unpurged + peer->in[family].kept >= PEER_EPOCHS_MAX) {
		peer_in_sweep(&peer->in[family]);
		ask_walk(rib, family);
		while (rib_work(rib, 1024, (struct mono){ 0 }))
			;
	}
	peer_in_mark_stale(&peer->in[family]);
}

void rib_peer_resend(struct rib *rib, uint16_t index, enum bgp_family family)
{
	struct rib_peer *peer = peer_at(rib, index);

	if (!peer || !peer->out[family])
		return;
	if (!peer->params.enhanced_refresh) {
		resend(rib, index, family);
		return;
	}
	out_member_refresh(&rib->out[family], peer->out[family]);
	tell(rib, RIB_EVENT_OUTPUT, index, family, 0);
}

/*
 * RFC 7313 4. Between BoRR and EoRR what is not announced again is stale; a BoRR before the End-of-RIB
 * that a gracefully restarting peer owes is ignored, and so is an EoRR without its BoRR.
 */
bool rib_peer_refresh(struct rib *rib, uint16_t index, enum bgp_family family, bool begins)
{
	struct rib_peer *peer = peer_at(rib, index);
	struct peer_in *in;

	if (!peer || !peer->up)
		return false;
	in = &peer->in[family];
	if (begins ? peer->params.peer_gr && !in->eor : !in->refreshing)
		return false;
	if (begins)
		rib_peer_mark_stale(rib, index, family);
	else
		rib_peer_sweep(rib, index, family);
	in->refreshing = begins;
	return true;
}

void rib_peer_shutting_down(struct rib *rib, uint16_t index, bool on)
{
	struct rib_peer *peer = peer_at(rib, index);

	if (!peer || !peer->up || peer->shutting_down == on)
		return;
	peer->shutting_down = on;
	resend_all(rib, index);
}

bool rib_peer_eor(const struct rib *rib, uint16_t index, enum bgp_family family)
{
	const struct rib_peer *peer = peer_at(rib, index);

	return peer && peer->in[family].eor;
}

/* --- UPDATE -------------------------------------------------------------------------------------------- */

/* One section of an UPDATE: prefixes that share attributes. */
struct section {
	struct rib_peer *peer;
	uint16_t index;
	enum bgp_family family;
	uint32_t attrs_in; /* a reference */
	uint32_t since;
	bool by_prefix; /* the inbound map looks at prefixes: admission is for each by itself */
	struct admission shared;
};

static bool map_by_prefix(const struct route_map *map)
{
	for (size_t i = 0; map && i < map->n_rules; i++) {
		if (map->rules[i].match.n_prefixes)
			return true;
	}
	return false;
}

static struct admission admission_of(struct rib *rib, const struct section *s,
				     const struct ip_prefix *prefix)
{
	struct admission a = s->shared;

	if (s->by_prefix)
		return rib_admit(rib, s->peer, prefix, s->attrs_in);
	attr_store_ref(rib->attrs, a.attrs);
	return a;
}

/* The same again: only its freshness may change (graceful restart, route refresh). */
static void refresh(const struct rib *rib, const struct section *s, struct rib_path *path)
{
	struct peer_in *in = &s->peer->in[s->family];

	if (path->epoch == in->epoch)
		return;
	account(rib, in, path, -1);
	path->epoch = in->epoch;
	account(rib, in, path, 1);
}

static bool is_repeat(const struct section *s, const struct rib_path *path,
		      const struct admission *a)
{
	enum rib_path_state state = (enum rib_path_state)path->state;

	if (state == RIB_PATH_NEXTHOP_UNRESOLVED)
		state = RIB_PATH_OK;
	return path_age(&s->peer->in[s->family], path) != PATH_DEAD &&
	       path->attrs_in == s->attrs_in && path->attrs == a->attrs &&
	       path->weight == a->weight && state == a->state;
}

static unsigned int paths_of_peer(const struct adj_rib_in *in, uint32_t net, uint16_t peer)
{
	unsigned int n = 0;

	for (uint32_t id = in->nets[net].head; id != PATH_NONE; id = in->paths[id].next)
		n += in->paths[id].peer == peer;
	return n;
}

/*
 * Counted after replacement: only a prefix that the peer does not hold yet can be over the limit. As
 * many again as the limit are kept, to be let in when there is room; what is more is not kept at all.
 */
static bool over_limit(const struct section *s, bool *ret_keep)
{
	const struct peer_in *in = &s->peer->in[s->family];
	uint32_t blocked = peer_in_held(in) - peer_in_within_limit(in);

	*ret_keep = blocked < s->peer->config.limit.limit;
	return limit_reached(s->peer, s->family);
}

/* Whether the peer would take too much memory with this route in place of one of @before octets. */
static bool over_memory(const struct rib *rib, const struct section *s, uint32_t before)
{
	uint64_t taken = path_octets(rib, s->attrs_in);

	if (!s->peer->config.memory)
		return false;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		taken += s->peer->in[f].octets[0] + s->peer->in[f].octets[1];
	return taken - before > s->peer->config.memory;
}

/* The route is not kept, nor is the one before it: as with treat-as-withdraw (RFC 7606 2). */
static void refuse_for_memory(struct rib *rib, const struct section *s, uint32_t net, uint32_t id)
{
	struct rib_peer *peer = s->peer;

	if (id != PATH_NONE)
		drop_path(rib, s->family, net, id);
	peer->in[s->family].refused++;
	if (!peer->no_room)
		tell(rib, RIB_EVENT_MEMORY, s->index, s->family,
		     peer_in_held(&peer->in[s->family]));
	peer->no_room = true;
}

static void fill_path(struct rib *rib, const struct section *s, struct rib_path *path,
		      const struct admission *a)
{
	attr_store_ref(rib->attrs, s->attrs_in);
	attr_store_unref(rib->attrs, path->attrs_in);
	attr_store_unref(rib->attrs, path->attrs);
	path->attrs_in = s->attrs_in;
	path->attrs = a->attrs;
	path->weight = a->weight;
	path->state = (uint8_t)a->state;
	path->since = s->since;
	path->epoch = s->peer->in[s->family].epoch;
	account(rib, &s->peer->in[s->family], path, 1);
}

/* The path to fill for a new or dead one; PATH_NONE: not kept. *a may become OVER_LIMIT. */
static uint32_t new_path(struct rib *rib, const struct section *s, uint32_t net, uint32_t path_id,
			 uint32_t dead, struct admission *a)
{
	struct adj_rib_in *in = &rib->in[s->family];
	bool extra = counted_path(rib, s->family, net, s->index) != PATH_NONE;
	bool keep = true;

	if (!extra && over_limit(s, &keep))
		a->state = RIB_PATH_OVER_LIMIT;
	if (!keep && a->state == RIB_PATH_OVER_LIMIT)
		return PATH_NONE;
	if (dead == PATH_NONE) {
		if (path_id && paths_of_peer(in, net, s->index) >= NET_PATHS_OF_PEER)
			return PATH_NONE;
		dead = adj_rib_in_add(in, net);
		if (dead == PATH_NONE) {
			a->failed = true;
			return PATH_NONE;
		}
		in->paths[dead].peer = s->index;
		in->paths[dead].path_id = path_id;
	}
	in->paths[dead].flags &= (uint8_t)~PATH_F_EXTRA;
	if (extra)
		in->paths[dead].flags |= PATH_F_EXTRA;
	return dead;
}

/* A replacement of what was let in stays in; of what was blocked stays blocked until there is room. */
static void replace(struct rib *rib, const struct section *s, uint32_t net, struct rib_path *path,
		    struct admission *a, struct loc_rib_export before)
{
	account(rib, &s->peer->in[s->family], path, -1);
	if (path->state == RIB_PATH_OVER_LIMIT && limit_reached(s->peer, s->family))
		a->state = RIB_PATH_OVER_LIMIT;
	fill_path(rib, s, path, a);
	loc_rib_settle(rib, s->family, net, before);
}

static int learn(struct rib *rib, const struct section *s, const struct ip_prefix *prefix,
		 uint32_t path_id)
{
	struct adj_rib_in *in = &rib->in[s->family];
	uint32_t net = adj_rib_in_net(in, prefix);
	struct admission a;
	struct loc_rib_export before;
	uint32_t id;
	bool alive;

	if (net == PREFIX_ID_NONE)
		return -ENOMEM;
	a = admission_of(rib, s, prefix);
	before = loc_rib_export(rib, s->family, net);
	id = a.failed ? PATH_NONE : adj_rib_in_find(in, net, s->index, path_id);
	alive = id != PATH_NONE && path_age(&s->peer->in[s->family], &in->paths[id]) != PATH_DEAD;
	if (alive && is_repeat(s, &in->paths[id], &a)) {
		attr_store_unref(rib->attrs, a.attrs);
		refresh(rib, s, &in->paths[id]);
		return 0;
	}
	if (!a.failed &&
	    over_memory(rib, s, alive ? path_octets(rib, in->paths[id].attrs_in) : 0)) {
		attr_store_unref(rib->attrs, a.attrs);
		refuse_for_memory(rib, s, net, id);
		loc_rib_settle(rib, s->family, net, before);
		return 0;
	}
	s->peer->no_room = false;
	if (alive) {
		replace(rib, s, net, &in->paths[id], &a, before);
		return 0;
	}
	if (!a.failed)
		id = new_path(rib, s, net, path_id, id, &a);
	if (id == PATH_NONE)
		attr_store_unref(rib->attrs, a.attrs);
	else
		fill_path(rib, s, &in->paths[id], &a);
	loc_rib_settle(rib, s->family, net, before);
	return a.failed ? -ENOMEM : 0;
}

static void forget(struct rib *rib, const struct section *s, const struct ip_prefix *prefix,
		   uint32_t path_id)
{
	struct adj_rib_in *in = &rib->in[s->family];
	uint32_t net = prefix_table_find(in->prefixes, prefix);
	uint32_t id =
		net == PREFIX_ID_NONE ? PATH_NONE : adj_rib_in_find(in, net, s->index, path_id);
	struct loc_rib_export before;

	if (id == PATH_NONE)
		return;
	before = loc_rib_export(rib, s->family, net);
	drop_path(rib, s->family, net, id);
	loc_rib_settle(rib, s->family, net, before);
}

/*
 * A walk over the prefixes of a section that asks for the memory which the next ones need: what they cost
 * is waiting for it.
 */
#define AHEAD 12

struct section_walk {
	const struct rib *rib;
	const struct prefix_table *prefixes;
	struct nlri_iter it, ahead;
};

static void look_ahead(struct section_walk *walk)
{
	struct ip_prefix prefix;
	uint32_t path_id;

	if (!nlri_next(&walk->ahead, &prefix, &path_id))
		return;
	prefix_table_prefetch(walk->prefixes, &prefix);
	if (walk->rib->callbacks.soon)
		walk->rib->callbacks.soon(walk->rib->callbacks.ctx, &prefix);
}

static struct section_walk section_walk(const struct rib *rib, const struct bgp_nlri *nlri)
{
	struct section_walk walk = { .rib = rib, .prefixes = rib->in[nlri->family].prefixes };

	nlri_iter_init(&walk.it, nlri);
	walk.ahead = walk.it;
	for (unsigned int i = 0; i < AHEAD; i++)
		look_ahead(&walk);
	return walk;
}

static bool section_next(struct section_walk *walk, struct ip_prefix *ret_prefix,
			 uint32_t *ret_path_id)
{
	look_ahead(walk);
	return nlri_next(&walk->it, ret_prefix, ret_path_id);
}

static void withdraw_section(struct rib *rib, struct rib_peer *peer, uint16_t index,
			     const struct bgp_nlri *nlri)
{
	struct section s = { .peer = peer, .index = index, .family = nlri->family };
	struct section_walk walk;
	struct ip_prefix prefix;
	uint32_t path_id;

	if (!nlri->len)
		return;
	because(rib, RIB_CAUSE_WITHDRAWN, index);
	walk = section_walk(rib, nlri);
	while (section_next(&walk, &prefix, &path_id))
		forget(rib, &s, &prefix, path_id);
}

static int reach_section(struct rib *rib, struct section *s, const struct bgp_nlri *nlri)
{
	uint64_t held = peer_in_held(&s->peer->in[s->family]);
	struct peer_in *in = &s->peer->in[s->family];
	struct section_walk walk = section_walk(rib, nlri);
	struct ip_prefix prefix;
	uint32_t path_id;
	int err = 0;

	while (section_next(&walk, &prefix, &path_id)) {
		int one = learn(rib, s, &prefix, path_id);

		err = err ? err : one;
		held++;
	}
	/* Azure counts what is held plus what arrives, replaced or not. */
	if (held > in->shadow)
		in->shadow = held;
	return err;
}

static int learn_section(struct rib *rib, struct rib_peer *peer, uint16_t index,
			 const struct bgp_update *update, unsigned int which, struct mono now)
{
	const struct bgp_nlri *nlri = &update->reach[which];
	struct bgp_attrs attrs = update->attrs;
	struct section s = {
		.peer = peer,
		.index = index,
		.family = nlri->family,
		.since = (uint32_t)(now.usec / 1000000),
		.by_prefix = map_by_prefix(peer->config.in),
	};
	int err = -ENOMEM;

	if (!nlri->len)
		return 0;
	because(rib, RIB_CAUSE_ANNOUNCED, index);
	/* Wherever it stood in the message: a set has one next hop. */
	attrs.next_hop = update->next_hop[which];
	attrs.link_local = update->link_local[which];
	attrs.has |= BGP_HAS_NEXT_HOP;
	s.attrs_in = attr_store_intern(rib->attrs, &attrs);
	if (s.attrs_in && !s.by_prefix)
		s.shared = rib_admit(rib, peer,
				     &(struct ip_prefix){ .addr.family = bgp_family_ip(s.family) },
				     s.attrs_in);
	if (s.attrs_in && !s.shared.failed)
		err = reach_section(rib, &s, nlri);
	attr_store_unref(rib->attrs, s.shared.attrs);
	attr_store_unref(rib->attrs, s.attrs_in);
	return err;
}

static void check_limit(struct rib *rib, struct rib_peer *peer, uint16_t index,
			enum bgp_family family)
{
	const struct rib_limit *limit = &peer->config.limit;
	struct peer_in *in = &peer->in[family];
	uint32_t held = peer_in_held(in);
	bool warn = limit->limit && held * 100ULL >= (uint64_t)limit->limit * limit->warn_percent;
	bool exceeded = limit->limit && held > limit->limit;

	if (warn && limit->warn_percent && !in->warned)
		tell(rib, RIB_EVENT_LIMIT_WARN, index, family, held);
	if (exceeded && !in->exceeded)
		tell(rib, RIB_EVENT_LIMIT_EXCEEDED, index, family, held);
	in->warned = warn;
	in->exceeded = exceeded;
}

/* A withdrawal may have made room for prefixes that were blocked. */
static void check_blocked(struct rib *rib, struct rib_peer *peer)
{
	if (peer->reapply || !can_unblock(peer))
		return;
	peer->reapply = true;
	because(rib, RIB_CAUSE_LIMIT, RIB_PEER_NONE);
	ask_walks(rib);
}

/* RFC 4724 4.2: what the peer has not announced again by now is gone. */
static void end_of_rib(struct rib *rib, struct rib_peer *peer, uint16_t index,
		       enum bgp_family family)
{
	peer->in[family].eor = true;
	if (peer->in[family].waiting)
		rib_peer_sweep(rib, index, family);
}

int rib_update(struct rib *rib, uint16_t index, const struct bgp_update *update, struct mono now)
{
	struct rib_peer *peer = peer_at(rib, index);
	int err = 0;

	if (!peer || !peer->up)
		return 0;
	if (update->end_of_rib) {
		end_of_rib(rib, peer, index, update->eor_family);
		return 0;
	}
	for (unsigned int i = 0; i < 2; i++)
		withdraw_section(rib, peer, index, &update->withdraw[i]);
	for (unsigned int i = 0; i < 2; i++) {
		/* RFC 7606 2: treat-as-withdraw */
		if (update->outcome == BGP_TREAT_AS_WITHDRAW) {
			withdraw_section(rib, peer, index, &update->reach[i]);
		} else {
			int one = learn_section(rib, peer, index, update, i, now);

			err = err ? err : one;
		}
	}
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		check_limit(rib, peer, index, f);
	check_blocked(rib, peer);
	return err;
}

/* --- what the vnet originates ---------------------------------------------------------------------------- */

static int add_local(struct rib *rib, enum rib_local_kind kind, const struct ip_prefix *prefix,
		     struct local_list *list)
{
	enum bgp_family family = prefix->addr.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
	struct adj_rib_in *in = &rib->in[family];
	uint32_t net = adj_rib_in_net(in, prefix);
	struct loc_rib_export before;

	if (net == PREFIX_ID_NONE)
		return -ENOMEM;
	if (in->nets[net].local & NET_F_KEEP)
		return 0; /* listed twice */
	list->nets[list->n++] = net;
	before = loc_rib_export(rib, family, net);
	in->nets[net].local |= (uint8_t)(1u << kind);
	loc_rib_settle(rib, family, net, before);
	in->nets[net].local |= NET_F_KEEP;
	return 0;
}

/* Takes away what the new list does not have, and the marks of what it has. */
static void retire_local(struct rib *rib, enum bgp_family family, enum rib_local_kind kind,
			 const struct local_list *old, const struct local_list *list)
{
	struct adj_rib_in *in = &rib->in[family];

	for (size_t i = 0; i < old->n; i++) {
		uint32_t net = old->nets[i];
		struct loc_rib_export before = loc_rib_export(rib, family, net);

		if (in->nets[net].local & NET_F_KEEP)
			continue;
		in->nets[net].local &= (uint8_t) ~(1u << kind);
		loc_rib_settle(rib, family, net, before);
	}
	for (size_t i = 0; i < list->n; i++)
		in->nets[list->nets[i]].local &= (uint8_t)~NET_F_KEEP;
}

int rib_set_local(struct rib *rib, enum rib_local_kind kind, const struct ip_prefix *prefixes,
		  size_t n)
{
	struct local_list lists[BGP_FAMILY_MAX] = { 0 };
	int err = 0;

	because(rib, RIB_CAUSE_CONFIGURATION, RIB_PEER_NONE);
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		lists[f].nets = calloc(n + 1, sizeof(*lists[f].nets));
		if (!lists[f].nets)
			err = -ENOMEM;
	}
	for (size_t i = 0; i < n && !err; i++) {
		bool v6 = prefixes[i].addr.family == IP_V6;

		err = add_local(rib, kind, &prefixes[i],
				&lists[v6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST]);
	}
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		struct local_list *old = &rib->local[f][kind];

		if (!lists[f].nets)
			continue;
		retire_local(rib, f, kind, old, &lists[f]);
		free(old->nets);
		*old = lists[f];
	}
	return err;
}

/* --- changes of the surroundings ---------------------------------------------------------------------------- */

static bool admission_differs(const struct rib_config *a, const struct rib_config *b)
{
	bool same = a->local_asn == b->local_asn && a->local_id == b->local_id;

	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		same &= ip_equal(&a->local_addr[f], &b->local_addr[f]);
	return !same;
}

void rib_reconfigure(struct rib *rib, const struct rib_config *config)
{
	bool again = admission_differs(&rib->config, config);
	bool told = again || rib->config.branch_to_branch != config->branch_to_branch;

	rib->config = *config;
	forget_shared(rib);
	because(rib, RIB_CAUSE_CONFIGURATION, RIB_PEER_NONE);
	for (uint16_t i = 0; i < rib->peer_high; i++) {
		struct rib_peer *peer = peer_at(rib, i);

		if (!peer)
			continue;
		peer->reapply |= again;
		if (told)
			resend_all(rib, i);
	}
	ask_walks(rib);
}

void rib_nexthop_changed(struct rib *rib, uint32_t nexthop)
{
	const struct nexthop_info *info = nexthop_info(rib->nexthops, nexthop);

	because(rib, RIB_CAUSE_NEXT_HOP, RIB_PEER_NONE);
	if (info && info->vnet == rib->config.vnet && !rib->config.nexthops_always_usable)
		ask_walks(rib);
}
