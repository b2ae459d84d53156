/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes to a frame in tc, through helpers: the kernel keeps what it knows of its offloads.
 *
 * Called by the tc programs. Never writes directly: the head comment of xrs.bpf.c says why.
 */
#ifndef XRS_SKB_BPF_H
#define XRS_SKB_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "vxlan.bpf.h"

/* enum bpf_adj_room_flags of 6.3: what is left is of that family. Older headers lack the names. */
#define XRS_ROOM_DECAP_IPV4 (1ull << 7)
#define XRS_ROOM_DECAP_IPV6 (1ull << 8)

#define XRS_CHANGED_LEN     12  /* octets of an IP header that hold TTL, hop limit and checksum */
#define XRS_UNSHARE_FROM    256 /* octets of a frame: in smaller ones there is little to join */

/* Leaves the frame with just the tags that the egress wants; the kernel keeps them beside the frame. */
XRS_INLINE bool xrs_retag_skb(struct __sk_buff *skb, const struct xrs_packet *p, __u16 vlan)
{
	__u16 tci = (p->n_tags ? p->tci & 0xf000 : 0) | vlan;

#pragma GCC unroll 2
	for (__u32 i = 0; i < XRS_VLAN_DEPTH; i++) {
		if (i < p->n_tags && bpf_skb_vlan_pop(skb))
			return false;
	}
	return !vlan || !bpf_skb_vlan_push(skb, XRS_NET16(ETH_P_8021Q), tci);
}

/* A segmented frame is measured by the kernel as well: tunnels inside it add more than we parsed. */
XRS_INLINE bool xrs_segments_fit(struct __sk_buff *skb, __u32 ifindex)
{
	__u32 len = 0;

	return !skb->gso_size || bpf_check_mtu(skb, ifindex, &len, 0, BPF_MTU_CHK_SEGS) <= 0;
}

/*
 * A segment of a socket of this host shares its head with the one that the socket keeps to send it again, and as
 * long as it does, its receiver can not join it to others in its queue (skb_try_coalesce()). The kernel gives what it
 * forwards a head of its own (skb_cow() in ip_forward()); without, TCP was 3 % slower.
 */
XRS_INLINE void xrs_unshare(struct __sk_buff *skb)
{
	if (skb->len >= XRS_UNSHARE_FROM)
		bpf_skb_change_head(skb, 0, 0); /* no memory: it stays shared */
}

/* The same change on a copy; the kernel corrects the sum that some devices leave with the skb. */
XRS_INLINE bool xrs_dec_ttl_skb(struct __sk_buff *skb, __u32 l3_off, __u8 family)
{
	__u8 head[XRS_IPV4_LEN];

	if (bpf_skb_load_bytes(skb, l3_off, head, sizeof(head)))
		return false;
	xrs_dec_ttl(head, head + sizeof(head), 0, family);
	return !bpf_skb_store_bytes(skb, l3_off, head, XRS_CHANGED_LEN, BPF_F_RECOMPUTE_CSUM);
}

/*
 * TCP alone: what a tap calls UDP segments may be fragments, of which only the first has a checksum.
 */
XRS_INLINE bool xrs_segments_are_equal(const struct xrs_packet *p)
{
	return p->proto == XRS_PROTO_TCP && p->l4_hlen && p->l4_len > p->l4_hlen &&
	       !((p->l4_len - p->l4_hlen) % p->gso_size);
}

/*
 * Can outer headers be put in front here, where there is no VXLAN device to do it? Over IPv6 each segment of a GSO
 * frame needs an outer checksum. The kernel computes it for SKB_GSO_UDP_TUNNEL_CSUM alone (net/ipv4/udp_offload.c,
 * __skb_udp_tunnel_segment()), and bpf_skb_adjust_room() only ever sets SKB_GSO_UDP_TUNNEL (net/core/filter.c,
 * bpf_skb_net_grow()), with which the frame's own is copied into each: right where all are of one length. A program
 * can not make them so: whatever shortens the frame takes its segment size away, or leaves the mark where its
 * checksum is to go behind.
 */
XRS_INLINE bool xrs_may_encapsulate_skb(const struct xrs_packet *p, const struct xrs_nexthop *nh)
{
	if (nh->tunnel.family == 6 && p->gso_size && !nh->tunnel.zero_sum &&
	    !xrs_segments_are_equal(p))
		return false;
	return xrs_outer_sum_is_known(p, &nh->tunnel);
}

