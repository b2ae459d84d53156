/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes to a frame that has been decided on: Ethernet header, VLAN tag, TTL.
 *
 * Called by both programs and tests: start and end pointers, no BPF helper, compiles for the host. Each
 * function changes all of what it names, or, when the frame is too short, nothing and says false. The
 * room for a tag that is added or removed is the caller's business (bpf_xdp_adjust_head).
 */
#ifndef XRS_REWRITE_BPF_H
#define XRS_REWRITE_BPF_H

#include "parse.bpf.h"

XRS_INLINE bool xrs_set_dmac(__u8 *start, const __u8 *end, const struct xrs_nexthop *nh)
{
	if (start + ETH_HLEN > end)
		return false;
	__builtin_memcpy(start, nh->dmac, ETH_ALEN);
	return true;
}

/* Both stand in the next hop as they do in a frame: three words. */
XRS_INLINE bool xrs_set_macs(__u8 *start, const __u8 *end, const struct xrs_nexthop *nh)
{
	if (start + ETH_HLEN > end)
		return false;
	for (int i = 0; i < 2 * ETH_ALEN; i += 4) {
		__u32 word = XRS_LOAD(__u32, nh->dmac + i);

		XRS_STORE(__u32, start + i, word);
	}
	return true;
}

/* Does the frame carry just what the egress wants: nothing, or one tag with that VLAN id? */
XRS_INLINE bool xrs_tags_fit(const struct xrs_packet *p, __u16 vlan)
{
	return p->n_tags == !!vlan && xrs_vid(p) == vlan;
}

/*
 * Writes the whole Ethernet header for @vlan (0: untagged) at @start; L3 begins behind it. The priority
 * bits of the tag that the frame came with are kept.
 */
XRS_INLINE bool xrs_set_ether(__u8 *start, const __u8 *end, const struct xrs_nexthop *nh,
			      const struct xrs_packet *p, __u16 vlan)
{
	if (start + ETH_HLEN + XRS_VLAN_LEN > end)
		return false;
	xrs_set_macs(start, end, nh);
	if (vlan) {
		__u16 tci = (p->n_tags ? p->tci & 0xf000 : 0) | vlan;

		XRS_STORE(__u16, start + 12, XRS_NET16(ETH_P_8021Q));
		XRS_STORE(__u16, start + 14, XRS_NET16(tci));
		start += XRS_VLAN_LEN;
	}
	XRS_STORE(__u16, start + 12, XRS_NET16(p->eth_type));
	return true;
}

/*
 * TTL or hop limit less one, of the IP header at @ip. The checksum of IPv4 follows by RFC 1624 equation 3:
 * the word that holds the TTL falls by 0x0100, so the complement of the sum rises by it.
 */
XRS_INLINE bool xrs_dec_ttl_at(__u8 *ip, const __u8 *end, __u8 family)
{
	__u32 sum;

	if (ip + XRS_IPV4_LEN > end)
		return false;
	if (family == 6) {
		ip[7]--;
		return true;
	}
	ip[8]--;
	sum = (__u32)XRS_LOAD(__u16, ip + 10) + XRS_NET16(0x0100);
	XRS_STORE(__u16, ip + 10, (__u16)(sum + (sum >= 0xffff)));
	return true;
}

XRS_INLINE bool xrs_dec_ttl(__u8 *start, const __u8 *end, __u32 l3_off, __u8 family)
{
	/* The verifier forgets what it knew of a number on the stack; the compiler must not know more. */
	asm volatile("" : "+r"(l3_off));
	if (l3_off > ETH_HLEN + XRS_VLAN_DEPTH * XRS_VLAN_LEN)
		return false;
	return xrs_dec_ttl_at(start + l3_off, end, family);
}

#endif
