/* SPDX-License-Identifier: GPL-2.0-only */
/* What loader.c (programs) and loader_attach.c (links) share. Nobody else includes it. */
#ifndef XRS_USER_FIB_LOADER_IMPL_H
#define XRS_USER_FIB_LOADER_IMPL_H

#include "fib/loader.h"

#define LOADER_INSTANCE_MAX 65
#define LOADER_PATH_MAX     (FIB_PATH_MAX * 2)

#define STEER_PROG          "xrs_steer"
#define STEER_SKB           "xrs_steer_skb"
#define STEER_TC            "xrs_steer_tc"
#define UPLINK_PROG         "xrs_uplink"

struct loader {
	char instance[LOADER_INSTANCE_MAX];
	struct xrs_bpf *skel;
	int xdp_fd, generic_fd, tc_fd, uplink_fd; /* the programs; the skeleton's */
	/* Devices that have a pinned link of the XDP half, of the tc half: others need not be searched for. */
	struct htab *pinned[2];
};

/* One line for the caller's caller; returns @code. */
int loader_say(char text[static LOADER_TEXT], int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Fills loader->pinned with what an earlier process left. 0 or negative errno. */
int loader_index_links(struct loader *loader);
void loader_forget_links(struct loader *loader);

/* Kernel 6.6 and later: the tc half is a link. Asks the kernel. */
bool loader_has_tcx(void);

#endif
