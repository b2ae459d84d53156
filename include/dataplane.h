/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF programs and xrsd agree on: map keys and values, limits, reasons. The one header that
 * clang (BPF) and gcc (user) both read. xrs-bpf(7) documents each map with a bpftool line.
 *
 * Rules: no unions, no bit-fields, addresses as byte arrays (bpftool prints
 * [10,250,0,0]), enums for kinds (bpftool prints the name), sizes asserted on both sides. Names of
 * kernel objects end at 15 characters.
 *
 *   xrs_nic[ifindex] -> table -> xrs_table[table] (LPM trie) -> route -> xrs_group[group]
 *      -> xrs_bucket[group].member[hash] -> xrs_nexthop[index] -> frame
 *
 * Order of writes: next hops, then buckets and groups, then routes, then nics; removal in reverse.
 */
#ifndef XRS_DATAPLANE_H
#define XRS_DATAPLANE_H

#include <linux/types.h>

/*
 * Rises when a struct below changes; kept in xrs_meta, checked before pins are adopted. What older maps hold is
 * moved by the names of fields (fib/layout.h): a field with another meaning gets another name, 0 in a new one
 * means "as before", and enumerators that are stored keep their numbers.
 */
#define XRS_LAYOUT_VERSION 7

#define XRS_NIC_MAX        8192    /* entries of xrs_nic, slots of xrs_stats */
#define XRS_TABLE_MAX      1024    /* route tables of one family on one host */
#define XRS_GROUP_MAX      16384   /* next-hop groups */
#define XRS_NEXTHOP_MAX    4096    /* next hops; 0 is reserved for "none" */
#define XRS_ROUTE_MAX      4194304 /* routes of one table and family: a limit, not an allocation */
#define XRS_HOST_MAX       65536   /* addresses of local VMs, of all vnets */
#define XRS_ROUTE_STATS    1048576 /* routes that are counted: a limit, not an allocation */
#define XRS_VNI_MAX        4096    /* VXLAN networks that end here, times local addresses */
#define XRS_GATEWAY_MACS   4       /* gateway MAC addresses of one nic */
#define XRS_SOURCES        4       /* antiSpoof source prefixes of one nic and family */
#define XRS_BUCKETS        256     /* flow buckets of one group; a power of two */
#define XRS_NAME_LEN       32
#define XRS_VLAN_DEPTH     2
#define XRS_TRACE_BYTES    262144 /* ring of xrs_trace */
#define XRS_BFD_MAX        4096   /* BFD sessions; 0 is reserved for "none"; a power of two */
#define XRS_DRAIN_MAX      65536 /* flows of draining next hops; the least recently used go first */
#define XRS_LEARNED_MAX    65536 /* learned sources: what XRS_SOURCES allow all nics */
#define XRS_SNOOP_BYTES    262144 /* ring of xrs_snoop */
#define XRS_SNOOP_DATA     1512   /* octets of one frame there */

/* --- xrs_meta: array, one entry ----------------------------------------------------------------- */
struct xrs_meta {
	__u32 layout_version; /* XRS_LAYOUT_VERSION of the writer */
	__u32 generation;     /* rises by one at each flush of xrsd */
};

/* --- xrs_nic: hash, ifindex -> nic --------------------------------------------------------------- */
enum xrs_nic_role {
	XRS_NIC_VM = 0,
	XRS_NIC_NVA = 1,
	XRS_NIC_UPLINK = 2,
};

#define XRS_NIC_F_ANTI_SPOOF 0x1u  /* check source MAC and addresses */
#define XRS_NIC_F_SYMMETRIC  0x2u  /* both directions of a flow choose the same bucket (default) */
#define XRS_NIC_F_TRACE      0x4u  /* decisions go to xrs_trace */
#define XRS_NIC_F_TC         0x8u  /* xrs_steer passes everything: the tc half alone steers */
#define XRS_NIC_F_GATEWAY4   0x10u /* gateway4 is known: ICMP errors come from it */
#define XRS_NIC_F_GATEWAY6   0x20u /* likewise */
#define XRS_NIC_F_ROUTES     0x80u /* packets are counted by route: xrs_route_stats */
#define XRS_NIC_F_LEARN      0x40u /* sources are learned: neighbour discovery passes antiSpoof */

