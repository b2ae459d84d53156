// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink attributes to the structs of the picture. Each message type has a table of the attributes that
 * we read and of the form they must have; parse() checks them all before the first is used.
 *
 * Called by nl_watch.c and nl_request.c. Never keeps a pointer into the message.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "net/nl_parse.h"

/* uapi linux/netdev.h, which the headers of older systems do not have. */
enum {
	NETDEV_A_DEV_IFINDEX_ = 1,
	NETDEV_A_DEV_XDP_FEATURES_ = 3,
	NETDEV_A_DEV_MAX_ = 3,
	NETDEV_CMD_DEV_GET_ = 1,
	NETDEV_CMD_DEV_ADD_NTF_ = 2,
	NETDEV_CMD_DEV_CHANGE_NTF_ = 4,
};

struct attr_rule {
	uint16_t attr;
	enum mnl_attr_data_type form;
	uint16_t len; /* exact length of MNL_TYPE_BINARY; 0: any */
};

struct attr_table {
	const struct attr_rule *rules;
	size_t n;
	uint16_t max; /* highest attribute of interest; the caller's array has one more */
};
#define TABLE(rules, max)                                      \
	{                                                      \
		rules, sizeof(rules) / sizeof((rules)[0]), max \
	}

static const struct attr_rule *find_rule(const struct attr_table *table, uint16_t attr)
{
	for (size_t i = 0; i < table->n; i++) {
		if (table->rules[i].attr == attr)
			return &table->rules[i];
	}
	return NULL;
}

static bool is_valid(const struct attr_rule *rule, const struct nlattr *attr)
{
	if (rule->len)
		return mnl_attr_validate2(attr, rule->form, rule->len) >= 0;
	return mnl_attr_validate(attr, rule->form) >= 0;
}

/* The attribute at @pos with @left octets, or NULL; the end is reached when *left is 0 or less. */
static const struct nlattr *attr_at(const void *pos, ptrdiff_t left)
{
	return left > 0 && mnl_attr_ok(pos, (int)left) ? pos : NULL;
}

static int parse_octets(const void *data, size_t len, const struct attr_table *table,
			const struct nlattr **tb)
{
	const struct attr_rule *rule;
	const struct nlattr *attr;
	ptrdiff_t left = (ptrdiff_t)len;

	memset(tb, 0, (table->max + 1U) * sizeof(*tb));
	for (; (attr = attr_at(data, left));
	     left -= MNL_ALIGN(attr->nla_len), data = mnl_attr_next(attr)) {
		rule = find_rule(table, mnl_attr_get_type(attr));
		if (!rule)
			continue;
		if (!is_valid(rule, attr))
			return -EBADMSG;
		tb[rule->attr] = attr;
	}
	return left > 0 ? -EBADMSG : 0;
}

static int parse_nested(const struct nlattr *nest, const struct attr_table *table,
			const struct nlattr **tb)
{
	return parse_octets(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), table, tb);
}

/* @header octets of fixed header, then attributes. NULL: the message is too short for the header. */
static const void *parse(const struct nlmsghdr *nlh, size_t header, const struct attr_table *table,
			 const struct nlattr **tb)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh), skip = MNL_ALIGN(header);
	const char *payload = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN || len < header)
		return NULL;
	if (len < skip)
		skip = len;
	return parse_octets(payload + skip, len - skip, table, tb) ? NULL : payload;
}

static uint32_t get_u32(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u32(attr) : 0;
}

static uint16_t get_u16(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u16(attr) : 0;
}

static uint8_t get_u8(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u8(attr) : 0;
}

/* The rest of @buf is zero already. False: too long. */
static bool get_text(const struct nlattr *attr, char *buf, size_t cap)
{
	const char *text = attr ? mnl_attr_get_str(attr) : "";
	size_t len = strlen(text);

	if (len >= cap)
		return false;
	memcpy(buf, text, len);
	return true;
}

static void get_mac(const struct nlattr *attr, uint8_t mac[NET_MAC_LEN])
{
	if (attr && mnl_attr_get_payload_len(attr) == NET_MAC_LEN)
		memcpy(mac, mnl_attr_get_payload(attr), NET_MAC_LEN);
}

/* False: the length is not that of the family. */
static bool get_ip(const struct nlattr *attr, uint8_t af, struct ip_addr *ret)
{
	enum ip_family family = af == AF_INET ? IP_V4 : IP_V6;

	if (mnl_attr_get_payload_len(attr) != ip_bytes(family))
		return false;
	*ret = ip_from_bytes(family, mnl_attr_get_payload(attr));
	return true;
}

