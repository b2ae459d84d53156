// SPDX-License-Identifier: GPL-2.0-only
/*
 * The node's life: builds everything in the order in which the parts need each other, applies a new
 * configuration piece by piece, and takes itself down without touching what forwards. Called by main.c
 * and the API.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/node_impl.h"
#include "agent/router_id.h"

#define SUBSYS          "node"
#define CLOCK_STEP_USEC 1000000

/* --- lookups -------------------------------------------------------------------------------------- */

struct node_vnet *node_find_vnet(const struct node *node, const char *name)
{
	for (size_t i = 0; i < node->n_vnets; i++) {
		if (strcmp(node->vnets[i]->config->name, name) == 0)
			return node->vnets[i];
	}
	return NULL;
}

struct node_peering *node_find_peering(const struct node *node, const char *vnet, const char *name,
				       bool *ret_ambiguous)
{
	struct node_peering *found = NULL;
	bool ambiguous = false;

	for (size_t v = 0; v < node->n_vnets; v++) {
		if (vnet && strcmp(node->vnets[v]->config->name, vnet) != 0)
			continue;
		for (size_t i = 0; i < node->vnets[v]->n_peerings; i++) {
			struct node_peering *p = node->vnets[v]->peerings[i];

			if (strcmp(p->config->name, name) != 0)
				continue;
			ambiguous |= found != NULL;
			found = p;
		}
	}
	*ret_ambiguous = ambiguous;
	return ambiguous ? NULL : found;
}

struct node_range *node_find_range(const struct node *node, const char *vnet, const char *name,
				   bool *ret_ambiguous)
{
	struct node_range *found = NULL;
	bool ambiguous = false;

	for (size_t v = 0; v < node->n_vnets; v++) {
		if (vnet && strcmp(node->vnets[v]->config->name, vnet) != 0)
			continue;
		for (size_t i = 0; i < node->vnets[v]->n_ranges; i++) {
			struct node_range *range = node->vnets[v]->ranges[i];

			if (strcmp(range->config->name, name) != 0)
				continue;
			ambiguous |= found != NULL;
			found = range;
		}
	}
	*ret_ambiguous = ambiguous;
	return ambiguous ? NULL : found;
}

struct node_nic *node_find_nic(const struct node *node, const char *name)
{
	for (size_t i = 0; i < node->n_nics; i++) {
		if (strcmp(node->nics[i]->name, name) == 0)
			return node->nics[i];
	}
	return NULL;
}

struct node_table *node_find_table(const struct node_vnet *vnet, const char *name)
{
	for (size_t i = 0; i < vnet->n_tables; i++) {
		struct node_table *table = &vnet->tables[i];

		if (table->vnet && strcmp(table->config->name, name) == 0)
			return table;
	}
	return NULL;
}

/* --- effective routes -------------------------------------------------------------------------------- */

void node_effective(const struct node_table *table, const struct ip_prefix *prefix,
		    struct effective_result *ret_result)
{
	struct rib *rib = node_vnet_source_rib(table->vnet);
	struct rib_offer offer = { 0 };

	if (node_persist_view(table, prefix, ret_result))
		return;
	if (rib)
		offer = rib_offer(rib, prefix);
	effective_decide(table->effective, prefix, &offer, ret_result);
}

typedef bool (*effective_fn)(void *ctx, const struct ip_prefix *prefix,
			     const struct effective_result *result);

struct walk_context {
	const struct node_table *table;
	effective_fn fn;
	void *ctx;
	bool stopped;
};

static void walk_selected(void *ctx, const struct rib_change *change)
{
	struct walk_context *walk = ctx;
	struct effective_result result;

	if (walk->stopped || effective_is_fixed(walk->table->effective, &change->prefix))
		return;
	effective_decide(walk->table->effective, &change->prefix, &change->offer, &result);
	walk->stopped = !walk->fn(walk->ctx, &change->prefix, &result);
}

/* Stage 0: fixed prefixes. Returns true when it is over. */
static bool walk_fixed(const struct node_table *table, struct node_effective_cursor *cursor,
		       unsigned int budget, effective_fn fn, void *ctx)
{
	size_t count = effective_fixed_count(table->effective);

	while (cursor->position < count && budget--) {
		const struct ip_prefix *prefix =
			effective_fixed_prefix(table->effective, cursor->position);
		struct effective_result result;

		node_effective(table, prefix, &result);
		if (!fn(ctx, prefix, &result))
			return false;
		cursor->position++;
	}
	return cursor->position >= count;
}

#define STAGE_RIB  1 /* one for each family */
#define STAGE_HELD (STAGE_RIB + BGP_FAMILY_MAX)

/* Of a prefix whose last path is lost the RIB knows nothing, or has only paths that can not be used. */
static bool walk_held(const struct node_table *table, struct node_effective_cursor *cursor,
		      unsigned int budget, effective_fn fn, void *ctx)
{
	struct effective_result result;
	struct ip_prefix prefix;

	while (budget--) {
		if (!node_persist_walk(table, &cursor->position, &prefix))
			return false;
		if (effective_is_fixed(table->effective, &prefix))
			continue;
		node_effective(table, &prefix, &result);
		if (!fn(ctx, &prefix, &result))
			return true;
	}
	return true;
}

