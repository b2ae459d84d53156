#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# again: the daemon on the other side has timers and moods of its own
# Two appliances serve the same address by TCP. One is drained: its connections go on where they are, new
# ones go to the other, it is empty when the last has ended, and undrain gives it back its share.
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/netns/lib/lab.sh"
need_cmd bird perl
SERVICE=100.64.0.1

cat >"$CONF" <<-END
{
  "node": { "instance": "$ID", "routerId": "$RS4" },
  "vnets": [ {
    "name": "prod",
    "addressPrefixes": ["10.1.0.0/16"],
    "routeServer": { "asn": 65515, "localAddress": "$RS4" },
    "peerings": [
      { "name": "fw", "peerAsn": 65001, "peerIp": "${IP4[fw]}", "connectRetryTime": 1 },
      { "name": "fw2", "peerAsn": 65002, "peerIp": "${IP4[fw2]}", "connectRetryTime": 1 }
    ]
  } ],
  "nics": [ { "match": { "name": "vm*" }, "vnet": "prod" },
            { "match": { "name": "fw*" }, "vnet": "prod", "role": "nva" } ]
}
END

# Answers each line of each connection with its name.
cat >"$DIR/server.pl" <<'END'
use IO::Socket::INET; use IO::Select;
my ($name, $addr) = @ARGV;
my $listen = IO::Socket::INET->new(Listen => 128, LocalAddr => $addr, LocalPort => 7777, ReuseAddr => 1) or die;
my $all = IO::Select->new($listen);
while (my @ready = $all->can_read) {
	for my $s (@ready) {
		if ($s == $listen) { $all->add($listen->accept); next }
		if (sysread $s, my $line, 64) { syswrite $s, "$name\n" } else { $all->remove($s); close $s }
	}
}
END

# Connections from PORT on, COUNT of them: writes "port name" lines to OUT. With a file HOLD it then asks each
# over and over while HOLD is there; counts that in OUT.rounds, and says in OUT.broken what broke.
cat >"$DIR/client.pl" <<'END'
use IO::Socket::INET; use Socket qw(SOL_SOCKET SO_LINGER); use Time::HiRes 'sleep';
my ($addr, $port, $count, $out, $hold) = @ARGV;
my (%s, %name);
sub ask { my $p = shift; syswrite $s{$p}, "x\n"; my $r = ''; local $SIG{ALRM} = sub { die "$p: no answer\n" };
	alarm 20; sysread($s{$p}, $r, 64) or die "$p: closed\n"; alarm 0; chomp $r; return $r }
eval {
	for my $p ($port .. $port + $count - 1) {
		$s{$p} = IO::Socket::INET->new(PeerAddr => $addr, PeerPort => 7777, LocalPort => $p, ReuseAddr => 1,
			Timeout => 20) or die "$p: $!\n";
		setsockopt $s{$p}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
		$name{$p} = ask($p);
	}
	open my $f, '>', "$out.new" or die; print $f "$_ $name{$_}\n" for sort keys %name; close $f;
	rename "$out.new", $out;
	for (my $round = 1; $hold && -e $hold; $round++) {
		for (sort keys %s) { my $r = ask($_); die "$_: $name{$_}, then $r\n" if $r ne $name{$_} }
		open my $g, '>', "$out.rounds.new"; print $g "$round\n"; close $g; rename "$out.rounds.new", "$out.rounds";
		sleep 0.1;
	}
};
if ($@) { open my $b, '>', "$out.broken"; print $b $@; close $b; exit 1 }
END

