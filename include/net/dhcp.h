/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a DHCP message (RFC 2131, 2132) or DHCPv6 message (RFC 8415, 9915) says about addresses of the VM that it
 * comes from or goes to, and about prefixes that are delegated to it. Reads a whole Ethernet frame, as xrs_snoop hands it over.
 *
 * Pure: no clock, no state. Whether the sender is to be believed is the caller's question.
 */
#ifndef XRS_NET_DHCP_H
#define XRS_NET_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/prefix.h"

#define DHCP_LEASES  8          /* of one message that are looked at */
#define DHCP_FOREVER UINT32_MAX /* RFC 2131 section 3.3, RFC 8415 section 7.7 */

struct dhcp_lease {
	struct ip_prefix prefix; /* of an address its whole length; unicast, not link-local */
	uint32_t seconds;        /* from now; 0: it is over; DHCP_FOREVER */
};

struct dhcp_message {
	uint8_t mac
		[6]; /* the VM's: chaddr of DHCP, the Ethernet address of DHCPv6; zero: not told */
	unsigned int n; /* 0: the message changes nothing */
	struct dhcp_lease lease[DHCP_LEASES];
};

/*
 * @to_vm: only what a server sends counts: DHCPACK with a lease time, REPLY with addresses or prefixes. Else what a VM
 * sends: DHCPRELEASE and DHCPDECLINE, RELEASE and DECLINE. 0; -EINVAL: it is no such message, or is cut short
 * or contradicts itself.
 */
int dhcp_parse(const uint8_t *frame, size_t len, bool to_vm, struct dhcp_message *ret_message);

#endif
