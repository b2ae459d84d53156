#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# timeout: 400
# Hostile surroundings: no descriptors left, API readers that do not read, thousands of API connections, a
# full disk, lost netlink messages, interfaces and routes that flap, more next hops than the map has, no memory
# in the kernel or in xrsd, a clock that is set by a year. Each has a bound and a counter (README.md); the
# session of the one appliance that behaves never goes down, its flow never stops, and afterwards
# fib.verify is clean.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"
need_cmd perl prlimit mount
need_file "$BUILD/tests/preload_clock.so"

# The maps are made in a memory cgroup and charged to it; xrsd itself goes on outside, so that a limit meets
# the kernel's part alone.
if [ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]; then
	GROUP=/sys/fs/cgroup/memory/$ID LIMIT=memory.limit_in_bytes USAGE=memory.usage_in_bytes UNLIMITED=-1
elif grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; then
	GROUP=/sys/fs/cgroup/$ID LIMIT=memory.max USAGE=memory.current UNLIMITED=max
else
	GROUP=
fi
test_cleanup() {
	umount "/var/lib/$ID" 2>/dev/null
	[ -z "${XRS_PID-}" ] || xrs_stop # a group that somebody is in can not be removed
	[ -z "$GROUP" ] || rmdir "$GROUP-outside" "$GROUP" 2>/dev/null
}
set_clock() { # SECONDS: how far xrsd's wall clock is ahead of the others'
	perl -e 'print pack("q", $ARGV[0])' -- "$1" | dd of="$DIR/clock" conv=notrunc 2>/dev/null
}
start_here() {
	set_clock 0
	[ -z "$GROUP" ] || mkdir "$GROUP" "$GROUP-outside"
	spawn_in host xrsd sh -c "${GROUP:+echo \$\$ >$GROUP/cgroup.procs;} exec env LD_PRELOAD=$BUILD/tests/preload_clock.so \
		XRS_CLOCK=$DIR/clock ASAN_OPTIONS=verify_asan_link_order=0 '$XRSD' -c '$CONF'"
	XRS_PID=$spawned
	wait_for 20 "the answer of xrsd" ctl system info || abandon "xrsd starts"
	[ -z "$GROUP" ] || for p in "$XRS_PID" $(pgrep -P "$XRS_PID"); do echo "$p" >"$GROUP-outside/cgroup.procs"; done
}

xrs_config() {
	jq -n --arg id "$ID" --arg gw $GW '{
	  node: { instance: $id, routerId: "10.1.255.4" },
	  vnets: [ { name: "prod", addressPrefixes: ["10.1.0.0/16"], gateway: { macs: [$gw] },
	    routeServer: { asn: 65515, localAddress: "10.1.255.4" },
	    peerings: [ ["fw", 65001, "10.1.2.4"], ["fw2", 65002, "10.1.2.5"] | {
	      name: .[0], peerAsn: .[1], peerIp: .[2], connectRetryTime: 1, families: ["ipv4-unicast"], returnHoldMs: 0 } ] } ],
	  nics: [ { match: { name: "vm*" }, vnet: "prod" }, { match: { name: "fw*" }, vnet: "prod", role: "nva" } ] }' >"$CONF"
}
metric() { # NAME{LABELS}
	ctl metrics | sed -n "s/^$1 //p"
}
above() { # METRIC NUMBER
	local now
	now=$(metric "$1")
	[ "${now:-0}" -gt "$2" ]
}
held() { # COUNT
	peering fw2 .pfxRcd | grep -qx "$1"
}
rss_kb() {
	sed -n 's/VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$XRS_PID/status"
}
drops() { # how often the session of fw went down
	peering fw .connectionsDropped
}
ping_received() {
	sed -n 's/.*transmitted, \([0-9]*\) received.*/\1/p' "$DIR/ping.log"
}

# Connections to the control socket, that many at most at a time; none of them waits.
connect_unix() { # COUNT AT-A-TIME SECONDS
	perl -MSocket -e '($path, $n, $most, $hold) = @ARGV;
		for (1..$n) { socket(my $s, AF_UNIX, SOCK_STREAM | 2048, 0) or next; connect($s, sockaddr_un($path)) or select(undef, undef, undef, 0.001);
			push @s, $s; shift @s if @s > $most } sleep $hold' "/run/$ID/xrs.sock" "$@"
}

catches_int() { # PID: else it would not hear that it shall end
	[ $((0x$(sed -n 's/^SigCgt:[^0-9a-f]*//p' "/proc/$1/status") & 2)) -ne 0 ]
}

