// SPDX-License-Identifier: GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/net_model.h"
#include "net/nic_facts.h"

static struct net_model *model;

static void setup(void)
{
	model = net_model_new();
	cr_assert_not_null(model);
}

static void teardown(void)
{
	net_model_free(model);
}

TestSuite(net_model, .init = setup, .fini = teardown);

static struct net_link make_link(uint32_t ifindex, const char *name, const char *kind)
{
	struct net_link link = { .ifindex = ifindex,
				 .type = 1,
				 .up = true,
				 .carrier = true,
				 .mtu = 1500,
				 .parent_netns = NET_NETNS_HERE };

	snprintf(link.name, sizeof(link.name), "%s", name);
	snprintf(link.kind, sizeof(link.kind), "%s", kind);
	link.mac[0] = 2;
	link.mac[5] = (uint8_t)ifindex;
	return link;
}

static void add_link(uint32_t ifindex, const char *name, const char *kind)
{
	struct net_link link = make_link(ifindex, name, kind);

	cr_assert_eq(net_model_link_set(model, &link, NULL), NET_ADDED);
}

static void add_port(uint32_t ifindex, const char *name, uint32_t master)
{
	struct net_link link = make_link(ifindex, name, "tun");

	link.master = master;
	cr_assert_eq(net_model_link_set(model, &link, NULL), NET_ADDED);
}

static void add_neigh(uint32_t ifindex, const char *ip, uint8_t last, uint16_t nud)
{
	struct net_neigh neigh = { .ifindex = ifindex, .mac = { 2, 0, 0, 0, 0, last }, .nud = nud };

	cr_assert_eq(ip_parse(ip, &neigh.addr), 0);
	cr_assert_eq(net_model_neigh_set(model, &neigh), NET_ADDED);
}

static struct net_fdb make_fdb(uint32_t bridge, uint8_t last, uint16_t vlan, uint32_t port)
{
	return (struct net_fdb){
		.bridge = bridge, .mac = { 2, 0, 0, 0, 0, last }, .vlan = vlan, .port = port
	};
}

static void add_fdb(uint32_t bridge, uint8_t last, uint16_t vlan, uint32_t port)
{
	struct net_fdb fdb = make_fdb(bridge, last, vlan, port);

	cr_assert_eq(net_model_fdb_set(model, &fdb), NET_ADDED);
}

static struct ip_addr ip(const char *text)
{
	struct ip_addr addr;

	cr_assert_eq(ip_parse(text, &addr), 0, "%s", text);
	return addr;
}

/* One row for each part of a link that can change. */
static void set_name(struct net_link *l)
{
	strcpy(l->name, "other");
}
static void set_alt(struct net_link *l)
{
	strcpy(l->alt_names[0], "alt"), l->n_alt_names = 1;
}
static void set_alt_dropped(struct net_link *l)
{
	l->n_alt_names_dropped = 1;
}
static void set_alias(struct net_link *l)
{
	strcpy(l->if_alias, "alias");
}
static void set_group(struct net_link *l)
{
	l->group = 9;
}
static void set_master(struct net_link *l)
{
	l->master = 4;
}
static void set_kind(struct net_link *l)
{
	strcpy(l->kind, "veth");
}
static void set_tun(struct net_link *l)
{
	l->tun_type = NET_TUN_TAP;
}
static void set_mac(struct net_link *l)
{
	l->mac[3] = 9;
}
static void set_mtu(struct net_link *l)
{
	l->mtu = 9000;
}
static void set_down(struct net_link *l)
{
	l->up = false;
}
static void set_no_carrier(struct net_link *l)
{
	l->carrier = false;
}
static void set_parent(struct net_link *l)
{
	l->parent = 3;
}
static void set_netns(struct net_link *l)
{
	l->parent_netns = 0;
}
static void set_vlan(struct net_link *l)
{
	l->vlan_id = 3;
}
static void set_filtering(struct net_link *l)
{
	l->vlan_filtering = true;
}
static void set_prog(struct net_link *l)
{
	l->xdp_prog_id = 3;
}

