#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Peered vnets. A spoke without a route server of its own uses the hub's: the hub's learned routes are
# programmed into the spoke's nics, and the hub's appliances are told the spoke's prefixes. Direct peers
# only. A peering that comes or goes acts on both sides at once, and no session is reset.
#
#   fw 10.1.2.4 AS 65001 (BIRD), vm1 - br0 - hub 10.1.0.0/16, xrsd 10.1.255.4 AS 65515
#   sp1 10.2.1.4 - br1 - spoke1 10.2.0.0/16        sp2 (a tap) - spoke2 10.3.0.0/16
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

IP4[sp1]=10.2.1.4 IP6[sp1]=fd00:2::1:4 MAC[sp1]=02:00:00:00:03:04
GW2=02:00:00:00:00:02

write_config() {
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "vnets": [ {
	    "name": "hub", "addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"], "gateway": { "macs": ["$GW"] },
	    "routeServer": { "localAddress": "$RS4", "localAddress6": "fd00:1::4" },
	    "peerings": [ { "name": "fw", "peerAsn": 65001, "peerIp": "${IP4[fw]}", "connectRetryTime": 1,
	      "families": ["ipv4-unicast", "ipv6-unicast"] } ]
	  }, {
	    "name": "spoke1", "addressPrefixes": ["10.2.0.0/16", "fd00:2::/48"], "gateway": { "macs": ["$GW2"] },
	    "virtualNetworkPeerings": [ { "remoteVnet": "hub" } ]
	  }, {
	    "name": "spoke2", "addressPrefixes": ["10.3.0.0/16"],
	    "virtualNetworkPeerings": [ { "remoteVnet": "hub", "useRemoteRouteServer": true } ]
	  } ],
	  "nics": [ { "match": { "name": "vm*" }, "vnet": "hub" },
	            { "match": { "name": "sp1" }, "vnet": "spoke1" },
	            { "match": { "name": "sp2" }, "vnet": "spoke2" } ]
	}
	END
}
SHARES='.vnets[1].virtualNetworkPeerings[0].useRemoteRouteServer'

spoke_node() { # the VM of spoke1 on a bridge and with a gateway of its own
	host_ip link add br1 address $GW2 type bridge forward_delay 0 mcast_snooping 0
	host_ip link set br1 up
	host_ip addr add 10.2.0.1/16 dev br1
	host_ip addr add fd00:2::1/64 dev br1 nodad
	new_ns sp1
	new_veth sp1
	run_logged ip -n "$ID-sp1" addr add "${IP4[sp1]}/16" dev eth0
	run_logged ip -n "$ID-sp1" addr add "${IP6[sp1]}/64" dev eth0 nodad
	run_logged ip -n "$ID-sp1" link set eth0 up
	run_logged ip -n "$ID-sp1" route add default via 10.2.0.1
	run_logged ip -n "$ID-sp1" -6 route add default via fd00:2::1
	host_ip link set sp1 master br1 up
}

lab_host
lab_bridge
host_ip addr add fd00:1::4/128 dev lo
veth_node vm1
veth_node fw
on_bridge vm1 fw
spoke_node
host_ip tuntap add dev sp2 mode tap
run_logged ip -n "$ID-fw" addr add 10.250.0.10/32 dev lo
run_logged ip -n "$ID-fw" addr add fd77::10/128 dev lo
announce fw 10.250.0.0/16
announce fw 10.0.0.0/8
announce fw 10.2.99.0/24
announce fw fd77::/48
write_config
xrs_start
await_nic sp1 attached || abandon "sp1 is attached"
nva_up fw 65001
await_established fw
since=$(peering fw .establishedTime)

# --- peered, each with its own routes -------------------------------------------------------------------
check_routes "the hub's VM has the appliance's route" vm1 10.250.0.0/16 \
	"VirtualNetworkGateway Active VirtualNetworkGateway ${IP4[fw]}"
check_routes "a peered vnet's prefix is VnetLocal" sp1 10.1.0.0/16 "Default Active VnetLocal"
check_routes "on both sides, although only one lists the other" vm1 10.2.0.0/16 "Default Active VnetLocal"
check_equal "without useRemoteRouteServer the spoke learns nothing" "" "$(routes_of sp1 10.250.0.0/16)"
check_soon "and the appliance is told of those who have it" same_output \
	"10.1.0.0/16 10.3.0.0/16 fd00:1::/48" told_prefixes fw
check_equal "vnet show: whose route server it uses" '[null,"hub"]' "$(for v in spoke1 spoke2; do
	ctl -j vnet show --name $v | jq .usesRouteServerOf; done | jq -sc .)"

# --- useRemoteRouteServer ------------------------------------------------------------------------------
reload_with "$SHARES = true"
check_routes "with it the hub's routes are programmed into the spoke's nic" sp1 10.250.0.0/16 \
	"VirtualNetworkGateway Active VirtualNetworkGateway ${IP4[fw]}"
check_routes "IPv6 as well" sp1 fd77::/48 \
	"VirtualNetworkGateway Active VirtualNetworkGateway ${IP6[fw]}"
check_soon "the appliance is told the spoke's prefix: our AS, our address" same_output \
	"10.2.0.0/16 via $RS4 path 65515" told_of fw 10.2.0.0/16
