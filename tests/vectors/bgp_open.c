// SPDX-License-Identifier: GPL-2.0-only
/*
 * RFC 4271 6.1 and 6.2, RFC 5492, RFC 6286, RFC 9072, RFC 9234 as vectors: headers and OPENs as octets, and
 * the NOTIFICATION that answers each bad one.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp/open.h"
#include "octets.h"

#define MARKER "*16(ff) "

static uint8_t buf[70000];

static void check_error(const char *name, const struct bgp_error *error, unsigned int code,
			unsigned int subcode, const char *data_text)
{
	uint8_t data[BGP_ERROR_DATA_MAX];
	size_t len = octets(data_text, data, sizeof(data));

	cr_expect_eq(error->code, code, "%s: code %u", name, error->code);
	cr_expect_eq(error->subcode, subcode, "%s: subcode %u", name, error->subcode);
	cr_expect_eq(error->data_len, len, "%s: %u octets of data", name, error->data_len);
	cr_expect_eq(memcmp(error->data, data, len), 0, "%s: data", name);
	cr_expect_not_null(error->reason, "%s", name);
}

/* --- headers --------------------------------------------------------------------------------- */

struct header_vector {
	const char *name;
	bool extended;
	const char *octets;
	int found; /* 1, 0, or -EBADMSG with: */
	unsigned int subcode;
	const char *data;
};

#define BAD -EBADMSG

/* clang-format off */
static const struct header_vector headers[] = {
{ "nothing", false, "", 0, 0, "" },
{ "18 octets", false, MARKER "0013", 0, 0, "" },
{ "KEEPALIVE", false, MARKER "0013 04", 1, 0, "" },
{ "KEEPALIVE and the next message", false, MARKER "0013 04" MARKER, 1, 0, "" },
{ "OPEN, all but one octet", false, MARKER "001d 01 *9(00)", 0, 0, "" },
{ "OPEN", false, MARKER "001d 01 *10(00)", 1, 0, "" },
{ "UPDATE", false, MARKER "0017 02 *4(00)", 1, 0, "" },
{ "NOTIFICATION", false, MARKER "0015 03 0602", 1, 0, "" },
{ "ROUTE-REFRESH", false, MARKER "0017 05 00010001", 1, 0, "" },
{ "UPDATE of 4096 octets", false, MARKER "1000 02 *4077(00)", 1, 0, "" },
{ "UPDATE of 65535 octets, extended", true, MARKER "ffff 02 *65516(00)", 1, 0, "" },
{ "NOTIFICATION of 4097 octets, extended", true, MARKER "1001 03 *4078(00)", 1, 0, "" },
{ "first octet of the marker", false, "fe *15(ff) 0013 04", BAD, 1, "" },
{ "last octet of the marker", false, "*15(ff) 00 0013 04", BAD, 1, "" },
{ "marker of zeros", false, "*16(00) 0013 04", BAD, 1, "" },
{ "marker and length wrong", false, "*16(00) 0000 04", BAD, 1, "" },
{ "length 0", false, MARKER "0000 04", BAD, 2, "0000" },
{ "length 18", false, MARKER "0012 04", BAD, 2, "0012" },
{ "length 4097", false, MARKER "1001 02", BAD, 2, "1001" },
{ "length 65535", false, MARKER "ffff 02", BAD, 2, "ffff" },
{ "OPEN of 28 octets", false, MARKER "001c 01", BAD, 2, "001c" },
{ "OPEN of 4097 octets, extended", true, MARKER "1001 01", BAD, 2, "1001" },
{ "UPDATE of 22 octets", false, MARKER "0016 02", BAD, 2, "0016" },
{ "NOTIFICATION of 20 octets", false, MARKER "0014 03", BAD, 2, "0014" },
{ "KEEPALIVE of 20 octets", false, MARKER "0014 04", BAD, 2, "0014" },
{ "KEEPALIVE of 4097 octets, extended", true, MARKER "1001 04", BAD, 2, "1001" },
{ "ROUTE-REFRESH of 22 octets", false, MARKER "0016 05", BAD, 2, "0016" },
{ "type 0", false, MARKER "0013 00", BAD, 3, "00" },
{ "type 6", false, MARKER "0013 06", BAD, 3, "06" },
{ "type 255", false, MARKER "0013 ff", BAD, 3, "ff" },
{ "type and length wrong", false, MARKER "0001 ff", BAD, 2, "0001" },
};
/* clang-format on */

