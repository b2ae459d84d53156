// SPDX-License-Identifier: GPL-2.0-only
/* Handlers of routeserver.show, vnet.* and routeTable.*: what is configured, with figures. Reads only. */
#include <inttypes.h>
#include <string.h>

#include "api/api_impl.h"

static const char *preference_name(enum hub_preference preference)
{
	static const char *const names[] = { "ExpressRoute", "VpnGateway", "ASPath" };

	return names[preference];
}

static void write_rib_figures(struct json_out *out, const struct node_vnet *vnet)
{
	struct rib_figures figures =
		vnet->rib ? rib_figures(vnet->rib) : (struct rib_figures){ .memory = 0 };

	json_out_begin_object(out, "routes");
	json_out_uint(out, "ipv4Prefixes", figures.prefixes[BGP_IPV4_UNICAST]);
	json_out_uint(out, "ipv6Prefixes", figures.prefixes[BGP_IPV6_UNICAST]);
	json_out_uint(out, "ipv4Paths", figures.paths[BGP_IPV4_UNICAST]);
	json_out_uint(out, "ipv6Paths", figures.paths[BGP_IPV6_UNICAST]);
	json_out_uint(out, "attributeSets", figures.attr_sets);
	json_out_uint(out, "memoryBytes", figures.memory);
	json_out_end_object(out);
}

/* RFC 4724 4.1: for whom the first selection still waits. */
static void write_deferral(struct json_out *out, const struct node_vnet *vnet)
{
	bool deferred = loop_timer_is_set(&vnet->deferral);

	json_out_bool(out, "selectionDeferred", deferred);
	json_out_begin_array(out, "awaitedPeerings");
	for (size_t i = 0; deferred && i < vnet->n_peerings; i++) {
		if (node_peering_awaited(vnet->peerings[i]))
			json_out_string(out, NULL, vnet->peerings[i]->config->name);
	}
	json_out_end_array(out);
}

void write_route_server(struct json_out *out, const struct node_vnet *vnet)
{
	const struct route_server_config *server = &vnet->config->route_server;
	struct ip_addr id = ip_from_v4(vnet->node->config->router_id);

	json_out_string(out, "name", vnet->config->name);
	json_out_string(out, "vnet", vnet->config->name);
	json_out_uint(out, "virtualRouterAsn", server->asn);
	json_out_begin_array(out, "virtualRouterIps");
	if (server->local_address.family)
		write_addr(out, NULL, &server->local_address);
	if (server->local_address6.family)
		write_addr(out, NULL, &server->local_address6);
	json_out_end_array(out);
	json_out_uint(out, "port", server->port);
	write_addr(out, "routerId", &id);
	json_out_bool(out, "allowBranchToBranchTraffic", server->branch_to_branch);
	json_out_string(out, "hubRoutingPreference", preference_name(server->hub_preference));
	json_out_string(out, "pathSelection",
			server->selection == SELECT_AZURE ? "azure" : "rfc4271");
	json_out_uint(out, "maxPaths", server->max_paths);
	json_out_string(out, "linkBandwidth", server->ignore_link_bandwidth ? "ignore" : "weight");
	json_out_string(out, "provisioningState", vnet->rib ? "Succeeded" : "Failed");
	write_rib_figures(out, vnet);
	write_deferral(out, vnet);
	/* As text: 64 bits do not fit the numbers of every JSON reader. */
	if (vnet->rib)
		json_out_stringf(out, "selectionDigest", "%016" PRIx64, rib_digest(vnet->rib));
	else
		json_out_null(out, "selectionDigest");
}

int method_routeserver_show(struct api_call *call)
{
	const struct node_vnet *vnet = call_vnet(call);

	if (!vnet)
		return -1;
	if (!vnet->config->route_server.present)
		return api_fail(call->error, API_NOT_FOUND, "vnet",
				"the vnet '%s' has no route server", vnet->config->name);
	write_route_server(call->out, vnet);
	return 0;
}

static void write_prefixes(struct json_out *out, const char *key, const struct ip_prefix *list,
			   size_t n)
{
	json_out_begin_array(out, key);
	for (size_t i = 0; i < n; i++)
		write_prefix(out, NULL, &list[i]);
	json_out_end_array(out);
}

