/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listening sockets of the BGP sessions: one for each distinct (local address, port, device), shared by
 * the sessions that need it. Accepted connections are matched to a session by local address, remote
 * address and device; anything else is told Cease 6/5 and closed.
 */
#ifndef XRS_AGENT_LISTENER_H
#define XRS_AGENT_LISTENER_H

#include <net/if.h>
#include <stdint.h>

#include "util/prefix.h"

struct loop;
struct session;
struct listener_set;
struct listener_entry;

struct listener_key {
	struct ip_addr local; /* IP_NONE: any address of the peer's family */
	struct ip_addr peer;  /* of a range: any address of its family */
	uint16_t port;
	char device[IFNAMSIZ];     /* "": any */
	uint8_t ttl_security_hops; /* 0: off */
};

struct listener_stats {
	uint64_t accepted;             /* handed to a session */
	uint64_t refused;              /* from a peer whose session does not want one now */
	uint64_t rejected;             /* from nobody we know */
	uint64_t exhausted;            /* descriptors ran out */
	unsigned int sockets, pending; /* listening now; rejected and not closed yet */
};

/* NULL: out of memory. @loop is not owned. */
struct listener_set *listener_set_new(struct loop *loop);
void listener_set_free(struct listener_set *set);
const struct listener_stats *listener_set_stats(const struct listener_set *set);

/*
 * Lets @session receive connections that match @key; opens or shares the socket. A failed bind is no
 * error: it is retried, and listener_problem() says it meanwhile. *ret_entry is owned by the set until
 * listener_remove(). 0; -EEXIST: another session has the key; -ENOMEM.
 */
int listener_add(struct listener_set *set, const struct listener_key *key, struct session *session,
		 struct listener_entry **ret_entry);
void listener_remove(struct listener_entry *entry); /* NULL is fine */

/*
 * The same for every address of a prefix that no session has for itself; the longest prefix wins. Each
 * connection is offered to @accept, which takes the descriptor over and returns true, or refuses it (Cease
 * 6/8, Out of Resources).
 */
typedef bool (*listener_accept_fn)(void *ctx, int fd, const struct ip_addr *peer);
int listener_add_range(struct listener_set *set, const struct listener_key *key,
		       const struct ip_prefix *range, listener_accept_fn accept, void *ctx,
		       struct listener_entry **ret_entry);
/* Sets (or with @len 0 removes) the MD5 key of this peer on the socket, now and after a rebind. */
int listener_set_md5(struct listener_entry *entry, const void *key, size_t len);
void listener_set_ttl_security(struct listener_entry *entry, uint8_t hops);
/* "bind 10.1.255.4 port 179: Address already in use", or NULL when listening. */
const char *listener_problem(const struct listener_entry *entry);

#endif
