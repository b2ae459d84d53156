/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the maps should hold against what they hold, and the map operations that lead from one to the
 * other in an order in which no packet ever meets a dangling index. Pure: the owner
 * carries the operations out (agent/node_fib.c through fib_maps.c) and reports how each one went.
 *
 *   wanted:  fib_plan_set_*() and fib_plan_del_*()
 *   found:   fib_plan_adopt_*()                        at start, and when fib.verify finds a difference
 *   to do:   while (fib_plan_next(plan, &batch)) { carry out; fib_plan_done(plan, &batch); }
 *            while (fib_plan_next_gone(plan, &gone)) group_recycle() or nexthop_recycle();
 *
 * Order of batches: next hops, groups, routes; then removals of routes, of groups that no installed
 * route uses, of next hops that no installed group uses. Each call starts at the top of this list, so
 * a group that is rewritten because an appliance died never waits for more than one batch of routes.
 *
 *   - Only differences are written: setting what is installed costs nothing, ten changes cost one write.
 *   - A group is not written before its next hops are in the map, nor a route before its group.
 *   - What failed is `rejected` and keeps its errno until fib_plan_retry(), a new value, or, for routes,
 *     room: each route that leaves a trie lets one rejected route of that trie be tried again.
 */
#ifndef XRS_FIB_FIB_PLAN_H
#define XRS_FIB_FIB_PLAN_H

#include "dataplane.h"
#include "fib/fib_maps.h"

#define FIB_PLAN_SLOTS 64 /* next hops or groups of one batch */
#define FIB_PLAN_ROUTES_OUT \
	2 /* batches of routes that may be out at a time: one is written, one waits */

struct fib_plan;

struct fib_plan *fib_plan_new(void); /* NULL: out of memory */
void fib_plan_free(struct fib_plan *plan);
/* What routes written from now on carry; differences in it alone are no reason to write. */
void fib_plan_set_generation(struct fib_plan *plan, uint32_t generation);

/* --- wanted -----------------------------------------------------------------------------------------
 * Contents are copied. 0; -ERANGE: index 0 (next hops, groups) or beyond the map; -ENOMEM: nothing was
 * changed. Deleting what is not there is success.
 */
/* -EINVAL: no family. */
int fib_plan_set_nexthop(struct fib_plan *plan, uint32_t id, const struct xrs_nexthop *nexthop);
int fib_plan_del_nexthop(struct fib_plan *plan, uint32_t id);
/* -EINVAL: no member, too many, or a bucket with neither 0 nor a member nor one of the backup set. */
int fib_plan_set_group(struct fib_plan *plan, uint32_t id, const struct xrs_group *group,
		       const struct xrs_bucket *bucket);
int fib_plan_del_group(struct fib_plan *plan, uint32_t id);

/* Tables are numbered as in xrs_table. Adding one that is there: 0. */
int fib_plan_table_add(struct fib_plan *plan, uint32_t table);
/*
 * Forgets a table with all of its routes, without operations: fib_maps_table_close() deals with them. A batch
 * of it that is out must be carried out before the number is used again.
 */
void fib_plan_table_remove(struct fib_plan *plan, uint32_t table);

/*
 * Kind, group and source of @route count. -ENOENT: no such table. -EINVAL: XRS_ROUTE_STEER without a
 * group, or another kind with one.
 */
int fib_plan_set_route(struct fib_plan *plan, uint32_t table, const struct ip_prefix *prefix,
		       const struct xrs_route *route);
int fib_plan_del_route(struct fib_plan *plan, uint32_t table, const struct ip_prefix *prefix);

/* The route may be set or deleted soon: memory is slow. */
void fib_plan_prefetch(const struct fib_plan *plan, uint32_t table, const struct ip_prefix *prefix);

/* --- found ------------------------------------------------------------------------------------------
 * The map holds this; NULL or a free slot: nothing. What nobody wants is stale: it is kept, and forwards
 * on, until it is wanted again or fib_plan_sweep(). In any order, but tables first. The same calls tell
 * the plan of a difference that fib.verify found: the next batches repair it. Errors as above; -EBUSY:
 * the entry is part of a batch that is out.
 */
int fib_plan_adopt_nexthop(struct fib_plan *plan, uint32_t id, const struct xrs_nexthop *nexthop);
int fib_plan_adopt_group(struct fib_plan *plan, uint32_t id, const struct xrs_group *group,
			 const struct xrs_bucket *bucket);
int fib_plan_adopt_route(struct fib_plan *plan, uint32_t table, const struct ip_prefix *prefix,
			 const struct xrs_route *route);
/* Everything still stale is to be removed. Returns how many entries. */
size_t fib_plan_sweep(struct fib_plan *plan);

/* --- to do ------------------------------------------------------------------------------------------ */
enum fib_plan_op { /* in the order of precedence */
	FIB_PLAN_NEXTHOP_SET,
	FIB_PLAN_GROUP_SET,
	FIB_PLAN_ROUTE_SET,
	FIB_PLAN_ROUTE_DEL,
	FIB_PLAN_GROUP_DEL,
	FIB_PLAN_NEXTHOP_DEL,
	FIB_PLAN_OP_MAX,
};
const char *fib_plan_op_name(enum fib_plan_op op); /* "group set" */

