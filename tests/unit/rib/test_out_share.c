// SPDX-License-Identifier: GPL-2.0-only
/* Update groups: peers of one policy are told the same octets, and only what is theirs. */
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

TestSuite(out_share, .init = setup, .fini = teardown);

static uint8_t octets[3][65535];

static size_t produce(uint16_t peer, unsigned int into)
{
	return rib_produce(lab.rib, peer, octets[into], sizeof(octets[into]));
}

static void announce_some(uint16_t from)
{
	lab_announce(&lab, from, "10.1.0.0/16 10.2.0.0/16", "65001 65100", "192.0.2.1", 0);
	lab_announce(&lab, from, "10.3.0.0/16", "65001 65200", "192.0.2.1", 0);
}

Test(out_share, peers_of_one_policy_are_told_the_same_octets)
{
	uint16_t from = lab_peer(&lab, 65001, 1), a = lab_peer(&lab, 65002, 2),
		 b = lab_peer(&lab, 65003, 3);
	struct lab_heard heard;
	size_t n;

	announce_some(from);
	n = produce(a, 0);
	cr_assert_gt(n, 0u);
	cr_assert_eq(produce(b, 1), n);
	cr_assert_eq(memcmp(octets[0], octets[1], n), 0);
	cr_assert_eq(rib_peer_counts(lab.rib, b, BGP_IPV4_UNICAST).advertised, 3);
	lab_withdraw(&lab, from, "10.3.0.0/16");
	heard = lab_hear(&lab, b);
	cr_assert_eq(heard.n_withdrawn, 1, "it knows what it was told in another's words");
}

Test(out_share, own_routes_stay_away)
{
	uint16_t from = lab_peer(&lab, 65001, 1), a = lab_peer(&lab, 65002, 2),
		 b = lab_peer(&lab, 65003, 3);

	announce_some(from);
	lab_announce(&lab, b, "10.9.0.0/16", "65003", "192.0.2.3", 0);
	cr_assert_eq(lab_hear(&lab, a).n_told, 4);
	cr_assert_eq(lab_hear(&lab, b).n_told, 3);
	cr_assert_eq(lab_hear(&lab, from).n_told, 1);
}

Test(out_share, a_peer_that_is_the_next_hop_is_not_told)
{
	uint16_t from = lab_peer(&lab, 65001, 1), a = lab_peer(&lab, 65002, 2),
		 b = lab_peer(&lab, 65003, 3);

	announce_some(from);
	lab_announce(&lab, from, "10.9.0.0/16", "65001", "192.0.2.3", 0);
	cr_assert_eq(lab_hear(&lab, a).n_told, 4);
	cr_assert_eq(lab_hear(&lab, b).n_told, 3);
}

Test(out_share, another_policy_has_its_own_words)
{
	struct rib_peer_config quiet = lab_peer_config(65003, 3);
	struct bgp_session_params params = lab_params(65003, 3);
	uint16_t from = lab_peer(&lab, 65001, 1), a = lab_peer(&lab, 65002, 2), b;

	quiet.advertise_learned = false;
	b = lab_peer_with(&lab, &quiet, &params);
	announce_some(from);
	cr_assert_eq(lab_hear(&lab, a).n_told, 3);
	cr_assert_eq(lab_hear(&lab, b).n_told, 0);
}

Test(out_share, what_changed_since_is_told_as_it_is)
{
	uint16_t from = lab_peer(&lab, 65001, 1), a = lab_peer(&lab, 65002, 2),
		 b = lab_peer(&lab, 65003, 3);
	struct lab_heard heard;

	announce_some(from);
	cr_assert_eq(lab_hear(&lab, a).n_told, 3);
	lab_announce(&lab, from, "10.1.0.0/16", "65001 65300", "192.0.2.1", 0);
	lab_withdraw(&lab, from, "10.2.0.0/16");
	heard = lab_hear(&lab, b);
	cr_assert_eq(heard.n_told, 2, "the old state of nothing");
	cr_assert_eq(heard.n_withdrawn, 0);
	cr_assert_str_eq(lab_find(&heard, "10.1.0.0/16")->path, "65515 65001 65300");
}

Test(out_share, a_changed_policy_ends_what_was_shared)
{
	uint16_t from = lab_peer(&lab, 65001, 1), a = lab_peer(&lab, 65002, 2),
		 b = lab_peer(&lab, 65003, 3);
	struct rib_peer_config gateway = lab_peer_config(65001, 1);

	announce_some(from);
	cr_assert_eq(lab_hear(&lab, a).n_told, 3);
	gateway.role = PEER_EXPRESS_ROUTE; /* its routes do not go to NVAs any more */
	rib_peer_reconfigure(lab.rib, from, &gateway);
	cr_assert_eq(lab_hear(&lab, b).n_told, 0);
	cr_assert_eq(lab_hear(&lab, a).n_withdrawn, 3);
}
