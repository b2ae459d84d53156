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

#include "maps.bpf.h"

/* Written by xrsd before each run, read by it afterwards. */
struct xrs_moves xrs_moves;

XRS_INLINE struct xrs_route *xrs_move_find4(const struct xrs_move *move, __u32 table)
{
	void *trie = bpf_map_lookup_elem(&xrs_table, &table);
	struct xrs_key4 key;

	key.prefixlen = move->prefix_len;
	__builtin_memcpy(key.addr, move->addr, sizeof(key.addr));
	return trie ? bpf_map_lookup_elem(trie, &key) : NULL;
}

XRS_INLINE struct xrs_route *xrs_move_find6(const struct xrs_move *move, __u32 table)
{
	void *trie = bpf_map_lookup_elem(&xrs_table6, &table);
	struct xrs_key6 key;

	key.prefixlen = move->prefix_len;
	__builtin_memcpy(key.addr, move->addr, sizeof(key.addr));
	return trie ? bpf_map_lookup_elem(trie, &key) : NULL;
}

/* The lookup may have met a shorter prefix, and another kind is more than one word: neither is for us. */
__attribute__((noinline)) int xrs_move_one(__u32 i)
{
	struct xrs_move *move;
	struct xrs_route *route;

	if (i >= XRS_MOVES)
		return 0;
	move = &xrs_moves.move[i];
	route = xrs_moves.family == 6 ? xrs_move_find6(move, xrs_moves.table)
				      : xrs_move_find4(move, xrs_moves.table);
	if (!route || route->prefix_len != move->prefix_len || route->kind != move->route.kind)
		return 0;
	*(volatile __u32 *)&route->group = move->route.group;
	route->source = move->route.source;
	route->generation = move->route.generation;
	move->done = 1;
	return 0;
}

#endif
