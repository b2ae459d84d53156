// SPDX-License-Identifier: GPL-2.0-only
/* Handlers of peering.list, show, enable, disable, drain and reset. They read sessions and act through session.h. */
#include <errno.h>
#include <string.h>

#include "api/api_impl.h"

/* --- one peering ------------------------------------------------------------------------------------- */

static void write_families(struct json_out *out, const char *key, uint32_t families)
{
	json_out_begin_array(out, key);
	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++) {
		if (families & BGP_FAMILY_BIT(f))
			json_out_string(out, NULL, bgp_family_name(f));
	}
	json_out_end_array(out);
}

/* Names of what one side offers: the families by name, the rest by capability. */
static void write_caps(struct json_out *out, const char *key, const struct bgp_caps *caps)
{
	if (!caps) {
		json_out_null(out, key);
		return;
	}
	json_out_begin_array(out, key);
	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++) {
		if (caps->families & BGP_FAMILY_BIT(f))
			json_out_string(out, NULL, bgp_family_name(f));
	}
	const struct {
		bool on;
		const char *name;
	} rows[] = {
		{ caps->as4, "4-octet-as" },
		{ caps->route_refresh, "route-refresh" },
		{ caps->enhanced_refresh, "enhanced-route-refresh" },
		{ caps->extended_message, "extended-message" },
		{ caps->ext_next_hop, "extended-next-hop" },
		{ caps->add_path[BGP_IPV4_UNICAST] || caps->add_path[BGP_IPV6_UNICAST],
		  "add-path" },
		{ caps->has_role, "role" },
		{ caps->graceful_restart, "graceful-restart" },
		{ caps->gr_notification, "notification-graceful-restart" },
		{ caps->llgr, "long-lived-graceful-restart" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].on)
			json_out_string(out, NULL, rows[i].name);
	}
	for (unsigned int i = 0; i < caps->n_unknown; i++)
		json_out_stringf(out, NULL, "unknown-%u", caps->unknown[i]);
	json_out_end_array(out);
}

static void write_params(struct json_out *out, const char *key,
			 const struct bgp_session_params *params)
{
	json_out_begin_array(out, key);
	for (unsigned int f = 0; params && f < BGP_FAMILY_MAX; f++) {
		if (params->families & BGP_FAMILY_BIT(f))
			json_out_string(out, NULL, bgp_family_name(f));
	}
	if (params && params->as4)
		json_out_string(out, NULL, "4-octet-as");
	if (params && params->route_refresh)
		json_out_string(out, NULL, "route-refresh");
	if (params && params->enhanced_refresh)
		json_out_string(out, NULL, "enhanced-route-refresh");
	if (params && params->extended_message)
		json_out_string(out, NULL, "extended-message");
	if (params && params->ext_next_hop)
		json_out_string(out, NULL, "extended-next-hop");
	if (params && (params->add_path_rx || params->add_path_tx))
		json_out_string(out, NULL, "add-path");
	if (params && params->peer_gr)
		json_out_string(out, NULL, "graceful-restart");
	if (params && params->notification_gr)
		json_out_string(out, NULL, "notification-graceful-restart");
	if (params && params->role)
		json_out_string(out, NULL, "role");
	if (params && params->llgr)
		json_out_string(out, NULL, "long-lived-graceful-restart");
	json_out_end_array(out);
}

static void write_note(struct json_out *out, const char *key, const struct bgp_peer_note *note,
		       const char *direction)
{
	if (!note->wall_usec) {
		json_out_null(out, key);
		return;
	}
	json_out_begin_object(out, key);
	json_out_uint(out, "code", note->note.code);
	json_out_string(out, "codeName", bgp_error_code_name(note->note.code));
	json_out_uint(out, "subcode", note->note.subcode);
	json_out_string(out, "subcodeName",
			bgp_error_subcode_name(note->note.code, note->note.subcode));
	json_out_bool(out, "hardReset", note->note.hard_reset);
	json_out_string(out, "text", note->note.text[0] ? note->note.text : note->reason);
	json_out_string(out, "direction", direction);
	write_time(out, "time", note->wall_usec);
	json_out_end_object(out);
}