/* --- links ------------------------------------------------------------------------------------------ */
static const struct attr_rule vlan_rules[] = {
	{ IFLA_VLAN_ID, MNL_TYPE_U16, 0 },
	{ IFLA_VLAN_PROTOCOL, MNL_TYPE_U16, 0 },
};
static const struct attr_table vlan_table = TABLE(vlan_rules, IFLA_VLAN_PROTOCOL);

static int parse_vlan(const struct nlattr *data, struct net_link *link)
{
	const struct nlattr *tb[IFLA_VLAN_PROTOCOL + 1];

	if (parse_nested(data, &vlan_table, tb))
		return -EBADMSG;
	link->vlan_id = get_u16(tb[IFLA_VLAN_ID]);
	link->vlan_proto = ntohs(get_u16(tb[IFLA_VLAN_PROTOCOL]));
	return 0;
}

static const struct attr_rule bridge_rules[] = {
	{ IFLA_BR_VLAN_FILTERING, MNL_TYPE_U8, 0 },
};
static const struct attr_table bridge_table = TABLE(bridge_rules, IFLA_BR_VLAN_FILTERING);

static int parse_bridge(const struct nlattr *data, struct net_link *link)
{
	const struct nlattr *tb[IFLA_BR_VLAN_FILTERING + 1];

	if (parse_nested(data, &bridge_table, tb))
		return -EBADMSG;
	link->vlan_filtering = get_u8(tb[IFLA_BR_VLAN_FILTERING]);
	return 0;
}

static const struct attr_rule tun_rules[] = {
	{ IFLA_TUN_TYPE, MNL_TYPE_U8, 0 },
	{ IFLA_TUN_VNET_HDR, MNL_TYPE_U8, 0 },
	{ IFLA_TUN_PERSIST, MNL_TYPE_U8, 0 },
};
static const struct attr_table tun_table = TABLE(tun_rules, IFLA_TUN_PERSIST);

static int parse_tun(const struct nlattr *data, struct net_link *link)
{
	const struct nlattr *tb[IFLA_TUN_PERSIST + 1];
	uint8_t type;

	if (parse_nested(data, &tun_table, tb))
		return -EBADMSG;
	type = get_u8(tb[IFLA_TUN_TYPE]);
	link->tun_type = type == IFF_TAP   ? NET_TUN_TAP
			 : type == IFF_TUN ? NET_TUN_TUN
					   : NET_TUN_NONE;
	link->tun_vnet_hdr = get_u8(tb[IFLA_TUN_VNET_HDR]);
	link->tun_persist = get_u8(tb[IFLA_TUN_PERSIST]);
	return 0;
}

static const struct attr_rule vxlan_rules[] = {
	{ IFLA_VXLAN_ID, MNL_TYPE_U32, 0 },
	{ IFLA_VXLAN_LOCAL, MNL_TYPE_BINARY, 4 },
	{ IFLA_VXLAN_LOCAL6, MNL_TYPE_BINARY, 16 },
	{ IFLA_VXLAN_PORT, MNL_TYPE_U16, 0 },
	{ IFLA_VXLAN_COLLECT_METADATA, MNL_TYPE_U8, 0 },
};
static const struct attr_table vxlan_table = TABLE(vxlan_rules, IFLA_VXLAN_COLLECT_METADATA);

static int parse_vxlan(const struct nlattr *data, struct net_link *link)
{
	const struct nlattr *tb[IFLA_VXLAN_COLLECT_METADATA + 1];
	struct net_vxlan *vxlan = &link->vxlan;

	if (parse_nested(data, &vxlan_table, tb) ||
	    (tb[IFLA_VXLAN_LOCAL] && !get_ip(tb[IFLA_VXLAN_LOCAL], AF_INET, &vxlan->local)) ||
	    (tb[IFLA_VXLAN_LOCAL6] && !get_ip(tb[IFLA_VXLAN_LOCAL6], AF_INET6, &vxlan->local)))
		return -EBADMSG;
	if (ip_is_zero(&vxlan->local))
		vxlan->local = (struct ip_addr){ 0 };
	vxlan->vni = get_u32(tb[IFLA_VXLAN_ID]);
	vxlan->port = ntohs(get_u16(tb[IFLA_VXLAN_PORT]));
	vxlan->metadata = get_u8(tb[IFLA_VXLAN_COLLECT_METADATA]);
	return 0;
}

