// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a decoded UPDATE says: attributes, sections, End-of-RIB, AS4 merging, unknown attributes, limits,
 * findings. What is wrong with UPDATEs and what comes of it: tests/vectors/bgp_update.c.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/community.h"
#include "bgp/update_decode.h"
#include "octets.h"

#define ORIGIN   "40 01 {1 00} "
#define PATH     "40 02 {1 02 02 0000fde9 0000fdea} "
#define NEXT_HOP "40 03 {1 0a000001} "
#define BASE     ORIGIN PATH NEXT_HOP
#define BASE16   ORIGIN "40 02 {1 02 03 fde9 5ba0 5ba0} " NEXT_HOP
#define NET      "18 0a0102"
#define BOTH     (BGP_FAMILY_BIT(BGP_IPV4_UNICAST) | BGP_FAMILY_BIT(BGP_IPV6_UNICAST))

static struct bgp_session_params params;
static struct bgp_update_limits limits;
static struct bgp_update u;
static uint8_t body[65536];

static void setup(void)
{
	params = (struct bgp_session_params){
		.local_asn = 65515, .peer_asn = 65001, .ebgp = true, .as4 = true, .families = BOTH
	};
}

TestSuite(update_decode, .init = setup);

static int decode(const char *text, struct bgp_error *ret_error)
{
	size_t len = octets(text, body, sizeof(body));

	return bgp_update_decode(body, len, &params, &limits, &u, ret_error);
}

static void decoded(const char *text)
{
	struct bgp_error error = { 0 };

	cr_assert_eq(decode(text, &error), 0, "%s", error.reason);
}

#define WITH(attributes) "{2} {2 " BASE attributes "} " NET
#define OLD(attributes)  "{2} {2 " BASE16 attributes "} " NET

static const char *path_text(void)
{
	static char text[8192];

	return aspath_format(u.attrs.as_path, text, sizeof(text));
}

static const char *address(const struct ip_addr *addr)
{
	static char text[4][IP_TEXT_MAX];
	static unsigned int slot;

	slot = (slot + 1) % 4;
	return ip_format(addr, text[slot]);
}

Test(update_decode, every_attribute)
{
	params.ebgp = false;
	decoded(WITH("80 04 {1 00000005} 40 05 {1 00000064} 40 06 {1} c0 07 {1 0000fde9 0a000002}"
		     "c0 08 {1 fde90001 fde90002} 80 09 {1 01020304} 80 0a {1 05060708 090a0b0c}"
		     "c0 10 {1 0002fde900000001} c0 19 {1 *20(01)} c0 20 {1 *12(02)}"
		     "c0 23 {1 0000fde9}"));
	cr_assert_eq(u.outcome, BGP_ACCEPT);
	cr_assert_eq(u.attrs.has, (1u << 14) - 1);
	cr_assert_eq(u.attrs.origin, BGP_ORIGIN_IGP);
	cr_assert_str_eq(path_text(), "65001 65002");
	cr_assert_str_eq(address(&u.attrs.next_hop), "10.0.0.1");
	cr_assert_str_eq(address(&u.next_hop[0]), "10.0.0.1");
	cr_assert_eq(u.attrs.med, 5);
	cr_assert_eq(u.attrs.local_pref, 100);
	cr_assert_eq(u.attrs.aggregator_asn, 65001);
	cr_assert_eq(u.attrs.aggregator_id, 0x0a000002);
	cr_assert_eq(community_count(u.attrs.communities), 2);
	cr_assert_eq(u.attrs.originator_id, 0x01020304);
	cr_assert_eq(u.attrs.cluster_list.len, 8);
	cr_assert_eq(u.attrs.ext_communities.len, 8);
	cr_assert_eq(u.attrs.ipv6_ext.len, 20);
	cr_assert_eq(u.attrs.large_communities.len, 12);
	cr_assert_eq(u.attrs.otc, 65001);
	cr_assert_eq(u.attrs.partial, 0);
}