Test(bgp_open, each_header_has_its_answer)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		const struct header_vector *v = &headers[i];
		size_t len = octets(v->octets, buf, sizeof(buf));
		struct bgp_frame frame = { 0 };
		struct bgp_error error = { 0 };
		int found = bgp_frame_next(buf, len, v->extended, &frame, &error);

		cr_expect_eq(found, v->found, "%s: %d", v->name, found);
		if (v->found < 0)
			check_error(v->name, &error, BGP_ERR_HEADER, v->subcode, v->data);
		if (v->found > 0) {
			cr_expect_leq(frame.total_len, len, "%s", v->name);
			cr_expect_eq(frame.body, buf + BGP_HEADER_LEN, "%s", v->name);
			cr_expect_eq(frame.body_len, frame.total_len - BGP_HEADER_LEN, "%s",
				     v->name);
		}
	}
}

/* --- OPEN ------------------------------------------------------------------------------------ */

/* Ours: AS 65515, 10.0.0.1, IPv4 and IPv6, 4-octet AS, hold time 90. The peer should be 65001. */
enum policy {
	DEFAULT,
	INSIDE,  /* the peer should be 65515 */
	ANYBODY, /* listen range */
	NEEDS_V6,
	NEEDS_AS4,
	PROVIDER, /* our role */
	RS_CLIENT,
	STRICT, /* our role: peer; the other's is required */
	BIG,    /* the peer should be 4200000001 */
	NEEDS_REFRESH,
	NEEDS_ENH_REFRESH,
	NEEDS_EXT_MESSAGE,
	NEEDS_EXT_NEXT_HOP,
	NEEDS_GR,
	NEEDS_ALL,
};

struct open_vector {
	const char *name;
	enum policy policy;
	const char *body;
	unsigned int subcode; /* GOOD: accepted */
	const char *data;
};
#define GOOD       100

#define ID         "0a000002 "
#define HEAD       "04 fde9 005a " ID
#define CAPS(text) "{1 02 {1 " text "}}"
#define AS4        "41 {1 0000fde9} "
#define V4         "01 {1 0001 00 01} "
#define V6         "01 {1 0002 00 01} "
#define ALL        V4 V6 AS4

