#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Persist: what a route table does when the last appliance of a prefix is lost. It falls back to the next
# candidate (system), sends on to it for some seconds (hold) or until told (holdUntilTold), or drops, without one
# packet that goes elsewhere meanwhile. A prefix that an appliance takes back is not lost.
#
#   vm1 (table told), vm2 (table drop), taps t-sys (main) and t-hold; fw AS 65001, fw2 AS 65002; 10.1.0.0/16
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

FW=${IP4[fw]} FW2=${IP4[fw2]}

write_config() {
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "vnets": [ {
	    "name": "prod", "addressPrefixes": ["10.1.0.0/16"], "gateway": { "macs": ["$GW"] },
	    "routeServer": { "localAddress": "$RS4" },
	    "peerings": [
	      { "name": "fw", "peerAsn": 65001, "peerIp": "$FW", "connectRetryTime": 1 },
	      { "name": "fw2", "peerAsn": 65002, "peerIp": "$FW2", "connectRetryTime": 1 } ],
	    "routeTables": [
	      { "name": "hold", "persist": { "action": "hold", "seconds": 3 } },
	      { "name": "told", "persist": { "action": "holdUntilTold" } },
	      { "name": "drop", "persist": { "action": "drop" } } ]
	  } ],
	  "nics": [ { "match": { "name": "vm1" }, "vnet": "prod", "routeTable": "told" },
	            { "match": { "name": "vm2" }, "vnet": "prod", "routeTable": "drop" },
	            { "match": { "name": "t-hold" }, "vnet": "prod", "routeTable": "hold" },
	            { "match": { "name": "t-sys" }, "vnet": "prod" } ]
	}
	END
}

lab_host
lab_bridge
for n in vm1 vm2 fw fw2; do veth_node $n; done
on_bridge vm1 vm2 fw fw2
for n in t-hold t-sys; do host_ip tuntap add dev $n mode tap; done
# Many prefixes before those that are looked at, so that it takes the RIB a while to get to these.
awk 'BEGIN { for (i = 0; i < 1500; i++) printf "100.%d.%d.0/24\n", 64 + i / 256, i % 256 }' >"$DIR/fw.bulk"
announce fw2 10.251.0.0/16
write_config
xrs_start
for n in vm1 vm2 t-hold t-sys; do await_nic $n attached || abandon "$n is attached"; done
nva_up fw 65001
nva_up fw2 65002
await_established fw fw2
announce fw 0.0.0.0/0
announce fw 10.250.0.0/16
announce fw 10.251.0.0/16
for n in vm1 vm2 fw fw2; do
	port_open $n $n pkt eth0
	in_ns $n ping -q -c 1 -W 5 10.1.0.1 >/dev/null
done
A="VirtualNetworkGateway Active VirtualNetworkGateway"
for n in vm1 vm2 t-hold t-sys; do
	check_routes "$n: the appliance's route" $n 10.250.0.0/16 "$A $FW"
done
await_fib

# --- the appliance is lost -----------------------------------------------------------------------------
# vm2 sends all the while: not one of its frames may take the way to the Internet.
count_from vm2
nva_down fw KILL &
lost() { [ "$(ctl -j peering show --name fw | jq -r .state)" != Established ]; }
until lost; do send vm2 vm2 id=10000 count=1000 dst=10.250.0.1; done
send vm2 vm2 id=10000 count=1000 dst=10.250.0.1
wait $!
check_routes "holdUntilTold: Active still, and says why" vm1 10.250.0.0/16 "$A $FW Held"
check_routes "drop: Active, drops" vm2 10.250.0.0/16 "VirtualNetworkGateway Active None Lost"
check_routes "system: the route is gone" t-sys 10.250.0.0/16 ""
check_routes "and Internet is the default again" t-sys 0.0.0.0/0 "Default Active Internet"
check_routes "drop stands before Internet" vm2 0.0.0.0/0 \
	"VirtualNetworkGateway Active None Lost; Default Invalid Internet BgpRoute"
