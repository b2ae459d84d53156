// SPDX-License-Identifier: GPL-2.0-only
/*
 * The node in OpenMetrics text: sessions, prefixes, FIB entries, packets. Every figure is a kept counter
 * or a map read; nothing here walks a table. Names follow docs of xrs-api(7): base units, counters end
 * in _total. Called for GET /metrics and metrics.get, a piece at a time: there may be thousands of nics and peers.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_impl.h"

#define LABEL_MAX 600

static void put(struct json_out *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void put(struct json_out *out, const char *format, ...)
{
	char line[4 * LABEL_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (int i = 0; i < n && i < (int)sizeof(line) - 1; i++)
		json_out_put_char(out, line[i]);
}

static void family(struct json_out *out, const char *name, const char *type, const char *help)
{
	put(out, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

/* Backslash, quote and newline are the three that a label value must escape. */
static const char *label(const char *text, char buf[static LABEL_MAX])
{
	size_t at = 0;

	for (; *text && at + 3 < LABEL_MAX; text++) {
		if (*text == '\\' || *text == '"' || *text == '\n')
			buf[at++] = '\\';
		buf[at++] = *text == '\n' ? 'n' : *text;
	}
	buf[at] = 0;
	return buf;
}

/* --- peerings -------------------------------------------------------------------------------------- */

typedef void (*peering_fn)(struct json_out *out, const struct node_peering *peering,
			   const char *labels);

/* Calls @fn for each peering with its labels: peer, peer_asn, vnet. Names need no escapes. */
static void each_peering(struct json_out *out, const struct node *node, peering_fn fn)
{
	char labels[LABEL_MAX];

	for (size_t v = 0; v < node->n_vnets; v++) {
		for (size_t p = 0; p < node->vnets[v]->n_peerings; p++) {
			const struct node_peering *peering = node->vnets[v]->peerings[p];

			snprintf(labels, sizeof(labels), "peer=\"%s\",peer_asn=\"%u\",vnet=\"%s\"",
				 peering->config->name, peering->config->peer_asn,
				 node->vnets[v]->config->name);
			fn(out, peering, labels);
		}
	}
}

static void metric_up(struct json_out *out, const struct node_peering *peering, const char *labels)
{
	put(out, "xrs_bgp_peer_up{%s} %d\n", labels, session_is_established(peering->session));
}

static void metric_state(struct json_out *out, const struct node_peering *peering,
			 const char *labels)
{
	struct session_info info;

	session_get_info(peering->session, &info);
	for (unsigned int state = FSM_IDLE; state < FSM_STATE_MAX; state++)
		put(out, "xrs_bgp_peer_state{%s,xrs_bgp_peer_state=\"%s\"} %d\n", labels,
		    fsm_state_name(state), info.state == state);
}

static void metric_since(struct json_out *out, const struct node_peering *peering,
			 const char *labels)
{
	struct session_info info;

	session_get_info(peering->session, &info);
	if (info.up_since_wall)
		put(out,
		    "xrs_bgp_peer_established_timestamp_seconds{%s} %" PRIu64 ".%06" PRIu64 "\n",
		    labels, info.up_since_wall / 1000000, info.up_since_wall % 1000000);
}

static void metric_transitions(struct json_out *out, const struct node_peering *peering,
			       const char *labels)
{
	struct session_info info;

	session_get_info(peering->session, &info);
	put(out, "xrs_bgp_peer_transitions_total{%s,to=\"up\"} %" PRIu64 "\n", labels,
	    info.stats->established);
	put(out, "xrs_bgp_peer_transitions_total{%s,to=\"down\"} %" PRIu64 "\n", labels,
	    info.stats->dropped);
}

static void metric_messages(struct json_out *out, const struct node_peering *peering,
			    const char *labels)
{
	struct session_info info;

	session_get_info(peering->session, &info);
	for (unsigned int type = BGP_MSG_OPEN; type < BGP_MSG_TYPE_MAX; type++) {
		put(out,
		    "xrs_bgp_messages_total{%s,direction=\"received\",type=\"%s\"} %" PRIu64 "\n",
		    labels, bgp_msg_type_name(type), info.stats->msgs_in[type]);
		put(out, "xrs_bgp_messages_total{%s,direction=\"sent\",type=\"%s\"} %" PRIu64 "\n",
		    labels, bgp_msg_type_name(type), info.stats->msgs_out[type]);
	}
}

