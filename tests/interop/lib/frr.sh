# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# FRR's bgpd, without zebra, as an appliance; lab.sh says what each function is for. All attributes are set on
# the way out, in one route map; FRR's own next-hop-self is switched off by setting the next hop there.

CANNOT[be_awaited]="for two minutes after its start it says that it restarts itself, so that nobody waits for it (RFC 4724 4.1)"

frr_vty() { # NODE COMMAND...
	local node=$1 args=() word
	shift
	for word in "$@"; do
		args+=(-c "$word")
	done
	vtysh --vty_socket "$DIR/$node.vty" -d bgpd "${args[@]}"
}

frr_sets() { # NODE: of the route that route_words has split
	local value as_path=" $path"
	case $prefix in
	*:*) echo " set ipv6 next-hop global ${nexthop:-${IP6[$1]}}" ;;
	*) [ -z "$nexthop" ] || echo " set ip next-hop $nexthop" ;;
	esac
	[ -z "$med" ] || echo " set metric $med"
	[ -z "$origin" ] || echo " set origin $origin"
	[ -z "$community" ] || echo " set community ${community//,/ }"
	[ -z "$large" ] || echo " set large-community ${large//,/ }"
	for ((value = 0; value < ${prepend:-0}; value++)); do
		as_path+=" ${ASN[$1]}"
	done
	[ "$as_path" = " " ] || echo " set as-path prepend$as_path"
}

frr_map() { # NODE: the lines of the prefix lists and of the route map
	local line number=10
	echo "bgp as-path access-list own permit ^$"
	while read -r line; do
		route_words $line
		case $prefix in
		*:*)
			echo "ipv6 prefix-list p$number permit $prefix"
			echo "route-map announced permit $number"
			echo " match ipv6 address prefix-list p$number"
			;;
		*)
			echo "ip prefix-list p$number permit $prefix"
			echo "route-map announced permit $number"
			echo " match ip address prefix-list p$number"
			;;
		esac
		echo " match as-path own"
		frr_sets "$1"
		echo exit
		number=$((number + 10))
	done <"$DIR/$1.routes"
	number=50000
	while read -r line; do
		route_words $line
		echo "ip prefix-list c$number permit $prefix le 32"
		echo "route-map announced permit $number"
		echo " match ip address prefix-list c$number"
		echo " match as-path own"
		frr_sets "$1"
		echo exit
		number=$((number + 10))
	done <"$DIR/$1.classes"
	echo "route-map announced permit 60000"
	echo " match as-path own"
	echo exit
}

frr_networks() { # NODE 4|6
	local line
	while read -r line; do
		route_words $line
		case $prefix in
		*:*) [ "$2" = 6 ] && echo "network $prefix" ;;
		*) [ "$2" = 4 ] && echo "network $prefix" ;;
		esac
	done <"$DIR/$1.routes"
	[ "$2" = 6 ] || sed 's/^/network /' "$DIR/$1.bulk"
}

frr_neighbor() { # NODE NEIGHBOUR FAMILY
	echo " address-family $3 unicast"
	echo "  neighbor $2 activate"
	echo "  neighbor $2 route-map announced out"
	[ -z "$CAPS" ] || echo "  neighbor $2 addpath-tx-all-paths"
	echo " exit-address-family"
}

frr_session() { # NODE NEIGHBOUR
	cat <<-END
	 neighbor $2 remote-as ${OPT[$1.rsasn]:-65515}
	 neighbor $2 $(if [ -n "${OPT[$1.gtsm]-}" ]; then echo ttl-security hops 4; else echo ebgp-multihop 4; fi)
	 neighbor $2 disable-connected-check
	 neighbor $2 timers connect 1
	 neighbor $2 advertisement-interval 0
	 ${OPT[$1.hold]:+neighbor $2 timers $((OPT[$1.hold] / 3)) ${OPT[$1.hold]}}
	 ${OPT[$1.password]:+neighbor $2 password ${OPT[$1.password]}}
	 ${OPT[$1.passive]:+neighbor $2 passive}
	 ${CAPS:+neighbor $2 local-role customer}
	 $([ -z "$CAPS" ] || [ "$2" = $RS4 ] || echo "neighbor $2 capability extended-nexthop")
	END
}

frr_config() { # NODE
	{
		echo "hostname $1"
		echo "bgp route-map delay-timer 1"
		echo "router bgp ${ASN[$1]}"
		echo " bgp router-id ${IP4[$1]}"
		echo " no bgp ebgp-requires-policy"
		echo " no bgp network import-check"
		echo " bgp log-neighbor-changes"
		echo " no bgp default ipv4-unicast"
		[ -z "${OPT[$1.gr]}" ] || {
			echo " bgp graceful-restart"
			echo " bgp graceful-restart preserve-fw-state"
			echo " bgp graceful-restart select-defer-time 2"
		}
		[ -z "${OPT[$1.grtime]}" ] || echo " bgp graceful-restart restart-time ${OPT[$1.grtime]}"
		[ -z "${OPT[$1.soft]}" ] || echo " no bgp hard-administrative-reset"
		[ -z "${OPT[$1.llgr]}" ] || echo " bgp long-lived-graceful-restart stale-time ${OPT[$1.llgr]}"
		frr_session "$1" $RS4
		[ "$1" = b ] || frr_session "$1" $RS6
		frr_neighbor "$1" $RS4 ipv4
		if [ "$1" = b ]; then
			frr_neighbor "$1" $RS4 ipv6
		else
			frr_neighbor "$1" $RS6 ipv6
			[ -z "$CAPS" ] || frr_neighbor "$1" $RS6 ipv4
		fi
		for family in 4 6; do
			echo " address-family ipv$family unicast"
			frr_networks "$1" $family | sed 's/^/  /'
			echo " exit-address-family"
		done
		echo exit
		frr_map "$1"
	} >"$DIR/$1.conf"
	mkdir -p "$DIR/$1.vty"
	chown frr:frr "$DIR/$1.vty" "$DIR/$1.conf"
	: >"$DIR/$1.was"
}

