#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The manual: mandoc finds nothing to complain about, and the reference parts of xrs.json(5), xrs-api(7) and
# xrsctl(1) say exactly what the tables of the program say: each key, method, event and command with its
# types, bounds and defaults, and none that does not exist. `make man` writes those parts anew.

declare -A PART=([xrs.json.5]=config [xrs-api.7]=api [xrsctl.1]=ctl)
BEGIN='.\" The reference begins: written by `make man` from the tables of the program.'
END='.\" The reference ends.'

with_reference() { # TOOL PAGE: the page with its reference part as the tables have it
	local line inside=
	while IFS= read -r line; do
		[ -z "$inside" ] || [ "$line" = "$END" ] || continue
		inside=
		printf '%s\n' "$line"
		[ "$line" != "$BEGIN" ] || { "$1" "${PART[${2##*/}]}" && inside=1; }
	done <"$2"
}

if [ "${1:-}" = write ]; then
	for page in "${!PART[@]}"; do
		with_reference "$2" "deploy/man/$page" >"deploy/man/$page.new" || exit 1
		mv "deploy/man/$page.new" "deploy/man/$page"
	done
	exit
fi

. "$(dirname "$0")/../lib/sh.sh"
need_cmd mandoc
TOOL=$BUILD/tests/tool_manual
need_file "$TOOL"

has_marks() { # PAGE
	[ "$(grep -cxF -- "$BEGIN" "$1")" -eq 1 ] && [ "$(grep -cxF -- "$END" "$1")" -eq 1 ]
}
same_as_tables() { # PAGE
	with_reference "$TOOL" "$1" >"$DIR/page" && diff "$1" "$DIR/page"
}
# Not that other pages are not installed here, and that the system is called XRS.
# What it says of the page goes to its output; in one stream with its errors lines would break into each other.
lint_clean() { # PAGE
	! mandoc -Tlint -W style "$1" 2>"$DIR/.mandoc" |
		grep -v -e 'referenced manual not found' -e 'operating system explicitly' -e 'longer than 80 bytes' &&
		! grep -v 'outdated mandoc.db' "$DIR/.mandoc"
}

for page in "$TOP"/deploy/man/*.[0-9]; do
	check "${page##*/}: mandoc finds nothing" lint_clean "$page"
done
for page in "${!PART[@]}"; do
	check "$page: has a reference part" has_marks "$TOP/deploy/man/$page"
	check "$page: says what the tables say (if not: make man)" same_as_tables "$TOP/deploy/man/$page"
done
finish
