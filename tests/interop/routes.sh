#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 480
# again: the daemon on the other side has timers and moods of its own
# 20,000 routes each way between two BIRDs, all tables compared. tests/soak does 100,000 with each kind.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/sh.sh"
. "$TOP/tests/interop/lib/lab.sh"
. "$TOP/tests/interop/lib/scenarios.sh"
. "$TOP/tests/interop/lib/routes.sh"

KIND_OF_BOTH=${KIND_OF_BOTH:-bird}
COUNT=${COUNT:-20000}
. "$TOP/tests/interop/lib/$KIND_OF_BOTH.sh"

case $KIND_OF_BOTH in
bird) need_cmd bird birdc ;;
frr) need_cmd bgpd vtysh ;;
gobgp) need_cmd gobgpd gobgp ;;
openbgpd) need_cmd bgpd bgpctl ;;
esac
lab_up "$KIND_OF_BOTH"
lab_base
compare_routes "$COUNT"
check "xrsd is the process that was started" is_running "$XRS_PID"
finish
