#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# mrt.dump: bgpdump reads every path, of both families, as it was received.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/mgmt.sh"
need_cmd bgpdump

mgmt_lab
mgmt_config a b
edit_config '.vnets[0].addressPrefixes += ["fd00:1::/48"] | .vnets[0].routeServer.localAddress6 = "fd00:1::4"
	| .vnets[0].peerings[0].families = ["ipv4-unicast", "ipv6-unicast"]
	| .vnets[0].routeMaps = [ { name: "m", rules: [ { modify: { med: 99, asPath: { prepend: [65002] } } } ] } ]
	| .vnets[0].peerings[1].inboundRouteMap = "m"'
xrs_start
cat >"$DIR/host.a.conf" <<-END
log stderr all; router id ${IP4[a]}; protocol device {}
protocol static { ipv4; route 10.250.0.0/16 unreachable; }
protocol static { ipv6; route 2001:db8:1::/48 unreachable; route ::/0 unreachable; }
filter announced {
  if source != RTS_STATIC then reject;
  if net = 10.250.0.0/16 then { bgp_med = 7; bgp_community.add((65001,100)); bgp_community.add((65535,65281));
    bgp_large_community.add((65001,1,2)); bgp_path.prepend(4200000001); bgp_origin = ORIGIN_EGP; }
  accept; }
protocol bgp xrs { local ${IP4[a]} as ${ASN[a]}; neighbor $RS4 as 65515; multihop; strict bind;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 { import all; export filter announced; };
  ipv6 { import all; export filter announced; next hop address fd00:1::2:4; }; }
END
spawn bird-a nsenter --net="/run/netns/$ID-host" bird -f -c "$DIR/host.a.conf" -s "$DIR/host.a.ctl"
bird_start b "10.250.0.0/16" "10.252.0.0/16"
await_peers a b
await_route 10.252.0.0/16 b
await_route 2001:db8:1::/48 a
await_route 10.250.0.0/16 a

check "a dump" run_logged ctl -j mrt dump table.mrt
cp "$DIR/.out" "$DIR/answered"
check "says what is in it" jq -e --arg p "/var/lib/$ID/mrt/table.mrt" '.path == $p and .complete and .prefixes == 4
	and .paths == 5 and .skipped == 0 and .bytes > 100' "$DIR/answered"
FILE=/var/lib/$ID/mrt/table.mrt
check_equal "as many octets as the file has" "$(stat -c %s "$FILE")" "$(jq .bytes "$DIR/answered")"
bgpdump -m "$FILE" >"$DIR/dump" 2>"$DIR/dump.err"
check_equal "bgpdump reads it: exit status" 0 $?
check_equal "a line for each path" 5 "$(wc -l <"$DIR/dump")"
# TABLE_DUMP2|time|B|peer|AS|prefix|AS path|origin|next hop|localpref|med|communities|...
row() { # PEER PREFIX: from the AS path on
	awk -F'|' -v p="$1" -v n="$2" '$4 == p && $6 == n' "$DIR/dump" | cut -d'|' -f5,7-12
}
check_equal "every attribute as it was received" "65001|65001 4200000001|EGP|10.1.2.4|0|7|65001:100 no-export" \
	"$(row 10.1.2.4 10.250.0.0/16 | sed 's/ *$//')"
check "large communities too" grep -q 'LARGE_COMMUNITY: 65001:1:2' <(bgpdump "$FILE" 2>/dev/null)
check_equal "before the inbound map" "65002|65002|IGP|10.1.2.5|0|0|" "$(row 10.1.2.5 10.250.0.0/16)"
check_equal "IPv6, with its next hop" "65001|65001|IGP|fd00:1::2:4|0|0|" "$(row 10.1.2.4 2001:db8:1::/48)"
check_equal "a default route" "65001|65001|IGP|fd00:1::2:4|0|0|" "$(row 10.1.2.4 ::/0)"
check_not "nothing is left beside it" ls "/var/lib/$ID/mrt/table.mrt."*
for name in ../state.json /etc/passwd .hidden "" "a b"; do
	ctl -j rpc mrt.dump "$(jq -nc --arg f "$name" '{ file: $f }')" >"$DIR/answer" 2>/dev/null
	check "a name that is none: '$name'" jq -e '.error.data.field == "file"' "$DIR/answer"
done
finish
