// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's side of the lookup benchmark: a namespace, a device, neighbours, and very many routes. */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lookup_lab.h"

#define BATCH 400 /* routes of one message */

void lab_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void run(const char *command)
{
	if (system(command))
		lab_die("%s: failed", command);
}

uint32_t lab_namespace(void)
{
	char command[256];

	if (unshare(CLONE_NEWNET))
		lab_die("a network namespace: %s", strerror(errno));
	run("ip link set lo up && ip link add bench0 type veth peer name bench1 && "
	    "ip link add " LAB_GENERATOR " type veth peer name " LAB_NIC
	    " address 02:00:00:00:01:01 && "
	    "ip link add " LAB_SOCKET
	    " address 02:00:00:00:00:0a type veth peer name " LAB_CONTAINER
	    " address 02:00:00:00:01:01 && "
	    "for i in bench0 bench1 " LAB_GENERATOR " " LAB_NIC " " LAB_CONTAINER
	    "; do ip link set $i up; done && "
	    "ip address add 10.255.0.1/16 dev bench0 && "
	    "ip address add fd00:ffff::1/64 dev bench0 nodad && "
	    "ip address add 10.1.0.1/24 dev " LAB_NIC " && "
	    "ip address add fd00:1::1/64 dev " LAB_NIC " nodad && "
	    "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
	    "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf." LAB_NIC ".rp_filter=0 "
	    "net.ipv4.conf." LAB_CONTAINER ".rp_filter=0");
	for (int i = 0; i < LAB_HOPS; i++) {
		snprintf(command, sizeof(command),
			 "ip neigh replace 10.255.1.%d lladdr 02:ee:00:00:00:%02x dev bench0 && "
			 "ip neigh replace fd00:ffff::1:%x lladdr 02:ee:00:00:00:%02x dev bench0",
			 i + 1, i, i + 1, i);
		run(command);
	}
	return if_nametoindex("bench0");
}

struct route_message {
	struct nlmsghdr head;
	struct rtmsg route;
	uint8_t attrs[64];
};

static void attribute(struct route_message *m, unsigned short type, const void *data, size_t len)
{
	struct rtattr *attr = (void *)((uint8_t *)m + NLMSG_ALIGN(m->head.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(attr), data, len);
	m->head.nlmsg_len = NLMSG_ALIGN(m->head.nlmsg_len) + RTA_ALIGN(attr->rta_len);
}

static struct ip_addr gateway(enum ip_family family, uint8_t hop)
{
	static const uint8_t net4[] = { 10, 255, 1 };
	static const uint8_t net6[] = { 0xfd, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
	struct ip_addr addr = { .family = family };

	memcpy(addr.bytes, family == IP_V4 ? net4 : net6, family == IP_V4 ? 3 : 14);
	addr.bytes[ip_bytes(family) - 1] = (uint8_t)(hop + 1);
	return addr;
}

static size_t write_route(void *at, uint32_t ifindex, const struct ip_prefix *prefix, uint8_t hop)
{
	struct ip_addr via = gateway(prefix->addr.family, hop);
	size_t len = ip_bytes(prefix->addr.family);
	struct route_message *m = at;

	memset(m, 0, sizeof(*m));
	m->head.nlmsg_len = NLMSG_LENGTH(sizeof(m->route));
	m->head.nlmsg_type = RTM_NEWROUTE;
	m->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE;
	m->route.rtm_family = prefix->addr.family == IP_V4 ? AF_INET : AF_INET6;
	m->route.rtm_dst_len = prefix->len;
	m->route.rtm_table = RT_TABLE_MAIN;
	m->route.rtm_protocol = RTPROT_STATIC;
	m->route.rtm_scope = RT_SCOPE_UNIVERSE;
	m->route.rtm_type = RTN_UNICAST;
	attribute(m, RTA_DST, prefix->addr.bytes, len);
	attribute(m, RTA_GATEWAY, via.bytes, len);
	attribute(m, RTA_OIF, &ifindex, sizeof(ifindex));
	return m->head.nlmsg_len;
}

/* Only failures are answered. */
static void check_answers(int fd)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} answer;

	if (recv(fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_TRUNC) > 0 &&
	    answer.head.nlmsg_type == NLMSG_ERROR && answer.error.error)
		lab_die("a route is refused: %s", strerror(-answer.error.error));
}

void lab_kernel_routes(uint32_t ifindex, const struct ip_prefix *prefixes, const uint8_t *hop,
		       size_t n)
{
	static uint8_t buffer[BATCH * sizeof(struct route_message)]
		__attribute__((aligned(NLMSG_ALIGNTO)));
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int size = 1 << 22;

	if (fd < 0)
		lab_die("netlink: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	for (size_t i = 0; i < n;) {
		size_t len = 0;

		for (size_t end = i + BATCH; i < n && i < end; i++)
			len += write_route(buffer + len, ifindex, &prefixes[i], hop[i]);
		if (send(fd, buffer, len, 0) < 0)
			lab_die("netlink: %s", strerror(errno));
		check_answers(fd);
	}
	close(fd);
}
