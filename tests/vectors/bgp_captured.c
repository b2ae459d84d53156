// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages that real routers sent ($XRS_SHARED_DATA/valid-mrt.jsonl.gz, not in the tree), decoded and
 * compared field by field with what an independent decoder says of them.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgp/aspath.h"
#include "bgp/community.h"
#include "bgp/frame.h"
#include "bgp/update_decode.h"
#include "octets.h"

#define TEXT_MAX 65536

static struct bgp_update update;
static const char *name; /* of the message under test */

static const char *text_of(const json_t *expect, const char *key)
{
	return json_string_value(json_object_get(expect, key));
}

static void same_text(const char *what, const char *got, const char *expected)
{
	cr_expect_str_eq(got, expected, "%s: %s is \"%s\", not \"%s\"", name, what, got, expected);
}

/* --- what the other decoder does not do ------------------------------------------------------ */

/* RFC 6793 4.2.3 on the texts: the head of AS_PATH, then AS4_PATH. */
static void merged_path(const json_t *expect, char *buf, size_t cap)
{
	const char *path = text_of(expect, "as_path"), *as4 = text_of(expect, "as4_path");
	size_t hops = 1, as4_hops = 1;

	for (const char *at = path; *at; at++)
		hops += *at == ' ';
	for (const char *at = as4; at && *at; at++)
		as4_hops += *at == ' ';
	buf[0] = '\0';
	for (size_t n = as4 && as4_hops <= hops ? hops - as4_hops : hops; n && *path; n--) {
		size_t len = strcspn(path, " ");

		snprintf(buf + strlen(buf), cap - strlen(buf), "%s%.*s", *buf ? " " : "", (int)len,
			 path);
		path += len + (path[len] == ' ');
	}
	if (as4 && as4_hops <= hops)
		snprintf(buf + strlen(buf), cap - strlen(buf), "%s%s", *buf ? " " : "", as4);
}

/* RFC 9774: such paths are withdrawn, by us. */
static bool has_set(const json_t *expect)
{
	const char *path = text_of(expect, "as_path");

	return path && strchr(path, '{');
}

/* Nor does it judge a next hop: some collectors write :: in its place. */
static bool has_zero_next_hop(const json_t *expect)
{
	const char *next_hop = text_of(json_object_get(expect, "mp_reach"), "next_hop");

	return next_hop && !strcmp(next_hop, "::");
}

static enum bgp_outcome outcome_of(const json_t *expect)
{
	return has_set(expect) || has_zero_next_hop(expect) ? BGP_TREAT_AS_WITHDRAW : BGP_ACCEPT;
}

/* --- field by field -------------------------------------------------------------------------- */

static void check_path(const json_t *expect)
{
	static char got[TEXT_MAX], wanted[TEXT_MAX];

	if (!text_of(expect, "as_path"))
		return;
	cr_expect(update.attrs.has & BGP_HAS_AS_PATH, "%s: no AS_PATH", name);
	merged_path(expect, wanted, sizeof(wanted));
	same_text("AS_PATH", aspath_format(update.attrs.as_path, got, sizeof(got)), wanted);
}

static void check_number(const json_t *expect, const char *key, uint32_t bit, uint32_t got)
{
	const json_t *wanted = json_object_get(expect, key);

	cr_expect_eq(!!(update.attrs.has & bit), wanted != NULL, "%s: presence of %s", name, key);
	if (wanted)
		cr_expect_eq(got, json_integer_value(wanted), "%s: %s is %u", name, key, got);
}

static void check_origin(const json_t *expect)
{
	const char *wanted = text_of(expect, "origin");

	cr_expect_eq(!!(update.attrs.has & BGP_HAS_ORIGIN), wanted != NULL, "%s: ORIGIN", name);
	if (wanted)
		cr_expect_eq(strcasecmp(bgp_origin_name(update.attrs.origin), wanted), 0,
			     "%s: ORIGIN is %u, not %s", name, update.attrs.origin, wanted);
}

