// SPDX-License-Identifier: GPL-2.0-only
/* The thread that attaches: order, answers, and that the loop goes on meanwhile. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/attacher.h"
#include "agent/loop.h"

#define JOBS 50

static struct loop *loop;
static struct attacher *attacher;
static atomic_int gate; /* jobs that may be carried out; below 0: any number */
static uint64_t ran[2 * JOBS], done[2 * JOBS];
static atomic_uint n_ran;
static unsigned int n_done;
static bool submit_again;

static void pause_msec(long msec)
{
	struct timespec t = { .tv_nsec = msec * 1000000 };

	nanosleep(&t, NULL);
}

static void run(void *ctx, struct attacher_job *job)
{
	cr_assert(ctx == &gate);
	while (gate == 0)
		pause_msec(1);
	if (gate > 0)
		gate--;
	job->error = -(int)job->ifindex;
	ran[n_ran++] = job->ticket;
}

static void report(void *ctx, const struct attacher_job *job)
{
	struct attacher_job next = { .ticket = job->ticket + 1000 };

	cr_assert(job->error == -(int)job->ifindex && !strcmp(job->ifname, "vm"));
	done[n_done++] = job->ticket;
	if (!submit_again || job->ticket >= 1000)
		return;
	strcpy(next.ifname, "vm");
	cr_assert(attacher_submit(attacher, &next) == 0);
}

static void setup(void)
{
	loop = loop_new();
	cr_assert(loop && attacher_new(loop, run, report, &gate, &attacher) == 0);
	gate = -1;
}

static void teardown(void)
{
	attacher_free(attacher);
	loop_free(loop);
}

TestSuite(attacher, .init = setup, .fini = teardown, .timeout = 60);

static void submit(uint64_t ticket, bool attach)
{
	struct attacher_job job = {
		.attach = attach, .ifname = "vm", .ifindex = (uint32_t)ticket + 2, .ticket = ticket
	};

	cr_assert(attacher_submit(attacher, &job) == 0);
	job.ticket = 0; /* it was copied */
}

static void turn_until(unsigned int n)
{
	while (n_done < n)
		loop_turn(loop, 1000);
}

Test(attacher, jobs_come_back_in_their_order)
{
	for (uint64_t i = 0; i < JOBS; i++)
		submit(i, i % 3);
	cr_assert(n_done == 0, "never from attacher_submit()");
	turn_until(JOBS);
	for (uint64_t i = 0; i < JOBS; i++)
		cr_assert(ran[i] == i && done[i] == i);
	cr_assert(attacher_waiting(attacher) == 0);
}

Test(attacher, an_answer_may_ask_for_more)
{
	submit_again = true;
	for (uint64_t i = 0; i < JOBS; i++)
		submit(i, true);
	turn_until(2 * JOBS);
	cr_assert(attacher_waiting(attacher) == 0);
}

static void tick(struct loop_timer *timer)
{
	++*(int *)timer->ctx;
}

Test(attacher, the_loop_does_not_wait)
{
	int ticks = 0;
	struct loop_timer timer = { .fn = tick, .ctx = &ticks };

	gate = 0;
	submit(1, true);
	submit(2, true);
	for (int i = 1; i <= 5; i++) {
		loop_timer_set(loop, &timer, loop_now(loop));
		while (ticks < i)
			loop_turn(loop, 10);
	}
	cr_assert(n_done == 0 && attacher_waiting(attacher) == 2);
	gate = 1;
	turn_until(1);
	cr_assert(attacher_waiting(attacher) == 1);
	gate = 1;
	turn_until(2);
	loop_timer_stop(loop, &timer);
}

static void *open_gate_late(void *arg)
{
	sleep(1);
	gate = -1;
	return arg;
}

Test(attacher, at_the_end_only_detaching_goes_on)
{
	unsigned int attached = 0;
	pthread_t opener;

	gate = 0;
	submit(0, false); /* under way */
	for (uint64_t i = 1; i < JOBS; i++)
		submit(i, i % 2);
	cr_assert(pthread_create(&opener, NULL, open_gate_late, NULL) == 0);
	attacher_free(attacher);
	attacher = NULL;
	pthread_join(opener, NULL);
	cr_assert(n_done == 0, "nothing is reported to a loop that ends");
	for (unsigned int i = 0; i < n_ran; i++)
		attached += ran[i] % 2;
	cr_assert(attached == 0 && n_ran == JOBS / 2);
	for (uint64_t i = 0; i < n_ran; i++)
		cr_assert(ran[i] == 2 * i);
}
