#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Real frames from a VM to the appliance that its routes name, looked at octet by octet at the far end:
# first with all nodes on one bridge (way `bridge`), then each on a routed interface (way `redirect`).
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd bird nc cmp
# `auto` would choose tc for these veths. frames_generic.sh and frames_tc.sh are this script with another mode and other counters.
MODE=${MODE:-native}
XDP_MODE=${XDP_MODE:-native}
BRIDGED=${BRIDGED:-bridged}          # counter of frames that the bridge delivers
REDIRECTED=${REDIRECTED:-redirected} # and of those sent out directly

write_config() {
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID", "routerId": "$RS4" },
	  "dataplane": { "mode": "$MODE", "lookup": "${LOOKUP:-auto}" },
	  "vnets": [ {
	    "name": "prod",
	    "addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"],
	    "routeServer": { "asn": 65515, "localAddress": "$RS4" },
	    "peerings": [
	      { "name": "fw", "peerAsn": 65001, "peerIp": "${IP4[fw]}", "connectRetryTime": 1 },
	      { "name": "fw2", "peerAsn": 65002, "peerIp": "${IP4[fw2]}", "connectRetryTime": 1 }
	    ],
	    "routeTables": [ { "name": "main", "routes": [
	      { "addressPrefix": "203.0.113.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "${IP4[fw]}" },
	      { "addressPrefix": "203.0.113.128/25", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "${IP4[fw2]}" },
	      { "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "${IP4[fw]}" },
	      { "addressPrefix": "198.51.100.0/24", "nextHopType": "None" },
	      { "addressPrefix": "192.0.2.0/24", "nextHopType": "VnetLocal" },
	      { "addressPrefix": "198.18.0.0/24", "nextHopType": "Internet" },
	      { "addressPrefix": "198.18.1.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "${IP4[fw3]}" },
	      { "addressPrefix": "2001:db8::/32", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "${IP6[fw]}" },
	      { "addressPrefix": "2001:db8:2::/48", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "${IP6[fw2]}" },
	      { "addressPrefix": "2001:db8:1::/48", "nextHopType": "None" },
	      { "addressPrefix": "::/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "${IP6[fw2]}" }
	    ] } ]
	  } ],
	  "nics": [ { "match": { "name": "vm*" }, "vnet": "prod" },
	            { "match": { "name": "fw*" }, "vnet": "prod", "role": "nva" } ]
	}
	END
}

# An appliance that announces 100.64.0.0/15 and has the Internet's addresses itself.
start_bird() { # NODE ASN
	cat >"$DIR/$1.conf" <<-END
	router id ${IP4[$1]};
	protocol device {}
	protocol static { ipv4; route 100.64.0.0/15 unreachable; }
	protocol bgp xrs {
	  local ${IP4[$1]} as $2; neighbor $RS4 as 65515; multihop 4;
	  connect delay time 1; connect retry time 1; error wait time 1, 2;
	  ipv4 { import none; export where source = RTS_STATIC; next hop self; };
	}
	END
	spawn_in "$1" "bird-$1" bird -f -c "$DIR/$1.conf" -s "$DIR/$1.ctl" -P "$DIR/$1.pid"
}

learned_from_both() {
	ctl -j peering list | jq -e '[.value[].pfxAccepted] == [1, 1]'
}

appliance() { # NODE: veth, BIRD is started later
	veth_node "$1"
	run_logged ip -n "$ID-$1" addr add 203.0.113.10/32 dev lo
	run_logged ip -n "$ID-$1" -6 addr add 2001:db8::10/128 dev lo nodad
	run_logged ip -n "$ID-$1" -6 addr add 2001:db8:2::10/128 dev lo nodad
}

# What a frame of vm1 looks like at the far end: the defaults of tool_frames, TTL one less.
frame() { # SMAC DMAC SRC DST TTL [PROTO] [LEN] [DPORT]
	echo "smac=$1 dmac=$2 vlan=0 src=$3 dst=$4 ttl=$5 proto=${6:-17} sport=5000" \
		"dport=${8:-53000} len=${7:-64} ipsum=ok l4sum=ok payload=ok"
}

lab_host
set_sysctl host net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
lab_bridge
veth_node vm1
veth_node vm2
appliance fw
appliance fw2
gro fw off
gro fw2 off
on_bridge vm1 vm2 fw fw2
write_config
xrs_start
start_bird fw 65001
start_bird fw2 65002
for n in vm1 vm2 fw fw2; do
	await_nic $n attached || abandon "nic $n is attached"
	port_open $n $n pkt eth0
done

# --- what both labs must do --------------------------------------------------------------------------

# $SMAC: the source MAC at the far end. $STEERED: the counter of a steered frame.
steering_section() { # LAB
	local lab=$1 vm=${IP4[vm1]} vm6=${IP6[vm1]}
	forget vm1 fw fw2
	count_from vm1
	send vm1 vm1 id=1 dst=203.0.113.10
	check_frame "$lab: UDP arrives with right MACs, TTL, checksums, payload" fw 1 \
		"$(frame "$SMAC" "${MAC[fw]}" "$vm" 203.0.113.10 63)"
	send vm1 vm1 id=2 dst=203.0.113.10 proto=6 len=1400
	check_frame "$lab: TCP of 1,440 octets" fw 2 \
		"$(frame "$SMAC" "${MAC[fw]}" "$vm" 203.0.113.10 63 6 1400)"
	send vm1 vm1 id=3 dst=203.0.113.10 len=8
	check_frame "$lab: a frame below the minimum size of Ethernet" fw 3 \
		"$(frame "$SMAC" "${MAC[fw]}" "$vm" 203.0.113.10 63 17 8)"
	send vm1 vm1 id=4 dst=203.0.113.200
	check_frame "$lab: the longest prefix wins" fw2 4 \
		"$(frame "$SMAC" "${MAC[fw2]}" "$vm" 203.0.113.200 63)"
	send vm1 vm1 id=5 dst=8.8.4.4 ttl=2
	check_frame "$lab: 0.0.0.0/0 takes the rest; TTL 2 leaves as 1" fw 5 \
		"$(frame "$SMAC" "${MAC[fw]}" "$vm" 8.8.4.4 1)"
	send vm1 vm1 id=6 dst=203.0.113.10 ttl=255
	check_frame "$lab: TTL 255" fw 6 "$(frame "$SMAC" "${MAC[fw]}" "$vm" 203.0.113.10 254)"
	send6 vm1 vm1 id=7 dst=2001:db8::10
	check_frame "$lab: IPv6 UDP" fw 7 \
		"$(frame "$SMAC" "${MAC[fw]}" "$vm6" 2001:db8::10 63)"
	send6 vm1 vm1 id=8 dst=2001:db8:2::10 proto=6 len=1300
	check_frame "$lab: IPv6 TCP, the longest prefix wins" fw2 8 \
		"$(frame "$SMAC" "${MAC[fw2]}" "$vm6" 2001:db8:2::10 63 6 1300)"
	send6 vm1 vm1 id=9 dst=2606:4700::1 ttl=2
	check_frame "$lab: ::/0 takes the rest; hop limit 2 leaves as 1" fw2 9 \
		"$(frame "$SMAC" "${MAC[fw2]}" "$vm6" 2606:4700::1 1)"
	# A checksum that the sender got wrong is its own affair; ours must not be repaired by guessing.
	send vm1 vm1 id=10 dst=203.0.113.10 badsum=1
	check_frame "$lab: a wrong L4 checksum stays as it was sent" fw 10 \
		"$(frame "$SMAC" "${MAC[fw]}" "$vm" 203.0.113.10 63 | sed s/l4sum=ok/l4sum=BAD/)"
	check_counted "$lab: each is counted once, under its reason" vm1 $STEERED=10 steered=10 \
		none=0 to_tc=0 ttl_answered=0 local=0 internet=0 no_route=0
	exits_section "$lab"
	checksum_section "$lab"
}

exits_section() { # LAB
	local lab=$1
	forget vm1 fw fw2
	count_from vm1
	send vm1 vm1 id=100 count=20 dst=198.51.100.1
	send6 vm1 vm1 id=130 count=5 dst=2001:db8:1::1
	send vm1 vm1 id=150 count=7 dst=192.0.2.1
	send vm1 vm1 id=160 count=3 dst=198.18.0.1
	send vm1 vm1 id=170 count=4 dst=203.0.113.10 ttl=1
	send6 vm1 vm1 id=180 count=2 dst=2001:db8::10 ttl=1
	send vm1 vm1 id=190 count=6 dst=203.0.113.10 dmac=02:00:00:00:00:99
	send vm1 vm1 id=199 dst=203.0.113.10
	sent vm1
	wait_for 5 "the last frame" seen fw 199 >/dev/null
	check_equal "$lab: None drops: nobody sees a frame of it" 0 \
		"$(cat "$DIR"/fw.seen "$DIR"/fw2.seen | grep -cE '^id=(10[0-9]|11[0-9]|13[0-4]) ')"
	wait_for 5 "what the kernel routes" arrived fw2 10 '^id=1[56]'
	check_equal "$lab: VnetLocal and Internet pass: the kernel routes them by its own table" \
		"7 3" "$(seen_count fw2 '^id=15.*dst=192.0.2.1 ttl=63 ') $(seen_count fw2 '^id=16.*dst=198.18.0.1 ttl=63 ')"
	wait_for 5 "the answers" arrived vm1 6 '^icmp'
	check_equal "$lab: TTL 1 is answered by the gateway, with time exceeded" 4 \
		"$(seen_count vm1 "^icmp type=11 code=0 src=10.1.0.1 dst=${IP4[vm1]} ipsum=ok sum=ok")"
	check_equal "$lab: hop limit 1 as well" 2 \
		"$(seen_count vm1 "^icmp type=3 code=0 src=fd00:1::1 dst=${IP6[vm1]} ipsum=ok sum=ok")"
	check_equal "$lab: a frame to another MAC than the gateway's is not steered" 0 \
		"$(seen_count fw '^id=19[0-5] .*ttl=63')"
	check_counted "$lab: each exit has counted exactly what left by it" vm1 $STEERED=1 steered=1 none=25 \
		local=7 internet=3 ttl_answered=6 ttl_expired=0 no_route=0 no_nexthop=0
	# Broadcasts of ARP are among these.
	check "$lab: what is not for the gateway is counted as such" \
		test "$(counter vm1 not_gateway)" -ge $(($(jq .not_gateway "$DIR/.counters-vm1") + 6))
}

# Every TTL, and enough values of the other fields to meet each carry of the checksum.
checksum_section() { # LAB
	local lab=$1 ttl
	forget fw
	for ttl in $(seq 2 255); do
		send vm1 vm1 id=$((10000 + ttl * 257)) dst=203.0.113.10 ttl="$ttl" len=$((8 + ttl))
	done
	sent vm1
	wait_for 10 "254 frames" arrived fw 254 '^id='
	check_equal "$lab: every TTL from 2 to 255 leaves one less with a right header checksum" \
		"254 of 254" "$(awk '/^id=/ { n++; split($1, id, "="); split($7, ttl, "=")
			ok += ttl[2] == (id[2] - 10000) / 257 - 1 && /ipsum=ok l4sum=ok payload=ok/ }
			END { print ok " of " n }' "$DIR/fw.seen")"
}

# Two appliances with equal paths: 100.64.0.0/15.
flows() { # PORT PATTERN: the sorted flows (source port) that came there
	sed -n "s/^id=.*$2.* sport=\([0-9]*\) .*/\1/p" "$DIR/$1.seen" | sort -n
}

ecmp_section() { # LAB
	local lab=$1 round n=200
	forget fw fw2
	count_from vm1
	for round in 1 2 3; do
		send vm1 vm1 id=$((round * 1000)) count=$n step=1 sport=20001 dport=443 \
			src=100.64.7.7 dst=100.65.9.9
	done
	sent vm1
	all_came() { [ $(($(seen_count fw 'dst=100.65') + $(seen_count fw2 'dst=100.65'))) -eq $((3 * n)) ]; }
	check "$lab: 200 flows in three rounds over two appliances: every frame arrives" \
		wait_for 10 "600 frames" all_came
	flows fw dst=100.65 | uniq -c | awk '{ print $2, $1 }' >"$DIR/to-fw"
	flows fw2 dst=100.65 | uniq -c | awk '{ print $2, $1 }' >"$DIR/to-fw2"
	check_equal "$lab: each flow keeps to one appliance" 0 \
		"$(awk '$2 != 3' "$DIR/to-fw" "$DIR/to-fw2" | wc -l)"
	diag "$lab: $(wc -l <"$DIR/to-fw") and $(wc -l <"$DIR/to-fw2") flows"
	check "$lab: both get a fair share" \
		test "$(wc -l <"$DIR/to-fw")" -ge 60 -a "$(wc -l <"$DIR/to-fw2")" -ge 60
	check_counted "$lab: all are counted" vm1 $STEERED=$((3 * n))

	# The way back, from another VM: ports and addresses swapped.
	forget fw fw2
	for round in $(seq 0 199); do
		send vm2 vm2 id=$((5000 + round)) sport=443 dport=$((20001 + round)) \
			src=100.65.9.9 dst=100.64.7.7
	done
	sent vm2
	all_back() { [ $(($(seen_count fw 'dst=100.64') + $(seen_count fw2 'dst=100.64'))) -eq $n ]; }
	wait_for 10 "200 frames back" all_back
	sed -n 's/^id=.*dst=100.64.* dport=\([0-9]*\) .*/\1/p' "$DIR/fw.seen" | sort -n >"$DIR/back-fw"
	check_equal "$lab: the other direction of each flow meets the same appliance" \
		"$(cut -d' ' -f1 "$DIR/to-fw")" "$(cat "$DIR/back-fw")"
}

# Sockets: the kernel leaves the checksum to a device that is none, and sends segments of 64 kB. XDP may
# pass such frames, and must leave redirecting them to the tc half ($TCP_BY).
tcp_section() { # LAB: from vm1 to an address that the appliance has
	local lab=$1 address family
	[ -s "$DIR/file" ] || head -c 8000000 /dev/urandom >"$DIR/file"
	count_from vm1
	for address in 203.0.113.10 2001:db8::10; do
		spawn_in fw "nc-$address" sh -c "exec nc -l $address 7000 >'$DIR/file.got'"
		listens() { in_ns fw ss -Hltn "sport = :7000" | grep -q 7000; }
		wait_for 10 "nc listens" listens
		case $address in *:*) family=IPv6 ;; *) family=IPv4 ;; esac
		check "$lab: $family TCP of real sockets: 8,000,000 octets go through" \
			in_ns vm1 timeout 30 nc -N "$address" 7000 <"$DIR/file"
		wait_for 10 "the end of nc" is_gone "$spawned"
		check "$lab: $family TCP: not one of them changed" cmp "$DIR/file" "$DIR/file.got"
	done
	counters vm1 >"$DIR/.now"
	diag "$lab: $(jq -nc --slurpfile a "$DIR/.counters-vm1" --slurpfile b "$DIR/.now" \
		'$b[0] | with_entries(.value -= $a[0][.key] | select(.value > 0))')"
	# No frame holds more than 65,535 octets.
	check "$lab: all of it was steered${TCP_BY:+, some by $TCP_BY}" \
		jq -ne --slurpfile a "$DIR/.counters-vm1" --slurpfile b "$DIR/.now" \
		"(\$b[0].steered - \$a[0].steered >= 244) and
			(\$b[0].${TCP_BY:-steered} - \$a[0].${TCP_BY:-steered} >= 50)"
}

