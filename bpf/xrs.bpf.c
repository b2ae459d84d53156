// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs: xrs_steer (XDP) and xrs_steer_tc (tcx or clsact ingress), the two halves of one nic;
 * xrs_steer_skb is xrs_steer for generic mode. xrs_uplink and xrs_uplink_tc are the two of an uplink;
 * xrs_snoop_in and xrs_snoop_out only look on.
 *
 * Each frame meets the same headers in the same order and leaves under one reason.
 * Which half is in charge of a frame:
 *
 *   XDP redirects or drops it     tc never sees it
 *   XDP passes it, done           counted; mark FINAL in the metadata, tc lets it go by
 *   XDP cannot do it well         counted TO_TC; mark TO_TC, tc decides and counts
 *   no metadata in this driver    XDP only redirects and drops; what it passes carries no mark, is not
 *                                 counted and not changed: tc decides
 *   XRS_NIC_F_TC                  the same for every frame of the nic
 *
 * XDP can not do well: partial checksums, several buffers, packets above the next hop's MTU (they may be
 * GSO, which only tc can see), and devices that are not in xrs_devmap.
 *
 * xrs_steer_tc writes to a frame through helpers only: with a single direct write the kernel would
 * make every cloned frame (tcpdump is running) writable before the program starts, and lose the mark.
 *
 * Nothing here may drop a frame but a route of type None, antiSpoof, and an answer in its place.
 */
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "dataplane.h"
#include "parse.bpf.h"
#include "admit.bpf.h"
#include "flow.bpf.h"
#include "lookup.bpf.h"
#include "rewrite.bpf.h"
#include "vxlan.bpf.h"
#include "skb.bpf.h"
#include "icmp.bpf.h"
#include "quick.bpf.h"
#include "count.bpf.h"
#include "snoop.bpf.h"
#include "move.bpf.h"

#define XRS_TEST_IFINDEX 1   /* test runs come from the loopback device, nothing else does */
#define XRS_LINEAR       128 /* octets that the parser wants to see in one piece */

char xrs_license[] SEC("license") = "GPL";

/*
 * The checks as functions that the verifier walks through once, by themselves, and not again for each
 * way a packet can be parsed: a third of the work at load.
 */
__attribute__((noinline)) bool xrs_to_gateway_once(const struct xrs_nic *nic,
						   const struct xrs_packet *p)
{
	return nic && p && xrs_to_gateway(nic, p);
}

__attribute__((noinline)) int xrs_admit_once(const struct xrs_nic *nic, const struct xrs_packet *p)
{
	return nic && p ? xrs_admit(nic, p) : XRS_REASON_SPOOFED;
}

__attribute__((noinline)) __u32 xrs_hash_once(const struct xrs_packet *p, __u32 symmetric)
{
	return p ? xrs_flow_hash(p, symmetric) : 0;
}

__attribute__((noinline)) bool xrs_maybe_partial_once(const struct xrs_packet *p)
{
	return !p || xrs_maybe_partial(p);
}

/* From the nic's entry to the next hop. Shared by both halves. */
XRS_INLINE enum xrs_reason xrs_decide(const struct xrs_nic *nic, const __u8 *start, const __u8 *end,
				      struct xrs_packet *p, struct xrs_decision *d,
				      const struct xrs_nexthop **ret_nh)
{
	enum xrs_reason reason;

	reason = xrs_parse_ether(start, end, p);
	if (reason != XRS_GO_ON)
		return reason;
	if (!xrs_to_gateway_once(nic, p))
		return XRS_REASON_NOT_GATEWAY;
	reason = xrs_parse_ip(start, end, p);
	if (reason != XRS_GO_ON)
		return reason;
	d->family = p->family;
	reason = xrs_admit_once(nic, p);
	if (reason != XRS_GO_ON)
		return reason;
	return xrs_choose(nic, p, d, ret_nh);
}

/* The next hop's way is out of a device, not up to the bridge. */
XRS_INLINE bool xrs_is_sent(enum xrs_reason reason)
{
	return reason == XRS_REASON_REDIRECTED || reason == XRS_REASON_ENCAPSULATED ||
	       reason == XRS_REASON_DELIVERED;
}

/* --- XDP -------------------------------------------------------------------------------------------- */
/* The record that a test run put in front of the frame; NULL for frames of a device. */
XRS_INLINE struct xrs_decision *xrs_probe(struct xdp_md *ctx)
{
	struct xrs_decision *d = (void *)(long)ctx->data_meta;

	if (ctx->ingress_ifindex != XRS_TEST_IFINDEX || (void *)(d + 1) > (void *)(long)ctx->data)
		return NULL;
	return d->magic == XRS_PROBE_MAGIC ? d : NULL;
}

