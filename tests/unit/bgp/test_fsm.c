// SPDX-License-Identifier: GPL-2.0-only
/*
 * The FSM of one connection against RFC 4271 8.2.2: every pair of state and event has a row here that says
 * the next state, the actions and the NOTIFICATION; then the timers, the counter and the back-off, which
 * the rows do not show.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "bgp/fsm.h"

#define HOLD_SEC      90
#define KEEPALIVE_SEC 30
#define RETRY_MS      5000
#define IDLE_MS       1000
#define IDLE_MAX_MS   60000
#define DELAY_MS      3000
#define LARGE_MS      240000

static const struct mono start_time = { .usec = 1000000000 };

static struct fsm_config config_of(bool passive, uint32_t delay_open_ms)
{
	return (struct fsm_config){
		.passive = passive,
		.notify_without_open = true,
		.connect_retry_ms = RETRY_MS,
		.idle_hold_ms = IDLE_MS,
		.idle_hold_max_ms = IDLE_MAX_MS,
		.delay_open_ms = delay_open_ms,
		.large_hold_ms = LARGE_MS,
		.damp = true,
	};
}

static struct fsm_result feed_at(struct fsm *fsm, enum fsm_event event, struct mono now)
{
	static const struct bgp_open open = { .version = 4, .id = 7 };
	static const struct bgp_session_params params = { .hold_time = HOLD_SEC,
							  .keepalive_time = KEEPALIVE_SEC };
	struct bgp_error error = { .reason = "test" };
	struct fsm_input input = { .event = event,
				   .now = now,
				   .random = 0xffff, /* jitter factor 1.0 */
				   .open = &open,
				   .params = &params };
	struct fsm_result result;

	if (event == FSM_HEADER_ERR || event == FSM_OPEN_ERR || event == FSM_UPDATE_ERR) {
		error.code = event == FSM_HEADER_ERR ? BGP_ERR_HEADER
			     : event == FSM_OPEN_ERR ? BGP_ERR_OPEN
						     : BGP_ERR_UPDATE;
		error.subcode = 2;
		input.error = &error;
	}
	fsm_step(fsm, &input, &result);
	return result;
}

static struct fsm_result feed(struct fsm *fsm, enum fsm_event event)
{
	return feed_at(fsm, event, start_time);
}

/* Walks a fresh FSM into a state by events alone. */
static void enter(struct fsm *fsm, const struct fsm_config *config, enum fsm_state state)
{
	static const enum fsm_event path[] = { FSM_MANUAL_START, FSM_TCP_ACKED, FSM_BGP_OPEN,
					       FSM_KEEPALIVE_MSG };
	static const unsigned int steps[FSM_STATE_MAX] = {
		[FSM_IDLE] = 0,     [FSM_CONNECT] = 1,     [FSM_ACTIVE] = 0,
		[FSM_OPENSENT] = 2, [FSM_OPENCONFIRM] = 3, [FSM_ESTABLISHED] = 4,
	};

	fsm_init(fsm, config);
	for (unsigned int i = 0; i < steps[state]; i++)
		feed(fsm, path[i]);
	if (state == FSM_ACTIVE)
		feed(fsm, FSM_MANUAL_START_PASSIVE);
	cr_assert_eq(fsm->state, state);
}

/* --- every state and event ------------------------------------------------------------------- */

#define NOTE    FSM_DO_SEND_NOTIFICATION
#define OPEN    FSM_DO_SEND_OPEN
#define KEEP    FSM_DO_SEND_KEEPALIVE
#define CLOSE   FSM_DO_CLOSE
#define CONN    FSM_DO_CONNECT
#define LISTEN  FSM_DO_LISTEN
#define UP      FSM_DO_ESTABLISHED
#define DOWN    FSM_DO_DOWN
#define UPDATE  FSM_DO_PROCESS_UPDATE
#define REFRESH FSM_DO_PROCESS_REFRESH

struct row {
	uint8_t event, to;
	uint16_t actions;
	uint8_t code, subcode;
};

