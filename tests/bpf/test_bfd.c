// SPDX-License-Identifier: GPL-2.0-only
/*
 * BFD beside the data path: which packets set a deadline anew, which are left alone, and who gets the
 * frames of a next hop whose deadline has passed.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lab.h"

#define SLOT    7
#define DISCR   (0x5a000000u | SLOT)
#define MSEC_NS 1000000ull
#define FAR_NS  (3600 * 1000 * MSEC_NS) /* longer than any test */
#define PEER    "10.1.2.4"
#define OURS    "10.1.255.4"

TestSuite(bfd, .init = lab_up, .fini = lab_down);

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct xrs_bfd *entry(void)
{
	return &fib_maps_bfd(lab.maps)[SLOT];
}

static void session(bool v6, uint16_t port, uint64_t deadline_ns)
{
	struct xrs_bfd value = { .local_discr = DISCR,
				 .min_rx_usec = 10000,
				 .family = v6 ? 6 : 4,
				 .port = port,
				 .deadline_ns = deadline_ns };
	struct ip_addr peer, ours;

	ip_parse(v6 ? "fd00:1::2:4" : PEER, &peer);
	ip_parse(v6 ? "fd00:1::4" : OURS, &ours);
	memcpy(value.peer, peer.bytes, sizeof(value.peer));
	memcpy(value.local, ours.bytes, sizeof(value.local));
	cr_assert_eq(fib_maps_bfd_set(lab.maps, SLOT, &value), 0);
}

struct bfd_spec { /* zero: a packet that says Up, every 20 ms, three may be missed */
	struct frame_spec frame;
	uint32_t your_discr; /* 0: DISCR */
	bool no_discr;
	uint8_t first, flags, multiplier, len;
	bool no_multiplier, no_my_discr;
};

static struct frame bfd_frame(const struct bfd_spec *spec)
{
	struct frame_spec what = spec->frame;
	struct frame frame;
	uint32_t words[5] = { htonl(spec->no_my_discr ? 0 : 0x99), 0, htonl(20000), htonl(10000),
			      0 };
	uint8_t *bfd;

	what.src = what.src ? what.src : what.v6 ? "fd00:1::2:4" : PEER;
	what.dst = what.dst ? what.dst : what.v6 ? "fd00:1::4" : OURS;
	what.sport = 49152;
	what.dport = what.dport ? what.dport : 3784;
	what.ttl = what.ttl ? what.ttl : 255;
	what.payload = 24;
	frame_make(&frame, &what);
	bfd = frame.data + frame.len - 24;
	words[1] = spec->no_discr ? 0 : htonl(spec->your_discr ? spec->your_discr : DISCR);
	bfd[0] = spec->first ? spec->first : 0x20;
	bfd[1] = spec->flags ? spec->flags : 0xc0;
	bfd[2] = spec->no_multiplier ? 0 : spec->multiplier ? spec->multiplier : 3;
	bfd[3] = spec->len ? spec->len : 24;
	memcpy(bfd + 4, words, sizeof(words));
	return frame;
}

static void feed(const struct bfd_spec *spec, bool tc)
{
	struct frame frame = bfd_frame(spec);

	lab_count(&frame, tc, 0);
}

static void moves_the_deadline(bool v6, uint16_t port, bool tc)
{
	struct bfd_spec up = { .frame = { .v6 = v6, .dport = port } };
	uint64_t before, after;

	session(v6, port, now_ns() + FAR_NS);
	before = now_ns();
	feed(&up, tc);
	after = now_ns();
	cr_assert_eq(entry()->packets, 1);
	cr_assert_eq(entry()->remote_state, XRS_BFD_UP);
	cr_assert_eq(entry()->detect_usec, 60000, "three times the larger of 10 and 20 ms");
	cr_assert(entry()->last_rx_ns >= before && entry()->last_rx_ns <= after);
	cr_assert_eq(entry()->deadline_ns, entry()->last_rx_ns + 60 * MSEC_NS);
}

Test(bfd, a_packet_moves_the_deadline)
{
	for (int tc = 0; tc < 2; tc++) {
		moves_the_deadline(false, 3784, tc);
		moves_the_deadline(false, 4784, tc);
		moves_the_deadline(true, 3784, tc);
	}
}

