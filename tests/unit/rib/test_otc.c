// SPDX-License-Identifier: GPL-2.0-only
/* RFC 9234 section 5 row by row; NOPEER and GRACEFUL_SHUTDOWN, which look at the same few things. */
#include "rib_lab.h"

#define PEER_ASN 65001u
#define ABSENT   0u

static struct lab lab;

static void setup(void)
{
	lab_start(&lab);
}

static void teardown(void)
{
	lab_stop(&lab);
}

TestSuite(otc, .init = setup, .fini = teardown);

static uint16_t peer_in_role(uint32_t asn, uint8_t n, int role)
{
	struct rib_peer_config config = lab_peer_config(asn, n);
	struct bgp_session_params params = lab_params(asn, n);

	config.has_bgp_role = role >= 0;
	config.bgp_role = role >= 0 ? (enum bgp_role)role : BGP_ROLE_PROVIDER;
	return lab_peer_with(&lab, &config, &params);
}

/* What stays of the attribute after admission; ABSENT: none. */
static uint32_t otc_after(const char *prefix)
{
	uint16_t reader = lab_peer(&lab, 65077, 77);
	struct lab_heard heard = lab_hear(&lab, reader);
	const struct lab_told *told = lab_find(&heard, prefix);

	cr_assert(told);
	return told->otc;
}

#define LEAK UINT32_MAX
static const struct ingress {
	int role; /* ours; -1: none */
	uint32_t received, kept;
} ingress[] = {
	/* From a customer or a client of our route server: with OTC it is a leak. */
	{ BGP_ROLE_PROVIDER, ABSENT, ABSENT },
	{ BGP_ROLE_PROVIDER, 65099, LEAK },
	{ BGP_ROLE_PROVIDER, PEER_ASN, LEAK },
	{ BGP_ROLE_RS, ABSENT, ABSENT },
	{ BGP_ROLE_RS, 65099, LEAK },
	/* From a peer: only its own ASN may stand in it. */
	{ BGP_ROLE_PEER, ABSENT, PEER_ASN },
	{ BGP_ROLE_PEER, PEER_ASN, PEER_ASN },
	{ BGP_ROLE_PEER, 65099, LEAK },
	/* From a provider or a route server: added when it is missing. */
	{ BGP_ROLE_CUSTOMER, ABSENT, PEER_ASN },
	{ BGP_ROLE_CUSTOMER, 65099, 65099 },
	{ BGP_ROLE_RS_CLIENT, ABSENT, PEER_ASN },
	{ BGP_ROLE_RS_CLIENT, 65099, 65099 },
	/* Without a role it is carried. */
	{ -1, ABSENT, ABSENT },
	{ -1, 65099, 65099 },
};

