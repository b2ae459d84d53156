#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# antispoof.sh once more as on a kernel before 6.6: filters of clsact in place of links.
PRELOAD=preload_tcx.so
. "$(dirname "$0")/antispoof.sh"
