// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two peers under random scripts: segmentation, lost connections, simultaneous connects, stops, resets and
 * corrupted octets in any order. Whatever happened, when the network is calm again both are Established
 * on one and the same connection and stay so, and no NOTIFICATION ever had a code that the script does
 * not explain.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "bgp/peer.h"
#include "pair.h"

#define STEPS 400
#define CALM_SEC \
	600 /* enough for the longest back-off (60 s), OpenSent's hold time (240 s), and more */

#define CODE(n) (1u << (n))

enum chaos {
	CHAOS_NETWORK, /* cuts, unreachability, silence, stops, resets */
	CHAOS_CORRUPT, /* and flipped bits */
};

static unsigned int runs(void)
{
	const char *text = getenv("XRS_MODEL_RUNS");

	return text ? (unsigned int)atoi(text) : 400;
}

static void restart_peer(struct pair *pair, unsigned int index)
{
	struct bgp_error error;

	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_ADMIN_RESET, "reset", NULL, 0);
	pair_stop(pair, index, &error);
	if (pair_random(pair) % 4)
		pair_start(pair, index);
}

static void fail_peer(struct pair *pair, unsigned int index)
{
	struct bgp_error error;

	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIXES, "too many", NULL, 0);
	peer_fail(&pair->side[index].peer, &error, pair_random(pair) % 3000, &pair->clock);
}

static void step(struct pair *pair, enum chaos chaos)
{
	uint32_t dice = pair_random(pair) % 100;
	unsigned int index = pair_random(pair) & 1;

	if (dice < 55)
		pair_deliver(pair);
	else if (dice < 75)
		pair_advance(pair, 1 + pair_random(pair) % 20000000);
	else if (dice < 80)
		pair_cut(pair);
	else if (dice < 82)
		pair->reachable = !pair->reachable;
	else if (dice < 85)
		restart_peer(pair, index);
	else if (dice < 87)
		fail_peer(pair, index);
	else if (dice < 90)
		pair_start(pair, index);
	else if (dice < 96)
		pair_send_update(pair, index);
	else if (chaos == CHAOS_CORRUPT)
		pair_corrupt(pair);
}

static void check_calm(struct pair *pair, uint64_t seed)
{
	unsigned int updates, downs;

	pair->reachable = true;
	pair_start(pair, 0);
	pair_start(pair, 1);
	pair_run(pair, CALM_SEC);
	cr_assert(pair_is_joined(pair), "seed %llu: %s and %s after the calm",
		  (unsigned long long)seed, fsm_state_name(peer_state(&pair->side[0].peer, NULL)),
		  fsm_state_name(peer_state(&pair->side[1].peer, NULL)));
	downs = pair->side[0].downs + pair->side[1].downs;
	updates = pair->side[1].updates;
	for (unsigned int i = 0; i < 10; i++)
		pair_send_update(pair, 0);
	pair_run(pair, 600);
	cr_assert_eq(pair->side[1].updates, updates + 10, "seed %llu", (unsigned long long)seed);
	cr_assert_eq(pair->side[0].downs + pair->side[1].downs, downs, "seed %llu",
		     (unsigned long long)seed);
	for (unsigned int i = 0; i < 2; i++)
		cr_assert_eq(pair->side[i].established, pair->side[i].downs + 1);
}

static void run_pair(uint64_t seed, enum chaos chaos, const struct fsm_config *a,
		     const struct fsm_config *b)
{
	uint32_t allowed = CODE(BGP_ERR_CEASE) | CODE(BGP_ERR_HOLD_TIMER);
	struct pair *pair = malloc(sizeof(*pair));

	pair_init(pair, a, b, seed);
	pair_start(pair, 0);
	pair_start(pair, 1);
	for (unsigned int i = 0; i < STEPS; i++)
		step(pair, chaos);
	if (chaos == CHAOS_NETWORK)
		for (unsigned int i = 0; i < 2; i++)
			cr_assert_eq(pair->side[i].codes & ~allowed, 0, "seed %llu: codes %#x",
				     (unsigned long long)seed, pair->side[i].codes);
	check_calm(pair, seed);
	free(pair);
}

static void run_one(uint64_t seed, enum chaos chaos, bool passive, uint32_t delay_open_ms, bool gr)
{
	struct fsm_config a = pair_config(0), b = pair_config(1);

	a.passive = passive;
	b.delay_open_ms = delay_open_ms;
	a.open.caps.graceful_restart = b.open.caps.graceful_restart = gr;
	a.open.caps.gr_time = b.open.caps.gr_time = 120;
	run_pair(seed, chaos, &a, &b);
}

/* Any of the capabilities, by the bits of @seed; roles are counterparts (RFC 9234). */
static void offer(struct fsm_config *config, uint64_t seed, uint8_t role)
{
	struct bgp_caps *caps = &config->open.caps;

	caps->families |= seed & 1 ? BGP_FAMILY_BIT(BGP_IPV6_UNICAST) : 0;
	caps->as4 = seed & 2;
	caps->enhanced_refresh = seed & 4;
	caps->extended_message = seed & 8;
	caps->ext_next_hop = seed & 16 ? BGP_FAMILY_BIT(BGP_IPV4_UNICAST) : 0;
	caps->add_path[BGP_IPV4_UNICAST] = (uint8_t)(seed >> 5 & 3);
	caps->graceful_restart = seed & 128;
	caps->gr_notification = seed & 256;
	caps->gr_time = 120;
	caps->gr_families = caps->gr_forwarding = caps->families;
	caps->llgr = seed & 512;
	caps->llgr_families = caps->families;
	caps->llgr_time[BGP_IPV4_UNICAST] = 3600;
	caps->has_role = seed & 1024;
	caps->role = role;
	config->open.extended_parameters = seed & 2048;
}

Test(fsm_pair, random_network)
{
	for (unsigned int i = 1; i <= runs(); i++)
		run_one(i, CHAOS_NETWORK, false, 0, false);
}

Test(fsm_pair, random_network_passive_side)
{
	for (unsigned int i = 1; i <= runs(); i++)
		run_one(i * 7919, CHAOS_NETWORK, true, 0, false);
}

Test(fsm_pair, random_network_with_delay_open)
{
	for (unsigned int i = 1; i <= runs(); i++)
		run_one(i * 104729, CHAOS_NETWORK, false, 2000, false);
}

Test(fsm_pair, random_network_with_graceful_restart)
{
	for (unsigned int i = 1; i <= runs(); i++)
		run_one(i * 1299709, CHAOS_NETWORK, false, 0, true);
}

Test(fsm_pair, random_network_and_corruption)
{
	for (unsigned int i = 1; i <= runs(); i++)
		run_one(i * 15485863, CHAOS_CORRUPT, false, 0, (i & 1) != 0);
}

Test(fsm_pair, random_network_with_any_capabilities)
{
	for (unsigned int i = 1; i <= runs(); i++) {
		uint64_t seed = i * 2654435761u;
		struct fsm_config a = pair_config(0), b = pair_config(1);

		offer(&a, seed >> 7, BGP_ROLE_PROVIDER);
		offer(&b, seed >> 19, BGP_ROLE_CUSTOMER);
		run_pair(seed, i & 1 ? CHAOS_CORRUPT : CHAOS_NETWORK, &a, &b);
	}
}
