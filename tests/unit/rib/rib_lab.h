/* SPDX-License-Identifier: GPL-2.0-only */
/* A RIB with peers and UPDATEs made in a line each, for the tests of user/rib. */
#ifndef XRS_TESTS_RIB_LAB_H
#define XRS_TESTS_RIB_LAB_H

#include <criterion/criterion.h>

#include "rib/rib.h"

#define LAB_ASN 65515u

struct lab_told { /* one prefix as a peer's decoder has it */
	struct ip_prefix prefix;
	struct ip_addr next_hop;
	char path[128];
	bool has_med;
	unsigned int n_communities;
	uint32_t communities[4], otc, path_id, local_pref;
};

struct lab {
	struct rib_config config;
	struct nexthop_table *nexthops;
	struct rib *rib;
	unsigned int changes, wakes, warns, exceeded, no_room, room;
	uint32_t last_count;
	struct rib_change last_change;
};

extern const struct mono lab_now;

void lab_start(struct lab *lab); /* every next hop is usable */
void lab_stop(struct lab *lab);
void lab_work(struct lab *lab); /* until nothing is queued */
struct ip_prefix lab_prefix(const char *text);
struct ip_addr lab_ip(const char *text);
struct bgp_session_params lab_params(uint32_t asn, uint32_t id);
/* An established NVA of @asn at 192.0.2.@n. */
uint16_t lab_peer(struct lab *lab, uint32_t asn, uint8_t n);
uint16_t lab_peer_with(struct lab *lab, const struct rib_peer_config *config,
		       const struct bgp_session_params *params);
struct rib_peer_config lab_peer_config(uint32_t asn, uint8_t n);
/* "10.0.0.0/8 10.1.0.0/16" with AS_PATH "65001 65100" and a next hop; COMMUNITIES when not 0. */
void lab_announce(struct lab *lab, uint16_t peer, const char *prefixes, const char *path,
		  const char *next_hop, uint32_t community);
/* The same with OTC when not 0. */
void lab_announce_otc(struct lab *lab, uint16_t peer, const char *prefixes, const char *path,
		      const char *next_hop, uint32_t otc);
/* The same with a link bandwidth in octets a second when it is not 0. */
void lab_announce_bandwidth(struct lab *lab, uint16_t peer, const char *prefixes, const char *path,
			    const char *next_hop, float bandwidth);
void lab_withdraw(struct lab *lab, uint16_t peer, const char *prefixes);

/* What rib_produce() gave to one peer until nothing was pending. */
struct lab_heard {
	struct lab_told told[64]; /* in the order in which they came */
	unsigned int n_told, n_withdrawn, n_messages;
	struct ip_prefix withdrawn[64];
	unsigned int eor; /* families */
	bool eor_last;    /* End-of-RIB of IPv4 came after all of its routes */
	/* Of IPv4, RFC 7313: routes that stood before BoRR and before EoRR; -1: it did not come. */
	int borr_at, eorr_at;
};
/* End-of-RIB of IPv4 arrives. */
void lab_end_of_rib(struct lab *lab, uint16_t peer);
/* What the first path of a prefix looks like; its attributes are not to be used. */
struct rib_path_view lab_first(const struct lab *lab, const char *prefix);
struct lab_heard lab_hear(struct lab *lab, uint16_t peer);
const struct lab_told *lab_find(const struct lab_heard *heard, const char *prefix);
/* "192.0.2.1 192.0.2.2 | 192.0.2.3": members and backup of the group offered, "" without one. */
const char *lab_offered(const struct lab *lab, const char *prefix);

#endif
