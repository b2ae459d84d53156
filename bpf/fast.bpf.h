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
	const __u8 *first; /* chunk, with the root and the dictionary */
	__u64 mask;        /* of offsets in a chunk */
	__u64 high, low;   /* the bits of the address that are not used up, at the top */
	__u32 word;
	__u32 bits;   /* used up by the last node */
	__u32 dict;   /* the dictionary's place, in words */
	__u32 chunks; /* where xrs_fast_large has them, or XRS_FAST_ONE */
};

#define XRS_FAST_ONE (~0u) /* there is no second chunk */

/* A chunk's address: known without a call, which costs more than all that is read behind it. */
#define XRS_FAST_FIND(name)                                              \
	XRS_INLINE const __u8 *name##_find(const __u32 *index)           \
	{                                                                \
		void *chunk = bpf_map_lookup_elem(&name, index);         \
		__u32 zero = 0;                                          \
                                                                         \
		return chunk ? bpf_map_lookup_elem(chunk, &zero) : NULL; \
	}
XRS_FAST_FIND(xrs_fast_small)
XRS_FAST_FIND(xrs_fast_middle)
XRS_FAST_FIND(xrs_fast_large)

/* The chunk that a node is in; NULL: not a place. */
XRS_INLINE const __u8 *xrs_fast_chunk(const struct xrs_fast_walk *w, __u32 unit)
{
	__u32 number = unit / (XRS_FAST_LARGE / XRS_FAST_UNIT);

	if (w->chunks == XRS_FAST_ONE)
		return w->first;
	number = w->chunks + (number & (XRS_FAST_CHUNKS - 1));
	return xrs_fast_large_find(&number);
}

/* The number in a chunk that begins @index numbers of that size behind its beginning, or some other in it. */
XRS_INLINE __u32 xrs_fast_word(const struct xrs_fast_walk *w, const __u8 *chunk, __u64 index)
{
	return *(const volatile __u32 *)(chunk + (4 * index & w->mask));
}

XRS_INLINE __u64 xrs_fast_pair(const struct xrs_fast_walk *w, const __u8 *chunk, __u64 index)
{
	return *(const __u64 *)(chunk + (8 * index & w->mask));
}

XRS_INLINE __u32 xrs_fast_number(const struct xrs_fast_walk *w, const __u8 *chunk, __u64 index)
{
	return *(const volatile __u16 *)(chunk + (2 * index & w->mask));
}

/*
 * Which of a range node's ranges holds @key: as many as there are starts that are not above it, the first
 * not counted. One subtraction compares two starts of 31 bits: the bit that stands above the key in each
 * half stays where nothing had to be borrowed.
 */
XRS_INLINE __u32 xrs_fast_range(const struct xrs_fast_walk *w, const __u8 *chunk, __u64 at,
				__u64 first, __u64 key)
{
	__u64 keys = key << 32 | key | 0x8000000080000000ull;
	__u64 sum = (keys - first) >> 63 << 32;
	__u32 pairs = first & 0xff;

	for (__u32 i = 1; i < XRS_FAST_RANGES / 2; i++) {
		if (i >= pairs)
			break;
		sum += (keys - xrs_fast_pair(w, chunk, at + i)) >> 31 & 0x100000001ull;
	}
	/*
	 * Bits 24 to 28 of the header are 0. With them the verifier knows as much of the sum after one round
	 * as after 15, and does not walk on from each of them.
	 */
	return ((__u32)sum + (__u32)(sum >> 32) + (first >> 24)) & (XRS_FAST_RANGES - 1);
}

/* As xrs_fast_range(), with four starts of 15 bits in each word. The number of the leaf, not its word. */
XRS_INLINE __u32 xrs_fast_narrow(const struct xrs_fast_walk *w, const __u8 *chunk, __u64 at,
				 __u64 first, __u64 key)
{
	__u64 keys = key * 0x0001000100010001ull | 0x8000800080008000ull;
	__u64 sum = (keys - first) >> 15 & 0x0001000100010000ull;
	__u32 fours = first & 0xf;
	__u64 index;

	for (__u32 i = 1; i < XRS_FAST_RANGES / 4; i++) {
		if (i >= fours)
			break;
		sum += (keys - xrs_fast_pair(w, chunk, at + i)) >> 15 & 0x0001000100010001ull;
	}
	asm volatile("" : "+r"(first));
	index = 4 * at + 4 * (first & 0xf) + (sum * 0x0001000100010001ull >> 48);
	return xrs_fast_number(w, chunk, index);
}

/* The leaf that a narrow or an index node leads to; at most as many as the dictionary has. */
XRS_INLINE void xrs_fast_leaf(struct xrs_fast_walk *w, const __u8 *chunk, __u64 unit)
{
	__u32 number;
	__u64 first;

	if (w->word & XRS_FAST_DENSE) {
		number = xrs_fast_number(w, chunk,
					 8 * unit + (w->high >> (64 - XRS_FAST_DENSE_BITS)));
	} else {
		first = xrs_fast_pair(w, chunk, 2 * unit);
		number = xrs_fast_narrow(w, chunk, 2 * unit, first,
					 w->high >> (64 - (first >> 4 & 0xf)));
	}
	w->word = xrs_fast_word(w, w->first, w->dict + number);
}

