// SPDX-License-Identifier: GPL-2.0-only
/* Messages as the kernel writes them, built with libmnl, and then every way of cutting them short. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/nl_parse.h"

static union {
	struct nlmsghdr align;
	char octets[8192];
} buf;

static const uint8_t mac1[6] = { 2, 0, 0, 0, 0, 1 };

static struct nlmsghdr *begin(uint16_t type, const void *header, size_t len)
{
	struct nlmsghdr *nlh;

	memset(&buf, 0, sizeof(buf));
	nlh = mnl_nlmsg_put_header(buf.octets);
	nlh->nlmsg_type = type;
	memcpy(mnl_nlmsg_put_extra_header(nlh, len), header, len);
	return nlh;
}

static struct nlmsghdr *begin_link(uint8_t family, uint32_t flags)
{
	struct ifinfomsg ifi = {
		.ifi_family = family, .ifi_index = 7, .ifi_type = 1, .ifi_flags = flags
	};

	return begin(RTM_NEWLINK, &ifi, sizeof(ifi));
}

/* A tap with everything that a link can have. */
static struct nlmsghdr *full_link(void)
{
	struct nlmsghdr *nlh = begin_link(AF_UNSPEC, IFF_UP | IFF_LOWER_UP);
	struct nlattr *nest, *data;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, "tap7");
	mnl_attr_put_strz(nlh, IFLA_IFALIAS, "vm one");
	mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac1);
	mnl_attr_put_u32(nlh, IFLA_MTU, 9000);
	mnl_attr_put_u32(nlh, IFLA_MASTER, 3);
	mnl_attr_put_u32(nlh, IFLA_GROUP, 5);
	mnl_attr_put_u32(nlh, IFLA_LINK, 4);
	mnl_attr_put_u32(nlh, IFLA_LINK_NETNSID, 2);
	nest = mnl_attr_nest_start(nlh, IFLA_PROP_LIST);
	mnl_attr_put_strz(nlh, IFLA_ALT_IFNAME, "alt-one");
	mnl_attr_put_strz(nlh, IFLA_ALT_IFNAME, "alt-two");
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, IFLA_XDP);
	mnl_attr_put_u8(nlh, IFLA_XDP_ATTACHED, XDP_ATTACHED_SKB);
	mnl_attr_put_u32(nlh, IFLA_XDP_PROG_ID, 77);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "tun");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u8(nlh, IFLA_TUN_TYPE, 2);
	mnl_attr_put_u8(nlh, IFLA_TUN_PERSIST, 1);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, nest);
	return nlh;
}

Test(nl_parse, a_link)
{
	struct net_link link;

	cr_assert_eq(nl_parse_link(full_link(), &link), 0);
	cr_assert_eq(link.ifindex, 7);
	cr_assert_str_eq(link.name, "tap7");
	cr_assert_str_eq(link.if_alias, "vm one");
	cr_assert_str_eq(link.kind, "tun");
	cr_assert_eq(link.n_alt_names, 2);
	cr_assert_str_eq(link.alt_names[1], "alt-two");
	cr_assert_arr_eq(link.mac, mac1, 6);
	cr_assert(link.up && link.carrier && !link.loopback);
	cr_assert(link.mtu == 9000 && link.master == 3 && link.group == 5);
	cr_assert(link.parent == 4 && link.parent_netns == 2);
	cr_assert(link.tun_type == NET_TUN_TAP && link.tun_persist && !link.tun_vnet_hdr);
	cr_assert(link.xdp_prog_id == 77 && link.xdp_mode == XDP_ATTACHED_SKB);
}

static struct nlmsghdr *kind_link(const char *kind, uint16_t attr, const void *data, size_t len)
{
	struct nlmsghdr *nlh = begin_link(AF_UNSPEC, 0);
	struct nlattr *nest, *info;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, "x");
	nest = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	info = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put(nlh, attr, len, data);
	if (!strcmp(kind, "vlan"))
		mnl_attr_put_u16(nlh, IFLA_VLAN_PROTOCOL, htons(0x88a8));
	mnl_attr_nest_end(nlh, info);
	mnl_attr_nest_end(nlh, nest);
	return nlh;
}

