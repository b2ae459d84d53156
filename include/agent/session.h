/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One BGP peering's transport: sockets on the event loop below the pure protocol core in bgp/peer.h.
 *
 * The owner (the node) creates a session for each configured or dynamic peer, is told through
 * session_ops what arrives, and is asked for UPDATEs only when the socket has room (pull model), so a
 * slow peer costs bounded memory and never delays another. All calls and callbacks are on the loop's
 * thread. A callback may call any session function except session_free() of the session it is in.
 */
#ifndef XRS_AGENT_SESSION_H
#define XRS_AGENT_SESSION_H

#include <sys/types.h>
#include <net/if.h>

#include "bgp/peer.h"

struct loop;
struct listener_set;
struct session;

#define SESSION_NAME_MAX 64
#define SESSION_PATH_MAX 256

/* Copied by session_new() and session_reconfigure(). Zero means the default said beside a field. */
struct session_config {
	char name[SESSION_NAME_MAX];
	char vnet[SESSION_NAME_MAX];
	struct ip_addr peer_addr;
	struct ip_addr local_addr; /* bound and listened on; IP_NONE: any, chosen by the kernel */
	char device[IFNAMSIZ];     /* "": any; else SO_BINDTODEVICE (and scope of fe80:: peers) */
	uint16_t peer_port;        /* where we connect to; 179 */
	uint16_t local_port;       /* where we listen; 179 */
	uint32_t local_asn, peer_asn; /* peer_asn 0: one of peer_asns */
	struct bgp_asn_set peer_asns;
	uint32_t router_id;        /* BGP identifier, host order */
	bool disabled;             /* starts administratively down */
	bool passive;              /* never connects */
	uint8_t multihop_ttl;      /* IP_TTL of outgoing packets; 64 */
	uint8_t ttl_security_hops; /* GTSM (RFC 5082): peer at most this many hops away; 0: off */
	uint16_t hold_time;      /* seconds, offered; 0: no hold timer (there is no default here) */
	uint16_t keepalive_time; /* seconds; 0: a third of the hold time */
	uint32_t connect_retry_ms;  /* 5,000 */
	uint32_t idle_hold_ms;      /* first back-off after a failure; 1,000 */
	uint32_t idle_hold_max_ms;  /* it doubles up to this; 60,000 */
	uint32_t delay_open_ms;     /* 0: OPEN is sent at once */
	uint32_t large_hold_ms;     /* OpenSent; 240,000 */
	uint32_t send_hold_ms;      /* RFC 9687; the larger of 480,000 and twice the hold time */
	struct bgp_caps caps;       /* offered: families, refresh, graceful restart, ...; asn is
					filled here */
	uint32_t required_families; /* refuse a peer without them (2/7) */
	uint32_t needed;            /* BGP_NEED_*: the same for capabilities */
	bool require_role;          /* RFC 9234 strict mode */
	struct bgp_update_limits limits;
	char password_file[SESSION_PATH_MAX]; /* TCP MD5 (RFC 2385); "": none */
};

/* What the owner gets. All but `established`, `down` and `update` may be NULL. */
struct session_ops {
	/* Entered Established. @params is in force and stays valid until `down` has returned. */
	void (*established)(struct session *session, const struct bgp_session_params *params);
	/* Left Established. See struct bgp_peer_down: `graceful` says whether routes may be kept stale. */
	void (*down)(struct session *session, const struct bgp_peer_down *down);
	/* One checked UPDATE (RFC 7606 applied); valid during the call. */
	void (*update)(struct session *session, const struct bgp_update *update);
	/* The peer asks for @refresh (family checked: in force). Soft-out resets come here as well. */
	void (*refresh)(struct session *session, const struct bgp_route_refresh *refresh);
	/*
	 * Writes whole messages to send next into @buf (at least SESSION_PRODUCE_MIN octets of room) and
	 * returns the octets; 0: nothing is pending, ask again after session_wake_output().
	 */
	size_t (*produce)(struct session *session, uint8_t *buf, size_t cap);
	/* The FSM state or the configuration status changed, a NOTIFICATION passed: for events. */
	void (*changed)(struct session *session);
};
#define SESSION_PRODUCE_MIN BGP_MSG_MAX_EXTENDED

/*
 * Creates and, unless disabled, starts the session. @listeners may be NULL: then nothing is accepted.
 * Neither is owned. 0; -ENOMEM; -EINVAL (no peer address or ASN). A missing key file or a bind failure
 * is no error here: it is retried and shown in session_info.problem.
 */
