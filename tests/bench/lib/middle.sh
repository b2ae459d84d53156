# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Who stands in the middle of tests/bench/failover.sh: xrsd, BIRD or FRR. Each has X_up [BFD], X_ready ROUTES (both
# appliances' routes are where packets find them), X_path (the appliance that serves the ping), X_down. And the
# appliances themselves. Sourced after lab.sh; PID and ASN are the caller's, prefixes in $DIR/prefixes.

prefixes() { # COUNT: /26s and the one that the ping is for
	awk -v n="$1" 'BEGIN { for (i = 0; i < n - 1; i++) print 32 + int(i / 65536) % 64 "." int(i / 256) % 256 "." i % 256 "." int(i / 4194304) * 64 "/" 26; print "203.0.113.0/24" }'
}

# Where the appliances look for the route server: FRR wants BFD peers on its own network.
route_server() { # SPEAKER
	RS=$([ "$1" = frr ] && echo 10.1.0.1 || echo $RS4)
}
route_server xrs

declare -A PREPEND=() # [NODE]: its paths are one AS longer
appliance() { # NODE
	{
		echo "router id ${IP4[$1]}; protocol device {} protocol static static4 { ipv4;"
		sed 's/.*/route & unreachable;/' "$DIR/prefixes"
		cat <<-END
		}
		protocol bgp xrs { local ${IP4[$1]} as ${ASN[$1]}; neighbor $RS as 65515; direct;
		  connect delay time 1; connect retry time 1; error wait time 1, 2; hold time 180; graceful restart off;
		  ipv4 { import none; export filter { if source != RTS_STATIC then reject;
		    ${PREPEND[$1]:+bgp_path.prepend(${ASN[$1]});} accept; }; }; }
		END
	} >"$DIR/$1.conf"
	spawn_in "$1" "bird-$1" bird -f -c "$DIR/$1.conf" -s "$DIR/$1.ctl" -P "$DIR/$1.pid"
	PID[$1]=$spawned
}

# BFD is a process of its own, another xrsd without BGP: an appliance is a machine of its own, and whatever the kernel
# does here for a million routes must not delay its packets. (BIRD's and bfdd's single threads are delayed.)
bfd_speaker() { # NODE
	jq -n --arg id "$ID-$1" --arg local "${IP4[$1]}" --arg rs "$RS" '{
	  node: { instance: $id, routerId: $local }, dataplane: { mode: "none" },
	  vnets: [ { name: "far", addressPrefixes: ["192.0.2.0/24"], routeServer: { asn: 65000, localAddress: $local, port: 1790 },
	    peerings: [ { name: "rs", peerAsn: 65515, peerIp: $rs, port: 1790, bfd: { enabled: true, minTxMs: 10, minRxMs: 10 } } ] } ] }' >"$DIR/$1-bfd.json"
	spawn_in "$1" "bfd-$1" "$XRSD" -c "$DIR/$1-bfd.json"
	PID[$1-bfd]=$spawned
}

# --- xrsd -------------------------------------------------------------------------------------------------
xrs_up() { # [BFD] ["NAME ASN ADDRESS" lines: more peerings]
	jq -n --arg id "$ID" --arg gw $GW --argjson bfd "$([ -n "${1-}" ] && echo true || echo false)" --arg more "${2-}" '{
	  node: { instance: $id, routerId: "10.1.255.4" },
	  vnets: [ { name: "prod", addressPrefixes: ["10.1.0.0/16"], gateway: { macs: [$gw] },
	    routeServer: { asn: 65515, localAddress: "10.1.255.4" },
	    peerings: [ ["fw", 65001, "10.1.2.4"], ["fw2", 65002, "10.1.2.5"],
	      ($more | split("\n")[] | select(. != "") | split(" ") | [.[0], (.[1] | tonumber), .[2]]) | {
	      name: .[0], peerAsn: .[1], peerIp: .[2], connectRetryTime: 1, families: ["ipv4-unicast"],
	      bfd: { enabled: $bfd, minTxMs: 10, minRxMs: 10 } } ] } ],
	  nics: [ { match: { name: "vm*" }, vnet: "prod" }, { match: { name: "fw*" }, vnet: "prod", role: "nva" } ] }' >"$CONF"
	xrs_start
	await_nic vm1 attached || abandon "nic vm1 is attached"
}
xrs_pending() { # map entries that wait to be written
	ctl metrics | sed -n 's/^xrs_fib_pending_entries //p'
}
xrs_ready() { # ROUTES
	ctl -j peering list | jq -e --argjson n "$1" '[.value[] | select(.pfxRcd == $n)] | length == 2' &&
		ctl -j bfd list | jq -e 'all(.value[]; .state == "Up" and .kernel)' && [ "$(xrs_pending)" = 0 ] &&
		ctl -j fib show | jq -e '[.value[] | select(.usable and .peering != "")] | length == 2' && [ "$(xrs_path)" != null ]
}
xrs_path() {
	ctl -j nic show-next-hop --name vm1 --destination-ip 203.0.113.10 --source-ip "${IP4[vm1]}" --protocol icmp | jq -r .peering
}
xrs_programmed() { # of the latest failure
	ctl -j timeline list | jq '[.value[] | select(.cause != "returned")] | last | .programmedUs'
}
xrs_down() {
	xrs_stop
	"$XRSCTL" dataplane detach --instance "$ID" >/dev/null
}

