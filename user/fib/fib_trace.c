// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the programs tell about single routes and packets: counters by route, and the ring of traces.
 *
 * Called by the fib edge of the agent, the API and tests. Never logs.
 */
#include "fib_maps_impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

/* --- counters by route -------------------------------------------------------------------------------- */
static struct xrs_route_stats_key stats_key(uint32_t table, const struct ip_prefix *prefix)
{
	struct xrs_route_stats_key key = { .table = table,
					   .family = prefix->addr.family,
					   .prefix_len = prefix->len };

	memcpy(key.addr, prefix->addr.bytes, sizeof(key.addr));
	return key;
}

int fib_maps_route_stats(const struct fib_maps *maps, uint32_t table,
			 const struct ip_prefix *prefix, struct xrs_route_stats *ret_stats)
{
	struct xrs_route_stats_key key = stats_key(table, prefix);

	memset(ret_stats, 0, sizeof(*ret_stats));
	return bpf_map_lookup_elem(maps->fd[FIB_MAP_ROUTE_STATS], &key, ret_stats);
}

void fib_maps_route_stats_drop(struct fib_maps *maps, uint32_t table,
			       const struct fib_route *routes, size_t n)
{
	if (!__atomic_load_n(&maps->route_counters, __ATOMIC_RELAXED))
		return;
	for (size_t i = 0; i < n; i++) {
		struct xrs_route_stats_key key = stats_key(table, &routes[i].prefix);

		if (!routes[i].error)
			bpf_map_delete_elem(maps->fd[FIB_MAP_ROUTE_STATS], &key);
	}
}

static void clear_route_stats(struct fib_maps *maps)
{
	int fd = maps->fd[FIB_MAP_ROUTE_STATS];
	struct xrs_route_stats_key key;

	while (bpf_map_get_next_key(fd, NULL, &key) == 0 && bpf_map_delete_elem(fd, &key) == 0)
		;
}

void fib_maps_route_counters(struct fib_maps *maps, bool on)
{
	if (!on)
		clear_route_stats(maps);
	__atomic_store_n(&maps->route_counters, on, __ATOMIC_RELAXED);
}

/* --- traces --------------------------------------------------------------------------------------------- */
struct fib_trace_reader {
	void (*fn)(void *ctx, const struct xrs_trace_record *record);
	void *ctx;
};

static int on_record(void *ctx, void *data, size_t size)
{
	const struct fib_maps *maps = ctx;

	if (size == sizeof(struct xrs_trace_record) && maps->trace_reader)
		maps->trace_reader->fn(maps->trace_reader->ctx, data);
	return 0;
}

int fib_maps_trace_open(struct fib_maps *maps)
{
	if (!maps->trace)
		maps->trace = ring_buffer__new(maps->fd[FIB_MAP_TRACE], on_record, maps, NULL);
	return maps->trace ? ring_buffer__epoll_fd(maps->trace) : -errno;
}

void fib_maps_trace_close(struct fib_maps *maps)
{
	ring_buffer__free(maps->trace);
	maps->trace = NULL;
}

int fib_maps_trace_rule(struct fib_maps *maps, const struct xrs_trace_rule *rule)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(maps->fd[FIB_MAP_TRACE_RULE], &zero, rule, BPF_ANY);
}

void fib_maps_trace_read(struct fib_maps *maps,
			 void (*fn)(void *ctx, const struct xrs_trace_record *record), void *ctx)
{
	struct fib_trace_reader reader = { fn, ctx };

	maps->trace_reader = &reader;
	if (maps->trace)
		ring_buffer__consume(maps->trace);
	maps->trace_reader = NULL;
}
