/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BGP peer that does as little as the protocol allows: connects, sends octets that were made before, and
 * counts the distinct prefixes that it holds. Many of them run on one thread, below one epoll.
 */
#ifndef XRS_BENCH_BGP_PEER_H
#define XRS_BENCH_BGP_PEER_H

#include <netinet/in.h>

#include "bgp_routes.h"

struct peer {
	struct net *net;
	int fd; /* -1: not connected */
	struct in_addr local;
	uint32_t asn;
	bool established;
	uint32_t speaker_asn; /* of its OPEN */
	const uint8_t *out;   /* the caller's: what is being sent */
	size_t out_len;
	bool watching_out;
	uint8_t *buf; /* the beginning of a message */
	size_t have;
	struct prefix_set held;
	/* With `want_asn`: the prefixes held whose AS_PATH has it behind the speaker's ASN. */
	uint32_t want_asn;
	struct prefix_set wanted;
	/* Of each UPDATE with a community, when set. */
	void (*on_community)(void *ctx, uint32_t community);
	void *ctx;
	uint64_t updates, octets_in, prefixes_in;
};

struct net { /* all peers of this process */
	int epoll_fd;
	struct in_addr speaker;
	struct peer *peers;
	unsigned int n;
	uint64_t next_keepalive;
};

uint64_t now_usec(void);
/* Prints to standard error and ends the program. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* @n peers with consecutive addresses from @first on and ASNs from @asn on. */
void net_init(struct net *net, struct in_addr speaker, struct in_addr first, uint32_t asn,
	      unsigned int n);
/* Connects all; those that are refused try again. Ends the program after @seconds. */
void net_establish(struct net *net, unsigned int seconds);
/* Waits at most @wait_msec and handles what is there. */
void net_turn(struct net *net, int wait_msec);

/* Begins to send; @data stays the caller's and must live until peer_sent(). */
void peer_send(struct peer *peer, const struct octets *data);
bool peer_sent(const struct peer *peer);
/* Ends the session without a word, as a peer does that dies. */
void peer_die(struct peer *peer);

#endif
