#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Effective routes of a nic: which candidate for a prefix wins, why the others lost, and what frames make of
# it. User routes of all five types, protected prefixes, the vnet's own prefixes, the propagation switches
# (also for one kind of peering alone), and the guard against an appliance's own routes.
#
#   vm1 (table main), vm2 (table custom), fw: NVA, AS 65001, fw2: VPN gateway, AS 65002; one bridge, 10.1.0.0/16
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

FW=${IP4[fw]} VPN=${IP4[fw2]}

write_config() { # the keys and the user routes of table custom
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "vnets": [ {
	    "name": "prod", "addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"], "gateway": { "macs": ["$GW"] },
	    "protectedPrefixes": ["169.254.0.0/16", "168.63.129.16/32"],
	    "routeServer": { "localAddress": "$RS4", "localAddress6": "fd00:1::4" },
	    "peerings": [
	      { "name": "fw", "peerAsn": 65001, "peerIp": "$FW", "connectRetryTime": 1,
	        "families": ["ipv4-unicast", "ipv6-unicast"] },
	      { "name": "vpn", "peerAsn": 65002, "peerIp": "$VPN", "connectRetryTime": 1, "role": "vpnGateway",
	        "families": ["ipv4-unicast", "ipv6-unicast"] } ],
	    "routeTables": [ { "name": "custom", "routes": [
	      { "addressPrefix": "10.50.0.0/16", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "$FW" },
	      { "addressPrefix": "10.51.0.0/16", "nextHopType": "VirtualNetworkGateway" },
	      { "addressPrefix": "10.52.0.0/16", "nextHopType": "VnetLocal" },
	      { "addressPrefix": "10.53.0.0/16", "nextHopType": "Internet" },
	      { "addressPrefix": "10.54.0.0/16", "nextHopType": "None" },
	      { "addressPrefix": "10.250.0.0/16", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "$VPN" },
	      { "addressPrefix": "10.1.4.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "$FW" },
	      { "addressPrefix": "168.63.129.16/32", "nextHopType": "None" },
	      { "addressPrefix": "::/0", "nextHopType": "None" } ] } ]
	  } ],
	  "nics": [ { "match": { "name": "vm1" }, "vnet": "prod" },
	            { "match": { "name": "vm2" }, "vnet": "prod", "routeTable": "custom" },
	            { "match": { "name": "fw*" }, "vnet": "prod", "role": "nva" } ]
	}
	END
}
CUSTOM='.vnets[0].routeTables[0]'

lab_host
lab_bridge
host_ip addr add fd00:1::4/128 dev lo
for n in vm1 vm2 fw fw2; do veth_node $n; done
on_bridge vm1 vm2 fw fw2
announce fw 0.0.0.0/0
announce fw 10.250.0.0/16
announce fw 10.1.3.0/24
announce fw 10.1.0.0/16
announce fw 169.254.7.0/24
announce fw 10.77.0.0/16 prepend=1
announce fw fd77::/48
announce fw2 10.77.0.0/16
announce fw2 10.78.0.0/16
write_config
xrs_start
await_nic vm2 attached || abandon "vm2 is attached"
nva_up fw 65001
nva_up fw2 65002
await_established fw vpn
await_way "$FW" bridge
await_way "$VPN" bridge
for n in vm1 vm2 fw fw2; do
	port_open $n $n pkt eth0
	in_ns $n ping -q -c 1 -W 5 10.1.0.1 >/dev/null
done

_id=0
goes_to() { # NAME FROM DST PORT: a frame of that VM reaches the appliance
	_id=$((_id + 1))
	await_fib
	send "$2" "$2" id=$_id dst="$3"
	wait_for 5 "frame $_id at $4" seen "$4" $_id >/dev/null
	check "$1" seen "$4" $_id
}
counts_as() { # NAME FROM DST REASON: three frames of that VM leave by this reason
	await_fib
	count_from "$2"
	_id=$((_id + 1))
	send "$2" "$2" id=$_id count=3 dst="$3"
	sent "$2"
	counted() { [ $(($(counter "$1" "$2") - $(jq ".$2" "$DIR/.counters-$1"))) -eq 3 ]; }
	check_soon "$1" counted "$2" "$4"
}
BGP="VirtualNetworkGateway Active VirtualNetworkGateway"
LOST="VirtualNetworkGateway Invalid VirtualNetworkGateway"

# --- user routes ---------------------------------------------------------------------------------------
check_routes "VirtualAppliance" vm2 10.50.0.0/16 "User Active VirtualAppliance $FW"
goes_to "leads to the appliance" vm2 10.50.0.1 fw
check_routes "VirtualNetworkGateway" vm2 10.51.0.0/16 "User Active VirtualNetworkGateway $VPN"
goes_to "leads to the gateway peerings" vm2 10.51.0.1 fw2
check_routes "VnetLocal" vm2 10.52.0.0/16 "User Active VnetLocal"
counts_as "passes to the host" vm2 10.52.0.1 local
check_routes "Internet" vm2 10.53.0.0/16 "User Active Internet"
counts_as "passes, and is told apart" vm2 10.53.0.1 internet
check_routes "None" vm2 10.54.0.0/16 "User Active None"
counts_as "drops" vm2 10.54.0.1 none
check_routes "a user route wins over BGP for the same prefix; the loser is listed with the reason" vm2 \
	10.250.0.0/16 "User Active VirtualAppliance $VPN; $LOST $FW UserRoute"
