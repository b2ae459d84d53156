#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
# again: the daemon on the other side has timers and moods of its own
# BFD with BIRD (a, single hop, RFC 5881) and with FRR's bfdd (b, multihop, RFC 5883), later the other way round: up,
# other intervals without a flap, a peer that falls silent, AdminDown of either side, strict mode, authentication, an
# engine that dies, and an xrsd that is killed.
. "$(dirname "$0")/../lib/sh.sh"
. "$(dirname "$0")/lib/lab.sh"

need_root
need_cmd ip jq nsenter bird birdc bfdd zebra bgpd vtysh
chmod 755 "$DIR"
VTY=$DIR/b.vty
MS=200 # x 3; short enough not to wait, long enough for a loaded machine

BIRD_HOPS=direct

# --- the appliances --------------------------------------------------------------------------------

bird_config() { # [BFD-OPTIONS-OF-THE-BGP-SESSION] [OPTIONS-OF-THE-BFD-INTERFACE]
	cat >"$DIR/a.conf" <<-END
	log stderr all; router id ${IP4[a]};
	protocol device {}
	protocol static { ipv4; route 100.64.1.0/24 unreachable; }
	protocol bfd bfd1 { interface "*" { interval $MS ms; multiplier 3; ${2-} };
	  multihop { interval $MS ms; multiplier 3; }; }
	protocol bgp xrs4 {
	  local ${IP4[a]} as ${ASN[a]}; neighbor $RS4 as 65515; $BIRD_HOPS;
	  connect delay time 1; connect retry time 1; error wait time 1, 2;
	  hold time 90;
	  ${1-bfd on;}
	  ipv4 { import all; export where source = RTS_STATIC; };
	}
	END
}

bird_start() {
	spawn -n a a bird -f -c "$DIR/a.conf" -s "$DIR/a.ctl" -P "$DIR/a.bird.pid"
	PID[a]=$spawned
}

bird_again() { # as bird_config
	bird_config "$@"
	run_logged birdc -s "$DIR/a.ctl" configure || abandon "BIRD reads its configuration"
}

bird_bfd_is() { # STATE
	birdc -s "$DIR/a.ctl" show bfd sessions | grep -q "^$RS4 .* $1 "
}

frr_start() {
	local daemon
	mkdir -p "$VTY"
	cat >"$VTY/frr.conf" <<-END
	hostname b
	router bgp ${ASN[b]}
	 bgp router-id ${IP4[b]}
	 no bgp ebgp-requires-policy
	 no bgp network import-check
	 neighbor $RS4 remote-as 65515
	 neighbor $RS4 ebgp-multihop 4
	 neighbor $RS4 timers connect 1
	 neighbor $RS4 bfd profile peers
	 address-family ipv4 unicast
	  network 100.64.2.0/24
	 exit-address-family
	exit
	bfd
	 profile peers
	 exit
	exit
	END
	chown -R frr:frr "$VTY"
	for daemon in zebra bfdd bgpd; do
		spawn -n b "b-$daemon" /usr/lib/frr/$daemon -f "$VTY/frr.conf" -i "$VTY/$daemon.pid" -z "$VTY/zserv" \
			--vty_socket "$VTY" $([ $daemon = bfdd ] && echo --bfdctl "$VTY/bfdd.sock") -P 0 --log stdout
		PID[b-$daemon]=$spawned
		wait_for 20 "$daemon" test -S "$VTY/$daemon.vty" || abandon "$daemon starts"
	done
}

frr_bfd() { # JQ-CONDITION on the one peer
	vtysh --vty_socket "$VTY" -d bfdd -c "show bfd peers json" | jq -e "length == 1 and (.[0] | $1)"
}

# --- what xrsd says ----------------------------------------------------------------------------------

bfd_is() { # NAME STATE
	peering_holds "$1" ".bfdState == \"$2\""
}
is_up() { # NAME
	peering_holds "$1" '.state == "Established" and .bfdState == "Up"'
}
wait_up() { # TEXT NAME...
	local text=$1 name
	shift
	for name in "$@"; do
		check_soon "$text: $name" is_up "$name" || abandon "BFD and BGP of $name"
	done
}
downs() { # NAME: how often its BFD went down
	peering "$1" .bfd.downs
}
engine_pid() {
	pgrep -P "$XRS_PID" -f -- --bfd-engine
}

