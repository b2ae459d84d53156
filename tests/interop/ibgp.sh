#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# again: the daemon on the other side has timers and moods of its own
# iBGP (RFC 4456) with a BIRD (a), an FRR (b) and an external BIRD (c): xrsd as route reflector of both, beside
# reflectors that are no clients, and as client of either.
. "$(dirname "$0")/../lib/sh.sh"
. "$(dirname "$0")/lib/lab.sh"
. "$(dirname "$0")/lib/scenarios.sh"

need_root
need_cmd ip jq nsenter bird birdc zebra bgpd vtysh
chmod 755 "$DIR"
VTY=$DIR/b.vty
IP4[c]=10.1.2.6

# --- the appliances ----------------------------------------------------------------------------------

bird_session() { # NAME AS NEIGHBOUR [MORE]
	cat <<-END
	protocol bgp $1 {
	  local as $2; neighbor $3 as 65515; multihop 4; ${4-}
	  connect delay time 1; connect retry time 1; error wait time 1, 2;
	  ipv4 { import all; export filter announced; };
	}
	END
}

# a: OUT is what the filter does to what it announces itself; CLIENT makes its neighbours its clients.
bird_config() { # NODE SESSIONS
	cat <<-END
	log stderr all; router id ${IP4[$1]};
	protocol device {}
	protocol direct { ipv4; }
	protocol static { ipv4; $(printf 'route %s unreachable; ' ${ROUTES[$1]}) }
	filter announced {
	  if source = RTS_STATIC then { ${OUT-} accept; }
	  if source = RTS_BGP then accept;
	  reject;
	}
	$2
	END
}
declare -A ROUTES=([a]="100.64.1.0/24 100.64.9.0/24" [c]="100.64.3.0/24")

bird_start() { # NODE
	spawn -n "$1" "$1" bird -f -c "$DIR/$1.conf" -s "$DIR/$1.ctl" -P "$DIR/$1.bird.pid"
	PID[$1]=$spawned
}

bird_again() { # NODE
	run_logged birdc -s "$DIR/$1.ctl" configure || abandon "BIRD reads its configuration"
}

# a: toward xrsd, and toward b when one of the two is the other's reflector.
bird_a() { # nobody | reflector | client
	local more=
	[ "$1" != reflector ] || more="rr client;"
	bird_config a "$(bird_session xrs 65515 $RS4 "$more")
		$([ "$1" = nobody ] || bird_session frr 65515 "${IP4[b]}" "$more")" >"$DIR/a.conf"
}

frr_config() { # nobody | reflector | client
	local neighbor
	echo "hostname b"
	echo "ip prefix-list own permit 100.64.2.0/24"
	echo "ip prefix-list own permit 100.64.9.0/24"
	echo "route-map own permit 10"
	echo " match ip address prefix-list own"
	echo " set local-preference 250"
	echo " set community 65515:2"
	echo exit
	echo "router bgp 65515"
	echo " bgp router-id ${IP4[b]}"
	echo " no bgp network import-check"
	for neighbor in $RS4 $([ "$1" = nobody ] || echo "${IP4[a]}"); do
		echo " neighbor $neighbor remote-as 65515"
		echo " neighbor $neighbor timers connect 1"
		echo " address-family ipv4 unicast"
		[ "$1" != reflector ] || echo "  neighbor $neighbor route-reflector-client"
		echo " exit-address-family"
	done
	echo " address-family ipv4 unicast"
	echo "  network 100.64.2.0/24 route-map own"
	echo "  network 100.64.9.0/24 route-map own"
	echo " exit-address-family"
}

frr_start() { # ROLE
	local daemon
	mkdir -p "$VTY"
	frr_config "$1" >"$VTY/bgpd.conf"
	echo "hostname b" >"$VTY/zebra.conf"
	chown -R frr:frr "$VTY"
	for daemon in zebra bgpd; do
		rm -f "$VTY/$daemon.vty"
		spawn -n b "b-$daemon" /usr/lib/frr/$daemon -f "$VTY/$daemon.conf" -i "$VTY/$daemon.pid" -z "$VTY/zserv" \
			--vty_socket "$VTY" -P 0 --log stdout
		PID[b-$daemon]=$spawned
		wait_for 20 "$daemon" test -S "$VTY/$daemon.vty" || abandon "$daemon starts"
	done
}

