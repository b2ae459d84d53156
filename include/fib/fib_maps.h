/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only map calls in userspace: typed reads and writes of the pinned maps of dataplane.h.
 *
 * Called by the fib edge of the agent, the API's read-back and tests. Never logs, never decides an
 * order (fib_plan does), never frees a large trie in one piece. Everything but opening and the
 * creation of tables and derived structures works on descriptors alone, so it goes on without capabilities.
 * Writing routes may go on in a second thread: whatever shares something with it waits for one batch at most.
 *
 * Pins, below /sys/fs/bpf/<instance>:
 *   maps/<map>                   the fixed maps, made by loader_open()
 *   tables/<vnet>.<table>.v4|v6  one LPM trie of each family for each route table
 * Octets of a vnet's or table's name outside [A-Za-z0-9_-] are written %XX: pin_encode(). bpffs refuses
 * a dot in a name unless the directory has no permission bits (kernel/bpf/inode.c, bpf_lookup(); that
 * is how its own dotted files are made): pin_dots() opens that door for the moment of pinning.
 *
 * Unless said otherwise functions return 0 or a negative errno, and -ERANGE for an index that the
 * map does not have.
 */
#ifndef XRS_FIB_FIB_MAPS_H
#define XRS_FIB_FIB_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"
#include "fib/fib_fast.h"
#include "util/prefix.h"

#define FIB_PATH_MAX  256
#define FIB_BATCH     4096 /* entries of one batch system call */
#define FIB_TABLE_BAD UINT32_MAX

struct fib_maps;

/* --- names ---------------------------------------------------------------------------------------- */
/* Appends @text to the pin name in @buf, encoded; -ENAMETOOLONG leaves @buf as it was. */
int pin_encode(char *buf, size_t cap, const char *text);
/* The reverse, of one part. -EINVAL: not something pin_encode() writes. -ENAMETOOLONG. */
int pin_decode(const char *name, size_t len, char *buf, size_t cap);
/* "/sys/fs/bpf/<instance>/<dir>"; @dir may be "". -EINVAL: an instance name that is not one path part. */
int pin_dir(const char *instance, const char *dir, char buf[static FIB_PATH_MAX]);
/* Whether new pins in @dir may have dots in their names. Root passes either mode. */
void pin_dots(const char *dir, bool allow);

/* --- opening -------------------------------------------------------------------------------------- */
/* What new tries are made with; BTF, so that bpftool can print them: see loader_schema(). */
struct fib_schema {
	int btf_fd; /* borrowed; -1: tries without BTF */
	uint32_t key4, key6, route;
	uint32_t max_routes; /* of one trie; 0: XRS_ROUTE_MAX */
	/* The program that changes routes where they stand, and what it reads; borrowed. NULL: there is none. */
	int move_prog;
	struct xrs_moves *moves;
};

/*
 * The layout version of the pinned maps of @instance; 0: they were made, but not finished. -ENOENT: there
 * are none. -EPROTO: there are pins, but no readable xrs_meta among them.
 */
int fib_maps_layout(const char *instance, uint32_t *ret_version);

/* Called once by the loader when all maps are pinned: version 0 becomes XRS_LAYOUT_VERSION. */
int fib_maps_layout_finish(const char *instance);

/*
 * Opens the pinned maps. -ENOENT: not loaded; -EPROTO: another layout version. The caller frees;
 * freeing closes descriptors and changes nothing in the kernel.
 */
int fib_maps_open(const char *instance, const struct fib_schema *schema,
		  struct fib_maps **ret_maps);
void fib_maps_free(struct fib_maps *maps);
/* The descriptor of one fixed map ("xrs_trace"), borrowed; negative when there is no such map. */
int fib_maps_fd(const struct fib_maps *maps, const char *map);

int fib_maps_meta_get(const struct fib_maps *maps, struct xrs_meta *ret_meta);
int fib_maps_generation_set(struct fib_maps *maps, uint32_t generation);

/* --- nics, groups, next hops, devices --------------------------------------------------------------- */
int fib_maps_nic_set(struct fib_maps *maps, uint32_t ifindex, const struct xrs_nic *nic);
int fib_maps_nic_get(const struct fib_maps *maps, uint32_t ifindex, struct xrs_nic *ret_nic);
int fib_maps_nic_del(struct fib_maps *maps, uint32_t ifindex); /* absent: 0 */
/* The nic after @ifindex in the map's order (0: the first). -ENOENT at the end. */
int fib_maps_nic_next(const struct fib_maps *maps, uint32_t ifindex, uint32_t *ret_ifindex);

