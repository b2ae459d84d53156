// SPDX-License-Identifier: GPL-2.0-only
/* Prefix to number: ids, reuse, resumable walk, longest match. tests/model has the random part. */
#include <criterion/criterion.h>

#include "util/prefix_table.h"

static struct prefix_table *table;

static void setup(void)
{
	table = prefix_table_new(IP_V4);
	cr_assert_not_null(table);
}

static void teardown(void)
{
	prefix_table_free(table);
}

TestSuite(prefix_table, .init = setup, .fini = teardown);

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	cr_assert_eq(prefix_parse(text, &p), 0, "%s", text);
	return p;
}

static uint32_t add(const char *text)
{
	struct ip_prefix p = prefix(text);

	return prefix_table_add(table, &p, NULL);
}

static uint32_t find(const char *text)
{
	struct ip_prefix p = prefix(text);

	return prefix_table_find(table, &p);
}

static uint32_t match(const char *text)
{
	struct ip_addr a;

	cr_assert_eq(ip_parse(text, &a), 0);
	return prefix_table_lpm(table, &a, NULL, NULL);
}

Test(prefix_table, empty)
{
	cr_assert_eq(prefix_table_count(table), 0);
	cr_assert_eq(prefix_table_limit(table), 0);
	cr_assert_eq(find("0.0.0.0/0"), PREFIX_ID_NONE);
	cr_assert_eq(match("10.0.0.1"), PREFIX_ID_NONE);
	cr_assert_eq(prefix_table_next(table, 0), PREFIX_ID_NONE);
	cr_assert_not(prefix_table_has(table, 0));
}

Test(prefix_table, needs_a_family)
{
	cr_assert_null(prefix_table_new(IP_NONE));
	prefix_table_free(NULL);
}

Test(prefix_table, ids_are_dense_from_zero)
{
	cr_assert_eq(add("10.0.0.0/8"), 0);
	cr_assert_eq(add("10.0.0.0/16"), 1);
	cr_assert_eq(add("0.0.0.0/0"), 2);
	cr_assert_eq(prefix_table_count(table), 3);
	cr_assert_eq(prefix_table_limit(table), 3);
}

Test(prefix_table, add_tells_what_was_there)
{
	struct ip_prefix p = prefix("10.0.0.0/8");
	bool added = false;
	uint32_t id = prefix_table_add(table, &p, &added);

	cr_assert(added);
	cr_assert_eq(prefix_table_add(table, &p, &added), id);
	cr_assert_not(added);
	cr_assert_eq(prefix_table_count(table), 1);
}

Test(prefix_table, same_address_with_other_length_is_another_prefix)
{
	uint32_t a = add("10.0.0.0/8"), b = add("10.0.0.0/9");

	cr_assert_neq(a, b);
	cr_assert_eq(find("10.0.0.0/8"), a);
	cr_assert_eq(find("10.0.0.0/9"), b);
	cr_assert_eq(find("10.0.0.0/10"), PREFIX_ID_NONE);
}

Test(prefix_table, key_comes_back)
{
	struct ip_prefix want = prefix("192.0.2.128/25");
	struct ip_prefix got = prefix_table_key(table, add("192.0.2.128/25"));

	cr_assert(prefix_equal(&want, &got));
}

Test(prefix_table, removed_ids_are_reused_and_the_limit_stays)
{
	uint32_t a = add("10.0.0.0/8"), b = add("11.0.0.0/8");

	prefix_table_remove(table, a);
	cr_assert_not(prefix_table_has(table, a));
	cr_assert(prefix_table_has(table, b));
	cr_assert_eq(find("10.0.0.0/8"), PREFIX_ID_NONE);
	cr_assert_eq(add("12.0.0.0/8"), a);
	cr_assert_eq(prefix_table_limit(table), 2);
}

Test(prefix_table, other_family_is_never_there)
{
	struct ip_prefix six = prefix("::/0");
	struct ip_addr addr = six.addr;

	add("0.0.0.0/0");
	cr_assert_eq(prefix_table_find(table, &six), PREFIX_ID_NONE);
	cr_assert_eq(prefix_table_add(table, &six, NULL), PREFIX_ID_NONE);
	cr_assert_eq(prefix_table_lpm(table, &addr, NULL, NULL), PREFIX_ID_NONE);
	cr_assert_eq(prefix_table_count(table), 1);
}

Test(prefix_table, impossible_length_is_refused)
{
	struct ip_prefix p = prefix("10.0.0.0/8");

	p.len = 255;
	cr_assert_eq(prefix_table_add(table, &p, NULL), PREFIX_ID_NONE);
	cr_assert_eq(prefix_table_find(table, &p), PREFIX_ID_NONE);
}

Test(prefix_table, longest_match)
{
	uint32_t all = add("0.0.0.0/0"), wide = add("10.0.0.0/8"), host = add("10.1.2.3/32");

	cr_assert_eq(match("10.1.2.3"), host);
	cr_assert_eq(match("10.1.2.4"), wide);
	cr_assert_eq(match("11.0.0.0"), all);
	prefix_table_remove(table, wide);
	cr_assert_eq(match("10.1.2.4"), all);
	prefix_table_remove(table, all);
	cr_assert_eq(match("10.1.2.4"), PREFIX_ID_NONE);
	cr_assert_eq(match("10.1.2.3"), host);
}

