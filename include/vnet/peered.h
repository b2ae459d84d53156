/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is peered with whom, and whose route server a vnet uses. A virtualNetworkPeering may be written on
 * either side or on both; it is one link. With useRemoteRouteServer on either side, the vnet without a
 * route server uses the other's: it learns its routes, and its prefixes are told to that one's peerings.
 * Links are not transitive: two spokes of one hub know nothing of each other. Pure.
 */
#ifndef XRS_VNET_PEERED_H
#define XRS_VNET_PEERED_H

#include "vnet/vnet.h"

#define PEERED_NONE SIZE_MAX

struct peered_link {
	size_t remote; /* index in the list of vnets */
	bool shares;   /* useRemoteRouteServer on either side */
};

struct peered_vnet {
	struct peered_link *links; /* each remote once */
	size_t n_links;
	/* Whose route server offers routes here: its own, else that of the first link that shares. */
	size_t source; /* index, or PEERED_NONE */
};

struct peered { /* indices as in the list that it was built from */
	struct peered_vnet *vnets;
	size_t n;
};

/* A remote name that nobody has is passed over. 0 or -ENOMEM, then *ret_peered is empty. */
int peered_build(const struct vnet_config *vnets, size_t n, struct peered *ret_peered);
void peered_done(struct peered *peered);

/*
 * Prefixes of the vnets that @index is linked with: VnetLocal there. @users: only of those that use its
 * route server. The caller frees; NULL: there are none, or no memory (*ret_error 0 or -ENOMEM).
 */
struct ip_prefix *peered_prefixes(const struct peered *peered, const struct vnet_config *vnets,
				  size_t index, bool users, size_t *ret_n, int *ret_error);

#endif
