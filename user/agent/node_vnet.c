// SPDX-License-Identifier: GPL-2.0-only
/*
 * One vnet at work: its RIB, its route tables and its peerings, built from the configuration and
 * changed with it. What the RIB selects is decided here for every route table and handed to the plan.
 * Called by node.c; never touches sockets or maps.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"

#define SUBSYS "vnet"

static const struct rib_offer no_offer;

/* --- from selection to the plan ------------------------------------------------------------------ */

static void table_decide(struct node_table *table, const struct ip_prefix *prefix,
			 const struct rib_offer *offer)
{
	struct fib_plan *plan = table->vnet->node->plan;
	struct effective_result result;
	struct xrs_route route;
	int err;

	if (!plan)
		return;
	if (!node_persist_decide(table, prefix, offer, &result))
		effective_decide(table->effective, prefix, offer, &result);
	if (effective_route(&result, &route))
		err = fib_plan_set_route(plan, table->index, prefix, &route);
	else
		err = fib_plan_del_route(plan, table->index, prefix);
	if (err < 0)
		node_memory_table(table);
}

void node_vnet_decide_again(struct node_table *table, const struct ip_prefix *prefix)
{
	struct rib *rib = node_vnet_source_rib(table->vnet);
	struct rib_offer offer = rib ? rib_offer(rib, prefix) : no_offer;

	table_decide(table, prefix, &offer);
}

static void decide_tables(struct node_vnet *vnet, const struct ip_prefix *prefix,
			  const struct rib_offer *offer)
{
	for (size_t i = 0; i < vnet->n_tables; i++)
		table_decide(&vnet->tables[i], prefix, offer);
}

void node_vnet_decide(struct node_vnet *vnet, const struct ip_prefix *prefix,
		      const struct rib_offer *offer)
{
	decide_tables(vnet, prefix, offer);
	for (size_t i = 0; i < vnet->n_users; i++)
		decide_tables(vnet->users[i], prefix, offer);
	node_fib_kick(vnet->node);
}

void node_journal_hops(const struct node_vnet *vnet, uint32_t group, struct journal_hops *ret_hops)
{
	const struct nexthop_table *nexthops = vnet->node->nexthops;
	const struct group_info *info = group ? group_info(nexthops, group) : NULL;

	ret_hops->n = info ? (uint8_t)info->n_members : 0;
	for (unsigned int i = 0; i < ret_hops->n && i < JOURNAL_HOPS; i++)
		ret_hops->hop[i] = nexthop_info(nexthops, info->member[i])->addr;
}

/* Whatever is behind the n-th of the hops is left as it is. */
static bool same_hops(const struct node_vnet *vnet, uint32_t old_group, uint32_t group)
{
	struct journal_hops a, b;

	if (!old_group || !group)
		return old_group == group;
	node_journal_hops(vnet, old_group, &a);
	node_journal_hops(vnet, group, &b);
	return a.n == b.n &&
	       !memcmp(a.hop, b.hop, (a.n < JOURNAL_HOPS ? a.n : JOURNAL_HOPS) * sizeof(a.hop[0]));
}

/* Not when only the backup set changed: the group is another, what is used is not. */
static void write_journal(struct node_vnet *vnet, const struct rib_change *change)
{
	const struct rib_peer_config *peer = rib_peer_get(vnet->rib, change->cause_peer);
	struct journal_entry *entry;

	if (!vnet->journal)
		vnet->journal = journal_new();
	if (!vnet->journal || same_hops(vnet, change->old_group, change->offer.group))
		return;
	entry = journal_add(vnet->journal);
	entry->wall_usec = node_wall_now(vnet->node);
	entry->prefix = change->prefix;
	node_journal_hops(vnet, change->old_group, &entry->from);
	node_journal_hops(vnet, change->offer.group, &entry->to);
	entry->peer = peer ? peer->addr : (struct ip_addr){ .family = IP_NONE };
	entry->cause = change->cause;
	entry->step = change->step;
}

static void on_changed(void *ctx, const struct rib_change *change)
{
	write_journal(ctx, change);
	node_event_route(ctx, &change->prefix);
	node_vnet_decide(ctx, &change->prefix, &change->offer);
}

