/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MRT out (RFC 6396): TABLE_DUMP_V2 records, which bgpdump and others read. Whole records into the caller's
 * buffer. Pure; time is an argument.
 *
 *	| timestamp 4 | type 2 | subtype 2 | length 4 | record ... |
 */
#ifndef XRS_BGP_MRT_H
#define XRS_BGP_MRT_H

#include "bgp/attr.h"
#include "util/wire.h"

#define MRT_PEERS_MAX  65535
#define MRT_RECORD_MAX (1u << 20) /* octets: a prefix with some hundred paths */

struct mrt_peer { /* index: its place in the table */
	uint32_t router_id;
	struct ip_addr addr;
	uint32_t asn;
};
/* 4.3.1: the table that RIB records point into. Fails @w when it does not fit. */
void mrt_put_peers(struct wire_writer *w, uint32_t seconds, uint32_t collector_id, const char *view,
		   const struct mrt_peer *peers, uint16_t n);

/* 4.3.2: one prefix. mrt_begin_rib(), then an entry for each path, then mrt_end_rib(). */
struct mrt_rib {
	size_t start;   /* of the record */
	size_t counter; /* of the entry count */
	uint16_t n;
};
void mrt_begin_rib(struct wire_writer *w, uint32_t seconds, uint32_t sequence,
		   const struct ip_prefix *prefix, struct mrt_rib *ret_rib);
/* False: the path can not be written (no ORIGIN or AS_PATH, too long); it is left out. */
bool mrt_put_path(struct wire_writer *w, struct mrt_rib *rib, enum bgp_family family, uint16_t peer,
		  uint32_t since_seconds, const struct bgp_attrs *attrs);
void mrt_end_rib(struct wire_writer *w, struct mrt_rib *rib);

#endif