Test(nl_parse, kinds_of_links)
{
	uint16_t id = 30;
	uint8_t one = 1;
	struct net_link link;

	cr_assert_eq(nl_parse_link(kind_link("vlan", IFLA_VLAN_ID, &id, 2), &link), 0);
	cr_assert(link.vlan_id == 30 && link.vlan_proto == 0x88a8);
	cr_assert_eq(link.parent_netns, NET_NETNS_HERE);
	cr_assert_eq(nl_parse_link(kind_link("bridge", IFLA_BR_VLAN_FILTERING, &one, 1), &link), 0);
	cr_assert(link.vlan_filtering);
	cr_assert_eq(nl_parse_link(kind_link("veth", 1, &one, 1), &link), 0);
	cr_assert_str_eq(link.kind, "veth");
	cr_assert_eq(nl_parse_link(kind_link("bridge", IFLA_BR_VLAN_FILTERING, &id, 2), &link),
		     -EBADMSG, "an attribute of the wrong size");
}

Test(nl_parse, links_that_are_none_of_ours)
{
	struct net_link link;
	struct nlmsghdr *nlh = begin_link(AF_BRIDGE, 0);

	mnl_attr_put_strz(nlh, IFLA_IFNAME, "x");
	cr_assert_eq(nl_parse_link(nlh, &link), NL_PARSE_SKIP);
	nlh = begin_link(AF_UNSPEC, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "x");
	mnl_attr_put(nlh, IFLA_WIRELESS, 4, "abcd");
	cr_assert_eq(nl_parse_link(nlh, &link), NL_PARSE_SKIP, "a wireless event has no picture");
}

Test(nl_parse, links_that_are_malformed)
{
	char long_name[20] = "aaaaaaaaaaaaaaaaaaa";
	struct ifinfomsg none = { .ifi_index = 0 };
	struct net_link link;
	struct nlmsghdr *nlh = begin_link(AF_UNSPEC, 0);

	cr_assert_eq(nl_parse_link(nlh, &link), -EBADMSG, "no name");
	mnl_attr_put_strz(nlh, IFLA_IFNAME, long_name);
	cr_assert_eq(nl_parse_link(nlh, &link), -EBADMSG, "a name that is too long");
	nlh = begin_link(AF_UNSPEC, 0);
	mnl_attr_put(nlh, IFLA_IFNAME, 4, "abcd");
	cr_assert_eq(nl_parse_link(nlh, &link), -EBADMSG, "a name without an end");
	nlh = begin(RTM_NEWLINK, &none, sizeof(none));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "x");
	cr_assert_eq(nl_parse_link(nlh, &link), -EBADMSG, "no number");
}

Test(nl_parse, many_alternative_names)
{
	struct nlmsghdr *nlh = begin_link(AF_UNSPEC, 0);
	struct net_link link;
	struct nlattr *nest;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, "x");
	nest = mnl_attr_nest_start(nlh, IFLA_PROP_LIST);
	for (int i = 0; i < NET_ALT_NAMES_MAX + 3; i++)
		mnl_attr_put_strz(nlh, IFLA_ALT_IFNAME, "alt");
	mnl_attr_nest_end(nlh, nest);
	cr_assert_eq(nl_parse_link(nlh, &link), 0);
	cr_assert_eq(link.n_alt_names, NET_ALT_NAMES_MAX);
	cr_assert_eq(link.n_alt_names_dropped, 3);
}

static void put_vlan(struct nlmsghdr *nlh, uint16_t flags, uint16_t vid)
{
	struct bridge_vlan_info info = { .flags = flags, .vid = vid };

	mnl_attr_put(nlh, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info);
}

/* As `bridge vlan` shows: 1 PVID untagged, 30, 100-110. */
static struct nlmsghdr *port_vlans(void)
{
	struct nlmsghdr *nlh = begin_link(AF_BRIDGE, 0);
	struct nlattr *nest = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);

	put_vlan(nlh, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, 1);
	put_vlan(nlh, 0, 30);
	put_vlan(nlh, BRIDGE_VLAN_INFO_RANGE_BEGIN, 100);
	put_vlan(nlh, BRIDGE_VLAN_INFO_RANGE_END, 110);
	mnl_attr_nest_end(nlh, nest);
	return nlh;
}

