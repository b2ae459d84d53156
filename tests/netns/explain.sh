#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Why a route is used or not: every path with the step at which it lost and to whom, what the route map did,
# whether it is in the map; and what a packet meets on its way through the real program.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

cat >"$CONF" <<-END
{
  "node": { "instance": "$ID", "routerId": "$RS4" },
  "vnets": [ {
    "name": "prod",
    "addressPrefixes": ["10.1.0.0/16"],
    "gateway": { "macs": ["$GW"] },
    "routeServer": { "localAddress": "$RS4" },
    "peerings": [
      { "name": "fw", "peerAsn": 65001, "peerIp": "${IP4[fw]}", "connectRetryTime": 1 },
      { "name": "fw2", "peerAsn": 65002, "peerIp": "${IP4[fw2]}", "connectRetryTime": 1, "inboundRouteMap": "in" }
    ],
    "routeMaps": [ { "name": "in", "rules": [
      { "name": "second", "match": { "prefix": ["10.251.0.0/16"] }, "modify": { "asPath": { "prepend": [65002] } } },
      { "name": "no-tests", "match": { "prefix": [ { "contains": "198.51.100.0/24" } ] }, "action": "drop" } ] } ],
    "routeTables": [
      { "name": "main", "routes": [ { "addressPrefix": "10.252.0.0/16", "nextHopType": "None" } ] },
      { "name": "alone", "disableBgpRoutePropagation": true } ]
  } ],
  "nics": [ { "match": { "name": "vm1" }, "vnet": "prod" },
            { "match": { "name": "vm2" }, "vnet": "prod", "routeTable": "alone" },
            { "match": { "name": "fw*" }, "vnet": "prod", "role": "nva" } ]
}
END
cat >"$DIR/fw.routes" <<-END
10.250.0.0/16
10.251.0.0/16
10.252.0.0/16
10.1.9.0/24
END
cat >"$DIR/fw2.routes" <<-END
10.250.0.0/16 prepend=1
10.251.0.0/16
198.51.100.0/24
END

lab_host
lab_bridge
veth_node vm1
veth_node vm2
veth_node fw
veth_node fw2
on_bridge vm1 vm2 fw fw2
xrs_start
await_nic vm1 attached || abandon "vm1 is attached"
nva_up fw 65001
nva_up fw2 65002
learned() { # PEERING COUNT
	[ "$(ctl -j peering show --name "$1" | jq .pfxRcd)" = "$2" ]
}
wait_for 45 "the routes of fw" learned fw 4 || abandon "fw announces"
wait_for 45 "the routes of fw2" learned fw2 3 || abandon "fw2 announces"
await_way "${IP4[fw]}" bridge
await_fib

explain() { ctl -j route explain "$@" >"$DIR/explained"; }
says() { # NAME JQ-CONDITION
	check "$1" jq -e "$2" "$DIR/explained" || diag "$(jq -c . "$DIR/explained")"
}
path='(.candidates[] | select(.peering == $p))'
of() { # NAME PEERING JQ-CONDITION on its path
	check "$1" jq -e --arg p "$2" "$path | $3" "$DIR/explained" || diag "$(jq -c . "$DIR/explained")"
}

# --- route explain ----------------------------------------------------------------------------------------
explain 10.250.0.0/16 --nic vm1
of "the shorter path is best" fw '.best and .lostAtStep == null and .installStatus == "installed" and .policy == null'
of "the longer one lost, at which step and to whom" fw2 \
	'.best == false and .lostAtStep == "asPathLength" and .lostTo == "fw" and .installReason == "NotSelected"'
says "it is in the map, as the map says" '.dataplane == "installed" and .inMap.kind == "steer" and .inMap.peering == ["fw"]
	and .answeredBy == "10.250.0.0/16" and .nic == "vm1" and .routeTable == "main"'
explain 10.251.0.0/16
of "a rule that changed a path is named, with what was received" fw2 '.policy == { routeMap: "in", rule: 0, ruleName: "second",
	effect: "changed", received: .policy.received } and (.policy.received.asPath == [65002]) and .asPath == [65002, 65002]'
of "and that is why it lost" fw2 '.lostAtStep == "asPathLength" and .lostTo == "fw"'
ctl -j peering list-learned-routes fw2 --prefix 10.251.0.0/16 | jq '.value[0]' >"$DIR/route.json"
offline() { ctl -j route-map test in --config "$CONF" --route "$(cat "$DIR/route.json")"; }
check "route-map test says of that route, offline, what really came of it" \
	jq -ne --slurpfile a "$DIR/explained" --slurpfile b <(offline) \
	'($a[0].candidates[] | select(.peering == "fw2") | .asPath) == $b[0].route.asPath and $b[0].permit'
explain 198.51.100.0/24
of "a rule that dropped a path" fw2 '.policy.effect == "dropped" and .policy.ruleName == "no-tests" and .valid == false
	and .installReason == "Filtered"'
