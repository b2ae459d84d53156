#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Installs from Debian's packages what a build, the demo and the tests need, and mounts bpffs when it is
# not mounted. Idempotent, and silent when there is nothing to do.
#
#   deploy/install-deps.sh [build|all]     default: all (build, appliances and tools of demo and tests)
set -eu

build=(gcc libc6-dev make clang llvm bpftool pkgconf libbpf-dev libmnl-dev libnl-3-dev
	libnl-route-3-dev libjansson-dev libmd-dev)
tests=(libcriterion-dev iproute2 jq bird2 frr gobgpd openbgpd exabgp
	clang-format cppcheck tcpdump traceroute iputils-ping ethtool
	procps util-linux iperf3 netcat-openbsd curl mandoc bgpdump
	isc-dhcp-server isc-dhcp-client)
# Appliances and servers of the lab. Their packages start a daemon on the host; here they run in namespaces only.
services=(bird frr gobgpd openbgpd exabgp isc-dhcp-server)

say() { printf 'install-deps: %s\n' "$*" >&2; }

missing() {
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
	done
}

mount_bpffs() {
	mkdir -p /sys/fs/bpf
	if [ "$(stat -f -c %T /sys/fs/bpf)" != bpf_fs ]; then
		say "mounting bpffs on /sys/fs/bpf"
		mount -t bpf bpf /sys/fs/bpf
	fi
}

# Runs "$@" while no package may start a service on this host.
without_services() {
	local policy=/usr/sbin/policy-rc.d rc=0
	if [ -e $policy ]; then
		"$@"
		return
	fi
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
	"$@" || rc=$?
	rm -f $policy
	return $rc
}

[ "$(id -u)" = 0 ] || { say "needs root: sudo $0"; exit 1; }
case ${1:-all} in
build) wanted=("${build[@]}") ;;
all) wanted=("${build[@]}" "${tests[@]}") ;;
*) say "usage: $0 [build|all]"; exit 2 ;;
esac

mapfile -t need < <(missing "${wanted[@]}")
if [ ${#need[@]} -gt 0 ]; then
	command -v apt-get >/dev/null || { say "no apt-get here; install by hand: ${need[*]}"; exit 1; }
	say "installing ${need[*]}"
	export DEBIAN_FRONTEND=noninteractive
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	if ! { apt-get update -qq && without_services \
		apt-get install -y -q --no-install-recommends "${need[@]}"; } >"$log" 2>&1; then
		cat "$log" >&2
		say "apt-get failed; the packages above are missing"
		exit 1
	fi
	# What was not there before must not start at the next boot either.
	if [ -d /run/systemd/system ]; then
		for s in "${services[@]}"; do
			case " ${need[*]} " in *" $s"*) systemctl disable --quiet "$s" 2>/dev/null || : ;; esac
		done
	fi
fi
mount_bpffs
