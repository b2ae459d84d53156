// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the configuration of a peering means for its session and its place in the RIB. Called by node_peering.c,
 * node_range.c and what_if.c. Changes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "agent/node_impl.h"

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