static void on_soon(void *ctx, const struct ip_prefix *prefix)
{
	const struct node_vnet *vnet = ctx;

	for (size_t i = 0; i < vnet->n_tables; i++)
		fib_plan_prefetch(vnet->node->plan, vnet->tables[i].index, prefix);
}

static void on_event(void *ctx, enum rib_event_type type, uint16_t peer, enum bgp_family family,
		     uint32_t count)
{
	node_peering_rib_event(ctx, type, peer, family, count);
}

static bool rib_slice(struct loop_work *work)
{
	struct node_vnet *vnet = work->ctx;
	bool more = rib_work(vnet->rib, NODE_RIB_SLICE, loop_now(vnet->node->loop));

	if (!more)
		node_fib_kick(vnet->node); /* next hops of dead peers may be released now */
	return more;
}

void node_vnet_rib_work(struct node_vnet *vnet)
{
	if (vnet->rib)
		loop_work_add(vnet->node->loop, &vnet->rib_work);
}

bool node_vnet_idle(const struct node_vnet *vnet)
{
	return !vnet->rib_work.queued && !vnet->recompute.queued;
}

struct rib *node_vnet_source_rib(const struct node_vnet *vnet)
{
	return vnet->source ? vnet->source->rib : NULL;
}

static void decide_change(void *ctx, const struct rib_change *change)
{
	decide_tables(ctx, &change->prefix, &change->offer);
}

static bool recompute_slice(struct loop_work *work)
{
	struct node_vnet *vnet = work->ctx;
	struct rib *rib = node_vnet_source_rib(vnet);

	if (!rib)
		return false;
	node_fib_kick(vnet->node);
	if (rib_walk_selected(rib, vnet->recompute_family, &vnet->recompute_cursor, NODE_RIB_SLICE,
			      decide_change, vnet))
		return true;
	vnet->recompute_cursor = 0;
	return ++vnet->recompute_family < BGP_FAMILY_MAX;
}

void node_vnet_offer_all(struct node_vnet *vnet)
{
	if (!node_vnet_source_rib(vnet))
		return;
	vnet->recompute_family = 0;
	vnet->recompute_cursor = 0;
	loop_work_add(vnet->node->loop, &vnet->recompute);
}

/* --- groups of user routes -------------------------------------------------------------------------- */

/* The gateways are those of the route server that the vnet uses. */
static unsigned int gateway_members(struct node_vnet *vnet, enum ip_family family,
				    uint32_t *members)
{
	const struct node_vnet *source = vnet->source;
	unsigned int n = 0;

	for (size_t i = 0; source && i < source->config->n_peerings && n < XRS_MEMBERS_MAX; i++) {
		const struct peering_config *p = &source->config->peerings[i];

		if (p->peer_ip.family != family ||
		    (p->role != PEER_EXPRESS_ROUTE && p->role != PEER_VPN_GATEWAY))
			continue;
		members[n] = nexthop_get(vnet->node->nexthops, source->number, &p->peer_ip);
		n += members[n] != NEXTHOP_NONE;
	}
	return n;
}

/* A held group for one user route; 0 when the type has none or no member exists. */
static uint32_t user_group(struct node_vnet *vnet, const struct user_route *route)
{
	struct nexthop_table *nexthops = vnet->node->nexthops;
	uint32_t members[XRS_MEMBERS_MAX];
	unsigned int n = 0;
	uint32_t group;

	if (route->type == NEXT_HOP_VIRTUAL_APPLIANCE) {
		members[0] =
			nexthop_get(nexthops, node_peered_owner(vnet, &route->next_hop)->number,
				    &route->next_hop);
		n = members[0] != NEXTHOP_NONE;
	} else if (route->type == NEXT_HOP_VIRTUAL_NETWORK_GATEWAY) {
		n = gateway_members(vnet, route->prefix.addr.family, members);
	}
	group = n ? group_get(nexthops, members, n, NULL, 0) : GROUP_NONE;
	for (unsigned int i = 0; i < n; i++)
		nexthop_unref(nexthops, members[i]); /* the group holds its own */
	return group;
}

static void release_user_groups(struct node_table *table, size_t n)
{
	for (size_t i = 0; i < n && table->user_groups; i++) {
		if (table->user_groups[i])
			group_unref(table->vnet->node->nexthops, table->user_groups[i]);
	}
	free(table->user_groups);
	table->user_groups = NULL;
}

