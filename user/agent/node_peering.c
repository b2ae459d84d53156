// SPDX-License-Identifier: GPL-2.0-only
/*
 * One peering of a vnet: joins its session (sockets, FSM) with its place in the RIB. Called by
 * node_vnet.c for the configuration and by the session for everything that happens on the wire. Never
 * touches sockets or maps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"

#define SUBSYS              "peering"
#define MAX_PREFIX_RETRY_MS 60000u

static const struct ip_addr *local_address(const struct node_vnet *vnet,
					   const struct peering_config *config, struct ip_addr *buf)
{
	const struct route_server_config *rs = &vnet->config->route_server;

	if (config->local_address[0] && ip_parse(config->local_address, buf) == 0)
		return buf;
	*buf = config->peer_ip.family == IP_V6 ? rs->local_address6 : rs->local_address;
	return buf;
}

/* What we offer in OPEN. Forwarding went on over a restart, so the F bit is true (design section 9). */
static void fill_caps(const struct node *node, const struct peering_config *config,
		      struct bgp_caps *caps)
{
	caps->multiprotocol = true;
	caps->families = config->families;
	caps->route_refresh = true;
	caps->as4 = true;
	caps->extended_message = true;
	if (!config->gr_enabled)
		return;
	caps->graceful_restart = true;
	caps->gr_notification = true;
	caps->gr_restarting = node->adopted && !node->sweep_done;
	caps->gr_time = config->gr_restart_time;
	caps->gr_families = config->families;
	caps->gr_forwarding = node->maps ? config->families : 0;
}

static void fill_session(const struct node_vnet *vnet, const struct peering_config *config,
			 struct session_config *ret)
{
	const struct node *node = vnet->node;

	memset(ret, 0, sizeof(*ret));
	snprintf(ret->name, sizeof(ret->name), "%s", config->name);
	snprintf(ret->vnet, sizeof(ret->vnet), "%s", vnet->config->name);
	ret->peer_addr = config->peer_ip;
	local_address(vnet, config, &ret->local_addr);
	snprintf(ret->device, sizeof(ret->device), "%s", config->device);
	ret->peer_port = config->port;
	ret->local_port = vnet->config->route_server.port;
	ret->local_asn = vnet->config->route_server.asn;
	ret->peer_asn = config->peer_asn;
	ret->router_id = node->config->router_id;
	ret->disabled = !config->enabled;
	ret->passive = config->passive;
	ret->multihop_ttl = config->multihop_ttl;
	ret->ttl_security_hops = config->ttl_security_hops;
	ret->hold_time = config->hold_time;
	ret->keepalive_time = config->keepalive_time;
	ret->connect_retry_ms = config->connect_retry_time * 1000;
	snprintf(ret->password_file, sizeof(ret->password_file), "%s", config->password_file);
	fill_caps(node, config, &ret->caps);
}

static void fill_rib(const struct node_vnet *vnet, const struct peering_config *config,
		     struct rib_peer_config *ret)
{
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->name, sizeof(ret->name), "%s", config->name);
	ret->addr = config->peer_ip;
	ret->asn = config->peer_asn;
	ret->role = config->role;
	ret->limit = config->max_prefixes;
	ret->in = vnet_find_route_map(vnet->config, config->inbound_route_map);
	ret->out = vnet_find_route_map(vnet->config, config->outbound_route_map);
	ret->advertise_vnet = config->advertise_vnet;
	ret->advertise_learned = config->advertise_learned;
	ret->advertise_host_routes = config->advertise_host_routes;
	ret->stale_allowed = config->gr_enabled;
}

/* --- what the session tells ------------------------------------------------------------------- */

static void on_established(struct session *session, const struct bgp_session_params *params)
{
	struct node_peering *peering = session_owner(session);
	struct node_vnet *vnet = peering->vnet;

	loop_timer_stop(vnet->node->loop, &peering->grace);
	node_fib_peer_dead(vnet, &peering->config->peer_ip, false);
	rib_peer_up(vnet->rib, peering->rib_peer, params, loop_now(vnet->node->loop));
	node_vnet_rib_work(vnet);
	session_wake_output(session);
}

/* Families whose paths are kept as stale: those that the peer listed (RFC 4724 3 and 4.2). */
static uint32_t graceful_families(const struct node_peering *peering,
				  const struct bgp_peer_down *down)
{
	const struct bgp_caps *caps = session_peer_caps(peering->session);

	if (!down->graceful || !peering->config->gr_enabled || !caps)
		return 0;
	return caps->gr_families & peering->config->families;
}

