#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# timeout: 240
# BFD beside the data path: three BIRDs announce the same prefixes, their BFD packets pass the programs on
# their nics, those of fw with authentication. Failover with all of xrsd stopped (SIGSTOP) and the appliance gone, no
# false failure while it is stopped, no flap while the machine is loaded, and what a map shows of it.
. "$(dirname "$0")/../lib/sh.sh"
. "$(dirname "$0")/lib/lab.sh"
need_cmd bird birdc
N=50
MS=50 # x 3: short beside any timer of BGP, long enough for BIRD on a loaded machine

AUTH='authentication meticulous keyed sha1; password "right" { id 7; };'
(umask 077 && echo right >"$DIR/key")

declare -A BIRD=()
bird_conf() { # NODE
	local i
	cat >"$DIR/$1.conf" <<-END
	router id ${IP4[$1]};
	protocol device {}
	protocol bfd { interface "*" { interval $MS ms; multiplier 3; $([ "$1" != fw ] || echo "$AUTH") }; }
	protocol static { ipv4;
	$(for i in $(seq 1 $N); do echo "route 100.64.$i.0/24 unreachable;"; done) }
	protocol bgp xrs { local ${IP4[$1]} as 65001; neighbor $RS4 as 65515; direct; bfd on;
	  connect delay time 1; connect retry time 1; error wait time 1, 2; hold time 180;
	  ipv4 { import all; export where source = RTS_STATIC; }; }
	END
}
bird_up() { # NODE: at real-time priority, as the engine is: the machine has other things to do
	bird_conf "$1"
	spawn_in "$1" "bird-$1" chrt -r 10 bird -f -c "$DIR/$1.conf" -s "$DIR/$1.ctl" -P "$DIR/$1.bird.pid"
	BIRD[$1]=$spawned
}
xrs_config() {
	jq -n --arg id "$ID" --arg gw $GW --argjson ms $MS --arg key "$DIR/key" '{
	  node: { instance: $id, routerId: "10.1.255.4" },
	  vnets: [ { name: "prod", addressPrefixes: ["10.1.0.0/16"], gateway: { macs: [$gw] },
	    routeServer: { asn: 65515, localAddress: "10.1.255.4" },
	    peerings: [ ["fw", "10.1.2.4"], ["fw2", "10.1.2.5"], ["fw3", "10.1.2.6"] | {
	      name: .[0], peerAsn: 65001, peerIp: .[1], connectRetryTime: 1,
	      bfd: ({ enabled: true, minTxMs: $ms, minRxMs: $ms } +
	        if .[0] == "fw" then { auth: { type: "meticulous-sha1", keyId: 7, keyFile: $key } } else {} end) } ] } ],
	  nics: [ { match: { name: "vm*" }, vnet: "prod" }, { match: { name: "fw*" }, vnet: "prod", role: "nva" } ] }' >"$CONF"
}
bfd() { # PEERING JQ: of bfd list
	ctl -j bfd list | jq -c --arg p "$1" '.value[] | select(.peering == $p) | '"$2"
}
all_watched() {
	ctl -j bfd list | jq -e '.value | length == 3 and all(.state == "Up" and .kernel)'
}
all_serve() {
	ctl -j fib show | jq -e '[.value[] | select(.usable and .peering != "")] | length == 3'
}
entry() { # PEERING FIELD: of xrs_bfd
	bpftool -j map dump pinned "$PINS/maps/xrs_bfd" |
		jq -r --arg p "$1" ".[].formatted.value | select(.peering == \$p) | .$2"
}
packets() { # NODE
	ctl -j fib show | jq -r --arg a "${IP4[$1]}" '.value[] | select(.address == $a) | .packets'
}
map_packets() { # NODE: without xrsd
	local id
	id=$(bpftool -j map dump pinned "$PINS/maps/xrs_nexthop" |
		jq -r --arg p "$1" '.[] | select(.formatted.value.peering == $p) | .formatted.key')
	bpftool -j map lookup pinned "$PINS/maps/xrs_nh_stats" key "$id" 0 0 0 | jq '[.formatted.values[].value.packets] | add'
}
target_of() { # NODE: a destination whose ping it serves
	local i
	for i in $(seq 1 $N); do
		if ctl -j nic show-next-hop --name vm1 --destination-ip 100.64.$i.1 --source-ip "${IP4[vm1]}" --protocol icmp |
			jq -e --arg a "${IP4[$1]}" '.nextHopIpAddress == $a' >/dev/null; then
			echo 100.64.$i.1
			return
		fi
	done
	return 1
}
ping_start() { # TARGET COUNT: one each 2 ms, its lines in $DIR/ping
	in_ns vm1 ping -D -n -i 0.002 -c "$2" -W 1 "$1" >"$DIR/ping" 2>&1 &
	ping=$!
}
flows_through() { # NODE BEFORE
	[ "$(map_packets "$1")" -ge $(($2 + 100)) ]
}
longest_gap() { # milliseconds between two answers
	sed -n 's/^\[\([0-9.]*\)\].*icmp_seq.*/\1/p' "$DIR/ping" | awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { printf "%d", gap * 1000 }'
}

