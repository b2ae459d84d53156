// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings that a program writes records of one size into, as fib_trace.c and fib_snoop.c read them. Called by those two.
 */
#include "fib_maps_impl.h"

#include <bpf/libbpf.h>
#include <errno.h>

static int on_record(void *ctx, void *data, size_t size)
{
	const struct fib_ring *ring = ctx;

	if (size == ring->size && ring->fn)
		ring->fn(ring->ctx, data);
	return 0;
}

int fib_ring_open(struct fib_ring *ring, int map, size_t size)
{
	ring->size = size;
	if (!ring->buffer)
		ring->buffer = ring_buffer__new(map, on_record, ring, NULL);
	return ring->buffer ? ring_buffer__epoll_fd(ring->buffer) : -errno;
}

void fib_ring_close(struct fib_ring *ring)
{
	ring_buffer__free(ring->buffer);
	ring->buffer = NULL;
}

void fib_ring_read(struct fib_ring *ring, void (*fn)(void *ctx, const void *record), void *ctx)
{
	ring->fn = fn;
	ring->ctx = ctx;
	if (ring->buffer)
		ring_buffer__consume(ring->buffer);
	ring->fn = NULL;
}
