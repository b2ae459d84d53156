// SPDX-License-Identifier: GPL-2.0-only
/* The event loop: what is delivered, in which turn, and what never is. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/loop.h"

static struct loop *loop;

static void setup(void)
{
	loop = loop_new();
	cr_assert_not_null(loop);
}

static void teardown(void)
{
	loop_free(loop);
}

TestSuite(loop, .init = setup, .fini = teardown, .timeout = 30);

struct pipe_watch {
	struct loop_io io;
	int write_fd;
	unsigned int calls;
	uint32_t events;
	struct pipe_watch *other; /* what the callback acts on */
};

static void watch_count(struct loop_io *io, uint32_t events)
{
	struct pipe_watch *watch = io->ctx;

	watch->calls++;
	watch->events = events;
}

static void watch_open(struct pipe_watch *watch, void (*fn)(struct loop_io *, uint32_t))
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	*watch = (struct pipe_watch){
		.io = { .fd = fds[0], .fn = fn, .ctx = watch },
		.write_fd = fds[1],
	};
	cr_assert_eq(loop_io_add(loop, &watch->io, EPOLLIN), 0);
}

static void watch_close(struct pipe_watch *watch)
{
	loop_io_del(loop, &watch->io);
	close(watch->io.fd);
	close(watch->write_fd);
}

static void make_readable(struct pipe_watch *watch)
{
	cr_assert_eq(write(watch->write_fd, "x", 1), 1);
}

Test(loop, free_of_nothing)
{
	loop_free(NULL);
}

Test(loop, descriptors_are_close_on_exec)
{
	for (int fd = 3; fd < 64; fd++) {
		char path[64], target[64];
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = readlink(path, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		if (!strcmp(target, "anon_inode:[eventpoll]") ||
		    !strcmp(target, "anon_inode:[signalfd]"))
			cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC, "%s", target);
	}
}

Test(loop, readable_descriptor_is_delivered)
{
	struct pipe_watch w;

	watch_open(&w, watch_count);
	cr_assert_eq(loop_turn(loop, 0), 0);
	cr_assert_eq(w.calls, 0);
	make_readable(&w);
	loop_turn(loop, 1000);
	cr_assert_eq(w.calls, 1);
	cr_assert_eq(w.events, EPOLLIN);
	loop_turn(loop, 1000);
	cr_assert_eq(w.calls, 2, "level-triggered: nobody has read it");
	watch_close(&w);
}

Test(loop, hang_up_is_delivered)
{
	struct pipe_watch w;

	watch_open(&w, watch_count);
	close(w.write_fd);
	loop_turn(loop, 1000);
	cr_assert_eq(w.events, EPOLLHUP);
	w.write_fd = -1;
	watch_close(&w);
}

Test(loop, add_twice_and_mod_before_add_are_refused)
{
	struct pipe_watch w;
	struct loop_io stray = { .fd = 0 };

	watch_open(&w, watch_count);
	cr_assert_eq(loop_io_add(loop, &w.io, EPOLLIN), -EEXIST);
	cr_assert_eq(loop_io_mod(loop, &stray, EPOLLIN), -ENOENT);
	loop_io_del(loop, &stray);
	watch_close(&w);
	cr_assert_eq(loop_io_add(loop, &w.io, EPOLLIN), -EBADF);
	cr_assert_not(w.io.added);
}

Test(loop, mod_changes_what_is_waited_for)
{
	struct pipe_watch w;

	watch_open(&w, watch_count);
	make_readable(&w);
	cr_assert_eq(loop_io_mod(loop, &w.io, 0), 0);
	loop_turn(loop, 0);
	cr_assert_eq(w.calls, 0);
	cr_assert_eq(loop_io_mod(loop, &w.io, EPOLLIN), 0);
	loop_turn(loop, 0);
	cr_assert_eq(w.calls, 1);
	watch_close(&w);
}

static void remove_other(struct loop_io *io, uint32_t events)
{
	struct pipe_watch *watch = io->ctx;

	watch->calls++;
	watch_close(watch->other);
}

