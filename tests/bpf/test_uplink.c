// SPDX-License-Identifier: GPL-2.0-only
/*
 * The uplink: frames from outside for local VMs, plain and out of VXLAN, by XDP and by the tc half; what
 * neither of them may touch; and real frames with offloads.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wire_lab.h"

#define VNET      9
#define VNI       0x00a0b1
#define VM4       "10.1.1.4"
#define VM6       "fd00:1::1:4"
#define OURS4     "192.0.2.1" /* where tunnels end */
#define OURS6     "fd00:ff::1"
#define INNER_GW  "\x02\x00\x00\x00\x09\x01" /* gateway of the network in the tunnel */
#define VM_MAC    "\x02\xaa\x00\x00\x00\x04"
#define HOST_MAC  "\x02\xbb\x00\x00\x00\x01"
#define OUTER_MAX 70

static struct xrs_host_key host_key(bool v6)
{
	struct xrs_host_key key = { .vnet = VNET, .family = v6 ? 6 : 4 };
	struct ip_addr addr;

	ip_parse(v6 ? VM6 : VM4, &addr);
	memcpy(key.addr, addr.bytes, sizeof(key.addr));
	return key;
}

static void set_host(bool v6, uint16_t vlan, uint32_t mtu)
{
	struct xrs_nexthop value = {
		.way = XRS_WAY_REDIRECT, .ifindex = wire_index("out"), .mtu = mtu, .vlan = vlan
	};
	struct xrs_host_key key = host_key(v6);

	memcpy(value.dmac, VM_MAC, 6);
	memcpy(value.smac, HOST_MAC, 6);
	value.family = (uint16_t)key.family;
	cr_assert(!fib_maps_host_set(lab.maps, &key, &value));
}

static void set_vni(bool v6)
{
	struct xrs_vni_key key = { .vni = VNI, .port = 4789, .family = v6 ? 6 : 4 };
	struct xrs_vni value = { .vnet = VNET, .n_gateway_macs = 1 };
	struct ip_addr local;

	ip_parse(v6 ? OURS6 : OURS4, &local);
	memcpy(key.local, local.bytes, sizeof(key.local));
	memcpy(value.gateway_mac[0], INNER_GW, 6);
	cr_assert(!fib_maps_vni_set(lab.maps, &key, &value));
}

static void uplink_up(void)
{
	wire_up();
	lab.nic.role = XRS_NIC_UPLINK;
	lab.nic.vnet = VNET;
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
	cr_assert(!fib_maps_dev_add(lab.maps, wire_index("out")));
	for (int v6 = 0; v6 < 2; v6++) {
		set_host(v6, 0, 1500);
		set_vni(v6);
	}
}

TestSuite(uplink, .init = uplink_up, .fini = wire_down, .timeout = 60);

static struct frame_spec to_vm(bool v6)
{
	return (struct frame_spec){ .v6 = v6, .dst = v6 ? VM6 : VM4, .proto = 6, .payload = 60 };
}

static struct run xdp(const struct frame *f)
{
	return lab_count_by("xrs_uplink", f, 0);
}

static struct run tc(const struct frame *f)
{
	return lab_count_by("xrs_uplink_tc", f, 0);
}

static void assert_same(const struct run *run, const struct frame *f)
{
	cr_assert(run->out.len == f->len);
	cr_assert_arr_eq(run->out.data, f->data, f->len);
}

/* Passed as it came, for good: tc lets it go by. */
static void assert_passed(const struct frame *f, enum xrs_reason reason)
{
	struct run run = xdp(f);

	assert_reason(run, reason);
	cr_assert(run.action == XDP_PASS && run.mark.verdict == XRS_MARK_FINAL);
	assert_same(&run, f);
	run = tc(f);
	assert_reason(run, reason);
	cr_assert(run.action == (uint32_t)TC_ACT_UNSPEC);
	assert_same(&run, f);
}

/* Left by XDP as it came; the tc half says @reason. */
static struct run left_to_tc(const struct frame *f, enum xrs_reason reason)
{
	struct run run = xdp(f);

	assert_reason(run, XRS_REASON_TO_TC);
	cr_assert(run.action == XDP_PASS && run.mark.verdict == XRS_MARK_TO_TC);
	assert_same(&run, f);
	run = tc(f);
	assert_reason(run, reason);
	return run;
}

