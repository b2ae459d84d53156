// SPDX-License-Identifier: GPL-2.0-only
/*
 * The finite state machine of one BGP connection: RFC 4271 8.2.2 as one table of states and events.
 *
 * Called by peer.c alone. Each cell of the table names a small handler, and a handler says what the RFC
 * lists for it: timers, counter, actions, next state. No cell is empty. Pure: never does anything
 * itself, never reads a clock, never draws a random number.
 *
 * Where this differs from the letter of RFC 4271, on purpose:
 * - A NOTIFICATION in OpenSent (event 25) closes without an answer: 6.4 forbids answering one, although
 *   8.2.2 puts the event under "any other event". OpenConfirm and Established say it this way as well.
 * - A header error in Established (event 21) is answered as 6.1 says (code 1), not as an FSM error.
 * - A ConnectRetryTimer that expires in a passive connection does not connect.
 * - Idle after a failure always has the IdleHoldTimer running: that is our AutomaticStart.
 */
#include "bgp/fsm.h"

#include <string.h>

struct step {
	struct fsm *fsm;
	const struct fsm_input *in;
	struct fsm_result *out;
};
typedef void (*fsm_handler)(struct step *step);

/* --- timers ---------------------------------------------------------------------------------- */

/* RFC 4271 10: a factor between 0.75 and 1.0, drawn anew each time. */
static struct mono jittered(const struct step *step, uint64_t usec)
{
	uint64_t quarter = usec / 4;

	return mono_add_usec(step->in->now,
			     usec - quarter + quarter * (step->in->random & 0xffff) / 0xffff);
}

static void stop_timer(struct step *step, enum fsm_timer timer)
{
	step->fsm->timer[timer] = (struct mono){ 0 };
}

static void stop_all_timers(struct step *step)
{
	memset(step->fsm->timer, 0, sizeof(step->fsm->timer));
}

static void start_connect_retry(struct step *step)
{
	step->fsm->timer[FSM_TIMER_CONNECT_RETRY] =
		jittered(step, step->fsm->config->connect_retry_ms * 1000ull);
}

static void start_delay_open(struct step *step)
{
	step->fsm->timer[FSM_TIMER_DELAY_OPEN] =
		mono_add_msec(step->in->now, step->fsm->config->delay_open_ms);
}

static void start_hold(struct step *step)
{
	uint16_t seconds = step->fsm->params.hold_time;

	step->fsm->timer[FSM_TIMER_HOLD] =
		seconds ? mono_add_sec(step->in->now, seconds) : (struct mono){ 0 };
}

static void start_keepalive(struct step *step)
{
	uint16_t seconds = step->fsm->params.keepalive_time;

	step->fsm->timer[FSM_TIMER_KEEPALIVE] =
		seconds ? jittered(step, seconds * 1000000ull) : (struct mono){ 0 };
}

/* --- parts that several handlers share ------------------------------------------------------- */

static void act(struct step *step, uint32_t actions)
{
	step->out->actions |= actions;
}

/* A session that lasted has earned a fresh start; one that flaps waits twice as long each time. */
static void start_idle_hold(struct step *step, bool damp)
{
	struct fsm *fsm = step->fsm;
	const struct fsm_config *config = fsm->config;
	uint32_t next;

	if (!config->damp || (mono_is_set(fsm->established_at) &&
			      mono_since_usec(step->in->now, fsm->established_at) >=
				      config->idle_hold_max_ms * 1000ull))
		fsm->idle_hold_ms = config->idle_hold_ms;
	fsm->timer[FSM_TIMER_IDLE_HOLD] = jittered(step, fsm->idle_hold_ms * 1000ull);
	if (!damp || !config->damp)
		return;
	next = fsm->idle_hold_ms > UINT32_MAX / 2 ? UINT32_MAX : fsm->idle_hold_ms * 2;
	fsm->idle_hold_ms = next < config->idle_hold_max_ms ? next : config->idle_hold_max_ms;
}

/* What every way to Idle has in common; the caller adds counter, back-off and NOTIFICATION. */
static void enter_idle(struct step *step)
{
	struct fsm *fsm = step->fsm;

	if (fsm->state == FSM_ESTABLISHED)
		act(step, FSM_DO_DOWN);
	act(step, FSM_DO_CLOSE);
	stop_all_timers(step);
	fsm->state = FSM_IDLE;
}

