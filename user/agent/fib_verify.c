// SPDX-License-Identifier: GPL-2.0-only
/*
 * fib.verify: holds every route, group and next hop in the maps against the plan, and the derived lookup
 * structures against the tries. In slices of the loop: a million routes take seconds, and BGP does not wait.
 * With repair, what differs is told to the plan as found, and its next batches mend it; a derived structure
 * that differs is made anew. Called by the API.
 *
 * Between two slices anything may change, but plan, trie and derived structure change together: what is
 * compared within one slice is equal, or wrong.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"

#define ROUTES_SLICE 1024
#define EDGES_SLICE  256 /* routes: four addresses each */
#define SLOTS_SLICE  2048
#define RESTARTS_MAX 16 /* of one walk over a trie whose entries go away below it */

struct fib_verify {
	struct node *node;
	bool repair;
	uint32_t table; /* index in the maps */
	size_t stage;
	enum ip_family family;
	uint32_t cursor; /* of the plan, or the last group or next hop; 0: the stage begins */
	struct fib_walk walk;
	unsigned int restarts;
	uint64_t stale_before;
	union {
		struct fib_plan_route plan[ROUTES_SLICE];
		struct fib_route map[ROUTES_SLICE];
	} routes;
	struct fib_verify_result result;
};

static const struct node_table *find_table(const struct node *node, uint32_t index)
{
	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t t = 0; t < node->vnets[v]->n_tables; t++) {
			if (node->vnets[v]->tables[t].index == index)
				return &node->vnets[v]->tables[t];
		}
	}
	return NULL;
}

static void example(struct fib_verify *v, const struct ip_prefix *prefix, const char *what)
{
	const struct node_table *table = find_table(v->node, v->table);
	struct fib_verify_result *r = &v->result;

	if (r->n_examples == sizeof(r->examples) / sizeof(r->examples[0]))
		return;
	snprintf(r->examples[r->n_examples].table, sizeof(r->examples[0].table), "%s.%s",
		 table->vnet->config->name, table->config->name);
	r->examples[r->n_examples].prefix = *prefix;
	r->examples[r->n_examples++].what = what;
}

static bool same_route(const struct xrs_route *a, const struct xrs_route *b)
{
	return a->kind == b->kind && a->group == b->group && a->source == b->source &&
	       a->prefix_len == b->prefix_len;
}

/* --- the plan's routes, asked for in the map -------------------------------------------------------------- */

static void check_expected(struct fib_verify *v, const struct fib_plan_route *route)
{
	struct fib_verify_result *r = &v->result;
	struct xrs_route found;
	int err;

	r->expected += route->wanted;
	r->pending += route->state == FIB_PLAN_PENDING || route->state == FIB_PLAN_HELD;
	r->rejected += route->state == FIB_PLAN_REJECTED;
	r->stale += route->state == FIB_PLAN_STALE;
	if (!route->installed)
		return;
	err = fib_maps_route_get(v->node->maps, v->table, &route->prefix, &found);
	if (err == 0 && same_route(&found, &route->in_map)) {
		r->present++;
		return;
	}
	if (err == 0)
		r->differing++;
	else
		r->missing++;
	example(v, &route->prefix, err == 0 ? "differing" : "missing");
	if (v->repair)
		fib_plan_adopt_route(v->node->plan, v->table, &route->prefix,
				     err == 0 ? &found : NULL);
}

static bool check_plan(struct fib_verify *v)
{
	size_t n = fib_plan_walk(v->node->plan, v->table, v->family, &v->cursor, v->routes.plan,
				 ROUTES_SLICE);

	for (size_t i = 0; i < n; i++)
		check_expected(v, &v->routes.plan[i]);
	return n == ROUTES_SLICE;
}

/* --- the map's routes, asked for in the plan -------------------------------------------------------------- */

