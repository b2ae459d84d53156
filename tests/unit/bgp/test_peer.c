// SPDX-License-Identifier: GPL-2.0-only
/* A peer of two connections: who survives a collision, what is answered to bad input, what is remembered. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/peer.h"
#include "pair.h"

#define MARKER 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255

static struct pair *new_pair(const struct fsm_config *a, const struct fsm_config *b)
{
	struct fsm_config default_a = pair_config(0), default_b = pair_config(1);
	struct pair *pair = malloc(sizeof(*pair));

	pair_init(pair, a ? a : &default_a, b ? b : &default_b, 42);
	return pair;
}

static struct pair *joined_pair(const struct fsm_config *a, const struct fsm_config *b)
{
	struct pair *pair = new_pair(a, b);

	pair_start(pair, 0);
	pair_start(pair, 1);
	pair_run(pair, 30);
	cr_assert(pair_is_joined(pair));
	return pair;
}

static enum fsm_state state_of(const struct pair *pair, unsigned int index)
{
	return peer_state(&pair->side[index].peer, NULL);
}

Test(peer, establishes_and_negotiates)
{
	struct pair *pair = joined_pair(NULL, NULL);
	const struct bgp_session_params *params = peer_params(&pair->side[0].peer);

	cr_assert_eq(params->peer_asn, 65002);
	cr_assert_eq(params->peer_id, 0x0a000002);
	cr_assert_eq(params->hold_time, 90);
	cr_assert(params->ebgp && params->as4 && params->route_refresh);
	cr_assert(pair->side[0].peer.have_peer_caps);
	cr_assert_eq(pair->side[0].peer.stats.established, 1);
	free(pair);
}

Test(peer, stays_up_for_a_day)
{
	struct pair *pair = joined_pair(NULL, NULL);

	pair_run(pair, 86400);
	cr_assert(pair_is_joined(pair));
	cr_assert_eq(pair->side[0].established, 1);
	/* A keepalive every 22.5 to 30 s. */
	cr_assert_geq(pair->side[0].peer.stats.msgs_in[BGP_MSG_KEEPALIVE], 86400 / 30);
	cr_assert_leq(pair->side[0].peer.stats.msgs_in[BGP_MSG_KEEPALIVE], 86400 / 22);
	free(pair);
}

Test(peer, both_passive_never_meet)
{
	struct fsm_config a = pair_config(0), b = pair_config(1);
	struct pair *pair;

	a.passive = b.passive = true;
	pair = new_pair(&a, &b);
	pair_start(pair, 0);
	pair_start(pair, 1);
	pair_run(pair, 3600);
	cr_assert_eq(state_of(pair, 0), FSM_ACTIVE);
	cr_assert_eq(pair->side[0].established, 0);
	free(pair);
}

/* --- collision ------------------------------------------------------------------------------- */

static void receive_open(struct pair *pair, enum bgp_conn_side side, uint32_t id)
{
	struct fsm_config b = pair_config(1);
	uint8_t msg[BGP_MSG_MAX];
	int len;

	b.open.id = id;
	len = bgp_open_encode(&b.open, msg, sizeof(msg));
	cr_assert_gt(len, 0);
	peer_receive(&pair->side[0].peer, side, msg, (size_t)len, &pair->clock);
}

/* Both connections wait for the peer's OPEN; it arrives on @first, then on the other. */
static void check_collision(uint32_t local_id, uint32_t peer_id, enum bgp_conn_side first,
			    enum bgp_conn_side winner)
{
	struct fsm_config a = pair_config(0);
	struct pair *pair;
	struct bgp_peer *peer;

	a.open.id = a.policy.local_id = local_id;
	pair = new_pair(&a, NULL);
	peer = &pair->side[0].peer;
	pair_start(pair, 0);
	peer_connected(peer, &pair->clock);
	cr_assert(peer_wants(peer, &pair->clock));
	peer_accepted(peer, &pair->clock);
	receive_open(pair, first, peer_id);
	cr_assert_eq(peer->conn[first].fsm.state, FSM_OPENCONFIRM);
	cr_assert_eq(peer->conn[!first].fsm.state, FSM_OPENSENT);
	receive_open(pair, !first, peer_id);
	cr_assert_eq(peer->conn[winner].fsm.state, FSM_OPENCONFIRM);
	cr_assert_not(peer_conn_open(peer, !winner));
	cr_assert_eq(peer->stats.collisions, 1);
	cr_assert_eq(pair->side[0].notes_sent, 1);
	cr_assert_eq(pair->side[0].last_code, BGP_ERR_CEASE);
	cr_assert_eq(pair->side[0].last_subcode, BGP_CEASE_COLLISION);
	free(pair);
}

