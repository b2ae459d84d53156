// SPDX-License-Identifier: GPL-2.0-only
/*
 * `xrsctl compare`: what two hosts selected. A peer that reaches only one of them, or is programmed on one
 * only, shows as prefixes that one has, or that lead elsewhere. Takes two answers of `route list -j` (any
 * view). Pure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The same elements in an order of their own. */
static json_t *sorted(const json_t *list)
{
	size_t n = json_array_size(list), i;
	char **texts = calloc(n + 1, sizeof(*texts));
	json_t *result = json_array();
	const json_t *item;

	json_array_foreach(list, i, item)
		texts[i] = json_dumps(item, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	qsort(texts, n, sizeof(*texts), compare_text);
	for (i = 0; i < n; i++) {
		json_array_append_new(result, json_loads(texts[i], JSON_DECODE_ANY, NULL));
		free(texts[i]);
	}
	free(texts);
	return result;
}

/* Appends the words of a value, lists by blanks. */
static void put_words(const json_t *value, char *text, size_t cap)
{
	size_t used = strlen(text), i;
	const json_t *item;

	if (json_is_string(value))
		snprintf(text + used, cap - used, "%s%s", used ? " " : "",
			 json_string_value(value));
	else if (json_is_integer(value))
		snprintf(text + used, cap - used, "%s%lld", used ? " " : "",
			 (long long)json_integer_value(value));
	json_array_foreach(value, i, item)
		put_words(item, text, cap);
}

/* What a prefix leads to in words: of a RIB next hop and AS_PATH, of a map type and next hops. */
static json_t *used(const json_t *row)
{
	const json_t *hops = json_object_get(row, "nextHopIpAddress");
	json_t *in_order = hops ? sorted(hops) : NULL;
	char text[1024] = "";

	put_words(json_object_get(row, hops ? "nextHopType" : "nextHop"), text, sizeof(text));
	put_words(in_order ? in_order : json_object_get(row, "asPath"), text, sizeof(text));
	json_decref(in_order);
	return json_string(text);
}

static bool is_used(const json_t *row)
{
	return json_object_get(row, "nextHopIpAddress") ||
	       json_is_true(json_object_get(row, "best")) ||
	       json_is_true(json_object_get(row, "multipath"));
}

/* Prefix -> what it leads to. NULL: it is no list of routes. */
static json_t *by_prefix(const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "value"), *row;
	json_t *table = json_object();
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *prefix = json_string_value(json_object_get(row, "prefix"));

		if (!prefix || !is_used(row))
			continue;
		if (!json_object_get(table, prefix))
			json_object_set_new(table, prefix, json_array());
		json_array_append_new(json_object_get(table, prefix), used(row));
	}
	if (json_is_array(rows))
		return table;
	json_decref(table);
	return NULL;
}

/* Appends what @a has and @b has not, or has otherwise (only once: with @both). */
static void compare_tables(const json_t *a, const json_t *b, const char *side, bool both,
			   json_t *differences, size_t *ret_same)
{
	const char *prefix;
	json_t *list;

	json_object_foreach((json_t *)a, prefix, list) {
		const json_t *other = json_object_get(b, prefix);
		json_t *x, *y;

		if (!other) {
			json_array_append_new(differences,
					      json_pack("{s:s,s:s,s:O,s:n}", "prefix", prefix,
							"difference", side, "here", list, "there"));
			continue;
		}
		if (!both)
			continue;
		x = sorted(list);
		y = sorted(other);
		if (json_equal(x, y))
			(*ret_same)++;
		else
			json_array_append_new(differences,
					      json_pack("{s:s,s:s,s:O,s:O}", "prefix", prefix,
							"difference", "leads elsewhere", "here", x,
							"there", y));
		json_decref(x);
		json_decref(y);
	}
}

json_t *ctl_compare(const json_t *a, const json_t *b, char text[static CTL_TEXT])
{
	json_t *x = by_prefix(a), *y = by_prefix(b), *differences = json_array(), *result = NULL;
	size_t same = 0;

	if (x && y) {
		compare_tables(x, y, "only in the first", true, differences, &same);
		compare_tables(y, x, "only in the second", false, differences, &same);
		result = json_pack("{s:I,s:O}", "same", (json_int_t)same, "value", differences);
	} else {
		snprintf(text, CTL_TEXT, "the %s file is no answer of 'xrsctl -j route list'",
			 x ? "second" : "first");
	}
	json_decref(x);
	json_decref(y);
	json_decref(differences);
	return result;
}
