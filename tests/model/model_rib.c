// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RIB against plain arrays: random scripts of updates, withdrawals, sessions that end with and
 * without grace, refreshes, next hops that die, changed policies and preferences. The model recomputes
 * everything from what each peer said last; compared are the selected next hops of each prefix, what each
 * peer has been told (its messages are decoded into its own table), and the counts.
 *
 * Slow peers and unfinished work are part of the script: comparisons wait until both are drained.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/frame.h"
#include "rib/rib.h"

#define PEERS     7
#define PREFIXES  24
#define HOPS      6 /* the last one is our own address */
#define STEPS     1500
#define LOCAL_ASN 65515u
#define LOCAL_ID  0x0a01ff04u

/* --- the model ------------------------------------------------------------------------------------ */

struct said { /* one path as its peer announced it */
	bool present, stale;
	uint32_t asns[6];
	unsigned int n_asns;
	uint8_t origin;
	bool has_med;
	uint32_t med, local_pref, community; /* 0: none */
	unsigned int hop;
};

struct peer_model {
	bool configured, up;
	struct rib_peer_config config;
	struct bgp_session_params params;
	unsigned int in_map, out_map; /* 0: none */
	uint16_t index;
	struct said said[BGP_FAMILY_MAX][PREFIXES];
	/* what its decoder saw */
	struct told {
		bool present;
		uint32_t asns[8];
		unsigned int n_asns;
		struct ip_addr next_hop;
		bool has_med, has_local_pref, reflected;
		uint32_t med, local_pref, communities[4];
		unsigned int n_communities;
	} told[BGP_FAMILY_MAX][PREFIXES];
	bool eor[BGP_FAMILY_MAX];
};

static struct {
	uint64_t random;
	struct rib *rib;
	struct nexthop_table *nexthops;
	struct rib_config config;
	struct peer_model peers[PEERS];
	bool hop_up[HOPS];
	uint8_t local[BGP_FAMILY_MAX][PREFIXES]; /* bits of enum rib_local_kind */
	uint32_t offered[BGP_FAMILY_MAX][PREFIXES];
} w;

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
	return prefix_of(&addr, (uint8_t)(family ? 32 + i : 16 + i % 8));
}

static unsigned int prefix_index(const struct ip_prefix *prefix)
{
	return prefix->addr.family == IP_V4 ? prefix->addr.bytes[1] : prefix->addr.bytes[2];
}

static struct ip_addr hop_at(enum bgp_family family, unsigned int hop)
{
	if (hop == HOPS - 1)
		return w.config.local_addr[family];
	if (family == BGP_IPV6_UNICAST)
		return (struct ip_addr){ .family = IP_V6,
					 .bytes = { 0xfd, 1, [15] = (uint8_t)(hop + 1) } };
	return ip_from_v4(0xc0000201u + hop);
}

/* --- policies: the maps, and the same in the model's words ------------------------------------------- */

#define TAG       0xfde90001u /* 65001:1 */
#define OUT_TAG   0xfde9004du
#define MAP_COUNT 4
static struct policy_prefix low_prefixes[2];
static uint32_t tag_list[] = { TAG }, out_tag_list[] = { OUT_TAG },
		prepend_list[] = { 65099, 65098 };
static struct policy_rule drop_rule, weight_rule, prepend_rule, tag_rule;
static struct route_map maps[MAP_COUNT];

static void make_maps(void)
{
	struct ip_prefix four = prefix_at(BGP_IPV4_UNICAST, 0),
			 six = prefix_at(BGP_IPV6_UNICAST, 0);

	four.len = 14; /* 10.0 to 10.3 */
	six.len = 22;  /* fd00:0000 to fd00:03ff */
	low_prefixes[0] = (struct policy_prefix){ .prefix = four, .op = POLICY_CONTAINS };
	low_prefixes[1] = (struct policy_prefix){ .prefix = six, .op = POLICY_CONTAINS };
	drop_rule = (struct policy_rule){ .match = { .prefixes = low_prefixes, .n_prefixes = 2 },
					  .drop = true };
	weight_rule =
		(struct policy_rule){ .match = { .communities = tag_list, .n_communities = 1 },
				      .set_weight = true,
				      .weight = 50 };
	prepend_rule = (struct policy_rule){ .as_path_action = POLICY_LIST_ADD,
					     .as_path = prepend_list,
					     .n_as_path = 2 };
	tag_rule = (struct policy_rule){ .community_action = POLICY_LIST_ADD,
					 .communities = out_tag_list,
					 .n_communities = 1,
					 .set_med = true,
					 .med = 7 };
	maps[1] = (struct route_map){ .rules = &drop_rule, .n_rules = 1 };
	maps[2] = (struct route_map){ .rules = &weight_rule, .n_rules = 1 };
	maps[3] = (struct route_map){ .rules = &prepend_rule, .n_rules = 1 };
	maps[0] = (struct route_map){ .rules = &tag_rule, .n_rules = 1 };
}

