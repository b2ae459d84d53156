#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# IPv4 through IPv6 next hops (RFC 8950): an appliance that announces both families over IPv6 alone, and the
# frames of a VM that follow it. Two sessions to it, each from a source address of its own.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

SRC4=10.1.255.9 SRC6=fd00:1::9 # where the sessions come from; the route server itself has other addresses

write_config() {
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "vnets": [ {
	    "name": "prod", "addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"], "gateway": { "macs": ["$GW"] },
	    "routeServer": { "localAddress": "$RS4", "localAddress6": "fd00:1::4" },
	    "peerings": [
	      { "name": "six", "peerAsn": 65001, "peerIp": "${IP6[fw]}", "localAddress": "$SRC6", "connectRetryTime": 1,
	        "families": ["ipv4-unicast", "ipv6-unicast"], "capabilities": { "extendedNextHop": "on" } },
	      { "name": "four", "peerAsn": 65001, "peerIp": "${IP4[fw]}", "localAddress": "$SRC4", "connectRetryTime": 1 } ] } ],
	  "nics": [ { "match": { "master": "br0" }, "vnet": "prod" } ]
	}
	END
}

# Both listen only: the source address of what arrives is ours.
bird_config() { # PREFIX-OF-IPV4-OVER-IPV6
	cat >"$DIR/fw.conf" <<-END
	log stderr all; router id ${IP4[fw]}; protocol device {}
	protocol static { ipv4; route $1 unreachable; route 100.64.4.0/24 unreachable; }
	protocol static { ipv6; route 2001:db8::/32 unreachable; }
	protocol bgp six {
	  local ${IP6[fw]} as 65001; neighbor $SRC6 as 65515; multihop 4; passive on;
	  ipv4 { import all; export where net = $1; extended next hop on; };
	  ipv6 { import all; export all; };
	}
	protocol bgp four {
	  local ${IP4[fw]} as 65001; neighbor $SRC4 as 65515; multihop 4; passive on;
	  ipv4 { import all; export where net = 100.64.4.0/24; };
	}
	END
}

lab_host
lab_bridge
host_ip addr add $SRC4/32 dev lo
host_ip addr add fd00:1::4/128 dev lo
host_ip addr add $SRC6/64 dev br0 nodad
for n in vm1 fw; do veth_node $n; done
on_bridge vm1 fw
write_config
xrs_start
await_nic vm1 attached || abandon "vm1 is attached"
bird_config 203.0.113.0/24
spawn_in fw fw-bird bird -f -c "$DIR/fw.conf" -s "$DIR/fw.ctl" -P "$DIR/fw.pid"
await_established six four
check_equal "a session over IPv6 comes from the address that its peering names" "\"$SRC6\"" "$(peering six .localAddress)"
check_equal "and one over IPv4" "\"$SRC4\"" "$(peering four .localAddress)"
check "extended next hop is in force" peering six '.capabilities | index("extended-next-hop")'

A="VirtualNetworkGateway Active VirtualNetworkGateway"
check_routes "an IPv4 prefix leads to an IPv6 next hop" vm1 203.0.113.0/24 "$A ${IP6[fw]}"
check_routes "beside one with an IPv4 next hop" vm1 100.64.4.0/24 "$A ${IP4[fw]}"
check_routes "and an IPv6 prefix" vm1 2001:db8::/32 "$A ${IP6[fw]}"
check_soon "the appliance has our IPv4 prefix with the route server's IPv6 address" sh -c \
	"birdc -s $DIR/fw.ctl show route all 10.1.0.0/16 protocol six | grep -q 'next_hop: fd00:1::4'"

for n in vm1 fw; do port_open $n $n pkt eth0; done
await_fib
send vm1 vm1 id=1 dst=203.0.113.7
check_frame "an IPv4 frame goes to the MAC address of the IPv6 neighbour, whole, its TTL one less" fw 1 \
	"smac=${MAC[vm1]} dmac=${MAC[fw]} vlan=0 src=${IP4[vm1]} dst=203.0.113.7 ttl=63 proto=17 sport=5000 dport=53000 len=64 ipsum=ok l4sum=ok payload=ok"
run_logged ip -n "$ID-fw" addr add 203.0.113.10/32 dev lo
check "and answers come back" in_ns vm1 ping -q -c 3 -i 0.1 -W 5 203.0.113.10

# The neighbour changes its MAC address: IPv4 traffic follows the neighbour discovery of IPv6.
run_logged ip -n "$ID-fw" link set eth0 address 02:00:00:00:77:77
host_ip neigh flush dev br0
in_ns fw ping -q -c 1 -W 5 fd00:1::1 >/dev/null
moved() {
	send vm1 vm1 id=2 dst=203.0.113.7
	seen fw 2 | grep -q "dmac=02:00:00:00:77:77"
}
check_soon "the neighbour's new MAC address is followed" moved

bird_config 198.51.100.0/24
run_logged birdc -s "$DIR/fw.ctl" configure
check_routes "a prefix that is withdrawn over IPv6 is gone" vm1 203.0.113.0/24 ""
check_routes "and its successor is there" vm1 198.51.100.0/24 "$A ${IP6[fw]}"
run_logged birdc -s "$DIR/fw.ctl" disable six
check_routes "with the session goes what came over it" vm1 198.51.100.0/24 ""
check_routes "and nothing else" vm1 100.64.4.0/24 "$A ${IP4[fw]}"
finish
