#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The watch against the real kernel: what ip and bridge do in a namespace shows up in the picture, also
# when events were lost. tool_nlwatch runs in `host`; `far` holds the other ends.
#
#   host:  br0 10.9.0.1/24 -- p1 ==veth== far: e1 10.9.0.11
#          br0.30 10.30.0.1/24 -- p2 ==veth== far: e2.30 10.30.0.4   p2 tagged in VLAN 30
#          t0 (tap), nobody has it open
#          r0 10.40.0.1/24 ==veth== far: e4 10.40.0.4   routed, no bridge

. "$(dirname "$0")/../lib/sh.sh"

need_root
need_cmd ip bridge
TOOL=$BUILD/tests/tool_nlwatch
need_file "$TOOL" /dev/net/tun
EVENTS=$DIR/events

host() { # COMMAND...: in the namespace host, shown when it fails
	run_logged ip netns exec "$(ns_name host)" "$@" || fail "set-up" "$*"
}

far() {
	run_logged ip netns exec "$(ns_name far)" "$@" || fail "set-up" "$*"
}

tool_start() { # [RCVBUF]
	: >"$EVENTS"
	coproc TOOLPROC { exec ip netns exec "$(ns_name host)" "$TOOL" "$EVENTS" "$@" 2>"$DIR/tool.log"; }
	TOOL_PID=$TOOLPROC_PID
	echo "$TOOL_PID $(proc_start "$TOOL_PID")" >>"$DIR/pids"
	ask stats >/dev/null
}

tool_stop() {
	ask quit >/dev/null
	wait "$TOOL_PID"
}

ask() { # COMMAND...: prints the answer
	local line
	echo "$*" >&"${TOOLPROC[1]}" || return 1
	while read -r -t 60 -u "${TOOLPROC[0]}" line; do
		[ "$line" = . ] && return 0
		echo "$line"
	done
	echo "no answer to $*"
	return 1
}

says() { # PATTERN COMMAND...: the answer has a line that matches
	local pattern=$1
	shift
	ask settle >/dev/null
	ask "$@" >"$DIR/answer"
	cat "$DIR/answer"
	grep -Eq -- "$pattern" "$DIR/answer"
}

eventually() { # SECONDS PATTERN COMMAND...
	local seconds=$1
	shift
	wait_for "$seconds" "$1" says "$@"
}

told() { # PATTERN: some event since the last forget
	grep -E -- "$1" "$EVENTS"
}

forget_events() {
	ask settle >/dev/null
	: >"$EVENTS"
}

ns_add host far
tool_start

# --- hot-plug ------------------------------------------------------------------------------------
host ip link add p1 type veth peer name e1 netns "$(ns_name far)"
check "a veth that appears is in the picture" says '^p1 kind=veth .*up=0' link p1
check "and was told" told '^link-added p1 '
host ip link add br0 type bridge
host ip link set br0 address 02:00:00:00:09:01 up
host ip link set p1 master br0 up
far ip link set e1 up
check "its bridge and state are known" says '^p1 kind=veth master=br0 up=1 carrier=1 ' link p1
check "a bridge that does not filter VLANs" says '^br0 kind=bridge .*filtering=0 ' link br0
host ip tuntap add dev t0 mode tap
host ip link set t0 up
check "a tap is a tap, without carrier" says '^t0 kind=tun .*up=1 carrier=0 .*tun=2 ' link t0
check "the kernel told what XDP it takes" says 'netdev=1' stats
check "a tap takes redirected frames" says '^t0 .*xdp=1/0x[0-9a-f]*[4-7c-f] ' link t0
check "a veth whose peer has no NAPI does not" says '^p1 .*xdp=1/0x[0-9a-f]*[0-38-b] ' link p1

# --- names ---------------------------------------------------------------------------------------
forget_events
host ip link property add dev t0 altname tap-of-vm-with-a-long-name
host ip link set t0 alias "vm one"
host ip link set t0 group 7
check "alternative name, alias and group" \
	says '^t0 .*alias=vm one group=7 .*alt=tap-of-vm-with-a-long-name ' link tap-of-vm-with-a-long-name
