// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each peer is told: which of Loc-RIB's routes it may have, what they look like on their way out, and
 * the messages. rib_produce() is called by the session whenever its socket takes more. Must never change
 * what is selected.
 *
 * One call looks at windows of pending nets. Within a window routes are grouped by attribute set, so
 * that the way out is worked out and written once for all prefixes that share it.
 *
 * A peer with ADD-PATH (RFC 7911) is told several paths of a net, each under an identifier that lives as
 * long as the path: its place in the slab of Adj-RIB-In. When the place is given to another path of the
 * same net, the new one simply replaces the old one at the peer.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/frame.h"
#include "rib_internal.h"
#include "util/htab.h"

#define GROUP_SLOTS (2 * OUT_WINDOW) /* a power of two, half empty at most */
#define PATH_ROOM   32768
#define LIST_ROOM   16384
/* Path identifiers to a peer with ADD-PATH: what we originate, and path 0 of the slab. */
#define LOCAL_PATH_ID 1
#define FIRST_PATH_ID 2

/* A route on its way out: whose attributes, before they are made fit for the peer. */
struct outgoing {
	uint32_t attrs;
	uint32_t path_id;
	uint16_t source; /* peer, or RIB_PEER_NONE: our own */
	bool owned;      /* `attrs` holds a reference: an outbound map made it */
};

struct out_group { /* of a window: the same attributes */
	struct outgoing route;
	uint32_t first, last; /* in the window */
};

struct out_entry {
	struct out_ref ref;
	uint32_t next; /* of the same group; OUT_WINDOW ends */
};

struct export_scratch {
	struct out_ref window[OUT_WINDOW];
	struct out_entry entries[OUT_WINDOW];
	struct out_group groups[OUT_WINDOW];
	uint16_t slots[GROUP_SLOTS]; /* group + 1; 0: empty */
	uint32_t n_entries, n_groups;
	struct out_ref withdraw[OUT_WINDOW];
	uint32_t n_withdraw;
	struct out_ref left[OUT_WINDOW];
	uint32_t n_left;
	struct ip_prefix prefixes[OUT_WINDOW];
	struct out_ref batch[OUT_WINDOW]; /* of `prefixes` */
	uint32_t path_ids[OUT_WINDOW];
	struct policy_result policy;
	uint32_t viewed; /* of export_view(): a reference */
	uint8_t as_path[PATH_ROOM], cluster_list[LIST_ROOM], ext_communities[LIST_ROOM],
		communities[LIST_ROOM], ipv6_ext[LIST_ROOM];
};

struct export_scratch *export_scratch_new(void)
{
	return calloc(1, sizeof(struct export_scratch));
}

void export_scratch_free(struct export_scratch *scratch)
{
	free(scratch);
}

size_t export_scratch_size(void)
{
	return sizeof(struct export_scratch);
}

/* --- who may have it ------------------------------------------------------------------------------- */

/* Our address of a family: the configured one, or that of the session. */
static const struct ip_addr *own_address(const struct rib *rib, const struct rib_peer *peer,
					 enum bgp_family family)
{
	const struct ip_addr *own = &rib->config.local_addr[family];

	return own->family || peer->source.family != bgp_family_ip(family) ? own : &peer->source;
}

/*
 * The next hop of what we originate: our address of the family; for IPv4 over a session between IPv6
 * addresses, or without an IPv4 address of ours, the IPv6 one where the session can carry it (RFC 8950).
 */
static struct ip_addr own_next_hop(const struct rib *rib, const struct rib_peer *peer,
				   enum bgp_family family)
{
	const struct ip_addr *own = own_address(rib, peer, family);
	const struct ip_addr *six = own_address(rib, peer, BGP_IPV6_UNICAST);

	if (peer->params.ext_next_hop & BGP_FAMILY_BIT(family) && six->family &&
	    (peer->config.addr.family == IP_V6 || !own->family))
		return *six;
	return *own;
}

static bool wants_local(const struct rib *rib, const struct rib_peer *peer, enum bgp_family family,
			uint8_t local)
{
	bool wanted = (local & 1u << RIB_LOCAL_VNET && peer->config.advertise_vnet) ||
		      (local & 1u << RIB_LOCAL_HOST && peer->config.advertise_host_routes);

	return wanted && own_next_hop(rib, peer, family).family;
}

