// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bucket tables against what they promise, over many random sets of members: each bucket is what the
 * naive rule says (the survivor whose pairwise contests it wins), a death moves only the dead one's
 * buckets, a return only its share, subsets agree, the order of arrival and the ids do not matter.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "rib/nexthop_group.h"

static uint64_t state;

static uint32_t rnd(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(state >> 32);
}

static struct ip_addr random_addr(void)
{
	uint32_t words[4] = { rnd(), rnd(), rnd(), rnd() };

	if (rnd() % 2)
		return ip_from_v4(0x0a010000u | (rnd() & 0xffff));
	return ip_from_bytes(IP_V6, words);
}

struct set {
	struct nexthop_table *table;
	uint32_t ids[XRS_MEMBERS_MAX];
	struct ip_addr addr[XRS_MEMBERS_MAX];
	unsigned int n;
	uint32_t group;
};

/* The members in the given order, all alive. */
static struct set set_of(const struct ip_addr *addr, unsigned int n, uint32_t skip_ids)
{
	struct nexthop_events events = { 0 };
	struct set set = { .table = nexthop_table_new(&events), .n = n };

	for (uint32_t i = 0; i < skip_ids; i++) {
		struct ip_addr other = ip_from_v4(0xc0000000u + i);

		nexthop_get(set.table, 9, &other);
	}
	for (unsigned int i = 0; i < n; i++) {
		set.addr[i] = addr[i];
		set.ids[i] = nexthop_get(set.table, 1, &addr[i]);
		nexthop_set_usable(set.table, set.ids[i], true);
	}
	set.group = group_get(set.table, set.ids, n, NULL, 0);
	return set;
}

/* For each bucket which address has it. */
static void owners(const struct set *set, struct ip_addr *ret)
{
	struct xrs_group group;
	struct xrs_bucket bucket;

	group_render(set->table, set->group, &group, &bucket);
	for (unsigned int b = 0; b < XRS_BUCKETS; b++) {
		const struct nexthop_info *info = nexthop_info(set->table, bucket.member[b]);

		ret[b] = info ? info->addr : (struct ip_addr){ 0 };
	}
}

/* Both leave each bucket to the same address. They are done with. */
static void agree(struct set *a, struct set *b, unsigned int round)
{
	struct ip_addr x[XRS_BUCKETS], y[XRS_BUCKETS];

	owners(a, x);
	owners(b, y);
	for (unsigned int i = 0; i < XRS_BUCKETS; i++)
		cr_assert(ip_equal(&x[i], &y[i]), "round %u bucket %u", round, i);
	nexthop_table_free(a->table);
	nexthop_table_free(b->table);
}

static bool among(const struct ip_addr *addr, unsigned int n, const struct ip_addr *one)
{
	for (unsigned int i = 0; i < n; i++) {
		if (ip_equal(&addr[i], one))
			return true;
	}
	return false;
}

static unsigned int distinct_addrs(struct ip_addr *addr, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		do {
			addr[i] = random_addr();
		} while (among(addr, i, &addr[i]));
	}
	return n;
}

static void shuffled(const struct ip_addr *from, unsigned int n, struct ip_addr *to)
{
	memcpy(to, from, n * sizeof(*to));
	for (unsigned int i = n - 1; i > 0; i--) {
		unsigned int k = rnd() % (i + 1);
		struct ip_addr swap = to[i];

		to[i] = to[k];
		to[k] = swap;
	}
}

Test(model_group, order_and_ids_do_not_matter)
{
	struct ip_addr addr[XRS_MEMBERS_MAX], other[XRS_MEMBERS_MAX];

	state = 1;
	for (unsigned int round = 0; round < 200; round++) {
		unsigned int n = distinct_addrs(addr, 1 + rnd() % XRS_MEMBERS_MAX);
		struct set a, b;

		shuffled(addr, n, other);
		a = set_of(addr, n, 0);
		b = set_of(other, n, rnd() % 50);
		agree(&a, &b, round);
	}
}

/* Who has a bucket in a set also wins it against each other member alone. */
Test(model_group, subsets_agree)
{
	struct ip_addr addr[XRS_MEMBERS_MAX], pair[2];
	struct ip_addr all[XRS_BUCKETS], two[XRS_BUCKETS];

	state = 2;
	for (unsigned int round = 0; round < 40; round++) {
		unsigned int n = distinct_addrs(addr, 2 + rnd() % (XRS_MEMBERS_MAX - 1));
		struct set set = set_of(addr, n, 0);

		owners(&set, all);
		for (unsigned int i = 0; i < n; i++) {
			for (unsigned int k = 0; k < i; k++) {
				struct set small;

				pair[0] = addr[i];
				pair[1] = addr[k];
				small = set_of(pair, 2, 3);
				owners(&small, two);
				for (unsigned int b = 0; b < XRS_BUCKETS; b++) {
					if (ip_equal(&all[b], &pair[0]) ||
					    ip_equal(&all[b], &pair[1]))
						cr_assert(ip_equal(&all[b], &two[b]));
				}
				nexthop_table_free(small.table);
			}
		}
		nexthop_table_free(set.table);
	}
}