/* Both are in the same batch, each removes the other: only the first may be called. */
Test(loop, removed_in_the_same_batch_is_not_called)
{
	struct pipe_watch a, b;

	watch_open(&a, remove_other);
	watch_open(&b, remove_other);
	a.other = &b;
	b.other = &a;
	make_readable(&a);
	make_readable(&b);
	loop_turn(loop, 1000);
	cr_assert_eq(a.calls + b.calls, 1);
	watch_close(a.calls ? &a : &b);
}

static struct pipe_watch *survivor;

static void free_other(struct loop_io *io, uint32_t events)
{
	struct pipe_watch *watch = io->ctx;

	watch_close(watch->other);
	free(watch->other);
	survivor = watch;
}

/* The same with memory that is gone: ASan would see the stale call. */
Test(loop, freed_in_the_same_batch_is_not_touched)
{
	struct pipe_watch *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));

	watch_open(a, free_other);
	watch_open(b, free_other);
	a->other = b;
	b->other = a;
	make_readable(a);
	make_readable(b);
	cr_assert_eq(loop_turn(loop, 1000), 0);
	cr_assert_eq(loop_stats(loop).callbacks, 1);
	watch_close(survivor);
	free(survivor);
}

static struct pipe_watch *reopened;

static void replace_other(struct loop_io *io, uint32_t events)
{
	struct pipe_watch *watch = io->ctx;
	struct pipe_watch *other = watch->other;
	int old_fd = other->io.fd;

	watch->calls++;
	watch_close(other);
	watch_open(reopened, watch_count);
	cr_assert_eq(reopened->io.fd, old_fd, "the kernel gives the lowest free number");
	watch->other = NULL;
	loop_io_del(loop, io);
}

/* A new descriptor with the old number does not get the old one's events. */
Test(loop, reused_number_gets_no_stale_event)
{
	struct pipe_watch a, b, fresh;

	reopened = &fresh;
	watch_open(&a, replace_other);
	watch_open(&b, replace_other);
	a.other = &b;
	b.other = &a;
	make_readable(&a);
	make_readable(&b);
	loop_turn(loop, 1000);
	loop_turn(loop, 0);
	cr_assert_eq(a.calls + b.calls, 1);
	cr_assert_eq(fresh.calls, 0);
	watch_close(&fresh);
}

static void silence_other(struct loop_io *io, uint32_t events)
{
	struct pipe_watch *watch = io->ctx;

	watch->calls++;
	loop_io_mod(loop, &watch->other->io, EPOLLOUT);
}

Test(loop, events_no_longer_wanted_are_not_delivered)
{
	struct pipe_watch a, b;

	watch_open(&a, silence_other);
	watch_open(&b, silence_other);
	a.other = &b;
	b.other = &a;
	make_readable(&a);
	make_readable(&b);
	loop_turn(loop, 1000);
	cr_assert_eq(a.calls + b.calls, 1);
	watch_close(&a);
	watch_close(&b);
}

/* --- urgent descriptors --- */

static unsigned int calls_of_the_busy, busy_before_urgent;

/* Longer than an urgent descriptor waits for. The first call gives it something to wait for. */
static void busy(struct loop_io *io, uint32_t events)
{
	struct pipe_watch *watch = io->ctx;
	struct mono end = mono_add_usec(mono_now(), LOOP_URGENT_USEC + 1);

	if (!calls_of_the_busy++)
		make_readable(watch->other);
	while (mono_before(mono_now(), end))
		;
}

static void urgent_call(struct loop_io *io, uint32_t events)
{
	busy_before_urgent = calls_of_the_busy;
	watch_count(io, events);
}

