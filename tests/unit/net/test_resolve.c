// SPDX-License-Identifier: GPL-2.0-only
/*
 * One world of links, each test a row: an address, what the route lookup says, what the nics have in
 * common, what is broken first, and the answer.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "net/resolve.h"

enum { /* ifindexes; ports of BR from 11, of BRF (filters VLANs) from 21 */
	LO = 1,
	ETH = 2,     /* physical, takes XDP frames */
	ETH20 = 3,   /* VLAN 20 on ETH */
	TAPR = 4,    /* routed tap */
	VETHR = 5,   /* routed veth, peer without NAPI */
	WG = 6,      /* not Ethernet */
	ETHSLOW = 7, /* physical, features without NDO_XMIT */
	AD = 8,      /* 802.1ad VLAN on ETH */
	FARVLAN = 9, /* VLAN whose parent is in another namespace */
	BR = 10,
	BR_TAP = 11,
	BR_VETH = 12, /* no NAPI */
	BR_VETH_NAPI = 13,
	BR_VXLAN = 14,
	BR_ETH40 = 15, /* VLAN 40 on ETH, as a port */
	BR30 = 16,     /* VLAN 30 on BR, L3 */
	BRF = 20,
	BRF_TAP = 21,     /* PVID 1, untagged */
	BRF_TRUNK = 22,   /* tap: 30 tagged, 1 tagged */
	BRF_VETH30 = 23,  /* veth, no NAPI: 30 untagged */
	BRF_NOWHERE = 24, /* member of VLAN 99 only */
	BRF30 = 25,       /* VLAN 30 on BRF, L3 */
	BRF_TAGGED = 26,  /* tap: only VLAN 30, tagged */
	TAPOLD = 30,      /* tap of a kernel that does not tell features */
	VETHOLD = 31,
	TUNOLD = 32, /* layer 3 */
};

#define YES     NET_XDP_NDO_XMIT
#define NO      (NET_XDP_BASIC | NET_XDP_REDIRECT)
#define UNKNOWN UINT64_MAX

static const struct {
	uint32_t ifindex;
	const char *name, *kind;
	uint64_t features;
	uint32_t master, parent, mtu;
	uint16_t vlan;
} links[] = {
	{ LO, "lo", "", NO, 0, 0, 65536, 0 },
	{ ETH, "eth0", "", YES, 0, 0, 9000, 0 },
	{ ETH20, "eth0.20", "vlan", NO, 0, ETH, 1500, 20 },
	{ TAPR, "tapr", "tun", YES, 0, 0, 1500, 0 },
	{ VETHR, "vethr", "veth", NO, 0, 0, 1500, 0 },
	{ WG, "wg0", "wireguard", NO, 0, 0, 1420, 0 },
	{ ETHSLOW, "eth1", "", NO, 0, 0, 1500, 0 },
	{ AD, "eth0.s", "vlan", NO, 0, ETH, 1500, 50 },
	{ FARVLAN, "far.60", "vlan", NO, 0, ETH, 1500, 60 },
	{ BR, "br0", "bridge", NO, 0, 0, 1500, 0 },
	{ BR_TAP, "tap1", "tun", YES, BR, 0, 1500, 0 },
	{ BR_VETH, "veth1", "veth", NO, BR, 0, 1400, 0 },
	{ BR_VETH_NAPI, "veth2", "veth", YES | NO, BR, 0, 1500, 0 },
	{ BR_VXLAN, "vxlan1", "vxlan", NO, BR, 0, 1450, 0 },
	{ BR_ETH40, "eth0.40", "vlan", NO, BR, ETH, 1500, 40 },
	{ BR30, "br0.30", "vlan", NO, 0, BR, 1500, 30 },
	{ BRF, "brf", "bridge", NO, 0, 0, 1500, 0 },
	{ BRF_TAP, "tapf1", "tun", YES, BRF, 0, 1500, 0 },
	{ BRF_TRUNK, "tapf2", "tun", YES, BRF, 0, 1500, 0 },
	{ BRF_VETH30, "vethf", "veth", NO, BRF, 0, 1500, 0 },
	{ BRF_NOWHERE, "tapf3", "tun", YES, BRF, 0, 1500, 0 },
	{ BRF30, "brf.30", "vlan", NO, 0, BRF, 1500, 30 },
	{ BRF_TAGGED, "tapf4", "tun", YES, BRF, 0, 1500, 0 },
	{ TAPOLD, "tapold", "tun", UNKNOWN, 0, 0, 1500, 0 },
	{ VETHOLD, "vethold", "veth", UNKNOWN, 0, 0, 1500, 0 },
	{ TUNOLD, "tunold", "tun", UNKNOWN, 0, 0, 1500, 0 },
};

static const struct {
	uint32_t ifindex;
	uint16_t pvid, vlan;
	bool untagged;
} port_vlans[] = {
	{ BRF, 1, 1, true },           { BRF, 1, 30, false },        { BRF_TAP, 1, 1, true },
	{ BRF_TRUNK, 0, 1, false },    { BRF_TRUNK, 0, 30, false },  { BRF_VETH30, 30, 30, true },
	{ BRF_NOWHERE, 99, 99, true }, { BRF_TAGGED, 0, 30, false },
};

/* Host n of the L3 device i: 10.0.i.n and fd00::i:n, MAC 02:00:00:00:i:n. */
static struct ip_addr host(uint32_t l3, uint32_t n)
{
	return ip_from_v4(10u << 24 | l3 << 8 | n);
}

