/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the lookup benchmark stands on: prefixes as on the Internet, destinations in several distributions, and
 * the kernel's own table with the same routes, in a network namespace of this process.
 */
#ifndef XRS_TESTS_BENCH_LOOKUP_LAB_H
#define XRS_TESTS_BENCH_LOOKUP_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/prefix.h"

struct bpf_object;

#define LAB_HOPS      250    /* next hops that the routes are spread over, at random */
#define LAB_GENERATOR "gen0" /* what goes in here comes out of LAB_NIC */
#define LAB_NIC       "vm0"
#define LAB_SINK      "bench1" /* behind the way out */
#define LAB_SOCKET    "sock0"  /* to be moved to a namespace with sockets; its other end: */
#define LAB_CONTAINER "vm1"

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

#define LAB_BEHIND  (1u << 20) /* of feed.bpf.c */
#define LAB_GOES_ON (1u << 31)
/*
 * Fills the two tables of an index over the first 24 bits of IPv4 addresses, of 1 << 24 and @n_behind words: the
 * fastest lookup that is known, in 64 MiB.
 */
void lab_index(const struct ip_prefix *prefixes, size_t n, uint32_t *index, uint32_t *behind,
	       size_t n_behind);

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
#define LAB_WINDOW (1u << 12) /* both of feed.bpf.c */
#define LAB_TIMES  32

enum pps_device {
	PPS_VETH,   /* frames that XDP redirects into it */
	PPS_SKB,    /* the same, but buffers of the kernel */
	PPS_SOCKET, /* a veth, and a UDP socket in the namespace behind it */
	PPS_TAP,
	PPS_DEVICES,
};

enum pps_by {         /* who forwards */
	PPS_DROP,     /* nobody: what sending costs */
	PPS_REDIRECT, /* a program without a table: what is left when a lookup costs nothing */
	PPS_KERNEL,   /* as devices come */
	PPS_GRO,      /* the kernel, with GRO on the device */
	PPS_FIB,
	PPS_NATIVE, /* XRS */
	PPS_TC,
	PPS_REDIRECT_TC,
	PPS_BYS,
};

struct feed_shape { /* of feed.bpf.c */
	uint64_t cursor;
	uint32_t mask, l3;
	uint8_t mac[12];
	uint32_t table, fast[2], ifindex;
	uint64_t sum;
	uint32_t generator, header_sum;
	uint64_t sunk, times[LAB_TIMES];
};

struct pps {
	enum ip_family family;
	struct bpf_object *feed;
	struct feed_shape *shape;
	const uint32_t (*list)[4];         /* destinations */
	void (*set_nic)(uint32_t ifindex); /* as a nic of the table that is measured */
	/* Attaches xrs_steer, or the tc half alone; and takes it away. */
	void (*attach)(const char *ifname, bool tc);
	void (*detach)(const char *ifname);
};
/* Can it be measured? Without GRO or a program a veth takes no frames from a redirect; a tap knows no GRO. */
bool pps_is_there(enum pps_device device, enum pps_by by);
struct pps_times {
	unsigned int n;
	double ns[PPS_ROUNDS *
		  LAB_TIMES]; /* from a frame's arrival to the next one's: means of LAB_WINDOW */
};
/* In lab_namespace() with its routes of that family. */
void pps_measure(const struct pps *pps, unsigned int rounds,
		 struct pps_times ret[PPS_DEVICES][PPS_BYS]);

/* Prints and ends the program. */
__attribute__((noreturn, format(printf, 1, 2))) void lab_die(const char *format, ...);

#endif