# --- way bridge ----------------------------------------------------------------------------------------

in_ns vm1 ping -q -c 1 -W 5 10.1.0.1 >/dev/null
in_ns vm1 ping -q -c 1 -W 5 fd00:1::1 >/dev/null
host_ip route add 192.0.2.0/24 via "${IP4[fw2]}"
host_ip route add 198.18.0.0/24 via "${IP4[fw2]}"
host_ip route add 203.0.113.0/24 via "${IP4[fw]}"
host_ip -6 route add 2001:db8::/32 via "${IP6[fw]}"
for n in fw fw2; do
	await_way "${IP4[$n]}" bridge
	await_way "${IP6[$n]}" bridge
done
check "two appliances announce the same prefix" wait_for 30 "both" learned_from_both
await_fib
SMAC=${MAC[vm1]} STEERED=$BRIDGED TCP_BY=
steering_section "bridge"
ecmp_section "bridge"
tcp_section "bridge"

forget fw
count_from vm1
send vm1 vm1 id=300 count=5 dst=203.0.113.10 vlan=7
sent vm1
counted() { check_counted x vm1 vlan_mismatch=5 | grep -q '^ok'; }
wait_for 5 "five frames counted" counted
check_counted "bridge: a tagged frame is left to the bridge, in its VLAN" vm1 vlan_mismatch=5 steered=0