# --- BIRD ---------------------------------------------------------------------------------------------------
kernel_path() {
	in_ns host ip -4 route get 203.0.113.10 from "${IP4[vm1]}" iif br0 | awk -v a="${IP4[fw]}" -v b="${IP4[fw2]}" '
		/via/ { found = 1; print ($0 ~ a " ") ? "fw" : "fw2" } END { exit !found }'
}
kernel_has() { # PROTO ROUTES
	[ "$(in_ns host ip -4 route show proto "$1" | grep -c '^[0-9]')" -ge "$2" ] && kernel_path >/dev/null
}
bird_up() { # [BFD]
	cat >"$DIR/middle.conf" <<-END
	router id $RS4;
	protocol device {}
	$([ -z "${1-}" ] || echo 'protocol bfd { interface "*" { interval 10 ms; multiplier 3; }; }')
	protocol kernel { ipv4 { export all; import none; }; merge paths on limit 16; }
	$(for n in fw fw2; do
		echo "protocol bgp $n { local $RS4 as 65515; neighbor ${IP4[$n]} as ${ASN[$n]}; direct; ${1:+bfd on;}
		  connect delay time 1; connect retry time 1; error wait time 1, 2; hold time 180; graceful restart off;
		  ipv4 { import all; export none; }; }"
	done)
	END
	spawn_in host middle chrt -r 5 bird -f -c "$DIR/middle.conf" -s "$DIR/middle.ctl" -P "$DIR/middle.pid"
	PID[middle]=$spawned
}
bird_ready() { # ROUTES
	local n
	for n in fw fw2; do
		birdc -s "$DIR/middle.ctl" show protocols all $n | grep -q "Routes: *$1 imported" || return 1
	done
	kernel_has bird "$1"
}
bird_path() { kernel_path; }
bird_down() {
	stop_pid "${PID[middle]}" KILL
	unset "PID[middle]"
	in_ns host ip -4 route flush proto bird
	[ -z "$(in_ns host ip -4 route show proto bird)" ] || abandon "no route of BIRD is left"
}

# --- FRR ----------------------------------------------------------------------------------------------------
frr_up() { # [BFD]
	local daemon daemons='zebra bgpd' n
	VTY=$DIR/middle.vty
	chmod 755 "$DIR"
	mkdir -p "$VTY"
	{
		echo "hostname middle"
		echo "router bgp 65515"
		echo " bgp router-id $RS4"
		echo " no bgp ebgp-requires-policy"
		echo " no bgp network import-check"
		for n in fw fw2; do
			echo " neighbor ${IP4[$n]} remote-as ${ASN[$n]}"
			echo " neighbor ${IP4[$n]} timers connect 1"
			[ -z "${1-}" ] || echo " neighbor ${IP4[$n]} bfd profile fast"
		done
		[ -z "${1-}" ] || printf 'bfd\n profile fast\n  receive-interval 10\n  transmit-interval 10\n'
	} >"$VTY/frr.conf"
	chown -R frr:frr "$VTY"
	[ -z "${1-}" ] || daemons='zebra bfdd bgpd'
	for daemon in $daemons; do
		spawn_in host "frr-$daemon" $([ $daemon = bfdd ] && echo chrt -r 5) /usr/lib/frr/$daemon -f "$VTY/frr.conf" -i "$VTY/$daemon.pid" -z "$VTY/zserv" \
			--vty_socket "$VTY" $([ $daemon = bfdd ] && echo --bfdctl "$VTY/bfdd.sock") -P 0 --log stdout
		PID[middle-$daemon]=$spawned
		wait_for 20 "$daemon" test -S "$VTY/$daemon.vty" || abandon "$daemon starts"
	done
}
frr_ready() { # ROUTES
	vtysh --vty_socket "$VTY" -d bgpd -c "show bgp ipv4 unicast summary json" |
		jq -e --argjson n "$1" '[.peers[] | select(.pfxRcd == $n)] | length == 2' && kernel_has bgp "$1"
}
frr_path() { kernel_path; }
frr_down() {
	local daemon
	for daemon in bgpd bfdd zebra; do
		[ -z "${PID[middle-$daemon]-}" ] || stop_pid "${PID[middle-$daemon]}" KILL
		unset "PID[middle-$daemon]"
	done
	in_ns host ip nexthop flush >/dev/null 2>&1 # and the routes that lead to them
	in_ns host ip -4 route flush proto bgp >/dev/null 2>&1
	[ -z "$(in_ns host ip -4 route show proto bgp)" ] || abandon "no route of FRR is left"
}
