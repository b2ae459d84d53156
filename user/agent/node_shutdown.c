// SPDX-License-Identifier: GPL-2.0-only
/*
 * The planned end of this route server (RFC 8326): every peer is told its routes once more with
 * GRACEFUL_SHUTDOWN and gets time to move its traffic, then the sessions end. A stop of the process is
 * something else, it means to come back: sessions end without a word and forwarding goes on. Called by the
 * API; node_peering.c asks it for peerings that are new.
 */
#include "agent/node_impl.h"

#define SUBSYS "shutdown"

static void for_each_peering(struct node *node, void (*fn)(struct node_peering *, void *),
			     void *ctx)
{
	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t i = 0; i < node->vnets[v]->n_peerings; i++)
			fn(node->vnets[v]->peerings[i], ctx);
	}
}

struct farewell {
	uint32_t seconds;
	const char *text;
};

static void end_one(struct node_peering *peering, void *ctx)
{
	const struct farewell *farewell = ctx;
	struct loop *loop = peering->vnet->node->loop;

	if (peering->admin_down)
		return;
	peering->node_down = true;
	/* Told already: asked again, perhaps sooner than before. */
	if (loop_timer_is_set(&peering->shutdown))
		loop_timer_set(loop, &peering->shutdown,
			       mono_add_sec(loop_now(loop), farewell->seconds));
	else
		node_peering_end(peering, farewell->text, farewell->seconds);
}

static void begin_one(struct node_peering *peering, void *ctx)
{
	if (peering->node_down)
		node_peering_enable(peering);
}

static void count_one(struct node_peering *peering, void *ctx)
{
	unsigned int *announced = ctx;

	*announced += loop_timer_is_set(&peering->shutdown);
}

void node_shutdown(struct node *node, uint32_t seconds, const char *text)
{
	struct farewell farewell = { .seconds = seconds, .text = text };

	log_info(SUBSYS, "every peer is told, sessions end in %u s", seconds);
	node->shut_down = true;
	for_each_peering(node, end_one, &farewell);
}

void node_startup(struct node *node)
{
	if (!node->shut_down)
		return;
	log_info(SUBSYS, "over: sessions start again");
	node->shut_down = false;
	for_each_peering(node, begin_one, NULL);
}

const char *node_shutdown_state(struct node *node)
{
	unsigned int announced = 0;

	if (!node->shut_down)
		return "none";
	for_each_peering(node, count_one, &announced);
	return announced ? "announced" : "done";
}