Test(net_model, each_part_of_a_link_has_its_bit)
{
	static const struct {
		void (*change)(struct net_link *link);
		uint32_t bits;
	} rows[] = {
		{ set_name, NET_LINK_NAME },
		{ set_alt, NET_LINK_ALT_NAMES },
		{ set_alt_dropped, NET_LINK_ALT_NAMES },
		{ set_alias, NET_LINK_ALIAS },
		{ set_group, NET_LINK_GROUP },
		{ set_master, NET_LINK_MASTER },
		{ set_kind, NET_LINK_KIND },
		{ set_tun, NET_LINK_KIND },
		{ set_mac, NET_LINK_MAC },
		{ set_mtu, NET_LINK_MTU },
		{ set_down, NET_LINK_STATE },
		{ set_no_carrier, NET_LINK_STATE },
		{ set_parent, NET_LINK_PARENT },
		{ set_netns, NET_LINK_PARENT },
		{ set_vlan, NET_LINK_PARENT },
		{ set_filtering, NET_LINK_BRIDGE },
		{ set_prog, NET_LINK_XDP_PROG },
	};
	struct net_link link = make_link(7, "tap7", "tun");
	uint32_t changes;
	uint64_t version;

	cr_assert_eq(net_model_link_set(model, &link, &changes), NET_ADDED);
	cr_assert_eq(changes & NET_LINK_MATCH_KEYS, NET_LINK_MATCH_KEYS);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		version = net_model_version(model);
		cr_assert_eq(net_model_link_set(model, &link, &changes), NET_SAME, "row %zu", i);
		cr_assert_eq(net_model_version(model), version, "row %zu", i);
		rows[i].change(&link);
		cr_assert_eq(net_model_link_set(model, &link, &changes), NET_CHANGED, "row %zu", i);
		cr_assert_eq(changes, rows[i].bits, "row %zu: %#x", i, changes);
		cr_assert_gt(net_model_version(model), version, "row %zu", i);
	}
}

Test(net_model, features_and_vlans_survive_a_new_picture)
{
	struct net_port_vlans vlans = { .pvid = 5 };
	struct net_link link = make_link(7, "tap7", "tun");
	const struct net_link *held;

	net_vlans_add(&vlans, 5, 5, true);
	cr_assert_eq(net_model_link_features(model, 7, 4), -ENOENT);
	cr_assert_eq(net_model_link_vlans(model, 7, &vlans), -ENOENT);
	net_model_link_set(model, &link, NULL);
	cr_assert_eq(net_model_link_features(model, 7, 0), NET_CHANGED, "known to be none is news");
	cr_assert_eq(net_model_link_features(model, 7, 4), NET_CHANGED);
	cr_assert_eq(net_model_link_features(model, 7, 4), NET_SAME);
	cr_assert_eq(net_model_link_vlans(model, 7, &vlans), NET_CHANGED);
	cr_assert_eq(net_model_link_vlans(model, 7, &vlans), NET_SAME);
	link.mtu = 9000;
	net_model_link_set(model, &link, NULL);
	held = net_model_link(model, 7);
	cr_assert(held->xdp_features_known && held->xdp_features == 4);
	cr_assert(held->vlans && held->vlans->pvid == 5);
	cr_assert_eq(net_model_link_vlans(model, 7, NULL), NET_CHANGED);
	cr_assert_null(net_model_link(model, 7)->vlans);
}

Test(net_model, a_new_device_with_an_old_number_inherits_nothing)
{
	struct net_port_vlans vlans = { .pvid = 1 };

	add_link(7, "tap7", "tun");
	net_model_link_features(model, 7, 4);
	net_model_link_vlans(model, 7, &vlans);
	net_link_free(net_model_link_take(model, 7));
	add_link(7, "eth7", "veth");
	cr_assert_not(net_model_link(model, 7)->xdp_features_known);
	cr_assert_null(net_model_link(model, 7)->vlans);
}

Test(net_model, names)
{
	struct net_link link = make_link(7, "tap7", "tun");

	strcpy(link.alt_names[0], "first");
	strcpy(link.alt_names[1], "second-and-much-longer-than-a-name");
	link.n_alt_names = 2;
	net_model_link_set(model, &link, NULL);
	add_link(8, "tap8", "tun");
	cr_assert_eq(net_model_link_by_name(model, "tap8")->ifindex, 8);
	cr_assert_eq(net_model_link_by_name(model, "first")->ifindex, 7);
	cr_assert_eq(net_model_link_by_name(model, "second-and-much-longer-than-a-name")->ifindex,
		     7);
	cr_assert_null(net_model_link_by_name(model, "tap"));
	cr_assert_str_eq(net_model_link_name(model, 8), "tap8");
	cr_assert_str_eq(net_model_link_name(model, 9), "");
}

