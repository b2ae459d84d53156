// SPDX-License-Identifier: GPL-2.0-only
/* The decision process: a row for each step, both ways round, in both models; names; multipath. */
#include <criterion/criterion.h>
#include <string.h>

#include "rib/decision.h"

static struct decision_config config_of(enum path_selection selection)
{
	return (struct decision_config){ .selection = selection, .max_paths = 16 };
}

struct path { /* a path that owns its summary */
	struct decision_path d;
	struct attr_summary s;
};

static struct path base(void)
{
	return (struct path){
		.d = { .role = PEER_NVA,
		       .usable = true,
		       .ebgp = true,
		       .weight = 10,
		       .igp_cost = 10,
		       .router_id = 10,
		       .peer = ip_from_v4(10) },
		.s = { .as_path_len = 3,
		       .neighbour_as = 65001,
		       .local_pref = 100,
		       .med = 10,
		       .cluster_len = 2,
		       .origin = BGP_ORIGIN_EGP },
	};
}

/* Each makes the path better than base() at one step, and worse at all later ones. */
static void later_worse(struct path *p)
{
	p->d.path_id = 9;
	p->d.peer = ip_from_v4(99);
}
static void unusable(struct path *p)
{
	p->d.usable = false;
	p->d.weight = 99;
}
static void llgr(struct path *p)
{
	p->s.flags = ATTR_SUM_LLGR_STALE;
	p->d.weight = 99;
}
static void gshut(struct path *p)
{
	p->s.flags = ATTR_SUM_GRACEFUL_SHUTDOWN;
	p->d.weight = 99;
}
static void weight(struct path *p)
{
	p->d.weight = 11;
	p->s.as_path_len = 9;
	p->d.role = PEER_VPN_GATEWAY;
	p->s.local_pref = 1;
}
static void express(struct path *p)
{
	p->d.role = PEER_EXPRESS_ROUTE;
	p->s.as_path_len = 9;
}
static void local_pref(struct path *p)
{
	p->s.local_pref = 101;
	p->s.as_path_len = 9;
}
static void as_path(struct path *p)
{
	p->s.as_path_len = 2;
	p->s.origin = BGP_ORIGIN_INCOMPLETE;
	later_worse(p);
}
static void origin(struct path *p)
{
	p->s.origin = BGP_ORIGIN_IGP;
	p->s.med = 99;
}
static void med(struct path *p)
{
	p->s.med = 9;
	p->d.ebgp = false;
}
static void ibgp(struct path *p)
{
	p->d.ebgp = false;
	p->d.igp_cost = 1;
}
static void igp_cost(struct path *p)
{
	p->d.igp_cost = 9;
	p->d.router_id = 99;
}
static void router_id(struct path *p)
{
	p->d.router_id = 9;
	p->s.cluster_len = 9;
	later_worse(p);
}
static void cluster(struct path *p)
{
	p->s.cluster_len = 1;
	later_worse(p);
}
static void peer(struct path *p)
{
	p->d.peer = ip_from_v4(9);
	p->d.path_id = 9;
}
static void path_id(struct path *p)
{
	p->d.path_id = 1;
}

