// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers as text: tables with columns as wide as their widest cell, and single objects member by
 * member. Called by main.c and status.c; pure. Cells may come from a BGP peer: control characters never
 * reach the terminal.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"

#define COLUMNS_MAX 16
#define CELL_MAX    512

void ctl_put(struct json_out *out, const char *format, ...)
{
	char small[1024], *text = small;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (n >= (int)sizeof(small)) {
		va_start(args, format);
		n = vasprintf(&text, format, args);
		va_end(args);
		if (n < 0) {
			out->failed = true;
			return;
		}
	}
	for (int i = 0; i < n; i++)
		json_out_put_char(out, text[i]);
	if (text != small)
		free(text);
}

/* --- UTF-8 --------------------------------------------------------------------------------------- */

/* One character of valid UTF-8 (jansson gives no other). */
static uint32_t next_char(const unsigned char **at)
{
	const unsigned char *c = *at;
	unsigned int more = *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc0 ? 1 : 0;
	uint32_t value = more ? *c & (0x3fu >> more) : *c;

	for (c++; more && (*c & 0xc0) == 0x80; more--)
		value = value << 6 | (*c++ & 0x3f);
	*at = c;
	return value;
}

static unsigned int char_width(uint32_t c)
{
	/* Combining marks, zero-width and direction marks take no column; wide East Asian and emoji two. */
	if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0xfe00 && c <= 0xfe0f))
		return 0;
	if ((c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
	    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	    (c >= 0xff00 && c <= 0xff60) || (c >= 0x1f300 && c <= 0x1faff))
		return 2;
	return 1;
}

size_t ctl_width(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t width = 0;

	while (*at)
		width += char_width(next_char(&at));
	return width;
}

/* Control characters, also the C1 ones, and direction overrides become '?'. */
static bool is_hostile(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static void append_clean(char *cell, size_t cap, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t used = strlen(cell);

	while (*at && used + 5 < cap) {
		const unsigned char *from = at;

		if (is_hostile(next_char(&at))) {
			cell[used++] = '?';
			continue;
		}
		memcpy(cell + used, from, (size_t)(at - from));
		used += (size_t)(at - from);
	}
	cell[used] = 0;
}

/* --- cells ------------------------------------------------------------------------------------------ */

static void format_value(const json_t *value, const char *separator, char *cell, size_t cap);

static void format_list(const json_t *list, const char *separator, char *cell, size_t cap)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		size_t used = strlen(cell);

		if (i && used + strlen(separator) + 1 < cap)
			strcat(cell, separator);
		if (json_is_array(item) && strlen(cell) + 3 < cap) /* an AS_SET in an AS_PATH */
			strcat(cell, "{");
		format_value(item, " ", cell, cap);
		if (json_is_array(item) && strlen(cell) + 3 < cap)
			strcat(cell, "}");
	}
}

/* Appends. */
static void format_value(const json_t *value, const char *separator, char *cell, size_t cap)
{
	size_t used = strlen(cell);
	char *text;

	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		append_clean(cell, cap, json_string_value(value));
		break;
	case JSON_ARRAY:
		format_list(value, separator, cell, cap);
		break;
	case JSON_OBJECT:
		if (json_object_size(value) == 0)
			break;
		text = json_dumps(value, JSON_COMPACT);
		append_clean(cell, cap, text ? text : "");
		free(text);
		break;
	case JSON_INTEGER:
		snprintf(cell + used, cap - used, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(cell + used, cap - used, "%g", json_real_value(value));
		break;
	case JSON_NULL:
		break;
	default:
		snprintf(cell + used, cap - used, "%s", json_is_true(value) ? "yes" : "no");
		break;
	}
}