static void check_found(struct fib_verify *v, const struct fib_route *route)
{
	struct fib_plan *plan = v->node->plan;
	struct fib_plan_route known;

	if (fib_plan_route(plan, v->table, &route->prefix, &known) && known.installed)
		return;
	v->result.stale++;
	example(v, &route->prefix, "stale");
	if (!v->repair)
		return;
	fib_plan_adopt_route(plan, v->table, &route->prefix, &route->value);
	fib_plan_del_route(plan, v->table, &route->prefix);
}

static bool check_map(struct fib_verify *v)
{
	size_t n;
	int err;

	if (!v->cursor) {
		fib_walk_init(&v->walk, v->table, v->family);
		v->stale_before = v->result.stale;
		v->cursor = 1;
	}
	err = fib_maps_walk(v->node->maps, &v->walk, v->routes.map, ROUTES_SLICE, &n);
	if (err == -ESTALE && v->restarts++ < RESTARTS_MAX) {
		v->cursor = 0;
		v->result.stale = v->stale_before;
		return true;
	}
	if (err)
		v->result.incomplete = true;
	for (size_t i = 0; err == 0 && i < n; i++)
		check_found(v, &v->routes.map[i]);
	return err == 0 && n;
}

/* --- the derived structure, held against the trie ----------------------------------------------------------- */

static void add_one(struct ip_addr *addr, bool down)
{
	for (unsigned int i = ip_bytes(addr->family); i--;) {
		addr->bytes[i] = (uint8_t)(addr->bytes[i] + (down ? -1 : 1));
		if (addr->bytes[i] != (down ? 255 : 0))
			return;
	}
}

static bool same_answer(const struct fib_verify *v, const struct ip_addr *addr)
{
	struct xrs_route trie = { .kind = 0 }, fast = { .kind = 0 };
	int err = fib_maps_fast_match(v->node->maps, v->table, addr, &fast);

	if (err == -ENODATA) /* the trie answers */
		return true;
	return fib_maps_route_match(v->node->maps, v->table, addr, &trie) == err &&
	       trie.kind == fast.kind && trie.group == fast.group &&
	       trie.prefix_len == fast.prefix_len;
}

/* First and last address of the prefix, and the one beside each. */
static bool edges_agree(const struct fib_verify *v, const struct ip_prefix *prefix)
{
	struct ip_addr first = prefix->addr, last = prefix->addr;
	bool agree;

	for (unsigned int i = prefix->len; i < ip_bits(prefix->addr.family); i++)
		last.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	agree = same_answer(v, &first) && same_answer(v, &last);
	add_one(&first, true);
	add_one(&last, false);
	return agree && same_answer(v, &first) && same_answer(v, &last);
}

static bool check_derived(struct fib_verify *v)
{
	struct fib_maps_fast fast;
	bool differs = false;
	size_t n;

	if (fib_maps_fast_figures(v->node->maps, v->table, v->family, &fast) || !fast.on)
		return false;
	n = fib_plan_walk(v->node->plan, v->table, v->family, &v->cursor, v->routes.plan,
			  EDGES_SLICE);
	for (size_t i = 0; i < n; i++) {
		v->result.derived_checked++;
		if (edges_agree(v, &v->routes.plan[i].prefix))
			continue;
		differs = true;
		v->result.derived_differing++;
		example(v, &v->routes.plan[i].prefix, "derived");
	}
	if (differs && v->repair)
		fib_maps_fast_rebuild(v->node->maps, v->table, v->family);
	return n == EDGES_SLICE;
}

/* --- groups and next hops --------------------------------------------------------------------------------- */

static void check_group(struct fib_verify *v, uint32_t id)
{
	struct fib_plan *plan = v->node->plan;
	struct fib_plan_slot_state state;
	struct xrs_group group;
	struct xrs_bucket bucket;

	if (!fib_plan_group(plan, id, &state) || state.state != FIB_PLAN_CLEAN || !state.group)
		return;
	if (fib_maps_group_get(v->node->maps, id, &group, &bucket) == 0 &&
	    memcmp(&group, state.group, sizeof(group)) == 0 &&
	    memcmp(&bucket, state.bucket, sizeof(bucket)) == 0)
		return;
	v->result.differing++;
	if (v->repair)
		fib_plan_adopt_group(plan, id, &group, &bucket);
}

