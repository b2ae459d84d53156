// SPDX-License-Identifier: GPL-2.0-only
/* Links on real devices: modes, adoption, conflict, rename, devices that go; and both halves at work. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wire_lab.h"

TestSuite(attach, .init = wire_up, .fini = wire_down, .timeout = 60);

static struct loader_attachment attach(enum loader_mode mode)
{
	struct loader_attachment at;
	char text[LOADER_TEXT];
	int ret = loader_attach(lab.loader, "nic", wire_index("nic"), mode, text, &at);

	cr_assert(!ret, "%s", text);
	return at;
}

static uint32_t xdp_id(const char *ifname)
{
	uint32_t id = 0;

	bpf_xdp_query_id((int)wire_index(ifname), 0, &id);
	return id;
}

static bool pin_there(const char *pin)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/fs/bpf/%s/links/%s", lab.instance, pin);
	return !access(path, F_OK);
}

Test(attach, each_mode_is_what_was_asked)
{
	static const enum loader_mode modes[] = { LOADER_NATIVE, LOADER_GENERIC, LOADER_TC,
						  LOADER_AUTO };
	static const enum loader_mode real[] = { LOADER_NATIVE, LOADER_GENERIC, LOADER_TC,
						 LOADER_NATIVE };

	for (size_t i = 0; i < 4; i++) {
		struct loader_attachment at = attach(modes[i]), list[4];

		cr_assert(at.mode == real[i], "%s", loader_mode_name(at.mode));
		cr_assert(at.tc.attached && at.tc.link_id && at.tc.prog_id);
		cr_assert(at.xdp.attached == (real[i] != LOADER_TC));
		cr_assert(xdp_id("nic") == at.xdp.prog_id);
		cr_assert(pin_there("nic:tc") && pin_there("nic"));
		cr_assert(loader_list(lab.instance, list, 4) == 1);
		cr_assert(!strcmp(list[0].ifname, "nic") && list[0].mode == real[i]);
		cr_assert(list[0].ifindex == wire_index("nic"));
		cr_assert(list[0].tc.link_id == at.tc.link_id);
	}
	cr_assert(!loader_detach(lab.instance, "nic", wire_index("nic")));
	cr_assert(!xdp_id("nic") && !pin_there("nic") && !pin_there("nic:tc"));
	cr_assert(!loader_detach(lab.instance, "nic", wire_index("nic")), "twice is no error");
}

Test(attach, a_large_mtu_is_no_obstacle)
{
	wire_shell("ip link set vm mtu 9000; ip link set nic mtu 9000");
	cr_assert(attach(LOADER_NATIVE).mode == LOADER_NATIVE);
}

Test(attach, a_second_process_adopts_the_links)
{
	struct loader_attachment first = attach(LOADER_AUTO), second;
	struct loader *old = lab.loader;
	char text[LOADER_TEXT];

	cr_assert(!loader_open(lab.instance, text, &lab.loader), "%s", text);
	loader_free(old);
	second = attach(LOADER_AUTO);
	cr_assert(second.adopted && !first.adopted);
	cr_assert(second.xdp.link_id == first.xdp.link_id);
	cr_assert(second.tc.link_id == first.tc.link_id);
	cr_assert(second.xdp.prog_id != first.xdp.prog_id, "the new program is in the link");
	cr_assert(xdp_id("nic") == second.xdp.prog_id);
}

Test(attach, a_foreign_program_is_a_conflict)
{
	struct loader_attachment at;
	char text[LOADER_TEXT];
	int fd = wire_pass_prog();
	uint32_t before;

	cr_assert(!bpf_xdp_attach((int)wire_index("nic"), fd, XDP_FLAGS_DRV_MODE, NULL));
	before = xdp_id("nic");
	for (int mode = LOADER_AUTO; mode <= LOADER_GENERIC; mode++) {
		cr_assert(loader_attach(lab.loader, "nic", wire_index("nic"),
					(enum loader_mode)mode, text, &at) == -EBUSY);
		cr_assert(at.foreign_id == before && !strcmp(at.foreign_name, "test_pass"));
		cr_assert(strstr(text, "test_pass") && strstr(text, "nic"));
		cr_assert(!at.xdp.attached && !at.tc.attached, "the tc half is undone");
	}
	cr_assert(xdp_id("nic") == before);
	cr_assert(!pin_there("nic") && !pin_there("nic:tc"));
	cr_assert(loader_attach(lab.loader, "nic", wire_index("nic"), LOADER_AUTO_TC, text, &at) ==
			  -EBUSY &&
		  at.foreign_id == before && !at.tc.attached);
	cr_assert(!pin_there("nic") && !pin_there("nic:tc"));
	cr_assert(attach(LOADER_TC).mode == LOADER_TC, "tc has room beside it");
	cr_assert(xdp_id("nic") == before);
}

Test(attach, a_foreign_link_is_a_conflict_too)
{
	struct loader_attachment at;
	char text[LOADER_TEXT];
	int link = bpf_link_create(wire_pass_prog(), (int)wire_index("nic"), BPF_XDP, NULL);

	cr_assert(link >= 0);
	cr_assert(loader_attach(lab.loader, "nic", wire_index("nic"), LOADER_AUTO, text, &at) ==
		  -EBUSY);
	cr_assert(at.foreign_id && !strcmp(at.foreign_name, "test_pass"));
	close(link);
}

Test(attach, a_device_that_came_back_gets_new_links)
{
	struct loader_attachment before = attach(LOADER_AUTO), list[2], after;

	wire_shell("ip link del nic");
	cr_assert(loader_list(lab.instance, list, 2) == 1);
	cr_assert(!list[0].ifindex && !list[0].xdp.attached && list[0].xdp.link_id);
	wire_shell("ip link add vm type veth peer name nic; ip link set nic up");
	after = attach(LOADER_AUTO);
	cr_assert(!after.adopted && after.xdp.link_id != before.xdp.link_id);
	cr_assert(loader_list(lab.instance, list, 2) == 1 && list[0].ifindex == after.ifindex);
}

Test(attach, a_renamed_device_keeps_its_links)
{
	struct loader_attachment before = attach(LOADER_AUTO), after, list[2];
	char text[LOADER_TEXT];

	wire_shell("ip link set nic down; ip link set nic name eth0.5; ip link set eth0.5 up");
	cr_assert(!loader_attach(lab.loader, "eth0.5", before.ifindex, LOADER_AUTO, text, &after));
	cr_assert(after.adopted && after.xdp.link_id == before.xdp.link_id);
	cr_assert(pin_there("eth0.5") && pin_there("eth0.5:tc"));
	cr_assert(!pin_there("nic") && !pin_there("nic:tc"));
	cr_assert(loader_list(lab.instance, list, 2) == 1 && !strcmp(list[0].ifname, "eth0.5"));
}

Test(attach, the_name_of_the_interface_is_pinned_in_every_mode)
{
	struct loader_attachment at = attach(LOADER_AUTO_TC), list[2];
	char text[LOADER_TEXT];

	cr_assert(at.mode == LOADER_TC && !at.xdp.attached);
	cr_assert(pin_there("nic") && pin_there("nic:tc"));
	cr_assert(loader_list(lab.instance, list, 2) == 1 && !list[0].xdp.attached &&
		  list[0].tc.link_id == at.tc.link_id);
	cr_assert(attach(LOADER_NATIVE).tc.link_id == at.tc.link_id, "the name is XDP's now");
	cr_assert(xdp_id("nic") && pin_there("nic") && pin_there("nic:tc"));
	cr_assert(attach(LOADER_TC).tc.link_id == at.tc.link_id, "and back");
	cr_assert(!xdp_id("nic") && pin_there("nic"));
	wire_shell("ip link set nic down; ip link set nic name nic9; ip link set nic9 up");
	cr_assert(!loader_attach(lab.loader, "nic9", at.ifindex, LOADER_TC, text, &at));
	cr_assert(pin_there("nic9") && pin_there("nic9:tc"));
	cr_assert(!pin_there("nic") && !pin_there("nic:tc"));
	cr_assert(!loader_detach(lab.instance, "nic9", at.ifindex));
	cr_assert(!pin_there("nic9") && !pin_there("nic9:tc"));
}

Test(attach, a_name_that_went_to_another_device_is_cleared)
{
	struct loader_attachment old = attach(LOADER_AUTO), new, list[3];

	wire_shell("ip link set nic down; ip link set nic name nic9; ip link set nic9 up;"
		   "ip link add vm2 type veth peer name nic; ip link set nic up");
	new = attach(LOADER_AUTO);
	cr_assert(!new.adopted &&new.xdp.link_id != old.xdp.link_id);
	cr_assert(pin_there("nic9") && pin_there("nic9:tc") && pin_there("nic"));
	cr_assert(xdp_id("nic9") == old.xdp.prog_id, "the old device forwards on");
	cr_assert(loader_list(lab.instance, list, 3) == 2);
}

Test(attach, loopback_and_bad_names_are_refused)
{
	struct loader_attachment at;
	char text[LOADER_TEXT];

	cr_assert(loader_attach(lab.loader, "lo", 1, LOADER_AUTO, text, &at) == -EINVAL);
	cr_assert(loader_attach(lab.loader, "", 5, LOADER_AUTO, text, &at) == -EINVAL);
	cr_assert(loader_attach(lab.loader, "nowhere", 99999, LOADER_AUTO, text, &at) < 0);
	cr_assert(!pin_there("nowhere") && !pin_there("nowhere:tc"));
}

/* --- both halves on real frames ------------------------------------------------------------------------- */
static const enum loader_mode all_modes[] = { LOADER_NATIVE, LOADER_GENERIC, LOADER_TC };