/* In: 0 none, 1 drop, 2 weight, 3 prepend. Out: 0 none, 1 drop, 2 tag and MED. */
static const struct route_map *in_map(unsigned int n)
{
	return n ? &maps[n] : NULL;
}

static const struct route_map *out_map(unsigned int n)
{
	return n == 0 ? NULL : n == 1 ? &maps[1] : &maps[0];
}

/* --- what the model derives ---------------------------------------------------------------------------- */

struct candidate {
	unsigned int peer;
	const struct said *said;
	uint32_t asns[8];
	unsigned int n_asns;
	uint32_t weight;
	bool out;
};

static bool filtered(unsigned int map, unsigned int prefix)
{
	return map == 1 && prefix < 4;
}

static bool loops(const struct said *s)
{
	for (unsigned int i = 0; i < s->n_asns; i++) {
		if (s->asns[i] == LOCAL_ASN)
			return true;
	}
	return false;
}

static bool usable(const struct peer_model *peer, const struct said *s, unsigned int prefix)
{
	return s->present && !loops(s) && !filtered(peer->in_map, prefix) && s->hop != HOPS - 1 &&
	       w.hop_up[s->hop];
}

static unsigned int candidates_of(enum bgp_family family, unsigned int prefix, struct candidate *c)
{
	unsigned int n = 0;

	for (unsigned int p = 0; p < PEERS; p++) {
		const struct peer_model *peer = &w.peers[p];
		const struct said *s = &peer->said[family][prefix];

		if (!peer->configured || !usable(peer, s, prefix))
			continue;
		c[n] = (struct candidate){ .peer = p, .said = s };
		if (peer->in_map == 3) {
			c[n].asns[c[n].n_asns++] = 65099;
			c[n].asns[c[n].n_asns++] = 65098;
		}
		for (unsigned int i = 0; i < s->n_asns; i++)
			c[n].asns[c[n].n_asns++] = s->asns[i];
		if (peer->in_map == 2 && s->community == TAG)
			c[n].weight = 50;
		n++;
	}
	return n;
}

/* Drops all whose number is not the lowest. */
static void keep_lowest(struct candidate *c, unsigned int n,
			uint64_t (*number)(const struct candidate *c))
{
	uint64_t lowest = UINT64_MAX;

	for (unsigned int i = 0; i < n; i++) {
		if (!c[i].out && number(&c[i]) < lowest)
			lowest = number(&c[i]);
	}
	for (unsigned int i = 0; i < n; i++)
		c[i].out |= number(&c[i]) != lowest;
}

static uint64_t shutdown_of(const struct candidate *c)
{
	return c->said->community == BGP_COMM_GRACEFUL_SHUTDOWN;
}

static uint64_t weight_of(const struct candidate *c)
{
	return 1000 - c->weight;
}

static uint64_t hub_of(const struct candidate *c)
{
	bool express_route = w.peers[c->peer].config.role == PEER_EXPRESS_ROUTE;

	switch (w.config.decision.hub_preference) {
	case HUB_EXPRESS_ROUTE:
		return !express_route;
	case HUB_VPN_GATEWAY:
		return express_route;
	default:
		return 0;
	}
}

static uint64_t local_pref_of(const struct candidate *c)
{
	return 1000 - (w.peers[c->peer].params.ebgp ? 100 : c->said->local_pref);
}

static uint64_t length_of(const struct candidate *c)
{
	return c->n_asns;
}

static uint64_t origin_of(const struct candidate *c)
{
	return c->said->origin;
}

static uint64_t internal_of(const struct candidate *c)
{
	return !w.peers[c->peer].params.ebgp;
}

static uint64_t order_of(const struct candidate *c)
{
	const struct peer_model *peer = &w.peers[c->peer];

	return (uint64_t)peer->params.peer_id << 32 | ip_to_v4(&peer->config.addr);
}

static uint32_t med_of(const struct candidate *c)
{
	return c->said->has_med ? c->said->med : 0;
}

