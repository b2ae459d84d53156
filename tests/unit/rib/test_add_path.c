// SPDX-License-Identifier: GPL-2.0-only
/*
 * ADD-PATH (RFC 7911) towards peers: which paths of a prefix are told, that identifiers are never mixed
 * up, and a random script after which the peer's table is what it should be.
 */
#include <stdio.h>
#include <string.h>

#include "bgp/frame.h"
#include "rib_lab.h"

#define V4 BGP_FAMILY_BIT(BGP_IPV4_UNICAST)

static struct lab lab;

static void setup(void)
{
	lab_start(&lab);
}

static void teardown(void)
{
	lab_stop(&lab);
}

TestSuite(add_path, .init = setup, .fini = teardown);

/* --- a peer's table, by prefix and identifier --------------------------------------------------- */

#define ROWS 512
static struct row {
	bool used;
	struct ip_prefix prefix;
	uint32_t path_id;
	char path[64];
} rows[ROWS];

static struct row *find_row(const struct ip_prefix *prefix, uint32_t path_id)
{
	struct row *room = NULL;

	for (unsigned int i = 0; i < ROWS; i++) {
		if (rows[i].used && rows[i].path_id == path_id &&
		    prefix_equal(&rows[i].prefix, prefix))
			return &rows[i];
		if (!rows[i].used)
			room = &rows[i];
	}
	cr_assert(room);
	room->prefix = *prefix;
	room->path_id = path_id;
	return room;
}

static void take_section(const struct bgp_update *u, const struct bgp_nlri *nlri, bool reach)
{
	struct nlri_iter it;
	struct ip_prefix prefix;
	uint32_t path_id;

	nlri_iter_init(&it, nlri);
	while (nlri->len && nlri_next(&it, &prefix, &path_id)) {
		struct row *row = find_row(&prefix, path_id);

		cr_assert(reach || row->used, "withdrawn although never announced");
		row->used = reach;
		if (reach)
			aspath_format(u->attrs.as_path, row->path, sizeof(row->path));
	}
}

static void take_message(const uint8_t *message, size_t len)
{
	struct bgp_session_params params = lab_params(LAB_ASN, 1);
	static struct bgp_update u;
	struct bgp_error error;

	params.local_asn = 65000;
	params.ebgp = true;
	params.add_path_rx = V4;
	cr_assert_eq(bgp_update_decode(message + BGP_HEADER_LEN, len - BGP_HEADER_LEN, &params,
				       &(struct bgp_update_limits){ 0 }, &u, &error),
		     0);
	take_section(&u, &u.withdraw[0], false);
	take_section(&u, &u.reach[0], true);
}

/* At most @calls calls of rib_produce(): a slow peer does not drain. */
static void hear(uint16_t peer, unsigned int calls)
{
	static uint8_t buf[BGP_MSG_MAX];
	size_t len;

	while (calls-- && (len = rib_produce(lab.rib, peer, buf, sizeof(buf)))) {
		for (size_t at = 0; at < len;) {
			size_t message = (size_t)buf[at + 16] << 8 | buf[at + 17];

			take_message(buf + at, message);
			at += message;
		}
	}
}

static unsigned int rows_of(const char *text)
{
	struct ip_prefix prefix = lab_prefix(text);
	unsigned int n = 0;

	for (unsigned int i = 0; i < ROWS; i++)
		n += rows[i].used && prefix_equal(&rows[i].prefix, &prefix);
	return n;
}

static bool has_row(const char *text, const char *path)
{
	struct ip_prefix prefix = lab_prefix(text);

	for (unsigned int i = 0; i < ROWS; i++) {
		if (rows[i].used && prefix_equal(&rows[i].prefix, &prefix) &&
		    !strcmp(rows[i].path, path))
			return true;
	}
	return false;
}

static uint16_t reader(unsigned int max)
{
	struct rib_peer_config config = lab_peer_config(65009, 9);
	struct bgp_session_params params = lab_params(65009, 9);

	memset(rows, 0, sizeof(rows));
	config.add_path_max = max;
	params.add_path_tx = V4;
	params.families = V4;
	return lab_peer_with(&lab, &config, &params);
}

