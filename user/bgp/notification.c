// SPDX-License-Identifier: GPL-2.0-only
/*
 * NOTIFICATION in and out, and the names of its codes. Called by the FSM, the peer and every decoder
 * (bgp_error_set). Must never judge a NOTIFICATION received: it is not answered (RFC 4271 6.4).
 */
#include <errno.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp/notification.h"
#include "util/wire.h"

void bgp_error_set(struct bgp_error *ret_error, uint8_t code, uint8_t subcode, const char *reason,
		   const void *data, size_t len)
{
	size_t n = !data ? 0 : len < BGP_ERROR_DATA_MAX ? len : BGP_ERROR_DATA_MAX;

	ret_error->code = code;
	ret_error->subcode = subcode;
	ret_error->hard_reset = false;
	ret_error->reason = reason;
	ret_error->data_len = (uint16_t)n;
	if (n)
		memcpy(ret_error->data, data, n);
}

/* The longest head of @text of at most @max octets that does not end inside a UTF-8 sequence. */
static size_t utf8_cut(const char *text, size_t max)
{
	size_t n = strlen(text);

	if (n <= max)
		return n;
	for (n = max; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

void bgp_error_set_shutdown(struct bgp_error *ret_error, uint8_t subcode, const char *text)
{
	uint8_t data[1 + BGP_SHUTDOWN_TEXT_MAX];
	size_t n = text ? utf8_cut(text, BGP_SHUTDOWN_TEXT_MAX) : 0;

	data[0] = (uint8_t)n;
	if (n)
		memcpy(data + 1, text, n);
	bgp_error_set(ret_error, BGP_ERR_CEASE, subcode,
		      bgp_error_subcode_name(BGP_ERR_CEASE, subcode), n ? data : NULL, n + 1);
}

bool bgp_error_is_hard(const struct bgp_error *error)
{
	static const uint32_t subcodes =
		1u << BGP_CEASE_MAX_PREFIXES | 1u << BGP_CEASE_ADMIN_SHUTDOWN |
		1u << BGP_CEASE_PEER_REMOVED | 1u << BGP_CEASE_ADMIN_RESET |
		1u << BGP_CEASE_REJECTED | 1u << BGP_CEASE_OUT_OF_RESOURCES |
		1u << BGP_CEASE_BFD_DOWN;

	return error->code == BGP_ERR_CEASE && error->subcode < 32 &&
	       subcodes >> error->subcode & 1;
}

static bool carries_text(uint8_t code, uint8_t subcode)
{
	return code == BGP_ERR_CEASE &&
	       (subcode == BGP_CEASE_ADMIN_SHUTDOWN || subcode == BGP_CEASE_ADMIN_RESET);
}

/* RFC 9003 2: a length octet and that much text. One that claims more than there is gives no text. */
static void read_shutdown_text(struct wire_reader r, char ret_text[BGP_SHUTDOWN_TEXT_MAX + 1])
{
	size_t len = wire_u8(&r);
	const uint8_t *text = wire_bytes(&r, len);

	if (text)
		memcpy(ret_text, text, len);
	ret_text[text ? len : 0] = '\0';
}

/* RFC 8538 3: a hard reset carries code, subcode and data of what it stands for. */
static void read_hard_reset(struct wire_reader *r, struct bgp_notification *note)
{
	note->hard_reset = note->code == BGP_ERR_CEASE && note->subcode == BGP_CEASE_HARD_RESET;
	if (!note->hard_reset || wire_left(r) < 2)
		return;
	note->code = wire_u8(r);
	note->subcode = wire_u8(r);
}

int bgp_notification_decode(const uint8_t *body, size_t len, struct bgp_notification *ret_note)
{
	struct wire_reader r;
	uint8_t code, subcode;
	size_t kept;

	wire_read_init(&r, body, len);
	code = wire_u8(&r);
	subcode = wire_u8(&r);
	if (r.failed)
		return -EBADMSG;
	memset(ret_note, 0, sizeof(*ret_note));
	ret_note->code = code;
	ret_note->subcode = subcode;
	read_hard_reset(&r, ret_note);
	ret_note->data_len = (uint16_t)wire_left(&r);
	if (carries_text(ret_note->code, ret_note->subcode))
		read_shutdown_text(r, ret_note->text);
	kept = wire_left(&r) < BGP_ERROR_DATA_MAX ? wire_left(&r) : BGP_ERROR_DATA_MAX;
	memcpy(ret_note->data, wire_bytes(&r, kept), kept);
	return 0;
}

int bgp_notification_encode(const struct bgp_error *error, uint8_t *buf, size_t cap)
{
	struct wire_writer w;

	wire_write_init(&w, buf, cap);
	bgp_frame_begin(&w, BGP_MSG_NOTIFICATION);
	if (error->hard_reset) {
		wire_put_u8(&w, BGP_ERR_CEASE);
		wire_put_u8(&w, BGP_CEASE_HARD_RESET);
	}
	wire_put_u8(&w, error->code);
	wire_put_u8(&w, error->subcode);
	wire_put_bytes(&w, error->data, error->data_len);
	bgp_frame_finish(&w, 0);
	return w.failed ? -ENOSPC : (int)w.pos;
}

#define NAMES_MAX 12 /* subcodes named for one code */

static const struct {
	const char *name;
	const char *subcode[NAMES_MAX];
} names[] = {
	[BGP_ERR_HEADER] = { "Message Header Error",
			     { [0] = "Unspecific",
			       [BGP_HDR_NOT_SYNCHRONISED] = "Connection Not Synchronized",
			       [BGP_HDR_BAD_LENGTH] = "Bad Message Length",
			       [BGP_HDR_BAD_TYPE] = "Bad Message Type" } },
	[BGP_ERR_OPEN] = { "OPEN Message Error",
			   { [BGP_OPEN_UNSPECIFIC] = "Unspecific",
			     [BGP_OPEN_BAD_VERSION] = "Unsupported Version Number",
			     [BGP_OPEN_BAD_PEER_AS] = "Bad Peer AS",
			     [BGP_OPEN_BAD_ID] = "Bad BGP Identifier",
			     [BGP_OPEN_BAD_PARAMETER] = "Unsupported Optional Parameter",
			     [5] = "Authentication Failure (deprecated)",
			     [BGP_OPEN_BAD_HOLD_TIME] = "Unacceptable Hold Time",
			     [BGP_OPEN_BAD_CAPABILITY] = "Unsupported Capability",
			     [BGP_OPEN_ROLE_MISMATCH] = "Role Mismatch" } },
	[BGP_ERR_UPDATE] = { "UPDATE Message Error",
			     { [0] = "Unspecific",
			       [BGP_UPD_ATTR_LIST] = "Malformed Attribute List",
			       [BGP_UPD_UNKNOWN_WELL_KNOWN] = "Unrecognized Well-known Attribute",
			       [BGP_UPD_MISSING_WELL_KNOWN] = "Missing Well-known Attribute",
			       [BGP_UPD_ATTR_FLAGS] = "Attribute Flags Error",
			       [BGP_UPD_ATTR_LENGTH] = "Attribute Length Error",
			       [BGP_UPD_ORIGIN] = "Invalid ORIGIN Attribute",
			       [7] = "AS Routing Loop (deprecated)",
			       [BGP_UPD_NEXT_HOP] = "Invalid NEXT_HOP Attribute",
			       [BGP_UPD_OPTIONAL_ATTR] = "Optional Attribute Error",
			       [BGP_UPD_NETWORK] = "Invalid Network Field",
			       [BGP_UPD_AS_PATH] = "Malformed AS_PATH" } },
	[BGP_ERR_HOLD_TIMER] = { "Hold Timer Expired", { [0] = "Unspecific" } },
	[BGP_ERR_FSM] = { "Finite State Machine Error",
			  { [BGP_FSM_UNSPECIFIED] = "Unspecified Error",
			    [BGP_FSM_IN_OPENSENT] = "Unexpected Message in OpenSent",
			    [BGP_FSM_IN_OPENCONFIRM] = "Unexpected Message in OpenConfirm",
			    [BGP_FSM_IN_ESTABLISHED] = "Unexpected Message in Established" } },
	[BGP_ERR_CEASE] = { "Cease",
			    { [0] = "Unspecific",
			      [BGP_CEASE_MAX_PREFIXES] = "Maximum Number of Prefixes Reached",
			      [BGP_CEASE_ADMIN_SHUTDOWN] = "Administrative Shutdown",
			      [BGP_CEASE_PEER_REMOVED] = "Peer De-configured",
			      [BGP_CEASE_ADMIN_RESET] = "Administrative Reset",
			      [BGP_CEASE_REJECTED] = "Connection Rejected",
			      [BGP_CEASE_CONFIG_CHANGE] = "Other Configuration Change",
			      [BGP_CEASE_COLLISION] = "Connection Collision Resolution",
			      [BGP_CEASE_OUT_OF_RESOURCES] = "Out of Resources",
			      [BGP_CEASE_HARD_RESET] = "Hard Reset",
			      [BGP_CEASE_BFD_DOWN] = "BFD Down" } },
	[BGP_ERR_ROUTE_REFRESH] = { "ROUTE-REFRESH Message Error",
				    { [0] = "Unspecific", [1] = "Invalid Message Length" } },
	[BGP_ERR_SEND_HOLD] = { "Send Hold Timer Expired", { [0] = "Unspecific" } },
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

const char *bgp_error_code_name(uint8_t code)
{
	return code < N_NAMES && names[code].name ? names[code].name : "Unknown";
}

const char *bgp_error_subcode_name(uint8_t code, uint8_t subcode)
{
	if (code >= N_NAMES || subcode >= NAMES_MAX || !names[code].subcode[subcode])
		return "Unknown";
	return names[code].subcode[subcode];
}
