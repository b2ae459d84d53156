// SPDX-License-Identifier: GPL-2.0-only
/* The bounded cursor: nothing is read or written outside of the span, and an error stays. */
#include <criterion/criterion.h>
#include <string.h>

#include "util/wire.h"

static struct wire_reader reader(const void *data, size_t len)
{
	struct wire_reader r;

	wire_read_init(&r, data, len);
	return r;
}

Test(wire, reads_are_big_endian)
{
	static const uint8_t data[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
					0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };
	struct wire_reader r = reader(data, sizeof(data));

	cr_assert_eq(wire_u8(&r), 0x01);
	cr_assert_eq(wire_u16(&r), 0x0203);
	cr_assert_eq(wire_u32(&r), 0x04050607);
	cr_assert_eq(wire_u64(&r), 0x08090a0b0c0d0e0fULL);
	cr_assert(wire_done(&r));
}

Test(wire, high_octets_do_not_sign_extend)
{
	static const uint8_t data[14] = { [0 ... 13] = 0xff };
	struct wire_reader r = reader(data, sizeof(data));

	cr_assert_eq(wire_u16(&r), 0xffff);
	cr_assert_eq(wire_u32(&r), 0xffffffff);
	cr_assert_eq(wire_u64(&r), UINT64_MAX);
}

Test(wire, short_read_fails_and_gives_zero)
{
	static const uint8_t data[] = { 0xff, 0xff, 0xff };
	struct wire_reader r = reader(data, sizeof(data));

	cr_assert_eq(wire_u32(&r), 0);
	cr_assert(r.failed);
	cr_assert_not(wire_done(&r));
}

Test(wire, read_error_is_sticky)
{
	static const uint8_t data[] = { 1, 2 };
	struct wire_reader r = reader(data, sizeof(data));

	wire_skip(&r, 3);
	cr_assert_eq(wire_u8(&r), 0, "octets are left, but the reader has failed");
	cr_assert_eq(wire_left(&r), 0);
	cr_assert_null(wire_bytes(&r, 0));
	cr_assert_not(wire_done(&r));
}

Test(wire, empty_input)
{
	struct wire_reader r = reader(NULL, 0);

	cr_assert(wire_done(&r));
	cr_assert_eq(wire_left(&r), 0);
	cr_assert_not_null(wire_bytes(&r, 0), "no octets is not a failure");
	cr_assert_eq(wire_u8(&r), 0);
	cr_assert(r.failed);
}

Test(wire, null_with_a_length_is_a_failed_reader)
{
	struct wire_reader r = reader(NULL, 4);

	cr_assert(r.failed);
	cr_assert_eq(wire_u32(&r), 0);
}

Test(wire, bytes_are_in_place)
{
	static const uint8_t data[] = { 1, 2, 3, 4 };
	struct wire_reader r = reader(data, sizeof(data));

	wire_skip(&r, 1);
	cr_assert_eq(wire_bytes(&r, 2), data + 1);
	cr_assert_eq(wire_left(&r), 1);
}

Test(wire, huge_length_does_not_wrap)
{
	static const uint8_t data[] = { 1, 2, 3, 4 };
	struct wire_reader r = reader(data, sizeof(data));

	cr_assert_null(wire_bytes(&r, SIZE_MAX));
	cr_assert(r.failed);
}

Test(wire, sub_reader_is_bounded)
{
	static const uint8_t data[] = { 1, 2, 3, 4, 5 };
	struct wire_reader r = reader(data, sizeof(data));
	struct wire_reader sub = wire_sub(&r, 3);

	cr_assert_eq(wire_u16(&sub), 0x0102);
	cr_assert_eq(wire_u16(&sub), 0, "only one octet is left in the sub-reader");
	cr_assert(sub.failed);
	cr_assert_not(r.failed, "a sub-reader's error is its own");
	cr_assert_eq(wire_u16(&r), 0x0405, "the outer reader stands behind the cut");
	cr_assert(wire_done(&r));
}