bool node_effective_walk(const struct node_table *table, struct node_effective_cursor *cursor,
			 unsigned int budget, effective_fn fn, void *ctx)
{
	struct walk_context walk = { .table = table, .fn = fn, .ctx = ctx };
	struct rib *rib = node_vnet_source_rib(table->vnet);

	if (cursor->stage == 0) {
		if (!walk_fixed(table, cursor, budget, fn, ctx))
			return true;
		*cursor = (struct node_effective_cursor){ .stage = rib ? STAGE_RIB : STAGE_HELD };
		return true;
	}
	if (cursor->stage >= STAGE_HELD)
		return walk_held(table, cursor, budget, fn, ctx);
	if (!rib || !rib_walk_selected(rib, cursor->stage - STAGE_RIB, &cursor->position, budget,
				       walk_selected, &walk))
		*cursor = (struct node_effective_cursor){ .stage = cursor->stage + 1 };
	return true;
}

/* --- applying a configuration --------------------------------------------------------------------------- */

static int add_vnet(struct node *node, const struct vnet_config *config)
{
	struct node_vnet **grown = realloc(node->vnets, (node->n_vnets + 1) * sizeof(*grown));
	struct node_vnet *vnet;

	if (!grown)
		return -ENOMEM;
	node->vnets = grown;
	vnet = node_vnet_new(node, config);
	if (!vnet)
		return -ENOMEM;
	node->vnets[node->n_vnets++] = vnet;
	return 0;
}

static void remove_nics_of(struct node *node, const struct node_vnet *vnet)
{
	for (size_t i = node->n_nics; i-- > 0;) {
		if (node->nics[i]->vnet == vnet)
			node_nic_gone(node, node->nics[i]->ifindex);
	}
}

static void remove_vnet(struct node *node, size_t index)
{
	struct node_vnet *vnet = node->vnets[index];

	remove_nics_of(node, vnet);
	node->vnets[index] = node->vnets[--node->n_vnets];
	node_vnet_free(vnet);
}

static int refuse(struct config_error *error, const char *path, const char *message)
{
	memset(error, 0, sizeof(*error));
	snprintf(error->path, sizeof(error->path), "%s", path);
	snprintf(error->message, sizeof(error->message), "%s", message);
	return -EINVAL;
}

/* What names directories or chooses the data plane is fixed for the life of a process. */
int node_check_fixed(const struct node *node, const struct config *config,
		     struct config_error *error)
{
	if (strcmp(config->instance, node->config->instance) != 0)
		return refuse(error, "node.instance", "can not change while running; restart xrsd");
	if (config->mode != node->config->mode)
		return refuse(error, "dataplane.mode",
			      "can not change while running; restart xrsd");
	return 0;
}

static void remove_old_vnets(struct node *node)
{
	for (size_t i = node->n_vnets; i-- > 0;) {
		if (!config_find_vnet(node->config, node->vnets[i]->config->name))
			remove_vnet(node, i);
	}
}

/* RIBs and peerings of those that stay, then the RIBs of new ones. */
static void apply_ribs(struct node *node)
{
	size_t known = node->n_vnets;

	for (size_t i = 0; i < node->config->n_vnets; i++) {
		const struct vnet_config *config = &node->config->vnets[i];
		struct node_vnet *vnet = node_find_vnet(node, config->name);
		int err = 0;

		if (vnet)
			node_vnet_reconfigure(vnet, config);
		else
			err = add_vnet(node, config);
		if (err < 0)
			log_err(SUBSYS, "vnet=%s: %s", config->name, strerror(-err));
	}
	for (size_t i = known; i < node->n_vnets; i++)
		node_vnet_start_rib(node->vnets[i]);
}

static void apply_tables(struct node *node, size_t known)
{
	for (size_t i = 0; i < node->n_vnets; i++) {
		struct node_vnet *vnet = node->vnets[i];
		int err = i < known ? node_vnet_reconfigure_tables(vnet) : node_vnet_start(vnet);

		if (err < 0)
			log_err(SUBSYS, "vnet=%s: %s", vnet->config->name, strerror(-err));
	}
}

/* Addresses of the host may come and go: a node that runs keeps its identifier. */
static int choose_router_id(struct config *config, uint32_t present, struct config_error *ret_error)
{
	bool server = false;

	if (!config->router_id)
		config->router_id = present ? present : router_id_of_host();
	for (size_t i = 0; i < config->n_vnets; i++)
		server |= config->vnets[i].route_server.present;
	if (config->router_id || !server)
		return 0;
	return refuse(ret_error, "node.routerId",
		      "is needed: neither a localAddress nor the host has an IPv4 address");
}

