#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# An XDP program that someone else attached: named, never replaced, and waited for.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd clang tc

cat >"$DIR/alien.c" <<-'END'
	#include <linux/bpf.h>
	#include <bpf/bpf_helpers.h>
	struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); } frames SEC(".maps");
	SEC("xdp") int alien_xdp(struct xdp_md *ctx)
	{
		__u32 key = 0;
		__u64 *n = bpf_map_lookup_elem(&frames, &key);
		if (n)
			(*n)++;
		return XDP_PASS;
	}
	SEC("tc") int alien_tc(struct __sk_buff *skb) { return -1; }
	char alien_license[] SEC("license") = "GPL";
END
check "a program of somebody else" clang -O2 -g -target bpf \
	-I"/usr/include/$(uname -m)-linux-gnu" -c "$DIR/alien.c" -o "$DIR/alien.o" || finish

cat >"$CONF" <<-END
{
  "node": { "instance": "$ID" },
  "dataplane": { "mode": "native" },
  "vnets": [ {
    "name": "prod",
    "addressPrefixes": ["10.1.0.0/16"],
    "gateway": { "macs": ["$GW"] },
    "routeTables": [ { "name": "main", "routes": [ { "addressPrefix": "203.0.113.0/24",
        "nextHopType": "VirtualAppliance", "nextHopIpAddress": "${IP4[fw]}" } ] } ]
  } ],
  "nics": [ { "match": { "name": "vm2" }, "vnet": "prod", "mode": "auto" },
            { "match": { "name": "vm*" }, "vnet": "prod" } ]
}
END

alien_on() { # IFNAME xdp|xdpgeneric
	run_logged ip -n "$ID-host" link set dev "$1" "$2" obj "$DIR/alien.o" sec xdp
}
alien_off() {
	run_logged ip -n "$ID-host" link set dev "$1" "$2" off
}
xdp_id() { ip -n "$ID-host" -j link show dev "$1" | jq '.[0].xdp.prog.id'; }
xdp_name() { bpftool -j prog show id "$(xdp_id "$1")" | jq -r .name; }
alien_frames() { # IFNAME
	bpftool -j map dump id "$(bpftool -j prog show id "$(xdp_id "$1")" | jq '.map_ids[0]')" |
		jq '.[0].formatted.value // .[0].value'
}
reason_names() { # IFNAME WORD: the reason says it
	nic "$1" .attachReason | grep -F -- "$2"
}

lab_host
lab_bridge
veth_node vm1
veth_node fw
on_bridge vm1 fw
port_open vm1 vm1 pkt eth0
port_open fw fw pkt eth0

# --- it was there first ---------------------------------------------------------------------------
alien_on vm1 xdp || abandon "attaching the alien"
alien=$(xdp_id vm1)
xrs_start
await_nic vm1 conflict
check "a nic with somebody else's program is in state conflict" nic_is vm1 conflict
check "the reason has the program's name" reason_names vm1 alien_xdp
check "and its id" reason_names vm1 "id $alien"
check_equal "so has the answer" "$alien" "$(nic vm1 .foreignProgId)"
check "and how to remove it" reason_names vm1 "ip link set dev vm1 xdp off"
check_equal "the program is the one that was there" "$alien $(xdp_name vm1)" "$(xdp_id vm1) alien_xdp"
check_not "nothing of ours is pinned for it" test -e "$PINS/links/vm1" -o -e "$PINS/links/vm1:tc"
degraded() { ctl -j system health | jq -e '.state != "Healthy" and any(.checks[]; (.subject // "") == "vm1" or (.message // "" | contains("vm1")))'; }
check "health says that something does not work" degraded
before=$(alien_frames vm1)
in_ns vm1 ping -q -c 3 -i 0.05 -W 2 10.1.0.1 >/dev/null
check "and it goes on working" test "$(alien_frames vm1)" -ge $((before + 3))
check "other nics are attached all the same" host_ip tuntap add dev vm9 mode tap
check "as vm9 is" await_nic vm9 attached
run_logged ctl config reload
check_equal "a reload does not replace it either" "$alien" "$(xdp_id vm1)"

# --- it goes -------------------------------------------------------------------------------------------
alien_off vm1 xdp
check "when it is gone the nic is attached" await_nic vm1 attached
check_equal "with our program" xrs_steer "$(xdp_name vm1)"
check_equal "and no reason is left" null "$(nic vm1 .attachReason)"
await_way "${IP4[fw]}" redirect # vm9 is no port of the bridge
in_ns vm1 ping -q -c 1 -W 5 10.1.0.1 >/dev/null
send vm1 vm1 id=1 dst=203.0.113.10
check "it steers" wait_for 5 "frame 1" seen fw 1
ours=$(xdp_id vm1)
check_not "nobody can put a program over ours by mistake" \
	ip -n "$ID-host" -force link set dev vm1 xdp obj "$DIR/alien.o" sec xdp
check_equal "ours is still there" "$ours" "$(xdp_id vm1)"

# --- generic, on a tap, after the start -------------------------------------------------------------------
host_ip tuntap add dev t1 mode tap
alien_on t1 xdpgeneric || abandon "attaching the alien in generic mode"
alien=$(xdp_id t1)
host_ip link set t1 name vm-tap
await_nic vm-tap conflict
check "a program in generic mode is a conflict as well" reason_names vm-tap "alien_xdp (id $alien)"
check_equal "and is not replaced" "$alien" "$(xdp_id vm-tap)"
host_ip link set vm-tap up
alien_off vm-tap xdpgeneric
check "when it is gone the nic is attached" await_nic vm-tap attached

# --- while xrsd is away ---------------------------------------------------------------------------------------
xrs_stop KILL
host_ip link add vm2 type veth peer name vm2p
alien_on vm2 xdp || abandon "attaching the alien"
alien=$(xdp_id vm2)
xrs_start
await_nic vm2 conflict
check "attached by somebody while xrsd was away: a conflict, too" reason_names vm2 "id $alien"
check_not "also where auto would do without XDP: nothing of ours is beside it" test -e "$PINS/links/vm2"
check "the others are adopted" await_nic vm1 attached
check_equal "as they were" xrs_steer "$(xdp_name vm1)"
host_ip link del vm2
forgotten() { ! ctl -j nic show --name vm2 >/dev/null; }
check "a nic in conflict is forgotten with its device" wait_for 5 "no nic" forgotten

# --- tc ----------------------------------------------------------------------------------------------------------
run_logged in_ns host tc qdisc add dev vm1 clsact
check "a tc program of somebody else is no conflict" \
	in_ns host tc filter add dev vm1 ingress bpf da obj "$DIR/alien.o" sec tc
send vm1 vm1 id=2 dst=203.0.113.10
check "both work" wait_for 5 "frame 2" seen fw 2
run_logged ctl config reload
check "and it is left alone" sh -c \
	"ip netns exec $ID-host tc filter show dev vm1 ingress | grep -q alien"

xrs_stop TERM
check "dataplane detach takes away what is ours" "$XRSCTL" dataplane detach --instance "$ID"
check_equal "vm1 has no XDP program" null "$(xdp_id vm1)"
check "somebody else's tc program stays" sh -c \
	"ip netns exec $ID-host tc filter show dev vm1 ingress | grep -q alien"
finish
