// SPDX-License-Identifier: GPL-2.0-only
/* Peers that restart, long-lived stale paths, our own restart, and refreshes with a beginning and an end. */
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

TestSuite(restart, .init = setup, .fini = teardown);

static uint16_t peer_with(uint32_t asn, uint8_t n, bool llgr, bool enhanced)
{
	struct rib_peer_config config = lab_peer_config(asn, n);
	struct bgp_session_params params = lab_params(asn, n);

	params.peer_gr = true;
	params.peer_llgr = llgr;
	params.enhanced_refresh = enhanced;
	return lab_peer_with(&lab, &config, &params);
}

static void restarts(uint16_t peer, uint32_t asn, uint8_t n)
{
	struct bgp_session_params params = lab_params(asn, n);

	params.peer_gr = true;
	rib_peer_down(lab.rib, peer, true, lab_now);
	lab_work(&lab);
	rib_peer_up(lab.rib, peer, &params, lab_now);
}

/* RFC 4724 4.2 */
Test(restart, end_of_rib_takes_what_was_not_announced_again)
{
	uint16_t a = peer_with(65001, 1, false, false);

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16", "65001", "192.0.2.1", 0);
	restarts(a, 65001, 1);
	cr_assert(rib_peer_waiting(lab.rib, a, BGP_IPV4_UNICAST));
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_str_eq(lab_offered(&lab, "10.2.0.0/16"), "192.0.2.1", "kept so far");
	lab_end_of_rib(&lab, a);
	cr_assert_not(rib_peer_waiting(lab.rib, a, BGP_IPV4_UNICAST));
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.1");
	cr_assert_str_eq(lab_offered(&lab, "10.2.0.0/16"), "", "gone with End-of-RIB");
}

Test(restart, end_of_rib_of_a_first_session_takes_nothing)
{
	uint16_t a = peer_with(65001, 1, false, false);

	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	lab_end_of_rib(&lab, a);
	lab_end_of_rib(&lab, a);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.1");
}

/* RFC 9494 4.2 and 4.3 */
Test(restart, long_lived_stale_paths_come_last_and_are_marked)
{
	uint16_t a = peer_with(65001, 1, true, false), b = peer_with(65002, 2, true, false);
	uint16_t knows = peer_with(65003, 3, true, false);
	uint16_t does_not = peer_with(65004, 4, false, false);
	struct lab_heard heard;

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16", "65001", "192.0.2.1", 0);
	lab_announce(&lab, b, "10.1.0.0/16", "65002 65100 65101", "192.0.2.2", 0);
	lab_announce(&lab, a, "10.3.0.0/16", "65001", "192.0.2.1", BGP_COMM_NO_LLGR);
	lab_hear(&lab, knows);
	lab_hear(&lab, does_not);
	rib_peer_down(lab.rib, a, true, lab_now);
	lab_work(&lab);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.1 | 192.0.2.2", "restart time");
	cr_assert_eq(lab_hear(&lab, knows).n_messages, 0, "nobody hears of it yet");
	rib_peer_long_lived(lab.rib, a, BGP_IPV4_UNICAST);
	lab_work(&lab);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.2 | 192.0.2.1",
			 "any other path is better, however long");
	cr_assert_str_eq(lab_offered(&lab, "10.2.0.0/16"), "192.0.2.1", "better than none");
	cr_assert_str_eq(lab_offered(&lab, "10.3.0.0/16"), "", "NO_LLGR");
	heard = lab_hear(&lab, knows);
	cr_assert(lab_find(&heard, "10.2.0.0/16"));
	cr_assert_eq(lab_find(&heard, "10.2.0.0/16")->communities[0], BGP_COMM_LLGR_STALE);
	cr_assert_eq(lab_find(&heard, "10.1.0.0/16")->n_communities, 0);
	heard = lab_hear(&lab, does_not);
	cr_assert_not(lab_find(&heard, "10.2.0.0/16"));
	cr_assert_eq(heard.n_withdrawn, 2,
		     "10.2 and 10.3 are withdrawn from who does not know LLGR");
	restarts(a, 65001, 1);
}

Test(restart, a_long_lived_path_is_fresh_when_it_is_announced_again)
{
	uint16_t a = peer_with(65001, 1, true, false), b = peer_with(65002, 2, true, false);
	struct bgp_session_params params = lab_params(65001, 1);
	struct lab_heard heard;

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16", "65001", "192.0.2.1", 0);
	rib_peer_down(lab.rib, a, true, lab_now);
	rib_peer_long_lived(lab.rib, a, BGP_IPV4_UNICAST);
	lab_work(&lab);
	heard = lab_hear(&lab, b);
	cr_assert_eq(lab_find(&heard, "10.1.0.0/16")->n_communities, 1);
	rib_peer_up(lab.rib, a, &params, lab_now);
	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	heard = lab_hear(&lab, b);
	cr_assert_eq(lab_find(&heard, "10.1.0.0/16")->n_communities, 0);
	lab_end_of_rib(&lab, a);
	cr_assert_str_eq(lab_offered(&lab, "10.2.0.0/16"), "");
}

