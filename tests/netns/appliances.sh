#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Several appliances for one prefix: equal AS_PATH lengths share, a prepended path waits, a withdrawal moves.
# A next hop that is neither (a load balancer) is honoured; NO_ADVERTISE is used and not told. Limits count
# what is held. Learned and advertised routes and metrics by Azure's names.
#
#   vm1, fw (AS 65001), fw2 (AS 65002), lb 10.1.2.6 (no BGP); one bridge, 10.1.0.0/16 and fd00:1::/48
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

A=${IP4[fw]} B=${IP4[fw2]} LB=${IP4[fw3]}

write_config() {
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "vnets": [ {
	    "name": "prod", "addressPrefixes": ["10.1.0.0/16", "fd00:1::/48"], "gateway": { "macs": ["$GW"] },
	    "routeServer": { "localAddress": "$RS4", "localAddress6": "fd00:1::4" },
	    "peerings": [
	      { "name": "fw", "peerAsn": 65001, "peerIp": "$A", "connectRetryTime": 1,
	        "families": ["ipv4-unicast", "ipv6-unicast"] },
	      { "name": "fw2", "peerAsn": 65002, "peerIp": "$B", "connectRetryTime": 1,
	        "families": ["ipv4-unicast", "ipv6-unicast"],
	        "maxPrefixes": { "limit": 11, "action": "shutdown" } } ]
	  } ],
	  "nics": [ { "match": { "name": "vm1" }, "vnet": "prod" },
	            { "match": { "name": "fw*" }, "vnet": "prod", "role": "nva" } ]
	}
	END
}

lab_host
lab_bridge
host_ip addr add fd00:1::4/128 dev lo
for n in vm1 fw fw2 fw3; do veth_node $n; done
on_bridge vm1 fw fw2 fw3
for n in fw fw2; do
	announce $n 10.250.0.0/16
	announce $n fd77::/48
done
announce fw 10.251.0.0/16
announce fw2 10.251.0.0/16 prepend=2
announce fw 10.252.0.0/16 nexthop=$LB
announce fw2 10.252.0.0/16 nexthop=$LB
announce fw 10.253.0.0/16 community=65535:65282
announce fw 10.249.0.0/16 nexthop=10.9.9.9
write_config
xrs_start
await_nic vm1 attached || abandon "vm1 is attached"
nva_up fw 65001
nva_up fw2 65002
await_established fw fw2
for n in vm1 fw fw2 fw3; do
	port_open $n $n pkt eth0
	in_ns $n ping -q -c 1 -W 5 10.1.0.1 >/dev/null
	in_ns $n ping -q -c 1 -W 5 fd00:1::1 >/dev/null
done
ACTIVE="VirtualNetworkGateway Active VirtualNetworkGateway"

spread() { # send|send6 DST: 64 flows; prints how many of them each of fw, fw2 and fw3 has got
	await_fib
	forget fw fw2 fw3
	"$1" vm1 vm1 id=1 count=64 step=1 sport=20001 dport=443 dst="$2"
	all() { [ "$(cat "$DIR"/fw{,2,3}.seen | grep -c "^id=.* dst=$1 ")" -ge 64 ]; }
	wait_for 10 "64 frames" all "$2" >/dev/null
	for n in fw fw2 fw3; do
		seen_count $n "^id=.* dst=$2 "
	done | xargs
}

# --- active-active -------------------------------------------------------------------------------------
check_routes "equal AS_PATH lengths share" vm1 10.250.0.0/16 "$ACTIVE $A,$B"
read -r a b c < <(spread send 10.250.0.77)
check "64 flows are spread: fw $a, fw2 $b" test "$a" -ge 10 -a "$b" -ge 10 -a $((a + b)) -eq 64 -a "$c" -eq 0
check_routes "IPv6 too" vm1 fd77::/48 "$ACTIVE ${IP6[fw]},${IP6[fw2]}"
read -r a b c < <(spread send6 fd77::77)
check "IPv6: fw $a, fw2 $b" test "$a" -ge 10 -a "$b" -ge 10 -a $((a + b)) -eq 64
withdraw fw2 10.250.0.0/16
check_routes "one withdraws: the other has it alone" vm1 10.250.0.0/16 "$ACTIVE $A"
check_equal "and all flows" "64 0 0" "$(spread send 10.250.0.77)"
announce fw2 10.250.0.0/16
check_routes "announced again it shares again" vm1 10.250.0.0/16 "$ACTIVE $A,$B"

# --- unequal links: 1 Gbit/s and 250 Mbit/s (draft-ietf-idr-link-bandwidth) --------------------------------
buckets() {
	ctl -j nic list-effective-routes --name vm1 | jq -c --arg p "$1" '.value[] |
		select(.addressPrefix == $p and .state == "Active") | .nextHopBuckets'
}
share() { buckets 10.248.0.0/16 | jq -e '(add == 256) and (.[0] > 170) and (.[1] > 25) and (.[0] > 2.5 * .[1])'; }
announce fw 10.248.0.0/16 bandwidth=0x4cee6b28
announce fw2 10.248.0.0/16 bandwidth=0x4bee6b28
check_routes "link bandwidths: both serve" vm1 10.248.0.0/16 "$ACTIVE $A,$B"
check_soon "four times the bandwidth, four times the buckets" share
read -r a b c < <(spread send 10.248.0.77)
check "64 flows: fw $a, fw2 $b" test "$a" -gt "$b" -a "$b" -ge 3 -a $((a + b)) -eq 64
withdraw fw 10.248.0.0/16
withdraw fw2 10.248.0.0/16

