#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 7200
# tests/netns/kill.sh with 200 kills.
XRS_KILLS=${XRS_KILLS:-200} exec "$(dirname "$0")/../netns/kill.sh"
