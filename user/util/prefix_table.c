// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prefix to dense number. user/rib and user/vnet call it for every route, so a prefix costs its key
 * (5 or 17 octets) and one to two words of 32 bits, and a failed probe costs no access to a key.
 *
 *	keys    address octets, then the length; one record for each id. A free record has the length
 *	        KEY_FREE and the next free id in its first four octets.
 *	slots   hash table of 32-bit words, linear probing. The low bits of a word (`id_mask`) are the id
 *	        plus one, the bits above are the low bits of the hash: most mismatches show without reading
 *	        the key. A removal leaves a mark in its slot where the run goes on: closing the hole would mean
 *	        to hash the keys of all that follow. When such marks or prefixes take too much room, all move
 *	        to new slots, a few with each call: no call costs more in a large table than in a small one.
 *
 * Must never move an id, and never let the order of ids depend on the hash.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "util/prefix_table.h"

#define KEY_FREE   0xff
#define SLOT_EMPTY 0u
/* Of a prefix that went. Never a word in use: the highest id of the mask is above all slots. */
#define SLOT_DELETED UINT32_MAX
#define MIN_SLOTS    16
#define MIN_KEYS     16
#define HANDFUL      16 /* slots that are asked for at once; ids that move with each call */
/* Ids that leave room for the empty mark, and slot counts that fit 32 bits. */
#define MAX_IDS (UINT32_MAX / 2)

/* An address as two numbers, IPv4 in the top half of `hi`: one code path for both families. */
struct key {
	uint64_t hi, lo;
	uint8_t len;
};

struct slots {
	uint32_t *words; /* NULL: there are none */
	uint32_t count;
	uint32_t id_mask;
	uint32_t deleted; /* marks of removals */
};

struct prefix_table {
	enum ip_family family;
	unsigned int addr_size; /* octets of an address; a record has one more */
	uint64_t seed;
	uint8_t *keys;
	uint32_t key_cap;
	uint32_t limit;      /* ids ever given */
	uint32_t first_free; /* head of the list of free ids */
	struct slots slots;
	struct slots old;    /* what has not moved to `slots` yet */
	uint32_t moved;      /* ids below have; those from there on may be in either */
	uint32_t move_limit; /* ids from there on never were in `old` */
	uint32_t count;
	uint32_t per_length
		[129]; /* prefixes of each length: a longest match skips the absent ones */
};

static uint8_t *record(const struct prefix_table *table, uint32_t id)
{
	return table->keys + (size_t)id * (table->addr_size + 1);
}

static uint64_t load64(const uint8_t *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return be64toh(value);
}

static uint64_t load32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return be32toh(value);
}

static struct key key_of(const struct prefix_table *table, const uint8_t *addr, uint8_t len)
{
	if (table->family == IP_V4)
		return (struct key){ .hi = load32(addr) << 32, .len = len };
	return (struct key){ .hi = load64(addr), .lo = load64(addr + 8), .len = len };
}

static struct key key_at(const struct prefix_table *table, uint32_t id)
{
	const uint8_t *at = record(table, id);

	return key_of(table, at, at[table->addr_size]);
}

static bool key_equal(struct key a, struct key b)
{
	return a.hi == b.hi && a.lo == b.lo && a.len == b.len;
}

static struct key key_mask(struct key key, unsigned int len)
{
	return (struct key){
		.hi = len == 0    ? 0
		      : len >= 64 ? key.hi
				  : key.hi & ~UINT64_C(0) << (64 - len),
		.lo = len <= 64    ? 0
		      : len >= 128 ? key.lo
				   : key.lo & ~UINT64_C(0) << (128 - len),
		.len = (uint8_t)len,
	};
}

/*
 * Two rounds of multiply and fold. The seed is the table's own address: a peer that picks prefixes
 * to make long probe runs would have to know it.
 */
static uint32_t hash_key(const struct prefix_table *table, struct key key)
{
	unsigned __int128 product;
	uint64_t mixed;

	product = (unsigned __int128)(key.hi ^ table->seed) * UINT64_C(0x9ddfea08eb382d69);
	mixed = (uint64_t)product ^ (uint64_t)(product >> 64) ^ key.lo;
	mixed += (uint64_t)key.len << 56;
	product = (unsigned __int128)(mixed ^ table->seed) * UINT64_C(0xd6e8feb86659fd93);
	mixed = (uint64_t)product ^ (uint64_t)(product >> 64);
	return (uint32_t)(mixed ^ mixed >> 32);
}

/* The high bits choose the slot, so that the low ones are free to be the mark. */
static uint32_t home_slot(const struct slots *slots, uint32_t hash)
{
	return (uint32_t)((uint64_t)hash * slots->count >> 32);
}

