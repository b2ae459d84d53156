/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The latest changes of selection of one vnet: what a prefix led to before and after, when, and why. A ring
 * of JOURNAL_KEPT entries, so that it costs the same whatever happens. Time is an argument; no I/O.
 */
#ifndef XRS_AGENT_JOURNAL_H
#define XRS_AGENT_JOURNAL_H

#include "rib/rib.h"

#define JOURNAL_KEPT 8192
#define JOURNAL_HOPS 4 /* next hops of one side that are kept by address; more are counted */

struct journal_hops {
	uint8_t n; /* of the group; 0: nothing was selected */
	struct ip_addr hop[JOURNAL_HOPS];
};
struct journal_entry { /* what is always written stands together */
	uint64_t seq;  /* from 1 */
	uint64_t wall_usec;
	enum rib_cause cause;
	enum decision_step step; /* at which the best of the others lost */
	struct ip_prefix prefix;
	struct ip_addr peer; /* whose doing it was, or IP_NONE */
	struct journal_hops to, from;
};

struct journal;
struct journal *journal_new(void); /* NULL: out of memory */
void journal_free(struct journal *journal);
/* The entry to fill; it stands in the ring with its number, in place of the oldest. */
struct journal_entry *journal_add(struct journal *journal);
uint64_t journal_last(const struct journal *journal);  /* number of the latest; 0: none */
uint64_t journal_first(const struct journal *journal); /* of the oldest that is kept */
/* NULL: it is not kept. */
const struct journal_entry *journal_get(const struct journal *journal, uint64_t seq);

/*
 * What @prefix led to at @wall_usec, as far as the ring knows: the last entry up to then, or the first one
 * after it (whose `from` it is). *ret_before says which. NULL: the prefix has no entry that tells.
 */
const struct journal_entry *journal_at(const struct journal *journal,
				       const struct ip_prefix *prefix, uint64_t wall_usec,
				       bool *ret_before);

#endif
