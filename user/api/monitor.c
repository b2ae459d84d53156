// SPDX-License-Identifier: GPL-2.0-only
/*
 * monitor.subscribe and what follows: notifications `monitor.event` on the same connection, between
 * answers. A subscription is a place in the node's ring of events (agent/events.h), so a slow reader
 * costs nothing: what it missed is counted in one `monitor.lost`. Called by socket.c. Changes nothing
 * but the connection's subscriptions.
 */
#include <stdlib.h>

#include "api/api_impl.h"

#define SUBSCRIPTIONS_MAX 8

struct subscription {
	struct event_reader reader;
	uint32_t id; /* 0: free */
};

struct api_monitor {
	struct subscription list[SUBSCRIPTIONS_MAX];
	uint32_t last_id;
};

static void wake(struct event_reader *reader)
{
	api_conn_wake(reader->ctx);
}

void monitor_free(struct api_monitor *monitor, struct node *node)
{
	for (unsigned int i = 0; monitor && i < SUBSCRIPTIONS_MAX; i++) {
		if (monitor->list[i].id)
			events_leave(node->events, &monitor->list[i].reader);
	}
	free(monitor);
}

bool monitor_active(const struct api_monitor *monitor)
{
	for (unsigned int i = 0; monitor && i < SUBSCRIPTIONS_MAX; i++) {
		if (monitor->list[i].id)
			return true;
	}
	return false;
}

/* --- notifications ------------------------------------------------------------------------------- */

static void begin_notification(struct json_out *out, const char *method, uint32_t subscription)
{
	json_out_begin_object(out, NULL);
	json_out_string(out, "jsonrpc", "2.0");
	json_out_string(out, "method", method);
	json_out_begin_object(out, "params");
	json_out_uint(out, "subscription", subscription);
}

static void end_notification(struct json_out *out)
{
	json_out_end_object(out);
	json_out_end_object(out);
	json_out_put_char(out, '\n');
}

static void write_lost(struct json_out *out, uint32_t subscription, uint64_t count)
{
	begin_notification(out, "monitor.lost", subscription);
	json_out_uint(out, "count", count);
	end_notification(out);
}

static void write_event(struct json_out *out, uint32_t subscription, const struct event *event)
{
	begin_notification(out, "monitor.event", subscription);
	json_out_uint(out, "seq", event->seq);
	write_time(out, "time", event->wall_usec);
	json_out_uint(out, "monotonicUsec", event->when.usec);
	json_out_string(out, "type", event_type_name(event->type));
	json_out_raw(out, "data", event->data, event->len);
	end_notification(out);
}

bool monitor_write(struct api_monitor *monitor, struct node *node, struct json_out *out)
{
	for (unsigned int i = 0; monitor && i < SUBSCRIPTIONS_MAX; i++) {
		struct subscription *subscription = &monitor->list[i];
		const struct event *event = NULL;

		while (subscription->id) {
			uint64_t lost;

			if (out->len >= API_OUT_HIGH)
				return true;
			event = events_read(node->events, &subscription->reader, &lost);
			if (lost)
				write_lost(out, subscription->id, lost);
			if (!event)
				break;
			write_event(out, subscription->id, event);
		}
	}
	return false;
}

/* --- handlers ------------------------------------------------------------------------------------- */

static struct subscription *find(struct api_monitor *monitor, uint32_t id)
{
	for (unsigned int i = 0; monitor && i < SUBSCRIPTIONS_MAX; i++) {
		if (monitor->list[i].id == id)
			return &monitor->list[i];
	}
	return NULL;
}

static uint32_t wanted_types(const struct api_call *call)
{
	const json_t *types = request_value(call->request, "types");
	const json_t *item;
	uint32_t mask = 0;
	size_t i;

	if (!types)
		event_types_add("*", &mask);
	json_array_foreach(types, i, item)
		event_types_add(json_string_value(item), &mask); /* the words were checked */
	return mask;
}

int method_monitor_subscribe(struct api_call *call)
{
	struct api_monitor **place = api_conn_monitor(call->conn);
	struct subscription *subscription;

	if (!*place)
		*place = calloc(1, sizeof(**place));
	if (!*place)
		return api_fail(call->error, API_INTERNAL, NULL, "out of memory");
	subscription = find(*place, 0);
	if (!subscription)
		return api_fail(call->error, API_LIMIT_EXCEEDED, NULL,
				"a connection has at most %d subscriptions", SUBSCRIPTIONS_MAX);
	subscription->id = ++(*place)->last_id;
	subscription->reader = (struct event_reader){ .mask = wanted_types(call),
						      .wake = wake,
						      .ctx = call->conn };
	events_join(call->node->events, &subscription->reader,
		    (uint32_t)request_integer(call->request, "replay", 0));
	api_conn_wake(call->conn); /* what is replayed follows the answer */
	json_out_uint(call->out, "subscription", subscription->id);
	json_out_uint(call->out, "seq", events_last_seq(call->node->events));
	return 0;
}

int method_monitor_unsubscribe(struct api_call *call)
{
	uint32_t id = (uint32_t)request_integer(call->request, "subscription", 0);
	struct subscription *subscription = find(*api_conn_monitor(call->conn), id);

	if (!subscription)
		return api_fail(call->error, API_NOT_FOUND, "subscription",
				"this connection has no subscription %u", id);
	events_leave(call->node->events, &subscription->reader);
	subscription->id = 0;
	return 0;
}
