// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nic rules against the facts of one link. Called by agent/node_nic.c for each link that appears or
 * changes, and by the configuration's release. Must never ask the host: what it is told is all it knows.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnet/nic_match.h"

/* The loopback device is the first of every network namespace, and it is never steered. */
#define LOOPBACK_IFINDEX 1

/* What one key has to be compared with: alternative names are several, all others one. */
struct values {
	const char *value[NIC_ALT_NAMES_MAX];
	size_t n;
	char text[MAC_TEXT_MAX]; /* of a number or MAC: at most "4294967295" or a MAC */
};

static const char *plain_value(const struct nic_facts *facts, enum nic_match_key key)
{
	switch (key) {
	case NIC_MATCH_NAME:
		return facts->name;
	case NIC_MATCH_IF_ALIAS:
		return facts->if_alias;
	case NIC_MATCH_MASTER:
		return facts->master;
	case NIC_MATCH_KIND:
		return facts->kind;
	default:
		return NULL;
	}
}

static void get_values(const struct nic_facts *facts, enum nic_match_key key, struct values *values)
{
	values->n = 1;
	values->value[0] = plain_value(facts, key);
	if (values->value[0])
		return;
	values->value[0] = values->text;
	if (key == NIC_MATCH_GROUP) {
		snprintf(values->text, sizeof(values->text), "%u", facts->group);
	} else if (key == NIC_MATCH_MAC) {
		mac_format(&facts->mac, values->text);
	} else {
		values->n = facts->n_alt_names;
		for (size_t i = 0; i < values->n; i++)
			values->value[i] = facts->alt_names[i];
	}
}

static bool any_value_matches(const struct values *values, const char *pattern, int flags)
{
	for (size_t i = 0; i < values->n; i++) {
		if (fnmatch(pattern, values->value[i], flags) == 0)
			return true;
	}
	return false;
}

static bool key_matches(const struct nic_rule *rule, enum nic_match_key key,
			const struct nic_facts *facts)
{
	int flags = key == NIC_MATCH_MAC ? FNM_CASEFOLD : 0;
	bool wanted = false, found = false;
	struct values values;

	get_values(facts, key, &values);
	for (size_t i = 0; i < rule->n_patterns[key]; i++) {
		const char *pattern = rule->patterns[key][i];
		bool excludes = pattern[0] == '!';

		if (!excludes)
			wanted = true;
		if (!any_value_matches(&values, pattern + excludes, flags))
			continue;
		if (excludes)
			return false;
		found = true;
	}
	return found || !wanted;
}

bool nic_rule_matches(const struct nic_rule *rule, const struct nic_facts *facts)
{
	for (int key = 0; key < NIC_MATCH_KEYS; key++) {
		if (!key_matches(rule, key, facts))
			return false;
	}
	return true;
}

int nic_match(const struct nic_rule *rules, size_t n, const struct nic_facts *facts)
{
	if (facts->ifindex == LOOPBACK_IFINDEX || strcmp(facts->kind, "bridge") == 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (nic_rule_matches(&rules[i], facts))
			return (int)i;
	}
	return -1;
}

void nic_rule_done(struct nic_rule *rule)
{
	for (int key = 0; key < NIC_MATCH_KEYS; key++) {
		for (size_t i = 0; i < rule->n_patterns[key]; i++)
			free(rule->patterns[key][i]);
		free(rule->patterns[key]);
	}
	free(rule->sources);
	memset(rule, 0, sizeof(*rule));
}
