# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# OpenBGPD (the portable one) as an appliance; lab.sh says what each function is for. Its networks and their
# attributes stand in its configuration file, which it reads again without touching sessions.

CANNOT[answer_refresh]="7.7 takes every ROUTE-REFRESH for one of a family that was not negotiated, also of its own kind"
CANNOT[required]="after a 2/7 it goes on without capabilities, so with AS_TRANS as its own AS number"
CANNOT[no_capabilities]="it answers IPv4 routes of a peer without capabilities with 3/9"
CANNOT[extended_message]="7.7 does not have them"
CANNOT[extended_next_hop]="7.7 does not have it"
CANNOT[hold_zero]="it takes no hold time below 3"
CANNOT[long_lived]="it has no long-lived graceful restart"
CANNOT[our_restart]="it closes its side of a session that we left, and keeps no routes"
CANNOT[restart]="of graceful restart it has the helper and End-of-RIB; it never asks to keep its own routes"
CANNOT[md5]="the portable version has no TCP MD5 on Linux, and ignores the key"
CANNOT[foreign_path]="a path that it originates has no other AS number than its own"
CANNOT[notified]="it never asks to keep its own routes"

openbgpd_ctl() { # NODE COMMAND...
	ns "$1" bgpctl -s "$DIR/$1.sock" "${@:2}"
}

# Well-known ones: a network that has one is not announced at all.
is_obeyed() { # COMMUNITY
	case $1 in 65535:*) ;; *) return 1 ;; esac
}

