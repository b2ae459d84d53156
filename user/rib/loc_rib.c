// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the paths of one prefix to what is used of them. loc_rib_settle() is called after each change;
 * everything that follows from a change (flags of the paths, group, callback, journal) happens here and
 * nowhere else. Must never look at other prefixes: work on many is walk.c's.
 */
#include "rib/loc_rib.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "rib_internal.h"
#include "util/stable_hash.h"
#include "util/htab.h"

#define BACKUP_MEMBERS \
	4 /* of the backup set: enough to survive, few enough to keep groups shared */

uint32_t loc_rib_best(const struct adj_rib_in *in, uint32_t net)
{
	uint32_t head = in->nets[net].head;

	return head != PATH_NONE && in->paths[head].flags & PATH_F_BEST ? head : PATH_NONE;
}

/* Two different sets with the same hash would leave a peer uninformed until the next change: 2^-32. */
static uint32_t hash_of_paths(const struct adj_rib_in *in, uint32_t net)
{
	uint32_t hash = 0;

	for (uint32_t id = in->nets[net].head; id != PATH_NONE; id = in->paths[id].next) {
		const struct rib_path *path = &in->paths[id];

		if (path->state == RIB_PATH_OK)
			hash = hash_u32(path->attrs, hash_u32(id, hash));
	}
	return hash;
}

/* What is selected, in a number that is the same on every host; 0: nothing. */
static uint64_t selection(const struct rib *rib, uint32_t group, uint32_t attrs)
{
	const struct group_info *info = group ? group_info(rib->nexthops, group) : NULL;
	uint32_t path = attrs ? attr_store_summary(rib->attrs, attrs)->path_digest : 0;

	return info ? stable_hash_mix(info->digest, path) | 1 : 0;
}

/* Differences add up: the sum over all prefixes does not depend on the order of changes. */
static void add_to_digest(struct rib *rib, const struct ip_prefix *prefix, uint64_t before,
			  uint64_t after)
{
	uint64_t key = (uint64_t)prefix->addr.family << 8 | prefix->len, half[2];

	memcpy(half, prefix->addr.bytes, sizeof(half));
	key = stable_hash_mix(stable_hash_mix(key, be64toh(half[0])), be64toh(half[1]));
	rib->digest -= before ? stable_hash_mix(key, before) : 0;
	rib->digest += after ? stable_hash_mix(key, after) : 0;
}

struct loc_rib_export loc_rib_export(const struct rib *rib, enum bgp_family family, uint32_t net)
{
	const struct adj_rib_in *in = &rib->in[family];
	uint32_t best = loc_rib_best(in, net);
	uint32_t attrs = best == PATH_NONE ? ATTR_NONE : in->paths[best].attrs;

	if (best == PATH_NONE && !in->nets[net].group && !in->told_whole)
		return (struct loc_rib_export){ .peer = RIB_PEER_NONE,
						.local = in->nets[net].local };
	return (struct loc_rib_export){
		.attrs = attrs,
		.selected = selection(rib, in->nets[net].group, attrs),
		.peer = best == PATH_NONE ? RIB_PEER_NONE : in->paths[best].peer,
		.local = in->nets[net].local,
		.others = in->told_whole ? hash_of_paths(in, net) : 0,
	};
}

/* --- next hops of paths ------------------------------------------------------------------------ */

/* The id is kept beside the attribute set, with one reference that goes when the set goes. */
static uint32_t path_nexthop(struct rib *rib, const struct rib_path *path)
{
	uint32_t id = attr_store_tag(rib->attrs, path->attrs);
	struct ip_addr next_hop;

	if (id)
		return id;
	next_hop = attr_store_next_hop(rib->attrs, path->attrs);
	if (!next_hop.family)
		return NEXTHOP_NONE;
	id = nexthop_get(rib->nexthops, rib->config.vnet, &next_hop);
	attr_store_set_tag(rib->attrs, path->attrs, id);
	return id;
}

static bool nexthop_usable(const struct rib *rib, uint32_t id)
{
	return id &&
	       (rib->config.nexthops_always_usable || nexthop_info(rib->nexthops, id)->usable);
}

/* --- flags and counts of a path ------------------------------------------------------------------ */

static void set_verdict(struct rib *rib, enum bgp_family family, struct rib_path *path,
			struct verdict v)
{
	struct peer_in *in = &rib->peers[path->peer]->in[family];
	uint8_t flags = (uint8_t)((path->flags & PATH_F_EXTRA) | v.flags);

