// SPDX-License-Identifier: GPL-2.0-only
/* Next hops and groups: identity, references, what is told and when, restart, limits. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "rib/nexthop_group.h"

static struct nexthop_table *table;
static unsigned int added, unused, group_changes, group_unuses;
static uint32_t last_group;

static void on_added(void *ctx, uint32_t id)
{
	added++;
}
static void on_unused(void *ctx, uint32_t id)
{
	unused++;
}
static void on_group(void *ctx, uint32_t id)
{
	group_changes++;
	last_group = id;
}
static void on_group_unused(void *ctx, uint32_t id)
{
	group_unuses++;
}

static void setup(void)
{
	struct nexthop_events events = { NULL, on_added, on_unused, on_group, on_group_unused };

	table = nexthop_table_new(&events);
	cr_assert_not_null(table);
}

static void teardown(void)
{
	nexthop_table_free(table);
}

TestSuite(nexthop_group, .init = setup, .fini = teardown);

static uint32_t hop(uint32_t vnet, uint32_t v4)
{
	struct ip_addr addr = ip_from_v4(v4);

	return nexthop_get(table, vnet, &addr);
}

Test(nexthop_group, one_for_each_vnet_and_address)
{
	struct ip_addr addr = ip_from_v4(1);
	uint32_t a = hop(1, 1);

	cr_assert_eq(a, 1, "0 is nobody");
	cr_assert_eq(hop(1, 1), a);
	cr_assert_neq(hop(2, 1), a);
	cr_assert_neq(hop(1, 2), a);
	cr_assert_eq(added, 3);
	cr_assert_eq(nexthop_info(table, a)->refs, 2);
	cr_assert_eq(nexthop_find(table, 1, &addr), a);
	cr_assert_eq(nexthop_find(table, 3, &addr), NEXTHOP_NONE);
	cr_assert_null(nexthop_info(table, 99));
	cr_assert_null(nexthop_info(table, 0));
	cr_assert_eq(nexthop_next(table, 0), 1);
	cr_assert_eq(nexthop_next(table, 3), 0);
}

Test(nexthop_group, an_id_waits_for_the_maps)
{
	uint32_t a = hop(1, 1), b;

	nexthop_unref(table, a);
	cr_assert_eq(unused, 1);
	b = hop(1, 2);
	cr_assert_neq(b, a, "not recycled yet");
	cr_assert_eq(hop(1, 1), a, "back before it was removed");
	cr_assert_eq(added, 3);
	cr_assert_eq(nexthop_recycle(table, a), -EBUSY);
	nexthop_unref(table, a);
	cr_assert_eq(nexthop_recycle(table, a), 0);
	cr_assert_eq(nexthop_recycle(table, a), -ENOENT);
	cr_assert_null(nexthop_info(table, a));
	cr_assert_eq(hop(1, 3), a);
}

Test(nexthop_group, groups_are_canonical)
{
	uint32_t a = hop(1, 10), b = hop(1, 5), c = hop(1, 7);
	uint32_t abc[] = { a, b, c, a }, cba[] = { c, b, a }, backup[] = { a, c };
	uint32_t g = group_get(table, abc, 4, NULL, 0), h;
	const struct group_info *info = group_info(table, g);

	cr_assert_eq(group_get(table, cba, 3, NULL, 0), g);
	cr_assert_eq(info->refs, 2);
	cr_assert_eq(info->n_members, 3);
	cr_assert(info->member[0] == b && info->member[1] == c && info->member[2] == a);
	cr_assert_eq(group_changes, 1);
	h = group_get(table, &a, 1, backup, 2);
	cr_assert_neq(h, g);
	cr_assert_neq(h, group_get(table, &a, 1, NULL, 0), "the backup is part of it");
	cr_assert_eq(group_info(table, h)->n_backup, 1, "no backup of itself");
	cr_assert_eq(group_get(table, NULL, 0, NULL, 0), GROUP_NONE);
	cr_assert_eq(nexthop_info(table, b)->refs, 2, "the group holds it");
}

Test(nexthop_group, members_live_until_the_group_is_recycled)
{
	uint32_t a = hop(1, 1), g = group_get(table, &a, 1, NULL, 0);

	nexthop_unref(table, a);
	cr_assert_eq(unused, 0);
	cr_assert_eq(group_recycle(table, g), -EBUSY);
	group_unref(table, g);
	cr_assert_eq(group_unuses, 1);
	cr_assert_eq(unused, 0, "its map entry may still name it");
	cr_assert_eq(group_get(table, &a, 1, NULL, 0), g);
	cr_assert_eq(group_changes, 2, "written again");
	group_unref(table, g);
	cr_assert_eq(group_recycle(table, g), 0);
	cr_assert_eq(unused, 1);
	cr_assert_eq(group_recycle(table, g), -ENOENT);
	cr_assert_eq(group_next(table, 0), GROUP_NONE);
}

Test(nexthop_group, a_death_is_told_once_for_each_group)
{
	uint32_t a = hop(1, 1), b = hop(1, 2), c = hop(1, 3), ab[] = { a, b };
	uint32_t g = group_get(table, ab, 2, NULL, 0), h = group_get(table, &c, 1, &a, 1);

	group_get(table, &b, 1, NULL, 0);
	group_changes = 0;
	cr_assert(nexthop_set_usable(table, a, true));
	cr_assert_eq(group_changes, 2);
	cr_assert_not(nexthop_set_usable(table, a, true));
	cr_assert_eq(group_changes, 2);
	cr_assert(nexthop_set_usable(table, a, false));
	cr_assert_eq(group_changes, 4);
	cr_assert_eq(last_group, h);
	cr_assert_neq(g, h);
	cr_assert_not(nexthop_set_usable(table, 99, true));
}

Test(nexthop_group, rendering_falls_back)
{
	uint32_t a = hop(1, 1), b = hop(1, 2), ba[] = { b, a };
	uint32_t g = group_get(table, ba, 1, ba + 1, 1);
	struct xrs_group group;
	struct xrs_bucket bucket;

	group_render(table, g, &group, &bucket);
	cr_assert(group.n_members == 1 && group.n_backup == 1 && !group.n_alive);
	cr_assert(!group.using_backup && bucket.member[0] == 0 && bucket.member[255] == 0);
	nexthop_set_usable(table, a, true);
	group_render(table, g, &group, &bucket);
	cr_assert(group.using_backup && !group.n_alive && bucket.member[7] == a);
	cr_assert(bucket.next[7] == 0);
	nexthop_set_usable(table, b, true);
	group_render(table, g, &group, &bucket);
	cr_assert(!group.using_backup && group.n_alive == 1 && bucket.member[7] == b);
	cr_assert(bucket.next[7] == a, "the last one leaves its buckets to the backup");
	cr_assert(group.member[0] == b && group.backup[0] == a);
}

Test(nexthop_group, who_is_held_back_serves_only_where_nobody_else_does)
{
	uint32_t a = hop(1, 1), b = hop(1, 2), ab[] = { a, b };
	uint32_t g = group_get(table, ab, 2, NULL, 0);
	struct xrs_group group;
	struct xrs_bucket bucket;

	nexthop_set_usable(table, a, true);
	nexthop_set_usable(table, b, true);
	nexthop_set_held(table, a, true);
	group_render(table, g, &group, &bucket);
	cr_assert_eq(group.n_alive, 1);
	for (unsigned int i = 0; i < XRS_BUCKETS; i++)
		cr_assert_eq(bucket.member[i], b);
	nexthop_set_usable(table, b, false);
	group_render(table, g, &group, &bucket);
	cr_assert_eq(bucket.member[0], a);
	group_changes = 0;
	nexthop_set_held(table, a, true);
	cr_assert_eq(group_changes, 0);
	nexthop_set_held(table, a, false);
	cr_assert_neq(group_changes, 0);
}

Test(nexthop_group, who_drains_keeps_its_buckets_and_has_heirs)
{
	uint32_t a = hop(1, 1), b = hop(1, 2), c = hop(1, 3), abc[] = { a, b, c };
	uint32_t g = group_get(table, abc, 3, NULL, 0);
	struct xrs_group group;
	struct xrs_bucket before, without, bucket;

	for (unsigned int i = 0; i < 3; i++)
		nexthop_set_usable(table, abc[i], true);
	group_render(table, g, &group, &before);
	nexthop_set_usable(table, a, false);
	group_render(table, g, &group, &without);
	nexthop_set_usable(table, a, true);
	group_changes = 0;
	nexthop_set_draining(table, a, true);
	nexthop_set_draining(table, a, true);
	cr_assert_eq(group_changes, 1);
	group_render(table, g, &group, &bucket);
	cr_assert_eq(group.n_alive, 3);
	cr_assert_arr_eq(bucket.member, before.member, sizeof(bucket.member));
	for (unsigned int i = 0; i < XRS_BUCKETS; i++)
		cr_assert_eq(bucket.next[i],
			     before.member[i] == a ? without.member[i] : before.next[i]);
	nexthop_set_draining(table, b, true);
	group_render(table, g, &group, &bucket);
	for (unsigned int i = 0; i < XRS_BUCKETS; i++)
		cr_assert(bucket.member[i] == c || bucket.next[i] == c, "an heir never drains");
	nexthop_set_draining(table, a, false);
	nexthop_set_draining(table, b, false);
	group_render(table, g, &group, &bucket);
	cr_assert_arr_eq(&bucket, &before, sizeof(bucket));
}

Test(nexthop_group, where_all_drain_the_backup_set_has_the_new_flows)
{
	uint32_t a = hop(1, 1), b = hop(1, 2), c = hop(1, 3), abc[] = { a, b, c };
	uint32_t g = group_get(table, abc, 2, abc + 2, 1);
	struct xrs_group group;
	struct xrs_bucket bucket;

	for (unsigned int i = 0; i < 3; i++)
		nexthop_set_usable(table, abc[i], true);
	nexthop_set_draining(table, a, true);
	nexthop_set_draining(table, b, true);
	group_render(table, g, &group, &bucket);
	cr_assert(!group.using_backup && group.n_alive == 2);
	for (unsigned int i = 0; i < XRS_BUCKETS; i++)
		cr_assert(bucket.member[i] != c && bucket.next[i] == c);
}

Test(nexthop_group, restart_takes_the_old_ids)
{
	struct ip_addr addr = ip_from_v4(1), other = ip_from_v4(2);
	uint32_t seven = 7, eight = 8;

	cr_assert_eq(nexthop_adopt(table, 7, 1, &addr), 0);
	cr_assert_eq(nexthop_adopt(table, 7, 1, &other), -EEXIST);
	cr_assert_eq(nexthop_adopt(table, 8, 1, &addr), -EEXIST);
	cr_assert_eq(nexthop_adopt(table, 0, 1, &other), -EINVAL);
	cr_assert_eq(nexthop_adopt(table, XRS_NEXTHOP_MAX, 1, &other), -EINVAL);
	cr_assert_eq(group_adopt(table, 5, &seven, 1, NULL, 0), 0);
	cr_assert_eq(group_adopt(table, 6, &seven, 1, NULL, 0), -EEXIST);
	cr_assert_eq(group_adopt(table, 6, &eight, 1, NULL, 0), -EINVAL, "unknown member");
	cr_assert_eq(group_info(table, 5)->refs, 0);
	cr_assert_eq(hop(1, 1), 7, "found again under its old id");
	cr_assert_eq(group_get(table, &seven, 1, NULL, 0), 5);
	cr_assert_eq(hop(1, 2), 1, "others take what is free");
	group_unref(table, 5);
	cr_assert_eq(group_recycle(table, 5), 0);
}

Test(nexthop_group, full_tables_say_so)
{
	uint32_t last = 0;

	for (uint32_t i = 1; i < XRS_NEXTHOP_MAX; i++)
		last = hop(1, i);
	cr_assert_eq(last, XRS_NEXTHOP_MAX - 1);
	cr_assert_eq(hop(1, 1u << 20), NEXTHOP_NONE);
	nexthop_unref(table, 17);
	cr_assert_eq(nexthop_recycle(table, 17), 0);
	cr_assert_eq(hop(1, 1u << 20), 17);
	for (uint32_t i = 1; i < XRS_GROUP_MAX; i++) {
		uint32_t pair[] = { 1 + i / 4000, 10 + i % 4000 };

		cr_assert_neq(group_get(table, pair, 2, NULL, 0), GROUP_NONE);
	}
	cr_assert_eq(group_get(table, &last, 1, NULL, 0), GROUP_NONE);
}

Test(nexthop_group, cut_at_the_most_members)
{
	uint32_t ids[40];
	uint32_t g;

	for (uint32_t i = 0; i < 40; i++)
		ids[i] = hop(1, i + 1);
	g = group_get(table, ids, 40, ids, 40);
	cr_assert_eq(group_info(table, g)->n_members, XRS_MEMBERS_MAX);
	cr_assert_eq(group_info(table, g)->n_backup, XRS_MEMBERS_MAX);
	cr_assert_eq(group_info(table, g)->backup[0], ids[XRS_MEMBERS_MAX]);
}