static const struct row idle_rows[] = {
	{ 1, FSM_CONNECT, CONN | LISTEN, 0, 0 },
	{ 2, FSM_IDLE, 0, 0, 0 },
	{ 3, FSM_CONNECT, CONN | LISTEN, 0, 0 },
	{ 4, FSM_ACTIVE, LISTEN, 0, 0 },
	{ 5, FSM_ACTIVE, LISTEN, 0, 0 },
	{ 6, FSM_CONNECT, CONN | LISTEN, 0, 0 },
	{ 7, FSM_ACTIVE, LISTEN, 0, 0 },
	{ 8, FSM_IDLE, 0, 0, 0 },
	{ 9, FSM_IDLE, 0, 0, 0 },
	{ 10, FSM_IDLE, 0, 0, 0 },
	{ 11, FSM_IDLE, 0, 0, 0 },
	{ 12, FSM_IDLE, 0, 0, 0 },
	{ 13, FSM_CONNECT, CONN | LISTEN, 0, 0 },
	{ 14, FSM_IDLE, CLOSE, 0, 0 },
	{ 15, FSM_IDLE, 0, 0, 0 },
	{ 16, FSM_IDLE, CLOSE, 0, 0 },
	{ 17, FSM_IDLE, CLOSE, 0, 0 },
	{ 18, FSM_IDLE, 0, 0, 0 },
	{ 19, FSM_IDLE, 0, 0, 0 },
	{ 20, FSM_IDLE, 0, 0, 0 },
	{ 21, FSM_IDLE, 0, 0, 0 },
	{ 22, FSM_IDLE, 0, 0, 0 },
	{ 23, FSM_IDLE, 0, 0, 0 },
	{ 24, FSM_IDLE, 0, 0, 0 },
	{ 25, FSM_IDLE, 0, 0, 0 },
	{ 26, FSM_IDLE, 0, 0, 0 },
	{ 27, FSM_IDLE, 0, 0, 0 },
	{ 28, FSM_IDLE, 0, 0, 0 },
	{ 29, FSM_IDLE, 0, 0, 0 },
	{ 30, FSM_IDLE, 0, 0, 0 },
};

static const struct row connect_rows[] = {
	{ 1, FSM_CONNECT, 0, 0, 0 },
	{ 2, FSM_IDLE, CLOSE, 0, 0 },
	{ 3, FSM_CONNECT, 0, 0, 0 },
	{ 4, FSM_CONNECT, 0, 0, 0 },
	{ 5, FSM_CONNECT, 0, 0, 0 },
	{ 6, FSM_CONNECT, 0, 0, 0 },
	{ 7, FSM_CONNECT, 0, 0, 0 },
	{ 8, FSM_IDLE, CLOSE, 0, 0 },
	{ 9, FSM_CONNECT, CLOSE | CONN | LISTEN, 0, 0 },
	{ 10, FSM_IDLE, CLOSE, 0, 0 },
	{ 11, FSM_IDLE, CLOSE, 0, 0 },
	{ 12, FSM_OPENSENT, OPEN, 0, 0 },
	{ 13, FSM_IDLE, CLOSE, 0, 0 },
	{ 14, FSM_CONNECT, 0, 0, 0 },
	{ 15, FSM_CONNECT, 0, 0, 0 },
	{ 16, FSM_OPENSENT, OPEN, 0, 0 },
	{ 17, FSM_OPENSENT, OPEN, 0, 0 },
	{ 18, FSM_IDLE, CLOSE, 0, 0 },
	{ 19, FSM_IDLE, CLOSE, 0, 0 },
	{ 20, FSM_OPENCONFIRM, OPEN | KEEP, 0, 0 },
	{ 21, FSM_IDLE, NOTE | CLOSE, 1, 2 },
	{ 22, FSM_IDLE, NOTE | CLOSE, 2, 2 },
	{ 23, FSM_IDLE, CLOSE, 0, 0 },
	{ 24, FSM_IDLE, CLOSE, 0, 0 },
	{ 25, FSM_IDLE, CLOSE, 0, 0 },
	{ 26, FSM_IDLE, CLOSE, 0, 0 },
	{ 27, FSM_IDLE, CLOSE, 0, 0 },
	{ 28, FSM_IDLE, CLOSE, 0, 0 },
	{ 29, FSM_IDLE, CLOSE, 0, 0 },
	{ 30, FSM_IDLE, CLOSE, 0, 0 },
};

static const struct row active_rows[] = {
	{ 1, FSM_ACTIVE, 0, 0, 0 },
	{ 2, FSM_IDLE, CLOSE, 0, 0 },
	{ 3, FSM_ACTIVE, 0, 0, 0 },
	{ 4, FSM_ACTIVE, 0, 0, 0 },
	{ 5, FSM_ACTIVE, 0, 0, 0 },
	{ 6, FSM_ACTIVE, 0, 0, 0 },
	{ 7, FSM_ACTIVE, 0, 0, 0 },
	{ 8, FSM_IDLE, CLOSE, 0, 0 },
	{ 9, FSM_CONNECT, CLOSE | CONN | LISTEN, 0, 0 },
	{ 10, FSM_IDLE, CLOSE, 0, 0 },
	{ 11, FSM_IDLE, CLOSE, 0, 0 },
	{ 12, FSM_OPENSENT, OPEN, 0, 0 },
	{ 13, FSM_IDLE, CLOSE, 0, 0 },
	{ 14, FSM_ACTIVE, 0, 0, 0 },
	{ 15, FSM_ACTIVE, 0, 0, 0 },
	{ 16, FSM_OPENSENT, OPEN, 0, 0 },
	{ 17, FSM_OPENSENT, OPEN, 0, 0 },
	{ 18, FSM_IDLE, CLOSE, 0, 0 },
	{ 19, FSM_IDLE, CLOSE, 0, 0 },
	{ 20, FSM_OPENCONFIRM, OPEN | KEEP, 0, 0 },
	{ 21, FSM_IDLE, NOTE | CLOSE, 1, 2 },
	{ 22, FSM_IDLE, NOTE | CLOSE, 2, 2 },
	{ 23, FSM_IDLE, CLOSE, 0, 0 },
	{ 24, FSM_IDLE, CLOSE, 0, 0 },
	{ 25, FSM_IDLE, CLOSE, 0, 0 },
	{ 26, FSM_IDLE, CLOSE, 0, 0 },
	{ 27, FSM_IDLE, CLOSE, 0, 0 },
	{ 28, FSM_IDLE, CLOSE, 0, 0 },
	{ 29, FSM_IDLE, CLOSE, 0, 0 },
	{ 30, FSM_IDLE, CLOSE, 0, 0 },
};

