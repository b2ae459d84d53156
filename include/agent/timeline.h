/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The timeline: what took a next hop out of use or moved it, and how long each step of the answer took.
 * A bounded ring of entries and a histogram. No clock, no sockets: times are arguments.
 */
#ifndef XRS_AGENT_TIMELINE_H
#define XRS_AGENT_TIMELINE_H

#include <stddef.h>

#include "util/mono.h"
#include "util/prefix.h"

#define TIMELINE_MAX 256 /* entries; older ones make room */

/* X(enumerator, name in the API, what it means) */
#define TIMELINE_CAUSES(X)                                                            \
	X(BFD_DOWN, "bfdDown", "BFD went down")                                       \
	X(CONNECTION_LOST, "connectionLost", "TCP reset or closed, no NOTIFICATION")  \
	X(NOTIFICATION, "notification", "the peer closed the session")                \
	X(HOLD_TIMER, "holdTimer", "nothing was heard for the hold time")             \
	X(SEND_HOLD_TIMER, "sendHoldTimer", "the peer took nothing (RFC 9687)")       \
	X(CLOSED, "closed", "we closed the session")                                  \
	X(NEIGHBOUR_LOST, "neighbourLost", "its neighbour entry or route went")       \
	X(NEIGHBOUR_MOVED, "neighbourMoved", "it has another MAC address")            \
	X(CARRIER_LOST, "carrierLost", "its interface went down")                     \
	X(NIC_GONE, "nicGone", "its interface was removed")                           \
	X(PROBE_FAILED, "probeFailed", "its port does not answer (peerings[].probe)") \
	X(RETURNED, "returned", "it is in use again")

enum timeline_cause {
#define X(name, text, doc) TIMELINE_##name,
	TIMELINE_CAUSES(X)
#undef X
	TIMELINE_CAUSE_MAX,
};
const char *timeline_cause_name(enum timeline_cause cause);

struct timeline_entry {
	uint64_t seq; /* from 1 */
	uint64_t wall_usec;
	enum timeline_cause cause;
	struct ip_addr addr; /* of the next hop */
	char vnet[32], peering[64];
	struct mono detected;   /* the first sign of it */
	struct mono decided;    /* it is out of use, or in use */
	struct mono programmed; /* the maps say so */
	struct mono first;      /* a frame went where it now belongs; unset: none was seen yet */
	uint32_t groups;        /* next-hop groups that contain it */
	uint64_t prefixes;      /* that lead to those */
	uint32_t writes;        /* of the maps, until `programmed` */
};

/* detected -> programmed: at most so many microseconds, the last without bound. */
#define TIMELINE_BOUNDS                                                             \
	{                                                                           \
		100, 200, 500, 1000, 5000, 20000, 100000, 500000, 2000000, 10000000 \
	}
#define TIMELINE_BUCKETS 11
struct timeline_histogram {
	uint64_t count[TIMELINE_BUCKETS];
	uint64_t total, sum_usec;
};

struct timeline;
struct timeline *timeline_new(void); /* NULL: out of memory */
void timeline_free(struct timeline *timeline);
/* Takes a copy, gives it a number and counts it. Returns the number. */
uint64_t timeline_add(struct timeline *timeline, const struct timeline_entry *entry);
/* NULL: it has made room for others. */
struct timeline_entry *timeline_find(struct timeline *timeline, uint64_t seq);
/* The oldest entry with a number of at least @seq; NULL: none. */
const struct timeline_entry *timeline_next(const struct timeline *timeline, uint64_t seq);
/* Of one cause. */
const struct timeline_histogram *timeline_histogram(const struct timeline *timeline,
						    enum timeline_cause cause);
uint64_t timeline_bound_usec(unsigned int bucket); /* 0: the last one */

#endif
