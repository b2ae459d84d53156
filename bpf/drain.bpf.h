/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Draining: flows that run through a next hop stay there, new ones go to the heir of their bucket.
 *
 * Called by lookup.bpf.h of both programs, for next hops with drain_ns only. No flow is known from before
 * the drain, so a TCP packet tells by its flags, and anything else by whether its flow was there in the
 * first XRS_DRAIN_LEARN_NS. What was decided is kept in xrs_drain.
 *
 *   in xrs_drain, of this drain    as it says
 *   TCP with SYN                   new, kept
 *   TCP without                    running
 *   the rest, at first             running, kept
 *   the rest, later                new, kept
 *
 * A SYN-ACK counts as a SYN: the other direction may enter at a host that never sees the SYN. Fragments have
 * no ports and no flags: their flow is addresses and protocol.
 */
#ifndef XRS_DRAIN_BPF_H
#define XRS_DRAIN_BPF_H

#include "bfd.bpf.h"
#include "maps.bpf.h"
#include "parse.bpf.h"

#define XRS_TCP_SYN 0x02

/* Which end comes first; where both directions share a bucket they share an entry as well. */
XRS_INLINE bool xrs_drain_swaps(const struct xrs_packet *p)
{
	for (int i = 0; i < 4; i++) {
		if (p->src[i] != p->dst[i])
			return p->src[i] > p->dst[i];
	}
	return p->sport > p->dport;
}

XRS_INLINE void xrs_drain_key(const struct xrs_packet *p, bool symmetric, struct xrs_drain_key *ret)
{
	bool swap = symmetric && xrs_drain_swaps(p);

	__builtin_memcpy(ret->a, swap ? p->dst : p->src, sizeof(ret->a));
	__builtin_memcpy(ret->b, swap ? p->src : p->dst, sizeof(ret->b));
	ret->a_port = swap ? p->dport : p->sport;
	ret->b_port = swap ? p->sport : p->dport;
	ret->proto = p->proto;
	ret->family = p->family;
}

/*
 * Does this packet's flow stay with the next hop whose drain began at @since? A probe (@keep is 0) is
 * answered and leaves nothing behind.
 */
__attribute__((noinline)) bool xrs_drain_stays(const struct xrs_packet *p, __u64 since,
					       __u32 symmetric, __u32 keep)
{
	struct xrs_drain_flow flow = { .since_ns = since }, *known;
	struct xrs_drain_key key = {};
	bool tcp;

	if (!p)
		return true;
	tcp = p->proto == XRS_PROTO_TCP && !p->fragment;
	xrs_drain_key(p, symmetric, &key);
	known = bpf_map_lookup_elem(&xrs_drain, &key);
	if (known && known->since_ns == since)
		return !known->is_new;
	if (tcp && !(p->tcp_flags & XRS_TCP_SYN))
		return true;
	flow.is_new = tcp || bpf_ktime_get_ns() - since >= XRS_DRAIN_LEARN_NS;
	if (keep)
		bpf_map_update_elem(&xrs_drain, &key, &flow, BPF_ANY);
	return !flow.is_new;
}

/* The heir takes new flows: alive, and not draining itself. */
XRS_INLINE bool xrs_drain_takes(__u32 heir)
{
	const struct xrs_nexthop *nh = bpf_map_lookup_elem(&xrs_nexthop, &heir);

	return heir && nh && nh->way != XRS_WAY_NONE && !nh->drain_ns &&
	       !(nh->bfd && xrs_bfd_is_dead(nh->bfd));
}

#endif
