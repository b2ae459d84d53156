// SPDX-License-Identifier: GPL-2.0-only
/*
 * Route maps. admission.c applies them inbound to what Adj-RIB-In holds and export.c outbound after selection;
 * the API applies them offline for its tests. A rule sees what the rules before it made. Must never
 * allocate or keep anything: what a rule makes stands in the result's scratch, and a route whose new
 * attributes do not fit there is dropped rather than passed on half changed.
 */
#include "rib/policy.h"

#include <stdlib.h>
#include <string.h>

#include "util/wire.h"

/* --- ownership -------------------------------------------------------------------------------- */

static void rule_done(struct policy_rule *rule)
{
	free(rule->match.prefixes);
	free(rule->match.communities);
	free(rule->match.large);
	free(rule->match.as_path);
	free(rule->as_path);
	free(rule->communities);
	free(rule->large);
}

void route_map_done(struct route_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->n_rules; i++)
		rule_done(&map->rules[i]);
	free(map->rules);
	*map = (struct route_map){ 0 };
}

static bool numbers_equal(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
	return n_a == n_b && (!n_a || !memcmp(a, b, n_a * sizeof(*a)));
}

static bool large_equal(const struct bgp_large_community *a, size_t n_a,
			const struct bgp_large_community *b, size_t n_b)
{
	return n_a == n_b && (!n_a || !memcmp(a, b, n_a * sizeof(*a)));
}

static bool prefixes_equal(const struct policy_match *a, const struct policy_match *b)
{
	if (a->n_prefixes != b->n_prefixes)
		return false;
	for (size_t i = 0; i < a->n_prefixes; i++) {
		const struct policy_prefix *p = &a->prefixes[i], *q = &b->prefixes[i];

		if (!prefix_equal(&p->prefix, &q->prefix) || p->op != q->op || p->ge != q->ge ||
		    p->le != q->le)
			return false;
	}
	return true;
}

static bool match_equal(const struct policy_match *a, const struct policy_match *b)
{
	return prefixes_equal(a, b) && a->community_op == b->community_op &&
	       a->large_op == b->large_op && a->as_path_op == b->as_path_op &&
	       a->as_path_given == b->as_path_given &&
	       numbers_equal(a->communities, a->n_communities, b->communities, b->n_communities) &&
	       large_equal(a->large, a->n_large, b->large, b->n_large) &&
	       numbers_equal(a->as_path, a->n_as_path, b->as_path, b->n_as_path);
}

static bool setters_equal(const struct policy_rule *a, const struct policy_rule *b)
{
	return a->set_med == b->set_med && a->set_local_pref == b->set_local_pref &&
	       a->set_next_hop == b->set_next_hop && a->set_weight == b->set_weight &&
	       a->med == b->med && a->local_pref == b->local_pref && a->weight == b->weight &&
	       ip_equal(&a->next_hop, &b->next_hop);
}

static bool rule_equal(const struct policy_rule *a, const struct policy_rule *b)
{
	return !strcmp(a->name, b->name) && match_equal(&a->match, &b->match) &&
	       a->drop == b->drop && a->terminate == b->terminate && setters_equal(a, b) &&
	       a->as_path_action == b->as_path_action &&
	       a->community_action == b->community_action && a->large_action == b->large_action &&
	       numbers_equal(a->as_path, a->n_as_path, b->as_path, b->n_as_path) &&
	       numbers_equal(a->communities, a->n_communities, b->communities, b->n_communities) &&
	       large_equal(a->large, a->n_large, b->large, b->n_large);
}

bool route_map_equal(const struct route_map *a, const struct route_map *b)
{
	if (!a || !b)
		return a == b;
	if (strcmp(a->name, b->name) || a->n_rules != b->n_rules)
		return false;
	for (size_t i = 0; i < a->n_rules; i++) {
		if (!rule_equal(&a->rules[i], &b->rules[i]))
			return false;
	}
	return true;
}

/* --- match ------------------------------------------------------------------------------------ */

static bool one_prefix_matches(const struct policy_prefix *want, const struct ip_prefix *prefix)
{
	uint8_t ge = want->ge ? want->ge : want->prefix.len;
	uint8_t le = want->le ? want->le : UINT8_MAX;

	if (want->op == POLICY_EQUALS)
		return prefix_equal(&want->prefix, prefix);
	return prefix_covers(&want->prefix, prefix) && prefix->len >= ge && prefix->len <= le;
}

static bool prefix_matches(const struct policy_match *match, const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < match->n_prefixes; i++) {
		if (one_prefix_matches(&match->prefixes[i], prefix))
			return true;
	}
	return !match->n_prefixes;
}

