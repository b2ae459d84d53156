// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two route servers joined by memory: RIBs with the real codec between them, under random scripts of routes,
 * withdrawals, refreshes, sessions that end with and without grace and come back with other capabilities,
 * and a stream that arrives in segments of any size. Whatever happened, when all is calm each holds from the
 * other exactly what the other says that it told, attribute by attribute, and nothing of it is stale.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/frame.h"
#include "rib/rib.h"

#define RUNS     150
#define STEPS    1200
#define FEEDERS  3
#define PREFIXES 20
#define PIPE     (1u << 20)
#define ROUTES   1024

struct side {
	struct rib *rib;
	struct nexthop_table *nexthops;
	struct rib_config config;
	struct rib_peer_config peer_config;
	struct bgp_caps caps;
	struct bgp_session_params params;
	uint16_t peer, feeder[FEEDERS];
	uint8_t *in; /* on the way here */
	size_t in_len;
	uint8_t *rx; /* arrived, not a whole message yet */
	size_t rx_len;
};

static struct {
	uint64_t random;
	bool up;
	struct side side[2];
} w;

static const struct mono now = { .usec = 9000000 };

static uint32_t rnd(uint32_t below)
{
	w.random = w.random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(w.random >> 33) % below;
}

static struct ip_prefix prefix_at(enum bgp_family family, unsigned int i)
{
	struct ip_addr addr = { .family = IP_V4, .bytes = { 10, (uint8_t)i } };

	if (family == BGP_IPV6_UNICAST)
		addr = (struct ip_addr){ .family = IP_V6, .bytes = { 0xfd, 0, (uint8_t)i } };
	return prefix_of(&addr, (uint8_t)(family ? 32 + i : 16 + i % 9));
}

/* --- set-up ------------------------------------------------------------------------------------- */

static void on_changed(void *ctx, const struct rib_change *change)
{
}

static uint16_t add_peer(struct side *s, struct rib_peer_config *config)
{
	uint16_t peer;

	config->advertise_vnet = config->advertise_learned = config->stale_allowed = true;
	config->role = PEER_NVA;
	cr_assert_eq(rib_peer_add(s->rib, config, &peer), 0);
	return peer;
}

static void add_feeder(struct side *s, unsigned int n)
{
	struct rib_peer_config config = { .addr = ip_from_v4(0xc0000210u + n), .asn = 65001 + n };
	struct bgp_session_params params = {
		.local_asn = s->config.local_asn,
		.peer_asn = config.asn,
		.peer_id = n + 1,
		.ebgp = true,
		.as4 = true,
		.families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST) | BGP_FAMILY_BIT(BGP_IPV6_UNICAST),
	};

	s->feeder[n] = add_peer(s, &config);
	rib_peer_up(s->rib, s->feeder[n], &params, now);
}

static void start_side(unsigned int i)
{
	const struct rib_callbacks callbacks = { .changed = on_changed };
	struct side *s = &w.side[i];

	s->config = (struct rib_config){ .vnet = 1,
					 .local_asn = i ? 4200000516u : 65515,
					 .local_id = 0x0a01ff04u + i,
					 .nexthops_always_usable = true };
	s->config.decision.max_paths = 4;
	s->config.local_addr[BGP_IPV4_UNICAST] = ip_from_v4(0x0a01ff04u + i);
	s->config.local_addr[BGP_IPV6_UNICAST] =
		(struct ip_addr){ .family = IP_V6, .bytes = { 0xfd, 9, [15] = (uint8_t)(4 + i) } };
	s->nexthops = nexthop_table_new(&(struct nexthop_events){ 0 });
	s->rib = rib_new(&s->config, s->nexthops, &callbacks);
	cr_assert(s->rib && s->nexthops);
	s->peer_config = (struct rib_peer_config){ .addr = ip_from_v4(0x0a01ff05u - i),
						   .asn = i ? 65515 : 4200000516u };
	s->peer = add_peer(s, &s->peer_config);
	for (unsigned int n = 0; n < FEEDERS; n++)
		add_feeder(s, n);
	s->in = malloc(PIPE);
	s->rx = malloc(PIPE);
}

static void stop_side(struct side *s)
{
	rib_free(s->rib);
	nexthop_table_free(s->nexthops);
	free(s->in);
	free(s->rx);
}

/* --- the session ---------------------------------------------------------------------------------- */

