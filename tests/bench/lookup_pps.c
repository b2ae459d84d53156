// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames a second through real devices on one CPU: sent, forwarded and counted there.
 *
 *   generate_v4, _v6     -> gen0 === vm0        [forwarder]  bench0 === bench1 [bench_sink]
 *   generate_skb_v4, _v6 -> lo -> gen0 === vm0   the same with sk_buffs from the beginning, as sockets send them
 *   sendmmsg()           -> sock0 === vm1       [forwarder]  bench0 === bench1 [bench_sink]
 *   write()              -> tap0                [forwarder]  bench0 === bench1 [bench_sink]
 *
 * Generators are programs that run on live frames (BPF_F_TEST_XDP_LIVE_FRAMES), 64 at a time. The sink is a
 * program of XDP for forwarders that are, and one of tc for those whose frames arrive as sk_buffs: XDP would have
 * to copy those that come from a tap. Where the sender is a socket the receiver is one of tc in any case, as if
 * there were a socket too.
 *
 * The sink notes when each LAB_WINDOW-th frame arrives; the time between two of these counts. Not that of the
 * whole test run: it waits for grace periods of RCU before its first frame and after its last, which is as long
 * as tens of thousands of frames take.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lookup_lab.h"

#define FRAMES             (17 * LAB_WINDOW + 1) /* of one run; the first window is not counted */
#define FEW_FRAMES         (9 * LAB_WINDOW + 1)
#define BATCH              64
#define TAP                "tap0"
#define FRAME_MAX          64

#define ATTACH_TCX_INGRESS 46 /* enum bpf_attach_type of 6.6; older headers lack the name */

/* The last one that we may run on: the first often has the interrupts. */
static void pin_to_one_cpu(void)
{
	cpu_set_t set, one;

	if (sched_getaffinity(0, sizeof(set), &set))
		lab_die("sched_getaffinity: %s", strerror(errno));
	CPU_ZERO(&one);
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && !CPU_COUNT(&one); cpu--) {
		if (CPU_ISSET(cpu, &set))
			CPU_SET(cpu, &one);
	}
	if (sched_setaffinity(0, sizeof(one), &one))
		lab_die("sched_setaffinity: %s", strerror(errno));
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

/* Returns the link's descriptor. */
static int attach_tc(const struct pps *p, const char *ifname, const char *program)
{
	int fd = bpf_link_create(program_fd(p, program), (int)if_nametoindex(ifname),
				 (enum bpf_attach_type)ATTACH_TCX_INGRESS, NULL);

	if (fd < 0)
		lab_die("%s: tcx: %s", ifname, strerror(-fd));
	return fd;
}

bool pps_is_there(enum pps_device device, enum pps_by by)
{
	return !(device == PPS_VETH && by == PPS_KERNEL) && !(device == PPS_TAP && by == PPS_GRO);
}

static bool is_xdp(enum pps_by by)
{
	return programs[by] || by == PPS_NATIVE;
}

static void set_gro(const char *ifname, bool on)
{
	struct ethtool_value gro = { .cmd = ETHTOOL_SGRO, .data = on };
	struct ifreq request = { .ifr_data = (void *)&gro };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(request.ifr_name, ifname);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request))
		lab_die("%s: GRO: %s", ifname, strerror(errno));
	close(fd);
}

/* Returns a descriptor for end(), or -1. */
static int begin(const struct pps *p, const char *ifname, enum pps_by by)
{
	if (by == PPS_REDIRECT_TC)
		return attach_tc(p, ifname, "bench_redirect_tc");
	if (by == PPS_NATIVE || by == PPS_TC)
		p->attach(ifname, by == PPS_TC);
	else if (programs[by])
		attach(ifname, program_fd(p, programs[by]));
	return -1;
}

