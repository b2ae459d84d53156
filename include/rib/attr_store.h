/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interned path attributes: each distinct set exists once, immutable, reference-counted, named by a
 * 32-bit id, so that a path costs four octets for its attributes. One store for each vnet. Pure.
 *
 * A set is kept packed (a struct bgp_attrs alone would be larger than most sets): attr_store_get()
 * unpacks the scalars and points the blobs into the store.
 */
#ifndef XRS_RIB_ATTR_STORE_H
#define XRS_RIB_ATTR_STORE_H

#include "bgp/attr.h"

#define ATTR_NONE 0u

struct attr_store;

struct attr_store *attr_store_new(void); /* NULL: out of memory */
void attr_store_free(struct attr_store *store);
/* Finds or copies; the caller gets one reference. ATTR_NONE: out of memory. */
uint32_t attr_store_intern(struct attr_store *store, const struct bgp_attrs *attrs);
void attr_store_ref(struct attr_store *store, uint32_t id);   /* ATTR_NONE is accepted */
void attr_store_unref(struct attr_store *store, uint32_t id); /* ATTR_NONE is accepted */
/*
 * While @on sets go a few at a time, a little after their last reference, so that the memory which that needs has
 * come. Off again before anybody counts them.
 */
void attr_store_together(struct attr_store *store, bool on);
/* The set of a live id; the blobs of *ret_attrs are valid while a reference is held. */
void attr_store_get(const struct attr_store *store, uint32_t id, struct bgp_attrs *ret_attrs);
/* Its next hop alone, which costs a tenth of it; IP_NONE: it has none. */
struct ip_addr attr_store_next_hop(const struct attr_store *store, uint32_t id);

/* What selection asks again and again, computed once at interning. */
struct attr_summary {
	uint16_t as_path_len;   /* aspath_length() */
	uint16_t flags;         /* ATTR_SUM_* */
	uint32_t neighbour_as;  /* aspath_first() */
	uint32_t local_pref;    /* ATTR_DEFAULT_LOCAL_PREF when absent */
	uint32_t med;           /* 0 when absent: RFC 4271 9.1.2.2 c, the lowest possible value */
	uint32_t originator_id; /* with ATTR_SUM_ORIGINATOR */
	uint32_t path_digest;   /* of AS_PATH, the same on every host */
	uint16_t cluster_len;   /* identifiers in CLUSTER_LIST */
	uint8_t origin;
	uint8_t pad;
};
#define ATTR_SUM_NO_ADVERTISE      0x01u
#define ATTR_SUM_NO_EXPORT         0x02u
#define ATTR_SUM_NO_EXPORT_SUBCONF 0x04u
#define ATTR_SUM_GRACEFUL_SHUTDOWN 0x08u
#define ATTR_SUM_LLGR_STALE        0x10u
#define ATTR_SUM_NO_LLGR           0x20u
#define ATTR_SUM_ORIGINATOR        0x40u
#define ATTR_SUM_OTC               0x80u
#define ATTR_SUM_NOPEER            0x100u
#define ATTR_SUM_LINK_BANDWIDTH    0x200u /* ext_community_bandwidth() of it is not 0 */
#define ATTR_DEFAULT_LOCAL_PREF    100u
struct attr_summary attr_summarise(const struct bgp_attrs *attrs);
/* Valid while a reference is held. */
const struct attr_summary *attr_store_summary(const struct attr_store *store, uint32_t id);

/* One number that the owner may keep beside a set (the RIB keeps the next-hop id); 0 at first. */
uint32_t attr_store_tag(const struct attr_store *store, uint32_t id);
void attr_store_set_tag(struct attr_store *store, uint32_t id, uint32_t tag);
/* Called with the tag when the last reference goes (or the store) and the tag is not 0. */
void attr_store_on_release(struct attr_store *store, void (*fn)(void *ctx, uint32_t tag),
			   void *ctx);

/* Octets that a set takes, the allocator's share estimated; ATTR_NONE: 0. */
uint32_t attr_store_octets(const struct attr_store *store, uint32_t id);
size_t attr_store_count(const struct attr_store *store);
/* Octets in use, the allocator's share of them estimated. */
size_t attr_store_memory(const struct attr_store *store);

#endif
