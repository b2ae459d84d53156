/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The derived lookup structure, which answers before the trie; dataplane.h draws it.
 *
 * Called by lookup.bpf.h. xrsd changes the structure at the same time: each word is read once, and what it
 * leads to is complete and stays as it is while this program runs. Never waits, never answers when in doubt.
 */
#ifndef XRS_FAST_BPF_H
#define XRS_FAST_BPF_H

#include "maps.bpf.h"
#include "parse.bpf.h"

struct xrs_fast_walk {
	void *pages;
	__u64 high, low; /* the bits of the address that are not used up, at the top */
	__u32 word;
	__u32 bits; /* used up by the last node */
	__u32 dict; /* the dictionary's place, in words */
};

/* The page of a place that is given in parts of a page. NULL: not a place. */
XRS_INLINE const struct xrs_fast_page *xrs_fast_page(const struct xrs_fast_walk *w, __u32 place,
						     __u32 parts)
{
	__u32 number = place / parts;

	return bpf_map_lookup_elem(w->pages, &number);
}

XRS_INLINE __u32 xrs_fast_word(const struct xrs_fast_page *page, __u32 index)
{
	return ((const volatile __u32 *)page->word)[index & (XRS_FAST_PAGE / 4 - 1)];
}

XRS_INLINE __u64 xrs_fast_pair(const struct xrs_fast_page *page, __u32 index)
{
	return page->word[index & (XRS_FAST_PAGE / 8 - 1)];
}

XRS_INLINE __u32 xrs_fast_number(const struct xrs_fast_page *page, __u32 index)
{
	return ((const volatile __u16 *)page->word)[index & (XRS_FAST_PAGE / 2 - 1)];
}

/*
 * Which of a range node's ranges holds @key: as many as there are starts that are not above it, the first
 * not counted. One subtraction compares two starts of 31 bits: the bit that stands above the key in each
 * half stays where nothing had to be borrowed.
 */
XRS_INLINE __u32 xrs_fast_range(const struct xrs_fast_page *page, __u32 at, __u64 first, __u64 key)
{
	__u64 keys = key << 32 | key | 0x8000000080000000ull;
	__u64 sum = (keys - first) >> 63 << 32;
	__u32 pairs = first & 0xff;

	for (__u32 i = 1; i < XRS_FAST_RANGES / 2; i++) {
		if (i >= pairs)
			break;
		sum += (keys - xrs_fast_pair(page, at + i)) >> 31 & 0x100000001ull;
	}
	/*
	 * Bits 24 to 28 of the header are 0. With them the verifier knows as much of the sum after one round
	 * as after 15, and does not walk on from each of them.
	 */
	return ((__u32)sum + (__u32)(sum >> 32) + (first >> 24)) & (XRS_FAST_RANGES - 1);
}

/* As xrs_fast_range(), with four starts of 15 bits in each word. The number of the leaf, not its word. */
XRS_INLINE __u32 xrs_fast_narrow(const struct xrs_fast_page *page, __u32 at, __u64 first, __u64 key)
{
	__u64 keys = key * 0x0001000100010001ull | 0x8000800080008000ull;
	__u64 sum = (keys - first) >> 15 & 0x0001000100010000ull;
	__u32 fours = first & 0xf, index;

	for (__u32 i = 1; i < XRS_FAST_RANGES / 4; i++) {
		if (i >= fours)
			break;
		sum += (keys - xrs_fast_pair(page, at + i)) >> 15 & 0x0001000100010001ull;
	}
	asm volatile("" : "+r"(first));
	index = 4 * at + 4 * (first & 0xf) + (sum * 0x0001000100010001ull >> 48);
	return xrs_fast_number(page, index);
}

/* The leaf that a narrow or an index node leads to; at most as many as the dictionary has. */
XRS_INLINE bool xrs_fast_leaf(struct xrs_fast_walk *w, const struct xrs_fast_page *page, __u32 unit)
{
	__u32 place = w->dict, index;
	__u64 first;

	if (w->word & XRS_FAST_DENSE) {
		index = 8 * unit + (w->high >> (64 - XRS_FAST_DENSE_BITS));
		place += xrs_fast_number(page, index);
	} else {
		first = xrs_fast_pair(page, 2 * unit);
		place += xrs_fast_narrow(page, 2 * unit, first,
					 w->high >> (64 - (first >> 4 & 0xf)));
	}
	page = xrs_fast_page(w, place, XRS_FAST_PAGE / 4);
	if (!page)
		return false;
	w->word = xrs_fast_word(page, place);
	return true;
}