static void random_caps(struct side *s)
{
	struct bgp_caps *caps = &s->caps;

	*caps = (struct bgp_caps){ .multiprotocol = true,
				   .as4 = rnd(3),
				   .asn = s->config.local_asn };
	caps->families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	if (rnd(4))
		caps->families |= BGP_FAMILY_BIT(BGP_IPV6_UNICAST);
	caps->route_refresh = rnd(5);
	caps->enhanced_refresh = rnd(2);
	caps->extended_message = rnd(2);
	caps->ext_next_hop = rnd(2) ? BGP_FAMILY_BIT(BGP_IPV4_UNICAST) : 0;
	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++)
		caps->add_path[f] = (uint8_t)rnd(4);
	caps->graceful_restart = rnd(2);
	caps->gr_families = caps->gr_forwarding = caps->families;
	caps->llgr = rnd(2);
}

/* Roles that match (RFC 9234), or none. */
static void random_roles(void)
{
	static const enum bgp_role pairs[][2] = {
		{ BGP_ROLE_PROVIDER, BGP_ROLE_CUSTOMER },
		{ BGP_ROLE_RS_CLIENT, BGP_ROLE_RS },
		{ BGP_ROLE_PEER, BGP_ROLE_PEER },
	};
	unsigned int which = rnd(4);

	for (unsigned int i = 0; i < 2; i++) {
		struct side *s = &w.side[i];

		s->peer_config.has_bgp_role = which < 3;
		s->peer_config.bgp_role = which < 3 ? pairs[which][i] : BGP_ROLE_PROVIDER;
		s->peer_config.add_path_max = 1 + rnd(5);
		rib_peer_reconfigure(s->rib, s->peer, &s->peer_config);
	}
}

static void link_up(void)
{
	random_roles();
	random_caps(&w.side[0]);
	random_caps(&w.side[1]);
	for (unsigned int i = 0; i < 2; i++) {
		struct side *s = &w.side[i], *far = &w.side[!i];

		s->params = (struct bgp_session_params){ .local_asn = s->config.local_asn,
							 .peer_asn = far->config.local_asn,
							 .local_id = s->config.local_id,
							 .peer_id = far->config.local_id,
							 .ebgp = true };
		bgp_caps_negotiate(&s->caps, &far->caps, &s->params);
		rib_peer_up(s->rib, s->peer, &s->params, now);
		for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
			/* RFC 4724 4.2, as the owner of a session does it. */
			if (rib_peer_waiting(s->rib, s->peer, f) && !s->params.peer_gr)
				rib_peer_sweep(s->rib, s->peer, f);
		}
	}
	w.up = true;
}

static void link_down(void)
{
	bool graceful = rnd(2);

	for (unsigned int i = 0; i < 2; i++) {
		struct side *s = &w.side[i];

		rib_peer_down(s->rib, s->peer, graceful && s->params.peer_gr, now);
		s->in_len = s->rx_len = 0;
	}
	w.up = false;
}

static void put(struct side *to, const uint8_t *data, size_t len)
{
	cr_assert_leq(to->in_len + len, PIPE);
	memcpy(to->in + to->in_len, data, len);
	to->in_len += len;
}

/* True when something was said. */
static bool produce(unsigned int i)
{
	static uint8_t buf[BGP_MSG_MAX_EXTENDED];
	struct side *s = &w.side[i];
	size_t len;

	if (w.side[!i].in_len > PIPE / 2)
		return false;
	len = rib_produce(s->rib, s->peer, buf,
			  s->params.extended_message ? sizeof(buf) : BGP_MSG_MAX);
	put(&w.side[!i], buf, len);
	return len;
}

static void ask_refresh(unsigned int i)
{
	struct side *s = &w.side[i];
	struct bgp_route_refresh refresh = { .afi = rnd(2) ? BGP_AFI_IPV4 : BGP_AFI_IPV6,
					     .safi = BGP_SAFI_UNICAST };
	uint8_t msg[64];
	int len = bgp_route_refresh_encode(&refresh, msg, sizeof(msg));

	if (s->params.route_refresh)
		put(&w.side[!i], msg, (size_t)len);
}

static void take_refresh(struct side *s, const struct bgp_frame *frame)
{
	struct bgp_route_refresh refresh;
	struct bgp_error error;
	enum bgp_family family;

	cr_assert_eq(bgp_route_refresh_decode(frame->body, frame->body_len, &refresh, &error), 0);
	cr_assert(bgp_family_from_afi(refresh.afi, refresh.safi, &family));
	if (!(s->params.families & BGP_FAMILY_BIT(family)))
		return;
	if (refresh.subtype == BGP_REFRESH_NORMAL)
		rib_peer_resend(s->rib, s->peer, family);
	else
		cr_assert(rib_peer_refresh(s->rib, s->peer, family,
					   refresh.subtype == BGP_REFRESH_BORR),
			  "a demarcation of ours is never out of turn");
}

