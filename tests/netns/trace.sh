#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What becomes of single packets (trace start), and of single routes (dataplane.routeCounters): told as it is,
# filtered, sampled, limited, and nothing when nobody asks.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"

lab_config "$(rule vm1 '"mode": "native"'), $(rule vm2 '"mode": "tc"')" \
	"$(route_to 203.0.113.0/24 "${IP4[fw]}"), $(route_to 203.0.113.128/25 "${IP4[fw]}"),
	 $(route_to 2001:db8::/32 "${IP6[fw]}"), $(route_to 2001:db8:1::/49 "${IP6[fw]}"),
	 { \"addressPrefix\": \"198.51.100.0/24\", \"nextHopType\": \"None\" }"
edit_config '.dataplane = { routeCounters: true }'

lab_host
lab_bridge
veth_node vm1
veth_node vm2
veth_node fw
on_bridge vm1 vm2 fw
in_ns fw ping -q -c 1 -w 20 -i 0.2 10.1.0.1 >/dev/null
in_ns fw ping -q -c 1 -w 20 -i 0.2 fd00:1::1 >/dev/null
xrs_start
for n in vm1 vm2; do
	await_nic $n attached || abandon "nic $n is attached"
	port_open $n $n pkt eth0
done
port_open fw fw pkt eth0
await_way "${IP4[fw]}" bridge
await_way "${IP6[fw]}" bridge
await_fib

# --- traces ------------------------------------------------------------------------------------------
flags() { bpftool -j map dump pinned "$PINS/maps/xrs_nic" | jq --arg n "$1" '.[].formatted.value | select(.name == $n) | .flags'; }
trace() { # NIC OPTIONS...: in the background; lines in $DIR/trace
	local nic=$1
	shift
	: >"$DIR/trace"
	spawn trace sh -c "exec '$XRSCTL' -j -s /run/$ID/xrs.sock trace start $nic $* >'$DIR/trace'"
	TRACE=$spawned
	traced() { [ $(($(flags "$nic") & 4)) -ne 0 ]; }
	wait_for 10 "the trace" traced || abandon "the trace begins"
}
lines() { jq -s '[.[].params | select(.type == "trace.packet")] | length' "$DIR/trace" 2>/dev/null; }
has_lines() { [ "$(lines)" -ge "$1" ]; }
field() { jq -rs "[.[].params | select(.type == \"trace.packet\").data] | $1" "$DIR/trace"; }
end_trace() {
	run_logged ctl trace stop
	wait_for 10 "the end of xrsctl" is_gone "$TRACE" || abandon "xrsctl ends with its trace"
}

trace vm1
send vm1 vm1 id=1 dst=203.0.113.10 dport=443
send6 vm1 vm1 id=2 dst=2001:db8::10 proto=6
send vm1 vm1 id=3 dst=198.51.100.7
check "three packets are told" wait_for 10 "three lines" has_lines 3
check_equal "what became of each" "steered/bridged/xdp steered/bridged/xdp dropped/none/xdp" \
	"$(field '[.[] | select(.destination != null and .destinationPort > 0) | "\(.verdict)/\(.reason)/\(.hook)"] | join(" ")')"
check_equal "its ends, route and next hop" \
	"${IP4[vm1]} 203.0.113.10 17 5000 443 64 203.0.113.0/24 ${IP4[fw]}" \
	"$(field '.[] | select(.destinationPort == 443) | "\(.source) \(.destination) \(.protocol) \(.sourcePort) \(.destinationPort) \(.ttl) \(.route) \(.nextHop)"')"
check_equal "IPv6 as well" "${IP6[vm1]} 2001:db8::10 6 2001:db8::/32 ${IP6[fw]}" \
	"$(field '.[] | select(.protocol == 6) | "\(.source) \(.destination) \(.protocol) \(.route) \(.nextHop)"')"
end_trace
check_equal "afterwards the flag is gone, and with it the programs that look at it" 0 $(($(flags vm1) & 4))

trace vm2 --destination 203.0.113.128/25 --protocol udp --destination-port 53
send vm2 vm2 id=10 count=5 dst=203.0.113.10 dport=53
send vm2 vm2 id=20 count=5 dst=203.0.113.200 dport=80
send vm2 vm2 id=30 count=5 dst=203.0.113.200 dport=53 proto=6
send vm2 vm2 id=40 count=3 dst=203.0.113.200 dport=53
check "a filter lets through what it names" wait_for 10 "three lines" has_lines 3
check_equal "and nothing else, from the tc half" "3 tc 203.0.113.128/25" \
	"$(field '"\(length) \(.[0].hook) \(.[0].route)"')"
end_trace

trace vm1 --reason dropped --per-second 1
send vm1 vm1 id=100 count=200 dst=198.51.100.7
send vm1 vm1 id=300 dst=203.0.113.10
wait_for 5 "the last frame" seen fw 300 >/dev/null
check "a limit of one a second: few of 200" sh -c "sleep 0.3; true"
check "at least one, and at most one a CPU and second" test "$(lines)" -ge 1 -a "$(lines)" -le $((2 * $(nproc) + 2))
end_trace

trace vm1 --sample 50 --per-second 1000 --reason dropped
send vm1 vm1 id=1000 count=2000 dst=198.51.100.7
send vm1 vm1 id=4000 dst=203.0.113.10
wait_for 10 "the last frame" seen fw 4000 >/dev/null
end_trace
check "a sample of one in 50 of 2,000" test "$(lines)" -ge 5 -a "$(lines)" -le 150
check_not "a reason that does not exist is refused" ctl trace start vm1 --reason sterred
check_not "and two families" ctl trace start vm1 --source 10.0.0.0/8 --destination 2001:db8::/32
trace vm1 --seconds 1
check "a trace ends by itself, and xrsctl with it" wait_for 20 "the end" is_gone "$TRACE"

# --- counters by route -------------------------------------------------------------------------------
route_of() { # PREFIX JQ
	ctl -j nic list-effective-routes vm1 | jq -r --arg p "$1" ".value[] | select(.addressPrefix == \$p and .state == \"Active\") | $2"
}
before=$(route_of 203.0.113.128/25 .packets)
send vm1 vm1 id=5000 count=7 dst=203.0.113.130
send6 vm1 vm1 id=5100 count=4 dst=2001:db8:1::5
send vm1 vm1 id=5200 count=2 dst=198.51.100.9
send vm1 vm1 id=5300 dst=203.0.113.10
wait_for 5 "the last frame" seen fw 5300 >/dev/null
check_equal "each route has its own packets" "$((before + 7))" "$(route_of 203.0.113.128/25 .packets)"
check_equal "of IPv6 too, though another has the same next hop" 4 "$(route_of 2001:db8:1::/49 .packets)"
check_equal "octets" $((4 * (14 + 40 + 8 + 64))) "$(route_of 2001:db8:1::/49 .bytes)"
check "and when the last came" test "$(route_of 2001:db8:1::/49 .lastHitSeconds)" -le 30
check "a route that drops is counted" test "$(route_of 198.51.100.0/24 .packets)" -ge 2
check_equal "a route that nobody used" "0 null" "$(route_of 10.1.0.0/16 '"\(.packets) \(.lastHitSeconds)"')"
# Thousands of routes: what their counters, groups and next hops cost, in system calls.
edit_config '.vnets[0].routeTables[0].routes += [ range(3000) | { nextHopType: "VirtualAppliance", nextHopIpAddress: $fw,
	addressPrefix: "11.\(. / 256 | floor).\(. % 256).0/24" } ]' --arg fw "${IP4[fw]}"