static void metric_prefixes(struct json_out *out, const struct node_peering *peering,
			    const char *labels)
{
	for (unsigned int f = 0; f < BGP_FAMILY_MAX && peering->vnet->rib; f++) {
		struct rib_peer_counts counts =
			rib_peer_counts(peering->vnet->rib, peering->rib_peer, f);
		const struct {
			const char *kind;
			uint32_t value;
		} rows[] = {
			{ "received", counts.received },     { "accepted", counts.accepted },
			{ "filtered", counts.filtered },     { "best", counts.best },
			{ "advertised", counts.advertised },
		};

		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			put(out,
			    "xrs_bgp_prefixes{%s,afi=\"%s\",safi=\"unicast\",kind=\"%s\"} %u\n",
			    labels, f == BGP_IPV4_UNICAST ? "ipv4" : "ipv6", rows[i].kind,
			    rows[i].value);
	}
}

static void metric_bfd_up(struct json_out *out, const struct node_peering *peering,
			  const char *labels)
{
	struct bfd_status status = { .state = BFD_DOWN };

	if (!peering->config->bfd.enabled)
		return;
	node_bfd_status(peering, &status);
	put(out, "xrs_bfd_up{%s} %d\n", labels, status.state == BFD_UP);
}

static void metric_bfd_transitions(struct json_out *out, const struct node_peering *peering,
				   const char *labels)
{
	struct bfd_status status;

	if (!node_bfd_status(peering, &status))
		return;
	put(out, "xrs_bfd_transitions_total{%s,to=\"up\"} %" PRIu64 "\n", labels, status.stats.ups);
	put(out, "xrs_bfd_transitions_total{%s,to=\"down\"} %" PRIu64 "\n", labels,
	    status.stats.downs);
}

static void metric_bfd_packets(struct json_out *out, const struct node_peering *peering,
			       const char *labels)
{
	struct bfd_status status;

	if (!node_bfd_status(peering, &status))
		return;
	put(out, "xrs_bfd_packets_total{%s,direction=\"received\"} %" PRIu64 "\n", labels,
	    status.stats.received);
	put(out, "xrs_bfd_packets_total{%s,direction=\"sent\"} %" PRIu64 "\n", labels,
	    status.stats.sent);
}

static void metric_limit(struct json_out *out, const struct node_peering *peering,
			 const char *labels)
{
	if (peering->config->max_prefixes.limit)
		put(out, "xrs_bgp_prefix_limit{%s} %u\n", labels,
		    peering->config->max_prefixes.limit);
}

static void metric_memory(struct json_out *out, const struct node_peering *peering,
			  const char *labels)
{
	uint64_t octets = 0;

	for (unsigned int f = 0; f < BGP_FAMILY_MAX && peering->vnet->rib; f++)
		octets += rib_peer_counts(peering->vnet->rib, peering->rib_peer, f).memory;
	put(out, "xrs_bgp_peer_memory_bytes{%s} %" PRIu64 "\n", labels, octets);
}

static void metric_bounds(struct json_out *out, const struct node_peering *peering,
			  const char *labels)
{
	struct peering_bound bounds[PEERING_BOUNDS];

	peering_bounds(peering, bounds);
	for (size_t i = 0; i < PEERING_BOUNDS; i++)
		put(out, "xrs_bgp_limit_exceeded_total{%s,limit=\"%s\"} %" PRIu64 "\n", labels,
		    bounds[i].name, bounds[i].exceeded);
}

/* --- Azure's three, by its own names and dimensions, for dashboards that know them --------------------- */

static void put_azure(struct json_out *out, const char *name, const struct node_peering *peering,
		      uint64_t value)
{
	char address[IP_TEXT_MAX];

	put(out,
	    "%s{bgppeerip=\"%s\",bgppeertype=\"%s\","
	    "routeserviceinstance=\"RouteServiceRole_IN_0\",vnet=\"%s\"} %" PRIu64 "\n",
	    name, ip_format(&peering->config->peer_ip, address),
	    peer_role_name(peering->config->role), peering->vnet->config->name, value);
}