check_routes "a prefix with another path moves, in every table" vm2 10.251.0.0/16 "$A $FW2"
check_routes "and is not held" vm1 10.251.0.0/16 "$A $FW2"
await_fib
send vm2 vm2 id=20000 count=5 dst=10.250.0.1
sent vm2
check_counted "drop: not a frame leaked while the appliance died" vm2 internet=0 no_nexthop=0 no_route=0
dropped() { [ $(($(counter vm2 none) - $(jq .none "$DIR/.counters-vm2"))) -ge 5 ]; }
check_soon "and they are dropped now" dropped
send vm1 vm1 id=1 dst=10.250.0.1
wait_for 5 "frame 1" seen fw 1 >/dev/null
check "holdUntilTold: frames still reach the appliance" seen fw 1
check_routes "hold: over after its time" t-hold 10.250.0.0/16 ""
check_routes "and the default route too" t-hold 0.0.0.0/0 "Default Active Internet"
check_equal "route-table show says how many are held" "0 1502 1502" "$(for t in hold told drop; do
	ctl -j route-table show --name $t | jq .persist.held; done | xargs)"
check_equal "config diff of the same configuration: what is held stays held" 0 \
	"$(ctl -j config diff "$CONF" | jq .routesChanged)"

# --- over a restart ----------------------------------------------------------------------------------------
xrs_stop KILL
edit_config '.vnets[0].peerings[0].enabled = false' # or the sweep would wait for it for three minutes
xrs_start
swept() { ctl -j fib show | jq -e .sweepDone; }
wait_for $WAIT "the sweep after the restart" swept || abandon "the sweep after the restart"
await_fib
check_routes "holdUntilTold survives kill -9 and a new start" vm1 10.250.0.0/16 "$A $FW Held"
check_routes "drop as well" vm2 10.250.0.0/16 "VirtualNetworkGateway Active None Lost"
send vm1 vm1 id=2 dst=10.250.0.1
wait_for 5 "frame 2" seen fw 2 >/dev/null
check "and frames go where they went" seen fw 2

# --- it returns -------------------------------------------------------------------------------------------------
reload_with '.vnets[0].peerings[0].enabled = true'
nva_up fw 65001
await_established fw
for n in vm1 vm2 t-hold t-sys; do
	check_routes "$n: the appliance is back, and with it its route" $n 10.250.0.0/16 "$A $FW"
done
withdraw fw 10.250.0.0/16
for n in vm1 vm2 t-hold t-sys; do
	check_routes "$n: a prefix that it takes back is not lost" $n 10.250.0.0/16 ""
done
announce fw 10.250.0.0/16
check_routes "announced again" vm1 10.250.0.0/16 "$A $FW"
host_ip link set fw down
check_routes "its port goes down, while the session does not know yet: lost, and dropped" vm2 10.250.0.0/16 \
	"VirtualNetworkGateway Active None Lost"
host_ip link set fw up
check_routes "the port is back, and so is the route" vm2 10.250.0.0/16 "$A $FW"
nva_down fw KILL
check_routes "lost again" vm1 10.250.0.0/16 "$A $FW Held"
check "told by hand: one prefix" ctl route-table release --name told --prefix 10.250.0.0/16
check_routes "it falls back" vm1 10.250.0.0/16 ""
check_routes "the rest is held on" vm1 0.0.0.0/0 "$A $FW Held; Default Invalid Internet BgpRoute"
reload_with '.vnets[0].routeTables[1].persist.action = "system"'
check_routes "a table that persists no more lets go of all" vm1 0.0.0.0/0 "Default Active Internet"
reload_with 'del(.vnets[0].peerings[0])'
check_routes "what is dropped stays so when the lost peering is deleted, until told" vm2 10.250.0.0/16 \
	"VirtualNetworkGateway Active None Lost"
run_logged ctl route-table release --name drop
check_routes "and then it falls back" vm2 0.0.0.0/0 "Default Active Internet"
await_fib
finish
