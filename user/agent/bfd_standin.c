// SPDX-License-Identifier: GPL-2.0-only
/*
 * The second thread of the BFD engine. Called by bfd_engine.c; bfd_standin.h says what for. Knows nothing
 * of sessions: what is due and what goes out are two callbacks.
 */
#include "agent/bfd_standin.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/sockaddr.h"
#include "agent/thread.h"

#define STACK_SIZE (256u << 10) /* all of it is locked in memory */

struct bfd_standin {
	bfd_standin_due_fn due;
	bfd_standin_take_fn take;
	pthread_t thread;
	bool running;
	pthread_mutex_t sending; /* taken before `lock`: a packet is on its way */
	pthread_mutex_t lock;    /* sessions, and what follows */
	pthread_cond_t sooner;
	struct mono until; /* what it waits for; unset: for anything */
	bool stop;
};

int bfd_departure_send(const struct bfd_departure *departure)
{
	struct sockaddr_storage sa;
	socklen_t len = sockaddr_from_ip(&departure->to, departure->port, departure->device, &sa);

	return sendto(departure->fd, departure->octets, departure->len, MSG_DONTWAIT,
		      (struct sockaddr *)&sa, len) < 0
		       ? errno
		       : 0;
}

/* --- the thread ------------------------------------------------------------------------------------ */

/* Under the lock, which is not held while it sleeps. */
static void sleep_until(struct bfd_standin *standin, struct mono when)
{
	const struct timespec at = { .tv_sec = (time_t)(when.usec / 1000000),
				     .tv_nsec = (long)(when.usec % 1000000) * 1000 };

	standin->until = when;
	if (mono_is_set(when))
		pthread_cond_timedwait(&standin->sooner, &standin->lock, &at);
	else
		pthread_cond_wait(&standin->sooner, &standin->lock);
}

/* Returns when something is overdue. False: it is to end. */
static bool await(struct bfd_standin *standin)
{
	bool stop;

	pthread_mutex_lock(&standin->lock);
	while (!standin->stop) {
		struct mono due = standin->due();

		if (mono_is_set(due) && !mono_before(mono_now(), due))
			break;
		sleep_until(standin, due);
	}
	stop = standin->stop;
	pthread_mutex_unlock(&standin->lock);
	return !stop;
}

static void *run(void *arg)
{
	struct bfd_standin *standin = arg;
	struct bfd_departure departure;

	prctl(PR_SET_NAME, "xrsd-bfd-2");
	while (await(standin)) {
		bool any;

		bfd_standin_lock_all(standin);
		any = standin->take(mono_now(), &departure);
		bfd_standin_unlock(standin);
		if (any)
			bfd_departure_send(
				&departure); /* errors are for the first thread to tell */
		pthread_mutex_unlock(&standin->sending);
	}
	return NULL;
}

/* --- life -------------------------------------------------------------------------------------------- */

/* The processors that this thread may use, each second one into @ret[1]. False: there is only one. */
static bool halve(cpu_set_t ret[static 2])
{
	unsigned int n = 0;
	cpu_set_t all;

	CPU_ZERO(&ret[0]);
	CPU_ZERO(&ret[1]);
	if (sched_getaffinity(0, sizeof(all), &all) < 0)
		return false;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &ret[n++ % 2]);
	}
	return n > 1;
}

static int start(struct bfd_standin *standin)
{
	pthread_attr_t attr;
	cpu_set_t half[2];
	int error;

	if (!halve(half))
		return -ENOTSUP;
	if (sched_setaffinity(0, sizeof(half[0]), &half[0]) < 0)
		return -errno;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setaffinity_np(&attr, sizeof(half[1]), &half[1]);
	error = thread_start(&standin->thread, &attr, run, standin);
	pthread_attr_destroy(&attr);
	standin->running = !error;
	return error;
}

struct bfd_standin *bfd_standin_new(bfd_standin_due_fn due, bfd_standin_take_fn take,
				    int *ret_error)
{
	struct bfd_standin *standin = calloc(1, sizeof(*standin));
	pthread_condattr_t attr;

	if (!standin)
		return NULL;
	standin->due = due;
	standin->take = take;
	pthread_mutex_init(&standin->sending, NULL);
	pthread_mutex_init(&standin->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&standin->sooner, &attr);
	pthread_condattr_destroy(&attr);
	*ret_error = start(standin);
	return standin;
}

void bfd_standin_free(struct bfd_standin *standin)
{
	if (!standin)
		return;
	if (standin->running) {
		pthread_mutex_lock(&standin->lock);
		standin->stop = true;
		pthread_cond_signal(&standin->sooner);
		pthread_mutex_unlock(&standin->lock);
		pthread_join(standin->thread, NULL);
	}
	pthread_cond_destroy(&standin->sooner);
	pthread_mutex_destroy(&standin->lock);
	pthread_mutex_destroy(&standin->sending);
	free(standin);
}

/* --- the locks ------------------------------------------------------------------------------------------ */

void bfd_standin_lock(struct bfd_standin *standin)
{
	pthread_mutex_lock(&standin->lock);
}

void bfd_standin_unlock(struct bfd_standin *standin)
{
	pthread_mutex_unlock(&standin->lock);
}

void bfd_standin_lock_all(struct bfd_standin *standin)
{
	pthread_mutex_lock(&standin->sending);
	pthread_mutex_lock(&standin->lock);
}

void bfd_standin_unlock_all(struct bfd_standin *standin)
{
	pthread_mutex_unlock(&standin->lock);
	pthread_mutex_unlock(&standin->sending);
}

void bfd_standin_look(struct bfd_standin *standin)
{
	struct mono due = standin->due();

	if (!standin->running || !mono_is_set(due))
		return;
	if (!mono_is_set(standin->until) || mono_before(due, standin->until))
		pthread_cond_signal(&standin->sooner);
}