static void azure_status(struct json_out *out, const struct node_peering *peering,
			 const char *labels)
{
	put_azure(out, "BgpPeerStatus", peering, session_is_established(peering->session));
}

/* Of both families: Azure knows one. */
static struct rib_peer_counts count_all(const struct node_peering *peering)
{
	struct rib_peer_counts sum = { 0 };

	for (unsigned int f = 0; f < BGP_FAMILY_MAX && peering->vnet->rib; f++) {
		struct rib_peer_counts counts =
			rib_peer_counts(peering->vnet->rib, peering->rib_peer, f);

		sum.received += counts.received;
		sum.advertised += counts.advertised;
	}
	return sum;
}

static void azure_advertised(struct json_out *out, const struct node_peering *peering,
			     const char *labels)
{
	put_azure(out, "CountOfRoutesAdvertisedToPeer", peering, count_all(peering).advertised);
}

static void azure_learned(struct json_out *out, const struct node_peering *peering,
			  const char *labels)
{
	put_azure(out, "CountOfRoutesLearnedFromPeer", peering, count_all(peering).received);
}

/* One family a piece: there may be thousands of peerings. */
static bool write_peerings(const struct api *api, size_t *at, struct json_out *out)
{
	static const struct {
		const char *name, *type, *help;
		peering_fn fn;
	} rows[] = {
		{ "xrs_bgp_peer_up", "gauge", "1: the session is Established.", metric_up },
		{ "xrs_bgp_peer_state", "stateset", "State of the BGP FSM.", metric_state },
		{ "xrs_bgp_peer_established_timestamp_seconds", "gauge",
		  "When the session came up.", metric_since },
		{ "xrs_bgp_peer_transitions", "counter",
		  "Times that Established was entered and left.", metric_transitions },
		{ "xrs_bgp_messages", "counter", "BGP messages.", metric_messages },
		{ "xrs_bgp_prefixes", "gauge", "Prefixes by what became of them.",
		  metric_prefixes },
		{ "xrs_bgp_prefix_limit", "gauge", "maxPrefixes.", metric_limit },
		{ "xrs_bgp_peer_memory_bytes", "gauge",
		  "What the peer announced takes, no attributes shared.", metric_memory },
		{ "xrs_bgp_limit_exceeded", "counter", "Times that a bound of the peer was passed.",
		  metric_bounds },
		{ "xrs_bfd_up", "gauge", "1: the BFD session is Up.", metric_bfd_up },
		{ "xrs_bfd_transitions", "counter", "Times that Up was entered and left.",
		  metric_bfd_transitions },
		{ "xrs_bfd_packets", "counter", "BFD packets by direction.", metric_bfd_packets },
		{ "BgpPeerStatus", "gauge", "Azure's name of xrs_bgp_peer_up.", azure_status },
		{ "CountOfRoutesAdvertisedToPeer", "gauge",
		  "Azure's: prefixes that a peer was sent.", azure_advertised },
		{ "CountOfRoutesLearnedFromPeer", "gauge",
		  "Azure's: prefixes that a peer holds here.", azure_learned },
	};

	family(out, rows[*at].name, rows[*at].type, rows[*at].help);
	each_peering(out, api_node(api), rows[*at].fn);
	return ++*at < sizeof(rows) / sizeof(rows[0]);
}

/* --- RIB and FIB ------------------------------------------------------------------------------------ */

static void write_rib(struct json_out *out, const struct node *node)
{
	family(out, "xrs_rib_routes", "gauge", "Prefixes with at least one path.");
	for (size_t v = 0; v < node->n_vnets; v++) {
		struct rib_figures figures;

		if (!node->vnets[v]->rib)
			continue;
		figures = rib_figures(node->vnets[v]->rib);
		put(out, "xrs_rib_routes{vnet=\"%s\",afi=\"ipv4\"} %u\n",
		    node->vnets[v]->config->name, figures.prefixes[BGP_IPV4_UNICAST]);
		put(out, "xrs_rib_routes{vnet=\"%s\",afi=\"ipv6\"} %u\n",
		    node->vnets[v]->config->name, figures.prefixes[BGP_IPV6_UNICAST]);
	}
}