static const struct {
	uint32_t l3, n;
	uint16_t nud;
	uint32_t bridge, port; /* of its FDB entry */
	uint16_t vlan;
	bool local;
} hosts[] = {
	{ ETH, 1, NUD_REACHABLE, 0, 0, 0, false },
	{ ETH20, 1, NUD_STALE, 0, 0, 0, false },
	{ TAPR, 1, NUD_PERMANENT, 0, 0, 0, false },
	{ TAPR, 2, NUD_FAILED, 0, 0, 0, false },
	{ TAPR, 3, NUD_INCOMPLETE, 0, 0, 0, false },
	{ VETHR, 1, NUD_REACHABLE, 0, 0, 0, false },
	{ ETHSLOW, 1, NUD_DELAY, 0, 0, 0, false },
	{ AD, 1, NUD_REACHABLE, 0, 0, 0, false },
	{ FARVLAN, 1, NUD_REACHABLE, 0, 0, 0, false },
	{ BR, 1, NUD_REACHABLE, BR, BR_TAP, 0, false },
	{ BR, 2, NUD_REACHABLE, BR, BR_VETH, 0, false },
	{ BR, 3, NUD_REACHABLE, BR, BR_VETH_NAPI, 0, false },
	{ BR, 4, NUD_REACHABLE, BR, BR_VXLAN, 0, false },
	{ BR, 5, NUD_REACHABLE, BR, BR_ETH40, 0, false },
	{ BR, 6, NUD_REACHABLE, 0, 0, 0, false },
	{ BR, 7, NUD_REACHABLE, BR, BR, 0, true },
	{ BR, 8, NUD_PROBE, BR, 777, 0, false },
	{ BR30, 1, NUD_REACHABLE, BR, BR_TAP, 0, false },
	{ BR30, 2, NUD_REACHABLE, BR, BR_VETH, 0, false },
	{ BR30, 3, NUD_REACHABLE, BR, BR_ETH40, 0, false },
	{ BR30, 4, NUD_REACHABLE, 0, 0, 0, false },
	{ BRF, 1, NUD_REACHABLE, BRF, BRF_TAP, 1, false },
	{ BRF, 2, NUD_REACHABLE, BRF, BRF_TRUNK, 1, false },
	{ BRF, 3, NUD_REACHABLE, BRF, BRF_NOWHERE, 1, false },
	{ BRF, 4, NUD_REACHABLE, BRF, BRF_TAP, 30, false },
	{ BRF30, 1, NUD_REACHABLE, BRF, BRF_TRUNK, 30, false },
	{ BRF30, 2, NUD_REACHABLE, BRF, BRF_VETH30, 30, false },
	{ BRF30, 3, NUD_REACHABLE, BRF, BRF_TAP, 30, false },
	{ TAPOLD, 1, NUD_REACHABLE, 0, 0, 0, false },
	{ VETHOLD, 1, NUD_REACHABLE, 0, 0, 0, false },
};

static void mac_of(uint32_t l3, uint32_t n, uint8_t mac[NET_MAC_LEN])
{
	memcpy(mac, (uint8_t[]){ 2, 0, 0, 0, (uint8_t)l3, (uint8_t)n }, NET_MAC_LEN);
}

static struct net_model *model;

static void make_links(void)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct net_link link = {
			.ifindex = links[i].ifindex,
			.type = links[i].ifindex == WG ? 65534 : 1,
			.loopback = links[i].ifindex == LO,
			.up = true,
			.carrier = true,
			.mtu = links[i].mtu,
			.master = links[i].master,
			.parent = links[i].parent,
			.parent_netns = links[i].ifindex == FARVLAN ? 0 : NET_NETNS_HERE,
			.vlan_id = links[i].vlan,
			.vlan_proto = links[i].ifindex == AD ? 0x88a8
				      : links[i].vlan        ? 0x8100
							     : 0,
			.vlan_filtering = links[i].ifindex == BRF,
			.tun_type = links[i].ifindex == TUNOLD      ? NET_TUN_TUN
				    : !strcmp(links[i].kind, "tun") ? NET_TUN_TAP
								    : NET_TUN_NONE,
		};

		snprintf(link.name, sizeof(link.name), "%s", links[i].name);
		snprintf(link.kind, sizeof(link.kind), "%s", links[i].kind);
		mac_of(link.ifindex, 0, link.mac);
		net_model_link_set(model, &link, NULL);
		if (links[i].features != UNKNOWN)
			net_model_link_features(model, link.ifindex, links[i].features);
	}
}

static void make_vlans(void)
{
	for (size_t i = 0; i < sizeof(port_vlans) / sizeof(port_vlans[0]); i++) {
		const struct net_link *link = net_model_link(model, port_vlans[i].ifindex);
		struct net_port_vlans vlans = { 0 };

		if (link->vlans)
			vlans = *link->vlans;
		vlans.pvid = port_vlans[i].pvid;
		net_vlans_add(&vlans, port_vlans[i].vlan, port_vlans[i].vlan,
			      port_vlans[i].untagged);
		net_model_link_vlans(model, link->ifindex, &vlans);
	}
}

