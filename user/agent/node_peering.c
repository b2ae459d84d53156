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

#define SUBSYS          "peering"
#define ROOM_SETTLE_SEC 1  /* from room for refused routes to the refresh: more may be on its way */
#define ROOM_PAUSE_SEC  20 /* between two such refreshes */

static const struct ip_addr *local_address(const struct node_vnet *vnet,
					   const struct peering_config *config, struct ip_addr *buf)
{
	const struct route_server_config *rs = &vnet->config->route_server;

	if (config->local_address[0] && ip_parse(config->local_address, buf) == 0)
		return buf;
	*buf = peering_family(config) == IP_V6 ? rs->local_address6 : rs->local_address;
	return buf;
}

void node_peering_local_address(const struct node_peering *peering, struct ip_addr *ret_addr)
{
	local_address(peering->vnet, peering->config, ret_addr);
}

void node_range_local_address(const struct node_range *range, struct ip_addr *ret_addr)
{
	local_address(range->vnet, range->config, ret_addr);
}

/* What we offer in OPEN; the bits that change with time are set_restart()'s. */
static void fill_caps(const struct peering_config *config, struct bgp_caps *caps)
{
	caps->multiprotocol = config->capabilities.multiprotocol;
	caps->families = config->families;
	caps->route_refresh = config->capabilities.route_refresh;
	caps->enhanced_refresh = config->capabilities.enhanced_refresh;
	caps->as4 = config->capabilities.four_octet_as;
	caps->extended_message = config->capabilities.extended_message;
	if (config->capabilities.extended_next_hop)
		caps->ext_next_hop = config->families & BGP_FAMILY_BIT(BGP_IPV4_UNICAST);
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		if (config->families & BGP_FAMILY_BIT(f))
			caps->add_path[f] = (config->add_path_receive ? BGP_ADD_PATH_RECEIVE : 0) |
					    (config->add_path_send_max ? BGP_ADD_PATH_SEND : 0);
	}
	caps->has_role = config->bgp_role != BGP_ROLE_MAX;
	caps->role = (uint8_t)(caps->has_role ? config->bgp_role : 0);
	if (!config->gr_enabled)
		return;
	caps->graceful_restart = true;
	caps->gr_notification = true;
	caps->gr_time = config->gr_restart_time;
	caps->gr_families = config->families;
	if (!config->gr_long_lived_time)
		return;
	caps->llgr = true;
	caps->llgr_families = config->families;
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		caps->llgr_time[f] = config->gr_long_lived_time;
}

/* BGP_NEED_*: what the peer has to offer as well. */
static uint32_t needed(const struct peering_config *config)
{
	const struct {
		enum capability_use use;
		uint32_t need;
	} rows[] = {
		{ config->capabilities.four_octet_as, BGP_NEED_AS4 },
		{ config->capabilities.route_refresh, BGP_NEED_ROUTE_REFRESH },
		{ config->capabilities.enhanced_refresh, BGP_NEED_ENH_REFRESH },
		{ config->capabilities.extended_message, BGP_NEED_EXT_MESSAGE },
		{ config->capabilities.extended_next_hop, BGP_NEED_EXT_NEXT_HOP },
	};
	uint32_t needed = config->gr_required ? BGP_NEED_GRACEFUL_RESTART : 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		needed |= rows[i].use == CAPABILITY_REQUIRE ? rows[i].need : 0;
	return needed;
}

void node_peering_fill_session(const struct node_vnet *vnet, const struct peering_config *config,
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
	/* Of a dynamic peer peer_asn is what it said last; its range says what it may be. */
	ret->peer_asn = peering_is_range(config) ? 0 : config->peer_asn;
	ret->peer_asns = config->peer_asns;
	ret->router_id = node->config->router_id;
	ret->disabled = !config->enabled;
	ret->passive = config->passive;
	ret->multihop_ttl = config->multihop_ttl;
	ret->ttl_security_hops = config->ttl_security_hops;
	ret->hold_time = config->hold_time;
	ret->keepalive_time = config->keepalive_time;
	ret->connect_retry_ms = config->connect_retry_time * 1000;
	ret->send_hold_ms = config->send_hold_time * 1000;
	ret->limits = (struct bgp_update_limits){
		.max_as_path = config->limits.as_path,
		.max_communities = config->limits.communities,
		.max_attr_bytes = config->limits.attribute_octets,
	};
	snprintf(ret->password_file, sizeof(ret->password_file), "%s", config->password_file);
	fill_caps(config, &ret->caps);
	ret->needed = needed(config);
	ret->require_role = config->bgp_role_strict;
	if (config->capabilities.multiprotocol == CAPABILITY_REQUIRE)
		ret->required_families = config->families;
}

