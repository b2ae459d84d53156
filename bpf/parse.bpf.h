/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the octets of a frame to struct xrs_packet: Ethernet, VLAN tags, IPv4 or IPv6, ports.
 *
 * Called by both programs, by tests and by fuzzers: it takes start and end pointers, calls no BPF
 * helper, keeps nothing, and compiles for the host. It never decides where a frame goes; it says
 * XRS_GO_ON, or the reason why the frame is not one to steer.
 *
 *   0            6            12     14 (+4 a tag)        l3_off + 20 or 40    l4_off
 *   | dst MAC    | src MAC    | type | [TCI type] ...     | IP header | ext .. | ports .. checksum
 */
#ifndef XRS_PARSE_BPF_H
#define XRS_PARSE_BPF_H

#include <linux/if_ether.h>
#include <linux/types.h>
#include <stdbool.h>

#include "dataplane.h"

#define XRS_INLINE       static inline __attribute__((always_inline, unused))
#define XRS_GO_ON        XRS_REASON_MAX /* no reason to stop here */

#define XRS_IPV4_LEN     20
#define XRS_IPV6_LEN     40
#define XRS_VLAN_LEN     4
#define XRS_IPV6_EXT_MAX 4 /* extension headers that are walked to find the ports */

/* UDP ports of RFC 2131 section 4.1 and RFC 8415 section 7.2. */
#define XRS_DHCP_SERVER  67
#define XRS_DHCP_CLIENT  68
#define XRS_DHCP6_CLIENT 546
#define XRS_DHCP6_SERVER 547

/* IANA protocol numbers, by our own names: <linux/in.h> and <netinet/in.h> do not mix on the host. */
enum xrs_proto {
	XRS_PROTO_HOPOPTS = 0,
	XRS_PROTO_IPIP = 4,
	XRS_PROTO_TCP = 6,
	XRS_PROTO_UDP = 17,
	XRS_PROTO_DCCP = 33,
	XRS_PROTO_IPV6 = 41,
	XRS_PROTO_ROUTING = 43,
	XRS_PROTO_FRAGMENT = 44,
	XRS_PROTO_GRE = 47,
	XRS_PROTO_AH = 51,
	XRS_PROTO_ICMPV6 = 58,
	XRS_PROTO_DSTOPTS = 60,
	XRS_PROTO_SCTP = 132,
	XRS_PROTO_UDPLITE = 136,
};

/* Numbers in packets stand at any address; BPF's verifier knows that this is fine on the CPU. */
#ifdef __bpf__
#define XRS_LOAD(type, ptr)         (*(const type *)(ptr))
#define XRS_STORE(type, ptr, value) (*(type *)(ptr) = (value))
#else
#define XRS_LOAD(type, ptr)                                       \
	({                                                        \
		type _value;                                      \
		__builtin_memcpy(&_value, (ptr), sizeof(_value)); \
		_value;                                           \
	})
#define XRS_STORE(type, ptr, value)                               \
	({                                                        \
		type _value = (value);                            \
		__builtin_memcpy((ptr), &_value, sizeof(_value)); \
	})
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define XRS_NET16(x) ((__u16)__builtin_bswap16((__u16)(x)))
#define XRS_NET32(x) __builtin_bswap32(x)
#else
#define XRS_NET16(x) ((__u16)(x))
#define XRS_NET32(x) (x)
#endif

struct xrs_packet {
	/* given by the caller */
	__u32 frame_len; /* of the whole frame, also what lies behind the first buffer */
	__u32 gso_size;  /* octets of payload in each segment; 0: an ordinary frame */
	__u16 tci;       /* outermost tag; preset when the kernel took it out of the frame */
	__u16 n_tags;    /* likewise */
	/* filled */
	__u16 eth_type; /* host order, behind the tags */
	__u8 dmac[ETH_ALEN];
	__u8 smac[ETH_ALEN];
	__u32 l3_off;
	__u32 l3_len; /* by the IP header: without padding */
	__u32 l4_off; /* 0: no L4 header was found */
	__u32 l4_len;
	__u32 l4_hlen; /* TCP, UDP: length of the header; else 0 */
	__u32 src[4];  /* network order; IPv4 in the first word, the rest zero */
	__u32 dst[4];
	__u32 flow_label;
	__u16 sport, dport; /* network order; 0 when there are none */
	__u16 csum;         /* the L4 checksum as it stands in the packet */
	__u8 family;        /* 4, 6 */
	__u8 proto;         /* the L4 protocol; with an unfinished walk the first next header */
	__u8 ttl;
	bool options;  /* IPv4 options are present */
	bool fragment; /* any fragment, the first as well */
	bool has_csum;
	bool trailer; /* UDP: octets that its length, and its checksum, leave out */
	bool opaque; /* what stands behind the IP header could not be read: an offload may hide there */
	bool nd;     /* neighbour discovery: never routed (RFC 4861 section 3.1) */
	__u8 tcp_flags; /* 0: not TCP, or its header was not found */
};

