/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event loop: descriptors (epoll), timers (a heap), signals (signalfd) and slices of long work,
 * all on one thread. Watchers are embedded in the caller's structs and owned by the caller; the loop
 * never allocates for one except to grow its timer array.
 *
 * Any watcher may be added, changed or removed inside any callback, its own included, and may be
 * freed there once removed: nothing that was already collected is delivered to a removed watcher.
 * Remove every watcher before loop_free().
 */
#ifndef XRS_AGENT_LOOP_H
#define XRS_AGENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "util/heap.h"
#include "util/mono.h"

struct loop;

/* NULL: out of memory or descriptors (errno is set). Its descriptors are close-on-exec. */
struct loop *loop_new(void);
void loop_free(struct loop *loop); /* gives the signal mask back */

/* Runs until loop_stop(). 0, or the negative errno of epoll. */
int loop_run(struct loop *loop);
/* Ends loop_run() after the callback under way; called before, the next run returns at once. */
void loop_stop(struct loop *loop);
/*
 * One turn: waits at most @wait_msec (-1: until something is due), then calls back what is ready,
 * the timers that are due, and one slice of work. loop_run() is this in a loop; not for callbacks.
 */
int loop_turn(struct loop *loop, int wait_msec);

/* Monotonic time, read once before each callback: cheap, and constant within one callback. */
struct mono loop_now(const struct loop *loop);

struct loop_stats {
	uint64_t turns;
	uint64_t callbacks;
	uint64_t stall_max_usec; /* the longest callback so far: what every other one had to wait */
};
struct loop_stats loop_stats(const struct loop *loop);

/* --- descriptors ----------------------------------------------------------------------- */

struct loop_io {
	int fd;                                          /* set these three before loop_io_add() */
	void (*fn)(struct loop_io *io, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLERR, ... */
	void *ctx;
	/*
	 * Also: it waits for one callback and LOOP_URGENT_USEC at most, however many others are ready. For
	 * what is rare and cheap to serve: a person who asks, a link that went.
	 */
	bool urgent;
	uint32_t events; /* the loop's: what is being waited for */
	bool added;      /* the loop's */
};
#define LOOP_URGENT_USEC 5000

/* 0, -EEXIST when added already, or the negative errno of epoll_ctl. Level-triggered. */
int loop_io_add(struct loop *loop, struct loop_io *io, uint32_t events);
/* Waits for other events from now on (0: only EPOLLERR and EPOLLHUP). 0 or a negative errno. */
int loop_io_mod(struct loop *loop, struct loop_io *io, uint32_t events);
/* No effect when not added. Call it before closing the descriptor, which stays the caller's. */
void loop_io_del(struct loop *loop, struct loop_io *io);

/* --- timers ------------------------------------------------------------------------------ */

struct loop_timer {
	struct heap_node node; /* the loop's; zero before the first use */
	void (*fn)(struct loop_timer *timer);
	void *ctx;
};

/*
 * Calls once at @when (at once when that has passed; "never", i.e. 0 usec, stops it). Set again to
 * move it. A timer that sets itself to a time already passed is called in the next turn, so that it
 * can not starve the rest. 0 or -ENOMEM.
 */
int loop_timer_set(struct loop *loop, struct loop_timer *timer, struct mono when);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer); /* no effect when stopped */
bool loop_timer_is_set(const struct loop_timer *timer);

/* --- signals ----------------------------------------------------------------------------- */

/*
 * Blocks @signo for this process and calls @fn from the loop instead. Once for each number. A child
 * that execs inherits the block: reset its mask. 0, -EINVAL (no such signal), -EEXIST, or the
 * negative errno of signalfd.
 */
int loop_on_signal(struct loop *loop, int signo, void (*fn)(int signo, void *ctx), void *ctx);

/* --- long work in slices --------------------------------------------------------------------- */

struct loop_work {
	/* Does one slice (aim below 5 ms) and returns whether more is left. */
	bool (*fn)(struct loop_work *work);
	void *ctx;
	struct loop_work *prev, *next; /* the loop's */
	bool queued;                   /* the loop's */
};

/*
 * Queues @work; each turn runs one slice of one work, in turn, after descriptors and timers: a
 * keepalive waits for one slice, not for a million routes. No effect when queued already. Adding it
 * from its own slice keeps it queued even when that slice returns false.
 */
void loop_work_add(struct loop *loop, struct loop_work *work);
void loop_work_del(struct loop *loop, struct loop_work *work); /* no effect when not queued */

#endif
