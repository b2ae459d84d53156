// SPDX-License-Identifier: GPL-2.0-only
/*
 * One BGP peer: two connections, their FSMs, the messages on them, and what is remembered for people.
 *
 * user/agent/session.c feeds it octets, TCP events and time, and carries out its wishes through
 * struct bgp_peer_ops. Here is decided which of two connections lives (RFC 4271 6.8, RFC 6286 2.3), when
 * a peer may try again, and which NOTIFICATION goes out. Pure: no sockets, clock, globals or logging.
 *
 * The side that we initiate rests in Idle when the peering is passive or the other side is up. The side
 * that the peer initiates rests in Active: it waits for connections, also while a session is up, because
 * a restarting peer comes back before we notice that it went (RFC 4724 5).
 */
#include "bgp/peer.h"

#include <string.h>

/*
 * A connection that the peer opens this soon after ours came up was under way already: a collision, not
 * the sign of a restart.
 */
#define COLLISION_WINDOW_MS 5000

/* Timers that one tick may fire; more only means that the clock jumped. */
#define TICK_MAX 16

static enum bgp_conn_side other_side(enum bgp_conn_side side)
{
	return side == BGP_CONN_OURS ? BGP_CONN_THEIRS : BGP_CONN_OURS;
}

static void note_error(struct bgp_peer *peer, const char *reason, const struct bgp_clock *clock)
{
	peer->stats.last_error = reason;
	peer->stats.last_error_wall = clock->wall_usec;
}

/* --- output ---------------------------------------------------------------------------------- */

static void send_message(struct bgp_peer *peer, enum bgp_conn_side side, enum bgp_msg_type type,
			 const uint8_t *msg, int len)
{
	if (len <= 0 || !peer->conn[side].open)
		return;
	peer->stats.msgs_out[type]++;
	peer->stats.octets_out += (uint64_t)len;
	peer->ops->send(peer->ctx, side, type, msg, (size_t)len);
}

static void send_open(struct bgp_peer *peer, enum bgp_conn_side side)
{
	struct bgp_conn *conn = &peer->conn[side];
	uint8_t buf[BGP_MSG_MAX];

	send_message(peer, side, BGP_MSG_OPEN, buf, bgp_open_encode(&conn->sent, buf, sizeof(buf)));
}

static void send_keepalive(struct bgp_peer *peer, enum bgp_conn_side side)
{
	uint8_t buf[BGP_HEADER_LEN];

	send_message(peer, side, BGP_MSG_KEEPALIVE, buf, bgp_keepalive_encode(buf, sizeof(buf)));
}

static void send_notification(struct bgp_peer *peer, enum bgp_conn_side side,
			      const struct fsm_result *result, const struct bgp_clock *clock)
{
	const struct bgp_error *error = &result->error;
	struct bgp_conn *conn = &peer->conn[side];
	struct bgp_peer_note *last = &peer->stats.last_sent;
	struct bgp_error out = *error;
	uint8_t buf[BGP_MSG_MAX];
	int len;

	if (!conn->open)
		return;
	out.hard_reset = result->from == FSM_ESTABLISHED && conn->fsm.params.notification_gr &&
			 bgp_error_is_hard(error);
	conn->note_sent = true;
	conn->hard_reset = out.hard_reset;
	conn->code = error->code;
	conn->subcode = error->subcode;
	conn->reason = error->reason;
	len = bgp_notification_encode(&out, buf, sizeof(buf));
	if (len < BGP_HEADER_LEN)
		return;
	last->wall_usec = clock->wall_usec;
	last->reason = error->reason;
	bgp_notification_decode(buf + BGP_HEADER_LEN, (size_t)len - BGP_HEADER_LEN, &last->note);
	send_message(peer, side, BGP_MSG_NOTIFICATION, buf, len);
	if (peer->ops->notification)
		peer->ops->notification(peer->ctx, side, true, &last->note, error->reason);
}

/* --- carrying out what the FSM decided ------------------------------------------------------- */

static void do_close(struct bgp_peer *peer, enum bgp_conn_side side)
{
	if (!peer->conn[side].open)
		return;
	peer->conn[side].open = false;
	peer->ops->close(peer->ctx, side);
}

static void do_connect(struct bgp_peer *peer, enum bgp_conn_side side)
{
	peer->conn[side].open = true;
	peer->ops->connect(peer->ctx);
}

