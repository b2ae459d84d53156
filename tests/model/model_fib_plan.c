// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plan against simulated maps, with random scripts: what is wanted changes, writes fail, the process
 * is killed and adopts what it finds. After every single map operation no route points to a missing
 * group and no group to a missing next hop; no operation is redundant; and in the end the maps hold
 * exactly what is wanted.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fib/fib_plan.h"

#define NEXTHOPS 9 /* ids 1..8 */
#define GROUPS   9
#define TABLES   3
#define NETS     40 /* prefixes of the universe: the first half IPv4, the rest IPv6 */
#define STEPS    1500

struct sim_group {
	struct xrs_group group;
	struct xrs_bucket bucket;
};

/* Both what is wanted and what the maps hold have this shape. All-zero: not there. */
struct state {
	struct xrs_nexthop nexthop[NEXTHOPS];
	struct sim_group group[GROUPS];
	struct xrs_route route[TABLES][NETS];
	bool has_route[TABLES][NETS];
};

struct model {
	unsigned int seed, random, step;
	struct fib_plan *plan;
	struct state want, map;
	struct ip_prefix net[NETS];
	bool nexthop_torn[NEXTHOPS], group_torn[GROUPS];
	bool nexthop_owed[NEXTHOPS], group_owed[GROUPS]; /* deleted, not yet told to be gone */
	bool stale_allowed; /* between adoption and sweep the maps may hold more */
	unsigned int fail_percent, capacity;
	unsigned int generation;
	unsigned long writes;
	struct fib_plan_batch
		out[FIB_PLAN_ROUTES_OUT]; /* of routes: handed out, not carried out yet */
	unsigned int n_out;
};

