/* SPDX-License-Identifier: GPL-2.0-only */
/* Between struct ip_addr and the kernel's socket addresses. */
#ifndef XRS_AGENT_SOCKADDR_H
#define XRS_AGENT_SOCKADDR_H

#include <sys/socket.h>

#include "util/prefix.h"

/*
 * Fills *ret_sa and returns its length; 0 for IP_NONE. @device (may be NULL or "") gives an IPv6
 * link-local address its scope.
 */
socklen_t sockaddr_from_ip(const struct ip_addr *addr, uint16_t port, const char *device,
			   struct sockaddr_storage *ret_sa);
/* IPv4-mapped IPv6 comes out as IPv4. Either output may be NULL. */
void sockaddr_to_ip(const struct sockaddr_storage *sa, struct ip_addr *ret_addr,
		    uint16_t *ret_port);

/* Socket options that exist once for each family. 0 or negative errno. */
int sockopt_ttl(int fd, enum ip_family family, int ttl);         /* of what we send */
int sockopt_min_ttl(int fd, enum ip_family family, int min_ttl); /* GTSM, RFC 5082; 0: off */
int sockopt_traffic_class(int fd, enum ip_family family, int value);
/* The least TTL that a packet has which crossed fewer than @hops routers. */
int gtsm_min_ttl(uint8_t hops);

#endif
