// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of commands: which words, which parameters, which columns. The method is the words
 * themselves (`peering list-learned-routes` is peering.listLearnedRoutes), so a row adds only what a
 * person needs. Data only; a test holds it to the API's table of methods.
 */
#include <ctype.h>
#include <string.h>

#include "ctl/ctl.h"

#define COLUMNS(...) ((const struct ctl_column[]){ __VA_ARGS__, { NULL, NULL, CTL_PLAIN } })

#define PEERING_COLUMNS                                                                  \
	COLUMNS({ "NAME", "name", CTL_PLAIN }, { "VNET", "vnet", CTL_PLAIN },            \
		{ "PEER IP", "peerIp", CTL_PLAIN }, { "ASN", "peerAsn", CTL_PLAIN },     \
		{ "STATE", "state", CTL_PLAIN }, { "UP", "establishedTime", CTL_SINCE }, \
		{ "BFD", "bfdState", CTL_PLAIN }, { "RCVD", "pfxRcd", CTL_PLAIN },       \
		{ "ACC", "pfxAccepted", CTL_PLAIN }, { "SENT", "pfxSnt", CTL_PLAIN },    \
		{ "LAST RESET", "lastResetReason", CTL_PLAIN })
#define PEER_ROUTE_COLUMNS                                                                    \
	COLUMNS({ "NETWORK", "network", CTL_PLAIN }, { "NEXT HOP", "nextHop", CTL_PLAIN },    \
		{ "SOURCE", "sourcePeer", CTL_PLAIN }, { "AS PATH", "asPath", CTL_SPACED },   \
		{ "ORIGIN", "origin", CTL_PLAIN }, { "MED", "med", CTL_PLAIN },               \
		{ "COMMUNITIES", "communities", CTL_SPACED }, { "BEST", "best", CTL_FLAG },   \
		{ "ECMP", "multipath", CTL_FLAG }, { "INSTALL", "installStatus", CTL_PLAIN }, \
		{ "REASON", "installReason", CTL_PLAIN })
#define NIC_COLUMNS                                                                             \
	COLUMNS({ "NAME", "name", CTL_PLAIN }, { "VNET", "vnet", CTL_PLAIN },                   \
		{ "TABLE", "routeTable", CTL_PLAIN }, { "ROLE", "role", CTL_PLAIN },            \
		{ "STATE", "attachState", CTL_PLAIN }, { "MODE", "xdpMode", CTL_PLAIN },        \
		{ "REWRITTEN", "rxRewritten", CTL_PLAIN }, { "PASSED", "rxPassed", CTL_PLAIN }, \
		{ "DROPPED", "rxDropped", CTL_PLAIN }, { "REASON", "attachReason", CTL_PLAIN })
#define TABLE_COLUMNS                                                         \
	COLUMNS({ "NAME", "name", CTL_PLAIN }, { "VNET", "vnet", CTL_PLAIN }, \
		{ "INDEX", "index", CTL_PLAIN },                              \
		{ "NO PROPAGATION", "disableBgpRoutePropagation", CTL_FLAG }, \
		{ "OWN PREFIXES", "allowOwnPrefixes", CTL_FLAG },             \
		{ "USER ROUTES", "userRoutes", CTL_PLAIN })