/* RFC 4724 4.2: lost without a NOTIFICATION. RFC 8538 4: or with one that is no hard reset. */
static bool down_is_graceful(const struct bgp_conn *conn)
{
	if (!conn->fsm.params.peer_gr)
		return false;
	if (!conn->note_sent && !conn->note_received)
		return true;
	return conn->fsm.params.notification_gr && !conn->hard_reset;
}

/* Of this connection: another of the same peer may send or receive one of its own right after. */
static void note_reset(struct bgp_peer *peer, const struct bgp_conn *conn)
{
	struct bgp_peer_stats *stats = &peer->stats;

	stats->last_reset_by_us = conn->note_sent;
	if (conn->note_sent)
		stats->last_reset_note = stats->last_sent;
	else if (conn->note_received)
		stats->last_reset_note = stats->last_received;
	else
		stats->last_reset_note = (struct bgp_peer_note){ 0 };
}

static void do_down(struct bgp_peer *peer, enum bgp_conn_side side, const struct bgp_clock *clock)
{
	const struct bgp_conn *conn = &peer->conn[side];
	struct bgp_peer_down down = {
		.reason = conn->reason ? conn->reason : "stopped",
		.note_sent = conn->note_sent,
		.note_received = conn->note_received,
		.code = conn->code,
		.subcode = conn->subcode,
		.graceful = down_is_graceful(conn),
	};

	peer->is_up = false;
	peer->bare = false; /* a peer that comes back may have been upgraded */
	peer->stats.dropped++;
	peer->stats.last_reset = down.reason;
	peer->stats.last_reset_wall = clock->wall_usec;
	note_reset(peer, conn);
	peer->ops->down(peer->ctx, &down);
}

static void do_established(struct bgp_peer *peer, enum bgp_conn_side side)
{
	peer->is_up = true;
	peer->up = side;
	peer->stats.established++;
	peer->ops->established(peer->ctx, side, &peer->conn[side].fsm.params);
}

static void perform(struct bgp_peer *peer, enum bgp_conn_side side, const struct fsm_result *result,
		    const struct bgp_clock *clock)
{
	if (result->actions & FSM_DO_SEND_NOTIFICATION)
		send_notification(peer, side, result, clock);
	if (result->actions & FSM_DO_SEND_OPEN)
		send_open(peer, side);
	if (result->actions & FSM_DO_SEND_KEEPALIVE)
		send_keepalive(peer, side);
	if (result->actions & FSM_DO_CLOSE)
		do_close(peer, side);
	if (result->actions & FSM_DO_CONNECT)
		do_connect(peer, side);
	if (result->actions & FSM_DO_ESTABLISHED)
		do_established(peer, side);
	if (result->actions & FSM_DO_DOWN)
		do_down(peer, side, clock);
}

static void step_input(struct bgp_peer *peer, enum bgp_conn_side side, struct fsm_input *input,
		       const struct bgp_clock *clock, struct fsm_result *ret_result);

static void step(struct bgp_peer *peer, enum bgp_conn_side side, enum fsm_event event,
		 const struct bgp_error *error, const struct bgp_clock *clock)
{
	struct fsm_input input = { .event = event, .error = error };
	struct fsm_result result;

	step_input(peer, side, &input, clock, &result);
}

/* --- what one connection's fate means for the other ------------------------------------------ */

static bool is_idle_side(const struct bgp_conn *conn)
{
	return !conn->open || conn->fsm.state == FSM_CONNECT;
}

/*
 * The peer's side waits for connections again. After a first failure at once: a peer that merely
 * restarted would lose its own, perhaps long, connect retry time. A peer that flaps is refused until the
 * back-off is over.
 */
static void rest_theirs(struct bgp_peer *peer, struct mono until, const struct bgp_clock *clock)
{
	struct bgp_conn *conn = &peer->conn[BGP_CONN_THEIRS];
	bool flaps = conn->config.damp && conn->fsm.idle_hold_ms / 2 > conn->config.idle_hold_ms;

	if (conn->open || !peer->started)
		return;
	if (flaps && mono_is_set(until)) {
		fsm_park(&conn->fsm, until);
		return;
	}
	fsm_park(&conn->fsm, (struct mono){ 0 });
	step(peer, BGP_CONN_THEIRS, FSM_AUTOMATIC_START_PASSIVE, NULL, clock);
}

