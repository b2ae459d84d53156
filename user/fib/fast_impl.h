/* SPDX-License-Identifier: GPL-2.0-only */
/* fast_nodes.c, for fib_fast.c: words, places and nodes of the derived structure; dataplane.h draws them. */
#ifndef XRS_USER_FIB_FAST_IMPL_H
#define XRS_USER_FIB_FAST_IMPL_H

#include <string.h>

#include "fib/fib_fast.h"

typedef unsigned __int128 bits128;

#define PAGE_UNITS       (XRS_FAST_PAGE / XRS_FAST_UNIT)
#define PAGE_WORDS       (XRS_FAST_PAGE / sizeof(uint32_t))
#define DENSE_WORDS      (1u << XRS_FAST_DENSE_BITS)
#define DENSE_UNITS      (DENSE_WORDS * sizeof(uint32_t) / XRS_FAST_UNIT)
#define START_MAX        0x7fffffffu
#define ROUTE_OCTETS     8 /* of a route of the Internet beside the root, measured, rounded up */
#define RUNS_MAX         (DENSE_WORDS + 2) /* of a node, after one change */
#define INDEX_UNITS      (DENSE_WORDS * sizeof(uint16_t) / XRS_FAST_UNIT)
#define INDEX_LEAST      5 /* ranges; fewer are one comparison */
#define NARROW_START_MAX 0x7fffu
#define DICT_HASH_BITS   15 /* twice the dictionary */

/* Units of a node by size class. A range node of n pairs takes n units. */
static const uint8_t class_units[] = { 1, 2, 3, 4, 6, 8, 12, 16 };
#define CLASSES (sizeof(class_units) / sizeof(*class_units))

struct held {
	uint32_t unit, class;
};

struct fib_fast {
	enum ip_family family;
	unsigned int root_bits;
	uint8_t *base;
	uint32_t pages, pages_used;
	uint32_t otherwise;
	uint32_t dict_n;
	uint16_t *dict_hash;    /* 1 + a leaf's number, by its hash; NULL: no dictionary */
	uint32_t free[CLASSES]; /* first free unit of a class, which names the next; 0: none */
	uint32_t dense, ranges, index;
	bool hold, full;
	struct held *held;
	size_t n_held, cap_held, held_units;
};

struct run { /* from `start` to the next run's start, in a list that covers a region */
	uint32_t start, word;
};

struct runs { /* a list that grows */
	struct run *run;
	size_t n, cap;
	bool failed;
};

/* --- words and bits ------------------------------------------------------------------------------------- */
static inline bool is_node(uint32_t word)
{
	return word & XRS_FAST_NODE;
}

static inline bool is_dense(uint32_t word)
{
	return is_node(word) && (word & XRS_FAST_INDEX) == XRS_FAST_DENSE;
}

static inline bool is_narrow(uint32_t word)
{
	return is_node(word) && (word & XRS_FAST_INDEX) == XRS_FAST_NARROW;
}

static inline bool is_index(uint32_t word)
{
	return is_node(word) && (word & XRS_FAST_INDEX) == XRS_FAST_INDEX;
}

/* The address at the top of 128 bits, whatever its family: bit 0 is the first of the address. */
static inline bits128 to_bits(const struct ip_addr *addr)
{
	bits128 value = 0;

	for (int i = 0; i < 16; i++)
		value = value << 8 | addr->bytes[i];
	return value;
}

/* @n (0 to 31) bits of @addr from bit @at. */
static inline uint32_t cut(bits128 addr, unsigned int at, unsigned int n)
{
	return n ? (uint32_t)(addr << at >> (128 - n)) : 0;
}

/* Where the segment that holds bit @at ends. */
static inline unsigned int segment_end(const struct fib_fast *fast, unsigned int at)
{
	static const uint8_t ends[] = { 17, 48, 79, 110, 128 };
	unsigned int i = 0;

	if (fast->family == IP_V4)
		return 32;
	while (ends[i] <= at && ends[i] < 128)
		i++;
	return ends[i];
}

/* --- headers and starts -------------------------------------------------------------------------------- */
/* A word of 64 bits is stored as such: which half of it comes first in memory is the machine's affair. */
static inline uint64_t load_pair(const uint32_t *at)
{
	uint64_t pair;

	memcpy(&pair, at, sizeof(pair));
	return pair;
}