Test(peer, collision_keeps_the_connection_of_the_higher_identifier)
{
	for (unsigned int first = 0; first < BGP_CONN_MAX; first++) {
		check_collision(0x0a000001, 0x0a000002, first, BGP_CONN_THEIRS);
		check_collision(0x0a000002, 0x0a000001, first, BGP_CONN_OURS);
		check_collision(0xc0000001, 0x0a000001, first, BGP_CONN_OURS);
	}
}

/* RFC 6286 2.3: equal identifiers in different ASes are allowed; the higher ASN's connection stays. */
Test(peer, collision_of_equal_identifiers_is_decided_by_asn)
{
	check_collision(0x0a000001, 0x0a000001, BGP_CONN_OURS, BGP_CONN_THEIRS);
}

Test(peer, established_connection_survives_any_collision)
{
	static const uint8_t keepalive[] = { MARKER, 0, 19, 4 };
	struct pair *pair = new_pair(NULL, NULL);
	struct bgp_peer *peer = &pair->side[0].peer;

	pair_start(pair, 0);
	peer_connected(peer, &pair->clock);
	cr_assert(peer_wants(peer, &pair->clock));
	peer_accepted(peer, &pair->clock);
	receive_open(pair, BGP_CONN_OURS, 0xffffffff);
	peer_receive(peer, BGP_CONN_OURS, keepalive, sizeof(keepalive), &pair->clock);
	cr_assert(peer->is_up);
	receive_open(pair, BGP_CONN_THEIRS, 0xffffffff);
	cr_assert(peer->is_up);
	cr_assert_eq(peer->up, BGP_CONN_OURS);
	cr_assert_not(peer_conn_open(peer, BGP_CONN_THEIRS));
	cr_assert_eq(pair->side[0].last_subcode, BGP_CEASE_COLLISION);
	free(pair);
}

/* --- bad input ------------------------------------------------------------------------------- */

static void expect_note(struct pair *pair, unsigned int index, uint8_t code, uint8_t subcode)
{
	cr_assert_eq(pair->side[index].notes_sent, 1);
	cr_assert_eq(pair->side[index].last_code, code);
	cr_assert_eq(pair->side[index].last_subcode, subcode);
	cr_assert_eq(pair->side[index].peer.stats.last_sent.note.code, code);
	cr_assert_eq(pair->side[!index].peer.stats.last_received.note.code, code);
	cr_assert_eq(pair->side[!index].peer.stats.last_received.note.subcode, subcode);
	cr_assert_neq(pair->side[index].peer.stats.last_error, NULL);
}

static void check_injected(const uint8_t *data, size_t len, uint8_t code, uint8_t subcode)
{
	struct pair *pair = joined_pair(NULL, NULL);

	pair->side[0].notes_sent = pair->side[1].notes_sent = 0;
	pair_inject(pair, 0, data, len);
	cr_assert(pair_settle(pair));
	expect_note(pair, 1, code, subcode);
	cr_assert_eq(pair->side[1].downs, 1);
	cr_assert(pair->side[1].last_down.note_sent);
	cr_assert_eq(pair->side[1].last_down.code, code);
	cr_assert_not(pair->side[1].last_down.graceful);
	cr_assert(pair->side[0].last_down.note_received);
	pair_run(pair, 60);
	cr_assert(pair_is_joined(pair));
	free(pair);
}

Test(peer, bad_messages_get_their_notifications)
{
	static const uint8_t no_marker[BGP_HEADER_LEN] = { 1, 2, 3 };
	static const uint8_t bad_length[] = { MARKER, 0, 18, 4 };
	static const uint8_t bad_type[] = { MARKER, 0, 19, 77 };
	static const uint8_t bad_update[] = { MARKER, 0, 23, 2, 0, 9, 0, 0 };
	static const uint8_t bad_prefix[] = { MARKER, 0, 25, 2, 0, 2, 33, 10, 0, 0 };
	static const uint8_t second_open[] = { MARKER, 0,  29, 1, 4, 0xfd, 0xe9,
					       0,      90, 10, 0, 0, 1,    0 };

	check_injected(no_marker, sizeof(no_marker), BGP_ERR_HEADER, BGP_HDR_NOT_SYNCHRONISED);
	check_injected(bad_length, sizeof(bad_length), BGP_ERR_HEADER, BGP_HDR_BAD_LENGTH);
	check_injected(bad_type, sizeof(bad_type), BGP_ERR_HEADER, BGP_HDR_BAD_TYPE);
	check_injected(bad_update, sizeof(bad_update), BGP_ERR_UPDATE, BGP_UPD_ATTR_LIST);
	check_injected(bad_prefix, sizeof(bad_prefix), BGP_ERR_UPDATE, BGP_UPD_NETWORK);
	check_injected(second_open, sizeof(second_open), BGP_ERR_FSM, BGP_FSM_IN_ESTABLISHED);
}