struct xrs_nic_key {
	__u32 ifindex;
};

struct xrs_nic {
	__u32 table; /* index in xrs_table and xrs_table6 */
	__u32 vnet;  /* scope of addresses in xrs_host: the index of the vnet's table main */
	__u32 slot;  /* index in xrs_stats */
	__u32 flags; /* XRS_NIC_F_* */
	enum xrs_nic_role role;
	__u32 n_gateway_macs; /* 0: every unicast destination MAC is the gateway's */
	__u32 n_sources4, n_sources6;
	__u8 gateway_mac[XRS_GATEWAY_MACS][6];
	__u8 mac[6]; /* the VM's MAC for antiSpoof; zero: not checked */
	__u8 pad[2];
	__u8 gateway4[4];
	__u8 gateway6[16];
	__u8 source4[XRS_SOURCES][4];
	__u8 source4_len[XRS_SOURCES];
	__u8 source6[XRS_SOURCES][16];
	__u8 source6_len[XRS_SOURCES];
	char name[XRS_NAME_LEN];
};

/* --- xrs_near: array, ifindex modulo XRS_NIC_MAX -> what ordinary packets need of the nic -----------------
 * Found without hashing, and made for comparing: words with their masks, MACs as XRS_MAC() reads them. Two nics of
 * the same place: one of them is here. What is not, or is being written, is read from xrs_nic.
 */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define XRS_MAC(word) \
	((word) << 16) /* the MAC at the beginning of 8 octets that are read as a number */
#else
#define XRS_MAC(word) ((word) & ~0xffffull)
#endif
#define XRS_MAC_NONE 1ull /* no MAC is that */

struct xrs_near {
	__u32 ifindex;     /* 0: the slot is free */
	__u32 seq;         /* rises by one before and after each change: odd meanwhile */
	__u32 flags, slot; /* as in xrs_nic, and so: */
	__u32 table, vnet;
	enum xrs_nic_role role;
	__u32 fast[2]; /* of the table, IPv4 and IPv6: index in xrs_fast_head */
	__u8 pad[4];
	__u64 gateway_mac[XRS_GATEWAY_MACS];
	__u64 mac; /* of antiSpoof; XRS_MAC_NONE: any */
	struct { /* any of them: (address ^ addr) & mask is 0. Without antiSpoof of every address */
		__u32 addr, mask;
	} source4[XRS_SOURCES];
	struct {
		__u32 addr[4], mask[4];
	} source6[XRS_SOURCES];
	__u8 rest[16];
};

/* --- xrs_table, xrs_table6: array of LPM tries, one pair for each route table --------------------- */
struct xrs_key4 {
	__u32 prefixlen;
	__u8 addr[4];
};

struct xrs_key6 {
	__u32 prefixlen;
	__u8 addr[16];
};

enum xrs_route_kind {
	XRS_ROUTE_STEER = 0,     /* to the next-hop group */
	XRS_ROUTE_LOCAL = 1,     /* VnetLocal: pass to the kernel or bridge */
	XRS_ROUTE_INTERNET = 2,  /* Internet: pass to the kernel */
	XRS_ROUTE_DROP = 3,      /* None */
	XRS_ROUTE_PROTECTED = 4, /* protectedPrefixes: pass, always */
};

struct xrs_route { /* 16 octets: the trie's memory depends on it */
	enum xrs_route_kind kind;
	__u32 group;     /* index in xrs_group when kind is XRS_ROUTE_STEER, else 0 */
	__u8 prefix_len; /* the matched prefix: a trie lookup echoes only the key that was asked */
	__u8 source;     /* enum xrs_route_source */
	__u16 pad;
	__u32 generation; /* the flush that wrote it; a restart sweeps what it did not write again */
};

enum xrs_route_source {
	XRS_SOURCE_SYSTEM = 0,
	XRS_SOURCE_USER = 1,
	XRS_SOURCE_BGP = 2,
};

