// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread that attaches; attacher.h says what for. Called by node_nic.c alone. The two lists are all that the
 * threads share; a job belongs to whoever took it off its list. How many there are is bounded by the caller:
 * one to attach and one to detach for each nic.
 */
#include "agent/attacher.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/loop.h"
#include "agent/thread.h"

struct item {
	struct attacher_job job;
	struct item *next;
};

struct list {
	struct item *first, *last;
};

struct attacher {
	struct loop *loop;
	attacher_run_fn run;
	attacher_done_fn done_fn;
	void *ctx;
	struct loop_io io; /* eventfd: something is in `done` */
	size_t waiting;    /* the loop's */
	bool running;
	pthread_t thread;
	/* Below: under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t todo_came;
	struct list todo, done;
	bool stop;
};

static void push(struct list *list, struct item *item)
{
	item->next = NULL;
	if (list->last)
		list->last->next = item;
	else
		list->first = item;
	list->last = item;
}

static struct item *pop(struct list *list)
{
	struct item *item = list->first;

	if (!item)
		return NULL;
	list->first = item->next;
	if (!list->first)
		list->last = NULL;
	return item;
}

/* --- the second thread -------------------------------------------------------------------------- */

/* At the end what is attached stays, and what nobody wants goes. */
static void carry_out(struct attacher *attacher, struct item *item, bool stopping)
{
	if (!stopping || !item->job.attach)
		attacher->run(attacher->ctx, &item->job);
}

static void *run(void *arg)
{
	struct attacher *attacher = arg;

	pthread_mutex_lock(&attacher->lock);
	for (;;) {
		struct item *item = pop(&attacher->todo);
		bool stopping = attacher->stop;

		if (!item && stopping)
			break;
		if (!item) {
			pthread_cond_wait(&attacher->todo_came, &attacher->lock);
			continue;
		}
		pthread_mutex_unlock(&attacher->lock);
		carry_out(attacher, item, stopping);
		pthread_mutex_lock(&attacher->lock);
		push(&attacher->done, item);
		eventfd_write(attacher->io.fd, 1);
	}
	pthread_mutex_unlock(&attacher->lock);
	return NULL;
}

/* --- the loop's thread ---------------------------------------------------------------------------- */

static struct item *pop_done(struct attacher *attacher)
{
	struct item *item;

	pthread_mutex_lock(&attacher->lock);
	item = pop(&attacher->done);
	pthread_mutex_unlock(&attacher->lock);
	return item;
}

static void on_done(struct loop_io *io, uint32_t events)
{
	struct attacher *attacher = io->ctx;
	struct item *item;
	eventfd_t count;

	eventfd_read(io->fd, &count);
	while ((item = pop_done(attacher))) {
		attacher->waiting--;
		attacher->done_fn(attacher->ctx, &item->job);
		free(item);
	}
}

int attacher_new(struct loop *loop, attacher_run_fn run_fn, attacher_done_fn done, void *ctx,
		 struct attacher **ret_attacher)
{
	struct attacher *attacher = calloc(1, sizeof(*attacher));
	int err;

	if (!attacher)
		return -ENOMEM;
	attacher->loop = loop;
	attacher->run = run_fn;
	attacher->done_fn = done;
	attacher->ctx = ctx;
	pthread_mutex_init(&attacher->lock, NULL);
	pthread_cond_init(&attacher->todo_came, NULL);
	attacher->io = (struct loop_io){ .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
					 .fn = on_done,
					 .ctx = attacher };
	err = attacher->io.fd < 0 ? -errno : loop_io_add(loop, &attacher->io, EPOLLIN);
	if (err < 0) {
		attacher_free(attacher);
		return err;
	}
	*ret_attacher = attacher;
	return 0;
}

static bool start(struct attacher *attacher)
{
	if (!attacher->running)
		attacher->running = !thread_start(&attacher->thread, NULL, run, attacher);
	return attacher->running;
}

int attacher_submit(struct attacher *attacher, const struct attacher_job *job)
{
	struct item *item = calloc(1, sizeof(*item));

	if (!item)
		return -ENOMEM;
	item->job = *job;
	attacher->waiting++;
	if (!start(attacher)) {
		carry_out(attacher, item, false);
		push(&attacher->done, item);
		eventfd_write(attacher->io.fd, 1);
		return 0;
	}
	pthread_mutex_lock(&attacher->lock);
	push(&attacher->todo, item);
	pthread_cond_signal(&attacher->todo_came);
	pthread_mutex_unlock(&attacher->lock);
	return 0;
}

size_t attacher_waiting(const struct attacher *attacher)
{
	return attacher ? attacher->waiting : 0;
}

void attacher_free(struct attacher *attacher)
{
	struct item *item;

	if (!attacher)
		return;
	if (attacher->running) {
		pthread_mutex_lock(&attacher->lock);
		attacher->stop = true;
		pthread_cond_signal(&attacher->todo_came);
		pthread_mutex_unlock(&attacher->lock);
		pthread_join(attacher->thread, NULL);
	}
	while ((item = pop(&attacher->done)))
		free(item);
	loop_io_del(attacher->loop, &attacher->io);
	if (attacher->io.fd >= 0)
		close(attacher->io.fd);
	pthread_cond_destroy(&attacher->todo_came);
	pthread_mutex_destroy(&attacher->lock);
	free(attacher);
}
