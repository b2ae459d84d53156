// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one table of methods: name, parameters, handler, whether it writes, and what it answers.
 * request.c checks against it, rpc.discover is generated from it, and xrs-api(7) is held to it by a
 * test. Data only; the handlers stand in methods_<noun>.c.
 */
#include <assert.h>

#include "agent/config_schema.h"
#include "api/api_impl.h"

#define PARAMS(...) ((const struct api_param[]){ __VA_ARGS__, { 0 } })
#define WORDS(...)  ((const char *const[]){ __VA_ARGS__, NULL })
#define NAME(what)                                                                 \
	{                                                                          \
		"name", API_TEXT, .required = true, .doc = "Name of the " what "." \
	}
/* The keys of an object of the configuration. */
#define KEYS(ident)                             \
	{                                       \
		"*", API_KEYS, .object = &ident \
	}
#define VNET                                                              \
	{                                                                 \
		"vnet", API_TEXT,                                         \
			.doc = "Name of the vnet; may be left out where " \
			       "the answer is unambiguous."               \
	}
#define PAGE                                                                                   \
	{ "limit", API_INTEGER, .min = 1, .max = 1000000, .doc = "At most so many entries." }, \
	{                                                                                      \
		"cursor", API_TEXT, .max = 32,                                                 \
				    .doc = "nextCursor of an earlier answer: go on there."     \
	}
#define ROUTE_FILTER                                                                           \
	{ "prefix", API_PREFIX, .doc = "Only this prefix." },                                  \
	{                                                                                      \
		"match", API_WORD,                                                             \
			.words = WORDS("exact", "longer"),                                     \
			.doc = "exact (default), or longer: the prefix and all more specific." \
	}

#define PEERING_FIELDS                                                                        \
	"name peerAsn peerIp dynamic vnet role managedBy provisioningState adminState state " \
	"problem "                                                                            \
	"localAddress localAsn routerId remoteRouterId holdTimeSeconds keepaliveSeconds "     \
	"capabilities[] connectionsEstablished connectionsDropped lastResetReason "           \
	"lastNotification establishedTime msgRcvd msgSent pfxRcd pfxAccepted pfxFiltered "    \
	"pfxSnt maxPrefixes bfdState"
#define NIC_FIELDS                                                                             \
	"name ifindex kind vnet mac altNames[] ifAlias group master attachState attachReason " \
	"xdpMode mode modeReason progId linkId role routeTable rxRewritten rxPassed rxDropped"
#define PEER_ROUTE_FIELDS                                                                    \
	"value[]{localAddress network nextHop sourcePeer origin source asPath[] weight med " \
	"localPref communities[] largeCommunities[] extendedCommunities[] originatorId "     \
	"clusterList[] atomicAggregate aggregatorAsn aggregatorId onlyToCustomer valid "     \
	"best multipath stale routeStatus installStatus installReason ageSeconds} "          \
	"nextCursor generation"

/* Every type of event, and "noun.*" for all of one noun. */
static const char *const event_words[] = {
#define X(name, text, members) text,
	EVENT_TYPES(X)
#undef X
		"peer.*",
	"route.*",
	"nic.*",
	"fib.*",
	"trace.*",
	"config.*",
	"*",
	NULL,
};

