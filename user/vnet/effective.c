// SPDX-License-Identifier: GPL-2.0-only
/*
 * Precedence of routes within one route table (never back to the sender is the BPF
 * program's rule). Called by agent/node_vnet.c for each prefix that changed and by the API to explain.
 *
 *	fixed      every prefix with a candidate from the configuration, sorted, each once
 *	own        addressPrefixes of the vnet and its peered vnets \  cut to those that no other one of
 *	protected  protectedPrefixes                                /  the list covers, sorted
 *
 * Must never remember what BGP offered: the RIB is the only place that knows.
 */
#include <stdlib.h>
#include <string.h>

#include "vnet/effective.h"

#define NO_USER_ROUTE (-1)
#define ALL_SOURCES   ((1u << RIB_SOURCES) - 1)

struct fixed {
	struct ip_prefix prefix;
	bool is_protected;
	bool has_system;
	enum next_hop_type system; /* VNET_LOCAL or INTERNET */
	int user;                  /* index in users, or NO_USER_ROUTE */
};

struct user {
	struct user_route route;
	uint32_t group;
};

struct cover { /* answers: does any of these prefixes cover that one? */
	struct ip_prefix *prefixes;
	size_t n;
};

struct effective_table {
	unsigned int disabled; /* 1 << enum rib_source: not taken */
	bool allow_own;
	struct cover own, protected;
	struct fixed *fixed;
	size_t n_fixed;
	struct user *users;
	size_t n_users;
};

/* --- words ------------------------------------------------------------------------------------ */
const char *effective_reason_name(enum effective_reason reason)
{
	static const char *const names[] = {
#define X(name, text, sentence) text,
		EFFECTIVE_REASONS(X)
#undef X
	};

	return (unsigned int)reason < EFFECTIVE_REASON_MAX ? names[reason] : "?";
}

const char *effective_reason_text(enum effective_reason reason)
{
	static const char *const sentences[] = {
#define X(name, text, sentence) sentence,
		EFFECTIVE_REASONS(X)
#undef X
	};

	return (unsigned int)reason < EFFECTIVE_REASON_MAX ? sentences[reason] : "?";
}

enum effective_reason effective_why(const struct effective_candidate *candidate)
{
	return candidate->reason != EFFECTIVE_NONE ? candidate->reason : candidate->remark;
}

const char *effective_source_name(enum xrs_route_source source)
{
	switch (source) {
	case XRS_SOURCE_SYSTEM:
		return "Default";
	case XRS_SOURCE_USER:
		return "User";
	case XRS_SOURCE_BGP:
		return "VirtualNetworkGateway";
	}
	return "?";
}

/* --- sets of prefixes --------------------------------------------------------------------------- */
static int cmp_prefix(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

/*
 * Sorts and drops what another one covers. A prefix sorts before all that it covers, and those follow
 * it without a gap, so that looking at the last one kept is enough.
 */
static void cover_build(struct cover *cover)
{
	size_t kept = 0;

	if (cover->n > 1)
		qsort(cover->prefixes, cover->n, sizeof(*cover->prefixes), cmp_prefix);
	for (size_t i = 0; i < cover->n; i++) {
		if (kept && prefix_covers(&cover->prefixes[kept - 1], &cover->prefixes[i]))
			continue;
		cover->prefixes[kept++] = cover->prefixes[i];
	}
	cover->n = kept;
}

static bool cover_init(struct cover *cover, const struct ip_prefix *a, size_t n_a,
		       const struct ip_prefix *b, size_t n_b)
{
	cover->prefixes = calloc(n_a + n_b + 1, sizeof(*cover->prefixes));
	if (!cover->prefixes)
		return false;
	if (n_a)
		memcpy(cover->prefixes, a, n_a * sizeof(*a));
	if (n_b)
		memcpy(cover->prefixes + n_a, b, n_b * sizeof(*b));
	cover->n = n_a + n_b;
	cover_build(cover);
	return true;
}

/* Of disjoint prefixes only the last one that does not sort behind @prefix can cover it. */
static bool cover_has(const struct cover *cover, const struct ip_prefix *prefix)
{
	size_t low = 0, high = cover->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (prefix_cmp(&cover->prefixes[mid], prefix) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low && prefix_covers(&cover->prefixes[low - 1], prefix);
}

static bool cover_equal(const struct cover *a, const struct cover *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!prefix_equal(&a->prefixes[i], &b->prefixes[i]))
			return false;
	}
	return true;
}