static bool is_gateway(enum peer_role role)
{
	return role == PEER_EXPRESS_ROUTE || role == PEER_VPN_GATEWAY;
}

/* Between NVAs freely; with a gateway on either side only when branches may talk to each other. */
static bool roles_exchange(const struct rib *rib, enum peer_role from, enum peer_role to)
{
	return rib->config.branch_to_branch || (!is_gateway(from) && !is_gateway(to));
}

/* RFC 4456 6: what came over iBGP goes to iBGP only from or to a client (an agent is our client). */
static bool may_reflect(const struct rib_peer *source, const struct rib_peer *peer)
{
	if (source->params.ebgp || peer->params.ebgp)
		return true;
	return source->config.role == PEER_AGENT || peer->config.role == PEER_AGENT;
}

/*
 * RFC 1997: well-known communities. RFC 9494 4.3: long-lived stale only to who knows what that is.
 * RFC 9234 5: Only to Customer.
 */
static bool marks_allow(uint16_t flags, const struct rib_peer *peer)
{
	if (flags & ATTR_SUM_NO_ADVERTISE)
		return false;
	if (flags & ATTR_SUM_LLGR_STALE && !peer->params.peer_llgr)
		return false;
	/* RFC 3765: not across bilateral peering. */
	if (flags & ATTR_SUM_NOPEER && peer->params.ebgp && peer->config.has_bgp_role &&
	    peer->config.bgp_role == BGP_ROLE_PEER)
		return false;
	if (flags & ATTR_SUM_OTC && otc_rule(peer).refuse_out)
		return false;
	return !peer->params.ebgp || !(flags & (ATTR_SUM_NO_EXPORT | ATTR_SUM_NO_EXPORT_SUBCONF));
}

static bool may_have(const struct rib *rib, const struct rib_peer *peer,
		     const struct rib_path *path)
{
	const struct rib_peer *source = rib->peers[path->peer];

	return source != peer && peer->config.advertise_learned &&
	       roles_exchange(rib, source->config.role, peer->config.role) &&
	       may_reflect(source, peer) &&
	       marks_allow(attr_store_summary(rib->attrs, path->attrs)->flags, peer);
}

/*
 * The outbound map sees the route without what never leaves the AS, and what it sets stays: a MED that it
 * puts there is sent, one that was learned is not (RFC 4271 5.1.4).
 */
static bool apply_outbound_map(struct rib *rib, const struct rib_peer *peer,
			       const struct ip_prefix *prefix, struct outgoing *route)
{
	struct policy_result *result = &rib->export->policy;
	struct bgp_attrs attrs;

	attr_store_get(rib->attrs, route->attrs, &attrs);
	if (peer->params.ebgp)
		attrs.has &= ~BGP_HAS_MED;
	route_map_apply(peer->config.out, prefix, &attrs, result, NULL);
	if (!result->permit)
		return false;
	route->attrs = attr_store_intern(rib->attrs, &result->attrs);
	route->owned = true;
	return route->attrs != ATTR_NONE;
}

/* The path may be told at all: in use here, and meant for this peer. */
static bool tellable(const struct rib *rib, const struct rib_peer *peer, enum bgp_family family,
		     const struct rib_path *path)
{
	return path->state == RIB_PATH_OK &&
	       path_age(&rib->peers[path->peer]->in[family], path) != PATH_DEAD &&
	       may_have(rib, peer, path);
}

/* The best paths of a net that a peer with ADD-PATH may have, in order. How many. */
static unsigned int best_paths(struct rib *rib, const struct rib_peer *peer, enum bgp_family family,
			       uint32_t net, uint32_t ret[OUT_PATHS_MAX])
{
	const struct adj_rib_in *in = &rib->in[family];
	unsigned int n = 0;

	for (uint32_t id = in->nets[net].head; id != PATH_NONE; id = in->paths[id].next) {
		unsigned int at = n;

		if (!tellable(rib, peer, family, &in->paths[id]))
			continue;
		while (at > 0 && loc_rib_compare(rib, family, id, ret[at - 1]) < 0)
			at--;
		if (at == OUT_PATHS_MAX)
			continue;
		n += n < OUT_PATHS_MAX;
		memmove(&ret[at + 1], &ret[at], (n - 1 - at) * sizeof(ret[0]));
		ret[at] = id;
	}
	return n;
}