static uint32_t mark_of(const struct slots *slots, uint32_t hash)
{
	/* A multiplication spreads the low bits over those that the mark keeps. */
	return hash * 0x9e3779b1U & ~slots->id_mask;
}

static bool in_use(uint32_t word)
{
	return word != SLOT_EMPTY && word != SLOT_DELETED;
}

static uint32_t id_of(const struct slots *slots, uint32_t word)
{
	return (word & slots->id_mask) - 1;
}

static uint32_t slot_before(const struct slots *slots, uint32_t slot)
{
	return slot ? slot - 1 : slots->count - 1;
}

static uint32_t slot_after(const struct slots *slots, uint32_t slot)
{
	return slot + 1 == slots->count ? 0 : slot + 1;
}

/* The slot that holds @key, or the empty slot that ends its run. */
static uint32_t locate(const struct prefix_table *table, const struct slots *slots, struct key key,
		       uint32_t hash)
{
	uint32_t mark = mark_of(slots, hash);
	uint32_t at = home_slot(slots, hash);

	for (; slots->words[at] != SLOT_EMPTY; at = slot_after(slots, at)) {
		uint32_t word = slots->words[at];

		if ((word & ~slots->id_mask) == mark && in_use(word) &&
		    key_equal(key_at(table, id_of(slots, word)), key))
			break;
	}
	return at;
}

static uint32_t find_in(const struct prefix_table *table, const struct slots *slots, struct key key,
			uint32_t hash)
{
	uint32_t word = slots->words[locate(table, slots, key, hash)];

	return word == SLOT_EMPTY ? PREFIX_ID_NONE : id_of(slots, word);
}

/* What moved is looked for where it is first: the words that stay behind in `old` mean nothing. */
static uint32_t find_key(const struct prefix_table *table, struct key key, uint32_t hash)
{
	uint32_t id = find_in(table, &table->slots, key, hash);

	if (id == PREFIX_ID_NONE && table->old.words)
		id = find_in(table, &table->old, key, hash);
	return id;
}

/* Unless it is there already. */
static void put_slot(struct slots *slots, uint32_t id, uint32_t hash)
{
	uint32_t word = mark_of(slots, hash) | (id + 1), at = home_slot(slots, hash);
	uint32_t *place = NULL;

	for (; slots->words[at] != SLOT_EMPTY; at = slot_after(slots, at)) {
		if (slots->words[at] == word)
			return;
		if (slots->words[at] == SLOT_DELETED && !place)
			place = &slots->words[at];
	}
	slots->deleted -= place != NULL;
	*(place ? place : &slots->words[at]) = word;
}

/* --- growing ----------------------------------------------------------------------------------------- */

/* The smallest 2^n - 1 that is above every id which so many slots can index. */
static uint32_t mask_for(uint32_t slots)
{
	uint32_t mask = MIN_SLOTS - 1;

	while (mask < slots)
		mask = mask << 1 | 1;
	return mask;
}

static bool slots_init(struct slots *slots, uint32_t count)
{
	*slots = (struct slots){ .words = calloc(count, sizeof(*slots->words)),
				 .count = count,
				 .id_mask = mask_for(count) };
	return slots->words;
}

/* The next handful of ids. Their slots are asked for before the first of them is written. */
static void move_some(struct prefix_table *table)
{
	uint32_t ids[HANDFUL], hashes[HANDFUL];
	unsigned int n = 0;

	for (; n < HANDFUL && table->moved < table->move_limit; table->moved++) {
		if (!prefix_table_has(table, table->moved))
			continue;
		ids[n] = table->moved;
		hashes[n] = hash_key(table, key_at(table, table->moved));
		__builtin_prefetch(&table->slots.words[home_slot(&table->slots, hashes[n++])], 1);
	}
	for (unsigned int i = 0; i < n; i++)
		put_slot(&table->slots, ids[i], hashes[i]); /* or it was given anew meanwhile */
	if (table->moved < table->move_limit)
		return;
	free(table->old.words);
	table->old.words = NULL;
}

static bool start_move(struct prefix_table *table, uint32_t slot_count)
{
	struct slots slots;

	while (table->old.words) /* never: the room that is left is enough for the moves */
		move_some(table);
	if (!slots_init(&slots, slot_count))
		return false;
	table->old = table->slots;
	table->slots = slots;
	table->moved = 0;
	table->move_limit = table->limit;
	return true;
}

/*
 * At most 13/16 full; by half as much again, so that a large table is never mostly empty. What removals
 * left is cleared away first where that makes room for long enough.
 */
static bool make_slot_room(struct prefix_table *table)
{
	uint64_t room = table->slots.count, count = (uint64_t)table->count + 1;

	if (table->old.words)
		move_some(table);
	if ((count + table->slots.deleted) * 16 <= room * 13)
		return true;
	if (count * 16 <= room * 11)
		return start_move(table, table->slots.count);
	return start_move(table, table->slots.count + table->slots.count / 2);
}

