// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decision process against one that is written the slow way, over random sets of up to five paths
 * with few distinct values (so that every step decides sometimes), in all orders of insertion: the same
 * best, the same members in the same order, the same step for each loser.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "rib/decision.h"

#define PATHS 5

static uint64_t state;

static uint32_t rnd(uint32_t below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(state >> 33) % below;
}

static struct attr_summary summaries[PATHS];

static struct decision_path random_path(uint32_t i)
{
	static const uint16_t flags[] = {
		0, 0, 0, 0, ATTR_SUM_LLGR_STALE, ATTR_SUM_GRACEFUL_SHUTDOWN
	};

	summaries[i] = (struct attr_summary){
		.as_path_len = (uint16_t)rnd(3),
		.flags = flags[rnd(6)],
		.neighbour_as = 65001 + rnd(2),
		.local_pref = 100 + (rnd(4) == 0),
		.med = rnd(3),
		.cluster_len = (uint16_t)rnd(2),
		.origin = (uint8_t)(rnd(4) == 0),
	};
	return (struct decision_path){
		.summary = &summaries[i],
		.role = (enum peer_role)rnd(3),
		.usable = rnd(6) > 0,
		.ebgp = rnd(3) > 0,
		.weight = rnd(5) == 0,
		.router_id = rnd(2),
		.peer = ip_from_v4(rnd(2)),
		.path_id = i, /* all are different in the end */
	};
}

/* --- the slow way: numbers for one path at one step; lower is better ----------------------------- */

static uint64_t number(const struct decision_config *c, const struct decision_path *p,
		       enum decision_step step)
{
	bool express = p->role == PEER_EXPRESS_ROUTE;

	switch (step) {
	case STEP_UNUSABLE:
		return !p->usable;
	case STEP_LLGR_STALE:
		return !!(p->summary->flags & ATTR_SUM_LLGR_STALE);
	case STEP_GRACEFUL_SHUTDOWN:
		return !!(p->summary->flags & ATTR_SUM_GRACEFUL_SHUTDOWN);
	case STEP_WEIGHT:
		return 100 - p->weight;
	case STEP_HUB_PREFERENCE:
		return c->hub_preference == HUB_EXPRESS_ROUTE ? !express
		       : c->hub_preference == HUB_VPN_GATEWAY ? express
							      : 0;
	case STEP_LOCAL_PREF:
		return 1000 - p->summary->local_pref;
	case STEP_AS_PATH_LENGTH:
		return p->summary->as_path_len;
	case STEP_ORIGIN:
		return p->summary->origin;
	case STEP_MED:
		return p->summary->med;
	case STEP_EBGP:
		return !p->ebgp;
	case STEP_ROUTER_ID:
		return p->router_id;
	case STEP_CLUSTER_LIST:
		return p->summary->cluster_len;
	case STEP_PEER_ADDRESS:
		return ip_to_v4(&p->peer);
	default:
		return p->path_id;
	}
}

static const enum decision_step azure[] = { STEP_UNUSABLE,
					    STEP_LLGR_STALE,
					    STEP_GRACEFUL_SHUTDOWN,
					    STEP_WEIGHT,
					    STEP_HUB_PREFERENCE,
					    STEP_AS_PATH_LENGTH,
					    STEP_NONE,
					    STEP_ROUTER_ID,
					    STEP_PEER_ADDRESS,
					    STEP_PATH_ID,
					    STEP_MAX };
static const enum decision_step rfc[] = {
	STEP_UNUSABLE,     STEP_LLGR_STALE, STEP_GRACEFUL_SHUTDOWN,
	STEP_WEIGHT,       STEP_LOCAL_PREF, STEP_AS_PATH_LENGTH,
	STEP_ORIGIN,       STEP_MED,        STEP_EBGP,
	STEP_NONE,         STEP_ROUTER_ID,  STEP_CLUSTER_LIST,
	STEP_PEER_ADDRESS, STEP_PATH_ID,    STEP_MAX
};

static bool beats(const struct decision_config *c, const struct decision_path *a,
		  const struct decision_path *b, enum decision_step step)
{
	if (step == STEP_MED && !c->always_compare_med &&
	    a->summary->neighbour_as != b->summary->neighbour_as)
		return false;
	return number(c, a, step) < number(c, b, step);
}