/* Tells xrs_steer_tc what happened. False: this driver has no room for it. */
XRS_INLINE bool xrs_mark(struct xdp_md *ctx, enum xrs_mark_verdict verdict)
{
	struct xrs_mark *mark;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*mark)))
		return false;
	mark = (void *)(long)ctx->data_meta;
	if ((void *)(mark + 1) > (void *)(long)ctx->data)
		return false;
	mark->magic = XRS_MARK_MAGIC;
	mark->ifindex = ctx->ingress_ifindex;
	mark->verdict = verdict;
	return true;
}

/* Destination MAC and TTL; the frame goes up and the bridge delivers it. */
XRS_INLINE void xrs_bridge(struct xdp_md *ctx, const struct xrs_packet *p,
			   const struct xrs_nexthop *nh)
{
	__u8 *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (xrs_dec_ttl(start, end, p->l3_off, p->family))
		xrs_set_dmac(start, end, nh);
}

/* Ethernet header with other tags than the frame came with, as one change at the front. */
XRS_INLINE bool xrs_retag(struct xdp_md *ctx, const struct xrs_packet *p,
			  const struct xrs_nexthop *nh)
{
	int delta = XRS_VLAN_LEN * ((int)p->n_tags - !!nh->vlan);

	if (delta && bpf_xdp_adjust_head(ctx, delta))
		return false;
	return xrs_set_ether((void *)(long)ctx->data, (void *)(long)ctx->data_end, nh, p, nh->vlan);
}

/* Could the frame leave through XDP? Asked for before it is changed. */
XRS_INLINE bool xrs_ask_redirect(struct xdp_md *ctx, const struct xrs_packet *p, __u32 ifindex,
				 bool generic)
{
	if (xrs_maybe_partial_once(p) || p->frame_len > (__u32)(ctx->data_end - ctx->data))
		return false;
	if (generic)
		bpf_redirect(ifindex, 0);
	else if (bpf_redirect_map(&xrs_devmap, ifindex, 0) != XDP_REDIRECT)
		return false;
	return true;
}

/* Ethernet header, tags and TTL. False, and the frame as it was: no room. */
XRS_INLINE bool xrs_rewrite(struct xdp_md *ctx, const struct xrs_packet *p,
			    const struct xrs_nexthop *nh)
{
	__u32 l3_off = ETH_HLEN + (nh->vlan ? XRS_VLAN_LEN : 0);
	__u8 *start, *end;

	if (!xrs_tags_fit(p, nh->vlan)) {
		if (!xrs_retag(ctx, p, nh))
			return false;
		start = (void *)(long)ctx->data;
		end = (void *)(long)ctx->data_end;
		return xrs_dec_ttl(start, end, l3_off, p->family);
	}
	start = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	return xrs_set_macs(start, end, nh) && xrs_dec_ttl(start, end, l3_off, p->family);
}

/* Outer headers in front of the frame, whose own tags go. False, and the frame as it was: no room. */
__attribute__((noinline)) bool xrs_encapsulate4_once(struct xdp_md *ctx, const struct xrs_packet *p,
						     const struct xrs_nexthop *nh, __u32 hash)
{
	const int grow = XRS_VXLAN_OUTER4 + ETH_HLEN;

	if (!p || !nh || bpf_xdp_adjust_head(ctx, (int)p->l3_off - grow))
		return false;
	return xrs_put_outer4((void *)(long)ctx->data, (void *)(long)ctx->data_end, nh, p, hash);
}

__attribute__((noinline)) bool xrs_encapsulate6_once(struct xdp_md *ctx, const struct xrs_packet *p,
						     const struct xrs_nexthop *nh, __u32 hash)
{
	const int grow = XRS_VXLAN_OUTER6 + ETH_HLEN;

	if (!p || !nh || bpf_xdp_adjust_head(ctx, (int)p->l3_off - grow))
		return false;
	return xrs_put_outer6((void *)(long)ctx->data, (void *)(long)ctx->data_end, nh, p, hash);
}

XRS_INLINE bool xrs_encapsulate(struct xdp_md *ctx, const struct xrs_packet *p,
				const struct xrs_nexthop *nh, __u32 hash, bool generic)
{
	if (!xrs_outer_sum_is_known(p, &nh->tunnel))
		return false;
	if (!xrs_ask_redirect(ctx, p, nh->ifindex, generic))
		return false;
	return nh->tunnel.family == 6 ? xrs_encapsulate6_once(ctx, p, nh, hash)
				      : xrs_encapsulate4_once(ctx, p, nh, hash);
}

/* Out through XDP as @reason says. False, and the frame as it was: it can not. */
XRS_INLINE bool xrs_send(struct xdp_md *ctx, const struct xrs_packet *p,
			 const struct xrs_nexthop *nh, enum xrs_reason reason, __u32 hash,
			 bool generic)
{
	if (reason == XRS_REASON_ENCAPSULATED)
		return xrs_encapsulate(ctx, p, nh, hash, generic);
	return xrs_ask_redirect(ctx, p, nh->ifindex, generic) && xrs_rewrite(ctx, p, nh);
}