#define CHECK(m, condition) \
	cr_assert(condition, "seed %u step %u: %s", (m)->seed, (m)->step, #condition)

static unsigned int rnd(struct model *m, unsigned int n)
{
	return (unsigned int)rand_r(&m->random) / 7 % n;
}

static bool fails(struct model *m)
{
	return rnd(m, 100) < m->fail_percent;
}

static void make_nets(struct model *m)
{
	static const uint8_t lens4[] = { 0, 8, 16, 24, 32 }, lens6[] = { 0, 32, 48, 64, 128 };

	for (unsigned int i = 0; i < NETS; i++) {
		bool v4 = i < NETS / 2;
		struct ip_addr addr = { .family = v4 ? IP_V4 : IP_V6 };

		addr.bytes[0] = (uint8_t)(v4 ? 10 + i / 5 : 0xfd);
		addr.bytes[1] = (uint8_t)(i * 37);
		addr.bytes[3] = addr.bytes[7] = addr.bytes[15] = (uint8_t)(i / 5 + 1);
		if (v4)
			addr.bytes[7] = addr.bytes[15] = 0;
		m->net[i] = prefix_of(&addr, v4 ? lens4[i % 5] : lens6[i % 5]);
		for (unsigned int j = 0; j < i; j++) {
			if (!prefix_equal(&m->net[i], &m->net[j]))
				continue;
			m->net[i] = prefix_of(&addr, (uint8_t)(ip_bits(addr.family) - 1 - i % 7));
		}
	}
}

static int find_net(const struct model *m, const struct ip_prefix *prefix)
{
	for (int i = 0; i < NETS; i++) {
		if (prefix_equal(&m->net[i], prefix))
			return i;
	}
	return -1;
}

static bool same_route(const struct xrs_route *a, const struct xrs_route *b)
{
	return a->kind == b->kind && a->group == b->group && a->source == b->source;
}

/* --- what must hold after every operation ------------------------------------------------------- */
static void check_map(const struct model *m)
{
	for (int g = 1; g < GROUPS; g++) {
		const struct sim_group *group = &m->map.group[g];

		for (unsigned int i = 0; i < group->group.n_members; i++)
			CHECK(m, m->map.nexthop[group->group.member[i]].family);
		for (unsigned int i = 0; i < group->group.n_backup; i++)
			CHECK(m, m->map.nexthop[group->group.backup[i]].family);
		for (unsigned int i = 0; group->group.n_members && i < XRS_BUCKETS; i++) {
			CHECK(m, !group->bucket.member[i] ||
					 m->map.nexthop[group->bucket.member[i]].family);
			CHECK(m, !group->bucket.next[i] ||
					 m->map.nexthop[group->bucket.next[i]].family);
		}
	}
	for (int t = 0; t < TABLES; t++) {
		for (int n = 0; n < NETS; n++) {
			const struct xrs_route *route = &m->map.route[t][n];

			if (m->map.has_route[t][n] && route->kind == XRS_ROUTE_STEER)
				CHECK(m, m->map.group[route->group].group.n_members);
		}
	}
}

static unsigned int count_routes(const struct state *state, int table, bool v4)
{
	unsigned int n = 0;

	for (int i = v4 ? 0 : NETS / 2; i < (v4 ? NETS / 2 : NETS); i++)
		n += state->has_route[table][i];
	return n;
}

static void check_counts(const struct model *m)
{
	for (int t = 0; t < TABLES; t++) {
		for (int v4 = 0; v4 < 2; v4++) {
			struct fib_plan_counts counts =
				fib_plan_counts(m->plan, (uint32_t)t, v4 ? IP_V4 : IP_V6);

			CHECK(m, counts.wanted == count_routes(&m->want, t, v4));
			CHECK(m, counts.installed == count_routes(&m->map, t, v4));
		}
	}
}

/* --- the simulated maps ---------------------------------------------------------------------------- */
static int write_nexthop(struct model *m, const struct fib_plan_slot *slot)
{
	struct xrs_nexthop *to = &m->map.nexthop[slot->id];

	CHECK(m, m->nexthop_torn[slot->id] || memcmp(to, &slot->nexthop, sizeof(*to)) != 0);
	if (fails(m)) {
		to->way = XRS_WAY_NONE;
		m->nexthop_torn[slot->id] = true;
		return -ENOMEM;
	}
	*to = slot->nexthop;
	m->nexthop_torn[slot->id] = false;
	return 0;
}

/* A failure leaves the old, or new buckets beside the old members. */
static int write_group(struct model *m, const struct fib_plan_slot *slot)
{
	struct sim_group *to = &m->map.group[slot->id];

	CHECK(m, m->group_torn[slot->id] ||
			 memcmp(&to->group, &slot->group, sizeof(to->group)) != 0 ||
			 memcmp(&to->bucket, &slot->bucket, sizeof(to->bucket)) != 0);
	if (fails(m)) {
		if (rnd(m, 2))
			to->bucket = slot->bucket;
		m->group_torn[slot->id] = true;
		return -EINVAL;
	}
	to->group = slot->group;
	to->bucket = slot->bucket;
	m->group_torn[slot->id] = false;
	return 0;
}

static int remove_group(struct model *m, uint32_t id)
{
	CHECK(m, m->group_torn[id] || m->map.group[id].group.n_members);
	if (fails(m)) {
		m->group_torn[id] = true;
		return -EPERM;
	}
	memset(&m->map.group[id], 0, sizeof(m->map.group[id]));
	m->group_torn[id] = false;
	return 0;
}

static int remove_nexthop(struct model *m, uint32_t id)
{
	CHECK(m, m->nexthop_torn[id] || m->map.nexthop[id].family);
	if (fails(m)) {
		m->nexthop_torn[id] = true;
		return -EPERM;
	}
	memset(&m->map.nexthop[id], 0, sizeof(m->map.nexthop[id]));
	m->nexthop_torn[id] = false;
	return 0;
}

static int write_route(struct model *m, const struct fib_plan_batch *batch,
		       const struct fib_route *route)
{
	int net = find_net(m, &route->prefix);
	bool *has = &m->map.has_route[batch->table][net];
	struct xrs_route *to = &m->map.route[batch->table][net];

	CHECK(m, route->fresh == !*has);
	CHECK(m, !*has || !same_route(to, &route->value));
	if (fails(m))
		return -ENOMEM;
	if (!*has &&
	    count_routes(&m->map, (int)batch->table, batch->family == IP_V4) >= m->capacity)
		return -ENOSPC;
	*to = route->value;
	*has = true;
	return 0;
}

static int remove_route(struct model *m, const struct fib_plan_batch *batch,
			const struct fib_route *route)
{
	int net = find_net(m, &route->prefix);

	CHECK(m, m->map.has_route[batch->table][net]);
	if (fails(m))
		return -EPERM;
	m->map.has_route[batch->table][net] = false;
	return 0;
}

/* --- carrying batches out ----------------------------------------------------------------------------- */
/* Nothing that comes first in the order may still be waiting for its turn. */
static void check_order(const struct model *m, enum fib_plan_op op)
{
	struct fib_plan_slot_state state;

	for (uint32_t id = 1; id < NEXTHOPS && op > FIB_PLAN_NEXTHOP_SET; id++)
		CHECK(m, !fib_plan_nexthop(m->plan, id, &state) || !state.wanted ||
				 state.state != FIB_PLAN_PENDING);
	for (uint32_t id = 1; id < GROUPS && op > FIB_PLAN_GROUP_SET; id++)
		CHECK(m, !fib_plan_group(m->plan, id, &state) || !state.wanted ||
				 state.state != FIB_PLAN_PENDING);
	for (uint32_t t = 0; t < TABLES && op > FIB_PLAN_ROUTE_SET; t++) {
		for (int n = 0; n < NETS; n++) {
			struct fib_plan_route route;

			CHECK(m, !fib_plan_route(m->plan, t, &m->net[n], &route) || !route.wanted ||
					 route.state != FIB_PLAN_PENDING ||
					 op == FIB_PLAN_ROUTE_DEL);
		}
	}
}

static void check_batch(const struct model *m, const struct fib_plan_batch *batch)
{
	bool routes = batch->op == FIB_PLAN_ROUTE_SET || batch->op == FIB_PLAN_ROUTE_DEL;

	CHECK(m, batch->n > 0 && batch->n <= (routes ? FIB_BATCH : FIB_PLAN_SLOTS));
	for (size_t i = 0; routes && i < batch->n; i++) {
		CHECK(m, batch->routes[i].prefix.addr.family == batch->family);
		if (i)
			CHECK(m, prefix_cmp(&batch->routes[i - 1].prefix,
					    &batch->routes[i].prefix) < 0);
		CHECK(m, batch->op != FIB_PLAN_ROUTE_SET ||
				 batch->routes[i].value.generation == m->generation);
	}
	check_order(m, batch->op);
}

static int operate(struct model *m, const struct fib_plan_batch *batch, size_t i)
{
	switch (batch->op) {
	case FIB_PLAN_NEXTHOP_SET:
		return write_nexthop(m, &batch->slots[i]);
	case FIB_PLAN_GROUP_SET:
		return write_group(m, &batch->slots[i]);
	case FIB_PLAN_ROUTE_SET:
		return write_route(m, batch, &batch->routes[i]);
	case FIB_PLAN_ROUTE_DEL:
		return remove_route(m, batch, &batch->routes[i]);
	case FIB_PLAN_GROUP_DEL:
		return remove_group(m, batch->slots[i].id);
	default:
		return remove_nexthop(m, batch->slots[i].id);
	}
}

static void apply(struct model *m, struct fib_plan_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		int error = operate(m, batch, i);

		m->writes++;
		check_map(m);
		if (batch->routes)
			batch->routes[i].error = error;
		else
			batch->slots[i].error = error;
	}
}