/* One node down. False: there is no such place, which cannot be. */
XRS_INLINE bool xrs_fast_step(struct xrs_fast_walk *w)
{
	__u64 unit = w->word & XRS_FAST_WHERE, index, first;
	const __u8 *chunk = xrs_fast_chunk(w, unit);

	if (!chunk)
		return false;
	w->high = w->high << w->bits | w->low >> 1 >> (63 - w->bits);
	w->low <<= w->bits;
	if (w->word & XRS_FAST_NARROW) {
		xrs_fast_leaf(w, chunk, unit);
		return true;
	}
	if (w->word & XRS_FAST_DENSE) {
		w->bits = XRS_FAST_DENSE_BITS;
		index = w->high >> (64 - XRS_FAST_DENSE_BITS);
	} else {
		first = xrs_fast_pair(w, chunk, 2 * unit);
		w->bits = first >> 8 & 0x1f;
		index = xrs_fast_range(w, chunk, 2 * unit, first, w->high >> (64 - w->bits));
		/* The same for the number of pairs, which the loop was compared with. */
		asm volatile("" : "+r"(first));
		index += 2 * (first & 0xff);
	}
	w->word = xrs_fast_word(w, chunk, 4 * unit + index);
	return true;
}

/* The first chunk of structure @index, whose chunks are of @size octets. False: it has just gone. */
XRS_INLINE bool xrs_fast_open(struct xrs_fast_walk *w, __u32 size, const __u32 *index)
{
	w->chunks = XRS_FAST_ONE;
	if (size == XRS_FAST_LARGE) {
		w->chunks = *index * XRS_FAST_CHUNKS;
		w->first = xrs_fast_large_find(&w->chunks);
		w->mask = XRS_FAST_LARGE - 1;
	} else if (size == XRS_FAST_MIDDLE) {
		w->first = xrs_fast_middle_find(index);
		w->mask = XRS_FAST_MIDDLE - 1;
	} else {
		w->first = xrs_fast_small_find(index);
		w->mask = XRS_FAST_SMALL - 1;
	}
	return w->first;
}

/* Where the packet's table and family begin: the first word, from the root. False: the trie has to say. */
XRS_INLINE bool xrs_fast_start(struct xrs_fast_walk *w, struct xrs_fast_head *head,
			       const __u32 *index)
{
	w->bits = *(const volatile __u32 *)&head->root_bits;
	if (!w->bits) {
		if (head->built)
			__sync_fetch_and_add(&head->fallbacks, 1);
		return false;
	}
	if (!xrs_fast_open(w, *(const volatile __u32 *)&head->chunk, index))
		return false;
	w->dict = 1u << w->bits;
	w->word = xrs_fast_word(w, w->first, w->high >> (64 - w->bits));
	return true;
}

/*
 * The leaf of the longest prefix that holds the address; 0: none. XRS_FAST_NODE: the trie has to say. @index as
 * in xrs_fast_head; at most @depth nodes below the root.
 */
XRS_INLINE __u32 xrs_fast_leaf_of(__u64 high, __u64 low, const __u32 *index, __u32 depth)
{
	struct xrs_fast_head *head = bpf_map_lookup_elem(&xrs_fast_head, index);
	struct xrs_fast_walk w = { .high = high, .low = low };

	if (!head || !xrs_fast_start(&w, head, index))
		return XRS_FAST_NODE;
	for (__u32 i = 0; i < depth; i++) {
		if (!(w.word & XRS_FAST_NODE))
			break;
		if (!xrs_fast_step(&w))
			return XRS_FAST_NODE;
	}
	return w.word ? w.word : head->otherwise;
}

XRS_INLINE __u32 xrs_fast_leaf4(const __u32 *dst, const __u32 *index)
{
	return xrs_fast_leaf_of((__u64)XRS_NET32(dst[0]) << 32, 0, index, XRS_FAST_DEPTH4);
}

XRS_INLINE __u32 xrs_fast_leaf6(const __u32 *dst, const __u32 *index)
{
	return xrs_fast_leaf_of((__u64)XRS_NET32(dst[0]) << 32 | XRS_NET32(dst[1]),
				(__u64)XRS_NET32(dst[2]) << 32 | XRS_NET32(dst[3]), index,
				XRS_FAST_DEPTH);
}

/* Each walked through by the verifier once. */
__attribute__((noinline)) __u32 xrs_fast4_once(const struct xrs_packet *p, __u32 table)
{
	__u32 index = XRS_FAST_HEAD(table, 0);

	return p ? xrs_fast_leaf4(p->dst, &index) : XRS_FAST_NODE;
}

__attribute__((noinline)) __u32 xrs_fast6_once(const struct xrs_packet *p, __u32 table)
{
	__u32 index = XRS_FAST_HEAD(table, 1);

	return p ? xrs_fast_leaf6(p->dst, &index) : XRS_FAST_NODE;
}

/* Of the destination of a packet. */
XRS_INLINE __u32 xrs_fast_find(const struct xrs_packet *p, __u32 table)
{
	return p->family == 4 ? xrs_fast4_once(p, table) : xrs_fast6_once(p, table);
}

/*
 * The same without a call, whose return costs more than a node on processors that have to guard against a wrong guess
 * of it. @indices of both families' structures: keys that already stand in a map need not go over the stack.
 */
XRS_INLINE __u32 xrs_fast_find_here(const struct xrs_packet *p, const __u32 indices[2])
{
	return p->family == 4 ? xrs_fast_leaf4(p->dst, &indices[0])
			      : xrs_fast_leaf6(p->dst, &indices[1]);
}

#endif
