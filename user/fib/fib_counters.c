// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of nics and next hops, summed over CPUs, and what the group map says: one by one, or for somebody who
 * asks for thousands 64 neighbours with each system call.
 *
 * Called by the API, the agent and tests. Never logs.
 */
#include "fib_maps_impl.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 64

/* What is read in windows. */
static const struct held_kind {
	enum fib_map map;
	uint32_t entries, size;
	bool per_cpu;
} kinds[FIB_HELD_MAX] = {
	[FIB_HELD_NIC] = { FIB_MAP_STATS, XRS_NIC_MAX, sizeof(struct xrs_nic_stats), true },
	[FIB_HELD_NEXTHOP] = { FIB_MAP_NH_STATS, XRS_NEXTHOP_MAX, sizeof(struct xrs_nh_stats),
			       true },
	[FIB_HELD_GROUP] = { FIB_MAP_GROUP, XRS_GROUP_MAX, sizeof(struct xrs_group), false },
};

struct fib_held {
	bool on;
	bool refused; /* by a kernel without batches for arrays (before 5.13) */
	uint64_t reads;
	uint8_t *raw; /* one window as the kernel gives it */
	struct {
		uint8_t *values; /* of all entries; NULL: never asked for */
		uint64_t loaded[XRS_GROUP_MAX / WINDOW / 64]; /* windows */
	} map[FIB_HELD_MAX];
};
_Static_assert(XRS_GROUP_MAX >= XRS_NIC_MAX && XRS_GROUP_MAX >= XRS_NEXTHOP_MAX, "the largest");

int fib_counters_init(struct fib_maps *maps)
{
	maps->held = calloc(1, sizeof(*maps->held));
	if (!maps->held)
		return -ENOMEM;
	maps->held->raw = malloc(WINDOW * sizeof(struct xrs_nic_stats) * maps->n_cpus);
	return maps->held->raw ? 0 : -ENOMEM;
}

void fib_counters_done(struct fib_maps *maps)
{
	if (!maps->held)
		return;
	for (int i = 0; i < FIB_HELD_MAX; i++)
		free(maps->held->map[i].values);
	free(maps->held->raw);
	free(maps->held);
}

void fib_maps_hold(struct fib_maps *maps, bool on)
{
	for (int i = 0; i < FIB_HELD_MAX; i++)
		memset(maps->held->map[i].loaded, 0, sizeof(maps->held->map[i].loaded));
	maps->held->on = on && !maps->held->refused;
}

void fib_counters_count(const struct fib_maps *maps)
{
	maps->held->reads++;
}

uint64_t fib_maps_reads(const struct fib_maps *maps)
{
	return maps->held->reads;
}

/* --- one value ---------------------------------------------------------------------------------------- */
/* Adds up the values of all CPUs, which are @size octets each, of 64-bit counters. */
static void sum_cpus(const void *raw, unsigned int n_cpus, void *ret_sum, size_t size)
{
	const uint64_t *values = raw;
	size_t words = size / sizeof(uint64_t);
	uint64_t *sum = ret_sum;

	memset(sum, 0, size);
	for (size_t i = 0; i < words * n_cpus; i++)
		sum[i % words] += values[i];
}

static int read_one(const struct fib_maps *maps, const struct held_kind *kind, uint32_t index,
		    void *ret)
{
	int err = bpf_map_lookup_elem(maps->fd[kind->map], &index,
				      kind->per_cpu ? maps->per_cpu : ret);

	maps->held->reads++;
	if (err == 0 && kind->per_cpu)
		sum_cpus(maps->per_cpu, maps->n_cpus, ret, kind->size);
	return err;
}

