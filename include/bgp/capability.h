/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capabilities (RFC 5492): what one side offers, and what is in force between two sides.
 * Unknown capabilities are ignored and remembered by code for peering.show. Pure.
 */
#ifndef XRS_BGP_CAPABILITY_H
#define XRS_BGP_CAPABILITY_H

#include "bgp/bgp.h"
#include "util/wire.h"

enum bgp_capability_code {
	BGP_CAP_MULTIPROTOCOL = 1,     /* RFC 4760 */
	BGP_CAP_ROUTE_REFRESH = 2,     /* RFC 2918 */
	BGP_CAP_EXT_NEXT_HOP = 5,      /* RFC 8950 */
	BGP_CAP_EXT_MESSAGE = 6,       /* RFC 8654 */
	BGP_CAP_ROLE = 9,              /* RFC 9234 */
	BGP_CAP_GRACEFUL_RESTART = 64, /* RFC 4724 */
	BGP_CAP_AS4 = 65,              /* RFC 6793 */
	BGP_CAP_ADD_PATH = 69,         /* RFC 7911 */
	BGP_CAP_ENH_REFRESH = 70,      /* RFC 7313 */
	BGP_CAP_LLGR = 71,             /* RFC 9494 */
};

enum {
	BGP_ADD_PATH_RECEIVE = 1,
	BGP_ADD_PATH_SEND = 2
};

enum bgp_role { /* RFC 9234 4.1: what the sender is to the receiver */
	BGP_ROLE_PROVIDER = 0,
	BGP_ROLE_RS = 1,
	BGP_ROLE_RS_CLIENT = 2,
	BGP_ROLE_CUSTOMER = 3,
	BGP_ROLE_PEER = 4,
	BGP_ROLE_MAX = 5,
};

#define BGP_CAPS_UNKNOWN_MAX 32

struct bgp_caps {
	uint32_t families;  /* BGP_FAMILY_BIT set; see `multiprotocol` */
	bool multiprotocol; /* any such capability present: else IPv4 unicast is implied */
	bool route_refresh, enhanced_refresh, extended_message;
	bool as4;
	uint32_t asn;          /* from the 4-octet AS capability when as4 */
	uint32_t ext_next_hop; /* families (of NLRI) that may use an IPv6 next hop: IPv4 only */
	uint8_t add_path[BGP_FAMILY_MAX]; /* BGP_ADD_PATH_* */
	bool has_role;
	uint8_t role;       /* enum bgp_role, or a number without a meaning */
	bool role_conflict; /* two different roles: RFC 9234 4.2 */
	bool graceful_restart, gr_restarting, gr_notification; /* R and N bits */
	uint16_t gr_time;                                      /* seconds */
	uint32_t gr_families;                                  /* listed */
	uint32_t gr_forwarding;                                /* with the F bit */
	bool llgr;
	uint32_t llgr_families;
	uint32_t llgr_forwarding;           /* with the F bit */
	uint32_t llgr_time[BGP_FAMILY_MAX]; /* seconds, 24 bits */
	uint8_t n_unknown;
	uint8_t unknown
		[BGP_CAPS_UNKNOWN_MAX]; /* codes that we ignored, in order, without repeats */
};

/* Capabilities that have to be in force, or the OPEN is refused with 2/7: bits of a mask. */
enum {
	BGP_NEED_AS4 = 1u << 0,
	BGP_NEED_ROUTE_REFRESH = 1u << 1,
	BGP_NEED_ENH_REFRESH = 1u << 2,
	BGP_NEED_EXT_MESSAGE = 1u << 3,
	BGP_NEED_EXT_NEXT_HOP = 1u << 4,
	BGP_NEED_GRACEFUL_RESTART = 1u << 5,
};

/* What holds for one session after both OPENs: the codec's and the RIB's view of it. */
struct bgp_session_params {
	uint32_t local_asn, peer_asn;
	uint32_t local_id, peer_id; /* BGP identifiers, host order */
	bool ebgp;
	bool as4;              /* both sides: 4-octet ASNs in AS_PATH */
	bool extended_message; /* both sides */
	bool route_refresh, enhanced_refresh;
	uint32_t families;                  /* both sides, BGP_FAMILY_BIT */
	uint32_t ext_next_hop;              /* both sides */
	uint32_t add_path_rx, add_path_tx;  /* families */
	uint16_t hold_time, keepalive_time; /* seconds, 0: none */
	bool peer_gr;                       /* peer may restart gracefully (helper role) */
	bool notification_gr; /* both sides: NOTIFICATIONs are graceful too (RFC 8538) */
	bool llgr;            /* both sides */
	bool role;            /* both named one (RFC 9234) */
	bool peer_llgr;       /* the peer knows LLGR_STALE, whatever we offered (RFC 9494 4.3) */
};

/*
 * Decodes the value of one Capabilities parameter into *caps (accumulates over several; the caller zeroes
 * it before the first). A capability of a length that its RFC does not allow is ignored and listed as
 * unknown, except those that decide how UPDATEs are read (multiprotocol, 4-octet AS). 0; -EBADMSG: those,
 * or a capability that overruns the parameter.
 */
int bgp_caps_decode(struct wire_reader *r, struct bgp_caps *caps);
/* Appends all capabilities as TLVs (no parameter header); at most BGP_CAPS_ENCODED_MAX octets. */
#define BGP_CAPS_ENCODED_MAX 128
void bgp_caps_encode(const struct bgp_caps *caps, struct wire_writer *w);
/* Appends to @missed those of @ours that are needed (BGP_NEED_*) and not in force. Their bits. */
uint32_t bgp_caps_missed(const struct bgp_caps *ours, const struct bgp_session_params *params,
			 uint32_t needed, struct bgp_caps *missed);
/* Intersects what was sent and received; timers and ids are the caller's. */
void bgp_caps_negotiate(const struct bgp_caps *sent, const struct bgp_caps *received,
			struct bgp_session_params *params);
/* "route-refresh", or NULL for a code without a name here. */
const char *bgp_capability_name(uint8_t code);

#endif
