// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each vector of RFC 7606 and RFC 4271 6.3 does to everybody else: the session lives on unless it is a
 * reset, a good route of the same session still arrives, and another peer hears of the bad one nothing.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/frame.h"
#include "bgp_update_vectors.h"
#include "octets.h"
#include "pair.h"
#include "rib/rib.h"

#define LOCAL_ASN 65515
/* A prefix that no vector has. */
#define GOOD  "18 0a0909"
#define GOOD6 "20 20010909 "

static const char *good_of(enum session session)
{
	switch (session) {
	case OLD:
		return UPDATE("", BASE16, GOOD);
	case ADD_PATH:
		return UPDATE("", BASE, "00000007" GOOD);
	case ONLY_IPV6:
		return UPDATE("", "80 0e {1 0002 01 " NH6 "00 " GOOD6 "} " ORIGIN PATH, "");
	default:
		return UPDATE("", BASE, GOOD);
	}
}

/* --- another peer ------------------------------------------------------------------------------- */

static struct rib *rib;
static uint16_t sender, other;
static const struct mono now = { .usec = 1000000 };

static void on_changed(void *ctx, const struct rib_change *change)
{
}

static uint16_t add_peer(const struct bgp_session_params *params, uint8_t n)
{
	struct rib_peer_config config = { .asn = params->peer_asn,
					  .role = PEER_NVA,
					  .addr = ip_from_v4(0xc0000200u + n),
					  .advertise_learned = true };
	uint16_t peer;

	cr_assert_eq(rib_peer_add(rib, &config, &peer), 0);
	rib_peer_up(rib, peer, params, now);
	return peer;
}

/* Announcements and withdrawals that the other peer was told since the last time, and prefixes of the good route. */
struct heard {
	unsigned int reach, withdrawn, good;
};

static void count(const struct bgp_nlri *nlri, unsigned int *ret_count, unsigned int *ret_good)
{
	struct nlri_iter it;
	struct ip_prefix prefix;
	uint32_t path_id;

	nlri_iter_init(&it, nlri);
	while (nlri->len && nlri_next(&it, &prefix, &path_id)) {
		(*ret_count)++;
		*ret_good += prefix.addr.bytes[1] == 9 || prefix.addr.bytes[2] == 9;
	}
}

static struct heard hear(const struct bgp_session_params *params)
{
	static uint8_t buf[BGP_MSG_MAX];
	static struct bgp_update u;
	struct heard heard = { 0 };
	struct bgp_error error;
	unsigned int gone = 0;
	size_t len;

	while (rib_work(rib, 1000, now))
		;
	while ((len = rib_produce(rib, other, buf, sizeof(buf)))) {
		for (size_t at = 0, message; at < len; at += message) {
			message = (size_t)buf[at + 16] << 8 | buf[at + 17];
			cr_assert_eq(bgp_update_decode(buf + at + BGP_HEADER_LEN,
						       message - BGP_HEADER_LEN, params, &no_limits,
						       &u, &error),
				     0);
			cr_assert_eq(u.outcome, BGP_ACCEPT, "our own output is good");
			for (unsigned int i = 0; i < 2; i++) {
				count(&u.reach[i], &heard.reach, &heard.good);
				count(&u.withdraw[i], &heard.withdrawn, &gone);
			}
		}
	}
	return heard;
}

static void send(const struct vector *v, const char *text, bool good)
{
	static struct bgp_update u;
	size_t len = octets(text, body, sizeof(body));
	struct bgp_error error;

	if (bgp_update_decode(body, len, &sessions[v->session], &no_limits, &u, &error) == 0) {
		cr_assert_eq(rib_update(rib, sender, &u, now), 0);
		return;
	}
	cr_assert_not(good, "%s", v->name);
	rib_peer_down(rib, sender, false, now);
	rib_peer_up(rib, sender, &sessions[v->session], now);
}

