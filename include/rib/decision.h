/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision process: which of two paths is better and at which step that was decided. Never depends
 * on arrival: two hosts with the same paths choose the same, in the same order. Pure.
 *
 * azure:   hub routing preference by role, AS_PATH length; what is still equal shares (multipath), and
 *          router id, then peer address, only order the members.
 * rfc4271: LOCAL_PREF, AS_PATH length, ORIGIN, MED, eBGP over iBGP, IGP cost, router id, CLUSTER_LIST
 *          length (RFC 4456), peer address; multipath keeps those equal down to MED (and eBGP/iBGP).
 */
#ifndef XRS_RIB_DECISION_H
#define XRS_RIB_DECISION_H

#include "rib/attr_store.h"

enum peer_role {
	PEER_NVA,
	PEER_EXPRESS_ROUTE,
	PEER_VPN_GATEWAY,
	PEER_REFLECTOR,
	PEER_AGENT
};
const char *peer_role_name(enum peer_role role); /* "nva", "expressRoute", ... */

enum hub_preference {
	HUB_EXPRESS_ROUTE,
	HUB_VPN_GATEWAY,
	HUB_AS_PATH
};
enum path_selection {
	SELECT_AZURE,
	SELECT_RFC4271
};

enum decision_step {     /* in the order in which they are tried; a name for each for explain */
	STEP_NONE = 0,   /* no contest, or equal in every step */
	STEP_UNUSABLE,   /* one of them may not be used at all */
	STEP_LLGR_STALE, /* RFC 9494: stale paths last */
	STEP_GRACEFUL_SHUTDOWN, /* RFC 8326: last choice */
	STEP_WEIGHT,            /* route map weight: higher wins */
	STEP_HUB_PREFERENCE,
	STEP_LOCAL_PREF,
	STEP_AS_PATH_LENGTH,
	STEP_ORIGIN,
	STEP_MED,
	STEP_EBGP,
	STEP_IGP_COST,
	STEP_ROUTER_ID,
	STEP_CLUSTER_LIST,
	STEP_PEER_ADDRESS,
	STEP_PATH_ID,
	STEP_MAX,
};
const char *decision_step_name(enum decision_step step); /* "asPathLength" */
const char *decision_step_text(enum decision_step step); /* a sentence, with the RFC section */

struct decision_config {
	enum path_selection selection;
	enum hub_preference hub_preference;
	bool always_compare_med;
	unsigned int max_paths; /* 1..16 */
	bool link_bandwidth;    /* members share in proportion to it when each of them has one */
};

struct decision_path { /* everything that selection looks at */
	const struct attr_summary *summary;
	enum peer_role role;
	bool usable;
	bool ebgp;
	uint32_t weight;
	uint32_t igp_cost;
	uint32_t router_id; /* ORIGINATOR_ID when present (RFC 4456), else the peer's identifier */
	struct ip_addr peer;
	uint32_t path_id;
};

/* < 0: @a is better; > 0: @b; 0: equal in every step. *ret_step says where it was decided. */
int decision_compare(const struct decision_config *config, const struct decision_path *a,
		     const struct decision_path *b, enum decision_step *ret_step);

#define DECISION_MULTIPATH_MAX 16
struct decision_result {
	int best;                 /* index, or -1 */
	unsigned int n_multipath; /* members, the best first, then in canonical order */
	uint32_t multipath[DECISION_MULTIPATH_MAX];
};
/*
 * Selects among any number of paths. MED is compared within groups of one neighbour AS as RFC 4271
 * 9.1.2.2 c wants it: deterministic. @ret_lost_at has room for @n: enum decision_step at which each
 * lost; STEP_NONE for the members. Time is O(n) for each step.
 */
void decision_select(const struct decision_config *config, const struct decision_path *paths,
		     size_t n, struct decision_result *ret_result, uint8_t *ret_lost_at);

/*
 * After decision_select() of SELECT_AZURE: makes all unusable but those that would be selected next, without
 * the members, or that compete for it: who lost earlier is worse than who lost later. False: none is left.
 */
bool decision_keep_next(const uint8_t *lost_at, size_t n, struct decision_path *paths);

#endif
