/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the BFD engine: its sessions, and what its files do to them. Included by bfd_engine.c, bfd_verdict.c,
 * bfd_send.c and bfd_receive.c only; all of it under the stand-in's lock.
 */
#ifndef XRS_AGENT_BFD_ENGINE_IMPL_H
#define XRS_AGENT_BFD_ENGINE_IMPL_H

#include "agent/bfd_engine.h"
#include "agent/bfd_standin.h"
#include "agent/loop.h"

#define BFD_ENGINE_LOG   "bfd" /* subsystem of its log lines */
#define BFD_SOURCE_FIRST 49152 /* RFC 5881 4 */

/* A receiving socket, shared by the sessions with this address. */
struct receiver {
	struct receiver *next;
	struct ip_addr local;
	uint16_t port;
	char device[IFNAMSIZ];
	unsigned int refs;
	struct loop_io io; /* fd -1: not bound */
};

struct engine_session {
	struct heap_node due;      /* in engine.queue: sending, and the detection time */
	struct heap_node periodic; /* in engine.periodic: sending alone, for the stand-in */
	struct heap_node watched;  /* in engine.watched: the detection time alone, likewise */
	struct bfd_spec spec;
	struct bfd_session bfd;
	struct receiver *receiver;
	int fd; /* sends; -1: not bound */
	int problem;
	struct mono retry;   /* of what could not be bound */
	bool kernel;         /* packets pass the program */
	bool report_pending; /* the socket to xrsd was full */
	struct bfd_event report;
	struct mono changed;
	uint64_t late_max_usec; /* of a packet of ours */
	uint64_t stood_in;      /* packets that the stand-in sent */
};

struct engine {
	struct loop *loop;
	struct loop_io control, timer;
	struct heap queue, periodic, watched;
	struct bfd_standin *standin;
	struct receiver *receivers;
	struct engine_session *sessions[XRS_BFD_MAX];
	struct bfd_shared *shared; /* with xrsd */
	struct xrs_bfd *map;       /* the same number, or NULL */
	uint16_t next_source;
	bool orphan;
};
extern struct engine engine;

/* --- bfd_engine.c ------------------------------------------------------------------------------ */
uint32_t engine_random(void);
uint16_t engine_port(const struct bfd_spec *spec); /* that its packets go to */
/* For what is due first, after any change of it. */
void engine_arm_timer(void);

/* --- bfd_verdict.c ----------------------------------------------------------------------------- */
void engine_set_deadline(const struct engine_session *s, uint64_t deadline_ns);
/* The program sees packets of the peer, and its deadline counts. */
bool engine_is_watched(const struct engine_session *s);
/* Values that are other than they were. */
void engine_tell_program(const struct engine_session *s);
/* When the program saw a packet of the peer last, authentic or not; unset: it has not, or does not watch. */
struct mono engine_seen(const struct engine_session *s);
/* What the program received counts as heard: this process may have been kept waiting. */
void engine_ask_kernel(struct engine_session *s);
/* After each packet that was received here: is the deadline the program's or ours? */
void engine_judge_kernel(struct engine_session *s);
/* Into the memory that xrsd reads. */
void engine_publish(struct engine_session *s);
/* s->report to xrsd, now or later. */
void engine_send_report(struct engine_session *s);
/* It is another state than @before: into the map, then to xrsd. @detected: since when. */
void engine_state_changed(struct engine_session *s, enum bfd_state before, struct mono detected);

/* --- bfd_send.c -------------------------------------------------------------------------------- */
/* Has the detection time passed? */
void engine_check(struct engine_session *s);
/* Sends what is due, and says when the session wants to be looked at again. */
void engine_settle(struct engine_session *s);
/* The stand-in's two callbacks (agent/bfd_standin.h). */
struct mono engine_standin_due(void);
bool engine_standin_take(struct mono now, struct bfd_departure *ret);

/* --- bfd_receive.c ----------------------------------------------------------------------------- */
/* The socket for @spec, made if need be, not bound yet; NULL: no memory. */
struct receiver *engine_receiver_get(const struct bfd_spec *spec);
void engine_receiver_put(struct receiver *r);
int engine_receiver_bind(struct receiver *r); /* 0 or negative errno */
/* Some of what waits in every socket. */
void engine_receive_all(void);

#endif