/* The VM's frame: from the L3 header on as @ip, with one TTL less. */
static void assert_delivered(const struct run *run, const uint8_t *ip, size_t len, size_t l3)
{
	bool v6 = ip[0] >> 4 == 6;
	const uint8_t *got = run->out.data + l3;

	cr_assert(run->out.len == l3 + len, "%zu, not %zu", run->out.len, l3 + len);
	cr_assert_arr_eq(run->out.data, VM_MAC, 6);
	cr_assert_arr_eq(run->out.data + 6, HOST_MAC, 6);
	cr_assert(got[v6 ? 7 : 8] == ip[v6 ? 7 : 8] - 1);
	cr_assert(v6 || ipv4_sum_ok(got));
	cr_assert_arr_eq(got + 12, ip + 12, len - 12);
}

/* Each half by itself delivers what is in @f: the packet of @inner. */
static void assert_both_deliver(const struct frame *f, const struct frame *inner)
{
	struct run run = xdp(f);

	assert_reason(run, XRS_REASON_DELIVERED);
	cr_assert(run.action == XDP_REDIRECT);
	assert_delivered(&run, inner->data + inner->l3, inner->len - inner->l3, 14);
	run = tc(f);
	assert_reason(run, XRS_REASON_TC_DELIVERED);
	cr_assert(run.action == TC_ACT_REDIRECT);
	assert_delivered(&run, inner->data + inner->l3, inner->len - inner->l3, 14);
}

Test(uplink, plain_packets_of_both_families)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame_spec spec = to_vm(v6);
		struct frame f;

		frame_make(&f, &spec);
		assert_both_deliver(&f, &f);
	}
}

Test(uplink, only_the_very_address)
{
	static const char *const others[] = { "10.1.1.5", "10.1.1.0", "fd00:1::1:5", "fd00:1::" };

	for (size_t i = 0; i < 4; i++) {
		struct frame_spec spec = to_vm(i >= 2);
		struct frame f;

		spec.dst = others[i];
		frame_make(&f, &spec);
		assert_passed(&f, XRS_REASON_LOCAL);
	}
}

Test(uplink, of_this_vnet_only)
{
	struct frame_spec spec = to_vm(false);
	struct frame f;

	lab.nic.vnet = VNET + 1;
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
	frame_make(&f, &spec);
	assert_passed(&f, XRS_REASON_LOCAL);
}

Test(uplink, tags_come_off_and_go_on)
{
	static const struct {
		unsigned int n_tags;
		uint16_t want;
	} rows[] = { { 1, 0 }, { 2, 0 }, { 0, 30 }, { 1, 30 }, { 2, 30 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct frame_spec spec = to_vm(i & 1);
		struct frame f;
		struct run run;

		spec.n_tags = rows[i].n_tags;
		spec.tci[0] = 0x6007;
		spec.tci[1] = 0x0008;
		set_host(i & 1, rows[i].want, 1500);
		frame_make(&f, &spec);
		run = xdp(&f);
		assert_reason(run, XRS_REASON_DELIVERED);
		assert_delivered(&run, f.data + f.l3, f.len - f.l3, rows[i].want ? 18 : 14);
		if (rows[i].want)
			cr_assert((run.out.data[14] & 0xf) == 0 && run.out.data[15] == 30);
		run = tc(&f);
		assert_reason(run, XRS_REASON_TC_DELIVERED);
	}
}

Test(uplink, what_expires_or_is_special_is_the_kernels)
{
	struct frame_spec spec = to_vm(false);
	struct frame f;

	spec.ttl = 1;
	frame_make(&f, &spec);
	assert_passed(&f, XRS_REASON_TTL_EXPIRED);
	spec = to_vm(true);
	spec.ttl = 1;
	frame_make(&f, &spec);
	assert_passed(&f, XRS_REASON_TTL_EXPIRED);
	spec = to_vm(false);
	spec.options = true;
	frame_make(&f, &spec);
	assert_passed(&f, XRS_REASON_IP_OPTIONS);
	spec = to_vm(false);
	spec.dmac = "\x02\x00\x00\x00\x01\x77";
	frame_make(&f, &spec);
	assert_passed(&f, XRS_REASON_NOT_GATEWAY);
	spec = to_vm(false);
	spec.dst = "224.0.0.5";
	frame_make(&f, &spec);
	assert_passed(&f, XRS_REASON_SPECIAL_DST);
}

Test(uplink, above_the_mtu)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame_spec spec = to_vm(v6);
		struct frame f;
		struct run run;

		frame_make(&f, &spec);
		set_host(v6, 0, (uint32_t)(f.len - f.l3));
		assert_reason(xdp(&f), XRS_REASON_DELIVERED);
		set_host(v6, 0, (uint32_t)(f.len - f.l3) - 1);
		run = left_to_tc(&f, XRS_REASON_TOO_BIG);
		cr_assert(run.action == (uint32_t)TC_ACT_UNSPEC, "the kernel says so");
		assert_same(&run, &f);
		run = lab_count_by("xrs_uplink_tc", &f, 20);
		assert_reason(run, XRS_REASON_TC_DELIVERED); /* segments fit */
	}
}

