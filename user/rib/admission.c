// SPDX-License-Identifier: GPL-2.0-only
/*
 * What admission makes of a received set of attributes: loop check, route leaks, inbound map, own next hop.
 * learn.c asks for each section of an UPDATE, walk.c again when a map or our own identity changed. Must
 * never touch a path: what is made of the answer is the caller's.
 */
#include <stdlib.h>

#include "rib_internal.h"

/* RFC 4271 9.1.2 (AS loop) and RFC 4456 8 (reflection loop). */
static bool is_loop(const struct rib *rib, const struct bgp_attrs *attrs)
{
	if (aspath_contains(attrs->as_path, rib->config.local_asn))
		return true;
	if (attrs->has & BGP_HAS_ORIGINATOR_ID && attrs->originator_id == rib->config.local_id)
		return true;
	/* CLUSTER_LIST has the shape of COMMUNITIES: numbers of four octets. */
	return community_contains(attrs->cluster_list, rib->config.local_id);
}

static bool is_own_address(const struct rib *rib, const struct rib_peer *peer,
			   const struct ip_addr *addr)
{
	if (addr->family && ip_equal(addr, &peer->source))
		return true;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		if (addr->family && ip_equal(addr, &rib->config.local_addr[f]))
			return true;
	}
	return false;
}

/* Few distinct ones: they come from the configuration. Too many: the rest counts as none. */
static uint16_t weight_index(struct rib *rib, uint32_t weight)
{
	uint32_t *grown;

	for (uint32_t i = 0; i < rib->n_weights; i++) {
		if (rib->weights[i] == weight)
			return (uint16_t)i;
	}
	if (rib->n_weights > UINT16_MAX)
		return 0;
	grown = reallocarray(rib->weights, rib->n_weights + 1, sizeof(*grown));
	if (!grown)
		return 0;
	rib->weights = grown;
	grown[rib->n_weights] = weight;
	return (uint16_t)rib->n_weights++;
}

static void apply_inbound_map(struct rib *rib, const struct route_map *map,
			      const struct ip_prefix *prefix, const struct bgp_attrs *attrs,
			      struct admission *a)
{
	struct policy_result *result = &rib->policy;

	route_map_apply(map, prefix, attrs, result, NULL);
	a->rule = result->last_rule;
	if (!result->permit) {
		attr_store_unref(rib->attrs, a->attrs);
		a->attrs = ATTR_NONE;
		a->state = RIB_PATH_FILTERED;
		return;
	}
	a->weight = weight_index(rib, result->weight);
	if (!result->changed)
		return;
	attr_store_unref(rib->attrs, a->attrs);
	a->attrs = attr_store_intern(rib->attrs, &result->attrs);
	a->failed = a->attrs == ATTR_NONE;
}

/* RFC 9234 5: before the inbound map, which can not take it away again. */
static void add_otc(struct rib *rib, const struct rib_peer *peer, struct bgp_attrs *attrs,
		    struct admission *a)
{
	uint32_t bare = a->attrs;

	attrs->has |= BGP_HAS_OTC;
	attrs->otc = peer->params.peer_asn;
	a->attrs = attr_store_intern(rib->attrs, attrs);
	a->failed = a->attrs == ATTR_NONE;
	attr_store_unref(rib->attrs, bare);
}

struct admission rib_admit(struct rib *rib, const struct rib_peer *peer,
			   const struct ip_prefix *prefix, uint32_t attrs_in,
			   const struct bgp_attrs *received)
{
	struct admission a = { .state = RIB_PATH_OK, .attrs = attrs_in, .rule = -1 };
	struct bgp_attrs attrs = *received;

	attr_store_ref(rib->attrs, attrs_in);
	if (is_loop(rib, &attrs)) {
		a.state = RIB_PATH_LOOP;
		return a;
	}
	if (otc_leaks_in(peer, &attrs)) {
		a.state = RIB_PATH_OTC_LEAK;
		return a;
	}
	if (otc_rule(peer).add_in && !(attrs.has & BGP_HAS_OTC)) {
		add_otc(rib, peer, &attrs, &a);
		if (a.failed)
			return a;
	}
	if (peer->config.in) {
		apply_inbound_map(rib, peer->config.in, prefix, &attrs, &a);
		if (a.state != RIB_PATH_OK || a.failed)
			return a;
		attrs.next_hop = rib->policy.attrs.next_hop;
	}
	if (is_own_address(rib, peer, &attrs.next_hop))
		a.state = RIB_PATH_NEXTHOP_SELF;
	return a;
}

/* RFC 9494 4.3: the mark goes to the path as it is used and told, not to what was received. */
void rib_mark_llgr_stale(struct rib *rib, struct admission *a)
{
	uint8_t buf[POLICY_SCRATCH];
	struct bgp_attrs attrs;

	if (a->failed || !a->attrs ||
	    attr_store_summary(rib->attrs, a->attrs)->flags & ATTR_SUM_LLGR_STALE)
		return;
	attr_store_get(rib->attrs, a->attrs, &attrs);
	if (community_add(&attrs, BGP_COMM_LLGR_STALE, buf, sizeof(buf)) < 0)
		return;
	attr_store_unref(rib->attrs, a->attrs);
	a->attrs = attr_store_intern(rib->attrs, &attrs);
	a->failed = a->attrs == ATTR_NONE;
}
