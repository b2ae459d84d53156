// SPDX-License-Identifier: GPL-2.0-only
/* Each capability both ways, odd ones, and what is in force between two sides. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "bgp/capability.h"
#include "octets.h"

#define V4   BGP_FAMILY_BIT(BGP_IPV4_UNICAST)
#define V6   BGP_FAMILY_BIT(BGP_IPV6_UNICAST)
#define BOTH (V4 | V6)

static int decode(const char *text, struct bgp_caps *caps)
{
	uint8_t buf[1024];
	struct wire_reader r;

	memset(caps, 0, sizeof(*caps));
	wire_read_init(&r, buf, octets(text, buf, sizeof(buf)));
	return bgp_caps_decode(&r, caps);
}

static struct bgp_caps decoded(const char *text)
{
	struct bgp_caps caps;

	cr_assert_eq(decode(text, &caps), 0, "%s", text);
	return caps;
}

static struct bgp_caps everything(void)
{
	return (struct bgp_caps){
		.families = BOTH,
		.multiprotocol = true,
		.route_refresh = true,
		.enhanced_refresh = true,
		.extended_message = true,
		.as4 = true,
		.asn = 4200000001u,
		.ext_next_hop = V4,
		.add_path = { BGP_ADD_PATH_RECEIVE, BGP_ADD_PATH_RECEIVE | BGP_ADD_PATH_SEND },
		.has_role = true,
		.role = BGP_ROLE_RS,
		.graceful_restart = true,
		.gr_restarting = true,
		.gr_notification = true,
		.gr_time = 4095,
		.gr_families = BOTH,
		.gr_forwarding = V6,
		.llgr = true,
		.llgr_families = BOTH,
		.llgr_forwarding = V4,
		.llgr_time = { 1, 0xffffff },
	};
}

Test(capability, all_of_them_both_ways)
{
	struct bgp_caps caps = everything(), again;
	uint8_t buf[BGP_CAPS_ENCODED_MAX];
	struct wire_writer w;
	struct wire_reader r;

	wire_write_init(&w, buf, sizeof(buf));
	bgp_caps_encode(&caps, &w);
	cr_assert_not(w.failed);
	wire_read_init(&r, buf, w.pos);
	memset(&again, 0, sizeof(again));
	cr_assert_eq(bgp_caps_decode(&r, &again), 0);
	cr_assert_eq(memcmp(&caps, &again, sizeof(caps)), 0);
}

Test(capability, octets_are_those_of_the_rfcs)
{
	struct bgp_caps caps = everything();
	uint8_t buf[BGP_CAPS_ENCODED_MAX], expected[BGP_CAPS_ENCODED_MAX];
	size_t len =
		octets("01 {1 0001 00 01} 01 {1 0002 00 01} 02 {1} 05 {1 0001 0001 0002} 06 {1} "
		       "09 {1 01} 40 {1 cfff 0001 01 00 0002 01 80} 41 {1 fa56ea01} "
		       "45 {1 0001 01 01 0002 01 03} 46 {1} "
		       "47 {1 0001 01 80 000001 0002 01 00 ffffff}",
		       expected, sizeof(expected));
	struct wire_writer w;

	wire_write_init(&w, buf, sizeof(buf));
	bgp_caps_encode(&caps, &w);
	cr_assert_eq(w.pos, len);
	cr_assert_eq(memcmp(buf, expected, len), 0);
}

Test(capability, nothing_is_nothing)
{
	struct bgp_caps caps = { 0 };
	struct wire_writer w;
	uint8_t buf[8];

	wire_write_init(&w, buf, sizeof(buf));
	bgp_caps_encode(&caps, &w);
	cr_assert_eq(w.pos, 0);
}

Test(capability, times_are_cut_to_their_fields)
{
	struct bgp_caps caps = { .graceful_restart = true, .gr_time = 65535 };
	struct bgp_caps again = { 0 };
	struct wire_writer w;
	struct wire_reader r;
	uint8_t buf[32];

	caps.llgr = true;
	caps.llgr_families = V4;
	caps.llgr_time[0] = 0xffffffff;
	wire_write_init(&w, buf, sizeof(buf));
	bgp_caps_encode(&caps, &w);
	wire_read_init(&r, buf, w.pos);
	cr_assert_eq(bgp_caps_decode(&r, &again), 0);
	cr_assert_eq(again.gr_time, 4095);
	cr_assert_not(again.gr_restarting);
	cr_assert_eq(again.llgr_time[0], 0xffffff);
}

Test(capability, unknown_ones_are_remembered_once)
{
	struct bgp_caps caps = decoded("49 {1 0461626364} fe {1} 49 {1} 02 {1}");

	cr_assert_eq(caps.n_unknown, 2);
	cr_assert_eq(caps.unknown[0], 73);
	cr_assert_eq(caps.unknown[1], 254);
	cr_assert(caps.route_refresh);
}

Test(capability, unknown_ones_are_bounded)
{
	struct bgp_caps caps;
	struct wire_reader r;
	uint8_t buf[512];

	for (unsigned int i = 0; i < 256; i++) {
		buf[2 * i] = (uint8_t)(i < 128 ? 255 - i : 200);
		buf[2 * i + 1] = 0;
	}
	memset(&caps, 0, sizeof(caps));
	wire_read_init(&r, buf, sizeof(buf));
	cr_assert_eq(bgp_caps_decode(&r, &caps), 0);
	cr_assert_eq(caps.n_unknown, BGP_CAPS_UNKNOWN_MAX);
}

Test(capability, wrong_length_is_as_good_as_unknown)
{
	struct bgp_caps caps =
		decoded("40 {1 00} 45 {1 00} 47 {1 00} 05 {1 00} 02 {1 00} 06 {1 00}");

	cr_assert_not(caps.graceful_restart || caps.llgr || caps.route_refresh ||
		      caps.extended_message);
	cr_assert_eq(caps.n_unknown, 6);
}

Test(capability, overruns_and_vital_lengths_are_refused)
{
	struct bgp_caps caps;

	cr_assert_eq(decode("41", &caps), -EBADMSG);
	cr_assert_eq(decode("41 {1+1 0000fde9}", &caps), -EBADMSG);
	cr_assert_eq(decode("41 {1 00fde9}", &caps), -EBADMSG);
	cr_assert_eq(decode("01 {1 00010001 00}", &caps), -EBADMSG);
}

Test(capability, foreign_families_are_passed_over)
{
	struct bgp_caps caps = decoded("01 {1 0019 00 46} 01 {1 0001 00 80} 40 {1 0078 0019 46 80} "
				       "45 {1 0001 80 03}");

	cr_assert(caps.multiprotocol);
	cr_assert_eq(caps.families, 0);
	cr_assert_eq(caps.gr_families, 0);
	cr_assert_eq(caps.add_path[BGP_IPV4_UNICAST], 0);
}

Test(capability, last_graceful_restart_counts)
{
	struct bgp_caps caps = decoded("40 {1 c078 0001 01 80} 40 {1 0005 0002 01 00}");

	cr_assert_eq(caps.gr_time, 5);
	cr_assert_not(caps.gr_restarting || caps.gr_notification);
	cr_assert_eq(caps.gr_families, V6);
	cr_assert_eq(caps.gr_forwarding, 0);
}

Test(capability, add_path_mode_that_nobody_knows_is_ignored)
{
	struct bgp_caps caps = decoded("45 {1 0001 01 04 0002 01 02}");

	cr_assert_eq(caps.add_path[BGP_IPV4_UNICAST], 0);
	cr_assert_eq(caps.add_path[BGP_IPV6_UNICAST], BGP_ADD_PATH_SEND);
}

static struct bgp_session_params negotiated(const struct bgp_caps *sent,
					    const struct bgp_caps *received)
{
	struct bgp_session_params params = { .hold_time = 17 };

	bgp_caps_negotiate(sent, received, &params);
	cr_assert_eq(params.hold_time, 17, "not its business");
	return params;
}

Test(capability, both_sides_are_needed)
{
	struct bgp_caps all = everything(), none = { 0 };
	struct bgp_session_params p = negotiated(&all, &none);

	cr_assert_eq(p.families, V4, "implied by silence");
	cr_assert_not(p.as4 || p.extended_message || p.route_refresh || p.enhanced_refresh ||
		      p.peer_gr);
	cr_assert_eq(p.ext_next_hop | p.add_path_rx | p.add_path_tx, 0);
	p = negotiated(&none, &all);
	cr_assert_eq(p.families, V4);
	cr_assert_not(p.as4 || p.peer_gr);
	p = negotiated(&all, &all);
	cr_assert_eq(p.families, BOTH);
	cr_assert(p.as4 && p.extended_message && p.route_refresh && p.enhanced_refresh &&
		  p.peer_gr);
	cr_assert_eq(p.ext_next_hop, V4);
}

Test(capability, add_path_flows_from_send_to_receive)
{
	struct bgp_caps ours = { .multiprotocol = true, .families = BOTH };
	struct bgp_caps theirs = ours;
	struct bgp_session_params p;

	ours.add_path[BGP_IPV4_UNICAST] = BGP_ADD_PATH_RECEIVE;
	theirs.add_path[BGP_IPV4_UNICAST] = BGP_ADD_PATH_SEND;
	ours.add_path[BGP_IPV6_UNICAST] = BGP_ADD_PATH_SEND;
	theirs.add_path[BGP_IPV6_UNICAST] = BGP_ADD_PATH_RECEIVE | BGP_ADD_PATH_SEND;
	p = negotiated(&ours, &theirs);
	cr_assert_eq(p.add_path_rx, V4);
	cr_assert_eq(p.add_path_tx, V6);
	theirs.families = V6;
	p = negotiated(&ours, &theirs);
	cr_assert_eq(p.add_path_rx, 0, "not for a family that is not in force");
}

Test(capability, names)
{
	cr_assert_str_eq(bgp_capability_name(BGP_CAP_ROUTE_REFRESH), "route-refresh");
	cr_assert_str_eq(bgp_capability_name(73), "fqdn");
	cr_assert_null(bgp_capability_name(200));
}
