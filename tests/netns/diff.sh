#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# config diff says what would happen, and then exactly that happens: sessions that reset, routes that are
# added, removed and moved from whom to whom. Nothing changes while it is asked.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/mgmt.sh"

mgmt_lab
mgmt_config a b c
edit_config '.vnets[0].routeMaps = [
	{ name: "prefer", rules: [ { match: { prefix: ["10.250.0.0/16"] }, modify: { asPath: { prepend: [65001, 65001] } } } ] },
	{ name: "drop", rules: [ { match: { prefix: [{ contains: "10.251.0.0/16" }] }, action: "drop" } ] } ]'
xrs_start
bird_start a "10.250.0.0/16" "10.251.0.0/16" "10.253.0.0/16 bgp_path.prepend(65001);"
bird_start b "10.250.0.0/16" "10.252.0.0/16" "10.253.0.0/16"
bird_start c "192.0.2.0/24"
await_peers a b c
routes() { ctl -j route list | jq '[.value[] | select(.best)] | length'; }
all_routes() { [ "$(routes)" = 5 ]; }
wait_for 30 "all routes" all_routes
cp "$CONF" "$DIR/first.json"

snapshot() { # what must not change by asking
	ctl -j route list | jq -cS 'del(.generation) | .value | map(del(.ageSeconds))'
	ctl -j peering list | jq -cS '[.value[] | [.name, .state, .connectionsEstablished]]'
	ctl -j config show | jq -cS .config
}
# PREFIX FROM TO: names of peerings, or the type, as the answer has them
moves() { jq -r '.value[] | def w: if . == null then "-" elif (.peering | length) > 0 then (.peering | map(. // "?") | join("+")) else .nextHopType end;
	"\(.prefix) \(.change) \(.from | w) \(.to | w)"' "$DIR/diff" | sort | xargs; }
sessions() { jq -r '.sessions[] | "\(.peering) \(.change) \(.why) \(.disrupts)"' "$DIR/diff" | sort | xargs; }
ask() { # JQ-PROGRAM that makes the other configuration
	local before
	jq "$1" "$DIR/first.json" >"$DIR/other.json"
	before=$(snapshot)
	run_logged ctl -j config diff "$DIR/other.json" || return 1
	cp "$DIR/.out" "$DIR/diff"
	[ "$before" = "$(snapshot)" ] || { diag "asking has changed something"; return 1; }
}
# What wins for each prefix, in the words of moves
winners() {
	ctl -j route list | jq -r '.value | group_by(.prefix)[] | "\(.[0].prefix) \([.[] | select(.best or .multipath) | .peering] | sort | join("+"))"' |
		grep -v ' $' | sort
}
applied() { # JQ: the difference that really came, as moves would say it
	winners >"$DIR/w1"
	cp "$DIR/other.json" "$CONF"
	run_logged ctl config reload
	await_peers "$@"
	settled() {
		winners >"$DIR/w2"
		join -a1 -a2 -e - -o 0,1.2,2.2 "$DIR/w1" "$DIR/w2" | awk '$2 != $3 {
			print $1, ($2 == "-" ? "added" : $3 == "-" ? "removed" : "moved"), $2, $3 }' | xargs >"$DIR/really"
		[ "$(cat "$DIR/really")" = "$said" ]
	}
	wait_for 30 "the change that was said" settled || diag "$(cat "$DIR/really")"
	cp "$DIR/first.json" "$CONF"
	run_logged ctl config reload
	await_peers a b c
	wait_for 30 "all routes" all_routes
}
scenario() { # NAME JQ-PROGRAM SESSIONS MOVES PEERS-AFTERWARDS...
	local name=$1 program=$2 want_sessions=$3
	said=$4
	shift 4
	check "$name: asked, and nothing is changed by it" ask "$program"
	check_equal "$name: sessions" "$want_sessions" "$(sessions)"
	check_equal "$name: routes" "$said" "$(moves)"
	check "$name: exactly this comes to pass" applied "$@"
}

