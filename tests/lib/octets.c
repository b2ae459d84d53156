// SPDX-License-Identifier: GPL-2.0-only
/* The builder of test messages. Called by the tests of the codec only. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "octets.h"

struct builder {
	const char *at;
	uint8_t *buf;
	size_t len, cap;
};

static void give_up(const struct builder *b, const char *why)
{
	fprintf(stderr, "octets: %s at \"%.20s\"\n", why, b->at);
	abort();
}

static void put(struct builder *b, uint8_t octet)
{
	if (b->len == b->cap)
		give_up(b, "no room");
	b->buf[b->len++] = octet;
}

static unsigned int digit(struct builder *b)
{
	char c = *b->at;

	if (!isxdigit((unsigned char)c))
		give_up(b, "no hex digit");
	b->at++;
	return c <= '9' ? (unsigned int)(c - '0') : (unsigned int)(tolower(c) - 'a') + 10;
}

static void build(struct builder *b, char end);

static void build_counted(struct builder *b)
{
	unsigned int width = digit(b);
	size_t at = b->len, value;
	long delta = 0;

	if (*b->at == '+' || *b->at == '-')
		delta = strtol(b->at, (char **)&b->at, 10);
	for (unsigned int i = 0; i < width; i++)
		put(b, 0);
	build(b, '}');
	value = b->len - at - width + (size_t)delta;
	if (width < sizeof(value) && value >> (8 * width))
		give_up(b, "length does not fit its field");
	for (unsigned int i = width; i-- > 0; value >>= 8)
		b->buf[at + i] = (uint8_t)value;
}

static void build_repeated(struct builder *b)
{
	unsigned long times = strtoul(b->at, (char **)&b->at, 10);
	const char *from;

	if (*b->at++ != '(')
		give_up(b, "no ( after *");
	from = b->at;
	for (unsigned long i = 0; i < times; i++) {
		b->at = from;
		build(b, ')');
	}
}

static void build(struct builder *b, char end)
{
	for (;;) {
		char c = *b->at;

		if (c == end) {
			b->at += end != '\0';
			return;
		}
		if (isspace((unsigned char)c)) {
			b->at++;
		} else if (c == '{') {
			b->at++;
			build_counted(b);
		} else if (c == '*') {
			b->at++;
			build_repeated(b);
		} else {
			unsigned int high = digit(b);

			put(b, (uint8_t)(high << 4 | digit(b)));
		}
	}
}

size_t octets(const char *text, uint8_t *buf, size_t cap)
{
	struct builder b = { .at = text, .buf = buf, .cap = cap };

	build(&b, '\0');
	return b.len;
}
