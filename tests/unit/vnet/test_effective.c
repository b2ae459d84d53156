// SPDX-License-Identifier: GPL-2.0-only
/*
 * Precedence, a row for each rule. The vnet is 10.1.0.0/16 and fd00:1::/48, peered with 10.2.0.0/16 and
 * fd00:2::/48, and protects 169.254.0.0/16 and fe80::/10. A row names the prefix, whether BGP offers it,
 * and every candidate that must come out: "User:Active", "VirtualNetworkGateway:UserRoute", ...
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnet/effective.h"

/* BGP offers this group, whoever announced it. */
#define OFFER(g)   (&(struct rib_offer){ .group = (g), .from = { (g), (g) } })

#define BGP_GROUP  7
#define USER_GROUP 9

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix parsed;

	cr_assert_eq(prefix_parse(text, &parsed), 0, "%s", text);
	return parsed;
}

enum { /* user routes of the table, by index */
	TO_APPLIANCE,
	TO_APPLIANCE6,
	TO_GATEWAY,
	TO_LOCAL,
	TO_INTERNET,
	TO_NOTHING,
	TO_PROTECTED,
	INSIDE_VNET,
	WITHOUT_GROUP,
	SECOND_OF_TWO,
	N_ROUTES,
};

static void make_routes(struct user_route *routes)
{
	static const struct {
		const char *prefix;
		enum next_hop_type type;
	} rows[N_ROUTES] = {
		[TO_APPLIANCE] = { "10.50.0.0/16", NEXT_HOP_VIRTUAL_APPLIANCE },
		[TO_APPLIANCE6] = { "fd50::/16", NEXT_HOP_VIRTUAL_APPLIANCE },
		[TO_GATEWAY] = { "10.51.0.0/16", NEXT_HOP_VIRTUAL_NETWORK_GATEWAY },
		[TO_LOCAL] = { "10.52.0.0/16", NEXT_HOP_VNET_LOCAL },
		[TO_INTERNET] = { "fd53::/16", NEXT_HOP_INTERNET },
		[TO_NOTHING] = { "10.54.0.0/16", NEXT_HOP_NONE },
		[TO_PROTECTED] = { "169.254.169.254/32", NEXT_HOP_NONE },
		[INSIDE_VNET] = { "10.1.9.0/24", NEXT_HOP_VIRTUAL_APPLIANCE },
		[WITHOUT_GROUP] = { "10.55.0.0/16", NEXT_HOP_VIRTUAL_NETWORK_GATEWAY },
		[SECOND_OF_TWO] = { "10.54.0.0/16", NEXT_HOP_INTERNET },
	};

	for (int i = 0; i < N_ROUTES; i++) {
		routes[i] = (struct user_route){ .prefix = prefix(rows[i].prefix),
						 .type = rows[i].type };
		if (rows[i].type == NEXT_HOP_VIRTUAL_APPLIANCE)
			routes[i].next_hop = ip_from_v4(0x0a010204);
	}
}

enum switches {
	PLAIN = 0,
	NO_BGP = 1,
	OWN_ALLOWED = 2
};

static struct effective_table *make_table(enum switches switches, bool user_routes)
{
	struct ip_prefix own[] = { prefix("10.1.0.0/16"), prefix("fd00:1::/48") };
	struct ip_prefix peered[] = { prefix("10.2.0.0/16"), prefix("fd00:2::/48") };
	struct ip_prefix protected[] = { prefix("169.254.0.0/16"), prefix("fe80::/10") };
	struct user_route routes[N_ROUTES];
	struct vnet_config vnet = {
		.prefixes = own, .n_prefixes = 2, .protected_prefixes = protected, .n_protected = 2
	};
	struct route_table_config config = { .disable_bgp_propagation = switches & NO_BGP,
					     .allow_own_prefixes = switches & OWN_ALLOWED,
					     .routes = routes,
					     .n_routes = user_routes ? N_ROUTES : 0 };
	struct effective_table *table;

