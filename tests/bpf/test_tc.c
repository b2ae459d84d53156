// SPDX-License-Identifier: GPL-2.0-only
/* The tc half by itself: the same decisions as XDP, and what only it can do. */
#include <criterion/criterion.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "lab.h"

TestSuite(tc, .init = lab_up, .fini = lab_down, .timeout = 60);

static struct run tc(const struct frame_spec *spec, uint32_t gso_size)
{
	struct frame f;

	frame_make(&f, spec);
	return gso_size ? lab_count(&f, true, gso_size) : lab_run(&f, true);
}

static void set_mtu(enum xrs_way way, uint32_t mtu)
{
	struct xrs_nexthop nh = lab_nexthop(1, way);

	lab_steer(way);
	nh.mtu = mtu;
	lab_set_nexthop(1, &nh);
}

Test(tc, redirects_what_xdp_may_not)
{
	struct frame_spec specs[] = {
		{ .partial = true, .proto = 6 },
		{ .partial = true, .v6 = true },
		{ .proto = 47 },
	};
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_REDIRECT);
	struct xrs_nh_stats stats;

	lab_steer(XRS_WAY_REDIRECT);
	for (size_t i = 0; i < 3; i++) {
		struct run run = tc(&specs[i], 0);
		struct frame f;

		frame_make(&f, &specs[i]);
		assert_reason(run, XRS_REASON_TC_REDIRECTED);
		cr_assert(run.action == TC_ACT_REDIRECT && run.out.len == f.len);
		cr_assert_arr_eq(run.out.data, nh.dmac, 6);
		cr_assert_arr_eq(run.out.data + 6, nh.smac, 6);
		cr_assert(run.out.data[14 + (specs[i].v6 ? 7 : 8)] == 63);
		cr_assert(specs[i].v6 || ipv4_sum_ok(run.out.data + 14));
		cr_assert_arr_eq(run.out.data + 34, f.data + 34, f.len - 34);
	}
	cr_assert(!fib_maps_nh_stats(lab.maps, 1, &stats) && stats.packets == 3);
}

Test(tc, bridges_with_the_vms_source)
{
	struct frame_spec spec = { .v6 = true };
	struct run run;

	lab_steer(XRS_WAY_BRIDGE);
	run = tc(&spec, 0);
	assert_reason(run, XRS_REASON_TC_BRIDGED);
	cr_assert(run.action == (uint32_t)TC_ACT_UNSPEC && run.out.data[14 + 7] == 63);
	cr_assert_arr_eq(run.out.data + 6, LAB_VM_MAC, 6);
}

Test(tc, drops_as_xdp_does)
{
	struct frame_spec spec = { .dst = "10.66.0.1" };
	struct run run;

	lab_route("10.66.0.0/24", XRS_ROUTE_DROP, 0);
	run = tc(&spec, 0);
	assert_reason(run, XRS_REASON_NONE);
	cr_assert(run.action == TC_ACT_SHOT);
}

/* What counts for a frame that is cut later is one segment: headers and gso_size. */
Test(tc, segments_are_measured_not_frames)
{
	static const struct {
		struct frame_spec spec;
		uint32_t gso, fits; /* the least MTU that a segment fits */
	} rows[] = {
		{ { .proto = 6, .payload = 3000 }, 1000, 20 + 20 + 1000 },
		{ { .proto = 17, .payload = 3000 }, 1000, 20 + 8 + 1000 },
		{ { .proto = 6, .payload = 3000, .v6 = true }, 1200, 40 + 20 + 1200 },
	};

	static const struct {
		enum xrs_way way;
		enum xrs_reason reason;
	} ways[] = {
		{ XRS_WAY_BRIDGE, XRS_REASON_TC_BRIDGED },
		{ XRS_WAY_REDIRECT, XRS_REASON_TC_REDIRECTED },
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		const struct frame_spec *spec = &rows[i / 2].spec;

		set_mtu(ways[i % 2].way, rows[i / 2].fits);
		assert_reason(tc(spec, rows[i / 2].gso), ways[i % 2].reason);
		set_mtu(ways[i % 2].way, rows[i / 2].fits - 1);
		assert_reason(tc(spec, rows[i / 2].gso), XRS_REASON_TOO_BIG);
		assert_reason(tc(spec, 0), XRS_REASON_TOO_BIG);
	}
}

Test(tc, both_halves_choose_the_same_bucket)
{
	lab_steer(XRS_WAY_BRIDGE);
	for (int i = 0; i < 300; i++) {
		struct frame_spec spec = { .v6 = i & 1,
					   .proto = i & 2 ? 6 : 17,
					   .sport = (uint16_t)(1 + i * 131) };
		struct frame f;
		struct xrs_decision a, b;

		frame_make(&f, &spec);
		a = lab_probe(&f, false, 0).decision;
		b = lab_probe(&f, true, 0).decision;
		cr_assert(a.hash == b.hash && a.bucket == b.bucket && a.nexthop == b.nexthop);
		cr_assert(a.table == b.table && a.group == b.group && a.kind == b.kind);
		cr_assert(a.prefix_len == b.prefix_len && a.family == b.family);
	}
}

Test(tc, takes_tags_off)
{
	struct frame_spec spec = { .n_tags = 2, .tci = { 100, 7 }, .payload = 30 };
	struct frame f;
	struct run run;

	lab_steer(XRS_WAY_REDIRECT);
	frame_make(&f, &spec);
	run = tc(&spec, 0);
	assert_reason(run, XRS_REASON_TC_REDIRECTED);
	cr_assert(run.out.len == f.len - 8);
	cr_assert(run.out.data[12] == 8 && run.out.data[13] == 0);
	cr_assert(ipv4_sum_ok(run.out.data + 14) && run.out.data[14 + 8] == 63);
	cr_assert_arr_eq(run.out.data + 34, f.data + 42, f.len - 42);
}
