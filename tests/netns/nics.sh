#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# soak/nics.sh with 120 nics.
XRS_SOAK_NICS=120
. "$(dirname "$0")/../soak/nics.sh"
