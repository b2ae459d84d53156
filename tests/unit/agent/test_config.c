// SPDX-License-Identifier: GPL-2.0-only
/* The configuration: what is read, the normal form, every refusal with its place, the examples. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config.h"

static struct config *must_parse(const char *text)
{
	struct config_error error = { .line = 0 };
	struct config *config = config_parse(text, strlen(text), &error);
	char buf[1024];

	cr_assert(config, "%s", config_error_format(&error, "test", buf, sizeof(buf)));
	return config;
}

static char *write_text(const struct config *config)
{
	struct json_out out;
	char *text;

	json_out_init(&out);
	config_write(config, &out, NULL);
	cr_assert_not(out.failed);
	text = strndup(out.data, out.len);
	json_out_done(&out);
	return text;
}

/* parse -> write -> parse -> write: the same octets, and @config's fields are as they were. */
static void check_round_trip(const struct config *config)
{
	char *once = write_text(config), *twice;
	struct config *again = must_parse(once);

	twice = write_text(again);
	cr_assert_str_eq(once, twice);
	config_free(again);
	free(once);
	free(twice);
}

Test(config, an_empty_object_is_a_configuration)
{
	struct config *config = must_parse("{}");

	cr_assert_str_eq(config->instance, "xrs");
	cr_assert_str_eq(config->api_group, "xrs");
	cr_assert_eq(config->mode, DATAPLANE_AUTO);
	cr_assert_eq(config->log_level, LOG_LEVEL_INFO);
	cr_assert_eq(config->n_vnets, 0);
	cr_assert_eq(config->n_warnings, 0);
	check_round_trip(config);
	config_free(config);
}

#define MINIMAL_VNET "\"name\": \"a\", \"addressPrefixes\": [\"10.1.0.0/16\"]"
#define SERVER       "\"routeServer\": {\"localAddress\": \"10.1.255.4\", \"localAddress6\": \"fd00::4\"}"
#define PEER         "\"name\": \"p\", \"peerAsn\": 65001, \"peerIp\": \"10.1.2.4\""

Test(config, every_default_of_a_peering)
{
	struct config *config = must_parse("{\"vnets\": [{" MINIMAL_VNET ", " SERVER
					   ", \"peerings\": [{" PEER "}]}]}");
	const struct vnet_config *vnet = &config->vnets[0];
	const struct peering_config *p = &vnet->peerings[0];

	cr_assert_eq(vnet->route_server.asn, 65515);
	cr_assert_eq(vnet->route_server.port, 179);
	cr_assert_eq(vnet->route_server.max_paths, 16);
	cr_assert(vnet->route_server.present);
	cr_assert_eq(config->router_id, 0x0a01ff04, "the first localAddress");
	cr_assert_eq(p->role, PEER_NVA);
	cr_assert(p->enabled && !p->passive);
	cr_assert_eq(p->port, 179);
	cr_assert_eq(p->multihop_ttl, 64);
	cr_assert_eq(p->hold_time, 180);
	cr_assert_eq(p->keepalive_time, 60);
	cr_assert_eq(p->connect_retry_time, 5);
	cr_assert_eq(p->families, BGP_FAMILY_BIT(BGP_IPV4_UNICAST));
	cr_assert_eq(p->max_prefixes.limit, 0);
	cr_assert_eq(p->max_prefixes.action, RIB_LIMIT_BLOCK);
	cr_assert(p->gr_enabled && p->gr_restart_time == 120 && !p->gr_long_lived_time);
	cr_assert_eq(p->capabilities.four_octet_as, CAPABILITY_ON);
	cr_assert_eq(p->capabilities.enhanced_refresh, CAPABILITY_ON);
	cr_assert_eq(p->capabilities.extended_message, CAPABILITY_OFF);
	cr_assert_eq(p->capabilities.extended_next_hop, CAPABILITY_OFF);
	cr_assert(p->advertise_vnet && p->advertise_learned && !p->advertise_host_routes);
	cr_assert_eq(vnet->n_route_tables, 1);
	cr_assert_str_eq(vnet->route_tables[0].name, "main");
	cr_assert_eq(vnet->n_protected, 2);
	check_round_trip(config);
	config_free(config);
}

Test(config, families_follow_the_peers_address)
{
	struct config *config = must_parse("{\"vnets\": [{" MINIMAL_VNET ", " SERVER
					   ", \"peerings\": [{\"name\": \"six\", \"peerAsn\": "
					   "65001, \"peerIp\": \"fd00::9\"}]}]}");

	cr_assert_eq(config->vnets[0].peerings[0].families, BGP_FAMILY_BIT(BGP_IPV6_UNICAST));
	config_free(config);
}

Test(config, keepalive_follows_the_hold_time)
{
	struct config *config =
		must_parse("{\"vnets\": [{" MINIMAL_VNET ", " SERVER ", \"peerings\": [{" PEER
			   ", \"holdTime\": 9}, {\"name\": \"q\", \"peerAsn\": 65002, \"peerIp\": "
			   "\"10.1.2.5\", \"holdTime\": 0}]}]}");

	cr_assert_eq(config->vnets[0].peerings[0].keepalive_time, 3);
	cr_assert_eq(config->vnets[0].peerings[1].keepalive_time, 0);
	check_round_trip(config);
	config_free(config);
}

