/* SPDX-License-Identifier: GPL-2.0-only */
/* What fib_maps.c (fixed maps) and fib_tables.c (route tables) share. Nobody else includes it. */
#ifndef XRS_USER_FIB_MAPS_IMPL_H
#define XRS_USER_FIB_MAPS_IMPL_H

#include "fib/fib_maps.h"

#define FIB_INSTANCE_MAX 65
#define FIB_NAME_MAX     200 /* "<vnet>:<table>", encoded */

enum fib_map { /* the order of map_names in fib_maps.c */
	FIB_MAP_META,
	FIB_MAP_NIC,
	FIB_MAP_TABLE,
	FIB_MAP_TABLE6,
	FIB_MAP_GROUP,
	FIB_MAP_BUCKET,
	FIB_MAP_NEXTHOP,
	FIB_MAP_DEVMAP,
	FIB_MAP_STATS,
	FIB_MAP_NH_STATS,
	FIB_MAP_TRACE,
	FIB_MAP_MAX,
};

struct fib_trie {
	int fd;
	size_t count;
};

struct fib_table {
	char name[FIB_NAME_MAX]; /* "": this index is free */
	struct fib_trie trie[2]; /* 0: IPv4, 1: IPv6 */
};

struct fib_closed { /* a trie that nobody uses and that is being emptied */
	struct fib_closed *next;
	int fd;
	bool v6;
};

/* Keys and values of one batch; the larger key serves both families. */
struct fib_buffer {
	uint8_t keys[FIB_BATCH * sizeof(struct xrs_key6)];
	struct xrs_route values[FIB_BATCH];
};

struct fib_maps {
	char instance[FIB_INSTANCE_MAX];
	struct fib_schema schema;
	int fd[FIB_MAP_MAX];
	struct xrs_bucket *buckets;   /* mapped */
	struct xrs_nexthop *nexthops; /* mapped */
	void *per_cpu;                /* one value for each possible CPU */
	unsigned int n_cpus;
	bool no_batch; /* the kernel has no batches for tries (before 5.13) */
	struct fib_table *tables;
	struct fib_closed *closed;
	struct fib_buffer *buffer;
};

/* Closes the descriptors of the tables and of what is being emptied. */
void fib_tables_done(struct fib_maps *maps);

#endif