Test(loop, urgent_waits_for_one_callback_only)
{
	struct pipe_watch urgent, ordinary[20];

	watch_open(&urgent, urgent_call);
	loop_io_del(loop, &urgent.io);
	urgent.io.urgent = true;
	cr_assert_eq(loop_io_add(loop, &urgent.io, EPOLLIN), 0);
	for (unsigned int i = 0; i < 20; i++) {
		watch_open(&ordinary[i], busy);
		ordinary[i].other = &urgent;
		make_readable(&ordinary[i]);
	}
	cr_assert_eq(loop_turn(loop, 0), 0);
	cr_assert_eq(calls_of_the_busy, 20);
	cr_assert_eq(busy_before_urgent, 20, "it is called again as long as nobody reads");
	cr_assert_geq(urgent.calls, 20u, "between all of them");
	for (unsigned int i = 0; i < 20; i++)
		watch_close(&ordinary[i]);
	watch_close(&urgent);
}

static struct loop_timer urgent_timer;
static unsigned int busy_before_timer;

static void note_timer(struct loop_timer *timer)
{
	busy_before_timer = calls_of_the_busy;
}

static void busy_and_timer(struct loop_io *io, uint32_t events)
{
	if (!calls_of_the_busy)
		loop_timer_set(loop, &urgent_timer, mono_now());
	busy(io, events);
}

Test(loop, timers_do_not_wait_for_all_descriptors)
{
	struct pipe_watch ignored, ordinary[5];

	urgent_timer.fn = note_timer;
	watch_open(&ignored, watch_count);
	for (unsigned int i = 0; i < 5; i++) {
		watch_open(&ordinary[i], busy_and_timer);
		ordinary[i].other = &ignored;
		make_readable(&ordinary[i]);
	}
	cr_assert_eq(loop_turn(loop, 0), 0);
	cr_assert_eq(calls_of_the_busy, 5);
	cr_assert_eq(busy_before_timer, 1);
	for (unsigned int i = 0; i < 5; i++)
		watch_close(&ordinary[i]);
	watch_close(&ignored);
}

Test(loop, urgent_is_waited_for_and_removed_like_any)
{
	struct pipe_watch urgent;

	watch_open(&urgent, watch_count);
	loop_io_del(loop, &urgent.io);
	urgent.io.urgent = true;
	cr_assert_eq(loop_io_add(loop, &urgent.io, EPOLLIN), 0);
	make_readable(&urgent);
	cr_assert_eq(loop_turn(loop, 10000), 0);
	cr_assert_eq(urgent.calls, 1);
	loop_io_del(loop, &urgent.io);
	cr_assert_eq(loop_turn(loop, 0), 0);
	cr_assert_eq(urgent.calls, 1);
	watch_close(&urgent);
}

Test(loop, more_descriptors_than_one_batch)
{
	enum {
		COUNT = 150
	};
	static struct pipe_watch watches[COUNT];
	unsigned int total = 0;

	for (int i = 0; i < COUNT; i++) {
		watch_open(&watches[i], watch_count);
		make_readable(&watches[i]);
	}
	for (int turn = 0; turn < 3; turn++)
		loop_turn(loop, 0);
	for (int i = 0; i < COUNT; i++) {
		total += watches[i].calls > 0;
		watch_close(&watches[i]);
	}
	cr_assert_eq(total, COUNT, "level-triggered epoll goes round");
}

/* --- timers ------------------------------------------------------------------------------ */

struct clock_watch {
	struct loop_timer timer;
	unsigned int calls;
	struct mono when;
	struct loop_timer *other;
	uint64_t again_msec;
};

static void on_timer(struct loop_timer *timer)
{
	struct clock_watch *watch = timer->ctx;

	watch->calls++;
	watch->when = loop_now(loop);
	if (watch->other)
		loop_timer_stop(loop, watch->other);
	if (watch->again_msec)
		loop_timer_set(loop, timer, mono_add_msec(loop_now(loop), watch->again_msec));
}

static void set_in_msec(struct clock_watch *watch, uint64_t msec)
{
	watch->timer.fn = on_timer;
	watch->timer.ctx = watch;
	cr_assert_eq(loop_timer_set(loop, &watch->timer, mono_add_msec(loop_now(loop), msec)), 0);
}

