#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 480
# again: the daemon on the other side has timers and moods of its own
# xrsd with two ExaBGPs.
. "$(dirname "$0")/../lib/sh.sh"
. "$(dirname "$0")/lib/lab.sh"
. "$(dirname "$0")/lib/scenarios.sh"
. "$(dirname "$0")/lib/exabgp.sh"

need_cmd exabgp python3
lab_up exabgp
# The others have lib/capabilities.sh for it.
SCENARIOS=${SCENARIOS/we_restart/we_restart capabilities}
run_scenarios
finish
