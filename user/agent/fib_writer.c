// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread that writes routes and what is derived from them; fib_writer.h says what for. Called by node_fib.c alone. The queues are all
 * that the two threads share, besides what fib_maps locks itself; the octets of a batch belong to whoever has
 * it. Must never touch the plan, the loop or the log from the second thread.
 */
#include "agent/fib_writer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/loop.h"
#include "agent/thread.h"

/* Below, waking a thread costs more than writing. */
#define SMALL 64

struct queue { /* never more than can be out */
	struct fib_plan_batch batches[FIB_PLAN_ROUTES_OUT];
	unsigned int n;
};

struct fib_writer {
	struct loop *loop;
	struct fib_maps *maps;
	fib_writer_fn fn;
	void *ctx;
	struct loop_io io; /* eventfd: something is in `done` */
	unsigned int out;  /* submitted and not reported; the loop's */
	bool alone;        /* one processor, or no thread to be had */
	bool running;
	pthread_t thread;
	/* Below: under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t todo_came, done_came;
	struct queue todo, done;
	bool derive;   /* derived structures are to be looked at */
	bool deriving; /* the same, or it is being done */
	bool stop;
};

static void push(struct queue *queue, const struct fib_plan_batch *batch)
{
	queue->batches[queue->n++] = *batch;
}

static struct fib_plan_batch pop(struct queue *queue)
{
	struct fib_plan_batch first = queue->batches[0];

	queue->n--;
	for (unsigned int i = 0; i < queue->n; i++)
		queue->batches[i] = queue->batches[i + 1];
	return first;
}

static void write_batch(struct fib_maps *maps, struct fib_plan_batch *batch)
{
	int err;

	if (batch->op == FIB_PLAN_ROUTE_SET)
		err = fib_maps_routes_set(maps, batch->table, batch->routes, batch->n);
	else
		err = fib_maps_routes_del(maps, batch->table, batch->routes, batch->n);
	if (err == 0 && batch->op == FIB_PLAN_ROUTE_DEL)
		fib_maps_route_stats_drop(maps, batch->table, batch->routes, batch->n);
	if (err < 0)
		fib_plan_batch_fail(batch, err);
}

/* --- the second thread -------------------------------------------------------------------------- */

/* Under the lock, and without it meanwhile. */
static void write_next(struct fib_writer *writer)
{
	struct fib_plan_batch batch = pop(&writer->todo);

	pthread_mutex_unlock(&writer->lock);
	write_batch(writer->maps, &batch);
	pthread_mutex_lock(&writer->lock);
	push(&writer->done, &batch);
	pthread_cond_signal(&writer->done_came);
	eventfd_write(writer->io.fd, 1);
}

/* One slice, the same way: batches come first. */
static void derive_some(struct fib_writer *writer)
{
	bool more;

	writer->derive = false;
	pthread_mutex_unlock(&writer->lock);
	more = fib_maps_fast_work(writer->maps);
	pthread_mutex_lock(&writer->lock);
	writer->derive |= more;
	writer->deriving = writer->derive;
}