Test(uplink, unfinished_checksums_are_left_to_tc)
{
	for (int i = 0; i < 4; i++) {
		struct frame_spec spec = to_vm(i & 1);
		struct frame f;
		struct run run;

		spec.partial = true;
		spec.proto = i & 2 ? 6 : 17;
		frame_make(&f, &spec);
		run = left_to_tc(&f, XRS_REASON_TC_DELIVERED);
		cr_assert(run.action == TC_ACT_REDIRECT);
		assert_delivered(&run, f.data + f.l3, f.len - f.l3, 14);
	}
}

Test(uplink, flag_tc_leaves_everything)
{
	struct frame_spec spec = to_vm(false);
	uint64_t before = lab_counted();
	struct frame f;
	struct run run;

	lab.nic.flags |= XRS_NIC_F_TC;
	cr_assert(!fib_maps_nic_set(lab.maps, LAB_NIC, &lab.nic));
	frame_make(&f, &spec);
	run = xdp(&f);
	cr_assert(run.action == XDP_PASS && lab_counted() == before && !run.mark.magic);
	assert_reason(tc(&f), XRS_REASON_TC_DELIVERED);
}

Test(uplink, unknown_nic_passes)
{
	struct frame_spec spec = to_vm(false);
	struct frame f;
	struct run run;

	cr_assert(!fib_maps_nic_del(lab.maps, LAB_NIC));
	frame_make(&f, &spec);
	run = xdp(&f);
	cr_assert(run.action == XDP_PASS);
	assert_same(&run, &f);
}

/* --- VXLAN ------------------------------------------------------------------------------------------- */
static void put_udp_vxlan(uint8_t *udp, size_t inner, uint32_t vni)
{
	uint16_t words[4] = { htons(50000), htons(4789), htons((uint16_t)(16 + inner)), 0 };
	uint32_t vxlan[2] = { htonl(0x08000000), htonl(vni << 8) };

	memcpy(udp, words, sizeof(words));
	memcpy(udp + 8, vxlan, sizeof(vxlan));
}

/* @inner in outer headers to this host. Returns how long they are. */
static size_t wrap(struct frame *out, const struct frame *inner, bool outer6, uint32_t vni)
{
	struct frame_spec spec = { .v6 = outer6,
				   .src = outer6 ? "fd00:ff::2" : "192.0.2.2",
				   .dst = outer6 ? OURS6 : OURS4,
				   .sport = 50000,
				   .dport = 4789,
				   .payload = 8 + inner->len };
	size_t outer;

	frame_make(out, &spec);
	outer = out->len - inner->len;
	cr_assert(outer == (outer6 ? OUTER_MAX : OUTER_MAX - 20));
	put_udp_vxlan(out->data + outer - 16, inner->len, vni);
	memcpy(out->data + outer, inner->data, inner->len);
	return outer;
}

static struct frame_spec in_tunnel(bool v6)
{
	struct frame_spec spec = to_vm(v6);

	spec.dmac = INNER_GW;
	return spec;
}

Test(uplink, tunnels_of_both_families_are_opened)
{
	for (int i = 0; i < 4; i++) {
		struct frame_spec spec = in_tunnel(i & 1);
		struct frame inner, f;

		frame_make(&inner, &spec);
		wrap(&f, &inner, i & 2, VNI);
		assert_both_deliver(&f, &inner);
	}
}

/* As a veth whose other end runs no NAPI: XDP would lose the frame. */
Test(uplink, a_device_that_takes_no_xdp_frames_is_the_tc_halfs)
{
	struct frame_spec spec = in_tunnel(false);
	struct frame inner, f;
	struct run run;

	cr_assert(!fib_maps_dev_del(lab.maps, wire_index("out")));
	for (int tags = 0; tags < 3; tags++) {
		spec.n_tags = (unsigned int)tags;
		spec.tci[0] = spec.tci[1] = 7;
		frame_make(&inner, &spec);
		wrap(&f, &inner, tags & 1, VNI);
		run = left_to_tc(&f, XRS_REASON_TC_DELIVERED);
		assert_delivered(&run, inner.data + inner.l3, inner.len - inner.l3, 14);
	}
}

