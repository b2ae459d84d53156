// SPDX-License-Identifier: GPL-2.0-only
/* What gateways alone and all others alone would offer for a prefix, and when that is told. */
#include "rib_lab.h"

static uint16_t gateway(struct lab *lab, uint8_t n)
{
	struct rib_peer_config config = lab_peer_config(65000u + n, n);
	struct bgp_session_params params = lab_params(65000u + n, n);

	config.role = PEER_VPN_GATEWAY;
	return lab_peer_with(lab, &config, &params);
}

/* The only member of a group, as the last octet of its address; 0: no group. */
static unsigned int member(const struct lab *lab, uint32_t group)
{
	const struct group_info *info = group_info(lab->nexthops, group);

	if (!group)
		return 0;
	cr_assert_eq(info->n_members, 1);
	return nexthop_info(lab->nexthops, info->member[0])->addr.bytes[3];
}

static void expect(const struct lab *lab, unsigned int all, unsigned int nva, unsigned int gw)
{
	struct ip_prefix prefix = lab_prefix("10.250.0.0/16");
	struct rib_offer offer = rib_offer(lab->rib, &prefix);

	cr_assert_eq(member(lab, offer.group), all);
	cr_assert_eq(member(lab, offer.from[RIB_SOURCE_NVA]), nva);
	cr_assert_eq(member(lab, offer.from[RIB_SOURCE_GATEWAY]), gw);
}

static void set_by_source(struct lab *lab, bool on)
{
	lab->config.offer_by_source = on;
	rib_reconfigure(lab->rib, &lab->config);
}

Test(by_source, each_kind_is_selected_as_if_the_other_were_not_there)
{
	struct lab lab;
	uint16_t nva, gw;

	lab_start(&lab);
	set_by_source(&lab, true);
	nva = lab_peer(&lab, 65001, 1);
	gw = gateway(&lab, 2);
	expect(&lab, 0, 0, 0);
	lab_announce(&lab, nva, "10.250.0.0/16", "65001 65001", "192.0.2.1", 0);
	expect(&lab, 1, 1, 0);
	lab_announce(&lab, gw, "10.250.0.0/16", "65002", "192.0.2.2", 0);
	expect(&lab, 2, 1, 2);
	lab_withdraw(&lab, gw, "10.250.0.0/16");
	expect(&lab, 1, 1, 0);
	lab_withdraw(&lab, nva, "10.250.0.0/16");
	expect(&lab, 0, 0, 0);
	lab_stop(&lab);
}

Test(by_source, a_change_of_the_one_that_is_not_selected_is_told_too)
{
	struct lab lab;
	uint16_t nva, gw;
	unsigned int before;

	lab_start(&lab);
	set_by_source(&lab, true);
	nva = lab_peer(&lab, 65001, 1);
	gw = gateway(&lab, 2);
	lab_announce(&lab, gw, "10.250.0.0/16", "65002", "192.0.2.2", 0);
	before = lab.changes;
	lab_announce(&lab, nva, "10.250.0.0/16", "65001 65001", "192.0.2.1", 0);
	cr_assert_eq(lab.changes, before + 1);
	lab_announce(&lab, nva, "10.250.0.0/16", "65001 65001 65001", "192.0.2.1", 0);
	cr_assert_eq(lab.changes, before + 1, "the same group");
	lab_stop(&lab);
}

Test(by_source, switched_on_later_nobody_loses_a_route_meanwhile)
{
	struct lab lab;
	uint16_t nva, gw;

	lab_start(&lab);
	nva = lab_peer(&lab, 65001, 1);
	gw = gateway(&lab, 2);
	lab_announce(&lab, nva, "10.250.0.0/16", "65001 65001", "192.0.2.1", 0);
	lab_announce(&lab, gw, "10.250.0.0/16", "65002", "192.0.2.2", 0);
	expect(&lab, 2, 2, 2);
	set_by_source(&lab, true);
	expect(&lab, 2, 2, 2);
	lab_work(&lab);
	expect(&lab, 2, 1, 2);
	set_by_source(&lab, false);
	lab_work(&lab);
	expect(&lab, 2, 2, 2);
	lab_stop(&lab);
}

/* What the last change said of the prefix. */
Test(by_source, a_change_says_whether_the_path_was_lost)
{
	struct lab lab;
	uint16_t nva;

	lab_start(&lab);
	nva = lab_peer(&lab, 65001, 1);
	lab_announce(&lab, nva, "10.250.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_not(lab.last_change.offer.lost);
	lab_withdraw(&lab, nva, "10.250.0.0/16");
	cr_assert_not(lab.last_change.offer.lost, "taken back");
	lab_announce(&lab, nva, "10.250.0.0/16", "65001", "192.0.2.1", 0);
	rib_peer_down(lab.rib, nva, false, lab_now);
	lab_work(&lab);
	cr_assert(lab.last_change.offer.lost, "the session ended");
	nva = lab_peer(&lab, 65002, 2);
	lab_announce(&lab, nva, "10.250.0.0/16", "65002", "192.0.2.2", 0);
	rib_peer_remove(lab.rib, nva);
	lab_work(&lab);
	cr_assert_not(lab.last_change.offer.lost, "the configuration took it away");
	lab_stop(&lab);
}
