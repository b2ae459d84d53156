// SPDX-License-Identifier: GPL-2.0-only
/* The journal of selection changes: a ring, and what it knows about a time. */
#include <criterion/criterion.h>

#include "agent/journal.h"

static struct ip_prefix prefix_text(const char *text)
{
	struct ip_prefix prefix;

	cr_assert_eq(prefix_parse(text, &prefix), 0);
	return prefix;
}

static void add(struct journal *journal, const char *prefix, uint64_t wall)
{
	struct journal_entry *entry = journal_add(journal);

	entry->prefix = prefix_text(prefix);
	entry->wall_usec = wall;
}

Test(journal, what_held_at_a_time)
{
	struct journal *journal = journal_new();
	struct ip_prefix a = prefix_text("10.0.0.0/8"), c = prefix_text("10.3.0.0/16");
	bool before;

	cr_assert_null(journal_at(journal, &a, 50, &before), "nothing ever happened");
	add(journal, "10.0.0.0/8", 10);
	add(journal, "10.1.0.0/16", 15);
	add(journal, "10.0.0.0/8", 20);
	add(journal, "10.0.0.0/8", 30);
	cr_assert_eq(journal_at(journal, &a, 25, &before)->seq, 3);
	cr_assert_not(before, "its `to` held");
	cr_assert_eq(journal_at(journal, &a, 20, &before)->seq, 3, "at that very moment");
	cr_assert_eq(journal_at(journal, &a, 99, &before)->seq, 4);
	cr_assert_eq(journal_at(journal, &a, 5, &before)->seq, 1);
	cr_assert(before, "its `from` held");
	cr_assert_null(journal_at(journal, &c, 25, &before), "another prefix");
	journal_free(journal);
}

Test(journal, the_oldest_are_forgotten)
{
	struct journal *journal = journal_new();

	for (unsigned int i = 1; i <= JOURNAL_KEPT + 3; i++)
		add(journal, "10.0.0.0/8", i);
	cr_assert_eq(journal_first(journal), 4);
	cr_assert_eq(journal_last(journal), JOURNAL_KEPT + 3);
	cr_assert_null(journal_get(journal, 3));
	cr_assert_eq(journal_get(journal, 4)->wall_usec, 4);
	cr_assert_null(journal_get(journal, JOURNAL_KEPT + 4));
	journal_free(journal);
}
