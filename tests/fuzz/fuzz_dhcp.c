// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the reader of DHCP messages with whole frames, in both directions. Aborts when an address comes out
 * that no VM may have, or a client's word grants one.
 */
#include <stdlib.h>
#include <string.h>

#include "net/dhcp.h"

static void check(const uint8_t *frame, size_t len, bool to_vm)
{
	struct dhcp_message message;

	memset(&message, 0xa5, sizeof(message));
	if (dhcp_parse(frame, len, to_vm, &message) < 0)
		return;
	if (message.n > DHCP_LEASES)
		abort();
	for (unsigned int i = 0; i < message.n; i++) {
		const struct ip_prefix *prefix = &message.lease[i].prefix;
		const struct ip_addr *addr = &prefix->addr;
		struct ip_prefix masked = *prefix;

		if (addr->family != message.lease[0].prefix.addr.family || ip_is_zero(addr) ||
		    ip_is_multicast(addr) || ip_is_link_local(addr) || ip_is_loopback(addr))
			abort();
		prefix_mask(&masked);
		if (!prefix->len || !prefix_equal(&masked, prefix) ||
		    (addr->family == IP_V4 && !prefix_is_host(prefix)))
			abort();
		if (!to_vm && message.lease[i].seconds)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, true);
	check(data, size, false);
	return 0;
}