static void on_down(struct session *session, const struct bgp_peer_down *down)
{
	struct node_peering *peering = session_owner(session);
	struct node_vnet *vnet = peering->vnet;
	struct node *node = vnet->node;
	uint32_t kept = graceful_families(peering, down);

	if (node->stopping)
		return; /* forwarding goes on as it is */
	if (!kept)
		node_fib_peer_dead(vnet, &peering->config->peer_ip, true);
	rib_peer_down(vnet->rib, peering->rib_peer, kept != 0, loop_now(node->loop));
	for (enum bgp_family f = 0; kept && f < BGP_FAMILY_MAX; f++) {
		if (!(kept & BGP_FAMILY_BIT(f)))
			rib_peer_sweep(vnet->rib, peering->rib_peer, f);
	}
	if (kept)
		loop_timer_set(
			node->loop, &peering->grace,
			mono_add_sec(loop_now(node->loop), session_peer_caps(session)->gr_time));
	node_vnet_rib_work(vnet);
}

static void on_update(struct session *session, const struct bgp_update *update)
{
	struct node_peering *peering = session_owner(session);
	struct node_vnet *vnet = peering->vnet;

	peering->updates++;
	peering->findings += update->n_findings > 0;
	if (rib_update(vnet->rib, peering->rib_peer, update, loop_now(vnet->node->loop)) < 0)
		log_err(SUBSYS, "peering=%s vnet=%s out of memory, the UPDATE was not stored",
			peering->config->name, vnet->config->name);
	node_vnet_rib_work(vnet);
	if (update->end_of_rib)
		restart_check(vnet->node);
}

static void on_refresh(struct session *session, const struct bgp_route_refresh *refresh)
{
	struct node_peering *peering = session_owner(session);
	enum bgp_family family;

	if (!bgp_family_from_afi(refresh->afi, refresh->safi, &family))
		return;
	rib_peer_resend(peering->vnet->rib, peering->rib_peer, family);
	session_wake_output(session);
}

static size_t on_produce(struct session *session, uint8_t *buf, size_t cap)
{
	struct node_peering *peering = session_owner(session);

	return rib_produce(peering->vnet->rib, peering->rib_peer, buf, cap);
}

static void on_session_changed(struct session *session)
{
	node_event_session(session_owner(session), session);
}

static const struct session_ops ops = {
	.established = on_established,
	.down = on_down,
	.update = on_update,
	.refresh = on_refresh,
	.produce = on_produce,
	.changed = on_session_changed,
};

/* --- what the RIB tells ------------------------------------------------------------------------ */

static struct node_peering *by_rib_peer(struct node_vnet *vnet, uint16_t peer)
{
	for (size_t i = 0; i < vnet->n_peerings; i++) {
		if (vnet->peerings[i]->rib_peer == peer)
			return vnet->peerings[i];
	}
	return NULL;
}

static void grace_over(struct loop_timer *timer)
{
	struct node_peering *peering = timer->ctx;
	struct node_vnet *vnet = peering->vnet;

	log_warn(SUBSYS, "peering=%s vnet=%s did not return in its restart time, stale paths go",
		 peering->config->name, vnet->config->name);
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		rib_peer_sweep(vnet->rib, peering->rib_peer, f);
	node_vnet_rib_work(vnet);
}

/* Outside rib_update(): the session may not end under the RIB's feet. */
static void max_prefix_reached(struct loop_timer *timer)
{
	struct node_peering *peering = timer->ctx;
	struct bgp_error error;
	bool restart = peering->config->max_prefixes.action == RIB_LIMIT_RESTART;

	/* RFC 4486 4: subcode 1 may carry AFI, SAFI and the bound; peers only show the text. */
	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIXES,
		      "maximum number of prefixes reached", NULL, 0);
	session_fail(peering->session, &error, restart ? MAX_PREFIX_RETRY_MS : SESSION_STAY_DOWN);
}

void node_peering_rib_event(struct node_vnet *vnet, enum rib_event_type type, uint16_t peer,
			    enum bgp_family family, uint32_t count)
{
	struct node_peering *peering = by_rib_peer(vnet, peer);
	const struct rib_limit *limit;

