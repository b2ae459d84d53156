# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# ExaBGP 4 as an appliance; lab.sh says what each function is for. Sessions stand in its configuration file; routes
# come and go through its API, whose process (exabgp_rib.py) also keeps what xrsd sends.

CANNOT[enhanced_refresh]="4.2 closes the session when it is asked for its routes with enhanced route refresh in force"
BULK=2000 # its Python makes and reads a few hundred routes a second
CANNOT[keep]="it has no table, so it keeps nothing while we restart"
CANNOT[shutdown]="it has no administrative shutdown: a session that it tears down is made again at once"

exabgp_say() { # NODE COMMAND: waits for the answer
	local before
	before=$(exabgp_state "$1" .acks)
	echo "$2" >"$DIR/$1.fifo" || return 1
	wait_for 30 "ExaBGP's answer" exabgp_answered "$1" "$before"
}

exabgp_answered() { # NODE ACKS-BEFORE
	[ "$(exabgp_state "$1" .acks)" -gt "$2" ]
}

exabgp_state() { # NODE JQ-PROGRAM [JQ-OPTION...]
	jq -c "${@:3}" "$2" "$DIR/$1.state"
}

exabgp_neighbor() { # NODE NEIGHBOUR LOCAL FAMILY...
	cat <<-END
	neighbor $2 {
	  router-id ${IP4[$1]}; local-address $3; local-as ${ASN[$1]}; peer-as ${OPT[$1.rsasn]:-65515};
	  hold-time ${OPT[$1.hold]:-180};
	  $(if [ -n "${OPT[$1.gtsm]-}" ]; then echo "outgoing-ttl 255; incoming-ttl 252;"; else echo "outgoing-ttl 4;"; fi)
	  ${OPT[$1.password]:+md5-password "${OPT[$1.password]}"; md5-base64 false;}
	  ${OPT[$1.passive]:+passive true;}
	  ${OPT[$1.neighbor]-}
	  capability {
	    asn4 enable; route-refresh enable;
	    ${OPT[$1.gr]:+graceful-restart ${OPT[$1.grtime]:-120};}
	    ${OPT[$1.capability]-}
	  }
	  family { $(printf '%s unicast; ' "${@:4}") }
	  adj-rib-out true;
	  api { processes [ memory ]; neighbor-changes;
	    receive { parsed; packets; update; notification; } }
	}
	END
}

exabgp_config() { # NODE
	{
		echo "process memory { run $TOP/tests/interop/lib/exabgp_rib.py $DIR/$1.fifo $DIR/$1.state; encoder json; }"
		if [ "$1" = b ]; then
			exabgp_neighbor b $RS4 "${IP4[b]}" ipv4 ipv6
		else
			exabgp_neighbor "$1" $RS4 "${IP4[$1]}" ipv4
			exabgp_neighbor "$1" $RS6 "${IP6[$1]}" ipv6
		fi
	} >"$DIR/$1.conf"
	: >"$DIR/$1.now"
	: >"$DIR/$1.bulknow"
}

exabgp_start() { # NODE
	rm -f "$DIR/$1.state" "$DIR/$1.fifo"
	mkfifo "$DIR/$1.fifo"
	spawn -n "$1" "$1" env exabgp.daemon.user=root exabgp.daemon.drop=false exabgp.api.cli=false \
		"exabgp.tcp.bind=${IP4[$1]} ${IP6[$1]}" exabgp.log.level=INFO exabgp "$DIR/$1.conf"
	PID[$1]=$spawned
}

exabgp_restarted() { # NODE
	exabgp_start "$1"
}

exabgp_ready() {
	[ -e "$DIR/$1.state" ] && exabgp_say "$1" version
}

exabgp_add() { # NODE LINE: one announcement as a command
	local own=${IP4[$1]} as_path='' n
	route_words $2
	case $prefix in *:*) own=${IP6[$1]} ;; esac
	for ((n = 0; n <= ${prepend:-0}; n++)); do
		as_path+=" ${ASN[$1]}"
	done
	echo "announce route $prefix next-hop ${nexthop:-$own} origin ${origin:-igp} as-path [$as_path $path ]" \
		"${med:+med $med} ${community:+community [ ${community//,/ } ]}" \
		"${large:+large-community [ ${large//,/ } ]}"
}

exabgp_sync() { # NODE
	local line prefix
	while read -r line; do
		prefix=${line%% *}
		grep -q "^$prefix " "$DIR/$1.routes" || exabgp_say "$1" "withdraw route $prefix next-hop self" || return 1
	done < <(grep -vxFf "$DIR/$1.routes" "$DIR/$1.now")
	while read -r line; do
		exabgp_say "$1" "$(exabgp_add "$1" "$line")" || return 1
	done < <(grep -vxFf "$DIR/$1.now" "$DIR/$1.routes")
	cp "$DIR/$1.routes" "$DIR/$1.now"
	exabgp_bulk "$1"
}

exabgp_bulk() { # NODE: many prefixes a command
	local verb file words
	LC_ALL=C sort "$DIR/$1.bulk" | LC_ALL=C comm -23 - "$DIR/$1.bulknow" >"$DIR/$1.announce"
	LC_ALL=C sort "$DIR/$1.bulk" | LC_ALL=C comm -13 - "$DIR/$1.bulknow" >"$DIR/$1.withdraw"
	LC_ALL=C sort "$DIR/$1.bulk" >"$DIR/$1.bulknow"
	for verb in withdraw announce; do
		while read -r words; do
			exabgp_say "$1" "neighbor $RS4 $verb attributes next-hop ${IP4[$1]} nlri $words" || return 1
		done < <(xargs -r -n 1000 <"$DIR/$1.$verb")
	done
}

exabgp_route() { # NODE PREFIX
	exabgp_state "$1" '[.neighbors[][$p] // empty][0] // empty' --arg p "$2" | normal_route .
}

exabgp_prefixes() {
	exabgp_state "$1" '.neighbors[$n] // {} | keys[] | select(test(":") | not)' -r --arg n $RS4 | LC_ALL=C sort
}

exabgp_refresh() {
	exabgp_say "$1" "neighbor $RS4 announce route-refresh ipv4 unicast"
}

exabgp_reset() { # a command without an answer
	echo "neighbor $RS4 teardown 4" >"$DIR/$1.fifo"
}

exabgp_last_error() {
	exabgp_state "$1" '.notifications[-20:][] | "code \(.code) subcode \(.subcode) \(.text)"'
}
