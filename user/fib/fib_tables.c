// SPDX-License-Identifier: GPL-2.0-only
/*
 * Route tables: a pair of LPM tries each, pinned by name, put into the outer maps by index; routes in
 * batches, exact and longest match, walks, and the slow emptying of what is closed.
 *
 * Called by the fib edge of the agent, the API and tests. Writers take turns (one process; the lock says
 * where there are two threads). Never logs, never drops a trie that still holds more than a handful of entries.
 */
#include "fib_maps_impl.h"
#include "loader_impl.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOMEM_TRIES \
	5 /* the trie's allocator is refilled from irq_work: a moment later there is room */

static size_t key_size(bool v6)
{
	return v6 ? sizeof(struct xrs_key6) : sizeof(struct xrs_key4);
}

/* Both keys are a prefix length in host order and the octets of the address. */
static void key_write(uint8_t *key, const struct ip_prefix *prefix)
{
	uint32_t len = prefix->len;

	memcpy(key, &len, sizeof(len));
	memcpy(key + sizeof(len), prefix->addr.bytes, ip_bytes(prefix->addr.family));
}

static void key_read(const uint8_t *key, bool v6, struct ip_prefix *ret_prefix)
{
	uint32_t len;

	memcpy(&len, key, sizeof(len));
	*ret_prefix = (struct ip_prefix){
		.addr = ip_from_bytes(v6 ? IP_V6 : IP_V4, key + sizeof(len)),
		.len = (uint8_t)len,
	};
}

static struct fib_table *find_table(const struct fib_maps *maps, uint32_t index)
{
	if (index >= XRS_TABLE_MAX || !maps->tables[index].name[0])
		return NULL;
	return &maps->tables[index];
}

static struct fib_trie *find_trie(const struct fib_maps *maps, uint32_t index,
				  enum ip_family family)
{
	struct fib_table *table = find_table(maps, index);

	if (!table || (family != IP_V4 && family != IP_V6))
		return NULL;
	return &table->trie[family == IP_V6];
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
			      (uint32_t)key_size(v6), sizeof(struct xrs_route),
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
	       info.key_size == key_size(v6) && info.value_size == sizeof(struct xrs_route);
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

static int closed_path(const struct fib_maps *maps, uint32_t id, char buf[static FIB_PATH_MAX * 2])
{
	char dir[FIB_PATH_MAX];
	int ret = pin_dir(maps->instance, "closed", dir);

	if (!ret)
		snprintf(buf, FIB_PATH_MAX * 2, "%s/%u", dir, id);
	return ret;
}

/* To those that are emptied. Pinned until it is empty: whoever dies before leaves that to the next process. */
static void closed_add(struct fib_maps *maps, struct fib_closed *closed, int fd, const char *path)
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
	closed_add(maps, closed, table->trie[v6].fd, path);
	table->trie[v6].fd = -1;
	return 0;
}

int fib_maps_table_close(struct fib_maps *maps, uint32_t index)
{
	FIB_LOCKED(maps);
	struct fib_table *table = find_table(maps, index);

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
		struct fib_table *table = find_table(maps, i);

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

/* --- writing routes ----------------------------------------------------------------------------------- */
struct route_op {
	bool del;
	/* The whole batch. Sets *count to the entries that were done before a failure. */
	int (*batch)(int fd, const void *keys, const void *values, uint32_t *count,
		     const struct bpf_map_batch_opts *opts);
	int (*single)(int fd, const void *key, const void *value);
};

static int delete_batch(int fd, const void *keys, const void *values, uint32_t *count,
			const struct bpf_map_batch_opts *opts)
{
	return bpf_map_delete_batch(fd, keys, count, opts);
}

static int update_single(int fd, const void *key, const void *value)
{
	return bpf_map_update_elem(fd, key, value, BPF_ANY);
}

static int delete_single(int fd, const void *key, const void *value)
{
	return bpf_map_delete_elem(fd, key);
}

static const struct route_op op_set = { false, bpf_map_update_batch, update_single };
static const struct route_op op_del = { true, delete_batch, delete_single };

/*
 * Entries done. After an error the kernel says how many; when it failed before it began the number is
 * still the one that was asked for.
 */
static uint32_t run_batch(struct fib_maps *maps, const struct route_op *op, int fd,
			  const uint8_t *keys, const struct xrs_route *values, uint32_t n)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = 0);
	uint32_t count = n;
	int ret;

	if (__atomic_load_n(&maps->no_batch, __ATOMIC_RELAXED))
		return 0;
	ret = op->batch(fd, keys, values, &count, &opts);
	if (!ret)
		return n;
	if (ret == -524 || ret == -EOPNOTSUPP) /* 524: the kernel's ENOTSUPP has no name here */
		__atomic_store_n(&maps->no_batch, true, __ATOMIC_RELAXED);
	return count < n ? count : 0;
}

