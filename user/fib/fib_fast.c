// SPDX-License-Identifier: GPL-2.0-only
/*
 * The derived lookup structure in memory. Called by fast_maps.c and tests; pure.
 *
 * A tree over the bits of an address. Bits are cut into segments (segment_end()); within one, a region is a
 * leaf, a range node for the rest of the segment, or, where more than XRS_FAST_RANGES ranges meet, a dense
 * node for 6 bits and regions below it; an index node where 6 bits say everything, as with IPv4's /24. What
 * is longer than a segment hangs below ranges of one address. So the common lengths, IPv4 whole and IPv6 up to
 * /48, are answered by the root and one node. How nodes are read and written is fast_nodes.c's affair.
 *
 * A change rewrites the one node that it meets: its ranges are read, changed in a list, and written to a
 * new place. Where only words change, they are stored where they are.
 */
#include "fast_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct change {
	bits128 addr;
	unsigned int len;
	bool del;
	uint32_t leaf;
};

/* --- leaves --------------------------------------------------------------------------------------------- */
_Static_assert((XRS_GROUP_MAX & (XRS_GROUP_MAX - 1)) == 0, "a group is a bit field of a leaf");
_Static_assert(XRS_GROUP_MAX << XRS_FAST_GROUP_SHIFT == 1 << XRS_FAST_KIND_SHIFT, "fields adjoin");

/* What no route of xrsd holds gets what the program takes for the same: no such kind, no such group. */
uint32_t fib_fast_leaf(const struct xrs_route *route)
{
	uint32_t kind = route->kind;
	uint32_t group = route->group < XRS_GROUP_MAX ? route->group : 0;

	if (kind > XRS_FAST_KIND_MASK)
		kind = XRS_FAST_KIND_MASK;
	return route->prefix_len | group << XRS_FAST_GROUP_SHIFT | kind << XRS_FAST_KIND_SHIFT;
}

struct xrs_route fib_fast_route(uint32_t leaf)
{
	return (struct xrs_route){
		.kind = (enum xrs_route_kind)(leaf >> XRS_FAST_KIND_SHIFT & XRS_FAST_KIND_MASK),
		.group = leaf >> XRS_FAST_GROUP_SHIFT & XRS_FAST_GROUP_MASK,
		.prefix_len = (uint8_t)leaf,
	};
}

/* --- changing ------------------------------------------------------------------------------------------- */
static uint32_t modify(struct fib_fast *fast, uint32_t word, unsigned int at,
		       const struct change *change);

/* What @leaf becomes where the changed prefix holds. */
static uint32_t replace(uint32_t leaf, const struct change *change)
{
	unsigned int len = leaf & 0xff;

	if (change->del)
		return len == change->len ? change->leaf : leaf;
	return len <= change->len ? change->leaf : leaf;
}

static void publish(uint32_t *at, uint32_t word)
{
	if (*at != word)
		__atomic_store_n(at, word, __ATOMIC_RELEASE);
}

/* All words alike: the node has become one leaf. */
static bool is_flat(const uint32_t *words)
{
	if (is_node(words[0]))
		return false;
	for (uint32_t i = 1; i < DENSE_WORDS; i++) {
		if (words[i] != words[0])
			return false;
	}
	return true;
}

static uint32_t modify_dense(struct fib_fast *fast, uint32_t word, unsigned int at,
			     const struct change *change)
{
	unsigned int below = at + XRS_FAST_DENSE_BITS;
	uint32_t *words = node_at(fast, word);
	uint32_t first = 0, count = DENSE_WORDS;

	if (change->len > at) {
		first = cut(change->addr, at, XRS_FAST_DENSE_BITS);
		count = change->len < below ? 1u << (below - change->len) : 1;
	}
	for (uint32_t i = first; i < first + count; i++)
		publish(&words[i], modify(fast, words[i], below, change));
	if (!change->del || !is_flat(words))
		return word;
	word = words[0];
	fast_take_out(fast, XRS_FAST_NODE | XRS_FAST_DENSE |
				    (uint32_t)(((uint8_t *)words - fast->base) / XRS_FAST_UNIT));
	return word;
}

/*
 * Entries where they are. False, and some have been changed: a part of one is meant, or a leaf has no number. What
 * has been changed will be changed in the same way again.
 */
