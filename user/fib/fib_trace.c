// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the programs tell about single routes and packets: counters by route, and the ring of traces.
 *
 * Called by the fib edge of the agent, the API and tests. Never logs.
 */
#include "fib_maps_impl.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/htab.h"

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
	fib_counters_count(maps);
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

/* --- those of a whole table --------------------------------------------------------------------------- */
#define BATCH 4096

struct row {
	struct xrs_route_stats_key key;
	struct xrs_route_stats stats;
};

struct chunk { /* rows do not move while the index points to them */
	struct chunk *next;
	unsigned int n;
	struct row rows[BATCH];
};

struct fib_route_counters {
	const struct fib_maps *maps;
	uint32_t table;
	struct htab *index;
	struct chunk *chunks;
	struct xrs_route_stats_key keys[BATCH];
	struct xrs_route_stats values[BATCH];
	uint8_t token[2][64];
	bool started, whole;
};

struct fib_route_counters *fib_route_counters_new(const struct fib_maps *maps, uint32_t table)
{
	struct fib_route_counters *counters = calloc(1, sizeof(*counters));

	if (!counters)
		return NULL;
	counters->maps = maps;
	counters->table = table;
	counters->index = htab_new();
	if (counters->index)
		return counters;
	free(counters);
	return NULL;
}

void fib_route_counters_free(struct fib_route_counters *counters)
{
	struct chunk *chunk;

	if (!counters)
		return;
	while ((chunk = counters->chunks)) {
		counters->chunks = chunk->next;
		free(chunk);
	}
	htab_free(counters->index);
	free(counters);
}

static bool same_key(const void *item, const void *key)
{
	return memcmp(&((const struct row *)item)->key, key, sizeof(struct xrs_route_stats_key)) ==
	       0;
}

static bool keep_row(struct fib_route_counters *counters, uint32_t i)
{
	struct chunk *chunk = counters->chunks;
	const struct xrs_route_stats_key *key = &counters->keys[i];
	uint32_t hash = hash_bytes(key, sizeof(*key), 0);

	/* Entries that come and go meanwhile may be told twice. */
	if (key->table != counters->table || htab_find(counters->index, hash, same_key, key))
		return true;
	if (!chunk || chunk->n == BATCH) {
		chunk = malloc(sizeof(*chunk));
		if (!chunk)
			return false;
		chunk->next = counters->chunks;
		chunk->n = 0;
		counters->chunks = chunk;
	}
	chunk->rows[chunk->n] = (struct row){ *key, counters->values[i] };
	return htab_insert(counters->index, hash, &chunk->rows[chunk->n++]) == 0;
}

bool fib_route_counters_step(struct fib_route_counters *counters)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = 0);
	uint32_t n = BATCH;
	int err = bpf_map_lookup_batch(counters->maps->fd[FIB_MAP_ROUTE_STATS],
				       counters->started ? counters->token[0] : NULL,
				       counters->token[1], counters->keys, counters->values, &n,
				       &opts);

	fib_counters_count(counters->maps);
	if (err && err != -ENOENT)
		return false; /* no batches (before 5.6): one by one */
	for (uint32_t i = 0; i < n; i++) {
		if (!keep_row(counters, i))
			return false;
	}
	memcpy(counters->token[0], counters->token[1], sizeof(counters->token[0]));
	counters->started = true;
	counters->whole = err == -ENOENT;
	return err == 0;
}

void fib_route_counters_get(const struct fib_route_counters *counters,
			    const struct ip_prefix *prefix, struct xrs_route_stats *ret_stats)
{
	struct xrs_route_stats_key key = stats_key(counters->table, prefix);
	const struct row *row;

	if (!counters->whole) {
		fib_maps_route_stats(counters->maps, counters->table, prefix, ret_stats);
		return;
	}
	row = htab_find(counters->index, hash_bytes(&key, sizeof(key), 0), same_key, &key);
	*ret_stats = row ? row->stats : (struct xrs_route_stats){ 0 };
}

/* --- traces --------------------------------------------------------------------------------------------- */
struct trace_reader {
	void (*fn)(void *ctx, const struct xrs_trace_record *record);
	void *ctx;
};

static void tell(void *ctx, const void *record)
{
	const struct trace_reader *reader = ctx;

	reader->fn(reader->ctx, record);
}

int fib_maps_trace_open(struct fib_maps *maps)
{
	return fib_ring_open(&maps->trace, maps->fd[FIB_MAP_TRACE],
			     sizeof(struct xrs_trace_record));
}

void fib_maps_trace_close(struct fib_maps *maps)
{
	fib_ring_close(&maps->trace);
}

int fib_maps_trace_rule(struct fib_maps *maps, const struct xrs_trace_rule *rule)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(maps->fd[FIB_MAP_TRACE_RULE], &zero, rule, BPF_ANY);
}

void fib_maps_trace_read(struct fib_maps *maps,
			 void (*fn)(void *ctx, const struct xrs_trace_record *record), void *ctx)
{
	struct trace_reader reader = { fn, ctx };

	fib_ring_read(&maps->trace, tell, &reader);
}
