/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An intrusive-free hash table from a caller-computed hash to void pointers: open addressing, linear
 * probing, grows by doubling, backward-shift deletion. The caller compares keys. Pure.
 */
#ifndef XRS_UTIL_HTAB_H
#define XRS_UTIL_HTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct htab;
typedef bool (*htab_eq_fn)(const void *item, const void *key);

struct htab *htab_new(void);        /* NULL: out of memory */
void htab_free(struct htab *table); /* frees no items */
void *htab_find(const struct htab *table, uint32_t hash, htab_eq_fn eq, const void *key);
/* The caller has made sure that the key is absent; @item is not NULL. 0 or -ENOMEM. */
int htab_insert(struct htab *table, uint32_t hash, void *item);
/* Removes and returns the item, or NULL. */
void *htab_remove(struct htab *table, uint32_t hash, htab_eq_fn eq, const void *key);
size_t htab_count(const struct htab *table);
/* Walk: start with *cursor = 0; NULL at the end. Do not change the table meanwhile. */
void *htab_next(const struct htab *table, size_t *cursor);

/*
 * Seeded 32-bit hash of octets, eight a step by multiply and fold; SipHash is not needed: keys are
 * capped in number. The value depends on the host's byte order: never store or send it.
 */
uint32_t hash_bytes(const void *data, size_t len, uint32_t seed);
uint32_t hash_u32(uint32_t value, uint32_t seed);
uint32_t hash_str(const char *text);

#endif