/* Our side: no attempt before @until (0: none at all). */
static void rest_ours(struct bgp_peer *peer, struct mono until)
{
	struct bgp_conn *conn = &peer->conn[BGP_CONN_OURS];

	if (!is_idle_side(conn) || !peer->started)
		return;
	do_close(peer, BGP_CONN_OURS);
	if (peer->passive)
		until = (struct mono){ 0 };
	fsm_park(&conn->fsm, until);
}

/* A connection failed: both sides share the back-off. */
static void after_failure(struct bgp_peer *peer, enum bgp_conn_side side,
			  const struct bgp_clock *clock)
{
	struct fsm *fsm = &peer->conn[side].fsm;
	struct mono until = fsm->timer[FSM_TIMER_IDLE_HOLD];

	if (!peer->started || !mono_is_set(until))
		return;
	peer->conn[other_side(side)].fsm.idle_hold_ms = fsm->idle_hold_ms;
	if (peer->is_up)
		until = (struct mono){ 0 };
	rest_ours(peer, until);
	rest_theirs(peer, until, clock);
}

static void after_step(struct bgp_peer *peer, enum bgp_conn_side side,
		       const struct fsm_result *result, const struct bgp_clock *clock)
{
	/* The owner may have stopped or reset the peer from a callback: then all is settled already. */
	if (result->from == result->to || peer->conn[side].fsm.state != result->to)
		return;
	if (result->to == FSM_ESTABLISHED && side == BGP_CONN_THEIRS)
		rest_ours(peer, (struct mono){ 0 });
	if (result->to == FSM_IDLE && result->from >= FSM_OPENSENT)
		after_failure(peer, side, clock);
	else if (result->to == FSM_IDLE && side == BGP_CONN_THEIRS && peer->started)
		rest_theirs(peer, peer->conn[side].fsm.timer[FSM_TIMER_IDLE_HOLD], clock);
}

static void step_input(struct bgp_peer *peer, enum bgp_conn_side side, struct fsm_input *input,
		       const struct bgp_clock *clock, struct fsm_result *ret_result)
{
	struct bgp_conn *conn = &peer->conn[side];

	input->now = clock->now;
	input->random = clock->random;
	fsm_step(&conn->fsm, input, ret_result);
	if (ret_result->from != ret_result->to && peer->ops->transition)
		peer->ops->transition(peer->ctx, side, input->event, ret_result->from,
				      ret_result->to);
	perform(peer, side, ret_result, clock);
	after_step(peer, side, ret_result, clock);
	if (conn->reason && ret_result->from != FSM_IDLE && ret_result->to == FSM_IDLE)
		note_error(peer, conn->reason, clock);
}

/* --- peers that do not know capabilities ------------------------------------------------------------ */

static bool offers_capabilities(const struct bgp_caps *caps)
{
	uint8_t buf[BGP_CAPS_ENCODED_MAX];
	struct wire_writer w;

	wire_write_init(&w, buf, sizeof(buf));
	bgp_caps_encode(caps, &w);
	return w.pos > 0;
}

/* What is left without them is IPv4 unicast, and nothing that is required. */
static bool bare_is_enough(const struct fsm_config *config)
{
	return (config->open.caps.families & BGP_FAMILY_BIT(BGP_IPV4_UNICAST)) &&
	       !config->policy.needed && !config->policy.required_families &&
	       !config->policy.require_role;
}

/*
 * RFC 5492 3: a peer that answers our OPEN with 2/4 does not know the optional parameter, and gets one without
 * it. When that fails as well the next is as configured. true: try again without back-off.
 */
static bool refuses_capabilities(struct bgp_peer *peer, const struct bgp_conn *conn)
{
	bool was_bare = conn->bare;

	if (conn->code != BGP_ERR_OPEN)
		return false;
	peer->bare = conn->subcode == BGP_OPEN_BAD_PARAMETER && !was_bare &&
		     offers_capabilities(&conn->sent.caps) && bare_is_enough(&conn->config);
	return peer->bare;
}

/* A new TCP connection knows nothing of the one before it, and keeps the OPEN it began with. */
static void conn_begin(const struct bgp_peer *peer, struct bgp_conn *conn)
{
	conn->sent = conn->config.open;
	conn->bare = peer->bare;
	if (conn->bare)
		conn->sent.caps = (struct bgp_caps){
			.families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST),
			.asn = conn->config.open.caps.asn,
		};
	conn->reason = NULL;
	conn->note_sent = conn->note_received = conn->hard_reset = false;
	conn->code = conn->subcode = 0;
}

