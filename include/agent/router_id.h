/* SPDX-License-Identifier: GPL-2.0-only */
/* A BGP identifier for a node whose configuration implies none. */
#ifndef XRS_AGENT_ROUTER_ID_H
#define XRS_AGENT_ROUTER_ID_H

#include <stdint.h>

/*
 * The lowest IPv4 address of the host that is not on a loopback interface, host order, as BIRD chooses
 * its own. 0: there is none.
 */
uint32_t router_id_of_host(void);

#endif
