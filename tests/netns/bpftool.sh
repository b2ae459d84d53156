#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# What a person sees who has bpftool and no source of ours: names, addresses and prefixes in every map,
# and each bpftool line of xrs-bpf(7) as it stands there.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd bird
MAN=$TOP/deploy/man/xrs-bpf.7
need_file "$MAN"

cat >"$CONF" <<-END
{
  "node": { "instance": "$ID", "routerId": "$RS4" },
  "vnets": [ {
    "name": "prod",
    "addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"],
    "routeServer": { "asn": 65515, "localAddress": "$RS4", "localAddress6": "fd00:1::4" },
    "peerings": [ { "name": "sdwan-a", "peerAsn": 65002, "peerIp": "${IP4[fw]}", "connectRetryTime": 1,
        "families": ["ipv4-unicast", "ipv6-unicast"] } ],
    "routeTables": [ { "name": "dmz", "routes": [
        { "addressPrefix": "198.51.100.0/24", "nextHopType": "None" } ] } ]
  } ],
  "nics": [ { "match": { "name": ["vm*", "tap*"] }, "vnet": "prod" } ]
}
END
cat >"$DIR/fw.conf" <<-END
router id ${IP4[fw]};
protocol device {}
protocol static { ipv4; route 10.250.0.0/16 unreachable; }
protocol static { ipv6; route fd00:250::/32 unreachable; }
protocol bgp xrs {
  local ${IP4[fw]} as 65002; neighbor $RS4 as 65515; multihop 4; connect delay time 1;
  ipv4 { import none; export where source = RTS_STATIC; next hop self; };
  ipv6 { import none; export where source = RTS_STATIC; next hop address ${IP6[fw]}; };
}
END

lab_host
lab_bridge
veth_node vm1
veth_node fw
on_bridge vm1 fw
port_open tap0 host tap tap0
host_ip link set tap0 master br0 up
xrs_start
spawn_in fw bird bird -f -c "$DIR/fw.conf" -s "$DIR/fw.ctl" -P "$DIR/fw.pid"
learned() { ctl -j peering show --name sdwan-a | jq -e '.pfxAccepted == 2'; }
wait_for 30 "two routes" learned || abandon "two routes are learned"
await_nic vm1 attached || abandon "vm1 is attached"
await_nic tap0 attached || abandon "tap0 is attached"
await_way "${IP4[fw]}" bridge
await_way "${IP6[fw]}" bridge
await_fib
in_ns vm1 ping -q -c 1 -W 5 10.1.0.1 >/dev/null
port_open vm1 vm1 pkt eth0
port_open fw fw pkt eth0
send vm1 vm1 id=1 count=10 dst=10.250.0.10
wait_for 10 "ten frames" arrived fw 10 '^id='

dump() { bpftool -j map dump pinned "$PINS/$1"; }
holds() { # PIN JQ-CONDITION: on .[].formatted
	dump "$1" | jq -e "[.[].formatted] | $2" >/dev/null || {
		dump "$1" | jq -c '.[].formatted' | head -n 20
		return 1
	}
}
plain() { # PIN TEXT...: all texts stand in the dump as a person sees it
	local pin=$1 text
	shift
	bpftool map dump pinned "$PINS/$pin" >"$DIR/dump" || return
	for text in "$@"; do
		grep -qF -- "$text" "$DIR/dump" || {
			echo "'$text' is not in:"
			head -n 60 "$DIR/dump"
			return 1
		}
	done
}

check "the table's trie names prefix, kind, source" holds tables/prod.main.v4 \
	'any(.key == { prefixlen: 16, addr: [10, 250, 0, 0] } and .value.kind == "XRS_ROUTE_STEER"
		and .value.prefix_len == 16 and .value.group > 0)'
check "in plain text as well" plain tables/prod.main.v4 '"addr": [10,250,0,0' 'XRS_ROUTE_STEER' 'XRS_ROUTE_LOCAL'
check "system routes are there by their kinds" holds tables/prod.main.v4 \
	'any(.key.addr == [10, 1, 0, 0] and .value.kind == "XRS_ROUTE_LOCAL") and
	 any(.key.prefixlen == 0 and .value.kind == "XRS_ROUTE_INTERNET") and
	 any(.key.addr == [169, 254, 0, 0] and .value.kind == "XRS_ROUTE_PROTECTED")'
