#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# An appliance on another host, behind VXLAN: XDP encapsulates, a stock Linux VXLAN device receives; what XDP
# must not carry goes through the host's own VXLAN device; the way back goes from the uplink to the VM, and so do
# plain packets of the underlay.
#
#   vm1 (veth), vm3 (guest on a tap), vmtap (tap) -- br0 -- vx0 (VXLAN 100) ... und ===== eth0 ... vx0 -- the appliance "fw"
#                               host                        underlay            far
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/underlay.sh"
need_cmd nc cmp

lab_config "$(rule 'vm*' '"mode": "native"'), $(rule und '"role": "uplink"')"

tunnel() { # FAMILY: the VXLAN device of both ends; the appliance is the far device itself
	ip -n "$ID-host" link del vx0 2>/dev/null
	ip -n "$ID-far" link del vx0 2>/dev/null
	host_ip link add vx0 type vxlan id 100 local "${NEAR[$1]}" dstport 4789
	host_ip link set vx0 up master br0
	run_logged ip -n "$ID-far" link add vx0 address "${MAC[fw]}" type vxlan id 100 local "${FAR[$1]}" dstport 4789
	run_logged ip -n "$ID-far" link set vx0 up
	run_logged in_ns host bridge fdb append 00:00:00:00:00:00 dev vx0 dst "${FAR[$1]}"
	run_logged in_ns far bridge fdb append 00:00:00:00:00:00 dev vx0 dst "${NEAR[$1]}"
	run_logged ip -n "$ID-far" addr add "${IP4[fw]}/16" dev vx0
	run_logged ip -n "$ID-far" addr add "${IP6[fw]}/64" dev vx0 nodad
	run_logged ip -n "$ID-far" route replace default via 10.1.0.1
	run_logged ip -n "$ID-far" -6 route replace default via fd00:1::1
	wait_for 10 "the tunnel" in_ns far ping -q -c 1 -W 1 10.1.0.1 || abandon "the tunnel carries"
	in_ns far ping -q -c 1 -W 5 fd00:1::1 >/dev/null
}

lab_host
lab_bridge
veth_node vm1
on_bridge vm1
underlay
run_logged ip -n "$ID-far" addr add 203.0.113.10/32 dev lo
run_logged ip -n "$ID-far" addr add 2001:db8::10/128 dev lo nodad
tunnel 4
xrs_start
await_nic vm1 attached || abandon "nic vm1 is attached"
await_nic und attached || abandon "nic und is attached"
port_open vm1 vm1 pkt eth0
new_ns vm3
guest_up vm3 offload
on_bridge vm3
port_open vmtap host tap vmtap
host_ip link set vmtap up
await_nic vmtap attached || abandon "nic vmtap is attached"
on_bridge vmtap
# The VM on the tap answers nobody: its neighbour entry is written by hand.
host_ip neigh replace "${IP4[vm2]}" lladdr "${MAC[vm2]}" dev br0 nud permanent
host_ip neigh replace "${IP6[vm2]}" lladdr "${MAC[vm2]}" dev br0 nud permanent
run_logged in_ns host bridge fdb replace "${MAC[vm2]}" dev vmtap master static
for n in vm1 vm3; do
	in_ns $n ping -q -c 1 -W 5 10.1.0.1 >/dev/null
	in_ns $n ping -q -c 1 -W 5 fd00:1::1 >/dev/null
done

knows_host() { nic "$1" '.addresses[]' | grep -qx "$2"; }

