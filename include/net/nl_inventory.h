/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second opinion on the picture (libnl-route-3): typed caches of links, neighbours and addresses, fetched
 * afresh and compared with what nl_watch built from events. Another library, another socket, another
 * parser: what both agree on is right.
 *
 * Called by the agent at start and from time to time, and by tests. Reads only; never changes the model
 * (the agent answers drift with nl_watch_resync()). Never logs.
 */
#ifndef XRS_NET_NL_INVENTORY_H
#define XRS_NET_NL_INVENTORY_H

#include <stddef.h>

#include "net/net_model.h"

#define NET_DRIFT_MAX      32 /* differences kept; more are counted */
#define NET_DRIFT_TEXT_MAX 96

struct net_drift {
	const char *what; /* "link", "link.name", "neighbour.mac", "address", ...: fixed */
	char key[NET_DRIFT_TEXT_MAX];    /* "7", "7 10.1.0.4" */
	char model[NET_DRIFT_TEXT_MAX];  /* "" when the model does not have it */
	char kernel[NET_DRIFT_TEXT_MAX]; /* "" when the kernel does not have it */
};

struct net_audit {
	size_t links, neighs, addrs; /* objects of the kernel that were compared */
	size_t n_drift;              /* differences, also those that are not kept */
	struct net_drift drift[NET_DRIFT_MAX];
};

/*
 * Compares everything that libnl 3.7 knows: names, alias, group, master, kind, MAC, MTU, flags, VLAN;
 * neighbours' MAC and usability; addresses. Handle waiting events (nl_watch_process()) first: changes of
 * the moment are drift too, so believe it when two audits in a row say it. 0 or negative errno (@ret
 * untouched).
 */
int nl_inventory_audit(const struct net_model *model, struct net_audit *ret);

#endif
