// SPDX-License-Identifier: GPL-2.0-only
/*
 * A BGP identifier for a node whose configuration implies none (RFC 6286 2.1: any number but 0, unique
 * among the speakers of its AS). Called by node.c; reads the host's addresses, changes nothing.
 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "agent/router_id.h"

static uint32_t ipv4_of(const struct ifaddrs *entry)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)entry->ifa_addr;

	if (!in || in->sin_family != AF_INET || entry->ifa_flags & IFF_LOOPBACK)
		return 0;
	return ntohl(in->sin_addr.s_addr);
}

uint32_t router_id_of_host(void)
{
	struct ifaddrs *list;
	uint32_t lowest = 0;

	if (getifaddrs(&list) < 0)
		return 0;
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		uint32_t addr = ipv4_of(entry);

		if (addr && (!lowest || addr < lowest))
			lowest = addr;
	}
	freeifaddrs(list);
	return lowest;
}