	path->lost_at = v.lost_at;
	if (path->flags == flags && path->state == v.state)
		return;
	if (path->state == v.state) { /* let in and chosen: of most of a million */
		peer_in_count_best(in, path, flags);
		path->flags = flags;
		return;
	}
	peer_in_count(in, path, -1);
	path->flags = flags;
	path->state = (uint8_t)v.state;
	peer_in_count(in, path, 1);
}

/* Alive and let in; its next hop is looked at now. */
static bool selectable(struct rib *rib, enum bgp_family family, const struct rib_path *path)
{
	return path_age(&rib->peers[path->peer]->in[family], path) != PATH_DEAD &&
	       (path->state == RIB_PATH_OK || path->state == RIB_PATH_NEXTHOP_UNRESOLVED);
}

static enum rib_path_state state_now(const struct rib_path *path, bool is_selectable, bool usable)
{
	if (!is_selectable)
		return (enum rib_path_state)path->state;
	return usable ? RIB_PATH_OK : RIB_PATH_NEXTHOP_UNRESOLVED;
}

static struct decision_path decision_path_of(struct rib *rib, const struct rib_path *path,
					     bool usable)
{
	const struct rib_peer *peer = rib->peers[path->peer];
	struct decision_path d = {
		.role = peer->config.role,
		.usable = usable,
		.ebgp = peer->params.ebgp,
		.weight = rib->weights[path->weight],
		.router_id = peer->params.peer_id,
		.peer = peer->config.addr,
		.path_id = path->path_id,
	};
	static const struct attr_summary none;

	d.summary = path->attrs ? attr_store_summary(rib->attrs, path->attrs) : &none;
	if (d.summary->flags & ATTR_SUM_ORIGINATOR)
		d.router_id = d.summary->originator_id;
	return d;
}

int loc_rib_compare(struct rib *rib, enum bgp_family family, uint32_t a, uint32_t b)
{
	const struct rib_path *paths = rib->in[family].paths;
	struct decision_path x = decision_path_of(rib, &paths[a], true);
	struct decision_path y = decision_path_of(rib, &paths[b], true);
	enum decision_step step;

	return decision_compare(&rib->config.decision, &x, &y, &step);
}

/* --- groups ---------------------------------------------------------------------------------------- */

static unsigned int nexthops_of(const struct rib *rib, const struct decision_result *result,
				unsigned int max, uint32_t *ret_ids)
{
	unsigned int n = result->n_multipath < max ? result->n_multipath : max;

	for (unsigned int i = 0; i < n; i++)
		ret_ids[i] = rib->decide.nexthops[result->multipath[i]];
	return n;
}

#define WEIGHT_MAX 255

/*
 * The members' shares, in proportion to the link bandwidths of their paths. False: they share alike, because
 * one of them has none (draft-ietf-idr-link-bandwidth 2), all are the same, or the configuration says so.
 */
static bool weights_of(const struct rib *rib, const struct adj_rib_in *in,
		       const struct decision_result *result, uint8_t *ret_weights)
{
	double bandwidth[DECISION_MULTIPATH_MAX], most = 0;
	bool differ = false;

	if (!rib->config.decision.link_bandwidth || result->n_multipath < 2)
		return false;
	for (unsigned int i = 0; i < result->n_multipath; i++) {
		uint32_t at = result->multipath[i];
		struct bgp_attrs attrs;

		if (!(rib->decide.paths[at].summary->flags & ATTR_SUM_LINK_BANDWIDTH))
			return false;
		attr_store_get(rib->attrs, in->paths[rib->decide.ids[at]].attrs, &attrs);
		bandwidth[i] = ext_community_bandwidth(attrs.ext_communities);
		most = bandwidth[i] > most ? bandwidth[i] : most;
		differ |= bandwidth[i] != bandwidth[0];
	}
	for (unsigned int i = 0; i < result->n_multipath; i++) {
		double share = WEIGHT_MAX * bandwidth[i] / most;

		ret_weights[i] = share < 1 ? 1 : (uint8_t)(share + 0.5);
	}
	return differ;
}