static int run_single(const struct route_op *op, int fd, const void *key, const void *value)
{
	int ret = -ENOMEM;

	for (int i = 0; i < NOMEM_TRIES && ret == -ENOMEM; i++) {
		if (i)
			sched_yield();
		ret = op->single(fd, key, value);
	}
	return ret;
}

/* Books the outcome of one entry; 1 when it failed. */
static int book(struct fib_trie *trie, const struct route_op *op, struct fib_route *route,
		int error)
{
	if (op->del && error == -ENOENT) {
		route->error = 0;
		return 0;
	}
	route->error = error;
	if (error)
		return 1;
	if (op->del)
		trie->count -= trie->count > 0;
	else
		trie->count += route->fresh;
	return 0;
}

/* Those of @routes that are still to be written, into the buffer; how many. */
static uint32_t fill_buffer(struct fib_buffer *buffer, bool v6, struct fib_route *routes,
			    uint32_t n)
{
	size_t size = key_size(v6);
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (buffer->moved[i])
			continue;
		key_write(buffer->keys + count * size, &routes[i].prefix);
		buffer->values[count] = routes[i].value;
		buffer->of[count++] = &routes[i];
	}
	return count;
}

/* What is in the buffer: batches as far as they go, single calls where they stop. */
static int run_trie(struct fib_maps *maps, const struct route_op *op, struct fib_trie *trie,
		    bool v6, uint32_t n)
{
	struct fib_buffer *buffer = maps->buffer;
	size_t size = key_size(v6);
	int failed = 0;

	for (uint32_t at = 0; at < n;) {
		const uint8_t *keys = buffer->keys + at * size;
		uint32_t done = run_batch(maps, op, trie->fd, keys, buffer->values + at, n - at);

		for (uint32_t i = 0; i < done; i++)
			failed += book(trie, op, buffer->of[at + i], 0);
		at += done;
		if (at == n)
			break;
		failed += book(
			trie, op, buffer->of[at],
			run_single(op, trie->fd, buffer->keys + at * size, buffer->values + at));
		at++;
	}
	return failed;
}

/* At most FIB_BATCH entries of one family. */
static int run_routes(struct fib_maps *maps, const struct route_op *op, struct fib_table *table,
		      bool v6, struct fib_route *routes, uint32_t n)
{
	FIB_LOCKED(maps);
	struct fib_trie *trie = &table->trie[v6];
	bool *moved = maps->buffer->moved;
	int failed;

	for (uint32_t i = 0; i < n; i++) {
		routes[i].value.prefix_len = routes[i].prefix.len;
		routes[i].error = 0;
	}
	fast_before(maps, &table->fast[v6], op->del, n);
	if (op->del)
		memset(moved, 0, n * sizeof(*moved));
	else
		fib_move(maps, (uint32_t)(table - maps->tables), v6, routes, n, moved);
	failed = run_trie(maps, op, trie, v6, fill_buffer(maps->buffer, v6, routes, n));
	fast_after(maps, &table->fast[v6], trie->count, op->del, routes, n);
	return failed;
}