check_equal "xrsctl says how vm1 is served" $XDP_MODE "$(nic vm1 .xdpMode)"
metric() { ctl metrics | sed -n 's/^xrs_xdp_packets_total{nic="vm1",verdict="steered",reason="'$BRIDGED'"} //p'; }
check_equal "the metric says what nic show says" "$(counter vm1 $BRIDGED)" "$(metric)"
slot_sum() { # of the per-CPU values that bpftool prints
	local slot
	slot=$(bpftool -j map dump pinned "$PINS/maps/xrs_nic" | jq '.[].formatted.value | select(.name == "vm1") | .slot')
	bpftool -j map lookup pinned "$PINS/maps/xrs_stats" key \
		$((slot & 255)) $((slot >> 8)) 0 0 | jq "[.formatted.values[].value.$BRIDGED] | add"
}
check_equal "and so does the per-CPU map itself" "$(counter vm1 $BRIDGED)" "$(slot_sum)"

# --- way redirect, on the bridge: peers that run NAPI ------------------------------------------------------
gro fw on
gro fw2 on
for n in fw fw2; do
	await_way "${IP4[$n]}" redirect
	await_way "${IP6[$n]}" redirect
done
await_fib
SMAC=$GW STEERED=$REDIRECTED
steering_section "redirect to bridge ports"