static enum loader_mode now; /* what nic_entry() attached last */

static void nic_entry(enum loader_mode mode)
{
	now = mode;
	lab.nic.flags = XRS_NIC_F_SYMMETRIC | (mode == LOADER_TC ? XRS_NIC_F_TC : 0);
	cr_assert(!fib_maps_nic_set(lab.maps, wire_index("nic"), &lab.nic));
	cr_assert(!fib_maps_nic_stats_zero(lab.maps, LAB_SLOT));
	attach(mode);
}

static void next_hop(enum xrs_way way, uint16_t vlan, uint32_t mtu)
{
	struct xrs_nexthop nh = lab_nexthop(1, way);

	lab_steer(way);
	nh.ifindex = wire_index(way == XRS_WAY_REDIRECT ? "out" : "br0");
	nh.vlan = vlan;
	nh.mtu = mtu;
	lab_set_nexthop(1, &nh);
	cr_assert(!fib_maps_dev_add(lab.maps, wire_index("out")));
}

/* What was counted, once it is @frames in all; TO_TC is no last word. */
static struct xrs_nic_stats settled(uint64_t frames)
{
	struct xrs_nic_stats stats = { 0 };

	for (int i = 0; i < 100; i++) {
		uint64_t sum = 0;

		cr_assert(!fib_maps_nic_stats(lab.maps, LAB_SLOT, &stats));
		for (unsigned int r = 0; r < XRS_REASON_MAX; r++)
			sum += r == XRS_REASON_TO_TC ? 0 : fib_reason_count(&stats, r);
		cr_assert(sum <= frames, "%llu counts of %llu frames, mode %s",
			  (unsigned long long)sum, (unsigned long long)frames,
			  loader_mode_name(now));
		if (sum == frames)
			break;
		usleep(10000);
	}
	for (unsigned int r = 0; r < XRS_REASON_MAX; r++) {
		if (fib_reason_count(&stats, r))
			cr_log_info("%s: %s %llu", loader_mode_name(now), reason_text(r),
				    (unsigned long long)fib_reason_count(&stats, r));
	}
	usleep(20000); /* would a second count follow? */
	cr_assert(!fib_maps_nic_stats(lab.maps, LAB_SLOT, &stats));
	return stats;
}