/* A has a configuration that B refuses. */
static void check_refused(const struct fsm_config *a, const struct fsm_config *b, uint8_t subcode)
{
	struct pair *pair = new_pair(a, b);

	pair_start(pair, 0);
	pair_start(pair, 1);
	cr_assert(pair_settle(pair));
	cr_assert_geq(pair->side[1].notes_sent, 1);
	cr_assert_eq(pair->side[1].last_code, BGP_ERR_OPEN);
	cr_assert_eq(pair->side[1].last_subcode, subcode);
	/* And it does not become a storm: the back-off grows to a minute. */
	pair_run(pair, 3600);
	cr_assert_leq(pair->side[1].notes_sent, 300);
	cr_assert_eq(pair->side[1].established, 0);
	free(pair);
}

Test(peer, refused_opens)
{
	struct fsm_config a = pair_config(0), b = pair_config(1);

	b.policy.peer_asn = 64999;
	check_refused(&a, &b, BGP_OPEN_BAD_PEER_AS);
	b = pair_config(1);
	a.open.hold_time = 2;
	a.policy.hold_time = 2;
	check_refused(&a, &b, BGP_OPEN_BAD_HOLD_TIME);
	a = pair_config(0);
	a.open.id = a.policy.local_id = 0;
	check_refused(&a, &b, BGP_OPEN_BAD_ID);
	a = pair_config(0);
	a.open.version = 5;
	check_refused(&a, &b, BGP_OPEN_BAD_VERSION);
}

/* --- silence --------------------------------------------------------------------------------- */

/* --- a peer that does not know capabilities (RFC 5492 3) ------------------------------------------- */

static void answer(struct pair *pair, uint8_t code, uint8_t subcode)
{
	const uint8_t msg[] = { MARKER, 0, 21, BGP_MSG_NOTIFICATION, code, subcode };

	peer_receive(&pair->side[0].peer, BGP_CONN_OURS, msg, sizeof(msg), &pair->clock);
}

/* The next attempt of ours, as it goes out. */
static const struct bgp_caps *next_open(struct pair *pair)
{
	struct bgp_peer *peer = &pair->side[0].peer;

	for (unsigned int i = 0; i < 100 && peer->conn[BGP_CONN_OURS].fsm.state != FSM_CONNECT; i++)
		pair_advance(pair, 10000000);
	cr_assert_eq(peer->conn[BGP_CONN_OURS].fsm.state, FSM_CONNECT);
	peer_connected(peer, &pair->clock);
	cr_assert_eq(peer->conn[BGP_CONN_OURS].fsm.state, FSM_OPENSENT);
	return &peer->conn[BGP_CONN_OURS].sent.caps;
}

static void old_peer_agrees(struct pair *pair)
{
	struct bgp_peer *peer = &pair->side[0].peer;
	struct fsm_config old = pair_config(1);
	uint8_t msg[BGP_MSG_MAX];
	int len;

	old.open.caps = (struct bgp_caps){ .families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST) };
	len = bgp_open_encode(&old.open, msg, sizeof(msg));
	peer_receive(peer, BGP_CONN_OURS, msg, (size_t)len, &pair->clock);
	len = bgp_keepalive_encode(msg, sizeof(msg));
	peer_receive(peer, BGP_CONN_OURS, msg, (size_t)len, &pair->clock);
	cr_assert(peer->is_up);
}

