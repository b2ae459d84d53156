/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bench sends: IPv4 routes in groups that share attributes, and whole UPDATEs made of them ahead
 * of the measurement. Everything follows from the arguments and a fixed seed, so that all speakers of a
 * run get the same octets. Out of memory or an unreadable file ends the program.
 */
#ifndef XRS_BENCH_BGP_ROUTES_H
#define XRS_BENCH_BGP_ROUTES_H

#include "bgp_set.h"

struct attr_group {
	uint32_t first, n; /* routes */
	uint8_t origin;
	uint8_t n_as;
	uint32_t as_at;   /* in asns: the path behind the sender's own ASN */
	uint32_t tail_at; /* in tails: encoded attributes that come after NEXT_HOP */
	uint16_t tail_len;
};

struct route_set {
	struct route *routes; /* in the order of the wire */
	size_t n;
	struct attr_group *groups;
	size_t n_groups;
	uint32_t *asns;
	uint8_t *tails;
	size_t cap, group_cap, n_asns, asn_cap, n_tails, tail_cap;
};

struct route_source {         /* where the routes come from: the first that is set */
	const char *mrt;      /* a RIB dump, TABLE_DUMP or TABLE_DUMP_V2 */
	const char *prefixes; /* one a line; short ones are filled up with generated ones */
	bool compact;         /* neighbouring /24 from 16.0.0.0 on: receivers need little memory */
};

/* @n routes (of an MRT file at most that many: see set->n). */
void routes_make(struct route_set *set, const struct route_source *source, size_t n);

struct octets {
	uint8_t *data;
	size_t len, cap;
};

struct sender { /* how a peer presents the routes */
	uint32_t asn, next_hop;
	unsigned int prepend; /* its own ASN this many times more */
};
/* Appends UPDATEs that announce the groups which have routes in [from, to). */
void routes_announce(const struct route_set *set, size_t from, size_t to,
		     const struct sender *sender, struct octets *out);
void routes_withdraw(const struct route_set *set, size_t from, size_t to, struct octets *out);
/* One route with ORIGIN, AS_PATH, NEXT_HOP and, unless 0, one community. */
void route_announce(struct route route, const struct sender *sender, uint32_t community,
		    struct octets *out);
void end_of_rib(struct octets *out);
void put_octets(struct octets *out, const void *data, size_t len);

#endif
