#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The picture of the README, raised in network namespaces and taken down again. Nothing of the host's own
# network is touched: everything has a name of its own below.
#
#    on-premises 10.250.0.10          "Internet" 203.0.113.10
#     onprem |          |               | inet
#      [ sdwan ]   [ sdwan2 ]        [ fw ]        FRR AS 65002, FRR AS 65003, BIRD AS 65001
#       10.1.2.5    10.1.2.6         10.1.2.4
#          \____________|______________/
#               bridge br-prod  10.1.0.1/16        xrsd 10.1.255.4, AS 65515       (namespace host)
#                 |            |
#               vm1 10.1.1.4  vm2 10.1.1.5         default gateway 10.1.0.1, XDP on their veths
#
# usage: deploy/demo.sh run                 all of it: up, show, failover, down       (make demo)
#        deploy/demo.sh up | status | failover | down | check
set -u

TOP=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${XRS_BUILD:-$TOP/build}
NAME=${XRS_DEMO:-xrs-demo}             # node.instance, prefix of every namespace, name of every file
RUN=/run/$NAME-lab                     # configurations, pids, logs
SOCKET=/run/$NAME/xrs.sock
MAPS=/sys/fs/bpf/$NAME
NODES="host vm1 vm2 fw sdwan sdwan2 onprem inet"
VM1=10.1.1.4 VM2=10.1.1.5 FW=10.1.2.4 SDWAN=10.1.2.5 SDWAN2=10.1.2.6 RS=10.1.255.4 GW=10.1.0.1
ONPREM=10.250.0.10 INTERNET=203.0.113.10

if [ -t 1 ]; then B=$'\e[1m' G=$'\e[32m' R=$'\e[31m' N=$'\e[0m'; else B='' G='' R='' N=''; fi
title() { printf '\n%s== %s%s\n' "$B" "$*" "$N"; }
good() { printf '%s   ok%s  %s\n' "$G" "$N" "$*"; }
die() {
	printf '%sFAILED%s %s\n' "$R" "$N" "$*" >&2
	[ -s "$RUN/xrsd.log" ] && { echo "--- last lines of xrsd's log:"; tail -n 15 "$RUN/xrsd.log"; } >&2
	exit 1
}
# Only the network changes: `ip netns exec` would mount another /sys and hide bpffs.
ns() { local n=$1; shift; nsenter --net="/run/netns/$NAME-$n" "$@"; }
ctl() { "$BUILD/xrsctl" -s "$SOCKET" "$@"; }
show() { printf '%s$ %s%s\n' "$B" "$*" "$N"; "$@" || die "$*"; }
showctl() { printf '%s$ xrsctl %s%s\n' "$B" "$*" "$N"; ctl "$@" || die "xrsctl $*"; }

