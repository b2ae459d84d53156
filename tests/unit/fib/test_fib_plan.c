// SPDX-License-Identifier: GPL-2.0-only
/* The plan's answers one by one; model_fib_plan.c shows that they hold together. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "fib/fib_plan.h"

static struct fib_plan *plan;

static void setup(void)
{
	plan = fib_plan_new();
	cr_assert_not_null(plan);
	cr_assert_eq(fib_plan_table_add(plan, 0), 0);
}

static void teardown(void)
{
	fib_plan_free(plan);
}

TestSuite(fib_plan, .init = setup, .fini = teardown);

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix parsed;

	cr_assert_eq(prefix_parse(text, &parsed), 0, "%s", text);
	return parsed;
}

static struct ip_prefix host(uint32_t number)
{
	struct ip_addr addr = ip_from_v4(0x0a000000 + number);

	return prefix_of(&addr, 32);
}

static void set_nexthop(uint32_t id, enum xrs_way way)
{
	struct xrs_nexthop nexthop = { .way = way, .family = 4 };

	cr_assert_eq(fib_plan_set_nexthop(plan, id, &nexthop), 0);
}

static void set_group(uint32_t id, uint32_t member)
{
	struct xrs_group group = { .n_members = 1, .n_alive = 1, .member = { member } };
	struct xrs_bucket bucket = { 0 };

	for (int i = 0; i < XRS_BUCKETS; i++)
		bucket.member[i] = (__u16)member;
	cr_assert_eq(fib_plan_set_group(plan, id, &group, &bucket), 0);
}

static int try_route(struct ip_prefix to, enum xrs_route_kind kind, uint32_t group)
{
	struct xrs_route route = { .kind = kind, .group = group, .source = XRS_SOURCE_BGP };

	return fib_plan_set_route(plan, 0, &to, &route);
}

static void steer(struct ip_prefix to, uint32_t group)
{
	cr_assert_eq(try_route(to, XRS_ROUTE_STEER, group), 0);
}

/* The next batch is of this kind and size; it goes well. */
static void expect(enum fib_plan_op op, size_t n)
{
	struct fib_plan_batch batch;

	cr_assert(fib_plan_next(plan, &batch), "%s", fib_plan_op_name(op));
	cr_assert_eq(batch.op, op, "%s instead of %s", fib_plan_op_name(batch.op),
		     fib_plan_op_name(op));
	cr_assert_eq(batch.n, n, "%zu instead of %zu", batch.n, n);
	fib_plan_done(plan, &batch);
}

static void expect_failure(enum fib_plan_op op, int error)
{
	struct fib_plan_batch batch;

	cr_assert(fib_plan_next(plan, &batch));
	cr_assert_eq(batch.op, op);
	fib_plan_batch_fail(&batch, error);
	fib_plan_done(plan, &batch);
}

static void expect_nothing(void)
{
	struct fib_plan_batch batch;

	cr_assert_not(fib_plan_next(plan, &batch));
}

static enum fib_plan_state state_of(struct ip_prefix of, int *ret_error)
{
	struct fib_plan_route route;

	cr_assert(fib_plan_route(plan, 0, &of, &route));
	*ret_error = route.error;
	return route.state;
}

Test(fib_plan, writes_upwards_and_removes_downwards)
{
	struct ip_prefix to = prefix("10.250.0.0/16");
	struct fib_plan_gone gone;

	steer(to, 1);
	set_group(1, 1);
	set_nexthop(1, XRS_WAY_BRIDGE);
	expect(FIB_PLAN_NEXTHOP_SET, 1);
	expect(FIB_PLAN_GROUP_SET, 1);
	expect(FIB_PLAN_ROUTE_SET, 1);
	expect_nothing();
	fib_plan_del_nexthop(plan, 1);
	fib_plan_del_group(plan, 1);
	expect_nothing();
	cr_assert_not(fib_plan_next_gone(plan, &gone));
	fib_plan_del_route(plan, 0, &to);
	expect(FIB_PLAN_ROUTE_DEL, 1);
	expect(FIB_PLAN_GROUP_DEL, 1);
	expect(FIB_PLAN_NEXTHOP_DEL, 1);
	expect_nothing();
	cr_assert(fib_plan_next_gone(plan, &gone) && gone.is_group && gone.id == 1);
	cr_assert(fib_plan_next_gone(plan, &gone) && !gone.is_group && gone.id == 1);
	cr_assert_not(fib_plan_next_gone(plan, &gone));
}