Test(bfd, what_is_not_watched_is_only_counted)
{
	struct bfd_spec up = { 0 };

	session(false, 3784, 0);
	feed(&up, false);
	cr_assert_eq(entry()->packets, 1);
	cr_assert(entry()->last_rx_ns);
	cr_assert_eq(entry()->deadline_ns, 0);
}

Test(bfd, a_deadline_that_has_passed_stays)
{
	struct bfd_spec up = { 0 }, down = { .flags = 0x40 };

	session(false, 3784, 1);
	feed(&up, false);
	feed(&down, false);
	cr_assert_eq(entry()->packets, 2);
	cr_assert_eq(entry()->deadline_ns, 1);
}

Test(bfd, whatever_but_up_ends_the_watch)
{
	for (uint8_t state = 0; state < 3; state++) {
		struct bfd_spec said = { .flags = (uint8_t)(state << 6 | 0x20) };

		session(false, 3784, now_ns() + FAR_NS);
		feed(&said, state & 1);
		cr_assert_eq(entry()->remote_state, state);
		cr_assert_eq(entry()->deadline_ns, 0, "state %u", state);
	}
}

Test(bfd, without_discriminator_the_addresses_tell)
{
	struct bfd_spec down = { .flags = 0x40, .no_discr = true };
	struct bfd_spec other = { .flags = 0x40, .no_discr = true, .frame = { .src = "10.1.2.5" } };

	session(false, 3784, now_ns() + FAR_NS);
	feed(&other, false);
	cr_assert_eq(entry()->packets, 0);
	feed(&down, false);
	cr_assert_eq(entry()->packets, 1);
	cr_assert_eq(entry()->deadline_ns, 0);
	cr_assert_eq(fib_maps_bfd_del(lab.maps, SLOT), 0);
	feed(&down, false);
	cr_assert_eq(entry()->packets, 0);
}

Test(bfd, what_is_not_of_the_session)
{
	static const struct bfd_spec specs[] = {
		{ .your_discr = DISCR + XRS_BFD_MAX },
		{ .your_discr = DISCR + 1 },
		{ .frame = { .src = "10.1.2.5" } },
		{ .frame = { .dst = "10.1.255.5" } },
		{ .frame = { .ttl = 254 } },
		{ .frame = { .dport = 4784 } },
		{ .frame = { .dport = 3785 } },
		{ .first = 0x40 },
		{ .flags = 0xc4 },
		{ .flags = 0xc1 },
		{ .len = 23 },
		{ .len = 25 },
		{ .no_multiplier = true },
		{ .no_my_discr = true },
		{ .frame = { .frag = 0x2000 } },
	};
	uint64_t deadline = now_ns() + FAR_NS;

	session(false, 3784, deadline);
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		feed(&specs[i], i & 1);
		cr_expect_eq(entry()->packets, 0, "row %zu", i);
		cr_expect_eq(entry()->deadline_ns, deadline, "row %zu", i);
	}
	entry()->min_rx_usec = 0; /* left alone */
	feed(&(struct bfd_spec){ 0 }, false);
	cr_assert_eq(entry()->packets, 0);
}

/* What nobody has authenticated yet puts the deadline off by what the engine says, and does not bring it forward. */
Test(bfd, with_authentication_the_engine_says_the_detection_time)
{
	struct bfd_spec plain = { 0 }, up = { .flags = 0xc4, .multiplier = 1 },
			down = { .flags = 0x44 };

	for (int tc = 0; tc < 2; tc++) {
		session(false, 3784, now_ns() + FAR_NS);
		entry()->auth_usec = 500000;
		feed(&plain, tc);
		cr_assert_eq(entry()->packets, 0);
		feed(&up, tc);
		cr_assert_eq(entry()->packets, 1);
		cr_assert_eq(entry()->detect_usec, 500000);
		cr_assert_eq(entry()->deadline_ns, entry()->last_rx_ns + 500 * MSEC_NS);
		feed(&down, tc);
		cr_assert_eq(entry()->deadline_ns, 0, "the engine alone watches");
	}
}

