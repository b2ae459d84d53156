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

/* Events of one epoll, collected and not yet delivered from `at` on. */
struct batch {
	struct epoll_event events[LOOP_BATCH];
	int at, count;
};

struct loop {
	int epoll_fd;
	struct mono now;
	bool stopping;
	struct heap timers;
	struct loop_stats stats;

	struct batch batch;
	/* Urgent descriptors have an epoll of their own, which the other one watches. */
	struct batch urgent_batch;
	struct loop_io urgent_io;
	struct mono urgent_at; /* they were looked at last */

	struct loop_work *work_first, *work_last;
	struct loop_work *work_running; /* NULL again when it is removed by its own slice */

	struct loop_io signal_io;
	sigset_t signals, old_mask;
	struct signal_handler handlers[SIGNAL_LIMIT];
};

static void on_signal_readable(struct loop_io *io, uint32_t events);
static void on_urgent(struct loop_io *io, uint32_t events);
static void run_timers(struct loop *loop);

static void close_epolls(const struct loop *loop)
{
	if (loop->urgent_io.fd >= 0)
		close(loop->urgent_io.fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
}

static bool open_epolls(struct loop *loop)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->urgent_io = (struct loop_io){
		.fd = epoll_create1(EPOLL_CLOEXEC),
		.fn = on_urgent,
		.ctx = loop,
	};
	return loop->epoll_fd >= 0 && loop->urgent_io.fd >= 0 &&
	       loop_io_add(loop, &loop->urgent_io, EPOLLIN) == 0;
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	if (!open_epolls(loop)) {
		close_epolls(loop);
		free(loop);
		return NULL;
	}
	heap_init(&loop->timers);
	sigemptyset(&loop->signals);
	sigprocmask(SIG_SETMASK, NULL, &loop->old_mask);
	loop->signal_io =
		(struct loop_io){ .fd = -1, .fn = on_signal_readable, .ctx = loop, .urgent = true };
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
	close_epolls(loop);
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
	int epoll_fd = io->urgent ? loop->urgent_io.fd : loop->epoll_fd;

	return epoll_ctl(epoll_fd, op, io->fd, &event) < 0 ? -errno : 0;
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

static void forget_events(struct batch *batch, const struct loop_io *io)
{
	for (int i = batch->at; i < batch->count; i++) {
		if (batch->events[i].data.ptr == io)
			batch->events[i].data.ptr = NULL;
	}
}

void loop_io_del(struct loop *loop, struct loop_io *io)
{
	if (!io->added)
		return;
	control(loop, EPOLL_CTL_DEL, io, 0);
	io->added = false;
	/* Events that were collected for it before must not reach what may be freed memory. */
	forget_events(&loop->batch, io);
	forget_events(&loop->urgent_batch, io);
}

static int collect(int epoll_fd, struct batch *batch, int wait_msec)
{
	int n = epoll_wait(epoll_fd, batch->events, LOOP_BATCH, wait_msec);

	batch->at = 0;
	batch->count = n < 0 ? 0 : n;
	return n < 0 && errno != EINTR ? -errno : 0;
}

/* The next one that still has something to be told; NULL: none. */
static struct loop_io *next_event(struct batch *batch, uint32_t *ret_events)
{
	while (batch->at < batch->count) {
		const struct epoll_event *event = &batch->events[batch->at++];
		struct loop_io *io = event->data.ptr;

		if (!io)
			continue;
		/* It may have been changed since the event was collected. */
		*ret_events = event->events & (io->events | EPOLLERR | EPOLLHUP);
		if (*ret_events)
			return io;
	}
	batch->at = batch->count = 0;
	return NULL;
}

static void deliver_urgent(struct loop *loop)
{
	struct loop_io *io;
	uint32_t events;

	loop->urgent_at = loop->now;
	if (collect(loop->urgent_io.fd, &loop->urgent_batch, 0) < 0)
		return;
	while (!loop->stopping && (io = next_event(&loop->urgent_batch, &events))) {
		io->fn(io, events);
		account(loop);
	}
}

static void on_urgent(struct loop_io *io, uint32_t events)
{
	deliver_urgent(io->ctx);
}

static void deliver_batch(struct loop *loop)
{
	struct loop_io *io;
	uint32_t events;

	while (!loop->stopping && (io = next_event(&loop->batch, &events))) {
		io->fn(io, events);
		account(loop);
		if (mono_since_usec(loop->now, loop->urgent_at) < LOOP_URGENT_USEC)
			continue;
		run_timers(loop);
		deliver_urgent(loop);
	}
	loop->batch.at = loop->batch.count = 0;
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
	int err = collect(loop->epoll_fd, &loop->batch, wait_time(loop, wait_msec));

	if (err < 0)
		return err;
	loop->stats.turns++;
	loop->now = loop->urgent_at = mono_now();
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
