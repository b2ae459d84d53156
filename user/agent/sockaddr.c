// SPDX-License-Identifier: GPL-2.0-only
/* Socket addresses and the socket options that IPv4 and IPv6 name differently. See the header. */
#include "agent/sockaddr.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

static socklen_t fill_v4(const struct ip_addr *addr, uint16_t port, struct sockaddr_storage *sa)
{
	struct sockaddr_in *in = (struct sockaddr_in *)sa;

	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	memcpy(&in->sin_addr, addr->bytes, 4);
	return sizeof(*in);
}

static socklen_t fill_v6(const struct ip_addr *addr, uint16_t port, const char *device,
			 struct sockaddr_storage *sa)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, addr->bytes, 16);
	if (device && device[0] && ip_is_link_local(addr))
		in6->sin6_scope_id = if_nametoindex(device);
	return sizeof(*in6);
}

socklen_t sockaddr_from_ip(const struct ip_addr *addr, uint16_t port, const char *device,
			   struct sockaddr_storage *ret_sa)
{
	memset(ret_sa, 0, sizeof(*ret_sa));
	if (addr->family == IP_V4)
		return fill_v4(addr, port, ret_sa);
	if (addr->family == IP_V6)
		return fill_v6(addr, port, device, ret_sa);
	return 0;
}

static void read_v6(const struct sockaddr_in6 *in6, struct ip_addr *addr)
{
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		*addr = ip_from_bytes(IP_V4, in6->sin6_addr.s6_addr + 12);
	else
		*addr = ip_from_bytes(IP_V6, in6->sin6_addr.s6_addr);
}

void sockaddr_to_ip(const struct sockaddr_storage *sa, struct ip_addr *ret_addr, uint16_t *ret_port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	struct ip_addr addr = { .family = IP_NONE };
	uint16_t port = 0;

	if (sa->ss_family == AF_INET) {
		addr = ip_from_bytes(IP_V4, &in->sin_addr);
		port = ntohs(in->sin_port);
	} else if (sa->ss_family == AF_INET6) {
		read_v6(in6, &addr);
		port = ntohs(in6->sin6_port);
	}
	if (ret_addr)
		*ret_addr = addr;
	if (ret_port)
		*ret_port = port;
}

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

int sockopt_ttl(int fd, enum ip_family family, int ttl)
{
	return family == IP_V4 ? set_int(fd, IPPROTO_IP, IP_TTL, ttl)
			       : set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
}

int sockopt_min_ttl(int fd, enum ip_family family, int min_ttl)
{
	return family == IP_V4 ? set_int(fd, IPPROTO_IP, IP_MINTTL, min_ttl)
			       : set_int(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, min_ttl);
}

int sockopt_traffic_class(int fd, enum ip_family family, int value)
{
	return family == IP_V4 ? set_int(fd, IPPROTO_IP, IP_TOS, value)
			       : set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, value);
}

int gtsm_min_ttl(uint8_t hops)
{
	return hops ? 256 - hops : 0;
}
