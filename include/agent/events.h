/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The node's event bus: what happened, in order, for whoever wants to follow (monitor.subscribe). An
 * event is a type, a sequence number, two times and a JSON object. The latest EVENTS_KEPT are kept in a
 * ring, and a reader is only a place in it: an emitter never waits, and a reader that is too slow finds
 * that events are gone (events_read()). No sockets, no clock, no log: time is an argument.
 *
 *	struct json_out *data = events_begin(node->events, EVENT_NIC_ATTACH);
 *	json_out_string(data, "nic", nic->name);
 *	events_end(node->events, loop_now(node->loop), wall_now_usec());
 */
#ifndef XRS_AGENT_EVENTS_H
#define XRS_AGENT_EVENTS_H

#include "util/json_out.h"
#include "util/mono.h"

#define EVENTS_KEPT 4096 /* events that a reader may be behind */

/* X(enumerator, name in the API, members of its data). A new kind of event is a new row. */
#define EVENT_TYPES(X)                                                                             \
	X(PEER_STATE, "peer.state", "peering vnet from to adminState problem")                     \
	X(PEER_NOTIFICATION, "peer.notification",                                                  \
	  "peering vnet direction code codeName subcode subcodeName text")                         \
	X(PEER_LIMIT, "peer.limit", "peering vnet family prefixes limit action exceeded")          \
	X(PEER_DRAIN, "peer.drain", "peering vnet state")                                          \
	X(PEER_BFD, "peer.bfd", "peering vnet state diag remoteState failure")                     \
	X(ROUTE_CHANGED, "route.changed", "vnet changes prefixes[] more")                          \
	X(NIC_ATTACH, "nic.attach", "nic ifindex vnet routeTable role from to reason")             \
	X(FIB_ERROR, "fib.error", "operation errno error")                                         \
	X(FIB_FAILOVER, "fib.failover", "cause address vnet peering groups prefixes programmedUs") \
	X(FIB_SWEPT, "fib.swept", "routes")                                                        \
	X(TRACE_PACKET, "trace.packet",                                                            \
	  "nic hook verdict reason source destination protocol sourcePort destinationPort ttl "    \
	  "length route nextHop bucket")                                                           \
	X(TRACE_END, "trace.end", "nic packets")                                                   \
	X(CONFIG_APPLIED, "config.applied", "generation cause")                                    \
	X(CONFIG_PENDING, "config.pending", "deadline")                                            \
	X(CONFIG_CONFIRMED, "config.confirmed", "generation")                                      \
	X(CONFIG_REFUSED, "config.refused", "cause path message")

enum event_type {
#define X(name, text, members) EVENT_##name,
	EVENT_TYPES(X)
#undef X
	EVENT_TYPE_MAX,
};
const char *event_type_name(enum event_type type);    /* "peer.state" */
const char *event_type_members(enum event_type type); /* for people */
/* "peer.state", "peer.*" or "*": adds to *mask (1 << type). False: it names no type. */
bool event_types_add(const char *pattern, uint32_t *mask);

struct event {
	uint64_t seq; /* from 1 */
	enum event_type type;
	struct mono when;
	uint64_t wall_usec;
	char *data; /* a JSON object; the bus owns it */
	size_t len;
};

struct event_bus;
struct event_bus *events_new(void); /* NULL: out of memory */
void events_free(struct event_bus *bus);

/*
 * Begins an event; the caller writes the members of its data, without its braces, and calls
 * events_end(). Never NULL. One at a time. When memory runs out the event is lost and counted.
 */
struct json_out *events_begin(struct event_bus *bus, enum event_type type);
void events_end(struct event_bus *bus, struct mono now, uint64_t wall_usec);
uint64_t events_last_seq(const struct event_bus *bus); /* 0: none yet */
uint64_t events_lost(const struct event_bus *bus);     /* for want of memory */

/* One that follows; embedded in its owner's struct. */
struct event_reader {
	uint32_t mask; /* 1 << type */
	uint64_t next; /* sequence number that it looks at next */
	/* An event that it wants came: go and events_read(), but not from here. */
	void (*wake)(struct event_reader *reader);
	void *ctx;
	struct event_reader *prev, *after; /* the bus's */
};
/* Set mask, wake and ctx before. It begins with the latest @replay events that it wants. */
void events_join(struct event_bus *bus, struct event_reader *reader, uint32_t replay);
void events_leave(struct event_bus *bus, struct event_reader *reader);
/*
 * The next event that the reader wants, valid until the next one is emitted; NULL: none. *ret_lost:
 * so many events (of any type) that it had not seen were overwritten before this one.
 */
const struct event *events_read(struct event_bus *bus, struct event_reader *reader,
				uint64_t *ret_lost);

#endif
