// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an earlier process left in the maps: taken over as it is, kept forwarding, and swept once all
 * peers have said everything again or the deadline is over. Nothing is flushed. Until all
 * routes are adopted none is written (node_fib.c): what is wanted meanwhile may stand in the map already.
 * Called by node.c at start, by node_peering.c at each End-of-RIB.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"

#define SUBSYS     "restart"
#define WALK_BATCH 1024
/* Numbers for next hops of vnets that the configuration does not have any more. */
#define VNET_UNKNOWN 0x80000000u

static struct fib_table_pin *table_pins(struct node *node, int *ret_n)
{
	struct fib_table_pin *pins = calloc(XRS_TABLE_MAX, sizeof(*pins));

	*ret_n = pins ? fib_maps_table_pins(node->maps, pins, XRS_TABLE_MAX) : -ENOMEM;
	return pins;
}

static bool index_in_use(const struct node *node, uint32_t index)
{
	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t i = 0; i < node->vnets[v]->n_tables; i++) {
			if (node->vnets[v]->tables[i].index == index)
				return true;
		}
	}
	return false;
}

uint32_t restart_table_index(struct node *node, const char *vnet, const char *table)
{
	bool used[XRS_TABLE_MAX] = { false };
	struct fib_table_pin *pins;
	uint32_t found = FIB_TABLE_BAD;
	int n;

	pins = table_pins(node, &n);
	for (int i = 0; i < n && i < XRS_TABLE_MAX; i++) {
		if (pins[i].index >= XRS_TABLE_MAX)
			continue;
		used[pins[i].index] = true;
		if (strcmp(pins[i].vnet, vnet) == 0 && strcmp(pins[i].table, table) == 0)
			found = pins[i].index;
	}
	free(pins);
	for (uint32_t i = 0; found == FIB_TABLE_BAD && i < XRS_TABLE_MAX; i++) {
		if (!used[i] && !index_in_use(node, i))
			found = i;
	}
	return found;
}

static uint32_t vnet_number(const struct node *node, const char *name, uint32_t nexthop)
{
	const struct node_vnet *vnet = node_find_vnet(node, name);

	return vnet ? vnet->number : VNET_UNKNOWN + nexthop;
}

static void adopt_nexthops(struct node *node, unsigned int *count)
{
	struct xrs_nexthop value;

	for (uint32_t id = 1; id < XRS_NEXTHOP_MAX; id++) {
		struct ip_addr addr;
		char vnet[XRS_NAME_LEN + 1] = "";

		if (fib_maps_nexthop_get(node->maps, id, &value) < 0 || !value.family)
			continue;
		addr = ip_from_bytes(value.family, value.addr);
		memcpy(vnet, value.vnet, XRS_NAME_LEN);
		if (nexthop_adopt(node->nexthops, id, vnet_number(node, vnet, id), &addr) < 0)
			continue;
		fib_plan_adopt_nexthop(node->plan, id, &value);
		/* Not known to be dead: in use until resolve says otherwise. */
		nexthop_set_usable(node->nexthops, id, value.way != XRS_WAY_NONE);
		node->nexthop_state[id].devmap =
			(value.way == XRS_WAY_REDIRECT || value.way == XRS_WAY_VXLAN) &&
					fib_maps_dev_has(node->maps, value.ifindex)
				? value.ifindex
				: 0;
		(*count)++;
	}
}

static void adopt_groups(struct node *node, unsigned int *count)
{
	struct xrs_group group;
	struct xrs_bucket bucket;

	for (uint32_t id = 1; id < XRS_GROUP_MAX; id++) {
		if (fib_maps_group_get(node->maps, id, &group, &bucket) < 0 || !group.n_members)
			continue;
		if (group_adopt(node->nexthops, id, group.member, group.n_members, group.backup,
				group.n_backup) < 0)
			continue;
		fib_plan_adopt_group(node->plan, id, &group, &bucket);
		(*count)++;
	}
}

/* --- routes, in slices ---------------------------------------------------------------------------------- */

/* A million routes take a second or more: the API answers and sessions come up meanwhile. */
struct restart_adoption {
	struct fib_table_pin *pins; /* of the tables that stay */
	size_t n, at;               /* at: twice the index of one of them, and the family */
	struct fib_walk walk;
	size_t found; /* by this walk */
	uint64_t routes;
	unsigned int nexthops, groups;
	struct mono began;
	struct fib_route batch[WALK_BATCH];
};

