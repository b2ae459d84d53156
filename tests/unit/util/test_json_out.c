// SPDX-License-Identifier: GPL-2.0-only
/* The JSON writer; what it wrote is read back with jansson, which refuses all that is not valid. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_out.h"

static struct json_out out;

static void setup(void)
{
	json_out_init(&out);
}

static void teardown(void)
{
	json_out_done(&out);
}

TestSuite(json_out, .init = setup, .fini = teardown);

static void assert_written(const char *want)
{
	cr_assert_not(out.failed);
	cr_assert_eq(out.len, strlen(want), "got %.*s", (int)out.len, out.data);
	cr_assert_arr_eq(out.data, want, out.len, "got %.*s", (int)out.len, out.data);
}

/* The string that a reader gets for these octets. */
static void assert_string(const char *value, size_t len, const char *want, size_t want_len)
{
	json_t *root, *text;

	json_out_consume(&out, out.len);
	json_out_begin_array(&out, NULL);
	json_out_string_n(&out, NULL, value, len);
	json_out_end_array(&out);
	cr_assert_not(out.failed);
	root = json_loadb(out.data, out.len, JSON_ALLOW_NUL, NULL);
	cr_assert_not_null(root, "not JSON: %.*s", (int)out.len, out.data);
	text = json_array_get(root, 0);
	cr_assert_eq(json_string_length(text), want_len, "%.*s", (int)out.len, out.data);
	cr_assert(!memcmp(json_string_value(text), want, want_len), "%.*s", (int)out.len, out.data);
	json_decref(root);
}

Test(json_out, empty_object_and_array)
{
	json_out_begin_object(&out, NULL);
	json_out_begin_array(&out, "a");
	json_out_end_array(&out);
	json_out_begin_object(&out, "o");
	json_out_end_object(&out);
	json_out_end_object(&out);
	assert_written("{\"a\":[],\"o\":{}}");
}

Test(json_out, commas_between_members_only)
{
	json_out_begin_array(&out, NULL);
	json_out_uint(&out, NULL, 1);
	json_out_begin_object(&out, NULL);
	json_out_bool(&out, "t", true);
	json_out_bool(&out, "f", false);
	json_out_null(&out, "n");
	json_out_end_object(&out);
	json_out_begin_array(&out, NULL);
	json_out_end_array(&out);
	json_out_int(&out, NULL, -2);
	json_out_end_array(&out);
	assert_written("[1,{\"t\":true,\"f\":false,\"n\":null},[],-2]");
}

Test(json_out, documents_at_the_top_are_not_separated)
{
	for (unsigned int i = 0; i < 2; i++) {
		json_out_begin_object(&out, NULL);
		json_out_uint(&out, "i", i);
		json_out_end_object(&out);
		json_out_put_char(&out, '\n');
	}
	assert_written("{\"i\":0}\n{\"i\":1}\n");
}

Test(json_out, numbers)
{
	static const uint64_t values[] = { 0,         1,          9,     10,    11,
					   99,        100,        101,   999,   1000,
					   65535,     4294967295, 10000, 12345, 1000000007ULL,
					   UINT64_MAX };
	char want[64];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		json_out_consume(&out, out.len);
		json_out_uint(&out, NULL, values[i]);
		snprintf(want, sizeof(want), "%llu", (unsigned long long)values[i]);
		assert_written(want);
	}
}

Test(json_out, signed_numbers)
{
	static const int64_t values[] = { 0, -1, -9, -10, -99, -100, 7, INT64_MAX, INT64_MIN };
	char want[64];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		json_out_consume(&out, out.len);
		json_out_int(&out, NULL, values[i]);
		snprintf(want, sizeof(want), "%lld", (long long)values[i]);
		assert_written(want);
	}
}

