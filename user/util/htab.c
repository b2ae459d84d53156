// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open addressing from a 32-bit hash to a pointer: attribute interning, names, peers by address. The
 * hash is kept beside the pointer, so that a probe touches an item only when the hashes agree.
 * Never frees or looks into an item itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/htab.h"

#define HTAB_MIN_SLOTS 16

struct htab_slot {
	void *item; /* NULL: empty */
	uint32_t hash;
};

struct htab {
	struct htab_slot *slots;
	size_t mask; /* number of slots - 1, a power of two less one */
	size_t count;
};

struct htab *htab_new(void)
{
	struct htab *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->slots = calloc(HTAB_MIN_SLOTS, sizeof(*table->slots));
	if (!table->slots) {
		free(table);
		return NULL;
	}
	table->mask = HTAB_MIN_SLOTS - 1;
	return table;
}

void htab_free(struct htab *table)
{
	if (!table)
		return;
	free(table->slots);
	free(table);
}

/* The slot that holds @key, or the empty one that ends its run. */
static size_t locate(const struct htab *table, uint32_t hash, htab_eq_fn eq, const void *key)
{
	size_t at = hash & table->mask;

	for (; table->slots[at].item; at = (at + 1) & table->mask) {
		if (table->slots[at].hash == hash && eq(table->slots[at].item, key))
			break;
	}
	return at;
}

void *htab_find(const struct htab *table, uint32_t hash, htab_eq_fn eq, const void *key)
{
	return table->slots[locate(table, hash, eq, key)].item;
}

static void put(struct htab *table, uint32_t hash, void *item)
{
	size_t at = hash & table->mask;

	while (table->slots[at].item)
		at = (at + 1) & table->mask;
	table->slots[at] = (struct htab_slot){ .item = item, .hash = hash };
}

static int grow(struct htab *table)
{
	struct htab_slot *old = table->slots;
	size_t old_slots = table->mask + 1;
	struct htab_slot *slots = calloc(old_slots * 2, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	table->slots = slots;
	table->mask = old_slots * 2 - 1;
	for (size_t i = 0; i < old_slots; i++) {
		if (old[i].item)
			put(table, old[i].hash, old[i].item);
	}
	free(old);
	return 0;
}

int htab_insert(struct htab *table, uint32_t hash, void *item)
{
	/* Three quarters full: linear probing stays at a few slots a lookup. */
	if ((table->count + 1) * 4 > (table->mask + 1) * 3) {
		int err = grow(table);

		if (err)
			return err;
	}
	put(table, hash, item);
	table->count++;
	return 0;
}

/*
 * Fills the hole at @hole from the rest of its run, so that lookups never meet a tombstone. An entry
 * may move back only when its home slot does not lie between the hole and itself.
 */
static void close_hole(struct htab *table, size_t hole)
{
	size_t at = (hole + 1) & table->mask;

	for (; table->slots[at].item; at = (at + 1) & table->mask) {
		size_t home = table->slots[at].hash & table->mask;

		if (((at - home) & table->mask) < ((at - hole) & table->mask))
			continue;
		table->slots[hole] = table->slots[at];
		hole = at;
	}
	table->slots[hole] = (struct htab_slot){ 0 };
}

void *htab_remove(struct htab *table, uint32_t hash, htab_eq_fn eq, const void *key)
{
	size_t at = locate(table, hash, eq, key);
	void *item = table->slots[at].item;

	if (!item)
		return NULL;
	close_hole(table, at);
	table->count--;
	return item;
}

size_t htab_count(const struct htab *table)
{
	return table->count;
}

void *htab_next(const struct htab *table, size_t *cursor)
{
	while (*cursor <= table->mask) {
		void *item = table->slots[(*cursor)++].item;

		if (item)
			return item;
	}
	return NULL;
}

/* Odd constants with about half of their bits set, from the digits of sqrt(2) and sqrt(3). */
#define MIX_A UINT64_C(0x6a09e667f3bcc909)
#define MIX_B UINT64_C(0xbb67ae8584caa73b)

/* Multiplies to 128 bits and folds: each bit of @value reaches every bit of the result. */
static inline uint64_t fold(uint64_t value, uint64_t by)
{
	unsigned __int128 product = (unsigned __int128)value * by;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t finish(uint64_t state)
{
	state = fold(state ^ MIX_A, MIX_B);
	return (uint32_t)(state ^ state >> 32);
}

uint32_t hash_bytes(const void *data, size_t len, uint32_t seed)
{
	const uint8_t *at = data;
	uint64_t state = fold(seed ^ MIX_B, MIX_A) ^ len;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		state = fold(state ^ word, MIX_A);
	}
	if (len) {
		word = 0;
		memcpy(&word, at, len);
		state = fold(state ^ word, MIX_A);
	}
	return finish(state);
}

uint32_t hash_u32(uint32_t value, uint32_t seed)
{
	return finish(fold(((uint64_t)seed << 32 | value) ^ MIX_B, MIX_A));
}

uint32_t hash_str(const char *text)
{
	return hash_bytes(text, strlen(text), 0);
}
