// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of the host's interfaces belong to which vnet, so that two vnets may use the same addresses: a next
 * hop is looked for only where its vnet lives. These are the vnet's `interfaces`, or without that key the
 * bridges of its nics and those nics that are on none; peered vnets' count as well. An interface that belongs
 * to nobody may lead to anybody. Called by node_fib.c.
 */
#include <errno.h>
#include <string.h>

#include "agent/node_impl.h"

#define DEVICES_MAX 256 /* of one vnet that are tried in turn */

struct devices {
	uint32_t ifindex[DEVICES_MAX];
	size_t n;
};

static void add(struct devices *devices, uint32_t ifindex)
{
	for (size_t i = 0; i < devices->n; i++) {
		if (devices->ifindex[i] == ifindex)
			return;
	}
	if (ifindex && devices->n < DEVICES_MAX)
		devices->ifindex[devices->n++] = ifindex;
}

/* The device with the addresses: the bridge that the nic is a port of, or itself. */
static uint32_t l3_of(const struct node *node, const struct node_nic *nic)
{
	const struct net_link *link = net_model_link(node->net, nic->ifindex);

	return link && link->master ? link->master : nic->ifindex;
}

static void add_devices_of(const struct node_vnet *vnet, struct devices *devices)
{
	const struct node *node = vnet->node;
	const struct vnet_config *config = vnet->config;

	for (size_t i = 0; i < config->n_interfaces; i++) {
		const struct net_link *link =
			net_model_link_by_name(node->net, config->interfaces[i].name);

		add(devices, link ? link->ifindex : 0);
	}
	for (size_t i = 0; i < node->n_nics && !config->n_interfaces; i++) {
		if (node->nics[i]->vnet == vnet)
			add(devices, l3_of(node, node->nics[i]));
	}
}

static bool has(const struct devices *devices, uint32_t ifindex)
{
	for (size_t i = 0; i < devices->n; i++) {
		if (devices->ifindex[i] == ifindex)
			return true;
	}
	return false;
}

static bool names(const struct vnet_config *config, const char *ifname)
{
	for (size_t i = 0; i < config->n_interfaces; i++) {
		if (strcmp(config->interfaces[i].name, ifname) == 0)
			return true;
	}
	return false;
}

/* Once over the vnets and once over the nics: this is asked for each next hop. */
static bool somebody_has(const struct node *node, uint32_t ifindex)
{
	const char *ifname = net_model_link_name(node->net, ifindex);

	for (size_t i = 0; i < node->n_vnets; i++) {
		if (names(node->vnets[i]->config, ifname))
			return true;
	}
	for (size_t i = 0; i < node->n_nics; i++) {
		const struct node_nic *nic = node->nics[i];

		if (nic->vnet && !nic->vnet->config->n_interfaces && l3_of(node, nic) == ifindex)
			return true;
	}
	return false;
}

/* The first of the devices that has a route to the address of its own. */
static int bound_lookup(const struct node *node, const struct devices *devices,
			const struct ip_addr *addr, struct net_route *ret_route)
{
	struct nl_route_query query = { .dst = *addr };

	for (size_t i = 0; i < devices->n; i++) {
		struct net_route route;
		int r;

		query.oif = devices->ifindex[i];
		query.must_match = true;
		r = nl_route_lookup(node->request, &query, &route);
		if (r < 0)
			return r;
		if (route.error)
			continue;
		query.must_match = false;
		return nl_route_lookup(node->request, &query, ret_route);
	}
	*ret_route = (struct net_route){ .error = -ENETUNREACH };
	return 0;
}

int node_scope_route(const struct node_vnet *vnet, const struct ip_addr *addr,
		     struct net_route *ret_route)
{
	const struct node *node = vnet->node;
	const struct nl_route_query query = { .dst = *addr };
	struct devices devices = { .n = 0 };
	struct net_route route;
	int r = nl_route_lookup(node->request, &query, &route);

	if (r < 0)
		return r;
	add_devices_of(vnet, &devices);
	for (size_t i = 0; i < vnet->n_links; i++)
		add_devices_of(vnet->links[i], &devices);
	if ((!route.error && has(&devices, route.oif)) ||
	    (!vnet->config->n_interfaces && !somebody_has(node, route.oif))) {
		*ret_route = route;
		return 0;
	}
	return bound_lookup(node, &devices, addr, ret_route);
}
