// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bounded cursor. Every decoder and encoder calls it; it must never read or write outside the
 * span it was given, whatever the lengths say, and never allocates.
 */
#include <string.h>

#include "util/wire.h"

/* Stands in for a NULL input of length 0, so that wire_bytes(r, 0) is NULL only on failure. */
static const uint8_t no_input[1];

void wire_read_init(struct wire_reader *r, const void *data, size_t len)
{
	r->pos = data ? data : no_input;
	r->end = data ? r->pos + len : r->pos;
	r->failed = !data && len > 0;
}

size_t wire_left(const struct wire_reader *r)
{
	return r->failed ? 0 : (size_t)(r->end - r->pos);
}

const uint8_t *wire_bytes(struct wire_reader *r, size_t n)
{
	const uint8_t *at = r->pos;

	if (r->failed || n > (size_t)(r->end - r->pos)) {
		r->failed = true;
		return NULL;
	}
	r->pos += n;
	return at;
}

static uint64_t read_big_endian(struct wire_reader *r, size_t n)
{
	const uint8_t *at = wire_bytes(r, n);
	uint64_t value = 0;

	for (size_t i = 0; at && i < n; i++)
		value = value << 8 | at[i];
	return value;
}

uint8_t wire_u8(struct wire_reader *r)
{
	return (uint8_t)read_big_endian(r, 1);
}

uint16_t wire_u16(struct wire_reader *r)
{
	return (uint16_t)read_big_endian(r, 2);
}

uint32_t wire_u32(struct wire_reader *r)
{
	return (uint32_t)read_big_endian(r, 4);
}

uint64_t wire_u64(struct wire_reader *r)
{
	return read_big_endian(r, 8);
}

struct wire_reader wire_sub(struct wire_reader *r, size_t n)
{
	const uint8_t *at = wire_bytes(r, n);
	struct wire_reader sub;

	wire_read_init(&sub, at, at ? n : 0);
	sub.failed = !at;
	return sub;
}

void wire_skip(struct wire_reader *r, size_t n)
{
	wire_bytes(r, n);
}

bool wire_done(const struct wire_reader *r)
{
	return !r->failed && r->pos == r->end;
}

void wire_write_init(struct wire_writer *w, void *buf, size_t cap)
{
	*w = (struct wire_writer){ .base = buf, .cap = buf ? cap : 0 };
}

size_t wire_room(const struct wire_writer *w)
{
	return w->failed ? 0 : w->cap - w->pos;
}

/* Claims the next @n octets; NULL and failed when they do not fit. */
static uint8_t *claim(struct wire_writer *w, size_t n)
{
	uint8_t *at;

	if (w->failed || n > w->cap - w->pos) {
		w->failed = true;
		return NULL;
	}
	at = w->base + w->pos;
	w->pos += n;
	return at;
}

static void store_big_endian(uint8_t *at, uint64_t value, size_t n)
{
	for (size_t i = n; i-- > 0; value >>= 8)
		at[i] = (uint8_t)value;
}

/* One place for the rule that a value must fit its field: a cut-off length is never sent. */
static void put_big_endian(struct wire_writer *w, uint64_t value, size_t n)
{
	uint8_t *at;

	if (value >> (8 * n)) {
		w->failed = true;
		return;
	}
	at = claim(w, n);
	if (at)
		store_big_endian(at, value, n);
}

void wire_put_u8(struct wire_writer *w, uint64_t value)
{
	put_big_endian(w, value, 1);
}

void wire_put_u16(struct wire_writer *w, uint64_t value)
{
	put_big_endian(w, value, 2);
}

void wire_put_u32(struct wire_writer *w, uint64_t value)
{
	put_big_endian(w, value, 4);
}

void wire_put_bytes(struct wire_writer *w, const void *data, size_t n)
{
	uint8_t *at = claim(w, n);

	if (at && n)
		memcpy(at, data, n);
}

size_t wire_mark_u8(struct wire_writer *w)
{
	size_t mark = w->pos;

	wire_put_u8(w, 0);
	return mark;
}

size_t wire_mark_u16(struct wire_writer *w)
{
	size_t mark = w->pos;

	wire_put_u16(w, 0);
	return mark;
}

static void set_big_endian(struct wire_writer *w, size_t offset, uint64_t value, size_t n)
{
	if (w->failed || offset > w->pos || n > w->pos - offset || value >> (8 * n))
		w->failed = true;
	else
		store_big_endian(w->base + offset, value, n);
}

/* A mark outside of what was written underflows to a length that no field holds, and fails. */
void wire_patch_u8(struct wire_writer *w, size_t mark)
{
	set_big_endian(w, mark, (uint64_t)w->pos - mark - 1, 1);
}

void wire_patch_u16(struct wire_writer *w, size_t mark)
{
	set_big_endian(w, mark, (uint64_t)w->pos - mark - 2, 2);
}

void wire_set_u16(struct wire_writer *w, size_t offset, uint64_t value)
{
	set_big_endian(w, offset, value, 2);
}