Test(config, main_is_always_the_first_table)
{
	struct config *config = must_parse(
		"{\"vnets\": [{" MINIMAL_VNET ", \"routeTables\": [{\"name\": \"dmz\"}, {\"name\": "
		"\"main\", \"disableBgpRoutePropagation\": true}, {\"name\": \"x\"}]}]}");
	const struct vnet_config *vnet = &config->vnets[0];

	cr_assert_eq(vnet->n_route_tables, 3);
	cr_assert_str_eq(vnet->route_tables[0].name, "main");
	cr_assert(vnet->route_tables[0].disable_bgp_propagation);
	cr_assert_str_eq(vnet->route_tables[1].name, "dmz");
	cr_assert_str_eq(vnet->route_tables[2].name, "x");
	config_free(config);
}

Test(config, comments_of_all_three_kinds)
{
	struct config *config = must_parse(
		"# one\n{ // two\n /* three\n \"x\": */ \"log\": {\"level\": \"debug\"},\n"
		"\"api\": {\"group\": \"a//b#c/*d*/\"} } // end");

	cr_assert_eq(config->log_level, LOG_LEVEL_DEBUG);
	cr_assert_str_eq(config->api_group, "a//b#c/*d*/", "strings are left alone");
	config_free(config);
}

Test(config, a_route_map_in_full)
{
	struct config *config = must_parse(
		"{\"vnets\": [{" MINIMAL_VNET ", \"routeMaps\": [{\"name\": \"m\", \"rules\": ["
		"{\"name\": \"r\", \"match\": {\"prefix\": [\"10.0.0.0/8\", {\"contains\": "
		"\"fd00::/8\", \"ge\": 16, \"le\": 48}], \"community\": {\"equals\": [\"65001:1\", "
		"\"no-export\"]}, \"largeCommunity\": {\"contains\": [\"1:2:3\"]}, \"asPath\": "
		"{\"equals\": []}}, \"modify\": {\"asPath\": {\"prepend\": [65001, 4200000000]}, "
		"\"community\": {\"replace\": []}, \"largeCommunity\": {\"remove\": [\"1:2:3\"]}, "
		"\"med\": 0, \"localPref\": 7, \"nextHop\": \"10.1.2.9\", \"weight\": 9}, "
		"\"next\": "
		"\"terminate\"}, {\"action\": \"drop\"}]}]}]}");
	const struct route_map *map = &config->vnets[0].route_maps[0];
	const struct policy_rule *rule = &map->rules[0];

	cr_assert_eq(map->n_rules, 2);
	cr_assert_eq(rule->match.n_prefixes, 2);
	cr_assert_eq(rule->match.prefixes[0].op, POLICY_EQUALS);
	cr_assert_eq(rule->match.prefixes[1].op, POLICY_CONTAINS);
	cr_assert_eq(rule->match.prefixes[1].ge, 16);
	cr_assert_eq(rule->match.prefixes[1].le, 48);
	cr_assert_eq(rule->match.community_op, POLICY_EQUALS);
	cr_assert_eq(rule->match.communities[0], 65001u << 16 | 1);
	cr_assert_eq(rule->match.communities[1], BGP_COMM_NO_EXPORT);
	cr_assert_eq(rule->match.large_op, POLICY_CONTAINS);
	cr_assert_eq(rule->match.large[0].local2, 3);
	cr_assert(rule->match.as_path_given && rule->match.n_as_path == 0);
	cr_assert_eq(rule->as_path_action, POLICY_LIST_ADD);
	cr_assert_eq(rule->as_path[1], 4200000000u);
	cr_assert_eq(rule->community_action, POLICY_LIST_REPLACE);
	cr_assert_eq(rule->n_communities, 0);
	cr_assert_eq(rule->large_action, POLICY_LIST_REMOVE);
	cr_assert(rule->set_med && rule->med == 0);
	cr_assert(rule->set_local_pref && rule->set_next_hop && rule->set_weight);
	cr_assert(rule->terminate && !rule->drop);
	cr_assert(map->rules[1].drop && !map->rules[1].terminate && !map->rules[1].set_med);
	check_round_trip(config);
	config_free(config);
}

Test(config, nic_patterns)
{
	struct config *config = must_parse(
		"{\"vnets\": [{" MINIMAL_VNET "}], \"nics\": [{\"match\": {\"name\": \"tap*\", "
		"\"group\": [7, \"8\"], \"mac\": [\"52:54:00:*\", \"!52:54:00:AA:*\"]}, \"vnet\": "
		"\"a\", \"antiSpoof\": true, \"sourcePrefixes\": [\"10.1.0.0/24\"]}, {\"match\": "
		"{\"kind\": \"veth\"}, \"vnet\": \"a\", \"mode\": \"tc\", \"antiSpoof\": true, "
		"\"sourceMac\": \"02:00:00:00:00:0A\", \"sourceLearning\": true}]}");
	const struct nic_rule *rule = &config->nics[0];

	cr_assert_eq(rule->n_patterns[NIC_MATCH_NAME], 1);
	cr_assert_str_eq(rule->patterns[NIC_MATCH_GROUP][0], "7");
	cr_assert_str_eq(rule->patterns[NIC_MATCH_MAC][1], "!52:54:00:aa:*",
			 "compared in lower case");
	cr_assert_str_eq(rule->route_table, "main");
	cr_assert(rule->symmetric && rule->anti_spoof);
	cr_assert_eq(rule->n_sources, 1);
	cr_assert_eq(rule->mode, NIC_MODE_NODE);
	cr_assert_eq(config->nics[1].mode, NIC_MODE_TC);
	cr_assert_eq(config->nics[1].source_mac.bytes[5], 10);
	cr_assert(config->nics[1].source_learning == NIC_LEARN_ARP && !rule->source_learning);
	check_round_trip(config);
	config_free(config);
}

