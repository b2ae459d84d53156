/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BFD beside the data path: packets of a session's peer that pass a nic set its deadline anew, and a next
 * hop whose deadline has passed is not used by the very next packet, whatever xrsd does at that moment.
 *
 * Called by both programs. A BFD packet is only looked at: it goes on to its socket like any other. Who
 * may write what in struct xrs_bfd stands in agent/bfd_verdict.c: a deadline that has passed is never
 * taken back here.
 */
#ifndef XRS_BFD_BPF_H
#define XRS_BFD_BPF_H

#include "maps.bpf.h"
#include "parse.bpf.h"

#define XRS_BFD_PORT          3784
#define XRS_BFD_PORT_MULTIHOP 4784
#define XRS_BFD_LEN           24
#define XRS_BFD_FLAG_AUTH     0x04
#define XRS_BFD_FLAG_MULTI    0x01
#define XRS_UDP_LEN           8
#define XRS_BFD_TICK_NS       20000000ull /* two ticks of the slowest clock */
#define XRS_BFD_L4_MAX        128         /* an offset that no BFD packet exceeds */
#define XRS_BFD_FRAME_MAX     256         /* likewise a length */

/* RFC 5880 4.1, in words: version, diag | flags | multiplier | length; discriminators; intervals. */
struct xrs_bfd_wire {
	__u8 version_diag, flags, multiplier, len;
	__u32 my_discr, your_discr, min_tx, min_rx;
} __attribute__((packed)); /* read where it is in the packet: the stack is small */

XRS_INLINE bool xrs_is_bfd(const struct xrs_packet *p)
{
	return p->proto == XRS_PROTO_UDP && (p->dport == XRS_NET16(XRS_BFD_PORT) ||
					     p->dport == XRS_NET16(XRS_BFD_PORT_MULTIHOP));
}

/* What RFC 5880 6.8.6 says without a session. */
XRS_INLINE bool xrs_bfd_is_sane(const struct xrs_packet *p, const struct xrs_bfd_wire *w)
{
	return w->version_diag >> 5 == 1 && w->len >= XRS_BFD_LEN &&
	       w->len + XRS_UDP_LEN <= p->l4_len && w->multiplier && w->my_discr &&
	       !(w->flags & XRS_BFD_FLAG_MULTI);
}

/* By Your Discriminator, whose low bits are the slot; without it by the addresses. */
XRS_INLINE struct xrs_bfd *xrs_bfd_find(const struct xrs_packet *p, const struct xrs_bfd_wire *w)
{
	__u32 discr = XRS_NET32(w->your_discr), slot = discr & (XRS_BFD_MAX - 1);
	struct xrs_bfd_key key = {};
	struct xrs_bfd *entry;
	__u32 *found;

	if (!discr) {
		__builtin_memcpy(key.peer, p->src, sizeof(key.peer));
		__builtin_memcpy(key.local, p->dst, sizeof(key.local));
		found = bpf_map_lookup_elem(&xrs_bfd_peer, &key);
		if (!found)
			return NULL;
		slot = *found;
	}
	entry = bpf_map_lookup_elem(&xrs_bfd, &slot);
	if (!entry || !entry->local_discr || (discr && entry->local_discr != discr))
		return NULL;
	return entry;
}

XRS_INLINE bool xrs_bfd_same(const __u32 *a, const __u8 *b)
{
	__u32 differ = 0;

	for (int i = 0; i < 4; i++)
		differ |= a[i] ^ XRS_LOAD(__u32, b + 4 * i);
	return !differ;
}

/* From the peer, to the port of the session, and over one hop where it has to be (RFC 5881 5). */
XRS_INLINE bool xrs_bfd_is_of(const struct xrs_packet *p, const struct xrs_bfd *entry)
{
	return entry->family == p->family && p->dport == XRS_NET16(entry->port) &&
	       (entry->port != XRS_BFD_PORT || p->ttl == 255) &&
	       xrs_bfd_same(p->src, entry->peer) && xrs_bfd_same(p->dst, entry->local);
}

/* Only what is being watched, and has not been missed yet. */
XRS_INLINE void xrs_bfd_move(struct xrs_bfd *entry, __u64 now, __u64 deadline)
{
	__u64 old = *(volatile __u64 *)&entry->deadline_ns;

	if (old && now < old)
		__sync_val_compare_and_swap(&entry->deadline_ns, old, deadline);
}

/*
 * RFC 5880 6.8.4. A peer that says anything but Up does not hear us: that is no failure of its own.
 *
 * Nobody has looked at the digest of an authenticated packet here. So what it says of its intervals does not count,
 * and who forges one can put the deadline off, but not bring it forward: the engine, which looks at digests, has
 * a deadline of its own, and declares dead by the authentic packets alone.
 */
