// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plan's next hops and groups: two arrays of slots that differ only in their content and in that a
 * group points to next hops. Called by fib_plan.c and, for references, by plan_routes.c. Must never put
 * a slot on the way to its removal while anything in the maps points to it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan_impl.h"

int plan_slots_init(struct plan_slots *slots, uint32_t max, size_t content_size,
		    struct plan_slots *below)
{
	slots->slots = calloc(max, sizeof(*slots->slots));
	if (!slots->slots)
		return -ENOMEM;
	slots->max = max;
	slots->content_size = content_size;
	slots->below = below;
	plan_lists_init(&slots->lists, slots->slots, sizeof(*slots->slots));
	return 0;
}

void plan_slots_done(struct plan_slots *slots)
{
	for (uint32_t id = 0; slots->slots && id < slots->max; id++)
		free(slots->slots[id].content);
	free(slots->slots);
}

/* --- flags and contents ------------------------------------------------------------------------- */
bool plan_slot_has(const struct plan_slots *slots, uint32_t id, enum plan_slot_flag flag)
{
	return slots->slots[id].link.flags & flag;
}

static void put_flag(struct plan_slots *slots, uint32_t id, enum plan_slot_flag flag, bool on)
{
	struct plan_link *link = &slots->slots[id].link;

	if (plan_slot_has(slots, id, flag) == on)
		return;
	link->flags ^= (uint8_t)flag;
	slots->flagged[__builtin_ctz(flag)] += on ? 1 : -1u;
}

const void *plan_slot_wanted(const struct plan_slots *slots, uint32_t id)
{
	return slots->slots[id].content;
}

const void *plan_slot_in_map(const struct plan_slots *slots, uint32_t id)
{
	return slots->slots[id].content + slots->content_size;
}

static bool make_content(struct plan_slots *slots, uint32_t id)
{
	struct plan_slot *slot = &slots->slots[id];

	if (slot->content)
		return true;
	slot->content = calloc(2, slots->content_size);
	slots->contents += slot->content != NULL;
	return slot->content != NULL;
}

static void drop_content(struct plan_slots *slots, uint32_t id)
{
	struct plan_slot *slot = &slots->slots[id];

	slots->contents -= slot->content != NULL;
	free(slot->content);
	slot->content = NULL;
}

static bool in_range(const struct plan_slots *slots, uint32_t id)
{
	return id > 0 && id < slots->max;
}

/* --- where a slot belongs ------------------------------------------------------------------------- */
static enum plan_list place_wanted(const struct plan_slots *slots, uint32_t id)
{
	bool known =
		plan_slot_has(slots, id, SLOT_INSTALLED) && !plan_slot_has(slots, id, SLOT_TORN);

	if (known && memcmp(plan_slot_wanted(slots, id), plan_slot_in_map(slots, id),
			    slots->content_size) == 0)
		return PLAN_IDLE;
	return slots->slots[id].link.error ? PLAN_REJECTED : PLAN_SET;
}

static enum plan_list place_unwanted(const struct plan_slots *slots, uint32_t id)
{
	const struct plan_slot *slot = &slots->slots[id];

	if (slot->link.flags & SLOT_STALE)
		return PLAN_IDLE;
	if (slot->refs && slot->link.flags & (SLOT_INSTALLED | SLOT_TORN | SLOT_TELL))
		return PLAN_WAIT;
	if (slot->link.flags & (SLOT_INSTALLED | SLOT_TORN))
		return slot->link.error ? PLAN_REJECTED : PLAN_DEL;
	return slot->link.flags & SLOT_TELL ? PLAN_GONE : PLAN_IDLE;
}

static void place(struct plan_slots *slots, uint32_t id)
{
	struct plan_slot *slot = &slots->slots[id];

	if (slot->link.list == PLAN_OUT)
		return;
	plan_move(&slots->lists, id,
		  slot->link.flags & SLOT_WANTED ? place_wanted(slots, id)
						 : place_unwanted(slots, id));
	if (!(slot->link.flags & (SLOT_WANTED | SLOT_INSTALLED | SLOT_TORN)))
		drop_content(slots, id);
}

void plan_slot_ref(struct plan_slots *slots, uint32_t id, int change)
{
	if (!in_range(slots, id))
		return;
	slots->slots[id].refs += (uint32_t)change;
	if (slots->slots[id].refs <= 1 && !plan_slot_has(slots, id, SLOT_WANTED))
		place(slots, id);
}

