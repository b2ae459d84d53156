#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# TCP from a VM to an appliance, Gbit/s of one stream: the kernel's forwarding and XRS in each mode, from a
# container on a veth and from a guest on a tap with virtio-net offloads. What `auto` chooses may not be slower
# than the kernel: this is where that is seen.
#
# There is a container and a guest for each way, so that nothing is attached, started or stopped between two
# streams: a round is one short stream of each, right after each other, and what is compared is of one round.
# The kernel's own VMs and their appliance are no nics of XRS; to XRS's appliance the kernel has no route.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd iperf3 taskset
VMM=$BUILD/tests/tool_vmm
need_file "$VMM"
MBYTES=${XRS_BENCH_MBYTES:-512}
ROUNDS=${XRS_BENCH_ROUNDS:-25}
KINDS=${XRS_BENCH_KINDS:-veth tap}
FAMILIES=${XRS_BENCH_FAMILIES:-v4 v6}
MODES=(kernel)
for mode in ${XRS_BENCH_MODES:-auto native tc}; do MODES+=("$mode"); done
RESULTS=$BUILD/bench/tcp.tsv
mkdir -p "${RESULTS%/*}"
: >"$RESULTS"

# Who runs where: a stream is the same work on the same processors each time. What forwards is the first one's,
# where the frames come from: the container, or the hypervisor of the guest. The rest is the other's.
read -r first second <<<"${XRS_BENCH_CPUS:-0 $(($(nproc) > 1))}"
declare -A CPU=([veth]=$first [vmm]=$first [tap]=${second:-$first} [server]=${second:-$first})

declare -A WHAT=([veth]="container on a veth" [tap]="guest on a tap, offloads")
declare -A BEHIND=([kernel.v4]=198.51.100.10 [kernel.v6]=2001:db8:1::10 [xrs.v4]=203.0.113.10 [xrs.v6]=2001:db8:2::10)
VMS=()

vm_of() { # KIND MODE: its name, which is that of the interface too
	echo "${1:0:1}$2"
}

config() {
	local rules='' kind mode
	for kind in $KINDS; do
		for mode in "${MODES[@]:1}"; do
			rules+="$(rule "$(vm_of "$kind" "$mode")" "\"mode\": \"$mode\""), "
		done
	done
	lab_config "$rules $(rule fw '"role": "nva"')" \
		"$(route_to 203.0.113.0/24 "${IP4[fw]}"), $(route_to 2001:db8:2::/48 "${IP6[fw]}")"
}

container_up() { # NAME
	veth_node "$1"
	routed "$1"
}

guest_of() { # NAME: the guest on the tap of that name, in a routed setting
	new_ns "$1"
	spawn_in host "vmm-$1" taskset -c "${CPU[vmm]}" "$VMM" "$1" "/run/netns/$ID-$1" eth0 offload
	wait_for 10 "the guest's device" grep -q ready "$DIR/vmm-$1.log" || abandon "the guest's device"
	ip -n "$ID-$1" link set eth0 address "${MAC[$1]}" up
	run_logged ip -n "$ID-$1" addr add "${IP4[$1]}/16" dev eth0
	run_logged ip -n "$ID-$1" addr add "${IP6[$1]}/64" dev eth0 nodad
	host_ip link set "$1" up
	routed "$1"
}

vm_up() { # KIND MODE
	local name n
	name=$(vm_of "$1" "$2")
	n=$((20 + ${#VMS[@]}))
	IP4[$name]=10.1.1.$n IP6[$name]=fd00:1::1:$n MAC[$name]=02:00:00:00:01:$n
	case $1 in veth) container_up "$name" ;; tap) guest_of "$name" ;; esac
	VMS+=("$name")
}

appliance_up() { # NODE kernel|xrs
	veth_node "$1"
	routed "$1"
	gro "$1" on # as appliances that forward have it
	run_logged ip -n "$ID-$1" addr add "${BEHIND[$2.v4]}/32" dev lo
	run_logged ip -n "$ID-$1" addr add "${BEHIND[$2.v6]}/128" dev lo nodad
	spawn_in "$1" "iperf3-$1" taskset -c "${CPU[server]}" iperf3 -s
	wait_for 10 "iperf3 listens" listens "$1" || abandon "iperf3 listens"
}

listens() { in_ns "$1" ss -Hltn "sport = :5201" | grep -q 5201; }

usable() { ctl -j fib show | jq -e '[.value[].usable] == [true, true]'; }

# Gbit/s that the receiver had; the server may still be busy with the one before.
gbit() { # NODE CPU ADDRESS
	local try
	for try in 1 2 3 4 5; do
		in_ns "$1" taskset -c "$2" iperf3 -J -c "$3" -n "${MBYTES}M" >"$DIR/iperf.json" &&
			jq -er '.end.sum_received.bits_per_second / 1e9' "$DIR/iperf.json" && return
		sleep "0.$try"
	done
}

stream() { # ROUND KIND FAMILY MODE
	local by=xrs value
	[ "$4" = kernel ] && by=kernel
	value=$(gbit "$(vm_of "$2" "$4")" "${CPU[$2]}" "${BEHIND[$by.$3]}")
	printf '%s\t%s\t%s\t%s\n' "$1" "${WHAT[$2]}, IP$3" "$4" "$value" >>"$RESULTS"
}

measure() { # ROUND: each begins with another way, so that none is always the first
	local kind family i
	for kind in $KINDS; do
		for family in $FAMILIES; do
			for i in "${!MODES[@]}"; do
				stream "$1" "$kind" "$family" "${MODES[($1 + i) % ${#MODES[@]}]}"
			done
		done
	done
}

lab_host
appliance_up fw xrs
appliance_up fw2 kernel
for kind in $KINDS; do
	for mode in "${MODES[@]}"; do vm_up "$kind" "$mode"; done
done
host_ip route add 198.51.100.0/24 via "${IP4[fw2]}" dev fw2 onlink
host_ip -6 route add 2001:db8:1::/48 via "${IP6[fw2]}" dev fw2 onlink
for n in "${VMS[@]}" fw fw2; do
	in_ns "$n" ping -q -c 1 -w 20 -i 0.2 10.1.0.1 >/dev/null
	in_ns "$n" ping -q -c 1 -w 20 -i 0.2 fd00:1::1 >/dev/null
done
config
xrs_start
for n in "${VMS[@]}"; do
	case $n in *kernel) ;; *) await_nic "$n" attached || abandon "nic $n" ;; esac
done
await_nic fw attached || abandon "nic fw"
wait_for 20 "the appliance" usable || abandon "the appliance"
await_fib

diag "load $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) CPUs, $(uname -r); on ${CPU[vmm]} and ${CPU[server]}"
for round in $(seq "$ROUNDS"); do measure "$round"; done
printf 'Gbit/s, one stream; ratio to the kernel in the same round\n'
awk -f "$TOP/tests/bench/lib/paired.awk" -v REFERENCE=kernel -v DIGITS=1 "$RESULTS" | tee "$BUILD/bench/tcp.txt"
measured() { awk -F'\t' '$4 > 0 { n++ } END { print n + 0 }' "$RESULTS"; }
check_equal "every figure was measured" "$(wc -l <"$RESULTS")" "$(measured)"
finish
