// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BFD state machine. Called by the engine (agent/bfd_engine.c), the model and the fuzzer. Section
 * numbers are RFC 5880's. Never reads a clock, never sends.
 */
#include "bfd/bfd_session.h"

#include <string.h>

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* --- intervals -------------------------------------------------------------------------------------- */

uint32_t bfd_session_detection_usec(const struct bfd_session *session)
{
	uint64_t usec = (uint64_t)session->remote_multiplier *
			max_u32(session->min_rx_in_force, session->remote_min_tx);

	return usec > UINT32_MAX ? UINT32_MAX : (uint32_t)usec;
}

uint32_t bfd_session_interval_usec(const struct bfd_session *session)
{
	return max_u32(session->min_tx_in_force, session->remote_min_rx);
}

/* 6.8.7: taken off at random are 0 to 25 %, with a multiplier of 1 10 to 25 %. */
static uint32_t jittered(const struct bfd_session *session, uint32_t random)
{
	uint64_t usec = bfd_session_interval_usec(session);
	unsigned int least = session->config.multiplier == 1 ? 10 : 0;
	uint64_t off = usec * least / 100 + (usec * (25 - least) / 100 * (random >> 16) >> 16);

	return (uint32_t)(usec - off);
}

struct mono bfd_session_deadline(const struct bfd_session *session)
{
	uint32_t usec = bfd_session_detection_usec(session);

	if (!mono_is_set(session->last_rx) || !usec)
		return (struct mono){ 0 };
	return mono_add_usec(session->last_rx, usec);
}

/* 6.5: F may answer the packets with the values of before; then another sequence has to follow. */
static void start_poll(struct bfd_session *session)
{
	session->poll = session->poll == BFD_POLL_NONE ? BFD_POLL_ACTIVE : BFD_POLL_AGAIN;
	session->send_now = true;
}

/* What was announced is in force. */
static void settle_intervals(struct bfd_session *session)
{
	session->min_tx_in_force = session->min_tx;
	session->min_rx_in_force = session->min_rx;
}

/*
 * 6.8.3: while Up a longer interval of ours, and a shorter one that we demand, wait for the end of the
 * Poll Sequence, so that the peer's detection time is never shorter than what we do.
 */
static void set_intervals(struct bfd_session *session)
{
	uint32_t min_tx = session->config.min_tx_usec;
	bool changed;

	if (session->state != BFD_UP)
		min_tx = max_u32(min_tx, BFD_SLOW_USEC);
	changed = min_tx != session->min_tx || session->config.min_rx_usec != session->min_rx;
	session->min_tx = min_tx;
	session->min_rx = session->config.min_rx_usec;
	if (session->state != BFD_UP) {
		settle_intervals(session);
		return;
	}
	if (session->min_tx < session->min_tx_in_force)
		session->min_tx_in_force = session->min_tx;
	if (session->min_rx > session->min_rx_in_force)
		session->min_rx_in_force = session->min_rx;
	if (changed)
		start_poll(session);
}

/* --- states ------------------------------------------------------------------------------------------ */

/* Everything that happens on entering a state. */
static void enter(struct bfd_session *session, enum bfd_state state, enum bfd_diag diag)
{
	session->stats.ups += state == BFD_UP;
	session->stats.downs += session->state == BFD_UP;
	session->state = state;
	session->diag = diag;
	session->send_now = true;
	if (state != BFD_UP)
		session->poll = BFD_POLL_NONE;
	set_intervals(session);
}

static void forget_peer(struct bfd_session *session)
{
	session->remote_discr = 0; /* 6.8.1 */
	session->remote_state = BFD_DOWN;
	session->remote_min_rx = 1;
	session->remote_min_tx = 0;
	session->remote_multiplier = 0;
	session->remote_demand = false;
	session->last_rx = (struct mono){ 0 };
}

void bfd_session_init(struct bfd_session *session, const struct bfd_session_config *config,
		      uint32_t discr, struct mono now, uint32_t random)
{
	memset(session, 0, sizeof(*session));
	session->config = *config;
	session->local_discr = discr;
	session->xmit_sequence = random;
	session->state = config->admin_down ? BFD_ADMIN_DOWN : BFD_DOWN;
	session->diag = config->admin_down ? BFD_DIAG_ADMIN_DOWN : BFD_DIAG_NONE;
	forget_peer(session);
	set_intervals(session);
	session->next_tx = now;
}

static bool same_key(const struct bfd_key *a, const struct bfd_key *b)
{
	return a->type == b->type && a->id == b->id && a->len == b->len &&
	       memcmp(a->secret, b->secret, a->len) == 0;
}

