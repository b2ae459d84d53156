#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# timeout: 280
# From one build to the next while a VM sends 1,000 packets a second: with other programs on the same maps, then
# with maps of another layout, killed with -9 again and again while it moves them. No packet is lost, the
# maps are exact, counters and links are the same ones; and the way back is refused with the reason.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"
need_file "$BUILD/next/xrsd" "$BUILD/code/xrsd"
N=${XRS_UPGRADE_ROUTES:-30000}
LIMIT=$((60 + N / 2000)) # seconds
RANDOM=${XRS_SEED:=$$} # when it is killed
diag "seed $XRS_SEED"

echo "203.0.113.0/24 " >"$DIR/fw.routes"
awk -v n=$N 'BEGIN { for (i = 1; i < n; i++) printf "20.%d.%d.%d/32\n", i / 65536, i / 256 % 256, i % 256 }' >"$DIR/fw.bulk"
echo "198.51.100.0/24 " >"$DIR/fw2.routes"
jq -n --arg id "$ID" --arg gw $GW '{
  node: { instance: $id, routerId: "10.1.255.4" },
  vnets: [ { name: "prod", addressPrefixes: ["10.1.0.0/16", "fd00:1::/64"], gateway: { macs: [$gw] },
    routeServer: { asn: 65515, localAddress: "10.1.255.4" },
    peerings: [ ["fw", 65001, "10.1.2.4"], ["fw2", 65002, "10.1.2.5"] | {
      name: .[0], peerAsn: .[1], peerIp: .[2], connectRetryTime: 1, families: ["ipv4-unicast"],
      bfd: { enabled: true, minTxMs: 300, minRxMs: 300 } } ],
    routeTables: [ { name: "main", routes: [] }, { name: "dmz", routes: [ { addressPrefix: "192.0.2.0/24",
      nextHopType: "VirtualAppliance", nextHopIpAddress: "10.1.2.5" } ] } ] } ],
  nics: [ { match: { name: "vm2" }, vnet: "prod", routeTable: "dmz" }, { match: { name: "vm*" }, vnet: "prod" },
    { match: { name: "fw*" }, vnet: "prod", role: "nva" } ] }' >"$CONF"

lab_host
lab_bridge
for n in vm1 vm2 fw fw2; do
	veth_node $n
	on_bridge $n
done
run_logged ip -n "$ID-fw" addr add 203.0.113.10/32 dev lo
nva_up fw 65001
nva_up fw2 65002
xrs_start
await_nic vm1 attached || abandon "nic vm1 is attached"
held() {
	ctl -j peering show --name fw | jq -e --argjson n $N '.state == "Established" and .pfxRcd == $n'
}
swept() { ctl -j fib show | jq -e .sweepDone; }
all_is_well() { # WHAT: sessions, routes, sweep, maps
	check "$1: the sessions return with all routes" wait_for $LIMIT "$N routes" held
	check "$1: and the sweep is done" wait_for $LIMIT "the sweep" swept
	check "$1: fib.verify is clean" wait_for $LIMIT "the maps to be as planned" fib_idle
}
wait_for $LIMIT "$N routes" held || abandon "all routes are there"
await_established fw fw2
await_fib
# Three, since one does not get to a thousand a second where processors are busy.
pings=()
for i in 1 2 3; do
	spawn_in vm1 "ping$i" ping -q -n -i 0.001 -W 2 203.0.113.10
	pings+=("$spawned")
done
began=$SECONDS