/* The key array is never copied element by element, so smaller steps cost little. */
static bool make_key_room(struct prefix_table *table)
{
	size_t record_size = table->addr_size + 1;
	uint32_t cap = table->key_cap + table->key_cap / 4 + MIN_KEYS;
	uint8_t *keys;

	if (table->first_free != PREFIX_ID_NONE || table->limit < table->key_cap)
		return true;
	if (table->limit >= MAX_IDS)
		return false;
	keys = reallocarray(table->keys, cap, record_size);
	if (!keys)
		return false;
	table->keys = keys;
	table->key_cap = cap;
	return true;
}

static uint32_t take_id(struct prefix_table *table)
{
	uint32_t id = table->first_free;

	if (id == PREFIX_ID_NONE)
		return table->limit++;
	memcpy(&table->first_free, record(table, id), sizeof(table->first_free));
	return id;
}

struct prefix_table *prefix_table_new(enum ip_family family)
{
	struct prefix_table *table;

	if (!ip_bytes(family))
		return NULL;
	table = calloc(1, sizeof(*table));
	if (!table)
		return NULL;
	table->family = family;
	table->addr_size = ip_bytes(family);
	table->seed = (uint64_t)(uintptr_t)table * UINT64_C(0x9e3779b97f4a7c15);
	table->first_free = PREFIX_ID_NONE;
	if (!slots_init(&table->slots, MIN_SLOTS)) {
		free(table);
		return NULL;
	}
	return table;
}

void prefix_table_free(struct prefix_table *table)
{
	if (!table)
		return;
	free(table->keys);
	free(table->slots.words);
	free(table->old.words);
	free(table);
}

static bool fits(const struct prefix_table *table, const struct ip_prefix *prefix)
{
	return prefix->addr.family == table->family && prefix->len <= ip_bits(table->family);
}

static uint32_t hash_prefix(const struct prefix_table *table, const struct ip_prefix *prefix)
{
	return hash_key(table, key_of(table, prefix->addr.bytes, prefix->len));
}

uint32_t prefix_table_soon(const struct prefix_table *table, const struct ip_prefix *prefix)
{
	uint32_t hash = hash_prefix(table, prefix);

	__builtin_prefetch(&table->slots.words[home_slot(&table->slots, hash)]);
	if (table->old.words)
		__builtin_prefetch(&table->old.words[home_slot(&table->old, hash)]);
	return hash;
}

uint32_t prefix_table_find_hashed(const struct prefix_table *table, const struct ip_prefix *prefix,
				  uint32_t hash)
{
	if (!fits(table, prefix))
		return PREFIX_ID_NONE;
	return find_key(table, key_of(table, prefix->addr.bytes, prefix->len), hash);
}

uint32_t prefix_table_find(const struct prefix_table *table, const struct ip_prefix *prefix)
{
	return prefix_table_find_hashed(table, prefix, hash_prefix(table, prefix));
}

/*
 * Room is made before anything changes, so that a failure leaves the table as it was. @empty: the slot where the
 * search ended, which is its place unless slots moved, or a removal left one before it.
 */
static uint32_t add_key(struct prefix_table *table, const struct ip_prefix *prefix, uint32_t hash,
			uint32_t *empty)
{
	const uint32_t *words = table->slots.words;
	uint32_t id;
	uint8_t *at;

	if (table->old.words || table->slots.deleted)
		empty = NULL;
	if (!make_slot_room(table) || !make_key_room(table))
		return PREFIX_ID_NONE;
	id = take_id(table);
	at = record(table, id);
	if (table->family == IP_V4)
		memcpy(at, prefix->addr.bytes, 4);
	else
		memcpy(at, prefix->addr.bytes, 16);
	at[table->addr_size] = prefix->len;
	if (empty && words == table->slots.words)
		*empty = mark_of(&table->slots, hash) | (id + 1);
	else
		put_slot(&table->slots, id, hash);
	table->per_length[prefix->len]++;
	table->count++;
	return id;
}

uint32_t prefix_table_add_hashed(struct prefix_table *table, const struct ip_prefix *prefix,
				 uint32_t hash, bool *ret_added)
{
	struct key key;
	uint32_t *word;
	uint32_t found = PREFIX_ID_NONE, id;

	if (!fits(table, prefix))
		return PREFIX_ID_NONE;
	key = key_of(table, prefix->addr.bytes, prefix->len);
	word = &table->slots.words[locate(table, &table->slots, key, hash)];
	if (*word != SLOT_EMPTY)
		found = id_of(&table->slots, *word);
	else if (table->old.words)
		found = find_in(table, &table->old, key, hash);
	id = found == PREFIX_ID_NONE ? add_key(table, prefix, hash, word) : found;
	if (ret_added && id != PREFIX_ID_NONE)
		*ret_added = found == PREFIX_ID_NONE;
	return id;
}

