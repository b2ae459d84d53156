// SPDX-License-Identifier: GPL-2.0-only
/*
 * Route tables: a pair of LPM tries each, pinned by name, put into the outer maps by index. What is in them is
 * fib_routes.c's affair, what becomes of them when they are closed fib_closed.c's.
 *
 * Called by the fib edge of the agent and tests. Writers take turns (one process; the lock says where there are two
 * threads). Never logs.
 */
#include "fib_maps_impl.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fib_table *fib_find_table(const struct fib_maps *maps, uint32_t index)
{
	if (index >= XRS_TABLE_MAX || !maps->tables[index].name[0])
		return NULL;
	return &maps->tables[index];
}

/* --- tables ------------------------------------------------------------------------------------------- */
static int table_name(const char *vnet, const char *table, char buf[static FIB_NAME_MAX])
{
	if (!*vnet || !*table)
		return -EINVAL;
	buf[0] = 0;
	if (pin_encode(buf, FIB_NAME_MAX - 1, vnet))
		return -EINVAL;
	strcat(buf, ".");
	return pin_encode(buf, FIB_NAME_MAX, table) ? -EINVAL : 0;
}

static int trie_path(const struct fib_maps *maps, const char *name, bool v6,
		     char buf[static FIB_PATH_MAX * 2])
{
	char dir[FIB_PATH_MAX];
	int ret = pin_dir(maps->instance, "tables", dir);

	if (ret)
		return ret;
	snprintf(buf, FIB_PATH_MAX * 2, "%s/%s.%s", dir, name, v6 ? "v6" : "v4");
	return 0;
}

int fib_trie_create(const struct fib_schema *schema, bool v6)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);

	if (schema->btf_fd >= 0) {
		opts.btf_fd = (uint32_t)schema->btf_fd;
		opts.btf_key_type_id = v6 ? schema->key6 : schema->key4;
		opts.btf_value_type_id = schema->route;
	}
	return bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, v6 ? "xrs_route6" : "xrs_route4",
			      (uint32_t)fib_key_size(v6), sizeof(struct xrs_route),
			      schema->max_routes ? schema->max_routes : XRS_ROUTE_MAX, &opts);
}

int fib_map_info(int fd, struct bpf_map_info *ret_info)
{
	uint32_t len = sizeof(*ret_info);

	memset(ret_info, 0, sizeof(*ret_info));
	return bpf_obj_get_info_by_fd(fd, ret_info, &len);
}

static bool trie_is_ours(int fd, bool v6)
{
	struct bpf_map_info info;

	return !fib_map_info(fd, &info) && info.type == BPF_MAP_TYPE_LPM_TRIE &&
	       info.key_size == fib_key_size(v6) && info.value_size == sizeof(struct xrs_route);
}

