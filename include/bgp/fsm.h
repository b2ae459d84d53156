/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The finite state machine of one BGP connection (RFC 4271 section 8). Pure: an event and the time go
 * in, actions come out; user/agent/session.c carries them out. One FSM per TCP connection; a peering
 * has up to two while a collision lasts (RFC 4271 6.8, RFC 6286 2.3).
 */
#ifndef XRS_BGP_FSM_H
#define XRS_BGP_FSM_H

#include "bgp/frame.h"
#include "bgp/open.h"
#include "util/mono.h"

enum fsm_state {
	FSM_IDLE,
	FSM_CONNECT,
	FSM_ACTIVE,
	FSM_OPENSENT,
	FSM_OPENCONFIRM,
	FSM_ESTABLISHED,
	FSM_STATE_MAX,
};
const char *fsm_state_name(enum fsm_state state); /* "Idle" ... "Established" */

enum fsm_event { /* RFC 4271 8.1; the numbers are the RFC's */
	FSM_MANUAL_START = 1,
	FSM_MANUAL_STOP = 2,
	FSM_AUTOMATIC_START = 3,
	FSM_MANUAL_START_PASSIVE = 4,
	FSM_AUTOMATIC_START_PASSIVE = 5,
	FSM_AUTOMATIC_START_DAMP = 6,
	FSM_AUTOMATIC_START_DAMP_PASSIVE = 7,
	FSM_AUTOMATIC_STOP = 8,
	FSM_CONNECT_RETRY_EXPIRES = 9,
	FSM_HOLD_EXPIRES = 10,
	FSM_KEEPALIVE_EXPIRES = 11,
	FSM_DELAY_OPEN_EXPIRES = 12,
	FSM_IDLE_HOLD_EXPIRES = 13,
	FSM_TCP_VALID = 14,
	FSM_TCP_INVALID = 15,
	FSM_TCP_ACKED = 16,     /* our connect() succeeded */
	FSM_TCP_CONFIRMED = 17, /* the peer's connection was accepted */
	FSM_TCP_FAILS = 18,
	FSM_BGP_OPEN = 19,
	FSM_OPEN_WITH_DELAY_OPEN = 20,
	FSM_HEADER_ERR = 21,
	FSM_OPEN_ERR = 22,
	FSM_OPEN_COLLISION_DUMP = 23,
	FSM_NOTIF_VERSION_ERR = 24,
	FSM_NOTIF_MSG = 25,
	FSM_KEEPALIVE_MSG = 26,
	FSM_UPDATE_MSG = 27,
	FSM_UPDATE_ERR = 28,
	FSM_SEND_HOLD_EXPIRES = 29, /* RFC 9687 */
	FSM_ROUTE_REFRESH_MSG = 30, /* RFC 2918, which gives it no number */
	FSM_EVENT_MAX = 31,
};
const char *fsm_event_name(enum fsm_event event);

enum fsm_timer {
	FSM_TIMER_CONNECT_RETRY,
	FSM_TIMER_HOLD,
	FSM_TIMER_KEEPALIVE,
	FSM_TIMER_DELAY_OPEN,
	FSM_TIMER_IDLE_HOLD,
	FSM_TIMER_MAX,
};

/* Actions, carried out by the caller in the order of this enumeration. */
enum fsm_action {
	FSM_DO_SEND_NOTIFICATION = 1u << 0, /* result.error; before the connection is closed */
	FSM_DO_SEND_OPEN = 1u << 1,
	FSM_DO_SEND_KEEPALIVE = 1u << 2,
	FSM_DO_CLOSE = 1u << 3,          /* drop the TCP connection */
	FSM_DO_CONNECT = 1u << 4,        /* start connect() */
	FSM_DO_LISTEN = 1u << 5,         /* accept connections from this peer */
	FSM_DO_ESTABLISHED = 1u << 6,    /* entered Established: fsm->params is in force */
	FSM_DO_DOWN = 1u << 7,           /* left Established: release routes */
	FSM_DO_PROCESS_UPDATE = 1u << 8, /* hand the UPDATE to the RIB */
	FSM_DO_PROCESS_REFRESH = 1u << 9,
};

struct fsm_config {
	struct bgp_open open; /* ours; hold_time and caps as configured */
	struct bgp_open_policy policy;
	bool passive;
	bool notify_without_open; /* SendNOTIFICATIONwithoutOPEN: answer errors that precede our OPEN */
	uint32_t connect_retry_ms, idle_hold_ms, idle_hold_max_ms;
	uint32_t delay_open_ms; /* 0: DelayOpen is off */
	uint32_t large_hold_ms; /* hold timer in OpenSent: RFC suggests 4 minutes */
	bool damp;              /* IdleHold doubles with each failure (DampPeerOscillations) */
};

/* Filled by the caller for events that carry something. */
struct fsm_input {
	enum fsm_event event;
	struct mono now;
	uint32_t random; /* any 32 bits: jitter of timers, RFC 4271 10 */
	/* FSM_BGP_OPEN, FSM_OPEN_WITH_DELAY_OPEN: the peer's OPEN, and what bgp_open_accept() made of it. */
	const struct bgp_open *open;
	const struct bgp_session_params *params;
	/*
	 * *_ERR (required), *_STOP, COLLISION_DUMP: what to send. NULL: the event's own default (Cease 6/2,
	 * 6/7); code 0: close without a word, as RFC 4724 4.1 asks of a restarting speaker.
	 */
	const struct bgp_error *error;
};

struct fsm_result {
	uint32_t actions;       /* enum fsm_action bits */
	struct bgp_error error; /* for FSM_DO_SEND_NOTIFICATION */
	enum fsm_state from, to;
};

struct fsm {
	enum fsm_state state;
	const struct fsm_config *config; /* not owned */
	struct mono timer
		[FSM_TIMER_MAX]; /* absolute; 0: stopped. The caller arms one timer for the first */
	uint32_t connect_retry_count;
	uint32_t idle_hold_ms;            /* the next back-off */
	struct mono established_at;       /* 0: not Established */
	struct bgp_open peer_open;        /* valid from OpenConfirm */
	struct bgp_session_params params; /* valid from OpenConfirm */
};

void fsm_init(struct fsm *fsm, const struct fsm_config *config);
/* Every state answers every event: act, ignore, or FSM error (5/1..3, RFC 6608). */
void fsm_step(struct fsm *fsm, const struct fsm_input *input, struct fsm_result *ret_result);
/* The timer that fires first: its time (0: none) and which. */
struct mono fsm_next_timer(const struct fsm *fsm, enum fsm_timer *ret_timer);
/* The event that the expiry of a timer is. */
enum fsm_event fsm_timer_event(enum fsm_timer timer);
/* Whether an OPEN that arrives now is event 19 or, with the DelayOpenTimer running, event 20. */
enum fsm_event fsm_open_event(const struct fsm *fsm);
/*
 * Puts a connection without TCP into Idle until @until (0: until a start event): the peer's other
 * connection is up, or failed and both share the back-off.
 */
void fsm_park(struct fsm *fsm, struct mono until);

/*
 * RFC 4271 6.8 with RFC 6286: of two connections with this peer, does ours (the one we initiated)
 * stay? Compares identifiers as numbers, then ASNs.
 */
bool fsm_collision_keep_ours(uint32_t local_id, uint32_t peer_id, uint32_t local_asn,
			     uint32_t peer_asn);

#endif
