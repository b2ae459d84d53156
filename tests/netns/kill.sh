#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 280
# xrsd is killed with -9 at random points: idle, while an appliance announces or withdraws thousands of
# routes, while a configuration is applied, while it starts. Forwarding goes on, and when it is let be,
# every entry of the maps is right: nothing lost, nothing stale. XRS_KILLS: how often (8; the soak: 200).
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"
KILLS=${XRS_KILLS:-5}
N=1500
RANDOM=${XRS_SEED:=$$} # the order of it all
diag "seed $XRS_SEED"

# The first prefix is always there; fw answers behind it.
{
	echo "203.0.113.0/24 "
	for i in $(seq 0 $((N - 2))); do
		echo "100.$((64 + i / 256)).$((i % 256)).0/24 "
	done
} >"$DIR/all.routes"
jq -n --arg id "$ID" --arg gw $GW '{
  node: { instance: $id, routerId: "10.1.255.4" },
  vnets: [ { name: "prod", addressPrefixes: ["10.1.0.0/16"], gateway: { macs: [$gw] },
    routeServer: { asn: 65515, localAddress: "10.1.255.4" },
    peerings: [ ["fw", 65001, "10.1.2.4"], ["fw2", 65002, "10.1.2.5"] | {
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
for n in vm1 fw fw2; do
	veth_node $n
	on_bridge $n
done
run_logged ip -n "$ID-fw" addr add 203.0.113.10/32 dev lo
routes_file fw $N
sed -n 2,100p "$DIR/all.routes" >"$DIR/fw2.routes"
nva_up fw 65001
nva_up fw2 65002
xrs_start
await_nic vm1 attached || abandon "nic vm1 is attached"
await_established fw fw2
held() { # COUNT
	ctl -j peering show --name fw | jq -e --argjson n "$1" '.pfxRcd == $n'
}
check "all routes are in the maps" wait_for 60 "$N routes" held "$N"
await_fib
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
peer_gone() {
	nva_down fw2 KILL
	nva_up fw2 65002
}
actions=(nothing load load apply apply peer_gone)
for ((k = 0; k < KILLS; k++)); do
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
	wait_for 30 "the answer of xrsd" ctl system info || abandon "xrsd starts after kill $k ($action)"
done
diag "$(cut -d' ' -f2 "$DIR/kills" | sort | uniq -c | xargs)"

# --- let be ------------------------------------------------------------------------------------------------
cp "$DIR/plain.json" "$CONF"
wait_for 30 "the answer of xrsd" ctl system info || abandon "xrsd starts after the last kill"
run_logged ctl config reload
routes_file fw 800
nva_reconfigure fw
await_established fw fw2
check "what fw announces is what is held" wait_for 60 "800 routes" held 800
swept() { ctl -j fib show | jq -e .sweepDone; }
check "the sweep is done" wait_for 60 "the sweep" swept
check "fib.verify is clean" wait_for 60 "the maps to be as planned" fib_idle
in_maps() { # prefixes of appliances and user routes in the trie of prod.main
	bpftool -j map dump pinned "$PINS/tables/prod.main.v4" | jq '[.[].formatted.value | select(.kind == "XRS_ROUTE_STEER")] | length'
}
check_equal "no route is lost, none is stale" 800 "$(in_maps)"
check_equal "the same XDP link serves" "$link" "$(link_id vm1)"
stop_pid "$ping" INT
rx=$(sed -n 's/\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$DIR/ping.log")
diag "$KILLS kills: $rx packets sent and answered"
check "no packet was lost meanwhile" test "$((${rx% *} - ${rx#* }))" -le 1 # the last may be on its way
finish
