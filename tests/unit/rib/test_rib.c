// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RIB as its callers see it: what a person would ask of a route server, one sentence a test. The
 * exhaustive comparison is tests/model/model_rib.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rib_lab.h"

static struct lab lab;

static void setup(void)
{
	lab_start(&lab);
}

static void teardown(void)
{
	lab_stop(&lab);
}

TestSuite(rib, .init = setup, .fini = teardown);

static struct rib_peer_counts counts(uint16_t peer)
{
	return rib_peer_counts(lab.rib, peer, BGP_IPV4_UNICAST);
}

static void local(const char *text)
{
	struct ip_prefix prefix = lab_prefix(text);

	cr_assert_eq(rib_set_local(lab.rib, RIB_LOCAL_VNET, &prefix, 1), 0);
}

/* --- selection ----------------------------------------------------------------------------------- */

Test(rib, equal_paths_share_and_a_longer_one_is_the_backup)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2),
		 c = lab_peer(&lab, 65003, 3);

	lab_announce(&lab, c, "10.250.0.0/16", "65003 65100 65100", "192.0.2.3", 0);
	cr_assert_str_eq(lab_offered(&lab, "10.250.0.0/16"), "192.0.2.3");
	lab_announce(&lab, a, "10.250.0.0/16", "65001 65100", "192.0.2.1", 0);
	cr_assert_str_eq(lab_offered(&lab, "10.250.0.0/16"), "192.0.2.1 | 192.0.2.3");
	lab_announce(&lab, b, "10.250.0.0/16", "65002 65100", "192.0.2.2", 0);
	cr_assert_str_eq(lab_offered(&lab, "10.250.0.0/16"), "192.0.2.1 192.0.2.2 | 192.0.2.3");
	cr_assert_eq(counts(a).best + counts(b).best, 2);
	lab_withdraw(&lab, a, "10.250.0.0/16");
	lab_withdraw(&lab, b, "10.250.0.0/16");
	cr_assert_str_eq(lab_offered(&lab, "10.250.0.0/16"), "192.0.2.3");
	lab_withdraw(&lab, c, "10.250.0.0/16");
	cr_assert_str_eq(lab_offered(&lab, "10.250.0.0/16"), "");
	cr_assert_eq(rib_figures(lab.rib).prefixes[0], 0);
}

/* The weights of the group of 10.0.0.0/8, in the order of its members: "51 255". */
static const char *weights(void)
{
	static char text[64];
	struct ip_prefix prefix = lab_prefix("10.0.0.0/8");
	struct rib_offer offer = rib_offer(lab.rib, &prefix);
	const struct group_info *info = group_info(lab.nexthops, offer.group);
	size_t n = 0;

	text[0] = 0;
	for (unsigned int i = 0; info && i < info->n_members; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u", i ? " " : "",
				      info->weight[i]);
	return text;
}

/* draft-ietf-idr-link-bandwidth: in proportion when each has one and they differ, else all alike. */
Test(rib, link_bandwidth_is_a_weight)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2);
	struct rib_config config = lab.config;

	config.decision.link_bandwidth = true;
	rib_reconfigure(lab.rib, &config);
	lab_announce_bandwidth(&lab, a, "10.0.0.0/8", "65001", "192.0.2.1", 250e6f);
	lab_announce(&lab, b, "10.0.0.0/8", "65002", "192.0.2.2", 0);
	lab_work(&lab);
	cr_assert_str_eq(weights(), "0 0", "one has none");
	lab_announce_bandwidth(&lab, b, "10.0.0.0/8", "65002", "192.0.2.2", 1250e6f);
	lab_work(&lab);
	cr_assert_str_eq(weights(), "51 255");
	lab_announce_bandwidth(&lab, b, "10.0.0.0/8", "65002", "192.0.2.2", 125e6f);
	lab_work(&lab);
	cr_assert_str_eq(weights(), "255 128", "another one");
	lab_announce_bandwidth(&lab, b, "10.0.0.0/8", "65002", "192.0.2.2", 1.0f);
	lab_work(&lab);
	cr_assert_str_eq(weights(), "255 1", "never nothing");
	config.decision.link_bandwidth = false;
	rib_reconfigure(lab.rib, &config);
	lab_work(&lab);
	cr_assert_str_eq(weights(), "0 0", "the configuration does not want it");
	config.decision.link_bandwidth = true;
	rib_reconfigure(lab.rib, &config);
	lab_announce_bandwidth(&lab, b, "10.0.0.0/8", "65002", "192.0.2.2", 250e6f);
	lab_work(&lab);
	cr_assert_str_eq(weights(), "0 0", "the same");
}

