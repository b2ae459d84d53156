#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 7200
# tests/netns/kill.sh with 200 kills, and a million routes that come again each time; none after XRS_KILL_SECONDS.
XRS_KILLS=${XRS_KILLS:-200} XRS_BULK=${XRS_BULK:-1000000} XRS_KILL_SECONDS=${XRS_KILL_SECONDS:-5400} \
	exec "$(dirname "$0")/../netns/kill.sh"