Test(otc, each_row_of_the_ingress_procedure)
{
	for (size_t i = 0; i < sizeof(ingress) / sizeof(ingress[0]); i++) {
		const struct ingress *row = &ingress[i];
		uint16_t a;

		lab_stop(&lab);
		lab_start(&lab);
		a = peer_in_role(PEER_ASN, 1, row->role);
		lab_announce_otc(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", row->received);
		if (row->kept == LEAK) {
			cr_expect_eq(lab_first(&lab, "10.1.0.0/16").state, RIB_PATH_OTC_LEAK,
				     "row %zu", i);
			cr_expect_str_eq(lab_offered(&lab, "10.1.0.0/16"), "", "row %zu", i);
		} else {
			cr_expect_str_eq(lab_offered(&lab, "10.1.0.0/16"), "192.0.2.1", "row %zu",
					 i);
			cr_expect_eq(otc_after("10.1.0.0/16"), row->kept, "row %zu", i);
		}
	}
}

#define NOT_TOLD UINT32_MAX
static const struct egress {
	int role;
	uint32_t has, told;
} egress[] = {
	/* To a customer, a peer, or a client of our route server: added when it is missing. */
	{ BGP_ROLE_PROVIDER, ABSENT, LAB_ASN },
	{ BGP_ROLE_PROVIDER, 65099, 65099 },
	{ BGP_ROLE_RS, ABSENT, LAB_ASN },
	{ BGP_ROLE_RS, 65099, 65099 },
	{ BGP_ROLE_PEER, ABSENT, LAB_ASN },
	/* To a provider, a peer or a route server: not with it. */
	{ BGP_ROLE_PEER, 65099, NOT_TOLD },
	{ BGP_ROLE_CUSTOMER, ABSENT, ABSENT },
	{ BGP_ROLE_CUSTOMER, 65099, NOT_TOLD },
	{ BGP_ROLE_RS_CLIENT, ABSENT, ABSENT },
	{ BGP_ROLE_RS_CLIENT, 65099, NOT_TOLD },
	{ -1, ABSENT, ABSENT },
	{ -1, 65099, 65099 },
};

Test(otc, each_row_of_the_egress_procedure)
{
	for (size_t i = 0; i < sizeof(egress) / sizeof(egress[0]); i++) {
		const struct egress *row = &egress[i];
		const struct lab_told *told;
		struct lab_heard heard;
		uint16_t a, b;

		lab_stop(&lab);
		lab_start(&lab);
		a = peer_in_role(65002, 2, -1);
		b = peer_in_role(PEER_ASN, 1, row->role);
		lab_announce_otc(&lab, a, "10.1.0.0/16", "65002", "192.0.2.2", row->has);
		heard = lab_hear(&lab, b);
		told = lab_find(&heard, "10.1.0.0/16");
		cr_expect_eq(!told, row->told == NOT_TOLD, "row %zu", i);
		if (told)
			cr_expect_eq(told->otc, row->told, "row %zu", i);
	}
}

Test(otc, inside_the_as_it_is_only_carried)
{
	uint16_t a = peer_in_role(LAB_ASN, 1, BGP_ROLE_PROVIDER);

	lab_announce_otc(&lab, a, "10.1.0.0/16", "65002", "192.0.2.2", 65099);
	cr_assert_eq(lab_first(&lab, "10.1.0.0/16").state, RIB_PATH_OK);
}

Test(otc, a_changed_role_looks_again)
{
	struct rib_peer_config config = lab_peer_config(PEER_ASN, 1);
	uint16_t a = peer_in_role(PEER_ASN, 1, -1);

	lab_announce_otc(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 65099);
	config.has_bgp_role = true;
	config.bgp_role = BGP_ROLE_PROVIDER;
	rib_peer_reconfigure(lab.rib, a, &config);
	lab_work(&lab);
	cr_assert_eq(lab_first(&lab, "10.1.0.0/16").state, RIB_PATH_OTC_LEAK);
}

/* RFC 3765 */
Test(otc, nopeer_stays_away_from_bilateral_peers)
{
	uint16_t a = peer_in_role(65002, 2, -1), peer = peer_in_role(65003, 3, BGP_ROLE_PEER);
	uint16_t customer = peer_in_role(65004, 4, BGP_ROLE_PROVIDER);

	lab_announce(&lab, a, "10.1.0.0/16", "65002", "192.0.2.2", BGP_COMM_NOPEER);
	cr_assert_eq(lab_hear(&lab, peer).n_told, 0);
	cr_assert_eq(lab_hear(&lab, customer).n_told, 1);
}

/* RFC 8326 4.1 */
Test(otc, before_a_planned_end_everything_is_told_again_as_last_choice)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2);
	uint16_t inside = lab_peer(&lab, LAB_ASN, 3), other = lab_peer(&lab, 65004, 4);
	struct lab_heard heard;

	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	lab_announce(&lab, a, "10.2.0.0/16", "65001", "192.0.2.1", 0xfde90001);
	lab_hear(&lab, b);
	lab_hear(&lab, inside);
	lab_hear(&lab, other);
	rib_peer_shutting_down(lab.rib, b, true);
	rib_peer_shutting_down(lab.rib, inside, true);
	heard = lab_hear(&lab, b);
	cr_assert_eq(heard.n_told, 2);
	cr_assert_eq(lab_find(&heard, "10.1.0.0/16")->communities[0], BGP_COMM_GRACEFUL_SHUTDOWN);
	cr_assert_eq(lab_find(&heard, "10.2.0.0/16")->n_communities, 2);
	heard = lab_hear(&lab, inside);
	cr_assert_eq(lab_find(&heard, "10.1.0.0/16")->local_pref, 0);
	cr_assert_eq(lab_hear(&lab, other).n_messages, 0, "nobody else hears of it");
	rib_peer_shutting_down(lab.rib, b, false);
	heard = lab_hear(&lab, b);
	cr_assert_eq(lab_find(&heard, "10.1.0.0/16")->n_communities, 0);
}
