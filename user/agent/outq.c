// SPDX-License-Identifier: GPL-2.0-only
/*
 * The output queue of one BGP connection. Called by session.c alone. It knows where messages begin and
 * nothing else about them; it must never split or reorder one that was begun.
 */
#include "agent/outq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/bgp.h"
#include "util/wire.h"

#define OUTQ_STEP 4096

void outq_init(struct outq *q)
{
	memset(q, 0, sizeof(*q));
}

void outq_done(struct outq *q)
{
	free(q->data);
	outq_init(q);
}

size_t outq_len(const struct outq *q)
{
	return q->tail - q->head;
}

size_t outq_room(const struct outq *q)
{
	return outq_len(q) < OUTQ_MAX ? OUTQ_MAX - outq_len(q) : 0;
}

static void compact(struct outq *q)
{
	if (!q->head)
		return;
	memmove(q->data, q->data + q->head, outq_len(q));
	q->tail -= q->head;
	q->boundary -= q->head;
	q->urgent -= q->head;
	q->head = 0;
}

/* Makes room for @n octets after the tail, whatever the bound. */
static int grow(struct outq *q, size_t n)
{
	uint8_t *data;
	size_t cap;

	if (q->cap - q->tail >= n)
		return 0;
	compact(q);
	if (q->cap - q->tail >= n)
		return 0;
	cap = (q->tail + n + OUTQ_STEP - 1) / OUTQ_STEP * OUTQ_STEP;
	data = realloc(q->data, cap);
	if (!data)
		return -ENOMEM;
	q->data = data;
	q->cap = cap;
	return 0;
}

uint8_t *outq_reserve(struct outq *q, size_t n)
{
	if (n > outq_room(q) || grow(q, n) < 0)
		return NULL;
	return q->data + q->tail;
}

void outq_commit(struct outq *q, size_t n)
{
	q->tail += n;
}

int outq_insert(struct outq *q, const uint8_t *msg, size_t len)
{
	uint8_t *at;

	if (outq_len(q) + len > OUTQ_MAX + OUTQ_SPARE)
		return -ENOBUFS;
	if (grow(q, len) < 0)
		return -ENOMEM;
	at = q->data + q->urgent;
	memmove(at + len, at, q->tail - q->urgent);
	memcpy(at, msg, len);
	q->tail += len;
	q->urgent += len;
	return 0;
}

void outq_drop_waiting(struct outq *q)
{
	q->tail = q->urgent;
}

const uint8_t *outq_peek(const struct outq *q, size_t *ret_len)
{
	*ret_len = outq_len(q);
	return q->data + q->head;
}

static size_t message_len(const struct outq *q, size_t at)
{
	struct wire_reader r;

	wire_read_init(&r, q->data + at, q->tail - at);
	wire_skip(&r, BGP_MARKER_LEN);
	return wire_u16(&r);
}

void outq_consume(struct outq *q, size_t n)
{
	q->head += n;
	if (q->head == q->tail) {
		outq_done(q);
		return;
	}
	while (q->boundary < q->head)
		q->boundary += message_len(q, q->boundary);
	if (q->urgent < q->boundary)
		q->urgent = q->boundary;
}