/* Sends @n frames through the nic; all arrive at @fd with one TTL less and the next hop's MAC. */
static struct xrs_nic_stats send_all(const struct frame_spec *spec, bool partial, int fd, int n,
				     struct wire_frame *last)
{
	struct frame f;
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_NONE);

	frame_make(&f, spec);
	for (int i = 0; i < n; i++)
		wire_send("vm", &f, partial, 0);
	for (int i = 0; i < n; i++) {
		const uint8_t *ip = last->data + 14;

		cr_assert(wire_receive(fd, last), "frame %d of %d", i, n);
		cr_assert_arr_eq(last->data, nh.dmac, 6);
		if (last->data[12] == 0x81)
			ip += 4;
		cr_assert(ip[spec->v6 ? 7 : 8] == 63, "TTL %u", ip[spec->v6 ? 7 : 8]);
		cr_assert(spec->v6 || ipv4_sum_ok(ip));
		cr_assert(last->partial || !partial || last->len == 0, "the mark was lost");
	}
	cr_assert(!wire_receive(fd, last), "one frame too many");
	return settled((uint64_t)n);
}

Test(attach, redirected_once_in_each_mode)
{
	static struct wire_frame got;
	int fd = wire_open("far");

	next_hop(XRS_WAY_REDIRECT, 0, 1500);
	for (size_t m = 0; m < 3; m++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct frame_spec spec = { .v6 = v6, .payload = 100 };
			struct xrs_nic_stats stats;

			nic_entry(all_modes[m]);
			stats = send_all(&spec, false, fd, 10, &got);
			cr_assert(stats.redirected == (all_modes[m] == LOADER_TC ? 0 : 10));
			cr_assert(stats.tc_redirected == (all_modes[m] == LOADER_TC ? 10 : 0));
			cr_assert(stats.to_tc == 0);
		}
	}
}

