// SPDX-License-Identifier: GPL-2.0-only
/* Time arithmetic and its text. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#include "util/mono.h"

Test(mono, arithmetic)
{
	struct mono t = { .usec = 5 };

	cr_assert_eq(mono_add_usec(t, 1).usec, 6);
	cr_assert_eq(mono_add_msec(t, 2).usec, 2005);
	cr_assert_eq(mono_add_sec(t, 3).usec, 3000005);
	cr_assert_eq(mono_add_sec(t, 1000000).usec, 1000000000005);
}

Test(mono, order)
{
	struct mono a = { .usec = 5 }, b = { .usec = 7 }, never = { 0 };

	cr_assert(mono_before(a, b));
	cr_assert_not(mono_before(b, a));
	cr_assert_not(mono_before(a, a));
	cr_assert_eq(mono_since_usec(b, a), 2);
	cr_assert_eq(mono_since_usec(a, b), 0, "never negative");
	cr_assert(mono_is_set(a));
	cr_assert_not(mono_is_set(never));
}

Test(mono, clock_is_set_and_does_not_go_back)
{
	struct mono last = mono_now();

	cr_assert(mono_is_set(last));
	for (int i = 0; i < 1000; i++) {
		struct mono now = mono_now();

		cr_assert_not(mono_before(now, last));
		last = now;
	}
}

Test(mono, wall_is_the_time_of_day)
{
	uint64_t before = (uint64_t)time(NULL);
	uint64_t wall = wall_now_usec() / 1000000;

	cr_assert_geq(wall + 1, before);
	cr_assert_leq(wall, (uint64_t)time(NULL) + 1);
}

Test(mono, rfc3339)
{
	char buf[RFC3339_MAX];

	cr_assert_str_eq(rfc3339_format(0, buf), "1970-01-01T00:00:00.000000Z");
	cr_assert_str_eq(rfc3339_format(1769860800123456, buf), "2026-01-31T12:00:00.123456Z");
	cr_assert_str_eq(rfc3339_format(951782399999999, buf), "2000-02-28T23:59:59.999999Z");
	cr_assert_str_eq(rfc3339_format(951782400000001, buf), "2000-02-29T00:00:00.000001Z");
}

Test(mono, rfc3339_is_utc_whatever_the_zone)
{
	char buf[RFC3339_MAX];

	setenv("TZ", "America/New_York", 1);
	tzset();
	cr_assert_str_eq(rfc3339_format(0, buf), "1970-01-01T00:00:00.000000Z");
}

Test(mono, rfc3339_of_the_last_time_fits)
{
	char buf[RFC3339_MAX];

	cr_assert_str_eq(rfc3339_format(UINT64_MAX, buf), "586524-01-19T08:01:49.551615Z");
}