Test(loop, timer_comes_once_and_never_early)
{
	struct clock_watch w = { 0 };
	struct mono due = mono_add_msec(loop_now(loop), 20);

	set_in_msec(&w, 20);
	cr_assert(loop_timer_is_set(&w.timer));
	while (!w.calls)
		cr_assert_eq(loop_turn(loop, -1), 0);
	cr_assert_not(mono_before(w.when, due));
	cr_assert_not(loop_timer_is_set(&w.timer));
	loop_turn(loop, 30);
	cr_assert_eq(w.calls, 1);
}

Test(loop, timers_come_in_order_whatever_the_order_of_setting)
{
	struct clock_watch w[3] = { 0 };

	set_in_msec(&w[0], 9);
	set_in_msec(&w[1], 3);
	set_in_msec(&w[2], 6);
	while (!w[0].calls)
		loop_turn(loop, -1);
	cr_assert_not(mono_before(w[2].when, w[1].when));
	cr_assert_not(mono_before(w[0].when, w[2].when));
	cr_assert_eq(w[1].calls + w[2].calls, 2);
}

Test(loop, timer_in_the_past_is_due_at_once)
{
	struct clock_watch w = { .timer = { .fn = on_timer } };

	w.timer.ctx = &w;
	loop_timer_set(loop, &w.timer, (struct mono){ .usec = 1 });
	loop_turn(loop, -1);
	cr_assert_eq(w.calls, 1);
}

Test(loop, never_stops_a_timer)
{
	struct clock_watch w = { 0 };

	set_in_msec(&w, 1);
	loop_timer_set(loop, &w.timer, (struct mono){ 0 });
	cr_assert_not(loop_timer_is_set(&w.timer));
	loop_turn(loop, 10);
	cr_assert_eq(w.calls, 0);
	loop_timer_stop(loop, &w.timer);
}

Test(loop, stopped_by_a_timer_of_the_same_turn)
{
	struct clock_watch first = { 0 }, second = { 0 };

	set_in_msec(&first, 1);
	set_in_msec(&second, 2);
	first.other = &second.timer;
	usleep(5000);
	loop_turn(loop, 0);
	loop_turn(loop, 5);
	cr_assert_eq(first.calls, 1);
	cr_assert_eq(second.calls, 0);
}

static void set_to_the_past(struct loop_timer *timer)
{
	struct clock_watch *watch = timer->ctx;

	watch->calls++;
	loop_timer_set(loop, timer, (struct mono){ .usec = 1 });
}

Test(loop, timer_that_is_always_due_does_not_starve_the_rest)
{
	struct clock_watch greedy = { .timer = { .fn = set_to_the_past } };
	struct pipe_watch w;

	greedy.timer.ctx = &greedy;
	watch_open(&w, watch_count);
	make_readable(&w);
	loop_timer_set(loop, &greedy.timer, (struct mono){ .usec = 1 });
	for (int turn = 1; turn <= 5; turn++) {
		loop_turn(loop, -1);
		cr_assert_eq(greedy.calls, turn);
		cr_assert_eq(w.calls, turn);
	}
	loop_timer_stop(loop, &greedy.timer);
	watch_close(&w);
}

Test(loop, timer_sets_itself_again)
{
	struct clock_watch w = { .again_msec = 1 };

	set_in_msec(&w, 1);
	while (w.calls < 5)
		loop_turn(loop, -1);
	loop_timer_stop(loop, &w.timer);
}

Test(loop, wait_is_bounded_by_the_caller)
{
	struct clock_watch w = { 0 };

	set_in_msec(&w, 3600000);
	cr_assert_eq(loop_turn(loop, 1), 0);
	cr_assert_eq(w.calls, 0);
	loop_timer_stop(loop, &w.timer);
}

/* --- running and stopping ----------------------------------------------------------------- */

static void stop_now(struct loop_timer *timer)
{
	loop_stop(loop);
}