unsigned int bfd_session_reconfigure(struct bfd_session *session,
				     const struct bfd_session_config *config)
{
	enum bfd_state before = session->state;

	if (!same_key(&config->key, &session->config.key))
		session->sequence_until = (struct mono){ 0 };
	session->config = *config;
	if (config->admin_down && session->state != BFD_ADMIN_DOWN)
		enter(session, BFD_ADMIN_DOWN, BFD_DIAG_ADMIN_DOWN);
	else if (!config->admin_down && session->state == BFD_ADMIN_DOWN)
		enter(session, BFD_DOWN, BFD_DIAG_NONE);
	else
		set_intervals(session);
	return session->state != before ? BFD_CHANGED_STATE : BFD_SAME;
}

/* 6.8.6, the last part: what the peer's state does to ours. */
static bool step(struct bfd_session *session, enum bfd_state heard)
{
	static const struct {
		bool moves;
		enum bfd_state to;
		enum bfd_diag diag;
	} steps[BFD_STATE_MAX][BFD_STATE_MAX] = {
		/* [ours][the peer's] */
		[BFD_DOWN][BFD_DOWN] = { true, BFD_INIT, BFD_DIAG_NONE },
		[BFD_DOWN][BFD_INIT] = { true, BFD_UP, BFD_DIAG_NONE },
		[BFD_INIT][BFD_INIT] = { true, BFD_UP, BFD_DIAG_NONE },
		[BFD_INIT][BFD_UP] = { true, BFD_UP, BFD_DIAG_NONE },
		[BFD_INIT][BFD_ADMIN_DOWN] = { true, BFD_DOWN, BFD_DIAG_NEIGHBOUR_DOWN },
		[BFD_UP][BFD_DOWN] = { true, BFD_DOWN, BFD_DIAG_NEIGHBOUR_DOWN },
		[BFD_UP][BFD_ADMIN_DOWN] = { true, BFD_DOWN, BFD_DIAG_NEIGHBOUR_DOWN },
	};

	if (!steps[session->state][heard].moves)
		return false;
	enter(session, steps[session->state][heard].to, steps[session->state][heard].diag);
	return true;
}

/* --- authentication (6.7) ----------------------------------------------------------------------------- */

static bool is_keyed(enum bfd_auth type)
{
	return type >= BFD_AUTH_MD5;
}

static bool is_meticulous(enum bfd_auth type)
{
	return type == BFD_AUTH_METICULOUS_MD5 || type == BFD_AUTH_METICULOUS_SHA1;
}

/*
 * 6.7.3, 6.7.4: the window is three detection multipliers wide; circular arithmetic. 6.8.1: after twice the
 * detection time without a packet any sequence is taken.
 */
static bool in_window(const struct bfd_session *session, const struct bfd_packet *packet,
		      struct mono now)
{
	uint32_t ahead = packet->sequence - session->rcv_sequence;

	if (!mono_before(now, session->sequence_until))
		return true;
	return ahead >= is_meticulous(session->config.key.type) && ahead <= 3u * packet->multiplier;
}

static enum bfd_discard authenticate(const struct bfd_session *session,
				     const struct bfd_packet *packet, struct mono now)
{
	const struct bfd_key *key = &session->config.key;

	if (packet->auth != key->type)
		return BFD_DISCARD_AUTH_TYPE;
	if (key->type == BFD_AUTH_NONE)
		return BFD_DISCARD_NONE;
	if (packet->key_id != key->id)
		return BFD_DISCARD_AUTH_KEY;
	if (is_keyed(key->type) && !in_window(session, packet, now))
		return BFD_DISCARD_AUTH_SEQUENCE;
	return bfd_packet_authentic(packet, key) ? BFD_DISCARD_NONE : BFD_DISCARD_AUTH_DIGEST;
}

/* --- in ----------------------------------------------------------------------------------------------- */

/* 6.8.6: what the packet says is the peer's, whatever it does to our state. */
static unsigned int take_params(struct bfd_session *session, const struct bfd_packet *packet)
{
	bool changed = session->remote_discr != packet->my_discr ||
		       session->remote_min_tx != packet->min_tx_usec ||
		       session->remote_min_rx != packet->min_rx_usec ||
		       session->remote_multiplier != packet->multiplier ||
		       session->remote_demand != packet->demand ||
		       session->remote_control_independent != packet->control_independent;

	session->remote_discr = packet->my_discr;
	session->remote_state = packet->state;
	session->remote_diag = packet->diag;
	session->remote_min_tx = packet->min_tx_usec;
	session->remote_min_rx = packet->min_rx_usec;
	session->remote_multiplier = packet->multiplier;
	session->remote_demand = packet->demand;
	session->remote_control_independent = packet->control_independent;
	return changed ? BFD_CHANGED_PARAMS : BFD_SAME;
}

/* 6.5: an answer ends the sequence, unless our values have changed meanwhile. */
static void poll_answered(struct bfd_session *session)
{
	bool again = session->poll == BFD_POLL_AGAIN;

	if (session->poll == BFD_POLL_NONE)
		return;
	session->poll = BFD_POLL_NONE;
	if (again)
		start_poll(session);
	else
		settle_intervals(session);
}