static void write_fib_tables(struct json_out *out, const struct node *node)
{
	family(out, "xrs_fib_entries", "gauge", "Entries of the LPM tries.");
	for (size_t v = 0; v < node->n_vnets && node->maps; v++) {
		const struct node_vnet *vnet = node->vnets[v];

		for (size_t t = 0; t < vnet->n_tables; t++) {
			const struct node_table *table = &vnet->tables[t];

			for (unsigned int f = 0; f < 2; f++)
				put(out,
				    "xrs_fib_entries{vnet=\"%s\",table=\"%s\",afi=\"%s\"} %zu\n",
				    vnet->config->name, table->config->name, f ? "ipv6" : "ipv4",
				    fib_maps_count(node->maps, table->index, f ? IP_V6 : IP_V4));
		}
	}
	family(out, "xrs_fib_capacity", "gauge", "Entries that a trie can hold.");
	put(out, "xrs_fib_capacity %u\n", XRS_ROUTE_MAX);
}

static void write_fib(struct json_out *out, const struct node *node)
{
	struct fib_plan_totals totals = { .memory = 0 };

	write_fib_tables(out, node);
	if (node->plan)
		totals = fib_plan_totals(node->plan);
	family(out, "xrs_fib_pending_entries", "gauge", "Map entries that wait to be written.");
	put(out, "xrs_fib_pending_entries %u\n",
	    totals.routes.pending + totals.groups.pending + totals.nexthops.pending);
	family(out, "xrs_fib_rejected_entries", "gauge", "Map entries that the kernel refused.");
	put(out, "xrs_fib_rejected_entries %u\n",
	    totals.routes.rejected + totals.groups.rejected + totals.nexthops.rejected);
	family(out, "xrs_fib_generation", "gauge", "Generation of the map contents.");
	put(out, "xrs_fib_generation %u\n", node->generation);
	family(out, "xrs_fib_writes", "counter", "Map entries written.");
	put(out, "xrs_fib_writes_total %" PRIu64 "\n", node->counters.fib_writes);
	family(out, "xrs_fib_write_errors", "counter", "Map writes that failed.");
	put(out, "xrs_fib_write_errors_total %" PRIu64 "\n", node->counters.fib_write_errors);
	family(out, "xrs_fib_reads", "counter", "System calls that read counters and groups.");
	put(out, "xrs_fib_reads_total %" PRIu64 "\n", node->maps ? fib_maps_reads(node->maps) : 0);
}

static void nexthop_value(struct json_out *out, const struct node *node, const char *name,
			  bool bytes)
{
	char peer[LABEL_MAX], vnet[LABEL_MAX], text[IP_TEXT_MAX];

	for (uint32_t id = nexthop_next(node->nexthops, 0); id && node->maps;
	     id = nexthop_next(node->nexthops, id)) {
		const struct nexthop_info *info = nexthop_info(node->nexthops, id);
		struct xrs_nh_stats stats = { 0 };
		struct xrs_nexthop hop;

		if (fib_maps_nexthop_get(node->maps, id, &hop) < 0 || !hop.family)
			continue;
		fib_maps_nh_stats(node->maps, id, &stats);
		put(out, "%s{peer=\"%s\",vnet=\"%s\",nexthop=\"%s\"} %" PRIu64 "\n", name,
		    label(hop.peering, peer), label(hop.vnet, vnet), ip_format(&info->addr, text),
		    (uint64_t)(bytes ? stats.bytes : stats.packets));
	}
}

static bool write_nexthops(const struct api *api, size_t *at, struct json_out *out)
{
	const struct node *node = api_node(api);

	if (*at == 0) {
		family(out, "xrs_nexthop_packets", "counter", "Frames steered to a next hop.");
		nexthop_value(out, node, "xrs_nexthop_packets_total", false);
	} else {
		family(out, "xrs_nexthop_bytes", "counter", "Octets steered to a next hop.");
		nexthop_value(out, node, "xrs_nexthop_bytes_total", true);
	}
	return ++*at < 2;
}

