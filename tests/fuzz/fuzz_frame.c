// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream of octets from a peer, cut into messages; NOTIFICATION and ROUTE-REFRESH bodies decoded, and
 * what was read written again. First octet: bit 0, extended messages.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/frame.h"
#include "util/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void try_notification(const struct bgp_frame *frame)
{
	uint8_t buf[BGP_HEADER_LEN + 4 + BGP_ERROR_DATA_MAX];
	struct bgp_notification note;
	struct bgp_error error;
	bool inside; /* RFC 8538: the hard reset says what it stands for */
	int len;

	require(bgp_notification_decode(frame->body, frame->body_len, &note) == 0);
	require(strlen(note.text) <= BGP_SHUTDOWN_TEXT_MAX);
	inside = note.hard_reset && frame->body_len >= 4;
	require(note.data_len == frame->body_len - (inside ? 4 : 2));
	bgp_error_set(&error, note.code, note.subcode,
		      bgp_error_subcode_name(note.code, note.subcode), note.data,
		      note.data_len < BGP_ERROR_DATA_MAX ? note.data_len : BGP_ERROR_DATA_MAX);
	error.hard_reset = inside;
	len = bgp_notification_encode(&error, buf, sizeof(buf));
	require(len > 0 && (size_t)len <= frame->total_len);
	require(!memcmp(buf + BGP_HEADER_LEN, frame->body, (size_t)len - BGP_HEADER_LEN));
	require(bgp_error_code_name(note.code) != NULL);
}

static void try_refresh(const struct bgp_frame *frame)
{
	struct bgp_route_refresh refresh;
	struct bgp_error error;
	uint8_t buf[64];

	if (bgp_route_refresh_decode(frame->body, frame->body_len, &refresh, &error) < 0) {
		require(error.code == BGP_ERR_ROUTE_REFRESH && error.subcode == 1);
		return;
	}
	require(bgp_route_refresh_encode(&refresh, buf, sizeof(buf)) == 23);
	require(!memcmp(buf + BGP_HEADER_LEN, frame->body, 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool extended = size && (data[0] & 1);
	size_t max = extended ? BGP_MSG_MAX_EXTENDED : BGP_MSG_MAX, at = 1;
	struct bgp_frame frame;
	struct bgp_error error;

	while (at < size) {
		int found = bgp_frame_next(data + at, size - at, extended, &frame, &error);

		if (found < 0)
			require(error.code == BGP_ERR_HEADER && error.reason);
		if (found <= 0)
			break;
		require(frame.total_len >= BGP_HEADER_LEN && frame.total_len <= max);
		require(frame.total_len <= size - at);
		require(bgp_msg_type_name(frame.type) != NULL);
		if (frame.type == BGP_MSG_NOTIFICATION)
			try_notification(&frame);
		if (frame.type == BGP_MSG_ROUTE_REFRESH)
			try_refresh(&frame);
		at += frame.total_len;
	}
	return 0;
}
