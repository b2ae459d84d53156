// SPDX-License-Identifier: GPL-2.0-only
/*
 * A datagram of netlink messages into a picture, as nl_watch does it, and a walk of what it then holds. The
 * kernel is trusted, its attributes' lengths are not: every string must end, every count be in bounds.
 */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "net/net_model.h"
#include "net/nl_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_link(const struct net_link *link)
{
	if (!memchr(link->name, 0, sizeof(link->name)) ||
	    !memchr(link->if_alias, 0, sizeof(link->if_alias)) ||
	    !memchr(link->kind, 0, sizeof(link->kind)) || link->n_alt_names > NET_ALT_NAMES_MAX ||
	    !link->ifindex)
		abort();
	for (uint32_t i = 0; i < link->n_alt_names; i++) {
		if (!memchr(link->alt_names[i], 0, NET_ALT_NAME_LEN))
			abort();
	}
}

static void take_link(struct net_model *model, const struct nlmsghdr *nlh)
{
	struct net_port_vlans vlans;
	struct net_link link;
	uint32_t ifindex;
	bool present;

	if (!nl_parse_link(nlh, &link)) {
		check_link(&link);
		net_model_link_set(model, &link, NULL);
	}
	if (!nl_parse_bridge_vlans(nlh, &ifindex, &vlans, &present)) {
		if (vlans.pvid > NET_VLAN_MAX || (vlans.pvid && !net_vlans_has(&vlans, vlans.pvid)))
			abort();
		net_model_link_vlans(model, ifindex, present ? &vlans : NULL);
	}
}

static void take_other(struct net_model *model, const struct nlmsghdr *nlh)
{
	struct net_port_vlans vlans = { 0 };
	struct nl_family family;
	struct net_route route;
	struct net_neigh neigh;
	struct net_addr addr;
	struct net_fdb fdb;
	uint64_t features;
	uint32_t ifindex;

	if (!nl_parse_neigh(nlh, &neigh))
		net_model_neigh_set(model, &neigh);
	if (!nl_parse_fdb(nlh, &fdb))
		net_model_fdb_set(model, &fdb);
	if (!nl_parse_addr(nlh, &addr))
		net_model_addr_set(model, &addr);
	if (!nl_parse_xdp_features(nlh, &ifindex, &features))
		net_model_link_features(model, ifindex, features);
	if (!nl_parse_vlan_ifindex(nlh, &ifindex) && !nl_parse_vlan_change(nlh, &vlans))
		net_model_link_vlans(model, ifindex, &vlans);
	nl_parse_route(nlh, &route);
	nl_parse_family(nlh, "mgmt", &family);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_model *model = net_model_new();
	void *copy = malloc(size ? size : 1);
	const struct nlmsghdr *nlh = copy;
	int left = (int)size;
	uint32_t ifindex;

	if (!model || !copy)
		abort();
	memcpy(copy, data, size);
	for (; nl_message_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		take_link(model, nlh);
		take_other(model, nlh);
	}
	net_model_mark(model);
	while ((ifindex = net_model_unmarked_link(model)))
		net_link_free(net_model_link_take(model, ifindex));
	if (net_model_counts(model).links)
		abort();
	net_model_free(model);
	free(copy);
	return 0;
}
