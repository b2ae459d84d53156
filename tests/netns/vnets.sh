#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Two vnets of the same addresses on one host: VMs, appliances, gateways and even route servers have the same
# addresses and MACs in both. Each vnet has its own AS number, peerings, tables and next hops; nothing of one
# is seen in the other.
#
#   red:  vm1 10.1.1.4, fw 10.1.2.4 AS 65001 - br0 10.1.0.1 - xrsd 10.1.255.4 AS 65515
#   blue: bvm 10.1.1.4, bfw 10.1.2.4 AS 65001 - br1 10.1.0.1 - xrsd 10.1.255.4 AS 65400
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

for key in vm fw; do
	[ $key = vm ] && twin=vm1 || twin=fw
	IP4[b$key]=${IP4[$twin]} IP6[b$key]=${IP6[$twin]} MAC[b$key]=${MAC[$twin]}
done
RS_ASN[bfw]=65400

vnet() { # NAME ASN BRIDGE PREFIX-OF-ITS-OWN
	cat <<-END
	{ "name": "$1", "addressPrefixes": ["10.1.0.0/16", "fd00:1::/48", "$4"], "gateway": { "macs": ["$GW"] },
	  "routeServer": { "asn": $2, "localAddress": "$RS4", "localAddress6": "fd00:1::4" },
	  "peerings": [ { "name": "fw", "peerAsn": 65001, "peerIp": "${IP4[fw]}", "device": "$3",
	    "families": ["ipv4-unicast", "ipv6-unicast"], "connectRetryTime": 1 } ] }
	END
}
write_config() {
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "vnets": [ $(vnet red 65515 br0 10.8.0.0/16), $(vnet blue 65400 br1 10.9.0.0/16) ],
	  "nics": [ { "match": { "master": "br0" }, "vnet": "red" },
	            { "match": { "master": "br1" }, "vnet": "blue" } ]
	}
	END
}

lab_host
lab_bridge
host_ip addr add fd00:1::4/128 dev lo
host_ip link add br1 address $GW type bridge forward_delay 0 mcast_snooping 0
host_ip link set br1 up
host_ip addr add 10.1.0.1/16 dev br1
host_ip addr add fd00:1::1/64 dev br1 nodad
for n in vm1 fw bvm bfw; do veth_node $n; done
on_bridge vm1 fw
for n in bvm bfw; do host_ip link set $n master br1; done
for n in fw bfw; do
	announce $n 10.250.0.0/16
	announce $n fd77::/48
	run_logged ip -n "$ID-$n" addr add 10.250.0.10/32 dev lo
	run_logged ip -n "$ID-$n" addr add fd77::10/128 dev lo
done
announce fw 10.251.0.0/16
announce bfw 10.252.0.0/16
write_config
xrs_start
await_nic vm1 attached || abandon "vm1 is attached"
await_nic bvm attached || abandon "bvm is attached"
nva_up fw 65001
nva_up bfw 65001
up() { # VNET
	ctl -j peering show --vnet "$1" --name fw | jq -e '.state == "Established" and all(.families[]; .endOfRib)'
}
show() { # VNET JQ-PROGRAM
	ctl -j peering show --vnet "$1" --name fw | jq -c "$2"
}
for v in red blue; do
	wait_for $WAIT "the session of $v" up $v || abandon "the session of $v comes up"
done

# --- sessions and tables -----------------------------------------------------------------------------
ok "two sessions between the same addresses, each bound to its vnet's device"
check_equal "each with the AS number of its vnet" "65515 65400" \
	"$(for v in red blue; do show $v .localAsn; done | xargs)"
check_soon "red's appliance is told of red" same_output \
	"10.1.0.0/16 via $RS4 path 65515
10.8.0.0/16 via $RS4 path 65515
fd00:1::/48 via fd00:1::4 path 65515" told fw
check_soon "blue's appliance, at the same address, of blue" same_output \
	"10.1.0.0/16 via $RS4 path 65400
