// SPDX-License-Identifier: GPL-2.0-only
/*
 * What gateways alone and all others alone would offer for each net, for route tables that take one of
 * the two out. Kept only while the configuration asks for it (offer_by_source); loc_rib.c fills it.
 * Must never decide: it stores groups.
 */
#include <stdlib.h>
#include <string.h>

#include "rib_internal.h"

struct rib_offer by_source_offer(const struct rib *rib, enum bgp_family family, uint32_t net)
{
	const struct by_source *by = &rib->by_source[family];
	uint32_t group = rib->in[family].nets[net].group;
	struct rib_offer offer = { .group = group };

	bool known = false;

	for (unsigned int s = 0; s < RIB_SOURCES && net < by->cap; s++) {
		offer.from[s] = by->groups[net][s];
		known |= offer.from[s] != GROUP_NONE;
	}
	/* Switched on a moment ago: until the walk comes by nobody loses what he has. */
	for (unsigned int s = 0; s < RIB_SOURCES && !known; s++)
		offer.from[s] = group;
	return offer;
}

/* Without memory the kinds are not told apart: nothing is offered to tables that ask. */
static bool make_room(struct by_source *by, uint32_t net, uint32_t net_cap)
{
	uint32_t(*grown)[RIB_SOURCES];

	if (net < by->cap)
		return true;
	grown = reallocarray(by->groups, net_cap, sizeof(*grown));
	if (!grown)
		return false;
	memset(grown + by->cap, 0, (net_cap - by->cap) * sizeof(*grown));
	by->groups = grown;
	by->cap = net_cap;
	return true;
}

bool by_source_set(struct rib *rib, enum bgp_family family, uint32_t net, const uint32_t *from,
		   uint32_t ret_old[static RIB_SOURCES])
{
	struct by_source *by = &rib->by_source[family];
	bool changed = false;

	memset(ret_old, 0, RIB_SOURCES * sizeof(*ret_old));
	if (!from && net >= by->cap)
		return false;
	if (!make_room(by, net, rib->in[family].net_cap)) {
		memcpy(ret_old, from, RIB_SOURCES * sizeof(*ret_old));
		return false;
	}
	for (unsigned int s = 0; s < RIB_SOURCES; s++) {
		uint32_t group = from ? from[s] : GROUP_NONE;

		ret_old[s] = by->groups[net][s];
		by->groups[net][s] = group;
		changed |= ret_old[s] != group;
	}
	return changed;
}

void by_source_clear(struct rib *rib)
{
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		struct by_source *by = &rib->by_source[f];

		for (uint32_t net = 0; net < by->cap; net++) {
			for (unsigned int s = 0; s < RIB_SOURCES; s++)
				group_unref(rib->nexthops, by->groups[net][s]);
		}
		free(by->groups);
		*by = (struct by_source){ 0 };
	}
}
