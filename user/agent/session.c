// SPDX-License-Identifier: GPL-2.0-only
/*
 * One BGP peer from its creation to its end: what the owner asks for, what the pure core (bgp/peer.h) tells,
 * timers, logs and the view for peering.show.
 *
 * Called by the node (resets, output) and by the loop. Sockets are session_conn.c's, the configuration and
 * its changes session_config.c's. It must never interpret a message: that is peer.c's.
 */
#include "agent/session_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/listener.h"

#define KEY_RETRY_MS   10000
#define RESET_PAUSE_MS 1000 /* between our administrative reset and the next OPEN */

struct bgp_clock session_clock(const struct session *s)
{
	return (struct bgp_clock){ .now = loop_now(s->loop),
				   .wall_usec = wall_now_usec(),
				   .random = arc4random() };
}

void session_tell_changed(struct session *s)
{
	if (s->ops->changed)
		s->ops->changed(s);
}

/* --- timers ---------------------------------------------------------------------------------- */

static void on_timer(struct loop_timer *timer)
{
	struct session *s = timer->ctx;
	struct bgp_clock clock = session_clock(s);

	for (unsigned int side = 0; side < BGP_CONN_MAX; side++)
		conn_read_before_hold(&s->conn[side]);
	peer_tick(&s->peer, &clock);
	session_settle(s);
}

/* --- what the core tells --------------------------------------------------------------------- */

static void op_established(void *ctx, enum bgp_conn_side side,
			   const struct bgp_session_params *params)
{
	struct session *s = ctx;
	char peer[IP_TEXT_MAX];

	s->params = params;
	s->up_since = loop_now(s->loop);
	s->up_since_wall = wall_now_usec();
	s->output_pending = false;
	log_info("session",
		 "established peering=%s vnet=%s peer=%s asn=%u side=%s hold=%u "
		 "families=%#x",
		 s->config.name, s->config.vnet, ip_format(&s->config.peer_addr, peer),
		 params->peer_asn, side == BGP_CONN_OURS ? "active" : "passive", params->hold_time,
		 params->families);
	s->ops->established(s, params);
}

static void op_down(void *ctx, const struct bgp_peer_down *down)
{
	struct session *s = ctx;

	s->up_since = (struct mono){ 0 };
	s->up_since_wall = 0;
	s->output_pending = false;
	log_warn("session", "down peering=%s vnet=%s reason=\"%s\" graceful=%d", s->config.name,
		 s->config.vnet, down->reason, down->graceful);
	s->ops->down(s, down);
	s->params = NULL;
}

static void op_update(void *ctx, const struct bgp_update *update)
{
	struct session *s = ctx;

	if (update->n_findings && log_allow(&s->log_limit, loop_now(s->loop), 5, 10000))
		log_warn("session",
			 "malformed UPDATE peering=%s attribute=%u outcome=%u reason=\"%s\"",
			 s->config.name, update->findings[0].attr_code, update->findings[0].outcome,
			 update->findings[0].reason);
	s->ops->update(s, update);
}

static void op_refresh(void *ctx, const struct bgp_route_refresh *refresh)
{
	struct session *s = ctx;

	if (s->ops->refresh)
		s->ops->refresh(s, refresh);
}

static void op_transition(void *ctx, enum bgp_conn_side side, enum fsm_event event,
			  enum fsm_state from, enum fsm_state to)
{
	struct session *s = ctx;

	s->changed_wall = wall_now_usec();
	log_debug("session", "state peering=%s side=%s event=%s from=%s to=%s", s->config.name,
		  side == BGP_CONN_OURS ? "active" : "passive", fsm_event_name(event),
		  fsm_state_name(from), fsm_state_name(to));
	session_tell_changed(s);
}

static void op_notification(void *ctx, enum bgp_conn_side side, bool sent,
			    const struct bgp_notification *note, const char *reason)
{
	struct session *s = ctx;
	char text[4 * BGP_SHUTDOWN_TEXT_MAX + 1];

	session_tell_changed(s);
	if (!log_allow(&s->log_limit, loop_now(s->loop), 5, 10000))
		return;
	log_warn("session",
		 "NOTIFICATION %s peering=%s vnet=%s code=%u subcode=%u name=\"%s/%s\" "
		 "reason=\"%s\" "
		 "text=\"%s\" suppressed=%u",
		 sent ? "sent" : "received", s->config.name, s->config.vnet, note->code,
		 note->subcode, bgp_error_code_name(note->code),
		 bgp_error_subcode_name(note->code, note->subcode), reason ? reason : "",
		 log_escape(note->text, strlen(note->text), text, sizeof(text)),
		 s->log_limit.suppressed);
}

