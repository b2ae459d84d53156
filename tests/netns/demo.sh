#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The demo of the README is a test: every step of it must hold, and nothing may be left behind.
# timeout: 240
. "$(dirname "$0")/../lib/sh.sh"
need_root
NAME=xd-$$
test_cleanup() { XRS_DEMO=$NAME "$TOP/deploy/demo.sh" down quiet; }

check "make demo: peerings, routes, packets through the right appliance, failover" \
	env XRS_DEMO="$NAME" XRS_BUILD="$BUILD" "$TOP/deploy/demo.sh" run
check_not "the demo leaves no pins" test -e "/sys/fs/bpf/$NAME"
check_not "the demo leaves no namespaces" sh -c "ip netns list | grep -q '^$NAME-'"
finish
