// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decision process (RFC 4271 9.1.2.2, with the steps that later RFCs and the hub routing preference
 * add). loc_rib.c calls it for each prefix with more than one path. Selection is by elimination: each
 * step drops what is worse than the best that is left, so neither order nor history of the paths can
 * matter. The steps before MED are total orders, so that one number of a path stands for all of them. Must
 * never look at anything but its arguments.
 */
#include "rib/decision.h"

#include <string.h>

static const char *const role_names[] = {
	[PEER_NVA] = "nva",
	[PEER_EXPRESS_ROUTE] = "expressRoute",
	[PEER_VPN_GATEWAY] = "vpnGateway",
	[PEER_REFLECTOR] = "reflector",
	[PEER_AGENT] = "agent",
};

const char *peer_role_name(enum peer_role role)
{
	return role_names[role];
}

static const struct {
	const char *name, *text;
} step_texts[STEP_MAX] = {
	[STEP_NONE] = { "none", "no step told them apart" },
	[STEP_UNUSABLE] = { "unusable", "the path may not be used" },
	[STEP_LLGR_STALE] = { "llgrStale", "a long-lived stale path comes last (RFC 9494 4.3)" },
	[STEP_GRACEFUL_SHUTDOWN] = { "gracefulShutdown", "GRACEFUL_SHUTDOWN makes a path the last "
							 "choice (RFC 8326 4)" },
	[STEP_WEIGHT] = { "weight", "the higher weight from a route map wins" },
	[STEP_HUB_PREFERENCE] = { "hubRoutingPreference",
				  "hubRoutingPreference prefers the other peering's role" },
	[STEP_LOCAL_PREF] = { "localPref", "the higher LOCAL_PREF wins (RFC 4271 9.1.1)" },
	[STEP_AS_PATH_LENGTH] = { "asPathLength", "the shorter AS_PATH wins (RFC 4271 9.1.2.2 a)" },
	[STEP_ORIGIN] = { "origin", "the lower ORIGIN wins (RFC 4271 9.1.2.2 b)" },
	[STEP_MED] = { "med",
		       "the lower MULTI_EXIT_DISC of one neighbour AS wins (RFC 4271 9.1.2.2 c)" },
	[STEP_EBGP] = { "ebgp", "eBGP wins over iBGP (RFC 4271 9.1.2.2 d)" },
	[STEP_IGP_COST] = { "igpCost", "the nearer next hop wins (RFC 4271 9.1.2.2 e)" },
	[STEP_ROUTER_ID] = { "routerId", "the lower BGP Identifier wins (RFC 4271 9.1.2.2 f)" },
	[STEP_CLUSTER_LIST] = { "clusterList", "the shorter CLUSTER_LIST wins (RFC 4456 9)" },
	[STEP_PEER_ADDRESS] = { "peerAddress", "the lower peer address wins (RFC 4271 9.1.2.2 g)" },
	[STEP_PATH_ID] = { "pathId", "the lower path identifier wins (RFC 7911)" },
};

const char *decision_step_name(enum decision_step step)
{
	return step_texts[step].name;
}

const char *decision_step_text(enum decision_step step)
{
	return step_texts[step].text;
}

/* --- ranks: the steps before MED as one number; the lower is better ------------------------------ */

typedef unsigned __int128 rank_t;

static rank_t flag(const struct decision_path *p, uint16_t bit)
{
	return !!(p->summary->flags & bit);
}

/* ExpressRoute beats the rest; VpnGateway: the rest beats ExpressRoute; ASPath: no difference. */
static unsigned int hub_rank(enum hub_preference preference, enum peer_role role)
{
	if (preference == HUB_EXPRESS_ROUTE)
		return role != PEER_EXPRESS_ROUTE;
	return preference == HUB_VPN_GATEWAY && role == PEER_EXPRESS_ROUTE;
}

