// SPDX-License-Identifier: GPL-2.0-only
/*
 * Persist: what a route table does with a prefix whose last path is lost, because the appliance's session
 * ended or its next hop can not be reached. A prefix that somebody took back, or that the configuration took
 * away, is not lost. Called by node_vnet.c for each decision, by restart.c for what an earlier process held.
 *
 * A held prefix is an entry in a table of the route table's own, with a reference to the group that it
 * was steered to. It ends when BGP offers the prefix again, when its time is over, or when it is told to.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"
#include "util/htab.h"

#define SUBSYS     "persist"
#define WALK_BATCH 256

struct held {
	struct ip_prefix prefix;
	uint32_t group;    /* a reference; GROUP_NONE: dropped */
	struct mono until; /* 0: until told */
};

struct node_persist {
	struct htab *held;
};

static uint32_t hash_of(const struct ip_prefix *prefix)
{
	return hash_bytes(prefix->addr.bytes, sizeof(prefix->addr.bytes),
			  hash_u32(prefix->len, prefix->addr.family));
}

static bool is_prefix(const void *item, const void *key)
{
	const struct held *held = item;

	return prefix_equal(&held->prefix, key);
}

static struct held *find(const struct node_table *table, const struct ip_prefix *prefix)
{
	if (!table->persist || !htab_count(table->persist->held))
		return NULL;
	return htab_find(table->persist->held, hash_of(prefix), is_prefix, prefix);
}

/* --- one prefix ------------------------------------------------------------------------------------ */

static void arm(struct node *node, struct mono until)
{
	if (mono_is_set(until) &&
	    (!mono_is_set(node->persist_next) || until.usec < node->persist_next.usec)) {
		node->persist_next = until;
		loop_timer_set(node->loop, &node->persist_timer, until);
	}
}

static struct held *hold(struct node_table *table, const struct ip_prefix *prefix, uint32_t group)
{
	struct node *node = table->vnet->node;
	const struct persist_config *config = &table->config->persist;
	struct held *held = calloc(1, sizeof(*held));

	if (!table->persist) {
		table->persist = calloc(1, sizeof(*table->persist));
		if (table->persist)
			table->persist->held = htab_new();
	}
	if (!held || !table->persist || !table->persist->held ||
	    htab_insert(table->persist->held, hash_of(prefix), held) < 0) {
		log_err(SUBSYS, "vnet=%s table=%s out of memory: a lost prefix is not held",
			table->vnet->config->name, table->config->name);
		free(held);
		return NULL;
	}
	held->prefix = *prefix;
	if (config->action != PERSIST_DROP) {
		held->group = group;
		group_ref(node->nexthops, group);
	}
	if (config->action == PERSIST_HOLD)
		held->until = mono_add_sec(loop_now(node->loop), config->seconds);
	arm(node, held->until);
	return held;
}

static void end(struct node_table *table, struct held *held)
{
	htab_remove(table->persist->held, hash_of(&held->prefix), is_prefix, &held->prefix);
	group_unref(table->vnet->node->nexthops, held->group);
	free(held);
}

/* The group that the plan steers the prefix to because of BGP; GROUP_NONE: it does not. */
static uint32_t steered_to(const struct node_table *table, const struct ip_prefix *prefix)
{
	struct fib_plan_route route;

	if (!fib_plan_route(table->vnet->node->plan, table->index, prefix, &route) ||
	    !route.wanted || route.want.kind != XRS_ROUTE_STEER ||
	    route.want.source != XRS_SOURCE_BGP)
		return GROUP_NONE;
	return route.want.group;
}

bool node_persist_decide(struct node_table *table, const struct ip_prefix *prefix,
			 const struct rib_offer *offer, struct effective_result *ret_result)
{
	struct held *held = find(table, prefix);
	uint32_t group;

	if (effective_taken(table->effective, offer)) {
		if (held)
			end(table, held);
		return false;
	}
	if (!held && offer->lost && table->config->persist.action != PERSIST_SYSTEM) {
		group = steered_to(table, prefix);
		held = group ? hold(table, prefix, group) : NULL;
	}
	if (held)
		effective_decide_lost(table->effective, prefix, held->group, ret_result);
	return held != NULL;
}

bool node_persist_view(const struct node_table *table, const struct ip_prefix *prefix,
		       struct effective_result *ret_result)
{
	const struct held *held = find(table, prefix);

	if (held)
		effective_decide_lost(table->effective, prefix, held->group, ret_result);
	return held != NULL;
}

/* --- many ---------------------------------------------------------------------------------------------- */

/* The held prefixes may be ended meanwhile: a copy. NULL: none, or no memory. */
static struct held **all_of(const struct node_table *table, size_t *ret_n)
{
	struct held **list, *held;
	size_t cursor = 0, n = 0;

	*ret_n = 0;
	if (!table->persist || !htab_count(table->persist->held))
		return NULL;
	list = calloc(htab_count(table->persist->held), sizeof(*list));
	while (list && (held = htab_next(table->persist->held, &cursor)))
		list[n++] = held;
	*ret_n = n;
	return list;
}

