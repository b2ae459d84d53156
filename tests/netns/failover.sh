#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Three appliances announce the same 1,000 prefixes. One dies, in each of the ways in which they die; its
# flows go to the others, no other flow moves, and when it is back its flows return.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd bird birdc ping
N=1000

cat >"$CONF" <<-END
{
  "node": { "instance": "$ID", "routerId": "$RS4" },
  "vnets": [ {
    "name": "prod",
    "addressPrefixes": ["10.1.0.0/16"],
    "routeServer": { "asn": 65515, "localAddress": "$RS4" },
    "peerings": [
      { "name": "fw", "peerAsn": 65001, "peerIp": "${IP4[fw]}", "connectRetryTime": 1 },
      { "name": "fw2", "peerAsn": 65002, "peerIp": "${IP4[fw2]}", "connectRetryTime": 1 },
      { "name": "fw3", "peerAsn": 65003, "peerIp": "${IP4[fw3]}", "connectRetryTime": 1 }
    ]
  } ],
  "nics": [ { "match": { "name": "vm*" }, "vnet": "prod" },
            { "match": { "name": "fw*" }, "vnet": "prod", "role": "nva" } ]
}
END

declare -A ASN=([fw]=65001 [fw2]=65002 [fw3]=65003) BIRD=()
start_bird() { # NODE
	{
		echo "router id ${IP4[$1]}; protocol device {} protocol static { ipv4;"
		awk -v n=$N 'BEGIN { for (i = 0; i < n; i++) printf "route 100.%d.%d.0/24 unreachable;\n", 64 + i / 256, i % 256 }'
		cat <<-END
		}
		protocol bgp xrs {
		  local ${IP4[$1]} as ${ASN[$1]}; neighbor $RS4 as 65515; multihop 4; graceful restart off;
		  connect delay time 1; connect retry time 1; error wait time 1, 1;
		  ipv4 { import none; export where source = RTS_STATIC; next hop self; };
		}
		END
	} >"$DIR/$1.conf"
	spawn_in "$1" "bird-$1" bird -f -c "$DIR/$1.conf" -s "$DIR/$1.ctl" -P "$DIR/$1.pid"
	BIRD[$1]=$spawned
}
appliance_up() { # NODE: namespace, link, addresses behind it, BIRD, a port that watches
	veth_node "$1"
	run_logged ip -n "$ID-$1" addr add 100.64.0.1/32 dev lo
	local i
	for i in $(seq 2 40); do echo "addr add 100.64.0.$i/32 dev lo"; done | ip -n "$ID-$1" -batch -
	on_bridge "$1"
	await_nic "$1" attached || abandon "nic $1 is attached"
	start_bird "$1"
	rm -f "$DIR/$1.in"
	port_open "$1" "$1" pkt eth0
}
established() { # COUNT
	ctl -j peering list | jq -e --argjson c "$1" '[.value[] | select(.state == "Established")] | length == $c'
}
group_of() { # the addresses that serve 100.64.0.0/24, as the maps have them
	ctl -j nic list-effective-routes --name vm1 |
		jq -r '.value[] | select(.addressPrefix == "100.64.0.0/24" and .state == "Active") | .nextHopIpAddress | sort | join(" ")'
}
all_through() { # ADDRESSES: every one of the prefixes leads to exactly these
	local expected=$1
	ctl -j nic list-effective-routes --name vm1 | jq -e --arg e "$expected" --argjson n $N \
		'[.value[] | select(.state == "Active" and (.addressPrefix | startswith("100.")))
		| .nextHopIpAddress | sort | join(" ")] | length == $n and all(. == $e)' &&
		fib_idle
}
ALL="${IP4[fw]} ${IP4[fw2]} ${IP4[fw3]}"

# 200 flows, one frame each; which went where: "flow appliance" lines in $DIR/FILE.
flows() { # FILE
	local n
	forget fw fw2 fw3
	send vm1 vm1 id=1000 count=200 step=1 sport=20001 dst=100.64.0.99
	sent vm1
	all_came() { [ "$(cat "$DIR"/fw*.seen | grep -c '^id=1')" -ge 200 ]; }
	wait_for 10 "200 frames" all_came
	for n in fw fw2 fw3; do
		sed -n "s/^id=1.*dst=100.64.0.99 ttl=63 .*sport=\([0-9]*\) .*/\1 $n/p" "$DIR/$n.seen"
	done | sort >"$DIR/$1"
}
flows_returned() {
	flows again
	diff "$DIR/before" "$DIR/again"
}
moved() { # FILE FILE: flows that were not at fw and are elsewhere now
	join "$DIR/$1" "$DIR/$2" | awk '$2 != "fw" && $2 != $3' | wc -l
}