Test(update_decode, blobs_point_into_the_message)
{
	decoded(WITH("c0 08 {1 fde90001}"));
	cr_assert(u.attrs.as_path.data > body && u.attrs.as_path.data < body + sizeof(body));
	cr_assert(u.attrs.communities.data > body);
	cr_assert_eq(u.reach[0].data + u.reach[0].len, u.attrs.communities.data + 4 + 4);
}

Test(update_decode, partial_is_kept_for_optional_transitive)
{
	decoded(WITH("a0 04 {1 00000005} e0 07 {1 0000fde9 0a000002} e0 08 {1 fde90001}"));
	cr_assert_eq(u.attrs.partial, BGP_HAS_AGGREGATOR | BGP_HAS_COMMUNITIES);
	cr_assert(u.attrs.aggregator_partial);
}

Test(update_decode, multiprotocol_sections)
{
	decoded("{2} {2 80 0e {1 0002 01 {1 20010db8 *11(00) 01 fe80 *13(00) 02} 00 20 20010db8}"
		"80 0f {1 0002 01 10 3ffe} " ORIGIN PATH "} ");
	cr_assert_eq(u.reach[1].family, BGP_IPV6_UNICAST);
	cr_assert_eq(nlri_validate(&u.reach[1]), 1);
	cr_assert_eq(nlri_validate(&u.withdraw[1]), 1);
	cr_assert_eq(u.reach[0].len + u.withdraw[0].len, 0);
	cr_assert_str_eq(address(&u.next_hop[1]), "2001:db8::1");
	cr_assert_str_eq(address(&u.link_local[1]), "fe80::2");
	cr_assert_eq(u.attrs.next_hop.family, IP_NONE);
	cr_assert_not(u.attrs.has & BGP_HAS_NEXT_HOP);
}

Test(update_decode, ipv4_over_ipv6_next_hop)
{
	params.ext_next_hop = BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	decoded("{2} {2 80 0e {1 0001 01 {1 20010db8 *11(00) 01} 00 " NET "}" ORIGIN PATH "} ");
	cr_assert_eq(u.outcome, BGP_ACCEPT);
	cr_assert_eq(u.reach[1].family, BGP_IPV4_UNICAST);
	cr_assert_eq(u.next_hop[1].family, IP_V6);
}

Test(update_decode, second_next_hop_that_is_not_link_local_is_ignored)
{
	decoded("{2} {2 80 0e {1 0002 01 {1 *2(20010db8 *11(00) 01)} 00 00}" ORIGIN PATH "} ");
	cr_assert_eq(u.link_local[1].family, IP_NONE);
	cr_assert_str_eq(address(&u.next_hop[1]), "2001:db8::1");
}

Test(update_decode, unnumbered_next_hop)
{
	decoded("{2} {2 80 0e {1 0002 01 {1 *16(00) fe80 *13(00) 02} 00 00}" ORIGIN PATH "} ");
	cr_assert_str_eq(address(&u.next_hop[1]), "fe80::2");
	cr_assert_str_eq(address(&u.link_local[1]), "fe80::2");
}

Test(update_decode, end_of_rib)
{
	decoded("{2}{2}");
	cr_assert(u.end_of_rib);
	cr_assert_eq(u.eor_family, BGP_IPV4_UNICAST);
	decoded("{2}{2 80 0f {1 0002 01}}");
	cr_assert(u.end_of_rib);
	cr_assert_eq(u.eor_family, BGP_IPV6_UNICAST);
	decoded("{2}{2 90 0f {2 0001 01}}");
	cr_assert(u.end_of_rib);
	cr_assert_eq(u.eor_family, BGP_IPV4_UNICAST);
}

