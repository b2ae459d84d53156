/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nic -> table -> route -> group -> bucket -> next hop: where a packet goes.
 *
 * Called by both programs. Only reads maps. Each step leaves what it found in the decision record, so
 * that a probe (nic.showNextHop) and a trace tell how far the packet came.
 */
#ifndef XRS_LOOKUP_BPF_H
#define XRS_LOOKUP_BPF_H

#include "admit.bpf.h"
#include "bfd.bpf.h"
#include "drain.bpf.h"
#include "fast.bpf.h"
#include "flow.bpf.h"
#include "maps.bpf.h"
#include "trie.bpf.h"

XRS_INLINE const struct xrs_nic *xrs_find_nic(__u32 ifindex)
{
	struct xrs_nic_key key = { .ifindex = ifindex };

	return bpf_map_lookup_elem(&xrs_nic, &key);
}

/* A route of the trie as the leaf that the derived structure would have. */
XRS_INLINE __u32 xrs_route_leaf(const struct xrs_route *route)
{
	__u32 kind = route->kind, group = route->group;

	if (kind > XRS_FAST_KIND_MASK)
		kind = XRS_FAST_KIND_MASK;
	if (group > XRS_FAST_GROUP_MASK)
		group = 0;
	return route->prefix_len | group << XRS_FAST_GROUP_SHIFT | kind << XRS_FAST_KIND_SHIFT;
}

/* A leaf; 0: no route. With XRS_FAST_NODE set: no table. */
XRS_INLINE __u32 xrs_trie_find(const struct xrs_packet *p, __u32 table)
{
	void *trie = xrs_trie(p->family, table);
	const struct xrs_route *route;

	if (!trie)
		return XRS_FAST_NODE;
	route = p->family == 4 ? xrs_trie_match4(trie, 32, p->dst)
			       : xrs_trie_match6(trie, 128, p->dst);
	return route ? xrs_route_leaf(route) : 0;
}

/* The trie alone, walked through by the verifier once for each family. */
__attribute__((noinline)) __u32 xrs_trie4_once(__u32 dst, __u32 table)
{
	struct xrs_packet p = { .family = 4, .dst = { dst } };

	return xrs_trie_find(&p, table);
}

__attribute__((noinline)) __u32 xrs_trie6_once(__u64 first, __u64 last, __u32 table)
{
	struct xrs_packet p = { .family = 6, .dst = { first, first >> 32, last, last >> 32 } };

	return xrs_trie_find(&p, table);
}

/* The same outside of the caller: the keys of tries take much of a stack. */
XRS_INLINE __u32 xrs_trie_find_apart(const struct xrs_packet *p, __u32 table)
{
	if (p->family == 4)
		return xrs_trie4_once(p->dst[0], table);
	return xrs_trie6_once((__u64)p->dst[1] << 32 | p->dst[0],
			      (__u64)p->dst[3] << 32 | p->dst[2], table);
}

/* The derived structure, or the trie where it does not answer. Walked through by the verifier once. */
__attribute__((noinline)) __u32 xrs_find_route_once(const struct xrs_packet *p, __u32 table)
{
	__u32 leaf;

	if (!p)
		return XRS_FAST_NODE;
	leaf = xrs_fast_find(p, table);
	return leaf & XRS_FAST_NODE ? xrs_trie_find_apart(p, table) : leaf;
}

/* What a route means by itself; XRS_GO_ON: its group decides. */
XRS_INLINE enum xrs_reason xrs_route_reason(enum xrs_route_kind kind)
{
	switch (kind) {
	case XRS_ROUTE_STEER:
		return XRS_GO_ON;
	case XRS_ROUTE_LOCAL:
		return XRS_REASON_LOCAL;
	case XRS_ROUTE_INTERNET:
		return XRS_REASON_INTERNET;
	case XRS_ROUTE_DROP:
		return XRS_REASON_NONE;
	case XRS_ROUTE_PROTECTED:
		return XRS_REASON_PROTECTED;
	}
	return XRS_REASON_NO_ROUTE;
}

/* @nh drains: does it have this flow, rather than the heir of the bucket? Of a dead one nothing is left. */
XRS_INLINE bool xrs_keeps_flow(const struct xrs_nic *nic, const struct xrs_packet *p,
			       const struct xrs_nexthop *nh, __u32 heir,
			       const struct xrs_decision *d)
{
	if (!xrs_drain_takes(heir))
		return true;
	return nh->way != XRS_WAY_NONE &&
	       xrs_drain_stays(p, nh->drain_ns, nic->flags & XRS_NIC_F_SYMMETRIC,
			       d->magic != XRS_PROBE_MAGIC);
}

/* The member of @group that this flow belongs to; NULL when nobody is alive. */
XRS_INLINE const struct xrs_nexthop *xrs_find_nexthop(const struct xrs_nic *nic,
						      const struct xrs_packet *p, __u32 group,
						      struct xrs_decision *d)
{
	const struct xrs_bucket *buckets = bpf_map_lookup_elem(&xrs_bucket, &group);
	const struct xrs_nexthop *nh;
	__u32 heir;

