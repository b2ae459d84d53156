// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host routes: the addresses of local VMs, which peerings with advertise.hostRoutes are told as /32 and
 * /128. A VM is a neighbour with an address of the vnet whose MAC lives behind a nic of role vm. While it
 * is announced the kernel is asked to keep the neighbour fresh, so that one that falls silent is noticed
 * as well as one whose nic goes. Called by node_net.c, node_nic.c and node.c whenever any of that changed;
 * many changes are looked at once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"

#define SUBSYS      "hosts"
#define SETTLE_MSEC 100

struct node_host {
	struct ip_prefix prefix;
	uint32_t ifindex; /* where its neighbour entry is */
};

static bool wanted(const struct node_vnet *vnet)
{
	for (size_t i = 0; vnet->rib && i < vnet->config->n_peerings; i++) {
		if (vnet->config->peerings[i].advertise_host_routes)
			return true;
	}
	return false;
}

/* --- nics by ifindex: there may be thousands, and many more neighbours ------------------------------- */

static int cmp_nic(const void *a, const void *b)
{
	const struct node_nic *const *x = a, *const *y = b;

	return ((*x)->ifindex > (*y)->ifindex) - ((*x)->ifindex < (*y)->ifindex);
}

static int cmp_ifindex(const void *key, const void *nic)
{
	uint32_t ifindex = *(const uint32_t *)key;
	const struct node_nic *const *n = nic;

	return (ifindex > (*n)->ifindex) - (ifindex < (*n)->ifindex);
}

/* Nics of role vm of one vnet that have a carrier, sorted. The caller frees. NULL: no memory. */
static const struct node_nic **vm_nics(const struct node_vnet *vnet, size_t *ret_n)
{
	const struct node *node = vnet->node;
	const struct node_nic **list = calloc(node->n_nics + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; list && i < node->n_nics; i++) {
		const struct node_nic *nic = node->nics[i];
		const struct net_link *link = net_model_link(node->net, nic->ifindex);

		if (nic->vnet == vnet && nic->role == XRS_NIC_VM && link && link->up &&
		    link->carrier)
			list[n++] = nic;
	}
	if (n)
		qsort(list, n, sizeof(*list), cmp_nic);
	*ret_n = n;
	return list;
}

static bool is_vm_of(const struct node_vnet *vnet, const struct node_nic *const *nics, size_t n,
		     const struct net_neigh *neigh)
{
	uint32_t port;

	if (net_neigh_state(neigh) != NET_NEIGH_VALID || !vnet_contains(vnet->config, &neigh->addr))
		return false;
	port = net_model_port_of_mac(vnet->node->net, neigh->ifindex, neigh->mac);
	return port && n && bsearch(&port, nics, n, sizeof(*nics), cmp_ifindex);
}

/* --- the list ---------------------------------------------------------------------------------------- */

static int cmp_host(const void *a, const void *b)
{
	const struct node_host *x = a, *y = b;

	return prefix_cmp(&x->prefix, &y->prefix);
}

/* Sorted, each address once. NULL: none, or no memory. */
static struct node_host *find_hosts(const struct node_vnet *vnet, size_t *ret_n)
{
	const struct node *node = vnet->node;
	struct node_host *list = calloc(net_model_counts(node->net).neighs + 1, sizeof(*list));
	const struct net_neigh *neigh;
	size_t cursor = 0, n = 0, kept = 0, n_nics;
	const struct node_nic **nics = vm_nics(vnet, &n_nics);

	while (list && nics && (neigh = net_model_neigh_next(node->net, &cursor))) {
		if (is_vm_of(vnet, nics, n_nics, neigh))
			list[n++] = (struct node_host){
				.prefix = { .addr = neigh->addr,
					    .len = neigh->addr.family == IP_V6 ? 128 : 32 },
				.ifindex = neigh->ifindex,
			};
	}
	free(nics);
	if (n)
		qsort(list, n, sizeof(*list), cmp_host);
	for (size_t i = 0; i < n; i++) {
		if (!kept || cmp_host(&list[kept - 1], &list[i]) != 0)
			list[kept++] = list[i];
	}
	*ret_n = kept;
	return list;
}

static bool same_hosts(const struct node_vnet *vnet, const struct node_host *list, size_t n)
{
	bool same = n == vnet->n_hosts;

	for (size_t i = 0; i < n && same; i++)
		same = cmp_host(&vnet->hosts[i], &list[i]) == 0 &&
		       vnet->hosts[i].ifindex == list[i].ifindex;
	return same;
}

