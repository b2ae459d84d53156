// SPDX-License-Identifier: GPL-2.0-only
/* The codec of BFD Control packets: both ways, every reason to discard, authentication. */
#include <criterion/criterion.h>
#include <string.h>

#include "bfd/bfd_packet.h"

static const struct bfd_key no_key;

static struct bfd_packet example(void)
{
	return (struct bfd_packet){
		.diag = BFD_DIAG_NEIGHBOUR_DOWN,
		.state = BFD_INIT,
		.poll = true,
		.control_independent = true,
		.multiplier = 3,
		.my_discr = 0x01020304,
		.your_discr = 0xa1a2a3a4,
		.min_tx_usec = 10000,
		.min_rx_usec = 20000,
		.min_echo_rx_usec = 0,
		.sequence = 0xfffffffe,
	};
}

static struct bfd_key key_of(enum bfd_auth type)
{
	struct bfd_key key = { .type = type, .id = 7, .len = 5 };

	memcpy(key.secret, "s3cr3t", key.len);
	return key;
}

static size_t encoded(uint8_t buf[static BFD_PACKET_MAX])
{
	struct bfd_packet packet = example();

	return bfd_packet_encode(&packet, &no_key, buf);
}

static void discarded(const uint8_t *data, size_t len, enum bfd_discard expected, const char *what)
{
	struct bfd_packet packet;
	enum bfd_discard why = bfd_packet_decode(data, len, &packet);

	cr_expect_eq(why, expected, "%s: %s in place of %s", what, bfd_discard_name(why),
		     bfd_discard_name(expected));
}

Test(bfd_packet, octets_are_those_of_the_rfc)
{
	static const uint8_t expected[BFD_PACKET_LEN] = {
		0x20 | 3, 2 << 6 | 0x20 | 0x08,
		3,        24,
		1,        2,
		3,        4,
		0xa1,     0xa2,
		0xa3,     0xa4,
		0,        0,
		0x27,     0x10,
		0,        0,
		0x4e,     0x20,
		0,        0,
		0,        0,
	};
	uint8_t buf[BFD_PACKET_MAX];

	cr_assert_eq(encoded(buf), sizeof(expected));
	cr_assert_arr_eq(buf, expected, sizeof(expected));
}

Test(bfd_packet, comes_back_as_it_went)
{
	struct bfd_packet sent = example(), got;

	for (enum bfd_auth type = BFD_AUTH_NONE; type < BFD_AUTH_MAX; type++) {
		struct bfd_key key = type ? key_of(type) : no_key;
		uint8_t buf[BFD_PACKET_MAX];
		size_t len = bfd_packet_encode(&sent, &key, buf);

		cr_assert_eq(bfd_packet_decode(buf, len, &got), BFD_DISCARD_NONE, "%s",
			     bfd_auth_name(type));
		cr_expect_eq(got.auth, type);
		cr_expect_eq(got.len, len);
		cr_expect_eq(got.my_discr, sent.my_discr);
		cr_expect_eq(got.your_discr, sent.your_discr);
		cr_expect_eq(got.state, sent.state);
		cr_expect_eq(got.diag, sent.diag);
		cr_expect(got.poll && got.control_independent && !got.final && !got.demand);
		cr_expect_eq(got.min_tx_usec, sent.min_tx_usec);
		cr_expect_eq(got.min_rx_usec, sent.min_rx_usec);
		cr_expect_eq(got.key_id, type ? key.id : 0);
		cr_expect_eq(got.sequence, type >= BFD_AUTH_MD5 ? sent.sequence : 0);
		cr_expect(bfd_packet_authentic(&got, &key), "%s", bfd_auth_name(type));
	}
}

Test(bfd_packet, flags_do_not_mix)
{
	struct bfd_packet sent = { .multiplier = 1, .my_discr = 1, .final = true, .demand = true };
	uint8_t buf[BFD_PACKET_MAX];
	struct bfd_packet got;
	size_t len = bfd_packet_encode(&sent, &no_key, buf);

	cr_assert_eq(bfd_packet_decode(buf, len, &got), BFD_DISCARD_NONE);
	cr_assert(got.final && got.demand && !got.poll && !got.control_independent);
	cr_assert_eq(got.state, BFD_ADMIN_DOWN);
}

Test(bfd_packet, octets_after_the_length_are_not_looked_at)
{
	uint8_t buf[BFD_PACKET_MAX] = { 0 };
	struct bfd_packet got;

	encoded(buf);
	cr_assert_eq(bfd_packet_decode(buf, sizeof(buf), &got), BFD_DISCARD_NONE);
	cr_assert_eq(got.len, BFD_PACKET_LEN);
}