static bool modify_index(struct fib_fast *fast, uint32_t word, unsigned int at,
			 const struct change *change, uint32_t *ret_word)
{
	uint32_t first = 0, count = DENSE_WORDS, differ = 0;
	uint16_t *numbers = index_numbers(fast, word), number;

	if (change->len > at + XRS_FAST_DENSE_BITS)
		return false;
	if (change->len > at) {
		first = cut(change->addr, at, XRS_FAST_DENSE_BITS);
		count = 1u << (at + XRS_FAST_DENSE_BITS - change->len);
	}
	for (uint32_t i = first; i < first + count; i++) {
		if (!fast_dict_number(fast, replace(dict(fast)[numbers[i]], change), &number))
			return false;
		__atomic_store_n(&numbers[i], number, __ATOMIC_RELEASE);
	}
	*ret_word = word;
	for (uint32_t i = 1; change->del && i < DENSE_WORDS; i++)
		differ |= numbers[i] ^ numbers[0];
	if (!change->del || differ)
		return true;
	*ret_word = dict(fast)[numbers[0]];
	fast_take_out(fast, word);
	return true;
}

/* The word of one range where it is; the one that repeats the last range as well. */
static void store_word(uint32_t *node, unsigned int i, uint32_t word)
{
	unsigned int n = node_ranges(node);

	publish(&node_words(node)[i], word);
	if (i == n - 1 && n & 1)
		publish(&node_words(node)[n], word);
}

/*
 * The runs of the region of @word, up to @end, with the change in them; at most two more. What became of
 * nodes below is stored at once: were there no room for the new list, the old one has to lead to them.
 */
static size_t change_runs(struct fib_fast *fast, uint32_t word_above, const struct run *runs,
			  size_t n, unsigned int at, unsigned int end, const struct change *change,
			  struct run *out)
{
	uint32_t all = (uint32_t)((1ull << (end - at)) - 1);
	uint32_t low = change->len > at ? cut(change->addr, at, end - at) : 0;
	uint32_t high = change->len <= at    ? all
			: change->len >= end ? low
					     : low | (uint32_t)((1ull << (end - change->len)) - 1);
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t start = runs[i].start, word = runs[i].word, inside;
		uint32_t last = i + 1 < n ? runs[i + 1].start - 1 : all;

		if (last < low || start > high) {
			count = push(out, count, start, word);
			continue;
		}
		if (is_node(word) || change->len > end)
			inside = modify(fast, word, end, change);
		else
			inside = replace(word, change);
		if (is_node(word))
			store_word(node_at(fast, word_above), (unsigned int)i, inside);
		if (start < low)
			count = push(out, count, start, word);
		count = push(out, count, start < low ? low : start, inside);
		if (last > high)
			count = push(out, count, high + 1, word);
	}
	return count;
}

static bool same_starts(const struct run *a, size_t n_a, const struct run *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++) {
		if (a[i].start != b[i].start)
			return false;
	}
	return true;
}

/* The words of all ranges where they are. False: the node is narrow, and one of them has no number. */
static bool store_all(struct fib_fast *fast, uint32_t word, const struct run *runs, size_t n)
{
	uint32_t *node = node_at(fast, word);
	uint16_t numbers[RUNS_MAX], *at;

	if (is_index(word))
		return false;
	if (!is_narrow(word)) {
		for (unsigned int i = 0; i < n; i++)
			store_word(node, i, runs[i].word);
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		if (!fast_dict_number(fast, runs[i].word, &numbers[i]))
			return false;
	}
	at = narrow_numbers(node);
	for (size_t i = 0; i < 4 * narrow_fours(node); i++)
		__atomic_store_n(&at[i], numbers[i < n ? i : n - 1], __ATOMIC_RELEASE);
	return true;
}

/* A leaf or a range node. */
static uint32_t modify_ranges(struct fib_fast *fast, uint32_t word, unsigned int at,
			      const struct change *change)
{
	struct run before[RUNS_MAX], after[RUNS_MAX];
	unsigned int end = segment_end(fast, at);
	size_t n_before = fast_read_runs(fast, word, end - at, before);
	size_t n_after = change_runs(fast, word, before, n_before, at, end, change, after);
	uint32_t fresh;

	if (is_node(word) && same_starts(before, n_before, after, n_after) &&
	    store_all(fast, word, after, n_after))
		return word;
	fresh = fast_build(fast, after, n_after, 0, at, end);
	if (fast->full)
		return word;
	fast_take_out(fast, word);
	return fresh;
}

/* The word of the region at bit @at after the change. */
static uint32_t modify(struct fib_fast *fast, uint32_t word, unsigned int at,
		       const struct change *change)
{
	uint32_t changed;

	if (!is_node(word) && change->len <= at)
		return replace(word, change);
	if (is_index(word) && modify_index(fast, word, at, change, &changed))
		return changed;
	return is_dense(word) ? modify_dense(fast, word, at, change)
			      : modify_ranges(fast, word, at, change);
}

