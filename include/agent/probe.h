/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An L4 probe: a TCP connection to a port of an appliance at an interval. So many failures in a row and it
 * counts as dead, one success and it is alive again. Sends nothing; on the loop's thread.
 */
#ifndef XRS_AGENT_PROBE_H
#define XRS_AGENT_PROBE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/prefix.h"

struct loop;
struct probe;

struct probe_config {
	struct ip_addr peer, local; /* local IP_NONE: chosen by the kernel */
	char device[IFNAMSIZ];
	uint16_t port;
	uint32_t interval_ms, timeout_ms;
	unsigned int failures; /* in a row */
};

struct probe_stats {
	uint64_t sent, failed;
	unsigned int in_a_row; /* failures */
	int last_error;        /* errno of the last failure; 0: the last one succeeded */
	uint32_t rtt_usec;     /* of the last success */
};

/* @changed is called when it dies and when it is alive again. 0 or -ENOMEM. */
int probe_new(struct loop *loop, const struct probe_config *config,
	      void (*changed)(void *owner, bool alive), void *owner, struct probe **ret_probe);
void probe_free(struct probe *probe); /* NULL is fine */
bool probe_is_alive(const struct probe *probe);
const struct probe_config *probe_config(const struct probe *probe);
const struct probe_stats *probe_stats(const struct probe *probe);

#endif