/* --- start and stop -------------------------------------------------------------------------- */

static void set_config(struct bgp_peer *peer, const struct fsm_config *config,
		       const struct bgp_update_limits *limits)
{
	peer->passive = config->passive;
	peer->bare = false;
	peer->limits = *limits;
	for (unsigned int side = 0; side < BGP_CONN_MAX; side++) {
		peer->conn[side].config = *config;
		peer->conn[side].config.passive = side == BGP_CONN_THEIRS;
	}
}

void peer_init(struct bgp_peer *peer, const struct fsm_config *config,
	       const struct bgp_update_limits *limits, const struct bgp_peer_ops *ops, void *ctx)
{
	memset(peer, 0, sizeof(*peer));
	peer->ops = ops;
	peer->ctx = ctx;
	set_config(peer, config, limits);
	for (unsigned int side = 0; side < BGP_CONN_MAX; side++)
		fsm_init(&peer->conn[side].fsm, &peer->conn[side].config);
}

void peer_configure(struct bgp_peer *peer, const struct fsm_config *config,
		    const struct bgp_update_limits *limits)
{
	set_config(peer, config, limits);
}

void peer_start(struct bgp_peer *peer, const struct bgp_clock *clock)
{
	if (peer->started)
		return;
	peer->started = true;
	step(peer, BGP_CONN_THEIRS, FSM_MANUAL_START_PASSIVE, NULL, clock);
	if (!peer->passive)
		step(peer, BGP_CONN_OURS, FSM_MANUAL_START, NULL, clock);
}

void peer_stop(struct bgp_peer *peer, const struct bgp_error *error, const struct bgp_clock *clock)
{
	peer->started = false;
	for (unsigned int side = 0; side < BGP_CONN_MAX; side++) {
		peer->conn[side].reason = error ? error->reason : NULL;
		step(peer, side, FSM_MANUAL_STOP, error, clock);
	}
}

void peer_fail(struct bgp_peer *peer, const struct bgp_error *error, uint32_t restart_ms,
	       const struct bgp_clock *clock)
{
	struct mono until = mono_add_msec(clock->now, restart_ms);

	if (!peer->started)
		return;
	for (unsigned int side = 0; side < BGP_CONN_MAX; side++) {
		if (!peer->conn[side].open)
			continue;
		peer->conn[side].reason = error ? error->reason : NULL;
		step(peer, side, FSM_AUTOMATIC_STOP, error, clock);
	}
	if (!restart_ms || !peer->started)
		return;
	rest_ours(peer, until);
	fsm_park(&peer->conn[BGP_CONN_THEIRS].fsm, until);
}

/* --- TCP events ------------------------------------------------------------------------------ */

/*
 * RFC 4724 5: a peer that can restart and connects anew has restarted. The old connection is dead: it is
 * closed without a NOTIFICATION, and the routes stay.
 */
static bool peer_restarted(const struct bgp_peer *peer, struct mono now)
{
	const struct fsm *fsm = &peer->conn[peer->up].fsm;

	if (!peer->is_up || !fsm->params.peer_gr)
		return false;
	return peer->up == BGP_CONN_THEIRS ||
	       mono_since_usec(now, fsm->established_at) >= COLLISION_WINDOW_MS * 1000ull;
}

static void replace_restarted(struct bgp_peer *peer, const struct bgp_clock *clock)
{
	peer->conn[peer->up].reason = "peer restarted";
	step(peer, peer->up, FSM_TCP_FAILS, NULL, clock);
}

bool peer_wants(struct bgp_peer *peer, const struct bgp_clock *clock)
{
	struct bgp_conn *conn = &peer->conn[BGP_CONN_THEIRS];

	if (!peer->started)
		return false;
	if (peer_restarted(peer, clock->now)) {
		replace_restarted(peer, clock);
		if (!conn->open && conn->fsm.state == FSM_IDLE)
			rest_theirs(peer, (struct mono){ 0 }, clock);
	} else if (conn->open && conn->fsm.state != FSM_ESTABLISHED) {
		/* A peer has one connection of its own at a time: the older one is a leftover. */
		conn->reason = "replaced by a newer connection";
		step(peer, BGP_CONN_THEIRS, FSM_OPEN_COLLISION_DUMP, NULL, clock);
	}
	return !conn->open && conn->fsm.state == FSM_ACTIVE;
}