Test(config, where_sources_are_learned_from)
{
	static const struct {
		const char *text;
		uint32_t learns;
	} rows[] = {
		{ "true", NIC_LEARN_ARP },
		{ "false", 0 },
		{ "[]", 0 },
		{ "[\"arp\"]", NIC_LEARN_ARP },
		{ "[\"dhcp\"]", NIC_LEARN_DHCP },
		{ "[\"dhcp\", \"arp\"]", NIC_LEARN_ARP | NIC_LEARN_DHCP },
	};
	char text[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct config *config;

		snprintf(text, sizeof(text),
			 "{\"vnets\": [{" MINIMAL_VNET
			 "}], \"nics\": [{\"match\": {\"name\": \"*\"}, "
			 "\"vnet\": \"a\", \"antiSpoof\": true, \"sourceLearning\": %s}]}",
			 rows[i].text);
		config = must_parse(text);
		cr_assert_eq(config->nics[0].source_learning, rows[i].learns, "%s", rows[i].text);
		check_round_trip(config);
		config_free(config);
	}
}

/* --- refusals: text, line, column, path, a word of the message ---------------------------------------- */

#define VNET(more)    "{\"vnets\": [{" MINIMAL_VNET ", " more "}]}"
#define PEERING(more) VNET(SERVER ",\n\"peerings\": [{" PEER ", " more "}]")
#define RANGE(more) \
	VNET(SERVER ", \"peerings\": [{\"name\": \"r\", \"peerRange\": \"10.1.2.0/24\"" more "}]")
#define VXLAN(prefix, mac, vni, remote, more)                                         \
	VNET("\"vxlan\": [{\"nextHopPrefix\": \"" prefix "\", \"nextHopMac\": \"" mac \
	     "\", \"vni\": " vni ", \"remoteAddress\": \"" remote "\"" more "}]")
#define RULE(more) VNET("\"routeMaps\": [{\"name\": \"m\", \"rules\": [{" more "}]}]")