const struct api_method api_methods[] = {
	{ "system.info", API_READS, NULL, method_system_info, "What this node is.",
	  "product version apiVersion node instance kernel bpfPinPath features[] startTime "
	  "gracefulShutdown" },
	{ "system.health", API_READS, NULL, method_system_health,
	  "Whether everything that is configured works.", "state checks[]{name state message}" },
	{ "system.gracefulShutdown", API_WRITES,
	  PARAMS({ "seconds", API_INTEGER, .min = 0, .max = 3600,
		   .doc = "Until the sessions end, with every route told as "
			  "GRACEFUL_SHUTDOWN meanwhile; 60." },
		 { "message", API_TEXT, .max = 255, .doc = "Told to the peers (RFC 9003)." }),
	  method_system_graceful_shutdown,
	  "Takes this route server out of service (RFC 8326): all sessions end and none starts "
	  "until startup, or a restart of xrsd. Asked again, the time begins anew.",
	  "as system.info" },
	{ "system.startup", API_WRITES, NULL, method_system_startup,
	  "Ends a graceful shutdown: what it ended starts again.", "as system.info" },
	{ "rpc.discover", API_READS, NULL, method_rpc_discover,
	  "This table as an OpenRPC document.", "openrpc info methods[]" },
	{ "routeserver.show", API_READS, PARAMS(VNET), method_routeserver_show,
	  "The route server of a vnet.",
	  "name vnet virtualRouterAsn virtualRouterIps[] routerId allowBranchToBranchTraffic "
	  "hubRoutingPreference pathSelection maxPaths provisioningState routes "
	  "selectionDeferred awaitedPeerings[] selectionDigest" },
	{ "routeserver.update", API_WRITES,
	  PARAMS(VNET,
		 { "allowBranchToBranchTraffic", API_BOOL,
		   .doc = "Exchange routes between NVAs and gateways, and between gateways." },
		 { "hubRoutingPreference", API_WORD,
		   .words = WORDS("ExpressRoute", "VpnGateway", "ASPath"),
		   .doc = "Which gateway's path wins before AS_PATH lengths are compared." }),
	  method_routeserver_update,
	  "Sets what the file does not set itself; a key that it sets is ManagedByFile.",
	  "as routeserver.show" },
	{ "vnet.list", API_READS, NULL, method_vnet_list, "All vnets.", "value[]" },
	{ "vnet.show", API_READS, PARAMS(NAME("vnet")), method_vnet_show, "One vnet.",
	  "name addressPrefixes[] protectedPrefixes[] gateway routeServer usesRouteServerOf "
	  "peerings[] routeTables[] virtualNetworkPeerings[] vxlan[]{nextHopPrefix nextHopMac vni "
	  "remoteAddress localAddress port zeroChecksum}" },
	{ "vnet.create", API_WRITES, PARAMS(KEYS(config_vnet)), method_vnet_create, "Makes a vnet.",
	  "as vnet.show" },
	{ "vnet.delete", API_WRITES, PARAMS(NAME("vnet")), method_vnet_delete,
	  "Deletes a vnet that the API made. Conflict while it has peerings or a nic rule names "
	  "it.",
	  "" },
	{ "routeTable.list", API_READS, PARAMS(VNET), method_route_table_list,
	  "Route tables of one vnet, or of all.", "value[]" },
	{ "routeTable.show", API_READS, PARAMS(NAME("route table"), VNET), method_route_table_show,
	  "One route table with its user routes and what its tries hold.",
	  "name vnet index disableBgpRoutePropagation disablePropagationFrom[] allowOwnPrefixes "
	  "persist{action seconds held} routes[] fib" },
	{ "routeTable.release", API_WRITES,
	  PARAMS(NAME("route table"), VNET,
		 { "prefix", API_PREFIX,
		   .doc = "This prefix and all more specific; default: all." }),
	  method_route_table_release,
	  "Ends what the table's persist holds or drops: its lost prefixes fall back.",
	  "released" },
	{ "routeTable.create", API_WRITES, PARAMS(VNET, KEYS(config_route_table)),
	  method_route_table_create, "Makes a route table.", "as routeTable.show" },
	{ "routeTable.update", API_WRITES, PARAMS(VNET, KEYS(config_route_table)),
	  method_route_table_update,
	  "Changes the keys that are given, of a route table that the API made, or of main when "
	  "the file does not list it.",
	  "as routeTable.show" },
	{ "routeTable.delete", API_WRITES, PARAMS(NAME("route table"), VNET),
	  method_route_table_delete,
	  "Deletes a route table that the API made, with its routes. Conflict while a nic rule "
	  "names it.",
	  "" },
	{ "peering.list", API_READS, PARAMS(VNET, PAGE), method_peering_list,
	  "Peerings of one vnet, or of all.", "value[] nextCursor generation" },
	{ "peering.show", API_READS, PARAMS(NAME("peering"), VNET), method_peering_show,
	  "One peering, in full.",
	  PEERING_FIELDS
	  " capabilitiesSent[] capabilitiesReceived[] capabilitiesInForce[] families[] "
	  "gracefulShutdown limits messages "
	  "lastReset bfd probe drain{state idleSeconds sinceSeconds lastPacketSecondsAgo}" },
	{ "peering.create", API_WRITES, PARAMS(VNET, KEYS(config_peering)), method_peering_create,
	  "Makes a peering and starts its session.", PEERING_FIELDS },
	{ "peering.delete", API_WRITES, PARAMS(NAME("peering"), VNET), method_peering_delete,
	  "Deletes a peering that the API made; its session ends with Cease 6/3.", "" },
	{ "peering.enable", API_WRITES, PARAMS(NAME("peering"), VNET), method_peering_enable,
	  "Starts a session that was disabled or shut down.", PEERING_FIELDS },
	{ "peering.disable", API_WRITES,
	  PARAMS(NAME("peering"), VNET,
		 { "message", API_TEXT, .max = 255, .doc = "Told to the peer (RFC 9003)." }),
	  method_peering_disable, "Closes the session and keeps it down until enable or restart.",
	  PEERING_FIELDS },
	{ "peering.drain", API_WRITES,
	  PARAMS(NAME("peering"), VNET,
		 { "idleSeconds", API_INTEGER, .min = 1, .max = 86400,
		   .doc = "Empty after so long without a packet; 30." }),
	  method_peering_drain,
	  "Leaves the flows that run through peerIp where they are and sends new ones to other "
	  "next hops of their groups, until undrain. Next hops of third "
	  "parties that the peer announces do not drain.",
	  PEERING_FIELDS " drain{state idleSeconds sinceSeconds lastPacketSecondsAgo}" },
	{ "peering.undrain", API_WRITES, PARAMS(NAME("peering"), VNET), method_peering_undrain,
	  "Ends a drain: the flows of its share come back.", PEERING_FIELDS " drain" },
	{ "peering.reset", API_WRITES,
	  PARAMS(NAME("peering"), VNET,
		 { "soft", API_WORD, .words = WORDS("in", "out", "both"),
		   .doc = "Ask for or send the routes again without closing the session." },
		 { "message", API_TEXT, .max = 255, .doc = "Told to the peer (RFC 9003)." }),
	  method_peering_reset, "Closes the session and starts it again; or refreshes routes.",
	  PEERING_FIELDS },
	{ "peering.listLearnedRoutes", API_READS, PARAMS(NAME("peering"), VNET, ROUTE_FILTER, PAGE),
	  method_peering_learned, "What the peer announced, as kept before policy.",
	  PEER_ROUTE_FIELDS },
	{ "peering.listAdvertisedRoutes", API_READS,
	  PARAMS(NAME("peering"), VNET, ROUTE_FILTER, PAGE), method_peering_advertised,
	  "What the peer was sent.", PEER_ROUTE_FIELDS },
	{ "bfd.list", API_READS, PARAMS(PAGE), method_bfd_list, "BFD sessions.",
	  "value[]{peering vnet peerIp state diag remoteState remoteDiag multihop strict auth "
	  "kernel "
	  "transmitIntervalUs detectionTimeUs remoteMultiplier ups downs received sent "
	  "sentByStandIn "
	  "sentLateMaxUs discarded "
	  "problem} nextCursor generation" },
	{ "timeline.list", API_READS, PARAMS(PAGE), method_timeline_list,
	  "What took next hops out of use or brought them back, oldest first: times in "
	  "microseconds "
	  "after detectedUs, which is the host's monotonic clock.",
	  "value[]{id time cause address peering vnet detectedUs decidedUs programmedUs "
	  "firstPacketUs prefixes groups mapWrites} nextCursor generation" },
	{ "nic.list", API_READS, PARAMS(VNET, PAGE), method_nic_list,
	  "The host's interfaces that are nics.", "value[] nextCursor generation" },
	{ "nic.show", API_READS, PARAMS(NAME("nic")), method_nic_show, "One nic with its counters.",
	  NIC_FIELDS
	  " addresses[] learnedSources[]{address mac origin state leaseSeconds} counters" },
	{ "nic.listEffectiveRoutes", API_READS, PARAMS(NAME("nic"), PAGE), method_nic_effective,
	  "The routes that a nic uses and those that lost, with what the BPF maps hold.",
	  "value[]{source state addressPrefix nextHopType nextHopIpAddress[] peering[] "
	  "nextHopMac[] nextHopInterface[] nextHopBuckets[] packets bytes lastHitSeconds reason "
	  "dataplane} "
	  "nextCursor generation" },
	{ "nic.showNextHop", API_READS,
	  PARAMS(NAME("nic"),
		 { "destinationIp", API_ADDRESS, .required = true,
		   .doc = "Where the packet goes." },
		 { "sourceIp", API_ADDRESS, .doc = "Default: an address of the vnet." },
		 { "protocol", API_WORD, .words = WORDS("udp", "tcp", "icmp"),
		   .doc = "Default: udp." },
		 { "sourcePort", API_INTEGER, .min = 0, .max = 65535, .doc = "Default: 49152." },
		 { "destinationPort", API_INTEGER, .min = 0, .max = 65535,
		   .doc = "Default: 443." }),
	  method_nic_next_hop, "Runs the real program on a packet made from these parameters.",
	  "matchedPrefix nextHopType nextHopIpAddress nextHopMac nextHopInterface peering "
	  "ecmpIndex ecmpWidth way hook verdict reason differs durationNs steps[]{step result "
	  "reason "
	  "detail}" },
	{ "trace.start", API_WRITES,
	  PARAMS({ "nic", API_TEXT, .required = true, .doc = "Name of the nic." },
		 { "source", API_PREFIX, .doc = "Only packets from there." },
		 { "destination", API_PREFIX, .doc = "Only packets to there." },
		 { "protocol", API_WORD, .words = WORDS("udp", "tcp", "icmp"),
		   .doc = "Default: any." },
		 { "sourcePort", API_INTEGER, .min = 1, .max = 65535, .doc = "Default: any." },
		 { "destinationPort", API_INTEGER, .min = 1, .max = 65535, .doc = "Default: any." },
		 { "reason", API_TEXT,
		   .doc = "A counter of nic.show, or steered, passed, dropped. Default: any." },
		 { "sample", API_INTEGER, .min = 1, .max = UINT32_MAX,
		   .doc = "One packet of so many, at random. Default: 1." },
		 { "perSecond", API_INTEGER, .min = 1, .max = 1000,
		   .doc = "At most so many a second on each CPU. Default: 100." },
		 { "seconds", API_INTEGER, .min = 1, .max = 3600,
		   .doc = "Ends after this time. Default: 60." }),
	  method_trace_start,
	  "Tells what becomes of single packets of a nic, as events trace.packet. There is one "
	  "trace at a time; a new one ends the old.",
	  "nic seconds" },
	{ "trace.stop", API_WRITES, NULL, method_trace_stop, "Ends the trace.", "packets" },
	{ "route.list", API_READS,
	  PARAMS(VNET,
		 { "view", API_WORD, .words = WORDS("rib", "fib", "bpf"),
		   .doc = "rib (default): all BGP paths; fib: what the maps should hold; bpf: what "
			  "they hold." },
		 { "routeTable", API_TEXT, .doc = "Of fib and bpf; default: main." },
		 { "prefix", API_PREFIX, .doc = "This prefix and all more specific." }, PAGE),
	  method_route_list, "Routes of a vnet.",
	  "value[]{prefix nextHopType nextHop origin asPath ...} nextCursor generation" },
	{ "route.create", API_WRITES,
	  PARAMS(VNET, { "routeTable", API_TEXT, .doc = "Default: main." },
		 KEYS(config_user_route)),
	  method_route_create, "Adds a user route to a route table, the file's or the API's.",
	  "vnet routeTable addressPrefix nextHopType nextHopIpAddress managedBy" },
	{ "route.delete", API_WRITES,
	  PARAMS({ "addressPrefix", API_PREFIX, .required = true, .doc = "Its destination." }, VNET,
		 { "routeTable", API_TEXT, .doc = "Default: main." }),
	  method_route_delete, "Deletes a user route that the API made.", "" },
	{ "route.explain", API_READS,
	  PARAMS({ "prefix", API_PREFIX, .required = true, .doc = "The prefix." },
		 { "nic", API_TEXT,
		   .doc = "As this nic sees it; in place of vnet and routeTable." },
		 VNET, { "routeTable", API_TEXT, .doc = "Default: main." }),
	  method_route_explain,
	  "Every candidate for a prefix: where it lost and to whom, what the inbound map did to "
	  "it, and "
	  "whether it is in the map and why; then precedence, and what the map holds.",
	  "prefix vnet routeTable nic candidates[]{peering role nextHop asPath[] valid best "
	  "multipath "
	  "installStatus installReason lostAtStep lostAtText lostTo policyRule policy{routeMap "
	  "rule "
	  "ruleName effect received}} effective[]{source state nextHopType reason reasonText} "
	  "dataplane "
	  "answeredBy inMap history[]" },
	{ "route.history", API_READS,
	  PARAMS(VNET, ROUTE_FILTER,
		 { "at", API_TEXT, .max = 40,
		   .doc = "Changes up to this time (RFC 3339, UTC); with prefix also what was in "
			  "force then." },
		 { "limit", API_INTEGER, .min = 1, .max = JOURNAL_KEPT,
		   .doc = "The latest so many." }),
	  method_route_history,
	  "The latest changes of what is selected, oldest first: from whom to whom, when, and why. "
	  "The "
	  "latest 8192 of each vnet are kept.",
	  "value[]{seq time prefix from to cause causePeering step} known inForce" },
	{ "fib.show", API_READS, NULL, method_fib_show,
	  "Figures of the BPF maps, and the next hops.",
	  "generation adopted adopting sweepDone routes groups nextHops localVms vxlanNetworks "
	  "tables[]{vnet routeTable family "
	  "routes "
	  "lookup reason memoryBytes rootBits nodes builds enlargements pauses fallbackPackets} "
	  "value[]{id vnet address usable peering way xdp wayReason "
	  "tunnel{vni port remote local largeFrames} interface mac mtu vlan reason reasonText "
	  "packets bytes}" },
	{ "fib.verify", API_WRITES_WITH_REPAIR,
	  PARAMS({ "repair", API_BOOL,
		   .doc = "Also write the differences; needs the right to write." }),
	  method_fib_verify,
	  "Compares the maps with what they should hold, and the derived lookup structures with "
	  "the "
	  "tries at the edges of each prefix. In slices: BGP goes on meanwhile.",
	  "clean expected present missing stale differing pending rejected derivedChecked "
	  "derivedDiffering examples[]{table prefix what} generation" },
	{ "config.show", API_READS, NULL, method_config_show,
	  "The configuration in force, in its normal form: the file's part and what the API made.",
	  "config warnings[] path generation confirmBefore" },
	{ "config.test", API_READS,
	  PARAMS({ "config", API_OBJECT, .doc = "Test this instead of the configured file." }),
	  method_config_test, "Checks a configuration without applying it.", "valid warnings[]" },
	{ "config.diff", API_READS,
	  PARAMS({ "config", API_OBJECT, .doc = "This instead of the file." },
		 { "limit", API_INTEGER, .min = 1, .max = 1000000,
		   .doc = "List at most so many routes; the rest is counted only." }),
	  method_config_diff,
	  "What would change, before it does: values, sessions, nics, and the routes of every "
	  "table "
	  "as the present paths would be selected.",
	  "changes[]{op path old new} sessions[]{vnet peering change why disrupts} nics[]{nic "
	  "change "
	  "from to} value[]{vnet routeTable prefix change from to} tables[]{vnet routeTable added "
	  "removed moved} routesChanged traffic[]{nextHopIpAddress prefixes prefixesLeaving "
	  "packets "
	  "bytes sharePercent} incomplete" },
	{ "config.reload", API_WRITES, NULL, method_config_reload,
	  "Reads the file again and applies what changed.", "generation confirmBefore warnings[]" },
	{ "config.apply", API_WRITES,
	  PARAMS({ "config", API_OBJECT,
		   .doc = "In place of the file's part, until config.reload or a restart reads the "
			  "file again; default: the file." },
		 { "confirmWithinSeconds", API_INTEGER, .min = 1, .max = 86400,
		   .doc = "Go back unless config.confirm comes in time, also when xrsd was killed "
			  "meanwhile. Default: for good." }),
	  method_config_apply,
	  "Applies what changed. Until it is confirmed no other change is accepted.",
	  "generation confirmBefore warnings[]" },
	{ "config.confirm", API_WRITES, NULL, method_config_confirm,
	  "Keeps what config.apply put in force.", "generation confirmBefore" },
	{ "config.undo", API_WRITES, NULL, method_config_undo,
	  "Back to the file's part before the last apply or reload; once more: forth again.",
	  "generation confirmBefore" },
	{ "config.save", API_WRITES, NULL, method_config_save,
	  "Writes the file's part that is in force into the file; what was there is kept as "
	  "FILE.old.",
	  "saved path" },
	{ "monitor.subscribe", API_READS,
	  PARAMS({ "types", API_WORD_LIST, .words = event_words,
		   .doc = "Kinds of events, such as \"peer.state\" or \"route.*\". Default: all." },
		 { "replay", API_INTEGER, .min = 0, .max = EVENTS_KEPT,
		   .doc = "Begin with so many of the latest events that are kept. Default: 0." }),
	  method_monitor_subscribe,
	  "Notifications monitor.event follow on this connection, and monitor.lost when it was too "
	  "slow to read them all.",
	  "subscription seq" },
	{ "monitor.unsubscribe", API_READS,
	  PARAMS({ "subscription", API_INTEGER, .required = true, .min = 1, .max = UINT32_MAX,
		   .doc = "As monitor.subscribe named it." }),
	  method_monitor_unsubscribe, "Ends one subscription of this connection.", "" },
	{ "mrt.dump", API_WRITES,
	  PARAMS({ "file", API_TEXT, .required = true, .max = 64,
		   .doc = "Name of the file, made in the directory mrt of the state directory." },
		 VNET),
	  method_mrt_dump,
	  "Writes every path as received into a file that bgpdump and others read: TABLE_DUMP_V2 "
	  "of "
	  "MRT (RFC 6396).",
	  "path prefixes paths skipped bytes complete" },
	{ "metrics.get", API_READS, NULL, method_metrics_get, "The OpenMetrics text.", "text" },
	{ "log.setLevel", API_WRITES,
	  PARAMS({ "level", API_WORD, .required = true,
		   .words = WORDS("error", "warn", "info", "debug"), .doc = "The new level." }),
	  method_log_set_level, "Until the next reload.", "level" },
};
const size_t api_n_methods = sizeof(api_methods) / sizeof(api_methods[0]);
static_assert(sizeof(api_methods) / sizeof(api_methods[0]) <= API_METHODS_MAX,
	      "each method is counted");
