/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AS_PATH in its kept form: segments (type, count) of 4-octet ASNs in one blob. RFC 4271 4.3 and
 * 5.1.2, RFC 5065, RFC 6793, RFC 7607, RFC 9774. Pure.
 */
#ifndef XRS_BGP_ASPATH_H
#define XRS_BGP_ASPATH_H

#include "bgp/attr.h"

enum bgp_as_segment {
	BGP_AS_SET = 1,
	BGP_AS_SEQUENCE = 2,
	BGP_AS_CONFED_SEQUENCE = 3,
	BGP_AS_CONFED_SET = 4,
};

/* Hops for selection: a set counts as one, confederation segments as none (RFC 4271 9.1.2.2 a). */
unsigned int aspath_length(struct bgp_blob path);
bool aspath_contains(struct bgp_blob path, uint32_t asn);
unsigned int aspath_count_of(struct bgp_blob path, uint32_t asn);
/* Leftmost ASN of a leading AS_SEQUENCE, or 0: the neighbour AS for MED and first-AS checks. */
uint32_t aspath_first(struct bgp_blob path);
/* Rightmost ASN (the origin AS), or 0. */
uint32_t aspath_origin(struct bgp_blob path);
/* Calls @fn for each ASN in order; @segment_start on the first of a segment. */
void aspath_each(struct bgp_blob path,
		 void (*fn)(void *ctx, uint32_t asn, enum bgp_as_segment type, bool segment_start),
		 void *ctx);
/*
 * Writes @path with @asn prepended @times into @buf (a full first segment opens a new one: a count is
 * one octet). Octets written, or -ENOSPC.
 */
int aspath_prepend(struct bgp_blob path, uint32_t asn, unsigned int times, uint8_t *buf,
		   size_t cap);
/* One AS_SEQUENCE (several when longer than 255) from numbers. Octets, or -ENOSPC. */
int aspath_from_asns(const uint32_t *asns, size_t n, uint8_t *buf, size_t cap);
/* RFC 6793 4.2.3: AS_PATH with AS_TRANS from an old peer merged with AS4_PATH. Octets or -ENOSPC. */
int aspath_merge_as4(struct bgp_blob path, struct bgp_blob as4_path, uint8_t *buf, size_t cap);
/* "65001 65002 {1 2}"; cut with "..." when @cap is short; returns @buf. */
char *aspath_format(struct bgp_blob path, char *buf, size_t cap);

#endif
