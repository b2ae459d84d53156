#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Alerts and dashboard name only metrics that xrsd exports: a renamed metric must not silence an alert.
. "$(dirname "$0")/../lib/sh.sh"
need_cmd jq

# Names as families; what is exported carries a suffix by its type.
exported() {
	grep -oh '"xrs_[a-z0-9_]*"' "$TOP"/user/api/*.c | tr -d '"' | sed 's/_total$//; s/_info$//' | sort -u
}
named() { # FILE
	grep -o 'xrs_[a-z0-9_]*' "$1" | sed 's/_total$//; s/_info$//; s/_bucket$//' | sort -u
}

exported >"$DIR/exported"
for file in alerts.yml dashboard.json; do
	named "$TOP/deploy/prometheus/$file" >"$DIR/named"
	check "$file names metrics" test -s "$DIR/named"
	check_equal "$file names only metrics that xrsd exports" "" "$(comm -23 "$DIR/named" "$DIR/exported")"
done
check "the dashboard is JSON with panels that ask something" \
	jq -e '(.panels | length) > 0 and all(.panels[]; all(.targets[]; .expr != ""))' \
	"$TOP/deploy/prometheus/dashboard.json"
finish