static void check_aggregator(const json_t *expect)
{
	const char *wanted = text_of(expect, "aggregator");
	struct ip_addr id = ip_from_v4(update.attrs.aggregator_id);
	char got[IP_TEXT_MAX + 16], address[IP_TEXT_MAX];

	cr_expect_eq(!!(update.attrs.has & BGP_HAS_AGGREGATOR), wanted != NULL, "%s: AGGREGATOR",
		     name);
	snprintf(got, sizeof(got), "%u %s", update.attrs.aggregator_asn, ip_format(&id, address));
	if (wanted)
		same_text("AGGREGATOR", got, wanted);
}

static void check_communities(const json_t *expect)
{
	const json_t *wanted = json_object_get(expect, "communities");
	struct bgp_blob got = update.attrs.communities;

	cr_expect_eq(community_count(got), json_array_size(wanted), "%s: COMMUNITIES", name);
	for (unsigned int i = 0; i < community_count(got); i++) {
		uint32_t value = community_get(got, i);
		char text[COMMUNITY_TEXT_MAX];

		snprintf(text, sizeof(text), "%u:%u", value >> 16, value & 0xffff);
		same_text("community", text, json_string_value(json_array_get(wanted, i)));
	}
}

static void check_ext_communities(const json_t *expect)
{
	const json_t *wanted = json_object_get(expect, "ext_communities");
	struct bgp_blob got = update.attrs.ext_communities;

	cr_expect_eq(got.len, 8 * json_array_size(wanted), "%s: EXTENDED COMMUNITIES", name);
	for (size_t i = 0; i < json_array_size(wanted) && got.len; i++) {
		uint8_t value[8];

		octets(json_string_value(json_array_get(wanted, i)), value, sizeof(value));
		cr_expect_eq(memcmp(got.data + 8 * i, value, 8), 0, "%s: extended %zu", name, i);
	}
}

static void check_reflection(const json_t *expect)
{
	const json_t *clusters = json_object_get(expect, "cluster_list");
	const char *wanted = text_of(expect, "originator_id");
	struct ip_addr id = ip_from_v4(update.attrs.originator_id);
	struct bgp_blob got = update.attrs.cluster_list;
	char text[IP_TEXT_MAX];

	if (wanted)
		same_text("ORIGINATOR_ID", ip_format(&id, text), wanted);
	cr_expect_eq(got.len, 4 * json_array_size(clusters), "%s: CLUSTER_LIST", name);
	for (size_t i = 0; i < json_array_size(clusters) && got.len; i++) {
		id = ip_from_bytes(IP_V4, got.data + 4 * i);
		same_text("cluster", ip_format(&id, text),
			  json_string_value(json_array_get(clusters, i)));
	}
}

static void check_prefixes(const char *what, const struct bgp_nlri *nlri, const json_t *wanted)
{
	struct ip_prefix prefix;
	struct nlri_iter it;
	uint32_t path_id;
	size_t n = 0;

	nlri_iter_init(&it, nlri);
	for (; nlri_next(&it, &prefix, &path_id); n++) {
		const char *expected = json_string_value(json_array_get(wanted, n));
		char text[PREFIX_TEXT_MAX];

		if (expected)
			same_text(what, prefix_format(&prefix, text), expected);
	}
	cr_expect_eq(n, json_array_size(wanted), "%s: %zu prefixes in %s", name, n, what);
}

static void check_next_hop(const char *wanted, unsigned int section)
{
	char text[2 * IP_TEXT_MAX], second[IP_TEXT_MAX];

	if (!wanted)
		return;
	ip_format(&update.next_hop[section], text);
	if (update.link_local[section].family != IP_NONE) {
		strcat(text, " ");
		strcat(text, ip_format(&update.link_local[section], second));
	}
	same_text("next hop", text, wanted);
}

static bool is_ours(const json_t *mp)
{
	return json_integer_value(json_object_get(mp, "safi")) == BGP_SAFI_UNICAST;
}

static void check_multiprotocol(const json_t *expect)
{
	const json_t *reach = json_object_get(expect, "mp_reach");
	const json_t *unreach = json_object_get(expect, "mp_unreach");
	bool ours_reach = reach && is_ours(reach), ours_unreach = unreach && is_ours(unreach);

	cr_expect_eq(update.foreign_family, (reach && !ours_reach) || (unreach && !ours_unreach),
		     "%s: foreign", name);
	check_prefixes("MP_REACH_NLRI", &update.reach[1],
		       ours_reach ? json_object_get(reach, "prefixes") : NULL);
	check_prefixes("MP_UNREACH_NLRI", &update.withdraw[1],
		       ours_unreach ? json_object_get(unreach, "prefixes") : NULL);
	if (ours_reach)
		check_next_hop(text_of(reach, "next_hop"), 1);
}

