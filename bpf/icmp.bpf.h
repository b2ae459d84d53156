/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP errors in the gateway's name: "time exceeded", "fragmentation needed", "packet too big".
 *
 * The kernel could answer only what it would route itself, and XRS's routes are not in its tables: traceroute
 * and path MTU discovery would end at the gateway. Called by xrs.bpf.c and tests; pure, compiles for the
 * host. It says whether a packet may be answered and makes the headers; the caller quotes the packet.
 *
 *   | Ethernet, MACs swapped | IP: gateway -> sender | ICMP 8 | up to XRS_QUOTE octets of the packet |
 */
#ifndef XRS_ICMP_BPF_H
#define XRS_ICMP_BPF_H

#include "vxlan.bpf.h"

#define XRS_QUOTE      128 /* octets; RFC 792 wants the IP header and 8 more, RFC 4443 what fits */
#define XRS_ICMP_LEN   8
#define XRS_ICMP_TTL   64
#define XRS_ICMP4_HEAD (XRS_IPV4_LEN + XRS_ICMP_LEN)
#define XRS_ICMP6_HEAD (XRS_IPV6_LEN + XRS_ICMP_LEN)
#define XRS_DF         0x40 /* octet 6 of the IPv4 header */

/* Gives one answer a millisecond, or a burst of that many at once (RFC 1812 section 4.3.2.8, RFC 4443 2.4). */
#define XRS_ICMP_GAP_NS 1000000ull
#define XRS_ICMP_BURST  64

XRS_INLINE bool xrs_has_gateway(const struct xrs_nic *nic, __u8 family)
{
	return nic->flags & (family == 4 ? XRS_NIC_F_GATEWAY4 : XRS_NIC_F_GATEWAY6);
}

/*
 * May an error be sent about this packet (RFC 1122 section 3.2.2, RFC 4443 section 2.4)? Not about ICMP
 * errors, nor later fragments; and "fragmentation needed" only when it must not be cut. @quote begins with
 * its IP header.
 */
XRS_INLINE bool xrs_may_answer(const struct xrs_packet *p, const __u8 *quote, __u32 mtu)
{
	__u8 type;

	if (p->family == 6) {
		type = quote[XRS_IPV6_LEN];
		return !p->fragment && (p->proto != XRS_PROTO_ICMPV6 || type >= 128);
	}
	type = quote[XRS_IPV4_LEN];
	if (mtu && !(quote[6] & XRS_DF))
		return false;
	return !(XRS_LOAD(__u16, quote + 6) & XRS_NET16(0x1fff)) &&
	       (p->proto != XRS_PROTO_ICMP || type == 0 || type == 8);
}

/*
 * What the quoted packet adds to the checksum. @whole: the sum of all quoted octets, @header: of the IP header
 * alone. A device may still finish the packet's own checksum behind our back, on its way to the sender: then
 * its L4 part will sum up to the complement of what stands in the field now.
 */
XRS_INLINE __u64 xrs_quote_sum(const struct xrs_packet *p, __u32 whole, __u32 header)
{
	__u32 hlen = p->family == 4 ? XRS_IPV4_LEN : XRS_IPV6_LEN;

	if (p->has_csum && p->l4_off == p->l3_off + hlen && xrs_maybe_partial(p))
		return (__u64)header + (__u16)~p->csum;
	return whole;
}

/* @mtu 0: time exceeded. @head: XRS_ICMP4_HEAD octets, @len: quoted octets, @sum: what they add. */
XRS_INLINE void xrs_put_icmp4(__u8 *head, const struct xrs_nic *nic, const struct xrs_packet *p,
			      __u32 mtu, __u32 len, __u64 sum)
{
	__u8 *icmp = head + XRS_IPV4_LEN;

	XRS_STORE(__u32, head, XRS_NET32(0x45c00000 | (XRS_ICMP4_HEAD + len)));
	XRS_STORE(__u32, head + 4, 0);
	XRS_STORE(__u32, head + 8, XRS_NET32(XRS_ICMP_TTL << 24 | XRS_PROTO_ICMP << 16));
	__builtin_memcpy(head + 12, nic->gateway4, 4);
	XRS_STORE(__u32, head + 16, p->src[0]);
	XRS_STORE(__u16, head + 10, (__u16)~xrs_fold(xrs_sum(head, XRS_IPV4_LEN)));
	XRS_STORE(__u32, icmp, XRS_NET32(mtu ? 0x03040000 : 0x0b000000));
	XRS_STORE(__u32, icmp + 4, XRS_NET32(mtu));
	XRS_STORE(__u16, icmp + 2, (__u16)~xrs_fold(sum + xrs_sum(icmp, XRS_ICMP_LEN)));
}

XRS_INLINE void xrs_put_icmp6(__u8 *head, const struct xrs_nic *nic, const struct xrs_packet *p,
			      __u32 mtu, __u32 len, __u64 sum)
{
	__u8 *icmp = head + XRS_IPV6_LEN;

	XRS_STORE(__u32, head, XRS_NET32(0x60000000));
	XRS_STORE(__u32, head + 4,
		  XRS_NET32((XRS_ICMP_LEN + len) << 16 | XRS_PROTO_ICMPV6 << 8 | XRS_ICMP_TTL));
	__builtin_memcpy(head + 8, nic->gateway6, 16);
	__builtin_memcpy(head + 24, p->src, 16);
	XRS_STORE(__u32, icmp, XRS_NET32(mtu ? 0x02000000 : 0x03000000));
	XRS_STORE(__u32, icmp + 4, XRS_NET32(mtu));
	/* RFC 8200 section 8.1 */
	sum += xrs_sum(head + 8, 32) + XRS_NET16(XRS_ICMP_LEN + len) + XRS_NET16(XRS_PROTO_ICMPV6);
	XRS_STORE(__u16, icmp + 2, (__u16)~xrs_fold(sum + xrs_sum(icmp, XRS_ICMP_LEN)));
}

#endif