	make_routes(routes);
	table = effective_table_new(&vnet, &config, peered, 2);
	cr_assert_not_null(table);
	for (size_t i = 0; i < config.n_routes; i++) {
		if (i != WITHOUT_GROUP)
			effective_set_user_group(table, i, USER_GROUP);
	}
	return table;
}

/* "User:Active VirtualNetworkGateway:UserRoute" */
static void describe(const struct effective_result *result, char *buf, size_t cap)
{
	size_t at = 0;

	buf[0] = 0;
	for (unsigned int i = 0; i < result->n_candidates; i++) {
		const struct effective_candidate *candidate = &result->candidates[i];
		bool active = candidate->reason == EFFECTIVE_NONE;

		cr_assert_eq(active, (int)i == result->winner);
		at += (size_t)snprintf(buf + at, cap - at, "%s%s:%s", i ? " " : "",
				       effective_source_name(candidate->source),
				       active ? "Active"
					      : effective_reason_name(candidate->reason));
	}
}

struct row {
	const char *rule; /* what the row shows */
	enum switches switches;
	const char *prefix;
	bool bgp; /* BGP offers a group */
	const char *candidates;
	int kind; /* enum xrs_route_kind of what is installed, or -1: nothing */
	uint32_t group;
};

#define STEER    XRS_ROUTE_STEER
#define LOCAL    XRS_ROUTE_LOCAL
#define INTERNET XRS_ROUTE_INTERNET
#define DROP     XRS_ROUTE_DROP
#define PROT     XRS_ROUTE_PROTECTED
#define VNG      "VirtualNetworkGateway"

