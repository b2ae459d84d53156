/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters, next-hop counters, trace records.
 *
 * Called by both programs, once for each frame, with the reason of its last exit. A test run never
 * gets here. A nic that is not in xrs_nic counts in slot 0.
 */
#ifndef XRS_COUNT_BPF_H
#define XRS_COUNT_BPF_H

#include "maps.bpf.h"
#include "parse.bpf.h"

XRS_INLINE bool xrs_is_steered(enum xrs_reason reason)
{
	return reason <= XRS_REASON_TC_DELIVERED;
}

XRS_INLINE void xrs_count_nexthop(__u32 nexthop, __u32 bytes)
{
	struct xrs_nh_stats *stats;

	if (!nexthop)
		return;
	stats = bpf_map_lookup_elem(&xrs_nh_stats, &nexthop);
	if (!stats)
		return;
	stats->packets++;
	stats->bytes += bytes;
}

XRS_INLINE void xrs_count(__u32 slot, enum xrs_reason reason, __u32 nexthop, __u32 bytes)
{
	struct xrs_nic_stats *stats = bpf_map_lookup_elem(&xrs_stats, &slot);
	__u32 index = reason;

	/* The number that is compared has to be the one that is used: the verifier follows registers. */
	asm volatile("" : "+r"(index));
	if (!stats || index >= XRS_REASON_MAX)
		return;
	((__u64 *)stats)[index]++;
	if (!xrs_is_steered(reason))
		return;
	stats->bytes_steered += bytes;
	xrs_count_nexthop(nexthop, bytes);
}

XRS_INLINE void xrs_trace_decision(const struct xrs_nic *nic, struct xrs_decision *d)
{
	if (nic && nic->flags & XRS_NIC_F_TRACE)
		bpf_ringbuf_output(&xrs_trace, d, sizeof(*d), 0);
}

#endif