/*
 * The routes of a net for a peer: with ADD-PATH (@max > 0) the @max best that it may have, else the best
 * one or nothing. The vnet's own prefix comes before what was learned for it. The number in ret[].
 */
static unsigned int pick(struct rib *rib, const struct rib_peer *peer, enum bgp_family family,
			 uint32_t net, const struct ip_prefix *prefix, unsigned int max,
			 struct outgoing ret[OUT_PATHS_MAX])
{
	const struct adj_rib_in *in = &rib->in[family];
	uint32_t ids[OUT_PATHS_MAX];
	unsigned int n = 0, n_ids;

	if (wants_local(rib, peer, family, in->nets[net].local)) {
		ret[0] = (struct outgoing){ .attrs = rib->local_attrs,
					    .path_id = LOCAL_PATH_ID,
					    .source = RIB_PEER_NONE };
		return !peer->config.out || apply_outbound_map(rib, peer, prefix, &ret[0]);
	}
	if (max) {
		n_ids = best_paths(rib, peer, family, net, ids);
	} else {
		ids[0] = loc_rib_best(in, net);
		n_ids = ids[0] != PATH_NONE && may_have(rib, peer, &in->paths[ids[0]]);
	}
	for (unsigned int i = 0; i < n_ids && n < (max ? max : 1); i++) {
		ret[n] = (struct outgoing){ .attrs = in->paths[ids[i]].attrs,
					    .path_id = FIRST_PATH_ID + ids[i],
					    .source = in->paths[ids[i]].peer };
		n += !peer->config.out || apply_outbound_map(rib, peer, prefix, &ret[n]);
	}
	return n;
}

/* --- what it looks like -------------------------------------------------------------------------------- */

/* RFC 4360 2, RFC 5701 2: one with the T bit (of @size octets each) is not transitive across ASes. */
static struct bgp_blob transitive_only(struct bgp_blob blob, size_t size, uint8_t *buf, size_t cap)
{
	struct wire_reader r;
	struct wire_writer w;

	wire_read_init(&r, blob.data, blob.len);
	wire_write_init(&w, buf, cap);
	while (wire_left(&r) >= size) {
		const uint8_t *community = wire_bytes(&r, size);

		if (!(community[0] & 0x40))
			wire_put_bytes(&w, community, size);
	}
	return (struct bgp_blob){ .data = buf, .len = w.failed ? 0 : (uint32_t)w.pos };
}

/* RFC 4271 5.1: our ASN goes in front; what has a meaning inside one AS only stays behind. */
static bool fit_for_ebgp(struct rib *rib, const struct rib_peer *peer, struct bgp_attrs *attrs)
{
	struct export_scratch *s = rib->export;
	int len = aspath_prepend(attrs->as_path, rib->config.local_asn, 1, s->as_path,
				 sizeof(s->as_path));

	if (len < 0)
		return false;
	attrs->as_path = (struct bgp_blob){ .data = s->as_path, .len = (uint32_t)len };
	attrs->has |= BGP_HAS_AS_PATH;
	attrs->has &= ~(BGP_HAS_LOCAL_PREF | BGP_HAS_ORIGINATOR_ID | BGP_HAS_CLUSTER_LIST);
	attrs->cluster_list = (struct bgp_blob){ 0 };
	if (!peer->config.out)
		attrs->has &= ~BGP_HAS_MED; /* RFC 4271 5.1.4 */
	attrs->ext_communities = transitive_only(attrs->ext_communities, 8, s->ext_communities,
						 sizeof(s->ext_communities));
	if (!attrs->ext_communities.len)
		attrs->has &= ~BGP_HAS_EXT_COMMUNITIES;
	attrs->ipv6_ext = transitive_only(attrs->ipv6_ext, 20, s->ipv6_ext, sizeof(s->ipv6_ext));
	if (!attrs->ipv6_ext.len)
		attrs->has &= ~BGP_HAS_IPV6_EXT;
	if (otc_rule(peer).add_out && !(attrs->has & BGP_HAS_OTC)) {
		attrs->has |= BGP_HAS_OTC;
		attrs->otc = rib->config.local_asn;
	}
	return true;
}

