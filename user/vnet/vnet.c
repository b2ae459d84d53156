// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plain data of a virtual network: names, lookups, release. Called by everybody who reads the
 * configuration. Must never interpret it: precedence is effective.c, matching is nic_match.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnet/vnet.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int mac_parse(const char *text, struct mac_addr *ret_mac)
{
	struct mac_addr mac;

	if (strlen(text) != MAC_TEXT_MAX - 1)
		return -EINVAL;
	for (unsigned int i = 0; i < sizeof(mac.bytes); i++, text += 3) {
		int high = hex_digit(text[0]), low = hex_digit(text[1]);

		if (high < 0 || low < 0 || (i < sizeof(mac.bytes) - 1 && text[2] != ':'))
			return -EINVAL;
		mac.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret_mac = mac;
	return 0;
}

char *mac_format(const struct mac_addr *mac, char buf[static MAC_TEXT_MAX])
{
	const uint8_t *b = mac->bytes;

	snprintf(buf, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
		 b[5]);
	return buf;
}

bool vnet_name_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t len = strlen(name);

	return len > 0 && len < VNET_NAME_MAX && strspn(name, allowed) == len;
}

const char *next_hop_type_name(enum next_hop_type type)
{
	static const char *const names[NEXT_HOP_TYPE_MAX] = {
		[NEXT_HOP_VIRTUAL_APPLIANCE] = "VirtualAppliance",
		[NEXT_HOP_VIRTUAL_NETWORK_GATEWAY] = "VirtualNetworkGateway",
		[NEXT_HOP_VNET_LOCAL] = "VnetLocal",
		[NEXT_HOP_INTERNET] = "Internet",
		[NEXT_HOP_NONE] = "None",
	};

	return (unsigned int)type < NEXT_HOP_TYPE_MAX ? names[type] : "?";
}

void vnet_config_done(struct vnet_config *vnet)
{
	for (size_t i = 0; i < vnet->n_route_maps; i++)
		route_map_done(&vnet->route_maps[i]);
	for (size_t i = 0; i < vnet->n_route_tables; i++)
		free(vnet->route_tables[i].routes);
	free(vnet->prefixes);
	free(vnet->interfaces);
	free(vnet->gateway_macs);
	free(vnet->protected_prefixes);
	free(vnet->peerings);
	free(vnet->route_maps);
	free(vnet->route_tables);
	free(vnet->vnet_peerings);
	free(vnet->vxlan);
	memset(vnet, 0, sizeof(*vnet));
}

const struct vxlan_config *vnet_find_vxlan(const struct vnet_config *vnet,
					   const struct ip_addr *next_hop)
{
	const struct vxlan_config *best = NULL;

	for (size_t i = 0; i < vnet->n_vxlan; i++) {
		const struct vxlan_config *vxlan = &vnet->vxlan[i];

		if (prefix_contains(&vxlan->next_hops, next_hop) &&
		    (!best || vxlan->next_hops.len > best->next_hops.len))
			best = vxlan;
	}
	return best;
}

const struct route_table_config *vnet_find_table(const struct vnet_config *vnet, const char *name)
{
	for (size_t i = 0; i < vnet->n_route_tables; i++) {
		if (strcmp(vnet->route_tables[i].name, name) == 0)
			return &vnet->route_tables[i];
	}
	return NULL;
}

const struct peering_config *vnet_find_peering(const struct vnet_config *vnet, const char *name)
{
	for (size_t i = 0; i < vnet->n_peerings; i++) {
		if (strcmp(vnet->peerings[i].name, name) == 0)
			return &vnet->peerings[i];
	}
	return NULL;
}

const struct route_map *vnet_find_route_map(const struct vnet_config *vnet, const char *name)
{
	for (size_t i = 0; i < vnet->n_route_maps; i++) {
		if (strcmp(vnet->route_maps[i].name, name) == 0)
			return &vnet->route_maps[i];
	}
	return NULL;
}

bool vnet_contains(const struct vnet_config *vnet, const struct ip_addr *addr)
{
	for (size_t i = 0; i < vnet->n_prefixes; i++) {
		if (prefix_contains(&vnet->prefixes[i], addr))
			return true;
	}
	return false;
}

bool vnet_covers(const struct vnet_config *vnet, const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < vnet->n_prefixes; i++) {
		if (prefix_covers(&vnet->prefixes[i], prefix))
			return true;
	}
	return false;
}
