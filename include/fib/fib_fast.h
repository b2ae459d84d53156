/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The derived lookup structure of one route table and family: builds and changes it in memory that the
 * caller gives. Pure. dataplane.h draws it; bpf/lookup.bpf.h reads it, at the same time if need be.
 *
 * It holds, for each range of addresses, the longest prefix there, and nothing else: no copy of the routes.
 * So a deletion needs to be told the next shorter prefix, which the trie knows. Prefixes that neighbours
 * share (same length, same group) cost one range.
 *
 * Readers without locks: a node is complete before the one 32-bit store that makes it part of the tree, and
 * never changes afterwards but for such stores. What is taken out is kept as it was while fib_fast_hold()
 * says that readers may still be there, until fib_fast_release() (the caller waited for a grace period).
 */
#ifndef XRS_FIB_FIB_FAST_H
#define XRS_FIB_FIB_FAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"
#include "util/prefix.h"

struct fib_fast;

/* The size of the root that suits a table of so many routes. */
unsigned int fib_fast_root_bits(enum ip_family family, size_t routes);
/* Pages that a table of so many routes is likely to need, and room to grow; at least for the root. */
uint32_t fib_fast_pages(unsigned int root_bits, size_t routes);

/*
 * An empty structure in @pages zeroed pages at @memory, which stays the caller's. NULL: out of memory, or not
 * even the root fits.
 */
struct fib_fast *fib_fast_new(enum ip_family family, unsigned int root_bits, void *memory,
			      uint32_t pages);
/*
 * There are @pages now, the further ones zeroed and behind the others: after -ENOSPC the same change may be made
 * again. What it had written until then is lost to this structure, and comes back with the next copy.
 */
void fib_fast_more(struct fib_fast *fast, uint32_t pages);
void fib_fast_free(struct fib_fast *fast);

/* A leaf as the program reads it, and back. */
uint32_t fib_fast_leaf(const struct xrs_route *route);
struct xrs_route fib_fast_route(uint32_t leaf); /* source and generation are 0 */

/*
 * @prefix leads to @leaf, whose prefix length is its own. -ENOSPC: the pages are used up; the change is
 * carried out in part, and to be said again to a larger copy.
 */
int fib_fast_set(struct fib_fast *fast, const struct ip_prefix *prefix, uint32_t leaf);
/* @prefix is gone; @cover is the leaf of the longest shorter prefix that holds it, or 0. -ENOSPC. */
int fib_fast_del(struct fib_fast *fast, const struct ip_prefix *prefix, uint32_t cover);
/* The leaf of the longest prefix that holds @addr; 0: none. */
uint32_t fib_fast_lookup(const struct fib_fast *fast, const struct ip_addr *addr);
/* The leaf of the route of length 0, for xrs_fast_head. */
uint32_t fib_fast_otherwise(const struct fib_fast *fast);

/* Everything in @from to the empty @to, whose root is not smaller. -ENOSPC, -ENOMEM: @to is useless. */
int fib_fast_copy(struct fib_fast *to, const struct fib_fast *from);

/* Whether what is taken out of the tree waits for fib_fast_release(). At first not. */
void fib_fast_hold(struct fib_fast *fast, bool hold);
void fib_fast_release(struct fib_fast *fast);

struct fib_fast_figures {
	unsigned int root_bits;
	uint32_t pages, pages_used;
	uint32_t dense, ranges, index; /* nodes */
	size_t held;                   /* octets that wait for fib_fast_release() */
};
struct fib_fast_figures fib_fast_figures(const struct fib_fast *fast);

#endif
