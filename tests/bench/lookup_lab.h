/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the lookup benchmark stands on: prefixes as on the Internet, destinations in several distributions, and
 * the kernel's own table with the same routes, in a network namespace of this process.
 */
#ifndef XRS_TESTS_BENCH_LOOKUP_LAB_H
#define XRS_TESTS_BENCH_LOOKUP_LAB_H

#include <stddef.h>
#include <stdint.h>

#include "util/prefix.h"

struct bpf_object;

#define LAB_HOPS      250    /* next hops that the routes are spread over, at random */
#define LAB_GENERATOR "gen0" /* what goes in here comes out of LAB_NIC */
#define LAB_NIC       "vm0"
#define LAB_SINK      "bench1" /* behind the way out */

/* --- lookup_routes.c -------------------------------------------------------------------------------- */
uint32_t lab_draw(uint32_t below);
/*
 * @n different prefixes in map order: a random part of the full table in @file (gzip, one prefix a line), or
 * all of it and generated ones with the same mix of lengths; NULL @file: only generated ones. The caller frees.
 */
struct ip_prefix *lab_prefixes(enum ip_family family, size_t n, const char *file);

enum lab_spread {
	LAB_UNIFORM, /* each prefix as often as any other */
	LAB_ZIPF,    /* the k-th of a random order 1/k as often as the first */
	LAB_HOT,     /* 64 destinations */
	LAB_SPREADS,
};
/* Fills @n random addresses of @prefixes. */
void lab_destinations(const struct ip_prefix *prefixes, size_t n_prefixes, enum lab_spread spread,
		      struct ip_addr *ret, size_t n);

/* --- lookup_kernel.c -------------------------------------------------------------------------------- */
/*
 * A new network namespace with a veth pair, of which the index of one end is returned, and LAB_HOPS
 * neighbours behind it. Prints what failed and ends the program.
 */
uint32_t lab_namespace(void);
/* Puts all routes into the kernel's table, by turns through the neighbours that @hop names (from 0). */
void lab_kernel_routes(uint32_t ifindex, const struct ip_prefix *prefixes, const uint8_t *hop,
		       size_t n);
/* --- lookup_pps.c ----------------------------------------------------------------------------------- */
#define PPS_ROUNDS 31

enum pps_way {
	PPS_VETH_DROP,
	PPS_VETH_KERNEL,
	PPS_VETH_FIB,
	PPS_VETH_XRS,
	PPS_TAP_DROP,
	PPS_TAP_KERNEL,
	PPS_TAP_FIB,
	PPS_TAP_XRS,
	PPS_WAYS,
};

struct feed_shape { /* of feed.bpf.c */
	uint64_t cursor;
	uint32_t mask, l3;
	uint8_t mac[12];
	uint32_t table, ifindex;
	uint64_t sum;
	uint32_t generator, header_sum;
	uint64_t sunk;
};

struct pps {
	struct bpf_object *feed;
	struct feed_shape *shape;
	const uint32_t (*list)[4]; /* destinations */
	int steer_fd;
	void (*set_nic)(uint32_t ifindex); /* as a nic of the table that is measured */
};
/* Millions of frames a second that arrive, in lab_namespace() with its routes. */
void pps_measure(const struct pps *pps, unsigned int rounds, double ret[PPS_WAYS][PPS_ROUNDS]);

/* Prints and ends the program. */
__attribute__((noreturn, format(printf, 1, 2))) void lab_die(const char *format, ...);

#endif
