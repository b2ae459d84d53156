# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# GoBGP 3 as an appliance; lab.sh says what each function is for. Sessions stand in its configuration file;
# routes come and go through its API, one call each, and many of them as an MRT dump.

CANNOT[refresh]="softresetin reads the stored Adj-RIB-In again and never sends ROUTE-REFRESH"
CANNOT[be_awaited]="as a helper it lists no family for graceful restart: the selection does not wait for its End-of-RIB"
CANNOT[say_refused]="it logs no NOTIFICATION that comes before a session is up"
CANNOT[keep_to_next_hops]="it sends IPv6 next hops for IPv4 where that was not agreed, and is answered with 3/9"
CANNOT[no_hold_timer]="with a negotiated hold time of 0 its first write times out at once, and it closes the session"
CANNOT[shutdown_text]="disable --reason sends no text"

LACKS=extendedMessage GIVEN_NEXT_HOP=1
CANNOT[role]="3.10 has no roles"
CANNOT[extended_message]="3.10 does not have them"
CANNOT[enhanced_refresh]="3.10 does not have it"
CANNOT[notified]="after its own reset it waits 30 s"

gobgp_c() { # NODE ARGUMENTS...
	local node=$1
	shift
	ns "$node" gobgp "$@" >"$DIR/$node.answer" 2>&1
	local status=$?
	cat "$DIR/$node.answer"
	[ "$status" -eq 0 ] && ! grep -q '^error\|"error":' "$DIR/$node.answer"
}

gobgp_family() { # IPV NODE
	cat <<-END
	  [[neighbors.afi-safis]]
	    [neighbors.afi-safis.config]
	      afi-safi-name = "ipv$1-unicast"
	    [neighbors.afi-safis.mp-graceful-restart.config]
	      enabled = true
	    [neighbors.afi-safis.long-lived-graceful-restart.config]
	      enabled = $(gobgp_bool "${OPT[$2.llgr]}")
	      restart-time = ${OPT[$2.llgr]:-0}
	    ${CAPS:+[neighbors.afi-safis.add-paths.config]
	      receive = true
	      send-max = 8}
	END
}

gobgp_bool() { # TEXT: not empty is true
	if [ -n "$1" ]; then echo true; else echo false; fi
}

gobgp_ttl() { # NODE
	if [ -n "${OPT[$1.gtsm]-}" ]; then
		printf '[neighbors.ttl-security.config]\nenabled = true\nttl-min = 252\n'
	else
		printf '[neighbors.ebgp-multihop.config]\nenabled = true\nmultihop-ttl = 4\n'
	fi
}

gobgp_neighbor() { # NODE NEIGHBOUR LOCAL
	cat <<-END
	[[neighbors]]
	  [neighbors.config]
	    neighbor-address = "$2"
	    peer-as = ${OPT[$1.rsasn]:-65515}
	    auth-password = "${OPT[$1.password]}"
	  [neighbors.transport.config]
	    local-address = "$3"
	    passive-mode = $(gobgp_bool "${OPT[$1.passive]}")
	$(gobgp_ttl "$1")
	  [neighbors.timers.config]
	    connect-retry = 1
	    hold-time = ${OPT[$1.hold]:-180}
	    keepalive-interval = $((${OPT[$1.hold]:-180} / 3))
	  [neighbors.graceful-restart.config]
	    enabled = true
	    helper-only = $(gobgp_bool "$([ -n "${OPT[$1.gr]}" ] || echo 1)")
	    restart-time = ${OPT[$1.grtime]:-120}
	    deferral-time = 2
	    long-lived-enabled = $(gobgp_bool "${OPT[$1.llgr]}")
	END
}

gobgp_config() { # NODE
	{
		echo "[global.config]"
		echo "  as = ${ASN[$1]}"
		echo "  router-id = \"${IP4[$1]}\""
		gobgp_neighbor "$1" $RS4 "${IP4[$1]}"
		gobgp_family 4 "$1"
		if [ "$1" = b ]; then
			gobgp_family 6 "$1"
		else
			gobgp_neighbor "$1" $RS6 "${IP6[$1]}"
			gobgp_family 6 "$1"
			[ -z "$CAPS" ] || gobgp_family 4 "$1"
		fi
	} >"$DIR/$1.conf"
	: >"$DIR/$1.now"
	: >"$DIR/$1.bulknow"
}

