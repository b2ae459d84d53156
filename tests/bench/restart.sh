#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 7200
# kill -9 and a new start with XRS_BENCH_ROUTES (100,000) routes of one of two appliances, XRS_BENCH_RUNS (20)
# times, while a VM sends packets: lost ones, and how long from the kill to the sessions and to exact tables.
#
#   sessions_ms   from the start of the new process to the last session Established
#   exact_ms      from there to tables without a stale or missing entry: the sweep is over, fib.verify is clean
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"
RUNS=${XRS_BENCH_RUNS:-20}
N=${XRS_BENCH_ROUTES:-100000}

echo "203.0.113.0/24 " >"$DIR/fw.routes"
awk -v n="$N" 'BEGIN { for (i = 1; i < n; i++) printf "20.%d.%d.%d/32\n", i / 65536, i / 256 % 256, i % 256 }' >"$DIR/fw.bulk"
echo "198.51.100.0/24 " >"$DIR/fw2.routes"
jq -n --arg id "$ID" --arg gw $GW '{
  node: { instance: $id, routerId: "10.1.255.4" },
  vnets: [ { name: "prod", addressPrefixes: ["10.1.0.0/16"], gateway: { macs: [$gw] },
    routeServer: { asn: 65515, localAddress: "10.1.255.4" },
    peerings: [ ["fw", 65001, "10.1.2.4"], ["fw2", 65002, "10.1.2.5"] | {
      name: .[0], peerAsn: .[1], peerIp: .[2], connectRetryTime: 1, families: ["ipv4-unicast"] } ] } ],
  nics: [ { match: { name: "vm*" }, vnet: "prod" }, { match: { name: "fw*" }, vnet: "prod", role: "nva" } ] }' >"$CONF"
lab_host
lab_bridge
for n in vm1 fw fw2; do
	veth_node $n
	on_bridge $n
done
run_logged ip -n "$ID-fw" addr add 203.0.113.10/32 dev lo
nva_up fw 65001
nva_up fw2 65002
xrs_start
held() { ctl -j peering show --name fw | jq -e --argjson n "$N" '.pfxRcd == $n'; }
complete() { grep -q 'restart: complete' "$DIR/xrsd.log"; }
await_established fw fw2
wait_for 120 "$N routes" held || abandon "all routes are there"
wait_for 60 "the maps to be as planned" fib_idle || abandon "the maps are as planned"
spawn_in vm1 ping ping -q -n -i 0.001 -W 2 203.0.113.10
ping=$spawned

stamp_ms() { # PATTERN: of the last such line of the log
	date -d "$(grep -a -- "$1" "$DIR/xrsd.log" | tail -n 1 | cut -d' ' -f1)" +%s%3N
}
: >"$DIR/figures"
for ((run = 0; run < RUNS; run++)); do
	kill -KILL "$XRS_PID"
	wait "$XRS_PID" 2>/dev/null
	: >"$DIR/xrsd.log"
	spawn_in host xrsd "$XRSD" -c "$CONF"
	XRS_PID=$spawned
	wait_for 120 "the sweep" complete || abandon "the sweep of run $run"
	run_logged ctl -j fib verify
	jq -e '.missing + .stale + .differing + .pending + .rejected == 0 and .present == .expected' "$DIR/.out" >/dev/null &&
		[ "$(jq .expected "$DIR/.out")" -gt "$N" ] || fail "run $run: fib.verify is clean at the end of the sweep"
	established=$(stamp_ms 'session: established')
	echo "$((established - $(stamp_ms 'xrsd: version'))) $(($(stamp_ms 'restart: complete') - established))" >>"$DIR/figures"
done
stop_pid "$ping" INT
rx=$(sed -n 's/\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$DIR/ping.log")

figures() { # COLUMN NAME: median, least, most
	sort -n -k "$1,$1" "$DIR/figures" | awk -v c="$1" -v name="$2" '{ v[NR] = $c }
		END { print name, v[int((NR + 1) / 2)], "(" v[1] " to " v[NR] ")" }'
}
diag "$N routes, $RUNS runs: $(figures 1 sessions_ms); $(figures 2 exact_ms); $rx packets sent and answered"
check "each run ended with exact tables" test "$(wc -l <"$DIR/figures")" -eq "$RUNS"
check "no packet was lost" test "$((${rx% *} - ${rx#* }))" -le 1
finish