openbgpd_filters() { # NODE: what is set on the way out, after it has obeyed the communities
	local line value
	echo "allow from any"
	echo "allow to any"
	while read -r line; do
		route_words $line
		for value in ${community//,/ }; do
			if is_obeyed "$value"; then
				echo "match to any prefix $prefix set community $value"
			fi
		done
	done <"$DIR/$1.routes"
	while read -r line; do
		route_words $line
		echo "match to any prefix $prefix or-longer set { $(openbgpd_sets "$1" | tr '\n' ' ') }"
	done <"$DIR/$1.classes"
}

openbgpd_sets() { # NODE: of the route that route_words has split
	local value
	# Over an IPv4 session it would announce IPv6 with the next hop ::1.
	case $prefix in
	*:*) echo "nexthop ${nexthop:-${IP6[$1]}}" ;;
	*) [ -z "$nexthop" ] || echo "nexthop $nexthop" ;;
	esac
	[ -z "$med" ] || echo "med $med"
	[ -z "$origin" ] || echo "origin $origin"
	for value in ${community//,/ }; do
		is_obeyed "$value" || echo "community $value"
	done
	for value in ${large//,/ }; do
		echo "large-community $value"
	done
	[ -z "$prepend" ] || echo "prepend-self $prepend"
}

openbgpd_networks() { # NODE
	local line sets
	while read -r line; do
		route_words $line
		sets=$(openbgpd_sets "$1" | tr '\n' ' ')
		echo "network $prefix${sets:+ set { $sets\}}"
	done <"$DIR/$1.routes"
}

# Networks of its configuration are compared one with each other: minutes for 100,000.
openbgpd_bulk() { # NODE
	LC_ALL=C sort "$DIR/$1.bulk" >"$DIR/$1.bulknew"
	LC_ALL=C comm -13 "$DIR/$1.bulknew" "$DIR/$1.bulknow" >"$DIR/$1.del"
	LC_ALL=C comm -23 "$DIR/$1.bulknew" "$DIR/$1.bulknow" >"$DIR/$1.add"
	mv "$DIR/$1.bulknew" "$DIR/$1.bulknow"
	[ ! -s "$DIR/$1.del" ] || openbgpd_ctl "$1" network bulk delete <"$DIR/$1.del" || return 1
	[ ! -s "$DIR/$1.add" ] || openbgpd_ctl "$1" network bulk add <"$DIR/$1.add"
}

openbgpd_neighbor() { # NODE NEIGHBOUR LOCAL FAMILY...
	cat <<-END
	neighbor $2 {
	  remote-as ${OPT[$1.rsasn]:-65515}
	  local-address $3
	  multihop 4
	  set nexthop no-modify
	  announce IPv4 none
	  $(printf 'announce %s unicast\n' "${@:4}")
	  holdtime ${OPT[$1.hold]:-180}
	  ${OPT[$1.password]:+tcp md5sig password "${OPT[$1.password]}"}
	  ${OPT[$1.passive]:+passive}
	  ${OPT[$1.gtsm]:+ttl-security yes}
	  ${OPT[$1.neighbor]-}
	  ${CAPS:+announce add-path recv yes
	  announce add-path send all
	  announce enhanced refresh yes
	  announce policy customer}
	}
	END
}

openbgpd_config() { # NODE
	{
		echo "AS ${ASN[$1]}"
		echo "router-id ${IP4[$1]}"
		echo "socket \"$DIR/$1.sock\""
		echo "fib-update no"
		echo "connect-retry 1"
		echo "listen on ${IP4[$1]}"
		echo "listen on ${IP6[$1]}"
		openbgpd_networks "$1"
		if [ "$1" = b ]; then
			openbgpd_neighbor b $RS4 "${IP4[b]}" IPv4 IPv6
		else
			openbgpd_neighbor "$1" $RS4 "${IP4[$1]}" IPv4
			openbgpd_neighbor "$1" $RS6 "${IP6[$1]}" IPv6
		fi
		openbgpd_filters "$1"
	} >"$DIR/$1.conf"
	chmod 600 "$DIR/$1.conf"
}

openbgpd_start() { # NODE
	: >"$DIR/$1.bulknow"
	# Its processes change their root to /run/openbgpd, which is made in the mount namespace of ip netns exec.
	spawn -n "$1" "$1" sh -c 'mount -t tmpfs none /run && mkdir -m 755 /run/openbgpd && exec bgpd -d -v -f "$1"' \
		sh "$DIR/$1.conf"
	PID[$1]=$spawned
}

openbgpd_restarted() { # NODE
	openbgpd_start "$1"
}

openbgpd_ready() {
	openbgpd_ctl "$1" show summary
}

openbgpd_sync() { # NODE
	openbgpd_config "$1" && openbgpd_ctl "$1" reload && openbgpd_bulk "$1"
}

openbgpd_parse() {
	jq -c '.rib[]? | { network: .prefix, nextHop: .exit_nexthop,
		asPath: [.aspath | splits(" ") | select(. != "") | tonumber], origin, med: .metric,
		communities: (.communities // []), largeCommunities: (.large_communities // []) }' | normal_route .
}

openbgpd_route() { # NODE PREFIX
	openbgpd_ctl "$1" -j show rib in neighbor "$(openbgpd_neighbor_of "$1" "$2")" detail "$2" | openbgpd_parse
}

openbgpd_table() {
	openbgpd_ctl "$1" -j show rib in ipv4 neighbor $RS4 detail | openbgpd_parse
}

openbgpd_neighbor_of() { # NODE PREFIX: the session that carries it
	case $1.$2 in
	a.*:*) echo $RS6 ;;
	*) echo $RS4 ;;
	esac
}

openbgpd_paths() { # NODE PREFIX
	openbgpd_ctl "$1" -j show rib in neighbor $RS4 "$2" | jq '.rib | length'
}

openbgpd_otc() { # NODE PREFIX
	openbgpd_ctl "$1" show rib in neighbor $RS4 detail "$2" | awk '/OTC/ { print $NF; exit }'
}

openbgpd_prefixes() {
	openbgpd_ctl "$1" -j show rib in ipv4 neighbor $RS4 | jq -r '.rib[].prefix' | LC_ALL=C sort
}

openbgpd_refresh() {
	openbgpd_ctl "$1" neighbor $RS4 refresh
}

openbgpd_reset() {
	openbgpd_ctl "$1" neighbor $RS4 clear
}

openbgpd_hurry() {
	openbgpd_ctl "$1" neighbor $RS4 up
}

openbgpd_shutdown() { # NODE TEXT
	openbgpd_ctl "$1" neighbor $RS4 down "$2"
}

openbgpd_unshut() {
	openbgpd_ctl "$1" neighbor $RS4 up
}

openbgpd_last_error() {
	grep -a "neighbor $RS4.*notification" "$DIR/$1.log" | tail -n 2
	openbgpd_ctl "$1" show neighbor $RS4 | grep -iE 'error|shutdown|reason'
}
