#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 480
# again: the daemon on the other side has timers and moods of its own
# Capabilities of BGP between xrsd and two BIRDs.
. "$(dirname "$0")/../lib/sh.sh"
. "$(dirname "$0")/lib/lab.sh"
. "$(dirname "$0")/lib/scenarios.sh"
. "$(dirname "$0")/lib/capabilities.sh"
. "$(dirname "$0")/lib/bird.sh"

need_cmd bird birdc
lab_up bird
run_scenarios
finish
