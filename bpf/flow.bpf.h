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

/* Finalizer of 64 bits: two rounds of multiply and xor-shift; each input bit reaches each output bit. */
XRS_INLINE __u64 xrs_mix(__u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	x ^= x >> 32;
	return x;
}

/* One end of the flow: address and port. */
XRS_INLINE __u64 xrs_mix_end(const struct xrs_packet *p, const __u32 *addr, __u16 port)
{
	__u64 high = 0, low = XRS_NET32(addr[0]);

	if (p->family == 6) {
		high = (__u64)XRS_NET32(addr[0]) << 32 | XRS_NET32(addr[1]);
		low = (__u64)XRS_NET32(addr[2]) << 32 | XRS_NET32(addr[3]);
		low ^= xrs_mix(high + 0x9e3779b97f4a7c15ull);
	}
	return xrs_mix(low ^ (__u64)XRS_NET16(port) * 0x9e3779b97f4a7c15ull);
}

/*
 * Fragments hash without ports, or the first would go elsewhere than the rest. The flow label differs
 * between the directions of a flow: only where that does not matter.
 */
XRS_INLINE __u32 xrs_flow_hash(const struct xrs_packet *p, bool symmetric)
{
	__u64 a = xrs_mix_end(p, p->src, p->sport);
	__u64 b = xrs_mix_end(p, p->dst, p->dport);
	__u64 extra = p->proto, swap;

	/*
	 * The lower end first. Which it is nobody can predict, and BPF has no conditional moves: the borrow of b - a
	 * as a mask.
	 */
	swap = ((~b & a) | ((~b | a) & (b - a))) >> 63;
	swap = (a ^ b) & -(swap & symmetric);
	a ^= swap;
	b ^= swap;
	if (!symmetric && !p->sport && !p->dport)
		extra |= (__u64)p->flow_label << 8;
	return xrs_mix(a + xrs_mix(b + extra)) >> 32;
}

#endif
