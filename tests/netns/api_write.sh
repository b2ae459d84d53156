#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Objects made through the API: they work like those of the file, are there after kill -9, are refused like
# those of the file, and touch nobody else's session. What the file holds the API does not change.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/mgmt.sh"

STATE=/var/lib/$ID/state.json
mgmt_lab
mgmt_config a
xrs_start
bird_start a "10.250.0.0/16"
bird_start b "10.251.0.0/16"
await_peers a

established() { ctl -j peering show --name "$1" | jq -r .connectionsEstablished; }
field() { ctl -j "${@:2}" | jq -r "$1"; } # JQ COMMAND...
refused() { # NAME EXIT CODE JQ COMMAND...: exit status, code, and a condition on the error
	local name=$1 status=$2 code=$3 condition=$4
	shift 4
	ctl -j "$@" >"$DIR/answer" 2>"$DIR/complaint"
	check_equal "$name: exit status" "$status" $?
	check "$name: $code" jq -e ".error.code == $code and ($condition)" "$DIR/answer" ||
		diag "$(cat "$DIR/answer")"
}
unchanged() { # NAME: state.json is as it was
	check_equal "$1" "$state_before" "$(cat "$STATE")"
}

# --- peerings ------------------------------------------------------------------------------------------
check "a peering is made" run_logged ctl peering create b --peer-asn "${ASN[b]}" --peer-ip "${IP4[b]}" \
	--connect-retry-time 1
await_peers b
await_route 10.251.0.0/16 b
check_equal "it is the API's" api "$(field .managedBy peering show --name b)"
check_equal "the other is the file's" file "$(field .managedBy peering show --name a)"
check "state.json holds it" jq -e '.vnets[0].name == "prod" and .vnets[0].peerings[0].name == "b"' "$STATE"
check_equal "for its owner only" 600 "$(stat -c %a "$STATE")"
check_equal "a was not touched" 1 "$(established a)"
state_before=$(cat "$STATE")
refused "the same name again" 1 -32002 '.error.data.reason == "AlreadyExists"' \
	peering create b --peer-asn 65009 --peer-ip 10.1.2.9
refused "the name of one of the file" 1 -32002 true peering create a --peer-asn 65009 --peer-ip 10.1.2.9
refused "a reserved AS number" 1 -32602 '.error.data.field == "peerAsn"' \
	peering create c --peer-asn 0 --peer-ip 10.1.2.6
refused "an address that is taken" 1 -32602 '.error.data.field == "peerIp"' \
	peering create c --peer-asn 65003 --peer-ip "${IP4[a]}"
refused "a route map that does not exist" 1 -32602 '.error.data.field == "inboundRouteMap"' \
	peering create c --peer-asn 65003 --peer-ip 10.1.2.6 --inbound-route-map nope
refused "a nested value" 1 -32602 '.error.data.field == "bfd.minTxMs"' \
	peering create c --peer-asn 65003 --peer-ip 10.1.2.6 --bfd '{"minTxMs":1}'
refused "a key that does not exist" 1 -32602 '.error.data.didYouMean == "holdTime"' \
	peering create c --peer-asn 65003 --peer-ip 10.1.2.6 --hold-tim 9
refused "a key that is missing" 1 -32602 '.error.message | contains("peerIp")' peering create c --peer-asn 65003
refused "another vnet" 4 -32001 '.error.data.didYouMean == "prod"' \
	peering create c --peer-asn 65003 --peer-ip 10.1.2.6 --vnet pord
refused "deleting one of the file" 1 -32004 '.error.data.reason == "ManagedByFile"' peering delete a
refused "deleting one that is not there" 4 -32001 '.error.data.didYouMean == "b"' peering delete bb
unchanged "all of this changed nothing"
check_equal "nor a's session" 1 "$(established a)"
refused "on the socket that is read only" 1 -32003 true -s "/run/$ID/xrs-ro.sock" peering delete b

# --- what an operator did --------------------------------------------------------------------------------
check "a peering is disabled by hand" run_logged ctl peering disable b
disabled() { [ "$(field '"\(.adminState) \(.state)"' peering show --name b)" = "disabled Idle" ]; }
check "is down" wait_for 10 "b to be Idle" disabled
edit_config '.log.level = "info"'
check "a reload for another reason" run_logged ctl config reload
check "leaves it down" disabled
check "until it is enabled" run_logged ctl peering enable b
await_peers b

# --- reload and kill -9 -----------------------------------------------------------------------------------
edit_config '.log.level = "debug"'
check "a reload of the file" run_logged ctl config reload
check_equal "leaves b" Established "$(state_of b)"
check_equal "and its session" 2 "$(established b)"
edit_config '.vnets[0].peerings += [{ name: "b", peerAsn: 65009, peerIp: "10.1.2.9" }]'
check "the file gets one of the same name" run_logged ctl config reload
check_equal "it wins" file "$(field .managedBy peering show --name b)"
check "and the other is warned about" jq -e '.warnings | any(contains("made through the API"))' \
	<(ctl -j config show)
mgmt_config a
run_logged ctl config reload
check_equal "without it b is the API's again" api "$(field .managedBy peering show --name b)"
kill -KILL "$XRS_PID"
wait "$XRS_PID" 2>/dev/null
xrs_start
await_peers a b
check_equal "after kill -9 b is there, the API's" api "$(field .managedBy peering show --name b)"
"$XRSD" -t -c "$CONF" >/dev/null 2>"$DIR/tested"
check_equal "xrsd -t looks at both together" 0 $?

# --- user routes and tables ------------------------------------------------------------------------------------
check "a user route in main" run_logged ctl route create 203.0.113.0/24 \
	--next-hop-type VirtualAppliance --next-hop-ip-address "${IP4[a]}"
