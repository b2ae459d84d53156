/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set of prefixes of one family, each with a small dense number ("net id").
 *
 * Callers keep their own arrays indexed by the id, so that a RIB costs a few words a prefix instead
 * of a node with pointers. Ids start at 0, are reused after removal (lowest memory, not lowest
 * number, first), and never move: a walk by id may pause and resume while the table changes.
 * Open addressing over (address, length); keys of IPv4 take 5 octets. Pure.
 */
#ifndef XRS_UTIL_PREFIX_TABLE_H
#define XRS_UTIL_PREFIX_TABLE_H

#include "util/prefix.h"

#define PREFIX_ID_NONE UINT32_MAX

struct prefix_table;

/* NULL when memory is out. */
struct prefix_table *prefix_table_new(enum ip_family family);
void prefix_table_free(struct prefix_table *table);
/* The id, or PREFIX_ID_NONE. The prefix must be of the table's family and masked. */
uint32_t prefix_table_find(const struct prefix_table *table, const struct ip_prefix *prefix);
/* Finds or adds. *ret_added tells which (may be NULL). PREFIX_ID_NONE: out of memory. */
uint32_t prefix_table_add(struct prefix_table *table, const struct ip_prefix *prefix,
			  bool *ret_added);
/*
 * The same in two steps, for those who know the next prefixes in advance: _soon() asks for the memory that
 * a prefix (of the table's family) needs and gives its hash, which saves the second step the work.
 */
uint32_t prefix_table_soon(const struct prefix_table *table, const struct ip_prefix *prefix);
uint32_t prefix_table_find_hashed(const struct prefix_table *table, const struct ip_prefix *prefix,
				  uint32_t hash);
uint32_t prefix_table_add_hashed(struct prefix_table *table, const struct ip_prefix *prefix,
				 uint32_t hash, bool *ret_added);
/* The id must be present. */
void prefix_table_remove(struct prefix_table *table, uint32_t id);
/* Many of them, quicker than one by one; each once. */
void prefix_table_remove_all(struct prefix_table *table, const uint32_t *ids, size_t n);
bool prefix_table_has(const struct prefix_table *table, uint32_t id);
struct ip_prefix prefix_table_key(const struct prefix_table *table, uint32_t id);
/*
 * The same into its place, for what is done a million times: a copy right after it was written in parts would wait
 * until all of them have reached the cache.
 */
void prefix_table_read(const struct prefix_table *table, uint32_t id, struct ip_prefix *ret_prefix);
/* Prefixes held. */
uint32_t prefix_table_count(const struct prefix_table *table);
/* One more than the highest id ever given: the size for the caller's arrays. */
uint32_t prefix_table_limit(const struct prefix_table *table);
/* The smallest id >= @from that is present, or PREFIX_ID_NONE: the resumable walk. */
uint32_t prefix_table_next(const struct prefix_table *table, uint32_t from);
/* Longest match of @addr for which @accept says yes (NULL: any), or PREFIX_ID_NONE. */
uint32_t prefix_table_lpm(const struct prefix_table *table, const struct ip_addr *addr,
			  bool (*accept)(void *ctx, uint32_t id), void *ctx);
/* Octets of memory in use, for the memory figures of user/rib. */
size_t prefix_table_memory(const struct prefix_table *table);

#endif
