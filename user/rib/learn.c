// SPDX-License-Identifier: GPL-2.0-only
/*
 * UPDATEs in: what each section of prefixes that share attributes makes of the paths of its peer, within
 * that peer's limits. loc_rib.c decides after each prefix.
 */
#include <errno.h>

#include "rib_internal.h"

/* One section of an UPDATE: prefixes that share attributes. */
struct section {
	struct rib_peer *peer;
	uint16_t index;
	enum bgp_family family;
	uint32_t attrs_in;             /* a reference */
	const struct bgp_attrs *attrs; /* the same, as received */
	uint32_t since;
	bool by_prefix; /* the inbound map looks at prefixes: admission is for each by itself */
	struct admission shared;
};

struct item { /* one prefix of a section */
	struct ip_prefix prefix;
	uint32_t path_id;
	uint32_t hash; /* prefix_table_soon() */
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
		return rib_admit(rib, s->peer, prefix, s->attrs_in, s->attrs);
	attr_store_ref(rib->attrs, a.attrs);
	return a;
}

/* The same again: only its freshness may change (graceful restart, route refresh). */
static void refresh(const struct rib *rib, const struct section *s, struct rib_path *path)
{
	struct peer_in *in = &s->peer->in[s->family];

	if (path->epoch == in->epoch)
		return;
	rib_path_account(rib, in, path, -1);
	path->epoch = in->epoch;
	rib_path_account(rib, in, path, 1);
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

	if (!rib_limit_reached(s->peer, s->family))
		return false;
	*ret_keep = peer_in_held(in) - peer_in_within_limit(in) < s->peer->config.limit.limit;
	return true;
}

/* Whether the peer would take too much memory with this route in place of one of @before octets. */
static bool over_memory(const struct rib *rib, const struct section *s, uint32_t before)
{
	uint64_t taken;

	if (!s->peer->config.memory)
		return false;
	taken = rib_peer_octets(s->peer) + rib_path_octets(rib, s->attrs_in);
	return taken - before > s->peer->config.memory;
}

/* The route is not kept, nor is the one before it: as with treat-as-withdraw (RFC 7606 2). */
static void refuse_for_memory(struct rib *rib, const struct section *s, uint32_t net, uint32_t id)
{
	struct rib_peer *peer = s->peer;

	if (id != PATH_NONE)
		rib_path_drop(rib, s->family, net, id);
	peer->in[s->family].refused++;
	if (!peer->no_room)
		rib_tell(rib, RIB_EVENT_MEMORY, s->index, s->family,
			 peer_in_held(&peer->in[s->family]));
	peer->no_room = peer->lacks = true;
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
	rib_path_account(rib, &s->peer->in[s->family], path, 1);
}

