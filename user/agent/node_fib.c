// SPDX-License-Identifier: GPL-2.0-only
/*
 * The edge between what should be forwarded and the maps: renders groups, and carries out the plan's batches in
 * slices of the loop. The failure path (node_fib_urgent) writes the groups of a dead next hop at once. Called
 * by the rest of the node; the only caller of fib_maps' writes besides node_nic.c and restart.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"
#include "agent/privilege.h"

#define SUBSYS         "fib"
#define RETRY_SEC      5
#define BULK           64   /* routes of one batch: part of a large change */
#define BULK_PAUSE_MS  50   /* without one: it is over */
#define REAP_PER_SLICE 2048 /* routes of tables that are gone */

struct node_vnet *node_vnet_by_number(const struct node *node, uint32_t number)
{
	for (size_t i = 0; i < node->n_vnets; i++) {
		if (node->vnets[i]->number == number)
			return node->vnets[i];
	}
	return NULL;
}

void node_fib_kick(struct node *node)
{
	loop_work_add(node->loop, &node->fib_work);
}

void node_fib_reconfigure(struct node *node)
{
	const struct config *config = node->config;

	if (!node->maps)
		return;
	fib_maps_fast_least(node->maps, config->lookup == DATAPLANE_LOOKUP_AUTO
						? config->lookup_min_routes
						: 0);
	fib_maps_route_counters(node->maps, config->route_counters);
	if (node->nexthops)
		node_nexthop_dirty_all(node, NULL); /* tunnels may have changed */
	node_fib_kick(node);
}

/* --- what nexthop_table tells ------------------------------------------------------------------------ */

static void on_nexthop_added(void *ctx, uint32_t id)
{
	struct node *node = ctx;
	bool managed = node->nexthop_state[id].managed;
	uint32_t devmap = node->nexthop_state[id].devmap;

	/* The id may be one that was on its way out: what it holds in the kernel stays with it. */
	node->nexthop_state[id] = (struct node_nexthop){
		.live = true, .managed = managed, .devmap = devmap, .since = loop_now(node->loop)
	};
	node_nexthop_dirty(node, id);
}

static void on_nexthop_unused(void *ctx, uint32_t id)
{
	struct node *node = ctx;

	node->nexthop_state[id].live = false;
	if (node->plan)
		fib_plan_del_nexthop(node->plan, id);
	else
		node_nexthop_dirty(node, id);
	node_fib_kick(node);
}

static void on_group_changed(void *ctx, uint32_t id)
{
	struct node *node = ctx;

	node->group_dirty[id] = true;
	node->groups_dirty = true;
	node_fib_kick(node);
}

static void on_group_unused(void *ctx, uint32_t id)
{
	struct node *node = ctx;

	if (node->plan)
		fib_plan_del_group(node->plan, id);
	node->group_dirty[id] = !node->plan;
	node->groups_dirty |= !node->plan;
	node_fib_kick(node);
}

/* --- groups ----------------------------------------------------------------------------------------------- */

static bool any_usable(const struct node *node, const uint32_t *ids, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (nexthop_info(node->nexthops, ids[i])->usable)
			return true;
	}
	return false;
}

/*
 * Nobody of the group is left, but a route table's persist is still to be asked what then: until the RIB has
 * decided, frames go on as they did rather than past a firewall.
 */
static bool waits_for_persist(const struct node *node, const struct group_info *info)
{
	const struct nexthop_info *first = nexthop_info(node->nexthops, info->member[0]);
	const struct node_vnet *vnet = node_vnet_by_number(node, first->vnet);
	bool undecided = vnet && !node_vnet_idle(vnet);

	if (!vnet || any_usable(node, info->member, info->n_members) ||
	    any_usable(node, info->backup, info->n_backup) || !node_persist_wanted(vnet))
		return false;
	for (unsigned int i = 0; i < info->n_members; i++)
		undecided |= node->nexthop_state[info->member[i]].peer_dead;
	return undecided;
}

