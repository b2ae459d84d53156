#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# 1,000 sessions on one xrsd: all come up, each with a route of its own, and each is told the routes of all
# others; a configuration that is read again touches none.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/peers.sh"

COUNT=${XRS_SESSIONS:-1000}

summary() { # JQ-PROGRAM over all peers
	ctl -j peering list | jq -c "[.value[] | select(.dynamic)] | $1"
}

summary_is() { # JQ-PROGRAM EXPECTED
	local now
	now=$(summary "$1")
	[ "$now" = "$2" ] || { echo "$now"; return 1; }
}

loop_host
configure '[ { "name": "all", "peerRange": "10.1.0.0/16", "maxPeers": '"$COUNT"' } ]'
xrs_start
peers many speak 10.1.2.1 4200000001 "$COUNT" 1
check_soon "all $COUNT sessions come up" figure_is many established "$COUNT"
check_soon "each with its route" summary_is 'map(.pfxRcd) | add' "$COUNT"
check_soon "each is told all others' and the vnet's" summary_is 'map(.pfxSnt) | unique' "[$COUNT]"
diag "resident: $(sed -n 's/^VmRSS: *//p' "/proc/$XRS_PID/status"), processor: $(awk '{ print ($14 + $15) / 100 }' "/proc/$XRS_PID/stat") s"
reconfigure '.vnets[0].peerings[0].maxPeers += 1'
check "a configuration that is read again resets none" summary_is 'map(.connectionsDropped) | add' 0
reconfigure '.vnets[0].addressPrefixes += ["10.9.0.0/16"]'
check_soon "a new prefix of the vnet goes to all" summary_is 'map(.pfxSnt) | unique' "[$((COUNT + 1))]"
stop_pid "$spawned"
check_soon "when all are gone no route is left" summary_is 'map(.pfxRcd) | add' 0
check "none of them was reset by us" summary_is '[.[] | select(.lastResetReason | test("closed by the peer|reset by peer") | not)] | length' 0
check "xrsd is the process that was started" is_running "$XRS_PID"
finish
