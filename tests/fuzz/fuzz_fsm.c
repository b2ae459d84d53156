// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes two joined peers: the input is a script, one octet an event, some followed by octets that are put
 * on the wire. Aborts when an invariant breaks: a peer that is up has exactly one Established connection,
 * an Idle side has none, and after the script both find each other again.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/peer.h"
#include "pair.h"

static void check(const struct pair *pair)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct bgp_peer *peer = &pair->side[i].peer;
		unsigned int up = 0;

		for (unsigned int side = 0; side < BGP_CONN_MAX; side++) {
			const struct bgp_conn *conn = &peer->conn[side];

			up += conn->fsm.state == FSM_ESTABLISHED;
			if (conn->open && conn->fsm.state == FSM_IDLE)
				abort();
			if (!conn->open && conn->fsm.state >= FSM_OPENSENT)
				abort();
		}
		if (up != peer->is_up)
			abort();
	}
}

static size_t inject(struct pair *pair, unsigned int index, const uint8_t *data, size_t left)
{
	size_t len = left ? data[0] : 0;

	if (len > left - (left ? 1 : 0))
		len = left ? left - 1 : 0;
	pair_inject(pair, index, data + 1, len);
	return len + 1;
}

static void stop(struct pair *pair, unsigned int index, uint8_t op)
{
	struct bgp_error error;

	bgp_error_set(&error, op & 0x10 ? BGP_ERR_CEASE : 0, BGP_CEASE_ADMIN_RESET, "fuzz", NULL,
		      0);
	pair_stop(pair, index, &error);
}

/* The owner's reason to close (maximum prefixes, BFD down), with an end of its own or the usual back-off. */
static void fail(struct pair *pair, unsigned int index, uint8_t op)
{
	struct bgp_error error;

	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIXES, "fuzz", NULL, 0);
	peer_fail(&pair->side[index].peer, &error, op & 0x10 ? 1000u << (op >> 5 & 3) : 0,
		  &pair->clock);
}

static void set_hold_time(struct fsm_config *config, uint16_t seconds)
{
	config->open.hold_time = config->policy.hold_time = seconds;
	config->policy.keepalive_time = seconds / 3;
}

/* The process dies without a word and starts again; nobody delivers what was on the way. */
static void restart(struct pair *pair, unsigned int index)
{
	struct fsm_config config = pair->side[index].peer.conn[BGP_CONN_OURS].config;

	config.passive = pair->side[index].peer.passive;
	pair_restart(pair, index, &config);
}

/* A configuration that changes while sessions are up: the next connection begins with it. */
static void configure(struct pair *pair, unsigned int index, uint8_t op, uint16_t hold_time)
{
	static const struct bgp_update_limits limits = { .max_as_path = 4 };
	struct fsm_config config = pair->side[index].peer.conn[BGP_CONN_OURS].config;

	config.passive = !index && op & 0x10;
	set_hold_time(&config, hold_time && op & 0x20 ? 9 : hold_time);
	config.open.caps.multiprotocol = config.open.caps.as4 = !(op & 0x40);
	peer_configure(&pair->side[index].peer, &config, &limits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * One event; returns how many octets beyond the first belong to it. Without a hold timer nothing ends a
 * connection whose other side died or whose messages are broken, so that then neither happens.
 */
static size_t event(struct pair *pair, const uint8_t *data, size_t left, uint16_t hold_time)
{
	uint8_t op = data[0];
	unsigned int index = op >> 7;

	switch (op & 0x0f) {
	case 0:
		pair_start(pair, index);
		break;
	case 1:
		stop(pair, index, op);
		break;
	case 2:
		pair_cut(pair);
		break;
	case 3:
		pair->reachable = !pair->reachable;
		break;
	case 4:
		return hold_time ? inject(pair, index, data + 1, left - 1) : 0;
	case 5:
		pair_send_update(pair, index);
		break;
	case 6:
		peer_send_hold(&pair->side[index].peer, op >> 6 & 1, &pair->clock);
		break;
	case 7:
	case 8:
		pair_advance(pair, 1ull << (op >> 4 & 7) << 18);
		break;
	case 9:
		if (hold_time)
			pair_corrupt(pair);
		break;
	case 10:
		fail(pair, index, op);
		break;
	case 11:
		configure(pair, index, op, hold_time);
		break;
	case 12:
		if (hold_time)
			restart(pair, index);
		break;
	default:
		pair_deliver(pair);
	}
	return 0;
}

static void configure_both(struct fsm_config *a, struct fsm_config *b, uint8_t choice,
			   uint16_t hold_time)
{
	*a = pair_config(0);
	*b = pair_config(1);
	a->passive = choice & 1;
	b->delay_open_ms = choice & 2 ? 2000 : 0;
	a->open.caps.graceful_restart = b->open.caps.graceful_restart = choice & 4;
	a->open.caps.gr_notification = b->open.caps.gr_notification = choice & 8;
	a->open.caps.extended_message = b->open.caps.extended_message = choice & 16;
	a->open.caps.enhanced_refresh = b->open.caps.enhanced_refresh = choice & 32;
	b->policy.needed = choice & 32 ? BGP_NEED_ENH_REFRESH : 0;
	set_hold_time(a, hold_time);
	set_hold_time(b, hold_time);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t hold_time = size && data[0] & 64 ? 0 : 90;
	struct pair *pair = malloc(sizeof(*pair));
	struct fsm_config a, b;

	if (!pair || size < 2)
		goto out;
	configure_both(&a, &b, data[0], hold_time);
	pair_init(pair, &a, &b, data[1] + 1);
	for (size_t i = 2; i < size; i++) {
		i += event(pair, data + i, size - i, hold_time);
		check(pair);
	}
	pair->reachable = true;
	pair_start(pair, 0);
	pair_start(pair, 1);
	pair_run(pair, 600);
	check(pair);
	if (!pair_is_joined(pair))
		abort();
out:
	free(pair);
	return 0;
}