lab_network
lab_config
jq ".vnets[0].peerings |= [ .[] | select(.name != \"a6\") |
	.bfd = { enabled: true, minTxMs: $MS, minRxMs: $MS, multihop: (.name == \"b\") } ]" \
	"$CONF" >"$CONF.new" && mv "$CONF.new" "$CONF"
xrs_start
bird_config
bird_start
frr_start

wait_up "BGP and BFD come up" a b
check_soon "BIRD says Up" bird_bfd_is Up
check_soon "FRR says Up" frr_bfd '.status == "up" and .multihop'
check_peering "what BIRD sends is known" a '.bfd.remoteState == "Up" and .bfd.remoteMultiplier == 3 and .bfd.detectionTimeUs == '$((MS * 3000))
check_soon "what FRR accepts is in force" peering_holds b '.bfd.transmitIntervalUs == 300000 and .bfd.detectionTimeUs == 900000'
check "xrsctl bfd list has both" eval 'ctl bfd list | grep -c "Up" | grep -qx 2'

# --- other intervals -----------------------------------------------------------------------------
xrs_edit '.vnets[0].peerings[].bfd |= (.minTxMs = 350 | .minRxMs = 400)'
check_soon "other intervals: BIRD follows" peering_holds a '.bfd.detectionTimeUs == 1200000 and .bfd.transmitIntervalUs == 350000'
check_soon "other intervals: FRR follows" frr_bfd '.["remote-transmit-interval"] == 350 and .["remote-receive-interval"] == 400'
xrs_edit ".vnets[0].peerings[].bfd |= (.minTxMs = $MS | .minRxMs = $MS)"
check_soon "and back" peering_holds a ".bfd.detectionTimeUs == ${MS}000 * 3"
check_equal "no session went down meanwhile" "0 0" "$(downs a) $(downs b)"

# --- silence ------------------------------------------------------------------------------------------
kill -STOP "${PID[a]}"
check_soon "silence: BIRD is given up, BGP closed with Cease 6/10" peering_holds a '.state != "Established" and .bfdState == "Down" and
	.bfd.diag == "Control Detection Time Expired" and .notificationSent.code == 6 and .notificationSent.subcode == 10'
check_soon "silence: its routes are gone" peering_holds a '.pfxRcd == 0'
kill -CONT "${PID[a]}"
wait_up "silence is over" a
kill -STOP "${PID[b-bfdd]}"
check_soon "bfdd falls silent: BGP closed with Cease 6/10" peering_holds b '.notificationSent.code == 6 and .notificationSent.subcode == 10'
kill -CONT "${PID[b-bfdd]}"
wait_up "bfdd speaks again" b

# --- AdminDown ---------------------------------------------------------------------------------------------
run_logged ctl peering disable a
check_soon "peering disable: BIRD hears AdminDown" bird_bfd_is Down
check_peering "peering disable: BFD is AdminDown" a '.bfdState == "AdminDown" and .adminState == "disabled"'
run_logged ctl peering enable a
wait_up "peering enable" a
vtysh --vty_socket "$VTY" -d bfdd -c "configure terminal" -c bfd -c "profile peers" -c shutdown
check_soon "FRR shuts BFD down: known, and no failure" peering_holds b '.bfdState == "Down" and .bfd.remoteState == "AdminDown" and .state == "Established"'
vtysh --vty_socket "$VTY" -d bfdd -c "configure terminal" -c bfd -c "profile peers" -c "no shutdown"
wait_up "FRR starts BFD again" b

# --- strict -------------------------------------------------------------------------------------------------
xrs_peering a '.bfd.strict = true'
check "strict: what is up stays up" is_up a
bird_again ""
check_soon "strict: BIRD without BFD gets no session" peering_holds a '.state == "Idle" and .problem == "waits for BFD (bfd.strict)" and .adminState == "enabled"'
bird_again
wait_up "strict: BIRD with BFD gets one" a

# --- graceful restart (RFC 5882 4.3): BIRD's C bit is clear, so that Down may be its restart --------------------
bird_again "bfd on; graceful restart on;"
xrs_peering a '.bfd.strict = false | .bfd.honorGracefulRestart = true'
wait_up "honorGracefulRestart" a
check_peering "BIRD's C bit is clear" a '.bfd.remoteControlPlaneIndependent | not'
down=$(downs a)
kill -STOP "${PID[a]}"
check_soon "honorGracefulRestart: BIRD is silent, BFD goes down, BGP and its routes stay" peering_holds a '
	.bfdState == "Down" and .bfd.downs == '$((down + 1))' and .state == "Established" and .pfxRcd == 1'
kill -CONT "${PID[a]}"
xrs_peering a '.bfd.honorGracefulRestart = false'
wait_up "BIRD speaks again" a

# --- authentication ------------------------------------------------------------------------------------
(umask 077 && echo right >"$DIR/right.key" && echo wrong >"$DIR/wrong.key")
for type in simple:"simple" md5:"keyed md5" meticulous-md5:"meticulous keyed md5" sha1:"keyed sha1" \
	meticulous-sha1:"meticulous keyed sha1"; do
	bird_again "bfd on;" "authentication ${type#*:}; password \"right\" { id 7; };"
	xrs_peering a '.bfd.auth = { type: $t, keyId: 7, keyFile: $f }' --arg t "${type%%:*}" --arg f "$DIR/right.key"
	check_soon "authentication ${type%%:*}" bfd_is a Up
done
xrs_peering a '.bfd.auth.keyFile = $f' --arg f "$DIR/wrong.key"
check_soon "another key: down, and said why" peering_holds a '.bfdState == "Down" and .bfd.discarded["auth-digest"] > 0'
bird_again
xrs_peering a '.bfd.auth = { type: "none" } | .bfd.strict = false'
wait_up "without authentication again" a b

# --- the other way round ----------------------------------------------------------------------------------
BIRD_HOPS="multihop 4"
bird_again
run_logged vtysh --vty_socket "$VTY" -d bgpd -c "configure terminal" -c "router bgp ${ASN[b]}" -c "no neighbor $RS4 ebgp-multihop"
xrs_edit '.vnets[0].peerings[] |= (.bfd.multihop = (.name == "a"))'
wait_up "hops the other way round" a b
check_soon "FRR has a single-hop session" frr_bfd '.status == "up" and (.multihop | not)'
bird_multihop() { birdc -s "$DIR/a.ctl" show bfd sessions | grep -q "^$RS4 *--- *Up "; }
check_soon "BIRD has a multihop session" bird_multihop
check "both are what we think they are" eval 'ctl -j bfd list | jq -e "[.value[] | [.peering, .multihop]] | sort == [[\"a\", true], [\"b\", false]]"'
kill -STOP "${PID[a]}" "${PID[b-bfdd]}"
check_soon "BIRD falls silent over several hops" peering_holds a '.state != "Established" and .bfd.diag == "Control Detection Time Expired"'
check_soon "bfdd falls silent over one" peering_holds b '.state != "Established" and .bfd.diag == "Control Detection Time Expired"'
kill -CONT "${PID[a]}" "${PID[b-bfdd]}"
wait_up "both speak again" a b

# --- what becomes of us -----------------------------------------------------------------------------------
before=$(engine_pid)
kill -KILL "$before"
another_engine() { [ -n "$(engine_pid)" ] && [ "$(engine_pid)" != "$before" ]; }
check_soon "the engine is killed: another one runs" another_engine
wait_up "the engine is killed: BFD is back" a b

bird_again "bfd on; graceful restart on;"
stop_pid "$XRS_PID" KILL 2>/dev/null
check_soon "xrsd is killed: FRR hears AdminDown" frr_bfd '.["remote-diagnostic"] == "administratively down"'
xrs_start
wait_up "xrsd is started again" a b
finish