static const struct row opensent_rows[] = {
	{ 1, FSM_OPENSENT, 0, 0, 0 },         { 2, FSM_IDLE, NOTE | CLOSE, 6, 2 },
	{ 3, FSM_OPENSENT, 0, 0, 0 },         { 4, FSM_OPENSENT, 0, 0, 0 },
	{ 5, FSM_OPENSENT, 0, 0, 0 },         { 6, FSM_OPENSENT, 0, 0, 0 },
	{ 7, FSM_OPENSENT, 0, 0, 0 },         { 8, FSM_IDLE, NOTE | CLOSE, 6, 2 },
	{ 9, FSM_IDLE, NOTE | CLOSE, 5, 1 },  { 10, FSM_IDLE, NOTE | CLOSE, 4, 0 },
	{ 11, FSM_IDLE, NOTE | CLOSE, 5, 1 }, { 12, FSM_IDLE, NOTE | CLOSE, 5, 1 },
	{ 13, FSM_IDLE, NOTE | CLOSE, 5, 1 }, { 14, FSM_OPENSENT, 0, 0, 0 },
	{ 15, FSM_OPENSENT, 0, 0, 0 },        { 16, FSM_OPENSENT, 0, 0, 0 },
	{ 17, FSM_OPENSENT, 0, 0, 0 },        { 18, FSM_ACTIVE, CLOSE | LISTEN, 0, 0 },
	{ 19, FSM_OPENCONFIRM, KEEP, 0, 0 },  { 20, FSM_IDLE, NOTE | CLOSE, 5, 1 },
	{ 21, FSM_IDLE, NOTE | CLOSE, 1, 2 }, { 22, FSM_IDLE, NOTE | CLOSE, 2, 2 },
	{ 23, FSM_IDLE, NOTE | CLOSE, 6, 7 }, { 24, FSM_IDLE, CLOSE, 0, 0 },
	{ 25, FSM_IDLE, CLOSE, 0, 0 },        { 26, FSM_IDLE, NOTE | CLOSE, 5, 1 },
	{ 27, FSM_IDLE, NOTE | CLOSE, 5, 1 }, { 28, FSM_IDLE, NOTE | CLOSE, 5, 1 },
	{ 29, FSM_IDLE, NOTE | CLOSE, 8, 0 }, { 30, FSM_IDLE, NOTE | CLOSE, 5, 1 },
};

static const struct row openconfirm_rows[] = {
	{ 1, FSM_OPENCONFIRM, 0, 0, 0 },      { 2, FSM_IDLE, NOTE | CLOSE, 6, 2 },
	{ 3, FSM_OPENCONFIRM, 0, 0, 0 },      { 4, FSM_OPENCONFIRM, 0, 0, 0 },
	{ 5, FSM_OPENCONFIRM, 0, 0, 0 },      { 6, FSM_OPENCONFIRM, 0, 0, 0 },
	{ 7, FSM_OPENCONFIRM, 0, 0, 0 },      { 8, FSM_IDLE, NOTE | CLOSE, 6, 2 },
	{ 9, FSM_IDLE, NOTE | CLOSE, 5, 2 },  { 10, FSM_IDLE, NOTE | CLOSE, 4, 0 },
	{ 11, FSM_OPENCONFIRM, KEEP, 0, 0 },  { 12, FSM_IDLE, NOTE | CLOSE, 5, 2 },
	{ 13, FSM_IDLE, NOTE | CLOSE, 5, 2 }, { 14, FSM_OPENCONFIRM, 0, 0, 0 },
	{ 15, FSM_OPENCONFIRM, 0, 0, 0 },     { 16, FSM_OPENCONFIRM, 0, 0, 0 },
	{ 17, FSM_OPENCONFIRM, 0, 0, 0 },     { 18, FSM_IDLE, CLOSE, 0, 0 },
	{ 19, FSM_IDLE, NOTE | CLOSE, 5, 2 }, { 20, FSM_IDLE, NOTE | CLOSE, 5, 2 },
	{ 21, FSM_IDLE, NOTE | CLOSE, 1, 2 }, { 22, FSM_IDLE, NOTE | CLOSE, 2, 2 },
	{ 23, FSM_IDLE, NOTE | CLOSE, 6, 7 }, { 24, FSM_IDLE, CLOSE, 0, 0 },
	{ 25, FSM_IDLE, CLOSE, 0, 0 },        { 26, FSM_ESTABLISHED, UP, 0, 0 },
	{ 27, FSM_IDLE, NOTE | CLOSE, 5, 2 }, { 28, FSM_IDLE, NOTE | CLOSE, 5, 2 },
	{ 29, FSM_IDLE, NOTE | CLOSE, 8, 0 }, { 30, FSM_IDLE, NOTE | CLOSE, 5, 2 },
};

