#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The runner itself: nothing that dies, hangs, says nothing or skips in CI may pass for a success.
. "$(dirname "$0")/../lib/sh.sh"

LIB=$TOP/tests/lib/sh.sh

# Writes a shell test of these lines.
script() { # NAME LINE...
	local file=$DIR/$1.sh
	shift
	printf '%s\n' "$@" >"$file"
}

# Runs the runner on scripts; all of its output to $DIR/.run, its last line to $last.
run() { # [VARIABLE=VALUE] [-jN] NAME...
	local env=(CI=) names=()
	case $1 in
	*=*)
		env=("$1")
		shift
		;;
	esac
	case $1 in
	-j*)
		names=("$1")
		shift
		;;
	esac
	for name in "$@"; do
		names+=("$DIR/$name.sh")
	done
	env "${env[@]}" "$TOP/tests/run.sh" "${names[@]}" >"$DIR/.run" 2>&1
	status=$?
	last=$(tail -n 1 "$DIR/.run")
}

# NAME STATUS LAST-LINE: what the run just made must have given.
expect() {
	if [ "$status" -eq "$2" ] && [ "$last" = "$3" ]; then
		ok "$1"
	else
		diag "$(cat "$DIR/.run")"
		fail "$1" "exit status $status, last line '$last'"
	fi
}

script good ". $LIB" 'ok one' 'check "two" true' 'finish'
script bad ". $LIB" 'ok one' 'check "two" ls /nonexistent' 'fail three because' 'finish'
script skips ". $LIB" 'ok one' 'skip "two" "no such kernel"' 'finish'
script dies ". $LIB" 'ok one' 'exit 0'
script killed ". $LIB" 'ok one' 'kill -KILL $$'
script silent ". $LIB" 'finish'
script empty 'true'
script hangs '# timeout: 2' ". $LIB" 'ok one' 'sleep 600'
script status ". $LIB" 'ok one' 'echo "1..1"' 'trap - EXIT' 'rm -rf "$DIR"' 'exit 7'
# Two that can only pass at the same time, and one that must find both finished.
for pair in left:right right:left; do
	script "${pair%:*}" ". $LIB" "touch $DIR/${pair%:*}.here" \
		"check together wait_for 30 ${pair#*:} test -e $DIR/${pair#*:}.here" \
		"touch $DIR/${pair%:*}.done" 'finish'
done
script alone '# alone' ". $LIB" "check alone ls $DIR/left.done $DIR/right.done" 'finish'
script moody '# again: it is moody' ". $LIB" "ok one" "check two rmdir $DIR/mood" 'finish'
script stubborn '# again: it may be moody' ". $LIB" 'ok one' 'check "two" false' 'finish'
script unsettled ". $LIB" 'wait_for 1 "a miracle" false || fail "waited"' 'finish'

run good
expect "all passed" 0 "2 passed, 0 failed, 0 skipped"
run bad
expect "failures are counted" 1 "1 passed, 2 failed, 0 skipped"
check "a failure is listed with its reason" grep -qx '  .*/bad.sh: three: because' "$DIR/.run"
check "the failed command is shown" grep -q '# \$ ls /nonexistent' "$DIR/.run"
run skips
expect "a skip is no failure" 0 "1 passed, 0 failed, 1 skipped"
check "a skip is listed with its reason" grep -q '/skips.sh: two: no such kernel' "$DIR/.run"
run CI=true skips
expect "a skip is a failure in CI" 1 "1 passed, 1 failed, 0 skipped"
run dies
expect "a test that ends without finish" 1 "1 passed, 1 failed, 0 skipped"
run killed
expect "a test that is killed" 1 "1 passed, 1 failed, 0 skipped"
run silent
expect "a test without results" 1 "0 passed, 1 failed, 0 skipped"
run empty
expect "a script that is no test" 1 "0 passed, 1 failed, 0 skipped"
run absent
expect "a test that is absent" 1 "0 passed, 1 failed, 0 skipped"
run hangs
expect "a test that hangs" 1 "1 passed, 1 failed, 0 skipped"
check "a hang is named" grep -q 'still running after 2 s' "$DIR/.run"
run status
expect "an exit status without a failed test" 1 "1 passed, 1 failed, 0 skipped"
run unsettled
expect "a condition that never holds" 1 "0 passed, 1 failed, 0 skipped"
run good bad skips good
expect "one total for all" 1 "6 passed, 2 failed, 1 skipped"
run -j2 left right alone good
expect "with -j tests run at the same time, but for those that want to be alone" 0 \
	"5 passed, 0 failed, 0 skipped"
check "and their results come in order" sh -c \
	"grep -o '[a-z]*.sh: [0-9]' '$DIR/.run' | tr '\n' ' ' | grep -qx 'left.sh: 1 right.sh: 1 alone.sh: 1 good.sh: 2 '"
mkdir "$DIR/mood.later"
(sleep 1 && mv "$DIR/mood.later" "$DIR/mood") &
script slow ". $LIB" "check slow wait_for 30 mood test -e $DIR/mood" 'finish'
run moody slow
expect "a test that may run again passes at the second run" 0 "3 passed, 0 failed, 0 skipped"
check "and its first failure is named" grep -qx '  .*/moody.sh: two' "$DIR/.run"
run stubborn
expect "but not a third time" 1 "1 passed, 1 failed, 0 skipped"
run good
check_not "nothing of the killed test is left" ls "${TMPDIR:-/tmp}"/xrst-*-killed.*

finish
