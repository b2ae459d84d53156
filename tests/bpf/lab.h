/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF tests stand on: a loaded program set under pins of its own, frames built from a
 * description, runs that count and runs that only ask.
 */
#ifndef XRS_TESTS_BPF_LAB_H
#define XRS_TESTS_BPF_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fib/fib_maps.h"
#include "fib/loader.h"

#define LAB_NIC     1       /* test runs that count come from the loopback device */
#define LAB_NIC_B   77      /* further nics exist only in probes */
#define LAB_OUT     1000001 /* an egress that no machine has; not in the devmap */
#define LAB_TABLE   3
#define LAB_SLOT    5
#define LAB_GATEWAY "\x02\x00\x00\x00\x01\x01"
#define LAB_VM_MAC  "\x02\x00\x00\x00\x00\x0a"

struct lab {
	char instance[64];
	struct loader *loader;
	struct fib_maps *maps;
	struct xrs_nic nic; /* what lab_up() wrote for LAB_NIC; change and write again */
};
extern struct lab lab;

/* Fixtures. lab_up() skips the test by name where BPF cannot be used. */
void lab_up(void);
void lab_down(void);
/* Entries of the table, by a walk of @cap at a time. */
size_t lab_walk(enum ip_family family, size_t cap);
/* A private instance name, removed when the test program ends, whatever happens. */
void lab_instance(char buf[static 64]);

/* --- frames --------------------------------------------------------------------------------------- */
struct frame {
	uint8_t data[LOADER_FRAME_MAX];
	size_t len;
	size_t l3; /* offset of the IP header */
};

struct frame_spec {              /* zero: the ordinary case */
	const char *dmac, *smac; /* six octets */
	unsigned int n_tags;
	uint16_t tci[3];
	bool v6;
	const char *src, *dst; /* text */
	uint8_t proto;         /* 0: UDP */
	uint16_t sport, dport;
	int ttl;      /* 0: 64, -1: 0 */
	bool options; /* IPv4: four octets of them; IPv6: a destination options header */
	bool hop_by_hop;
	bool routing;
	uint16_t frag;  /* IPv4 flags and offset, or IPv6 fragment field */
	bool fragment;  /* IPv6: put a fragment header */
	size_t payload; /* octets behind the L4 header */
	bool partial;   /* the L4 checksum is the sum of the pseudo-header only */
	size_t padding;
	uint32_t flow_label;
};
void frame_make(struct frame *frame, const struct frame_spec *spec);
/* Recomputed from nothing. */
uint16_t sum_fold(uint32_t sum);
uint32_t sum_bytes(const void *data, size_t len);
bool ipv4_sum_ok(const uint8_t *ip);

/* --- maps ----------------------------------------------------------------------------------------- */
void lab_route(const char *prefix, enum xrs_route_kind kind, uint32_t group);
/* A next hop with MACs 02:ee::<index> (to) and 02:dd::<index> (from). */
struct xrs_nexthop lab_nexthop(uint32_t index, enum xrs_way way);
void lab_set_nexthop(uint32_t index, const struct xrs_nexthop *nexthop);
/* A group whose buckets go round the members. */
void lab_group(uint32_t group, const uint32_t *members, unsigned int n);
/* 10.250.0.0/16 and fd00:250::/32 to group 1, next hop 1 by @way. */
void lab_steer(enum xrs_way way);
struct xrs_nic_stats lab_stats(void);
/* Number of counted frames of the nic: the sum of all reasons. */
uint64_t lab_counted(void);

/* --- runs ----------------------------------------------------------------------------------------- */
struct run {
	uint32_t action;
	enum xrs_reason
		reason; /* of a counted run: the counter that rose; XRS_REASON_MAX: none or several */
	struct xrs_decision decision; /* of a probe */
	struct frame out;
	struct xrs_mark mark; /* what XDP left; zero: nothing */
};
struct run lab_probe(const struct frame *frame, bool tc, uint32_t gso_size);
/* Asks XDP, generic XDP and tc, which must decide alike; what XDP says. */
struct run lab_probe_all(const struct frame *frame);
struct run lab_count(const struct frame *frame, bool tc, uint32_t gso_size);
struct run lab_count_by(const char *prog, const struct frame *frame, uint32_t gso_size);
/* Both, which must agree in everything. */
struct run lab_run(const struct frame *frame, bool tc);
struct run lab_run_by(const char *prog, const struct frame *frame);
/* Asks as the frame of @ifindex. */
struct run lab_probe_by(const char *prog, uint32_t ifindex, const struct frame *frame,
			uint32_t gso_size);
const char *reason_text(unsigned int reason);

#define assert_reason(run, expected)                                                   \
	cr_assert((run).reason == (expected), "%s, not %s", reason_text((run).reason), \
		  reason_text(expected))

#endif