static inline void store_pair(uint32_t *at, uint64_t pair)
{
	memcpy(at, &pair, sizeof(pair));
}

static inline unsigned int node_pairs(const uint32_t *node)
{
	return load_pair(node) & 0xff;
}

static inline unsigned int node_width(const uint32_t *node)
{
	return load_pair(node) >> 8 & 0xff;
}

static inline unsigned int node_ranges(const uint32_t *node)
{
	return load_pair(node) >> 16 & 0xff;
}

static inline uint32_t *node_words(uint32_t *node)
{
	return node + 2 * node_pairs(node);
}

static inline uint32_t load_start(const uint32_t *node, unsigned int i)
{
	return (uint32_t)(load_pair(node + (i & ~1u)) >> (32 * (i & 1)));
}

static inline unsigned int narrow_fours(const uint32_t *node)
{
	return load_pair(node) & 0xf;
}

static inline unsigned int narrow_width(const uint32_t *node)
{
	return load_pair(node) >> 4 & 0xf;
}

static inline unsigned int narrow_ranges(const uint32_t *node)
{
	return load_pair(node) >> 8 & 0x3f;
}

static inline uint16_t *narrow_numbers(uint32_t *node)
{
	return (uint16_t *)(void *)(node + 2 * narrow_fours(node));
}

static inline uint32_t narrow_start(const uint32_t *node, unsigned int i)
{
	return load_pair(node + 2 * (i / 4)) >> (16 * (i % 4)) & 0x7fff;
}

/* --- places ------------------------------------------------------------------------------------------ */
static inline uint32_t *at_unit(const struct fib_fast *fast, uint32_t unit)
{
	return (uint32_t *)(void *)(fast->base + (size_t)unit * XRS_FAST_UNIT);
}

static inline uint32_t *node_at(const struct fib_fast *fast, uint32_t word)
{
	return at_unit(fast, word & XRS_FAST_WHERE);
}

static inline uint32_t *root(const struct fib_fast *fast)
{
	return (uint32_t *)(void *)fast->base;
}

static inline uint32_t *dict(const struct fib_fast *fast)
{
	return root(fast) + (1u << fast->root_bits);
}

static inline uint16_t *index_numbers(const struct fib_fast *fast, uint32_t word)
{
	return (uint16_t *)(void *)node_at(fast, word);
}

/* --- runs ------------------------------------------------------------------------------------------------ */
/* Adds a run to a list of @n; neighbours with the same leaf are one. */
static inline size_t push(struct run *runs, size_t n, uint32_t start, uint32_t word)
{
	if (n && runs[n - 1].word == word && !is_node(word))
		return n;
	runs[n] = (struct run){ start, word };
	return n + 1;
}

/* How many of @runs, the first in any case, begin below @limit. */
static inline size_t runs_below(const struct run *runs, size_t n, uint64_t limit)
{
	size_t count = 1;

	while (count < n && runs[count].start < limit)
		count++;
	return count;
}

/* The runs that end at @limit; the last of @count goes on beyond it, unless the next begins just there. */
static inline size_t runs_over(const struct run *runs, size_t n, size_t count, uint64_t limit)
{
	return count < n && runs[count].start == limit ? count : count - 1;
}

/* --- fast_nodes.c ---------------------------------------------------------------------------------------- */
/* The root, and the dictionary of those that have one. */
uint32_t fast_root_pages(unsigned int root_bits);
/* A node goes: to those that are free or, while readers may still be in it, to those held. */
void fast_take_out(struct fib_fast *fast, uint32_t word);
/*
 * The leaf's number, a new one if need be. Numbers are never taken back: readers may hold them, and the next
 * copy begins anew. False: a node, or there are no more.
 */
bool fast_dict_number(struct fib_fast *fast, uint32_t leaf, uint16_t *ret_number);
/* The ranges of a node for @width bits. */
size_t fast_read_runs(const struct fib_fast *fast, uint32_t word, unsigned int width,
		      struct run runs[RUNS_MAX]);
/*
 * The word of the region of bits @at to @end whose first address is @base, written anew; @runs cover it. `full`
 * is set when there was no room.
 */
uint32_t fast_build(struct fib_fast *fast, const struct run *runs, size_t n, uint32_t base,
		    unsigned int at, unsigned int end);

#endif