/* --- a window of them ----------------------------------------------------------------------------------- */
static bool load_window(const struct fib_maps *maps, enum fib_held_map which, uint32_t window)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = 0);
	const struct held_kind *kind = &kinds[which];
	struct fib_held *held = maps->held;
	uint32_t before = window * WINDOW - 1, next, count = WINDOW, keys[WINDOW];
	uint8_t *to = held->map[which].values + (size_t)window * WINDOW * kind->size;
	size_t stride = kind->size * (kind->per_cpu ? maps->n_cpus : 1);
	int err = bpf_map_lookup_batch(maps->fd[kind->map], window ? &before : NULL, &next, keys,
				       held->raw, &count, &opts);

	held->reads++;
	if ((err && err != -ENOENT) || count != WINDOW || keys[0] != window * WINDOW)
		return false;
	for (uint32_t i = 0; i < WINDOW; i++) {
		if (kind->per_cpu)
			sum_cpus(held->raw + i * stride, maps->n_cpus, to + i * kind->size,
				 kind->size);
		else
			memcpy(to + i * kind->size, held->raw + i * stride, kind->size);
	}
	return true;
}

/* The entry among its neighbours; NULL: it is read by itself. */
static const void *find_held(const struct fib_maps *maps, enum fib_held_map which, uint32_t index)
{
	struct fib_held *held = maps->held;
	uint32_t window = index / WINDOW;
	uint64_t bit = 1ull << window % 64;

	if (!held->on)
		return NULL;
	if (!held->map[which].values)
		held->map[which].values = calloc(kinds[which].entries, kinds[which].size);
	if (!held->map[which].values)
		return NULL;
	if (!(held->map[which].loaded[window / 64] & bit) && !load_window(maps, which, window)) {
		held->refused = true;
		held->on = false;
		return NULL;
	}
	held->map[which].loaded[window / 64] |= bit;
	return held->map[which].values + (size_t)index * kinds[which].size;
}

int fib_counters_read(const struct fib_maps *maps, enum fib_held_map which, uint32_t index,
		      void *ret)
{
	const void *held;

	if (index >= kinds[which].entries)
		return -ERANGE;
	held = find_held(maps, which, index);
	if (!held)
		return read_one(maps, &kinds[which], index, ret);
	memcpy(ret, held, kinds[which].size);
	return 0;
}

/* --- by name ------------------------------------------------------------------------------------------- */
static int zero_cpus(struct fib_maps *maps, enum fib_map map, uint32_t key)
{
	memset(maps->per_cpu, 0, maps->n_cpus * sizeof(struct xrs_nic_stats));
	return bpf_map_update_elem(maps->fd[map], &key, maps->per_cpu, BPF_ANY);
}

int fib_maps_nic_stats(const struct fib_maps *maps, uint32_t slot, struct xrs_nic_stats *ret_stats)
{
	return fib_counters_read(maps, FIB_HELD_NIC, slot, ret_stats);
}

int fib_maps_nic_stats_zero(struct fib_maps *maps, uint32_t slot)
{
	return slot < XRS_NIC_MAX ? zero_cpus(maps, FIB_MAP_STATS, slot) : -ERANGE;
}

static bool nexthop_ok(uint32_t index)
{
	return index && index < XRS_NEXTHOP_MAX;
}

int fib_maps_nh_stats(const struct fib_maps *maps, uint32_t index, struct xrs_nh_stats *ret_stats)
{
	if (!nexthop_ok(index))
		return -ERANGE;
	return fib_counters_read(maps, FIB_HELD_NEXTHOP, index, ret_stats);
}

int fib_maps_nh_stats_zero(struct fib_maps *maps, uint32_t index)
{
	return nexthop_ok(index) ? zero_cpus(maps, FIB_MAP_NH_STATS, index) : -ERANGE;
}

/* --- names of reasons ------------------------------------------------------------------------------------ */
static const struct {
	const char *name, *verdict;
} reasons[XRS_REASON_MAX] = {
#define X(enumerator, field, verdict) [XRS_REASON_##enumerator] = { #field, verdict },
	XRS_REASONS(X)
#undef X
};

const char *fib_reason_name(unsigned int reason)
{
	return reason < XRS_REASON_MAX ? reasons[reason].name : NULL;
}

const char *fib_reason_verdict(unsigned int reason)
{
	return reason < XRS_REASON_MAX ? reasons[reason].verdict : NULL;
}

uint64_t fib_reason_count(const struct xrs_nic_stats *stats, unsigned int reason)
{
	return reason < XRS_REASON_MAX ? ((const uint64_t *)stats)[reason] : 0;
}
