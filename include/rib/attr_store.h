/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interned path attributes: each distinct set exists once, immutable, reference-counted, named by a
 * 32-bit id, so that a path costs four octets for its attributes. One store for each vnet. Pure.
 */
#ifndef XRS_RIB_ATTR_STORE_H
#define XRS_RIB_ATTR_STORE_H

#include "bgp/attr.h"

#define ATTR_NONE 0u

struct attr_store;

struct attr_store *attr_store_new(void);
void attr_store_free(struct attr_store *store);
/* Finds or copies; the caller gets one reference. ATTR_NONE: out of memory. */
uint32_t attr_store_intern(struct attr_store *store, const struct bgp_attrs *attrs);
void attr_store_ref(struct attr_store *store, uint32_t id);
void attr_store_unref(struct attr_store *store, uint32_t id); /* ATTR_NONE is accepted */
/* The set; valid while a reference is held. Never NULL for a live id. */
const struct bgp_attrs *attr_store_get(const struct attr_store *store, uint32_t id);

/* What selection asks again and again, computed once at interning. */
struct attr_summary {
	uint16_t as_path_len;  /* aspath_length() */
	uint16_t flags;        /* ATTR_SUM_* */
	uint32_t neighbour_as; /* aspath_first() */
};
#define ATTR_SUM_NO_ADVERTISE      0x01u
#define ATTR_SUM_NO_EXPORT         0x02u
#define ATTR_SUM_NO_EXPORT_SUBCONF 0x04u
#define ATTR_SUM_GRACEFUL_SHUTDOWN 0x08u
#define ATTR_SUM_LLGR_STALE        0x10u
#define ATTR_SUM_NO_LLGR           0x20u
const struct attr_summary *attr_store_summary(const struct attr_store *store, uint32_t id);

/* One number that the owner may keep beside a set (the RIB keeps the next-hop id); 0 at first. */
uint32_t attr_store_tag(const struct attr_store *store, uint32_t id);
void attr_store_set_tag(struct attr_store *store, uint32_t id, uint32_t tag);
/* Called with the tag when the last reference goes and the tag is not 0. */
void attr_store_on_release(struct attr_store *store, void (*fn)(void *ctx, uint32_t tag),
			   void *ctx);

size_t attr_store_count(const struct attr_store *store);
size_t attr_store_memory(const struct attr_store *store);

#endif