static const struct {
	const char *kind;
	int (*parse)(const struct nlattr *data, struct net_link *link);
} link_kinds[] = {
	{ "vlan", parse_vlan },
	{ "bridge", parse_bridge },
	{ "tun", parse_tun },
	{ "vxlan", parse_vxlan },
};

static const struct attr_rule info_rules[] = {
	{ IFLA_INFO_KIND, MNL_TYPE_NUL_STRING, 0 },
	{ IFLA_INFO_DATA, MNL_TYPE_NESTED, 0 },
};
static const struct attr_table info_table = TABLE(info_rules, IFLA_INFO_DATA);

static int parse_info(const struct nlattr *info, struct net_link *link)
{
	const struct nlattr *tb[IFLA_INFO_DATA + 1];

	if (!info)
		return 0;
	if (parse_nested(info, &info_table, tb) ||
	    !get_text(tb[IFLA_INFO_KIND], link->kind, sizeof(link->kind)))
		return -EBADMSG;
	for (size_t i = 0; tb[IFLA_INFO_DATA] && i < sizeof(link_kinds) / sizeof(link_kinds[0]);
	     i++) {
		if (!strcmp(link->kind, link_kinds[i].kind))
			return link_kinds[i].parse(tb[IFLA_INFO_DATA], link);
	}
	return 0;
}

static const struct attr_rule xdp_rules[] = {
	{ IFLA_XDP_ATTACHED, MNL_TYPE_U8, 0 },     { IFLA_XDP_PROG_ID, MNL_TYPE_U32, 0 },
	{ IFLA_XDP_DRV_PROG_ID, MNL_TYPE_U32, 0 }, { IFLA_XDP_SKB_PROG_ID, MNL_TYPE_U32, 0 },
	{ IFLA_XDP_HW_PROG_ID, MNL_TYPE_U32, 0 },
};
static const struct attr_table xdp_table = TABLE(xdp_rules, IFLA_XDP_HW_PROG_ID);

/* With programs in several modes IFLA_XDP_PROG_ID is absent: the driver's counts first. */
static int parse_xdp(const struct nlattr *xdp, struct net_link *link)
{
	static const uint16_t ids[] = { IFLA_XDP_PROG_ID, IFLA_XDP_DRV_PROG_ID,
					IFLA_XDP_SKB_PROG_ID, IFLA_XDP_HW_PROG_ID };
	const struct nlattr *tb[IFLA_XDP_HW_PROG_ID + 1];

	if (!xdp)
		return 0;
	if (parse_nested(xdp, &xdp_table, tb))
		return -EBADMSG;
	link->xdp_mode = get_u8(tb[IFLA_XDP_ATTACHED]);
	for (size_t i = 0; !link->xdp_prog_id && i < sizeof(ids) / sizeof(ids[0]); i++)
		link->xdp_prog_id = get_u32(tb[ids[i]]);
	return 0;
}

static int add_alt_name(struct net_link *link, const struct nlattr *attr)
{
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return -EBADMSG;
	if (link->n_alt_names == NET_ALT_NAMES_MAX) {
		link->n_alt_names_dropped++;
		return 0;
	}
	if (!get_text(attr, link->alt_names[link->n_alt_names], NET_ALT_NAME_LEN))
		return -EBADMSG;
	link->n_alt_names++;
	return 0;
}

/* IFLA_ALT_IFNAME may stand in it many times, so a table of one place each does not do. */
static int parse_alt_names(const struct nlattr *list, struct net_link *link)
{
	const struct nlattr *attr;
	const void *pos = list ? mnl_attr_get_payload(list) : NULL;
	ptrdiff_t left = list ? mnl_attr_get_payload_len(list) : 0;

	for (; (attr = attr_at(pos, left));
	     left -= MNL_ALIGN(attr->nla_len), pos = mnl_attr_next(attr)) {
		if (mnl_attr_get_type(attr) == IFLA_ALT_IFNAME && add_alt_name(link, attr))
			return -EBADMSG;
	}
	return left > 0 ? -EBADMSG : 0;
}

