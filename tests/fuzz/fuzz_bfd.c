// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes one BFD session: the first octets choose authentication and intervals, the rest is a script of
 * packets (length, octets) and time. A packet that decodes is also signed and fed, so that the fuzzer gets
 * behind a digest. Aborts when an invariant breaks.
 */
#include <stdlib.h>
#include <string.h>

#include "bfd/bfd_session.h"

#define DISCR 7

static void check(const struct bfd_session *session, struct mono now)
{
	if (session->state >= BFD_STATE_MAX || session->remote_state >= BFD_STATE_MAX)
		abort();
	if (session->min_tx_in_force < 10000 || session->min_rx_in_force < 10000)
		abort();
	if (session->state != BFD_UP && session->min_tx < BFD_SLOW_USEC)
		abort();
	if (session->state == BFD_UP && !bfd_session_detection_usec(session))
		abort();
	/* A session that is up is watched. */
	if (session->state == BFD_UP && !mono_is_set(bfd_session_due(session)))
		abort();
}

static void feed(struct bfd_session *session, const uint8_t *data, size_t len, struct mono now)
{
	struct bfd_packet packet, again;
	uint8_t buf[BFD_PACKET_MAX];
	unsigned int change;

	if (bfd_packet_decode(data, len, &packet) != BFD_DISCARD_NONE)
		return;
	bfd_session_receive(session, &packet, now, &change);
	check(session, now);
	packet.your_discr = packet.your_discr ? DISCR : 0;
	len = bfd_packet_encode(&packet, &session->config.key, buf);
	if (bfd_packet_decode(buf, len, &again) != BFD_DISCARD_NONE)
		abort();
	bfd_session_receive(session, &again, now, &change);
	check(session, now);
}

static void pass_time(struct bfd_session *session, struct mono now, uint32_t random)
{
	uint8_t buf[BFD_PACKET_MAX];
	struct bfd_packet packet;
	size_t len;

	bfd_session_check(session, now);
	for (unsigned int i = 0; (len = bfd_session_transmit(session, now, random, buf)); i++) {
		if (i > 2 || bfd_packet_decode(buf, len, &packet) != BFD_DISCARD_NONE ||
		    (packet.poll && packet.final))
			abort();
	}
	check(session, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bfd_session_config config = { .min_tx_usec = 10000, .min_rx_usec = 10000 };
	struct mono now = { .usec = 1000000 };
	struct bfd_session session;

	if (size < 2)
		return 0;
	config.key = (struct bfd_key){
		.type = data[0] % BFD_AUTH_MAX, .id = 1, .len = 3, .secret = "abc"
	};
	config.multiplier = (uint8_t)(1 + data[1] % 5);
	bfd_session_init(&session, &config, DISCR, now, 0);
	for (size_t at = 2; at + 1 < size;) {
		size_t len = data[at] & 0x3f, left = size - at - 1;

		len = len < left ? len : left;
		if (data[at] & 0x80)
			now = mono_add_usec(now, (uint64_t)len * len * 1000);
		else if (data[at] & 0x40)
			bfd_session_heard(&session, now);
		else
			feed(&session, data + at + 1, len, now);
		pass_time(&session, now, data[at + 1] * 0x01010101u);
		at += data[at] & 0xc0 ? 1 : 1 + len;
	}
	return 0;
}