static const struct row established_rows[] = {
	{ 1, FSM_ESTABLISHED, 0, 0, 0 },
	{ 2, FSM_IDLE, NOTE | CLOSE | DOWN, 6, 2 },
	{ 3, FSM_ESTABLISHED, 0, 0, 0 },
	{ 4, FSM_ESTABLISHED, 0, 0, 0 },
	{ 5, FSM_ESTABLISHED, 0, 0, 0 },
	{ 6, FSM_ESTABLISHED, 0, 0, 0 },
	{ 7, FSM_ESTABLISHED, 0, 0, 0 },
	{ 8, FSM_IDLE, NOTE | CLOSE | DOWN, 6, 2 },
	{ 9, FSM_IDLE, NOTE | CLOSE | DOWN, 5, 3 },
	{ 10, FSM_IDLE, NOTE | CLOSE | DOWN, 4, 0 },
	{ 11, FSM_ESTABLISHED, KEEP, 0, 0 },
	{ 12, FSM_IDLE, NOTE | CLOSE | DOWN, 5, 3 },
	{ 13, FSM_IDLE, NOTE | CLOSE | DOWN, 5, 3 },
	{ 14, FSM_ESTABLISHED, 0, 0, 0 },
	{ 15, FSM_ESTABLISHED, 0, 0, 0 },
	{ 16, FSM_ESTABLISHED, 0, 0, 0 },
	{ 17, FSM_ESTABLISHED, 0, 0, 0 },
	{ 18, FSM_IDLE, CLOSE | DOWN, 0, 0 },
	{ 19, FSM_IDLE, NOTE | CLOSE | DOWN, 5, 3 },
	{ 20, FSM_IDLE, NOTE | CLOSE | DOWN, 5, 3 },
	{ 21, FSM_IDLE, NOTE | CLOSE | DOWN, 1, 2 },
	{ 22, FSM_IDLE, NOTE | CLOSE | DOWN, 5, 3 },
	{ 23, FSM_IDLE, NOTE | CLOSE | DOWN, 6, 7 },
	{ 24, FSM_IDLE, CLOSE | DOWN, 0, 0 },
	{ 25, FSM_IDLE, CLOSE | DOWN, 0, 0 },
	{ 26, FSM_ESTABLISHED, 0, 0, 0 },
	{ 27, FSM_ESTABLISHED, UPDATE, 0, 0 },
	{ 28, FSM_IDLE, NOTE | CLOSE | DOWN, 3, 2 },
	{ 29, FSM_IDLE, NOTE | CLOSE | DOWN, 8, 0 },
	{ 30, FSM_ESTABLISHED, REFRESH, 0, 0 },
};

static const struct row *const rows[FSM_STATE_MAX] = {
	idle_rows, connect_rows, active_rows, opensent_rows, openconfirm_rows, established_rows,
};
#define EVENTS 30
_Static_assert(sizeof(idle_rows) / sizeof(idle_rows[0]) == EVENTS, "every event");
_Static_assert(sizeof(connect_rows) / sizeof(connect_rows[0]) == EVENTS, "every event");
_Static_assert(sizeof(active_rows) / sizeof(active_rows[0]) == EVENTS, "every event");
_Static_assert(sizeof(opensent_rows) / sizeof(opensent_rows[0]) == EVENTS, "every event");
_Static_assert(sizeof(openconfirm_rows) / sizeof(openconfirm_rows[0]) == EVENTS, "every event");
_Static_assert(sizeof(established_rows) / sizeof(established_rows[0]) == EVENTS, "every event");
_Static_assert(FSM_EVENT_MAX == EVENTS + 1, "every event");

static void check_row(enum fsm_state state, const struct row *row)
{
	struct fsm_config config = config_of(false, 0);
	struct fsm_result result;
	struct fsm fsm;

	enter(&fsm, &config, state);
	result = feed(&fsm, row->event);
	cr_assert_eq(result.from, state);
	cr_assert_eq(result.to, row->to, "%s in %s goes to %s", fsm_event_name(row->event),
		     fsm_state_name(state), fsm_state_name(result.to));
	cr_assert_eq(fsm.state, row->to);
	cr_assert_eq(result.actions, row->actions, "%s in %s does %#x", fsm_event_name(row->event),
		     fsm_state_name(state), result.actions);
	cr_assert_eq(result.error.code, row->code, "%s in %s", fsm_event_name(row->event),
		     fsm_state_name(state));
	cr_assert_eq(result.error.subcode, row->subcode, "%s in %s", fsm_event_name(row->event),
		     fsm_state_name(state));
	cr_assert((row->actions & NOTE) == 0 || result.error.reason != NULL);
}