static void end(const struct pps *p, const char *ifname, enum pps_by by, int link)
{
	if (by == PPS_NATIVE || by == PPS_TC)
		p->detach(ifname);
	else if (programs[by])
		attach(ifname, -1);
	if (link >= 0)
		close(link);
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

struct frame {
	uint8_t octets[FRAME_MAX];
	uint32_t len;
	uint32_t sum; /* of what does not change in the header of IPv4 */
};

/* UDP without a checksum: 64 octets less that of Ethernet, or what IPv6 needs. */
static struct frame make_frame(enum ip_family family)
{
	struct frame frame = { .len = family == IP_V4 ? 60 : 14 + 40 + 8 };
	uint8_t *ip = frame.octets + 14;

	memcpy(frame.octets, "\2\0\0\0\1\1\2\0\0\0\0\12", 12);
	if (family == IP_V4) {
		memcpy(ip - 2, "\x08\0\x45\0\0\x2e\0\0\0\0\x40\x11\0\0\x0a\1\0\x0a", 18);
		memcpy(ip + 20, "\x12\x34\x00\x35\x00\x1a", 6);
		frame.sum = sum_words(ip, 20);
	} else {
		memcpy(ip - 2, "\x86\xdd\x60\0\0\0\0\x08\x11\x40\xfd\0\0\1", 14);
		ip[8 + 15] = 0x0a;
		memcpy(ip + 40, "\x12\x34\x00\x35\x00\x08", 6);
	}
	return frame;
}

static void set_destination(struct frame *frame, enum ip_family family, const uint32_t dst[4])
{
	uint8_t *ip = frame->octets + 14;
	uint32_t sum = frame->sum + sum_words((const uint8_t *)dst, 4);
	uint16_t check;

	if (family == IP_V6) {
		memcpy(ip + 24, dst, 16);
		return;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	check = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
	memcpy(ip + 10, &check, sizeof(check));
	memcpy(ip + 16, dst, 4);
}

/* After @n frames were sent. */
static void note_times(const struct feed_shape *shape, uint32_t n, struct pps_times *ret)
{
	uint64_t windows = shape->sunk / LAB_WINDOW;

	if (shape->sunk < n / 2)
		lab_die("only %llu of %u frames arrived", (unsigned long long)shape->sunk, n);
	for (uint64_t i = 2; i < windows; i++)
		ret->ns[ret->n++] =
			(double)(shape->times[i] - shape->times[i - 1]) / (double)LAB_WINDOW;
}

/* --- veth ----------------------------------------------------------------------------------------------- */
static void generate(const struct pps *p, const char *program)
{
	struct frame frame = make_frame(p->family);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.octets, .data_size_in = frame.len,
		    .repeat = FRAMES, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);

	p->shape->header_sum = frame.sum;
	memcpy(p->shape->mac, frame.octets, sizeof(p->shape->mac));
	p->shape->generator = if_nametoindex(LAB_GENERATOR);
	if (bpf_prog_test_run_opts(program_fd(p, program), &opts))
		lab_die("the generator can not be run: %s", strerror(errno));
}

/* An XDP program brings what takes redirected frames with it; without one, GRO does. */
static bool needs_gro(enum pps_device device, enum pps_by by)
{
	return by == PPS_GRO || (device == PPS_VETH && !is_xdp(by));
}

/* --- a socket ------------------------------------------------------------------------------------------- */
static void enter(int netns)
{
	if (netns < 0 || setns(netns, CLONE_NEWNET))
		lab_die("a network namespace: %s", strerror(errno));
}

static int this_netns(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* In a namespace of its own with LAB_SOCKET, which leads to everywhere. */
static int open_socket(enum ip_family family)
{
	int home = this_netns(), away, fd;
	char command[128];

	if (unshare(CLONE_NEWNET))
		lab_die("a network namespace: %s", strerror(errno));
	away = this_netns();
	enter(home);
	snprintf(command, sizeof(command), "ip link set " LAB_SOCKET " netns /proc/%d/fd/%d",
		 getpid(), away);
	if (system(command))
		lab_die("%s: failed", command);
	enter(away);
	if (system("ip link set " LAB_SOCKET " up && ip address add 10.1.0.10/24 dev " LAB_SOCKET
		   " && ip neigh replace 10.1.0.1 lladdr 02:00:00:00:01:01 dev " LAB_SOCKET
		   " && ip route add default via 10.1.0.1 && "
		   "ip address add fd00:1::a/64 dev " LAB_SOCKET " nodad && "
		   "ip neigh replace fd00:1::1 lladdr 02:00:00:00:01:01 dev " LAB_SOCKET
		   " && ip route add default via fd00:1::1"))
		lab_die(LAB_SOCKET ": no way out");
	fd = socket(family == IP_V4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		lab_die("a socket: %s", strerror(errno));
	enter(home);
	close(home);
	close(away);
	return fd;
}

/* The next destination as an address of a socket; its length. */
static socklen_t next_address(const struct pps *p, struct sockaddr_storage *ret)
{
	const uint32_t *dst = p->list[p->shape->cursor++ & p->shape->mask];
	struct sockaddr_in *to4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *to6 = (struct sockaddr_in6 *)ret;

	if (p->family == IP_V4) {
		*to4 = (struct sockaddr_in){ .sin_family = AF_INET,
					     .sin_port = htons(53),
					     .sin_addr = { dst[0] } };
		return sizeof(*to4);
	}
	*to6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(53) };
	memcpy(&to6->sin6_addr, dst, sizeof(to6->sin6_addr));
	return sizeof(*to6);
}

static void send_frames(const struct pps *p, int fd)
{
	static struct sockaddr_storage to[BATCH];
	static struct mmsghdr messages[BATCH];
	static uint8_t payload[60 - 14 - 20 - 8];
	struct iovec data = { payload, p->family == IP_V4 ? sizeof(payload) : 0 };

	for (uint32_t i = 0; i < FEW_FRAMES; i += BATCH) {
		for (uint32_t j = 0; j < BATCH; j++)
			messages[j].msg_hdr =
				(struct msghdr){ .msg_name = &to[j],
						 .msg_namelen = next_address(p, &to[j]),
						 .msg_iov = &data,
						 .msg_iovlen = 1 };
		if (sendmmsg(fd, messages, BATCH, 0) < 0)
			lab_die("frames of a socket: %s", strerror(errno));
	}
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
	struct frame frame = make_frame(p->family);

	for (uint32_t i = 0; i < FEW_FRAMES; i++) {
		set_destination(&frame, p->family, p->list[p->shape->cursor++ & p->shape->mask]);
		if (write(tap, frame.octets, frame.len) != (ssize_t)frame.len && errno != EAGAIN)
			lab_die("a frame into the tap: %s", strerror(errno));
	}
}

/* --- all ------------------------------------------------------------------------------------------------ */
struct senders {
	int tap, socket;
};

static const char *const nics[PPS_DEVICES] = {
	[PPS_VETH] = LAB_NIC,
	[PPS_SKB] = LAB_NIC,
	[PPS_SOCKET] = LAB_CONTAINER,
	[PPS_TAP] = TAP,
};

static const char *const generators[PPS_DEVICES][2] = {
	[PPS_VETH] = { "generate_v4", "generate_v6" },
	[PPS_SKB] = { "generate_skb_v4", "generate_skb_v6" },
};

static void send_by(const struct pps *p, const struct senders *senders, enum pps_device device)
{
	if (device == PPS_TAP)
		write_frames(p, senders->tap);
	else if (device == PPS_SOCKET)
		send_frames(p, senders->socket);
	else
		generate(p, generators[device][p->family == IP_V6]);
}

static void measure(const struct pps *p, const struct senders *senders, enum pps_device device,
		    enum pps_by by, struct pps_times *ret)
{
	bool tc_sink = device == PPS_SOCKET || !is_xdp(by);
	const char *nic = nics[device];
	int link;

	if (!pps_is_there(device, by))
		return;
	attach(LAB_SINK, tc_sink ? -1 : program_fd(p, "bench_sink"));
	set_gro(LAB_SINK, tc_sink && is_xdp(by));
	if (device != PPS_TAP)
		set_gro(nic, needs_gro(device, by));
	link = begin(p, nic, by);
	p->shape->sunk = 0;
	send_by(p, senders, device);
	end(p, nic, by, link);
	note_times(p->shape, device < PPS_SOCKET ? FRAMES : FEW_FRAMES, ret);
}

void pps_measure(const struct pps *p, unsigned int rounds,
		 struct pps_times ret[PPS_DEVICES][PPS_BYS])
{
	struct senders senders;
	int loopback, sink;

	pin_to_one_cpu();
	senders = (struct senders){ open_tap(), open_socket(p->family) };
	/* What generate_skb_v4 passes is received there. */
	loopback = attach_tc(p, "lo", "generate_skb_out");
	sink = attach_tc(p, LAB_SINK, "bench_sink_tc");
	for (enum pps_device device = 0; device < PPS_DEVICES; device++)
		p->set_nic(if_nametoindex(nics[device]));
	for (unsigned int r = 0; r < rounds; r++) {
		for (enum pps_device device = 0; device < PPS_DEVICES; device++) {
			for (enum pps_by by = 0; by < PPS_BYS; by++)
				measure(p, &senders, device, by, &ret[device][by]);
		}
	}
	close(senders.tap);
	close(senders.socket);
	close(loopback);
	close(sink);
}
