// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plan's routes of one table and family. Called by fib_plan.c. A route costs one word for what is
 * wanted, one for what is in the map, its links, and its key in the prefix table: with millions of
 * routes this is most of what the plan weighs. Must never forget an entry while it is in a batch.
 */
#include <errno.h>
#include <stdlib.h>

#include "plan_impl.h"

/*
 * A word:	31      30..24    23..20   19..0
 *		present  source    kind     group
 */
#define WORD_PRESENT      (1u << 31)
#define WORD_SOURCE_SHIFT 24
#define WORD_KIND_SHIFT   20
#define WORD_GROUP_MASK   ((1u << WORD_KIND_SHIFT) - 1)
/* In the map, but nothing that xrsd writes: differs from every wanted word, so it is overwritten. */
#define WORD_FOREIGN (WORD_PRESENT | 0xfu << WORD_KIND_SHIFT)
_Static_assert(XRS_GROUP_MAX <= WORD_GROUP_MASK + 1, "a group fits its field");

plan_word plan_word_pack(const struct xrs_route *route)
{
	bool steers = route->kind == XRS_ROUTE_STEER;

	if ((unsigned int)route->kind > XRS_ROUTE_PROTECTED || route->source > XRS_SOURCE_BGP ||
	    route->group >= XRS_GROUP_MAX || steers != (route->group != 0))
		return 0;
	return WORD_PRESENT | (uint32_t)route->source << WORD_SOURCE_SHIFT |
	       (uint32_t)route->kind << WORD_KIND_SHIFT | route->group;
}

uint32_t plan_word_group(plan_word word)
{
	return word & WORD_GROUP_MASK;
}

struct xrs_route plan_word_unpack(plan_word word, uint8_t prefix_len)
{
	return (struct xrs_route){
		.kind = (enum xrs_route_kind)(word >> WORD_KIND_SHIFT & 0xf),
		.group = plan_word_group(word),
		.prefix_len = prefix_len,
		.source = (__u8)(word >> WORD_SOURCE_SHIFT & 0x7f),
	};
}

struct plan_routes *plan_routes_new(enum ip_family family, struct plan_slots *groups)
{
	struct plan_routes *routes = calloc(1, sizeof(*routes));

	if (!routes)
		return NULL;
	routes->prefixes = prefix_table_new(family);
	if (!routes->prefixes) {
		free(routes);
		return NULL;
	}
	routes->family = family;
	routes->groups = groups;
	plan_lists_init(&routes->lists, NULL, sizeof(*routes->routes));
	return routes;
}

static uint32_t next_id(const struct plan_routes *routes, uint32_t from)
{
	return prefix_table_next(routes->prefixes, from);
}

void plan_routes_free(struct plan_routes *routes)
{
	if (!routes)
		return;
	for (uint32_t id = next_id(routes, 0); id != PREFIX_ID_NONE; id = next_id(routes, id + 1))
		plan_slot_ref(routes->groups, plan_word_group(routes->routes[id].in_map), -1);
	prefix_table_free(routes->prefixes);
	free(routes->routes);
	free(routes);
}

/* --- where a route belongs ------------------------------------------------------------------------ */
static enum plan_list place_of(const struct plan_route *route)
{
	if (route->want == route->in_map || route->link.flags & ROUTE_STALE)
		return PLAN_IDLE;
	if (route->link.error)
		return PLAN_REJECTED;
	return route->want ? PLAN_SET : PLAN_DEL;
}

static void place(struct plan_routes *routes, uint32_t id)
{
	struct plan_route *route = &routes->routes[id];

	if (route->link.list == PLAN_OUT)
		return;
	plan_move(&routes->lists, id, place_of(route));
	if (!route->want && !route->in_map)
		prefix_table_remove(routes->prefixes, id);
}

static void put_stale(struct plan_routes *routes, struct plan_route *route, bool stale)
{
	routes->n_stale += (uint32_t)stale - (uint32_t)(route->link.flags & ROUTE_STALE);
	route->link.flags = stale ? ROUTE_STALE : 0;
}

static void put_want(struct plan_routes *routes, struct plan_route *route, plan_word word)
{
	routes->n_wanted += (uint32_t)(word != 0) - (uint32_t)(route->want != 0);
	route->want = word;
	route->link.error = 0;
	put_stale(routes, route, false);
}

static void put_in_map(struct plan_routes *routes, struct plan_route *route, plan_word word)
{
	plan_word old = route->in_map;

	routes->n_installed += (uint32_t)(word != 0) - (uint32_t)(old != 0);
	route->in_map = word;
	plan_slot_ref(routes->groups, plan_word_group(word), +1);
	plan_slot_ref(routes->groups, plan_word_group(old), -1);
}

/* --- wanted and found ------------------------------------------------------------------------------- */
static bool make_room(struct plan_routes *routes)
{
	uint32_t cap = routes->cap + routes->cap / 8 + 64;
	struct plan_route *grown;

	if (prefix_table_limit(routes->prefixes) < routes->cap ||
	    prefix_table_count(routes->prefixes) < prefix_table_limit(routes->prefixes))
		return true;
	grown = reallocarray(routes->routes, cap, sizeof(*grown));
	if (!grown)
		return false;
	routes->routes = grown;
	routes->lists.entries = (char *)grown;
	routes->cap = cap;
	return true;
}

