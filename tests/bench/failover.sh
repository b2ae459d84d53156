#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 3600
# What becomes of the traffic when an appliance dies: xrsd beside BIRD and FRR programming the kernel's FIB, in the
# same lab, with the same appliances, for small and large tables.
#
#   vm1 --- host (xrsd | BIRD or FRR + kernel FIB) --- fw, fw2: BIRD each, the same prefixes; another xrsd for BFD 10 ms x 3
#
#   silent    fw sends nothing any more, its interface stays up: only BFD sees it. Time between two answers of a
#             ping each millisecond
#   reset     fw's BGP daemon is killed, no BFD. From the end of the TCP connection, as its packet passes, to the
#             first packet that comes to the other appliance
#   withdraw  fw, whose paths are the shorter ones, withdraws all of them; until the maps are right, and until all
#             withdrawals have come; processor time of xrsd's two threads and of the sender. Frames to random prefixes
#             meanwhile: without a route, lost
#   detect    a million routes come and go, and 16 other peers with BFD 10 ms x 3 fall silent in turn: from the end of
#             the detection time to the store in the map
#   flows     one of four appliances dies and returns: how many flows of those that were not its own have moved
#
# XRS_BENCH_RUNS (20) of each, of the others XRS_BENCH_OTHERS (3), and no new run after XRS_BENCH_SECONDS (80), with the
# others half of it: a quarter of an hour. Everything once more in build/bench/failover.txt.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/bench/lib/middle.sh"
need_cmd bird birdc tc chrt tcpdump zebra bgpd bfdd vtysh
RUNS=${XRS_BENCH_RUNS:-20}
OTHERS=${XRS_BENCH_OTHERS:-3}
LAST=${XRS_BENCH_SECONDS:-80}
SIZES=${XRS_BENCH_SIZES:-1000 1000000}
SPEAKERS=${XRS_BENCH_SPEAKERS:-xrs bird frr}
KINDS=${XRS_BENCH_KINDS:-silent reset withdraw detect flows}
MANY=${SIZES##* }
DESTINATION=203.0.113.10
IP4[fw4]=10.1.2.7 IP6[fw4]=fd00:1::2:7 MAC[fw4]=02:00:00:00:02:07
declare -A PID=() ASN=([fw]=65001 [fw2]=65002 [fw3]=65003 [fw4]=65004)

# --- figures ------------------------------------------------------------------------------------------------
OUT=$BUILD/bench/failover.txt
mkdir -p "${OUT%/*}"
: >"$OUT"
line() {
	diag "$*"
	echo "$*" >>"$OUT"
}
ROW='%-10s %-8s %9s %5s %9s %9s %9s %9s  %-3s %s'
row() { # WORK SPEAKER ROUTES UNIT FILE: a figure a line; those that are not numbers count as missing
	line "$(grep -E '^[0-9.]+$' "$5" | sort -n | awk -v row="$ROW" -v work="$1" -v who="$2" -v size="$3" -v unit="$4" -v load="load $(cut -d' ' -f1 /proc/loadavg)" '
		{ v[NR] = $1 }
		function at(share) { i = int(NR * share + 0.999999); return v[(i < 1) ? 1 : i] }
		END { if (NR) printf row, work, who, size, NR, at(0.5), at(0.99), v[1], v[NR], unit, load
		      else printf row, work, who, size, 0, "-", "-", "-", "-", unit, load }')"
}
# Until the runs or the time are over: again SPEAKER
begin_runs() {
	runs=0
	began=$SECONDS
}
again() { # SPEAKER
	local most=$RUNS last=$LAST
	[ "$1" = xrs ] || most=$OTHERS last=$((LAST / 2))
	runs=$((runs + 1))
	[ "$runs" -le "$most" ] && [ $((SECONDS - began)) -lt "$last" ]
}
# Both serve, and the ping's flow stays where it is: $NODE.
settled() { # SPEAKER SIZE
	"${1}_ready" "$2" || return
	NODE=$("${1}_path")
	sleep 0.5
	[ "$("${1}_path")" = "$NODE" ]
}
await_ready() { # SPEAKER SIZE
	wait_for 180 "$1 with $2 routes" settled "$1" "$2" >"$DIR/.wait" && return
	diag "$1 with $2 routes: not in 180 s: $(tail -c 500 "$DIR/.wait")"
	[ "$1" != xrs ] || fail "xrs with $2 routes"
	return 1
}

# --- one death ------------------------------------------------------------------------------------------------
silence() { in_ns "$1" tc qdisc replace dev eth0 root pfifo limit 0; }
speak() { in_ns "$1" tc qdisc del dev eth0 root; }
gap_ms() {
	sed -n 's/^\[\([0-9.]*\)\].*bytes from.*/\1/p' "$DIR/ping.log" |
		awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { printf "%.1f\n", gap * 1000 }'
}
answers() { grep -c 'bytes from' "$DIR/ping.log"; }
answered_again() { [ "$(answers)" -gt $((before + 100)) ]; }
# What was found settled may have moved since; then the run does not count.
silence_it() { # SPEAKER
	HIT=
	[ "$("${1}_path")" = "$NODE" ] || return
	silence "$NODE"
	HIT=1
}
# While a ping runs; it ends when the answers are back.
ping_through() { # COMMAND...
	local ping before
	: >"$DIR/ping.log"
	spawn_in vm1 ping chrt -r 10 ping -D -n -i 0.001 $DESTINATION
	ping=$spawned
	sleep 0.5
	"$@"
	sleep 0.2
	before=$(answers)
	wait_for 120 "answers" answered_again >/dev/null
	stop_pid "$ping" INT
}
two_appliances() { # SPEAKER SIZE [BFD]
	local node
	route_server "$1"
	prefixes "$2" >"$DIR/prefixes"
	for node in fw fw2; do
		appliance $node
		[ -z "${3-}" ] || bfd_speaker $node
	done
}
no_appliances() {
	local node
	for node in "${!PID[@]}"; do
		stop_pid "${PID[$node]}" KILL
		unset "PID[$node]"
	done 2>/dev/null
}

silent() { # SPEAKER SIZE
	: >"$DIR/gaps"
	two_appliances "$1" "$2" bfd
	"${1}_up" bfd
	begin_runs
	while again "$1"; do
		await_ready "$1" "$2" || break
		ping_through silence_it "$1"
		[ -n "$HIT" ] || { runs=$((runs - 1)) && continue; }
		speak "$NODE"
		gap_ms >>"$DIR/gaps"
	done
	"${1}_down"
	no_appliances
	row silent "$1" "$2" ms "$DIR/gaps"
}

watch_packets() { # NODE FILTER: a time a line in $DIR/NODE.times
	spawn_in "$1" "dump-$1" sh -c "exec tcpdump -n -tt -l -i eth0 '$2' 2>'$DIR/$1.listens' >'$DIR/$1.times'"
	DUMPS+=("$spawned")
	wait_for 20 "tcpdump" grep -q listening "$DIR/$1.listens" || abandon "tcpdump listens"
}
reset_ms() { # NODE OTHER: from the end of the connection to the first packet after it at the other
	local ended
	ended=$(awk 'NR == 1 { print $1 }' "$DIR/$1.times")
	awk -v e="${ended:-0}" 'e && $1 >= e { printf "%.2f\n", ($1 - e) * 1000; found = 1; exit } END { if (!found) print "missing" }' "$DIR/$2.times"
}
reset() { # SPEAKER SIZE
	local other dump
	: >"$DIR/resets"
	: >"$DIR/programmed"
	two_appliances "$1" "$2"
	"${1}_up"
	begin_runs
	while again "$1"; do
		await_ready "$1" "$2" || break
		other=$([ "$NODE" = fw ] && echo fw2 || echo fw)
		DUMPS=()
		watch_packets "$NODE" 'tcp[13] & 5 != 0'
		watch_packets "$other" "icmp[0] == 8 and dst $DESTINATION"
		arrives() { [ -s "$DIR/$other.times" ]; }
		spawn_in vm1 ping chrt -r 10 ping -q -n -i 0.001 $DESTINATION
		sleep 0.3
		stop_pid "${PID[$NODE]}" KILL
		wait_for 120 "packets at $other" arrives >/dev/null
		stop_pid "$spawned" INT
		for dump in "${DUMPS[@]}"; do stop_pid "$dump" TERM; done
		reset_ms "$NODE" "$other" >>"$DIR/resets"
		[ "$1" != xrs ] || xrs_programmed >>"$DIR/programmed"
		appliance "$NODE"
	done
	"${1}_down"
	no_appliances
	row reset "$1" "$2" ms "$DIR/resets"
	[ "$1" != xrs ] || row "  in xrsd" xrs "$2" us "$DIR/programmed"
}

# --- a million withdrawals ----------------------------------------------------------------------------------------
lost_frames() { # frames of vm1 that left without the route that they should have had
	counters vm1 | jq '.no_route + .internet + .no_nexthop + .no_table + .to_kernel'
}
# To random prefixes of the table, one each millisecond.
sprinkle() {
	shuf "$DIR/prefixes" | sed 's/\.[0-9]*\/.*//' | awk -v m="${MAC[vm1]}" -v g=$GW -v s="${IP4[vm1]}" '
		{ print "send dmac=" g " smac=" m " src=" s " dst=" $1 ".1 id=" NR % 60000 }' >"$DIR/sprinkle"
	spawn sprinkle perl -e '$| = 1; open $out, ">", shift or die; select $out; $| = 1; while (<>) { print; select undef, undef, undef, 0.001 }' \
		"$DIR/vm1.in" "$DIR/sprinkle"
}
only_fw() { [ "$(xrs_path)" = fw ]; }
withdrawn() { # what xrsd has of fw, and what waits to be written; one look, since each takes time from what is measured
	ctl metrics | awk '/^xrs_bgp_prefixes\{peer="fw",.*kind="received"/ { held += $2 } /^xrs_fib_pending_entries / { pending = $2 } END { print held, pending }'
}
cpu_of() { # PID [others]: seconds of processor time of its first thread, or of the others
	cat "/proc/$1/task/"*/stat | sed 's/(.*)/x/' |
		awk -v pid="$1" -v others="${2:+1}" '($1 == pid) != (others == 1) { n += $14 + $15 } END { printf "%.2f", n / 100 }'
}
less() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f\n", a - b }'; }
withdraw_once() { # a line each in $DIR/times, received, loop, writer, bird
	local start bird=${PID[fw]} look cpu
	cpu=("$(cpu_of "$XRS_PID")" "$(cpu_of "$XRS_PID" others)" "$(cpu_of "$bird")")
	: >"$DIR/withdrawn"
	start=$(date +%s.%N)
	birdc -s "$DIR/fw.ctl" disable static4 >/dev/null
	until [ "${look:=$(withdrawn)}" = "0 0" ]; do
		[ "${look% *}" = 0 ] && [ ! -s "$DIR/withdrawn" ] && date +%s.%N >"$DIR/withdrawn"
		look=
		sleep 0.05
	done
	less "$(date +%s.%N)" "$start" >>"$DIR/times"
	[ -s "$DIR/withdrawn" ] || date +%s.%N >"$DIR/withdrawn"
	less "$(cat "$DIR/withdrawn")" "$start" >>"$DIR/received"
	less "$(cpu_of "$XRS_PID")" "${cpu[0]}" >>"$DIR/loop"
	less "$(cpu_of "$XRS_PID" others)" "${cpu[1]}" >>"$DIR/writer"
	less "$(cpu_of "$bird")" "${cpu[2]}" >>"$DIR/bird"
}
withdraw() { # SIZE
	local lost steered sender file
	for file in times received loop writer bird lost; do : >"$DIR/$file"; done
	PREPEND[fw2]=1
	two_appliances xrs "$1"
	port_open vm1 vm1 pkt eth0
	xrs_up
	begin_runs
	while again xrs; do
		await_ready xrs "$1" || break
		wait_for 60 "fw is the better one" only_fw >/dev/null || abandon "fw is the better one"
		lost=$(lost_frames)
		steered=$(counters vm1 | jq .steered)
		sprinkle
		sender=$spawned
		withdraw_once
		stop_pid "$sender" KILL
		[ "$(counters vm1 | jq .steered)" -gt "$steered" ] || abandon "frames are steered meanwhile"
		echo $(($(lost_frames) - lost)) >>"$DIR/lost"
		birdc -s "$DIR/fw.ctl" enable static4 >/dev/null
	done
	xrs_down
	no_appliances
	PREPEND=()
	row withdraw xrs "$1" s "$DIR/times"
	row "  received" xrs "$1" s "$DIR/received"
	row "  loop" xrs "$1" cpu "$DIR/loop"
	row "  writer" xrs "$1" cpu "$DIR/writer"
	row "  sender" bird "$1" cpu "$DIR/bird"
	row "  no route" xrs "$1" frm "$DIR/lost"
}

# --- detection while a million routes arrive -------------------------------------------------------------------
FARS=$(seq 1 16)
far_up() { # another xrsd, for its engine: each peer with an address of its own
	local i
	for i in $FARS; do run_logged ip -n "$ID-fw" addr add 10.1.3.$i/16 dev eth0; done
	jq -n --arg id "$ID-far" --argjson n "$(jq -n "[$(echo $FARS | tr ' ' ,)]")" '{
	  node: { instance: $id, routerId: "10.1.3.1" }, dataplane: { mode: "none" },
	  vnets: [ $n[] | { name: "far\(.)", addressPrefixes: ["198.18.\(.).0/24"],
	    routeServer: { asn: (65100 + .), localAddress: "10.1.3.\(.)" },
	    peerings: [ { name: "xrs", peerAsn: 65515, peerIp: "10.1.255.4", connectRetryTime: 1, bfd: { enabled: true, minTxMs: 10, minRxMs: 10 } } ] } ] }' >"$DIR/far.json"
	spawn_in fw far "$XRSD" -c "$DIR/far.json"
	PID[far]=$spawned
}
far_silent() { in_ns fw ip rule add pref "$1" from "10.1.3.$1" blackhole; }
far_speak() { in_ns fw ip rule del pref "$1"; }
all_far() { # UP: they are all up, watched by the programs, and have routes; or all down
	ctl -j peering list | jq -e --argjson up "$1" '[.value[] | select(.name | startswith("far"))] |
		all((.bfdState == "Up" and .state == "Established" and .pfxRcd == 1) == $up)'
}
detect() {
	local i seen=0
	prefixes "$MANY" >"$DIR/prefixes"
	: >"$DIR/detected"
	far_up
	appliance fw2
	xrs_up bfd "$(for i in $FARS; do echo "far$i $((65100 + i)) 10.1.3.$i"; done)"
	many() { ctl -j peering show --name fw2 | jq -e --argjson n "$MANY" '.pfxRcd == $n'; }
	wait_for 120 "$MANY routes" many >/dev/null || abandon "$MANY routes"
	spawn churn sh -c "while :; do birdc -s '$DIR/fw2.ctl' disable static4; sleep 3; birdc -s '$DIR/fw2.ctl' enable static4; sleep 4; done"
	PID[churn]=$spawned
	began=$SECONDS
	while [ "$(wc -l <"$DIR/detected")" -lt $((RUNS * 10)) ] && [ $((SECONDS - began)) -lt "$LAST" ]; do
		wait_for 120 "all peers" all_far true >"$DIR/.wait" || break
		sleep "0.$((RANDOM % 1000))"
		for i in $FARS; do
			far_silent "$i"
			sleep 0.05
		done
		wait_for 20 "all peers are down" all_far false >/dev/null
		for i in $FARS; do far_speak "$i"; done
		ctl -j timeline list | jq -r --argjson seen "$seen" '.value[] | select(.id > $seen and .cause == "bfdDown") | .programmedUs' >>"$DIR/detected"
		seen=$(ctl -j timeline list | jq '.value[-1].id')
	done
	xrs_down
	no_appliances
	for i in $FARS; do run_logged ip -n "$ID-fw" addr del 10.1.3.$i/16 dev eth0; done
	row detect xrs "$MANY" us "$DIR/detected"
}