static void take_update(struct side *s, const struct bgp_frame *frame)
{
	static const struct bgp_update_limits no_limits;
	static struct bgp_update u;
	struct bgp_error error;

	cr_assert_eq(
		bgp_update_decode(frame->body, frame->body_len, &s->params, &no_limits, &u, &error),
		0, "%s", error.reason);
	cr_assert_eq(u.outcome, BGP_ACCEPT, "what we say is never malformed");
	cr_assert_eq(rib_update(s->rib, s->peer, &u, now), 0);
}

/* A segment of random size arrives. */
static void deliver(struct side *s, size_t n)
{
	struct bgp_frame frame;
	struct bgp_error error;
	size_t done = 0;
	int found;

	n = n < s->in_len ? n : s->in_len;
	memcpy(s->rx + s->rx_len, s->in, n);
	s->rx_len += n;
	s->in_len -= n;
	memmove(s->in, s->in + n, s->in_len);
	while ((found = bgp_frame_next(s->rx + done, s->rx_len - done, s->params.extended_message,
				       &frame, &error)) > 0) {
		if (frame.type == BGP_MSG_UPDATE)
			take_update(s, &frame);
		else
			take_refresh(s, &frame);
		done += frame.total_len;
	}
	cr_assert_eq(found, 0);
	s->rx_len -= done;
	memmove(s->rx, s->rx + done, s->rx_len);
}

/* --- routes -------------------------------------------------------------------------------------- */

static void random_attrs(unsigned int feeder, struct bgp_attrs *a, uint8_t *path, uint8_t *lists)
{
	uint32_t asns[6] = { 65001 + feeder };
	size_t n = 1;

	*a = (struct bgp_attrs){ .has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH,
				 .origin = (uint8_t)rnd(3) };
	for (uint32_t more = rnd(4); more > 0; more--)
		asns[n++] = rnd(2) ? 65100 + rnd(3) : 4200000000u + rnd(3);
	a->as_path = (struct bgp_blob){ path, (uint32_t)aspath_from_asns(asns, n, path, 64) };
	if (rnd(2)) {
		a->has |= BGP_HAS_AGGREGATOR;
		a->aggregator_asn = rnd(2) ? 65100 : 4200000001u;
		a->aggregator_id = 7;
	}
	if (rnd(3) == 0) {
		static const uint32_t some[] = { 0xfde90001, BGP_COMM_NO_EXPORT,
						 BGP_COMM_LLGR_STALE, BGP_COMM_NOPEER };

		community_add(a, some[rnd(4)], lists, 8);
	}
	if (rnd(4) == 0) {
		memset(lists + 16, 1 + (int)rnd(3), 12);
		a->has |= BGP_HAS_LARGE;
		a->large_communities = (struct bgp_blob){ lists + 16, 12 };
	}
	if (rnd(4) == 0) {
		memset(lists + 32, 2, 8);
		a->has |= BGP_HAS_EXT_COMMUNITIES;
		a->ext_communities = (struct bgp_blob){ lists + 32, 8 };
	}
	if (rnd(6) == 0) {
		a->has |= BGP_HAS_OTC;
		a->otc = 65100 + rnd(2);
	}
}

static void feed(struct side *s)
{
	static struct bgp_update u;
	enum bgp_family family = (enum bgp_family)rnd(BGP_FAMILY_MAX);
	uint8_t nlri[512], path[64], lists[64];
	unsigned int feeder = rnd(FEEDERS);
	bool v6_hop = family == BGP_IPV6_UNICAST || rnd(4) == 0;
	struct wire_writer writer;
	struct bgp_nlri section;

	u = (struct bgp_update){ 0 };
	random_attrs(feeder, &u.attrs, path, lists);
	wire_write_init(&writer, nlri, sizeof(nlri));
	for (uint32_t n = 1 + rnd(5); n > 0; n--) {
		struct ip_prefix prefix = prefix_at(family, rnd(PREFIXES));

		nlri_put(&writer, &prefix, false, 0);
	}
	section = (struct bgp_nlri){ nlri, (uint32_t)writer.pos, family, false };
	u.next_hop[0] = v6_hop ? (struct ip_addr){ .family = IP_V6,
						   .bytes = { 0xfd, 1, [15] = (uint8_t)rnd(4) } }
			       : ip_from_v4(0xc0000201u + rnd(4));
	if (rnd(3))
		u.reach[0] = section;
	else
		u.withdraw[0] = section;
	cr_assert_eq(rib_update(s->rib, s->feeder[feeder], &u, now), 0);
}

