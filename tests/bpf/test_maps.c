// SPDX-License-Identifier: GPL-2.0-only
/* fib_maps against the kernel: adoption, batches, full tries, walks, what is given back. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab.h"

TestSuite(maps, .init = lab_up, .fini = lab_down, .timeout = 120);

/* Route number @i: 10.x.y.z/32 or fd00::.../128, in no order. */
static struct fib_route numbered(uint32_t i, bool v6)
{
	struct fib_route route = { .value = { .kind = XRS_ROUTE_LOCAL, .generation = i },
				   .fresh = true };
	uint32_t mixed = i * 2654435761u;
	uint8_t bytes[16] = { v6 ? 0xfd : 10 };

	memcpy(bytes + (v6 ? 8 : 1), &mixed, v6 ? 4 : 3);
	route.prefix.addr = ip_from_bytes(v6 ? IP_V6 : IP_V4, bytes);
	route.prefix.len = v6 ? 128 : 32;
	return route;
}

static struct fib_route *many(uint32_t n, bool v6)
{
	struct fib_route *routes = calloc(n, sizeof(*routes));

	cr_assert(routes);
	for (uint32_t i = 0; i < n; i++)
		routes[i] = numbered(i, v6);
	return routes;
}

/* Another process, or the same one after a restart. */
static void reopen(void)
{
	struct fib_schema schema = loader_schema(lab.loader);

	fib_maps_free(lab.maps);
	cr_assert(!fib_maps_open(lab.instance, &schema, &lab.maps));
}

Test(maps, routes_come_and_go_in_batches)
{
	const uint32_t n = 20000;

	for (int v6 = 0; v6 < 2; v6++) {
		enum ip_family family = v6 ? IP_V6 : IP_V4;
		struct fib_route *routes = many(n, v6);
		struct xrs_route got;

		cr_assert(fib_maps_routes_set(lab.maps, LAB_TABLE, routes, n) == 0);
		cr_assert(fib_maps_count(lab.maps, LAB_TABLE, family) == n);
		for (uint32_t i = 0; i < n; i += 37) {
			cr_assert(!routes[i].error);
			cr_assert(
				!fib_maps_route_get(lab.maps, LAB_TABLE, &routes[i].prefix, &got));
			cr_assert(got.generation == i && got.prefix_len == routes[i].prefix.len);
		}
		cr_assert(lab_walk(family, 1000) == n);
		cr_assert(lab_walk(family, 20000) == n);
		cr_assert(fib_maps_routes_del(lab.maps, LAB_TABLE, routes, n / 2) == 0);
		cr_assert(fib_maps_routes_del(lab.maps, LAB_TABLE, routes, n / 2) == 0, "again");
		cr_assert(fib_maps_count(lab.maps, LAB_TABLE, family) == n - n / 2);
		cr_assert(lab_walk(family, 777) == n - n / 2);
		free(routes);
	}
}

Test(maps, both_families_in_one_call)
{
	struct fib_route routes[6];

	for (uint32_t i = 0; i < 6; i++)
		routes[i] = numbered(i, i & 1);
	cr_assert(fib_maps_routes_set(lab.maps, LAB_TABLE, routes, 6) == 0);
	cr_assert(fib_maps_count(lab.maps, LAB_TABLE, IP_V4) == 3);
	cr_assert(fib_maps_count(lab.maps, LAB_TABLE, IP_V6) == 3);
	routes[1].prefix.addr.family = IP_NONE;
	cr_assert(fib_maps_routes_set(lab.maps, LAB_TABLE, routes, 6) == 1);
	cr_assert(routes[1].error == -EAFNOSUPPORT && !routes[2].error);
	cr_assert(fib_maps_routes_set(lab.maps, LAB_TABLE + 1, routes, 6) == -ENOENT);
}

Test(maps, exact_and_longest_match)
{
	struct ip_prefix wide, narrow;
	struct ip_addr addr;
	struct xrs_route got;

	lab_route("10.0.0.0/8", XRS_ROUTE_LOCAL, 0);
	lab_route("10.1.0.0/16", XRS_ROUTE_INTERNET, 0);
	prefix_parse("10.0.0.0/8", &wide);
	prefix_parse("10.1.2.0/24", &narrow);
	ip_parse("10.1.2.3", &addr);
	cr_assert(!fib_maps_route_get(lab.maps, LAB_TABLE, &wide, &got));
	cr_assert(got.kind == XRS_ROUTE_LOCAL);
	cr_assert(fib_maps_route_get(lab.maps, LAB_TABLE, &narrow, &got) == -ENOENT);
	cr_assert(!fib_maps_route_match(lab.maps, LAB_TABLE, &addr, &got));
	cr_assert(got.kind == XRS_ROUTE_INTERNET && got.prefix_len == 16);
}

