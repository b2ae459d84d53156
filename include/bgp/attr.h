/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Path attributes: the decoded form that everybody uses, and the one table of attribute codes.
 *
 * `struct bgp_attrs` is a view: the blobs point into the message (or into the attribute store that
 * interned it), so decoding allocates nothing. AS_PATH is always kept in 4-octet form (RFC 6793).
 * A blob of length 0 with its `has` bit clear means absent. Pure.
 */
#ifndef XRS_BGP_ATTR_H
#define XRS_BGP_ATTR_H

#include "bgp/bgp.h"
#include "bgp/notification.h"

enum bgp_attr_code {
	BGP_ATTR_ORIGIN = 1,
	BGP_ATTR_AS_PATH = 2,
	BGP_ATTR_NEXT_HOP = 3,
	BGP_ATTR_MED = 4,
	BGP_ATTR_LOCAL_PREF = 5,
	BGP_ATTR_ATOMIC_AGGREGATE = 6,
	BGP_ATTR_AGGREGATOR = 7,
	BGP_ATTR_COMMUNITIES = 8,
	BGP_ATTR_ORIGINATOR_ID = 9,
	BGP_ATTR_CLUSTER_LIST = 10,
	BGP_ATTR_MP_REACH = 14,
	BGP_ATTR_MP_UNREACH = 15,
	BGP_ATTR_EXT_COMMUNITIES = 16,
	BGP_ATTR_AS4_PATH = 17,
	BGP_ATTR_AS4_AGGREGATOR = 18,
	BGP_ATTR_IPV6_EXT_COMMUNITIES = 25,
	BGP_ATTR_LARGE_COMMUNITIES = 32,
	BGP_ATTR_OTC = 35,
};

enum { /* flags octet, RFC 4271 4.3 */
	BGP_ATTR_F_OPTIONAL = 0x80,
	BGP_ATTR_F_TRANSITIVE = 0x40,
	BGP_ATTR_F_PARTIAL = 0x20,
	BGP_ATTR_F_EXTENDED = 0x10,
};

/* Bits of bgp_attrs.has. */
#define BGP_HAS_ORIGIN           (1u << 0)
#define BGP_HAS_AS_PATH          (1u << 1)
#define BGP_HAS_NEXT_HOP         (1u << 2)
#define BGP_HAS_MED              (1u << 3)
#define BGP_HAS_LOCAL_PREF       (1u << 4)
#define BGP_HAS_ATOMIC_AGGREGATE (1u << 5)
#define BGP_HAS_AGGREGATOR       (1u << 6)
#define BGP_HAS_COMMUNITIES      (1u << 7)
#define BGP_HAS_ORIGINATOR_ID    (1u << 8)
#define BGP_HAS_CLUSTER_LIST     (1u << 9)
#define BGP_HAS_EXT_COMMUNITIES  (1u << 10)
#define BGP_HAS_IPV6_EXT         (1u << 11)
#define BGP_HAS_LARGE            (1u << 12)
#define BGP_HAS_OTC              (1u << 13)
#define BGP_HAS_UNKNOWN          (1u << 14)

struct bgp_blob {
	const uint8_t *data;
	uint32_t len; /* octets */
};

struct bgp_attrs {
	uint32_t has; /* BGP_HAS_* */
	uint8_t origin;
	bool aggregator_partial; /* Partial bit as received, for what is passed on */
	struct ip_addr next_hop; /* global next hop of the family that the set is used with */
	struct ip_addr
		link_local; /* second address of a 32-octet next hop (RFC 2545), or IP_NONE */
	uint32_t med, local_pref;
	uint32_t aggregator_asn;
	uint32_t aggregator_id; /* host order */
	uint32_t originator_id; /* host order */
	uint32_t otc;           /* RFC 9234 */
	uint32_t partial; /* BGP_HAS_* of optional transitive attributes received as Partial */
	struct bgp_blob as_path;           /* segments: type, count, 4-octet ASNs */
	struct bgp_blob communities;       /* 4 octets each */
	struct bgp_blob ext_communities;   /* 8 */
	struct bgp_blob ipv6_ext;          /* 20 */
	struct bgp_blob large_communities; /* 12 */
	struct bgp_blob cluster_list;      /* 4 */
	struct bgp_blob unknown; /* unknown transitive attributes, whole TLVs with Partial set */
};

enum bgp_outcome { /* RFC 7606 section 2, weakest to strongest */
	BGP_ACCEPT = 0,
	BGP_DISCARD_ATTR = 1,
	BGP_TREAT_AS_WITHDRAW = 2,
	BGP_RESET = 3,
};

/* One row of the attribute table, for the API, tests and documentation. */
struct bgp_attr_info {
	uint8_t code;
	uint8_t flags;    /* required Optional and Transitive bits */
	const char *name; /* "AS_PATH" */
};
/* NULL: not known to us. */
const struct bgp_attr_info *bgp_attr_info(uint8_t code);

/* Two views with the same content (blobs compared by octets). */
bool bgp_attrs_equal(const struct bgp_attrs *a, const struct bgp_attrs *b);
uint32_t bgp_attrs_hash(const struct bgp_attrs *attrs);

#endif
