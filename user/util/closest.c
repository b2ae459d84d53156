// SPDX-License-Identifier: GPL-2.0-only
/*
 * Suggestions for mistyped words. The configuration, the API and xrsctl call it when they refuse a
 * name. It must stay bounded: a word comes from a client.
 */
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "util/closest.h"

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment distance; three rows of the matrix are enough. */
static unsigned int distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned int rows[3][CLOSEST_WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned int *now = rows[i % 3], *before = rows[(i + 2) % 3];
		const unsigned int *two_before = rows[(i + 1) % 3];

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned int replace = before[j - 1] + !same(a[i - 1], b[j - 1]);

			now[j] = min3(before[j] + 1, now[j - 1] + 1, replace);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				now[j] = min3(now[j], two_before[j - 2] + 1, now[j]);
		}
	}
	return rows[a_len % 3][b_len];
}

void closest_init(struct closest *closest, const char *word)
{
	*closest = (struct closest){ .word = word, .distance = UINT_MAX };
}

void closest_offer(struct closest *closest, const char *candidate)
{
	size_t a = strlen(closest->word), b = strlen(candidate);
	unsigned int d;

	if (a > CLOSEST_WORD_MAX || b > CLOSEST_WORD_MAX)
		return;
	d = distance(closest->word, a, candidate, b);
	if (d < closest->distance) {
		closest->distance = d;
		closest->best = candidate;
	}
}

const char *closest_best(const struct closest *closest)
{
	if (!closest->best || closest->distance > (strlen(closest->word) + 2) / 3)
		return NULL;
	return closest->best;
}
