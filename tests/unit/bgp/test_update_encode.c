// SPDX-License-Identifier: GPL-2.0-only
/*
 * UPDATE out: what we write, we read again as the same, in every kind of session; never over the limit,
 * always as full as it can be. Random sets of attributes with a fixed seed.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/frame.h"
#include "bgp/update_decode.h"
#include "bgp/update_encode.h"
#include "octets.h"

#define V4   BGP_FAMILY_BIT(BGP_IPV4_UNICAST)
#define V6   BGP_FAMILY_BIT(BGP_IPV6_UNICAST)
#define BOTH (V4 | V6)

static const struct bgp_session_params sessions[] = {
	{ .ebgp = true, .as4 = true, .families = BOTH },
	{ .ebgp = false, .as4 = true, .families = BOTH },
	{ .ebgp = true, .as4 = false, .families = BOTH },
	{ .ebgp = false, .as4 = false, .families = BOTH },
	{ .ebgp = true, .as4 = true, .families = BOTH, .extended_message = true },
	{ .ebgp = true, .as4 = false, .families = BOTH, .extended_message = true },
	{ .ebgp = true, .as4 = true, .families = BOTH, .add_path_tx = BOTH, .add_path_rx = BOTH },
	{ .ebgp = true, .as4 = true, .families = BOTH, .ext_next_hop = V4 },
};
#define N_SESSIONS (sizeof(sessions) / sizeof(sessions[0]))

static const struct bgp_update_limits no_limits;
static uint8_t buf[BGP_MSG_MAX_EXTENDED];
static struct bgp_update u;

/* --- random sets ----------------------------------------------------------------------------- */

static uint64_t state;

static uint32_t any(uint32_t below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(state >> 33) % below;
}

struct set {
	struct bgp_attrs attrs;
	uint8_t path[4096], communities[2048], ext[1024], ipv6[400], large[1200], cluster[64];
	uint8_t unknown[1024];
};

static struct bgp_blob random_blob(uint8_t *at, uint32_t each, uint32_t max)
{
	uint32_t len = each * (1 + any(max));

	for (uint32_t i = 0; i < len; i++)
		at[i] = (uint8_t)any(256);
	return (struct bgp_blob){ at, len };
}

/* Mostly short; sometimes over one segment. 4-octet ASNs appear in a third of them. */
static struct bgp_blob random_path(uint8_t *at, size_t cap)
{
	static uint32_t asns[800];
	uint32_t n = any(20) ? any(12) : any(800), wide = any(3);

	for (uint32_t i = 0; i < n; i++) {
		asns[i] = 1 + any(wide ? 65000 : 4200000000u);
		asns[i] += asns[i] == BGP_AS_TRANS;
	}
	return (struct bgp_blob){ at, (uint32_t)aspath_from_asns(asns, n, at, cap) };
}

static struct bgp_blob random_unknown(uint8_t *at)
{
	static const char *const texts[] = { "e0 14 {1 01}", "e0 1a {1}", "e0 63 {1 *200(aa)}",
					     "f0 80 {2 *300(bb)}", "e0 ff {1 02}" };
	size_t len = 0;

	for (size_t i = 0; i < 5; i++) {
		if (any(2))
			len += octets(texts[i], at + len, 1024 - len);
	}
	return (struct bgp_blob){ at, (uint32_t)len };
}

