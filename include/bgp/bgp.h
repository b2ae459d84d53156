/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of BGP-4 (RFC 4271 and the RFCs named beside them) that several modules share. */
#ifndef XRS_BGP_BGP_H
#define XRS_BGP_BGP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/prefix.h"

#define BGP_PORT             179
#define BGP_VERSION          4
#define BGP_MARKER_LEN       16
#define BGP_HEADER_LEN       19    /* RFC 4271 4.1 */
#define BGP_MSG_MAX          4096  /* RFC 4271 4.1 */
#define BGP_MSG_MAX_EXTENDED 65535 /* RFC 8654 */
#define BGP_AS_TRANS         23456 /* RFC 6793 */

enum bgp_msg_type {
	BGP_MSG_OPEN = 1,
	BGP_MSG_UPDATE = 2,
	BGP_MSG_NOTIFICATION = 3,
	BGP_MSG_KEEPALIVE = 4,
	BGP_MSG_ROUTE_REFRESH = 5, /* RFC 2918 */
	BGP_MSG_TYPE_MAX = 6,
};

/* The address families we know: index of every per-family array. */
enum bgp_family {
	BGP_IPV4_UNICAST = 0,
	BGP_IPV6_UNICAST = 1,
	BGP_FAMILY_MAX = 2
};
#define BGP_FAMILY_BIT(family) (1u << (family))

enum {
	BGP_AFI_IPV4 = 1,
	BGP_AFI_IPV6 = 2,
	BGP_SAFI_UNICAST = 1
};

/* false when the pair is not one of ours. */
bool bgp_family_from_afi(uint16_t afi, uint8_t safi, enum bgp_family *ret_family);
uint16_t bgp_family_afi(enum bgp_family family);
enum ip_family bgp_family_ip(enum bgp_family family);
const char *bgp_family_name(enum bgp_family family); /* "ipv4-unicast" */

enum bgp_origin {
	BGP_ORIGIN_IGP = 0,
	BGP_ORIGIN_EGP = 1,
	BGP_ORIGIN_INCOMPLETE = 2
};
const char *bgp_origin_name(uint8_t origin); /* "igp" "egp" "incomplete" */

#endif