static rank_t azure_rank(const struct decision_config *config, const struct decision_path *p)
{
	rank_t rank = flag(p, ATTR_SUM_LLGR_STALE);

	rank = rank << 1 | flag(p, ATTR_SUM_GRACEFUL_SHUTDOWN);
	rank = rank << 32 | (UINT32_MAX - p->weight);
	rank = rank << 1 | hub_rank(config->hub_preference, p->role);
	return rank << 16 | p->summary->as_path_len;
}

static rank_t rfc4271_rank(const struct decision_config *config, const struct decision_path *p)
{
	rank_t rank = flag(p, ATTR_SUM_LLGR_STALE);

	rank = rank << 1 | flag(p, ATTR_SUM_GRACEFUL_SHUTDOWN);
	rank = rank << 32 | (UINT32_MAX - p->weight);
	rank = rank << 32 | (UINT32_MAX - p->summary->local_pref);
	rank = rank << 16 | p->summary->as_path_len;
	return rank << 8 | p->summary->origin;
}

/* Which step a bit of a rank belongs to: those from `bit` up to the field before. */
struct field {
	unsigned int bit;
	enum decision_step step;
};

static const struct field azure_fields[] = {
	{ 50, STEP_LLGR_STALE },     { 49, STEP_GRACEFUL_SHUTDOWN }, { 17, STEP_WEIGHT },
	{ 16, STEP_HUB_PREFERENCE }, { 0, STEP_AS_PATH_LENGTH },
};

static const struct field rfc4271_fields[] = {
	{ 89, STEP_LLGR_STALE }, { 88, STEP_GRACEFUL_SHUTDOWN }, { 56, STEP_WEIGHT },
	{ 24, STEP_LOCAL_PREF }, { 8, STEP_AS_PATH_LENGTH },     { 0, STEP_ORIGIN },
};

/* --- comparisons behind them: < 0 when @a is better ------------------------------------------------ */

typedef int (*compare_fn)(const struct decision_config *config, const struct decision_path *a,
			  const struct decision_path *b);