int session_new(struct loop *loop, struct listener_set *listeners,
		const struct session_config *config, const struct session_ops *ops, void *owner,
		struct session **ret_session);
/* Closes with Cease 6/3 (Peer De-configured) when up; calls `down` if it was Established. NULL is fine. */
void session_free(struct session *session);
/* For a stop of the daemon: closes at once and silently when @graceful (RFC 4724: routes are kept). */
void session_shutdown(struct session *session, bool graceful);

void *session_owner(const struct session *session);
const struct session_config *session_config(const struct session *session);
const char *session_name(const struct session *session);
bool session_is_established(const struct session *session);
/* NULL unless Established (also during the `down` call: still valid). */
const struct bgp_session_params *session_params(const struct session *session);
/* The peer's capabilities as received; NULL before its OPEN. */
const struct bgp_caps *session_peer_caps(const struct session *session);

enum session_change {
	SESSION_SAME,    /* nothing differs */
	SESSION_LIVE,    /* taken over without touching the connection */
	SESSION_RESET,   /* the connection was closed with Cease 6/6 and is made again */
	SESSION_RESTART, /* it was not up; new attempts use the new values */
};
/*
 * Takes over a changed configuration. *ret_why (may be NULL) names the first field that forced a reset,
 * or is NULL. The addresses of a session do not change: -EINVAL, make a new one.
 */
int session_reconfigure(struct session *session, const struct session_config *config,
			enum session_change *ret_change, const char **ret_why);
/* What session_reconfigure() would do, for config.diff. */
enum session_change session_compare(const struct session *session,
				    const struct session_config *config, const char **ret_why);

/*
 * The R and F bits of the next OPEN (RFC 4724 3): whether the process restarted and is not done, and the
 * families whose forwarding went on.
 */
void session_set_restart(struct session *session, bool restarting, uint32_t forwarding);

/* Administrative state. @text goes to the peer (RFC 9003) and may be NULL. */
void session_enable(struct session *session);
void session_disable(struct session *session, const char *text);
/* Hard reset: Cease 6/4 when Established, then a new start: after a second, so that the peer sees why. */
void session_reset(struct session *session, const char *text);
/* Soft reset in: ROUTE-REFRESH for @families in force (0: all). -ENOTCONN; -EOPNOTSUPP: hard reset needed. */
int session_refresh_in(struct session *session, uint32_t families);
/* Soft reset out: calls ops->refresh for each of @families in force. -ENOTCONN. */
int session_refresh_out(struct session *session, uint32_t families);
/*
 * The owner's reason to close (maximum prefixes 6/1, BFD down 6/10, ...): sends @error and starts again
 * after @restart_ms; SESSION_STAY_DOWN: only session_enable() or session_reset() start it.
 */
#define SESSION_STAY_DOWN UINT32_MAX
void session_fail(struct session *session, const struct bgp_error *error, uint32_t restart_ms);

/* Output became pending: ops->produce will be called as soon as there is room. Cheap, idempotent. */
void session_wake_output(struct session *session);
/* Room in the output queue and Established. */
bool session_can_send(const struct session *session);

/* --- what peering.show tells -------------------------------------------------------------- */
struct session_info {
	const char *name, *vnet;
	enum fsm_state state; /* of the connection that is furthest */
	bool disabled;        /* administratively */
	const char *
		problem; /* why no attempt can succeed now ("bind 10.1.255.4 port 179: ..."), or NULL */
	struct ip_addr local_addr, peer_addr; /* of the socket when there is one */
	uint16_t local_port, peer_port;
	bool initiated;         /* by us */
	bool md5;               /* the live connection is authenticated */
	uint64_t up_since_wall; /* usec; 0: not Established */
	uint64_t changed_wall;  /* last change of state */
	struct mono up_since;
	struct mono next_attempt; /* idle hold or connect retry; 0: none */
	const struct bgp_peer_stats *stats;
	const struct bgp_session_params *params; /* NULL unless Established */
	const struct bgp_caps *caps_sent; /* in the OPEN of the connection, else as configured */
	const struct bgp_caps *caps_received; /* NULL before the first OPEN */
	size_t output_queued;                 /* octets waiting in our queue */
	uint64_t output_stalls;               /* times that the socket took less than was waiting */
};
/* Views into the session: valid until the loop runs on. */
void session_get_info(const struct session *session, struct session_info *ret_info);

/* --- for listener.c ----------------------------------------------------------------------- */
/* Takes over an accepted nonblocking socket. false: not wanted now, @fd stays the caller's. */
bool session_accept(struct session *session, int fd);

#endif
