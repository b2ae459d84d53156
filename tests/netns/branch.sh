#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Gateways. hubRoutingPreference says whose path wins before AS_PATH lengths are compared. Routes go between
# NVAs and gateways, and between gateways, only with allowBranchToBranchTraffic; switching it acts at once on
# sessions that are up.
#
#   vm1, nva (fw, AS 65001), er (fw2, AS 12076), vpn (fw3, AS 65010); one bridge, 10.1.0.0/16
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

NVA=${IP4[fw]} ER=${IP4[fw2]} VPN=${IP4[fw3]}

write_config() {
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "vnets": [ {
	    "name": "prod", "addressPrefixes": ["10.1.0.0/16"], "gateway": { "macs": ["$GW"] },
	    "routeServer": { "localAddress": "$RS4" },
	    "peerings": [
	      { "name": "nva", "peerAsn": 65001, "peerIp": "$NVA", "connectRetryTime": 1 },
	      { "name": "nva2", "peerAsn": 65009, "peerIp": "10.1.2.7", "connectRetryTime": 1 },
	      { "name": "er", "peerAsn": 12076, "peerIp": "$ER", "role": "expressRoute", "connectRetryTime": 1 },
	      { "name": "vpn", "peerAsn": 65010, "peerIp": "$VPN", "role": "vpnGateway", "connectRetryTime": 1 } ]
	  } ],
	  "nics": [ { "match": { "name": "vm1" }, "vnet": "prod" } ]
	}
	END
}
PREFERENCE='.vnets[0].routeServer.hubRoutingPreference'
BRANCH='.vnets[0].routeServer.allowBranchToBranchTraffic'
IP4[fw4]=10.1.2.7 IP6[fw4]=fd00:1::2:7 MAC[fw4]=02:00:00:00:02:07

lab_host
lab_bridge
for n in vm1 fw fw2 fw3 fw4; do veth_node $n; done
on_bridge vm1 fw fw2 fw3 fw4
# What each of them announces of the same prefixes: "n" is the number of times that it prepends.
announce fw 10.10.0.0/16
announce fw2 10.10.0.0/16 prepend=3
announce fw3 10.10.0.0/16 prepend=1
announce fw 10.11.0.0/16 prepend=2
announce fw2 10.11.0.0/16
announce fw3 10.11.0.0/16 prepend=2
announce fw2 10.12.0.0/16 prepend=1
announce fw3 10.12.0.0/16 prepend=1
announce fw2 10.12.8.0/24 prepend=3
announce fw 10.66.0.0/16
announce fw2 10.20.0.0/16
announce fw3 10.30.0.0/16
write_config
xrs_start
await_nic vm1 attached || abandon "vm1 is attached"
nva_up fw 65001
nva_up fw2 12076
nva_up fw3 65010
nva_up fw4 65009
await_established nva er vpn nva2
for n in vm1 fw fw2 fw3; do
	port_open $n $n pkt eth0
	in_ns $n ping -q -c 1 -W 5 10.1.0.1 >/dev/null
done
since() { for p in nva er vpn nva2; do peering $p .establishedTime; done; }
up=$(since)

best() { # PREFIX: next hops that vm1 uses
	ctl -j nic list-effective-routes --name vm1 | jq -r --arg p "$1" '[.value[] | select(.state == "Active"
		and ([.addressPrefix] | flatten | index($p))) | .nextHopIpAddress[]] | sort | join(" ")'
}
lost() { # PREFIX: "PEERING:STEP" of those that lost, by name
	ctl -j route explain "$1" | jq -r '[.candidates[] | select(.lostAtStep) | "\(.peering):\(.lostAtStep)"]
		| sort | join(" ")'
}
_id=0
goes_to() { # NAME DST PORT
	_id=$((_id + 1))
	await_fib
	send vm1 vm1 id=$_id dst="$2"
	wait_for 5 "frame $_id at $3" seen "$3" $_id >/dev/null
	check "$1" seen "$3" $_id
}
check_best() { # TEXT PREFIX NEXTHOPS LOSERS
	check_soon "$1" same_output "$3" best "$2"
	check_equal "$1: why the others lost" "$4" "$(lost "$2")"
}

# --- hubRoutingPreference ------------------------------------------------------------------------------
check_best "ExpressRoute (the default): its path wins although it is the longest" 10.10.0.0/16 "$ER" \
	"nva:hubRoutingPreference vpn:hubRoutingPreference"