static int carry_out(struct fib_fast *fast, const struct change *change)
{
	unsigned int bits = fast->root_bits;
	uint32_t first = cut(change->addr, 0, bits);
	uint32_t count = change->len < bits ? 1u << (bits - change->len) : 1;

	if (!change->len) {
		fast->otherwise = change->leaf;
		return 0;
	}
	for (uint32_t i = first; i < first + count && !fast->full; i++)
		publish(&root(fast)[i], modify(fast, root(fast)[i], bits, change));
	return fast->full ? -ENOSPC : 0;
}

int fib_fast_set(struct fib_fast *fast, const struct ip_prefix *prefix, uint32_t leaf)
{
	struct change change = { to_bits(&prefix->addr), prefix->len, false, leaf };

	return carry_out(fast, &change);
}

int fib_fast_del(struct fib_fast *fast, const struct ip_prefix *prefix, uint32_t cover)
{
	/* What the route of length 0 answers is not in the tree. */
	struct change change = { to_bits(&prefix->addr), prefix->len, true,
				 cover & 0xff ? cover : 0 };

	return carry_out(fast, &change);
}

uint32_t fib_fast_otherwise(const struct fib_fast *fast)
{
	return fast->otherwise;
}

/* --- looking up ----------------------------------------------------------------------------------------- */
static uint32_t find_range(uint32_t *node, uint32_t key)
{
	unsigned int i = node_ranges(node) - 1;

	while (i && load_start(node, i) > key)
		i--;
	return node_words(node)[i];
}

static uint32_t find_narrow(const struct fib_fast *fast, uint32_t *node, uint32_t key)
{
	unsigned int i = narrow_ranges(node) - 1;

	while (i && narrow_start(node, i) > key)
		i--;
	return dict(fast)[narrow_numbers(node)[i]];
}

/* One node down; *@at is the first bit that it looks at, and then the next one's. */
static uint32_t step(const struct fib_fast *fast, uint32_t word, bits128 bits, unsigned int *at)
{
	uint32_t *node = node_at(fast, word);
	unsigned int from = *at;

	if (is_dense(word)) {
		*at += XRS_FAST_DENSE_BITS;
		return node[cut(bits, from, XRS_FAST_DENSE_BITS)];
	}
	if (is_index(word))
		return dict(fast)[index_numbers(fast, word)[cut(bits, from, XRS_FAST_DENSE_BITS)]];
	if (is_narrow(word))
		return find_narrow(fast, node, cut(bits, from, narrow_width(node)));
	*at += node_width(node);
	return find_range(node, cut(bits, from, node_width(node)));
}

uint32_t fib_fast_lookup(const struct fib_fast *fast, const struct ip_addr *addr)
{
	bits128 bits = to_bits(addr);
	unsigned int at = fast->root_bits;
	uint32_t word = root(fast)[cut(bits, 0, at)];

	while (is_node(word))
		word = step(fast, word, bits, &at);
	return word ? word : fast->otherwise;
}

/* --- copying -------------------------------------------------------------------------------------------- */
static void append(struct runs *list, uint32_t start, uint32_t word)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 256;
		struct run *run = realloc(list->run, cap * sizeof(*run));

		if (!run) {
			list->failed = true;
			return;
		}
		list->run = run;
		list->cap = cap;
	}
	list->n = push(list->run, list->n, start, word);
}

/* The region of @word, bits @at to @end from address @base on, as runs; below @end nodes stay nodes. */
static void flatten(const struct fib_fast *fast, uint32_t word, uint32_t base, unsigned int at,
		    unsigned int end, struct runs *list)
{
	struct run runs[RUNS_MAX];
	size_t n;

	if (at == end) {
		append(list, base, word);
		return;
	}
	if (is_dense(word)) {
		unsigned int below = at + XRS_FAST_DENSE_BITS;

		for (uint32_t i = 0; i < DENSE_WORDS; i++)
			flatten(fast, node_at(fast, word)[i], base + (i << (end - below)), below,
				end, list);
		return;
	}
	n = fast_read_runs(fast, word, end - at, runs);
	for (size_t i = 0; i < n; i++)
		append(list, base + runs[i].start, runs[i].word);
}