Test(fib_plan, ten_changes_are_one_write)
{
	struct ip_prefix to = prefix("0.0.0.0/0");

	for (int i = 0; i < 10; i++)
		cr_assert_eq(try_route(to, i % 2 ? XRS_ROUTE_DROP : XRS_ROUTE_LOCAL, 0), 0);
	expect(FIB_PLAN_ROUTE_SET, 1);
	expect_nothing();
}

Test(fib_plan, back_to_what_is_installed_is_no_write)
{
	struct ip_prefix to = prefix("fd00::/16");

	cr_assert_eq(try_route(to, XRS_ROUTE_LOCAL, 0), 0);
	expect(FIB_PLAN_ROUTE_SET, 1);
	fib_plan_del_route(plan, 0, &to);
	cr_assert_eq(try_route(to, XRS_ROUTE_DROP, 0), 0);
	cr_assert_eq(try_route(to, XRS_ROUTE_LOCAL, 0), 0);
	fib_plan_set_generation(plan, 7);
	expect_nothing();
}

Test(fib_plan, set_and_deleted_before_it_is_written_is_nothing)
{
	struct ip_prefix to = prefix("10.0.0.0/8");
	struct fib_plan_route route;
	struct fib_plan_gone gone;

	cr_assert_eq(try_route(to, XRS_ROUTE_LOCAL, 0), 0);
	fib_plan_del_route(plan, 0, &to);
	set_nexthop(3, XRS_WAY_NONE);
	fib_plan_del_nexthop(plan, 3);
	expect_nothing();
	cr_assert_not(fib_plan_route(plan, 0, &to, &route));
	cr_assert(fib_plan_next_gone(plan, &gone) && gone.id == 3);
}

Test(fib_plan, a_group_rewrite_goes_before_waiting_routes)
{
	set_nexthop(1, XRS_WAY_BRIDGE);
	set_nexthop(2, XRS_WAY_BRIDGE);
	set_group(1, 1);
	for (uint32_t i = 0; i < 2 * FIB_BATCH + 10; i++)
		steer(host(i * 7), 1);
	expect(FIB_PLAN_NEXTHOP_SET, 2);
	expect(FIB_PLAN_GROUP_SET, 1);
	expect(FIB_PLAN_ROUTE_SET, FIB_BATCH);
	set_group(1, 2);
	expect(FIB_PLAN_GROUP_SET, 1);
	expect(FIB_PLAN_ROUTE_SET, FIB_BATCH);
	expect(FIB_PLAN_ROUTE_SET, 10);
	expect_nothing();
}

Test(fib_plan, many_batches_are_sorted_as_one)
{
	struct fib_plan_batch batch;
	struct ip_prefix last = prefix("0.0.0.0/0");
	size_t n = 0;

	for (uint32_t i = 0; i < 20000; i++)
		cr_assert_eq(try_route(host(i * 40503 % 65536), XRS_ROUTE_LOCAL, 0), 0);
	while (fib_plan_next(plan, &batch)) {
		for (size_t i = 0; i < batch.n; i++) {
			cr_assert(prefix_cmp(&last, &batch.routes[i].prefix) < 0);
			last = batch.routes[i].prefix;
		}
		n += batch.n;
		fib_plan_done(plan, &batch);
	}
	cr_assert_eq(n, 20000);
}