static int make_user_groups(struct node_table *table)
{
	const struct route_table_config *config = table->config;

	table->user_groups = calloc(config->n_routes + 1, sizeof(*table->user_groups));
	if (!table->user_groups)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_routes; i++) {
		table->user_groups[i] = user_group(table->vnet, &config->routes[i]);
		effective_set_user_group(table->effective, i, table->user_groups[i]);
	}
	return 0;
}

/* --- route tables ------------------------------------------------------------------------------------ */

static struct effective_table *make_effective(const struct node_vnet *vnet,
					      const struct route_table_config *config)
{
	size_t n;
	struct ip_prefix *peered = node_peered_prefixes(vnet, false, &n);
	struct effective_table *effective = effective_table_new(vnet->config, config, peered, n);

	free(peered);
	return effective;
}

static void decide_fixed(struct node_table *table, const struct effective_table *of)
{
	struct rib *rib = node_vnet_source_rib(table->vnet);

	for (size_t i = 0; i < effective_fixed_count(of); i++) {
		const struct ip_prefix *prefix = effective_fixed_prefix(of, i);

		struct rib_offer offer = rib ? rib_offer(rib, prefix) : no_offer;

		table_decide(table, prefix, &offer);
	}
}

void node_vnet_redecide(struct node_vnet *vnet)
{
	for (size_t i = 0; i < vnet->n_tables; i++)
		decide_fixed(&vnet->tables[i], vnet->tables[i].effective);
	node_vnet_offer_all(vnet);
}

int node_table_fill(struct node_table *table)
{
	table->effective = make_effective(table->vnet, table->config);
	return table->effective ? make_user_groups(table) : -ENOMEM;
}

void node_table_empty(struct node_table *table)
{
	release_user_groups(table, table->config->n_routes);
	effective_table_free(table->effective);
	table->effective = NULL;
}

/* Puts the tries of a table at their place in the maps and the plan. */
static int table_open(struct node_table *table)
{
	struct node *node = table->vnet->node;
	const char *vnet = table->vnet->config->name;
	int err;

	if (!node->maps)
		return 0;
	table->index = restart_table_index(node, vnet, table->config->name);
	if (table->index == FIB_TABLE_BAD)
		return -ENOSPC;
	err = fib_maps_table_open(node->maps, table->index, vnet, table->config->name);
	if (err < 0)
		return err;
	fib_plan_table_add(node->plan, table->index);
	return 0;
}

static int table_start(struct node_vnet *vnet, struct node_table *table,
		       const struct route_table_config *config)
{
	int err;

	*table = (struct node_table){ .vnet = vnet, .config = config, .index = FIB_TABLE_BAD };
	err = table_open(table);
	if (err < 0) {
		log_err(SUBSYS, "vnet=%s table=%s can not be opened: %s", vnet->config->name,
			config->name, strerror(-err));
		return err;
	}
	return node_table_fill(table);
}

static void table_stop(struct node_table *table)
{
	struct node *node = table->vnet->node;

	node_persist_free(table);
	node_table_empty(table);
	if (!node->maps || table->index == FIB_TABLE_BAD || node->stopping)
		return;
	node_fib_drain(node);
	fib_plan_table_remove(node->plan, table->index);
	fib_maps_table_close(node->maps, table->index);
}

/* The same table with another configuration: only what is decided differently is touched. */
static bool table_reconfigure(struct node_table *table, const struct route_table_config *config)
{
	struct effective_table *old = table->effective;
	size_t n_old = table->config->n_routes;
	uint32_t *old_groups = table->user_groups;
	struct node_table keep = *table;
	bool same;

	table->effective = make_effective(table->vnet, config);
	table->config = config;
	if (!table->effective || make_user_groups(table) < 0) {
		log_err(SUBSYS, "vnet=%s table=%s out of memory, its routes stay as they were",
			table->vnet->config->name, config->name);
		if (table->effective)
			release_user_groups(table, config->n_routes);
		effective_table_free(table->effective);
		*table = keep;
		return true;
	}
	same = effective_same_for_bgp(old, table->effective);
	decide_fixed(table, old);
	decide_fixed(table, table->effective);
	if (config->persist.action == PERSIST_SYSTEM)
		node_persist_release(table, NULL);
	keep.user_groups = old_groups;
	release_user_groups(&keep, n_old);
	effective_table_free(old);
	return same;
}