Test(attach, partial_checksums_survive_in_each_mode)
{
	static struct wire_frame got;
	int fd = wire_open("far");

	next_hop(XRS_WAY_REDIRECT, 0, 1500);
	for (size_t m = 0; m < 3; m++) {
		struct frame_spec spec = { .proto = 6, .payload = 100, .partial = true };
		struct xrs_nic_stats stats;

		nic_entry(all_modes[m]);
		stats = send_all(&spec, true, fd, 10, &got);
		cr_assert(stats.tc_redirected == 10);
		cr_assert(stats.to_tc == (all_modes[m] == LOADER_TC ? 0 : 10));
	}
}

Test(attach, bridged_once_in_each_mode)
{
	static struct wire_frame got;
	int fd = wire_open("side");

	wire_shell("ip link set nic master br0");
	next_hop(XRS_WAY_BRIDGE, 0, 1500);
	for (size_t m = 0; m < 3; m++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct frame_spec spec = { .v6 = v6, .payload = 60, .partial = true };
			bool tc = all_modes[m] == LOADER_TC;
			struct xrs_nic_stats stats;

			nic_entry(all_modes[m]);
			stats = send_all(&spec, !v6, fd, 10, &got);
			cr_assert(stats.bridged == (tc ? 0 : 10), "%s",
				  loader_mode_name(all_modes[m]));
			cr_assert(stats.tc_bridged == (tc ? 10 : 0));
			cr_assert_arr_eq(got.data + 6, LAB_VM_MAC, 6);
		}
	}
}