/* --- tests ---------------------------------------------------------------------------------------- */

Test(add_path, every_path_that_is_in_use_is_told_and_withdrawn_by_itself)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2);
	uint16_t c = lab_peer(&lab, 65003, 3), r = reader(16);

	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	hear(r, 99);
	cr_assert_eq(rows_of("10.1.0.0/16"), 1);
	lab_announce(&lab, b, "10.1.0.0/16", "65002 65100", "192.0.2.2", 0);
	lab_announce(&lab, c, "10.1.0.0/16", "65003", "192.0.2.3", BGP_COMM_NO_ADVERTISE);
	hear(r, 99);
	cr_assert_eq(rows_of("10.1.0.0/16"), 2, "one that is no best path too, NO_ADVERTISE not");
	cr_assert(has_row("10.1.0.0/16", "65515 65001"));
	cr_assert(has_row("10.1.0.0/16", "65515 65002 65100"));
	lab_announce(&lab, b, "10.1.0.0/16", "65002 65101", "192.0.2.2", 0);
	hear(r, 99);
	cr_assert_eq(rows_of("10.1.0.0/16"), 2, "replaced under its identifier");
	cr_assert(has_row("10.1.0.0/16", "65515 65002 65101"));
	lab_withdraw(&lab, a, "10.1.0.0/16");
	hear(r, 99);
	cr_assert_eq(rows_of("10.1.0.0/16"), 1);
	cr_assert(has_row("10.1.0.0/16", "65515 65002 65101"));
	rib_peer_down(lab.rib, b, false, lab_now);
	lab_work(&lab);
	hear(r, 99);
	cr_assert_eq(rows_of("10.1.0.0/16"), 0);
	cr_assert_eq(rib_peer_counts(lab.rib, r, BGP_IPV4_UNICAST).advertised, 0);
}

Test(add_path, no_more_than_the_best_so_many)
{
	uint16_t r = reader(2), peers[4];

	for (uint8_t n = 0; n < 4; n++) {
		static const char *const paths[] = { "65010 1 2 3", "65011 1 2", "65012 1",
						     "65013" };

		peers[n] = lab_peer(&lab, 65010 + n, n + 10);
		lab_announce(&lab, peers[n], "10.1.0.0/16", paths[n], "192.0.2.1", 0);
		hear(r, 99);
		cr_assert_eq(rows_of("10.1.0.0/16"), n ? 2 : 1);
	}
	cr_assert(has_row("10.1.0.0/16", "65515 65013") && has_row("10.1.0.0/16", "65515 65012 1"));
	lab_withdraw(&lab, peers[3], "10.1.0.0/16");
	hear(r, 99);
	cr_assert(has_row("10.1.0.0/16", "65515 65011 1 2") &&
		  has_row("10.1.0.0/16", "65515 65012 1"));
}

Test(add_path, what_we_originate_stands_alone)
{
	uint16_t a = lab_peer(&lab, 65001, 1), r = reader(16);
	struct ip_prefix own = lab_prefix("10.1.0.0/16");

	lab_announce(&lab, a, "10.1.0.0/16", "65001", "192.0.2.1", 0);
	hear(r, 99);
	rib_set_local(lab.rib, RIB_LOCAL_VNET, &own, 1);
	hear(r, 99);
	cr_assert_eq(rows_of("10.1.0.0/16"), 1);
	cr_assert(has_row("10.1.0.0/16", "65515"));
	rib_set_local(lab.rib, RIB_LOCAL_VNET, NULL, 0);
	hear(r, 99);
	cr_assert_eq(rows_of("10.1.0.0/16"), 1);
	cr_assert(has_row("10.1.0.0/16", "65515 65001"));
}

static bool count_view(void *ctx, const struct rib_path_view *view)
{
	unsigned int *n = ctx;

	cr_assert_neq(view->path_id, 0);
	(*n)++;
	return true;
}