Test(rib, prefixes_with_the_same_next_hops_share_a_group)
{
	uint16_t a = lab_peer(&lab, 65001, 1);
	struct ip_prefix x = lab_prefix("10.1.0.0/16"), y = lab_prefix("10.2.0.0/16");

	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	lab_announce(&lab, a, "10.2.0.0/16", "65001 65009", "192.0.2.1", 0);
	cr_assert_eq(rib_lookup(lab.rib, &x), rib_lookup(lab.rib, &y));
	cr_assert_neq(rib_lookup(lab.rib, &x), 0);
}

/* The callback is for changes of the group, not for each UPDATE. */
Test(rib, the_same_again_changes_nothing)
{
	uint16_t a = lab_peer(&lab, 65001, 1);

	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(lab.changes, 1);
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	lab_announce(&lab, a, "10.1.0.0/16", "65001 65007", "192.0.2.1", 0);
	cr_assert_eq(lab.changes, 1);
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.77", 0);
	cr_assert_eq(lab.changes, 2);
	cr_assert_eq(counts(a).received, 1);
}

static bool first_view(void *ctx, const struct rib_path_view *view)
{
	struct rib_path_view *first = ctx;

	if (!first->attrs_in) {
		*first = *view;
		first->attrs_in = (const void *)1;
	}
	return true;
}

static struct rib_path_view explain_first(const char *prefix)
{
	struct rib_path_view view = { 0 };
	struct ip_prefix p = lab_prefix(prefix);

	cr_assert_gt(rib_explain(lab.rib, &p, first_view, &view), 0);
	return view;
}

Test(rib, paths_that_may_not_be_used_say_why)
{
	uint16_t a = lab_peer(&lab, 65001, 1);

	lab_announce(&lab, a, "10.1.0.0/16", "65001 65515 65002", "192.0.2.1", 0);
	lab_announce(&lab, a, "10.2.0.0/16", "65001", "10.1.255.4", 0);
	cr_assert_eq(explain_first("10.1.0.0/16").state, RIB_PATH_LOOP);
	cr_assert_eq(explain_first("10.2.0.0/16").state, RIB_PATH_NEXTHOP_SELF);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "");
	cr_assert_eq(counts(a).received, 2);
	cr_assert_eq(counts(a).accepted, 0);
	cr_assert_str_eq(rib_path_state_name(RIB_PATH_NEXTHOP_UNRESOLVED), "NextHopUnresolved");
}

Test(rib, an_unresolved_next_hop_is_not_used_until_it_resolves)
{
	uint16_t a = lab_peer(&lab, 65001, 1);
	struct ip_addr hop = lab_ip("192.0.2.1");
	uint32_t id;

	lab.config.nexthops_always_usable = false;
	rib_reconfigure(lab.rib, &lab.config);
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(explain_first("10.1.0.0/16").state, RIB_PATH_NEXTHOP_UNRESOLVED);
	id = nexthop_find(lab.nexthops, 1, &hop);
	nexthop_set_usable(lab.nexthops, id, true);
	rib_nexthop_changed(lab.rib, id);
	lab_work(&lab);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.1");
	nexthop_set_usable(lab.nexthops, id, false);
	rib_nexthop_changed(lab.rib, id);
	lab_work(&lab);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "");
}

Test(rib, a_learned_path_stays_selected_beside_our_own_prefix)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2);
	struct lab_heard heard;

	local("10.1.0.0/16");
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.1");
	heard = lab_hear(&lab, b);
	cr_assert_str_eq(lab_find(&heard, "10.1.0.0/16")->path, "65515", "told is our own");
	rib_set_local(lab.rib, RIB_LOCAL_VNET, NULL, 0);
	heard = lab_hear(&lab, b);
	cr_assert_str_eq(lab_find(&heard, "10.1.0.0/16")->path, "65515 65001");
}

/* --- what is told ---------------------------------------------------------------------------------- */

Test(rib, without_an_address_of_ours_the_session_gives_the_next_hop)
{
	struct rib_peer_config config = lab_peer_config(65001, 1);
	struct bgp_session_params params = lab_params(65001, 1);
	struct ip_addr source = lab_ip("192.0.2.254");
	struct lab_heard heard;
	uint16_t a;

	lab.config.local_addr[BGP_IPV4_UNICAST].family = IP_NONE;
	rib_reconfigure(lab.rib, &lab.config);
	local("10.1.0.0/16");
	cr_assert_eq(rib_peer_add(lab.rib, &config, &a), 0);
	rib_peer_up(lab.rib, a, &params, lab_now);
	heard = lab_hear(&lab, a);
	cr_assert_eq(heard.n_told, 0, "nothing is known yet that could be the next hop");
	rib_peer_down(lab.rib, a, false, lab_now);
	rib_peer_source(lab.rib, a, &source);
	rib_peer_up(lab.rib, a, &params, lab_now);
	heard = lab_hear(&lab, a);
	cr_assert_eq(heard.n_told, 1);
	cr_assert(ip_equal(&heard.told[0].next_hop, &source));
	lab_announce(&lab, a, "10.250.0.0/16", "65001", "192.0.2.254", 0);
	cr_assert_eq(lab_first(&lab, "10.250.0.0/16").state, RIB_PATH_NEXTHOP_SELF);
}