/* The verdict of a reason that is not a redirect; the frame is marked for tc unless it is dropped. */
XRS_INLINE int xrs_verdict(struct xdp_md *ctx, enum xrs_reason reason, bool probe, bool *ret_final)
{
	*ret_final = true;
	if (reason == XRS_REASON_NONE || reason == XRS_REASON_SPOOFED)
		return XDP_DROP;
	if (!probe)
		*ret_final =
			xrs_mark(ctx, reason == XRS_REASON_TO_TC ? XRS_MARK_TO_TC : XRS_MARK_FINAL);
	return XDP_PASS;
}

XRS_INLINE void xrs_report(struct xdp_md *ctx, const struct xrs_nic *nic,
			   const struct xrs_packet *p, struct xrs_decision *d, bool probe)
{
	struct xrs_decision *out;

	if (!probe) {
		xrs_count(nic ? nic->slot : 0, d->reason, d->nexthop, p->frame_len);
		xrs_count_route(nic, p, d);
		xrs_trace_decision(nic, p, d, false);
		return;
	}
	out = xrs_probe(ctx);
	if (out)
		__builtin_memcpy(out, d, sizeof(*out));
}

XRS_INLINE enum xrs_reason xrs_decide_xdp(struct xdp_md *ctx, const struct xrs_nic *nic,
					  struct xrs_packet *p, struct xrs_decision *d,
					  const struct xrs_nexthop **ret_nh)
{
	const __u8 *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	enum xrs_reason reason;

	if (!nic)
		return XRS_REASON_UNKNOWN_NIC;
	if (nic->flags & XRS_NIC_F_TC)
		return XRS_REASON_TO_TC;
	/* Several buffers: nothing that could be found here saves tc the same work. */
	if (p->frame_len > (__u32)(end - start))
		return XRS_REASON_TO_TC;
	reason = xrs_decide(nic, start, end, p, d, ret_nh);
	/* The tc half knows segments from large packets, and answers in the gateway's name. */
	if (reason == XRS_REASON_TOO_BIG ||
	    (reason == XRS_REASON_TTL_EXPIRED && xrs_has_gateway(nic, p->family)))
		return XRS_REASON_TO_TC;
	return reason;
}

/* The whole program: any frame, any nic, or none. */
XRS_INLINE int xrs_steer_xdp(struct xdp_md *ctx, bool generic)
{
	const struct xrs_nic *nic = xrs_find_nic(ctx->ingress_ifindex);
	struct xrs_packet p = { .frame_len = xrs_frame_len(ctx) };
	struct xrs_decision d = { .ifindex = ctx->ingress_ifindex };
	const struct xrs_decision *in = xrs_probe(ctx);
	const struct xrs_nexthop *nh = NULL;
	enum xrs_reason reason;
	bool probe = in, final = true;
	int verdict;

	if (in) {
		d.magic = XRS_PROBE_MAGIC;
		d.ifindex = in->ifindex;
		nic = xrs_find_nic(d.ifindex);
	}
	if (nic && nic->flags & XRS_NIC_F_TC && !probe)
		return XDP_PASS;
	reason = xrs_decide_xdp(ctx, nic, &p, &d, &nh);
	if (nh && xrs_is_sent(reason) && !xrs_send(ctx, &p, nh, reason, d.hash, generic))
		reason = XRS_REASON_TO_TC;
	if (xrs_is_sent(reason))
		verdict = XDP_REDIRECT;
	else
		verdict = xrs_verdict(ctx, reason, probe, &final);
	if (!final)
		return verdict;
	if (verdict == XDP_PASS && !probe)
		xrs_bfd_look_xdp(ctx, &p);
	if (nh && reason == XRS_REASON_BRIDGED)
		xrs_bridge(ctx, &p, nh);
	d.reason = reason;
	xrs_report(ctx, nic, &p, &d, probe);
	return verdict;
}

SEC("xdp")
int xrs_steer(struct xdp_md *ctx)
{
	/* On the stack, because the quick way has a better use for the register: 7 ns of 50. */
	struct xdp_md *volatile later = ctx;

	if (!xrs_probe(ctx) && xrs_quick_any(ctx))
		return XDP_REDIRECT;
	return xrs_steer_xdp(later, false);
}

/*
 * For XDP in generic mode, without multi-buffer support. For a program that has it the kernel (6.9 to
 * 6.18 at least) copies each frame to a new skb and forgets the length of the MAC header: a tc program
 * behind it finds the IP header where Ethernet should be. A devmap cannot be shared by programs that
 * differ in this, and generic mode needs none: it transmits as the stack does.
 */
