/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The thread that attaches: the kernel makes whoever attaches or detaches a program wait for a grace period of
 * RCU, some 15 ms, and hosts have thousands of nics. Jobs are carried out one by one in the order in which
 * they were submitted and reported back through an eventfd, while the loop goes on. All decisions stay on the
 * loop's thread; what a job does is the caller's function.
 */
#ifndef XRS_AGENT_ATTACHER_H
#define XRS_AGENT_ATTACHER_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fib/loader.h"

struct attacher;
struct loop;

/* What is to be on a device. */
struct attacher_wish {
	enum loader_mode mode;
	bool observe; /* loader_observe() */
	bool snoop;   /* loader_snoop() */
};

struct attacher_job {
	bool attach; /* else detach */
	char instance[65];
	char ifname[IFNAMSIZ];
	uint32_t ifindex;
	struct attacher_wish wish;
	uint64_t ticket; /* the caller's */
	/* The answer, of attaching: as loader_attach() has it. */
	int error;
	char text[LOADER_TEXT];
	struct loader_attachment attachment;
};

/* Carries out one job, on the second thread: no loop, no log, nothing that the first thread uses. */
typedef void (*attacher_run_fn)(void *ctx, struct attacher_job *job);
/* Each job that was carried out, on the loop's thread. May submit others. */
typedef void (*attacher_done_fn)(void *ctx, const struct attacher_job *job);

/* Starts no thread before it is needed. 0 or negative errno. */
int attacher_new(struct loop *loop, attacher_run_fn run, attacher_done_fn done, void *ctx,
		 struct attacher **ret_attacher);
/* Waits for the job under way and for what has to be detached; attaches nothing more, reports nothing. NULL is fine. */
void attacher_free(struct attacher *attacher);

/*
 * Copies @job. Without a thread to be had it is carried out at once; it is reported from the loop in any case,
 * never from here. 0 or -ENOMEM.
 */
int attacher_submit(struct attacher *attacher, const struct attacher_job *job);
/* Jobs that were submitted and not reported. */
size_t attacher_waiting(const struct attacher *attacher);

#endif
