#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 7200
# How long a flow stands still when its appliance dies: xrsd beside BIRD programming the kernel's FIB, in the
# same lab, with the same appliances, for small and large tables.
#
#   vm1 --- host (xrsd | BIRD + kernel FIB) --- fw, fw2: BIRD each, the same prefixes; another for BFD 10 ms x 3
#
#   silent   fw sends nothing any more, its interface stays up: only BFD sees it
#   reset    fw's BGP daemon is killed, no BFD: the TCP connection ends (the frames still arrive)
#
# gap_ms: the longest time between two answers of a ping each millisecond. programmed_us: from the first sign
# to the maps that are right (timeline). Medians of XRS_BENCH_RUNS (20), with the least and the most.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd bird birdc tc chrt
RUNS=${XRS_BENCH_RUNS:-20}
SIZES=${XRS_BENCH_SIZES:-1000 1000000}
SPEAKERS=${XRS_BENCH_SPEAKERS:-xrs bird}
declare -A PID=()

prefixes() { # COUNT: /24s and longer, the last one is where the ping goes
	awk -v n="$1" 'BEGIN { for (i = 0; i < n - 1; i++) { a = int(i / 65536) % 64; print 32 + a "." int(i / 256) % 256 "." i % 256 "." (int(i / 4194304) * 64) "/" 26 } print "203.0.113.0/24" }'
}
appliance_conf() { # NODE ASN
	cat <<-END
	router id ${IP4[$1]};
	protocol device {}
	protocol static { ipv4;
	$(sed 's/.*/route & unreachable;/' "$DIR/prefixes") }
	protocol bgp xrs { local ${IP4[$1]} as $2; neighbor $RS4 as 65515; direct;
	  connect delay time 1; connect retry time 1; error wait time 1, 2; hold time 180; graceful restart off;
	  ipv4 { import none; export where source = RTS_STATIC; }; }
	END
}
# BFD is a process of its own, with real-time priority: a million routes must not delay it in the appliance.
appliance() { # NODE ASN
	appliance_conf "$@" >"$DIR/$1.conf"
	spawn_in "$1" "bird-$1" bird -f -c "$DIR/$1.conf" -s "$DIR/$1.ctl" -P "$DIR/$1.pid"
	PID[$1]=$spawned
}
bfd_speaker() { # NODE
	cat >"$DIR/$1-bfd.conf" <<-END
	router id ${IP4[$1]};
	protocol device {}
	protocol bfd { interface "*" { interval 10 ms; multiplier 3; }; neighbor $RS4 dev "eth0" local ${IP4[$1]}; }
	END
	spawn_in "$1" "bfd-$1" chrt -r 10 bird -f -c "$DIR/$1-bfd.conf" -s "$DIR/$1-bfd.ctl" -P "$DIR/$1-bfd.pid"
	PID[$1-bfd]=$spawned
}

# --- the two in the middle --------------------------------------------------------------------------------
xrs_up() { # BFD
	jq -n --arg id "$ID" --arg gw $GW --argjson bfd "$([ -n "$1" ] && echo true || echo false)" '{
	  node: { instance: $id, routerId: "10.1.255.4" },
	  vnets: [ { name: "prod", addressPrefixes: ["10.1.0.0/16"], gateway: { macs: [$gw] },
	    routeServer: { asn: 65515, localAddress: "10.1.255.4" },
	    peerings: [ ["fw", 65001, "10.1.2.4"], ["fw2", 65002, "10.1.2.5"] | {
	      name: .[0], peerAsn: .[1], peerIp: .[2], connectRetryTime: 1, families: ["ipv4-unicast"],
	      bfd: { enabled: $bfd, minTxMs: 10, minRxMs: 10 } } ] } ],
	  nics: [ { match: { name: "vm*" }, vnet: "prod" }, { match: { name: "fw*" }, vnet: "prod", role: "nva" } ] }' >"$CONF"
	xrs_start
	await_nic vm1 attached || abandon "nic vm1 is attached"
}
xrs_ready() { # COUNT
	ctl -j peering list | jq -e --argjson n "$1" '[.value[] | select(.pfxRcd == $n)] | length == 2' && fib_idle &&
		ctl -j bfd list | jq -e 'all(.value[]; .state == "Up" and .kernel)' && [ "$(xrs_path)" != null ]
}
xrs_path() { # the appliance that serves the ping
	ctl -j nic show-next-hop --name vm1 --destination-ip 203.0.113.10 --source-ip "${IP4[vm1]}" --protocol icmp | jq -r .peering
}
xrs_programmed() { # of the latest failure
	ctl -j timeline list | jq '[.value[] | select(.cause != "returned")] | last | .programmedUs'
}
xrs_down() {
	xrs_stop
	"$XRSCTL" dataplane detach --instance "$ID" >/dev/null
}

