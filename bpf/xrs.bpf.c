// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs: xrs_steer (XDP) and xrs_steer_tc (tcx or clsact ingress), the two halves of one nic;
 * xrs_steer_skb is xrs_steer for generic mode.
 *
 * Each frame meets the same headers in the same order (design section 8) and leaves under one reason.
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
 * Nothing here may drop a frame but a route of type None and antiSpoof.
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
#include "count.bpf.h"

#define XRS_TEST_IFINDEX 1   /* test runs come from the loopback device, nothing else does */
#define XRS_CHANGED_LEN  12  /* octets of an IP header that hold TTL, hop limit and checksum */
#define XRS_LINEAR       128 /* octets that the parser wants to see in one piece */

char xrs_license[] SEC("license") = "GPL";

/* Set by the loader: the kernel has multi-buffer XDP (5.18). Without it there is only one buffer. */
const volatile bool xrs_has_frags = true;

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

/* --- XDP -------------------------------------------------------------------------------------------- */
/* The record that a test run put in front of the frame; NULL for frames of a device. */
XRS_INLINE struct xrs_decision *xrs_probe(struct xdp_md *ctx)
{
	struct xrs_decision *d = (void *)(long)ctx->data_meta;

	if (ctx->ingress_ifindex != XRS_TEST_IFINDEX || (void *)(d + 1) > (void *)(long)ctx->data)
		return NULL;
	return d->magic == XRS_PROBE_MAGIC ? d : NULL;
}

