// SPDX-License-Identifier: GPL-2.0-only
/* The attribute table as others see it, and equality and hash of sets. */
#include <criterion/criterion.h>
#include <string.h>

#include "bgp/attr.h"

Test(attr, known_codes_have_flags_and_names)
{
	static const uint8_t codes[] = { 1,  2,  3,  4,  5,  6,  7,  8,  9,
					 10, 14, 15, 16, 17, 18, 25, 32, 35 };
	size_t known = 0;

	for (unsigned int code = 0; code < 256; code++) {
		const struct bgp_attr_info *info = bgp_attr_info((uint8_t)code);

		cr_assert_eq(info != NULL, memchr(codes, (int)code, sizeof(codes)) != NULL, "%u",
			     code);
		if (!info)
			continue;
		known++;
		cr_assert_eq(info->code, code);
		cr_assert_not_null(info->name);
		cr_assert_neq(info->flags & (BGP_ATTR_F_OPTIONAL | BGP_ATTR_F_TRANSITIVE), 0);
	}
	cr_assert_eq(known, sizeof(codes));
	cr_assert_str_eq(bgp_attr_info(BGP_ATTR_MED)->name, "MULTI_EXIT_DISC");
	cr_assert_str_eq(bgp_attr_info(BGP_ATTR_MP_REACH)->name, "MP_REACH_NLRI");
}

static const uint8_t octets_a[] = { 1, 2, 3, 4 }, octets_b[] = { 1, 2, 3, 4 },
		     octets_c[] = { 1, 2, 3, 5 };

static struct bgp_attrs a_set(const uint8_t *communities)
{
	return (struct bgp_attrs){
		.has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH | BGP_HAS_MED | BGP_HAS_COMMUNITIES,
		.med = 5,
		.communities = { communities, 4 },
		.next_hop = ip_from_v4(0x0a000001),
	};
}

static void expect_same(const struct bgp_attrs *a, const struct bgp_attrs *b)
{
	cr_expect(bgp_attrs_equal(a, b));
	cr_expect_eq(bgp_attrs_hash(a), bgp_attrs_hash(b));
}

Test(attr, equal_by_content)
{
	struct bgp_attrs a = a_set(octets_a), b = a_set(octets_b), c = a_set(octets_c);

	expect_same(&a, &b);
	cr_assert_not(bgp_attrs_equal(&a, &c));
	cr_assert_neq(bgp_attrs_hash(&a), bgp_attrs_hash(&c));
}

Test(attr, what_an_absent_bit_left_behind_does_not_count)
{
	struct bgp_attrs a = a_set(octets_a), b = a;

	b.local_pref = 100;
	b.otc = 1;
	b.partial = BGP_HAS_AGGREGATOR;
	b.has |= BGP_HAS_NEXT_HOP; /* of the message, not of the set */
	expect_same(&a, &b);
	b.has |= BGP_HAS_LOCAL_PREF;
	cr_assert_not(bgp_attrs_equal(&a, &b));
}

Test(attr, each_field_counts)
{
	struct bgp_attrs a = a_set(octets_a), b;

	a.has = ~0u;
#define DIFFERS(change)                                                         \
	do {                                                                    \
		b = a;                                                          \
		change;                                                         \
		cr_expect_not(bgp_attrs_equal(&a, &b), #change);                \
		cr_expect_neq(bgp_attrs_hash(&a), bgp_attrs_hash(&b), #change); \
	} while (0)
	DIFFERS(b.origin = 1);
	DIFFERS(b.next_hop = ip_from_v4(1));
	DIFFERS(b.link_local.family = IP_V6);
	DIFFERS(b.med++);
	DIFFERS(b.local_pref++);
	DIFFERS(b.aggregator_asn++);
	DIFFERS(b.aggregator_id++);
	DIFFERS(b.originator_id++);
	DIFFERS(b.otc++);
	DIFFERS(b.partial = BGP_HAS_COMMUNITIES);
	DIFFERS(b.as_path = b.communities);
	DIFFERS(b.ext_communities = b.communities);
	DIFFERS(b.ipv6_ext = b.communities);
	DIFFERS(b.large_communities = b.communities);
	DIFFERS(b.cluster_list = b.communities);
	DIFFERS(b.unknown = b.communities);
	DIFFERS(b.communities.len = 3);
	DIFFERS(b.large_communities = b.communities; b.communities.len = 0);
}
