// SPDX-License-Identifier: GPL-2.0-only
/* Route maps: a row for each condition, each action, and the order of rules. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "rib_lab.h"

static struct policy_result result;
static uint8_t communities_in[] = { 0xfd, 0xe9, 0, 1, 0xfd, 0xe9, 0, 2 };
static uint8_t large_in[] = { 0, 0, 0xfd, 0xe9, 0, 0, 0, 1, 0, 0, 0, 2 };
static uint8_t path_in[64];

#define C1 0xfde90001u
#define C2 0xfde90002u
#define C3 0xfde90003u
static const struct bgp_large_community L1 = { 65001, 1, 2 }, L2 = { 65001, 3, 4 };

/* AS_PATH 65001 65002, communities C1 C2, large L1, next hop 192.0.2.1. */
static struct bgp_attrs route(void)
{
	static const uint32_t asns[] = { 65001, 65002 };

	return (struct bgp_attrs){
		.has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH | BGP_HAS_COMMUNITIES | BGP_HAS_LARGE,
		.next_hop = lab_ip("192.0.2.1"),
		.as_path = { path_in,
			     (uint32_t)aspath_from_asns(asns, 2, path_in, sizeof(path_in)) },
		.communities = { communities_in, sizeof(communities_in) },
		.large_communities = { large_in, sizeof(large_in) },
	};
}

static void apply(struct policy_rule *rules, size_t n, const char *prefix, uint8_t *verdicts)
{
	struct route_map map = { .rules = rules, .n_rules = n };
	struct bgp_attrs attrs = route();
	struct ip_prefix p = lab_prefix(prefix);

	route_map_apply(&map, &p, &attrs, &result, verdicts);
}

static const struct prefix_row {
	const char *listed;
	enum policy_op op;
	uint8_t ge, le;
	const char *prefix;
	bool matches;
} prefix_rows[] = {
	{ "10.0.0.0/8", POLICY_EQUALS, 0, 0, "10.0.0.0/8", true },
	{ "10.0.0.0/8", POLICY_EQUALS, 0, 0, "10.1.0.0/16", false },
	{ "10.0.0.0/8", POLICY_CONTAINS, 0, 0, "10.0.0.0/8", true },
	{ "10.0.0.0/8", POLICY_CONTAINS, 0, 0, "10.1.0.0/16", true },
	{ "10.0.0.0/8", POLICY_CONTAINS, 0, 0, "0.0.0.0/0", false },
	{ "10.0.0.0/8", POLICY_CONTAINS, 0, 0, "11.0.0.0/8", false },
	{ "10.0.0.0/8", POLICY_CONTAINS, 16, 0, "10.0.0.0/8", false },
	{ "10.0.0.0/8", POLICY_CONTAINS, 16, 0, "10.1.0.0/16", true },
	{ "10.0.0.0/8", POLICY_CONTAINS, 16, 24, "10.1.1.0/24", true },
	{ "10.0.0.0/8", POLICY_CONTAINS, 16, 24, "10.1.1.128/25", false },
	{ "10.0.0.0/8", POLICY_CONTAINS, 0, 16, "10.0.0.0/15", true },
	{ "10.0.0.0/8", POLICY_CONTAINS, 0, 16, "10.0.0.0/17", false },
	{ "fd00::/8", POLICY_CONTAINS, 0, 64, "fd00:1::/64", true },
	{ "fd00::/8", POLICY_CONTAINS, 0, 64, "10.0.0.0/8", false },
};

Test(policy, prefixes)
{
	for (size_t i = 0; i < sizeof(prefix_rows) / sizeof(prefix_rows[0]); i++) {
		const struct prefix_row *row = &prefix_rows[i];
		struct policy_prefix list[2] = { { .prefix = lab_prefix("203.0.113.0/24") },
						 { lab_prefix(row->listed), row->op, row->ge,
						   row->le } };
		struct policy_rule rule = { .match = { .prefixes = list, .n_prefixes = 2 },
					    .drop = true };

		apply(&rule, 1, row->prefix, NULL);
		cr_assert_eq(result.permit, !row->matches, "row %zu", i);
		cr_assert_eq(result.last_rule, row->matches ? 0 : -1);
	}
}

