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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fsm_config a = pair_config(0), b = pair_config(1);
	struct pair *pair = malloc(sizeof(*pair));

	if (!pair || size < 2)
		goto out;
	a.passive = data[0] & 1;
	b.delay_open_ms = data[0] & 2 ? 2000 : 0;
	a.open.caps.graceful_restart = b.open.caps.graceful_restart = data[0] & 4;
	a.open.caps.gr_notification = b.open.caps.gr_notification = data[0] & 8;
	a.open.caps.extended_message = b.open.caps.extended_message = data[0] & 16;
	a.open.caps.enhanced_refresh = b.open.caps.enhanced_refresh = data[0] & 32;
	b.policy.needed = data[0] & 32 ? BGP_NEED_ENH_REFRESH : 0;
	pair_init(pair, &a, &b, data[1] + 1);
	for (size_t i = 2; i < size; i++) {
		uint8_t op = data[i];
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
			i += inject(pair, index, data + i + 1, size - i - 1);
			break;
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
		default:
			pair_deliver(pair);
		}
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