Test(restart, what_a_peer_marks_as_long_lived_stale_comes_last)
{
	uint16_t a = peer_with(65001, 1, true, false), b = peer_with(65002, 2, true, false);

	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", BGP_COMM_LLGR_STALE);
	lab_announce(&lab, b, "10.1.0.0/16", "65002 65100", "192.0.2.2", 0);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.2 | 192.0.2.1");
}

/* RFC 4724 4.1 */
Test(restart, while_held_nothing_is_selected_or_told)
{
	struct ip_prefix own = lab_prefix("10.99.0.0/16");
	struct lab_heard heard;
	uint16_t a, b;

	rib_hold(lab.rib, true);
	cr_assert_eq(rib_set_local(lab.rib, RIB_LOCAL_VNET, &own, 1), 0);
	a = peer_with(65001, 1, false, false);
	b = peer_with(65002, 2, false, false);
	lab_announce(&lab, a, "10.1.0.0/16", "65001 65100", "192.0.2.1", 0);
	lab_announce(&lab, b, "10.1.0.0/16", "65002", "192.0.2.2", 0);
	lab_announce(&lab, b, "10.2.0.0/16", "65002", "192.0.2.2", 0);
	lab_withdraw(&lab, b, "10.2.0.0/16");
	lab_work(&lab);
	cr_assert_eq(lab.changes, 0);
	cr_assert_not(rib_output_pending(lab.rib, a));
	cr_assert_eq(lab_hear(&lab, a).n_messages, 0, "no End-of-RIB either");
	cr_assert_neq(nexthop_find(lab.nexthops, 1, &(struct ip_addr){ IP_V4, { 192, 0, 2, 2 } }),
		      NEXTHOP_NONE, "its next hop is resolved meanwhile");
	rib_hold(lab.rib, false);
	cr_assert(rib_held(lab.rib));
	cr_assert_eq(lab_hear(&lab, a).n_messages, 0, "not before everything was decided");
	lab_work(&lab);
	cr_assert_not(rib_held(lab.rib));
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.2 | 192.0.2.1");
	cr_assert_eq(lab.changes, 1, "decided once");
	heard = lab_hear(&lab, a);
	cr_assert(lab_find(&heard, "10.99.0.0/16") && lab_find(&heard, "10.1.0.0/16"));
	cr_assert(heard.eor_last);
}

/* RFC 7313 4 */
Test(restart, a_refresh_of_ours_has_a_beginning_and_an_end)
{
	uint16_t a = peer_with(65001, 1, false, false), b;
	struct lab_heard heard;

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16", "65001", "192.0.2.1", 0);
	b = peer_with(65002, 2, false, true);
	rib_peer_resend(lab.rib, b, BGP_IPV4_UNICAST);
	heard = lab_hear(&lab, b);
	cr_assert(heard.eor & BGP_FAMILY_BIT(BGP_IPV4_UNICAST));
	cr_assert_eq(heard.borr_at, 2, "asked for during the first dump: after End-of-RIB");
	cr_assert_eq(heard.eorr_at, 4);
	rib_peer_resend(lab.rib, b, BGP_IPV4_UNICAST);
	heard = lab_hear(&lab, b);
	cr_assert_eq(heard.borr_at, 0);
	cr_assert_eq(heard.eorr_at, 2);
	cr_assert_eq(heard.n_told, 2);
	cr_assert_eq(heard.eor, 0);
	cr_assert_eq(lab_hear(&lab, a).borr_at, -1, "not for a peer without it");
}

Test(restart, demarcations_out_of_turn_are_ignored)
{
	uint16_t a = peer_with(65001, 1, false, true);

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert_not(rib_peer_refresh(lab.rib, a, BGP_IPV4_UNICAST, true), "BoRR before EoR");
	lab_end_of_rib(&lab, a);
	cr_assert_not(rib_peer_refresh(lab.rib, a, BGP_IPV4_UNICAST, false), "EoRR without BoRR");
	cr_assert(rib_peer_refresh(lab.rib, a, BGP_IPV4_UNICAST, true));
	cr_assert(lab_first(&lab, "10.1.0.0/16").stale);
	lab_announce(&lab, a, "10.2.0.0/16", "65001", "192.0.2.1", 0);
	cr_assert(rib_peer_refresh(lab.rib, a, BGP_IPV4_UNICAST, false));
	lab_work(&lab);
	cr_assert_str_eq(lab_offered(&lab, "10.1.0.0/16"), "");
	cr_assert_str_eq(lab_offered(&lab, "10.2.0.0/16"), "192.0.2.1");
}