Test(json_out, doubles_read_back_the_same)
{
	static const double values[] = { 0.0, 0.1, 1.0 / 3, -2.5, 1e300, 5e-324, 123456789.125 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char text[64] = "";

		json_out_consume(&out, out.len);
		json_out_double(&out, NULL, values[i]);
		memcpy(text, out.data, out.len);
		cr_assert_eq(strtod(text, NULL), values[i], "%s", text);
	}
	json_out_consume(&out, out.len);
	json_out_double(&out, NULL, 0.1);
	assert_written("0.1");
}

Test(json_out, no_nan_and_no_infinity)
{
	json_out_begin_array(&out, NULL);
	json_out_double(&out, NULL, NAN);
	json_out_double(&out, NULL, INFINITY);
	json_out_double(&out, NULL, -INFINITY);
	json_out_end_array(&out);
	assert_written("[null,null,null]");
}

Test(json_out, decimal_point_in_any_locale)
{
	if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
		setlocale(LC_NUMERIC, "C");
	json_out_double(&out, NULL, 2.5);
	assert_written("2.5");
}

Test(json_out, string_escapes)
{
	json_out_string(&out, NULL, "a\"b\\c/d\b\f\n\r\t\x01\x1f\x7f");
	assert_written("\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
}

Test(json_out, every_ascii_octet_reads_back)
{
	for (int c = 0; c < 0x80; c++) {
		char text[3] = { 'x', (char)c, 'y' };

		assert_string(text, 3, text, 3);
	}
}

Test(json_out, keys_are_escaped)
{
	json_out_begin_object(&out, NULL);
	json_out_uint(&out, "a\"\n\xff", 1);
	json_out_end_object(&out);
	assert_written("{\"a\\\"\\n\xef\xbf\xbd\":1}");
}

Test(json_out, null_string_is_null)
{
	json_out_string(&out, NULL, NULL);
	assert_written("null");
}

Test(json_out, empty_string)
{
	json_out_string_n(&out, NULL, NULL, 0);
	assert_written("\"\"");
}

Test(json_out, good_utf8_is_kept)
{
	static const char *const good[] = {
		"\xc2\x80",           "\xdf\xbf",       "\xe0\xa0\x80",     "\xed\x9f\xbf",
		"\xee\x80\x80",       "\xef\xbf\xbf",   "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
		"gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac 5", "\xf0\x9f\x90\xa7",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_string(good[i], strlen(good[i]), good[i], strlen(good[i]));
}

#define BAD "\xef\xbf\xbd"

/* RFC 3629: each octet that is no part of a character becomes one U+FFFD. */
Test(json_out, bad_utf8_is_replaced)
{
	static const char *const cases[][2] = {
		{ "\x80", BAD },                            /* continuation alone */
		{ "\xff", BAD },                            /* never an octet of UTF-8 */
		{ "a\xc3", "a" BAD },                       /* cut off at the end */
		{ "\xc3(", BAD "(" },                       /* second octet wrong */
		{ "\xc0\xaf", BAD BAD },                    /* overlong '/' */
		{ "\xe0\x80\xaf", BAD BAD BAD },            /* overlong in three */
		{ "\xed\xa0\x80", BAD BAD BAD },            /* surrogate */
		{ "\xf4\x90\x80\x80", BAD BAD BAD BAD },    /* above U+10FFFF */
		{ "\xf0\x80\x80\x80", BAD BAD BAD BAD },    /* overlong in four */
		{ "\xe2\x82", BAD BAD },                    /* three octets, two there */
		{ "\xe2\x82x", BAD BAD "x" },               /* and followed by another */
		{ "\xf0\x9f\x90", BAD BAD BAD },            /* four octets, three there */
		{ "\xe2\x82\xac\xac", "\xe2\x82\xac" BAD }, /* one too many */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string(cases[i][0], strlen(cases[i][0]), cases[i][1], strlen(cases[i][1]));
}

Test(json_out, length_bounds_the_character)
{
	/* The rest of the character lies behind the end and must not be read. */
	assert_string("\xe2\x82\xac", 2, BAD BAD, 6);
}

Test(json_out, random_octets_are_always_valid)
{
	srand(3);
	for (int i = 0; i < 3000; i++) {
		char text[40];
		json_t *root;

		for (size_t j = 0; j < sizeof(text); j++)
			text[j] = (char)(rand() % 3 ? rand() : 0x80 + rand() % 0x40);
		json_out_consume(&out, out.len);
		json_out_begin_object(&out, NULL);
		json_out_string_n(&out, "k", text, (size_t)rand() % sizeof(text));
		json_out_end_object(&out);
		root = json_loadb(out.data, out.len, JSON_ALLOW_NUL, NULL);
		cr_assert_not_null(root, "seed 3, input %d", i);
		json_decref(root);
	}
}

Test(json_out, formatted_string)
{
	json_out_stringf(&out, NULL, "%s/%d \"%c\"", "10.0.0.0", 8, '\n');
	assert_written("\"10.0.0.0/8 \\\"\\n\\\"\"");
}

Test(json_out, long_formatted_string)
{
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	json_out_stringf(&out, NULL, "%s!", text);
	cr_assert_eq(out.len, 999 + 1 + 2);
	cr_assert_eq(out.data[1000], '!');
}

Test(json_out, raw_value)
{
	json_out_begin_object(&out, NULL);
	json_out_raw(&out, "id", "\"abc\"", 5);
	json_out_raw(&out, "n", "1", 1);
	json_out_end_object(&out);
	assert_written("{\"id\":\"abc\",\"n\":1}");
}

Test(json_out, consume_in_part_keeps_the_rest_and_the_nesting)
{
	json_out_begin_array(&out, NULL);
	json_out_uint(&out, NULL, 1);
	json_out_consume(&out, 1);
	assert_written("1");
	json_out_consume(&out, 100);
	cr_assert_eq(out.len, 0);
	json_out_uint(&out, NULL, 2);
	json_out_end_array(&out);
	assert_written(",2]");
}

Test(json_out, too_deep_fails)
{
	for (unsigned int i = 0; i + 1 < JSON_DEPTH_MAX; i++)
		json_out_begin_array(&out, NULL);
	cr_assert_not(out.failed);
	json_out_begin_array(&out, NULL);
	cr_assert(out.failed);
}

Test(json_out, errors_are_sticky)
{
	size_t len;

	json_out_begin_array(&out, NULL);
	json_out_end_array(&out);
	json_out_end_array(&out);
	cr_assert(out.failed, "more ends than beginnings");
	len = out.len;
	json_out_uint(&out, NULL, 5);
	json_out_string(&out, NULL, "x");
	json_out_begin_object(&out, NULL);
	json_out_put_char(&out, '\n');
	cr_assert_eq(out.len, len);
}

Test(json_out, large_document)
{
	json_t *root;

	json_out_begin_array(&out, NULL);
	for (unsigned int i = 0; i < 50000; i++) {
		json_out_begin_object(&out, NULL);
		json_out_stringf(&out, "network", "10.%u.%u.0/24", i >> 8 & 0xff, i & 0xff);
		json_out_uint(&out, "weight", i);
		json_out_end_object(&out);
	}
	json_out_end_array(&out);
	cr_assert_not(out.failed);
	root = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_eq(json_array_size(root), 50000);
	json_decref(root);
}

Test(json_out, done_leaves_it_usable)
{
	json_out_uint(&out, NULL, 1);
	json_out_done(&out);
	json_out_uint(&out, NULL, 2);
	assert_written("2");
}

Test(json_out, a_string_in_pieces)
{
	json_out_begin_object(&out, NULL);
	json_out_begin_string(&out, "a");
	json_out_add_string(&out, "one \"", 5);
	json_out_add_string(&out, "", 0);
	json_out_add_string(&out, "\ntwo", 4);
	json_out_end_string(&out);
	json_out_uint(&out, "b", 1);
	json_out_end_object(&out);
	assert_written("{\"a\":\"one \\\"\\ntwo\",\"b\":1}");
}