Test(rib, our_prefixes_go_out_with_our_asn_and_address)
{
	uint16_t a;
	struct lab_heard heard;
	struct ip_addr ours = lab_ip("10.1.255.4");

	local("10.1.0.0/16");
	a = lab_peer(&lab, 65001, 1);
	heard = lab_hear(&lab, a);
	cr_assert_eq(heard.n_told, 1);
	cr_assert_str_eq(heard.told[0].path, "65515");
	cr_assert(ip_equal(&heard.told[0].next_hop, &ours));
	local("10.2.0.0/16");
	heard = lab_hear(&lab, a);
	cr_assert_eq(heard.n_told, 1);
	cr_assert_eq(heard.n_withdrawn, 1, "at once, without a session reset");
}

/* RFC 8950: IPv4 prefixes whose next hop is an IPv6 address, ours and those of others. */
Test(rib, an_ipv6_next_hop_goes_to_those_that_can_read_it)
{
	struct rib_peer_config config = lab_peer_config(65002, 2);
	struct bgp_session_params params = lab_params(65002, 2);
	uint16_t a, able, plain = lab_peer(&lab, 65003, 3);
	struct ip_addr ours = lab_ip("fd00:1::4"), theirs = lab_ip("fd00:1::9");
	struct lab_heard heard;

	local("10.1.0.0/16");
	config.addr = lab_ip("fd00:1::2");
	params.ext_next_hop = BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	a = lab_peer(&lab, 65001, 1);
	able = lab_peer_with(&lab, &config, &params);
	lab_announce(&lab, a, "10.250.0.0/16", "65001", "fd00:1::9", 0);
	cr_assert_str_eq(lab_offered(&lab, "10.250.0.0/16"), "fd00:1::9");
	heard = lab_hear(&lab, able);
	cr_assert(ip_equal(&lab_find(&heard, "10.1.0.0/16")->next_hop, &ours));
	cr_assert(ip_equal(&lab_find(&heard, "10.250.0.0/16")->next_hop, &theirs));
	heard = lab_hear(&lab, plain);
	cr_assert_eq(lab_find(&heard, "10.1.0.0/16")->next_hop.family, IP_V4);
	cr_assert_not(lab_find(&heard, "10.250.0.0/16"), "can not be told to it");
}

Test(rib, learned_routes_go_to_the_others_with_their_next_hop)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2);
	struct ip_addr third = lab_ip("192.0.2.50");
	struct lab_heard heard;

	lab_announce(&lab, a, "10.250.0.0/16 10.251.0.0/16", "65001 65100", "192.0.2.50", 0);
	heard = lab_hear(&lab, b);
	cr_assert_eq(heard.n_told, 2);
	cr_assert_eq(heard.n_messages, 3, "one UPDATE for both, two End-of-RIB");
	cr_assert_str_eq(heard.told[0].path, "65515 65001 65100");
	cr_assert(ip_equal(&heard.told[0].next_hop, &third));
	heard = lab_hear(&lab, a);
	cr_assert_eq(heard.n_told, 0, "not back to where it came from");
	cr_assert_eq(counts(b).advertised, 2);
	cr_assert_eq(counts(a).advertised, 0);
}

/* RFC 4271 5.1.3 */
Test(rib, nobody_is_told_its_own_address_as_next_hop)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2),
		 c = lab_peer(&lab, 65003, 3);
	struct lab_heard heard;

	lab_announce(&lab, a, "10.250.0.0/16", "65001", "192.0.2.2", 0);
	cr_assert_eq(lab_hear(&lab, b).n_told, 0);
	cr_assert_eq(lab_hear(&lab, c).n_told, 1);
	lab_announce(&lab, a, "10.250.0.0/16", "65001", "192.0.2.9", 0);
	cr_assert_eq(lab_hear(&lab, b).n_told, 1);
	lab_announce(&lab, a, "10.250.0.0/16", "65001", "192.0.2.2", 0);
	heard = lab_hear(&lab, b);
	cr_assert(heard.n_told == 0 && heard.n_withdrawn == 1);
}

