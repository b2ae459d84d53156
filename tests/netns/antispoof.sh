#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# antiSpoof: sources from the configuration, and sources that are learned, from ARP and neighbour discovery and from
# what ISC's server leases to ISC's client by DHCP and DHCPv6; in XDP and in the tc half. antispoof_clsact.sh runs it
# as well.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"

lab_config "$(rule vm1 "\"mode\": \"native\", \"antiSpoof\": true, \"sourceMac\": \"${MAC[vm1]}\",
		\"sourcePrefixes\": [\"${IP4[vm1]}/32\", \"${IP6[vm1]}/128\"]"),
	$(rule vm2 '"mode": "tc", "antiSpoof": true, "sourceLearning": true, "sourcePrefixes": ["10.1.1.0/24", "fd00:1::/64"]'),
	$(rule vm3 '"mode": "native", "antiSpoof": true, "sourceLearning": ["dhcp"]')"
need_cmd dhcpd dhclient

lab_host
lab_bridge
veth_node vm1
veth_node vm2
veth_node fw
new_ns vm3
new_veth vm3
run_logged ip -n "$ID-vm3" link set eth0 up
host_ip link set vm3 up
on_bridge vm1 vm2 vm3 fw
in_ns fw ping -q -c 1 -W 5 10.1.0.1 >/dev/null
in_ns fw ping -q -c 1 -W 5 fd00:1::1 >/dev/null
xrs_start
for n in vm1 vm2 vm3; do
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

# --- leased, in XDP -------------------------------------------------------------------------------------
server() { # 4|6: leases of a few seconds, always the same address to vm3
	cat >"$DIR/dhcpd4.conf" <<-END
	authoritative;
	default-lease-time 6; max-lease-time 6; min-lease-time 1; ping-check false;
	subnet 10.1.0.0 netmask 255.255.0.0 {
	  option routers 10.1.0.1;
	  host vm3 { hardware ethernet ${MAC[vm3]}; fixed-address ${IP4[vm3]}; }
	}
	END
	cat >"$DIR/dhcpd6.conf" <<-END
	authoritative;
	default-lease-time 6; preferred-lifetime 4;
	subnet6 fd00:1::/64 { range6 ${IP6[vm3]} ${IP6[vm3]}; prefix6 fd00:1:0:80:: fd00:1:0:83:: /64; }
	END
	serve host br0 "-$1" "$1"
}
serve() { # NODE INTERFACE OPTION CONFIGURATION
	: >"$DIR/dhcpd$4.leases"
	spawn_in "$1" "dhcpd$4" dhcpd "$3" -f -cf "$DIR/dhcpd$4.conf" -lf "$DIR/dhcpd$4.leases" -pf "$DIR/dhcpd$4.pid" "$2"
}
client() { # 4|6 ARGUMENTS...: CLIENT is its process
	local family=$1
	shift
	cat >"$DIR/dhclient.script" <<-'END'
	#!/bin/sh
	case $reason in
	BOUND) ip addr add "$new_ip_address/16" dev "$interface"; ip route replace default via 10.1.0.1 ;;
	BOUND6) ip addr add "$new_ip6_address/64" dev "$interface" nodad; ip -6 route replace default via fd00:1::1 ;;
	esac
	END
	chmod +x "$DIR/dhclient.script"
	echo 'timeout 10; retry 1; initial-interval 1;' >"$DIR/dhclient.conf"
	spawn_in vm3 "dhclient$family" dhclient "-$family" "$@" -sf "$DIR/dhclient.script" -cf "$DIR/dhclient.conf" \
		-lf "$DIR/dhclient$family.leases" -pf "$DIR/dhclient$family.pid" eth0
	CLIENT=$spawned
}
leased() { # the learned sources of vm3, and whether their leases are of this moment
	nic vm3 '[.learnedSources[] | "\(.address) \(.origin) \(.state) \(.mac) \(.leaseSeconds <= 6)"] | join(", ")'
}
leased_is() { [ "$(leased)" = "$1" ]; }
LEASE4="${IP4[vm3]} dhcp allowed ${MAC[vm3]} true"
LEASE6="${IP6[vm3]} dhcp allowed ${MAC[vm3]} true"
vm3_sends() { # ID: from its own addresses, from others, and from its own again
	forget fw
	send vm3 vm3 id="$1" dst=203.0.113.10
	send6 vm3 vm3 id=$(($1 + 1)) dst=2001:db8::10
	send vm3 vm3 id=$(($1 + 2)) dst=203.0.113.10 src="${IP4[vm1]}"
	send vm3 vm3 id=$(($1 + 3)) dst=203.0.113.10 smac="${MAC[vm1]}"
	sent vm3
	send vm1 vm1 id=$(($1 + 9)) dst=203.0.113.10
	wait_for 5 "a frame of vm1" seen fw $(($1 + 9)) >/dev/null
}
arrived_ids() { sed -n 's/^id=\([0-9]*\) .*/\1/p' "$DIR/fw.seen" | sort -n | xargs; }