/* RFC 4456 8: who brought it into the AS, and that it came through us. */
static bool add_reflection(struct rib *rib, const struct rib_peer *source, struct bgp_attrs *attrs)
{
	struct export_scratch *s = rib->export;
	struct wire_writer w;

	if (!(attrs->has & BGP_HAS_ORIGINATOR_ID))
		attrs->originator_id = source->params.peer_id;
	wire_write_init(&w, s->cluster_list, sizeof(s->cluster_list));
	wire_put_u32(&w, rib->config.local_id);
	wire_put_bytes(&w, attrs->cluster_list.data, attrs->cluster_list.len);
	attrs->cluster_list = (struct bgp_blob){ .data = s->cluster_list, .len = (uint32_t)w.pos };
	attrs->has |= BGP_HAS_ORIGINATOR_ID | BGP_HAS_CLUSTER_LIST;
	return !w.failed;
}

static bool is_reflected(const struct rib *rib, const struct rib_peer *peer, uint16_t source)
{
	return source != RIB_PEER_NONE && !rib->peers[source]->params.ebgp && !peer->params.ebgp;
}

static bool fit_for_ibgp(struct rib *rib, const struct rib_peer *peer, uint16_t source,
			 struct bgp_attrs *attrs)
{
	if (!(attrs->has & BGP_HAS_LOCAL_PREF)) /* RFC 4271 5.1.5: always there in iBGP */
		attrs->local_pref = ATTR_DEFAULT_LOCAL_PREF;
	attrs->has |= BGP_HAS_LOCAL_PREF;
	return !is_reflected(rib, peer, source) || add_reflection(rib, rib->peers[source], attrs);
}

/* RFC 8326 4.1; where the list is full, LOCAL_PREF has to do. */
static void mark_shutdown(struct rib *rib, const struct rib_peer *peer, struct bgp_attrs *attrs)
{
	struct export_scratch *s = rib->export;

	community_add(attrs, BGP_COMM_GRACEFUL_SHUTDOWN, s->communities, sizeof(s->communities));
	if (!peer->params.ebgp)
		attrs->local_pref = 0;
}

/*
 * False: it can not be told to this peer. A learned next hop goes on unchanged (the NVAs are reached
 * directly, RFC 4271 5.1.3 2 "third party"), but never to the one whose address it is (5.1.3).
 */
static bool make_fit(struct rib *rib, const struct rib_peer *peer, enum bgp_family family,
		     const struct outgoing *route, struct bgp_attrs *ret_attrs)
{
	attr_store_get(rib->attrs, route->attrs, ret_attrs);
	if (!ret_attrs->next_hop.family)
		ret_attrs->next_hop = own_next_hop(rib, peer, family);
	ret_attrs->has |= BGP_HAS_NEXT_HOP;
	/* RFC 2545 3: only between neighbours on one link, which multihop peers are not. */
	ret_attrs->link_local = (struct ip_addr){ 0 };
	if (ip_equal(&ret_attrs->next_hop, &peer->config.addr))
		return false;
	if (!(peer->params.ebgp ? fit_for_ebgp(rib, peer, ret_attrs)
				: fit_for_ibgp(rib, peer, route->source, ret_attrs)))
		return false;
	if (peer->shutting_down)
		mark_shutdown(rib, peer, ret_attrs);
	return true;
}

/*
 * Two peers that are told the same, octet for octet, but for their own routes and those that lead to
 * themselves: all that the functions above, and the encoder, look at. No ADD-PATH, and eBGP only.
 */
static bool alike(const void *ctx, uint16_t index_a, uint16_t index_b)
{
	const struct rib *rib = ctx;
	const struct rib_peer *a = rib->peers[index_a], *b = rib->peers[index_b];
	const struct bgp_session_params *p = &a->params, *q = &b->params;

	return a && b && p->ebgp && q->ebgp && p->as4 == q->as4 &&
	       p->extended_message == q->extended_message && p->ext_next_hop == q->ext_next_hop &&
	       p->peer_llgr == q->peer_llgr && p->local_asn == q->local_asn &&
	       a->shutting_down == b->shutting_down && a->config.role == b->config.role &&
	       a->config.out == b->config.out &&
	       a->config.advertise_vnet == b->config.advertise_vnet &&
	       a->config.advertise_learned == b->config.advertise_learned &&
	       a->config.advertise_host_routes == b->config.advertise_host_routes &&
	       a->config.has_bgp_role == b->config.has_bgp_role &&
	       a->config.bgp_role == b->config.bgp_role &&
	       a->config.addr.family == b->config.addr.family && ip_equal(&a->source, &b->source);
}