/* Takes the losers of one step out; *ret_lost names the step for each. */
static void one_step(const struct decision_config *c, const struct decision_path *p, unsigned int n,
		     enum decision_step step, bool *in, uint8_t *ret_lost)
{
	bool was[PATHS];

	memcpy(was, in, sizeof(was));
	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int k = 0; k < n && was[i]; k++) {
			if (!was[k] || !beats(c, &p[k], &p[i], step) || !in[i])
				continue;
			in[i] = false;
			ret_lost[i] = (uint8_t)step;
		}
	}
}

/* Writes members (path ids) in order; the steps by path id. */
static unsigned int slow_select(const struct decision_config *c, const struct decision_path *p,
				unsigned int n, uint32_t *members, uint8_t *lost)
{
	const enum decision_step *steps = c->selection == SELECT_AZURE ? azure : rfc;
	bool in[PATHS] = { 0 }, left[PATHS];
	unsigned int found = 0, at;

	for (unsigned int i = 0; i < n; i++) {
		in[i] = p[i].usable;
		lost[i] = STEP_UNUSABLE;
	}
	for (at = 0; steps[at] != STEP_NONE; at++)
		one_step(c, p, n, steps[at], in, lost);
	memcpy(left, in, sizeof(left));
	for (;;) {
		bool race[PATHS];
		uint8_t ignored[PATHS];
		int winner = -1;

		memcpy(race, left, sizeof(race));
		for (unsigned int s = at + 1; steps[s] != STEP_MAX; s++)
			one_step(c, p, n, steps[s], race, found ? ignored : lost);
		for (unsigned int i = 0; i < n; i++)
			winner = race[i] ? (int)i : winner;
		if (winner < 0 || found == c->max_paths)
			return found;
		left[winner] = false;
		lost[winner] = STEP_NONE;
		members[found++] = (uint32_t)winner;
	}
}

static void compare(const struct decision_config *c, const struct decision_path *p, unsigned int n,
		    const unsigned int *order)
{
	struct decision_path shuffled[PATHS];
	struct decision_result result;
	uint32_t members[PATHS];
	uint8_t lost[PATHS], want[PATHS];
	unsigned int n_members = slow_select(c, p, n, members, want);

	for (unsigned int i = 0; i < n; i++)
		shuffled[i] = p[order[i]];
	decision_select(c, shuffled, n, &result, lost);
	cr_assert_eq(result.n_multipath, n_members);
	cr_assert_eq(result.best < 0, !n_members);
	for (unsigned int i = 0; i < n_members; i++)
		cr_assert_eq(order[result.multipath[i]], members[i], "member %u", i);
	for (unsigned int i = 0; i < n; i++)
		cr_assert_eq(lost[i], want[order[i]], "%s, not %s", decision_step_name(lost[i]),
			     decision_step_name(want[order[i]]));
}

static void all_orders(const struct decision_config *c, const struct decision_path *p,
		       unsigned int n, unsigned int *order, unsigned int fixed)
{
	if (fixed == n) {
		compare(c, p, n, order);
		return;
	}
	for (unsigned int i = fixed; i < n; i++) {
		unsigned int swap = order[fixed];

		order[fixed] = order[i];
		order[i] = swap;
		all_orders(c, p, n, order, fixed + 1);
		order[i] = order[fixed];
		order[fixed] = swap;
	}
}

static void run(enum path_selection selection)
{
	for (unsigned int round = 0; round < 2500; round++) {
		struct decision_config config = { .selection = selection,
						  .hub_preference = (enum hub_preference)rnd(3),
						  .always_compare_med = rnd(3) == 0,
						  .max_paths = 1 + rnd(4) };
		struct decision_path paths[PATHS];
		unsigned int order[PATHS] = { 0, 1, 2, 3, 4 };
		unsigned int n = 1 + rnd(PATHS);

		for (unsigned int i = 0; i < n; i++)
			paths[i] = random_path(i);
		all_orders(&config, paths, n, order, 0);
	}
}

Test(model_decision, azure_in_all_orders)
{
	state = 11;
	run(SELECT_AZURE);
}

Test(model_decision, rfc4271_in_all_orders)
{
	state = 12;
	run(SELECT_RFC4271);
}