Test(peer, an_old_peer_gets_an_open_without_capabilities)
{
	struct pair *pair = new_pair(NULL, NULL);
	struct bgp_peer *peer = &pair->side[0].peer;
	struct mono before;

	pair_start(pair, 0);
	cr_assert(next_open(pair)->as4);
	before = pair->clock.now;
	answer(pair, BGP_ERR_OPEN, BGP_OPEN_BAD_PARAMETER);
	cr_assert_not(next_open(pair)->as4);
	cr_assert_not(peer->conn[BGP_CONN_OURS].sent.caps.multiprotocol ||
		      peer->conn[BGP_CONN_OURS].sent.caps.route_refresh);
	cr_assert_leq(mono_since_usec(pair->clock.now, before), 1500000, "no back-off");
	old_peer_agrees(pair);
	cr_assert_eq(peer_params(peer)->families, BGP_FAMILY_BIT(BGP_IPV4_UNICAST));
	cr_assert_not(peer_params(peer)->as4 || peer_params(peer)->route_refresh);
	answer(pair, BGP_ERR_CEASE, BGP_CEASE_ADMIN_RESET);
	cr_assert(next_open(pair)->as4, "after a session it is asked with capabilities again");
	free(pair);
}

Test(peer, refused_without_capabilities_too_it_is_offered_them_again)
{
	struct pair *pair = new_pair(NULL, NULL);

	pair_start(pair, 0);
	for (unsigned int i = 0; i < 3; i++) {
		cr_assert(next_open(pair)->as4);
		answer(pair, BGP_ERR_OPEN, BGP_OPEN_BAD_PARAMETER);
		cr_assert_not(next_open(pair)->as4);
		answer(pair, BGP_ERR_OPEN, BGP_OPEN_BAD_PARAMETER);
	}
	free(pair);
}

Test(peer, other_refusals_change_nothing_in_the_open)
{
	static const uint8_t others[] = { BGP_OPEN_UNSPECIFIC, BGP_OPEN_BAD_VERSION,
					  BGP_OPEN_BAD_PEER_AS, BGP_OPEN_BAD_HOLD_TIME,
					  BGP_OPEN_BAD_CAPABILITY };
	struct pair *pair = new_pair(NULL, NULL);

	pair_start(pair, 0);
	for (size_t i = 0; i < sizeof(others); i++) {
		cr_assert(next_open(pair)->as4);
		answer(pair, BGP_ERR_OPEN, others[i]);
	}
	cr_assert(next_open(pair)->as4);
	free(pair);
}

/* What is required can not be had without capabilities: it would be refused by us. */
Test(peer, required_capabilities_are_always_offered)
{
	struct fsm_config needs_as4 = pair_config(0), needs_family = pair_config(0),
			  only_ipv6 = pair_config(0);
	struct fsm_config *rows[] = { &needs_as4, &needs_family, &only_ipv6 };

	needs_as4.policy.needed = BGP_NEED_AS4;
	needs_family.policy.required_families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	only_ipv6.open.caps.families = BGP_FAMILY_BIT(BGP_IPV6_UNICAST);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair *pair = new_pair(rows[i], NULL);

		pair_start(pair, 0);
		next_open(pair);
		answer(pair, BGP_ERR_OPEN, BGP_OPEN_BAD_PARAMETER);
		cr_assert(next_open(pair)->multiprotocol, "row %zu", i);
		free(pair);
	}
}

/* --- silence ------------------------------------------------------------------------------------------- */

Test(peer, silence_ends_with_the_hold_timer)
{
	struct pair *pair = joined_pair(NULL, NULL);
	struct mono before = pair->clock.now;

	/* Time passes and nothing is delivered. */
	while (pair->side[0].downs + pair->side[1].downs == 0)
		pair_advance(pair, 1000000);
	cr_assert_leq(mono_since_usec(pair->clock.now, before), 91 * 1000000ull);
	cr_assert_geq(mono_since_usec(pair->clock.now, before), 59 * 1000000ull);
	for (unsigned int i = 0; i < 2; i++)
		if (pair->side[i].downs)
			cr_assert_eq(pair->side[i].last_code, BGP_ERR_HOLD_TIMER);
	pair_run(pair, 120);
	cr_assert(pair_is_joined(pair));
	free(pair);
}

Test(peer, hold_can_be_extended_while_input_waits)
{
	struct pair *pair = joined_pair(NULL, NULL);
	struct bgp_peer *peer = &pair->side[0].peer;
	struct mono hold = peer->conn[peer->up].fsm.timer[FSM_TIMER_HOLD];

	cr_assert_not(peer_hold_due(peer, peer->up, pair->clock.now));
	cr_assert(peer_hold_due(peer, peer->up, hold));
	peer_extend_hold(peer, peer->up, mono_add_sec(hold, 10));
	cr_assert_not(peer_hold_due(peer, peer->up, hold));
	cr_assert(peer_hold_due(peer, peer->up, mono_add_sec(hold, 10)));
	free(pair);
}