void peer_accepted(struct bgp_peer *peer, const struct bgp_clock *clock)
{
	peer->conn[BGP_CONN_THEIRS].open = true;
	conn_begin(peer, &peer->conn[BGP_CONN_THEIRS]);
	step(peer, BGP_CONN_THEIRS, FSM_TCP_CONFIRMED, NULL, clock);
}

void peer_connected(struct bgp_peer *peer, const struct bgp_clock *clock)
{
	conn_begin(peer, &peer->conn[BGP_CONN_OURS]);
	step(peer, BGP_CONN_OURS, FSM_TCP_ACKED, NULL, clock);
}

void peer_lost(struct bgp_peer *peer, enum bgp_conn_side side, const char *reason,
	       const struct bgp_clock *clock)
{
	struct bgp_conn *conn = &peer->conn[side];

	if (!conn->open)
		return;
	if (conn->fsm.state == FSM_CONNECT)
		peer->stats.connect_failures++;
	conn->reason = reason;
	note_error(peer, reason, clock);
	step(peer, side, FSM_TCP_FAILS, NULL, clock);
}

void peer_send_hold(struct bgp_peer *peer, enum bgp_conn_side side, const struct bgp_clock *clock)
{
	step(peer, side, FSM_SEND_HOLD_EXPIRES, NULL, clock);
}

/* --- messages in ----------------------------------------------------------------------------- */

struct arrival {
	enum bgp_conn_side side;
	const struct bgp_frame *frame;
	const struct bgp_clock *clock;
};

static void fail_arrival(struct bgp_peer *peer, const struct arrival *in, enum fsm_event event,
			 const struct bgp_error *error)
{
	peer->conn[in->side].reason = error->reason;
	note_error(peer, error->reason, in->clock);
	step(peer, in->side, event, error, in->clock);
}

/*
 * RFC 4271 6.8: an OPEN arrived on @side while the other connection is already past its own. Of the two
 * the one made by the speaker with the higher identifier stays (RFC 6286 2.3: higher ASN when equal);
 * against an Established one the newcomer loses. true: @side goes on.
 */
static bool survives_collision(struct bgp_peer *peer, enum bgp_conn_side side,
			       const struct bgp_session_params *params,
			       const struct bgp_clock *clock)
{
	enum bgp_conn_side other = other_side(side), loser;
	enum fsm_state state = peer->conn[other].fsm.state;
	bool keep_ours = fsm_collision_keep_ours(params->local_id, params->peer_id,
						 params->local_asn, params->peer_asn);

	if (state != FSM_OPENCONFIRM && state != FSM_ESTABLISHED)
		return true;
	loser = keep_ours ? BGP_CONN_THEIRS : BGP_CONN_OURS;
	if (state == FSM_ESTABLISHED)
		loser = side;
	peer->stats.collisions++;
	step(peer, loser, FSM_OPEN_COLLISION_DUMP, NULL, clock);
	return loser == other;
}

static void receive_open(struct bgp_peer *peer, const struct arrival *in)
{
	struct bgp_conn *conn = &peer->conn[in->side];
	struct bgp_session_params params;
	struct bgp_error error;
	struct bgp_open open;
	struct fsm_input input = { .open = &open, .params = &params };
	struct fsm_result result;

	if (bgp_open_decode(in->frame->body, in->frame->body_len, &open, &error) < 0 ||
	    bgp_open_accept(&conn->sent, &open, &conn->config.policy, &params, &error) < 0) {
		fail_arrival(peer, in, FSM_OPEN_ERR, &error);
		return;
	}
	if (conn->fsm.state <= FSM_OPENSENT &&
	    !survives_collision(peer, in->side, &params, in->clock))
		return;
	if (conn->fsm.state <= FSM_OPENSENT) {
		peer->peer_caps = open.caps;
		peer->have_peer_caps = true;
	}
	input.event = fsm_open_event(&conn->fsm);
	step_input(peer, in->side, &input, in->clock, &result);
}

static void count_update(struct bgp_peer *peer, const struct bgp_update *update)
{
	peer->stats.outcomes[update->outcome]++;
	for (unsigned int limit = 0; limit < BGP_LIMIT_MAX; limit++)
		peer->stats.over[limit] += update->over >> limit & 1;
	if (update->n_findings)
		peer->stats.last_finding = update->findings[0];
}