XRS_INLINE bool xrs_is_vlan(__u16 type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD;
}

/* Ethernet and tags. XRS_GO_ON with eth_type set, or XRS_REASON_TRUNCATED. */
XRS_INLINE enum xrs_reason xrs_parse_ether(const __u8 *start, const __u8 *end, struct xrs_packet *p)
{
	__u32 off = ETH_HLEN;

	if (start + ETH_HLEN > end)
		return XRS_REASON_TRUNCATED;
	__builtin_memcpy(p->dmac, start, ETH_ALEN);
	__builtin_memcpy(p->smac, start + ETH_ALEN, ETH_ALEN);
	p->eth_type = XRS_NET16(XRS_LOAD(__u16, start + 2 * ETH_ALEN));
	while (xrs_is_vlan(p->eth_type) && p->n_tags < XRS_VLAN_DEPTH) {
		const __u8 *tag = start + off;

		if (tag + XRS_VLAN_LEN > end)
			return XRS_REASON_TRUNCATED;
		if (!p->n_tags)
			p->tci = XRS_NET16(XRS_LOAD(__u16, tag));
		p->eth_type = XRS_NET16(XRS_LOAD(__u16, tag + 2));
		off += XRS_VLAN_LEN;
		p->n_tags++;
	}
	p->l3_off = off;
	return XRS_GO_ON;
}

/* The VLAN that a frame is in: 0 for untagged and for priority-tagged frames. */
XRS_INLINE __u16 xrs_vid(const struct xrs_packet *p)
{
	return p->n_tags ? p->tci & 0xfff : 0;
}

/* Protocols that begin with source and destination port. */
XRS_INLINE bool xrs_has_ports(__u8 proto)
{
	return proto == XRS_PROTO_TCP || proto == XRS_PROTO_UDP || proto == XRS_PROTO_SCTP ||
	       proto == XRS_PROTO_UDPLITE || proto == XRS_PROTO_DCCP;
}

/*
 * Tunnels whose inner packet may carry the partial checksum instead: IPIP, 6in4, GRE, and by port
 * VXLAN (IANA's and Linux's old one) and Geneve.
 */
XRS_INLINE bool xrs_may_hide_offload(const struct xrs_packet *p)
{
	if (p->proto == XRS_PROTO_IPIP || p->proto == XRS_PROTO_IPV6 || p->proto == XRS_PROTO_GRE)
		return true;
	return p->proto == XRS_PROTO_UDP &&
	       (p->dport == XRS_NET16(4789) || p->dport == XRS_NET16(8472) ||
		p->dport == XRS_NET16(6081));
}

XRS_INLINE void xrs_parse_tcp(const __u8 *l4, const __u8 *end, struct xrs_packet *p)
{
	if (p->l4_len < 20 || l4 + 20 > end)
		return;
	p->l4_hlen = (l4[12] >> 4) * 4;
	p->tcp_flags = l4[13];
	p->csum = XRS_LOAD(__u16, l4 + 16);
	p->has_csum = true;
}

XRS_INLINE void xrs_parse_udp(const __u8 *l4, const __u8 *end, struct xrs_packet *p)
{
	if (p->l4_len < 8 || l4 + 8 > end)
		return;
	p->l4_hlen = 8;
	p->trailer = XRS_NET16(XRS_LOAD(__u16, l4 + 4)) != p->l4_len;
	p->csum = XRS_LOAD(__u16, l4 + 6);
	p->has_csum = true;
}