/* --- xrs_fast_head, xrs_fast_small, _middle, _large: the derived structure, which answers before the trie ---
 * One for each table and family, at XRS_FAST_HEAD. Made from the trie by xrsd, may be absent, always answers
 * as the trie does. It stands in one small or one middle chunk, or in some large ones: each is
 * an array of one entry, so that the program finds its address without a call. xrs_fast_small and xrs_fast_middle
 * hold them by the same index, xrs_fast_large XRS_FAST_CHUNKS for each. A tree of 32-bit words:
 *
 *   leaf   bits 0..7 prefix length, 8..21 group, 22..24 kind; 0: no prefix but perhaps the one of length 0
 *   node   bit 31; bit 30: dense; bit 29: narrow; bits 0..28 its place, in units of 16 octets from the
 *          beginning
 *
 * The root is 2^root_bits words at the start, all in the first chunk. A dense node is 64 words, for the next 6
 * bits. Any other is a range node, for the next `width` bits: n ranges, in (n + 1) / 2 words of 64 bits their
 * first addresses, two in each, the lower half first; then as many pairs of 32-bit words. In place of the first
 * range's address, always 0, stands the header. What is not used repeats the last range. No node crosses a page.
 *
 * A narrow node is a range node of at most 15 bits and of leaves only: four addresses in a word of 64 bits,
 * (n + 3) / 4 of them, then as many times four numbers of 16 bits: the leaf's place in the dictionary. That
 * is XRS_FAST_DICT words behind a root of XRS_FAST_DICT_ROOT bits and more; smaller roots have none.
 *
 * An index node, dense and narrow, is a dense node of leaves only: 64 such numbers.
 */
#define XRS_FAST_MAX         (2 * XRS_TABLE_MAX)
#define XRS_FAST_UNIT        16   /* octets */
#define XRS_FAST_PAGE        4096 /* octets */
#define XRS_FAST_SMALL       (64u << 10)
#define XRS_FAST_MIDDLE      (1u << 20)
#define XRS_FAST_LARGE       (2u << 20)
#define XRS_FAST_CHUNKS      32 /* large ones of one structure */
#define XRS_FAST_ROOT_MAX    18 /* bits */
#define XRS_FAST_DENSE_BITS  6
#define XRS_FAST_RANGES      32 /* of one range node */
#define XRS_FAST_WIDTH_MAX   31 /* bits of one range node */
#define XRS_FAST_DEPTH       10 /* nodes on the way to a leaf; below more of them the trie answers */
#define XRS_FAST_DEPTH4      4  /* of IPv4, at most */

#define XRS_FAST_NODE        (1u << 31)
#define XRS_FAST_DENSE       (1u << 30)
#define XRS_FAST_NARROW      (1u << 29)
#define XRS_FAST_INDEX       (XRS_FAST_DENSE | XRS_FAST_NARROW)
#define XRS_FAST_WHERE       (XRS_FAST_NARROW - 1)

#define XRS_FAST_GROUP_SHIFT 8
#define XRS_FAST_GROUP_MASK  (XRS_GROUP_MAX - 1)
#define XRS_FAST_KIND_SHIFT  22
#define XRS_FAST_KIND_MASK   7u

/* The header: pairs of ranges, width in bits, ranges. */
#define XRS_FAST_HEADER(pairs, width, n) ((pairs) | (width) << 8 | (n) << 16)

#define XRS_FAST_NARROW_MAX              15 /* bits of one narrow node */
#define XRS_FAST_DICT                    16384
#define XRS_FAST_DICT_ROOT               17
/* Of a narrow node: fours of ranges, width in bits, ranges. It fits 15 bits. */
#define XRS_FAST_NARROW_HEADER(fours, width, n) ((fours) | (width) << 4 | (n) << 8)

/* One of the sizes above. */
struct xrs_fast_small {
	__u64 word[XRS_FAST_SMALL / 8];
};

struct xrs_fast_middle {
	__u64 word[XRS_FAST_MIDDLE / 8];
};

