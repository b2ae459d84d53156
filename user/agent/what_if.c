// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second node in memory, to ask what another configuration would select (config.diff). Built from the
 * same functions as the real one, which it reads and never changes. Called by the API.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"
#include "agent/what_if.h"
#include "util/wire.h"

/* RIBs are made anew after so many prefixes: what they queue for peers is never sent. */
#define PREFIXES_A_RIB 4096

struct shadow_vnet {
	struct node_vnet vnet;
	uint16_t
		*peer_of; /* by index in the present RIB: the index in this one, or RIB_PEER_NONE */
	unsigned int fed;
};

struct what_if {
	struct node *node;
	uint32_t generation;
	struct node shadow;
	struct shadow_vnet *vnets; /* of shadow.config, same indices */
	struct bgp_update update;  /* scratch */
};

static struct node_vnet *present_vnet(const struct what_if *what_if, const struct node_vnet *vnet)
{
	return node_find_vnet(what_if->node, vnet->config->name);
}

static struct shadow_vnet *shadow_of(const struct node_vnet *vnet)
{
	return (struct shadow_vnet *)((char *)(uintptr_t)vnet - offsetof(struct shadow_vnet, vnet));
}

/* --- next hops: as reachable as they are now ---------------------------------------------------- */

static void on_nexthop_added(void *ctx, uint32_t id)
{
	struct what_if *what_if = ctx;
	const struct nexthop_info *info = nexthop_info(what_if->shadow.nexthops, id);
	const struct node_vnet *vnet = &what_if->vnets[info->vnet].vnet;
	const struct node_vnet *present = present_vnet(what_if, vnet);
	uint32_t known =
		present ? nexthop_find(what_if->node->nexthops, present->number, &info->addr) : 0;
	const struct nexthop_info *now =
		known ? nexthop_info(what_if->node->nexthops, known) : NULL;

	/* One that nobody has resolved yet is taken to be reachable. */
	nexthop_set_usable(what_if->shadow.nexthops, id, !now || now->usable);
}

/* --- RIBs ------------------------------------------------------------------------------------------ */

static void on_changed(void *ctx, const struct rib_change *change)
{
}

/* A rib_event is a matter of sessions, and there are none. */
static void on_event(void *ctx, enum rib_event_type type, uint16_t peer, enum bgp_family family,
		     uint32_t count)
{
}

/* False: the peer of a range has none any more. */
static bool then_of_dynamic(const struct vnet_config *config, const struct node_peering *now,
			    struct peering_config *ret_own)
{
	const struct peering_config *range = node_range_then(config, now);

	if (range)
		node_range_fill_peer(range, &now->config->peer_ip, ret_own);
	return range != NULL;
}

/* The present session stays, or comes back with the same routes. NULL: it does not. */
static const struct bgp_session_params *kept_session(const struct node_vnet *then,
						     const struct peering_config *config,
						     const struct node_peering *now)
{
	if (!now || !now->vnet->rib || !config->enabled ||
	    node_vnet_endpoint_differs(then, now->config, config, &now->vnet->config->route_server))
		return NULL;
	return rib_peer_params(now->vnet->rib, now->rib_peer);
}

static int join_peer(struct what_if *what_if, struct shadow_vnet *shadow,
		     const struct peering_config *config, const struct node_peering *now)
{
	struct node_vnet *vnet = &shadow->vnet;
	const struct bgp_session_params *params;
	struct bgp_session_params kept;
	struct rib_peer_config rib;
	uint16_t peer;
	int err;

	node_peering_fill_rib(vnet, config, &rib);
	err = rib_peer_add(vnet->rib, &rib, &peer);
	params = kept_session(vnet, config, now);
	if (err < 0 || !params)
		return err;
	kept = *params;
	kept.families &= config->families;
	rib_peer_up(vnet->rib, peer, &kept, loop_now(what_if->node->loop));
	shadow->peer_of[now->rib_peer] = peer;
	return 0;
}

