// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers and names that the whole codec shares: address families and origins. Called by every file
 * here and by rib, agent and api for text. Must never decide anything about a session.
 */
#include "bgp/bgp.h"

static const struct {
	uint16_t afi;
	enum ip_family ip;
	const char *name;
} families[BGP_FAMILY_MAX] = {
	[BGP_IPV4_UNICAST] = { BGP_AFI_IPV4, IP_V4, "ipv4-unicast" },
	[BGP_IPV6_UNICAST] = { BGP_AFI_IPV6, IP_V6, "ipv6-unicast" },
};

bool bgp_family_from_afi(uint16_t afi, uint8_t safi, enum bgp_family *ret_family)
{
	for (int f = 0; f < BGP_FAMILY_MAX; f++) {
		if (safi == BGP_SAFI_UNICAST && families[f].afi == afi) {
			*ret_family = (enum bgp_family)f;
			return true;
		}
	}
	return false;
}

uint16_t bgp_family_afi(enum bgp_family family)
{
	return families[family].afi;
}

enum ip_family bgp_family_ip(enum bgp_family family)
{
	return families[family].ip;
}

const char *bgp_family_name(enum bgp_family family)
{
	return families[family].name;
}

const char *bgp_origin_name(uint8_t origin)
{
	static const char *const names[] = {
		[BGP_ORIGIN_IGP] = "igp",
		[BGP_ORIGIN_EGP] = "egp",
		[BGP_ORIGIN_INCOMPLETE] = "incomplete",
	};

	return origin < sizeof(names) / sizeof(names[0]) ? names[origin] : "unknown";
}
