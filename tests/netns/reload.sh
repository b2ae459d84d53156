#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A changed configuration reaches the frames without a gap, by `xrsctl config reload` and by SIGHUP; one
# with an error changes nothing and says where it is wrong.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"

write_config() {
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID" },
	  "dataplane": { "mode": "auto" },
	  "vnets": [ {
	    "name": "prod",
	    "addressPrefixes": ["10.1.0.0/16"],
	    "gateway": { "macs": ["$GW"] },
	    "routeTables": [
	      { "name": "main", "routes": [
	        { "addressPrefix": "203.0.113.0/24", "nextHopType": "VirtualAppliance",
	          "nextHopIpAddress": "${IP4[fw]}" } ] },
	      { "name": "dmz", "routes": [
	        { "addressPrefix": "203.0.113.0/24", "nextHopType": "VirtualAppliance",
	          "nextHopIpAddress": "${IP4[fw2]}" } ] }
	    ]
	  } ],
	  "nics": [ { "match": { "name": ["vm*"] }, "vnet": "prod", "routeTable": "main" } ]
	}
	END
}
ROUTE='.vnets[0].routeTables[0].routes[0]'
reload() { run_logged ctl -j config reload; }
reloads() { ctl metrics | sed -n 's/^xrs_config_reloads_total //p'; }
failures() { ctl metrics | sed -n 's/^xrs_config_reload_failures_total //p'; }
hup() { # and wait until it has read the file
	local before
	before=$(($(reloads) + $(failures)))
	kill -HUP "$XRS_PID"
	read_again() { [ $(($(reloads) + $(failures))) -gt "$before" ]; }
	wait_for 10 "SIGHUP to be obeyed" read_again
}
_id=0
goes_to() { # PORT: a frame of vm1 to 203.0.113.10 arrives there
	_id=$((_id + 1))
	await_fib
	send vm1 vm1 id=$_id dst=203.0.113.10
	wait_for 5 "frame $_id at $1" seen "$1" $_id
}
state() { # what must not change: the routes in the maps, nics, links
	ctl -j nic list-effective-routes --name vm1 | jq -c '.value | map(del(.packets, .bytes))'
	ctl -j nic list | jq -c '[.value[] | [.name, .routeTable, .linkId, .attachState]]'
	ls "$PINS/tables" "$PINS/links"
}

lab_host
lab_bridge
veth_node vm1
veth_node fw
veth_node fw2
on_bridge vm1 fw fw2
run_logged ip -n "$ID-fw" addr add 203.0.113.10/32 dev lo
run_logged ip -n "$ID-fw2" addr add 203.0.113.10/32 dev lo
write_config
xrs_start
await_nic vm1 attached || abandon "vm1 is attached"
for n in vm1 fw fw2; do port_open $n $n pkt eth0; done
in_ns vm1 ping -q -c 1 -W 5 10.1.0.1 >/dev/null
await_way "${IP4[fw]}" bridge
await_way "${IP4[fw2]}" bridge
link=$(link_id vm1)
prog=$(nic vm1 .progId)
check "before: to fw" goes_to fw

# --- routes ----------------------------------------------------------------------------------------
edit_config "$ROUTE.nextHopIpAddress = \"${IP4[fw2]}\""
check "xrsctl config reload" reload
check "the route's new next hop receives" goes_to fw2
edit_config "$ROUTE.nextHopIpAddress = \"${IP4[fw]}\""
hup
check "SIGHUP does the same: back to fw" goes_to fw
edit_config "$ROUTE = { addressPrefix: \"203.0.113.0/24\", nextHopType: \"None\" }"
check "a route that becomes None" reload
count_from vm1
send vm1 vm1 id=900 count=5 dst=203.0.113.10
sent vm1
drops() { [ $(($(counter vm1 none) - $(jq .none "$DIR/.counters-vm1"))) -eq 5 ]; }
check "drops" wait_for 5 "five drops" drops
edit_config '.vnets[0].routeTables[0].routes = []'
check "a route that goes" reload
await_fib
count_from vm1
send vm1 vm1 id=910 count=5 dst=203.0.113.10
sent vm1
passes() { [ $(($(counter vm1 internet) - $(jq .internet "$DIR/.counters-vm1"))) -eq 5 ]; }
check "leaves the frames to the system route: Internet" wait_for 5 "five passes" passes

# --- nic rules -----------------------------------------------------------------------------------------
write_config
edit_config '.nics[0].routeTable = "dmz"'
check "a nic rule with another route table" reload
check_equal "nic show names it" dmz "$(nic vm1 .routeTable)"
check "the frames follow" goes_to fw2
write_config
edit_config '.nics = [ { match: { name: "vm1" }, vnet: "prod", routeTable: "main" } ] + .nics'
check "a rule that stands before" reload
check "wins" goes_to fw
check_equal "through all this it is one XDP link" "$link" "$(link_id vm1)"
check_equal "and one program" "$prog" "$(nic vm1 .progId)"
check_equal "attached once" 1 "$(grep -c 'nic=vm1 .* attached' "$DIR/xrsd.log")"

edit_config '.nics = [ { match: { name: ["!vm1", "vm*"] }, vnet: "prod" } ]'
check "a rule that excludes it" reload
gone() { ! ctl -j nic show --name vm1 && [ ! -e "$PINS/links/vm1" ]; }
check "takes it out" wait_for 5 "no nic" gone
write_config
check "the rule as it was" reload
check "attaches it" await_nic vm1 attached
check "and steers" goes_to fw
link=$(link_id vm1)

