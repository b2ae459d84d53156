/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loc-RIB of one vnet: which of a net's paths are used, the next-hop group that this makes, and what
 * of it the peers have to hear. Only user/rib calls it. Pure.
 */
#ifndef XRS_RIB_LOC_RIB_H
#define XRS_RIB_LOC_RIB_H

#include "rib/adj_rib_in.h"

/* What peers may be told of a net: when two of these differ, it has to be looked at for all of them. */
struct loc_rib_export {
	uint32_t attrs; /* of the best path, ATTR_NONE: nothing selected */
	uint16_t peer;
	uint8_t local;
	uint64_t selected; /* next hops and AS_PATH of what is used, for the digest; 0: nothing */
	uint32_t others;   /* with ADD-PATH to anybody: a hash of all paths that may be told */
};

/* The best path, or PATH_NONE: always the first of the list. */
uint32_t loc_rib_best(const struct adj_rib_in *in, uint32_t net);
/* < 0: path @a is better than @b (both usable), by the whole decision process. */
int loc_rib_compare(struct rib *rib, enum bgp_family family, uint32_t a, uint32_t b);
struct loc_rib_export loc_rib_export(const struct rib *rib, enum bgp_family family, uint32_t net);
/*
 * After any change of a net, whose prefix is @prefix: decides, tells the new group, queues for Adj-RIB-Out what differs from
 * @before, and forgets a net that holds nothing more.
 */
void loc_rib_settle(struct rib *rib, enum bgp_family family, uint32_t net,
		    const struct ip_prefix *prefix, const struct loc_rib_export *before);

#endif
