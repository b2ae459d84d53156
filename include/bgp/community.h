/* SPDX-License-Identifier: GPL-2.0-only */
/* COMMUNITIES (RFC 1997), large (RFC 8092) and extended (RFC 4360) communities: numbers and text. Pure. */
#ifndef XRS_BGP_COMMUNITY_H
#define XRS_BGP_COMMUNITY_H

#include "bgp/attr.h"

#define BGP_COMM_GRACEFUL_SHUTDOWN   0xffff0000u /* RFC 8326 */
#define BGP_COMM_LLGR_STALE          0xffff0006u /* RFC 9494 */
#define BGP_COMM_NO_LLGR             0xffff0007u
#define BGP_COMM_BLACKHOLE           0xffff029au /* RFC 7999 */
#define BGP_COMM_NO_EXPORT           0xffffff01u
#define BGP_COMM_NO_ADVERTISE        0xffffff02u
#define BGP_COMM_NO_EXPORT_SUBCONFED 0xffffff03u
#define BGP_COMM_NOPEER              0xffffff04u /* RFC 3765 */

struct bgp_large_community {
	uint32_t global, local1, local2;
};

unsigned int community_count(struct bgp_blob blob);
uint32_t community_get(struct bgp_blob blob, unsigned int index);
bool community_contains(struct bgp_blob blob, uint32_t community);
/* Adds @community to the set, written anew into @buf. 0, or -ENOSPC with *attrs as it was. */
int community_add(struct bgp_attrs *attrs, uint32_t community, uint8_t *buf, size_t cap);
unsigned int large_community_count(struct bgp_blob blob);
struct bgp_large_community large_community_get(struct bgp_blob blob, unsigned int index);
bool large_community_contains(struct bgp_blob blob, struct bgp_large_community community);

/* RFC 4360 2: the octets of one. */
#define EXT_COMMUNITY_LEN 8
unsigned int ext_community_count(struct bgp_blob blob);
const uint8_t *ext_community_get(struct bgp_blob blob, unsigned int index); /* into the blob */

#define COMMUNITY_TEXT_MAX       32
#define LARGE_COMMUNITY_TEXT_MAX 40
#define EXT_COMMUNITY_TEXT_MAX   40
/* "65001:100", or the well-known name ("no-advertise"); returns @buf. */
char *community_format(uint32_t community, char buf[static COMMUNITY_TEXT_MAX]);
char *large_community_format(struct bgp_large_community c,
			     char buf[static LARGE_COMMUNITY_TEXT_MAX]);
/*
 * "rt:65001:100", "soo:10.0.0.1:5", "bandwidth:65001:125000" (octets a second, draft-ietf-idr-link-bandwidth),
 * or all of it as a number: "0x0123456789abcdef".
 */
char *ext_community_format(const uint8_t c[static EXT_COMMUNITY_LEN],
			   char buf[static EXT_COMMUNITY_TEXT_MAX]);
/*
 * Octets a second of the first link bandwidth (draft-ietf-idr-link-bandwidth 3), of either transitivity. 0: there
 * is none, or it is no positive finite number.
 */
double ext_community_bandwidth(struct bgp_blob blob);
/* Both forms of the others back to numbers. 0 or -EINVAL. */
int community_parse(const char *text, uint32_t *ret_community);
int large_community_parse(const char *text, struct bgp_large_community *ret_community);

#endif
