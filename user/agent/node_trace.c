// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traces: what the programs decided about single packets of one nic, from their ring to the event bus.
 *
 * The rule, sampling and the limit a second work in the program, so that what nobody wants costs nothing but
 * the test; without a trace not even that, for it is in other programs, which the nic has for as long. Called by the
 * API. Ends by itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/node_impl.h"

#define SUBSYS "trace"

static void write_addr(struct json_out *out, const char *key, uint8_t family, const uint8_t *bytes)
{
	struct ip_addr addr = ip_from_bytes(family, bytes);
	char text[IP_TEXT_MAX];

	json_out_string(out, key, family ? ip_format(&addr, text) : NULL);
}

/* The prefix that matched, from the destination and its length. */
static void write_route(struct json_out *out, const struct xrs_trace_record *record)
{
	struct ip_addr dst = ip_from_bytes(record->decision.family, record->dst);
	struct ip_prefix prefix = prefix_of(&dst, record->decision.prefix_len);
	char text[PREFIX_TEXT_MAX];

	json_out_string(out, "route",
			record->decision.routed ? prefix_format(&prefix, text) : NULL);
}

static void write_hop(struct json_out *out, const struct node *node, uint32_t id)
{
	struct xrs_nexthop hop;
	char text[IP_TEXT_MAX];
	struct ip_addr addr;

	if (!id || fib_maps_nexthop_get(node->maps, id, &hop) < 0 || !hop.family) {
		json_out_null(out, "nextHop");
		return;
	}
	addr = ip_from_bytes(hop.family, hop.addr);
	json_out_string(out, "nextHop", ip_format(&addr, text));
}

static void tell(void *ctx, const struct xrs_trace_record *record)
{
	struct node *node = ctx;
	const struct xrs_decision *d = &record->decision;
	struct json_out *out;

	node->trace.told++;
	out = events_begin(node->events, EVENT_TRACE_PACKET);
	json_out_string(out, "nic", node->trace.nic);
	json_out_string(out, "hook", record->tc ? "tc" : "xdp");
	json_out_string(out, "verdict", fib_reason_verdict(d->reason));
	json_out_string(out, "reason", fib_reason_name(d->reason));
	write_addr(out, "source", d->family, record->src);
	write_addr(out, "destination", d->family, record->dst);
	json_out_uint(out, "protocol", record->proto);
	json_out_uint(out, "sourcePort", record->sport);
	json_out_uint(out, "destinationPort", record->dport);
	json_out_uint(out, "ttl", record->ttl);
	json_out_uint(out, "length", record->len);
	write_route(out, record);
	write_hop(out, node, d->nexthop);
	json_out_uint(out, "bucket", d->bucket);
	events_end(node->events, loop_now(node->loop), wall_now_usec());
}

static void on_readable(struct loop_io *io, uint32_t events)
{
	struct node *node = io->ctx;

	fib_maps_trace_read(node->maps, tell, node);
}

static void on_end(struct loop_timer *timer)
{
	node_trace_stop(timer->ctx);
}

int node_trace_start(struct node *node, struct node_nic *nic, const struct xrs_trace_rule *rule,
		     unsigned int seconds)
{
	struct node_trace *trace = &node->trace;
	int err;

	node_trace_stop(node);
	if (!node->maps)
		return -EOPNOTSUPP;
	trace->io.fd = fib_maps_trace_open(node->maps);
	if (trace->io.fd < 0)
		return trace->io.fd;
	err = fib_maps_trace_rule(node->maps, rule);
	if (err == 0)
		err = loop_io_add(node->loop, &trace->io, EPOLLIN);
	if (err == 0)
		node_nic_trace(node, nic, true);
	snprintf(trace->nic, sizeof(trace->nic), "%s", nic->name);
	trace->told = 0;
	if (err < 0) {
		node_trace_stop(node);
		return err;
	}
	loop_timer_set(node->loop, &trace->end, mono_add_sec(loop_now(node->loop), seconds));
	log_info(SUBSYS, "nic=%s a trace of %u s begins", trace->nic, seconds);
	return 0;
}

static void tell_end(struct node *node)
{
	struct json_out *out = events_begin(node->events, EVENT_TRACE_END);

	json_out_string(out, "nic", node->trace.nic);
	json_out_uint(out, "packets", node->trace.told);
	events_end(node->events, loop_now(node->loop), wall_now_usec());
}

void node_trace_stop(struct node *node)
{
	struct node_trace *trace = &node->trace;
	struct node_nic *nic = node_find_nic(node, trace->nic);

	if (!trace->nic[0])
		return;
	if (nic)
		node_nic_trace(node, nic, false);
	on_readable(&trace->io, 0); /* what is there already */
	loop_timer_stop(node->loop, &trace->end);
	loop_io_del(node->loop, &trace->io);
	fib_maps_trace_close(node->maps);
	log_info(SUBSYS, "nic=%s the trace ends: %llu packets told", trace->nic,
		 (unsigned long long)trace->told);
	tell_end(node);
	trace->nic[0] = 0;
}

void node_trace_init(struct node *node)
{
	node->trace.io = (struct loop_io){ .fd = -1, .fn = on_readable, .ctx = node };
	node->trace.end = (struct loop_timer){ .fn = on_end, .ctx = node };
}

void node_trace_done(struct node *node)
{
	node_trace_stop(node);
}