static const struct attr_rule link_rules[] = {
	{ IFLA_IFNAME, MNL_TYPE_NUL_STRING, 0 }, { IFLA_IFALIAS, MNL_TYPE_NUL_STRING, 0 },
	{ IFLA_ADDRESS, MNL_TYPE_BINARY, 0 },    { IFLA_PERM_ADDRESS, MNL_TYPE_BINARY, 0 },
	{ IFLA_MTU, MNL_TYPE_U32, 0 },           { IFLA_LINK, MNL_TYPE_U32, 0 },
	{ IFLA_MASTER, MNL_TYPE_U32, 0 },        { IFLA_GROUP, MNL_TYPE_U32, 0 },
	{ IFLA_LINK_NETNSID, MNL_TYPE_U32, 0 },  { IFLA_LINKINFO, MNL_TYPE_NESTED, 0 },
	{ IFLA_XDP, MNL_TYPE_NESTED, 0 },        { IFLA_PROP_LIST, MNL_TYPE_NESTED, 0 },
	{ IFLA_WIRELESS, MNL_TYPE_UNSPEC, 0 },
};
static const struct attr_table link_table = TABLE(link_rules, IFLA_PERM_ADDRESS);

static void link_header(const struct ifinfomsg *ifi, struct net_link *link)
{
	link->ifindex = (uint32_t)ifi->ifi_index;
	link->type = ifi->ifi_type;
	link->up = ifi->ifi_flags & IFF_UP;
	link->carrier = ifi->ifi_flags & IFF_LOWER_UP;
	link->loopback = ifi->ifi_flags & IFF_LOOPBACK;
}

int nl_parse_link(const struct nlmsghdr *nlh, struct net_link *ret_link)
{
	const struct nlattr *tb[IFLA_PERM_ADDRESS + 1];
	const struct ifinfomsg *ifi = parse(nlh, sizeof(*ifi), &link_table, tb);
	struct net_link link = { .parent_netns = NET_NETNS_HERE };

	if (!ifi || ifi->ifi_index <= 0)
		return -EBADMSG;
	if (ifi->ifi_family != AF_UNSPEC || tb[IFLA_WIRELESS])
		return NL_PARSE_SKIP;
	link_header(ifi, &link);
	if (!tb[IFLA_IFNAME] || !get_text(tb[IFLA_IFNAME], link.name, sizeof(link.name)) ||
	    !get_text(tb[IFLA_IFALIAS], link.if_alias, sizeof(link.if_alias)) ||
	    parse_info(tb[IFLA_LINKINFO], &link) || parse_xdp(tb[IFLA_XDP], &link) ||
	    parse_alt_names(tb[IFLA_PROP_LIST], &link))
		return -EBADMSG;
	if (link.type == ARPHRD_ETHER) {
		get_mac(tb[IFLA_ADDRESS], link.mac);
		get_mac(tb[IFLA_PERM_ADDRESS], link.perm_mac);
	}
	link.mtu = get_u32(tb[IFLA_MTU]);
	link.group = get_u32(tb[IFLA_GROUP]);
	link.master = get_u32(tb[IFLA_MASTER]);
	link.parent = get_u32(tb[IFLA_LINK]);
	if (tb[IFLA_LINK_NETNSID])
		link.parent_netns = (int32_t)get_u32(tb[IFLA_LINK_NETNSID]);
	*ret_link = link;
	return 0;
}

/* --- VLANs of bridge ports ----------------------------------------------------------------------------- */
static void set_vlans(struct net_port_vlans *vlans, uint16_t first, uint16_t last, uint16_t flags)
{
	net_vlans_add(vlans, first, last, flags & BRIDGE_VLAN_INFO_UNTAGGED);
	if (flags & BRIDGE_VLAN_INFO_PVID)
		vlans->pvid = first;
	else if (vlans->pvid >= first && vlans->pvid <= last)
		vlans->pvid = 0;
}

static bool vlan_range_ok(uint16_t first, uint16_t last)
{
	return first >= 1 && first <= last && last <= NET_VLAN_MAX;
}

/* One of the records of IFLA_AF_SPEC; a range is a record with BEGIN and one with END. */
static int add_vlan_info(struct net_port_vlans *vlans, const struct nlattr *attr, uint16_t *begin)
{
	const struct bridge_vlan_info *info = mnl_attr_get_payload(attr);
	uint16_t first;

	if (mnl_attr_validate2(attr, MNL_TYPE_BINARY, sizeof(*info)) < 0)
		return -EBADMSG;
	if (info->flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) {
		*begin = info->vid;
		return 0;
	}
	first = info->flags & BRIDGE_VLAN_INFO_RANGE_END ? *begin : info->vid;
	if (!vlan_range_ok(first, info->vid))
		return -EBADMSG;
	set_vlans(vlans, first, info->vid, info->flags);
	return 0;
}

