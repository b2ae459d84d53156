// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packet in, verdict, packet out, counters: every exit of a nic's programs and what is written where, three times
 * over: XDP, XDP for generic mode, and the tc half as if it were alone.
 */
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "lab.h"

TestSuite(steer, .init = lab_up, .fini = lab_down, .timeout = 120);

enum way {
	XDP,
	GENERIC,
	TC,
	WAYS
};
static const char *const programs[WAYS] = { "xrs_steer", "xrs_steer_skb", "xrs_steer_tc" };
static enum way way; /* what the test goes through at the moment */

static void each_way(void (*test)(void))
{
	const struct xrs_nic nic = lab.nic;

	for (way = XDP; way < WAYS; way++) {
		cr_log_info("%s", programs[way]);
		lab.nic = nic;
		cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &nic));
		cr_assert(!fib_maps_nic_stats_zero(lab.maps, 0));
		cr_assert(!fib_maps_nic_stats_zero(lab.maps, LAB_SLOT));
		cr_assert(!fib_maps_nh_stats_zero(lab.maps, 1));
		fib_maps_dev_del(lab.maps, 1);
		test();
	}
}

#define Each(name)              \
	static void name(void); \
	Test(steer, name)       \
	{                       \
		each_way(name); \
	}                       \
	static void name(void)

/* The tc half has reasons of its own for what it does itself. */
static enum xrs_reason here(enum xrs_reason reason)
{
	if (way != TC)
		return reason;
	return reason == XRS_REASON_BRIDGED      ? XRS_REASON_TC_BRIDGED
	       : reason == XRS_REASON_REDIRECTED ? XRS_REASON_TC_REDIRECTED
						 : reason;
}

/* What is left to tc is decided there, as @reason. */
static enum xrs_reason left(enum xrs_reason reason)
{
	return way == TC ? here(reason) : XRS_REASON_TO_TC;
}

static uint32_t action(uint32_t xdp)
{
	static const uint32_t tc[] = { [XDP_DROP] = TC_ACT_SHOT,
				       [XDP_PASS] = (uint32_t)TC_ACT_UNSPEC,
				       [XDP_REDIRECT] = TC_ACT_REDIRECT };

	return way == TC ? tc[xdp] : xdp;
}

static struct run steer_frame(const struct frame *f)
{
	return lab_run_by(programs[way], f);
}

static struct run steer(const struct frame_spec *spec)
{
	struct frame f;

	frame_make(&f, spec);
	return steer_frame(&f);
}

/* XDP tells the tc half what it did; the tc half tells nobody. */
static void assert_mark(const struct run *run, enum xrs_mark_verdict verdict)
{
	if (way == TC)
		return;
	cr_assert(run->mark.magic == XRS_MARK_MAGIC && run->mark.ifindex == LAB_NIC);
	cr_assert(run->mark.verdict == verdict);
}

static void assert_untouched(const struct run *run, const struct frame_spec *spec)
{
	struct frame f;

	frame_make(&f, spec);
	cr_assert(run->out.len == f.len);
	cr_assert_arr_eq(run->out.data, f.data, f.len);
}

#define expect(reason_, ...)                                                                  \
	do {                                                                                  \
		struct frame_spec spec_ = { __VA_ARGS__ };                                    \
		struct run run_ = steer(&spec_);                                              \
                                                                                              \
		assert_reason(run_, reason_);                                                 \
		cr_assert(run_.action == action(XDP_PASS));                                   \
		assert_mark(&run_,                                                            \
			    (reason_) == XRS_REASON_TO_TC ? XRS_MARK_TO_TC : XRS_MARK_FINAL); \
		assert_untouched(&run_, &spec_);                                              \
	} while (0)

static void in_devmap(void)
{
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_REDIRECT);

	lab_steer(XRS_WAY_REDIRECT);
	nh.ifindex = 1; /* the only device that is surely here */
	lab.nic.name[0] = 'x';
	lab_set_nexthop(1, &nh);
	cr_assert(!fib_maps_dev_add(lab.maps, 1));
}

/* For redirects the nic has to be another one than the egress: probes only. */
static struct run redirect(const struct frame *f)
{
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC_B, &lab.nic));
	return lab_probe_by(programs[way], LAB_NIC_B, f, 0);
}

static void assert_macs(const uint8_t *frame, const struct xrs_nexthop *nh)
{
	cr_assert_arr_eq(frame, nh->dmac, 6);
	cr_assert_arr_eq(frame + 6, nh->smac, 6);
}