static void make_hosts(void)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct net_neigh neigh = { .ifindex = hosts[i].l3,
					   .nud = hosts[i].nud,
					   .addr = host(hosts[i].l3, hosts[i].n) };
		struct net_fdb fdb = { .bridge = hosts[i].bridge,
				       .vlan = hosts[i].vlan,
				       .port = hosts[i].port,
				       .local = hosts[i].local };

		if (net_neigh_state(&neigh) == NET_NEIGH_VALID)
			mac_of(hosts[i].l3, hosts[i].n, neigh.mac);
		memcpy(fdb.mac, neigh.mac, NET_MAC_LEN);
		net_model_neigh_set(model, &neigh);
		if (fdb.bridge)
			net_model_fdb_set(model, &fdb);
	}
}

static void setup(void)
{
	struct net_addr own = { .ifindex = BR, .addr = host(BR, 254), .prefix_len = 24 };

	model = net_model_new();
	make_links();
	make_vlans();
	make_hosts();
	net_model_addr_set(model, &own);
}

static void teardown(void)
{
	net_model_free(model);
}

TestSuite(resolve, .init = setup, .fini = teardown);

enum fault {
	NOTHING,
	DOWN,
	NO_CARRIER,
	GONE
};

struct row {
	const char *name;
	uint32_t l3, n; /* the next hop, and the oif of its route */
	struct resolve_nics nics;
	enum fault fault;
	uint32_t broken; /* ifindex */
	enum resolve_reason reason;
	enum xrs_way way;
	bool xdp;
	uint32_t egress;
	uint16_t vlan;
	uint32_t mtu;
};

#define ANY             \
	{               \
		0, 0, 0 \
	}
#define ON_BR            \
	{                \
		BR, 0, 0 \
	}
#define ON_BRF1           \
	{                 \
		BRF, 1, 0 \
	}
#define ON_BRF30           \
	{                  \
		BRF, 30, 0 \
	}
#define TAGGED30            \
	{                   \
		BRF, 30, 30 \
	}
#define REDIRECT XRS_WAY_REDIRECT, true
#define BY_TC    XRS_WAY_REDIRECT, false
#define BRIDGE   XRS_WAY_BRIDGE, false
#define KERNEL   XRS_WAY_KERNEL, false
#define DEAD     XRS_WAY_NONE, false, 0, 0, 0

