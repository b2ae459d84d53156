// SPDX-License-Identifier: GPL-2.0-only
/*
 * Doubly linked lists over arrays of entries: each entry is in exactly one list. Called by the other
 * files of the plan. Must never allocate: that an entry changes lists can not fail.
 */
#include "plan_impl.h"

void plan_lists_init(struct plan_lists *lists, void *entries, size_t size)
{
	*lists = (struct plan_lists){ .entries = entries, .size = size };
	for (int list = 0; list < PLAN_LISTS; list++)
		lists->head[list] = lists->tail[list] = PLAN_END;
}

struct plan_link *plan_link(const struct plan_lists *lists, uint32_t id)
{
	return (struct plan_link *)(lists->entries + id * lists->size);
}

static bool is_linked(enum plan_list list)
{
	return list != PLAN_IDLE && list != PLAN_OUT;
}

static void unlink_entry(struct plan_lists *lists, const struct plan_link *link)
{
	if (link->prev == PLAN_END)
		lists->head[link->list] = link->next;
	else
		plan_link(lists, link->prev)->next = link->next;
	if (link->next == PLAN_END)
		lists->tail[link->list] = link->prev;
	else
		plan_link(lists, link->next)->prev = link->prev;
}

static void append(struct plan_lists *lists, uint32_t id, struct plan_link *link)
{
	link->prev = lists->tail[link->list];
	link->next = PLAN_END;
	if (link->prev == PLAN_END)
		lists->head[link->list] = id;
	else
		plan_link(lists, link->prev)->next = id;
	lists->tail[link->list] = id;
}

void plan_move(struct plan_lists *lists, uint32_t id, enum plan_list list)
{
	struct plan_link *link = plan_link(lists, id);

	if (link->list == list)
		return;
	if (is_linked(link->list)) {
		unlink_entry(lists, link);
		lists->count[link->list]--;
	}
	link->list = (uint8_t)list;
	if (is_linked(list)) {
		append(lists, id, link);
		lists->count[list]++;
	}
}