/* clang-format off */
static const struct open_vector opens[] = {
{ "plain", DEFAULT, HEAD CAPS(ALL), GOOD, "" },
{ "without parameters", DEFAULT, HEAD "00", GOOD, "" },
{ "one parameter for each capability", DEFAULT, HEAD "{1 02 {1 " V4 "} 02 {1 " V6 "} 02 {1 " AS4 "}}", GOOD, "" },
{ "an empty capabilities parameter", DEFAULT, HEAD "{1 02 {1}}", GOOD, "" },
{ "every capability", DEFAULT, HEAD CAPS(ALL "02 {1} 05 {1 0001 0001 0002} 06 {1} 09 {1 04}"
	"40 {1 4078 0001 01 80 0002 01 00} 45 {1 0001 01 03} 46 {1} 47 {1 0001 01 80 000e10}"), GOOD, "" },
{ "unknown capabilities", DEFAULT, HEAD CAPS("49 {1 04 61626364 00}" ALL "fe {1 *20(ff)} 80 {1}"), GOOD, "" },
{ "capabilities twice", DEFAULT, HEAD CAPS(ALL ALL), GOOD, "" },
{ "hold time 0", DEFAULT, "04 fde9 0000 " ID CAPS(ALL), GOOD, "" },
{ "hold time 3", DEFAULT, "04 fde9 0003 " ID CAPS(ALL), GOOD, "" },
{ "hold time 65535", DEFAULT, "04 fde9 ffff " ID CAPS(ALL), GOOD, "" },
{ "AS_TRANS in the field", DEFAULT, "04 5ba0 005a " ID CAPS(ALL), GOOD, "" },
{ "4-octet ASN", BIG, "04 5ba0 005a " ID CAPS(V4 "41 {1 fa56ea01}"), GOOD, "" },
{ "listen range takes any ASN", ANYBODY, HEAD CAPS(ALL), GOOD, "" },
{ "internal", INSIDE, "04 ffeb 005a " ID CAPS(V4 "41 {1 0000ffeb}"), GOOD, "" },
{ "our identifier in another AS (RFC 6286)", DEFAULT, "04 fde9 005a 0a000001 " CAPS(ALL), GOOD, "" },
{ "identifier of class E (RFC 6286)", DEFAULT, "04 fde9 005a ffffffff " CAPS(ALL), GOOD, "" },

/* RFC 4271 6.2: version */
{ "version 3", DEFAULT, "03 fde9 005a " ID "00", 1, "0004" },
{ "version 5", DEFAULT, "05 fde9 005a " ID "00", 1, "0004" },
{ "version 0, and all else wrong", DEFAULT, "00 0000 0001 00000000 ff", 1, "0004" },

/* peer AS */
{ "AS 0", DEFAULT, "04 0000 005a " ID "00", 2, "" },
{ "AS 0 in the field, good capability", DEFAULT, "04 0000 005a " ID CAPS(ALL), 2, "" },
{ "AS 0 in the capability", DEFAULT, HEAD CAPS("41 {1 00000000}"), 2, "" },
{ "another ASN", DEFAULT, "04 fdea 005a " ID "00", 2, "" },
{ "another ASN in the capability", DEFAULT, HEAD CAPS("41 {1 0000fdea}"), 2, "" },
{ "field and capability differ", DEFAULT, "04 fdea 005a " ID CAPS(ALL), 2, "" },
{ "AS_TRANS without the capability", DEFAULT, "04 5ba0 005a " ID "00", 2, "" },
{ "AS_TRANS in both", ANYBODY, "04 5ba0 005a " ID CAPS("41 {1 00005ba0}"), 2, "" },
{ "4-octet ASN expected, old speaker", BIG, "04 5ba0 005a " ID "00", 2, "" },
{ "listen range, our own ASN", ANYBODY, "04 ffeb 005a " ID "00", 2, "" },
{ "internal expected", INSIDE, HEAD CAPS(ALL), 2, "" },

/* identifier */
{ "identifier 0", DEFAULT, "04 fde9 005a 00000000 00", 3, "" },
{ "our identifier, internal", INSIDE, "04 ffeb 005a 0a000001 00", 3, "" },

/* hold time */
{ "hold time 1", DEFAULT, "04 fde9 0001 " ID "00", 6, "" },
{ "hold time 2", DEFAULT, "04 fde9 0002 " ID CAPS(ALL), 6, "" },

/* parameters */
{ "parameter type 0", DEFAULT, HEAD "{1 00 {1}}", 4, "" },
{ "parameter type 1, authentication", DEFAULT, HEAD "{1 01 {1 00}}", 4, "" },
{ "parameter type 3 after capabilities", DEFAULT, HEAD "{1 02 {1 " AS4 "} 03 {1}}", 4, "" },
{ "parameter type 255 not in the first place", DEFAULT, HEAD "{1 02 {1 " AS4 "} ff {1}}", 4, "" },
{ "parameters length one too high", DEFAULT, HEAD "{1+1 02 {1 " ALL "}}", 0, "" },
{ "parameters length one too low", DEFAULT, HEAD "{1-1 02 {1 " ALL "}}", 0, "" },
{ "parameters length 255 and nothing", DEFAULT, HEAD "ff", 0, "" },
{ "ends at a parameters length that is not 0", DEFAULT, HEAD "01", 0, "" },
{ "octets after parameters of length 0", DEFAULT, HEAD "00 02 00", 0, "" },
{ "parameter without a length", DEFAULT, HEAD "{1 02}", 0, "" },
{ "parameter overruns", DEFAULT, HEAD "{1 02 {1+1 " ALL "}}", 0, "" },
{ "capability without a length", DEFAULT, HEAD CAPS("41"), 0, "" },
{ "capability overruns its parameter", DEFAULT, HEAD "{1 02 {1 41 {1+1 0000fde9}}}", 0, "" },
{ "capability overruns into the next parameter", DEFAULT, HEAD "{1 02 {1 41 {1+4 0000}} 02 {1 " V4 "}}", 0, "" },
{ "4-octet AS of 3 octets", DEFAULT, HEAD CAPS("41 {1 00fde9}"), 0, "" },
{ "4-octet AS of 0 octets", DEFAULT, HEAD CAPS("41 {1}"), 0, "" },
{ "4-octet AS of 5 octets", DEFAULT, HEAD CAPS("41 {1 0000fde900}"), 0, "" },
{ "multiprotocol of 3 octets", DEFAULT, HEAD CAPS("01 {1 000100}"), 0, "" },
{ "multiprotocol of 0 octets", DEFAULT, HEAD CAPS("01 {1}"), 0, "" },

/* capabilities of lengths that their RFCs do not know are no capabilities */
{ "graceful restart of 1 octet", DEFAULT, HEAD CAPS(ALL "40 {1 00}"), GOOD, "" },
{ "graceful restart of 5 octets", DEFAULT, HEAD CAPS(ALL "40 {1 0078 000101}"), GOOD, "" },
{ "long-lived graceful restart of 6 octets", DEFAULT, HEAD CAPS(ALL "47 {1 000101 80 0001}"), GOOD, "" },
{ "ADD-PATH of 3 octets", DEFAULT, HEAD CAPS(ALL "45 {1 000101}"), GOOD, "" },
{ "ADD-PATH mode 4", DEFAULT, HEAD CAPS(ALL "45 {1 000101 04}"), GOOD, "" },
{ "extended next hop of 5 octets", DEFAULT, HEAD CAPS(ALL "05 {1 0001000100}"), GOOD, "" },
{ "role of 2 octets", DEFAULT, HEAD CAPS(ALL "09 {1 0000}"), GOOD, "" },
{ "route refresh of 1 octet", DEFAULT, HEAD CAPS(ALL "02 {1 00}"), GOOD, "" },
{ "software version longer than it says", DEFAULT, HEAD CAPS(ALL "4b {1 ff 61}"), GOOD, "" },

/* RFC 9072 */
{ "extended form", DEFAULT, HEAD "ff ff {2 02 {2 " ALL "}}", GOOD, "" },
{ "extended form, short length 1", DEFAULT, HEAD "01 ff {2 02 {2 " ALL "}}", GOOD, "" },
{ "extended form, empty", DEFAULT, HEAD "ff ff {2}", GOOD, "" },
{ "extended form, 1000 octets", DEFAULT, HEAD "ff ff {2 02 {2 " ALL "} *5(02 {2 fe {1 *195(00)}})}", GOOD, "" },
{ "extended form, only one octet of length", DEFAULT, HEAD "ff ff 00", 0, "" },
{ "extended form, no length", DEFAULT, HEAD "ff ff", 0, "" },
{ "extended form, length one too high", DEFAULT, HEAD "ff ff {2+1 02 {2 " ALL "}}", 0, "" },
{ "extended form, length one too low", DEFAULT, HEAD "ff ff {2-1 02 {2 " ALL "}}", 0, "" },
{ "extended form, short length 0", DEFAULT, HEAD "00 ff {2 02 {2 " ALL "}}", 0, "" },
{ "extended form, parameter overruns", DEFAULT, HEAD "ff ff {2 02 {2+1 " ALL "}}", 0, "" },
{ "extended form, parameter with half a length", DEFAULT, HEAD "ff ff {2 02 00}", 0, "" },
{ "extended form, parameter 255 inside", DEFAULT, HEAD "ff ff {2 ff {2}}", 4, "" },

/* RFC 5492 5: what is required and missing, as it would stand in an OPEN */
{ "IPv6 required, not offered", NEEDS_V6, HEAD CAPS(V4 AS4), 7, V6 },
{ "IPv6 required, nothing offered", NEEDS_V6, HEAD "00", 7, V6 },
{ "no family in common", DEFAULT, HEAD CAPS("01 {1 0001 00 80}" AS4), 7, V4 V6 },
{ "4-octet AS required", NEEDS_AS4, HEAD CAPS(V4), 7, "41 {1 0000ffeb}" },
{ "route refresh required", NEEDS_REFRESH, HEAD CAPS(V4 AS4), 7, "02 {1}" },
{ "enhanced route refresh required", NEEDS_ENH_REFRESH, HEAD CAPS(V4 AS4 "02 {1}"), 7, "46 {1}" },
{ "extended message required", NEEDS_EXT_MESSAGE, HEAD CAPS(V4 AS4), 7, "06 {1}" },
{ "extended next hop required", NEEDS_EXT_NEXT_HOP, HEAD CAPS(V4 AS4), 7, "05 {1 0001 0001 0002}" },
{ "extended next hop required, offered for another family", NEEDS_EXT_NEXT_HOP,
	HEAD CAPS(V4 AS4 "05 {1 0001 0080 0002}"), 7, "05 {1 0001 0001 0002}" },
{ "graceful restart required", NEEDS_GR, HEAD CAPS(V4 AS4), 7, "40 {1 0078 0001 01 00 0002 01 00}" },
{ "two required and missing", NEEDS_ALL, HEAD CAPS(V4 V6 AS4 "02 {1} 06 {1} 05 {1 0001 0001 0002}"), 7,
	"40 {1 0078 0001 01 00 0002 01 00} 46 {1}" },
{ "all that is required is there", NEEDS_ALL, HEAD CAPS(V4 V6 AS4 "02 {1} 05 {1 0001 0001 0002} 06 {1}"
	"40 {1 0078 0001 01 00} 46 {1}"), GOOD, "" },

/* RFC 9234 4.2 */
{ "provider and customer", PROVIDER, HEAD CAPS(ALL "09 {1 03}"), GOOD, "" },
{ "provider and no role", PROVIDER, HEAD CAPS(ALL), GOOD, "" },
{ "provider and provider", PROVIDER, HEAD CAPS(ALL "09 {1 00}"), 11, "" },
{ "provider and peer", PROVIDER, HEAD CAPS(ALL "09 {1 04}"), 11, "" },
{ "provider and an unknown role", PROVIDER, HEAD CAPS(ALL "09 {1 05}"), 11, "" },
{ "client and server", RS_CLIENT, HEAD CAPS(ALL "09 {1 01}"), GOOD, "" },
{ "client and client", RS_CLIENT, HEAD CAPS(ALL "09 {1 02}"), 11, "" },
{ "role said twice", PROVIDER, HEAD CAPS(ALL "09 {1 03} 09 {1 03}"), GOOD, "" },
{ "two different roles", PROVIDER, HEAD CAPS(ALL "09 {1 03} 09 {1 00}"), 11, "" },
{ "strict, peer and peer", STRICT, HEAD CAPS(ALL "09 {1 04}"), GOOD, "" },
{ "strict and no role", STRICT, HEAD CAPS(ALL), 11, "" },
};
/* clang-format on */

