// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draining a peering: its next hop keeps the flows that run through it, new ones go to the other members of
 * its groups (bpf/drain.bpf.h), and when no packet has come to it for a while it is empty. Called by the API;
 * node_fib.c asks here when it writes the next hop. Only the peering's own address drains. The next hop in
 * the map keeps it over a restart, as the map of flows does.
 */
#include <errno.h>

#include "agent/node_impl.h"

#define SUBSYS   "drain"
#define POLL_SEC 1

static uint32_t nexthop_of(const struct node_peering *peering)
{
	return nexthop_find(peering->vnet->node->nexthops, peering->vnet->number,
			    &peering->config->peer_ip);
}

static uint64_t packets_of(const struct node_peering *peering)
{
	struct xrs_nh_stats stats = { 0 };
	uint32_t id = nexthop_of(peering);

	if (id != NEXTHOP_NONE)
		fib_maps_nh_stats(peering->vnet->node->maps, id, &stats);
	return stats.packets;
}

static void tell(const struct node_peering *peering)
{
	log_info(SUBSYS, "peering=%s vnet=%s %s", peering->config->name,
		 peering->vnet->config->name, node_drain_state(peering));
	node_event_drain(peering);
}

static void poll_packets(struct loop_timer *timer)
{
	struct node_peering *peering = timer->ctx;
	struct node_drain *drain = &peering->drain;
	struct loop *loop = peering->vnet->node->loop;
	uint64_t packets = packets_of(peering);
	bool empty;

	if (packets != drain->packets)
		drain->last = loop_now(loop);
	drain->packets = packets;
	empty = mono_since_usec(loop_now(loop), drain->last) >= (uint64_t)drain->idle_sec * 1000000;
	if (empty != drain->empty) {
		drain->empty = empty;
		tell(peering);
	}
	loop_timer_set(loop, timer, mono_add_sec(loop_now(loop), POLL_SEC));
}

void node_drain_init(struct node_peering *peering)
{
	peering->drain.timer = (struct loop_timer){ .fn = poll_packets, .ctx = peering };
}

/* An earlier process had begun it: with the same beginning, by which the program knows its flows. */
void node_drain_resume(struct node_peering *peering)
{
	struct node *node = peering->vnet->node;
	struct node_drain *drain = &peering->drain;
	struct xrs_nexthop value = { .drain_ns = 0 };
	uint32_t id = nexthop_of(peering);

	if (!node->maps || peering->vnet->started || id == NEXTHOP_NONE ||
	    fib_maps_nexthop_get(node->maps, id, &value) < 0 || !value.drain_ns)
		return;
	drain->idle_sec = NODE_DRAIN_IDLE_SEC;
	drain->since = (struct mono){ value.drain_ns / 1000 };
	drain->last = loop_now(node->loop);
	drain->packets = packets_of(peering);
	loop_timer_set(node->loop, &drain->timer, mono_add_sec(drain->last, POLL_SEC));
	tell(peering);
}

void node_drain_done(struct node_peering *peering)
{
	struct node *node = peering->vnet->node;

	loop_timer_stop(node->loop, &peering->drain.timer);
	/* Its address may stay a next hop, of another peering or a user route. */
	if (mono_is_set(peering->drain.since) && !node->stopping)
		node_nexthop_dirty_all(node, NULL);
}

uint64_t node_drain_since_ns(const struct node_vnet *vnet, const struct ip_addr *addr)
{
	const struct node_peering *peering = vnet ? node_peering_by_addr(vnet, addr) : NULL;

	return peering ? peering->drain.since.usec * 1000 : 0;
}

const char *node_drain_state(const struct node_peering *peering)
{
	if (!mono_is_set(peering->drain.since))
		return "none";
	return peering->drain.empty ? "empty" : "draining";
}

int node_peering_drain(struct node_peering *peering, uint32_t idle_sec)
{
	struct node *node = peering->vnet->node;
	struct node_drain *drain = &peering->drain;

	if (!node->maps)
		return -EOPNOTSUPP;
	drain->idle_sec = idle_sec;
	if (mono_is_set(drain->since))
		return 0;
	drain->since = drain->last = loop_now(node->loop);
	drain->packets = packets_of(peering);
	node_nexthop_dirty_addr(node, &peering->config->peer_ip);
	loop_timer_set(node->loop, &drain->timer, mono_add_sec(drain->since, POLL_SEC));
	tell(peering);
	return 0;
}

void node_peering_undrain(struct node_peering *peering)
{
	struct node *node = peering->vnet->node;
	struct node_drain *drain = &peering->drain;

	if (!mono_is_set(drain->since))
		return;
	loop_timer_stop(node->loop, &drain->timer);
	drain->since = (struct mono){ 0 };
	drain->empty = false;
	node_nexthop_dirty_addr(node, &peering->config->peer_ip);
	tell(peering);
}
