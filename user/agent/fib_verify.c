// SPDX-License-Identifier: GPL-2.0-only
/*
 * fib.verify: holds every route, group and next hop in the maps against the plan. With repair, what
 * differs is told to the plan as found, and its next batches mend it. Called by the API.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"

#define VERIFY_BATCH 1024

struct verify {
	struct node *node;
	const struct node_table *table;
	bool repair;
	struct fib_verify_result *result;
};

static void example(struct verify *v, const struct ip_prefix *prefix, const char *what)
{
	struct fib_verify_result *r = v->result;

	if (r->n_examples == sizeof(r->examples) / sizeof(r->examples[0]))
		return;
	snprintf(r->examples[r->n_examples].table, sizeof(r->examples[0].table), "%s.%s",
		 v->table->vnet->config->name, v->table->config->name);
	r->examples[r->n_examples].prefix = *prefix;
	r->examples[r->n_examples++].what = what;
}

static bool same_route(const struct xrs_route *a, const struct xrs_route *b)
{
	return a->kind == b->kind && a->group == b->group && a->source == b->source &&
	       a->prefix_len == b->prefix_len;
}

/* What the plan believes to be in the map, asked for in the map. */
static void check_expected(struct verify *v, const struct fib_plan_route *route)
{
	struct fib_verify_result *r = v->result;
	struct xrs_route found;
	int err;

	r->expected += route->wanted;
	r->pending += route->state == FIB_PLAN_PENDING || route->state == FIB_PLAN_HELD;
	r->rejected += route->state == FIB_PLAN_REJECTED;
	r->stale += route->state == FIB_PLAN_STALE;
	if (!route->installed)
		return;
	err = fib_maps_route_get(v->node->maps, v->table->index, &route->prefix, &found);
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
		fib_plan_adopt_route(v->node->plan, v->table->index, &route->prefix,
				     err == 0 ? &found : NULL);
}

static void check_plan(struct verify *v, enum ip_family family)
{
	struct fib_plan_route *routes = calloc(VERIFY_BATCH, sizeof(*routes));
	uint32_t cursor = 0;
	size_t n = VERIFY_BATCH;

	while (routes && n == VERIFY_BATCH) {
		n = fib_plan_walk(v->node->plan, v->table->index, family, &cursor, routes,
				  VERIFY_BATCH);
		for (size_t i = 0; i < n; i++)
			check_expected(v, &routes[i]);
	}
	free(routes);
}

/* The reverse: what the map holds and the plan does not know. */
static void check_map(struct verify *v, enum ip_family family)
{
	struct fib_route *routes = calloc(VERIFY_BATCH, sizeof(*routes));
	struct fib_plan_route known;
	struct fib_walk walk;
	size_t n = 0;

	fib_walk_init(&walk, v->table->index, family);
	while (routes && fib_maps_walk(v->node->maps, &walk, routes, VERIFY_BATCH, &n) == 0 && n) {
		for (size_t i = 0; i < n; i++) {
			if (fib_plan_route(v->node->plan, v->table->index, &routes[i].prefix,
					   &known) &&
			    known.installed)
				continue;
			v->result->stale++;
			example(v, &routes[i].prefix, "stale");
			if (!v->repair)
				continue;
			fib_plan_adopt_route(v->node->plan, v->table->index, &routes[i].prefix,
					     &routes[i].value);
			fib_plan_del_route(v->node->plan, v->table->index, &routes[i].prefix);
		}
	}
	free(routes);
}

static void check_groups(struct verify *v)
{
	struct fib_plan *plan = v->node->plan;
	struct fib_plan_slot_state state;
	struct xrs_group group;
	struct xrs_bucket bucket;

	for (uint32_t id = group_next(v->node->nexthops, 0); id;
	     id = group_next(v->node->nexthops, id)) {
		if (!fib_plan_group(plan, id, &state) || state.state != FIB_PLAN_CLEAN ||
		    !state.group)
			continue;
		if (fib_maps_group_get(v->node->maps, id, &group, &bucket) == 0 &&
		    memcmp(&group, state.group, sizeof(group)) == 0 &&
		    memcmp(&bucket, state.bucket, sizeof(bucket)) == 0)
			continue;
		v->result->differing++;
		if (v->repair)
			fib_plan_adopt_group(plan, id, &group, &bucket);
	}
}

static void check_nexthops(struct verify *v)
{
	struct fib_plan *plan = v->node->plan;
	struct fib_plan_slot_state state;
	struct xrs_nexthop value;

	for (uint32_t id = nexthop_next(v->node->nexthops, 0); id;
	     id = nexthop_next(v->node->nexthops, id)) {
		if (!fib_plan_nexthop(plan, id, &state) || state.state != FIB_PLAN_CLEAN ||
		    !state.nexthop)
			continue;
		if (fib_maps_nexthop_get(v->node->maps, id, &value) == 0 &&
		    memcmp(&value, state.nexthop, sizeof(value)) == 0)
			continue;
		v->result->differing++;
		if (v->repair)
			fib_plan_adopt_nexthop(plan, id, &value);
	}
}

int node_fib_verify(struct node *node, bool repair, struct fib_verify_result *ret_result)
{
	struct verify v = { .node = node, .repair = repair, .result = ret_result };

	if (!node->plan)
		return -EOPNOTSUPP;
	memset(ret_result, 0, sizeof(*ret_result));
	for (size_t i = 0; i < node->n_vnets; i++) {
		for (size_t t = 0; t < node->vnets[i]->n_tables; t++) {
			v.table = &node->vnets[i]->tables[t];
			check_plan(&v, IP_V4);
			check_plan(&v, IP_V6);
			check_map(&v, IP_V4);
			check_map(&v, IP_V6);
		}
	}
	check_groups(&v);
	check_nexthops(&v);
	if (repair)
		node_fib_kick(node);
	return 0;
}