static void receive_update(struct bgp_peer *peer, const struct arrival *in)
{
	const struct bgp_conn *conn = &peer->conn[in->side];
	struct fsm_input input = { .event = FSM_UPDATE_MSG };
	struct fsm_result result;
	struct bgp_update update;
	struct bgp_error error;

	if (conn->fsm.state == FSM_ESTABLISHED &&
	    bgp_update_decode(in->frame->body, in->frame->body_len, &conn->fsm.params,
			      &peer->limits, &update, &error) < 0) {
		peer->stats.outcomes[BGP_RESET]++;
		fail_arrival(peer, in, FSM_UPDATE_ERR, &error);
		return;
	}
	step_input(peer, in->side, &input, in->clock, &result);
	if (!(result.actions & FSM_DO_PROCESS_UPDATE))
		return;
	count_update(peer, &update);
	peer->ops->update(peer->ctx, &update);
}

static void receive_notification(struct bgp_peer *peer, const struct arrival *in)
{
	struct bgp_conn *conn = &peer->conn[in->side];
	struct bgp_peer_note *last = &peer->stats.last_received;
	enum fsm_event event = FSM_NOTIF_MSG;

	if (bgp_notification_decode(in->frame->body, in->frame->body_len, &last->note) == 0) {
		last->wall_usec = in->clock->wall_usec;
		last->reason = NULL;
		conn->note_received = true;
		conn->hard_reset = last->note.hard_reset;
		conn->code = last->note.code;
		conn->subcode = last->note.subcode;
		conn->reason = bgp_error_subcode_name(conn->code, conn->subcode);
		if (peer->ops->notification)
			peer->ops->notification(peer->ctx, in->side, false, &last->note, NULL);
	}
	if (refuses_capabilities(peer, conn) ||
	    (conn->code == BGP_ERR_OPEN && conn->subcode == BGP_OPEN_BAD_VERSION))
		event = FSM_NOTIF_VERSION_ERR;
	step(peer, in->side, event, NULL, in->clock);
}

static void receive_keepalive(struct bgp_peer *peer, const struct arrival *in)
{
	step(peer, in->side, FSM_KEEPALIVE_MSG, NULL, in->clock);
}

/* RFC 2918 4: not for a family that is not in force, nor unasked; RFC 7313 5: unknown subtypes neither. */
static bool refresh_is_ours(const struct bgp_session_params *params,
			    const struct bgp_route_refresh *refresh)
{
	enum bgp_family family;

	if (!bgp_family_from_afi(refresh->afi, refresh->safi, &family) ||
	    !(params->families & BGP_FAMILY_BIT(family)))
		return false;
	if (refresh->subtype == BGP_REFRESH_NORMAL)
		return params->route_refresh;
	return params->enhanced_refresh && refresh->subtype <= BGP_REFRESH_EORR;
}

static void receive_refresh(struct bgp_peer *peer, const struct arrival *in)
{
	const struct bgp_conn *conn = &peer->conn[in->side];
	struct fsm_input input = { .event = FSM_ROUTE_REFRESH_MSG };
	struct bgp_route_refresh refresh;
	struct fsm_result result;
	struct bgp_error error;

	if (conn->fsm.state == FSM_ESTABLISHED &&
	    bgp_route_refresh_decode(in->frame->body, in->frame->body_len, &refresh, &error) < 0) {
		fail_arrival(peer, in, FSM_UPDATE_ERR, &error);
		return;
	}
	step_input(peer, in->side, &input, in->clock, &result);
	if ((result.actions & FSM_DO_PROCESS_REFRESH) &&
	    refresh_is_ours(&conn->fsm.params, &refresh) && peer->ops->refresh)
		peer->ops->refresh(peer->ctx, &refresh);
}

static void (*const receivers[BGP_MSG_TYPE_MAX])(struct bgp_peer *, const struct arrival *) = {
	[BGP_MSG_OPEN] = receive_open,
	[BGP_MSG_UPDATE] = receive_update,
	[BGP_MSG_NOTIFICATION] = receive_notification,
	[BGP_MSG_KEEPALIVE] = receive_keepalive,
	[BGP_MSG_ROUTE_REFRESH] = receive_refresh,
};

/* RFC 8654 4: only after both OPENs said so, and never for OPEN and KEEPALIVE (frame.c knows those). */
static bool takes_extended(const struct bgp_conn *conn)
{
	return conn->fsm.state >= FSM_OPENCONFIRM && conn->fsm.params.extended_message;
}

