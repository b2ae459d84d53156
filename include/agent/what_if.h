/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What would be selected with another configuration, while nothing changes: a second node in memory, of
 * the same parts (RIB, precedence, peered vnets), without sockets, maps or timers. The paths of one prefix
 * at a time are handed to its RIBs as the present ones hold them, so that it costs no second RIB and the
 * answer comes from the same code. The node may change between two calls: see what_if_outdated().
 */
#ifndef XRS_AGENT_WHAT_IF_H
#define XRS_AGENT_WHAT_IF_H

#include "agent/node.h"

struct what_if;
/* Takes over @config on success. 0, -ENOMEM. */
int what_if_new(struct node *node, struct config *config, struct what_if **ret_what_if);
void what_if_free(struct what_if *what_if); /* NULL is fine */
/* The present configuration is another than at what_if_new(). */
bool what_if_outdated(const struct what_if *what_if);
/* The second node: its config, vnets and tables; everything else is empty. */
const struct node *what_if_node(const struct what_if *what_if);

struct what_if_hops { /* what wins for a prefix; next hops by address */
	bool any;     /* false: no candidate is active */
	enum xrs_route_source source;
	enum xrs_route_kind kind;
	enum next_hop_type type;
	unsigned int n;
	struct ip_addr hop[XRS_MEMBERS_MAX];
	uint32_t id[XRS_MEMBERS_MAX]; /* of next hops, in the node that was asked */
};
bool what_if_same(const struct what_if_hops *a, const struct what_if_hops *b);
/* @table of the present node. */
void what_if_present(const struct node_table *table, const struct ip_prefix *prefix,
		     struct what_if_hops *ret_hops);
/* @table of what_if_node(). */
void what_if_then(struct what_if *what_if, const struct node_table *table,
		  const struct ip_prefix *prefix, struct what_if_hops *ret_hops);

/* --- sessions ------------------------------------------------------------------------------------- */
enum what_if_change {
	WHAT_IF_ADDED,
	WHAT_IF_REMOVED,
	WHAT_IF_REPLACED, /* another endpoint: the old session ends, a new one begins */
	WHAT_IF_RESET,    /* the session is closed and made again */
	WHAT_IF_DISABLED,
	WHAT_IF_LIVE, /* changed without touching the connection */
};
const char *what_if_change_name(enum what_if_change change);
struct what_if_session {
	const char *vnet, *peering;
	enum what_if_change change;
	const char *why; /* the first key that makes it so, or NULL */
	bool established;
};
/* Every peering that is not the same. */
void what_if_sessions(const struct what_if *what_if,
		      void (*fn)(void *ctx, const struct what_if_session *session), void *ctx);

#endif
