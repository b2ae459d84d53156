// SPDX-License-Identifier: GPL-2.0-only
/*
 * The derived lookup structure in its maps: it comes and goes with the size of its table, follows each write,
 * and never answers for a trie that it was not made from: not after a death in the middle of a batch, not
 * when the trie behind its index was replaced.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lab.h"

TestSuite(fast, .init = lab_up, .fini = lab_down, .timeout = 120);

#define LEAST 64
#define MANY  20000
#define LARGE 80000
#define HUGE  800000

static struct fib_maps_fast figures(enum ip_family family)
{
	struct fib_maps_fast f;

	cr_assert(!fib_maps_fast_figures(lab.maps, LAB_TABLE, family, &f));
	return f;
}

static void work(void)
{
	while (fib_maps_fast_work(lab.maps))
		;
}

/* 10.x.y.0/24 and below it, so that nodes of each kind arise; fd00:x:y::/48. */
static struct fib_route *make_routes(enum ip_family family, size_t n)
{
	struct fib_route *routes = calloc(n, sizeof(*routes));

	cr_assert(routes);
	for (size_t i = 0; i < n; i++) {
		struct ip_addr addr = ip_from_v4(0x0a000000u + ((uint32_t)i << 8));

		if (family == IP_V6) {
			uint8_t bytes[16] = { 0xfd, 0, (uint8_t)(i >> 8), (uint8_t)i };

			addr = ip_from_bytes(IP_V6, bytes);
		}
		routes[i].prefix = prefix_of(&addr, family == IP_V6 ? 48 : 24);
		routes[i].value.group = 1 + (uint32_t)i % 200;
		routes[i].fresh = true;
	}
	return routes;
}

static void set_routes(struct fib_route *routes, size_t n, size_t batch)
{
	for (size_t i = 0; i < n; i += batch)
		cr_assert(!fib_maps_routes_set(lab.maps, LAB_TABLE, routes + i,
					       i + batch < n ? batch : n - i));
}

/* What the program says of an address: the matched length and the group. */
static struct xrs_decision decide(const char *dst)
{
	struct frame_spec spec = { .dst = dst, .v6 = strchr(dst, ':') != NULL };
	struct frame frame;

	if (spec.v6)
		spec.src = "fd00:1::a";
	frame_make(&frame, &spec);
	return lab_probe(&frame, false, 0).decision;
}

static void expect(const char *dst, unsigned int len, unsigned int group)
{
	struct xrs_decision d = decide(dst);

	cr_assert(d.prefix_len == len && d.group == group, "%s: /%u group %u, not /%u group %u",
		  dst, d.prefix_len, d.group, len, group);
}

/* The head of the structure as it stands in the map, to play a process that died. */
static struct xrs_fast_head *head(enum ip_family family)
{
	size_t size = sizeof(struct xrs_fast_head) * XRS_FAST_MAX;
	struct xrs_fast_head *heads = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
					   fib_maps_fd(lab.maps, "xrs_fast_head"), 0);

	cr_assert(heads != MAP_FAILED);
	return &heads[2 * LAB_TABLE + (family == IP_V6)];
}

static void reopen(void)
{
	struct fib_schema schema = loader_schema(lab.loader);

	fib_maps_free(lab.maps);
	cr_assert(!fib_maps_open(lab.instance, &schema, &lab.maps));
	cr_assert(!fib_maps_table_open(lab.maps, LAB_TABLE, "prod", "main"));
	fib_maps_counted(lab.maps, LAB_TABLE, IP_V4, lab_walk(IP_V4, 4096));
	fib_maps_counted(lab.maps, LAB_TABLE, IP_V6, lab_walk(IP_V6, 4096));
}

