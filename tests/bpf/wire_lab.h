/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real devices for the BPF tests, in a network namespace of the test's own process:
 *
 *   vm ---- nic        (xrs_steer, xrs_steer_tc)
 *           out ---- far    where redirected frames come out
 *   br0: [nic,] port ---- side    where bridged frames come out
 */
#ifndef XRS_TESTS_BPF_WIRE_LAB_H
#define XRS_TESTS_BPF_WIRE_LAB_H

#include "lab.h"

void wire_up(void); /* instead of lab_up(): fixtures */
void wire_down(void);
void wire_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint32_t wire_index(const char *ifname);
/* A packet socket on @ifname that sees what arrives there. */
int wire_open(const char *ifname);
/* Sends from @ifname as a driver would get it: with @partial or @gso_size its checksum is unfinished. */
void wire_send(const char *ifname, const struct frame *frame, bool partial, uint32_t gso_size);

struct wire_frame {
	uint8_t data[65536];
	size_t len;
	bool tagged;
	uint16_t tci; /* of a tag that the kernel took out */
	bool partial; /* the checksum is still to be finished, and will be */
	uint32_t gso_size;
};
/* The next frame that arrives with our next hop's or gateway's kind of MAC. False: none in 300 ms. */
bool wire_receive(int fd, struct wire_frame *ret);
/* Two instructions that pass everything, native: makes a veth take redirected frames. */
int wire_pass_prog(void);

#endif