Each(bridge_v4)
{
	struct frame_spec spec = { .ttl = 17 };
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_BRIDGE);
	struct xrs_nh_stats stats;
	struct frame f;
	struct run run;

	lab_steer(XRS_WAY_BRIDGE);
	run = steer(&spec);
	frame_make(&f, &spec);
	assert_reason(run, here(XRS_REASON_BRIDGED));
	cr_assert(run.action == action(XDP_PASS));
	assert_mark(&run, XRS_MARK_FINAL);
	cr_assert(run.out.len == f.len);
	cr_assert_arr_eq(run.out.data, nh.dmac, 6);
	cr_assert_arr_eq(run.out.data + 6, LAB_VM_MAC, 6, "the source MAC stays the VM's");
	cr_assert(run.out.data[14 + 8] == 16);
	cr_assert(ipv4_sum_ok(run.out.data + 14));
	cr_assert_arr_eq(run.out.data + 34, f.data + 34, f.len - 34);
	cr_assert(run.decision.group == 1 && run.decision.nexthop == 1);
	cr_assert(run.decision.table == LAB_TABLE && run.decision.prefix_len == 16);
	cr_assert(run.decision.bucket == (run.decision.hash & (XRS_BUCKETS - 1)));
	cr_assert(!fib_maps_nh_stats(lab.maps, 1, &stats));
	cr_assert(stats.packets == 1 && stats.bytes == f.len);
	cr_assert(lab_stats().bytes_steered == f.len);
}

Each(bridge_v6)
{
	struct frame_spec spec = { .v6 = true, .ttl = 2, .proto = 6 };
	struct frame f;
	struct run run;

	lab_steer(XRS_WAY_BRIDGE);
	run = steer(&spec);
	frame_make(&f, &spec);
	assert_reason(run, here(XRS_REASON_BRIDGED));
	cr_assert(run.out.data[14 + 7] == 1);
	cr_assert(run.out.len == f.len && run.decision.family == 6);
	cr_assert_arr_eq(run.out.data + 22, f.data + 22, f.len - 22);
}

Each(every_ttl_keeps_the_checksum_right)
{
	lab_steer(XRS_WAY_BRIDGE);
	for (int ttl = 2; ttl < 256; ttl++) {
		struct frame_spec spec = { .ttl = ttl, .src = "10.1.77.3", .payload = 40 };
		struct frame f;
		struct run run;

		for (int id = 0; id < 256; id += 5) {
			frame_make(&f, &spec);
			f.data[14 + 5] = (uint8_t)id;
			f.data[14 + 10] = f.data[14 + 11] = 0;
			uint16_t sum = (uint16_t)~sum_fold(sum_bytes(f.data + 14, 20));

			f.data[14 + 10] = (uint8_t)(sum >> 8);
			f.data[14 + 11] = (uint8_t)sum;
			run = lab_probe_by(programs[way], LAB_NIC, &f, 0);
			cr_assert(run.out.data[14 + 8] == ttl - 1);
			cr_assert(ipv4_sum_ok(run.out.data + 14), "ttl %d id %d", ttl, id);
		}
	}
}

Each(redirect_both_families)
{
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_REDIRECT);

	in_devmap();
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame_spec spec = { .v6 = v6, .proto = 6, .payload = 100, .padding = 3 };
		struct frame f;
		struct run run;

		frame_make(&f, &spec);
		run = redirect(&f);
		assert_reason(run, here(XRS_REASON_REDIRECTED));
		cr_assert(run.action == action(XDP_REDIRECT) && run.out.len == f.len);
		assert_macs(run.out.data, &nh);
		cr_assert(run.out.data[14 + (v6 ? 7 : 8)] == 63);
		cr_assert(v6 || ipv4_sum_ok(run.out.data + 14));
		cr_assert_arr_eq(run.out.data + 34, f.data + 34, f.len - 34);
	}
}

/*
 * Tags in, tag wanted by the next hop: the frame has just that one, its priority and what is inside. One that the
 * tc half puts on is the skb's, and not among the octets.
 */