struct xrs_fast_large {
	__u64 word[XRS_FAST_LARGE / 8];
};

struct xrs_fast_head {
	__u32 root_bits; /* 0: not valid at this moment, or absent: the trie answers */
	__u32 otherwise; /* the leaf of the route of length 0; 0: there is none */
	__u32 built; /* 1: there is one; packets that the trie has to answer meanwhile are counted */
	__u32 chunk;     /* octets: which of the maps it is in */
	__u64 fallbacks; /* that counter */
};

/* The index of a table's, v6 0 or 1; in the maps of chunks too. */
#define XRS_FAST_HEAD(table, v6) (2 * (table) + (v6))

/* --- xrs_group: array, group -> its members, for people; xrs_bucket: what the packet reads --------- */
#define XRS_MEMBERS_MAX 16 /* members of one group, and of its backup set */

struct xrs_group {
	__u32 n_members; /* 0: the slot is free */
	__u32 n_alive;   /* members whose next hop is usable now */
	__u32 n_backup;
	__u32 using_backup;            /* 1: the buckets hold the backup set */
	__u32 member[XRS_MEMBERS_MAX]; /* indices in xrs_nexthop, in the canonical order */
	__u32 backup[XRS_MEMBERS_MAX];
};

struct xrs_bucket {
	__u16 member[XRS_BUCKETS]; /* index in xrs_nexthop; 0: nobody is alive, pass */
	__u16 next
		[XRS_BUCKETS]; /* who has the bucket when that member dies, and its new flows while it
				  drains: of the group or its backup */
};

/* --- xrs_nexthop: array, index -> how a frame reaches it ------------------------------------------- */
enum xrs_way {
	XRS_WAY_NONE = 0,     /* dead or unresolved: never used */
	XRS_WAY_REDIRECT = 1, /* rewritten and sent out of `ifindex` through xrs_devmap */
	XRS_WAY_BRIDGE = 2,   /* destination MAC rewritten and passed: the bridge delivers */
	XRS_WAY_KERNEL = 3,   /* passed untouched */
	XRS_WAY_VXLAN = 4,    /* encapsulated here */
};

/*
 * Way VXLAN (RFC 7348): the outer headers. xrs_steer writes them by itself and sends the frame out of the next
 * hop's `ifindex`; what it must not (offloads, fragments over IPv6) xrs_steer_tc gives to `device`,
 * the host's own VXLAN device, which encapsulates with all that the kernel can do. Without one (a tunnel of the
 * configuration) xrs_steer_tc writes them and tells the kernel.
 */
struct xrs_tunnel {
	__u32 vni;
	__u32 device; /* 0: none */
	__u16 port;   /* UDP, host order */
	__u16 family; /* of the outer addresses: 4, 6; 0: no tunnel */
	__u8 dmac[6]; /* outer: the other end, or the gateway to it */
	__u8 smac[6];
	__u8 local[16];
	__u8 remote[16];
	__u8 zero_sum; /* over IPv6: 1, the other end takes UDP checksums of zero */
	__u8 pad[7];
};

struct xrs_nexthop {
	enum xrs_way way;
	__u32 ifindex; /* egress for XRS_WAY_REDIRECT and VXLAN; else where it was resolved */
	__u32 mtu;     /* largest L3 packet that fits, without outer headers; 0: not checked */
	__u8 dmac[6];
	__u8 smac[6];
	__u16 vlan;   /* VLAN id that the frame must carry on the egress; 0: none */
	__u16 family; /* 4, 6; 0: the slot is free */
	__u8 addr[16];
	__u32 bfd;                  /* its session in xrs_bfd; 0: none */
	__u64 drain_ns;             /* CLOCK_MONOTONIC when its drain began; 0: it does not drain */
	__u8 pad[8];                /* what a packet needs stands in the first cache line */
	char peering[XRS_NAME_LEN]; /* the peering that announced it first, for people */
	char vnet[XRS_NAME_LEN];    /* with addr: the identity that a restart adopts it by */
	struct xrs_tunnel tunnel;
};

