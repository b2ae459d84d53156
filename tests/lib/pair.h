/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two BGP peers joined by memory buffers under a fake clock: whole sessions without a socket. A script
 * of random or fuzzed numbers decides what happens next, so each run can be repeated.
 */
#ifndef XRS_TESTS_PAIR_H
#define XRS_TESTS_PAIR_H

#include "bgp/peer.h"

#define PAIR_CONNS 8    /* TCP connections under way at once; the oldest dead one is reused */
#define PAIR_PIPE  8192 /* octets on the way in one direction */

struct pair_end {
	bool known; /* this peer has been told: connected or accepted */
	bool open;
	uint8_t in[PAIR_PIPE]; /* sent by the other end, not read here yet */
	size_t in_len;
	uint8_t rx[PAIR_PIPE]; /* read, not a whole message yet */
	size_t rx_len;
};

struct pair_conn {
	bool used;
	bool dead;              /* one host is gone: nothing is delivered any more */
	unsigned int initiator; /* 0 or 1 */
	struct pair_end end[2]; /* of peer 0 and peer 1 */
};

struct pair;

struct pair_peer {
	struct pair *pair;
	unsigned int index;
	struct bgp_peer peer;
	int conn[BGP_CONN_MAX]; /* index of pair.conn, -1: none */
	unsigned int established, downs, updates, refreshes, notes_sent, notes_received;
	struct bgp_peer_down last_down;
	uint8_t last_code, last_subcode; /* of the NOTIFICATION sent last */
	uint32_t codes;                  /* bit for each error code that was ever sent */
};

struct pair {
	struct pair_peer side[2];
	struct pair_conn conn[PAIR_CONNS];
	struct bgp_clock clock;
	uint64_t seed;
	bool reachable; /* SYNs get through */
};

/* A usable configuration: eBGP between AS 65001 and 65002, hold time 90. */
struct fsm_config pair_config(unsigned int index);
void pair_init(struct pair *pair, const struct fsm_config *a, const struct fsm_config *b,
	       uint64_t seed);
uint32_t pair_random(struct pair *pair);
void pair_start(struct pair *pair, unsigned int index);
void pair_stop(struct pair *pair, unsigned int index, const struct bgp_error *error);

/* Delivers one pending thing, chosen at random, in segments of random size. false: nothing is pending. */
bool pair_deliver(struct pair *pair);
/* Delivers until nothing is pending. false: it never ended (a storm of messages). */
bool pair_settle(struct pair *pair);
/* Moves the clock to the first timer, at most by @usec, and fires what is due. */
void pair_advance(struct pair *pair, uint64_t usec);
/* Deliveries and time by turns for @sec seconds of fake time. */
void pair_run(struct pair *pair, unsigned int sec);
/* Cuts a random connection: both ends lose it, octets on the way are lost. */
void pair_cut(struct pair *pair);
/* The process of @index dies and starts again; the other side is told nothing. */
void pair_restart(struct pair *pair, unsigned int index, const struct fsm_config *config);
/* Puts raw octets on the way as if @index had sent them on its established or only connection. */
void pair_inject(struct pair *pair, unsigned int index, const void *data, size_t len);
/* Flips one random bit that is on the way. */
void pair_corrupt(struct pair *pair);
/* An End-of-RIB, as the owner of a session would send it. */
void pair_send_update(struct pair *pair, unsigned int index);

/* Both Established on the same connection, and no other is open. */
bool pair_is_joined(const struct pair *pair);

#endif
