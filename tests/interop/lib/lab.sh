# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The laboratory of the interoperability tests: one xrsd and two appliances (nodes a and b), each in a
# network namespace, on one bridge. Sourced by the scripts of tests/interop after lib/sh.sh.
#
#      a 10.1.2.4  fd00:1::2:4  AS 4200000001     b 10.1.2.5  fd00:1::2:5  AS 65002     vm1 10.1.1.4 (also .2.9)
#         \_______________________________________/_____________________________________/
#                     br-prod 10.1.0.1/16 fd00:1::1/64, xrsd 10.1.255.4 fd00:1::4 AS 65515
#
# Peerings: a (IPv4), a6 (IPv6, over IPv6), b (IPv4 and IPv6 over one IPv4 session).
#
# An appliance is a KIND, one file beside this one that defines, for a node N:
#   <kind>_config N      write $DIR/N.conf from ASN, IP4, IP6, OPT and the route files of N
#   <kind>_start N       spawn it, its process in PID[N];  <kind>_restarted N: after a graceful restart
#   <kind>_ready N       succeeds when its control answers
#   <kind>_sync N        make it announce exactly what the route files hold, without touching sessions
#   <kind>_route N PREFIX    what it learned from xrsd, as one line of JSON (see normal_route)
#   <kind>_paths N PREFIX    how many paths of an IPv4 prefix it learned in its first session
#   <kind>_otc N PREFIX      the ASN in Only to Customer, nothing without one
#   <kind>_table N       all IPv4 routes that it learned from xrsd, as <kind>_route prints one
#   <kind>_prefixes N    the IPv4 prefixes it learned from xrsd, sorted, one a line
#   <kind>_refresh N     ask xrsd for its routes again (RFC 2918)
#   <kind>_resend N      send its own routes again, unasked
#   <kind>_reset N       close the IPv4 session and start it again (Cease 6/4 where it can)
#   <kind>_shutdown N TEXT, <kind>_unshut N    RFC 9003
#   <kind>_hurry N       optional: ends its own back-off after a session that failed
#   <kind>_last_error N  what it knows about the last NOTIFICATION
# CEASE_RESET and CEASE_SHUTDOWN are the subcodes that it sends. CANNOT[WHAT] says why it can not do something at
# all: scenarios ask `able WHAT`, and the reason is printed.
# All are called through `app VERB NODE ...`.

declare -A KIND=([a]= [b]=)
declare -A ASN=([a]=4200000001 [b]=65002)
declare -A IP4=([a]=10.1.2.4 [b]=10.1.2.5)
declare -A IP6=([a]=fd00:1::2:4 [b]=fd00:1::2:5)
# Options of an appliance: OPT[a.password], OPT[a.passive], OPT[a.hold], OPT[a.gr], OPT[a.rsasn] (whom it
# expects); empty: none.
declare -A OPT=() PID=()
# CAPS: every capability that the appliance has is switched on (lib/capabilities.sh).
CAPS=${CAPS-}
declare -A CANNOT=()
CEASE_RESET=4 CEASE_SHUTDOWN=2
RS4=10.1.255.4
RS6=fd00:1::4

app() { # VERB NODE ...
	local verb=$1 node=$2
	shift 2
	"${KIND[$node]}_$verb" "$node" "$@"
}

able() { # WHAT: the appliance can do it
	[ -n "${CANNOT[$1]-}" ] || return 0
	diag "not with ${KIND[a]}: ${CANNOT[$1]}"
	return 1
}

# --- network ---------------------------------------------------------------------------------

lab_port() { # NODE INTERFACE IPV4 IPV6: a namespace with eth0, and its other end on the bridge
	ns_add "$1"
	ip -n "$ID-host" link add name "$2" type veth peer name eth0 netns "$ID-$1"
	ip -n "$ID-host" link set dev "$2" master br-prod up
	ip -n "$ID-$1" link set eth0 up
	ip -n "$ID-$1" addr add "$3/16" dev eth0
	ip -n "$ID-$1" addr add "$4/64" dev eth0 nodad
}