replace_with() { # XRSD: kills the one that runs
	kill -KILL "$XRS_PID"
	wait "$XRS_PID" 2>/dev/null
	spawn_in host xrsd "$1" -c "$CONF"
	XRS_PID=$spawned
}
layout() {
	bpftool -j map dump pinned "$PINS/maps/xrs_meta" | jq -r '.[0].formatted.value.layout_version'
}
links() { # half by half: their ids
	for n in vm1 vm1:tc vm2:tc fw:tc fw2:tc; do bpftool -j link show pinned "$PINS/links/$n" | jq -r .id; done | xargs
}
tag_of_link() { # of the program that decides vm1's frames
	bpftool -j prog show id "$(bpftool -j link show pinned "$PINS/links/vm1:tc" | jq -r .prog_id)" | jq -r .tag
}
steered() { counters vm1 | jq .steered; }
aside() { # what a change of layout leaves for moments
	ls "$PINS" | grep -Evx 'links|maps|progs|tables'
}
none_aside() { [ -z "$(aside)" ] || { aside; return 1; }; }

before=$(links)
old=$(layout)
new=$((old + 1))

# --- a second one ---------------------------------------------------------------------------------------------
check_not "a second xrsd of the instance does not start" in_ns host "$BUILD/next/xrsd" -c "$CONF"
check_equal "and touched nothing" "$old $before" "$(layout) $(links)"
check_not "not even aside" test -n "$(aside)"

# --- other programs -----------------------------------------------------------------------------------------
tag=$(tag_of_link)
replace_with "$BUILD/code/xrsd"
all_is_well "other programs"
check_equal "other programs: the same links" "$before" "$(links)"
check "other programs: they are in the links" test "$tag" != "$(tag_of_link)"
check_equal "other programs: the layout is the same" "$old" "$(layout)"

# --- another layout -------------------------------------------------------------------------------------------
# Killed at random until one attempt gets through: later and later.
sent=$(steered)
kills=0
for limit in 40 80 120 160 200 240 280 320 360 400; do
	replace_with "$BUILD/next/xrsd"
	sleep "$(((limit + RANDOM % 60) * N / 30000000)).$(printf '%03d' $(((limit + RANDOM % 60) * N / 30000 % 1000)))"
	[ "$(layout)" = "$old" ] || break
	kills=$((kills + 1))
done
if [ "$(layout)" = "$old" ]; then kills=$((kills - 1)); fi # the last one was let go on
diag "killed $kills times while the layout was still the old one; aside then: $(aside | xargs)"
all_is_well "another layout"
check_equal "another layout: it is the new one" "$new" "$(layout)"
check_equal "another layout: the same links" "$before" "$(links)"
check "another layout: a kill at least met it half done" test "$kills" -ge 1
check "another layout: nothing stands aside any more" wait_for $LIMIT "the old pins to go" none_aside
check "another layout: counters go on" test "$(steered)" -gt "$sent"
check "another layout: the second table is where it was" \
	grep -q '"next_first"' <(bpftool -j map dump pinned "$PINS/tables/prod.dmz.v4")

# --- and back ---------------------------------------------------------------------------------------------------
xrs_stop
"$XRSD" -c "$CONF" >"$DIR/refused" 2>&1
check_equal "the older build does not start" 1 $?
check "it names the place, both layouts and the remedy" \
	grep -q "/sys/fs/bpf/$ID/maps have layout $new .*newer than layout $old.*xrsctl dataplane detach --instance $ID" "$DIR/refused"
check_not "xrsd -t says so before" "$XRSD" -t -c "$CONF"
check_equal "nothing was changed" "$new $before" "$(layout) $(links)"
lasted=$((SECONDS - began))
for i in 1 2 3; do stop_pid "${pings[i - 1]}" INT; done
total() { # transmitted|received
	sed -n "s/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/transmitted \1\nreceived \2/p" "$DIR"/ping?.log |
		awk -v what="$1" '$1 == what { n += $2 } END { print n + 0 }'
}
lost=$(($(total transmitted) - $(total received)))
diag "$(grep -a 'restart' "$DIR/xrsd.log" | tail -n 12)"
diag "$(total transmitted) packets in $lasted s, $lost not answered"
check "no packet was lost" test "$lost" -le 3 # the last ones may be on their way
check "there was traffic" test "$(total received)" -gt 1000
check "dataplane detach takes pins of any layout" "$XRSCTL" dataplane detach --instance "$ID"
check_not "and nothing stays" test -e "$PINS"
finish
