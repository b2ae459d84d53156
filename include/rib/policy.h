/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Route maps (Azure's model): ordered rules of match conditions, an action and a
 * next step. Inbound they run on what Adj-RIB-In holds; outbound after selection. Pure.
 */
#ifndef XRS_RIB_POLICY_H
#define XRS_RIB_POLICY_H

#include "bgp/aspath.h"
#include "bgp/community.h"

enum policy_op {
	POLICY_EQUALS,
	POLICY_CONTAINS
};

struct policy_prefix { /* a list: any one that matches is enough */
	struct ip_prefix prefix;
	enum policy_op op; /* contains: the prefix and all more specific, within ge..le */
	uint8_t ge, le;    /* 0: not given */
};

/* equals: the route has all that are listed; contains: any of them. n = 0: no condition. */
struct policy_match {
	struct policy_prefix *prefixes;
	size_t n_prefixes;
	enum policy_op community_op;
	uint32_t *communities;
	size_t n_communities;
	enum policy_op large_op;
	struct bgp_large_community *large;
	size_t n_large;
	enum policy_op as_path_op; /* equals: the sequence as listed; contains: any of them */
	uint32_t *as_path;
	size_t n_as_path;
	bool as_path_given; /* equals with an empty list matches the empty path */
};

enum policy_list_action {
	POLICY_LIST_NONE,
	POLICY_LIST_ADD,
	POLICY_LIST_REPLACE,
	POLICY_LIST_REMOVE
};

struct policy_rule {
	char name[32]; /* for explain; may be empty */
	struct policy_match match;
	bool drop;                              /* else modify */
	enum policy_list_action as_path_action; /* ADD: prepend in listed order; REPLACE */
	uint32_t *as_path;
	size_t n_as_path;
	enum policy_list_action community_action;
	uint32_t *communities;
	size_t n_communities;
	enum policy_list_action large_action;
	struct bgp_large_community *large;
	size_t n_large;
	bool set_med, set_local_pref, set_next_hop, set_weight;
	uint32_t med, local_pref, weight;
	struct ip_addr next_hop;
	bool terminate; /* next: terminate; else continue */
};

struct route_map {
	char name[64];
	struct policy_rule *rules;
	size_t n_rules;
};

void route_map_done(struct route_map *map); /* frees what it points to */
bool route_map_equal(const struct route_map *a, const struct route_map *b);

#define POLICY_SCRATCH 8192
struct policy_result {
	bool permit;
	bool changed;           /* attrs differ from the input */
	int last_rule;          /* index of the last rule that matched, or -1: explain names it */
	uint32_t weight;        /* 0 unless set */
	struct bgp_attrs attrs; /* blobs may point into scratch: intern before the next call */
	uint8_t scratch[POLICY_SCRATCH];
};

/* @verdicts (may be NULL): one octet a rule: 0 not reached, 1 no match, 2 matched; for explain and tests. */
void route_map_apply(const struct route_map *map, const struct ip_prefix *prefix,
		     const struct bgp_attrs *attrs, struct policy_result *ret_result,
		     uint8_t *verdicts);

#endif
