#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# antiSpoof: sources from the configuration, and sources that are learned, in XDP and in the tc half.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"

lab_config "$(rule vm1 "\"mode\": \"native\", \"antiSpoof\": true, \"sourceMac\": \"${MAC[vm1]}\",
		\"sourcePrefixes\": [\"${IP4[vm1]}/32\", \"${IP6[vm1]}/128\"]"),
	$(rule vm2 '"mode": "tc", "antiSpoof": true, "sourceLearning": true, "sourcePrefixes": ["10.1.1.0/24", "fd00:1::/64"]')"

lab_host
lab_bridge
veth_node vm1
veth_node vm2
veth_node fw
on_bridge vm1 vm2 fw
in_ns fw ping -q -c 1 -W 5 10.1.0.1 >/dev/null
in_ns fw ping -q -c 1 -W 5 fd00:1::1 >/dev/null
xrs_start
for n in vm1 vm2; do
	await_nic $n attached || abandon "nic $n is attached"
	port_open $n $n pkt eth0
done
port_open fw fw pkt eth0
await_way "${IP4[fw]}" bridge
await_way "${IP6[fw]}" bridge
await_fib

# --- from the configuration, in XDP -----------------------------------------------------------------
count_from vm1
send vm1 vm1 id=1 dst=203.0.113.10
send6 vm1 vm1 id=2 dst=2001:db8::10
send vm1 vm1 id=3 dst=203.0.113.10 src="${IP4[vm2]}"
send6 vm1 vm1 id=4 dst=2001:db8::10 src="${IP6[vm2]}"
send vm1 vm1 id=5 dst=203.0.113.10 smac=02:00:00:00:66:66
send vm1 vm1 id=6 dst=203.0.113.10 ttl=1 src=10.1.1.99
send vm1 vm1 id=7 dst=203.0.113.10
wait_for 5 "the last frame" seen fw 7 >/dev/null
check_equal "only the VM's own addresses and MAC get through" "1 2 7" \
	"$(sed -n 's/^id=\([0-9]*\) .*/\1/p' "$DIR/fw.seen" | sort -n | xargs)"
check_counted "the rest is dropped and counted" vm1 spoofed=4 bridged=3 ttl_answered=0

# --- learned, in the tc half ---------------------------------------------------------------------------
sources() { # the addresses and the MAC that the entry of vm2 lets through
	bpftool -j map dump pinned "$PINS/maps/xrs_nic" | jq -c '.[].formatted.value | select(.name == "vm2") |
		[.n_sources4, .n_sources6, .source4[0], .mac]'
}
learned() { [ "$(sources)" = "[$1,$2,[10,1,1,5],[2,0,0,0,1,5]]" ]; }
forget fw
count_from vm2
send vm2 vm2 id=11 dst=203.0.113.10
counted() { check_counted x vm2 spoofed=1 | grep -q '^ok'; }
wait_for 5 "the frame" counted
check_counted "before anything was learned nothing gets through" vm2 spoofed=1 tc_bridged=0
check "ARP and neighbour discovery do" \
	in_ns vm2 sh -c "ping -q -c 1 -w 20 -i 0.2 10.1.0.1; ping -q -c 1 -w 20 -i 0.2 fd00:1::1"
check "what they tell is learned" wait_for 10 "two addresses" learned 1 1
count_from vm2
send vm2 vm2 id=12 dst=203.0.113.10
send6 vm2 vm2 id=13 dst=2001:db8::10
send vm2 vm2 id=14 dst=203.0.113.10 src="${IP4[vm1]}"
send vm2 vm2 id=15 dst=203.0.113.10 smac="${MAC[vm1]}"
send6 vm2 vm2 id=16 dst=2001:db8::10 src="${IP6[vm1]}"
send vm2 vm2 id=17 dst=203.0.113.10
wait_for 5 "the last frame" seen fw 17 >/dev/null
check_equal "then the VM's own addresses get through" "12 13 17" \
	"$(sed -n 's/^id=\([0-9]*\) .*/\1/p' "$DIR/fw.seen" | sort -n | xargs)"
check_counted "and no other" vm2 spoofed=3 tc_bridged=3
run_logged ip -n "$ID-vm2" addr add 10.1.2.77/16 dev eth0
in_ns vm2 ping -q -c 1 -W 1 -I 10.1.2.77 10.1.0.1 >/dev/null
check_equal "an address outside of sourcePrefixes is not learned" "[1,1,[10,1,1,5],[2,0,0,0,1,5]]" "$(sources)"
check "a silent VM keeps its addresses" sh -c "
	ip -n '$ID-host' neigh flush dev br0; sleep 0.5"
check_equal "even when the kernel has forgotten it" "[1,1,[10,1,1,5],[2,0,0,0,1,5]]" "$(sources)"

check "sourceMac without antiSpoof is refused" sh -c "
	jq '.nics[0].antiSpoof = false' '$CONF' >'$DIR/bad.json'; ! '$XRSD' -t -c '$DIR/bad.json' 2>'$DIR/bad.out' &&
		grep -q 'nics\[0\].sourceMac.*antiSpoof' '$DIR/bad.out'"
finish