static int join_peers(struct what_if *what_if, struct shadow_vnet *shadow)
{
	const struct vnet_config *config = shadow->vnet.config;
	const struct node_vnet *now = present_vnet(what_if, &shadow->vnet);
	struct peering_config own;
	bool ambiguous;
	int err = 0;

	for (size_t i = 0; i < config->n_peerings && err == 0; i++) {
		const struct peering_config *peering = &config->peerings[i];

		if (!peering_is_range(peering))
			err = join_peer(what_if, shadow, peering,
					node_find_peering(what_if->node, config->name,
							  peering->name, &ambiguous));
	}
	for (size_t i = 0; now && i < now->n_peerings && err == 0; i++) {
		const struct node_peering *peering = now->peerings[i];

		if (peering->range && then_of_dynamic(config, peering, &own))
			err = join_peer(what_if, shadow, &own, peering);
	}
	return err;
}

static int make_rib(struct what_if *what_if, struct shadow_vnet *shadow)
{
	const struct rib_callbacks callbacks = { .changed = on_changed, .event = on_event };
	struct node_vnet *vnet = &shadow->vnet;
	struct rib_config config;

	rib_free(vnet->rib);
	vnet->rib = NULL;
	shadow->fed = 0;
	if (!vnet->config->route_server.present)
		return 0;
	node_vnet_fill_rib(vnet, &config);
	vnet->rib = rib_new(&config, what_if->shadow.nexthops, &callbacks);
	if (!vnet->rib)
		return -ENOMEM;
	memset(shadow->peer_of, 0xff, RIB_PEERS_MAX * sizeof(*shadow->peer_of));
	return join_peers(what_if, shadow);
}

/* --- one prefix at a time ------------------------------------------------------------------------------ */

struct feed {
	struct what_if *what_if;
	struct shadow_vnet *shadow;
	bool withdraw;
};

static bool feed_path(void *ctx, const struct rib_path_view *view)
{
	const struct feed *feed = ctx;
	struct bgp_update *update = &feed->what_if->update;
	uint16_t peer = feed->shadow->peer_of[view->peer];
	struct bgp_nlri *nlri = feed->withdraw ? &update->withdraw[0] : &update->reach[0];
	uint8_t octets[32];
	struct wire_writer w;

	/* A limit counts prefixes, and here is only one at a time. */
	if (peer == RIB_PEER_NONE || view->state == RIB_PATH_OVER_LIMIT)
		return true;
	wire_write_init(&w, octets, sizeof(octets));
	nlri_put(&w, &view->prefix, view->path_id != 0, view->path_id);
	update->attrs = *view->attrs_in;
	update->next_hop[0] = view->attrs_in->next_hop;
	update->link_local[0] = view->attrs_in->link_local;
	*nlri = (struct bgp_nlri){ .data = octets,
				   .len = (uint32_t)nlri_size(&view->prefix, view->path_id != 0),
				   .family = view->prefix.addr.family == IP_V6 ? BGP_IPV6_UNICAST
									       : BGP_IPV4_UNICAST,
				   .add_path = view->path_id != 0 };
	rib_update(feed->shadow->vnet.rib, peer, update, loop_now(feed->what_if->node->loop));
	*nlri = (struct bgp_nlri){ .len = 0 };
	return true;
}

static void feed_prefix(struct what_if *what_if, struct shadow_vnet *shadow,
			const struct ip_prefix *prefix, bool withdraw)
{
	struct feed feed = { what_if, shadow, withdraw };
	const struct node_vnet *present = present_vnet(what_if, &shadow->vnet);

	if (present && present->rib)
		rib_explain(present->rib, prefix, feed_path, &feed);
}

static void fill_hops(const struct nexthop_table *nexthops, const struct effective_result *result,
		      struct what_if_hops *ret)
{
	const struct effective_candidate *winner =
		result->winner >= 0 ? &result->candidates[result->winner] : NULL;
	const struct group_info *group = winner ? group_info(nexthops, winner->group) : NULL;

