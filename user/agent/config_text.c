// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text side of the configuration: comments out, and from a path back to a line and column. The
 * JSON library forgets positions, so the text is walked a second time, but only when there is an
 * error to report. Called by config.c; pure. The walk must end for any text, well-formed or not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_schema.h"

#define LOCATE_DEPTH_MAX 64

/* The offset behind the string whose opening quote stands at @at. */
static size_t skip_string(const char *text, size_t len, size_t at)
{
	for (at++; at < len && text[at] != '"'; at++) {
		if (text[at] == '\\')
			at++;
	}
	return at < len ? at + 1 : len;
}

static size_t skip_line(const char *text, size_t len, size_t at)
{
	const char *end = memchr(text + at, '\n', len - at);

	return end ? (size_t)(end - text) : len;
}

/* The offset behind the block comment that begins at @at, or SIZE_MAX when it has no end. */
static size_t skip_block(const char *text, size_t len, size_t at)
{
	const char *end = memmem(text + at + 2, len - at - 2, "*/", 2);

	return end ? (size_t)(end - text) + 2 : SIZE_MAX;
}

static void blank(char *text, size_t from, size_t to)
{
	for (; from < to; from++) {
		if (text[from] != '\n')
			text[from] = ' ';
	}
}

int config_blank_comments(char *text, size_t len, size_t *ret_offset)
{
	for (size_t at = 0, end; at < len; at = end) {
		char next = at + 1 < len ? text[at + 1] : 0;

		end = at + 1;
		if (text[at] == '"') {
			end = skip_string(text, len, at);
		} else if (text[at] == '#' || (text[at] == '/' && next == '/')) {
			end = skip_line(text, len, at);
			blank(text, at, end);
		} else if (text[at] == '/' && next == '*') {
			end = skip_block(text, len, at);
			if (end == SIZE_MAX) {
				*ret_offset = at;
				return -EINVAL;
			}
			blank(text, at, end);
		}
	}
	return 0;
}

void config_position(const char *text, size_t len, size_t offset, unsigned int *ret_line,
		     unsigned int *ret_column)
{
	unsigned int line = 1, column = 1;

	for (size_t i = 0; i < offset && i < len; i++) {
		if (text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			column++; /* octets that continue a UTF-8 character take no column */
		}
	}
	*ret_line = line;
	*ret_column = column;
}

/* --- from a path to an offset -------------------------------------------------------------- */

static size_t skip_space(const char *text, size_t len, size_t at)
{
	while (at < len && strchr(" \t\r\n", text[at]) && text[at])
		at++;
	return at;
}

/* The offset behind the value at @at: everything up to a comma or bracket at its own level. */
static size_t skip_value(const char *text, size_t len, size_t at)
{
	size_t depth = 0;

	while (at < len) {
		char c = text[at];

		if (c == '"') {
			at = skip_string(text, len, at);
			continue;
		}
		if (c == '[' || c == '{')
			depth++;
		else if (depth == 0 && (c == ',' || c == ']' || c == '}'))
			return at;
		else if (c == ']' || c == '}')
			depth--;
		at++;
	}
	return len;
}

/* What is left of @path when it begins with this key, or NULL. Keys may contain anything. */
static const char *match_key(const char *path, const char *key, size_t len)
{
	if (*path == '.')
		path++;
	if (!len || strncmp(path, key, len) != 0)
		return NULL;
	path += len;
	return *path == 0 || *path == '.' || *path == '[' ? path : NULL;
}

/*
 * One step down from the object or array at *at. The rest of the path; NULL when the step does not
 * exist. *ret_show is where to point at: the key of a member, the element itself.
 */
static const char *step_member(const char *text, size_t len, size_t *at, const char *path,
			       size_t *ret_show)
{
	size_t i = skip_space(text, len, *at + 1);

	while (i < len && text[i] == '"') {
		size_t end = skip_string(text, len, i);
		const char *rest = end - i >= 2 ? match_key(path, text + i + 1, end - i - 2) : NULL;
		size_t value = skip_space(text, len, end);

		if (value < len && text[value] == ':')
			value = skip_space(text, len, value + 1);
		if (rest) {
			*ret_show = i;
			*at = value;
			return rest;
		}
		i = skip_value(text, len, value);
		if (i < len && text[i] == ',')
			i = skip_space(text, len, i + 1);
	}
	return NULL;
}

static const char *step_element(const char *text, size_t len, size_t *at, const char *path,
				size_t *ret_show)
{
	char *rest;
	unsigned long index = strtoul(path + 1, &rest, 10);
	size_t i = skip_space(text, len, *at + 1);

	for (; index > 0 && i < len; index--) {
		i = skip_value(text, len, i);
		if (i >= len || text[i] != ',')
			return NULL;
		i = skip_space(text, len, i + 1);
	}
	*at = *ret_show = i;
	return *rest == ']' ? rest + 1 : NULL;
}

size_t config_locate(const char *text, size_t len, const char *path)
{
	size_t at = skip_space(text, len, 0), show = at;

	for (unsigned int depth = 0; path && *path && at < len && depth < LOCATE_DEPTH_MAX;
	     depth++) {
		if (text[at] == '{')
			path = step_member(text, len, &at, path, &show);
		else if (text[at] == '[' && *path == '[')
			path = step_element(text, len, &at, path, &show);
		else
			break;
	}
	return show < len ? show : len;
}