Test(update_decode, what_is_no_end_of_rib)
{
	static const char *const texts[] = {
		"{2} {2 80 0f {1 0002 01 10 3ffe}}",
		"{2} {2 80 0f {1 0002 01} 40 01 {1 00}}",
		"{2 " NET "} {2 80 0f {1 0002 01}}",
		"{2 " NET "} {2}",
		"{2} {2 c0 63 {1 01}}",
		"{2} {2 80 0f {1 0002 80}}",
		WITH("80 0f {1 0002 01}"),
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		decoded(texts[i]);
		cr_expect_not(u.end_of_rib, "%s", texts[i]);
	}
}

Test(update_decode, families_not_in_force_are_ignored)
{
	params.families = BGP_FAMILY_BIT(BGP_IPV6_UNICAST);
	decoded("{2 " NET "} {2 " BASE "} " NET);
	cr_assert(u.foreign_family);
	cr_assert_eq(u.reach[0].len + u.withdraw[0].len, 0);
	decoded("{2}{2}");
	cr_assert(u.foreign_family);
	cr_assert_not(u.end_of_rib);
	params.families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	decoded("{2} {2 80 0f {1 0002 01 10 3ffe}}");
	cr_assert(u.foreign_family);
	cr_assert_eq(u.withdraw[1].len, 0);
}

Test(update_decode, add_path_by_family)
{
	params.add_path_rx = BGP_FAMILY_BIT(BGP_IPV6_UNICAST);
	decoded("{2} {2 80 0e {1 0002 01 {1 20010db8 *11(00) 01} 00 00000009 10 3ffe}" BASE
		"} " NET);
	cr_assert_not(u.reach[0].add_path);
	cr_assert(u.reach[1].add_path);
	cr_assert_eq(nlri_validate(&u.reach[1]), 1);
}

/* --- 2-octet speakers ------------------------------------------------------------------------ */

Test(update_decode, as_path_is_widened)
{
	params.as4 = false;
	decoded(OLD(""));
	cr_assert_str_eq(path_text(), "65001 23456 23456");
	cr_assert_eq(u.attrs.as_path.data, u.scratch);
}

Test(update_decode, as4_path_is_merged)
{
	params.as4 = false;
	decoded(OLD("c0 11 {1 02 02 fa56ea01 fa56ea02}"));
	cr_assert_str_eq(path_text(), "65001 4200000001 4200000002");
	decoded(OLD("c0 11 {1 02 04 *4(fa56ea01)}"));
	cr_assert_str_eq(path_text(), "65001 23456 23456", "longer than AS_PATH: ignored");
}

Test(update_decode, as4_path_in_any_order)
{
	params.as4 = false;
	decoded("{2} {2 c0 11 {1 02 02 fa56ea01 fa56ea02}" BASE16 "} " NET);
	cr_assert_str_eq(path_text(), "65001 4200000001 4200000002");
}

Test(update_decode, as4_aggregator_takes_the_place_of_as_trans)
{
	params.as4 = false;
	decoded(OLD("c0 07 {1 5ba0 0a000002} c0 12 {1 fa56ea01 0a000003}"));
	cr_assert_eq(u.attrs.aggregator_asn, 4200000001u);
	cr_assert_eq(u.attrs.aggregator_id, 0x0a000003);
}

/* RFC 6793 4.2.3: an AGGREGATOR of a 2-octet speaker is newer than both AS4 attributes. */
Test(update_decode, as4_attributes_older_than_the_aggregator_are_ignored)
{
	params.as4 = false;
	decoded(OLD("c0 07 {1 fde9 0a000002} c0 12 {1 fa56ea01 0a000003}"
		    "c0 11 {1 02 02 fa56ea01 fa56ea02}"));
	cr_assert_eq(u.attrs.aggregator_asn, 65001);
	cr_assert_str_eq(path_text(), "65001 23456 23456");
}

Test(update_decode, as4_aggregator_alone_is_nothing)
{
	params.as4 = false;
	decoded(OLD("c0 12 {1 fa56ea01 0a000003} c0 11 {1 02 02 fa56ea01 fa56ea02}"));
	cr_assert_not(u.attrs.has & BGP_HAS_AGGREGATOR);
	cr_assert_str_eq(path_text(), "65001 4200000001 4200000002");
}