static uint32_t neighbour_of(const struct candidate *c)
{
	return c->n_asns ? c->asns[0] : 0;
}

static void drop_higher_meds(struct candidate *c, unsigned int n)
{
	bool worse[PEERS] = { 0 };

	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int k = 0; k < n; k++)
			worse[i] |= !c[k].out && med_of(&c[k]) < med_of(&c[i]) &&
				    (w.config.decision.always_compare_med ||
				     neighbour_of(&c[i]) == neighbour_of(&c[k]));
	}
	for (unsigned int i = 0; i < n; i++)
		c[i].out |= worse[i];
}

static void select_equal(struct candidate *c, unsigned int n)
{
	keep_lowest(c, n, shutdown_of);
	keep_lowest(c, n, weight_of);
	if (w.config.decision.selection == SELECT_AZURE) {
		keep_lowest(c, n, hub_of);
		keep_lowest(c, n, length_of);
		return;
	}
	keep_lowest(c, n, local_pref_of);
	keep_lowest(c, n, length_of);
	keep_lowest(c, n, origin_of);
	drop_higher_meds(c, n);
	keep_lowest(c, n, internal_of);
}

/* Members in order into ret[], at most max_paths. */
static unsigned int members_of(struct candidate *c, unsigned int n, struct candidate *ret)
{
	unsigned int found = 0;

	select_equal(c, n);
	while (found < w.config.decision.max_paths) {
		int next = -1;

		for (unsigned int i = 0; i < n; i++) {
			if (!c[i].out && (next < 0 || order_of(&c[i]) < order_of(&c[next])))
				next = (int)i;
		}
		if (next < 0)
			break;
		c[next].out = true;
		ret[found++] = c[next];
	}
	return found;
}

/* --- comparing: selection -------------------------------------------------------------------------------- */

static uint32_t hop_mask(const struct candidate *c, unsigned int n)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < n; i++)
		mask |= 1u << c[i].said->hop;
	return mask;
}

static uint32_t group_mask(enum bgp_family family, const uint32_t *ids, unsigned int n)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int hop = 0; hop < HOPS; hop++) {
			struct ip_addr addr = hop_at(family, hop);

			if (ip_equal(&nexthop_info(w.nexthops, ids[i])->addr, &addr))
				mask |= 1u << hop;
		}
	}
	return mask;
}

static void compare_selection(enum bgp_family family, unsigned int prefix, unsigned int *best_count)
{
	struct candidate c[PEERS], members[PEERS], rest[PEERS], backup[PEERS];
	unsigned int n = candidates_of(family, prefix, c);
	unsigned int n_members = members_of(c, n, members), n_rest = 0, n_backup = 0;
	struct ip_prefix p = prefix_at(family, prefix);
	uint32_t group = rib_lookup(w.rib, &p);
	const struct group_info *info = group_info(w.nexthops, group);

	cr_assert_eq(w.offered[family][prefix], group, "the callback and the lookup disagree");
	cr_assert_eq(!info, !n_members, "prefix %u: members %u", prefix, n_members);
	for (unsigned int i = 0; i < n_members; i++)
		best_count[members[i].peer]++;
	if (!info)
		return;
	cr_assert_eq(group_mask(family, info->member, info->n_members),
		     hop_mask(members, n_members), "prefix %u", prefix);
	if (w.config.decision.selection == SELECT_AZURE) {
		n = candidates_of(family, prefix, c);
		for (unsigned int i = 0; i < n; i++) {
			bool member = false;

			for (unsigned int k = 0; k < n_members; k++)
				member |= members[k].peer == c[i].peer;
			if (!member)
				rest[n_rest++] = c[i];
		}
		n_backup = members_of(rest, n_rest, backup);
		n_backup = n_backup > 4 ? 4 : n_backup;
	}
	cr_assert_eq(group_mask(family, info->backup, info->n_backup),
		     hop_mask(backup, n_backup) & ~hop_mask(members, n_members), "prefix %u",
		     prefix);
}

/* --- comparing: what was told --------------------------------------------------------------------------------- */

static bool gateway(enum peer_role role)
{
	return role == PEER_EXPRESS_ROUTE || role == PEER_VPN_GATEWAY;
}

static bool may_tell(const struct peer_model *to, const struct candidate *best)
{
	const struct peer_model *from = &w.peers[best->peer];
	uint32_t community = best->said->community;

	if (from == to || !to->config.advertise_learned)
		return false;
	if ((gateway(from->config.role) || gateway(to->config.role)) && !w.config.branch_to_branch)
		return false;
	if (!from->params.ebgp && !to->params.ebgp && from->config.role != PEER_AGENT &&
	    to->config.role != PEER_AGENT)
		return false;
	return community != BGP_COMM_NO_ADVERTISE &&
	       !(to->params.ebgp && community == BGP_COMM_NO_EXPORT);
}

