#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Where xrsd's time goes: one scenario of bgp.sh below perf, a flame graph and the costliest functions.
#
#	tests/bench/profile.sh [SCENARIO [SPEAKER]]	full, xrsbpf
#
# Wants a build with frame pointers; `make profile` makes one in build-profile/.
cd "$(dirname "$0")/../.." || exit 1
scenario=${1:-full}
speaker=${2:-xrsbpf}
build=${XRS_BUILD:-build-profile}
out=$build/profile-$scenario-$speaker

command -v perf >/dev/null || { echo "perf is not installed (package linux-perf)" >&2; exit 1; }
mkdir -p "$build"
# The clock of the processor rather than its counters: virtual machines have no others.
XRS_BUILD=$build XRS_BENCH_RUNS=1 XRS_BENCH_SCENARIOS=$scenario XRS_BENCH_SPEAKERS=$speaker \
	XRS_BENCH_PERF=$PWD/$out.data tests/bench/bgp.sh || exit 1
perf script -i "$out.data" -F comm,ip,sym >"$out.txt" 2>/dev/null
awk -v title="xrsd, $scenario, $(date -u +%F)" -f tests/bench/lib/flame.awk "$out.txt" >"$out.svg" || exit 1
awk -v list=25 -f tests/bench/lib/flame.awk "$out.txt"
rm -f "$out.txt"
echo "$out.svg"