static void check_tags(unsigned int n_tags, uint16_t vid, uint16_t want)
{
	struct frame_spec spec = { .n_tags = n_tags, .tci = { 0x6000 | vid, 0x2064 } };
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_REDIRECT);
	bool inside = want && (way != TC || (n_tags == 1 && vid == want));
	size_t l3 = inside ? 18 : 14;
	struct frame f;
	struct run run;

	nh.ifindex = 1;
	nh.vlan = want;
	lab_set_nexthop(1, &nh);
	frame_make(&f, &spec);
	run = redirect(&f);
	assert_reason(run, here(XRS_REASON_REDIRECTED));
	cr_assert(run.out.len == f.len - f.l3 + l3, "%u tags, want %u", n_tags, want);
	assert_macs(run.out.data, &nh);
	cr_assert(run.out.data[l3 - 2] == 8 && run.out.data[l3 - 1] == 0);
	cr_assert(ipv4_sum_ok(run.out.data + l3) && run.out.data[l3 + 8] == 63);
	cr_assert_arr_eq(run.out.data + l3 + 12, f.data + f.l3 + 12, f.len - f.l3 - 12);
	if (inside) {
		uint16_t tci = (uint16_t)(run.out.data[14] << 8 | run.out.data[15]);

		cr_assert((tci & 0xfff) == want);
		cr_assert(tci >> 12 == (n_tags ? 6 : 0));
	}
}

Each(redirect_leaves_with_the_tag_of_the_egress)
{
	in_devmap();
	for (unsigned int n = 0; n <= 2; n++) {
		check_tags(n, 100, 0);
		check_tags(n, 100, 100);
		check_tags(n, 100, 200);
		check_tags(n, 0, 0);
	}
}

Each(bridge_keeps_the_vlan)
{
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_BRIDGE);
	struct frame_spec tagged = { .n_tags = 1, .tci = { 0x6064 } };
	struct frame_spec twice = { .n_tags = 2, .tci = { 100, 7 }, .v6 = true };
	struct run run;

	lab_steer(XRS_WAY_BRIDGE);
	expect(XRS_REASON_VLAN_MISMATCH, .n_tags = 1, .tci = { 100 });
	nh.vlan = 100;
	lab_set_nexthop(1, &nh);
	expect(XRS_REASON_VLAN_MISMATCH, .ttl = 5);
	run = steer(&tagged);
	assert_reason(run, here(XRS_REASON_BRIDGED));
	cr_assert(run.out.data[18 + 8] == 63 && ipv4_sum_ok(run.out.data + 18));
	cr_assert(run.out.data[14] == 0x60 && run.out.data[15] == 100);
	run = steer(&twice);
	assert_reason(run, here(XRS_REASON_BRIDGED));
	cr_assert(run.out.data[22 + 7] == 63);
	expect(XRS_REASON_NOT_IP, .n_tags = 3, .tci = { 100, 7, 8 });
}

Each(priority_tag_is_no_vlan)
{
	struct frame_spec spec = { .n_tags = 1, .tci = { 0xe000 } };
	struct run run;

	lab_steer(XRS_WAY_BRIDGE);
	run = steer(&spec);
	assert_reason(run, here(XRS_REASON_BRIDGED));
}

Each(passes_by_route_kind)
{
	lab_steer(XRS_WAY_BRIDGE);
	lab_route("10.1.0.0/16", XRS_ROUTE_LOCAL, 0);
	lab_route("0.0.0.0/1", XRS_ROUTE_INTERNET, 0);
	lab_route("10.250.9.0/24", XRS_ROUTE_PROTECTED, 0);
	lab_route("fd00:1::/48", XRS_ROUTE_LOCAL, 0);
	expect(XRS_REASON_LOCAL, .dst = "10.1.9.9");
	expect(XRS_REASON_INTERNET, .dst = "8.8.8.8");
	expect(XRS_REASON_PROTECTED, .dst = "10.250.9.1");
	expect(XRS_REASON_NO_ROUTE, .dst = "200.1.1.1");
	expect(XRS_REASON_LOCAL, .v6 = true, .dst = "fd00:1::5");
	expect(XRS_REASON_NO_ROUTE, .v6 = true, .dst = "2001:db8::1");
}

Each(drops_routes_of_type_none)
{
	struct frame_spec spec = { .dst = "10.66.0.1" };
	struct run run;

	lab_route("10.66.0.0/24", XRS_ROUTE_DROP, 0);
	run = steer(&spec);
	assert_reason(run, XRS_REASON_NONE);
	cr_assert(run.action == action(XDP_DROP));
}

