// SPDX-License-Identifier: GPL-2.0-only
/*
 * One path of a peer as it is counted, charged against the peer's limits and dropped. learn.c and walk.c
 * call it; the lists and the counts themselves are adj_rib_in.c's.
 */
#include "rib_internal.h"

/*
 * What a path costs beside its attributes: itself, its net, and the prefix in the table. A peer is charged
 * for its attribute sets as if nobody shared them, so that what it may take does not depend on others.
 */
#define PATH_OCTETS (sizeof(struct rib_path) + sizeof(struct rib_net) + 24u)

uint32_t rib_path_octets(const struct rib *rib, uint32_t attrs_in)
{
	return (uint32_t)PATH_OCTETS + attr_store_octets(rib->attrs, attrs_in);
}

void rib_path_account(const struct rib *rib, struct peer_in *in, const struct rib_path *path,
		      int by)
{
	peer_in_count(in, path, by);
	peer_in_charge(in, path, rib_path_octets(rib, path->attrs_in), by);
}

static void release_path(struct rib *rib, enum bgp_family family, uint32_t net, uint32_t id)
{
	struct rib_path *path = &rib->in[family].paths[id];

	rib_path_account(rib, &rib->peers[path->peer]->in[family], path, -1);
	attr_store_unref(rib->attrs, path->attrs);
	attr_store_unref(rib->attrs, path->attrs_in);
	adj_rib_in_remove(&rib->in[family], net, id);
}

uint32_t rib_counted_path(const struct rib *rib, enum bgp_family family, uint32_t net,
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

	if (rib_counted_path(rib, family, net, peer) != PATH_NONE)
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

void rib_path_drop(struct rib *rib, enum bgp_family family, uint32_t net, uint32_t id)
{
	const struct rib_path *path = &rib->in[family].paths[id];
	uint16_t peer = path->peer;
	bool extra = path->flags & PATH_F_EXTRA;

	release_path(rib, family, net, id);
	if (!extra && rib->in[family].nets[net].head != PATH_NONE)
		promote_extra(rib, family, net, peer);
}

bool rib_limit_reached(const struct rib_peer *peer, enum bgp_family family)
{
	const struct rib_limit *limit = &peer->config.limit;

	return limit->limit && limit->action == RIB_LIMIT_BLOCK &&
	       peer_in_within_limit(&peer->in[family]) >= limit->limit;
}

bool rib_can_unblock(const struct rib_peer *peer)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		if (peer_in_sum(&peer->in[f], COUNT_STATE + RIB_PATH_OVER_LIMIT) &&
		    !rib_limit_reached(peer, f))
			return true;
	}
	return false;
}