frr_again() { # ROLE
	stop_pid "${PID[b-bgpd]}"
	stop_pid "${PID[b-zebra]}"
	frr_start "$1"
}

# --- what they hold ---------------------------------------------------------------------------------

# One line, the same of both: next hop, LOCAL_PREF, ORIGINATOR_ID, CLUSTER_LIST, AS_PATH; nothing without a route.
at_a() { # PREFIX
	birdc -s "$DIR/a.ctl" show route all "$1" protocol "${SESSION:-xrs}" | awk '
		/BGP.next_hop/ { n = $2 } /BGP.local_pref/ { l = $2 } /BGP.originator_id/ { o = $2 }
		/BGP.cluster_list/ { sub(/.*cluster_list: */, ""); c = $0 } /BGP.as_path/ { sub(/.*as_path: */, ""); p = $0 }
		END { if (n) printf "%s %s [%s] [%s] [%s]\n", n, l, o, c, p }'
}

at_b() { # PREFIX
	vtysh --vty_socket "$VTY" -d bgpd -c "show bgp ipv4 unicast $1 json" | jq -r --arg from "${SESSION:-$RS4}" '
		.paths[]? | select(.peer.peerId == $from) |
		"\(.nexthops[0].ip) \(.locPrf) [\(.originatorId // "")] [\((.clusterList.list // []) | join(" "))] [\(
			.aspath.string | select(. != "Local") // "")]"'
}

at_xrs() { # PEERING PREFIX
	ctl -j peering list-learned-routes --name "$1" --prefix "$2" | jq -r '.value[] |
		"\(.nextHop) \(.localPref) [\(.originatorId // "")] [\((.clusterList // []) | join(" "))] [\(
			.asPath | map(tostring) | join(" "))]"'
}

check_line() { # TEXT EXPECTED COMMAND...
	check_soon "$1" same_output "${@:2}"
}

# --- set-up ---------------------------------------------------------------------------------------------

ibgp_config() { # ROLE-OF-A ROLE-OF-B
	lab_config
	jq --arg a "$1" --arg b "$2" --arg c "${IP4[c]}" '.vnets[0].routeServer.pathSelection = "rfc4271" |
		.vnets[0].addressPrefixes += ["10.99.0.0/16"] |
		.vnets[0].peerings = [
		{ name: "a", peerAsn: 65515, peerIp: "10.1.2.4", role: $a, connectRetryTime: 1 },
		{ name: "b", peerAsn: 65515, peerIp: "10.1.2.5", role: $b, connectRetryTime: 1 },
		{ name: "c", peerAsn: 65003, peerIp: $c, connectRetryTime: 1 }]' "$CONF" >"$CONF.new" && mv "$CONF.new" "$CONF"
}

hurried_up() { # NAME...
	local name
	established "$@" && return
	for name in "$@"; do
		established "$name" >/dev/null || ctl -j peering reset "$name" >/dev/null
	done
	sleep 2
	return 1
}

all_up() {
	wait_for $WAIT "peerings a, b and c Established" hurried_up a b c || abandon "all three come up"
}

lab_network
lab_port c nva-c "${IP4[c]}" fd00:1::2:6
ibgp_config agent agent
xrs_start
OUT="bgp_local_pref = 300; bgp_community.add((65515,1));" bird_a nobody
bird_config c "$(bird_session xrs 65003 $RS4)" >"$DIR/c.conf"
bird_start a
bird_start c
frr_start nobody
all_up

# --- we reflect -----------------------------------------------------------------------------------------

check_line "a client's route is reflected to the other: originator, our cluster, LOCAL_PREF, next hop" \
	"10.1.2.4 300 [10.1.2.4] [$RS4] []" at_b 100.64.1.0/24
check_line "and the other way round" "10.1.2.5 250 [10.1.2.5] [$RS4] []" at_a 100.64.2.0/24
check_line "an external route goes to a client with LOCAL_PREF 100 and no mark of a reflector" \
	"10.1.2.6 100 [] [] [65003]" at_b 100.64.3.0/24
