/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The quick way through both halves for the frames that nearly all are: untagged TCP and UDP without options,
 * extension headers or fragments, from a nic without traces or counters by route, out of a device; in XDP one that
 * takes XDP frames. In tc also TCP that is cut into segments later.
 *
 * No answer of its own: where it is not sure that the whole program would redirect the frame it says no, with
 * nothing changed or counted, and the whole program looks at the frame from its beginning. It is
 * compiled once for each half and family, reads a packet where it needs it, and keeps what it knows in
 * registers: half of the time of the other way.
 */
#ifndef XRS_QUICK_BPF_H
#define XRS_QUICK_BPF_H

#include "admit.bpf.h"
#include "count.bpf.h"
#include "flow.bpf.h"
#include "lookup.bpf.h"
#include "rewrite.bpf.h"
#include "skb.bpf.h"

#define XRS_TCP_LEN   20
#define XRS_QUICK_NOT (XRS_NIC_F_TRACE | XRS_NIC_F_ROUTES)

struct xrs_quick {
	/* given: the frame and whose it is, in which half; constants to the compiler but for the first three */
	__u32 ifindex;
	__u32 frame_len;
	__u32 gso_size; /* tc alone */
	__u8 family;
	bool tc;
	/* filled: where it goes, and what to count */
	bool delivered; /* to a VM of this host, from an appliance; tc alone */
	const struct xrs_nexthop *nh;
	__u32 nexthop, slot;
};

/* Set by the loader: the kernel has multi-buffer XDP (5.18). Without it there is only one buffer. */
const volatile bool xrs_has_frags = true;

XRS_INLINE __u32 xrs_frame_len(struct xdp_md *ctx)
{
	return xrs_has_frags ? bpf_xdp_get_buff_len(ctx) : ctx->data_end - ctx->data;
}

/* What xrs_special4() knows, and class E. */
XRS_INLINE bool xrs_maybe_special4(__u32 addr)
{
	__u32 a = XRS_NET32(addr), first = a >> 24;

	return first - 1 >= 0xdf || first == 127 || a >> 16 == 0xa9fe;
}

/* A MAC in front of two octets or more, as xrs_near has them. */
XRS_INLINE __u64 xrs_quick_mac(const __u8 *mac)
{
	return XRS_MAC(XRS_LOAD(__u64, mac));
}

XRS_INLINE bool xrs_quick_gateway(const struct xrs_near *near, const __u8 *start)
{
	__u64 dmac = xrs_quick_mac(start);

#pragma GCC unroll 4
	for (__u32 i = 0; i < XRS_GATEWAY_MACS; i++) {
		if (dmac == near->gateway_mac[i])
			return true;
	}
	return false;
}

XRS_INLINE bool xrs_quick_source4(const struct xrs_near *near, __u32 addr)
{
#pragma GCC unroll 4
	for (__u32 i = 0; i < XRS_SOURCES; i++) {
		if (!((addr ^ near->source4[i].addr) & near->source4[i].mask))
			return true;
	}
	return false;
}

XRS_INLINE bool xrs_quick_source6(const struct xrs_near *near, const __u32 *addr)
{
#pragma GCC unroll 4
	for (__u32 i = 0; i < XRS_SOURCES; i++) {
		const __u32 *prefix = near->source6[i].addr, *mask = near->source6[i].mask;

		if (!(((addr[0] ^ prefix[0]) & mask[0]) | ((addr[1] ^ prefix[1]) & mask[1]) |
		      ((addr[2] ^ prefix[2]) & mask[2]) | ((addr[3] ^ prefix[3]) & mask[3])))
			return true;
	}
	return false;
}

/* antiSpoof, where it is. */
XRS_INLINE bool xrs_quick_source(const struct xrs_near *near, const struct xrs_packet *p,
				 const __u8 *smac)
{
	if (near->mac != XRS_MAC_NONE && near->mac != xrs_quick_mac(smac))
		return false;
	return p->family == 4 ? xrs_quick_source4(near, p->src[0])
			      : xrs_quick_source6(near, p->src);
}

XRS_INLINE bool xrs_quick_ipv4(const __u8 *ip, struct xrs_packet *p)
{
	p->l3_len = XRS_NET16(XRS_LOAD(__u16, ip + 2));
	p->proto = ip[9];
	p->src[0] = XRS_LOAD(__u32, ip + 12);
	p->dst[0] = XRS_LOAD(__u32, ip + 16);
	return ip[0] == 0x45 && !(XRS_LOAD(__u16, ip + 6) & XRS_NET16(0x3fff)) && ip[8] > 1 &&
	       p->l3_len >= XRS_IPV4_LEN && !xrs_maybe_special4(p->src[0]) &&
	       !xrs_maybe_special4(p->dst[0]);
}