static void random_set(struct set *s, const struct bgp_session_params *params, bool v6_next_hop)
{
	struct bgp_attrs *a = &s->attrs;
	uint8_t address[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	memset(a, 0, sizeof(*a));
	a->has = (any(1u << 15) | BGP_HAS_ORIGIN | BGP_HAS_AS_PATH) & ~BGP_HAS_NEXT_HOP;
	if (params->ebgp)
		a->has &= ~(BGP_HAS_LOCAL_PREF | BGP_HAS_ORIGINATOR_ID | BGP_HAS_CLUSTER_LIST);
	a->origin = (uint8_t)any(3);
	a->med = any(UINT32_MAX);
	a->local_pref = any(UINT32_MAX);
	a->aggregator_asn = 1 + any(any(2) ? 65000 : 4200000000u);
	a->aggregator_id = any(UINT32_MAX);
	a->originator_id = any(UINT32_MAX);
	a->otc = any(UINT32_MAX);
	a->partial =
		a->has & (BGP_HAS_COMMUNITIES | BGP_HAS_LARGE | BGP_HAS_AGGREGATOR) & any(1u << 15);
	a->as_path = random_path(s->path, sizeof(s->path));
	if (a->has & BGP_HAS_COMMUNITIES)
		a->communities = random_blob(s->communities, 4, any(10) ? 20 : 500);
	if (a->has & BGP_HAS_EXT_COMMUNITIES)
		a->ext_communities = random_blob(s->ext, 8, any(10) ? 8 : 100);
	if (a->has & BGP_HAS_IPV6_EXT)
		a->ipv6_ext = random_blob(s->ipv6, 20, 20);
	if (a->has & BGP_HAS_LARGE)
		a->large_communities = random_blob(s->large, 12, any(10) ? 8 : 100);
	if (a->has & BGP_HAS_CLUSTER_LIST)
		a->cluster_list = random_blob(s->cluster, 4, 16);
	if (a->has & BGP_HAS_UNKNOWN)
		a->unknown = random_unknown(s->unknown);
	if (!a->unknown.len)
		a->has &= ~BGP_HAS_UNKNOWN;
	address[15] = (uint8_t)(1 + any(200));
	a->next_hop = v6_next_hop ? ip_from_bytes(IP_V6, address)
				  : ip_from_v4(0x0a000000 + 1 + any(1000));
	address[0] = 0xfe;
	address[1] = 0x80;
	if (v6_next_hop && any(2))
		a->link_local = ip_from_bytes(IP_V6, address);
}

#define PREFIXES 3000
static struct ip_prefix prefixes[PREFIXES];
static uint32_t path_ids[PREFIXES];

static void random_prefixes(enum bgp_family family)
{
	for (size_t i = 0; i < PREFIXES; i++) {
		uint8_t bytes[16];
		struct ip_addr addr;

		for (size_t j = 0; j < 16; j++)
			bytes[j] = (uint8_t)any(256);
		/* No multicast: the reader would leave it out. */
		bytes[0] = (uint8_t)(1 + any(200));
		addr = ip_from_bytes(bgp_family_ip(family), bytes);
		prefixes[i] = prefix_of(&addr, (uint8_t)any(ip_bits(bgp_family_ip(family)) + 1));
		path_ids[i] = any(UINT32_MAX);
	}
}

/* --- properties ------------------------------------------------------------------------------ */

static size_t limit_of(const struct bgp_session_params *params)
{
	return params->extended_message ? BGP_MSG_MAX_EXTENDED : BGP_MSG_MAX;
}

static void read_again(int len, const struct bgp_session_params *params)
{
	struct bgp_frame frame;
	struct bgp_error error = { 0 };

	cr_assert_eq(bgp_frame_next(buf, (size_t)len, params->extended_message, &frame, &error), 1);
	cr_assert_eq(frame.total_len, (size_t)len);
	cr_assert_eq(bgp_update_decode(frame.body, frame.body_len, params, &no_limits, &u, &error),
		     0, "%s", error.reason);
	cr_assert_eq(u.outcome, BGP_ACCEPT, "%s", u.findings[0].reason);
	cr_assert_eq(u.n_findings, 0);
}

static void expect_prefixes(const struct bgp_nlri *nlri, size_t from, size_t to)
{
	struct ip_prefix prefix;
	struct nlri_iter it;
	uint32_t path_id;

	nlri_iter_init(&it, nlri);
	for (size_t i = from; i < to; i++) {
		cr_assert(nlri_next(&it, &prefix, &path_id));
		cr_assert(prefix_equal(&prefix, &prefixes[i]));
		cr_assert_eq(path_id, nlri->add_path ? path_ids[i] : 0);
	}
	cr_assert_not(nlri_next(&it, &prefix, &path_id));
}

/* The plain statement of "full": the same message with one prefix more is over the limit. */
static void expect_full(int len, const struct bgp_session_params *params, enum bgp_family family,
			bool mp, size_t mp_value, size_t next)
{
	size_t more = nlri_size(&prefixes[next], params->add_path_tx & BGP_FAMILY_BIT(family));

	if (mp && mp_value <= 255 && mp_value + more > 255)
		more++; /* its length takes an octet more */
	cr_assert_gt((size_t)len + more, limit_of(params));
}

/* Octets of the value of the MP attribute, which is the first one. */
static size_t mp_value_len(size_t attributes_at)
{
	const uint8_t *at = buf + attributes_at;

	return at[0] & BGP_ATTR_F_EXTENDED ? (size_t)at[2] << 8 | at[3] : at[2];
}

static unsigned int announce_all(const struct set *s, enum bgp_family family,
				 const struct bgp_session_params *params, size_t count)
{
	struct bgp_prefix_batch batch = { prefixes, path_ids, count, 0 };
	bool mp = s->attrs.next_hop.family == IP_V6;
	unsigned int messages = 0;

	while (batch.done < count) {
		size_t from = batch.done;
		int len = bgp_update_encode_reach(&s->attrs, family, params, &batch, buf,
						  sizeof(buf));

		if (len == -EMSGSIZE) {
			cr_assert_eq(batch.done, from);
			return 0;
		}
		cr_assert_gt(len, 0);
		cr_assert_leq((size_t)len, limit_of(params));
		cr_assert_gt(batch.done, from);
		read_again(len, params);
		u.attrs.next_hop = u.next_hop[mp];
		u.attrs.link_local = u.link_local[mp];
		cr_assert(bgp_attrs_equal(&u.attrs, &s->attrs));
		cr_assert_eq(u.reach[mp].family, family);
		cr_assert_eq(u.reach[!mp].len + u.withdraw[0].len + u.withdraw[1].len, 0);
		expect_prefixes(&u.reach[mp], from, batch.done);
		if (batch.done < count)
			expect_full(len, params, family, mp, mp ? mp_value_len(23) : 0, batch.done);
		messages++;
	}
	cr_assert_eq(bgp_update_encode_reach(&s->attrs, family, params, &batch, buf, sizeof(buf)),
		     0);
	return messages;
}

Test(update_encode, what_is_announced_is_read_the_same)
{
	static struct set s;
	unsigned int sent = 0, too_big = 0, messages = 0;

	state = 20260101;
	for (unsigned int i = 0; i < 4000; i++) {
		const struct bgp_session_params *params = &sessions[i % N_SESSIONS];
		enum bgp_family family = any(2) ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
		bool v6_next_hop = family == BGP_IPV6_UNICAST || params->ext_next_hop;
		unsigned int n;

		if (i % 50 < 2)
			random_prefixes(family);
		else if (prefixes[0].addr.family != bgp_family_ip(family))
			random_prefixes(family);
		random_set(&s, params, v6_next_hop);
		n = announce_all(&s, family, params, any(10) ? 1 + any(40) : 1 + any(PREFIXES));
		messages += n;
		*(n ? &sent : &too_big) += 1;
	}
	cr_log_info("%u sets in %u messages, %u too big", sent, messages, too_big);
	cr_assert_gt(sent, 3500);
	cr_assert_gt(too_big, 0);
}

/* Attribute sizes octet by octet through the whole range, so that each rest of room is met once. */
Test(update_encode, every_fill_level)
{
	static struct set s;
	static const struct bgp_session_params params = { .ebgp = true,
							  .as4 = true,
							  .families = BOTH };

	state = 7;
	memset(&s, 0, sizeof(s));
	s.attrs.has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH | BGP_HAS_UNKNOWN;
	for (enum bgp_family family = BGP_IPV4_UNICAST; family < BGP_FAMILY_MAX; family++) {
		uint8_t v6[16] = { 0x20, 0x01, [15] = 1 };
		static uint8_t unknown[4096];

		random_prefixes(family);
		s.attrs.next_hop = family == BGP_IPV6_UNICAST ? ip_from_bytes(IP_V6, v6)
							      : ip_from_v4(0x0a000001);
		for (unsigned int value = 3400; value < 4096; value++) {
			char text[64];

			snprintf(text, sizeof(text), "f0 63 {2 *%u(aa)}", value);
			if (value + 4 > sizeof(unknown))
				break;
			s.attrs.unknown.data = unknown;
			s.attrs.unknown.len = (uint32_t)octets(text, unknown, sizeof(unknown));
			announce_all(&s, family, &params, 60);
		}
	}
}

static void withdraw_all(enum bgp_family family, const struct bgp_session_params *params,
			 size_t count)
{
	struct bgp_prefix_batch batch = { prefixes, path_ids, count, 0 };
	bool mp = family == BGP_IPV6_UNICAST;

	while (batch.done < count) {
		size_t from = batch.done;
		int len = bgp_update_encode_withdraw(family, params, &batch, buf, sizeof(buf));

		cr_assert_gt(len, 0);
		cr_assert_leq((size_t)len, limit_of(params));
		read_again(len, params);
		cr_assert_eq(u.withdraw[mp].family, family);
		cr_assert_eq(u.withdraw[!mp].len + u.reach[0].len + u.reach[1].len, 0);
		cr_assert_not(u.end_of_rib);
		expect_prefixes(&u.withdraw[mp], from, batch.done);
		if (batch.done < count)
			expect_full(len, params, family, mp, mp ? mp_value_len(23) : 0, batch.done);
	}
	cr_assert_eq(bgp_update_encode_withdraw(family, params, &batch, buf, sizeof(buf)), 0);
}

Test(update_encode, what_is_withdrawn_is_read_the_same)
{
	state = 99;
	for (unsigned int i = 0; i < 400; i++) {
		enum bgp_family family = any(2) ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;

		random_prefixes(family);
		withdraw_all(family, &sessions[i % N_SESSIONS], 1 + any(PREFIXES));
	}
}

/* --- single points --------------------------------------------------------------------------- */

static struct bgp_attrs plain(void)
{
	static uint8_t path[64];
	static const uint32_t asns[] = { 65515, 4200000001u };

	return (struct bgp_attrs){
		.has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH,
		.as_path = { path, (uint32_t)aspath_from_asns(asns, 2, path, sizeof(path)) },
		.next_hop = ip_from_v4(0x0a000001),
	};
}

static const struct ip_prefix ten = { { IP_V4, { 10, 1, 2 } }, 24 };

static void expect_message(const struct bgp_attrs *attrs, const struct bgp_session_params *params,
			   const char *text)
{
	struct bgp_prefix_batch batch = { .prefixes = &ten, .count = 1 };
	int len =
		bgp_update_encode_reach(attrs, BGP_IPV4_UNICAST, params, &batch, buf, sizeof(buf));
	uint8_t expected[512];
	size_t n = octets(text, expected, sizeof(expected));

	cr_assert_eq(len, (int)n, "%d octets", len);
	cr_assert_eq(memcmp(buf, expected, n), 0, "%s", text);
	cr_assert_eq(batch.done, 1);
}

#define HEADER "*16(ff) {2+18 02 "

Test(update_encode, octets_to_a_4_octet_peer)
{
	struct bgp_attrs attrs = plain();

	expect_message(&attrs, &sessions[0],
		       HEADER "{2} {2 40 01 {1 00} 40 02 {1 02 02 0000ffeb fa56ea01}"
			      "40 03 {1 0a000001}} 18 0a0102}");
}

Test(update_encode, octets_to_a_2_octet_peer)
{
	struct bgp_attrs attrs = plain();

	attrs.has |= BGP_HAS_AGGREGATOR | BGP_HAS_UNKNOWN;
	attrs.aggregator_asn = 4200000001u;
	attrs.aggregator_id = 1;
	attrs.unknown = (struct bgp_blob){ (const uint8_t *)"\xe0\x14\x00\xe0\x63\x00", 6 };
	expect_message(&attrs, &sessions[2],
		       HEADER "{2} {2 40 01 {1 00} 40 02 {1 02 02 ffeb 5ba0} 40 03 {1 0a000001}"
			      "c0 07 {1 5ba0 00000001} c0 11 {1 02 02 0000ffeb fa56ea01}"
			      "c0 12 {1 fa56ea01 00000001} e0 14 {1} e0 63 {1}} 18 0a0102}");
}

Test(update_encode, internal_attributes_stay_inside)
{
	struct bgp_attrs attrs = plain();
	uint8_t cluster[4] = { 1, 2, 3, 4 };
	struct bgp_prefix_batch batch = { .prefixes = &ten, .count = 1 };
	int len;

	attrs.has |= BGP_HAS_LOCAL_PREF | BGP_HAS_ORIGINATOR_ID | BGP_HAS_CLUSTER_LIST;
	attrs.cluster_list = (struct bgp_blob){ cluster, 4 };
	len = bgp_update_encode_reach(&attrs, BGP_IPV4_UNICAST, &sessions[0], &batch, buf,
				      sizeof(buf));
	read_again(len, &sessions[0]);
	cr_assert_eq(u.attrs.has, BGP_HAS_ORIGIN | BGP_HAS_AS_PATH | BGP_HAS_NEXT_HOP);
}

Test(update_encode, empty_lists_are_not_sent)
{
	struct bgp_attrs attrs = plain();
	struct bgp_prefix_batch batch = { .prefixes = &ten, .count = 1 };
	int len;

	attrs.has |= BGP_HAS_COMMUNITIES | BGP_HAS_EXT_COMMUNITIES | BGP_HAS_LARGE |
		     BGP_HAS_IPV6_EXT | BGP_HAS_CLUSTER_LIST | BGP_HAS_UNKNOWN;
	len = bgp_update_encode_reach(&attrs, BGP_IPV4_UNICAST, &sessions[1], &batch, buf,
				      sizeof(buf));
	read_again(len, &sessions[1]);
	cr_assert_eq(u.attrs.has, BGP_HAS_ORIGIN | BGP_HAS_AS_PATH | BGP_HAS_NEXT_HOP);
}

Test(update_encode, what_can_not_be_said_is_refused)
{
	struct bgp_prefix_batch batch = { .prefixes = &ten, .count = 1 };
	struct bgp_session_params only_v6 = { .as4 = true, .families = V6 };
	uint8_t v6[16] = { 0x20, 0x01, [15] = 1 };
	struct bgp_attrs attrs = plain();

#define ENCODE(family, params) \
	bgp_update_encode_reach(&attrs, family, params, &batch, buf, sizeof(buf))
	cr_assert_eq(ENCODE(BGP_IPV6_UNICAST, &sessions[0]), -EINVAL, "IPv4 next hop");
	cr_assert_eq(ENCODE(BGP_IPV4_UNICAST, &only_v6), -EINVAL, "family not in force");
	attrs.next_hop = ip_from_bytes(IP_V6, v6);
	cr_assert_eq(ENCODE(BGP_IPV4_UNICAST, &sessions[0]), -EINVAL, "RFC 8950 not agreed");
	attrs.next_hop.family = IP_NONE;
	cr_assert_eq(ENCODE(BGP_IPV4_UNICAST, &sessions[0]), -EINVAL, "no next hop");
	attrs = plain();
	attrs.has &= ~BGP_HAS_ORIGIN;
	cr_assert_eq(ENCODE(BGP_IPV4_UNICAST, &sessions[0]), -EINVAL);
	attrs.has = BGP_HAS_ORIGIN;
	cr_assert_eq(ENCODE(BGP_IPV4_UNICAST, &sessions[0]), -EINVAL);
	cr_assert_eq(batch.done, 0);
}

Test(update_encode, too_little_room)
{
	struct bgp_prefix_batch batch = { .prefixes = &ten, .count = 1 };
	struct bgp_attrs attrs = plain();
	int len = bgp_update_encode_reach(&attrs, BGP_IPV4_UNICAST, &sessions[0], &batch, buf,
					  sizeof(buf));

	for (size_t cap = 0; cap < (size_t)len; cap++) {
		batch.done = 0;
		cr_assert_eq(bgp_update_encode_reach(&attrs, BGP_IPV4_UNICAST, &sessions[0], &batch,
						     buf, cap),
			     -EMSGSIZE, "%zu", cap);
	}
	for (size_t cap = 0; cap < 27; cap++)
		cr_assert_eq(bgp_update_encode_withdraw(BGP_IPV4_UNICAST, &sessions[0], &batch, buf,
							cap),
			     -EMSGSIZE, "%zu", cap);
	cr_assert_eq(bgp_update_encode_withdraw(BGP_IPV4_UNICAST, &sessions[0], &batch, buf, 27),
		     27);
}

Test(update_encode, end_of_rib)
{
	for (enum bgp_family family = BGP_IPV4_UNICAST; family < BGP_FAMILY_MAX; family++) {
		int len = bgp_update_encode_eor(family, buf, sizeof(buf));

		cr_assert_eq(len, family == BGP_IPV4_UNICAST ? 23 : 29);
		read_again(len, &sessions[0]);
		cr_assert(u.end_of_rib);
		cr_assert_eq(u.eor_family, family);
		cr_assert_eq(bgp_update_encode_eor(family, buf, (size_t)len - 1), -ENOSPC);
	}
}