static void enter_idle_to_retry(struct step *step, bool damp)
{
	enter_idle(step);
	start_idle_hold(step, damp);
	step->fsm->established_at = (struct mono){ 0 };
}

static void notify(struct step *step, const struct bgp_error *error)
{
	if (!error->code)
		return;
	step->out->error = *error;
	act(step, FSM_DO_SEND_NOTIFICATION);
}

static void notify_default(struct step *step, uint8_t code, uint8_t subcode, const char *reason)
{
	struct bgp_error error = { .code = code, .subcode = subcode, .reason = reason };

	notify(step, step->in->error ? step->in->error : &error);
}

/* The failure of a connection that may come back: counter, back-off, Idle. */
static void fail(struct step *step)
{
	step->fsm->connect_retry_count++;
	enter_idle_to_retry(step, true);
}

static void send_open(struct step *step)
{
	stop_timer(step, FSM_TIMER_CONNECT_RETRY);
	stop_timer(step, FSM_TIMER_DELAY_OPEN);
	step->fsm->timer[FSM_TIMER_HOLD] =
		mono_add_msec(step->in->now, step->fsm->config->large_hold_ms);
	act(step, FSM_DO_SEND_OPEN);
	step->fsm->state = FSM_OPENSENT;
}

/* The peer's OPEN is good: its parameters hold from here on. */
static void accept_open(struct step *step)
{
	struct fsm *fsm = step->fsm;

	stop_all_timers(step);
	fsm->peer_open = *step->in->open;
	fsm->params = *step->in->params;
	act(step, FSM_DO_SEND_KEEPALIVE);
	start_keepalive(step);
	start_hold(step);
	fsm->state = FSM_OPENCONFIRM;
}

/* --- handlers -------------------------------------------------------------------------------- */

static void ignore(struct step *step)
{
}

static void refuse(struct step *step)
{
	act(step, FSM_DO_CLOSE);
}

static void start_active(struct step *step)
{
	stop_all_timers(step);
	step->fsm->connect_retry_count = 0;
	start_connect_retry(step);
	act(step, FSM_DO_CONNECT | FSM_DO_LISTEN);
	step->fsm->state = FSM_CONNECT;
}

static void start_passive(struct step *step)
{
	stop_all_timers(step);
	step->fsm->connect_retry_count = 0;
	start_connect_retry(step);
	act(step, FSM_DO_LISTEN);
	step->fsm->state = FSM_ACTIVE;
}

/* Events 6 and 7: not before the back-off is over. */
static void start_active_damped(struct step *step)
{
	if (!mono_is_set(step->fsm->timer[FSM_TIMER_IDLE_HOLD]))
		start_active(step);
}

static void start_passive_damped(struct step *step)
{
	if (!mono_is_set(step->fsm->timer[FSM_TIMER_IDLE_HOLD]))
		start_passive(step);
}

static void idle_hold_over(struct step *step)
{
	if (step->fsm->config->passive)
		start_passive(step);
	else
		start_active(step);
}

/* The state stays, but the operator does not want the automatic start that was under way. */
static void idle_stop(struct step *step)
{
	stop_all_timers(step);
}

static void manual_stop(struct step *step)
{
	enter_idle(step);
	step->fsm->connect_retry_count = 0;
	step->fsm->idle_hold_ms = step->fsm->config->idle_hold_ms;
	step->fsm->established_at = (struct mono){ 0 };
}

/* Active: a Cease only when a connection exists and may be told without an OPEN of ours. */
static void active_manual_stop(struct step *step)
{
	if (mono_is_set(step->fsm->timer[FSM_TIMER_DELAY_OPEN]) &&
	    step->fsm->config->notify_without_open)
		notify_default(step, BGP_ERR_CEASE, BGP_CEASE_ADMIN_SHUTDOWN, "stopped");
	manual_stop(step);
}

static void manual_stop_notify(struct step *step)
{
	notify_default(step, BGP_ERR_CEASE, BGP_CEASE_ADMIN_SHUTDOWN, "stopped");
	manual_stop(step);
}

static void automatic_stop_notify(struct step *step)
{
	notify_default(step, BGP_ERR_CEASE, BGP_CEASE_ADMIN_SHUTDOWN, "stopped");
	fail(step);
}

