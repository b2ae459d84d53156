// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timer queue: a binary min-heap in an array of node pointers. The event loop calls it; it never
 * reads a clock and never frees a node.
 */
#include <errno.h>
#include <stdlib.h>

#include "util/heap.h"

void heap_init(struct heap *heap)
{
	*heap = (struct heap){ 0 };
}

void heap_done(struct heap *heap)
{
	for (size_t i = 0; i < heap->count; i++)
		heap->nodes[i]->slot = 0;
	free(heap->nodes);
	*heap = (struct heap){ 0 };
}

static void place(struct heap *heap, struct heap_node *node, size_t at)
{
	heap->nodes[at] = node;
	node->slot = at + 1;
}

static void sift_up(struct heap *heap, struct heap_node *node, size_t at)
{
	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (!mono_before(node->key, heap->nodes[parent]->key))
			break;
		place(heap, heap->nodes[parent], at);
		at = parent;
	}
	place(heap, node, at);
}

static void sift_down(struct heap *heap, struct heap_node *node, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
		    mono_before(heap->nodes[child + 1]->key, heap->nodes[child]->key))
			child++;
		if (!mono_before(heap->nodes[child]->key, node->key))
			break;
		place(heap, heap->nodes[child], at);
		at = child;
	}
	place(heap, node, at);
}

static void settle(struct heap *heap, struct heap_node *node, size_t at)
{
	if (at > 0 && mono_before(node->key, heap->nodes[(at - 1) / 2]->key))
		sift_up(heap, node, at);
	else
		sift_down(heap, node, at);
}

static int make_room(struct heap *heap)
{
	size_t cap = heap->cap ? heap->cap * 2 : 16;
	struct heap_node **nodes;

	if (heap->count < heap->cap)
		return 0;
	nodes = reallocarray(heap->nodes, cap, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	heap->nodes = nodes;
	heap->cap = cap;
	return 0;
}

int heap_set(struct heap *heap, struct heap_node *node, struct mono key)
{
	if (!node->slot) {
		int err = make_room(heap);

		if (err)
			return err;
		place(heap, node, heap->count++);
	}
	node->key = key;
	settle(heap, node, node->slot - 1);
	return 0;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
	size_t at = node->slot - 1;
	struct heap_node *last;

	if (!node->slot)
		return;
	node->slot = 0;
	last = heap->nodes[--heap->count];
	if (last != node)
		settle(heap, last, at);
}

struct heap_node *heap_first(const struct heap *heap)
{
	return heap->count ? heap->nodes[0] : NULL;
}
