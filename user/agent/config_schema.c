// SPDX-License-Identifier: GPL-2.0-only
/*
 * The schema: every object of xrs.json, every key of it, with type, bounds, default and meaning. One
 * table drives the parser, the normal form and the reference part of xrs.json(5). Data only: a new key
 * is a new row here, a member in its struct, and a look at config_check.c.
 *
 * Inner objects come first. An object whose members lie in the struct of the object around it has
 * offset 0.
 */
#include "agent/config_schema.h"
#include "fib/loader.h"
#include "rib/adj_rib_out.h"

#define NAMES(...)               ((const struct config_name[]){ __VA_ARGS__, { NULL, 0 } })
#define AT(type, member)         .offset = offsetof(type, member)
#define LIST_AT(type, member, n) .offset = offsetof(type, member), .count_offset = offsetof(type, n)
#define TEXT(type, member)       .offset = offsetof(type, member), .max = sizeof(((type *)NULL)->member)
#define OBJECT(ident, title, type, ...)                                             \
	static const struct config_field ident##_fields[] = { __VA_ARGS__, { 0 } }; \
	static const struct config_object ident = { title, sizeof(type), ident##_fields }

/* --- route maps --------------------------------------------------------------------------------- */

#define POLICY_PREFIXES_MAX 1024
#define POLICY_VALUES_MAX   64 /* of one list; what a rule adds must fit POLICY_SCRATCH */

static const struct config_name match_ops[] = {
	{ "equals", POLICY_EQUALS },
	{ "contains", POLICY_CONTAINS },
	{ NULL, 0 },
};
static const struct config_name community_ops[] = {
	{ "add", POLICY_LIST_ADD },
	{ "replace", POLICY_LIST_REPLACE },
	{ "remove", POLICY_LIST_REMOVE },
	{ NULL, 0 },
};

static const struct config_field policy_prefix_fields[] = {
	{ "equals", &config_type_prefix, AT(struct config_policy_prefix, equals),
	  .flags = CONFIG_OMIT, .doc = "Exactly this prefix." },
	{ "contains", &config_type_prefix, AT(struct config_policy_prefix, contains),
	  .flags = CONFIG_OMIT,
	  .doc = "This prefix and every more specific one with a length from ge to le. Exactly "
		 "one of equals and contains is given." },
	{ "ge", &config_type_u8, AT(struct config_policy_prefix, ge), .max = 128,
	  .flags = CONFIG_OMIT, .doc = "Default: the length of the prefix itself." },
	{ "le", &config_type_u8, AT(struct config_policy_prefix, le), .max = 128,
	  .flags = CONFIG_OMIT, .doc = "Default: the length of an address." },
	{ 0 },
};
const struct config_object config_policy_prefix = { "routeMaps[].rules[].match.prefix[]",
						    sizeof(struct config_policy_prefix),
						    policy_prefix_fields };

OBJECT(match_object, "routeMaps[].rules[].match", struct policy_match,
       { "prefix", &config_type_list, LIST_AT(struct policy_match, prefixes, n_prefixes),
	 .max = POLICY_PREFIXES_MAX, .flags = CONFIG_OMIT, .element = &config_element_policy_prefix,
	 .object = &config_policy_prefix,
	 .doc = "Any entry that matches is enough. A string stands for an object with equals." },
       { "community", &config_type_condition,
	 LIST_AT(struct policy_match, communities, n_communities),
	 .flag_offset = offsetof(struct policy_match, community_op), .min = 1,
	 .max = POLICY_VALUES_MAX, .names = match_ops, .element = &config_element_community,
	 .doc = "equals: the route has all that are listed; contains: any of them." },
       { "largeCommunity", &config_type_condition, LIST_AT(struct policy_match, large, n_large),
	 .flag_offset = offsetof(struct policy_match, large_op), .min = 1, .max = POLICY_VALUES_MAX,
	 .names = match_ops, .element = &config_element_large_community,
	 .doc = "The same for large communities." },
       { "asPath", &config_type_as_path, LIST_AT(struct policy_match, as_path, n_as_path),
	 .flag_offset = offsetof(struct policy_match, as_path_op), .max = POLICY_VALUES_MAX,
	 .names = match_ops, .element = &config_element_asn,
	 .doc = "equals: the AS_PATH is this sequence (the empty list: it is empty); contains: any "
		"of these is in it." });

OBJECT(modify_object, "routeMaps[].rules[].modify", struct policy_rule,
       { "asPath", &config_type_keyed_list, LIST_AT(struct policy_rule, as_path, n_as_path),
	 .flag_offset = offsetof(struct policy_rule, as_path_action), .max = POLICY_VALUES_MAX,
	 .names = NAMES({ "prepend", POLICY_LIST_ADD }, { "replace", POLICY_LIST_REPLACE }),
	 .element = &config_element_asn,
	 .doc = "prepend puts these in front, in the order listed; replace takes the AS_PATH's "
		"place." },
       { "community", &config_type_keyed_list,
	 LIST_AT(struct policy_rule, communities, n_communities),
	 .flag_offset = offsetof(struct policy_rule, community_action), .max = POLICY_VALUES_MAX,
	 .names = community_ops, .element = &config_element_community,
	 .doc = "Changes the communities of the route; replace with an empty list removes all." },
       { "largeCommunity", &config_type_keyed_list, LIST_AT(struct policy_rule, large, n_large),
	 .flag_offset = offsetof(struct policy_rule, large_action), .max = POLICY_VALUES_MAX,
	 .names = community_ops, .element = &config_element_large_community,
	 .doc = "The same for large communities." },
       { "med", &config_type_given_u32, AT(struct policy_rule, med),
	 .flag_offset = offsetof(struct policy_rule, set_med), .max = UINT32_MAX,
	 .doc = "Sets MULTI_EXIT_DISC." },
       { "localPref", &config_type_given_u32, AT(struct policy_rule, local_pref),
	 .flag_offset = offsetof(struct policy_rule, set_local_pref), .max = UINT32_MAX,
	 .doc = "Sets LOCAL_PREF." },
       { "nextHop", &config_type_given_ip, AT(struct policy_rule, next_hop),
	 .flag_offset = offsetof(struct policy_rule, set_next_hop), .flags = CONFIG_OMIT,
	 .doc = "Sets the next hop." },
       { "weight", &config_type_given_u32, AT(struct policy_rule, weight),
	 .flag_offset = offsetof(struct policy_rule, set_weight), .max = UINT32_MAX,
	 .doc = "Sets the weight: local to this host, compared before everything else, higher "
		"wins." });

OBJECT(rule_object, "routeMaps[].rules[]", struct policy_rule,
       { "name", &config_type_text, TEXT(struct policy_rule, name), .flags = CONFIG_OMIT,
	 .doc = "For people: explain shows it." },
       { "match", &config_type_object, AT(struct policy_rule, match), .object = &match_object,
	 .fallback = "{}",
	 .doc = "Conditions; all must hold. Without any the rule always matches." },
       { "action", &config_type_choice, AT(struct policy_rule, drop),
	 .names = NAMES({ "drop", 1 }, { "modify", 0 }), .fallback = "\"modify\"",
	 .doc = "drop refuses the route and ends the map." },
       { "modify", &config_type_object, .offset = 0, .object = &modify_object, .fallback = "{}",
	 .doc = "What action modify changes; empty: nothing." },
       { "next", &config_type_choice, AT(struct policy_rule, terminate),
	 .names = NAMES({ "continue", 0 }, { "terminate", 1 }), .fallback = "\"continue\"",
	 .doc = "After a match: go on with the next rule, or permit the route as it is now." });

OBJECT(route_map_object, "routeMaps[]", struct route_map,
       { "name", &config_type_name, TEXT(struct route_map, name), .flags = CONFIG_REQUIRED,
	 .doc = "Peerings refer to it." },
       { "rules", &config_type_objects, LIST_AT(struct route_map, rules, n_rules), .max = 1024,
	 .object = &rule_object, .fallback = "[]",
	 .doc = "In order. A rule that does not match hands on to the next; after the last the "
		"route is permitted." });

/* --- peerings ------------------------------------------------------------------------------------ */

OBJECT(max_prefixes_object, "peerings[].maxPrefixes", struct rib_limit,
       { "limit", &config_type_u32, AT(struct rib_limit, limit), .max = 100000000, .fallback = "0",
	 .doc = "Distinct prefixes held from this peer, counted for each family; 0: no limit." },
       { "warnPercent", &config_type_u8, AT(struct rib_limit, warn_percent), .min = 1, .max = 100,
	 .fallback = "75", .doc = "A warning is logged at this part of the limit." },
       { "action", &config_type_enum, AT(struct rib_limit, action),
	 .names = NAMES({ "warn", RIB_LIMIT_WARN }, { "block", RIB_LIMIT_BLOCK },
			{ "restart", RIB_LIMIT_RESTART }, { "shutdown", RIB_LIMIT_SHUTDOWN }),
	 .fallback = "\"block\"",
	 .doc = "Above the limit: only warn; keep the session and use no new prefixes; close the "
		"session and start it again later; close it until it is enabled by hand." },
       { "restartSeconds", &config_type_u32, AT(struct rib_limit, restart_seconds), .min = 1,
	 .max = 86400, .fallback = "60",
	 .doc = "Action restart: the session stays closed for so long." });

OBJECT(limits_object, "peerings[].limits", struct peering_limits,
       { "asPathLength", &config_type_u32, AT(struct peering_limits, as_path), .max = 65535,
	 .fallback = "250",
	 .doc = "AS numbers in the AS_PATH of one route, an AS_SET as one; 0: no bound. A route "
		"over this or one of the next two is treated as withdrawn." },
       { "communities", &config_type_u32, AT(struct peering_limits, communities), .max = 65535,
	 .fallback = "1000", .doc = "Communities of all kinds of one route; 0: no bound." },
       { "attributeOctets", &config_type_u32, AT(struct peering_limits, attribute_octets),
	 .max = 65535, .fallback = "16384",
	 .doc = "Path attributes of one route, without prefixes; 0: no bound." },
       { "memoryMiB", &config_type_u32, AT(struct peering_limits, memory_mib), .max = 1048576,
	 .fallback = "2048",
	 .doc = "Memory for what the peer announced, counted as if no two routes shared their "
		"attributes; 0: no bound. Beyond it routes are treated as withdrawn; the peer "
		"is asked for them again (route refresh) when an eighth is free." });

OBJECT(bfd_auth_object, "peerings[].bfd.auth", struct bfd_config,
       { "type", &config_type_enum, AT(struct bfd_config, auth_type),
	 .names = NAMES({ "none", BFD_AUTH_NONE }, { "simple", BFD_AUTH_PASSWORD },
			{ "md5", BFD_AUTH_MD5 }, { "meticulous-md5", BFD_AUTH_METICULOUS_MD5 },
			{ "sha1", BFD_AUTH_SHA1 }, { "meticulous-sha1", BFD_AUTH_METICULOUS_SHA1 }),
	 .fallback = "\"none\"",
	 .doc = "RFC 5880 6.7. With authentication the detection time is kept by xrsd alone, not "
		"in the kernel as well." },
       { "keyId", &config_type_u8, AT(struct bfd_config, auth_key_id), .max = 255, .fallback = "1",
	 .doc = "Number of the key, the same on both sides." },
       { "keyFile", &config_type_path, TEXT(struct bfd_config, auth_key_file),
	 .flags = CONFIG_NULLABLE,
	 .doc = "File with the key, readable by its owner only: at most 16 octets, with sha1 "
		"20." });

OBJECT(bfd_object, "peerings[].bfd", struct bfd_config,
       { "enabled", &config_type_bool, AT(struct bfd_config, enabled), .fallback = "false",
	 .doc = "Bidirectional Forwarding Detection (RFC 5880): when it goes down the peer's next "
		"hop is out of use at once and the BGP session is closed (Cease 6/10)." },
       { "minTxMs", &config_type_u32, AT(struct bfd_config, min_tx_ms), .min = 10, .max = 60000,
	 .fallback = "300", .doc = "Interval of our packets, milliseconds." },
       { "minRxMs", &config_type_u32, AT(struct bfd_config, min_rx_ms), .min = 10, .max = 60000,
	 .fallback = "300", .doc = "Shortest interval that we accept, milliseconds." },
       { "multiplier", &config_type_u8, AT(struct bfd_config, multiplier), .min = 1, .max = 255,
	 .fallback = "3", .doc = "Packets that may be missed." },
       { "multihop", &config_type_bool, AT(struct bfd_config, multihop), .fallback = "false",
	 .doc = "RFC 5883 in place of RFC 5881." },
       { "strict", &config_type_bool, AT(struct bfd_config, strict), .fallback = "false",
	 .doc = "No BGP session before BFD is Up." },
       { "honorGracefulRestart", &config_type_bool, AT(struct bfd_config, honor_graceful_restart),
	 .fallback = "false",
	 .doc = "RFC 5882 4.3: when the peer's BFD shares fate with its control plane (C bit "
		"clear), Down may be a restart: graceful restart decides, not BFD." },
       { "auth", &config_type_object, .offset = 0, .object = &bfd_auth_object, .fallback = "{}",
	 .doc = "Authentication of BFD packets." });

#define CAPABILITY(key, member, by_default, text)                                               \
	{                                                                                       \
		key, &config_type_enum, AT(struct peering_config, capabilities.member),         \
			.names = capability_uses, .fallback = "\"" by_default "\"", .doc = text \
	}
static const struct config_name capability_uses[] = {
	{ "off", CAPABILITY_OFF },
	{ "on", CAPABILITY_ON },
	{ "require", CAPABILITY_REQUIRE },
	{ NULL, 0 },
};

OBJECT(capabilities_object, "peerings[].capabilities", struct peering_config,
       CAPABILITY("multiprotocol", multiprotocol, "on",
		  "RFC 4760. require: every family in families; off: for a peer so old that only "
		  "ipv4-unicast works."),
       CAPABILITY("fourOctetAs", four_octet_as, "on", "RFC 6793."),
       CAPABILITY("routeRefresh", route_refresh, "on", "RFC 2918."),
       CAPABILITY("enhancedRouteRefresh", enhanced_refresh, "on", "RFC 7313."),
       CAPABILITY("extendedMessage", extended_message, "off",
		  "RFC 8654: messages of up to 65535 octets."),
       CAPABILITY("extendedNextHop", extended_next_hop, "off",
		  "RFC 8950: IPv4 prefixes with an IPv6 next hop."));

OBJECT(add_path_object, "peerings[].addPath", struct peering_config,
       { "receive", &config_type_bool, AT(struct peering_config, add_path_receive),
	 .fallback = "false", .doc = "Take several paths of a prefix from this peer, at most 16." },
       { "sendMax", &config_type_u8, AT(struct peering_config, add_path_send_max),
	 .max = OUT_PATHS_MAX, .fallback = "0",
	 .doc = "Tell this peer as many paths of a prefix, the best first; 0: only the best, "
		"without identifier." });

OBJECT(probe_object, "peerings[].probe", struct peering_config,
       { "port", &config_type_u16, AT(struct peering_config, probe_port), .max = 65535,
	 .fallback = "0", .doc = "TCP port of the peer that has to answer; 0: no probe." },
       { "intervalMs", &config_type_u32, AT(struct peering_config, probe_interval_ms), .min = 10,
	 .max = 3600000, .fallback = "1000", .doc = "From one attempt to the next, milliseconds." },
       { "timeoutMs", &config_type_u32, AT(struct peering_config, probe_timeout_ms), .min = 5,
	 .max = 60000, .fallback = "500",
	 .doc = "An attempt that takes longer has failed; at most intervalMs." },
       { "failures", &config_type_u8, AT(struct peering_config, probe_failures), .min = 1,
	 .max = 255, .fallback = "3",
	 .doc = "So many in a row take the peer's next hop out of use. One success ends that." });

OBJECT(gr_object, "peerings[].gracefulRestart", struct peering_config,
       { "enabled", &config_type_bool, AT(struct peering_config, gr_enabled), .fallback = "true",
	 .doc = "RFC 4724: routes of a peer that restarts are kept meanwhile." },
       { "required", &config_type_bool, AT(struct peering_config, gr_required), .fallback = "false",
	 .doc = "Refuse a peer without the capability (2/7)." },
       { "restartTime", &config_type_u16, AT(struct peering_config, gr_restart_time), .min = 1,
	 .max = 4095, .fallback = "120", .doc = "Seconds that we ask the peer to wait for us." },
       { "stalePathTime", &config_type_u32, AT(struct peering_config, gr_stale_path_time), .min = 1,
	 .max = 86400, .fallback = "360",
	 .doc = "Seconds that stale routes of a peer that is back wait for its End-of-RIB, and "
		"those of a refresh for its end." },
       { "longLivedTime", &config_type_u32, AT(struct peering_config, gr_long_lived_time),
	 .max = 16777215, .fallback = "0",
	 .doc = "RFC 9494: seconds that routes are kept after the restart time, as the last "
		"choice: asked for of the peer, and the most that the peer gets; 0: not "
		"offered." });

OBJECT(advertise_object, "peerings[].advertise", struct peering_config,
       { "vnetPrefixes", &config_type_bool, AT(struct peering_config, advertise_vnet),
	 .fallback = "true", .doc = "The vnet's addressPrefixes." },
       { "hostRoutes", &config_type_bool, AT(struct peering_config, advertise_host_routes),
	 .fallback = "false",
	 .doc = "A /32 or /128 for each local VM: an address of the vnet whose MAC is behind a nic "
		"of role vm." },
       { "learnedRoutes", &config_type_bool, AT(struct peering_config, advertise_learned),
	 .fallback = "true", .doc = "Routes learned from other peerings." });

OBJECT(peering_object, "peerings[]", struct peering_config,
       { "name", &config_type_name, TEXT(struct peering_config, name), .flags = CONFIG_REQUIRED,
	 .doc = "Unique in the vnet." },
       { "peerAsn", &config_type_asn, AT(struct peering_config, peer_asn), .min = 0,
	 .max = UINT32_MAX, .flags = CONFIG_OMIT,
	 .doc = "The peer's AS number; needed with peerIp. 0, 23456, 65535 and 4294967295 are "
		"refused." },
       { "peerIp", &config_type_ip, AT(struct peering_config, peer_ip), .flags = CONFIG_OMIT,
	 .doc = "The peer's address, IPv4 or IPv6. Exactly one of peerIp and peerRange is given." },
       { "peerRange", &config_type_prefix, AT(struct peering_config, peer_range),
	 .flags = CONFIG_OMIT,
	 .doc = "Whoever connects from an address in this prefix becomes a peer, named after this "
		"peering and its address. We do not connect." },
       { "peerAsns", &config_type_asns, AT(struct peering_config, peer_asns), .flags = CONFIG_OMIT,
	 .doc = "With peerRange: AS numbers that are allowed, each a number or a range such as "
		"\"64512-65534\". Default: peerAsn, or any but our own." },
       { "maxPeers", &config_type_u32, AT(struct peering_config, max_peers), .min = 1,
	 .max = RIB_PEERS_MAX, .fallback = "100",
	 .doc = "With peerRange: more than these at a time are refused (Cease 6/8)." },
       { "peerIdleTime", &config_type_u32, AT(struct peering_config, peer_idle_time), .min = 1,
	 .max = 604800, .fallback = "300",
	 .doc = "With peerRange: a peer without a session for so many seconds is forgotten." },
       { "role", &config_type_enum, AT(struct peering_config, role),
	 .names = NAMES({ "nva", PEER_NVA }, { "expressRoute", PEER_EXPRESS_ROUTE },
			{ "vpnGateway", PEER_VPN_GATEWAY }, { "reflector", PEER_REFLECTOR },
			{ "agent", PEER_AGENT }),
	 .fallback = "\"nva\"",
	 .doc = "What the peer is; hubRoutingPreference and allowBranchToBranchTraffic look at "
		"it." },
       { "enabled", &config_type_bool, AT(struct peering_config, enabled), .fallback = "true",
	 .doc = "false: administratively down." },
       { "passive", &config_type_bool, AT(struct peering_config, passive), .fallback = "false",
	 .doc = "Never connect, only accept." },
       { "port", &config_type_u16, AT(struct peering_config, port), .min = 1, .max = 65535,
	 .fallback = "179", .doc = "The peer's TCP port." },
       { "localAddress", &config_type_bind, TEXT(struct peering_config, local_address),
	 .flags = CONFIG_NULLABLE,
	 .doc = "Source address of the session. Default: the route server's of that family." },
       { "device", &config_type_text, TEXT(struct peering_config, device), .flags = CONFIG_NULLABLE,
	 .doc = "Binds the session to this interface." },
       { "multihopTtl", &config_type_u8, AT(struct peering_config, multihop_ttl), .min = 1,
	 .max = 255, .fallback = "64", .doc = "TTL of what we send (eBGP multihop)." },
       { "ttlSecurityHops", &config_type_u8, AT(struct peering_config, ttl_security_hops),
	 .max = 254, .fallback = "0",
	 .doc = "RFC 5082: the peer is at most this many hops away; 0: off." },
       { "holdTime", &config_type_u16, AT(struct peering_config, hold_time), .max = 65535,
	 .fallback = "180",
	 .doc = "Seconds; 0: no hold timer; 1 and 2 are refused (RFC 4271 4.2)." },
       { "keepaliveTime", &config_type_u16, AT(struct peering_config, keepalive_time), .min = 1,
	 .max = 65534, .flags = CONFIG_NULLABLE,
	 .doc = "Seconds, less than holdTime. Default: a third of holdTime." },
       { "connectRetryTime", &config_type_u32, AT(struct peering_config, connect_retry_time),
	 .min = 1, .max = 65535, .fallback = "5", .doc = "Seconds between attempts." },
       { "sendHoldTime", &config_type_u32, AT(struct peering_config, send_hold_time), .max = 65535,
	 .flags = CONFIG_NULLABLE,
	 .doc = "Seconds in which the peer must take something of what we send (RFC 9687); more "
		"than holdTime. Default: 480, or twice holdTime if that is more." },
       { "families", &config_type_families, AT(struct peering_config, families),
	 .names = NAMES({ "ipv4-unicast", BGP_FAMILY_BIT(BGP_IPV4_UNICAST) },
			{ "ipv6-unicast", BGP_FAMILY_BIT(BGP_IPV6_UNICAST) }),
	 .flags = CONFIG_NULLABLE,
	 .doc = "Address families to exchange. Default: that of peerIp." },
       { "passwordFile", &config_type_path, TEXT(struct peering_config, password_file),
	 .flags = CONFIG_NULLABLE,
	 .doc = "File with the key of TCP MD5 (RFC 2385), readable by its owner only." },
       { "maxPrefixes", &config_type_object, AT(struct peering_config, max_prefixes),
	 .object = &max_prefixes_object, .fallback = "{}",
	 .doc = "Limit on what the peer may send." },
       { "limits", &config_type_object, AT(struct peering_config, limits), .object = &limits_object,
	 .fallback = "{}", .doc = "Bounds on single routes and on memory." },
       { "bfd", &config_type_object, AT(struct peering_config, bfd), .object = &bfd_object,
	 .fallback = "{}", .doc = "Failure detection." },
       { "probe", &config_type_object, .offset = 0, .object = &probe_object, .fallback = "{}",
	 .doc = "Failure detection of a service: a TCP connection that has to come about." },
       { "returnHoldMs", &config_type_u32, AT(struct peering_config, return_hold_ms),
	 .max = 3600000, .fallback = "1000",
	 .doc = "After a failure flows come back only when the peer has been up for so many "
		"milliseconds; where nobody else is alive they do at once." },
       { "capabilities", &config_type_object, .offset = 0, .object = &capabilities_object,
	 .fallback = "{}",
	 .doc = "What is offered to the peer: each off, on, or require, which refuses a peer "
		"without it." },
       { "addPath", &config_type_object, .offset = 0, .object = &add_path_object, .fallback = "{}",
	 .doc = "Several paths of one prefix (RFC 7911)." },
       { "bgpRole", &config_type_enum, AT(struct peering_config, bgp_role),
	 .names = NAMES({ "none", BGP_ROLE_MAX }, { "provider", BGP_ROLE_PROVIDER },
			{ "rs", BGP_ROLE_RS }, { "rs-client", BGP_ROLE_RS_CLIENT },
			{ "customer", BGP_ROLE_CUSTOMER }, { "peer", BGP_ROLE_PEER }),
	 .fallback = "\"none\"",
	 .doc = "RFC 9234: what we are to the peer. A peer of another role than its counterpart is "
		"refused (2/11), and routes that it leaks are not used." },
       { "bgpRoleStrict", &config_type_bool, AT(struct peering_config, bgp_role_strict),
	 .fallback = "false", .doc = "Refuse also a peer that names no role." },
       { "shutdownDrainTime", &config_type_u16, AT(struct peering_config, shutdown_drain_time),
	 .max = 3600, .fallback = "0",
	 .doc = "RFC 8326: seconds between a disable (by the API or by enabled) and the end of the "
		"session, in which the peer is told every route with GRACEFUL_SHUTDOWN." },
       { "gracefulRestart", &config_type_object, .offset = 0, .object = &gr_object,
	 .fallback = "{}", .doc = "Restart without loss of routes." },
       { "inboundRouteMap", &config_type_name, TEXT(struct peering_config, inbound_route_map),
	 .flags = CONFIG_NULLABLE, .doc = "Applied to what the peer sends; default: none." },
       { "outboundRouteMap", &config_type_name, TEXT(struct peering_config, outbound_route_map),
	 .flags = CONFIG_NULLABLE, .doc = "Applied to what we send; default: none." },
       { "advertise", &config_type_object, .offset = 0, .object = &advertise_object,
	 .fallback = "{}", .doc = "What the peer is told." });

/* --- vnets ------------------------------------------------------------------------------------- */

OBJECT(route_server_object, "vnets[].routeServer", struct route_server_config,
       { "asn", &config_type_asn, AT(struct route_server_config, asn), .max = UINT32_MAX,
	 .fallback = "65515", .doc = "Our AS number." },
       { "localAddress", &config_type_ip, AT(struct route_server_config, local_address),
	 .min = IP_V4, .flags = CONFIG_NULLABLE,
	 .doc = "Our IPv4 address: source of sessions and next hop of what we originate. Default: "
		"the address that the kernel chose for the session." },
       { "localAddress6", &config_type_ip, AT(struct route_server_config, local_address6),
	 .min = IP_V6, .flags = CONFIG_NULLABLE, .doc = "The same for IPv6." },
       { "port", &config_type_u16, AT(struct route_server_config, port), .min = 1, .max = 65535,
	 .fallback = "179", .doc = "TCP port to listen on." },
       { "hubRoutingPreference", &config_type_enum, AT(struct route_server_config, hub_preference),
	 .names = NAMES({ "ExpressRoute", HUB_EXPRESS_ROUTE }, { "VpnGateway", HUB_VPN_GATEWAY },
			{ "ASPath", HUB_AS_PATH }),
	 .fallback = "\"ExpressRoute\"",
	 .doc = "Which gateway's path wins before AS_PATH lengths are compared." },
       { "allowBranchToBranchTraffic", &config_type_bool,
	 AT(struct route_server_config, branch_to_branch), .fallback = "false",
	 .doc = "Exchange routes between NVAs and gateways, and between gateways." },
       { "pathSelection", &config_type_enum, AT(struct route_server_config, selection),
	 .names = NAMES({ "azure", SELECT_AZURE }, { "rfc4271", SELECT_RFC4271 }),
	 .fallback = "\"azure\"",
	 .doc = "azure: hub preference, then AS_PATH length; rfc4271: the whole decision "
		"process." },
       { "alwaysCompareMed", &config_type_bool, AT(struct route_server_config, always_compare_med),
	 .fallback = "false",
	 .doc = "rfc4271: compare MED also between different neighbour ASes." },
       { "maxPaths", &config_type_u32, AT(struct route_server_config, max_paths), .min = 1,
	 .max = XRS_MEMBERS_MAX, .fallback = "16", .doc = "Equal paths that share the load." },
       { "linkBandwidth", &config_type_choice,
	 AT(struct route_server_config, ignore_link_bandwidth),
	 .names = NAMES({ "weight", false }, { "ignore", true }), .fallback = "\"weight\"",
	 .doc = "weight: equal paths share in proportion to their link bandwidth communities, when "
		"each has one; ignore: all alike." },
       { "selectionDeferralTime", &config_type_u32, AT(struct route_server_config, deferral_time),
	 .max = 3600, .fallback = "120",
	 .doc = "RFC 4724 4.1: after a restart of xrsd, routes are selected when every peer with "
		"gracefulRestart has sent End-of-RIB, or after so many seconds." },
       { "startDeferralTime", &config_type_u32, AT(struct route_server_config, start_deferral_time),
	 .max = 3600, .fallback = "2",
	 .doc = "The same at a start that finds nothing to keep forwarding, where waiting costs; "
		"0: routes are selected as they come." });

OBJECT(user_route_object, "routeTables[].routes[]", struct user_route,
       { "addressPrefix", &config_type_prefix, AT(struct user_route, prefix),
	 .flags = CONFIG_REQUIRED, .doc = "Destination." },
       { "nextHopType", &config_type_enum, AT(struct user_route, type),
	 .names = NAMES({ "VirtualAppliance", NEXT_HOP_VIRTUAL_APPLIANCE },
			{ "VirtualNetworkGateway", NEXT_HOP_VIRTUAL_NETWORK_GATEWAY },
			{ "VnetLocal", NEXT_HOP_VNET_LOCAL }, { "Internet", NEXT_HOP_INTERNET },
			{ "None", NEXT_HOP_NONE }),
	 .flags = CONFIG_REQUIRED, .doc = "None drops." },
       { "nextHopIpAddress", &config_type_ip, AT(struct user_route, next_hop),
	 .flags = CONFIG_NULLABLE,
	 .doc = "Of VirtualAppliance, and only of it: the appliance's address." });

OBJECT(persist_object, "vnets[].routeTables[].persist", struct persist_config,
       { "action", &config_type_enum, AT(struct persist_config, action),
	 .names = NAMES({ "system", PERSIST_SYSTEM }, { "hold", PERSIST_HOLD },
			{ "holdUntilTold", PERSIST_HOLD_UNTIL_TOLD }, { "drop", PERSIST_DROP }),
	 .fallback = "\"system\"",
	 .doc = "system: the next candidate counts, such as Internet. hold: frames go to the lost "
		"appliance for some seconds more, as long as its next hop can be reached. "
		"holdUntilTold: without an end. drop: frames are dropped. All but system end when "
		"BGP "
		"offers the prefix again, or by routeTable.release." },
       { "seconds", &config_type_u32, AT(struct persist_config, seconds), .min = 1, .max = 604800,
	 .fallback = "300", .doc = "Of hold." });

OBJECT(route_table_object, "vnets[].routeTables[]", struct route_table_config,
       { "name", &config_type_name, TEXT(struct route_table_config, name), .flags = CONFIG_REQUIRED,
	 .doc = "Nic rules refer to it. main always exists." },
       { "disableBgpRoutePropagation", &config_type_bool,
	 AT(struct route_table_config, disable_bgp_propagation), .fallback = "false",
	 .doc = "Takes all BGP routes out of this table." },
       { "disablePropagationFrom", &config_type_words,
	 AT(struct route_table_config, disable_propagation_from),
	 .names = NAMES({ "nva", 1u << RIB_SOURCE_NVA }, { "gateway", 1u << RIB_SOURCE_GATEWAY }),
	 .fallback = "[]",
	 .doc = "Takes the BGP routes of one kind of peering out: gateway means the roles "
		"expressRoute and vpnGateway, nva all others. Among those that are left the best "
		"is "
		"chosen as if the others were not there." },
       { "allowOwnPrefixes", &config_type_bool, AT(struct route_table_config, allow_own_prefixes),
	 .fallback = "false",
	 .doc = "Installs BGP routes that lie inside the vnet's own prefixes." },
       { "persist", &config_type_object, AT(struct route_table_config, persist),
	 .object = &persist_object, .fallback = "{}",
	 .doc = "What becomes of a prefix whose last path is lost: the appliance's session ended "
		"or "
		"its next hop can not be reached. A prefix that an appliance takes back is not "
		"lost." },
       { "routes", &config_type_objects, LIST_AT(struct route_table_config, routes, n_routes),
	 .max = 100000, .object = &user_route_object, .fallback = "[]", .doc = "User routes." });

OBJECT(gateway_object, "vnets[].gateway", struct vnet_config,
       { "macs", &config_type_list, LIST_AT(struct vnet_config, gateway_macs, n_gateway_macs),
	 .max = XRS_GATEWAY_MACS, .element = &config_element_mac, .fallback = "[]",
	 .doc = "MAC addresses whose frames are routed. Empty: the nic's own and its bridge's." });

OBJECT(vnet_peering_object, "vnets[].virtualNetworkPeerings[]", struct vnet_peering_config,
       { "remoteVnet", &config_type_name, TEXT(struct vnet_peering_config, remote_vnet),
	 .flags = CONFIG_REQUIRED,
	 .doc = "Name of the other vnet; it need not list this one in turn." },
       { "useRemoteRouteServer", &config_type_bool,
	 AT(struct vnet_peering_config, use_remote_route_server), .fallback = "false",
	 .doc = "The one of the two without a route server uses the other's: it learns its routes, "
		"and its prefixes are told to that one's peerings." });

OBJECT(vxlan_object, "vnets[].vxlan[]", struct vxlan_config,
       { "nextHopPrefix", &config_type_prefix, AT(struct vxlan_config, next_hops),
	 .flags = CONFIG_REQUIRED,
	 .doc = "Next hops that are reached through this tunnel; the longest prefix wins. Length "
		"32 or 128 for a single one." },
       { "nextHopMac", &config_type_mac, AT(struct vxlan_config, mac), .flags = CONFIG_REQUIRED,
	 .doc = "MAC address of the next hop inside the VXLAN network." },
       { "vni", &config_type_u32, AT(struct vxlan_config, vni), .min = 1, .max = 16777215,
	 .flags = CONFIG_REQUIRED, .doc = "VXLAN network identifier." },
       { "remoteAddress", &config_type_ip, AT(struct vxlan_config, remote),
	 .flags = CONFIG_REQUIRED, .doc = "Other end of the tunnel, IPv4 or IPv6." },
       { "localAddress", &config_type_ip, AT(struct vxlan_config, local), .flags = CONFIG_NULLABLE,
	 .doc = "Outer source address, of the same family. Default: that of the route there." },
       { "port", &config_type_u16, AT(struct vxlan_config, port), .min = 1, .max = 65535,
	 .fallback = "4789", .doc = "UDP port of the other end." },
       { "zeroChecksum", &config_type_bool, AT(struct vxlan_config, zero_checksum),
	 .fallback = "false",
	 .doc = "Over IPv6: the outer UDP checksum is zero. The other end must accept that "
		"(udp6zerocsumrx of a Linux VXLAN device). Without it frames with segmentation "
		"offload go only where they are TCP and all segments are of one length; the others "
		"are left to the kernel and counted as to_kernel, and so are packets without a "
		"checksum of their own, such as fragments. Where that is too little and the other "
		"end takes no zero, make a VXLAN device for the network." });

OBJECT(vnet_object, "vnets[]", struct vnet_config,
       { "name", &config_type_name, TEXT(struct vnet_config, name), .flags = CONFIG_REQUIRED,
	 .doc = "Unique on the host." },
       { "addressPrefixes", &config_type_list, LIST_AT(struct vnet_config, prefixes, n_prefixes),
	 .min = 1, .max = 4096, .flags = CONFIG_REQUIRED, .element = &config_element_prefix,
	 .doc = "The vnet's own prefixes; they may not overlap." },
       { "interfaces", &config_type_list, LIST_AT(struct vnet_config, interfaces, n_interfaces),
	 .max = 256, .element = &config_element_interface, .fallback = "[]",
	 .doc = "The host's interfaces that lead into this vnet: next hops are looked for there "
		"and "
		"nowhere else. Empty: the bridges of its nics, and nics that are on none. Peered "
		"vnets' "
		"count too. Needed when vnets use the same addresses and nics do not tell." },
       { "gateway", &config_type_object, .offset = 0, .object = &gateway_object, .fallback = "{}",
	 .doc = "The virtual router that VMs send to." },
       { "protectedPrefixes", &config_type_list,
	 LIST_AT(struct vnet_config, protected_prefixes, n_protected), .max = 256,
	 .element = &config_element_prefix, .fallback = "[\"169.254.0.0/16\", \"fe80::/10\"]",
	 .doc = "Never steered, whatever is announced." },
       { "routeServer", &config_type_object, AT(struct vnet_config, route_server),
	 .flag_offset = offsetof(struct vnet_config, route_server.present),
	 .object = &route_server_object, .doc = "Default: none, unless the vnet has peerings." },
       { "peerings", &config_type_objects, LIST_AT(struct vnet_config, peerings, n_peerings),
	 .max = RIB_PEERS_MAX, .object = &peering_object, .fallback = "[]",
	 .doc = "BGP neighbours." },
       { "routeMaps", &config_type_objects, LIST_AT(struct vnet_config, route_maps, n_route_maps),
	 .max = 1024, .object = &route_map_object, .fallback = "[]", .doc = "Policies." },
       { "routeTables", &config_type_objects,
	 LIST_AT(struct vnet_config, route_tables, n_route_tables), .max = XRS_TABLE_MAX,
	 .object = &route_table_object, .fallback = "[]",
	 .doc = "main is added when it is not listed." },
       { "virtualNetworkPeerings", &config_type_objects,
	 LIST_AT(struct vnet_config, vnet_peerings, n_vnet_peerings), .max = XRS_TABLE_MAX,
	 .object = &vnet_peering_object, .fallback = "[]", .doc = "Peered vnets." },
       { "vxlan", &config_type_objects, LIST_AT(struct vnet_config, vxlan, n_vxlan), .max = 256,
	 .object = &vxlan_object, .fallback = "[]",
	 .doc = "Next hops on other hosts that are reached by VXLAN, encapsulated here. Others, "
		"too, when the kernel has a VXLAN device that leads there." });

/* --- nics ---------------------------------------------------------------------------------------- */

#define PATTERNS(key, row, low)                                                                 \
	{                                                                                       \
		key, &config_type_patterns,                                                     \
			.offset = offsetof(struct nic_rule, patterns[row]),                     \
			.count_offset = offsetof(struct nic_rule, n_patterns[row]), .min = low, \
			.max = 256

OBJECT(nic_match_object, "nics[].match", struct nic_rule,
       PATTERNS("name", NIC_MATCH_NAME, 0), .doc = "Name of the interface."
}
, PATTERNS("altName", NIC_MATCH_ALT_NAME, 0), .doc = "One of its alternative names."
}
, PATTERNS("ifAlias", NIC_MATCH_IF_ALIAS, 0), .doc = "Its alias."
}
, PATTERNS("group", NIC_MATCH_GROUP, 0), .doc = "Its group, a number."
}
, PATTERNS("master", NIC_MATCH_MASTER, 0), .doc = "The bridge that it is a port of."
}
, PATTERNS("kind", NIC_MATCH_KIND, 0), .doc = "tun, veth, macvtap, ...; empty for hardware."
}
, PATTERNS("mac", NIC_MATCH_MAC, CONFIG_PATTERN_LOWER), .doc = "Its MAC address."
});

