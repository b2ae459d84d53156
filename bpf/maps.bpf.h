/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps, all of them. Types and limits are dataplane.h's; xrs-bpf(7) says who writes each.
 *
 * Included by the headers that look something up. libbpf creates what is not pinned yet
 * (user/fib/loader.c); user/fib/fib_maps.c makes the tries behind xrs_table and xrs_table6 with the
 * same parameters as the templates here.
 */
#ifndef XRS_MAPS_BPF_H
#define XRS_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "dataplane.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xrs_meta);
} xrs_meta SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XRS_NIC_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xrs_nic_key);
	__type(value, struct xrs_nic);
} xrs_nic SEC(".maps");

/* Mapped by userspace: see there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XRS_NIC_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct xrs_near);
} xrs_near SEC(".maps");

/*
 * clang writes only forward declarations into BTF for types that appear in a map inside a map. A variable
 * of each brings in the whole.
 */
const volatile struct xrs_key4 xrs_btf_key4 = {};
const volatile struct xrs_key6 xrs_btf_key6 = {};
const volatile struct xrs_route xrs_btf_route = {};

struct xrs_trie4 {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, XRS_ROUTE_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xrs_key4);
	__type(value, struct xrs_route);
};

struct xrs_trie6 {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, XRS_ROUTE_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xrs_key6);
	__type(value, struct xrs_route);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, XRS_TABLE_MAX);
	__type(key, __u32);
	__array(values, struct xrs_trie4);
} xrs_table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, XRS_TABLE_MAX);
	__type(key, __u32);
	__array(values, struct xrs_trie6);
} xrs_table6 SEC(".maps");

/* Chunks of derived structures: user/fib/fast_memory.c makes them. */
#define XRS_FAST_CHUNK(name)                             \
	struct name##_chunk {                            \
		__uint(type, BPF_MAP_TYPE_ARRAY);        \
		__uint(max_entries, 1);                  \
		__uint(map_flags, BPF_F_MMAPABLE);       \
		__uint(key_size, sizeof(__u32));         \
		__uint(value_size, sizeof(struct name)); \
	}
XRS_FAST_CHUNK(xrs_fast_small);
XRS_FAST_CHUNK(xrs_fast_middle);
XRS_FAST_CHUNK(xrs_fast_large);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, XRS_FAST_MAX);
	__type(key, __u32);
	__array(values, struct xrs_fast_small_chunk);
} xrs_fast_small SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, XRS_FAST_MAX);
	__type(key, __u32);
	__array(values, struct xrs_fast_middle_chunk);
} xrs_fast_middle SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, XRS_FAST_MAX *XRS_FAST_CHUNKS);
	__type(key, __u32);
	__array(values, struct xrs_fast_large_chunk);
} xrs_fast_large SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XRS_FAST_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct xrs_fast_head);
} xrs_fast_head SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XRS_GROUP_MAX);
	__type(key, __u32);
	__type(value, struct xrs_group);
} xrs_group SEC(".maps");

/* Mapped by userspace: the death of an appliance is a store, not a system call. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XRS_GROUP_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct xrs_bucket);
} xrs_bucket SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XRS_NEXTHOP_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct xrs_nexthop);
} xrs_nexthop SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XRS_HOST_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xrs_host_key);
	__type(value, struct xrs_nexthop);
} xrs_host SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XRS_VNI_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xrs_vni_key);
	__type(value, struct xrs_vni);
} xrs_vni SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, XRS_NIC_MAX);
	__type(key, __u32);
	__type(value, __u32);
} xrs_devmap SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XRS_NIC_MAX);
	__type(key, __u32);
	__type(value, struct xrs_nic_stats);
} xrs_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XRS_NEXTHOP_MAX);
	__type(key, __u32);
	__type(value, struct xrs_nh_stats);
} xrs_nh_stats SEC(".maps");

/* Mapped by the BFD engine. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XRS_BFD_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct xrs_bfd);
} xrs_bfd SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XRS_BFD_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xrs_bfd_key);
	__type(value, __u32);
} xrs_bfd_peer SEC(".maps");

/* All allocated at load: a flow must find its place in the middle of traffic. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, XRS_DRAIN_MAX);
	__type(key, struct xrs_drain_key);
	__type(value, struct xrs_drain_flow);
} xrs_drain SEC(".maps");

/* Not before this time, in nanoseconds since boot, less the burst, may a nic's next ICMP error go out. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XRS_NIC_MAX);
	__type(key, __u32);
	__type(value, __u64);
} xrs_icmp SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XRS_ROUTE_STATS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xrs_route_stats_key);
	__type(value, struct xrs_route_stats);
} xrs_route_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XRS_LEARNED_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct xrs_learned_key);
	__type(value, struct xrs_learned);
} xrs_learned SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XRS_NIC_MAX);
	__type(key, __u32);
	__type(value, struct xrs_snoop_nic);
} xrs_snoop_nic SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, XRS_SNOOP_BYTES);
} xrs_snoop SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xrs_trace_rule);
} xrs_trace_rule SEC(".maps");

/* The time that the records of this CPU have used up. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} xrs_trace_due SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, XRS_TRACE_BYTES);
} xrs_trace SEC(".maps");

#endif