static void change_something(struct model *m);

static void finish(struct model *m, struct fib_plan_batch *batch, bool change_meanwhile)
{
	apply(m, batch);
	if (change_meanwhile)
		change_something(m);
	fib_plan_done(m->plan, batch);
	check_counts(m);
}

/* One of the batches that wait, whichever was handed out first. */
static void finish_out(struct model *m)
{
	unsigned int k = rnd(m, m->n_out);
	struct fib_plan_batch batch = m->out[k];

	m->out[k] = m->out[--m->n_out];
	finish(m, &batch, false);
}

/* Beside routes that are out, nothing is removed that they may lead to. */
static void check_beside(const struct model *m, const struct fib_plan_batch *batch)
{
	CHECK(m, !m->n_out || batch->op <= FIB_PLAN_ROUTE_DEL);
	CHECK(m, !batch->routes || m->n_out < FIB_PLAN_ROUTES_OUT);
}

static bool one_batch(struct model *m, bool change_meanwhile)
{
	struct fib_plan_batch batch, second;

	if (!fib_plan_next(m->plan, &batch))
		return false;
	check_batch(m, &batch);
	check_beside(m, &batch);
	if (!batch.routes)
		CHECK(m, !fib_plan_next_urgent(m->plan, &second));
	finish(m, &batch, change_meanwhile);
	return true;
}

