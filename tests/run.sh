#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The one test runner: tests/run.sh [-v] [-j JOBS] PROGRAM...
#
# Runs Criterion binaries and fuzz replays (TAP in a file) and shell tests (*.sh, TAP on standard
# output), gives each a time limit, and adds everything up. Failed and skipped tests are listed by
# name; the last line is exactly "N passed, N failed, N skipped". Exit 1 when anything failed.
# With CI=true a skip is a failure unless tests/README.md names it under "Allowed skips".
#
# A shell test may ask for another limit than 300 s with a line "# timeout: SECONDS". With -j that many
# shell tests run at the same time (they mostly wait), but for those with a line "# alone"; results are
# read and printed in the order in which the programs were named.
#
# A shell test with a line "# again: REASON" that failed runs once more, alone, when all others are through;
# only that run counts, and both are named. For daemons of others, whose timing is not ours to mend.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/sweep.sh

SHELL_LIMIT=300
BINARY_LIMIT=900
ONE_TEST_LIMIT=300 # of one Criterion test

export XRS_BUILD="${XRS_BUILD:-build}"
# What is freed reads as nonsense at once, not when somebody else has it (mallopt(3), M_PERTURB).
export MALLOC_PERTURB_="${MALLOC_PERTURB_:-90}"
verbose=${V:+1}
jobs=1
while getopts vj: option; do
	case $option in
	v) verbose=1 ;;
	j) jobs=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))

work=$(mktemp -d "${TMPDIR:-/tmp}/xrst-$$-run.XXXXXX")
declare -A pid_of=() # directory of a program's output -> process, while it runs
interrupted() {
	trap '' INT TERM HUP
	if [ ${#pid_of[@]} -gt 0 ]; then
		kill -TERM "${pid_of[@]}" 2>/dev/null
		wait "${pid_of[@]}" 2>/dev/null
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
: >"$work/first_failures"
again=()    # programs that run once more
last_round= # not empty: they do

# Names in backquotes below the heading "Allowed skips".
awk '/^#+ /{on = /Allowed skips/} on' tests/README.md 2>/dev/null |
	grep -o '`[^`]*`' | tr -d '`' >"$work/allowed"

may_run_again() { # PROGRAM
	case $1 in
	*.sh) grep -q '^# again: ' "$1" 2>/dev/null ;;
	*) false ;;
	esac
}

# Takes back what the run just read has added, but for its name among those that run again.
forget_run() { # PROGRAM NAME PASSED FAILED SKIPPED FAILURE-LINES SKIP-LINES
	printf '  AGAIN   %s: %d failed, it runs once more at the end\n' "$2" $((failed - $4))
	sed -n "$(($6 + 1)),\$p" "$work/failures" | sed 's/^/  /' >>"$work/first_failures"
	passed=$3
	failed=$4
	skipped=$5
	sed -i "$(($6 + 1)),\$d" "$work/failures"
	sed -i "$(($7 + 1)),\$d" "$work/skips"
	again+=("$1")
}

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
start() { # PROGRAM OUTPUT
	local program=$1 dir=$2 command=()
	mkdir "$dir"
	: >"$dir/err"
	echo "$EPOCHSECONDS" >"$dir/began"
	[ -e "$program" ] || return
	case $program in
	*.sh) command=(bash "$program") ;;
	*/replay_*) command=("$program") ;;
	*) command=("$program" "--tap=$dir/tap" --timeout "$ONE_TEST_LIMIT" --color=never) ;;
	esac
	(
		trap 'kill -TERM "$timeout" 2>/dev/null' TERM
		timeout --kill-after=30 "$(limit_of "$program")" "${command[@]}" \
			>"$dir/out" 2>"$dir/err" </dev/null &
		timeout=$!
		wait "$timeout"
		echo $? >"$dir/status" # not told by wait: the shell forgets it when the number is used again
		wait "$timeout" 2>/dev/null # the first may have ended with our TERM
		echo "$EPOCHSECONDS" >"$dir/ended"
	) &
	pid_of[$dir]=$!
}

