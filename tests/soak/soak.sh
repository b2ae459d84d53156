#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 90000
# Everything together for XRS_SOAK_SECONDS (600), with an ASan build (`make soak`): three appliances with BFD,
# traffic, routes, links and configurations that come and go, an API that is asked without a pause, and xrsd,
# its engine and appliances killed or stopped at random. Then it is let be: fib.verify is clean, no route is
# lost or stale, no sanitizer has said anything, and the memory is what it was.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"
LAST=${XRS_SOAK_SECONDS:-600}
RANDOM=${XRS_SEED:=$$}
N=800
APPLIANCES=(fw fw2 fw3)
diag "seed $XRS_SEED, $LAST s, $XRSD"
# A small quarantine: what was freed must not look like what is kept.
export ASAN_OPTIONS=${ASAN_OPTIONS:-log_to_syslog=0:exitcode=99:quarantine_size_mb=4}

{
	echo "203.0.113.0/24 "
	for i in $(seq 0 $((N - 2))); do echo "100.$((64 + i / 256)).$((i % 256)).0/24 "; done
} >"$DIR/all.routes"
jq -n --arg id "$ID" --arg gw $GW '{
  node: { instance: $id, routerId: "10.1.255.4" },
  vnets: [ { name: "prod", addressPrefixes: ["10.1.0.0/16"], gateway: { macs: [$gw] },
    routeServer: { asn: 65515, localAddress: "10.1.255.4" },
    peerings: [ ["fw", 65001, "10.1.2.4"], ["fw2", 65002, "10.1.2.5"], ["fw3", 65003, "10.1.2.6"] | {
      name: .[0], peerAsn: .[1], peerIp: .[2], connectRetryTime: 1, families: ["ipv4-unicast"],
      bfd: { enabled: true, minTxMs: 200, minRxMs: 200 } } ],
    routeTables: [ { name: "main", routes: [] } ] } ],
  nics: [ { match: { name: "vm*" }, vnet: "prod" }, { match: { name: "fw*" }, vnet: "prod", role: "nva" } ] }' >"$CONF"
cp "$CONF" "$DIR/plain.json"
jq '.vnets[0].routeTables[0].routes = [ range(300) | { addressPrefix: "198.\(18 + (. / 256 | floor)).\(. % 256).0/24", nextHopType: "VirtualAppliance",
	nextHopIpAddress: "10.1.2.5" } ]' "$CONF" >"$DIR/routes.json"

lab_host
lab_bridge
veth_node vm1
on_bridge vm1
asn=65001
for n in "${APPLIANCES[@]}"; do
	veth_node "$n"
	on_bridge "$n"
	run_logged ip -n "$ID-$n" addr add 203.0.113.10/32 dev lo
	cp "$DIR/all.routes" "$DIR/$n.routes"
	nva_up "$n" $asn
	asn=$((asn + 1))
done
xrs_start
await_nic vm1 attached || abandon "nic vm1 is attached"
await_established "${APPLIANCES[@]}"
spawn_in vm1 ping ping -q -n -i 0.01 203.0.113.10
ping=$spawned
spawn reader sh -c "while :; do for m in 'peering list' 'route list --vnet prod' 'timeline list' 'fib show' 'nic list-effective-routes --name vm1'; do
	'$XRSCTL' -s '/run/$ID/xrs.sock' -j \$m >/dev/null 2>&1; done; sleep 0.2; done"