/* What XDP passes for good is neither steered nor counted again by tc, and reaches the kernel as it was. */
Test(attach, passed_once_in_each_mode)
{
	static struct wire_frame got;
	static const struct {
		struct frame_spec spec;
		enum xrs_reason reason;
	} rows[] = {
		{ { .dmac = "\x02\x00\x00\x00\x09\x09" }, XRS_REASON_NOT_GATEWAY },
		{ { .dst = "9.9.9.9" }, XRS_REASON_NO_ROUTE },
		{ { .ttl = 1 }, XRS_REASON_TTL_EXPIRED },
		{ { .options = true }, XRS_REASON_IP_OPTIONS },
		{ { .payload = 1400 }, XRS_REASON_TOO_BIG },
	};
	int fd = wire_open("nic");

	next_hop(XRS_WAY_REDIRECT, 0, 1000);
	for (size_t m = 0; m < 3; m++) {
		for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
			struct xrs_nic_stats stats;
			struct frame f;

			nic_entry(all_modes[m]);
			frame_make(&f, &rows[r].spec);
			for (int i = 0; i < 5; i++)
				wire_send("vm", &f, false, 0);
			stats = settled(5);
			cr_assert(fib_reason_count(&stats, rows[r].reason) == 5, "%s in %s",
				  reason_text(rows[r].reason), loader_mode_name(all_modes[m]));
			for (int i = 0; i < 5; i++) {
				cr_assert(wire_receive(fd, &got));
				cr_assert(got.len == f.len);
				cr_assert_arr_eq(got.data, f.data, f.len);
			}
		}
	}
}

/* A tagged frame: on veth the kernel holds the tag beside the frame; XDP and tc each see it their way. */
Test(attach, tags_are_changed_in_each_mode)
{
	static struct wire_frame got;
	static const uint16_t wanted[] = { 0, 100, 200 };
	int fd = wire_open("far");

	for (size_t m = 0; m < 3; m++) {
		for (size_t w = 0; w < 3; w++) {
			for (unsigned int n = 0; n <= 2; n++) {
				struct frame_spec spec = { .n_tags = n,
							   .tci = { 100, 7 },
							   .payload = 50 };
				uint16_t tci;

				next_hop(XRS_WAY_REDIRECT, wanted[w], 1500);
				nic_entry(all_modes[m]);
				send_all(&spec, false, fd, 3, &got);
				tci = got.tagged ? got.tci : 0;
				if (got.data[12] == 0x81)
					tci = (uint16_t)(got.data[14] << 8 | got.data[15]);
				cr_assert((tci & 0xfff) == wanted[w],
					  "%s: %u tags, want %u, got %u",
					  loader_mode_name(all_modes[m]), n, wanted[w], tci);
			}
		}
	}
}

/* 20,000 octets in one frame: segments fit the next hop although the frame does not. */
Test(attach, large_segmented_frames_arrive_whole)
{
	static struct wire_frame got;
	static struct frame f;
	int fd = wire_open("far");
	struct frame_spec spec = { .proto = 6, .payload = 8000, .partial = true };

	next_hop(XRS_WAY_REDIRECT, 0, 1500);
	for (size_t m = 0; m < 3; m++) {
		size_t payload = 0;
		struct xrs_nic_stats stats;

		nic_entry(all_modes[m]);
		frame_make(&f, &spec);
		wire_send("vm", &f, true, 1400);
		while (payload < 8000 && wire_receive(fd, &got)) {
			cr_assert(got.data[14 + 8] == 63 && got.partial);
			payload += got.len - 54;
		}
		cr_assert(payload == 8000, "%s: %zu", loader_mode_name(all_modes[m]), payload);
		cr_assert(!fib_maps_nic_stats(lab.maps, LAB_SLOT, &stats));
		cr_assert(stats.tc_redirected >= 1 && stats.redirected == 0);
	}
}

/* The same frame with segments that do not fit goes to the kernel. */
Test(attach, segments_above_the_mtu_are_too_big)
{
	static struct frame f;
	struct frame_spec spec = { .proto = 6, .payload = 8000, .partial = true };

	next_hop(XRS_WAY_REDIRECT, 0, 1439);
	nic_entry(LOADER_TC);
	frame_make(&f, &spec);
	wire_send("vm", &f, true, 1400);
	cr_assert(settled(1).too_big == 1);
	next_hop(XRS_WAY_REDIRECT, 0, 1440);
	nic_entry(LOADER_TC);
	wire_send("vm", &f, true, 1400);
	cr_assert(settled(1).tc_redirected == 1);
	next_hop(XRS_WAY_REDIRECT, 0, 0); /* not checked here, but the device knows its own */
	wire_shell("ip link set out mtu 1439");
	nic_entry(LOADER_TC);
	wire_send("vm", &f, true, 1400);
	cr_assert(settled(1).too_big == 1);
}