XRS_INLINE bool xrs_quick_ipv6(const __u8 *ip, struct xrs_packet *p)
{
	p->l3_len = XRS_NET16(XRS_LOAD(__u16, ip + 4)) + XRS_IPV6_LEN;
	p->flow_label = XRS_NET32(XRS_LOAD(__u32, ip)) & 0xfffff;
	p->proto = ip[6];
	for (int i = 0; i < 4; i++) {
		p->src[i] = XRS_LOAD(__u32, ip + 8 + 4 * i);
		p->dst[i] = XRS_LOAD(__u32, ip + 24 + 4 * i);
	}
	return ip[0] >> 4 == 6 && ip[7] > 1 && !xrs_special6(p->src) && !xrs_special6(p->dst);
}

/* In tc. False: too short, or cut into segments whose headers are not those of TCP. */
XRS_INLINE bool xrs_quick_l4_skb(const __u8 *l4, const __u8 *end, struct xrs_packet *p)
{
	if (!p->gso_size)
		return (p->proto == XRS_PROTO_TCP || p->proto == XRS_PROTO_UDP) &&
		       p->l4_len >= XRS_UDP_LEN;
	if (p->proto != XRS_PROTO_TCP || p->l4_len < XRS_TCP_LEN || l4 + XRS_TCP_LEN > end)
		return false;
	p->l4_hlen = (l4[12] >> 4) * 4;
	return true;
}

/* Ports and checksum. False: too short, or an offload may be left to a device, which only tc can do. */
XRS_INLINE bool xrs_quick_l4(const __u8 *l4, const __u8 *end, struct xrs_packet *p, bool tc)
{
	if (l4 + XRS_UDP_LEN > end)
		return false;
	p->sport = XRS_LOAD(__u16, l4);
	p->dport = XRS_LOAD(__u16, l4 + 2);
	if (tc)
		return xrs_quick_l4_skb(l4, end, p);
	p->has_csum = true;
	if (p->proto == XRS_PROTO_TCP) {
		if (p->l4_len < XRS_TCP_LEN || l4 + XRS_TCP_LEN > end)
			return false;
		p->csum = XRS_LOAD(__u16, l4 + 16);
		return !xrs_maybe_partial(p);
	}
	p->csum = XRS_LOAD(__u16, l4 + 6);
	return p->proto == XRS_PROTO_UDP && p->l4_len >= XRS_UDP_LEN && !xrs_may_hide_offload(p) &&
	       !xrs_maybe_partial(p);
}

/* The member that this flow belongs to. NULL: nobody, or there is more to ask than who has the bucket. */
XRS_INLINE const struct xrs_nexthop *xrs_quick_member(__u32 group, __u32 hash, __u32 *ret_index)
{
	const struct xrs_bucket *buckets = bpf_map_lookup_elem(&xrs_bucket, &group);
	const struct xrs_nexthop *nh;
	__u32 index; /* what a map's key is taken from has to be in memory: this, and not all that is around it */

	if (!buckets)
		return NULL;
	index = buckets->member[hash & (XRS_BUCKETS - 1)];
	if (!index)
		return NULL;
	*ret_index = index;
	nh = bpf_map_lookup_elem(&xrs_nexthop, &index);
	if (!nh || nh->drain_ns || (nh->bfd && xrs_bfd_is_dead(nh->bfd)))
		return NULL;
	return nh;
}

/* An untagged frame may leave through it as it is, and does not return to where it came from. */
XRS_INLINE bool xrs_quick_fits(const struct xrs_nexthop *nh, const struct xrs_packet *p,
			       const __u8 *smac, __u32 ifindex)
{
	return *(const volatile enum xrs_way *)&nh->way == XRS_WAY_REDIRECT && !nh->vlan &&
	       (!nh->mtu || xrs_l3_out(p) <= nh->mtu) && nh->ifindex != ifindex &&
	       xrs_quick_mac(nh->dmac) != xrs_quick_mac(smac);
}

/* The nic, if it is in xrs_near. It may be changed while it is read: xrs_is_settled() says whether it was. */
XRS_INLINE const struct xrs_near *xrs_find_near(__u32 ifindex, __u32 *ret_seq)
{
	__u32 slot = ifindex & (XRS_NIC_MAX - 1);
	const struct xrs_near *near = bpf_map_lookup_elem(&xrs_near, &slot);

	if (!near)
		return NULL;
	*ret_seq = *(const volatile __u32 *)&near->seq;
	if (*ret_seq & 1 || *(const volatile __u32 *)&near->ifindex != ifindex)
		return NULL;
	return near;
}

