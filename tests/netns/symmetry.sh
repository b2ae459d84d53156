#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Both directions of a flow choose the same appliance on every host: two hosts learn the same prefixes from the
# same three appliances in opposite order. Their next hops have other numbers, and still every bucket holds the
# same appliance; the two directions of a flow, one sent on each host, meet at it.
#
#   host:  vm1 (10.240.0.4), xrsd 10.1.255.4          fw, fw2, fw3 on br0 of host: 10.240.0.0/16, 10.250.0.0/16
#   host2: tap t2 (10.250.0.77), xrsd 10.1.255.5, reached through br0
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

RS_2=10.1.255.5
NVAS="fw fw2 fw3"

peerings() { # NAMES...
	local name asn
	for name in "$@"; do
		case $name in fw) asn=65001 ;; fw2) asn=65002 ;; *) asn=65003 ;; esac
		echo "{ \"name\": \"$name\", \"peerAsn\": $asn, \"peerIp\": \"${IP4[$name]}\", \"connectRetryTime\": 1 }"
	done | paste -sd,
}
write_config() { # FILE INSTANCE ADDRESS NIC PEERINGS...
	cat >"$1" <<-END
	{ "node": { "instance": "$2", "routerId": "$3" },
	  "vnets": [ { "name": "prod", "addressPrefixes": ["10.1.0.0/16"], "gateway": { "macs": ["$GW"] },
	    "routeServer": { "localAddress": "$3" }, "peerings": [ $(peerings "${@:5}") ] } ],
	  "nics": [ { "match": { "name": "$4" }, "vnet": "prod" } ] }
	END
}
ctl2() { "$XRSCTL" -s "/run/$ID-2/xrs.sock" "$@"; }
learned() { # CTL N: so many appliances' routes are there
	[ "$("$1" -j route explain 10.250.0.0/16 | jq '[.candidates[] | select(.valid and .multipath)] | length')" -eq "$2" ]
}

lab_host
lab_bridge
for n in vm1 $NVAS; do veth_node $n; done
on_bridge vm1 $NVAS
MAC[host2]=02:00:00:00:09:02
new_ns host2
new_veth host2 h2
on_bridge h2
host_ip link set h2 up
set_sysctl host2 net.ipv4.ip_forward=1
run_logged ip -n "$ID-host2" addr add 10.1.0.2/16 dev eth0
run_logged ip -n "$ID-host2" addr add $RS_2/32 dev lo
run_logged ip -n "$ID-host2" link set eth0 up

for n in $NVAS; do
	announce $n 10.240.0.0/16
	announce $n 10.250.0.0/16
	RS2[$n]="$RS_2 65515 0"
done
# host hears fw, then fw2, then fw3; host2 is told of fw3 first, then fw2, then fw.
write_config "$CONF" "$ID" $RS4 vm1 $NVAS
xrs_start
nva_up fw 65001
wait_for $WAIT "fw at host" learned ctl 1 || abandon "host hears fw"
nva_up fw2 65002
wait_for $WAIT "fw2 at host" learned ctl 2 || abandon "host hears fw2"
nva_up fw3 65003
wait_for $WAIT "fw3 at host" learned ctl 3 || abandon "host hears fw3"
port_open vm1 vm1 pkt eth0
port_open t2 host2 tap t2
run_logged ip -n "$ID-host2" link set t2 up
for n in $NVAS; do port_open $n $n pkt eth0; done
write_config "$DIR/2.json" "$ID-2" $RS_2 t2 fw3
spawn_in host2 xrsd2 "$XRSD" -c "$DIR/2.json"
wait_for 20 "the second xrsd" ctl2 system info || abandon "the second xrsd starts"
wait_for $WAIT "fw3 at host2" learned ctl2 1 || abandon "host2 hears fw3"
write_config "$DIR/2.json" "$ID-2" $RS_2 t2 fw2 fw3
run_logged ctl2 config reload
wait_for $WAIT "fw2 at host2" learned ctl2 2 || abandon "host2 hears fw2"
write_config "$DIR/2.json" "$ID-2" $RS_2 t2 $NVAS
run_logged ctl2 config reload
wait_for $WAIT "fw at host2" learned ctl2 3 || abandon "host2 hears fw"
idle2() { ctl2 -j fib verify | jq -e '.pending == 0 and .missing == 0 and .differing == 0'; }
wait_for 20 "the maps of host2" idle2
await_fib