# --- what happens ------------------------------------------------------------------------------------------
any() { echo "${APPLIANCES[RANDOM % 3]}"; }
kill_xrsd() {
	kill -KILL "$XRS_PID"
	wait "$XRS_PID" 2>/dev/null
	spawn_in host xrsd "$XRSD" -c "$CONF"
	XRS_PID=$spawned
}
stop_xrsd() {
	kill -STOP "$XRS_PID"
	sleep "0.$((RANDOM % 9 + 1))"
	kill -CONT "$XRS_PID"
}
kill_engine() { pkill -KILL -P "$XRS_PID" -f -- --bfd-engine; }
kill_appliance() {
	local n
	n=$(any)
	nva_down "$n" KILL
	nva_up "$n" "${ASN[$n]}"
}
routes() {
	local n
	n=$(any)
	head -n $((RANDOM % N + 1)) "$DIR/all.routes" >"$DIR/$n.routes"
	nva_reconfigure "$n"
}
link() {
	local n
	n=$(any)
	ip -n "$ID-host" link set "$n" down
	sleep "0.$((RANDOM % 9 + 1))"
	ip -n "$ID-host" link set "$n" up
}
apply() {
	cp "$DIR/$( ((RANDOM % 2)) && echo plain || echo routes).json" "$CONF"
	ctl config reload >/dev/null 2>&1
}
reset() { ctl peering reset "$(any)" >/dev/null 2>&1; }
disable() {
	local n
	n=$(any)
	ctl peering disable "$n" >/dev/null 2>&1
	sleep 1
	ctl peering enable "$n" >/dev/null 2>&1
}
actions=(kill_xrsd stop_xrsd kill_engine kill_appliance routes routes routes link apply apply reset disable)
: >"$DIR/actions"
end=$((SECONDS + LAST))
while [ "$SECONDS" -lt "$end" ]; do
	action=${actions[RANDOM % ${#actions[@]}]}
	echo "$action" >>"$DIR/actions"
	$action
	sleep "$((RANDOM % 2)).$((RANDOM % 10))"
	is_running "$XRS_PID" || {
		wait "$XRS_PID"
		fail "xrsd runs after $action" "exit status $?"
		diag "$(tail -n 5 "$DIR/xrsd.log")"
		spawn_in host xrsd "$XRSD" -c "$CONF"
		XRS_PID=$spawned
	}
done
diag "$(sort "$DIR/actions" | uniq -c | xargs)"

# --- let be ---------------------------------------------------------------------------------------------------
cp "$DIR/plain.json" "$CONF"
wait_for 60 "the answer of xrsd" ctl system info || abandon "xrsd answers"
run_logged ctl config reload
for n in "${APPLIANCES[@]}"; do
	run_logged ctl peering enable "$n"
	cp "$DIR/all.routes" "$DIR/$n.routes"
	nva_reconfigure "$n"
done
WAIT=120
await_established "${APPLIANCES[@]}"
held() {
	ctl -j peering list | jq -e --argjson n $N 'all(.value[]; .pfxRcd == $n)'
}
check "every route of every appliance is held" wait_for 120 "$N routes of each" held
swept() { ctl -j fib show | jq -e '.sweepDone or (.adopted | not)'; }
check "the sweep is done" wait_for 240 "the sweep" swept
check "fib.verify is clean" wait_for 120 "the maps to be as planned" fib_idle
in_maps() {
	bpftool -j map dump pinned "$PINS/tables/prod.main.v4" | jq '[.[].formatted.value | select(.kind == "XRS_ROUTE_STEER")] | length'
}
check_equal "no route is lost, none is stale" $N "$(in_maps)"
stop_pid "$ping" INT
diag "$(grep transmitted "$DIR/ping.log")"

# The same load again and again must not cost more and more.
rss_kb() { sed -n 's/VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$XRS_PID/status"; }
churn() {
	local i
	for i in $(seq 1 "$1"); do
		nva_ctl fw disable static4 >/dev/null
		sleep 0.4
		nva_ctl fw enable static4 >/dev/null
		sleep 0.4
	done
	wait_for 120 "$N routes of each" held
}
churn 10
before=$(rss_kb)
churn 20
diag "resident memory: $before kB, after twenty more rounds $(rss_kb) kB"
check "the memory is what it was" test "$(rss_kb)" -lt $((before + before / 4))
xrs_stop
check_not "no sanitizer has said anything" grep -a -A 20 "AddressSanitizer\|LeakSanitizer\|runtime error" "$DIR/xrsd.log"
finish