out_section() { # FAMILY of the underlay
	local v=v$1
	await_way "${IP4[fw]}" vxlan
	await_way "${IP6[fw]}" vxlan
	await_fib
	check_equal "$v: fib show names the tunnel" "100 4789 ${FAR[$1]} ${NEAR[$1]} device" \
		"$(hop "${IP4[fw]}" '.tunnel | "\(.vni) \(.port) \(.remote) \(.local) \(.largeFrames)"')"
	check_equal "$v: the MTU leaves room for the outer headers" $((1500 - 30 - ($1 == 4 ? 20 : 40))) \
		"$(hop "${IP4[fw]}" .mtu)"
	port_open "far$1" far pkt vx0
	count_from vm1
	count_from vmtap
	send vm1 vm1 id=1 dst=203.0.113.10
	check_frame "$v: UDP over IPv4 comes out of a stock VXLAN device" "far$1" 1 \
		"$(frame "${IP4[vm1]}" 203.0.113.10 63)"
	send6 vm1 vm1 id=2 dst=2001:db8::10
	check_frame "$v: UDP over IPv6" "far$1" 2 "$(frame "${IP6[vm1]}" 2001:db8::10 63)"
	send vm1 vm1 id=3 dst=203.0.113.10 proto=6 len=1300
	check_frame "$v: TCP" "far$1" 3 "$(frame "${IP4[vm1]}" 203.0.113.10 63 6 1300)"
	send6 vm1 vm1 id=4 dst=2001:db8::10 proto=6 len=1300 ttl=2
	check_frame "$v: TCP over IPv6, hop limit 2" "far$1" 4 "$(frame "${IP6[vm1]}" 2001:db8::10 1 6 1300)"
	send vm1 vm1 id=5 dst=203.0.113.10 vlan=7
	check_frame "$v: a tag is taken off" "far$1" 5 "$(frame "${IP4[vm1]}" 203.0.113.10 63)"
	send vm1 vm1 id=6 dst=203.0.113.10 len=8
	check_frame "$v: a small frame" "far$1" 6 "$(frame "${IP4[vm1]}" 203.0.113.10 63 17 8)"
	check_counted "$v: XDP encapsulated each" vm1 encapsulated=6 tc_encapsulated=0
	send vmtap vm2 id=7 dst=203.0.113.10
	check_frame "$v: from a tap" "far$1" 7 "$(frame "${IP4[vm2]}" 203.0.113.10 63)"
	check_counted "$v: by XDP as well" vmtap encapsulated=1
	check_equal "$v: the far end found no wrong checksum" 0 "$(csum_errors far)"
}

# Real sockets: partial checksums and 64 kB segments, which are the host's VXLAN device's.
tcp_section() { # FAMILY
	local v=v$1 address n
	for n in vm1 vm3; do
		count_from $n
		for address in 203.0.113.10 2001:db8::10; do
			transfer "$v, $n" $n far "$address"
		done
		check_rose "$v, $n: the tc half gave them to the VXLAN device" $n tc_encapsulated 50
	done
	check_equal "$v: and the far end found no wrong checksum" 0 "$(csum_errors far)"
}

