# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The laboratory of tests/netns: one xrsd in the namespace `host`, other nodes on veths or taps of it.
# Sourced after lib/sh.sh. Scripts raise the links that they need; addresses and MACs are derived:
#
#   node     address                    MAC of the node         interface in host
#   vm1      10.1.1.4   fd00:1::1:4     02:00:00:00:01:04       vm1
#   vm2      10.1.1.5   fd00:1::1:5     02:00:00:00:01:05       vm2
#   vm3      10.1.1.6   fd00:1::1:6     02:00:00:00:01:06       vm3
#   fw       10.1.2.4   fd00:1::2:4     02:00:00:00:02:04       fw
#   fw2      10.1.2.5   fd00:1::2:5     02:00:00:00:02:05       fw2
#   fw3      10.1.2.6   fd00:1::2:6     02:00:00:00:02:06       fw3
#   gateway  10.1.0.1   fd00:1::1       02:00:00:00:00:01 (GW)  br0, or each routed interface
#
# A node is a namespace with eth0, or only tool_frames, which holds a tap named after the node.

declare -A IP4=([vm1]=10.1.1.4 [vm2]=10.1.1.5 [vm3]=10.1.1.6 [fw]=10.1.2.4 [fw2]=10.1.2.5 [fw3]=10.1.2.6)
declare -A IP6=([vm1]=fd00:1::1:4 [vm2]=fd00:1::1:5 [vm3]=fd00:1::1:6 [fw]=fd00:1::2:4 [fw2]=fd00:1::2:5 [fw3]=fd00:1::2:6)
declare -A MAC=([vm1]=02:00:00:00:01:04 [vm2]=02:00:00:00:01:05 [vm3]=02:00:00:00:01:06 [fw]=02:00:00:00:02:04 [fw2]=02:00:00:00:02:05
	[fw3]=02:00:00:00:02:06)
GW=02:00:00:00:00:01
RS4=10.1.255.4
CONF=$DIR/xrs.json
PINS=/sys/fs/bpf/$ID
FRAMES=$BUILD/tests/tool_frames

need_root
need_cmd ip jq nsenter bpftool ethtool
need_file "$XRSD" "$XRSCTL" "$FRAMES" /dev/net/tun

# Not ip netns exec: that would hide the bpffs of this host below another /sys.
in_ns() { # NODE COMMAND...
	local node=$1
	shift
	nsenter --net="/run/netns/$ID-$node" "$@"
}

spawn_in() { # NODE LOG COMMAND...
	local node=$1 log=$2
	shift 2
	spawn "$log" nsenter --net="/run/netns/$ID-$node" "$@"
}

host_ip() { # ARGUMENTS OF ip...
	run_logged ip -n "$ID-host" "$@" || abandon "ip $*"
}

set_sysctl() { # NODE KEY=VALUE...
	local node=$1
	shift
	in_ns "$node" sysctl -qw "$@"
}

# --- the usual configuration ------------------------------------------------------------------------

# A vnet with both families; what lies behind the appliance "fw", unless other routes are given. JSON lists
# without their brackets; what else is to change goes through edit_config.
lab_config() { # NIC-RULES [ROUTES]
	local routes=${2:-"$(route_to 203.0.113.0/24 "${IP4[fw]}"), $(route_to 2001:db8::/32 "${IP6[fw]}")"}
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "vnets": [ {
	    "name": "prod",
	    "addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"],
	    "gateway": { "macs": ["$GW"] },
	    "routeTables": [ { "name": "main", "routes": [ $routes ] } ]
	  } ],
	  "nics": [ $1 ]
	}
	END
}

route_to() { # PREFIX ADDRESS
	echo "{ \"addressPrefix\": \"$1\", \"nextHopType\": \"VirtualAppliance\", \"nextHopIpAddress\": \"$2\" }"
}

rule() { # NAME-GLOB [MORE-KEYS]
	echo "{ \"match\": { \"name\": \"$1\" }, \"vnet\": \"prod\"${2:+, $2} }"
}

# --- nodes and links -----------------------------------------------------------------------------

new_ns() { # NODE: a namespace that says nothing by itself
	ns_add "$1"
	set_sysctl "$1" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0 \
		net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0
}

lab_host() {
	new_ns host
	set_sysctl host net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	host_ip addr add $RS4/32 dev lo
}

lab_bridge() { # the bridge with the gateway on it
	host_ip link add br0 address $GW type bridge forward_delay 0 mcast_snooping 0
	host_ip link set br0 up
	host_ip addr add 10.1.0.1/16 dev br0
	host_ip addr add fd00:1::1/64 dev br0 nodad
}