/* Why Established was left last; the NOTIFICATION that goes with it when there was one. */
static void write_last_reset(struct json_out *out, const struct bgp_peer_stats *stats)
{
	const struct bgp_peer_note *note = &stats->last_reset_note;
	bool sent = stats->last_reset_by_us;

	if (!stats->last_reset) {
		json_out_null(out, "lastReset");
		return;
	}
	json_out_begin_object(out, "lastReset");
	json_out_string(out, "reason", stats->last_reset);
	write_time(out, "time", stats->last_reset_wall);
	if (note->wall_usec) {
		json_out_string(out, "side", sent ? "local" : "remote");
		json_out_uint(out, "code", note->note.code);
		json_out_uint(out, "subcode", note->note.subcode);
		json_out_string(out, "text", note->note.text[0] ? note->note.text : note->reason);
		write_note(out, "notification", note, sent ? "sent" : "received");
	} else {
		json_out_null(out, "side");
		json_out_null(out, "code");
		json_out_null(out, "subcode");
		json_out_null(out, "text");
		json_out_null(out, "notification");
	}
	json_out_end_object(out);
}

static void write_messages(struct json_out *out, const struct bgp_peer_stats *stats)
{
	json_out_begin_object(out, "messages");
	for (unsigned int dir = 0; dir < 2; dir++) {
		const uint64_t *counts = dir ? stats->msgs_out : stats->msgs_in;

		json_out_begin_object(out, dir ? "sent" : "received");
		for (unsigned int type = BGP_MSG_OPEN; type < BGP_MSG_TYPE_MAX; type++)
			json_out_uint(out, bgp_msg_type_name(type), counts[type]);
		json_out_uint(out, "octets", dir ? stats->octets_out : stats->octets_in);
		json_out_end_object(out);
	}
	json_out_end_object(out);
}

static struct rib_peer_counts counts_of(const struct node_peering *peering, unsigned int family)
{
	if (!peering->vnet->rib)
		return (struct rib_peer_counts){ 0 };
	return rib_peer_counts(peering->vnet->rib, peering->rib_peer, family);
}

static void write_prefix_counts(struct json_out *out, const struct node_peering *peering)
{
	struct rib_peer_counts sum = { 0 };

	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++) {
		struct rib_peer_counts counts = counts_of(peering, f);

		sum.received += counts.received;
		sum.accepted += counts.accepted;
		sum.filtered += counts.filtered;
		sum.best += counts.best;
		sum.advertised += counts.advertised;
	}
	json_out_uint(out, "pfxRcd", sum.received);
	json_out_uint(out, "pfxAccepted", sum.accepted);
	json_out_uint(out, "pfxFiltered", sum.filtered);
	json_out_uint(out, "pfxBest", sum.best);
	json_out_uint(out, "pfxSnt", sum.advertised);
}

static void write_family_counts(struct json_out *out, const struct node_peering *peering)
{
	json_out_begin_array(out, "families");
	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++) {
		struct rib_peer_counts counts = counts_of(peering, f);

		if (!(peering->config->families & BGP_FAMILY_BIT(f)))
			continue;
		json_out_begin_object(out, NULL);
		json_out_string(out, "family", bgp_family_name(f));
		json_out_uint(out, "received", counts.received);
		json_out_uint(out, "accepted", counts.accepted);
		json_out_uint(out, "filtered", counts.filtered);
		json_out_uint(out, "best", counts.best);
		json_out_uint(out, "advertised", counts.advertised);
		json_out_uint(out, "blocked", counts.blocked);
		json_out_uint(out, "memoryOctets", counts.memory);
		json_out_uint(out, "azureShadowCount", counts.shadow_count);
		json_out_bool(out, "endOfRib",
			      peering->vnet->rib &&
				      rib_peer_eor(peering->vnet->rib, peering->rib_peer, f));
		json_out_end_object(out);
	}
	json_out_end_array(out);
}

static void write_limit(struct json_out *out, const struct rib_limit *limit)
{
	static const char *const actions[] = { "warn", "block", "restart", "shutdown" };

	json_out_begin_object(out, "maxPrefixes");
	json_out_uint(out, "limit", limit->limit);
	json_out_uint(out, "warnPercent", limit->warn_percent);
	json_out_string(out, "action", actions[limit->action]);
	json_out_uint(out, "restartSeconds", limit->restart_seconds);
	json_out_end_object(out);
}

