// SPDX-License-Identifier: GPL-2.0-only
/* Two peers joined by memory; see pair.h. Nothing here asserts: the tests do. */
#include "pair.h"

#include <string.h>

#include "bgp/update_encode.h"

#define SETTLE_MAX 100000

uint32_t pair_random(struct pair *pair)
{
	/* xorshift64*: small, and the same everywhere */
	pair->seed ^= pair->seed >> 12;
	pair->seed ^= pair->seed << 25;
	pair->seed ^= pair->seed >> 27;
	return (uint32_t)(pair->seed * 2685821657736338717ull >> 32);
}

static const struct bgp_clock *tick_clock(struct pair *pair)
{
	pair->clock.random = pair_random(pair);
	return &pair->clock;
}

static enum bgp_conn_side side_of(const struct pair_conn *conn, unsigned int index)
{
	return conn->initiator == index ? BGP_CONN_OURS : BGP_CONN_THEIRS;
}

/* --- what a peer asks of its world ----------------------------------------------------------- */

static struct pair_conn *conn_of(struct pair_peer *side, enum bgp_conn_side which)
{
	return side->conn[which] < 0 ? NULL : &side->pair->conn[side->conn[which]];
}

static void put(struct pair_peer *side, struct pair_conn *conn, const void *data, size_t len)
{
	struct pair_end *far = &conn->end[!side->index];

	if (len > PAIR_PIPE - far->in_len)
		return;
	memcpy(far->in + far->in_len, data, len);
	far->in_len += len;
}

static void op_send(void *ctx, enum bgp_conn_side which, enum bgp_msg_type type, const uint8_t *msg,
		    size_t len)
{
	struct pair_peer *side = ctx;
	struct pair_conn *conn = conn_of(side, which);

	if (conn)
		put(side, conn, msg, len);
}

static struct pair_conn *free_conn(struct pair *pair)
{
	for (unsigned int i = 0; i < PAIR_CONNS; i++) {
		struct pair_conn *conn = &pair->conn[i];

		if (!conn->used || (!conn->end[0].open && !conn->end[1].open))
			return conn;
	}
	return NULL;
}

static void op_connect(void *ctx)
{
	struct pair_peer *side = ctx;
	struct pair_conn *conn = free_conn(side->pair);

	if (!conn) {
		peer_lost(&side->peer, BGP_CONN_OURS, "no room", tick_clock(side->pair));
		return;
	}
	memset(conn, 0, sizeof(*conn));
	conn->used = true;
	conn->initiator = side->index;
	conn->end[0].open = conn->end[1].open = true;
	side->conn[BGP_CONN_OURS] = (int)(conn - side->pair->conn);
}

static void op_close(void *ctx, enum bgp_conn_side which)
{
	struct pair_peer *side = ctx;
	struct pair_conn *conn = conn_of(side, which);

	if (!conn)
		return;
	conn->end[side->index].open = false;
	/* A connection attempt that is given up never reaches the other side. */
	if (!conn->end[!side->index].known)
		conn->end[!side->index].open = false;
	side->conn[which] = -1;
}

static void op_established(void *ctx, enum bgp_conn_side which,
			   const struct bgp_session_params *params)
{
	struct pair_peer *side = ctx;

	side->established++;
}

static void op_down(void *ctx, const struct bgp_peer_down *down)
{
	struct pair_peer *side = ctx;

	side->downs++;
	side->last_down = *down;
}

static void op_update(void *ctx, const struct bgp_update *update)
{
	struct pair_peer *side = ctx;

	side->updates++;
}

static void op_refresh(void *ctx, const struct bgp_route_refresh *refresh)
{
	struct pair_peer *side = ctx;

	side->refreshes++;
}

static void op_notification(void *ctx, enum bgp_conn_side which, bool sent,
			    const struct bgp_notification *note, const char *reason)
{
	struct pair_peer *side = ctx;

	if (!sent) {
		side->notes_received++;
		return;
	}
	side->notes_sent++;
	side->last_code = note->code;
	side->last_subcode = note->subcode;
	side->codes |= 1u << (note->code & 31);
}

static const struct bgp_peer_ops ops = {
	.send = op_send,
	.connect = op_connect,
	.close = op_close,
	.established = op_established,
	.down = op_down,
	.update = op_update,
	.refresh = op_refresh,
	.notification = op_notification,
};

/* --- set-up ---------------------------------------------------------------------------------- */

struct fsm_config pair_config(unsigned int index)
{
	uint16_t asn = (uint16_t)(65001 + index);
	uint32_t id = 0x0a000001 + index;

