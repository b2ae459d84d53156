#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Listen ranges: whoever connects out of a prefix becomes a peer, if its AS number is allowed and there is
# room; a peering with an address goes before; peers that stay away are forgotten.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/peers.sh"

same_as() { # EXPECTED COMMAND...
	local expected=$1 now
	shift
	now=$("$@")
	[ "$now" = "$expected" ] || { echo "$now"; return 1; }
}

sum_dropped() {
	ctl -j peering list | jq '[.value[] | select(.name | startswith("spokes-")) | .connectionsDropped] | add'
}

routes_left() {
	ctl -j route list --prefix 100.0.9.0/24 | jq -c '[.value[].prefix]'
}

loop_host
configure '[
  { "name": "spokes", "peerRange": "10.1.2.0/24", "peerAsns": [65001, "65010-65019"], "maxPeers": 3, "peerIdleTime": 3 },
  { "name": "narrow", "peerRange": "10.1.2.64/26", "peerAsn": 65200 },
  { "name": "fixed", "peerAsn": 65300, "peerIp": "10.1.2.9", "passive": true }
]'
xrs_start
check "the range listens" peering_holds spokes \
	'.state == "Listening" and .peerRange == "10.1.2.0/24" and .peers == 0 and .maxPeers == 3'

# --- coming and going ----------------------------------------------------------------------------
peers seven speak 10.1.2.7 65012 1 10
seven=$spawned
check_soon "a peer out of the range is made and comes up" peering_holds spokes-10.1.2.7 \
	'.state == "Established" and .dynamic and .peerAsn == 65012 and .peerIp == "10.1.2.7" and .pfxRcd == 10'
check "it is listed beside the range and the others" peerings_are fixed narrow spokes spokes-10.1.2.7
check "the range counts it" peering_holds spokes '.peers == 1 and .peersAccepted == 1'
check_not "a range itself can not be reset" ctl -j peering reset spokes
check "its peer can" ctl -j peering reset spokes-10.1.2.7
check_soon "and comes back" peering_holds spokes-10.1.2.7 \
	'.state == "Established" and .connectionsEstablished == 2 and .pfxRcd == 10'
peers nine speak 10.1.2.9 65300 1 1
check_soon "an address with a peering of its own is not the range's" peering_holds fixed \
	'.state == "Established" and (.dynamic | not)'
peers ninety speak 10.1.2.90 65200 1 1
check_soon "the longest prefix makes the peer" peering_holds narrow-10.1.2.90 '.state == "Established"'
stop_pid "$seven"
check_soon "a peer that stays away is forgotten" peerings_are fixed narrow narrow-10.1.2.90 spokes
check "with its routes" same_as '[]' routes_left

# --- who may not ------------------------------------------------------------------------------------
peers wrong speak 10.1.2.20 65099 1 1
check_soon "an AS number that is not listed gets OPEN error 2/2" figure_is wrong notified 2/2
check "and has no session" peering_holds spokes-10.1.2.20 '.state != "Established"'
stop_pid "$spawned"
check_soon "it is forgotten as well" peerings_are fixed narrow narrow-10.1.2.90 spokes
peers stranger speak 10.1.3.1 65012 1 1
check_soon "an address outside gets Cease 6/5" figure_is stranger notified 6/5
stop_pid "$spawned"
peers five speak 10.1.2.30 65010 5 1
check_soon "as many as there is room for come up" figure_is five established 3
check_soon "the others get Cease 6/8" figure_is five notified 6/8
check_soon "and are counted" peering_holds spokes '.peers == 3 and .peersRefused > 0'
reconfigure '.vnets[0].peerings[0].maxPeers = 5'
check_soon "with more room they come up" figure_is five established 5
check "those that were up stayed up" same_as 0 sum_dropped
# --- a changed configuration ----------------------------------------------------------------------
reconfigure '.vnets[0].peerings += [{ name: "own", peerAsn: 65010, peerIp: "10.1.2.30", passive: true }]'
check_soon "a peer that gets a peering of its own moves there" peering_holds own \
	'.state == "Established" and (.dynamic | not)'
check "and the range has one less" peering_holds spokes '.peers == 4'
reconfigure 'del(.vnets[0].peerings[0])'
check_soon "without the range its peers go" peerings_are fixed narrow narrow-10.1.2.90 own
check_soon "and are told that they are de-configured" grep -q "notified 6/3" "$DIR/five.log"
check "the others' sessions were never touched" peering_holds narrow-10.1.2.90 '.connectionsDropped == 0'
check "xrsd is the process that was started" is_running "$XRS_PID"
finish
