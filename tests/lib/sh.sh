# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every shell test starts with:
#
#	. "$(dirname "$0")/../lib/sh.sh"
#	need_root; need_cmd ip bird
#	ns_add host vm                       # namespaces $(ns_name host), $(ns_name vm)
#	spawn -n host bird bird -d -c "$DIR/bird.conf"
#	wait_for 30 "the session" peering_is_established
#	check "vm1 reaches the Internet" ns vm ping -c1 -w5 192.0.2.1
#	finish
#
# Each result is one line (ok - / not ok - / ok - # SKIP); finish prints how many there were, and a
# test that ends without it counts as died. Everything made here carries the name $ID
# (xrst-<pid>-<script>) and is removed on every way out; after a kill -9 the next run sweeps it.
# Instances of xrsd should be named "$ID" or "$ID-x" (node.instance), so that their pins and
# directories go too. Background processes start with spawn only.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
case ${XRS_BUILD:-build} in
/*) BUILD=$XRS_BUILD ;;
*) BUILD=$TOP/${XRS_BUILD:-build} ;;
esac
XRSD=$BUILD/xrsd
XRSCTL=$BUILD/xrsctl
SHARED_DATA=${XRS_SHARED_DATA:-$TOP/../shared/data}
SCRIPT=$(basename "$0" .sh)
ID=xrst-$$-$SCRIPT

. "$TOP/tests/lib/sweep.sh"
sweep_stale
# Scratch directory of this run: configuration, logs, sockets.
DIR=$(mktemp -d "${TMPDIR:-/tmp}/$ID.XXXXXX") || exit 1
: >"$DIR/pids"

# Seconds that check_soon waits: a bound on a broken run, above the longest back-off of BGP.
WAIT=${WAIT:-100}

_results=0
_failures=0

# --- results ---------------------------------------------------------------------------------

diag() { # TEXT: comment lines, shown when the test fails
	printf '%s\n' "$*" | sed 's/^/# /'
}

ok() { # NAME
	_results=$((_results + 1))
	echo "ok - $1"
}

fail() { # NAME [REASON]
	_results=$((_results + 1))
	_failures=$((_failures + 1))
	echo "not ok - $1${2:+: $2}"
}

skip() { # NAME REASON
	_results=$((_results + 1))
	echo "ok - $1 # SKIP $2"
}

finish() { # the last line of every test
	echo "1..$_results"
	[ "$_failures" -eq 0 ]
	exit
}

skip_all() { # REASON
	skip all "$1"
	finish
}

# The test can not go on: what failed, and why.
abandon() { # NAME [REASON]
	fail "$@"
	show_logs
	finish
}

# Runs a command; when it fails, shows it with all of its output. Status of the command.
run_logged() { # COMMAND...
	local status
	"$@" >"$DIR/.out" 2>&1
	status=$?
	if [ "$status" -ne 0 ]; then
		diag "\$ $*"
		diag "$(tail -n 40 "$DIR/.out")"
		diag "exit status $status"
	fi
	return "$status"
}

check() { # NAME COMMAND...: one result; the command must succeed
	local name=$1
	shift
	if run_logged "$@"; then
		ok "$name"
	else
		fail "$name"
		return 1
	fi
}

check_not() { # NAME COMMAND...: one result; the command must fail
	local name=$1
	shift
	if "$@" >"$DIR/.out" 2>&1; then
		diag "\$ $*"
		diag "$(tail -n 40 "$DIR/.out")"
		fail "$name" "it succeeded"
		return 1
	fi
	ok "$name"
}

check_equal() { # NAME EXPECTED ACTUAL
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		fail "$1" "expected '$2', got '$3'"
		return 1
	fi
}

# Polls until the command succeeds. A limit is a bound on a broken run, never a measurement: make it
# generous. No result of its own; on time-out shows the command's last output and returns 1.
wait_for() { # SECONDS WHAT COMMAND...
	local seconds=$1 what=$2
	local end=$((SECONDS + $1 + 1))
	shift 2
	until "$@" >"$DIR/.out" 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			diag "waited $seconds s in vain for $what"
			diag "\$ $*"
			diag "$(tail -n 40 "$DIR/.out")"
			return 1
		fi
		sleep 0.1
	done
}

same_output() { # EXPECTED COMMAND...: its output is exactly that
	local expected=$1 actual
	shift
	actual=$("$@" 2>&1)
	[ "$actual" = "$expected" ] && return
	printf 'expected: %s\ngot:      %s\n' "$expected" "$actual"
	return 1
}

# One result: the command succeeds within $WAIT seconds. Where there is a show_recent, it shows what was said
# meanwhile.
check_soon() { # TEXT COMMAND...
	local name=$1
	shift
	if wait_for "$WAIT" "$name" "$@"; then
		ok "$name"
	else
		fail "$name"
		if [ "$(type -t show_recent)" = function ]; then
			show_recent
		fi
		return 1
	fi
}

show_logs() { # the end of every log of this run
	local log
	for log in "$DIR"/*.log; do
		[ -s "$log" ] || continue
		diag "--- ${log##*/}"
		diag "$(tail -n 40 "$log")"
	done
}