static const struct {
	uint32_t community;
	bool ebgp, ibgp;
} well_known[] = {
	{ BGP_COMM_NO_ADVERTISE, false, false },
	{ BGP_COMM_NO_EXPORT, false, true },
	{ BGP_COMM_NO_EXPORT_SUBCONFED, false, true },
	{ 0xfde90001u, true, true },
};

Test(rib, well_known_communities_are_obeyed)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2),
		 c = lab_peer(&lab, LAB_ASN, 3);

	lab_hear(&lab, b);
	lab_hear(&lab, c);
	for (unsigned int i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++) {
		lab_announce(&lab, a, "10.250.0.0/16", "65001", "192.0.2.1",
			     well_known[i].community);
		cr_assert_eq(lab_hear(&lab, b).n_told, well_known[i].ebgp, "row %u", i);
		cr_assert_eq(lab_hear(&lab, c).n_told, well_known[i].ibgp, "row %u", i);
		cr_assert_str_eq(lab_offered(&lab, "10.250.0.0/16"), "192.0.2.1", "VMs have it");
		lab_withdraw(&lab, a, "10.250.0.0/16");
		lab_hear(&lab, b);
		lab_hear(&lab, c);
	}
}

Test(rib, branches_exchange_only_when_allowed)
{
	struct rib_peer_config config = lab_peer_config(65010, 10);
	struct bgp_session_params params = lab_params(65010, 10);
	uint16_t nva = lab_peer(&lab, 65001, 1), gateway;

	config.role = PEER_EXPRESS_ROUTE;
	gateway = lab_peer_with(&lab, &config, &params);
	lab_announce(&lab, nva, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	lab_announce(&lab, gateway, "10.2.0.0/16", "65010", "192.0.2.10", 0);
	cr_assert_eq(lab_hear(&lab, nva).n_told, 0);
	cr_assert_eq(lab_hear(&lab, gateway).n_told, 0);
	lab.config.branch_to_branch = true;
	rib_reconfigure(lab.rib, &lab.config);
	cr_assert_eq(lab_hear(&lab, nva).n_told, 1, "at once, on the session that is up");
	cr_assert_eq(lab_hear(&lab, gateway).n_told, 1);
	lab.config.branch_to_branch = false;
	rib_reconfigure(lab.rib, &lab.config);
	cr_assert_eq(lab_hear(&lab, nva).n_withdrawn, 1);
}

/* RFC 4456: between non-clients nothing is reflected; to a client it is. */
Test(rib, ibgp_is_reflected_to_clients_only)
{
	struct rib_peer_config config = lab_peer_config(LAB_ASN, 10);
	struct bgp_session_params params = lab_params(LAB_ASN, 10);
	uint16_t first, second, client;

	config.role = PEER_REFLECTOR;
	first = lab_peer_with(&lab, &config, &params);
	config = lab_peer_config(LAB_ASN, 11);
	config.role = PEER_REFLECTOR;
	second = lab_peer_with(&lab, &config, &params);
	config = lab_peer_config(LAB_ASN, 12);
	config.role = PEER_AGENT;
	client = lab_peer_with(&lab, &config, &params);
	lab_announce(&lab, first, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(lab_hear(&lab, second).n_told, 0);
	cr_assert_eq(lab_hear(&lab, client).n_told, 1);
	lab_announce(&lab, client, "10.2.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(lab_hear(&lab, second).n_told, 1);
}

Test(rib, end_of_rib_comes_after_the_first_dump)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b;
	struct lab_heard heard;

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16 10.3.0.0/16", "65001", "192.0.2.1", 0);
	b = lab_peer(&lab, 65002, 2);
	heard = lab_hear(&lab, b);
	cr_assert_eq(heard.eor, 3, "for both families");
	cr_assert(heard.eor_last);
	rib_peer_resend(lab.rib, b, BGP_IPV4_UNICAST);
	heard = lab_hear(&lab, b);
	cr_assert_eq(heard.n_told, 3, "ROUTE-REFRESH");
	cr_assert_eq(heard.eor, 0);
}

Test(rib, a_prefix_that_came_and_went_unheard_is_not_mentioned)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2);
	struct lab_heard heard;

	lab_hear(&lab, b);
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	lab_withdraw(&lab, a, "10.1.0.0/16");
	heard = lab_hear(&lab, b);
	cr_assert(heard.n_told == 0 && heard.n_withdrawn == 0);
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	lab_announce(&lab, a, "10.1.0.0/16", "65001 65009", "192.0.2.1", 0);
	heard = lab_hear(&lab, b);
	cr_assert_eq(heard.n_told, 1, "only the last state");
	cr_assert_str_eq(heard.told[0].path, "65515 65001 65009");
}

