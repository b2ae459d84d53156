// SPDX-License-Identifier: GPL-2.0-only
/*
 * One peering of a vnet: joins its session (sockets, FSM) with its place in the RIB. Called by
 * node_vnet.c for the configuration and by the session for everything that happens on the wire. What a
 * configuration means is node_peering_config.c's affair, graceful restart node_graceful.c's. Never touches sockets
 * or maps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/node_impl.h"

#define SUBSYS          "peering"
#define ROOM_SETTLE_SEC 1  /* from room for refused routes to the refresh: more may be on its way */
#define ROOM_PAUSE_SEC  20 /* between two such refreshes */

struct node_peering *node_peering_by_addr(const struct node_vnet *vnet, const struct ip_addr *addr)
{
	for (size_t i = 0; i < vnet->n_peerings; i++) {
		if (ip_equal(&vnet->peerings[i]->config->peer_ip, addr))
			return vnet->peerings[i];
	}
	return NULL;
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

	node_health_returned(peering);
	node_nexthop_peer_alive(vnet, &peering->config->peer_ip);
	node_range_peer_up(peering, params->peer_asn);
	node_bfd_established(peering);
	session_get_info(session, &info);
	rib_peer_source(vnet->rib, peering->rib_peer, &info.local_addr);
	rib_peer_up(vnet->rib, peering->rib_peer, params, loop_now(vnet->node->loop));
	node_stale_returned(peering);
	peering->was_up = true;
	node_graceful_tell(peering);
	restart_check_vnet(vnet);
	node_vnet_rib_work(vnet);
	session_wake_output(session);
}

static void on_down(struct session *session, const struct bgp_peer_down *down)
{
	struct node_peering *peering = session_owner(session);
	struct node_vnet *vnet = peering->vnet;
	struct node *node = vnet->node;
	uint32_t kept = node_stale_kept(peering, down);
	const struct node_fault fault = { .cause = cause_of(down) };

	if (node->stopping)
		return; /* forwarding goes on as it is */
	if (!kept) {
		peering->failed = true;
		node_nexthop_peer_dead(vnet, &peering->config->peer_ip, &fault);
	}
	rib_peer_down(vnet->rib, peering->rib_peer, kept != 0, loop_now(node->loop));
	node_stale_begin(peering, kept);
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
	node_stale_end(peering, update->eor_family);
	restart_check_vnet(vnet);
	restart_check(vnet->node);
}

static void on_refresh(struct session *session, const struct bgp_route_refresh *refresh)
{
	struct node_peering *peering = session_owner(session);
	enum bgp_family family;

	if (!bgp_family_from_afi(refresh->afi, refresh->safi, &family))
		return;
	if (refresh->subtype != BGP_REFRESH_NORMAL) {
		node_stale_refresh(peering, family, refresh->subtype == BGP_REFRESH_BORR);
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
	node_stale_init(peering);
	peering->shutdown = (struct loop_timer){ .fn = shutdown_now, .ctx = peering };
	peering->max_prefix = (struct loop_timer){ .fn = max_prefix_reached, .ctx = peering };
	node_health_init(peering);
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
	node_graceful_tell(peering);
	node_bfd_apply(peering);
	node_health_apply(peering);
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
	node_health_done(peering);
	node_drain_done(peering);
	if (vnet->node->stopping)
		session_shutdown(peering->session, peering->config->gr_enabled);
	session_free(peering->session);
	node_stale_done(peering);
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
	node_health_apply(peering);
	node_graceful_tell(peering);
	if (announced && !config->enabled)
		node_peering_disable(peering, "disabled by configuration");
	if (change == SESSION_RESET)
		log_info(SUBSYS, "peering=%s vnet=%s reset by configuration: %s changed",
			 config->name, vnet->config->name, why ? why : "it");
	node_vnet_rib_work(vnet);
	session_wake_output(peering->session);
	return 0;
}