Test(maps, a_full_trie_rejects_by_entry)
{
	struct fib_schema schema = loader_schema(lab.loader);
	struct fib_route *routes = many(300, false);
	int failed = 0;

	schema.max_routes = 100;
	fib_maps_free(lab.maps);
	cr_assert(!fib_maps_open(lab.instance, &schema, &lab.maps));
	cr_assert(!fib_maps_table_open(lab.maps, 7, "prod", "small"));
	cr_assert(fib_maps_routes_set(lab.maps, 7, routes, 200) == 100);
	for (int i = 0; i < 200; i++) {
		cr_assert(!routes[i].error || routes[i].error == -ENOSPC);
		failed += !!routes[i].error;
	}
	cr_assert(failed == 100 && fib_maps_count(lab.maps, 7, IP_V4) == 100);
	/* Overwrites among entries that do not fit still succeed. */
	routes[150].fresh = true;
	routes[0].fresh = false;
	cr_assert(fib_maps_routes_set(lab.maps, 7, routes, 1) == 0);
	cr_assert(fib_maps_routes_set(lab.maps, 7, routes + 150, 1) == 1);
	cr_assert(fib_maps_routes_del(lab.maps, 7, routes, 1) == 0);
	cr_assert(fib_maps_routes_set(lab.maps, 7, routes + 150, 1) == 0, "room appeared");
	free(routes);
}

Test(maps, a_restart_finds_everything)
{
	struct fib_route *routes = many(5000, false);
	struct fib_table_pin pins[4];
	struct xrs_nic nic;
	struct xrs_group group;
	struct xrs_bucket bucket;
	struct xrs_nexthop nh;
	struct xrs_meta meta;

	lab_steer(XRS_WAY_BRIDGE);
	cr_assert(fib_maps_routes_set(lab.maps, LAB_TABLE, routes, 5000) == 0);
	cr_assert(!fib_maps_generation_set(lab.maps, 42));
	reopen();
	cr_assert(fib_maps_table_pins(lab.maps, pins, 4) == 1);
	cr_assert(pins[0].index == LAB_TABLE);
	cr_assert(!strcmp(pins[0].vnet, "prod") && !strcmp(pins[0].table, "main"));
	cr_assert(!fib_maps_table_open(lab.maps, LAB_TABLE, "prod", "main"));
	cr_assert(!fib_maps_table_open(lab.maps, LAB_TABLE, "prod", "main"), "twice");
	cr_assert(fib_maps_table_open(lab.maps, LAB_TABLE, "prod", "dmz") == -EEXIST);
	cr_assert(lab_walk(IP_V4, 1000) == 5001);
	fib_maps_counted(lab.maps, LAB_TABLE, IP_V4, 5001);
	cr_assert(fib_maps_count(lab.maps, LAB_TABLE, IP_V4) == 5001);
	cr_assert(!fib_maps_nic_get(lab.maps, LAB_NIC, &nic) && !strcmp(nic.name, "lo"));
	cr_assert(!fib_maps_group_get(lab.maps, 1, &group, &bucket));
	cr_assert(group.n_members == 1 && bucket.member[200] == 1);
	cr_assert(!fib_maps_nexthop_get(lab.maps, 1, &nh) && nh.way == XRS_WAY_BRIDGE);
	cr_assert(!fib_maps_meta_get(lab.maps, &meta) && meta.generation == 42);
	cr_assert(meta.layout_version == XRS_LAYOUT_VERSION);
	free(routes);
}

Test(maps, a_second_loader_adopts_the_maps)
{
	struct loader *second;
	char text[LOADER_TEXT];
	struct frame_spec spec = { .ttl = 9 };
	struct frame f;

	lab_steer(XRS_WAY_BRIDGE);
	cr_assert(!loader_open(lab.instance, text, &second), "%s", text);
	loader_free(lab.loader);
	lab.loader = second;
	frame_make(&f, &spec);
	assert_reason(lab_run(&f, false), XRS_REASON_BRIDGED);
}

