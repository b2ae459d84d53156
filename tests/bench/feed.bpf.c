// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the lookup benchmark runs: a program that writes the next destination of a list into the frame and
 * hands it to the program that is measured, and the programs to compare with. One test run repeats over one
 * frame; without the list every packet would go where the last one went.
 *
 * The maps of bpf/ are those of the running instance (bench_lookup.c gives their descriptors).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "dataplane.h"
#include "parse.bpf.h"
#include "lookup.bpf.h"
#include "rewrite.bpf.h"

char feed_license[] SEC("license") = "GPL";

#define FEED_MAX     (1u << 20)
#define FEED_BEHIND  (1u << 20)
#define FEED_GOES_ON (1u << 31)
#define FEED_WINDOW  (1u << 12)
#define FEED_TIMES   32
#define AF_INET_     2
#define AF_INET6_    10

struct feed_dst {
	__u32 addr[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FEED_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct feed_dst);
} feed_list SEC(".maps");

/* The first 24 bits of an address as an index, and a second one for what goes on behind them: to compare with. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1u << 24);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u32);
} feed_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FEED_BEHIND);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u32);
} feed_behind SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} feed_next SEC(".maps");

struct feed_shape {
	__u64 cursor;
	__u32 mask;    /* of the list */
	__u32 l3;      /* where the IP header is */
	__u8 mac[12];  /* what the frame came with: the program that ran before changed it */
	__u32 table;   /* for the programs that only look up */
	__u32 fast[2]; /* its structures, as in xrs_near */
	__u32 ifindex;
	__u64 sum;               /* so that no lookup can be left out */
	__u32 generator;         /* where generate() sends to */
	__u32 header_sum;        /* of the IPv4 header without its checksum and destination */
	__u64 sunk;              /* frames that arrived, all on one CPU */
	__u64 times[FEED_TIMES]; /* when the first of each FEED_WINDOW did */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct feed_shape);
} feed_shape SEC(".maps");

XRS_INLINE struct feed_shape *shape(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&feed_shape, &zero);
}

XRS_INLINE const struct feed_dst *next(struct feed_shape *s)
{
	__u32 at = s->cursor++ & s->mask;

	return bpf_map_lookup_elem(&feed_list, &at);
}

