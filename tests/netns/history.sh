#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What was selected when, and why it changed; and two hosts that can tell whether they selected the same.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/mgmt.sh"

now() { date -u +%Y-%m-%dT%H:%M:%S.%6NZ; }
mgmt_lab
mgmt_config a b c
xrs_start
started=$(now)
bird_start a "10.250.0.0/16" "10.251.0.0/16"
bird_a=$BIRD_PID
await_route 10.250.0.0/16 a
only_a=$(now)
bird_start b "10.250.0.0/16 bgp_path.prepend(65002);" "10.252.0.0/16"
await_peers a b

# --- route history ---------------------------------------------------------------------------------------
history() { ctl -j route history "$@"; }
# Each change as "FROM>TO cause BY step"
changes() {
	history --prefix "$1" | jq -r '.value[] | def w: if . == null then "-" else (.peering | map(. // "?") | join("+")) end;
		"\(.from | w)>\(.to | w) \(.cause) \(.causePeering // "-") \(.step // "-")"'
}
last_is() { [ "$(changes "$1" | tail -n 1)" = "$2" ]; }
await_change() { # NAME PREFIX CHANGE
	check "$1" wait_for 30 "$3" last_is "$2" "$3" || diag "$(changes "$2")"
}
await_change "a route that comes" 10.250.0.0/16 "->a announced a -"
announce b "10.250.0.0/16" "10.252.0.0/16"
await_change "one that is as good shares, decided at nothing" 10.250.0.0/16 "a>a+b announced b -"
shared=$(now)
announce b "10.250.0.0/16 bgp_path.prepend(65002);" "10.252.0.0/16"
await_change "a longer path: at which step it lost" 10.250.0.0/16 "a+b>a announced b asPathLength"
announce a "10.251.0.0/16"
await_change "a withdrawal" 10.250.0.0/16 "a>b withdrawn a -"
announce a "10.250.0.0/16" "10.251.0.0/16"
await_route 10.250.0.0/16 a
edit_config '.vnets[0].routeServer.maxPaths = 1 | .vnets[0].routeMaps = [ { name: "m", rules: [ { modify: { asPath: { prepend: [65001, 65001] } } } ] } ]
	| .vnets[0].peerings[0].inboundRouteMap = "m"'
run_logged ctl config reload
await_change "a route map of the configuration" 10.250.0.0/16 "a>b configuration - asPathLength"
mgmt_config a b c
run_logged ctl config reload
await_route 10.250.0.0/16 a
kill -KILL "$bird_a"
await_change "a session that ends" 10.250.0.0/16 "a>b sessionEnded a -"

in_force() { history --prefix "$1" --at "$2" | jq -rc 'if .known then .inForce | if . == null then "-" else .peering | join("+") end else "?" end'; }
check_equal "what was in force: before everything" "-" "$(in_force 10.250.0.0/16 "$started")"
check_equal "when only a was there" a "$(in_force 10.250.0.0/16 "$only_a")"
check_equal "when both shared" "a+b" "$(in_force 10.250.0.0/16 "$shared")"
check_equal "now" b "$(in_force 10.250.0.0/16 "$(now)")"
check_equal "of a prefix that nobody ever announced" "-" "$(in_force 10.99.0.0/16 "$(now)")"
check "entries up to that time only" jq -e --arg t "$shared" '(.value | length) > 0 and all(.value[]; .time <= $t)' \
	<(history --prefix 10.250.0.0/16 --at "$shared")
check "of a prefix and all more specific" jq -e '[.value[].prefix] | unique | length == 3' \
	<(history --prefix 10.0.0.0/8 --match longer)
check "the latest two" jq -e '.value | length == 2 and .[0].seq < .[1].seq' <(history --limit 2)
check_equal "a time that is none" InvalidParams "$(history --at yesterday 2>/dev/null | jq -r .error.data.reason)"
check "for people" grep -q '10.250.0.0/16  a  *b  *sessionEnded  *a' <(ctl route history 10.250.0.0/16)
check "explain shows the latest changes, of paths that are gone too" jq -e \
	'.history[0].cause == "sessionEnded" and .history[0].causePeering == "a"' <(ctl -j route explain 10.250.0.0/16)

# --- two hosts --------------------------------------------------------------------------------------------------
digest() { ctl -j routeserver show | jq -r .selectionDigest; }
digest_is() { [ "$(digest)" = "$1" ]; }
bird_start a "10.250.0.0/16" "10.251.0.0/16"
await_route 10.250.0.0/16 a
await_route 10.251.0.0/16 a
first=$(digest)
ctl -j route list >"$DIR/first.routes"
on_host host2
mgmt_lab
mgmt_config c b a
xrs_start
check_equal "nothing is selected: 0" 0000000000000000 "$(digest)"
bird_start b "10.252.0.0/16" "10.250.0.0/16 bgp_path.prepend(65002);"
await_route 10.250.0.0/16 b
compare() { ctl -j route list >"$DIR/second.routes" && "$XRSCTL" -j compare "$DIR/first.routes" "$DIR/second.routes"; }
compare >"$DIR/compared"
check_equal "an appliance that reaches only one host: exit status" 1 $?
check "compare names the prefixes" jq -e '([.value[] | "\(.prefix) \(.difference)"] | sort ==
	["10.250.0.0/16 leads elsewhere", "10.251.0.0/16 only in the first"]) and .same == 1' \
	"$DIR/compared" || diag "$(cat "$DIR/compared")"
check_not "and the digests differ" digest_is "$first"
bird_start a "10.250.0.0/16" "10.251.0.0/16"
await_route 10.251.0.0/16 a
await_route 10.250.0.0/16 a
check "with the same appliances the digest is the same, in whatever order they came" \
	wait_for 20 "the digest $first" digest_is "$first"
compare >"$DIR/compared"
check_equal "and nothing differs: exit status" 0 $?
check_equal "in words" "0 prefixes differ, 3 are the same" \
	"$("$XRSCTL" compare "$DIR/first.routes" "$DIR/second.routes")"
announce a "10.250.0.0/16 bgp_path.prepend(65009);" "10.251.0.0/16"
changed() { ! digest_is "$first"; }
check "another AS_PATH shows" wait_for 20 "another digest" changed
finish