host ip link set t0 down
host ip link set t0 name vnet9
host ip link set vnet9 up
check "a rename keeps the link" says '^vnet9 kind=tun' link vnet9
check_not "nothing was removed by it" told '^link-(removed|added)'
check "the old name is gone" says '^absent' link t0

# --- another namespace ------------------------------------------------------------------------------
forget_events
host ip link add m0 type veth peer name m1
check "a pair inside the namespace" says '^m1 kind=veth' link m1
host ip link set m1 netns "$(ns_name far)"
check "a link that moves away is gone" says '^absent' link m1
check "and was told" told '^link-removed m1 '
far ip link set m1 netns "$(ns_name host)"
check "it comes back" says '^m1 kind=veth' link m1
host ip link del m0
check "a deleted pair is gone" says '^absent' link m1

# --- neighbours, FDB, VLANs ---------------------------------------------------------------------------
host ip addr add 10.9.0.1/24 dev br0
far ip addr add 10.9.0.11/24 dev e1
check "unresolved before anyone asked" says '^NoNeighbour .*l3=br0 ' resolve 10.9.0.11
check "the kernel takes the neighbour over" says '^done managed' manage br0 10.9.0.11
host_neigh() { ip -n "$(ns_name host)" -d neigh show; }
managed() { host_neigh | grep -E '^10.9.0.11 .*managed (extern_learn )?(REACHABLE|STALE|DELAY)'; }
check "ip shows it managed and reachable" wait_for 10 "the answer" managed
check "resolved: through tc to the port that learned it" eventually 10 \
	'^Resolved way=redirect xdp=0 if=p1 l3=br0 .*smac=02:00:00:00:09:01 vlan=0 ' resolve 10.9.0.11
check "by the bridge when every nic is on it" \
	says '^Resolved way=bridge xdp=0 if=p1 ' resolve 10.9.0.11 p1
check "the address lives behind the port" says "port 'p1'" port 10.9.0.11
run_logged ip netns exec "$(ns_name far)" sh -c "ethtool -K e1 gro on" || fail "GRO on e1"
check "GRO at the far end makes it a redirect through XDP" eventually 10 \
	'^Resolved way=redirect xdp=1 if=p1 ' resolve 10.9.0.11 p1
check "a change of the features was told" told '^link-changed p1 - 0x1000'
run_logged ip netns exec "$(ns_name far)" sh -c "ethtool -K e1 gro off" || fail "GRO on e1"
check "and back" eventually 10 '^Resolved way=bridge ' resolve 10.9.0.11 p1

host ip link add r0 type veth peer name e4 netns "$(ns_name far)"
host ip link set r0 address 02:00:00:00:40:01 up
host ip addr add 10.40.0.1/24 dev r0
far ip link set e4 up
far ip addr add 10.40.0.4/24 dev e4
ask manage r0 10.40.0.4 >/dev/null
check "a routed veth: through tc" eventually 10 \
	'^Resolved way=redirect xdp=0 if=r0 l3=r0 .*smac=02:00:00:00:40:01 vlan=0 mtu=1500' \
	resolve 10.40.0.4 p1
host ip link set r0 mtu 1400
check "its MTU" says '^Resolved .*mtu=1400' resolve 10.40.0.4
host ip route add 10.40.0.4/32 dev r0 mtu 1300
check "the route's MTU" says '^Resolved .*mtu=1300' resolve 10.40.0.4
far ip link set e4 down
check "no carrier" eventually 5 '^NoCarrier ' resolve 10.40.0.4
far ip link set e4 up
host ip link set r0 down
check "down: its routes go, too" eventually 5 '^(LinkDown|NoRoute) ' resolve 10.40.0.4
host ip link set r0 up