static int lower(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int higher(uint64_t a, uint64_t b)
{
	return lower(b, a);
}

/* Comparable only between paths of one neighbour AS: the one step that is no total order. */
static int by_med(const struct decision_config *config, const struct decision_path *a,
		  const struct decision_path *b)
{
	if (!config->always_compare_med && a->summary->neighbour_as != b->summary->neighbour_as)
		return 0;
	return lower(a->summary->med, b->summary->med);
}

static int by_ebgp(const struct decision_config *config, const struct decision_path *a,
		   const struct decision_path *b)
{
	return higher(a->ebgp, b->ebgp);
}

static int by_igp_cost(const struct decision_config *config, const struct decision_path *a,
		       const struct decision_path *b)
{
	return lower(a->igp_cost, b->igp_cost);
}

static int by_router_id(const struct decision_config *config, const struct decision_path *a,
			const struct decision_path *b)
{
	return lower(a->router_id, b->router_id);
}

static int by_cluster_list(const struct decision_config *config, const struct decision_path *a,
			   const struct decision_path *b)
{
	return lower(a->summary->cluster_len, b->summary->cluster_len);
}

static int by_peer_address(const struct decision_config *config, const struct decision_path *a,
			   const struct decision_path *b)
{
	return ip_cmp(&a->peer, &b->peer);
}

static int by_path_id(const struct decision_config *config, const struct decision_path *a,
		      const struct decision_path *b)
{
	return lower(a->path_id, b->path_id);
}

/* --- the two orders of steps ----------------------------------------------------------------- */

struct step {
	enum decision_step step;
	compare_fn compare;
	bool orders_only; /* paths that differ only from here on share the load */
};

static const struct step azure_steps[] = {
	{ STEP_ROUTER_ID, by_router_id, true },
	{ STEP_PEER_ADDRESS, by_peer_address, true },
	{ STEP_PATH_ID, by_path_id, true },
	{ STEP_NONE, NULL, false },
};

static const struct step rfc4271_steps[] = {
	{ STEP_MED, by_med, false },
	{ STEP_EBGP, by_ebgp, false },
	{ STEP_IGP_COST, by_igp_cost, true },
	{ STEP_ROUTER_ID, by_router_id, true },
	{ STEP_CLUSTER_LIST, by_cluster_list, true },
	{ STEP_PEER_ADDRESS, by_peer_address, true },
	{ STEP_PATH_ID, by_path_id, true },
	{ STEP_NONE, NULL, false },
};

struct order { /* all steps behind STEP_UNUSABLE */
	rank_t (*rank)(const struct decision_config *config, const struct decision_path *p);
	const struct field *fields;
	const struct step *steps; /* behind the rank */
};

static const struct order orders[] = {
	[SELECT_AZURE] = { azure_rank, azure_fields, azure_steps },
	[SELECT_RFC4271] = { rfc4271_rank, rfc4271_fields, rfc4271_steps },
};

/* The first step at which two different ranks differ. */
static enum decision_step step_of(const struct order *order, rank_t a, rank_t b)
{
	const struct field *field = order->fields;

	while (!((a ^ b) >> field->bit))
		field++;
	return field->step;
}

static int compare_from(const struct decision_config *config, const struct step *s,
			const struct decision_path *a, const struct decision_path *b,
			enum decision_step *ret_step)
{
	for (; s->compare; s++) {
		int order = s->compare(config, a, b);

		if (order) {
			*ret_step = s->step;
			return order;
		}
	}
	*ret_step = STEP_NONE;
	return 0;
}

int decision_compare(const struct decision_config *config, const struct decision_path *a,
		     const struct decision_path *b, enum decision_step *ret_step)
{
	const struct order *order = &orders[config->selection];
	rank_t x = order->rank(config, a), y = order->rank(config, b);

	if (a->usable != b->usable) {
		*ret_step = STEP_UNUSABLE;
		return a->usable ? -1 : 1;
	}
	if (x != y) {
		*ret_step = step_of(order, x, y);
		return x < y ? -1 : 1;
	}
	return compare_from(config, order->steps, a, b, ret_step);
}

/* --- selection -------------------------------------------------------------------------------- */

/* Marks of a path that is still in the race; above every real step. */
#define IN_RACE UINT8_MAX

/* The best of those left, or -1 when the step does not tell any of them apart. */
static int best_left(const struct decision_config *config, const struct step *s,
		     const struct decision_path *paths, size_t n, const uint8_t *lost_at)
{
	bool differ = false;
	int best = -1;

	for (size_t i = 0; i < n; i++) {
		int order;

		if (lost_at[i] != IN_RACE)
			continue;
		order = best < 0 ? -1 : s->compare(config, &paths[i], &paths[best]);
		differ |= best >= 0 && order;
		if (order < 0)
			best = (int)i;
	}
	return differ ? best : -1;
}

static void eliminate(const struct decision_config *config, const struct step *s,
		      const struct decision_path *paths, size_t n, uint8_t *lost_at)
{
	int best = best_left(config, s, paths, n, lost_at);

	for (size_t i = 0; i < n && best >= 0; i++) {
		if (lost_at[i] == IN_RACE && s->compare(config, &paths[i], &paths[best]) > 0)
			lost_at[i] = s->step;
	}
}

/*
 * RFC 4271 9.1.2.2 c: "remove all routes that are less preferred": a path goes when any other path of
 * its neighbour AS that reached this step has a lower MED. The first of a group finds its minimum.
 */
static void eliminate_by_med(const struct decision_config *config,
			     const struct decision_path *paths, size_t n, uint8_t *lost_at)
{
	for (size_t i = 0; i < n; i++) {
		size_t low = i;

		if (lost_at[i] != IN_RACE)
			continue;
		for (size_t k = i + 1; k < n; k++) {
			if (lost_at[k] == IN_RACE && by_med(config, &paths[k], &paths[low]) < 0)
				low = k;
		}
		for (size_t k = i; k < n; k++) {
			if (lost_at[k] == IN_RACE && by_med(config, &paths[k], &paths[low]) > 0)
				lost_at[k] = STEP_MED;
		}
	}
}

/* Keeps the @max members that come first, in canonical order, which @order and the steps behind it make. */
static void add_member(const struct decision_config *config, const struct step *order,
		       const struct decision_path *paths, struct decision_result *result,
		       unsigned int max, uint32_t index)
{
	unsigned int at = result->n_multipath;
	enum decision_step step;

	while (at > 0 && compare_from(config, order, &paths[index],
				      &paths[result->multipath[at - 1]], &step) < 0)
		at--;
	if (at >= max)
		return;
	if (result->n_multipath < max)
		result->n_multipath++;
	memmove(&result->multipath[at + 1], &result->multipath[at],
		(result->n_multipath - 1 - at) * sizeof(result->multipath[0]));
	result->multipath[at] = index;
}

/*
 * All that are left share; who does not fit into max_paths lost where the order was decided. No step before
 * @order tells any two of them apart.
 */
static void finish(const struct decision_config *config, const struct step *order,
		   const struct decision_path *paths, size_t n, struct decision_result *result,
		   uint8_t *lost_at)
{
	unsigned int max = config->max_paths;
	enum decision_step step;

	max = max < 1 ? 1 : max > DECISION_MULTIPATH_MAX ? DECISION_MULTIPATH_MAX : max;
	for (size_t i = 0; i < n; i++) {
		if (lost_at[i] == IN_RACE)
			add_member(config, order, paths, result, max, (uint32_t)i);
	}
	if (!result->n_multipath)
		return;
	result->best = (int)result->multipath[0];
	for (unsigned int k = 0; k < result->n_multipath; k++)
		lost_at[result->multipath[k]] = STEP_NONE;
	for (size_t i = 0; i < n; i++) {
		if (lost_at[i] != IN_RACE)
			continue;
		compare_from(config, order, &paths[result->best], &paths[i], &step);
		lost_at[i] = (uint8_t)step;
	}
}

/* What the ranks say: those with the best one stay in the race. */
static void eliminate_by_rank(const struct decision_config *config,
			      const struct decision_path *paths, size_t n, uint8_t *lost_at)
{
	const struct order *order = &orders[config->selection];
	rank_t best = ~(rank_t)0;

	for (size_t i = 0; i < n; i++) {
		rank_t rank = order->rank(config, &paths[i]);

		if (paths[i].usable && rank < best)
			best = rank;
	}
	for (size_t i = 0; i < n; i++) {
		rank_t rank = order->rank(config, &paths[i]);

		if (!paths[i].usable)
			lost_at[i] = STEP_UNUSABLE;
		else
			lost_at[i] = rank == best ? IN_RACE : (uint8_t)step_of(order, rank, best);
	}
}

void decision_select(const struct decision_config *config, const struct decision_path *paths,
		     size_t n, struct decision_result *ret_result, uint8_t *ret_lost_at)
{
	struct decision_result result = { .best = -1 };
	const struct step *s = orders[config->selection].steps;

	eliminate_by_rank(config, paths, n, ret_lost_at);
	for (; s->compare && !s->orders_only; s++) {
		if (s->step == STEP_MED)
			eliminate_by_med(config, paths, n, ret_lost_at);
		else
			eliminate(config, s, paths, n, ret_lost_at);
	}
	finish(config, s, paths, n, &result, ret_lost_at);
	*ret_result = result;
}

/* How far a loser came: those that only the order of members tells apart came equally far. */
static unsigned int reached(uint8_t lost_at)
{
	return lost_at > STEP_IGP_COST ? STEP_MAX : lost_at;
}

bool decision_keep_next(const uint8_t *lost_at, size_t n, struct decision_path *paths)
{
	unsigned int far = STEP_UNUSABLE;

	for (size_t i = 0; i < n; i++) {
		if (reached(lost_at[i]) > far)
			far = reached(lost_at[i]);
	}
	for (size_t i = 0; i < n; i++)
		paths[i].usable &= reached(lost_at[i]) == far;
	return far > STEP_UNUSABLE;
}
