#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 3600
# What a packet and a route cost in the data plane, in nanoseconds, beside bpf_fib_lookup and the trie alone:
# bench_lookup.c with the tables of README.md. Everything stays in namespaces and pins of its own.
. "$(dirname "$0")/../lib/sh.sh"

BENCH=$BUILD/tests/bench_lookup
SIZES=${XRS_BENCH_SIZES:-1000,10000,100000,1000000}
ROUNDS=${XRS_BENCH_ROUNDS:-9}
RESULTS=$BUILD/bench/lookup.txt

need_root
need_cmd ip gzip
need_file "$BENCH"

FILE=()
[ -r "$SHARED_DATA/mrt/dfz-prefixes.2025-10.txt.gz" ] &&
	FILE=(-f "$SHARED_DATA/mrt/dfz-prefixes.2025-10.txt.gz")
mkdir -p "${RESULTS%/*}"
diag "load $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) CPUs, $(uname -r), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
measure() {
	"$BENCH" -i "$ID" -n "$SIZES" -r "$ROUNDS" "${FILE[@]}" | tee "$RESULTS"
	return "${PIPESTATUS[0]}"
}
if measure; then
	ok "packets and map writes are measured"
else
	fail "packets and map writes are measured"
fi
finish