Test(net_model, a_link_takes_everything_of_its_own_with_it)
{
	struct net_addr addr = { .ifindex = 7, .addr = ip("10.0.0.1"), .prefix_len = 24 };
	struct net_link *taken;
	struct net_model_counts counts;

	add_link(7, "br0", "bridge");
	add_port(8, "tap8", 7);
	add_link(9, "eth9", "");
	add_neigh(7, "10.0.0.2", 2, 0x02);
	add_neigh(9, "10.0.0.2", 2, 0x02);
	add_fdb(7, 2, 0, 8);
	add_fdb(7, 3, 0, 7);
	cr_assert_eq(net_model_addr_set(model, &addr), NET_ADDED);
	taken = net_model_link_take(model, 8);
	cr_assert_str_eq(taken->name, "tap8");
	net_link_free(taken);
	cr_assert_eq(net_model_counts(model).fdb, 1,
		     "the port's entry is gone, the bridge's own stays");
	net_link_free(net_model_link_take(model, 7));
	counts = net_model_counts(model);
	cr_assert_eq(counts.links, 1);
	cr_assert_eq(counts.neighs, 1);
	cr_assert_eq(counts.fdb, 0);
	cr_assert_eq(counts.addrs, 0);
	cr_assert_null(net_model_link_take(model, 7));
}

Test(net_model, neighbour_states)
{
	static const struct {
		uint16_t nud;
		enum net_neigh_state state;
	} rows[] = {
		{ 0x00, NET_NEIGH_NONE },   { 0x01, NET_NEIGH_NONE },  { 0x02, NET_NEIGH_VALID },
		{ 0x04, NET_NEIGH_VALID },  { 0x08, NET_NEIGH_VALID }, { 0x10, NET_NEIGH_VALID },
		{ 0x20, NET_NEIGH_FAILED }, { 0x40, NET_NEIGH_VALID }, { 0x80, NET_NEIGH_VALID },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct net_neigh neigh = { .nud = rows[i].nud };

		cr_assert_eq(net_neigh_state(&neigh), rows[i].state, "%#x", rows[i].nud);
	}
}

Test(net_model, only_what_matters_of_a_neighbour_is_news)
{
	struct net_neigh neigh = {
		.ifindex = 7, .addr = ip("fd00::2"), .mac = { 2, 0, 0, 0, 0, 1 }, .nud = 0x02
	};

	cr_assert_eq(net_model_neigh_set(model, &neigh), NET_ADDED);
	neigh.nud = 0x04;
	cr_assert_eq(net_model_neigh_set(model, &neigh), NET_SAME, "reachable to stale");
	cr_assert_eq(net_model_neigh(model, 7, &neigh.addr)->nud, 0x04, "but it is stored");
	neigh.mac[5] = 9;
	cr_assert_eq(net_model_neigh_set(model, &neigh), NET_CHANGED);
	neigh.nud = 0x20;
	cr_assert_eq(net_model_neigh_set(model, &neigh), NET_CHANGED);
	cr_assert_null(net_model_neigh(model, 8, &neigh.addr), "another device's");
	cr_assert_eq(net_model_neigh_del(model, 7, &neigh.addr), NET_REMOVED);
	cr_assert_eq(net_model_neigh_del(model, 7, &neigh.addr), NET_SAME);
}

Test(net_model, fdb_keys_and_late_deletes)
{
	struct net_fdb entry = make_fdb(7, 1, 10, 8);
	struct net_fdb late;

	cr_assert_eq(net_model_fdb_set(model, &entry), NET_ADDED);
	cr_assert_eq(net_model_fdb_set(model, &entry), NET_SAME);
	late = entry;
	entry.port = 9;
	cr_assert_eq(net_model_fdb_set(model, &entry), NET_CHANGED, "the MAC moved");
	cr_assert_eq(net_model_fdb_del(model, &late), NET_SAME);
	cr_assert_eq(net_model_fdb(model, 7, entry.mac, 10)->port, 9);
	cr_assert_null(net_model_fdb(model, 7, entry.mac, 0), "another VLAN");
	cr_assert_null(net_model_fdb(model, 8, entry.mac, 10), "another bridge");
	cr_assert_eq(net_model_fdb_del(model, &entry), NET_REMOVED);
}

