// SPDX-License-Identifier: GPL-2.0-only
/* Names, MAC addresses, lookups and release of the configured vnet. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vnet/vnet.h"

Test(vnet, mac_text)
{
	static const char *const bad[] = { "",
					   "02:00:00:00:01",
					   "02:00:00:00:01:0",
					   "02:00:00:00:01:011",
					   "02-00-00-00-01-01",
					   "02:00:00:00:01:0g",
					   "+2:00:00:00:01:01",
					   "02:00:00:00:01:01 ",
					   "02:00:00:0:001:01" };
	struct mac_addr mac = { { 9 } };
	char text[MAC_TEXT_MAX];

	cr_assert_eq(mac_parse("02:00:5E:ab:01:ff", &mac), 0);
	cr_assert_str_eq(mac_format(&mac, text), "02:00:5e:ab:01:ff");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(mac_parse(bad[i], &mac), -EINVAL, "'%s'", bad[i]);
	cr_assert_eq(mac.bytes[5], 0xff, "untouched on failure");
}

Test(vnet, names_become_names_of_pins)
{
	char longest[VNET_NAME_MAX], too_long[VNET_NAME_MAX + 1];

	memset(longest, 'a', sizeof(longest));
	memset(too_long, 'a', sizeof(too_long));
	longest[VNET_NAME_MAX - 1] = too_long[VNET_NAME_MAX] = 0;
	cr_assert(vnet_name_valid("prod-1_A"));
	cr_assert(vnet_name_valid(longest));
	cr_assert_not(vnet_name_valid(too_long));
	cr_assert_not(vnet_name_valid(""));
	cr_assert_not(vnet_name_valid("a.b"));
	cr_assert_not(vnet_name_valid("a/b"));
	cr_assert_not(vnet_name_valid("a:b"));
	cr_assert_not(vnet_name_valid("stra\xc3\x9f"
				      "e"));
}

Test(vnet, next_hop_types_have_azures_names)
{
	cr_assert_str_eq(next_hop_type_name(NEXT_HOP_VIRTUAL_APPLIANCE), "VirtualAppliance");
	cr_assert_str_eq(next_hop_type_name(NEXT_HOP_VIRTUAL_NETWORK_GATEWAY),
			 "VirtualNetworkGateway");
	cr_assert_str_eq(next_hop_type_name(NEXT_HOP_VNET_LOCAL), "VnetLocal");
	cr_assert_str_eq(next_hop_type_name(NEXT_HOP_INTERNET), "Internet");
	cr_assert_str_eq(next_hop_type_name(NEXT_HOP_NONE), "None");
}

static struct vnet_config *make_vnet(struct vnet_config *vnet)
{
	*vnet = (struct vnet_config){
		.prefixes = calloc(2, sizeof(*vnet->prefixes)),
		.n_prefixes = 2,
		.gateway_macs = calloc(1, sizeof(*vnet->gateway_macs)),
		.n_gateway_macs = 1,
		.protected_prefixes = calloc(1, sizeof(*vnet->protected_prefixes)),
		.n_protected = 1,
		.peerings = calloc(2, sizeof(*vnet->peerings)),
		.n_peerings = 2,
		.route_maps = calloc(1, sizeof(*vnet->route_maps)),
		.n_route_maps = 1,
		.route_tables = calloc(2, sizeof(*vnet->route_tables)),
		.n_route_tables = 2,
		.vnet_peerings = calloc(1, sizeof(*vnet->vnet_peerings)),
		.n_vnet_peerings = 1,
	};
	cr_assert_eq(prefix_parse("10.1.0.0/16", &vnet->prefixes[0]), 0);
	cr_assert_eq(prefix_parse("fd00:1::/48", &vnet->prefixes[1]), 0);
	strcpy(vnet->peerings[0].name, "fw-a");
	strcpy(vnet->peerings[1].name, "fw-b");
	strcpy(vnet->route_maps[0].name, "from-fw");
	strcpy(vnet->route_tables[0].name, "main");
	strcpy(vnet->route_tables[1].name, "dmz");
	vnet->route_tables[1].routes = calloc(3, sizeof(struct user_route));
	vnet->route_tables[1].n_routes = 3;
	return vnet;
}

Test(vnet, lookups)
{
	struct vnet_config config, *vnet = make_vnet(&config);
	struct ip_prefix prefix;
	struct ip_addr addr;

	cr_assert_eq(vnet_find_table(vnet, "dmz"), &vnet->route_tables[1]);
	cr_assert_null(vnet_find_table(vnet, "dm"));
	cr_assert_eq(vnet_find_peering(vnet, "fw-b"), &vnet->peerings[1]);
	cr_assert_null(vnet_find_peering(vnet, "fw-c"));
	cr_assert_eq(vnet_find_route_map(vnet, "from-fw"), &vnet->route_maps[0]);
	cr_assert_null(vnet_find_route_map(vnet, ""));
	cr_assert_eq(ip_parse("10.1.255.255", &addr), 0);
	cr_assert(vnet_contains(vnet, &addr));
	cr_assert_eq(ip_parse("10.2.0.0", &addr), 0);
	cr_assert_not(vnet_contains(vnet, &addr));
	cr_assert_eq(ip_parse("fd00:1:0:7::1", &addr), 0);
	cr_assert(vnet_contains(vnet, &addr));
	prefix = prefix_of(&addr, 56);
	cr_assert(vnet_covers(vnet, &prefix));
	prefix = prefix_of(&addr, 47);
	cr_assert_not(vnet_covers(vnet, &prefix));
	vnet_config_done(vnet);
}

Test(vnet, done_frees_everything_and_may_come_twice)
{
	struct vnet_config config, *vnet = make_vnet(&config);

	vnet_config_done(vnet);
	cr_assert_null(vnet->route_tables);
	vnet_config_done(vnet);
}
