/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One rtnetlink message to one object of the picture, through libmnl's attribute validation. No socket, no
 * model: nl_watch.c, nl_request.c and tests call it. A message is taken whole or not at all.
 *
 * All return 0; NL_PARSE_SKIP: well-formed but nothing for the picture; -EBADMSG: malformed.
 */
#ifndef XRS_NET_NL_PARSE_H
#define XRS_NET_NL_PARSE_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/net_model.h"
#include "net/resolve.h"

#define NL_PARSE_SKIP 1

/* A whole message stands in the next @left octets. mnl_nlmsg_ok() takes a length above 2^31 for one. */
static inline bool nl_message_ok(const struct nlmsghdr *nlh, int left)
{
	return left >= (int)sizeof(*nlh) && nlh->nlmsg_len >= sizeof(*nlh) &&
	       nlh->nlmsg_len <= (unsigned int)left;
}

/* RTM_NEWLINK, RTM_DELLINK of AF_UNSPEC. Skips partial pictures (wireless events). */
int nl_parse_link(const struct nlmsghdr *nlh, struct net_link *ret_link);
/*
 * RTM_NEWLINK of AF_BRIDGE: the VLANs of a port or bridge. *ret_present is false when the message has
 * none: in an answer to RTEXT_FILTER_BRVLAN_COMPRESSED there are none, in a notification it may also
 * mean that nobody asked.
 */
int nl_parse_bridge_vlans(const struct nlmsghdr *nlh, uint32_t *ret_ifindex,
			  struct net_port_vlans *ret_vlans, bool *ret_present);
/* RTM_NEWVLAN, RTM_DELVLAN: changes *vlans, a copy of what @ifindex has had so far. */
int nl_parse_vlan_ifindex(const struct nlmsghdr *nlh, uint32_t *ret_ifindex);
int nl_parse_vlan_change(const struct nlmsghdr *nlh, struct net_port_vlans *vlans);
/* RTM_NEWNEIGH, RTM_DELNEIGH of IPv4 and IPv6: unicast entries that are not proxies. */
int nl_parse_neigh(const struct nlmsghdr *nlh, struct net_neigh *ret_neigh);
/* RTM_NEWNEIGH, RTM_DELNEIGH of AF_BRIDGE: the bridges' own tables, not those of drivers. */
int nl_parse_fdb(const struct nlmsghdr *nlh, struct net_fdb *ret_fdb);
/* The same of the tables of VXLAN devices: unicast MACs with one address to send to. */
int nl_parse_vtep(const struct nlmsghdr *nlh, struct net_vtep *ret_vtep);
/* RTM_NEWADDR, RTM_DELADDR. */
int nl_parse_addr(const struct nlmsghdr *nlh, struct net_addr *ret_addr);
/* RTM_NEWROUTE as an answer to RTM_GETROUTE. */
int nl_parse_route(const struct nlmsghdr *nlh, struct net_route *ret_route);
/* RTM_NEWROUTE, RTM_DELROUTE: a cached clone says nothing about routing. */
bool nl_parse_route_is_clone(const struct nlmsghdr *nlh);

/* --- generic netlink ---------------------------------------------------------------------------------- */
struct nl_family {
	uint16_t id;
	uint32_t group; /* the multicast group that was asked for; 0: it has none of that name */
};
/* Answer to CTRL_CMD_GETFAMILY. */
int nl_parse_family(const struct nlmsghdr *nlh, const char *group, struct nl_family *ret_family);
/* A device of the family "netdev"; skips its other messages. */
int nl_parse_xdp_features(const struct nlmsghdr *nlh, uint32_t *ret_ifindex,
			  uint64_t *ret_features);

#endif
