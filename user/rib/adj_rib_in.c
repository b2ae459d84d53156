// SPDX-License-Identifier: GPL-2.0-only
/*
 * Storage of the paths and the arithmetic of their freshness; learn.c, walk.c and loc_rib.c decide what goes in
 * and out. Must never look into attributes: it only carries their ids.
 */
#include "rib/adj_rib_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIN_NETS  64
#define MIN_PATHS 64

int adj_rib_in_init(struct adj_rib_in *in, enum ip_family family)
{
	*in = (struct adj_rib_in){ .path_free = PATH_NONE };
	in->prefixes = prefix_table_new(family);
	return in->prefixes ? 0 : -ENOMEM;
}

void adj_rib_in_done(struct adj_rib_in *in)
{
	prefix_table_free(in->prefixes);
	free(in->nets);
	free(in->paths);
	*in = (struct adj_rib_in){ .path_free = PATH_NONE };
}

/* Room for one more id, before the prefix table gives it: a failure then changes nothing. */
static bool make_net_room(struct adj_rib_in *in)
{
	uint32_t cap = in->net_cap + in->net_cap / 4 + MIN_NETS;
	struct rib_net *nets;

	if (prefix_table_limit(in->prefixes) < in->net_cap)
		return true;
	nets = reallocarray(in->nets, cap, sizeof(*nets));
	if (!nets)
		return false;
	in->nets = nets;
	in->net_cap = cap;
	return true;
}

uint32_t adj_rib_in_net(struct adj_rib_in *in, const struct ip_prefix *prefix, uint32_t hash)
{
	bool added = false;
	uint32_t id;

	if (!make_net_room(in))
		return PREFIX_ID_NONE;
	id = prefix_table_add_hashed(in->prefixes, prefix, hash, &added);
	if (added)
		in->nets[id] = (struct rib_net){ .head = PATH_NONE };
	return id;
}

void adj_rib_in_drop_net(struct adj_rib_in *in, uint32_t net)
{
	prefix_table_remove(in->prefixes, net);
}

void adj_rib_in_drop_nets(void *in, const uint32_t *nets, size_t n)
{
	const struct adj_rib_in *rib_in = in;

	prefix_table_remove_all(rib_in->prefixes, nets, n);
}

uint32_t adj_rib_in_find(const struct adj_rib_in *in, uint32_t net, uint16_t peer, uint32_t path_id)
{
	uint32_t id = in->nets[net].head;

	while (id != PATH_NONE && (in->paths[id].peer != peer || in->paths[id].path_id != path_id))
		id = in->paths[id].next;
	return id;
}

static uint32_t take_path(struct adj_rib_in *in)
{
	uint32_t cap = in->path_cap + in->path_cap / 4 + MIN_PATHS;
	uint32_t id = in->path_free;
	struct rib_path *paths;

	if (id != PATH_NONE) {
		in->path_free = in->paths[id].next;
		return id;
	}
	if (in->path_limit == in->path_cap) {
		paths = cap < PATH_NONE / 2 ? reallocarray(in->paths, cap, sizeof(*paths)) : NULL;
		if (!paths)
			return PATH_NONE;
		in->paths = paths;
		in->path_cap = cap;
	}
	return in->path_limit++;
}

uint32_t adj_rib_in_add(struct adj_rib_in *in, uint32_t net)
{
	uint32_t id = take_path(in);
	uint32_t *link = &in->nets[net].head;

	if (id == PATH_NONE)
		return PATH_NONE;
	if (*link != PATH_NONE)
		link = &in->paths[*link].next;
	in->paths[id] = (struct rib_path){ .next = *link };
	*link = id;
	in->n_paths++;
	return id;
}

void adj_rib_in_remove(struct adj_rib_in *in, uint32_t net, uint32_t path)
{
	uint32_t *link = &in->nets[net].head;

	while (*link != path)
		link = &in->paths[*link].next;
	*link = in->paths[path].next;
	in->paths[path].next = in->path_free;
	in->path_free = path;
	in->n_paths--;
}