lab_network() {
	ns_add host
	ip -n "$ID-host" link add br-prod type bridge forward_delay 0 mcast_snooping 0
	ip -n "$ID-host" link set br-prod up
	ip -n "$ID-host" addr add 10.1.0.1/16 dev br-prod
	ip -n "$ID-host" addr add $RS4/16 dev br-prod
	ip -n "$ID-host" addr add fd00:1::1/64 dev br-prod nodad
	ip -n "$ID-host" addr add $RS6/64 dev br-prod nodad
	lab_port a nva-a "${IP4[a]}" "${IP6[a]}"
	lab_port b nva-b "${IP4[b]}" "${IP6[b]}"
	lab_port vm1 vm1 10.1.1.4 fd00:1::1:4
	ip -n "$ID-vm1" addr add 10.1.2.9/16 dev eth0
	ip -n "$ID-vm1" addr add fd00:1::2:9/64 dev eth0 nodad
}

# --- xrsd --------------------------------------------------------------------------------------

CONF=$DIR/xrs.json
ctl() {
	"$XRSCTL" -s "/run/$ID/xrs.sock" "$@"
}

lab_config() { # the configuration that every scenario begins with
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID", "routerId": "$RS4" },
	  "dataplane": { "mode": "${XRS_INTEROP_MODE:-auto}" },
	  "vnets": [ {
	    "name": "prod",
	    "addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"],
	    "routeServer": { "asn": 65515, "localAddress": "$RS4", "localAddress6": "$RS6" },
	    "peerings": [
	      { "name": "a", "peerAsn": ${ASN[a]}, "peerIp": "${IP4[a]}", "connectRetryTime": 1,
	        "families": ["ipv4-unicast"] },
	      { "name": "a6", "peerAsn": ${ASN[a]}, "peerIp": "${IP6[a]}", "connectRetryTime": 1 },
	      { "name": "b", "peerAsn": ${ASN[b]}, "peerIp": "${IP4[b]}", "connectRetryTime": 1,
	        "families": ["ipv4-unicast", "ipv6-unicast"] }
	    ]
	  } ],
	  "nics": [ { "match": { "name": "vm*" }, "vnet": "prod" },
	            { "match": { "name": "nva-*" }, "vnet": "prod", "role": "nva" } ],
	  "log": { "level": "debug" }
	}
	END
}

# Not ip netns exec: that would hide the bpffs of this host below another /sys.
xrs_start() {
	spawn xrsd nsenter --net="/run/netns/$ID-host" "$XRSD" -c "$CONF"
	XRS_PID=$spawned
	wait_for 20 "the answer of xrsd" ctl system info || abandon "xrsd starts"
}

xrs_reload() {
	run_logged ctl -j config reload || abandon "config reload"
}

# Changes the configuration file with a jq program and has it read again.
xrs_edit() { # JQ-PROGRAM [JQ-OPTIONS...]
	local program=$1
	shift
	jq "$@" "$program" "$CONF" >"$CONF.new" && mv "$CONF.new" "$CONF" || abandon "jq: $program"
	xrs_reload
}

# Changes one peering: xrs_peering a '.passive = true'.
xrs_peering() { # NAME JQ-PROGRAM [JQ-OPTIONS...]
	xrs_edit "(.vnets[0].peerings[] | select(.name == \$name)) |= ($2)" --arg name "$1" "${@:3}"
}

# Something that the API says of a peering: peering a .state
peering() { # NAME JQ-PROGRAM
	ctl -j peering show --name "$1" | jq -c "$2"
}

peering_holds() { # NAME JQ-CONDITION; shows what there is when it does not hold
	ctl -j peering show --name "$1" >"$DIR/.peering.json" || return 1
	jq -e "$2" "$DIR/.peering.json" >/dev/null && return
	jq -c . "$DIR/.peering.json"
	return 1
}