/* As a second thread would: routes are handed out now and carried out later, next hops and groups meanwhile. */
static void one_batch_later(struct model *m)
{
	struct fib_plan_batch batch;

	if (m->n_out && rnd(m, 2)) {
		finish_out(m);
	} else if (rnd(m, 4) == 0 && fib_plan_next_urgent(m->plan, &batch)) {
		CHECK(m, batch.op <= FIB_PLAN_GROUP_SET);
		finish(m, &batch, false);
	} else if (fib_plan_next(m->plan, &batch)) {
		check_batch(m, &batch);
		check_beside(m, &batch);
		if (batch.routes)
			m->out[m->n_out++] = batch;
		else
			finish(m, &batch, rnd(m, 2));
	}
}

static void finish_all_out(struct model *m)
{
	while (m->n_out)
		finish_out(m);
}

static void take_gone(struct model *m)
{
	struct fib_plan_gone gone;

	while (fib_plan_next_gone(m->plan, &gone)) {
		bool *owed = gone.is_group ? &m->group_owed[gone.id] : &m->nexthop_owed[gone.id];

		CHECK(m, *owed);
		*owed = false;
		if (gone.is_group)
			CHECK(m, !m->map.group[gone.id].group.n_members);
		else
			CHECK(m, !m->map.nexthop[gone.id].family);
	}
}

static void drain(struct model *m)
{
	finish_all_out(m);
	for (unsigned int n = 0; one_batch(m, false); n++)
		CHECK(m, n < 10000);
	take_gone(m);
}

/* --- what is wanted -------------------------------------------------------------------------------------- */
static void want_nexthop(struct model *m, uint32_t id)
{
	struct xrs_nexthop nexthop = { .family = 4,
				       .way = rnd(m, 2) ? XRS_WAY_NONE : XRS_WAY_BRIDGE };

	nexthop.addr[3] = (uint8_t)id;
	m->want.nexthop[id] = nexthop;
	m->nexthop_owed[id] = false;
	cr_assert_eq(fib_plan_set_nexthop(m->plan, id, &nexthop), 0);
}

static void want_group(struct model *m, uint32_t id)
{
	struct sim_group group = { .group = { .n_members = 1 + rnd(m, 3) } };

	for (unsigned int i = 0; i < group.group.n_members; i++)
		group.group.member[i] = 1 + rnd(m, NEXTHOPS - 1);
	group.group.n_backup = rnd(m, 2);
	group.group.backup[0] = group.group.n_backup ? 1 + rnd(m, NEXTHOPS - 1) : 0;
	for (unsigned int i = 0; i < XRS_BUCKETS; i++) {
		group.bucket.member[i] = (__u16)group.group.member[i % group.group.n_members];
		group.bucket.next[i] = (__u16)group.group.backup[0];
	}
	m->want.group[id] = group;
	m->group_owed[id] = false;
	cr_assert_eq(fib_plan_set_group(m->plan, id, &group.group, &group.bucket), 0);
}

static void want_route(struct model *m, uint32_t table, int net)
{
	struct xrs_route route = { .source = (__u8)rnd(m, 3) };

	route.kind = rnd(m, 4) ? XRS_ROUTE_STEER : (enum xrs_route_kind)(1 + rnd(m, 4));
	if (route.kind == XRS_ROUTE_STEER)
		route.group = 1 + rnd(m, GROUPS - 1);
	m->want.route[table][net] = route;
	m->want.has_route[table][net] = true;
	cr_assert_eq(fib_plan_set_route(m->plan, table, &m->net[net], &route), 0);
}

static void drop_route(struct model *m, uint32_t table, int net)
{
	m->want.has_route[table][net] = false;
	cr_assert_eq(fib_plan_del_route(m->plan, table, &m->net[net]), 0);
}

static void drop_group(struct model *m, uint32_t id)
{
	memset(&m->want.group[id], 0, sizeof(m->want.group[id]));
	m->group_owed[id] = true;
	cr_assert_eq(fib_plan_del_group(m->plan, id), 0);
}

static void drop_nexthop(struct model *m, uint32_t id)
{
	memset(&m->want.nexthop[id], 0, sizeof(m->want.nexthop[id]));
	m->nexthop_owed[id] = true;
	cr_assert_eq(fib_plan_del_nexthop(m->plan, id), 0);
}

/* As fib_maps_table_close() and a new table in its place. */
static void replace_table(struct model *m, uint32_t table)
{
	finish_all_out(m);
	fib_plan_table_remove(m->plan, table);
	memset(m->want.has_route[table], 0, sizeof(m->want.has_route[table]));
	memset(m->map.has_route[table], 0, sizeof(m->map.has_route[table]));
	cr_assert_eq(fib_plan_table_add(m->plan, table), 0);
}