# Waits for one program and adds up what it reported.
finish_one() { # PROGRAM OUTPUT
	local program=$1 dir=$2 name took status before=$failed
	local counts=("$passed" "$failed" "$skipped" "$(wc -l <"$work/failures")" "$(wc -l <"$work/skips")")
	name=${program#"$XRS_BUILD"/tests/}
	name=${name#tests/}
	if [ ! -e "$program" ]; then
		add_failure "$name" "no such test"
		return
	fi
	wait "${pid_of[$dir]}" 2>/dev/null
	status=$(cat "$dir/status" 2>/dev/null || echo 255)
	unset "pid_of[$dir]"
	took=$(($(cat "$dir/ended" 2>/dev/null || echo "$EPOCHSECONDS") - $(cat "$dir/began")))
	case $program in
	*.sh | */replay_*) cp "$dir/out" "$dir/tap" ;;
	esac
	[ -e "$dir/tap" ] || : >"$dir/tap"
	read_tap "$dir/tap" "$name"
	judge "$program" "$name" "$status" "$took" "$dir/err"
	if [ "$failed" -ne "$before" ]; then
		show_failure "$program" "$dir"
	elif [ -n "$verbose" ]; then
		cat "$dir/out"
	fi
	printf '  %-7s %s: %d results in %d s\n' TEST "$name" "$results" "$took"
	if [ "$failed" -ne "$before" ] && [ -z "$last_round" ] && may_run_again "$program"; then
		forget_run "$program" "$name" "${counts[@]}"
	fi
	rm -rf "$dir"
}

# What no single result shows: a program that hung, died early or leaked.
judge() { # PROGRAM NAME STATUS SECONDS STDERR
	local limit
	limit=$(limit_of "$1")
	if [ "$3" -ge 124 ] && [ "$4" -ge "$limit" ]; then
		add_failure "$2" "still running after $limit s"
	elif [ "$results" -eq 0 ]; then
		add_failure "$2" "reported no result (exit status $3)"
	elif [ -z "$planned" ] || [ "$planned" -ne "$results" ]; then
		add_failure "$2" "died: $results of ${planned:-?} results, exit status $3"
	elif [ "$3" -ne 0 ] && [ "$not_ok" -eq 0 ]; then
		add_failure "$2" "exit status $3 without a failed test"
	fi
	# Leaks show after a test has reported that it passed.
	if grep -qsE '(Address|Leak|Thread|UndefinedBehavior)Sanitizer|: runtime error: ' "$5"; then
		add_failure "$2" "a sanitizer reported an error"
	fi
}

show_failure() { # PROGRAM OUTPUT
	case $1 in
	*.sh)
		sed 's/^/    /' "$2/out"
		;;
	*)
		failure_details "$2/tap"
		;;
	esac
	if [ -s "$2/err" ]; then
		echo "    --- standard error (last 60 lines)"
		tail -n 60 "$2/err" | sed 's/^/    /'
	fi
}

runs_alone() { # PROGRAM
	case $1 in
	*.sh) grep -qx '# alone' "$1" 2>/dev/null ;;
	esac
}

still_running() { # how many
	local dir n=0
	for dir in "${!pid_of[@]}"; do
		[ -e "$dir/ended" ] || n=$((n + 1))
	done
	echo "$n"
}

# Before PROGRAM may start: no more others run than it allows.
make_room() { # PROGRAM
	local others=$((jobs - 1))
	if runs_alone "$1"; then
		others=0
	fi
	while [ "$(still_running)" -gt "$others" ]; do
		if [ -e "$work/$next/ended" ]; then
			finish_next
		else
			sleep 0.1
		fi
	done
}

started=() # programs whose results are still to be read
next=0     # number of the first of them
finish_next() {
	finish_one "${started[0]}" "$work/$next"
	started=("${started[@]:1}")
	next=$((next + 1))
}

if [ $# -eq 0 ]; then
	echo "tests/run.sh: no tests given" >&2
	add_failure "tests/run.sh" "no tests given"
fi
sweep_stale
count=0
for program in "$@"; do
	make_room "$program"
	start "$program" "$work/$count"
	started+=("$program")
	count=$((count + 1))
	if runs_alone "$program"; then
		while [ ${#started[@]} -gt 0 ]; do
			finish_next
		done
	fi
done
while [ ${#started[@]} -gt 0 ]; do
	finish_next
done
last_round=1
for program in "${again[@]}"; do
	start "$program" "$work/$count"
	finish_one "$program" "$work/$count"
	count=$((count + 1))
done

if [ -s "$work/skips" ]; then
	echo
	echo "Skipped:"
	sed 's/^/  /' "$work/skips"
fi
if [ -s "$work/first_failures" ]; then
	echo
	echo "Failed at first, and run again:"
	cat "$work/first_failures"
fi
if [ -s "$work/failures" ]; then
	echo
	echo "Failed:"
	sed 's/^/  /' "$work/failures"
fi
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
