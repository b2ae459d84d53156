// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order of map operations: what fib_plan.h promises, on top of the entries of plan_slots.c and
 * plan_routes.c. Called by agent/node_fib.c, which carries the batches out. Must never offer a write
 * whose target is not in the map, nor a removal of what something in the maps still points to.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan_impl.h"

#define FAMILIES 2 /* 0: IPv4, 1: IPv6 */

/* A batch of routes that is out. */
struct out {
	bool busy;
	struct plan_routes *routes; /* NULL: their table was removed meanwhile */
	uint32_t ids[FIB_BATCH];
	struct fib_route batch[FIB_BATCH];
};

struct fib_plan {
	struct plan_slots nexthops, groups;
	struct plan_routes *tables[XRS_TABLE_MAX][FAMILIES];
	uint32_t generation;
	bool release_routes; /* a group came into the map: routes that waited may go on */
	/* What is out: one batch of next hops or groups, and several of routes. */
	bool slots_out;
	struct fib_plan_slot batch_slots[FIB_PLAN_SLOTS];
	struct out out[FIB_PLAN_ROUTES_OUT];
	uint32_t turn; /* where the search for a table with work goes on: no table waits for ever */
	struct plan_run run;
	uint64_t written[FIB_PLAN_OP_MAX], failed[FIB_PLAN_OP_MAX];
};

const char *fib_plan_op_name(enum fib_plan_op op)
{
	static const char *const names[FIB_PLAN_OP_MAX] = {
		[FIB_PLAN_NEXTHOP_SET] = "next hop set", [FIB_PLAN_GROUP_SET] = "group set",
		[FIB_PLAN_ROUTE_SET] = "route set",      [FIB_PLAN_ROUTE_DEL] = "route del",
		[FIB_PLAN_GROUP_DEL] = "group del",      [FIB_PLAN_NEXTHOP_DEL] = "next hop del",
	};

	return (unsigned int)op < FIB_PLAN_OP_MAX ? names[op] : "?";
}

const char *fib_plan_state_name(enum fib_plan_state state)
{
	static const char *const names[] = {
		[FIB_PLAN_CLEAN] = "clean", [FIB_PLAN_PENDING] = "pending",
		[FIB_PLAN_HELD] = "held",   [FIB_PLAN_REJECTED] = "rejected",
		[FIB_PLAN_STALE] = "stale",
	};

	return (unsigned int)state <= FIB_PLAN_STALE ? names[state] : "?";
}

/* --- life ----------------------------------------------------------------------------------------- */
struct fib_plan *fib_plan_new(void)
{
	struct fib_plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	if (plan_slots_init(&plan->nexthops, XRS_NEXTHOP_MAX, sizeof(struct xrs_nexthop), NULL) ||
	    plan_slots_init(&plan->groups, XRS_GROUP_MAX, sizeof(struct plan_group),
			    &plan->nexthops)) {
		fib_plan_free(plan);
		return NULL;
	}
	return plan;
}

void fib_plan_free(struct fib_plan *plan)
{
	if (!plan)
		return;
	for (uint32_t table = 0; table < XRS_TABLE_MAX; table++)
		fib_plan_table_remove(plan, table);
	plan_slots_done(&plan->groups);
	plan_slots_done(&plan->nexthops);
	free(plan);
}

void fib_plan_set_generation(struct fib_plan *plan, uint32_t generation)
{
	plan->generation = generation;
}

/* --- wanted --------------------------------------------------------------------------------------- */
int fib_plan_set_nexthop(struct fib_plan *plan, uint32_t id, const struct xrs_nexthop *nexthop)
{
	if (nexthop->family != IP_V4 && nexthop->family != IP_V6)
		return -EINVAL;
	return plan_slot_set(&plan->nexthops, id, nexthop);
}

int fib_plan_del_nexthop(struct fib_plan *plan, uint32_t id)
{
	return plan_slot_del(&plan->nexthops, id);
}