check_peering() { # TEXT NAME JQ-CONDITION
	check "$1" peering_holds "$2" "$3"
}

wait_peering() { # WHAT NAME JQ-CONDITION
	wait_for $WAIT "$1" peering_holds "$2" "$3"
}

established() { # NAME...
	local name
	for name in "$@"; do
		peering_holds "$name" '.state == "Established"' || return 1
	done
}

# The same, and who waits long before its next attempt is told not to.
established_or_hurried() { # NAME...
	local name
	established "$@" && return
	for name in "$@"; do
		established "$name" >/dev/null || app_hurry "${name%6}"
	done
	return 1
}

# Established, and the first table has come (who knows graceful restart ends it with End-of-RIB).
wait_established() { # NAME...
	local name
	wait_for $WAIT "peerings $* Established" established_or_hurried "$@" || abandon "peerings $* come up"
	for name in "$@"; do
		wait_peering "End-of-RIB from $name" "$name" \
			'(.capabilities | index("graceful-restart") == null) or all(.families[]; .endOfRib)' ||
			abandon "End-of-RIB from $name"
	done
}

# A route as one line of JSON, the same from whoever tells it. Reads an object with any of the members.
normal_route() { # JQ-PROGRAM: from the input to the object
	jq -ScM "$1"' | { network: .network, nextHop, asPath: (.asPath // []), origin: (.origin | ascii_downcase),
		med: (.med // 0), communities: ((.communities // []) | sort),
		largeCommunities: ((.largeCommunities // []) | sort) }'
}

# What a test expects, in the same form: expected_route PREFIX NEXTHOP ASPATH [KEY=VALUE...] (keys below).
expected_route() {
	local network=$1 next_hop=$2 as_path=$3 word
	local origin=igp med=0 community= large=
	shift 3
	for word in "$@"; do
		case $word in
		origin=* | med=* | community=* | large=*) local "$word" ;;
		esac
	done
	jq -nScM --arg n "$network" --arg h "$next_hop" --arg p "$as_path" --arg o "$origin" \
		--argjson m "$med" --arg c "$community" --arg l "$large" \
		'{ network: $n, nextHop: $h, asPath: [$p | splits(" +") | select(. != "") | tonumber],
		   origin: $o, med: $m, communities: ($c | split(",") | sort),
		   largeCommunities: ($l | split(",") | sort) }'
}

learned() { # PEERING PREFIX: what xrsd holds of it
	ctl -j peering list-learned-routes --name "$1" --prefix "$2" | normal_route '.value[]'
}

learned_prefixes() { # PEERING
	ctl -j peering list-learned-routes --name "$1" | jq -r '.value[].network' | LC_ALL=C sort
}

advertised_prefixes() { # PEERING
	ctl -j peering list-advertised-routes --name "$1" | jq -r '.value[].network' | LC_ALL=C sort
}

# --- comparing -----------------------------------------------------------------------------------

check_route() { # TEXT EXPECTED COMMAND...: the command prints exactly that route, soon
	local name=$1
	shift
	check_soon "$name" same_output "$@"
}

# Only what xrsd and the appliances said last; full logs come when a test can not go on.
show_recent() {
	local log
	for log in xrsd a b; do
		[ -s "$DIR/$log.log" ] || continue
		diag "--- $log.log"
		diag "$(tail -n 8 "$DIR/$log.log")"
	done
}

# --- appliances ----------------------------------------------------------------------------------

# What a node announces: $DIR/N.routes has a line "PREFIX KEY=VALUE..." for each route with keys
# nexthop= med= community=A:B,A:B large=A:B:C,... origin=igp|egp|incomplete prepend=TIMES path=ASN;
# $DIR/N.bulk has plain prefixes; those inside a prefix of $DIR/N.classes (same lines) have its attributes.
announce() { # NODE PREFIX [KEY=VALUE...]
	sed -i "\,^$2 ,d" "$DIR/$1.routes"
	echo "${*:2} " >>"$DIR/$1.routes"
	run_logged app sync "$1" || abandon "$1 announces $2"
}

withdraw() { # NODE PREFIX...
	local node=$1 prefix
	shift
	for prefix in "$@"; do
		sed -i "\,^$prefix ,d" "$DIR/$node.routes"
	done
	run_logged app sync "$node" || abandon "$node withdraws $*"
}

route_words() { # sets prefix nexthop med community large origin prepend path from the words of one line
	prefix=$1 nexthop='' med='' community='' large='' origin='' prepend='' path=''
	shift
	local word
	for word in "$@"; do
		printf -v "${word%%=*}" %s "${word#*=}"
	done
}

# The prefix A.B.C.0/24 number 0, 1, 2 ... of a block of /24s that begins at OCTET.0.0.0.
bulk_prefixes() { # OCTET COUNT
	awk -v o="$1" -v n="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%d.%d.%d.0/24\n", o, i / 256, i % 256 }'
}