Test(uplink, to_the_vms_own_mac_is_switched)
{
	struct frame_spec spec = in_tunnel(false);
	struct frame inner, f;
	struct run run;

	spec.dmac = VM_MAC;
	spec.smac = "\x02\x00\x00\x00\x02\x04";
	frame_make(&inner, &spec);
	wrap(&f, &inner, false, VNI);
	run = xdp(&f);
	assert_reason(run, XRS_REASON_DELIVERED);
	assert_same(&run, &inner);
	spec.dmac = "\x02\xaa\x00\x00\x00\x05"; /* not that of the address */
	frame_make(&inner, &spec);
	wrap(&f, &inner, false, VNI);
	run = xdp(&f);
	assert_reason(run, XRS_REASON_NOT_GATEWAY);
	cr_assert(run.action == XDP_PASS && run.mark.verdict == XRS_MARK_FINAL);
	assert_same(&run, &f);
}

/* To another network, another port, or with flags that say nothing of a VNI: the packet is the outer one. */
Test(uplink, what_does_not_end_here_is_a_plain_packet)
{
	struct frame_spec spec = in_tunnel(false);
	struct frame inner, f;

	frame_make(&inner, &spec);
	wrap(&f, &inner, false, VNI + 1);
	assert_passed(&f, XRS_REASON_LOCAL);
	f.data[wrap(&f, &inner, false, VNI) - 8] = 0;
	assert_passed(&f, XRS_REASON_LOCAL);
	f.data[wrap(&f, &inner, false, VNI) - 13]++;
	assert_passed(&f, XRS_REASON_LOCAL);
}

Test(uplink, in_a_tunnel_the_kernel_has_what_xdp_must_not_carry)
{
	struct frame_spec spec = in_tunnel(true);
	struct frame inner, f;
	struct run run;

	spec.partial = true;
	frame_make(&inner, &spec);
	wrap(&f, &inner, false, VNI);
	run = left_to_tc(&f, XRS_REASON_TO_KERNEL);
	assert_same(&run, &f);
	spec = in_tunnel(false);
	frame_make(&inner, &spec);
	wrap(&f, &inner, false, VNI);
	run = lab_count_by("xrs_uplink_tc", &f, 60);
	assert_reason(run, XRS_REASON_TO_KERNEL); /* segments */
	assert_same(&run, &f);
	spec = in_tunnel(false);
	spec.ttl = 1;
	frame_make(&inner, &spec);
	wrap(&f, &inner, false, VNI);
	assert_reason(xdp(&f), XRS_REASON_TTL_EXPIRED);
	spec = in_tunnel(false);
	spec.payload = 400;
	set_host(false, 0, 300);
	frame_make(&inner, &spec);
	wrap(&f, &inner, false, VNI);
	assert_reason(xdp(&f), XRS_REASON_TOO_BIG);
}

Test(uplink, truncated_at_every_length)
{
	for (int i = 0; i < 4; i++) {
		struct frame_spec spec = in_tunnel(i & 1);
		struct frame inner, f;
		size_t outer, whole;

		frame_make(&inner, &spec);
		outer = wrap(&f, &inner, i & 2, VNI);
		whole = f.len;
		for (f.len = 14; f.len < whole; f.len++) {
			struct run run = xdp(&f);

			cr_assert(run.action == XDP_PASS, "%zu of %zu, %zu outer", f.len, whole,
				  outer);
			assert_same(&run, &f);
		}
	}
}

/* --- BFD ----------------------------------------------------------------------------------------------- */
static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct frame bfd_frame(const char *dmac)
{
	static const uint8_t up[24] = { 0x20, 0xc0, 3, 24, 0, 0, 0, 1, 0, 0, 0, 7 };
	struct frame_spec spec = { .dmac = dmac,
				   .src = "10.1.2.4",
				   .dst = "10.1.255.4",
				   .sport = 49152,
				   .dport = 3784,
				   .ttl = 255,
				   .payload = 24 };
	struct frame f;

	frame_make(&f, &spec);
	memcpy(f.data + f.len - 24, up, sizeof(up));
	return f;
}