Each(not_for_the_gateway)
{
	lab_steer(XRS_WAY_BRIDGE);
	expect(XRS_REASON_NOT_GATEWAY, .dmac = "\x02\x00\x00\x00\x01\x02");
	expect(XRS_REASON_NOT_GATEWAY, .dmac = "\xff\xff\xff\xff\xff\xff");
	expect(XRS_REASON_NOT_GATEWAY, .dmac = "\x33\x33\x00\x00\x00\x01", .v6 = true);
	lab.nic.n_gateway_macs = 0;
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
	expect(XRS_REASON_NOT_GATEWAY, .dmac = "\x01\x00\x5e\x00\x00\x01");
	expect(XRS_REASON_SPECIAL_DST, .dmac = "\x02\x00\x00\x00\x99\x99", .dst = "224.0.0.5");
}

Each(each_of_four_gateway_macs)
{
	char mac[7] = "\x02\x00\x00\x00\x01\x01";

	lab.nic.n_gateway_macs = XRS_GATEWAY_MACS;
	for (int i = 0; i < XRS_GATEWAY_MACS; i++) {
		mac[5] = (char)(10 + i);
		memcpy(lab.nic.gateway_mac[i], mac, 6);
	}
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
	for (int i = 0; i < XRS_GATEWAY_MACS; i++) {
		mac[5] = (char)(10 + i);
		expect(XRS_REASON_NO_ROUTE, .dmac = mac);
	}
	mac[5] = 14;
	expect(XRS_REASON_NOT_GATEWAY, .dmac = mac);
}

Each(special_addresses)
{
	static const char *const v4[] = { "224.0.0.5",   "239.1.1.1",      "255.255.255.255",
					  "127.0.0.1",   "0.1.2.3",        "0.0.0.0",
					  "169.254.1.1", "169.254.169.254" };
	static const char *const v6[] = { "ff02::1", "ff0e::1", "fe80::1", "febf::1", "::", "::1" };

	lab_steer(XRS_WAY_BRIDGE);
	lab_route("0.0.0.0/0", XRS_ROUTE_STEER, 1);
	lab_route("::/0", XRS_ROUTE_STEER, 1);
	for (size_t i = 0; i < sizeof(v4) / sizeof(*v4); i++)
		expect(XRS_REASON_SPECIAL_DST, .dst = v4[i]);
	for (size_t i = 0; i < sizeof(v6) / sizeof(*v6); i++)
		expect(XRS_REASON_SPECIAL_DST, .v6 = true, .dst = v6[i]);
	expect(XRS_REASON_SPECIAL_DST, .src = "169.254.7.7");
	expect(XRS_REASON_SPECIAL_DST, .v6 = true, .src = "fe80::9");
	expect(XRS_REASON_SPECIAL_DST, .src = "0.0.0.0");
}

Each(neighbour_discovery_is_never_routed)
{
	struct frame_spec spec = { .v6 = true, .proto = 58 };
	struct frame f;

	lab_steer(XRS_WAY_BRIDGE);
	for (int type = 0; type < 256; type++) {
		bool nd = type >= 133 && type <= 137;

		frame_make(&f, &spec);
		f.data[54] = (uint8_t)type;
		assert_reason(steer_frame(&f),
			      nd ? XRS_REASON_SPECIAL_DST : here(XRS_REASON_BRIDGED));
	}
}

Each(ttl_and_hop_limit_of_one)
{
	lab_steer(XRS_WAY_BRIDGE);
	expect(XRS_REASON_TTL_EXPIRED, .ttl = 1);
	expect(XRS_REASON_TTL_EXPIRED, .ttl = -1);
	expect(XRS_REASON_TTL_EXPIRED, .ttl = 1, .v6 = true);
	expect(XRS_REASON_TTL_EXPIRED, .ttl = -1, .v6 = true);
}

Each(options_go_to_the_kernel)
{
	lab_steer(XRS_WAY_BRIDGE);
	expect(XRS_REASON_IP_OPTIONS, .options = true);
}