	*ret = (struct what_if_hops){ .any = winner != NULL };
	if (!winner)
		return;
	ret->source = winner->source;
	ret->kind = winner->kind;
	ret->type = winner->next_hop_type;
	for (unsigned int i = 0; group && i < group->n_members; i++) {
		const struct nexthop_info *info = nexthop_info(nexthops, group->member[i]);

		if (!info)
			continue;
		ret->id[ret->n] = group->member[i];
		ret->hop[ret->n++] = info->addr;
	}
}

void what_if_present(const struct node_table *table, const struct ip_prefix *prefix,
		     struct what_if_hops *ret_hops)
{
	struct effective_result result;

	node_effective(table, prefix, &result);
	fill_hops(table->vnet->node->nexthops, &result, ret_hops);
}

/* A lost prefix that the table holds now (persist), and would go on to hold. */
static bool stays_held(const struct what_if *what_if, const struct node_table *table,
		       const struct ip_prefix *prefix, const struct rib_offer *offer,
		       struct effective_result *ret_result)
{
	const struct node_vnet *vnet = present_vnet(what_if, table->vnet);
	const struct node_table *now = vnet ? node_find_table(vnet, table->config->name) : NULL;

	return now && table->config->persist.action != PERSIST_SYSTEM &&
	       !effective_taken(table->effective, offer) &&
	       node_persist_view(now, prefix, ret_result);
}

void what_if_then(struct what_if *what_if, const struct node_table *table,
		  const struct ip_prefix *prefix, struct what_if_hops *ret_hops)
{
	struct node_vnet *source = table->vnet->source;
	struct shadow_vnet *shadow = source ? shadow_of(source) : NULL;
	struct effective_result result;
	struct rib_offer offer = { 0 };

	if (shadow) {
		feed_prefix(what_if, shadow, prefix, false);
		offer = rib_offer(source->rib, prefix);
	}
	if (stays_held(what_if, table, prefix, &offer, &result)) {
		fill_hops(what_if->node->nexthops, &result, ret_hops);
	} else {
		effective_decide(table->effective, prefix, &offer, &result);
		fill_hops(what_if->shadow.nexthops, &result, ret_hops);
	}
	if (!shadow)
		return;
	feed_prefix(what_if, shadow, prefix, true);
	if (++shadow->fed >= PREFIXES_A_RIB && make_rib(what_if, shadow) < 0)
		source->rib = NULL; /* out of memory: BGP offers nothing from here on */
}

bool what_if_same(const struct what_if_hops *a, const struct what_if_hops *b)
{
	if (a->any != b->any || a->kind != b->kind || a->n != b->n)
		return false;
	for (unsigned int i = 0; i < a->n; i++) {
		if (!ip_equal(&a->hop[i], &b->hop[i]))
			return false;
	}
	return true;
}

/* --- sessions ---------------------------------------------------------------------------------------------- */

const char *what_if_change_name(enum what_if_change change)
{
	static const char *const names[] = {
		[WHAT_IF_ADDED] = "added",       [WHAT_IF_REMOVED] = "removed",
		[WHAT_IF_REPLACED] = "replaced", [WHAT_IF_RESET] = "reset",
		[WHAT_IF_LIVE] = "live",         [WHAT_IF_DISABLED] = "disabled",
	};

	return names[change];
}

/* The configuration's word for what session.c calls by its member. */
static const char *key_of(const char *member)
{
	static const struct {
		const char *member, *key;
	} rows[] = {
		{ "local_asn", "routeServer.asn" },
		{ "peer_asn", "peerAsn" },
		{ "router_id", "node.routerId" },
		{ "hold_time", "holdTime" },
		{ "keepalive_time", "keepaliveTime" },
		{ "required_families", "families" },
		{ "needed", "capabilities" },
		{ "caps", "capabilities" },
		{ "require_role", "bgpRoleStrict" },
		{ "disabled", "enabled" },
		{ "multihop_ttl", "multihopTtl" },
		{ "ttl_security_hops", "ttlSecurityHops" },
		{ "connect_retry_ms", "connectRetryTime" },
		{ "password_file", "passwordFile" },
	};

	for (size_t i = 0; member && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].member, member) == 0)
			return rows[i].key;
	}
	return member;
}