static const struct row {
	enum path_selection selection;
	void (*change)(struct path *p);
	enum decision_step step;
	int better; /* < 0: the changed path wins over base() */
	enum hub_preference hub;
} rows[] = {
	{ SELECT_AZURE, unusable, STEP_UNUSABLE, 1, HUB_AS_PATH },
	{ SELECT_AZURE, llgr, STEP_LLGR_STALE, 1, HUB_AS_PATH },
	{ SELECT_AZURE, gshut, STEP_GRACEFUL_SHUTDOWN, 1, HUB_AS_PATH },
	{ SELECT_AZURE, weight, STEP_WEIGHT, -1, HUB_AS_PATH },
	{ SELECT_AZURE, express, STEP_HUB_PREFERENCE, -1, HUB_EXPRESS_ROUTE },
	{ SELECT_AZURE, express, STEP_HUB_PREFERENCE, 1, HUB_VPN_GATEWAY },
	{ SELECT_AZURE, express, STEP_AS_PATH_LENGTH, 1, HUB_AS_PATH },
	{ SELECT_AZURE, as_path, STEP_AS_PATH_LENGTH, -1, HUB_EXPRESS_ROUTE },
	{ SELECT_AZURE, router_id, STEP_ROUTER_ID, -1, HUB_EXPRESS_ROUTE },
	{ SELECT_AZURE, peer, STEP_PEER_ADDRESS, -1, HUB_EXPRESS_ROUTE },
	{ SELECT_AZURE, path_id, STEP_PATH_ID, 1, HUB_EXPRESS_ROUTE },
	/* What azure does not look at. */
	{ SELECT_AZURE, local_pref, STEP_AS_PATH_LENGTH, 1, HUB_AS_PATH },
	{ SELECT_AZURE, origin, STEP_NONE, 0, HUB_AS_PATH },
	{ SELECT_AZURE, med, STEP_NONE, 0, HUB_AS_PATH },
	{ SELECT_RFC4271, unusable, STEP_UNUSABLE, 1, HUB_AS_PATH },
	{ SELECT_RFC4271, llgr, STEP_LLGR_STALE, 1, HUB_AS_PATH },
	{ SELECT_RFC4271, gshut, STEP_GRACEFUL_SHUTDOWN, 1, HUB_AS_PATH },
	{ SELECT_RFC4271, weight, STEP_WEIGHT, -1, HUB_AS_PATH },
	{ SELECT_RFC4271, local_pref, STEP_LOCAL_PREF, -1, HUB_AS_PATH },
	{ SELECT_RFC4271, as_path, STEP_AS_PATH_LENGTH, -1, HUB_AS_PATH },
	{ SELECT_RFC4271, origin, STEP_ORIGIN, -1, HUB_AS_PATH },
	{ SELECT_RFC4271, med, STEP_MED, -1, HUB_AS_PATH },
	{ SELECT_RFC4271, ibgp, STEP_EBGP, 1, HUB_AS_PATH },
	{ SELECT_RFC4271, igp_cost, STEP_IGP_COST, -1, HUB_AS_PATH },
	{ SELECT_RFC4271, router_id, STEP_ROUTER_ID, -1, HUB_AS_PATH },
	{ SELECT_RFC4271, cluster, STEP_CLUSTER_LIST, -1, HUB_AS_PATH },
	{ SELECT_RFC4271, peer, STEP_PEER_ADDRESS, -1, HUB_AS_PATH },
	{ SELECT_RFC4271, path_id, STEP_PATH_ID, 1, HUB_AS_PATH },
	/* hubRoutingPreference is azure's alone. */
	{ SELECT_RFC4271, express, STEP_AS_PATH_LENGTH, 1, HUB_EXPRESS_ROUTE },
};

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

Test(decision, a_row_for_each_step)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decision_config config = config_of(rows[i].selection);
		struct path a = base(), b = base();
		enum decision_step step = STEP_MAX, back = STEP_MAX;

		config.hub_preference = rows[i].hub;
		a.d.summary = &a.s;
		b.d.summary = &b.s;
		rows[i].change(&a);
		cr_assert_eq(sign(decision_compare(&config, &a.d, &b.d, &step)), rows[i].better,
			     "row %zu", i);
		cr_assert_eq(step, rows[i].step, "row %zu: %s", i, decision_step_name(step));
		cr_assert_eq(sign(decision_compare(&config, &b.d, &a.d, &back)), -rows[i].better);
		cr_assert_eq(back, step, "row %zu", i);
	}
}

/* select() in both orders says the same as compare(), and records the same step. */
Test(decision, selection_agrees_with_comparison)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decision_config config = config_of(rows[i].selection);
		struct path a = base(), b = base();
		struct decision_path ab[2], ba[2];
		struct decision_result x, y;
		uint8_t lost_x[2], lost_y[2];

		if (!rows[i].better)
			continue;
		config.max_paths = 1;
		config.hub_preference = rows[i].hub;
		a.d.summary = &a.s;
		b.d.summary = &b.s;
		rows[i].change(&a);
		ab[0] = ba[1] = a.d;
		ab[1] = ba[0] = b.d;
		decision_select(&config, ab, 2, &x, lost_x);
		decision_select(&config, ba, 2, &y, lost_y);
		cr_assert_eq(x.best, rows[i].better < 0 ? 0 : 1, "row %zu", i);
		cr_assert_eq(y.best, 1 - x.best);
		cr_assert_eq(lost_x[1 - x.best], rows[i].step, "row %zu", i);
		cr_assert_eq(lost_x[x.best], STEP_NONE);
		cr_assert_eq(lost_y[1 - y.best], rows[i].step);
	}
}

