// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fills the timeline: which groups and prefixes a next hop concerns, when the maps were right, and, for a
 * short time afterwards, when the first frame went where it now belongs. Called by node_fib.c around its
 * writes. Changes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "agent/node_impl.h"

#define POLL_USEC  1000
#define POLL_LIMIT 2000 /* two seconds: no traffic is an answer as well */

static bool lists(const uint32_t *ids, unsigned int n, uint32_t id)
{
	for (unsigned int i = 0; i < n; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

/* Who carries the frames of @info's flows now: @id itself when it is usable, else the others. */
static void add_heirs(const struct node *node, const struct group_info *info, uint32_t id,
		      struct node_heirs *heirs)
{
	for (unsigned int i = 0; i < info->n_members + info->n_backup; i++) {
		uint32_t other =
			i < info->n_members ? info->member[i] : info->backup[i - info->n_members];
		const struct nexthop_info *hop = nexthop_info(node->nexthops, other);

		if (other != id && hop && hop->usable && heirs->n < XRS_MEMBERS_MAX &&
		    !lists(heirs->id, heirs->n, other))
			heirs->id[heirs->n++] = other;
	}
}

static uint64_t packets_of(const struct node *node, const struct node_heirs *heirs)
{
	uint64_t packets = 0;

	for (unsigned int i = 0; i < heirs->n; i++) {
		struct xrs_nh_stats stats;

		if (fib_maps_nh_stats(node->maps, heirs->id[i], &stats) == 0)
			packets += stats.packets;
	}
	return packets;
}

static void poll_first(struct loop_timer *timer)
{
	struct node *node = timer->ctx;
	struct node_heirs *heirs = &node->heirs;
	struct timeline_entry *entry = timeline_find(node->timeline, heirs->seq);

	if (!entry)
		return;
	if (packets_of(node, heirs) != heirs->packets) {
		entry->first = mono_now();
		return;
	}
	if (heirs->polls++ < POLL_LIMIT)
		loop_timer_set(node->loop, timer, mono_add_usec(loop_now(node->loop), POLL_USEC));
}

void node_timeline_init(struct node *node)
{
	node->first_timer = (struct loop_timer){ .fn = poll_first, .ctx = node };
}

void node_timeline_begin(struct node *node, uint32_t id, const struct node_vnet *vnet,
			 enum timeline_cause cause, struct timeline_entry *ret_entry)
{
	const struct nexthop_info *hop = nexthop_info(node->nexthops, id);
	const struct node_peering *peering = vnet ? node_peering_by_addr(vnet, &hop->addr) : NULL;

	*ret_entry = (struct timeline_entry){
		.cause = cause,
		.addr = hop->addr,
		.detected = loop_now(node->loop),
		.decided = mono_now(),
	};
	snprintf(ret_entry->vnet, sizeof(ret_entry->vnet), "%s", vnet ? vnet->config->name : "");
	snprintf(ret_entry->peering, sizeof(ret_entry->peering), "%s",
		 peering ? peering->config->name : "");
	ret_entry->writes = (uint32_t)node->counters.fib_writes;
}

void node_timeline_end(struct node *node, uint32_t id, struct timeline_entry *entry)
{
	struct node_heirs heirs = { 0 };

	if (!mono_is_set(entry->programmed))
		entry->programmed = mono_now();
	entry->writes = (uint32_t)node->counters.fib_writes - entry->writes;
	entry->wall_usec = wall_now_usec();
	for (uint32_t g = group_next(node->nexthops, 0); g; g = group_next(node->nexthops, g)) {
		const struct group_info *info = group_info(node->nexthops, g);

		if (!lists(info->member, info->n_members, id) &&
		    !lists(info->backup, info->n_backup, id))
			continue;
		entry->groups++;
		entry->prefixes += info->refs;
		add_heirs(node, info, id, &heirs);
	}
	if (entry->cause == TIMELINE_RETURNED || entry->cause == TIMELINE_NEIGHBOUR_MOVED)
		heirs = (struct node_heirs){ .n = 1, .id = { id } };
	heirs.seq = timeline_add(node->timeline, entry);
	heirs.packets = packets_of(node, &heirs);
	node->heirs = heirs;
	if (heirs.n)
		loop_timer_set(node->loop, &node->first_timer,
			       mono_add_usec(loop_now(node->loop), POLL_USEC));
	node_event_timeline(node, entry);
}