Test(maps, another_layout_is_refused_and_left_alone)
{
	struct xrs_meta meta = { XRS_LAYOUT_VERSION + 1, 7 };
	uint32_t zero = 0, version;
	struct loader *second;
	struct fib_maps *maps;
	struct fib_schema schema = { .btf_fd = -1 };
	char text[LOADER_TEXT];
	int fd = fib_maps_fd(lab.maps, "xrs_meta");

	cr_assert(!bpf_map_update_elem(fd, &zero, &meta, BPF_ANY));
	cr_assert(loader_open(lab.instance, text, &second) == -EPROTO);
	cr_assert(strstr(text, "detach") && strstr(text, lab.instance), "%s", text);
	cr_assert(fib_maps_open(lab.instance, &schema, &maps) == -EPROTO);
	cr_assert(!fib_maps_layout(lab.instance, &version) && version == meta.layout_version);
	cr_assert(fib_maps_layout("xrst-bpf-nowhere", &version) == -ENOENT);
	cr_assert(fib_maps_layout("../maps", &version) == -EINVAL);
}

Test(maps, a_closed_table_is_emptied_in_pieces)
{
	struct fib_route *routes = many(30000, false);
	struct frame_spec spec = { .ttl = 9 };
	struct fib_table_pin pin;
	unsigned int rounds = 0;
	struct frame f;

	cr_assert(fib_maps_routes_set(lab.maps, LAB_TABLE, routes, 30000) == 0);
	cr_assert(!fib_maps_table_close(lab.maps, LAB_TABLE));
	cr_assert(fib_maps_table_close(lab.maps, LAB_TABLE) == -ENOENT);
	cr_assert(fib_maps_table_pins(lab.maps, &pin, 1) == 0);
	frame_make(&f, &spec);
	assert_reason(lab_run(&f, false), XRS_REASON_NO_TABLE);
	while (fib_maps_reap(lab.maps, 1000))
		rounds++;
	cr_assert(rounds >= 29, "%u", rounds);
	cr_assert(!fib_maps_table_open(lab.maps, LAB_TABLE, "prod", "main"));
	assert_reason(lab_run(&f, false), XRS_REASON_NO_ROUTE);
	cr_assert(lab_walk(IP_V4, 10) == 0);
	free(routes);
}

/* Routes that lead to group @group now, by one write; some are of another kind, or not in the table. */
static void lead_to(struct fib_route *routes, uint32_t n, uint32_t group)
{
	for (uint32_t i = 0; i < n; i++) {
		routes[i].value = (struct xrs_route){ .kind = XRS_ROUTE_STEER, .group = group };
		routes[i].fresh = false;
	}
	cr_assert(fib_maps_routes_set(lab.maps, LAB_TABLE, routes, n) == 0);
}

static void assert_leads_to(const struct fib_route *route, uint32_t group)
{
	struct xrs_route got;

	cr_assert(!fib_maps_route_get(lab.maps, LAB_TABLE, &route->prefix, &got));
	cr_assert(got.kind == XRS_ROUTE_STEER && got.group == group &&
		  got.prefix_len == route->prefix.len);
}

Test(maps, routes_that_lead_elsewhere_are_changed_where_they_stand)
{
	const uint32_t n = 5000;

	for (int v6 = 0; v6 < 2; v6++) {
		struct fib_route *routes = many(n, v6);
		uint64_t moved = fib_maps_moved(lab.maps);

		cr_assert(fib_maps_routes_set(lab.maps, LAB_TABLE, routes, n) == 0);
		cr_assert(fib_maps_moved(lab.maps) == moved, "all are new");
		lead_to(routes, n, 1);
		cr_assert(fib_maps_moved(lab.maps) == moved, "all are of another kind");
		lead_to(routes, n, 2);
		cr_assert(fib_maps_moved(lab.maps) == moved + n);
		cr_assert(fib_maps_routes_del(lab.maps, LAB_TABLE, routes, 10) == 0);
		lead_to(routes, n, 3);
		cr_assert(fib_maps_moved(lab.maps) == moved + 2 * n - 10);
		for (uint32_t i = 0; i < n; i++)
			assert_leads_to(&routes[i], 3);
		lead_to(routes, 8, 4);
		assert_leads_to(&routes[0], 4);
		free(routes);
	}
}

/* A lookup for a prefix that is not there meets the one that holds it, which is not to be changed. */
Test(maps, what_is_not_there_is_not_mistaken_for_what_holds_it)
{
	struct fib_route *routes = many(100, false), cover = numbered(0, false);

	cover.prefix.addr = ip_from_bytes(IP_V4, (uint8_t[4]){ 10 });
	cover.prefix.len = 8;
	lead_to(&cover, 1, 1);
	lead_to(routes, 100, 2);
	assert_leads_to(&cover, 1);
	assert_leads_to(&routes[99], 2);
	cr_assert(fib_maps_moved(lab.maps) == 0);
	free(routes);
}

