// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk: the only queued work on many nets. It meets every net once, collects dead paths, applies
 * inbound maps again where a peer asks for it, and decides. Whoever needs any of that starts it again;
 * rib_work() does it in slices.
 */
#include "rib_internal.h"

void rib_ask_walk(struct rib *rib, enum bgp_family family)
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

void rib_ask_walks(struct rib *rib)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		rib_ask_walk(rib, f);
}

static bool is_long_lived(const struct rib_peer *peer, enum bgp_family family,
			  const struct rib_path *path)
{
	const struct peer_in *in = &peer->in[family];

	return in->long_lived && path_age(in, path) == PATH_STALE;
}

static void admit_again(struct rib *rib, enum bgp_family family, const struct ip_prefix *prefix,
			struct rib_path *path)
{
	struct rib_peer *peer = rib->peers[path->peer];
	struct bgp_attrs attrs;
	struct admission a;

	attr_store_get(rib->attrs, path->attrs_in, &attrs);
	a = rib_admit(rib, peer, prefix, path->attrs_in, &attrs);
	if (is_long_lived(peer, family, path))
		rib_mark_llgr_stale(rib, &a);
	if (a.failed)
		return;
	peer_in_count(&peer->in[family], path, -1);
	if (path->state == RIB_PATH_OVER_LIMIT && rib_limit_reached(peer, family))
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
	struct ip_prefix prefix = prefix_table_key(in->prefixes, net);
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
			rib_path_drop(rib, family, net, id);
		} else if (peer->reapply) {
			admit_again(rib, family, &prefix, path);
		}
	}
	loc_rib_settle(rib, family, net, &prefix, &before);
	rib->losing = false;
}
/* Every session has waited for this. */
static void release_output(struct rib *rib)
{
	rib->hold = HOLD_NONE;
	for (uint16_t i = 0; i < rib->peer_high; i++) {
		for (enum bgp_family f = 0; rib->peers[i] && f < BGP_FAMILY_MAX; f++) {
			if (rib->peers[i]->out[f])
				rib_tell(rib, RIB_EVENT_OUTPUT, i, f, 0);
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
			rib_peer_free(rib, i);
		} else if (rib_can_unblock(peer)) {
			peer->reapply = true;
			rib_because(rib, RIB_CAUSE_LIMIT, (uint16_t)i);
			rib_ask_walks(rib);
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
	attr_store_together(rib->attrs, true);
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
	attr_store_together(rib->attrs, false);
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
