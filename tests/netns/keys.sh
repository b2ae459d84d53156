#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# TCP MD5 between two xrsds: a key that both change while the session is up costs no session, for a peering
# with an address (IPv4) and for a range (IPv6); one that only one side changes ends it.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/peers.sh"

SPOKE4=10.1.2.7
SPOKE6=fd00:1::107

key() { # SIDE KEY
	(umask 077 && echo "$2" >"$DIR/$1.key")
}

reload() { # SIDE
	run_logged "${1}_ctl" -j config reload || abandon "reload of $1"
}

hub_ctl() {
	ctl "$@"
}

spoke_ctl() {
	"$XRSCTL" -s "/run/$ID-spoke/xrs.sock" "$@"
}

both() { # JQ-CONDITION: holds for both sessions, as the hub sees them
	peering_holds four "$1" && peering_holds "six-$SPOKE6" "$1"
}

messages() { # of both sessions together
	ctl -j peering list | jq '[.value[] | .msgRcvd // 0] | add'
}

messages_above() {
	[ "$(messages)" -gt "$1" ]
}

loop_host
ip -n "$ID-host" addr add $SPOKE6/64 dev lo nodad
key hub first
key spoke first
configure '[
  { "name": "four", "peerAsn": 65001, "peerIp": "'$SPOKE4'", "passive": true, "holdTime": 6, "passwordFile": "'"$DIR"'/hub.key" },
  { "name": "six", "peerAsn": 65001, "peerRange": "fd00:1::100/120", "holdTime": 6, "peerIdleTime": 600,
    "passwordFile": "'"$DIR"'/hub.key" }
]'
xrs_start
cat >"$DIR/spoke.json" <<END
{ "node": { "instance": "$ID-spoke", "routerId": "$SPOKE4" }, "dataplane": { "mode": "none" },
  "vnets": [ { "name": "prod", "addressPrefixes": ["10.7.0.0/16", "fd00:7::/64"],
    "routeServer": { "asn": 65001, "localAddress": "$SPOKE4", "localAddress6": "$SPOKE6" },
    "peerings": [
      { "name": "four", "peerAsn": 65515, "peerIp": "$RS4", "connectRetryTime": 1, "holdTime": 6,
        "passwordFile": "$DIR/spoke.key" },
      { "name": "six", "peerAsn": 65515, "peerIp": "fd00:1::4", "connectRetryTime": 1, "holdTime": 6,
        "passwordFile": "$DIR/spoke.key" } ] } ] }
END
spawn spoke nsenter --net="/run/netns/$ID-host" "$XRSD" -c "$DIR/spoke.json"

check_soon "with the same key both sessions are authenticated" both '.state == "Established" and .tcpMd5'
check "the one of the range is dynamic" peering_holds "six-$SPOKE6" '.dynamic and .peerAsn == 65001'
for round in second third; do
	key hub $round
	reload hub
	key spoke $round
	reload spoke
	before=$(messages)
	check_soon "messages go on under the $round key" messages_above $((before + 3))
done
check "no session was lost meanwhile" both '.connectionsDropped == 0 and .tcpMd5'
before=$(messages)
check_soon "also after more than a hold time" messages_above $((before + 7))
check "none was" both '.connectionsDropped == 0'

key hub fourth
reload hub
check_soon "a key that only one side changes ends them: the hold timer expires" both '.connectionsDropped > 0'
key spoke fourth
reload spoke
check_soon "with the same key again they come back" both '.state == "Established" and .tcpMd5'
chmod 644 "$DIR/hub.key"
reload hub
check_soon "a key file that others may read is a problem that is shown" peering_holds six \
	'.problem | test("readable by others")'
chmod 600 "$DIR/hub.key"
reload hub
check_soon "and goes away" peering_holds six '.problem == null and .state == "Listening"'
finish
