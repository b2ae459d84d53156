#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 480
# again: the daemon on the other side has timers and moods of its own
# xrsd with two OpenBGPDs.
. "$(dirname "$0")/../lib/sh.sh"
. "$(dirname "$0")/lib/lab.sh"
. "$(dirname "$0")/lib/scenarios.sh"
. "$(dirname "$0")/lib/openbgpd.sh"

need_cmd bgpd bgpctl
lab_up openbgpd
run_scenarios
finish