SEC("xdp")
int xrs_steer_skb(struct xdp_md *ctx)
{
	return xrs_steer_xdp(ctx, true);
}

/* --- the other side: frames from outside for local VMs -------------------------------------------------- */
struct xrs_arrival {
	__u32 outer; /* octets in front of the inner frame that go; 0: no tunnel */
	__u32 vnet;
	bool switched; /* by its MAC, to the VM itself: not a hop, nothing is rewritten */
};

/* The VXLAN network that an outer packet belongs to, if it ends here. */
XRS_INLINE const struct xrs_vni *xrs_find_vni(const struct xrs_packet *outer, const __u8 *vxlan)
{
	struct xrs_vni_key key = { .port = XRS_NET16(outer->dport), .family = outer->family };

	key.vni = XRS_NET32(XRS_LOAD(__u32, vxlan + 4)) >> 8;
	__builtin_memcpy(key.local, outer->dst, sizeof(key.local));
	return bpf_map_lookup_elem(&xrs_vni, &key);
}

XRS_INLINE bool xrs_is_vni_gateway(const struct xrs_vni *vni, const __u8 *mac)
{
	for (__u32 i = 0; i < XRS_GATEWAY_MACS; i++) {
		if (i < vni->n_gateway_macs && xrs_mac_equal(vni->gateway_mac[i], mac))
			return true;
	}
	return false;
}

/* The network whose tunnel @outer comes by, and where its VXLAN header is; NULL: no tunnel that ends here. */
XRS_INLINE const struct xrs_vni *xrs_find_tunnel(const __u8 *start, const __u8 *end,
						 const struct xrs_packet *outer, __u32 *ret_off)
{
	__u32 off = xrs_vxlan_off(start, end, outer);

	asm volatile("" : "+r"(off));
	if (!off || off > XRS_VXLAN_OFF_MAX || start + off + XRS_VXLAN_LEN > end)
		return NULL;
	*ret_off = off;
	return xrs_find_vni(outer, start + off);
}

/* The inner packet of @outer into @p. False: no tunnel that ends here. */
XRS_INLINE bool xrs_open_tunnel(const __u8 *start, const __u8 *end, const struct xrs_packet *outer,
				struct xrs_packet *p, struct xrs_arrival *in,
				enum xrs_reason *ret_reason)
{
	const struct xrs_vni *vni;
	__u32 off = 0;

	vni = xrs_find_tunnel(start, end, outer, &off);
	if (!vni)
		return false;
	in->outer = off + XRS_VXLAN_LEN;
	in->vnet = vni->vnet;
	p->frame_len = outer->frame_len - in->outer;
	start += in->outer;
	*ret_reason = xrs_parse_ether(start, end, p);
	if (*ret_reason == XRS_GO_ON)
		*ret_reason = xrs_parse_ip(start, end, p);
	in->switched = !xrs_is_vni_gateway(vni, p->dmac);
	return true;
}

/* From the packet for the VM to the VM. */
XRS_INLINE enum xrs_reason xrs_arrive(const struct xrs_nic *nic, const struct xrs_packet *p,
				      const struct xrs_arrival *in, __u32 ifindex,
				      const struct xrs_nexthop **ret_nh)
{
	enum xrs_reason reason = xrs_admit_once(nic, p);

	if (reason != XRS_GO_ON)
		return reason;
	reason = xrs_deliver(in->vnet, p, ifindex, ret_nh);
	if (*ret_nh && in->switched && !xrs_mac_equal((*ret_nh)->dmac, p->dmac))
		return XRS_REASON_NOT_GATEWAY;
	return reason;
}

/* Takes the outer headers off and sends the frame to the VM. */
XRS_INLINE bool xrs_hand_over(struct xdp_md *ctx, const struct xrs_packet *p,
			      const struct xrs_arrival *in, const struct xrs_nexthop *nh)
{
	if (in->switched && !xrs_tags_fit(p, nh->vlan))
		return false;
	if (!xrs_ask_redirect(ctx, p, nh->ifindex, false))
		return false;
	if (in->outer && bpf_xdp_adjust_head(ctx, (int)in->outer))
		return false;
	return in->switched || xrs_rewrite(ctx, p, nh);
}

/* The headers of a frame that this host is to take from the uplink. */
XRS_INLINE enum xrs_reason xrs_parse_outer(const struct xrs_nic *nic, const __u8 *start,
					   const __u8 *end, struct xrs_packet *p)
{
	enum xrs_reason reason = xrs_parse_ether(start, end, p);

	if (reason != XRS_GO_ON)
		return reason;
	return xrs_to_gateway_once(nic, p) ? xrs_parse_ip(start, end, p) : XRS_REASON_NOT_GATEWAY;
}