gobgp_start() { # NODE [OPTION]
	spawn -n "$1" "$1" gobgpd -f "$DIR/$1.conf" -p ${2:-} --pprof-disable --api-hosts 127.0.0.1:50051
	PID[$1]=$spawned
}

gobgp_restarted() { # NODE
	gobgp_start "$1" -r
}

gobgp_ready() {
	gobgp_c "$1" global
}

gobgp_add() { # NODE LINE
	local family=ipv4 own=${IP4[$1]} as_path= n
	route_words $2
	case $prefix in
	*:*)
		family=ipv6
		own=${IP6[$1]}
		;;
	esac
	for ((n = 0; n < ${prepend:-0}; n++)); do
		as_path+=,${ASN[$1]}
	done
	as_path+=${path:+,$path}
	gobgp_c "$1" global rib add -a $family "$prefix" nexthop "${nexthop:-$own}" \
		origin "${origin:-igp}" ${med:+med $med} ${community:+community $community} \
		${large:+large-community $large} ${as_path:+aspath ${as_path#,}}
}

gobgp_sync() { # NODE
	local line family prefix
	grep -vxFf "$DIR/$1.routes" "$DIR/$1.now" | while read -r line; do
		prefix=${line%% *}
		grep -q "^$prefix " "$DIR/$1.routes" && continue
		family=ipv4
		case $prefix in *:*) family=ipv6 ;; esac
		gobgp_c "$1" global rib del -a $family "$prefix"
	done
	grep -vxFf "$DIR/$1.now" "$DIR/$1.routes" | while read -r line; do
		gobgp_add "$1" "$line"
	done
	cp "$DIR/$1.routes" "$DIR/$1.now"
	gobgp_bulk "$1"
}

# Prefixes as TABLE_DUMP_V2 (RFC 6396): no other way in takes many at a time. The command ends without waiting
# for its own queue, so the last prefix comes again and again: what is lost is what came before.
gobgp_inject() { # NODE PREFIXES
	gobgp_mrt "$1" <(cat "$2" && yes "$(tail -n 1 "$2")" | head -n 3000) >"$DIR/$1.mrt"
	gobgp_c "$1" mrt inject global --queue-size 1 "$DIR/$1.mrt"
}

