/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "Did you mean ...": the known word nearest to one that is not known, by edit distance (insert, delete,
 * replace, swap neighbours; case is free). Pure, allocates nothing.
 */
#ifndef XRS_UTIL_CLOSEST_H
#define XRS_UTIL_CLOSEST_H

#define CLOSEST_WORD_MAX 64 /* longer words have no near one */

struct closest {
	const char *word; /* borrowed */
	const char *best; /* borrowed from closest_offer() */
	unsigned int distance;
};

void closest_init(struct closest *closest, const char *word);
void closest_offer(struct closest *closest, const char *candidate);
/* NULL when no candidate is nearer than about a third of the word. The first of equals wins. */
const char *closest_best(const struct closest *closest);

#endif