XRS_INLINE bool xrs_is_settled(const struct xrs_near *near, __u32 seq)
{
	asm volatile("" : : : "memory");
	return *(const volatile __u32 *)&near->seq == seq;
}

/* In tc, where a route of the vnet itself leads to: from an appliance straight to the VM. */
XRS_INLINE const struct xrs_nexthop *xrs_quick_host(const struct xrs_near *near,
						    const struct xrs_packet *p)
{
	if (near->role != XRS_NIC_NVA || xrs_is_dhcp_answer(p))
		return NULL;
	return xrs_find_host(near->vnet, p);
}

/* The next hop of a route that steers. NULL: another kind, or not an ordinary one. */
XRS_INLINE const struct xrs_nexthop *xrs_quick_steer(__u32 leaf, __u32 hash, __u32 *ret_index)
{
	if (!leaf || leaf >> XRS_FAST_KIND_SHIFT != XRS_ROUTE_STEER)
		return NULL;
	return xrs_quick_member(leaf >> XRS_FAST_GROUP_SHIFT & XRS_FAST_GROUP_MASK, hash,
				ret_index);
}

/* In tc. */
XRS_INLINE const struct xrs_nexthop *xrs_quick_choose_skb(const struct xrs_near *near,
							  const struct xrs_packet *p, __u32 hash,
							  struct xrs_quick *q)
{
	__u32 leaf = xrs_fast_find_here(p, near->fast);

	if (leaf & XRS_FAST_NODE) /* there is none, or it is being written */
		leaf = xrs_trie_find_apart(p, near->table);
	q->delivered = leaf >> XRS_FAST_KIND_SHIFT == XRS_ROUTE_LOCAL;
	if (!q->delivered)
		return xrs_quick_steer(leaf, hash, &q->nexthop);
	q->nexthop = 0;
	return xrs_quick_host(near, p);
}

/* Where a frame goes that begins at @start. False: it is not an ordinary one. */
XRS_INLINE bool xrs_quick_decide(const __u8 *start, const __u8 *end, struct xrs_quick *q)
{
	__u32 ip_len = q->family == 4 ? XRS_IPV4_LEN : XRS_IPV6_LEN, hash, seq;
	const struct xrs_near *near = xrs_find_near(q->ifindex, &seq);
	const __u8 *ip = start + ETH_HLEN, *l4 = ip + ip_len;
	struct xrs_packet p = { .family = q->family };

	if (!near || l4 > end)
		return false;
	if (q->tc) {
		p.gso_size = q->gso_size;
		p.l3_off = ETH_HLEN;
		p.l4_off = ETH_HLEN + ip_len;
	}
	if (near->flags & (q->tc ? XRS_QUICK_NOT : XRS_QUICK_NOT | XRS_NIC_F_TC) ||
	    !xrs_quick_gateway(near, start) ||
	    !(q->family == 4 ? xrs_quick_ipv4(ip, &p) : xrs_quick_ipv6(ip, &p)))
		return false;
	p.l4_len = p.l3_len - ip_len;
	if (p.l3_len + ETH_HLEN > q->frame_len || !xrs_quick_source(near, &p, start + ETH_ALEN) ||
	    !xrs_quick_l4(l4, end, &p, q->tc))
		return false;
	/* Now, not after the lookup: while that waits for memory the processor has time for it. */
	hash = xrs_flow_hash(&p, near->flags & XRS_NIC_F_SYMMETRIC);
	asm volatile("" : "+r"(hash));
	q->nh = q->tc ? xrs_quick_choose_skb(near, &p, hash, q)
		      : xrs_quick_steer(xrs_fast_find_here(&p, near->fast), hash, &q->nexthop);
	q->slot = near->slot;
	return q->nh && xrs_quick_fits(q->nh, &p, start + ETH_ALEN, q->ifindex) &&
	       xrs_is_settled(near, seq);
}

/* 4 or 6; 0: neither, or a tag. */
XRS_INLINE __u8 xrs_quick_family(const __u8 *start, const __u8 *end)
{
	__u16 type;

	if (start + ETH_HLEN > end)
		return 0;
	type = XRS_LOAD(__u16, start + 2 * ETH_ALEN);
	return type == XRS_NET16(ETH_P_IP) ? 4 : type == XRS_NET16(ETH_P_IPV6) ? 6 : 0;
}

/* --- XDP ------------------------------------------------------------------------------------------------ */
/*
 * False: the frame is in several buffers. The kernel is asked only where the first is not the packet: what may
 * follow a packet in further buffers is no part of it.
 */