# The appliance answers: VXLAN frames come in on the uplink.
back_section() { # FAMILY
	local v=v$1
	wait_for 10 "the VM's address" knows_host vmtap "${IP4[vm2]}" || abandon "the VM's address is known"
	wait_for 10 "the VM's address" knows_host vmtap "${IP6[vm2]}" || abandon "the VM's address is known"
	check_equal "$v: the network ends here" 1 "$(ctl -j fib show | jq '.vxlanNetworks')"
	forget vmtap
	count_from und
	echo "send dmac=$GW smac=${MAC[fw]} src=8.8.8.8 dst=${IP4[vm2]} id=21 ttl=20" >"$DIR/far$1.in"
	wait_for 5 "frame 21" seen vmtap 21 >/dev/null
	check_equal "$v: a routed frame goes from the uplink straight to the tap" \
		"id=21 smac=$GW dmac=${MAC[vm2]} vlan=0 src=8.8.8.8 dst=${IP4[vm2]} ttl=19 proto=17 sport=5000 dport=53000 len=64 ipsum=ok l4sum=ok payload=ok" \
		"$(seen vmtap 21)"
	echo "send dmac=$GW smac=${MAC[fw]} src=2001:db8::9 dst=${IP6[vm2]} id=22 ttl=20 proto=6 len=900" >"$DIR/far$1.in"
	wait_for 5 "frame 22" seen vmtap 22 >/dev/null
	check_equal "$v: IPv6 as well" \
		"id=22 smac=$GW dmac=${MAC[vm2]} vlan=0 src=2001:db8::9 dst=${IP6[vm2]} ttl=19 proto=6 sport=5000 dport=53000 len=900 ipsum=ok l4sum=ok payload=ok" \
		"$(seen vmtap 22)"
	echo "send dmac=${MAC[vm2]} smac=${MAC[fw]} src=${IP4[fw]} dst=${IP4[vm2]} id=23 ttl=20" >"$DIR/far$1.in"
	wait_for 5 "frame 23" seen vmtap 23 >/dev/null
	check_equal "$v: a frame to the VM's own MAC is switched, not routed" \
		"id=23 smac=${MAC[fw]} dmac=${MAC[vm2]} vlan=0 src=${IP4[fw]} dst=${IP4[vm2]} ttl=20 proto=17 sport=5000 dport=53000 len=64 ipsum=ok l4sum=ok payload=ok" \
		"$(seen vmtap 23)"
	check_counted "$v: by XDP on the uplink" und delivered=3
	echo "send dmac=$GW smac=${MAC[fw]} src=8.8.8.8 dst=10.1.77.77 id=24 ttl=20" >"$DIR/far$1.in"
	counted() { check_counted x und local=1 | grep -q '^ok'; }
	wait_for 5 "the frame" counted
	check_counted "$v: an address that nobody has is the kernel's" und local=1 delivered=3
	check "$v: the VM's pings are answered through it all" \
		in_ns vm1 ping -q -c 3 -i 0.2 -W 5 203.0.113.10
}

out_section 4
tcp_section 4
back_section 4

# Plain frames on the uplink: an appliance in the underlay that routes.
count_from und
UND=$(ip -n "$ID-host" -j link show und | jq -r '.[0].address')
port_open plain far pkt eth0
forget vmtap
echo "send dmac=$UND smac=02:00:00:00:0f:02 src=8.8.8.8 dst=${IP4[vm2]} id=31 ttl=20" >"$DIR/plain.in"
wait_for 5 "frame 31" seen vmtap 31 >/dev/null
check_equal "a plain frame on the uplink goes straight to the tap" \
	"id=31 smac=$GW dmac=${MAC[vm2]} vlan=0 src=8.8.8.8 dst=${IP4[vm2]} ttl=19 proto=17 sport=5000 dport=53000 len=64 ipsum=ok l4sum=ok payload=ok" \
	"$(seen vmtap 31)"
check_counted "and is counted" und delivered=1

# Real sockets in the underlay, whose checksums and segments are unfinished: XDP leaves them to the tc half.
run_logged ip -n "$ID-far" route add "${IP4[vm1]}/32" via 192.0.2.1 dev eth0
run_logged ip -n "$ID-far" -6 route add "${IP6[vm1]}/128" via fd00:ff::1 dev eth0
wait_for 10 "the VM's addresses" knows_host vm1 "${IP4[vm1]}" || abandon "the addresses of vm1 are known"
wait_for 10 "the VM's addresses" knows_host vm1 "${IP6[vm1]}" || abandon "the addresses of vm1 are known"
count_from und
for address in "${IP4[vm1]}" "${IP6[vm1]}"; do
	transfer plain far vm1 "$address"
done
check_rose "plain: the tc half gave them to the VM" und tc_delivered 50
check_equal "plain: and nobody found a wrong checksum" 0 "$(csum_errors vm1)"

tunnel 6
wait_for 10 "nic vm1's way" way_is "${IP4[fw]}" vxlan
out_section 6
tcp_section 6
back_section 6
finish