static bool is_not(void *ctx, uint32_t id)
{
	return id != *(uint32_t *)ctx;
}

Test(prefix_table, longest_match_that_is_accepted)
{
	uint32_t all = add("0.0.0.0/0"), wide = add("10.0.0.0/8");
	struct ip_addr a = ip_from_v4(0x0a000001);

	cr_assert_eq(prefix_table_lpm(table, &a, is_not, &wide), all);
	cr_assert_eq(prefix_table_lpm(table, &a, is_not, &all), wide);
	prefix_table_remove(table, all);
	cr_assert_eq(prefix_table_lpm(table, &a, is_not, &wide), PREFIX_ID_NONE);
}

Test(prefix_table, v6_longest_match_at_each_length)
{
	struct prefix_table *six = prefix_table_new(IP_V6);
	uint32_t ids[129];
	struct ip_addr ones = { .family = IP_V6 };

	for (unsigned int i = 0; i < 16; i++)
		ones.bytes[i] = 0xff;
	for (unsigned int len = 0; len <= 128; len++) {
		struct ip_prefix p = prefix_of(&ones, (uint8_t)len);

		ids[len] = prefix_table_add(six, &p, NULL);
	}
	for (unsigned int len = 128; len > 0; len--) {
		struct ip_addr a = ones;

		/* The first differing bit is the one after @len - 1. */
		a.bytes[(len - 1) / 8] ^= (uint8_t)(0x80 >> (len - 1) % 8);
		cr_assert_eq(prefix_table_lpm(six, &a, NULL, NULL), ids[len - 1], "/%u", len - 1);
	}
	cr_assert_eq(prefix_table_lpm(six, &ones, NULL, NULL), ids[128]);
	prefix_table_free(six);
}

Test(prefix_table, walk_skips_holes_and_resumes)
{
	uint32_t id;
	unsigned int seen = 0;

	for (uint32_t i = 0; i < 100; i++) {
		struct ip_addr a = ip_from_v4(i << 8);
		struct ip_prefix p = prefix_of(&a, 24);

		prefix_table_add(table, &p, NULL);
	}
	for (uint32_t i = 0; i < 100; i += 2)
		prefix_table_remove(table, i);
	for (id = prefix_table_next(table, 0); id != PREFIX_ID_NONE;
	     id = prefix_table_next(table, id + 1)) {
		cr_assert_eq(id % 2, 1);
		seen++;
		/* The table may change between two steps. */
		if (id == 51)
			prefix_table_remove(table, 53);
	}
	cr_assert_eq(seen, 49);
	cr_assert_eq(prefix_table_next(table, 100), PREFIX_ID_NONE);
	cr_assert_eq(prefix_table_next(table, UINT32_MAX), PREFIX_ID_NONE);
}

Test(prefix_table, ids_survive_growth)
{
	for (uint32_t i = 0; i < 100000; i++) {
		struct ip_addr a = ip_from_v4(i << 8);
		struct ip_prefix p = prefix_of(&a, 24);

		cr_assert_eq(prefix_table_add(table, &p, NULL), i);
	}
	for (uint32_t i = 0; i < 100000; i++) {
		struct ip_addr a = ip_from_v4(i << 8 | 77);

		cr_assert_eq(prefix_table_lpm(table, &a, NULL, NULL), i);
	}
}

/* The promise of the header: a key of five octets and one to two words. */
Test(prefix_table, memory_for_each_prefix)
{
	for (uint32_t i = 0; i < 1000000; i++) {
		struct ip_addr a = ip_from_v4(i << 8);
		struct ip_prefix p = prefix_of(&a, 24);

		prefix_table_add(table, &p, NULL);
	}
	cr_assert_lt(prefix_table_memory(table), 15000000, "%zu octets",
		     prefix_table_memory(table));
}

Test(prefix_table, churn_does_not_grow)
{
	/* The least at any moment of two stretches: for a moment of each move there are two arrays of slots. */
	size_t early = SIZE_MAX, late = SIZE_MAX;

	for (uint32_t i = 0; i < 1000; i++) {
		struct ip_addr a = ip_from_v4(i << 8);
		struct ip_prefix p = prefix_of(&a, 24);

		prefix_table_add(table, &p, NULL);
	}
	for (uint32_t i = 0; i < 200000; i++) {
		struct ip_addr a = ip_from_v4((i * 7919) << 8);
		struct ip_prefix p = prefix_of(&a, 24);

		prefix_table_remove(table, i % 1000);
		cr_assert_eq(prefix_table_add(table, &p, NULL), i % 1000);
		/* What removals leave behind may take one more step of growth, at first. */
		if (i >= 2000 && i < 4000 && prefix_table_memory(table) < early)
			early = prefix_table_memory(table);
		if (i >= 198000 && prefix_table_memory(table) < late)
			late = prefix_table_memory(table);
	}
	cr_assert_eq(early, late);
	cr_assert_eq(prefix_table_limit(table), 1000);
}