# --- buckets -------------------------------------------------------------------------------------------
ids() { # CTL: numbers of the next hops, in the order of their addresses
	"$1" -j fib show | jq -c '[.value | sort_by(.address)[] | .id]'
}
diag "numbers of fw, fw2, fw3: host $(ids ctl), host2 $(ids ctl2)"
check "the two hosts number the next hops differently" test "$(ids ctl)" != "$(ids ctl2)"
buckets() { # CTL INSTANCE: the appliance of each bucket, by address, as read with bpftool
	local group hops
	group=$("$1" -j route list --view fib --prefix 10.250.0.0/16 | jq '.value[0].group')
	hops=$("$1" -j fib show | jq -c '[.value[] | { key: (.id | tostring), value: .address }] | from_entries')
	bpftool -j map lookup pinned "/sys/fs/bpf/$2/maps/xrs_bucket" key $((group & 255)) $((group >> 8)) 0 0 |
		jq -c --argjson hops "$hops" '[(.formatted.value // .value).member[] | $hops[tostring]]'
}
buckets ctl "$ID" >"$DIR/buckets"
buckets ctl2 "$ID-2" >"$DIR/buckets2"
check_equal "256 buckets over three appliances" "256 3" "$(jq -r '"\(length) \(unique | length)"' "$DIR/buckets")"
check "every bucket holds the same appliance on both hosts" cmp "$DIR/buckets" "$DIR/buckets2"

# --- frames ----------------------------------------------------------------------------------------------
in_ns vm1 ping -q -c 1 -W 5 10.1.0.1 >/dev/null
for i in $(seq 1 40); do
	send vm1 vm1 id=$i src=10.240.0.4 dst=10.250.0.77 sport=$((20000 + i)) dport=443
	echo "send dmac=$GW smac=02:00:00:00:09:04 src=10.250.0.77 dst=10.240.0.4 id=$((100 + i)) sport=443 dport=$((20000 + i))" \
		>"$DIR/t2.in"
done
arrived_all() { [ "$(cat "$DIR"/fw{,2,3}.seen | grep -c '^id=')" -ge 80 ]; }
wait_for 10 "80 frames" arrived_all
pairs() { # of each flow: the appliance of one direction and of the other
	local n
	for n in $NVAS; do sed -n "s/^id=\([0-9]*\) .*/\1 $n/p" "$DIR/$n.seen"; done |
		awk '{ at[$1] = $2 } END { for (i = 1; i <= 40; i++) print at[i], at[i + 100] }'
}
check_equal "40 flows: both directions, each steered by another host, meet at one appliance" "40" \
	"$(pairs | awk '$1 != "" && $1 == $2' | wc -l)"
check_equal "and they are spread over all three" "3" "$(pairs | awk '{ print $1 }' | sort -u | wc -l)"

# --- one less --------------------------------------------------------------------------------------------
nva_down fw2 KILL
wait_for $WAIT "two left at host" learned ctl 2
wait_for $WAIT "two left at host2" learned ctl2 2
await_fib
wait_for 20 "the maps of host2" idle2
buckets ctl "$ID" >"$DIR/buckets-"
buckets ctl2 "$ID-2" >"$DIR/buckets2-"
check "without one of them the hosts agree again" cmp "$DIR/buckets-" "$DIR/buckets2-"
check_equal "and only its buckets moved" "0" "$(jq -n --slurpfile a "$DIR/buckets" --slurpfile b "$DIR/buckets-" \
	--arg gone "${IP4[fw2]}" '[range(256) | select($a[0][.] != $gone and $a[0][.] != $b[0][.])] | length')"
finish
