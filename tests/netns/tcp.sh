#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# TCP of real sockets between a VM and an appliance, both ways, through every kind of port: octets compared
# at the far end, and nobody's checksum counters rise. What carried it is told, and who.
#
#   vm2: a guest on a tap, with virtio-net offloads and without (tool_vmm)     vm1: a container on a veth
#   all on br0 with fw, the appliance, whose nic has the role nva; then with routed interfaces
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd nc cmp nstat

lab_config "$(rule 'vm*'), $(rule fw '"role": "nva"')"

guest_down() {
	stop_pid "$VMM_PID"
	gone() { ! ip -n "$ID-host" link show vm2; }
	wait_for 10 "the end of the tap" gone
}

mtus() { # MTU NODE-DEVICE...: of both ends
	local mtu=$1 pair
	shift
	for pair in "$@"; do
		ip -n "$ID-${pair%:*}" link set "${pair#*:}" mtu "$mtu" || abandon "MTU of $pair"
	done
}

bad_sums() { # NODE...: what stacks found wrong
	local node
	for node in "$@"; do
		in_ns "$node" nstat -asz TcpInCsumErrors UdpInCsumErrors Udp6InCsumErrors Icmp6InCsumErrors IcmpInCsumErrors
	done | awk '!/^#/ { n += $2 } END { print n + 0 }'
}

listens() { in_ns fw ss -Hltn "sport = :7000" | grep -q 7000; }

# From $1 to an address behind the appliance: $2 octets up, then down.
transfer() { # NAME NODE ADDRESS
	local name=$1 node=$2 address=$3 way
	for way in up down; do
		rm -f "$DIR/got"
		if [ $way = up ]; then
			spawn_in fw nc sh -c "exec nc -l $address 7000 >'$DIR/got'"
		else
			spawn_in fw nc sh -c "exec nc -N -l $address 7000 <'$DIR/file'"
		fi
		wait_for 10 "nc listens" listens
		if [ $way = up ]; then
			in_ns "$node" timeout 60 nc -N "$address" 7000 <"$DIR/file" >/dev/null 2>&1
		else
			in_ns "$node" timeout 60 nc "$address" 7000 </dev/null >"$DIR/got" 2>/dev/null
		fi
		wait_for 10 "the end of nc" is_gone "$spawned" >/dev/null || stop_pid "$spawned"
		check "$name, $way: every octet arrives" cmp "$DIR/file" "$DIR/got" || show_path "$node"
	done
}

show_path() { # NODE: for whoever has to look
	diag "$(nic "$1" '.counters | with_entries(select(.value > 0)) | tostring')"
	diag "$(nic fw '.counters | with_entries(select(.value > 0)) | tostring')"
	diag "$(ctl fib show | head -4)"
}

ROUTED=
both_families() { # NAME NODE
	local sums
	sums=$(bad_sums "$2" fw host)
	count_from "$2"
	count_from fw
	transfer "$1, IPv4" "$2" 203.0.113.10
	transfer "$1, IPv6" "$2" 2001:db8::10
	check_equal "$1: nobody found a wrong checksum" "$sums" "$(bad_sums "$2" fw host)"
	counters "$2" >"$DIR/.now"
	diag "$1: $(jq -nc --slurpfile a "$DIR/.counters-$2" --slurpfile b "$DIR/.now" \
		'$b[0] | with_entries(.value -= $a[0][.key] | select(.value > 0))')"
	check "$1: the VM's frames were steered" jq -ne --slurpfile a "$DIR/.counters-$2" --slurpfile b "$DIR/.now" \
		"\$b[0].steered - \$a[0].steered >= $((2 * SIZE / 65536))"
	[ -z "$ROUTED" ] && return # on a bridge the appliance's answers are switched
	counters fw >"$DIR/.now"
	check "$1: the appliance's were delivered" jq -ne --slurpfile a "$DIR/.counters-fw" --slurpfile b "$DIR/.now" \
		"[\$b[0], \$a[0] | .delivered + .tc_delivered] | .[0] - .[1] >= $((2 * SIZE / 65536))"
}

apart() { # segments that came and were not joined to others
	in_ns fw nstat -asz TcpInSegs TcpExtTCPRcvCoalesce |
		awk '{ n[$1] = $2 } END { print n["TcpInSegs"] - n["TcpExtTCPRcvCoalesce"] }'
}

