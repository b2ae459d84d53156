#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# The derived lookup structure from outside: a table of some size gets one, fib.show says what it costs,
# fib.verify proves that it answers as the trie does, finds what somebody changed by hand and mends it; the
# configuration takes it away and gives it back; a process that is killed leaves one that goes on.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

table() { # FAMILY JQ
	ctl -j fib show | jq -c --arg f "$1" ".tables[] | select(.routeTable == \"main\" and .family == \$f) | $2"
}
derived() { same_output '"derived"' table ipv4 .lookup; }
by_trie() { same_output '"trie"' table ipv4 .lookup; }
verify() { ctl -j fib verify "$@" | jq -c '[.clean, .missing + .stale, .differing, .derivedDiffering]'; }

lab_host
jq -n --arg id "$ID" '{ node: { instance: $id, routerId: "10.1.0.1" }, vnets: [ {
	name: "prod", addressPrefixes: ["10.1.0.0/16", "fd00:1::/48"],
	routeTables: [ { name: "main", routes: [ range(300) |
		{ addressPrefix: "10.\(100 + . / 250 | floor).\(. % 250).0/24", nextHopType: "None" } ] } ] } ] }' >"$CONF"
xrs_start
check_soon "a table of 300 routes has a derived structure" derived
check_equal "its memory and nodes are told" true "$(table ipv4 '.memoryBytes > 0 and .nodes > 0 and .routes > 300')"
small() { same_output '["derived",true]' table ipv6 '[.lookup, .routes < 10]'; }
check_soon "that of the vnet's own prefix alone too" small
check_equal "fib verify: clean" "[true,0,0,0]" "$(verify)"
check_equal "and compared both at the edges of each route" "$(ctl -j fib show | jq '[.tables[].routes] | add')" \
	"$(ctl -j fib verify | jq .derivedChecked)"

bpftool map update pinned "$PINS/tables/prod.main.v4" key 24 0 0 0 10 100 7 0 \
	value 0 0 0 0 1 0 0 0 24 1 0 0 0 0 0 0
check_equal "a route that was changed by hand is found, in the trie and at the edges of it and its neighbours" \
	"[false,0,1,3]" "$(verify)"
check_equal "both are told" '["derived","differing"]' \
	"$(ctl -j fib verify | jq -c '[.examples[] | select(.prefix == "10.100.7.0/24") | .what] | sort')"
verify --repair >/dev/null
verified() { same_output "[true,0,0,0]" verify; }
check_soon "repair mends both" verified
check_soon "and it is asked again" derived

reload_with '.dataplane.lookup = "trie"'
check_soon "dataplane.lookup trie takes it away" by_trie
check_equal "with its memory" 0 "$(table ipv4 .memoryBytes)"
check_equal "fib verify without one: clean" "[true,0,0,0]" "$(verify)"
reload_with '.dataplane.lookup = "auto" | .dataplane.lookupMinRoutes = 301'
check_soon "auto gives it back" derived
reload_with '.dataplane.lookupMinRoutes = 5000'
check_soon "lookupMinRoutes above the table's size takes it away" by_trie
reload_with '.dataplane.lookupMinRoutes = 64'
check_soon "and back" derived
check_equal "but not for the smaller one" '["trie",0]' "$(table ipv6 '[.lookup, .memoryBytes]')"
finish