Test(bfd_packet, what_the_rfc_discards)
{
	static const struct {
		const char *what;
		size_t offset;
		uint8_t value;
		enum bfd_discard expected;
	} rows[] = {
		{ "version 0", 0, 0x03, BFD_DISCARD_VERSION },
		{ "version 2", 0, 0x43, BFD_DISCARD_VERSION },
		{ "length 23", 3, 23, BFD_DISCARD_LENGTH },
		{ "length 0", 3, 0, BFD_DISCARD_LENGTH },
		{ "longer than the payload", 3, 25, BFD_DISCARD_LENGTH },
		{ "A bit without a section", 1, 2 << 6 | 0x04, BFD_DISCARD_LENGTH },
		{ "multiplier 0", 2, 0, BFD_DISCARD_MULTIPLIER },
		{ "M bit", 1, 2 << 6 | 0x01, BFD_DISCARD_MULTIPOINT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t buf[BFD_PACKET_MAX];
		size_t len = encoded(buf);

		buf[rows[i].offset] = rows[i].value;
		discarded(buf, len, rows[i].expected, rows[i].what);
	}
}

Test(bfd_packet, discriminators)
{
	uint8_t buf[BFD_PACKET_MAX];
	size_t len = encoded(buf);

	memset(buf + 8, 0, 4);
	discarded(buf, len, BFD_DISCARD_YOUR_DISCR, "Init without Your Discriminator");
	buf[1] = BFD_UP << 6;
	discarded(buf, len, BFD_DISCARD_YOUR_DISCR, "Up without Your Discriminator");
	buf[1] = BFD_DOWN << 6;
	discarded(buf, len, BFD_DISCARD_NONE, "Down without Your Discriminator");
	buf[1] = BFD_ADMIN_DOWN << 6;
	discarded(buf, len, BFD_DISCARD_NONE, "AdminDown without Your Discriminator");
	memset(buf + 4, 0, 4);
	discarded(buf, len, BFD_DISCARD_MY_DISCR, "My Discriminator 0");
}

Test(bfd_packet, every_shorter_packet_is_discarded)
{
	struct bfd_packet sent = example();
	struct bfd_key key = key_of(BFD_AUTH_SHA1);
	uint8_t buf[BFD_PACKET_MAX];
	size_t len = bfd_packet_encode(&sent, &key, buf);

	for (size_t n = 0; n < len; n++)
		discarded(buf, n, BFD_DISCARD_LENGTH, "cut");
}

Test(bfd_packet, auth_section_has_one_length)
{
	struct bfd_packet sent = example();

	for (enum bfd_auth type = BFD_AUTH_PASSWORD; type < BFD_AUTH_MAX; type++) {
		struct bfd_key key = key_of(type);
		uint8_t buf[BFD_PACKET_MAX + 1] = { 0 };
		size_t len = bfd_packet_encode(&sent, &key, buf);

		for (int delta = -1; delta <= 1; delta += 2) {
			buf[25] = (uint8_t)(buf[25] + delta);
			discarded(buf, len, BFD_DISCARD_AUTH_SECTION, "Auth Len");
			buf[25] = (uint8_t)(buf[25] - delta);
		}
		buf[24] = BFD_AUTH_NONE;
		discarded(buf, len, BFD_DISCARD_AUTH_SECTION, "Auth Type 0");
	}
}

Test(bfd_packet, another_octet_or_secret_is_not_authentic)
{
	struct bfd_packet sent = example(), got;

	for (enum bfd_auth type = BFD_AUTH_PASSWORD; type < BFD_AUTH_MAX; type++) {
		struct bfd_key key = key_of(type), other = key;
		uint8_t buf[BFD_PACKET_MAX];
		size_t len = bfd_packet_encode(&sent, &key, buf);

		cr_assert_eq(bfd_packet_decode(buf, len, &got), BFD_DISCARD_NONE);
		other.secret[0] ^= 1;
		cr_expect_not(bfd_packet_authentic(&got, &other));
		other = key;
		other.secret[other.len++] = 'x';
		cr_expect_not(bfd_packet_authentic(&got, &other));
		buf[len - 1] ^= 1;
		cr_expect_not(bfd_packet_authentic(&got, &key));
		buf[len - 1] ^= 1;
		buf[16] ^= 1; /* covered by a digest, not by a password */
		cr_expect_eq(bfd_packet_authentic(&got, &key), type == BFD_AUTH_PASSWORD);
	}
}

Test(bfd_packet, names)
{
	cr_assert_str_eq(bfd_state_name(BFD_UP), "Up");
	cr_assert_str_eq(bfd_state_name(BFD_STATE_MAX), "?");
	cr_assert_str_eq(bfd_diag_name(BFD_DIAG_TIME_EXPIRED), "Control Detection Time Expired");
	cr_assert_str_eq(bfd_diag_name(31), "Reserved");
	cr_assert_str_eq(bfd_auth_name(BFD_AUTH_METICULOUS_SHA1), "meticulous-sha1");
	cr_assert_eq(bfd_auth_key_max(BFD_AUTH_SHA1), BFD_KEY_MAX);
	for (enum bfd_discard d = 0; d < BFD_DISCARD_MAX; d++)
		cr_assert_str_neq(bfd_discard_name(d), "?");
}