Test(rib, a_sleeping_session_is_woken_once)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2);

	lab_hear(&lab, a);
	lab_hear(&lab, b);
	lab.wakes = 0;
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	lab_announce(&lab, a, "10.2.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(lab.wakes, 2, "a and b, once each");
	lab_hear(&lab, b);
	lab_announce(&lab, a, "10.3.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(lab.wakes, 3);
}

/* A route whose attributes do not fit into a message of the session is withdrawn instead. */
Test(rib, what_can_not_be_encoded_is_withdrawn)
{
	enum {
		N = 1200
	};
	static uint32_t many[N];
	struct policy_rule rule = { .community_action = POLICY_LIST_ADD,
				    .communities = many,
				    .n_communities = N };
	struct route_map map = { .rules = &rule, .n_rules = 1 };
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2);
	struct rib_peer_config config = lab_peer_config(65002, 2);
	struct lab_heard heard;

	for (uint32_t i = 0; i < N; i++)
		many[i] = 1000 + i;
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(lab_hear(&lab, b).n_told, 1);
	config.out = &map;
	rib_peer_reconfigure(lab.rib, b, &config);
	heard = lab_hear(&lab, b);
	cr_assert(heard.n_told == 0 && heard.n_withdrawn == 1);
	cr_assert_eq(counts(b).advertised, 0);
	config.out = NULL;
	rib_peer_reconfigure(lab.rib, b, &config);
	cr_assert_eq(lab_hear(&lab, b).n_told, 1);
}

/* --- sessions that end --------------------------------------------------------------------------------- */

Test(rib, a_peer_that_dies_leaves_in_slices)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2);

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16", "65001", "192.0.2.1", 0);
	lab_announce(&lab, b, "10.1.0.0/16", "65002 65100", "192.0.2.2", 0);
	rib_peer_down(lab.rib, a, false, lab_now);
	cr_assert_eq(counts(a).received, 0, "counted no longer at once");
	lab_announce(&lab, b, "10.2.0.0/16", "65002 65100", "192.0.2.2", 0);
	cr_assert_str_eq(lab_offered(&lab, "10.2.0.0/16"), "192.0.2.2", "decided without it");
	cr_assert(rib_work(lab.rib, 1, lab_now), "there is more to do");
	lab_work(&lab);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.2");
	cr_assert_eq(rib_figures(lab.rib).paths[0], 2);
}

Test(rib, graceful_restart_keeps_paths_until_the_sweep)
{
	uint16_t a = lab_peer(&lab, 65001, 1);
	struct bgp_session_params params = lab_params(65001, 1);

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16", "65001", "192.0.2.1", 0);
	rib_peer_down(lab.rib, a, true, lab_now);
	lab_work(&lab);
	cr_assert(explain_first("10.1.0.0/16").stale);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.1");
	rib_peer_up(lab.rib, a, &params, lab_now);
	lab.changes = 0;
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_not(explain_first("10.1.0.0/16").stale);
	rib_peer_sweep(lab.rib, a, BGP_IPV4_UNICAST);
	cr_assert_eq(counts(a).received, 1);
	lab_work(&lab);
	cr_assert_str_eq(lab_offered(&lab, "10.2.0.0/16"), "");
	cr_assert_eq(lab.changes, 1, "the refreshed one was never touched");
}

/* RFC 7313: BoRR marks, announcements refresh, EoRR sweeps. */
Test(rib, enhanced_refresh_finds_what_is_no_more)
{
	uint16_t a = lab_peer(&lab, 65001, 1);

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16", "65001", "192.0.2.1", 0);
	rib_peer_mark_stale(lab.rib, a, BGP_IPV4_UNICAST);
	cr_assert_eq(counts(a).received, 2);
	lab_announce(&lab, a, "10.2.0.0/16", "65001", "192.0.2.1", 0);
	rib_peer_sweep(lab.rib, a, BGP_IPV4_UNICAST);
	lab_work(&lab);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "");
	cr_assert_str_eq(lab_offered(&lab, "10.2.0.0/16"), "192.0.2.1");
}