static const struct refusal {
	const char *text;
	unsigned int line, column; /* 0: not compared */
	const char *path, *word;
} refusals[] = {
	{ "", 1, 1, "", "not valid JSON" },
	{ "{\n  \"log\": { \"level\": \"info\" }\n  \"api\": {} }", 3, 0, "", "not valid JSON" },
	{ "{ \"log\": {}, \"log\": {} }", 1, 0, "", "uplicate" },
	{ "{\n /* open\n", 2, 2, "", "never closed" },
	{ "[]", 1, 1, "", "expected an object, found a list" },
	{ "{\n\t\"vnest\": []\n}", 2, 2, "vnest", "did you mean 'vnets'" },
	{ "{ \"log\": { \"level\": \"verbose\" } }", 1, 12, "log.level", "none of error, warn" },
	{ "{ \"log\": { \"level\": \"inof\" } }", 1, 12, "log.level", "did you mean 'info'" },
	{ "{ \"log\": { \"level\": 3 } }", 1, 12, "log.level",
	  "expected a string, found an integer" },
	{ "{ \"node\": { \"instance\": \"../x\" } }", 1, 13, "node.instance", "not a name" },
	{ "{ \"node\": { \"instance\": \"\" } }", 1, 13, "node.instance", "not a name" },
	{ "{ \"node\": { \"routerId\": \"fd00::1\" } }", 1, 13, "node.routerId", "IPv4" },
	{ "{ \"node\": { \"routerId\": \"0.0.0.0\" } }", 1, 13, "node.routerId", "host" },
	{ "{ \"api\": { \"metricsTcp\": \"0.0.0.0:9\" } }", 0, 0, "api.metricsTcp", "loopback" },
	{ "{ \"api\": { \"metricsTcp\": \"127.0.0.1\" } }", 0, 0, "api.metricsTcp",
	  "ADDRESS:PORT" },
	{ "{ \"dataplane\": { \"mode\": \"xdp\" } }", 0, 0, "dataplane.mode", "none of auto" },
	{ "{ \"vnets\": [{\"name\": \"a\"}] }", 1, 13, "vnets[0]", "'addressPrefixes' is missing" },
	{ "{ \"vnets\": [{\"name\": \"a\", \"addressPrefixes\": []}] }", 0, 0,
	  "vnets[0].addressPrefixes", "at least 1 entry" },
	{ "{ \"vnets\": [{\"name\": \"a\", \"addressPrefixes\": [\"10.0.0.0/8\",\n "
	  "\"10.1.0.0/16\"]}] }",
	  2, 2, "vnets[0].addressPrefixes[1]", "10.1.0.0/16 overlaps 10.0.0.0/8" },
	{ "{ \"vnets\": [{\"name\": \"a\", \"addressPrefixes\": [\"10.1.2.3/16\"]}] }", 0, 0,
	  "vnets[0].addressPrefixes[0]", "did you mean '10.1.0.0/16'" },
	{ "{ \"vnets\": [{\"name\": \"a\", \"addressPrefixes\": [\"10.1.0.0/33\"]}] }", 0, 0,
	  "vnets[0].addressPrefixes[0]", "out of range" },
	{ "{ \"vnets\": [{\"name\": \"a\", \"addressPrefixes\": [\"10.1.0.0\"]}] }", 0, 0,
	  "vnets[0].addressPrefixes[0]", "not a prefix" },
	{ "{ \"vnets\": [{" MINIMAL_VNET "},\n{" MINIMAL_VNET "}] }", 2, 2, "vnets[1].name",
	  "'a' is used twice" },
	{ VNET("\"gateway\": {\"macs\": [\"01:00:00:00:00:01\"]}"), 0, 0,
	  "vnets[0].gateway.macs[0]", "multicast" },
	{ VNET("\"gateway\": {\"macs\": [\"02:00:00\"]}"), 0, 0, "vnets[0].gateway.macs[0]",
	  "MAC address" },
	{ "{ \"vnets\": [{" MINIMAL_VNET
	  ", \"virtualNetworkPeerings\": [{\"remoteVnet\": \"b\"}]},\n"
	  "{\"name\": \"b\", \"addressPrefixes\": [\"10.1.2.0/24\"]}] }",
	  1, 0, "vnets[0].virtualNetworkPeerings[0].remoteVnet",
	  "10.1.0.0/16 of 'a' overlaps 10.1.2.0/24 of 'b'" },
	{ VNET("\"routeServer\": {\"asn\": 23456}"), 0, 0, "vnets[0].routeServer.asn", "reserved" },
	{ VNET("\"routeServer\": {\"maxPaths\": 17}"), 0, 0, "vnets[0].routeServer.maxPaths",
	  "17 is out of range: 1 to 16" },
	{ VNET("\"routeServer\": {\"maxPaths\": 0}"), 0, 0, "vnets[0].routeServer.maxPaths",
	  "out of range" },
	{ PEERING("\"peerAns\": 1"), 2, 0, "vnets[0].peerings[0].peerAns",
	  "did you mean 'peerAsn'" },
	{ PEERING("\"probe\": {\"port\": 80, \"intervalMs\": 100}"), 2, 0,
	  "vnets[0].peerings[0].probe.timeoutMs", "at most intervalMs (100)" },
	{ PEERING("\"bfd\": {\"strict\": true}"), 2, 0, "vnets[0].peerings[0].bfd.strict",
	  "needs 'enabled'" },
	{ PEERING("\"bfd\": {\"auth\": {\"type\": \"sha1\"}}"), 2, 0,
	  "vnets[0].peerings[0].bfd.auth", "needs a 'keyFile'" },
	{ PEERING("\"bfd\": {\"auth\": {\"keyFile\": \"/k\"}}"), 2, 0,
	  "vnets[0].peerings[0].bfd.auth.keyFile", "other than none" },
	{ PEERING("\"holdTime\": 2"), 2, 0, "vnets[0].peerings[0].holdTime", "at least 3" },
	{ PEERING("\"holdTime\": 30, \"keepaliveTime\": 30"), 2, 0,
	  "vnets[0].peerings[0].keepaliveTime", "less than holdTime (30)" },
	{ PEERING("\"sendHoldTime\": 180"), 2, 0, "vnets[0].peerings[0].sendHoldTime",
	  "more than holdTime (180)" },
	{ PEERING("\"peerRange\": \"10.1.2.0/24\""), 2, 0, "vnets[0].peerings[0]",
	  "exactly one of peerIp and peerRange" },
	{ PEERING("\"peerAsns\": [1]"), 2, 0, "vnets[0].peerings[0].peerAsns",
	  "with peerIp say peerAsn" },
	{ RANGE(", \"peerAsns\": [\"64600-64512\"]"), 0, 0, "vnets[0].peerings[0].peerAsns[0]",
	  "first <= last" },
	{ RANGE(", \"peerAsns\": [\"1-2-3\"]"), 0, 0, "vnets[0].peerings[0].peerAsns[0]",
	  "expected an AS number" },
	{ RANGE(", \"peerAsns\": [\"1-4294967296\"]"), 0, 0, "vnets[0].peerings[0].peerAsns[0]",
	  "4294967295" },
	{ RANGE(", \"peerAsns\": [0]"), 0, 0, "vnets[0].peerings[0].peerAsns[0]", "first <= last" },
	{ RANGE(", \"peerAsns\": []"), 0, 0, "vnets[0].peerings[0].peerAsns", "1 to 32 entries" },
	{ RANGE(", \"peerAsn\": 1, \"peerAsns\": [1]"), 0, 0, "vnets[0].peerings[0].peerAsns",
	  "exclude each other" },
	{ RANGE(", \"role\": \"vpnGateway\""), 0, 0, "vnets[0].peerings[0].role", "one by one" },
	{ RANGE(", \"bfd\": {\"enabled\": true, \"strict\": true}"), 0, 0,
	  "vnets[0].peerings[0].bfd.strict", "does not go with peerRange" },
	{ RANGE(", \"localAddress\": \"fd00::1\""), 0, 0, "vnets[0].peerings[0].localAddress",
	  "same family as peerRange" },
	{ VNET(SERVER ", \"peerings\": [{\"name\": \"seventeen-octets-\", \"peerRange\": "
		      "\"10.1.2.0/24\"}]"),
	  0, 0, "vnets[0].peerings[0].name", "may have 16 octets" },
	{ VNET(SERVER ", \"peerings\": [{\"name\": \"a\", \"peerRange\": \"10.1.2.0/24\"}, "
		      "{\"name\": \"b\", \"peerRange\": \"10.1.2.0/24\"}]"),
	  0, 0, "vnets[0].peerings[1].peerRange", "same" },
	{ VNET(SERVER ", \"peerings\": [{\"name\": \"a\", \"peerIp\": \"10.1.2.4\"}]"), 0, 0,
	  "vnets[0].peerings[0]", "'peerAsn' is missing" },
	{ PEERING("\"capabilities\": {\"routeRefresh\": \"maybe\"}"), 2, 0,
	  "vnets[0].peerings[0].capabilities.routeRefresh", "none of off, on, require" },
	{ PEERING("\"families\": [\"ipv6-unicast\"], \"capabilities\": {\"multiprotocol\": "
		  "\"off\"}"),
	  2, 0, "vnets[0].peerings[0].capabilities.multiprotocol", "ipv4-unicast alone" },
	{ PEERING("\"gracefulRestart\": {\"enabled\": false, \"required\": true}"), 2, 0,
	  "vnets[0].peerings[0].gracefulRestart.required", "needs gracefulRestart.enabled" },
	{ PEERING("\"gracefulRestart\": {\"enabled\": false, \"longLivedTime\": 5}"), 2, 0,
	  "vnets[0].peerings[0].gracefulRestart.longLivedTime", "needs gracefulRestart.enabled" },
	{ PEERING("\"bgpRoleStrict\": true"), 2, 0, "vnets[0].peerings[0].bgpRoleStrict",
	  "needs bgpRole" },
	{ PEERING("\"bgpRole\": \"boss\""), 2, 0, "vnets[0].peerings[0].bgpRole",
	  "none of none, provider, rs" },
	{ PEERING("\"role\": \"reflector\""), 2, 0, "vnets[0].peerings[0].peerAsn",
	  "own AS number, 65515" },
	{ VNET(SERVER ", \"peerings\": [{\"name\": \"p\", \"peerAsn\": 65515, \"peerIp\": "
		      "\"10.1.0.1\", \"role\": \"agent\", \"bgpRole\": \"peer\"}]"),
	  0, 0, "vnets[0].peerings[0].bgpRole", "external" },
	{ PEERING("\"families\": []"), 2, 0, "vnets[0].peerings[0].families", "exchanges nothing" },
	{ PEERING("\"families\": [\"ipv4-unicast\", \"ipv4-unicast\"]"), 2, 0,
	  "vnets[0].peerings[0].families[1]", "twice" },
	{ PEERING("\"families\": [\"ipv4\"]"), 2, 0, "vnets[0].peerings[0].families[0]",
	  "none of ipv4-unicast, ipv6-unicast" },
	{ PEERING("\"passwordFile\": \"key\""), 2, 0, "vnets[0].peerings[0].passwordFile",
	  "absolute" },
	{ PEERING("\"inboundRouteMap\": \"m\""), 2, 0, "vnets[0].peerings[0].inboundRouteMap",
	  "no route map is named 'm'" },
	{ PEERING("\"multihopTtl\": 256"), 2, 0, "vnets[0].peerings[0].multihopTtl", "1 to 255" },
	{ PEERING("\"port\": 1.5"), 2, 0, "vnets[0].peerings[0].port", "a real number" },
	{ PEERING("\"passive\": 1"), 2, 0, "vnets[0].peerings[0].passive", "true or false" },
	{ PEERING("\"maxPrefixes\": {\"action\": \"drop\"}"), 2, 0,
	  "vnets[0].peerings[0].maxPrefixes.action", "none of warn, block" },
	{ PEERING("\"localAddress\": \"fd00::1\""), 2, 0, "vnets[0].peerings[0].localAddress",
	  "same family" },
	{ VNET(SERVER
	       ", \"peerings\": [{\"name\": \"p\", \"peerAsn\": 65515, \"peerIp\": \"10.1.0.1\"}]"),
	  0, 0, "vnets[0].peerings[0].peerAsn", "own AS number" },
	{ VNET(SERVER
	       ", \"peerings\": [{\"name\": \"p\", \"peerAsn\": 0, \"peerIp\": \"10.1.0.1\"}]"),
	  0, 0, "vnets[0].peerings[0].peerAsn", "reserved" },
	{ VNET(SERVER ", \"peerings\": [{\"name\": \"p\", \"peerAsn\": 4294967295, \"peerIp\": "
		      "\"10.1.0.1\"}]"),
	  0, 0, "vnets[0].peerings[0].peerAsn", "reserved" },
	{ VNET(SERVER
	       ", \"peerings\": [{\"name\": \"p\", \"peerAsn\": 65535, \"peerIp\": \"10.1.0.1\"}]"),
	  0, 0, "vnets[0].peerings[0].peerAsn", "reserved" },
	{ VNET(SERVER
	       ", \"peerings\": [{\"name\": \"p\", \"peerAsn\": 1, \"peerIp\": \"10.1.255.4\"}]"),
	  0, 0, "vnets[0].peerings[0].peerIp", "own address" },
	{ VNET(SERVER
	       ", \"peerings\": [{\"name\": \"p\", \"peerAsn\": 1, \"peerIp\": \"fe80::1\"}]"),
	  0, 0, "vnets[0].peerings[0].peerIp", "'device'" },
	{ VNET(SERVER
	       ", \"peerings\": [{\"name\": \"p\", \"peerAsn\": 1, \"peerIp\": \"224.0.0.1\"}]"),
	  0, 0, "vnets[0].peerings[0].peerIp", "not the address of a host" },
	{ VNET(SERVER ", \"peerings\": [{" PEER
		      "}, {\"name\": \"q\", \"peerAsn\": 65002, \"peerIp\": "
		      "\"10.1.2.4\"}]"),
	  0, 0, "vnets[0].peerings[1].peerIp", "'p' has the same address" },
	{ VNET(SERVER ", \"peerings\": [{" PEER "}, {" PEER "}]"), 0, 0,
	  "vnets[0].peerings[1].name", "used twice" },
	{ "{\"vnets\": [{" MINIMAL_VNET ", " SERVER ", \"peerings\": [{" PEER
	  "}]}, {\"name\": \"b\", \"addressPrefixes\": [\"10.1.0.0/16\"], " SERVER
	  ", \"peerings\": [{" PEER "}]}]}",
	  0, 0, "vnets[1].peerings[0].peerIp", "bind one of them" },
	{ VNET("\"routeTables\": [{\"name\": \"t\", \"routes\": [{\"addressPrefix\": "
	       "\"0.0.0.0/0\", "
	       "\"nextHopType\": \"VirtualAppliance\"}]}]"),
	  0, 0, "vnets[0].routeTables[0].routes[0].nextHopIpAddress", "is needed" },
	{ VNET("\"routeTables\": [{\"name\": \"t\", \"routes\": [{\"addressPrefix\": "
	       "\"0.0.0.0/0\", "
	       "\"nextHopType\": \"None\", \"nextHopIpAddress\": \"10.1.0.1\"}]}]"),
	  0, 0, "vnets[0].routeTables[0].routes[0].nextHopIpAddress", "only" },
	{ VNET("\"routeTables\": [{\"name\": \"t\", \"routes\": [{\"addressPrefix\": \"::/0\", "
	       "\"nextHopType\": \"VirtualAppliance\", \"nextHopIpAddress\": \"10.1.0.1\"}]}]"),
	  0, 0, "vnets[0].routeTables[0].routes[0].nextHopIpAddress", "same family" },
	{ VNET("\"routeTables\": [{\"name\": \"t\", \"routes\": [{\"addressPrefix\": "
	       "\"0.0.0.0/0\", "
	       "\"nextHopType\": \"None\"}, {\"addressPrefix\": \"0.0.0.0/0\", \"nextHopType\": "
	       "\"Internet\"}]}]"),
	  0, 0, "vnets[0].routeTables[0].routes[1].addressPrefix", "is the same as" },
	{ VXLAN("10.1.2.4/32", "02:00:00:00:00:01", "0", "192.0.2.2", ""), 0, 0,
	  "vnets[0].vxlan[0].vni", "1" },
	{ VXLAN("10.1.2.4/32", "02:00:00:00:00:01", "7", "224.0.0.9", ""), 0, 0,
	  "vnets[0].vxlan[0].remoteAddress", "not the address of a host" },
	{ VXLAN("10.1.2.4/32", "01:00:00:00:00:01", "7", "192.0.2.2", ""), 0, 0,
	  "vnets[0].vxlan[0].nextHopMac", "multicast" },
	{ VXLAN("10.1.2.4/32", "00:00:00:00:00:00", "7", "192.0.2.2", ""), 0, 0,
	  "vnets[0].vxlan[0].nextHopMac", "" },
	{ VXLAN("10.1.2.4/32", "02:00:00:00:00:01", "7", "192.0.2.2",
		", \"localAddress\": \"fd00::1\""),
	  0, 0, "vnets[0].vxlan[0].localAddress", "same family" },
	{ VXLAN("10.1.2.4/32", "02:00:00:00:00:01", "7", "192.0.2.2", ", \"zeroChecksum\": true"),
	  0, 0, "vnets[0].vxlan[0].zeroChecksum", "no effect over IPv4" },
	{ VXLAN("10.1.2.4/32", "02:00:00:00:00:01", "7", "192.0.2.2",
		"}, {\"nextHopPrefix\": \"10.1.2.4/32\", \"nextHopMac\": \"02:00:00:00:00:02\", "
		"\"vni\": 8, \"remoteAddress\": \"192.0.2.3\""),
	  0, 0, "vnets[0].vxlan[1].nextHopPrefix", "is the same as" },
	{ VNET("\"virtualNetworkPeerings\": [{\"remoteVnet\": \"aa\"}]"), 0, 0,
	  "vnets[0].virtualNetworkPeerings[0].remoteVnet", "did you mean 'a'" },
	{ VNET("\"virtualNetworkPeerings\": [{\"remoteVnet\": \"a\"}]"), 0, 0,
	  "vnets[0].virtualNetworkPeerings[0].remoteVnet", "itself" },
	{ RULE("\"match\": {\"prefix\": [{\"equals\": \"10.0.0.0/8\", \"ge\": 9}]}"), 0, 0,
	  "vnets[0].routeMaps[0].rules[0].match.prefix[0]", "go with 'contains'" },
	{ RULE("\"match\": {\"prefix\": [{\"contains\": \"10.0.0.0/8\", \"le\": 33}]}"), 0, 0,
	  "vnets[0].routeMaps[0].rules[0].match.prefix[0]", "8 <= ge <= le <= 32" },
	{ RULE("\"match\": {\"prefix\": [{}]}"), 0, 0,
	  "vnets[0].routeMaps[0].rules[0].match.prefix[0]", "exactly one" },
	{ RULE("\"match\": {\"community\": {\"any\": [\"1:1\"]}}"), 0, 0,
	  "vnets[0].routeMaps[0].rules[0].match.community", "one key of \"equals\", \"contains\"" },
	{ RULE("\"match\": {\"community\": {\"contains\": []}}"), 0, 0,
	  "vnets[0].routeMaps[0].rules[0].match.community.contains", "at least 1" },
	{ RULE("\"match\": {\"community\": {\"contains\": [\"1\"]}}"), 0, 0,
	  "vnets[0].routeMaps[0].rules[0].match.community.contains[0]", "expected a community" },
	{ RULE("\"action\": \"drop\", \"modify\": {\"med\": 1}"), 0, 0,
	  "vnets[0].routeMaps[0].rules[0].modify", "no meaning" },
	{ RULE("\"modify\": {\"asPath\": {\"prepend\": [0]}}"), 0, 0,
	  "vnets[0].routeMaps[0].rules[0].modify.asPath.prepend[0]", "AS number" },
	{ "{\"nics\": [{\"match\": {\"name\": \"tap*\"}, \"vnet\": \"prod\"}]}", 0, 0,
	  "nics[0].vnet", "no vnet is named 'prod'" },
	{ "{\"vnets\": [{" MINIMAL_VNET "}], \"nics\": [{\"match\": {}, \"vnet\": \"a\"}]}", 0, 0,
	  "nics[0].match", "every interface" },
	{ "{\"vnets\": [{" MINIMAL_VNET "}], \"nics\": [{\"match\": {\"name\": [\"\"]}, \"vnet\": "
	  "\"a\"}]}",
	  0, 0, "nics[0].match.name[0]", "pattern" },
	{ "{\"vnets\": [{" MINIMAL_VNET
	  "}], \"nics\": [{\"match\": {\"name\": \"x\"}, \"vnet\": \"a\", "
	  "\"routeTable\": \"mian\"}]}",
	  0, 0, "nics[0].routeTable", "did you mean 'main'" },
};

