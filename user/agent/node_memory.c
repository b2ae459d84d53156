// SPDX-License-Identifier: GPL-2.0-only
/*
 * When malloc says no: what could not be kept is counted, the rest goes on, and every few seconds it is tried
 * again until nothing is missing. Routes of a peer are asked for again, those of tables are decided again.
 * Called by node_peering.c and node_vnet.c where they run out of memory.
 */
#include <string.h>

#include "agent/node_impl.h"

#define SUBSYS     "memory"
#define RETRY_SEC  5
#define RESTART_MS 30000

static const struct bgp_error out_of_resources = { /* RFC 4486 4 */
						   .code = BGP_ERR_CEASE,
						   .subcode = BGP_CEASE_OUT_OF_RESOURCES
};

/* Without ROUTE-REFRESH only a new session brings what was lost. */
static void ask_again(struct node_peering *peering)
{
	struct session *session = peering->session;

	peering->short_of_memory = false;
	if (session_is_established(session) && session_refresh_in(session, 0) < 0)
		session_fail(session, &out_of_resources, RESTART_MS);
}

static void decide_again(struct node_vnet *vnet)
{
	vnet->short_of_memory = false;
	node_vnet_redecide(vnet);
}

static void retry(struct loop_timer *timer)
{
	struct node *node = timer->ctx;

	for (size_t v = 0; v < node->n_vnets; v++) {
		struct node_vnet *vnet = node->vnets[v];

		if (vnet->short_of_memory)
			decide_again(vnet);
		for (size_t i = 0; i < vnet->n_peerings; i++) {
			if (vnet->peerings[i]->short_of_memory)
				ask_again(vnet->peerings[i]);
		}
	}
}

static void ran_out(struct node *node, const char *what, const struct node_vnet *vnet,
		    const char *name)
{
	static struct log_limit limit;

	node->counters.out_of_memory++;
	if (log_allow(&limit, loop_now(node->loop), 3, 10000))
		log_err(SUBSYS, "vnet=%s %s=%s out of memory, tried again in %d s",
			vnet->config->name, what, name, RETRY_SEC);
	if (!loop_timer_is_set(&node->memory_timer))
		loop_timer_set(node->loop, &node->memory_timer,
			       mono_add_sec(loop_now(node->loop), RETRY_SEC));
}

void node_memory_init(struct node *node)
{
	node->memory_timer = (struct loop_timer){ .fn = retry, .ctx = node };
}

void node_memory_peering(struct node_peering *peering)
{
	peering->short_of_memory = true;
	ran_out(peering->vnet->node, "peering", peering->vnet, peering->config->name);
}

void node_memory_table(struct node_table *table)
{
	table->vnet->short_of_memory = true;
	ran_out(table->vnet->node, "table", table->vnet, table->config->name);
}