Test(fsm, every_state_answers_every_event)
{
	for (unsigned int state = 0; state < FSM_STATE_MAX; state++)
		for (unsigned int event = 1; event < FSM_EVENT_MAX; event++) {
			cr_assert_eq(rows[state][event - 1].event, event);
			check_row(state, &rows[state][event - 1]);
		}
}

Test(fsm, events_out_of_range_do_nothing)
{
	struct fsm_config config = config_of(false, 0);
	struct fsm fsm;

	enter(&fsm, &config, FSM_ESTABLISHED);
	cr_assert_eq(feed(&fsm, 0).actions, 0);
	cr_assert_eq(feed(&fsm, FSM_EVENT_MAX).actions, 0);
	cr_assert_eq(fsm.state, FSM_ESTABLISHED);
}

/* In Idle only the back-off may run, elsewhere never; nothing fires twice. */
Test(fsm, timers_belong_to_their_states)
{
	struct fsm_config config = config_of(false, 0);

	for (unsigned int state = 0; state < FSM_STATE_MAX; state++)
		for (unsigned int event = 1; event < FSM_EVENT_MAX; event++) {
			struct fsm fsm;

			enter(&fsm, &config, state);
			feed(&fsm, event);
			cr_assert_eq(mono_is_set(fsm.timer[FSM_TIMER_HOLD]),
				     fsm.state >= FSM_OPENSENT);
			cr_assert_eq(mono_is_set(fsm.timer[FSM_TIMER_KEEPALIVE]),
				     fsm.state >= FSM_OPENCONFIRM);
			if (fsm.state == FSM_IDLE)
				cr_assert_not(mono_is_set(fsm.timer[FSM_TIMER_CONNECT_RETRY]));
			else
				cr_assert_not(mono_is_set(fsm.timer[FSM_TIMER_IDLE_HOLD]));
		}
}

/* --- timers ---------------------------------------------------------------------------------- */

static uint64_t left_ms(const struct fsm *fsm, enum fsm_timer timer)
{
	return mono_since_usec(fsm->timer[timer], start_time) / 1000;
}

Test(fsm, timers_have_the_times_of_the_rfc)
{
	struct fsm_config config = config_of(false, 0);
	struct fsm fsm;

	enter(&fsm, &config, FSM_CONNECT);
	cr_assert_eq(left_ms(&fsm, FSM_TIMER_CONNECT_RETRY), RETRY_MS);
	enter(&fsm, &config, FSM_OPENSENT);
	cr_assert_eq(left_ms(&fsm, FSM_TIMER_HOLD), LARGE_MS);
	cr_assert_not(mono_is_set(fsm.timer[FSM_TIMER_CONNECT_RETRY]));
	enter(&fsm, &config, FSM_OPENCONFIRM);
	cr_assert_eq(left_ms(&fsm, FSM_TIMER_HOLD), HOLD_SEC * 1000);
	cr_assert_eq(left_ms(&fsm, FSM_TIMER_KEEPALIVE), KEEPALIVE_SEC * 1000);
}

/* RFC 4271 4.2: KEEPALIVE and UPDATE restart the hold timer; ROUTE-REFRESH does not. */
Test(fsm, hold_timer_restarts_on_keepalive_and_update_only)
{
	struct fsm_config config = config_of(false, 0);
	struct mono later = mono_add_sec(start_time, 10);
	struct fsm fsm;

	enter(&fsm, &config, FSM_ESTABLISHED);
	feed_at(&fsm, FSM_ROUTE_REFRESH_MSG, later);
	cr_assert_eq(left_ms(&fsm, FSM_TIMER_HOLD), HOLD_SEC * 1000);
	feed_at(&fsm, FSM_UPDATE_MSG, later);
	cr_assert_eq(left_ms(&fsm, FSM_TIMER_HOLD), (HOLD_SEC + 10) * 1000);
	feed_at(&fsm, FSM_KEEPALIVE_MSG, mono_add_sec(start_time, 20));
	cr_assert_eq(left_ms(&fsm, FSM_TIMER_HOLD), (HOLD_SEC + 20) * 1000);
}

Test(fsm, hold_time_zero_means_no_timers)
{
	struct fsm_config config = config_of(false, 0);
	struct bgp_open open = { .version = 4 };
	struct bgp_session_params params = { .hold_time = 0 };
	struct fsm_input input = {
		.event = FSM_BGP_OPEN, .now = start_time, .open = &open, .params = &params
	};
	struct fsm_result result;
	enum fsm_timer timer;
	struct fsm fsm;

	enter(&fsm, &config, FSM_OPENSENT);
	fsm_step(&fsm, &input, &result);
	cr_assert_eq(result.actions, KEEP);
	cr_assert_not(mono_is_set(fsm_next_timer(&fsm, &timer)));
	feed(&fsm, FSM_KEEPALIVE_MSG);
	cr_assert_eq(fsm.state, FSM_ESTABLISHED);
	feed(&fsm, FSM_UPDATE_MSG);
	cr_assert_not(mono_is_set(fsm_next_timer(&fsm, &timer)));
}