static void expect_local(const struct peer_model *to, enum bgp_family family, struct told *t)
{
	*t = (struct told){ .present = true, .next_hop = w.config.local_addr[family] };
	if (to->params.ebgp)
		t->asns[t->n_asns++] = LOCAL_ASN;
}

static void expect_learned(const struct peer_model *to, enum bgp_family family,
			   const struct candidate *best, struct told *t)
{
	const struct peer_model *from = &w.peers[best->peer];

	*t = (struct told){ .present = true, .next_hop = hop_at(family, best->said->hop) };
	if (to->params.ebgp)
		t->asns[t->n_asns++] = LOCAL_ASN;
	for (unsigned int i = 0; i < best->n_asns; i++)
		t->asns[t->n_asns++] = best->asns[i];
	if (best->said->community)
		t->communities[t->n_communities++] = best->said->community;
	t->has_med = best->said->has_med && !to->params.ebgp;
	t->med = t->has_med ? best->said->med : 0;
	t->local_pref = from->params.ebgp ? 100 : best->said->local_pref;
	t->reflected = !from->params.ebgp && !to->params.ebgp;
}

static struct told expected(const struct peer_model *to, enum bgp_family family,
			    unsigned int prefix)
{
	struct candidate c[PEERS], members[PEERS];
	struct told t = { 0 };
	uint8_t local = w.local[family][prefix];

	if ((local & 1 && to->config.advertise_vnet) ||
	    (local & 2 && to->config.advertise_host_routes))
		expect_local(to, family, &t);
	else if (members_of(c, candidates_of(family, prefix, c), members) &&
		 may_tell(to, &members[0]))
		expect_learned(to, family, &members[0], &t);
	if (filtered(to->out_map, prefix) || ip_equal(&t.next_hop, &to->config.addr))
		return (struct told){ 0 };
	if (!t.present)
		return t;
	t.has_local_pref = !to->params.ebgp;
	if (!t.has_local_pref)
		t.local_pref = 0;
	else if (!t.local_pref)
		t.local_pref = 100;
	if (to->out_map == 2) {
		t.communities[t.n_communities++] = OUT_TAG;
		t.has_med = true;
		t.med = 7;
	}
	return t;
}

static bool told_equal(const struct told *a, const struct told *b)
{
	return a->present == b->present && a->n_asns == b->n_asns &&
	       !memcmp(a->asns, b->asns, a->n_asns * sizeof(a->asns[0])) &&
	       ip_equal(&a->next_hop, &b->next_hop) && a->has_med == b->has_med &&
	       a->med == b->med && a->has_local_pref == b->has_local_pref &&
	       a->local_pref == b->local_pref && a->reflected == b->reflected &&
	       a->n_communities == b->n_communities &&
	       !memcmp(a->communities, b->communities,
		       a->n_communities * sizeof(a->communities[0]));
}

static void compare_told(const struct peer_model *peer, enum bgp_family family)
{
	unsigned int advertised = 0;

	for (unsigned int prefix = 0; prefix < PREFIXES; prefix++) {
		struct told want = expected(peer, family, prefix);

		advertised += want.present;
		cr_assert(told_equal(&want, &peer->told[family][prefix]),
			  "peer %s family %d prefix %u: want present %d asns %u, has %d %u",
			  peer->config.name, family, prefix, want.present, want.n_asns,
			  peer->told[family][prefix].present, peer->told[family][prefix].n_asns);
	}
	cr_assert_eq(rib_peer_counts(w.rib, peer->index, family).advertised, advertised);
	cr_assert(peer->eor[family], "End-of-RIB is missing");
}

static void compare_counts(const struct peer_model *peer, enum bgp_family family, unsigned int best)
{
	struct rib_peer_counts counts = rib_peer_counts(w.rib, peer->index, family);
	unsigned int received = 0, accepted = 0, dropped = 0;

	for (unsigned int prefix = 0; prefix < PREFIXES; prefix++) {
		const struct said *s = &peer->said[family][prefix];

		received += s->present;
		accepted += usable(peer, s, prefix);
		dropped += s->present && !loops(s) && filtered(peer->in_map, prefix);
	}
	cr_assert_eq(counts.received, received);
	cr_assert_eq(counts.accepted, accepted);
	cr_assert_eq(counts.filtered, dropped);
	cr_assert_eq(counts.best, best);
}

