#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 1800
# tests/interop/routes.sh with XRS_SOAK_ROUTES (100,000) routes each way, and with two OpenBGPDs.
KIND_OF_BOTH=openbgpd COUNT=${XRS_SOAK_ROUTES:-100000} WAIT=${WAIT:-300}
. "$(dirname "$0")/../interop/routes.sh"