scenario "the same" . "" "" a b c
check_equal "in words" "nothing would change" "$(ctl config diff)"
scenario "a peering less" 'del(.vnets[0].peerings[1])' "b removed null true" \
	"10.250.0.0/16 moved a+b a 10.252.0.0/16 removed b - 10.253.0.0/16 moved b a" a c
scenario "a route map that prepends" '.vnets[0].peerings[0].inboundRouteMap = "prefer"' "" \
	"10.250.0.0/16 moved a+b b" a b c
scenario "a route map that drops" '.vnets[0].peerings[0].inboundRouteMap = "drop"' "" \
	"10.251.0.0/16 removed a -" a b c
scenario "fewer paths share" '.vnets[0].routeServer.maxPaths = 1' "" "10.250.0.0/16 moved a+b a" a b c
scenario "hub preference and roles" '.vnets[0].peerings[0].role = "expressRoute"' "" \
	"10.250.0.0/16 moved a+b a 10.253.0.0/16 moved b a" a b c
scenario "another hold time resets one session and no route" '.vnets[0].peerings[1].holdTime = 30' \
	"b reset holdTime true" "" a b c

scenario "a peering that is disabled" '.vnets[0].peerings[1].enabled = false' "b disabled enabled true" \
	"10.250.0.0/16 moved a+b a 10.252.0.0/16 removed b - 10.253.0.0/16 moved b a" a c

# --- what route list does not show: user routes, tables, values ------------------------------------------------
ask '.vnets[0].routeTables = [ { name: "main", routes: [
	{ addressPrefix: "10.250.0.0/16", nextHopType: "VirtualAppliance", nextHopIpAddress: "10.1.2.6" },
	{ addressPrefix: "203.0.113.0/24", nextHopType: "None" } ] } ]'
check_equal "user routes" "10.250.0.0/16 moved a+b c 203.0.113.0/24 added - None" "$(moves)"
check "and the values that change" jq -e '.changes | any(.op == "add" and .path == "vnets[prod].routeTables[main].routes[203.0.113.0/24]")' "$DIR/diff"
ask '.vnets[0].routeTables = [ { name: "main", disableBgpRoutePropagation: true } ]'
check_equal "no propagation" "5 removed" "$(jq -r '"\(.routesChanged) \([.value[].change] | unique | join(" "))"' "$DIR/diff")"
check "counted by table" jq -e '.tables == [{ vnet: "prod", routeTable: "main", vnetThen: "prod", routeTableThen: "main", added: 0, removed: 5, moved: 0 }]' "$DIR/diff"
check "each next hop with what it loses" jq -e '[.traffic[] | [.nextHopIpAddress, .prefixes, .prefixesLeaving]] | sort == [["10.1.2.4", 2, 2], ["10.1.2.5", 3, 3], ["10.1.2.6", 1, 1]]' "$DIR/diff"
run_logged ctl -j config diff "$DIR/other.json" --limit 2
check "a limit cuts the list, not the count" jq -e '(.value | length) == 2 and .routesChanged == 5' "$DIR/.out"
ask '.vnets[0].addressPrefixes += ["10.252.0.0/16"]'
check_equal "an address prefix takes a BGP route's place" "10.252.0.0/16 moved b VnetLocal" "$(moves)"
ask '.vnets[0].peerings[0].peerIp = "10.1.2.9"'
check_equal "another endpoint is another session" "a replaced peerIp true" "$(sessions)"
check "as text, in sections" grep -q '^Sessions (1)' <(ctl config diff "$DIR/other.json")
ask '.vnets[0].peerings += [ { name: "d", peerAsn: 65009, peerIp: "10.1.2.9" } ]'
check_equal "a peering more" "d added null false" "$(sessions)"
ctl -j config diff <(echo '{ "vnets": [ { "name": "x" } ] }') >"$DIR/diff" 2>/dev/null
check_equal "one with an error is refused" "1 InvalidConfig" "$? $(jq -r .error.data.reason "$DIR/diff")"
jq '.node.instance = "other"' "$DIR/first.json" >"$DIR/other.json"
check "and one that needs a restart" jq -e '.error.data.field == "node.instance"' <(ctl -j config diff "$DIR/other.json" 2>/dev/null)
finish