static const struct row rows[] = {
	/* no bridge */
	{ "physical", ETH, 1, ANY, 0, 0, RESOLVE_OK, REDIRECT, ETH, 0, 9000 },
	{ "VLAN device: parent and tag", ETH20, 1, ANY, 0, 0, RESOLVE_OK, REDIRECT, ETH, 20, 1500 },
	{ "routed tap", TAPR, 1, ANY, 0, 0, RESOLVE_OK, REDIRECT, TAPR, 0, 1500 },
	{ "routed veth", VETHR, 1, ANY, 0, 0, RESOLVE_OK, BY_TC, VETHR, 0, 1500 },
	{ "routed veth, nics on a bridge", VETHR, 1, ON_BR, 0, 0, RESOLVE_OK, BY_TC, VETHR, 0,
	  1500 },
	{ "no NDO_XMIT", ETHSLOW, 1, ANY, 0, 0, RESOLVE_OK, BY_TC, ETHSLOW, 0, 1500 },
	{ "802.1ad stays with its device", AD, 1, ANY, 0, 0, RESOLVE_OK, BY_TC, AD, 0, 1500 },
	{ "parent elsewhere", FARVLAN, 1, ANY, 0, 0, RESOLVE_OK, BY_TC, FARVLAN, 0, 1500 },
	{ "VLAN device, parent gone", ETH20, 1, ANY, GONE, ETH, RESOLVE_OK, BY_TC, ETH20, 0, 1500 },
	{ "not Ethernet", WG, 1, ANY, 0, 0, RESOLVE_OK, KERNEL, WG, 0, 1420 },
	{ "old kernel, tap", TAPOLD, 1, ANY, 0, 0, RESOLVE_OK, REDIRECT, TAPOLD, 0, 1500 },
	{ "old kernel, veth", VETHOLD, 1, ANY, 0, 0, RESOLVE_OK, BY_TC, VETHOLD, 0, 1500 },
	/* neighbours */
	{ "failed", TAPR, 2, ANY, 0, 0, RESOLVE_NEIGHBOUR_FAILED, DEAD },
	{ "incomplete", TAPR, 3, ANY, 0, 0, RESOLVE_NO_NEIGHBOUR, DEAD },
	{ "never asked", TAPR, 9, ANY, 0, 0, RESOLVE_NO_NEIGHBOUR, DEAD },
	/* links */
	{ "down", TAPR, 1, ANY, DOWN, TAPR, RESOLVE_LINK_DOWN, DEAD },
	{ "no carrier", TAPR, 1, ANY, NO_CARRIER, TAPR, RESOLVE_NO_CARRIER, DEAD },
	{ "gone", TAPR, 1, ANY, GONE, TAPR, RESOLVE_NO_LINK, DEAD },
	{ "not Ethernet, down", WG, 1, ANY, DOWN, WG, RESOLVE_LINK_DOWN, DEAD },
	{ "parent of the VLAN down", ETH20, 1, ANY, DOWN, ETH, RESOLVE_LINK_DOWN, DEAD },
	{ "parent without carrier", ETH20, 1, ANY, NO_CARRIER, ETH, RESOLVE_NO_CARRIER, DEAD },
	{ "bridge down", BR, 1, ANY, DOWN, BR, RESOLVE_LINK_DOWN, DEAD },
	{ "port down", BR, 1, ANY, DOWN, BR_TAP, RESOLVE_LINK_DOWN, DEAD },
	{ "port without carrier", BR, 1, ON_BR, NO_CARRIER, BR_TAP, RESOLVE_NO_CARRIER, DEAD },
	{ "port's parent down", BR, 5, ANY, DOWN, ETH, RESOLVE_LINK_DOWN, DEAD },
	/* a bridge that does not filter */
	{ "tap port", BR, 1, ANY, 0, 0, RESOLVE_OK, REDIRECT, BR_TAP, 0, 1500 },
	{ "tap port, nics on it too", BR, 1, ON_BR, 0, 0, RESOLVE_OK, REDIRECT, BR_TAP, 0, 1500 },
	{ "veth port", BR, 2, ANY, 0, 0, RESOLVE_OK, BY_TC, BR_VETH, 0, 1400 },
	{ "veth port, nics on the bridge", BR, 2, ON_BR, 0, 0, RESOLVE_OK, BRIDGE, BR_VETH, 0,
	  1400 },
	{ "veth port, nics on another", BR, 2, ON_BRF1, 0, 0, RESOLVE_OK, BY_TC, BR_VETH, 0, 1400 },
	{ "veth port with NAPI", BR, 3, ON_BR, 0, 0, RESOLVE_OK, REDIRECT, BR_VETH_NAPI, 0, 1500 },
	{ "VXLAN port", BR, 4, ON_BR, 0, 0, RESOLVE_OK, BRIDGE, BR_VXLAN, 0, 1450 },
	{ "VXLAN port, any nic", BR, 4, ANY, 0, 0, RESOLVE_OK, BY_TC, BR_VXLAN, 0, 1450 },
	{ "VLAN device as port", BR, 5, ANY, 0, 0, RESOLVE_OK, REDIRECT, ETH, 40, 1500 },
	{ "port not learned", BR, 6, ANY, 0, 0, RESOLVE_OK, BY_TC, BR, 0, 1500 },
	{ "port not learned, nics on it", BR, 6, ON_BR, 0, 0, RESOLVE_OK, BRIDGE, BR, 0, 1500 },
	{ "this host's own MAC", BR, 7, ANY, 0, 0, RESOLVE_LOCAL, DEAD },
	{ "port not in the picture", BR, 8, ON_BR, 0, 0, RESOLVE_OK, BRIDGE, BR, 0, 1500 },
	{ "port gone", BR, 1, ON_BR, GONE, BR_TAP, RESOLVE_OK, BRIDGE, BR, 0, 1500 },
	/* a VLAN on it: frames keep their tag through the bridge */
	{ "VLAN on a bridge, tap", BR30, 1, ANY, 0, 0, RESOLVE_OK, REDIRECT, BR_TAP, 30, 1500 },
	{ "VLAN on a bridge, veth", BR30, 2, ON_BR, 0, 0, RESOLVE_OK, BRIDGE, BR_VETH, 30, 1400 },
	{ "two tags are the port's own business", BR30, 3, ANY, 0, 0, RESOLVE_OK, BY_TC, BR_ETH40,
	  30, 1500 },
	{ "VLAN, not learned", BR30, 4, ANY, 0, 0, RESOLVE_OK, BY_TC, BR30, 0, 1500 },
	{ "VLAN, not learned, nics on it", BR30, 4, ON_BR, 0, 0, RESOLVE_OK, BRIDGE, BR, 30, 1500 },
	/* a bridge that filters */
	{ "PVID, untagged port", BRF, 1, ANY, 0, 0, RESOLVE_OK, REDIRECT, BRF_TAP, 0, 1500 },
	{ "PVID, tagged port", BRF, 2, ANY, 0, 0, RESOLVE_OK, REDIRECT, BRF_TRUNK, 1, 1500 },
	{ "not a member", BRF, 3, ANY, 0, 0, RESOLVE_VLAN_DENIED, DEAD },
	{ "learned in another VLAN only", BRF, 4, ANY, 0, 0, RESOLVE_OK, BY_TC, BRF, 0, 1500 },
	{ "VLAN 30, tagged port", BRF30, 1, ANY, 0, 0, RESOLVE_OK, REDIRECT, BRF_TRUNK, 30, 1500 },
	{ "VLAN 30, untagged veth", BRF30, 2, ANY, 0, 0, RESOLVE_OK, BY_TC, BRF_VETH30, 0, 1500 },
	{ "nics untagged in 30", BRF30, 2, ON_BRF30, 0, 0, RESOLVE_OK, BRIDGE, BRF_VETH30, 0,
	  1500 },
	{ "nics tagged in 30", BRF30, 2, TAGGED30, 0, 0, RESOLVE_OK, BRIDGE, BRF_VETH30, 30, 1500 },
	{ "nics in VLAN 1", BRF30, 2, ON_BRF1, 0, 0, RESOLVE_OK, BY_TC, BRF_VETH30, 0, 1500 },
	{ "port left VLAN 30", BRF30, 3, ANY, 0, 0, RESOLVE_VLAN_DENIED, DEAD },
	/* addresses */
	{ "our own address", BR, 254, ANY, 0, 0, RESOLVE_LOCAL, DEAD },
};

static void break_link(enum fault fault, uint32_t ifindex)
{
	struct net_link link;

	if (fault == GONE) {
		net_link_free(net_model_link_take(model, ifindex));
		return;
	}
	link = *net_model_link(model, ifindex);
	link.up = fault != DOWN;
	link.carrier = false;
	net_model_link_set(model, &link, NULL);
}