/* The group of the selected, with a reference. */
static uint32_t group_of(struct rib *rib, const struct adj_rib_in *in,
			 const struct decision_result *result, const uint32_t *backup,
			 unsigned int n_backup)
{
	uint32_t members[DECISION_MULTIPATH_MAX];
	uint8_t weights[DECISION_MULTIPATH_MAX];
	unsigned int n = nexthops_of(rib, result, DECISION_MULTIPATH_MAX, members);

	return group_get_weighted(rib->nexthops, members,
				  weights_of(rib, in, result, weights) ? weights : NULL, n, backup,
				  n_backup);
}

/* The next best after the members: the same selection without them. Azure's model only. */
static unsigned int backups_of(struct rib *rib, const struct decision_result *members,
			       uint32_t n_paths, uint32_t *ret_ids)
{
	struct decide_scratch *s = &rib->decide;
	struct decision_result next;

	if (rib->config.decision.selection != SELECT_AZURE || members->n_multipath == n_paths)
		return 0;
	if (!decision_keep_next(s->lost_at, n_paths, s->paths))
		return 0;
	decision_select(&rib->config.decision, s->paths, n_paths, &next, s->backup_lost_at);
	return nexthops_of(rib, &next, BACKUP_MEMBERS, ret_ids);
}

/* --- deciding -------------------------------------------------------------------------------------- */

/* The list again: members in their order, then who lost latest, who can not be used last. */
static void reorder(struct rib *rib, struct adj_rib_in *in, uint32_t net,
		    const struct decision_result *result, uint32_t n)
{
	uint32_t first[STEP_MAX], *last[STEP_MAX];
	uint32_t *link = &in->nets[net].head;
	const struct decide_scratch *s = &rib->decide;

	for (unsigned int step = 0; step < STEP_MAX; step++)
		last[step] = &first[step];
	for (uint32_t i = 0; i < n; i++) {
		struct rib_path *path = &in->paths[s->ids[i]];

		if (path->flags & PATH_F_MULTIPATH)
			continue;
		*last[path->lost_at] = s->ids[i];
		last[path->lost_at] = &path->next;
	}
	for (unsigned int i = 0; i < result->n_multipath; i++) {
		*link = s->ids[result->multipath[i]];
		link = &in->paths[*link].next;
	}
	for (unsigned int step = STEP_MAX; step-- > 0;) {
		if (last[step] == &first[step])
			continue;
		*link = first[step];
		link = last[step];
	}
	*link = PATH_NONE;
}

static bool make_scratch(struct decide_scratch *s, uint32_t n)
{
	uint32_t cap = n + 16;
	void *grown[6];

	if (n <= s->cap)
		return true;
	if ((grown[0] = reallocarray(s->paths, cap, sizeof(*s->paths))))
		s->paths = grown[0];
	if ((grown[1] = reallocarray(s->ids, cap, sizeof(*s->ids))))
		s->ids = grown[1];
	if ((grown[2] = realloc(s->lost_at, cap)))
		s->lost_at = grown[2];
	if ((grown[3] = realloc(s->backup_lost_at, cap)))
		s->backup_lost_at = grown[3];
	if ((grown[4] = reallocarray(s->verdicts, cap, sizeof(*s->verdicts))))
		s->verdicts = grown[4];
	if ((grown[5] = reallocarray(s->nexthops, cap, sizeof(*s->nexthops))))
		s->nexthops = grown[5];
	if (!grown[0] || !grown[1] || !grown[2] || !grown[3] || !grown[4] || !grown[5])
		return false;
	s->cap = cap;
	return true;
}

/* Looks at each path once: what selection needs of it, and its state now. */
static void gather(struct rib *rib, enum bgp_family family, uint32_t net)
{
	const struct adj_rib_in *in = &rib->in[family];
	struct decide_scratch *s = &rib->decide;
	uint32_t i = 0;

	for (uint32_t id = in->nets[net].head; id != PATH_NONE; id = in->paths[id].next, i++) {
		const struct rib_path *path = &in->paths[id];
		bool is_selectable = selectable(rib, family, path);
		uint32_t nexthop = is_selectable ? path_nexthop(rib, path) : NEXTHOP_NONE;
		bool usable = nexthop_usable(rib, nexthop);

		s->ids[i] = id;
		s->nexthops[i] = nexthop;
		s->paths[i] = decision_path_of(rib, path, usable);
		s->verdicts[i] =
			(struct verdict){ .state = state_now(path, is_selectable, usable) };
	}
}

