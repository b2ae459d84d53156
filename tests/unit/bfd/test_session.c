// SPDX-License-Identifier: GPL-2.0-only
/*
 * One BFD session against RFC 5880 6: each of our states with each state that the peer may say, the
 * timers, Poll Sequences, Demand mode of the peer, sequences of authentication.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "bfd/bfd_session.h"

#define OURS   0x11110001u
#define THEIRS 0x22220002u
#define MSEC   1000u

static const struct mono start = { .usec = 50000000 };

static struct bfd_session_config config_of(uint32_t tx_ms, uint32_t rx_ms, uint8_t multiplier)
{
	return (struct bfd_session_config){ .min_tx_usec = tx_ms * MSEC,
					    .min_rx_usec = rx_ms * MSEC,
					    .multiplier = multiplier };
}

static struct bfd_packet heard(enum bfd_state state)
{
	return (struct bfd_packet){ .state = state,
				    .multiplier = 3,
				    .my_discr = THEIRS,
				    .your_discr = OURS,
				    .min_tx_usec = 20 * MSEC,
				    .min_rx_usec = 20 * MSEC };
}

static struct mono at(uint32_t msec)
{
	return mono_add_msec(start, msec);
}

static unsigned int feed(struct bfd_session *session, const struct bfd_packet *packet,
			 struct mono now)
{
	unsigned int change;

	cr_assert_eq(bfd_session_receive(session, packet, now, &change), BFD_DISCARD_NONE);
	return change;
}

static unsigned int say(struct bfd_session *session, enum bfd_state state, uint32_t msec)
{
	struct bfd_packet packet = heard(state);

	return feed(session, &packet, at(msec));
}

/* The packet that is due, which there has to be. */
static struct bfd_packet sent(struct bfd_session *session, uint32_t msec)
{
	static uint8_t buf[BFD_PACKET_MAX];
	struct bfd_packet packet = { 0 };
	size_t len = bfd_session_transmit(session, at(msec), 0, buf);

	cr_assert_eq(bfd_packet_decode(buf, len, &packet), BFD_DISCARD_NONE, "nothing was due");
	return packet;
}

static bool silent(struct bfd_session *session, uint32_t msec)
{
	uint8_t buf[BFD_PACKET_MAX];

	return !bfd_session_transmit(session, at(msec), 0, buf);
}

static struct bfd_session session_new_in(enum bfd_state state)
{
	struct bfd_session_config config = config_of(10, 10, 3);
	struct bfd_session session;

	config.admin_down = state == BFD_ADMIN_DOWN;
	bfd_session_init(&session, &config, OURS, start, 0);
	if (state == BFD_INIT || state == BFD_UP)
		say(&session, BFD_DOWN, 0);
	if (state == BFD_UP)
		say(&session, BFD_INIT, 0);
	cr_assert_eq(session.state, state);
	return session;
}

/* Up, the Poll Sequence of coming up is over, and everything said. */
static struct bfd_session session_settled(void)
{
	struct bfd_session session = session_new_in(BFD_UP);
	struct bfd_packet final = heard(BFD_UP);

	final.final = true;
	cr_assert(sent(&session, 0).poll);
	feed(&session, &final, at(0));
	cr_assert_eq(session.poll, BFD_POLL_NONE);
	return session;
}