void node_peering_fill_rib(const struct node_vnet *vnet, const struct peering_config *config,
			   struct rib_peer_config *ret)
{
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->name, sizeof(ret->name), "%s", config->name);
	ret->addr = config->peer_ip;
	ret->asn = config->peer_asn;
	ret->role = config->role;
	ret->limit = config->max_prefixes;
	ret->memory = (uint64_t)config->limits.memory_mib << 20;
	ret->in = vnet_find_route_map(vnet->config, config->inbound_route_map);
	ret->out = vnet_find_route_map(vnet->config, config->outbound_route_map);
	ret->advertise_vnet = config->advertise_vnet;
	ret->advertise_learned = config->advertise_learned;
	ret->advertise_host_routes = config->advertise_host_routes;
	ret->stale_allowed = config->gr_enabled;
	ret->add_path_max = config->add_path_send_max;
	ret->has_bgp_role = config->bgp_role != BGP_ROLE_MAX;
	ret->bgp_role = config->bgp_role;
}

/*
 * RFC 4724 3, for the next OPEN. R: the process restarted and its peers have not said everything yet. F:
 * what was learned from this peer is still forwarded, since before the restart (design section 9) or
 * since its last session.
 */
static void set_restart(const struct node_peering *peering)
{
	const struct node *node = peering->vnet->node;
	bool forwarding = node->maps && (node->adopted || peering->was_up);

	session_set_restart(peering->session, node->adopted && !node->sweep_done,
			    forwarding ? peering->config->families : 0);
}

void node_peerings_restarted(const struct node *node)
{
	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t i = 0; i < node->vnets[v]->n_peerings; i++)
			set_restart(node->vnets[v]->peerings[i]);
	}
}

/* --- stale paths of one family ------------------------------------------------------------------ */

static const char *const stale_texts[] = {
	[STALE_RESTARTING] = "did not return in its restart time",
	[STALE_LONG_LIVED] = "did not return in its long-lived time",
	[STALE_RETURNED] = "returned and sent no End-of-RIB",
	[STALE_REFRESHING] = "began a refresh and did not end it",
};

static void stale_wait(struct node_peering *peering, enum bgp_family family, enum stale_phase phase,
		       uint32_t seconds)
{
	struct loop *loop = peering->vnet->node->loop;

	peering->stale[family].phase = phase;
	loop_timer_set(loop, &peering->stale[family].timer, mono_add_sec(loop_now(loop), seconds));
}

static void stale_end(struct node_peering *peering, enum bgp_family family)
{
	loop_timer_stop(peering->vnet->node->loop, &peering->stale[family].timer);
}

/* RFC 9494 4.2: what the peer asks for, at most what is configured here; 0: not long-lived. */
static uint32_t long_lived_time(const struct node_peering *peering, enum bgp_family family)
{
	const struct bgp_caps *caps = session_peer_caps(peering->session);
	uint32_t ours = peering->config->gr_long_lived_time;

	if (!caps || !(caps->llgr_families & BGP_FAMILY_BIT(family)))
		return 0;
	return caps->llgr_time[family] < ours ? caps->llgr_time[family] : ours;
}

static void stale_over(struct loop_timer *timer)
{
	struct node_stale *stale = timer->ctx;
	struct node_peering *peering = stale->peering;
	struct node_vnet *vnet = peering->vnet;
	enum bgp_family family = (enum bgp_family)(stale - peering->stale);
	uint32_t longer = long_lived_time(peering, family);

	log_warn(SUBSYS, "peering=%s vnet=%s family=%s %s, stale paths %s", peering->config->name,
		 vnet->config->name, bgp_family_name(family), stale_texts[stale->phase],
		 stale->phase == STALE_RESTARTING && longer ? "are long-lived now" : "go");
	if (stale->phase == STALE_RESTARTING && longer) {
		rib_peer_long_lived(vnet->rib, peering->rib_peer, family);
		stale_wait(peering, family, STALE_LONG_LIVED, longer);
	} else {
		rib_peer_sweep(vnet->rib, peering->rib_peer, family);
	}
	node_vnet_rib_work(vnet);
}

