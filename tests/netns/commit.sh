#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A configuration that is applied with a way back: confirmed it stays, undone or not confirmed it goes, also
# when xrsd was killed in between; and a start never puts in force what was refused.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/mgmt.sh"

PENDING=/var/lib/$ID/pending.json
mgmt_lab
mgmt_config a
xrs_start
bird_start a "10.250.0.0/16"
await_peers a
cp "$CONF" "$DIR/first.json"

prefixes() { ctl -j vnet show prod | jq -r '.addressPrefixes | join(" ")'; }
established() { ctl -j peering show --name a | jq -r .connectionsEstablished; }
has() { [ "$(prefixes)" = "$1" ]; }
waits() { [ "$(ctl -j config show | jq -r .confirmBefore)" != null ]; }
second() { edit_config '.vnets[0].addressPrefixes += ["10.9.0.0/16"]'; }
first() { cp "$DIR/first.json" "$CONF"; }
refused() { # NAME COMMAND...: Conflict
	local name=$1
	shift
	ctl -j "$@" >"$DIR/answer" 2>/dev/null
	check "$name" jq -e '.error.data.reason == "Conflict"' "$DIR/answer" || diag "$(cat "$DIR/answer")"
}
restart() { # SIGNAL
	kill "-$1" "$XRS_PID"
	wait "$XRS_PID" 2>/dev/null
	xrs_start
}

# --- confirm and undo -----------------------------------------------------------------------------------
refused "nothing waits: confirm" config confirm
refused "nothing was before: undo" config undo
second
check "apply, to be confirmed" run_logged ctl config apply --confirm-within 300
check_equal "is in force" "10.1.0.0/16 10.9.0.0/16" "$(prefixes)"
check "and waits" waits
refused "another change meanwhile: apply" config apply
refused "another change meanwhile: reload" config reload
refused "another change meanwhile: an object" route create 203.0.113.0/24 --next-hop-type None
check "confirmed" run_logged ctl config confirm
check_not "it waits no more" waits
check_not "and nothing of it is kept" test -e "$PENDING"
check "undo goes back" run_logged ctl config undo
check_equal "to what was" "10.1.0.0/16" "$(prefixes)"
check "and undo of undo forth" run_logged ctl config undo
check_equal "again" "10.1.0.0/16 10.9.0.0/16" "$(prefixes)"
first
run_logged ctl config reload
second
run_logged ctl config apply --confirm-within 300
check "undo while it waits" run_logged ctl config undo
check_equal "goes back" "10.1.0.0/16" "$(prefixes)"
check_not "and nothing waits" waits

# --- not confirmed -----------------------------------------------------------------------------------------
run_logged ctl config apply --confirm-within 1
check "without confirmation it goes back by itself" wait_for 20 "the way back" has "10.1.0.0/16"
check "the file is as it was written" grep -q 10.9.0.0 "$CONF"
restart KILL
check_equal "a start does not take what was refused" "10.1.0.0/16" "$(prefixes)"
check "and says so" grep -q "was not confirmed: the one before it is in force" "$DIR/xrsd.log"
restart TERM
check_equal "nor the next" "10.1.0.0/16" "$(prefixes)"
check "asked for, the file is read" run_logged ctl config reload
check_equal "and in force" "10.1.0.0/16 10.9.0.0/16" "$(prefixes)"
restart TERM
check_equal "also after a start" "10.1.0.0/16 10.9.0.0/16" "$(prefixes)"

# --- killed in between ----------------------------------------------------------------------------------------
first
run_logged ctl config reload
second
run_logged ctl config apply --confirm-within 300
restart KILL
check_equal "killed, with time left: it is in force" "10.1.0.0/16 10.9.0.0/16" "$(prefixes)"
check "and still waits" waits
check "to be confirmed" run_logged ctl config confirm
restart KILL
check_equal "confirmed it stays" "10.1.0.0/16 10.9.0.0/16" "$(prefixes)"
first
run_logged ctl config reload
second
run_logged ctl config apply --confirm-within 8
restart KILL
check "killed, and the time runs out after the start: it goes back" wait_for 30 "the way back" has "10.1.0.0/16"
first
run_logged ctl config reload
second
run_logged ctl config apply --confirm-within 8
kill -KILL "$XRS_PID"
wait "$XRS_PID" 2>/dev/null
jq '.deadline += 31536000000000' "$PENDING" >"$DIR/pending.json" && cp "$DIR/pending.json" "$PENDING"
xrs_start
check "killed, and the clock was set back by a year: it goes back after its own time" wait_for 30 "the way back" has "10.1.0.0/16"
first
run_logged ctl config reload
second
run_logged ctl config apply --confirm-within 1
kill -KILL "$XRS_PID"
wait "$XRS_PID" 2>/dev/null
sleep 1.2
xrs_start
check_equal "killed, and the time ran out meanwhile: the one before" "10.1.0.0/16" "$(prefixes)"
check_not "nothing waits" waits
edit_config '.vnets[0].addressPrefixes += ["10.10.0.0/16"]'
restart TERM
check_equal "a file that was mended since is taken" "10.1.0.0/16 10.9.0.0/16 10.10.0.0/16" "$(prefixes)"

# --- a configuration that is no file -----------------------------------------------------------------------------
first
run_logged ctl config reload
await_peers a
before=$(established)
jq '.vnets[0].addressPrefixes += ["10.11.0.0/16"]' "$CONF" >"$DIR/other.json"
sed -i '1s,^,// given by hand\n,' "$DIR/other.json"
check "apply a file of one's own" run_logged ctl config apply "$DIR/other.json"
check_equal "is in force" "10.1.0.0/16 10.11.0.0/16" "$(prefixes)"
check_not "and not in the daemon's file" grep -q 10.11 "$CONF"
check "save" run_logged ctl config save
check "puts it there" grep -q 10.11 "$CONF"
check "and keeps what was" diff "$DIR/first.json" "$CONF.old"
check_equal "saving again saves nothing" false "$(ctl -j config save | jq .saved)"
echo '{ "vnets": [ { "name": "x" } ] }' >"$DIR/bad.json"
ctl -j config apply "$DIR/bad.json" >"$DIR/answer" 2>/dev/null
check_equal "one with an error is refused" 1 $?
check "with the place" jq -e '.error.data.reason == "InvalidConfig" and .error.data.field == "vnets[0]"' "$DIR/answer"
echo '{ "vnets": [ { "name": "x", } ] }' >"$DIR/bad.json"
ctl config apply "$DIR/bad.json" 2>"$DIR/complaint"
check_equal "one that is no JSON does not leave here" 2 $?
check "with line and column" grep -q "bad.json:1:" "$DIR/complaint"
check_equal "a's session saw nothing of all this" "$before" "$(established)"
finish