void peering_bounds(const struct node_peering *peering, struct peering_bound ret[PEERING_BOUNDS])
{
	const struct peering_limits *limits = &peering->config->limits;
	uint32_t prefixes = peering->config->max_prefixes.limit;
	struct session_info info;
	uint64_t refused = 0;

	session_get_info(peering->session, &info);
	for (unsigned int f = 0; f < BGP_FAMILY_MAX; f++)
		refused += counts_of(peering, f).refused;
	const struct peering_bound bounds[PEERING_BOUNDS] = {
		{ "maxPrefixesWarning", prefixes, peering->limit_warnings },
		{ "maxPrefixes", prefixes, peering->limit_exceeded },
		{ "asPathLength", limits->as_path, info.stats->over[BGP_LIMIT_AS_PATH] },
		{ "communities", limits->communities, info.stats->over[BGP_LIMIT_COMMUNITIES] },
		{ "attributeOctets", limits->attribute_octets,
		  info.stats->over[BGP_LIMIT_ATTR_BYTES] },
		{ "memoryMiB", limits->memory_mib, refused },
	};
	memcpy(ret, bounds, sizeof(bounds));
}

static void write_bounds(struct json_out *out, const struct node_peering *peering)
{
	struct peering_bound bounds[PEERING_BOUNDS];

	peering_bounds(peering, bounds);
	json_out_begin_object(out, "limits");
	for (size_t i = 0; i < PEERING_BOUNDS; i++) {
		json_out_begin_object(out, bounds[i].name);
		json_out_uint(out, "limit", bounds[i].limit);
		json_out_uint(out, "exceeded", bounds[i].exceeded);
		json_out_end_object(out);
	}
	json_out_end_object(out);
}

static uint64_t total(const uint64_t counts[BGP_MSG_TYPE_MAX])
{
	uint64_t sum = 0;

	for (unsigned int type = 0; type < BGP_MSG_TYPE_MAX; type++)
		sum += counts[type];
	return sum;
}

static void write_session(struct json_out *out, const struct session_info *info,
			  const struct session_config *config)
{
	const struct bgp_session_params *params = info->params;
	struct ip_addr id = ip_from_v4(config->router_id), remote = { .family = IP_NONE };

	if (params)
		remote = ip_from_v4(params->peer_id);
	write_addr(out, "localAddress",
		   info->local_addr.family ? &info->local_addr : &config->local_addr);
	json_out_uint(out, "localAsn", config->local_asn);
	write_addr(out, "routerId", &id);
	write_addr(out, "remoteRouterId", &remote);
	json_out_uint(out, "holdTimeSeconds", params ? params->hold_time : config->hold_time);
	json_out_uint(out, "keepaliveSeconds",
		      params ? params->keepalive_time : config->keepalive_time);
	write_params(out, "capabilities", params);
	json_out_uint(out, "connectionsEstablished", info->stats->established);
	json_out_uint(out, "connectionsDropped", info->stats->dropped);
	json_out_string(out, "lastResetReason", info->stats->last_reset);
	if (info->stats->last_sent.wall_usec > info->stats->last_received.wall_usec)
		write_note(out, "lastNotification", &info->stats->last_sent, "sent");
	else
		write_note(out, "lastNotification", &info->stats->last_received, "received");
	write_time(out, "establishedTime", info->up_since_wall);
	json_out_uint(out, "msgRcvd", total(info->stats->msgs_in));
	json_out_uint(out, "msgSent", total(info->stats->msgs_out));
}