vm3_sends 100
check_equal "vm3: before a lease nothing gets through" 109 "$(arrived_ids)"
cat >"$DIR/dhcpdrogue.conf" <<-END
authoritative;
default-lease-time 600; ping-check false;
subnet 10.1.0.0 netmask 255.255.0.0 { range 10.1.9.9; }
END
serve vm1 eth0 -4 rogue
rogue=$spawned
client 4 -d
leased_by() { ip -n "$ID-vm3" addr show dev eth0 | grep -q "inet $1/"; }
check "a server behind another VM is believed by its client" wait_for 20 "a lease" leased_by 10.1.9.9
check_equal "but not here" "" "$(leased)"
stop_pid "$CLIENT"
stop_pid "$rogue"
rm -f "$DIR/dhclient4.leases"
run_logged ip -n "$ID-vm3" addr flush dev eth0 scope global
server 4
client 4 -d
check "an address that is leased" wait_for 20 "the lease" leased_is "$LEASE4"
vm3_sends 110
check_equal "gets through, and nothing else" "110 119" "$(arrived_ids)"
run_logged ip -n "$ID-vm3" addr add 10.1.2.78/16 dev eth0
in_ns vm3 ping -q -c 1 -W 1 -I 10.1.2.78 10.1.0.1 >/dev/null
check_equal "what only ARP tells is not learned" "$LEASE4" "$(leased)"
in_ns vm2 ip addr add "${IP4[vm3]}/16" dev eth0
in_ns vm2 ping -q -c 1 -W 1 -I "${IP4[vm3]}" 10.1.0.1 >/dev/null
check_equal "and another VM's ARP does not take it away" "$LEASE4" "$(leased)"
run_logged in_ns vm2 ip addr del "${IP4[vm3]}/16" dev eth0
xrs_stop KILL
vm3_sends 120
check_equal "while no xrsd runs it stays" "120 129" "$(arrived_ids)"
xrs_start
await_nic vm3 attached || abandon "vm3 is attached"
check "and after its restart, which knows the lease" wait_for 10 "the lease" leased_is "$LEASE4"
await_fib
vm3_sends 130
check_equal "gets through as before" "130 139" "$(arrived_ids)"
server 6
server6=$spawned
client4=$CLIENT
client 6 -d
client6=$CLIENT
check "IPv6 the same" wait_for 20 "two leases" leased_is "$LEASE4, $LEASE6"
vm3_sends 140
check_equal "both get through" "140 141 149" "$(arrived_ids)"
stop_pid "$client4"
client 4 -r
check "DHCPRELEASE gives it back" wait_for 20 "one lease" leased_is "$LEASE6"
vm3_sends 150
check_equal "nothing gets through from it" "151 159" "$(arrived_ids)"
stop_pid "$client6" KILL
check "a lease that is not renewed ends" wait_for 30 "no lease" leased_is ""
vm3_sends 160
check_equal "and nothing of vm3 gets through" 169 "$(arrived_ids)"
check_equal "nothing of it is kept" 0 "$(bpftool -j map dump pinned "$PINS/maps/xrs_learned" |
	jq "[.[].formatted.key | select(.ifindex == $(nic vm3 .ifindex))] | length")"

# --- delegated -------------------------------------------------------------------------------------------
prefix() { nic vm3 '.learnedSources[0].address'; }
delegated() { case $(leased) in "fd00:1:0:8"[0-3]"::/64 dhcp allowed ${MAC[vm3]} true") ;; *) false ;; esac }
pd_sends() { # ID: from two addresses of the prefix, and from one beside it
	local net=$DELEGATED
	forget fw
	send6 vm3 vm3 id="$1" dst=2001:db8::10 src="$net:5"
	send6 vm3 vm3 id=$(($1 + 1)) dst=2001:db8::10 src="${net}ffff:0:0:1"
	send6 vm3 vm3 id=$(($1 + 2)) dst=2001:db8::10 src=fd00:1:0:84::5
	sent vm3
	send vm1 vm1 id=$(($1 + 9)) dst=203.0.113.10
	wait_for 5 "a frame of vm1" seen fw $(($1 + 9)) >/dev/null
}
ends() { bpftool -j map dump pinned "$PINS/maps/xrs_learned" |
	jq -e ".[].formatted | select(.key.prefix_len == 64 and .key.ifindex == $IFINDEX3) | .value.until_ns"; }