XRS_INLINE int feed(struct xdp_md *ctx, bool six)
{
	__u8 *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *ip;
	struct feed_shape *s = shape();
	const struct feed_dst *dst = s ? next(s) : NULL;
	__u32 l3;

	if (!dst)
		return XDP_ABORTED;
	l3 = s->l3 & 31;
	ip = start + l3;
	if (start + sizeof(s->mac) > end || ip + 40 > end)
		return XDP_ABORTED;
	__builtin_memcpy(start, s->mac, sizeof(s->mac));
	if (six) {
		ip[7] = 64;
		__builtin_memcpy(ip + 24, dst->addr, 16);
	} else {
		ip[8] = 64;
		__builtin_memcpy(ip + 16, dst->addr, 4);
	}
	bpf_tail_call(ctx, &feed_next, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int feed_v4(struct xdp_md *ctx)
{
	return feed(ctx, false);
}

SEC("xdp")
int feed_v6(struct xdp_md *ctx)
{
	return feed(ctx, true);
}

/* --- frames on real devices: one CPU sends, forwards and counts them ----------------------------------- */
/* Runs with BPF_F_TEST_XDP_LIVE_FRAMES; what forwards it may be the kernel, so that the checksum is right. */
XRS_INLINE struct feed_shape *make_v4(struct xdp_md *ctx)
{
	__u8 *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *ip = start + 14;
	struct feed_shape *s = shape();
	const struct feed_dst *dst = s ? next(s) : NULL;
	__u32 sum;

	if (!dst || ip + 20 > end)
		return NULL;
	__builtin_memcpy(start, s->mac, sizeof(s->mac));
	ip[8] = 64;
	XRS_STORE(__u32, ip + 16, dst->addr[0]);
	sum = s->header_sum + (dst->addr[0] & 0xffff) + (dst->addr[0] >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	XRS_STORE(__u16, ip + 10, (__u16)~sum);
	return s;
}

XRS_INLINE struct feed_shape *make_v6(struct xdp_md *ctx)
{
	__u8 *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *ip = start + 14;
	struct feed_shape *s = shape();
	const struct feed_dst *dst = s ? next(s) : NULL;

	if (!dst || ip + 40 > end)
		return NULL;
	__builtin_memcpy(start, s->mac, sizeof(s->mac));
	ip[7] = 64;
	__builtin_memcpy(ip + 24, dst->addr, 16);
	return s;
}

XRS_INLINE int generate(const struct feed_shape *s)
{
	return s ? bpf_redirect_map(&xrs_devmap, s->generator, 0) : XDP_ABORTED;
}

SEC("xdp")
int generate_v4(struct xdp_md *ctx)
{
	return generate(make_v4(ctx));
}

SEC("xdp")
int generate_v6(struct xdp_md *ctx)
{
	return generate(make_v6(ctx));
}

/* The same as the kernel's own buffers, which is what a socket sends: by way of the loopback device. */
SEC("xdp")
int generate_skb_v4(struct xdp_md *ctx)
{
	return make_v4(ctx) ? XDP_PASS : XDP_ABORTED;
}

SEC("xdp")
int generate_skb_v6(struct xdp_md *ctx)
{
	return make_v6(ctx) ? XDP_PASS : XDP_ABORTED;
}

SEC("tc")
int generate_skb_out(struct __sk_buff *skb)
{
	const struct feed_shape *s = shape();

	return s ? bpf_redirect(s->generator, 0) : TC_ACT_SHOT;
}

/* Frames that arrived. */
XRS_INLINE void count(void)
{
	struct feed_shape *s = shape();
	__u64 at;

	if (!s || s->sunk++ & (FEED_WINDOW - 1))
		return;
	at = s->sunk / FEED_WINDOW;
	if (at < FEED_TIMES)
		s->times[at] = bpf_ktime_get_ns();
}

SEC("xdp")
int bench_sink(struct xdp_md *ctx)
{
	count();
	return XDP_DROP;
}

SEC("tc")
int bench_sink_tc(struct __sk_buff *skb)
{
	count();
	return TC_ACT_SHOT;
}

SEC("xdp")
int bench_drop(struct xdp_md *ctx)
{
	return bench_sink(ctx);
}

/* --- what is measured beside xrs_steer ---------------------------------------------------------------- */
/* Nothing: what the harness costs. */
SEC("xdp")
int bench_null(struct xdp_md *ctx)
{
	return XDP_PASS;
}

XRS_INLINE int leave(struct xdp_md *ctx, const __u8 *macs, __u32 ifindex, __u8 *ttl)
{
	__u8 *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (start + 12 > end)
		return XDP_ABORTED;
	__builtin_memcpy(start, macs, 12);
	(*ttl)--;
	return bpf_redirect_map(&xrs_devmap, ifindex, 0);
}

/* A router without a table: Ethernet and IP looked at, addresses and TTL rewritten, sent on. */
SEC("xdp")
int bench_redirect(struct xdp_md *ctx)
{
	__u8 *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct feed_shape *s = shape();

	if (!s || start + 14 + 40 > end)
		return XDP_ABORTED;
	if (start[12] == 0x08)
		return leave(ctx, s->mac, s->ifindex, start + 14 + 8);
	return leave(ctx, s->mac, s->ifindex, start + 14 + 7);
}

/* The same in tc. */
SEC("tc")
int bench_redirect_tc(struct __sk_buff *skb)
{
	__u8 *start = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct feed_shape *s = shape();

	if (!s || start + 14 + 40 > end)
		return TC_ACT_SHOT;
	__builtin_memcpy(start, s->mac, 12);
	start[14 + (start[12] == 0x08 ? 8 : 7)]--;
	return bpf_redirect(s->ifindex, 0);
}

/* The same with the kernel's table: no more checks than its own samples make. */
SEC("xdp")
int bench_fib(struct xdp_md *ctx)
{
	__u8 *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct bpf_fib_lookup fib = { .ifindex = ctx->ingress_ifindex };
	__u8 macs[12], *ttl;

	if (start + 14 + 40 > end)
		return XDP_ABORTED;
	if (start[12] == 0x08) {
		fib.family = AF_INET_;
		fib.l4_protocol = start[14 + 9];
		fib.tot_len = XRS_NET16(XRS_LOAD(__u16, start + 14 + 2));
		fib.ipv4_src = XRS_LOAD(__u32, start + 14 + 12);
		fib.ipv4_dst = XRS_LOAD(__u32, start + 14 + 16);
		ttl = start + 14 + 8;
	} else {
		fib.family = AF_INET6_;
		fib.l4_protocol = start[14 + 6];
		fib.tot_len = XRS_NET16(XRS_LOAD(__u16, start + 14 + 4)) + 40;
		__builtin_memcpy(fib.ipv6_src, start + 14 + 8, 16);
		__builtin_memcpy(fib.ipv6_dst, start + 14 + 24, 16);
		ttl = start + 14 + 7;
	}
	if (*ttl <= 1 || bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return XDP_PASS;
	__builtin_memcpy(macs, fib.dmac, 6);
	__builtin_memcpy(macs + 6, fib.smac, 6);
	return leave(ctx, macs, fib.ifindex, ttl);
}

XRS_INLINE bool destination(struct xdp_md *ctx, struct xrs_packet *p)
{
	__u8 *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (start + 14 + 40 > end)
		return false;
	p->family = start[12] == 0x08 ? 4 : 6;
	if (p->family == 4)
		p->dst[0] = XRS_LOAD(__u32, start + 14 + 16);
	else
		__builtin_memcpy(p->dst, start + 14 + 24, 16);
	return true;
}

/* Lookups and nothing else. */
SEC("xdp")
int bench_trie(struct xdp_md *ctx)
{
	struct xrs_packet p = {};
	struct feed_shape *s = shape();
	__u32 leaf;

	if (!s || !destination(ctx, &p))
		return XDP_ABORTED;
	leaf = xrs_trie_find(&p, s->table);
	if (leaf & XRS_FAST_NODE)
		return XDP_ABORTED;
	s->sum += leaf;
	return XDP_PASS;
}

SEC("xdp")
int bench_fast(struct xdp_md *ctx)
{
	struct xrs_packet p = {};
	struct feed_shape *s = shape();
	__u32 leaf;

	if (!s || !destination(ctx, &p))
		return XDP_ABORTED;
	leaf = xrs_fast_find_here(&p, s->fast);
	if (leaf & XRS_FAST_NODE)
		return XDP_ABORTED;
	s->sum += leaf;
	return XDP_PASS;
}

SEC("xdp")
int bench_index(struct xdp_md *ctx)
{
	struct xrs_packet p = {};
	struct feed_shape *s = shape();
	__u32 addr, at;
	const __u32 *word;

	if (!s || !destination(ctx, &p))
		return XDP_ABORTED;
	addr = XRS_NET32(p.dst[0]);
	at = addr >> 8;
	word = bpf_map_lookup_elem(&feed_index, &at);
	if (word && *word & FEED_GOES_ON) {
		at = (*word & ~FEED_GOES_ON) << 8 | (addr & 0xff);
		word = bpf_map_lookup_elem(&feed_behind, &at);
	}
	if (!word)
		return XDP_ABORTED;
	s->sum += *word;
	return XDP_PASS;
}
