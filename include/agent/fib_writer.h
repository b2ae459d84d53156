/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The second thread: writes batches of routes into the tries while the loop goes on with BGP. It takes
 * whole batches of the plan, calls fib_maps_routes_set() or _del(), and reports back through an eventfd;
 * between batches it makes derived structures, when it is asked to. All decisions stay on the loop's thread.
 *
 * Batches are carried out in the order in which they were submitted. A small one while nothing is under
 * way is written at once by the caller, as everything is where there is one processor only.
 */
#ifndef XRS_AGENT_FIB_WRITER_H
#define XRS_AGENT_FIB_WRITER_H

#include "fib/fib_plan.h"

struct fib_writer;
struct loop;

/* A batch was carried out, `error` of its routes is set. On the loop's thread; must not submit another. */
typedef void (*fib_writer_fn)(void *ctx, struct fib_plan_batch *batch);

/* Starts no thread before it is needed. 0 or negative errno. */
int fib_writer_new(struct loop *loop, struct fib_maps *maps, fib_writer_fn done, void *ctx,
		   struct fib_writer **ret_writer);
/* Waits for what is under way and reports it no more. NULL is fine. */
void fib_writer_free(struct fib_writer *writer);

/* At most FIB_PLAN_ROUTES_OUT may be under way. May report it before it returns. */
void fib_writer_submit(struct fib_writer *writer, const struct fib_plan_batch *batch);
/*
 * No more batches are coming for now: fib_maps_fast_work() until nothing is left. True: where there is no second
 * thread it did one slice, and there is more.
 */
bool fib_writer_derive(struct fib_writer *writer);
/* Something has been submitted and not been reported. */
bool fib_writer_busy(const struct fib_writer *writer);
/* Waits until all is carried out, and reports it: before tables go, or maps are compared. */
void fib_writer_drain(struct fib_writer *writer);

#endif