static const struct attr_rule brport_rules[] = {
	{ IFLA_AF_SPEC, MNL_TYPE_NESTED, 0 },
};
static const struct attr_table brport_table = TABLE(brport_rules, IFLA_AF_SPEC);

int nl_parse_bridge_vlans(const struct nlmsghdr *nlh, uint32_t *ret_ifindex,
			  struct net_port_vlans *ret_vlans, bool *ret_present)
{
	const struct nlattr *tb[IFLA_AF_SPEC + 1], *attr;
	const struct ifinfomsg *ifi = parse(nlh, sizeof(*ifi), &brport_table, tb);
	const struct nlattr *spec;
	struct net_port_vlans vlans = { 0 };
	bool present = false;
	uint16_t begin = 0;
	const void *pos;
	ptrdiff_t left;

	if (!ifi || ifi->ifi_index <= 0)
		return -EBADMSG;
	if (ifi->ifi_family != AF_BRIDGE)
		return NL_PARSE_SKIP;
	spec = tb[IFLA_AF_SPEC];
	pos = spec ? mnl_attr_get_payload(spec) : NULL;
	left = spec ? mnl_attr_get_payload_len(spec) : 0;
	for (; (attr = attr_at(pos, left));
	     left -= MNL_ALIGN(attr->nla_len), pos = mnl_attr_next(attr)) {
		if (mnl_attr_get_type(attr) != IFLA_BRIDGE_VLAN_INFO)
			continue;
		present = true;
		if (add_vlan_info(&vlans, attr, &begin))
			return -EBADMSG;
	}
	if (left > 0)
		return -EBADMSG;
	*ret_ifindex = (uint32_t)ifi->ifi_index;
	*ret_vlans = vlans;
	*ret_present = present;
	return 0;
}

static const struct attr_rule vlandb_entry_rules[] = {
	{ BRIDGE_VLANDB_ENTRY_INFO, MNL_TYPE_BINARY, sizeof(struct bridge_vlan_info) },
	{ BRIDGE_VLANDB_ENTRY_RANGE, MNL_TYPE_U16, 0 },
};
static const struct attr_table vlandb_entry_table =
	TABLE(vlandb_entry_rules, BRIDGE_VLANDB_ENTRY_RANGE);

static int change_vlans(struct net_port_vlans *vlans, const struct nlattr *entry, bool del)
{
	const struct nlattr *tb[BRIDGE_VLANDB_ENTRY_RANGE + 1];
	const struct bridge_vlan_info *info;
	uint16_t last;

	if (parse_nested(entry, &vlandb_entry_table, tb) || !tb[BRIDGE_VLANDB_ENTRY_INFO])
		return -EBADMSG;
	info = mnl_attr_get_payload(tb[BRIDGE_VLANDB_ENTRY_INFO]);
	last = tb[BRIDGE_VLANDB_ENTRY_RANGE] ? get_u16(tb[BRIDGE_VLANDB_ENTRY_RANGE]) : info->vid;
	if (!vlan_range_ok(info->vid, last))
		return -EBADMSG;
	if (del)
		net_vlans_del(vlans, info->vid, last);
	else
		set_vlans(vlans, info->vid, last, info->flags);
	return 0;
}

int nl_parse_vlan_ifindex(const struct nlmsghdr *nlh, uint32_t *ret_ifindex)
{
	const struct br_vlan_msg *msg = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*msg))
		return -EBADMSG;
	if (msg->family != AF_BRIDGE)
		return NL_PARSE_SKIP;
	*ret_ifindex = msg->ifindex;
	return 0;
}

int nl_parse_vlan_change(const struct nlmsghdr *nlh, struct net_port_vlans *vlans)
{
	const char *payload = mnl_nlmsg_get_payload(nlh);
	ptrdiff_t left = (ptrdiff_t)mnl_nlmsg_get_payload_len(nlh);
	struct net_port_vlans changed = *vlans;
	const struct nlattr *attr;
	const void *pos = payload + sizeof(struct br_vlan_msg);

	left -= (ptrdiff_t)sizeof(struct br_vlan_msg);
	if (left < 0)
		return -EBADMSG;
	for (; (attr = attr_at(pos, left));
	     left -= MNL_ALIGN(attr->nla_len), pos = mnl_attr_next(attr)) {
		if (mnl_attr_get_type(attr) == BRIDGE_VLANDB_ENTRY &&
		    change_vlans(&changed, attr, nlh->nlmsg_type == RTM_DELVLAN))
			return -EBADMSG;
	}
	if (left > 0)
		return -EBADMSG;
	*vlans = changed;
	return 0;
}

