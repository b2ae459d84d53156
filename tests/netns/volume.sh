#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Tens of thousands of routes, the peers of tests/bench as senders and receivers: who holds what, exactly, and
# that the maps hold it too. Nothing here measures; tests/bench/bgp.sh does that.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/bench/lib/speakers.sh"

BENCH=$BUILD/tests/bench_bgp
need_root
need_cmd ip jq
need_file "$BENCH"

ctl() { "$XRSCTL" -s "/run/$ID/xrs.sock" "$@"; }
bench() { # SCENARIO ARGUMENTS...
	nsenter --net="/run/netns/$ID-peers" "$BENCH" "$@" --speaker $RS --local "$(peer_ip 1)" --timeout 120
}
restart() { # PEERS
	[ -z "$SPEAKER_PID" ] || stop_pid "$SPEAKER_PID"
	rm -rf "/sys/fs/bpf/${ID:?}"
	xrsbpf_start "$1" || abandon "xrsd starts"
}
verified() { ctl -j fib verify | jq -e '.missing + .stale + .differing + .rejected == 0'; }

bench_network 9
TRIE=(--trie "/sys/fs/bpf/$ID/tables/bench.main.v4")
restart 2
before=$(ctl -j fib verify | jq .expected)
check "50,000 routes reach the receiver and the trie, and all of them leave again" \
	bench full --routes 50000 "${TRIE[@]}"
settled() { [ "$(ctl -j fib verify | jq '.expected + .pending')" = "$before" ]; }
check "nothing of them is left in the maps" wait_for 60 "the removals" settled
check "the maps hold what they should" verified
restart 3
check "every route of the better of two senders is replaced when it dies" bench best2 --routes 30000
check "the maps hold what they should after that" wait_for 60 "the maps" verified
restart 9
check "eight senders of the same routes: the best path of each is told" bench fanin --peers 8 --routes 10000
restart 8
check "eight peers hold each other's routes" bench mesh --peers 8 --routes 8000
check "xrsd is the process that was started" is_running "$SPEAKER_PID"
finish