/* False: it stays exactly as it is. */
static bool compare_session(const struct node_vnet *then, const struct node_peering *now,
			    const struct peering_config *config, struct what_if_session *session)
{
	struct session_config wanted;

	session->why = node_vnet_endpoint_differs(then, now->config, config,
						  &now->vnet->config->route_server);
	session->change = WHAT_IF_REPLACED;
	if (session->why)
		return true;
	node_peering_fill_session(then, config, &wanted);
	if (config->enabled ==
	    now->config->enabled) /* what an operator or BFD holds down stays so */
		wanted.disabled = session_config(now->session)->disabled;
	session->change = WHAT_IF_LIVE;
	switch (session_compare(now->session, &wanted, &session->why)) {
	case SESSION_SAME:
		return false;
	case SESSION_RESET:
		session->change = WHAT_IF_RESET;
		break;
	default:
		if (config->enabled || !now->config->enabled)
			break;
		session->change = WHAT_IF_DISABLED;
		session->why = "enabled";
		break;
	}
	session->why = key_of(session->why);
	return true;
}

/* @own: room for that of a dynamic peer. */
static const struct peering_config *peering_then(const struct what_if *what_if,
						 const struct node_peering *now,
						 const struct node_vnet **ret_vnet,
						 struct peering_config *own)
{
	const struct node_vnet *vnet = node_find_vnet(&what_if->shadow, now->vnet->config->name);

	*ret_vnet = vnet;
	if (!vnet || !vnet->config->route_server.present)
		return NULL;
	if (now->range)
		return then_of_dynamic(vnet->config, now, own) ? own : NULL;
	return vnet_find_peering(vnet->config, now->config->name);
}

static void old_sessions(const struct what_if *what_if, const struct node_vnet *vnet,
			 void (*fn)(void *ctx, const struct what_if_session *session), void *ctx)
{
	for (size_t i = 0; i < vnet->n_peerings; i++) {
		const struct node_peering *now = vnet->peerings[i];
		const struct node_vnet *then;
		struct peering_config own;
		const struct peering_config *config = peering_then(what_if, now, &then, &own);
		struct what_if_session session = {
			.vnet = vnet->config->name,
			.peering = now->config->name,
			.change = WHAT_IF_REMOVED,
			.established = session_is_established(now->session),
		};

		if (!config || compare_session(then, now, config, &session))
			fn(ctx, &session);
	}
}

void what_if_sessions(const struct what_if *what_if,
		      void (*fn)(void *ctx, const struct what_if_session *session), void *ctx)
{
	const struct config *config = what_if->shadow.config;

	for (size_t v = 0; v < what_if->node->n_vnets; v++)
		old_sessions(what_if, what_if->node->vnets[v], fn, ctx);
	for (size_t v = 0; v < config->n_vnets; v++) {
		const struct vnet_config *vnet = &config->vnets[v];
		bool ambiguous;

		for (size_t i = 0; vnet->route_server.present && i < vnet->n_peerings; i++) {
			struct what_if_session session = { .vnet = vnet->name,
							   .peering = vnet->peerings[i].name,
							   .change = WHAT_IF_ADDED };

			if (!node_find_peering(what_if->node, vnet->name, session.peering,
					       &ambiguous) &&
			    !node_find_range(what_if->node, vnet->name, session.peering,
					     &ambiguous))
				fn(ctx, &session);
		}
	}
}

/* --- life ---------------------------------------------------------------------------------------------------- */

static int link_vnet(struct what_if *what_if, size_t index)
{
	const struct peered_vnet *peered = &what_if->shadow.peered.vnets[index];
	struct node_vnet *vnet = &what_if->vnets[index].vnet;

	vnet->links = calloc(peered->n_links + 1, sizeof(struct node_vnet *));
	if (!vnet->links)
		return -ENOMEM;
	for (size_t i = 0; i < peered->n_links; i++)
		vnet->links[vnet->n_links++] = &what_if->vnets[peered->links[i].remote].vnet;
	if (peered->source != PEERED_NONE && what_if->vnets[peered->source].vnet.rib)
		vnet->source = &what_if->vnets[peered->source].vnet;
	return 0;
}