Test(wire, sub_reader_too_long_fails_both)
{
	static const uint8_t data[] = { 1, 2, 3 };
	struct wire_reader r = reader(data, sizeof(data));
	struct wire_reader sub = wire_sub(&r, 4);

	cr_assert(r.failed);
	cr_assert(sub.failed);
	cr_assert_eq(wire_left(&sub), 0);
	cr_assert_eq(wire_u8(&sub), 0);
}

Test(wire, sub_reader_of_nothing_is_done)
{
	static const uint8_t data[] = { 1 };
	struct wire_reader r = reader(data, sizeof(data));
	struct wire_reader sub = wire_sub(&r, 0);

	cr_assert(wire_done(&sub));
	cr_assert_eq(wire_left(&r), 1);
}

Test(wire, sub_reader_of_failed_reader_has_failed)
{
	static const uint8_t data[] = { 1, 2 };
	struct wire_reader r = reader(data, sizeof(data));
	struct wire_reader sub;

	wire_skip(&r, 9);
	sub = wire_sub(&r, 0);
	cr_assert(sub.failed);
	cr_assert_not(wire_done(&sub));
}

Test(wire, nested_sub_readers)
{
	static const uint8_t data[] = { 4, 2, 0xaa, 0xbb, 0xcc, 0xdd };
	struct wire_reader r = reader(data, sizeof(data));
	struct wire_reader outer = wire_sub(&r, wire_u8(&r));
	struct wire_reader inner = wire_sub(&outer, wire_u8(&outer));

	cr_assert_eq(wire_u16(&inner), 0xaabb);
	cr_assert(wire_done(&inner));
	cr_assert_eq(wire_u8(&outer), 0xcc);
	cr_assert(wire_done(&outer));
	cr_assert_eq(wire_u8(&r), 0xdd);
}

Test(wire, writes_are_big_endian)
{
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 'h', 'i' };
	uint8_t buf[9];
	struct wire_writer w;

	wire_write_init(&w, buf, sizeof(buf));
	wire_put_u8(&w, 0x01);
	wire_put_u16(&w, 0x0203);
	wire_put_u32(&w, 0x04050607);
	wire_put_bytes(&w, "hi", 2);
	cr_assert_not(w.failed);
	cr_assert_eq(wire_room(&w), 0);
	cr_assert_arr_eq(buf, want, sizeof(want));
}

Test(wire, write_past_the_end_fails_and_leaves_the_octets)
{
	uint8_t buf[4] = { 9, 9, 9, 9 };
	struct wire_writer w;

	wire_write_init(&w, buf, 3);
	wire_put_u16(&w, 0x0102);
	wire_put_u16(&w, 0x0304);
	cr_assert(w.failed);
	cr_assert_eq(w.pos, 2);
	cr_assert_eq(buf[2], 9, "nothing is written in part");
	cr_assert_eq(buf[3], 9);
}

Test(wire, write_error_is_sticky)
{
	uint8_t buf[4] = { 0 };
	struct wire_writer w;

	wire_write_init(&w, buf, sizeof(buf));
	wire_put_bytes(&w, "12345", 5);
	wire_put_u8(&w, 7);
	cr_assert(w.failed);
	cr_assert_eq(w.pos, 0);
	cr_assert_eq(buf[0], 0);
	cr_assert_eq(wire_room(&w), 0);
}

Test(wire, value_too_big_for_its_field_fails)
{
	uint8_t buf[16];
	struct wire_writer w;

	wire_write_init(&w, buf, sizeof(buf));
	wire_put_u8(&w, 0x100);
	cr_assert(w.failed);
	wire_write_init(&w, buf, sizeof(buf));
	wire_put_u16(&w, 0x10000);
	cr_assert(w.failed);
	wire_write_init(&w, buf, sizeof(buf));
	wire_put_u32(&w, 0x100000000ULL);
	cr_assert(w.failed);
	wire_write_init(&w, buf, sizeof(buf));
	wire_put_u8(&w, 0xff);
	wire_put_u16(&w, 0xffff);
	wire_put_u32(&w, 0xffffffff);
	cr_assert_not(w.failed);
}

