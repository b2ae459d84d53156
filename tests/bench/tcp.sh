#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# TCP from a VM to an appliance, Gbit/s of one stream: the kernel's forwarding, and XRS in each mode, from a
# container on a veth and from a guest on a tap with virtio-net offloads, in turns in one run. What `auto`
# chooses may not be slower than the kernel: this is where that is seen.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd iperf3
VMM=$BUILD/tests/tool_vmm
need_file "$VMM"
SECONDS_EACH=${XRS_BENCH_SECONDS:-3}
ROUNDS=${XRS_BENCH_RUNS:-3}
RESULTS=$BUILD/bench/tcp.tsv
mkdir -p "${RESULTS%/*}"
: >"$RESULTS"

config() { # MODE
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "dataplane": { "mode": "$1" },
	  "vnets": [ {
	    "name": "prod", "addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"],
	    "gateway": { "macs": ["$GW"] },
	    "routeTables": [ { "name": "main", "routes": [
	      { "addressPrefix": "203.0.113.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "${IP4[fw]}" },
	      { "addressPrefix": "2001:db8::/32", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "${IP6[fw]}" }
	    ] } ]
	  } ],
	  "nics": [ { "match": { "name": "vm*" }, "vnet": "prod" },
	            { "match": { "name": "fw" }, "vnet": "prod", "role": "nva" } ]
	}
	END
}

guest_up() { # the guest on the tap vm2, in a routed setting
	spawn_in host vmm "$VMM" vm2 "/run/netns/$ID-vm2" eth0 offload
	wait_for 10 "the guest's device" grep -q ready "$DIR/vmm.log" || abandon "the guest's device"
	ip -n "$ID-vm2" link set eth0 address "${MAC[vm2]}" up
	run_logged ip -n "$ID-vm2" addr add "${IP4[vm2]}/16" dev eth0
	run_logged ip -n "$ID-vm2" addr add "${IP6[vm2]}/64" dev eth0 nodad
	host_ip link set vm2 up
	routed vm2
}

gbit() { # NODE ADDRESS: the receiver's figure; the server may still be busy with the one before
	local try
	for try in 1 2 3 4 5; do
		in_ns "$1" iperf3 -J -c "$2" -t "$SECONDS_EACH" -O 1 >"$DIR/iperf.json" &&
			jq -er '.end.sum_received.bits_per_second / 1e9 * 100 | round / 100' "$DIR/iperf.json" && return
		sleep "0.$try"
	done
}

measure() { # ROUND MODE
	local node address value
	for node in vm1 vm2; do
		for address in 203.0.113.10 2001:db8::10; do
			value=$(gbit $node $address)
			case $address in *:*) v=v6 ;; *) v=v4 ;; esac
			printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$node" $v "$value" >>"$RESULTS"
		done
	done
}

lab_host
veth_node vm1
veth_node fw
new_ns vm2
routed fw
routed vm1
guest_up
gro fw on # as appliances that forward have it
run_logged ip -n "$ID-fw" addr add 203.0.113.10/32 dev lo
run_logged ip -n "$ID-fw" addr add 2001:db8::10/128 dev lo nodad
# The kernel's own way to the same place; XRS goes by its own.
host_ip route add 203.0.113.0/24 via "${IP4[fw]}" dev fw onlink
host_ip -6 route add 2001:db8::/32 via "${IP6[fw]}" dev fw onlink
spawn_in fw iperf3 iperf3 -s
listens() { in_ns fw ss -Hltn "sport = :5201" | grep -q 5201; }
wait_for 10 "iperf3 listens" listens
for n in vm1 vm2 fw; do
	in_ns $n ping -q -c 1 -w 20 -i 0.2 10.1.0.1 >/dev/null
	in_ns $n ping -q -c 1 -w 20 -i 0.2 fd00:1::1 >/dev/null
done
usable() { ctl -j fib show | jq -e '[.value[].usable] == [true, true]'; }

diag "load $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) CPUs, $(uname -r)"
for round in $(seq "$ROUNDS"); do
	measure "$round" kernel
	for mode in auto native tc; do
		config $mode
		xrs_start
		for n in vm1 vm2 fw; do await_nic $n attached || abandon "nic $n"; done
		wait_for 20 "the appliance" usable || abandon "the appliance"
		await_fib
		measure "$round" $mode
		xrs_stop
		run_logged "$XRSCTL" dataplane detach --instance "$ID" || abandon "detach"
	done
done

# Medians, and as a part of the kernel's.
median() { # MODE NODE FAMILY
	awk -F'\t' -v m="$1" -v n="$2" -v f="$3" '$2 == m && $3 == n && $4 == f { print $5 }' "$RESULTS" |
		sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
printf '%-34s %8s %8s %8s %8s\n' "Gbit/s, one stream" kernel auto native tc
for node in vm1 vm2; do
	for v in v4 v6; do
		case $node in vm1) what="container on a veth" ;; *) what="guest on a tap, offloads" ;; esac
		printf '%-34s %8s %8s %8s %8s\n' "$what, IP$v" "$(median kernel $node $v)" "$(median auto $node $v)" \
			"$(median native $node $v)" "$(median tc $node $v)"
	done
done
check "every figure was measured" test "$(awk -F'\t' '$5 > 0' "$RESULTS" | wc -l)" -eq $((ROUNDS * 16))
finish
