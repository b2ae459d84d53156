// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the RIB for the API: walks that stop and resume, one prefix explained, counts. Must never
 * change anything that selection or a peer could notice.
 */
#include "rib_internal.h"

/* Nets that a call may pass over for each one that it may hand out: a walk for a small peer through a
 * large table has to end its slice too. */
#define PASS_OVER 16

struct walk {
	struct rib *rib; /* scratch is used; nothing of it is seen outside */
	enum bgp_family family;
	uint16_t peer; /* RIB_PEER_NONE: all */
	rib_view_fn fn;
	void *ctx;
	unsigned int handed;
	bool stopped;
};

static int rule_of(struct rib *rib, const struct rib_path *path, const struct ip_prefix *prefix)
{
	const struct rib_peer *peer = rib->peers[path->peer];
	struct bgp_attrs attrs;

	if (!peer->config.in || path->state == RIB_PATH_LOOP)
		return -1;
	attr_store_get(rib->attrs, path->attrs_in, &attrs);
	route_map_apply(peer->config.in, prefix, &attrs, &rib->policy, NULL);
	return rib->policy.last_rule;
}

/* The views of one path; their attributes live as long as the call of fn. */
static void hand_path(struct walk *walk, const struct rib_path *path,
		      const struct ip_prefix *prefix)
{
	struct rib *rib = walk->rib;
	const struct rib_peer *peer = rib->peers[path->peer];
	enum path_age age = path_age(&peer->in[walk->family], path);
	struct bgp_attrs attrs_in, attrs;
	struct rib_path_view view = {
		.prefix = *prefix,
		.peer = path->peer,
		.path_id = path->path_id,
		.attrs_in = &attrs_in,
		.state = (enum rib_path_state)path->state,
		.policy_rule = rule_of(rib, path, prefix),
		.stale = age == PATH_STALE,
		.best = path->flags & PATH_F_BEST,
		.multipath = path->flags & PATH_F_MULTIPATH,
		.lost_at = (enum decision_step)path->lost_at,
		.weight = rib->weights[path->weight],
		.since.usec = (uint64_t)path->since * 1000000,
	};

	if (age == PATH_DEAD || peer->leaving)
		return;
	attr_store_get(rib->attrs, path->attrs_in, &attrs_in);
	if (path->attrs) {
		attr_store_get(rib->attrs, path->attrs, &attrs);
		view.attrs = &attrs;
	}
	walk->handed++;
	if (!walk->fn(walk->ctx, &view))
		walk->stopped = true;
}

static void hand_net(struct walk *walk, uint32_t net)
{
	const struct adj_rib_in *in = &walk->rib->in[walk->family];
	struct ip_prefix prefix = prefix_table_key(in->prefixes, net);

	for (uint32_t id = in->nets[net].head; id != PATH_NONE; id = in->paths[id].next) {
		if (walk->peer == RIB_PEER_NONE || in->paths[id].peer == walk->peer)
			hand_path(walk, &in->paths[id], &prefix);
	}
}

static void hand_told(struct walk *walk, uint32_t net)
{
	struct rib *rib = walk->rib;
	const struct out_member *member = rib->peers[walk->peer]->out[walk->family];
	struct export_view told;
	struct rib_path_view view = {
		.prefix = prefix_table_key(rib->in[walk->family].prefixes, net),
		.attrs_in = &told.attrs,
		.attrs = &told.attrs,
		.policy_rule = -1,
		.best = true,
	};

	if (!member || !out_member_told(member, net))
		return;
	for (unsigned int i = 0; export_view(rib, walk->peer, walk->family, net, i, &told); i++) {
		/* What the session could not carry was not told. */
		if (!told.shown || !out_member_told_path(member, net, told.path_id))
			continue;
		view.peer = told.source;
		view.path_id = told.path_id;
		walk->handed++;
		if (!walk->fn(walk->ctx, &view))
			walk->stopped = true;
	}
}

/* Whole nets only, so that a number is enough to resume. True: there is more. */
static bool run(struct walk *walk, uint32_t *cursor, unsigned int budget,
		void (*hand)(struct walk *walk, uint32_t net))
{
	const struct prefix_table *prefixes = walk->rib->in[walk->family].prefixes;
	uint64_t passes = (uint64_t)budget * PASS_OVER;

	while (walk->handed < budget && !walk->stopped && passes-- > 0) {
		uint32_t net = *cursor;

		if (net >= prefix_table_limit(prefixes))
			return false;
		(*cursor)++;
		if (prefix_table_has(prefixes, net))
			hand(walk, net);
	}
	return prefix_table_next(prefixes, *cursor) != PREFIX_ID_NONE;
}

static bool known(const struct rib *rib, uint16_t peer)
{
	return rib_peer_get(rib, peer) != NULL;
}

bool rib_walk_learned(const struct rib *rib, uint16_t peer, enum bgp_family family,
		      uint32_t *cursor, unsigned int budget, rib_view_fn fn, void *ctx)
{
	struct walk walk = {
		.rib = (struct rib *)rib, .family = family, .peer = peer, .fn = fn, .ctx = ctx
	};

	return known(rib, peer) && run(&walk, cursor, budget, hand_net);
}

