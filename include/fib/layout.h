/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the structs of one build to those of another, by the names of their fields: what a field is called
 * says what it means (dataplane.h). Called by migrate.c, which moves the contents of pinned maps. Pure: BTF
 * in memory and octets in memory.
 */
#ifndef XRS_FIB_LAYOUT_H
#define XRS_FIB_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

struct btf;

#define LAYOUT_MOVES 160
#define LAYOUT_FIELD 96 /* "xrs_nexthop.tunnel.vni" */

struct layout_move { /* @count neighbouring numbers, or that many octets when the sizes are 1 */
	uint32_t from, to; /* offsets in octets */
	uint32_t from_size, to_size, count;
};

struct layout_plan {
	uint32_t from_size, to_size; /* of the whole, in octets */
	size_t n;
	struct layout_move moves[LAYOUT_MOVES];
};

/* Octets as they are: for maps without BTF. */
void layout_plan_octets(uint32_t size, struct layout_plan *ret_plan);

/*
 * How struct @name of @from becomes struct @name of @to. Fields that only @to has are 0, those that only @from
 * has are left out; numbers may change their size, arrays and structs may grow.
 * -ENOENT: one of the two has no such struct. -EPROTO: a field of the same name became something else, or
 * smaller: @field says which. -E2BIG: more than LAYOUT_MOVES pieces.
 */
int layout_plan(const struct btf *from, const struct btf *to, const char *name,
		struct layout_plan *ret_plan, char field[static LAYOUT_FIELD]);

/* Fills plan->to_size octets of @to. -ERANGE: a number does not fit into its new size. */
int layout_convert(const struct layout_plan *plan, const void *from, void *to);

#endif