static const uint32_t needs[] = {
	[NEEDS_AS4] = BGP_NEED_AS4,
	[NEEDS_REFRESH] = BGP_NEED_ROUTE_REFRESH,
	[NEEDS_ENH_REFRESH] = BGP_NEED_ENH_REFRESH,
	[NEEDS_EXT_MESSAGE] = BGP_NEED_EXT_MESSAGE,
	[NEEDS_EXT_NEXT_HOP] = BGP_NEED_EXT_NEXT_HOP,
	[NEEDS_GR] = BGP_NEED_GRACEFUL_RESTART,
	[NEEDS_ALL] = BGP_NEED_AS4 | BGP_NEED_ROUTE_REFRESH | BGP_NEED_ENH_REFRESH |
		      BGP_NEED_EXT_MESSAGE | BGP_NEED_EXT_NEXT_HOP | BGP_NEED_GRACEFUL_RESTART,
};

static void set_policy(enum policy kind, struct bgp_open *ret_sent, struct bgp_open_policy *ret)
{
	struct bgp_open_policy policy = {
		.local_asn = 65515,
		.local_id = 0x0a000001,
		.peer_asn = kind == INSIDE    ? 65515
			    : kind == ANYBODY ? 0
			    : kind == BIG     ? 4200000001u
					      : 65001,
		.hold_time = 90,
		.keepalive_time = 30,
		.needed = needs[kind],
		.require_role = kind == STRICT,
		.required_families =
			kind == NEEDS_V6 ? (uint32_t)BGP_FAMILY_BIT(BGP_IPV6_UNICAST) : 0,
	};
	struct bgp_open sent = { .version = 4, .my_as = 65515, .hold_time = 90, .id = 0x0a000001 };

	sent.caps.multiprotocol = sent.caps.as4 = true;
	sent.caps.asn = 65515;
	sent.caps.families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST) | BGP_FAMILY_BIT(BGP_IPV6_UNICAST);
	sent.caps.route_refresh = sent.caps.enhanced_refresh = sent.caps.extended_message = true;
	sent.caps.ext_next_hop = BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	sent.caps.graceful_restart = true;
	sent.caps.gr_time = 120;
	sent.caps.gr_families = sent.caps.families;
	sent.caps.has_role = kind >= PROVIDER && kind <= STRICT;
	sent.caps.role = kind == PROVIDER    ? BGP_ROLE_PROVIDER
			 : kind == RS_CLIENT ? BGP_ROLE_RS_CLIENT
					     : BGP_ROLE_PEER;
	*ret_sent = sent;
	*ret = policy;
}

