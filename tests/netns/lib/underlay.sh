# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the VXLAN tests share: the node `far`, another host in the underlay, and real sockets across it. Sourced
# after lib/lab.sh.
#
#   host (und) 192.0.2.1 fd00:ff::1 ===== (eth0) far 192.0.2.2 fd00:ff::2

need_cmd nc cmp nstat

declare -A NEAR=([4]=192.0.2.1 [6]=fd00:ff::1) FAR=([4]=192.0.2.2 [6]=fd00:ff::2)

underlay() { # both families on it
	new_ns far
	host_ip link add und type veth peer name eth0 netns "$ID-far"
	host_ip link set und up
	host_ip addr add 192.0.2.1/24 dev und
	host_ip addr add fd00:ff::1/64 dev und nodad
	run_logged ip -n "$ID-far" link set eth0 up
	run_logged ip -n "$ID-far" addr add 192.0.2.2/24 dev eth0
	run_logged ip -n "$ID-far" addr add fd00:ff::2/64 dev eth0 nodad
	gro far on
}

frame() { # SRC DST TTL [PROTO] [LEN]
	echo "smac=$GW dmac=${MAC[fw]} vlan=0 src=$1 dst=$2 ttl=$3 proto=${4:-17} sport=5000" \
		"dport=53000 len=${5:-64} ipsum=ok l4sum=ok payload=ok"
}
hop() { ctl -j fib show | jq -r --arg a "$1" ".value[] | select(.address == \$a) | $2"; }
csum_errors() { # NODE: what its kernel found wrong
	in_ns "$1" nstat -asz UdpInCsumErrors Udp6InCsumErrors TcpInCsumErrors | awk '!/^#/ { n += $2 } END { print n + 0 }'
}

# 4,000,000 octets of a real socket: partial checksums, and segments of up to 64 kB.
transfer() { # NAME FROM TO ADDRESS-OF-TO
	[ -s "$DIR/file" ] || head -c 4000000 /dev/urandom >"$DIR/file"
	rm -f "$DIR/file.got"
	spawn_in "$3" "nc-$1-$2-$4" sh -c "exec nc -l $4 7000 >'$DIR/file.got'"
	_listener=$3
	_listens() { in_ns "$_listener" ss -Hltn "sport = :7000" | grep -q 7000; }
	wait_for 10 "nc listens" _listens
	check "$1: TCP of real sockets to $4: 4,000,000 octets go through" \
		in_ns "$2" timeout 20 nc -N "$4" 7000 <"$DIR/file"
	wait_for 10 "the end of nc" is_gone "$spawned" >/dev/null || stop_pid "$spawned"
	check "$1: not one of them changed" cmp "$DIR/file" "$DIR/file.got"
}

check_rose() { # NAME NIC REASON LEAST: since count_from
	counters "$2" >"$DIR/.now"
	diag "$1: $(jq -nc --slurpfile a "$DIR/.counters-$2" --slurpfile b "$DIR/.now" \
		'$b[0] | with_entries(.value -= $a[0][.key] | select(.value > 0))')"
	check "$1" jq -ne --slurpfile a "$DIR/.counters-$2" --slurpfile b "$DIR/.now" \
		"\$b[0].$3 - \$a[0].$3 >= $4"
}
