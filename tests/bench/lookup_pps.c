// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames a second through real devices on one CPU: sent, forwarded and counted there.
 *
 *   generate_v4 -> gen0 === vm0  [forwarder]  bench0 === bench1 [bench_sink]        over veth
 *   write()     -> tap0          [forwarder]  bench0 === bench1 [bench_sink]        from a tap
 *
 * The generator is a program that runs on live frames (BPF_F_TEST_XDP_LIVE_FRAMES), 64 at a time. The time
 * counted is that of all three.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lookup_lab.h"

#define FRAMES     (1u << 16) /* of one run */
#define TAP_FRAMES (1u << 14)
#define BATCH      64
#define TAP        "tap0"

static void pin_to_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		lab_die("sched_setaffinity: %s", strerror(errno));
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int program_fd(const struct pps *p, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(p->feed, name));
}

/* -1: takes away what is there. */
static void attach(const char *ifname, int fd)
{
	int index = (int)if_nametoindex(ifname);
	int ret = bpf_xdp_attach(index, fd, XDP_FLAGS_DRV_MODE, NULL);

	if (ret)
		lab_die("%s: attaching: %s", ifname, strerror(-ret));
}

/* Programs to compare with; NULL: none. */
static const char *const programs[PPS_BYS] = {
	[PPS_DROP] = "bench_drop",
	[PPS_REDIRECT] = "bench_redirect",
	[PPS_FIB] = "bench_fib",
};

static void begin(const struct pps *p, const char *ifname, enum pps_by by)
{
	if (by == PPS_NATIVE || by == PPS_TC)
		p->attach(ifname, by == PPS_TC);
	else if (programs[by])
		attach(ifname, program_fd(p, programs[by]));
}

static void end(const struct pps *p, const char *ifname, enum pps_by by)
{
	if (by == PPS_NATIVE || by == PPS_TC)
		p->detach(ifname);
	else if (programs[by])
		attach(ifname, -1);
}

static uint32_t sum_words(const uint8_t *at, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2) {
		uint16_t word;

		memcpy(&word, at + i, sizeof(word));
		sum += word;
	}
	return sum;
}

/* The frame of 64 octets less the Ethernet checksum; returns the sum of what does not change in its header. */
static uint32_t make_frame(uint8_t frame[60])
{
	memset(frame, 0, 60);
	memcpy(frame, "\2\0\0\0\1\1\2\0\0\0\0\12\x08\0", 14);
	memcpy(frame + 14, "\x45\0\0\x2e\0\0\0\0\x40\x11\0\0\x0a\1\0\x0a", 16);
	memcpy(frame + 34, "\x12\x34\x00\x35\x00\x1a\0\0", 8);
	return sum_words(frame + 14, 20);
}

/* --- veth ----------------------------------------------------------------------------------------------- */
static void generate(const struct pps *p)
{
	uint8_t frame[60];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = FRAMES, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);

	p->shape->header_sum = make_frame(frame);
	memcpy(p->shape->mac, frame, sizeof(p->shape->mac));
	p->shape->generator = if_nametoindex(LAB_GENERATOR);
	if (bpf_prog_test_run_opts(program_fd(p, "generate_v4"), &opts))
		lab_die("the generator can not be run: %s", strerror(errno));
}

/* Frames a second, in millions, that arrived. */
static double over_veth(const struct pps *p, enum pps_by by)
{
	double start, took;

	begin(p, LAB_NIC, by);
	generate(p); /* caches, neighbours */
	p->shape->sunk = 0;
	start = now_s();
	generate(p);
	took = now_s() - start;
	end(p, LAB_NIC, by);
	if (p->shape->sunk < FRAMES / 2)
		lab_die("only %llu of %u frames arrived", (unsigned long long)p->shape->sunk,
			FRAMES);
	return (double)p->shape->sunk / took / 1e6;
}

/* --- tap ------------------------------------------------------------------------------------------------ */
/* Without O_NONBLOCK the kernel takes the slow way even to a native program. */
static int open_tap(void)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	strcpy(request.ifr_name, TAP);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		lab_die("a tap: %s", strerror(errno));
	if (system("ip link set " TAP " address 02:00:00:00:01:01 up && "
		   "sysctl -qw net.ipv4.conf." TAP ".rp_filter=0"))
		lab_die("the tap does not come up");
	return fd;
}

static void write_frames(const struct pps *p, int tap)
{
	uint8_t frame[60];
	uint32_t base = make_frame(frame);

	for (uint32_t i = 0; i < TAP_FRAMES; i++) {
		const uint8_t *dst = (const uint8_t *)p->list[p->shape->cursor++ & p->shape->mask];
		uint32_t sum = base + sum_words(dst, 4);
		uint16_t check;

		sum = (sum & 0xffff) + (sum >> 16);
		check = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
		memcpy(frame + 24, &check, sizeof(check));
		memcpy(frame + 30, dst, 4);
		if (write(tap, frame, sizeof(frame)) != sizeof(frame) && errno != EAGAIN)
			lab_die("a frame into the tap: %s", strerror(errno));
	}
}

static double from_tap(const struct pps *p, int tap, enum pps_by by)
{
	double start, took;

	begin(p, TAP, by);
	write_frames(p, tap);
	p->shape->sunk = 0;
	start = now_s();
	write_frames(p, tap);
	took = now_s() - start;
	end(p, TAP, by);
	if (p->shape->sunk < TAP_FRAMES / 2)
		lab_die("only %llu of %u frames arrived", (unsigned long long)p->shape->sunk,
			TAP_FRAMES);
	return (double)p->shape->sunk / took / 1e6;
}

/* --- all ------------------------------------------------------------------------------------------------ */
void pps_measure(const struct pps *p, unsigned int rounds,
		 double ret[PPS_DEVICES][PPS_BYS][PPS_ROUNDS])
{
	int tap;

	pin_to_one_cpu();
	tap = open_tap();
	p->set_nic(if_nametoindex(LAB_NIC));
	p->set_nic(if_nametoindex(TAP));
	attach(LAB_SINK, program_fd(p, "bench_sink"));
	for (unsigned int r = 0; r < rounds; r++) {
		for (enum pps_by by = 0; by < PPS_BYS; by++)
			ret[PPS_VETH][by][r] = over_veth(p, by);
		for (enum pps_by by = 0; by < PPS_BYS; by++)
			ret[PPS_TAP][by][r] = from_tap(p, tap, by);
	}
	close(tap);
}
