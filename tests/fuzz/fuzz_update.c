// SPDX-License-Identifier: GPL-2.0-only
/*
 * The body of an UPDATE, decoded in one of many sessions; then everything that was accepted is walked,
 * printed, and announced again: what we write, we must read without a finding, with the same attributes
 * and prefixes. First octet: the session.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/aspath.h"
#include "bgp/community.h"
#include "bgp/frame.h"
#include "bgp/update_decode.h"
#include "bgp/update_encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bgp_update update, again;
static const struct bgp_update_limits no_limits;

#define PREFIXES_MAX 65536
static struct ip_prefix prefixes[PREFIXES_MAX];
static uint32_t path_ids[PREFIXES_MAX];
static uint8_t out[BGP_MSG_MAX_EXTENDED];

static void require(bool holds)
{
	if (!holds)
		abort();
}

static size_t walk(const struct bgp_nlri *nlri)
{
	int count = nlri_validate(nlri);
	struct nlri_iter it;
	size_t n = 0;

	require(count >= 0 && count <= PREFIXES_MAX);
	nlri_iter_init(&it, nlri);
	while (nlri_next(&it, &prefixes[n], &path_ids[n])) {
		struct ip_prefix masked = prefixes[n];

		prefix_mask(&masked);
		require(prefix_equal(&masked, &prefixes[n]));
		n++;
	}
	require(n <= (size_t)count);
	return n;
}

static void print(const struct bgp_attrs *attrs)
{
	char text[256], one[COMMUNITY_TEXT_MAX];

	aspath_format(attrs->as_path, text, sizeof(text));
	require(strlen(text) < sizeof(text));
	aspath_length(attrs->as_path);
	aspath_origin(attrs->as_path);
	for (unsigned int i = 0; i < community_count(attrs->communities); i++)
		community_format(community_get(attrs->communities, i), one);
	bgp_attrs_hash(attrs);
}

static void announce_again(const struct bgp_session_params *params, unsigned int section)
{
	enum bgp_family family = update.reach[section].family;
	struct bgp_prefix_batch batch = { .prefixes = prefixes, .path_ids = path_ids };
	struct bgp_attrs attrs = update.attrs;
	size_t max = params->extended_message ? BGP_MSG_MAX_EXTENDED : BGP_MSG_MAX;

	attrs.next_hop = update.next_hop[section];
	attrs.link_local = update.link_local[section];
	batch.count = walk(&update.reach[section]);
	while (batch.done < batch.count) {
		size_t before = batch.done;
		struct bgp_error error;
		int len = bgp_update_encode_reach(&attrs, family, params, &batch, out, sizeof(out));

		/* Grown by Partial bits, by a long length or by AS_PATH and AS4_PATH in one message. */
		if (len == -EMSGSIZE)
			return;
		require(len > 0 && (size_t)len <= max && batch.done > before);
		require(bgp_update_decode(out + BGP_HEADER_LEN, (size_t)len - BGP_HEADER_LEN,
					  params, &no_limits, &again, &error) == 0);
		require(again.outcome == BGP_ACCEPT && !again.n_findings);
		section = again.reach[1].len ? 1 : 0;
		again.attrs.next_hop = again.next_hop[section];
		again.attrs.link_local = again.link_local[section];
		require(bgp_attrs_equal(&again.attrs, &attrs));
		require(bgp_attrs_hash(&again.attrs) == bgp_attrs_hash(&attrs));
		require(again.reach[section].family == family);
		require(nlri_validate(&again.reach[section]) == (int)(batch.done - before));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t both = 1u << BGP_IPV4_UNICAST | 1u << BGP_IPV6_UNICAST;
	uint8_t choice = size ? data[0] : 0;
	struct bgp_session_params params = {
		.local_asn = 65515,
		.peer_asn = choice & 1 ? 65515 : 65001,
		.ebgp = !(choice & 1),
		.as4 = !(choice & 2),
		.extended_message = choice & 4,
		.families = choice & 8 ? 1u << BGP_IPV4_UNICAST : both,
		.ext_next_hop = choice & 16 ? 1u << BGP_IPV4_UNICAST : 0,
		.add_path_rx = choice & 32 ? both : 0,
		.add_path_tx = choice & 32 ? both : 0,
	};
	struct bgp_update_limits limits = {
		.max_as_path = choice & 64 ? 10 : 0,
		.max_communities = choice & 64 ? 10 : 0,
		.max_attr_bytes = choice & 64 ? 200 : 0,
		.enforce_first_as = choice & 128,
	};
	struct bgp_error error;

	if (!size || size > BGP_MSG_MAX_EXTENDED - BGP_HEADER_LEN)
		return 0;
	if (bgp_update_decode(data + 1, size - 1, &params, &limits, &update, &error) < 0) {
		require(error.code == BGP_ERR_UPDATE && error.reason);
		return 0;
	}
	require(update.outcome != BGP_RESET && update.n_findings <= BGP_FINDINGS_MAX);
	require(update.outcome == BGP_ACCEPT || update.n_findings);
	for (unsigned int i = 0; i < 2; i++) {
		walk(&update.withdraw[i]);
		walk(&update.reach[i]);
		if (update.outcome <= BGP_DISCARD_ATTR && update.reach[i].len)
			announce_again(&params, i);
	}
	print(&update.attrs);
	return 0;
}