/* --- xrs_drain: LRU hash, a flow that met a draining next hop -> where it belongs ---------------------
 * Where both directions share a bucket they share an entry: a is the end that is less, by words as they
 * stand in memory. An entry of another drain than the next hop's counts as none.
 */
#define XRS_DRAIN_LEARN_NS \
	10000000000ull /* flows without SYN that are seen so early are running ones */

struct xrs_drain_key {
	__u32 a[4], b[4];     /* addresses in network order; IPv4 in the first word */
	__u16 a_port, b_port; /* network order; 0 when there are none */
	__u16 proto;
	__u16 family; /* 4, 6 */
};

struct xrs_drain_flow {
	__u64 since_ns; /* drain_ns of the next hop */
	__u32 is_new;   /* 1: it goes to the heir; 0: it stays */
	__u32 pad;
};

/* --- xrs_host: hash, address of a local VM -> the nic it is behind -----------------------------------------
 * The value is a next hop of way REDIRECT. Frames of nics of role nva whose route is VnetLocal, and frames
 * that come in on an uplink, go straight there; an address that is not here goes the kernel's way.
 */
struct xrs_host_key {
	__u32 vnet;   /* as in xrs_nic and xrs_vni */
	__u32 family; /* 4, 6 */
	__u8 addr[16];
};

/* --- xrs_vni: hash, VXLAN network that ends at a local address -> vnet; read by xrs_uplink ------------ */
struct xrs_vni_key {
	__u32 vni;
	__u16 port;   /* UDP, host order */
	__u16 family; /* of `local` */
	__u8 local[16];
};

struct xrs_vni {
	__u32 vnet;
	__u32 n_gateway_macs; /* inner frames to one of these are routed; the rest goes by its MAC */
	__u8 gateway_mac[XRS_GATEWAY_MACS][6];
};

struct xrs_nh_stats { /* xrs_nh_stats: per-CPU array, same index */
	__u64 packets;
	__u64 bytes;
};

/* --- xrs_bfd: array, BFD session -> when its peer was heard ------------------------------------------
 * A packet that passes an attached nic sets the deadline anew; xrsd reads the same entry. xrs_bfd_peer
 * finds the session of a packet without discriminator.
 */
enum xrs_bfd_state { /* RFC 5880 4.1 */
	XRS_BFD_ADMIN_DOWN = 0,
	XRS_BFD_DOWN = 1,
	XRS_BFD_INIT = 2,
	XRS_BFD_UP = 3,
};

struct xrs_bfd {
	__u64 deadline_ns; /* CLOCK_MONOTONIC. 0: not watched; in the past: the next hop is dead */
	__u64 last_rx_ns;  /* the last packet in which the peer said Up */
	__u64 packets;     /* of the peer that passed the program */
	__u32 local_discr; /* 0: the slot is free. Its low bits are the slot */
	__u32 min_rx_usec; /* that we demand, in force; 0: the program leaves the session alone */
	__u32 detect_usec; /* of the last packet */
	enum xrs_bfd_state remote_state;
	__u16 family;    /* 4, 6 */
	__u16 port;      /* 3784, 4784: multihop */
	__u32 auth_usec; /* authenticated: detection time of the last authentic packet; 0: not so */
	__u8 peer[16];
	__u8 local[16];
	char peering[XRS_NAME_LEN];
	char vnet[XRS_NAME_LEN];
};

struct xrs_bfd_key {
	__u8 peer[16], local[16];
};

/* --- xrs_moves: routes to be changed where they stand; memory that a process shares with its program -- */
#define XRS_MOVES 256

struct xrs_move {
	struct xrs_route route;
	__u32 prefix_len;
	__u8 addr[16];
	__u32 done; /* by the program. 0: it is not there, or of another kind */
};

struct xrs_moves {
	__u32 table, family; /* 4, 6 */
	__u32 n, pad;
	struct xrs_move move[XRS_MOVES];
};

/* --- reasons: how each frame left; the counters of a nic --------------------------------------------
 * X(enumerator, counter name, verdict text). Verdicts: steered, passed, dropped. The order is the
 * order of struct xrs_nic_stats and never changes within one layout version.
 */
