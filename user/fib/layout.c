// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversion between two builds' structs; layout.h says by which rules. Called by migrate.c. Needs libbpf only
 * to read BTF that is in memory.
 */
#include "fib/layout.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct pair {                    /* the same field here and there */
	uint32_t from_id, to_id; /* types */
	uint32_t from, to;       /* offsets in octets */
	char name[LAYOUT_FIELD];
};

struct planner {
	const struct btf *from, *to;
	struct layout_plan *plan;
	char *field;
};

static const struct btf_type *resolve(const struct btf *btf, uint32_t *id)
{
	const struct btf_type *type = btf__type_by_id(btf, *id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type))) {
		*id = type->type;
		type = btf__type_by_id(btf, *id);
	}
	return type;
}

static bool is_number(const struct btf_type *type)
{
	return btf_is_int(type) || btf_is_any_enum(type);
}

static int refuse(const struct planner *planner, const struct pair *pair)
{
	memcpy(planner->field, pair->name, LAYOUT_FIELD);
	return -EPROTO;
}

static int add_move(struct planner *planner, struct layout_move move)
{
	struct layout_plan *plan = planner->plan;
	struct layout_move *last = plan->n ? &plan->moves[plan->n - 1] : NULL;

	if (move.from_size == move.to_size) {
		move.count *= move.from_size;
		move.from_size = move.to_size = 1;
	}
	if (last && last->from_size == 1 && last->to_size == 1 && move.from_size == 1 &&
	    move.to_size == 1 && last->from + last->count == move.from &&
	    last->to + last->count == move.to) {
		last->count += move.count;
		return 0;
	}
	if (plan->n == LAYOUT_MOVES)
		return -E2BIG;
	plan->moves[plan->n++] = move;
	return 0;
}

static int add_pair(struct planner *planner, struct pair *pair);

static int add_array(struct planner *planner, const struct pair *pair, const struct btf_array *from,
		     const struct btf_array *to)
{
	uint32_t from_id = from->type, to_id = to->type;
	const struct btf_type *a = resolve(planner->from, &from_id);
	const struct btf_type *b = resolve(planner->to, &to_id);
	int64_t from_size = btf__resolve_size(planner->from, from_id);
	int64_t to_size = btf__resolve_size(planner->to, to_id);
	int ret = 0;

	if (!a || !b || from_size <= 0 || to_size <= 0 || from->nelems > to->nelems)
		return refuse(planner, pair);
	if (is_number(a) && is_number(b))
		return add_move(planner,
				(struct layout_move){ pair->from, pair->to, (uint32_t)from_size,
						      (uint32_t)to_size, from->nelems });
	for (uint32_t i = 0; i < from->nelems && !ret; i++) {
		struct pair element = *pair;

		element.from_id = from_id;
		element.to_id = to_id;
		element.from += i * (uint32_t)from_size;
		element.to += i * (uint32_t)to_size;
		ret = add_pair(planner, &element);
	}
	return ret;
}

static const struct btf_member *find_member(const struct btf *btf, const struct btf_type *type,
					    const char *name)
{
	const struct btf_member *member = btf_members(type);

	for (uint16_t i = 0; i < btf_vlen(type); i++, member++) {
		if (!strcmp(btf__name_by_offset(btf, member->name_off), name))
			return member;
	}
	return NULL;
}

/* dataplane.h has no bit-fields: offsets are whole octets. */
static int add_struct(struct planner *planner, const struct pair *pair, const struct btf_type *from,
		      const struct btf_type *to)
{
	const struct btf_member *member = btf_members(to);

	for (uint16_t i = 0; i < btf_vlen(to); i++, member++) {
		const char *name = btf__name_by_offset(planner->to, member->name_off);
		const struct btf_member *old = find_member(planner->from, from, name);
		struct pair inner;
		int ret;

		if (!old)
			continue;
		inner = (struct pair){ old->type, member->type, pair->from + old->offset / 8,
				       pair->to + member->offset / 8, "" };
		snprintf(inner.name, sizeof(inner.name), "%.60s.%.30s", pair->name, name);
		ret = add_pair(planner, &inner);
		if (ret)
			return ret;
	}
	return 0;
}

static int add_pair(struct planner *planner, struct pair *pair)
{
	const struct btf_type *from = resolve(planner->from, &pair->from_id);
	const struct btf_type *to = resolve(planner->to, &pair->to_id);

	if (!from || !to)
		return refuse(planner, pair);
	if (btf_is_array(from) && btf_is_array(to))
		return add_array(planner, pair, btf_array(from), btf_array(to));
	if (btf_is_struct(from) && btf_is_struct(to))
		return add_struct(planner, pair, from, to);
	if (is_number(from) && is_number(to))
		return add_move(planner, (struct layout_move){ pair->from, pair->to, from->size,
							       to->size, 1 });
	return refuse(planner, pair);
}

void layout_plan_octets(uint32_t size, struct layout_plan *ret_plan)
{
	*ret_plan = (struct layout_plan){ .from_size = size, .to_size = size, .n = 1 };
	ret_plan->moves[0] = (struct layout_move){ 0, 0, 1, 1, size };
}

int layout_plan(const struct btf *from, const struct btf *to, const char *name,
		struct layout_plan *ret_plan, char field[static LAYOUT_FIELD])
{
	struct planner planner = { from, to, ret_plan, field };
	int from_id = btf__find_by_name_kind(from, name, BTF_KIND_STRUCT);
	int to_id = btf__find_by_name_kind(to, name, BTF_KIND_STRUCT);
	struct pair whole = { (uint32_t)from_id, (uint32_t)to_id, 0, 0, "" };

	if (from_id <= 0 || to_id <= 0)
		return -ENOENT;
	snprintf(whole.name, sizeof(whole.name), "%.60s", name);
	*ret_plan = (struct layout_plan){
		.from_size = btf__type_by_id(from, whole.from_id)->size,
		.to_size = btf__type_by_id(to, whole.to_id)->size,
	};
	return add_pair(&planner, &whole);
}

/* Numbers stand in host order; xrsd runs where its programs run, and those are little-endian or big as it is. */
static int convert_number(const uint8_t *from, uint32_t from_size, uint8_t *to, uint32_t to_size)
{
	uint64_t value = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(&value, from, from_size);
	memcpy(to, &value, to_size);
#else
	memcpy((uint8_t *)&value + sizeof(value) - from_size, from, from_size);
	memcpy(to, (uint8_t *)&value + sizeof(value) - to_size, to_size);
#endif
	return to_size < from_size && value >> (8 * to_size) ? -ERANGE : 0;
}

int layout_convert(const struct layout_plan *plan, const void *from, void *to)
{
	const uint8_t *in = from;
	uint8_t *out = to;

	memset(out, 0, plan->to_size);
	for (size_t i = 0; i < plan->n; i++) {
		const struct layout_move *move = &plan->moves[i];
		int ret = 0;

		if (move->from_size == 1 && move->to_size == 1)
			memcpy(out + move->to, in + move->from, move->count);
		else
			for (uint32_t k = 0; k < move->count && !ret; k++)
				ret = convert_number(
					in + move->from + k * move->from_size, move->from_size,
					out + move->to + k * move->to_size, move->to_size);
		if (ret)
			return ret;
	}
	return 0;
}
