/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the plan; only fib_plan.c and the files plan_*.c include it.
 *
 * Everything that a map may hold is an entry: a next hop, a group, or a route of one table and family.
 * An entry knows what is wanted and what is in the map. Whenever one of the two changes, a `_place()`
 * function puts it into the list that says what has to happen next. There is no other state: an entry
 * that is in the right list will be dealt with, and its place follows from the entry alone.
 */
#ifndef XRS_FIB_PLAN_IMPL_H
#define XRS_FIB_PLAN_IMPL_H

#include "fib/fib_plan.h"
#include "util/prefix_table.h"

/* --- lists of entries (plan_list.c) ------------------------------------------------------------ */
enum plan_list {
	PLAN_IDLE,     /* nothing to do; not linked */
	PLAN_OUT,      /* in the batch that is out; not linked */
	PLAN_SET,      /* to be written */
	PLAN_DEL,      /* to be removed */
	PLAN_HELD,     /* to be written when what it refers to is in the map */
	PLAN_WAIT,     /* to be removed when nothing refers to it any more */
	PLAN_REJECTED, /* the last try failed: errno in `error` */
	PLAN_GONE,     /* removed: to be told to the owner */
	PLAN_LISTS,
};

struct plan_link { /* the head of every entry: 12 octets, links by number instead of by pointer */
	uint32_t prev, next;
	uint8_t list; /* enum plan_list */
	uint8_t flags;
	uint16_t error; /* positive errno of PLAN_REJECTED, else 0 */
};

#define PLAN_END UINT32_MAX

struct plan_lists {
	char *entries; /* array of entries; moves when it grows */
	size_t size;   /* of one entry */
	uint32_t head[PLAN_LISTS], tail[PLAN_LISTS], count[PLAN_LISTS];
};

void plan_lists_init(struct plan_lists *lists, void *entries, size_t size);
struct plan_link *plan_link(const struct plan_lists *lists, uint32_t id);
/* Takes the entry out of its list and appends it to @list. */
void plan_move(struct plan_lists *lists, uint32_t id, enum plan_list list);

/* --- next hops and groups (plan_slots.c) --------------------------------------------------------- */
enum plan_slot_flag {
	SLOT_WANTED = 1,
	SLOT_INSTALLED = 2,
	SLOT_TORN = 4,      /* a write failed midway: nobody knows what the map holds */
	SLOT_STALE = 8,     /* adopted, not wanted since */
	SLOT_TELL = 16,     /* the owner is to be told when it is gone */
	SLOT_FLAG_COUNT = 5 /* number of flags above */
};

struct plan_group { /* what the maps hold for a group */
	struct xrs_group group;
	struct xrs_bucket bucket;
};

struct plan_slot {
	struct plan_link link;
	uint32_t refs; /* entries in the maps that point here */
	char *content; /* wanted, then installed; NULL: neither */
};

struct plan_slots {
	struct plan_lists lists;
	struct plan_slot *slots; /* by id */
	uint32_t max;
	size_t content_size;
	uint32_t flagged[SLOT_FLAG_COUNT]; /* slots with each flag */
	uint32_t contents;                 /* slots with content allocated */
	struct plan_slots *below;          /* what entries of this kind refer to, or NULL */
};

int plan_slots_init(struct plan_slots *slots, uint32_t max, size_t content_size,
		    struct plan_slots *below);
