// SPDX-License-Identifier: GPL-2.0-only
/*
 * As few messages as can be: of two in a row with the same attributes, the prefixes of the second had no room in
 * the first. Sets that do not fill one within a window of OUT_WINDOW nets may begin another with the next window.
 */
#include <stdio.h>
#include <string.h>

#include "bgp/frame.h"
#include "rib/adj_rib_out.h"
#include "rib_lab.h"

static struct lab lab;

static void setup(void)
{
	lab_start(&lab);
}

static void teardown(void)
{
	lab_stop(&lab);
}

TestSuite(packing, .init = setup, .fini = teardown);

struct message {
	const uint8_t *attrs, *octets;
	size_t attrs_len, nlri_len, len;
};

/* An UPDATE of IPv4: RFC 4271 4.3. Its withdrawn routes count as NLRI when it has no attributes. */
static struct message parse(const uint8_t *octets)
{
	struct message m = { .octets = octets, .len = (size_t)(octets[16] << 8 | octets[17]) };
	size_t withdrawn = (size_t)(octets[19] << 8 | octets[20]);
	const uint8_t *after = octets + 21 + withdrawn;

	m.attrs_len = (size_t)(after[0] << 8 | after[1]);
	m.attrs = after + 2;
	m.nlri_len = m.attrs_len ? m.len - 23 - m.attrs_len : withdrawn;
	return m;
}

struct figures {
	unsigned int messages, splits; /* two in a row that would have been one */
};

static struct figures look(const uint8_t *buf, size_t len, size_t limit)
{
	struct figures f = { 0 };
	struct message before = { 0 };

	for (size_t at = 0; at < len; f.messages++) {
		struct message m = parse(buf + at);

		cr_assert_leq(m.len, limit);
		f.splits += f.messages && m.nlri_len && before.attrs_len == m.attrs_len &&
			    memcmp(before.attrs, m.attrs, m.attrs_len) == 0 &&
			    before.len + m.nlri_len <= limit;
		before = m;
		at += m.len;
	}
	return f;
}

#define NETS    20000u
#define WINDOWS (NETS / OUT_WINDOW + 1)

static size_t produce_all(struct lab *of, uint16_t peer, uint8_t *buf, size_t cap)
{
	size_t len = 0, n;

	while ((n = rib_produce(of->rib, peer, buf + len, cap - len)))
		len += n;
	return len;
}

static void announce(struct lab *of, uint16_t from, unsigned int round, unsigned int sets)
{
	static const uint8_t lengths[] = { 24, 32, 17, 30, 22 };

	for (unsigned int i = 0; i < NETS; i++) {
		char text[PREFIX_TEXT_MAX], path[32];
		struct ip_prefix prefix;

		prefix.addr = ip_from_v4((20u + i % 61) << 24 | (i / 61 % 256) << 16 |
					 (i / 7 % 256) << 8);
		prefix.len = lengths[i % 5];
		prefix_mask(&prefix);
		snprintf(path, sizeof(path), "65001 %u %u", round + 1, 1 + i / 11 % sets);
		lab_announce(of, from, prefix_format(&prefix, text), path, "192.0.2.1", 0);
	}
	lab_work(of);
}

/* @one_set: splits in a table of one attribute set. */
static void check_session(bool extended, size_t limit, unsigned int one_set)
{
	static uint8_t buf[4u << 20];
	static const unsigned int sets[] = { 1, 2, 7, 300 };
	struct rib_peer_config config = lab_peer_config(65002, 2);
	struct bgp_session_params params = lab_params(65002, 2);
	uint16_t from = lab_peer(&lab, 65001, 1), to;
	struct figures f;

	params.extended_message = extended;
	to = lab_peer_with(&lab, &config, &params);
	produce_all(&lab, to, buf, sizeof(buf));
	for (unsigned int s = 0; s < sizeof(sets) / sizeof(sets[0]); s++) {
		announce(&lab, from, s, sets[s]);
		f = look(buf, produce_all(&lab, to, buf, sizeof(buf)), limit);
		cr_assert_geq(f.messages, sets[s]);
		cr_assert_leq(f.splits, sets[s] > 1 ? WINDOWS : one_set,
			      "%u sets: %u of %u messages", sets[s], f.splits, f.messages);
	}
	rib_peer_down(lab.rib, from, false, lab_now);
	lab_work(&lab);
	f = look(buf, produce_all(&lab, to, buf, sizeof(buf)), limit);
	cr_assert_leq(f.splits, one_set, "withdrawn: %u of %u messages", f.splits, f.messages);
}

Test(packing, messages_in_a_row_could_not_be_one)
{
	check_session(false, BGP_MSG_MAX, 0);
}

Test(packing, nor_could_extended_ones)
{
	check_session(true, BGP_MSG_MAX_EXTENDED, WINDOWS); /* a window does not fill one */
}
