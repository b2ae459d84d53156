// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes of the derived lookup structure: where they are, how their ranges are read, and how they are written to a
 * new place. Called by fib_fast.c alone; pure. A node that is written is never changed here, but taken out.
 */
#include "fast_impl.h"

#include <stdlib.h>

/* --- memory --------------------------------------------------------------------------------------------- */
uint32_t fast_root_pages(unsigned int root_bits)
{
	uint32_t words = (1u << root_bits) + (root_bits >= XRS_FAST_DICT_ROOT ? XRS_FAST_DICT : 0);

	return (words + PAGE_WORDS - 1) / PAGE_WORDS;
}

static unsigned int class_of(unsigned int units)
{
	unsigned int class = 0;

	while (class_units[class] < units)
		class ++;
	return class;
}

/* Cuts a fresh page into free nodes of one class. */
static bool add_page(struct fib_fast *fast, unsigned int class)
{
	uint32_t first = fast->pages_used * PAGE_UNITS;

	if (fast->pages_used == fast->pages)
		return false;
	fast->pages_used++;
	for (uint32_t n = PAGE_UNITS / class_units[class]; n--;) {
		uint32_t unit = first + n * class_units[class];

		*at_unit(fast, unit) = fast->free[class];
		fast->free[class] = unit;
	}
	return true;
}

/* A node's place; 0, and `full` is set: no pages left. */
static uint32_t take(struct fib_fast *fast, unsigned int units)
{
	unsigned int class = class_of(units);
	uint32_t unit;

	if (!fast->free[class] && !add_page(fast, class)) {
		fast->full = true;
		return 0;
	}
	unit = fast->free[class];
	fast->free[class] = *at_unit(fast, unit);
	return unit;
}

static void put_back(struct fib_fast *fast, uint32_t unit, uint32_t class)
{
	*at_unit(fast, unit) = fast->free[class];
	fast->free[class] = unit;
}

/* Without memory for the list the node is lost to this structure, and comes back with the next copy. */
static void hold(struct fib_fast *fast, uint32_t unit, uint32_t class)
{
	if (fast->n_held == fast->cap_held) {
		size_t cap = fast->cap_held ? 2 * fast->cap_held : 256;
		struct held *held = realloc(fast->held, cap * sizeof(*held));

		if (!held)
			return;
		fast->held = held;
		fast->cap_held = cap;
	}
	fast->held[fast->n_held++] = (struct held){ unit, class };
	fast->held_units += class_units[class];
}

void fast_take_out(struct fib_fast *fast, uint32_t word)
{
	uint32_t unit = word & XRS_FAST_WHERE;
	unsigned int class;

	if (!is_node(word))
		return;
	if (is_dense(word)) {
		fast->dense--;
		class = class_of(DENSE_UNITS);
	} else if (is_index(word)) {
		fast->index--;
		class = class_of(INDEX_UNITS);
	} else {
		fast->ranges--;
		class = class_of(is_narrow(word) ? narrow_fours(node_at(fast, word))
						 : node_pairs(node_at(fast, word)));
	}
	if (fast->hold)
		hold(fast, unit, class);
	else
		put_back(fast, unit, class);
}

void fib_fast_hold(struct fib_fast *fast, bool on)
{
	fast->hold = on;
}

void fib_fast_release(struct fib_fast *fast)
{
	for (size_t i = 0; i < fast->n_held; i++)
		put_back(fast, fast->held[i].unit, fast->held[i].class);
	fast->n_held = fast->held_units = 0;
}

/* --- the dictionary ------------------------------------------------------------------------------------- */
bool fast_dict_number(struct fib_fast *fast, uint32_t leaf, uint16_t *ret_number)
{
	uint32_t at = leaf * 2654435761u >> (32 - DICT_HASH_BITS);

	if (is_node(leaf))
		return false;
	for (; fast->dict_hash[at]; at = (at + 1) & ((1u << DICT_HASH_BITS) - 1)) {
		if (dict(fast)[fast->dict_hash[at] - 1] == leaf) {
			*ret_number = (uint16_t)(fast->dict_hash[at] - 1);
			return true;
		}
	}
	if (fast->dict_n == XRS_FAST_DICT)
		return false;
	*ret_number = (uint16_t)fast->dict_n;
	dict(fast)[fast->dict_n] = leaf;
	fast->dict_hash[at] = (uint16_t)++fast->dict_n;
	return true;
}

/* --- index nodes ---------------------------------------------------------------------------------------- */
static size_t read_index(const struct fib_fast *fast, uint32_t word, unsigned int width,
			 struct run runs[RUNS_MAX])
{
	const uint16_t *numbers = index_numbers(fast, word);
	size_t n = 0;

	for (uint32_t i = 0; i < DENSE_WORDS; i++)
		n = push(runs, n, i << (width - XRS_FAST_DENSE_BITS), dict(fast)[numbers[i]]);
	return n;
}

/* 0: ranges end between two entries, a leaf has no number, or there is no room, and `full` says so. */
static uint32_t write_index(struct fib_fast *fast, const struct run *runs, size_t n, uint32_t base,
			    unsigned int width)
{
	uint16_t numbers[DENSE_WORDS] = { 0 };
	unsigned int shift = width - XRS_FAST_DENSE_BITS;
	size_t run = 0;
	uint32_t unit;

	if (!fast->dict_hash || n < INDEX_LEAST || n > DENSE_WORDS || width < XRS_FAST_DENSE_BITS)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((runs[i].start - base) & ((1u << shift) - 1))
			return 0;
	}
	for (uint32_t i = 0; i < DENSE_WORDS; i++) {
		bool begins = run + 1 < n && runs[run + 1].start - base == i << shift;

		run += begins;
		if (i && !begins)
			numbers[i] = numbers[i - 1];
		else if (!fast_dict_number(fast, runs[run].word, &numbers[i]))
			return 0;
	}
	unit = take(fast, INDEX_UNITS);
	if (!unit)
		return 0;
	memcpy(at_unit(fast, unit), numbers, sizeof(numbers));
	fast->index++;
	return XRS_FAST_NODE | XRS_FAST_INDEX | unit;
}