/* --- receiving --------------------------------------------------------------------------------------------------- */

static void note_asn(void *ctx, uint32_t asn, enum bgp_as_segment type, bool segment_start)
{
	struct told *t = ctx;

	cr_assert_lt(t->n_asns, 8);
	t->asns[t->n_asns++] = asn;
}

static void note_reach(struct peer_model *peer, const struct bgp_update *u, unsigned int which)
{
	struct told t = { .present = true, .next_hop = u->next_hop[which] };
	struct nlri_iter it;
	struct ip_prefix prefix;
	uint32_t path_id;

	aspath_each(u->attrs.as_path, note_asn, &t);
	t.has_med = u->attrs.has & BGP_HAS_MED;
	t.med = t.has_med ? u->attrs.med : 0;
	t.has_local_pref = u->attrs.has & BGP_HAS_LOCAL_PREF;
	t.local_pref = t.has_local_pref ? u->attrs.local_pref : 0;
	t.reflected = u->attrs.has & BGP_HAS_ORIGINATOR_ID && u->attrs.cluster_list.len == 4;
	t.n_communities = community_count(u->attrs.communities);
	for (unsigned int i = 0; i < t.n_communities; i++)
		t.communities[i] = community_get(u->attrs.communities, i);
	nlri_iter_init(&it, &u->reach[which]);
	while (u->reach[which].len && nlri_next(&it, &prefix, &path_id))
		peer->told[u->reach[which].family][prefix_index(&prefix)] = t;
}

static void note_withdraw(struct peer_model *peer, const struct bgp_nlri *nlri)
{
	struct nlri_iter it;
	struct ip_prefix prefix;
	uint32_t path_id;

	nlri_iter_init(&it, nlri);
	while (nlri->len && nlri_next(&it, &prefix, &path_id)) {
		struct told *t = &peer->told[nlri->family][prefix_index(&prefix)];

		cr_assert(t->present, "withdrawn although never announced");
		*t = (struct told){ 0 };
	}
}

/* The far end of a session: its parameters are ours with the ASNs changed over. */
static void receive(struct peer_model *peer, const uint8_t *data, size_t len)
{
	struct bgp_session_params params = peer->params;
	static struct bgp_update u;
	struct bgp_error error;

	params.local_asn = peer->params.peer_asn;
	params.peer_asn = peer->params.local_asn;
	while (len) {
		size_t message = (size_t)data[16] << 8 | data[17];

		cr_assert(message >= BGP_HEADER_LEN && message <= len && message <= BGP_MSG_MAX);
		cr_assert_eq(bgp_update_decode(data + BGP_HEADER_LEN, message - BGP_HEADER_LEN,
					       &params, &(struct bgp_update_limits){ 0 }, &u,
					       &error),
			     0);
		cr_assert_eq(u.outcome, BGP_ACCEPT);
		for (unsigned int i = 0; i < 2; i++) {
			note_withdraw(peer, &u.withdraw[i]);
			note_reach(peer, &u, i);
		}
		if (u.end_of_rib)
			peer->eor[u.eor_family] = true;
		data += message;
		len -= message;
	}
}

static void produce(struct peer_model *peer)
{
	static uint8_t buf[BGP_MSG_MAX];

	receive(peer, buf, rib_produce(w.rib, peer->index, buf, sizeof(buf)));
}

/* --- draining ---------------------------------------------------------------------------------------------------- */

static const struct mono now = { .usec = 5000000 };

static int hop_of(const struct nexthop_info *info)
{
	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++) {
		for (unsigned int hop = 0; hop < HOPS; hop++) {
			struct ip_addr addr = hop_at((enum bgp_family)f, hop);

			if (ip_equal(&addr, &info->addr))
				return (int)hop;
		}
	}
	return -1;
}

/* True when a next hop's state changed. */
static bool resolve_all(void)
{
	bool changed = false;

	for (uint32_t id = nexthop_next(w.nexthops, 0); id; id = nexthop_next(w.nexthops, id)) {
		int hop = hop_of(nexthop_info(w.nexthops, id));

		cr_assert_geq(hop, 0);
		if (!nexthop_set_usable(w.nexthops, id, w.hop_up[hop]))
			continue;
		rib_nexthop_changed(w.rib, id);
		changed = true;
	}
	return changed;
}