static const struct row rows[] = {
	/* Rule 1: protected prefixes. */
	{ "a protected prefix passes", PLAIN, "169.254.0.0/16", false, "Default:Active", PROT, 0 },
	{ "the same, IPv6", PLAIN, "fe80::/10", false, "Default:Active", PROT, 0 },
	{ "BGP can not take it", PLAIN, "169.254.0.0/16", true, "Default:Active " VNG ":Protected",
	  PROT, 0 },
	{ "nor a part of it", PLAIN, "169.254.169.0/24", true, VNG ":Protected", -1, 0 },
	{ "nor a part of it, IPv6", PLAIN, "fe80:1::/32", true, VNG ":Protected", -1, 0 },
	{ "nor a user route", PLAIN, "169.254.169.254/32", false, "User:Protected", -1, 0 },
	{ "allowOwnPrefixes does not matter", OWN_ALLOWED, "169.254.1.0/24", true, VNG ":Protected",
	  -1, 0 },
	{ "what contains it is free", PLAIN, "169.0.0.0/8", true, VNG ":Active", STEER, BGP_GROUP },
	/* Rule 2: user, BGP, system. */
	{ "BGP alone", PLAIN, "10.250.0.0/16", true, VNG ":Active", STEER, BGP_GROUP },
	{ "BGP alone, IPv6", PLAIN, "fd99::/16", true, VNG ":Active", STEER, BGP_GROUP },
	{ "nobody", PLAIN, "10.250.0.0/16", false, "", -1, 0 },
	{ "a user route alone", PLAIN, "10.50.0.0/16", false, "User:Active", STEER, USER_GROUP },
	{ "a user route before BGP", PLAIN, "10.50.0.0/16", true, "User:Active " VNG ":UserRoute",
	  STEER, USER_GROUP },
	{ "the same, IPv6", PLAIN, "fd50::/16", true, "User:Active " VNG ":UserRoute", STEER,
	  USER_GROUP },
	{ "BGP before system", PLAIN, "0.0.0.0/0", true, VNG ":Active Default:BgpRoute", STEER,
	  BGP_GROUP },
	{ "the same, IPv6", PLAIN, "::/0", true, VNG ":Active Default:BgpRoute", STEER, BGP_GROUP },
	{ "the first of two user routes", PLAIN, "10.54.0.0/16", false, "User:Active", DROP, 0 },
	/* Rule 3: own prefixes. */
	{ "BGP equal to the vnet's", PLAIN, "10.1.0.0/16", true, VNG ":OwnPrefix Default:Active",
	  LOCAL, 0 },
	{ "the same, IPv6", PLAIN, "fd00:1::/48", true, VNG ":OwnPrefix Default:Active", LOCAL, 0 },
	{ "BGP inside the vnet's", PLAIN, "10.1.2.0/24", true, VNG ":OwnPrefix", -1, 0 },
	{ "the same, IPv6", PLAIN, "fd00:1:0:5::/64", true, VNG ":OwnPrefix", -1, 0 },
	{ "BGP equal to a peered vnet's", PLAIN, "10.2.0.0/16", true,
	  VNG ":OwnPrefix Default:Active", LOCAL, 0 },
	{ "BGP inside a peered vnet's", PLAIN, "fd00:2::/64", true, VNG ":OwnPrefix", -1, 0 },
	{ "BGP that contains it is free", PLAIN, "10.0.0.0/8", true, VNG ":Active", STEER,
	  BGP_GROUP },
	{ "BGP beside it is free", PLAIN, "10.3.0.0/16", true, VNG ":Active", STEER, BGP_GROUP },
	{ "a user route may be inside", PLAIN, "10.1.9.0/24", true, "User:Active " VNG ":OwnPrefix",
	  STEER, USER_GROUP },
	{ "allowed: BGP before VnetLocal", OWN_ALLOWED, "10.1.0.0/16", true,
	  VNG ":Active Default:BgpRoute", STEER, BGP_GROUP },
	{ "allowed: BGP inside", OWN_ALLOWED, "fd00:1::/64", true, VNG ":Active", STEER,
	  BGP_GROUP },
	{ "allowed: the user route still wins", OWN_ALLOWED, "10.1.9.0/24", true,
	  "User:Active " VNG ":UserRoute", STEER, USER_GROUP },
	/* Rule 4: disableBgpRoutePropagation. */
	{ "no BGP in this table", NO_BGP, "10.250.0.0/16", true, VNG ":PropagationDisabled", -1,
	  0 },
	{ "the system route is back", NO_BGP, "0.0.0.0/0", true,
	  VNG ":PropagationDisabled Default:Active", INTERNET, 0 },
	{ "user routes stay", NO_BGP, "10.50.0.0/16", true,
	  "User:Active " VNG ":PropagationDisabled", STEER, USER_GROUP },
	/* Rule 5: system routes and the types of user routes. */
	{ "the vnet", PLAIN, "10.1.0.0/16", false, "Default:Active", LOCAL, 0 },
	{ "a peered vnet", PLAIN, "fd00:2::/48", false, "Default:Active", LOCAL, 0 },
	{ "the Internet", PLAIN, "0.0.0.0/0", false, "Default:Active", INTERNET, 0 },
	{ "the Internet, IPv6", PLAIN, "::/0", false, "Default:Active", INTERNET, 0 },
	{ "VirtualNetworkGateway", PLAIN, "10.51.0.0/16", false, "User:Active", STEER, USER_GROUP },
	{ "VnetLocal", PLAIN, "10.52.0.0/16", false, "User:Active", LOCAL, 0 },
	{ "Internet", PLAIN, "fd53::/16", false, "User:Active", INTERNET, 0 },
	{ "None drops", PLAIN, "10.54.0.0/16", true, "User:Active " VNG ":UserRoute", DROP, 0 },
	{ "without a group BGP takes over", PLAIN, "10.55.0.0/16", true,
	  "User:NextHopUnresolved " VNG ":Active", STEER, BGP_GROUP },
	{ "without a group and BGP", PLAIN, "10.55.0.0/16", false, "User:NextHopUnresolved", -1,
	  0 },
};