/* SCTP's CRC is 32 bits wide; while it is left to a device it is zero. */
XRS_INLINE void xrs_parse_sctp(const __u8 *l4, const __u8 *end, struct xrs_packet *p)
{
	if (p->l4_len >= 12 && l4 + 12 <= end && !XRS_LOAD(__u32, l4 + 8))
		p->opaque = true;
}

/* Ports and checksum. What is shorter than its header has none; that is not this hop's business. */
XRS_INLINE void xrs_parse_l4(const __u8 *start, const __u8 *end, __u32 off, __u32 len,
			     struct xrs_packet *p)
{
	const __u8 *l4 = start + off;

	p->l4_off = off;
	p->l4_len = len;
	if (len < 4 || l4 + 4 > end)
		return;
	if (p->proto == XRS_PROTO_ICMPV6 && p->family == 6)
		p->nd = l4[0] >= 133 && l4[0] <= 137;
	if (xrs_has_ports(p->proto)) {
		p->sport = XRS_LOAD(__u16, l4);
		p->dport = XRS_LOAD(__u16, l4 + 2);
	}
	if (p->proto == XRS_PROTO_TCP)
		xrs_parse_tcp(l4, end, p);
	else if (p->proto == XRS_PROTO_UDP)
		xrs_parse_udp(l4, end, p);
	else if (p->proto == XRS_PROTO_SCTP)
		xrs_parse_sctp(l4, end, p);
	if (xrs_may_hide_offload(p))
		p->opaque = true;
}

/*
 * RFC 791 section 3.1:  0 version/IHL  2 total length  6 flags/offset  8 TTL  9 protocol
 *                       10 checksum  12 source  16 destination
 */
XRS_INLINE enum xrs_reason xrs_parse_ipv4(const __u8 *start, const __u8 *end, struct xrs_packet *p)
{
	const __u8 *ip = start + p->l3_off;
	__u32 room = p->frame_len - p->l3_off;
	__u32 hlen, total;

	if (ip + XRS_IPV4_LEN > end)
		return XRS_REASON_TRUNCATED;
	hlen = (ip[0] & 0xf) * 4;
	total = XRS_NET16(XRS_LOAD(__u16, ip + 2));
	if (!total && p->gso_size) /* longer than the field can say: BIG TCP */
		total = room;
	if (ip[0] >> 4 != 4 || hlen < XRS_IPV4_LEN || total < hlen)
		return XRS_REASON_BAD_HEADER;
	if (total > room)
		return XRS_REASON_TRUNCATED;
	p->family = 4;
	p->l3_len = total;
	p->options = hlen > XRS_IPV4_LEN;
	p->fragment = XRS_LOAD(__u16, ip + 6) & XRS_NET16(0x3fff); /* MF or an offset */
	p->ttl = ip[8];
	p->proto = ip[9];
	p->src[0] = XRS_LOAD(__u32, ip + 12);
	p->dst[0] = XRS_LOAD(__u32, ip + 16);
	if (!p->fragment && !p->options)
		xrs_parse_l4(start, end, p->l3_off + XRS_IPV4_LEN, total - XRS_IPV4_LEN, p);
	return XRS_GO_ON;
}

/*
 * Extension headers with another header behind them. One test of a bit: comparing with each number
 * would give the verifier four ways to go at each of them.
 */
XRS_INLINE bool xrs_is_ext(__u8 next)
{
	const __u64 mask = 1ull << XRS_PROTO_HOPOPTS | 1ull << XRS_PROTO_DSTOPTS |
			   1ull << XRS_PROTO_ROUTING | 1ull << XRS_PROTO_AH |
			   1ull << XRS_PROTO_FRAGMENT;

	return next < 64 && mask >> next & 1;
}

/*
 * RFC 8200 section 4: from the fixed header to ports or a fragment header, at most XRS_IPV6_EXT_MAX
 * steps. With a routing header the checksum's destination is another one (section 8.1): opaque.
 */