static void change_own(struct side *s)
{
	struct ip_prefix list[2 * PREFIXES];
	size_t n = 0;

	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++) {
		for (unsigned int i = 0; i < PREFIXES; i++) {
			if (rnd(8) == 0)
				list[n++] = prefix_at((enum bgp_family)f, i);
		}
	}
	cr_assert_eq(rib_set_local(s->rib, RIB_LOCAL_VNET, list, n), 0);
}

/* --- comparing ----------------------------------------------------------------------------------- */

struct line {
	char text[256];
};
struct lines {
	struct line line[ROUTES];
	size_t n;
};

static void describe(const struct rib_path_view *view, const struct bgp_attrs *a, struct line *ret)
{
	char prefix[PREFIX_TEXT_MAX], hop[IP_TEXT_MAX], path[96];

	snprintf(ret->text, sizeof(ret->text),
		 "%s #%u %s via %s origin %u agg %u:%u c%u x%u l%u otc %u",
		 prefix_format(&view->prefix, prefix), view->path_id,
		 aspath_format(a->as_path, path, sizeof(path)), ip_format(&a->next_hop, hop),
		 a->origin, a->has & BGP_HAS_AGGREGATOR ? a->aggregator_asn : 0,
		 a->has & BGP_HAS_AGGREGATOR ? a->aggregator_id : 0,
		 a->communities.len ? community_get(a->communities, 0) : 0, a->ext_communities.len,
		 a->large_communities.len, a->has & BGP_HAS_OTC ? a->otc : 0);
}

static bool note_told(void *ctx, const struct rib_path_view *view)
{
	struct lines *lines = ctx;

	cr_assert_lt(lines->n, ROUTES);
	describe(view, view->attrs, &lines->line[lines->n++]);
	return true;
}

static bool note_learned(void *ctx, const struct rib_path_view *view)
{
	struct lines *lines = ctx;

	cr_assert_not(view->stale, "stale after the calm");
	cr_assert_lt(lines->n, ROUTES);
	describe(view, view->attrs_in, &lines->line[lines->n++]);
	return true;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

static void compare(unsigned int teller, enum bgp_family family)
{
	static struct lines told, learned;
	struct side *from = &w.side[teller], *to = &w.side[!teller];
	uint32_t cursor = 0;

	told.n = learned.n = 0;
	while (rib_walk_advertised(from->rib, from->peer, family, &cursor, 16, note_told, &told))
		;
	cursor = 0;
	while (rib_walk_learned(to->rib, to->peer, family, &cursor, 16, note_learned, &learned))
		;
	qsort(told.line, told.n, sizeof(told.line[0]), compare_lines);
	qsort(learned.line, learned.n, sizeof(learned.line[0]), compare_lines);
	for (size_t i = 0; i < told.n && i < learned.n; i++)
		cr_assert_str_eq(told.line[i].text, learned.line[i].text);
	cr_assert_eq(told.n, learned.n, "told %zu, learned %zu", told.n, learned.n);
}

static void calm(void)
{
	bool busy = true;

	if (!w.up)
		link_up();
	while (busy) {
		busy = false;
		for (unsigned int i = 0; i < 2; i++) {
			while (rib_work(w.side[i].rib, 1000, now))
				;
			busy |= produce(i);
			busy |= w.side[i].in_len > 0;
			deliver(&w.side[i], 1 + rnd(9000));
		}
	}
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++) {
			if (w.side[i].params.families & BGP_FAMILY_BIT(f))
				compare(i, (enum bgp_family)f);
		}
	}
}

static void step(void)
{
	uint32_t what = rnd(100);
	unsigned int i = rnd(2);
	struct side *s = &w.side[i];

	if (what < 35)
		feed(s);
	else if (what < 38)
		change_own(s);
	else if (what < 50)
		rib_work(s->rib, 1 + rnd(10), now);
	else if (!w.up && what < 60)
		link_up();
	else if (!w.up)
		return;
	else if (what < 65)
		produce(i);
	else if (what < 90)
		deliver(s, 1 + rnd(600));
	else if (what < 94)
		ask_refresh(i);
	else if (what < 96)
		rib_peer_shutting_down(s->rib, s->peer, rnd(2));
	else if (what < 98)
		link_down();
	else if (what == 98 && rnd(3) == 0)
		calm();
}

Test(model_rib_pair, tables_agree_when_all_is_calm)
{
	for (uint64_t run = 1; run <= RUNS; run++) {
		cr_log_info("seed %llu", (unsigned long long)run);
		memset(&w, 0, sizeof(w));
		w.random = run * 7919;
		start_side(0);
		start_side(1);
		for (unsigned int n = 0; n < STEPS; n++)
			step();
		calm();
		stop_side(&w.side[0]);
		stop_side(&w.side[1]);
	}
}