check_equal "is in the table" "203.0.113.0/24 api" "$(field '.routes[0] | "\(.addressPrefix) \(.managedBy)"' route-table show main)"
check "and in the effective routes" jq -e '.effective[0].source == "User"' <(ctl -j route explain 203.0.113.0/24)
refused "the same prefix again" 1 -32002 true route create 203.0.113.0/24 --next-hop-type None
refused "host bits" 1 -32602 '.error.data.field == "addressPrefix"' route create 203.0.113.1/24 --next-hop-type None
refused "a next hop that goes with no type" 1 -32602 '.error.data.field == "nextHopIpAddress"' \
	route create 203.0.114.0/24 --next-hop-type None --next-hop-ip-address 10.1.2.4
check "a route table" run_logged ctl route-table create dmz --disable-bgp-route-propagation true
check_equal "as it was asked for" true "$(field .disableBgpRoutePropagation route-table show dmz)"
check "is changed" run_logged ctl route-table update dmz --disable-bgp-route-propagation false
check_equal "at once" false "$(field .disableBgpRoutePropagation route-table show dmz)"
check "a route in it" run_logged ctl route create 0.0.0.0/0 --next-hop-type None --route-table dmz
check "goes" run_logged ctl route delete 0.0.0.0/0 --route-table dmz
refused "twice is once too often" 4 -32001 true route delete 0.0.0.0/0 --route-table dmz
edit_config '.nics = [ { match: { name: "tap*" }, vnet: "prod", routeTable: "dmz" } ]'
check "a nic rule of the file refers to it" run_logged ctl config reload
refused "then it can not be deleted" 1 -32006 '.error.message | contains("nics[0].routeTable")' route-table delete dmz
mgmt_config a
run_logged ctl config reload
check "without the rule it can" run_logged ctl route-table delete dmz
check "the user route goes" run_logged ctl route delete 203.0.113.0/24
edit_config '.vnets[0].routeTables = [ { name: "main", routes: [ { addressPrefix: "203.0.113.0/24", nextHopType: "None" } ] } ]'
run_logged ctl config reload
refused "a user route of the file" 1 -32004 true route delete 203.0.113.0/24
refused "the file's table" 1 -32004 true route-table update main --allow-own-prefixes true
check "a route of the API beside it" run_logged ctl route create 203.0.114.0/24 --next-hop-type None
mgmt_config a
run_logged ctl config reload
check_equal "stays when the file's table goes" "203.0.114.0/24" "$(field '[.routes[].addressPrefix] | join(" ")' route-table show main)"

# --- vnets and route servers --------------------------------------------------------------------------------------
check "a vnet with a route server" run_logged ctl vnet create lab --address-prefixes 10.2.0.0/16,fd00:2::/48 \
	--route-server '{"asn":65010,"localAddress":"10.1.2.6"}'
check_equal "is there" "10.2.0.0/16 fd00:2::/48" "$(field '.addressPrefixes | join(" ")' vnet show lab)"
refused "overlapping prefixes" 1 -32602 '.error.data.field | startswith("addressPrefixes")' \
	vnet create lab2 --address-prefixes 10.3.0.0/16,10.3.1.0/24
refused "now the vnet has to be said" 1 -32602 '.error.data.field == "vnet"' route create 10.0.0.0/8 --next-hop-type None
check "a peering in it" run_logged ctl peering create x --vnet lab --peer-asn 65003 --peer-ip 10.1.2.4 --port 1790
refused "then it can not be deleted" 1 -32006 true vnet delete lab
check "its route server's settings" run_logged ctl routeserver update lab --allow-branch-to-branch-traffic true \
	--hub-routing-preference ASPath
check_equal "are in force" "true ASPath" "$(field '"\(.allowBranchToBranchTraffic) \(.hubRoutingPreference)"' routeserver show lab)"
check "so are those of the file's vnet that the file does not set" \
	run_logged ctl routeserver update prod --allow-branch-to-branch-traffic true
check_equal "no session was touched by all this" "1 1" "$(established a) $(established b)"
edit_config '.vnets[0].routeServer.allowBranchToBranchTraffic = false'
run_logged ctl config reload
check_equal "the file wins where it sets one" false "$(field .allowBranchToBranchTraffic routeserver show prod)"
refused "and then the API does not" 1 -32004 '.error.data.field == "allowBranchToBranchTraffic"' \
	routeserver update prod --allow-branch-to-branch-traffic true
refused "a value that does not exist" 1 -32602 '.error.data.didYouMean == "ASPath"' \
	routeserver update prod --hub-routing-preference ASpath
check "the peering goes" run_logged ctl peering delete x
check "and the vnet" run_logged ctl vnet delete lab
refused "the file's vnet does not" 1 -32004 true vnet delete prod
check "b goes as well" run_logged ctl peering delete b
gone() { [ "$(ctl -j route list | jq '[.value[] | select(.prefix == "10.251.0.0/16")] | length')" = 0 ]; }
check "with its routes" wait_for 10 "the routes of b to go" gone
check_equal "a is as it was at the beginning" 1 "$(established a)"

# --- a state file that can not be used ---------------------------------------------------------------------------------
stop_pid "$XRS_PID"
echo '{ "version": 1, "vnets": [ { "name": "prod", "peerings": 7 } ] }' >"$STATE"
"$XRSD" -c "$CONF" >"$DIR/damaged" 2>&1
check_equal "xrsd does not start with a damaged state.json" 1 $?
check "and says what to do" grep -q "state.json.*is damaged.*remove it" "$DIR/damaged"
check_not "nor does xrsd -t accept it" "$XRSD" -t -c "$CONF"
finish