# --- flows ----------------------------------------------------------------------------------------------------------
FLOWS=400
flows() { # FILE: "flow appliance"
	local n
	forget fw fw2 fw3 fw4
	send vm1 vm1 id=1000 count=$FLOWS step=1 sport=20001 dst=203.0.113.99
	sent vm1
	all_came() { [ "$(cat "$DIR"/fw*.seen | grep -c '^id=1')" -ge $FLOWS ]; }
	wait_for 10 "$FLOWS frames" all_came >/dev/null
	for n in fw fw2 fw3 fw4; do
		sed -n "s/^id=1.*dst=203.0.113.99 ttl=63 .*sport=\([0-9]*\) .*/\1 $n/p" "$DIR/$n.seen"
	done | sort >"$DIR/$1"
}
share() { # AWK-CONDITION over "flow before after": percent of all flows
	join "$DIR/before" "$DIR/after" | awk -v n=$FLOWS "$1 { moved++ } END { printf \"%.1f\\n\", moved * 100 / n }"
}
spread() {
	flows before
	[ "$(cut -d' ' -f2 "$DIR/before" | sort -u | wc -l)" = 4 ]
}
flows_are_back() {
	flows after
	diff "$DIR/before" "$DIR/after"
}
moves() {
	local n others
	: >"$DIR/died"
	: >"$DIR/others"
	prefixes 1 >"$DIR/prefixes"
	for n in fw3 fw4; do
		veth_node $n
		on_bridge $n
	done
	for n in fw fw2 fw3 fw4; do appliance $n; done
	xrs_up '' "$(for n in fw3 fw4; do echo "$n ${ASN[$n]} ${IP4[$n]}"; done)"
	port_open vm1f vm1 pkt eth0
	send() { echo "send dmac=$GW smac=${MAC[vm1]} src=${IP4[vm1]} ${*:3}" >"$DIR/vm1f.in"; }
	sent() { sleep 0.3; }
	for n in fw fw2 fw3 fw4; do port_open $n $n pkt eth0; done
	four() { ctl -j fib show | jq -e '[.value[] | select(.usable and .peering != "")] | length == 4'; }
	wait_for 60 "four appliances" four >/dev/null || abandon "four appliances"
	begin_runs
	while again xrs; do
		# Its BIRD ends the session a second after the link went; who does that often waits longer each time.
		wait_for 150 "flows at four appliances" spread >/dev/null || abandon "flows at four appliances"
		host_ip link set fw down
		three() { ! four; }
		wait_for 20 "three appliances" three >/dev/null
		flows after
		share '$2 != $3' >>"$DIR/died"
		others=$(share '$2 != "fw" && $2 != $3')
		host_ip link set fw up
		wait_for 150 "each flow where it was" flows_are_back >/dev/null || abandon "each flow where it was"
		echo "$others" >>"$DIR/others"
	done
	xrs_down
	no_appliances
	row flows xrs 1 % "$DIR/died"
	row "  of others" xrs 1 % "$DIR/others"
}

# --- all of it ------------------------------------------------------------------------------------------------------
lab_host
lab_bridge
for n in vm1 fw fw2; do
	veth_node $n
	on_bridge $n
done
for n in fw fw2; do run_logged ip -n "$ID-$n" addr add $DESTINATION/32 dev lo; done
line "$(printf "$ROW" work speaker routes runs p50 p99 least most '' '')"
for kind in $KINDS; do
	case $kind in
	silent | reset)
		for size in $SIZES; do
			for speaker in $SPEAKERS; do
				$kind "$speaker" "$size"
			done
		done
		;;
	withdraw) withdraw "$MANY" ;;
	detect) detect ;;
	flows) moves ;;
	esac
	ok "$kind"
done
finish