# What everybody must survive: the session of fw, its flow (10 ms between two packets), the maps.
during() { # NAME COMMAND...
	local name=$1 before sent
	shift
	before=$(drops)
	: >"$DIR/ping.log"
	spawn_in vm1 ping ping -q -n -i 0.01 203.0.113.10
	local ping=$spawned
	wait_for 10 "ping to run" catches_int "$ping"
	"$@"
	stop_pid "$ping" INT
	sent=$(sed -n 's/^\([0-9]*\) packets transmitted.*/\1/p' "$DIR/ping.log")
	check "$name: the flow of fw never stopped" test "$(($(ping_received) + 1))" -ge "$sent"
	check_equal "$name: the session of fw stayed up" "$before" "$(drops)"
	check "$name: afterwards fib.verify is clean" wait_for 60 "the maps to be as planned" fib_idle
}

lab_host
lab_bridge
for n in vm1 fw fw2; do
	veth_node $n
	on_bridge $n
done
run_logged ip -n "$ID-fw" addr add 203.0.113.10/32 dev lo
announce fw 203.0.113.0/24
for i in $(seq 0 999); do echo "100.$((64 + i / 256)).$((i % 256)).0/24 "; done >"$DIR/fw2.routes"
cp "$DIR/fw2.routes" "$DIR/thousand.routes"
nva_up fw 65001
nva_up fw2 65002
xrs_config
start_here
await_nic vm1 attached || abandon "nic vm1 is attached"
await_established fw fw2
await_fib

# --- descriptors ---------------------------------------------------------------------------------------
no_descriptors() {
	local n
	n=$(ls "/proc/$XRS_PID/fd" | wc -l)
	prlimit --pid "$XRS_PID" --nofile="$n:"
	connect_unix 200 200 2
	nva_down fw2 KILL
	nva_up fw2 65002
	sleep 1
	prlimit --pid "$XRS_PID" --nofile="$(prlimit --pid "$XRS_PID" --nofile --noheadings --output HARD | xargs):"
}
during "no descriptors left" no_descriptors
check_soon "no descriptors left: fw2 is back afterwards" established fw2
check "no descriptors left: counted" above xrs_api_out_of_descriptors_total 0

# --- the API ---------------------------------------------------------------------------------------------
before=$(rss_kb)
never_reads() { # a hundred readers ask for everything and read nothing
	perl -MIO::Socket::UNIX -e 'for (1..50) { $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or next; push @s, $s; $s->blocking(0);
		for $i (1..50) { $s->syswrite("{\"jsonrpc\":\"2.0\",\"id\":$i,\"method\":\"route.list\",\"params\":{}}\n") } } sleep 2' "/run/$ID/xrs.sock"
}
during "readers that do not read" never_reads
after=$(rss_kb)
diag "readers that do not read: $before kB before, $after kB after"
check "readers that do not read: counted" above xrs_api_stalls_total 0
check "readers that do not read: the memory is bounded" test "$after" -lt $((before + 65536))

connections() { connect_unix 10000 900 1; }
during "10,000 connections" connections
check "10,000 connections: refused ones are counted" test "$(metric xrs_api_connections_refused_total)" -gt 0

# --- the disk -----------------------------------------------------------------------------------------------
state_is_whole() {
	[ ! -e "/var/lib/$ID/state.json" ] || jq -e . "/var/lib/$ID/state.json"
}
full_disk() {
	mkdir -p "/var/lib/$ID"
	mount -t tmpfs -o size=16k none "/var/lib/$ID"
	dd if=/dev/zero of="/var/lib/$ID/filler" bs=4k 2>/dev/null
	ctl -j vnet create --name other --addressPrefixes 10.9.0.0/16 >"$DIR/create" 2>&1 && touch "$DIR/created"
	rm -f "/var/lib/$ID/filler"
}
during "a full disk" full_disk
check_not "a full disk: what can not be kept is refused" test -e "$DIR/created"
check "a full disk: state.json is whole or absent" state_is_whole
check "a full disk: counted" above xrs_state_write_failures_total 0
check_not "a full disk: and nothing of it is there" ctl vnet show --name other

# --- netlink -------------------------------------------------------------------------------------------------
overrun() { # more messages than the socket holds, while nobody reads
	kill -STOP "$XRS_PID"
	seq 1 20000 | sed 's/.*/link set dev fw2 alias name-&/' | ip -n "$ID-host" -batch -
	ip -n "$ID-host" link set dev fw2 alias ""
	kill -CONT "$XRS_PID"
}
during "netlink overrun" overrun
check "netlink overrun: counted, and everything read again" above xrs_netlink_overruns_total 0