static bool is_pinned(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/fs/bpf/%s/%s", lab.instance, name);
	return !access(path, F_OK);
}

/* A process that is killed while it empties a trie: the next one goes on, the kernel frees nothing in one piece. */
Test(maps, what_is_closed_stays_pinned_until_it_is_empty)
{
	struct fib_route *routes = many(30000, false);
	unsigned int rounds = 0;

	cr_assert(fib_maps_routes_set(lab.maps, LAB_TABLE, routes, 30000) == 0);
	cr_assert(!fib_maps_table_close(lab.maps, LAB_TABLE));
	cr_assert(!is_pinned("tables/prod.main.v4") && is_pinned("closed"));
	while (rounds++ < 10)
		cr_assert(fib_maps_reap(lab.maps, 1000));
	reopen();
	cr_assert(is_pinned("closed"));
	while (fib_maps_reap(lab.maps, 1000))
		rounds++;
	cr_assert(rounds >= 29 && rounds <= 35, "%u", rounds);
	cr_assert(!is_pinned("closed"));
	free(routes);
}

Test(maps, a_walk_notices_that_its_place_is_gone)
{
	struct fib_route *routes = many(100, false), out[10];
	struct fib_walk walk;
	size_t n;

	cr_assert(fib_maps_routes_set(lab.maps, LAB_TABLE, routes, 100) == 0);
	fib_walk_init(&walk, LAB_TABLE, IP_V4);
	cr_assert(!fib_maps_walk(lab.maps, &walk, out, 10, &n) && n == 10);
	cr_assert(fib_maps_routes_del(lab.maps, LAB_TABLE, out + 9, 1) == 0);
	cr_assert(fib_maps_walk(lab.maps, &walk, out, 10, &n) == -ESTALE);
	free(routes);
}

Test(maps, indices_are_checked)
{
	struct xrs_group group = { 0 };
	struct xrs_nexthop nh = { 0 };
	struct xrs_nic nic = { .table = XRS_TABLE_MAX };
	struct xrs_nic_stats stats;

	cr_assert(fib_maps_group_set(lab.maps, 0, &group, NULL) == -ERANGE);
	cr_assert(fib_maps_group_set(lab.maps, XRS_GROUP_MAX, &group, NULL) == -ERANGE);
	cr_assert(fib_maps_nexthop_set(lab.maps, 0, &nh) == -ERANGE);
	cr_assert(fib_maps_nexthop_way(lab.maps, XRS_NEXTHOP_MAX, XRS_WAY_NONE) == -ERANGE);
	cr_assert(fib_maps_nic_set(lab.maps, 5, &nic) == -ERANGE);
	cr_assert(fib_maps_nic_stats(lab.maps, XRS_NIC_MAX, &stats) == -ERANGE);
	cr_assert(fib_maps_table_open(lab.maps, XRS_TABLE_MAX, "a", "b") == -ERANGE);
	cr_assert(fib_maps_nic_del(lab.maps, 4711) == 0 && fib_maps_dev_del(lab.maps, 4711) == 0);
}

Test(maps, nics_and_devices_are_listed)
{
	uint32_t seen = 0, ifindex = 0;

	for (uint32_t i = 10; i < 15; i++)
		cr_assert(!fib_maps_nic_set(lab.maps, i, &lab.nic));
	cr_assert(!fib_maps_nic_del(lab.maps, 12));
	while (!fib_maps_nic_next(lab.maps, ifindex, &ifindex))
		seen |= 1u << ifindex;
	cr_assert(seen == (1u << LAB_NIC | 1u << 10 | 1u << 11 | 1u << 13 | 1u << 14));
	cr_assert(!fib_maps_dev_add(lab.maps, 1) && fib_maps_dev_has(lab.maps, 1));
	cr_assert(!fib_maps_dev_next(lab.maps, 0, &ifindex) && ifindex == 1);
	cr_assert(fib_maps_dev_next(lab.maps, 1, &ifindex) == -ENOENT);
	cr_assert(!fib_maps_dev_del(lab.maps, 1) && !fib_maps_dev_has(lab.maps, 1));
}

