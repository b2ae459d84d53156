#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 1800
# No false alarm of BFD at 10 ms x 3 in XRS_QUIET_SECONDS (120), between two xrsd on one machine, while every
# core is busy and an appliance announces and withdraws XRS_QUIET_ROUTES (a million) routes. Each withdrawal has
# the kernel free a million nodes of a trie, in pieces of 5 to 50 ms during which no thread gets that processor.
# Printed: how many packets went out how late, by our engine and by the peer's, and how many the stand-in sent.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd bird birdc
LAST=${XRS_QUIET_SECONDS:-120}
N=${XRS_QUIET_ROUTES:-1000000}

bird_up() { # NODE ASN ROUTES-FILE
	cat >"$DIR/$1.conf" <<-END
	router id ${IP4[$1]};
	protocol device {}
	protocol static static4 { ipv4;
	$(sed 's/.*/route & unreachable;/' "$3") }
	protocol bgp xrs { local ${IP4[$1]} as $2; neighbor $RS4 as 65515; direct; hold time 180;
	  ipv4 { import none; export where source = RTS_STATIC; }; }
	END
	spawn_in "$1" "bird-$1" bird -f -c "$DIR/$1.conf" -s "$DIR/$1.ctl" -P "$DIR/$1.pid"
}
# Another xrsd, for its engine: BIRD at 10 ms misses its own deadlines on a machine that is as busy as this.
peer_up() {
	jq -n --arg id "$ID-peer" '{
	  node: { instance: $id, routerId: "10.1.2.4" }, dataplane: { mode: "none" },
	  vnets: [ { name: "far", addressPrefixes: ["203.0.113.0/24"],
	    routeServer: { asn: 65001, localAddress: "10.1.2.4" },
	    peerings: [ { name: "xrs", peerAsn: 65515, peerIp: "10.1.255.4", bfd: { enabled: true, minTxMs: 10, minRxMs: 10 } } ] } ] }' >"$DIR/peer.json"
	spawn_in fw peer "$XRSD" -c "$DIR/peer.json"
}
jq -n --arg id "$ID" --arg gw $GW '{
  node: { instance: $id, routerId: "10.1.255.4" },
  vnets: [ { name: "prod", addressPrefixes: ["10.1.0.0/16"], gateway: { macs: [$gw] },
    routeServer: { asn: 65515, localAddress: "10.1.255.4" },
    peerings: [
      { name: "fw", peerAsn: 65001, peerIp: "10.1.2.4", connectRetryTime: 1, bfd: { enabled: true, minTxMs: 10, minRxMs: 10 } },
      { name: "fw2", peerAsn: 65002, peerIp: "10.1.2.5", connectRetryTime: 1 } ] } ],
  nics: [ { match: { name: "vm*" }, vnet: "prod" }, { match: { name: "fw*" }, vnet: "prod", role: "nva" } ] }' >"$CONF"
awk -v n="$N" 'BEGIN { for (i = 0; i < n; i++) print 32 + int(i / 65536) % 64 "." int(i / 256) % 256 "." i % 256 "." int(i / 4194304) * 64 "/" 26 }' >"$DIR/many"

lab_host
lab_bridge
for n in vm1 fw fw2; do
	veth_node $n
	on_bridge $n
done
peer_up
bird_up fw2 65002 "$DIR/many"
xrs_start
bfd() { ctl -j bfd list | jq -r ".value[0] | $1"; }
is_up() { [ "$(bfd '[.state, (.kernel | tostring)] | join(" ")')" = "Up true" ]; }
check "BFD is Up" wait_for 60 "BFD" is_up || abandon "BFD comes up"
arrived() { ctl -j peering show --name fw2 | jq -e --argjson n "$N" '.pfxRcd == $n'; }
check "$N routes" wait_for 300 "$N routes" arrived
downs=$(bfd .downs)
[ "$(bfd .remoteState)" = Up ] || abandon "the peer says Up"
received=$(bfd .received)
for _ in $(seq "$(nproc)"); do spawn burn sh -c 'while :; do :; done'; done
end=$((SECONDS + LAST))
rounds=0
while [ "$SECONDS" -lt "$end" ]; do
	birdc -s "$DIR/fw2.ctl" disable static4 >/dev/null
	sleep 4
	birdc -s "$DIR/fw2.ctl" enable static4 >/dev/null
	sleep 6
	rounds=$((rounds + 1))
done
engine() { # INSTANCE NODE
	local ctl=("$XRSCTL" -s "/run/$1/xrs.sock")
	in_ns "$2" "${ctl[@]}" metrics | sed -n 's/^xrs_bfd_transmit_late_seconds_bucket{le="\(.*\)"} \(.*\)/\1 \2/p' |
		awk '{ printf "%s%s: %d", (NR > 1) ? ", " : "", ($1 == "+Inf") ? "later" : "<= " $1 * 1000 " ms", $2 - last; last = $2 } END { print "" }'
	in_ns "$2" "${ctl[@]}" -j bfd list | jq -r '.value[0] | "latest \(.sentLateMaxUs / 1000) ms, \(.sentByStandIn) of \(.sent) packets by the stand-in"'
}
diag "$LAST s, $rounds times $N routes gone and back, $(($(bfd .received) - received)) packets of the peer received, load $(cut -d' ' -f1-3 /proc/loadavg)"
diag "ours:       $(engine "$ID" host | paste -sd';')"
diag "the peer's: $(engine "$ID-peer" fw | paste -sd';')"
peer_downs() { in_ns fw "$XRSCTL" -s "/run/$ID-peer/xrs.sock" -j bfd list | jq '.value[0].downs'; }
check_equal "no false alarm" "0 0" "$(($(bfd .downs) - downs)) $(peer_downs)"
check "packets came all the time" test "$(($(bfd .received) - received))" -ge $((LAST * 50))
finish