size_t node_persist_release(struct node_table *table, const struct ip_prefix *prefix)
{
	size_t n, released = 0;
	struct held **list = all_of(table, &n);

	for (size_t i = 0; i < n; i++) {
		struct ip_prefix one = list[i]->prefix;

		if (prefix && !prefix_covers(prefix, &one))
			continue;
		end(table, list[i]);
		node_vnet_decide_again(table, &one);
		released++;
	}
	free(list);
	node_fib_kick(table->vnet->node);
	return released;
}

size_t node_persist_count(const struct node_table *table)
{
	return table->persist ? htab_count(table->persist->held) : 0;
}

bool node_persist_walk(const struct node_table *table, uint32_t *cursor,
		       struct ip_prefix *ret_prefix)
{
	const struct held *held;
	size_t at = *cursor;

	if (!table->persist)
		return false;
	held = htab_next(table->persist->held, &at);
	*cursor = (uint32_t)at;
	if (held)
		*ret_prefix = held->prefix;
	return held != NULL;
}

void node_persist_free(struct node_table *table)
{
	size_t n;
	struct held **list = all_of(table, &n);

	for (size_t i = 0; i < n; i++)
		end(table, list[i]);
	free(list);
	if (table->persist)
		htab_free(table->persist->held);
	free(table->persist);
	table->persist = NULL;
}

bool node_persist_wanted(const struct node_vnet *vnet)
{
	bool any = false;

	for (size_t i = 0; i < vnet->n_tables && !any; i++)
		any = vnet->tables[i].config->persist.action != PERSIST_SYSTEM;
	for (size_t i = 0; i < vnet->n_users && !any; i++)
		any = vnet->users[i] != vnet && node_persist_wanted(vnet->users[i]);
	return any;
}

/* --- time ------------------------------------------------------------------------------------------------ */

static void expire(struct node_table *table, struct mono now)
{
	size_t n, over = 0;
	struct held **list = all_of(table, &n);

	for (size_t i = 0; i < n; i++) {
		struct ip_prefix prefix = list[i]->prefix;

		if (!mono_is_set(list[i]->until))
			continue;
		if (list[i]->until.usec > now.usec) {
			arm(table->vnet->node, list[i]->until);
			continue;
		}
		end(table, list[i]);
		node_vnet_decide_again(table, &prefix);
		over++;
	}
	free(list);
	if (over)
		log_info(SUBSYS, "vnet=%s table=%s the time of %zu held prefixes is over",
			 table->vnet->config->name, table->config->name, over);
}

static void on_due(struct loop_timer *timer)
{
	struct node *node = timer->ctx;

	node->persist_next = (struct mono){ 0 };
	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t t = 0; t < node->vnets[v]->n_tables; t++)
			expire(&node->vnets[v]->tables[t], loop_now(node->loop));
	}
	node_fib_kick(node);
}

void node_persist_init(struct node *node)
{
	node->persist_timer = (struct loop_timer){ .fn = on_due, .ctx = node };
}

/* --- after a restart --------------------------------------------------------------------------------------- */

/* BGP put it into the map, and nobody announced it again: its last path is lost. */
static bool was_lost(const struct fib_plan_route *route)
{
	return !route->wanted && route->installed && route->in_map.source == XRS_SOURCE_BGP &&
	       (route->in_map.kind == XRS_ROUTE_STEER || route->in_map.kind == XRS_ROUTE_DROP);
}

static size_t adopt(struct node_table *table, enum ip_family family)
{
	struct node *node = table->vnet->node;
	struct fib_plan_route routes[WALK_BATCH];
	uint32_t cursor = 0;
	size_t n, held = 0;

	do {
		n = fib_plan_walk(node->plan, table->index, family, &cursor, routes, WALK_BATCH);
		for (size_t i = 0; i < n; i++) {
			uint32_t group = routes[i].in_map.group;

			if (!was_lost(&routes[i]) || find(table, &routes[i].prefix) ||
			    (routes[i].in_map.kind == XRS_ROUTE_STEER &&
			     !group_info(node->nexthops, group)))
				continue;
			if (!hold(table, &routes[i].prefix, group))
				return held;
			node_vnet_decide_again(table, &routes[i].prefix);
			held++;
		}
	} while (n == WALK_BATCH);
	return held;
}

void node_persist_adopt(struct node *node)
{
	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t t = 0; t < node->vnets[v]->n_tables; t++) {
			struct node_table *table = &node->vnets[v]->tables[t];
			size_t held;

			if (table->config->persist.action == PERSIST_SYSTEM)
				continue;
			held = adopt(table, IP_V4) + adopt(table, IP_V6);
			if (held)
				log_info(SUBSYS, "vnet=%s table=%s holds %zu prefixes of before",
					 table->vnet->config->name, table->config->name, held);
		}
	}
}