static bool has_id(const uint32_t *ids, unsigned int n, uint32_t id)
{
	for (unsigned int i = 0; i < n; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

static int check_ids(const uint32_t *ids, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (ids[i] == 0 || ids[i] >= XRS_NEXTHOP_MAX)
			return -ERANGE;
	}
	return 0;
}

static bool is_in_group(const struct xrs_group *group, uint32_t id)
{
	return !id || has_id(group->member, group->n_members, id) ||
	       has_id(group->backup, group->n_backup, id);
}

static int check_group(const struct xrs_group *group, const struct xrs_bucket *bucket)
{
	int error;

	if (!group->n_members || group->n_members > XRS_MEMBERS_MAX ||
	    group->n_backup > XRS_MEMBERS_MAX)
		return -EINVAL;
	error = check_ids(group->member, group->n_members);
	if (!error)
		error = check_ids(group->backup, group->n_backup);
	for (unsigned int i = 0; !error && i < XRS_BUCKETS; i++) {
		if (!is_in_group(group, bucket->member[i]) || !is_in_group(group, bucket->next[i]))
			error = -EINVAL;
	}
	return error;
}

int fib_plan_set_group(struct fib_plan *plan, uint32_t id, const struct xrs_group *group,
		       const struct xrs_bucket *bucket)
{
	struct plan_group content = { .group = *group, .bucket = *bucket };
	int error = check_group(group, bucket);

	return error ? error : plan_slot_set(&plan->groups, id, &content);
}

int fib_plan_del_group(struct fib_plan *plan, uint32_t id)
{
	return plan_slot_del(&plan->groups, id);
}

int fib_plan_table_add(struct fib_plan *plan, uint32_t table)
{
	struct plan_routes *v4, *v6;

	if (table >= XRS_TABLE_MAX)
		return -ERANGE;
	if (plan->tables[table][0])
		return 0;
	v4 = plan_routes_new(IP_V4, &plan->groups);
	v6 = plan_routes_new(IP_V6, &plan->groups);
	if (!v4 || !v6) {
		plan_routes_free(v4);
		plan_routes_free(v6);
		return -ENOMEM;
	}
	plan->tables[table][0] = v4;
	plan->tables[table][1] = v6;
	return 0;
}

void fib_plan_table_remove(struct fib_plan *plan, uint32_t table)
{
	if (table >= XRS_TABLE_MAX)
		return;
	for (int i = 0; i < FAMILIES; i++) {
		struct plan_routes *routes = plan->tables[table][i];

		for (int k = 0; routes && k < FIB_PLAN_ROUTES_OUT; k++) {
			if (plan->out[k].routes == routes)
				plan->out[k].routes = NULL;
		}
		if (routes && plan->run.routes == routes)
			plan->run.n = plan->run.at = 0;
		plan_routes_free(routes);
		plan->tables[table][i] = NULL;
	}
}

static struct plan_routes *find_table(const struct fib_plan *plan, uint32_t table,
				      enum ip_family family)
{
	if (table >= XRS_TABLE_MAX || (family != IP_V4 && family != IP_V6))
		return NULL;
	return plan->tables[table][family == IP_V6];
}

int fib_plan_set_route(struct fib_plan *plan, uint32_t table, const struct ip_prefix *prefix,
		       const struct xrs_route *route)
{
	struct plan_routes *routes = find_table(plan, table, prefix->addr.family);
	plan_word word = plan_word_pack(route);

	if (!routes)
		return -ENOENT;
	return word ? plan_routes_set(routes, prefix, word) : -EINVAL;
}

int fib_plan_del_route(struct fib_plan *plan, uint32_t table, const struct ip_prefix *prefix)
{
	struct plan_routes *routes = find_table(plan, table, prefix->addr.family);

	if (!routes)
		return -ENOENT;
	plan_routes_del(routes, prefix);
	return 0;
}

void fib_plan_prefetch(const struct fib_plan *plan, uint32_t table, const struct ip_prefix *prefix)
{
	const struct plan_routes *routes = find_table(plan, table, prefix->addr.family);

	if (routes)
		prefix_table_soon(routes->prefixes, prefix);
}

/* --- found ------------------------------------------------------------------------------------------ */
/* Groups that waited for a next hop go on when one came in, routes that waited for a group likewise. */
static void nexthop_came(struct fib_plan *plan)
{
	plan_slots_resume(&plan->groups, PLAN_HELD);
}

static void group_came(struct fib_plan *plan)
{
	plan->release_routes = true;
}

int fib_plan_adopt_nexthop(struct fib_plan *plan, uint32_t id, const struct xrs_nexthop *nexthop)
{
	bool came = false;
	int error;

	if (nexthop && !nexthop->family)
		nexthop = NULL;
	error = plan_slot_adopt(&plan->nexthops, id, nexthop, &came);
	if (came)
		nexthop_came(plan);
	return error;
}

int fib_plan_adopt_group(struct fib_plan *plan, uint32_t id, const struct xrs_group *group,
			 const struct xrs_bucket *bucket)
{
	struct plan_group content;
	bool came = false;
	int error;

	if (group && !group->n_members)
		group = NULL;
	if (group)
		content = (struct plan_group){ .group = *group, .bucket = *bucket };
	error = plan_slot_adopt(&plan->groups, id, group ? &content : NULL, &came);
	if (came)
		group_came(plan);
	return error;
}

int fib_plan_adopt_route(struct fib_plan *plan, uint32_t table, const struct ip_prefix *prefix,
			 const struct xrs_route *route)
{
	struct plan_routes *routes = find_table(plan, table, prefix->addr.family);

	return routes ? plan_routes_adopt(routes, prefix, route) : -ENOENT;
}

/* Calls for each table and family that is there. */
#define for_each_routes(plan, routes)                                    \
	for (uint32_t each = 0; each < XRS_TABLE_MAX * FAMILIES; each++) \
		if ((routes = (plan)->tables[each / FAMILIES][each % FAMILIES]))

size_t fib_plan_sweep(struct fib_plan *plan)
{
	struct plan_routes *routes;
	size_t n = 0;

	for_each_routes(plan, routes) n += plan_routes_sweep(routes);
	return n + plan_slots_sweep(&plan->groups) + plan_slots_sweep(&plan->nexthops);
}

/* --- batches of next hops and groups ------------------------------------------------------------------ */
static bool is_group_op(enum fib_plan_op op)
{
	return op == FIB_PLAN_GROUP_SET || op == FIB_PLAN_GROUP_DEL;
}

static bool is_route_op(enum fib_plan_op op)
{
	return op == FIB_PLAN_ROUTE_SET || op == FIB_PLAN_ROUTE_DEL;
}

static bool is_set_op(enum fib_plan_op op)
{
	return op <= FIB_PLAN_ROUTE_SET;
}

static void fill_slot(struct fib_plan_slot *to, enum fib_plan_op op, uint32_t id,
		      const void *content)
{
	const struct plan_group *group = content;

	memset(to, 0, sizeof(*to));
	to->id = id;
	if (op == FIB_PLAN_NEXTHOP_SET)
		memcpy(&to->nexthop, content, sizeof(to->nexthop));
	if (op == FIB_PLAN_GROUP_SET) {
		to->group = group->group;
		to->bucket = group->bucket;
	}
}

static bool next_slots(struct fib_plan *plan, enum fib_plan_op op, struct fib_plan_batch *batch)
{
	struct plan_slots *slots = is_group_op(op) ? &plan->groups : &plan->nexthops;
	enum plan_list list = is_set_op(op) ? PLAN_SET : PLAN_DEL;

	*batch = (struct fib_plan_batch){ .op = op, .slots = plan->batch_slots };
	while (slots->lists.count[list] && batch->n < FIB_PLAN_SLOTS) {
		uint32_t id = slots->lists.head[list];

		if (list == PLAN_SET && !plan_slot_ready(slots, id)) {
			plan_move(&slots->lists, id, PLAN_HELD);
			continue;
		}
		plan_move(&slots->lists, id, PLAN_OUT);
		fill_slot(&batch->slots[batch->n++], op, id, plan_slot_wanted(slots, id));
	}
	return batch->n > 0;
}

/* A torn group may point to any next hop that it ever was meant to. */
static bool next_nexthop_del(struct fib_plan *plan, enum fib_plan_op op,
			     struct fib_plan_batch *batch)
{
	return !plan->groups.flagged[__builtin_ctz(SLOT_TORN)] && next_slots(plan, op, batch);
}

static void slot_done(struct fib_plan *plan, enum fib_plan_op op, const struct fib_plan_slot *slot)
{
	struct plan_group content;

	switch (op) {
	case FIB_PLAN_NEXTHOP_SET:
		if (plan_slot_written(&plan->nexthops, slot->id, &slot->nexthop, slot->error))
			nexthop_came(plan);
		break;
	case FIB_PLAN_GROUP_SET:
		content = (struct plan_group){ .group = slot->group, .bucket = slot->bucket };
		if (plan_slot_written(&plan->groups, slot->id, &content, slot->error))
			group_came(plan);
		break;
	case FIB_PLAN_GROUP_DEL:
		plan_slot_removed(&plan->groups, slot->id, slot->error);
		break;
	default:
		plan_slot_removed(&plan->nexthops, slot->id, slot->error);
		break;
	}
}

/* --- batches of routes ---------------------------------------------------------------------------------- */
/* A run over the next table, from where the last search stopped, that has routes in @list. */
static bool start_run(struct fib_plan *plan, enum plan_list list)
{
	for (uint32_t i = 0; i < XRS_TABLE_MAX * FAMILIES; i++) {
		uint32_t at = (plan->turn + i) % (XRS_TABLE_MAX * FAMILIES);
		struct plan_routes *routes = plan->tables[at / FAMILIES][at % FAMILIES];

		if (!routes || !routes->lists.count[list])
			continue;
		plan->turn = at + 1;
		plan->run.routes = routes;
		plan->run.table = at / FAMILIES;
		plan->run.list = list;
		plan_run_fill(&plan->run);
		return true;
	}
	return false;
}

static void take_route(struct fib_plan *plan, uint32_t id, struct out *out,
		       struct fib_plan_batch *batch)
{
	struct plan_routes *routes = plan->run.routes;
	const struct plan_route *route = &routes->routes[id];
	uint32_t group = plan_word_group(route->want);
	struct fib_route *to;

	if (group && !plan_slot_has(&plan->groups, group, SLOT_INSTALLED)) {
		plan_move(&routes->lists, id, PLAN_HELD);
		return;
	}
	to = &batch->routes[batch->n];
	prefix_table_read(routes->prefixes, id, &to->prefix);
	to->value = plan_word_unpack(route->want, to->prefix.len);
	to->fresh = !route->in_map;
	to->error = 0;
	to->value.generation = plan->generation;
	out->ids[batch->n++] = id;
	plan_move(&routes->lists, id, PLAN_OUT);
}

/* NULL: as many are out as may be. */
static struct out *free_out(struct fib_plan *plan)
{
	for (int k = 0; k < FIB_PLAN_ROUTES_OUT; k++) {
		if (!plan->out[k].busy)
			return &plan->out[k];
	}
	return NULL;
}

static bool routes_are_out(const struct fib_plan *plan)
{
	for (int k = 0; k < FIB_PLAN_ROUTES_OUT; k++) {
		if (plan->out[k].busy)
			return true;
	}
	return false;
}

static bool next_routes(struct fib_plan *plan, enum fib_plan_op op, struct fib_plan_batch *batch)
{
	enum plan_list list = op == FIB_PLAN_ROUTE_SET ? PLAN_SET : PLAN_DEL;
	struct plan_run *run = &plan->run;
	struct out *out = free_out(plan);

	*batch = (struct fib_plan_batch){ .op = op, .routes = out->batch };
	do {
		uint32_t id;

		while (run->list == list && batch->n < FIB_BATCH && plan_run_next(run, &id))
			take_route(plan, id, out, batch);
	} while (!batch->n && start_run(plan, list));
	if (!batch->n)
		return false;
	batch->table = run->table;
	batch->family = run->routes->family;
	out->routes = run->routes;
	out->busy = true;
	return true;
}

static void routes_done(struct fib_plan *plan, const struct fib_plan_batch *batch)
{
	bool set = batch->op == FIB_PLAN_ROUTE_SET;
	struct out *out = plan->out;

	while (out->batch != batch->routes)
		out++;
	for (size_t i = 0; out->routes && i < batch->n; i++) {
		const struct fib_route *route = &batch->routes[i];

		plan_routes_outcome(out->routes, out->ids[i],
				    set ? plan_word_pack(&route->value) : 0, route->error);
	}
	out->busy = false;
}

/* --- the order -------------------------------------------------------------------------------------------- */
typedef bool (*next_fn)(struct fib_plan *plan, enum fib_plan_op op, struct fib_plan_batch *batch);

static const next_fn steps[FIB_PLAN_OP_MAX] = {
	[FIB_PLAN_NEXTHOP_SET] = next_slots, [FIB_PLAN_GROUP_SET] = next_slots,
	[FIB_PLAN_ROUTE_SET] = next_routes,  [FIB_PLAN_ROUTE_DEL] = next_routes,
	[FIB_PLAN_GROUP_DEL] = next_slots,   [FIB_PLAN_NEXTHOP_DEL] = next_nexthop_del,
};

/* Routes that waited for a group, and as many rejected ones as there is new room for. */
static void resume_routes(struct fib_plan *plan)
{
	struct plan_routes *routes;

	for_each_routes(plan, routes)
	{
		if (plan->release_routes)
			plan_routes_resume(routes, PLAN_HELD, UINT32_MAX);
		plan_routes_resume(routes, PLAN_REJECTED, routes->room);
		routes->room = 0;
	}
	plan->release_routes = false;
}

/*
 * Beside routes that are out, whatever they lead to may be written; removals wait, because one of those
 * routes may be about to lead there.
 */
static bool may_start(struct fib_plan *plan, enum fib_plan_op op)
{
	if (is_route_op(op))
		return free_out(plan);
	return !plan->slots_out && (is_set_op(op) || !routes_are_out(plan));
}

static bool next_of(struct fib_plan *plan, enum fib_plan_op last, struct fib_plan_batch *ret_batch)
{
	struct fib_plan_batch batch;

	resume_routes(plan);
	for (int op = 0; op <= (int)last; op++) {
		if (!may_start(plan, (enum fib_plan_op)op) ||
		    !steps[op](plan, (enum fib_plan_op)op, &batch))
			continue;
		plan->slots_out |= !is_route_op((enum fib_plan_op)op);
		*ret_batch = batch;
		return true;
	}
	return false;
}

bool fib_plan_next(struct fib_plan *plan, struct fib_plan_batch *ret_batch)
{
	return next_of(plan, FIB_PLAN_OP_MAX - 1, ret_batch);
}

bool fib_plan_next_urgent(struct fib_plan *plan, struct fib_plan_batch *ret_batch)
{
	return next_of(plan, FIB_PLAN_GROUP_SET, ret_batch);
}

void fib_plan_done(struct fib_plan *plan, const struct fib_plan_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		int error = batch->routes ? batch->routes[i].error : batch->slots[i].error;

		(error ? plan->failed : plan->written)[batch->op]++;
		if (!batch->routes)
			slot_done(plan, batch->op, &batch->slots[i]);
	}
	if (batch->routes)
		routes_done(plan, batch);
	else
		plan->slots_out = false;
}

