/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One BGP peer without its sockets: up to two connections (one that we initiated, one that the peer did),
 * each with its FSM; messages cut from the octets received; connection collision (RFC 4271 6.8, RFC
 * 6286); counters and the record of what went wrong. user/agent/session.c is the socket side of it,
 * tests/lib/pair.c a pair of them joined by memory. Pure: time and randomness are arguments.
 */
#ifndef XRS_BGP_PEER_H
#define XRS_BGP_PEER_H

#include "bgp/fsm.h"
#include "bgp/update_decode.h"

enum bgp_conn_side {
	BGP_CONN_OURS,   /* we called connect() */
	BGP_CONN_THEIRS, /* we accepted */
	BGP_CONN_MAX,
};

/* One NOTIFICATION, as sent or received. */
struct bgp_peer_note {
	uint64_t wall_usec; /* CLOCK_REALTIME; 0: never happened */
	struct bgp_notification note;
	const char *reason; /* sent: our fixed text; received: NULL */
};

struct bgp_peer_stats {
	uint64_t msgs_in[BGP_MSG_TYPE_MAX], msgs_out[BGP_MSG_TYPE_MAX];
	uint64_t octets_in, octets_out;
	uint64_t established, dropped; /* times that Established was entered and left */
	uint64_t collisions;
	uint64_t connect_failures;
	uint64_t outcomes[BGP_RESET + 1]; /* UPDATEs by RFC 7606 outcome */
	uint64_t over[BGP_LIMIT_MAX]; /* UPDATEs that passed a bound of struct bgp_update_limits */
	struct bgp_peer_note last_sent, last_received;
	const char *last_error; /* fixed text of the last fault of any kind, or NULL */
	uint64_t last_error_wall;
	const char *last_reset; /* why Established was left last, or NULL */
	uint64_t last_reset_wall;
	struct bgp_peer_note last_reset_note; /* what ended it; wall_usec 0: no NOTIFICATION did */
	bool last_reset_by_us;                /* we sent that one */
	struct bgp_finding last_finding;      /* of UPDATEs that were not a reset */
};

/* Why Established was left. */
struct bgp_peer_down {
	const char *reason; /* fixed text */
	bool note_sent, note_received;
	uint8_t code, subcode; /* of that NOTIFICATION */
	bool graceful;         /* RFC 4724 4.2, RFC 8538 4: routes may be kept as stale */
};

struct bgp_peer;

/*
 * The world around a peer. `send` queues one whole OPEN, KEEPALIVE or NOTIFICATION, ahead of waiting
 * UPDATEs (which a NOTIFICATION cancels); a queue that is full may swallow it (the send hold timer judges the peer then). `close` drops a
 * connection after what was sent went out. Callbacks run inside peer_*() calls, may call them, and must
 * not free the peer.
 */
struct bgp_peer_ops {
	void (*send)(void *ctx, enum bgp_conn_side side, enum bgp_msg_type type, const uint8_t *msg,
		     size_t len);
	void (*connect)(void *ctx);
	void (*close)(void *ctx, enum bgp_conn_side side);
	void (*established)(void *ctx, enum bgp_conn_side side,
			    const struct bgp_session_params *params);
	void (*down)(void *ctx, const struct bgp_peer_down *down);
	void (*update)(void *ctx, const struct bgp_update *update);
	void (*refresh)(void *ctx, const struct bgp_route_refresh *refresh);
	/* For logs and event streams; either may be NULL. */
	void (*transition)(void *ctx, enum bgp_conn_side side, enum fsm_event event,
			   enum fsm_state from, enum fsm_state to);
	void (*notification)(void *ctx, enum bgp_conn_side side, bool sent,
			     const struct bgp_notification *note, const char *reason);
};

/* Now, as the pure side sees it. */
struct bgp_clock {
	struct mono now;
	uint64_t wall_usec;
	uint32_t random; /* any 32 bits, fresh for each call */
};