size_t peer_receive(struct bgp_peer *peer, enum bgp_conn_side side, const uint8_t *data, size_t len,
		    const struct bgp_clock *clock)
{
	struct bgp_conn *conn = &peer->conn[side];
	struct bgp_frame frame;
	struct bgp_error error;
	struct arrival in = { .side = side, .frame = &frame, .clock = clock };
	int found;

	if (!conn->open)
		return 0;
	found = bgp_frame_next(data, len, takes_extended(conn), &frame, &error);
	if (found < 0)
		fail_arrival(peer, &in, FSM_HEADER_ERR, &error);
	if (found <= 0)
		return 0;
	peer->stats.msgs_in[frame.type]++;
	peer->stats.octets_in += frame.total_len;
	receivers[frame.type](peer, &in);
	return frame.total_len;
}

void peer_count_sent(struct bgp_peer *peer, const uint8_t *msgs, size_t len)
{
	struct wire_reader r;

	peer->stats.octets_out += len;
	wire_read_init(&r, msgs, len);
	while (wire_left(&r) >= BGP_HEADER_LEN) {
		uint16_t total;
		uint8_t type;

		wire_skip(&r, BGP_MARKER_LEN);
		total = wire_u16(&r);
		type = wire_u8(&r);
		if (total < BGP_HEADER_LEN || type >= BGP_MSG_TYPE_MAX)
			return;
		peer->stats.msgs_out[type]++;
		wire_skip(&r, total - BGP_HEADER_LEN);
	}
}

/* --- timers ---------------------------------------------------------------------------------- */

struct mono peer_next_timer(const struct bgp_peer *peer)
{
	struct mono first = { 0 };
	enum fsm_timer timer;

	for (unsigned int side = 0; side < BGP_CONN_MAX; side++) {
		struct mono at = fsm_next_timer(&peer->conn[side].fsm, &timer);

		if (mono_is_set(at) && (!mono_is_set(first) || mono_before(at, first)))
			first = at;
	}
	return first;
}

bool peer_hold_due(const struct bgp_peer *peer, enum bgp_conn_side side, struct mono now)
{
	struct mono hold = peer->conn[side].fsm.timer[FSM_TIMER_HOLD];

	return mono_is_set(hold) && !mono_before(now, hold);
}

void peer_extend_hold(struct bgp_peer *peer, enum bgp_conn_side side, struct mono until)
{
	struct mono *hold = &peer->conn[side].fsm.timer[FSM_TIMER_HOLD];

	if (mono_is_set(*hold) && mono_before(*hold, until))
		*hold = until;
}

static bool fire_one(struct bgp_peer *peer, enum bgp_conn_side side, const struct bgp_clock *clock)
{
	enum fsm_timer timer = FSM_TIMER_MAX;
	struct mono at = fsm_next_timer(&peer->conn[side].fsm, &timer);

	if (!mono_is_set(at) || mono_before(clock->now, at))
		return false;
	if (timer == FSM_TIMER_IDLE_HOLD)
		conn_begin(peer, &peer->conn[side]);
	step(peer, side, fsm_timer_event(timer), NULL, clock);
	return true;
}

void peer_tick(struct bgp_peer *peer, const struct bgp_clock *clock)
{
	for (unsigned int side = 0; side < BGP_CONN_MAX; side++)
		for (unsigned int n = 0; n < TICK_MAX && fire_one(peer, side, clock); n++)
			continue;
}

/* --- views ----------------------------------------------------------------------------------- */

bool peer_conn_open(const struct bgp_peer *peer, enum bgp_conn_side side)
{
	return peer->conn[side].open;
}

enum fsm_state peer_state(const struct bgp_peer *peer, enum bgp_conn_side *ret_side)
{
	enum fsm_state ours = peer->conn[BGP_CONN_OURS].fsm.state;
	enum fsm_state theirs = peer->conn[BGP_CONN_THEIRS].fsm.state;
	enum bgp_conn_side side = ours >= theirs ? BGP_CONN_OURS : BGP_CONN_THEIRS;

	if (ret_side)
		*ret_side = side;
	return peer->conn[side].fsm.state;
}

const struct bgp_session_params *peer_params(const struct bgp_peer *peer)
{
	return peer->is_up ? &peer->conn[peer->up].fsm.params : NULL;
}
