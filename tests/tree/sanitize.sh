#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The pure libraries once more with ASan and UBSan, in build-san/: unit tests, models, vectors and corpora, a
# result each program. The rest of the tree: make SAN=1 check.
# timeout: 600
. "$(dirname "$0")/../lib/sh.sh"

need_cmd make
sanitized() { # what a program of the build directory did; prints the runner's lines
	make -C "$TOP" --no-print-directory -j2 SAN=1 check-pure
}
# The runner counts a sanitizer's report as a failure even where the test itself passed.
run_logged sanitized
status=$?
cp "$DIR/.out" "$DIR/report"
while read -r _ program results _; do
	if grep -q "^  FAIL    ${program%:}" "$DIR/report"; then
		fail "${program%:} below ASan and UBSan"
	else
		ok "${program%:} below ASan and UBSan: $results results"
	fi
done < <(grep '^  TEST ' "$DIR/report")
check_equal "no program failed" 0 "$status"
finish
