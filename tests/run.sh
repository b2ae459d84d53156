#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The one test runner: tests/run.sh [-v] PROGRAM...
#
# Runs Criterion binaries and fuzz replays (TAP in a file) and shell tests (*.sh, TAP on standard
# output), gives each a time limit, and adds everything up. Failed and skipped tests are listed by
# name; the last line is exactly "N passed, N failed, N skipped". Exit 1 when anything failed.
# With CI=true a skip is a failure unless tests/README.md names it under "Allowed skips".
#
# A shell test may ask for another limit than 300 s with a line "# timeout: SECONDS".
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/sweep.sh

SHELL_LIMIT=300
BINARY_LIMIT=900
ONE_TEST_LIMIT=300 # of one Criterion test

export XRS_BUILD="${XRS_BUILD:-build}"
verbose=${V:+1}
if [ "${1-}" = -v ]; then
	verbose=1
	shift
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/xrst-$$-run.XXXXXX")
running=
interrupted() {
	trap '' INT TERM HUP
	if [ -n "$running" ]; then
		kill -TERM "$running" 2>/dev/null
		wait "$running" 2>/dev/null
	fi
	echo "interrupted" >&2
	exit 130
}
trap 'rm -rf "$work"' EXIT
trap interrupted INT TERM HUP

passed=0
failed=0
skipped=0
: >"$work/failures"
: >"$work/skips"

# Names in backquotes below the heading "Allowed skips".
awk '/^#+ /{on = /Allowed skips/} on' tests/README.md 2>/dev/null |
	grep -o '`[^`]*`' | tr -d '`' >"$work/allowed"

add_failure() { # NAME REASON
	failed=$((failed + 1))
	printf '%s\n' "$1${2:+: $2}" >>"$work/failures"
	printf '  FAIL    %s%s\n' "$1" "${2:+: $2}"
}

add_skip() { # NAME REASON
	if [ "${CI-}" = true ] && ! grep -qxF -e "$1" -e "${1#*: }" "$work/allowed"; then
		add_failure "$1" "skipped, and not an allowed skip: $2"
		return
	fi
	skipped=$((skipped + 1))
	printf '%s\n' "$1: $2" >>"$work/skips"
	printf '  SKIP    %s: %s\n' "$1" "$2"
}

# One TAP stream into the totals; sets results, planned and not_ok.
read_tap() { # FILE PROGRAM
	local line name reason
	results=0
	planned=
	not_ok=0
	while IFS= read -r line; do
		case $line in
		'ok '*'# SKIP'*)
			name=${line#ok }
			name=${name#- }
			reason=${name#*\# SKIP}
			name=${name%%\# SKIP*}
			name=${name%"${name##*[! ]}"}
			add_skip "$2: $name" "${reason# }"
			results=$((results + 1))
			;;
		'ok '*)
			passed=$((passed + 1))
			results=$((results + 1))
			;;
		'not ok '*)
			name=${line#not ok }
			add_failure "$2: ${name#- }" ""
			results=$((results + 1))
			not_ok=$((not_ok + 1))
			;;
		1..[0-9]*) planned=${line#1..} ;;
		esac
	done <"$1"
}

# Only what belongs to failures: each "not ok" and the lines below it up to the next result.
failure_details() { # TAPFILE
	awk '/^not ok /{on = 1; print "    " $0; next} /^ok |^1\.\./{on = 0} on{print "    " $0}' "$1"
}

limit_of() { # PROGRAM
	local limit=
	case $1 in
	*.sh)
		limit=$(sed -n 's/^# timeout: *\([0-9][0-9]*\)$/\1/p' "$1" 2>/dev/null | head -n 1)
		echo "${limit:-$SHELL_LIMIT}"
		;;
	*) echo "$BINARY_LIMIT" ;;
	esac
}

# Starts one program in the background below timeout(1), which gives it a process group of its own.
start() { # PROGRAM LIMIT
	local after=()
	case $1 in
	*.sh) after=(bash "$1") ;;
	*/replay_*) after=("$1") ;;
	*) after=("$1" "--tap=$work/tap" --timeout "$ONE_TEST_LIMIT" --color=never) ;;
	esac
	timeout --kill-after=30 "$2" "${after[@]}" >"$work/out" 2>"$work/err" </dev/null &
	running=$!
}

run_one() { # PROGRAM
	local program=$1 name limit status began=$SECONDS before=$failed
	name=${program#"$XRS_BUILD"/tests/}
	name=${name#tests/}
	limit=$(limit_of "$program")
	rm -f "$work/tap"
	if [ ! -e "$program" ]; then
		add_failure "$name" "no such test"
		return
	fi
	start "$program" "$limit"
	wait "$running" 2>/dev/null
	status=$?
	running=
	case $program in
	*.sh | */replay_*) cp "$work/out" "$work/tap" ;;
	esac
	[ -e "$work/tap" ] || : >"$work/tap"
	read_tap "$work/tap" "$name"
	if [ "$status" -ge 124 ] && [ $((SECONDS - began)) -ge "$limit" ]; then
		add_failure "$name" "still running after $limit s"
	elif [ "$results" -eq 0 ]; then
		add_failure "$name" "reported no result (exit status $status)"
	elif [ -z "$planned" ] || [ "$planned" -ne "$results" ]; then
		add_failure "$name" "died: $results of ${planned:-?} results, exit status $status"
	elif [ "$status" -ne 0 ] && [ "$not_ok" -eq 0 ]; then
		add_failure "$name" "exit status $status without a failed test"
	fi
	# Leaks show after a test has reported that it passed.
	if grep -qsE '(Address|Leak|Thread|UndefinedBehavior)Sanitizer|: runtime error: ' "$work/err"; then
		add_failure "$name" "a sanitizer reported an error"
	fi
	if [ "$failed" -ne "$before" ]; then
		show_failure "$program"
	elif [ -n "$verbose" ]; then
		cat "$work/out"
	fi
	printf '  %-7s %s: %d results in %d s\n' TEST "$name" "$results" $((SECONDS - began))
}

show_failure() { # PROGRAM
	case $1 in
	*.sh)
		sed 's/^/    /' "$work/out"
		;;
	*)
		failure_details "$work/tap"
		;;
	esac
	if [ -s "$work/err" ]; then
		echo "    --- standard error (last 60 lines)"
		tail -n 60 "$work/err" | sed 's/^/    /'
	fi
}

if [ $# -eq 0 ]; then
	echo "tests/run.sh: no tests given" >&2
	add_failure "tests/run.sh" "no tests given"
fi
sweep_stale
for program in "$@"; do
	run_one "$program"
done

if [ -s "$work/skips" ]; then
	echo
	echo "Skipped:"
	sed 's/^/  /' "$work/skips"
fi
if [ -s "$work/failures" ]; then
	echo
	echo "Failed:"
	sed 's/^/  /' "$work/failures"
fi
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
