// SPDX-License-Identifier: GPL-2.0-only
/*
 * The journal and its readers. loc_rib.c touches nets, export.c reads windows and says what they mean. Must
 * never know what a route is: nets are numbers here.
 *
 * An entry is a net id, HOLE where a net stood that has moved on, or a net id with the RETIRED mark: a
 * prefix that is gone but was announced to somebody who has not come by yet.
 */
#include "rib/adj_rib_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HOLE         UINT32_MAX
#define RETIRED      0x80000000u
#define PLACE_NONE   UINT32_MAX
#define MIN_ENTRIES  256
#define MIN_HOLES    1024 /* below this compacting is not worth it */
#define GONE_AT_ONCE 32

void adj_rib_out_init(struct adj_rib_out *out)
{
	*out = (struct adj_rib_out){ 0 };
}

static void member_free(struct out_member *member)
{
	free(member->told);
	free(member->path_ids);
	free(member->left);
	free(member);
}

void adj_rib_out_done(struct adj_rib_out *out)
{
	for (uint32_t i = 0; i < out->n_members; i++)
		member_free(out->members[i]);
	free(out->members);
	free(out->entries);
	free(out->place);
	adj_rib_out_init(out);
}

/* --- compaction ---------------------------------------------------------------------------------- */

static int compare_positions(const void *a, const void *b)
{
	const uint32_t *const *x = a, *const *y = b;

	return (**x > **y) - (**x < **y);
}

/* All that points into the journal, in order. NULL: out of memory. */
static uint32_t **positions(struct adj_rib_out *out, size_t *ret_n)
{
	uint32_t **list = calloc(3 * (size_t)out->n_members + 2, sizeof(*list));
	size_t n = 0;

	if (!list)
		return NULL;
	list[n++] = &out->high;
	list[n++] = &out->swept;
	for (uint32_t i = 0; i < out->n_members; i++) {
		list[n++] = &out->members[i]->cursor;
		list[n++] = &out->members[i]->floor;
		list[n++] = &out->members[i]->dump_end;
	}
	qsort(list, n, sizeof(*list), compare_positions);
	*ret_n = n;
	return list;
}

/* Closes the holes; each position keeps standing before the same entry. */
static void compact(struct adj_rib_out *out)
{
	uint32_t to = 0;
	size_t n, next = 0;
	uint32_t **list = positions(out, &n);

	if (!list)
		return;
	for (uint32_t from = 0; from < out->end; from++) {
		for (; next < n && *list[next] == from; next++)
			*list[next] = to;
		if (out->entries[from] == HOLE)
			continue;
		out->entries[to] = out->entries[from];
		out->place[out->entries[to] & ~RETIRED] = to;
		to++;
	}
	for (; next < n; next++)
		*list[next] = to;
	out->end = to;
	out->holes = 0;
	out->epoch++;
	free(list);
}

/* --- the journal ----------------------------------------------------------------------------------- */