Test(model_group, death_moves_only_its_own_buckets)
{
	struct ip_addr addr[XRS_MEMBERS_MAX];
	struct ip_addr before[XRS_BUCKETS], during[XRS_BUCKETS], after[XRS_BUCKETS];

	state = 3;
	for (unsigned int round = 0; round < 300; round++) {
		unsigned int n = distinct_addrs(addr, 2 + rnd() % (XRS_MEMBERS_MAX - 1));
		struct set set = set_of(addr, n, 0);
		unsigned int dead = rnd() % n;

		owners(&set, before);
		nexthop_set_usable(set.table, set.ids[dead], false);
		owners(&set, during);
		nexthop_set_usable(set.table, set.ids[dead], true);
		owners(&set, after);
		for (unsigned int b = 0; b < XRS_BUCKETS; b++) {
			cr_assert_not(ip_equal(&during[b], &addr[dead]));
			if (!ip_equal(&before[b], &addr[dead]))
				cr_assert(ip_equal(&before[b], &during[b]), "another's moved");
			cr_assert(ip_equal(&before[b], &after[b]), "its own came back");
		}
		nexthop_table_free(set.table);
	}
}

/* Who stands as next in a bucket has it when its member dies: what the program does before xrsd wrote. */
Test(model_group, next_is_who_has_it_afterwards)
{
	struct ip_addr addr[XRS_MEMBERS_MAX];
	struct xrs_bucket before, after;
	struct xrs_group group;

	state = 4;
	for (unsigned int round = 0; round < 300; round++) {
		unsigned int n = distinct_addrs(addr, 1 + rnd() % XRS_MEMBERS_MAX);
		unsigned int n_members = 1 + rnd() % n, dead = rnd() % n_members;
		struct set set = set_of(addr, n, 0);

		set.group = group_get(set.table, set.ids, n_members, set.ids + n_members,
				      n - n_members);
		group_render(set.table, set.group, &group, &before);
		nexthop_set_usable(set.table, set.ids[dead], false);
		group_render(set.table, set.group, &group, &after);
		for (unsigned int b = 0; b < XRS_BUCKETS; b++) {
			if (before.member[b] == set.ids[dead])
				cr_assert_eq(before.next[b], after.member[b]);
		}
		nexthop_table_free(set.table);
	}
}

/*
 * 256 buckets that choose for themselves can not be shared out exactly: a member's part scatters like
 * a binomial number. Asserted: the mean over many sets is right within 3 %, the typical deviation is
 * the binomial one, not more, and two to four members of one small subnet stay within 20 % on average.
 */
Test(model_group, balance)
{
	struct ip_addr addr[XRS_MEMBERS_MAX], owner[XRS_BUCKETS];

	state = 4;
	for (unsigned int n = 2; n <= XRS_MEMBERS_MAX; n++) {
		double squares = 0, mean = (double)XRS_BUCKETS / n, first = 0, absolute = 0;
		double variance = mean * (1 - 1.0 / n);
		enum {
			ROUNDS = 400
		};

		for (unsigned int round = 0; round < ROUNDS; round++) {
			struct set set;
			unsigned int share[XRS_MEMBERS_MAX] = { 0 };

			/* neighbours in one /24: the hardest case for a poor mixer */
			for (unsigned int i = 0; i < n; i++)
				addr[i] = ip_from_v4(0x0a000000u + (round << 8) + 4 + i);
			set = set_of(addr, n, 0);
			owners(&set, owner);
			for (unsigned int b = 0; b < XRS_BUCKETS; b++)
				for (unsigned int i = 0; i < n; i++)
					share[i] += ip_equal(&owner[b], &addr[i]);
			first += share[0];
			for (unsigned int i = 0; i < n; i++) {
				double off = share[i] - mean;

				squares += off * off;
				absolute += off < 0 ? -off : off;
			}
			nexthop_table_free(set.table);
		}
		cr_assert_lt(first / ROUNDS, mean * 1.03, "n %u", n);
		cr_assert_gt(first / ROUNDS, mean * 0.97, "n %u", n);
		cr_assert_lt(squares / (ROUNDS * n), variance * 1.25, "n %u", n);
		if (n <= 8)
			cr_assert_lt(absolute / (ROUNDS * n), mean * 0.20, "n %u", n);
	}
}

/* --- weights ------------------------------------------------------------------------------------------ */

static struct set weighted_set(const struct ip_addr *addr, const uint8_t *weights, unsigned int n)
{
	struct set set = set_of(addr, n, 0);