size_t adj_rib_in_memory(const struct adj_rib_in *in)
{
	return prefix_table_memory(in->prefixes) + (size_t)in->net_cap * sizeof(*in->nets) +
	       (size_t)in->path_cap * sizeof(*in->paths);
}

/* --- one peer, one family ---------------------------------------------------------------------- */

static void next_epoch(struct peer_in *in, uint8_t kept)
{
	in->epoch++;
	in->kept = kept;
	in->unpurged++;
}

static bool holds_any(const struct peer_in *in)
{
	for (unsigned int state = 0; state < RIB_PATH_STATE_MAX; state++) {
		if (peer_in_sum(in, COUNT_STATE + state))
			return true;
	}
	return false;
}

/* A session that brought nothing leaves nothing to collect: no epoch is spent on it. */
void peer_in_end(struct peer_in *in)
{
	in->kept = 0;
	if (!holds_any(in))
		return;
	next_epoch(in, 0);
	memset(in->counts, 0, sizeof(in->counts));
	memset(in->octets, 0, sizeof(in->octets));
}

void peer_in_grace(struct peer_in *in)
{
	next_epoch(in, 1);
	memcpy(in->counts[1], in->counts[0], sizeof(in->counts[1]));
	memset(in->counts[0], 0, sizeof(in->counts[0]));
	in->octets[1] = in->octets[0];
	in->octets[0] = 0;
}

void peer_in_mark_stale(struct peer_in *in)
{
	next_epoch(in, (uint8_t)(in->kept + 1));
	for (unsigned int i = 0; i < COUNT_MAX; i++)
		in->counts[1][i] += in->counts[0][i];
	memset(in->counts[0], 0, sizeof(in->counts[0]));
	in->octets[1] += in->octets[0];
	in->octets[0] = 0;
}

bool peer_in_sweep(struct peer_in *in)
{
	bool any = in->kept > 0;

	in->kept = 0;
	if (any && !in->unpurged)
		in->unpurged = 1; /* no epoch ended, but there is something to collect */
	memset(in->counts[1], 0, sizeof(in->counts[1]));
	in->octets[1] = 0;
	return any;
}

void peer_in_count(struct peer_in *in, const struct rib_path *path, int by)
{
	enum path_age age = path_age(in, path);
	uint32_t *counts;

	if (age == PATH_DEAD)
		return;
	counts = in->counts[age];
	counts[COUNT_STATE + path->state] += (uint32_t)by;
	if (path->flags & PATH_F_EXTRA) {
		counts[COUNT_EXTRA] += (uint32_t)by;
		if (path->state == RIB_PATH_OVER_LIMIT)
			counts[COUNT_OVER_EXTRA] += (uint32_t)by;
	}
	if (path->flags & PATH_F_MULTIPATH)
		counts[COUNT_BEST] += (uint32_t)by;
}

void peer_in_charge(struct peer_in *in, const struct rib_path *path, uint32_t octets, int by)
{
	enum path_age age = path_age(in, path);

	if (age != PATH_DEAD)
		in->octets[age] += by > 0 ? octets : -(uint64_t)octets;
}

uint32_t peer_in_sum(const struct peer_in *in, unsigned int what)
{
	return in->counts[0][what] + in->counts[1][what];
}

uint32_t peer_in_held(const struct peer_in *in)
{
	uint32_t paths = 0;

	for (unsigned int state = 0; state < RIB_PATH_STATE_MAX; state++)
		paths += peer_in_sum(in, COUNT_STATE + state);
	return paths - peer_in_sum(in, COUNT_EXTRA);
}

uint32_t peer_in_within_limit(const struct peer_in *in)
{
	return peer_in_held(in) - (peer_in_sum(in, COUNT_STATE + RIB_PATH_OVER_LIMIT) -
				   peer_in_sum(in, COUNT_OVER_EXTRA));
}