static void check_row(const struct row *row)
{
	struct net_route route = { .type = RTN_UNICAST, .oif = row->l3 };
	struct ip_addr addr = host(row->l3, row->n);
	struct resolved_nexthop got;
	uint8_t dmac[NET_MAC_LEN], smac[NET_MAC_LEN];

	memset(&got, 0xa5, sizeof(got));
	resolve_nexthop(model, &addr, &route, &row->nics, &got);
	cr_assert_eq(got.reason, row->reason, "%s: %s %s", row->name,
		     resolve_reason_name(got.reason), got.text);
	cr_assert_eq(got.way, row->way, "%s: way %d", row->name, got.way);
	cr_assert_eq(got.xdp, row->xdp, "%s: xdp", row->name);
	cr_assert_eq(!got.text[0], got.reason == RESOLVE_OK, "%s: '%s'", row->name, got.text);
	if (row->reason != RESOLVE_OK)
		return;
	cr_assert_eq(got.ifindex, row->egress, "%s: egress %u", row->name, got.ifindex);
	cr_assert_eq(got.vlan, row->vlan, "%s: VLAN %u", row->name, got.vlan);
	cr_assert_eq(got.mtu, row->mtu, "%s: MTU %u", row->name, got.mtu);
	cr_assert_eq(got.l3_ifindex, row->way == XRS_WAY_KERNEL ? 0 : row->l3, "%s: L3 device",
		     row->name);
	if (row->way == XRS_WAY_KERNEL)
		return;
	mac_of(row->l3, row->n, dmac);
	mac_of(row->l3, 0, smac);
	cr_assert_arr_eq(got.dmac, dmac, NET_MAC_LEN, "%s: destination MAC", row->name);
	cr_assert_arr_eq(got.smac, smac, NET_MAC_LEN, "%s: the L3 device's MAC", row->name);
}

Test(resolve, every_row)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].fault != NOTHING) {
			teardown();
			setup();
			break_link(rows[i].fault, rows[i].broken);
		}
		check_row(&rows[i]);
		if (rows[i].fault != NOTHING) {
			teardown();
			setup();
		}
	}
}

static enum resolve_reason reason_of(const struct ip_addr *addr, const struct net_route *route)
{
	struct resolve_nics none = { 0 };
	struct resolved_nexthop got;

	resolve_nexthop(model, addr, route, &none, &got);
	cr_assert_eq(got.way == XRS_WAY_NONE, got.reason != RESOLVE_OK);
	return got.reason;
}

Test(resolve, routes)
{
	struct ip_addr addr = host(TAPR, 1), gateway = host(TAPR, 2);
	static const struct {
		uint8_t type;
		int error;
		enum resolve_reason reason;
	} answers[] = {
		{ RTN_UNICAST, 0, RESOLVE_OK },          { 0, -ENETUNREACH, RESOLVE_NO_ROUTE },
		{ 0, -EHOSTUNREACH, RESOLVE_NO_ROUTE },  { 0, -EINVAL, RESOLVE_NO_ROUTE },
		{ 0, -EACCES, RESOLVE_NO_ROUTE },        { 0, -987654, RESOLVE_NO_ROUTE },
		{ RTN_LOCAL, 0, RESOLVE_LOCAL },         { RTN_BROADCAST, 0, RESOLVE_NOT_UNICAST },
		{ RTN_ANYCAST, 0, RESOLVE_NOT_UNICAST }, { RTN_MULTICAST, 0, RESOLVE_NOT_UNICAST },
		{ RTN_BLACKHOLE, 0, RESOLVE_NO_ROUTE },  { RTN_UNREACHABLE, 0, RESOLVE_NO_ROUTE },
		{ RTN_PROHIBIT, 0, RESOLVE_NO_ROUTE },   { RTN_THROW, 0, RESOLVE_NO_ROUTE },
	};
	struct net_route route;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		route = (struct net_route){ .error = answers[i].error,
					    .type = answers[i].type,
					    .oif = TAPR };
		cr_assert_eq(reason_of(&addr, &route), answers[i].reason, "answer %zu", i);
	}
	route = (struct net_route){ .type = RTN_UNICAST, .oif = TAPR, .gateway = gateway };
	cr_assert_eq(reason_of(&addr, &route), RESOLVE_VIA_GATEWAY);
	route.gateway = addr;
	cr_assert_eq(reason_of(&addr, &route), RESOLVE_OK, "its own gateway is direct");
	route.oif = LO;
	cr_assert_eq(reason_of(&addr, &route), RESOLVE_LOCAL);
}

Test(resolve, addresses_that_are_none)
{
	static const char *const texts[] = {
		"0.0.0.0", "255.255.255.255", "224.0.0.1", "127.0.0.1", "::", "::1", "ff02::1"
	};
	struct net_route route = { .type = RTN_UNICAST, .oif = TAPR };
	struct ip_addr addr = { 0 };

	cr_assert_eq(reason_of(&addr, &route), RESOLVE_NOT_UNICAST);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cr_assert_eq(ip_parse(texts[i], &addr), 0);
		cr_assert_eq(reason_of(&addr, &route), RESOLVE_NOT_UNICAST, "%s", texts[i]);
	}
}

