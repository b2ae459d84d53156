#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 480
# again: the daemon on the other side has timers and moods of its own
# xrsd with two BIRDs.
. "$(dirname "$0")/../lib/sh.sh"
. "$(dirname "$0")/lib/lab.sh"
. "$(dirname "$0")/lib/scenarios.sh"
. "$(dirname "$0")/lib/bird.sh"

need_cmd bird birdc
lab_up bird
SCENARIOS+=" memory"
run_scenarios
finish