XRS_INLINE __u32 xrs_frame_len(struct xdp_md *ctx)
{
	return xrs_has_frags ? bpf_xdp_get_buff_len(ctx) : ctx->data_end - ctx->data;
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

/* False, and the frame as it was: it can not leave through XDP. */
XRS_INLINE bool xrs_redirect(struct xdp_md *ctx, const struct xrs_packet *p,
			     const struct xrs_nexthop *nh, bool generic)
{
	__u32 l3_off = ETH_HLEN + (nh->vlan ? XRS_VLAN_LEN : 0);
	__u8 *start, *end;

	if (xrs_maybe_partial_once(p) || p->frame_len > (__u32)(ctx->data_end - ctx->data))
		return false;
	if (generic)
		bpf_redirect(nh->ifindex, 0);
	else if (bpf_redirect_map(&xrs_devmap, nh->ifindex, 0) != XDP_REDIRECT)
		return false;
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
		xrs_trace_decision(nic, d);
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
	if (start + XRS_LINEAR > end && p->frame_len > (__u32)(end - start))
		return XRS_REASON_TO_TC;
	reason = xrs_decide(nic, start, end, p, d, ret_nh);
	return reason == XRS_REASON_TOO_BIG ? XRS_REASON_TO_TC : reason;
}

XRS_INLINE int xrs_steer_xdp(struct xdp_md *ctx, bool generic)
{
	struct xrs_packet p = { .frame_len = xrs_frame_len(ctx) };
	struct xrs_decision d = { .ifindex = ctx->ingress_ifindex };
	const struct xrs_decision *in = xrs_probe(ctx);
	const struct xrs_nexthop *nh = NULL;
	const struct xrs_nic *nic;
	enum xrs_reason reason;
	bool probe = in, final = true;
	int verdict;

	if (in) {
		d.magic = XRS_PROBE_MAGIC;
		d.ifindex = in->ifindex;
	}
	nic = xrs_find_nic(d.ifindex);
	if (nic && nic->flags & XRS_NIC_F_TC && !probe)
		return XDP_PASS;
	reason = xrs_decide_xdp(ctx, nic, &p, &d, &nh);
	if (nh && reason == XRS_REASON_REDIRECTED && !xrs_redirect(ctx, &p, nh, generic))
		reason = XRS_REASON_TO_TC;
	if (reason == XRS_REASON_REDIRECTED)
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
	return xrs_steer_xdp(ctx, false);
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
XRS_INLINE bool xrs_segments_fit(struct __sk_buff *skb, const struct xrs_nexthop *nh)
{
	__u32 len = 0;

	return !skb->gso_size || bpf_check_mtu(skb, nh->ifindex, &len, 0, BPF_MTU_CHK_SEGS) <= 0;
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

XRS_INLINE enum xrs_reason xrs_redirect_skb(struct __sk_buff *skb, const struct xrs_packet *p,
					    const struct xrs_nexthop *nh, int *ret_verdict)
{
	__u32 l3_off = p->l3_off;

	if (!xrs_segments_fit(skb, nh))
		return XRS_REASON_TOO_BIG;
	if (!xrs_tags_fit(p, nh->vlan)) {
		if (!xrs_retag_skb(skb, p, nh->vlan))
			return XRS_REASON_VLAN_MISMATCH;
		l3_off = ETH_HLEN;
	}
	if (!xrs_dec_ttl_skb(skb, l3_off, p->family) ||
	    bpf_skb_store_bytes(skb, 0, nh->dmac, 2 * ETH_ALEN, 0)) /* dmac and smac, in a row */
		return XRS_REASON_TRUNCATED;
	*ret_verdict = bpf_redirect(nh->ifindex, 0);
	return XRS_REASON_TC_REDIRECTED;
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

XRS_INLINE enum xrs_reason xrs_decide_skb(struct __sk_buff *skb, const struct xrs_nic *nic,
					  struct xrs_packet *p, struct xrs_decision *d,
					  const struct xrs_nexthop **ret_nh)
{
	if (!nic)
		return XRS_REASON_UNKNOWN_NIC;
	if (skb->data + XRS_LINEAR > skb->data_end && skb->data_end - skb->data < skb->len)
		bpf_skb_pull_data(skb, skb->len < XRS_LINEAR ? skb->len : XRS_LINEAR);
	return xrs_decide(nic, (void *)(long)skb->data, (void *)(long)skb->data_end, p, d, ret_nh);
}

XRS_INLINE void xrs_report_skb(struct __sk_buff *skb, const struct xrs_nic *nic,
			       const struct xrs_packet *p, struct xrs_decision *d)
{
	if (d->magic != XRS_PROBE_MAGIC) {
		xrs_count(nic ? nic->slot : 0, d->reason, d->nexthop, p->frame_len);
		xrs_trace_decision(nic, d);
		return;
	}
	skb->cb[1] = d->reason | d->kind << 8 | d->prefix_len << 16 | (__u32)d->family << 24;
	skb->cb[2] = d->table << 16 | d->bucket;
	skb->cb[3] = d->group << 16 | d->nexthop;
	skb->cb[4] = d->hash;
}

SEC("tc")
int xrs_steer_tc(struct __sk_buff *skb)
{
	struct xrs_packet p = { .frame_len = skb->len, .gso_size = skb->gso_size };
	struct xrs_decision d = { .ifindex = skb->ifindex };
	const struct xrs_nexthop *nh = NULL;
	const struct xrs_nic *nic;
	enum xrs_reason reason;
	int verdict = TC_ACT_UNSPEC;

	if (xrs_is_final(skb))
		return TC_ACT_UNSPEC;
	if (skb->ifindex == XRS_TEST_IFINDEX && skb->cb[0] == XRS_PROBE_MAGIC) {
		d.magic = XRS_PROBE_MAGIC;
		d.ifindex = skb->cb[1];
	}
	if (skb->vlan_present) {
		p.tci = skb->vlan_tci;
		p.n_tags = 1;
	}
	nic = xrs_find_nic(d.ifindex);
	reason = xrs_decide_skb(skb, nic, &p, &d, &nh);
	if (nh && reason == XRS_REASON_REDIRECTED)
		reason = xrs_redirect_skb(skb, &p, nh, &verdict);
	else if (nh && reason == XRS_REASON_BRIDGED)
		reason = xrs_bridge_skb(skb, &p, nh);
	if (reason == XRS_REASON_NONE || reason == XRS_REASON_SPOOFED)
		verdict = TC_ACT_SHOT;
	if (verdict == TC_ACT_UNSPEC && d.magic != XRS_PROBE_MAGIC)
		xrs_bfd_look_skb(skb, &p);
	d.reason = reason;
	xrs_report_skb(skb, nic, &p, &d);
	return verdict;
}