/* Buckets first, then the group. NULL @bucket: all buckets empty. */
int fib_maps_group_set(struct fib_maps *maps, uint32_t index, const struct xrs_group *group,
		       const struct xrs_bucket *bucket);
int fib_maps_group_get(const struct fib_maps *maps, uint32_t index, struct xrs_group *ret_group,
		       struct xrs_bucket *ret_bucket); /* either may be NULL */
int fib_maps_group_del(struct fib_maps *maps, uint32_t index);

/*
 * A packet that is on its way while a next hop is rewritten may see half of it. So a slot that buckets
 * point to changes in three steps, which this does: way NONE, the rest, way. Frames of that moment
 * count as NO_NEXTHOP and pass.
 */
int fib_maps_nexthop_set(struct fib_maps *maps, uint32_t index, const struct xrs_nexthop *nexthop);
/* One 32-bit store: the quick way to stop (XRS_WAY_NONE) or resume the use of a next hop. */
int fib_maps_nexthop_way(struct fib_maps *maps, uint32_t index, enum xrs_way way);
int fib_maps_nexthop_get(const struct fib_maps *maps, uint32_t index,
			 struct xrs_nexthop *ret_nexthop);
int fib_maps_nexthop_del(struct fib_maps *maps, uint32_t index);

/* Devices that XDP may redirect to. A next hop whose device is missing here goes through tc. */
int fib_maps_dev_add(struct fib_maps *maps, uint32_t ifindex);
int fib_maps_dev_del(struct fib_maps *maps, uint32_t ifindex); /* absent: 0 */
bool fib_maps_dev_has(const struct fib_maps *maps, uint32_t ifindex);
int fib_maps_dev_next(const struct fib_maps *maps, uint32_t ifindex, uint32_t *ret_ifindex);

/* --- BFD sessions ------------------------------------------------------------------------------------ */
/* The whole of xrs_bfd as memory, XRS_BFD_MAX entries; for the engine's verdicts and for reading. */
struct xrs_bfd *fib_maps_bfd(const struct fib_maps *maps);
/* Makes a session known to the program; its counters begin at 0. */
int fib_maps_bfd_set(struct fib_maps *maps, uint32_t slot, const struct xrs_bfd *entry);
int fib_maps_bfd_del(struct fib_maps *maps, uint32_t slot);

/* Local VMs by address, and VXLAN networks that end here. _del: absent is 0. _next: NULL @key begins. */
int fib_maps_host_set(struct fib_maps *maps, const struct xrs_host_key *key,
		      const struct xrs_nexthop *host);
int fib_maps_host_del(struct fib_maps *maps, const struct xrs_host_key *key);
int fib_maps_host_next(const struct fib_maps *maps, const struct xrs_host_key *key,
		       struct xrs_host_key *ret_key);
int fib_maps_vni_set(struct fib_maps *maps, const struct xrs_vni_key *key,
		     const struct xrs_vni *vni);
int fib_maps_vni_del(struct fib_maps *maps, const struct xrs_vni_key *key);
int fib_maps_vni_next(const struct fib_maps *maps, const struct xrs_vni_key *key,
		      struct xrs_vni_key *ret_key);

/* --- fib_snoop.c: learned sources, and the DHCP messages that some are learned from --------------------- */
int fib_maps_learned_set(struct fib_maps *maps, const struct xrs_learned_key *key,
			 const struct xrs_learned *learned);
int fib_maps_learned_get(const struct fib_maps *maps, const struct xrs_learned_key *key,
			 struct xrs_learned *ret_learned);
int fib_maps_learned_del(struct fib_maps *maps, const struct xrs_learned_key *key);
int fib_maps_learned_next(const struct fib_maps *maps, const struct xrs_learned_key *key,
			  struct xrs_learned_key *ret_key);
/* The ring of DHCP messages: a descriptor that is readable when there is something, or negative errno. */
int fib_maps_snoop_open(struct fib_maps *maps);
void fib_maps_snoop_close(struct fib_maps *maps);
void fib_maps_snoop_read(struct fib_maps *maps,
			 void (*fn)(void *ctx, const struct xrs_snoop_record *record), void *ctx);