/* Replaces the nodes among @list, all at bit @at, by copies of them in @to. */
static void copy_below(struct fib_fast *to, const struct fib_fast *from, struct runs *list,
		       unsigned int at)
{
	for (size_t i = 0; i < list->n; i++) {
		unsigned int end = segment_end(from, at);
		struct runs below = { 0 };

		if (!is_node(list->run[i].word))
			continue;
		flatten(from, list->run[i].word, 0, at, end, &below);
		copy_below(to, from, &below, end);
		list->failed |= below.failed;
		if (below.n)
			list->run[i].word = fast_build(to, below.run, below.n, 0, at, end);
		free(below.run);
	}
}

/* One word of the old root becomes one or several of the new. */
static void copy_root_word(struct fib_fast *to, const struct fib_fast *from, uint32_t index,
			   struct runs *list)
{
	unsigned int more = to->root_bits - from->root_bits;
	unsigned int end = segment_end(from, from->root_bits);
	unsigned int shift = end - to->root_bits;
	const struct run *runs;
	size_t n;

	list->n = 0;
	flatten(from, root(from)[index], 0, from->root_bits, end, list);
	copy_below(to, from, list, end);
	runs = list->run;
	n = list->n;
	for (uint64_t i = 0; n && i < 1u << more; i++) {
		uint64_t limit = (i + 1) << shift;
		size_t count = runs_below(runs, n, limit);

		root(to)[(index << more) + i] =
			fast_build(to, runs, count, (uint32_t)(i << shift), to->root_bits, end);
		count = runs_over(runs, n, count, limit);
		runs += count;
		n -= count;
	}
}

int fib_fast_copy(struct fib_fast *to, const struct fib_fast *from)
{
	struct runs list = { 0 };

	for (uint32_t i = 0; i < 1u << from->root_bits && !to->full && !list.failed; i++)
		copy_root_word(to, from, i, &list);
	to->otherwise = from->otherwise;
	free(list.run);
	if (list.failed)
		return -ENOMEM;
	return to->full ? -ENOSPC : 0;
}

/* --- life ----------------------------------------------------------------------------------------------- */
/*
 * With a larger root nodes are smaller, but each miss of the cache is dearer than what they cost: bounds are where the
 * times of both meet (tests/bench/README.md). The first 12 bits of IPv6 are nearly always among a few, so
 * that all tables but the smallest begin with 17.
 */
static const struct root_step {
	size_t routes; /* from so many on */
	unsigned int bits;
} roots4[] = { { 262144, 18 }, { 32768, 17 }, { 16384, 14 }, { 0, 12 } },
  roots6[] = { { 512, 17 }, { 0, 12 } };

unsigned int fib_fast_root_bits(enum ip_family family, size_t routes)
{
	const struct root_step *step = family == IP_V6 ? roots6 : roots4;

	while (routes < step->routes)
		step++;
	return step->bits;
}

uint32_t fib_fast_pages(unsigned int root_bits, size_t routes)
{
	return fast_root_pages(root_bits) + (uint32_t)(routes * ROUTE_OCTETS / XRS_FAST_PAGE) +
	       CLASSES;
}

struct fib_fast *fib_fast_new(enum ip_family family, unsigned int root_bits, void *memory,
			      uint32_t pages)
{
	struct fib_fast *fast;

	if (root_bits > XRS_FAST_ROOT_MAX || fast_root_pages(root_bits) > pages)
		return NULL;
	fast = calloc(1, sizeof(*fast));
	if (!fast)
		return NULL;
	*fast = (struct fib_fast){
		.family = family,
		.root_bits = root_bits,
		.base = memory,
		.pages = pages,
		.pages_used = fast_root_pages(root_bits),
	};
	if (root_bits < XRS_FAST_DICT_ROOT)
		return fast;
	fast->dict_hash = calloc(1u << DICT_HASH_BITS, sizeof(*fast->dict_hash));
	if (fast->dict_hash)
		return fast;
	free(fast);
	return NULL;
}

void fib_fast_more(struct fib_fast *fast, uint32_t pages)
{
	fast->pages = pages;
	fast->full = false;
}

void fib_fast_free(struct fib_fast *fast)
{
	if (!fast)
		return;
	free(fast->held);
	free(fast->dict_hash);
	free(fast);
}

struct fib_fast_figures fib_fast_figures(const struct fib_fast *fast)
{
	return (struct fib_fast_figures){
		.root_bits = fast->root_bits,
		.pages = fast->pages,
		.pages_used = fast->pages_used,
		.dense = fast->dense,
		.ranges = fast->ranges,
		.index = fast->index,
		.held = fast->held_units * XRS_FAST_UNIT,
	};
}