/* --- segments in a tunnel over IPv6 ----------------------------------------------------------------------- */

/* The tunnel of a configuration, without a VXLAN device; the kernel, not a device, cuts what leaves by it. */
static void tunnel6(bool zero_sum)
{
	struct xrs_nexthop nh = lab_nexthop(1, XRS_WAY_VXLAN);

	lab_steer(XRS_WAY_VXLAN);
	nh.ifindex = wire_index("out");
	nh.mtu = 1430;
	nh.tunnel = (struct xrs_tunnel){ .vni = 7,
					 .port = 4789,
					 .family = 6,
					 .zero_sum = zero_sum,
					 .dmac = { 2, 0xcc },
					 .smac = { 2, 0xdd },
					 .local = { 0xfd, [15] = 1 },
					 .remote = { 0xfd, [15] = 2 } };
	lab_set_nexthop(1, &nh);
	wire_shell("ethtool -K out tso off gso off tx off >/dev/null");
	nic_entry(LOADER_TC);
}

/* RFC 8200 section 8.1, over all of the datagram. */
static uint16_t outer_sum(const struct wire_frame *got)
{
	size_t len = got->len - 54;

	return sum_fold(sum_bytes(got->data + 22, 32) + (uint32_t)len + 17 +
			sum_bytes(got->data + 54, len));
}

/* The octets of payload that arrive of one frame of @payload, segments of 1,000. */
static size_t through_tunnel6(bool v6, size_t payload, bool zero_sum)
{
	static struct wire_frame got;
	static struct frame f;
	struct frame_spec spec = { .v6 = v6, .proto = 6, .payload = payload, .partial = true };
	size_t inner = 70 + 14 + (v6 ? 40 : 20) + 20, sum = 0;
	int fd = wire_open("far");

	frame_make(&f, &spec);
	wire_send("vm", &f, true, 1000);
	while (sum < payload && wire_receive(fd, &got)) {
		const uint8_t *udp = got.data + 54;

		cr_assert(got.data[12] == 0x86 && got.data[20] == 17 && got.len > inner);
		cr_assert((size_t)(udp[4] << 8 | udp[5]) == got.len - 54, "its own length");
		if (zero_sum)
			cr_assert(!udp[6] && !udp[7]);
		else
			cr_assert(outer_sum(&got) == 0xffff, "the outer checksum");
		cr_assert(got.data[inner - 20 - (v6 ? 33 : 12)] == 63, "the inner TTL");
		sum += got.len - inner;
	}
	cr_assert(!wire_receive(fd, &got));
	close(fd);
	return sum;
}

Test(attach, equal_segments_share_an_outer_checksum)
{
	tunnel6(false);
	for (int v6 = 0; v6 < 2; v6++) {
		struct xrs_nic_stats stats;

		nic_entry(LOADER_TC);
		cr_assert(through_tunnel6(v6, 7000, false) == 7000);
		cr_assert(through_tunnel6(v6, 1000, false) == 1000);
		cr_assert(through_tunnel6(v6, 7001, false) == 0, "the last one would be wrong");
		cr_assert(through_tunnel6(v6, 999, false) == 999, "not cut at all");
		cr_assert(!fib_maps_nic_stats(lab.maps, LAB_SLOT, &stats));
		cr_assert(stats.tc_encapsulated == 3 && stats.to_kernel == 1);
	}
}

Test(attach, without_an_outer_checksum_all_segments_go)
{
	tunnel6(true);
	for (int v6 = 0; v6 < 2; v6++) {
		cr_assert(through_tunnel6(v6, 7000, true) == 7000);
		cr_assert(through_tunnel6(v6, 6999, true) == 6999);
	}
}
