# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# BIRD 2 as an appliance; lab.sh says what each function is for.
CANNOT[notified]="2.0.12 does not have RFC 8538"

bird_c() { # NODE COMMAND...
	birdc -s "$DIR/$1.ctl" "${@:2}"
}

bird_path_attributes() { # of the route that route_words has split
	local value
	[ -z "$nexthop" ] || echo "bgp_next_hop = $nexthop;"
	[ -z "$med" ] || echo "bgp_med = $med;"
	case $origin in
	egp) echo "bgp_origin = ORIGIN_EGP;" ;;
	incomplete) echo "bgp_origin = ORIGIN_INCOMPLETE;" ;;
	esac
	for value in ${community//,/ }; do
		echo "bgp_community.add((${value//:/,}));"
	done
	for value in ${large//,/ }; do
		echo "bgp_large_community.add((${value//:/,}));"
	done
	[ -z "$path" ] || echo "bgp_path.prepend($path);"
	for ((value = 0; value < ${prepend:-0}; value++)); do
		echo "bgp_path.prepend(${ASN[$1]});"
	done
}

bird_filter() { # NODE: sets attributes on the way out, so that BIRD's own defaults do not replace them
	local line
	echo "filter announced { if source != RTS_STATIC then reject;"
	while read -r line; do
		route_words $line
		echo "if net = $prefix then { $(bird_path_attributes "$1" | tr '\n' ' ') }"
	done <"$DIR/$1.routes"
	while read -r line; do
		route_words $line
		echo "if net ~ [ $prefix+ ] then { $(bird_path_attributes "$1" | tr '\n' ' ') }"
	done <"$DIR/$1.classes"
	echo "accept; }"
}

bird_static() { # NODE 4|6
	local line
	echo "protocol static static$2 { ipv$2;"
	while read -r line; do
		route_words $line
		case $prefix in
		*:*) [ "$2" = 6 ] && echo "route $prefix unreachable;" ;;
		*) [ "$2" = 4 ] && echo "route $prefix unreachable;" ;;
		esac
	done <"$DIR/$1.routes"
	[ "$2" = 6 ] || sed 's/.*/route & unreachable;/' "$DIR/$1.bulk"
	echo "}"
}

bird_session() { # NODE NAME LOCAL NEIGHBOUR
	cat <<-END
	protocol bgp $2 {
	  local $3 as ${ASN[$1]}; neighbor $4 as ${OPT[$1.rsasn]:-65515}; multihop 4;
	  connect delay time 1; connect retry time 1; error wait time 1, 2;
	  ${OPT[$1.hold]:+hold time ${OPT[$1.hold]};}
	  ${OPT[$1.password]:+password $(printf '"%s"' "${OPT[$1.password]}");}
	  ${OPT[$1.passive]:+passive on;}
	  ${OPT[$1.gtsm]:+ttl security on;}
	  graceful restart ${OPT[$1.gr]:-aware};
	  ${OPT[$1.grtime]:+graceful restart time ${OPT[$1.grtime]};}
	  ${OPT[$1.llgr]:+long lived graceful restart on; long lived stale time ${OPT[$1.llgr]};}
	  ${CAPS:+enable extended messages on; local role customer;}
	END
}

bird_config() { # NODE
	{
		echo "log stderr all; router id ${IP4[$1]}; graceful restart wait 5;"
		echo "protocol device {} protocol direct { ipv4; ipv6; }"
		bird_static "$1" 4
		bird_static "$1" 6
		bird_filter "$1"
		bird_session "$1" xrs4 "${IP4[$1]}" $RS4
		echo "ipv4 { import all; export filter announced; ${CAPS:+add paths on;} };"
		[ "$1" = a ] ||
			echo "ipv6 { import all; export filter announced; next hop address ${IP6[$1]}; };"
		echo "}"
		[ "$1" = b ] || {
			bird_session "$1" xrs6 "${IP6[$1]}" $RS6
			echo "ipv6 { import all; export filter announced; };"
			[ -z "$CAPS" ] ||
				echo "ipv4 { import all; export filter announced; extended next hop on; };"
			echo "}"
		}
	} >"$DIR/$1.conf"
}

bird_start() { # NODE
	spawn -n "$1" "$1" bird -f ${2:-} -c "$DIR/$1.conf" -s "$DIR/$1.ctl" -P "$DIR/$1.bird.pid"
	PID[$1]=$spawned
}

bird_restarted() { # NODE
	bird_start "$1" -R
}

bird_ready() {
	bird_c "$1" show status
}

bird_sync() {
	bird_config "$1" && bird_c "$1" configure | grep -Eq 'Reconfigured|Reconfiguration in progress'
}

bird_parse() { # "show route all" to JSON: what came over sessions with xrsd
	awk '
		function flush() {
			if (ours) printf "{\"network\":\"%s\",\"origin\":\"%s\",\"asPath\":[%s],\"nextHop\":\"%s\",\"med\":%d,\"communities\":[%s],\"largeCommunities\":[%s]}\n",
				network, origin, path, hop, med, comms, large
			ours = 0; origin = path = hop = med = comms = large = ""
		}
		/\[[a-z]+[0-9]+ / { flush() }
		/^[0-9a-f]/ && $1 ~ /\// { network = $1 }
		/\[xrs[46] / { ours = 1; next }
		!ours || !/BGP\./ { next }
		{ key = $1; $1 = ""; sub(/^ /, "") }
		key == "BGP.origin:" { origin = $0 }
		key == "BGP.as_path:" { path = $0; gsub(/ /, ",", path) }
		key == "BGP.next_hop:" { hop = $1 }
		key == "BGP.med:" { med = $0 }
		key == "BGP.community:" { gsub(/,/, ":"); gsub(/[()]/, "\""); gsub(/" "/, "\",\""); comms = $0 }
		key == "BGP.large_community:" { gsub(/, /, ":"); gsub(/[()]/, "\""); gsub(/" "/, "\",\""); large = $0 }
		END { flush() }' | normal_route .
}

bird_route() { # NODE PREFIX
	bird_c "$1" show route all "$2" | bird_parse
}

bird_table() {
	bird_c "$1" show route all protocol xrs4 table master4 | bird_parse
}

bird_paths() { # NODE PREFIX
	bird_c "$1" show route "$2" table master4 | grep -c '\[xrs4 '
}

bird_otc() { # NODE PREFIX
	bird_c "$1" show route all "$2" | awk '/BGP.otc:/ { print $2; exit }'
}

bird_prefixes() {
	bird_c "$1" show route protocol xrs4 table master4 | awk '/^[0-9]/ && /\// { print $1 }' | LC_ALL=C sort
}

bird_refresh() {
	bird_c "$1" reload in xrs4
}

bird_resend() {
	bird_c "$1" reload out xrs4
}

bird_reset() {
	bird_c "$1" restart xrs4
}

bird_shutdown() { # NODE TEXT
	bird_c "$1" disable xrs4 "\"$2\""
}

bird_unshut() {
	bird_c "$1" enable xrs4
}

bird_last_error() {
	bird_c "$1" show protocols all xrs4 | grep 'Last error'
	grep -a 'xrs4: Received:' "$DIR/$1.log" | tail -n 1
}
