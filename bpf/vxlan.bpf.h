/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VXLAN (RFC 7348): the outer headers of a frame that goes to another host, and what a frame from there
 * has in front.
 *
 * Called by xrs.bpf.c, tests and fuzzers: start and end pointers, no BPF helper, compiles for the host.
 *
 *   0          14                    34 (54)   42 (62)     50 (70)
 *   | Ethernet | IPv4 20 (IPv6 40)   | UDP 8   | VXLAN 8   | inner Ethernet 14 | inner IP ...
 *
 * The outer UDP checksum is zero over IPv4 (RFC 7348 section 5). Over IPv6 a receiver refuses zero unless
 * told otherwise (RFC 6935), so unless the configuration says that it was (zero_sum) it is computed, without
 * touching the payload: an inner packet whose own checksum is right, or will be, adds a known amount (what
 * Linux calls local checksum offload). Packets without such a checksum are left to the kernel's VXLAN device.
 * That amount depends on nothing but headers and length, so that segments of one length have one outer checksum.
 */
#ifndef XRS_VXLAN_BPF_H
#define XRS_VXLAN_BPF_H

#include "rewrite.bpf.h"

#define XRS_UDP_LEN       8
#define XRS_VXLAN_LEN     8
#define XRS_VXLAN_OUTER4  (ETH_HLEN + XRS_IPV4_LEN + XRS_UDP_LEN + XRS_VXLAN_LEN)
#define XRS_VXLAN_OUTER6  (ETH_HLEN + XRS_IPV6_LEN + XRS_UDP_LEN + XRS_VXLAN_LEN)
#define XRS_VXLAN_FLAG_I  0x08 /* the VNI is valid */
#define XRS_VXLAN_TTL     64
#define XRS_VXLAN_OFF_MAX 128    /* octets before a VXLAN header that is looked for */
#define XRS_PORT_DYNAMIC  49152u /* RFC 7348 section 5: source ports from the dynamic range */
#define XRS_PROTO_ICMP    1

/* Ones' complement sum of 16-bit words as they stand in memory, by pairs; @n an even constant. */
XRS_INLINE __u64 xrs_sum(const __u8 *data, __u32 n)
{
	__u64 sum = 0;
	__u32 i;

	for (i = 0; i + 4 <= n; i += 4)
		sum += XRS_LOAD(__u32, data + i);
	return i < n ? sum + XRS_LOAD(__u16, data + i) : sum;
}

XRS_INLINE __u16 xrs_tunnel_sport(__u32 hash)
{
	return XRS_PORT_DYNAMIC | (hash >> 16 & 0x3fff);
}

/* Has the inner packet a checksum of its own over all of its payload, which the outer one can lean on? */
XRS_INLINE bool xrs_inner_is_summed(const struct xrs_packet *p)
{
	__u32 hlen = p->family == 4 ? XRS_IPV4_LEN : XRS_IPV6_LEN;

	if (p->fragment || p->options || p->l4_off != p->l3_off + hlen)
		return false;
	if (p->proto == XRS_PROTO_TCP || p->proto == XRS_PROTO_UDP)
		return p->has_csum && p->csum && !p->trailer;
	return p->proto == (p->family == 4 ? XRS_PROTO_ICMP : XRS_PROTO_ICMPV6);
}

XRS_INLINE bool xrs_outer_sum_is_known(const struct xrs_packet *p, const struct xrs_tunnel *t)
{
	return t->family != 6 || t->zero_sum || xrs_inner_is_summed(p);
}

/*
 * What the inner packet adds to the outer sum. IPv4: its header sums up to nothing, the L4 part to the
 * complement of its pseudo-header (ICMP: to nothing). IPv6: of header and pseudo-header only version,
 * class and flow label, hop limit and next header do not cancel out. @ip: after its TTL was changed. Of a frame
 * that is cut later: what each segment adds.
 */
XRS_INLINE __u64 xrs_inner_sum(const struct xrs_packet *p, const __u8 *ip)
{
	__u64 pseudo;

	if (p->family == 6)
		return (__u64)XRS_LOAD(__u16, ip) + XRS_LOAD(__u16, ip + 2) +
		       XRS_LOAD(__u16, ip + 6) + (__u16)~XRS_NET16(p->proto);
	if (p->proto == XRS_PROTO_ICMP)
		return 0;
	pseudo = (__u64)p->src[0] + p->dst[0] + XRS_NET16(p->proto) +
		 XRS_NET16(xrs_l3_out(p) - XRS_IPV4_LEN);
	return (__u16)~xrs_fold(pseudo);
}

/* UDP and VXLAN at @udp: 16 octets, which are there. @len: of the UDP datagram. */
XRS_INLINE void xrs_put_udp_vxlan(__u8 *udp, const struct xrs_tunnel *t, __u32 hash, __u32 len)
{
	XRS_STORE(__u16, udp, XRS_NET16(xrs_tunnel_sport(hash)));
	XRS_STORE(__u16, udp + 2, XRS_NET16(t->port));
	XRS_STORE(__u16, udp + 4, XRS_NET16(len));
	XRS_STORE(__u16, udp + 6, 0);
	XRS_STORE(__u32, udp + 8, XRS_NET32((__u32)XRS_VXLAN_FLAG_I << 24));
	XRS_STORE(__u32, udp + 12, XRS_NET32(t->vni << 8));
}