lab_host
lab_bridge
veth_node vm1
on_bridge vm1
for n in fw fw2 fw3; do
	veth_node $n
	on_bridge $n
	for i in $(seq 1 $N); do run_logged ip -n "$ID-$n" addr add 100.64.$i.1/32 dev lo; done
	bird_up $n
done
xrs_config
xrs_start
spawn events "$XRSCTL" -s "/run/$ID/xrs.sock" -j monitor peer.bfd
told() { jq -es "any(.[].params; .type == \"peer.bfd\" and .data.peering == \"fw\" and .data.$1)" "$DIR/events.log"; }
await_nic vm1 attached || abandon "nic vm1 is attached"
check "three sessions are Up, and watched by the programs" wait_for 40 "three sessions" all_watched || show_logs
check "three appliances serve" wait_for 30 "three next hops" all_serve
check "the map shows it to a person" test "$(entry fw remote_state)" = XRS_BFD_UP
check "its deadline lies ahead" test "$(entry fw deadline_ns)" -gt 1

# --- all of xrsd is stopped, the appliance is gone ------------------------------------------------------
engine=$(pgrep -P "$XRS_PID" -f -- --bfd-engine)
target=$(target_of fw) || abandon "a destination behind fw"
before=$(map_packets fw)
ping_start "$target" 3000
check "the ping goes through fw" wait_for 10 "100 packets through fw" flows_through fw "$before"
kill -STOP "$XRS_PID" "$engine"
host_ip link set fw down
host_ip link del fw
stop_pid "${BIRD[fw]}" KILL
ns_del fw
wait $ping
gap=$(longest_gap)
rx=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$DIR/ping")
diag "xrsd stopped, fw gone: the longest gap is $gap ms, detection time $((3 * MS)) ms, $rx of 3,000 answered"
check "xrsd is stopped: the flow goes on through another" test "$rx" -ge 1500
check "the gap is the detection time, not the hold timer" test "$gap" -lt 1500
kill -CONT "$XRS_PID" "$engine"
gone() { ctl -j fib show | jq -e '[.value[] | select(.peering == "fw" and .usable)] | length == 0'; }
check "xrsd goes on: it has fw out of use" wait_for 20 "fw out of use" gone
check "monitor tells the failure" told 'state == "Down" and .data.failure and .data.diag == "Control Detection Time Expired"'
check "Cease 6/10 is what it told fw" test "$(ctl -j peering show --name fw | jq -c '[.notificationSent | .code, .subcode]')" = "[6,10]"
check "the maps are right" wait_for 30 "a quiet fib" fib_idle

# --- all of xrsd is stopped, nobody is dead -------------------------------------------------------------
veth_node fw
on_bridge fw
for i in $(seq 1 $N); do run_logged ip -n "$ID-fw" addr add 100.64.$i.1/32 dev lo; done
bird_up fw
check "fw is back" wait_for 40 "three sessions" all_watched
check "monitor tells Up" wait_for 10 "the event" told 'state == "Up"'
check "and serves" wait_for 30 "three next hops" all_serve
target=$(target_of fw) || abandon "a destination behind fw"
before=$(map_packets fw)
kill -STOP "$XRS_PID" "$engine"
ping_start "$target" 1000
wait $ping
rx=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$DIR/ping")
check_equal "xrsd and engine are stopped: nothing is lost" 1000 "$rx"
check "and it was fw that served" flows_through fw "$before"
kill -CONT "$XRS_PID" "$engine"
check "they go on: all sessions are Up" wait_for 40 "three sessions" all_watched

# --- a loaded machine -------------------------------------------------------------------------------------
check "all serve again" wait_for 30 "three next hops" all_serve
downs=$(ctl -j bfd list | jq '[.value[].downs] | add')
received=$(ctl -j bfd list | jq '[.value[].received] | min')
burn=()
for i in 1 2 3 4; do
	spawn burn sh -c 'while :; do :; done'
	burn+=("$spawned")
done
heard_100() { ctl -j bfd list | jq -e --argjson r "$received" '[.value[].received] | min >= $r + 100'; }
check "four busy loops: a hundred packets later" wait_for 60 "100 packets of each" heard_100
check_equal "no session went down" "$downs" "$(ctl -j bfd list | jq '[.value[].downs] | add')"
for i in "${burn[@]}"; do stop_pid "$i" KILL 2>/dev/null; done
finish