	return (struct fsm_config){
		.open = { .version = BGP_VERSION,
			  .my_as = asn,
			  .hold_time = 90,
			  .id = id,
			  .caps = { .families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST),
				    .multiprotocol = true,
				    .route_refresh = true,
				    .as4 = true,
				    .asn = asn } },
		.policy = { .local_asn = asn,
			    .local_id = id,
			    .peer_asn = 65001 + !index,
			    .hold_time = 90,
			    .keepalive_time = 30 },
		.notify_without_open = true,
		.connect_retry_ms = 5000,
		.idle_hold_ms = 1000,
		.idle_hold_max_ms = 60000,
		.large_hold_ms = 240000,
		.damp = true,
	};
}

static void init_side(struct pair *pair, unsigned int index, const struct fsm_config *config)
{
	static const struct bgp_update_limits no_limits;
	struct pair_peer *side = &pair->side[index];

	memset(side, 0, sizeof(*side));
	side->pair = pair;
	side->index = index;
	side->conn[0] = side->conn[1] = -1;
	peer_init(&side->peer, config, &no_limits, &ops, side);
}

void pair_init(struct pair *pair, const struct fsm_config *a, const struct fsm_config *b,
	       uint64_t seed)
{
	memset(pair, 0, sizeof(*pair));
	pair->seed = seed ? seed : 1;
	pair->clock.now.usec = 1000000000;
	pair->clock.wall_usec = 1700000000000000;
	pair->reachable = true;
	init_side(pair, 0, a);
	init_side(pair, 1, b);
}

void pair_restart(struct pair *pair, unsigned int index, const struct fsm_config *config)
{
	for (unsigned int i = 0; i < PAIR_CONNS; i++) {
		pair->conn[i].end[index].open = false;
		/* What the other side was never told of, it does not wait for. */
		if (!pair->conn[i].end[!index].known && pair->conn[i].initiator == index)
			pair->conn[i].end[!index].open = false;
		pair->conn[i].dead = true;
	}
	init_side(pair, index, config);
	pair_start(pair, index);
}

void pair_start(struct pair *pair, unsigned int index)
{
	peer_start(&pair->side[index].peer, tick_clock(pair));
}

void pair_stop(struct pair *pair, unsigned int index, const struct bgp_error *error)
{
	peer_stop(&pair->side[index].peer, error, tick_clock(pair));
}

/* --- the network ----------------------------------------------------------------------------- */

static void lose(struct pair *pair, unsigned int index, struct pair_conn *conn, const char *why)
{
	struct pair_peer *side = &pair->side[index];
	enum bgp_conn_side which = side_of(conn, index);

	if (conn->end[index].open && side->conn[which] == (int)(conn - pair->conn))
		peer_lost(&side->peer, which, why, tick_clock(pair));
	conn->end[index].open = false;
	if (!conn->end[!index].known)
		conn->end[!index].open = false;
}

static void tell_initiator(struct pair *pair, unsigned int index, struct pair_conn *conn)
{
	conn->end[index].known = true;
	if (pair->reachable)
		peer_connected(&pair->side[index].peer, tick_clock(pair));
	else
		lose(pair, index, conn, "refused");
}

static void tell_acceptor(struct pair *pair, unsigned int index, struct pair_conn *conn)
{
	struct pair_peer *side = &pair->side[index];

	conn->end[index].known = true;
	if (!peer_wants(&side->peer, tick_clock(pair))) {
		conn->end[index].open = false;
		return;
	}
	side->conn[BGP_CONN_THEIRS] = (int)(conn - pair->conn);
	peer_accepted(&side->peer, tick_clock(pair));
}

/* A segment of random size arrives; whole messages go to the peer. */
static void deliver_octets(struct pair *pair, unsigned int index, struct pair_conn *conn)
{
	struct pair_peer *side = &pair->side[index];
	struct pair_end *end = &conn->end[index];
	enum bgp_conn_side which = side_of(conn, index);
	size_t n = 1 + pair_random(pair) % end->in_len;
	size_t done = 0, took;

	if (n > PAIR_PIPE - end->rx_len)
		n = PAIR_PIPE - end->rx_len;
	memcpy(end->rx + end->rx_len, end->in, n);
	end->rx_len += n;
	end->in_len -= n;
	memmove(end->in, end->in + n, end->in_len);
	do {
		took = peer_receive(&side->peer, which, end->rx + done, end->rx_len - done,
				    tick_clock(pair));
		done += took;
	} while (took && end->open && done < end->rx_len);
	end->rx_len -= done;
	memmove(end->rx, end->rx + done, end->rx_len);
}