#define XRS_REASONS(X)                                                                            \
	X(REDIRECTED, redirected, "steered")           /* sent out of the next hop's interface */ \
	X(BRIDGED, bridged, "steered")                 /* rewritten, the bridge delivers */       \
	X(TC_REDIRECTED, tc_redirected, "steered")     /* as REDIRECTED, by xrs_steer_tc */       \
	X(TC_BRIDGED, tc_bridged, "steered")           /* as BRIDGED, by xrs_steer_tc */          \
	X(ENCAPSULATED, encapsulated, "steered")       /* by VXLAN, sent to another host */       \
	X(TC_ENCAPSULATED, tc_encapsulated, "steered") /* by the host's VXLAN device */           \
	X(DELIVERED, delivered, "steered")             /* from outside straight to a local VM */  \
	X(TC_DELIVERED, tc_delivered, "steered")       /* the same by xrs_steer_tc */             \
	X(TO_TC, to_tc, "passed")                 /* left to xrs_steer_tc: offload metadata */    \
	X(TO_KERNEL, to_kernel, "passed")         /* next hop's way is `kernel` */                \
	X(UNKNOWN_NIC, unknown_nic, "passed")     /* not in xrs_nic (counted in slot 0) */        \
	X(NOT_IP, not_ip, "passed")               /* ARP, LLDP, more than two tags, ... */        \
	X(NOT_GATEWAY, not_gateway, "passed")     /* destination MAC is not the gateway's */      \
	X(TRUNCATED, truncated, "passed")         /* shorter than its headers say */              \
	X(BAD_HEADER, bad_header, "passed")       /* version, header length, total length */      \
	X(IP_OPTIONS, ip_options, "passed")       /* the kernel handles options */                \
	X(SPECIAL_DST, special_dst, "passed")     /* multicast, broadcast, link-local, ... */     \
	X(TTL_EXPIRED, ttl_expired, "passed")     /* TTL or hop limit 1 or less */                \
	X(NO_ROUTE, no_route, "passed")           /* no prefix matches */                         \
	X(LOCAL, local, "passed")                 /* VnetLocal */                                 \
	X(INTERNET, internet, "passed")           /* Internet */                                  \
	X(PROTECTED, protected_prefix, "passed")  /* protectedPrefixes */                         \
	X(NO_NEXTHOP, no_nexthop, "passed")       /* group without a live member */               \
	X(SELF_LOOP, self_loop, "passed")         /* would return to the NVA it came from */      \
	X(TOO_BIG, too_big, "passed")             /* above the next hop's MTU */                  \
	X(NO_TABLE, no_table, "passed")           /* the nic's table is not there */              \
	X(VLAN_MISMATCH, vlan_mismatch, "passed") /* tags that the egress can not carry */        \
	X(NONE, none, "dropped")                  /* a route of type None */                      \
	X(TTL_ANSWERED, ttl_answered, "dropped")  /* and the sender told, by xrs_steer_tc */      \
	X(TOO_BIG_ANSWERED, too_big_answered, "dropped") /* likewise */                           \
	X(SPOOFED, spoofed, "dropped")                   /* antiSpoof */

enum xrs_reason {
#define X(name, field, verdict) XRS_REASON_##name,
	XRS_REASONS(X)
#undef X
	XRS_REASON_MAX,
};

struct xrs_nic_stats { /* xrs_stats: per-CPU array by nic slot; one counter of frames a reason */
#define X(name, field, verdict) __u64 field;
	XRS_REASONS(X)
#undef X
	__u64 bytes_steered;
};

/* --- xrs_route_stats: hash, route -> what went by it; only with XRS_NIC_F_ROUTES ----------------------
 * Made by the first packet; xrsd removes the entries of routes that it deletes. When the map is full further
 * routes are not counted.
 */
struct xrs_route_stats_key {
	__u32 table;
	__u16 family; /* 4, 6 */
	__u16 prefix_len;
	__u8 addr[16]; /* host bits are zero */
};

struct xrs_route_stats {
	__u64 packets;
	__u64 bytes; /* of frames */
	__u64 last;  /* nanoseconds since boot */
};

