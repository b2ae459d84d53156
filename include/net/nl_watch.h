/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live edge of netlink (libmnl): keeps a struct net_model equal to the kernel and tells what changed.
 *
 * Called by the agent's loop. One rtnetlink multicast socket for what the picture is made of (links,
 * bridge ports and VLANs, neighbours, FDB, addresses), one for routes and rules, which are only told, and
 * one of the generic netlink family "netdev" (XDP features; absent before kernel 6.3). Events lost by an
 * overrun (ENOBUFS) are made up for by a dump of everything with mark and sweep, so the picture is right
 * again and what vanished is told as removed. Logs overruns.
 */
#ifndef XRS_NET_NL_WATCH_H
#define XRS_NET_NL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "net/net_model.h"
#include "util/mono.h"

enum net_event_kind {
	NET_EVENT_LINK_ADDED,
	NET_EVENT_LINK_CHANGED, /* `changes` says what */
	NET_EVENT_LINK_REMOVED, /* deleted or moved to another namespace; `link` is its last picture */
	NET_EVENT_NEIGH,        /* `ifindex`, `addr`: usable, unusable or another MAC */
	NET_EVENT_FDB,          /* `ifindex` is the bridge or VXLAN device, `mac` */
	NET_EVENT_ADDR,         /* `ifindex`, `addr` of this host came or went */
	NET_EVENT_ROUTE,        /* some routes or rules changed: look up again (debounce) */
	NET_EVENT_OVERRUN,      /* events were lost; a re-dump follows */
	NET_EVENT_SYNCED,       /* a dump is complete: the picture is whole; look at everything */
};

struct net_event {
	enum net_event_kind kind;
	bool removed; /* of NEIGH, FDB, ADDR */
	uint32_t ifindex;
	uint32_t changes;            /* NET_LINK_* */
	const struct net_link *link; /* of LINK_*; valid during the call */
	struct ip_addr addr;
	uint8_t mac[NET_MAC_LEN];
};

/*
 * The model is already up to date. During a dump events are held back until the whole picture is there
 * (a port's bridge may come after the port). Removal of many neighbours and FDB entries in one sweep,
 * or with their link, is told as one event with addr IP_NONE or a zero mac. The callback must not call
 * into the watch.
 */
typedef void (*nl_watch_fn)(void *ctx, const struct net_event *event);

struct nl_watch_options {
	uint32_t rcvbuf;         /* octets; 0: NL_WATCH_RCVBUF */
	uint32_t resync_wait_ms; /* at least so long between two dumps; 0: NL_WATCH_RESYNC_MS */
};
#define NL_WATCH_RCVBUF     (8u << 20)
#define NL_WATCH_RIB_RCVBUF (1u << 20)
#define NL_WATCH_RESYNC_MS  200u
#define NL_WATCH_BATCH      512u /* messages of one nl_watch_process() */

struct nl_watch_stats {
	uint64_t messages;
	uint64_t overruns;
	uint64_t route_overruns; /* of routes: told as NET_EVENT_ROUTE, no dump */
	uint64_t parse_errors;   /* malformed or cut messages, each left out whole */
	uint64_t resyncs;        /* dumps completed, the first one included */
	uint64_t resync_retries; /* dumps that changed under our hands or failed */
	uint64_t refused;        /* objects that did not fit the model or memory */
	uint32_t rcvbuf;         /* as the kernel granted it */
	bool netdev_family;      /* XDP features are known */
};

struct nl_watch;

/*
 * Opens the sockets in the namespace of the calling thread; @model is borrowed and must outlive the
 * watch. @options may be NULL. 0 or negative errno.
 */
int nl_watch_new(struct net_model *model, const struct nl_watch_options *options, nl_watch_fn fn,
		 void *ctx, struct nl_watch **ret_watch);
void nl_watch_free(struct nl_watch *watch);
/* Poll it for reading (it is an epoll descriptor over the sockets). */
int nl_watch_fd(const struct nl_watch *watch);
/* The first dump: LINK_ADDED for each link, then SYNCED. 0 or negative errno (nothing was told). */
int nl_watch_start(struct nl_watch *watch, struct mono now);
/*
 * Reads what is waiting (at most NL_WATCH_BATCH messages; the descriptor stays readable when more are
 * left), and dumps again when that is due. 0, or negative errno when a dump failed; it stays due.
 */
int nl_watch_process(struct nl_watch *watch, struct mono now);
/* When nl_watch_process() must be called even if nothing is readable; unset: never. Ask after each call. */
struct mono nl_watch_due(const struct nl_watch *watch);
/* Asks for a dump, e.g. after an audit found drift; done by nl_watch_process() when due. */
void nl_watch_resync(struct nl_watch *watch);
struct nl_watch_stats nl_watch_stats(const struct nl_watch *watch);

#endif
