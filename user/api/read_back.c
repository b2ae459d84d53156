// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the BPF maps really hold, for answers that must not repeat what the RIB wishes: a route, its
 * group, the next hops of the group and their counters. Called by the handlers of nics, routes and
 * peerings. Reads only. Without a data plane (dataplane.mode none) the wanted state stands in.
 */
#include <stdio.h>
#include <string.h>

#include "api/api_impl.h"

static void add_hop(struct group_view *view, uint32_t id, const struct xrs_nexthop *hop)
{
	view->id[view->n] = id;
	view->hop[view->n++] = *hop;
}

static void count_buckets(struct group_view *view, const struct xrs_bucket *bucket)
{
	for (unsigned int b = 0; b < XRS_BUCKETS; b++) {
		for (unsigned int i = 0; i < view->n; i++)
			view->buckets[i] += view->id[i] == bucket->member[b];
	}
}

static void read_from_maps(const struct node *node, uint32_t group, struct group_view *view)
{
	struct xrs_bucket bucket;
	struct xrs_group value;
	const uint32_t *ids;
	unsigned int n;

	if (fib_maps_group_get(node->maps, group, &value, &bucket) < 0)
		return;
	view->using_backup = value.using_backup;
	view->width = value.n_alive;
	ids = value.using_backup ? value.backup : value.member;
	n = value.using_backup ? value.n_backup : value.n_members;
	for (unsigned int i = 0; i < n && i < XRS_MEMBERS_MAX; i++) {
		struct xrs_nh_stats stats = { 0 };
		struct xrs_nexthop hop;

		if (fib_maps_nexthop_get(node->maps, ids[i], &hop) < 0)
			continue;
		add_hop(view, ids[i], &hop);
		fib_maps_nh_stats(node->maps, ids[i], &stats);
		view->packets += stats.packets;
		view->bytes += stats.bytes;
	}
	count_buckets(view, &bucket);
}

/* The name of the peering with this address, as fib_plan's writer would have put it into the map. */
static void name_hop(const struct node *node, uint32_t vnet, const struct ip_addr *addr,
		     struct xrs_nexthop *hop)
{
	for (size_t v = 0; v < node->n_vnets; v++) {
		const struct node_vnet *candidate = node->vnets[v];

		for (size_t p = 0; candidate->number == vnet && p < candidate->n_peerings; p++) {
			const struct peering_config *config = candidate->peerings[p]->config;

			if (ip_equal(&config->peer_ip, addr))
				snprintf(hop->peering, sizeof(hop->peering), "%.*s",
					 (int)sizeof(hop->peering) - 1, config->name);
		}
	}
}

static void read_wanted(const struct node *node, uint32_t group, struct group_view *view)
{
	const struct group_info *info = group_info(node->nexthops, group);
	struct xrs_bucket bucket = { 0 };
	struct xrs_group rendered;

	for (unsigned int i = 0; info && i < info->n_members; i++) {
		const struct nexthop_info *next = nexthop_info(node->nexthops, info->member[i]);
		struct xrs_nexthop hop = { .way = XRS_WAY_NONE };

		if (!next)
			continue;
		hop.family = next->addr.family;
		memcpy(hop.addr, next->addr.bytes, sizeof(hop.addr));
		name_hop(node, next->vnet, &next->addr, &hop);
		add_hop(view, info->member[i], &hop);
		view->width += next->usable;
	}
	if (info)
		group_render(node->nexthops, group, &rendered, &bucket);
	count_buckets(view, &bucket);
}

void read_group(const struct node *node, uint32_t group, struct group_view *ret_view)
{
	memset(ret_view, 0, sizeof(*ret_view));
	if (group == GROUP_NONE)
		return;
	if (node->maps)
		read_from_maps(node, group, ret_view);
	else
		read_wanted(node, group, ret_view);
}

void write_group(const struct node *node, struct json_out *out, const struct group_view *view)
{
	char name[16];

	json_out_begin_array(out, "nextHopIpAddress");
	for (unsigned int i = 0; i < view->n; i++) {
		struct ip_addr addr = ip_from_bytes(view->hop[i].family, view->hop[i].addr);

		write_addr(out, NULL, &addr);
	}
	json_out_end_array(out);
	json_out_begin_array(out, "peering");
	for (unsigned int i = 0; i < view->n; i++)
		json_out_string_n(out, NULL, view->hop[i].peering,
				  strnlen(view->hop[i].peering, XRS_NAME_LEN));
	json_out_end_array(out);
	json_out_begin_array(out, "nextHopMac");
	for (unsigned int i = 0; i < view->n; i++)
		write_mac(out, NULL, view->hop[i].dmac);
	json_out_end_array(out);
	json_out_begin_array(out, "nextHopInterface");
	for (unsigned int i = 0; i < view->n; i++)
		json_out_string(out, NULL, nic_ifname(node, view->hop[i].ifindex, name));
	json_out_end_array(out);
	json_out_begin_array(out, "nextHopBuckets");
	for (unsigned int i = 0; i < view->n; i++)
		json_out_uint(out, NULL, view->buckets[i]);
	json_out_end_array(out);
	json_out_uint(out, "ecmpWidth", view->width);
	json_out_bool(out, "usingBackup", view->using_backup);
	json_out_uint(out, "packets", view->packets);
	json_out_uint(out, "bytes", view->bytes);
}

const char *read_back_state(const struct node_table *table, const struct ip_prefix *prefix,
			    const struct xrs_route *want, struct xrs_route *ret_found)
{
	const struct node *node = table->vnet->node;
	struct fib_plan_route planned;
	bool known, found;

	*ret_found = *want;
	if (!node->maps)
		return "none";
	found = fib_maps_route_get(node->maps, table->index, prefix, ret_found) == 0;
	known = node->plan && fib_plan_route(node->plan, table->index, prefix, &planned);
	if (found && ret_found->kind == want->kind && ret_found->group == want->group)
		return "installed";
	if (known && planned.state == FIB_PLAN_REJECTED)
		return "rejected";
	if (known && (planned.state == FIB_PLAN_PENDING || planned.state == FIB_PLAN_HELD))
		return "pending";
	return found ? "differs" : "missing";
}