/* 6.8.2: the next packet must not wait for an interval that is over. */
static void move_next_tx(struct bfd_session *session, struct mono now)
{
	struct mono latest = mono_add_usec(now, bfd_session_interval_usec(session));

	if (mono_before(latest, session->next_tx))
		session->next_tx = latest;
}

static enum bfd_discard discard(struct bfd_session *session, enum bfd_discard why)
{
	session->stats.discarded[why]++;
	return why;
}

enum bfd_discard bfd_session_receive(struct bfd_session *session, const struct bfd_packet *packet,
				     struct mono now, unsigned int *ret_change)
{
	enum bfd_discard why = BFD_DISCARD_NONE;
	unsigned int change;

	*ret_change = BFD_SAME;
	if (packet->your_discr && packet->your_discr != session->local_discr)
		why = BFD_DISCARD_YOUR_DISCR;
	if (why == BFD_DISCARD_NONE)
		why = authenticate(session, packet, now);
	if (why != BFD_DISCARD_NONE)
		return discard(session, why);
	change = take_params(session, packet);
	if (packet->final)
		poll_answered(session);
	move_next_tx(session, now);
	session->rcv_sequence = packet->sequence;
	session->sequence_until = mono_add_usec(now, 2ull * bfd_session_detection_usec(session));
	if (session->state == BFD_ADMIN_DOWN)
		return discard(session, BFD_DISCARD_ADMIN_DOWN);
	if (step(session, packet->state))
		change |= BFD_CHANGED_STATE;
	if (packet->poll)
		session->send_final = true;
	session->last_rx = now;
	session->stats.received++;
	*ret_change = change;
	return BFD_DISCARD_NONE;
}

void bfd_session_heard(struct bfd_session *session, struct mono when)
{
	if (mono_is_set(session->last_rx) && mono_before(session->last_rx, when))
		session->last_rx = when;
}

/* --- time ----------------------------------------------------------------------------------------------- */

unsigned int bfd_session_check(struct bfd_session *session, struct mono now)
{
	struct mono deadline = bfd_session_deadline(session);
	bool was_up = session->state == BFD_INIT || session->state == BFD_UP;

	if (!mono_is_set(deadline) || mono_before(now, deadline))
		return BFD_SAME;
	forget_peer(session);
	if (!was_up)
		return BFD_SAME;
	enter(session, BFD_DOWN, BFD_DIAG_TIME_EXPIRED); /* 6.8.4 */
	return BFD_CHANGED_STATE;
}

/* 6.8.7: no periodic packets to a peer that wants none, or that is in Demand mode and does not wait. */
static bool is_periodic(const struct bfd_session *session)
{
	if (!session->remote_min_rx)
		return false;
	return session->poll != BFD_POLL_NONE || !session->remote_demand ||
	       session->state != BFD_UP || session->remote_state != BFD_UP;
}

/* A state or parameters that have just changed; but not to a peer that said 0 (6.8.7). */
static bool is_urgent(const struct bfd_session *session)
{
	return session->send_final || (session->send_now && session->remote_min_rx);
}

struct mono bfd_session_next_tx(const struct bfd_session *session)
{
	return is_periodic(session) ? session->next_tx : (struct mono){ 0 };
}

struct mono bfd_session_due(const struct bfd_session *session)
{
	struct mono deadline = bfd_session_deadline(session);

	if (is_urgent(session))
		return (struct mono){ .usec = 1 };
	if (!is_periodic(session))
		return deadline;
	if (!mono_is_set(deadline) || mono_before(session->next_tx, deadline))
		return session->next_tx;
	return deadline;
}

static struct bfd_packet packet_of(struct bfd_session *session)
{
	struct bfd_packet packet = {
		.diag = session->diag,
		.state = session->state,
		.final = session->send_final,
		.poll = session->poll != BFD_POLL_NONE && !session->send_final,
		.control_independent = session->config.control_independent,
		.multiplier = session->config.multiplier,
		.my_discr = session->local_discr,
		.your_discr = session->remote_discr,
		.min_tx_usec = session->min_tx,
		.min_rx_usec = session->min_rx,
		.sequence = session->xmit_sequence++,
	};

	return packet;
}

size_t bfd_session_transmit(struct bfd_session *session, struct mono now, uint32_t random,
			    uint8_t buf[static BFD_PACKET_MAX])
{
	bool periodic = is_periodic(session) && !mono_before(now, session->next_tx);
	struct bfd_packet packet;

	if (!is_urgent(session) && !periodic)
		return 0;
	packet = packet_of(session);
	/* The answer to a Poll goes beside the others; one that says P itself still has to go. */
	session->send_now = session->send_final && session->poll != BFD_POLL_NONE;
	session->send_final = false;
	session->next_tx = mono_add_usec(now, jittered(session, random));
	session->stats.sent++;
	return bfd_packet_encode(&packet, &session->config.key, buf);
}