void plan_slots_done(struct plan_slots *slots);
bool plan_slot_has(const struct plan_slots *slots, uint32_t id, enum plan_slot_flag flag);
const void *plan_slot_wanted(const struct plan_slots *slots, uint32_t id);
const void *plan_slot_in_map(const struct plan_slots *slots, uint32_t id);
int plan_slot_set(struct plan_slots *slots, uint32_t id, const void *content);
int plan_slot_del(struct plan_slots *slots, uint32_t id);
int plan_slot_adopt(struct plan_slots *slots, uint32_t id, const void *content, bool *ret_new);
size_t plan_slots_sweep(struct plan_slots *slots);
/* Something in the maps began (+1) or ceased (-1) to point to @id. */
void plan_slot_ref(struct plan_slots *slots, uint32_t id, int change);
/* Everything a group points to is in the map. */
bool plan_slot_ready(const struct plan_slots *slots, uint32_t id);
/* The outcome of a write (true: it is in the map for the first time) or a removal. */
bool plan_slot_written(struct plan_slots *slots, uint32_t id, const void *content, int error);
void plan_slot_removed(struct plan_slots *slots, uint32_t id, int error);
/* Puts all entries of REJECTED or HELD back to work. */
void plan_slots_resume(struct plan_slots *slots, enum plan_list list);
bool plan_slots_next_gone(struct plan_slots *slots, uint32_t *ret_id);
struct fib_plan_counts plan_slots_counts(const struct plan_slots *slots);
size_t plan_slots_memory(const struct plan_slots *slots);
enum fib_plan_state plan_state(const struct plan_link *link, bool stale);

/* --- routes of one table and family (plan_routes.c) ------------------------------------------------ */
#define ROUTE_STALE 1 /* flag of its link */

/* A route in one word, 0: none. Equality of words is what "nothing to write" means. */
typedef uint32_t plan_word;

struct plan_route { /* 20 octets; with the prefix table about 32 (IPv4) to 46 (IPv6) a route */
	struct plan_link link;
	plan_word want, in_map;
};

struct plan_routes {
	struct plan_lists lists;
	struct prefix_table *prefixes; /* its ids number the routes */
	struct plan_route *routes;
	uint32_t cap;
	uint32_t n_wanted, n_installed, n_stale;
	uint32_t room; /* routes that left the trie while others were rejected */
	enum ip_family family;
	struct plan_slots *groups;
};

/* 0: not a route that xrsd writes. */
plan_word plan_word_pack(const struct xrs_route *route);
uint32_t plan_word_group(plan_word word); /* 0: none */
struct xrs_route plan_word_unpack(plan_word word, uint8_t prefix_len);

struct plan_routes *plan_routes_new(enum ip_family family, struct plan_slots *groups);
/* Also takes its references to groups back. */
void plan_routes_free(struct plan_routes *routes);
int plan_routes_set(struct plan_routes *routes, const struct ip_prefix *prefix, plan_word word);
void plan_routes_del(struct plan_routes *routes, const struct ip_prefix *prefix);
int plan_routes_adopt(struct plan_routes *routes, const struct ip_prefix *prefix,
		      const struct xrs_route *route);
size_t plan_routes_sweep(struct plan_routes *routes);
/* The outcome for one route of a batch: the map now holds @word (0: nothing), or the try failed. */
void plan_routes_outcome(struct plan_routes *routes, uint32_t id, plan_word word, int error);
void plan_routes_resume(struct plan_routes *routes, enum plan_list list, uint32_t at_most);
bool plan_routes_read(const struct plan_routes *routes, uint32_t id,
		      struct fib_plan_route *ret_route);
struct fib_plan_counts plan_routes_counts(const struct plan_routes *routes);
size_t plan_routes_memory(const struct plan_routes *routes);

/* --- pending routes in order (plan_run.c) ----------------------------------------------------------- */
#define PLAN_RUN_MAX 65536

struct plan_run_entry {
	uint64_t high, low; /* address, IPv4 in the top of `high` */
	uint32_t id;
	uint8_t len;
};

struct plan_run { /* some of the routes of a table in one list, sorted */
	struct plan_routes *routes;
	uint32_t table;
	enum plan_list list;
	size_t n, at;
	unsigned int half;                              /* of `entries`: where they are */
	struct plan_run_entry entries[2][PLAN_RUN_MAX]; /* the other half is room to sort */
};

/* Takes the first of run->list of run->routes. */
void plan_run_fill(struct plan_run *run);
/* The next one that is still pending. False: there is none. */
bool plan_run_next(struct plan_run *run, uint32_t *ret_id);

#endif