static void connect_again(struct step *step)
{
	stop_timer(step, FSM_TIMER_DELAY_OPEN);
	start_connect_retry(step);
	act(step, FSM_DO_CLOSE | FSM_DO_CONNECT | FSM_DO_LISTEN);
}

static void active_connect(struct step *step)
{
	start_connect_retry(step);
	if (step->fsm->config->passive)
		return;
	stop_timer(step, FSM_TIMER_DELAY_OPEN);
	act(step, FSM_DO_CLOSE | FSM_DO_CONNECT | FSM_DO_LISTEN);
	step->fsm->state = FSM_CONNECT;
}

static void tcp_up(struct step *step)
{
	if (!step->fsm->config->delay_open_ms) {
		send_open(step);
		return;
	}
	stop_timer(step, FSM_TIMER_CONNECT_RETRY);
	start_delay_open(step);
}

/*
 * No answer from the peer is no fault of it: Idle, and the next attempt after the ConnectRetryTime
 * without back-off.
 */
static void connect_tcp_fails(struct step *step)
{
	if (mono_is_set(step->fsm->timer[FSM_TIMER_DELAY_OPEN])) {
		stop_timer(step, FSM_TIMER_DELAY_OPEN);
		start_connect_retry(step);
		act(step, FSM_DO_CLOSE | FSM_DO_LISTEN);
		step->fsm->state = FSM_ACTIVE;
		return;
	}
	enter_idle(step);
	step->fsm->timer[FSM_TIMER_IDLE_HOLD] =
		jittered(step, step->fsm->config->connect_retry_ms * 1000ull);
}

static void active_tcp_fails(struct step *step)
{
	fail(step);
}

/* OPEN while ours still waits for the DelayOpenTimer: both go out together. */
static void open_delayed(struct step *step)
{
	act(step, FSM_DO_SEND_OPEN);
	accept_open(step);
}

/* A broken message before our own OPEN went out. */
static void error_before_open(struct step *step)
{
	if (step->fsm->config->notify_without_open && step->in->error)
		notify(step, step->in->error);
	fail(step);
}

/* An unsupported version is tried again without back-off; before our OPEN it is odd and counts. */
static void version_error_before_open(struct step *step)
{
	if (mono_is_set(step->fsm->timer[FSM_TIMER_DELAY_OPEN]))
		enter_idle_to_retry(step, false);
	else
		fail(step);
}

static void version_error(struct step *step)
{
	enter_idle_to_retry(step, false);
}

static void hold_expires(struct step *step)
{
	notify_default(step, BGP_ERR_HOLD_TIMER, 0, "hold timer expired");
	fail(step);
}

static void send_hold_expires(struct step *step)
{
	notify_default(step, BGP_ERR_SEND_HOLD, 0, "send hold timer expired");
	fail(step);
}

/* OpenSent: listen on, and connect again when the timer says so. */
static void opensent_tcp_fails(struct step *step)
{
	stop_all_timers(step);
	start_connect_retry(step);
	act(step, FSM_DO_CLOSE | FSM_DO_LISTEN);
	step->fsm->state = FSM_ACTIVE;
}

static void error_notify(struct step *step)
{
	if (step->in->error)
		notify(step, step->in->error);
	fail(step);
}

/* Not an oscillation of the peer's: no back-off, the other connection lives. */
static void collision_dump(struct step *step)
{
	notify_default(step, BGP_ERR_CEASE, BGP_CEASE_COLLISION, "connection collision");
	step->fsm->connect_retry_count++;
	enter_idle_to_retry(step, false);
}

static void fsm_error(struct step *step)
{
	static const struct {
		uint8_t subcode;
		const char *reason;
	} table[FSM_STATE_MAX] = {
		/* RFC 6608 */
		[FSM_OPENSENT] = { BGP_FSM_IN_OPENSENT, "unexpected message in OpenSent" },
		[FSM_OPENCONFIRM] = { BGP_FSM_IN_OPENCONFIRM, "unexpected message in OpenConfirm" },
		[FSM_ESTABLISHED] = { BGP_FSM_IN_ESTABLISHED, "unexpected message in Established" },
	};
	enum fsm_state state = step->fsm->state;
	struct bgp_error error = { .code = BGP_ERR_FSM,
				   .subcode = table[state].subcode,
				   .reason = table[state].reason };

	notify(step, &error);
	fail(step);
}

