// SPDX-License-Identifier: GPL-2.0-only
/*
 * epoll, a timer heap, a signalfd and a queue of work slices. main.c runs it; session, listener, api
 * and net hang their watchers on it. It must never call a watcher that has been removed, and never
 * let one kind of work starve another.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/loop.h"

#define LOOP_BATCH   64 /* events taken from epoll at once */
#define SIGNAL_LIMIT 65 /* 1..64 on Linux */

struct signal_handler {
	void (*fn)(int signo, void *ctx);
	void *ctx;
};

struct loop {
	int epoll_fd;
	struct mono now;
	bool stopping;
	struct heap timers;
	struct loop_stats stats;

	struct epoll_event batch[LOOP_BATCH]; /* collected, not yet delivered from batch_at on */
	int batch_at, batch_count;

	struct loop_work *work_first, *work_last;
	struct loop_work *work_running; /* NULL again when it is removed by its own slice */

	struct loop_io signal_io;
	sigset_t signals, old_mask;
	struct signal_handler handlers[SIGNAL_LIMIT];
};

static void on_signal_readable(struct loop_io *io, uint32_t events);

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return NULL;
	}
	heap_init(&loop->timers);
	sigemptyset(&loop->signals);
	sigprocmask(SIG_SETMASK, NULL, &loop->old_mask);
	loop->signal_io = (struct loop_io){ .fd = -1, .fn = on_signal_readable, .ctx = loop };
	loop->now = mono_now();
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	if (loop->signal_io.fd >= 0) {
		close(loop->signal_io.fd);
		sigprocmask(SIG_SETMASK, &loop->old_mask, NULL);
	}
	close(loop->epoll_fd);
	heap_done(&loop->timers);
	free(loop);
}

void loop_stop(struct loop *loop)
{
	loop->stopping = true;
}

struct mono loop_now(const struct loop *loop)
{
	return loop->now;
}

struct loop_stats loop_stats(const struct loop *loop)
{
	return loop->stats;
}

/* Ends one callback: its time is what all others waited, and the next one sees a fresh clock. */
static void account(struct loop *loop)
{
	struct mono now = mono_now();
	uint64_t took = mono_since_usec(now, loop->now);

	loop->stats.callbacks++;
	if (took > loop->stats.stall_max_usec)
		loop->stats.stall_max_usec = took;
	loop->now = now;
}

/* --- descriptors ----------------------------------------------------------------------- */

static int control(struct loop *loop, int op, struct loop_io *io, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = io };

	return epoll_ctl(loop->epoll_fd, op, io->fd, &event) < 0 ? -errno : 0;
}

int loop_io_add(struct loop *loop, struct loop_io *io, uint32_t events)
{
	int err = io->added ? -EEXIST : control(loop, EPOLL_CTL_ADD, io, events);

	if (err)
		return err;
	io->events = events;
	io->added = true;
	return 0;
}

int loop_io_mod(struct loop *loop, struct loop_io *io, uint32_t events)
{
	int err;

	if (!io->added)
		return -ENOENT;
	if (io->events == events)
		return 0;
	err = control(loop, EPOLL_CTL_MOD, io, events);
	if (!err)
		io->events = events;
	return err;
}

void loop_io_del(struct loop *loop, struct loop_io *io)
{
	if (!io->added)
		return;
	control(loop, EPOLL_CTL_DEL, io, 0);
	io->added = false;
	/* Events that were collected for it before must not reach what may be freed memory. */
	for (int i = loop->batch_at; i < loop->batch_count; i++) {
		if (loop->batch[i].data.ptr == io)
			loop->batch[i].data.ptr = NULL;
	}
}

static void deliver_batch(struct loop *loop)
{
	while (loop->batch_at < loop->batch_count && !loop->stopping) {
		struct epoll_event event = loop->batch[loop->batch_at++];
		struct loop_io *io = event.data.ptr;

		if (!io)
			continue;
		/* It may have been changed since the event was collected. */
		event.events &= io->events | EPOLLERR | EPOLLHUP;
		if (!event.events)
			continue;
		io->fn(io, event.events);
		account(loop);
	}
	loop->batch_at = loop->batch_count = 0;
}

/* --- timers ------------------------------------------------------------------------------ */

int loop_timer_set(struct loop *loop, struct loop_timer *timer, struct mono when)
{
	if (mono_is_set(when))
		return heap_set(&loop->timers, &timer->node, when);
	heap_remove(&loop->timers, &timer->node);
	return 0;
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	heap_remove(&loop->timers, &timer->node);
}

