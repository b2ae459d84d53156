#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Events as they happen: a session that comes and goes, routes that change, a configuration that is applied
# or refused; kinds and replay; and a reader that does not read costs nobody else anything.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/mgmt.sh"

mgmt_lab
mgmt_config a b
xrs_start

spawn events "$XRSCTL" -s "/run/$ID/xrs.sock" -j monitor
EVENTS=$DIR/events.log
spawn text "$XRSCTL" -s "/run/$ID/xrs.sock" monitor peer.state,config.*
spawn follow "$XRSCTL" -s "/run/$ID/xrs.sock" rpc monitor.subscribe '{"types":["route.*"]}' --follow

seen() { # JQ-CONDITION over an event
	jq -es "[.[] | .params | select($1)] | length > 0" "$EVENTS" >/dev/null
}
check_seen() { # NAME JQ-CONDITION
	check "$1" wait_for 40 "the event" seen "$2" || diag "$(tail -n 5 "$EVENTS")"
}
follows() { grep -q subscription "$DIR/follow.log"; }
wait_for 10 "the answer to follow" follows

# --- peers and routes ----------------------------------------------------------------------------------
bird_start a "10.250.0.0/16"
bird_a=$BIRD_PID
await_peers a
check_seen "a session that comes up" \
	'.type == "peer.state" and .data.peering == "a" and .data.vnet == "prod" and .data.to == "Established"'
check_seen "and the states before" '.type == "peer.state" and .data.to == "OpenConfirm"'
check_seen "a route that is learned" \
	'.type == "route.changed" and .data.vnet == "prod" and (.data.prefixes | index("10.250.0.0/16"))'
announce a
check_seen "a session is not told when only routes change" '.type == "route.changed" and .seq > 1'
ctl peering reset --name a --message "by the test" >/dev/null
check_seen "our NOTIFICATION" '.type == "peer.notification" and .data.direction == "sent"
	and .data.code == 6 and .data.codeName == "Cease" and .data.text == "by the test"'
await_peers a
kill -STOP "$bird_a"
kill -KILL "$bird_a"
check_seen "a session that is lost" \
	'.type == "peer.state" and .data.peering == "a" and .data.from == "Established"'
check "the same as lines for people" wait_for 10 "the line" \
	grep -q 'Z peer.state peering=a vnet=prod from=OpenConfirm to=Established' "$DIR/text.log"
check_not "without the kinds that were not asked for" grep -q route.changed "$DIR/text.log"
check "rpc --follow prints the answer and what follows" wait_for 10 "a notification" \
	grep -q '"method":"monitor.event".*"type":"route.changed"' "$DIR/follow.log"
check "each line is a notification with all members" jq -es \
	'length > 5 and all(.jsonrpc == "2.0" and .method == "monitor.event" and (.params |
	(.subscription == 1) and (.seq | type == "number") and (.time | endswith("Z")) and (.monotonicUsec > 0)
	and (.data | type == "object")))' "$EVENTS"
check "in the order of their numbers" jq -es '[.[].params.seq] | . == (sort | unique)' "$EVENTS"

# --- configuration ----------------------------------------------------------------------------------------
check "a reload" run_logged ctl config reload
check_seen "is told" '.type == "config.applied" and .data.cause == "reload" and .data.generation == 2'
edit_config '.vnets[0].peerings[0].peerAsn = 0'
check_not "a configuration with an error" ctl config reload
check_seen "is told" '.type == "config.refused" and .data.path == "vnets[0].peerings[0].peerAsn"'
mgmt_config a b

# --- subscriptions -------------------------------------------------------------------------------------------
# Several on one connection, by hand: answers and notifications of the two.
ask() { # LINE...: one connection; all that came within a second, in $DIR/asked
	{ printf '%s\n' "$@"; sleep 1; } | timeout -s KILL 3 nc -U "/run/$ID/xrs.sock" >"$DIR/asked" 2>&1
	true
}
ask '{"jsonrpc":"2.0","id":1,"method":"monitor.subscribe","params":{"types":["config.applied"],"replay":1}}' \
	'{"jsonrpc":"2.0","id":2,"method":"monitor.subscribe","params":{"types":["peer.*"],"replay":4096}}' \
	'{"jsonrpc":"2.0","id":3,"method":"monitor.unsubscribe","params":{"subscription":2}}' \
	'{"jsonrpc":"2.0","id":4,"method":"monitor.unsubscribe","params":{"subscription":7}}'
answers() { jq -ces "$1" "$DIR/asked"; }
check "replay hands out the latest event of that kind" answers \
	'[.[] | select(.params.subscription == 1)] | length == 1 and .[0].params.type == "config.applied"'
check "two subscriptions have names of their own" answers \
	'[.[] | select(.result.subscription)] | map(.result.subscription) == [1, 2]'
check "one ends" answers '[.[] | select(.id == 3)][0].result == {}'
check "one that is not there is NotFound" answers '[.[] | select(.id == 4)][0].error.code == -32001'
refused() { # NAME PARAMS JQ
	check "$1" jq -e "$3" <(ctl rpc monitor.subscribe "$2" 2>/dev/null)
}
refused "a kind that does not exist" '{"types":["peer.sate"]}' \
	'.error.code == -32602 and .error.data.didYouMean == "peer.state"'
refused "a parameter that does not exist" '{"type":["peer.state"]}' \
	'.error.data.didYouMean == "types"'

# --- a reader that does not read ------------------------------------------------------------------------------
# It is stopped while more happens than the ring keeps; afterwards it hears how much it missed.
spawn slow "$XRSCTL" -s "/run/$ID/xrs.sock" -j monitor config.applied
slow=$spawned
one_more() { [ "$(wc -l <"$DIR/slow.log")" -ge 1 ]; }
ctl config reload >/dev/null
wait_for 10 "the slow reader to read" one_more
kill -STOP "$slow"
reloads() { # MANY
	yes '{"jsonrpc":"2.0","id":1,"method":"config.reload"}' | head -n "$1" |
		timeout 120 nc -N -U "/run/$ID/xrs.sock" >"$DIR/reloads"
	[ "$(grep -c '"result"' "$DIR/reloads")" -eq "$1" ]
}
check "9,000 events while it stands still: nobody waits for it" reloads 9000
kill -CONT "$slow"
lost() { jq -es '[.[] | select(.method == "monitor.lost")] | length >= 1 and all(.params.count > 0)' "$DIR/slow.log"; }
check "then it hears how many it missed" wait_for 20 "monitor.lost" lost
last=$(ctl -j rpc monitor.subscribe '{}' | jq .seq)
caught_up() { [ "$(tail -n 1 "$DIR/slow.log" | jq .params.seq)" = "$last" ]; }
check "and goes on to the latest" wait_for 20 "event $last" caught_up
finish