static bool communities_match(const struct policy_match *match, struct bgp_blob blob)
{
	size_t found = 0;

	for (size_t i = 0; i < match->n_communities; i++)
		found += community_contains(blob, match->communities[i]);
	return match->community_op == POLICY_EQUALS ? found == match->n_communities
						    : !match->n_communities || found;
}

static bool large_match(const struct policy_match *match, struct bgp_blob blob)
{
	size_t found = 0;

	for (size_t i = 0; i < match->n_large; i++)
		found += large_community_contains(blob, match->large[i]);
	return match->large_op == POLICY_EQUALS ? found == match->n_large
						: !match->n_large || found;
}

struct sequence_check {
	const uint32_t *want;
	size_t n, seen;
	bool same;
};

static void check_asn(void *ctx, uint32_t asn, enum bgp_as_segment type, bool segment_start)
{
	struct sequence_check *check = ctx;

	if (type != BGP_AS_SEQUENCE || check->seen >= check->n || check->want[check->seen] != asn)
		check->same = false;
	check->seen++;
}

static bool as_path_equals(const struct policy_match *match, struct bgp_blob path)
{
	struct sequence_check check = { match->as_path, match->n_as_path, 0, true };

	aspath_each(path, check_asn, &check);
	return check.same && check.seen == check.n;
}

static bool as_path_matches(const struct policy_match *match, struct bgp_blob path)
{
	if (!match->n_as_path && !match->as_path_given)
		return true;
	if (match->as_path_op == POLICY_EQUALS)
		return as_path_equals(match, path);
	for (size_t i = 0; i < match->n_as_path; i++) {
		if (aspath_contains(path, match->as_path[i]))
			return true;
	}
	return false;
}

static bool rule_matches(const struct policy_rule *rule, const struct ip_prefix *prefix,
			 const struct bgp_attrs *attrs)
{
	return prefix_matches(&rule->match, prefix) &&
	       communities_match(&rule->match, attrs->communities) &&
	       large_match(&rule->match, attrs->large_communities) &&
	       as_path_matches(&rule->match, attrs->as_path);
}

/* --- actions ------------------------------------------------------------------------------------ */

struct workspace {
	struct policy_result *result;
	size_t used; /* of scratch */
	bool full;
};

static uint8_t *room(struct workspace *ws, size_t *ret_cap)
{
	*ret_cap = sizeof(ws->result->scratch) - ws->used;
	return ws->result->scratch + ws->used;
}

/* Takes @len octets that were written at room(). */
static struct bgp_blob keep(struct workspace *ws, size_t len)
{
	struct bgp_blob blob = { .data = ws->result->scratch + ws->used, .len = (uint32_t)len };

	ws->used += len;
	return len ? blob : (struct bgp_blob){ 0 };
}

static void set_has(struct bgp_attrs *attrs, uint32_t bit, bool has)
{
	attrs->has = has ? attrs->has | bit : attrs->has & ~bit;
}

/* ADD puts the listed ASNs in front in the order in which they are listed; REPLACE leaves only them. */
static void change_as_path(struct workspace *ws, const struct policy_rule *rule)
{
	struct bgp_attrs *attrs = &ws->result->attrs;
	struct bgp_blob path = { 0 };
	size_t cap;
	uint8_t *at = room(ws, &cap);
	int len;

	if (rule->as_path_action == POLICY_LIST_REPLACE) {
		len = aspath_from_asns(rule->as_path, rule->n_as_path, at, cap);
		ws->full |= len < 0;
		if (len >= 0)
			attrs->as_path = keep(ws, (size_t)len);
	} else if (rule->as_path_action == POLICY_LIST_ADD) {
		path = attrs->as_path;
		for (size_t i = rule->n_as_path; i-- > 0 && !ws->full;) {
			at = room(ws, &cap);
			len = aspath_prepend(path, rule->as_path[i], 1, at, cap);
			ws->full |= len < 0;
			if (len >= 0)
				path = keep(ws, (size_t)len);
		}
		attrs->as_path = path;
	}
	/* An empty AS_PATH is an attribute too (RFC 4271 5.1.2): the bit stays. */
	set_has(attrs, BGP_HAS_AS_PATH, true);
}

static bool listed(const uint32_t *list, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == value)
			return true;
	}
	return false;
}