/* --- fixed candidates ----------------------------------------------------------------------------- */
/* One row for each source of a candidate; rows of one prefix are merged afterwards. */
static void add_fixed(struct effective_table *table, const struct fixed *row)
{
	table->fixed[table->n_fixed++] = *row;
}

static void add_system(struct effective_table *table, const struct ip_prefix *prefixes, size_t n,
		       enum next_hop_type type)
{
	for (size_t i = 0; i < n; i++)
		add_fixed(table, &(struct fixed){ .prefix = prefixes[i],
						  .has_system = true,
						  .system = type,
						  .user = NO_USER_ROUTE });
}

static void add_defaults(struct effective_table *table)
{
	const struct ip_prefix defaults[] = {
		{ .addr = { .family = IP_V4 } },
		{ .addr = { .family = IP_V6 } },
	};

	add_system(table, defaults, 2, NEXT_HOP_INTERNET);
}

static void add_protected(struct effective_table *table, const struct vnet_config *vnet)
{
	for (size_t i = 0; i < vnet->n_protected; i++)
		add_fixed(table, &(struct fixed){ .prefix = vnet->protected_prefixes[i],
						  .is_protected = true,
						  .user = NO_USER_ROUTE });
}

static void add_users(struct effective_table *table, const struct route_table_config *config)
{
	for (size_t i = 0; i < config->n_routes; i++) {
		table->users[i].route = config->routes[i];
		add_fixed(table,
			  &(struct fixed){ .prefix = config->routes[i].prefix, .user = (int)i });
	}
	table->n_users = config->n_routes;
}

/* The second key makes the order of rows, and with it what a merge keeps, independent of qsort(). */
static int cmp_fixed(const void *a, const void *b)
{
	const struct fixed *x = a, *y = b;
	int order = prefix_cmp(&x->prefix, &y->prefix);

	return order ? order : (x->user > y->user) - (x->user < y->user);
}

/* The first user route of a prefix counts; VnetLocal hides Internet (a vnet that is 0.0.0.0/0). */
static void merge_row(struct fixed *into, const struct fixed *row)
{
	into->is_protected |= row->is_protected;
	if (into->user == NO_USER_ROUTE)
		into->user = row->user;
	if (row->has_system && (!into->has_system || row->system == NEXT_HOP_VNET_LOCAL))
		into->system = row->system;
	into->has_system |= row->has_system;
}

static void merge_fixed(struct effective_table *table)
{
	size_t kept = 0;

	qsort(table->fixed, table->n_fixed, sizeof(*table->fixed), cmp_fixed);
	for (size_t i = 0; i < table->n_fixed; i++) {
		const struct fixed *row = &table->fixed[i];

		if (kept && prefix_equal(&table->fixed[kept - 1].prefix, &row->prefix))
			merge_row(&table->fixed[kept - 1], row);
		else
			table->fixed[kept++] = *row;
	}
	table->n_fixed = kept;
}