Test(config, every_refusal_says_where_and_why)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *want = &refusals[i];
		struct config_error error = { .line = 0 };
		struct config *config = config_parse(want->text, strlen(want->text), &error);

		cr_assert_null(config, "accepted: %s", want->text);
		cr_assert_str_eq(error.path, want->path, "%s: path '%s': %s", want->text,
				 error.path, error.message);
		cr_assert(strstr(error.message, want->word), "%s: %s", want->text, error.message);
		cr_assert(error.line > 0 && error.column > 0);
		if (want->line)
			cr_assert_eq(error.line, want->line, "%s: line %u", want->text, error.line);
		if (want->column)
			cr_assert_eq(error.column, want->column, "%s: column %u", want->text,
				     error.column);
	}
}

Test(config, ranges_and_their_as_numbers)
{
	static const char text[] =
		RANGE(", \"peerAsns\": [65001, \"64512-64600\", \"4200000000-4294967294\"]");
	struct config_error error = { .line = 0 };
	struct config *config = config_parse(text, strlen(text), &error);
	const struct peering_config *peering;

	cr_assert(config, "%s", error.message);
	peering = &config->vnets[0].peerings[0];
	cr_assert(peering_is_range(peering));
	cr_assert_eq(peering_family(peering), IP_V4);
	cr_assert_eq(peering->families, BGP_FAMILY_BIT(BGP_IPV4_UNICAST));
	cr_assert_eq(peering->max_peers, 100);
	cr_assert_eq(peering->peer_asns.n, 3);
	cr_assert(bgp_asn_set_has(&peering->peer_asns, 65001));
	cr_assert(bgp_asn_set_has(&peering->peer_asns, 64600));
	cr_assert(bgp_asn_set_has(&peering->peer_asns, 4294967294u));
	cr_assert_not(bgp_asn_set_has(&peering->peer_asns, 64601));
	cr_assert_not(bgp_asn_set_has(&peering->peer_asns, 65002));
	check_round_trip(config);
	config_free(config);
}

