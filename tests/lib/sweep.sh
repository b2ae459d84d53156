# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Removes what a test left that was killed with -9: everything a test makes outside of its own
# process is named xrst-<pid of its owner>-..., and the owner is dead. Sourced by run.sh and sh.sh.

# "PID START": the start time tells a process from a later one with the same number.
proc_start() { # PID
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	set -- $stat
	echo "${20}"
}

# Kills the processes that "PID START" lines name, unless the number belongs to another one by now.
kill_recorded() { # FILE SIGNAL
	local pid start
	while read -r pid start; do
		if [ -n "$start" ] && [ "$(proc_start "$pid")" = "$start" ]; then
			kill "-$2" "$pid" 2>/dev/null
		fi
	done <"$1"
	return 0
}

owner_is_dead() { # NAME
	local pid=${1##*/}
	pid=${pid#xrst-}
	pid=${pid%%-*}
	case $pid in
	'' | *[!0-9]*) return 1 ;;
	esac
	[ ! -d "/proc/$pid" ]
}

remove_netns() { # NAME
	local pid
	for pid in $(ip netns pids "$1" 2>/dev/null); do
		kill -KILL "$pid" 2>/dev/null
	done
	ip netns del "$1" 2>/dev/null
	return 0
}

sweep_stale() {
	local path
	for path in "${TMPDIR:-/tmp}"/xrst-*; do
		if [ -f "$path/pids" ] && owner_is_dead "$path"; then
			kill_recorded "$path/pids" KILL
		fi
	done
	for path in /run/netns/xrst-*; do
		if [ -e "$path" ] && owner_is_dead "$path"; then
			echo "  SWEEP   $path" >&2
			remove_netns "${path##*/}"
		fi
	done
	for path in /sys/class/net/xrst-*; do
		if [ -e "$path" ] && owner_is_dead "$path"; then
			ip link del "${path##*/}" 2>/dev/null
		fi
	done
	for path in /sys/fs/bpf/xrst-* /run/xrst-* /var/lib/xrst-* "${TMPDIR:-/tmp}"/xrst-*; do
		if [ -e "$path" ] && owner_is_dead "$path"; then
			echo "  SWEEP   $path" >&2
			rm -rf "$path"
		fi
	done
}