/* --- what a group points to ------------------------------------------------------------------------- */
static unsigned int cut(uint32_t n)
{
	return n < XRS_MEMBERS_MAX ? n : XRS_MEMBERS_MAX; /* an adopted group may hold anything */
}

static void ref_ids(struct plan_slots *slots, const uint32_t *ids, unsigned int n, int change)
{
	for (unsigned int i = 0; i < n; i++)
		plan_slot_ref(slots, ids[i], change);
}

/*
 * Buckets count as well: a process that was killed between the two steps of a write left buckets that
 * point beside the members.
 */
static void ref_below(struct plan_slots *slots, const void *content, int change)
{
	const struct plan_group *group = content;

	if (!slots->below)
		return;
	ref_ids(slots->below, group->group.member, cut(group->group.n_members), change);
	ref_ids(slots->below, group->group.backup, cut(group->group.n_backup), change);
	for (unsigned int i = 0; i < XRS_BUCKETS; i++) {
		plan_slot_ref(slots->below, group->bucket.member[i], change);
		plan_slot_ref(slots->below, group->bucket.next[i], change);
	}
}

static bool all_installed(const struct plan_slots *slots, const uint32_t *ids, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!plan_slot_has(slots, ids[i], SLOT_INSTALLED))
			return false;
	}
	return true;
}

bool plan_slot_ready(const struct plan_slots *slots, uint32_t id)
{
	const struct plan_group *group = plan_slot_wanted(slots, id);

	return !slots->below ||
	       (all_installed(slots->below, group->group.member, group->group.n_members) &&
		all_installed(slots->below, group->group.backup, group->group.n_backup));
}

/* The map holds @content now (NULL: nothing). What it points to is held before the old is let go. */
static void put_in_map(struct plan_slots *slots, uint32_t id, const void *content)
{
	char *in_map = slots->slots[id].content + slots->content_size;

	if (content)
		ref_below(slots, content, +1);
	if (plan_slot_has(slots, id, SLOT_INSTALLED))
		ref_below(slots, in_map, -1);
	if (content)
		memcpy(in_map, content, slots->content_size);
	put_flag(slots, id, SLOT_INSTALLED, content != NULL);
	put_flag(slots, id, SLOT_TORN, false);
}

/* --- wanted and found --------------------------------------------------------------------------------- */
int plan_slot_set(struct plan_slots *slots, uint32_t id, const void *content)
{
	struct plan_slot *slot;

	if (!in_range(slots, id))
		return -ERANGE;
	if (!make_content(slots, id))
		return -ENOMEM;
	slot = &slots->slots[id];
	if (plan_slot_has(slots, id, SLOT_WANTED) &&
	    memcmp(slot->content, content, slots->content_size) == 0)
		return 0;
	memcpy(slot->content, content, slots->content_size);
	put_flag(slots, id, SLOT_WANTED, true);
	put_flag(slots, id, SLOT_STALE, false);
	put_flag(slots, id, SLOT_TELL, false);
	slot->link.error = 0;
	place(slots, id);
	return 0;
}

static void unwant(struct plan_slots *slots, uint32_t id)
{
	put_flag(slots, id, SLOT_WANTED, false);
	put_flag(slots, id, SLOT_STALE, false);
	put_flag(slots, id, SLOT_TELL, true);
	slots->slots[id].link.error = 0;
	place(slots, id);
}

int plan_slot_del(struct plan_slots *slots, uint32_t id)
{
	if (!in_range(slots, id))
		return -ERANGE;
	unwant(slots, id);
	return 0;
}

static bool unknown_to_owner(const struct plan_slots *slots, uint32_t id)
{
	return !(slots->slots[id].link.flags & (SLOT_WANTED | SLOT_INSTALLED | SLOT_TELL));
}

int plan_slot_adopt(struct plan_slots *slots, uint32_t id, const void *content, bool *ret_new)
{
	bool stale;

	if (!in_range(slots, id))
		return -ERANGE;
	if (slots->slots[id].link.list == PLAN_OUT)
		return -EBUSY;
	if (!content && !slots->slots[id].content)
		return 0;
	if (!make_content(slots, id))
		return -ENOMEM;
	stale = unknown_to_owner(slots, id) || plan_slot_has(slots, id, SLOT_STALE);
	*ret_new = content && !plan_slot_has(slots, id, SLOT_INSTALLED);
	put_in_map(slots, id, content);
	put_flag(slots, id, SLOT_STALE, content && stale);
	slots->slots[id].link.error = 0;
	place(slots, id);
	return 0;
}