static void release(struct rib *rib, const struct outgoing *route)
{
	if (route->owned)
		attr_store_unref(rib->attrs, route->attrs);
}

bool export_view(struct rib *rib, uint16_t index, enum bgp_family family, uint32_t net,
		 unsigned int nth, struct export_view *ret_view)
{
	const struct rib_peer *peer = rib->peers[index];
	struct ip_prefix prefix = prefix_table_key(rib->in[family].prefixes, net);
	struct outgoing routes[OUT_PATHS_MAX];
	unsigned int max = peer->out[family] ? peer->out[family]->paths : 0;
	unsigned int n = pick(rib, peer, family, net, &prefix, max, routes);

	ret_view->shown = nth < n && make_fit(rib, peer, family, &routes[nth], &ret_view->attrs);
	if (nth < n) {
		ret_view->source = routes[nth].source;
		ret_view->path_id = max ? routes[nth].path_id : 0;
	}
	/* What an outbound map made is held until the next view is asked for. */
	attr_store_unref(rib->attrs, rib->export->viewed);
	rib->export->viewed = ATTR_NONE;
	for (unsigned int i = 0; i < n; i++) {
		if (i == nth && routes[i].owned)
			rib->export->viewed = routes[i].attrs;
		else
			release(rib, &routes[i]);
	}
	return nth < n;
}

/* --- messages ---------------------------------------------------------------------------------------------- */

struct production {
	struct rib *rib;
	struct rib_peer *peer;
	struct out_member *member;
	enum bgp_family family;
	uint8_t *buf;
	size_t len, cap;
	size_t limit;              /* of one message */
	struct share_notes *notes; /* of the window, NULL: it is not shared */
	bool more; /* another window follows: what does not fill a message may wait for it */
};

static bool has_room(const struct production *p)
{
	return p->cap - p->len >= p->limit;
}

static struct bgp_prefix_batch batch_of(const struct production *p, size_t n)
{
	struct export_scratch *s = p->rib->export;

	return (struct bgp_prefix_batch){
		.prefixes = s->prefixes,
		.path_ids = p->member->paths ? s->path_ids : NULL,
		.count = n,
	};
}

static void add_to_batch(const struct production *p, uint32_t at, struct out_ref ref)
{
	struct export_scratch *s = p->rib->export;

	s->batch[at] = ref;
	prefix_table_read(p->rib->in[p->family].prefixes, ref.net, &s->prefixes[at]);
	s->path_ids[at] = ref.path_id;
}

/* Notes what a message told, and keeps for later what had no room. */
static void mark_told(const struct production *p, size_t from, size_t to, bool told)
{
	out_member_set_refs_told(p->member, p->rib->export->batch + from, to - from, told);
}

static void keep_rest(const struct production *p, size_t from, size_t to)
{
	struct export_scratch *s = p->rib->export;

	for (size_t i = from; i < to; i++)
		s->left[s->n_left++] = s->batch[i];
}

/*
 * Each UPDATE is as full as it can be, across windows too: the last message of a row of them is taken back, and
 * its prefixes go with those of the next window. Who had no full message before is not kept waiting.
 */
static bool waits_for_more(const struct production *p, struct bgp_prefix_batch *batch, size_t from)
{
	bool waits = p->more && from && batch->done == batch->count;

	if (waits)
		batch->done = from;
	return waits;
}

static void write_withdrawals(struct production *p)
{
	struct export_scratch *s = p->rib->export;
	struct bgp_prefix_batch batch = batch_of(p, s->n_withdraw);

	if (p->notes && s->n_withdraw)
		p->notes->good = false; /* another one was told something else */
	for (uint32_t i = 0; i < s->n_withdraw; i++)
		add_to_batch(p, i, s->withdraw[i]);
	while (batch.done < batch.count && has_room(p)) {
		size_t from = batch.done;
		int n = bgp_update_encode_withdraw(p->family, &p->peer->params, &batch,
						   p->buf + p->len, p->cap - p->len);

		if (n <= 0)
			break;
		if (waits_for_more(p, &batch, from))
			break;
		p->len += (size_t)n;
		mark_told(p, from, batch.done, false);
	}
	keep_rest(p, batch.done, batch.count);
	s->n_withdraw = 0;
}