# --- way redirect, routed interfaces and taps --------------------------------------------------------------
for n in vm1 vm2 fw fw2; do
	host_ip link set $n nomaster
	routed $n
done
host_ip link del br0
port_open fw3 host tap fw3
routed fw3
host_ip neigh replace "${IP4[fw3]}" lladdr "${MAC[fw3]}" dev fw3 nud permanent
host_ip route replace 192.0.2.0/24 via "${IP4[fw2]}" dev fw2 onlink
host_ip route replace 198.18.0.0/24 via "${IP4[fw2]}" dev fw2 onlink
host_ip route replace 203.0.113.0/24 via "${IP4[fw]}" dev fw onlink
host_ip -6 route replace 2001:db8::/32 via "${IP6[fw]}" dev fw onlink
in_ns vm1 ping -q -c 1 -W 5 10.1.0.1 >/dev/null
in_ns vm1 ping -q -c 1 -W 5 fd00:1::1 >/dev/null
for n in vm1 vm2 fw fw2 fw3; do
	await_nic $n attached || abandon "nic $n is attached"
done
for n in fw fw2; do
	await_way "${IP4[$n]}" redirect
	await_way "${IP6[$n]}" redirect
done
await_way "${IP4[fw3]}" redirect
check "routed: the appliances' sessions live on" wait_for 30 "both" learned_from_both
await_fib
SMAC=$GW STEERED=$REDIRECTED TCP_BY=tc_redirected
steering_section "routed"
ecmp_section "routed"
tcp_section "routed"