static void recycle_unused(void)
{
	for (uint32_t id = group_next(w.nexthops, 0); id; id = group_next(w.nexthops, id)) {
		if (!group_info(w.nexthops, id)->refs)
			cr_assert_eq(group_recycle(w.nexthops, id), 0);
	}
	for (uint32_t id = nexthop_next(w.nexthops, 0); id; id = nexthop_next(w.nexthops, id)) {
		if (!nexthop_info(w.nexthops, id)->refs)
			cr_assert_eq(nexthop_recycle(w.nexthops, id), 0);
	}
}

static void drain_and_compare(void)
{
	do {
		while (rib_work(w.rib, 1 + rnd(20), now))
			;
	} while (resolve_all());
	for (unsigned int p = 0; p < PEERS; p++) {
		while (w.peers[p].up && rib_output_pending(w.rib, w.peers[p].index))
			produce(&w.peers[p]);
	}
	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++) {
		unsigned int best[PEERS] = { 0 };

		for (unsigned int prefix = 0; prefix < PREFIXES; prefix++)
			compare_selection((enum bgp_family)f, prefix, best);
		for (unsigned int p = 0; p < PEERS; p++) {
			if (w.peers[p].configured)
				compare_counts(&w.peers[p], (enum bgp_family)f, best[p]);
			if (w.peers[p].up)
				compare_told(&w.peers[p], (enum bgp_family)f);
		}
	}
	recycle_unused();
}

/* --- the script ---------------------------------------------------------------------------------------------------- */

static void random_said(struct peer_model *peer, struct said *s)
{
	static const uint32_t communities[] = { 0,
						0,
						0,
						0,
						TAG,
						BGP_COMM_NO_ADVERTISE,
						BGP_COMM_NO_EXPORT,
						BGP_COMM_GRACEFUL_SHUTDOWN };

	*s = (struct said){ .present = true, .origin = (uint8_t)rnd(3), .has_med = rnd(2) };
	s->med = s->has_med ? rnd(3) : 0;
	s->local_pref = 100 + rnd(3);
	if (peer->params.ebgp)
		s->asns[s->n_asns++] = peer->params.peer_asn;
	for (uint32_t more = rnd(3); more > 0; more--)
		s->asns[s->n_asns++] = 65100 + rnd(3);
	if (rnd(12) == 0)
		s->asns[s->n_asns++] = LOCAL_ASN;
	s->community = communities[rnd(8)];
	s->hop = rnd(10) ? rnd(HOPS - 1) : HOPS - 1;
}

static struct bgp_attrs attrs_of(const struct said *s, uint8_t *path, uint8_t *communities,
				 bool ebgp)
{
	struct bgp_attrs a = { .has = BGP_HAS_ORIGIN | BGP_HAS_AS_PATH, .origin = s->origin };
	struct wire_writer writer;

	a.as_path =
		(struct bgp_blob){ path, (uint32_t)aspath_from_asns(s->asns, s->n_asns, path, 64) };
	if (s->has_med) {
		a.has |= BGP_HAS_MED;
		a.med = s->med;
	}
	if (!ebgp) {
		a.has |= BGP_HAS_LOCAL_PREF;
		a.local_pref = s->local_pref;
	}
	if (s->community) {
		wire_write_init(&writer, communities, 4);
		wire_put_u32(&writer, s->community);
		a.has |= BGP_HAS_COMMUNITIES;
		a.communities = (struct bgp_blob){ communities, 4 };
	}
	return a;
}

static void send_update(struct peer_model *peer, enum bgp_family family, bool withdraw)
{
	static struct bgp_update u;
	uint8_t nlri[512], path[64], communities[4];
	struct wire_writer writer;
	struct bgp_nlri section;
	bool bad = rnd(15) == 0; /* RFC 7606: what was announced badly is withdrawn */
	struct said s;

	random_said(peer, &s);
	wire_write_init(&writer, nlri, sizeof(nlri));
	for (uint32_t n = 1 + rnd(6); n > 0; n--) {
		unsigned int i = rnd(PREFIXES);
		struct ip_prefix prefix = prefix_at(family, i);

		nlri_put(&writer, &prefix, false, 0);
		peer->said[family][i] = withdraw || bad ? (struct said){ 0 } : s;
	}
	section = (struct bgp_nlri){ nlri, (uint32_t)writer.pos, family, false };
	u = (struct bgp_update){ .attrs = attrs_of(&s, path, communities, peer->params.ebgp) };
	if (withdraw)
		u.withdraw[rnd(2)] = section;
	else
		u.reach[family] = section;
	u.next_hop[family] = hop_at(family, s.hop);
	if (bad)
		u.outcome = BGP_TREAT_AS_WITHDRAW;
	cr_assert_eq(rib_update(w.rib, peer->index, &u, now), 0);
}

