/* SPDX-License-Identifier: GPL-2.0-only */
/* OPEN (RFC 4271 4.2, 6.2; RFC 6286 identifiers; RFC 9072 extended optional parameters). Pure. */
#ifndef XRS_BGP_OPEN_H
#define XRS_BGP_OPEN_H

#include "bgp/capability.h"
#include "bgp/notification.h"

struct bgp_open {
	uint8_t version;
	uint16_t my_as;     /* the 2-octet field; AS_TRANS when the ASN does not fit */
	uint16_t hold_time; /* seconds */
	uint32_t id;        /* BGP identifier, host order */
	/* RFC 9072 form: in, the peer used it; out, use it even where the short form would do. */
	bool extended_parameters;
	struct bgp_caps caps;
};

/* The ASN that the OPEN claims: the capability's when present, else the field's. */
uint32_t bgp_open_asn(const struct bgp_open *open);

/* Body after the header. 0, or -EBADMSG with *ret_error filled (RFC 4271 6.2). */
int bgp_open_decode(const uint8_t *body, size_t len, struct bgp_open *ret_open,
		    struct bgp_error *ret_error);
/*
 * Whole message with header. All that struct bgp_caps can say fits the short form of the parameters;
 * @open asks for the RFC 9072 one. Octets or -ENOSPC.
 */
#define BGP_OPEN_ENCODED_MAX 192
int bgp_open_encode(const struct bgp_open *open, uint8_t *buf, size_t cap);

/* AS numbers that a listen range allows: none listed means any but our own. */
#define BGP_ASN_RANGES_MAX 32
struct bgp_asn_set {
	uint32_t n;
	struct bgp_asn_range {
		uint32_t first, last;
	} range[BGP_ASN_RANGES_MAX];
};
bool bgp_asn_set_has(const struct bgp_asn_set *set, uint32_t asn);

/* What we require of the peer. */
struct bgp_open_policy {
	uint32_t local_asn, local_id;
	uint32_t peer_asn;            /* 0: one of peer_asns */
	struct bgp_asn_set peer_asns; /* listen ranges */
	uint32_t
		required_families; /* refused with 2/7 when the intersection lacks one; 0: at least one of ours */
	uint16_t hold_time, keepalive_time; /* configured; seconds */
	uint32_t needed;                    /* BGP_NEED_* */
	bool require_role; /* RFC 9234 4.2, strict mode; our role is in the OPEN that was sent */
};
/*
 * RFC 4271 6.2, RFC 6286 and RFC 9234 checks of a decoded OPEN, then negotiation: hold time is the lower
 * of the two (0 allowed, 1 and 2 refused), keepalive is at most a third of it. 0, or -EBADMSG with
 * *ret_error filled; 2/7 carries the capabilities that were missed (RFC 5492 5).
 */
int bgp_open_accept(const struct bgp_open *sent, const struct bgp_open *received,
		    const struct bgp_open_policy *policy, struct bgp_session_params *ret_params,
		    struct bgp_error *ret_error);

#endif
