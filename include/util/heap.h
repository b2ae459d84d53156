/* SPDX-License-Identifier: GPL-2.0-only */
/* A binary min-heap of embedded nodes keyed by a time: the timer queue of the event loop. Pure. */
#ifndef XRS_UTIL_HEAP_H
#define XRS_UTIL_HEAP_H

#include <stddef.h>

#include "util/mono.h"

struct heap_node {
	struct mono key;
	size_t slot; /* 0: not in a heap; else position + 1 */
};

struct heap {
	struct heap_node **nodes;
	size_t count, cap;
};

void heap_init(struct heap *heap);
void heap_done(struct heap *heap); /* frees the array, not the nodes */
/* Inserts, or moves when already in. 0 or -ENOMEM. */
int heap_set(struct heap *heap, struct heap_node *node, struct mono key);
void heap_remove(struct heap *heap, struct heap_node *node); /* no effect when absent */
struct heap_node *heap_first(const struct heap *heap);       /* NULL when empty */

#endif
