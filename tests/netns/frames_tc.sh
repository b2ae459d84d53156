#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# frames.sh once more with dataplane.mode tc: the tc half alone decides and steers.
MODE=tc XDP_MODE=tc BRIDGED=tc_bridged REDIRECTED=tc_redirected
. "$(dirname "$0")/frames.sh"
