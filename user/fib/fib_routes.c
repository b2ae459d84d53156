// SPDX-License-Identifier: GPL-2.0-only
/*
 * Routes of the tables: written and removed in batches, exact and longest match, walks. Called by the fib edge of
 * the agent, the API and tests. Writers take turns (one process; the lock says where there are two threads).
 * Never logs.
 */
#include "fib_maps_impl.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#define NOMEM_TRIES \
	5 /* the trie's allocator is refilled from irq_work: a moment later there is room */

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

static struct fib_trie *find_trie(const struct fib_maps *maps, uint32_t index,
				  enum ip_family family)
{
	struct fib_table *table = fib_find_table(maps, index);

	if (!table || (family != IP_V4 && family != IP_V6))
		return NULL;
	return &table->trie[family == IP_V6];
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

/* fib_maps_count() reads it without the lock. */
static void count_set(struct fib_trie *trie, size_t count)
{
	__atomic_store_n(&trie->count, count, __ATOMIC_RELAXED);
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
		count_set(trie, trie->count - (trie->count > 0));
	else
		count_set(trie, trie->count + route->fresh);
	return 0;
}

/* Those of @routes that are still to be written, into the buffer; how many. */
static uint32_t fill_buffer(struct fib_buffer *buffer, bool v6, struct fib_route *routes,
			    uint32_t n)
{
	size_t size = fib_key_size(v6);
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
	size_t size = fib_key_size(v6);
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

	if (!fib_find_table(maps, table))
		return -ENOENT;
	while (n) {
		enum ip_family family = routes->prefix.addr.family;
		uint32_t len = same_family(routes, n);

		if (find_trie(maps, table, family)) {
			failed += run_routes(maps, op, fib_find_table(maps, table), family == IP_V6,
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
	size_t size = fib_key_size(v6);
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
		memcpy(in, after, fib_key_size(v6));
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
	size_t size = fib_key_size(v6);
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
		count_set(trie, count);
}
