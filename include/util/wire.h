/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only way to peer input and to output octets: a bounded cursor with a sticky error.
 *
 * After the first failure reads give zeros, writes do nothing, and `failed` stays true, so a codec
 * reads straight through and checks once. A sub-reader can not read past its own length. Integers are
 * big-endian (RFC 4271 section 4). Pure; nothing here allocates.
 */
#ifndef XRS_UTIL_WIRE_H
#define XRS_UTIL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_reader {
	const uint8_t *pos;
	const uint8_t *end;
	bool failed;
};

void wire_read_init(struct wire_reader *r, const void *data, size_t len);
size_t wire_left(const struct wire_reader *r);
uint8_t wire_u8(struct wire_reader *r);
uint16_t wire_u16(struct wire_reader *r);
uint32_t wire_u32(struct wire_reader *r);
uint64_t wire_u64(struct wire_reader *r);
/* @n octets in place, or NULL (and failed) when fewer are left. Valid as long as the input is. */
const uint8_t *wire_bytes(struct wire_reader *r, size_t n);
/* Cuts the next @n octets off into a reader of their own; an empty failed one when fewer are left. */
struct wire_reader wire_sub(struct wire_reader *r, size_t n);
void wire_skip(struct wire_reader *r, size_t n);
/* True when nothing failed and nothing is left. */
bool wire_done(const struct wire_reader *r);

struct wire_writer {
	uint8_t *base;
	size_t pos;
	size_t cap;
	bool failed; /* the buffer was too small or a value too big for its field */
};

void wire_write_init(struct wire_writer *w, void *buf, size_t cap);
size_t wire_room(const struct wire_writer *w);
void wire_put_u8(struct wire_writer *w, uint64_t value);  /* fails above 0xff */
void wire_put_u16(struct wire_writer *w, uint64_t value); /* fails above 0xffff */
void wire_put_u32(struct wire_writer *w, uint64_t value); /* fails above 0xffffffff */
void wire_put_bytes(struct wire_writer *w, const void *data, size_t n);
/* Reserves a length field and returns its offset; wire_patch_* stores what was written after it. */
size_t wire_mark_u8(struct wire_writer *w);
size_t wire_mark_u16(struct wire_writer *w);
void wire_patch_u8(struct wire_writer *w, size_t mark);
void wire_patch_u16(struct wire_writer *w, size_t mark);
/* Stores @value at an earlier offset. */
void wire_set_u16(struct wire_writer *w, size_t offset, uint64_t value);

#endif
