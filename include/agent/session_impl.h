/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of a session (user/agent/session*.c) say to each other; nobody else includes it. */
#ifndef XRS_AGENT_SESSION_IMPL_H
#define XRS_AGENT_SESSION_IMPL_H

#include "agent/loop.h"
#include "agent/outq.h"
#include "agent/privilege.h"
#include "agent/session.h"
#include "util/log.h"

#define SESSION_LINGER_MAX   4
#define SESSION_PROBLEM_TEXT 256

struct conn {
	struct session *session;
	enum bgp_conn_side side;
	struct loop_io io;   /* fd -1: no connection */
	uint32_t generation; /* of the descriptor: a callback may have closed and opened another */
	bool connecting;
	struct outq out;
	uint8_t *partial; /* owned: the beginning of a message whose rest has not come */
	size_t partial_len;
	/* RFC 9687: the timer runs while octets are under way; `acked` shows whether they arrive. */
	struct loop_timer send_check;
	uint64_t handed, acked; /* octets given to the kernel; acknowledged by the peer's TCP */
	unsigned int stalled;   /* looks in a row without progress */
	struct ip_addr local_addr;
	uint16_t local_port, peer_port;
};

/* A connection that is closed for us but still delivers a NOTIFICATION. */
struct closing {
	struct session *session; /* NULL: free */
	struct loop_io io;
	struct loop_timer timer;
	struct outq out;
};

struct session {
	struct loop *loop;
	struct listener_set *listeners;
	struct listener_entry *listening; /* NULL: not listening */
	const struct session_ops *ops;
	void *owner;
	struct session_config config;
	struct bgp_peer peer;
	const struct bgp_session_params *params; /* from established until down has returned */
	struct conn conn[BGP_CONN_MAX];
	struct closing closing[SESSION_LINGER_MAX];
	struct loop_timer timer;     /* the first timer of the core */
	struct loop_timer key_retry; /* the key file could not be read */
	struct privilege_md5 md5;    /* len 0: no authentication */
	char problem[SESSION_PROBLEM_TEXT];
	bool output_pending;
	uint64_t output_stalls;
	struct mono up_since;
	uint64_t up_since_wall, changed_wall;
	struct log_limit log_limit;
};

/* --- session.c ------------------------------------------------------------------------------ */
/* What each call of the core needs to know about now. */
struct bgp_clock session_clock(const struct session *session);
void session_tell_changed(struct session *session);
/* Prepares and starts the core; without its key the session waits and tries again. */
void session_start(struct session *session);
/* Ends attempts and connections with @error (code 0: silently); only session_start() begins again. */
void session_stop(struct session *session, const struct bgp_error *error);

/* --- session_conn.c ------------------------------------------------------------------------- */
void session_conns_init(struct session *session);
/* Ends what still lingers; the connections themselves are closed by then. */
void session_conns_done(struct session *session);
/* After everything that may have moved a timer or filled a queue. */
void session_settle(struct session *session);
/* Output became pending on @conn: the loop has to watch for room. */
void conn_watch(struct conn *conn);
/* Gives the kernel what it takes of the queue now. */
void conn_flush(struct conn *conn);
/* Input that waits counts as heard before a hold timer of @conn is said to have expired. */
void conn_read_before_hold(struct conn *conn);
/* TTL and GTSM of @fd by the configuration in force. 0 or negative errno. */
int session_set_ttl(const struct session *session, int fd);
/* Operations of the core (bgp/peer.h) that concern sockets; @ctx is the session. */
void session_op_connect(void *ctx);
void session_op_close(void *ctx, enum bgp_conn_side side);
void session_op_send(void *ctx, enum bgp_conn_side side, enum bgp_msg_type type, const uint8_t *msg,
		     size_t len);

/* --- session_config.c ----------------------------------------------------------------------- */
void session_fill_defaults(struct session_config *config);
struct fsm_config session_fsm_config(const struct session_config *config);
/* Key and listening socket. Negative errno: nothing may be sent yet; session->problem says why. */
int session_prepare(struct session *session);

#endif