client 6 -d -P
check "a prefix that is delegated" wait_for 20 "the prefix" delegated
DELEGATED=$(prefix | sed 's,:/64$,,')
IFINDEX3=$(nic vm3 .ifindex)
pd_sends 200
check_equal "gets through, each address of it and nothing else" "200 201 209" "$(arrived_ids)"
check_equal "what a person sees of it in the map" "[16,64]" "$(bpftool -j map dump pinned "$PINS/maps/xrs_nic" |
	jq -c '.[].formatted.value | select(.name == "vm3") | [(.source6[0] | length), .source6_len[0]]')"
first=$(ends)
prolonged() { [ "$(ends)" -gt $((first + 6000000000)) ]; }
check "RENEW prolongs it" wait_for 30 "a later end" prolonged
check "without a gap" delegated
xrs_stop KILL
pd_sends 210
check_equal "while no xrsd runs it stays" "210 211 219" "$(arrived_ids)"
xrs_start
await_nic vm3 attached || abandon "vm3 is attached"
check "and after its restart" wait_for 10 "the prefix" delegated
await_fib
pd_sends 220
check_equal "gets through as before" "220 221 229" "$(arrived_ids)"
stop_pid "$CLIENT"
client 6 -r -P
check "RELEASE gives it back" wait_for 20 "no prefix" leased_is ""
pd_sends 230
check_equal "and nothing gets through from it" 239 "$(arrived_ids)"

# More than there is place for: an address and four prefixes.
states() { nic vm3 '[.learnedSources[].state] | sort | join(" ")'; }
states_are() { [ "$(states)" = "$1" ]; }
client 6 -d -N -P -P -P -P
check "one source too many is told with its reason" wait_for 20 "five leases" states_are \
	"allowed allowed allowed allowed noPlace"
check "and said in the log" grep -q "is leased but not let through: noPlace" "$DIR/xrsd.log"
edit_config '.nics[2].sourcePrefixes = ["fd00:1::/64"]'
run_logged ctl config reload
check "so is what the configuration does not allow" wait_for 10 "other states" states_are \
	"allowed noPlace outsideSourcePrefixes outsideSourcePrefixes outsideSourcePrefixes"
stop_pid "$CLIENT" KILL
check "and all of it ends" wait_for 30 "no lease" leased_is ""
edit_config 'del(.nics[2].sourcePrefixes)'
run_logged ctl config reload

# Four prefixes of a client that has died, and a long lease beside them, which nobody prolongs meanwhile.
serve_prefixes() { # NAME SECONDS FIRST-PREFIX LAST-PREFIX
	cat >"$DIR/dhcpd$1.conf" <<-END
	authoritative;
	default-lease-time $2; preferred-lifetime $2;
	subnet6 fd00:1::/64 { prefix6 $3 $4 /64; }
	END
	serve host br0 -6 "$1"
}
stop_pid "$server6"
serve_prefixes short 15 fd00:1:0:a0:: fd00:1:0:a3::
short=$spawned
rm -f "$DIR/dhclient6.leases"
client 6 -d -P -P -P -P
check "four prefixes" wait_for 20 "four leases" states_are "allowed allowed allowed allowed"
stop_pid "$CLIENT" KILL
stop_pid "$short"
serve_prefixes long 600 fd00:1:0:b0:: fd00:1:0:b0::
rm -f "$DIR/dhclient6.leases"
client 6 -d -P
check "a fifth waits" wait_for 14 "five leases" states_are "allowed allowed allowed allowed noPlace"
check "until there is a place" wait_for 30 "one lease" states_are allowed
check_equal "for it" fd00:1:0:b0::/64 "$(prefix)"
DELEGATED=fd00:1:0:b0:
pd_sends 240
check_equal "and it gets through" "240 241 249" "$(arrived_ids)"
stop_pid "$CLIENT"
client 6 -r -P
check "RELEASE gives it back as well" wait_for 20 "no lease" states_are ""

snoops() {
	if [ "${PRELOAD:-}" ]; then
		for at in ingress egress; do in_ns host tc filter show dev vm3 $at; done | grep -c xrs_snoop
	else
		(cd "$PINS/links" && find . -name ':snoop-*' | wc -l)
	fi
}
check_equal "two programs look on at one nic" 2 "$(snoops)"
edit_config '.nics[2].sourceLearning = ["arp"]'
run_logged ctl config reload
no_snoops() { [ "$(snoops)" = 0 ]; }
check "and go when nobody learns from them" wait_for 10 "them to go" no_snoops

check "sourceMac without antiSpoof is refused" sh -c "
	jq '.nics[0].antiSpoof = false' '$CONF' >'$DIR/bad.json'; ! '$XRSD' -t -c '$DIR/bad.json' 2>'$DIR/bad.out' &&
		grep -q 'nics\[0\].sourceMac.*antiSpoof' '$DIR/bad.out'"
finish