/* --- route tables ------------------------------------------------------------------------------------- */
/*
 * Opens or makes both tries of a table and puts them at @index of the outer maps. Pinned tries are
 * adopted with their contents. -EEXIST: this process has another table at @index. -EINVAL: name.
 */
int fib_maps_table_open(struct fib_maps *maps, uint32_t index, const char *vnet, const char *table);
/*
 * Takes the table out of the outer maps (frames count as NO_TABLE from then on) and removes its pins.
 * Its contents are given back piece by piece by fib_maps_reap(). -ENOENT: no such table.
 */
int fib_maps_table_close(struct fib_maps *maps, uint32_t index);
/* Empties at most about @budget entries of closed tables; true while some are left. */
bool fib_maps_reap(struct fib_maps *maps, size_t budget);

struct fib_table_pin {
	char vnet[64], table[64];
	uint32_t index; /* where the outer maps have it; FIB_TABLE_BAD: nowhere */
};
/*
 * The pinned tables, for adoption: a restart must keep each at its old index, or the running program
 * would answer from the wrong one. Fills up to @cap and returns how many there are, or negative errno.
 */
int fib_maps_table_pins(const struct fib_maps *maps, struct fib_table_pin *pins, size_t cap);

struct fib_route {
	struct ip_prefix prefix;
	struct xrs_route value; /* prefix_len is filled from the prefix by fib_maps_routes_set() */
	bool fresh; /* the caller knows that the prefix is not in the table: keeps the count right */
	int error;  /* out: 0 or negative errno of this entry */
};

/*
 * Writes or deletes @n entries of one table in batches, in the order given (sorted is three times as
 * fast). Each entry gets its own `error`: -ENOSPC for a full trie, while overwrites after it still
 * succeed. Deleting what is not there is success. Returns the number of entries that failed, or a
 * negative errno when nothing was tried (-ENOENT: no such table).
 */
int fib_maps_routes_set(struct fib_maps *maps, uint32_t table, struct fib_route *routes, size_t n);
int fib_maps_routes_del(struct fib_maps *maps, uint32_t table, struct fib_route *routes, size_t n);

/* Exactly this prefix. -ENOENT, also when a shorter one covers it. */
int fib_maps_route_get(const struct fib_maps *maps, uint32_t table, const struct ip_prefix *prefix,
		       struct xrs_route *ret_route);
/* Longest match, as the program sees it. */
int fib_maps_route_match(const struct fib_maps *maps, uint32_t table, const struct ip_addr *addr,
			 struct xrs_route *ret_route);

/*
 * A resumable walk. Zeroed by fib_walk_init(); the caller may keep it across other calls. On one thread only,
 * which need not be that of the writer, and does not wait for it.
 */
struct fib_walk {
	uint32_t table;
	enum ip_family family;
	bool started, done;
	uint8_t key[24]; /* the last key that was given out */
};
void fib_walk_init(struct fib_walk *walk, uint32_t table, enum ip_family family);
/*
 * Up to @cap further entries, in the trie's own order. *ret_n 0: the end. -ESTALE: the entry where the
 * walk stood was deleted meanwhile; start again (entries may come a second time).
 */
int fib_maps_walk(const struct fib_maps *maps, struct fib_walk *walk, struct fib_route *routes,
		  size_t cap, size_t *ret_n);
/* Routes that were changed where they stand, without a new node for each. */
uint64_t fib_maps_moved(const struct fib_maps *maps);
/*
 * Entries of a table as counted by what went through routes_set and routes_del. Exact once fib_maps_counted()
 * was told what a complete walk has found: adoption does it.
 */
size_t fib_maps_count(const struct fib_maps *maps, uint32_t table, enum ip_family family);
void fib_maps_counted(struct fib_maps *maps, uint32_t table, enum ip_family family, size_t count);

/* --- derived lookup structures ------------------------------------------------------------------------
 * Tables with a route or more get one, which the program asks before the trie. The functions above keep it equal
 * to the trie; this makes, enlarges, publishes and drops it, in slices.
 */
#define FIB_FAST_LEAST 1 /* default: the trie is slower with a single route already */

/* Routes of a table and family from which it gets one; 0: none does. */
void fib_maps_fast_least(struct fib_maps *maps, size_t routes);
/*
 * One slice, true while there is more: a few milliseconds, an RCU grace period, or a copy of a whole structure
 * that its table has outgrown (0.1 s for a million routes). After writes, when no more are waiting. By the
 * thread that writes routes where there is one: it may wait for what the loop must not wait for.
 */