static void keepalive_due(struct step *step)
{
	act(step, FSM_DO_SEND_KEEPALIVE);
	start_keepalive(step);
}

static void establish(struct step *step)
{
	start_hold(step);
	act(step, FSM_DO_ESTABLISHED);
	step->fsm->established_at = step->in->now;
	step->fsm->state = FSM_ESTABLISHED;
}

static void keepalive_received(struct step *step)
{
	start_hold(step);
}

static void update_received(struct step *step)
{
	start_hold(step);
	act(step, FSM_DO_PROCESS_UPDATE);
}

/* The hold timer is for KEEPALIVE and UPDATE (RFC 4271 4.2): a refresh does not restart it. */
static void refresh_received(struct step *step)
{
	act(step, FSM_DO_PROCESS_REFRESH);
}

/* --- the table ------------------------------------------------------------------------------- */

/* Start events are ignored in every state but Idle. */
#define STARTS_IGNORED                                                               \
	[FSM_MANUAL_START] = ignore, [FSM_AUTOMATIC_START] = ignore,                 \
	[FSM_MANUAL_START_PASSIVE] = ignore, [FSM_AUTOMATIC_START_PASSIVE] = ignore, \
	[FSM_AUTOMATIC_START_DAMP] = ignore, [FSM_AUTOMATIC_START_DAMP_PASSIVE] = ignore

/* "Any other event" of Connect and Active: nothing was agreed, so nothing is said. */
#define OTHERS_FAIL                                                                              \
	[FSM_AUTOMATIC_STOP] = fail, [FSM_HOLD_EXPIRES] = fail, [FSM_KEEPALIVE_EXPIRES] = fail,  \
	[FSM_IDLE_HOLD_EXPIRES] = fail, [FSM_BGP_OPEN] = fail, [FSM_OPEN_COLLISION_DUMP] = fail, \
	[FSM_NOTIF_MSG] = fail, [FSM_KEEPALIVE_MSG] = fail, [FSM_UPDATE_MSG] = fail,             \
	[FSM_UPDATE_ERR] = fail, [FSM_SEND_HOLD_EXPIRES] = fail, [FSM_ROUTE_REFRESH_MSG] = fail

/* A second TCP connection belongs to the peer's other FSM until an OPEN arrives on it (6.8). */
#define SECOND_TCP_TRACKED                                                              \
	[FSM_TCP_VALID] = ignore, [FSM_TCP_INVALID] = ignore, [FSM_TCP_ACKED] = ignore, \
	[FSM_TCP_CONFIRMED] = ignore