Test(wire, no_buffer_has_no_room)
{
	struct wire_writer w;

	wire_write_init(&w, NULL, 10);
	cr_assert_eq(wire_room(&w), 0);
	wire_put_bytes(&w, NULL, 0);
	cr_assert_not(w.failed);
	wire_put_u8(&w, 1);
	cr_assert(w.failed);
}

Test(wire, marks_hold_what_was_written_after_them)
{
	static const uint8_t want[] = { 0, 5, 3, 'a', 'b', 'c', 0xff };
	uint8_t buf[16];
	struct wire_writer w;
	size_t outer, inner;

	wire_write_init(&w, buf, sizeof(buf));
	outer = wire_mark_u16(&w);
	inner = wire_mark_u8(&w);
	wire_put_bytes(&w, "abc", 3);
	wire_patch_u8(&w, inner);
	wire_put_u8(&w, 0xff);
	wire_patch_u16(&w, outer);
	cr_assert_not(w.failed);
	cr_assert_eq(w.pos, sizeof(want));
	cr_assert_arr_eq(buf, want, sizeof(want));
}

Test(wire, empty_mark_is_zero)
{
	uint8_t buf[3] = { 9, 9, 9 };
	struct wire_writer w;
	size_t mark;

	wire_write_init(&w, buf, sizeof(buf));
	mark = wire_mark_u16(&w);
	wire_patch_u16(&w, mark);
	cr_assert_not(w.failed);
	cr_assert_eq(buf[0] | buf[1], 0);
	cr_assert_eq(w.pos, 2);
}

Test(wire, mark_longer_than_its_field_fails)
{
	uint8_t buf[512];
	struct wire_writer w;
	size_t mark;

	for (size_t n = 255; n <= 256; n++) {
		wire_write_init(&w, buf, sizeof(buf));
		mark = wire_mark_u8(&w);
		for (size_t i = 0; i < n; i++)
			wire_put_u8(&w, 0);
		wire_patch_u8(&w, mark);
		cr_assert_eq(w.failed, n > 255, "%zu octets", n);
	}
}

Test(wire, mark_of_failed_writer_changes_nothing)
{
	uint8_t buf[1] = { 7 };
	struct wire_writer w;
	size_t mark;

	wire_write_init(&w, buf, sizeof(buf));
	mark = wire_mark_u16(&w);
	wire_patch_u16(&w, mark);
	cr_assert(w.failed);
	cr_assert_eq(buf[0], 7);
}

Test(wire, mark_outside_of_what_was_written_fails)
{
	uint8_t buf[8] = { 0 };
	struct wire_writer w;

	wire_write_init(&w, buf, sizeof(buf));
	wire_put_u8(&w, 1);
	wire_patch_u16(&w, 1);
	cr_assert(w.failed);
	cr_assert_eq(buf[1], 0);
	wire_write_init(&w, buf, sizeof(buf));
	wire_patch_u8(&w, SIZE_MAX);
	cr_assert(w.failed);
}

Test(wire, set_u16_only_over_what_was_written)
{
	uint8_t buf[4] = { 0 };
	struct wire_writer w;

	wire_write_init(&w, buf, sizeof(buf));
	wire_put_u32(&w, 0x01020304);
	wire_set_u16(&w, 2, 0xbeef);
	cr_assert_not(w.failed);
	cr_assert_eq(buf[1], 2);
	cr_assert_eq(buf[2], 0xbe);
	cr_assert_eq(buf[3], 0xef);
	wire_set_u16(&w, 3, 1);
	cr_assert(w.failed, "one octet short");
	cr_assert_eq(buf[3], 0xef);
}

Test(wire, set_u16_value_too_big_fails)
{
	uint8_t buf[2] = { 0 };
	struct wire_writer w;

	wire_write_init(&w, buf, sizeof(buf));
	wire_put_u16(&w, 5);
	wire_set_u16(&w, 0, 0x10000);
	cr_assert(w.failed);
	cr_assert_eq(buf[1], 5);
}
