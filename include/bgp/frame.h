/* SPDX-License-Identifier: GPL-2.0-only */
/* Message framing: the 19-octet header (RFC 4271 4.1, 6.1) and the messages that are nothing else. Pure. */
#ifndef XRS_BGP_FRAME_H
#define XRS_BGP_FRAME_H

#include "bgp/notification.h"

struct bgp_frame {
	enum bgp_msg_type type;
	const uint8_t *body; /* after the header, inside the input */
	size_t body_len;
	size_t total_len; /* octets of input that the message takes */
};

/*
 * Looks for one whole message at the start of @data. 1: found; 0: more input is needed; -EBADMSG:
 * *ret_error says what NOTIFICATION to send. Marker and per-type length are checked as soon as the
 * header is there, before the body arrives.
 */
int bgp_frame_next(const uint8_t *data, size_t len, bool extended_message,
		   struct bgp_frame *ret_frame, struct bgp_error *ret_error);

/* Marker, length and type. The length is patched by bgp_frame_finish(). */
struct wire_writer;
void bgp_frame_begin(struct wire_writer *w, enum bgp_msg_type type);
/* Patches the length of the message that began at offset @start. */
void bgp_frame_finish(struct wire_writer *w, size_t start);

/* Whole KEEPALIVE; 19 or -ENOSPC. */
int bgp_keepalive_encode(uint8_t *buf, size_t cap);

enum {
	BGP_REFRESH_NORMAL = 0,
	BGP_REFRESH_BORR = 1,
	BGP_REFRESH_EORR = 2
}; /* RFC 7313 */
struct bgp_route_refresh {
	uint16_t afi;
	uint8_t subtype, safi;
};
int bgp_route_refresh_decode(const uint8_t *body, size_t len, struct bgp_route_refresh *ret_refresh,
			     struct bgp_error *ret_error);
int bgp_route_refresh_encode(const struct bgp_route_refresh *refresh, uint8_t *buf, size_t cap);

const char *bgp_msg_type_name(enum bgp_msg_type type); /* "UPDATE" */

#endif
