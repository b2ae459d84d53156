/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bounds on what a user can grow through the configuration or the API, each with the name of its
 * counter. What a peer can grow is bounded by maxPrefixes (rib/rib.h) and by the maps (dataplane.h);
 * bounds that follow from those are taken from there. Pure: the owner holds the counters.
 */
#ifndef XRS_VNET_LIMITS_H
#define XRS_VNET_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"
#include "vnet/nic_match.h"
#include "vnet/vnet.h"

/*
 * X(enumerator, bound, counter and metric label, what is counted). Constants: LIMIT_<enumerator>_MAX.
 */
#define LIMITS(X)                                                                             \
	X(VNETS, 256, "vnets", "vnets of a host")                                             \
	X(ROUTE_TABLES, XRS_TABLE_MAX, "routeTables", "route tables of all vnets of a host")  \
	X(ADDRESS_PREFIXES, 1024, "addressPrefixes", "addressPrefixes of a vnet")             \
	X(PROTECTED_PREFIXES, 256, "protectedPrefixes", "protectedPrefixes of a vnet")        \
	X(PEERINGS, 1024, "peerings", "peerings of a vnet")                                   \
	X(VNET_PEERINGS, 512, "virtualNetworkPeerings", "virtualNetworkPeerings of a vnet")   \
	X(USER_ROUTES, 16384, "userRoutes", "routes of a route table")                        \
	X(ROUTE_MAPS, 256, "routeMaps", "route maps of a vnet")                               \
	X(ROUTE_MAP_RULES, 1024, "routeMapRules", "rules of a route map")                     \
	X(MATCH_VALUES, 1024, "matchValues", "values of one condition or action of a rule")   \
	X(NIC_RULES, 1024, "nicRules", "nic rules of a host")                                 \
	X(NIC_PATTERNS, 256, "nicPatterns", "patterns of one key of a nic rule")              \
	X(NIC_SOURCES, 2 * XRS_SOURCES, "nicSources", "source prefixes of a nic rule")        \
	X(NICS, XRS_NIC_MAX - 1, "nics", "interfaces of a host that nic rules take")          \
	X(GATEWAY_MACS, XRS_GATEWAY_MACS, "gatewayMacs", "gateway MAC addresses of a vnet")   \
	X(VNET_NAME, VNET_NAME_MAX - 1, "vnetName", "characters of a vnet's or table's name") \
	X(PATTERN, 255, "pattern", "characters of one pattern of a nic rule")                 \
	X(CONFIG_OCTETS, 16 * 1024 * 1024, "configOctets", "octets of a configuration")

enum {
#define X(name, bound, counter, what) LIMIT_##name##_MAX = (bound),
	LIMITS(X)
#undef X
};

enum limit {
#define X(name, bound, counter, what) LIMIT_##name,
	LIMITS(X)
#undef X
	LIMIT_COUNT,
};

struct limit_hits { /* how often each bound refused something */
	uint64_t hits[LIMIT_COUNT];
};

size_t limit_max(enum limit limit);
const char *limit_name(enum limit limit); /* "userRoutes" */
const char *limit_text(enum limit limit); /* "routes of a route table", for error messages */
/* True when @count is within the bound; else counts the hit in @hits (NULL: nowhere). */
bool limit_allows(struct limit_hits *hits, enum limit limit, size_t count);

#endif