struct bgp_conn {
	struct fsm fsm;
	struct fsm_config config; /* the peer's, with `passive` as this side is */
	struct bgp_open sent;     /* our OPEN as it went out */
	bool open;                /* a TCP connection exists (or is being made) */
	bool bare;                /* `sent` is without capabilities: the peer did not take them */
	const char *reason;       /* of the step under way, or NULL */
	bool note_sent, note_received, hard_reset;
	uint8_t code, subcode; /* of that NOTIFICATION */
};

/* Everything of a peer; a caller holds it by value and touches it through peer_*() only. */
struct bgp_peer {
	bool passive;
	struct bgp_update_limits limits;
	const struct bgp_peer_ops *ops; /* not owned */
	void *ctx;
	struct bgp_conn conn[BGP_CONN_MAX];
	bool started;
	enum bgp_conn_side up; /* the side that is Established; valid when is_up */
	bool is_up;
	bool bare; /* the next connection offers no capabilities (RFC 5492 3) */
	struct bgp_caps peer_caps;
	bool have_peer_caps;
	struct bgp_peer_stats stats;
};

void peer_init(struct bgp_peer *peer, const struct fsm_config *config,
	       const struct bgp_update_limits *limits, const struct bgp_peer_ops *ops, void *ctx);
/* Before a start, or live: values that matter only to the next connection are simply replaced. */
void peer_configure(struct bgp_peer *peer, const struct fsm_config *config,
		    const struct bgp_update_limits *limits);

void peer_start(struct bgp_peer *peer, const struct bgp_clock *clock);
/* Closes everything and stays down. @error is sent; NULL: Cease 6/2; code 0: nothing (RFC 4724 4.1). */
void peer_stop(struct bgp_peer *peer, const struct bgp_error *error, const struct bgp_clock *clock);
/* The same, but starts again after @restart_ms (0: after the idle hold time). */
void peer_fail(struct bgp_peer *peer, const struct bgp_error *error, uint32_t restart_ms,
	       const struct bgp_clock *clock);

/*
 * A connection from this peer arrived. true: it is wanted, and an older one in its place has been closed;
 * the caller puts it in place and says peer_accepted(). false: refuse it.
 */
bool peer_wants(struct bgp_peer *peer, const struct bgp_clock *clock);
void peer_accepted(struct bgp_peer *peer, const struct bgp_clock *clock);
void peer_connected(struct bgp_peer *peer, const struct bgp_clock *clock); /* connect() succeeded */
/* The connection failed or ended; @reason is fixed text. */
void peer_lost(struct bgp_peer *peer, enum bgp_conn_side side, const char *reason,
	       const struct bgp_clock *clock);
/*
 * Octets from a connection. Handles at most one message and returns the octets it took, 0 when more
 * input is needed or the connection was closed; call again while it returns more than 0 and
 * peer_conn_open() holds.
 */
size_t peer_receive(struct bgp_peer *peer, enum bgp_conn_side side, const uint8_t *data, size_t len,
		    const struct bgp_clock *clock);
/* Our output made no progress for the send hold time (RFC 9687). */
void peer_send_hold(struct bgp_peer *peer, enum bgp_conn_side side, const struct bgp_clock *clock);
/* Whole messages that the owner made (UPDATE, ROUTE-REFRESH): counted; the caller has queued them. */
void peer_count_sent(struct bgp_peer *peer, const uint8_t *msgs, size_t len);

/* The earliest timer of both connections, 0: none. */
struct mono peer_next_timer(const struct bgp_peer *peer);
/* Whether the timer that is due at @now is a hold timer: read the socket first, we may be the slow one. */
bool peer_hold_due(const struct bgp_peer *peer, enum bgp_conn_side side, struct mono now);
/* Input is waiting that we were too slow to read: the peer is not to blame before @until. */
void peer_extend_hold(struct bgp_peer *peer, enum bgp_conn_side side, struct mono until);
/* Fires the timers that are due. */
void peer_tick(struct bgp_peer *peer, const struct bgp_clock *clock);

bool peer_conn_open(const struct bgp_peer *peer, enum bgp_conn_side side);
/* State of the connection that is furthest, and which (may be NULL). */
enum fsm_state peer_state(const struct bgp_peer *peer, enum bgp_conn_side *ret_side);
/* NULL unless Established. */
const struct bgp_session_params *peer_params(const struct bgp_peer *peer);

#endif