static uint32_t c1[] = { C1 }, c3[] = { C3 }, c1c2[] = { C1, C2 }, c1c3[] = { C1, C3 };
static uint32_t as1[] = { 65001 }, as12[] = { 65001, 65002 }, as9[] = { 9 }, as92[] = { 9, 65002 };
static uint32_t as21[] = { 65002, 65001 };
static struct bgp_large_community large_both[2], large_one[1], large_other[1];

static const struct match_row {
	struct policy_match match;
	bool matches;
} match_rows[] = {
	{ { .n_prefixes = 0 }, true },
	{ { .community_op = POLICY_EQUALS, .communities = c1, .n_communities = 1 }, true },
	{ { .community_op = POLICY_EQUALS, .communities = c1c2, .n_communities = 2 }, true },
	{ { .community_op = POLICY_EQUALS, .communities = c1c3, .n_communities = 2 }, false },
	{ { .community_op = POLICY_CONTAINS, .communities = c1c3, .n_communities = 2 }, true },
	{ { .community_op = POLICY_CONTAINS, .communities = c3, .n_communities = 1 }, false },
	{ { .large_op = POLICY_EQUALS, .large = large_one, .n_large = 1 }, true },
	{ { .large_op = POLICY_EQUALS, .large = large_both, .n_large = 2 }, false },
	{ { .large_op = POLICY_CONTAINS, .large = large_both, .n_large = 2 }, true },
	{ { .large_op = POLICY_CONTAINS, .large = large_other, .n_large = 1 }, false },
	{ { .as_path_op = POLICY_EQUALS, .as_path = as12, .n_as_path = 2 }, true },
	{ { .as_path_op = POLICY_EQUALS, .as_path = as1, .n_as_path = 1 }, false },
	{ { .as_path_op = POLICY_EQUALS, .as_path = as21, .n_as_path = 2 }, false },
	{ { .as_path_op = POLICY_EQUALS, .as_path_given = true }, false },
	{ { .as_path_op = POLICY_CONTAINS, .as_path = as92, .n_as_path = 2 }, true },
	{ { .as_path_op = POLICY_CONTAINS, .as_path = as9, .n_as_path = 1 }, false },
	/* All conditions must hold. */
	{ { .communities = c1, .n_communities = 1, .as_path = as12, .n_as_path = 2 }, true },
	{ { .communities = c1, .n_communities = 1, .as_path = as21, .n_as_path = 2 }, false },
};

Test(policy, communities_and_paths)
{
	large_one[0] = large_both[0] = L1;
	large_other[0] = large_both[1] = L2;
	for (size_t i = 0; i < sizeof(match_rows) / sizeof(match_rows[0]); i++) {
		struct policy_rule rule = { .match = match_rows[i].match, .drop = true };

		apply(&rule, 1, "10.0.0.0/8", NULL);
		cr_assert_eq(result.permit, !match_rows[i].matches, "row %zu", i);
	}
}

Test(policy, empty_path_is_a_condition_of_its_own)
{
	struct policy_rule rule = { .match = { .as_path_given = true }, .drop = true };
	struct route_map map = { .rules = &rule, .n_rules = 1 };
	struct bgp_attrs attrs = { .has = BGP_HAS_AS_PATH };
	struct ip_prefix p = lab_prefix("10.0.0.0/8");

	route_map_apply(&map, &p, &attrs, &result, NULL);
	cr_assert_not(result.permit);
}

static const char *path_text(void)
{
	static char text[256];

	return aspath_format(result.attrs.as_path, text, sizeof(text));
}