Test(nl_parse, vlans_of_a_port)
{
	struct net_port_vlans vlans;
	uint32_t ifindex;
	bool present;

	cr_assert_eq(nl_parse_bridge_vlans(port_vlans(), &ifindex, &vlans, &present), 0);
	cr_assert(present && ifindex == 7 && vlans.pvid == 1);
	cr_assert(net_vlans_untagged(&vlans, 1) && !net_vlans_untagged(&vlans, 30));
	cr_assert(net_vlans_has(&vlans, 100) && net_vlans_has(&vlans, 110));
	cr_assert(!net_vlans_has(&vlans, 99) && !net_vlans_has(&vlans, 111));
	cr_assert_eq(nl_parse_bridge_vlans(begin_link(AF_BRIDGE, 0), &ifindex, &vlans, &present),
		     0);
	cr_assert_not(present);
	cr_assert_eq(nl_parse_bridge_vlans(full_link(), &ifindex, &vlans, &present), NL_PARSE_SKIP);
}

Test(nl_parse, ranges_that_are_none)
{
	static const struct {
		uint16_t flags, vid;
	} bad[][2] = {
		{ { BRIDGE_VLAN_INFO_RANGE_END, 10 }, { 0, 1 } },
		{ { BRIDGE_VLAN_INFO_RANGE_BEGIN, 20 }, { BRIDGE_VLAN_INFO_RANGE_END, 10 } },
		{ { 0, 0 }, { 0, 1 } },
		{ { 0, 1 }, { 0, 4095 } },
	};
	struct net_port_vlans vlans;
	struct nlattr *nest;
	uint32_t ifindex;
	bool present;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct nlmsghdr *nlh = begin_link(AF_BRIDGE, 0);

		nest = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
		put_vlan(nlh, bad[i][0].flags, bad[i][0].vid);
		put_vlan(nlh, bad[i][1].flags, bad[i][1].vid);
		mnl_attr_nest_end(nlh, nest);
		cr_assert_eq(nl_parse_bridge_vlans(nlh, &ifindex, &vlans, &present), -EBADMSG,
			     "pair %zu", i);
	}
}

static struct nlmsghdr *vlan_change(uint16_t type, uint16_t flags, uint16_t first, uint16_t last)
{
	struct br_vlan_msg msg = { .family = AF_BRIDGE, .ifindex = 7 };
	struct bridge_vlan_info info = { .flags = flags, .vid = first };
	struct nlmsghdr *nlh = begin(type, &msg, sizeof(msg));
	struct nlattr *nest = mnl_attr_nest_start(nlh, BRIDGE_VLANDB_ENTRY);

	mnl_attr_put(nlh, BRIDGE_VLANDB_ENTRY_INFO, sizeof(info), &info);
	if (last)
		mnl_attr_put_u16(nlh, BRIDGE_VLANDB_ENTRY_RANGE, last);
	mnl_attr_nest_end(nlh, nest);
	return nlh;
}

Test(nl_parse, changes_of_vlans)
{
	struct net_port_vlans vlans = { 0 }, before;
	uint32_t ifindex;
	struct nlmsghdr *nlh =
		vlan_change(RTM_NEWVLAN, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, 1, 0);

	cr_assert_eq(nl_parse_vlan_ifindex(nlh, &ifindex), 0);
	cr_assert_eq(ifindex, 7);
	cr_assert_eq(nl_parse_vlan_change(nlh, &vlans), 0);
	cr_assert(vlans.pvid == 1 && net_vlans_untagged(&vlans, 1));
	cr_assert_eq(nl_parse_vlan_change(vlan_change(RTM_NEWVLAN, 0, 10, 20), &vlans), 0);
	cr_assert(net_vlans_has(&vlans, 20) && vlans.pvid == 1);
	nlh = vlan_change(RTM_NEWVLAN, BRIDGE_VLAN_INFO_PVID, 15, 0);
	cr_assert_eq(nl_parse_vlan_change(nlh, &vlans), 0);
	cr_assert_eq(vlans.pvid, 15, "there is only one");
	cr_assert_eq(nl_parse_vlan_change(vlan_change(RTM_NEWVLAN, 0, 15, 0), &vlans), 0);
	cr_assert_eq(vlans.pvid, 0, "still a member, no longer the PVID");
	cr_assert_eq(nl_parse_vlan_change(vlan_change(RTM_DELVLAN, 0, 10, 14), &vlans), 0);
	cr_assert(!net_vlans_has(&vlans, 14) && net_vlans_has(&vlans, 15));
	before = vlans;
	cr_assert_eq(nl_parse_vlan_change(vlan_change(RTM_NEWVLAN, 0, 30, 20), &vlans), -EBADMSG);
	cr_assert_eq(memcmp(&before, &vlans, sizeof(vlans)), 0, "untouched");
}

