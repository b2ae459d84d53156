// SPDX-License-Identifier: GPL-2.0-only
/* The hash table, and how well its hash functions spread. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "util/htab.h"

static struct htab *table;

static void setup(void)
{
	table = htab_new();
	cr_assert_not_null(table);
}

static void teardown(void)
{
	htab_free(table);
}

TestSuite(htab, .init = setup, .fini = teardown);

static bool number_eq(const void *item, const void *key)
{
	return *(const uint32_t *)item == *(const uint32_t *)key;
}

Test(htab, empty)
{
	uint32_t key = 1;
	size_t cursor = 0;

	cr_assert_eq(htab_count(table), 0);
	cr_assert_null(htab_find(table, 1, number_eq, &key));
	cr_assert_null(htab_remove(table, 1, number_eq, &key));
	cr_assert_null(htab_next(table, &cursor));
	htab_free(NULL);
}

Test(htab, insert_find_remove)
{
	uint32_t items[2] = { 5, 6 }, absent = 7;

	cr_assert_eq(htab_insert(table, 100, &items[0]), 0);
	cr_assert_eq(htab_insert(table, 100, &items[1]), 0, "same hash, other key");
	cr_assert_eq(htab_find(table, 100, number_eq, &items[0]), &items[0]);
	cr_assert_eq(htab_find(table, 100, number_eq, &items[1]), &items[1]);
	cr_assert_null(htab_find(table, 100, number_eq, &absent));
	cr_assert_null(htab_find(table, 101, number_eq, &items[0]), "the hash is part of the key");
	cr_assert_eq(htab_remove(table, 100, number_eq, &items[0]), &items[0]);
	cr_assert_null(htab_find(table, 100, number_eq, &items[0]));
	cr_assert_eq(htab_find(table, 100, number_eq, &items[1]), &items[1]);
	cr_assert_eq(htab_count(table), 1);
}

/* All in one run of slots: removal from the middle must not hide what lies behind. */
Test(htab, removal_from_a_long_run)
{
	uint32_t items[10];

	for (uint32_t i = 0; i < 10; i++) {
		items[i] = i;
		htab_insert(table, 14 + i % 3, &items[i]);
	}
	for (uint32_t i = 0; i < 10; i += 2)
		cr_assert_eq(htab_remove(table, 14 + i % 3, number_eq, &items[i]), &items[i]);
	for (uint32_t i = 0; i < 10; i++)
		cr_assert_eq(htab_find(table, 14 + i % 3, number_eq, &items[i]),
			     i % 2 ? &items[i] : NULL);
}

/* Against a plain array; weak hashes, so that runs are long and wrap around the end. */
Test(htab, like_an_array)
{
	enum {
		KEYS = 3000
	};
	static uint32_t items[KEYS];
	static bool present[KEYS];
	size_t count = 0;

	srand(5);
	for (uint32_t i = 0; i < KEYS; i++)
		items[i] = i;
	for (int step = 0; step < 200000; step++) {
		uint32_t i = (uint32_t)rand() % KEYS;
		uint32_t hash = (i % 700) * 0x10001 - 50;

		if (present[i]) {
			cr_assert_eq(htab_remove(table, hash, number_eq, &i), &items[i]);
			count--;
		} else {
			cr_assert_null(htab_find(table, hash, number_eq, &i));
			cr_assert_eq(htab_insert(table, hash, &items[i]), 0);
			count++;
		}
		present[i] = !present[i];
		i = (uint32_t)rand() % KEYS;
		hash = (i % 700) * 0x10001 - 50;
		cr_assert_eq(htab_find(table, hash, number_eq, &i), present[i] ? &items[i] : NULL);
	}
	cr_assert_eq(htab_count(table), count);
}

Test(htab, walk_sees_each_item_once)
{
	static uint32_t items[1000];
	unsigned int seen[1000] = { 0 };
	size_t cursor = 0;
	uint32_t *item;

	for (uint32_t i = 0; i < 1000; i++) {
		items[i] = i;
		htab_insert(table, hash_u32(i, 0), &items[i]);
	}
	while ((item = htab_next(table, &cursor)))
		seen[*item]++;
	for (uint32_t i = 0; i < 1000; i++)
		cr_assert_eq(seen[i], 1);
	cr_assert_null(htab_next(table, &cursor), "stays at the end");
}

Test(htab, hash_depends_on_length_content_and_seed)
{
	static const uint8_t zeros[64];
	uint32_t seen[65];

	for (size_t len = 0; len <= 64; len++) {
		seen[len] = hash_bytes(zeros, len, 0);
		for (size_t i = 0; i < len; i++)
			cr_assert_neq(seen[i], seen[len], "%zu and %zu zeros", i, len);
	}
	cr_assert_neq(hash_bytes("abc", 3, 0), hash_bytes("abc", 3, 1));
	cr_assert_neq(hash_bytes("abc", 3, 0), hash_bytes("abd", 3, 0));
	cr_assert_eq(hash_str("abc"), hash_bytes("abc", 3, 0));
	cr_assert_neq(hash_u32(1, 0), hash_u32(1, 1));
}

Test(htab, hash_reads_unaligned_and_no_further)
{
	for (size_t len = 0; len < 40; len++) {
		uint8_t *tight = malloc(len + 1);
		uint8_t aligned[40];

		for (size_t i = 0; i < len; i++)
			tight[i + 1] = aligned[i] = (uint8_t)(i * 37);
		cr_assert_eq(hash_bytes(tight + 1, len, 9), hash_bytes(aligned, len, 9));
		free(tight);
	}
}

/* One input bit changes about half of the output bits, wherever it is. */
Test(htab, hash_avalanche)
{
	uint8_t data[24] = { 0 };
	uint64_t flips = 0, tries = 0;

	srand(2);
	for (int round = 0; round < 200; round++) {
		uint32_t before;

		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)rand();
		before = hash_bytes(data, sizeof(data), 0);
		for (unsigned int bit = 0; bit < sizeof(data) * 8; bit++) {
			uint32_t after;

			data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			after = hash_bytes(data, sizeof(data), 0);
			data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			cr_assert_neq(before, after);
			flips += (uint64_t)__builtin_popcount(before ^ after);
			tries += 32;
		}
	}
	cr_assert_gt(flips * 100, tries * 49);
	cr_assert_lt(flips * 100, tries * 51);
}

/* Keys as they come in practice (counters): low bits choose the slot, so they must spread. */
static void assert_spread(uint32_t (*hash)(uint32_t value))
{
	static unsigned int buckets[4096];
	unsigned int worst = 0;

	memset(buckets, 0, sizeof(buckets));
	for (uint32_t i = 0; i < 4096 * 16; i++) {
		unsigned int n = ++buckets[hash(i << 8) % 4096];

		worst = n > worst ? n : worst;
	}
	cr_assert_lt(worst, 45, "%u of 16 expected", worst);
}

static uint32_t number_hash(uint32_t value)
{
	return hash_u32(value, 0);
}

static uint32_t octets_hash(uint32_t value)
{
	return hash_bytes(&value, sizeof(value), 0);
}

Test(htab, hashes_spread_counters)
{
	assert_spread(number_hash);
	assert_spread(octets_hash);
}
