// SPDX-License-Identifier: GPL-2.0-only
/* The output queue: order, urgent messages at message boundaries, bounds. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/outq.h"
#include "bgp/bgp.h"

/* A message of @len octets that are all @tag after the header. */
static size_t make(uint8_t *buf, size_t len, uint8_t tag)
{
	memset(buf, 0xff, BGP_MARKER_LEN);
	buf[16] = (uint8_t)(len >> 8);
	buf[17] = (uint8_t)len;
	memset(buf + 18, tag, len - 18);
	return len;
}

static void append(struct outq *q, size_t len, uint8_t tag)
{
	uint8_t *at = outq_reserve(q, len);

	cr_assert_not_null(at);
	outq_commit(q, make(at, len, tag));
}

static void insert(struct outq *q, size_t len, uint8_t tag)
{
	uint8_t msg[256];

	cr_assert_eq(outq_insert(q, msg, make(msg, len, tag)), 0);
}

/* Takes octets out in steps of @step and returns the tags of the whole messages in order. */
static void drain(struct outq *q, size_t step, char *tags)
{
	static uint8_t all[OUTQ_MAX + OUTQ_SPARE];
	size_t total = 0, len;
	const uint8_t *data;

	while (data = outq_peek(q, &len), len) {
		size_t n = len < step ? len : step;

		memcpy(all + total, data, n);
		total += n;
		outq_consume(q, n);
	}
	for (size_t at = 0; at < total; at += (size_t)all[at + 16] << 8 | all[at + 17])
		*tags++ = (char)all[at + 18];
	*tags = '\0';
}

Test(outq, urgent_messages_overtake_at_boundaries)
{
	char tags[16];

	for (size_t step = 1; step < 100; step += 7) {
		struct outq q;

		outq_init(&q);
		append(&q, 30, 'a');
		append(&q, 40, 'b');
		outq_consume(&q, 1); /* a has begun */
		insert(&q, 19, 'K');
		insert(&q, 25, 'L');
		append(&q, 23, 'c');
		cr_assert_eq(outq_len(&q), 29 + 40 + 19 + 25 + 23);
		/* Put a's first octet back into the picture. */
		q.head--;
		q.boundary = q.head + 30;
		drain(&q, step, tags);
		cr_assert_str_eq(tags, "aKLbc");
		cr_assert_eq(outq_len(&q), 0);
		outq_done(&q);
	}
}

Test(outq, nothing_follows_a_notification)
{
	struct outq q;
	char tags[16];

	outq_init(&q);
	insert(&q, 29, 'O');
	append(&q, 30, 'a');
	append(&q, 40, 'b');
	outq_drop_waiting(&q);
	insert(&q, 21, 'N');
	drain(&q, 8, tags);
	cr_assert_str_eq(tags, "ON");
	outq_done(&q);
}

Test(outq, is_bounded_with_a_spare_for_urgent_ones)
{
	struct outq q;
	uint8_t msg[256];
	unsigned int n = 0;

	outq_init(&q);
	while (outq_room(&q) >= 4096)
		append(&q, 4096, 'a');
	cr_assert_eq(outq_len(&q), OUTQ_MAX);
	cr_assert_null(outq_reserve(&q, 1));
	make(msg, 100, 'K');
	while (outq_insert(&q, msg, 100) == 0)
		n++;
	cr_assert_eq(n, OUTQ_SPARE / 100);
	cr_assert_eq(outq_insert(&q, msg, 100), -ENOBUFS);
	outq_done(&q);
	cr_assert_eq(outq_len(&q), 0);
}

/* Random appends, insertions and partial sends: messages stay whole and ordinary ones in order. */
Test(outq, random_use_never_splits_a_message)
{
	struct outq q;
	uint8_t stream[64], next_in = 0, next_out = 0;
	size_t have = 0;

	outq_init(&q);
	srand(7);
	for (unsigned int i = 0; i < 200000; i++) {
		int dice = rand() % 4;
		size_t len;
		const uint8_t *data = outq_peek(&q, &len);

		if (dice == 0 && outq_room(&q) >= 40)
			append(&q, 19 + (size_t)rand() % 21, (uint8_t)(next_in++ & 0x7f));
		else if (dice == 1 && outq_len(&q) < OUTQ_MAX)
			insert(&q, 19, 0xee);
		for (size_t n = len ? (size_t)rand() % len : 0; n && dice >= 2; n--) {
			stream[have++] = *data;
			outq_consume(&q, 1);
			data = outq_peek(&q, &len);
			if (have < 19 || have < stream[17])
				continue;
			cr_assert_eq(have, stream[17]);
			if (stream[18] != 0xee)
				cr_assert_eq(stream[18], next_out++ & 0x7f);
			have = 0;
		}
	}
	outq_done(&q);
}
