/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads beside the loop: the one way in which they begin. */
#ifndef XRS_AGENT_THREAD_H
#define XRS_AGENT_THREAD_H

#include <pthread.h>

/*
 * Starts @run without signals, which are the loop's. It has the rights that the process has now, not those of
 * its start. @attr may be NULL. 0 or negative errno.
 */
int thread_start(pthread_t *ret_thread, const pthread_attr_t *attr, void *(*run)(void *),
		 void *arg);

#endif
