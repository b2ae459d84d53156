// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rest of the bounded cursor, called by every decoder and encoder. It must never read or write
 * outside the span it was given, whatever the lengths say, and never allocates.
 */
#include "util/wire.h"

struct wire_reader wire_sub(struct wire_reader *r, size_t n)
{
	const uint8_t *at = wire_bytes(r, n);
	struct wire_reader sub;

	wire_read_init(&sub, at, at ? n : 0);
	sub.failed = !at;
	return sub;
}

bool wire_done(const struct wire_reader *r)
{
	return !r->failed && r->pos == r->end;
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

static void set_number(struct wire_writer *w, size_t offset, uint64_t value, size_t n)
{
	if (w->failed || offset > w->pos || n > w->pos - offset || value >> (8 * n))
		w->failed = true;
	else
		wire_store(w->base + offset, value, n);
}

/* A mark outside of what was written underflows to a length that no field holds, and fails. */
void wire_patch_u8(struct wire_writer *w, size_t mark)
{
	set_number(w, mark, (uint64_t)w->pos - mark - 1, 1);
}

void wire_patch_u16(struct wire_writer *w, size_t mark)
{
	set_number(w, mark, (uint64_t)w->pos - mark - 2, 2);
}

void wire_set_u16(struct wire_writer *w, size_t offset, uint64_t value)
{
	set_number(w, offset, value, 2);
}