Test(loop, run_ends_after_stop_and_can_run_again)
{
	struct clock_watch w = { 0 };
	struct loop_timer stop = { .fn = stop_now };

	loop_timer_set(loop, &stop, mono_add_msec(loop_now(loop), 1));
	cr_assert_eq(loop_run(loop), 0);
	set_in_msec(&w, 1);
	loop_timer_set(loop, &stop, mono_add_msec(loop_now(loop), 5));
	cr_assert_eq(loop_run(loop), 0);
	cr_assert_eq(w.calls, 1);
}

Test(loop, stop_before_run)
{
	loop_stop(loop);
	cr_assert_eq(loop_run(loop), 0);
}

Test(loop, nothing_is_called_after_stop)
{
	struct loop_timer stop = { .fn = stop_now };
	struct clock_watch w = { 0 };

	loop_timer_set(loop, &stop, (struct mono){ .usec = 1 });
	set_in_msec(&w, 0);
	loop_run(loop);
	cr_assert_eq(w.calls, 0);
	loop_timer_stop(loop, &w.timer);
}

/* --- signals ----------------------------------------------------------------------------- */

struct signal_seen {
	int signo;
	unsigned int calls;
};

static void on_signal(int signo, void *ctx)
{
	struct signal_seen *seen = ctx;

	seen->signo = signo;
	seen->calls++;
}

Test(loop, signal_comes_from_the_loop)
{
	struct signal_seen hup = { 0 }, usr1 = { 0 };

	cr_assert_eq(loop_on_signal(loop, SIGHUP, on_signal, &hup), 0);
	cr_assert_eq(loop_on_signal(loop, SIGUSR1, on_signal, &usr1), 0);
	raise(SIGHUP);
	raise(SIGUSR1);
	cr_assert_eq(hup.calls, 0, "only the loop delivers");
	loop_turn(loop, 1000);
	cr_assert_eq(hup.calls, 1);
	cr_assert_eq(hup.signo, SIGHUP);
	cr_assert_eq(usr1.calls, 1);
	raise(SIGHUP);
	loop_turn(loop, 1000);
	cr_assert_eq(hup.calls, 2);
}

Test(loop, signal_errors)
{
	struct signal_seen seen = { 0 };

	cr_assert_eq(loop_on_signal(loop, 0, on_signal, &seen), -EINVAL);
	cr_assert_eq(loop_on_signal(loop, -1, on_signal, &seen), -EINVAL);
	cr_assert_eq(loop_on_signal(loop, 65, on_signal, &seen), -EINVAL);
	cr_assert_eq(loop_on_signal(loop, SIGHUP, on_signal, &seen), 0);
	cr_assert_eq(loop_on_signal(loop, SIGHUP, on_signal, &seen), -EEXIST);
}

Test(loop, free_gives_the_signal_mask_back)
{
	struct signal_seen seen = { 0 };
	sigset_t mask;

	loop_on_signal(loop, SIGUSR2, on_signal, &seen);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	cr_assert(sigismember(&mask, SIGUSR2));
	loop_free(loop);
	loop = NULL;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	cr_assert_not(sigismember(&mask, SIGUSR2));
}

/* --- work in slices ---------------------------------------------------------------------- */

struct slices {
	struct loop_work work;
	unsigned int left, done;
	bool add_again, del;
};

static bool do_slice(struct loop_work *work)
{
	struct slices *s = work->ctx;

	s->done++;
	if (s->add_again) {
		s->add_again = false;
		loop_work_add(loop, work);
		return false;
	}
	if (s->del)
		loop_work_del(loop, work);
	return s->left && --s->left;
}

static struct slices slices(unsigned int left)
{
	return (struct slices){ .work = { .fn = do_slice }, .left = left };
}

Test(loop, work_gets_one_slice_a_turn)
{
	struct slices s = slices(3);

	s.work.ctx = &s;
	loop_work_add(loop, &s.work);
	loop_work_add(loop, &s.work);
	for (unsigned int turn = 1; turn <= 3; turn++) {
		loop_turn(loop, -1);
		cr_assert_eq(s.done, turn);
	}
	cr_assert_not(s.work.queued);
	loop_turn(loop, 0);
	cr_assert_eq(s.done, 3);
}