Test(resolve, ipv6_and_the_mtu_of_the_route)
{
	struct net_neigh neigh = { .ifindex = TAPR, .mac = { 2, 0, 0, 0, 9, 9 }, .nud = NUD_STALE };
	struct net_route route = { .type = RTN_UNICAST, .oif = TAPR, .mtu = 1280 };
	struct resolve_nics none = { 0 };
	struct resolved_nexthop got, again;

	cr_assert_eq(ip_parse("fd00::9", &neigh.addr), 0);
	net_model_neigh_set(model, &neigh);
	resolve_nexthop(model, &neigh.addr, &route, &none, &got);
	cr_assert(resolve_is_ok(&got) && got.mtu == 1280 && got.way == XRS_WAY_REDIRECT);
	memset(&again, 0xff, sizeof(again));
	resolve_nexthop(model, &neigh.addr, &route, &none, &again);
	cr_assert_eq(memcmp(&got, &again, sizeof(got)), 0, "results compare as octets");
}

Test(resolve, who_keeps_the_neighbour)
{
	struct net_neigh neigh = { .ifindex = TAPR, .mac = { 2 }, .addr = host(TAPR, 7) };
	static const struct {
		uint16_t nud;
		bool managed, want;
	} states[] = { { NUD_STALE, false, false },
		       { NUD_STALE, true, true },
		       { NUD_PERMANENT, false, true },
		       { NUD_FAILED, true, true } };
	struct net_route route = { .type = RTN_UNICAST, .oif = TAPR };
	struct resolve_nics none = { 0 };
	struct resolved_nexthop got;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		neigh.nud = states[i].nud;
		neigh.managed = states[i].managed;
		net_model_neigh_set(model, &neigh);
		resolve_nexthop(model, &neigh.addr, &route, &none, &got);
		cr_assert_eq(got.managed, states[i].want, "state %zu", i);
	}
}

Test(resolve, a_neighbour_without_a_unicast_mac)
{
	struct net_neigh neigh = { .ifindex = TAPR, .addr = host(TAPR, 7), .nud = NUD_NOARP };
	struct net_route route = { .type = RTN_UNICAST, .oif = TAPR };

	net_model_neigh_set(model, &neigh);
	cr_assert_eq(reason_of(&neigh.addr, &route), RESOLVE_NO_NEIGHBOUR);
	neigh.mac[0] = 1;
	net_model_neigh_set(model, &neigh);
	cr_assert_eq(reason_of(&neigh.addr, &route), RESOLVE_NO_NEIGHBOUR);
}

Test(resolve, a_bridge_that_filters_without_a_pvid)
{
	struct net_port_vlans vlans = *net_model_link(model, BRF)->vlans;
	struct net_route route = { .type = RTN_UNICAST, .oif = BRF };
	struct ip_addr addr = host(BRF, 1);

	vlans.pvid = 0;
	net_model_link_vlans(model, BRF, &vlans);
	cr_assert_eq(reason_of(&addr, &route), RESOLVE_VLAN_DENIED);
}

Test(resolve, a_flood_is_never_left_to_xdp)
{
	struct net_route route = { .type = RTN_UNICAST, .oif = BR };
	struct ip_addr addr = host(BR, 6);
	struct resolve_nics none = { 0 };
	struct resolved_nexthop got;

	net_model_link_features(model, BR, YES);
	resolve_nexthop(model, &addr, &route, &none, &got);
	cr_assert(got.way == XRS_WAY_REDIRECT && !got.xdp && got.ifindex == BR);
}

Test(resolve, a_veth_whose_other_end_is_here_and_runs_no_napi)
{
	struct net_route route = { .type = RTN_UNICAST, .oif = VETHR };
	struct net_link veth = *net_model_link(model, VETHR);
	struct ip_addr addr = host(VETHR, 1);
	struct resolve_nics none = { 0 };
	struct resolved_nexthop got;

	veth.parent = ETH;
	veth.parent_netns = NET_NETNS_HERE;
	net_model_link_set(model, &veth, NULL);
	resolve_nexthop(model, &addr, &route, &none, &got);
	cr_assert(got.way == XRS_WAY_REDIRECT && !got.xdp && got.napi_peer == ETH);
	cr_assert(strstr(got.why, "neither GRO nor XDP"), "%s", got.why);
	veth.parent_netns = 3;
	net_model_link_set(model, &veth, NULL);
	resolve_nexthop(model, &addr, &route, &none, &got);
	cr_assert(got.napi_peer == 0, "what lives elsewhere is not ours to change");
	net_model_link_features(model, VETHR, YES);
	resolve_nexthop(model, &addr, &route, &none, &got);
	cr_assert(got.xdp && got.napi_peer == 0);
	cr_assert_str_eq(got.why, "the egress takes XDP frames");
}

/* The appliance behind the VXLAN port; its other end is host 1 of the underlay. */
static struct resolved_nexthop behind_vxlan(uint32_t underlay, const struct ip_addr *gateway)
{
	struct net_route route = { .type = RTN_UNICAST, .oif = BR }, under = route;
	struct net_link device = *net_model_link(model, BR_VXLAN);
	struct ip_addr addr = host(BR, 4);
	struct resolve_nics nics = ON_BR;
	struct resolved_nexthop got;
	struct net_vtep vtep = { .ifindex = BR_VXLAN, .remote = host(underlay, 1) };