Test(effective, rules)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct effective_table *table = make_table(row->switches, true);
		struct ip_prefix to = prefix(row->prefix);
		struct xrs_route route = { .kind = 77 };
		struct effective_result result;
		char text[256];

		effective_decide(table, &to, OFFER(row->bgp ? BGP_GROUP : 0), &result);
		describe(&result, text, sizeof(text));
		cr_assert_str_eq(text, row->candidates, "%s (%s): %s", row->rule, row->prefix,
				 text);
		cr_assert_eq(effective_route(&result, &route), row->kind >= 0, "%s", row->rule);
		cr_assert_eq((int)route.kind, row->kind < 0 ? 77 : row->kind, "%s", row->rule);
		cr_assert_eq(route.group, row->group, "%s", row->rule);
		effective_table_free(table);
	}
}

Test(effective, what_people_see)
{
	struct effective_table *table = make_table(PLAIN, true);
	struct effective_result result;
	struct ip_prefix to = prefix("10.50.0.0/16");

	effective_decide(table, &to, OFFER(BGP_GROUP), &result);
	cr_assert_eq(result.candidates[0].user_route, TO_APPLIANCE);
	cr_assert_eq(result.candidates[0].next_hop_type, NEXT_HOP_VIRTUAL_APPLIANCE);
	cr_assert_eq(ip_to_v4(&result.candidates[0].next_hop), 0x0a010204);
	cr_assert_eq(result.candidates[1].user_route, -1);
	cr_assert_eq(result.candidates[1].next_hop_type, NEXT_HOP_VIRTUAL_NETWORK_GATEWAY);
	cr_assert_eq(result.candidates[1].next_hop.family, IP_NONE);
	cr_assert_eq(result.candidates[1].group, BGP_GROUP);
	for (int reason = EFFECTIVE_PROTECTED; reason < EFFECTIVE_REASON_MAX; reason++) {
		cr_assert(effective_reason_name((enum effective_reason)reason)[0]);
		cr_assert(effective_reason_text((enum effective_reason)reason)[0]);
	}
	effective_table_free(table);
}

Test(effective, a_group_can_come_and_go)
{
	struct effective_table *table = make_table(PLAIN, true);
	struct effective_result result;
	struct ip_prefix to = prefix("10.55.0.0/16");

	cr_assert(effective_set_user_group(table, WITHOUT_GROUP, 3));
	cr_assert_not(effective_set_user_group(table, WITHOUT_GROUP, 3));
	effective_decide(table, &to, OFFER(0), &result);
	cr_assert_eq(result.winner, 0);
	cr_assert_eq(result.candidates[0].group, 3);
	cr_assert(effective_set_user_group(table, WITHOUT_GROUP, 0));
	effective_decide(table, &to, OFFER(0), &result);
	cr_assert_eq(result.winner, -1);
	cr_assert_not(effective_set_user_group(table, N_ROUTES, 3));
	effective_table_free(table);
}

Test(effective, fixed_prefixes_are_sorted_and_come_once)
{
	struct effective_table *table = make_table(PLAIN, true);
	struct ip_prefix other = prefix("10.250.0.0/16");
	size_t n = effective_fixed_count(table);

	/* Two defaults, two own, two peered, two protected, the user routes less one duplicate. */
	cr_assert_eq(n, 8 + N_ROUTES - 1);
	for (size_t i = 0; i < n; i++) {
		const struct ip_prefix *at = effective_fixed_prefix(table, i);

		cr_assert(effective_is_fixed(table, at));
		if (i)
			cr_assert(prefix_cmp(effective_fixed_prefix(table, i - 1), at) < 0);
	}
	cr_assert_not(effective_is_fixed(table, &other));
	effective_table_free(table);
}

Test(effective, reload_knows_when_bgp_routes_have_to_be_decided_again)
{
	struct effective_table *a = make_table(PLAIN, true), *b = make_table(PLAIN, false);
	struct effective_table *c = make_table(NO_BGP, true), *d = make_table(OWN_ALLOWED, true);

	cr_assert(effective_same_for_bgp(a, b));
	cr_assert_not(effective_same_for_bgp(a, c));
	cr_assert_not(effective_same_for_bgp(a, d));
	effective_table_free(a);
	effective_table_free(b);
	effective_table_free(c);
	effective_table_free(d);
}

