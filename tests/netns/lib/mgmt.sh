# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The laboratory of the management tests: one xrsd without a data plane (dataplane.mode none) and any
# number of BIRDs, all in one namespace, each on an address of its own. Sourced after lib/sh.sh. A second host
# is the same in another namespace: on_host NAME, then as for the first.
#
#   xrsd  10.1.255.4 AS 65515      a 10.1.2.4 AS 65001      b 10.1.2.5 AS 65002      c 10.1.2.6 AS 65003

declare -A ASN=([a]=65001 [b]=65002 [c]=65003)
declare -A IP4=([a]=10.1.2.4 [b]=10.1.2.5 [c]=10.1.2.6)
RS4=10.1.255.4
CONF=$DIR/xrs.json
HOST=host INST=$ID # where the functions below act

on_host() { # NAME: "host" is the first
	HOST=$1
	INST=$ID${1#host}
	CONF=$DIR/xrs${1#host}.json
}

need_root
need_cmd ip jq nsenter bird birdc nc
need_file "$XRSD" "$XRSCTL"

mgmt_lab() {
	local address
	ns_add "$HOST"
	for address in $RS4 "${IP4[@]}"; do
		ip -n "$ID-$HOST" addr add "$address/32" dev lo
	done
}

mgmt_config() { # PEER...: the configuration with these peerings
	local peer
	{
		echo "{ \"node\": { \"instance\": \"$INST\" }, \"dataplane\": { \"mode\": \"none\" },"
		echo "\"vnets\": [ { \"name\": \"prod\", \"addressPrefixes\": [\"10.1.0.0/16\"],"
		echo "\"routeServer\": { \"localAddress\": \"$RS4\" }, \"peerings\": ["
		for peer; do
			[ "$peer" = "$1" ] || echo ,
			peering_json "$peer"
		done
		echo "] } ] }"
	} | jq . >"$CONF"
}

peering_json() { # PEER
	echo "{ \"name\": \"$1\", \"peerAsn\": ${ASN[$1]}, \"peerIp\": \"${IP4[$1]}\", \"connectRetryTime\": 1 }"
}

edit_config() { # JQ-PROGRAM: changes the file
	jq "$1" "$CONF" >"$CONF.new" && mv "$CONF.new" "$CONF"
}

ctl() {
	"$XRSCTL" -s "/run/$INST/xrs.sock" "$@"
}

xrs_start() {
	spawn "xrsd${HOST#host}" nsenter --net="/run/netns/$ID-$HOST" "$XRSD" -c "$CONF"
	XRS_PID=$spawned
	wait_for 20 "the answer of xrsd" ctl system info || abandon "xrsd starts"
}

# --- BIRD ----------------------------------------------------------------------------------------

# A route is a prefix, then statements of a BIRD filter: "10.2.0.0/16 bgp_path.prepend(65001);"
bird_write() { # PEER ROUTE...
	local peer=$1 route
	shift
	{
		echo "log stderr all; router id ${IP4[$peer]}; protocol device {}"
		echo "protocol static { ipv4;"
		for route; do echo "route ${route%% *} unreachable;"; done
		echo "}"
		echo "filter announced { if source != RTS_STATIC then reject;"
		for route; do
			[ "$route" = "${route%% *}" ] || echo "if net = ${route%% *} then { ${route#* } }"
		done
		echo "accept; }"
		echo "protocol bgp xrs { local ${IP4[$peer]} as ${ASN[$peer]}; neighbor $RS4 as 65515;"
		echo "multihop; strict bind; connect delay time 1; connect retry time 1; error wait time 1, 2;"
		echo "ipv4 { import all; export filter announced; }; }"
	} >"$DIR/$HOST.$peer.conf"
}

bird_start() { # PEER ROUTE...
	bird_write "$@"
	spawn "$HOST-bird-$1" nsenter --net="/run/netns/$ID-$HOST" bird -f -c "$DIR/$HOST.$1.conf" -s "$DIR/$HOST.$1.ctl"
	BIRD_PID=$spawned
}

announce() { # PEER ROUTE...: exactly these from now on
	bird_write "$@"
	run_logged birdc -s "$DIR/$HOST.$1.ctl" configure
}

state_of() { # PEER
	ctl -j peering show --name "$1" | jq -r .state
}

is_established() { # PEER
	[ "$(state_of "$1")" = Established ]
}

await_peers() { # PEER...
	local peer
	for peer; do
		wait_for 60 "peer $peer" is_established "$peer" || abandon "peer $peer is Established"
	done
}

has_route() { # PREFIX PEER: the best path of a prefix
	[ "$(ctl -j route list --prefix "$1" | jq -r --arg p "$1" '[.value[] | select(.prefix == $p and .best)][0].peering')" = "$2" ]
}

await_route() { # PREFIX PEER
	wait_for 30 "$1 through $2" has_route "$1" "$2" || abandon "$1 through $2"
}
