#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# Many nics on one host: XRS_SOAK_NICS (4000) veths are there before xrsd starts, and again that many come while
# it runs; each is attached. Each costs the kernel a grace period or two of RCU, whatever the number of the others;
# the loop goes on meanwhile, which is told by how long its longest callback took, and by what the API answers.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd curl
NICS=${XRS_SOAK_NICS:-4000}

cat >"$CONF" <<-END
{
  "node": { "instance": "$ID" },
  "vnets": [ { "name": "prod", "addressPrefixes": ["10.1.0.0/16"], "gateway": { "macs": ["$GW"] } } ],
  "nics": [ { "match": { "name": "v*" }, "vnet": "prod" } ]
}
END

make_veths() { # PREFIX COUNT
	seq "$2" | sed "s/.*/link add $1& type veth peer name p$1& netns $ID-many/" >"$DIR/batch"
	run_logged ip -n "$ID-host" -batch "$DIR/batch" || abandon "$2 veths"
}
attached() { ctl -j fib show >/dev/null && bpftool -j map dump pinned "$PINS/maps/xrs_nic" | jq length; }
all_attached() { # COUNT: entries, and pins of the tc half
	[ "$(attached)" -eq "$1" ] && [ "$(cd "$PINS/links" && find . -name '*:tc' | wc -l)" -eq "$1" ]
}
# Answers while nics are attached, and how long the slowest of them took.
ask_on() {
	local began took
	: >"$DIR/answers"
	while [ ! -e "$DIR/enough" ]; do
		began=$(date +%s%N)
		ctl -j system info >/dev/null || echo failed >>"$DIR/answers"
		took=$((($(date +%s%N) - began) / 1000000))
		echo "$took" >>"$DIR/answers"
	done
}
answered() { # and what the loop says of itself
	local stall
	touch "$DIR/enough"
	wait "$ASKING"
	rm -f "$DIR/enough"
	check "every question was answered meanwhile" eval '[ -s "$DIR/answers" ] && ! grep -q failed "$DIR/answers"'
	diag "$(wc -l <"$DIR/answers") answers; median $(sort -n "$DIR/answers" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }') ms," \
		"slowest $(sort -n "$DIR/answers" | tail -1) ms, xrsctl's own start included"
	stall=$(ctl metrics | awk '/^xrs_eventloop_stall_seconds_max / { print int($2 * 1000) }')
	diag "longest callback of the loop: $stall ms"
	check "no callback took a second" test "$stall" -lt 1000
}
since() { echo "$(($(date +%s%3N) - $1)) ms"; }

start() {
	spawn_in host xrsd "$XRSD" -c "$CONF"
	XRS_PID=$spawned
	wait_for 600 "the answer of xrsd" ctl system info || abandon "xrsd starts"
}

lab_host
new_ns many
half=$((NICS / 2))
make_veths va $half
began=$(date +%s%3N)
start
ask_on &
ASKING=$!
check "$half nics that are there at the start are attached" wait_for 300 "all of them" all_attached $half
diag "start with $half nics: $(since "$began")"
answered
ask_on &
ASKING=$!
began=$(date +%s%3N)
make_veths vb $half
made=$(since "$began")
check "$half more that come meanwhile" wait_for 300 "all of them" all_attached $NICS
diag "$half more: $(since "$began"), of which the kernel took $made to make them"
answered
# In pieces, by HTTP and by the API: each nic once, and the same families.
http() { curl -s --unix-socket "/run/$ID/xrs.sock" "$@" http://localhost/metrics; }
told() { echo "$(grep -c '^xrs_nic_attached{' "$1") $(grep -c '^xrs_xdp_packets_total{.*reason="local"' "$1") $(tail -1 "$1")"; }
http >"$DIR/http"
ctl metrics >"$DIR/json"
check_equal "GET /metrics tells of each nic once" "$NICS $NICS # EOF" "$(told "$DIR/http")"
check_equal "metrics.get the same" "$NICS $NICS # EOF" "$(told "$DIR/json")"
check_equal "in the same words" "$(grep '^#' "$DIR/http")" "$(grep '^#' "$DIR/json")"
check "HEAD has no body" test "$(http --head | grep -c .)" -le 6
reads() { ctl metrics | sed -n 's/^xrs_fib_reads_total //p'; }
had=$(reads)
ctl -j nic list >/dev/null
had=$(($(reads) - had)) # of the list, and of one metrics.get
check "the counters of $NICS nics, twice, were read by $had system calls" test "$had" -le $((NICS / 8 + 16))
xrs_stop
began=$(date +%s%3N)
start
check "a restart adopts $NICS" wait_for 300 "all of them" all_attached $NICS
diag "restart: $(since "$began")"
began=$(date +%s%3N)
ns_del many
none_left() { [ "$(attached)" -eq 0 ] && [ -z "$(ls "$PINS/links")" ]; }
check "and all go with the namespace of their other ends" wait_for 300 "none left" none_left
diag "gone: $(since "$began")"
finish