/* Between two batches of a sorted run its routes go, and others take their numbers. */
Test(fib_plan, a_run_forgets_what_changed_meanwhile)
{
	struct fib_plan_batch batch;
	size_t n = 0;

	for (uint32_t i = 0; i < 3 * FIB_BATCH; i++)
		cr_assert_eq(try_route(host(i), XRS_ROUTE_LOCAL, 0), 0);
	expect(FIB_PLAN_ROUTE_SET, FIB_BATCH);
	for (uint32_t i = FIB_BATCH; i < 3 * FIB_BATCH; i++) {
		struct ip_prefix gone = host(i);

		fib_plan_del_route(plan, 0, &gone);
	}
	for (uint32_t i = 0; i < 2 * FIB_BATCH; i++)
		cr_assert_eq(try_route(host(0x100000 + i * 40503 % 65536), XRS_ROUTE_DROP, 0), 0);
	while (fib_plan_next(plan, &batch)) {
		cr_assert_eq(batch.op, FIB_PLAN_ROUTE_SET);
		for (size_t i = 0; i < batch.n; i++) {
			cr_assert_eq(batch.routes[i].value.kind, XRS_ROUTE_DROP);
			if (i)
				cr_assert(prefix_cmp(&batch.routes[i - 1].prefix,
						     &batch.routes[i].prefix) < 0);
		}
		n += batch.n;
		fib_plan_done(plan, &batch);
	}
	cr_assert_eq(n, 2 * FIB_BATCH);
}

Test(fib_plan, a_change_taken_back_in_the_middle_of_a_run_is_no_write)
{
	for (uint32_t i = 0; i < 3 * FIB_BATCH; i++)
		cr_assert_eq(try_route(host(i), XRS_ROUTE_LOCAL, 0), 0);
	for (int i = 0; i < 3; i++)
		expect(FIB_PLAN_ROUTE_SET, FIB_BATCH);
	for (uint32_t i = 0; i < 3 * FIB_BATCH; i++)
		cr_assert_eq(try_route(host(i), XRS_ROUTE_DROP, 0), 0);
	expect(FIB_PLAN_ROUTE_SET, FIB_BATCH);
	for (uint32_t i = FIB_BATCH; i < 3 * FIB_BATCH; i++)
		cr_assert_eq(try_route(host(i), XRS_ROUTE_LOCAL, 0), 0);
	expect_nothing();
}

Test(fib_plan, a_table_that_goes_takes_its_run_and_its_batch_along)
{
	struct fib_plan_batch batch;

	set_nexthop(1, XRS_WAY_BRIDGE);
	set_group(1, 1);
	for (uint32_t i = 0; i < FIB_BATCH + 5; i++)
		steer(host(i), 1);
	expect(FIB_PLAN_NEXTHOP_SET, 1);
	expect(FIB_PLAN_GROUP_SET, 1);
	cr_assert(fib_plan_next(plan, &batch));
	fib_plan_table_remove(plan, 0);
	fib_plan_done(plan, &batch);
	expect_nothing();
	fib_plan_del_group(plan, 1);
	expect(FIB_PLAN_GROUP_DEL, 1);
	cr_assert_eq(try_route(host(1), XRS_ROUTE_LOCAL, 0), -ENOENT);
}

Test(fib_plan, rejected_until_room_or_retry)
{
	struct ip_prefix a = prefix("10.1.0.0/16"), b = prefix("10.2.0.0/16");
	int error;

	cr_assert_eq(try_route(a, XRS_ROUTE_LOCAL, 0), 0);
	expect(FIB_PLAN_ROUTE_SET, 1);
	cr_assert_eq(try_route(b, XRS_ROUTE_LOCAL, 0), 0);
	expect_failure(FIB_PLAN_ROUTE_SET, -ENOSPC);
	cr_assert_eq(state_of(b, &error), FIB_PLAN_REJECTED);
	cr_assert_eq(error, ENOSPC);
	cr_assert_eq(fib_plan_counts(plan, 0, IP_V4).rejected, 1);
	expect_nothing();
	cr_assert_eq(try_route(b, XRS_ROUTE_LOCAL, 0), 0);
	expect_nothing();
	fib_plan_retry(plan);
	expect_failure(FIB_PLAN_ROUTE_SET, -ENOMEM);
	fib_plan_del_route(plan, 0, &a);
	expect(FIB_PLAN_ROUTE_DEL, 1);
	expect(FIB_PLAN_ROUTE_SET, 1);
	cr_assert_eq(state_of(b, &error), FIB_PLAN_CLEAN);
	cr_assert_eq(error, 0);
}