static const fsm_handler table[FSM_STATE_MAX][FSM_EVENT_MAX] = {
	[FSM_IDLE] = {
		[FSM_MANUAL_START] = start_active,
		[FSM_MANUAL_STOP] = idle_stop,
		[FSM_AUTOMATIC_START] = start_active,
		[FSM_MANUAL_START_PASSIVE] = start_passive,
		[FSM_AUTOMATIC_START_PASSIVE] = start_passive,
		[FSM_AUTOMATIC_START_DAMP] = start_active_damped,
		[FSM_AUTOMATIC_START_DAMP_PASSIVE] = start_passive_damped,
		[FSM_AUTOMATIC_STOP] = idle_stop,
		[FSM_CONNECT_RETRY_EXPIRES] = ignore,
		[FSM_HOLD_EXPIRES] = ignore,
		[FSM_KEEPALIVE_EXPIRES] = ignore,
		[FSM_DELAY_OPEN_EXPIRES] = ignore,
		[FSM_IDLE_HOLD_EXPIRES] = idle_hold_over,
		[FSM_TCP_VALID] = refuse,
		[FSM_TCP_INVALID] = ignore,
		[FSM_TCP_ACKED] = refuse,
		[FSM_TCP_CONFIRMED] = refuse,
		[FSM_TCP_FAILS] = ignore,
		[FSM_BGP_OPEN] = ignore,
		[FSM_OPEN_WITH_DELAY_OPEN] = ignore,
		[FSM_HEADER_ERR] = ignore,
		[FSM_OPEN_ERR] = ignore,
		[FSM_OPEN_COLLISION_DUMP] = ignore,
		[FSM_NOTIF_VERSION_ERR] = ignore,
		[FSM_NOTIF_MSG] = ignore,
		[FSM_KEEPALIVE_MSG] = ignore,
		[FSM_UPDATE_MSG] = ignore,
		[FSM_UPDATE_ERR] = ignore,
		[FSM_SEND_HOLD_EXPIRES] = ignore,
		[FSM_ROUTE_REFRESH_MSG] = ignore,
	},
	[FSM_CONNECT] = {
		STARTS_IGNORED,
		OTHERS_FAIL,
		[FSM_MANUAL_STOP] = manual_stop,
		[FSM_CONNECT_RETRY_EXPIRES] = connect_again,
		[FSM_DELAY_OPEN_EXPIRES] = send_open,
		[FSM_TCP_VALID] = ignore,
		[FSM_TCP_INVALID] = ignore,
		[FSM_TCP_ACKED] = tcp_up,
		[FSM_TCP_CONFIRMED] = tcp_up,
		[FSM_TCP_FAILS] = connect_tcp_fails,
		[FSM_OPEN_WITH_DELAY_OPEN] = open_delayed,
		[FSM_HEADER_ERR] = error_before_open,
		[FSM_OPEN_ERR] = error_before_open,
		[FSM_NOTIF_VERSION_ERR] = version_error_before_open,
	},
	[FSM_ACTIVE] = {
		STARTS_IGNORED,
		OTHERS_FAIL,
		[FSM_MANUAL_STOP] = active_manual_stop,
		[FSM_CONNECT_RETRY_EXPIRES] = active_connect,
		[FSM_DELAY_OPEN_EXPIRES] = send_open,
		[FSM_TCP_VALID] = ignore,
		[FSM_TCP_INVALID] = ignore,
		[FSM_TCP_ACKED] = tcp_up,
		[FSM_TCP_CONFIRMED] = tcp_up,
		[FSM_TCP_FAILS] = active_tcp_fails,
		[FSM_OPEN_WITH_DELAY_OPEN] = open_delayed,
		[FSM_HEADER_ERR] = error_before_open,
		[FSM_OPEN_ERR] = error_before_open,
		[FSM_NOTIF_VERSION_ERR] = version_error_before_open,
	},
	[FSM_OPENSENT] = {
		STARTS_IGNORED,
		SECOND_TCP_TRACKED,
		[FSM_MANUAL_STOP] = manual_stop_notify,
		[FSM_AUTOMATIC_STOP] = automatic_stop_notify,
		[FSM_CONNECT_RETRY_EXPIRES] = fsm_error,
		[FSM_HOLD_EXPIRES] = hold_expires,
		[FSM_KEEPALIVE_EXPIRES] = fsm_error,
		[FSM_DELAY_OPEN_EXPIRES] = fsm_error,
		[FSM_IDLE_HOLD_EXPIRES] = fsm_error,
		[FSM_TCP_FAILS] = opensent_tcp_fails,
		[FSM_BGP_OPEN] = accept_open,
		[FSM_OPEN_WITH_DELAY_OPEN] = fsm_error,
		[FSM_HEADER_ERR] = error_notify,
		[FSM_OPEN_ERR] = error_notify,
		[FSM_OPEN_COLLISION_DUMP] = collision_dump,
		[FSM_NOTIF_VERSION_ERR] = version_error,
		[FSM_NOTIF_MSG] = fail,
		[FSM_KEEPALIVE_MSG] = fsm_error,
		[FSM_UPDATE_MSG] = fsm_error,
		[FSM_UPDATE_ERR] = fsm_error,
		[FSM_SEND_HOLD_EXPIRES] = send_hold_expires,
		[FSM_ROUTE_REFRESH_MSG] = fsm_error,
	},
	[FSM_OPENCONFIRM] = {
		STARTS_IGNORED,
		SECOND_TCP_TRACKED,
		[FSM_MANUAL_STOP] = manual_stop_notify,
		[FSM_AUTOMATIC_STOP] = automatic_stop_notify,
		[FSM_CONNECT_RETRY_EXPIRES] = fsm_error,
		[FSM_HOLD_EXPIRES] = hold_expires,
		[FSM_KEEPALIVE_EXPIRES] = keepalive_due,
		[FSM_DELAY_OPEN_EXPIRES] = fsm_error,
		[FSM_IDLE_HOLD_EXPIRES] = fsm_error,
		[FSM_TCP_FAILS] = fail,
		[FSM_BGP_OPEN] = fsm_error,
		[FSM_OPEN_WITH_DELAY_OPEN] = fsm_error,
		[FSM_HEADER_ERR] = error_notify,
		[FSM_OPEN_ERR] = error_notify,
		[FSM_OPEN_COLLISION_DUMP] = collision_dump,
		[FSM_NOTIF_VERSION_ERR] = version_error,
		[FSM_NOTIF_MSG] = fail,
		[FSM_KEEPALIVE_MSG] = establish,
		[FSM_UPDATE_MSG] = fsm_error,
		[FSM_UPDATE_ERR] = fsm_error,
		[FSM_SEND_HOLD_EXPIRES] = send_hold_expires,
		[FSM_ROUTE_REFRESH_MSG] = fsm_error,
	},
	[FSM_ESTABLISHED] = {
		STARTS_IGNORED,
		SECOND_TCP_TRACKED,
		[FSM_MANUAL_STOP] = manual_stop_notify,
		[FSM_AUTOMATIC_STOP] = automatic_stop_notify,
		[FSM_CONNECT_RETRY_EXPIRES] = fsm_error,
		[FSM_HOLD_EXPIRES] = hold_expires,
		[FSM_KEEPALIVE_EXPIRES] = keepalive_due,
		[FSM_DELAY_OPEN_EXPIRES] = fsm_error,
		[FSM_IDLE_HOLD_EXPIRES] = fsm_error,
		[FSM_TCP_FAILS] = fail,
		[FSM_BGP_OPEN] = fsm_error,
		[FSM_OPEN_WITH_DELAY_OPEN] = fsm_error,
		[FSM_HEADER_ERR] = error_notify,
		[FSM_OPEN_ERR] = fsm_error,
		[FSM_OPEN_COLLISION_DUMP] = collision_dump,
		[FSM_NOTIF_VERSION_ERR] = fail,
		[FSM_NOTIF_MSG] = fail,
		[FSM_KEEPALIVE_MSG] = keepalive_received,
		[FSM_UPDATE_MSG] = update_received,
		[FSM_UPDATE_ERR] = error_notify,
		[FSM_SEND_HOLD_EXPIRES] = send_hold_expires,
		[FSM_ROUTE_REFRESH_MSG] = refresh_received,
	},
};