/* --- neighbours ------------------------------------------------------------------------------------ */

static bool has(const struct node_host *list, size_t n, const struct node_host *host)
{
	const struct node_host *found = n ? bsearch(host, list, n, sizeof(*list), cmp_host) : NULL;

	return found && found->ifindex == host->ifindex;
}

/* What is a next hop too stays as node_fib.c wants it. */
static void release_gone(const struct node_vnet *vnet, const struct node_host *list, size_t n)
{
	const struct node *node = vnet->node;

	for (size_t i = 0; i < vnet->n_hosts; i++) {
		const struct node_host *host = &vnet->hosts[i];

		if (!has(list, n, host) &&
		    nexthop_find(node->nexthops, vnet->number, &host->prefix.addr) == NEXTHOP_NONE)
			nl_neigh_release(node->request, host->ifindex, &host->prefix.addr);
	}
}

/* Asks the kernel to keep them fresh. True: it can not, and has to be asked again before long. */
static bool keep_fresh(const struct node *node, const struct node_host *list, size_t n)
{
	bool again = false;

	for (size_t i = 0; i < n; i++) {
		const struct net_neigh *neigh =
			net_model_neigh(node->net, list[i].ifindex, &list[i].prefix.addr);
		enum nl_neigh_method method = NL_NEIGH_NONE;

		if (neigh && neigh->managed)
			continue;
		if (nl_neigh_manage(node->request, list[i].ifindex, &list[i].prefix.addr, &method) <
			    0 ||
		    method == NL_NEIGH_PROBED)
			again = true;
	}
	return again;
}

/* --- one vnet --------------------------------------------------------------------------------------- */

static void announce(struct node_vnet *vnet, const struct node_host *list, size_t n)
{
	struct ip_prefix *prefixes = calloc(n + 1, sizeof(*prefixes));
	int err = -ENOMEM;

	for (size_t i = 0; prefixes && i < n; i++)
		prefixes[i] = list[i].prefix;
	if (prefixes)
		err = rib_set_local(vnet->rib, RIB_LOCAL_HOST, prefixes, n);
	if (err < 0)
		log_err(SUBSYS, "vnet=%s host routes: %s", vnet->config->name, strerror(-err));
	free(prefixes);
}

static bool refresh(struct node_vnet *vnet)
{
	struct node_host *list = NULL;
	bool again = false;
	size_t n = 0;

	if (wanted(vnet)) {
		list = find_hosts(vnet, &n);
		if (!list)
			return true;
		again = keep_fresh(vnet->node, list, n);
	}
	if (same_hosts(vnet, list, n)) {
		free(list);
		return again;
	}
	log_info(SUBSYS, "vnet=%s host routes=%zu, were %zu", vnet->config->name, n, vnet->n_hosts);
	release_gone(vnet, list, n);
	announce(vnet, list, n);
	free(vnet->hosts);
	vnet->hosts = list;
	vnet->n_hosts = n;
	return again;
}

void node_hosts_forget(struct node_vnet *vnet)
{
	if (!vnet->node->stopping)
		release_gone(vnet, NULL, 0);
	free(vnet->hosts);
	vnet->hosts = NULL;
	vnet->n_hosts = 0;
}

static void on_settled(struct loop_timer *timer)
{
	struct node *node = timer->ctx;
	bool again = false;

	node->hosts_due = false;
	if (!node->net_synced)
		return;
	for (size_t i = 0; i < node->n_vnets; i++)
		again |= refresh(node->vnets[i]);
	if (again)
		loop_timer_set(node->loop, timer,
			       mono_add_sec(loop_now(node->loop), NL_NEIGH_PROBE_SEC));
}

void node_hosts_kick(struct node *node)
{
	bool any = false;

	for (size_t i = 0; i < node->n_vnets && !any; i++)
		any = wanted(node->vnets[i]) || node->vnets[i]->n_hosts;
	if (!node->net || !any)
		return;
	node->hosts_timer.fn = on_settled;
	node->hosts_timer.ctx = node;
	/* Set anew by each change, it would never fire on a busy host: the first one counts. */
	if (!node->hosts_due)
		loop_timer_set(node->loop, &node->hosts_timer,
			       mono_add_msec(loop_now(node->loop), SETTLE_MSEC));
	node->hosts_due = true;
}