static void *run(void *arg)
{
	struct fib_writer *writer = arg;

	pthread_mutex_lock(&writer->lock);
	while (!writer->stop) {
		if (writer->todo.n)
			write_next(writer);
		else if (writer->derive)
			derive_some(writer);
		else
			pthread_cond_wait(&writer->todo_came, &writer->lock);
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

/* --- the loop's thread ---------------------------------------------------------------------------- */

static bool pop_done(struct fib_writer *writer, bool wait, struct fib_plan_batch *ret_batch)
{
	bool any;

	pthread_mutex_lock(&writer->lock);
	while (wait && !writer->done.n)
		pthread_cond_wait(&writer->done_came, &writer->lock);
	any = writer->done.n;
	if (any)
		*ret_batch = pop(&writer->done);
	pthread_mutex_unlock(&writer->lock);
	return any;
}

static void report(struct fib_writer *writer, struct fib_plan_batch *batch)
{
	writer->out--;
	writer->fn(writer->ctx, batch);
}

static void on_done(struct loop_io *io, uint32_t events)
{
	struct fib_writer *writer = io->ctx;
	struct fib_plan_batch batch;
	eventfd_t count;

	eventfd_read(io->fd, &count);
	while (pop_done(writer, false, &batch))
		report(writer, &batch);
}

static bool one_processor(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) < 2;
}

int fib_writer_new(struct loop *loop, struct fib_maps *maps, fib_writer_fn done, void *ctx,
		   struct fib_writer **ret_writer)
{
	struct fib_writer *writer = calloc(1, sizeof(*writer));
	int err;

	if (!writer)
		return -ENOMEM;
	writer->loop = loop;
	writer->maps = maps;
	writer->fn = done;
	writer->ctx = ctx;
	writer->alone = one_processor();
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->todo_came, NULL);
	pthread_cond_init(&writer->done_came, NULL);
	writer->io = (struct loop_io){ .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
				       .fn = on_done,
				       .ctx = writer };
	err = writer->io.fd < 0 ? -errno : loop_io_add(loop, &writer->io, EPOLLIN);
	if (err < 0) {
		fib_writer_free(writer);
		return err;
	}
	*ret_writer = writer;
	return 0;
}

static bool start(struct fib_writer *writer)
{
	if (writer->running || writer->alone)
		return writer->running;
	writer->running = !thread_start(&writer->thread, NULL, run, writer);
	writer->alone = !writer->running;
	return writer->running;
}

/* The loop may write it: a wake-up costs more, and there is nothing to wait for. */
static bool is_for_loop(struct fib_writer *writer, const struct fib_plan_batch *batch)
{
	bool deriving;

	if (writer->out > 1 || batch->n >= SMALL ||
	    !fib_maps_fast_quick(writer->maps, batch->table, batch->family))
		return false;
	pthread_mutex_lock(&writer->lock);
	deriving = writer->deriving;
	pthread_mutex_unlock(&writer->lock);
	return !deriving;
}

void fib_writer_submit(struct fib_writer *writer, const struct fib_plan_batch *batch)
{
	struct fib_plan_batch own = *batch;

	writer->out++;
	if (is_for_loop(writer, batch) || !start(writer)) {
		write_batch(writer->maps, &own);
		report(writer, &own);
		return;
	}
	pthread_mutex_lock(&writer->lock);
	push(&writer->todo, batch);
	pthread_cond_signal(&writer->todo_came);
	pthread_mutex_unlock(&writer->lock);
}

bool fib_writer_derive(struct fib_writer *writer)
{
	if (!start(writer))
		return fib_maps_fast_work(writer->maps);
	pthread_mutex_lock(&writer->lock);
	writer->derive = writer->deriving = true;
	pthread_cond_signal(&writer->todo_came);
	pthread_mutex_unlock(&writer->lock);
	return false;
}

bool fib_writer_busy(const struct fib_writer *writer)
{
	return writer->out;
}

void fib_writer_drain(struct fib_writer *writer)
{
	while (writer->out) {
		struct fib_plan_batch batch;

		pop_done(writer, true, &batch);
		report(writer, &batch);
	}
}

void fib_writer_free(struct fib_writer *writer)
{
	if (!writer)
		return;
	if (writer->running) {
		pthread_mutex_lock(&writer->lock);
		writer->stop = true;
		pthread_cond_signal(&writer->todo_came);
		pthread_mutex_unlock(&writer->lock);
		pthread_join(writer->thread, NULL);
	}
	loop_io_del(writer->loop, &writer->io);
	if (writer->io.fd >= 0)
		close(writer->io.fd);
	pthread_cond_destroy(&writer->todo_came);
	pthread_cond_destroy(&writer->done_came);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}
