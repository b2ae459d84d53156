#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Peers and strangers that behave as badly as they can: 1,000 connections that say nothing, garbage without an
# end, a peer that never reads, one that sends octet by octet. Two good peers must not notice.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/peers.sh"

loop_host
# What the kernel keeps for a peer that does not read is little here, so that it shows soon.
ns host sysctl -qw net.ipv4.tcp_wmem="4096 16384 65536"
configure '[
  { "name": "good", "peerAsn": 65001, "peerIp": "10.1.2.1", "passive": true, "holdTime": 9 },
  { "name": "full", "peerAsn": 65002, "peerIp": "10.1.2.2", "passive": true },
  { "name": "bad", "peerAsn": 65009, "peerIp": "10.1.2.9", "passive": true, "holdTime": 3, "sendHoldTime": 6 },
  { "name": "crowd", "peerRange": "10.1.4.0/22", "maxPeers": 50, "peerIdleTime": 600 }
]'
xrs_start
peers good speak 10.1.2.1 65001 1 10
check_soon "a good peer is up" peering_holds good '.state == "Established" and .pfxRcd == 10'

memory() { # of xrsd, KiB
	sed -n 's/^VmRSS: *\([0-9]*\).*/\1/p' "/proc/$XRS_PID/status"
}

# After each kind of trouble: nobody else noticed, and the API answers.
all_well() { # WHAT
	check "$1: the good peer's session is the same" peering_holds good \
		'.state == "Established" and .connectionsDropped == 0 and .pfxRcd == 10'
}

trouble() { # KIND TOOL-ARGUMENTS...: starts it
	peers "$@"
	trouble=$spawned
}

trouble strangers mute 10.1.16.1 1 1000
check_soon "1,000 strangers: each is told Cease 6/5" figure_above strangers closed 999
check_equal "1,000 strangers: that is what they were told" 6/5 "$(figure strangers notified)"
check "1,000 strangers: counted" sh -c "'$XRSCTL' -s '/run/$ID/xrs.sock' metrics | grep -Eq '^xrs_bgp_connections_total.result=\"stranger\". [0-9]{4}'"
all_well "1,000 strangers"
stop_pid "$trouble"

trouble connections mute 10.1.4.1 1 1000
check_soon "1,000 silent connections to a range: 50 are kept" peering_holds crowd '.peers == 50'
check_soon "1,000 silent connections to a range: the others are refused" peering_holds crowd '.peersRefused >= 950'
all_well "1,000 silent connections"
stop_pid "$trouble"

trouble garbage garbage 10.1.2.9 65009 1
check_soon "garbage: again and again it is refused" figure_above garbage closed 20
check_soon "garbage: with a header error" peering_holds bad '.notificationSent.code == 1'
all_well "garbage"
stop_pid "$trouble"
run_logged ctl -j peering reset bad

# Octet by octet; 500 routes are about 2,500 segments.
trouble dribble dribble 10.1.2.9 65009 1 500
check_soon "octet by octet: the session comes up and its routes are learned" peering_holds bad \
	'.state == "Established" and .pfxRcd == 500'
all_well "octet by octet"
stop_pid "$trouble"
run_logged ctl -j peering reset bad

# What one that never reads is owed can not pile up here.
trouble deaf deaf 10.1.2.9 65009 1
check_soon "a peer that never reads comes up" peering_holds bad '.state == "Established"'
before=$(memory)
peers full speak 10.1.2.2 65002 1 200000
check_soon "200,000 routes come from another" peering_holds full '.pfxRcd == 200000'
check_soon "and go to the good one" peering_holds good '.pfxSnt >= 199991'
check_soon "the one that never reads holds back" peering_holds bad '.outputStalls > 0 and .pfxSnt < 199991'
check "what waits for it is bounded" peering_holds bad '.outputQueued <= 1000000'
check_soon "RFC 9687: it is given up, although it sends KEEPALIVEs, with code 8" peering_holds bad \
	'.state != "Established" and .notificationSent.code == 8'
all_well "a peer that never reads"
grown=$(($(memory) - before))
check "and the memory for 200,000 routes is what they need ($grown KiB)" test "$grown" -lt 200000
stop_pid "$trouble"
check_soon "the good peer is still served: keepalives go on" peering_holds good '.messages.received.KEEPALIVE > 5'
all_well "after all of this"
check "xrsd is the process that was started" is_running "$XRS_PID"
finish
