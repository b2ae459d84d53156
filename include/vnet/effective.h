/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Precedence: which route wins for a prefix in one route table, why the others lost, and what the maps
 * should hold for it. Pure, and without memory of what was decided before: the same
 * input always gives the same answer, so the owner asks again whenever something changed.
 *
 * Candidates for a prefix, strongest first; each exists at most once:
 *   protected  one of the vnet's protectedPrefixes
 *   user       a route of the route table
 *   BGP        the group that the RIB offers for exactly this prefix
 *   system     VnetLocal for prefixes of the vnet and its peered vnets, Internet for 0.0.0.0/0 and ::/0
 * All but BGP are "fixed": known from the configuration. The longest match between prefixes is left to
 * the trie: a prefix without a valid candidate is not installed, and a shorter one answers.
 */
#ifndef XRS_VNET_EFFECTIVE_H
#define XRS_VNET_EFFECTIVE_H

#include "dataplane.h"
#include "vnet/vnet.h"

struct effective_table;

/* X(enumerator, name in the API, sentence). NONE: the candidate is active. */
#define EFFECTIVE_REASONS(X)                                                                  \
	X(NONE, "", "")                                                                       \
	X(PROTECTED, "Protected", "the prefix lies in the vnet's protectedPrefixes")          \
	X(PROPAGATION_DISABLED, "PropagationDisabled",                                        \
	  "the route table takes no BGP routes, or none from such a peering "                 \
	  "(disableBgpRoutePropagation, disablePropagationFrom)")                             \
	X(OWN_PREFIX, "OwnPrefix",                                                            \
	  "the prefix is equal to or inside addressPrefixes of the vnet or a peered vnet")    \
	X(NEXT_HOP_UNRESOLVED, "NextHopUnresolved",                                           \
	  "no next-hop group could be made: no gateway to go to, or the group table is full") \
	X(HELD, "Held", "its last path is lost, and the route table's persist holds it")      \
	X(LOST, "Lost", "its last path is lost, and the route table's persist drops it")      \
	X(USER_ROUTE, "UserRoute", "a user route for the same prefix wins")                   \
	X(BGP_ROUTE, "BgpRoute", "a BGP route for the same prefix wins")

enum effective_reason {
#define X(name, text, sentence) EFFECTIVE_##name,
	EFFECTIVE_REASONS(X)
#undef X
	EFFECTIVE_REASON_MAX,
};
const char *effective_reason_name(enum effective_reason reason); /* "OwnPrefix"; NONE: "" */
const char *effective_reason_text(enum effective_reason reason);
struct effective_candidate;
/* Why a candidate lost, or the remark of an active one. */
enum effective_reason effective_why(const struct effective_candidate *candidate);
/* Azure's words: "Default", "User", "VirtualNetworkGateway" (BGP). */
const char *effective_source_name(enum xrs_route_source source);

struct effective_candidate {
	enum xrs_route_source source; /* a protected prefix is XRS_SOURCE_SYSTEM */
	enum xrs_route_kind kind;
	enum effective_reason reason; /* EFFECTIVE_NONE: Active, else Invalid */
	enum effective_reason remark; /* of an active one: HELD, LOST or NONE */
	/* For people. BGP: VirtualNetworkGateway, as Azure shows it; a protected prefix: VnetLocal. */
	enum next_hop_type next_hop_type;
	struct ip_addr next_hop; /* of a user route to a VirtualAppliance, else IP_NONE */
	uint32_t group;          /* of XRS_ROUTE_STEER; 0: none */
	int user_route;          /* index in the route table's routes, or -1 */
};

#define EFFECTIVE_CANDIDATES_MAX 4
struct effective_result {
	unsigned int n_candidates;
	struct effective_candidate candidates[EFFECTIVE_CANDIDATES_MAX]; /* strongest first */
	int winner; /* index of the one that is active, or -1: the prefix is not installed */
};

/*
 * Copies what it needs of @vnet and @table. @peered: address prefixes of the peered vnets; duplicates
 * are fine. Of two user routes for one prefix the first counts. NULL: out of memory.
 */
struct effective_table *effective_table_new(const struct vnet_config *vnet,
					    const struct route_table_config *table,
					    const struct ip_prefix *peered, size_t n_peered);
void effective_table_free(struct effective_table *table);

/*
 * The next-hop group of user route number @route (index in route_table_config.routes), for types
 * VirtualAppliance (a group of its one address) and VirtualNetworkGateway (of the gateway peerings). The
 * caller holds the group's reference. 0, as at the beginning: there is none, the route is Invalid with
 * NextHopUnresolved, and weaker candidates count. A group without a live member is not 0: such frames
 * pass. True when it changed: decide the route's prefix again.
 */
bool effective_set_user_group(struct effective_table *table, size_t route, uint32_t group);

/*
 * Fixed candidates: the prefixes to decide when a table starts, in the order of prefix_cmp(). IPv4 and
 * IPv6 mixed.
 */
size_t effective_fixed_count(const struct effective_table *table);
const struct ip_prefix *effective_fixed_prefix(const struct effective_table *table, size_t index);
/* True: the prefix is among them (a walk over both skips it in the RIB). */
bool effective_is_fixed(const struct effective_table *table, const struct ip_prefix *prefix);

/* Decides one prefix. @offer: rib_offer(), all 0 when BGP offers nothing. */
void effective_decide(const struct effective_table *table, const struct ip_prefix *prefix,
		      const struct rib_offer *offer, struct effective_result *ret_result);
/*
 * Decides a prefix whose last path is lost, by the table's persist: steered to @group as before, or dropped
 * (GROUP_NONE). In everything else as if BGP offered it still.
 */
void effective_decide_lost(const struct effective_table *table, const struct ip_prefix *prefix,
			   uint32_t group, struct effective_result *ret_result);
/* What the table takes of an offer: a group, or GROUP_NONE for none of its sources. */
uint32_t effective_taken(const struct effective_table *table, const struct rib_offer *offer);
/* What the trie should hold (prefix_len and generation are 0); false: nothing. */
bool effective_route(const struct effective_result *result, struct xrs_route *ret_route);

/*
 * Reload. True: every prefix that is fixed in neither table is decided alike by both, so it suffices to
 * decide the fixed prefixes of the old and the new table again; false: all of the RIB's as well.
 */
bool effective_same_for_bgp(const struct effective_table *a, const struct effective_table *b);

#endif
