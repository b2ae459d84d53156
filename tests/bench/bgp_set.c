// SPDX-License-Identifier: GPL-2.0-only
/* The set of prefixes that a receiver holds; see bgp_set.h. */
#include "bgp_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELETED 1
#define WORDS   ((1u << SET_CHUNK_BITS) / 64)

static void *need(void *memory)
{
	if (!memory) {
		perror("bench_bgp");
		exit(1);
	}
	return memory;
}

/* The word of a short prefix; NULL when it has none and @make is false. */
static uint64_t *word_of(struct prefix_set *set, uint32_t number, bool make)
{
	uint64_t **chunk = &set->chunks[number >> SET_CHUNK_BITS];

	if (!*chunk && make)
		*chunk = need(calloc(WORDS, sizeof(**chunk)));
	return *chunk ? *chunk + (number & ((1u << SET_CHUNK_BITS) - 1)) / 64 : NULL;
}

static uint32_t number_of(struct route route)
{
	uint32_t top = route.len ? route.addr >> (32 - route.len) : 0;

	return 1u << route.len | top;
}

/* --- beyond /24 ------------------------------------------------------------------------------ */

static uint64_t *longer_slot(const struct prefix_set *set, uint64_t key)
{
	size_t at = (key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & set->mask;

	while (set->longer[at] && set->longer[at] != key)
		at = (at + 1) & set->mask;
	return &set->longer[at];
}

static void longer_grow(struct prefix_set *set)
{
	uint64_t *old = set->longer;
	size_t n = old ? set->mask + 1 : 0;

	if (set->longer && (set->used + 1) * 2 <= set->mask + 1)
		return;
	set->mask = n ? 2 * n - 1 : 1023;
	set->longer = need(calloc(set->mask + 1, sizeof(*set->longer)));
	set->used = set->n_longer;
	for (size_t i = 0; i < n; i++) {
		if (old[i] > DELETED)
			*longer_slot(set, old[i]) = old[i];
	}
	free(old);
}

static bool change_longer(struct prefix_set *set, struct route route, bool add)
{
	uint64_t key = (uint64_t)route.addr << 8 | route.len;
	uint64_t *slot;

	longer_grow(set);
	slot = longer_slot(set, key);
	if ((*slot == key) == add)
		return false;
	*slot = add ? key : DELETED;
	set->n_longer += add ? 1 : (size_t)-1;
	set->used += add;
	return true;
}

static bool change(struct prefix_set *set, struct route route, bool add)
{
	uint32_t number = number_of(route);
	uint64_t *word, bit = UINT64_C(1) << (number & 63);

	if (route.len > 24)
		return change_longer(set, route, add);
	word = word_of(set, number, add);
	if (!word || !(*word & bit) == !add)
		return false;
	*word ^= bit;
	return true;
}

bool set_add(struct prefix_set *set, struct route route)
{
	bool changed = change(set, route, true);

	set->count += changed;
	return changed;
}

bool set_del(struct prefix_set *set, struct route route)
{
	bool changed = change(set, route, false);

	set->count -= changed;
	return changed;
}

void set_clear(struct prefix_set *set)
{
	for (unsigned int i = 0; i < SET_CHUNKS; i++)
		free(set->chunks[i]);
	free(set->longer);
	memset(set, 0, sizeof(*set));
}