void fib_plan_batch_fail(struct fib_plan_batch *batch, int error)
{
	for (size_t i = 0; i < batch->n; i++) {
		if (batch->routes)
			batch->routes[i].error = error;
		else
			batch->slots[i].error = error;
	}
}

void fib_plan_retry(struct fib_plan *plan)
{
	struct plan_routes *routes;

	plan_slots_resume(&plan->nexthops, PLAN_REJECTED);
	plan_slots_resume(&plan->groups, PLAN_REJECTED);
	for_each_routes(plan, routes) plan_routes_resume(routes, PLAN_REJECTED, UINT32_MAX);
}

bool fib_plan_next_gone(struct fib_plan *plan, struct fib_plan_gone *ret_gone)
{
	struct fib_plan_gone gone = { .is_group = true };

	if (!plan_slots_next_gone(&plan->groups, &gone.id)) {
		gone.is_group = false;
		if (!plan_slots_next_gone(&plan->nexthops, &gone.id))
			return false;
	}
	*ret_gone = gone;
	return true;
}

/* --- reading -------------------------------------------------------------------------------------------- */
bool fib_plan_route(const struct fib_plan *plan, uint32_t table, const struct ip_prefix *prefix,
		    struct fib_plan_route *ret_route)
{
	const struct plan_routes *routes = find_table(plan, table, prefix->addr.family);
	uint32_t id = routes ? prefix_table_find(routes->prefixes, prefix) : PREFIX_ID_NONE;