/* RFC 4271 10: a factor between 0.75 and 1.0. */
Test(fsm, jitter_stays_in_its_range)
{
	struct fsm_config config = config_of(false, 0);
	uint64_t least = UINT64_MAX, most = 0;

	for (uint32_t random = 0; random < 0x20000; random += 97) {
		struct fsm_input input = { .event = FSM_MANUAL_START,
					   .now = start_time,
					   .random = random };
		struct fsm_result result;
		struct fsm fsm;
		uint64_t ms;

		fsm_init(&fsm, &config);
		fsm_step(&fsm, &input, &result);
		ms = left_ms(&fsm, FSM_TIMER_CONNECT_RETRY);
		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	cr_assert_geq(least, RETRY_MS * 3 / 4);
	cr_assert_leq(least, RETRY_MS * 3 / 4 + 5);
	cr_assert_leq(most, RETRY_MS);
	cr_assert_geq(most, RETRY_MS - 5);
}

Test(fsm, the_first_timer_is_found)
{
	struct fsm_config config = config_of(false, 0);
	enum fsm_timer timer = FSM_TIMER_MAX;
	struct fsm fsm;

	enter(&fsm, &config, FSM_ESTABLISHED);
	fsm_next_timer(&fsm, &timer);
	cr_assert_eq(timer, FSM_TIMER_KEEPALIVE);
	cr_assert_eq(fsm_timer_event(timer), FSM_KEEPALIVE_EXPIRES);
	cr_assert_eq(fsm_timer_event(FSM_TIMER_IDLE_HOLD), FSM_IDLE_HOLD_EXPIRES);
}

/* --- DelayOpen ------------------------------------------------------------------------------- */

static void check_delay_open(enum fsm_state state)
{
	struct fsm_config config = config_of(false, DELAY_MS);
	struct fsm fsm;

	fsm_init(&fsm, &config);
	feed(&fsm, state == FSM_CONNECT ? FSM_MANUAL_START : FSM_MANUAL_START_PASSIVE);
	cr_assert_eq(fsm_open_event(&fsm), FSM_BGP_OPEN);
	cr_assert_eq(feed(&fsm, FSM_TCP_ACKED).actions, 0);
	cr_assert_eq(fsm.state, state);
	cr_assert_eq(left_ms(&fsm, FSM_TIMER_DELAY_OPEN), DELAY_MS);
	cr_assert_not(mono_is_set(fsm.timer[FSM_TIMER_CONNECT_RETRY]));
	cr_assert_eq(fsm_open_event(&fsm), FSM_OPEN_WITH_DELAY_OPEN);
	cr_assert_eq(feed(&fsm, FSM_DELAY_OPEN_EXPIRES).actions, OPEN);
	cr_assert_eq(fsm.state, FSM_OPENSENT);
	cr_assert_not(mono_is_set(fsm.timer[FSM_TIMER_DELAY_OPEN]));
}

Test(fsm, delay_open_holds_our_open_back)
{
	check_delay_open(FSM_CONNECT);
	check_delay_open(FSM_ACTIVE);
}

Test(fsm, open_during_delay_open_answers_at_once)
{
	struct fsm_config config = config_of(false, DELAY_MS);
	struct fsm_result result;
	struct fsm fsm;

	fsm_init(&fsm, &config);
	feed(&fsm, FSM_MANUAL_START);
	feed(&fsm, FSM_TCP_ACKED);
	result = feed(&fsm, fsm_open_event(&fsm));
	cr_assert_eq(result.actions, OPEN | KEEP);
	cr_assert_eq(fsm.state, FSM_OPENCONFIRM);
	cr_assert_eq(fsm.peer_open.id, 7);
}

/* Connect: back to Active to wait for the peer; Active: Idle (8.2.2, event 18). */
Test(fsm, tcp_failure_during_delay_open)
{
	struct fsm_config config = config_of(false, DELAY_MS);
	struct fsm fsm;

	fsm_init(&fsm, &config);
	feed(&fsm, FSM_MANUAL_START);
	feed(&fsm, FSM_TCP_ACKED);
	cr_assert_eq(feed(&fsm, FSM_TCP_FAILS).to, FSM_ACTIVE);
	cr_assert(mono_is_set(fsm.timer[FSM_TIMER_CONNECT_RETRY]));
	cr_assert_not(mono_is_set(fsm.timer[FSM_TIMER_DELAY_OPEN]));
}

Test(fsm, manual_stop_in_active_tells_a_connected_peer)
{
	struct fsm_config config = config_of(true, DELAY_MS);
	struct fsm_result result;
	struct fsm fsm;

	fsm_init(&fsm, &config);
	feed(&fsm, FSM_MANUAL_START_PASSIVE);
	feed(&fsm, FSM_TCP_CONFIRMED);
	result = feed(&fsm, FSM_MANUAL_STOP);
	cr_assert_eq(result.actions, NOTE | CLOSE);
	cr_assert_eq(result.error.code, BGP_ERR_CEASE);

	config.notify_without_open = false;
	fsm_init(&fsm, &config);
	feed(&fsm, FSM_MANUAL_START_PASSIVE);
	feed(&fsm, FSM_TCP_CONFIRMED);
	cr_assert_eq(feed(&fsm, FSM_MANUAL_STOP).actions, CLOSE);
	feed(&fsm, FSM_MANUAL_START_PASSIVE);
	cr_assert_eq(feed(&fsm, FSM_HEADER_ERR).actions, CLOSE);
}

/* --- counter and back-off -------------------------------------------------------------------- */

static uint64_t fail_once(struct fsm *fsm, enum fsm_event event)
{
	if (fsm->state == FSM_IDLE)
		feed(fsm, FSM_IDLE_HOLD_EXPIRES);
	feed(fsm, FSM_TCP_ACKED);
	feed(fsm, event);
	cr_assert_eq(fsm->state, FSM_IDLE);
	return left_ms(fsm, FSM_TIMER_IDLE_HOLD);
}

Test(fsm, back_off_doubles_up_to_its_limit)
{
	static const uint64_t expected[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct fsm_config config = config_of(false, 0);
	struct fsm fsm;

	fsm_init(&fsm, &config);
	feed(&fsm, FSM_MANUAL_START);
	for (unsigned int i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		cr_assert_eq(fail_once(&fsm, FSM_OPEN_ERR), expected[i]);
	/* The operator's stop forgives. */
	feed(&fsm, FSM_MANUAL_STOP);
	cr_assert_not(mono_is_set(fsm.timer[FSM_TIMER_IDLE_HOLD]));
	feed(&fsm, FSM_MANUAL_START);
	feed(&fsm, FSM_MANUAL_STOP);
	feed(&fsm, FSM_MANUAL_START);
	cr_assert_eq(fail_once(&fsm, FSM_OPEN_ERR), 1000);
}

Test(fsm, a_session_that_lasted_resets_the_back_off)
{
	struct fsm_config config = config_of(false, 0);
	struct fsm fsm;

	fsm_init(&fsm, &config);
	feed(&fsm, FSM_MANUAL_START);
	fail_once(&fsm, FSM_OPEN_ERR);
	fail_once(&fsm, FSM_OPEN_ERR);
	feed(&fsm, FSM_IDLE_HOLD_EXPIRES);
	feed(&fsm, FSM_TCP_ACKED);
	feed(&fsm, FSM_BGP_OPEN);
	feed(&fsm, FSM_KEEPALIVE_MSG);
	feed_at(&fsm, FSM_TCP_FAILS, mono_add_msec(start_time, IDLE_MAX_MS));
	cr_assert_eq(left_ms(&fsm, FSM_TIMER_IDLE_HOLD), IDLE_MAX_MS + 1000);
}

Test(fsm, a_session_that_flaps_does_not)
{
	struct fsm_config config = config_of(false, 0);
	struct fsm fsm;

	fsm_init(&fsm, &config);
	feed(&fsm, FSM_MANUAL_START);
	fail_once(&fsm, FSM_OPEN_ERR);
	feed(&fsm, FSM_IDLE_HOLD_EXPIRES);
	feed(&fsm, FSM_TCP_ACKED);
	feed(&fsm, FSM_BGP_OPEN);
	feed(&fsm, FSM_KEEPALIVE_MSG);
	feed(&fsm, FSM_TCP_FAILS);
	cr_assert_eq(left_ms(&fsm, FSM_TIMER_IDLE_HOLD), 2000);
}

/* A peer that is not there, a version we can not speak, a collision: no oscillation of the peer's. */
Test(fsm, harmless_failures_do_not_double)
{
	static const enum fsm_event events[] = { FSM_NOTIF_VERSION_ERR, FSM_OPEN_COLLISION_DUMP };
	struct fsm_config config = config_of(false, 0);
	struct fsm fsm;

	for (unsigned int i = 0; i < 2; i++) {
		fsm_init(&fsm, &config);
		feed(&fsm, FSM_MANUAL_START);
		fail_once(&fsm, events[i]);
		cr_assert_eq(fail_once(&fsm, events[i]), 1000);
	}
	feed(&fsm, FSM_IDLE_HOLD_EXPIRES);
	feed(&fsm, FSM_TCP_FAILS);
	cr_assert_eq(left_ms(&fsm, FSM_TIMER_IDLE_HOLD), RETRY_MS);
}

Test(fsm, damped_start_waits_for_the_back_off)
{
	struct fsm_config config = config_of(false, 0);
	struct fsm fsm;

	fsm_init(&fsm, &config);
	feed(&fsm, FSM_MANUAL_START);
	fail_once(&fsm, FSM_OPEN_ERR);
	cr_assert_eq(feed(&fsm, FSM_AUTOMATIC_START_DAMP).to, FSM_IDLE);
	cr_assert_eq(feed(&fsm, FSM_AUTOMATIC_START_DAMP_PASSIVE).to, FSM_IDLE);
	cr_assert_eq(feed(&fsm, FSM_AUTOMATIC_START).to, FSM_CONNECT);
}

Test(fsm, connect_retry_counter)
{
	struct fsm_config config = config_of(false, 0);
	struct fsm fsm;

	fsm_init(&fsm, &config);
	feed(&fsm, FSM_MANUAL_START);
	feed(&fsm, FSM_TCP_ACKED);
	feed(&fsm, FSM_HOLD_EXPIRES);
	cr_assert_eq(fsm.connect_retry_count, 1);
	feed(&fsm, FSM_AUTOMATIC_START);
	cr_assert_eq(fsm.connect_retry_count, 0);
	feed(&fsm, FSM_TCP_ACKED);
	feed(&fsm, FSM_NOTIF_VERSION_ERR);
	cr_assert_eq(fsm.connect_retry_count, 0);
}

Test(fsm, passive_never_connects)
{
	struct fsm_config config = config_of(true, 0);
	struct fsm fsm;

	fsm_init(&fsm, &config);
	feed(&fsm, FSM_MANUAL_START_PASSIVE);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(feed(&fsm, FSM_CONNECT_RETRY_EXPIRES).actions & CONN, 0);
	feed(&fsm, FSM_TCP_CONFIRMED);
	feed(&fsm, FSM_OPEN_ERR);
	cr_assert_eq(feed(&fsm, FSM_IDLE_HOLD_EXPIRES).to, FSM_ACTIVE);
}

/* --- errors that the caller brings ------------------------------------------------------------ */

Test(fsm, the_callers_error_is_sent)
{
	struct fsm_config config = config_of(false, 0);
	struct bgp_error error = { .code = BGP_ERR_CEASE,
				   .subcode = BGP_CEASE_MAX_PREFIXES,
				   .reason = "too many prefixes" };
	struct fsm_input input = { .event = FSM_AUTOMATIC_STOP,
				   .now = start_time,
				   .error = &error };
	struct fsm_result result;
	struct fsm fsm;

	enter(&fsm, &config, FSM_ESTABLISHED);
	fsm_step(&fsm, &input, &result);
	cr_assert_eq(result.actions, NOTE | CLOSE | DOWN);
	cr_assert_eq(result.error.subcode, BGP_CEASE_MAX_PREFIXES);
	cr_assert_str_eq(result.error.reason, "too many prefixes");

	/* Code 0: a restarting speaker says nothing (RFC 4724 4.1). */
	error.code = 0;
	input.event = FSM_MANUAL_STOP;
	enter(&fsm, &config, FSM_ESTABLISHED);
	fsm_step(&fsm, &input, &result);
	cr_assert_eq(result.actions, CLOSE | DOWN);
}

Test(fsm, park_waits_for_its_time_only)
{
	struct fsm_config config = config_of(false, 0);
	enum fsm_timer timer = FSM_TIMER_MAX;
	struct fsm fsm;

	enter(&fsm, &config, FSM_CONNECT);
	fsm_park(&fsm, mono_add_sec(start_time, 3));
	cr_assert_eq(fsm.state, FSM_IDLE);
	cr_assert_eq(fsm_next_timer(&fsm, &timer).usec, start_time.usec + 3000000);
	cr_assert_eq(timer, FSM_TIMER_IDLE_HOLD);
	fsm_park(&fsm, (struct mono){ 0 });
	cr_assert_not(mono_is_set(fsm_next_timer(&fsm, &timer)));
}

/* RFC 4271 6.8: the higher identifier's connection stays; RFC 6286 2.3: then the higher ASN's. */
Test(fsm, collision_is_decided_by_identifier_then_asn)
{
	cr_assert(fsm_collision_keep_ours(0x0a000002, 0x0a000001, 1, 2));
	cr_assert_not(fsm_collision_keep_ours(0x0a000001, 0x0a000002, 2, 1));
	cr_assert(fsm_collision_keep_ours(0xff000000, 0x01ffffff, 1, 2));
	cr_assert(fsm_collision_keep_ours(5, 5, 65002, 65001));
	cr_assert_not(fsm_collision_keep_ours(5, 5, 65001, 65002));
}

Test(fsm, names)
{
	cr_assert_str_eq(fsm_state_name(FSM_ESTABLISHED), "Established");
	cr_assert_str_eq(fsm_state_name(FSM_STATE_MAX), "Unknown");
	for (unsigned int event = 1; event < FSM_EVENT_MAX; event++)
		cr_assert_str_neq(fsm_event_name(event), "Unknown");
	cr_assert_str_eq(fsm_event_name(0), "Unknown");
	cr_assert_str_eq(fsm_event_name(FSM_EVENT_MAX), "Unknown");
}
