/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NOTIFICATION: codes, subcodes, their names, and the error value that every decoder returns.
 * RFC 4271 4.5 and 6, RFC 4486 (Cease), RFC 6608 (FSM), RFC 9003 (shutdown text), RFC 7313,
 * RFC 8538, RFC 9234, RFC 9384, RFC 9687. Pure.
 */
#ifndef XRS_BGP_NOTIFICATION_H
#define XRS_BGP_NOTIFICATION_H

#include "bgp/bgp.h"

enum bgp_error_code {
	BGP_ERR_HEADER = 1,
	BGP_ERR_OPEN = 2,
	BGP_ERR_UPDATE = 3,
	BGP_ERR_HOLD_TIMER = 4,
	BGP_ERR_FSM = 5,
	BGP_ERR_CEASE = 6,
	BGP_ERR_ROUTE_REFRESH = 7, /* RFC 7313 */
	BGP_ERR_SEND_HOLD = 8,     /* RFC 9687 */
};

enum {
	BGP_HDR_NOT_SYNCHRONISED = 1,
	BGP_HDR_BAD_LENGTH = 2,
	BGP_HDR_BAD_TYPE = 3
};
enum {
	BGP_OPEN_UNSPECIFIC = 0,
	BGP_OPEN_BAD_VERSION = 1,
	BGP_OPEN_BAD_PEER_AS = 2,
	BGP_OPEN_BAD_ID = 3,
	BGP_OPEN_BAD_PARAMETER = 4,
	BGP_OPEN_BAD_HOLD_TIME = 6,
	BGP_OPEN_BAD_CAPABILITY = 7, /* RFC 5492 */
	BGP_OPEN_ROLE_MISMATCH = 11, /* RFC 9234 */
};
enum {
	BGP_UPD_ATTR_LIST = 1,
	BGP_UPD_UNKNOWN_WELL_KNOWN = 2,
	BGP_UPD_MISSING_WELL_KNOWN = 3,
	BGP_UPD_ATTR_FLAGS = 4,
	BGP_UPD_ATTR_LENGTH = 5,
	BGP_UPD_ORIGIN = 6,
	BGP_UPD_NEXT_HOP = 8,
	BGP_UPD_OPTIONAL_ATTR = 9,
	BGP_UPD_NETWORK = 10,
	BGP_UPD_AS_PATH = 11,
};
enum { /* RFC 6608 */
	BGP_FSM_UNSPECIFIED = 0,
	BGP_FSM_IN_OPENSENT = 1,
	BGP_FSM_IN_OPENCONFIRM = 2,
	BGP_FSM_IN_ESTABLISHED = 3,
};
enum { /* RFC 4486, 8538, 9384 */
	BGP_CEASE_MAX_PREFIXES = 1,
	BGP_CEASE_ADMIN_SHUTDOWN = 2,
	BGP_CEASE_PEER_REMOVED = 3,
	BGP_CEASE_ADMIN_RESET = 4,
	BGP_CEASE_REJECTED = 5,
	BGP_CEASE_CONFIG_CHANGE = 6,
	BGP_CEASE_COLLISION = 7,
	BGP_CEASE_OUT_OF_RESOURCES = 8,
	BGP_CEASE_HARD_RESET = 9,
	BGP_CEASE_BFD_DOWN = 10,
};

/* What a decoder found wrong, ready to be sent. Code 0: nothing. */
#define BGP_ERROR_DATA_MAX 256
struct bgp_error {
	uint8_t code, subcode;
	uint16_t data_len;
	bool hard_reset;    /* goes out inside a Cease 6/9 (RFC 8538 3) */
	const char *reason; /* fixed English text, for logs and the API */
	uint8_t data[BGP_ERROR_DATA_MAX];
};
/*
 * Whether this error ends a session for good even where NOTIFICATIONs are graceful (RFC 8538 5): the
 * peer is not to keep our routes, nor we its own.
 */
bool bgp_error_is_hard(const struct bgp_error *error);

/* Fills *ret_error; @data may be NULL; longer data is cut at BGP_ERROR_DATA_MAX. */
void bgp_error_set(struct bgp_error *ret_error, uint8_t code, uint8_t subcode, const char *reason,
		   const void *data, size_t len);

/* A NOTIFICATION as received or sent, kept for peering.show. */
#define BGP_SHUTDOWN_TEXT_MAX 255 /* RFC 9003 */
struct bgp_notification {
	uint8_t code, subcode; /* of a hard reset (RFC 8538): what it stands for, when it says so */
	bool hard_reset;
	uint16_t data_len; /* of the message; the copy below may be shorter */
	uint8_t data[BGP_ERROR_DATA_MAX];
	char text[BGP_SHUTDOWN_TEXT_MAX + 1]; /* RFC 9003 text as received: hostile, escape it */
};

/*
 * Body of a NOTIFICATION (after the header). 0 or -EBADMSG (shorter than two octets); what is odd
 * in the data is no error: a NOTIFICATION is never answered (RFC 4271 6.4).
 */
int bgp_notification_decode(const uint8_t *body, size_t len, struct bgp_notification *ret_note);
/* Whole message with header. Octets written, or -ENOSPC. */
int bgp_notification_encode(const struct bgp_error *error, uint8_t *buf, size_t cap);
/* Data of a Cease with a shutdown text (RFC 9003): length octet and UTF-8, cut at 255 octets. */
void bgp_error_set_shutdown(struct bgp_error *ret_error, uint8_t subcode, const char *text);

/* "Cease", "Administrative Shutdown"; "Unknown" for numbers without a name. Never NULL. */
const char *bgp_error_code_name(uint8_t code);
const char *bgp_error_subcode_name(uint8_t code, uint8_t subcode);

#endif
