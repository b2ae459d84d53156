#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 1800
# Frames of 64 octets a second on one CPU, over a veth pair and from a tap: forwarded by the kernel, by a
# program with bpf_fib_lookup, and by XRS, native and in tc. lookup_pps.c draws the way they take.
. "$(dirname "$0")/../lib/sh.sh"

BENCH=$BUILD/tests/bench_lookup
SIZES=${XRS_BENCH_SIZES:-1000,100000,1000000}
ROUNDS=${XRS_BENCH_ROUNDS:-15}
RESULTS=$BUILD/bench/pps.txt

need_root
need_cmd ip ethtool gzip
need_file "$BENCH" /dev/net/tun

FILE=()
[ -r "$SHARED_DATA/mrt/dfz-prefixes.2025-10.txt.gz" ] &&
	FILE=(-f "$SHARED_DATA/mrt/dfz-prefixes.2025-10.txt.gz")
mkdir -p "${RESULTS%/*}"
diag "load $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) CPUs, $(uname -r), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
measure() {
	"$BENCH" -p -i "$ID" -n "$SIZES" -r "$ROUNDS" "${FILE[@]}" | tee "$RESULTS"
	return "${PIPESTATUS[0]}"
}
if measure; then
	ok "frames over veth and tap are measured"
else
	fail "frames over veth and tap are measured"
fi
finish
