// SPDX-License-Identifier: GPL-2.0-only
/* The journal and its readers: order, coalescing, slow and late members, retired nets, End-of-RIB. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "rib/adj_rib_out.h"

static struct adj_rib_out out;
static struct out_ref window[OUT_WINDOW];
static uint32_t gone[64];
static unsigned int n_gone;

static void setup(void)
{
	adj_rib_out_init(&out);
}

static void teardown(void)
{
	adj_rib_out_done(&out);
}

TestSuite(adj_rib_out, .init = setup, .fini = teardown);

static void touch(uint32_t net)
{
	cr_assert_eq(adj_rib_out_touch(&out, net), 0);
}

static struct out_member *join(uint16_t peer)
{
	struct out_member *member = adj_rib_out_join(&out, peer, 0);

	cr_assert_not_null(member);
	cr_assert_eq(out_member_reserve(member, 1u << 16), 0);
	return member;
}

/* All that is pending, as text; each net is told when @tell. */
static const char *drain(struct out_member *member, bool tell)
{
	static char text[4096];
	uint32_t n;

	text[0] = 0;
	while ((n = out_member_window(&out, member, window))) {
		for (uint32_t i = 0; i < n; i++) {
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u",
				 *text ? " " : "", window[i].net);
			out_member_set_told(member, window[i].net, 0, tell);
		}
		out_member_finish(&out, member, NULL, 0);
	}
	return text;
}

static void note_gone(void *ctx, const uint32_t *nets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		gone[n_gone++] = nets[i];
}

Test(adj_rib_out, order_of_last_change)
{
	struct out_member *a = join(1);

	touch(3);
	touch(1);
	touch(2);
	cr_assert_str_eq(drain(a, true), "3 1 2");
	cr_assert_str_eq(drain(a, true), "");
	touch(1);
	touch(3);
	touch(1);
	cr_assert_str_eq(drain(a, true), "1 3", "several changes are told once");
	cr_assert_eq(a->n_told, 3);
}

Test(adj_rib_out, a_slow_member_hears_the_last_state_only)
{
	struct out_member *fast = join(1), *slow = join(2);

	touch(1);
	touch(2);
	cr_assert_str_eq(drain(fast, true), "1 2");
	touch(1);
	cr_assert_str_eq(drain(fast, true), "1");
	touch(1);
	touch(3);
	cr_assert_str_eq(drain(fast, true), "1 3");
	cr_assert_str_eq(drain(slow, true), "2 1 3");
}

Test(adj_rib_out, a_late_member_starts_at_the_head)
{
	struct out_member *a = join(1), *b;

	touch(1);
	touch(2);
	drain(a, true);
	touch(1);
	b = join(2);
	cr_assert_str_eq(drain(b, true), "2 1");
	cr_assert_str_eq(drain(a, true), "1");
}

Test(adj_rib_out, end_of_rib_after_the_first_dump)
{
	struct out_member *a;
	uint32_t n;

	touch(1);
	touch(2);
	a = join(1);
	cr_assert_not((out_member_mark(a) == OUT_MARK_EOR));
	n = out_member_window(&out, a, window);
	cr_assert_eq(n, 2);
	out_member_finish(&out, a, window + 1, 1);
	cr_assert_not((out_member_mark(a) == OUT_MARK_EOR), "one is left over");
	cr_assert_eq(out_member_window(&out, a, window), 1);
	out_member_finish(&out, a, NULL, 0);
	cr_assert((out_member_mark(a) == OUT_MARK_EOR) && out_member_pending(&out, a));
	out_member_mark_sent(&out, a, OUT_MARK_EOR);
	cr_assert_not(out_member_pending(&out, a));
	out_member_restart(&out, a);
	cr_assert_str_eq(drain(a, true), "1 2", "a refresh says all again");
	cr_assert_not((out_member_mark(a) == OUT_MARK_EOR), "but there is one first dump only");
}

Test(adj_rib_out, end_of_rib_at_once_for_an_empty_table)
{
	cr_assert(out_member_mark(join(1)) == OUT_MARK_EOR);
}

/* What came later does not hold End-of-RIB back. */
Test(adj_rib_out, end_of_rib_does_not_wait_for_later_changes)
{
	struct out_member *a, *b = join(9);

	for (uint32_t net = 0; net < OUT_WINDOW; net++)
		touch(net);
	drain(b, true);
	a = join(1);
	touch(OUT_WINDOW);
	touch(7);
	cr_assert_eq(out_member_window(&out, a, window), OUT_WINDOW);
	out_member_finish(&out, a, NULL, 0);
	cr_assert((out_member_mark(a) == OUT_MARK_EOR));
	cr_assert_lt(a->cursor, out.end);
}

Test(adj_rib_out, left_over_nets_that_changed_come_later)
{
	struct out_member *a = join(1);

	touch(1);
	touch(2);
	touch(3);
	cr_assert_eq(out_member_window(&out, a, window), 3);
	out_member_finish(&out, a, window, 3);
	touch(2);
	cr_assert_eq(out_member_window(&out, a, window), 3);
	cr_assert(window[0].net == 1 && window[1].net == 3 && window[2].net == 2);
	out_member_finish(&out, a, NULL, 0);
	cr_assert_str_eq(drain(a, true), "");
}