bool rib_walk_advertised(const struct rib *rib, uint16_t peer, enum bgp_family family,
			 uint32_t *cursor, unsigned int budget, rib_view_fn fn, void *ctx)
{
	struct walk walk = {
		.rib = (struct rib *)rib, .family = family, .peer = peer, .fn = fn, .ctx = ctx
	};

	return known(rib, peer) && run(&walk, cursor, budget, hand_told);
}

bool rib_walk_all(const struct rib *rib, enum bgp_family family, uint32_t *cursor,
		  unsigned int budget, rib_view_fn fn, void *ctx)
{
	struct walk walk = { .rib = (struct rib *)rib,
			     .family = family,
			     .peer = RIB_PEER_NONE,
			     .fn = fn,
			     .ctx = ctx };

	return run(&walk, cursor, budget, hand_net);
}

static enum bgp_family family_of(const struct ip_prefix *prefix)
{
	return prefix->addr.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
}

size_t rib_explain(const struct rib *rib, const struct ip_prefix *prefix, rib_view_fn fn, void *ctx)
{
	struct walk walk = { .rib = (struct rib *)rib,
			     .family = family_of(prefix),
			     .peer = RIB_PEER_NONE,
			     .fn = fn,
			     .ctx = ctx };
	uint32_t net = prefix_table_find(rib->in[walk.family].prefixes, prefix);

	if (net != PREFIX_ID_NONE)
		hand_net(&walk, net);
	return walk.handed;
}

bool rib_walk_selected(const struct rib *rib, enum bgp_family family, uint32_t *cursor,
		       unsigned int budget, void (*fn)(void *ctx, const struct rib_change *change),
		       void *ctx)
{
	const struct adj_rib_in *in = &rib->in[family];
	uint64_t passes = (uint64_t)budget * PASS_OVER;

	while (budget && passes-- > 0 && *cursor < prefix_table_limit(in->prefixes)) {
		uint32_t net = (*cursor)++;
		struct rib_change change = { .family = family };

		if (!prefix_table_has(in->prefixes, net) || !in->nets[net].group)
			continue;
		change.prefix = prefix_table_key(in->prefixes, net);
		change.offer = by_source_offer(rib, family, net);
		fn(ctx, &change);
		budget--;
	}
	return prefix_table_next(in->prefixes, *cursor) != PREFIX_ID_NONE;
}

uint32_t rib_lookup(const struct rib *rib, const struct ip_prefix *prefix)
{
	const struct adj_rib_in *in = &rib->in[family_of(prefix)];
	uint32_t net = prefix_table_find(in->prefixes, prefix);

	return net == PREFIX_ID_NONE ? GROUP_NONE : in->nets[net].group;
}

struct rib_offer rib_offer(const struct rib *rib, const struct ip_prefix *prefix)
{
	enum bgp_family family = family_of(prefix);
	uint32_t net = prefix_table_find(rib->in[family].prefixes, prefix);

	if (net == PREFIX_ID_NONE)
		return (struct rib_offer){ 0 };
	return by_source_offer(rib, family, net);
}

const struct rib_peer_config *rib_peer_get(const struct rib *rib, uint16_t peer)
{
	if (peer >= rib->peer_high || !rib->peers[peer] || rib->peers[peer]->leaving)
		return NULL;
	return &rib->peers[peer]->config;
}

uint64_t rib_digest(const struct rib *rib)
{
	return rib->digest;
}

const struct bgp_session_params *rib_peer_params(const struct rib *rib, uint16_t peer)
{
	const struct bgp_session_params *params;

	if (!rib_peer_get(rib, peer))
		return NULL;
	params = &rib->peers[peer]->params;
	return params->families ? params : NULL;
}

struct rib_peer_counts rib_peer_counts(const struct rib *rib, uint16_t peer, enum bgp_family family)
{
	const struct peer_in *in;
	const struct out_member *member;

	if (!known(rib, peer))
		return (struct rib_peer_counts){ 0 };
	in = &rib->peers[peer]->in[family];
	member = rib->peers[peer]->out[family];
	return (struct rib_peer_counts){
		.received = peer_in_held(in),
		.accepted = peer_in_sum(in, COUNT_STATE + RIB_PATH_OK),
		.filtered = peer_in_sum(in, COUNT_STATE + RIB_PATH_FILTERED),
		.best = peer_in_sum(in, COUNT_BEST),
		.advertised = member ? member->n_told : 0,
		.blocked = peer_in_held(in) - peer_in_within_limit(in),
		.shadow_count = in->shadow,
		.memory = in->octets[0] + in->octets[1],
		.refused = in->refused,
	};
}

struct rib_figures rib_figures(const struct rib *rib)
{
	struct rib_figures figures = {
		.attr_sets = attr_store_count(rib->attrs),
		.memory = sizeof(*rib) + export_scratch_size() + attr_store_memory(rib->attrs),
	};

	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		figures.prefixes[f] = prefix_table_count(rib->in[f].prefixes);
		figures.paths[f] = rib->in[f].n_paths;
		figures.memory += adj_rib_in_memory(&rib->in[f]) +
				  adj_rib_out_memory(&rib->out[f]) +
				  (rib->share[f] ? out_share_memory(rib->share[f]) : 0);
	}
	for (uint32_t i = 0; i < rib->peer_high; i++)
		figures.memory += rib->peers[i] ? sizeof(struct rib_peer) : 0;
	return figures;
}