flapping() { # ten times a second
	local i
	for i in $(seq 1 15); do
		ip -n "$ID-host" link set fw2 down
		sleep 0.05
		ip -n "$ID-host" link set fw2 up
		sleep 0.05
	done
}
during "an interface that flaps" flapping
check "an interface that flaps: told, each time with its cause" \
	sh -c "'$XRSCTL' -s '/run/$ID/xrs.sock' -j timeline list | jq -e 'any(.value[]; .cause == \"carrierLost\")'"

# --- routes ---------------------------------------------------------------------------------------------------
route_flaps() { # a thousand routes go and come, six times
	local i
	for i in $(seq 1 6); do
		nva_ctl fw2 disable static4 >/dev/null
		sleep 0.3
		nva_ctl fw2 enable static4 >/dev/null
		sleep 0.3
	done
}
await_established fw2
during "a thousand routes that flap" route_flaps

# More next hops than the map has: each route by an address of its own.
all_nexthops() {
	awk 'BEGIN { for (i = 0; i < 4200; i++) printf "100.%d.%d.0/24 nexthop=10.1.%d.%d\n", 96 + i / 256, i % 256, 16 + i / 250, 1 + i % 250 }' \
		>"$DIR/fw2.routes"
	nva_reconfigure fw2
	wait_for 60 "4,200 routes" held 4200
}
during "more next hops than there is room for" all_nexthops
not_installed() {
	ctl -j peering list-learned-routes --name fw2 | jq -e '[.value[] | select(.installStatus != "Installed")] | length > 0'
}
check "what does not fit is told" not_installed
cp "$DIR/thousand.routes" "$DIR/fw2.routes"
nva_reconfigure fw2
check_soon "and there is room again afterwards" held 1000
check "what did not fit was counted" above xrs_fib_write_errors_total -1

# --- memory ---------------------------------------------------------------------------------------------------
bulk() { # ROUTES: of fw2, besides its thousand
	for ((i = 0; i < $1; i++)); do echo "101.$((i / 256)).$((i % 256)).0/24"; done >"$DIR/fw2.bulk"
	nva_reconfigure fw2
}
none_rejected() { [ "$(metric xrs_fib_rejected_entries)" = 0 ]; }
kernel_memory() { # what the maps may take ends 64 KiB from here
	echo $(($(cat "$GROUP/$USAGE") + 65536)) >"$GROUP/$LIMIT"
	bulk 30000
	check "no memory in the kernel: what is refused is told and counted" wait_for 30 "refused routes" above xrs_fib_rejected_entries 0
	check_soon "no memory in the kernel: the session keeps all its routes" held 31000
	echo $UNLIMITED >"$GROUP/$LIMIT"
	check_soon "no memory in the kernel: they are written when there is room" none_rejected
}
if [ -n "$GROUP" ]; then
	errors=$(metric xrs_fib_write_errors_total)
	during "no memory in the kernel" kernel_memory
	check "no memory in the kernel: counted" above xrs_fib_write_errors_total "$errors"
else
	skip "no memory in the kernel" "no memory cgroups"
fi
own_memory() { # malloc() fails 4 MiB from here
	bulk 0
	wait_for 30 "1,000 routes" held 1000
	prlimit --pid "$XRS_PID" --as=$(($(sed -n 's/VmSize:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$XRS_PID/status") * 1024 + 1048576)):
	bulk 60000
	check "no memory of its own: counted" wait_for 30 "the counter" above xrs_out_of_memory_total 0
	prlimit --pid "$XRS_PID" --as=unlimited:
	check_soon "no memory of its own: what was lost is asked for again" held 61000
	check_soon "no memory of its own: and is written" fib_idle
}
case $BUILD in
*-san*) skip "no memory of its own" "ASan needs its address space" ;;
*) during "no memory of its own" own_memory ;;
esac
bulk 0

# --- the clock -------------------------------------------------------------------------------------------------
YEAR=31536000
young() { ctl -j peering list-learned-routes --name fw | jq -e 'all(.value[]; .ageSeconds < 3600) and (.value | length) > 0'; }
clock_steps() { # one year ahead, then one back
	set_clock $YEAR
	check "the clock a year ahead: noticed and counted" wait_for 30 "the counter" above xrs_clock_steps_total 0
	set_clock -$YEAR
	check "the clock a year back: noticed and counted" wait_for 30 "the counter" above xrs_clock_steps_total 1
	check "the clock: its log is of both years" sh -c "grep -q '^$(($(date +%Y) + 1))' '$DIR/xrsd.log' && grep -q '^$(($(date +%Y) - 1))' '$DIR/xrsd.log'"
	check "the clock: no route is a year old" young
}
during "the clock set by a year" clock_steps
set_clock 0
check "fib.verify is clean at the end" wait_for 60 "the maps to be as planned" fib_idle
finish
