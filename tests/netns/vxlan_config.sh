#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Appliances behind VXLAN as the configuration says (vnets[].vxlan), where this host has no VXLAN device: XDP and
# the tc half put the outer headers in front by themselves, with offloads; a stock Linux VXLAN device receives.
#
#   vm1 (veth), vm2 (guest on a tap) -- br0     und ===== eth0 ... vx0 -- the appliance "fw"
#                                       host                      far
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/underlay.sh"

tunnels() { # FAMILY [MORE-KEYS]: what "vxlan" of the vnet is
	local prefix list=''
	for prefix in 10.1.2.0/24 fd00:1::2:0/112; do
		list="$list${list:+, }{ \"nextHopPrefix\": \"$prefix\", \"nextHopMac\": \"${MAC[fw]}\", \"vni\": 100,
			\"remoteAddress\": \"${FAR[$1]}\"${2:+, $2} }"
	done
	echo "[ $list ]"
}

lab_config "$(rule vm1 '"mode": "native"'), $(rule vm2), $(rule und '"role": "uplink"')"
# The first tunnel to match is not the best one: a single address goes before its network.
edit_config '.vnets[0].vxlan = $t + [ $t[0] | .nextHopPrefix = "10.1.0.0/16" | .vni = 7 ]' --argjson t "$(tunnels 4)"

receiver() { # FAMILY [OPTIONS]
	ip -n "$ID-far" link del vx0 2>/dev/null
	run_logged ip -n "$ID-far" link add vx0 address "${MAC[fw]}" type vxlan id 100 local "${FAR[$1]}" dstport 4789 ${2:-}
	run_logged ip -n "$ID-far" link set vx0 up
	run_logged in_ns far bridge fdb append 00:00:00:00:00:00 dev vx0 dst "${NEAR[$1]}"
	port_open "far$1${2:-}" far pkt vx0
}

lab_host
lab_bridge
veth_node vm1
new_ns vm2
on_bridge vm1
underlay
run_logged ip -n "$ID-far" addr add 203.0.113.10/32 dev lo
run_logged ip -n "$ID-far" addr add 2001:db8::10/128 dev lo nodad
for n in vm1 vm2; do # answers come plain, by the underlay
	run_logged ip -n "$ID-far" route add "${IP4[$n]}/32" via 192.0.2.1 dev eth0
	run_logged ip -n "$ID-far" -6 route add "${IP6[$n]}/128" via fd00:ff::1 dev eth0
done
receiver 4
xrs_start
for n in vm1 und; do
	await_nic $n attached || abandon "nic $n is attached"
done
guest_up vm2 offload
on_bridge vm2
port_open vm1 vm1 pkt eth0
knows_host() { nic "$1" '.addresses | length' | grep -qx 2; }
for n in vm1 vm2; do
	in_ns $n ping -q -c 1 -w 20 -i 0.2 10.1.0.1 >/dev/null
	in_ns $n ping -q -c 1 -w 20 -i 0.2 fd00:1::1 >/dev/null
	wait_for 10 "the addresses of $n" knows_host $n || abandon "the addresses of $n are known"
done

way_section() { # FAMILY LARGE-FRAMES
	await_way "${IP4[fw]}" vxlan
	await_way "${IP6[fw]}" vxlan
	await_fib
	check_equal "v$1: fib show names the tunnel" "100 4789 ${FAR[$1]} ${NEAR[$1]}" \
		"$(hop "${IP4[fw]}" '.tunnel | "\(.vni) \(.port) \(.remote) \(.local)"')"
	check_equal "v$1: and what becomes of frames with segmentation offload" "$2" "$(hop "${IP4[fw]}" .tunnel.largeFrames)"
	check_equal "v$1: the MTU leaves room for the outer headers" $((1500 - 30 - ($1 == 4 ? 20 : 40))) \
		"$(hop "${IP4[fw]}" .mtu)"
}