# The veth of a node, not up, on no bridge.
new_veth() { # NODE [IFNAME-IN-HOST]
	local name=${2:-$1}
	host_ip link add name "$name" type veth peer name eth0 address "${MAC[$1]}" netns "$ID-$1"
}

veth_node() { # NODE: namespace, addresses, default route to the gateway
	new_ns "$1"
	new_veth "$1"
	run_logged ip -n "$ID-$1" addr add "${IP4[$1]}/16" dev eth0
	run_logged ip -n "$ID-$1" addr add "${IP6[$1]}/64" dev eth0 nodad
	run_logged ip -n "$ID-$1" link set eth0 up
	host_ip link set "$1" up
	run_logged ip -n "$ID-$1" route add default via 10.1.0.1
	run_logged ip -n "$ID-$1" -6 route add default via fd00:1::1
}

# The node is a guest on the tap of its name, which is not up yet: tool_vmm is its hypervisor.
guest_up() { # NODE offload|plain
	local vmm=$BUILD/tests/tool_vmm
	need_file "$vmm"
	rm -f "$DIR/vmm-$1-$2.log" # of an earlier guest
	spawn_in host "vmm-$1-$2" "$vmm" "$1" "/run/netns/$ID-$1" eth0 "$2"
	VMM_PID=$spawned
	wait_for 10 "the guest's device" grep -q ready "$DIR/vmm-$1-$2.log" || abandon "the guest's device"
	ip -n "$ID-$1" -batch - <<-END
	link set eth0 address ${MAC[$1]}
	link set eth0 up
	addr add ${IP4[$1]}/16 dev eth0
	addr add ${IP6[$1]}/64 dev eth0 nodad
	route add default via 10.1.0.1
	END
	ip -n "$ID-$1" -6 route add default via fd00:1::1 2>/dev/null
	host_ip link set "$1" up
	await_nic "$1" attached || abandon "nic $1 is attached"
}

on_bridge() { # IFNAME...
	local name
	for name in "$@"; do
		host_ip link set "$name" master br0
	done
}

# A routed interface: the gateway's address and MAC on it, one host route to the node behind.
routed() { # NODE: its interface has the node's name
	host_ip link set "$1" down
	host_ip link set "$1" address $GW
	host_ip link set "$1" up
	host_ip addr replace 10.1.0.1/32 dev "$1"
	host_ip addr replace fd00:1::1/128 dev "$1" nodad
	host_ip route replace "${IP4[$1]}/32" dev "$1" src 10.1.0.1
	host_ip -6 route replace "${IP6[$1]}/128" dev "$1"
	if [ -e "/run/netns/$ID-$1" ]; then
		routed_node "$1"
	fi
}

# To the node the vnet lies behind the gateway, and nothing but the gateway is on its link.
routed_node() { # NODE
	ip -n "$ID-$1" -batch - <<-END
	addr add ${IP4[$1]}/32 dev eth0
	addr del ${IP4[$1]}/16 dev eth0
	addr del ${IP6[$1]}/64 dev eth0
	addr add ${IP6[$1]}/128 dev eth0 nodad
	route replace 10.1.0.1/32 dev eth0
	route replace default via 10.1.0.1 src ${IP4[$1]}
	route replace fd00:1::1/128 dev eth0
	route replace default via fd00:1::1 src ${IP6[$1]}
	END
}

gro() { # NODE on|off: whether its eth0 runs NAPI, hence whether the veth takes XDP frames
	run_logged in_ns "$1" ethtool -K eth0 gro "$2" || abandon "GRO of $1"
}

# --- frames --------------------------------------------------------------------------------------

port_open() { # PORT NODE pkt|tap IFNAME: tool_frames, its frames in $DIR/PORT.seen
	mkfifo "$DIR/$1.in"
	: >"$DIR/$1.seen"
	spawn_in "$2" "frames-$1" "$FRAMES" "$3" "$4" "$DIR/$1.in" "$DIR/$1.seen"
	wait_for 10 "port $1" grep -q '^sync open' "$DIR/$1.seen" || abandon "port $1 opens"
}

# The MACs and addresses of a node are the default; later words win.
send() { # PORT NODE KEY=VALUE...
	local port=$1 node=$2
	shift 2
	echo "send dmac=$GW smac=${MAC[$node]} src=${IP4[$node]} $*" >"$DIR/$port.in"
}

send6() { # PORT NODE KEY=VALUE...
	local port=$1 node=$2
	shift 2
	echo "send dmac=$GW smac=${MAC[$node]} src=${IP6[$node]} $*" >"$DIR/$port.in"
}

