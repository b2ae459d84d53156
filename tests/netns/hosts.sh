#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Host routes. A peering with advertise.hostRoutes is told a /32 and /128 for each local VM, and no longer
# when the VM falls silent or goes. Others are told the vnet's prefixes only.
#
#   vm1 10.1.1.4, vm2 10.1.1.5, fw 10.1.2.4 (AS 65001, hostRoutes), fw2 10.1.2.5 (AS 65002); one bridge
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

write_config() {
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "vnets": [ {
	    "name": "prod", "addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"], "gateway": { "macs": ["$GW"] },
	    "routeServer": { "localAddress": "$RS4", "localAddress6": "fd00:1::4" },
	    "peerings": [
	      { "name": "fw", "peerAsn": 65001, "peerIp": "${IP4[fw]}", "connectRetryTime": 1,
	        "families": ["ipv4-unicast", "ipv6-unicast"], "advertise": { "hostRoutes": true } },
	      { "name": "fw2", "peerAsn": 65002, "peerIp": "${IP4[fw2]}", "connectRetryTime": 1 } ]
	  } ],
	  "nics": [ { "match": { "name": "vm*" }, "vnet": "prod" },
	            { "match": { "name": "fw*" }, "vnet": "prod", "role": "nva" } ]
	}
	END
}

lab_host
lab_bridge
host_ip addr add fd00:1::4/128 dev lo
for n in vm1 vm2 fw fw2; do veth_node $n; done
on_bridge vm1 vm2 fw fw2
for f in ipv4 ipv6; do # a silent neighbour is noticed in a second instead of a minute
	set_sysctl host net.$f.neigh.br0.base_reachable_time_ms=1000 net.$f.neigh.br0.retrans_time_ms=200 \
		net.$f.neigh.br0.delay_first_probe_time=1 net.$f.neigh.br0.interval_probe_time_ms=500
done
run_logged ip -n "$ID-vm1" addr add 192.168.7.4/24 dev eth0
host_ip addr add 192.168.7.1/24 dev br0
write_config
xrs_start
await_nic vm1 attached || abandon "vm1 is attached"
nva_up fw 65001
nva_up fw2 65002
await_established fw fw2
VNET="10.1.0.0/16 fd00:1::/48"

speaks() { # NODE
	in_ns "$1" ping -q -c 1 -W 5 10.1.0.1 >/dev/null
	in_ns "$1" ping -q -c 1 -W 5 fd00:1::1 >/dev/null
}
hosts() { # NODE: host routes that it was told, on one line
	told_prefixes "$1" | xargs -n 1 | grep -E '/(32|128)$' | xargs
}

speaks vm1
in_ns vm1 ping -q -c 1 -W 5 192.168.7.1 >/dev/null
check_soon "a VM that speaks is announced, IPv4 and IPv6" same_output "10.1.1.4/32 fd00:1::1:4/128" hosts fw
check_soon "from our AS, with our address as the next hop" same_output "10.1.1.4/32 via $RS4 path 65515" \
	told_of fw 10.1.1.4/32
check_soon "the vnet's prefixes are told as well" same_output \
	"10.1.0.0/16 10.1.1.4/32 fd00:1::/48 fd00:1::1:4/128" told_prefixes fw
check_equal "a peering without hostRoutes is told no hosts" "10.1.0.0/16" "$(told_prefixes fw2)"
speaks vm2
check_soon "another VM" same_output "10.1.1.4/32 10.1.1.5/32 fd00:1::1:4/128 fd00:1::1:5/128" hosts fw
check_not "an address outside of the vnet's prefixes is none of its hosts" told_of fw 192.168.7.4/32
check_not "an appliance is no VM" told_of fw "${IP4[fw2]}/32"
managed() { ip -n "$ID-host" neigh show 10.1.1.4 | grep -w managed; }
check "the kernel keeps its neighbour fresh" managed

host_ip link set vm2 down
check_soon "a VM whose nic goes down is withdrawn" same_output "10.1.1.4/32 fd00:1::1:4/128" hosts fw
host_ip link set vm2 up
speaks vm2
check_soon "and told again when it is back" same_output \
	"10.1.1.4/32 10.1.1.5/32 fd00:1::1:4/128 fd00:1::1:5/128" hosts fw
host_ip link del vm2
check_soon "one whose nic is removed" same_output "10.1.1.4/32 fd00:1::1:4/128" hosts fw
run_logged ip -n "$ID-vm1" addr del 10.1.1.4/16 dev eth0
check_soon "a VM that answers no more is withdrawn, although its nic is there" same_output "fd00:1::1:4/128" \
	hosts fw
run_logged ip -n "$ID-vm1" addr add 10.1.1.4/16 dev eth0
run_logged ip -n "$ID-vm1" route replace default via 10.1.0.1
speaks vm1
check_soon "and announced when it speaks again" same_output "10.1.1.4/32 fd00:1::1:4/128" hosts fw

since=$(peering fw .establishedTime)
reload_with '.vnets[0].peerings[0].advertise.hostRoutes = false'
check_soon "hostRoutes switched off: all are withdrawn" same_output "$VNET" told_prefixes fw
unmanaged() { ! managed; }
check_soon "and the kernel is left alone" unmanaged
reload_with '.vnets[0].peerings[0].advertise.hostRoutes = true'
speaks vm1
check_soon "switched on: they are back" same_output "10.1.1.4/32 fd00:1::1:4/128" hosts fw
check_equal "without a reset of the session" "$since" "$(peering fw .establishedTime)"
finish