static void check_nexthop(struct fib_verify *v, uint32_t id)
{
	struct fib_plan *plan = v->node->plan;
	struct fib_plan_slot_state state;
	struct xrs_nexthop value;

	if (!fib_plan_nexthop(plan, id, &state) || state.state != FIB_PLAN_CLEAN || !state.nexthop)
		return;
	if (fib_maps_nexthop_get(v->node->maps, id, &value) == 0 &&
	    memcmp(&value, state.nexthop, sizeof(value)) == 0)
		return;
	v->result.differing++;
	if (v->repair)
		fib_plan_adopt_nexthop(plan, id, &value);
}

static bool check_slots(struct fib_verify *v,
			uint32_t (*next)(const struct nexthop_table *table, uint32_t after),
			void (*check)(struct fib_verify *v, uint32_t id))
{
	for (unsigned int i = 0; i < SLOTS_SLICE; i++) {
		v->cursor = next(v->node->nexthops, v->cursor);
		if (!v->cursor)
			return false;
		check(v, v->cursor);
	}
	return true;
}

static bool check_groups(struct fib_verify *v)
{
	return check_slots(v, group_next, check_group);
}

static bool check_nexthops(struct fib_verify *v)
{
	return check_slots(v, nexthop_next, check_nexthop);
}

/* --- the order of things ---------------------------------------------------------------------------------- */

/* One slice of a stage; false: the stage is over. */
static const struct {
	bool (*step)(struct fib_verify *v);
	bool of_table; /* once for each table and family; else once in all, before these */
} stages[] = { { check_groups, false },
	       { check_nexthops, false },
	       { check_plan, true },
	       { check_map, true },
	       { check_derived, true } };
#define STAGES         (sizeof(stages) / sizeof(*stages))
#define FIRST_OF_TABLE 2

static void begin_stage(struct fib_verify *v, size_t stage)
{
	v->stage = stage;
	v->cursor = 0;
	v->restarts = 0;
}

/* The next table that there is; false: there are no more. */
static bool next_table(struct fib_verify *v)
{
	while (++v->table < XRS_TABLE_MAX && !find_table(v->node, v->table))
		;
	return v->table < XRS_TABLE_MAX;
}

/* Stage by stage, family by family, table by table. */
static bool next_stage(struct fib_verify *v)
{
	if (v->stage + 1 < STAGES) {
		begin_stage(v, v->stage + 1);
		if (v->stage != FIRST_OF_TABLE)
			return true;
		v->family = IP_V4;
		v->table = UINT32_MAX; /* the one before the first */
		return next_table(v);
	}
	begin_stage(v, FIRST_OF_TABLE);
	if (v->family == IP_V4) {
		v->family = IP_V6;
		return true;
	}
	v->family = IP_V4;
	return next_table(v);
}

struct fib_verify *node_fib_verify_new(struct node *node, bool repair)
{
	struct fib_verify *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->node = node;
	v->repair = repair;
	return v;
}

void node_fib_verify_free(struct fib_verify *v)
{
	free(v);
}

bool node_fib_verify_step(struct fib_verify *v)
{
	bool gone = stages[v->stage].of_table && !find_table(v->node, v->table);
	bool more;

	if (restart_adopt_more(v->node))
		return true;
	node_fib_drain(v->node); /* what is written must be known to be written */
	more = !gone && stages[v->stage].step(v);
	if (more || next_stage(v))
		return true;
	if (v->repair)
		node_fib_kick(v->node);
	return false;
}

const struct fib_verify_result *node_fib_verify_result(const struct fib_verify *v)
{
	return &v->result;
}
