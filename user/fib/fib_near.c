// SPDX-License-Identifier: GPL-2.0-only
/*
 * xrs_near: what ordinary packets need of each nic, prepared so that a packet compares words. Called by fib_maps.c
 * with each change of a nic; bpf/quick.bpf.h reads it at the same time.
 */
#include "fib_maps_impl.h"

#include <arpa/inet.h>
#include <string.h>

static uint64_t mac_word(const uint8_t mac[6])
{
	uint8_t octets[8] = { 0 };
	uint64_t word;

	memcpy(octets, mac, 6);
	memcpy(&word, octets, sizeof(word));
	return XRS_MAC(word);
}

/* @n words with all but the first @len bits zero, in network order. */
static void fill_mask(uint32_t *mask, unsigned int len, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned int bits = len > 32 * i ? len - 32 * i : 0;

		mask[i] = htonl(bits >= 32 ? ~0u : ~(~0u >> bits));
	}
}

/* A frame to a group, or to a nic without a gateway, is no ordinary one. */
static void fill_macs(struct xrs_near *near, const struct xrs_nic *nic)
{
	static const uint8_t any[6];
	bool checks = nic->flags & XRS_NIC_F_ANTI_SPOOF && memcmp(nic->mac, any, sizeof(any));

	near->mac = checks ? mac_word(nic->mac) : XRS_MAC_NONE;
	for (uint32_t i = 0; i < XRS_GATEWAY_MACS; i++) {
		const uint8_t *mac = nic->gateway_mac[i];

		near->gateway_mac[i] =
			i < nic->n_gateway_macs && !(mac[0] & 1) ? mac_word(mac) : XRS_MAC_NONE;
	}
}

/* Slots without a prefix hold an address that no ordinary packet comes from: all ones. */
static void fill_sources(struct xrs_near *near, const struct xrs_nic *nic)
{
	memset(near->source4, 0xff, sizeof(near->source4));
	memset(near->source6, 0xff, sizeof(near->source6));
	if (!(nic->flags & XRS_NIC_F_ANTI_SPOOF)) {
		memset(&near->source4[0], 0, sizeof(near->source4[0]));
		memset(&near->source6[0], 0, sizeof(near->source6[0]));
		return;
	}
	for (uint32_t i = 0; i < XRS_SOURCES; i++) {
		if (i < nic->n_sources4) {
			memcpy(&near->source4[i].addr, nic->source4[i], 4);
			fill_mask(&near->source4[i].mask, nic->source4_len[i], 1);
		}
		if (i < nic->n_sources6) {
			memcpy(near->source6[i].addr, nic->source6[i], 16);
			fill_mask(near->source6[i].mask, nic->source6_len[i], 4);
		}
	}
}

void fib_near_set(struct fib_maps *maps, uint32_t ifindex, const struct xrs_nic *nic)
{
	struct xrs_near *near = &maps->near[ifindex % XRS_NIC_MAX];
	uint32_t busy = near->seq | 1;

	if (near->ifindex != ifindex && (near->ifindex || !nic))
		return;
	__atomic_store_n(&near->seq, busy, __ATOMIC_SEQ_CST);
	if (nic) {
		near->flags = nic->flags;
		near->slot = nic->slot;
		near->table = nic->table;
		near->vnet = nic->vnet;
		near->role = nic->role;
		near->fast[0] = XRS_FAST_HEAD(nic->table, 0);
		near->fast[1] = XRS_FAST_HEAD(nic->table, 1);
		fill_macs(near, nic);
		fill_sources(near, nic);
	}
	near->ifindex = nic ? ifindex : 0;
	__atomic_store_n(&near->seq, busy + 1, __ATOMIC_SEQ_CST);
}

void fib_near_fill(struct fib_maps *maps)
{
	struct xrs_nic nic;
	uint32_t ifindex = 0;

	while (!fib_maps_nic_next(maps, ifindex, &ifindex)) {
		if (!fib_maps_nic_get(maps, ifindex, &nic))
			fib_near_set(maps, ifindex, &nic);
	}
}
