// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two BFD sessions joined by memory and a fake clock. Random scripts of loss, delay, one-way cuts, changed
 * intervals, administrative downs and restarts of one side, then three promises:
 *   a calm network brings both Up, with the intervals that each asked for in force;
 *   nothing goes Down while every packet arrives in time, whatever is reconfigured meanwhile;
 *   a cut is noticed by both within the detection time, never before.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bfd/bfd_session.h"

#define IN_FLIGHT 64
#define CALM_USEC 20000000u

struct flight {
	struct mono arrives;
	unsigned int to;
	size_t len;
	uint8_t octets[BFD_PACKET_MAX];
};

struct world {
	uint64_t seed;
	struct mono now;
	struct bfd_session side[2];
	struct flight flights[IN_FLIGHT];
	unsigned int n_flights;
	unsigned int loss_percent;
	uint32_t delay_usec;    /* at most; less than any margin that a session has */
	bool cut[2];            /* towards this side */
	struct mono arrival[2]; /* the last one: packets overtake none, as on one path */
	uint32_t discr;
};

static uint32_t dice(struct world *w, uint32_t below)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w->seed >> 33) % below;
}

static unsigned int runs(void)
{
	const char *text = getenv("XRS_MODEL_RUNS");

	return text ? (unsigned int)atoi(text) : 150;
}

static struct bfd_session_config random_config(struct world *w, const struct bfd_key *key)
{
	static const uint32_t intervals[] = { 10000, 50000, 100000, 300000, 1000000, 2000000 };

	return (struct bfd_session_config){
		.min_tx_usec = intervals[dice(w, 6)],
		.min_rx_usec = intervals[dice(w, 6)],
		.multiplier = (uint8_t)(2 + dice(w, 4)),
		.key = *key,
	};
}

static void begin(struct world *w, unsigned int side, const struct bfd_session_config *config)
{
	bfd_session_init(&w->side[side], config, ++w->discr, w->now, dice(w, UINT32_MAX));
}

static void launch(struct world *w, unsigned int to, const uint8_t *octets, size_t len)
{
	struct flight *flight;

	if (w->cut[to] || dice(w, 100) < w->loss_percent || w->n_flights == IN_FLIGHT)
		return;
	flight = &w->flights[w->n_flights++];
	flight->arrives = mono_add_usec(w->now, w->delay_usec ? dice(w, w->delay_usec) : 0);
	if (mono_before(flight->arrives, w->arrival[to]))
		flight->arrives = w->arrival[to];
	w->arrival[to] = flight->arrives;
	flight->to = to;
	flight->len = len;
	memcpy(flight->octets, octets, len);
}

static void land(struct world *w)
{
	for (unsigned int i = 0; i < w->n_flights; i++) {
		struct flight flight = w->flights[i];
		struct bfd_packet packet;
		unsigned int change;

		if (mono_before(w->now, flight.arrives))
			continue;
		w->n_flights--;
		memmove(&w->flights[i], &w->flights[i + 1],
			(w->n_flights - i) * sizeof(w->flights[0]));
		i--;
		cr_assert_eq(bfd_packet_decode(flight.octets, flight.len, &packet),
			     BFD_DISCARD_NONE);
		bfd_session_receive(&w->side[flight.to], &packet, w->now, &change);
	}
}

static void act(struct world *w)
{
	uint8_t buf[BFD_PACKET_MAX];
	size_t len;

	land(w);
	for (unsigned int i = 0; i < 2; i++) {
		bfd_session_check(&w->side[i], w->now);
		while ((len = bfd_session_transmit(&w->side[i], w->now, dice(w, UINT32_MAX), buf)))
			launch(w, !i, buf, len);
	}
}

/* The next moment at which anything happens. */
static struct mono next(const struct world *w)
{
	struct mono when = { .usec = UINT64_MAX };

	for (unsigned int i = 0; i < 2; i++) {
		struct mono due = bfd_session_due(&w->side[i]);

		if (mono_is_set(due) && mono_before(due, when))
			when = due;
	}
	for (unsigned int i = 0; i < w->n_flights; i++) {
		if (mono_before(w->flights[i].arrives, when))
			when = w->flights[i].arrives;
	}
	return mono_before(when, w->now) ? w->now : when;
}

static void run(struct world *w, uint64_t usec)
{
	struct mono end = mono_add_usec(w->now, usec);

	act(w);
	while (mono_before(next(w), end)) {
		w->now = next(w);
		act(w);
	}
	w->now = end;
	act(w);
}