/* One node down. False: there is no such place, which cannot be. */
XRS_INLINE bool xrs_fast_step(struct xrs_fast_walk *w)
{
	__u32 unit = w->word & XRS_FAST_WHERE, index;
	const struct xrs_fast_page *page = xrs_fast_page(w, unit, XRS_FAST_PAGE / XRS_FAST_UNIT);
	__u64 first;

	if (!page)
		return false;
	w->high = w->high << w->bits | w->low >> 1 >> (63 - w->bits);
	w->low <<= w->bits;
	if (w->word & XRS_FAST_NARROW)
		return xrs_fast_leaf(w, page, unit);
	if (w->word & XRS_FAST_DENSE) {
		w->bits = XRS_FAST_DENSE_BITS;
		index = w->high >> (64 - XRS_FAST_DENSE_BITS);
	} else {
		first = xrs_fast_pair(page, 2 * unit);
		w->bits = first >> 8 & 0x1f;
		index = xrs_fast_range(page, 2 * unit, first, w->high >> (64 - w->bits));
		/* The same for the number of pairs, which the loop was compared with. */
		asm volatile("" : "+r"(first));
		index += 2 * (first & 0xff);
	}
	w->word = xrs_fast_word(page, 4 * unit + index);
	return true;
}

/* Where the packet's table and family begin: the first word, from the root. False: the trie has to say. */
XRS_INLINE bool xrs_fast_start(struct xrs_fast_walk *w, struct xrs_fast_head *head, __u32 index)
{
	const struct xrs_fast_page *page;

	w->bits = *(const volatile __u32 *)&head->root_bits;
	if (!w->bits) {
		if (head->built)
			__sync_fetch_and_add(&head->fallbacks, 1);
		return false;
	}
	w->pages = bpf_map_lookup_elem(&xrs_fast, &index);
	if (!w->pages)
		return false;
	w->dict = 1u << w->bits;
	w->word = w->high >> (64 - w->bits);
	page = xrs_fast_page(w, w->word, XRS_FAST_PAGE / 4);
	if (!page)
		return false;
	w->word = xrs_fast_word(page, w->word);
	return true;
}

/*
 * The leaf of the longest prefix that holds the address; 0: none. XRS_FAST_NODE: the trie has to say. @index as
 * in xrs_fast_head.
 */
XRS_INLINE __u32 xrs_fast_leaf_of(__u64 high, __u64 low, __u32 index)
{
	struct xrs_fast_head *head = bpf_map_lookup_elem(&xrs_fast_head, &index);
	struct xrs_fast_walk w = { .high = high, .low = low };

	if (!head || !xrs_fast_start(&w, head, index))
		return XRS_FAST_NODE;
	for (__u32 i = 0; i < XRS_FAST_DEPTH; i++) {
		if (!(w.word & XRS_FAST_NODE))
			return w.word ? w.word : head->otherwise;
		if (!xrs_fast_step(&w))
			break;
	}
	return XRS_FAST_NODE;
}

/* Of the destination of a packet. */
XRS_INLINE __u32 xrs_fast_find(const struct xrs_packet *p, __u32 table)
{
	__u64 high = (__u64)XRS_NET32(p->dst[0]) << 32, low = 0;

	if (p->family != 4) {
		high |= XRS_NET32(p->dst[1]);
		low = (__u64)XRS_NET32(p->dst[2]) << 32 | XRS_NET32(p->dst[3]);
	}
	return xrs_fast_leaf_of(high, low, 2 * table + (p->family != 4));
}

__attribute__((noinline)) __u32 xrs_fast4_once(__u32 dst, __u32 table)
{
	return xrs_fast_leaf_of((__u64)XRS_NET32(dst) << 32, 0, 2 * table);
}

__attribute__((noinline)) __u32 xrs_fast6_once(__u64 high, __u64 low, __u32 table)
{
	return xrs_fast_leaf_of(high, low, 2 * table + 1);
}

#endif