/*
 * Takes @n octets away between the Ethernet header, whose addresses stay, and the IP header of @p. False, and the
 * frame as it was: the kernel can not (before 6.3 families must be equal).
 */
XRS_INLINE bool xrs_strip_skb(struct __sk_buff *skb, __u32 n, const struct xrs_packet *p,
			      __u8 outer_family)
{
	__u64 flags = p->family == 4 ? XRS_ROOM_DECAP_IPV4 : XRS_ROOM_DECAP_IPV6;
	__u16 type = XRS_NET16(p->eth_type);

	if (p->family == outer_family)
		flags = 0;
	return !bpf_skb_adjust_room(skb, -(__s32)n, BPF_ADJ_ROOM_MAC, flags) &&
	       !bpf_skb_store_bytes(skb, 2 * ETH_ALEN, &type, sizeof(type), 0);
}

/*
 * Room for outer headers, and then they: @head is @outer octets and the inner Ethernet and IP headers. The kernel
 * is told what they are: an unfinished inner checksum stays one, and segments are made as of its own tunnels.
 * MTU was checked: gso_size stays.
 */
XRS_INLINE bool xrs_put_head_skb(struct __sk_buff *skb, const __u8 *head, __u32 outer, __u64 family)
{
	const __u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L4_UDP |
			    BPF_F_ADJ_ROOM_ENCAP_L2(ETH_HLEN) | /* the inner one: VXLAN is L4's */
			    BPF_F_ADJ_ROOM_ENCAP_L2_ETH;

	return !bpf_skb_adjust_room(skb, (__s32)outer, BPF_ADJ_ROOM_MAC, flags | family) &&
	       !bpf_skb_store_bytes(skb, 0, head, outer + ETH_HLEN + XRS_CHANGED_LEN,
				    BPF_F_RECOMPUTE_CSUM);
}

/* The outer IP header is to stand at a multiple of four: the stack has no other words. */
#define XRS_HEAD(outer)                                       \
	struct {                                              \
		__u16 pad;                                    \
		__u8 head[(outer) + ETH_HLEN + XRS_IPV4_LEN]; \
	} __attribute__((aligned(8)))

/*
 * The same outer headers as by XDP, in front of an untagged frame. False: the kernel can not (a tunnel in a tunnel,
 * no memory). One function for each family: the stack is short.
 */
__attribute__((noinline)) bool xrs_encapsulate_skb4_once(struct __sk_buff *skb,
							 const struct xrs_packet *p,
							 const struct xrs_nexthop *nh, __u32 hash)
{
	XRS_HEAD(XRS_VXLAN_OUTER4) block;
	__u8 *inner = block.head + XRS_VXLAN_OUTER4 + ETH_HLEN;

	return p && nh && !bpf_skb_load_bytes(skb, ETH_HLEN, inner, XRS_IPV4_LEN) &&
	       xrs_put_outer4(block.head, block.head + sizeof(block.head), nh, p, hash) &&
	       xrs_put_head_skb(skb, block.head, XRS_VXLAN_OUTER4, BPF_F_ADJ_ROOM_ENCAP_L3_IPV4);
}

__attribute__((noinline)) bool xrs_encapsulate_skb6_once(struct __sk_buff *skb,
							 const struct xrs_packet *p,
							 const struct xrs_nexthop *nh, __u32 hash)
{
	XRS_HEAD(XRS_VXLAN_OUTER6) block;
	__u8 *inner = block.head + XRS_VXLAN_OUTER6 + ETH_HLEN;

	return p && nh && !bpf_skb_load_bytes(skb, ETH_HLEN, inner, XRS_IPV4_LEN) &&
	       xrs_put_outer6(block.head, block.head + sizeof(block.head), nh, p, hash) &&
	       xrs_put_head_skb(skb, block.head, XRS_VXLAN_OUTER6, BPF_F_ADJ_ROOM_ENCAP_L3_IPV6);
}

XRS_INLINE bool xrs_encapsulate_skb(struct __sk_buff *skb, const struct xrs_packet *p,
				    const struct xrs_nexthop *nh, __u32 hash)
{
	if (nh->tunnel.family == 6)
		return xrs_encapsulate_skb6_once(skb, p, nh, hash);
	return xrs_encapsulate_skb4_once(skb, p, nh, hash);
}

#endif