Each(bad_headers)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum xrs_reason reason;
	} v4[] = {
		{ 0, 0x55, XRS_REASON_BAD_HEADER }, { 0, 0x65, XRS_REASON_BAD_HEADER },
		{ 0, 0x44, XRS_REASON_BAD_HEADER }, { 0, 0x40, XRS_REASON_BAD_HEADER },
		{ 3, 19, XRS_REASON_BAD_HEADER },   { 3, 0, XRS_REASON_BAD_HEADER },
		{ 2, 9, XRS_REASON_TRUNCATED },	    { 3, 200, XRS_REASON_TRUNCATED },
		{ 0, 0x4f, XRS_REASON_BAD_HEADER }, /* 60 octets of header, 28 in all */
	}, v6[] = {
		{ 0, 0x40, XRS_REASON_BAD_HEADER },
		{ 5, 200, XRS_REASON_TRUNCATED },
		{ 4, 255, XRS_REASON_TRUNCATED },
	};
	struct frame_spec spec4 = { .ttl = 9 }, spec6 = { .v6 = true };
	struct frame f;

	lab_steer(XRS_WAY_BRIDGE);
	for (size_t i = 0; i < sizeof(v4) / sizeof(*v4); i++) {
		frame_make(&f, &spec4);
		f.data[14 + v4[i].at] = v4[i].value;
		assert_reason(steer_frame(&f), v4[i].reason);
	}
	for (size_t i = 0; i < sizeof(v6) / sizeof(*v6); i++) {
		frame_make(&f, &spec6);
		f.data[14 + v6[i].at] = v6[i].value;
		assert_reason(steer_frame(&f), v6[i].reason);
	}
	frame_make(&f, &spec6); /* a jumbogram's length with a hop-by-hop header */
	f.data[14 + 4] = f.data[14 + 5] = f.data[14 + 6] = 0;
	assert_reason(steer_frame(&f), XRS_REASON_BAD_HEADER);
}

/* The kernel's own test run refuses an skb that is shorter than the header its type promises. */
static size_t least_skb(const struct frame_spec *spec)
{
	return spec->n_tags ? 15 : spec->v6 ? 54 : 34;
}

/* Every prefix of a frame: counted once, never steered before it is whole, never touched. */
static void cut_everywhere(const struct frame_spec *spec)
{
	struct frame whole, part;

	frame_make(&whole, spec);
	for (size_t len = way == TC ? least_skb(spec) : 14; len < whole.len; len++) {
		struct run run;

		part = whole;
		part.len = len;
		run = steer_frame(&part);
		cr_assert(run.reason != XRS_REASON_MAX, "%zu octets", len);
		assert_reason(run, XRS_REASON_TRUNCATED);
		cr_assert_arr_eq(run.out.data, whole.data, len);
	}
}

Each(truncated_at_every_length)
{
	struct frame_spec specs[] = {
		{ .proto = 6, .payload = 4 },
		{ .n_tags = 2, .tci = { 5, 6 }, .payload = 4 },
		{ .v6 = true, .proto = 6, .n_tags = 1, .tci = { 9 } },
		{ .v6 = true,
		  .options = true,
		  .routing = true,
		  .fragment = true,
		  .hop_by_hop = true },
	};

	lab_steer(XRS_WAY_BRIDGE);
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++)
		cut_everywhere(&specs[i]);
}

Each(other_protocols_are_not_ip)
{
	struct frame_spec spec = { .ttl = 3 };
	struct frame f;

	frame_make(&f, &spec);
	f.data[12] = 0x08;
	f.data[13] = 0x06;
	assert_reason(steer_frame(&f), XRS_REASON_NOT_IP);
	f.data[12] = 0x88;
	f.data[13] = 0xcc;
	assert_reason(steer_frame(&f), XRS_REASON_NOT_IP);
}

Each(unknown_nic_counts_in_slot_zero)
{
	struct xrs_nic_stats stats;
	struct frame_spec spec = { .ttl = 3 };
	struct frame f;

	cr_assert(!fib_maps_nic_del(lab.maps, LAB_NIC));
	frame_make(&f, &spec);
	lab_count_by(programs[way], &f, 0);
	cr_assert(!fib_maps_nic_stats(lab.maps, 0, &stats));
	cr_assert(stats.unknown_nic == 1 && lab_counted() == 0);
	assert_reason(lab_probe_by(programs[way], LAB_NIC, &f, 0), XRS_REASON_UNKNOWN_NIC);
}

Each(table_that_is_not_there)
{
	lab_steer(XRS_WAY_BRIDGE);
	lab.nic.table = 9;
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
	expect(XRS_REASON_NO_TABLE, .ttl = 3);
	expect(XRS_REASON_NO_TABLE, .v6 = true);
}