/* --- entry points ---------------------------------------------------------------------------- */

static const enum fsm_event timer_events[FSM_TIMER_MAX] = {
	[FSM_TIMER_CONNECT_RETRY] = FSM_CONNECT_RETRY_EXPIRES,
	[FSM_TIMER_HOLD] = FSM_HOLD_EXPIRES,
	[FSM_TIMER_KEEPALIVE] = FSM_KEEPALIVE_EXPIRES,
	[FSM_TIMER_DELAY_OPEN] = FSM_DELAY_OPEN_EXPIRES,
	[FSM_TIMER_IDLE_HOLD] = FSM_IDLE_HOLD_EXPIRES,
};

void fsm_init(struct fsm *fsm, const struct fsm_config *config)
{
	*fsm = (struct fsm){ .config = config, .idle_hold_ms = config->idle_hold_ms };
}

/* A timer that fired has stopped, whatever the handler makes of it: it can not fire twice. */
static void stop_fired_timer(struct fsm *fsm, enum fsm_event event)
{
	for (unsigned int i = 0; i < FSM_TIMER_MAX; i++)
		if (timer_events[i] == event)
			fsm->timer[i] = (struct mono){ 0 };
}

void fsm_step(struct fsm *fsm, const struct fsm_input *input, struct fsm_result *ret_result)
{
	struct step step = { .fsm = fsm, .in = input, .out = ret_result };

	*ret_result = (struct fsm_result){ .from = fsm->state, .to = fsm->state };
	if (input->event < FSM_MANUAL_START || input->event >= FSM_EVENT_MAX)
		return;
	stop_fired_timer(fsm, input->event);
	table[fsm->state][input->event](&step);
	ret_result->to = fsm->state;
}

struct mono fsm_next_timer(const struct fsm *fsm, enum fsm_timer *ret_timer)
{
	struct mono first = { 0 };