Test(fast, comes_and_goes_with_the_size_of_the_table)
{
	struct fib_route *routes = make_routes(IP_V4, MANY);

	fib_maps_fast_least(lab.maps, LEAST);
	set_routes(routes, LEAST - 1, 1);
	work();
	cr_assert(!figures(IP_V4).on && !figures(IP_V4).memory);
	set_routes(routes + LEAST - 1, 1, 1);
	work();
	cr_assert(figures(IP_V4).on && !figures(IP_V6).on);
	set_routes(routes + LEAST, MANY - LEAST, FIB_BATCH);
	cr_assert(!figures(IP_V4).on, "not while a large batch is under way");
	expect("10.1.0.1", 24, 1 + 256 % 200);
	cr_assert(figures(IP_V4).fallbacks == 1);
	work();
	cr_assert(figures(IP_V4).on && figures(IP_V4).builds == 1);
	cr_assert(figures(IP_V4).memory < MANY * 128);
	expect("10.1.0.1", 24, 1 + 256 % 200);
	cr_assert(figures(IP_V4).fallbacks == 1);
	cr_assert(!fib_maps_routes_del(lab.maps, LAB_TABLE, routes + 20, MANY - 20));
	work();
	cr_assert(!figures(IP_V4).on && !figures(IP_V4).memory);
	expect("10.0.1.1", 24, 2);
	free(routes);
}

Test(fast, a_single_route_is_enough_unless_the_configuration_asks_for_more)
{
	struct fib_route *routes = make_routes(IP_V4, 1);

	work();
	cr_assert(!figures(IP_V4).on && !figures(IP_V4).memory);
	set_routes(routes, 1, 1);
	work();
	cr_assert(figures(IP_V4).on && !figures(IP_V6).on);
	cr_assert_eq(figures(IP_V4).memory, XRS_FAST_SMALL);
	expect("10.0.0.1", 24, 1);
	cr_assert(!fib_maps_routes_del(lab.maps, LAB_TABLE, routes, 1));
	work();
	cr_assert(!figures(IP_V4).on && !figures(IP_V4).memory);
	free(routes);
}

Test(fast, no_table_gets_one_where_the_configuration_says_trie)
{
	struct fib_route *routes = make_routes(IP_V6, 1000);

	set_routes(routes, 1000, 1000);
	work();
	cr_assert(figures(IP_V6).on);
	fib_maps_fast_least(lab.maps, 0);
	work();
	cr_assert(!figures(IP_V6).on && !figures(IP_V6).memory);
	expect("fd00:1::1", 48, 2);
	fib_maps_fast_least(lab.maps, 1);
	work();
	cr_assert(figures(IP_V6).on);
	expect("fd00:1::1", 48, 2);
	free(routes);
}

Test(fast, follows_each_write)
{
	struct fib_route *routes = make_routes(IP_V4, 1000);
	struct fib_route host = { .value.group = 7, .fresh = true };
	struct fib_route all = { .value.group = 9, .fresh = true };

	cr_assert(!prefix_parse("10.0.5.77/32", &host.prefix));
	cr_assert(!prefix_parse("0.0.0.0/0", &all.prefix));
	set_routes(routes, 1000, 1000);
	work();
	cr_assert(figures(IP_V4).on);
	expect("192.0.2.1", 0, 0);
	set_routes(&host, 1, 1);
	set_routes(&all, 1, 1);
	cr_assert(figures(IP_V4).on, "a small batch does not take it out of use");
	expect("10.0.5.77", 32, 7);
	expect("10.0.5.76", 24, 6);
	expect("10.0.5.78", 24, 6);
	expect("192.0.2.1", 0, 9);
	cr_assert(!fib_maps_routes_del(lab.maps, LAB_TABLE, &host, 1));
	expect("10.0.5.77", 24, 6);
	cr_assert(!fib_maps_routes_del(lab.maps, LAB_TABLE, &routes[5], 1));
	expect("10.0.5.77", 0, 9);
	cr_assert(!fib_maps_routes_del(lab.maps, LAB_TABLE, &all, 1));
	cr_assert(decide("10.0.5.77").reason == XRS_REASON_NO_ROUTE);
	cr_assert(!figures(IP_V4).fallbacks);
	free(routes);
}

/* Room for what was taken out is reclaimed: changes for ever need no memory for ever. */
Test(fast, endless_changes_stay_in_their_memory)
{
	struct fib_route *routes = make_routes(IP_V4, 4000);
	size_t before;

	set_routes(routes, 4000, 4000);
	work();
	before = figures(IP_V4).memory;
	for (int i = 0; i < 100000; i++) {
		struct fib_route r = { .value.group = 1 + (uint32_t)i % 3, .fresh = i % 2 == 0 };
		struct ip_addr addr = ip_from_v4(0x0a000001u + (uint32_t)(i / 2 % 4000) * 256);

		r.prefix = prefix_of(&addr, 32);
		if (i % 2 == 0)
			cr_assert(!fib_maps_routes_set(lab.maps, LAB_TABLE, &r, 1));
		else
			cr_assert(!fib_maps_routes_del(lab.maps, LAB_TABLE, &r, 1));
		if (i % 100 == 0)
			work();
	}
	work();
	cr_assert(figures(IP_V4).on);
	cr_assert(figures(IP_V4).memory < 4 * before + (4 << 20), "%zu octets, not %zu",
		  figures(IP_V4).memory, before);
	free(routes);
}

