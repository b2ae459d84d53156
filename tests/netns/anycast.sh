#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Anycast: two regions, each a vnet with its own route server and appliance, announce one prefix. Each region
# uses its own appliance; each appliance also peers with the other region's route server, where its path is
# longer, so that the other region takes over when the own one is gone.
#
#   west 10.1.0.0/16: vm1, fw 10.1.2.4 AS 65001 - br0 - xrsd 10.1.255.4 AS 65515
#   east 10.2.0.0/16: evm, efw 10.2.2.4 AS 65002 - br1 - xrsd 10.2.255.4 AS 65514        west and east are peered
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

IP4[evm]=10.2.1.4 IP6[evm]=fd00:2::1:4 MAC[evm]=02:00:00:00:03:04
IP4[efw]=10.2.2.4 IP6[efw]=fd00:2::2:4 MAC[efw]=02:00:00:00:04:04
GW2=02:00:00:00:00:02 WEST=$RS4 EAST=10.2.255.4

peerings() { # their own one first
	local name
	for name in "$@"; do
		echo "{ \"name\": \"$name\", \"peerIp\": \"${IP4[$name]}\", \"peerAsn\": $([ $name = fw ] && echo 65001 ||
			echo 65002), \"connectRetryTime\": 1 }"
	done | paste -sd,
}
write_config() {
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "vnets": [
	    { "name": "west", "addressPrefixes": ["10.1.0.0/16"], "gateway": { "macs": ["$GW"] },
	      "routeServer": { "localAddress": "$WEST" }, "peerings": [ $(peerings fw efw) ] },
	    { "name": "east", "addressPrefixes": ["10.2.0.0/16"], "gateway": { "macs": ["$GW2"] },
	      "routeServer": { "asn": 65514, "localAddress": "$EAST" }, "peerings": [ $(peerings efw fw) ],
	      "virtualNetworkPeerings": [ { "remoteVnet": "west" } ] } ],
	  "nics": [ { "match": { "master": "br0" }, "vnet": "west" }, { "match": { "master": "br1" }, "vnet": "east" } ]
	}
	END
}
east_node() { # NODE
	new_ns "$1"
	new_veth "$1"
	run_logged ip -n "$ID-$1" addr add "${IP4[$1]}/16" dev eth0
	run_logged ip -n "$ID-$1" link set eth0 up
	run_logged ip -n "$ID-$1" route add default via 10.2.0.1
	host_ip link set "$1" master br1 up
}

lab_host
lab_bridge
host_ip addr add $EAST/32 dev lo
host_ip link add br1 address $GW2 type bridge forward_delay 0 mcast_snooping 0
host_ip link set br1 up
host_ip addr add 10.2.0.1/16 dev br1
for n in vm1 fw; do veth_node $n; done
on_bridge vm1 fw
for n in evm efw; do east_node $n; done
for n in fw efw; do
	announce $n 198.51.100.1/32
	run_logged ip -n "$ID-$n" addr add 198.51.100.1/32 dev lo
done
write_config
xrs_start
await_nic evm attached || abandon "evm is attached"
RS2[fw]="$EAST 65514 1"
nva_up fw 65001
RS4=$EAST RS_ASN[efw]=65514 RS2[efw]="$WEST 65515 1"
nva_up efw 65002
up() { ctl -j peering list | jq -e 'all(.value[]; .state == "Established") and (.value | length) == 4'; }
wait_for $WAIT "four sessions" up || abandon "both appliances peer with both route servers"
ok "both appliances peer with both route servers, also across the vnet peering"

A="VirtualNetworkGateway Active VirtualNetworkGateway"
for n in vm1 evm fw efw; do port_open $n $n pkt eth0; done
in_ns vm1 ping -q -c 1 -W 5 10.1.0.1 >/dev/null
in_ns evm ping -q -c 1 -W 5 10.2.0.1 >/dev/null
check_routes "west uses its own appliance" vm1 198.51.100.1/32 "$A ${IP4[fw]}"
check_routes "east its own" evm 198.51.100.1/32 "$A ${IP4[efw]}"
await_fib
send vm1 vm1 id=1 dst=198.51.100.1
send evm evm id=2 dmac=$GW2 dst=198.51.100.1
wait_for 5 "frame 1" seen fw 1 >/dev/null
wait_for 5 "frame 2" seen efw 2 >/dev/null
check "a frame of west stays in west" seen fw 1
check "one of east in east" seen efw 2

nva_down fw KILL
check_routes "west's appliance dies: east takes over" vm1 198.51.100.1/32 "$A ${IP4[efw]}"
check_routes "east is as it was" evm 198.51.100.1/32 "$A ${IP4[efw]}"
await_fib
send vm1 vm1 id=3 dst=198.51.100.1
wait_for 5 "frame 3" seen efw 3 >/dev/null
check "west's frames cross to east's appliance" seen efw 3
check "and answers come back" in_ns vm1 ping -q -c 3 -i 0.1 -W 5 198.51.100.1
RS4=$WEST
nva_up fw 65001
check_routes "west's appliance is back: so are west's frames" vm1 198.51.100.1/32 "$A ${IP4[fw]}"
finish