# Of a reader that stands still: buffers in its queue, with what else had come. Segments are joined there, as far as
# pages allow, unless the sending socket holds their heads too.
buffers_of() { # NODE
	local rmem server before
	rmem=$(in_ns fw sysctl -n net.ipv4.tcp_rmem)
	in_ns fw sysctl -qw net.ipv4.tcp_rmem="4096 8000000 8000000"
	spawn_in fw nc sh -c "exec nc -l 203.0.113.10 7000 >/dev/null"
	server=$spawned
	wait_for 10 "nc listens" listens
	kill -STOP "$server"
	before=$(apart)
	spawn_in "$1" sender sh -c "exec nc -N 203.0.113.10 7000 <'$DIR/half'"
	arrived() { in_ns fw ss -Htn "sport = :7000" | awk '{ exit $2 < 2000000 }'; }
	wait_for 20 "2 MB in the queue" arrived
	BUFFERS=$(($(apart) - before))
	kill -CONT "$server"
	wait_for 10 "the end of nc" is_gone "$server" >/dev/null || stop_pid "$server"
	in_ns fw sysctl -qw net.ipv4.tcp_rmem="$rmem"
}

lab_host
lab_bridge
veth_node vm1
veth_node fw
new_ns vm2
on_bridge vm1 fw
run_logged ip -n "$ID-fw" addr add 203.0.113.10/32 dev lo
run_logged ip -n "$ID-fw" addr add 2001:db8::10/128 dev lo nodad
xrs_start
SIZE=4000000
head -c $SIZE /dev/urandom >"$DIR/file"
head -c 2000000 "$DIR/file" >"$DIR/half"

warm() { # NODE: everybody knows everybody
	in_ns "$1" ping -q -c 1 -w 20 -i 0.2 10.1.0.1 >/dev/null
	in_ns "$1" ping -q -c 1 -w 20 -i 0.2 fd00:1::1 >/dev/null
	knows() { nic "$1" '.addresses | length' | grep -qx 2; }
	wait_for 10 "the addresses of $1" knows "$1"
}
in_ns fw ping -q -c 1 -w 20 -i 0.2 10.1.0.1 >/dev/null
in_ns fw ping -q -c 1 -w 20 -i 0.2 fd00:1::1 >/dev/null
fw_usable() { ctl -j fib show | jq -e '[.value[].usable] == [true, true]'; }
wait_for 20 "the appliance" fw_usable || abandon "the appliance is there"
await_fib

# --- on a bridge ---------------------------------------------------------------------------------------
for guest in offload plain; do
	guest_up vm2 $guest
	on_bridge vm2
	warm vm2
	both_families "bridge, tap, $guest" vm2
	if [ $guest = offload ]; then
		mtus 9000 host:br0 host:vm2 vm2:eth0 host:fw fw:eth0
		both_families "bridge, tap, $guest, MTU 9000" vm2
		mtus 1500 host:br0 host:vm2 vm2:eth0 host:fw fw:eth0
	fi
	guest_down
done
warm vm1
both_families "bridge, veth" vm1

# --- a bridge that filters VLANs: everybody in VLAN 30, untagged -------------------------------------------
if ip -n "$ID-host" link set br0 type bridge vlan_filtering 1 2>/dev/null; then
	guest_up vm2 offload
	on_bridge vm2
	warm vm2
	both_families "bridge with VLAN filtering, tap, offload" vm2
	guest_down
	host_ip link set br0 type bridge vlan_filtering 0
else
	skip "VLANs of the kernel" "bridges do not filter VLANs here"
fi

# --- routed interfaces ----------------------------------------------------------------------------------------
ROUTED=yes
host_ip link set fw nomaster
host_ip link set vm1 nomaster
host_ip link del br0
routed fw
routed vm1
wait_for 20 "the appliance" fw_usable || abandon "the appliance is there"
warm vm1
both_families "routed, veth" vm1
buffers_of vm1
diag "2 MB are $BUFFERS buffers in the receiver's queue"
check "routed, veth: the receiver may join segments" [ "$BUFFERS" -le 18 ] # 11; 25 if it may not
gro fw on
# XDP on a veth of that MTU: frames in several buffers.
edit_config '.nics[0].mode = "native"'
run_logged ctl config reload || abandon "the reload"
native() { [ "$(nic vm1 .xdpMode)" = native ]; }
wait_for 10 "XDP on vm1" native || abandon "XDP on vm1"
both_families "routed, veth, native" vm1
mtus 9000 host:vm1 vm1:eth0 host:fw fw:eth0
await_fib
both_families "routed, veth, native, MTU 9000" vm1
mtus 1500 host:vm1 vm1:eth0 host:fw fw:eth0
edit_config '.nics[0] |= del(.mode)'
run_logged ctl config reload || abandon "the reload"
for guest in offload plain; do
	guest_up vm2 $guest
	routed vm2
	warm vm2
	await_fib
	both_families "routed, tap, $guest" vm2
	mtus 9000 host:vm2 vm2:eth0 host:fw fw:eth0
	await_fib
	both_families "routed, tap, $guest, MTU 9000" vm2
	mtus 1500 host:fw fw:eth0
	guest_down
done
finish
