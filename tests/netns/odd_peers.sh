#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Peers that are old or restless: one that knows no capabilities, one that flaps, and every NOTIFICATION that
# a peer may send. A good peer must not notice.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/peers.sh"

check_peering() { # TEXT NAME JQ-CONDITION
	check "$1" peering_holds "$2" "$3"
}

loop_host
configure '[
  { "name": "good", "peerAsn": 65001, "peerIp": "10.1.2.1", "passive": true },
  { "name": "old", "peerAsn": 65002, "peerIp": "10.1.2.2", "passive": true },
  { "name": "flap", "peerAsn": 65003, "peerIp": "10.1.2.3", "passive": true },
  { "name": "tell", "peerAsn": 65004, "peerIp": "10.1.2.4", "passive": true }
]'
xrs_start
peers good speak 10.1.2.1 65001 1 10
check_soon "a good peer is up" peering_holds good '.state == "Established" and .pfxRcd == 10'

# --- old ----------------------------------------------------------------------------------------------

peers old old 10.1.2.2 65002 1 5
old=$spawned
check_soon "a peer that knows no optional parameters comes up, without any" peering_holds old \
	'.state == "Established" and .capabilitiesSent == ["ipv4-unicast"] and .capabilitiesInForce == ["ipv4-unicast"]'
check_peering "what it said before is kept: 2/4" old '.notificationReceived | .code == 2 and .subcode == 4'
check_soon "its routes are learned" peering_holds old '.pfxRcd == 5'
check_soon "and it has those of others" peering_holds old '.pfxSnt == 11'
stop_pid "$old"
reconfigure '(.vnets[0].peerings[] | select(.name == "old")).capabilities.fourOctetAs = "require"'
peers old2 old 10.1.2.2 65002 1 5
check_soon "where a capability is required it is refused with 2/7" peering_holds old \
	'.state != "Established" and .notificationSent.code == 2 and .notificationSent.subcode == 7'
stop_pid "$spawned"

# --- restless --------------------------------------------------------------------------------------------

# The back-off doubles from a second on (RFC 4271 8.1.1, DampPeerOscillations); it tries again each 0.2 s.
began=$SECONDS
peers flap flap 10.1.2.3 65003 1
restless=$spawned
check_soon "a peer that closes at once is let in again" peering_holds flap '.connectionsEstablished >= 2'
check_soon "later and later" peering_holds flap '.connectionsEstablished >= 5'
check "five times took longer than its own pace of a second" test $((SECONDS - began)) -ge 4
check_soon "it is refused meanwhile" figure_above flap closed 20
check_peering "and counted" flap '.connectionsDropped >= 4'
stop_pid "$restless"
run_logged ctl -j peering reset flap
peers calm speak 10.1.2.3 65003 1 3
check_soon "a reset by hand ends the back-off" peering_holds flap '.state == "Established" and .pfxRcd == 3'
stop_pid "$spawned"

# --- what they may say ---------------------------------------------------------------------------------------

told() { # CODE/SUBCODE: it came, ended the session, and is shown with its name
	peering_holds tell ".connectionsEstablished > 0 and (.lastReset.notification |
		.direction == \"received\" and .code == ${1%/*} and .subcode == ${1#*/} and (.codeName | length > 0))"
}

for what in 1/1 1/2 1/3 2/1 2/6 3/1 3/6 3/11 4/0 5/3 6/1 6/8 7/1 8/0 99/7; do
	run_logged ctl -j peering reset tell
	peers "tell-${what/\//-}" tell 10.1.2.4 65004 1 0 $what
	check_soon "NOTIFICATION $what of a peer ends the session and is kept" told $what
	stop_pid "$spawned"
done

check "the good peer's session is the same" peering_holds good \
	'.state == "Established" and .connectionsDropped == 0 and .pfxRcd == 10'
check "xrsd is the process that was started" is_running "$XRS_PID"
finish