Test(effective, a_vnet_that_is_everything_is_local_not_internet)
{
	struct ip_prefix all = prefix("0.0.0.0/0");
	struct vnet_config vnet = { .prefixes = &all, .n_prefixes = 1 };
	struct route_table_config config = { .name = "main" };
	struct effective_table *table = effective_table_new(&vnet, &config, NULL, 0);
	struct effective_result result;

	effective_decide(table, &all, OFFER(0), &result);
	cr_assert_eq(result.n_candidates, 1);
	cr_assert_eq(result.candidates[0].kind, XRS_ROUTE_LOCAL);
	effective_table_free(table);
}

#define OFFERS(all, nva, gateway)                           \
	{                                                   \
		.group = (all), .from = {(nva), (gateway) } \
	}

Test(effective, a_table_takes_one_kind_of_source_only)
{
	static const struct {
		uint32_t disabled;
		struct rib_offer offer;
		enum effective_reason reason;
		uint32_t group;
	} cases[] = {
		{ 0, OFFERS(1, 2, 3), EFFECTIVE_NONE, 1 },
		{ 1u << RIB_SOURCE_NVA, OFFERS(1, 2, 3), EFFECTIVE_NONE, 3 },
		{ 1u << RIB_SOURCE_GATEWAY, OFFERS(1, 2, 3), EFFECTIVE_NONE, 2 },
		{ 1u << RIB_SOURCE_GATEWAY, OFFERS(3, 0, 3), EFFECTIVE_PROPAGATION_DISABLED, 3 },
		{ 1u << RIB_SOURCE_NVA | 1u << RIB_SOURCE_GATEWAY, OFFERS(1, 2, 3),
		  EFFECTIVE_PROPAGATION_DISABLED, 1 },
	};
	struct vnet_config vnet = { .n_prefixes = 0 };
	struct ip_prefix to = prefix("10.250.0.0/16");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route_table_config config = { .disable_propagation_from =
							     cases[i].disabled };
		struct effective_table *table = effective_table_new(&vnet, &config, NULL, 0);
		struct effective_result result;

		cr_assert_not_null(table);
		effective_decide(table, &to, &cases[i].offer, &result);
		cr_assert_eq(result.n_candidates, 1, "row %zu", i);
		cr_assert_eq(result.candidates[0].reason, cases[i].reason, "row %zu", i);
		cr_assert_eq(result.candidates[0].group, cases[i].group, "row %zu", i);
		effective_table_free(table);
	}
}

Test(effective, a_lost_prefix_is_held_or_dropped_as_if_bgp_offered_it)
{
	struct effective_table *table = make_table(PLAIN, true);
	struct ip_prefix free_of_others = prefix("10.99.0.0/16"), user = prefix("10.50.0.0/16");
	struct ip_prefix all = prefix("0.0.0.0/0");
	struct effective_result result;
	struct xrs_route route;

	effective_decide_lost(table, &free_of_others, BGP_GROUP, &result);
	cr_assert_eq(result.winner, 0);
	cr_assert_str_eq(effective_reason_name(effective_why(&result.candidates[0])), "Held");
	cr_assert(effective_route(&result, &route));
	cr_assert(route.kind == XRS_ROUTE_STEER && route.group == BGP_GROUP);
	effective_decide_lost(table, &all, 0, &result);
	cr_assert_str_eq(effective_reason_name(effective_why(&result.candidates[0])), "Lost");
	cr_assert(effective_route(&result, &route));
	cr_assert(route.kind == XRS_ROUTE_DROP && route.source == XRS_SOURCE_BGP);
	cr_assert_eq(result.candidates[1].reason, EFFECTIVE_BGP_ROUTE, "Internet waits");
	effective_decide_lost(table, &user, 0, &result);
	cr_assert_eq(result.candidates[0].source, XRS_SOURCE_USER);
	cr_assert_eq(result.candidates[1].reason, EFFECTIVE_USER_ROUTE);
	effective_table_free(table);
}
