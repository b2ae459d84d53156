# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The speakers that bgp.sh measures, and the network between them and the peers. A SPEAKER defines:
#   <speaker>_there          the program is installed
#   <speaker>_start PEERS    spawn it in namespace rs for peers 10.9.1.1 .. (AS 64601 ..), process in SPEAKER_PID
# Each peers with all, tells everybody what it learned (an ordinary eBGP speaker: its ASN in front), and
# writes nothing into the kernel.

RS=10.9.0.1
ASN=65515

peer_ip() { # INDEX from 1: consecutive addresses
	echo "10.9.$((1 + $1 / 256)).$(($1 % 256))"
}

bench_network() { # PEERS: namespaces rs and peers, a veth between them, an address for each peer
	local i
	ns_add rs peers
	ip -n "$ID-rs" link add rs0 type veth peer name eth0 netns "$ID-peers"
	ip -n "$ID-rs" addr add $RS/16 dev rs0
	ip -n "$ID-rs" link set rs0 up
	ip -n "$ID-peers" link set eth0 up
	for ((i = 1; i <= $1; i++)); do
		echo "addr add $(peer_ip $i)/16 dev eth0"
	done >"$DIR/addresses"
	ip -n "$ID-peers" -batch "$DIR/addresses" || abandon "addresses of the peers"
}

each_peer() { # PEERS COMMAND...: with INDEX IP ASN behind
	local n=$1 i
	shift
	for ((i = 1; i <= n; i++)); do
		"$@" "$i" "$(peer_ip $i)" $((64600 + i))
	done
}

# --- XRS ---------------------------------------------------------------------------------------

xrs_peering() { # INDEX IP ASN
	cat <<-END
	$([ "$1" = 1 ] || echo ,)
	{ "name": "p$1", "peerAsn": $3, "peerIp": "$2", "passive": true,
	  "families": ["ipv4-unicast"], "advertise": { "vnetPrefixes": false } }
	END
}

xrs_config() { # PEERS MODE
	cat <<-END
	{ "node": { "instance": "$ID", "routerId": "$RS" },
	  "dataplane": { "mode": "$2" },
	  "vnets": [ { "name": "bench", "addressPrefixes": ["10.9.0.0/16"],
	    "routeServer": { "asn": $ASN, "localAddress": "$RS" },
	    "peerings": [ $(each_peer "$1" xrs_peering) ] } ],
	  "log": { "level": "${XRS_BENCH_LOG:-warn}" } }
	END
}

xrs_there() { [ -x "$XRSD" ]; }
xrs_start() { # PEERS [MODE]
	xrs_config "$1" "${2:-none}" >"$DIR/xrs.json"
	spawn xrs nsenter --net="/run/netns/$ID-rs" "$XRSD" -c "$DIR/xrs.json"
	SPEAKER_PID=$spawned
	wait_for 20 "xrsd" test -S "/run/$ID/xrs.sock"
}

# The same with maps: bench_bgp looks into the trie.
xrsbpf_there() { [ -x "$XRSD" ]; }
xrsbpf_start() { # PEERS
	xrs_start "$1" auto && wait_for 20 "the trie" test -e "/sys/fs/bpf/$ID/tables/bench.main.v4"
}

# --- BIRD --------------------------------------------------------------------------------------

bird_peering() { # INDEX IP ASN
	echo "protocol bgp p$1 from peers { neighbor $2 as $3; }"
}

bird_there() { PATH=$PATH:/usr/sbin command -v bird >/dev/null; }
bird_start() { # PEERS
	cat >"$DIR/bird.conf" <<-END
	log stderr { fatal, error };
	router id $RS;
	protocol device {}
	template bgp peers { local $RS as $ASN; passive on; ipv4 { import all; export all; }; }
	$(each_peer "$1" bird_peering)
	END
	spawn -n rs bird bird -f -c "$DIR/bird.conf" -s "$DIR/bird.ctl" -P "$DIR/bird.pid"
	SPEAKER_PID=$spawned
}

# --- FRR: bgpd alone ----------------------------------------------------------------------------

frr_peering() { # INDEX IP ASN
	echo " neighbor $2 remote-as $3"
	echo " neighbor $2 passive"
	echo " neighbor $2 disable-connected-check"
	echo " neighbor $2 advertisement-interval 0"
}

frr_there() { [ -x /usr/lib/frr/bgpd ]; }
frr_start() { # PEERS
	mkdir -p "$DIR/frr"
	cat >"$DIR/frr/bgpd.conf" <<-END
	router bgp $ASN
	 bgp router-id $RS
	 no bgp ebgp-requires-policy
	$(each_peer "$1" frr_peering)
	END
	chown -R frr:frr "$DIR/frr"
	chmod 711 "$DIR"
	spawn -n rs frr /usr/lib/frr/bgpd -f "$DIR/frr/bgpd.conf" -i "$DIR/frr/bgpd.pid" \
		--vty_socket "$DIR/frr" -n -Z -P 0 --log stdout --log-level err
	SPEAKER_PID=$spawned
}

# --- OpenBGPD ------------------------------------------------------------------------------------

openbgpd_peering() { # INDEX IP ASN
	printf 'neighbor %s {\n\tremote-as %s\n\tpassive\n}\n' "$2" "$3"
}

openbgpd_there() { [ -x /usr/sbin/bgpd ] && [ -x /usr/sbin/bgpctl ]; }
openbgpd_start() { # PEERS
	cat >"$DIR/openbgpd.conf" <<-END
	AS $ASN
	router-id $RS
	fib-update no
	listen on $RS
	socket "$DIR/openbgpd.sock"
	$(each_peer "$1" openbgpd_peering)
	allow from any
	allow to any
	END
	chmod 600 "$DIR/openbgpd.conf"
	mkdir -p "$(getent passwd _openbgpd | cut -d: -f6)" # where it locks itself in
	spawn -n rs openbgpd /usr/sbin/bgpd -d -f "$DIR/openbgpd.conf"
	SPEAKER_PID=$spawned
}

# --- GoBGP ---------------------------------------------------------------------------------------

gobgp_peering() { # INDEX IP ASN
	cat <<-END
	[[neighbors]]
	  [neighbors.config]
	    neighbor-address = "$2"
	    peer-as = $3
	  [neighbors.transport.config]
	    local-address = "$RS"
	    passive-mode = true
	END
}

gobgp_there() { command -v gobgpd >/dev/null; }
gobgp_start() { # PEERS
	{
		printf '[global.config]\n  as = %s\n  router-id = "%s"\n' $ASN $RS
		each_peer "$1" gobgp_peering
	} >"$DIR/gobgp.conf"
	spawn -n rs gobgp gobgpd -f "$DIR/gobgp.conf" -p --pprof-disable --api-hosts 127.0.0.1:50051 \
		--log-level error
	SPEAKER_PID=$spawned
}

# --- the bare mirror: for latency only -----------------------------------------------------------

mirror_there() { true; }
mirror_start() { # PEERS
	spawn -n rs mirror "$BENCH" mirror --local $RS
	SPEAKER_PID=$spawned
}