bird_up() { # BFD
	cat >"$DIR/middle.conf" <<-END
	router id $RS4;
	protocol device {}
	$([ -z "$1" ] || echo 'protocol bfd { interface "*" { interval 10 ms; multiplier 3; }; }')
	protocol kernel { ipv4 { export all; import none; }; merge paths on limit 16; }
	$(for n in fw:65001 fw2:65002; do
		echo "protocol bgp ${n%:*} { local $RS4 as 65515; neighbor ${IP4[${n%:*}]} as ${n#*:}; direct; $1
		  connect delay time 1; connect retry time 1; error wait time 1, 2; hold time 180; graceful restart off;
		  ipv4 { import all; export none; }; }"
	done)
	END
	spawn_in host middle bird -f -c "$DIR/middle.conf" -s "$DIR/middle.ctl" -P "$DIR/middle.pid"
	PID[middle]=$spawned
}
bird_ready() { # COUNT
	local n
	for n in fw fw2; do
		birdc -s "$DIR/middle.ctl" show protocols all $n | grep -q "Routes: *$1 imported" || return 1
	done
	[ "$(in_ns host ip -4 route show proto bird | grep -c 'via\|nexthop\|^[0-9]')" -ge "$1" ] && bird_path >/dev/null
}
bird_path() {
	in_ns host ip -4 route get 203.0.113.10 from "${IP4[vm1]}" iif br0 | awk -v a="${IP4[fw]}" -v b="${IP4[fw2]}" '
		/via/ { found = 1; print ($0 ~ a " ") ? "fw" : "fw2" } END { exit !found }'
}
bird_down() {
	stop_pid "${PID[middle]}"
}

# --- one death ------------------------------------------------------------------------------------------------
silence() { in_ns "$1" tc qdisc replace dev eth0 root pfifo limit 0; }
speak() { in_ns "$1" tc qdisc del dev eth0 root; }
gap_ms() {
	sed -n 's/^\[\([0-9.]*\)\].*bytes from.*/\1/p' "$DIR/ping.log" |
		awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { printf "%.1f\n", gap * 1000 }'
}
ping_for() { # COMMAND...: while a ping runs
	: >"$DIR/ping.log"
	spawn_in vm1 ping chrt -r 10 ping -D -n -i 0.001 203.0.113.10
	local ping=$spawned
	sleep 0.5
	"$@"
	sleep "${SETTLE:-2}"
	stop_pid "$ping" INT
}
stats() { # FILE: median (least - most)
	sort -n "$1" | awk '{ v[NR] = $1 } END { if (NR) printf "%s (%s - %s)", v[int((NR + 1) / 2)], v[1], v[NR]; else printf "-" }'
}
p99() { sort -n "$1" | awk '{ v[NR] = $1 } END { i = int(NR * 0.99 + 0.999); if (NR) print v[(i > NR) ? NR : i]; else print "-" }'; }

scenario() { # SPEAKER SIZE KIND
	local speaker=$1 size=$2 kind=$3 bfd='bfd on;' run node
	[ "$kind" = reset ] && bfd=''
	: >"$DIR/gaps"
	: >"$DIR/programmed"
	prefixes "$size" >"$DIR/prefixes"
	appliance fw 65001
	appliance fw2 65002
	for node in fw fw2; do
		[ -z "$bfd" ] || bfd_speaker $node
	done
	"${speaker}_up" "$bfd"
	for run in $(seq 1 "$RUNS"); do
		wait_for 300 "$speaker with $size routes" "${speaker}_ready" "$size" >"$DIR/.wait" || abandon "$speaker $size $kind" "$(tail -c 500 "$DIR/.wait")"
		node=$("${speaker}_path")
		if [ "$kind" = silent ]; then
			ping_for silence "$node"
			speak "$node"
		else
			ping_for stop_pid "${PID[$node]}" KILL
		fi
		gap_ms >>"$DIR/gaps"
		[ "$speaker" = bird ] || xrs_programmed >>"$DIR/programmed"
		[ "$kind" = silent ] || appliance "$node" $([ "$node" = fw ] && echo 65001 || echo 65002)
	done
	diag "$(printf '%-8s %8d routes %-8s gap %s ms  programmed %s us, p99 %s us' "$speaker" "$size" "$kind" \
		"$(stats "$DIR/gaps")" "$(stats "$DIR/programmed")" "$(p99 "$DIR/programmed")")"
	"${speaker}_down"
	for node in fw fw2; do
		stop_pid "${PID[$node]}" KILL
		[ -z "$bfd" ] || stop_pid "${PID[$node-bfd]}" KILL
	done
	ok "$speaker, $size routes, $kind"
}

lab_host
lab_bridge
for n in vm1 fw fw2; do
	veth_node $n
	on_bridge $n
done
for n in fw fw2; do run_logged ip -n "$ID-$n" addr add 203.0.113.10/32 dev lo; done
for size in $SIZES; do
	for speaker in $SPEAKERS; do
		for kind in silent reset; do
			scenario "$speaker" "$size" "$kind"
		done
	done
done
finish
