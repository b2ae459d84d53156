#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Errors in the gateway's name, with no route of the kernel to help: traceroute sees gateway, appliance and
# destination; path MTU discovery finds the appliance's smaller MTU; both families, from a container (tc half)
# and from a guest on a tap (XDP, tc behind it). Their number is limited.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd nc cmp

lab_config "$(rule 'vm*'), $(rule fw '"role": "nva"')"

lab_host
lab_bridge
veth_node vm1
veth_node fw
new_ns vm2
on_bridge vm1 fw
# Behind the appliance, one hop on: the server.
new_ns srv
run_logged ip link add name eth1 netns "$ID-fw" type veth peer name eth0 netns "$ID-srv"
set_sysctl fw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
ip -n "$ID-fw" -batch - <<-END
link set eth1 up
addr add 203.0.113.1/24 dev eth1
addr add 2001:db8::1/64 dev eth1 nodad
END
ip -n "$ID-srv" -batch - <<-END
link set eth0 up
addr add 203.0.113.10/24 dev eth0
addr add 2001:db8::10/64 dev eth0 nodad
route add default via 203.0.113.1
END
run_logged ip -n "$ID-srv" -6 route add default via 2001:db8::1
xrs_start
guest_up vm2 offload
on_bridge vm2
for n in vm1 vm2 fw; do
	await_nic $n attached || abandon "nic $n is attached"
	in_ns $n ping -q -c 1 -w 20 -i 0.2 10.1.0.1 >/dev/null
	in_ns $n ping -q -c 1 -w 20 -i 0.2 fd00:1::1 >/dev/null
done
usable() { ctl -j fib show | jq -e '[.value[].usable] == [true, true]'; }
wait_for 20 "the appliance" usable || abandon "the appliance is there"
await_fib
check_not "the kernel itself has no route there" ip -n "$ID-host" route get 203.0.113.10
# An address that several devices have is asked for on each: the gateway's has to be known to the nics.
knows_gateway() { bpftool -j map dump pinned "$PINS/maps/xrs_nic" | jq -e --arg n "$1" \
	'.[].formatted.value | select(.name == $n) | (.flags / 16 | floor) % 4 == 3 and .gateway4 == [10,1,0,1]'; }
for n in vm1 vm2; do wait_for 10 "the gateway's addresses" knows_gateway $n; done

hop() { # NODE ADDRESS TTL: who answers
	in_ns "$1" ping -n -c 1 -W 5 -t "$3" "$2" 2>&1 |
		sed -n 's/^From \([^ ]*\) .*[Tt]ime.*exceeded.*/\1/p; s/^[0-9]* bytes from \([^ ]*\): .*ttl=.*/\1/p' | sed 's/:$//' | head -1
}
path() { echo "$(hop "$1" "$2" 1) $(hop "$1" "$2" 2) $(hop "$1" "$2" 3)"; }
for n in vm1 vm2; do
	count_from $n
	check_equal "$n: traceroute sees gateway, appliance and server" "10.1.0.1 ${IP4[fw]} 203.0.113.10" "$(path $n 203.0.113.10)"
	check_equal "$n: over IPv6 too" "fd00:1::1 ${IP6[fw]} 2001:db8::10" "$(path $n 2001:db8::10)"
	check_counted "$n: the gateway's answers are counted" $n ttl_answered=2 ttl_expired=0
done

# --- path MTU discovery ------------------------------------------------------------------------------
host_ip link set fw mtu 1400
run_logged ip -n "$ID-fw" link set eth0 mtu 1400
smaller() { ctl -j fib show | jq -e 'all(.value[]; .mtu == 1400)'; }
wait_for 10 "the smaller MTU" smaller || abandon "the next hop has the smaller MTU"
await_fib
head -c 2000000 /dev/urandom >"$DIR/file"
for n in vm1 vm2; do
	count_from $n
	check "$n: a ping of 1,472 octets is told the MTU, by the gateway" sh -c "
		nsenter --net=/run/netns/$ID-$n ping -n -c 2 -W 5 -i 0.3 -M do -s 1472 203.0.113.10 2>&1 |
			grep -E 'From 10.1.0.1 .*(mtu = 1400|mtu 1400)'"
	check "$n: one of IPv6 as well" sh -c "
		nsenter --net=/run/netns/$ID-$n ping -n -c 2 -W 5 -i 0.3 -M do -s 1452 2001:db8::10 2>&1 |
			grep -E 'From fd00:1::1 .*[Pp]acket too big.*1400|mtu.*1400'"
	check_equal "$n: the VM knows it now" "1400 1400" "$(in_ns $n ip -j route get 203.0.113.10 | jq '.[0].metrics[0].mtu') $(in_ns $n ip -j -6 route get 2001:db8::10 | jq '.[0].metrics[0].mtu')"
	in_ns $n ip route flush cache
	in_ns $n ip -6 route flush cache
	for address in 203.0.113.10 2001:db8::10; do
		spawn_in srv "nc-$n" sh -c "exec nc -l $address 7000 >'$DIR/got'"
		listens() { in_ns srv ss -Hltn "sport = :7000" | grep -q 7000; }
		wait_for 10 "nc listens" listens
		in_ns $n timeout 60 nc -N "$address" 7000 <"$DIR/file" >/dev/null 2>&1
		wait_for 10 "the end of nc" is_gone "$spawned" >/dev/null || stop_pid "$spawned"
		check "$n: TCP to $address finds its way to 1400" cmp "$DIR/file" "$DIR/got"
	done
	counters $n >"$DIR/.now"
	check "$n: answers are counted" jq -ne --slurpfile a "$DIR/.counters-$n" --slurpfile b "$DIR/.now" \
		'$b[0].too_big_answered - $a[0].too_big_answered >= 2'
done

# --- a flood is not answered by a flood --------------------------------------------------------------------
port_open flood vm1 pkt eth0
count_from vm1
began=$(date +%s%3N)
send flood vm1 id=1 count=20000 dst=203.0.113.10 ttl=1
sent flood
all_counted() { [ "$(counter vm1 ttl_answered)" -gt 0 ] && [ $(($(counter vm1 ttl_answered) + $(counter vm1 ttl_expired) - $(jq '.ttl_answered + .ttl_expired' "$DIR/.counters-vm1"))) -ge 20000 ]; }
check "20,000 expired packets are counted" wait_for 20 "all of them" all_counted
took=$(($(date +%s%3N) - began))
answered=$(($(counter vm1 ttl_answered) - $(jq .ttl_answered "$DIR/.counters-vm1")))
diag "$answered of 20,000 answered in $took ms"
check "at most one a millisecond and CPU is answered" test "$answered" -le $(((took + 64) * $(nproc)))
finish
