#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Which half serves a nic: the rule of `auto`, a rule's own mode, a change at reload under traffic; and
# veths whose other end runs no NAPI, where XDP must not redirect to.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"

lab_config "$(rule vm2 '"mode": "native"'), $(rule 'vm*')" \
	"$(route_to 203.0.113.0/24 "${IP4[fw]}"), $(route_to 198.51.100.0/24 "${IP4[fw2]}")"

lab_host
lab_bridge
veth_node vm1
veth_node vm2
veth_node fw
on_bridge vm1 vm2 fw
gro fw off
# fw2 lives in the host's own namespace: the other end of its veth is ours to change.
host_ip link add fw2 type veth peer name fw2-in address "${MAC[fw2]}"
in_ns host ethtool -K fw2-in gro off
host_ip link set fw2 up
host_ip link set fw2-in up
on_bridge fw2
host_ip neigh replace "${IP4[fw2]}" lladdr "${MAC[fw2]}" dev br0 nud permanent
run_logged in_ns host bridge fdb replace "${MAC[fw2]}" dev fw2 master static
xrs_start
for n in vm1 vm2; do
	await_nic $n attached || abandon "nic $n is attached"
	port_open $n $n pkt eth0
done
port_open vmtap host tap vmtap
await_nic vmtap attached || abandon "nic vmtap is attached"
on_bridge vmtap
port_open fw fw pkt eth0

mode_of() { nic "$1" '"\(.mode) \(.xdpMode)"'; }
pins_of() { (cd "$PINS/links" && ls "$1" "$1:tc" 2>/dev/null | tr '\n' ' '); }
has_mode() { [ "$(mode_of "$1")" = "$2" ]; }

# --- the rule ------------------------------------------------------------------------------------
check_equal "auto: a veth is served by the tc half alone" "auto tc" "$(mode_of vm1)"
check_equal "auto: it is pinned under the name of the interface" "vm1 vm1:tc " "$(pins_of vm1)"
check_equal "auto: and nothing but it is attached" null "$(ip -n "$ID-host" -j link show dev vm1 | jq '.[0].xdp.prog.id')"
check "auto: nic show says why" jq -ne --arg why "$(nic vm1 .modeReason)" '$why | test("segmentation offload")'
check_equal "auto: a tap is served by XDP, tc behind it" "auto native" "$(mode_of vmtap)"
check_equal "a rule's own mode wins" "native native" "$(mode_of vm2)"
check_equal "and is called so" configured "$(nic vm2 .modeReason)"
check "segmentation offload of the container is as it was" \
	sh -c "nsenter --net=/run/netns/$ID-vm1 ethtool -k eth0 | grep -qx 'tcp-segmentation-offload: on'"

in_ns vm1 ping -q -c 1 -W 5 10.1.0.1 >/dev/null
await_way "${IP4[fw]}" bridge
hop() { ctl -j fib show | jq -r --arg a "$1" ".value[] | select(.address == \$a) | $2"; }
check_equal "fib show: why not by XDP" "the other end of the veth runs neither GRO nor XDP" \
	"$(hop "${IP4[fw]}" .wayReason)"
await_fib
count_from vm1
send vm1 vm1 id=1 dst=203.0.113.10
wait_for 5 "frame 1" seen fw 1 >/dev/null
check_counted "auto: a frame of a container is steered by the tc half" vm1 tc_bridged=1 bridged=0 to_tc=0
count_from vm2
send vm2 vm2 id=2 dst=203.0.113.10
wait_for 5 "frame 2" seen fw 2 >/dev/null
check_counted "native: a frame is steered by XDP" vm2 bridged=1 tc_bridged=0

# --- a veth without NAPI at its other end -----------------------------------------------------------
gro_of() { in_ns host ethtool -k "$1" | sed -n 's/^generic-receive-offload: \([a-z]*\).*/\1/p'; }
await_way "${IP4[fw2]}" redirect
check_equal "GRO was switched on where it is ours to do" on "$(gro_of fw2-in)"
check_equal "then XDP redirects there" "true the egress takes XDP frames" \
	"$(hop "${IP4[fw2]}" '"\(.xdp) \(.wayReason)"')"
port_open fw2 host pkt fw2-in
count_from vm2
send vm2 vm2 id=3 dst=198.51.100.1
check "and the frame arrives" wait_for 5 "frame 3" seen fw2 3
check_counted "by XDP" vm2 redirected=1
check_equal "what lives in another namespace is left alone" "generic-receive-offload: off" \
	"$(in_ns fw ethtool -k eth0 | grep ^generic-receive-offload)"

# --- a change at reload -----------------------------------------------------------------------------
reload_mode() { # JQ: the first rule's mode
	edit_config ".nics[0].mode = $1"
	run_logged ctl config reload
}
for step in tc:tc generic:generic native:native; do
	check "reload to ${step%:*}" reload_mode "\"${step%:*}\""
	check "vm2 is served in mode ${step#*:}" \
		wait_for 10 "the mode" has_mode vm2 "${step%:*} ${step#*:}"
	count_from vm2
	send vm2 vm2 id="$((100 + ${#step}))" dst=203.0.113.10
	wait_for 5 "the frame" seen fw "$((100 + ${#step}))" >/dev/null
	case $step in tc:*) counted=tc_bridged=1 ;; *) counted=bridged=1 ;; esac
	check_counted "and steers as it should" vm2 $counted to_tc=0
done
check "an unknown mode is refused" \
	sh -c "sed 's/\"native\"/\"naive\"/' '$CONF' >'$DIR/bad.json'; ! '$XRSD' -t -c '$DIR/bad.json' 2>'$DIR/bad.out' &&
		grep -q \"did you mean 'native'\" '$DIR/bad.out'"
finish
