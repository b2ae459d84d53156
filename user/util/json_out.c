// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one writer of JSON (RFC 8259). user/api and user/agent call it for answers, events and saved
 * configuration. It does no I/O and must never produce anything but valid JSON and valid UTF-8,
 * whatever octets a peer put into a string.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_out.h"

#define JSON_MIN_CAP 512

void json_out_init(struct json_out *out)
{
	*out = (struct json_out){ .first = { true } };
}

void json_out_done(struct json_out *out)
{
	free(out->data);
	json_out_init(out);
}

void json_out_consume(struct json_out *out, size_t n)
{
	if (n >= out->len) {
		out->len = 0;
		return;
	}
	memmove(out->data, out->data + n, out->len - n);
	out->len -= n;
}

static bool grow(struct json_out *out, size_t n)
{
	size_t cap = out->cap ? out->cap : JSON_MIN_CAP;
	char *data;

	while (cap - out->len < n && cap <= SIZE_MAX / 2)
		cap *= 2;
	data = cap - out->len < n ? NULL : realloc(out->data, cap);
	if (!data) {
		out->failed = true;
		return false;
	}
	out->data = data;
	out->cap = cap;
	return true;
}

/* Room for @n octets at the end, or NULL once anything has failed. The caller adds to `len`. */
static char *room(struct json_out *out, size_t n)
{
	if (out->failed || (out->cap - out->len < n && !grow(out, n)))
		return NULL;
	return out->data + out->len;
}

static void put(struct json_out *out, const char *text, size_t len)
{
	char *at = len ? room(out, len) : NULL;

	if (!at)
		return;
	memcpy(at, text, len);
	out->len += len;
}

void json_out_put_char(struct json_out *out, char c)
{
	put(out, &c, 1);
}

/*
 * Octets of the UTF-8 character that starts at @text (first octet above 0x7f), or 0 when it is not
 * well-formed: RFC 3629 section 4, so no surrogates, no overlong forms, nothing above U+10FFFF.
 */