	device.vxlan = (struct net_vxlan){ .vni = 700, .port = 4789 };
	net_model_link_set(model, &device, NULL);
	mac_of(BR, 4, vtep.mac);
	net_model_vtep_set(model, &vtep);
	resolve_nexthop(model, &addr, &route, &nics, &got);
	under.oif = underlay;
	under.prefsrc = host(underlay, 254);
	if (gateway) {
		under.gateway = *gateway;
		vtep.remote = host(underlay, 77);
	}
	resolve_underlay(model, &under, &got);
	return got;
}

Test(resolve, an_appliance_on_another_host)
{
	struct resolved_nexthop got = behind_vxlan(ETH, NULL);
	struct ip_addr far = host(ETH, 1), near = host(ETH, 254);
	uint8_t mac[NET_MAC_LEN];

	cr_assert(got.reason == RESOLVE_OK && got.way == XRS_WAY_VXLAN && got.xdp);
	cr_assert(got.ifindex == ETH && got.tunnel.device == BR_VXLAN);
	cr_assert(got.tunnel.vni == 700 && got.tunnel.port == 4789);
	cr_assert(ip_equal(&got.tunnel.remote, &far) && ip_equal(&got.tunnel.local, &near));
	cr_assert(ip_equal(&got.tunnel.via, &far) && got.tunnel.via_ifindex == ETH);
	mac_of(BR, 4, mac);
	cr_assert_arr_eq(got.dmac, mac, NET_MAC_LEN);
	mac_of(ETH, 1, mac);
	cr_assert_arr_eq(got.tunnel.dmac, mac, NET_MAC_LEN);
	cr_assert_eq(got.mtu, 1450, "the least of bridge, device, and underlay less 50");
}

Test(resolve, a_tunnel_over_a_gateway)
{
	struct ip_addr gateway = host(ETH, 1);
	struct resolved_nexthop got = behind_vxlan(ETH, &gateway);

	cr_assert(got.way == XRS_WAY_VXLAN && ip_equal(&got.tunnel.via, &gateway));
}

/* What is not possible here goes on as before: through the VXLAN device. */
Test(resolve, an_underlay_that_xdp_can_not_use)
{
	struct resolved_nexthop got = behind_vxlan(VETHR, NULL);

	cr_assert(got.way == XRS_WAY_BRIDGE && got.ifindex == BR_VXLAN && !got.xdp);
	cr_assert_str_eq(got.why, "the underlay does not take XDP frames");
	got = behind_vxlan(ETH20, NULL);
	cr_assert(got.way == XRS_WAY_BRIDGE && strstr(got.why, "VLAN"), "%s", got.why);
	got = behind_vxlan(WG, NULL);
	cr_assert(got.way == XRS_WAY_BRIDGE && strstr(got.why, "no Ethernet route"), "%s", got.why);
}

/* Of a tunnel that the configuration says, over @underlay to its host @n, from anywhere. */
static struct resolved_nexthop configured(uint32_t underlay, unsigned int n, uint32_t up)
{
	static const uint8_t mac[NET_MAC_LEN] = { 2, 0, 0, 0, 9, 9 }, none[NET_MAC_LEN];
	const struct resolved_tunnel tunnel = {
		.vni = 800, .port = 4789, .remote = host(underlay, n), .zero_sum = true
	};
	struct net_route route = { .type = RTN_UNICAST,
				   .oif = underlay,
				   .prefsrc = host(underlay, 254) };
	struct resolved_nexthop got;

	if (!up)
		break_link(DOWN, underlay);
	resolve_vxlan(model, &tunnel, mac, none, &route, &got);
	return got;
}

Test(resolve, a_tunnel_of_the_configuration)
{
	struct resolved_nexthop got = configured(ETH, 1, true), again = configured(ETH, 1, true);
	struct ip_addr far = host(ETH, 1), near = host(ETH, 254);
	const uint8_t mac[NET_MAC_LEN] = { 2, 0, 0, 0, 9, 9 };

	cr_assert(got.reason == RESOLVE_OK && got.way == XRS_WAY_VXLAN && got.xdp);
	cr_assert(got.ifindex == ETH && !got.tunnel.device && !got.l3_ifindex);
	cr_assert(got.tunnel.vni == 800 && got.tunnel.port == 4789 && got.tunnel.zero_sum);
	cr_assert(ip_equal(&got.tunnel.remote, &far) && ip_equal(&got.tunnel.local, &near));
	cr_assert(got.tunnel.via_ifindex == ETH);
	cr_assert_eq(got.mtu, net_model_link(model, ETH)->mtu - 50);
	cr_assert_arr_eq(got.dmac, mac, NET_MAC_LEN);
	cr_assert_arr_eq(got.smac, got.tunnel.smac, NET_MAC_LEN, "without a gateway MAC");
	cr_assert(!memcmp(&got, &again, sizeof(got)));
}

Test(resolve, a_configured_tunnel_without_its_underlay_is_not_used)
{
	struct resolved_nexthop got = configured(ETH, 99, true);

	cr_assert(got.reason == RESOLVE_NO_UNDERLAY && got.way == XRS_WAY_NONE);
	cr_assert(strstr(got.text, "has not answered yet"), "%s", got.text);
	cr_assert(got.tunnel.via_ifindex == ETH, "there it is to be asked for");
	got = configured(WG, 1, true);
	cr_assert(got.reason == RESOLVE_NO_UNDERLAY && strstr(got.text, "no Ethernet route"));
	got = configured(ETH, 1, false);
	cr_assert(got.reason == RESOLVE_NO_UNDERLAY && strstr(got.text, "down"), "%s", got.text);
}

