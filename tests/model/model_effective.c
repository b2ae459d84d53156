// SPDX-License-Identifier: GPL-2.0-only
/*
 * Precedence against the rules of effective.h written down one after the other, without tables,
 * sorting or search. Random vnets over a small set of prefixes, so that everything overlaps.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "vnet/effective.h"

/* BGP offers this group, whoever announced it. */
#define OFFER(g) (&(struct rib_offer){ .group = (g), .from = { (g), (g) } })

#define LIST     6

struct model {
	unsigned int seed, random;
	struct ip_prefix own[LIST], peered[LIST], protected[LIST];
	struct user_route routes[LIST];
	uint32_t group[LIST];
	struct vnet_config vnet;
	struct route_table_config config;
	size_t n_peered;
};

static unsigned int rnd(struct model *m, unsigned int n)
{
	return (unsigned int)rand_r(&m->random) / 7 % n;
}

/* A default, or one of few bits: 1 in 4 a default, both families. */
static struct ip_prefix random_prefix(struct model *m)
{
	struct ip_addr addr = { .family = rnd(m, 2) ? IP_V4 : IP_V6 };

	addr.bytes[0] = (uint8_t)(rnd(m, 4) << 6);
	return prefix_of(&addr, (uint8_t)rnd(m, 4));
}

static void random_list(struct model *m, struct ip_prefix *list, size_t *ret_n)
{
	*ret_n = rnd(m, LIST);
	for (size_t i = 0; i < *ret_n; i++)
		list[i] = random_prefix(m);
}

static void make_model(struct model *m, unsigned int seed)
{
	memset(m, 0, sizeof(*m));
	m->seed = m->random = seed;
	m->vnet.prefixes = m->own;
	m->vnet.protected_prefixes = m->protected;
	m->config.routes = m->routes;
	random_list(m, m->own, &m->vnet.n_prefixes);
	random_list(m, m->peered, &m->n_peered);
	random_list(m, m->protected, &m->vnet.n_protected);
	m->vnet.n_protected /= 2;
	m->config.disable_bgp_propagation = rnd(m, 4) == 0;
	m->config.allow_own_prefixes = rnd(m, 3) == 0;
	m->config.n_routes = rnd(m, LIST);
	for (size_t i = 0; i < m->config.n_routes; i++) {
		m->routes[i].prefix = random_prefix(m);
		m->routes[i].type = (enum next_hop_type)rnd(m, NEXT_HOP_TYPE_MAX);
		m->group[i] = rnd(m, 3);
	}
}

static bool any_covers(const struct ip_prefix *list, size_t n, const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < n; i++) {
		if (prefix_covers(&list[i], prefix))
			return true;
	}
	return false;
}

static bool any_equal(const struct ip_prefix *list, size_t n, const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < n; i++) {
		if (prefix_equal(&list[i], prefix))
			return true;
	}
	return false;
}

static int first_user_route(const struct model *m, const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < m->config.n_routes; i++) {
		if (prefix_equal(&m->routes[i].prefix, prefix))
			return (int)i;
	}
	return -1;
}

/* What is installed by the rules, read from top to bottom. False: nothing. */
static bool naive(const struct model *m, const struct ip_prefix *prefix, uint32_t bgp,
		  struct xrs_route *ret_route)
{
	bool own = any_covers(m->own, m->vnet.n_prefixes, prefix) ||
		   any_covers(m->peered, m->n_peered, prefix);
	int user = first_user_route(m, prefix);

	*ret_route = (struct xrs_route){ .source = XRS_SOURCE_SYSTEM };
	if (any_covers(m->protected, m->vnet.n_protected, prefix)) {
		ret_route->kind = XRS_ROUTE_PROTECTED;
		return any_equal(m->protected, m->vnet.n_protected, prefix);
	}
	if (user >= 0) {
		enum next_hop_type type = m->routes[user].type;
		bool steers = type == NEXT_HOP_VIRTUAL_APPLIANCE ||
			      type == NEXT_HOP_VIRTUAL_NETWORK_GATEWAY;

		ret_route->source = XRS_SOURCE_USER;
		ret_route->group = steers ? m->group[user] : 0;
		ret_route->kind = steers                        ? XRS_ROUTE_STEER
				  : type == NEXT_HOP_NONE       ? XRS_ROUTE_DROP
				  : type == NEXT_HOP_VNET_LOCAL ? XRS_ROUTE_LOCAL
								: XRS_ROUTE_INTERNET;
		if (!steers || ret_route->group)
			return true;
	}
	if (bgp && !m->config.disable_bgp_propagation && (!own || m->config.allow_own_prefixes)) {
		*ret_route = (struct xrs_route){ .kind = XRS_ROUTE_STEER,
						 .group = bgp,
						 .source = XRS_SOURCE_BGP };
		return true;
	}
	*ret_route = (struct xrs_route){ .kind = XRS_ROUTE_LOCAL };
	if (any_equal(m->own, m->vnet.n_prefixes, prefix) ||
	    any_equal(m->peered, m->n_peered, prefix))
		return true;
	ret_route->kind = XRS_ROUTE_INTERNET;
	return prefix->len == 0;
}