static void configure(struct peer_model *peer)
{
	peer->in_map = rnd(4);
	peer->out_map = rnd(3);
	peer->config.in = in_map(peer->in_map);
	peer->config.out = out_map(peer->out_map);
	peer->config.advertise_vnet = rnd(4);
	peer->config.advertise_learned = rnd(4);
	peer->config.advertise_host_routes = rnd(2);
}

static void add_peer(unsigned int p)
{
	static const enum peer_role roles[PEERS] = { PEER_NVA,         PEER_NVA,
						     PEER_NVA,         PEER_EXPRESS_ROUTE,
						     PEER_VPN_GATEWAY, PEER_REFLECTOR,
						     PEER_AGENT };
	struct peer_model *peer = &w.peers[p];

	*peer = (struct peer_model){ .configured = true };
	snprintf(peer->config.name, sizeof(peer->config.name), "peer%u", p);
	/* The first one's own address is one of the next hops. */
	peer->config.addr = p ? ip_from_v4(0xc6336400u + p) : hop_at(BGP_IPV4_UNICAST, 0);
	peer->config.role = roles[p];
	peer->config.stale_allowed = true;
	peer->params = (struct bgp_session_params){
		.local_asn = LOCAL_ASN,
		.peer_asn = p < 5 ? 65001 + p % 2 : LOCAL_ASN,
		.local_id = LOCAL_ID,
		.peer_id = 0x01010100u + (PEERS - p) / 2,
		.ebgp = p < 5,
		.as4 = true,
		.families = BGP_FAMILY_BIT(BGP_IPV4_UNICAST) | BGP_FAMILY_BIT(BGP_IPV6_UNICAST),
	};
	peer->config.asn = peer->params.peer_asn;
	configure(peer);
	cr_assert_eq(rib_peer_add(w.rib, &peer->config, &peer->index), 0);
}

static void peer_up(struct peer_model *peer)
{
	rib_peer_up(w.rib, peer->index, &peer->params, now);
	peer->up = true;
	memset(peer->told, 0, sizeof(peer->told));
	memset(peer->eor, 0, sizeof(peer->eor));
}

static void each_said(struct peer_model *peer, enum bgp_family family, bool drop_stale,
		      bool make_stale)
{
	for (unsigned int i = 0; i < PREFIXES; i++) {
		struct said *s = &peer->said[family][i];

		if (drop_stale && s->stale)
			*s = (struct said){ 0 };
		s->stale |= make_stale && s->present;
	}
}

static void peer_down(struct peer_model *peer)
{
	bool graceful = rnd(2);

	rib_peer_down(w.rib, peer->index, graceful, now);
	peer->up = false;
	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++) {
		each_said(peer, (enum bgp_family)f, true, true);
		if (!graceful)
			memset(peer->said[f], 0, sizeof(peer->said[f]));
	}
}

static void change_local(void)
{
	enum rib_local_kind kind = (enum rib_local_kind)rnd(2);
	struct ip_prefix list[2 * PREFIXES];
	size_t n = 0;

	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++) {
		for (unsigned int i = 0; i < PREFIXES; i++) {
			w.local[f][i] &= (uint8_t) ~(1u << kind);
			if (rnd(5))
				continue;
			w.local[f][i] |= (uint8_t)(1u << kind);
			list[n++] = prefix_at((enum bgp_family)f, i);
		}
	}
	cr_assert_eq(rib_set_local(w.rib, kind, list, n), 0);
}

static void change_config(void)
{
	w.config.branch_to_branch = rnd(2);
	w.config.decision.selection = rnd(2) ? SELECT_AZURE : SELECT_RFC4271;
	w.config.decision.hub_preference = (enum hub_preference)rnd(3);
	w.config.decision.always_compare_med = rnd(2);
	w.config.decision.max_paths = 1 + rnd(4);
	rib_reconfigure(w.rib, &w.config);
}