static size_t nics_of(const struct node_vnet *vnet)
{
	size_t n = 0;

	for (size_t i = 0; i < vnet->node->n_nics; i++)
		n += vnet->node->nics[i]->vnet == vnet;
	return n;
}

static void write_vxlan(struct json_out *out, const struct vnet_config *config)
{
	json_out_begin_array(out, "vxlan");
	for (size_t i = 0; i < config->n_vxlan; i++) {
		const struct vxlan_config *vxlan = &config->vxlan[i];

		json_out_begin_object(out, NULL);
		write_prefix(out, "nextHopPrefix", &vxlan->next_hops);
		write_mac(out, "nextHopMac", vxlan->mac.bytes);
		json_out_uint(out, "vni", vxlan->vni);
		write_addr(out, "remoteAddress", &vxlan->remote);
		write_addr(out, "localAddress", &vxlan->local);
		json_out_uint(out, "port", vxlan->port);
		json_out_bool(out, "zeroChecksum", vxlan->zero_checksum);
		json_out_end_object(out);
	}
	json_out_end_array(out);
}

static void write_names(struct json_out *out, const struct node_vnet *vnet)
{
	const struct vnet_config *config = vnet->config;

	json_out_begin_array(out, "peerings");
	for (size_t i = 0; i < vnet->n_peerings; i++)
		json_out_string(out, NULL, vnet->peerings[i]->config->name);
	json_out_end_array(out);
	json_out_begin_array(out, "routeTables");
	for (size_t i = 0; i < vnet->n_tables; i++)
		json_out_string(out, NULL, vnet->tables[i].config->name);
	json_out_end_array(out);
	write_vxlan(out, config);
	json_out_begin_array(out, "virtualNetworkPeerings");
	for (size_t i = 0; i < config->n_vnet_peerings; i++) {
		json_out_begin_object(out, NULL);
		json_out_string(out, "remoteVnet", config->vnet_peerings[i].remote_vnet);
		json_out_bool(out, "useRemoteRouteServer",
			      config->vnet_peerings[i].use_remote_route_server);
		json_out_end_object(out);
	}
	json_out_end_array(out);
}

void write_vnet(struct json_out *out, const struct node_vnet *vnet)
{
	const struct vnet_config *config = vnet->config;

	json_out_string(out, "name", config->name);
	json_out_string(out, "managedBy", managed_by(config->from_api));
	write_prefixes(out, "addressPrefixes", config->prefixes, config->n_prefixes);
	write_prefixes(out, "protectedPrefixes", config->protected_prefixes, config->n_protected);
	json_out_begin_array(out, "gatewayMacs");
	for (size_t i = 0; i < config->n_gateway_macs; i++)
		write_mac(out, NULL, config->gateway_macs[i].bytes);
	json_out_end_array(out);
	if (config->route_server.present) {
		json_out_begin_object(out, "routeServer");
		write_route_server(out, vnet);
		json_out_end_object(out);
	} else {
		json_out_null(out, "routeServer");
	}
	if (vnet->source)
		json_out_string(out, "usesRouteServerOf", vnet->source->config->name);
	else
		json_out_null(out, "usesRouteServerOf");
	write_names(out, vnet);
	json_out_uint(out, "nics", nics_of(vnet));
}

int method_vnet_list(struct api_call *call)
{
	json_out_begin_array(call->out, "value");
	for (size_t i = 0; i < call->node->n_vnets; i++) {
		json_out_begin_object(call->out, NULL);
		write_vnet(call->out, call->node->vnets[i]);
		json_out_end_object(call->out);
	}
	json_out_end_array(call->out);
	return 0;
}

int method_vnet_show(struct api_call *call)
{
	const struct node_vnet *vnet = call_vnet(call);

	if (!vnet)
		return -1;
	write_vnet(call->out, vnet);
	return 0;
}

/* --- route tables ------------------------------------------------------------------------------- */