check_soon "and all of them" same_output "10.1.0.0/16 10.2.0.0/16 10.3.0.0/16 fd00:1::/48 fd00:2::/48" \
	told_prefixes fw
check_routes "a prefix inside the spoke's own is not installed there" sp1 10.2.99.0/24 \
	"VirtualNetworkGateway Invalid VirtualNetworkGateway ${IP4[fw]} OwnPrefix"
check_routes "nor in the hub: the spoke is a peered vnet" vm1 10.2.99.0/24 \
	"VirtualNetworkGateway Invalid VirtualNetworkGateway ${IP4[fw]} OwnPrefix"
check_routes "a supernet of them is" sp1 10.0.0.0/8 \
	"VirtualNetworkGateway Active VirtualNetworkGateway ${IP4[fw]}"
check_equal "spokes are not transitive: no VnetLocal of the other spoke" "" "$(routes_of sp1 10.3.0.0/16)"
explained() { ctl -j route explain 10.250.0.0/16 --vnet spoke1 |
	jq -c '[.candidates[] | [.peering, .best, .installStatus]], .dataplane'; }
check_soon "route explain speaks of the spoke's table" same_output \
	$'[["fw",true,"installed"]]\n"installed"' explained

await_fib
for n in sp1 fw; do port_open $n $n pkt eth0; done
in_ns sp1 ping -q -c 1 -W 5 10.2.0.1 >/dev/null
send sp1 sp1 dmac=$GW2 id=1 ttl=64 dst=10.250.0.10
wait_for 5 "frame 1 at fw" seen fw 1 >/dev/null
check "a frame of the spoke's VM reaches the appliance on the hub's bridge, addressed to it" \
	grep -q "^id=1 .*dmac=${MAC[fw]}.* ttl=63" "$DIR/fw.seen" || diag "$(grep '^id=1 ' "$DIR/fw.seen")"
check "and the answer comes back" in_ns sp1 ping -q -c 3 -i 0.1 -W 5 10.250.0.10
check "the same with IPv6" in_ns sp1 ping -q -c 3 -i 0.1 -W 5 fd77::10

# --- changes while it runs ---------------------------------------------------------------------------------
announce fw 10.251.0.0/16
check_routes "a new route reaches the spoke's nic" sp1 10.251.0.0/16 \
	"VirtualNetworkGateway Active VirtualNetworkGateway ${IP4[fw]}"
withdraw fw 10.251.0.0/16
check_routes "one that is withdrawn leaves it" sp1 10.251.0.0/16 ""
reload_with '.vnets[1].addressPrefixes += ["10.22.0.0/16"]'
check_soon "a prefix more of the spoke is told at once" same_output \
	"10.1.0.0/16 10.2.0.0/16 10.22.0.0/16 10.3.0.0/16 fd00:1::/48 fd00:2::/48" told_prefixes fw
reload_with 'del(.vnets[1].virtualNetworkPeerings)'
check_routes "the peering goes: the spoke's nic has none of the hub's routes" sp1 10.250.0.0/16 ""
check_routes "nor its prefix" sp1 10.1.0.0/16 ""
check_routes "nor the hub the spoke's" vm1 10.2.0.0/16 ""
check_routes "what lay inside it is the hub's to use now" vm1 10.2.99.0/24 \
	"VirtualNetworkGateway Active VirtualNetworkGateway ${IP4[fw]}"
check_soon "the appliance is told" same_output "10.1.0.0/16 10.3.0.0/16 fd00:1::/48" told_prefixes fw
reload_with '.vnets[0].virtualNetworkPeerings = [{ remoteVnet: "spoke1", useRemoteRouteServer: true }]'
check_routes "written on the hub's side it is the same peering" sp1 10.250.0.0/16 \
	"VirtualNetworkGateway Active VirtualNetworkGateway ${IP4[fw]}"
reload_with 'del(.vnets[1])| .nics |= map(select(.vnet != "spoke1")) | del(.vnets[0].virtualNetworkPeerings)'
check_soon "a spoke that goes whole is withdrawn" same_output "10.1.0.0/16 10.3.0.0/16 fd00:1::/48" \
	told_prefixes fw
check_equal "all of this did not touch the session" "$since" "$(peering fw .establishedTime)"
await_fib
ok "and the maps are as planned"

# --- what can not be ----------------------------------------------------------------------------------------
refused() { # TEXT JQ-PROGRAM PATTERN
	write_config
	edit_config "$2"
	"$XRSD" -t -c "$CONF" >"$DIR/answer" 2>&1
	check "$1" grep -q -- "$3" "$DIR/answer" || diag "$(cat "$DIR/answer")"
}
refused "vnets that overlap can not be peered" '.vnets[2].addressPrefixes += ["10.1.128.0/17"]' \
	"10.1.128.0/17 of 'spoke2' overlaps 10.1.0.0/16 of 'hub': such vnets can not be peered"
refused "two with a route server each do not share one" \
	'.vnets[2].routeServer = { localAddress: "10.3.255.4" }' "exactly one of 'spoke2' and 'hub'"
refused "nor does anybody use two" '.vnets += [{ name: "hub2", addressPrefixes: ["10.9.0.0/16"],
	routeServer: { localAddress: "10.9.255.4" },
	virtualNetworkPeerings: [{ remoteVnet: "spoke2", useRemoteRouteServer: true }] }]' \
	"only one peering may have useRemoteRouteServer"
finish