OBJECT(nic_object, "nics[]", struct nic_rule,
       { "match", &config_type_object, .offset = 0, .object = &nic_match_object,
	 .flags = CONFIG_REQUIRED,
	 .doc = "All keys must hold. Shell globs; a leading ! excludes; at least one key." },
       { "vnet", &config_type_name, TEXT(struct nic_rule, vnet), .flags = CONFIG_REQUIRED,
	 .doc = "The vnet that the nic belongs to." },
       { "routeTable", &config_type_name, TEXT(struct nic_rule, route_table),
	 .fallback = "\"main\"", .doc = "The route table of that vnet that it uses." },
       { "role", &config_type_enum, AT(struct nic_rule, role),
	 .names = NAMES({ "vm", XRS_NIC_VM }, { "nva", XRS_NIC_NVA }, { "uplink", XRS_NIC_UPLINK }),
	 .fallback = "\"vm\"", .doc = "What is behind it." },
       { "mode", &config_type_enum, AT(struct nic_rule, mode),
	 .names = NAMES({ "auto", NIC_MODE_AUTO }, { "native", NIC_MODE_NATIVE },
			{ "generic", NIC_MODE_GENERIC }, { "tc", NIC_MODE_TC }),
	 .flags = CONFIG_NULLABLE,
	 .doc = "How programs are attached to these nics. Default: dataplane.mode." },
       { "antiSpoof", &config_type_bool, AT(struct nic_rule, anti_spoof), .fallback = "false",
	 .doc = "Drop frames from other sources than sourceMac and sourcePrefixes, or than "
		"sourceLearning has learned. ARP, neighbour discovery and DHCP pass." },
       { "sourceMac", &config_type_mac, AT(struct nic_rule, source_mac), .flags = CONFIG_NULLABLE,
	 .doc = "The only source MAC address that antiSpoof lets through. Default: any." },
       { "sourcePrefixes", &config_type_list, LIST_AT(struct nic_rule, sources, n_sources),
	 .max = 2 * XRS_SOURCES, .element = &config_element_prefix, .fallback = "[]",
	 .doc = "At most four of each family. Empty: the vnet's prefixes." },
       { "sourceLearning", &config_type_words_or_bool, AT(struct nic_rule, source_learning),
	 .names = NAMES({ "arp", NIC_LEARN_ARP }, { "dhcp", NIC_LEARN_DHCP }), .fallback = "[]",
	 .doc = "antiSpoof lets through only the addresses inside sourcePrefixes, and the MAC "
		"address, that were learned behind the nic; at most four sources of each family. "
		"arp, or true: what the kernel knows by ARP and neighbour discovery. dhcp: "
		"addresses that DHCP and DHCPv6 servers lease to the VM and prefixes that they "
		"delegate to it, for as long as they do." },
       { "symmetric", &config_type_bool, AT(struct nic_rule, symmetric), .fallback = "true",
	 .doc = "Both directions of a flow choose the same appliance." });