/* A route that can not be told: if an earlier one was, it has to go. */
static void withdraw_told(const struct production *p, size_t from, size_t to)
{
	struct export_scratch *s = p->rib->export;

	for (size_t i = from; i < to; i++) {
		if (out_member_told_path(p->member, s->batch[i].net, s->batch[i].path_id))
			s->withdraw[s->n_withdraw++] = s->batch[i];
	}
}

static void write_group(struct production *p, const struct out_group *group)
{
	struct export_scratch *s = p->rib->export;
	struct bgp_prefix_batch batch;
	struct bgp_attrs attrs;
	uint32_t count = 0;
	bool fit;

	for (uint32_t i = group->first; i != OUT_WINDOW; i = s->entries[i].next)
		add_to_batch(p, count++, s->entries[i].ref);
	batch = batch_of(p, count);
	fit = make_fit(p->rib, p->peer, p->family, &group->route, &attrs);
	if (p->notes && fit)
		share_note_next_hop(p->notes, &attrs.next_hop);
	else if (p->notes)
		p->notes->good = false;
	while (fit && batch.done < batch.count && has_room(p)) {
		size_t from = batch.done;
		int n = bgp_update_encode_reach(&attrs, p->family, &p->peer->params, &batch,
						p->buf + p->len, p->cap - p->len);

		fit = n > 0;
		if (!fit || waits_for_more(p, &batch, from))
			break;
		p->len += (size_t)n;
		mark_told(p, from, batch.done, true);
	}
	if (fit)
		keep_rest(p, batch.done, batch.count);
	else
		withdraw_told(p, batch.done, batch.count);
}

/* Reflection writes the source into the route; else only the attributes tell two routes apart. */
static uint16_t group_source(const struct production *p, const struct outgoing *route)
{
	return is_reflected(p->rib, p->peer, route->source) ? route->source : RIB_PEER_NONE;
}

static bool is_of_group(const struct out_group *group, const struct outgoing *route)
{
	return group->route.attrs == route->attrs && group->route.source == route->source;
}

static struct out_group *find_group(const struct production *p, struct outgoing *route)
{
	struct export_scratch *s = p->rib->export;
	uint32_t at;

	route->source = group_source(p, route);
	if (s->n_groups && is_of_group(&s->groups[s->n_groups - 1], route)) { /* of neighbours */
		release(p->rib, route);
		return &s->groups[s->n_groups - 1];
	}
	at = hash_u32(route->attrs, route->source) & (GROUP_SLOTS - 1);
	for (; s->slots[at]; at = (at + 1) & (GROUP_SLOTS - 1)) {
		struct out_group *group = &s->groups[s->slots[at] - 1];

		if (is_of_group(group, route)) {
			release(p->rib, route); /* the group holds its own */
			return group;
		}
	}
	s->slots[at] = (uint16_t)(s->n_groups + 1);
	s->groups[s->n_groups] =
		(struct out_group){ .route = *route, .first = OUT_WINDOW, .last = OUT_WINDOW };
	return &s->groups[s->n_groups++];
}

static void add_entry(const struct production *p, uint32_t net, struct outgoing *route)
{
	struct export_scratch *s = p->rib->export;
	struct out_ref ref = { .net = net, .path_id = p->member->paths ? route->path_id : 0 };
	struct out_group *group = find_group(p, route);
	uint32_t at = s->n_entries++;

	s->entries[at] = (struct out_entry){ .ref = ref, .next = OUT_WINDOW };
	if (group->last == OUT_WINDOW)
		group->first = at;
	else
		s->entries[group->last].next = at;
	group->last = at;
}

/* What the peer was told of a net and is not to have any more. */
static void add_withdrawals(const struct production *p, struct out_ref ref,
			    const struct outgoing *routes, unsigned int n)
{
	struct export_scratch *s = p->rib->export;
	uint32_t told[OUT_PATHS_MAX];
	unsigned int n_told = out_member_told_paths(p->member, ref.net, told);

	for (unsigned int i = 0; i < n_told; i++) {
		bool stays = !p->member->paths && n;

		for (unsigned int k = 0; k < n && !stays; k++)
			stays = routes[k].path_id == told[i];
		if (!stays && (!ref.path_id || ref.path_id == told[i]))
			s->withdraw[s->n_withdraw++] =
				(struct out_ref){ .net = ref.net, .path_id = told[i] };
	}
}