const struct ctl_command ctl_commands[] = {
	{ "status", NULL, CTL_STATUS, NULL, "", NULL, NULL, "Everything on one screen." },
	{ "peering", "list", CTL_REQUEST, "vnet", "vnet limit# cursor", "value", PEERING_COLUMNS,
	  "BGP neighbours." },
	{ "peering", "show", CTL_REQUEST, "name", "name vnet", NULL, NULL,
	  "One neighbour, in full." },
	{ "peering", "create", CTL_REQUEST, "name",
	  "name vnet peerAsn# peerIp role passwordFile holdTime# keepaliveTime# families, *", "",
	  PEERING_COLUMNS,
	  "Make a peering; any key of peerings[] is a flag, such as --bfd '{\"enabled\":true}'." },
	{ "peering", "delete", CTL_REQUEST, "name", "name vnet", NULL, NULL,
	  "Delete a peering that the API made." },
	{ "peering", "enable", CTL_REQUEST, "name", "name vnet", "", PEERING_COLUMNS,
	  "Start a session." },
	{ "peering", "disable", CTL_REQUEST, "name", "name vnet message", "", PEERING_COLUMNS,
	  "Close a session and keep it down." },
	{ "peering", "drain", CTL_REQUEST, "name", "name vnet idleSeconds#", "", PEERING_COLUMNS,
	  "Leave a neighbour its running flows and send new ones elsewhere; peering show says when "
	  "it is empty." },
	{ "peering", "undrain", CTL_REQUEST, "name", "name vnet", "", PEERING_COLUMNS,
	  "End a drain." },
	{ "peering", "reset", CTL_REQUEST, "name", "name vnet soft message", "", PEERING_COLUMNS,
	  "Start a session again, or with --soft in|out|both refresh its routes." },
	{ "peering", "list-learned-routes", CTL_REQUEST, "name",
	  "name vnet prefix match limit# cursor azure!", "value", PEER_ROUTE_COLUMNS,
	  "What a neighbour announced; --azure: in Azure's JSON." },
	{ "peering", "list-advertised-routes", CTL_REQUEST, "name",
	  "name vnet prefix match limit# cursor azure!", "value",
	  COLUMNS({ "NETWORK", "network", CTL_PLAIN }, { "NEXT HOP", "nextHop", CTL_PLAIN },
		  { "SOURCE", "sourcePeer", CTL_PLAIN }, { "AS PATH", "asPath", CTL_SPACED },
		  { "ORIGIN", "origin", CTL_PLAIN }, { "MED", "med", CTL_PLAIN },
		  { "COMMUNITIES", "communities", CTL_SPACED }),
	  "What a neighbour was sent; --azure: in Azure's JSON." },
	{ "bfd", "list", CTL_REQUEST, NULL, "limit# cursor", "value",
	  COLUMNS({ "PEERING", "peering", CTL_PLAIN }, { "VNET", "vnet", CTL_PLAIN },
		  { "PEER IP", "peerIp", CTL_PLAIN }, { "STATE", "state", CTL_PLAIN },
		  { "DIAG", "diag", CTL_PLAIN }, { "REMOTE", "remoteState", CTL_PLAIN },
		  { "KERNEL", "kernel", CTL_FLAG },
		  { "DETECTION US", "detectionTimeUs", CTL_PLAIN }, { "DOWNS", "downs", CTL_PLAIN },
		  { "PROBLEM", "problem", CTL_PLAIN }),
	  "BFD sessions." },
	{ "timeline", "list", CTL_REQUEST, NULL, "limit# cursor", "value",
	  COLUMNS({ "TIME", "time", CTL_PLAIN }, { "CAUSE", "cause", CTL_PLAIN },
		  { "ADDRESS", "address", CTL_PLAIN }, { "PEERING", "peering", CTL_PLAIN },
		  { "DECIDED", "decidedUs", CTL_PLAIN },
		  { "PROGRAMMED", "programmedUs", CTL_PLAIN },
		  { "FIRST PACKET", "firstPacketUs", CTL_PLAIN },
		  { "PREFIXES", "prefixes", CTL_PLAIN }, { "GROUPS", "groups", CTL_PLAIN },
		  { "WRITES", "mapWrites", CTL_PLAIN }),
	  "Failovers and returns, in microseconds." },
	{ "nic", "list", CTL_REQUEST, "vnet", "vnet limit# cursor", "value", NIC_COLUMNS,
	  "Interfaces that face a VM." },
	{ "nic", "show", CTL_REQUEST, "name", "name", NULL, NULL,
	  "One interface with its counters." },
	{ "nic", "list-effective-routes", CTL_REQUEST, "name", "name limit# cursor", "value",
	  COLUMNS({ "SOURCE", "source", CTL_PLAIN }, { "STATE", "state", CTL_PLAIN },
		  { "PREFIX", "addressPrefix", CTL_PLAIN },
		  { "NEXT HOP TYPE", "nextHopType", CTL_PLAIN },
		  { "NEXT HOP", "nextHopIpAddress", CTL_PLAIN },
		  { "PEERING", "peering", CTL_PLAIN }, { "PACKETS", "packets", CTL_PLAIN },
		  { "MAPS", "dataplane", CTL_PLAIN }, { "REASON", "reason", CTL_PLAIN }),
	  "The routes that an interface uses, and those that lost." },
	{ "nic", "show-next-hop", CTL_NEXT_HOP, "name",
	  "name destinationIp sourceIp protocol sourcePort# destinationPort#", NULL, NULL,
	  "Run the real program on a packet." },
	{ "trace", "start", CTL_TRACE, "nic",
	  "nic source destination protocol sourcePort# destinationPort# reason sample# perSecond# "
	  "seconds#",
	  NULL, NULL, "What becomes of single packets of an interface, as it happens." },
	{ "trace", "stop", CTL_REQUEST, NULL, "", NULL, NULL, "End the trace." },
	{ "route", "list", CTL_REQUEST, "vnet", "vnet view routeTable prefix limit# cursor",
	  "value",
	  COLUMNS({ "PREFIX", "prefix", CTL_PLAIN }, { "NEXT HOP TYPE", "nextHopType", CTL_PLAIN },
		  { "NEXT HOP", "nextHop", CTL_PLAIN },
		  { "NEXT HOPS", "nextHopIpAddress", CTL_PLAIN },
		  { "PEERING", "peering", CTL_PLAIN }, { "ORIGIN", "origin", CTL_PLAIN },
		  { "AS PATH", "asPath", CTL_SPACED }, { "BEST", "best", CTL_FLAG },
		  { "ECMP", "multipath", CTL_FLAG }, { "STATE", "state", CTL_PLAIN },
		  { "INSTALL", "installStatus", CTL_PLAIN }),
	  "Routes of a vnet; --view rib|fib|bpf." },
	{ "route", "history", CTL_REQUEST, "prefix", "prefix vnet match at limit#", "value",
	  COLUMNS({ "TIME", "time", CTL_PLAIN }, { "PREFIX", "prefix", CTL_PLAIN },
		  { "FROM", "from", CTL_HOPS }, { "TO", "to", CTL_HOPS },
		  { "CAUSE", "cause", CTL_PLAIN }, { "BY", "causePeering", CTL_PLAIN },
		  { "DECIDED AT", "step", CTL_PLAIN }),
	  "What was selected when, and why it changed; --at TIME: what was in force then." },
	{ "route", "create", CTL_REQUEST, "addressPrefix",
	  "addressPrefix nextHopType nextHopIpAddress vnet routeTable *", NULL, NULL,
	  "Add a user route to a route table." },
	{ "route", "delete", CTL_REQUEST, "addressPrefix", "addressPrefix vnet routeTable", NULL,
	  NULL, "Delete a user route that the API made." },
	{ "route", "explain", CTL_EXPLAIN, "prefix", "prefix nic vnet routeTable", "candidates",
	  COLUMNS({ "PEERING", "peering", CTL_PLAIN }, { "NEXT HOP", "nextHop", CTL_PLAIN },
		  { "AS PATH", "asPath", CTL_SPACED }, { "BEST", "best", CTL_FLAG },
		  { "ECMP", "multipath", CTL_FLAG }, { "INSTALL", "installStatus", CTL_PLAIN },
		  { "REASON", "installReason", CTL_PLAIN }, { "LOST AT", "lostAtStep", CTL_PLAIN },
		  { "LOST TO", "lostTo", CTL_PLAIN }, { "POLICY", "policy", CTL_POLICY },
		  { "WHY", "lostAtText", CTL_PLAIN }),
	  "Why a path won." },
	{ "route-map", "test", CTL_ROUTE_MAP, "map",
	  "map config vnet prefix nextHop asPath origin med# localPref# communities, "
	  "largeCommunities, route@ expect",
	  "rules",
	  COLUMNS({ "RULE", "rule", CTL_PLAIN }, { "NAME", "name", CTL_PLAIN },
		  { "VERDICT", "verdict", CTL_PLAIN }, { "ACTION", "action", CTL_PLAIN },
		  { "NEXT", "next", CTL_PLAIN }, { "CHANGES", "changes", CTL_PLAIN }),
	  "Run a route through a map of a file, offline; --expect permit|drop for tests." },
	{ "compare", NULL, CTL_COMPARE, NULL, "", NULL, NULL,
	  "compare A.json B.json: prefixes in which two answers of 'route list -j' differ." },
	{ "vnet", "list", CTL_REQUEST, NULL, "", "value",
	  COLUMNS({ "NAME", "name", CTL_PLAIN }, { "PREFIXES", "addressPrefixes", CTL_PLAIN },
		  { "PEERINGS", "peerings", CTL_PLAIN }, { "TABLES", "routeTables", CTL_PLAIN },
		  { "NICS", "nics", CTL_PLAIN }),
	  "Virtual networks." },
	{ "vnet", "show", CTL_REQUEST, "name", "name", NULL, NULL, "One virtual network." },
	{ "vnet", "create", CTL_REQUEST, "name",
	  "name addressPrefixes, protectedPrefixes, routeServer@ *", NULL, NULL,
	  "Make a virtual network; --address-prefixes by commas." },
	{ "vnet", "delete", CTL_REQUEST, "name", "name", NULL, NULL,
	  "Delete a virtual network that the API made." },
	{ "route-table", "list", CTL_REQUEST, "vnet", "vnet", "value", TABLE_COLUMNS,
	  "Route tables." },
	{ "route-table", "show", CTL_REQUEST, "name", "name vnet", NULL, NULL, "One route table." },
	{ "route-table", "release", CTL_REQUEST, "name", "name vnet prefix", NULL, NULL,
	  "End what a table's persist holds: its lost prefixes fall back." },
	{ "route-table", "create", CTL_REQUEST, "name",
	  "name vnet disableBgpRoutePropagation@ allowOwnPrefixes@ *", NULL, NULL,
	  "Make a route table." },
	{ "route-table", "update", CTL_REQUEST, "name",
	  "name vnet disableBgpRoutePropagation@ allowOwnPrefixes@ *", NULL, NULL,
	  "Change a route table that the API made." },
	{ "route-table", "delete", CTL_REQUEST, "name", "name vnet", NULL, NULL,
	  "Delete a route table that the API made." },
	{ "routeserver", "update", CTL_REQUEST, "vnet",
	  "vnet allowBranchToBranchTraffic@ hubRoutingPreference", NULL, NULL,
	  "Change what the file does not set itself." },
	{ "routeserver", "show", CTL_REQUEST, "vnet", "vnet", NULL, NULL,
	  "The route server of a vnet." },
	{ "fib", "show", CTL_REQUEST, NULL, "", "value",
	  COLUMNS({ "ID", "id", CTL_PLAIN }, { "VNET", "vnet", CTL_PLAIN },
		  { "ADDRESS", "address", CTL_PLAIN }, { "USABLE", "usable", CTL_FLAG },
		  { "PEERING", "peering", CTL_PLAIN }, { "WAY", "way", CTL_PLAIN },
		  { "INTERFACE", "interface", CTL_PLAIN }, { "MAC", "mac", CTL_PLAIN },
		  { "PACKETS", "packets", CTL_PLAIN }, { "REASON", "reasonText", CTL_PLAIN }),
	  "The BPF maps in figures, and the next hops." },
	{ "fib", "verify", CTL_REQUEST, NULL, "repair?", NULL, NULL,
	  "Compare the maps with what they should hold." },
	{ "config", "show", CTL_REQUEST, NULL, "", NULL, NULL, "The configuration in force." },
	{ "config", "test", CTL_REQUEST, "config", "config<", NULL, NULL,
	  "Check a file, or the daemon's own." },
	{ "config", "reload", CTL_REQUEST, NULL, "", NULL, NULL,
	  "Read the file again and apply it." },
	{ "config", "diff", CTL_DIFF, "config", "config< limit#", "value",
	  COLUMNS({ "VNET", "vnet", CTL_PLAIN }, { "TABLE", "routeTable", CTL_PLAIN },
		  { "PREFIX", "prefix", CTL_PLAIN }, { "CHANGE", "change", CTL_PLAIN },
		  { "FROM", "from", CTL_HOPS }, { "TO", "to", CTL_HOPS }),
	  "What a file, or the daemon's own, would change: sessions, nics, routes, traffic." },
	{ "config", "apply", CTL_REQUEST, "config", "config< confirmWithinSeconds#", NULL, NULL,
	  "Apply a file, or the daemon's own; --confirm-within 60: and go back unless "
	  "confirmed." },
	{ "config", "confirm", CTL_REQUEST, NULL, "", NULL, NULL, "Keep what was applied." },
	{ "config", "undo", CTL_REQUEST, NULL, "", NULL, NULL,
	  "Back to the configuration before the last apply or reload." },
	{ "config", "save", CTL_REQUEST, NULL, "", NULL, NULL,
	  "Write the configuration in force into the daemon's file." },
	{ "system", "info", CTL_REQUEST, NULL, "", NULL, NULL, "What this node is." },
	{ "system", "health", CTL_REQUEST, NULL, "", "checks",
	  COLUMNS({ "STATE", "state", CTL_PLAIN }, { "CHECK", "name", CTL_PLAIN },
		  { "SUBJECT", "subject", CTL_PLAIN }, { "MESSAGE", "message", CTL_PLAIN }),
	  "What does not work." },
	{ "system", "graceful-shutdown", CTL_REQUEST, NULL, "seconds# message", NULL, NULL,
	  "Take this route server out of service: peers are told first, then all sessions end." },
	{ "system", "startup", CTL_REQUEST, NULL, "", NULL, NULL, "End a graceful shutdown." },
	{ "mrt", "dump", CTL_REQUEST, "file", "file vnet", NULL, NULL,
	  "Write every path into an MRT file (TABLE_DUMP_V2)." },
	{ "log", "set-level", CTL_REQUEST, "level", "level", NULL, NULL,
	  "error, warn, info or debug, until the next reload." },
	{ "rpc", "discover", CTL_REQUEST, NULL, "", "methods",
	  COLUMNS({ "METHOD", "name", CTL_PLAIN }, { "SUMMARY", "summary", CTL_PLAIN }),
	  "Methods that the daemon has." },
	{ "rpc", NULL, CTL_RPC, NULL, "follow?", NULL, NULL,
	  "Any method: rpc METHOD [PARAMS as JSON]; --follow: and all that comes after." },
	{ "monitor", NULL, CTL_MONITOR, NULL, "replay#", NULL, NULL,
	  "Events as they happen: monitor [TYPE ...], such as peer.state or 'route.*'." },
	{ "metrics", NULL, CTL_METRICS, NULL, "", NULL, NULL, "The OpenMetrics text." },
	{ "dataplane", "detach", CTL_DETACH, NULL, "instance", NULL, NULL,
	  "Remove programs and maps; needs no daemon, and refuses while one runs." },
	{ "completion", "bash", CTL_COMPLETION, NULL, "", NULL, NULL, "Completion for the shell." },
	{ "help", NULL, CTL_HELP, NULL, "", NULL, NULL, "This list." },
};
const size_t ctl_n_commands = sizeof(ctl_commands) / sizeof(ctl_commands[0]);