void write_peering(struct json_out *out, const struct node_peering *peering)
{
	const struct peering_config *config = peering->config;
	struct session_info info;

	session_get_info(peering->session, &info);
	json_out_string(out, "name", config->name);
	json_out_uint(out, "peerAsn", config->peer_asn);
	write_addr(out, "peerIp", &config->peer_ip);
	json_out_bool(out, "dynamic", peering->range != NULL);
	json_out_string(out, "vnet", peering->vnet->config->name);
	json_out_string(out, "role", peer_role_name(config->role));
	json_out_string(out, "managedBy", managed_by(config->from_api));
	json_out_string(out, "provisioningState", info.problem ? "Failed" : "Succeeded");
	json_out_string(out, "adminState",
			info.disabled && !peering->bfd_hold ? "disabled" : "enabled");
	json_out_string(out, "state", fsm_state_name(info.state));
	json_out_string(out, "problem",
			peering->bfd_hold ? "waits for BFD (bfd.strict)" : info.problem);
	write_session(out, &info, session_config(peering->session));
	write_prefix_counts(out, peering);
	write_limit(out, &config->max_prefixes);
	write_bfd_state(out, peering);
}

static void write_probe(struct json_out *out, const struct node_peering *peering)
{
	const struct probe_stats *stats;

	if (!peering->probe) {
		json_out_null(out, "probe");
		return;
	}
	stats = probe_stats(peering->probe);
	json_out_begin_object(out, "probe");
	json_out_bool(out, "alive", probe_is_alive(peering->probe));
	json_out_uint(out, "sent", stats->sent);
	json_out_uint(out, "failed", stats->failed);
	json_out_uint(out, "failedInARow", stats->in_a_row);
	json_out_uint(out, "roundTripUs", stats->rtt_usec);
	json_out_string(out, "lastError", stats->last_error ? strerror(stats->last_error) : NULL);
	json_out_end_object(out);
}

static void write_drain(struct json_out *out, const struct node_peering *peering)
{
	const struct node_drain *drain = &peering->drain;
	struct mono now = loop_now(peering->vnet->node->loop);

	if (!mono_is_set(drain->since)) {
		json_out_null(out, "drain");
		return;
	}
	json_out_begin_object(out, "drain");
	json_out_string(out, "state", node_drain_state(peering));
	json_out_uint(out, "idleSeconds", drain->idle_sec);
	json_out_uint(out, "sinceSeconds", mono_since_usec(now, drain->since) / 1000000);
	json_out_uint(out, "lastPacketSecondsAgo", mono_since_usec(now, drain->last) / 1000000);
	json_out_end_object(out);
}

static void write_details(struct json_out *out, const struct node_peering *peering)
{
	struct session_info info;

	session_get_info(peering->session, &info);
	write_caps(out, "capabilitiesSent", info.caps_sent);
	write_caps(out, "capabilitiesReceived", info.caps_received);
	write_params(out, "capabilitiesInForce", info.params);
	write_families(out, "configuredFamilies", peering->config->families);
	write_family_counts(out, peering);
	write_bounds(out, peering);
	write_messages(out, info.stats);
	write_last_reset(out, info.stats);
	write_note(out, "notificationSent", &info.stats->last_sent, "sent");
	write_note(out, "notificationReceived", &info.stats->last_received, "received");
	json_out_string(out, "lastError", info.stats->last_error);
	write_time(out, "lastErrorTime", info.stats->last_error_wall);
	json_out_uint(out, "connectFailures", info.stats->connect_failures);
	json_out_uint(out, "collisions", info.stats->collisions);
	json_out_uint(out, "findings", peering->findings);
	json_out_uint(out, "updates", peering->updates);
	json_out_bool(out, "gracefulShutdown", loop_timer_is_set(&peering->shutdown));
	json_out_bool(out, "tcpMd5", info.md5);
	json_out_bool(out, "initiated", info.initiated);
	json_out_uint(out, "outputQueued", info.output_queued);
	json_out_uint(out, "outputStalls", info.output_stalls);
	write_bfd_member(out, peering);
	write_probe(out, peering);
	write_drain(out, peering);
}

/* --- handlers ---------------------------------------------------------------------------------------- */

struct peering_stream {
	struct api_stream base;
	char vnet[VNET_NAME_MAX]; /* "": all */
};

/* Ranges first, then peers, configured or not. */
static void write_nth(struct json_out *out, const struct node_vnet *vnet, size_t n)
{
	if (n < vnet->n_ranges)
		write_range(out, vnet->ranges[n]);
	else
		write_peering(out, vnet->peerings[n - vnet->n_ranges]);
}