/* More sessions than an epoch has values, without a slice of work in between. */
Test(rib, a_flapping_peer_never_revives_old_paths)
{
	uint16_t a = lab_peer(&lab, 65001, 1);
	struct bgp_session_params params = lab_params(65001, 1);

	lab_announce(&lab, a, "10.99.0.0/16", "65001", "192.0.2.1", 0);
	for (unsigned int i = 0; i < 1000; i++) {
		rib_peer_down(lab.rib, a, i % 3 == 0, lab_now);
		rib_peer_up(lab.rib, a, &params, lab_now);
		lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
		for (unsigned int k = 0; k < i % 5; k++)
			rib_peer_mark_stale(lab.rib, a, BGP_IPV4_UNICAST);
		if (i % 3 == 0)
			rib_peer_sweep(lab.rib, a, BGP_IPV4_UNICAST);
		cr_assert_leq(counts(a).received, 2);
	}
	rib_peer_down(lab.rib, a, false, lab_now);
	rib_peer_up(lab.rib, a, &params, lab_now);
	cr_assert_eq(counts(a).received, 0);
	lab_work(&lab);
	cr_assert_eq(rib_figures(lab.rib).prefixes[0], 0);
}

/* --- limits ------------------------------------------------------------------------------------------------ */

static uint16_t limited(uint32_t limit, uint8_t warn_percent, int action)
{
	struct rib_peer_config config = lab_peer_config(65001, 1);
	struct bgp_session_params params = lab_params(65001, 1);

	config.limit.limit = limit;
	config.limit.warn_percent = warn_percent;
	config.limit.action = action;
	return lab_peer_with(&lab, &config, &params);
}

