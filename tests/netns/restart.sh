#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# xrsd is killed with -9 and started again while a VM pings through the appliance: no packet is lost,
# links and maps are adopted, and what was not announced again goes. On the lab of the demo.
# timeout: 240
. "$(dirname "$0")/../lib/sh.sh"
need_root
NAME=xr-$$
RUN=/run/$NAME-lab
SOCK=/run/$NAME/xrs.sock
demo() { env XRS_DEMO="$NAME" XRS_BUILD="$BUILD" "$TOP/deploy/demo.sh" "$@"; }
test_cleanup() { demo down quiet; }
in_ns() { local n=$1; shift; nsenter --net="/run/netns/$NAME-$n" "$@"; }
ctl() { "$XRSCTL" -s "$SOCK" "$@"; }
start_again() {
	nsenter --net="/run/netns/$NAME-host" setsid "$XRSD" -c "$RUN/xrs.json" >>"$RUN/xrsd.log" 2>&1 </dev/null &
	echo $! >"$RUN/xrsd.pid"
}
established() { ctl -j peering list | jq -e '[.value[].state] | all(. == "Established")'; }
swept() { grep -q 'restart: complete' "$RUN/xrsd.log"; }
link_ids() { bpftool -j link show pinned "/sys/fs/bpf/$NAME/links/vm1" | jq -e .id; }
verify_clean() {
	ctl -j fib verify | jq -e '.missing == 0 and .stale == 0 and .differing == 0 and .present == .expected'
}
route_gone() {
	! ctl -j nic list-effective-routes --name vm1 |
		jq -e 'any(.value[]; .addressPrefix == "10.250.0.0/16")'
}

check "the lab of the demo stands" demo up || finish
ids=$(link_ids)
in_ns vm1 ping -q -n -i 0.001 -c 12000 -W 2 10.250.0.10 >"$DIR/ping" 2>&1 &
ping=$!
for _ in 1 2 3; do
	kill -9 "$(cat "$RUN/xrsd.pid")"
	: >"$RUN/xrsd.log"
	start_again
	wait_for 60 "the sessions after kill -9" established
	wait_for 60 "the sweep" swept
done
wait $ping
check "12,000 packets at 1,000 a second over three kill -9: none is lost" \
	grep -q '12000 packets transmitted, 12000 received' "$DIR/ping"
check_equal "the same XDP links serve as before" "$ids" "$(link_ids)"
check "every map entry is as planned afterwards" verify_clean

kill -9 "$(cat "$RUN/xrsd.pid")"
for n in sdwan sdwan2; do ip netns pids "$NAME-$n" | xargs -r kill -9; done
sed -i '/"name": "sdwan/d; s/"connectRetryTime": 1 },$/"connectRetryTime": 1 }/' "$RUN/xrs.json"
: >"$RUN/xrsd.log"
start_again
wait_for 60 "the remaining session" established
check "a route that nobody announces again is swept" wait_for 60 "no 10.250.0.0/16" route_gone
check "and the maps agree" wait_for 30 "agreement" verify_clean

pid=$(cat "$RUN/xrsd.pid")
kill -TERM "$pid"
check "SIGTERM ends xrsd" wait_for 30 "its end" sh -c "! kill -0 $pid 2>/dev/null"
check "after a stop the firewall is still reached" \
	in_ns vm1 ping -q -n -c 5 -i 0.05 -W 2 203.0.113.10
check "dataplane detach" "$XRSCTL" dataplane detach --instance "$NAME"
check_not "it removes every pin" test -e "/sys/fs/bpf/$NAME"
finish
