// SPDX-License-Identifier: GPL-2.0-only
/*
 * What antiSpoof has learned (xrs_learned), and the ring of DHCP messages (xrs_snoop).
 *
 * Called by agent/node_learn.c and tests. Never logs.
 */
#include "fib_maps_impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

/* --- learned sources ---------------------------------------------------------------------------------- */
int fib_maps_learned_set(struct fib_maps *maps, const struct xrs_learned_key *key,
			 const struct xrs_learned *learned)
{
	return bpf_map_update_elem(maps->fd[FIB_MAP_LEARNED], key, learned, BPF_ANY);
}

int fib_maps_learned_get(const struct fib_maps *maps, const struct xrs_learned_key *key,
			 struct xrs_learned *ret_learned)
{
	return bpf_map_lookup_elem(maps->fd[FIB_MAP_LEARNED], key, ret_learned);
}

int fib_maps_learned_del(struct fib_maps *maps, const struct xrs_learned_key *key)
{
	int ret = bpf_map_delete_elem(maps->fd[FIB_MAP_LEARNED], key);

	return ret == -ENOENT ? 0 : ret;
}

int fib_maps_learned_next(const struct fib_maps *maps, const struct xrs_learned_key *key,
			  struct xrs_learned_key *ret_key)
{
	return bpf_map_get_next_key(maps->fd[FIB_MAP_LEARNED], key, ret_key);
}

/* --- DHCP messages ------------------------------------------------------------------------------------ */
struct fib_snoop_reader {
	void (*fn)(void *ctx, const struct xrs_snoop_record *record);
	void *ctx;
};

static int on_record(void *ctx, void *data, size_t size)
{
	const struct fib_maps *maps = ctx;

	if (size == sizeof(struct xrs_snoop_record) && maps->snoop_reader)
		maps->snoop_reader->fn(maps->snoop_reader->ctx, data);
	return 0;
}

int fib_maps_snoop_open(struct fib_maps *maps)
{
	if (!maps->snoop)
		maps->snoop = ring_buffer__new(maps->fd[FIB_MAP_SNOOP], on_record, maps, NULL);
	return maps->snoop ? ring_buffer__epoll_fd(maps->snoop) : -errno;
}

void fib_maps_snoop_close(struct fib_maps *maps)
{
	ring_buffer__free(maps->snoop);
	maps->snoop = NULL;
}

void fib_maps_snoop_read(struct fib_maps *maps,
			 void (*fn)(void *ctx, const struct xrs_snoop_record *record), void *ctx)
{
	struct fib_snoop_reader reader = { fn, ctx };

	maps->snoop_reader = &reader;
	if (maps->snoop)
		ring_buffer__consume(maps->snoop);
	maps->snoop_reader = NULL;
}
