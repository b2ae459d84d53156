#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 3600
# The programs against the naive model (tests/bpf/test_model.c) with 50 million random frames of a new seed.
# XRS_FRAMES asks for another number, XRS_SEED repeats a run.
. "$(dirname "$0")/../lib/sh.sh"

need_root
need_file "$BUILD/tests/test_bpf"
export XRS_FRAMES=${XRS_FRAMES:-50000000} XRS_SEED=${XRS_SEED:-$(date +%s)}
diag "seed $XRS_SEED, $XRS_FRAMES frames"
cd "$TOP" || exit 1
check "XDP, generic and tc programs agree with the model" \
	"$BUILD/tests/test_bpf" --filter 'model/*' --timeout 3500
finish