/* To the host's own MAC, as where its address is not the gateway's. */
Test(bfd, frames_that_are_not_for_the_gateway_are_seen)
{
	for (int i = 0; i < 8; i++) {
		struct bfd_spec up = { .frame = { .dmac = "\x02\x00\x00\x00\x77\x77",
						  .v6 = i & 1,
						  .n_tags = i & 2 ? 1 : 0 } };
		struct bfd_spec other = up;

		session(i & 1, 3784, now_ns() + FAR_NS);
		feed(&up, i & 4);
		cr_assert_eq(entry()->packets, 1, "%d", i);
		cr_assert_eq(entry()->deadline_ns, entry()->last_rx_ns + 60 * MSEC_NS);
		other.frame.ttl = 254;
		feed(&other, i & 4);
		cr_assert_eq(entry()->packets, 1, "%d", i);
	}
}

static void feed_uplink(const struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data,
		    .data_size_in = (uint32_t)frame->len);
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/bpf/%s/progs/xrs_uplink", lab.instance);
	fd = bpf_obj_get(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(bpf_prog_test_run_opts(fd, &opts), 0);
	cr_assert_eq(opts.retval, XDP_PASS);
	close(fd);
}

Test(bfd, an_uplink_sees_them_too)
{
	struct bfd_spec up = { .frame = { .dport = 4784, .ttl = 62 } };
	struct frame frame = bfd_frame(&up);

	session(false, 4784, now_ns() + FAR_NS);
	feed_uplink(&frame);
	cr_assert_eq(entry()->packets, 1);
	cr_assert_eq(entry()->deadline_ns, entry()->last_rx_ns + 60 * MSEC_NS);
}

Test(bfd, a_probe_has_no_effect)
{
	struct frame frame = bfd_frame(&(struct bfd_spec){ 0 });

	session(false, 3784, 0);
	lab_probe(&frame, false, 0);
	lab_probe(&frame, true, 0);
	cr_assert_eq(entry()->packets, 0);
}

/* --- steering ----------------------------------------------------------------------------------------- */

#define MEMBERS 3

/* Three members in turn; member i is watched by session i, and next is the one after. */
static void group_of_three(void)
{
	struct xrs_group group = { .n_members = MEMBERS,
				   .n_alive = MEMBERS,
				   .member = { 1, 2, 3 } };
	struct xrs_bucket bucket = { 0 };

	for (uint32_t i = 1; i <= MEMBERS; i++) {
		struct xrs_nexthop nexthop = lab_nexthop(i, XRS_WAY_BRIDGE);

		nexthop.bfd = i;
		lab_set_nexthop(i, &nexthop);
		fib_maps_bfd(lab.maps)[i].deadline_ns = 0;
	}
	for (unsigned int b = 0; b < XRS_BUCKETS; b++) {
		bucket.member[b] = (uint16_t)(1 + b % MEMBERS);
		bucket.next[b] = (uint16_t)(1 + (b + 1) % MEMBERS);
	}
	cr_assert_eq(fib_maps_group_set(lab.maps, 1, &group, &bucket), 0);
	lab_route("10.250.0.0/16", XRS_ROUTE_STEER, 1);
}

static struct xrs_decision decide(bool tc)
{
	struct frame_spec spec = {
		.src = "10.1.1.4", .dst = "10.250.0.10", .sport = 1, .dport = 2
	};
	struct frame frame;

	frame_make(&frame, &spec);
	return tc ? lab_probe(&frame, true, 0).decision : lab_probe_all(&frame).decision;
}

static void set_deadline(uint32_t member, uint64_t deadline_ns)
{
	fib_maps_bfd(lab.maps)[member].deadline_ns = deadline_ns;
}

Test(bfd, the_next_packet_goes_to_who_has_the_bucket_next)
{
	for (int tc = 0; tc < 2; tc++) {
		uint32_t first, second, third;

		group_of_three();
		first = decide(tc).nexthop;
		second = 1 + first % MEMBERS;
		third = 1 + second % MEMBERS;
		set_deadline(first, now_ns() + FAR_NS);
		cr_assert_eq(decide(tc).nexthop, first, "in time");
		set_deadline(first, now_ns());
		cr_assert_eq(decide(tc).nexthop, second);
		set_deadline(second, 1);
		cr_assert_eq(decide(tc).nexthop, third, "whom another bucket has");
		set_deadline(third, 1);
		cr_assert_eq(decide(tc).nexthop, 0);
		cr_assert_eq(decide(tc).reason, XRS_REASON_NO_NEXTHOP);
		set_deadline(first, 0);
		cr_assert_eq(decide(tc).nexthop, first, "pardoned");
	}
}
