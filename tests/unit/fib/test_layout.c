// SPDX-License-Identifier: GPL-2.0-only
/* Structs of two builds, made as BTF by hand, and what becomes of their octets. */
#include <bpf/btf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "fib/layout.h"

static struct btf *from, *to;
static struct layout_plan plan;
static char field[LAYOUT_FIELD];

struct types { /* ids, the same in both */
	int u8, u16, u32, u64, kind, addr, words;
};
static struct types t;

static struct types make_types(struct btf *btf)
{
	struct types made = {
		.u8 = btf__add_int(btf, "__u8", 1, 0),
		.u16 = btf__add_int(btf, "__u16", 2, 0),
		.u32 = btf__add_int(btf, "__u32", 4, 0),
		.u64 = btf__add_int(btf, "__u64", 8, 0),
	};

	made.kind = btf__add_enum(btf, "kind", 4);
	btf__add_enum_value(btf, "KIND_A", 0);
	made.addr = btf__add_array(btf, made.u32, made.u8, 4);
	made.words = btf__add_array(btf, made.u32, made.u16, 3);
	return made;
}

static void setup(void)
{
	from = btf__new_empty();
	to = btf__new_empty();
	cr_assert(from && to);
	t = make_types(from);
	make_types(to);
}

static void teardown(void)
{
	btf__free(from);
	btf__free(to);
}

TestSuite(layout, .init = setup, .fini = teardown);

static int add_struct(struct btf *btf, const char *name, uint32_t size)
{
	return btf__add_struct(btf, name, size);
}

static void add_field(struct btf *btf, const char *name, int type, uint32_t offset)
{
	cr_assert(!btf__add_field(btf, name, type, offset * 8, 0));
}

Test(layout, what_is_the_same_is_one_move)
{
	uint8_t in[12] = "abcdefghijk", out[12];

	for (int i = 0; i < 2; i++) {
		struct btf *btf = i ? to : from;

		add_struct(btf, "s", 12);
		add_field(btf, "kind", t.kind, 0);
		add_field(btf, "addr", t.addr, 4);
		add_field(btf, "number", t.u32, 8);
	}
	cr_assert(!layout_plan(from, to, "s", &plan, field));
	cr_assert(plan.n == 1 && plan.from_size == 12 && plan.to_size == 12);
	cr_assert(!layout_convert(&plan, in, out) && !memcmp(in, out, 12));
}

Test(layout, fields_are_found_by_name)
{
	struct {
		uint32_t a, gone, b;
	} in = { 1, 2, 3 };
	struct {
		uint64_t fresh;
		uint32_t b, a;
	} out;

	add_struct(from, "s", 12);
	add_field(from, "a", t.u32, 0);
	add_field(from, "gone", t.u32, 4);
	add_field(from, "b", t.u32, 8);
	add_struct(to, "s", 16);
	add_field(to, "fresh", t.u64, 0);
	add_field(to, "b", t.u32, 8);
	add_field(to, "a", t.u32, 12);
	memset(&out, 0xff, sizeof(out));
	cr_assert(!layout_plan(from, to, "s", &plan, field));
	cr_assert(!layout_convert(&plan, &in, &out));
	cr_assert(out.fresh == 0 && out.a == 1 && out.b == 3);
}

Test(layout, numbers_change_their_size_if_the_value_fits)
{
	struct {
		uint16_t words[3], grows;
		uint32_t shrinks;
	} in = { { 1, 2, 65535 }, 7, 255 };
	struct {
		uint32_t words[4], grows;
		uint8_t shrinks;
	} out;
	int wide;

	add_struct(from, "s", 12);
	add_field(from, "words", t.words, 0);
	add_field(from, "grows", t.u16, 6);
	add_field(from, "shrinks", t.u32, 8);
	wide = btf__add_array(to, t.u32, t.u32, 4);
	add_struct(to, "s", sizeof(out));
	add_field(to, "words", wide, 0);
	add_field(to, "grows", t.u32, 16);
	add_field(to, "shrinks", t.u8, 20);
	cr_assert(!layout_plan(from, to, "s", &plan, field));
	cr_assert(!layout_convert(&plan, &in, &out));
	cr_assert(out.words[0] == 1 && out.words[2] == 65535 && out.words[3] == 0);
	cr_assert(out.grows == 7 && out.shrinks == 255);
	in.shrinks = 256;
	cr_assert(layout_convert(&plan, &in, &out) == -ERANGE);
}

Test(layout, structs_in_structs_and_arrays_of_arrays)
{
	uint8_t in[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }, out[24];
	int old_rows = btf__add_array(from, t.u32, t.addr, 2);
	int new_rows = btf__add_array(to, t.u32, t.addr, 3);
	int old_inner, new_inner;

	old_inner = add_struct(from, "inner", 4);
	add_field(from, "x", t.u32, 0);
	new_inner = add_struct(to, "inner", 8);
	add_field(to, "y", t.u32, 0);
	add_field(to, "x", t.u32, 4);
	add_struct(from, "s", 12);
	add_field(from, "rows", old_rows, 0);
	add_field(from, "inner", old_inner, 8);
	add_struct(to, "s", 20);
	add_field(to, "inner", new_inner, 0);
	add_field(to, "rows", new_rows, 8);
	cr_assert(!layout_plan(from, to, "s", &plan, field));
	cr_assert(!layout_convert(&plan, in, out));
	cr_assert(!memcmp(out, "\0\0\0\0\x9\xa\xb\xc\1\2\3\4\5\6\7\x8\0\0\0\0", 20));
}

Test(layout, what_became_something_else_is_named)
{
	int inner, shorter = btf__add_array(to, t.u32, t.u8, 3);

	add_struct(from, "s", 8);
	add_field(from, "addr", t.addr, 0);
	add_field(from, "number", t.u32, 4);
	add_struct(to, "s", 3);
	add_field(to, "addr", shorter, 0);
	cr_assert(layout_plan(from, to, "s", &plan, field) == -EPROTO);
	cr_assert_str_eq(field, "s.addr");
	inner = add_struct(to, "inner", 4);
	add_field(to, "x", t.u32, 0);
	add_struct(from, "o", 4);
	add_field(from, "number", t.u32, 0);
	add_struct(to, "o", 4);
	add_field(to, "number", inner, 0);
	cr_assert(layout_plan(from, to, "o", &plan, field) == -EPROTO);
	cr_assert_str_eq(field, "o.number");
	cr_assert(layout_plan(from, to, "nowhere", &plan, field) == -ENOENT);
}