goes_to "and gets the frames" 10.10.0.1 fw2
reload_with "$PREFERENCE = \"VpnGateway\""
check_best "VpnGateway: VPN and NVA beat ExpressRoute, the shorter AS_PATH of these two wins" 10.10.0.0/16 \
	"$NVA" "er:hubRoutingPreference vpn:asPathLength"
goes_to "the NVA gets the frames" 10.10.0.1 fw
check_best "VpnGateway: VPN and NVA of equal length share, ExpressRoute's shorter path is not used" \
	10.11.0.0/16 "$NVA $VPN" "er:hubRoutingPreference"
check_best "without an NVA the VPN gateway wins over ExpressRoute of equal length" 10.12.0.0/16 "$VPN" \
	"er:hubRoutingPreference"
goes_to "longest prefix first, whatever the preference" 10.12.8.1 fw2
reload_with "$PREFERENCE = \"ASPath\""
check_best "ASPath: the shortest path wins, whatever the source" 10.11.0.0/16 "$ER" \
	"nva:asPathLength vpn:asPathLength"
check_best "ASPath: here the NVA's" 10.10.0.0/16 "$NVA" "er:asPathLength vpn:asPathLength"
check_best "ASPath: equal lengths share, ExpressRoute and VPN too" 10.12.0.0/16 "$ER $VPN" ""
reload_with "$PREFERENCE = \"ExpressRoute\""
check_best "back to ExpressRoute" 10.11.0.0/16 "$ER" "nva:hubRoutingPreference vpn:hubRoutingPreference"

# --- branch to branch ----------------------------------------------------------------------------------
check_soon "off: a gateway is told of the vnet only" same_output "10.1.0.0/16" told_prefixes fw2
check_soon "off: the other gateway too" same_output "10.1.0.0/16" told_prefixes fw3
check_soon "off: an NVA hears of other NVAs, of no gateway" same_output "10.1.0.0/16 10.66.0.0/16" \
	told_prefixes fw4
reload_with "$BRANCH = true"
check_soon "on: ExpressRoute hears of the VPN's branches and of NVAs" same_output \
	"10.1.0.0/16 10.30.0.0/16 10.66.0.0/16" told_prefixes fw2
check_soon "on: the VPN gateway hears of ExpressRoute's and of NVAs" same_output \
	"10.1.0.0/16 10.10.0.0/16 10.11.0.0/16 10.12.0.0/16 10.12.8.0/24 10.20.0.0/16 10.66.0.0/16" \
	told_prefixes fw3
check_soon "on: an NVA hears of both" same_output \
	"10.1.0.0/16 10.10.0.0/16 10.11.0.0/16 10.12.0.0/16 10.12.8.0/24 10.20.0.0/16 10.30.0.0/16 10.66.0.0/16" \
	told_prefixes fw4
check_soon "our AS number in front, next hop as it was" same_output "10.20.0.0/16 via $ER path 65515 12076" \
	told_of fw3 10.20.0.0/16
reload_with "$BRANCH = false"
check_soon "off again: what was exchanged is withdrawn from the VPN gateway" same_output "10.1.0.0/16" \
	told_prefixes fw3
check_soon "from ExpressRoute" same_output "10.1.0.0/16" told_prefixes fw2
check_soon "and from the NVA" same_output "10.1.0.0/16 10.66.0.0/16" told_prefixes fw4
check_routes "the VMs use the gateways' routes all the while" vm1 10.20.0.0/16 \
	"VirtualNetworkGateway Active VirtualNetworkGateway $ER"

# By the API, once the file leaves it open.
reload_with "del($BRANCH)"
check "routeserver update switches it as well" ctl routeserver update --allow-branch-to-branch-traffic true
check_soon "at once" same_output "10.1.0.0/16 10.30.0.0/16 10.66.0.0/16" told_prefixes fw2
run_logged ctl routeserver update --allow-branch-to-branch-traffic false
check_soon "both ways" same_output "10.1.0.0/16" told_prefixes fw2

# --- roles -------------------------------------------------------------------------------------------------
reload_with '(.vnets[0].peerings[] | select(.name == "vpn")).role = "nva"'
check_soon "a peering that becomes an NVA exchanges with NVAs at once" same_output \
	"10.1.0.0/16 10.30.0.0/16 10.66.0.0/16" told_prefixes fw4
reload_with '(.vnets[0].peerings[] | select(.name == "vpn")).role = "vpnGateway"'
check_soon "and stops when it is a gateway again" same_output "10.1.0.0/16 10.66.0.0/16" told_prefixes fw4
check_equal "no session was reset by any of this" "$up" "$(since)"
finish