size_t plan_slots_sweep(struct plan_slots *slots)
{
	size_t n = 0;

	for (uint32_t id = 1; id < slots->max; id++) {
		if (!plan_slot_has(slots, id, SLOT_STALE))
			continue;
		unwant(slots, id);
		n++;
	}
	return n;
}

/* --- outcomes ------------------------------------------------------------------------------------------- */
/*
 * A group is written in two steps and a next hop in three. After a failure the slot counts as neither
 * old nor new: it is written or removed again, and fib_plan.c removes no next hop meanwhile.
 */
bool plan_slot_written(struct plan_slots *slots, uint32_t id, const void *content, int error)
{
	struct plan_slot *slot = &slots->slots[id];
	bool first = !error && !plan_slot_has(slots, id, SLOT_INSTALLED);

	plan_move(&slots->lists, id, PLAN_IDLE);
	if (error)
		put_flag(slots, id, SLOT_TORN, true);
	else
		put_in_map(slots, id, content);
	/* A failure says nothing about a value that replaced the one that was tried. */
	if (error && plan_slot_has(slots, id, SLOT_WANTED) &&
	    memcmp(slot->content, content, slots->content_size) == 0)
		slot->link.error = (uint16_t)-error;
	place(slots, id);
	return first;
}

void plan_slot_removed(struct plan_slots *slots, uint32_t id, int error)
{
	plan_move(&slots->lists, id, PLAN_IDLE);
	if (error)
		put_flag(slots, id, SLOT_TORN, true);
	else
		put_in_map(slots, id, NULL);
	if (error && !plan_slot_has(slots, id, SLOT_WANTED))
		slots->slots[id].link.error = (uint16_t)-error;
	place(slots, id);
}

void plan_slots_resume(struct plan_slots *slots, enum plan_list list)
{
	while (slots->lists.count[list]) {
		uint32_t id = slots->lists.head[list];

		slots->slots[id].link.error = 0;
		place(slots, id);
	}
}

bool plan_slots_next_gone(struct plan_slots *slots, uint32_t *ret_id)
{
	uint32_t id = slots->lists.head[PLAN_GONE];

	if (id == PLAN_END)
		return false;
	put_flag(slots, id, SLOT_TELL, false);
	place(slots, id);
	*ret_id = id;
	return true;
}

/* --- reading ---------------------------------------------------------------------------------------------- */
enum fib_plan_state plan_state(const struct plan_link *link, bool stale)
{
	static const enum fib_plan_state states[PLAN_LISTS] = {
		[PLAN_IDLE] = FIB_PLAN_CLEAN,  [PLAN_GONE] = FIB_PLAN_CLEAN,
		[PLAN_OUT] = FIB_PLAN_PENDING, [PLAN_SET] = FIB_PLAN_PENDING,
		[PLAN_DEL] = FIB_PLAN_PENDING, [PLAN_WAIT] = FIB_PLAN_PENDING,
		[PLAN_HELD] = FIB_PLAN_HELD,   [PLAN_REJECTED] = FIB_PLAN_REJECTED,
	};

	return stale ? FIB_PLAN_STALE : states[link->list];
}

struct fib_plan_counts plan_slots_counts(const struct plan_slots *slots)
{
	const uint32_t *count = slots->lists.count;

	return (struct fib_plan_counts){
		.wanted = slots->flagged[__builtin_ctz(SLOT_WANTED)],
		.installed = slots->flagged[__builtin_ctz(SLOT_INSTALLED)],
		.pending = count[PLAN_SET] + count[PLAN_DEL] + count[PLAN_WAIT] + count[PLAN_OUT],
		.held = count[PLAN_HELD],
		.rejected = count[PLAN_REJECTED],
		.stale = slots->flagged[__builtin_ctz(SLOT_STALE)],
	};
}

size_t plan_slots_memory(const struct plan_slots *slots)
{
	return slots->max * sizeof(*slots->slots) + slots->contents * 2 * slots->content_size;
}