/* --- nics: there may be thousands, each with a line for every reason ----------------------------------- */
#define NICS_OF_A_PIECE 32

static void nic_packets(struct json_out *out, const struct node *node, const struct node_nic *nic)
{
	struct xrs_nic_stats stats;
	char name[LABEL_MAX];

	if (!node->maps || fib_maps_nic_stats(node->maps, nic->slot, &stats) < 0)
		return;
	label(nic->name, name);
	for (unsigned int reason = 0; reason < XRS_REASON_MAX; reason++)
		put(out,
		    "xrs_xdp_packets_total{nic=\"%s\",verdict=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
		    name, fib_reason_verdict(reason), fib_reason_name(reason),
		    fib_reason_count(&stats, reason));
}

static void nic_attached(struct json_out *out, const struct node *node, const struct node_nic *nic)
{
	char name[LABEL_MAX];

	put(out, "xrs_nic_attached{nic=\"%s\",mode=\"%s\"} %d\n", label(nic->name, name),
	    nic->state == NIC_ATTACHED ? loader_mode_name(nic->attachment.mode) : "",
	    nic->state == NIC_ATTACHED);
}

/* The next @n nics from *at on; one that goes between two pieces may be missing. */
static bool each_nic(const struct node *node, size_t *at, size_t n, struct json_out *out,
		     void (*fn)(struct json_out *out, const struct node *node,
				const struct node_nic *nic))
{
	for (; n > 0 && *at < node->n_nics; n--)
		fn(out, node, node->nics[(*at)++]);
	return *at < node->n_nics;
}

static bool write_nics(const struct api *api, size_t *at, struct json_out *out)
{
	if (*at == 0)
		family(out, "xrs_nic_attached", "gauge", "1: the programs are attached.");
	return each_nic(api_node(api), at, NICS_OF_A_PIECE * 8, out, nic_attached);
}

static bool write_nic_packets(const struct api *api, size_t *at, struct json_out *out)
{
	if (*at == 0)
		family(out, "xrs_xdp_packets", "counter", "Frames from a nic, by how they left.");
	return each_nic(api_node(api), at, NICS_OF_A_PIECE, out, nic_packets);
}

/* --- histograms ----------------------------------------------------------------------------------------- */

struct histogram {
	const char *name, *labels; /* labels: "" or with a comma at the end */
	const uint64_t *count;
	unsigned int n;
	uint64_t (*bound_usec)(unsigned int bucket);
	uint64_t total, sum_usec;
};

static void write_histogram(struct json_out *out, const struct histogram *h)
{
	int labels = (int)strlen(h->labels);
	uint64_t below = 0;

	for (unsigned int b = 0; b < h->n; b++) {
		uint64_t bound = h->bound_usec(b);

		below += h->count[b];
		put(out, "%s_bucket{%sle=\"", h->name, h->labels);
		if (bound)
			put(out, "%" PRIu64 ".%06" PRIu64, bound / 1000000, bound % 1000000);
		else
			put(out, "+Inf");
		put(out, "\"} %" PRIu64 "\n", below);
	}
	labels -= labels > 0; /* less the comma */
	put(out, "%s_count{%.*s} %" PRIu64 "\n", h->name, labels, h->labels, h->total);
	put(out, "%s_sum{%.*s} %" PRIu64 ".%06" PRIu64 "\n", h->name, labels, h->labels,
	    h->sum_usec / 1000000, h->sum_usec % 1000000);
}

static void write_convergence(struct json_out *out, const struct node *node)
{
	family(out, "xrs_convergence_seconds", "histogram",
	       "From the first sign of a failure to the maps that are right.");
	for (enum timeline_cause c = 0; c < TIMELINE_CAUSE_MAX; c++) {
		const struct timeline_histogram *histogram = timeline_histogram(node->timeline, c);
		char labels[LABEL_MAX];

		snprintf(labels, sizeof(labels), "cause=\"%s\",", timeline_cause_name(c));
		if (histogram->total)
			write_histogram(out,
					&(struct histogram){ .name = "xrs_convergence_seconds",
							     .labels = labels,
							     .count = histogram->count,
							     .n = TIMELINE_BUCKETS,
							     .bound_usec = timeline_bound_usec,
							     .total = histogram->total,
							     .sum_usec = histogram->sum_usec });
	}
}