# A destination whose ping goes through fw, so that its death is felt.
ping_target() {
	local i
	for i in $(seq 1 40); do
		if ctl -j nic show-next-hop --name vm1 --destination-ip 100.64.0.$i --source-ip "${IP4[vm1]}" \
			--protocol icmp | jq -e --arg a "${IP4[fw]}" '.nextHopIpAddress == $a' >/dev/null; then
			echo 100.64.0.$i
			return
		fi
	done
	return 1
}
bucket_ids() { # GROUP: the next hops in the buckets of a group
	bpftool -j map lookup pinned "$PINS/maps/xrs_bucket" key $(($1 & 255)) $(($1 >> 8)) 0 0 |
		jq -r '.formatted.value.member | unique | join(" ")'
}
hop_id() { # ADDRESS
	ctl -j fib show | jq -r --arg a "$1" '.value[] | select(.address == $a) | .id'
}

hop_packets() { # ADDRESS
	ctl -j fib show | jq -r --arg a "$1" '.value[] | select(.address == $a) | .packets'
}

# The latest failure of fw has this cause, concerns all prefixes, and was answered; a frame came out elsewhere.
told() { # CAUSE
	ctl -j timeline list >"$DIR/timeline"
	jq -e --arg c "$1" --arg a "${IP4[fw]}" --argjson n $N '[.value[] | select(.address == $a and .cause != "returned")] | last |
		.cause == $c and .peering == "fw" and .prefixes == $n and .groups >= 1 and .mapWrites >= 1 and
		.decidedUs <= .programmedUs and .firstPacketUs != null' "$DIR/timeline" || {
		ctl timeline list
		return 1
	}
}
# fw dies by COMMAND while a ping runs through it.
dies() { # NAME CAUSE COMMAND...
	local name=$1 cause=$2 target group dead packets rx lost
	shift 2
	await_all
	flows before
	target=$(ping_target) || abandon "$name: a destination behind fw"
	group=$(bpftool -j map lookup pinned "$PINS/tables/prod.main.v4" key 32 0 0 0 100 64 0 1 | jq .formatted.value.group)
	dead=$(hop_id "${IP4[fw]}")
	packets=$(hop_packets "${IP4[fw]}")
	check "$name: before, fw is in the buckets" grep -qw "$dead" <<<"$(bucket_ids "$group")"
	in_ns vm1 ping -q -n -i 0.002 -c 1500 -W 1 "$target" >"$DIR/ping" 2>&1 &
	local ping=$!
	served() { [ "$(hop_packets "${IP4[fw]}")" -ge $((packets + 150)) ]; }
	check "$name: before, the ping goes through fw" wait_for 5 "150 packets through fw" served
	"$@"
	wait $ping
	rx=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$DIR/ping")
	lost=$((1500 - rx))
	diag "$name: $lost of 1,500 packets at 500 a second were lost, $((lost * 2)) ms"
	check "$name: the flow goes on through another appliance" test "$rx" -ge 1000
	check "$name: all $N prefixes lead to the two others" \
		wait_for 30 "all prefixes" all_through "${IP4[fw2]} ${IP4[fw3]}"
	check_not "$name: the dead one is in no bucket of its group" grep -qw "$dead" <<<"$(bucket_ids "$group")"
	check "$name: the timeline says so, and each step of it" told "$cause"
	flows after
	check_equal "$name: every flow arrives somewhere" 200 "$(wc -l <"$DIR/after")"
	check_equal "$name: flows of the others have not moved" 0 "$(moved before after)"
}
# fw itself says so: where nobody said goodbye, we may still hold the connection of the one before it.
fw_established() {
	birdc -s "$DIR/fw.ctl" show protocols xrs | grep -q Established
}
returns() { # NAME
	check "$1: it has a session of its own" wait_for 60 "fw's session" fw_established
	check "$1: it is back, all $N prefixes lead to three" wait_for 40 "three" all_through "$ALL"
	# A member is listed before its neighbour is resolved again; flows return with the latter.
	check "$1: each flow is where it was before" wait_for 40 "the flows" flows_returned
}
await_all() {
	wait_for 40 "three appliances for all" all_through "$ALL" || {
		diag "$(ctl peering list)"
		diag "$(ctl fib show)"
		abandon "three appliances for all prefixes"
	}
}