Test(net_model, own_addresses)
{
	struct net_addr a = { .ifindex = 7, .addr = ip("10.0.0.1"), .prefix_len = 24 };
	struct net_addr b = { .ifindex = 8, .addr = ip("10.0.0.1"), .prefix_len = 24 };
	struct ip_addr own = ip("10.0.0.1"), other = ip("10.0.0.2");

	net_model_addr_set(model, &a);
	cr_assert_eq(net_model_addr_set(model, &b), NET_ADDED);
	cr_assert_eq(net_model_addr_set(model, &b), NET_SAME);
	cr_assert(net_model_is_own_addr(model, &own));
	cr_assert_not(net_model_is_own_addr(model, &other));
	net_model_addr_del(model, &a);
	cr_assert(net_model_is_own_addr(model, &own), "still on the other link");
	net_model_addr_del(model, &b);
	cr_assert_not(net_model_is_own_addr(model, &own));
}

Test(net_model, vlan_sets)
{
	struct net_port_vlans vlans = { .pvid = 20 };

	net_vlans_add(&vlans, 20, 20, true);
	net_vlans_add(&vlans, 100, 4094, false);
	cr_assert(net_vlans_has(&vlans, 20) && net_vlans_untagged(&vlans, 20));
	cr_assert(net_vlans_has(&vlans, 4094) && !net_vlans_untagged(&vlans, 4094));
	cr_assert_not(net_vlans_has(&vlans, 99));
	cr_assert_not(net_vlans_has(&vlans, 4095));
	cr_assert_not(net_vlans_has(NULL, 20));
	net_vlans_add(&vlans, 20, 20, false);
	cr_assert_not(net_vlans_untagged(&vlans, 20), "now it leaves tagged");
	net_vlans_del(&vlans, 1, 4094);
	cr_assert_eq(vlans.pvid, 0);
	cr_assert_not(net_vlans_has(&vlans, 4094));
}

Test(net_model, bridges_of_devices)
{
	struct net_link vlan = make_link(9, "br0.30", "vlan");
	struct net_port_vlans self = { .pvid = 1 };
	struct net_link bridge = make_link(7, "br0", "bridge");
	uint16_t id = 99, tag = 99;

	vlan.parent = 7;
	vlan.vlan_id = 30;
	vlan.vlan_proto = 0x8100;
	net_model_link_set(model, &bridge, NULL);
	net_model_link_set(model, &vlan, NULL);
	add_link(5, "eth0", "");
	cr_assert_eq(net_model_bridge_of(model, 5, &id, &tag), 0);
	cr_assert_eq(net_model_bridge_of(model, 4, &id, &tag), 0);
	cr_assert_eq(net_model_bridge_of(model, 7, &id, &tag), 7);
	cr_assert(id == 0 && tag == 0);
	cr_assert_eq(net_model_bridge_of(model, 9, &id, &tag), 7);
	cr_assert(id == 0 && tag == 30, "no filter: one FDB for all VLANs");
	bridge.vlan_filtering = true;
	net_model_link_set(model, &bridge, NULL);
	net_model_link_vlans(model, 7, &self);
	net_model_bridge_of(model, 7, &id, &tag);
	cr_assert(id == 1 && tag == 0);
	net_model_bridge_of(model, 9, &id, &tag);
	cr_assert(id == 30 && tag == 30);
	vlan.vlan_proto = 0x88a8;
	net_model_link_set(model, &vlan, NULL);
	cr_assert_eq(net_model_bridge_of(model, 9, &id, &tag), 0);
	vlan.vlan_proto = 0x8100;
	vlan.parent_netns = 3;
	net_model_link_set(model, &vlan, NULL);
	cr_assert_eq(net_model_bridge_of(model, 9, &id, &tag), 0,
		     "7 is another namespace's number");
}

