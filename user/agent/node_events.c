// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the node tells its event bus, and in which words: the one place where the data of an event is
 * written (events.h lists the members). Called by the files of the node where something has just
 * happened. It changes nothing and must not be called with anything half done.
 */
#include <string.h>

#include "agent/node_impl.h"

/* Changed routes are told so long after the first of them, as one event. */
#define ROUTE_NEWS_MS 100

static void emit(struct node *node)
{
	events_end(node->events, loop_now(node->loop), wall_now_usec());
}

/* --- peerings --------------------------------------------------------------------------------- */

static struct json_out *begin_peering(const struct node_peering *peering, enum event_type type)
{
	struct json_out *out = events_begin(peering->vnet->node->events, type);

	json_out_string(out, "peering", peering->config->name);
	json_out_string(out, "vnet", peering->vnet->config->name);
	return out;
}

static void emit_note(const struct node_peering *peering, const struct bgp_peer_note *note,
		      const char *direction)
{
	struct json_out *out = begin_peering(peering, EVENT_PEER_NOTIFICATION);

	json_out_string(out, "direction", direction);
	json_out_uint(out, "code", note->note.code);
	json_out_string(out, "codeName", bgp_error_code_name(note->note.code));
	json_out_uint(out, "subcode", note->note.subcode);
	json_out_string(out, "subcodeName",
			bgp_error_subcode_name(note->note.code, note->note.subcode));
	json_out_string(out, "text", note->note.text[0] ? note->note.text : note->reason);
	emit(peering->vnet->node);
}

static void emit_state(const struct node_peering *peering, const struct session_info *info)
{
	struct json_out *out = begin_peering(peering, EVENT_PEER_STATE);

	json_out_string(out, "from", fsm_state_name(peering->told.state));
	json_out_string(out, "to", fsm_state_name(info->state));
	json_out_string(out, "adminState", info->disabled ? "disabled" : "enabled");
	json_out_string(out, "problem", info->problem);
	emit(peering->vnet->node);
}

void node_event_session(struct node_peering *peering, const struct session *session)
{
	struct session_info info;
	const struct bgp_peer_stats *stats;

	session_get_info(session, &info);
	stats = info.stats;
	if (stats->last_received.wall_usec != peering->told.received)
		emit_note(peering, &stats->last_received, "received");
	if (stats->last_sent.wall_usec != peering->told.sent)
		emit_note(peering, &stats->last_sent, "sent");
	peering->told.received = stats->last_received.wall_usec;
	peering->told.sent = stats->last_sent.wall_usec;
	if (info.state == peering->told.state && info.disabled == peering->told.disabled &&
	    (info.problem != NULL) == peering->told.problem)
		return;
	emit_state(peering, &info);
	peering->told.state = info.state;
	peering->told.disabled = info.disabled;
	peering->told.problem = info.problem != NULL;
}

void node_event_drain(const struct node_peering *peering)
{
	struct json_out *out = begin_peering(peering, EVENT_PEER_DRAIN);

	json_out_string(out, "state", node_drain_state(peering));
	emit(peering->vnet->node);
}

void node_event_bfd(const struct node_peering *peering, const struct bfd_event *event)
{
	struct json_out *out = begin_peering(peering, EVENT_PEER_BFD);

	json_out_string(out, "state", bfd_state_name(event->state));
	json_out_string(out, "diag", bfd_diag_name(event->diag));
	json_out_string(out, "remoteState", bfd_state_name(event->remote_state));
	json_out_bool(out, "failure", event->failure);
	emit(peering->vnet->node);
}

void node_event_limit(const struct node_peering *peering, enum bgp_family family, uint32_t count,
		      bool exceeded)
{
	static const char *const actions[] = { "warn", "block", "restart", "shutdown" };
	const struct rib_limit *limit = &peering->config->max_prefixes;
	struct json_out *out = begin_peering(peering, EVENT_PEER_LIMIT);

	json_out_string(out, "family", bgp_family_name(family));
	json_out_uint(out, "prefixes", count);
	json_out_uint(out, "limit", limit->limit);
	json_out_string(out, "action", actions[limit->action]);
	json_out_bool(out, "exceeded", exceeded);
	emit(peering->vnet->node);
}

/* --- routes ------------------------------------------------------------------------------------- */