Test(bfd_session, each_state_with_each_state_of_the_peer)
{
	static const struct {
		enum bfd_state ours, theirs, becomes;
		uint8_t diag;
	} rows[] = {
		{ BFD_DOWN, BFD_ADMIN_DOWN, BFD_DOWN, 0 },
		{ BFD_DOWN, BFD_DOWN, BFD_INIT, 0 },
		{ BFD_DOWN, BFD_INIT, BFD_UP, 0 },
		{ BFD_DOWN, BFD_UP, BFD_DOWN, 0 },
		{ BFD_INIT, BFD_ADMIN_DOWN, BFD_DOWN, BFD_DIAG_NEIGHBOUR_DOWN },
		{ BFD_INIT, BFD_DOWN, BFD_INIT, 0 },
		{ BFD_INIT, BFD_INIT, BFD_UP, 0 },
		{ BFD_INIT, BFD_UP, BFD_UP, 0 },
		{ BFD_UP, BFD_ADMIN_DOWN, BFD_DOWN, BFD_DIAG_NEIGHBOUR_DOWN },
		{ BFD_UP, BFD_DOWN, BFD_DOWN, BFD_DIAG_NEIGHBOUR_DOWN },
		{ BFD_UP, BFD_INIT, BFD_UP, 0 },
		{ BFD_UP, BFD_UP, BFD_UP, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bfd_session session = session_new_in(rows[i].ours);
		unsigned int change = say(&session, rows[i].theirs, 1);

		cr_expect_eq(session.state, rows[i].becomes, "%s hears %s: %s",
			     bfd_state_name(rows[i].ours), bfd_state_name(rows[i].theirs),
			     bfd_state_name(session.state));
		cr_expect_eq(session.diag, rows[i].diag, "row %zu", i);
		cr_expect_eq(!!(change & BFD_CHANGED_STATE), rows[i].ours != rows[i].becomes);
		cr_expect_eq(session.remote_state, rows[i].theirs);
	}
}

Test(bfd_session, administratively_down_hears_nothing)
{
	for (enum bfd_state theirs = 0; theirs < BFD_STATE_MAX; theirs++) {
		struct bfd_session session = session_new_in(BFD_ADMIN_DOWN);
		struct bfd_packet packet = heard(theirs);
		unsigned int change;

		cr_expect_eq(bfd_session_receive(&session, &packet, at(1), &change),
			     BFD_DISCARD_ADMIN_DOWN);
		cr_expect_eq(session.state, BFD_ADMIN_DOWN);
		cr_expect_eq(change, BFD_SAME);
		cr_expect_eq(sent(&session, 1).diag, BFD_DIAG_ADMIN_DOWN);
	}
}

Test(bfd_session, detection_time_in_each_state)
{
	for (enum bfd_state state = BFD_DOWN; state < BFD_STATE_MAX; state++) {
		struct bfd_session session = session_new_in(state);
		unsigned int change;

		say(&session,
		    state == BFD_DOWN   ? BFD_UP
		    : state == BFD_INIT ? BFD_DOWN
					: BFD_UP,
		    5);
		/* three times the larger of what the peer sends and what we accept: 3 * 20 ms */
		cr_expect_eq(bfd_session_detection_usec(&session), 60 * MSEC);
		cr_expect_eq(bfd_session_check(&session, at(64)), BFD_SAME);
		cr_expect_eq(session.remote_discr, THEIRS);
		change = bfd_session_check(&session, at(65));
		cr_expect_eq(change, state == BFD_DOWN ? BFD_SAME : BFD_CHANGED_STATE);
		cr_expect_eq(session.state, BFD_DOWN);
		cr_expect_eq(session.diag, state == BFD_DOWN ? 0 : BFD_DIAG_TIME_EXPIRED);
		cr_expect_eq(session.remote_discr, 0, "6.8.1");
		cr_expect_eq(bfd_session_check(&session, at(10000)), BFD_SAME);
	}
}

Test(bfd_session, what_the_kernel_heard_counts)
{
	struct bfd_session session = session_settled();

	bfd_session_heard(&session, at(50));
	cr_assert_eq(bfd_session_check(&session, at(109)), BFD_SAME);
	bfd_session_heard(&session, at(20)); /* no way back */
	cr_assert_eq(bfd_session_check(&session, at(109)), BFD_SAME);
	cr_assert_eq(bfd_session_check(&session, at(110)), BFD_CHANGED_STATE);
	bfd_session_heard(&session, at(111));
	cr_assert_eq(session.state, BFD_DOWN);
	cr_assert_not(mono_is_set(session.last_rx));
}

Test(bfd_session, is_slow_until_it_is_up)
{
	struct bfd_session session = session_new_in(BFD_DOWN);
	struct bfd_packet packet = sent(&session, 0);

	cr_assert_eq(packet.state, BFD_DOWN);
	cr_assert_eq(packet.your_discr, 0);
	cr_assert_eq(packet.min_tx_usec, BFD_SLOW_USEC);
	cr_assert_eq(packet.min_rx_usec, 10 * MSEC);
	cr_assert_eq(bfd_session_interval_usec(&session), BFD_SLOW_USEC);
	cr_assert(silent(&session, 999)); /* random 0: nothing is taken off */
	cr_assert_eq(bfd_session_due(&session).usec, at(1000).usec);
	sent(&session, 1000);
	say(&session, BFD_INIT, 1001);
	packet = sent(&session, 1001);
	cr_assert_eq(packet.state, BFD_UP);
	cr_assert(packet.poll, "other intervals than before");
	cr_assert_eq(packet.your_discr, THEIRS);
	cr_assert_eq(packet.min_tx_usec, 10 * MSEC);
	cr_assert_eq(bfd_session_interval_usec(&session), 20 * MSEC, "the peer accepts no more");
}

Test(bfd_session, jitter_is_10_to_25_percent_with_multiplier_1_else_0_to_25)
{
	for (uint8_t multiplier = 1; multiplier <= 3; multiplier += 2) {
		struct bfd_session_config config = config_of(100, 100, multiplier);
		struct bfd_session session;
		uint64_t least = UINT64_MAX, most = 0;
		uint8_t buf[BFD_PACKET_MAX];

		bfd_session_init(&session, &config, OURS, start, 0);
		for (uint64_t random = 0; random <= UINT32_MAX; random += UINT32_MAX / 255) {
			session.next_tx = start;
			cr_assert(bfd_session_transmit(&session, start, (uint32_t)random, buf));
			least = least < session.next_tx.usec ? least : session.next_tx.usec;
			most = most > session.next_tx.usec ? most : session.next_tx.usec;
		}
		cr_expect_geq(least - start.usec, 750 * MSEC);
		cr_expect_leq(least - start.usec, 752 * MSEC);
		cr_expect_eq(most - start.usec, multiplier == 1 ? 900 * MSEC : 1000 * MSEC);
	}
}

Test(bfd_session, a_poll_is_answered_at_once_without_poll)
{
	struct bfd_session session = session_settled();
	struct bfd_packet poll = heard(BFD_UP), answer;

	sent(&session, 30);
	cr_assert(silent(&session, 31));
	poll.poll = true;
	feed(&session, &poll, at(31));
	answer = sent(&session, 31);
	cr_assert(answer.final && !answer.poll);
	cr_assert(silent(&session, 31));
}

Test(bfd_session, poll_goes_on_until_it_is_answered)
{
	struct bfd_session session = session_new_in(BFD_UP);
	struct bfd_packet both = heard(BFD_UP);

	cr_assert(sent(&session, 0).poll);
	cr_assert(sent(&session, 20).poll);
	both.poll = true; /* the peer polls as well: first the answer, then our question again */
	feed(&session, &both, at(21));
	cr_assert(sent(&session, 21).final);
	cr_assert(sent(&session, 21).poll);
	both.poll = false;
	both.final = true;
	feed(&session, &both, at(22));
	cr_assert_not(sent(&session, 42).poll);
}

Test(bfd_session, a_longer_interval_waits_for_the_answer)
{
	struct bfd_session session = session_settled();
	struct bfd_session_config slower = config_of(500, 10, 3);
	struct bfd_packet final = heard(BFD_UP), packet;

	cr_assert_eq(bfd_session_reconfigure(&session, &slower), BFD_SAME);
	packet = sent(&session, 1);
	cr_assert(packet.poll);
	cr_assert_eq(packet.min_tx_usec, 500 * MSEC);
	cr_assert_eq(bfd_session_interval_usec(&session), 20 * MSEC, "6.8.3");
	final.final = true;
	feed(&session, &final, at(2));
	cr_assert_eq(bfd_session_interval_usec(&session), 500 * MSEC);
}

Test(bfd_session, a_shorter_detection_time_waits_for_the_answer)
{
	struct bfd_session session = session_settled();
	struct bfd_packet final = heard(BFD_UP);
	struct bfd_session_config longer = config_of(10, 300, 3), shorter = config_of(10, 10, 3);

	bfd_session_reconfigure(&session, &longer);
	cr_assert_eq(bfd_session_detection_usec(&session), 900 * MSEC, "longer at once");
	sent(&session, 1);
	final.final = true;
	feed(&session, &final, at(2));
	bfd_session_reconfigure(&session, &shorter);
	cr_assert_eq(bfd_session_detection_usec(&session), 900 * MSEC, "6.8.3");
	sent(&session, 3);
	feed(&session, &final, at(4));
	cr_assert_eq(bfd_session_detection_usec(&session), 60 * MSEC);
}

Test(bfd_session, values_that_change_in_a_poll_need_another)
{
	struct bfd_session session = session_settled();
	struct bfd_packet final = heard(BFD_UP);
	struct bfd_session_config slower = config_of(300, 10, 3), slowest = config_of(500, 10, 3);

	final.final = true;
	bfd_session_reconfigure(&session, &slower);
	sent(&session, 1);
	bfd_session_reconfigure(&session, &slowest);
	feed(&session, &final, at(2)); /* may answer the first */
	cr_assert_eq(bfd_session_interval_usec(&session), 20 * MSEC);
	cr_assert(sent(&session, 2).poll);
	feed(&session, &final, at(3));
	cr_assert_eq(bfd_session_interval_usec(&session), 500 * MSEC);
}

Test(bfd_session, a_peer_that_can_hear_less_is_heard_at_once)
{
	struct bfd_session session = session_settled();
	struct bfd_packet slow = heard(BFD_UP), fast = heard(BFD_UP);

	slow.min_rx_usec = 1000 * MSEC;
	cr_assert(feed(&session, &slow, at(1)) & BFD_CHANGED_PARAMS);
	sent(&session, 20);
	cr_assert(silent(&session, 1000));
	cr_assert(feed(&session, &fast, at(100)) & BFD_CHANGED_PARAMS);
	cr_assert_eq(feed(&session, &fast, at(101)), BFD_SAME);
	sent(&session, 120); /* 6.8.2: not at 1,020 */
}

Test(bfd_session, no_periodic_packets_to_a_peer_that_wants_none)
{
	struct bfd_session session = session_settled();
	struct bfd_packet none = heard(BFD_UP);

	none.min_rx_usec = 0;
	feed(&session, &none, at(1));
	cr_assert(silent(&session, 5000));
	none.poll = true;
	feed(&session, &none, at(5001));
	cr_assert(sent(&session, 5001).final, "but answers (6.8.7)");
	cr_assert(silent(&session, 9000));
}

Test(bfd_session, demand_mode_of_the_peer)
{
	struct bfd_session session = session_settled();
	struct bfd_packet demand = heard(BFD_UP), answer;

	demand.demand = true;
	cr_assert(feed(&session, &demand, at(1)) & BFD_CHANGED_PARAMS);
	cr_assert(silent(&session, 5000), "6.8.7: cease");
	demand.poll = true;
	feed(&session, &demand, at(5001));
	answer = sent(&session, 5001);
	cr_assert(answer.final && !answer.demand);
}

Test(bfd_session, a_change_of_state_goes_out_at_once)
{
	struct bfd_session session = session_settled();
	struct bfd_session_config config = config_of(10, 10, 3);
	struct bfd_packet packet;

	config.admin_down = true;
	sent(&session, 25);
	cr_assert_eq(bfd_session_reconfigure(&session, &config), BFD_CHANGED_STATE);
	packet = sent(&session, 26);
	cr_assert_eq(packet.state, BFD_ADMIN_DOWN);
	cr_assert_eq(packet.diag, BFD_DIAG_ADMIN_DOWN);
	config.admin_down = false;
	cr_assert_eq(bfd_session_reconfigure(&session, &config), BFD_CHANGED_STATE);
	cr_assert_eq(sent(&session, 27).state, BFD_DOWN);
}

Test(bfd_session, another_discriminator_is_not_ours)
{
	struct bfd_session session = session_settled();
	struct bfd_packet packet = heard(BFD_DOWN);
	unsigned int change;

	packet.your_discr = OURS + 1;
	cr_assert_eq(bfd_session_receive(&session, &packet, at(1), &change),
		     BFD_DISCARD_YOUR_DISCR);
	cr_assert_eq(session.state, BFD_UP);
	cr_assert_eq(session.stats.discarded[BFD_DISCARD_YOUR_DISCR], 1);
}

Test(bfd_session, a_peer_that_began_anew_is_taken_down)
{
	struct bfd_session session = session_settled();
	struct bfd_packet packet = heard(BFD_DOWN);

	packet.your_discr = 0; /* it knows us no more */
	packet.my_discr = THEIRS + 1;
	cr_assert(feed(&session, &packet, at(1)) & BFD_CHANGED_STATE);
	cr_assert_eq(session.state, BFD_DOWN);
	cr_assert_eq(session.remote_discr, THEIRS + 1);
}

/* --- authentication --------------------------------------------------------------------------------- */

static struct bfd_key key_of(enum bfd_auth type)
{
	return (struct bfd_key){ .type = type, .id = 1, .len = 3, .secret = "abc" };
}

static enum bfd_discard feed_signed(struct bfd_session *session, const struct bfd_key *key,
				    uint32_t sequence, uint32_t msec)
{
	struct bfd_packet packet = heard(BFD_DOWN), decoded;
	uint8_t buf[BFD_PACKET_MAX];
	unsigned int change;
	size_t len;

	packet.sequence = sequence;
	len = bfd_packet_encode(&packet, key, buf);
	cr_assert_eq(bfd_packet_decode(buf, len, &decoded), BFD_DISCARD_NONE);
	return bfd_session_receive(session, &decoded, at(msec), &change);
}

static struct bfd_session session_with(enum bfd_auth type)
{
	struct bfd_session_config config = config_of(10, 10, 3);
	struct bfd_session session;

	config.key = key_of(type);
	bfd_session_init(&session, &config, OURS, start, 0xffffffff);
	return session;
}

Test(bfd_session, type_key_and_digest_have_to_be_ours)
{
	for (enum bfd_auth type = BFD_AUTH_PASSWORD; type < BFD_AUTH_MAX; type++) {
		struct bfd_session session = session_with(type);
		struct bfd_key none = { 0 }, other = key_of(type), id = key_of(type);

		other.secret[0] = 'x';
		id.id = 2;
		cr_expect_eq(feed_signed(&session, &none, 1, 0), BFD_DISCARD_AUTH_TYPE);
		cr_expect_eq(feed_signed(&session, &other, 1, 0), BFD_DISCARD_AUTH_DIGEST);
		cr_expect_eq(feed_signed(&session, &id, 1, 0), BFD_DISCARD_AUTH_KEY);
		cr_expect_eq(session.state, BFD_DOWN);
	}
}

Test(bfd_session, unasked_authentication_is_discarded)
{
	struct bfd_session session = session_with(BFD_AUTH_NONE);
	struct bfd_key key = key_of(BFD_AUTH_SHA1);

	cr_assert_eq(feed_signed(&session, &key, 1, 0), BFD_DISCARD_AUTH_TYPE);
}

Test(bfd_session, sequences)
{
	for (enum bfd_auth type = BFD_AUTH_MD5; type < BFD_AUTH_MAX; type++) {
		struct bfd_session session = session_with(type);
		struct bfd_key key = key_of(type);
		bool meticulous =
			type == BFD_AUTH_METICULOUS_MD5 || type == BFD_AUTH_METICULOUS_SHA1;

		cr_expect_eq(feed_signed(&session, &key, 0xfffffffe, 0), BFD_DISCARD_NONE);
		cr_expect_eq(feed_signed(&session, &key, 0xfffffffe, 1),
			     meticulous ? BFD_DISCARD_AUTH_SEQUENCE : BFD_DISCARD_NONE, "%s again",
			     bfd_auth_name(type));
		cr_expect_eq(feed_signed(&session, &key, 7, 2), BFD_DISCARD_NONE, "9 ahead");
		cr_expect_eq(feed_signed(&session, &key, 6, 3), BFD_DISCARD_AUTH_SEQUENCE);
		cr_expect_eq(feed_signed(&session, &key, 17, 4), BFD_DISCARD_AUTH_SEQUENCE,
			     "10 ahead");
		cr_expect_eq(feed_signed(&session, &key, 17, 121), BFD_DISCARD_AUTH_SEQUENCE);
		/* 6.8.1: twice the detection time after the last one */
		cr_expect_eq(feed_signed(&session, &key, 1000, 122), BFD_DISCARD_NONE);
	}
}

Test(bfd_session, our_sequence_rises_with_each_packet)
{
	struct bfd_session session = session_with(BFD_AUTH_METICULOUS_SHA1);
	uint32_t first = sent(&session, 0).sequence;

	cr_assert_eq(sent(&session, 1000).sequence, (uint32_t)(first + 1));
}

Test(bfd_session, counters)
{
	struct bfd_session session = session_settled();

	sent(&session, 30);
	bfd_session_check(&session, at(500));
	cr_assert_eq(session.stats.ups, 1);
	cr_assert_eq(session.stats.downs, 1);
	cr_assert_eq(session.stats.sent, 2);
	cr_assert_eq(session.stats.received, 3);
}
