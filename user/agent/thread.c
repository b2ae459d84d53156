// SPDX-License-Identifier: GPL-2.0-only
/* Called by fib_writer.c, attacher.c and bfd_standin.c. */
#include "agent/thread.h"

#include <signal.h>

int thread_start(pthread_t *ret_thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	error = pthread_create(ret_thread, attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -error;
}