/* --- neighbours and FDB ------------------------------------------------------------------------------ */
static const struct attr_rule neigh_rules[] = {
	{ NDA_DST, MNL_TYPE_BINARY, 0 },    { NDA_LLADDR, MNL_TYPE_BINARY, 0 },
	{ NDA_VLAN, MNL_TYPE_U16, 0 },      { NDA_MASTER, MNL_TYPE_U32, 0 },
	{ NDA_FLAGS_EXT, MNL_TYPE_U32, 0 }, { NDA_PORT, MNL_TYPE_U16, 0 },
	{ NDA_VNI, MNL_TYPE_U32, 0 },
};
static const struct attr_table neigh_table = TABLE(neigh_rules, NDA_FLAGS_EXT);

int nl_parse_neigh(const struct nlmsghdr *nlh, struct net_neigh *ret_neigh)
{
	const struct nlattr *tb[NDA_FLAGS_EXT + 1];
	const struct ndmsg *ndm = parse(nlh, sizeof(*ndm), &neigh_table, tb);
	struct net_neigh neigh = { 0 };

	if (!ndm)
		return -EBADMSG;
	if ((ndm->ndm_family != AF_INET && ndm->ndm_family != AF_INET6) ||
	    ndm->ndm_flags & NTF_PROXY)
		return NL_PARSE_SKIP;
	if (ndm->ndm_ifindex <= 0 || !tb[NDA_DST] ||
	    !get_ip(tb[NDA_DST], ndm->ndm_family, &neigh.addr))
		return -EBADMSG;
	if (ip_is_multicast(&neigh.addr) || ip_is_zero(&neigh.addr) ||
	    ip_to_v4(&neigh.addr) == UINT32_MAX)
		return NL_PARSE_SKIP;
	neigh.ifindex = (uint32_t)ndm->ndm_ifindex;
	neigh.nud = ndm->ndm_state;
	neigh.managed = get_u32(tb[NDA_FLAGS_EXT]) & NTF_EXT_MANAGED;
	get_mac(tb[NDA_LLADDR], neigh.mac);
	*ret_neigh = neigh;
	return 0;
}

int nl_parse_fdb(const struct nlmsghdr *nlh, struct net_fdb *ret_fdb)
{
	const struct nlattr *tb[NDA_FLAGS_EXT + 1];
	const struct ndmsg *ndm = parse(nlh, sizeof(*ndm), &neigh_table, tb);
	struct net_fdb fdb = { 0 };

	if (!ndm)
		return -EBADMSG;
	/* Without a master it is the filter list of a driver, or the remote table of a VXLAN device. */
	if (ndm->ndm_family != AF_BRIDGE || !tb[NDA_MASTER])
		return NL_PARSE_SKIP;
	if (ndm->ndm_ifindex <= 0 || !tb[NDA_LLADDR] ||
	    mnl_attr_get_payload_len(tb[NDA_LLADDR]) != NET_MAC_LEN)
		return -EBADMSG;
	fdb.bridge = get_u32(tb[NDA_MASTER]);
	fdb.port = (uint32_t)ndm->ndm_ifindex;
	fdb.vlan = get_u16(tb[NDA_VLAN]);
	fdb.local = ndm->ndm_state & NUD_PERMANENT;
	get_mac(tb[NDA_LLADDR], fdb.mac);
	*ret_fdb = fdb;
	return 0;
}