char *ctl_camel(const char *kebab, char *buf, size_t cap)
{
	size_t at = 0;

	for (; *kebab && at + 1 < cap; kebab++) {
		if (*kebab == '-' && kebab[1])
			buf[at++] = (char)toupper((unsigned char)*++kebab);
		else
			buf[at++] = *kebab;
	}
	if (cap)
		buf[at] = 0;
	return buf;
}

char *ctl_kebab(const char *camel, char *buf, size_t cap)
{
	size_t at = 0;

	for (; *camel && at + 2 < cap; camel++) {
		if (isupper((unsigned char)*camel))
			buf[at++] = '-';
		buf[at++] = (char)tolower((unsigned char)*camel);
	}
	if (cap)
		buf[at] = 0;
	return buf;
}

const struct ctl_command *ctl_find(const char *noun, const char *verb)
{
	for (size_t i = 0; i < ctl_n_commands; i++) {
		const struct ctl_command *command = &ctl_commands[i];

		if (strcmp(command->noun, noun) != 0)
			continue;
		if (command->verb ? verb && strcmp(command->verb, verb) == 0 : !verb)
			return command;
	}
	return NULL;
}

bool ctl_is_request(const struct ctl_command *command)
{
	switch (command->action) {
	case CTL_REQUEST:
	case CTL_TRACE:
	case CTL_DIFF:
	case CTL_EXPLAIN:
	case CTL_NEXT_HOP:
		return true;
	default:
		return false;
	}
}
