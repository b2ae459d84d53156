// SPDX-License-Identifier: GPL-2.0-only
/* Bounds: each has a name of its own, and a refusal is counted under it. */
#include <criterion/criterion.h>
#include <string.h>

#include "vnet/limits.h"

Test(limits, every_bound_has_its_own_name)
{
	for (int i = 0; i < LIMIT_COUNT; i++) {
		cr_assert(limit_max((enum limit)i) > 0);
		cr_assert(limit_text((enum limit)i)[0]);
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(limit_name((enum limit)i), limit_name((enum limit)j));
	}
}

Test(limits, what_is_refused_is_counted)
{
	struct limit_hits hits = { { 0 } };

	cr_assert(limit_allows(&hits, LIMIT_VNETS, LIMIT_VNETS_MAX));
	cr_assert_eq(hits.hits[LIMIT_VNETS], 0);
	cr_assert_not(limit_allows(&hits, LIMIT_VNETS, LIMIT_VNETS_MAX + 1));
	cr_assert_eq(hits.hits[LIMIT_VNETS], 1);
	cr_assert_not(limit_allows(NULL, LIMIT_VNETS, SIZE_MAX));
}