Test(loop, works_take_turns)
{
	struct slices a = slices(100), b = slices(100);

	a.work.ctx = &a;
	b.work.ctx = &b;
	loop_work_add(loop, &a.work);
	loop_work_add(loop, &b.work);
	for (int turn = 0; turn < 10; turn++)
		loop_turn(loop, 0);
	cr_assert_eq(a.done, 5);
	cr_assert_eq(b.done, 5);
	loop_work_del(loop, &a.work);
	loop_work_del(loop, &a.work);
	loop_turn(loop, 0);
	cr_assert_eq(a.done, 5);
	cr_assert_eq(b.done, 6);
	loop_work_del(loop, &b.work);
}

Test(loop, descriptors_and_timers_go_on_during_long_work)
{
	struct slices s = slices(1000000);
	struct clock_watch timer = { .again_msec = 1 };
	struct pipe_watch w;

	s.work.ctx = &s;
	watch_open(&w, watch_count);
	make_readable(&w);
	set_in_msec(&timer, 1);
	loop_work_add(loop, &s.work);
	while (timer.calls < 3)
		loop_turn(loop, -1);
	cr_assert_geq(w.calls, s.done, "descriptors come before each slice");
	cr_assert_gt(s.done, 0);
	loop_work_del(loop, &s.work);
	loop_timer_stop(loop, &timer.timer);
	watch_close(&w);
}

/* New input that arrives in the last slice must not be forgotten. */
Test(loop, work_added_from_its_own_last_slice_stays)
{
	struct slices s = slices(1);

	s.work.ctx = &s;
	s.add_again = true;
	loop_work_add(loop, &s.work);
	loop_turn(loop, 0);
	cr_assert(s.work.queued);
	loop_turn(loop, 0);
	cr_assert_eq(s.done, 2);
	cr_assert_not(s.work.queued);
}

Test(loop, work_removed_by_its_own_slice_stays_away)
{
	struct slices s = slices(100);

	s.work.ctx = &s;
	s.del = true;
	loop_work_add(loop, &s.work);
	loop_turn(loop, 0);
	loop_turn(loop, 0);
	cr_assert_eq(s.done, 1);
	cr_assert_not(s.work.queued);
}

static bool free_itself(struct loop_work *work)
{
	loop_work_del(loop, work);
	free(work);
	return true;
}

Test(loop, work_may_free_itself_once_removed)
{
	struct loop_work *work = calloc(1, sizeof(*work));

	work->fn = free_itself;
	loop_work_add(loop, work);
	cr_assert_eq(loop_turn(loop, 0), 0);
	cr_assert_eq(loop_turn(loop, 0), 0);
}

/* --- time and figures -------------------------------------------------------------------- */

static void be_slow(struct loop_timer *timer)
{
	struct mono before = loop_now(loop);

	usleep(20000);
	cr_assert_eq(loop_now(loop).usec, before.usec, "constant within a callback");
}

Test(loop, stall_is_the_longest_callback)
{
	struct loop_timer slow = { .fn = be_slow };
	struct clock_watch next = { 0 };
	struct mono before = mono_now();

	loop_timer_set(loop, &slow, (struct mono){ .usec = 1 });
	set_in_msec(&next, 0);
	usleep(1000);
	loop_turn(loop, 0);
	cr_assert_geq(loop_stats(loop).stall_max_usec, 20000);
	cr_assert_eq(loop_stats(loop).callbacks, 2);
	cr_assert_eq(loop_stats(loop).turns, 1);
	cr_assert_geq(mono_since_usec(next.when, before), 20000, "read again for the next one");
}

static void do_nothing(int signo)
{
}

Test(loop, interrupted_wait_is_not_an_error)
{
	struct sigaction action = { .sa_handler = do_nothing };
	struct clock_watch w = { 0 };

	sigaction(SIGALRM, &action, NULL);
	ualarm(2000, 0);
	set_in_msec(&w, 20);
	while (!w.calls)
		cr_assert_eq(loop_turn(loop, -1), 0);
}