# wait_for SECONDS WHAT COMMAND...: until it succeeds
wait_for() {
	local end=$(($(date +%s) + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.1
	done
}
await() { wait_for "$@" || die "$2: not after $1 s"; }

# start NODE NAME COMMAND...: in the background, its pid kept
start() {
	local node=$1 name=$2
	shift 2
	nsenter --net="/run/netns/$NAME-$node" setsid "$@" >"$RUN/$name.log" 2>&1 </dev/null &
	echo $! >"$RUN/$name.pid"
	disown
}
stop() { # NAME [SIGNAL]
	local pid
	pid=$(cat "$RUN/$1.pid" 2>/dev/null) && kill "-${2:-TERM}" "$pid" 2>/dev/null
	rm -f "$RUN/$1.pid"
}

# --- check -----------------------------------------------------------------------------------------

need() { # WHAT REMEDY COMMAND...
	local what=$1 remedy=$2
	shift 2
	if "$@" >/dev/null 2>&1; then
		good "$what"
	else
		printf '%s   --%s  %s is missing. Remedy: %s\n' "$R" "$N" "$what" "$remedy"
		missing=1
	fi
}

check() {
	missing=0
	need "root" "run with sudo" test "$(id -u)" = 0
	for c in ip bridge bird birdc ping traceroute tcpdump jq ethtool; do
		need "$c" "deploy/install-deps.sh" command -v $c
	done
	need "bpftool" "deploy/install-deps.sh" test -x "$(PATH=$PATH:/usr/sbin command -v bpftool)"
	need "FRR's bgpd" "deploy/install-deps.sh" test -x /usr/lib/frr/bgpd
	need "bpffs on /sys/fs/bpf" "mount -t bpf bpf /sys/fs/bpf" \
		sh -c '[ "$(stat -f -c %T /sys/fs/bpf)" = bpf_fs ]'
	need "network namespaces" "a kernel with CONFIG_NET_NS" test -e /proc/self/ns/net
	need "a build of xrsd" "make" test -x "$BUILD/xrsd"
	if [ -x "$BUILD/xrsd" ]; then
		printf '{"vnets":[{"name":"x","addressPrefixes":["10.0.0.0/8"]}]}' >/tmp/$NAME-check.json
		need "what xrsd needs of this kernel" "see: $BUILD/xrsd -t" \
			"$BUILD/xrsd" -t -c /tmp/$NAME-check.json
		"$BUILD/xrsd" -t -c /tmp/$NAME-check.json 2>&1 | grep 'is missing'
		rm -f /tmp/$NAME-check.json
	fi
	[ $missing = 0 ] || die "something is missing, see above"
}

# --- up --------------------------------------------------------------------------------------------

make_node() { # NODE: namespace with forwarding, quiet about redirects
	ip netns add "$NAME-$1"
	ns "$1" ip link set lo up
	ns "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 \
		net.ipv4.conf.default.send_redirects=0 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.default.accept_dad=0
}

# plug NODE ADDRESS: a veth from the bridge to the node's eth0
plug() {
	ip link add "$1" netns "$NAME-host" type veth peer name eth0 netns "$NAME-$1"
	ns host ip link set "$1" master br-prod up
	ns "$1" ip addr add "$2/16" dev eth0
	ns "$1" ip link set eth0 up
}

# wire NODE1 IF1 ADDR1 NODE2 IF2 ADDR2: a point-to-point veth outside the virtual network
wire() {
	ip link add "$2" netns "$NAME-$1" type veth peer name "$5" netns "$NAME-$4"
	ns "$1" ip addr add "$3" dev "$2"
	ns "$4" ip addr add "$6" dev "$5"
	ns "$1" ip link set "$2" up
	ns "$4" ip link set "$5" up
}

make_network() {
	local n
	for n in $NODES; do make_node "$n"; done
	ns host ip link add br-prod address 02:00:00:00:01:01 type bridge forward_delay 0
	ns host ip addr add $GW/16 dev br-prod
	ns host ip addr add $RS/32 dev br-prod
	ns host ip link set br-prod up
	plug vm1 $VM1; plug vm2 $VM2; plug fw $FW; plug sdwan $SDWAN; plug sdwan2 $SDWAN2
	ns vm1 ip route add default via $GW
	ns vm2 ip route add default via $GW
	# The kernel answers expired packets only when it has a route; this one leads nowhere.
	ns host ip route add default dev br-prod
	wire sdwan wan 10.251.1.1/30 onprem wan1 10.251.1.2/30
	wire sdwan2 wan 10.251.2.1/30 onprem wan2 10.251.2.2/30
	ns onprem ip addr add $ONPREM/32 dev lo
	ns sdwan ip route add 10.250.0.0/16 via 10.251.1.2
	ns sdwan2 ip route add 10.250.0.0/16 via 10.251.2.2
	ns onprem ip route add 10.1.0.0/16 via 10.251.1.1 metric 10
	ns onprem ip route add 10.1.0.0/16 via 10.251.2.1 metric 20
	wire fw wan 198.51.100.1/30 inet wan 198.51.100.2/30
	ns inet ip addr add $INTERNET/32 dev lo
	ns fw ip route add default via 198.51.100.2
	ns inet ip route add 10.1.0.0/16 via 198.51.100.1
}

write_bird() {
	cat >"$RUN/fw.conf" <<-EOF
	router id $FW;
	log stderr all;
	protocol device {}
	protocol static { ipv4; route 0.0.0.0/0 unreachable; }
	protocol bgp xrs {
	  local $FW as 65001; neighbor $RS as 65515; multihop 4;
	  ipv4 { import all; export where source = RTS_STATIC; next hop self; };
	}
	EOF
}

write_frr() { # NODE ADDRESS ASN PREPEND
	mkdir -p "$RUN/$1"
	cat >"$RUN/$1/bgpd.conf" <<-EOF
	hostname $1
	router bgp $3
	 bgp router-id $2
	 no bgp ebgp-requires-policy
	 no bgp network import-check
	 neighbor $RS remote-as 65515
	 neighbor $RS ebgp-multihop 4
	 neighbor $RS disable-connected-check
	 neighbor $RS timers connect 1
	 address-family ipv4 unicast
	  network 10.250.0.0/16
	  neighbor $RS route-map out out
	 exit-address-family
	route-map out permit 10
	EOF
	[ -z "$4" ] || echo " set as-path prepend $4" >>"$RUN/$1/bgpd.conf"
	chown -R frr:frr "$RUN/$1"
}

start_frr() { # NODE
	start "$1" "$1" /usr/lib/frr/bgpd -f "$RUN/$1/bgpd.conf" -i "$RUN/$1/bgpd.pid" \
		--vty_socket "$RUN/$1" -n -Z -P 0 --log stdout
}

write_config() {
	cat >"$RUN/xrs.json" <<-EOF
	{
	  "node": { "instance": "$NAME", "routerId": "$RS" },
  // The veths of this lab stand for the taps of virtual machines; by itself auto serves a veth by tc.
  "dataplane": { "mode": "native" },
	  "vnets": [ {
	    "name": "prod",
	    "addressPrefixes": ["10.1.0.0/16"],
	    "routeServer": { "asn": 65515, "localAddress": "$RS" },
	    "peerings": [
	      { "name": "fw", "peerAsn": 65001, "peerIp": "$FW", "connectRetryTime": 1 },
	      { "name": "sdwan", "peerAsn": 65002, "peerIp": "$SDWAN", "connectRetryTime": 1 },
	      { "name": "sdwan2", "peerAsn": 65003, "peerIp": "$SDWAN2", "connectRetryTime": 1 }
	    ]
	  } ],
	  "nics": [
	    { "match": { "name": ["vm*"] }, "vnet": "prod", "role": "vm" },
	    { "match": { "name": ["fw*", "sdwan*"] }, "vnet": "prod", "role": "nva" }
	  ]
	}
	EOF
}

peerings_up() {
	ctl -j peering list | jq -e '[.value[].state] | length == 3 and all(. == "Established")'
}
route_active() { # NIC PREFIX NEXTHOP
	ctl -j nic list-effective-routes --name "$1" | jq -e --arg p "$2" --arg n "$3" \
		'any(.value[]; .state == "Active" and .addressPrefix == $p and (.nextHopIpAddress | index($n)))'
}

up() {
	[ "$(id -u)" = 0 ] || die "needs root: sudo deploy/demo.sh up"
	[ -x "$BUILD/xrsd" ] || die "no $BUILD/xrsd: run make first"
	down quiet
	title "raising the lab (namespaces $NAME-*)"
	mkdir -p "$RUN"
	chmod 755 "$RUN"
	make_network || die "making the network"
	write_bird
	write_frr sdwan $SDWAN 65002 ""
	write_frr sdwan2 $SDWAN2 65003 "65003 65003"
	write_config
	start host xrsd "$BUILD/xrsd" -c "$RUN/xrs.json"
	await 10 "xrsd answers on $SOCKET" ctl system info
	start fw fw bird -f -c "$RUN/fw.conf" -s "$RUN/fw.ctl" -P "$RUN/fw.bird.pid"
	start_frr sdwan
	start_frr sdwan2
	await 60 "three peerings Established" peerings_up
	await 30 "10.250.0.0/16 in vm1's table" route_active vm1 10.250.0.0/16 $SDWAN
	await 30 "0.0.0.0/0 in vm1's table" route_active vm1 0.0.0.0/0 $FW
	good "bridge, two VMs, three appliances, xrsd; the three sessions are Established"
}

# --- status ------------------------------------------------------------------------------------------

rx() { ns "$1" ip -j -s link show "$2" | jq '.[0].stats64.rx.packets'; } # NODE IF
hops() { ns vm1 traceroute -n -I -q 1 -w 2 -m 6 "$1" | awk 'NR > 1 { print $2 }' | xargs; }

# through NODE DESTINATION HOP: ping and traceroute, held against counters and the hop list
through() {
	local before after path n=20
	before=$(rx "$1" eth0)
	show ns vm1 ping -q -n -c $n -i 0.05 -W 2 "$2"
	after=$(rx "$1" eth0)
	[ $((after - before)) -ge $n ] ||
		die "$1 received only $((after - before)) of $n packets to $2"
	good "$1's eth0 received $((after - before)) packets meanwhile ($n were sent)"
	path=$(hops "$2")
	echo "\$ traceroute $2:  vm1 -> ${path// / -> }"
	[ "$path" = "$GW $3 $2" ] || die "expected the path $GW $3 $2"
	good "the path from vm1 to $2 leads through $1"
}

# The same route as bpftool reads it: an entry of the table's trie whose key is 10.250.0.0/16.
bpftool_route() {
	local pin=$MAPS/tables/prod.main.v4
	printf '%s$ bpftool map dump pinned %s%s\n' "$B" "$pin" "$N"
	ns host bpftool -j map dump pinned "$pin" | jq -c '.[].formatted | .key, .value' |
		grep -A1 '"prefixlen":16,"addr":\[10,250,0,0\]' || die "10.250.0.0/16 is not in $pin"
}

status() {
	title "peerings"
	showctl peering list
	title "what the appliances taught us, and what they are told"
	showctl peering list-learned-routes --name sdwan
	showctl peering list-learned-routes --name fw
	showctl peering list-advertised-routes --name fw
	title "vm1's effective routes, read back from the BPF maps"
	showctl nic list-effective-routes --name vm1
	title "the same with bpftool"
	bpftool_route
	showctl nic show-next-hop --name vm1 --destination-ip $ONPREM
	title "vm1 -> on-premises, through the SD-WAN appliance"
	through sdwan $ONPREM $SDWAN
	title "vm1 -> Internet, through the firewall"
	through fw $INTERNET $FW
	title "vm1 -> vm2 stays inside the virtual network"
	show ns vm1 ping -q -n -c 3 -i 0.2 -W 2 $VM2
}

# --- failover -------------------------------------------------------------------------------------------

# The namespace goes with everything in it, as when the appliance's host loses power.
kill_sdwan() {
	stop sdwan KILL
	ip netns del "$NAME-sdwan"
}

# watch NODE IF FILTER NAME: the times of such packets in $RUN/NAME.times
watch() {
	ns "$1" timeout 60 tcpdump -n -tt -l -i "$2" "$3" >"$RUN/$4.times" 2>"$RUN/$4.err" &
	dumps="$dumps $!"
	await 10 "tcpdump listens" grep -q listening "$RUN/$4.err"
}

# Killing a process takes a busy machine a while: what counts begins with the end of its TCP connection.
failover() {
	local killed ended first sent received dumps=''
	title "failover: sdwan is killed while vm1 pings on-premises every 2 ms"
	route_active vm1 10.250.0.0/16 $SDWAN >/dev/null || die "sdwan is not the active appliance; raise the lab again"
	watch sdwan2 eth0 "icmp[icmptype] == icmp-echo and dst host $ONPREM" first
	watch host br-prod "src host $SDWAN and tcp[tcpflags] & (tcp-fin | tcp-rst) != 0" ended
	ns vm1 ping -n -q -i 0.002 -c 2500 -W 1 $ONPREM >"$RUN/ping.out" 2>&1 &
	local ping=$!
	sleep 1.5
	killed=$(date +%s.%N)
	kill_sdwan
	wait $ping
	sleep 0.2
	kill $dumps 2>/dev/null
	wait $dumps 2>/dev/null
	ended=$(awk 'NR == 1 { print $1 }' "$RUN/ended.times")
	first=$(awk -v k="$killed" '$1 >= k { print $1; exit }' "$RUN/first.times")
	[ -n "$ended" ] || die "sdwan's TCP connection did not end"
	[ -n "$first" ] || die "no packet came through sdwan2 after the kill"
	read -r sent received < <(awk '/packets transmitted/ { print $1, $4 }' "$RUN/ping.out")
	[ "$received" -gt 0 ] || die "no answer at all"
	[ "$received" -lt "$sent" ] || echo "   (no packet was lost)"
	awk -v k="$killed" -v e="$ended" -v f="$first" -v s="$sent" -v r="$received" 'BEGIN {
		printf "   first packet through sdwan2: %.1f ms after the end of the TCP connection of sdwan, %.1f ms after the kill\n",
			(f - e) * 1000, (f - k) * 1000
		printf "   packets: %d sent, %d lost\n", s, s - r }'
	echo "   what xrsd says of it, in microseconds after the first sign:"
	showctl timeline list
	await 30 "vm1's route leads to sdwan2" route_active vm1 10.250.0.0/16 $SDWAN2
	showctl nic list-effective-routes --name vm1
	through sdwan2 $ONPREM $SDWAN2
}

# --- down ----------------------------------------------------------------------------------------------

down() {
	local n p
	for p in xrsd fw sdwan sdwan2; do stop $p; done
	for n in $NODES; do
		ip netns pids "$NAME-$n" 2>/dev/null | xargs -r kill 2>/dev/null
	done
	if [ -d "$MAPS" ]; then
		"$BUILD/xrsctl" dataplane detach --instance "$NAME" >/dev/null 2>&1 || rm -rf "$MAPS"
	fi
	for n in $NODES; do
		[ -e "/run/netns/$NAME-$n" ] || continue
		ip netns pids "$NAME-$n" 2>/dev/null | xargs -r kill -9 2>/dev/null
		ip netns del "$NAME-$n"
	done
	rm -rf "$RUN" "/run/$NAME" "/var/lib/$NAME"
	[ "${1:-}" = quiet ] || good "the lab is gone"
}

run() {
	trap 'down quiet' EXIT
	trap 'exit 130' INT TERM HUP
	check >/dev/null || { check; exit 1; }
	up
	status
	failover
	title "taking the lab down"
	down
	trap - EXIT
	title "done: every step above held"
}

case ${1:-} in
run | up | status | failover | down | check) "$1" ;;
*)
	sed -n '/^# usage/,/^set/p' "$0" | sed -n 's/^# \{0,1\}//p'
	exit 2
	;;
esac