Test(config, the_text_of_an_error)
{
	struct config_error error = { .line = 0 };
	const char text[] = "{\n  \"nodes\": {}\n}";
	char buf[256];

	cr_assert_null(config_parse(text, strlen(text), &error));
	cr_assert_str_eq(config_error_format(&error, "/etc/xrs/xrs.json", buf, sizeof(buf)),
			 "/etc/xrs/xrs.json:2:3: nodes: unknown key 'nodes'; did you mean 'node'?");
	config_error_format(&error, "/etc/xrs/xrs.json", buf, 10);
	cr_assert_str_eq(buf, "/etc/xrs/");
}

Test(config, hostile_keys_can_not_forge_a_log_line)
{
	struct config_error error = { .line = 0 };
	const char text[] = "{ \"a\\nb\\u001b\": 1 }";

	cr_assert_null(config_parse(text, strlen(text), &error));
	for (const char *c = error.message; *c; c++)
		cr_assert((unsigned char)*c >= 0x20);
	for (const char *c = error.path; *c; c++)
		cr_assert((unsigned char)*c >= 0x20);
}

Test(config, peerings_imply_a_route_server_of_defaults)
{
	struct config *config = must_parse(VNET("\"peerings\": [{" PEER "}]"));
	const struct route_server_config *server = &config->vnets[0].route_server;

	cr_assert(server->present);
	cr_assert_eq(server->asn, 65515);
	cr_assert_eq(server->port, 179);
	cr_assert_eq(server->local_address.family, IP_NONE);
	cr_assert_eq(config->router_id, 0); /* the node chooses one */
	cr_assert_eq(config->n_warnings, 0);
	config_free(config);
	config = must_parse(VNET("\"peerings\": []"));
	cr_assert_not(config->vnets[0].route_server.present);
	config_free(config);
}

