# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# BIRD as an appliance in a node of lab.sh: nva_up NODE ASN; announce NODE PREFIX [KEY=VALUE...]; withdraw NODE
# PREFIX. RS2[NODE]="ADDRESS ASN TIMES": a second session, to that route server, with the node's own AS number
# TIMES in front. $DIR/NODE.bulk: plain IPv4 prefixes, a line each. Keys: nexthop= med= bandwidth= community=A:B,A:B prepend=TIMES path=ASN. One session over IPv4 carries both
# families. Sourced after lab.sh.

declare -A RS2=() ASN=() NVA_PID=() RS_ASN=() # RS_ASN: of the route server, 65515 when not set

need_cmd bird birdc

_nva_attributes() { # NODE KEY=VALUE...: what BIRD's filter sets on the way out
	local node=$1 word value
	shift
	for word in "$@"; do
		value=${word#*=}
		case $word in
		nexthop=*) echo "bgp_next_hop = $value;" ;;
		med=*) echo "bgp_med = $value;" ;;
		path=*) echo "bgp_path.prepend($value);" ;;
		prepend=*) for ((; value > 0; value--)); do echo "bgp_path.prepend(${ASN[$node]});"; done ;;
		bandwidth=*) echo "bgp_ext_community.add((generic, 0x0004fde9, $value));" ;; # transitive, an IEEE 754 single
		community=*) for value in ${value//,/ }; do echo "bgp_community.add((${value//:/,}));"; done ;;
		esac
	done
}

_nva_static() { # NODE 4|6
	local prefix rest
	echo "protocol static static$2 { ipv$2;"
	while read -r prefix rest; do
		case $prefix in
		*:*) [ "$2" = 6 ] && echo "route $prefix unreachable;" ;;
		*) [ "$2" = 4 ] && echo "route $prefix unreachable;" ;;
		esac
	done <"$DIR/$1.routes"
	[ "$2" = 6 ] || [ ! -e "$DIR/$1.bulk" ] || sed 's/.*/route & unreachable;/' "$DIR/$1.bulk"
	echo "}"
}

_nva_second() { # NODE ADDRESS ASN TIMES
	local i prepend=
	for ((i = 0; i < $4; i++)); do prepend="$prepend bgp_path.prepend(${ASN[$1]});"; done
	cat <<-END
	protocol bgp second {
	  local ${IP4[$1]} as ${ASN[$1]}; neighbor $2 as $3; multihop 4;
	  connect delay time 1; connect retry time 1; error wait time 1, 2;
	  ipv4 { import none; export filter { if source != RTS_STATIC then reject; $prepend accept; }; };
	}
	END
}

_nva_config() { # NODE
	local prefix rest
	{
		echo "log stderr all; router id ${IP4[$1]}; protocol device {}"
		_nva_static "$1" 4
		_nva_static "$1" 6
		echo "filter announced { if source != RTS_STATIC then reject;"
		while read -r prefix rest; do
			echo "if net = $prefix then { $(_nva_attributes "$1" $rest | tr '\n' ' ') }"
		done <"$DIR/$1.routes"
		cat <<-END
		accept; }
		protocol bgp xrs {
		  local ${IP4[$1]} as ${ASN[$1]}; neighbor $RS4 as ${RS_ASN[$1]:-65515}; multihop 4;
		  connect delay time 1; connect retry time 1; error wait time 1, 2;
		  ipv4 { import all; export filter announced; };
		  ipv6 { import all; export filter announced; next hop address ${IP6[$1]}; };
		}
		END
		[ -z "${RS2[$1]-}" ] || _nva_second "$1" ${RS2[$1]}
	} >"$DIR/$1.conf"
}

nva_ctl() { # NODE COMMAND...
	birdc -s "$DIR/$1.ctl" "${@:2}"
}

nva_up() { # NODE ASN
	ASN[$1]=$2
	[ -e "$DIR/$1.routes" ] || : >"$DIR/$1.routes"
	_nva_config "$1"
	spawn_in "$1" "$1-bird" bird -f -c "$DIR/$1.conf" -s "$DIR/$1.ctl" -P "$DIR/$1.pid"
	NVA_PID[$1]=$spawned
	wait_for 30 "BIRD of $1" nva_ctl "$1" show status || abandon "BIRD starts as $1"
}

nva_down() { # NODE [SIGNAL]
	stop_pid "${NVA_PID[$1]}" "${2:-TERM}" 2>/dev/null || true
}

nva_reconfigure() { # NODE
	_nva_config "$1"
	nva_ctl "$1" configure >"$DIR/.bird" 2>&1
	grep -Eq 'Reconfigured|Reconfiguration in progress' "$DIR/.bird" || abandon "BIRD of $1 takes its file"
}

announce() { # NODE PREFIX [KEY=VALUE...]: before nva_up too
	touch "$DIR/$1.routes"
	sed -i "\,^$2 ,d" "$DIR/$1.routes"
	echo "${*:2} " >>"$DIR/$1.routes"
	[ -z "${NVA_PID[$1]-}" ] || nva_reconfigure "$1"
}

withdraw() { # NODE PREFIX...
	local node=$1 prefix
	for prefix in "${@:2}"; do
		sed -i "\,^$prefix ,d" "$DIR/$node.routes"
	done
	nva_reconfigure "$node"
}

# What an appliance was told, "PREFIX via NEXTHOP path AS AS", sorted.
told() { # NODE
	nva_ctl "$1" show route all protocol xrs | awk '
		/^[0-9a-f:.]+\/[0-9]+/ { prefix = $1 }
		/BGP.as_path:/ { $1 = ""; path = $0 }
		/BGP.next_hop:/ { print prefix, "via", $2, "path" path }' | LC_ALL=C sort
}

told_of() { # NODE PREFIX
	told "$1" | grep "^$2 "
}

told_prefixes() { # NODE: on one line
	told "$1" | awk '{ print $1 }' | xargs
}

# --- what xrsd says ---------------------------------------------------------------------------------

peering() { # NAME JQ-PROGRAM
	ctl -j peering show --name "$1" | jq -c "$2"
}

established() { # NAME...
	local name
	for name in "$@"; do
		[ "$(peering "$name" .state)" = '"Established"' ] || return 1
		peering "$name" 'all(.families[]; .endOfRib)' | grep -q true || return 1
	done
}

await_established() { # NAME...
	wait_for $WAIT "peerings $* Established" established "$@" || abandon "peerings $* come up"
}

# The candidates of a prefix at a nic, strongest first: "SOURCE STATE TYPE NEXTHOPS REASON; ...".
routes_of() { # NIC PREFIX
	ctl -j nic list-effective-routes --name "$1" | jq -r --arg p "$2" '[.value[]
		| select([.addressPrefix] | flatten | index($p))
		| [.source, .state, .nextHopType, (.nextHopIpAddress | sort | join(",")), .reason // ""]
		| map(select(. != "")) | join(" ")] | join("; ")'
}

check_routes() { # TEXT NIC PREFIX EXPECTED
	check_soon "$1" same_output "$4" routes_of "$2" "$3"
}

reload_with() { # JQ-PROGRAM
	edit_config "$1"
	run_logged ctl -j config reload || abandon "config reload"
}