10.9.0.0/16 via $RS4 path 65400
fd00:1::/48 via fd00:1::4 path 65400" told bfw
A="VirtualNetworkGateway Active VirtualNetworkGateway"
check_routes "the same prefix in both" vm1 10.250.0.0/16 "$A ${IP4[fw]}"
check_routes "by a next hop of the same address" bvm 10.250.0.0/16 "$A ${IP4[fw]}"
check_routes "what only red's appliance announced is red's" vm1 10.251.0.0/16 "$A ${IP4[fw]}"
check_routes "and not blue's" bvm 10.251.0.0/16 ""
check_routes "what only blue's announced is not red's" vm1 10.252.0.0/16 ""
check_routes "but blue's" bvm 10.252.0.0/16 "$A ${IP4[fw]}"

# --- next hops and frames --------------------------------------------------------------------------------
both_resolved() { # the ports of the next hops with this address
	ctl -j fib show | jq -r --arg a "${IP4[fw]}" '[.value[] | select(.address == $a and .usable)
		| "\(.vnet):\(.interface)"] | sort | join(" ")'
}
check_soon "the next hops of one address are found each on its own bridge" same_output "blue:bfw red:fw" \
	both_resolved
await_fib
for n in vm1 fw bvm bfw; do port_open $n $n pkt eth0; done
for n in vm1 bvm; do in_ns $n ping -q -c 1 -W 5 "${IP4[fw]}" >/dev/null; done
send vm1 vm1 id=1 dst=10.250.0.77
send bvm bvm id=2 dst=10.250.0.77
wait_for 5 "frame 1" seen fw 1 >/dev/null
wait_for 5 "frame 2" seen bfw 2 >/dev/null
check "a frame of red's VM reaches red's appliance" seen fw 1
check "the same frame of blue's VM reaches blue's" seen bfw 2
check_absent "and not red's" fw 2
check_absent "nor red's blue's" bfw 1
check "there and back in red" in_ns vm1 ping -q -c 3 -i 0.1 -W 5 10.250.0.10
check "in blue" in_ns bvm ping -q -c 3 -i 0.1 -W 5 10.250.0.10
check "with IPv6 in red" in_ns vm1 ping -q -c 3 -i 0.1 -W 5 fd77::10
check "and in blue" in_ns bvm ping -q -c 3 -i 0.1 -W 5 fd77::10

# --- one does not touch the other ----------------------------------------------------------------------------
since=$(show red .establishedTime)
withdraw bfw 10.250.0.0/16
check_routes "blue's appliance withdraws: gone in blue" bvm 10.250.0.0/16 ""
check_routes "not in red" vm1 10.250.0.0/16 "$A ${IP4[fw]}"
nva_down bfw KILL
blue_down() { [ "$(show blue .state)" != '"Established"' ] && [ -z "$(routes_of bvm 10.252.0.0/16)" ]; }
check_soon "blue's appliance dies" blue_down
send vm1 vm1 id=3 dst=10.250.0.77
wait_for 5 "frame 3" seen fw 3 >/dev/null
check "red's next hop of the same address lives on" seen fw 3
reload_with 'del(.vnets[1]) | del(.nics[1])'
check "blue goes whole" wait_for 10 "no nic bvm" sh -c "! '$XRSCTL' -s /run/$ID/xrs.sock nic show --name bvm"
check "red's frames go on" in_ns vm1 ping -q -c 3 -i 0.1 -W 5 10.250.0.10
check_equal "and its session" "$since" "$(show red .establishedTime)"

# --- interfaces, named ------------------------------------------------------------------------------------------
reload_with '.vnets[0].interfaces = ["br9"]'
unresolved() { ctl -j fib show | jq -e --arg a "${IP4[fw]}" 'any(.value[]; .address == $a and (.usable | not))'; }
check_soon "next hops are looked for on the vnet's interfaces and nowhere else" unresolved
reload_with '.vnets[0].interfaces = ["br0"]'
await_way "${IP4[fw]}" bridge
check "and found where they are" in_ns vm1 ping -q -c 3 -i 0.1 -W 5 10.250.0.10
finish
