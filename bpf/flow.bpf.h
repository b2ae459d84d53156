/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow hash that chooses a bucket.
 *
 * Called by lookup.bpf.h and tests; compiles for the host. No seed and no byte order of the machine in
 * it: every host chooses the same bucket for the same flow, so that both directions of a flow meet the
 * same stateful appliance even when they enter on different hosts. Changing it moves every flow.
 */
#ifndef XRS_FLOW_BPF_H
#define XRS_FLOW_BPF_H

#include "parse.bpf.h"

#define XRS_HASH_ENDS 0x9e3779b97f4a7c15ull /* odd, half of the bits set: nothing else matters */
#define XRS_HASH_BOTH 0xd6e8feb86659fd93ull

/* The high half of a product has seen all bits of what is below it: now the low half has as well. */
XRS_INLINE __u64 xrs_mix(__u64 x, __u64 by)
{
	x *= by;
	return x ^ x >> 32;
}

/* One end of the flow: address and port. */
XRS_INLINE __u64 xrs_mix_end(const struct xrs_packet *p, const __u32 *addr, __u16 port)
{
	__u64 high, low;

	if (p->family != 6)
		return xrs_mix((__u64)XRS_NET32(addr[0]) << 16 | XRS_NET16(port), XRS_HASH_ENDS);
	high = (__u64)XRS_NET32(addr[0]) << 32 | XRS_NET32(addr[1]);
	low = (__u64)XRS_NET32(addr[2]) << 32 | XRS_NET32(addr[3]);
	low ^= xrs_mix(high, XRS_HASH_BOTH);
	return xrs_mix(low + XRS_NET16(port) * XRS_HASH_BOTH, XRS_HASH_ENDS);
}

/*
 * Two multiplications one after the other, because every packet waits for them. A sum of both ends is the same in
 * both directions, and needs no comparison that nobody can predict; with one end rotated it is not.
 *
 * Fragments hash without ports, or the first would go elsewhere than the rest. The flow label differs
 * between the directions of a flow: only where that does not matter.
 */
XRS_INLINE __u32 xrs_flow_hash(const struct xrs_packet *p, bool symmetric)
{
	__u64 a = xrs_mix_end(p, p->src, p->sport);
	__u64 b = xrs_mix_end(p, p->dst, p->dport);
	__u64 extra = p->proto, sum;

	if (!symmetric && !p->sport && !p->dport)
		extra |= (__u64)p->flow_label << 8;
	sum = a + (symmetric ? b : b << 17 | b >> 47) + extra * XRS_HASH_BOTH;
	return (sum ^ sum >> 32) * XRS_HASH_BOTH >> 32;
}

#endif
