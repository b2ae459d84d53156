// SPDX-License-Identifier: GPL-2.0-only
/*
 * The addresses of local VMs: who they are, and xrs_host, by which frames from appliances and from outside go
 * straight to a VM; and xrs_vni, the VXLAN networks that end here.
 *
 * An address counts as a local VM's when the kernel knows its MAC (ARP, neighbour discovery) and that MAC is
 * behind a nic of role vm, in a vnet that has the address. Whatever changes on the host makes the list due
 * again; it is made anew at most ten times a second, and only differences are written. Until then, and for
 * addresses that nobody has asked for, frames take the kernel's way.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"
#include "util/htab.h"

#define SUBSYS      "host"
#define PAUSE_MSEC  100
#define VNI_PER_DEV 16 /* own addresses that a VXLAN device without `local` listens on */

struct host {
	struct xrs_host_key key;
	struct xrs_nexthop value; /* what the map holds */
	struct ip_addr addr;      /* IP_NONE: left by an earlier process, not seen by this one */
	uint32_t mark;
};

struct node_vms {
	struct node *node;
	struct htab *table;
	uint32_t mark;
	bool loaded; /* what an earlier process left is in `table` */
	struct loop_timer timer;
	struct mono last;
	size_t n_vnis;
};

static bool key_equal(const void *item, const void *key)
{
	return memcmp(&((const struct host *)item)->key, key, sizeof(struct xrs_host_key)) == 0;
}

static uint32_t key_hash(const struct xrs_host_key *key)
{
	return hash_bytes(key, sizeof(*key), 0);
}

static struct host *find(const struct node_vms *hosts, const struct xrs_host_key *key)
{
	return htab_find(hosts->table, key_hash(key), key_equal, key);
}

static struct host *insert(struct node_vms *hosts, const struct xrs_host_key *key)
{
	struct host *host;

	if (htab_count(hosts->table) >= XRS_HOST_MAX)
		return NULL;
	host = calloc(1, sizeof(*host));
	if (!host)
		return NULL;
	host->key = *key;
	if (htab_insert(hosts->table, key_hash(key), host) < 0) {
		free(host);
		return NULL;
	}
	return host;
}

/* --- who is one ----------------------------------------------------------------------------------- */

/* How a frame reaches a neighbour, if that is a VM of ours; NULL: it is not. */
static struct node_nic *find_vm(const struct node *node, const struct net_neigh *neigh,
				struct resolved_nexthop *ret_way)
{
	const struct net_route route = { .type = RTN_UNICAST, .oif = neigh->ifindex };
	const struct resolve_nics none = { 0 };
	struct node_nic *nic;

	resolve_nexthop(node->net, &neigh->addr, &route, &none, ret_way);
	if (!resolve_is_ok(ret_way) || ret_way->way != XRS_WAY_REDIRECT)
		return NULL;
	nic = node_nic_by_ifindex(node, ret_way->ifindex);
	if (!nic || nic->role != XRS_NIC_VM || !vnet_contains(nic->vnet->config, &neigh->addr))
		return NULL;
	return nic;
}

static void render(const struct node_nic *nic, const struct ip_addr *addr,
		   const struct resolved_nexthop *way, struct xrs_nexthop *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->way = XRS_WAY_REDIRECT;
	ret->ifindex = way->ifindex;
	ret->mtu = way->mtu;
	ret->vlan = way->vlan;
	ret->family = addr->family;
	memcpy(ret->dmac, way->dmac, sizeof(ret->dmac));
	memcpy(ret->smac, way->smac, sizeof(ret->smac));
	memcpy(ret->addr, addr->bytes, sizeof(ret->addr));
	snprintf(ret->vnet, sizeof(ret->vnet), "%s", nic->vnet->config->name);
}

static void write_host(struct node_vms *hosts, const struct node_nic *nic,
		       const struct ip_addr *addr, const struct resolved_nexthop *way)
{
	struct xrs_host_key key = { .vnet = node_vnet_scope(nic->vnet), .family = addr->family };
	struct xrs_nexthop value;
	struct host *host;

	memcpy(key.addr, addr->bytes, sizeof(key.addr));
	host = find(hosts, &key);
	if (!host)
		host = insert(hosts, &key);
	if (!host)
		return;
	host->mark = hosts->mark;
	host->addr = *addr;
	render(nic, addr, way, &value);
	if (memcmp(&value, &host->value, sizeof(value)) == 0)
		return;
	if (way->xdp)
		fib_maps_dev_add(hosts->node->maps, way->ifindex);
	if (fib_maps_host_set(hosts->node->maps, &key, &value) == 0)
		host->value = value;
}

/* --- the table ------------------------------------------------------------------------------------- */

