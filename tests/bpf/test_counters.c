// SPDX-License-Identifier: GPL-2.0-only
/* Counters read one by one and in batches: the same figures, and a fraction of the system calls. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "lab.h"

TestSuite(counters, .init = lab_up, .fini = lab_down, .timeout = 60);

#define NICS   2000
#define HOPS   1000
#define GROUPS 500
#define ROUTES 10000

/* Values of their own for each entry and CPU. */
static void fill(const char *map, uint32_t n, size_t size)
{
	int fd = fib_maps_fd(lab.maps, map), cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc((size_t)cpus, size);

	cr_assert(fd >= 0 && values);
	for (uint32_t i = 0; i < n; i++) {
		for (size_t w = 0; w < (size_t)cpus * size / 8; w++)
			values[w] = i * 1000 + w;
		cr_assert(!bpf_map_update_elem(fd, &i, values, BPF_ANY));
	}
	free(values);
}

struct read { /* all that is there, and what it took */
	struct xrs_nic_stats nic[NICS];
	struct xrs_nh_stats hop[HOPS];
	struct xrs_group group[GROUPS];
	uint64_t reads;
};

static struct read *read_all(bool hold)
{
	struct read *all = calloc(1, sizeof(*all));
	uint64_t before = fib_maps_reads(lab.maps);

	cr_assert(all);
	fib_maps_hold(lab.maps, hold);
	for (uint32_t i = 0; i < NICS; i++)
		cr_assert(!fib_maps_nic_stats(lab.maps, i, &all->nic[i]));
	for (uint32_t i = 1; i < HOPS; i++)
		cr_assert(!fib_maps_nh_stats(lab.maps, i, &all->hop[i]));
	for (uint32_t i = 1; i < GROUPS; i++)
		cr_assert(!fib_maps_group_get(lab.maps, i, &all->group[i], NULL));
	fib_maps_hold(lab.maps, false);
	all->reads = fib_maps_reads(lab.maps) - before;
	return all;
}

Test(counters, batches_say_the_same_with_fewer_calls)
{
	struct read *one, *many;

	fill("xrs_stats", NICS, sizeof(struct xrs_nic_stats));
	fill("xrs_nh_stats", HOPS, sizeof(struct xrs_nh_stats));
	for (uint32_t i = 1; i < GROUPS; i++) {
		const struct xrs_group group = { .n_members = 1, .member = { i } };

		cr_assert(!fib_maps_group_set(lab.maps, i, &group, NULL));
	}
	one = read_all(false);
	many = read_all(true);
	cr_log_info("%llu system calls one by one, %llu in batches", (unsigned long long)one->reads,
		    (unsigned long long)many->reads);
	cr_assert(one->reads == NICS + HOPS - 1 + GROUPS - 1);
	cr_assert(many->reads <= (NICS + HOPS + GROUPS) / 64 + 3);
	cr_assert_arr_eq(one->nic, many->nic, sizeof(one->nic));
	cr_assert_arr_eq(one->hop, many->hop, sizeof(one->hop));
	cr_assert_arr_eq(one->group, many->group, sizeof(one->group));
	free(one);
	free(many);
}

/* The last window, and what was read before is not told again. */
Test(counters, at_the_ends_and_anew)
{
	struct xrs_nic_stats stats;
	struct xrs_nh_stats hop;

	fib_maps_hold(lab.maps, true);
	cr_assert(!fib_maps_nic_stats(lab.maps, XRS_NIC_MAX - 1, &stats) && !stats.local);
	cr_assert(!fib_maps_nh_stats(lab.maps, XRS_NEXTHOP_MAX - 1, &hop));
	cr_assert(fib_maps_nic_stats(lab.maps, XRS_NIC_MAX, &stats) < 0);
	cr_assert(fib_maps_nh_stats(lab.maps, 0, &hop) < 0);
	fill("xrs_stats", 70, sizeof(struct xrs_nic_stats));
	cr_assert(!fib_maps_nic_stats(lab.maps, 69, &stats) && stats.redirected);
	cr_assert(!fib_maps_nic_stats_zero(lab.maps, 69));
	cr_assert(!fib_maps_nic_stats(lab.maps, 69, &stats) && stats.redirected, "as it was");
	fib_maps_hold(lab.maps, true);
	cr_assert(!fib_maps_nic_stats(lab.maps, 69, &stats) && !stats.redirected, "anew");
	fib_maps_hold(lab.maps, false);
}

static struct ip_prefix route_prefix(uint32_t i)
{
	struct ip_addr addr = ip_from_v4(0x0b000000 + i * 256);

	return prefix_of(&addr, 24);
}

static void count_route(uint32_t table, const struct ip_prefix *prefix, uint64_t packets)
{
	struct xrs_route_stats_key key = { .table = table, .family = 4, .prefix_len = prefix->len };
	struct xrs_route_stats stats = { .packets = packets, .bytes = 100 * packets, .last = 7 };

	memcpy(key.addr, prefix->addr.bytes, 4);
	cr_assert(!bpf_map_update_elem(fib_maps_fd(lab.maps, "xrs_route_stats"), &key, &stats,
				       BPF_ANY));
}

/* Two of three routes were used, and those of another table with them. */
Test(counters, of_all_routes)
{
	struct fib_route_counters *counters = fib_route_counters_new(lab.maps, LAB_TABLE);
	uint64_t before = fib_maps_reads(lab.maps), reads;

	for (uint32_t i = 0; i < ROUTES; i++) {
		struct ip_prefix prefix = route_prefix(i);

		if (i % 3)
			count_route(LAB_TABLE, &prefix, i);
		count_route(LAB_TABLE + 1, &prefix, 77);
	}
	while (fib_route_counters_step(counters))
		;
	for (uint32_t i = 0; i < ROUTES; i++) {
		struct ip_prefix prefix = route_prefix(i);
		struct xrs_route_stats stats;

		fib_route_counters_get(counters, &prefix, &stats);
		cr_assert(stats.packets == (i % 3 ? i : 0) && stats.bytes == 100 * stats.packets);
	}
	reads = fib_maps_reads(lab.maps) - before;
	cr_log_info("%llu system calls for %u routes", (unsigned long long)reads, ROUTES);
	cr_assert(reads < 20);
	fib_route_counters_free(counters);
}
