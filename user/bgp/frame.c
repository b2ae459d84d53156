// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cuts whole messages from a stream of octets, and writes the 19-octet header. Called by peer.c for
 * input and by every encoder. Must never look into a body, except that of ROUTE-REFRESH.
 *
 *	0                               16      18     19
 *	+-------------------------------+-------+------+---------------
 *	| marker, all ones              | length| type | body
 *	+-------------------------------+-------+------+---------------
 */
#include <errno.h>
#include <string.h>

#include "bgp/frame.h"
#include "util/wire.h"

static const uint8_t marker[BGP_MARKER_LEN] = { [0 ... BGP_MARKER_LEN - 1] = 0xff };

/*
 * RFC 4271 6.1 gives the shortest of each type; RFC 8654 4 lets all but OPEN and KEEPALIVE grow.
 * KEEPALIVE is the header alone.
 */
static const struct msg_rule {
	const char *name;
	uint16_t min, max, max_extended;
} rules[BGP_MSG_TYPE_MAX] = {
	[BGP_MSG_OPEN] = { "OPEN", 29, BGP_MSG_MAX, BGP_MSG_MAX },
	[BGP_MSG_UPDATE] = { "UPDATE", 23, BGP_MSG_MAX, BGP_MSG_MAX_EXTENDED },
	[BGP_MSG_NOTIFICATION] = { "NOTIFICATION", 21, BGP_MSG_MAX, BGP_MSG_MAX_EXTENDED },
	[BGP_MSG_KEEPALIVE] = { "KEEPALIVE", BGP_HEADER_LEN, BGP_HEADER_LEN, BGP_HEADER_LEN },
	[BGP_MSG_ROUTE_REFRESH] = { "ROUTE-REFRESH", 23, BGP_MSG_MAX, BGP_MSG_MAX_EXTENDED },
};

const char *bgp_msg_type_name(enum bgp_msg_type type)
{
	if ((unsigned int)type >= BGP_MSG_TYPE_MAX || !rules[type].name)
		return "UNKNOWN";
	return rules[type].name;
}

static int bad_length(uint16_t length, struct bgp_error *ret_error)
{
	const uint8_t data[2] = { (uint8_t)(length >> 8), (uint8_t)length };

	bgp_error_set(ret_error, BGP_ERR_HEADER, BGP_HDR_BAD_LENGTH, "message length out of bounds",
		      data, sizeof(data));
	return -EBADMSG;
}

/* The order is that of RFC 4271 6.1: what no type allows comes before the type, its own bounds after. */
static int check_header(uint16_t length, uint8_t type, bool extended, struct bgp_error *ret_error)
{
	const struct msg_rule *rule;

	if (length < BGP_HEADER_LEN || (!extended && length > BGP_MSG_MAX))
		return bad_length(length, ret_error);
	if (type >= BGP_MSG_TYPE_MAX || !rules[type].name) {
		bgp_error_set(ret_error, BGP_ERR_HEADER, BGP_HDR_BAD_TYPE, "unknown message type",
			      &type, sizeof(type));
		return -EBADMSG;
	}
	rule = &rules[type];
	if (length < rule->min || length > (extended ? rule->max_extended : rule->max))
		return bad_length(length, ret_error);
	return 0;
}

int bgp_frame_next(const uint8_t *data, size_t len, bool extended_message,
		   struct bgp_frame *ret_frame, struct bgp_error *ret_error)
{
	struct wire_reader r;
	const uint8_t *mark;
	uint16_t length;
	uint8_t type;

	if (len < BGP_HEADER_LEN)
		return 0;
	wire_read_init(&r, data, len);
	mark = wire_bytes(&r, BGP_MARKER_LEN);
	length = wire_u16(&r);
	type = wire_u8(&r);
	if (memcmp(mark, marker, sizeof(marker)) != 0) {
		bgp_error_set(ret_error, BGP_ERR_HEADER, BGP_HDR_NOT_SYNCHRONISED,
			      "marker is not all ones", NULL, 0);
		return -EBADMSG;
	}
	if (check_header(length, type, extended_message, ret_error) < 0)
		return -EBADMSG;
	if (len < length)
		return 0;
	ret_frame->type = (enum bgp_msg_type)type;
	ret_frame->body_len = length - BGP_HEADER_LEN;
	ret_frame->body = wire_bytes(&r, ret_frame->body_len);
	ret_frame->total_len = length;
	return 1;
}

void bgp_frame_begin(struct wire_writer *w, enum bgp_msg_type type)
{
	wire_put_bytes(w, marker, sizeof(marker));
	wire_put_u16(w, 0);
	wire_put_u8(w, type);
}

void bgp_frame_finish(struct wire_writer *w, size_t start)
{
	wire_set_u16(w, start + BGP_MARKER_LEN, w->pos - start);
}

int bgp_keepalive_encode(uint8_t *buf, size_t cap)
{
	struct wire_writer w;

	wire_write_init(&w, buf, cap);
	bgp_frame_begin(&w, BGP_MSG_KEEPALIVE);
	bgp_frame_finish(&w, 0);
	return w.failed ? -ENOSPC : (int)w.pos;
}

/* RFC 7313 5: subtypes 1 and 2 are four octets, or the whole message goes back. */
static int bad_refresh(const uint8_t *body, size_t len, struct bgp_error *ret_error)
{
	uint8_t msg[BGP_ERROR_DATA_MAX];
	struct wire_writer w;
	size_t room = sizeof(msg) - BGP_HEADER_LEN;

	wire_write_init(&w, msg, sizeof(msg));
	bgp_frame_begin(&w, BGP_MSG_ROUTE_REFRESH);
	wire_put_bytes(&w, body, len < room ? len : room);
	wire_set_u16(&w, BGP_MARKER_LEN, BGP_HEADER_LEN + len);
	bgp_error_set(ret_error, BGP_ERR_ROUTE_REFRESH, 1, "ROUTE-REFRESH of a wrong length", msg,
		      w.pos);
	return -EBADMSG;
}

int bgp_route_refresh_decode(const uint8_t *body, size_t len, struct bgp_route_refresh *ret_refresh,
			     struct bgp_error *ret_error)
{
	struct bgp_route_refresh refresh;
	struct wire_reader r;
	bool demarcation;

	wire_read_init(&r, body, len);
	refresh.afi = wire_u16(&r);
	refresh.subtype = wire_u8(&r);
	refresh.safi = wire_u8(&r);
	demarcation = refresh.subtype == BGP_REFRESH_BORR || refresh.subtype == BGP_REFRESH_EORR;
	/* Longer ones of subtype 0 carry ORF (RFC 5291), which we never offered: the tail is ignored. */
	if (r.failed || (demarcation && wire_left(&r)))
		return bad_refresh(body, len, ret_error);
	*ret_refresh = refresh;
	return 0;
}

int bgp_route_refresh_encode(const struct bgp_route_refresh *refresh, uint8_t *buf, size_t cap)
{
	struct wire_writer w;

	wire_write_init(&w, buf, cap);
	bgp_frame_begin(&w, BGP_MSG_ROUTE_REFRESH);
	wire_put_u16(&w, refresh->afi);
	wire_put_u8(&w, refresh->subtype);
	wire_put_u8(&w, refresh->safi);
	bgp_frame_finish(&w, 0);
	return w.failed ? -ENOSPC : (int)w.pos;
}