static void chaos(struct world *w, const struct bfd_key *key)
{
	unsigned int side = dice(w, 2);
	struct bfd_session_config config = random_config(w, key);

	switch (dice(w, 7)) {
	case 0:
		w->cut[side] = !w->cut[side];
		break;
	case 1:
		begin(w, side, &config);
		break;
	case 2:
		config.admin_down = dice(w, 2);
		bfd_session_reconfigure(&w->side[side], &config);
		break;
	default:
		bfd_session_reconfigure(&w->side[side], &config);
		break;
	}
	run(w, dice(w, 3000000));
}

static void calm(struct world *w)
{
	w->loss_percent = 0;
	w->cut[0] = w->cut[1] = false;
	for (unsigned int i = 0; i < 2; i++) {
		struct bfd_session_config config = w->side[i].config;

		config.admin_down = false;
		bfd_session_reconfigure(&w->side[i], &config);
	}
	run(w,
	    2 * CALM_USEC); /* two seconds of detection time for a sequence to be forgotten, and more */
}

static void check_up(const struct world *w, uint64_t seed)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct bfd_session *us = &w->side[i], *peer = &w->side[!i];

		cr_assert_eq(us->state, BFD_UP, "seed %lu side %u", seed, i);
		cr_assert_eq(us->poll, BFD_POLL_NONE, "seed %lu", seed);
		cr_assert_eq(us->remote_discr, peer->local_discr);
		cr_assert_eq(us->min_tx_in_force, us->config.min_tx_usec);
		cr_assert_eq(us->min_rx_in_force, us->config.min_rx_usec);
		cr_assert_eq(bfd_session_detection_usec(us),
			     peer->config.multiplier * bfd_session_interval_usec(peer));
	}
}

static void world_init(struct world *w, uint64_t seed, struct bfd_key *ret_key)
{
	struct bfd_session_config config;

	*w = (struct world){ .seed = seed * 2654435761u + 1, .now = { .usec = 1000000 } };
	*ret_key = (struct bfd_key){
		.type = dice(w, BFD_AUTH_MAX), .id = 1, .len = 6, .secret = "secret"
	};
	for (unsigned int i = 0; i < 2; i++) {
		config = random_config(w, ret_key);
		begin(w, i, &config);
	}
}

Test(bfd_pair, comes_up_after_whatever_happened)
{
	for (uint64_t seed = 0; seed < runs(); seed++) {
		struct bfd_key key;
		struct world w;

		world_init(&w, seed, &key);
		w.delay_usec = 4000;
		w.loss_percent = dice(&w, 60);
		for (unsigned int i = 0; i < 30; i++)
			chaos(&w, &key);
		calm(&w);
		check_up(&w, seed);
	}
}

Test(bfd_pair, nothing_goes_down_while_packets_arrive)
{
	for (uint64_t seed = 0; seed < runs(); seed++) {
		struct bfd_session_config config;
		struct bfd_key key;
		struct world w;

		world_init(&w, seed, &key);
		w.delay_usec = 2000;
		calm(&w);
		check_up(&w, seed);
		for (unsigned int i = 0; i < 20; i++) {
			config = random_config(&w, &key);
			bfd_session_reconfigure(&w.side[dice(&w, 2)], &config);
			run(&w, dice(&w, 4000000));
		}
		run(&w, CALM_USEC);
		check_up(&w, seed);
		cr_assert_eq(w.side[0].stats.downs + w.side[1].stats.downs, 0, "seed %lu", seed);
	}
}

Test(bfd_pair, a_cut_is_noticed_in_the_detection_time)
{
	for (uint64_t seed = 0; seed < runs(); seed++) {
		struct bfd_key key;
		struct world w;
		uint64_t longest = 0;

		world_init(&w, seed, &key);
		calm(&w);
		w.cut[0] = w.cut[1] = true;
		for (unsigned int i = 0; i < 2; i++) {
			struct mono deadline = mono_add_usec(
				w.side[i].last_rx, bfd_session_detection_usec(&w.side[i]));
			uint64_t left = mono_since_usec(deadline, w.now);

			longest = left > longest ? left : longest;
		}
		run(&w, longest);
		for (unsigned int i = 0; i < 2; i++) {
			cr_assert_eq(w.side[i].state, BFD_DOWN, "seed %lu side %u", seed, i);
			cr_assert_eq(w.side[i].diag, BFD_DIAG_TIME_EXPIRED);
			cr_assert_eq(w.side[i].stats.downs, 1);
		}
	}
}