/* --- xrs_learned: hash, nic and source -> how antiSpoof learned that source ---------------------------
 * Written and read by xrsd, for people and for its next start. xrs_nic has what packets are checked against.
 */
enum xrs_learned_from {
	XRS_LEARNED_ARP = 0, /* and neighbour discovery */
	XRS_LEARNED_DHCP = 1,
};

struct xrs_learned_key {
	__u32 ifindex;
	__u16 family;     /* 4, 6 */
	__u16 prefix_len; /* of a prefix that is delegated; 0: a single address */
	__u8 addr[16];
};

struct xrs_learned {
	__u64 until_ns; /* CLOCK_MONOTONIC: the lease ends; 0: no end */
	enum xrs_learned_from from;
	__u8 mac[6]; /* of the VM */
	__u8 pad[6];
};

/* --- xrs_snoop: ring, DHCP messages of nics that learn from them; xrs_snoop_nic: array by slot ---------- */
#define XRS_SNOOP_ASKED (1ull << 32) /* with a transaction id: it is one */

struct xrs_snoop_nic {
	__u64 xid, xid6; /* of what the VM asked for last, DHCP and DHCPv6 */
	__u64 due_ns;    /* the time that its records have used up */
};

struct xrs_snoop_record {
	__u32 ifindex; /* the nic */
	__u32 from;    /* the device that the frame came in on; 0: the host itself sent it */
	__u32 to_vm;   /* 1: from the server; 0: from the VM */
	__u32 len;
	__u8 frame[XRS_SNOOP_DATA]; /* without tags */
};

/* --- the decision record ------------------------------------------------------------------------
 * Two uses of one struct. xrs_trace (ring buffer) carries it in its records. And a
 * test run (BPF_PROG_TEST_RUN) may put one with `magic` into the XDP metadata area: the program then
 * fills it, and counts nothing, so that nic.showNextHop asks the real program. Only a frame that came
 * from ifindex 1 is a test run; the programs are never attached to the loopback device. 32 octets: the
 * most that old kernels allow. A test run of xrs_steer_tc has no metadata and uses __sk_buff.cb, whose
 * five words hold: magic, ifindex -> magic, reason | kind << 8 | prefix_len << 16 | family << 24,
 * table << 16 | bucket, group << 16 | nexthop, hash.
 */
#define XRS_PROBE_MAGIC 0x58525350u /* "XRSP" */

struct xrs_decision {
	__u32 magic;
	__u32 ifindex; /* in: the nic; a test run has no real one. trace: the nic */
	__u32 table;
	__u32 group;
	__u32 nexthop;
	__u16 bucket;
	__u8 reason; /* enum xrs_reason */
	__u8 kind;   /* enum xrs_route_kind */
	__u8 prefix_len;
	__u8 family; /* 4, 6, or 0 when the frame was not IP */
	__u8 routed; /* 1: a route was found; kind and prefix_len are its */
	__u8 pad;
	__u32 hash;
};

/* --- xrs_trace_rule, xrs_trace: which packets of nics with XRS_NIC_F_TRACE are told, and what ------- */
struct xrs_trace_rule {         /* array of one; zero: everything */
	__u32 family;           /* of src and dst; 0: any */
	__u32 src_len, dst_len; /* bits that count */
	__u32 proto;            /* 0: any */
	__u16 sport, dport;     /* host order; 0: any */
	__u32 sample;           /* one packet of so many; 0: each */
	__u64 reasons;          /* 1 << reason; 0: any */
	__u64 gap_ns; /* between two records of a CPU, on average over a second; at most that */
	__u8 src[16], dst[16];
};

struct xrs_trace_record {
	__u64 when; /* nanoseconds since boot */
	struct xrs_decision decision;
	__u8 src[16], dst[16]; /* zero when the frame was not IP */
	__u16 sport, dport;    /* host order */
	__u8 proto, ttl;
	__u8 tc; /* 1: the tc half decided */
	__u8 pad;
	__u32 len; /* of the frame */
	__u32 pad2;
};