/* --- peerings ------------------------------------------------------------------------------------------ */

int node_vnet_add_peering(struct node_vnet *vnet, const struct peering_config *config,
			  struct node_peering **ret_peering)
{
	struct node_peering **grown;
	int err;

	grown = realloc(vnet->peerings, (vnet->n_peerings + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	vnet->peerings = grown;
	err = node_peering_new(vnet, config, &vnet->peerings[vnet->n_peerings]);
	if (err < 0) {
		log_err(SUBSYS, "vnet=%s peering=%s can not be started: %s", vnet->config->name,
			config->name, strerror(-err));
		return err;
	}
	*ret_peering = vnet->peerings[vnet->n_peerings++];
	return 0;
}

static void add_configured(struct node_vnet *vnet, const struct peering_config *config)
{
	struct node_peering *peering;

	if (!peering_is_range(config))
		node_vnet_add_peering(vnet, config, &peering);
}

static void remove_peering(struct node_vnet *vnet, size_t index)
{
	node_peering_free(vnet->peerings[index]);
	vnet->peerings[index] = vnet->peerings[--vnet->n_peerings];
}

void node_vnet_remove_peering(struct node_vnet *vnet, struct node_peering *peering)
{
	for (size_t i = 0; i < vnet->n_peerings; i++) {
		if (vnet->peerings[i] == peering) {
			remove_peering(vnet, i);
			return;
		}
	}
}

const char *node_vnet_endpoint_differs(const struct node_vnet *vnet, const struct peering_config *a,
				       const struct peering_config *b,
				       const struct route_server_config *old)
{
	const struct route_server_config *now = &vnet->config->route_server;
	const struct {
		bool same;
		const char *key;
	} rows[] = {
		{ ip_equal(&a->peer_ip, &b->peer_ip), "peerIp" },
		{ prefix_equal(&a->peer_range, &b->peer_range), "peerRange" },
		{ a->port == b->port, "port" },
		{ strcmp(a->local_address, b->local_address) == 0, "localAddress" },
		{ strcmp(a->device, b->device) == 0, "device" },
		{ old->port == now->port, "routeServer.port" },
		{ ip_equal(&old->local_address, &now->local_address), "routeServer.localAddress" },
		{ ip_equal(&old->local_address6, &now->local_address6),
		  "routeServer.localAddress6" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].same)
			return rows[i].key;
	}
	return NULL;
}

static int reconfigure_peerings(struct node_vnet *vnet, const struct vnet_config *before)
{
	const struct vnet_config *config = vnet->config;

	node_ranges_apply(vnet, before);
	for (size_t i = vnet->n_peerings; i-- > 0;) {
		struct node_peering *p = vnet->peerings[i];
		const struct peering_config *next = vnet_find_peering(config, p->config->name);

		if (p->range)
			continue;
		if (next &&
		    !node_vnet_endpoint_differs(vnet, p->config, next, &before->route_server))
			node_peering_reconfigure(p, next);
		else
			remove_peering(vnet, i);
	}
	for (size_t i = 0; i < config->n_peerings; i++) {
		bool known = false;

		for (size_t k = 0; k < vnet->n_peerings && !known; k++)
			known = vnet->peerings[k]->config == &config->peerings[i];
		if (!known)
			add_configured(vnet, &config->peerings[i]);
	}
	return 0;
}

/* --- the RIB ------------------------------------------------------------------------------------------- */

static bool chooses_sources(const struct vnet_config *config)
{
	for (size_t i = 0; i < config->n_route_tables; i++) {
		if (config->route_tables[i].disable_propagation_from)
			return true;
	}
	return false;
}

/* Some table that lives on this RIB takes one kind of source and not the other. */
static bool tables_choose_sources(const struct node_vnet *vnet)
{
	const struct node *node = vnet->node;
	size_t self = (size_t)(vnet->config - node->config->vnets);
	bool any = false;

	for (size_t i = 0; i < node->peered.n && !any; i++)
		any = node->peered.vnets[i].source == self &&
		      chooses_sources(&node->config->vnets[i]);
	return any;
}

void node_vnet_fill_rib(const struct node_vnet *vnet, struct rib_config *ret)
{
	const struct route_server_config *rs = &vnet->config->route_server;

	*ret = (struct rib_config){
		.vnet = vnet->number,
		.local_asn = rs->asn,
		.local_id = vnet->node->config->router_id,
		.local_addr = { rs->local_address, rs->local_address6 },
		.decision = {
			.selection = rs->selection,
			.hub_preference = rs->hub_preference,
			.always_compare_med = rs->always_compare_med,
			.max_paths = rs->max_paths,
			.link_bandwidth = !rs->ignore_link_bandwidth,
		},
		.branch_to_branch = rs->branch_to_branch,
		.offer_by_source = tables_choose_sources(vnet),
		.nexthops_always_usable = vnet->node->config->mode == DATAPLANE_NONE,
	};
}

/* The vnet's own prefixes, and those of the vnets that use its route server. */
static int set_local_prefixes(struct node_vnet *vnet)
{
	const struct vnet_config *config = vnet->config;
	size_t n;
	struct ip_prefix *users = node_peered_prefixes(vnet, true, &n);
	struct ip_prefix *all = calloc(config->n_prefixes + n + 1, sizeof(*all));
	int err = -ENOMEM;

	if (all) {
		memcpy(all, config->prefixes, config->n_prefixes * sizeof(*all));
		if (n)
			memcpy(all + config->n_prefixes, users, n * sizeof(*all));
		err = rib_set_local(vnet->rib, RIB_LOCAL_VNET, all, config->n_prefixes + n);
	}
	free(users);
	free(all);
	return err;
}

static int start_rib(struct node_vnet *vnet)
{
	const struct rib_callbacks callbacks = { .ctx = vnet,
						 .changed = on_changed,
						 .event = on_event,
						 .soon = vnet->node->plan ? on_soon : NULL };
	struct rib_config config;

	node_vnet_fill_rib(vnet, &config);
	vnet->rib = rib_new(&config, vnet->node->nexthops, &callbacks);
	if (!vnet->rib)
		return -ENOMEM;
	if (!vnet->started)
		restart_defer(vnet);
	return set_local_prefixes(vnet);
}

static void stop_rib(struct node_vnet *vnet)
{
	node_ranges_free(vnet);
	while (vnet->n_peerings)
		remove_peering(vnet, vnet->n_peerings - 1);
	loop_timer_stop(vnet->node->loop, &vnet->deferral);
	node_hosts_forget(vnet);
	loop_work_del(vnet->node->loop, &vnet->rib_work);
	rib_free(vnet->rib);
	vnet->rib = NULL;
}

static void withdraw_change(void *ctx, const struct rib_change *change)
{
	decide_tables(ctx, &change->prefix, &no_offer);
}

/* Before a RIB goes, or the vnet leaves it: no route table keeps what it offered. */
void node_vnet_withdraw_all(struct node_vnet *vnet)
{
	struct rib *rib = node_vnet_source_rib(vnet);

	loop_work_del(vnet->node->loop, &vnet->recompute);
	for (enum bgp_family f = 0; rib && f < BGP_FAMILY_MAX; f++) {
		uint32_t cursor = 0;

		while (rib_walk_selected(rib, f, &cursor, NODE_RIB_SLICE, withdraw_change, vnet))
			;
	}
	for (size_t i = 0; i < vnet->n_tables; i++)
		node_persist_release(&vnet->tables[i], NULL);
	node_fib_kick(vnet->node);
}

static void reconfigure_rib(struct node_vnet *vnet, const struct vnet_config *before)
{
	struct rib_config config;

	if (!vnet->config->route_server.present) {
		if (vnet->rib) {
			node_vnet_withdraw_all(vnet);
			for (size_t i = 0; i < vnet->n_users; i++)
				node_vnet_withdraw_all(vnet->users[i]);
			stop_rib(vnet);
		}
		return;
	}
	if (!vnet->rib) {
		start_rib(vnet);
	} else {
		node_vnet_fill_rib(vnet, &config);
		rib_reconfigure(vnet->rib, &config);
		set_local_prefixes(vnet);
	}
	if (vnet->rib)
		reconfigure_peerings(vnet, before);
	restart_check_vnet(vnet);
	node_vnet_rib_work(vnet);
}

/* --- life ------------------------------------------------------------------------------------------------ */

struct node_vnet *node_vnet_new(struct node *node, const struct vnet_config *config)
{
	struct node_vnet *vnet = calloc(1, sizeof(*vnet));

