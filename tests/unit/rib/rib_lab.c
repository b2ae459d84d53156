// SPDX-License-Identifier: GPL-2.0-only
/* See rib_lab.h. Messages are encoded and decoded by the real codec. */
#include "rib_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/frame.h"

const struct mono lab_now = { .usec = 7000000 };

static void on_change(void *ctx, const struct rib_change *change)
{
	struct lab *lab = ctx;

	lab->changes++;
	lab->last_change = *change;
}

static void on_event(void *ctx, enum rib_event_type type, uint16_t peer, enum bgp_family family,
		     uint32_t count)
{
	struct lab *lab = ctx;

	lab->wakes += type == RIB_EVENT_OUTPUT;
	lab->warns += type == RIB_EVENT_LIMIT_WARN;
	lab->no_room += type == RIB_EVENT_MEMORY;
	lab->room += type == RIB_EVENT_ROOM;
	lab->exceeded += type == RIB_EVENT_LIMIT_EXCEEDED;
	if (type != RIB_EVENT_OUTPUT)
		lab->last_count = count;
}

struct ip_addr lab_ip(const char *text)
{
	struct ip_addr addr;

	cr_assert_eq(ip_parse(text, &addr), 0, "%s", text);
	return addr;
}

struct ip_prefix lab_prefix(const char *text)
{
	struct ip_prefix prefix;

	cr_assert_eq(prefix_parse(text, &prefix), 0, "%s", text);
	return prefix;
}

void lab_start(struct lab *lab)
{
	struct nexthop_events events = { 0 };
	struct rib_callbacks callbacks = { .ctx = lab, .changed = on_change, .event = on_event };

	*lab = (struct lab){ .config = {
				     .vnet = 1, .local_asn = LAB_ASN, .local_id = 0x0a01ff04 } };
	lab->config.decision.max_paths = 16;
	lab->config.nexthops_always_usable = true;
	lab->config.local_addr[BGP_IPV4_UNICAST] = lab_ip("10.1.255.4");
	lab->config.local_addr[BGP_IPV6_UNICAST] = lab_ip("fd00:1::4");
	lab->nexthops = nexthop_table_new(&events);
	lab->rib = rib_new(&lab->config, lab->nexthops, &callbacks);
	cr_assert(lab->nexthops && lab->rib);
}

void lab_stop(struct lab *lab)
{
	rib_free(lab->rib);
	nexthop_table_free(lab->nexthops);
}

void lab_work(struct lab *lab)
{
	while (rib_work(lab->rib, 1000, lab_now))
		;
}

struct bgp_session_params lab_params(uint32_t asn, uint32_t id)
{
	return (struct bgp_session_params){
		.local_asn = LAB_ASN,
		.peer_asn = asn,
		.local_id = 0x0a01ff04,
		.peer_id = id,
		.ebgp = asn != LAB_ASN,
		.as4 = true,
		.families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST) | BGP_FAMILY_BIT(BGP_IPV6_UNICAST),
	};
}

struct rib_peer_config lab_peer_config(uint32_t asn, uint8_t n)
{
	struct rib_peer_config config = {
		.asn = asn,
		.role = PEER_NVA,
		.addr = ip_from_v4(0xc0000200u + n),
		.advertise_vnet = true,
		.advertise_learned = true,
		.stale_allowed = true,
	};

	snprintf(config.name, sizeof(config.name), "peer%u", n);
	return config;
}

uint16_t lab_peer_with(struct lab *lab, const struct rib_peer_config *config,
		       const struct bgp_session_params *params)
{
	uint16_t peer;

	cr_assert_eq(rib_peer_add(lab->rib, config, &peer), 0);
	rib_peer_up(lab->rib, peer, params, lab_now);
	return peer;
}

uint16_t lab_peer(struct lab *lab, uint32_t asn, uint8_t n)
{
	struct rib_peer_config config = lab_peer_config(asn, n);
	struct bgp_session_params params = lab_params(asn, n);

	return lab_peer_with(lab, &config, &params);
}

static struct bgp_nlri section(const char *prefixes, uint8_t *buf, size_t cap)
{
	struct wire_writer w;
	char *copy = strdup(prefixes), *save;
	struct bgp_nlri nlri = { .data = buf };

	wire_write_init(&w, buf, cap);
	for (char *text = strtok_r(copy, " ", &save); text; text = strtok_r(NULL, " ", &save)) {
		struct ip_prefix prefix = lab_prefix(text);

		nlri.family = prefix.addr.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
		nlri_put(&w, &prefix, false, 0);
	}
	cr_assert_not(w.failed);
	nlri.len = (uint32_t)w.pos;
	free(copy);
	return nlri;
}