static bool is_own(const struct production *p, uint32_t net)
{
	const struct adj_rib_in *in = &p->rib->in[p->family];
	uint32_t best = loc_rib_best(in, net);

	return best != PATH_NONE && in->paths[best].peer == p->member->peer;
}

/*
 * What needs no picking, without ADD-PATH: a net that nothing is selected for goes if it was told, and of the
 * peer's own routes there is nothing to tell. False: it is to be picked.
 */
static bool settle_at_once(const struct production *p, uint32_t net)
{
	const struct adj_rib_in *in = &p->rib->in[p->family];
	struct export_scratch *s = p->rib->export;
	bool gone = loc_rib_best(in, net) == PATH_NONE;

	if (p->member->paths || in->nets[net].local)
		return false;
	if (out_member_told(p->member, net)) {
		if (gone)
			s->withdraw[s->n_withdraw++] = (struct out_ref){ .net = net };
		return gone;
	}
	if (!gone && !is_own(p, net))
		return false;
	if (!gone && p->notes)
		p->notes->good = false; /* others are told it */
	return true;
}

static void sort_window(struct production *p, uint32_t n)
{
	struct export_scratch *s = p->rib->export;
	struct outgoing routes[OUT_PATHS_MAX];

	s->n_entries = s->n_groups = s->n_withdraw = s->n_left = 0;
	memset(s->slots, 0, sizeof(s->slots));
	for (uint32_t i = 0; i < n; i++) {
		struct out_ref ref = s->window[i];
		struct ip_prefix prefix;
		unsigned int found;

		if (settle_at_once(p, ref.net))
			continue;
		if (p->peer->config.out)
			prefix = prefix_table_key(p->rib->in[p->family].prefixes, ref.net);
		found = pick(p->rib, p->peer, p->family, ref.net, &prefix, p->member->paths,
			     routes);
		if (out_member_told(p->member, ref.net))
			add_withdrawals(p, ref, routes, found);
		for (unsigned int k = 0; k < found; k++) {
			if (p->notes)
				share_note_source(p->notes, routes[k].source);
			if (!ref.path_id || ref.path_id == routes[k].path_id)
				add_entry(p, ref.net, &routes[k]);
			else
				release(p->rib, &routes[k]);
		}
		if (p->notes && !found && is_own(p, ref.net))
			p->notes->good = false;
	}
}

static void write_window(struct production *p, uint32_t n)
{
	struct export_scratch *s = p->rib->export;

	sort_window(p, n);
	write_withdrawals(p);
	for (uint32_t i = 0; i < s->n_groups; i++) {
		write_group(p, &s->groups[i]);
		release(p->rib, &s->groups[i].route);
	}
	write_withdrawals(p);
	out_member_finish(&p->rib->out[p->family], p->member, s->left, s->n_left);
}

/* --- windows shared among peers --------------------------------------------------------------------------- */

static bool may_share(const struct production *p)
{
	return p->rib->share[p->family] && p->peer->params.ebgp && !p->member->paths &&
	       p->rib->out[p->family].n_members >= SHARE_LEAST;
}

/* The next window as another peer was told it. False: nobody was. */
static bool take_shared(struct production *p)
{
	struct adj_rib_out *out = &p->rib->out[p->family];
	const struct stretch *stretch = share_find(p->rib->share[p->family], out, p->member,
						   &p->peer->config.addr, alike, p->rib);

	if (!stretch || share_size(stretch) > p->cap - p->len)
		return false;
	share_take(stretch, out, p->member, p->buf + p->len);
	p->len += share_size(stretch);
	return true;
}

static uint16_t source_of(const struct production *p, struct out_ref ref)
{
	const struct adj_rib_in *in = &p->rib->in[p->family];
	uint32_t best = loc_rib_best(in, ref.net);

	return best == PATH_NONE ? RIB_PEER_NONE : in->paths[best].peer;
}

/*
 * A window that others shall be able to take over ends with the routes of its first source where those are
 * many: who is that source has a window of nothing, and all others the same one.
 */
