/* SPDX-License-Identifier: GPL-2.0-only */
/* What fib_maps.c (fixed maps), fib_tables.c (route tables) and the files beside them share. Nobody else includes it. */
#ifndef XRS_USER_FIB_MAPS_IMPL_H
#define XRS_USER_FIB_MAPS_IMPL_H

#include <pthread.h>

#include "fib/fib_fast.h"
#include "fib/fib_maps.h"

#define FIB_INSTANCE_MAX 65
#define FIB_NAME_MAX     200 /* "<vnet>:<table>", encoded */

enum fib_map { /* the order of map_names in fib_maps.c */
	FIB_MAP_META,
	FIB_MAP_NIC,
	FIB_MAP_NEAR,
	FIB_MAP_TABLE,
	FIB_MAP_TABLE6,
	FIB_MAP_FAST_SMALL,
	FIB_MAP_FAST_MIDDLE,
	FIB_MAP_FAST_LARGE,
	FIB_MAP_FAST_HEAD,
	FIB_MAP_GROUP,
	FIB_MAP_BUCKET,
	FIB_MAP_NEXTHOP,
	FIB_MAP_DEVMAP,
	FIB_MAP_STATS,
	FIB_MAP_NH_STATS,
	FIB_MAP_TRACE,
	FIB_MAP_BFD,
	FIB_MAP_BFD_PEER,
	FIB_MAP_HOST,
	FIB_MAP_VNI,
	FIB_MAP_ROUTE_STATS,
	FIB_MAP_TRACE_RULE,
	FIB_MAP_LEARNED,
	FIB_MAP_SNOOP,
	FIB_MAP_MAX,
};

struct fib_trie {
	int fd;
	size_t count;
};

enum fast_state { /* fast_maps.c draws them */
	FAST_NONE,
	FAST_BUILD,
	FAST_OFF,
	FAST_ON,
};

struct fast_memory { /* fast_memory.c */
	void *at;
	size_t size;
	uint32_t kind;  /* of chunks */
	uint32_t chunk; /* octets of each */
	uint32_t n;
	int fd[XRS_FAST_CHUNKS];
};

/* The derived structure of one table and family. */
struct fast_table {
	uint32_t index; /* in xrs_fast_head, and of the chunks */
	enum fast_state state;
	struct fib_fast *fast; /* NULL in FAST_NONE */
	struct fast_memory memory;
	bool installed; /* the program finds it */
	bool inherited; /* what stands there is of an earlier process, and may still be answering */
	int error;      /* negative errno: it could not be made, and is not tried again */
	size_t most;    /* routes of the table at its largest since this was made */
	struct fib_walk walk;
	uint64_t builds, copies, pauses;
	struct fib_maps_fast told; /* for fib_maps_fast_figures(), under `told_lock` */
};

struct fib_table {
	char name[FIB_NAME_MAX]; /* "": this index is free */
	struct fib_trie trie[2]; /* 0: IPv4, 1: IPv6 */
	struct fast_table fast[2];
};

struct fib_closed { /* a trie that nobody uses and that is being emptied */
	struct fib_closed *next;
	int fd;
	uint32_t id; /* of the map: the name of its pin in closed/ */
};

/* Keys and values of one batch; the larger key serves both families. */
struct fib_buffer {
	uint8_t keys[FIB_BATCH * sizeof(struct xrs_key6)];
	struct xrs_route values[FIB_BATCH];
	struct fib_route *of[FIB_BATCH]; /* where they come from */
	bool moved[FIB_BATCH];           /* of the routes that were given: done already */
};

/*
 * Who waits holds the gate, so that a thread that gives the lock up and wants it again at once comes behind.
 */
struct fib_lock {
	pthread_mutex_t gate, lock;
};

struct fib_ring {                   /* fib_ring.c's; it stays where it is while it is open */
	struct ring_buffer *buffer; /* NULL: not open */
	size_t size;                /* of a record; others are passed over */
	void (*fn)(void *ctx, const void *record);
	void *ctx;
};

