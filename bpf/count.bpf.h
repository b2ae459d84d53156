/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of nics, next hops and routes; trace records.
 *
 * Called by both programs, once for each frame, with the reason of its last exit. A test run never
 * gets here. A nic that is not in xrs_nic counts in slot 0.
 */
#ifndef XRS_COUNT_BPF_H
#define XRS_COUNT_BPF_H

#include "admit.bpf.h"
#include "maps.bpf.h"

/*
 * Set by the loader. Counters by route and traces are in the programs of nics that want them alone: for the
 * others this is a constant to the verifier, which takes out what cannot be reached.
 */
const volatile bool xrs_observes = true;

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

/* --- by route, when that is switched on ---------------------------------------------------------------- */
/* @n words of @addr with all but the first @len bits zero. */
XRS_INLINE void xrs_mask(__u8 *ret, const __u32 *addr, __u32 len)
{
	for (__u32 i = 0; i < 4; i++) {
		__u32 bits = len > 32 * i ? len - 32 * i : 0;
		__u32 mask = bits >= 32 ? ~0u : bits ? ~0u << (32 - bits) : 0;

		XRS_STORE(__u32, ret + 4 * i, addr[i] & XRS_NET32(mask));
	}
}

__attribute__((noinline)) int xrs_count_route_once(const struct xrs_packet *p,
						   const struct xrs_decision *d)
{
	struct xrs_route_stats first = { .packets = 1 }, *stats;
	struct xrs_route_stats_key key = { 0 };

	if (!p || !d)
		return 0;
	key.table = d->table;
	key.family = p->family;
	key.prefix_len = d->prefix_len;
	xrs_mask(key.addr, p->dst, d->prefix_len);
	stats = bpf_map_lookup_elem(&xrs_route_stats, &key);
	if (stats) {
		__sync_fetch_and_add(&stats->packets, 1);
		__sync_fetch_and_add(&stats->bytes, p->frame_len);
		stats->last = bpf_ktime_get_ns();
		return 1;
	}
	first.bytes = p->frame_len;
	first.last = bpf_ktime_get_ns();
	/* Two CPUs may come at once: the second's packet is not counted, the entry stays. */
	return !bpf_map_update_elem(&xrs_route_stats, &key, &first, BPF_NOEXIST);
}

/* A frame that is left to the tc half is counted there. */
XRS_INLINE void xrs_count_route(const struct xrs_nic *nic, const struct xrs_packet *p,
				const struct xrs_decision *d)
{
	if (xrs_observes && nic && nic->flags & XRS_NIC_F_ROUTES && d->routed &&
	    d->reason != XRS_REASON_TO_TC)
		xrs_count_route_once(p, d);
}

#define XRS_TRACE_BURST_NS 1000000000ull /* the records of a second may come at once */

/* --- traces --------------------------------------------------------------------------------------------- */
XRS_INLINE bool xrs_trace_wants(const struct xrs_trace_rule *rule, const struct xrs_packet *p,
				const struct xrs_decision *d)
{
	__u32 words = rule->family == 6 ? 4 : 1;

	if ((rule->reasons && !(rule->reasons >> (d->reason & 63) & 1)) ||
	    (rule->proto && rule->proto != p->proto) ||
	    (rule->sport && rule->sport != XRS_NET16(p->sport)) ||
	    (rule->dport && rule->dport != XRS_NET16(p->dport)))
		return false;
	if (!rule->family)
		return true;
	if (rule->family != p->family)
		return false;
	if (words == 1)
		return xrs_in_prefix(p->src, rule->src, rule->src_len, 1) &&
		       xrs_in_prefix(p->dst, rule->dst, rule->dst_len, 1);
	return xrs_in_prefix(p->src, rule->src, rule->src_len, 4) &&
	       xrs_in_prefix(p->dst, rule->dst, rule->dst_len, 4);
}

XRS_INLINE bool xrs_trace_is_due(const struct xrs_trace_rule *rule)
{
	__u64 now = bpf_ktime_get_ns(), *due;
	__u32 zero = 0;

	if (rule->sample > 1 && bpf_get_prandom_u32() % rule->sample)
		return false;
	due = bpf_map_lookup_elem(&xrs_trace_due, &zero);
	if (!due || *due > now + XRS_TRACE_BURST_NS - rule->gap_ns)
		return false;
	*due = (*due > now ? *due : now) + rule->gap_ns;
	return true;
}

__attribute__((noinline)) int xrs_trace_once(const struct xrs_packet *p,
					     const struct xrs_decision *d, __u32 tc)
{
	const struct xrs_trace_rule *rule;
	struct xrs_trace_record *record;
	__u32 zero = 0;

	rule = bpf_map_lookup_elem(&xrs_trace_rule, &zero);
	if (!p || !d || !rule || !xrs_trace_wants(rule, p, d) || !xrs_trace_is_due(rule))
		return 0;
	record = bpf_ringbuf_reserve(&xrs_trace, sizeof(*record), 0);
	if (!record)
		return 0;
	__builtin_memset(record, 0, sizeof(*record));
	record->when = bpf_ktime_get_ns();
	record->decision = *d;
	__builtin_memcpy(record->src, p->src, sizeof(record->src));
	__builtin_memcpy(record->dst, p->dst, sizeof(record->dst));
	record->sport = XRS_NET16(p->sport);
	record->dport = XRS_NET16(p->dport);
	record->proto = p->proto;
	record->ttl = p->ttl;
	record->tc = tc;
	record->len = p->frame_len;
	bpf_ringbuf_submit(record, 0);
	return 1;
}

/* What is seen is the decision, not what is left to the other half. */
XRS_INLINE void xrs_trace_decision(const struct xrs_nic *nic, const struct xrs_packet *p,
				   const struct xrs_decision *d, bool tc)
{
	if (xrs_observes && nic && nic->flags & XRS_NIC_F_TRACE && d->reason != XRS_REASON_TO_TC)
		xrs_trace_once(p, d, tc);
}

#endif
