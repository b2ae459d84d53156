// SPDX-License-Identifier: GPL-2.0-only
/* OPEN both ways, and what a session is agreed to be. What is refused: tests/vectors/bgp_open.c. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp/open.h"

static uint8_t buf[BGP_OPEN_ENCODED_MAX];

static struct bgp_open an_open(uint32_t asn, uint32_t id, uint16_t hold_time)
{
	struct bgp_open open = {
		.version = BGP_VERSION,
		.my_as = (uint16_t)(asn > UINT16_MAX ? BGP_AS_TRANS : asn),
		.hold_time = hold_time,
		.id = id,
		.caps = { .as4 = true, .asn = asn, .multiprotocol = true, .families = 1 },
	};

	return open;
}

static struct bgp_session_params accepted(uint16_t ours, uint16_t theirs, uint16_t keepalive)
{
	struct bgp_open sent = an_open(65515, 1, ours), received = an_open(65001, 2, theirs);
	struct bgp_open_policy policy = { .local_asn = 65515,
					  .local_id = 1,
					  .peer_asn = 65001,
					  .hold_time = ours,
					  .keepalive_time = keepalive };
	struct bgp_session_params params;
	struct bgp_error error;

	cr_assert_eq(bgp_open_accept(&sent, &received, &policy, &params, &error), 0);
	return params;
}

static struct bgp_open written_and_read(const struct bgp_open *open)
{
	int len = bgp_open_encode(open, buf, sizeof(buf));
	struct bgp_frame frame;
	struct bgp_open again;
	struct bgp_error error;

	cr_assert_geq(len, 29);
	cr_assert_eq(bgp_frame_next(buf, (size_t)len, false, &frame, &error), 1);
	cr_assert_eq(frame.type, BGP_MSG_OPEN);
	cr_assert_eq(bgp_open_decode(frame.body, frame.body_len, &again, &error), 0);
	return again;
}

Test(open, both_ways)
{
	struct bgp_open open = an_open(4200000001u, 0x0a000001, 90), again;

	again = written_and_read(&open);
	cr_assert_eq(again.version, 4);
	cr_assert_eq(again.my_as, BGP_AS_TRANS);
	cr_assert_eq(bgp_open_asn(&again), 4200000001u);
	cr_assert_eq(again.hold_time, 90);
	cr_assert_eq(again.id, 0x0a000001);
	cr_assert_not(again.extended_parameters);
	cr_assert_eq(memcmp(&again.caps, &open.caps, sizeof(open.caps)), 0);
}

Test(open, extended_parameters_both_ways)
{
	struct bgp_open open = an_open(65001, 1, 90), again;

	open.extended_parameters = true;
	again = written_and_read(&open);
	cr_assert(again.extended_parameters);
	cr_assert_eq(buf[28], 255);
	cr_assert_eq(buf[29], 255);
	cr_assert_eq(memcmp(&again.caps, &open.caps, sizeof(open.caps)), 0);
	memset(&open.caps, 0, sizeof(open.caps));
	again = written_and_read(&open);
	cr_assert(again.extended_parameters);
}

Test(open, without_capabilities_it_has_no_parameters)
{
	struct bgp_open open = { .version = 4, .my_as = 65001, .hold_time = 90, .id = 1 };

	cr_assert_eq(bgp_open_encode(&open, buf, sizeof(buf)), 29);
	cr_assert_eq(buf[28], 0);
	cr_assert_eq(bgp_open_asn(&open), 65001);
	cr_assert_eq(bgp_open_encode(&open, buf, 28), -ENOSPC);
}

Test(open, failure_leaves_the_result_alone)
{
	struct bgp_open open = { .id = 42 };
	struct bgp_error error;

	cr_assert_eq(bgp_open_decode((const uint8_t *)"\4", 1, &open, &error), -EBADMSG);
	cr_assert_eq(error.code, BGP_ERR_OPEN);
	cr_assert_eq(error.subcode, BGP_OPEN_UNSPECIFIC);
	cr_assert_eq(open.id, 42);
}

Test(open, hold_time_is_the_lower_one)
{
	cr_assert_eq(accepted(90, 180, 30).hold_time, 90);
	cr_assert_eq(accepted(180, 90, 60).hold_time, 90);
	cr_assert_eq(accepted(90, 3, 30).hold_time, 3);
	cr_assert_eq(accepted(0, 90, 30).hold_time, 0);
	cr_assert_eq(accepted(90, 0, 30).hold_time, 0);
}

Test(open, keepalive_is_at_most_a_third)
{
	cr_assert_eq(accepted(180, 180, 60).keepalive_time, 60);
	cr_assert_eq(accepted(180, 90, 60).keepalive_time, 30);
	cr_assert_eq(accepted(180, 180, 10).keepalive_time, 10);
	cr_assert_eq(accepted(180, 180, 0).keepalive_time, 60);
	cr_assert_eq(accepted(180, 3, 60).keepalive_time, 1);
	cr_assert_eq(accepted(180, 0, 60).keepalive_time, 0);
}

Test(open, parameters_of_the_session)
{
	struct bgp_session_params p = accepted(90, 90, 30);

	cr_assert(p.ebgp);
	cr_assert(p.as4);
	cr_assert_eq(p.local_asn, 65515);
	cr_assert_eq(p.peer_asn, 65001);
	cr_assert_eq(p.local_id, 1);
	cr_assert_eq(p.peer_id, 2);
	cr_assert_eq(p.families, BGP_FAMILY_BIT(BGP_IPV4_UNICAST));
}

Test(open, internal_when_the_asn_is_ours)
{
	struct bgp_open sent = an_open(65515, 1, 90), received = an_open(65515, 2, 90);
	struct bgp_open_policy policy = {
		.local_asn = 65515, .local_id = 1, .peer_asn = 65515, .hold_time = 90
	};
	struct bgp_session_params params;
	struct bgp_error error;

	cr_assert_eq(bgp_open_accept(&sent, &received, &policy, &params, &error), 0);
	cr_assert_not(params.ebgp);
}

static int asked(uint32_t asn, const struct bgp_open_policy *policy)
{
	struct bgp_open sent = an_open(65515, 1, 90), received = an_open(asn, 2, 90);
	struct bgp_session_params params;
	struct bgp_error error;
	int r = bgp_open_accept(&sent, &received, policy, &params, &error);

	if (r < 0) {
		cr_assert_eq(error.code, BGP_ERR_OPEN);
		cr_assert_eq(error.subcode, BGP_OPEN_BAD_PEER_AS);
	}
	return r;
}

/* Listen ranges: whoever is listed; without a list whoever is not of our own AS. */
Test(open, one_of_several_as_numbers)
{
	struct bgp_open_policy policy = { .local_asn = 65515, .local_id = 1, .hold_time = 90 };

	cr_assert_eq(asked(65001, &policy), 0);
	cr_assert_eq(asked(65515, &policy), -EBADMSG);
	policy.peer_asns = (struct bgp_asn_set){ 2, { { 65001, 65001 }, { 65010, 65019 } } };
	cr_assert_eq(asked(65001, &policy), 0);
	cr_assert_eq(asked(65002, &policy), -EBADMSG);
	cr_assert_eq(asked(65009, &policy), -EBADMSG);
	cr_assert_eq(asked(65010, &policy), 0);
	cr_assert_eq(asked(65019, &policy), 0);
	cr_assert_eq(asked(65020, &policy), -EBADMSG);
	policy.peer_asns.range[0] = (struct bgp_asn_range){ 65515, 65515 };
	cr_assert_eq(asked(65515, &policy), 0, "our own where it is listed");
}

/* Roles are for external sessions: an internal one does not look at them (RFC 9234 4.2). */
Test(open, roles_do_not_matter_inside)
{
	struct bgp_open sent = an_open(65515, 1, 90), received = an_open(65515, 2, 90);
	struct bgp_open_policy policy = { .local_asn = 65515,
					  .local_id = 1,
					  .peer_asn = 65515,
					  .hold_time = 90,
					  .require_role = true };
	struct bgp_session_params params;
	struct bgp_error error;

	received.caps.role_conflict = true;
	cr_assert_eq(bgp_open_accept(&sent, &received, &policy, &params, &error), 0);
}