/*
 * Routes are written, and derived structures made, by a second thread where there is one (agent/fib_writer.c).
 * The lock holds together what that needs: tables, its buffer, derived structures. It may be held for as long
 * as a large structure is copied, so that what the loop does all day goes without: next hops, groups, nics and
 * counters, walks, the emptying of closed tables, and figures.
 */
struct fib_maps {
	struct fib_lock *lock;
	pthread_mutex_t *told_lock; /* of figures; held for a copy of them only */
	char instance[FIB_INSTANCE_MAX];
	struct fib_schema schema;
	int fd[FIB_MAP_MAX];
	struct xrs_bucket *buckets;   /* mapped */
	struct xrs_nexthop *nexthops; /* mapped */
	struct xrs_fast_head *heads;  /* mapped */
	struct xrs_bfd *bfd;          /* mapped */
	struct xrs_near *near;        /* mapped */
	void *per_cpu;                /* one value for each possible CPU */
	struct fib_held *held;        /* fib_counters.c's */
	unsigned int n_cpus;
	struct fib_ring trace, snoop;
	bool route_counters; /* read by the writer's thread */
	bool no_batch;       /* the kernel has no batches for tries (before 5.13) */
	uint64_t moved;      /* routes that fib_move.c has changed */
	struct fib_table *tables;
	struct fib_closed *closed;
	struct fib_buffer *buffer;  /* under the lock */
	struct fib_buffer *reading; /* of fib_maps_walk(), for the loop's thread */
	size_t fast_least; /* routes from which a table gets a derived structure; 0: none does */
	uint64_t fast_pending[XRS_FAST_MAX /
			      64];     /* where fib_maps_fast_work() may have something to do */
	struct fib_route *fast_routes; /* FAST_SLICE of them */
};

static inline struct fib_lock *fib_lock_take(const struct fib_maps *maps)
{
	pthread_mutex_lock(&maps->lock->gate);
	pthread_mutex_lock(&maps->lock->lock);
	pthread_mutex_unlock(&maps->lock->gate);
	return maps->lock;
}

static inline void fib_lock_drop(struct fib_lock **lock)
{
	pthread_mutex_unlock(&(*lock)->lock);
}

/* From here to the end of the block. */
#define FIB_LOCKED(maps)                                                            \
	struct fib_lock *fib_lock __attribute__((cleanup(fib_lock_drop), unused)) = \
		fib_lock_take(maps)

/* --- fib_counters.c ---------------------------------------------------------------------------------- */
enum fib_held_map { /* what is read in windows of neighbours */
	FIB_HELD_NIC,
	FIB_HELD_NEXTHOP,
	FIB_HELD_GROUP,
	FIB_HELD_MAX,
};
int fib_counters_init(struct fib_maps *maps); /* 0 or -ENOMEM; after n_cpus and per_cpu */
void fib_counters_done(struct fib_maps *maps);
/* One entry, of all CPUs. 0, -ERANGE, or what the kernel says. */
int fib_counters_read(const struct fib_maps *maps, enum fib_held_map which, uint32_t index,
		      void *ret);
void fib_counters_count(const struct fib_maps *maps); /* a read that was made elsewhere */

/* --- fib_near.c -------------------------------------------------------------------------------------- */
/*
 * What ordinary packets need of @nic, unless its place is another's; they see by `seq` that it changed under them.
 * NULL: it goes.
 */
void fib_near_set(struct fib_maps *maps, uint32_t ifindex, const struct xrs_nic *nic);
/* What a process that died was about to write, and what other maps of the same nics lack. */
void fib_near_fill(struct fib_maps *maps);

/* --- fib_tables.c ------------------------------------------------------------------------------------ */
/* The descriptor that becomes readable when records come, the ring's own; or negative errno. */
int fib_ring_open(struct fib_ring *ring, int map, size_t size);
void fib_ring_close(struct fib_ring *ring);
/* Gives @fn each record that waits; nothing of a ring that is not open. */
void fib_ring_read(struct fib_ring *ring, void (*fn)(void *ctx, const void *record), void *ctx);