XRS_INLINE enum xrs_reason xrs_uplink_xdp(struct xdp_md *ctx, const struct xrs_nic *nic,
					  struct xrs_packet *outer, struct xrs_packet *inner,
					  struct xrs_arrival *in)
{
	const __u8 *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const struct xrs_nexthop *nh = NULL;
	const struct xrs_packet *p = outer;
	enum xrs_reason reason;

	if (!nic)
		return XRS_REASON_UNKNOWN_NIC;
	if (outer->frame_len > (__u32)(end - start))
		return XRS_REASON_TO_TC;
	reason = xrs_parse_outer(nic, start, end, outer);
	if (reason != XRS_GO_ON)
		return reason;
	in->vnet = nic->vnet;
	if (xrs_open_tunnel(start, end, outer, inner, in, &reason))
		p = inner;
	if (reason == XRS_GO_ON)
		reason = xrs_arrive(nic, p, in, ctx->ingress_ifindex, &nh);
	if (nh && reason == XRS_REASON_DELIVERED && !xrs_hand_over(ctx, p, in, nh))
		return XRS_REASON_TO_TC;
	/* Segments or a large packet: the tc half can tell. */
	return reason == XRS_REASON_TOO_BIG && !in->outer ? XRS_REASON_TO_TC : reason;
}

/*
 * On an uplink: VXLAN packets that end here, and plain ones, for a local VM. Everything else passes as it came.
 * What XDP must not carry, or an egress can not take from it, is left to xrs_uplink_tc.
 */
SEC("xdp")
int xrs_uplink(struct xdp_md *ctx)
{
	struct xrs_packet outer = { .frame_len = xrs_frame_len(ctx) }, inner = { 0 };
	struct xrs_decision d = { .ifindex = ctx->ingress_ifindex };
	const struct xrs_nic *nic = xrs_find_nic(d.ifindex);
	struct xrs_arrival in = { 0 };
	const struct xrs_packet *p;
	bool final = true;
	int verdict = XDP_REDIRECT;

	if (nic && nic->flags & XRS_NIC_F_TC)
		return XDP_PASS;
	d.reason = xrs_uplink_xdp(ctx, nic, &outer, &inner, &in);
	p = in.outer ? &inner : &outer;
	d.family = p->family;
	if (d.reason != XRS_REASON_DELIVERED)
		verdict = xrs_verdict(ctx, d.reason, false, &final);
	if (!final)
		return verdict;
	if (verdict == XDP_PASS) {
		inner.l4_off += in.outer; /* from the start of the frame */
		xrs_bfd_look_uplink(ctx, p);
	}
	xrs_count(nic ? nic->slot : 0, d.reason, 0, outer.frame_len);
	xrs_trace_decision(nic, p, &d, false);
	return verdict;
}

/* --- tc --------------------------------------------------------------------------------------------- */
/* Did xrs_steer finish with this frame, on this device? */
XRS_INLINE bool xrs_is_final(struct __sk_buff *skb)
{
	const struct xrs_mark *mark = (void *)(long)skb->data_meta;

	if ((void *)(mark + 1) > (void *)(long)skb->data)
		return false;
	return mark->magic == XRS_MARK_MAGIC && mark->ifindex == skb->ifindex &&
	       mark->verdict == XRS_MARK_FINAL;
}

/* Out of a device: the next hop's, or for VXLAN the host's own one where there is such. */
XRS_INLINE enum xrs_reason xrs_send_skb(struct __sk_buff *skb, const struct xrs_packet *p,
					const struct xrs_nexthop *nh, enum xrs_reason reason,
					__u32 hash, int *ret_verdict)
{
	bool vxlan = reason == XRS_REASON_ENCAPSULATED;
	__u32 ifindex = vxlan && nh->tunnel.device ? nh->tunnel.device : nh->ifindex;
	__u16 vlan = vxlan ? 0 : nh->vlan;
	__u32 l3_off = p->l3_off;

	if (!xrs_segments_fit(skb, ifindex))
		return XRS_REASON_TOO_BIG;
	if (vxlan && !nh->tunnel.device && !xrs_may_encapsulate_skb(p, nh))
		return XRS_REASON_TO_KERNEL;
	if (!xrs_tags_fit(p, vlan)) {
		if (!xrs_retag_skb(skb, p, vlan))
			return XRS_REASON_VLAN_MISMATCH;
		l3_off = ETH_HLEN;
	}
	if (vxlan && !nh->tunnel.device) {
		if (!xrs_encapsulate_skb(skb, p, nh, hash))
			return XRS_REASON_TO_KERNEL;
	} else if (!xrs_dec_ttl_skb(skb, l3_off, p->family) ||
		   bpf_skb_store_bytes(skb, 0, nh->dmac, 2 * ETH_ALEN, 0)) { /* dmac, smac */
		return XRS_REASON_TRUNCATED;
	}
	xrs_unshare(skb);
	*ret_verdict = bpf_redirect(ifindex, 0);
	if (reason == XRS_REASON_DELIVERED)
		return XRS_REASON_TC_DELIVERED;
	return vxlan ? XRS_REASON_TC_ENCAPSULATED : XRS_REASON_TC_REDIRECTED;
}