int nl_parse_vtep(const struct nlmsghdr *nlh, struct net_vtep *ret_vtep)
{
	const struct nlattr *tb[NDA_FLAGS_EXT + 1];
	const struct ndmsg *ndm = parse(nlh, sizeof(*ndm), &neigh_table, tb);
	struct net_vtep vtep = { 0 };
	uint8_t af;

	if (!ndm)
		return -EBADMSG;
	if (ndm->ndm_family != AF_BRIDGE || tb[NDA_MASTER] || !tb[NDA_DST] || !tb[NDA_LLADDR])
		return NL_PARSE_SKIP;
	af = mnl_attr_get_payload_len(tb[NDA_DST]) == ip_bytes(IP_V4) ? AF_INET : AF_INET6;
	if (ndm->ndm_ifindex <= 0 || !get_ip(tb[NDA_DST], af, &vtep.remote) ||
	    mnl_attr_get_payload_len(tb[NDA_LLADDR]) != NET_MAC_LEN)
		return -EBADMSG;
	get_mac(tb[NDA_LLADDR], vtep.mac);
	/* The zero MAC has the list of those who get what floods. */
	if (vtep.mac[0] & 1 || !memcmp(vtep.mac, (const uint8_t[NET_MAC_LEN]){ 0 }, NET_MAC_LEN) ||
	    ip_is_multicast(&vtep.remote) || ip_is_zero(&vtep.remote))
		return NL_PARSE_SKIP;
	vtep.ifindex = (uint32_t)ndm->ndm_ifindex;
	vtep.vni = get_u32(tb[NDA_VNI]);
	vtep.port = ntohs(get_u16(tb[NDA_PORT]));
	*ret_vtep = vtep;
	return 0;
}

/* --- addresses ------------------------------------------------------------------------------------------ */
static const struct attr_rule addr_rules[] = {
	{ IFA_ADDRESS, MNL_TYPE_BINARY, 0 },
	{ IFA_LOCAL, MNL_TYPE_BINARY, 0 },
};
static const struct attr_table addr_table = TABLE(addr_rules, IFA_LOCAL);

int nl_parse_addr(const struct nlmsghdr *nlh, struct net_addr *ret_addr)
{
	const struct nlattr *tb[IFA_LOCAL + 1], *own;
	const struct ifaddrmsg *ifa = parse(nlh, sizeof(*ifa), &addr_table, tb);
	struct net_addr addr = { 0 };

	if (!ifa)
		return -EBADMSG;
	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return NL_PARSE_SKIP;
	/* IFA_ADDRESS is the other end where there is one. */
	own = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (!own || !ifa->ifa_index || !get_ip(own, ifa->ifa_family, &addr.addr))
		return -EBADMSG;
	addr.ifindex = ifa->ifa_index;
	addr.prefix_len = ifa->ifa_prefixlen;
	*ret_addr = addr;
	return 0;
}

/* --- routes --------------------------------------------------------------------------------------------- */
static const struct attr_rule route_rules[] = {
	{ RTA_OIF, MNL_TYPE_U32, 0 },        { RTA_GATEWAY, MNL_TYPE_BINARY, 0 },
	{ RTA_PREFSRC, MNL_TYPE_BINARY, 0 }, { RTA_METRICS, MNL_TYPE_NESTED, 0 },
	{ RTA_VIA, MNL_TYPE_BINARY, 0 },
};
static const struct attr_table route_table = TABLE(route_rules, RTA_VIA);

static const struct attr_rule metric_rules[] = {
	{ RTAX_MTU, MNL_TYPE_U32, 0 },
};
static const struct attr_table metric_table = TABLE(metric_rules, RTAX_MTU);

/* RTA_VIA: a gateway of the other family. */
static bool get_via(const struct nlattr *attr, struct ip_addr *ret)
{
	const struct rtvia *via = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	enum ip_family family;

	if (len < sizeof(*via))
		return false;
	family = via->rtvia_family == AF_INET ? IP_V4 : IP_V6;
	if (len - sizeof(*via) != ip_bytes(family))
		return false;
	*ret = ip_from_bytes(family, via->rtvia_addr);
	return true;
}

int nl_parse_route(const struct nlmsghdr *nlh, struct net_route *ret_route)
{
	const struct nlattr *tb[RTA_VIA + 1], *metrics[RTAX_MTU + 1];
	const struct rtmsg *rtm = parse(nlh, sizeof(*rtm), &route_table, tb);
	struct net_route route = { 0 };

	if (!rtm)
		return -EBADMSG;
	route.type = rtm->rtm_type;
	route.oif = get_u32(tb[RTA_OIF]);
	if (tb[RTA_GATEWAY] && !get_ip(tb[RTA_GATEWAY], rtm->rtm_family, &route.gateway))
		return -EBADMSG;
	if (tb[RTA_VIA] && !get_via(tb[RTA_VIA], &route.gateway))
		return -EBADMSG;
	if (tb[RTA_PREFSRC] && !get_ip(tb[RTA_PREFSRC], rtm->rtm_family, &route.prefsrc))
		return -EBADMSG;
	if (tb[RTA_METRICS]) {
		if (parse_nested(tb[RTA_METRICS], &metric_table, metrics))
			return -EBADMSG;
		route.mtu = get_u32(metrics[RTAX_MTU]);
	}
	*ret_route = route;
	return 0;
}