/* What an earlier process left: it stays until this one knows better. */
static void load(struct node_vms *hosts)
{
	struct xrs_host_key key, *last = NULL;

	hosts->loaded = true;
	while (fib_maps_host_next(hosts->node->maps, last, &key) == 0 && insert(hosts, &key))
		last = &key;
}

static bool is_stale(const struct host *host, uint32_t mark)
{
	return host->mark != mark;
}

static bool is_behind(const struct host *host, uint32_t ifindex)
{
	return host->value.ifindex == ifindex;
}

static void sweep(struct node_vms *hosts, bool (*goes)(const struct host *host, uint32_t what),
		  uint32_t what)
{
	struct host *gone[256], *host;
	size_t cursor, n;

	do {
		cursor = n = 0;
		while (n < 256 && (host = htab_next(hosts->table, &cursor))) {
			if (goes(host, what))
				gone[n++] = host;
		}
		for (size_t i = 0; i < n; i++) {
			fib_maps_host_del(hosts->node->maps, &gone[i]->key);
			htab_remove(hosts->table, key_hash(&gone[i]->key), key_equal,
				    &gone[i]->key);
			free(gone[i]);
		}
	} while (n == 256);
}

/* --- VXLAN networks that end here ------------------------------------------------------------------ */

struct vni_list {
	struct xrs_vni_key *keys;
	size_t n;
};

static bool vni_listed(const struct vni_list *list, const struct xrs_vni_key *key)
{
	for (size_t i = 0; i < list->n; i++) {
		if (memcmp(&list->keys[i], key, sizeof(*key)) == 0)
			return true;
	}
	return false;
}

static void add_vni(struct node_vms *hosts, struct vni_list *list, const struct net_link *device,
		    const struct ip_addr *local, const struct xrs_vni *value)
{
	struct xrs_vni_key key = { .vni = device->vxlan.vni,
				   .port = device->vxlan.port,
				   .family = local->family };

	memcpy(key.local, local->bytes, sizeof(key.local));
	if (vni_listed(list, &key))
		return;
	if (list->n < XRS_VNI_MAX && fib_maps_vni_set(hosts->node->maps, &key, value) == 0)
		list->keys[list->n++] = key;
}

/* A device without `local` takes what is sent to any address of this host. */
static void add_device(struct node_vms *hosts, struct vni_list *list, const struct net_link *device,
		       const struct xrs_vni *value)
{
	const struct net_addr *own;
	size_t cursor = 0, n = 0;

	if (device->vxlan.local.family != IP_NONE) {
		add_vni(hosts, list, device, &device->vxlan.local, value);
		return;
	}
	while (n < VNI_PER_DEV && (own = net_model_addr_next(hosts->node->net, &cursor))) {
		if (ip_is_loopback(&own->addr))
			continue;
		add_vni(hosts, list, device, &own->addr, value);
		n++;
	}
}

/* The other direction of tunnels of the configuration; where the kernel has a device its networks come first. */
static void add_configured(struct node_vms *hosts, struct vni_list *list,
			   const struct node_vnet *vnet, const struct vxlan_config *vxlan)
{
	/* What add_device() looks at. */
	const struct net_link device = {
		.vxlan = { .vni = vxlan->vni, .port = vxlan->port, .local = vxlan->local }
	};
	struct xrs_vni value = { .vnet = node_vnet_scope(vnet) };

	for (size_t i = 0; i < vnet->config->n_gateway_macs; i++)
		memcpy(value.gateway_mac[value.n_gateway_macs++],
		       vnet->config->gateway_macs[i].bytes, sizeof(value.gateway_mac[0]));
	add_device(hosts, list, &device, &value);
}

/* The nic that a VXLAN device shares its bridge with; NULL: none, or nics of several vnets. */
static const struct node_nic *nic_beside(const struct node *node, const struct net_link *device)
{
	const struct node_nic *found = NULL;

	for (size_t i = 0; device->master && i < node->n_nics; i++) {
		const struct node_nic *nic = node->nics[i];
		const struct net_link *link = net_model_link(node->net, nic->ifindex);

		if (!link || link->master != device->master)
			continue;
		if (found && found->vnet != nic->vnet)
			return NULL;
		found = nic;
	}
	return found;
}

static void sweep_vnis(struct node_vms *hosts, const struct vni_list *list)
{
	struct xrs_vni_key key, next;
	bool more = fib_maps_vni_next(hosts->node->maps, NULL, &key) == 0;

	while (more) {
		more = fib_maps_vni_next(hosts->node->maps, &key, &next) == 0;
		if (!vni_listed(list, &key))
			fib_maps_vni_del(hosts->node->maps, &key);
		key = next;
	}
}

