// SPDX-License-Identifier: GPL-2.0-only
/* The timer queue. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "util/heap.h"

static struct heap heap;

static void setup(void)
{
	heap_init(&heap);
}

static void teardown(void)
{
	heap_done(&heap);
}

TestSuite(heap, .init = setup, .fini = teardown);

static struct mono at(uint64_t usec)
{
	return (struct mono){ .usec = usec };
}

Test(heap, empty)
{
	struct heap_node node = { 0 };

	cr_assert_null(heap_first(&heap));
	heap_remove(&heap, &node);
	cr_assert_eq(node.slot, 0);
}

Test(heap, first_is_the_earliest)
{
	struct heap_node nodes[3] = { 0 };

	heap_set(&heap, &nodes[0], at(30));
	heap_set(&heap, &nodes[1], at(10));
	heap_set(&heap, &nodes[2], at(20));
	cr_assert_eq(heap_first(&heap), &nodes[1]);
	heap_remove(&heap, &nodes[1]);
	cr_assert_eq(nodes[1].slot, 0);
	cr_assert_eq(heap_first(&heap), &nodes[2]);
}

Test(heap, set_again_moves)
{
	struct heap_node a = { 0 }, b = { 0 };

	heap_set(&heap, &a, at(10));
	heap_set(&heap, &b, at(20));
	heap_set(&heap, &a, at(30));
	cr_assert_eq(heap_first(&heap), &b);
	heap_set(&heap, &a, at(5));
	cr_assert_eq(heap_first(&heap), &a);
	cr_assert_eq(heap.count, 2);
}

Test(heap, remove_twice_and_insert_again)
{
	struct heap_node a = { 0 };

	heap_set(&heap, &a, at(10));
	heap_remove(&heap, &a);
	heap_remove(&heap, &a);
	cr_assert_null(heap_first(&heap));
	heap_set(&heap, &a, at(10));
	cr_assert_eq(heap_first(&heap), &a);
}

Test(heap, equal_keys_all_come_out)
{
	struct heap_node nodes[50] = { 0 };

	for (int i = 0; i < 50; i++)
		heap_set(&heap, &nodes[i], at(7));
	for (int i = 0; i < 50; i++)
		heap_remove(&heap, heap_first(&heap));
	cr_assert_null(heap_first(&heap));
}

Test(heap, done_frees_the_nodes_from_it)
{
	struct heap_node a = { 0 };

	heap_set(&heap, &a, at(1));
	heap_done(&heap);
	cr_assert_eq(a.slot, 0);
	heap_done(&heap);
}

/* Random sets, moves and removals against a scan of all nodes. */
Test(heap, like_a_scan)
{
	enum {
		NODES = 500
	};
	static struct heap_node nodes[NODES];

	srand(11);
	for (int step = 0; step < 50000; step++) {
		struct heap_node *node = &nodes[rand() % NODES];
		uint64_t earliest = UINT64_MAX;
		size_t count = 0;

		if (rand() % 3)
			cr_assert_eq(heap_set(&heap, node, at((uint64_t)rand() % 1000)), 0);
		else
			heap_remove(&heap, node);
		for (int i = 0; i < NODES; i++) {
			if (!nodes[i].slot)
				continue;
			count++;
			cr_assert_eq(heap.nodes[nodes[i].slot - 1], &nodes[i]);
			if (nodes[i].key.usec < earliest)
				earliest = nodes[i].key.usec;
		}
		cr_assert_eq(heap.count, count);
		if (count)
			cr_assert_eq(heap_first(&heap)->key.usec, earliest, "step %d", step);
	}
}

Test(heap, comes_out_sorted)
{
	static struct heap_node nodes[2000];
	uint64_t last = 0;

	srand(12);
	for (int i = 0; i < 2000; i++)
		heap_set(&heap, &nodes[i], at((uint64_t)rand()));
	while (heap_first(&heap)) {
		struct heap_node *node = heap_first(&heap);

		cr_assert_geq(node->key.usec, last);
		last = node->key.usec;
		heap_remove(&heap, node);
	}
}