uint32_t prefix_table_add(struct prefix_table *table, const struct ip_prefix *prefix,
			  bool *ret_added)
{
	return prefix_table_add_hashed(table, prefix, hash_prefix(table, prefix), ret_added);
}

/* Takes the slot out of its run. At the end of the run, so go all before it that hold nothing. */
static void clear_slot(struct slots *slots, uint32_t at)
{
	if (slots->words[slot_after(slots, at)] != SLOT_EMPTY) {
		slots->words[at] = SLOT_DELETED;
		slots->deleted++;
		return;
	}
	slots->words[at] = SLOT_EMPTY;
	for (at = slot_before(slots, at); slots->words[at] == SLOT_DELETED;
	     at = slot_before(slots, at)) {
		slots->words[at] = SLOT_EMPTY;
		slots->deleted--;
	}
}

static void remove_id(struct prefix_table *table, uint32_t id, uint32_t hash)
{
	uint8_t *at = record(table, id);
	struct key key = key_at(table, id);
	struct slots *slots = &table->slots;
	uint32_t slot = locate(table, slots, key, hash);

	if (slots->words[slot] == SLOT_EMPTY) {
		slots = &table->old;
		slot = locate(table, slots, key, hash);
	}
	clear_slot(slots, slot);
	table->per_length[key.len]--;
	table->count--;
	memcpy(at, &table->first_free, sizeof(table->first_free));
	at[table->addr_size] = KEY_FREE;
	table->first_free = id;
	if (table->old.words)
		move_some(table);
}

void prefix_table_remove(struct prefix_table *table, uint32_t id)
{
	remove_id(table, id, hash_key(table, key_at(table, id)));
}

void prefix_table_remove_all(struct prefix_table *table, const uint32_t *ids, size_t n)
{
	uint32_t hashes[HANDFUL];

	for (size_t done = 0; done < n; done += HANDFUL) {
		size_t some = n - done < HANDFUL ? n - done : HANDFUL;

		for (size_t i = 0; i < some; i++) {
			hashes[i] = hash_key(table, key_at(table, ids[done + i]));
			__builtin_prefetch(&table->slots.words[home_slot(&table->slots, hashes[i])],
					   1);
		}
		for (size_t i = 0; i < some; i++)
			remove_id(table, ids[done + i], hashes[i]);
	}
}

bool prefix_table_has(const struct prefix_table *table, uint32_t id)
{
	return id < table->limit && record(table, id)[table->addr_size] != KEY_FREE;
}

struct ip_prefix prefix_table_key(const struct prefix_table *table, uint32_t id)
{
	const uint8_t *at = record(table, id);

	return (struct ip_prefix){
		.addr = ip_from_bytes(table->family, at),
		.len = at[table->addr_size],
	};
}

void prefix_table_read(const struct prefix_table *table, uint32_t id, struct ip_prefix *ret_prefix)
{
	const uint8_t *at = record(table, id);

	ret_prefix->addr.family = (uint8_t)table->family;
	ret_prefix->len = at[table->addr_size];
	if (table->family == IP_V4) {
		memcpy(ret_prefix->addr.bytes, at, 4);
		memset(ret_prefix->addr.bytes + 4, 0, 12);
	} else {
		memcpy(ret_prefix->addr.bytes, at, 16);
	}
}

uint32_t prefix_table_count(const struct prefix_table *table)
{
	return table->count;
}

uint32_t prefix_table_limit(const struct prefix_table *table)
{
	return table->limit;
}

uint32_t prefix_table_next(const struct prefix_table *table, uint32_t from)
{
	for (uint32_t id = from; id < table->limit; id++) {
		if (prefix_table_has(table, id))
			return id;
	}
	return PREFIX_ID_NONE;
}

uint32_t prefix_table_lpm(const struct prefix_table *table, const struct ip_addr *addr,
			  bool (*accept)(void *ctx, uint32_t id), void *ctx)
{
	struct key whole;

	if (addr->family != table->family)
		return PREFIX_ID_NONE;
	whole = key_of(table, addr->bytes, 0);
	for (unsigned int len = ip_bits(table->family) + 1; len-- > 0;) {
		struct key key;
		uint32_t id;

		if (!table->per_length[len])
			continue;
		key = key_mask(whole, len);
		id = find_key(table, key, hash_key(table, key));
		if (id != PREFIX_ID_NONE && (!accept || accept(ctx, id)))
			return id;
	}
	return PREFIX_ID_NONE;
}

size_t prefix_table_memory(const struct prefix_table *table)
{
	size_t slots = table->slots.count + (table->old.words ? table->old.count : 0);

	return sizeof(*table) + (size_t)table->key_cap * (table->addr_size + 1) +
	       slots * sizeof(*table->slots.words);
}