Test(peer, send_hold_is_said)
{
	struct pair *pair = joined_pair(NULL, NULL);

	pair->side[0].notes_sent = 0;
	peer_send_hold(&pair->side[0].peer, pair->side[0].peer.up, &pair->clock);
	cr_assert(pair_settle(pair));
	expect_note(pair, 0, BGP_ERR_SEND_HOLD, 0);
	free(pair);
}

/* --- stopping and restarting ------------------------------------------------------------------ */

Test(peer, stop_tells_why_and_stays_down)
{
	struct pair *pair = joined_pair(NULL, NULL);
	struct bgp_error error;

	pair->side[0].notes_sent = 0;
	bgp_error_set_shutdown(&error, BGP_CEASE_ADMIN_SHUTDOWN, "back at noon");
	pair_stop(pair, 0, &error);
	cr_assert(pair_settle(pair));
	expect_note(pair, 0, BGP_ERR_CEASE, BGP_CEASE_ADMIN_SHUTDOWN);
	cr_assert_str_eq(pair->side[1].peer.stats.last_received.note.text, "back at noon");
	cr_assert(pair->side[0].peer.stats.last_reset_by_us);
	cr_assert_eq(pair->side[0].peer.stats.last_reset_note.note.subcode,
		     BGP_CEASE_ADMIN_SHUTDOWN);
	cr_assert_not(pair->side[1].peer.stats.last_reset_by_us);
	cr_assert_str_eq(pair->side[1].peer.stats.last_reset_note.note.text, "back at noon");
	pair_run(pair, 600);
	cr_assert_eq(state_of(pair, 0), FSM_IDLE);
	cr_assert_eq(pair->side[0].established, 1);
	pair_start(pair, 0);
	pair_run(pair, 120);
	cr_assert(pair_is_joined(pair));
	free(pair);
}

Test(peer, fail_restarts_when_told)
{
	struct pair *pair = joined_pair(NULL, NULL);
	struct mono failed = pair->clock.now;
	struct bgp_error error;

	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIXES, "too many", NULL, 0);
	peer_fail(&pair->side[0].peer, &error, 300000, &pair->clock);
	pair_run(pair, 290);
	cr_assert_eq(state_of(pair, 0), FSM_IDLE);
	cr_assert_eq(peer_next_timer(&pair->side[0].peer).usec, failed.usec + 300000000);
	pair_run(pair, 200);
	cr_assert(pair_is_joined(pair));
	free(pair);
}

/* RFC 4724 5: a restarting peer's new connection replaces the old one, and the routes stay. */
Test(peer, restarted_peer_is_taken_back_at_once)
{
	struct fsm_config a = pair_config(0), b = pair_config(1);
	struct pair *pair;

	a.open.caps.graceful_restart = b.open.caps.graceful_restart = true;
	a.open.caps.gr_time = b.open.caps.gr_time = 120;
	a.open.caps.gr_families = b.open.caps.gr_families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	pair = joined_pair(&a, &b);
	cr_assert(peer_params(&pair->side[0].peer)->peer_gr);
	pair_advance(pair, 10000000);
	pair_settle(pair);
	pair_restart(pair, 1, &b);
	cr_assert(pair_settle(pair));
	cr_assert_eq(pair->side[0].downs, 1);
	cr_assert(pair->side[0].last_down.graceful);
	cr_assert_not(pair->side[0].last_down.note_sent);
	cr_assert(pair_is_joined(pair));
	free(pair);
}

/* RFC 4271 6.8: without graceful restart an Established connection is not given up for a new one. */
Test(peer, established_connection_wins_over_a_newcomer)
{
	struct pair *pair = joined_pair(NULL, NULL);
	struct bgp_peer *peer = &pair->side[0].peer;

	if (peer->up == BGP_CONN_THEIRS) {
		cr_assert_not(peer_wants(peer, &pair->clock));
	} else {
		cr_assert(peer_wants(peer, &pair->clock));
		peer_accepted(peer, &pair->clock);
	}
	cr_assert(peer->is_up);
	cr_assert_eq(pair->side[0].downs, 0);
	free(pair);
}

