#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# A configuration of nothing but what has no default: a vnet and who its appliance is. Route server,
# router id, source address and next hop are found by xrsd.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
. "$TOP/tests/netns/lib/nva.sh"

lab_host
lab_bridge
veth_node fw
on_bridge fw
RS4=10.1.0.1 # the address from which the kernel reaches the appliance
cat >"$CONF" <<-END
{ "node": { "instance": "$ID" },
  "vnets": [ { "name": "prod", "addressPrefixes": ["10.1.0.0/16"],
    "peerings": [ { "name": "fw", "peerAsn": 65001, "peerIp": "${IP4[fw]}" } ] } ] }
END
announce fw 10.250.0.0/16
nva_up fw 65001
xrs_start
await_established fw
check_equal "our AS number and address" '[65515,"10.1.0.1"]' "$(peering fw '[.localAsn, .localAddress]')"
check_equal "the router id is the lowest address of the host" '"10.1.0.1"' "$(peering fw .routerId)"
check_soon "the vnet is announced with that address as next hop" \
	same_output "10.1.0.0/16 via 10.1.0.1 path 65515" told_of fw 10.1.0.0/16
check_equal "what the appliance announced is learned" '["10.250.0.0/16"]' \
	"$(ctl -j peering list-learned-routes --name fw | jq -c '[.value[].network]')"

reload_with '.vnets[0].addressPrefixes += ["10.9.0.0/16"]'
check_soon "a reload keeps the session and the identifier" \
	same_output "10.9.0.0/16 via 10.1.0.1 path 65515" told_of fw 10.9.0.0/16
check_equal "it never went down" 0 "$(peering fw .connectionsDropped)"
finish