/* A pinned trie, or a new one that is pinned; its descriptor or negative errno. */
static int trie_open_path(const struct fib_maps *maps, const char *path, bool v6)
{
	int ret, fd = bpf_obj_get(path);

	if (fd >= 0 && !trie_is_ours(fd, v6)) {
		close(fd);
		return -EPROTO;
	}
	if (fd != -ENOENT)
		return fd;
	fd = fib_trie_create(&maps->schema, v6);
	if (fd < 0)
		return fd;
	ret = bpf_obj_pin(fd, path);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

static int trie_open(const struct fib_maps *maps, const char *name, bool v6)
{
	char path[FIB_PATH_MAX * 2], dir[FIB_PATH_MAX];
	int ret = trie_path(maps, name, v6, path);

	if (ret)
		return ret;
	pin_dir(maps->instance, "tables", dir);
	pin_dots(dir, true); /* a look for a name that is not there is refused as well */
	ret = trie_open_path(maps, path, v6);
	pin_dots(dir, false);
	return ret;
}

static int outer_fd(const struct fib_maps *maps, bool v6)
{
	return maps->fd[v6 ? FIB_MAP_TABLE6 : FIB_MAP_TABLE];
}

/* The id of the trie at @index of the outer map; 0: none. */
static uint32_t outer_id(const struct fib_maps *maps, uint32_t index, bool v6)
{
	uint32_t id;

	return bpf_map_lookup_elem(outer_fd(maps, v6), &index, &id) ? 0 : id;
}

static bool outer_has(const struct fib_maps *maps, uint32_t index, bool v6, int fd)
{
	struct bpf_map_info info;

	return !fib_map_info(fd, &info) && outer_id(maps, index, v6) == info.id;
}

/* One update of an outer map waits for RCU, about 10 ms: only where it changes something. */
static int outer_put(const struct fib_maps *maps, uint32_t index, bool v6, int fd)
{
	if (outer_has(maps, index, v6, fd))
		return 0;
	return bpf_map_update_elem(outer_fd(maps, v6), &index, &fd, BPF_ANY);
}

static int trie_install(struct fib_maps *maps, uint32_t index, const char *name, bool v6,
			int *ret_fd)
{
	int ret, fd = trie_open(maps, name, v6);

	if (fd < 0)
		return fd;
	fast_open(maps, &maps->tables[index].fast[v6], index, v6, outer_has(maps, index, v6, fd));
	ret = outer_put(maps, index, v6, fd);
	if (ret) {
		close(fd);
		return ret;
	}
	*ret_fd = fd;
	return 0;
}

int fib_maps_table_open(struct fib_maps *maps, uint32_t index, const char *vnet, const char *table)
{
	FIB_LOCKED(maps);
	char name[FIB_NAME_MAX];
	struct fib_table *slot;
	int ret, fd4, fd6;

	if (index >= XRS_TABLE_MAX)
		return -ERANGE;
	ret = table_name(vnet, table, name);
	if (ret)
		return ret;
	slot = &maps->tables[index];
	if (slot->name[0])
		return strcmp(slot->name, name) ? -EEXIST : 0;
	ret = trie_install(maps, index, name, false, &fd4);
	if (ret)
		return ret;
	ret = trie_install(maps, index, name, true, &fd6);
	if (ret) {
		close(fd4);
		return ret;
	}
	memcpy(slot->name, name, sizeof(name));
	slot->trie[0] = (struct fib_trie){ .fd = fd4 };
	slot->trie[1] = (struct fib_trie){ .fd = fd6 };
	return 0;
}

static int trie_retire(struct fib_maps *maps, uint32_t index, struct fib_table *table, bool v6)
{
	struct fib_closed *closed = malloc(sizeof(*closed));
	char path[FIB_PATH_MAX * 2];
	int ret;

	if (!closed)
		return -ENOMEM;
	fast_close(maps, &table->fast[v6]);
	ret = bpf_map_delete_elem(outer_fd(maps, v6), &index);
	if (!ret || ret == -ENOENT)
		ret = trie_path(maps, table->name, v6, path);
	if (ret) {
		free(closed);
		return ret;
	}
	fib_closed_add(maps, closed, table->trie[v6].fd, path);
	table->trie[v6].fd = -1;
	return 0;
}

int fib_maps_table_close(struct fib_maps *maps, uint32_t index)
{
	FIB_LOCKED(maps);
	struct fib_table *table = fib_find_table(maps, index);

	if (!table)
		return -ENOENT;
	for (int v6 = 0; v6 < 2; v6++) {
		int ret = table->trie[v6].fd < 0 ? 0 : trie_retire(maps, index, table, v6);

		if (ret)
			return ret;
	}
	table->name[0] = 0;
	return 0;
}

void fib_tables_done(struct fib_maps *maps)
{
	for (uint32_t i = 0; maps->tables && i < XRS_TABLE_MAX; i++) {
		struct fib_table *table = fib_find_table(maps, i);

		for (int v6 = 0; table && v6 < 2; v6++) {
			if (table->trie[v6].fd >= 0)
				close(table->trie[v6].fd);
			fast_done(&table->fast[v6]);
		}
	}
	while (maps->closed) {
		struct fib_closed *closed = maps->closed;

		maps->closed = closed->next;
		close(closed->fd);
		free(closed);
	}
}

/* --- the pinned tables -------------------------------------------------------------------------------- */
/* "<vnet>.<table>.v4" -> true with both names. The v6 twin comes and goes with it. */
static bool parse_pin(const char *name, struct fib_table_pin *ret_pin)
{
	const char *first = strchr(name, '.');
	const char *last = strrchr(name, '.');

	if (!first || first == last || strcmp(last, ".v4"))
		return false;
	return !pin_decode(name, (size_t)(first - name), ret_pin->vnet, sizeof(ret_pin->vnet)) &&
	       !pin_decode(first + 1, (size_t)(last - first - 1), ret_pin->table,
			   sizeof(ret_pin->table));
}

/* Where the outer map has the trie that is pinned at @path. */
static uint32_t pin_index(const uint32_t *ids, const char *path)
{
	struct bpf_map_info info;
	int ret, fd = bpf_obj_get(path);

	if (fd < 0)
		return FIB_TABLE_BAD;
	ret = fib_map_info(fd, &info);
	close(fd);
	for (uint32_t i = 0; !ret && i < XRS_TABLE_MAX; i++) {
		if (ids[i] == info.id)
			return i;
	}
	return FIB_TABLE_BAD;
}

static int scan_pins(DIR *dir, const char *path, const uint32_t *ids, struct fib_table_pin *pins,
		     size_t cap)
{
	const struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir))) {
		struct fib_table_pin pin;
		char file[FIB_PATH_MAX * 2];

		if (!parse_pin(entry->d_name, &pin))
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		pin.index = pin_index(ids, file);
		if ((size_t)n < cap)
			pins[n] = pin;
		n++;
	}
	return n;
}

int fib_maps_table_pins(const struct fib_maps *maps, struct fib_table_pin *pins, size_t cap)
{
	uint32_t ids[XRS_TABLE_MAX];
	char path[FIB_PATH_MAX];
	int ret = pin_dir(maps->instance, "tables", path);
	DIR *dir = ret ? NULL : opendir(path);

	if (!dir)
		return ret ? ret : -errno;
	for (uint32_t i = 0; i < XRS_TABLE_MAX; i++)
		ids[i] = outer_id(maps, i, false);
	ret = scan_pins(dir, path, ids, pins, cap);
	closedir(dir);
	return ret;
}