/* Entries from the start that belong to one trie and fit one batch. */
static uint32_t same_family(const struct fib_route *routes, size_t n)
{
	uint32_t len = 1;

	while (len < n && len < FIB_BATCH &&
	       routes[len].prefix.addr.family == routes[0].prefix.addr.family)
		len++;
	return len;
}

static int all_routes(struct fib_maps *maps, const struct route_op *op, uint32_t table,
		      struct fib_route *routes, size_t n)
{
	int failed = 0;

	if (!find_table(maps, table))
		return -ENOENT;
	while (n) {
		enum ip_family family = routes->prefix.addr.family;
		uint32_t len = same_family(routes, n);

		if (find_trie(maps, table, family)) {
			failed += run_routes(maps, op, find_table(maps, table), family == IP_V6,
					     routes, len);
		} else {
			for (uint32_t i = 0; i < len; i++)
				routes[i].error = -EAFNOSUPPORT;
			failed += (int)len;
		}
		routes += len;
		n -= len;
	}
	return failed;
}

int fib_maps_routes_set(struct fib_maps *maps, uint32_t table, struct fib_route *routes, size_t n)
{
	return all_routes(maps, &op_set, table, routes, n);
}

int fib_maps_routes_del(struct fib_maps *maps, uint32_t table, struct fib_route *routes, size_t n)
{
	return all_routes(maps, &op_del, table, routes, n);
}

/* --- reading ------------------------------------------------------------------------------------------ */
int fib_maps_route_get(const struct fib_maps *maps, uint32_t table, const struct ip_prefix *prefix,
		       struct xrs_route *ret_route)
{
	const struct fib_trie *trie = find_trie(maps, table, prefix->addr.family);
	uint8_t key[sizeof(struct xrs_key6)];
	struct xrs_route route;
	int ret;

	if (!trie)
		return -ENOENT;
	key_write(key, prefix);
	ret = bpf_map_lookup_elem(trie->fd, key, &route);
	if (ret)
		return ret;
	if (route.prefix_len != prefix->len) /* the kernel matched a shorter one */
		return -ENOENT;
	*ret_route = route;
	return 0;
}

int fib_maps_route_cover(const struct fib_maps *maps, uint32_t table,
			 const struct ip_prefix *prefix, struct xrs_route *ret_route)
{
	const struct fib_trie *trie = find_trie(maps, table, prefix->addr.family);
	uint8_t key[sizeof(struct xrs_key6)];

	if (!trie)
		return -ENOENT;
	key_write(key, prefix);
	return bpf_map_lookup_elem(trie->fd, key, ret_route);
}

int fib_maps_route_match(const struct fib_maps *maps, uint32_t table, const struct ip_addr *addr,
			 struct xrs_route *ret_route)
{
	struct ip_prefix host = { *addr, (uint8_t)ip_bits(addr->family) };

	return fib_maps_route_cover(maps, table, &host, ret_route);
}

void fib_walk_init(struct fib_walk *walk, uint32_t table, enum ip_family family)
{
	*walk = (struct fib_walk){ .table = table, .family = family };
}

/* One after the other, for kernels without batches. */
static int read_singly(int fd, const void *after, bool v6, struct fib_buffer *buffer,
		       uint32_t *count)
{
	size_t size = key_size(v6);
	uint32_t n = 0;
	int ret = 0;

	while (n < *count) {
		uint8_t *key = buffer->keys + n * size;

		ret = bpf_map_get_next_key(fd, after, key);
		if (!ret)
			ret = bpf_map_lookup_elem(fd, key, &buffer->values[n]);
		if (ret)
			break;
		after = key;
		n++;
	}
	*count = n;
	return ret;
}

