/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tries, the record of all routes: by table and family, and the longest entry that holds a prefix. Called by
 * lookup.bpf.h for packets, by move.bpf.h for routes.
 */
#ifndef XRS_TRIE_BPF_H
#define XRS_TRIE_BPF_H

#include "maps.bpf.h"

/* NULL: there is no such table. */
XRS_INLINE void *xrs_trie(__u32 family, __u32 table)
{
	if (family == 4)
		return bpf_map_lookup_elem(&xrs_table, &table);
	return bpf_map_lookup_elem(&xrs_table6, &table);
}

/* The value itself, which may be written; NULL: no entry holds it. @addr: 4 octets. */
XRS_INLINE struct xrs_route *xrs_trie_match4(void *trie, __u32 prefix_len, const void *addr)
{
	struct xrs_key4 key = { .prefixlen = prefix_len };

	__builtin_memcpy(key.addr, addr, sizeof(key.addr));
	return bpf_map_lookup_elem(trie, &key);
}

XRS_INLINE struct xrs_route *xrs_trie_match6(void *trie, __u32 prefix_len, const void *addr)
{
	struct xrs_key6 key = { .prefixlen = prefix_len };

	__builtin_memcpy(key.addr, addr, sizeof(key.addr));
	return bpf_map_lookup_elem(trie, &key);
}

#endif