	return id != PREFIX_ID_NONE && plan_routes_read(routes, id, ret_route);
}

size_t fib_plan_walk(const struct fib_plan *plan, uint32_t table, enum ip_family family,
		     uint32_t *cursor, struct fib_plan_route *list, size_t cap)
{
	const struct plan_routes *routes = find_table(plan, table, family);
	size_t n = 0;

	while (routes && n < cap) {
		uint32_t id = prefix_table_next(routes->prefixes, *cursor);

		if (id == PREFIX_ID_NONE)
			break;
		plan_routes_read(routes, id, &list[n++]);
		*cursor = id + 1;
	}
	return n;
}

static bool slot_state(const struct plan_slots *slots, uint32_t id, struct fib_plan_slot_state *ret)
{
	const struct plan_link *link;

	if (id == 0 || id >= slots->max || !slots->slots[id].content)
		return false;
	link = &slots->slots[id].link;
	*ret = (struct fib_plan_slot_state){
		.state = plan_state(link, link->flags & SLOT_STALE),
		.error = link->error,
		.wanted = link->flags & SLOT_WANTED,
		.installed = link->flags & SLOT_INSTALLED,
		.refs = slots->slots[id].refs,
	};
	return true;
}

bool fib_plan_nexthop(const struct fib_plan *plan, uint32_t id,
		      struct fib_plan_slot_state *ret_state)
{
	if (!slot_state(&plan->nexthops, id, ret_state))
		return false;
	if (ret_state->wanted)
		ret_state->nexthop = plan_slot_wanted(&plan->nexthops, id);
	return true;
}