# --- VLANs ------------------------------------------------------------------------------------------
vlan_section() {
	ask manage br0 10.9.0.11 >/dev/null
	host ip link set br0 type bridge vlan_filtering 1
	check "the bridge filters VLANs" says '^br0 kind=bridge .*filtering=1 .*vlans=1up,' link br0
	check "VLAN of a port that was there" says '^p1 .*vlans=1up,' link p1
	check "untagged in the PVID" eventually 10 '^Resolved .*if=p1 .*vlan=0 ' resolve 10.9.0.11
	host ip link add p2 type veth peer name e2 netns "$(ns_name far)"
	host ip link set p2 master br0 up
	host bridge vlan add dev p2 vid 30
	host bridge vlan add dev br0 vid 30 self
	host bridge vlan add dev p2 vid 100-110
	check "VLANs of a port" says '^p2 .*vlans=1up,30,100,101,.*110,$' link p2
	host bridge vlan del dev p2 vid 103-110
	host bridge vlan del dev p2 vid 1
	check "some go, the PVID too" says '^p2 .*vlans=30,100,101,102,$' link p2
	check "and of the bridge" says '^br0 .*vlans=1up,30,$' link br0
	host ip link add link br0 name br0.30 type vlan id 30
	host ip link set br0.30 up
	host ip addr add 10.30.0.1/24 dev br0.30
	far ip link add link e2 name e2.30 type vlan id 30
	far ip link set e2 up
	far ip link set e2.30 up
	far ip addr add 10.30.0.4/24 dev e2.30
	ask manage br0.30 10.30.0.4 >/dev/null
	check "a next hop behind a tagged port" eventually 10 \
		'^Resolved way=redirect xdp=0 if=p2 l3=br0.30 .*vlan=30 ' resolve 10.30.0.4
	host bridge vlan del dev p2 vid 30
	check "the port leaves the VLAN: the FDB forgets, the bridge floods" eventually 10 \
		'^(Resolved way=redirect xdp=0 if=br0.30|NeighbourFailed|VlanDenied)' resolve 10.30.0.4
	host ip link set p2 nomaster
	check "a port that leaves its bridge has no VLANs" says '^p2 kind=veth master= .*vlans=$' link p2
	host ip link del br0.30
	host ip link set br0 type bridge vlan_filtering 0
}

has_vlans() { # the kernel has VLAN devices, and bridges that filter
	ip -n "$(ns_name far)" link add vf0 type bridge vlan_filtering 1 &&
		ip -n "$(ns_name far)" link add link vf0 name vf0.2 type vlan id 2
}
if has_vlans >"$DIR/vlans" 2>&1; then
	vlan_section
else
	skip "VLANs of the kernel" "no CONFIG_BRIDGE_VLAN_FILTERING or no CONFIG_VLAN_8021Q"
fi

# --- routes ------------------------------------------------------------------------------------------
check "via a gateway is not directly reachable" says '^NoRoute .*l3= ' resolve 10.77.0.1
host ip route add 10.77.0.0/16 via 10.9.0.11
check "a route was told" eventually 5 '^ViaGateway ' resolve 10.77.0.1
told_route() { told '^route'; }
check "as an event" told_route
host ip route add blackhole 10.78.0.0/16
check "a blackhole is no route" says '^NoRoute ' resolve 10.78.0.1
check "our own address" says '^Local ' resolve 10.9.0.1
check "broadcast" says '^NotUnicast ' resolve 10.9.0.255

check "managed, says the answer" says ' l3=br0 managed=1 ' resolve 10.9.0.11
host ip link set br0 down
host ip link set br0 up
check "a link that was down has forgotten it" says ' l3=br0 managed=0 ' resolve 10.9.0.11
check "asked again" says '^done managed' manage br0 10.9.0.11
check "and resolved again" eventually 10 '^Resolved .* managed=1 ' resolve 10.9.0.11
check "release gives the entry back" says '^done' release br0 10.9.0.11
check_not "no longer managed" managed
host ip neigh replace 10.9.0.50 lladdr 02:00:00:00:00:50 dev br0 nud permanent
check "the administrator's entry is left alone" says '^done static' manage br0 10.9.0.50
permanent() { host_neigh | grep -E '^10.9.0.50 .*PERMANENT'; }
check "and still permanent" permanent
check "a device that is not there" says '^(No such device|Invalid argument)' manage nosuch 10.9.0.60