static uint32_t find_or_add(struct plan_routes *routes, const struct ip_prefix *prefix)
{
	bool added;
	uint32_t id;

	if (!make_room(routes))
		return PREFIX_ID_NONE;
	id = prefix_table_add(routes->prefixes, prefix, &added);
	if (id != PREFIX_ID_NONE && added)
		routes->routes[id] = (struct plan_route){ .want = 0 };
	return id;
}

int plan_routes_set(struct plan_routes *routes, const struct ip_prefix *prefix, plan_word word)
{
	uint32_t id = find_or_add(routes, prefix);

	if (id == PREFIX_ID_NONE)
		return -ENOMEM;
	if (routes->routes[id].want == word)
		return 0;
	put_want(routes, &routes->routes[id], word);
	place(routes, id);
	return 0;
}

void plan_routes_del(struct plan_routes *routes, const struct ip_prefix *prefix)
{
	uint32_t id = prefix_table_find(routes->prefixes, prefix);

	if (id == PREFIX_ID_NONE)
		return;
	put_want(routes, &routes->routes[id], 0);
	place(routes, id);
}

static plan_word found_word(const struct xrs_route *route)
{
	plan_word word = route ? plan_word_pack(route) : 0;

	return route && !word ? WORD_FOREIGN : word;
}

int plan_routes_adopt(struct plan_routes *routes, const struct ip_prefix *prefix,
		      const struct xrs_route *found)
{
	uint32_t id =
		found ? find_or_add(routes, prefix) : prefix_table_find(routes->prefixes, prefix);
	struct plan_route *route;
	bool was_empty;

	if (id == PREFIX_ID_NONE)
		return found ? -ENOMEM : 0;
	route = &routes->routes[id];
	if (route->link.list == PLAN_OUT)
		return -EBUSY;
	was_empty = !route->want && !route->in_map;
	put_in_map(routes, route, found_word(found));
	route->link.error = 0;
	put_stale(routes, route, was_empty || (found && route->link.flags & ROUTE_STALE));
	place(routes, id);
	return 0;
}

size_t plan_routes_sweep(struct plan_routes *routes)
{
	size_t n = routes->n_stale;

	for (uint32_t id = 0; routes->n_stale && (id = next_id(routes, id)) != PREFIX_ID_NONE;
	     id++) {
		put_stale(routes, &routes->routes[id], false);
		place(routes, id);
	}
	return n;
}

/* --- outcomes ----------------------------------------------------------------------------------------- */
void plan_routes_outcome(struct plan_routes *routes, uint32_t id, plan_word word, int error)
{
	struct plan_route *route = &routes->routes[id];

	plan_move(&routes->lists, id, PLAN_IDLE);
	if (!error && !word && routes->lists.count[PLAN_REJECTED])
		routes->room++;
	if (!error)
		put_in_map(routes, route, word);
	else if (route->want == word)
		route->link.error = (uint16_t)-error;
	place(routes, id);
}

void plan_routes_resume(struct plan_routes *routes, enum plan_list list, uint32_t at_most)
{
	while (at_most-- && routes->lists.count[list]) {
		uint32_t id = routes->lists.head[list];

		routes->routes[id].link.error = 0;
		place(routes, id);
	}
}

/* --- reading -------------------------------------------------------------------------------------------- */
bool plan_routes_read(const struct plan_routes *routes, uint32_t id,
		      struct fib_plan_route *ret_route)
{
	const struct plan_route *route;
	struct ip_prefix prefix;

	if (!prefix_table_has(routes->prefixes, id))
		return false;
	route = &routes->routes[id];
	prefix = prefix_table_key(routes->prefixes, id);
	*ret_route = (struct fib_plan_route){
		.prefix = prefix,
		.state = plan_state(&route->link, route->link.flags & ROUTE_STALE),
		.error = route->link.error,
		.wanted = route->want != 0,
		.installed = route->in_map != 0,
		.want = plan_word_unpack(route->want, prefix.len),
		.in_map = plan_word_unpack(route->in_map, prefix.len),
	};
	return true;
}

struct fib_plan_counts plan_routes_counts(const struct plan_routes *routes)
{
	const uint32_t *count = routes->lists.count;

	return (struct fib_plan_counts){
		.wanted = routes->n_wanted,
		.installed = routes->n_installed,
		.pending = count[PLAN_SET] + count[PLAN_DEL] + count[PLAN_OUT],
		.held = count[PLAN_HELD],
		.rejected = count[PLAN_REJECTED],
		.stale = routes->n_stale,
	};
}

size_t plan_routes_memory(const struct plan_routes *routes)
{
	return sizeof(*routes) + routes->cap * sizeof(*routes->routes) +
	       prefix_table_memory(routes->prefixes);
}