static void tell_routes(struct loop_timer *timer)
{
	struct node_vnet *vnet = timer->ctx;
	struct node_route_news *news = &vnet->news;
	struct json_out *out = events_begin(vnet->node->events, EVENT_ROUTE_CHANGED);
	char text[PREFIX_TEXT_MAX];

	json_out_string(out, "vnet", vnet->config->name);
	json_out_uint(out, "changes", news->changes);
	json_out_begin_array(out, "prefixes");
	for (uint32_t i = 0; i < news->n; i++)
		json_out_string(out, NULL, prefix_format(&news->prefix[i], text));
	json_out_end_array(out);
	json_out_bool(out, "more", news->n == NODE_ROUTES_TOLD);
	emit(vnet->node);
	news->changes = news->n = 0;
}

void node_event_route(struct node_vnet *vnet, const struct ip_prefix *prefix)
{
	struct node_route_news *news = &vnet->news;
	struct loop *loop = vnet->node->loop;

	if (news->changes++ == 0)
		loop_timer_set(loop, &news->timer, mono_add_msec(loop_now(loop), ROUTE_NEWS_MS));
	if (news->n == NODE_ROUTES_TOLD)
		return; /* a million of them come by here */
	for (uint32_t i = 0; i < news->n; i++) {
		if (prefix_equal(&news->prefix[i], prefix))
			return;
	}
	news->prefix[news->n++] = *prefix;
}

void node_event_routes_init(struct node_vnet *vnet)
{
	vnet->news.timer = (struct loop_timer){ .fn = tell_routes, .ctx = vnet };
}

void node_event_routes_done(struct node_vnet *vnet)
{
	loop_timer_stop(vnet->node->loop, &vnet->news.timer);
}

/* --- nics and maps -------------------------------------------------------------------------------- */

void node_event_nic(struct node *node, const struct node_nic *nic, const char *from, const char *to)
{
	static const char *const roles[] = { "vm", "nva", "uplink" };
	struct json_out *out = events_begin(node->events, EVENT_NIC_ATTACH);

	json_out_string(out, "nic", nic->name);
	json_out_uint(out, "ifindex", nic->ifindex);
	json_out_string(out, "vnet", nic->vnet->config->name);
	json_out_string(out, "routeTable", nic->table ? nic->table->config->name : NULL);
	json_out_string(out, "role", roles[nic->role]);
	json_out_string(out, "from", from);
	json_out_string(out, "to", to);
	json_out_string(out, "reason", nic->reason);
	emit(node);
}

void node_event_fib_error(struct node *node, const char *operation, int error_number)
{
	struct json_out *out = events_begin(node->events, EVENT_FIB_ERROR);

	json_out_string(out, "operation", operation);
	json_out_int(out, "errno", error_number);
	json_out_string(out, "error", strerror(error_number));
	emit(node);
}

void node_event_swept(struct node *node, size_t routes)
{
	struct json_out *out = events_begin(node->events, EVENT_FIB_SWEPT);

	json_out_uint(out, "routes", routes);
	emit(node);
}

/* --- configuration ----------------------------------------------------------------------------------- */

void node_event_config(struct node *node, const char *cause)
{
	struct json_out *out = events_begin(node->events, EVENT_CONFIG_APPLIED);

	json_out_uint(out, "generation", node->config_generation);
	json_out_string(out, "cause", cause);
	emit(node);
}

void node_event_config_pending(struct node *node, uint64_t deadline_wall)
{
	struct json_out *out = events_begin(node->events, EVENT_CONFIG_PENDING);
	char text[RFC3339_MAX];

	json_out_string(out, "deadline", rfc3339_format(deadline_wall, text));
	emit(node);
}

void node_event_config_confirmed(struct node *node)
{
	json_out_uint(events_begin(node->events, EVENT_CONFIG_CONFIRMED), "generation",
		      node->config_generation);
	emit(node);
}

void node_event_config_refused(struct node *node, const char *cause,
			       const struct config_error *error)
{
	struct json_out *out = events_begin(node->events, EVENT_CONFIG_REFUSED);

	json_out_string(out, "cause", cause);
	json_out_string(out, "path", error->path);
	json_out_string(out, "message", error->message);
	emit(node);
}

void node_event_timeline(struct node *node, const struct timeline_entry *entry)
{
	struct json_out *out = events_begin(node->events, EVENT_FIB_FAILOVER);
	char text[IP_TEXT_MAX];

	json_out_string(out, "cause", timeline_cause_name(entry->cause));
	json_out_string(out, "address", ip_format(&entry->addr, text));
	json_out_string(out, "vnet", entry->vnet);
	json_out_string(out, "peering", entry->peering);
	json_out_uint(out, "groups", entry->groups);
	json_out_uint(out, "prefixes", entry->prefixes);
	json_out_uint(out, "programmedUs", mono_since_usec(entry->programmed, entry->detected));
	emit(node);
}