Test(config, a_family_without_a_next_hop_warns)
{
	struct config *config = must_parse(VNET("\"peerings\": [{" PEER ", \"families\": "
						"[\"ipv4-unicast\", \"ipv6-unicast\"]}]"));

	cr_assert_eq(config->n_warnings, 1);
	cr_assert(strstr(config->warnings[0], "localAddress6"));
	config_free(config);
}

Test(config, a_file_that_is_not_there)
{
	struct config_error error = { .line = 7 };
	char buf[256];

	cr_assert_null(config_load("/nonexistent/xrs.json", &error));
	config_error_format(&error, "/nonexistent/xrs.json", buf, sizeof(buf));
	cr_assert_str_eq(buf, "/nonexistent/xrs.json: cannot be read: No such file or directory");
	cr_assert_null(config_load("/", &error));
	cr_assert(strstr(error.message, "directory"));
}

Test(config, the_names_of_an_instance)
{
	struct config *config = must_parse("{\"node\": {\"instance\": \"lab_2\"}}");
	struct config_paths paths;

	config_get_paths(config, &paths);
	cr_assert_str_eq(paths.socket, "/run/lab_2/xrs.sock");
	cr_assert_str_eq(paths.socket_ro, "/run/lab_2/xrs-ro.sock");
	cr_assert_str_eq(paths.state_dir, "/var/lib/lab_2");
	cr_assert_str_eq(paths.bpffs_dir, "/sys/fs/bpf/lab_2");
	config_free(config);
}