/* --- the mark: from xrs_steer to xrs_steer_tc ------------------------------------------------------
 * Metadata that XDP leaves in front of a frame that it passes; tc reads it as skb->data_meta. FINAL:
 * counted and done with, tc lets it go by. TO_TC, or no mark at all: tc decides. So where a driver has no
 * metadata xrs_steer only redirects and drops; the rest passes uncounted and is tc's. `ifindex` names the
 * device where it was set: the metadata stays with a frame that is bridged to a second nic.
 */
#define XRS_MARK_MAGIC 0x5852534du /* "XRSM" */

enum xrs_mark_verdict {
	XRS_MARK_TO_TC = 1,
	XRS_MARK_FINAL = 2,
};

struct xrs_mark {
	__u32 magic;
	__u32 ifindex;
	enum xrs_mark_verdict verdict;
};

#ifdef __bpf__
#define XRS_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#else
#include <assert.h>
#define XRS_ASSERT_SIZE(type, size) static_assert(sizeof(type) == (size), #type)
#endif
XRS_ASSERT_SIZE(struct xrs_meta, 8);
XRS_ASSERT_SIZE(struct xrs_nic_key, 4);
XRS_ASSERT_SIZE(struct xrs_nic, 32 + 24 + 8 + 20 + 20 + 68 + XRS_NAME_LEN);
XRS_ASSERT_SIZE(struct xrs_near, 256);
XRS_ASSERT_SIZE(struct xrs_key4, 8);
XRS_ASSERT_SIZE(struct xrs_key6, 20);
XRS_ASSERT_SIZE(struct xrs_route, 16);
XRS_ASSERT_SIZE(struct xrs_fast_small, XRS_FAST_SMALL);
XRS_ASSERT_SIZE(struct xrs_fast_middle, XRS_FAST_MIDDLE);
XRS_ASSERT_SIZE(struct xrs_fast_large, XRS_FAST_LARGE);
XRS_ASSERT_SIZE(struct xrs_fast_head, 24);
XRS_ASSERT_SIZE(struct xrs_group, 16 + 8 * XRS_MEMBERS_MAX);
XRS_ASSERT_SIZE(struct xrs_bucket, 4 * XRS_BUCKETS);
XRS_ASSERT_SIZE(struct xrs_bfd, 80 + 2 * XRS_NAME_LEN);
XRS_ASSERT_SIZE(struct xrs_bfd_key, 32);
XRS_ASSERT_SIZE(struct xrs_move, 24 + sizeof(struct xrs_route));
XRS_ASSERT_SIZE(struct xrs_host_key, 24);
XRS_ASSERT_SIZE(struct xrs_vni_key, 24);
XRS_ASSERT_SIZE(struct xrs_vni, 8 + 6 * XRS_GATEWAY_MACS);
XRS_ASSERT_SIZE(struct xrs_tunnel, 64);
XRS_ASSERT_SIZE(struct xrs_nexthop, 2 * 64 + 2 * XRS_NAME_LEN);
XRS_ASSERT_SIZE(struct xrs_drain_key, 40);
XRS_ASSERT_SIZE(struct xrs_drain_flow, 16);
XRS_ASSERT_SIZE(struct xrs_nic_stats, 8 * (XRS_REASON_MAX + 1));
XRS_ASSERT_SIZE(struct xrs_decision, 32);
XRS_ASSERT_SIZE(struct xrs_route_stats_key, 24);
XRS_ASSERT_SIZE(struct xrs_route_stats, 24);
XRS_ASSERT_SIZE(struct xrs_learned_key, 24);
XRS_ASSERT_SIZE(struct xrs_learned, 24);
XRS_ASSERT_SIZE(struct xrs_snoop_nic, 24);
XRS_ASSERT_SIZE(struct xrs_snoop_record, 16 + XRS_SNOOP_DATA);
XRS_ASSERT_SIZE(struct xrs_trace_rule, 72);
XRS_ASSERT_SIZE(struct xrs_trace_record, 88);
XRS_ASSERT_SIZE(struct xrs_mark, 12);

#endif
