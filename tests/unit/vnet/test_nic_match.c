// SPDX-License-Identifier: GPL-2.0-only
/* Nic rules: a row says which patterns of which key, and whether tap0 of bridge br-prod matches them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "vnet/nic_match.h"

static const struct nic_facts tap0 = {
	.ifindex = 12,
	.name = "tap0",
	.alt_names = { "vm1-eth0", "enp0s7" },
	.n_alt_names = 2,
	.if_alias = "vm1 of prod",
	.group = 42,
	.master = "br-prod",
	.kind = "tun",
	.mac = { { 0x02, 0xab, 0, 0, 0, 0x01 } },
};

static void add_pattern(struct nic_rule *rule, enum nic_match_key key, const char *pattern)
{
	size_t n = rule->n_patterns[key] + 1;

	rule->patterns[key] = reallocarray(rule->patterns[key], n, sizeof(char *));
	cr_assert_not_null(rule->patterns[key]);
	rule->patterns[key][n - 1] = strdup(pattern);
	rule->n_patterns[key] = n;
}

static const struct row {
	const char *rule;
	enum nic_match_key key;
	const char *patterns[3];
	bool matches;
} rows[] = {
	{ "the name", NIC_MATCH_NAME, { "tap0" }, true },
	{ "a glob", NIC_MATCH_NAME, { "tap*" }, true },
	{ "a set", NIC_MATCH_NAME, { "tap[0-3]" }, true },
	{ "one character", NIC_MATCH_NAME, { "tap?" }, true },
	{ "the whole name, not a part", NIC_MATCH_NAME, { "tap" }, false },
	{ "case counts", NIC_MATCH_NAME, { "TAP0" }, false },
	{ "any of several", NIC_MATCH_NAME, { "vnet*", "tap*" }, true },
	{ "none of several", NIC_MATCH_NAME, { "vnet*", "veth*" }, false },
	{ "excluded", NIC_MATCH_NAME, { "tap*", "!tap0" }, false },
	{ "excluded, the order does not matter", NIC_MATCH_NAME, { "!tap0", "tap*" }, false },
	{ "another one is excluded", NIC_MATCH_NAME, { "tap*", "!tap1" }, true },
	{ "only exclusions", NIC_MATCH_NAME, { "!veth*", "!docker*" }, true },
	{ "only exclusions, one of them hits", NIC_MATCH_NAME, { "!veth*", "!tap*" }, false },
	{ "the second alternative name", NIC_MATCH_ALT_NAME, { "enp*" }, true },
	{ "an excluded alternative name", NIC_MATCH_ALT_NAME, { "vm1*", "!enp0s7" }, false },
	{ "no such alternative name", NIC_MATCH_ALT_NAME, { "tap0" }, false },
	{ "the alias", NIC_MATCH_IF_ALIAS, { "* of prod" }, true },
	{ "the group as a number", NIC_MATCH_GROUP, { "42" }, true },
	{ "another group", NIC_MATCH_GROUP, { "4" }, false },
	{ "the bridge", NIC_MATCH_MASTER, { "br-prod" }, true },
	{ "another bridge", NIC_MATCH_MASTER, { "br-dev" }, false },
	{ "the kind", NIC_MATCH_KIND, { "tun" }, true },
	{ "physical means no kind", NIC_MATCH_KIND, { "" }, false },
	{ "the MAC", NIC_MATCH_MAC, { "02:ab:00:00:00:01" }, true },
	{ "a MAC in capitals", NIC_MATCH_MAC, { "02:AB:*" }, true },
	{ "another MAC", NIC_MATCH_MAC, { "02:ac:*" }, false },
};

Test(nic_match, one_key)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nic_rule rule = { .symmetric = true };

		for (int p = 0; p < 3 && rows[i].patterns[p]; p++)
			add_pattern(&rule, rows[i].key, rows[i].patterns[p]);
		cr_assert_eq(nic_rule_matches(&rule, &tap0), rows[i].matches, "%s", rows[i].rule);
		nic_rule_done(&rule);
	}
}

Test(nic_match, all_keys_must_hold)
{
	struct nic_rule rule = { .symmetric = true };

	cr_assert(nic_rule_matches(&rule, &tap0), "no key is no condition");
	add_pattern(&rule, NIC_MATCH_NAME, "tap*");
	add_pattern(&rule, NIC_MATCH_MASTER, "br-prod");
	cr_assert(nic_rule_matches(&rule, &tap0));
	add_pattern(&rule, NIC_MATCH_GROUP, "7");
	cr_assert_not(nic_rule_matches(&rule, &tap0));
	nic_rule_done(&rule);
}

Test(nic_match, no_alternative_names_match_no_pattern)
{
	struct nic_facts facts = tap0;
	struct nic_rule rule = { .symmetric = true };

	facts.n_alt_names = 0;
	add_pattern(&rule, NIC_MATCH_ALT_NAME, "*");
	cr_assert_not(nic_rule_matches(&rule, &facts));
	nic_rule_done(&rule);
	add_pattern(&rule, NIC_MATCH_ALT_NAME, "!vm1*");
	cr_assert(nic_rule_matches(&rule, &facts));
	nic_rule_done(&rule);
}

Test(nic_match, first_rule_wins_and_bridges_and_loopback_never_do)
{
	struct nic_rule rules[3] = { { .symmetric = true } };
	struct nic_facts facts = tap0;

	add_pattern(&rules[0], NIC_MATCH_NAME, "veth*");
	add_pattern(&rules[1], NIC_MATCH_NAME, "tap*");
	cr_assert_eq(nic_match(rules, 3, &facts), 1);
	cr_assert_eq(nic_match(rules, 1, &facts), -1);
	strcpy(facts.name, "eth0");
	cr_assert_eq(nic_match(rules, 3, &facts), 2);
	strcpy(facts.kind, "bridge");
	cr_assert_eq(nic_match(rules, 3, &facts), -1);
	facts = tap0;
	facts.ifindex = 1;
	cr_assert_eq(nic_match(rules, 3, &facts), -1);
	for (int i = 0; i < 3; i++)
		nic_rule_done(&rules[i]);
}

Test(nic_match, done_frees_everything_and_may_come_twice)
{
	struct nic_rule rule = { .sources = calloc(2, sizeof(struct ip_prefix)), .n_sources = 2 };

	for (int key = 0; key < NIC_MATCH_KEYS; key++)
		add_pattern(&rule, (enum nic_match_key)key, "x");
	nic_rule_done(&rule);
	cr_assert_eq(rule.n_sources, 0);
	nic_rule_done(&rule);
}
