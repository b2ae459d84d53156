// SPDX-License-Identifier: GPL-2.0-only
/*
 * The audit: libnl-route's typed caches against the picture. Each check is a row: what it is called, and how
 * to write it down for either side; two texts that differ are drift.
 *
 * Called by the agent's timer and by tests. Reads only.
 */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/vlan.h>
#include <netlink/route/neighbour.h>
#include <netlink/socket.h>
#include <linux/neighbour.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/nl_inventory.h"

#define IFF_LOWER_UP_ 0x10000u /* linux/if.h, which does not go with net/if.h */

__attribute__((format(printf, 2, 3))) static void put(char *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(buf, NET_DRIFT_TEXT_MAX, format, args);
	va_end(args);
}

static void report(struct net_audit *audit, const char *what, const char *key, const char *model,
		   const char *kernel)
{
	struct net_drift *drift;

	if (audit->n_drift++ >= NET_DRIFT_MAX)
		return;
	drift = &audit->drift[audit->n_drift - 1];
	drift->what = what;
	put(drift->key, "%s", key);
	put(drift->model, "%s", model);
	put(drift->kernel, "%s", kernel);
}

static void put_mac(char *buf, const uint8_t mac[NET_MAC_LEN])
{
	put(buf, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void put_nl_mac(char *buf, const struct nl_addr *addr)
{
	uint8_t mac[NET_MAC_LEN] = { 0 };

	if (addr && nl_addr_get_len(addr) == NET_MAC_LEN)
		memcpy(mac, nl_addr_get_binary_addr(addr), NET_MAC_LEN);
	put_mac(buf, mac);
}

/* False: not an IP address. */
static bool from_nl_addr(const struct nl_addr *addr, struct ip_addr *ret)
{
	enum ip_family family;

	if (!addr)
		return false;
	family = nl_addr_get_family(addr) == AF_INET    ? IP_V4
		 : nl_addr_get_family(addr) == AF_INET6 ? IP_V6
							: IP_NONE;
	if (family == IP_NONE || nl_addr_get_len(addr) != ip_bytes(family))
		return false;
	*ret = ip_from_bytes(family, nl_addr_get_binary_addr(addr));
	return true;
}

/* --- links ------------------------------------------------------------------------------------------ */
struct link_check {
	const char *what;
	void (*model)(const struct net_link *link, char *buf);
	void (*kernel)(struct rtnl_link *link, char *buf);
};

#define MODEL(name, ...)                                                 \
	static void model_##name(const struct net_link *link, char *buf) \
	{                                                                \
		put(buf, __VA_ARGS__);                                   \
	}
#define KERNEL(name, ...)                                            \
	static void kernel_##name(struct rtnl_link *link, char *buf) \
	{                                                            \
		put(buf, __VA_ARGS__);                               \
	}

static const char *text(const char *value)
{
	return value ? value : "";
}

MODEL(name, "%s", link->name)
KERNEL(name, "%s", text(rtnl_link_get_name(link)))
MODEL(alias, "%s", link->if_alias)
KERNEL(alias, "%s", text(rtnl_link_get_ifalias(link)))
MODEL(group, "%u", link->group)
KERNEL(group, "%u", rtnl_link_get_group(link))
MODEL(master, "%u", link->master)
KERNEL(master, "%d", rtnl_link_get_master(link))
MODEL(kind, "%s", link->kind)
KERNEL(kind, "%s", text(rtnl_link_get_type(link)))
MODEL(mtu, "%u", link->mtu)
KERNEL(mtu, "%u", rtnl_link_get_mtu(link))
MODEL(state, "up %d carrier %d", link->up, link->carrier)
KERNEL(state, "up %d carrier %d", !!(rtnl_link_get_flags(link) & IFF_UP),
       !!(rtnl_link_get_flags(link) & IFF_LOWER_UP_))
MODEL(vlan, "%u", link->vlan_id)
KERNEL(vlan, "%d", rtnl_link_is_vlan(link) ? rtnl_link_vlan_get_id(link) : 0)

/* Of VLANs only: of a veth the kernel tells no one when the peer gets its number or moves away. */
static void model_parent(const struct net_link *link, char *buf)
{
	put(buf, "%u netns %d", link->vlan_id ? link->parent : 0,
	    link->vlan_id ? link->parent_netns : 0);
}

static void kernel_parent(struct rtnl_link *link, char *buf)
{
	int32_t netns = NET_NETNS_HERE;

	rtnl_link_get_link_netnsid(link, &netns);
	put(buf, "%d netns %d", rtnl_link_is_vlan(link) ? rtnl_link_get_link(link) : 0,
	    rtnl_link_is_vlan(link) ? netns : 0);
}

static void model_mac(const struct net_link *link, char *buf)
{
	put_mac(buf, link->mac);
}

static void kernel_mac(struct rtnl_link *link, char *buf)
{
	put_nl_mac(buf,
		   rtnl_link_get_arptype(link) == ARPHRD_ETHER ? rtnl_link_get_addr(link) : NULL);
}

#define CHECK(name)                                        \
	{                                                  \
		"link." #name, model_##name, kernel_##name \
	}
static const struct link_check link_checks[] = {
	CHECK(name), CHECK(alias), CHECK(group), CHECK(master), CHECK(kind),
	CHECK(mtu),  CHECK(state), CHECK(vlan),  CHECK(parent), CHECK(mac),
};

static void audit_link(const struct net_model *model, struct rtnl_link *link,
		       struct net_audit *audit)
{
	char key[NET_DRIFT_TEXT_MAX], ours[NET_DRIFT_TEXT_MAX], theirs[NET_DRIFT_TEXT_MAX];
	const struct net_link *held = net_model_link(model, (uint32_t)rtnl_link_get_ifindex(link));

	audit->links++;
	put(key, "%d", rtnl_link_get_ifindex(link));
	if (!held) {
		report(audit, "link", key, "", text(rtnl_link_get_name(link)));
		return;
	}
	for (size_t i = 0; i < sizeof(link_checks) / sizeof(link_checks[0]); i++) {
		link_checks[i].model(held, ours);
		link_checks[i].kernel(link, theirs);
		if (strcmp(ours, theirs) != 0)
			report(audit, link_checks[i].what, key, ours, theirs);
	}
}

/* Is each link of the model in the cache? */
static void audit_vanished_links(const struct net_model *model, struct nl_cache *cache,
				 struct net_audit *audit)
{
	const struct net_link *held;
	struct rtnl_link *link;
	char key[NET_DRIFT_TEXT_MAX];
	size_t cursor = 0;

	while ((held = net_model_link_next(model, &cursor))) {
		link = rtnl_link_get(cache, (int)held->ifindex);
		put(key, "%u", held->ifindex);
		if (!link)
			report(audit, "link", key, held->name, "");
		rtnl_link_put(link);
	}
}

static int audit_links(struct nl_sock *sock, const struct net_model *model, struct net_audit *audit)
{
	struct nl_cache *cache;
	struct nl_object *object;
	int r = rtnl_link_alloc_cache(sock, AF_UNSPEC, &cache);

	if (r)
		return r;
	for (object = nl_cache_get_first(cache); object; object = nl_cache_get_next(object))
		audit_link(model, (struct rtnl_link *)object, audit);
	audit_vanished_links(model, cache, audit);
	nl_cache_free(cache);
	return 0;
}

/* --- neighbours ------------------------------------------------------------------------------------- */
static const char *usable(enum net_neigh_state state)
{
	return state == NET_NEIGH_VALID ? "valid" : state == NET_NEIGH_FAILED ? "failed" : "none";
}

/* False: not one that the picture keeps. */
static bool from_nl_neigh(struct rtnl_neigh *neigh, struct net_neigh *ret)
{
	const struct nl_addr *mac = rtnl_neigh_get_lladdr(neigh);

	memset(ret, 0, sizeof(*ret));
	if (!from_nl_addr(rtnl_neigh_get_dst(neigh), &ret->addr) || ip_is_multicast(&ret->addr) ||
	    ip_is_zero(&ret->addr) || ip_to_v4(&ret->addr) == UINT32_MAX ||
	    (int)rtnl_neigh_get_flags(neigh) & NTF_PROXY)
		return false;
	ret->ifindex = (uint32_t)rtnl_neigh_get_ifindex(neigh);
	ret->nud = rtnl_neigh_get_state(neigh) > 0 ? (uint16_t)rtnl_neigh_get_state(neigh) : 0;
	if (mac && nl_addr_get_len(mac) == NET_MAC_LEN)
		memcpy(ret->mac, nl_addr_get_binary_addr(mac), NET_MAC_LEN);
	return true;
}

static void put_neigh(char *buf, const struct net_neigh *neigh)
{
	char mac[NET_DRIFT_TEXT_MAX];

	put_mac(mac, neigh->mac);
	put(buf, "%s %.20s", usable(net_neigh_state(neigh)), mac);
}

static void put_key(char *buf, uint32_t ifindex, const struct ip_addr *addr)
{
	char ip[IP_TEXT_MAX];

	put(buf, "%u %s", ifindex, ip_format(addr, ip));
}

static void audit_neigh(const struct net_model *model, const struct net_neigh *neigh,
			struct net_audit *audit)
{
	char key[NET_DRIFT_TEXT_MAX], ours[NET_DRIFT_TEXT_MAX] = "", theirs[NET_DRIFT_TEXT_MAX];
	const struct net_neigh *held = net_model_neigh(model, neigh->ifindex, &neigh->addr);

	audit->neighs++;
	put_key(key, neigh->ifindex, &neigh->addr);
	put_neigh(theirs, neigh);
	if (held)
		put_neigh(ours, held);
	if (strcmp(ours, theirs) != 0)
		report(audit, "neighbour", key, ours, theirs);
}

/* Every neighbour of the cache as a model of its own, so that the reverse question is a lookup. */
static int collect_neighs(struct nl_cache *cache, struct net_model *fresh)
{
	struct nl_object *object;
	struct net_neigh neigh;
	int r;

	for (object = nl_cache_get_first(cache); object; object = nl_cache_get_next(object)) {
		if (!from_nl_neigh((struct rtnl_neigh *)object, &neigh))
			continue;
		r = net_model_neigh_set(fresh, &neigh);
		if (r < 0)
			return r;
	}
	return 0;
}

static void compare_neighs(const struct net_model *model, const struct net_model *fresh,
			   struct net_audit *audit)
{
	const struct net_neigh *neigh;
	char key[NET_DRIFT_TEXT_MAX], ours[NET_DRIFT_TEXT_MAX];
	size_t cursor = 0;

	while ((neigh = net_model_neigh_next(fresh, &cursor)))
		audit_neigh(model, neigh, audit);
	cursor = 0;
	while ((neigh = net_model_neigh_next(model, &cursor))) {
		if (net_model_neigh(fresh, neigh->ifindex, &neigh->addr))
			continue;
		put_key(key, neigh->ifindex, &neigh->addr);
		put_neigh(ours, neigh);
		report(audit, "neighbour", key, ours, "");
	}
}

/* --- addresses --------------------------------------------------------------------------------------- */
static int collect_addrs(struct nl_cache *cache, struct net_model *fresh)
{
	struct nl_object *object;
	struct net_addr addr;
	int r;

	for (object = nl_cache_get_first(cache); object; object = nl_cache_get_next(object)) {
		struct rtnl_addr *entry = (struct rtnl_addr *)object;

		memset(&addr, 0, sizeof(addr));
		if (!from_nl_addr(rtnl_addr_get_local(entry), &addr.addr))
			continue;
		addr.ifindex = (uint32_t)rtnl_addr_get_ifindex(entry);
		addr.prefix_len = (uint8_t)rtnl_addr_get_prefixlen(entry);
		r = net_model_addr_set(fresh, &addr);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Addresses of @a that @b does not have. */
static void compare_addrs(const struct net_model *a, const struct net_model *b, bool b_is_model,
			  struct net_audit *audit)
{
	const struct net_addr *addr;
	char key[NET_DRIFT_TEXT_MAX];
	size_t cursor = 0;

	while ((addr = net_model_addr_next(a, &cursor))) {
		if (b_is_model)
			audit->addrs++;
		if (net_model_addr(b, addr))
			continue;
		put_key(key, addr->ifindex, &addr->addr);
		report(audit, "address", key, b_is_model ? "" : "present",
		       b_is_model ? "present" : "");
	}
}

/* --- the whole ------------------------------------------------------------------------------------------ */
static int audit_neighs(struct nl_sock *sock, const struct net_model *model,
			struct net_model *fresh, struct net_audit *audit)
{
	struct nl_cache *cache;
	int r = rtnl_neigh_alloc_cache(sock, &cache);

	if (r)
		return r;
	r = collect_neighs(cache, fresh);
	if (!r)
		compare_neighs(model, fresh, audit);
	nl_cache_free(cache);
	return r;
}

static int audit_addrs(struct nl_sock *sock, const struct net_model *model, struct net_model *fresh,
		       struct net_audit *audit)
{
	struct nl_cache *cache;
	int r = rtnl_addr_alloc_cache(sock, &cache);

	if (r)
		return r;
	r = collect_addrs(cache, fresh);
	if (!r) {
		compare_addrs(fresh, model, true, audit);
		compare_addrs(model, fresh, false, audit);
	}
	nl_cache_free(cache);
	return r;
}

/* libnl has error codes of its own. */
static int to_errno(int r)
{
	switch (r < 0 ? -r : r) {
	case 0:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
		return -EPERM;
	case NLE_DUMP_INTR:
		return -EAGAIN;
	default:
		return -EIO;
	}
}

int nl_inventory_audit(const struct net_model *model, struct net_audit *ret)
{
	struct net_audit *audit = calloc(1, sizeof(*audit));
	struct net_model *fresh = net_model_new();
	struct nl_sock *sock = nl_socket_alloc();
	int r = audit && fresh && sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;

	if (!r)
		r = audit_links(sock, model, audit);
	if (!r)
		r = audit_neighs(sock, model, fresh, audit);
	if (!r)
		r = audit_addrs(sock, model, fresh, audit);
	if (!r)
		*ret = *audit;
	if (sock)
		nl_socket_free(sock);
	net_model_free(fresh);
	free(audit);
	return to_errno(r);
}