lab_host
lab_bridge
veth_node vm1
on_bridge vm1
xrs_start
await_nic vm1 attached || abandon "nic vm1 is attached"
for n in fw fw2 fw3; do appliance_up $n; done
port_open vm1 vm1 pkt eth0
in_ns vm1 ping -q -c 1 -W 5 10.1.0.1 >/dev/null
check "three peerings are Established" wait_for 40 "three sessions" established 3
await_all
ok "each of $N prefixes has the three appliances"
flows before
check_equal "200 flows are spread over three" 3 "$(cut -d' ' -f2 "$DIR/before" | sort -u | wc -l)"

vanish() { # the wire is cut first, so that nobody says goodbye
	host_ip link del fw
	echo quit >"$DIR/fw.in"
	stop_pid "${BIRD[fw]}" KILL
	ns_del fw
}
dies "its host vanishes" carrierLost vanish
appliance_up fw
returns "its host is there again"

kill_bird() { stop_pid "${BIRD[fw]}" KILL || true; }
dies "its BGP daemon is killed" connectionLost kill_bird
start_bird fw
returns "its BGP daemon is started again"

link_down() { ip -n "$ID-host" link set fw down; }
dies "its link goes down" carrierLost link_down
host_ip link set fw up
returns "its link is up again"

admin_down() { run_logged ctl peering disable fw; }
dies "its peering is disabled" closed admin_down
run_logged ctl peering enable fw
returns "its peering is enabled"

# A port of it answers no more, while BGP goes on.
service() {
	spawn_in fw service perl -MIO::Socket::INET -e \
		'$s = IO::Socket::INET->new(Listen => 9, LocalPort => 7777, ReuseAddr => 1) or die; while ($c = $s->accept) { close $c }'
	SERVICE=$spawned
}
service
edit_config '(.vnets[0].peerings[] | select(.name == "fw")).probe |= { port: 7777, intervalMs: 100, timeoutMs: 80, failures: 3 }'
run_logged ctl config reload
probe_is() { # ALIVE
	ctl -j peering show --name fw | jq -e --argjson a "$1" '.probe.alive == $a and .probe.sent > 2 and .state == "Established"'
}
check "its port answers" wait_for 10 "the probe" probe_is true
kill_service() { stop_pid "$SERVICE" KILL || true; }
buckets_without_fw() { ! grep -qw "$(hop_id "${IP4[fw]}")" <<<"$(bucket_ids "$GROUP")"; }
buckets_with_fw() { ! buckets_without_fw; }
await_all
GROUP=$(bpftool -j map lookup pinned "$PINS/tables/prod.main.v4" key 32 0 0 0 100 64 0 1 | jq .formatted.value.group)
kill_service
check "its port does not answer: it is out of use, BGP goes on" wait_for 20 "fw out of its buckets" buckets_without_fw
check "its port does not answer: known" probe_is false
service
check "its port answers again" wait_for 10 "the probe" probe_is true
check "and it serves again, after a while" wait_for 20 "fw in its buckets" buckets_with_fw
held() { ctl -j timeline list | jq -e --arg a "${IP4[fw]}" '[.value[] | select(.address == $a)] | .[-2].cause == "returned" and
	.[-1].cause == "returned" and .[-1].detectedUs - .[-2].detectedUs >= 900000'; }
check "its return was held down for a second" wait_for 5 "the timeline" held

# All of them: the packets pass to the kernel, by the system route, rather than into a hole.
for n in fw fw2 fw3; do stop_pid "${BIRD[$n]}" KILL; done
none_left() { [ -z "$(group_of)" ] && fib_idle; }
check "all three die: no prefix of theirs is left" wait_for 30 "no routes" none_left
count_from vm1
send vm1 vm1 id=3000 count=5 dst=100.64.0.99
sent vm1
passed() { [ $(($(counter vm1 internet) - $(jq .internet "$DIR/.counters-vm1"))) -eq 5 ]; }
check "frames take the system route" wait_for 5 "five frames" passed
finish