Test(fast, what_an_earlier_process_left_answers_until_the_first_write)
{
	struct fib_route *routes = make_routes(IP_V4, 1000);
	struct fib_route one = { .value.group = 77 };

	set_routes(routes, 1000, 1000);
	work();
	reopen();
	cr_assert(head(IP_V4)->root_bits, "still asked");
	expect("10.0.5.1", 24, 6);
	one.prefix = routes[5].prefix;
	set_routes(&one, 1, 1);
	cr_assert(!head(IP_V4)->root_bits, "from now on it would be wrong");
	expect("10.0.5.1", 24, 77);
	work();
	cr_assert(figures(IP_V4).on);
	expect("10.0.5.1", 24, 77);
	expect("10.0.6.1", 24, 7);
	free(routes);
}

Test(fast, a_death_in_the_middle_of_a_batch_leaves_the_trie)
{
	struct fib_route *routes = make_routes(IP_V4, 1000);
	char path[128];
	struct xrs_key4 key = { 24, { 10, 0, 5, 0 } };
	struct xrs_route value = { .group = 50, .prefix_len = 24 };
	int fd;

	set_routes(routes, 1000, 1000);
	work();
	/* The first half of a write: the structure is out of use, the trie has the route. */
	head(IP_V4)->root_bits = 0;
	snprintf(path, sizeof(path), "/sys/fs/bpf/%s/tables/prod.main.v4", lab.instance);
	fd = bpf_obj_get(path);
	cr_assert(fd >= 0 && !bpf_map_update_elem(fd, &key, &value, BPF_ANY));
	close(fd);
	expect("10.0.5.1", 24, 50);
	reopen();
	expect("10.0.5.1", 24, 50);
	work();
	cr_assert(figures(IP_V4).on);
	expect("10.0.5.1", 24, 50);
	free(routes);
}

Test(fast, a_trie_that_was_replaced_takes_it_away)
{
	struct fib_route *routes = make_routes(IP_V4, 1000);
	char path[128];

	set_routes(routes, 1000, 1000);
	work();
	snprintf(path, sizeof(path), "/sys/fs/bpf/%s/tables/prod.main.v4", lab.instance);
	cr_assert(!unlink(path));
	reopen();
	cr_assert(decide("10.0.5.1").reason == XRS_REASON_NO_ROUTE);
	free(routes);
}

Test(fast, a_closed_table_leaves_nothing_for_the_next_at_its_index)
{
	struct fib_route *routes = make_routes(IP_V4, 1000);

	set_routes(routes, 1000, 1000);
	work();
	cr_assert(!fib_maps_table_close(lab.maps, LAB_TABLE));
	cr_assert(decide("10.0.5.1").reason == XRS_REASON_NO_TABLE);
	cr_assert(!fib_maps_table_open(lab.maps, LAB_TABLE, "prod", "other"));
	cr_assert(decide("10.0.5.1").reason == XRS_REASON_NO_ROUTE);
	while (fib_maps_reap(lab.maps, FIB_BATCH))
		;
	free(routes);
}

/* The same answer as the trie, at both ends of each prefix and beside them. */
static void compare(const struct ip_addr *addr)
{
	struct xrs_route trie = { 0 }, fast = { 0 };
	int a = fib_maps_route_match(lab.maps, LAB_TABLE, addr, &trie);
	int b = fib_maps_fast_match(lab.maps, LAB_TABLE, addr, &fast);

	cr_assert(a == b && trie.group == fast.group && trie.prefix_len == fast.prefix_len);
}