Each(dead_members_and_groups)
{
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_NONE);

	lab_steer(XRS_WAY_BRIDGE);
	cr_assert(!fib_maps_nexthop_way(lab.maps, 1, XRS_WAY_NONE));
	expect(XRS_REASON_NO_NEXTHOP, .ttl = 3);
	cr_assert(!fib_maps_nexthop_way(lab.maps, 1, XRS_WAY_KERNEL));
	expect(XRS_REASON_TO_KERNEL, .ttl = 3);
	lab_set_nexthop(1, &nh);
	expect(XRS_REASON_NO_NEXTHOP, .v6 = true);
	lab_group(1, NULL, 0);
	expect(XRS_REASON_NO_NEXTHOP, .ttl = 3);
}

Each(never_back_to_where_it_came_from)
{
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_BRIDGE);

	lab_steer(XRS_WAY_BRIDGE);
	expect(XRS_REASON_SELF_LOOP, .smac = (const char *)nh.dmac);
	nh.ifindex = LAB_NIC;
	lab_set_nexthop(1, &nh);
	expect(XRS_REASON_SELF_LOOP, .ttl = 3);
	nh.way = XRS_WAY_REDIRECT;
	lab_set_nexthop(1, &nh);
	expect(XRS_REASON_SELF_LOOP, .v6 = true);
}

Each(what_does_not_fit_is_left_to_tc)
{
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_BRIDGE);
	struct frame_spec fits = { .payload = 1472, .padding = 2 };
	struct run run;

	lab_steer(XRS_WAY_BRIDGE);
	nh.mtu = 1500;
	lab_set_nexthop(1, &nh);
	run = steer(&fits);
	assert_reason(run, here(XRS_REASON_BRIDGED));
	expect(left(XRS_REASON_TOO_BIG), .payload = 1473);
}

/* Of the kernel's test runs only that of a program for many buffers takes such a frame. */
Test(steer, frames_of_many_buffers_are_left_to_tc)
{
	struct frame_spec spec = { .payload = 8000 };
	struct frame f;
	struct run run;

	way = XDP;
	in_devmap();
	frame_make(&f, &spec);
	run = redirect(&f);
	assert_reason(run, XRS_REASON_TO_TC);
	cr_assert(run.out.len == f.len);
	cr_assert_arr_eq(run.out.data, f.data, f.len);
}

Each(partial_checksums_are_left_to_tc)
{
	in_devmap();
	for (int i = 0; i < 4; i++) {
		struct frame_spec spec = {
			.v6 = i & 1, .proto = i & 2 ? 6 : 17, .partial = true, .payload = 33
		};
		struct frame f;
		struct run run;

		frame_make(&f, &spec);
		run = redirect(&f);
		assert_reason(run, left(XRS_REASON_REDIRECTED));
		cr_assert(way == TC || !memcmp(run.out.data, f.data, f.len));
		spec.partial = false;
		frame_make(&f, &spec);
		run = redirect(&f);
		assert_reason(run, here(XRS_REASON_REDIRECTED));
	}
}

Each(hidden_offloads_are_left_to_tc)
{
	static const struct frame_spec specs[] = {
		{ .proto = 47 },
		{ .proto = 4 },
		{ .proto = 41 },
		{ .dport = 4789 },
		{ .dport = 6081 },
		{ .dport = 8472 },
		{ .v6 = true, .routing = true },
	};
	struct frame_spec sctp = { .proto = 132 };
	struct frame f;

	in_devmap();
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		frame_make(&f, &specs[i]);
		assert_reason(redirect(&f), left(XRS_REASON_REDIRECTED));
	}
	frame_make(&f, &sctp);
	assert_reason(redirect(&f), here(XRS_REASON_REDIRECTED));
	f.data[34 + 8] = f.data[34 + 9] = 0; /* the CRC is left to a device */
	assert_reason(redirect(&f), left(XRS_REASON_REDIRECTED));
}

/* The bridge way keeps the skb and its marks. */
Each(partial_checksums_can_be_bridged)
{
	struct frame_spec spec = { .proto = 6, .partial = true };
	struct run run;

	lab_steer(XRS_WAY_BRIDGE);
	run = steer(&spec);
	assert_reason(run, here(XRS_REASON_BRIDGED));
}