Test(add_path, the_view_of_what_was_told_has_each_path)
{
	uint16_t a = lab_peer(&lab, 65001, 1), b = lab_peer(&lab, 65002, 2), r = reader(16);
	unsigned int n = 0;
	uint32_t cursor = 0;

	lab_announce(&lab, a, "10.1.0.0/16 10.2.0.0/16", "65001", "192.0.2.1", 0);
	lab_announce(&lab, b, "10.1.0.0/16", "65002 65100", "192.0.2.2", 0);
	hear(r, 99);
	while (rib_walk_advertised(lab.rib, r, BGP_IPV4_UNICAST, &cursor, 1, count_view, &n))
		;
	cr_assert_eq(n, 3);
}

/* --- a random script -------------------------------------------------------------------------------- */

#define PEERS    6
#define PREFIXES 12
#define MAX      4

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 33) % below;
}

static struct { /* what each peer said last; 0: nothing, else how many ASNs */
	unsigned int length[PREFIXES];
	bool up;
	uint16_t index;
} said[PEERS];

static const char *prefix_text(unsigned int i, char buf[32])
{
	snprintf(buf, 32, "10.%u.0.0/16", i);
	return buf;
}

static void path_text(unsigned int peer, unsigned int length, char buf[64])
{
	size_t n = (size_t)snprintf(buf, 64, "%u", 65001 + peer);

	for (unsigned int i = 1; i < length; i++)
		n += (size_t)snprintf(buf + n, 64 - n, " %u", 65100 + i);
}

static void say(unsigned int p)
{
	char prefix[32], path[64], hop[32];
	unsigned int i = rnd(PREFIXES), length = rnd(4);

	prefix_text(i, prefix);
	said[p].length[i] = length;
	path_text(p, length, path);
	snprintf(hop, sizeof(hop), "192.0.2.%u", p + 1);
	if (length)
		lab_announce(&lab, said[p].index, prefix, path, hop, 0);
	else
		lab_withdraw(&lab, said[p].index, prefix);
}

static void end_or_begin(unsigned int p)
{
	struct bgp_session_params params = lab_params(65001 + p, p + 1);

	if (said[p].up)
		rib_peer_down(lab.rib, said[p].index, false, lab_now);
	else
		rib_peer_up(lab.rib, said[p].index, &params, lab_now);
	said[p].up = !said[p].up;
	memset(said[p].length, 0, sizeof(said[p].length));
}

/* Each row is a path that is in use, none is told twice, and the shortest MAX are there. */
static void compare(void)
{
	for (unsigned int i = 0; i < PREFIXES; i++) {
		unsigned int total = 0, told_lengths = 0, lengths = 0;
		char prefix[32], path[64], told[80];

		prefix_text(i, prefix);
		for (unsigned int length = 1; length < 4; length++) {
			for (unsigned int p = 0; p < PEERS; p++) {
				if (said[p].length[i] != length)
					continue;
				lengths += total < MAX ? length : 0;
				total++;
				path_text(p, length, path);
				snprintf(told, sizeof(told), "65515 %s", path);
				told_lengths += has_row(prefix, told) ? length : 0;
			}
		}
		cr_assert_eq(rows_of(prefix), total < MAX ? total : MAX, "%s: %u of %u", prefix,
			     rows_of(prefix), total);
		cr_assert_eq(told_lengths, lengths, "%s", prefix);
	}
}

Test(add_path, random_scripts_end_with_the_right_table)
{
	for (uint64_t run = 1; run <= 20; run++) {
		uint16_t r = reader(MAX);

		cr_log_info("seed %llu", (unsigned long long)run);
		seed = run;
		for (unsigned int p = 0; p < PEERS; p++) {
			said[p].index = lab_peer(&lab, 65001 + p, (uint8_t)(p + 1));
			said[p].up = true;
			memset(said[p].length, 0, sizeof(said[p].length));
		}
		for (unsigned int step = 0; step < 1500; step++) {
			unsigned int p = rnd(PEERS);

			if (rnd(40) == 0)
				end_or_begin(p);
			else if (said[p].up)
				say(p);
			if (rnd(3) == 0)
				rib_work(lab.rib, 1 + rnd(4), lab_now);
			if (rnd(4) == 0)
				hear(r, 1);
			if (rnd(60) == 0) {
				lab_work(&lab);
				hear(r, UINT32_MAX);
				compare();
			}
		}
		lab_stop(&lab);
		lab_start(&lab);
	}
}