gobgp_mrt() { # NODE PREFIXES, with the attributes of $DIR/N.classes
	perl -e '
		sub record { my ($subtype, $body) = @_; print pack("NnnN", 0, 13, $subtype, length $body), $body; }
		sub attr { my ($flags, $code, $value) = @_; return pack("C3", $flags, $code, length $value) . $value; }
		sub number { return unpack "N", pack("C4", split /\./, $_[0]); }
		my ($asn, $hop, $file, $classes) = @ARGV;
		my $ip = pack("C4", split /\./, $hop);
		my %origin = (igp => 0, egp => 1, incomplete => 2);
		my @classes;
		open my $list, "<", $classes or die;
		while (<$list>) {
			my ($prefix, @words) = split;
			my %w = map { split /=/ } @words;
			my ($net, $len) = split m{/}, $prefix;
			my @path = ($asn) x ($w{prepend} // 0);
			my $attrs = attr(0x40, 1, pack("C", $origin{$w{origin} // "igp"})) .
				attr(0x40, 2, @path ? pack("C2", 2, scalar @path) . pack("N*", @path) : "") . attr(0x40, 3, $ip);
			$attrs .= attr(0x80, 4, pack("N", $w{med})) if defined $w{med};
			$attrs .= attr(0xc0, 8, join "", map { pack "nn", split /:/ } split /,/, $w{community}) if $w{community};
			$attrs .= attr(0xc0, 32, join "", map { pack "NNN", split /:/ } split /,/, $w{large}) if $w{large};
			push @classes, [number($net), ~0 << (32 - $len) & 0xffffffff, $attrs];
		}
		record(1, pack("a4 n n", $ip, 0, 1) . pack("C", 2) . $ip . $ip . pack("N", $asn));
		my $plain = attr(0x40, 1, "\0") . attr(0x40, 2, "") . attr(0x40, 3, $ip);
		open my $in, "<", $file or die;
		my $n = 0;
		while (<$in>) {
			my ($net, $len) = m{^(.*)/(\d+)} or next;
			my $number = number($net);
			my ($class) = grep { ($number & $_->[1]) == $_->[0] } @classes;
			my $attrs = $class ? $class->[2] : $plain;
			my $octets = substr(pack("N", $number), 0, ($len + 7) / 8);
			record(2, pack("NC", $n++, $len) . $octets . pack("nnNn", 1, 0, 0, length $attrs) . $attrs);
		}' "${ASN[$1]}" "${IP4[$1]}" "$2" "$DIR/$1.classes"
}

gobgp_change() { # NODE add|del: the prefixes of that file, singly when they are few
	local prefix
	if [ "$2" = add ] && [ "$(wc -l <"$DIR/$1.add")" -gt 20 ]; then
		gobgp_inject "$1" "$DIR/$1.add"
		return
	fi
	while read -r prefix; do
		if [ "$2" = add ]; then
			gobgp_add "$1" "$prefix"
		else
			gobgp_c "$1" global rib del "$prefix"
		fi
	done <"$DIR/$1.$2"
}

gobgp_bulk() { # NODE
	LC_ALL=C sort "$DIR/$1.bulk" | LC_ALL=C comm -23 - "$DIR/$1.bulknow" >"$DIR/$1.add"
	LC_ALL=C sort "$DIR/$1.bulk" | LC_ALL=C comm -13 - "$DIR/$1.bulknow" >"$DIR/$1.del"
	LC_ALL=C sort "$DIR/$1.bulk" >"$DIR/$1.bulknow"
	gobgp_change "$1" add || return 1
	[ -s "$DIR/$1.del" ] || return 0
	if [ "$(wc -l <"$DIR/$1.del")" -le 20 ]; then
		gobgp_change "$1" del
		return 0
	fi
	# One process for each withdrawal is too slow for thousands: all go, the rest comes again.
	gobgp_c "$1" global rib del all
	[ ! -s "$DIR/$1.bulk" ] ||
		gobgp_inject "$1" "$DIR/$1.bulk"
}

established_at() { # NODE NEIGHBOUR
	ns "$1" gobgp neighbor "$2" | grep -q 'BGP state = ESTABLISHED'
}

gobgp_parse() { # adj-in as JSON
	jq -c 'to_entries[] | .key as $p | .value[0].attrs | (map({ key: (.type | tostring), value: . }) | from_entries) as $a | {
		network: $p, nextHop: ($a["3"].nexthop // $a["14"].nexthop),
		asPath: [$a["2"].as_paths[]?.asns[]], origin: ["igp", "egp", "incomplete"][$a["1"].value // 0],
		med: ($a["4"].metric // 0),
		communities: [$a["8"].communities[]? | "\(. / 65536 | floor):\(. % 65536)"],
		largeCommunities: [$a["32"].value[]? | "\(.ASN // 0):\(.LocalData1 // 0):\(.LocalData2 // 0)"] }' |
		normal_route .
}

gobgp_route() { # NODE PREFIX
	local family=ipv4 neighbor=$RS4
	case $2 in
	*:*)
		family=ipv6
		[ "$1" = b ] || neighbor=$RS6
		;;
	esac
	# IPv4 may have come over the IPv6 session alone (RFC 8950).
	[ "$1" = b ] || established_at "$1" $neighbor || neighbor=$RS6
	ns "$1" gobgp neighbor $neighbor adj-in -a $family -j 2>/dev/null |
		jq -c --arg p "$2" 'if has($p) then { ($p): .[$p] } else {} end' | gobgp_parse
}

gobgp_table() {
	ns "$1" gobgp neighbor $RS4 adj-in -j 2>/dev/null | gobgp_parse
}

gobgp_paths() { # NODE PREFIX
	ns "$1" gobgp neighbor $RS4 adj-in -j 2>/dev/null | jq --arg p "$2" '.[$p] // [] | length'
}

gobgp_prefixes() {
	ns "$1" gobgp neighbor $RS4 adj-in -j 2>/dev/null | jq -r 'keys[]' | LC_ALL=C sort
}

gobgp_refresh() {
	gobgp_c "$1" neighbor $RS4 softresetin
}

gobgp_resend() {
	gobgp_c "$1" neighbor $RS4 softresetout
}

# It stays Idle for 30 s then, whatever idle-hold-time-after-reset says.
gobgp_reset() {
	gobgp_c "$1" neighbor $RS4 reset
}

gobgp_shutdown() { # NODE TEXT
	gobgp_c "$1" neighbor $RS4 disable --reason "$2"
}

gobgp_unshut() {
	gobgp_c "$1" neighbor $RS4 enable
}

gobgp_last_error() {
	grep -a "notification" "$DIR/$1.log" | tail -n 3
	grep -a "Peer Down" "$DIR/$1.log" | tail -n 1
}