/* --- the rest ------------------------------------------------------------------------------------ */

OBJECT(node_object, "node", struct config,
       { "instance", &config_type_name, TEXT(struct config, instance), .fallback = "\"xrs\"",
	 .doc = "Names the directories below /run, /var/lib and /sys/fs/bpf." },
       { "routerId", &config_type_router_id, AT(struct config, router_id), .flags = CONFIG_NULLABLE,
	 .doc = "BGP identifier. Default: the first localAddress, else the lowest IPv4 address of "
		"the host." });

OBJECT(dataplane_object, "dataplane", struct config,
       { "mode", &config_type_enum, AT(struct config, mode),
	 .names = NAMES({ "auto", DATAPLANE_AUTO }, { "native", DATAPLANE_NATIVE },
			{ "generic", DATAPLANE_GENERIC }, { "tc", DATAPLANE_TC },
			{ "none", DATAPLANE_NONE }),
	 .fallback = "\"auto\"",
	 .doc = "How programs are attached; none: control plane only, every next hop counts as "
		"reachable." },
       { "lookup", &config_type_enum, AT(struct config, lookup),
	 .names = NAMES({ "auto", DATAPLANE_LOOKUP_AUTO }, { "trie", DATAPLANE_LOOKUP_TRIE }),
	 .fallback = "\"auto\"",
	 .doc = "auto: tables of lookupMinRoutes get a faster structure, derived from the trie, "
		"which the program asks first; trie: none does." },
       { "lookupMinRoutes", &config_type_u32, AT(struct config, lookup_min_routes), .min = 1,
	 .max = XRS_ROUTE_MAX, .fallback = "1",
	 .doc = "Routes of one table and family from which the faster structure is made; it goes "
		"when half of them are left." },
       { "routeCounters", &config_type_bool, AT(struct config, route_counters), .fallback = "false",
	 .doc = "Count packets and octets of each route, and when the last came; costs a hash "
		"lookup a packet." });

