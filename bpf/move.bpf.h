/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Routes that lead to another group, changed where they stand. An update of a trie replaces the whole node: memory is
 * allocated and the old one freed after a grace period, half of the time of a million changes. A lookup gives
 * the value itself; what a packet reads of it is one word, before or after.
 *
 * Called by user/fib/fib_move.c through test runs, the way to let a program work without a packet; on no interface.
 */
#ifndef XRS_MOVE_BPF_H
#define XRS_MOVE_BPF_H

#include "trie.bpf.h"

/* Written by xrsd before each run, read by it afterwards. */
struct xrs_moves xrs_moves;

/* The lookup may have met a shorter prefix, and another kind is more than one word: neither is for us. */
__attribute__((noinline)) int xrs_move_one(__u32 i)
{
	struct xrs_move *move;
	struct xrs_route *route;
	void *trie;

	if (i >= XRS_MOVES)
		return 0;
	move = &xrs_moves.move[i];
	trie = xrs_trie(xrs_moves.family, xrs_moves.table);
	if (!trie)
		return 0;
	route = xrs_moves.family == 6 ? xrs_trie_match6(trie, move->prefix_len, move->addr)
				      : xrs_trie_match4(trie, move->prefix_len, move->addr);
	if (!route || route->prefix_len != move->prefix_len || route->kind != move->route.kind)
		return 0;
	*(volatile __u32 *)&route->group = move->route.group;
	route->source = move->route.source;
	route->generation = move->route.generation;
	move->done = 1;
	return 0;
}

#endif