static void write_fib_counts(struct json_out *out, const struct node_table *table)
{
	static const enum ip_family families[] = { IP_V4, IP_V6 };
	const struct node *node = table->vnet->node;

	json_out_begin_object(out, "fib");
	for (unsigned int f = 0; f < 2; f++) {
		struct fib_plan_counts counts = { 0 };

		if (node->plan)
			counts = fib_plan_counts(node->plan, table->index, families[f]);
		json_out_begin_object(out, f ? "ipv6" : "ipv4");
		json_out_uint(out, "entries",
			      node->maps ? fib_maps_count(node->maps, table->index, families[f])
					 : 0);
		json_out_uint(out, "wanted", counts.wanted);
		json_out_uint(out, "pending", counts.pending);
		json_out_uint(out, "held", counts.held);
		json_out_uint(out, "rejected", counts.rejected);
		json_out_uint(out, "stale", counts.stale);
		json_out_end_object(out);
	}
	json_out_end_object(out);
}

static const char *const source_names[RIB_SOURCES] = {
	[RIB_SOURCE_NVA] = "nva",
	[RIB_SOURCE_GATEWAY] = "gateway",
};

static const char *const persist_names[] = {
	[PERSIST_SYSTEM] = "system",
	[PERSIST_HOLD] = "hold",
	[PERSIST_HOLD_UNTIL_TOLD] = "holdUntilTold",
	[PERSIST_DROP] = "drop",
};

void write_route_table(struct json_out *out, const struct node_table *table, bool routes)
{
	const struct route_table_config *config = table->config;

	json_out_string(out, "name", config->name);
	json_out_string(out, "vnet", table->vnet->config->name);
	json_out_string(out, "managedBy", managed_by(config->from_api));
	json_out_uint(out, "index", table->index);
	json_out_bool(out, "disableBgpRoutePropagation", config->disable_bgp_propagation);
	json_out_begin_array(out, "disablePropagationFrom");
	for (unsigned int source = 0; source < RIB_SOURCES; source++) {
		if (config->disable_propagation_from & 1u << source)
			json_out_string(out, NULL, source_names[source]);
	}
	json_out_end_array(out);
	json_out_bool(out, "allowOwnPrefixes", config->allow_own_prefixes);
	json_out_begin_object(out, "persist");
	json_out_string(out, "action", persist_names[config->persist.action]);
	json_out_uint(out, "seconds", config->persist.seconds);
	json_out_uint(out, "held", node_persist_count(table));
	json_out_end_object(out);
	json_out_uint(out, "userRoutes", config->n_routes);
	if (routes)
		json_out_begin_array(out, "routes");
	for (size_t i = 0; routes && i < config->n_routes; i++) {
		json_out_begin_object(out, NULL);
		write_prefix(out, "addressPrefix", &config->routes[i].prefix);
		json_out_string(out, "nextHopType", next_hop_type_name(config->routes[i].type));
		write_addr(out, "nextHopIpAddress", &config->routes[i].next_hop);
		json_out_string(out, "managedBy", managed_by(config->routes[i].from_api));
		json_out_end_object(out);
	}
	if (routes)
		json_out_end_array(out);
	write_fib_counts(out, table);
}

int method_route_table_list(struct api_call *call)
{
	const struct node_vnet *only = NULL;

	if (request_text(call->request, "vnet")) {
		only = call_vnet(call);
		if (!only)
			return -1;
	}
	json_out_begin_array(call->out, "value");
	for (size_t v = 0; v < call->node->n_vnets; v++) {
		const struct node_vnet *vnet = call->node->vnets[v];

		for (size_t t = 0; t < vnet->n_tables && (!only || vnet == only); t++) {
			json_out_begin_object(call->out, NULL);
			write_route_table(call->out, &vnet->tables[t], false);
			json_out_end_object(call->out);
		}
	}
	json_out_end_array(call->out);
	return 0;
}

int method_route_table_show(struct api_call *call)
{
	struct node_vnet *vnet = call_vnet(call);
	const struct node_table *table = vnet ? call_table(call, vnet, "name") : NULL;

	if (!table)
		return -1;
	write_route_table(call->out, table, true);
	return 0;
}

int method_route_table_release(struct api_call *call)
{
	const char *text = request_text(call->request, "prefix");
	struct node_vnet *vnet = call_vnet(call);
	struct node_table *table = vnet ? call_table(call, vnet, "name") : NULL;
	struct ip_prefix prefix;

	if (!table)
		return -1;
	if (text)
		prefix_parse(text, &prefix); /* was checked */
	json_out_uint(call->out, "released", node_persist_release(table, text ? &prefix : NULL));
	return 0;
}
