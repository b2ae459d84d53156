/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Next hops and groups of them, host-wide: their ids are the indices of xrs_nexthop and xrs_group.
 *
 * A next hop is (vnet, address): two vnets may use the same address. A group is a canonical list of
 * members plus a backup list; all prefixes with the same list share it, so the death of an appliance
 * rewrites a handful of groups and no prefix. Reference-counted: paths hold next hops, routes hold
 * groups, groups hold their members. An id is not given again before it was released with
 * nexthop_table_recycle(): the map operations that remove it have to come first. Pure.
 */
#ifndef XRS_RIB_NEXTHOP_GROUP_H
#define XRS_RIB_NEXTHOP_GROUP_H

#include "dataplane.h"
#include "util/prefix.h"

#define NEXTHOP_NONE 0u
#define GROUP_NONE   0u

struct nexthop_table;

struct nexthop_info {
	uint32_t vnet; /* the caller's vnet number */
	struct ip_addr addr;
	bool usable;   /* resolved and alive: the data plane can reach it */
	bool held;     /* came back a moment ago: used only where nobody else is alive */
	bool draining; /* keeps its buckets, while new flows go to another */
	uint32_t refs;
};

struct group_info {
	uint32_t refs;
	unsigned int n_members, n_backup;
	uint32_t member[XRS_MEMBERS_MAX]; /* next-hop ids in canonical order: by address */
	uint32_t backup[XRS_MEMBERS_MAX];
	uint8_t weight[XRS_MEMBERS_MAX]; /* the members' shares in proportion; 0: all alike */
	uint64_t digest; /* of the members' addresses and weights, the same on every host */
};

struct nexthop_events { /* told at once; the caller queues what has to be done */
	void *ctx;
	void (*nexthop_added)(void *ctx, uint32_t id);  /* resolve it */
	void (*nexthop_unused)(void *ctx, uint32_t id); /* last reference gone */
	void (*group_changed)(void *ctx,
			      uint32_t id); /* new, or a member's state changed: write it */
	void (*group_unused)(void *ctx, uint32_t id);
};

struct nexthop_table *nexthop_table_new(const struct nexthop_events *events);
void nexthop_table_free(struct nexthop_table *table);

/* Finds or makes; one reference for the caller. NEXTHOP_NONE: table full or out of memory. */
uint32_t nexthop_get(struct nexthop_table *table, uint32_t vnet, const struct ip_addr *addr);
uint32_t nexthop_find(const struct nexthop_table *table, uint32_t vnet, const struct ip_addr *addr);
void nexthop_ref(struct nexthop_table *table, uint32_t id);
void nexthop_unref(struct nexthop_table *table, uint32_t id);
const struct nexthop_info *nexthop_info(const struct nexthop_table *table,
					uint32_t id); /* or NULL */
/* Emits group_changed for each group that contains it when the state changes. True when it did. */
bool nexthop_set_usable(struct nexthop_table *table, uint32_t id, bool usable);
/* Its return is held back for now: groups with somebody else alive do without it. */
void nexthop_set_held(struct nexthop_table *table, uint32_t id, bool held);
/* Emits group_changed likewise. In its buckets `next` becomes who would have them without it. */
void nexthop_set_draining(struct nexthop_table *table, uint32_t id, bool draining);

/*
 * Finds or makes the group of these members (sorted here; duplicates dropped; cut at XRS_MEMBERS_MAX).
 * One reference for the caller. GROUP_NONE: full, out of memory, or no members.
 */
uint32_t group_get(struct nexthop_table *table, const uint32_t *members, unsigned int n_members,
		   const uint32_t *backup, unsigned int n_backup);
/*
 * The same with a share for each member, in proportion, at least 1: they fill the buckets by weighted
 * rendezvous, so that a member's death or return, or another weight, moves only what has to move. NULL: all alike.
 */
uint32_t group_get_weighted(struct nexthop_table *table, const uint32_t *members,
			    const uint8_t *weights, unsigned int n_members, const uint32_t *backup,
			    unsigned int n_backup);
void group_ref(struct nexthop_table *table, uint32_t id);
void group_unref(struct nexthop_table *table, uint32_t id);
const struct group_info *group_info(const struct nexthop_table *table, uint32_t id); /* or NULL */

/* Restart: takes an id that the maps already use. -EEXIST when the id or the key is taken. */
int nexthop_adopt(struct nexthop_table *table, uint32_t id, uint32_t vnet,
		  const struct ip_addr *addr);
int group_adopt(struct nexthop_table *table, uint32_t id, const uint32_t *members,
		unsigned int n_members, const uint32_t *backup, unsigned int n_backup);

/* After the maps forgot it: the id may be given again. Refused (-EBUSY) while referenced. */
int nexthop_recycle(struct nexthop_table *table, uint32_t id);
int group_recycle(struct nexthop_table *table, uint32_t id);

/* Walks: the smallest live id > @after, or 0. */
uint32_t nexthop_next(const struct nexthop_table *table, uint32_t after);
uint32_t group_next(const struct nexthop_table *table, uint32_t after);

/*
 * What the maps should hold for a group: member and backup lists, how many are alive, and for each
 * bucket the alive member with the highest rendezvous weight of (bucket, address). A member's death
 * moves only its buckets, its return only its share; sets that share members agree, on every host.
 * When no member is alive the backup set fills the buckets; then 0. `next` is who has the bucket when that
 * member dies, or, of a draining one, the heir of its new flows: never a draining one while there is another.
 */
void group_render(const struct nexthop_table *table, uint32_t id, struct xrs_group *ret_group,
		  struct xrs_bucket *ret_bucket);

#endif