/* XDP in generic mode has no use for the devmap: it transmits as the stack does. */
Each(a_device_outside_the_devmap_is_left_to_tc)
{
	struct frame_spec specs[] = { { .ttl = 3 }, { .n_tags = 2, .tci = { 1, 2 } } };

	lab_steer(XRS_WAY_REDIRECT);
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		struct run run = steer(&specs[i]);

		assert_reason(run, way == XDP ? XRS_REASON_TO_TC : here(XRS_REASON_REDIRECTED));
		if (way == XDP)
			assert_untouched(&run, &specs[i]);
	}
}

static void spoof_rules(void)
{
	lab_steer(XRS_WAY_BRIDGE);
	lab.nic.flags |= XRS_NIC_F_ANTI_SPOOF;
	memcpy(lab.nic.mac, LAB_VM_MAC, 6);
	lab.nic.n_sources4 = 2;
	memcpy(lab.nic.source4[0], "\x0a\x01\x00\x0a", 4);
	lab.nic.source4_len[0] = 32;
	memcpy(lab.nic.source4[1], "\xac\x10\x00\x00", 4);
	lab.nic.source4_len[1] = 12;
	lab.nic.n_sources6 = 1;
	memcpy(lab.nic.source6[0], "\xfd\x00\x00\x01", 4);
	lab.nic.source6_len[0] = 47;
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
}

Each(spoofed_sources_are_dropped)
{
	static const struct {
		struct frame_spec spec;
		enum xrs_reason reason;
	} rows[] = {
		{ { .src = "10.1.0.10" }, XRS_REASON_BRIDGED },
		{ { .src = "10.1.0.11" }, XRS_REASON_SPOOFED },
		{ { .src = "172.31.255.255" }, XRS_REASON_BRIDGED },
		{ { .src = "172.32.0.0" }, XRS_REASON_SPOOFED },
		{ { .src = "10.1.0.10", .smac = "\x02\x00\x00\x00\x00\x0b" }, XRS_REASON_SPOOFED },
		{ { .src = "10.1.0.11", .options = true }, XRS_REASON_SPOOFED },
		{ { .src = "10.1.0.11", .ttl = 1 }, XRS_REASON_SPOOFED },
		{ { .src = "0.0.0.0" }, XRS_REASON_SPECIAL_DST },
		{ { .src = "127.0.0.1" }, XRS_REASON_SPOOFED },
		{ { .v6 = true, .src = "fd00:1::77" }, XRS_REASON_BRIDGED },
		{ { .v6 = true, .src = "fd00:1:1::77" }, XRS_REASON_BRIDGED },
		{ { .v6 = true, .src = "fd00:1:2::77" }, XRS_REASON_SPOOFED },
		{ { .v6 = true, .src = "fe80::1" }, XRS_REASON_SPECIAL_DST },
		{ { .v6 = true, .src = "::" }, XRS_REASON_SPECIAL_DST },
		{ { .v6 = true, .src = "::1" }, XRS_REASON_SPOOFED },
	};

	spoof_rules();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct run run = steer(&rows[i].spec);

		cr_assert(run.reason == here(rows[i].reason), "row %zu: %s", i,
			  reason_text(run.reason));
		cr_assert((run.action == action(XDP_DROP)) ==
			  (rows[i].reason == XRS_REASON_SPOOFED));
	}
}

Each(without_the_flag_no_source_is_checked)
{
	struct frame_spec spec = { .src = "1.2.3.4" };

	spoof_rules();
	lab.nic.flags &= ~XRS_NIC_F_ANTI_SPOOF;
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
	assert_reason(steer(&spec), here(XRS_REASON_BRIDGED));
}

/* A nic that only tc steers: XDP neither counts nor marks nor touches. */
Each(flag_tc_leaves_everything)
{
	struct frame_spec spec = { .ttl = 3 };
	struct frame f;
	struct run run;

	lab_steer(XRS_WAY_BRIDGE);
	lab.nic.flags |= XRS_NIC_F_TC;
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
	frame_make(&f, &spec);
	run = lab_count_by(programs[way], &f, 0);
	if (way == TC) {
		assert_reason(run, XRS_REASON_TC_BRIDGED);
		return;
	}
	cr_assert(run.action == XDP_PASS && run.reason == XRS_REASON_MAX && !run.mark.magic);
	cr_assert_arr_eq(run.out.data, f.data, f.len);
	cr_assert(lab_counted() == 0);
	assert_reason(lab_probe_by(programs[way], LAB_NIC, &f, 0), XRS_REASON_TO_TC);
}