/* The path to fill for a new or dead one; PATH_NONE: not kept. *a may become OVER_LIMIT. */
static uint32_t new_path(struct rib *rib, const struct section *s, uint32_t net, uint32_t path_id,
			 uint32_t dead, struct admission *a)
{
	struct adj_rib_in *in = &rib->in[s->family];
	bool extra = rib_counted_path(rib, s->family, net, s->index) != PATH_NONE;
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
static void replace(struct rib *rib, const struct section *s, struct rib_path *path,
		    struct admission *a)
{
	rib_path_account(rib, &s->peer->in[s->family], path, -1);
	if (path->state == RIB_PATH_OVER_LIMIT && rib_limit_reached(s->peer, s->family))
		a->state = RIB_PATH_OVER_LIMIT;
	fill_path(rib, s, path, a);
}

/* @id: the path that is there, or PATH_NONE. */
static void take_in(struct rib *rib, const struct section *s, uint32_t net, const struct item *item,
		    uint32_t id, bool alive, struct admission *a)
{
	struct adj_rib_in *in = &rib->in[s->family];

	if (alive) {
		replace(rib, s, &in->paths[id], a);
		return;
	}
	if (!a->failed)
		id = new_path(rib, s, net, item->path_id, id, a);
	if (id == PATH_NONE)
		attr_store_unref(rib->attrs, a->attrs);
	else
		fill_path(rib, s, &in->paths[id], a);
}

static int learn(struct rib *rib, const struct section *s, const struct item *item)
{
	struct adj_rib_in *in = &rib->in[s->family];
	uint32_t net = adj_rib_in_net(in, &item->prefix, item->hash);
	struct admission a;
	struct loc_rib_export before;
	uint32_t id;
	bool alive;

	if (net == PREFIX_ID_NONE)
		return -ENOMEM;
	a = admission_of(rib, s, &item->prefix);
	before = loc_rib_export(rib, s->family, net);
	id = a.failed ? PATH_NONE : adj_rib_in_find(in, net, s->index, item->path_id);
	alive = id != PATH_NONE && path_age(&s->peer->in[s->family], &in->paths[id]) != PATH_DEAD;
	if (alive && is_repeat(s, &in->paths[id], &a)) {
		attr_store_unref(rib->attrs, a.attrs);
		refresh(rib, s, &in->paths[id]);
		return 0;
	}
	if (!a.failed &&
	    over_memory(rib, s, alive ? rib_path_octets(rib, in->paths[id].attrs_in) : 0)) {
		attr_store_unref(rib->attrs, a.attrs);
		refuse_for_memory(rib, s, net, id);
	} else {
		s->peer->no_room = false;
		take_in(rib, s, net, item, id, alive, &a);
	}
	loc_rib_settle(rib, s->family, net, &item->prefix, &before);
	return a.failed ? -ENOMEM : 0;
}

static void forget(struct rib *rib, const struct section *s, const struct item *item)
{
	struct adj_rib_in *in = &rib->in[s->family];
	uint32_t net = prefix_table_find_hashed(in->prefixes, &item->prefix, item->hash);
	uint32_t id = net == PREFIX_ID_NONE ? PATH_NONE
					    : adj_rib_in_find(in, net, s->index, item->path_id);
	struct loc_rib_export before;

	if (id == PATH_NONE)
		return;
	before = loc_rib_export(rib, s->family, net);
	rib_path_drop(rib, s->family, net, id);
	loc_rib_settle(rib, s->family, net, &item->prefix, &before);
}

/*
 * A walk over the prefixes of a section. Each is read and hashed once, AHEAD of its turn: by then the memory
 * that it needs has come.
 */
#define AHEAD 16 /* a power of two */

struct section_walk {
	const struct rib *rib;
	const struct prefix_table *prefixes;
	struct nlri_iter it;
	bool all_read;
	unsigned int read, taken;
	struct item ring[AHEAD];
};

static void look_ahead(struct section_walk *walk)
{
	struct item *item = &walk->ring[walk->read % AHEAD];

	walk->all_read = !nlri_next(&walk->it, &item->prefix, &item->path_id);
	if (walk->all_read)
		return;
	walk->read++;
	item->hash = prefix_table_soon(walk->prefixes, &item->prefix);
	if (walk->rib->callbacks.soon)
		walk->rib->callbacks.soon(walk->rib->callbacks.ctx, &item->prefix);
}

static void section_walk_init(struct section_walk *walk, const struct rib *rib,
			      const struct bgp_nlri *nlri)
{
	walk->rib = rib;
	walk->prefixes = rib->in[nlri->family].prefixes;
	walk->read = walk->taken = 0;
	walk->all_read = false;
	nlri_iter_init(&walk->it, nlri);
	for (unsigned int i = 0; i < AHEAD - 1 && !walk->all_read; i++)
		look_ahead(walk);
}

/* NULL at the end; valid until the next call. */
static const struct item *section_next(struct section_walk *walk)
{
	if (!walk->all_read)
		look_ahead(walk);
	return walk->taken < walk->read ? &walk->ring[walk->taken++ % AHEAD] : NULL;
}

static void withdraw_section(struct rib *rib, struct rib_peer *peer, uint16_t index,
			     const struct bgp_nlri *nlri)
{
	struct section s = { .peer = peer, .index = index, .family = nlri->family };
	struct section_walk walk;
	const struct item *item;

	if (!nlri->len)
		return;
	rib_because(rib, RIB_CAUSE_WITHDRAWN, index);
	section_walk_init(&walk, rib, nlri);
	attr_store_together(rib->attrs, true);
	while ((item = section_next(&walk)))
		forget(rib, &s, item);
	attr_store_together(rib->attrs, false);
}

static int reach_section(struct rib *rib, struct section *s, const struct bgp_nlri *nlri)
{
	uint64_t held = peer_in_held(&s->peer->in[s->family]);
	struct peer_in *in = &s->peer->in[s->family];
	struct section_walk walk;
	const struct item *item;
	int err = 0;

	section_walk_init(&walk, rib, nlri);
	while ((item = section_next(&walk))) {
		int one = learn(rib, s, item);

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
		.attrs = &attrs,
		.since = (uint32_t)(now.usec / 1000000),
		.by_prefix = map_by_prefix(peer->config.in),
	};
	int err = -ENOMEM;

	if (!nlri->len)
		return 0;
	rib_because(rib, RIB_CAUSE_ANNOUNCED, index);
	/* Wherever it stood in the message: a set has one next hop. */
	attrs.next_hop = update->next_hop[which];
	attrs.link_local = update->link_local[which];
	attrs.has |= BGP_HAS_NEXT_HOP;
	s.attrs_in = attr_store_intern(rib->attrs, &attrs);
	if (s.attrs_in && !s.by_prefix)
		s.shared = rib_admit(rib, peer,
				     &(struct ip_prefix){ .addr.family = bgp_family_ip(s.family) },
				     s.attrs_in, &attrs);
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
	uint32_t held = limit->limit ? peer_in_held(in) : 0;
	bool warn = limit->limit && held * 100ULL >= (uint64_t)limit->limit * limit->warn_percent;
	bool exceeded = limit->limit && held > limit->limit;

	if (warn && limit->warn_percent && !in->warned)
		rib_tell(rib, RIB_EVENT_LIMIT_WARN, index, family, held);
	if (exceeded && !in->exceeded)
		rib_tell(rib, RIB_EVENT_LIMIT_EXCEEDED, index, family, held);
	in->warned = warn;
	in->exceeded = exceeded;
}

/* A withdrawal may have made room for prefixes that were blocked. */
static void check_blocked(struct rib *rib, struct rib_peer *peer)
{
	if (peer->reapply || !rib_can_unblock(peer))
		return;
	peer->reapply = true;
	rib_because(rib, RIB_CAUSE_LIMIT, RIB_PEER_NONE);
	rib_ask_walks(rib);
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
	struct rib_peer *peer = rib_peer_at(rib, index);
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
	rib_check_room(rib, index);
	return err;
}