XRS_INLINE void xrs_walk_ipv6(const __u8 *start, const __u8 *end, __u8 next, struct xrs_packet *p)
{
	__u32 off = p->l3_off + XRS_IPV6_LEN;
	__u32 left = p->l3_len - XRS_IPV6_LEN;

	for (int i = 0; i <= XRS_IPV6_EXT_MAX; i++) {
		const __u8 *ext = start + off;
		__u32 len;

		if (!xrs_is_ext(next)) {
			p->proto = next;
			xrs_parse_l4(start, end, off, left, p);
			return;
		}
		if (i == XRS_IPV6_EXT_MAX || left < 8 || ext + 8 > end)
			break;
		if (next == XRS_PROTO_FRAGMENT) {
			p->fragment = true;
			p->proto = ext[0];
			return;
		}
		len = next == XRS_PROTO_AH ? (ext[1] + 2) * 4 : (ext[1] + 1) * 8;
		if (next == XRS_PROTO_ROUTING)
			p->opaque = true;
		if (len > left)
			break;
		next = ext[0];
		off += len;
		left -= len;
	}
	p->opaque = true;
}

/*
 * RFC 8200 section 3:  0 version, class, flow label  4 payload length  6 next header  7 hop limit
 *                      8 source  24 destination
 */
XRS_INLINE enum xrs_reason xrs_parse_ipv6(const __u8 *start, const __u8 *end, struct xrs_packet *p)
{
	const __u8 *ip = start + p->l3_off;
	__u32 room = p->frame_len - p->l3_off;
	__u32 payload;

	if (ip + XRS_IPV6_LEN > end)
		return XRS_REASON_TRUNCATED;
	payload = XRS_NET16(XRS_LOAD(__u16, ip + 4));
	if (!payload && p->gso_size)
		payload = room - XRS_IPV6_LEN;
	/* Length 0 with a hop-by-hop header is a jumbogram (RFC 2675): not at this hop. */
	if (ip[0] >> 4 != 6 || (!payload && ip[6] == XRS_PROTO_HOPOPTS))
		return XRS_REASON_BAD_HEADER;
	if (payload + XRS_IPV6_LEN > room)
		return XRS_REASON_TRUNCATED;
	p->family = 6;
	p->l3_len = payload + XRS_IPV6_LEN;
	p->flow_label = XRS_NET32(XRS_LOAD(__u32, ip)) & 0xfffff;
	p->proto = ip[6];
	p->ttl = ip[7];
	for (int i = 0; i < 4; i++) {
		p->src[i] = XRS_LOAD(__u32, ip + 8 + 4 * i);
		p->dst[i] = XRS_LOAD(__u32, ip + 24 + 4 * i);
	}
	xrs_walk_ipv6(start, end, ip[6], p);
	return XRS_GO_ON;
}

XRS_INLINE enum xrs_reason xrs_parse_ip(const __u8 *start, const __u8 *end, struct xrs_packet *p)
{
	if (p->eth_type == ETH_P_IP)
		return xrs_parse_ipv4(start, end, p);
	if (p->eth_type == ETH_P_IPV6)
		return xrs_parse_ipv6(start, end, p);
	return XRS_REASON_NOT_IP;
}

/* Ones' complement sum of 32 bits folded to 16 (RFC 1071). */
XRS_INLINE __u16 xrs_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/*
 * True when the L4 checksum may have been left to a device (CHECKSUM_PARTIAL): the field then holds
 * just the sum of the pseudo-header. XDP_REDIRECT loses that mark and the receiver drops the packet.
 * One whole checksum in 65,536 looks the same and only takes the slower way.
 */
XRS_INLINE bool xrs_maybe_partial(const struct xrs_packet *p)
{
	__u64 sum = XRS_NET16(p->proto);

	if (p->opaque)
		return true;
	if (!p->has_csum)
		return false;
	sum += (__u64)XRS_NET16(p->l4_len & 0xffff) + XRS_NET16(p->l4_len >> 16);
	sum += (__u64)p->src[0] + p->dst[0];
	if (p->family == 6)
		sum += (__u64)p->src[1] + p->src[2] + p->src[3] + p->dst[1] + p->dst[2] + p->dst[3];
	return xrs_fold(sum) == p->csum;
}

/* Octets of L3 that the egress has to carry: of one segment when the frame is cut later. */
XRS_INLINE __u32 xrs_l3_out(const struct xrs_packet *p)
{
	if (!p->gso_size)
		return p->l3_len;
	if (!p->l4_off)
		return XRS_IPV4_LEN + p->gso_size;
	return p->l4_off - p->l3_off + p->l4_hlen + p->gso_size;
}

#endif