_syncs=0
sent() { # PORT: all that was told to be sent is
	_syncs=$((_syncs + 1))
	echo "sync $_syncs" >"$DIR/$1.in"
	wait_for 30 "port $1 to have sent" grep -qx "sync $_syncs" "$DIR/$1.seen" || abandon "port $1 sends"
}

forget() { # PORT...: nothing was seen yet. The tool appends, so truncating is enough.
	local port
	for port in "$@"; do
		truncate -s 0 "$DIR/$port.seen"
	done
}

seen() { # PORT ID: the frames with this id that arrived
	grep "^id=$2 " "$DIR/$1.seen"
}

seen_count() { # PORT PATTERN: how many lines match
	grep -c -- "$2" "$DIR/$1.seen"
}

arrived() { # PORT COUNT PATTERN
	[ "$(seen_count "$1" "$3")" -ge "$2" ]
}

# One frame of the id arrives, and it is exactly this.
check_frame() { # NAME PORT ID LINE-WITHOUT-ID
	wait_for 5 "frame $3 at $2" seen "$2" "$3" >/dev/null
	check_equal "$1" "id=$3 $4" "$(seen "$2" "$3")"
}

# A later frame on the same way is there, this one is not.
check_absent() { # NAME PORT ID
	check_equal "$1" "" "$(seen "$2" "$3")"
}

# --- xrsd ------------------------------------------------------------------------------------------

ctl() {
	"$XRSCTL" -s "/run/$ID/xrs.sock" "$@"
}

xrs_start() { # PRELOAD: what of $BUILD/tests goes in front of its C library
	spawn_in host xrsd env ${PRELOAD:+LD_PRELOAD="$BUILD/tests/$PRELOAD"} "$XRSD" -c "$CONF"
	XRS_PID=$spawned
	wait_for 20 "the answer of xrsd" ctl system info || abandon "xrsd starts"
}

xrs_stop() { # [SIGNAL]
	stop_pid "$XRS_PID" "${1:-TERM}" 2>/dev/null
}

# Changes the configuration file with a jq program. The file is plain JSON.
edit_config() { # JQ-PROGRAM [JQ-OPTIONS...]
	local program=$1
	shift
	jq "$@" "$program" "$CONF" >"$CONF.new" && mv "$CONF.new" "$CONF" || abandon "jq: $program"
}

nic() { # NAME JQ-PROGRAM
	ctl -j nic show --name "$1" | jq -r "$2"
}

nic_is() { # NAME STATE
	[ "$(nic "$1" .attachState 2>&1)" = "$2" ]
}

await_nic() { # NAME STATE
	wait_for 20 "nic $1 to be $2" nic_is "$1" "$2"
}

counter() { # NIC REASON
	nic "$1" ".counters.$2"
}

# Counters are read before and after: count_from NIC; ...; check_counted NAME NIC reason=N ...
# Only what is named is compared: neighbour discovery and the like go on all the time. `steered` is the sum
# of all reasons by which a frame reaches an appliance.
counters() { # NIC
	ctl -j nic show --name "$1" |
		jq '.counters | .steered = .redirected + .bridged + .tc_redirected + .tc_bridged +
			.encapsulated + .tc_encapsulated'
}

count_from() { # NIC
	counters "$1" >"$DIR/.counters-$1"
}

check_counted() { # NAME NIC REASON=N...
	local name=$1 nic=$2 word expected='' got='' delta
	shift 2
	counters "$nic" >"$DIR/.now"
	for word in "$@"; do
		delta=$(jq -n --slurpfile a "$DIR/.counters-$nic" --slurpfile b "$DIR/.now" \
			"\$b[0].${word%%=*} - \$a[0].${word%%=*}")
		expected="$expected $word"
		got="$got ${word%%=*}=$delta"
	done
	check_equal "$name" "$expected" "$got"
}

# A next hop in the map, as xrsctl fib show tells it: usable, and by this way.
way_is() { # ADDRESS WAY
	ctl -j fib show | jq -e --arg a "$1" --arg w "$2" \
		'any(.value[]; .address == $a and .usable and .way == $w)'
}

await_way() { # ADDRESS WAY
	wait_for 20 "next hop $1 by way $2" way_is "$1" "$2" || {
		diag "$(ctl fib show)"
		abandon "next hop $1 by way $2"
	}
}

fib_idle() { # nothing waits to be written
	ctl -j fib verify | jq -e '.pending == 0 and .missing == 0 and .stale == 0 and .differing == 0
		and .present == .expected'
}

await_fib() {
	wait_for 20 "the maps to be as planned" fib_idle || abandon "the maps are as planned"
}

link_id() { # IFNAME: of its XDP half
	bpftool -j link show pinned "$PINS/links/$1" | jq -e .id
}
