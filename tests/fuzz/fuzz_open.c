// SPDX-License-Identifier: GPL-2.0-only
/*
 * The body of an OPEN, decoded and judged; what was understood is written again and must read the same.
 * First octet: the policy.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp/open.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void judge(const struct bgp_open *received, uint8_t choice)
{
	struct bgp_open sent = { .version = 4, .my_as = 65515, .hold_time = 90, .id = 1 };
	struct bgp_open_policy policy = {
		.local_asn = 65515,
		.local_id = 1,
		.peer_asn = choice & 1 ? 65001 : 0,
		.hold_time = choice & 2 ? 90 : 0,
		.keepalive_time = choice & 4 ? 30 : 0,
		.required_families = choice & 8 ? 1u << BGP_IPV6_UNICAST : 0,
		.needed = choice & 16 ? BGP_NEED_AS4 | BGP_NEED_ENH_REFRESH : 0,
		.require_role = choice & 32,
	};
	struct bgp_session_params params;
	struct bgp_error error;

	sent.caps = received->caps;
	sent.caps.has_role = choice & 64;
	sent.caps.role = choice % (BGP_ROLE_MAX + 1);
	if (bgp_open_accept(&sent, received, &policy, &params, &error) < 0) {
		require(error.code == BGP_ERR_OPEN && error.reason);
		return;
	}
	require(params.families && params.peer_asn && params.peer_id);
	require(params.hold_time == 0 || params.hold_time >= 3);
	require(params.keepalive_time <= params.hold_time / 3);
}

static void write_again(const struct bgp_open *open)
{
	uint8_t buf[BGP_OPEN_ENCODED_MAX];
	struct bgp_open again, expected = *open;
	struct bgp_error error;
	int len = bgp_open_encode(open, buf, sizeof(buf));

	require(len >= 29);
	require(bgp_open_decode(buf + BGP_HEADER_LEN, (size_t)len - BGP_HEADER_LEN, &again,
				&error) == 0);
	/* We do not repeat what we did not understand, nor two roles, nor an empty list of families. */
	expected.caps.n_unknown = 0;
	memset(expected.caps.unknown, 0, sizeof(expected.caps.unknown));
	expected.caps.role_conflict = false;
	expected.caps.multiprotocol = expected.caps.multiprotocol && expected.caps.families;
	for (int f = 0; f < BGP_FAMILY_MAX; f++) {
		if (!(expected.caps.llgr_families & BGP_FAMILY_BIT(f)))
			expected.caps.llgr_time[f] = 0;
	}
	require(!memcmp(&again.caps, &expected.caps, sizeof(again.caps)));
	require(again.my_as == open->my_as && again.hold_time == open->hold_time);
	require(again.id == open->id && again.extended_parameters == open->extended_parameters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bgp_open open;
	struct bgp_error error;

	if (!size)
		return 0;
	memset(&open, 0, sizeof(open));
	if (bgp_open_decode(data + 1, size - 1, &open, &error) < 0) {
		require(error.code == BGP_ERR_OPEN && error.reason);
		return 0;
	}
	judge(&open, data[0]);
	write_again(&open);
	return 0;
}