goes_to "its frames go where the user route says" vm2 10.250.0.1 fw2
goes_to "in another table they go where BGP says" vm1 10.250.0.1 fw
check_routes "a user route wins over the system route: ::/0" vm2 ::/0 \
	"User Active None; Default Invalid Internet UserRoute"

# --- BGP, system routes ---------------------------------------------------------------------------------
check_routes "BGP wins over the system route for the same prefix" vm1 0.0.0.0/0 \
	"$BGP $FW; Default Invalid Internet BgpRoute"
goes_to "the default route leads to the appliance" vm1 203.0.113.1 fw
check_routes "IPv6 as well" vm1 fd77::/48 "$BGP ${IP6[fw]}"
check_routes "a BGP prefix equal to the vnet's is not installed" vm1 10.1.0.0/16 \
	"$LOST $FW OwnPrefix; Default Active VnetLocal"
check_routes "nor one inside it" vm1 10.1.3.0/24 "$LOST $FW OwnPrefix"
counts_as "so traffic within the vnet stays there" vm1 10.1.3.9 local
check_routes "only a user route may be more specific there" vm2 10.1.4.0/24 "User Active VirtualAppliance $FW"
goes_to "and it steers traffic within the vnet" vm2 10.1.4.9 fw

# --- protected ---------------------------------------------------------------------------------------------
check_routes "protectedPrefixes win over BGP" vm1 169.254.7.0/24 "$LOST $FW Protected"
counts_as "so the platform's addresses are reached despite an appliance's default route" vm1 168.63.129.16 \
	protected_prefix
counts_as "link-local ones are never looked up at all" vm1 169.254.169.254 special_dst
check_routes "they win over user routes too" vm2 168.63.129.16/32 "Default Active VnetLocal; User Invalid None Protected"
counts_as "in the frames as well" vm2 168.63.129.16 protected_prefix

# --- allowOwnPrefixes -----------------------------------------------------------------------------------
reload_with "$CUSTOM.allowOwnPrefixes = true"
check_routes "allowOwnPrefixes lifts that for one table" vm2 10.1.3.0/24 "$BGP $FW"
goes_to "so that a firewall inspects traffic within the vnet" vm2 10.1.3.9 fw
check_routes "the vnet's other table is as before" vm1 10.1.3.0/24 "$LOST $FW OwnPrefix"

# --- propagation --------------------------------------------------------------------------------------------
check_routes "all sources: the gateway's shorter path wins" vm2 10.77.0.0/16 "$BGP $VPN"
reload_with "$CUSTOM.disableBgpRoutePropagation = true"
check_routes "disableBgpRoutePropagation takes all BGP routes out of the table" vm2 10.77.0.0/16 \
	"$LOST $VPN PropagationDisabled"
check_routes "of NVAs as well" vm2 0.0.0.0/0 "$LOST $FW PropagationDisabled; Default Active Internet"
counts_as "and its frames take the system route" vm2 203.0.113.1 internet
check_routes "not of other tables" vm1 10.77.0.0/16 "$BGP $VPN"
reload_with "del($CUSTOM.disableBgpRoutePropagation) | $CUSTOM.disablePropagationFrom = [\"gateway\"]"
check_routes "disablePropagationFrom gateway: the NVA's path is next, although it is longer" vm2 10.77.0.0/16 \
	"$BGP $FW"
goes_to "and gets the frames" vm2 10.77.0.1 fw
goes_to "while another table follows the gateway" vm1 10.77.0.1 fw2
check_routes "what only the gateway announced is out" vm2 10.78.0.0/16 "$LOST $VPN PropagationDisabled"
check_routes "the NVA's routes stay" vm2 0.0.0.0/0 "$BGP $FW; Default Invalid Internet BgpRoute"
withdraw fw 10.77.0.0/16
check_routes "the NVA withdraws: nothing is left for this table" vm2 10.77.0.0/16 \
	"$LOST $VPN PropagationDisabled"
announce fw 10.77.0.0/16 prepend=1
check_routes "and back" vm2 10.77.0.0/16 "$BGP $FW"
reload_with "$CUSTOM.disablePropagationFrom = [\"nva\"]"
check_routes "disablePropagationFrom nva: the other way round" vm2 10.77.0.0/16 "$BGP $VPN"
check_routes "no default route of the NVA" vm2 0.0.0.0/0 \
	"$LOST $FW PropagationDisabled; Default Active Internet"
reload_with "del($CUSTOM.disablePropagationFrom)"
check_routes "without it all is as at the beginning" vm2 0.0.0.0/0 \
	"$BGP $FW; Default Invalid Internet BgpRoute"

# --- the appliance's own nic -----------------------------------------------------------------------------------
counts_as "an appliance does not get its own Internet traffic back: the frame passes" fw 203.0.113.1 self_loop
goes_to "what another appliance announced it can use" fw 10.78.0.1 fw2
goes_to "and the other its routes" fw2 10.250.0.1 fw
finish