Test(fib_plan, a_new_value_is_tried_although_the_old_one_failed)
{
	struct ip_prefix to = prefix("10.1.0.0/16");
	struct fib_plan_slot_state state;
	struct fib_plan_batch batch;

	cr_assert_eq(try_route(to, XRS_ROUTE_LOCAL, 0), 0);
	expect_failure(FIB_PLAN_ROUTE_SET, -ENOMEM);
	cr_assert_eq(try_route(to, XRS_ROUTE_DROP, 0), 0);
	expect(FIB_PLAN_ROUTE_SET, 1);
	/* The same for one that changed while the failing write was under way. */
	set_nexthop(1, XRS_WAY_BRIDGE);
	cr_assert(fib_plan_next(plan, &batch));
	set_nexthop(1, XRS_WAY_NONE);
	fib_plan_batch_fail(&batch, -EINVAL);
	fib_plan_done(plan, &batch);
	cr_assert(fib_plan_nexthop(plan, 1, &state));
	cr_assert_eq(state.state, FIB_PLAN_PENDING);
	expect(FIB_PLAN_NEXTHOP_SET, 1);
}

Test(fib_plan, what_failed_holds_back_what_needs_it)
{
	struct ip_prefix to = prefix("10.1.0.0/16");
	struct fib_plan_slot_state state;
	int error;

	set_nexthop(1, XRS_WAY_BRIDGE);
	set_group(1, 1);
	steer(to, 1);
	expect_failure(FIB_PLAN_NEXTHOP_SET, -EPERM);
	expect_nothing();
	cr_assert(fib_plan_nexthop(plan, 1, &state));
	cr_assert_eq(state.state, FIB_PLAN_REJECTED);
	cr_assert_eq(state.error, EPERM);
	cr_assert(fib_plan_group(plan, 1, &state));
	cr_assert_eq(state.state, FIB_PLAN_HELD);
	cr_assert_eq(state_of(to, &error), FIB_PLAN_HELD);
	fib_plan_retry(plan);
	expect(FIB_PLAN_NEXTHOP_SET, 1);
	expect(FIB_PLAN_GROUP_SET, 1);
	expect(FIB_PLAN_ROUTE_SET, 1);
}

Test(fib_plan, adopted_entries_stay_until_the_sweep)
{
	struct ip_prefix kept = prefix("10.1.0.0/16"), stale = prefix("10.2.0.0/16");
	struct xrs_route route = { .kind = XRS_ROUTE_DROP, .generation = 4 };
	int error;

	cr_assert_eq(fib_plan_adopt_route(plan, 0, &kept, &route), 0);
	cr_assert_eq(fib_plan_adopt_route(plan, 0, &stale, &route), 0);
	expect_nothing();
	cr_assert_eq(state_of(kept, &error), FIB_PLAN_STALE);
	cr_assert_eq(fib_plan_set_route(plan, 0, &kept, &route), 0);
	expect_nothing();
	cr_assert_eq(fib_plan_counts(plan, 0, IP_V4).stale, 1);
	cr_assert_eq(fib_plan_sweep(plan), 1);
	expect(FIB_PLAN_ROUTE_DEL, 1);
	cr_assert_eq(state_of(kept, &error), FIB_PLAN_CLEAN);
}

Test(fib_plan, a_difference_that_was_found_is_repaired)
{
	struct ip_prefix to = prefix("10.1.0.0/16");
	struct xrs_route foreign = { .kind = 77, .group = 99999 };

	cr_assert_eq(try_route(to, XRS_ROUTE_LOCAL, 0), 0);
	expect(FIB_PLAN_ROUTE_SET, 1);
	cr_assert_eq(fib_plan_adopt_route(plan, 0, &to, NULL), 0);
	expect(FIB_PLAN_ROUTE_SET, 1);
	cr_assert_eq(fib_plan_adopt_route(plan, 0, &to, &foreign), 0);
	expect(FIB_PLAN_ROUTE_SET, 1);
	expect_nothing();
}

