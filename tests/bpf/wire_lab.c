// SPDX-License-Identifier: GPL-2.0-only
#include "wire_lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

void wire_shell(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	cr_assert(!system(command), "%s", command);
}

uint32_t wire_index(const char *ifname)
{
	uint32_t index = if_nametoindex(ifname);

	cr_assert(index, "%s is not there", ifname);
	return index;
}

int wire_pass_prog(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "test_pass", "GPL", insns, 2, &opts);

	cr_assert(fd >= 0);
	return fd;
}

void wire_up(void)
{
	if (geteuid())
		cr_skip_test("needs root");
	cr_assert(!unshare(CLONE_NEWNET));
	wire_shell("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
	/* Index 1 is loopback and the first devices must not be mistaken for a test run's. */
	wire_shell(
		"ip link add vm type veth peer name nic; ip link add out type veth peer name far;"
		"ip link add port type veth peer name side; ip link add br0 type bridge;"
		"ip link set port master br0;"
		"for i in vm nic out far port side br0; do ip link set $i up; done");
	lab_up();
	cr_assert(!bpf_xdp_attach((int)wire_index("far"), wire_pass_prog(), XDP_FLAGS_DRV_MODE,
				  NULL));
}

void wire_down(void)
{
	lab_down();
}

int wire_open(const char *ifname)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)wire_index(ifname) };
	int one = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	cr_assert(!setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)));
	cr_assert(!setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)));
	cr_assert(!bind(fd, (struct sockaddr *)&at, sizeof(at)));
	return fd;
}

static size_t headers_end(const struct frame *frame)
{
	return frame->l3 + (frame->data[frame->l3] >> 4 == 4 ? 20 : 40);
}

void wire_send(const char *ifname, const struct frame *frame, bool partial, uint32_t gso_size)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)wire_index(ifname),
				  .sll_halen = 6 };
	struct virtio_net_hdr head = { 0 };
	struct iovec iov[] = { { &head, sizeof(head) }, { (void *)frame->data, frame->len } };
	struct msghdr message = { &to, sizeof(to), iov, 2, NULL, 0, 0 };
	int one = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	bool v6 = frame->data[frame->l3] >> 4 == 6;
	bool tcp = frame->data[frame->l3 + (v6 ? 6 : 9)] == 6;

	cr_assert(!setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)));
	if (partial || gso_size) {
		head.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		head.csum_start = (uint16_t)headers_end(frame);
		head.csum_offset = tcp ? 16 : 6;
	}
	if (gso_size) {
		head.gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		head.gso_size = (uint16_t)gso_size;
		head.hdr_len = (uint16_t)(headers_end(frame) + 20);
	}
	memcpy(to.sll_addr, frame->data, 6);
	cr_assert(sendmsg(fd, &message, 0) == (ssize_t)(sizeof(head) + frame->len), "%s",
		  strerror(errno));
	close(fd);
}

static void take_aux(struct msghdr *message, struct wire_frame *ret)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		ret->tagged = aux.tp_status & TP_STATUS_VLAN_VALID;
		ret->tci = aux.tp_vlan_tci;
	}
}

bool wire_receive(int fd, struct wire_frame *ret)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	static struct wire_frame got; /* the caller's stays as it is when nothing comes */

	while (poll(&wait, 1, 300) == 1) {
		struct virtio_net_hdr head;
		struct sockaddr_ll from;
		char control[256];
		struct iovec iov[] = { { &head, sizeof(head) }, { got.data, sizeof(got.data) } };
		struct msghdr message = {
			&from, sizeof(from), iov, 2, control, sizeof(control), 0
		};
		ssize_t len = recvmsg(fd, &message, 0);

		if (len < (ssize_t)sizeof(head) || from.sll_pkttype == PACKET_OUTGOING ||
		    got.data[0] != 2)
			continue;
		got.len = (size_t)len - sizeof(head);
		got.partial = head.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
		got.gso_size = head.gso_type ? head.gso_size : 0;
		take_aux(&message, &got);
		*ret = got;
		return true;
	}
	return false;
}