check "three thousand more routes" ctl config reload
await_fib
reads() { ctl metrics | sed -n 's/^xrs_fib_reads_total //p'; }
had=$(reads)
check_equal "are listed with what the maps hold" 3000 \
	"$(ctl -j nic list-effective-routes vm1 | jq '[.value[] | select((.addressPrefix | startswith("11.")) and .dataplane == "installed")] | length')"
cost=$(($(reads) - had))
check "for less than a system call in ten of them ($cost)" test "$cost" -lt 300
edit_config '.vnets[0].routeTables[0].routes |= map(select(.addressPrefix | startswith("11.") | not))'
run_logged ctl config reload
await_fib
entries() { bpftool -j map dump pinned "$PINS/maps/xrs_route_stats" | jq length; }
had=$(entries)
edit_config '.vnets[0].routeTables[0].routes |= map(select(.addressPrefix != "2001:db8:1::/49"))'
check "a route that goes" ctl config reload
fewer() { [ "$(entries)" -lt "$had" ]; }
check "takes its counters with it" wait_for 10 "one entry less" fewer
edit_config '.dataplane.routeCounters = false'
check "counters switched off" ctl config reload
none_left() { [ "$(entries)" = 0 ]; }
check "are gone" wait_for 10 "no entry" none_left
send vm1 vm1 id=6000 count=3 dst=203.0.113.130
send vm1 vm1 id=6100 dst=203.0.113.10
wait_for 5 "the last frame" seen fw 6100 >/dev/null
check_equal "and packets cost nothing for them" 0 "$(entries)"

# --- what is off is not in the programs; those that have it come and go in the middle of traffic ---------------
program() { bpftool -j link show pinned "$PINS/links/vm1" | jq .prog_id; }
length() { bpftool -j prog show id "$(program)" | jq .bytes_xlated; }
is_plain() { [ "$(program)" = "$plain" ]; }
plain=$(bpftool -j prog show pinned "$PINS/progs/xrs_steer" | jq .id)
check "without a trace the nic has the programs that know none" wait_for 10 "them" is_plain
short=$(length)
forget fw
for n in $(seq 150); do
	send vm1 vm1 id=$((10000 + n * 20)) count=20 dst=203.0.113.10
	sleep 0.005
done &
flow=$!
trace vm1 --reason dropped
check "with one it has longer ones" test "$(length)" -gt $((short + 800))
end_trace
check "and then the others again" wait_for 10 "them" is_plain
wait $flow
sent vm1
send vm1 vm1 id=9000 dst=203.0.113.10
wait_for 10 "the last frame" seen fw 9000 >/dev/null
check_equal "no frame was lost meanwhile" 3000 "$(seen_count fw '^id=1[0-9]\{4\} ')"
finish
