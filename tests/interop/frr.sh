#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 480
# again: the daemon on the other side has timers and moods of its own
# xrsd with two FRRs (bgpd alone).
. "$(dirname "$0")/../lib/sh.sh"
. "$(dirname "$0")/lib/lab.sh"
. "$(dirname "$0")/lib/scenarios.sh"
. "$(dirname "$0")/lib/frr.sh"

need_cmd vtysh
need_file /usr/lib/frr/bgpd
lab_up frr
run_scenarios
finish