/*
 * RFC 4724 4.2: the peer is back. What it did not keep forwarding goes at once, the rest waits for
 * End-of-RIB.
 */
static void stale_returned(struct node_peering *peering)
{
	const struct bgp_caps *caps = session_peer_caps(peering->session);
	uint32_t kept = caps ? caps->gr_forwarding | caps->llgr_forwarding : 0;
	struct rib *rib = peering->vnet->rib;

	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		stale_end(peering, f);
		if (!rib_peer_waiting(rib, peering->rib_peer, f))
			continue;
		if (kept & BGP_FAMILY_BIT(f))
			stale_wait(peering, f, STALE_RETURNED, peering->config->gr_stale_path_time);
		else
			rib_peer_sweep(rib, peering->rib_peer, f);
	}
}

/* --- out of use, and back --------------------------------------------------------------------------- */

struct node_peering *node_peering_by_addr(const struct node_vnet *vnet, const struct ip_addr *addr)
{
	for (size_t i = 0; i < vnet->n_peerings; i++) {
		if (ip_equal(&vnet->peerings[i]->config->peer_ip, addr))
			return vnet->peerings[i];
	}
	return NULL;
}

static void hold_over(struct loop_timer *timer)
{
	struct node_peering *peering = timer->ctx;

	node_fib_peer_changed(peering->vnet, &peering->config->peer_ip, TIMELINE_RETURNED);
}

/* After a failure flows come back only when the return has lasted for returnHoldMs. */
static void hold_down(struct node_peering *peering)
{
	struct loop *loop = peering->vnet->node->loop;

	if (peering->failed && peering->config->return_hold_ms)
		loop_timer_set(loop, &peering->hold,
			       mono_add_msec(loop_now(loop), peering->config->return_hold_ms));
	peering->failed = false;
}

bool node_peering_probe_failed(const struct node_peering *peering)
{
	return peering->probe && !probe_is_alive(peering->probe);
}

static void on_probe(void *owner, bool alive)
{
	struct node_peering *peering = owner;

	log_write(alive ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, SUBSYS, "peering=%s vnet=%s port %u %s",
		  peering->config->name, peering->vnet->config->name, peering->config->probe_port,
		  alive ? "answers again" : "does not answer: out of use");
	peering->failed = true;
	if (alive)
		hold_down(peering);
	node_fib_peer_changed(peering->vnet, &peering->config->peer_ip,
			      alive ? TIMELINE_RETURNED : TIMELINE_PROBE_FAILED);
}

static bool same_probe(const struct probe_config *a, const struct probe_config *b)
{
	return ip_equal(&a->peer, &b->peer) && ip_equal(&a->local, &b->local) &&
	       strcmp(a->device, b->device) == 0 && a->port == b->port &&
	       a->interval_ms == b->interval_ms && a->timeout_ms == b->timeout_ms &&
	       a->failures == b->failures;
}

static void apply_probe(struct node_peering *peering)
{
	const struct peering_config *config = peering->config;
	struct probe_config probe = { .peer = config->peer_ip,
				      .port = config->probe_port,
				      .interval_ms = config->probe_interval_ms,
				      .timeout_ms = config->probe_timeout_ms,
				      .failures = config->probe_failures };

	local_address(peering->vnet, config, &probe.local);
	snprintf(probe.device, sizeof(probe.device), "%s", config->device);
	if (peering->probe && same_probe(probe_config(peering->probe), &probe))
		return;
	probe_free(peering->probe);
	peering->probe = NULL;
	if (config->probe_port &&
	    probe_new(peering->vnet->node->loop, &probe, on_probe, peering, &peering->probe) < 0)
		log_err(SUBSYS, "peering=%s vnet=%s no probe: out of memory", config->name,
			peering->vnet->config->name);
	node_fib_dirty_addr(peering->vnet->node, &config->peer_ip);
}

static enum timeline_cause cause_of(const struct bgp_peer_down *down)
{
	if (down->note_received)
		return TIMELINE_NOTIFICATION;
	if (!down->note_sent)
		return TIMELINE_CONNECTION_LOST;
	if (down->code == BGP_ERR_HOLD_TIMER)
		return TIMELINE_HOLD_TIMER;
	return down->code == BGP_ERR_SEND_HOLD ? TIMELINE_SEND_HOLD_TIMER : TIMELINE_CLOSED;
}

/* --- what the session tells ------------------------------------------------------------------- */

