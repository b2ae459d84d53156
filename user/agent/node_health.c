// SPDX-License-Identifier: GPL-2.0-only
/*
 * An appliance's health beside BGP and BFD: a port of it that has to answer, and the time for which it must have been
 * back before flows return. Called by node_peering.c.
 */
#include <stdio.h>
#include <string.h>

#include "agent/node_impl.h"

#define SUBSYS "peering"

static void hold_over(struct loop_timer *timer)
{
	struct node_peering *peering = timer->ctx;

	node_nexthop_peer_changed(peering->vnet, &peering->config->peer_ip, TIMELINE_RETURNED);
}

/* After a failure flows come back only when the return has lasted for returnHoldMs. */
void node_health_returned(struct node_peering *peering)
{
	struct loop *loop = peering->vnet->node->loop;

	if (peering->failed && peering->config->return_hold_ms)
		loop_timer_set(loop, &peering->hold,
			       mono_add_msec(loop_now(loop), peering->config->return_hold_ms));
	peering->failed = false;
}

bool node_peering_probe_failed(const struct node_peering *peering)
{
	return peering->probe && !probe_is_alive(peering->probe);
}

static void on_probe(void *owner, bool alive)
{
	struct node_peering *peering = owner;

	log_write(alive ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, SUBSYS, "peering=%s vnet=%s port %u %s",
		  peering->config->name, peering->vnet->config->name, peering->config->probe_port,
		  alive ? "answers again" : "does not answer: out of use");
	peering->failed = true;
	if (alive)
		node_health_returned(peering);
	node_nexthop_peer_changed(peering->vnet, &peering->config->peer_ip,
				  alive ? TIMELINE_RETURNED : TIMELINE_PROBE_FAILED);
}

static bool same_probe(const struct probe_config *a, const struct probe_config *b)
{
	return ip_equal(&a->peer, &b->peer) && ip_equal(&a->local, &b->local) &&
	       strcmp(a->device, b->device) == 0 && a->port == b->port &&
	       a->interval_ms == b->interval_ms && a->timeout_ms == b->timeout_ms &&
	       a->failures == b->failures;
}

void node_health_apply(struct node_peering *peering)
{
	const struct peering_config *config = peering->config;
	struct probe_config probe = { .peer = config->peer_ip,
				      .port = config->probe_port,
				      .interval_ms = config->probe_interval_ms,
				      .timeout_ms = config->probe_timeout_ms,
				      .failures = config->probe_failures };

	node_peering_local_address(peering, &probe.local);
	snprintf(probe.device, sizeof(probe.device), "%s", config->device);
	if (peering->probe && same_probe(probe_config(peering->probe), &probe))
		return;
	probe_free(peering->probe);
	peering->probe = NULL;
	if (config->probe_port &&
	    probe_new(peering->vnet->node->loop, &probe, on_probe, peering, &peering->probe) < 0)
		log_err(SUBSYS, "peering=%s vnet=%s no probe: out of memory", config->name,
			peering->vnet->config->name);
	node_nexthop_dirty_addr(peering->vnet->node, &config->peer_ip);
}

void node_health_init(struct node_peering *peering)
{
	peering->hold = (struct loop_timer){ .fn = hold_over, .ctx = peering };
}

void node_health_done(struct node_peering *peering)
{
	probe_free(peering->probe);
	loop_timer_stop(peering->vnet->node->loop, &peering->hold);
}