	d->hash = xrs_flow_hash(p, nic->flags & XRS_NIC_F_SYMMETRIC);
	d->bucket = d->hash & (XRS_BUCKETS - 1);
	if (!buckets)
		return NULL;
	d->nexthop = buckets->member[d->hash & (XRS_BUCKETS - 1)];
	if (!d->nexthop)
		return NULL;
	nh = bpf_map_lookup_elem(&xrs_nexthop, &d->nexthop);
	if (!nh || !(nh->bfd | nh->drain_ns))
		return nh;
	if (!nh->bfd || !xrs_bfd_is_dead(nh->bfd)) {
		heir = buckets->next[d->hash & (XRS_BUCKETS - 1)];
		if (!nh->drain_ns || xrs_keeps_flow(nic, p, nh, heir, d))
			return nh;
		d->nexthop = heir;
		return bpf_map_lookup_elem(&xrs_nexthop, &d->nexthop);
	}
	d->nexthop = xrs_bfd_other(group, d->bucket);
	return d->nexthop ? bpf_map_lookup_elem(&xrs_nexthop, &d->nexthop) : NULL;
}

/* Never back to the appliance that the frame came from. */
XRS_INLINE bool xrs_is_self_loop(const struct xrs_packet *p, const struct xrs_nexthop *nh,
				 __u32 ifindex)
{
	return nh->ifindex == ifindex || xrs_mac_equal(nh->dmac, p->smac);
}

/* How the frame leaves through this next hop. */
XRS_INLINE enum xrs_reason xrs_way_reason(const struct xrs_packet *p, const struct xrs_nexthop *nh,
					  __u32 ifindex)
{
	enum xrs_way way = *(const volatile enum xrs_way *)&nh->way;

	if (way == XRS_WAY_NONE)
		return XRS_REASON_NO_NEXTHOP;
	if (way != XRS_WAY_REDIRECT && way != XRS_WAY_BRIDGE && way != XRS_WAY_VXLAN)
		return XRS_REASON_TO_KERNEL;
	if (xrs_is_self_loop(p, nh, ifindex))
		return XRS_REASON_SELF_LOOP;
	if (nh->mtu && xrs_l3_out(p) > nh->mtu)
		return XRS_REASON_TOO_BIG;
	if (way != XRS_WAY_BRIDGE)
		return way == XRS_WAY_VXLAN ? XRS_REASON_ENCAPSULATED : XRS_REASON_REDIRECTED;
	/* The frame stays in the VLAN it is in: the bridge would look for the next hop there. */
	return xrs_vid(p) == nh->vlan ? XRS_REASON_BRIDGED : XRS_REASON_VLAN_MISMATCH;
}

/* The local VM that has the destination address; NULL: none, or nobody knows yet. */
XRS_INLINE const struct xrs_nexthop *xrs_find_host(__u32 vnet, const struct xrs_packet *p)
{
	struct xrs_host_key key = { .vnet = vnet, .family = p->family };

	__builtin_memcpy(key.addr, p->dst, sizeof(key.addr));
	return bpf_map_lookup_elem(&xrs_host, &key);
}

/* From a DHCP server to its client: xrs_snoop_out has to see it, and sees what the kernel sends. */
XRS_INLINE bool xrs_is_dhcp_answer(const struct xrs_packet *p)
{
	return p->proto == XRS_PROTO_UDP &&
	       p->dport == XRS_NET16(p->family == 4 ? XRS_DHCP_CLIENT : XRS_DHCP6_CLIENT);
}

/* A packet from an appliance for this vnet: XRS_REASON_DELIVERED with *ret_nh, or as without the table. */
XRS_INLINE enum xrs_reason xrs_deliver(__u32 vnet, const struct xrs_packet *p, __u32 ifindex,
				       const struct xrs_nexthop **ret_nh)
{
	const struct xrs_nexthop *host = xrs_find_host(vnet, p);

	if (!host || xrs_is_self_loop(p, host, ifindex) || xrs_is_dhcp_answer(p))
		return XRS_REASON_LOCAL;
	*ret_nh = host;
	return host->mtu && xrs_l3_out(p) > host->mtu ? XRS_REASON_TOO_BIG : XRS_REASON_DELIVERED;
}

/*
 * From the route table to the way out: a reason with *ret_nh, still to be carried out; without, final.
 */
XRS_INLINE enum xrs_reason xrs_choose(const struct xrs_nic *nic, const struct xrs_packet *p,
				      struct xrs_decision *d, const struct xrs_nexthop **ret_nh)
{
	__u32 leaf = xrs_find_route_once(p, nic->table);
	enum xrs_reason reason;

	d->table = nic->table;
	if (!leaf || leaf & XRS_FAST_NODE)
		return leaf ? XRS_REASON_NO_TABLE : XRS_REASON_NO_ROUTE;
	d->kind = leaf >> XRS_FAST_KIND_SHIFT & XRS_FAST_KIND_MASK;
	d->prefix_len = leaf & 0xff;
	d->routed = 1;
	reason = xrs_route_reason(d->kind);
	if (reason == XRS_REASON_LOCAL && nic->role == XRS_NIC_NVA)
		return xrs_deliver(nic->vnet, p, d->ifindex, ret_nh);
	if (reason != XRS_GO_ON)
		return reason;
	d->group = leaf >> XRS_FAST_GROUP_SHIFT & XRS_FAST_GROUP_MASK;
	*ret_nh = xrs_find_nexthop(nic, p, d->group, d);
	return *ret_nh ? xrs_way_reason(p, *ret_nh, d->ifindex) : XRS_REASON_NO_NEXTHOP;
}

#endif