app_up() { # NODE: configure and start
	app config "$1" || abandon "configuration of $1"
	app start "$1"
	wait_for 30 "the control of $1" app ready "$1" || abandon "${KIND[$1]} starts as $1"
}

app_signal() { # NODE SIGNAL: to all of its processes at once
	# shellcheck disable=SC2046
	kill "-$2" "${PID[$1]}" $(pgrep -P "${PID[$1]}") 2>/dev/null || true
}

app_down() { # NODE [SIGNAL]
	[ "${2:-TERM}" = TERM ] || app_signal "$1" "$2"
	stop_pid "${PID[$1]}" "${2:-TERM}" 2>/dev/null || true
}

app_again() { # NODE: stop in order, start with the options as they are now
	app_down "$1"
	app_up "$1"
	run_logged app sync "$1" || abandon "routes of $1"
	skip_back_off "$1"
}

app_hurry() { # NODE
	[ "$(type -t "${KIND[$1]}_hurry")" != function ] || run_logged app hurry "$1"
}

# A session that ended often waits up to a minute before its next attempt; a reset by hand ends that.
skip_back_off() { # NODE
	local name
	app_hurry "$1"
	for name in a a6 b; do
		case $name in "$1"*) established "$name" >/dev/null || run_logged ctl -j peering reset "$name" ;;
		esac
	done
}

# Every scenario begins here: the usual options, the usual configuration, all sessions up, no routes but these.
lab_base() {
	local node key
	lab_config
	xrs_reload
	for node in a b; do
		: >"$DIR/$node.routes"
		: >"$DIR/$node.bulk"
		: >"$DIR/$node.classes"
		[ -n "${DIRTY[$node]-}" ] || continue
		for key in "${!OPT[@]}"; do
			case $key in "$node".*) unset "OPT[$key]" ;; esac
		done
		DIRTY[$node]=
		app_again "$node"
	done
	wait_established a a6 b
	for node in a b; do
		run_logged app sync "$node" || abandon "routes of $node"
	done
	wait_for $WAIT "no routes left" nothing_learned || abandon "routes of the scenario before are gone"
}
declare -A DIRTY=()

nothing_learned() {
	local name
	for name in a a6 b; do
		peering_holds "$name" '.pfxRcd == 0' || return 1
	done
}

# Sets options of a node and starts it again with them; lab_base undoes it.
app_options() { # NODE KEY=VALUE...
	local node=$1 word
	shift
	for word in "$@"; do
		OPT[$node.${word%%=*}]=${word#*=}
	done
	DIRTY[$node]=1
	app_again "$node"
}

lab_up() { # KIND-OF-A [KIND-OF-B]
	local node
	KIND[a]=$1
	KIND[b]=${2:-$1}
	need_root
	need_cmd ip jq nsenter perl
	for node in a b; do
		: >"$DIR/$node.routes"
		: >"$DIR/$node.bulk"
		: >"$DIR/$node.classes"
	done
	chmod 755 "$DIR"
	lab_network
	lab_config
	xrs_start
	app_up a
	app_up b
}