/* --- range nodes ---------------------------------------------------------------------------------------- */
size_t fast_read_runs(const struct fib_fast *fast, uint32_t word, unsigned int width,
		      struct run runs[RUNS_MAX])
{
	uint32_t *node;
	size_t n;

	if (!is_node(word)) {
		runs[0] = (struct run){ 0, word };
		return 1;
	}
	if (is_index(word))
		return read_index(fast, word, width, runs);
	node = node_at(fast, word);
	if (is_narrow(word)) {
		n = narrow_ranges(node);
		for (unsigned int i = 0; i < n; i++)
			runs[i] = (struct run){ i ? narrow_start(node, i) : 0,
						dict(fast)[narrow_numbers(node)[i]] };
		return n;
	}
	n = node_ranges(node);
	for (unsigned int i = 0; i < n; i++)
		runs[i] = (struct run){ i ? load_start(node, i) : 0, node_words(node)[i] };
	return n;
}

/*
 * The same as a narrow node. 0: it can not be one, or there is no room, and `full` says so.
 */
static uint32_t write_narrow(struct fib_fast *fast, const struct run *runs, size_t n, uint32_t base,
			     unsigned int width)
{
	uint32_t fours = ((uint32_t)n + 3) / 4, unit, *node;
	uint16_t numbers[RUNS_MAX];

	if (!fast->dict_hash || width > XRS_FAST_NARROW_MAX)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!fast_dict_number(fast, runs[i].word, &numbers[i]))
			return 0;
	}
	unit = take(fast, fours);
	if (!unit)
		return 0;
	node = at_unit(fast, unit);
	for (uint32_t four = 0; four < fours; four++) {
		uint64_t starts = four ? 0 : XRS_FAST_NARROW_HEADER(fours, width, (uint64_t)n);

		for (uint32_t i = four ? 0 : 1; i < 4; i++) {
			uint64_t start = 4 * four + i < n ? runs[4 * four + i].start - base
							  : NARROW_START_MAX;

			starts |= start << (16 * i);
		}
		store_pair(node + 2 * four, starts);
	}
	for (uint32_t i = 0; i < 4 * fours; i++)
		((uint16_t *)(void *)(node + 2 * fours))[i] = numbers[i < n ? i : n - 1];
	fast->ranges++;
	return XRS_FAST_NODE | XRS_FAST_NARROW | unit;
}

/* @runs, the first of which may begin before @base, as a node for @width bits from @base on. */
static uint32_t write_ranges(struct fib_fast *fast, const struct run *runs, size_t n, uint32_t base,
			     unsigned int width)
{
	uint32_t pairs = ((uint32_t)n + 1) / 2;
	uint32_t unit = take(fast, pairs);
	uint32_t *node, *words;

	if (!unit)
		return 0;
	node = at_unit(fast, unit);
	words = node + 2 * pairs;
	for (size_t i = 0; i < 2 * pairs; i += 2) {
		uint32_t low =
			i ? runs[i].start - base : XRS_FAST_HEADER(pairs, width, (uint32_t)n);
		uint32_t high = i + 1 < n ? runs[i + 1].start - base : START_MAX;

		store_pair(node + i, (uint64_t)high << 32 | low);
		words[i] = runs[i].word;
		words[i + 1] = i + 1 < n ? runs[i + 1].word : runs[i].word;
	}
	fast->ranges++;
	return XRS_FAST_NODE | unit;
}

/* --- from runs to a region ------------------------------------------------------------------------------ */
static uint32_t build_dense(struct fib_fast *fast, const struct run *runs, size_t n, uint32_t base,
			    unsigned int at, unsigned int end)
{
	unsigned int shift = end - at - XRS_FAST_DENSE_BITS;
	uint32_t unit = take(fast, DENSE_UNITS);

	if (!unit)
		return 0;
	fast->dense++;
	for (uint64_t i = 0; i < DENSE_WORDS; i++) {
		uint64_t limit = base + ((i + 1) << shift);
		size_t count = runs_below(runs, n, limit);

		at_unit(fast, unit)[i] =
			fast_build(fast, runs, count, base + (uint32_t)(i << shift),
				   at + XRS_FAST_DENSE_BITS, end);
		count = runs_over(runs, n, count, limit);
		runs += count;
		n -= count;
	}
	return XRS_FAST_NODE | XRS_FAST_DENSE | unit;
}

uint32_t fast_build(struct fib_fast *fast, const struct run *runs, size_t n, uint32_t base,
		    unsigned int at, unsigned int end)
{
	uint32_t word;

	if (n == 1)
		return runs[0].word;
	word = write_index(fast, runs, n, base, end - at);
	if (word || fast->full)
		return word;
	if (n <= XRS_FAST_RANGES) {
		word = write_narrow(fast, runs, n, base, end - at);

		return word || fast->full ? word : write_ranges(fast, runs, n, base, end - at);
	}
	return build_dense(fast, runs, n, base, at, end);
}
