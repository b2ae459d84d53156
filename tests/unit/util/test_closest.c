// SPDX-License-Identifier: GPL-2.0-only
/* Suggestions: near words are found, far ones are not, long ones do no harm. */
#include <criterion/criterion.h>
#include <string.h>

#include "util/closest.h"

static const char *closest_of(const char *word, const char *const *words)
{
	struct closest closest;

	closest_init(&closest, word);
	for (; *words; words++)
		closest_offer(&closest, *words);
	return closest_best(&closest);
}

Test(closest, finds_what_was_meant)
{
	static const char *const words[] = { "peerAsn", "peerIp", "port", "passive", NULL };

	cr_assert_str_eq(closest_of("peerAns", words), "peerAsn", "swapped");
	cr_assert_str_eq(closest_of("peerASN", words), "peerAsn", "case");
	cr_assert_str_eq(closest_of("prt", words), "port", "missing");
	cr_assert_str_eq(closest_of("passsive", words), "passive", "doubled");
	cr_assert_str_eq(closest_of("posive", words), "passive", "two errors of seven");
}

Test(closest, says_nothing_when_nothing_is_near)
{
	static const char *const words[] = { "peerAsn", "port", NULL };

	cr_assert_null(closest_of("gateway", words));
	cr_assert_null(closest_of("", words));
	cr_assert_null(closest_of("x", (const char *const[]){ NULL }));
}

Test(closest, long_words_are_bounded)
{
	char word[2 * CLOSEST_WORD_MAX];
	const char *words[] = { word, "port", NULL };

	memset(word, 'a', sizeof(word));
	word[sizeof(word) - 1] = 0;
	cr_assert_null(closest_of(word, words));
	word[CLOSEST_WORD_MAX] = 0;
	cr_assert_str_eq(closest_of(word, words), word);
}