static uint32_t cut_window(const struct production *p, uint32_t n)
{
	const struct out_ref *refs = p->rib->export->window;
	uint32_t run = 1;

	while (run < n && source_of(p, refs[run]) == source_of(p, refs[0]))
		run++;
	if (run == n || run < SHARE_RUN)
		return n;
	out_member_cut(&p->rib->out[p->family], p->member, refs[run]);
	return run;
}

/* Writes the next window, and keeps it for others when it was written whole. False: there is none. */
static bool write_next(struct production *p, bool shares)
{
	struct adj_rib_out *out = &p->rib->out[p->family];
	struct share_window window = { .from = p->member->cursor,
				       .refs = p->rib->export->window,
				       .octets = p->buf + p->len };
	size_t len = p->len;

	p->notes = shares && !p->member->n_left ? share_begin(p->rib->share[p->family]) : NULL;
	window.n_nets = out_member_window(out, p->member, p->rib->export->window);
	if (!window.n_nets)
		return false;
	if (p->notes)
		window.n_nets = cut_window(p, window.n_nets);
	p->more = !p->notes && out_member_more(out, p->member);
	write_window(p, window.n_nets);
	window.to = p->member->cursor;
	window.len = p->len - len;
	if (p->notes && !p->member->n_left && p->member->floor == window.to)
		share_keep(p->rib->share[p->family], out, p->member, &window);
	return true;
}

static int encode_mark(const struct production *p, enum out_mark mark)
{
	struct bgp_route_refresh refresh = {
		.afi = bgp_family_afi(p->family),
		.safi = BGP_SAFI_UNICAST,
		.subtype = mark == OUT_MARK_BORR ? BGP_REFRESH_BORR : BGP_REFRESH_EORR,
	};

	if (mark == OUT_MARK_EOR)
		return bgp_update_encode_eor(p->family, p->buf + p->len, p->cap - p->len);
	return bgp_route_refresh_encode(&refresh, p->buf + p->len, p->cap - p->len);
}

/* End-of-RIB, BoRR and EoRR where they are due. */
static void write_marks(struct production *p)
{
	enum out_mark mark;

	while (has_room(p) && (mark = out_member_mark(p->member))) {
		int n = encode_mark(p, mark);

		if (n > 0)
			p->len += (size_t)n;
		out_member_mark_sent(&p->rib->out[p->family], p->member, mark);
	}
}

static void produce_family(struct production *p)
{
	struct adj_rib_out *out = &p->rib->out[p->family];
	struct adj_rib_in *in = &p->rib->in[p->family];
	bool shares = may_share(p);

	if (out_member_reserve(p->member, prefix_table_limit(in->prefixes)))
		return; /* out of memory: the next call tries again */
	write_marks(p);
	while (has_room(p)) {
		/* A window begins with room for all of it: a rest would be worked out again. */
		if (p->len > p->cap / 4)
			break;
		if (!(shares && take_shared(p)) && !write_next(p, shares))
			break;
		write_marks(p);
	}
	write_marks(p);
	if (!out_member_pending(out, p->member))
		out_member_sleep(out, p->member);
	adj_rib_out_collect(out, adj_rib_in_drop_nets, in);
}

size_t rib_produce(struct rib *rib, uint16_t index, uint8_t *buf, size_t cap)
{
	struct rib_peer *peer = index < rib->peer_high ? rib->peers[index] : NULL;
	struct production p = { .rib = rib, .peer = peer, .buf = buf, .cap = cap };

	if (!peer || rib_held(rib))
		return 0;
	p.limit = peer->params.extended_message ? BGP_MSG_MAX_EXTENDED : BGP_MSG_MAX;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		p.family = f;
		p.member = peer->out[f];
		if (p.member && has_room(&p))
			produce_family(&p);
	}
	return p.len;
}

bool rib_output_pending(const struct rib *rib, uint16_t index)
{
	const struct rib_peer *peer = index < rib->peer_high ? rib->peers[index] : NULL;

	for (enum bgp_family f = 0; peer && !rib_held(rib) && f < BGP_FAMILY_MAX; f++) {
		if (peer->out[f] && out_member_pending(&rib->out[f], peer->out[f]))
			return true;
	}
	return false;
}