static void check_effect(const struct vector *v)
{
	struct rib_config config = { .vnet = 1,
				     .local_asn = LOCAL_ASN,
				     .local_id = 0x0a01ff04,
				     .nexthops_always_usable = true };
	const struct rib_callbacks callbacks = { .changed = on_changed };
	struct nexthop_table *nexthops = nexthop_table_new(&(struct nexthop_events){ 0 });
	struct bgp_session_params reader = sessions[EXT_HOP];
	struct heard heard;

	reader.peer_asn = 65002;
	reader.extended_message = false;
	config.decision.max_paths = 1;
	rib = rib_new(&config, nexthops, &callbacks);
	sender = add_peer(&sessions[v->session], 1);
	other = add_peer(&reader, 2);
	hear(&reader);
	send(v, v->body, false);
	heard = hear(&reader);
	if (v->outcome >= BGP_TREAT_AS_WITHDRAW)
		cr_expect_eq(heard.reach + heard.withdrawn, 0, "%s: another peer heard of it",
			     v->name);
	send(v, good_of(v->session), true);
	heard = hear(&reader);
	cr_expect_eq(heard.good, 1, "%s: the good route did not arrive", v->name);
	cr_expect_eq(heard.reach + heard.withdrawn, 1, "%s", v->name);
	rib_free(rib);
	nexthop_table_free(nexthops);
}

Test(bgp_update_effect, another_peer_hears_of_the_good_route_only)
{
	for (size_t i = 0; i < N_VECTORS; i++)
		check_effect(&vectors[i]);
}

/* --- the session --------------------------------------------------------------------------------- */

static void set_side(struct fsm_config *config, const struct bgp_session_params *want, bool sends)
{
	struct bgp_caps *caps = &config->open.caps;

	caps->families = want->families;
	caps->as4 = want->as4;
	caps->extended_message = want->extended_message;
	caps->ext_next_hop = want->ext_next_hop;
	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++)
		caps->add_path[f] = !want->add_path_rx ? 0
				    : sends            ? BGP_ADD_PATH_SEND
						       : BGP_ADD_PATH_RECEIVE;
}

/* Side 0 is the vectors' peer, AS 65001; inside, both are. */
static struct pair *session_of(enum session session)
{
	struct fsm_config a = pair_config(0), b = pair_config(1);
	struct pair *pair = calloc(1, sizeof(*pair));

	set_side(&a, &sessions[session], true);
	set_side(&b, &sessions[session], false);
	if (session == INTERNAL) {
		b.open.my_as = a.open.my_as;
		b.open.caps.asn = b.policy.local_asn = a.open.caps.asn;
		a.policy.peer_asn = a.open.caps.asn;
	}
	pair_init(pair, &a, &b, 1);
	pair_start(pair, 0);
	pair_start(pair, 1);
	pair_run(pair, 30);
	cr_assert(pair_is_joined(pair));
	return pair;
}

static bool inject(struct pair *pair, const char *text)
{
	static uint8_t message[PAIR_PIPE];
	struct wire_writer w;
	size_t len = octets(text, body, sizeof(body));

	wire_write_init(&w, message, sizeof(message));
	bgp_frame_begin(&w, BGP_MSG_UPDATE);
	wire_put_bytes(&w, body, len);
	bgp_frame_finish(&w, 0);
	if (w.failed || w.pos < BGP_HEADER_LEN + 4)
		return false;
	pair_inject(pair, 0, message, w.pos);
	pair_settle(pair);
	return true;
}

static void check_session(const struct vector *v)
{
	struct pair *pair = session_of(v->session);
	const struct pair_peer *reader = &pair->side[1];
	unsigned int updates = reader->updates, notes = reader->notes_sent;

	if (!inject(pair, v->body)) {
		free(pair); /* shorter than any UPDATE, or longer than the pipe */
		return;
	}
	if (v->outcome == BGP_RESET) {
		cr_expect_eq(reader->last_code, BGP_ERR_UPDATE, "%s", v->name);
		cr_expect_eq(reader->last_subcode, v->what, "%s", v->name);
		cr_expect_eq(reader->updates, updates, "%s", v->name);
		pair_run(pair, 60);
		cr_expect(pair_is_joined(pair), "%s: it comes back", v->name);
	} else {
		cr_expect_eq(reader->updates, updates + 1, "%s", v->name);
		cr_expect_eq(reader->downs, 0, "%s", v->name);
		cr_expect_eq(reader->notes_sent, notes, "%s", v->name);
	}
	updates = reader->updates;
	inject(pair, good_of(v->session));
	cr_expect_eq(reader->updates, updates + 1, "%s: the good route did not arrive", v->name);
	free(pair);
}

Test(bgp_update_effect, the_session_lives_on_unless_it_is_a_reset)
{
	for (size_t i = 0; i < N_VECTORS; i++)
		check_session(&vectors[i]);
}