Test(uplink, bfd_packets_move_their_deadline)
{
	struct xrs_bfd value = {
		.local_discr = 7, .min_rx_usec = 10000, .family = 4, .port = 3784
	};
	struct frame plain = bfd_frame(LAB_GATEWAY), inner = bfd_frame(INNER_GW), tunnel;
	struct ip_addr peer, ours;
	uint64_t packets = 0;

	ip_parse("10.1.2.4", &peer);
	ip_parse("10.1.255.4", &ours);
	memcpy(value.peer, peer.bytes, sizeof(value.peer));
	memcpy(value.local, ours.bytes, sizeof(value.local));
	wrap(&tunnel, &inner, true, VNI);
	value.deadline_ns = now_ns() + 3600000000000ull;
	cr_assert(!fib_maps_bfd_set(lab.maps, 7, &value));
	assert_reason(xdp(&plain), XRS_REASON_LOCAL);
	cr_assert(fib_maps_bfd(lab.maps)[7].packets == ++packets);
	assert_reason(tc(&plain), XRS_REASON_LOCAL);
	cr_assert(fib_maps_bfd(lab.maps)[7].packets == ++packets);
	assert_reason(xdp(&tunnel), XRS_REASON_LOCAL);
	cr_assert(fib_maps_bfd(lab.maps)[7].packets == ++packets);
	cr_assert(fib_maps_bfd(lab.maps)[7].deadline_ns < value.deadline_ns);
}

/* --- real frames -------------------------------------------------------------------------------------- */
static void attach(void)
{
	struct loader_attachment at;
	char text[LOADER_TEXT];

	cr_assert(!fib_maps_nic_set(lab.maps, wire_index("nic"), &lab.nic));
	cr_assert(!loader_attach(lab.loader, "nic", wire_index("nic"), LOADER_UPLINK, text, &at),
		  "%s", text);
	cr_assert(at.mode == LOADER_NATIVE && at.xdp.attached && at.tc.attached);
}

static uint64_t counted(enum xrs_reason reason)
{
	struct xrs_nic_stats stats = lab_stats();

	return fib_reason_count(&stats, reason);
}

Test(uplink, each_frame_arrives_once_by_the_right_half)
{
	static struct wire_frame got;
	int fd = wire_open("far");

	attach();
	for (int i = 0; i < 4; i++) {
		struct frame_spec spec = to_vm(i & 1);
		struct frame f;

		spec.partial = i & 2;
		frame_make(&f, &spec);
		wire_send("vm", &f, i & 2, 0);
		cr_assert(wire_receive(fd, &got), "frame %d", i);
		cr_assert(got.len == f.len && !memcmp(got.data, VM_MAC, 6));
		cr_assert(!(i & 2) == !got.partial, "the mark was lost");
		cr_assert(!wire_receive(fd, &got), "one frame too many");
	}
	cr_assert(counted(XRS_REASON_DELIVERED) == 2);
	cr_assert(counted(XRS_REASON_TO_TC) == 2 && counted(XRS_REASON_TC_DELIVERED) == 2);
	cr_assert(lab_counted() == 6);
}

Test(uplink, large_segmented_frames_arrive_whole)
{
	struct frame_spec spec = { .dst = VM4, .proto = 6, .payload = 8000, .partial = true };
	static struct wire_frame got;
	static struct frame f;
	int fd = wire_open("far");
	size_t payload = 0;

	attach();
	frame_make(&f, &spec);
	wire_send("vm", &f, true, 1400);
	while (payload < 8000 && wire_receive(fd, &got))
		payload += got.len - 54;
	cr_assert(payload == 8000, "%zu", payload);
	cr_assert(counted(XRS_REASON_TC_DELIVERED) >= 1 && !counted(XRS_REASON_DELIVERED));
}

/* A device whose driver has no XDP, as an uplink may be one: the tc half alone. */
Test(uplink, without_native_xdp_the_tc_half_serves)
{
	struct loader_attachment at;
	char text[LOADER_TEXT];

	cr_assert(!loader_attach(lab.loader, "br0", wire_index("br0"), LOADER_UPLINK, text, &at),
		  "%s", text);
	cr_assert(at.mode == LOADER_TC && at.tc.attached && !at.xdp.attached && at.native_error);
}

Test(uplink, a_nic_changes_its_role_and_back)
{
	struct loader_attachment at;
	char text[LOADER_TEXT], name[64];
	uint32_t steer, index = wire_index("nic");

	cr_assert(!loader_attach(lab.loader, "nic", index, LOADER_NATIVE, text, &at));
	steer = at.tc.prog_id;
	cr_assert(!loader_attach(lab.loader, "nic", index, LOADER_UPLINK, text, &at), "%s", text);
	cr_assert(at.adopted && at.tc.prog_id != steer && at.xdp.attached);
	cr_assert(!loader_attach(lab.loader, "nic", index, LOADER_TC, text, &at), "%s", text);
	cr_assert(at.tc.prog_id == steer && !at.xdp.attached);
	snprintf(name, sizeof(name), "/sys/fs/bpf/%.40s/links/nic", lab.instance);
	cr_assert(!access(name, F_OK));
}