says "nothing of it is in the map; the default answers" '.inMap == null and .dataplane == "none" and .answeredBy == "0.0.0.0/0"'
explain 10.252.0.0/16 --nic vm1
says "a user route wins over BGP" '[.effective[] | [.source, .state, .reason]] ==
	[["User", "Active", ""], ["VirtualNetworkGateway", "Invalid", "UserRoute"]]'
of "the path is told why it is not used" fw '.best and .installStatus == "notInstalled" and .installReason == "UserRoute"'
says "and the map drops" '.inMap.kind == "None"'
explain 10.1.9.0/24 --nic vm1
says "a prefix of the vnet's own" '.effective[0].reason == "OwnPrefix" and .answeredBy == "10.1.0.0/16"'
explain 10.250.0.0/16 --nic vm2
says "another nic, another table: without propagation" '.routeTable == "alone" and .effective[0].reason == "PropagationDisabled"
	and .inMap == null and .candidates[0].installReason == "PropagationDisabled"'
explain 203.0.113.0/24
says "a prefix that nobody announces" '.candidates == [] and .answeredBy == "0.0.0.0/0"'
check "for people: sections" grep -q "in\[0\] second: changed" <(ctl route explain 10.251.0.0/16)
check_not "a nic and a vnet together make no sense" ctl route explain 10.250.0.0/16 --nic vm1 --vnet prod
ctl route explain 10.250.0.0/16 --nic vm3 >/dev/null 2>&1
check_equal "a nic that is not there: exit status" 4 $?

# --- nic show-next-hop: the steps ---------------------------------------------------------------------------
ask() { ctl -j nic show-next-hop "$@" >"$DIR/explained" || diag "$(cat "$DIR/explained")"; }
# Whether XDP or tc decides follows from the kernel and the link; the rest does not.
steps() { jq -r '[.steps[] | select(.step != "hook") | "\(.step) \(.result)"] | join(", ")' "$DIR/explained"; }
ask vm1 --destination-ip 10.250.0.10
check_equal "steered: every step is passed" "nic goes on, gateway goes on, header goes on, source goes on, options goes on, \
destination goes on, ttl goes on, table goes on, route goes on, member goes on, way goes on, loop goes on, mtu goes on, \
vlan goes on, send steered" "$(steps)"
says "with what was found at each" '(.steps | map({ (.step): .detail }) | add) as $d |
	($d.route == "10.250.0.0/16: steer") and ($d.member | endswith(", 10.1.2.4, fw")) and ($d.way | startswith("bridge"))
	and ($d.ttl == "64") and ($d.send | startswith("destination MAC '"${MAC[fw]}"'")) and ($d.send | contains("TTL 63"))'
ask vm1 --destination-ip 10.252.0.1
says "a route of type None: dropped at the route" '.steps[-1] == { step: "route", result: "dropped", reason: "none", detail: "10.252.0.0/16: None: drop" }'
ask vm1 --destination-ip 10.1.3.3
says "the vnet itself: passed at the route" '.steps[-1].step == "route" and .steps[-1].result == "passed" and .steps[-1].reason == "local"'
ask vm1 --destination-ip 224.0.0.5
says "a group: passed at the destination" '.steps[-1] == { step: "destination", result: "passed", reason: "special_dst", detail: "224.0.0.5" }'
# --- config diff with nics and traffic ------------------------------------------------------------------------
in_ns vm1 ping -q -c 20 -i 0.01 -W 1 10.250.0.10 >/dev/null
jq '.nics[0].routeTable = "alone" | .nics = [ .nics[0], .nics[2] ]' "$CONF" >"$DIR/other.json"
ctl -j config diff "$DIR/other.json" >"$DIR/explained"
says "a nic that moves to another table, and one that is none any more" '[.nics[] | "\(.nic) \(.change) \(.from.routeTable) \(.to.routeTable)"]
	| sort == ["vm1 moved main alone", "vm2 detached alone null"]'
says "what that takes from it" '[.tables[] | select(.routeTable == "main" and .routeTableThen == "alone")][0]
	| .removed == 3 and .added == 0 and .moved == 0'
says "and how much of the traffic it was" '.traffic[] | select(.nextHopIpAddress == "'"${IP4[fw]}"'")
	| .packets >= 20 and .sharePercent > 90 and .prefixesLeaving >= 2'
says "no session is concerned" '.sessions == []'
check "and vm1 is still where it was" jq -e '.routeTable == "main"' <(ctl -j nic show --name vm1)

nva_down fw
nva_down fw2
gone() { ctl -j nic show-next-hop vm1 --destination-ip 10.250.0.10 | jq -e '.steps[-1].step == "route" and .steps[-1].reason == "internet"'; }
check "when all appliances are gone it ends at the route: Internet" wait_for 60 "the routes to go" gone
check "for people: a table of steps" grep -q '^ *route *passed *internet' <(ctl nic show-next-hop vm1 --destination-ip 10.250.0.10)
finish