static const struct bgp_peer_ops peer_ops = {
	.send = session_op_send,
	.connect = session_op_connect,
	.close = session_op_close,
	.established = op_established,
	.down = op_down,
	.update = op_update,
	.refresh = op_refresh,
	.transition = op_transition,
	.notification = op_notification,
};

/* --- start and stop ------------------------------------------------------------------------- */

/* Nothing is sent or accepted in the clear while a key is configured and can not be used. */
void session_start(struct session *s)
{
	struct bgp_clock clock = session_clock(s);

	if (session_prepare(s) < 0) {
		loop_timer_set(s->loop, &s->key_retry, mono_add_msec(clock.now, KEY_RETRY_MS));
		return;
	}
	loop_timer_stop(s->loop, &s->key_retry);
	peer_start(&s->peer, &clock);
	session_settle(s);
}

static void on_key_retry(struct loop_timer *timer)
{
	session_start(timer->ctx);
}

void session_stop(struct session *s, const struct bgp_error *error)
{
	struct bgp_clock clock = session_clock(s);

	loop_timer_stop(s->loop, &s->key_retry);
	peer_stop(&s->peer, error, &clock);
	session_settle(s);
}

/* --- create and free ------------------------------------------------------------------------- */

int session_new(struct loop *loop, struct listener_set *listeners,
		const struct session_config *config, const struct session_ops *ops, void *owner,
		struct session **ret_session)
{
	struct fsm_config fsm_config;
	struct session *s;

	if (config->peer_addr.family == IP_NONE || !config->local_asn)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->listeners = listeners;
	s->ops = ops;
	s->owner = owner;
	s->config = *config;
	session_fill_defaults(&s->config);
	s->timer = (struct loop_timer){ .fn = on_timer, .ctx = s };
	s->key_retry = (struct loop_timer){ .fn = on_key_retry, .ctx = s };
	session_conns_init(s);
	fsm_config = session_fsm_config(&s->config);
	peer_init(&s->peer, &fsm_config, &s->config.limits, &peer_ops, s);
	*ret_session = s;
	if (!s->config.disabled)
		session_start(s);
	return 0;
}

void session_free(struct session *s)
{
	struct bgp_error error;

	if (!s)
		return;
	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_PEER_REMOVED, "peering removed", NULL, 0);
	session_stop(s, &error);
	listener_remove(s->listening);
	session_conns_done(s);
	loop_timer_stop(s->loop, &s->timer);
	loop_timer_stop(s->loop, &s->key_retry);
	explicit_bzero(&s->md5, sizeof(s->md5));
	free(s);
}

void session_shutdown(struct session *s, bool graceful)
{
	struct bgp_error error;

	if (graceful)
		error = (struct bgp_error){ .reason = "graceful restart" };
	else
		bgp_error_set_shutdown(&error, BGP_CEASE_ADMIN_SHUTDOWN, "");
	session_stop(s, &error);
}

/* --- administration -------------------------------------------------------------------------- */

void session_set_restart(struct session *s, bool restarting, uint32_t forwarding)
{
	struct bgp_caps *caps = &s->config.caps;
	struct fsm_config fsm_config;

	caps->gr_restarting = caps->graceful_restart && restarting;
	caps->gr_forwarding = forwarding & caps->gr_families;
	caps->llgr_forwarding = forwarding & caps->llgr_families;
	fsm_config = session_fsm_config(&s->config);
	peer_configure(&s->peer, &fsm_config, &s->config.limits);
}

void session_enable(struct session *s)
{
	s->config.disabled = false;
	if (!s->peer.started)
		session_start(s);
	session_tell_changed(s);
}

static void stop_with_text(struct session *s, uint8_t subcode, const char *text)
{
	struct bgp_error error;

	bgp_error_set_shutdown(&error, subcode, text ? text : "");
	session_stop(s, &error);
}

void session_disable(struct session *s, const char *text)
{
	s->config.disabled = true;
	stop_with_text(s, BGP_CEASE_ADMIN_SHUTDOWN, text);
	session_tell_changed(s);
}

/*
 * A new OPEN at once could overtake the Cease, which stands on another connection: FRR then takes it for
 * a restart of ours and never reads the NOTIFICATION.
 */
void session_reset(struct session *s, const char *text)
{
	struct bgp_error error;

	if (session_is_established(s)) {
		bgp_error_set_shutdown(&error, BGP_CEASE_ADMIN_RESET, text ? text : "");
		session_fail(s, &error, RESET_PAUSE_MS);
		return;
	}
	stop_with_text(s, BGP_CEASE_ADMIN_RESET, text);
	if (!s->config.disabled)
		session_start(s);
}

