#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel gives the ifindex of a device that went to another one: nothing of the first is left, whether xrsd
# looks on, is stopped meanwhile, or comes back later. Links, entry, counters and learned sources.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
INDEX=$((100000 + RANDOM))

lab_config "$(rule 'old*' '"antiSpoof": true, "sourceLearning": true'),
	{ \"match\": { \"name\": \"new*\" }, \"vnet\": \"other\", \"antiSpoof\": true, \"sourceLearning\": true }"
edit_config '.vnets += [ .vnets[0] | .name = "other" | .gateway.macs = ["02:00:00:00:00:02"] ]'
lab_host
lab_bridge
new_ns vm1

device() { # NAME: with the index of all of them, and what a guest would have on it
	host_ip link add "$1" index $INDEX type veth peer name eth0 address "${MAC[vm1]}" netns "$ID-vm1"
	host_ip link set "$1" master br0 up
	ip -n "$ID-vm1" -batch - <<-END
	link set eth0 up
	addr add ${IP4[vm1]}/16 dev eth0
	route add default via 10.1.0.1
	END
}
entry() { bpftool -j map dump pinned "$PINS/maps/xrs_nic" | jq -c "[.[].formatted | select(.key.ifindex == $INDEX) | .value] | .[0]"; }
learned() { bpftool -j map dump pinned "$PINS/maps/xrs_learned" | jq -c "[.[].formatted.key | select(.ifindex == $INDEX)] | length"; }
links() { (cd "$PINS/links" && find . -type f | sort | xargs); }

# The first device is one that was in use: it counted, and its VM's address was learned.
in_use() { # NAME
	device "$1"
	await_nic "$1" attached || abandon "$1 is attached"
	in_ns vm1 ping -q -c 1 -w 20 -i 0.2 10.1.0.1 >/dev/null
	wait_for 10 "an address" has_learned || abandon "an address is learned"
	in_ns vm1 ping -q -c 3 -i 0.05 -W 0.1 10.1.0.1 >/dev/null
	check "$1: it was in use" test "$(nic "$1" .rxPassed)" -ge 4
}
has_learned() { [ "$(learned)" -ge 1 ] && [ "$(entry | jq .n_sources4)" = 1 ]; }

# Frames of the second one's guest come later: nothing has passed but what the kernel sends by itself.
is_fresh() { # NAME: it is a nic of the other vnet, and has nothing of the first
	await_nic "$1" attached || abandon "$1 is attached"
	check_equal "$1: its entry" "$1 2 0 0 02:00:00:00:00:02" \
		"$(entry | jq -r '[.name, .gateway_mac[0][5], .n_sources4, .n_sources6] | "\(.[0]) \(.[1]) \(.[2]) \(.[3])"') $(nic "$1" '.gatewayMacs[0]')"
	check_equal "its vnet and device" "other $INDEX" "$(nic "$1" '"\(.vnet) \(.ifindex)"')"
	check_equal "no learned source" "[]" "$(nic "$1" '.learnedSources | tostring')"
	check "its counters begin anew" test "$(nic "$1" .rxPassed)" -le 2
	check_equal "its own link" "$(link_id "$1")" "$(nic "$1" .linkId)"
	check "and what the first one left is swept" wait_for 20 "the sweep" swept "$1"
}
swept() { [ "$(links) $(learned)" = "./$1 ./$1:tc 0" ]; }
swap() { # OLD NEW: one goes, the other comes at once. Its guest is silent.
	run_logged ip -n "$ID-vm1" link set eth0 down
	printf '%s\n' "link del $1" \
		"link add $2 index $INDEX address 02:00:00:00:77:77 type veth peer name eth0 address ${MAC[vm1]} netns $ID-vm1" \
		"link set $2 up" >"$DIR/batch"
	run_logged ip -n "$ID-host" -batch "$DIR/batch" || abandon "the devices change"
}

xrs_start
in_use old1
swap old1 new1
is_fresh new1
host_ip link del new1
gone() { [ -z "$(links)" ]; }
wait_for 10 "the links to go" gone

in_use old2
kill -STOP "$XRS_PID"
swap old2 new2
kill -CONT "$XRS_PID"
is_fresh new2
host_ip link del new2
wait_for 10 "the links to go" gone

in_use old3
xrs_stop KILL
swap old3 new3
xrs_start
is_fresh new3
finish