Test(rib, announcing_again_is_free)
{
	uint16_t a = limited(3, 0, RIB_LIMIT_SHUTDOWN);

	for (unsigned int i = 0; i < 5; i++)
		lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16 10.3.0.0/16",
			     i % 2 ? "65001" : "65001 65009", "192.0.2.1", 0);
	cr_assert_eq(lab.exceeded, 0);
	cr_assert_eq(counts(a).received, 3);
	cr_assert_eq(counts(a).shadow_count, 6, "Azure would have counted them twice");
	lab_announce(&lab, a, "10.4.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(lab.exceeded, 1);
	cr_assert_eq(lab.last_count, 4);
	lab_announce(&lab, a, "10.5.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(lab.exceeded, 1, "told once");
}

Test(rib, a_warning_at_the_percentage)
{
	uint16_t a = limited(4, 75, RIB_LIMIT_WARN);

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(lab.warns, 0);
	lab_announce(&lab, a, "10.3.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(lab.warns, 1);
	lab_announce(&lab, a, "10.4.0.0/16 10.5.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(lab.warns, 1);
	cr_assert_str_eq(lab_offered(&lab, "10.5.0.0/16"), "192.0.2.1", "only a warning");
}

Test(rib, blocked_prefixes_come_in_when_there_is_room)
{
	uint16_t a = limited(2, 0, RIB_LIMIT_BLOCK);

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16 10.3.0.0/16 10.4.0.0/16 10.5.0.0/16",
		     "65001", "192.0.2.1", 0);
	cr_assert_eq(lab.exceeded, 1);
	cr_assert_eq(explain_first("10.3.0.0/16").state, RIB_PATH_OVER_LIMIT);
	cr_assert_str_eq(lab_offered(&lab, "10.3.0.0/16"), "");
	cr_assert_eq(counts(a).received, 4, "twice the limit is kept, no more");
	cr_assert_eq(counts(a).accepted, 2);
	lab_announce(&lab, a, "10.3.0.0/16", "65001 65009", "192.0.2.1", 0);
	cr_assert_eq(counts(a).accepted, 2, "replacing a blocked one makes no room");
	lab_withdraw(&lab, a, "10.1.0.0/16");
	lab_work(&lab);
	cr_assert_eq(counts(a).accepted, 2);
	cr_assert_eq(counts(a).received, 3);
	lab_withdraw(&lab, a, "10.2.0.0/16 10.3.0.0/16 10.4.0.0/16");
	lab_work(&lab);
	lab_announce(&lab, a, "10.9.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_str_eq(lab_offered(&lab, "10.9.0.0/16"), "192.0.2.1");
}

/* --- memory of a peer ------------------------------------------------------------------------------------ */

Test(rib, a_peer_is_charged_for_what_it_holds_and_no_more)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2);
	uint64_t one;

	lab_announce(&lab, b, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	one = counts(a).memory;
	cr_assert_gt(one, 0);
	cr_assert_eq(counts(b).memory, one, "also for what it shares with another");
	lab_announce(&lab, a, "10.2.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(counts(a).memory, 2 * one);
	lab_announce(&lab, a, "10.2.0.0/16", "65001 65009 65010", "192.0.2.1", 0);
	cr_assert_eq(counts(a).memory, 2 * one + 8, "two AS numbers more");
	rib_peer_mark_stale(lab.rib, a, BGP_IPV4_UNICAST);
	cr_assert_eq(counts(a).memory, 2 * one + 8, "stale ones count");
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	rib_peer_sweep(lab.rib, a, BGP_IPV4_UNICAST);
	cr_assert_eq(counts(a).memory, one, "swept ones do not");
	lab_work(&lab);
	cr_assert_eq(counts(a).memory, one);
	lab_withdraw(&lab, a, "10.1.0.0/16");
	cr_assert_eq(counts(a).memory, 0);
}

static uint16_t with_memory(uint64_t memory)
{
	struct rib_peer_config config = lab_peer_config(65001, 1);
	struct bgp_session_params params = lab_params(65001, 1);

	config.memory = memory;
	return lab_peer_with(&lab, &config, &params);
}

Test(rib, without_room_a_route_is_taken_for_withdrawn)
{
	uint16_t probe = lab_peer(&lab, 65002, 2), a;
	uint64_t one;

	lab_announce(&lab, probe, "10.9.0.0/16", "65001", "192.0.2.1", 0);
	one = counts(probe).memory;
	a = with_memory(2 * one + 4);
	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16 10.3.0.0/16 10.4.0.0/16", "65001",
		     "192.0.2.1", 0);
	cr_assert_eq(counts(a).received, 2);
	cr_assert_eq(counts(a).refused, 2);
	cr_assert_eq(lab.no_room, 1, "told once");
	cr_assert_str_eq(lab_offered(&lab, "10.3.0.0/16"), "");
	lab_announce(&lab, a, "10.1.0.0/16", "65001 65009", "192.0.2.1", 0);
	cr_assert_eq(counts(a).received, 2, "four octets more: there is room");
	lab_announce(&lab, a, "10.2.0.0/16", "65001 65009", "192.0.2.1", 0);
	cr_assert_eq(counts(a).received, 1, "there is none: and the one before is gone too");
	cr_assert_str_eq(lab_offered(&lab, "10.2.0.0/16"), "");
	cr_assert_eq(lab.no_room, 2, "told again, as there was room between");
	lab_announce(&lab, a, "10.4.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_str_eq(lab_offered(&lab, "10.4.0.0/16"), "192.0.2.1");
	cr_assert_eq(counts(a).memory, 2 * one + 4);
}

Test(rib, a_peer_is_asked_again_when_there_is_room_for_what_was_refused)
{
	uint16_t probe = lab_peer(&lab, 65002, 2), a;
	struct rib_peer_config config;
	uint64_t one;

	lab_announce(&lab, probe, "10.9.0.0/16", "65001", "192.0.2.1", 0);
	one = counts(probe).memory;
	a = with_memory(8 * one);
	lab_announce(&lab, a,
		     "10.1.0.0/16 10.2.0.0/16 10.3.0.0/16 10.4.0.0/16 10.5.0.0/16 10.6.0.0/16 "
		     "10.7.0.0/16 10.8.0.0/16",
		     "65001", "192.0.2.1", 0);
	lab_withdraw(&lab, a, "10.1.0.0/16");
	cr_assert_eq(lab.room, 0, "nothing was refused");
	lab_announce(&lab, a, "10.1.0.0/16 10.9.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(counts(a).refused, 1);
	cr_assert_eq(lab.room, 0, "none is free");
	lab_withdraw(&lab, a, "10.2.0.0/16");
	cr_assert_eq(lab.room, 1, "an eighth is");
	lab_withdraw(&lab, a, "10.3.0.0/16");
	cr_assert_eq(lab.room, 1, "asked once");
	lab_announce(&lab, a, "10.2.0.0/16 10.3.0.0/16 10.9.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_eq(counts(a).refused, 2);
	config = lab_peer_config(65001, 1);
	config.memory = 0;
	rib_peer_reconfigure(lab.rib, a, &config);
	cr_assert_eq(lab.room, 2, "a higher bound is room as well");
}

/* --- reading ------------------------------------------------------------------------------------------------- */

struct seen {
	unsigned int n, stop_after;
	char text[512];
};

static bool see(void *ctx, const struct rib_path_view *view)
{
	struct seen *seen = ctx;
	char prefix[PREFIX_TEXT_MAX];

	strcat(strcat(seen->text, prefix_format(&view->prefix, prefix)), view->best ? "* " : " ");
	return ++seen->n != seen->stop_after;
}

Test(rib, walks_stop_and_resume)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2);
	struct seen seen = { .stop_after = 1 };
	uint32_t cursor = 0;

	lab_announce(&lab, b, "10.1.0.0/16", "65002 65100", "192.0.2.2", 0);
	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16 10.3.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert(rib_walk_learned(lab.rib, a, BGP_IPV4_UNICAST, &cursor, 100, see, &seen));
	cr_assert(rib_walk_learned(lab.rib, a, BGP_IPV4_UNICAST, &cursor, 1, see, &seen));
	cr_assert_not(rib_walk_learned(lab.rib, a, BGP_IPV4_UNICAST, &cursor, 1, see, &seen));
	cr_assert_str_eq(seen.text, "10.1.0.0/16* 10.2.0.0/16* 10.3.0.0/16* ");
	seen = (struct seen){ 0 };
	cursor = 0;
	cr_assert_not(rib_walk_all(lab.rib, BGP_IPV4_UNICAST, &cursor, 100, see, &seen));
	cr_assert_str_eq(seen.text, "10.1.0.0/16* 10.1.0.0/16 10.2.0.0/16* 10.3.0.0/16* ");
	lab_hear(&lab, b);
	seen = (struct seen){ 0 };
	cursor = 0;
	rib_walk_advertised(lab.rib, b, BGP_IPV4_UNICAST, &cursor, 100, see, &seen);
	cr_assert_eq(seen.n, 3);
	cr_assert_not(rib_walk_learned(lab.rib, 99, BGP_IPV4_UNICAST, &cursor, 9, see, &seen));
}

static bool see_attrs(void *ctx, const struct rib_path_view *view)
{
	char *text = ctx;

	aspath_format(view->attrs->as_path, text, 128);
	sprintf(text + strlen(text), " %u %u", community_count(view->attrs->communities),
		view->attrs->has & BGP_HAS_MED ? view->attrs->med : 0);
	return true;
}

/* What the outbound map made is shown as it stands in the UPDATE. */
Test(rib, advertised_routes_are_shown_as_sent)
{
	uint32_t c[] = { 0xfde90007u }, asns[] = { 65077 };
	struct policy_rule rule = { .as_path_action = POLICY_LIST_ADD,
				    .as_path = asns,
				    .n_as_path = 1,
				    .community_action = POLICY_LIST_ADD,
				    .communities = c,
				    .n_communities = 1,
				    .set_med = true,
				    .med = 9 };
	struct route_map map = { .rules = &rule, .n_rules = 1 };
	struct rib_peer_config config = lab_peer_config(65002, 2);
	struct bgp_session_params params = lab_params(65002, 2);
	uint16_t a = lab_peer(&lab, 65001, 1), b;
	char text[160];
	uint32_t cursor = 0;
	struct lab_heard heard;

	config.out = &map;
	b = lab_peer_with(&lab, &config, &params);
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	heard = lab_hear(&lab, b);
	cr_assert_str_eq(heard.told[0].path, "65515 65077 65001");
	cr_assert(heard.told[0].has_med, "what the map sets is sent");
	rib_walk_advertised(lab.rib, b, BGP_IPV4_UNICAST, &cursor, 1, see_attrs, text);
	cr_assert_str_eq(text, "65515 65077 65001 1 9");
}

Test(rib, inbound_maps_apply_again_without_a_refresh)
{
	struct policy_rule rule = { .name = "no", .drop = true };
	struct route_map map = { .rules = &rule, .n_rules = 1 };
	struct rib_peer_config config = lab_peer_config(65001, 1);
	uint16_t a = lab_peer(&lab, 65001, 1);
	struct rib_path_view view;

	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	config.in = &map;
	rib_peer_reconfigure(lab.rib, a, &config);
	lab_work(&lab);
	view = explain_first("10.1.0.0/16");
	cr_assert_eq(view.state, RIB_PATH_FILTERED);
	cr_assert_eq(view.policy_rule, 0);
	cr_assert_null(view.attrs);
	cr_assert_eq(counts(a).filtered, 1);
	config.in = NULL;
	rib_peer_reconfigure(lab.rib, a, &config);
	lab_work(&lab);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.1");
}

Test(rib, peers_come_and_go)
{
	struct rib_peer_config config = lab_peer_config(65001, 1);
	uint16_t a = lab_peer(&lab, 65001, 1), b;

	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	rib_peer_remove(lab.rib, a);
	cr_assert_null(rib_peer_get(lab.rib, a));
	cr_assert_eq(rib_peer_add(lab.rib, &config, &b), 0);
	cr_assert_neq(b, a, "its slot waits for its paths");
	lab_work(&lab);
	rib_peer_remove(lab.rib, b);
	cr_assert_eq(rib_peer_add(lab.rib, &config, &b), 0);
	cr_assert_eq(b, a);
	for (unsigned int i = 1; i < RIB_PEERS_MAX; i++)
		cr_assert_eq(rib_peer_add(lab.rib, &config, &b), 0);
	cr_assert_eq(rib_peer_add(lab.rib, &config, &b), -ENOSPC);
}