/* Deliberately without the owner's care: routes to groups that nobody set, groups that are still used. */
static void change_something(struct model *m)
{
	uint32_t id = 1 + rnd(m, GROUPS - 1), table = rnd(m, TABLES);
	int net = (int)rnd(m, NETS);

	switch (rnd(m, 20)) {
	case 0:
		drop_group(m, id);
		break;
	case 1:
		drop_nexthop(m, id);
		break;
	case 2:
	case 3:
	case 4:
		want_nexthop(m, id);
		break;
	case 5:
	case 6:
	case 7:
		want_group(m, id);
		break;
	case 8:
	case 9:
	case 10:
	case 11:
		drop_route(m, table, net);
		break;
	case 12:
		fib_plan_set_generation(m->plan, ++m->generation);
		break;
	default:
		want_route(m, table, net);
	}
}

/* --- restart ------------------------------------------------------------------------------------------------ */
static void adopt_all(struct model *m)
{
	for (uint32_t t = 0; t < TABLES; t++) {
		cr_assert_eq(fib_plan_table_add(m->plan, t), 0);
		for (int n = 0; n < NETS; n++) {
			if (m->map.has_route[t][n])
				cr_assert_eq(fib_plan_adopt_route(m->plan, t, &m->net[n],
								  &m->map.route[t][n]),
					     0);
		}
	}
	for (uint32_t id = 1; id < GROUPS; id++)
		cr_assert_eq(fib_plan_adopt_group(m->plan, id, &m->map.group[id].group,
						  &m->map.group[id].bucket),
			     0);
	for (uint32_t id = 1; id < NEXTHOPS; id++)
		cr_assert_eq(fib_plan_adopt_nexthop(m->plan, id, &m->map.nexthop[id]), 0);
}

/* A group of which only buckets were written is a free slot to the one who adopts. */
static void forget_torn(struct model *m)
{
	memset(m->nexthop_torn, 0, sizeof(m->nexthop_torn));
	memset(m->group_torn, 0, sizeof(m->group_torn));
	memset(m->nexthop_owed, 0, sizeof(m->nexthop_owed));
	memset(m->group_owed, 0, sizeof(m->group_owed));
}

/* kill -9, possibly with a batch half reported; everything is learned again in pieces, then swept. */
static void restart(struct model *m)
{
	struct state map = m->map;
	struct fib_plan_batch batch;

	for (unsigned int k = 0; k < m->n_out; k++) {
		if (rnd(m, 2))
			apply(m, &m->out[k]);
	}
	if (rnd(m, 2) && fib_plan_next(m->plan, &batch))
		apply(m, &batch);
	m->n_out = 0;
	fib_plan_free(m->plan);
	memset(&m->want, 0, sizeof(m->want));
	forget_torn(m);
	m->plan = fib_plan_new();
	cr_assert_not_null(m->plan);
	fib_plan_set_generation(m->plan, ++m->generation);
	map = m->map;
	adopt_all(m);
	check_counts(m);
	drain(m);
	CHECK(m, memcmp(&map, &m->map, sizeof(map)) == 0);
	for (unsigned int i = rnd(m, 200); i-- > 0;)
		change_something(m);
	drain(m);
	fib_plan_sweep(m->plan);
	memset(m->nexthop_owed, true, sizeof(m->nexthop_owed));
	memset(m->group_owed, true, sizeof(m->group_owed));
	drain(m);
}

/* --- the end: everything that is wanted can be had ------------------------------------------------------------ */
static void complete(struct model *m)
{
	m->fail_percent = 0;
	m->capacity = NETS;
	for (uint32_t id = 1; id < NEXTHOPS; id++) {
		if (!m->want.nexthop[id].family)
			want_nexthop(m, id);
	}
	for (uint32_t id = 1; id < GROUPS; id++) {
		if (!m->want.group[id].group.n_members)
			want_group(m, id);
	}
	fib_plan_retry(m->plan);
	drain(m);
}

static void check_equal(const struct model *m)
{
	CHECK(m, memcmp(m->want.nexthop, m->map.nexthop, sizeof(m->map.nexthop)) == 0);
	CHECK(m, memcmp(m->want.group, m->map.group, sizeof(m->map.group)) == 0);
	CHECK(m, memcmp(m->want.has_route, m->map.has_route, sizeof(m->map.has_route)) == 0);
	for (int t = 0; t < TABLES; t++) {
		for (int n = 0; n < NETS; n++)
			CHECK(m, !m->want.has_route[t][n] ||
					 same_route(&m->want.route[t][n], &m->map.route[t][n]));
	}
}