check_line "and so to the other" "10.1.2.6 100 [] [] [65003]" at_a 100.64.3.0/24
check_line "our own prefix as well" "$RS4 100 [] [] []" at_a 10.99.0.0/16
check_soon "an external neighbour gets a client's route without what belongs inside" same_output "10.1.2.4 [] [] [65515]" \
	sh -c "birdc -s $DIR/c.ctl show route all 100.64.1.0/24 | awk '/next_hop/ { n = \$2 } /originator/ { o = \$2 }
		/cluster/ { c = \$2 } /as_path/ { p = \$2 } END { print n, \"[\" o \"]\", \"[\" c \"]\", \"[\" p \"]\" }'"
check_soon "the higher LOCAL_PREF wins between the clients, and explain says so" explains 100.64.9.0/24 \
	'[.candidates[] | [.peering, .best, .lostAtStep]] == [["a", true, null], ["b", false, "localPref"]]'
check_effective "and the VM goes there" 10.1.2.4 100.64.9.0/24

OUT="bgp_originator_id = $RS4;" bird_a nobody
bird_again a
check_soon "a route that says that we brought it in is refused as a loop" explains 100.64.1.0/24 \
	'[.candidates[] | [.valid, .best, .installReason]] == [[false, false, "Loop"]]'
check_line "and withdrawn from the other client" "" at_b 100.64.1.0/24
OUT="bgp_cluster_list.add($RS4);" bird_a nobody
bird_again a
check_soon "and so is one that passed our cluster" explains 100.64.1.0/24 \
	'[.candidates[] | [.valid, .best, .installReason]] == [[false, false, "Loop"]]'
OUT="bgp_cluster_list.add(192.0.2.9); bgp_originator_id = 192.0.2.7;" bird_a nobody
bird_again a
check_line "what other reflectors wrote stays, with our cluster in front" \
	"10.1.2.4 100 [192.0.2.7] [$RS4 192.0.2.9] []" at_b 100.64.1.0/24

ibgp_config reflector agent
xrs_reload
OUT= bird_a nobody
bird_again a
all_up
check_line "from a neighbour that is no client to a client" "10.1.2.4 100 [10.1.2.4] [$RS4] []" at_b 100.64.1.0/24
check_line "from a client to a neighbour that is none" "10.1.2.5 250 [10.1.2.5] [$RS4] []" at_a 100.64.2.0/24
ibgp_config reflector reflector
xrs_reload
all_up
check_line "between two that are none: nothing (RFC 4456 6)" "" at_b 100.64.1.0/24
check_line "nor back" "" at_a 100.64.2.0/24
check_line "what is external goes to both" "10.1.2.6 100 [] [] [65003]" at_b 100.64.3.0/24

# --- they reflect ---------------------------------------------------------------------------------------------

bird_a reflector
bird_again a
frr_again client
xrs_edit '(.vnets[0].peerings[] | select(.name == "b")).enabled = false'
wait_for $WAIT "peerings a and c Established" hurried_up a c || abandon "BIRD as reflector comes up"
check_line "BIRD reflects: the route of its other client, with its originator and cluster" \
	"10.1.2.5 250 [10.1.2.5] [10.1.2.4] []" at_xrs a 100.64.2.0/24
check_effective "and the VM goes straight to that client" 10.1.2.5 100.64.2.0/24
SESSION=10.1.2.4
check_line "our external route reaches it through BIRD, with us as originator" \
	"10.1.2.6 100 [$RS4] [10.1.2.4] [65003]" at_b 100.64.3.0/24
check_line "and our prefix" "$RS4 100 [$RS4] [10.1.2.4] []" at_b 10.99.0.0/16
unset SESSION

bird_a client
bird_again a
frr_again reflector
xrs_edit '(.vnets[0].peerings[]) |= (.enabled = (.name != "a"))'
wait_for $WAIT "peerings b and c Established" hurried_up b c || abandon "FRR as reflector comes up"
check_line "FRR reflects: the route of its other client, with its originator and cluster" \
	"10.1.2.4 100 [10.1.2.4] [10.1.2.5] []" at_xrs b 100.64.1.0/24
check_effective "and the VM goes straight to that client" 10.1.2.4 100.64.1.0/24
SESSION=frr
check_line "our external route reaches it through FRR, with us as originator" \
	"10.1.2.6 100 [$RS4] [10.1.2.5] [65003]" at_a 100.64.3.0/24
unset SESSION

check "the maps hold what they should after all of this" verified
check "xrsd is the process that was started" is_running "$XRS_PID"
finish
