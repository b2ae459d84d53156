#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# timeout: 280
# xrsd is killed with -9 at random points: idle, while an appliance announces or withdraws thousands of
# routes, while a configuration is applied or committed with a way back, while it starts. Forwarding goes on, and
# when it is let be, every entry of the maps is right: nothing lost, nothing stale. XRS_KILLS: how often
# (5; the soak: 200). XRS_BULK: routes of a third appliance, which all come again each time (0; the soak: a million).
# XRS_KILL_SECONDS: no kill after so many (100; the soak: 5,400).
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"
KILLS=${XRS_KILLS:-5}
N=1500
BULK=${XRS_BULK:-0}
WAIT=$((100 + BULK / 2000)) # seconds
LAST=${XRS_KILL_SECONDS:-100}
RANDOM=${XRS_SEED:=$$} # the order of it all
diag "seed $XRS_SEED"

# The first prefix is always there; fw answers behind it.
{
	echo "203.0.113.0/24 "
	for i in $(seq 0 $((N - 2))); do
		echo "100.$((64 + i / 256)).$((i % 256)).0/24 "
	done
} >"$DIR/all.routes"
jq -n --arg id "$ID" --arg gw $GW --argjson bulk "$BULK" '{
  node: { instance: $id, routerId: "10.1.255.4" },
  vnets: [ { name: "prod", addressPrefixes: ["10.1.0.0/16"], gateway: { macs: [$gw] },
    routeServer: { asn: 65515, localAddress: "10.1.255.4" },
    peerings: [ ["fw", 65001, "10.1.2.4"], ["fw2", 65002, "10.1.2.5"], (["fw3", 65003, "10.1.2.6"] | select($bulk > 0)) | {
      name: .[0], peerAsn: .[1], peerIp: .[2], connectRetryTime: 1, families: ["ipv4-unicast"],
      bfd: { enabled: true, minTxMs: 300, minRxMs: 300 } } ],
    routeTables: [ { name: "main", routes: [] } ] } ],
  nics: [ { match: { name: "vm*" }, vnet: "prod" }, { match: { name: "fw*" }, vnet: "prod", role: "nva" } ] }' >"$CONF"
cp "$CONF" "$DIR/plain.json"
jq '.vnets[0].routeTables[0].routes = [ range(200) | { addressPrefix: "198.18.\(.).0/24", nextHopType: "VirtualAppliance",
	nextHopIpAddress: "10.1.2.5" } ]' "$CONF" >"$DIR/routes.json"

routes_file() { # NODE COUNT
	head -n "$2" "$DIR/all.routes" >"$DIR/$1.routes"
}

lab_host
lab_bridge
NVAS=(fw fw2)
[ "$BULK" = 0 ] || NVAS+=(fw3)
for n in vm1 "${NVAS[@]}"; do
	veth_node "$n"
	on_bridge "$n"
done
run_logged ip -n "$ID-fw" addr add 203.0.113.10/32 dev lo
routes_file fw $N
sed -n 2,100p "$DIR/all.routes" >"$DIR/fw2.routes"
nva_up fw 65001
nva_up fw2 65002
if [ "$BULK" -gt 0 ]; then
	awk -v n="$BULK" 'BEGIN { for (i = 0; i < n; i++) printf "20.%d.%d.%d/32\n", i / 65536, i / 256 % 256, i % 256 }' >"$DIR/fw3.bulk"
	nva_up fw3 65003
fi
xrs_start
await_nic vm1 attached || abandon "nic vm1 is attached"
await_established "${NVAS[@]}"
held() { # NAME COUNT
	ctl -j peering show --name "$1" | jq -e --argjson n "$2" '.pfxRcd == $n'
}
check "all routes are in the maps" wait_for "$WAIT" "$N routes" held fw "$N"
[ "$BULK" = 0 ] || check "and the bulk" wait_for "$WAIT" "$BULK routes" held fw3 "$BULK"
check "as planned" wait_for "$WAIT" "the maps to be as planned" fib_idle
link=$(link_id vm1)
spawn_in vm1 ping ping -q -n -i 0.005 -W 2 203.0.113.10
ping=$spawned