bool fib_plan_group(const struct fib_plan *plan, uint32_t id, struct fib_plan_slot_state *ret_state)
{
	const struct plan_group *content;

	if (!slot_state(&plan->groups, id, ret_state))
		return false;
	if (ret_state->wanted) {
		content = plan_slot_wanted(&plan->groups, id);
		ret_state->group = &content->group;
		ret_state->bucket = &content->bucket;
	}
	return true;
}

struct fib_plan_counts fib_plan_counts(const struct fib_plan *plan, uint32_t table,
				       enum ip_family family)
{
	const struct plan_routes *routes = find_table(plan, table, family);

	return routes ? plan_routes_counts(routes) : (struct fib_plan_counts){ .wanted = 0 };
}

static void add_counts(struct fib_plan_counts *sum, const struct fib_plan_counts *counts)
{
	sum->wanted += counts->wanted;
	sum->installed += counts->installed;
	sum->pending += counts->pending;
	sum->held += counts->held;
	sum->rejected += counts->rejected;
	sum->stale += counts->stale;
}

struct fib_plan_totals fib_plan_totals(const struct fib_plan *plan)
{
	struct fib_plan_totals totals = {
		.groups = plan_slots_counts(&plan->groups),
		.nexthops = plan_slots_counts(&plan->nexthops),
		.memory = sizeof(*plan) + plan_slots_memory(&plan->groups) +
			  plan_slots_memory(&plan->nexthops),
	};
	const struct plan_routes *routes;

	for_each_routes(plan, routes)
	{
		struct fib_plan_counts counts = plan_routes_counts(routes);

		add_counts(&totals.routes, &counts);
		totals.memory += plan_routes_memory(routes);
	}
	memcpy(totals.written, plan->written, sizeof(totals.written));
	memcpy(totals.failed, plan->failed, sizeof(totals.failed));
	return totals;
}
