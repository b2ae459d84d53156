/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set of IPv4 prefixes for the bench: exact, and cheap enough that counting a million of them does not
 * show in what is measured. Up to /24 a prefix is one bit: (1 << len | top bits) is a number below 2^25,
 * in chunks that are allocated when they are touched. Longer ones stand in a small hash table.
 */
#ifndef XRS_BENCH_BGP_SET_H
#define XRS_BENCH_BGP_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SET_CHUNK_BITS 15
#define SET_CHUNKS     (1u << (25 - SET_CHUNK_BITS))

struct route {
	uint32_t addr; /* host order, host bits clear */
	uint8_t len;
};

struct prefix_set {
	uint64_t *chunks[SET_CHUNKS];
	uint64_t *longer; /* addr << 8 | len of those beyond /24; 0: empty, 1: deleted */
	size_t n_longer, used, mask;
	size_t count;
};

/* True when that changed the set. Both end the program when memory is out. */
bool set_add(struct prefix_set *set, struct route route);
bool set_del(struct prefix_set *set, struct route route);
void set_clear(struct prefix_set *set);

#endif
