/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only way to peer input and to output octets: a bounded cursor with a sticky error.
 *
 * After the first failure reads give zeros, writes do nothing, and `failed` stays true, so a codec
 * reads straight through and checks once. A sub-reader can not read past its own length. Integers are
 * big-endian (RFC 4271 section 4). Pure; nothing here allocates. What is called for every octet or two of
 * a million routes stands here to be inlined; the rest is in wire.c.
 */
#ifndef XRS_UTIL_WIRE_H
#define XRS_UTIL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire_reader {
	const uint8_t *pos;
	const uint8_t *end;
	bool failed;
};

static inline void wire_read_init(struct wire_reader *r, const void *data, size_t len)
{
	/* Stands in for a NULL input of length 0, so that wire_bytes(r, 0) is NULL only on failure. */
	static const uint8_t no_input[1];

	r->pos = data ? (const uint8_t *)data : no_input;
	r->end = data ? r->pos + len : r->pos;
	r->failed = !data && len > 0;
}

static inline size_t wire_left(const struct wire_reader *r)
{
	return r->failed ? 0 : (size_t)(r->end - r->pos);
}

/* @n octets in place, or NULL (and failed) when fewer are left. Valid as long as the input is. */
static inline const uint8_t *wire_bytes(struct wire_reader *r, size_t n)
{
	const uint8_t *at = r->pos;

	if (r->failed || n > (size_t)(r->end - r->pos)) {
		r->failed = true;
		return NULL;
	}
	r->pos += n;
	return at;
}

/* A number of @n octets; @n is a constant wherever this is called, so that one load is left of it. */
static inline uint64_t wire_number(struct wire_reader *r, size_t n)
{
	const uint8_t *at = wire_bytes(r, n);
	uint64_t value = 0;

	for (size_t i = 0; at && i < n; i++)
		value = value << 8 | at[i];
	return value;
}

static inline uint8_t wire_u8(struct wire_reader *r)
{
	return (uint8_t)wire_number(r, 1);
}

static inline uint16_t wire_u16(struct wire_reader *r)
{
	return (uint16_t)wire_number(r, 2);
}

static inline uint32_t wire_u32(struct wire_reader *r)
{
	return (uint32_t)wire_number(r, 4);
}

static inline uint64_t wire_u64(struct wire_reader *r)
{
	return wire_number(r, 8);
}

static inline void wire_skip(struct wire_reader *r, size_t n)
{
	wire_bytes(r, n);
}

/* Cuts the next @n octets off into a reader of their own; an empty failed one when fewer are left. */
struct wire_reader wire_sub(struct wire_reader *r, size_t n);
/* True when nothing failed and nothing is left. */
bool wire_done(const struct wire_reader *r);

struct wire_writer {
	uint8_t *base;
	size_t pos;
	size_t cap;
	bool failed; /* the buffer was too small or a value too big for its field */
};

static inline void wire_write_init(struct wire_writer *w, void *buf, size_t cap)
{
	*w = (struct wire_writer){ .base = (uint8_t *)buf, .cap = buf ? cap : 0 };
}

static inline size_t wire_room(const struct wire_writer *w)
{
	return w->failed ? 0 : w->cap - w->pos;
}

/* Claims the next @n octets; NULL and failed when they do not fit. */
static inline uint8_t *wire_claim(struct wire_writer *w, size_t n)
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

static inline void wire_store(uint8_t *at, uint64_t value, size_t n)
{
	for (size_t i = n; i-- > 0; value >>= 8)
		at[i] = (uint8_t)value;
}

/* One place for the rule that a value must fit its field: a cut-off length is never sent. */
static inline void wire_put_number(struct wire_writer *w, uint64_t value, size_t n)
{
	uint8_t *at;

	if (value >> (8 * n)) {
		w->failed = true;
		return;
	}
	at = wire_claim(w, n);
	if (at)
		wire_store(at, value, n);
}

static inline void wire_put_u8(struct wire_writer *w, uint64_t value) /* fails above 0xff */
{
	wire_put_number(w, value, 1);
}

static inline void wire_put_u16(struct wire_writer *w, uint64_t value) /* fails above 0xffff */
{
	wire_put_number(w, value, 2);
}

static inline void wire_put_u32(struct wire_writer *w, uint64_t value) /* above 0xffffffff */
{
	wire_put_number(w, value, 4);
}

static inline void wire_put_bytes(struct wire_writer *w, const void *data, size_t n)
{
	uint8_t *at = wire_claim(w, n);

	if (at && n)
		memcpy(at, data, n);
}

/* Reserves a length field and returns its offset; wire_patch_* stores what was written after it. */
size_t wire_mark_u8(struct wire_writer *w);
size_t wire_mark_u16(struct wire_writer *w);
void wire_patch_u8(struct wire_writer *w, size_t mark);
void wire_patch_u16(struct wire_writer *w, size_t mark);
/* Stores @value at an earlier offset. */
void wire_set_u16(struct wire_writer *w, size_t offset, uint64_t value);

#endif
