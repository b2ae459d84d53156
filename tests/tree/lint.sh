#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The two halves of `make lint`, a result each.
. "$(dirname "$0")/../lib/sh.sh"

lint() { # HALF TOOL
	if command -v "$2" >/dev/null; then
		check "$2 has nothing to say" make -C "$TOP" --no-print-directory B="$BUILD" "lint-$1"
	else
		skip "$2 has nothing to say" "$2 is not installed"
	fi
}

lint format clang-format
lint cppcheck cppcheck
finish