check "IPv6 has a trie of its own" holds tables/prod.main.v6 \
	'any(.key.prefixlen == 32 and .key.addr[0:4] == [253, 0, 2, 80] and .value.kind == "XRS_ROUTE_STEER")'
check "every route table has its tries" \
	holds tables/prod.dmz.v4 'any(.key.addr == [198, 51, 100, 0] and .value.kind == "XRS_ROUTE_DROP")'
echoes() { # a lookup answers with the longest prefix and says which
	bpftool -j map lookup pinned "$PINS/tables/prod.main.v4" key 32 0 0 0 10 250 3 4 |
		jq -e '.formatted.value | .prefix_len == 16 and .kind == "XRS_ROUTE_STEER"'
}
check "a lookup of an address answers with the matched prefix_len" echoes
check "the next hop names its peering, vnet, way, address, MAC" holds maps/xrs_nexthop \
	'any(.value | .way == "XRS_WAY_BRIDGE" and .family == 4 and .addr[0:4] == [10, 1, 2, 4]
		and .dmac == [2, 0, 0, 0, 2, 4] and .peering == "sdwan-a" and .vnet == "prod")'
check "in plain text as well" plain maps/xrs_nexthop '"peering": "sdwan-a"' XRS_WAY_BRIDGE '"addr": [10,1,2,4'
chain() { # table -> group -> bucket -> next hop, as a person follows it
	local group hop
	group=$(dump tables/prod.main.v4 | jq '.[].formatted | select(.key.addr == [10, 250, 0, 0]) | .value.group')
	hop=$(bpftool -j map lookup pinned "$PINS/maps/xrs_group" key "$group" 0 0 0 |
		jq '.formatted.value | select(.n_members == 1 and .n_alive == 1) | .member[0]')
	bpftool -j map lookup pinned "$PINS/maps/xrs_bucket" key "$group" 0 0 0 |
		jq -e --argjson h "$hop" '.formatted.value.member | length == 256 and all(. == $h)' &&
		bpftool -j map lookup pinned "$PINS/maps/xrs_nexthop" key "$hop" 0 0 0 |
		jq -e '.formatted.value.addr[0:4] == [10, 1, 2, 4]' &&
		bpftool -j map lookup pinned "$PINS/maps/xrs_nh_stats" key "$hop" 0 0 0 |
		jq -e '[.formatted.values[].value.packets] | add >= 10'
}
check "from the prefix to the group, its 256 buckets, the next hop and its packets" chain
index=$(nic vm1 .ifindex)
check "the nic by its ifindex: name, role, gateway MAC" holds maps/xrs_nic \
	"any(.key.ifindex == $index and .value.name == \"vm1\" and .value.role == \"XRS_NIC_VM\"
		and .value.n_gateway_macs == 2 and (.value.gateway_mac | index([[2, 0, 0, 0, 0, 1]])))"
LAYOUT=$(sed -n 's/^#define XRS_LAYOUT_VERSION //p' "$TOP/include/dataplane.h")
check "the layout's version" holds maps/xrs_meta ".[0].value | .layout_version == $LAYOUT and .generation >= 1"
check "every map is pinned under its name" sh -c \
	"for m in $PINS/maps/*; do bpftool -j map show pinned \$m | jq -e --arg n \${m##*/} '.name == \$n' || exit 1; done"
names() { ls "$PINS/maps" | xargs; }
check_equal "all that the manual names, no other" \
	"xrs_bfd xrs_bfd_peer xrs_bucket xrs_devmap xrs_drain xrs_fast_head xrs_fast_large xrs_fast_middle xrs_fast_small xrs_group xrs_host xrs_icmp xrs_layout xrs_learned xrs_meta xrs_near xrs_nexthop xrs_nh_stats xrs_nic xrs_route_stats xrs_snoop xrs_snoop_nic xrs_stats xrs_table xrs_table6 xrs_trace xrs_trace_due xrs_trace_rule xrs_vni" "$(names)"

# The lines of the manual, for this instance; in the namespace, because devices are named.
n=0
while read -r line; do
	n=$((n + 1))
	shown=$line
	line=${line//\/sys\/fs\/bpf\/xrs\//$PINS/}
	says_something() { in_ns host sh -c "$line" >"$DIR/said" && [ -s "$DIR/said" ]; }
	check "xrs-bpf(7): $shown" says_something
done < <(sed -n 's/^\.Dl \(bpftool .*\)/\1/p' "$MAN")
check "the manual has such a line for each map" test "$n" -ge 11
finish