frame_section() { # FAMILY PORT
	count_from vm1
	send vm1 vm1 id=1 dst=203.0.113.10
	check_frame "v$1: UDP over IPv4 comes out of a stock VXLAN device" "$2" 1 "$(frame "${IP4[vm1]}" 203.0.113.10 63)"
	send6 vm1 vm1 id=2 dst=2001:db8::10 proto=6 len=1200
	check_frame "v$1: TCP over IPv6" "$2" 2 "$(frame "${IP6[vm1]}" 2001:db8::10 63 6 1200)"
	check_counted "v$1: by XDP" vm1 encapsulated=2 tc_encapsulated=0
}

tcp_section() { # FAMILY
	local n address
	for n in vm1 vm2; do
		count_from $n
		for address in 203.0.113.10 2001:db8::10; do
			transfer "v$1, $n" $n far "$address"
		done
		check_rose "v$1, $n: the tc half encapsulated" $n tc_encapsulated 50
	done
	check_equal "v$1: and the far end found no wrong checksum" 0 "$(csum_errors far)"
}

check_not "this host has no VXLAN device" sh -c "ip -n $ID-host -j link show type vxlan | grep -q ifindex"
way_section 4 all
frame_section 4 far4
tcp_section 4
check_equal "vnet show tells the tunnels" "100 100 7" "$(ctl -j vnet show --name prod | jq -r '[.vxlan[].vni] | join(" ")')"

# The way back by the same tunnel.
count_from und
port_open vm2 vm2 pkt eth0
echo "send dmac=$GW smac=${MAC[fw]} src=8.8.8.8 dst=${IP4[vm2]} id=21 ttl=20" >"$DIR/far4.in"
check_frame "a routed frame comes out of the tunnel for the VM" vm2 21 \
	"smac=$GW dmac=${MAC[vm2]} vlan=0 src=8.8.8.8 dst=${IP4[vm2]} ttl=19 proto=17 sport=5000 dport=53000 len=64 ipsum=ok l4sum=ok payload=ok"
check_counted "by XDP on the uplink" und delivered=1
count_from und
echo "send dmac=$GW smac=${MAC[fw]} src=8.8.8.8 dst=${IP4[vm1]} id=22 ttl=20" >"$DIR/far4.in"
check_frame "and one for a container, whose veth takes no XDP frames" vm1 22 \
	"smac=$GW dmac=${MAC[vm1]} vlan=0 src=8.8.8.8 dst=${IP4[vm1]} ttl=19 proto=17 sport=5000 dport=53000 len=64 ipsum=ok l4sum=ok payload=ok"
check_counted "by the tc half" und to_tc=1 tc_delivered=1

# Over IPv6 every outer checksum is right; and zero where the other end says that this is right as well.
receiver 6
edit_config '.vnets[0].vxlan = $t' --argjson t "$(tunnels 6)"
check "a reload moves the tunnels" ctl config reload
moved() { [ "$(hop "${IP4[fw]}" .tunnel.remote)" = "${FAR[6]}" ]; }
wait_for 10 "the other way" moved
way_section 6 equalSegments
frame_section 6 far6
run_logged in_ns host ethtool -K und tso off gso off tx off # each segment is really cut, and its checksums are looked at
tcp_section 6
run_logged in_ns host ethtool -K und tso on gso on tx on
receiver 6 udp6zerocsumrx
edit_config '.vnets[0].vxlan = $t' --argjson t "$(tunnels 6 '"zeroChecksum": true')"
check "zeroChecksum is a reload away" ctl config reload
zero() { bpftool -j map dump pinned "$PINS/maps/xrs_nexthop" | jq -e 'any(.[].formatted.value; .tunnel.zero_sum == 1)'; }
wait_for 10 "the flag in the map" zero
await_fib
way_section 6 all
frame_section 6 far6udp6zerocsumrx
tcp_section 6

# The other end is gone, and so is the next hop; and comes again.
host_ip link set und down
lost() { ctl -j fib show | jq -e --arg a "${IP4[fw]}" '.value[] | select(.address == $a) | .usable == false'; }
check "without the underlay the next hop is not used" wait_for 10 "the loss" lost
check_equal "and says why" "NoUnderlay" "$(hop "${IP4[fw]}" .reason)"
host_ip link set und up
host_ip addr replace fd00:ff::1/64 dev und nodad
await_way "${IP4[fw]}" vxlan
ok "and is used again with it"
finish
