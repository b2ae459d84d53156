#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Interfaces that come, go, are renamed and moved: attached before their first frame, forgotten without
# a trace, and never touched when no rule wants them.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"

cat >"$CONF" <<-END
{
  "node": { "instance": "$ID" },
  "dataplane": { "mode": "native" },
  "vnets": [ {
    "name": "prod",
    "addressPrefixes": ["10.1.0.0/16"],
    "gateway": { "macs": ["$GW"] },
    "routeTables": [
      { "name": "main", "routes": [ { "addressPrefix": "203.0.113.0/24",
          "nextHopType": "VirtualAppliance", "nextHopIpAddress": "${IP4[fw]}" } ] },
      { "name": "closed", "routes": [ { "addressPrefix": "203.0.113.0/24", "nextHopType": "None" } ] }
    ]
  } ],
  "nics": [ { "match": { "name": ["!vm-own*", "vm*"] }, "vnet": "prod" },
            { "match": { "name": "dmz*" }, "vnet": "prod", "routeTable": "closed" },
            { "match": { "kind": "tun", "ifAlias": "guest *" }, "vnet": "prod" } ]
}
END

lab_host
lab_bridge
veth_node fw
on_bridge fw
xrs_start
port_open fw fw pkt eth0
for n in vm1 vm2 left; do new_ns $n; done

in_map() { # NAME: the entry of the nic with this name
	bpftool -j map dump pinned "$PINS/maps/xrs_nic" |
		jq -ce --arg n "$1" '.[].formatted | select(.value.name == $n)'
}
map_size() { bpftool -j map dump pinned "$PINS/maps/xrs_nic" | jq length; }
no_trace() { # NAME: neither nic nor pin nor map entry
	! ctl -j nic show --name "$1" >/dev/null && [ ! -e "$PINS/links/$1" ] &&
		[ ! -e "$PINS/links/$1:tc" ] && ! in_map "$1"
}
pinned() { [ -e "$PINS/links/$1" ] && [ -e "$PINS/links/$1:tc" ]; }
xdp_of() { ip -n "$ID-$1" -j link show dev "$2" | jq -r '.[0].xdp.prog.id // "none"'; }
steers() { # PORT NODE ID: one frame from there reaches fw
	send "$1" "$2" id="$3" dst=203.0.113.10
	wait_for 5 "frame $3 at fw" seen fw "$3"
}
await_way_up() { await_way "${IP4[fw]}" "$1"; }

# --- comes ---------------------------------------------------------------------------------------
check_equal "there is no nic yet" 0 "$(ctl -j nic list | jq '.value | length')"
new_veth vm1
check "a veth that appears is attached while it is still down" await_nic vm1 attached
check "its links are pinned under its name" pinned vm1
check "its entry names it" in_map vm1
on_bridge vm1
run_logged ip -n "$ID-vm1" addr add "${IP4[vm1]}/16" dev eth0
port_open vm1 vm1 pkt eth0
await_way_up bridge
# Both ends go up and the frame follows at once: what is sent first must be steered.
host_ip link set vm1 up
ip -n "$ID-vm1" link set eth0 up
send vm1 vm1 id=1 dst=203.0.113.10
wait_for 5 "the first frame" seen fw 1 >/dev/null
check_equal "its very first frame is steered" 1 "$(seen_count fw '^id=1 .*ttl=63')"
check_equal "and nothing that came before was missed" 1 "$(counter vm1 bridged)"

port_open vmtap host tap vmtap
check "a tap is attached as soon as its hypervisor makes it" await_nic vmtap attached
host_ip link set vmtap master br0 up
check "it steers" steers vmtap vm2 2

# --- is renamed ------------------------------------------------------------------------------------
id=$(link_id vm1)
index=$(nic vm1 .ifindex)
host_ip link set vm1 down
host_ip link set vm1 name vm-renamed
host_ip link set vm-renamed up
check "a rename is followed" await_nic vm-renamed attached
check_equal "it is the same link, under the new name" "$id" "$(link_id vm-renamed)"
check_equal "of the same interface" "$index" "$(nic vm-renamed .ifindex)"
check "nothing is left under the old name" no_trace vm1
check "the map's entry follows" in_map vm-renamed
check_equal "its counters went along" 1 "$(counter vm-renamed bridged)"
check "and it still steers" steers vm1 vm1 3

host_ip link set vm-renamed down
host_ip link set vm-renamed name dmz1
host_ip link set dmz1 up
check "renamed into another rule: attached there" await_nic dmz1 attached
check_equal "with that rule's route table" closed "$(nic dmz1 .routeTable)"
count_from dmz1
send vm1 vm1 id=4 count=3 dst=203.0.113.10
sent vm1
dropped() { [ "$(counter dmz1 none)" -ge 3 ]; }
check "which drops" wait_for 5 "three drops" dropped

host_ip link set dmz1 down
host_ip link set dmz1 name nobody1
host_ip link set nobody1 up
check "renamed out of all rules: forgotten" wait_for 5 "no trace" no_trace dmz1
check_equal "the programs are gone from it" none "$(xdp_of host nobody1)"
host_ip link set nobody1 down
host_ip link set nobody1 name vm1
host_ip link set vm1 up
check "and back: attached" await_nic vm1 attached
check "and steering" steers vm1 vm1 8