static unsigned int naive_candidates(const struct model *m, const struct ip_prefix *prefix,
				     uint32_t bgp)
{
	bool system = any_equal(m->own, m->vnet.n_prefixes, prefix) ||
		      any_equal(m->peered, m->n_peered, prefix) || prefix->len == 0;

	return any_equal(m->protected, m->vnet.n_protected, prefix) +
	       (first_user_route(m, prefix) >= 0) + (bgp != 0) + system;
}

static void check_prefix(const struct model *m, const struct effective_table *table,
			 const struct ip_prefix *prefix, uint32_t bgp)
{
	struct xrs_route expected, route;
	struct effective_result result;
	char text[PREFIX_TEXT_MAX];
	unsigned int active = 0;

	prefix_format(prefix, text);
	effective_decide(table, prefix, OFFER(bgp), &result);
	for (unsigned int i = 0; i < result.n_candidates; i++)
		active += result.candidates[i].reason == EFFECTIVE_NONE;
	cr_assert_eq(active, result.winner >= 0, "seed %u %s", m->seed, text);
	cr_assert_eq(result.n_candidates, naive_candidates(m, prefix, bgp), "seed %u %s", m->seed,
		     text);
	cr_assert_eq(effective_is_fixed(table, prefix), naive_candidates(m, prefix, 0) > 0,
		     "seed %u %s", m->seed, text);
	cr_assert_eq(effective_route(&result, &route), naive(m, prefix, bgp, &expected),
		     "seed %u %s", m->seed, text);
	if (result.winner >= 0)
		cr_assert(route.kind == expected.kind && route.group == expected.group &&
				  route.source == expected.source,
			  "seed %u %s: kind %u, not %u", m->seed, text, route.kind, expected.kind);
}

/* Every prefix of the universe, with and without BGP. */
static void check_all(const struct model *m, const struct effective_table *table)
{
	for (int family = 0; family < 2; family++) {
		for (unsigned int bits = 0; bits < 8; bits++) {
			struct ip_addr addr = { .family = family ? IP_V6 : IP_V4 };

			addr.bytes[0] = (uint8_t)(bits << 5);
			for (uint8_t len = 0; len <= 4; len++) {
				struct ip_prefix prefix = prefix_of(&addr, len);

				check_prefix(m, table, &prefix, 0);
				check_prefix(m, table, &prefix, 5);
			}
		}
	}
}

Test(effective_model, random_vnets)
{
	for (unsigned int seed = 1; seed <= 3000; seed++) {
		struct effective_table *table;
		struct model m;

		make_model(&m, seed);
		table = effective_table_new(&m.vnet, &m.config, m.peered, m.n_peered);
		cr_assert_not_null(table);
		for (size_t i = 0; i < m.config.n_routes; i++)
			effective_set_user_group(table, i, m.group[i]);
		check_all(&m, table);
		effective_table_free(table);
	}
}

/* Whenever two tables claim to treat BGP alike, prefixes that are fixed in neither must come out alike. */
Test(effective_model, same_for_bgp_keeps_its_word)
{
	unsigned int same = 0;

	for (unsigned int seed = 1; seed <= 3000; seed++) {
		struct effective_table *a, *b;
		struct model m, other;

		make_model(&m, seed);
		make_model(&other, seed);
		other.random = seed * 31;
		if (rnd(&other, 2))
			random_list(&other, other.peered, &other.n_peered);
		other.config.n_routes = 0;
		a = effective_table_new(&m.vnet, &m.config, m.peered, m.n_peered);
		b = effective_table_new(&other.vnet, &other.config, other.peered, other.n_peered);
		if (effective_same_for_bgp(a, b)) {
			same++;
			for (unsigned int i = 0; i < 64; i++) {
				struct ip_prefix prefix = random_prefix(&m);
				struct effective_result x, y;

				if (effective_is_fixed(a, &prefix) ||
				    effective_is_fixed(b, &prefix))
					continue;
				effective_decide(a, &prefix, OFFER(5), &x);
				effective_decide(b, &prefix, OFFER(5), &y);
				cr_assert_eq(x.candidates[0].reason, y.candidates[0].reason,
					     "seed %u", seed);
			}
		}
		effective_table_free(a);
		effective_table_free(b);
	}
	cr_assert(same > 500);
}