	if (!vnet)
		return NULL;
	vnet->node = node;
	vnet->config = config;
	vnet->number = ++node->next_vnet_number;
	vnet->rib_work = (struct loop_work){ .fn = rib_slice, .ctx = vnet };
	vnet->recompute = (struct loop_work){ .fn = recompute_slice, .ctx = vnet };
	node_event_routes_init(vnet);
	return vnet;
}

static int start_tables(struct node_vnet *vnet)
{
	const struct vnet_config *config = vnet->config;
	int err;

	vnet->tables = calloc(config->n_route_tables, sizeof(*vnet->tables));
	if (!vnet->tables)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_route_tables; i++) {
		err = table_start(vnet, &vnet->tables[i], &config->route_tables[i]);
		vnet->n_tables++;
		if (err < 0)
			return err;
		decide_fixed(&vnet->tables[i], vnet->tables[i].effective);
	}
	return 0;
}

int node_vnet_start_rib(struct node_vnet *vnet)
{
	return vnet->config->route_server.present ? start_rib(vnet) : 0;
}

int node_vnet_start(struct node_vnet *vnet)
{
	int err = start_tables(vnet);

	if (err < 0)
		return err;
	node_vnet_offer_all(vnet); /* a hub may have routes already */
	for (size_t i = 0; vnet->rib && i < vnet->config->n_peerings; i++)
		add_configured(vnet, &vnet->config->peerings[i]);
	if (vnet->rib)
		node_ranges_apply(vnet, vnet->config);
	vnet->started = true;
	restart_check_vnet(vnet);
	node_fib_kick(vnet->node);
	return 0;
}