Test(policy, as_path_actions)
{
	struct policy_rule rule = { .as_path_action = POLICY_LIST_ADD,
				    .as_path = as92,
				    .n_as_path = 2 };

	apply(&rule, 1, "10.0.0.0/8", NULL);
	cr_assert(result.permit && result.changed);
	cr_assert_str_eq(path_text(), "9 65002 65001 65002");
	rule.as_path_action = POLICY_LIST_REPLACE;
	apply(&rule, 1, "10.0.0.0/8", NULL);
	cr_assert_str_eq(path_text(), "9 65002");
	rule.n_as_path = 0;
	apply(&rule, 1, "10.0.0.0/8", NULL);
	cr_assert_str_eq(path_text(), "");
	cr_assert(result.attrs.has & BGP_HAS_AS_PATH);
}

static void expect_communities(const uint32_t *want, unsigned int n)
{
	cr_assert_eq(community_count(result.attrs.communities), n);
	cr_assert_eq(!!(result.attrs.has & BGP_HAS_COMMUNITIES), n > 0);
	for (unsigned int i = 0; i < n; i++)
		cr_assert_eq(community_get(result.attrs.communities, i), want[i]);
}

Test(policy, community_actions)
{
	struct policy_rule rule = { .community_action = POLICY_LIST_ADD,
				    .communities = c1c3,
				    .n_communities = 2 };
	uint32_t all[] = { C1, C2, C3 }, second[] = { C2 };

	apply(&rule, 1, "10.0.0.0/8", NULL);
	expect_communities(all, 3);
	rule.community_action = POLICY_LIST_REPLACE;
	apply(&rule, 1, "10.0.0.0/8", NULL);
	expect_communities(c1c3, 2);
	rule.community_action = POLICY_LIST_REMOVE;
	apply(&rule, 1, "10.0.0.0/8", NULL);
	expect_communities(second, 1);
	rule.communities = c1c2;
	apply(&rule, 1, "10.0.0.0/8", NULL);
	expect_communities(NULL, 0);
	rule.communities = c1;
	rule.n_communities = 1;
	rule.community_action = POLICY_LIST_ADD;
	apply(&rule, 1, "10.0.0.0/8", NULL);
	cr_assert_not(result.changed, "it was there already");
}

Test(policy, large_community_actions)
{
	struct policy_rule rule = { .large_action = POLICY_LIST_ADD,
				    .large = large_both,
				    .n_large = 2 };

	large_both[0] = L1;
	large_both[1] = L2;
	apply(&rule, 1, "10.0.0.0/8", NULL);
	cr_assert_eq(large_community_count(result.attrs.large_communities), 2);
	cr_assert(large_community_contains(result.attrs.large_communities, L2));
	rule.large_action = POLICY_LIST_REMOVE;
	apply(&rule, 1, "10.0.0.0/8", NULL);
	cr_assert_eq(large_community_count(result.attrs.large_communities), 0);
	cr_assert_not(result.attrs.has & BGP_HAS_LARGE);
	rule.large_action = POLICY_LIST_REPLACE;
	rule.large = large_both + 1;
	rule.n_large = 1;
	apply(&rule, 1, "10.0.0.0/8", NULL);
	cr_assert_not(large_community_contains(result.attrs.large_communities, L1));
	cr_assert(large_community_contains(result.attrs.large_communities, L2));
}

Test(policy, numbers_and_next_hop)
{
	struct policy_rule rule = { .set_med = true,
				    .med = 5,
				    .set_local_pref = true,
				    .local_pref = 200,
				    .set_weight = true,
				    .weight = 300,
				    .set_next_hop = true,
				    .next_hop = lab_ip("192.0.2.99") };

	apply(&rule, 1, "10.0.0.0/8", NULL);
	cr_assert(result.attrs.has & BGP_HAS_MED && result.attrs.med == 5);
	cr_assert(result.attrs.has & BGP_HAS_LOCAL_PREF && result.attrs.local_pref == 200);
	cr_assert_eq(result.weight, 300);
	cr_assert(ip_equal(&result.attrs.next_hop, &rule.next_hop));
	apply(&rule, 1, "fd00::/8", NULL);
	cr_assert_not(ip_equal(&result.attrs.next_hop, &rule.next_hop), "not for IPv6");
}