static void log_warnings(const struct config *config)
{
	for (size_t i = 0; i < config->n_warnings; i++)
		log_warn(SUBSYS, "%s", config->warnings[i]);
}

int node_apply(struct node *node, struct config *config, const char *cause,
	       struct config_error *ret_error)
{
	struct config *old = node->config;
	size_t known = 0;
	int err = node_check_fixed(node, config, ret_error);

	if (err == 0)
		err = choose_router_id(config, node->config->router_id, ret_error);
	if (err < 0)
		return err;
	node->config = config;
	if (node_peered_build(node) < 0) {
		node->config = old;
		return refuse(ret_error, "vnets", "out of memory");
	}
	log_set_level(config->log_level);
	log_warnings(config);
	remove_old_vnets(node);
	known = node->n_vnets;
	apply_ribs(node);
	node_peered_relink(node);
	apply_tables(node, known);
	node_nic_rematch(node);
	node_hosts_kick(node);
	node_fib_reconfigure(node);
	config_free(old);
	node->counters.reloads++;
	node->config_generation++;
	node_event_config(node, cause);
	node_fib_kick(node);
	return 0;
}

/* --- life ------------------------------------------------------------------------------------------------- */

static int start_vnets(struct node *node)
{
	int err;

	for (size_t i = 0; i < node->config->n_vnets; i++) {
		err = add_vnet(node, &node->config->vnets[i]);
		if (err < 0)
			return err;
	}
	if (node->maps) {
		err = restart_adopt(node);
		if (err < 0)
			return err;
	}
	err = node_peered_build(node);
	for (size_t i = 0; i < node->n_vnets && err == 0; i++)
		err = node_vnet_start_rib(node->vnets[i]);
	if (err == 0)
		err = node_peered_relink(node);
	for (size_t i = 0; i < node->n_vnets && err == 0; i++)
		err = node_vnet_start(node->vnets[i]);
	return err;
}

static int start(struct node *node)
{
	struct config_error error;
	int err;

	node->events = events_new();
	if (!node->events)
		return -ENOMEM;
	node_config_resume(node); /* another configuration may be in force from here on */
	err = choose_router_id(node->config, 0, &error);
	if (err < 0) {
		log_err(SUBSYS, "%s: %s", error.path, error.message);
		return err;
	}
	log_warnings(node->config);
	node->listeners = listener_set_new(node->loop);
	if (!node->listeners)
		return -ENOMEM;
	node_persist_init(node);
	node_memory_init(node);
	err = node_fib_init(node);
	if (err == 0)
		err = node_nic_init(node);
	if (err == 0)
		err = node_bfd_init(node);
	if (err == 0)
		err = start_vnets(node);
	if (err == 0)
		err = node_vm_init(node);
	if (err == 0)
		err = node_learn_init(node);
	node_trace_init(node);
	if (err == 0)
		err = node_net_init(node);
	if (err < 0)
		return err;
	restart_check(node);
	node_fib_kick(node);
	return 0;
}

static uint64_t wall_ahead(void)
{
	return wall_now_usec() - mono_now().usec;
}

void node_check_clock(struct node *node)
{
	int64_t step = (int64_t)(wall_ahead() - node->wall_ahead);

	node->wall_ahead += (uint64_t)step;
	if (step < CLOCK_STEP_USEC && step > -CLOCK_STEP_USEC)
		return;
	node->counters.clock_steps++;
	log_warn(SUBSYS, "the clock was set by %+lld s", (long long)step / 1000000);
}

uint64_t node_wall_now(const struct node *node)
{
	return loop_now(node->loop).usec + node->wall_ahead;
}

int node_new(struct loop *loop, struct config *config, const char *config_path,
	     struct node **ret_node)
{
	struct node *node = calloc(1, sizeof(*node));
	int err;

	if (!node)
		return -ENOMEM;
	node->loop = loop;
	node->config = config;
	node->config_generation = 1;
	node->started = mono_now();
	node->started_wall = wall_now_usec();
	node->wall_ahead = wall_ahead();
	snprintf(node->config_path, sizeof(node->config_path), "%s", config_path);
	config_get_paths(config, &node->paths);
	err = start(node);
	if (err < 0) {
		node_free(node);
		return err;
	}
	*ret_node = node;
	return 0;
}

void node_free(struct node *node)
{
	if (!node)
		return;
	node->stopping = true;
	while (node->n_vnets)
		node_vnet_free(node->vnets[--node->n_vnets]);
	free(node->vnets);
	bfd_free(node->bfd);
	node_trace_done(node);
	node_vm_done(node);
	node_nic_free_all(node);
	node_learn_done(node);
	node_net_done(node);
	loop_timer_stop(node->loop, &node->sweep_deadline);
	restart_done(node);
	loop_timer_stop(node->loop, &node->persist_timer);
	loop_timer_stop(node->loop, &node->memory_timer);
	node_fib_done(node);
	listener_set_free(node->listeners);
	peered_done(&node->peered);
	node_config_done(node);
	config_free(node->config);
	events_free(node->events);
	free(node);
}