struct extra {
	uint32_t community, otc;
	float bandwidth;
};

static uint32_t float_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static void announce(struct lab *lab, uint16_t peer, const char *prefixes, const char *path,
		     const char *next_hop, const struct extra *extra)
{
	static struct bgp_update u;
	uint8_t nlri[2048], as_path[128], communities[4],
		bandwidth[] = { 0x40, 0x04, 0xfd, 0xe9, [7] = 0 };
	uint32_t asns[16];
	size_t n = 0;
	struct wire_writer w;

	for (const char *at = path; *at && n < 16;) {
		char *end;

		asns[n++] = (uint32_t)strtoul(at, &end, 10);
		at = end + strspn(end, " ");
	}
	u = (struct bgp_update){ .attrs.has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH };
	u.attrs.as_path.data = as_path;
	u.attrs.as_path.len = (uint32_t)aspath_from_asns(asns, n, as_path, sizeof(as_path));
	if (extra->community) {
		wire_write_init(&w, communities, 4);
		wire_put_u32(&w, extra->community);
		u.attrs.has |= BGP_HAS_COMMUNITIES;
		u.attrs.communities = (struct bgp_blob){ communities, 4 };
	}
	if (extra->otc) {
		u.attrs.has |= BGP_HAS_OTC;
		u.attrs.otc = extra->otc;
	}
	if (extra->bandwidth > 0) {
		wire_write_init(&w, bandwidth + 4, 4);
		wire_put_u32(&w, float_bits(extra->bandwidth));
		u.attrs.has |= BGP_HAS_EXT_COMMUNITIES;
		u.attrs.ext_communities = (struct bgp_blob){ bandwidth, sizeof(bandwidth) };
	}
	u.reach[0] = section(prefixes, nlri, sizeof(nlri));
	u.next_hop[0] = lab_ip(next_hop);
	cr_assert_eq(rib_update(lab->rib, peer, &u, lab_now), 0);
}

void lab_announce(struct lab *lab, uint16_t peer, const char *prefixes, const char *path,
		  const char *next_hop, uint32_t community)
{
	announce(lab, peer, prefixes, path, next_hop, &(struct extra){ .community = community });
}

void lab_announce_otc(struct lab *lab, uint16_t peer, const char *prefixes, const char *path,
		      const char *next_hop, uint32_t otc)
{
	announce(lab, peer, prefixes, path, next_hop, &(struct extra){ .otc = otc });
}

void lab_announce_bandwidth(struct lab *lab, uint16_t peer, const char *prefixes, const char *path,
			    const char *next_hop, float bandwidth)
{
	announce(lab, peer, prefixes, path, next_hop, &(struct extra){ .bandwidth = bandwidth });
}

void lab_withdraw(struct lab *lab, uint16_t peer, const char *prefixes)
{
	static struct bgp_update u;
	uint8_t nlri[2048];

	u = (struct bgp_update){ 0 };
	u.withdraw[0] = section(prefixes, nlri, sizeof(nlri));
	cr_assert_eq(rib_update(lab->rib, peer, &u, lab_now), 0);
}

void lab_end_of_rib(struct lab *lab, uint16_t peer)
{
	static struct bgp_update u;

	u = (struct bgp_update){ .end_of_rib = true, .eor_family = BGP_IPV4_UNICAST };
	cr_assert_eq(rib_update(lab->rib, peer, &u, lab_now), 0);
	lab_work(lab);
}

static bool take_first(void *ctx, const struct rib_path_view *view)
{
	struct rib_path_view *first = ctx;

	if (!first->prefix.addr.family)
		*first = *view;
	return true;
}

struct rib_path_view lab_first(const struct lab *lab, const char *text)
{
	struct rib_path_view first = { 0 };
	struct ip_prefix prefix = lab_prefix(text);

	rib_explain(lab->rib, &prefix, take_first, &first);
	return first;
}

