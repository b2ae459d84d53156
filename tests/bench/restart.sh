#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 7200
# kill -9 and a new start with XRS_BENCH_ROUTES (100,000) routes of one of two appliances while a VM sends packets:
# how many are lost, and how long it takes. XRS_BENCH_KINDS (all), each XRS_BENCH_RUNS (20) times:
#
#   same     the same build again
#   code     an upgrade to other programs, and back, on the same maps
#   layout   an upgrade to maps of another layout: once, there is no way back
#
#   api_ms        from the start of the new process to the API's first answer; `layout`: the maps are moved before
#   adopted_ms    likewise until the plan knows all that the maps hold; sessions come up meanwhile
#   sessions_ms   from the start of the new process to the last session Established
#   exact_ms      from there to tables without a stale or missing entry: the sweep is over, fib.verify is clean
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"
RUNS=${XRS_BENCH_RUNS:-20}
N=${XRS_BENCH_ROUTES:-100000}
KINDS=${XRS_BENCH_KINDS:-same code layout}
LIMIT=$((120 + N / 2000)) # seconds
need_file "$BUILD/next/xrsd" "$BUILD/code/xrsd"

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
wait_for $LIMIT "$N routes" held || abandon "all routes are there"
wait_for $LIMIT "the maps to be as planned" fib_idle || abandon "the maps are as planned"

stamp_ms() { # PATTERN: of the last such line of the log
	date -d "$(grep -a -- "$1" "$DIR/xrsd.log" | tail -n 1 | cut -d' ' -f1)" +%s%3N
}
is_exact() { # fib.verify, once: nothing of it may change any more
	run_logged ctl -j fib verify
	jq -e --argjson n "$N" '.missing + .stale + .differing + .pending + .rejected == 0 and .present == .expected and .expected > $n' "$DIR/.out"
}
replace_with() { # XRSD: and a line of figures
	local start api established
	kill -KILL "$XRS_PID"
	wait "$XRS_PID" 2>/dev/null
	: >"$DIR/xrsd.log"
	start=$(date +%s%3N)
	spawn_in host xrsd "$1" -c "$CONF"
	XRS_PID=$spawned
	until ctl system info >/dev/null 2>&1; do sleep 0.01; done
	api=$(date +%s%3N)
	wait_for $LIMIT "the sweep" complete || abandon "the sweep"
	is_exact >/dev/null || fail "fib.verify is clean at the end of the sweep"
	established=$(stamp_ms 'session: established')
	echo "$((api - start)) $(($(stamp_ms 'restart: adopted') - start)) $((established - start)) $(($(stamp_ms 'restart: complete') - established))" >>"$DIR/figures"
}
figures() { # COLUMN NAME: median, least, most
	sort -n -k "$1,$1" "$DIR/figures" | awk -v c="$1" -v name="$2" '{ v[NR] = $c }
		END { print name, v[int((NR + 1) / 2)], "(" v[1] " to " v[NR] ")" }'
}
same() { for ((run = 0; run < RUNS; run++)); do replace_with "$XRSD"; done; }
code() {
	for ((run = 0; run < RUNS; run += 2)); do
		replace_with "$BUILD/code/xrsd"
		replace_with "$XRSD"
	done
}
layout() { replace_with "$BUILD/next/xrsd"; }

for kind in $KINDS; do
	: >"$DIR/figures"
	spawn_in vm1 "ping-$kind" ping -q -n -i 0.001 -W 2 203.0.113.10
	ping=$spawned
	$kind
	stop_pid "$ping" INT
	rx=$(sed -n 's/\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$DIR/ping-$kind.log")
	diag "$kind: $N routes, $(wc -l <"$DIR/figures") runs: $(figures 1 api_ms); $(figures 2 adopted_ms); $(figures 3 sessions_ms); $(figures 4 exact_ms);" \
		"$rx packets sent and answered"
	check "$kind: no packet was lost" test "$((${rx% *} - ${rx#* }))" -le 1 # the last may be on its way
done
finish