Test(fast, both_families_grow_and_answer_as_the_trie)
{
	for (enum ip_family family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
		struct fib_route *routes = make_routes(family, MANY);

		set_routes(routes, 100, 100);
		for (size_t n = 100; n < MANY; n *= 2) {
			set_routes(routes + n, n < MANY / 2 ? n : MANY - n, 900);
			work();
			cr_assert(figures(family).on);
		}
		cr_assert(figures(family).copies, "it grew");
		for (size_t i = 0; i < MANY; i++) {
			struct ip_addr addr = routes[i].prefix.addr;

			compare(&addr);
			addr.bytes[ip_bytes(family) - 1] ^= 0xff;
			compare(&addr);
		}
		free(routes);
	}
}

static uint32_t draw(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*state >> 32);
}

/* One /26 in each /24: the root that so many routes get splits each node in two. */
Test(fast, a_copy_may_need_much_more_room)
{
	struct fib_route *routes = make_routes(IP_V4, HUGE);

	for (size_t i = 0; i < HUGE; i++)
		routes[i].prefix.len = 26;
	set_routes(routes, LARGE, FIB_BATCH);
	work();
	set_routes(routes + LARGE, HUGE - LARGE, FIB_BATCH);
	work();
	cr_assert(figures(IP_V4).on && figures(IP_V4).copies);
	expect("10.0.5.1", 26, routes[5].value.group);
	expect("20.10.5.63", 26, 1 + (10u << 16 | 10u << 8 | 5) % 200);
	expect("20.10.5.64", 0, 0);
	free(routes);
}

/* Chunk by chunk, without a copy, while the program goes on asking it. */
Test(fast, a_large_one_grows_where_it_is)
{
	struct fib_route *routes = make_routes(IP_V4, HUGE);
	struct fib_maps_fast before;
	uint64_t state = 11;
	size_t n = 4 * LARGE;

	for (size_t i = 0; i < HUGE; i++)
		routes[i].prefix.len = 26;
	set_routes(routes, n, FIB_BATCH);
	work();
	before = figures(IP_V4);
	cr_assert(before.on && before.memory >= XRS_FAST_LARGE);
	while (figures(IP_V4).memory < before.memory + 2 * XRS_FAST_LARGE) {
		set_routes(routes + n, 900, 900);
		n += 900;
		cr_assert(n + 900 < HUGE);
		work();
		cr_assert(figures(IP_V4).on);
	}
	cr_assert_eq(figures(IP_V4).figures.root_bits, before.figures.root_bits);
	cr_assert_eq(figures(IP_V4).copies, before.copies);
	for (size_t i = 0; i < 4000; i++) {
		size_t which = draw(&state) % (n + 100);
		struct ip_addr addr = routes[which].prefix.addr;

		expect(ip_format(&addr, (char[IP_TEXT_MAX]){ 0 }), which < n ? 26 : 0,
		       which < n ? routes[which].value.group : 0);
		compare(&addr);
	}
	free(routes);
}

/* A table of the size from which on nodes are narrow: what the program says, against the trie. */
Test(fast, the_program_answers_as_the_trie_in_a_large_table)
{
	struct fib_route *routes = calloc(LARGE, sizeof(*routes));
	uint64_t state = 7;

	cr_assert(routes);
	for (size_t i = 0; i < LARGE; i++) {
		struct ip_addr addr = ip_from_v4(0x14000000u + (draw(&state) & 0x01ffffffu));

		routes[i].prefix = prefix_of(&addr, (uint8_t)(17 + draw(&state) % 16));
		routes[i].value.group = 1 + draw(&state) % 200;
		routes[i].fresh = true;
	}
	set_routes(routes, LARGE, FIB_BATCH);
	work();
	cr_assert(figures(IP_V4).on && figures(IP_V4).figures.root_bits >= XRS_FAST_DICT_ROOT);
	for (size_t i = 0; i < 4000; i++) {
		struct ip_addr addr = routes[draw(&state) % LARGE].prefix.addr;
		struct xrs_route route = { 0 };
		char text[IP_TEXT_MAX];

		addr = ip_from_v4(ip_to_v4(&addr) + draw(&state) % 3 - 1);
		fib_maps_route_match(lab.maps, LAB_TABLE, &addr, &route);
		expect(ip_format(&addr, text), route.prefix_len, route.group);
		compare(&addr);
	}
	cr_assert(!figures(IP_V4).fallbacks);
	free(routes);
}