/* One thing that can happen at this end; false: nothing. */
static bool deliver_at(struct pair *pair, unsigned int index, struct pair_conn *conn)
{
	struct pair_end *end = &conn->end[index];
	struct pair_end *far = &conn->end[!index];

	if (!conn->used || conn->dead || !end->open)
		return false;
	if (!end->known && index == conn->initiator)
		tell_initiator(pair, index, conn);
	else if (!end->known && !far->known)
		return false;
	else if (!end->known)
		tell_acceptor(pair, index, conn);
	else if (end->in_len)
		deliver_octets(pair, index, conn);
	else if (!far->open && far->known)
		lose(pair, index, conn, "closed by the peer");
	else
		return false;
	return true;
}

bool pair_deliver(struct pair *pair)
{
	unsigned int first = pair_random(pair) % (2 * PAIR_CONNS);

	for (unsigned int i = 0; i < 2 * PAIR_CONNS; i++) {
		unsigned int at = (first + i) % (2 * PAIR_CONNS);

		if (deliver_at(pair, at & 1, &pair->conn[at / 2]))
			return true;
	}
	return false;
}

bool pair_settle(struct pair *pair)
{
	for (unsigned int i = 0; i < SETTLE_MAX; i++)
		if (!pair_deliver(pair))
			return true;
	return false;
}

void pair_advance(struct pair *pair, uint64_t usec)
{
	struct mono limit = mono_add_usec(pair->clock.now, usec);
	struct mono first = limit;

	for (unsigned int i = 0; i < 2; i++) {
		struct mono at = peer_next_timer(&pair->side[i].peer);

		if (mono_is_set(at) && mono_before(at, first))
			first = at;
	}
	if (mono_before(pair->clock.now, first)) {
		pair->clock.wall_usec += first.usec - pair->clock.now.usec;
		pair->clock.now = first;
	}
	for (unsigned int i = 0; i < 2; i++)
		peer_tick(&pair->side[i].peer, tick_clock(pair));
}

void pair_run(struct pair *pair, unsigned int sec)
{
	struct mono until = mono_add_sec(pair->clock.now, sec);

	while (mono_before(pair->clock.now, until)) {
		pair_settle(pair);
		pair_advance(pair, until.usec - pair->clock.now.usec);
	}
	pair_settle(pair);
}

void pair_cut(struct pair *pair)
{
	struct pair_conn *conn = &pair->conn[pair_random(pair) % PAIR_CONNS];

	if (!conn->used)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		conn->end[i].in_len = 0;
		if (conn->end[i].known)
			lose(pair, i, conn, "cut");
	}
}

static struct pair_conn *live_conn(struct pair *pair, unsigned int index)
{
	struct pair_peer *side = &pair->side[index];
	enum bgp_conn_side which;

	peer_state(&side->peer, &which);
	return conn_of(side, which);
}

void pair_inject(struct pair *pair, unsigned int index, const void *data, size_t len)
{
	struct pair_conn *conn = live_conn(pair, index);

	if (conn)
		put(&pair->side[index], conn, data, len);
}

void pair_corrupt(struct pair *pair)
{
	struct pair_conn *conn = &pair->conn[pair_random(pair) % PAIR_CONNS];
	struct pair_end *end = &conn->end[pair_random(pair) & 1];
	uint32_t at = pair_random(pair);

	if (end->in_len)
		end->in[at / 8 % end->in_len] ^= (uint8_t)(1u << (at & 7));
}

void pair_send_update(struct pair *pair, unsigned int index)
{
	uint8_t msg[64];
	int len = bgp_update_encode_eor(BGP_IPV4_UNICAST, msg, sizeof(msg));

	if (len <= 0 || !pair->side[index].peer.is_up)
		return;
	peer_count_sent(&pair->side[index].peer, msg, (size_t)len);
	pair_inject(pair, index, msg, (size_t)len);
}

bool pair_is_joined(const struct pair *pair)
{
	const struct pair_peer *a = &pair->side[0], *b = &pair->side[1];
	unsigned int open = 0;

	for (unsigned int i = 0; i < PAIR_CONNS; i++)
		open += pair->conn[i].used &&
			(pair->conn[i].end[0].open || pair->conn[i].end[1].open);
	return a->peer.is_up && b->peer.is_up && open == 1 &&
	       a->conn[a->peer.up] == b->conn[b->peer.up];
}