OBJECT(api_object, "api", struct config,
       { "group", &config_type_text, TEXT(struct config, api_group), .fallback = "\"xrs\"",
	 .doc = "Members of this group may use the sockets." },
       { "metricsTcp", &config_type_listen, TEXT(struct config, metrics_tcp),
	 .flags = CONFIG_NULLABLE,
	 .doc = "Also serve /metrics and /healthz over TCP, on a loopback address; default: no." });

OBJECT(log_object, "log", struct config,
       { "level", &config_type_enum, AT(struct config, log_level),
	 .names = NAMES({ "error", LOG_LEVEL_ERROR }, { "warn", LOG_LEVEL_WARN },
			{ "info", LOG_LEVEL_INFO }, { "debug", LOG_LEVEL_DEBUG }),
	 .fallback = "\"info\"", .doc = "What is logged." });

static const struct config_field root_fields[] = {
	{ "node", &config_type_object, .offset = 0, .object = &node_object, .fallback = "{}",
	  .doc = "This host." },
	{ "dataplane", &config_type_object, .offset = 0, .object = &dataplane_object,
	  .fallback = "{}", .doc = "The BPF side." },
	{ "vnets", &config_type_objects, LIST_AT(struct config, vnets, n_vnets),
	  .max = XRS_TABLE_MAX, .object = &vnet_object, .fallback = "[]",
	  .doc = "Virtual networks. Different ones may use the same addresses." },
	{ "nics", &config_type_objects, LIST_AT(struct config, nics, n_nics), .max = 4096,
	  .object = &nic_object, .fallback = "[]",
	  .doc = "Which interfaces are nics; the first rule that matches wins." },
	{ "api", &config_type_object, .offset = 0, .object = &api_object, .fallback = "{}",
	  .doc = "The control socket." },
	{ "log", &config_type_object, .offset = 0, .object = &log_object, .fallback = "{}",
	  .doc = "Log messages, on standard error." },
	{ 0 },
};
const struct config_object config_root = { "", sizeof(struct config), root_fields };

/* What the API creates; the rows are the same. */
const struct config_object config_vnet = { "vnets[]", sizeof(struct vnet_config),
					   vnet_object_fields };
const struct config_object config_peering = { "peerings[]", sizeof(struct peering_config),
					      peering_object_fields };
const struct config_object config_route_table = { "vnets[].routeTables[]",
						  sizeof(struct route_table_config),
						  route_table_object_fields };
const struct config_object config_user_route = { "routeTables[].routes[]",
						 sizeof(struct user_route),
						 user_route_object_fields };