static void write_lateness(struct json_out *out, const struct node *node)
{
	struct bfd_lateness lateness = bfd_get_lateness(node->bfd);

	family(out, "xrs_bfd_transmit_late_seconds", "histogram",
	       "How much after their time periodic BFD packets were sent.");
	write_histogram(out, &(struct histogram){ .name = "xrs_bfd_transmit_late_seconds",
						  .labels = "",
						  .count = lateness.count,
						  .n = BFD_LATENESS_BUCKETS,
						  .bound_usec = bfd_lateness_bound_usec,
						  .total = lateness.total,
						  .sum_usec = lateness.sum_usec });
}

/* --- ourselves ----------------------------------------------------------------------------------------- */

static void write_api(struct json_out *out, const struct api *api)
{
	const struct api_stats *stats = api_stats(api);

	family(out, "xrs_api_connections", "counter", "Connections to the control socket.");
	put(out, "xrs_api_connections_total %" PRIu64 "\n", stats->connections);
	family(out, "xrs_api_connections_refused", "counter", "Connections above the limit.");
	put(out, "xrs_api_connections_refused_total %" PRIu64 "\n", stats->refused);
	family(out, "xrs_api_open_connections", "gauge", "Connections that are open.");
	put(out, "xrs_api_open_connections %u\n", stats->open);
	family(out, "xrs_api_out_of_descriptors", "counter",
	       "Times that a connection had to wait for want of descriptors.");
	put(out, "xrs_api_out_of_descriptors_total %" PRIu64 "\n", stats->exhausted);
	family(out, "xrs_api_stalls", "counter",
	       "Times that a client did not take all that was there for it.");
	put(out, "xrs_api_stalls_total %" PRIu64 "\n", stats->stalls);
	family(out, "xrs_api_requests", "counter", "Requests by method and code (0: done).");
	for (size_t m = 0; m <= api_n_methods; m++) {
		for (unsigned int c = 0; c < API_CODES; c++) {
			if (stats->requests[m][c])
				put(out,
				    "xrs_api_requests_total{method=\"%s\",code=\"%d\"} %" PRIu64
				    "\n",
				    m < api_n_methods ? api_methods[m].name : "", code_of_index(c),
				    stats->requests[m][c]);
		}
	}
}

static void write_process(struct json_out *out, const struct node *node)
{
	struct loop_stats loop = loop_stats(node->loop);

	family(out, "xrs_build", "info", "The version that runs.");
	put(out, "xrs_build_info{version=\"%s\"} 1\n", XRS_VERSION);
	family(out, "xrs_start_timestamp_seconds", "gauge", "When this process started.");
	put(out, "xrs_start_timestamp_seconds %" PRIu64 ".%06" PRIu64 "\n",
	    node->started_wall / 1000000, node->started_wall % 1000000);
	family(out, "xrs_config_reloads", "counter", "Configurations applied.");
	put(out, "xrs_config_reloads_total %" PRIu64 "\n", node->counters.reloads);
	family(out, "xrs_config_reload_failures", "counter", "Configurations refused.");
	put(out, "xrs_config_reload_failures_total %" PRIu64 "\n", node->counters.reload_failures);
	family(out, "xrs_bfd_engine_restarts", "counter",
	       "Times the BFD engine was started again.");
	put(out, "xrs_bfd_engine_restarts_total %" PRIu64 "\n", bfd_engine_restarts(node->bfd));
	family(out, "xrs_eventloop_stall_seconds_max", "gauge", "Longest callback so far.");
	put(out, "xrs_eventloop_stall_seconds_max %" PRIu64 ".%06" PRIu64 "\n",
	    loop.stall_max_usec / 1000000, loop.stall_max_usec % 1000000);
}