static void tell_paths(struct rib *rib, enum bgp_family family,
		       const struct decision_result *result, uint32_t n)
{
	struct decide_scratch *s = &rib->decide;

	for (unsigned int i = 0; i < result->n_multipath; i++)
		s->verdicts[result->multipath[i]].flags = PATH_F_MULTIPATH;
	if (result->n_multipath)
		s->verdicts[result->best].flags |= PATH_F_BEST;
	for (uint32_t i = 0; i < n; i++) {
		s->verdicts[i].lost_at = s->lost_at[i];
		set_verdict(rib, family, &rib->in[family].paths[s->ids[i]], s->verdicts[i]);
	}
}

/* Several paths: the whole decision process. The group, with a reference. */
static uint32_t decide_many(struct rib *rib, enum bgp_family family, uint32_t net, uint32_t n)
{
	struct adj_rib_in *in = &rib->in[family];
	struct decide_scratch *s = &rib->decide;
	uint32_t backup[BACKUP_MEMBERS];
	struct decision_result result;
	unsigned int n_backup;

	gather(rib, family, net);
	decision_select(&rib->config.decision, s->paths, n, &result, s->lost_at);
	tell_paths(rib, family, &result, n);
	reorder(rib, in, net, &result, n);
	n_backup = result.n_multipath ? backups_of(rib, &result, n, backup) : 0;
	return group_of(rib, in, &result, backup, n_backup);
}

/* One path: by far the most frequent case, without the machinery. */
static uint32_t decide_one(struct rib *rib, enum bgp_family family, struct rib_path *path)
{
	bool is_selectable = selectable(rib, family, path);
	uint32_t nexthop = is_selectable ? path_nexthop(rib, path) : NEXTHOP_NONE;
	bool usable = nexthop_usable(rib, nexthop);
	struct verdict v = { .state = state_now(path, is_selectable, usable),
			     .lost_at = STEP_UNUSABLE };

	if (usable) {
		v.flags = PATH_F_BEST | PATH_F_MULTIPATH;
		v.lost_at = STEP_NONE;
	}
	set_verdict(rib, family, path, v);
	return usable ? group_get(rib->nexthops, &nexthop, 1, NULL, 0) : GROUP_NONE;
}

/* Before the decision that a restart defers: next hops are resolved meanwhile. */
static void prepare(struct rib *rib, enum bgp_family family, uint32_t net)
{
	struct adj_rib_in *in = &rib->in[family];

	for (uint32_t id = in->nets[net].head; id != PATH_NONE; id = in->paths[id].next) {
		if (selectable(rib, family, &in->paths[id]))
			path_nexthop(rib, &in->paths[id]);
	}
}

static uint32_t decide(struct rib *rib, enum bgp_family family, uint32_t net)
{
	struct adj_rib_in *in = &rib->in[family];
	uint32_t head = in->nets[net].head;
	uint32_t n = 0;

	if (rib->hold == HOLD_SELECTION) {
		prepare(rib, family, net);
		group_ref(rib->nexthops, in->nets[net].group);
		return in->nets[net].group;
	}
	if (head == PATH_NONE)
		return GROUP_NONE;
	if (in->paths[head].next == PATH_NONE)
		return decide_one(rib, family, &in->paths[head]);
	for (uint32_t id = head; id != PATH_NONE; id = in->paths[id].next)
		n++;
	if (make_scratch(&rib->decide, n))
		return decide_many(rib, family, net, n);
	/* Out of memory: what was selected stays selected. */
	group_ref(rib->nexthops, in->nets[net].group);
	return in->nets[net].group;
}

/* --- what is offered --------------------------------------------------------------------------------- */

static bool is_gateway(const struct rib *rib, const struct rib_path *path)
{
	enum peer_role role = rib->peers[path->peer]->config.role;

	return role == PEER_EXPRESS_ROUTE || role == PEER_VPN_GATEWAY;
}

/* The same selection among the paths of one kind. The group, with a reference. */
static uint32_t decide_source(struct rib *rib, enum bgp_family family, uint32_t net,
			      enum rib_source source)
{
	const struct adj_rib_in *in = &rib->in[family];
	struct decide_scratch *s = &rib->decide;
	struct decision_result result;
	uint32_t n = 0;

	for (uint32_t id = in->nets[net].head; id != PATH_NONE; id = in->paths[id].next)
		n++;
	if (!make_scratch(s, n))
		return GROUP_NONE;
	gather(rib, family, net);
	for (uint32_t i = 0; i < n; i++)
		s->paths[i].usable &=
			is_gateway(rib, &in->paths[s->ids[i]]) == (source == RIB_SOURCE_GATEWAY);
	decision_select(&rib->config.decision, s->paths, n, &result, s->backup_lost_at);
	return group_of(rib, in, &result, NULL, 0);
}