	for (unsigned int i = 0; i < FSM_TIMER_MAX; i++) {
		if (!mono_is_set(fsm->timer[i]))
			continue;
		if (mono_is_set(first) && !mono_before(fsm->timer[i], first))
			continue;
		first = fsm->timer[i];
		*ret_timer = i;
	}
	return first;
}

enum fsm_event fsm_timer_event(enum fsm_timer timer)
{
	return timer_events[timer];
}

enum fsm_event fsm_open_event(const struct fsm *fsm)
{
	return mono_is_set(fsm->timer[FSM_TIMER_DELAY_OPEN]) ? FSM_OPEN_WITH_DELAY_OPEN
							     : FSM_BGP_OPEN;
}

void fsm_park(struct fsm *fsm, struct mono until)
{
	memset(fsm->timer, 0, sizeof(fsm->timer));
	fsm->timer[FSM_TIMER_IDLE_HOLD] = until;
	fsm->state = FSM_IDLE;
}

bool fsm_collision_keep_ours(uint32_t local_id, uint32_t peer_id, uint32_t local_asn,
			     uint32_t peer_asn)
{
	if (local_id != peer_id)
		return local_id > peer_id;
	return local_asn > peer_asn;
}

const char *fsm_state_name(enum fsm_state state)
{
	static const char *const names[FSM_STATE_MAX] = {
		"Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established",
	};

	return state < FSM_STATE_MAX ? names[state] : "Unknown";
}

const char *fsm_event_name(enum fsm_event event)
{
	static const char *const names[FSM_EVENT_MAX] = {
		[FSM_MANUAL_START] = "ManualStart",
		[FSM_MANUAL_STOP] = "ManualStop",
		[FSM_AUTOMATIC_START] = "AutomaticStart",
		[FSM_MANUAL_START_PASSIVE] = "ManualStart_with_PassiveTcpEstablishment",
		[FSM_AUTOMATIC_START_PASSIVE] = "AutomaticStart_with_PassiveTcpEstablishment",
		[FSM_AUTOMATIC_START_DAMP] = "AutomaticStart_with_DampPeerOscillations",
		[FSM_AUTOMATIC_START_DAMP_PASSIVE] =
			"AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment",
		[FSM_AUTOMATIC_STOP] = "AutomaticStop",
		[FSM_CONNECT_RETRY_EXPIRES] = "ConnectRetryTimer_Expires",
		[FSM_HOLD_EXPIRES] = "HoldTimer_Expires",
		[FSM_KEEPALIVE_EXPIRES] = "KeepaliveTimer_Expires",
		[FSM_DELAY_OPEN_EXPIRES] = "DelayOpenTimer_Expires",
		[FSM_IDLE_HOLD_EXPIRES] = "IdleHoldTimer_Expires",
		[FSM_TCP_VALID] = "TcpConnection_Valid",
		[FSM_TCP_INVALID] = "Tcp_CR_Invalid",
		[FSM_TCP_ACKED] = "Tcp_CR_Acked",
		[FSM_TCP_CONFIRMED] = "TcpConnectionConfirmed",
		[FSM_TCP_FAILS] = "TcpConnectionFails",
		[FSM_BGP_OPEN] = "BGPOpen",
		[FSM_OPEN_WITH_DELAY_OPEN] = "BGPOpen_with_DelayOpenTimer_running",
		[FSM_HEADER_ERR] = "BGPHeaderErr",
		[FSM_OPEN_ERR] = "BGPOpenMsgErr",
		[FSM_OPEN_COLLISION_DUMP] = "OpenCollisionDump",
		[FSM_NOTIF_VERSION_ERR] = "NotifMsgVerErr",
		[FSM_NOTIF_MSG] = "NotifMsg",
		[FSM_KEEPALIVE_MSG] = "KeepAliveMsg",
		[FSM_UPDATE_MSG] = "UpdateMsg",
		[FSM_UPDATE_ERR] = "UpdateMsgErr",
		[FSM_SEND_HOLD_EXPIRES] = "SendHoldTimer_Expires",
		[FSM_ROUTE_REFRESH_MSG] = "RouteRefreshMsg",
	};

	if (event < FSM_MANUAL_START || event >= FSM_EVENT_MAX)
		return "Unknown";
	return names[event];
}
