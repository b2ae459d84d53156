// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of one derived structure: chunks, each an array map of one entry that is mapped here, side by side,
 * so that fib_fast.c sees one piece; and the outer maps where the program finds them. Called by fast_maps.c.
 *
 * One entry of a fixed size, because the program then reads it without calling the kernel for each address. Hence
 * three sizes: small tables have one small chunk.
 *
 * An outer map that is changed waits until no program reads what stood there (an RCU grace period, about 10 ms).
 */
#include "fib_maps_impl.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct kind {
	uint32_t chunk; /* octets */
	uint32_t most;  /* chunks of one structure */
	enum fib_map map;
} kinds[] = {
	{ XRS_FAST_SMALL, 1, FIB_MAP_FAST_SMALL },
	{ XRS_FAST_MIDDLE, 1, FIB_MAP_FAST_MIDDLE },
	{ XRS_FAST_LARGE, XRS_FAST_CHUNKS, FIB_MAP_FAST_LARGE },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* Of addresses, for all chunks that there may be. */
static size_t reserved(const struct kind *kind)
{
	return (size_t)kind->chunk * kind->most;
}

/* The kind with the smallest chunks that are enough; NULL: none is. */
static const struct kind *kind_for(size_t size)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (size <= reserved(&kinds[i]))
			return &kinds[i];
	}
	return NULL;
}

static int map_create(uint32_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "xrs_fast_chunk", sizeof(uint32_t), size, 1,
			      &opts);
}

int fast_memory_more(struct fast_memory *memory)
{
	uint8_t *at = (uint8_t *)memory->at + memory->size;
	int fd;

	if (memory->n == kinds[memory->kind].most)
		return -ENOSPC;
	fd = map_create(memory->chunk);
	if (fd < 0)
		return fd;
	memory->fd[memory->n++] = fd;
	if (mmap(at, memory->chunk, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
	    MAP_FAILED)
		return -errno;
	memory->size += memory->chunk;
	return 0;
}

int fast_memory_new(size_t size, struct fast_memory *ret)
{
	const struct kind *kind = kind_for(size);
	int error = 0;
	size_t n;

	if (!kind)
		return -E2BIG;
	n = (size + kind->chunk - 1) / kind->chunk;
	*ret = (struct fast_memory){ .kind = (uint32_t)(kind - kinds), .chunk = kind->chunk };
	/* Place for as many as there may be; each is mapped over its part. */
	ret->at = mmap(NULL, reserved(kind), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);
	if (ret->at == MAP_FAILED)
		return -errno;
	while (!error && ret->n < n)
		error = fast_memory_more(ret);
	if (error)
		fast_memory_free(ret);
	return error;
}

void fast_memory_free(struct fast_memory *memory)
{
	munmap(memory->at, reserved(&kinds[memory->kind]));
	for (uint32_t i = 0; i < memory->n; i++)
		close(memory->fd[i]);
	*memory = (struct fast_memory){ 0 };
}

/* --- where the program finds it -------------------------------------------------------------------------- */
/* What is there but the first @keep chunks of kind @kept: the last one first, so that the first tells of all. */
static void remove_others(const struct fib_maps *maps, uint32_t index, size_t kept, uint32_t keep)
{
	for (size_t i = 0; i < KINDS; i++) {
		int fd = maps->fd[kinds[i].map];
		uint32_t id;

		for (uint32_t n = kinds[i].most; n-- > (i == kept ? keep : 0);) {
			uint32_t key = index * kinds[i].most + n;

			if (!bpf_map_lookup_elem(fd, &key, &id))
				bpf_map_delete_elem(fd, &key);
		}
	}
}

int fast_memory_show(const struct fib_maps *maps, uint32_t index, const struct fast_memory *memory)
{
	const struct kind *kind = &kinds[memory->kind];
	uint32_t keys[XRS_FAST_CHUNKS], n = memory->n;
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	int fd = maps->fd[kind->map];

	for (uint32_t i = 0; i < n; i++)
		keys[i] = index * kind->most + i;
	/* All at once, with one wait; before 5.19 one by one. */
	if (n == 1 || bpf_map_update_batch(fd, keys, memory->fd, &n, &opts)) {
		for (uint32_t i = 0; i < memory->n; i++) {
			int error = bpf_map_update_elem(fd, &keys[i], &memory->fd[i], BPF_ANY);

			if (error)
				return error;
		}
	}
	remove_others(maps, index, memory->kind, memory->n);
	return 0;
}

void fast_memory_hide(const struct fib_maps *maps, uint32_t index)
{
	remove_others(maps, index, KINDS, 0);
}

bool fast_memory_is_shown(const struct fib_maps *maps, uint32_t index)
{
	uint32_t id, key;

	for (size_t i = 0; i < KINDS; i++) {
		key = index * kinds[i].most;
		if (!bpf_map_lookup_elem(maps->fd[kinds[i].map], &key, &id))
			return true;
	}
	return false;
}

void fast_memory_wait(const struct fib_maps *maps, uint32_t index, const struct fast_memory *memory)
{
	const struct kind *kind = &kinds[memory->kind];
	uint32_t key = index * kind->most;

	bpf_map_update_elem(maps->fd[kind->map], &key, &memory->fd[0], BPF_ANY);
}