static int reconfigure_tables(struct node_vnet *vnet)
{
	const struct vnet_config *config = vnet->config;
	struct node_table *tables = calloc(config->n_route_tables, sizeof(*tables));
	struct node_table *before = vnet->tables;
	bool same = true;
	int err = 0;

	if (!tables)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_route_tables; i++) {
		const struct route_table_config *next = &config->route_tables[i];
		struct node_table *old = node_find_table(vnet, next->name);

		if (old) {
			same = table_reconfigure(old, next) && same;
			tables[i] = *old;
			old->vnet = NULL; /* moved */
		} else {
			err = table_start(vnet, &tables[i], next);
			if (err == 0)
				decide_fixed(&tables[i], tables[i].effective);
			same = false;
		}
	}
	for (size_t i = 0; i < vnet->n_tables; i++) {
		if (vnet->tables[i].vnet)
			table_stop(&vnet->tables[i]);
	}
	vnet->tables = tables;
	vnet->n_tables = config->n_route_tables;
	node_nic_tables_moved(vnet);
	free(before);
	if (!same)
		node_vnet_offer_all(vnet);
	return err;
}

void node_vnet_reconfigure(struct node_vnet *vnet, const struct vnet_config *config)
{
	const struct vnet_config *before = vnet->config;

	vnet->config = config;
	reconfigure_rib(vnet, before);
}

int node_vnet_reconfigure_tables(struct node_vnet *vnet)
{
	int err = reconfigure_tables(vnet);

	node_fib_kick(vnet->node);
	return err;
}

void node_vnet_free(struct node_vnet *vnet)
{
	if (!vnet)
		return;
	node_peered_unlink(vnet);
	stop_rib(vnet);
	node_event_routes_done(vnet);
	loop_work_del(vnet->node->loop, &vnet->recompute);
	for (size_t i = 0; i < vnet->n_tables; i++)
		table_stop(&vnet->tables[i]);
	free(vnet->tables);
	free(vnet->peerings);
	free(vnet->links);
	free(vnet->users);
	journal_free(vnet->journal);
	free(vnet);
}

uint32_t node_vnet_scope(const struct node_vnet *vnet)
{
	const struct node_table *table = node_find_table(vnet, "main");

	return table ? table->index : FIB_TABLE_BAD;
}
