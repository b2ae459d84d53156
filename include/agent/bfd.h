/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BFD for the node: our end of the engine, a small process of its own (agent/bfd_engine.h) that receives,
 * decides and sends, so that nothing this process does can delay it. Starts the engine with the first
 * session and again when it dies, tells it what sessions there should be, and hands on what it reports.
 */
#ifndef XRS_AGENT_BFD_H
#define XRS_AGENT_BFD_H

#include <net/if.h>

#include "bfd/bfd_session.h"
#include "dataplane.h"
#include "util/prefix.h"

struct bfd;
struct loop;

#define BFD_NAME_MAX 64

/* One session, as the engine gets it: plain data. */
struct bfd_spec {
	uint32_t slot; /* index in xrs_bfd; bfd_add() chooses it */
	uint32_t discr;
	struct ip_addr peer, local; /* local IP_NONE: chosen by the kernel */
	char device[IFNAMSIZ];      /* "": any */
	bool multihop;              /* RFC 5883 in place of RFC 5881 */
	/*
	 * The peer's C bit is clear and graceful restart is to be honoured: then Down is news, but no verdict
	 * on the member (RFC 5882 4.3.2).
	 */
	bool lenient;
	struct bfd_session_config session;
	char name[BFD_NAME_MAX]; /* for logs: "fw-a" */
};

/* How a session stands. Written by the engine, read by this process. */
struct bfd_status {
	uint32_t version; /* odd while it is written */
	uint32_t discr;   /* of the session that this is about; 0: none */
	enum bfd_state state, remote_state;
	uint8_t diag, remote_diag, remote_multiplier;
	bool remote_control_independent, remote_demand;
	bool kernel; /* packets of the peer pass our programs, which keep the detection time as well */
	int problem; /* errno: why packets can not be sent or received now; 0 */
	uint32_t remote_discr;
	uint32_t interval_usec, detection_usec; /* in force */
	uint32_t remote_min_tx_usec, remote_min_rx_usec;
	struct mono changed; /* of state */
	/* Our packets: the latest one behind its time, and those that the engine's second thread sent. */
	uint64_t late_max_usec, stood_in;
	struct bfd_stats stats;
};

/* Of periodic packets behind their time: at most so many microseconds, the last without bound. */
#define BFD_LATENESS_BOUNDS                                     \
	{                                                       \
		100, 500, 1000, 2000, 5000, 10000, 20000, 50000 \
	}
#define BFD_LATENESS_BUCKETS 9
struct bfd_lateness {
	uint64_t count[BFD_LATENESS_BUCKETS];
	uint64_t total, sum_usec;
};
void bfd_lateness_add(struct bfd_lateness *lateness, uint64_t usec);
uint64_t bfd_lateness_bound_usec(unsigned int bucket); /* 0: none, the last */

struct bfd_event {
	uint32_t slot, discr;
	enum bfd_state state;
	enum bfd_state remote_state;
	uint8_t diag;
	bool failure; /* Down, and the member is to be given up: neither we nor the peer are at AdminDown */
	/* When the last packet that counts had come, when it was decided, when the map said so. */
	struct mono detected, decided, programmed;
};

/*
 * A session changed its state; @owner is what bfd_add() was given. When the engine dies nothing is said:
 * every session is unknown then, until the next engine reports.
 */
typedef void (*bfd_changed_fn)(void *owner, const struct bfd_event *event);

/* The map xrs_bfd as descriptor and as memory, both borrowed; -1 and NULL: no data plane. */
struct bfd_map {
	int fd;
	struct xrs_bfd *entries;
};
/* 0 or -ENOMEM. */
int bfd_new(struct loop *loop, const struct bfd_map *map, bfd_changed_fn changed,
	    struct bfd **ret_bfd);
/* Tells the peers AdminDown and ends the engine. NULL is fine. */
void bfd_free(struct bfd *bfd);

/*
 * @spec without slot and discr. @slot_hint: preferred when it is free, 0: none. Returns the slot, or
 * -ENOSPC, -ENOMEM.
 */
int bfd_add(struct bfd *bfd, const struct bfd_spec *spec, uint32_t slot_hint, void *owner);
/* Other values for a session; its addresses stay. */
void bfd_change(struct bfd *bfd, uint32_t slot, const struct bfd_spec *spec);
/* The peer is told AdminDown. */
void bfd_remove(struct bfd *bfd, uint32_t slot);
/* The member is to be used again although the session is not Up: its verdict in the map goes. */
void bfd_pardon(struct bfd *bfd, uint32_t slot);
/* A copy; false: nothing is known (yet). */
bool bfd_get_status(const struct bfd *bfd, uint32_t slot, struct bfd_status *ret_status);
/* All sessions since the engine started. */
struct bfd_lateness bfd_get_lateness(const struct bfd *bfd);
uint32_t bfd_discr(const struct bfd *bfd, uint32_t slot);
/* Process id of the engine, 0: it does not run; and how often it had to be started again. */
int bfd_engine_pid(const struct bfd *bfd);
uint64_t bfd_engine_restarts(const struct bfd *bfd);

#endif