far ip link set e1 down
check "no carrier is seen" eventually 5 '^NoCarrier |^NoNeighbour ' resolve 10.9.0.11
far ip link set e1 up
host ip -6 addr add fd00:9::1/64 dev br0 nodad
far ip -6 addr add fd00:9::11/64 dev e1 nodad
ask manage br0 fd00:9::11 >/dev/null
check "IPv6 next hop" eventually 15 '^Resolved way=redirect xdp=0 if=p1 l3=br0 ' resolve fd00:9::11
check "the picture equals the audit's" says '^drift 0 ' audit

# --- lost events ---------------------------------------------------------------------------------------
flap() { # TIMES
	local i
	for i in $(seq "$1"); do
		echo "link add f$i type veth peer name g$i"
		echo "link set f$i master br0 up"
		echo "addr add 10.66.0.$((i % 250))/32 dev g$i"
		[ $((i % 4)) -eq 0 ] || echo "link del f$i"
	done | ip -n "$(ns_name host)" -batch -
}
# A reader that keeps up.
check "200 interfaces come and most go" flap 200
check "no drift" says '^drift 0 ' audit
check "no event was lost or misread" says 'overruns=0 errors=0 ' stats

# A routing daemon on the same host does not push the others' events out.
for i in $(seq 0 9999); do
	echo "route add 10.$((100 + i / 2500)).$((i / 10 % 250)).$((i % 10)) dev br0"
done >"$DIR/routes"
forget_events
ask pause >/dev/null
check "10000 routes while nobody reads" ip -n "$(ns_name host)" -batch "$DIR/routes"
host ip link set p1 alias "after the flood"
ask resume >/dev/null
check "the event of a link came through" says 'alias=after the flood ' link p1
check "some routes' events were lost, no others" \
	says 'overruns=0 errors=0 .*routes-lost=[1-9]' stats
check "told as a change of routes" told '^route'
check_not "without a dump" told '^(overrun|synced)'
tool_stop

# Another that does not: 4 KiB of buffer, and it sleeps meanwhile.
tool_start 2048
ask pause >/dev/null
for i in $(seq 4 4 200); do
	echo "link del f$i"
done >"$DIR/vanish"
check "50 vanish unseen" ip -n "$(ns_name host)" -batch "$DIR/vanish"
check "others come and go unseen" flap 60
host ip link set vnet9 down
host ip link set vnet9 name vnet10
host ip link del r0
ask audit >"$DIR/answer"
check "the audit sees it" grep -Eq '^drift [1-9]' "$DIR/answer"
ask resume >/dev/null
check "then the kernel says that events were lost" says 'overruns=[1-9]' stats
check "and everything was read again" says 'resyncs=[2-9]' stats
check "no drift" says '^drift 0 ' audit
check "what vanished was told" told '^link-removed f4 '
check "what was renamed is known" says '^vnet10 ' link vnet10
check "overrun and dump are told" told '^overrun'
check "the dump's end is told" told '^synced'

# Flapping all the while, with the small buffer.
for i in $(seq 200); do
	echo "link set p1 down"
	echo "link set p1 up"
done >"$DIR/flaps"
check "200 flaps of one interface" ip -n "$(ns_name host)" -batch "$DIR/flaps"
check "no drift" says '^drift 0 ' audit
diag "$(ask stats)"
tool_stop

# The initial dump of a namespace with something in it.
tool_start
# An address of IPv6 may still be in duplicate address detection.
check "a fresh watch agrees" eventually 10 '^drift 0 ' audit
tool_stop
finish