static void check_fields(const json_t *expect)
{
	const struct bgp_attrs *attrs = &update.attrs;

	check_prefixes("NLRI", &update.reach[0], json_object_get(expect, "announce"));
	check_prefixes("withdrawn", &update.withdraw[0], json_object_get(expect, "withdraw"));
	check_multiprotocol(expect);
	check_origin(expect);
	check_number(expect, "med", BGP_HAS_MED, attrs->med);
	check_number(expect, "local_pref", BGP_HAS_LOCAL_PREF, attrs->local_pref);
	cr_expect_eq(!!(attrs->has & BGP_HAS_ATOMIC_AGGREGATE),
		     json_is_true(json_object_get(expect, "atomic_aggregate")), "%s: atomic", name);
	check_aggregator(expect);
	check_communities(expect);
	check_ext_communities(expect);
	check_reflection(expect);
	if (json_object_get(expect, "announce"))
		check_next_hop(text_of(expect, "next_hop"), 0);
	if (!has_set(expect))
		check_path(expect);
}

/* --- messages -------------------------------------------------------------------------------- */

struct tally {
	unsigned int messages, withdrawn, merged;
};

static void check_message(const json_t *record, struct tally *tally)
{
	static uint8_t buf[BGP_MSG_MAX_EXTENDED];
	static const struct bgp_update_limits no_limits;
	const json_t *expect = json_object_get(record, "expect");
	struct bgp_session_params params = {
		.as4 = json_integer_value(json_object_get(record, "asn_size")) == 4,
		.ebgp = !json_object_get(expect, "local_pref"),
		.families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST) | BGP_FAMILY_BIT(BGP_IPV6_UNICAST),
	};
	size_t len = octets(text_of(record, "hex"), buf, sizeof(buf));
	struct bgp_frame frame;
	struct bgp_error error;

	name = text_of(record, "name");
	cr_assert_eq(bgp_frame_next(buf, len, len > BGP_MSG_MAX, &frame, &error), 1, "%s", name);
	cr_assert_eq(frame.total_len, len, "%s", name);
	cr_assert_eq(frame.type, BGP_MSG_UPDATE, "%s", name);
	cr_assert_eq(
		bgp_update_decode(frame.body, frame.body_len, &params, &no_limits, &update, &error),
		0, "%s: %s", name, error.reason);
	cr_expect_eq(update.outcome, outcome_of(expect), "%s: outcome %d: %s", name, update.outcome,
		     update.n_findings ? update.findings[0].reason : "");
	check_fields(expect);
	tally->messages++;
	tally->withdrawn += outcome_of(expect) == BGP_TREAT_AS_WITHDRAW;
	tally->merged += text_of(expect, "as4_path") != NULL;
}

static FILE *open_data(void)
{
	const char *dir = getenv("XRS_SHARED_DATA");
	char path[1024], command[1100];

	snprintf(path, sizeof(path), "%s/valid-mrt.jsonl.gz", dir ? dir : "../shared/data");
	if (access(path, R_OK) != 0)
		return NULL;
	snprintf(command, sizeof(command), "zcat '%s'", path);
	return popen(command, "r");
}

Test(bgp_captured, real_messages_decode_as_another_decoder_says)
{
	static char line[400000];
	struct tally tally = { 0 };
	FILE *data = open_data();

	if (!data)
		cr_skip_test("valid-mrt.jsonl.gz is not in $XRS_SHARED_DATA");
	while (fgets(line, sizeof(line), data)) {
		json_t *record = json_loads(line, 0, NULL);

		cr_assert_not_null(record, "line %u is not JSON", tally.messages + 1);
		check_message(record, &tally);
		json_decref(record);
	}
	pclose(data);
	cr_expect_geq(tally.messages, 5000);
	cr_log_info("%u messages, %u treated as withdrawals, %u merged with AS4_PATH",
		    tally.messages, tally.withdrawn, tally.merged);
}
