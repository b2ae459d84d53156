/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stand-in: a second thread of the BFD engine, on other processors than the first. A kernel without
 * preemption lets no thread run on a processor whose kernel has something long to do, at whatever priority;
 * but it is rarely busy on all of them at once. What the first thread has not done a moment after its time, this
 * one does.
 *
 * It shares the sessions with the first thread under one lock, below which neither makes a system call that
 * moves packets: the kernel may do its long work in any of those.
 */
#ifndef XRS_AGENT_BFD_STANDIN_H
#define XRS_AGENT_BFD_STANDIN_H

#include <net/if.h>

#include "bfd/bfd_packet.h"
#include "util/mono.h"
#include "util/prefix.h"

/* One packet, and where to. */
struct bfd_departure {
	int fd;
	struct ip_addr to;
	uint16_t port;
	char device[IFNAMSIZ];
	uint8_t octets[BFD_PACKET_MAX];
	size_t len;
};

/* When something is overdue next; unset: nothing. Called with the lock held. */
typedef struct mono (*bfd_standin_due_fn)(void);
/* Does one thing that is overdue at @now; true: *ret is to be sent. Called with the lock held. */
typedef bool (*bfd_standin_take_fn)(struct mono now, struct bfd_departure *ret);

struct bfd_standin;

/*
 * Binds the calling thread to one half of the processors that it may use and starts the stand-in, with the
 * same priority, on the other half. Where there is only one processor nothing is started: -ENOTSUP. Other
 * negative errno: it could not be. The locks work in any case; NULL: out of memory.
 */
struct bfd_standin *bfd_standin_new(bfd_standin_due_fn due, bfd_standin_take_fn take,
				    int *ret_error);
void bfd_standin_free(struct bfd_standin *standin); /* ends the thread */

void bfd_standin_lock(struct bfd_standin *standin);
void bfd_standin_unlock(struct bfd_standin *standin);
/* Under the lock, after a change of what is due: it may be sooner than the stand-in thought. */
void bfd_standin_look(struct bfd_standin *standin);
/* The lock, and no packet of the stand-in is on its way: a socket may be closed. */
void bfd_standin_lock_all(struct bfd_standin *standin);
void bfd_standin_unlock_all(struct bfd_standin *standin);

/* Hands @departure to the kernel. 0 or errno. */
int bfd_departure_send(const struct bfd_departure *departure);

#endif