static size_t utf8_length(const unsigned char *text, size_t left)
{
	static const struct {
		unsigned char first_low, first_high, second_low, second_high, length;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (text[0] < forms[i].first_low || text[0] > forms[i].first_high)
			continue;
		if (left < forms[i].length || text[1] < forms[i].second_low ||
		    text[1] > forms[i].second_high)
			return 0;
		for (size_t j = 2; j < forms[i].length; j++) {
			if ((text[j] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].length;
	}
	return 0;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void put_escaped_char(struct json_out *out, unsigned char c)
{
	static const char short_form[0x60] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n',  ['\r'] = 'r',
		['\t'] = 't', ['"'] = '"',  ['\\'] = '\\',
	};
	char text[8];

	if (c < sizeof(short_form) && short_form[c]) {
		text[0] = '\\';
		text[1] = short_form[c];
		put(out, text, 2);
		return;
	}
	put(out, text, (size_t)snprintf(text, sizeof(text), "\\u%04x", c));
}

static void put_escaped(struct json_out *out, const char *value, size_t len)
{
	const unsigned char *text = (const unsigned char *)value;
	size_t i = 0;

	while (i < len && !out->failed) {
		size_t from = i;
		size_t wide = 0;

		while (i < len && (is_plain(text[i]) ||
				   (text[i] > 0x7f && (wide = utf8_length(text + i, len - i)))))
			i += text[i] > 0x7f ? wide : 1;
		put(out, value + from, i - from);
		if (i == len)
			break;
		if (text[i] > 0x7f)
			put(out, "\xef\xbf\xbd", 3); /* U+FFFD */
		else
			put_escaped_char(out, text[i]);
		i++;
	}
}

static void put_quoted(struct json_out *out, const char *value, size_t len)
{
	json_out_put_char(out, '"');
	put_escaped(out, value, len);
	json_out_put_char(out, '"');
}

/* The comma and the key that come before a value; values at the top are not separated. */
static void begin_value(struct json_out *out, const char *key)
{
	if (out->depth && !out->first[out->depth])
		json_out_put_char(out, ',');
	out->first[out->depth] = false;
	if (!key)
		return;
	put_quoted(out, key, strlen(key));
	json_out_put_char(out, ':');
}

static void begin(struct json_out *out, const char *key, char bracket)
{
	if (out->depth + 1 >= JSON_DEPTH_MAX)
		out->failed = true;
	if (out->failed)
		return;
	begin_value(out, key);
	json_out_put_char(out, bracket);
	out->first[++out->depth] = true;
}

static void end(struct json_out *out, char bracket)
{
	if (!out->depth)
		out->failed = true;
	if (out->failed)
		return;
	json_out_put_char(out, bracket);
	out->depth--;
}

void json_out_begin_object(struct json_out *out, const char *key)
{
	begin(out, key, '{');
}

void json_out_end_object(struct json_out *out)
{
	end(out, '}');
}

void json_out_begin_array(struct json_out *out, const char *key)
{
	begin(out, key, '[');
}

void json_out_end_array(struct json_out *out)
{
	end(out, ']');
}

void json_out_string(struct json_out *out, const char *key, const char *value)
{
	if (value)
		json_out_string_n(out, key, value, strlen(value));
	else
		json_out_null(out, key);
}

void json_out_string_n(struct json_out *out, const char *key, const char *value, size_t len)
{
	begin_value(out, key);
	put_quoted(out, value, len);
}

void json_out_begin_string(struct json_out *out, const char *key)
{
	begin_value(out, key);
	json_out_put_char(out, '"');
}

void json_out_add_string(struct json_out *out, const char *text, size_t len)
{
	put_escaped(out, text, len);
}

void json_out_end_string(struct json_out *out)
{
	json_out_put_char(out, '"');
}

void json_out_stringf(struct json_out *out, const char *key, const char *format, ...)
{
	char small[256];
	char *large = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (len >= (int)sizeof(small)) {
		va_start(args, format);
		len = vasprintf(&large, format, args);
		va_end(args);
	}
	if (len < 0)
		out->failed = true;
	else
		json_out_string_n(out, key, large ? large : small, (size_t)len);
	if (len >= 0)
		free(large);
}

/* Numbers are most of a route dump: two digits a step, no printf. */
static void put_decimal(struct json_out *out, uint64_t value, bool negative)
{
	char digits[24];
	char *at = digits + sizeof(digits);

	while (value >= 100) {
		unsigned int pair = (unsigned int)(value % 100);

		value /= 100;
		*--at = (char)('0' + pair % 10);
		*--at = (char)('0' + pair / 10);
	}
	if (value >= 10) {
		*--at = (char)('0' + value % 10);
		value /= 10;
	}
	*--at = (char)('0' + value);
	if (negative)
		*--at = '-';
	put(out, at, (size_t)(digits + sizeof(digits) - at));
}

void json_out_uint(struct json_out *out, const char *key, uint64_t value)
{
	begin_value(out, key);
	put_decimal(out, value, false);
}

void json_out_int(struct json_out *out, const char *key, int64_t value)
{
	begin_value(out, key);
	put_decimal(out, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
}

/* The shortest of two precisions that reads back as the same number; JSON has no NaN, no infinity. */
void json_out_double(struct json_out *out, const char *key, double value)
{
	char text[32];
	char *comma;

	if (!isfinite(value)) {
		json_out_null(out, key);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.17g", value);
	comma = strchr(text, ','); /* the decimal point of some locales */
	if (comma)
		*comma = '.';
	json_out_raw(out, key, text, strlen(text));
}

void json_out_bool(struct json_out *out, const char *key, bool value)
{
	json_out_raw(out, key, value ? "true" : "false", value ? 4 : 5);
}

void json_out_null(struct json_out *out, const char *key)
{
	json_out_raw(out, key, "null", 4);
}

void json_out_raw(struct json_out *out, const char *key, const char *value, size_t len)
{
	begin_value(out, key);
	put(out, value, len);
}