static void on_established(struct session *session, const struct bgp_session_params *params)
{
	struct node_peering *peering = session_owner(session);
	struct node_vnet *vnet = peering->vnet;
	struct session_info info;

	hold_down(peering);
	node_fib_peer_alive(vnet, &peering->config->peer_ip);
	node_range_peer_up(peering, params->peer_asn);
	node_bfd_established(peering);
	session_get_info(session, &info);
	rib_peer_source(vnet->rib, peering->rib_peer, &info.local_addr);
	rib_peer_up(vnet->rib, peering->rib_peer, params, loop_now(vnet->node->loop));
	stale_returned(peering);
	peering->was_up = true;
	set_restart(peering);
	restart_check_vnet(vnet);
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
	const struct node_fault fault = { .cause = cause_of(down) };

	if (node->stopping)
		return; /* forwarding goes on as it is */
	if (!kept) {
		peering->failed = true;
		node_fib_peer_dead(vnet, &peering->config->peer_ip, &fault);
	}
	rib_peer_down(vnet->rib, peering->rib_peer, kept != 0, loop_now(node->loop));
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		stale_end(peering, f);
		if (kept & BGP_FAMILY_BIT(f))
			stale_wait(peering, f, STALE_RESTARTING,
				   session_peer_caps(session)->gr_time);
		else
			rib_peer_sweep(vnet->rib, peering->rib_peer, f);
	}
	node_range_peer_down(peering);
	/* It ended before we ended it: there is nothing left to wait for. */
	if (loop_timer_is_set(&peering->shutdown))
		loop_timer_set(node->loop, &peering->shutdown, loop_now(node->loop));
	node_vnet_rib_work(vnet);
}

static void on_update(struct session *session, const struct bgp_update *update)
{
	struct node_peering *peering = session_owner(session);
	struct node_vnet *vnet = peering->vnet;

	peering->updates++;
	peering->findings += update->n_findings > 0;
	if (rib_update(vnet->rib, peering->rib_peer, update, loop_now(vnet->node->loop)) < 0)
		node_memory_peering(peering);
	node_vnet_rib_work(vnet);
	if (!update->end_of_rib)
		return;
	stale_end(peering, update->eor_family);
	restart_check_vnet(vnet);
	restart_check(vnet->node);
}

/* BoRR and EoRR (RFC 7313 4); a refresh that never ends has a bound. */
static void demarcation(struct node_peering *peering, enum bgp_family family, bool begins)
{
	struct node_vnet *vnet = peering->vnet;

	if (!rib_peer_refresh(vnet->rib, peering->rib_peer, family, begins)) {
		log_info(SUBSYS, "peering=%s vnet=%s family=%s %s out of turn, ignored",
			 peering->config->name, vnet->config->name, bgp_family_name(family),
			 begins ? "BoRR" : "EoRR");
		return;
	}
	if (begins)
		stale_wait(peering, family, STALE_REFRESHING, peering->config->gr_stale_path_time);
	else
		stale_end(peering, family);
	node_vnet_rib_work(vnet);
}