# --- what is under way when it is killed ---------------------------------------------------------------
nothing() { :; }
load() { # many routes come or go
	routes_file fw $((RANDOM % 2 ? N : 200 + RANDOM % 500))
	nva_reconfigure fw
}
apply() { # a configuration is applied
	cp "$DIR/$( ((RANDOM % 2)) && echo plain || echo routes).json" "$CONF"
	ctl config reload >"$DIR/.reload" 2>&1 &
}
commit() { # ... with a way back, and stays, goes, or waits
	cp "$DIR/$( ((RANDOM % 2)) && echo plain || echo routes).json" "$CONF"
	(
		ctl config apply --confirm-within 30
		ctl config "$( ((RANDOM % 2)) && echo confirm || echo undo)"
	) >"$DIR/.commit" 2>&1 &
}
bulk() { # the whole of it goes and comes
	ctl peering reset fw3 >"$DIR/.reset" 2>&1
	sleep "$((RANDOM % 3))"
}
bulk_commit() { # ... while a configuration is committed
	bulk
	commit
}
peer_gone() {
	nva_down fw2 KILL
	nva_up fw2 65002
}
actions=(nothing load load apply commit commit peer_gone)
[ "$BULK" = 0 ] || actions+=(bulk bulk bulk_commit bulk_commit)
end=$((SECONDS + LAST))
for ((k = 0; k < KILLS && SECONDS < end; k++)); do
	action=${actions[RANDOM % ${#actions[@]}]}
	$action
	sleep "0.$((RANDOM % 900 + 100))"
	((RANDOM % 4)) || sleep 2
	kill -KILL "$XRS_PID"
	wait "$XRS_PID" 2>/dev/null
	echo "$k $action" >>"$DIR/kills"
	spawn_in host xrsd "$XRSD" -c "$CONF"
	XRS_PID=$spawned
	((RANDOM % 3)) || continue # killed again while it starts
	wait_for "$WAIT" "the answer of xrsd" ctl system info || abandon "xrsd starts after kill $k ($action)"
done
diag "$(cut -d' ' -f2 "$DIR/kills" | sort | uniq -c | xargs)"

# --- let be ------------------------------------------------------------------------------------------------
cp "$DIR/plain.json" "$CONF"
wait_for "$WAIT" "the answer of xrsd" ctl system info || abandon "xrsd starts after the last kill"
ctl config undo >"$DIR/.undo" 2>&1 # what may be waiting to be confirmed
cp "$DIR/plain.json" "$CONF"
check "the configuration of the file is in force" run_logged ctl config reload
routes_file fw 800
nva_reconfigure fw
await_established "${NVAS[@]}"
check "what fw announces is what is held" wait_for "$WAIT" "800 routes" held fw 800
[ "$BULK" = 0 ] || check "and the bulk" wait_for "$WAIT" "$BULK routes" held fw3 "$BULK"
swept() { ctl -j fib show | jq -e .sweepDone; }
check "the sweep is done" wait_for "$WAIT" "the sweep" swept
check "fib.verify is clean" wait_for "$WAIT" "the maps to be as planned" fib_idle
in_maps() { # prefixes of appliances and user routes in the trie of prod.main
	bpftool map dump pinned "$PINS/tables/prod.main.v4" | grep -c XRS_ROUTE_STEER
}
check_equal "no route is lost, none is stale" $((800 + BULK)) "$(in_maps)"
check_equal "the same XDP link serves" "$link" "$(link_id vm1)"
stop_pid "$ping" INT
rx=$(sed -n 's/\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$DIR/ping.log")
diag "$k kills: $rx packets sent and answered"
check_not "no sanitizer has said anything" grep -a -A 20 "AddressSanitizer\|runtime error" "$DIR/xrsd.log"
check "no packet was lost meanwhile" test "$((${rx% *} - ${rx#* }))" -le 1 # the last may be on its way
finish