Test(decision, med_only_within_one_neighbour_as)
{
	struct decision_config config = config_of(SELECT_RFC4271);
	struct path a = base(), b = base();
	enum decision_step step;

	a.d.summary = &a.s;
	b.d.summary = &b.s;
	a.s.med = 1;
	b.s.neighbour_as = 65002;
	b.d.router_id = 1;
	cr_assert_gt(decision_compare(&config, &a.d, &b.d, &step), 0);
	cr_assert_eq(step, STEP_ROUTER_ID);
	config.always_compare_med = true;
	cr_assert_lt(decision_compare(&config, &a.d, &b.d, &step), 0);
	cr_assert_eq(step, STEP_MED);
}

/*
 * The classic: A beats B by router id, B beats C by router id, C beats A by MED. Pairwise comparison goes
 * round in a circle; elimination drops A (MED of its AS), then B has the lower router id than C.
 */
Test(decision, med_does_not_go_in_circles)
{
	struct decision_config config = config_of(SELECT_RFC4271);
	struct path p[3] = { base(), base(), base() };
	struct decision_path d[3];
	struct decision_result result;
	uint8_t lost[3];

	config.max_paths = 1;
	for (unsigned int i = 0; i < 3; i++) {
		p[i].d.summary = &p[i].s;
		p[i].d.router_id = i;
	}
	p[1].s.neighbour_as = 65002;
	p[2].s.med = 1;
	for (unsigned int i = 0; i < 3; i++)
		d[i] = p[i].d;
	decision_select(&config, d, 3, &result, lost);
	cr_assert_eq(result.best, 1);
	cr_assert_eq(lost[0], STEP_MED);
	cr_assert_eq(lost[2], STEP_ROUTER_ID);
}

Test(decision, equal_paths_share_in_canonical_order)
{
	struct decision_config config = config_of(SELECT_AZURE);
	struct path p[20];
	struct decision_path d[20];
	struct decision_result result;
	uint8_t lost[20];

	for (unsigned int i = 0; i < 20; i++) {
		p[i] = base();
		p[i].d.summary = &p[i].s;
		p[i].d.router_id = 100 - i;
		d[i] = p[i].d;
	}
	d[7].usable = false;
	decision_select(&config, d, 20, &result, lost);
	cr_assert_eq(result.n_multipath, DECISION_MULTIPATH_MAX);
	cr_assert_eq(result.best, 19);
	for (unsigned int i = 0; i < DECISION_MULTIPATH_MAX; i++) {
		cr_assert_eq(d[result.multipath[i]].router_id, 81 + i + (81 + i >= 93), "member %u",
			     i);
		cr_assert_eq(lost[result.multipath[i]], STEP_NONE);
	}
	cr_assert_eq(lost[0], STEP_ROUTER_ID, "no room: the order decided");
	cr_assert_eq(lost[7], STEP_UNUSABLE);
	config.max_paths = 2;
	decision_select(&config, d, 20, &result, lost);
	cr_assert_eq(result.n_multipath, 2);
}

Test(decision, nothing_to_choose_from)
{
	struct decision_config config = config_of(SELECT_AZURE);
	struct path p = base();
	struct decision_result result;
	uint8_t lost;

	p.d.summary = &p.s;
	decision_select(&config, NULL, 0, &result, NULL);
	cr_assert_eq(result.best, -1);
	p.d.usable = false;
	decision_select(&config, &p.d, 1, &result, &lost);
	cr_assert_eq(result.best, -1);
	cr_assert_eq(result.n_multipath, 0);
	cr_assert_eq(lost, STEP_UNUSABLE);
}

Test(decision, every_step_has_a_name_and_a_sentence)
{
	for (unsigned int step = 0; step < STEP_MAX; step++) {
		cr_assert_gt(strlen(decision_step_name((enum decision_step)step)), 2);
		cr_assert_gt(strlen(decision_step_text((enum decision_step)step)), 10);
	}
	cr_assert_str_eq(decision_step_name(STEP_AS_PATH_LENGTH), "asPathLength");
	cr_assert_str_eq(peer_role_name(PEER_EXPRESS_ROUTE), "expressRoute");
	cr_assert_str_eq(peer_role_name(PEER_AGENT), "agent");
}
