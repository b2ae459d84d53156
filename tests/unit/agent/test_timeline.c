// SPDX-License-Identifier: GPL-2.0-only
/* The ring of the timeline: numbers, order, what falls out, and the histogram. */
#include <criterion/criterion.h>

#include "agent/timeline.h"

static struct timeline_entry entry(uint64_t usec)
{
	return (struct timeline_entry){ .cause = TIMELINE_CARRIER_LOST,
					.detected = { 1000 },
					.programmed = { 1000 + usec } };
}

Test(timeline, entries_come_in_order)
{
	struct timeline *timeline = timeline_new();
	const struct timeline_entry *found;

	cr_assert_null(timeline_next(timeline, 0));
	for (uint64_t i = 1; i <= 3; i++) {
		struct timeline_entry e = entry(i);

		cr_assert_eq(timeline_add(timeline, &e), i);
	}
	found = timeline_next(timeline, 0);
	for (uint64_t i = 1; i <= 3; i++) {
		cr_assert(found && found->seq == i && found->programmed.usec == 1000 + i);
		found = timeline_next(timeline, found->seq + 1);
	}
	cr_assert_null(found);
	timeline_free(timeline);
}

Test(timeline, the_oldest_make_room)
{
	struct timeline *timeline = timeline_new();
	struct timeline_entry e = entry(7);

	for (unsigned int i = 0; i < TIMELINE_MAX + 10; i++)
		timeline_add(timeline, &e);
	cr_assert_eq(timeline_next(timeline, 0)->seq, 11);
	cr_assert_null(timeline_find(timeline, 10));
	cr_assert_eq(timeline_find(timeline, 11)->seq, 11);
	cr_assert_null(timeline_find(timeline, 0));
	timeline_free(timeline);
}

Test(timeline, histogram)
{
	struct timeline *timeline = timeline_new();
	const struct timeline_histogram *h;

	for (unsigned int b = 0; b < TIMELINE_BUCKETS; b++) {
		struct timeline_entry e =
			entry(timeline_bound_usec(b) ? timeline_bound_usec(b) : 10000001);

		timeline_add(timeline, &e);
	}
	h = timeline_histogram(timeline, TIMELINE_CARRIER_LOST);
	for (unsigned int b = 0; b < TIMELINE_BUCKETS; b++)
		cr_assert_eq(h->count[b], 1, "bucket %u", b);
	cr_assert_eq(h->total, TIMELINE_BUCKETS);
	cr_assert_eq(timeline_histogram(timeline, TIMELINE_BFD_DOWN)->total, 0);
	timeline_free(timeline);
}

Test(timeline, each_cause_has_a_name)
{
	for (enum timeline_cause c = 0; c < TIMELINE_CAUSE_MAX; c++)
		cr_assert_str_neq(timeline_cause_name(c), "?");
	cr_assert_str_eq(timeline_cause_name(TIMELINE_CAUSE_MAX), "?");
}