	if (!peering || !peering->session)
		return;
	limit = &peering->config->max_prefixes;
	switch (type) {
	case RIB_EVENT_OUTPUT:
		session_wake_output(peering->session);
		return;
	case RIB_EVENT_LIMIT_WARN:
		log_warn(SUBSYS, "peering=%s vnet=%s family=%s prefixes=%u limit=%u warnPercent=%u",
			 peering->config->name, vnet->config->name, bgp_family_name(family), count,
			 limit->limit, limit->warn_percent);
		node_event_limit(peering, family, count, false);
		return;
	case RIB_EVENT_LIMIT_EXCEEDED:
		log_err(SUBSYS, "peering=%s vnet=%s family=%s prefixes=%u over limit=%u",
			peering->config->name, vnet->config->name, bgp_family_name(family), count,
			limit->limit);
		node_event_limit(peering, family, count, true);
		if (limit->action == RIB_LIMIT_RESTART || limit->action == RIB_LIMIT_SHUTDOWN)
			loop_timer_set(vnet->node->loop, &peering->max_prefix,
				       loop_now(vnet->node->loop));
		return;
	}
}

/* --- life --------------------------------------------------------------------------------------- */

int node_peering_new(struct node_vnet *vnet, const struct peering_config *config,
		     struct node_peering **ret_peering)
{
	struct node_peering *peering = calloc(1, sizeof(*peering));
	struct session_config session;
	struct rib_peer_config rib;
	int err;

	if (!peering)
		return -ENOMEM;
	peering->vnet = vnet;
	peering->config = config;
	peering->created = loop_now(vnet->node->loop);
	peering->grace = (struct loop_timer){ .fn = grace_over, .ctx = peering };
	peering->max_prefix = (struct loop_timer){ .fn = max_prefix_reached, .ctx = peering };
	fill_rib(vnet, config, &rib);
	err = rib_peer_add(vnet->rib, &rib, &peering->rib_peer);
	if (err < 0) {
		free(peering);
		return err;
	}
	fill_session(vnet, config, &session);
	err = session_new(vnet->node->loop, vnet->node->listeners, &session, &ops, peering,
			  &peering->session);
	if (err < 0) {
		rib_peer_remove(vnet->rib, peering->rib_peer);
		free(peering);
		return err;
	}
	*ret_peering = peering;
	return 0;
}

void node_peering_free(struct node_peering *peering)
{
	struct node_vnet *vnet;

	if (!peering)
		return;
	vnet = peering->vnet;
	if (vnet->node->stopping)
		session_shutdown(peering->session, peering->config->gr_enabled);
	session_free(peering->session);
	loop_timer_stop(vnet->node->loop, &peering->grace);
	loop_timer_stop(vnet->node->loop, &peering->max_prefix);
	if (!vnet->node->stopping)
		rib_peer_remove(vnet->rib, peering->rib_peer);
	free(peering);
}

int node_peering_reconfigure(struct node_peering *peering, const struct peering_config *config)
{
	struct node_vnet *vnet = peering->vnet;
	struct session_config session;
	struct rib_peer_config rib;
	enum session_change change;
	const char *why = NULL;
	int err;

	peering->config = config;
	fill_rib(vnet, config, &rib);
	rib_peer_reconfigure(vnet->rib, peering->rib_peer, &rib);
	fill_session(vnet, config, &session);
	err = session_reconfigure(peering->session, &session, &change, &why);
	if (err < 0)
		return err;
	if (change == SESSION_RESET)
		log_info(SUBSYS, "peering=%s vnet=%s reset by configuration: %s changed",
			 config->name, vnet->config->name, why ? why : "it");
	node_vnet_rib_work(vnet);
	session_wake_output(peering->session);
	return 0;
}

static bool peering_complete(const struct node_peering *peering)
{
	const struct bgp_session_params *params = session_params(peering->session);

	if (!peering->config->enabled)
		return true;
	if (!params)
		return false;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		if ((params->families & BGP_FAMILY_BIT(f)) &&
		    !rib_peer_eor(peering->vnet->rib, peering->rib_peer, f))
			return false;
	}
	return true;
}

bool node_peerings_complete(const struct node *node)
{
	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t i = 0; i < node->vnets[v]->n_peerings; i++) {
			if (!peering_complete(node->vnets[v]->peerings[i]))
				return false;
		}
	}
	return true;
}