static int make_room(struct adj_rib_out *out, uint32_t net)
{
	uint32_t cap;
	uint32_t *grown;

	if (out->holes > MIN_HOLES && out->holes > out->end / 2)
		compact(out);
	if (out->end == out->cap) {
		cap = out->cap + out->cap / 4 + MIN_ENTRIES;
		grown = reallocarray(out->entries, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		out->entries = grown;
		out->cap = cap;
	}
	if (net >= out->place_cap) {
		cap = net + net / 4 + MIN_ENTRIES;
		grown = reallocarray(out->place, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		memset(grown + out->place_cap, 0xff, (cap - out->place_cap) * sizeof(*grown));
		out->place = grown;
		out->place_cap = cap;
	}
	return 0;
}

static uint32_t place_of(const struct adj_rib_out *out, uint32_t net)
{
	return net < out->place_cap ? out->place[net] : PLACE_NONE;
}

static void make_hole(struct adj_rib_out *out, uint32_t place)
{
	out->entries[place] = HOLE;
	out->holes++;
}

int adj_rib_out_touch(struct adj_rib_out *out, uint32_t net)
{
	uint32_t place = place_of(out, net);
	int err;

	/* Nobody has come by yet: where it stands is as good. */
	if (place != PLACE_NONE && place >= out->high)
		return 0;
	err = make_room(out, net);
	if (err)
		return err;
	place = out->place[net]; /* compaction may have moved it */
	if (place != PLACE_NONE)
		make_hole(out, place);
	out->place[net] = out->end;
	out->entries[out->end++] = net;
	return 0;
}

static void forget(struct adj_rib_out *out, uint32_t net)
{
	uint32_t place = place_of(out, net);

	if (place == PLACE_NONE)
		return;
	make_hole(out, place);
	out->place[net] = PLACE_NONE;
}

static bool told_to_any(const struct adj_rib_out *out, uint32_t net)
{
	for (uint32_t i = 0; i < out->n_members; i++) {
		if (out_member_told(out->members[i], net))
			return true;
	}
	return false;
}

bool adj_rib_out_retired(const struct adj_rib_out *out, uint32_t net)
{
	uint32_t place = place_of(out, net);

	return place != PLACE_NONE && out->entries[place] & RETIRED;
}

/* Without memory for a new entry the old one serves: those that have passed it come by again. */
static void restart_those_behind(struct adj_rib_out *out, uint32_t place)
{
	for (uint32_t i = 0; i < out->n_members; i++) {
		if (out->members[i]->cursor > place)
			out_member_restart(out, out->members[i]);
	}
}

bool adj_rib_out_retire(struct adj_rib_out *out, uint32_t net)
{
	uint32_t place;

	if (adj_rib_out_retired(out, net))
		return false;
	if (!told_to_any(out, net)) {
		forget(out, net);
		return true;
	}
	if (adj_rib_out_touch(out, net))
		restart_those_behind(out, place_of(out, net));
	place = place_of(out, net);
	out->entries[place] |= RETIRED;
	out->retired++;
	if (place < out->swept)
		out->swept = place;
	return false;
}

void adj_rib_out_unretire(struct adj_rib_out *out, uint32_t net)
{
	if (!adj_rib_out_retired(out, net))
		return;
	out->entries[out->place[net]] &= ~RETIRED;
	out->retired--;
}

static uint32_t lowest_floor(const struct adj_rib_out *out)
{
	uint32_t lowest = out->end;

	for (uint32_t i = 0; i < out->n_members; i++) {
		if (out->members[i]->floor < lowest)
			lowest = out->members[i]->floor;
	}
	return lowest;
}

void adj_rib_out_collect(struct adj_rib_out *out,
			 void (*gone)(void *ctx, const uint32_t *nets, size_t n), void *ctx)
{
	uint32_t to, nets[GONE_AT_ONCE];
	size_t n = 0;

	if (!out->retired)
		return;
	to = lowest_floor(out);
	for (; out->swept < to && out->retired; out->swept++) {
		uint32_t entry = out->entries[out->swept];

		if (entry == HOLE || !(entry & RETIRED))
			continue;
		forget(out, entry & ~RETIRED);
		out->retired--;
		nets[n++] = entry & ~RETIRED;
		if (n == GONE_AT_ONCE) {
			gone(ctx, nets, n);
			n = 0;
		}
	}
	if (n)
		gone(ctx, nets, n);
	if (!out->retired)
		out->swept = out->end;
}

/* --- members --------------------------------------------------------------------------------------- */

struct out_member *adj_rib_out_join(struct adj_rib_out *out, uint16_t peer, unsigned int paths)
{
	struct out_member *member;
	struct out_member **grown;

	if (out->n_members == out->member_cap) {
		grown = reallocarray(out->members, out->member_cap + 8, sizeof(*grown));
		if (!grown)
			return NULL;
		out->members = grown;
		out->member_cap += 8;
	}
	member = calloc(1, sizeof(*member));
	if (!member)
		return NULL;
	member->peer = peer;
	member->paths = paths < OUT_PATHS_MAX ? paths : OUT_PATHS_MAX;
	member->dump = true;
	member->dump_end = out->end;
	out->members[out->n_members++] = member;
	out->epoch++;
	return member;
}

void adj_rib_out_leave(struct adj_rib_out *out, struct out_member *member)
{
	uint32_t i = 0;

	if (!member)
		return;
	while (out->members[i] != member)
		i++;
	out->members[i] = out->members[--out->n_members];
	out->epoch++;
	out->idle -= member->idle;
	member_free(member);
}

void out_member_restart(struct adj_rib_out *out, struct out_member *member)
{
	out->epoch++;
	member->cursor = member->floor = 0;
	member->n_left = 0;
	/* What was announced at the end of the old walk must not count as passed. */
	if (member->dump || member->refresh == REFRESH_RUNNING)
		member->dump_end = out->end;
}

void out_member_refresh(struct adj_rib_out *out, struct out_member *member)
{
	if (member->dump) {
		member->refresh = REFRESH_WANTED;
		return;
	}
	out_member_restart(out, member);
	member->dump_end = out->end;
	member->refresh = REFRESH_BEGINS;
}

/*
 * Those left over of earlier windows that did not change since: changed ones come again later. Nothing below the
 * oldest of them is needed any more.
 */
static uint32_t left_over(const struct adj_rib_out *out, struct out_member *member,
			  struct out_ref *refs)
{
	uint32_t n = 0, oldest = member->cursor;

	for (uint32_t i = 0; i < member->n_left; i++) {
		uint32_t place = place_of(out, member->left[i].net);

		if (place >= member->cursor)
			continue;
		refs[n++] = member->left[i];
		oldest = place < oldest ? place : oldest;
	}
	member->n_left = 0;
	member->floor = oldest;
	return n;
}

uint32_t out_member_window(struct adj_rib_out *out, struct out_member *member, struct out_ref *refs)
{
	uint32_t n = left_over(out, member, refs);
	uint32_t max = OUT_WINDOW;

	/* Each path of a net may have to be told, and as many may have to be withdrawn. */
	if (member->paths)
		max = n + (OUT_WINDOW - n) / (2 * member->paths);
	while (n < max && member->cursor < out->end) {
		uint32_t entry = out->entries[member->cursor++];

		if (entry != HOLE)
			refs[n++] = (struct out_ref){ .net = entry & ~RETIRED };
	}
	if (member->cursor > out->high)
		out->high = member->cursor;
	if (!n)
		member->floor = member->cursor; /* only holes: nothing to finish */
	return n;
}

void out_member_cut(const struct adj_rib_out *out, struct out_member *member, struct out_ref from)
{
	member->cursor = place_of(out, from.net);
}

void out_member_finish(struct adj_rib_out *out, struct out_member *member,
		       const struct out_ref *left, uint32_t n_left)
{
	if (n_left && !member->left)
		member->left = malloc(OUT_WINDOW * sizeof(*member->left));
	if (n_left && !member->left) {
		/* No room to remember: the whole window again, which says some things twice. */
		member->cursor = member->floor;
		return;
	}
	if (n_left)
		memcpy(member->left, left, n_left * sizeof(*left));
	member->n_left = n_left;
	if (!n_left)
		member->floor = member->cursor;
}

void out_member_advance(struct adj_rib_out *out, struct out_member *member, uint32_t to)
{
	member->cursor = member->floor = to;
	if (to > out->high)
		out->high = to;
}

bool out_member_more(const struct adj_rib_out *out, const struct out_member *member)
{
	bool marks = member->dump || member->refresh == REFRESH_RUNNING;

	return member->cursor < out->end && !(marks && member->cursor >= member->dump_end);
}

bool out_member_pending(const struct adj_rib_out *out, const struct out_member *member)
{
	return member->n_left || member->cursor < out->end || out_member_mark(member);
}

enum out_mark out_member_mark(const struct out_member *member)
{
	bool walked = !member->n_left && member->floor >= member->dump_end;

	if (member->refresh == REFRESH_BEGINS)
		return OUT_MARK_BORR;
	if (!walked)
		return OUT_MARK_NONE;
	return member->dump                         ? OUT_MARK_EOR
	       : member->refresh == REFRESH_RUNNING ? OUT_MARK_EORR
						    : OUT_MARK_NONE;
}

void out_member_mark_sent(struct adj_rib_out *out, struct out_member *member, enum out_mark mark)
{
	if (mark == OUT_MARK_BORR)
		member->refresh = REFRESH_RUNNING;
	if (mark == OUT_MARK_EORR)
		member->refresh = REFRESH_NONE;
	if (mark != OUT_MARK_EOR)
		return;
	member->dump = false;
	if (member->refresh == REFRESH_WANTED)
		out_member_refresh(out, member);
}

void out_member_sleep(struct adj_rib_out *out, struct out_member *member)
{
	out->idle += !member->idle;
	member->idle = true;
}

struct out_member *adj_rib_out_wake(struct adj_rib_out *out, uint32_t *cursor)
{
	while (out->idle && *cursor < out->n_members) {
		struct out_member *member = out->members[(*cursor)++];

		if (!member->idle)
			continue;
		member->idle = false;
		out->idle--;
		return member;
	}
	return NULL;
}

bool out_member_told(const struct out_member *member, uint32_t net)
{
	return net / 64 < member->told_cap && member->told[net / 64] >> net % 64 & 1;
}

/* Room for the identifiers of @nets nets, before the bits that say so. */
static int reserve_paths(struct out_member *member, size_t nets)
{
	size_t old = member->told_cap * (size_t)64 * member->paths, new = nets * member->paths;
	uint32_t *grown;

	if (!member->paths)
		return 0;
	grown = reallocarray(member->path_ids, new, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memset(grown + old, 0, (new - old) * sizeof(*grown));
	member->path_ids = grown;
	return 0;
}

int out_member_reserve(struct out_member *member, uint32_t limit)
{
	uint32_t cap = limit / 64 + member->told_cap / 4 + 16;
	uint64_t *grown;

	if (limit <= member->told_cap * UINT64_C(64))
		return 0;
	if (reserve_paths(member, cap * (size_t)64))
		return -ENOMEM;
	grown = reallocarray(member->told, cap, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memset(grown + member->told_cap, 0, (cap - member->told_cap) * sizeof(*grown));
	member->told = grown;
	member->told_cap = cap;
	return 0;
}

static uint32_t *ids_of(const struct out_member *member, uint32_t net)
{
	return member->path_ids + (size_t)net * member->paths;
}

unsigned int out_member_told_paths(const struct out_member *member, uint32_t net,
				   uint32_t ret[OUT_PATHS_MAX])
{
	unsigned int n = 0;

	if (!out_member_told(member, net))
		return 0;
	if (!member->paths)
		ret[n++] = 0;
	for (unsigned int i = 0; i < member->paths; i++) {
		if (ids_of(member, net)[i])
			ret[n++] = ids_of(member, net)[i];
	}
	return n;
}

bool out_member_told_path(const struct out_member *member, uint32_t net, uint32_t path_id)
{
	uint32_t ids[OUT_PATHS_MAX];
	unsigned int n = out_member_told_paths(member, net, ids);

	for (unsigned int i = 0; i < n; i++) {
		if (!member->paths || ids[i] == path_id)
			return true;
	}
	return false;
}

/* The bit of a net, and what is counted by it. Without a branch: of most of a million. */
static inline void set_bit(struct out_member *member, uint32_t net, bool told)
{
	uint64_t *word = &member->told[net / 64], bit = UINT64_C(1) << net % 64;
	uint32_t flips = !(*word & bit) == told;

	*word ^= flips ? bit : 0;
	member->n_told += told ? flips : -flips;
}

/* Whether any is told after that. */
static bool set_path(struct out_member *member, uint32_t net, uint32_t path_id, bool told)
{
	uint32_t ids[OUT_PATHS_MAX];
	bool known = out_member_told_path(member, net, path_id);

	for (unsigned int i = 0; i < member->paths && known != told; i++) {
		uint32_t *id = &ids_of(member, net)[i];

		if (*id != (told ? 0 : path_id))
			continue;
		*id = told ? path_id : 0;
		break;
	}
	return told || out_member_told_paths(member, net, ids);
}

void out_member_set_told(struct out_member *member, uint32_t net, uint32_t path_id, bool told)
{
	if (member->paths)
		told = set_path(member, net, path_id, told);
	if (out_member_told(member, net) != told)
		set_bit(member, net, told);
}

void out_member_set_refs_told(struct out_member *member, const struct out_ref *refs, size_t n,
			      bool told)
{
	for (size_t i = 0; i < n; i++) {
		if (member->paths)
			out_member_set_told(member, refs[i].net, refs[i].path_id, told);
		else
			set_bit(member, refs[i].net, told);
	}
}

void out_member_set_all_told(struct out_member *member, const uint32_t *nets, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		set_bit(member, nets[i], true);
}

size_t adj_rib_out_memory(const struct adj_rib_out *out)
{
	size_t size = ((size_t)out->cap + out->place_cap) * sizeof(uint32_t) +
		      out->member_cap * sizeof(*out->members);

	for (uint32_t i = 0; i < out->n_members; i++) {
		const struct out_member *member = out->members[i];

		size += sizeof(*member) + member->told_cap * sizeof(*member->told) +
			member->told_cap * 64 * member->paths * sizeof(*member->path_ids) +
			(member->left ? OUT_WINDOW * sizeof(*member->left) : 0);
	}
	return size;
}