static int decode_and_accept(enum policy kind, const uint8_t *body, size_t len,
			     struct bgp_error *ret_error)
{
	struct bgp_session_params params;
	struct bgp_open_policy policy;
	struct bgp_open sent, received;
	int err = bgp_open_decode(body, len, &received, ret_error);

	if (err)
		return err;
	set_policy(kind, &sent, &policy);
	return bgp_open_accept(&sent, &received, &policy, &params, ret_error);
}

Test(bgp_open, each_open_has_its_answer)
{
	for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		const struct open_vector *v = &opens[i];
		size_t len = octets(v->body, buf, sizeof(buf));
		struct bgp_error error = { 0 };
		int err = decode_and_accept(v->policy, buf, len, &error);

		cr_expect_eq(err, v->subcode == GOOD ? 0 : -EBADMSG, "%s: %d (%s)", v->name, err,
			     err ? error.reason : "");
		if (err && v->subcode != GOOD)
			check_error(v->name, &error, BGP_ERR_OPEN, v->subcode, v->data);
	}
}

Test(bgp_open, heads_and_flips_are_not_overread)
{
	for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		size_t len = octets(opens[i].body, buf, sizeof(buf));

		for (size_t n = 0; n < len; n++) {
			uint8_t *head = malloc(n ? n : 1);
			struct bgp_error error;
			bool whole = n == 10 && !buf[9]; /* says: no parameters */

			memcpy(head, buf, n);
			/* The parameters' length tells that something is missing. */
			if (!whole)
				cr_expect_eq(decode_and_accept(opens[i].policy, head, n, &error),
					     -EBADMSG, "%s, %zu octets", opens[i].name, n);
			free(head);
			buf[n] ^= 0xff;
			decode_and_accept(opens[i].policy, buf, len, &error);
			buf[n] ^= 0xff;
		}
	}
}