static int make_tables(struct node_vnet *vnet)
{
	const struct vnet_config *config = vnet->config;
	int err = 0;

	vnet->tables = calloc(config->n_route_tables, sizeof(*vnet->tables));
	if (!vnet->tables)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_route_tables && err == 0; i++) {
		vnet->tables[i] = (struct node_table){ .vnet = vnet,
						       .config = &config->route_tables[i],
						       .index = FIB_TABLE_BAD };
		vnet->n_tables++;
		err = node_table_fill(&vnet->tables[i]);
	}
	return err;
}

static int make_vnets(struct what_if *what_if)
{
	struct node *shadow = &what_if->shadow;
	size_t n = shadow->config->n_vnets;
	int err = 0;

	what_if->vnets = calloc(n + 1, sizeof(*what_if->vnets));
	shadow->vnets = calloc(n + 1, sizeof(struct node_vnet *));
	if (!what_if->vnets || !shadow->vnets)
		return -ENOMEM;
	for (size_t i = 0; i < n && err == 0; i++) {
		struct shadow_vnet *v = &what_if->vnets[i];

		v->vnet = (struct node_vnet){ .node = shadow,
					      .number = (uint32_t)i,
					      .config = &shadow->config->vnets[i] };
		v->peer_of = malloc(RIB_PEERS_MAX * sizeof(*v->peer_of));
		shadow->vnets[shadow->n_vnets++] = &v->vnet;
		err = v->peer_of ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < n && err == 0; i++)
		err = make_rib(what_if, &what_if->vnets[i]);
	for (size_t i = 0; i < n && err == 0; i++)
		err = link_vnet(what_if, i);
	for (size_t i = 0; i < n && err == 0; i++)
		err = make_tables(&what_if->vnets[i].vnet);
	return err;
}

int what_if_new(struct node *node, struct config *config, struct what_if **ret_what_if)
{
	struct what_if *what_if = calloc(1, sizeof(*what_if));
	const struct nexthop_events events = { .ctx = what_if, .nexthop_added = on_nexthop_added };
	struct node *shadow;
	int err = -ENOMEM;

	if (!what_if)
		return -ENOMEM;
	what_if->node = node;
	what_if->generation = node->config_generation;
	shadow = &what_if->shadow;
	shadow->loop = node->loop;
	shadow->config = config;
	if (!config->router_id)
		config->router_id = node->config->router_id;
	shadow->nexthops = nexthop_table_new(&events);
	if (shadow->nexthops)
		err = peered_build(config->vnets, config->n_vnets, &shadow->peered);
	if (err == 0)
		err = make_vnets(what_if);
	if (err < 0) {
		shadow->config = NULL; /* still the caller's */
		what_if_free(what_if);
		return err;
	}
	*ret_what_if = what_if;
	return 0;
}

static void free_vnet(struct shadow_vnet *shadow)
{
	struct node_vnet *vnet = &shadow->vnet;

	for (size_t i = 0; i < vnet->n_tables; i++)
		node_table_empty(&vnet->tables[i]);
	rib_free(vnet->rib);
	free(vnet->tables);
	free(vnet->links);
	free(shadow->peer_of);
}

void what_if_free(struct what_if *what_if)
{
	if (!what_if)
		return;
	for (size_t i = 0; i < what_if->shadow.n_vnets; i++)
		free_vnet(&what_if->vnets[i]);
	free(what_if->vnets);
	free(what_if->shadow.vnets);
	nexthop_table_free(what_if->shadow.nexthops);
	peered_done(&what_if->shadow.peered);
	config_free(what_if->shadow.config);
	free(what_if);
}

bool what_if_outdated(const struct what_if *what_if)
{
	return what_if->generation != what_if->node->config_generation;
}

const struct node *what_if_node(const struct what_if *what_if)
{
	return &what_if->shadow;
}