static struct nlmsghdr *neigh_msg(uint8_t family, uint8_t flags, const char *ip)
{
	struct ndmsg ndm = { .ndm_family = family,
			     .ndm_ifindex = 7,
			     .ndm_state = NUD_REACHABLE,
			     .ndm_flags = flags };
	struct nlmsghdr *nlh = begin(RTM_NEWNEIGH, &ndm, sizeof(ndm));
	struct ip_addr addr;

	cr_assert_eq(ip_parse(ip, &addr), 0);
	mnl_attr_put(nlh, NDA_DST, ip_bytes(addr.family), addr.bytes);
	mnl_attr_put(nlh, NDA_LLADDR, 6, mac1);
	mnl_attr_put_u32(nlh, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return nlh;
}

Test(nl_parse, neighbours)
{
	struct net_neigh neigh;
	struct ip_addr want;

	cr_assert_eq(nl_parse_neigh(neigh_msg(AF_INET6, 0, "fd00::1"), &neigh), 0);
	ip_parse("fd00::1", &want);
	cr_assert(ip_equal(&neigh.addr, &want) && neigh.ifindex == 7 && neigh.managed);
	cr_assert_arr_eq(neigh.mac, mac1, 6);
	cr_assert_eq(nl_parse_neigh(neigh_msg(AF_INET, NTF_PROXY, "10.0.0.1"), &neigh),
		     NL_PARSE_SKIP);
	cr_assert_eq(nl_parse_neigh(neigh_msg(AF_INET6, 0, "ff02::16"), &neigh), NL_PARSE_SKIP);
	cr_assert_eq(nl_parse_neigh(neigh_msg(AF_INET, 0, "0.0.0.0"), &neigh), NL_PARSE_SKIP);
	cr_assert_eq(nl_parse_neigh(neigh_msg(AF_BRIDGE, 0, "10.0.0.1"), &neigh), NL_PARSE_SKIP);
	cr_assert_eq(nl_parse_neigh(neigh_msg(AF_INET, 0, "fd00::1"), &neigh), -EBADMSG,
		     "16 octets for IPv4");
}

static struct nlmsghdr *fdb_msg(uint32_t master, uint16_t vlan, uint16_t state)
{
	struct ndmsg ndm = { .ndm_family = AF_BRIDGE, .ndm_ifindex = 8, .ndm_state = state };
	struct nlmsghdr *nlh = begin(RTM_NEWNEIGH, &ndm, sizeof(ndm));

	mnl_attr_put(nlh, NDA_LLADDR, 6, mac1);
	if (vlan)
		mnl_attr_put_u16(nlh, NDA_VLAN, vlan);
	if (master)
		mnl_attr_put_u32(nlh, NDA_MASTER, master);
	return nlh;
}

static struct nlmsghdr *vtep_msg(const void *remote, size_t len)
{
	struct nlmsghdr *nlh = fdb_msg(0, 0, NUD_REACHABLE);