	set.group = group_get_weighted(set.table, set.ids, weights, n, NULL, 0);
	return set;
}

static void random_weights(uint8_t *weights, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		weights[i] = (uint8_t)(1 + rnd() % 255);
}

/* The same weight for each is no weight: nobody's flow moves when all links get a bandwidth. */
Test(model_group, equal_weights_are_none)
{
	struct ip_addr addr[XRS_MEMBERS_MAX], x[XRS_BUCKETS], y[XRS_BUCKETS];
	uint8_t weights[XRS_MEMBERS_MAX];
	unsigned int differ = 0;

	state = 5;
	for (unsigned int round = 0; round < 100; round++) {
		unsigned int n = distinct_addrs(addr, 2 + rnd() % (XRS_MEMBERS_MAX - 1));
		struct set a = set_of(addr, n, 0), b;

		memset(weights, (int)(1 + rnd() % 255), n);
		b = weighted_set(addr, weights, n);
		owners(&a, x);
		owners(&b, y);
		for (unsigned int i = 0; i < XRS_BUCKETS; i++)
			differ += !ip_equal(&x[i], &y[i]);
		nexthop_table_free(a.table);
		nexthop_table_free(b.table);
	}
	/* Logarithms of 24 digits may not tell two neighbouring numbers of 64 bits apart. */
	cr_assert_leq(differ, 2, "%u of 25,600 buckets", differ);
}

Test(model_group, weighted_order_does_not_matter)
{
	struct ip_addr addr[XRS_MEMBERS_MAX], reversed[XRS_MEMBERS_MAX];
	uint8_t weights[XRS_MEMBERS_MAX], other[XRS_MEMBERS_MAX];

	state = 6;
	for (unsigned int round = 0; round < 100; round++) {
		unsigned int n = distinct_addrs(addr, 2 + rnd() % (XRS_MEMBERS_MAX - 1));
		struct set a, b;

		random_weights(weights, n);
		for (unsigned int i = 0; i < n; i++) {
			reversed[i] = addr[n - 1 - i];
			other[i] = weights[n - 1 - i];
		}
		a = weighted_set(addr, weights, n);
		b = weighted_set(reversed, other, n);
		agree(&a, &b, round);
	}
}

/* A death moves only the dead one's buckets; a larger weight only brings some to its member. */
Test(model_group, weighted_changes_move_only_what_they_must)
{
	struct ip_addr addr[XRS_MEMBERS_MAX];
	struct ip_addr before[XRS_BUCKETS], after[XRS_BUCKETS];
	uint8_t weights[XRS_MEMBERS_MAX];

	state = 7;
	for (unsigned int round = 0; round < 200; round++) {
		unsigned int n = distinct_addrs(addr, 2 + rnd() % (XRS_MEMBERS_MAX - 1));
		unsigned int one = rnd() % n;
		struct set set;

		random_weights(weights, n);
		set = weighted_set(addr, weights, n);
		owners(&set, before);
		nexthop_set_usable(set.table, set.ids[one], false);
		owners(&set, after);
		for (unsigned int b = 0; b < XRS_BUCKETS; b++)
			cr_assert(ip_equal(&before[b], &addr[one]) !=
				  ip_equal(&before[b], &after[b]));
		nexthop_set_usable(set.table, set.ids[one], true);
		weights[one] = (uint8_t)(weights[one] + rnd() % (256u - weights[one]));
		set.group = group_get_weighted(set.table, set.ids, weights, n, NULL, 0);
		owners(&set, after);
		for (unsigned int b = 0; b < XRS_BUCKETS; b++)
			cr_assert(ip_equal(&before[b], &after[b]) ||
				  ip_equal(&after[b], &addr[one]));
		nexthop_table_free(set.table);
	}
}

/* Over many sets each weight gets its part of the buckets, within 3 %. */
Test(model_group, weighted_balance)
{
	static const uint8_t weights[] = { 255, 128, 51, 26, 3 };
	enum {
		N = sizeof(weights),
		ROUNDS = 2000
	};
	struct ip_addr addr[N], owner[XRS_BUCKETS];
	double share[N] = { 0 }, total = 0;

	state = 8;
	for (unsigned int i = 0; i < N; i++)
		total += weights[i];
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct set set;

		distinct_addrs(addr, N);
		set = weighted_set(addr, weights, N);
		owners(&set, owner);
		for (unsigned int b = 0; b < XRS_BUCKETS; b++)
			for (unsigned int i = 0; i < N; i++)
				share[i] += ip_equal(&owner[b], &addr[i]);
		nexthop_table_free(set.table);
	}
	for (unsigned int i = 0; i < N; i++) {
		double want = weights[i] / total, got = share[i] / ((double)ROUNDS * XRS_BUCKETS);

		cr_assert_float_eq(got, want, want * 0.03, "%u: %f, wanted %f", i, got, want);
	}
}