static void on_refresh(struct session *session, const struct bgp_route_refresh *refresh)
{
	struct node_peering *peering = session_owner(session);
	enum bgp_family family;

	if (!bgp_family_from_afi(refresh->afi, refresh->safi, &family))
		return;
	if (refresh->subtype != BGP_REFRESH_NORMAL) {
		demarcation(peering, family, refresh->subtype == BGP_REFRESH_BORR);
		return;
	}
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

/* Outside rib_update(): the session may not end under the RIB's feet. */
static void max_prefix_reached(struct loop_timer *timer)
{
	struct node_peering *peering = timer->ctx;
	struct bgp_error error;
	const struct rib_limit *limit = &peering->config->max_prefixes;
	bool restart = limit->action == RIB_LIMIT_RESTART;

	/* RFC 4486 4: subcode 1 may carry AFI, SAFI and the bound; peers only show the text. */
	bgp_error_set(&error, BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIXES,
		      "maximum number of prefixes reached", NULL, 0);
	session_fail(peering->session, &error,
		     restart ? limit->restart_seconds * 1000 : SESSION_STAY_DOWN);
}

/* What was refused for want of memory is not kept: only the peer has it. */
static void room_appeared(struct loop_timer *timer)
{
	struct node_peering *peering = timer->ctx;
	int err = session_refresh_in(peering->session, 0);

	peering->room_asked = loop_now(peering->vnet->node->loop);
	if (err == -ENOTCONN)
		return;
	log_info(SUBSYS, "peering=%s vnet=%s there is room for what was refused: %s",
		 peering->config->name, peering->vnet->config->name,
		 err < 0 ? "the peer can not be asked for it again, only a reset does"
			 : "the peer is asked again");
}

/* Outside rib_update(), and seldom: all of its table comes again. */
static void ask_again(struct node_peering *peering)
{
	struct loop *loop = peering->vnet->node->loop;
	struct mono at = mono_add_sec(loop_now(loop), ROOM_SETTLE_SEC);
	struct mono next = mono_add_sec(peering->room_asked, ROOM_PAUSE_SEC);

	if (mono_is_set(peering->room_asked) && mono_before(at, next))
		at = next;
	if (!loop_timer_is_set(&peering->room))
		loop_timer_set(loop, &peering->room, at);
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
	case RIB_EVENT_MEMORY:
		if (log_allow(&peering->memory_log, loop_now(vnet->node->loop), 1, 60000))
			log_err(SUBSYS,
				"peering=%s vnet=%s family=%s prefixes=%u over "
				"limits.memoryMiB=%u: "
				"routes are refused",
				peering->config->name, vnet->config->name, bgp_family_name(family),
				count, peering->config->limits.memory_mib);
		return;
	case RIB_EVENT_ROOM:
		ask_again(peering);
		return;
	case RIB_EVENT_LIMIT_WARN:
		peering->limit_warnings++;
		log_warn(SUBSYS, "peering=%s vnet=%s family=%s prefixes=%u limit=%u warnPercent=%u",
			 peering->config->name, vnet->config->name, bgp_family_name(family), count,
			 limit->limit, limit->warn_percent);
		node_event_limit(peering, family, count, false);
		return;
	case RIB_EVENT_LIMIT_EXCEEDED:
		peering->limit_exceeded++;
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

/* --- a planned end (RFC 8326) -------------------------------------------------------------------- */

static bool shutdown_is_announced(const struct node_peering *peering)
{
	return loop_timer_is_set(&peering->shutdown);
}

static bool announces_shutdown(const struct node_peering *peering, uint32_t seconds)
{
	return seconds && session_is_established(peering->session);
}

static void disable_now(struct node_peering *peering, const char *text)
{
	peering->admin_down = true;
	peering->bfd_hold = false;
	session_disable(peering->session, text);
	node_bfd_apply(peering);
}

static void shutdown_now(struct loop_timer *timer)
{
	struct node_peering *peering = timer->ctx;

	disable_now(peering, peering->shutdown_text);
}

void node_peering_end(struct node_peering *peering, const char *text, uint32_t seconds)
{
	struct node_vnet *vnet = peering->vnet;
	struct loop *loop = vnet->node->loop;

	if (shutdown_is_announced(peering))
		return;
	if (!announces_shutdown(peering, seconds)) {
		disable_now(peering, text);
		return;
	}
	snprintf(peering->shutdown_text, sizeof(peering->shutdown_text), "%s", text ? text : "");
	rib_peer_shutting_down(vnet->rib, peering->rib_peer, true);
	loop_timer_set(loop, &peering->shutdown, mono_add_sec(loop_now(loop), seconds));
	log_info(SUBSYS, "peering=%s vnet=%s is told of its end, in %u s", peering->config->name,
		 vnet->config->name, seconds);
}

void node_peering_disable(struct node_peering *peering, const char *text)
{
	node_peering_end(peering, text, peering->config->shutdown_drain_time);
}

void node_peering_enable(struct node_peering *peering)
{
	loop_timer_stop(peering->vnet->node->loop, &peering->shutdown);
	rib_peer_shutting_down(peering->vnet->rib, peering->rib_peer, false);
	peering->admin_down = peering->node_down = false;
	node_bfd_enable(peering);
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
	peering->node_down = vnet->node->shut_down && config->enabled;
	peering->admin_down = !config->enabled || peering->node_down;
	peering->created = loop_now(vnet->node->loop);
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++) {
		peering->stale[f].peering = peering;
		peering->stale[f].timer =
			(struct loop_timer){ .fn = stale_over, .ctx = &peering->stale[f] };
	}
	peering->shutdown = (struct loop_timer){ .fn = shutdown_now, .ctx = peering };
	peering->max_prefix = (struct loop_timer){ .fn = max_prefix_reached, .ctx = peering };
	peering->hold = (struct loop_timer){ .fn = hold_over, .ctx = peering };
	peering->room = (struct loop_timer){ .fn = room_appeared, .ctx = peering };
	node_drain_init(peering);
	node_peering_fill_rib(vnet, config, &rib);
	err = rib_peer_add(vnet->rib, &rib, &peering->rib_peer);
	if (err < 0) {
		free(peering);
		return err;
	}
	node_peering_fill_session(vnet, config, &session);
	peering->bfd_hold = !peering->admin_down && node_bfd_holds(peering);
	session.disabled |= peering->bfd_hold || peering->admin_down;
	err = session_new(vnet->node->loop, vnet->node->listeners, &session, &ops, peering,
			  &peering->session);
	if (err < 0) {
		rib_peer_remove(vnet->rib, peering->rib_peer);
		free(peering);
		return err;
	}
	set_restart(peering);
	node_bfd_apply(peering);
	apply_probe(peering);
	node_drain_resume(peering);
	*ret_peering = peering;
	return 0;
}

void node_peering_free(struct node_peering *peering)
{
	struct node_vnet *vnet;

	if (!peering)
		return;
	vnet = peering->vnet;
	node_bfd_forget(peering);
	probe_free(peering->probe);
	loop_timer_stop(vnet->node->loop, &peering->hold);
	node_drain_done(peering);
	if (vnet->node->stopping)
		session_shutdown(peering->session, peering->config->gr_enabled);
	session_free(peering->session);
	for (enum bgp_family f = 0; f < BGP_FAMILY_MAX; f++)
		stale_end(peering, f);
	loop_timer_stop(vnet->node->loop, &peering->max_prefix);
	loop_timer_stop(vnet->node->loop, &peering->shutdown);
	loop_timer_stop(vnet->node->loop, &peering->room);
	loop_timer_stop(vnet->node->loop, &peering->idle);
	if (!vnet->node->stopping)
		rib_peer_remove(vnet->rib, peering->rib_peer);
	free(peering->own);
	free(peering);
}

int node_peering_reconfigure(struct node_peering *peering, const struct peering_config *config)
{
	struct node_vnet *vnet = peering->vnet;
	struct session_config session;
	struct rib_peer_config rib;
	enum session_change change;
	const char *why = NULL;
	bool was_enabled = peering->config->enabled, was_held = peering->bfd_hold;
	bool announced, down;
	int err;

	peering->config = config;
	node_peering_fill_rib(vnet, config, &rib);
	rib_peer_reconfigure(vnet->rib, peering->rib_peer, &rib);
	node_peering_fill_session(vnet, config, &session);
	announced = shutdown_is_announced(peering) ||
		    (was_enabled && !config->enabled &&
		     announces_shutdown(peering, config->shutdown_drain_time));
	/* What an operator did stays: a reload that does not change `enabled` says nothing about it. */
	down = was_enabled == config->enabled ? peering->admin_down : !config->enabled;
	down = down && !announced;
	peering->bfd_hold = !down && config->enabled && node_bfd_holds(peering) &&
			    !session_is_established(peering->session);
	session.disabled = down || peering->bfd_hold;
	err = session_reconfigure(peering->session, &session, &change, &why);
	if (err < 0)
		return err;
	peering->admin_down = down;
	if (was_held && !peering->bfd_hold && !peering->admin_down)
		session_enable(peering->session);
	node_bfd_apply(peering);
	apply_probe(peering);
	set_restart(peering);
	if (announced && !config->enabled)
		node_peering_disable(peering, "disabled by configuration");
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

/*
 * RFC 4724 4.1. Who restarts as well, and who does not know graceful restart, will send no End-of-RIB that
 * means anything.
 */
bool node_peering_awaited(const struct node_peering *peering)
{
	const struct bgp_session_params *params = session_params(peering->session);
	const struct bgp_caps *caps = session_peer_caps(peering->session);

	if (!peering->config->enabled || !peering->config->gr_enabled || peering->admin_down)
		return false;
	if (!params)
		return true;
	return params->peer_gr && !caps->gr_restarting && !peering_complete(peering);
}

bool node_vnet_awaits_peers(const struct node_vnet *vnet)
{
	for (size_t i = 0; i < vnet->n_peerings; i++) {
		if (node_peering_awaited(vnet->peerings[i]))
			return true;
	}
	return false;
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