void session_fail(struct session *s, const struct bgp_error *error, uint32_t restart_ms)
{
	struct bgp_clock clock = session_clock(s);

	if (restart_ms == SESSION_STAY_DOWN)
		peer_stop(&s->peer, error, &clock);
	else
		peer_fail(&s->peer, error, restart_ms, &clock);
	session_settle(s);
}

/* --- refresh and output ---------------------------------------------------------------------- */

static struct bgp_route_refresh refresh_of(enum bgp_family family)
{
	return (struct bgp_route_refresh){ .afi = bgp_family_afi(family),
					   .safi = BGP_SAFI_UNICAST,
					   .subtype = BGP_REFRESH_NORMAL };
}

static int send_refresh(struct session *s, enum bgp_family family)
{
	struct bgp_route_refresh refresh = refresh_of(family);
	struct conn *conn = &s->conn[s->peer.up];
	uint8_t msg[64];
	int len = bgp_route_refresh_encode(&refresh, msg, sizeof(msg));

	if (len < 0)
		return len;
	if (outq_insert(&conn->out, msg, (size_t)len) < 0)
		return -ENOBUFS;
	peer_count_sent(&s->peer, msg, (size_t)len);
	return 0;
}

int session_refresh_in(struct session *s, uint32_t families)
{
	int error = 0;

	if (!s->peer.is_up)
		return -ENOTCONN;
	if (!s->params->route_refresh)
		return -EOPNOTSUPP;
	for (unsigned int family = 0; family < BGP_FAMILY_MAX && !error; family++)
		if ((s->params->families & BGP_FAMILY_BIT(family)) &&
		    (!families || (families & BGP_FAMILY_BIT(family))))
			error = send_refresh(s, family);
	conn_flush(&s->conn[s->peer.up]);
	session_settle(s);
	return error;
}

int session_refresh_out(struct session *s, uint32_t families)
{
	if (!s->peer.is_up)
		return -ENOTCONN;
	for (unsigned int family = 0; family < BGP_FAMILY_MAX; family++) {
		struct bgp_route_refresh refresh = refresh_of(family);

		if (s->params && (s->params->families & BGP_FAMILY_BIT(family)) &&
		    (!families || (families & BGP_FAMILY_BIT(family))))
			op_refresh(s, &refresh);
	}
	return 0;
}

void session_wake_output(struct session *s)
{
	if (!s->peer.is_up || s->output_pending || !s->ops->produce)
		return;
	s->output_pending = true;
	conn_watch(&s->conn[s->peer.up]);
}

bool session_can_send(const struct session *s)
{
	return s->peer.is_up && outq_room(&s->conn[s->peer.up].out) >= SESSION_PRODUCE_MIN;
}

/* --- views ----------------------------------------------------------------------------------- */

void *session_owner(const struct session *s)
{
	return s->owner;
}

const struct session_config *session_config(const struct session *s)
{
	return &s->config;
}

const char *session_name(const struct session *s)
{
	return s->config.name;
}

bool session_is_established(const struct session *s)
{
	return s->peer.is_up;
}

const struct bgp_session_params *session_params(const struct session *s)
{
	return s->params;
}

const struct bgp_caps *session_peer_caps(const struct session *s)
{
	return s->peer.have_peer_caps ? &s->peer.peer_caps : NULL;
}

static const char *problem_of(const struct session *s)
{
	if (s->problem[0])
		return s->problem;
	return s->listening ? listener_problem(s->listening) : NULL;
}

void session_get_info(const struct session *s, struct session_info *ret_info)
{
	enum bgp_conn_side side;
	enum fsm_state state = peer_state(&s->peer, &side);
	const struct conn *conn = &s->conn[side];
	bool live = conn->io.fd >= 0 && !conn->connecting;

	*ret_info = (struct session_info){
		.name = s->config.name,
		.vnet = s->config.vnet,
		.state = state,
		.disabled = s->config.disabled,
		.problem = problem_of(s),
		.local_addr = live ? conn->local_addr : s->config.local_addr,
		.peer_addr = s->config.peer_addr,
		.local_port = live ? conn->local_port : s->config.local_port,
		.peer_port = live ? conn->peer_port : s->config.peer_port,
		.initiated = live && side == BGP_CONN_OURS,
		.md5 = live && s->md5.len,
		.up_since_wall = s->up_since_wall,
		.changed_wall = s->changed_wall,
		.up_since = s->up_since,
		.next_attempt =
			state < FSM_OPENSENT ? peer_next_timer(&s->peer) : (struct mono){ 0 },
		.stats = &s->peer.stats,
		.params = s->params,
		.caps_sent =
			state >= FSM_OPENSENT ? &s->peer.conn[side].sent.caps : &s->config.caps,
		.caps_received = session_peer_caps(s),
		.output_queued = outq_len(&conn->out),
		.output_stalls = s->output_stalls,
	};
}