static void render_groups(struct node *node)
{
	struct xrs_group group;
	struct xrs_bucket bucket;

	if (!node->groups_dirty)
		return;
	node->groups_dirty = false;
	for (uint32_t id = 1; id < XRS_GROUP_MAX; id++) {
		const struct group_info *info;

		if (!node->group_dirty[id])
			continue;
		node->group_dirty[id] = false;
		info = group_info(node->nexthops, id);
		if (!info)
			continue;
		if (!node->plan) {
			if (info->refs == 0)
				group_recycle(node->nexthops, id);
			continue;
		}
		if (info->refs == 0)
			continue; /* adopted and not wanted again: it stays as it is until the sweep */
		if (waits_for_persist(node, info)) {
			node->group_dirty[id] = node->groups_dirty = true;
			continue;
		}
		group_render(node->nexthops, id, &group, &bucket);
		fib_plan_set_group(node->plan, id, &group, &bucket);
	}
}

/* --- carrying out ------------------------------------------------------------------------------------------- */

static void write_nexthops(struct node *node, struct fib_plan_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		struct fib_plan_slot *slot = &batch->slots[i];

		if (batch->op == FIB_PLAN_NEXTHOP_SET)
			slot->error = fib_maps_nexthop_set(node->maps, slot->id, &slot->nexthop);
		else
			slot->error = fib_maps_nexthop_del(node->maps, slot->id);
	}
}

static void write_groups(struct node *node, struct fib_plan_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		struct fib_plan_slot *slot = &batch->slots[i];

		if (batch->op == FIB_PLAN_GROUP_SET)
			slot->error = fib_maps_group_set(node->maps, slot->id, &slot->group,
							 &slot->bucket);
		else
			slot->error = fib_maps_group_del(node->maps, slot->id);
	}
}

/* Of next hops and groups: the writer does the routes. */
static void (*const write_slots[FIB_PLAN_OP_MAX])(struct node *, struct fib_plan_batch *) = {
	[FIB_PLAN_NEXTHOP_SET] = write_nexthops,
	[FIB_PLAN_GROUP_SET] = write_groups,
	[FIB_PLAN_GROUP_DEL] = write_groups,
	[FIB_PLAN_NEXTHOP_DEL] = write_nexthops,
};

static unsigned int batch_failures(const struct fib_plan_batch *batch, int *ret_error)
{
	bool routes = batch->op == FIB_PLAN_ROUTE_SET || batch->op == FIB_PLAN_ROUTE_DEL;
	unsigned int failures = 0;

	for (size_t i = 0; i < batch->n; i++) {
		int error = routes ? batch->routes[i].error : batch->slots[i].error;

		if (error) {
			failures++;
			*ret_error = error;
		}
	}
	return failures;
}

static void account(struct node *node, const struct fib_plan_batch *batch)
{
	static struct log_limit limit;
	int error = 0;
	unsigned int failures = batch_failures(batch, &error);

	node->counters.fib_batches++;
	node->counters.fib_writes += batch->n - failures;
	node->counters.fib_write_errors += failures;
	if (failures) {
		if (log_allow(&limit, loop_now(node->loop), 5, 10000))
			log_err(SUBSYS, "%s: %u of %zu failed: %s", fib_plan_op_name(batch->op),
				failures, batch->n, strerror(-error));
		node_event_fib_error(node, fib_plan_op_name(batch->op), -error);
		loop_timer_set(node->loop, &node->probe_timer,
			       mono_add_sec(loop_now(node->loop), RETRY_SEC));
	}
}

static void carried_out(void *ctx, struct fib_plan_batch *batch)
{
	struct node *node = ctx;

	account(node, batch);
	if (batch->routes && batch->n >= BULK)
		node->bulk_at = loop_now(node->loop);
	fib_plan_done(node->plan, batch);
	node_fib_kick(node);
}

static void carry_out(struct node *node, struct fib_plan_batch *batch)
{
	if (batch->routes) {
		fib_writer_submit(node->writer, batch);
		return;
	}
	write_slots[batch->op](node, batch);
	carried_out(node, batch);
}

static void recycle_gone(struct node *node)
{
	struct fib_plan_gone gone;

	while (fib_plan_next_gone(node->plan, &gone)) {
		if (gone.is_group)
			group_recycle(node->nexthops, gone.id);
		else
			node_nexthop_release(node, gone.id);
	}
}

static void derive_again(struct loop_timer *timer)
{
	node_fib_kick(timer->ctx);
}

/*
 * Derived structures wait for the end of a large change: the plan may have nothing to do for a moment while
 * more routes arrive, and to publish one costs a grace period.
 */
static bool derive(struct node *node)
{
	struct mono due = mono_add_msec(node->bulk_at, BULK_PAUSE_MS);

	if (!mono_before(loop_now(node->loop), due))
		return fib_writer_derive(node->writer);
	loop_timer_set(node->loop, &node->derive_timer, due);
	return false;
}