# --- goes, and comes again ---------------------------------------------------------------------------
entries=$(map_size)
index=$(nic vm1 .ifindex)
host_ip link del vm1
check "a veth that goes is forgotten: no nic, no pin, no entry" wait_for 5 "no trace" no_trace vm1
check_equal "the map is one smaller" $((entries - 1)) "$(map_size)"
new_veth vm1
check "another of the same name is attached" await_nic vm1 attached
check "as another interface" test "$(nic vm1 .ifindex)" -ne "$index"
check_equal "with counters of its own" 0 "$(nic vm1 '.counters | add')"
on_bridge vm1
host_ip link set vm1 up
ip -n "$ID-vm1" link set eth0 up
port_open vm1again vm1 pkt eth0
check "and steers" steers vm1again vm1 9

echo quit >"$DIR/vmtap.in"
check "a tap goes with its hypervisor" wait_for 5 "no trace" no_trace vmtap

# Faster than anybody looks: the last state counts.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	new_veth vm2
	ip -n "$ID-host" link del vm2
done
new_veth vm2
check "ten times made and deleted at once, then made: attached" await_nic vm2 attached
check_equal "to the one that is there" "$(ip -n "$ID-host" -j link show vm2 | jq '.[0].ifindex')" \
	"$(nic vm2 .ifindex)"
only_right_pins() { [ "$(ls "$PINS/links" | sort | xargs)" = "vm1 vm1:tc vm2 vm2:tc" ]; }
check "no pin of the others is left" wait_for 5 "just the right pins" only_right_pins

# --- moves ----------------------------------------------------------------------------------------------
host_ip link set vm2 netns "$ID-left"
check "moved to another namespace: forgotten" wait_for 5 "no trace" no_trace vm2
check_equal "the programs do not travel with it" none "$(xdp_of left vm2)"
run_logged ip -n "$ID-left" link set vm2 netns "$ID-host"
check "moved back: attached" await_nic vm2 attached

# --- is none of ours ------------------------------------------------------------------------------------
new_ns alien
declare -A MAC+=([alien]=02:00:00:00:09:09)
new_veth alien vm-own1
new_ns alien2
declare -A MAC+=([alien2]=02:00:00:00:09:0a)
new_veth alien2 other
host_ip tuntap add dev vm9 mode tap # comes later than both, so both were looked at
check "a nic that comes later is attached" await_nic vm9 attached
check_equal "a name with ! stays untouched" none "$(xdp_of host vm-own1)"
check "and is no nic" no_trace vm-own1
check_equal "what no rule names stays untouched" none "$(xdp_of host other)"
host_ip tuntap add dev t0 mode tap
host_ip link set t0 alias "guest 7"
# The kernel tells of aliases and groups only while the interface is up (netdev_state_change()).
host_ip link set t0 up
check "an alias brings an interface under a rule" await_nic t0 attached
host_ip link set t0 alias "host 7"
check "and takes it out again" wait_for 5 "no trace" no_trace t0

# --- many at once -----------------------------------------------------------------------------------------
new_ns many
for i in $(seq 50); do
	echo "link add vmx$i type veth peer name e$i netns $ID-many"
done >"$DIR/many"
check "50 veths at once" ip -n "$ID-host" -batch "$DIR/many"
all_attached() { ctl -j nic list | jq -e '[.value[] | select(.name | startswith("vmx")) | .attachState] == [range(50) | "attached"]'; }
check "all are attached" wait_for 20 "50 attached" all_attached
all_slots() { bpftool -j map dump pinned "$PINS/maps/xrs_nic" | jq -e '[.[].formatted.value.slot] | length == (unique | length)'; }
check "each has counters of its own" all_slots
ns_del many
none_left() { ctl -j nic list | jq -e 'all(.value[]; .name | startswith("vmx") | not)' && [ -z "$(ls "$PINS/links" | grep vmx)" ]; }
check "and gone with their namespace, all of them" wait_for 20 "none left" none_left
check_equal "the map has no more than the nics that are there" \
	"$(ctl -j nic list | jq '.value | length')" "$(map_size)"

# --- while xrsd is away ------------------------------------------------------------------------------------
xrs_stop KILL
host_ip link del vm2
host_ip link del vm9
new_ns late
declare -A MAC+=([late]=02:00:00:00:09:0b)
new_veth late vm-late
host_ip link set vm1 down
host_ip link set vm1 name vm1b
host_ip link set vm1b up
check "while xrsd is away the renamed one goes on steering" steers vm1again vm1 10
xrs_start
check "what came meanwhile is attached" await_nic vm-late attached
check "what was renamed meanwhile is adopted" await_nic vm1b attached
gone_swept() { no_trace vm2 && no_trace vm9 && no_trace vm1; }
check "what went meanwhile leaves no trace" wait_for 15 "the sweep" gone_swept
check "steering" steers vm1again vm1 11
finish
