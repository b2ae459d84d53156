/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The service manager's notification protocol (sd_notify(3)): one datagram to $NOTIFY_SOCKET. Called by
 * main.c only. Without the variable nothing happens.
 */
#ifndef XRS_AGENT_SD_NOTIFY_H
#define XRS_AGENT_SD_NOTIFY_H

#include <stdint.h>

/* Sends "READY=1\nSTATUS=..." as it is. 0, also when nobody listens; or negative errno. */
int sd_notify_send(const char *state);
/* Half of $WATCHDOG_USEC when it is meant for this process, else 0. */
uint64_t sd_notify_watchdog_usec(void);

#endif