static bool step_list(struct api_stream *base, struct node *node, struct json_out *out)
{
	struct peering_stream *stream = (struct peering_stream *)base;
	unsigned int budget = API_STREAM_BUDGET;

	for (; base->stage < node->n_vnets; base->stage++, base->position = 0) {
		const struct node_vnet *vnet = node->vnets[base->stage];

		if (*stream->vnet && strcmp(stream->vnet, vnet->config->name) != 0)
			continue;
		while (base->position < vnet->n_ranges + vnet->n_peerings) {
			if (base->more || budget-- == 0)
				return !base->more;
			json_out_begin_object(out, NULL);
			write_nth(out, vnet, base->position++);
			json_out_end_object(out);
			stream_count(base);
		}
	}
	base->more = false; /* the limit was the length */
	return false;
}

int method_peering_list(struct api_call *call)
{
	const char *vnet = request_text(call->request, "vnet");
	struct peering_stream *stream;

	if (vnet && !call_vnet(call))
		return -1;
	stream = stream_open(call, sizeof(*stream), step_list);
	if (!stream)
		return -1;
	if (vnet)
		strcpy(stream->vnet, vnet); /* it is the name of a vnet, so it fits */
	return 0;
}

int method_peering_show(struct api_call *call)
{
	const struct node_range *range = call_range(call);
	const struct node_peering *peering = range ? NULL : call_peering(call);

	if (range) {
		write_range(call->out, range);
		return 0;
	}
	if (!peering)
		return -1;
	write_peering(call->out, peering);
	write_details(call->out, peering);
	return 0;
}

int method_peering_enable(struct api_call *call)
{
	struct node_peering *peering = call_peering(call);

	if (!peering)
		return -1;
	node_peering_enable(peering);
	write_peering(call->out, peering);
	return 0;
}

int method_peering_disable(struct api_call *call)
{
	struct node_peering *peering = call_peering(call);

	if (!peering)
		return -1;
	node_peering_disable(peering, request_text(call->request, "message"));
	write_peering(call->out, peering);
	return 0;
}

int method_peering_drain(struct api_call *call)
{
	struct node_peering *peering = call_peering(call);

	if (!peering)
		return -1;
	if (node_peering_drain(peering, (uint32_t)request_integer(call->request, "idleSeconds",
								  NODE_DRAIN_IDLE_SEC)) < 0)
		return api_fail(call->error, API_CONFLICT, "name",
				"nothing is steered here (dataplane.mode is none)");
	write_peering(call->out, peering);
	write_drain(call->out, peering);
	return 0;
}

int method_peering_undrain(struct api_call *call)
{
	struct node_peering *peering = call_peering(call);

	if (!peering)
		return -1;
	node_peering_undrain(peering);
	write_peering(call->out, peering);
	write_drain(call->out, peering);
	return 0;
}

static int soft_reset(struct api_call *call, const struct node_peering *peering, const char *soft)
{
	int r = 0;

	if (strcmp(soft, "out") != 0)
		r = session_refresh_in(peering->session, 0);
	if (r == 0 && strcmp(soft, "in") != 0)
		r = session_refresh_out(peering->session, 0);
	if (r == -ENOTCONN)
		return api_fail(call->error, API_CONFLICT, "soft",
				"the session is not Established");
	if (r == -EOPNOTSUPP)
		return api_fail(call->error, API_CONFLICT, "soft",
				"the peer has no route refresh: only a hard reset asks again");
	if (r < 0)
		return api_fail(call->error, API_INTERNAL, "soft", "%s", strerror(-r));
	return 0;
}

int method_peering_reset(struct api_call *call)
{
	const struct node_peering *peering = call_peering(call);
	const char *soft = request_text(call->request, "soft");

	if (!peering)
		return -1;
	if (soft && request_text(call->request, "message"))
		return api_fail(call->error, API_INVALID_PARAMS, "message",
				"a soft reset sends no message");
	if (soft && soft_reset(call, peering, soft) < 0)
		return -1;
	if (!soft && peering->bfd_hold)
		return api_fail(call->error, API_CONFLICT, "name",
				"the session waits for BFD (bfd.strict)");
	if (!soft)
		session_reset(peering->session, request_text(call->request, "message"));
	write_peering(call->out, peering);
	return 0;
}
