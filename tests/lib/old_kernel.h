/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linux before 6.6 for this process: the kernel has no tcx. Linked into a test program, or, as
 * tests/netns/preload_tcx.c, in front of the C library of xrsd.
 */
#ifndef XRS_TESTS_OLD_KERNEL_H
#define XRS_TESTS_OLD_KERNEL_H

/* To be called before anybody has asked what the kernel has. */
void old_kernel(void);

#endif