/* --- unknown attributes ---------------------------------------------------------------------- */

static void expect_unknown(const char *text)
{
	static uint8_t expected[2048];
	size_t len = octets(text, expected, sizeof(expected));

	cr_expect_eq(u.attrs.unknown.len, len, "%s", text);
	cr_expect_eq(memcmp(u.attrs.unknown.data, expected, len), 0, "%s", text);
	cr_expect_eq(!!(u.attrs.has & BGP_HAS_UNKNOWN), len > 0);
}

Test(update_decode, unknown_transitive_is_kept_with_partial)
{
	decoded(WITH("c0 63 {1 0102}"));
	expect_unknown("e0 63 {1 0102}");
	decoded(WITH("80 63 {1 0102}"));
	cr_assert_eq(u.attrs.unknown.len, 0);
	cr_assert_not(u.attrs.has & BGP_HAS_UNKNOWN);
}

Test(update_decode, unknown_ones_are_put_in_order_and_normal_form)
{
	decoded("{2} {2 f0 ff {2 01} cf 14 {1 02}" BASE
		"d0 63 {2 *256(03)} 80 65 {1} c0 1a {1} } " NET);
	expect_unknown("e0 14 {1 02} e0 1a {1} f0 63 {2 *256(03)} e0 ff {1 01}");
}

Test(update_decode, unknown_and_widened_share_the_scratch)
{
	params.as4 = false;
	decoded("{2} {2 c0 63 {1 01}" BASE16
		"c0 11 {1 02 02 fa56ea01 fa56ea02} c0 64 {1 02}} " NET);
	cr_assert_str_eq(path_text(), "65001 4200000001 4200000002");
	expect_unknown("e0 63 {1 01} e0 64 {1 02}");
}

/* --- limits and policy ----------------------------------------------------------------------- */

Test(update_decode, limits_withdraw_the_route)
{
	limits.max_as_path = 2;
	decoded(WITH(""));
	cr_assert_eq(u.outcome, BGP_ACCEPT);
	limits.max_as_path = 1;
	decoded(WITH(""));
	cr_assert_eq(u.outcome, BGP_TREAT_AS_WITHDRAW);
	cr_assert_eq(u.findings[0].attr_code, BGP_ATTR_AS_PATH);
	cr_assert_eq(u.over, 1u << BGP_LIMIT_AS_PATH);
	limits.max_attr_bytes = 1;
	decoded(WITH(""));
	cr_assert_eq(u.over, 1u << BGP_LIMIT_AS_PATH | 1u << BGP_LIMIT_ATTR_BYTES);
	limits = (struct bgp_update_limits){ 0 };
	decoded(WITH(""));
	cr_assert_eq(u.over, 0);
}

Test(update_decode, communities_of_all_kinds_count)
{
	const char *text =
		WITH("c0 08 {1 fde90001} c0 10 {1 *8(01)} c0 19 {1 *20(01)} c0 20 {1 *12(02)}");

	limits.max_communities = 4;
	decoded(text);
	cr_assert_eq(u.outcome, BGP_ACCEPT);
	limits.max_communities = 3;
	decoded(text);
	cr_assert_eq(u.outcome, BGP_TREAT_AS_WITHDRAW);
}

Test(update_decode, octets_of_attributes_count_without_prefixes)
{
	const char *text =
		"{2} {2 80 0e {1 0002 01 {1 20010db8 *11(00) 01} 00 *100(00)}" ORIGIN PATH "} ";

	limits.max_attr_bytes = 4 + 13;
	decoded(text);
	cr_assert_eq(u.outcome, BGP_ACCEPT);
	limits.max_attr_bytes--;
	decoded(text);
	cr_assert_eq(u.outcome, BGP_TREAT_AS_WITHDRAW);
}

Test(update_decode, limits_are_no_reason_to_reset)
{
	limits.max_as_path = 1;
	limits.max_attr_bytes = 1;
	decoded("{2} {2 " BASE "} ");
	cr_assert_eq(u.outcome, BGP_ACCEPT);
}