declare -A ASN=([fw]=65001 [fw2]=65002)
appliance() { # NODE
	veth_node "$1"
	run_logged ip -n "$ID-$1" link set lo up
	run_logged ip -n "$ID-$1" addr add $SERVICE/32 dev lo
	on_bridge "$1"
	await_nic "$1" attached || abandon "nic $1 is attached"
	cat >"$DIR/$1.conf" <<-END
	router id ${IP4[$1]}; protocol device {} protocol static { ipv4; route 100.64.0.0/24 unreachable; }
	protocol bgp xrs {
	  local ${IP4[$1]} as ${ASN[$1]}; neighbor $RS4 as 65515; multihop 4;
	  connect delay time 1; connect retry time 1; error wait time 1, 1;
	  ipv4 { import none; export where source = RTS_STATIC; next hop self; };
	}
	END
	spawn_in "$1" "bird-$1" bird -f -c "$DIR/$1.conf" -s "$DIR/$1.ctl" -P "$DIR/$1.pid"
	spawn_in "$1" "server-$1" perl "$DIR/server.pl" "$1" $SERVICE
}
both_serve() {
	ctl -j nic list-effective-routes --name vm1 | jq -e '[.value[] | select(.addressPrefix == "100.64.0.0/24" and
		.state == "Active") | .nextHopIpAddress | length] == [2]' && fib_idle
}
connect() { # OUT: 40 connections from the same ports each time, closed at once
	rm -f "$DIR/$1"
	in_ns vm1 perl "$DIR/client.pl" $SERVICE 30001 40 "$DIR/$1" || diag "$(cat "$DIR/$1.broken")"
}
at() { # NODE FILE
	grep -c " $1\$" "$DIR/$2"
}
rounds() {
	cat "$DIR/held.rounds" 2>/dev/null || echo 0
}
more_rounds() { # SINCE
	[ "$(rounds)" -ge $(($1 + 3)) ] || [ -e "$DIR/held.broken" ]
}
drain_is() { # STATE, null: it does not drain
	[ "$(ctl -j peering show --name fw | jq -r 'if .drain then .drain.state else "null" end')" = "$1" ]
}
drain_lasted() { # SECONDS
	ctl -j peering show --name fw | jq -e --argjson s "$1" '.drain.sinceSeconds >= $s'
}
in_map() { # set or 0: drain_ns of fw in the map
	bpftool -j map dump pinned "$PINS/maps/xrs_nexthop" | jq -e --arg d "$1" 'any(.[].formatted.value;
		.peering == "fw" and (.drain_ns == 0) == ($d == "0"))'
}

lab_host
lab_bridge
veth_node vm1
on_bridge vm1
xrs_start
spawn events "$XRSCTL" -s "/run/$ID/xrs.sock" -j monitor peer.drain
await_nic vm1 attached || abandon "nic vm1 is attached"
appliance fw
appliance fw2
wait_for 40 "two appliances" both_serve || abandon "two appliances serve the prefix"
connect before
check "connections are spread over both" test "$(at fw before)" -ge 5 -a "$(at fw2 before)" -ge 5

touch "$DIR/hold"
spawn_in vm1 held perl "$DIR/client.pl" $SERVICE 31001 40 "$DIR/held" "$DIR/hold"
HELD=$spawned
wait_for 30 "40 connections" test -e "$DIR/held" || abandon "40 connections: $(cat "$DIR/held.broken")"
check "some of those that stay open are at fw" test "$(at fw held)" -ge 5

check "fw is drained" ctl peering drain --name fw --idle-seconds 3
check "the map says when that began" wait_for 10 "drain_ns" in_map set
await_fib
connect during
check_equal "new connections all go to fw2" "40 0" "$(at fw2 during) $(at fw during)"
mark=$(rounds)
check "the open ones are asked again" wait_for 30 "three more rounds" more_rounds "$mark"
check "longer than idleSeconds passes" wait_for 20 "six seconds" drain_lasted 6
check_equal "none of the open ones has moved or broken" "" "$(cat "$DIR/held.broken" 2>/dev/null)"
check "fw is not empty while they run" drain_is draining
states() { # FILE WORDS: what the events said, in this order
	[ "$(jq -rs '[.[].params.data | select(.peering == "fw") | .state] | join(" ")' "$DIR/$1")" = "$2" ]
}
check "it was told as an event" wait_for 10 "the event" states events.log draining

xrs_stop KILL
xrs_start
check "after kill -9 it drains as before" drain_is draining
check "and not since then" drain_lasted 6
wait_for 40 "two appliances" both_serve || abandon "both come back"
spawn events2 "$XRSCTL" -s "/run/$ID/xrs.sock" -j monitor peer.drain
mark=$(rounds)
check "the open ones are asked again after that" wait_for 30 "three more rounds" more_rounds "$mark"
check_equal "none of them has moved or broken by it" "" "$(cat "$DIR/held.broken" 2>/dev/null)"
connect during
check_equal "new connections all go to fw2 still" "40 0" "$(at fw2 during) $(at fw during)"
check "another idle time does not begin it anew" ctl peering drain --name fw --idle-seconds 3
check "it is the same drain" drain_lasted 6

rm "$DIR/hold"
wait "$HELD" 2>/dev/null
check "when they have ended fw is empty" wait_for 30 "empty" drain_is empty
connect during
check_equal "new connections still go to fw2" "40 0" "$(at fw2 during) $(at fw during)"
check "it is still empty" drain_is empty
check "fw is in use again" ctl peering undrain --name fw
check "it does not drain" drain_is null
check "the map says so" wait_for 10 "drain_ns 0" in_map 0
check "each of it was told as an event" wait_for 10 "the events" states events2.log "empty none"
await_fib
connect after
check_equal "each connection is where it was before" "$(cat "$DIR/before")" "$(cat "$DIR/after")"
finish