XRS_INLINE bool xrs_quick_whole(struct xdp_md *ctx, const __u8 *start, const __u8 *end, __u8 family)
{
	__u32 len = end - start, l3_len;

	if (start + ETH_HLEN + XRS_IPV4_LEN > end)
		return false;
	l3_len = family == 4 ? XRS_NET16(XRS_LOAD(__u16, start + ETH_HLEN + 2))
			     : XRS_NET16(XRS_LOAD(__u16, start + ETH_HLEN + 4)) + XRS_IPV6_LEN;
	return len == l3_len + ETH_HLEN || xrs_frame_len(ctx) == len;
}

/* True: XDP_REDIRECT. False: the frame is as it was, and not an ordinary one. */
XRS_INLINE bool xrs_quick_xdp(struct xdp_md *ctx, __u8 family)
{
	__u8 *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct xrs_quick q = { .ifindex = ctx->ingress_ifindex,
			       .frame_len = end - start,
			       .family = family };

	if (!xrs_quick_whole(ctx, start, end, family) || !xrs_quick_decide(start, end, &q) ||
	    bpf_redirect_map(&xrs_devmap, q.nh->ifindex, 0) != XDP_REDIRECT)
		return false;
	xrs_set_macs(start, end, q.nh);
	xrs_dec_ttl_at(start + ETH_HLEN, end, family);
	xrs_count(q.slot, XRS_REASON_REDIRECTED, q.nexthop, q.frame_len);
	return true;
}

XRS_INLINE bool xrs_quick_any(struct xdp_md *ctx)
{
	__u8 family = xrs_quick_family((void *)(long)ctx->data, (void *)(long)ctx->data_end);

	if (family == 4)
		return xrs_quick_xdp(ctx, 4);
	return family && xrs_quick_xdp(ctx, 6);
}

/* --- tc ------------------------------------------------------------------------------------------------- */
/*
 * Ethernet addresses, TTL and checksum of IPv4 in one piece. The sum of the header stays as it was, so that
 * the kernel need not correct what some devices leave with the skb.
 */
XRS_INLINE bool xrs_quick_write4(struct __sk_buff *skb, const __u8 *start, const __u8 *end,
				 const struct xrs_nexthop *nh)
{
	__u32 head[(ETH_HLEN + XRS_IPV4_LEN + 3) / 4];
	const __u32 len = ETH_HLEN + XRS_CHANGED_LEN;

	if (start + sizeof(head) > end)
		return false;
	for (__u32 i = 0; i < sizeof(head) / 4; i++)
		head[i] = XRS_LOAD(__u32, start + 4 * i);
	xrs_set_macs((__u8 *)head, (__u8 *)head + sizeof(head), nh);
	xrs_dec_ttl_at((__u8 *)head + ETH_HLEN, (__u8 *)head + sizeof(head), 4);
	return !bpf_skb_store_bytes(skb, 0, head, len, 0);
}

/* True: TC_ACT_REDIRECT. */
XRS_INLINE bool xrs_quick_skb(struct __sk_buff *skb, __u8 family)
{
	const __u8 *start = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct xrs_quick q = { .ifindex = skb->ifindex,
			       .frame_len = skb->len,
			       .family = family,
			       .tc = true,
			       .gso_size = skb->gso_size };

	if (!xrs_quick_decide(start, end, &q) || !xrs_segments_fit(skb, q.nh->ifindex))
		return false;
	if (family == 4 ? !xrs_quick_write4(skb, start, end, q.nh)
			: !xrs_dec_ttl_skb(skb, ETH_HLEN, 6) ||
				  bpf_skb_store_bytes(skb, 0, q.nh->dmac, 2 * ETH_ALEN, 0))
		return false;
	xrs_unshare(skb);
	xrs_count(q.slot, q.delivered ? XRS_REASON_TC_DELIVERED : XRS_REASON_TC_REDIRECTED,
		  q.nexthop, q.frame_len);
	return bpf_redirect(q.nh->ifindex, 0) == TC_ACT_REDIRECT;
}

static __attribute__((noinline)) bool xrs_quick_skb4(struct __sk_buff *skb)
{
	return xrs_quick_skb(skb, 4);
}

static __attribute__((noinline)) bool xrs_quick_skb6(struct __sk_buff *skb)
{
	return xrs_quick_skb(skb, 6);
}

XRS_INLINE bool xrs_quick_any_skb(struct __sk_buff *skb)
{
	__u8 family = xrs_quick_family((void *)(long)skb->data, (void *)(long)skb->data_end);

	if (skb->vlan_present)
		return false;
	if (family == 4)
		return xrs_quick_skb4(skb);
	return family && xrs_quick_skb6(skb);
}

#endif