Test(update_decode, first_as_is_the_peers_when_asked)
{
	limits.enforce_first_as = true;
	decoded(WITH(""));
	cr_assert_eq(u.outcome, BGP_ACCEPT);
	params.peer_asn = 65009;
	decoded(WITH(""));
	cr_assert_eq(u.outcome, BGP_TREAT_AS_WITHDRAW);
	decoded("{2} {2 " ORIGIN "40 02 {1} " NEXT_HOP "} " NET);
	cr_assert_eq(u.outcome, BGP_TREAT_AS_WITHDRAW);
	params.ebgp = false;
	decoded(WITH(""));
	cr_assert_eq(u.outcome, BGP_ACCEPT);
}

/* --- findings -------------------------------------------------------------------------------- */

Test(update_decode, strongest_finding_comes_first)
{
	decoded(WITH("40 05 {1 00000064} 40 06 {1 00} 80 04 {1 00}"));
	cr_assert_eq(u.outcome, BGP_TREAT_AS_WITHDRAW);
	cr_assert_eq(u.n_findings, 3);
	cr_assert_eq(u.findings[0].attr_code, BGP_ATTR_MED);
	cr_assert_eq(u.findings[1].attr_code, BGP_ATTR_ATOMIC_AGGREGATE);
	cr_assert_eq(u.findings[2].attr_code, BGP_ATTR_LOCAL_PREF);
}

Test(update_decode, findings_are_bounded_and_the_strongest_stays)
{
	decoded(WITH("*20(40 01 {1 00}) 80 04 {1 00}"));
	cr_assert_eq(u.n_findings, BGP_FINDINGS_MAX);
	cr_assert_eq(u.findings[0].outcome, BGP_TREAT_AS_WITHDRAW);
	cr_assert_eq(u.findings[0].attr_code, BGP_ATTR_MED);
}

Test(update_decode, multicast_is_found_and_harms_nothing)
{
	decoded("{2} {2 " BASE "} 20 e0000005 " NET);
	cr_assert_eq(u.outcome, BGP_ACCEPT);
	cr_assert_eq(u.n_findings, 1);
	cr_assert_eq(nlri_validate(&u.reach[0]), 2);
}

Test(update_decode, discarded_attribute_is_absent)
{
	decoded(WITH("40 05 {1 00000064} c0 07 {1 00000000 0a000001}"));
	cr_assert_eq(u.outcome, BGP_DISCARD_ATTR);
	cr_assert_not(u.attrs.has & (BGP_HAS_LOCAL_PREF | BGP_HAS_AGGREGATOR));
	cr_assert_eq(u.attrs.aggregator_asn, 0);
}

Test(update_decode, first_of_two_stays)
{
	decoded(WITH("c0 08 {1 00010001} c0 08 {1 00020002}"));
	cr_assert_eq(community_get(u.attrs.communities, 0), 0x00010001);
}

/* An earlier message leaves nothing behind, although the scratch is not cleared. */
Test(update_decode, each_message_starts_afresh)
{
	decoded(WITH("c0 63 {1 01} c0 08 {1 00010001} 80 04 {1 00000001}"));
	decoded(WITH(""));
	cr_assert_eq(u.attrs.unknown.len + u.attrs.communities.len, 0);
	cr_assert_eq(u.attrs.has, BGP_HAS_ORIGIN | BGP_HAS_AS_PATH | BGP_HAS_NEXT_HOP);
	cr_assert_eq(u.n_findings, 0);
}

Test(update_decode, extended_message_of_65535_octets)
{
	struct bgp_error error;
	size_t len = octets("{2} {2 " BASE "} *16373(18 0a0102)", body, sizeof(body));

	cr_assert_eq(bgp_update_decode(body, len, &params, &limits, &u, &error), 0);
	cr_assert_eq(nlri_validate(&u.reach[0]), 16373);
}