static const struct fixed *find_fixed(const struct effective_table *table,
				      const struct ip_prefix *prefix)
{
	size_t low = 0, high = table->n_fixed;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = prefix_cmp(&table->fixed[mid].prefix, prefix);

		if (order == 0)
			return &table->fixed[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct effective_table *effective_table_new(const struct vnet_config *vnet,
					    const struct route_table_config *config,
					    const struct ip_prefix *peered, size_t n_peered)
{
	size_t rows = 2 + vnet->n_prefixes + n_peered + vnet->n_protected + config->n_routes;
	struct effective_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->disabled =
		config->disable_bgp_propagation ? ALL_SOURCES : config->disable_propagation_from;
	table->allow_own = config->allow_own_prefixes;
	table->fixed = calloc(rows, sizeof(*table->fixed));
	table->users = calloc(config->n_routes + 1, sizeof(*table->users));
	if (!table->fixed || !table->users ||
	    !cover_init(&table->own, vnet->prefixes, vnet->n_prefixes, peered, n_peered) ||
	    !cover_init(&table->protected, vnet->protected_prefixes, vnet->n_protected, NULL, 0)) {
		effective_table_free(table);
		return NULL;
	}
	add_defaults(table);
	add_system(table, vnet->prefixes, vnet->n_prefixes, NEXT_HOP_VNET_LOCAL);
	add_system(table, peered, n_peered, NEXT_HOP_VNET_LOCAL);
	add_protected(table, vnet);
	add_users(table, config);
	merge_fixed(table);
	return table;
}

void effective_table_free(struct effective_table *table)
{
	if (!table)
		return;
	free(table->own.prefixes);
	free(table->protected.prefixes);
	free(table->fixed);
	free(table->users);
	free(table);
}

bool effective_set_user_group(struct effective_table *table, size_t route, uint32_t group)
{
	if (route >= table->n_users || table->users[route].group == group)
		return false;
	table->users[route].group = group;
	return true;
}

size_t effective_fixed_count(const struct effective_table *table)
{
	return table->n_fixed;
}

const struct ip_prefix *effective_fixed_prefix(const struct effective_table *table, size_t index)
{
	return &table->fixed[index].prefix;
}

bool effective_is_fixed(const struct effective_table *table, const struct ip_prefix *prefix)
{
	return find_fixed(table, prefix) != NULL;
}

bool effective_same_for_bgp(const struct effective_table *a, const struct effective_table *b)
{
	return a->disabled == b->disabled && a->allow_own == b->allow_own &&
	       cover_equal(&a->own, &b->own) && cover_equal(&a->protected, &b->protected);
}

/* --- deciding --------------------------------------------------------------------------------------- */
static enum xrs_route_kind kind_of(enum next_hop_type type)
{
	switch (type) {
	case NEXT_HOP_VNET_LOCAL:
		return XRS_ROUTE_LOCAL;
	case NEXT_HOP_INTERNET:
		return XRS_ROUTE_INTERNET;
	case NEXT_HOP_NONE:
		return XRS_ROUTE_DROP;
	default:
		return XRS_ROUTE_STEER;
	}
}

/* A candidate of no user route, with the values that most have. */
static struct effective_candidate *add(struct effective_result *result,
				       enum xrs_route_source source, enum next_hop_type type)
{
	struct effective_candidate *candidate = &result->candidates[result->n_candidates++];

	*candidate = (struct effective_candidate){
		.source = source,
		.kind = kind_of(type),
		.next_hop_type = type,
		.user_route = NO_USER_ROUTE,
	};
	return candidate;
}

static void add_user(const struct effective_table *table, int index, bool is_protected,
		     struct effective_result *result)
{
	const struct user *user = &table->users[index];
	struct effective_candidate *candidate = add(result, XRS_SOURCE_USER, user->route.type);

	candidate->user_route = index;
	if (user->route.type == NEXT_HOP_VIRTUAL_APPLIANCE)
		candidate->next_hop = user->route.next_hop;
	if (candidate->kind == XRS_ROUTE_STEER)
		candidate->group = user->group;
	if (is_protected)
		candidate->reason = EFFECTIVE_PROTECTED;
	else if (candidate->kind == XRS_ROUTE_STEER && !candidate->group)
		candidate->reason = EFFECTIVE_NEXT_HOP_UNRESOLVED;
}

uint32_t effective_taken(const struct effective_table *table, const struct rib_offer *offer)
{
	if (!table->disabled)
		return offer->group;
	for (unsigned int source = 0; source < RIB_SOURCES; source++) {
		if (!(table->disabled & 1u << source))
			return offer->from[source];
	}
	return GROUP_NONE;
}

/* What BGP stands for at this prefix. */
struct bgp_part {
	bool there;
	uint32_t group;
	enum effective_reason remark;  /* of a lost one */
	enum effective_reason refused; /* the table does not take it */
};

static void add_bgp(const struct effective_table *table, const struct ip_prefix *prefix,
		    const struct bgp_part *bgp, bool is_protected, struct effective_result *result)
{
	struct effective_candidate *candidate =
		add(result, XRS_SOURCE_BGP, NEXT_HOP_VIRTUAL_NETWORK_GATEWAY);

	candidate->group = bgp->group;
	if (!bgp->group) {
		candidate->kind = XRS_ROUTE_DROP;
		candidate->next_hop_type = NEXT_HOP_NONE;
	}
	if (is_protected)
		candidate->reason = EFFECTIVE_PROTECTED;
	else if (bgp->refused)
		candidate->reason = bgp->refused;
	else if (!table->allow_own && cover_has(&table->own, prefix))
		candidate->reason = EFFECTIVE_OWN_PREFIX;
	else
		candidate->remark = bgp->remark;
}

/* The first candidate without a reason of its own wins; those behind it lose to it. */
static void choose(struct effective_result *result)
{
	result->winner = -1;
	for (unsigned int i = 0; i < result->n_candidates; i++) {
		struct effective_candidate *candidate = &result->candidates[i];

		if (candidate->reason != EFFECTIVE_NONE)
			continue;
		if (result->winner < 0)
			result->winner = (int)i;
		else if (result->candidates[result->winner].source == XRS_SOURCE_USER)
			candidate->reason = EFFECTIVE_USER_ROUTE;
		else
			candidate->reason = EFFECTIVE_BGP_ROUTE;
	}
}

static void decide(const struct effective_table *table, const struct ip_prefix *prefix,
		   const struct bgp_part *bgp, struct effective_result *ret_result)
{
	const struct fixed *fixed = find_fixed(table, prefix);
	bool is_protected = cover_has(&table->protected, prefix);
	struct effective_result result = { .winner = -1 };

	if (fixed && fixed->is_protected)
		add(&result, XRS_SOURCE_SYSTEM, NEXT_HOP_VNET_LOCAL)->kind = XRS_ROUTE_PROTECTED;
	if (fixed && fixed->user != NO_USER_ROUTE)
		add_user(table, fixed->user, is_protected, &result);
	if (bgp->there)
		add_bgp(table, prefix, bgp, is_protected, &result);
	if (fixed && fixed->has_system && is_protected)
		add(&result, XRS_SOURCE_SYSTEM, fixed->system)->reason = EFFECTIVE_PROTECTED;
	else if (fixed && fixed->has_system)
		add(&result, XRS_SOURCE_SYSTEM, fixed->system);
	choose(&result);
	*ret_result = result;
}

void effective_decide(const struct effective_table *table, const struct ip_prefix *prefix,
		      const struct rib_offer *offer, struct effective_result *ret_result)
{
	uint32_t group = effective_taken(table, offer);
	const struct bgp_part bgp = {
		.there = offer->group != 0,
		.group = group ? group : offer->group,
		.refused = group ? EFFECTIVE_NONE : EFFECTIVE_PROPAGATION_DISABLED,
	};

	decide(table, prefix, &bgp, ret_result);
}

void effective_decide_lost(const struct effective_table *table, const struct ip_prefix *prefix,
			   uint32_t group, struct effective_result *ret_result)
{
	const struct bgp_part bgp = {
		.there = true,
		.group = group,
		.remark = group ? EFFECTIVE_HELD : EFFECTIVE_LOST,
	};

	decide(table, prefix, &bgp, ret_result);
}

bool effective_route(const struct effective_result *result, struct xrs_route *ret_route)
{
	const struct effective_candidate *winner;

	if (result->winner < 0)
		return false;
	winner = &result->candidates[result->winner];
	*ret_route = (struct xrs_route){
		.kind = winner->kind,
		.group = winner->group,
		.source = (__u8)winner->source,
	};
	return true;
}