static void change_communities(struct workspace *ws, const struct policy_rule *rule)
{
	struct bgp_blob old = ws->result->attrs.communities;
	bool remove = rule->community_action == POLICY_LIST_REMOVE;
	struct wire_writer w;
	size_t cap;
	uint8_t *at = room(ws, &cap);

	wire_write_init(&w, at, cap);
	if (rule->community_action == POLICY_LIST_REPLACE)
		old = (struct bgp_blob){ 0 };
	for (unsigned int i = 0; i < community_count(old); i++) {
		uint32_t community = community_get(old, i);

		if (!remove || !listed(rule->communities, rule->n_communities, community))
			wire_put_u32(&w, community);
	}
	for (size_t i = 0; i < rule->n_communities && !remove; i++) {
		uint32_t community = rule->communities[i];

		if (!community_contains(old, community) && !listed(rule->communities, i, community))
			wire_put_u32(&w, community);
	}
	ws->full |= w.failed;
	ws->result->attrs.communities = keep(ws, w.failed ? 0 : w.pos);
	set_has(&ws->result->attrs, BGP_HAS_COMMUNITIES, w.pos > 0);
}

static bool large_listed(const struct bgp_large_community *list, size_t n,
			 struct bgp_large_community value)
{
	for (size_t i = 0; i < n; i++) {
		if (!memcmp(&list[i], &value, sizeof(value)))
			return true;
	}
	return false;
}

static void put_large(struct wire_writer *w, struct bgp_large_community c)
{
	wire_put_u32(w, c.global);
	wire_put_u32(w, c.local1);
	wire_put_u32(w, c.local2);
}

static void change_large(struct workspace *ws, const struct policy_rule *rule)
{
	struct bgp_blob old = ws->result->attrs.large_communities;
	bool remove = rule->large_action == POLICY_LIST_REMOVE;
	struct wire_writer w;
	size_t cap;
	uint8_t *at = room(ws, &cap);

	wire_write_init(&w, at, cap);
	if (rule->large_action == POLICY_LIST_REPLACE)
		old = (struct bgp_blob){ 0 };
	for (unsigned int i = 0; i < large_community_count(old); i++) {
		struct bgp_large_community c = large_community_get(old, i);

		if (!remove || !large_listed(rule->large, rule->n_large, c))
			put_large(&w, c);
	}
	for (size_t i = 0; i < rule->n_large && !remove; i++) {
		if (!large_community_contains(old, rule->large[i]) &&
		    !large_listed(rule->large, i, rule->large[i]))
			put_large(&w, rule->large[i]);
	}
	ws->full |= w.failed;
	ws->result->attrs.large_communities = keep(ws, w.failed ? 0 : w.pos);
	set_has(&ws->result->attrs, BGP_HAS_LARGE, w.pos > 0);
}

static void set_numbers(struct policy_result *result, const struct policy_rule *rule,
			const struct ip_prefix *prefix)
{
	struct bgp_attrs *attrs = &result->attrs;

	if (rule->set_med) {
		attrs->med = rule->med;
		attrs->has |= BGP_HAS_MED;
	}
	if (rule->set_local_pref) {
		attrs->local_pref = rule->local_pref;
		attrs->has |= BGP_HAS_LOCAL_PREF;
	}
	if (rule->set_weight)
		result->weight = rule->weight;
	/* One rule may serve both families: the address is for the routes of its own. */
	if (rule->set_next_hop && rule->next_hop.family == prefix->addr.family) {
		attrs->next_hop = rule->next_hop;
		attrs->link_local = (struct ip_addr){ 0 };
		attrs->has |= BGP_HAS_NEXT_HOP;
	}
}

static void modify(struct workspace *ws, const struct policy_rule *rule,
		   const struct ip_prefix *prefix)
{
	set_numbers(ws->result, rule, prefix);
	if (rule->as_path_action == POLICY_LIST_ADD || rule->as_path_action == POLICY_LIST_REPLACE)
		change_as_path(ws, rule);
	if (rule->community_action != POLICY_LIST_NONE)
		change_communities(ws, rule);
	if (rule->large_action != POLICY_LIST_NONE)
		change_large(ws, rule);
}

void route_map_apply(const struct route_map *map, const struct ip_prefix *prefix,
		     const struct bgp_attrs *attrs, struct policy_result *ret_result,
		     uint8_t *verdicts)
{
	struct workspace ws = { .result = ret_result };

	ret_result->permit = true;
	ret_result->changed = false;
	ret_result->last_rule = -1;
	ret_result->weight = 0;
	ret_result->attrs = *attrs;
	if (verdicts && map->n_rules)
		memset(verdicts, 0, map->n_rules);
	for (size_t i = 0; i < map->n_rules; i++) {
		const struct policy_rule *rule = &map->rules[i];
		bool matches = rule_matches(rule, prefix, &ret_result->attrs);

		if (verdicts)
			verdicts[i] = matches ? 2 : 1;
		if (!matches)
			continue;
		ret_result->last_rule = (int)i;
		if (!rule->drop)
			modify(&ws, rule, prefix);
		ret_result->permit = !rule->drop && !ws.full;
		if (!ret_result->permit || rule->terminate)
			break;
	}
	ret_result->changed = !bgp_attrs_equal(attrs, &ret_result->attrs);
}
