// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hypervisor's network device, and nothing else of one: a tap here is the host's end, a tap in another
 * network namespace is the guest's virtio device, and frames go from one to the other as they are.
 *
 *   tool_vmm TAP NETNS GUEST-TAP offload|plain
 *
 * With "offload" both carry virtio-net headers, and the guest leaves checksums and segmentation (TCP over IPv4
 * and IPv6) to the host, as Linux guests do. With "plain" frames are whole and at most one MTU long.
 * "ready" goes to standard output when both taps are there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FRAME_MAX (12 + 65536 + 18)
#define BATCH     64

static int fail(const char *what)
{
	perror(what);
	return -1;
}

/* O_NONBLOCK: only such writers get the tap's native XDP (drivers/net/tun.c). */
static int open_tap(const char *name, bool offload)
{
	const unsigned int offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), hdr_len = 12;
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	if (fd < 0)
		return fail("/dev/net/tun");
	if (offload)
		ifr.ifr_flags |= IFF_VNET_HDR;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr))
		return fail(name);
	if (offload && (ioctl(fd, TUNSETVNETHDRSZ, &hdr_len) || ioctl(fd, TUNSETOFFLOAD, offloads)))
		return fail("offloads");
	return fd;
}

static int open_guest(const char *netns, const char *name, bool offload)
{
	int ns = open(netns, O_RDONLY | O_CLOEXEC);

	if (ns < 0 || setns(ns, CLONE_NEWNET))
		return fail(netns);
	close(ns);
	return open_tap(name, offload);
}

/* What does not fit is lost, as in any network. False: a tap is gone. */
static bool copy(int from, int to)
{
	static char frame[FRAME_MAX];

	for (int i = 0; i < BATCH; i++) {
		ssize_t n = read(from, frame, sizeof(frame));

		if (n < 0)
			return errno == EAGAIN || errno == EIO;
		if (write(to, frame, (size_t)n) < 0 && errno == EBADFD)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };
	bool offload = argc == 5 && !strcmp(argv[4], "offload");

	if (argc != 5 || (!offload && strcmp(argv[4], "plain") != 0)) {
		fprintf(stderr, "usage: tool_vmm TAP NETNS GUEST-TAP offload|plain\n");
		return 2;
	}
	fds[0].fd = open_tap(argv[1], offload);
	fds[1].fd = fds[0].fd < 0 ? -1 : open_guest(argv[2], argv[3], offload);
	if (fds[1].fd < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if ((fds[0].revents && !copy(fds[0].fd, fds[1].fd)) ||
		    (fds[1].revents && !copy(fds[1].fd, fds[0].fd)))
			return 0;
	}
	return 1;
}
