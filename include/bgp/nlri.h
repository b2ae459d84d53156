/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NLRI: prefixes as they stand in UPDATE, MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4271 4.3, RFC 4760 5,
 * RFC 7911 3). A section is validated once; then iterating it can not fail. Pure.
 */
#ifndef XRS_BGP_NLRI_H
#define XRS_BGP_NLRI_H

#include "bgp/bgp.h"
#include "util/wire.h"

struct bgp_nlri {
	const uint8_t *data;
	uint32_t len; /* octets; 0: nothing */
	enum bgp_family family;
	bool add_path; /* a 4-octet path identifier before each prefix */
};

/* Prefixes in the section, or -EBADMSG: a length over the family's bits, or over the field. */
int nlri_validate(const struct bgp_nlri *nlri);
/* The same, and how many of them are multicast, which nlri_next() leaves out (RFC 4271 6.3). */
int nlri_scan(const struct bgp_nlri *nlri, unsigned int *ret_multicast);

struct nlri_iter {
	struct wire_reader r;
	enum ip_family ip;
	bool add_path;
};
void nlri_iter_init(struct nlri_iter *it, const struct bgp_nlri *nlri);
/* false at the end. Multicast prefixes are skipped. Host bits that the peer left set are cleared. *ret_path_id is 0 without ADD-PATH. */
bool nlri_next(struct nlri_iter *it, struct ip_prefix *ret_prefix, uint32_t *ret_path_id);

/* Appends one prefix (and @path_id when @add_path). Fails the writer when it does not fit. */
void nlri_put(struct wire_writer *w, const struct ip_prefix *prefix, bool add_path,
	      uint32_t path_id);
/* The same where nothing that counts stands behind the writer's place: four octets at once where there is room. */
void nlri_append(struct wire_writer *w, const struct ip_prefix *prefix, bool add_path,
		 uint32_t path_id);
/* Octets that nlri_put() would write. */
size_t nlri_size(const struct ip_prefix *prefix, bool add_path);

#endif