static void write_vnis(struct node_vms *hosts)
{
	struct vni_list list = { .keys = calloc(XRS_VNI_MAX, sizeof(*list.keys)) };
	const struct net_link *device;
	size_t cursor = 0;

	while (list.keys && (device = net_model_link_next(hosts->node->net, &cursor))) {
		const struct node_nic *nic;
		struct xrs_vni value = { 0 };

		if (strcmp(device->kind, "vxlan") != 0 || device->vxlan.metadata)
			continue;
		nic = nic_beside(hosts->node, device);
		if (!nic)
			continue;
		value.vnet = node_vnet_scope(nic->vnet);
		value.n_gateway_macs = nic->n_gateway_macs;
		memcpy(value.gateway_mac, nic->gateway_mac, sizeof(value.gateway_mac));
		add_device(hosts, &list, device, &value);
	}
	for (size_t i = 0; list.keys && i < hosts->node->n_vnets; i++) {
		const struct node_vnet *vnet = hosts->node->vnets[i];

		for (size_t k = 0; k < vnet->config->n_vxlan; k++)
			add_configured(hosts, &list, vnet, &vnet->config->vxlan[k]);
	}
	if (list.keys)
		sweep_vnis(hosts, &list);
	hosts->n_vnis = list.n;
	free(list.keys);
}

/* --- when ------------------------------------------------------------------------------------------- */

static void rebuild(struct loop_timer *timer)
{
	struct node_vms *hosts = timer->ctx;
	struct node *node = hosts->node;
	const struct net_neigh *neigh;
	struct resolved_nexthop way;
	size_t cursor = 0;

	hosts->last = loop_now(node->loop);
	if (!hosts->loaded)
		load(hosts);
	hosts->mark++;
	while ((neigh = net_model_neigh_next(node->net, &cursor))) {
		struct node_nic *nic = NULL;

		if (net_neigh_state(neigh) == NET_NEIGH_VALID)
			nic = find_vm(node, neigh, &way);
		if (!nic)
			continue;
		write_host(hosts, nic, &neigh->addr, &way);
		node_learn_neigh(node, nic, &neigh->addr, way.dmac);
	}
	sweep(hosts, is_stale, hosts->mark);
	write_vnis(hosts);
}

void node_vm_dirty(struct node *node)
{
	struct node_vms *hosts = node->vms;

	if (hosts && node->net_synced && !loop_timer_is_set(&hosts->timer))
		loop_timer_set(node->loop, &hosts->timer, mono_add_msec(hosts->last, PAUSE_MSEC));
}

bool node_vm_uses(const struct node *node, uint32_t ifindex)
{
	const struct host *host;
	size_t cursor = 0;

	while (node->vms && (host = htab_next(node->vms->table, &cursor))) {
		if (host->value.ifindex == ifindex)
			return true;
	}
	return false;
}

bool node_vm_next(const struct node *node, size_t *cursor, struct node_vm *ret)
{
	const struct host *host;

	while (node->vms && (host = htab_next(node->vms->table, cursor))) {
		const struct node_nic *nic = node_nic_by_ifindex(node, host->value.ifindex);

		if (host->addr.family == IP_NONE || !nic)
			continue;
		*ret = (struct node_vm){ nic->vnet, host->addr, nic->ifindex };
		return true;
	}
	return false;
}

void node_vm_gone(struct node *node, uint32_t ifindex)
{
	if (node->vms)
		sweep(node->vms, is_behind, ifindex);
}

void node_vm_learn(struct node *node, struct node_nic *nic)
{
	const struct host *host;
	size_t cursor = 0;

	while (node->vms && (host = htab_next(node->vms->table, &cursor))) {
		if (host->addr.family != IP_NONE && host->value.ifindex == nic->ifindex)
			node_learn_neigh(node, nic, &host->addr, host->value.dmac);
	}
}

size_t node_vm_vnis(const struct node *node)
{
	return node->vms ? node->vms->n_vnis : 0;
}

int node_vm_init(struct node *node)
{
	struct node_vms *hosts;

	if (!node->plan)
		return 0;
	hosts = calloc(1, sizeof(*hosts));
	if (!hosts)
		return -ENOMEM;
	hosts->node = node;
	hosts->timer = (struct loop_timer){ .fn = rebuild, .ctx = hosts };
	hosts->table = htab_new();
	node->vms = hosts;
	return hosts->table ? 0 : -ENOMEM;
}

void node_vm_done(struct node *node)
{
	struct node_vms *hosts = node->vms;
	struct host *host;
	size_t cursor = 0;

	if (!hosts)
		return;
	loop_timer_stop(node->loop, &hosts->timer);
	while (hosts->table && (host = htab_next(hosts->table, &cursor)))
		free(host);
	htab_free(hosts->table);
	free(hosts);
	node->vms = NULL;
}