struct bpf_map_info;
/* What the kernel says of a map. 0 or negative errno. */
int fib_map_info(int fd, struct bpf_map_info *ret_info);
/* A trie of this build's layout; its descriptor, or negative errno. */
int fib_trie_create(const struct fib_schema *schema, bool v6);
/* The open table at @index; NULL: there is none. */
struct fib_table *fib_find_table(const struct fib_maps *maps, uint32_t index);
/* Closes the descriptors of the tables and of what is being emptied. */
void fib_tables_done(struct fib_maps *maps);

static inline size_t fib_key_size(bool v6)
{
	return v6 ? sizeof(struct xrs_key6) : sizeof(struct xrs_key4);
}

/* --- fib_closed.c ------------------------------------------------------------------------------------ */
/* The trie @fd, pinned at @path, to those that are emptied; @closed is memory for the list. */
void fib_closed_add(struct fib_maps *maps, struct fib_closed *closed, int fd, const char *path);
/* What migrate.c left behind becomes fib_maps_reap()'s. */
void fib_closed_take_gone(struct fib_maps *maps);
/* All of a trie, of any layout, in batches. Of anything else: nothing. */
void fib_trie_empty(int fd);

/* --- fib_routes.c ------------------------------------------------------------------------------------ */
/* fib_maps_walk() for who holds the lock. */
int fib_walk_locked(const struct fib_maps *maps, struct fib_walk *walk, struct fib_route *routes,
		    size_t cap, size_t *ret_n);
/* The answer of the trie to a prefix: the longest entry that holds all of it, itself included. */
int fib_maps_route_cover(const struct fib_maps *maps, uint32_t table,
			 const struct ip_prefix *prefix, struct xrs_route *ret_route);

/* --- fib_move.c -------------------------------------------------------------------------------------- */
/* Sets @done for those of @routes, @n of one family, that it has changed where they stand. */
void fib_move(struct fib_maps *maps, uint32_t table, bool v6, struct fib_route *routes, uint32_t n,
	      bool *done);

/* --- fast_memory.c ----------------------------------------------------------------------------------- */
/* At least so many octets, zeroed. 0 or negative errno. */
int fast_memory_new(size_t size, struct fast_memory *ret);
/* One chunk more, behind the others. -ENOSPC: there are as many as there can be; else negative errno. */
int fast_memory_more(struct fast_memory *memory);
void fast_memory_free(struct fast_memory *memory);
/* For the program: at structure @index. Whoever reads there meanwhile may see some of both. */
int fast_memory_show(const struct fib_maps *maps, uint32_t index, const struct fast_memory *memory);
bool fast_memory_is_shown(const struct fib_maps *maps, uint32_t index);
/* Whatever stands there, also of an earlier process; returns when no program reads it. */
void fast_memory_hide(const struct fib_maps *maps, uint32_t index);
/* Until no program reads what was taken out of a structure that is shown. */
void fast_memory_wait(const struct fib_maps *maps, uint32_t index,
		      const struct fast_memory *memory);

/* --- fast_maps.c ------------------------------------------------------------------------------------- */
#define FAST_SLICE 2048 /* routes read from a trie in one piece */

/* Around each write of up to FIB_BATCH routes to a trie, which has @count afterwards. */
void fast_before(struct fib_maps *maps, struct fast_table *fast, bool del, size_t n);
void fast_after(struct fib_maps *maps, struct fast_table *fast, size_t count, bool del,
		const struct fib_route *routes, size_t n);
/* @adopted: the trie is the one that the outer map had. Else what an earlier process derived is void. */
void fast_open(struct fib_maps *maps, struct fast_table *fast, uint32_t table, bool v6,
	       bool adopted);
void fast_close(struct fib_maps *maps, struct fast_table *fast);
/* Gives back this process's part; the program goes on with what stands in the maps. */
void fast_done(struct fast_table *fast);

#endif