static void drop_all(struct model *m)
{
	for (uint32_t id = 1; id < NEXTHOPS; id++)
		drop_nexthop(m, id);
	for (uint32_t id = 1; id < GROUPS; id++)
		drop_group(m, id);
	for (uint32_t t = 0; t < TABLES; t++) {
		for (int n = 0; n < NETS; n++)
			drop_route(m, t, n);
	}
	drain(m);
}

static void check_empty(const struct model *m)
{
	struct fib_plan_totals totals = fib_plan_totals(m->plan);

	CHECK(m,
	      totals.routes.installed + totals.groups.installed + totals.nexthops.installed == 0);
	CHECK(m, totals.routes.pending + totals.groups.pending + totals.nexthops.pending == 0);
	for (int id = 1; id < GROUPS; id++)
		CHECK(m, !m->group_owed[id] && !m->nexthop_owed[id]);
}

static void model_init(struct model *m, unsigned int seed, unsigned int fail_percent,
		       unsigned int capacity)
{
	memset(m, 0, sizeof(*m));
	m->seed = m->random = seed;
	m->fail_percent = fail_percent;
	m->capacity = capacity;
	m->plan = fib_plan_new();
	cr_assert_not_null(m->plan);
	for (uint32_t t = 0; t < TABLES; t++)
		cr_assert_eq(fib_plan_table_add(m->plan, t), 0);
	make_nets(m);
}

static void run_script(unsigned int seed, unsigned int fail_percent, unsigned int capacity,
		       bool restarts)
{
	static struct model m;

	model_init(&m, seed, fail_percent, capacity);
	for (m.step = 0; m.step < STEPS; m.step++) {
		change_something(&m);
		if (rnd(&m, 3) == 0)
			one_batch_later(&m);
		if (rnd(&m, 40) == 0)
			drain(&m);
		if (rnd(&m, 60) == 0)
			fib_plan_retry(m.plan);
		if (rnd(&m, 200) == 0)
			replace_table(&m, rnd(&m, TABLES));
		if (restarts && rnd(&m, 150) == 0)
			restart(&m);
		check_counts(&m);
	}
	complete(&m);
	check_equal(&m);
	drop_all(&m);
	check_empty(&m);
	fib_plan_free(m.plan);
}

Test(fib_plan_model, writes_that_succeed)
{
	for (unsigned int seed = 1; seed <= 20; seed++)
		run_script(seed, 0, NETS, false);
}

Test(fib_plan_model, writes_that_fail)
{
	for (unsigned int seed = 101; seed <= 130; seed++)
		run_script(seed, 20, NETS, false);
}

Test(fib_plan_model, tries_that_are_full)
{
	for (unsigned int seed = 201; seed <= 220; seed++)
		run_script(seed, seed % 2 ? 0 : 10, 6, false);
}

Test(fib_plan_model, restarts)
{
	for (unsigned int seed = 301; seed <= 320; seed++)
		run_script(seed, 0, NETS, true);
}

Test(fib_plan_model, restarts_and_failures)
{
	for (unsigned int seed = 401; seed <= 430; seed++)
		run_script(seed, 15, 8, true);
}

/* Each route that leaves a full trie makes room for one that was rejected, without being asked. */
Test(fib_plan_model, room_is_used)
{
	static struct model m;

	for (unsigned int seed = 501; seed <= 510; seed++) {
		model_init(&m, seed, 0, 7);
		for (uint32_t id = 1; id < NEXTHOPS; id++)
			want_nexthop(&m, id);
		for (uint32_t id = 1; id < GROUPS; id++)
			want_group(&m, id);
		for (m.step = 0; m.step < 400; m.step++) {
			int net = (int)rnd(&m, NETS / 2);

			if (rnd(&m, 2))
				want_route(&m, 0, net);
			else
				drop_route(&m, 0, net);
			drain(&m);
			struct fib_plan_counts counts = fib_plan_counts(m.plan, 0, IP_V4);

			CHECK(&m, counts.rejected == counts.wanted - counts.installed);
			CHECK(&m, counts.installed == (counts.wanted < 7 ? counts.wanted : 7));
		}
		fib_plan_free(m.plan);
	}
}