/* Up to *count entries behind @after (NULL: from the start). 0, or -ENOENT when they are the last. */
static int read_batch(const struct fib_maps *maps, int fd, const void *after, bool v6,
		      struct fib_buffer *buffer, uint32_t *count)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = 0);
	uint8_t in[sizeof(struct xrs_key6)], out[sizeof(struct xrs_key6)];
	uint32_t asked = *count;
	int ret = -524;

	if (after)
		memcpy(in, after, key_size(v6));
	if (!__atomic_load_n(&maps->no_batch, __ATOMIC_RELAXED))
		ret = bpf_map_lookup_batch(fd, after ? in : NULL, out, buffer->keys, buffer->values,
					   count, &opts);
	if (ret != -524 && ret != -EOPNOTSUPP)
		return ret;
	*count = asked;
	return read_singly(fd, after, v6, buffer, count);
}

/* The kernel starts from the top when the entry at which a walk stands is gone. */
static bool walk_is_stale(const struct fib_trie *trie, const struct fib_walk *walk)
{
	struct xrs_route route;
	uint32_t len;

	memcpy(&len, walk->key, sizeof(len));
	return bpf_map_lookup_elem(trie->fd, walk->key, &route) || route.prefix_len != len;
}

static int walk_on(const struct fib_maps *maps, struct fib_walk *walk, struct fib_buffer *buffer,
		   struct fib_route *routes, size_t cap, size_t *ret_n)
{
	const struct fib_trie *trie = find_trie(maps, walk->table, walk->family);
	uint32_t count = cap < FIB_BATCH ? (uint32_t)cap : FIB_BATCH;
	bool v6 = walk->family == IP_V6;
	size_t size = key_size(v6);
	int ret;

	if (!trie)
		return -ENOENT;
	if (walk->done || !count) {
		*ret_n = 0;
		return 0;
	}
	if (walk->started && walk_is_stale(trie, walk))
		return -ESTALE;
	ret = read_batch(maps, trie->fd, walk->started ? walk->key : NULL, v6, buffer, &count);
	if (ret && ret != -ENOENT)
		return ret;
	for (uint32_t i = 0; i < count; i++) {
		routes[i] = (struct fib_route){ .value = buffer->values[i] };
		key_read(buffer->keys + i * size, v6, &routes[i].prefix);
	}
	if (count)
		memcpy(walk->key, buffer->keys + (count - 1) * size, size);
	walk->started = true;
	walk->done = ret == -ENOENT;
	*ret_n = count;
	return 0;
}

int fib_maps_walk(const struct fib_maps *maps, struct fib_walk *walk, struct fib_route *routes,
		  size_t cap, size_t *ret_n)
{
	return walk_on(maps, walk, maps->reading, routes, cap, ret_n);
}

int fib_walk_locked(const struct fib_maps *maps, struct fib_walk *walk, struct fib_route *routes,
		    size_t cap, size_t *ret_n)
{
	return walk_on(maps, walk, maps->buffer, routes, cap, ret_n);
}

uint64_t fib_maps_moved(const struct fib_maps *maps)
{
	return __atomic_load_n(&maps->moved, __ATOMIC_RELAXED);
}

size_t fib_maps_count(const struct fib_maps *maps, uint32_t table, enum ip_family family)
{
	const struct fib_trie *trie = find_trie(maps, table, family);

	/* Not under the lock: a figure that is a batch old is as good. */
	return trie ? __atomic_load_n(&trie->count, __ATOMIC_RELAXED) : 0;
}

void fib_maps_counted(struct fib_maps *maps, uint32_t table, enum ip_family family, size_t count)
{
	FIB_LOCKED(maps);
	struct fib_trie *trie = find_trie(maps, table, family);

	if (trie)
		trie->count = count;
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
		closed_add(maps, closed, fd, path);
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

void fib_tables_take_gone(struct fib_maps *maps)
{
	take_closed(maps);
	migrate_take_gone(maps->instance, take_gone, maps);
}
