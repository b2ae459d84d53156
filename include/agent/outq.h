/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bounded output queue of one connection: octets that are whole BGP messages, so that an urgent one
 * (KEEPALIVE, NOTIFICATION) can go in right after the message that is partly sent. Pure but for malloc.
 */
#ifndef XRS_AGENT_OUTQ_H
#define XRS_AGENT_OUTQ_H

#include <stddef.h>
#include <stdint.h>

#define OUTQ_MAX   (256u << 10) /* octets of UPDATEs waiting: the bound of one slow peer */
#define OUTQ_SPARE (16u << 10)  /* on top, for urgent messages only */

struct outq {
	uint8_t *data; /* owned */
	size_t cap;
	size_t head, tail; /* what waits */
	size_t urgent;     /* boundary <= urgent <= tail: end of the urgent messages that wait */
	size_t boundary;   /* head <= boundary <= tail: start of the first message not begun yet */
};

void outq_init(struct outq *q);
void outq_done(struct outq *q);
size_t outq_len(const struct outq *q);
/* Octets that outq_reserve() would still grant. */
size_t outq_room(const struct outq *q);
/* Space for @n octets at the end, or NULL: over the bound, or out of memory. */
uint8_t *outq_reserve(struct outq *q, size_t n);
/* @n octets (whole messages) were written into the space. */
void outq_commit(struct outq *q, size_t n);
/* Puts one message before ordinary ones that have not begun, after urgent ones. 0, -ENOBUFS (the spare is full) or -ENOMEM. */
int outq_insert(struct outq *q, const uint8_t *msg, size_t len);
/* Forgets the ordinary messages that have not begun. */
void outq_drop_waiting(struct outq *q);
/* The octets to send next; *ret_len is 0 when there are none. */
const uint8_t *outq_peek(const struct outq *q, size_t *ret_len);
/* @n of them were sent. Frees the memory when nothing is left. */
void outq_consume(struct outq *q, size_t n);

#endif