	mnl_attr_put(nlh, NDA_DST, len, remote);
	mnl_attr_put_u16(nlh, NDA_PORT, htons(8472));
	mnl_attr_put_u32(nlh, NDA_VNI, 77);
	return nlh;
}

Test(nl_parse, table_of_a_vxlan_device)
{
	const uint8_t v4[4] = { 192, 0, 2, 2 }, v6[16] = { 0xfd, 0, 0xff },
		      group[4] = { 239, 1, 1, 1 };
	struct ip_addr remote = ip_from_bytes(IP_V4, v4);
	struct net_vtep vtep;

	cr_assert_eq(nl_parse_vtep(vtep_msg(v4, 4), &vtep), 0);
	cr_assert(vtep.ifindex == 8 && ip_equal(&vtep.remote, &remote));
	cr_assert(vtep.port == 8472 && vtep.vni == 77);
	cr_assert_arr_eq(vtep.mac, mac1, 6);
	cr_assert_eq(nl_parse_vtep(vtep_msg(v6, 16), &vtep), 0);
	cr_assert(vtep.remote.family == IP_V6 && vtep.remote.bytes[0] == 0xfd);
	cr_assert_eq(nl_parse_vtep(vtep_msg(group, 4), &vtep), NL_PARSE_SKIP, "a group");
	cr_assert_eq(nl_parse_vtep(vtep_msg(v6, 7), &vtep), -EBADMSG);
	cr_assert_eq(nl_parse_vtep(fdb_msg(7, 0, NUD_REACHABLE), &vtep), NL_PARSE_SKIP,
		     "a bridge's entry");
}

Test(nl_parse, fdb)
{
	struct net_fdb fdb;

	cr_assert_eq(nl_parse_fdb(fdb_msg(7, 30, NUD_REACHABLE), &fdb), 0);
	cr_assert(fdb.bridge == 7 && fdb.port == 8 && fdb.vlan == 30 && !fdb.local);
	cr_assert_arr_eq(fdb.mac, mac1, 6);
	cr_assert_eq(nl_parse_fdb(fdb_msg(7, 0, NUD_PERMANENT), &fdb), 0);
	cr_assert(fdb.local && !fdb.vlan);
	cr_assert_eq(nl_parse_fdb(fdb_msg(0, 0, NUD_REACHABLE), &fdb), NL_PARSE_SKIP,
		     "a driver's or a VXLAN device's own");
}

Test(nl_parse, addresses)
{
	struct ifaddrmsg ifa = { .ifa_family = AF_INET, .ifa_prefixlen = 31, .ifa_index = 7 };
	struct nlmsghdr *nlh = begin(RTM_NEWADDR, &ifa, sizeof(ifa));
	struct net_addr addr;

	cr_assert_eq(nl_parse_addr(nlh, &addr), -EBADMSG);
	mnl_attr_put_u32(nlh, IFA_ADDRESS, htonl(0x0a000002));
	mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(0x0a000001));
	cr_assert_eq(nl_parse_addr(nlh, &addr), 0);
	cr_assert_eq(ip_to_v4(&addr.addr), 0x0a000001, "ours, not the other end's");
	cr_assert(addr.ifindex == 7 && addr.prefix_len == 31);
}

static struct nlmsghdr *route_msg(void)
{
	struct rtmsg rtm = { .rtm_family = AF_INET,
			     .rtm_dst_len = 32,
			     .rtm_type = RTN_UNICAST,
			     .rtm_flags = RTM_F_CLONED };
	struct nlmsghdr *nlh = begin(RTM_NEWROUTE, &rtm, sizeof(rtm));
	struct nlattr *nest;

	mnl_attr_put_u32(nlh, RTA_OIF, 7);
	mnl_attr_put_u32(nlh, RTA_GATEWAY, htonl(0x0a000001));
	mnl_attr_put_u32(nlh, RTA_PREFSRC, htonl(0x0a000009));
	nest = mnl_attr_nest_start(nlh, RTA_METRICS);
	mnl_attr_put_u32(nlh, RTAX_MTU, 1300);
	mnl_attr_nest_end(nlh, nest);
	return nlh;
}

Test(nl_parse, routes)
{
	struct {
		uint16_t family;
		uint8_t addr[16];
	} via = { AF_INET6, { 0xfe, 0x80, [15] = 1 } };
	struct rtmsg rtm = { .rtm_family = AF_INET, .rtm_type = RTN_UNICAST };
	struct net_route route;
	struct nlmsghdr *nlh = route_msg();

	cr_assert_eq(nl_parse_route(nlh, &route), 0);
	cr_assert(nl_parse_route_is_clone(nlh));
	cr_assert(route.type == RTN_UNICAST && route.oif == 7 && route.mtu == 1300);
	cr_assert_eq(ip_to_v4(&route.gateway), 0x0a000001);
	cr_assert_eq(ip_to_v4(&route.prefsrc), 0x0a000009);
	nlh = begin(RTM_NEWROUTE, &rtm, sizeof(rtm));
	mnl_attr_put(nlh, RTA_VIA, sizeof(via), &via);
	cr_assert_eq(nl_parse_route(nlh, &route), 0);
	cr_assert_eq(route.gateway.family, IP_V6, "IPv4 through an IPv6 gateway");
	cr_assert_not(nl_parse_route_is_clone(nlh));
}