bool loop_timer_is_set(const struct loop_timer *timer)
{
	return timer->node.slot != 0;
}

static struct loop_timer *timer_of(struct heap_node *node)
{
	return (struct loop_timer *)((char *)node - offsetof(struct loop_timer, node));
}

/*
 * Runs what is due now. No more calls than there are timers at the start: one that sets itself to
 * the past again waits for the next turn.
 */
static void run_timers(struct loop *loop)
{
	struct mono due = loop->now;

	for (size_t left = loop->timers.count; left && !loop->stopping; left--) {
		struct heap_node *node = heap_first(&loop->timers);
		struct loop_timer *timer;

		if (!node || mono_before(due, node->key))
			return;
		timer = timer_of(node);
		heap_remove(&loop->timers, node);
		timer->fn(timer);
		account(loop);
	}
}

/* --- signals ----------------------------------------------------------------------------- */

static void on_signal_readable(struct loop_io *io, uint32_t events)
{
	struct loop *loop = io->ctx;
	struct signalfd_siginfo info;

	while (read(io->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		struct signal_handler *handler = &loop->handlers[info.ssi_signo];

		handler->fn((int)info.ssi_signo, handler->ctx);
	}
}

int loop_on_signal(struct loop *loop, int signo, void (*fn)(int signo, void *ctx), void *ctx)
{
	sigset_t wanted = loop->signals;
	int fd;

	if (signo <= 0 || signo >= SIGNAL_LIMIT || sigaddset(&wanted, signo) < 0)
		return -EINVAL;
	if (loop->handlers[signo].fn)
		return -EEXIST;
	/* Blocked first: a signal between the two calls waits in the descriptor. */
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	fd = signalfd(loop->signal_io.fd, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	loop->signals = wanted;
	loop->handlers[signo] = (struct signal_handler){ .fn = fn, .ctx = ctx };
	loop->signal_io.fd = fd;
	return loop->signal_io.added ? 0 : loop_io_add(loop, &loop->signal_io, EPOLLIN);
}

/* --- long work in slices --------------------------------------------------------------------- */

void loop_work_add(struct loop *loop, struct loop_work *work)
{
	if (work->queued)
		return;
	work->queued = true;
	work->next = NULL;
	work->prev = loop->work_last;
	if (work->prev)
		work->prev->next = work;
	else
		loop->work_first = work;
	loop->work_last = work;
}

static void unlink_work(struct loop *loop, struct loop_work *work)
{
	if (work->prev)
		work->prev->next = work->next;
	else
		loop->work_first = work->next;
	if (work->next)
		work->next->prev = work->prev;
	else
		loop->work_last = work->prev;
	work->queued = false;
}

void loop_work_del(struct loop *loop, struct loop_work *work)
{
	if (work->queued)
		unlink_work(loop, work);
	if (loop->work_running == work)
		loop->work_running = NULL;
}

/* Taken off the queue for its slice, so that adding it from inside is not lost, then to the end. */
static void run_work(struct loop *loop)
{
	struct loop_work *work = loop->work_first;
	bool more;

	if (!work || loop->stopping)
		return;
	unlink_work(loop, work);
	loop->work_running = work;
	more = work->fn(work);
	account(loop);
	if (more && loop->work_running == work)
		loop_work_add(loop, work);
	loop->work_running = NULL;
}

/* --- turns ------------------------------------------------------------------------------- */

/* Milliseconds until the next timer, rounded up: waking too early would only wait again. */
static int wait_time(const struct loop *loop, int wait_msec)
{
	const struct heap_node *first = heap_first(&loop->timers);
	uint64_t msec;

	if (loop->work_first)
		return 0;
	if (!first)
		return wait_msec;
	msec = (mono_since_usec(first->key, mono_now()) + 999) / 1000;
	if (wait_msec >= 0 && msec > (uint64_t)wait_msec)
		return wait_msec;
	return msec > INT32_MAX ? INT32_MAX : (int)msec;
}

int loop_turn(struct loop *loop, int wait_msec)
{
	int n = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH, wait_time(loop, wait_msec));

	if (n < 0 && errno != EINTR)
		return -errno;
	loop->stats.turns++;
	loop->now = mono_now();
	loop->batch_at = 0;
	loop->batch_count = n < 0 ? 0 : n;
	deliver_batch(loop);
	run_timers(loop);
	run_work(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	int err = 0;

	while (!err && !loop->stopping)
		err = loop_turn(loop, -1);
	loop->stopping = false;
	return err;
}