Test(adj_rib_out, retired_at_once_when_nobody_was_told)
{
	struct out_member *a = join(1);

	touch(1);
	cr_assert(adj_rib_out_retire(&out, 1));
	cr_assert_str_eq(drain(a, true), "", "never announced: nothing to say");
	cr_assert(adj_rib_out_retire(&out, 77), "was never in the journal");
}

Test(adj_rib_out, retired_when_all_have_passed)
{
	struct out_member *a = join(1), *b = join(2);

	touch(1);
	touch(2);
	drain(a, true);
	drain(b, true);
	cr_assert_not(adj_rib_out_retire(&out, 1));
	cr_assert_not(adj_rib_out_retire(&out, 1));
	cr_assert(adj_rib_out_retired(&out, 1));
	cr_assert_str_eq(drain(a, false), "1");
	adj_rib_out_collect(&out, note_gone, NULL);
	cr_assert_eq(n_gone, 0, "b has not heard");
	cr_assert_str_eq(drain(b, false), "1");
	adj_rib_out_collect(&out, note_gone, NULL);
	cr_assert_eq(n_gone, 1);
	cr_assert_eq(gone[0], 1);
	cr_assert_str_eq(drain(join(3), true), "2");
}

Test(adj_rib_out, a_member_that_leaves_holds_nothing_back)
{
	struct out_member *a = join(1);

	touch(5);
	drain(a, true);
	cr_assert_not(adj_rib_out_retire(&out, 5));
	adj_rib_out_leave(&out, a);
	adj_rib_out_leave(&out, NULL);
	adj_rib_out_collect(&out, note_gone, NULL);
	cr_assert_eq(n_gone, 1);
}

/* Retired in a place that nobody had passed, behind what was swept before. */
Test(adj_rib_out, retired_behind_the_sweep)
{
	struct out_member *a = join(1);

	touch(1);
	touch(2);
	drain(a, true);
	touch(1);
	touch(2);
	cr_assert_not(adj_rib_out_retire(&out, 2));
	adj_rib_out_unretire(&out, 2);
	adj_rib_out_collect(&out, note_gone, NULL);
	cr_assert_not(adj_rib_out_retire(&out, 1));
	cr_assert_str_eq(drain(a, false), "1 2");
	adj_rib_out_collect(&out, note_gone, NULL);
	cr_assert_eq(n_gone, 1);
	cr_assert_eq(gone[0], 1);
}

Test(adj_rib_out, wakes_each_sleeper_once)
{
	struct out_member *a = join(1), *b = join(2);
	uint32_t cursor = 0;

	cr_assert_null(adj_rib_out_wake(&out, &cursor));
	out_member_sleep(&out, a);
	out_member_sleep(&out, b);
	out_member_sleep(&out, b);
	cursor = 0;
	cr_assert_eq(adj_rib_out_wake(&out, &cursor), a);
	cr_assert_eq(adj_rib_out_wake(&out, &cursor), b);
	cr_assert_null(adj_rib_out_wake(&out, &cursor));
	cursor = 0;
	cr_assert_null(adj_rib_out_wake(&out, &cursor));
	cr_assert_eq(out.idle, 0);
}

/* Some wait for the next window again and again: what was told long ago is not held back by them. */
Test(adj_rib_out, floor_follows_those_left_over)
{
	struct out_member *a = join(1);
	uint32_t n;

	out_member_mark_sent(&out, a, OUT_MARK_EOR);
	for (uint32_t net = 0; net < 5 * OUT_WINDOW; net++)
		touch(net);
	for (uint32_t round = 0; round < 4; round++) {
		n = out_member_window(&out, a, window);
		cr_assert_eq(n, OUT_WINDOW);
		cr_assert(out_member_more(&out, a));
		out_member_finish(&out, a, window + n - 10, 10);
		cr_assert_leq(a->floor, a->cursor - 10);
	}
	n = out_member_window(&out, a, window);
	cr_assert_eq(a->floor, 4 * (OUT_WINDOW - 10));
	out_member_finish(&out, a, NULL, 0);
	n += out_member_window(&out, a, window);
	cr_assert_not(out_member_more(&out, a));
	cr_assert_eq(n, OUT_WINDOW + 40);
}

/* Holes are closed, and nobody's place is lost by it. */
Test(adj_rib_out, compaction_keeps_every_place)
{
	struct out_member *fast = join(1), *slow = join(2), *late;
	uint32_t seen = 0, n;

	for (uint32_t net = 0; net < 100; net++)
		touch(net);
	drain(fast, true);
	cr_assert_eq(out_member_window(&out, slow, window), 100);
	out_member_finish(&out, slow, window + 50, 50); /* 50 to 99 wait */
	for (uint32_t i = 0; i < 5000; i++) {
		touch(i % 40);
		drain(fast, true);
	}
	cr_assert_lt(out.end, 3000, "journal of %u entries for 100 nets", out.end);
	n = out_member_window(&out, slow, window);
	cr_assert_eq(n, 90, "those left over, and behind them those that changed");
	cr_assert(window[0].net == 50 && window[49].net == 99 && window[50].net < 40);
	out_member_finish(&out, slow, NULL, 0);
	cr_assert(out_member_mark(slow) == OUT_MARK_EOR);
	late = join(3);
	while ((n = out_member_window(&out, late, window))) {
		seen += n;
		out_member_finish(&out, late, NULL, 0);
	}
	cr_assert_eq(seen, 100);
}