# --- what the machine must have ------------------------------------------------------------------

need_root() {
	[ "$(id -u)" -eq 0 ] || skip_all "needs root"
}

need_cmd() { # COMMAND...
	local cmd
	for cmd in "$@"; do
		PATH=$PATH:/usr/sbin:/sbin:/usr/lib/frr command -v "$cmd" >/dev/null ||
			skip_all "$cmd is not installed"
	done
}

need_file() { # FILE...
	local file
	for file in "$@"; do
		[ -e "$file" ] || skip_all "$file is absent"
	done
}

# --- namespaces ------------------------------------------------------------------------------

ns_name() { # NAME
	echo "$ID-$1"
}

ns_add() { # NAME...
	local name
	for name in "$@"; do
		run_logged ip netns add "$ID-$name" || abandon "namespace $name"
		ip -n "$ID-$name" link set lo up
	done
}

ns_del() { # NAME...
	local name
	for name in "$@"; do
		remove_netns "$ID-$name"
	done
}

ns() { # NAME COMMAND...
	local name=$1
	shift
	ip netns exec "$ID-$name" "$@"
}

# --- processes ---------------------------------------------------------------------------------

# Starts a process in the background; its output goes to $DIR/LOG.log, its number to $spawned.
# ip netns exec execs the command, so that the number is the command's own.
spawn() { # [-n NAMESPACE] LOG COMMAND...
	local in=()
	if [ "$1" = -n ]; then
		in=(ip netns exec "$ID-$2")
		shift 2
	fi
	local log=$DIR/$1.log
	shift
	"${in[@]}" "$@" >>"$log" 2>&1 </dev/null &
	spawned=$!
	echo "$spawned $(proc_start "$spawned")" >>"$DIR/pids"
}

is_running() { # PID
	local state
	state=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1)
	[ -n "$state" ] && [ "$state" != Z ]
}

is_gone() { # PID
	! is_running "$1"
}

# Ends a spawned process: TERM, or the signal named, then KILL after ten seconds. Its exit status.
stop_pid() { # PID [SIGNAL]
	kill "-${2:-TERM}" "$1" 2>/dev/null
	wait_for 10 "the end of process $1" is_gone "$1" || kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# --- the way out ---------------------------------------------------------------------------------

_cleanup() {
	local status=$? path
	trap '' INT TERM HUP
	trap - EXIT
	if [ "$(type -t test_cleanup)" = function ]; then
		test_cleanup
	fi
	_end_recorded
	for path in /run/netns/"$ID"-*; do
		[ -e "$path" ] && remove_netns "${path##*/}"
	done
	for path in /sys/fs/bpf /run /var/lib; do
		rm -rf "$path/${ID:?}" "$path/${ID:?}"-*
	done
	rm -rf "$DIR"
	exit "$status"
}

# TERM to all, at most five seconds for orderly ends, then KILL.
_end_recorded() {
	local pid start left=50
	kill_recorded "$DIR/pids" TERM
	while read -r pid start; do
		while [ "$left" -gt 0 ] && [ "$(proc_start "$pid")" = "$start" ] && is_running "$pid"; do
			sleep 0.1
			left=$((left - 1))
		done
	done <"$DIR/pids"
	kill_recorded "$DIR/pids" KILL
}

trap _cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