struct fib_plan_slot { /* one next hop or group */
	uint32_t id;
	struct xrs_nexthop nexthop; /* of NEXTHOP_SET */
	struct xrs_group group;     /* of GROUP_SET */
	struct xrs_bucket bucket;
	int error; /* out: 0 or negative errno */
};

struct fib_plan_batch {
	enum fib_plan_op op;
	uint32_t table; /* of ROUTE_*: one table and family, sorted by prefix, at most FIB_BATCH */
	enum ip_family family;
	size_t n;
	struct fib_route *routes; /* n of them for ROUTE_*, for fib_maps_routes_set() or _del() */
	struct fib_plan_slot *slots; /* n of them for the others */
};

/*
 * The next batch; its arrays belong to the plan and live until fib_plan_done(). False: nothing can be
 * done now. What is wanted may change while a batch is out. FIB_PLAN_ROUTES_OUT batches of routes may be
 * out at a time, and beside them one of next hops or groups, which is never a removal then. Batches of
 * routes are reported in any order.
 */
bool fib_plan_next(struct fib_plan *plan, struct fib_plan_batch *ret_batch);
/* The same for next hops and groups that are to be written, and nothing else: an appliance died. */
bool fib_plan_next_urgent(struct fib_plan *plan, struct fib_plan_batch *ret_batch);
/* The batch was carried out; `error` of every entry is set. */
void fib_plan_done(struct fib_plan *plan, const struct fib_plan_batch *batch);
/* Sets `error` (negative errno) of all entries: for a call that failed before it tried any. */
void fib_plan_batch_fail(struct fib_plan_batch *batch, int error);
/* Tries everything rejected once more. */
void fib_plan_retry(struct fib_plan *plan);

/* An id that no map holds any more and that nobody wants: it may be given again. */
struct fib_plan_gone {
	bool is_group; /* else a next hop */
	uint32_t id;
};
/*
 * Each deletion is answered so once, when it is carried out or was not needed, unless the id is set
 * again before. False: no more now.
 */
bool fib_plan_next_gone(struct fib_plan *plan, struct fib_plan_gone *ret_gone);

/* --- reading ---------------------------------------------------------------------------------------- */
enum fib_plan_state {
	FIB_PLAN_CLEAN,    /* the map holds what is wanted */
	FIB_PLAN_PENDING,  /* will be written or removed */
	FIB_PLAN_HELD,     /* waits for its group or next hop, whose write failed */
	FIB_PLAN_REJECTED, /* the write failed, see error */
	FIB_PLAN_STALE,    /* adopted and not wanted since */
};
const char *fib_plan_state_name(enum fib_plan_state state); /* "rejected" */

struct fib_plan_route {
	struct ip_prefix prefix;
	enum fib_plan_state state;
	int error;               /* positive errno of REJECTED, else 0 */
	bool wanted, installed;  /* whether these two hold anything */
	struct xrs_route want;   /* prefix_len is set, generation is 0 */
	struct xrs_route in_map; /* as last written or adopted */
};
/* False: the plan knows nothing of the prefix. */
bool fib_plan_route(const struct fib_plan *plan, uint32_t table, const struct ip_prefix *prefix,
		    struct fib_plan_route *ret_route);
/*
 * Resumable walk in no particular order: *cursor starts at 0. Returns how many of @cap entries were
 * filled; fewer than @cap: the end.
 */
size_t fib_plan_walk(const struct fib_plan *plan, uint32_t table, enum ip_family family,
		     uint32_t *cursor, struct fib_plan_route *routes, size_t cap);

struct fib_plan_slot_state {
	enum fib_plan_state state;
	int error;
	bool wanted, installed;
	const struct xrs_nexthop
		*nexthop; /* wanted content of a next hop, or NULL; until the next set */
	const struct xrs_group *group; /* wanted content of a group, or NULL */
	const struct xrs_bucket *bucket;
	uint32_t refs; /* routes that use the group; members and buckets that use the next hop */
};
bool fib_plan_nexthop(const struct fib_plan *plan, uint32_t id,
		      struct fib_plan_slot_state *ret_state);
bool fib_plan_group(const struct fib_plan *plan, uint32_t id,
		    struct fib_plan_slot_state *ret_state);

struct fib_plan_counts {
	uint32_t wanted, installed;
	uint32_t pending; /* to be written or removed, the batch that is out included */
	uint32_t held, rejected, stale;
};
/* Of the routes of one table and family; all zero when there is no such table. */
struct fib_plan_counts fib_plan_counts(const struct fib_plan *plan, uint32_t table,
				       enum ip_family family);

struct fib_plan_totals {
	struct fib_plan_counts routes, groups, nexthops;            /* sums over all tables */
	uint64_t written[FIB_PLAN_OP_MAX], failed[FIB_PLAN_OP_MAX]; /* entries, since the start */
	size_t memory;                                              /* octets, all of it */
};
struct fib_plan_totals fib_plan_totals(const struct fib_plan *plan);

#endif