static bool fib_slice(struct loop_work *work)
{
	struct node *node = work->ctx;
	struct fib_plan_batch batch;

	node_nexthop_refresh(node);
	render_groups(node);
	if (!node->plan)
		return node->nexthops_dirty || node->groups_dirty;
	if (node->adoption)
		return false; /* its end wakes us */
	if (fib_plan_next(node->plan, &batch)) {
		carry_out(node, &batch);
		recycle_gone(node);
		return true;
	}
	recycle_gone(node);
	if (fib_writer_busy(node->writer))
		return false; /* carried_out() wakes us */
	return fib_maps_reap(node->maps, REAP_PER_SLICE) || derive(node) ||
	       node_nexthop_release_dead(node) || node->groups_dirty ||
	       (node->nexthops_dirty && node->net_synced);
}

void node_fib_urgent(struct node *node)
{
	struct fib_plan_batch batch;

	if (!node->plan)
		return;
	render_groups(node);
	while (fib_plan_next_urgent(node->plan, &batch))
		carry_out(node, &batch);
	node_fib_kick(node);
}

void node_fib_drain(struct node *node)
{
	if (node->writer)
		fib_writer_drain(node->writer);
}

/* --- life ----------------------------------------------------------------------------------------------------- */

static void probe(struct loop_timer *timer)
{
	struct node *node = timer->ctx;

	if (node->plan)
		fib_plan_retry(node->plan);
	node_nexthop_dirty_all(node, NULL);
	node_nic_retry(node);
	node_fib_kick(node);
}

static int open_maps(struct node *node)
{
	struct loader_migrated migrated;
	char text[LOADER_TEXT];
	struct fib_schema schema;
	int err;

	err = privilege_load(node->config->instance, text, &node->loader);
	if (err < 0) {
		log_err(SUBSYS, "%s", text);
		return err;
	}
	migrated = loader_migrated(node->loader);
	if (migrated.from)
		log_info("restart",
			 "maps of layout %u moved to layout %u: routes=%llu, links changed=%u",
			 migrated.from, XRS_LAYOUT_VERSION, (unsigned long long)migrated.routes,
			 migrated.links);
	schema = loader_schema(node->loader);
	err = fib_maps_open(node->config->instance, &schema, &node->maps);
	if (err < 0) {
		log_err(SUBSYS, "maps of instance %s can not be opened: %s", node->config->instance,
			strerror(-err));
		return err;
	}
	node->plan = fib_plan_new();
	node_fib_reconfigure(node);
	if (!node->plan)
		return -ENOMEM;
	return fib_writer_new(node->loop, node->maps, carried_out, node, &node->writer);
}

int node_fib_init(struct node *node)
{
	const struct nexthop_events events = {
		.ctx = node,
		.nexthop_added = on_nexthop_added,
		.nexthop_unused = on_nexthop_unused,
		.group_changed = on_group_changed,
		.group_unused = on_group_unused,
	};

	node->fib_work = (struct loop_work){ .fn = fib_slice, .ctx = node };
	node->probe_timer = (struct loop_timer){ .fn = probe, .ctx = node };
	node_timeline_init(node);
	node->timeline = timeline_new();
	node->derive_timer = (struct loop_timer){ .fn = derive_again, .ctx = node };
	node->nexthop_state = calloc(XRS_NEXTHOP_MAX, sizeof(*node->nexthop_state));
	node->group_dirty = calloc(XRS_GROUP_MAX, sizeof(*node->group_dirty));
	node->nexthops = nexthop_table_new(&events);
	if (!node->timeline || !node->nexthop_state || !node->group_dirty || !node->nexthops)
		return -ENOMEM;
	return node->config->mode == DATAPLANE_NONE ? 0 : open_maps(node);
}

void node_fib_done(struct node *node)
{
	loop_work_del(node->loop, &node->fib_work);
	loop_timer_stop(node->loop, &node->probe_timer);
	loop_timer_stop(node->loop, &node->derive_timer);
	fib_writer_free(node->writer);
	loop_timer_stop(node->loop, &node->first_timer);
	timeline_free(node->timeline);
	fib_plan_free(node->plan);
	fib_maps_free(node->maps);
	loader_free(node->loader);
	nexthop_table_free(node->nexthops);
	free(node->nexthop_state);
	free(node->group_dirty);
}