Test(peer, lost_connection_is_graceful_only_with_the_capability)
{
	struct pair *pair = joined_pair(NULL, NULL);

	while (!pair->side[0].downs)
		pair_cut(pair);
	cr_assert_not(pair->side[0].last_down.graceful);
	cr_assert_str_eq(pair->side[0].last_down.reason, "cut");
	cr_assert_str_eq(pair->side[0].peer.stats.last_reset, "cut");
	cr_assert_eq(pair->side[0].peer.stats.last_reset_note.wall_usec, 0);
	free(pair);
}

/* --- refresh and counters --------------------------------------------------------------------- */

/* RFC 8538: between two that know it, an error is graceful and an administrative end is a hard reset. */
static struct pair *notified_pair(void)
{
	struct fsm_config a = pair_config(0), b = pair_config(1);
	struct pair *pair;

	for (unsigned int i = 0; i < 2; i++) {
		struct bgp_caps *caps = i ? &b.open.caps : &a.open.caps;

		caps->graceful_restart = caps->gr_notification = true;
		caps->gr_families = caps->families;
	}
	pair = new_pair(&a, &b);
	pair_start(pair, 0);
	pair_start(pair, 1);
	pair_run(pair, 30);
	cr_assert(pair_is_joined(pair));
	return pair;
}

Test(peer, an_error_is_graceful_where_both_know_notification_restart)
{
	struct pair *pair = notified_pair();
	struct bgp_error error;

	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_CONFIG_CHANGE, "changed", NULL, 0);
	peer_fail(&pair->side[0].peer, &error, 0, &pair->clock);
	pair_settle(pair);
	cr_assert(pair->side[0].last_down.graceful);
	cr_assert(pair->side[1].last_down.graceful);
	cr_assert_not(pair->side[1].peer.stats.last_received.note.hard_reset);
	free(pair);
}

Test(peer, an_administrative_end_is_a_hard_reset)
{
	struct pair *pair = notified_pair();
	const struct bgp_notification *note = &pair->side[1].peer.stats.last_received.note;
	struct bgp_error error;

	bgp_error_set_shutdown(&error, BGP_CEASE_ADMIN_SHUTDOWN, "for good");
	pair_stop(pair, 0, &error);
	pair_settle(pair);
	cr_assert_not(pair->side[0].last_down.graceful);
	cr_assert_not(pair->side[1].last_down.graceful);
	cr_assert(note->hard_reset);
	cr_assert_eq(note->code, BGP_ERR_CEASE);
	cr_assert_eq(note->subcode, BGP_CEASE_ADMIN_SHUTDOWN);
	cr_assert_str_eq(note->text, "for good");
	free(pair);
}

Test(peer, refresh_reaches_the_owner_for_families_in_force_only)
{
	static const uint8_t v4[] = { MARKER, 0, 23, 5, 0, 1, 0, 1 };
	static const uint8_t v6[] = { MARKER, 0, 23, 5, 0, 2, 0, 1 };
	static const uint8_t borr[] = { MARKER, 0, 23, 5, 0, 1, 1, 1 };
	struct pair *pair = joined_pair(NULL, NULL);

	pair_inject(pair, 0, v4, sizeof(v4));
	pair_inject(pair, 0, v6, sizeof(v6));
	pair_inject(pair, 0, borr, sizeof(borr));
	cr_assert(pair_settle(pair));
	cr_assert_eq(pair->side[1].refreshes, 1);
	cr_assert_eq(pair->side[1].peer.stats.msgs_in[BGP_MSG_ROUTE_REFRESH], 3);
	cr_assert(pair_is_joined(pair));
	free(pair);
}

Test(peer, messages_are_counted_on_both_sides)
{
	struct fsm_config a = pair_config(0);
	struct pair *pair;

	a.passive = true; /* one connection, nothing lost in a collision */
	pair = joined_pair(&a, NULL);
	for (unsigned int i = 0; i < 5; i++)
		pair_send_update(pair, 0);
	cr_assert(pair_settle(pair));
	cr_assert_eq(pair->side[1].updates, 5);
	for (unsigned int type = 1; type < BGP_MSG_TYPE_MAX; type++)
		cr_assert_eq(pair->side[0].peer.stats.msgs_out[type],
			     pair->side[1].peer.stats.msgs_in[type]);
	cr_assert_eq(pair->side[1].peer.stats.msgs_in[BGP_MSG_UPDATE], 5);
	cr_assert_eq(pair->side[1].peer.stats.outcomes[BGP_ACCEPT], 5);
	cr_assert_eq(pair->side[0].peer.stats.octets_out, pair->side[1].peer.stats.octets_in);
	free(pair);
}
