// SPDX-License-Identifier: GPL-2.0-only
/*
 * Routes that are in a trie already and lead to another group: changed where they stand, by a program
 * (bpf/move.bpf.h). Called by fib_routes.c, which writes in the usual way what was not changed here.
 */
#include "fib_maps_impl.h"

#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <string.h>

#define LEAST 16 /* fewer are not worth a run */

/* The program once, over what stands in maps->schema.moves. */
static int run(const struct fib_maps *maps)
{
	uint8_t frame[ETH_ZLEN] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));

	return bpf_prog_test_run_opts(maps->schema.move_prog, &opts);
}

static void put(struct xrs_move *move, const struct fib_route *route)
{
	*move = (struct xrs_move){ .prefix_len = route->prefix.len, .route = route->value };
	memcpy(move->addr, route->prefix.addr.bytes, sizeof(move->addr));
}

/* So many from @routes on, or as many as one run takes; how many it looked at. */
static uint32_t move_some(struct fib_maps *maps, struct fib_route *routes, uint32_t n, bool *done)
{
	struct xrs_moves *moves = maps->schema.moves;
	uint32_t of[XRS_MOVES], at;

	moves->n = 0;
	for (at = 0; at < n && moves->n < XRS_MOVES; at++) {
		if (routes[at].fresh)
			continue;
		of[moves->n] = at;
		put(&moves->move[moves->n++], &routes[at]);
	}
	if (!moves->n)
		return at;
	if (run(maps)) {
		maps->schema.moves = NULL; /* no such luck: never again */
		return n;
	}
	for (uint32_t i = 0; i < moves->n; i++) {
		done[of[i]] = moves->move[i].done;
		maps->moved += moves->move[i].done;
	}
	return at;
}

void fib_move(struct fib_maps *maps, uint32_t table, bool v6, struct fib_route *routes, uint32_t n,
	      bool *done)
{
	uint32_t at = 0;

	memset(done, 0, n * sizeof(*done));
	if (n < LEAST)
		return;
	while (at < n && maps->schema.moves) {
		maps->schema.moves->table = table;
		maps->schema.moves->family = v6 ? 6 : 4;
		at += move_some(maps, routes + at, n - at, done + at);
	}
}
