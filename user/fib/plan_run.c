// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plan's pending routes in the order of their prefixes: the trie likes neighbours to come together. They
 * are sorted in runs, a bounded number at a time, so that the longest pause stays at a few milliseconds
 * however many are pending. Called by fib_plan.c. Must never give a route that is not pending any more.
 */
#include <endian.h>
#include <string.h>

#include "plan_impl.h"

static uint64_t load64(const uint8_t *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return be64toh(value);
}

static struct plan_run_entry entry_of(const struct plan_routes *routes, uint32_t id)
{
	struct ip_prefix prefix;

	prefix_table_read(routes->prefixes, id, &prefix);
	if (routes->family == IP_V4)
		return (struct plan_run_entry){ .high = (uint64_t)ip_to_v4(&prefix.addr) << 32,
						.id = id,
						.len = prefix.len };
	return (struct plan_run_entry){
		.high = load64(prefix.addr.bytes),
		.low = load64(prefix.addr.bytes + 8),
		.id = id,
		.len = prefix.len,
	};
}

/* --- radix sort: octet by octet, the last one first ------------------------------------------------ */

#define DIGITS 17 /* the length, then the address from its end */

static uint8_t digit(const struct plan_run_entry *entry, unsigned int n)
{
	if (n == 0)
		return entry->len;
	return (uint8_t)(n <= 8 ? entry->low >> 8 * (n - 1) : entry->high >> 8 * (n - 9));
}

/* Sorts by one octet and keeps the order of equal ones. False: all have the same, and nothing was done. */
static bool sort_by(const struct plan_run_entry *from, struct plan_run_entry *to, size_t n,
		    unsigned int which)
{
	uint32_t start[256] = { 0 }, sum = 0;

	for (size_t i = 0; i < n; i++)
		start[digit(&from[i], which)]++;
	if (start[digit(&from[0], which)] == n)
		return false;
	for (unsigned int i = 0; i < 256; i++) {
		uint32_t count = start[i];

		start[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[start[digit(&from[i], which)]++] = from[i];
	return true;
}

static void sort_run(struct plan_run *run)
{
	bool v6 = run->routes->family == IP_V6;

	for (unsigned int which = 0; which < DIGITS; which++) {
		unsigned int other = !run->half;

		/* IPv4 stands in the four octets at the top. */
		if (!v6 && which && which < DIGITS - 4)
			continue;
		if (sort_by(run->entries[run->half], run->entries[other], run->n, which))
			run->half = other;
	}
}

void plan_run_fill(struct plan_run *run)
{
	const struct plan_lists *lists = &run->routes->lists;
	uint32_t id = lists->head[run->list];

	run->n = run->at = 0;
	for (; id != PLAN_END && run->n < PLAN_RUN_MAX; id = plan_link(lists, id)->next)
		run->entries[run->half][run->n++] = entry_of(run->routes, id);
	if (run->n > 1)
		sort_run(run);
}

/* It may have changed since: it counts only if it is the same prefix in the same list. */
static bool still_due(const struct plan_run *run, const struct plan_run_entry *entry)
{
	struct plan_run_entry now;

	if (!prefix_table_has(run->routes->prefixes, entry->id) ||
	    plan_link(&run->routes->lists, entry->id)->list != run->list)
		return false;
	now = entry_of(run->routes, entry->id);
	return now.high == entry->high && now.low == entry->low && now.len == entry->len;
}

bool plan_run_next(struct plan_run *run, uint32_t *ret_id)
{
	while (run->at < run->n) {
		const struct plan_run_entry *entry = &run->entries[run->half][run->at++];

		if (still_due(run, entry)) {
			*ret_id = entry->id;
			return true;
		}
	}
	return false;
}