Test(net_model, where_an_address_lives)
{
	struct net_fdb own = { .mac = { 2, 0, 0, 0, 0, 2 }, .local = true };
	struct ip_addr vm = ip("10.0.0.2"), unknown = ip("10.0.0.9"), routed = ip("10.5.0.2");

	add_link(7, "br0", "bridge");
	add_port(8, "tap8", 7);
	add_link(5, "tapr", "tun");
	add_neigh(7, "10.0.0.2", 2, 0x02);
	cr_assert_eq(net_model_port_of_ip(model, 7, &vm), 0, "no FDB entry yet");
	add_fdb(7, 2, 0, 8);
	cr_assert_eq(net_model_port_of_ip(model, 7, &vm), 8);
	cr_assert_eq(net_model_port_of_ip(model, 0, &vm), 8);
	cr_assert_eq(net_model_port_of_ip(model, 0, &unknown), 0);
	cr_assert_eq(net_model_port_of_ip(model, 5, &vm), 0);
	own.bridge = own.port = 7;
	cr_assert_eq(net_model_fdb_set(model, &own), NET_CHANGED);
	cr_assert_eq(net_model_port_of_ip(model, 7, &vm), 0, "an address of the bridge itself");
	own = make_fdb(7, 2, 0, 8);
	cr_assert_eq(net_model_fdb_set(model, &own), NET_CHANGED);
	add_neigh(5, "10.5.0.2", 3, 0x04);
	cr_assert_eq(net_model_port_of_ip(model, 0, &routed), 5, "a routed tap is its own port");
	add_neigh(5, "10.0.0.2", 4, 0x02);
	cr_assert_eq(net_model_port_of_ip(model, 0, &vm), 5, "the lowest ifindex of two vnets");
	cr_assert_eq(net_model_port_of_ip(model, 7, &vm), 8);
}

Test(net_model, mark_and_sweep)
{
	struct net_link link = make_link(8, "tap8", "tun");
	struct net_fdb fdb = make_fdb(7, 2, 0, 8);

	add_link(7, "br0", "bridge");
	add_link(8, "tap8", "tun");
	add_link(9, "tap9", "tun");
	for (unsigned int i = 0; i < 3000; i++) {
		struct net_neigh neigh = { .ifindex = 7, .addr = ip_from_v4(0x0a000000 + i) };

		net_model_neigh_set(model, &neigh);
	}
	add_fdb(7, 2, 0, 8);
	add_fdb(7, 3, 0, 9);
	net_model_mark(model);
	net_model_link_set(model, &link, NULL);
	net_model_fdb_set(model, &fdb);
	for (unsigned int i = 0; i < 10; i++) {
		struct net_neigh neigh = { .ifindex = 7, .addr = ip_from_v4(0x0a000000 + i * 7) };

		cr_assert_eq(net_model_neigh_set(model, &neigh), NET_SAME);
	}
	cr_assert_eq(net_model_sweep(model, NET_CLASS_NEIGH), 2990);
	cr_assert_eq(net_model_sweep(model, NET_CLASS_FDB), 1);
	cr_assert_eq(net_model_sweep(model, NET_CLASS_LINK), 0, "links are taken one by one");
	for (uint32_t left, n = 0; (left = net_model_unmarked_link(model)); n++) {
		cr_assert(n < 2 && (left == 7 || left == 9));
		net_link_free(net_model_link_take(model, left));
	}
	cr_assert_eq(net_model_counts(model).links, 1);
	cr_assert_eq(net_model_counts(model).neighs, 0, "they went with their bridge");
}

Test(net_model, tables_are_bounded)
{
	struct net_neigh neigh = { .ifindex = 7 };

	for (unsigned int i = 0; i < NET_NEIGHS_MAX; i++) {
		neigh.addr = ip_from_v4(0x0a000000 + i);
		cr_assert_eq(net_model_neigh_set(model, &neigh), NET_ADDED);
	}
	neigh.addr = ip("192.0.2.1");
	cr_assert_eq(net_model_neigh_set(model, &neigh), -ENOSPC);
	cr_assert_eq(net_model_counts(model).refused, 1);
	neigh.addr = ip_from_v4(0x0a000000);
	neigh.nud = 0x02;
	cr_assert_eq(net_model_neigh_set(model, &neigh), NET_CHANGED, "a full table still changes");
}

Test(net_model, facts_for_nic_rules)
{
	struct net_link link = make_link(8, "tap8", "tun");
	struct nic_facts facts;

	add_link(7, "br0", "bridge");
	link.master = 7;
	link.group = 3;
	strcpy(link.if_alias, "vm one");
	strcpy(link.alt_names[0], "alt");
	link.n_alt_names = 1;
	net_nic_facts(model, &link, &facts);
	cr_assert_str_eq(facts.name, "tap8");
	cr_assert_str_eq(facts.master, "br0");
	cr_assert_str_eq(facts.kind, "tun");
	cr_assert_str_eq(facts.if_alias, "vm one");
	cr_assert_str_eq(facts.alt_names[0], "alt");
	cr_assert(facts.ifindex == 8 && facts.group == 3 && facts.n_alt_names == 1);
	cr_assert_arr_eq(facts.mac.bytes, link.mac, 6);
}