bool nl_parse_route_is_clone(const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	return (nlh->nlmsg_type == RTM_NEWROUTE || nlh->nlmsg_type == RTM_DELROUTE) &&
	       nlh->nlmsg_len >= MNL_NLMSG_HDRLEN + sizeof(*rtm) && rtm->rtm_flags & RTM_F_CLONED;
}

/* --- generic netlink -------------------------------------------------------------------------------------- */
static const struct attr_rule family_rules[] = {
	{ CTRL_ATTR_FAMILY_ID, MNL_TYPE_U16, 0 },
	{ CTRL_ATTR_MCAST_GROUPS, MNL_TYPE_NESTED, 0 },
};
static const struct attr_table family_table = TABLE(family_rules, CTRL_ATTR_MCAST_GROUPS);

static const struct attr_rule group_rules[] = {
	{ CTRL_ATTR_MCAST_GRP_NAME, MNL_TYPE_NUL_STRING, 0 },
	{ CTRL_ATTR_MCAST_GRP_ID, MNL_TYPE_U32, 0 },
};
static const struct attr_table group_table = TABLE(group_rules, CTRL_ATTR_MCAST_GRP_ID);

static int find_group(const struct nlattr *groups, const char *name, uint32_t *ret)
{
	const struct nlattr *tb[CTRL_ATTR_MCAST_GRP_ID + 1], *attr;
	const void *pos = mnl_attr_get_payload(groups);
	ptrdiff_t left = mnl_attr_get_payload_len(groups);

	for (; (attr = attr_at(pos, left));
	     left -= MNL_ALIGN(attr->nla_len), pos = mnl_attr_next(attr)) {
		if (parse_nested(attr, &group_table, tb) || !tb[CTRL_ATTR_MCAST_GRP_NAME])
			return -EBADMSG;
		if (!strcmp(mnl_attr_get_str(tb[CTRL_ATTR_MCAST_GRP_NAME]), name))
			*ret = get_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
	}
	return left > 0 ? -EBADMSG : 0;
}

int nl_parse_family(const struct nlmsghdr *nlh, const char *group, struct nl_family *ret_family)
{
	const struct nlattr *tb[CTRL_ATTR_MCAST_GROUPS + 1];
	struct nl_family family = { 0 };

	if (!parse(nlh, GENL_HDRLEN, &family_table, tb) || !tb[CTRL_ATTR_FAMILY_ID])
		return -EBADMSG;
	family.id = get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	if (tb[CTRL_ATTR_MCAST_GROUPS] &&
	    find_group(tb[CTRL_ATTR_MCAST_GROUPS], group, &family.group))
		return -EBADMSG;
	*ret_family = family;
	return 0;
}

static const struct attr_rule netdev_rules[] = {
	{ NETDEV_A_DEV_IFINDEX_, MNL_TYPE_U32, 0 },
	{ NETDEV_A_DEV_XDP_FEATURES_, MNL_TYPE_U64, 0 },
};
static const struct attr_table netdev_table = TABLE(netdev_rules, NETDEV_A_DEV_MAX_);

int nl_parse_xdp_features(const struct nlmsghdr *nlh, uint32_t *ret_ifindex, uint64_t *ret_features)
{
	const struct nlattr *tb[NETDEV_A_DEV_MAX_ + 1];
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + GENL_HDRLEN)
		return -EBADMSG;
	if (genl->cmd != NETDEV_CMD_DEV_GET_ && genl->cmd != NETDEV_CMD_DEV_ADD_NTF_ &&
	    genl->cmd != NETDEV_CMD_DEV_CHANGE_NTF_)
		return NL_PARSE_SKIP;
	if (!parse(nlh, GENL_HDRLEN, &netdev_table, tb) || !tb[NETDEV_A_DEV_IFINDEX_] ||
	    !tb[NETDEV_A_DEV_XDP_FEATURES_])
		return -EBADMSG;
	*ret_ifindex = get_u32(tb[NETDEV_A_DEV_IFINDEX_]);
	*ret_features = mnl_attr_get_u64(tb[NETDEV_A_DEV_XDP_FEATURES_]);
	return 0;
}
