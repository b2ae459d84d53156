/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions to the kernel that are answered at once (libmnl): routes, neighbours to be kept alive, XDP
 * features, GRO. One socket of its own, requests one at a time, each bounded by a short time-out.
 *
 * Called by the agent. Never logs. Writing (neighbours, GRO) needs CAP_NET_ADMIN.
 */
#ifndef XRS_NET_NL_REQUEST_H
#define XRS_NET_NL_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "net/resolve.h"
#include "util/prefix.h"

#define NL_REQUEST_TIMEOUT_MS 500

struct nl_request;

/* Opened in the namespace of the calling thread. 0 or negative errno. */
int nl_request_new(struct nl_request **ret_request);
void nl_request_free(struct nl_request *request);

struct nl_route_query {
	struct ip_addr dst;
	struct ip_addr src; /* IP_NONE: any */
	uint32_t oif;       /* 0: any */
	uint32_t mark;
	/* With oif, IPv4 takes an address without a route for on-link: -ENETUNREACH or the like instead. */
	bool must_match;
};
/*
 * What the kernel would do with a packet to dst. Always fills @ret; "no route" is ret->error, not a
 * failure of the call. 0, -ETIMEDOUT, -EBADMSG or another negative errno when there was no answer.
 */
int nl_route_lookup(struct nl_request *request, const struct nl_route_query *query,
		    struct net_route *ret);

enum nl_neigh_method {
	NL_NEIGH_NONE,
	NL_NEIGH_MANAGED, /* NTF_EXT_MANAGED (kernel 5.16): resolved and kept fresh by the kernel */
	NL_NEIGH_PROBED,  /* NTF_USE: asked once; call again every NL_NEIGH_PROBE_SEC */
	NL_NEIGH_STATIC,  /* the administrator's own permanent entry: left alone */
};
#define NL_NEIGH_PROBE_SEC 15
const char *nl_neigh_method_name(enum nl_neigh_method method); /* "managed" */

/*
 * Has the kernel resolve @addr on the L3 device and keep it so. May be repeated. The answer comes as
 * NET_EVENT_NEIGH. 0, or negative errno: -ENODEV, -ENETDOWN, -EPERM, ...
 */
int nl_neigh_manage(struct nl_request *request, uint32_t ifindex, const struct ip_addr *addr,
		    enum nl_neigh_method *ret_method);
/*
 * The reverse: takes a managed entry back to an ordinary one, whose learned MAC stays until it ages.
 * Absent or not managed: 0.
 */
int nl_neigh_release(struct nl_request *request, uint32_t ifindex, const struct ip_addr *addr);

/* NET_XDP_* of a device. -EOPNOTSUPP: the kernel does not tell (before 6.3). -ENODEV. */
int nl_xdp_features(struct nl_request *request, uint32_t ifindex, uint64_t *ret_features);

/*
 * Generic receive offload of a device in this namespace (ETHTOOL_SGRO). On a veth it starts NAPI, so that
 * the other end may be redirected to. 0 or negative errno.
 */
int net_set_gro(const char *ifname, bool on);

#endif
