/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One BFD session: state machine, timers, Poll Sequence, detection time, authentication (RFC 5880 6).
 * Asynchronous mode; we never ask for Demand mode, and cease periodic packets for a peer that does. No
 * Echo. Pure: time and random numbers are arguments, packets are return values.
 *
 * The owner receives packets, calls bfd_session_check() and bfd_session_transmit() when
 * bfd_session_due() says so, and sends what comes out. Intervals are microseconds.
 */
#ifndef XRS_BFD_BFD_SESSION_H
#define XRS_BFD_BFD_SESSION_H

#include "bfd/bfd_packet.h"
#include "util/mono.h"

#define BFD_SLOW_USEC 1000000 /* RFC 5880 6.8.3: the least interval while not Up */

struct bfd_session_config {
	uint32_t min_tx_usec, min_rx_usec;
	uint8_t multiplier;
	bool control_independent; /* our C bit */
	bool admin_down;
	struct bfd_key key;
};

enum bfd_poll {
	BFD_POLL_NONE,
	BFD_POLL_ACTIVE,
	BFD_POLL_AGAIN, /* active, and what it asks has changed since: another one follows */
};

struct bfd_stats {
	uint64_t received, sent, ups, downs;
	uint64_t discarded[BFD_DISCARD_MAX];
};

struct bfd_session { /* read freely, change through the functions */
	struct bfd_session_config config;
	uint32_t local_discr, remote_discr;
	enum bfd_state state, remote_state;
	uint8_t diag, remote_diag;
	/* Ours: what packets say, and what is in force while a Poll Sequence lasts (6.8.3). */
	uint32_t min_tx, min_rx, min_tx_in_force, min_rx_in_force;
	uint32_t remote_min_tx, remote_min_rx;
	uint8_t remote_multiplier;
	bool remote_demand, remote_control_independent;
	enum bfd_poll poll;
	bool send_final, send_now; /* a packet goes out before its time */
	uint32_t xmit_sequence, rcv_sequence;
	struct mono sequence_until; /* what was received last counts until then (6.8.1) */
	struct mono last_rx;        /* 0: nothing yet, or forgotten */
	struct mono next_tx;
	struct bfd_stats stats;
};

/* What a call did to the session, for the owner to act upon. */
enum bfd_change {
	BFD_SAME = 0,
	BFD_CHANGED_STATE = 1,
	BFD_CHANGED_PARAMS = 2, /* intervals, multiplier, discriminator, C or D bit of the peer */
};

/* @discr: ours, not 0 and unique. @random: any 32 bits. Sends its first packet at once. */
void bfd_session_init(struct bfd_session *session, const struct bfd_session_config *config,
		      uint32_t discr, struct mono now, uint32_t random);
/* Takes over other values; a Poll Sequence tells the peer. Set of enum bfd_change. */
unsigned int bfd_session_reconfigure(struct bfd_session *session,
				     const struct bfd_session_config *config);

/*
 * One decoded packet of this session (matched by Your Discriminator or, when that is 0, by address).
 * *ret_change: set of enum bfd_change. Returns why it was discarded, or BFD_DISCARD_NONE.
 */
enum bfd_discard bfd_session_receive(struct bfd_session *session, const struct bfd_packet *packet,
				     struct mono now, unsigned int *ret_change);
/* A packet was seen at @when that says nothing new: somebody else received it. */
void bfd_session_heard(struct bfd_session *session, struct mono when);
/* The detection time may have passed. Set of enum bfd_change. */
unsigned int bfd_session_check(struct bfd_session *session, struct mono now);
/* Writes the packet that is due now, if any. Returns its octets, 0: nothing is due. */
size_t bfd_session_transmit(struct bfd_session *session, struct mono now, uint32_t random,
			    uint8_t buf[static BFD_PACKET_MAX]);

/* When check or transmit has something to do; "never" is unset. */
struct mono bfd_session_due(const struct bfd_session *session);
/* When the next periodic packet is due (6.8.7); unset: the peer gets none. */
struct mono bfd_session_next_tx(const struct bfd_session *session);
/* When the peer is given up unless it is heard (6.8.4); unset: nothing was heard yet. */
struct mono bfd_session_deadline(const struct bfd_session *session);
/* 6.8.4: 0 when nothing was ever received. */
uint32_t bfd_session_detection_usec(const struct bfd_session *session);
/* Between two of our packets, before jitter (6.8.7). */
uint32_t bfd_session_interval_usec(const struct bfd_session *session);

#endif