/* True: what the kinds of source alone offer is other than before. */
static bool settle_sources(struct rib *rib, enum bgp_family family, uint32_t net,
			   uint32_t ret_old[static RIB_SOURCES])
{
	uint32_t from[RIB_SOURCES];

	if (!rib->config.offer_by_source)
		return by_source_set(rib, family, net, NULL, ret_old);
	for (unsigned int s = 0; s < RIB_SOURCES; s++)
		from[s] = decide_source(rib, family, net, s);
	return by_source_set(rib, family, net, from, ret_old);
}

/* Where the best of those who lost did: they come behind the members, the latest loser first. */
static enum decision_step deciding_step(const struct adj_rib_in *in, uint32_t net)
{
	uint32_t id = in->nets[net].head;

	while (id != PATH_NONE && in->paths[id].flags & PATH_F_MULTIPATH)
		id = in->paths[id].next;
	return id == PATH_NONE ? STEP_NONE : (enum decision_step)in->paths[id].lost_at;
}

/* A path that is there and lost: see struct rib_offer. */
static bool has_lost_path(const struct rib *rib, enum bgp_family family, uint32_t net)
{
	const struct adj_rib_in *in = &rib->in[family];
	bool lost = false;

	for (uint32_t id = in->nets[net].head; id != PATH_NONE && !lost; id = in->paths[id].next) {
		const struct rib_path *path = &in->paths[id];
		const struct rib_peer *peer = rib->peers[path->peer];

		if (path_age(&peer->in[family], path) == PATH_DEAD)
			lost = !peer->leaving;
		else
			lost = path->state == RIB_PATH_NEXTHOP_UNRESOLVED;
	}
	return lost;
}

static void tell_change(struct rib *rib, enum bgp_family family, uint32_t net,
			const struct ip_prefix *prefix, uint32_t old_group)
{
	struct rib_change change = {
		.family = family,
		.prefix = *prefix,
		.offer = by_source_offer(rib, family, net),
		.old_group = old_group,
		.cause = rib->why.cause,
		.cause_peer = rib->why.peer,
		.step = deciding_step(&rib->in[family], net),
	};

	change.offer.lost = rib->losing || has_lost_path(rib, family, net);
	rib->callbacks.changed(rib->callbacks.ctx, &change);
}

static void set_group(struct rib *rib, enum bgp_family family, uint32_t net,
		      const struct ip_prefix *prefix, uint32_t group)
{
	struct rib_net *n = &rib->in[family].nets[net];
	uint32_t old = n->group, old_from[RIB_SOURCES];
	bool by_source = rib->config.offer_by_source || rib->by_source[family].cap;
	bool changed = old != group;

	if (by_source)
		changed |= settle_sources(rib, family, net, old_from);
	n->group = group;
	if (changed)
		tell_change(rib, family, net, prefix, old);
	group_unref(rib->nexthops, old); /* after the prefix left it */
	for (unsigned int s = 0; by_source && s < RIB_SOURCES; s++)
		group_unref(rib->nexthops, old_from[s]);
}

static void net_gone(struct rib *rib, enum bgp_family family, uint32_t net)
{
	if (adj_rib_out_retire(&rib->out[family], net))
		adj_rib_in_drop_net(&rib->in[family], net);
	else
		rib_wake(rib, family);
}

void loc_rib_settle(struct rib *rib, enum bgp_family family, uint32_t net,
		    const struct ip_prefix *prefix, const struct loc_rib_export *before)
{
	struct adj_rib_in *in = &rib->in[family];
	struct loc_rib_export after;

	set_group(rib, family, net, prefix, decide(rib, family, net));
	after = loc_rib_export(rib, family, net);
	if (after.selected != before->selected)
		add_to_digest(rib, prefix, before->selected, after.selected);
	if (in->nets[net].head == PATH_NONE && !in->nets[net].local) {
		net_gone(rib, family, net);
		return;
	}
	adj_rib_out_unretire(&rib->out[family], net);
	if (after.attrs == before->attrs && after.peer == before->peer &&
	    after.local == before->local && after.others == before->others)
		return;
	/* Without memory for it the old place in the journal has to do for those before it. */
	adj_rib_out_touch(&rib->out[family], net);
	rib_wake(rib, family);
}