frr_start() { # NODE
	rm -f "$DIR/$1.vty/bgpd.vty"
	spawn -n "$1" "$1" /usr/lib/frr/bgpd -f "$DIR/$1.conf" -i "$DIR/$1.vty/bgpd.pid" \
		--vty_socket "$DIR/$1.vty" -n -Z -P 0 --log stdout --log-level info
	PID[$1]=$spawned
	frr_networks "$1" 4 >"$DIR/$1.was4"
	frr_networks "$1" 6 >"$DIR/$1.was6"
}

frr_restarted() { # NODE
	frr_start "$1"
}

frr_ready() {
	frr_vty "$1" "show bgp summary" | grep -q .
}

# The new route map in place of the old one, then the networks that differ, then everything once more.
frr_sync() { # NODE
	local family
	{
		frr_vty "$1" "show running-config" | tr -d '\r' |
			sed -n '/^ip prefix-list p/s/^/no /p; /^ipv6 prefix-list p/s/^/no /p'
		echo "no route-map announced"
		frr_map "$1"
		echo "router bgp ${ASN[$1]}"
		for family in 4 6; do
			frr_networks "$1" $family >"$DIR/$1.now$family"
			echo "address-family ipv$family unicast"
			grep -vxFf "$DIR/$1.now$family" "$DIR/$1.was$family" | sed 's/^/no /'
			grep -vxFf "$DIR/$1.was$family" "$DIR/$1.now$family"
			mv "$DIR/$1.now$family" "$DIR/$1.was$family"
			echo "exit-address-family"
		done
	} >"$DIR/$1.vty/change"
	vtysh --vty_socket "$DIR/$1.vty" -d bgpd -f "$DIR/$1.vty/change" || return 1
	frr_resend "$1"
}

frr_route() { # NODE PREFIX
	local family=ipv4
	case $2 in *:*) family=ipv6 ;; esac
	frr_vty "$1" "show bgp $family unicast $2 json" | jq -c '
		(.prefix) as $network | [.paths // [] | .[] | select(.peer.peerId == "'$RS4'" or .peer.peerId == "'$RS6'")] | first |
		select(. != null) | { network: $network, nextHop: .nexthops[0].ip,
			asPath: [.aspath.string | splits(" ") | select(. != "") | tonumber], origin, med: .metric,
			communities: (.community.list // []), largeCommunities: (.largeCommunity.list // []) }' |
		normal_route .
}

frr_paths() { # NODE PREFIX
	frr_vty "$1" "show bgp ipv4 unicast $2 json" |
		jq '[.paths // [] | .[] | select(.peer.peerId == "'$RS4'")] | length'
}

frr_otc() { # NODE PREFIX
	frr_vty "$1" "show bgp ipv4 unicast $2 json" | jq '.paths[0].otc // empty'
}

frr_table() {
	frr_vty "$1" "show bgp ipv4 unicast json detail" | jq -c '.routes | to_entries[] | .key as $network | .value[] |
		select(.peer.peerId? == "'$RS4'") | { network: $network, nextHop: .nexthops[0].ip,
			asPath: [.aspath.string | splits(" ") | select(. != "") | tonumber], origin, med: .metric,
			communities: (.community.list // []), largeCommunities: (.largeCommunity.list // []) }' |
		normal_route .
}

frr_prefixes() {
	frr_vty "$1" "show bgp ipv4 unicast neighbors $RS4 routes json" |
		jq -r '.routes | keys[]' | LC_ALL=C sort
}

frr_refresh() {
	frr_vty "$1" "clear bgp $RS4 soft in"
}

frr_resend() {
	frr_vty "$1" "clear bgp * soft out"
}

frr_reset() {
	frr_vty "$1" "clear bgp $RS4"
}

frr_shutdown() { # NODE TEXT
	frr_vty "$1" "configure terminal" "router bgp ${ASN[$1]}" "neighbor $RS4 shutdown message $2"
}

frr_unshut() {
	frr_vty "$1" "configure terminal" "router bgp ${ASN[$1]}" "no neighbor $RS4 shutdown"
}

frr_last_error() {
	frr_vty "$1" "show bgp neighbors $RS4 json" | jq -c '.[] | { lastResetDueTo, lastNotificationReason,
		lastShutdownDescription, lastErrorCodeSubcode }'
	grep -a "NOTIFICATION.*$RS4\|$RS4.*NOTIFICATION" "$DIR/$1.log" | tail -n 2
}
