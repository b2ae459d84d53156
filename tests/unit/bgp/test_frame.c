// SPDX-License-Identifier: GPL-2.0-only
/* The stream cut into messages however it arrives, KEEPALIVE, ROUTE-REFRESH. Bad headers: tests/vectors. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "bgp/frame.h"
#include "octets.h"
#include "util/wire.h"

static uint8_t buf[BGP_MSG_MAX];

Test(frame, stream_is_cut_the_same_at_every_arrival)
{
	size_t len = octets("*16(ff) 0013 04 *16(ff) 0017 02 00000000 *16(ff) 0015 03 0604", buf,
			    sizeof(buf));
	static const enum bgp_msg_type types[] = { BGP_MSG_KEEPALIVE, BGP_MSG_UPDATE,
						   BGP_MSG_NOTIFICATION };

	for (size_t chunk = 1; chunk <= len; chunk++) {
		size_t have = 0, at = 0;
		unsigned int n = 0;

		while (have < len) {
			struct bgp_frame frame;
			struct bgp_error error;

			have = have + chunk < len ? have + chunk : len;
			while (bgp_frame_next(buf + at, have - at, false, &frame, &error) == 1) {
				cr_assert_eq(frame.type, types[n], "chunks of %zu", chunk);
				at += frame.total_len;
				n++;
			}
		}
		cr_assert_eq(n, 3, "chunks of %zu", chunk);
		cr_assert_eq(at, len);
	}
}

Test(frame, bad_header_is_known_before_the_body)
{
	struct bgp_frame frame = { .total_len = 77 };
	struct bgp_error error;
	size_t len = octets("*16(ff) 2000 02", buf, sizeof(buf));

	cr_assert_eq(bgp_frame_next(buf, len, false, &frame, &error), -EBADMSG);
	cr_assert_eq(frame.total_len, 77, "untouched on failure");
	cr_assert_eq(bgp_frame_next(buf, len, true, &frame, &error), 0);
}

Test(frame, keepalive)
{
	struct bgp_frame frame;
	struct bgp_error error;

	cr_assert_eq(bgp_keepalive_encode(buf, sizeof(buf)), 19);
	cr_assert_eq(bgp_frame_next(buf, 19, false, &frame, &error), 1);
	cr_assert_eq(frame.type, BGP_MSG_KEEPALIVE);
	cr_assert_eq(frame.body_len, 0);
	cr_assert_eq(bgp_keepalive_encode(buf, 18), -ENOSPC);
}

Test(frame, finish_patches_the_message_that_began_there)
{
	struct wire_writer w;

	wire_write_init(&w, buf, sizeof(buf));
	bgp_frame_begin(&w, BGP_MSG_KEEPALIVE);
	bgp_frame_finish(&w, 0);
	bgp_frame_begin(&w, BGP_MSG_UPDATE);
	wire_put_u32(&w, 0);
	bgp_frame_finish(&w, 19);
	cr_assert_not(w.failed);
	cr_assert_eq(buf[17], 19);
	cr_assert_eq(buf[19 + 17], 23);
}

Test(frame, route_refresh_both_ways)
{
	struct bgp_route_refresh refresh = { BGP_AFI_IPV6, BGP_REFRESH_BORR, BGP_SAFI_UNICAST };
	struct bgp_route_refresh again;
	struct bgp_error error;

	cr_assert_eq(bgp_route_refresh_encode(&refresh, buf, sizeof(buf)), 23);
	cr_assert_eq(bgp_route_refresh_decode(buf + 19, 4, &again, &error), 0);
	cr_assert_eq(again.afi, BGP_AFI_IPV6);
	cr_assert_eq(again.subtype, BGP_REFRESH_BORR);
	cr_assert_eq(again.safi, BGP_SAFI_UNICAST);
	cr_assert_eq(bgp_route_refresh_encode(&refresh, buf, 22), -ENOSPC);
}

/* RFC 7313 5: 7/1, and the whole message comes back. */
Test(frame, demarcation_of_a_wrong_length_is_answered)
{
	struct bgp_route_refresh refresh;
	struct bgp_error error;
	uint8_t expected[64];
	size_t n = octets("*16(ff) 0018 05 0001 01 01 00", expected, sizeof(expected));

	cr_assert_eq(bgp_route_refresh_decode(expected + 19, 5, &refresh, &error), -EBADMSG);
	cr_assert_eq(error.code, BGP_ERR_ROUTE_REFRESH);
	cr_assert_eq(error.subcode, 1);
	cr_assert_eq(error.data_len, n);
	cr_assert_eq(memcmp(error.data, expected, n), 0);
}

Test(frame, refresh_with_orf_is_a_plain_one)
{
	size_t len = octets("0001 00 01 01 80 {2 00}", buf, sizeof(buf));
	struct bgp_route_refresh refresh;
	struct bgp_error error;

	cr_assert_eq(bgp_route_refresh_decode(buf, len, &refresh, &error), 0);
	cr_assert_eq(refresh.subtype, BGP_REFRESH_NORMAL);
}

Test(frame, types_have_names)
{
	cr_assert_str_eq(bgp_msg_type_name(BGP_MSG_UPDATE), "UPDATE");
	cr_assert_str_eq(bgp_msg_type_name(BGP_MSG_ROUTE_REFRESH), "ROUTE-REFRESH");
	cr_assert_str_eq(bgp_msg_type_name((enum bgp_msg_type)0), "UNKNOWN");
	cr_assert_str_eq(bgp_msg_type_name((enum bgp_msg_type)200), "UNKNOWN");
}