# --- vnets and tables ------------------------------------------------------------------------------------
edit_config '.vnets += [ { name: "spoke", addressPrefixes: ["10.2.0.0/16"] } ]
	| .nics += [ { match: { name: "sp*" }, vnet: "spoke" } ]'
check "a vnet more" reload
host_ip tuntap add dev sp1 mode tap
check "takes nics" await_nic sp1 attached
pins() { ls "$PINS/tables" | xargs; }
check_equal "its tables are pinned" "prod.dmz.v4 prod.dmz.v6 prod.main.v4 prod.main.v6 spoke.main.v4 spoke.main.v6" "$(pins)"
write_config
edit_config 'del(.vnets[0].routeTables[1])'
check "one vnet and one route table less" reload
only_main() { [ "$(pins)" = "prod.main.v4 prod.main.v6" ]; }
check "their tables are gone" wait_for 10 "the pins to go" only_main
no_sp1() { ! ctl -j nic show --name sp1 && [ ! -e "$PINS/links/sp1" ]; }
check "and the vnet's nic is none any more" wait_for 5 "no nic sp1" no_sp1
check "the rest steers on" goes_to fw
write_config
check "back to the first configuration" reload

# --- under traffic --------------------------------------------------------------------------------------
in_ns vm1 ping -q -n -i 0.001 -c 4000 -W 2 203.0.113.10 >"$DIR/ping" 2>&1 &
ping=$!
for i in 1 2 3 4 5 6; do
	write_config
	[ $((i % 2)) -eq 0 ] || edit_config ".vnets[0].routeTables[1].routes += [range(250) |
		{ addressPrefix: \"100.64.\\(.).0/24\", nextHopType: \"VirtualAppliance\", nextHopIpAddress: \"${IP4[fw2]}\" }]
		| .vnets[0].addressPrefixes += [\"10.3.0.0/16\"]"
	reload
	await_fib
done
wait $ping
check "six reloads while 4,000 packets pass at 1,000 a second: none is lost" \
	grep -q '4000 packets transmitted, 4000 received' "$DIR/ping"
diag "$(tail -n 2 "$DIR/ping" | head -n 1)"
check_equal "one link all the while" "$link" "$(link_id vm1)"

# --- errors --------------------------------------------------------------------------------------------------
# Refused by reload, by SIGHUP and by xrsd -t, each naming the place; and nothing has changed.
refused() { # NAME TEXT...: each TEXT is in the answer
	local name=$1 text before
	shift
	before=$(state)
	ctl config reload >"$DIR/answer" 2>&1
	check_equal "$name: refused" 1 $?
	for text in "$@"; do
		check "$name: says '$text'" grep -qF -- "$text" "$DIR/answer" || diag "$(cat "$DIR/answer")"
	done
	: >"$DIR/xrsd.log"
	hup
	check "$name: SIGHUP logs the same" grep -F -- "$1" "$DIR/xrsd.log"
	check_equal "$name: nothing has changed" "$before" "$(state)"
}
tested() { # NAME TEXT...
	local name=$1 text
	shift
	"$XRSD" -t -c "$CONF" >"$DIR/answer" 2>&1
	check_equal "$name: xrsd -t ends with 1" 1 $?
	for text in "$@"; do
		check "$name: xrsd -t says '$text'" grep -qF -- "$text" "$DIR/answer" || diag "$(cat "$DIR/answer")"
	done
}
line_of() { grep -n -- "$1" "$CONF" | head -n 1 | cut -d: -f1; }

sed -i 's/"nextHopType": "VirtualAppliance"/"nextHopTyp": "VirtualAppliance"/' "$CONF"
at="$CONF:$(line_of nextHopTyp)"
refused "a key that does not exist" "$at" "routeTables[0].routes[0].nextHopTyp" nextHopType
tested "a key that does not exist" "$at" "routeTables[0].routes[0].nextHopTyp" nextHopType
write_config
sed -i 's/"routeTable": "main"/"routeTable": "mian"/' "$CONF"
refused "a name that nothing has" "$CONF:$(line_of mian)" "nics[0].routeTable" main
write_config
sed -i 's,"203.0.113.0/24","203.0.113.7/24",' "$CONF"
tested "host bits" "$CONF:$(line_of 203.0.113.7)" "routes[0].addressPrefix" "203.0.113.0/24"
write_config
sed -i 's/"name": "prod",/"name": "prod"/' "$CONF"
refused "no JSON" "$CONF:"
write_config
edit_config '.node.instance = "other"'
refused "another instance" "node.instance"
write_config
edit_config '.dataplane.mode = "tc"'
refused "another mode" "dataplane.mode"
mv "$CONF" "$CONF.away"
refused "no file" "$CONF" "No such file"
tested "no file" "$CONF" "No such file"
write_config
check "xrsd -t on a good file" "$XRSD" -t -c "$CONF"
check_equal "says so" "$CONF: ok" "$("$XRSD" -t -c "$CONF" 2>/dev/null)"
"$XRSD" -q >/dev/null 2>&1
check_equal "wrong usage ends with 2" 2 $?
check "after all errors a good file is applied" reload
check "and frames are steered as at the beginning" goes_to fw
finish
