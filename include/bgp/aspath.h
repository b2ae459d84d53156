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

/* What can be wrong with an AS_PATH or AS4_PATH as received; when several hold, the first of these. */
enum aspath_fault {
	ASPATH_OK,
	ASPATH_MALFORMED, /* unknown segment type, count 0, overrun, one octet left */
	ASPATH_SET,       /* AS_SET or AS_CONFED_SET: RFC 9774 */
	ASPATH_CONFED,    /* AS_CONFED_SEQUENCE: we are in no confederation, RFC 5065 5 */
	ASPATH_AS_ZERO,   /* RFC 7607 */
};
/* @wire as it stands in the attribute, @asn_octets (2 or 4) for each ASN. */
enum aspath_fault aspath_check(struct bgp_blob wire, unsigned int asn_octets);
/* The kept form of a sound path of 2-octet ASNs. Octets written, or -ENOSPC. */
int aspath_widen(struct bgp_blob wire, uint8_t *buf, size_t cap);

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
/*
 * For a 2-octet peer (RFC 6793 4.2.2): appends @path to @w with AS_TRANS in place of what does not fit.
 * true: at least one ASN did not fit, so that AS4_PATH has to go along.
 */
struct wire_writer;
bool aspath_narrow(struct bgp_blob path, struct wire_writer *w);
/* One AS_SEQUENCE (several when longer than 255) from numbers. Octets, or -ENOSPC. */
int aspath_from_asns(const uint32_t *asns, size_t n, uint8_t *buf, size_t cap);
/*
 * RFC 6793 4.2.3: AS_PATH with AS_TRANS from an old peer (kept form) merged with a sound AS4_PATH. An
 * AS4_PATH longer than the AS_PATH is ignored. Octets or -ENOSPC.
 */
int aspath_merge_as4(struct bgp_blob path, struct bgp_blob as4_path, uint8_t *buf, size_t cap);
/* "65001 65002 {1 2}"; cut with "..." when @cap is short; returns @buf. */
char *aspath_format(struct bgp_blob path, char *buf, size_t cap);

#endif
