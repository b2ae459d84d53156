// SPDX-License-Identifier: GPL-2.0-only
/*
 * What antiSpoof has learned (xrs_learned), and the ring of DHCP messages (xrs_snoop).
 *
 * Called by agent/node_learn.c and tests. Never logs.
 */
#include "fib_maps_impl.h"

#include <bpf/bpf.h>
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
struct snoop_reader {
	void (*fn)(void *ctx, const struct xrs_snoop_record *record);
	void *ctx;
};

static void tell(void *ctx, const void *record)
{
	const struct snoop_reader *reader = ctx;

	reader->fn(reader->ctx, record);
}

int fib_maps_snoop_open(struct fib_maps *maps)
{
	return fib_ring_open(&maps->snoop, maps->fd[FIB_MAP_SNOOP],
			     sizeof(struct xrs_snoop_record));
}

void fib_maps_snoop_close(struct fib_maps *maps)
{
	fib_ring_close(&maps->snoop);
}

void fib_maps_snoop_read(struct fib_maps *maps,
			 void (*fn)(void *ctx, const struct xrs_snoop_record *record), void *ctx)
{
	struct snoop_reader reader = { fn, ctx };

	fib_ring_read(&maps->snoop, tell, &reader);
}