XRS_INLINE void xrs_bfd_take(struct xrs_bfd *entry, const struct xrs_bfd_wire *w)
{
	__u32 min_rx = *(volatile __u32 *)&entry->min_rx_usec, min_tx = XRS_NET32(w->min_tx);
	__u32 auth = *(volatile __u32 *)&entry->auth_usec;
	__u64 now = bpf_ktime_get_ns();
	__u64 detect = (__u64)w->multiplier * (min_rx > min_tx ? min_rx : min_tx);

	if (!min_rx || !auth != !(w->flags & XRS_BFD_FLAG_AUTH))
		return;
	if (auth)
		detect = auth;
	__sync_fetch_and_add(&entry->packets, 1);
	entry->remote_state = w->flags >> 6;
	if (entry->remote_state != XRS_BFD_UP) {
		xrs_bfd_move(entry, now, 0);
		return;
	}
	entry->last_rx_ns = now;
	entry->detect_usec = detect;
	xrs_bfd_move(entry, now, now + detect * 1000);
}

/* The packet, if it is BFD and of one of our sessions. */
XRS_INLINE void xrs_bfd_look(const __u8 *start, const __u8 *end, const struct xrs_packet *p)
{
	const struct xrs_bfd_wire *wire;
	struct xrs_bfd *entry;

	if (!xrs_is_bfd(p) || p->l4_off > XRS_BFD_L4_MAX)
		return;
	wire = (const void *)(start + p->l4_off + XRS_UDP_LEN);
	if ((const __u8 *)(wire + 1) > end || !xrs_bfd_is_sane(p, wire))
		return;
	entry = xrs_bfd_find(p, wire);
	if (entry && xrs_bfd_is_of(p, entry))
		xrs_bfd_take(entry, wire);
}

/*
 * The same for a frame that is to the host's own MAC rather than the gateway's: nobody has looked further into it.
 * Only a short one is worth it.
 */
XRS_INLINE void xrs_bfd_look_ether(const __u8 *start, const __u8 *end, const struct xrs_packet *p)
{
	struct xrs_packet own = { .frame_len = p->frame_len };

	if (p->family || p->frame_len > XRS_BFD_FRAME_MAX) {
		xrs_bfd_look(start, end, p);
		return;
	}
	if (xrs_parse_ether(start, end, &own) == XRS_GO_ON &&
	    xrs_parse_ip(start, end, &own) == XRS_GO_ON)
		xrs_bfd_look(start, end, &own);
}

/* For frames that are passed: functions of their own, so that the verifier walks through them once. */
__attribute__((noinline)) int xrs_bfd_look_xdp(struct xdp_md *ctx, const struct xrs_packet *p)
{
	if (p)
		xrs_bfd_look_ether((void *)(long)ctx->data, (void *)(long)ctx->data_end, p);
	return 0;
}

__attribute__((noinline)) int xrs_bfd_look_skb(struct __sk_buff *skb, const struct xrs_packet *p)
{
	if (p)
		xrs_bfd_look_ether((void *)(long)skb->data, (void *)(long)skb->data_end, p);
	return 0;
}

/* On an uplink whose own MAC is the one to send to, all is parsed; and less of the stack is left. */
__attribute__((noinline)) int xrs_bfd_look_uplink(struct xdp_md *ctx, const struct xrs_packet *p)
{
	if (p)
		xrs_bfd_look((void *)(long)ctx->data, (void *)(long)ctx->data_end, p);
	return 0;
}

/* Set by the loader: the kernel tells the clock of the last tick (5.11). */
const volatile bool xrs_has_coarse = true;

/*
 * Has the deadline of a next hop's session passed? The clock of the last tick is behind by a tick at most,
 * 10 ms, and costs a tenth of the other, which is read only when it matters.
 */
__attribute__((noinline)) int xrs_bfd_is_dead(__u32 session)
{
	const struct xrs_bfd *entry = bpf_map_lookup_elem(&xrs_bfd, &session);
	__u64 deadline = entry ? *(const volatile __u64 *)&entry->deadline_ns : 0;

	if (!deadline || (xrs_has_coarse && bpf_ktime_get_coarse_ns() + XRS_BFD_TICK_NS < deadline))
		return 0;
	return bpf_ktime_get_ns() >= deadline;
}

XRS_INLINE bool xrs_bfd_is_usable(__u32 nexthop)
{
	const struct xrs_nexthop *nh = bpf_map_lookup_elem(&xrs_nexthop, &nexthop);

	return nexthop && nh && !(nh->bfd && xrs_bfd_is_dead(nh->bfd));
}

/*
 * In place of a dead member of @bucket: the one that will have it when xrsd has written the group anew;
 * if that is dead as well, whom some other buckets have. 0: nobody.
 */
__attribute__((noinline)) __u32 xrs_bfd_other(__u32 group, __u32 bucket)
{
	const struct xrs_bucket *buckets = bpf_map_lookup_elem(&xrs_bucket, &group);
	__u32 nexthop;

	if (!buckets)
		return 0;
	nexthop = buckets->next[bucket & (XRS_BUCKETS - 1)];
	if (xrs_bfd_is_usable(nexthop))
		return nexthop;
	for (__u32 i = 1; i < XRS_BUCKETS; i += XRS_BUCKETS / XRS_MEMBERS_MAX) {
		nexthop = buckets->member[(bucket + i) & (XRS_BUCKETS - 1)];
		if (xrs_bfd_is_usable(nexthop))
			return nexthop;
	}
	return 0;
}

#endif
