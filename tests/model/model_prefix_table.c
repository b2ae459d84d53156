// SPDX-License-Identifier: GPL-2.0-only
/*
 * The prefix table against a naive list: random adds, removals, lookups and longest matches over
 * small address pools, so that prefixes nest and collide. Both families, several seeds.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "util/prefix_table.h"

#define MODEL_MAX 4000
#define STEPS     30000

struct model {
	struct ip_prefix prefixes[MODEL_MAX];
	uint32_t ids[MODEL_MAX];
	unsigned int count;
};

/* An own generator: the same numbers on every machine. */
static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*state >> 33);
}

/* One bit after the other, as nobody would write it for speed. */
static bool bit(const struct ip_addr *a, unsigned int n)
{
	return a->bytes[n / 8] >> (7 - n % 8) & 1;
}

static bool model_covers(const struct ip_prefix *p, const struct ip_addr *a)
{
	for (unsigned int n = 0; n < p->len; n++) {
		if (bit(&p->addr, n) != bit(a, n))
			return false;
	}
	return true;
}

static int model_find(const struct model *model, const struct ip_prefix *p)
{
	for (unsigned int i = 0; i < model->count; i++) {
		if (model->prefixes[i].len == p->len &&
		    !memcmp(model->prefixes[i].addr.bytes, p->addr.bytes, 16))
			return (int)i;
	}
	return -1;
}

static bool is_even(void *ctx, uint32_t id)
{
	return id % 2 == 0;
}

static uint32_t model_lpm(const struct model *model, const struct ip_addr *a, bool even_only)
{
	uint32_t best = PREFIX_ID_NONE;
	int best_len = -1;

	for (unsigned int i = 0; i < model->count; i++) {
		const struct ip_prefix *p = &model->prefixes[i];

		if (p->len > best_len && model_covers(p, a) &&
		    (!even_only || model->ids[i] % 2 == 0)) {
			best = model->ids[i];
			best_len = p->len;
		}
	}
	return best;
}

/* Few distinct octets: prefixes nest, and matches are found at many lengths. */
static struct ip_addr random_addr(uint64_t *state, enum ip_family family)
{
	struct ip_addr a = { .family = (uint8_t)family };

	for (unsigned int i = 0; i < ip_bytes(family); i++)
		a.bytes[i] = (uint8_t)(next_random(state) % 8 * 0x24);
	return a;
}

static struct ip_prefix random_prefix(uint64_t *state, enum ip_family family)
{
	struct ip_addr a = random_addr(state, family);

	return prefix_of(&a, (uint8_t)(next_random(state) % (ip_bits(family) + 1)));
}

static void step_add(struct model *model, struct prefix_table *table, struct ip_prefix *p)
{
	int at = model_find(model, p);
	bool added = at >= 0;
	uint32_t id = prefix_table_add(table, p, &added);

	cr_assert_eq(added, at < 0);
	if (at >= 0) {
		cr_assert_eq(id, model->ids[at]);
		return;
	}
	for (unsigned int i = 0; i < model->count; i++)
		cr_assert_neq(id, model->ids[i], "an id was given twice");
	model->prefixes[model->count] = *p;
	model->ids[model->count++] = id;
}

static void step_remove(struct model *model, struct prefix_table *table, unsigned int at)
{
	prefix_table_remove(table, model->ids[at]);
	cr_assert_not(prefix_table_has(table, model->ids[at]));
	model->prefixes[at] = model->prefixes[--model->count];
	model->ids[at] = model->ids[model->count];
}

/* The last ones, in one call. */
static void step_remove_all(struct model *model, struct prefix_table *table, unsigned int n)
{
	n = n > model->count ? model->count : n;
	prefix_table_remove_all(table, model->ids + model->count - n, n);
	for (; n; n--)
		cr_assert_not(prefix_table_has(table, model->ids[--model->count]));
}

static void compare_lookups(const struct model *model, const struct prefix_table *table,
			    uint64_t *state, enum ip_family family)
{
	struct ip_prefix p = random_prefix(state, family);
	struct ip_addr a = random_addr(state, family);
	int at = model_find(model, &p);

	cr_assert_eq(prefix_table_find(table, &p), at < 0 ? PREFIX_ID_NONE : model->ids[at]);
	cr_assert_eq(prefix_table_lpm(table, &a, NULL, NULL), model_lpm(model, &a, false));
	cr_assert_eq(prefix_table_lpm(table, &a, is_even, NULL), model_lpm(model, &a, true));
	cr_assert_eq(prefix_table_count(table), model->count);
}

static void compare_all(const struct model *model, const struct prefix_table *table)
{
	unsigned int seen = 0;

	for (uint32_t id = prefix_table_next(table, 0); id != PREFIX_ID_NONE;
	     id = prefix_table_next(table, id + 1))
		seen++;
	cr_assert_eq(seen, model->count);
	for (unsigned int i = 0; i < model->count; i++) {
		struct ip_prefix key = prefix_table_key(table, model->ids[i]);

		cr_assert(prefix_equal(&key, &model->prefixes[i]));
		cr_assert_eq(prefix_table_find(table, &key), model->ids[i]);
	}
}

static void run(enum ip_family family, uint64_t seed)
{
	struct prefix_table *table = prefix_table_new(family);
	struct model *model = calloc(1, sizeof(*model));
	uint64_t state = seed;

	cr_log_info("family %d seed %llu", (int)family, (unsigned long long)seed);
	for (unsigned int step = 0; step < STEPS; step++) {
		/* Phases that mostly fill and that mostly empty, so that runs of slots shrink too. */
		bool filling = step / 3000 % 2 == 0;
		bool add = next_random(&state) % 10 < (filling ? 8 : 2);

		if (add && model->count < MODEL_MAX) {
			struct ip_prefix p = random_prefix(&state, family);

			step_add(model, table, &p);
		} else if (model->count) {
			step_remove(model, table, next_random(&state) % model->count);
			if (next_random(&state) % 64 == 0)
				step_remove_all(model, table, next_random(&state) % 40);
		}
		if (step % 8 == 0)
			compare_lookups(model, table, &state, family);
		if (step % 2000 == 0)
			compare_all(model, table);
	}
	while (model->count)
		step_remove(model, table, model->count - 1);
	cr_assert_eq(prefix_table_count(table), 0);
	cr_assert_eq(prefix_table_next(table, 0), PREFIX_ID_NONE);
	free(model);
	prefix_table_free(table);
}

Test(model_prefix_table, ipv4_like_a_list)
{
	for (uint64_t seed = 1; seed <= 4; seed++)
		run(IP_V4, seed);
}

Test(model_prefix_table, ipv6_like_a_list)
{
	for (uint64_t seed = 11; seed <= 14; seed++)
		run(IP_V6, seed);
}