# --- active-passive ------------------------------------------------------------------------------------
check_routes "a prepended path waits" vm1 10.251.0.0/16 "$ACTIVE $A"
check_equal "without a frame" "64 0 0" "$(spread send 10.251.0.77)"
withdraw fw 10.251.0.0/16
check_routes "until the other withdraws" vm1 10.251.0.0/16 "$ACTIVE $B"
check_equal "then all flows move" "0 64 0" "$(spread send 10.251.0.77)"
announce fw 10.251.0.0/16
check_routes "and back" vm1 10.251.0.0/16 "$ACTIVE $A"
check_equal "with their frames" "64 0 0" "$(spread send 10.251.0.77)"

# --- a load balancer in front ----------------------------------------------------------------------------
check_routes "a next hop that neither of them is: the load balancer" vm1 10.252.0.0/16 "$ACTIVE $LB"
check_equal "gets the frames" "0 0 64" "$(spread send 10.252.0.77)"
check_soon "and is told to the other as it is" same_output "10.252.0.0/16 via $LB path 65515 65001" \
	told_of fw2 10.252.0.0/16
withdraw fw 10.252.0.0/16
check_routes "one of the two withdraws: nothing changes" vm1 10.252.0.0/16 "$ACTIVE $LB"
reason() { ctl -j peering list-learned-routes --name fw --prefix 10.249.0.0/16 | jq -r '.value[].installReason'; }
check_soon "a next hop that nobody can reach is not used, and says so" same_output NextHopUnresolved reason
check_routes "and the VM has no such route" vm1 10.249.0.0/16 ""

# --- NO_ADVERTISE ------------------------------------------------------------------------------------------
check_routes "NO_ADVERTISE: used for the VMs" vm1 10.253.0.0/16 "$ACTIVE $A"
check_not "not told to another appliance" told_of fw2 10.253.0.0/16

# --- limits ----------------------------------------------------------------------------------------------------
since=$(peering fw2 .establishedTime)
for i in 1 2 3 4 5 6 7 8; do announce fw2 10.2$i.0.0/16; done
counts() { peering fw2 '.families[] | select(.family == "ipv4-unicast") | .received'; }
check_soon "eleven prefixes of a limit of eleven, IPv6 counted by itself" same_output 11 counts
for i in 1 2 3 4 5 6 7 8; do
	sed -i "s,^10.2$i.0.0/16 .*,10.2$i.0.0/16 med=$i ," "$DIR/fw2.routes"
done
nva_reconfigure fw2
meds() { ctl -j peering list-learned-routes --name fw2 | jq '[.value[].med // 0] | add'; }
check_soon "announced again with other attributes" same_output 36 meds
check_equal "they count once, and the session stays" "11 $since" "$(counts) $(peering fw2 .establishedTime)"
check "azureShadowCount says what Azure would have counted: above the limit" test \
	"$(peering fw2 '[.families[].azureShadowCount] | max')" -gt 11
announce fw2 10.29.0.0/16
closed() { peering fw2 '.state != "Established" and .lastReset.notification.code == 6 and
	.lastReset.notification.subcode == 1' | grep -q true; }
check_soon "the twelfth closes the session, Cease 6/1" closed
check_routes "its share moves to the other" vm1 10.250.0.0/16 "$ACTIVE $A"

# --- Azure's words ------------------------------------------------------------------------------------------------
azure() { ctl peering "$1" --name fw --azure | jq -S -c "$2"; }
check_equal "list-learned-routes --azure: both instances" '["RouteServiceRole_IN_0","RouteServiceRole_IN_1"]' \
	"$(azure list-learned-routes keys)"
check_equal "each route with Azure's members" \
	"{\"asPath\":\"65001\",\"localAddress\":\"$RS4\",\"network\":\"10.250.0.0/16\",\"nextHop\":\"$A\",\"origin\":\"EBgp\",\"sourcePeer\":\"$A\",\"weight\":32768}" \
	"$(azure list-learned-routes '.RouteServiceRole_IN_0[] | select(.network == "10.250.0.0/16")')"
check_equal "list-advertised-routes --azure" \
	"{\"asPath\":\"65515\",\"localAddress\":\"$RS4\",\"network\":\"10.1.0.0/16\",\"nextHop\":\"$RS4\",\"origin\":\"Igp\",\"weight\":0}" \
	"$(azure list-advertised-routes '.RouteServiceRole_IN_1[] | select(.network == "10.1.0.0/16")')"
metric() { ctl metrics | grep "^$1{bgppeerip=\"$A\"" | awk '{ print $2 }'; }
check_equal "BgpPeerStatus, CountOfRoutesLearnedFromPeer, CountOfRoutesAdvertisedToPeer" \
	"1 $(peering fw .pfxRcd) $(peering fw .pfxSnt)" \
	"$(metric BgpPeerStatus) $(metric CountOfRoutesLearnedFromPeer) $(metric CountOfRoutesAdvertisedToPeer)"
finish