Test(policy, order_of_rules)
{
	struct policy_rule rules[4] = {
		{ .community_action = POLICY_LIST_ADD, .communities = c3, .n_communities = 1 },
		{ .match = { .communities = c3, .n_communities = 1 }, .set_med = true, .med = 1 },
		{ .match = { .as_path = as9, .n_as_path = 1 }, .drop = true },
		{ .set_med = true, .med = 2, .terminate = true },
	};
	uint8_t verdicts[4];

	apply(rules, 4, "10.0.0.0/8", verdicts);
	cr_assert_eq(memcmp(verdicts, "\2\2\1\2", 4), 0, "a rule sees what earlier ones made");
	cr_assert_eq(result.attrs.med, 2);
	cr_assert_eq(result.last_rule, 3);
	rules[1].terminate = true;
	apply(rules, 4, "10.0.0.0/8", verdicts);
	cr_assert_eq(memcmp(verdicts, "\2\2\0\0", 4), 0);
	cr_assert_eq(result.attrs.med, 1);
	rules[0].drop = true;
	apply(rules, 4, "10.0.0.0/8", verdicts);
	cr_assert_eq(memcmp(verdicts, "\2\0\0\0", 4), 0);
	cr_assert_not(result.permit);
	cr_assert_eq(result.last_rule, 0);
}

Test(policy, end_of_list_permits)
{
	apply(NULL, 0, "10.0.0.0/8", NULL);
	cr_assert(result.permit && !result.changed);
	cr_assert_eq(result.last_rule, -1);
}

/* What does not fit into the scratch drops the route: never half a change. */
Test(policy, too_much_is_dropped)
{
	enum {
		N = 3000
	};
	static uint32_t many[N];
	struct policy_rule rule = { .community_action = POLICY_LIST_ADD,
				    .communities = many,
				    .n_communities = N };

	for (uint32_t i = 0; i < N; i++)
		many[i] = 1000 + i;
	apply(&rule, 1, "10.0.0.0/8", NULL);
	cr_assert_not(result.permit);
}

static void *copy_of(const void *data, size_t len)
{
	void *copy = malloc(len);

	return memcpy(copy, data, len);
}

static struct route_map owned_map(void)
{
	struct policy_prefix prefix = { .prefix = lab_prefix("10.0.0.0/8"), .op = POLICY_CONTAINS };
	struct policy_rule rule = { .name = "one",
				    .match = { .prefixes = copy_of(&prefix, sizeof(prefix)),
					       .n_prefixes = 1,
					       .communities = copy_of(c1, sizeof(c1)),
					       .n_communities = 1 },
				    .large_action = POLICY_LIST_ADD,
				    .large = copy_of(&L1, sizeof(L1)),
				    .n_large = 1 };

	return (struct route_map){ .name = "m",
				   .rules = copy_of(&rule, sizeof(rule)),
				   .n_rules = 1 };
}

Test(policy, equality_and_end)
{
	struct route_map a = owned_map(), b = owned_map();

	cr_assert(route_map_equal(&a, &b));
	cr_assert(route_map_equal(NULL, NULL));
	cr_assert_not(route_map_equal(&a, NULL));
	b.rules[0].match.prefixes[0].ge = 9;
	cr_assert_not(route_map_equal(&a, &b));
	b.rules[0].match.prefixes[0].ge = 0;
	b.rules[0].large[0].local2++;
	cr_assert_not(route_map_equal(&a, &b));
	b.rules[0].large[0].local2--;
	b.rules[0].terminate = true;
	cr_assert_not(route_map_equal(&a, &b));
	route_map_done(&a);
	route_map_done(&b);
	route_map_done(&b);
	route_map_done(NULL);
}