forget fw fw3
count_from vm1
send vm1 vm1 id=310 dst=198.18.1.1
check_frame "routed: from a veth to a tap" fw3 310 "$(frame $GW "${MAC[fw3]}" "${IP4[vm1]}" 198.18.1.1 63)"
send vm1 vm1 id=311 dst=203.0.113.10 vlan=7
check_frame "routed: a tag that the way to the appliance does not have is taken off" fw 311 \
	"$(frame $GW "${MAC[fw]}" "${IP4[vm1]}" 203.0.113.10 63)"
check_counted "routed: both are counted" vm1 $REDIRECTED=2 steered=2

# A VM on a tap: frames as a hypervisor writes them.
port_open vmtap host tap vmtap
await_nic vmtap attached || abandon "nic vmtap is attached"
host_ip link set vmtap address $GW
host_ip link set vmtap up
has_gateway() { nic vmtap '.gatewayMacs[]' | grep -qx $GW; }
wait_for 5 "the MAC of the tap" has_gateway || abandon "the MAC of the tap"
count_from vmtap
send vmtap vm2 id=320 dst=203.0.113.10
check_frame "tap: UDP" fw 320 "$(frame $GW "${MAC[fw]}" "${IP4[vm2]}" 203.0.113.10 63)"
send6 vmtap vm2 id=321 dst=2001:db8::10 proto=6 len=900
check_frame "tap: IPv6 TCP" fw 321 "$(frame $GW "${MAC[fw]}" "${IP6[vm2]}" 2001:db8::10 63 6 900)"
send vmtap vm2 id=322 dst=198.18.1.1 len=1400
check_frame "tap: to another tap" fw3 322 \
	"$(frame $GW "${MAC[fw3]}" "${IP4[vm2]}" 198.18.1.1 63 17 1400)"
send vmtap vm2 id=400 count=50 dst=198.51.100.1
send vmtap vm2 id=460 count=1 dst=203.0.113.10
sent vmtap
wait_for 5 "the last frame" seen fw 460 >/dev/null
check_counted "tap: what was sent is what is counted" vmtap $REDIRECTED=4 steered=4 none=50
check "the maps are as planned at the end" fib_idle
finish