XRS_INLINE enum xrs_reason xrs_bridge_skb(struct __sk_buff *skb, const struct xrs_packet *p,
					  const struct xrs_nexthop *nh)
{
	if (!xrs_dec_ttl_skb(skb, p->l3_off, p->family) ||
	    bpf_skb_store_bytes(skb, 0, nh->dmac, ETH_ALEN, 0))
		return XRS_REASON_TRUNCATED;
	/* It was classified by the gateway's MAC; the new one is not this host's. */
	bpf_skb_change_type(skb, PACKET_OTHERHOST);
	return XRS_REASON_TC_BRIDGED;
}

/* A bucket of answers for each nic and CPU. */
XRS_INLINE bool xrs_answer_is_due(__u32 slot)
{
	__u64 *next = bpf_map_lookup_elem(&xrs_icmp, &slot);
	__u64 now = bpf_ktime_get_ns();

	if (!next)
		return false;
	if (*next > now + XRS_ICMP_BURST * XRS_ICMP_GAP_NS)
		return false;
	*next = (*next > now ? *next : now) + XRS_ICMP_GAP_NS;
	return true;
}

/* Puts @n octets of headers between Ethernet and the quoted packet, and sends it back. */
XRS_INLINE bool xrs_send_answer(struct __sk_buff *skb, const struct xrs_packet *p, const __u8 *head,
				__u32 n, __u32 len)
{
	__u8 macs[2 * ETH_ALEN];

	__builtin_memcpy(macs, p->smac, ETH_ALEN);
	__builtin_memcpy(macs + ETH_ALEN, p->dmac, ETH_ALEN);
	return !bpf_skb_change_tail(skb, ETH_HLEN + len, 0) &&
	       !bpf_skb_adjust_room(skb, (__s32)n, BPF_ADJ_ROOM_MAC, 0) &&
	       !bpf_skb_store_bytes(skb, ETH_HLEN, head, n, BPF_F_RECOMPUTE_CSUM) &&
	       !bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0);
}

/*
 * Makes the frame an ICMP error to its sender. False: it stays, and the kernel may answer. Tags inside the
 * frame are the kernel's: room can only be made behind the Ethernet header.
 */
__attribute__((noinline)) bool xrs_answer_once(struct __sk_buff *skb, const struct xrs_nic *nic,
					       const struct xrs_packet *p, __u32 mtu, bool probe)
{
	__u8 head[XRS_ICMP6_HEAD], quote[XRS_QUOTE] = { 0 };
	__u32 len, whole;
	__u64 sum;

	if (!nic || !p || p->l3_off != ETH_HLEN || !xrs_has_gateway(nic, p->family))
		return false;
	len = p->l3_len < XRS_QUOTE ? p->l3_len : XRS_QUOTE;
	asm volatile("" : "+r"(len));
	if (len < XRS_IPV4_LEN || len > XRS_QUOTE ||
	    bpf_skb_load_bytes(skb, ETH_HLEN, quote, len) || !xrs_may_answer(p, quote, mtu) ||
	    (!probe && !xrs_answer_is_due(nic->slot)))
		return false;
	whole = bpf_csum_diff(NULL, 0, (void *)quote, XRS_QUOTE, 0);
	if (p->family == 6) {
		sum = bpf_csum_diff(NULL, 0, (void *)quote, XRS_IPV6_LEN, 0);
		xrs_put_icmp6(head, nic, p, mtu, len, xrs_quote_sum(p, whole, sum));
		return xrs_send_answer(skb, p, head, XRS_ICMP6_HEAD, len);
	}
	sum = bpf_csum_diff(NULL, 0, (void *)quote, XRS_IPV4_LEN, 0);
	xrs_put_icmp4(head, nic, p, mtu, len, xrs_quote_sum(p, whole, sum));
	return xrs_send_answer(skb, p, head, XRS_ICMP4_HEAD, len);
}

/* What is for this host may arrive with TTL 1, as BGP between neighbours does: nothing expires here. */
XRS_INLINE bool xrs_would_forward(const struct xrs_nic *nic, const struct xrs_packet *p)
{
	__u32 leaf = xrs_find_route_once(p, nic->table);
	enum xrs_reason reason;

	if (!leaf || leaf & XRS_FAST_NODE)
		return false;
	reason = xrs_route_reason(leaf >> XRS_FAST_KIND_SHIFT & XRS_FAST_KIND_MASK);
	if (reason == XRS_REASON_LOCAL && nic->role == XRS_NIC_NVA)
		return xrs_find_host(nic->vnet, p);
	return reason == XRS_GO_ON;
}