Test(config, every_example_parses_and_keeps_its_meaning)
{
	static const char *const files[] = { "minimal.json", "full.json" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct config_error error = { .line = 0 };
		char path[128], buf[1024];
		struct config *config;

		snprintf(path, sizeof(path), "deploy/examples/%s", files[i]);
		config = config_load(path, &error);
		cr_assert(config, "%s", config_error_format(&error, path, buf, sizeof(buf)));
		check_round_trip(config);
		config_free(config);
	}
}

Test(config, the_full_example_field_by_field)
{
	struct config_error error = { .line = 0 };
	struct config *config = config_load("deploy/examples/full.json", &error);
	const struct peering_config *p;

	cr_assert(config, "%s", error.message);
	cr_assert_eq(config->n_vnets, 2);
	cr_assert_eq(config->vnets[0].n_prefixes, 2);
	cr_assert_eq(config->vnets[0].gateway_macs[0].bytes[5], 1);
	cr_assert_eq(config->vnets[0].n_route_tables, 2);
	cr_assert_str_eq(config->vnets[0].route_tables[1].name, "dmz");
	cr_assert_eq(config->vnets[0].route_tables[1].routes[0].type, NEXT_HOP_VIRTUAL_APPLIANCE);
	cr_assert(config->vnets[0].vnet_peerings[0].use_remote_route_server);
	cr_assert_not(config->vnets[1].route_server.present);
	p = &config->vnets[0].peerings[0];
	cr_assert_eq(p->peer_asn, 65001);
	cr_assert_str_eq(p->password_file, "/etc/xrs/fw-a.key");
	cr_assert_eq(p->max_prefixes.limit, 10000);
	cr_assert_str_eq(p->inbound_route_map, "from-fw");
	cr_assert(p->bfd.enabled);
	config_free(config);
}