Test(fib_plan, slots_come_in_bounded_batches)
{
	for (uint32_t id = 1; id <= FIB_PLAN_SLOTS + 6; id++)
		set_nexthop(id, XRS_WAY_BRIDGE);
	expect(FIB_PLAN_NEXTHOP_SET, FIB_PLAN_SLOTS);
	expect(FIB_PLAN_NEXTHOP_SET, 6);
}

Test(fib_plan, refuses_what_no_map_can_hold)
{
	struct xrs_nexthop nexthop = { .family = 4 };
	struct xrs_group group = { .n_members = 1, .member = { 1 } };
	struct xrs_bucket bucket = { .member = { 1 } };

	cr_assert_eq(fib_plan_set_nexthop(plan, 0, &nexthop), -ERANGE);
	cr_assert_eq(fib_plan_set_nexthop(plan, XRS_NEXTHOP_MAX, &nexthop), -ERANGE);
	nexthop.family = 0;
	cr_assert_eq(fib_plan_set_nexthop(plan, 1, &nexthop), -EINVAL);
	bucket.member[255] = 2;
	cr_assert_eq(fib_plan_set_group(plan, 1, &group, &bucket), -EINVAL);
	bucket.member[255] = 0;
	bucket.next[255] = 2;
	cr_assert_eq(fib_plan_set_group(plan, 1, &group, &bucket), -EINVAL);
	bucket.next[255] = 0;
	cr_assert_eq(fib_plan_set_group(plan, XRS_GROUP_MAX, &group, &bucket), -ERANGE);
	group.member[0] = XRS_NEXTHOP_MAX;
	cr_assert_eq(fib_plan_set_group(plan, 1, &group, &bucket), -ERANGE);
	cr_assert_eq(try_route(host(1), XRS_ROUTE_STEER, 0), -EINVAL);
	cr_assert_eq(try_route(host(1), XRS_ROUTE_LOCAL, 1), -EINVAL);
	cr_assert_eq(fib_plan_table_add(plan, XRS_TABLE_MAX), -ERANGE);
	expect_nothing();
}

Test(fib_plan, walk_pauses_and_resumes)
{
	struct fib_plan_route routes[7];
	uint32_t cursor = 0;
	size_t n, sum = 0;

	for (uint32_t i = 0; i < 50; i++)
		cr_assert_eq(try_route(host(i), XRS_ROUTE_LOCAL, 0), 0);
	do {
		n = fib_plan_walk(plan, 0, IP_V4, &cursor, routes, 7);
		for (size_t i = 0; i < n; i++)
			cr_assert(routes[i].wanted && !routes[i].installed &&
				  routes[i].want.prefix_len == 32);
		sum += n;
	} while (n == 7);
	cr_assert_eq(sum, 50);
	cursor = 0;
	cr_assert_eq(fib_plan_walk(plan, 0, IP_V6, &cursor, routes, 7), 0);
}

/* All in, as user/fib/README.md says: the difference to its figures is where growing arrays stand. */
Test(fib_plan, a_route_costs_at_most_40_octets_and_48_for_ipv6)
{
	size_t before = fib_plan_totals(plan).memory, each;
	const uint32_t n = 200000;

	for (uint32_t i = 0; i < n; i++)
		cr_assert_eq(try_route(host(i * 5), XRS_ROUTE_LOCAL, 0), 0);
	each = (fib_plan_totals(plan).memory - before) / n;
	cr_log_info("%zu octets a route", each);
	cr_assert(each <= 40, "%zu octets a route", each);
	for (uint32_t i = 0; i < n; i++) {
		struct ip_prefix to = host(i);

		to.addr.family = IP_V6;
		to.addr.bytes[12] = 1;
		to.len = 128;
		cr_assert_eq(try_route(to, XRS_ROUTE_LOCAL, 0), 0);
	}
	before += each * n;
	each = (fib_plan_totals(plan).memory - before) / n;
	cr_log_info("%zu octets an IPv6 route", each);
	cr_assert(each <= 48, "%zu octets an IPv6 route", each);
}
