/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bare mirror: two BGP sessions, and every octet of the second goes to the first as it is. What a
 * speaker needs beyond this is its own work; the rest are sockets and the scheduler.
 */
#ifndef XRS_BENCH_BGP_MIRROR_H
#define XRS_BENCH_BGP_MIRROR_H

_Noreturn void mirror_run(const char *local);

#endif