static void established_step(struct peer_model *peer, enum bgp_family family)
{
	uint32_t what = rnd(100);

	if (what < 60) {
		send_update(peer, family, false);
	} else if (what < 80) {
		send_update(peer, family, true);
	} else if (what < 86) {
		peer_down(peer);
	} else if (what < 91) {
		rib_peer_sweep(w.rib, peer->index, family);
		each_said(peer, family, true, false);
	} else if (what < 96) {
		rib_peer_mark_stale(w.rib, peer->index, family);
		each_said(peer, family, false, true);
	} else {
		rib_peer_resend(w.rib, peer->index, family);
	}
}

static void peer_step(unsigned int p)
{
	struct peer_model *peer = &w.peers[p];
	uint32_t what = rnd(40);

	if (!peer->configured) {
		add_peer(p);
	} else if (what == 0) {
		rib_peer_remove(w.rib, peer->index);
		*peer = (struct peer_model){ 0 };
	} else if (what == 1) {
		configure(peer);
		rib_peer_reconfigure(w.rib, peer->index, &peer->config);
	} else if (!peer->up) {
		peer_up(peer);
	} else {
		established_step(peer, (enum bgp_family)rnd(BGP_FAMILY_MAX));
	}
}

static void step(void)
{
	uint32_t what = rnd(100);

	if (what < 3)
		change_local();
	else if (what < 5)
		change_config();
	else if (what < 9)
		w.hop_up[rnd(HOPS - 1)] ^= true;
	else
		peer_step(rnd(PEERS));
	if (rnd(3) == 0)
		resolve_all();
	if (rnd(2))
		rib_work(w.rib, 1 + rnd(5), now);
	if (rnd(2)) {
		unsigned int p = rnd(PEERS);

		if (w.peers[p].up)
			produce(&w.peers[p]);
	}
}

static void on_change(void *ctx, const struct rib_change *change)
{
	w.offered[change->family][prefix_index(&change->prefix)] = change->offer.group;
}

/* A session that sleeps has to be woken: nothing may be pending for one that was not. */
static void on_event(void *ctx, enum rib_event_type type, uint16_t peer, enum bgp_family family,
		     uint32_t count)
{
	cr_assert_eq(type, RIB_EVENT_OUTPUT);
}

static void start(uint64_t seed)
{
	struct nexthop_events events = { 0 };
	struct rib_callbacks callbacks = { .changed = on_change, .event = on_event };

	memset(&w, 0, sizeof(w));
	w.random = seed;
	make_maps();
	w.config = (struct rib_config){ .vnet = 1, .local_asn = LOCAL_ASN, .local_id = LOCAL_ID };
	w.config.decision.max_paths = 4;
	w.config.local_addr[0] = ip_from_v4(0x0a01ff04);
	w.config.local_addr[1] =
		(struct ip_addr){ .family = IP_V6, .bytes = { 0xfd, 9, [15] = 4 } };
	for (unsigned int hop = 0; hop < HOPS - 1; hop++)
		w.hop_up[hop] = true;
	w.nexthops = nexthop_table_new(&events);
	w.rib = rib_new(&w.config, w.nexthops, &callbacks);
	cr_assert(w.nexthops && w.rib);
}

/* With all peers gone nothing may be left: no path, group, next hop or attribute set. */
static void finish(void)
{
	struct rib_figures figures;

	for (unsigned int p = 0; p < PEERS; p++) {
		if (w.peers[p].configured)
			rib_peer_remove(w.rib, w.peers[p].index);
		w.peers[p] = (struct peer_model){ 0 };
	}
	rib_set_local(w.rib, RIB_LOCAL_VNET, NULL, 0);
	rib_set_local(w.rib, RIB_LOCAL_HOST, NULL, 0);
	memset(w.local, 0, sizeof(w.local));
	drain_and_compare();
	figures = rib_figures(w.rib);
	cr_assert_eq(figures.prefixes[0] + figures.prefixes[1], 0);
	cr_assert_eq(figures.paths[0] + figures.paths[1], 0);
	cr_assert_eq(figures.attr_sets, 1, "only the set of what we originate");
	cr_assert_eq(group_next(w.nexthops, 0), GROUP_NONE);
	cr_assert_eq(nexthop_next(w.nexthops, 0), NEXTHOP_NONE);
	rib_free(w.rib);
	nexthop_table_free(w.nexthops);
}

static void run(uint64_t seed)
{
	cr_log_info("seed %llu", (unsigned long long)seed);
	start(seed);
	for (unsigned int i = 0; i < STEPS; i++) {
		step();
		if (rnd(8) == 0)
			drain_and_compare();
	}
	finish();
}

Test(model_rib, like_plain_arrays)
{
	for (uint64_t seed = 1; seed <= 60; seed++)
		run(seed);
}
