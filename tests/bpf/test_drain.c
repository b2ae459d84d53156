// SPDX-License-Identifier: GPL-2.0-only
/* Draining: which packets stay with the next hop that drains, which go to the heir, by either half. */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "lab.h"

#define OLD     1
#define HEIR    2
#define OTHER   3
#define SYN     0x02
#define SYN_ACK 0x12
#define ACK     0x10
#define TCP     6

TestSuite(drain, .init = lab_up, .fini = lab_down);

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void set_hop(uint32_t index, enum xrs_way way, uint64_t drain_ns)
{
	struct xrs_nexthop nexthop = lab_nexthop(index, way);

	nexthop.drain_ns = drain_ns;
	lab_set_nexthop(index, &nexthop);
}

/* All buckets are @member's, and @heir's next. */
static void group_of(uint32_t member, uint32_t heir)
{
	struct xrs_group group = { .n_members = 3, .n_alive = 3, .member = { 1, 2, 3 } };
	struct xrs_bucket bucket;

	for (unsigned int b = 0; b < XRS_BUCKETS; b++) {
		bucket.member[b] = (uint16_t)member;
		bucket.next[b] = (uint16_t)heir;
	}
	cr_assert_eq(fib_maps_group_set(lab.maps, 1, &group, &bucket), 0);
	lab_route("10.250.0.0/16", XRS_ROUTE_STEER, 1);
	lab_route("10.1.0.0/16", XRS_ROUTE_STEER, 1);
	lab_route("fd00:250::/32", XRS_ROUTE_STEER, 1);
}

/* The drain of OLD begins so long ago. */
static void drain(uint64_t ago_ns)
{
	set_hop(OLD, XRS_WAY_BRIDGE, now_ns() - ago_ns);
	set_hop(HEIR, XRS_WAY_BRIDGE, 0);
	set_hop(OTHER, XRS_WAY_BRIDGE, 0);
	group_of(OLD, HEIR);
}

/* Who gets a frame of this flow; a probe is asked before, and must say the same. */
static uint32_t where(struct frame_spec spec, uint8_t flags, bool tc)
{
	struct frame frame;

	if (!spec.src)
		spec.src = spec.v6 ? "fd00:1::1:4" : "10.1.1.4";
	if (!spec.dst)
		spec.dst = spec.v6 ? "fd00:250::1" : "10.250.0.10";
	frame_make(&frame, &spec);
	if (spec.proto == TCP && !spec.frag)
		frame.data[frame.l3 + (spec.v6 ? 40 : 20) + 13] = flags;
	return lab_run(&frame, tc).decision.nexthop;
}

static const struct frame_spec tcp4 = { .proto = TCP, .sport = 1000, .dport = 80 };
static const struct frame_spec udp4 = { .sport = 1000, .dport = 53 };

Test(drain, a_running_connection_stays)
{
	struct frame_spec tcp6 = tcp4;

	tcp6.v6 = true;
	drain(20000000000);
	for (int tc = 0; tc < 2; tc++) {
		cr_assert_eq(where(tcp4, ACK, tc), OLD);
		cr_assert_eq(where(tcp6, ACK, tc), OLD);
	}
}

Test(drain, a_new_connection_goes_to_the_heir_and_stays_there)
{
	struct frame_spec spec = tcp4, other = tcp4;

	other.sport = 1001;
	drain(0);
	for (int v6 = 0; v6 < 2; v6++) {
		for (int tc = 0; tc < 2; tc++) {
			spec.v6 = other.v6 = v6;
			spec.sport++;
			other.sport = (uint16_t)(spec.sport + 1000);
			cr_assert_eq(where(spec, ACK, tc), OLD, "not seen yet");
			cr_assert_eq(where(spec, SYN, tc), HEIR);
			cr_assert_eq(where(spec, ACK, tc), HEIR);
			cr_assert_eq(where(spec, ACK, !tc), HEIR, "the other half knows");
			cr_assert_eq(where(other, ACK, tc), OLD, "another flow");
		}
	}
}

Test(drain, both_directions_are_one_flow)
{
	struct frame_spec there = tcp4, back = {
		.proto = TCP, .src = "10.250.0.10", .dst = "10.1.1.4", .sport = 80, .dport = 1000
	};

	lab.nic.flags |= XRS_NIC_F_SYMMETRIC;
	cr_assert_eq(fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic), 0);
	drain(0);
	cr_assert_eq(where(there, SYN, false), HEIR);
	cr_assert_eq(where(back, ACK, false), HEIR);
	there.sport = back.dport = 1001;
	cr_assert_eq(where(back, SYN_ACK, false), HEIR, "its SYN entered at another host");
	cr_assert_eq(where(there, ACK, false), HEIR);
}

Test(drain, what_has_no_syn_is_told_by_when_it_is_seen)
{
	struct frame_spec late = udp4, fragment = { .proto = TCP, .frag = 0x2000, .payload = 16 };
	uint64_t began = now_ns();

	late.sport = 1001;
	drain(0);
	set_hop(OLD, XRS_WAY_BRIDGE, began);
	cr_assert_eq(where(udp4, 0, false), OLD);
	cr_assert_eq(where(fragment, 0, true), OLD);
	/* As if the drain had begun earlier: what was kept belongs to another drain. */
	drain(XRS_DRAIN_LEARN_NS);
	cr_assert_eq(where(udp4, 0, false), HEIR);
	cr_assert_eq(where(late, 0, true), HEIR);
	cr_assert_eq(where(fragment, 0, false), HEIR);
	set_hop(OLD, XRS_WAY_BRIDGE, began);
	cr_assert_eq(where(late, 0, false), OLD, "a flow of a drain that is over is not known");
}

Test(drain, a_probe_leaves_nothing_behind)
{
	struct frame frame;

	drain(0);
	frame_make(&frame, &tcp4);
	frame.data[frame.l3 + 33] = SYN;
	cr_assert_eq(lab_probe_all(&frame).decision.nexthop, HEIR);
	cr_assert_eq(where(tcp4, ACK, false), OLD);
}

Test(drain, the_dead_have_no_flows)
{
	drain(0);
	set_hop(OLD, XRS_WAY_NONE, now_ns());
	cr_assert_eq(where(tcp4, ACK, false), HEIR);
	cr_assert_eq(where(udp4, 0, true), HEIR);
}

Test(drain, without_an_heir_that_can_take_them_new_flows_stay)
{
	drain(0);
	set_hop(HEIR, XRS_WAY_NONE, 0);
	cr_assert_eq(where(tcp4, SYN, false), OLD, "dead");
	set_hop(HEIR, XRS_WAY_BRIDGE, now_ns());
	cr_assert_eq(where(tcp4, SYN, false), OLD, "drains as well");
	group_of(OLD, 0);
	cr_assert_eq(where(tcp4, SYN, true), OLD, "none");
	group_of(OTHER, HEIR);
	cr_assert_eq(where(tcp4, SYN, true), OTHER, "a bucket of one that does not drain");
}