/* TTL_EXPIRED and TOO_BIG: the answer, or the same reason again. */
XRS_INLINE enum xrs_reason xrs_answer(struct __sk_buff *skb, const struct xrs_nic *nic,
				      const struct xrs_packet *p, __u32 mtu, enum xrs_reason reason,
				      bool probe, int *ret_verdict)
{
	bool too_big = reason == XRS_REASON_TOO_BIG;

	if (too_big ? !mtu : !xrs_would_forward(nic, p))
		return reason;
	if (!xrs_answer_once(skb, nic, p, too_big ? mtu : 0, probe))
		return reason;
	*ret_verdict = bpf_redirect(skb->ifindex, 0);
	return too_big ? XRS_REASON_TOO_BIG_ANSWERED : XRS_REASON_TTL_ANSWERED;
}

/* What the parser wants to see in one piece. */
XRS_INLINE void xrs_pull(struct __sk_buff *skb)
{
	if (skb->data + XRS_LINEAR > skb->data_end && skb->data_end - skb->data < skb->len)
		bpf_skb_pull_data(skb, skb->len < XRS_LINEAR ? skb->len : XRS_LINEAR);
}

XRS_INLINE enum xrs_reason xrs_decide_skb(struct __sk_buff *skb, const struct xrs_nic *nic,
					  struct xrs_packet *p, struct xrs_decision *d,
					  const struct xrs_nexthop **ret_nh)
{
	if (!nic)
		return XRS_REASON_UNKNOWN_NIC;
	xrs_pull(skb);
	return xrs_decide(nic, (void *)(long)skb->data, (void *)(long)skb->data_end, p, d, ret_nh);
}

XRS_INLINE void xrs_report_skb(struct __sk_buff *skb, const struct xrs_nic *nic,
			       const struct xrs_packet *p, struct xrs_decision *d)
{
	if (d->magic != XRS_PROBE_MAGIC) {
		xrs_count(nic ? nic->slot : 0, d->reason, d->nexthop, p->frame_len);
		xrs_count_route(nic, p, d);
		xrs_trace_decision(nic, p, d, true);
		return;
	}
	skb->cb[1] = d->reason | d->kind << 8 | d->prefix_len << 16 | (__u32)d->family << 24;
	skb->cb[2] = d->table << 16 | d->bucket;
	skb->cb[3] = d->group << 16 | d->nexthop;
	skb->cb[4] = d->hash;
}

XRS_INLINE bool xrs_probe_skb(const struct __sk_buff *skb)
{
	return skb->ifindex == XRS_TEST_IFINDEX && skb->cb[0] == XRS_PROBE_MAGIC;
}

/* The whole program. */
static __attribute__((noinline)) int xrs_steer_any_skb(struct __sk_buff *skb)
{
	struct xrs_packet p = { .frame_len = skb->len, .gso_size = skb->gso_size };
	struct xrs_decision d = { .ifindex = skb->ifindex };
	const struct xrs_nexthop *nh = NULL;
	const struct xrs_nic *nic;
	enum xrs_reason reason;
	int verdict = TC_ACT_UNSPEC;

	if (xrs_probe_skb(skb)) {
		d.magic = XRS_PROBE_MAGIC;
		d.ifindex = skb->cb[1];
	}
	if (skb->vlan_present) {
		p.tci = skb->vlan_tci;
		p.n_tags = 1;
	}
	nic = xrs_find_nic(d.ifindex);
	reason = xrs_decide_skb(skb, nic, &p, &d, &nh);
	if (nh && xrs_is_sent(reason))
		reason = xrs_send_skb(skb, &p, nh, reason, d.hash, &verdict);
	else if (nh && reason == XRS_REASON_BRIDGED)
		reason = xrs_bridge_skb(skb, &p, nh);
	if (nic && (reason == XRS_REASON_TOO_BIG || reason == XRS_REASON_TTL_EXPIRED))
		reason = xrs_answer(skb, nic, &p, nh ? nh->mtu : 0, reason,
				    d.magic == XRS_PROBE_MAGIC, &verdict);
	if (reason == XRS_REASON_NONE || reason == XRS_REASON_SPOOFED)
		verdict = TC_ACT_SHOT;
	if (verdict == TC_ACT_UNSPEC && d.magic != XRS_PROBE_MAGIC)
		xrs_bfd_look_skb(skb, &p);
	d.reason = reason;
	xrs_report_skb(skb, nic, &p, &d);
	return verdict;
}

SEC("tc")
int xrs_steer_tc(struct __sk_buff *skb)
{
	if (xrs_is_final(skb))
		return TC_ACT_UNSPEC;
	if (!xrs_probe_skb(skb) && xrs_quick_any_skb(skb))
		return TC_ACT_REDIRECT;
	return xrs_steer_any_skb(skb);
}

