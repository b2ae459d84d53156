/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a nic lets through to the route table: gateway MAC, source, destination, TTL.
 *
 * Called by both programs and tests; pure, compiles for the host. Each check answers a question about a
 * parsed packet; the order in which they are asked stands in xrs.bpf.c.
 */
#ifndef XRS_ADMIT_BPF_H
#define XRS_ADMIT_BPF_H

#include "parse.bpf.h"

XRS_INLINE bool xrs_mac_equal(const __u8 *a, const __u8 *b)
{
	__u16 differ = 0;

	for (int i = 0; i < ETH_ALEN; i += 2)
		differ |= XRS_LOAD(__u16, a + i) ^ XRS_LOAD(__u16, b + i);
	return !differ;
}

XRS_INLINE bool xrs_mac_is_zero(const __u8 *mac)
{
	return !(mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

/* Is the frame meant for the virtual router? Else it is switched, not routed. */
XRS_INLINE bool xrs_to_gateway(const struct xrs_nic *nic, const struct xrs_packet *p)
{
	if (p->dmac[0] & 1)
		return false;
	if (!nic->n_gateway_macs)
		return true;
	for (__u32 i = 0; i < XRS_GATEWAY_MACS; i++) {
		if (i < nic->n_gateway_macs && xrs_mac_equal(nic->gateway_mac[i], p->dmac))
			return true;
	}
	return false;
}

/* The first @len bits of a word, at most all of them, in network order. */
XRS_INLINE __u32 xrs_prefix_mask(__u32 len)
{
	__u32 bits = len < 32 ? len : 32;

	return XRS_NET32((__u32)(0xffffffffull << (32 - bits)));
}

/* Do the first @len bits of both agree? @addr in network order, 1 or 4 words of it. */
XRS_INLINE bool xrs_in_prefix(const __u32 *addr, const __u8 *prefix, __u32 len, __u32 words)
{
	__u32 differ = 0;

#pragma GCC unroll 4
	for (__u32 i = 0; i < words; i++) {
		__u32 left = len > 32 * i ? len - 32 * i : 0;

		differ |= (addr[i] ^ XRS_LOAD(__u32, prefix + 4 * i)) & xrs_prefix_mask(left);
	}
	return !differ;
}

XRS_INLINE bool xrs_source4_ok(const struct xrs_nic *nic, const struct xrs_packet *p)
{
#pragma GCC unroll 4
	for (__u32 i = 0; i < XRS_SOURCES; i++) {
		if (i < nic->n_sources4 &&
		    xrs_in_prefix(p->src, nic->source4[i], nic->source4_len[i], 1))
			return true;
	}
	return false;
}

XRS_INLINE bool xrs_source6_ok(const struct xrs_nic *nic, const struct xrs_packet *p)
{
#pragma GCC unroll 4
	for (__u32 i = 0; i < XRS_SOURCES; i++) {
		if (i < nic->n_sources6 &&
		    xrs_in_prefix(p->src, nic->source6[i], nic->source6_len[i], 4))
			return true;
	}
	return false;
}

/* 0/8, 127/8, 169.254/16, 224/4, 255.255.255.255 (RFC 1122, RFC 3927, RFC 5771, RFC 919) */
XRS_INLINE bool xrs_special4(__u32 addr)
{
	__u32 a = XRS_NET32(addr);

	return a >> 24 == 0 || a >> 24 == 127 || a >> 16 == 0xa9fe || a >> 28 == 0xe ||
	       a == 0xffffffff;
}

/* ::, ::1, fe80::/10, ff00::/8 (RFC 4291 sections 2.5 to 2.7) */
XRS_INLINE bool xrs_special6(const __u32 *addr)
{
	__u32 first = XRS_NET32(addr[0]);

	return first >> 24 == 0xff || first >> 22 == 0x3fa ||
	       (!(addr[0] | addr[1] | addr[2]) && XRS_NET32(addr[3]) <= 1);
}

/*
 * Multicast, broadcast, link-local, neighbour discovery: the kernel's, whatever is announced. Sources
 * count as well: a router must not forward a link-local or unspecified one (RFC 3927 section 2.7,
 * RFC 4291 sections 2.5.2 and 2.5.6).
 */
XRS_INLINE bool xrs_is_special(const struct xrs_packet *p)
{
	if (p->family == 4)
		return xrs_special4(p->dst[0]) || xrs_special4(p->src[0]);
	return p->nd || xrs_special6(p->dst) || xrs_special6(p->src);
}

/*
 * antiSpoof. A link-local or unspecified source is let by here: neighbour discovery and DHCP need it,
 * and xrs_is_special() keeps it from being steered. Multicast and loopback sources are spoofed. Where
 * sources are learned neighbour discovery is what they are learned from.
 */
XRS_INLINE bool xrs_source_ok(const struct xrs_nic *nic, const struct xrs_packet *p)
{
	if (!(nic->flags & XRS_NIC_F_ANTI_SPOOF) || (p->nd && nic->flags & XRS_NIC_F_LEARN))
		return true;
	if (!xrs_mac_is_zero(nic->mac) && !xrs_mac_equal(nic->mac, p->smac))
		return false;
	if (p->family == 4) {
		__u32 a = XRS_NET32(p->src[0]);

		return !a || a >> 16 == 0xa9fe || xrs_source4_ok(nic, p);
	}
	if (!(p->src[0] | p->src[1] | p->src[2] | p->src[3]))
		return true;
	return XRS_NET32(p->src[0]) >> 22 == 0x3fa || xrs_source6_ok(nic, p);
}

/* Design section 8, from the source check to the TTL. */
XRS_INLINE enum xrs_reason xrs_admit(const struct xrs_nic *nic, const struct xrs_packet *p)
{
	if (!xrs_source_ok(nic, p))
		return XRS_REASON_SPOOFED;
	if (p->options)
		return XRS_REASON_IP_OPTIONS;
	if (xrs_is_special(p))
		return XRS_REASON_SPECIAL_DST;
	if (p->ttl <= 1)
		return XRS_REASON_TTL_EXPIRED;
	return XRS_GO_ON;
}

#endif