static void format_since(const json_t *value, uint64_t now_usec, char *cell, size_t cap)
{
	const char *text = json_string_value(value);
	struct tm tm = { .tm_sec = 0 };
	uint64_t then, s;

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	then = (uint64_t)timegm(&tm);
	s = now_usec / 1000000 > then ? now_usec / 1000000 - then : 0;
	if (s < 60)
		snprintf(cell, cap, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(cell, cap, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(cell, cap, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(cell, cap, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
}

/* From whom, to whom: the peerings, or the addresses of those that are none, or what else is done. */
static void format_hops(const json_t *value, char *cell, size_t cap)
{
	const json_t *peerings = json_object_get(value, "peering"), *peering;
	const json_t *addresses = json_object_get(value, "nextHopIpAddress");
	size_t i;

	json_array_foreach(peerings, i, peering) {
		if (i && strlen(cell) + 3 < cap)
			strcat(cell, ", ");
		format_value(json_is_string(peering) ? peering : json_array_get(addresses, i), "",
			     cell, cap);
	}
	if (!*cell)
		format_value(json_object_get(value, "nextHopType"), "", cell, cap);
}

static void format_policy(const json_t *value, char *cell, size_t cap)
{
	const char *name = json_string_value(json_object_get(value, "ruleName"));

	if (!json_is_object(value))
		return;
	format_value(json_object_get(value, "routeMap"), "", cell, cap);
	snprintf(cell + strlen(cell), cap - strlen(cell), "[%lld]%s",
		 (long long)json_integer_value(json_object_get(value, "rule")),
		 name && *name ? " " : "");
	append_clean(cell, cap, name ? name : "");
	if (strlen(cell) + 3 < cap)
		strcat(cell, ": ");
	format_value(json_object_get(value, "effect"), "", cell, cap);
}

static void format_cell(const struct ctl_column *column, const json_t *row, uint64_t now_usec,
			char cell[static CELL_MAX])
{
	const json_t *value = json_object_get(row, column->key);

	cell[0] = 0;
	if (column->cell == CTL_SINCE)
		format_since(value, now_usec, cell, CELL_MAX);
	else if (column->cell == CTL_POLICY)
		format_policy(value, cell, CELL_MAX);
	else if (column->cell == CTL_HOPS)
		format_hops(value, cell, CELL_MAX);
	else if (column->cell == CTL_FLAG)
		snprintf(cell, CELL_MAX, "%s", json_is_true(value) ? "yes" : "");
	else
		format_value(value, column->cell == CTL_SPACED ? " " : ", ", cell, CELL_MAX);
	if (!*cell)
		strcpy(cell, "-");
}

/* --- tables ------------------------------------------------------------------------------------------ */

/* A column that no row has is left out: views of one list differ in their members. */
static unsigned int measure(const struct ctl_column *columns, const json_t *rows, bool no_header,
			    uint64_t now_usec, size_t widths[static COLUMNS_MAX])
{
	char cell[CELL_MAX];
	const json_t *row;
	unsigned int n = 0;
	size_t r;

	for (; n < COLUMNS_MAX && columns[n].title; n++) {
		bool present = json_array_size(rows) == 0;

		widths[n] = no_header ? 1 : strlen(columns[n].title);
		json_array_foreach(rows, r, row) {
			size_t width;

			present |= json_object_get(row, columns[n].key) != NULL;
			format_cell(&columns[n], row, now_usec, cell);
			width = ctl_width(cell);
			widths[n] = width > widths[n] ? width : widths[n];
		}
		if (!present)
			widths[n] = 0;
	}
	return n;
}

static void put_padded(struct json_out *out, const char *text, size_t width, bool last)
{
	size_t have = ctl_width(text);

	ctl_put(out, "%s", text);
	for (; !last && have < width + 2; have++)
		json_out_put_char(out, ' ');
}

static unsigned int last_shown(const size_t *widths, unsigned int n)
{
	unsigned int last = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (widths[i])
			last = i;
	}
	return last;
}

void ctl_print_table(const struct ctl_column *columns, const json_t *rows, bool no_header,
		     uint64_t now_usec, struct json_out *out)
{
	size_t widths[COLUMNS_MAX];
	unsigned int n = measure(columns, rows, no_header, now_usec, widths);
	unsigned int last = last_shown(widths, n);
	char cell[CELL_MAX];
	const json_t *row;
	size_t r;

	for (unsigned int i = 0; i < n && !no_header; i++) {
		if (widths[i])
			put_padded(out, columns[i].title, widths[i], i == last);
	}
	if (!no_header)
		json_out_put_char(out, '\n');
	json_array_foreach(rows, r, row) {
		for (unsigned int i = 0; i < n; i++) {
			format_cell(&columns[i], row, now_usec, cell);
			if (widths[i])
				put_padded(out, cell, widths[i], i == last);
		}
		json_out_put_char(out, '\n');
	}
}

/* --- one object --------------------------------------------------------------------------------------- */

static void print_members(const json_t *object, unsigned int depth, struct json_out *out)
{
	char cell[4 * CELL_MAX];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		const json_t *item;
		size_t i;

		if (json_is_object(value) && depth < 4) {
			ctl_put(out, "%*s%s:\n", (int)(2 * depth), "", key);
			print_members(value, depth + 1, out);
			continue;
		}
		if (json_is_object(json_array_get(value, 0)) && depth < 4) {
			json_array_foreach(value, i, item) {
				ctl_put(out, "%*s%s[%zu]:\n", (int)(2 * depth), "", key, i);
				print_members(item, depth + 1, out);
			}
			continue;
		}
		cell[0] = 0;
		format_value(value, strcmp(key, "asPath") == 0 ? " " : ", ", cell, sizeof(cell));
		ctl_put(out, "%*s%-*s %s\n", (int)(2 * depth), "", (int)(28 - 2 * depth), key,
			*cell ? cell : "-");
	}
}

/* What stands beside a list and is not the business of pages: the state, the verdict. */
static void print_beside(const json_t *result, const char *list, struct json_out *out)
{
	json_t *rest = json_copy((json_t *)result);

	json_object_del(rest, list);
	json_object_del(rest, "generation");
	if (json_is_null(json_object_get(rest, "nextCursor")))
		json_object_del(rest, "nextCursor");
	print_members(rest, 0, out);
	json_decref(rest);
}

void ctl_print_members(const json_t *object, struct json_out *out)
{
	print_members(object, 0, out);
}

void ctl_print_result(const struct ctl_command *command, const json_t *result, bool no_header,
		      uint64_t now_usec, struct json_out *out)
{
	const json_t *rows = command->list ? json_object_get(result, command->list) : NULL;
	json_t *one;

	if (!command->list) {
		print_members(result, 0, out);
		return;
	}
	if (*command->list) {
		ctl_print_table(command->columns, rows, no_header, now_usec, out);
		print_beside(result, command->list, out);
		return;
	}
	/* "": the result itself is the only row */
	one = json_pack("[O]", result);
	ctl_print_table(command->columns, one, no_header, now_usec, out);
	json_decref(one);
}

/* --- events ---------------------------------------------------------------------------------------------- */

/* "2026-01-31T12:00:00.123456Z peer.state peering=fw-a to=Established": members in the daemon's order. */
void ctl_print_event(const json_t *notification, struct json_out *out)
{
	const json_t *params = json_object_get(notification, "params");
	const json_t *data = json_object_get(params, "data");
	const char *time = json_string_value(json_object_get(params, "time"));
	const char *type = json_string_value(json_object_get(params, "type"));
	char cell[CELL_MAX];
	const char *key;
	json_t *value;

	if (!type) { /* monitor.lost */
		ctl_put(out, "%lld events were lost: this reader is too slow\n",
			(long long)json_integer_value(json_object_get(params, "count")));
		return;
	}
	ctl_put(out, "%s %s", time ? time : "-", type);
	json_object_foreach((json_t *)data, key, value) {
		cell[0] = 0;
		format_value(value, ",", cell, sizeof(cell));
		if (*cell)
			ctl_put(out, strpbrk(cell, " =") ? " %s=\"%s\"" : " %s=%s", key, cell);
	}
	ctl_put(out, "\n");
}