static void hear_section(struct lab_heard *heard, const struct bgp_update *u, unsigned int which)
{
	struct nlri_iter it;
	struct ip_prefix prefix;
	uint32_t path_id;

	nlri_iter_init(&it, &u->withdraw[which]);
	while (u->withdraw[which].len && nlri_next(&it, &prefix, &path_id)) {
		cr_assert_lt(heard->n_withdrawn, 64);
		heard->withdrawn[heard->n_withdrawn++] = prefix;
	}
	nlri_iter_init(&it, &u->reach[which]);
	while (u->reach[which].len && nlri_next(&it, &prefix, &path_id)) {
		struct lab_told *t = &heard->told[heard->n_told++];

		cr_assert_leq(heard->n_told, 64);
		*t = (struct lab_told){ .prefix = prefix, .next_hop = u->next_hop[which] };
		aspath_format(u->attrs.as_path, t->path, sizeof(t->path));
		t->has_med = u->attrs.has & BGP_HAS_MED;
		t->path_id = path_id;
		t->local_pref = u->attrs.local_pref;
		t->otc = u->attrs.has & BGP_HAS_OTC ? u->attrs.otc : 0;
		t->n_communities = community_count(u->attrs.communities);
		for (unsigned int i = 0; i < t->n_communities && i < 4; i++)
			t->communities[i] = community_get(u->attrs.communities, i);
		heard->eor_last = false;
	}
}

static void hear_refresh(struct lab_heard *heard, const uint8_t *message, size_t len)
{
	struct bgp_route_refresh refresh;
	struct bgp_error error;

	cr_assert_eq(bgp_route_refresh_decode(message + BGP_HEADER_LEN, len - BGP_HEADER_LEN,
					      &refresh, &error),
		     0);
	if (refresh.afi != BGP_AFI_IPV4)
		return;
	if (refresh.subtype == BGP_REFRESH_BORR)
		heard->borr_at = (int)heard->n_told;
	else
		heard->eorr_at = (int)heard->n_told;
}

static void hear_message(struct lab_heard *heard, const struct bgp_session_params *params,
			 const uint8_t *message, size_t len)
{
	static struct bgp_update u;
	struct bgp_error error;

	heard->n_messages++;
	if (message[18] == BGP_MSG_ROUTE_REFRESH) {
		hear_refresh(heard, message, len);
		return;
	}
	cr_assert_eq(bgp_update_decode(message + BGP_HEADER_LEN, len - BGP_HEADER_LEN, params,
				       &(struct bgp_update_limits){ 0 }, &u, &error),
		     0);
	cr_assert_eq(u.outcome, BGP_ACCEPT);
	for (unsigned int i = 0; i < 2; i++)
		hear_section(heard, &u, i);
	if (u.end_of_rib) {
		heard->eor |= BGP_FAMILY_BIT(u.eor_family);
		heard->eor_last |= u.eor_family == BGP_IPV4_UNICAST;
	}
}

struct lab_heard lab_hear(struct lab *lab, uint16_t peer)
{
	static uint8_t buf[BGP_MSG_MAX];
	struct bgp_session_params params = lab_params(LAB_ASN, 1);
	struct lab_heard heard = { .borr_at = -1, .eorr_at = -1 };
	size_t len, at;

	params.local_asn = 65000;
	params.ebgp = rib_peer_get(lab->rib, peer)->asn != LAB_ASN;
	params.ext_next_hop = BGP_FAMILY_BIT(BGP_IPV4_UNICAST); /* reads it, whoever may send it */
	while ((len = rib_produce(lab->rib, peer, buf, sizeof(buf)))) {
		for (at = 0; at < len;) {
			size_t message = (size_t)buf[at + 16] << 8 | buf[at + 17];

			hear_message(&heard, &params, buf + at, message);
			at += message;
		}
	}
	cr_assert_not(rib_output_pending(lab->rib, peer));
	return heard;
}

const struct lab_told *lab_find(const struct lab_heard *heard, const char *prefix)
{
	struct ip_prefix want = lab_prefix(prefix);

	for (unsigned int i = heard->n_told; i-- > 0;) {
		if (prefix_equal(&heard->told[i].prefix, &want))
			return &heard->told[i];
	}
	return NULL;
}

static void append_hops(const struct lab *lab, char *text, const uint32_t *ids, unsigned int n)
{
	char ip[IP_TEXT_MAX];

	for (unsigned int i = 0; i < n; i++) {
		strcat(text, *text ? " " : "");
		strcat(text, ip_format(&nexthop_info(lab->nexthops, ids[i])->addr, ip));
	}
}

const char *lab_offered(const struct lab *lab, const char *prefix)
{
	static char text[1024];
	struct ip_prefix want = lab_prefix(prefix);
	const struct group_info *info = group_info(lab->nexthops, rib_lookup(lab->rib, &want));

	text[0] = 0;
	if (!info)
		return text;
	append_hops(lab, text, info->member, info->n_members);
	if (info->n_backup)
		strcat(text, " |");
	append_hops(lab, text, info->backup, info->n_backup);
	return text;
}