bool fib_maps_fast_work(struct fib_maps *maps);
/*
 * A handful of routes can be written without such a copy. Of a table that nobody else is writing to.
 */
bool fib_maps_fast_quick(const struct fib_maps *maps, uint32_t table, enum ip_family family);
/* As the program sees it. -ENODATA: the program asks the trie; -ENOENT: no route. */
int fib_maps_fast_match(const struct fib_maps *maps, uint32_t table, const struct ip_addr *addr,
			struct xrs_route *ret_route);
/* Drops it; fib_maps_fast_work() makes it anew. */
int fib_maps_fast_rebuild(struct fib_maps *maps, uint32_t table, enum ip_family family);

struct fib_maps_fast {
	bool on;       /* the program asks it */
	bool building; /* not yet, or not at this moment */
	int error;     /* errno: it could not be made */
	size_t memory; /* octets */
	struct fib_fast_figures figures;
	uint64_t builds, copies; /* made from the trie; moved to a larger place */
	uint64_t pauses;         /* times it was off for a large batch */
	uint64_t fallbacks;      /* packets that the trie answered while it was off */
};
/* As they were after the last change; waits for nobody. */
int fib_maps_fast_figures(const struct fib_maps *maps, uint32_t table, enum ip_family family,
			  struct fib_maps_fast *ret);

/* --- fib_counters.c: counters, summed over CPUs --------------------------------------------------------- */
/*
 * For somebody who asks for many: while @on, counters and groups are read 64 neighbours at a time, each once,
 * and are as they were then. Not kept from one slice of work to the next.
 */
void fib_maps_hold(struct fib_maps *maps, bool on);
/* System calls that read counters and groups so far. */
uint64_t fib_maps_reads(const struct fib_maps *maps);
int fib_maps_nic_stats(const struct fib_maps *maps, uint32_t slot, struct xrs_nic_stats *ret_stats);
int fib_maps_nic_stats_zero(struct fib_maps *maps, uint32_t slot);
int fib_maps_nh_stats(const struct fib_maps *maps, uint32_t index, struct xrs_nh_stats *ret_stats);
int fib_maps_nh_stats_zero(struct fib_maps *maps, uint32_t index);

/* --- fib_trace.c: counters by route, traces --------------------------------------------------------- */
/* Whether deleted routes have counters to be dropped; off: all counters go. */
void fib_maps_route_counters(struct fib_maps *maps, bool on);
/* -ENOENT, and zeros: no packet came, or nobody counts. */
int fib_maps_route_stats(const struct fib_maps *maps, uint32_t table,
			 const struct ip_prefix *prefix, struct xrs_route_stats *ret_stats);
/* The same for all routes of one table, in batches: NULL: out of memory. _step() until it says false. */
struct fib_route_counters;
struct fib_route_counters *fib_route_counters_new(const struct fib_maps *maps, uint32_t table);
bool fib_route_counters_step(struct fib_route_counters *counters);
/* As they were then; where batches failed as they are now. Zeros: no packet came. */
void fib_route_counters_get(const struct fib_route_counters *counters,
			    const struct ip_prefix *prefix, struct xrs_route_stats *ret_stats);
void fib_route_counters_free(struct fib_route_counters *counters); /* NULL is fine */
/* After fib_maps_routes_del(). From any thread. */
void fib_maps_route_stats_drop(struct fib_maps *maps, uint32_t table,
			       const struct fib_route *routes, size_t n);

/* The ring of traces: a descriptor that is readable when there is something, or negative errno. */
int fib_maps_trace_open(struct fib_maps *maps);
void fib_maps_trace_close(struct fib_maps *maps);
int fib_maps_trace_rule(struct fib_maps *maps, const struct xrs_trace_rule *rule);
void fib_maps_trace_read(struct fib_maps *maps,
			 void (*fn)(void *ctx, const struct xrs_trace_record *record), void *ctx);
/* Name and verdict ("steered", "passed", "dropped") of a reason; NULL beyond the table. */
const char *fib_reason_name(unsigned int reason);
const char *fib_reason_verdict(unsigned int reason);
/* The counter of @reason in @stats; 0 beyond the table. */
uint64_t fib_reason_count(const struct xrs_nic_stats *stats, unsigned int reason);

#endif