/*
 * Out of a tunnel to the VM. The host's own VXLAN device has what still needs the kernel's knowledge of the inner
 * packet: segments, unfinished checksums; and frames that are switched by their MAC.
 */
__attribute__((noinline)) int xrs_uplink_tunnel_once(struct __sk_buff *skb,
						     const struct xrs_nic *nic,
						     const struct xrs_packet *outer)
{
	const __u8 *start = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	enum xrs_reason reason = XRS_REASON_TO_KERNEL;
	const struct xrs_nexthop *nh = NULL;
	struct xrs_packet p = { 0 };
	struct xrs_arrival in = { 0 };
	int verdict;

	if (!nic || !outer || !xrs_open_tunnel(start, end, outer, &p, &in, &reason))
		return XRS_REASON_TO_KERNEL;
	if (reason == XRS_GO_ON)
		reason = xrs_arrive(nic, &p, &in, skb->ifindex, &nh);
	if (!nh || reason != XRS_REASON_DELIVERED)
		return reason;
	if (in.switched || skb->gso_size || outer->n_tags || xrs_maybe_partial_once(&p) ||
	    !xrs_strip_skb(skb, in.outer + p.l3_off - ETH_HLEN, &p, outer->family))
		return XRS_REASON_TO_KERNEL;
	p.l3_off = ETH_HLEN;
	p.n_tags = 0;
	return xrs_send_skb(skb, &p, nh, reason, 0, &verdict);
}

XRS_INLINE enum xrs_reason xrs_uplink_skb(struct __sk_buff *skb, const struct xrs_nic *nic,
					  struct xrs_packet *p, int *ret_verdict)
{
	const __u8 *start, *end;
	const struct xrs_nexthop *nh = NULL;
	struct xrs_arrival in = { 0 };
	enum xrs_reason reason;
	__u32 off;

	if (!nic)
		return XRS_REASON_UNKNOWN_NIC;
	xrs_pull(skb);
	start = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	reason = xrs_parse_outer(nic, start, end, p);
	if (reason != XRS_GO_ON)
		return reason;
	if (xrs_find_tunnel(start, end, p, &off)) {
		reason = xrs_uplink_tunnel_once(skb, nic, p);
		if (reason == XRS_REASON_TC_DELIVERED)
			*ret_verdict = TC_ACT_REDIRECT; /* as bpf_redirect() said */
		return reason;
	}
	in.vnet = nic->vnet;
	reason = xrs_arrive(nic, p, &in, skb->ifindex, &nh);
	if (!nh || reason != XRS_REASON_DELIVERED)
		return reason;
	return xrs_send_skb(skb, p, nh, reason, 0, ret_verdict);
}

/* Behind xrs_uplink, or alone where the driver has no XDP. */
SEC("tc")
int xrs_uplink_tc(struct __sk_buff *skb)
{
	struct xrs_packet p = { .frame_len = skb->len, .gso_size = skb->gso_size };
	struct xrs_decision d = { .ifindex = skb->ifindex };
	const struct xrs_nic *nic;
	int verdict = TC_ACT_UNSPEC;

	if (xrs_is_final(skb))
		return TC_ACT_UNSPEC;
	if (skb->vlan_present) {
		p.tci = skb->vlan_tci;
		p.n_tags = 1;
	}
	nic = xrs_find_nic(d.ifindex);
	d.reason = xrs_uplink_skb(skb, nic, &p, &verdict);
	d.family = p.family;
	if (d.reason == XRS_REASON_SPOOFED)
		verdict = TC_ACT_SHOT;
	if (verdict == TC_ACT_UNSPEC)
		xrs_bfd_look_skb(skb, &p);
	xrs_report_skb(skb, nic, &p, &d);
	return verdict;
}

/* --- DHCP snooping: beside the others, on nics that learn from it ------------------------------------------ */
SEC("tc")
int xrs_snoop_in(struct __sk_buff *skb)
{
	const struct xrs_nic *nic = xrs_find_nic(skb->ifindex);
	struct xrs_snoop_nic *seen = nic ? bpf_map_lookup_elem(&xrs_snoop_nic, &nic->slot) : NULL;

	if (seen)
		xrs_snoop_vm(skb, seen);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int xrs_snoop_out(struct __sk_buff *skb)
{
	const struct xrs_nic *nic = xrs_find_nic(skb->ifindex);
	struct xrs_snoop_nic *seen = nic ? bpf_map_lookup_elem(&xrs_snoop_nic, &nic->slot) : NULL;

	if (seen)
		xrs_snoop_server(skb, nic, seen);
	return TC_ACT_UNSPEC;
}

/* Attached to nothing: see move.bpf.h. */
SEC("tc")
int xrs_move_routes(struct __sk_buff *skb)
{
	for (__u32 i = 0; i < XRS_MOVES && i < xrs_moves.n; i++)
		xrs_move_one(i);
	return TC_ACT_OK;
}