/* Where @outer has a VXLAN header that names a network; 0: it has none. */
XRS_INLINE __u32 xrs_vxlan_off(const __u8 *start, const __u8 *end, const struct xrs_packet *outer)
{
	__u32 off = outer->l4_off + XRS_UDP_LEN;

	asm volatile("" : "+r"(off));
	if (outer->proto != XRS_PROTO_UDP || !outer->l4_off || off > XRS_VXLAN_OFF_MAX ||
	    start + off + XRS_VXLAN_LEN > end || start[off] != XRS_VXLAN_FLAG_I)
		return 0;
	return off;
}

/* By words: as memcpy() the compiler, which knows of no alignment, would copy octet by octet, on the stack's account. */
XRS_INLINE void xrs_copy_addr(__u8 *to, const __u8 *from, __u32 words)
{
	for (__u32 i = 0; i < words; i++) {
		__u32 word = XRS_LOAD(__u32, from + 4 * i);

		XRS_STORE(__u32, to + 4 * i, word);
	}
}

XRS_INLINE void xrs_copy_mac(__u8 *to, const __u8 *from)
{
	for (__u32 i = 0; i < ETH_ALEN; i += 2) {
		__u16 pair = XRS_LOAD(__u16, from + i);

		XRS_STORE(__u16, to + i, pair);
	}
}

XRS_INLINE void xrs_put_ether(__u8 *start, const __u8 *dmac, const __u8 *smac, __u16 type)
{
	xrs_copy_mac(start, dmac);
	xrs_copy_mac(start + ETH_ALEN, smac);
	XRS_STORE(__u16, start + 2 * ETH_ALEN, XRS_NET16(type));
}

/* The inner Ethernet header at @start, untagged, and the TTL of the packet behind it. */
XRS_INLINE bool xrs_put_inner(__u8 *start, const __u8 *end, const struct xrs_nexthop *nh,
			      const struct xrs_packet *p)
{
	if (start + ETH_HLEN + XRS_IPV4_LEN > end)
		return false;
	xrs_put_ether(start, nh->dmac, nh->smac, p->eth_type);
	return xrs_dec_ttl_at(start + ETH_HLEN, end, p->family);
}

/* DF: an outer fragment would cost the receiver more than the answer that the MTU check gave (RFC 7348 4.3). */
XRS_INLINE bool xrs_put_outer4(__u8 *start, const __u8 *end, const struct xrs_nexthop *nh,
			       const struct xrs_packet *p, __u32 hash)
{
	const struct xrs_tunnel *t = &nh->tunnel;
	__u32 len = XRS_UDP_LEN + XRS_VXLAN_LEN + ETH_HLEN + p->l3_len;
	__u8 *ip = start + ETH_HLEN;

	if (start + XRS_VXLAN_OUTER4 > end || !xrs_put_inner(start + XRS_VXLAN_OUTER4, end, nh, p))
		return false;
	xrs_put_ether(start, t->dmac, t->smac, ETH_P_IP);
	XRS_STORE(__u32, ip, XRS_NET32(0x45000000 | (XRS_IPV4_LEN + len)));
	XRS_STORE(__u32, ip + 4, XRS_NET32(0x00004000));
	XRS_STORE(__u32, ip + 8, XRS_NET32(XRS_VXLAN_TTL << 24 | XRS_PROTO_UDP << 16));
	xrs_copy_addr(ip + 12, t->local, 1);
	xrs_copy_addr(ip + 16, t->remote, 1);
	XRS_STORE(__u16, ip + 10, (__u16)~xrs_fold(xrs_sum(ip, XRS_IPV4_LEN)));
	xrs_put_udp_vxlan(ip + XRS_IPV4_LEN, t, hash, len);
	return true;
}

XRS_INLINE bool xrs_put_outer6(__u8 *start, const __u8 *end, const struct xrs_nexthop *nh,
			       const struct xrs_packet *p, __u32 hash)
{
	const __u32 head = XRS_UDP_LEN + XRS_VXLAN_LEN + ETH_HLEN;
	const struct xrs_tunnel *t = &nh->tunnel;
	__u32 len = head + p->l3_len, cut = head + xrs_l3_out(p);
	__u8 *ip = start + ETH_HLEN, *udp = ip + XRS_IPV6_LEN;
	__u16 csum;
	__u64 sum;

	if (start + XRS_VXLAN_OUTER6 > end || !xrs_put_inner(start + XRS_VXLAN_OUTER6, end, nh, p))
		return false;
	xrs_put_ether(start, t->dmac, t->smac, ETH_P_IPV6);
	XRS_STORE(__u32, ip, XRS_NET32(0x60000000));
	XRS_STORE(__u32, ip + 4, XRS_NET32(len << 16 | XRS_PROTO_UDP << 8 | XRS_VXLAN_TTL));
	xrs_copy_addr(ip + 8, t->local, 4);
	xrs_copy_addr(ip + 24, t->remote, 4);
	xrs_put_udp_vxlan(udp, t, hash, len);
	if (t->zero_sum)
		return true;
	/* RFC 8200 section 8.1: addresses, length, protocol, then the datagram, which has its length as well. */
	sum = xrs_sum(ip + 8, 32) + XRS_NET16(cut) + XRS_NET16(XRS_PROTO_UDP);
	sum += xrs_sum(udp, head) + (__u16)~XRS_NET16(len) + XRS_NET16(cut);
	sum += xrs_inner_sum(p, start + XRS_VXLAN_OUTER6 + ETH_HLEN);
	csum = ~xrs_fold(sum);
	XRS_STORE(__u16, udp + 6, csum ? csum : 0xffff);
	return true;
}

#endif