/* The tc half can send by any Ethernet device. */
Test(resolve, a_configured_tunnel_over_what_xdp_can_not_use)
{
	struct resolved_nexthop got = configured(VETHR, 1, true);

	cr_assert(got.reason == RESOLVE_OK && got.way == XRS_WAY_VXLAN && !got.xdp);
	cr_assert(got.ifindex == VETHR && strstr(got.why, "does not take XDP frames"));
	got = configured(ETH20, 1, true);
	cr_assert(got.way == XRS_WAY_VXLAN && !got.xdp && got.ifindex == ETH20);
}

Test(resolve, a_configured_tunnel_over_ipv6_says_what_does_not_go)
{
	static const uint8_t none[NET_MAC_LEN];
	struct net_neigh far = { .ifindex = ETH, .mac = { 2, 0, 0, 0, 9, 9 }, .nud = NUD_STALE };
	struct net_route route = { .type = RTN_UNICAST, .oif = ETH };
	struct resolved_tunnel tunnel = { .vni = 800, .port = 4789 };
	struct resolved_nexthop got;

	cr_assert_eq(ip_parse("fd00::9", &far.addr), 0);
	cr_assert_eq(ip_parse("fd00::1", &route.prefsrc), 0);
	net_model_neigh_set(model, &far);
	tunnel.remote = far.addr;
	resolve_vxlan(model, &tunnel, far.mac, none, &route, &got);
	cr_assert(got.way == XRS_WAY_VXLAN && got.xdp && strstr(got.why, "no zeroChecksum"));
	tunnel.zero_sum = true;
	resolve_vxlan(model, &tunnel, far.mac, none, &route, &got);
	cr_assert(got.way == XRS_WAY_VXLAN && got.xdp && !strstr(got.why, "zeroChecksum"));
}

Test(resolve, an_unresolved_next_hop_still_says_whom_to_ask)
{
	struct net_route route = { .type = RTN_UNICAST, .oif = BR };
	struct ip_addr addr = host(BR, 99);
	struct resolve_nics none = { 0 };
	struct resolved_nexthop got;

	resolve_nexthop(model, &addr, &route, &none, &got);
	cr_assert_eq(got.reason, RESOLVE_NO_NEIGHBOUR);
	cr_assert_eq(got.l3_ifindex, BR);
	cr_assert_str_eq(got.text, "no answer yet on br0");
	cr_assert_not(got.managed);
	route.gateway = host(BR, 1);
	resolve_nexthop(model, &addr, &route, &none, &got);
	cr_assert_eq(got.reason, RESOLVE_VIA_GATEWAY);
	cr_assert_eq(got.l3_ifindex, 0, "it is not on that link");
}

Test(resolve, what_nics_have_in_common)
{
	static const struct {
		const char *name;
		uint32_t nics[3];
		size_t n;
		struct resolve_nics want;
	} sets[] = {
		{ "none", { 0 }, 0, ANY },
		{ "one on a bridge", { BR_TAP }, 1, ON_BR },
		{ "all on it", { BR_TAP, BR_VETH, BR_VETH_NAPI }, 3, ON_BR },
		{ "two bridges", { BR_TAP, BRF_TAP }, 2, ANY },
		{ "one is routed", { BR_TAP, TAPR }, 2, ANY },
		{ "the first is routed", { TAPR, BR_TAP }, 2, ANY },
		{ "unknown", { 777 }, 1, ANY },
		{ "untagged in 1", { BRF_TAP }, 1, ON_BRF1 },
		{ "untagged in 30", { BRF_VETH30, BRF_VETH30 }, 2, ON_BRF30 },
		{ "two VLANs", { BRF_TAP, BRF_VETH30 }, 2, ANY },
		{ "only tagged in 30", { BRF_TAGGED }, 1, TAGGED30 },
		{ "tagged and untagged in 30", { BRF_TAGGED, BRF_VETH30 }, 2, ANY },
		{ "a trunk", { BRF_TRUNK }, 1, ANY },
	};

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct resolve_nics got = resolve_common_nics(model, sets[i].nics, sets[i].n);

		cr_assert_eq(got.bridge, sets[i].want.bridge, "%s", sets[i].name);
		cr_assert_eq(got.vlan, sets[i].want.vlan, "%s", sets[i].name);
		cr_assert_eq(got.tag, sets[i].want.tag, "%s", sets[i].name);
	}
}

Test(resolve, who_takes_xdp_frames)
{
	static const struct {
		uint32_t ifindex;
		bool takes;
	} devices[] = { { ETH, true },    { ETHSLOW, false },     { TAPR, true },
			{ VETHR, false }, { BR_VETH_NAPI, true }, { WG, false },
			{ BR, false },    { TAPOLD, true },       { VETHOLD, false },
			{ TUNOLD, false } };

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		cr_assert_eq(resolve_takes_xdp(net_model_link(model, devices[i].ifindex)),
			     devices[i].takes, "%u", devices[i].ifindex);
}

Test(resolve, every_reason_has_a_name)
{
	for (int i = 0; i < RESOLVE_REASONS; i++)
		cr_assert_neq(resolve_reason_name(i)[0], 0);
	cr_assert_str_eq(resolve_reason_name(RESOLVE_REASONS), "Unknown");
}