static void begin_walk(struct restart_adoption *adoption)
{
	adoption->found = 0;
	if (adoption->at < 2 * adoption->n)
		fib_walk_init(&adoption->walk, adoption->pins[adoption->at / 2].index,
			      adoption->at % 2 ? IP_V6 : IP_V4);
}

/* The next entries of a trie into the plan; false: there are no more, or its table was closed meanwhile. */
static bool adopt_some(struct node *node, struct restart_adoption *adoption)
{
	const struct fib_walk *walk = &adoption->walk;
	size_t n = 0;
	int err = fib_maps_walk(node->maps, &adoption->walk, adoption->batch, WALK_BATCH, &n);

	if (err == -ESTALE) { /* somebody else's doing: what comes again changes nothing */
		begin_walk(adoption);
		return true;
	}
	for (size_t i = 0; err == 0 && i < n; i++) {
		const struct fib_route *route = &adoption->batch[i];

		if (fib_plan_adopt_route(node->plan, walk->table, &route->prefix, &route->value) ==
		    0)
			adoption->routes++;
	}
	adoption->found += n;
	if (err == 0 && n)
		return true;
	fib_maps_counted(node->maps, walk->table, walk->family, adoption->found);
	return false;
}

static void adoption_over(struct node *node)
{
	struct restart_adoption *adoption = node->adoption;

	log_info(SUBSYS, "adopted tables=%zu routes=%llu groups=%u nexthops=%u in %llu ms",
		 adoption->n, (unsigned long long)adoption->routes, adoption->groups,
		 adoption->nexthops,
		 (unsigned long long)mono_since_usec(loop_now(node->loop), adoption->began) / 1000);
	restart_done(node);
	node_fib_kick(node);
}

bool restart_adopt_more(struct node *node)
{
	struct restart_adoption *adoption = node->adoption;

	if (!adoption)
		return false;
	if (adoption->at < 2 * adoption->n) {
		if (!adopt_some(node, adoption)) {
			adoption->at++;
			begin_walk(adoption);
		}
		return true;
	}
	adoption_over(node);
	return false;
}

static bool adopt_slice(struct loop_work *work)
{
	return restart_adopt_more(work->ctx);
}

void restart_done(struct node *node)
{
	if (!node->adoption)
		return;
	loop_work_del(node->loop, &node->adopt_work);
	free(node->adoption->pins);
	free(node->adoption);
	node->adoption = NULL;
}

/* A table that the configuration has not is opened only to be taken away whole. True: it stays. */
static bool adopt_table(struct node *node, const struct fib_table_pin *pin)
{
	const struct node_vnet *vnet = node_find_vnet(node, pin->vnet);

	if (pin->index >= XRS_TABLE_MAX ||
	    fib_maps_table_open(node->maps, pin->index, pin->vnet, pin->table) < 0)
		return false;
	if (!vnet || !vnet_find_table(vnet->config, pin->table)) {
		fib_maps_table_close(node->maps, pin->index);
		return false;
	}
	fib_plan_table_add(node->plan, pin->index);
	return true;
}

/* Takes over @pins. */
static int adopt_tables(struct node *node, struct fib_table_pin *pins, size_t n)
{
	struct restart_adoption *adoption = calloc(1, sizeof(*adoption));

	if (!adoption) {
		free(pins);
		return -ENOMEM;
	}
	adoption->began = mono_now();
	adoption->pins = pins;
	for (size_t i = 0; i < n; i++) {
		if (adopt_table(node, &pins[i]))
			pins[adoption->n++] = pins[i];
	}
	adopt_nexthops(node, &adoption->nexthops);
	adopt_groups(node, &adoption->groups);
	begin_walk(adoption);
	node->adoption = adoption;
	node->adopt_work = (struct loop_work){ .fn = adopt_slice, .ctx = node };
	loop_work_add(node->loop, &node->adopt_work);
	return 0;
}

/* --- the sweep ------------------------------------------------------------------------------------------ */

/* Only what was selected is wanted: a sweep before that would take away what still forwards. */
static bool all_selected(const struct node *node)
{
	for (size_t v = 0; v < node->n_vnets; v++) {
		const struct node_vnet *vnet = node->vnets[v];

		if (vnet->rib && (rib_held(vnet->rib) || !node_vnet_idle(vnet)))
			return false;
	}
	return true;
}

/* What leads to a next hop that is just being resolved is not wanted yet, and still forwards. */
static bool all_resolved(const struct node *node)
{
	for (uint32_t id = nexthop_next(node->nexthops, 0); id;
	     id = nexthop_next(node->nexthops, id)) {
		if (!resolve_is_ok(&node->nexthop_state[id].resolved))
			return false;
	}
	return true;
}

