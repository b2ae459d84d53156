/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BFD engine: xrsd started again as `xrsd --bfd-engine`, a process that does nothing but BFD. It owns
 * the sockets, the sessions and their timers, runs with real-time priority where it may, and lives as long
 * as the other end of its socket: when that goes it tells all peers AdminDown, because forwarding goes on
 * (RFC 5882 3.2), and ends.
 *
 * It gets three descriptors: messages, the shared statuses, and the map xrs_bfd.
 */
#ifndef XRS_AGENT_BFD_ENGINE_H
#define XRS_AGENT_BFD_ENGINE_H

#include "agent/bfd.h"

#define BFD_ENGINE_OPTION "--bfd-engine"

enum {
	BFD_ENGINE_SOCKET_FD = 3, /* SOCK_SEQPACKET: requests in, struct bfd_event out */
	BFD_ENGINE_SHARED_FD = 4, /* struct bfd_shared, shared memory */
	BFD_ENGINE_MAP_FD = 5,    /* xrs_bfd, or closed */
};

enum bfd_request_kind {
	BFD_REQUEST_SET, /* add or change; another discriminator in a slot is another session */
	BFD_REQUEST_REMOVE,
	BFD_REQUEST_PARDON,
};

struct bfd_request {
	enum bfd_request_kind kind;
	struct bfd_spec spec; /* REMOVE and PARDON: only slot and discr */
};

/* Written by the engine, read by xrsd. */
struct bfd_shared {
	struct bfd_lateness lateness;
	struct bfd_status status[XRS_BFD_MAX]; /* by slot */
};

/* The whole life of the process; its exit status. */
int bfd_engine_main(void);

#endif
