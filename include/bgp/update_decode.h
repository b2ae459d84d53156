/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * UPDATE in (RFC 4271 4.3 and 6.3, RFC 4760, RFC 7606): checks the whole message first, then hands out
 * one decoded view. Nothing is changed and nothing allocated here. Pure.
 */
#ifndef XRS_BGP_UPDATE_DECODE_H
#define XRS_BGP_UPDATE_DECODE_H

#include "bgp/attr.h"
#include "bgp/capability.h"
#include "bgp/nlri.h"

/* Each finding that was not a reset, for counters and one log line. */
#define BGP_FINDINGS_MAX 8
struct bgp_finding {
	uint8_t attr_code; /* 0: the message as a whole */
	enum bgp_outcome outcome;
	const char *reason; /* fixed text */
};

#define BGP_UPDATE_SCRATCH 16384

enum bgp_limit { /* bounds of one path: struct bgp_update_limits */
	BGP_LIMIT_AS_PATH,
	BGP_LIMIT_COMMUNITIES,
	BGP_LIMIT_ATTR_BYTES,
	BGP_LIMIT_MAX,
};

struct bgp_update {
	enum bgp_outcome
		outcome;        /* strongest found; BGP_TREAT_AS_WITHDRAW: all NLRI are withdrawn */
	struct bgp_attrs attrs; /* valid unless BGP_RESET or no reachable NLRI */
	/*
	 * Reachable and withdrawn prefixes. [0] is the message's own IPv4 field, [1] the MP attribute.
	 * With BGP_TREAT_AS_WITHDRAW the reach sections have to be applied as withdrawals.
	 */
	struct bgp_nlri reach[2];
	struct bgp_nlri withdraw[2];
	struct ip_addr
		next_hop[2]; /* for reach[0], reach[1]; attrs.next_hop is not set by MP_REACH */
	struct ip_addr link_local[2];
	bool end_of_rib; /* RFC 4724 2 */
	enum bgp_family eor_family;
	uint8_t over;        /* 1 << enum bgp_limit of each bound that was passed */
	bool foreign_family; /* an MP attribute of a family not in force was ignored */
	unsigned int n_findings;
	struct bgp_finding findings[BGP_FINDINGS_MAX];
	uint8_t scratch
		[BGP_UPDATE_SCRATCH]; /* merged AS_PATH, unknown attributes: blobs may point here */
};

struct bgp_update_limits {        /* 0: none. Over: treat as withdraw */
	uint32_t max_as_path;     /* hops */
	uint32_t max_communities; /* of all kinds together */
	uint32_t max_attr_bytes;  /* of the attribute field, without MP_REACH and MP_UNREACH */
	bool enforce_first_as;    /* RFC 4271 6.3: eBGP, leftmost ASN is not the peer's */
};

/*
 * @body is the message after its header. 0 with *ret_update, whose `outcome` is anything but
 * BGP_RESET; or -EBADMSG with *ret_error to send. *ret_update points into @body and into itself: it
 * can not be copied. Unlike elsewhere its content is undefined after a failure (it is too big to work on a
 * copy), and its scratch is never cleared.
 */
int bgp_update_decode(const uint8_t *body, size_t len, const struct bgp_session_params *params,
		      const struct bgp_update_limits *limits, struct bgp_update *ret_update,
		      struct bgp_error *ret_error);

#endif
