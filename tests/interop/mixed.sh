#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# xrsd between an FRR and a BIRD: what one kind says arrives at the other.
. "$(dirname "$0")/../lib/sh.sh"
. "$(dirname "$0")/lib/lab.sh"
. "$(dirname "$0")/lib/scenarios.sh"
. "$(dirname "$0")/lib/bird.sh"
. "$(dirname "$0")/lib/frr.sh"

need_cmd bird birdc vtysh
need_file /usr/lib/frr/bgpd
lab_up frr bird
XRS_SCENARIOS=${XRS_SCENARIOS:-learn_ipv6 exchange well_known_communities withdraw multipath bulk killed}
run_scenarios
finish