static struct nlmsghdr *features_msg(uint8_t cmd)
{
	struct genlmsghdr genl = { .cmd = cmd, .version = 1 };
	struct nlmsghdr *nlh = begin(30, &genl, sizeof(genl));

	mnl_attr_put_u32(nlh, 1, 7);
	mnl_attr_put_u64(nlh, 3, 0x47);
	return nlh;
}

static struct nlmsghdr *family_msg(void)
{
	struct genlmsghdr genl = { .cmd = CTRL_CMD_NEWFAMILY, .version = 2 };
	struct nlmsghdr *nlh = begin(GENL_ID_CTRL, &genl, sizeof(genl));
	struct nlattr *list, *entry;

	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, 30);
	list = mnl_attr_nest_start(nlh, CTRL_ATTR_MCAST_GROUPS);
	for (uint16_t i = 1; i <= 2; i++) {
		entry = mnl_attr_nest_start(nlh, i);
		mnl_attr_put_strz(nlh, CTRL_ATTR_MCAST_GRP_NAME, i == 2 ? "mgmt" : "other");
		mnl_attr_put_u32(nlh, CTRL_ATTR_MCAST_GRP_ID, i);
		mnl_attr_nest_end(nlh, entry);
	}
	mnl_attr_nest_end(nlh, list);
	return nlh;
}

Test(nl_parse, generic_netlink)
{
	struct nl_family family;
	uint32_t ifindex;
	uint64_t features;

	cr_assert_eq(nl_parse_family(family_msg(), "mgmt", &family), 0);
	cr_assert(family.id == 30 && family.group == 2);
	cr_assert_eq(nl_parse_family(family_msg(), "none", &family), 0);
	cr_assert_eq(family.group, 0);
	cr_assert_eq(nl_parse_xdp_features(features_msg(4), &ifindex, &features), 0);
	cr_assert(ifindex == 7 && features == 0x47);
	cr_assert_eq(nl_parse_xdp_features(features_msg(3), &ifindex, &features), NL_PARSE_SKIP,
		     "a device that goes");
	cr_assert_eq(nl_parse_xdp_features(features_msg(5), &ifindex, &features), NL_PARSE_SKIP);
}

/* --- every message, cut at every octet ------------------------------------------------------------------- */
static void parse_any(const struct nlmsghdr *nlh)
{
	struct net_port_vlans vlans = { 0 };
	struct nl_family family;
	struct net_route route;
	struct net_neigh neigh;
	struct net_link link;
	struct net_addr addr;
	struct net_fdb fdb;
	uint32_t ifindex;
	uint64_t features;
	bool present;

	nl_parse_link(nlh, &link);
	nl_parse_bridge_vlans(nlh, &ifindex, &vlans, &present);
	nl_parse_vlan_ifindex(nlh, &ifindex);
	nl_parse_vlan_change(nlh, &vlans);
	nl_parse_neigh(nlh, &neigh);
	nl_parse_fdb(nlh, &fdb);
	nl_parse_addr(nlh, &addr);
	nl_parse_route(nlh, &route);
	nl_parse_route_is_clone(nlh);
	nl_parse_family(nlh, "mgmt", &family);
	nl_parse_xdp_features(nlh, &ifindex, &features);
}

/* A copy of exact size, so that the sanitizers see a read beyond it. */
static void cut_everywhere(const struct nlmsghdr *whole)
{
	for (uint32_t len = sizeof(*whole); len <= whole->nlmsg_len; len++) {
		struct nlmsghdr *cut = malloc(len);

		memcpy(cut, whole, len);
		cut->nlmsg_len = len;
		parse_any(cut);
		free(cut);
	}
}

Test(nl_parse, cut_at_every_octet)
{
	cut_everywhere(full_link());
	cut_everywhere(port_vlans());
	cut_everywhere(vlan_change(RTM_NEWVLAN, 0, 10, 20));
	cut_everywhere(neigh_msg(AF_INET6, 0, "fd00::1"));
	cut_everywhere(fdb_msg(7, 30, 0));
	cut_everywhere(route_msg());
	cut_everywhere(family_msg());
	cut_everywhere(features_msg(1));
}