static void sweep_later(struct node *node, uint32_t ms)
{
	loop_timer_set(node->loop, &node->sweep_deadline, mono_add_msec(loop_now(node->loop), ms));
}

static void sweep(struct loop_timer *timer)
{
	struct node *node = timer->ctx;
	size_t swept;

	if (node->adoption || !all_selected(node)) {
		sweep_later(node, NODE_SWEEP_SETTLE_MS);
		return;
	}
	if (!node->sweep_waits && !all_resolved(node)) {
		node->sweep_waits = true;
		sweep_later(node, NODE_SWEEP_RESOLVE_MS);
		return;
	}
	if (!node_peerings_complete(node))
		log_warn(SUBSYS, "not every peer came back in %u s", NODE_SWEEP_DEADLINE_SEC);
	node_persist_adopt(node);
	swept = fib_plan_sweep(node->plan);
	node_nic_sweep(node);
	node_bfd_sweep(node);
	node->sweep_done = true;
	node_peerings_restarted(node);
	log_info(SUBSYS, "complete: %zu stale entries go", swept);
	node_event_swept(node, swept);
	node_fib_kick(node);
}

int restart_adopt(struct node *node)
{
	struct fib_table_pin *pins;
	struct xrs_meta meta = { 0 };
	int n, err;

	fib_maps_meta_get(node->maps, &meta);
	node->generation = meta.generation + 1;
	fib_plan_set_generation(node->plan, node->generation);
	fib_maps_generation_set(node->maps, node->generation);
	pins = table_pins(node, &n);
	if (!pins || n < 0) {
		free(pins);
		return n < 0 ? n : -ENOMEM;
	}
	err = adopt_tables(node, pins, n < XRS_TABLE_MAX ? (size_t)n : XRS_TABLE_MAX);
	if (err < 0)
		return err;
	node->adopted = n > 0;
	node->sweep_done = !node->adopted;
	if (!node->adopted) {
		restart_done(node);
		return 0;
	}
	node->sweep_deadline = (struct loop_timer){ .fn = sweep, .ctx = node };
	return loop_timer_set(node->loop, &node->sweep_deadline,
			      mono_add_sec(loop_now(node->loop), NODE_SWEEP_DEADLINE_SEC));
}

/*
 * Seconds that the first selection of a vnet may wait. After a restart all goes on as it was meanwhile; at a
 * first start nothing is forwarded before.
 */
static uint32_t deferral_time(const struct node_vnet *vnet)
{
	const struct route_server_config *server = &vnet->config->route_server;
	bool restarted = vnet->node->adopted && !vnet->node->sweep_done;

	return restarted ? server->deferral_time : server->start_deferral_time;
}

static void select_now(struct node_vnet *vnet)
{
	loop_timer_stop(vnet->node->loop, &vnet->deferral);
	rib_hold(vnet->rib, false);
	node_vnet_rib_work(vnet);
}

static void deferral_over(struct loop_timer *timer)
{
	struct node_vnet *vnet = timer->ctx;

	log_write(vnet->node->adopted ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, SUBSYS,
		  "vnet=%s not every peer said everything in %u s, selecting from what there is",
		  vnet->config->name, deferral_time(vnet));
	select_now(vnet);
}

void restart_defer(struct node_vnet *vnet)
{
	struct node *node = vnet->node;
	uint32_t seconds = deferral_time(vnet);

	if (!seconds)
		return;
	rib_hold(vnet->rib, true);
	vnet->deferral = (struct loop_timer){ .fn = deferral_over, .ctx = vnet };
	loop_timer_set(node->loop, &vnet->deferral, mono_add_sec(loop_now(node->loop), seconds));
}

void restart_check_vnet(struct node_vnet *vnet)
{
	if (!loop_timer_is_set(&vnet->deferral) || node_vnet_awaits_peers(vnet))
		return;
	if (vnet->node->adopted)
		log_info(SUBSYS, "vnet=%s every peer said everything again, selecting",
			 vnet->config->name);
	else
		log_debug(SUBSYS, "vnet=%s every peer said everything, selecting",
			  vnet->config->name);
	select_now(vnet);
}

/* A little later than complete: a next hop that is new since then may still be resolving. */
void restart_check(struct node *node)
{
	if (!node->adopted || node->sweep_done || !node_peerings_complete(node))
		return;
	sweep_later(node, NODE_SWEEP_SETTLE_MS);
}
