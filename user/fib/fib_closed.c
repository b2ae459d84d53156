// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tries that nobody uses any more: emptied piece by piece before the last reference goes, because the kernel frees
 * what is left in one piece. Until then they are pinned in closed/, so that whoever is killed leaves them to the next
 * process. Called by fib_tables.c, migrate.c and the agent's slices. Never logs.
 */
#include "fib_maps_impl.h"
#include "loader_impl.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int closed_path(const struct fib_maps *maps, uint32_t id, char buf[static FIB_PATH_MAX * 2])
{
	char dir[FIB_PATH_MAX];
	int ret = pin_dir(maps->instance, "closed", dir);

	if (!ret)
		snprintf(buf, FIB_PATH_MAX * 2, "%s/%u", dir, id);
	return ret;
}

/* To those that are emptied. Pinned until it is empty: whoever dies before leaves that to the next process. */
void fib_closed_add(struct fib_maps *maps, struct fib_closed *closed, int fd, const char *path)
{
	char dir[FIB_PATH_MAX], aside[FIB_PATH_MAX * 2];
	struct bpf_map_info info = { .id = 0 };

	fib_map_info(fd, &info);
	*closed = (struct fib_closed){ .next = maps->closed, .fd = fd, .id = info.id };
	maps->closed = closed;
	if (!pin_dir(maps->instance, "closed", dir))
		mkdir(dir, 0700);
	if (closed_path(maps, closed->id, aside) || rename(path, aside))
		unlink(path);
}

/* The first of them is empty: the last reference goes. */
static void closed_drop(struct fib_maps *maps)
{
	struct fib_closed *closed = maps->closed;
	char path[FIB_PATH_MAX * 2];

	maps->closed = closed->next;
	if (!closed_path(maps, closed->id, path))
		unlink(path);
	if (!maps->closed && !pin_dir(maps->instance, "closed", path))
		rmdir(path);
	close(closed->fd);
	free(closed);
}

/* --- giving back -------------------------------------------------------------------------------------- */
struct emptying { /* keys and values of one batch, of any layout */
	uint32_t key_size, value_size, cap;
	uint8_t *keys, *values;
};

static bool emptying_init(struct emptying *e, int fd, uint32_t cap)
{
	struct bpf_map_info info;

	*e = (struct emptying){ .cap = cap };
	if (fib_map_info(fd, &info) || info.type != BPF_MAP_TYPE_LPM_TRIE)
		return false;
	e->key_size = info.key_size;
	e->value_size = info.value_size;
	e->keys = calloc(cap, info.key_size);
	e->values = calloc(cap, info.value_size);
	return e->keys && e->values;
}

static void emptying_done(struct emptying *e)
{
	free(e->keys);
	free(e->values);
}

static uint32_t list_singly(const struct emptying *e, int fd)
{
	const uint8_t *after = NULL;
	uint32_t n = 0;

	while (n < e->cap && !bpf_map_get_next_key(fd, after, e->keys + n * e->key_size))
		after = e->keys + n++ * e->key_size;
	return n;
}

/* Deletes up to e->cap entries from the top; how many, 0 when the trie is empty or will not answer. */
static uint32_t empty_some(const struct emptying *e, int fd)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = 0);
	uint32_t count = e->cap, done = 0;
	uint8_t token[64];
	int ret = e->key_size > sizeof(token) ? -E2BIG
					      : bpf_map_lookup_batch(fd, NULL, token, e->keys,
								     e->values, &count, &opts);

	if (ret && ret != -ENOENT)
		count = list_singly(e, fd);
	while (done < count) {
		const uint8_t *keys = e->keys + done * e->key_size;
		uint32_t n = count - done;

		if (!bpf_map_delete_batch(fd, keys, &n, &opts))
			break;
		done += n < count - done ? n : 0;
		bpf_map_delete_elem(fd, e->keys + done++ * e->key_size);
	}
	return count;
}

void fib_trie_empty(int fd)
{
	struct emptying e;

	if (emptying_init(&e, fd, FIB_BATCH)) {
		while (empty_some(&e, fd))
			;
	}
	emptying_done(&e);
}

bool fib_maps_reap(struct fib_maps *maps, size_t budget)
{
	while (maps->closed && budget) {
		struct fib_closed *closed = maps->closed;
		struct emptying e;
		uint32_t done = 0;

		if (emptying_init(&e, closed->fd,
				  budget < FIB_BATCH ? (uint32_t)budget : FIB_BATCH))
			done = empty_some(&e, closed->fd);
		emptying_done(&e);
		budget -= done;
		if (!done)
			closed_drop(maps);
	}
	return maps->closed;
}

/* Maps of any kind and programs; without memory the kernel gives it back in one piece. */
static void take_gone(void *ctx, int fd, const char *path)
{
	struct fib_maps *maps = ctx;
	struct bpf_map_info info;
	bool trie = !fib_map_info(fd, &info) && info.type == BPF_MAP_TYPE_LPM_TRIE;
	struct fib_closed *closed = trie ? malloc(sizeof(*closed)) : NULL;

	if (closed) {
		fib_closed_add(maps, closed, fd, path);
		return;
	}
	unlink(path);
	close(fd);
}

/* What an earlier process had begun to empty: what is in closed/ is named by its id already. */
static void take_closed(struct fib_maps *maps)
{
	char dir[FIB_PATH_MAX], path[LOADER_PATH_MAX];
	const struct dirent *entry;
	DIR *stream;

	pin_dir(maps->instance, "closed", dir);
	stream = opendir(dir);
	while (stream && (entry = readdir(stream))) {
		int fd;

		snprintf(path, sizeof(path), "%s/%.200s", dir, entry->d_name);
		fd = entry->d_type == DT_DIR ? -1 : bpf_obj_get(path);
		if (fd >= 0)
			take_gone(maps, fd, path);
	}
	if (stream)
		closedir(stream);
}

void fib_closed_take_gone(struct fib_maps *maps)
{
	take_closed(maps);
	migrate_take_gone(maps->instance, take_gone, maps);
}