/* What a hostile surrounding shows in; tests/netns/README.md has the bounds. */
static void write_surroundings(struct json_out *out, const struct node *node)
{
	const struct listener_stats *bgp = listener_set_stats(node->listeners);
	struct nl_watch_stats netlink = { 0 };

	if (node->watch)
		netlink = nl_watch_stats(node->watch);
	const struct {
		const char *name, *help, *labels;
		uint64_t value;
	} rows[] = {
		{ "xrs_bgp_connections", "TCP connections of peers and of others.",
		  "{result=\"accepted\"}", bgp->accepted },
		{ "xrs_bgp_connections", NULL, "{result=\"refused\"}", bgp->refused },
		{ "xrs_bgp_connections", NULL, "{result=\"stranger\"}", bgp->rejected },
		{ "xrs_bgp_connections", NULL, "{result=\"noDescriptor\"}", bgp->exhausted },
		{ "xrs_netlink_overruns", "Times that events of the kernel were lost.", "",
		  netlink.overruns + netlink.route_overruns },
		{ "xrs_netlink_resyncs", "Times that the picture of the host was read anew.", "",
		  netlink.resyncs },
		{ "xrs_out_of_memory", "Times that something could not be kept; it is tried again.",
		  "", node->counters.out_of_memory },
		{ "xrs_state_write_failures", "Files that could not be written.", "",
		  node->counters.state_failures },
		{ "xrs_clock_steps", "Times that the wall clock was set.", "",
		  node->counters.clock_steps },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].help)
			family(out, rows[i].name, "counter", rows[i].help);
		put(out, "%s_total%s %" PRIu64 "\n", rows[i].name, rows[i].labels, rows[i].value);
	}
}

/* --- piece by piece ----------------------------------------------------------------------------------- */

static bool write_first(const struct api *api, size_t *at, struct json_out *out)
{
	write_process(out, api_node(api));
	return false;
}

static bool write_tables(const struct api *api, size_t *at, struct json_out *out)
{
	write_rib(out, api_node(api));
	write_fib(out, api_node(api));
	return false;
}

static bool write_last(const struct api *api, size_t *at, struct json_out *out)
{
	write_convergence(out, api_node(api));
	write_lateness(out, api_node(api));
	write_surroundings(out, api_node(api));
	write_api(out, api);
	put(out, "# EOF\n");
	return false;
}

/* True: there is more of it, and *at says where. */
static bool (*const pieces[])(const struct api *api, size_t *at, struct json_out *out) = {
	write_first, write_peerings,    write_tables, write_nexthops,
	write_nics,  write_nic_packets, write_last,
};

bool metrics_step(const struct api *api, struct metrics_walk *walk, struct json_out *out)
{
	if (!pieces[walk->piece](api, &walk->at, out)) {
		walk->piece++;
		walk->at = 0;
	}
	return walk->piece < sizeof(pieces) / sizeof(*pieces);
}

/* --- as a stream ---------------------------------------------------------------------------------------- */

struct metrics_stream {
	struct api_stream base;
	const struct api *api;
	struct metrics_walk walk;
};

static bool step_http(struct api_stream *base, struct node *node, struct json_out *out)
{
	struct metrics_stream *stream = (struct metrics_stream *)base;

	return metrics_step(stream->api, &stream->walk, out);
}

struct api_stream *metrics_stream_new(const struct api *api)
{
	struct metrics_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->base = (struct api_stream){ .step = step_http, .bare = true };
	stream->api = api;
	return &stream->base;
}

static bool step_json(struct api_stream *base, struct node *node, struct json_out *out)
{
	struct json_out text;
	bool more;

	json_out_init(&text);
	more = step_http(base, node, &text);
	json_out_add_string(out, text.data, text.len);
	out->failed |= text.failed;
	json_out_done(&text);
	return more;
}

static void end_json(struct api_stream *base, struct node *node, struct json_out *out)
{
	json_out_end_string(out);
}

int method_metrics_get(struct api_call *call)
{
	struct metrics_stream *stream = stream_open_bare(call, sizeof(*stream), step_json);

	if (!stream)
		return -1;
	stream->api = call->api;
	stream->base.end = end_json;
	json_out_begin_string(call->out, "text");
	return 0;
}