static struct xrs_near *near_map(void)
{
	size_t size = sizeof(struct xrs_near) * XRS_NIC_MAX;
	void *near = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			  fib_maps_fd(lab.maps, "xrs_near"), 0);

	cr_assert(near != MAP_FAILED);
	return near;
}

Test(maps, a_nic_has_a_copy_unless_its_place_is_taken)
{
	struct xrs_near *near = near_map();
	const uint32_t first = 7, second = first + XRS_NIC_MAX;
	struct xrs_nic nic = lab.nic, got;

	cr_assert(!fib_maps_nic_set(lab.maps, first, &nic));
	nic.slot++;
	cr_assert(!fib_maps_nic_set(lab.maps, second, &nic));
	cr_assert(near[first].ifindex == first && near[first].slot == lab.nic.slot);
	cr_assert(!fib_maps_nic_get(lab.maps, second, &got) && got.slot == nic.slot);
	cr_assert(!fib_maps_nic_del(lab.maps, second) && near[first].ifindex == first);
	cr_assert(!fib_maps_nic_set(lab.maps, first, &nic) && near[first].slot == nic.slot);
	cr_assert(!fib_maps_nic_del(lab.maps, first) && !near[first].ifindex);
	cr_assert(!fib_maps_nic_set(lab.maps, second, &nic) && near[first].ifindex == second);
	cr_assert(!(near[first].seq & 1));
}

Test(maps, a_copy_that_a_dead_process_left_half_written_is_made_anew)
{
	struct xrs_near *near = &near_map()[LAB_NIC];

	cr_assert(near->ifindex == LAB_NIC && !(near->seq & 1));
	near->seq++;
	near->slot = 4711;
	reopen();
	cr_assert(!(near->seq & 1) && near->slot == LAB_SLOT);
}

Test(maps, counters_are_set_back)
{
	struct frame_spec spec = { .ttl = 9 };
	struct xrs_nh_stats nh;
	struct frame f;

	lab_steer(XRS_WAY_BRIDGE);
	frame_make(&f, &spec);
	lab_count(&f, false, 0);
	cr_assert(lab_counted() == 1);
	cr_assert(!fib_maps_nic_stats_zero(lab.maps, LAB_SLOT));
	cr_assert(!fib_maps_nh_stats_zero(lab.maps, 1));
	cr_assert(lab_counted() == 0 && lab_stats().bytes_steered == 0);
	cr_assert(!fib_maps_nh_stats(lab.maps, 1, &nh) && !nh.packets && !nh.bytes);
}

Test(maps, reasons_are_named)
{
	for (unsigned int i = 0; i < XRS_REASON_MAX; i++)
		cr_assert(fib_reason_name(i) && fib_reason_verdict(i));
	cr_assert(!strcmp(fib_reason_name(XRS_REASON_SPOOFED), "spoofed"));
	cr_assert(!strcmp(fib_reason_verdict(XRS_REASON_SPOOFED), "dropped"));
	cr_assert(!fib_reason_name(XRS_REASON_MAX) && !fib_reason_verdict(XRS_REASON_MAX));
}

/* What a person sees: types from BTF, the next hop's peering by name. */
Test(maps, bpftool_prints_every_map)
{
	static const struct {
		const char *pin, *expect;
	} rows[] = {
		{ "maps/xrs_meta", "layout_version" },
		{ "maps/xrs_nic", "XRS_NIC_VM" },
		{ "maps/xrs_nexthop", "XRS_WAY_BRIDGE" },
		{ "tables/prod.main.v4", "XRS_ROUTE_STEER" },
		{ "tables/prod.main.v6", "XRS_ROUTE_STEER" },
		{ "maps/xrs_stats", "not_gateway" },
	};
	char command[512];

	if (access("/usr/sbin/bpftool", X_OK))
		cr_skip_test("no bpftool");
	lab_steer(XRS_WAY_BRIDGE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(command, sizeof(command),
			 "/usr/sbin/bpftool map dump pinned /sys/fs/bpf/%s/%s 2>/dev/null |"
			 " grep -q %s",
			 lab.instance, rows[i].pin, rows[i].expect);
		cr_assert(!system(command), "%s does not print %s", rows[i].pin, rows[i].expect);
	}
}

Test(maps, features_of_this_kernel)
{
	struct loader_feature list[LOADER_FEATURES];
	size_t n = loader_check_features(list);

	cr_assert(n >= 12);
	for (size_t i = 0; i < n; i++) {
		cr_assert(list[i].name && list[i].why && list[i].remedy);
		cr_assert(list[i].ok || !list[i].required, "%s", list[i].name);
	}
}
