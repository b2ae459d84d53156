# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every appliance must be able to do with xrsd, a function each. They know the appliance only through
# `app` (lab.sh) and begin with the sessions up and no routes but the vnet's. run_scenarios runs them all, or
# those named in XRS_SCENARIOS.

SCENARIOS="establish learn_ipv4 learn_ipv6 loop advertise exchange well_known_communities withdraw refresh
	reset_by_us reset_by_appliance refused shutdown_text multipath reload_peerings reload_prefixes
	max_prefixes limits bulk killed graceful_restart we_restart passive hold_time hold_zero
	gtsm md5"
BULK=10000 # routes of each appliance in `bulk`

run_scenarios() { # [EXCEPT...]
	local scenario
	for scenario in ${XRS_SCENARIOS:-$SCENARIOS}; do
		case " $* " in *" $scenario "*) continue ;; esac
		lab_base
		diag "$scenario ($SECONDS s)"
		"scenario_$scenario"
	done
	check "the maps hold what they should after all of this" verified
	check "xrsd is the process that was started" is_running "$XRS_PID"
}

verified() {
	[ "${XRS_INTEROP_MODE:-auto}" = none ] ||
		ctl -j fib verify | jq -e '.missing + .stale + .differing + .rejected == 0'
}

# --- small words ------------------------------------------------------------------------------------

gone() { # COMMAND...: it prints nothing
	same_output "" "$@"
}

same_number() { # NAME JQ EXPECTED
	peering_holds "$1" "$2 == $3"
}

reset_seen() { # PEERING DIRECTION CODE SUBCODE [TEXT]
	peering_holds "$1" ".lastReset.notification | .direction == \"$2\" and .code == $3 and .subcode == $4
		${5:+and .text == \"$5\"}"
}

# After a change that resets: an appliance that waits long before its next attempt is told not to.
hurried() { # PEERING JQ-CONDITION
	peering_holds "$@" && return
	established "$1" >/dev/null || app_hurry "${1%6}"
	return 1
}

explains() { # PREFIX JQ-CONDITION
	ctl -j route explain "$1" >"$DIR/.explain.json" || return 1
	jq -e "$2" "$DIR/.explain.json" >/dev/null && return
	jq -c . "$DIR/.explain.json"
	return 1
}

effective() { # PREFIX: sorted addresses of its active next hops at vm1
	ctl -j nic list-effective-routes --name vm1 |
		jq -r --arg p "$1" '[.value[] | select(.state == "Active" and .addressPrefix == $p)
			| .nextHopIpAddress[]] | sort | join(" ")'
}

check_effective() { # TEXT EXPECTED PREFIX
	if [ "${XRS_INTEROP_MODE:-auto}" != none ]; then
		check_soon "$1" same_output "$2" effective "$3"
	fi
}

routes_are() { # EXPECTED-FILE COMMAND...: the command prints the same lines
	local expected=$1
	shift
	"$@" | cmp - "$expected"
}

appliance_says() { # NODE REGEX
	app last_error "$1" | grep -Eiq "$2" && return
	app last_error "$1"
	return 1
}

# --- sessions ---------------------------------------------------------------------------------------

scenario_establish() {
	check_peering "a session over IPv4 has the appliance's identifier and 4-octet AS number" a \
		'.remoteRouterId == "10.1.2.4" and .peerAsn == 4200000001 and .localAsn == 65515'
	check_peering "4-octet AS numbers and route refresh are in force" a \
		'(["4-octet-as", "route-refresh"] - .capabilities) == []'
	check_peering "one family is in force where one is configured" a \
		'.capabilities | index("ipv4-unicast") != null and index("ipv6-unicast") == null'
	check_peering "two families are in force over one IPv4 session" b \
		'(["ipv4-unicast", "ipv6-unicast"] - .capabilities) == []'
	check_peering "a session over IPv6 carries IPv6" a6 '.localAddress == "fd00:1::4" and
		(.capabilities | index("ipv6-unicast") != null and index("ipv4-unicast") == null)'
	check_soon "the appliance ends its first table with End-of-RIB" peering_holds a \
		'all(.families[]; .endOfRib)'
	check_peering "nothing was learned, and only our prefix was sent" a '.pfxRcd == 0 and .pfxSnt == 1'
}

scenario_reset_by_us() {
	local before
	before=$(peering a .connectionsEstablished)
	check "peering.reset is accepted" ctl -j peering reset a --message "new policy"
	check_soon "after our reset the session comes back" peering_holds a \
		".state == \"Established\" and .connectionsEstablished == $before + 1"
	check "our Cease 6/4 is kept, with direction and text" reset_seen a sent 6 4 "new policy"
	check_soon "the appliance knows it as an administrative reset" appliance_says a \
		'administrat[a-z]*[ -]reset|cease.*reset|code 6.*subcode 4'
}

scenario_reset_by_appliance() {
	local before
	announce a 10.250.0.0/16
	check_soon "its route is there" same_number a .pfxRcd 1
	before=$(peering a .connectionsEstablished)
	check "the appliance resets the session" app reset a
	check_soon "after the appliance's reset the session comes back" peering_holds a \
		".state == \"Established\" and .connectionsEstablished == $before + 1"
	check "the Cease that it sent is kept with its direction" reset_seen a received 6 $CEASE_RESET
	check_soon "its route is back" same_number a .pfxRcd 1
	check "the other appliance's session was not touched" same_number b .connectionsDropped \
		"$(peering b .connectionsDropped)"
}

appliance_shuts_down() {
	local text="upgrade to 9.1, back at 07:00"
	check "the appliance is shut down with a text" app shutdown a "$text"
	able shutdown_text || text=
	check_soon "its Cease and the text arrive (RFC 9003)" reset_seen a received 6 $CEASE_SHUTDOWN \
		"$text"
	check_peering "the session is down" a '.state != "Established"'
	check "the appliance is enabled again" app unshut a
	wait_established a
}

scenario_shutdown_text() {
	if able shutdown; then
		appliance_shuts_down
	fi
	check "peering.disable is accepted" ctl -j peering disable a --message "host drains"
	check_peering "our shutdown is seen as such" a '.adminState == "disabled" and .state == "Idle"'
	check "our Cease 6/2 is kept with its text" reset_seen a sent 6 2 "host drains"
	check_soon "the appliance shows our text" appliance_says a 'host drains'
	check "peering.enable is accepted" ctl -j peering enable a
	check_soon "the session comes back after enable" established a
}

connected_by_appliance() { # NODE
	app_hurry "$1"
	peering_holds "$1" '.state == "Established" and .initiated == false'
}

scenario_passive() {
	xrs_peering a '.passive = true'
	run_logged ctl -j peering reset a
	check_soon "while we are passive the appliance connects" connected_by_appliance a
	xrs_peering a '.passive = false'
	app_options a passive=1
	check_soon "while the appliance is passive we connect" peering_holds a \
		'.state == "Established" and .initiated == true'
}

# The ends of the TCP connections between a node and xrsd's IPv4 address.
connections_of() { # NODE
	ns "$1" ss -Htn state established dst $RS4 | awk '{ print $3, $4 }'
}

connection_gone() { # NODE ENDS
	! connections_of "$1" | grep -qxF "$2"
}

scenario_hold_time() {
	local ends
	app_options a hold=9
	check_soon "the smaller hold time is the appliance's" peering_holds a \
		'.state == "Established" and .holdTimeSeconds == 9 and .keepaliveSeconds == 3'
	xrs_peering a '.holdTime = 3'
	check_soon "the smaller hold time is ours" peering_holds a \
		'.state == "Established" and .holdTimeSeconds == 3 and .keepaliveSeconds == 1'
	announce a 10.250.0.0/16
	check_soon "a route is learned" same_number a .pfxRcd 1
	app_signal a STOP
	check_soon "an appliance that hangs is noticed by the hold timer: code 4 is sent" \
		reset_seen a sent 4 0
	check_soon "and its route is gone from the other appliance" gone app route b 10.250.0.0/16
	app_signal a CONT
	check_soon "it is back when it goes on" peering_holds a '.state == "Established" and .pfxRcd == 1'
	ends=$(connections_of a)
	kill -STOP "$XRS_PID"
	check_soon "the appliance notices that we hang and closes" connection_gone a "$ends"
	kill -CONT "$XRS_PID"
	check_soon "its code 4 is kept" reset_seen a received 4 0
	wait_established a
}

no_hold_timer() {
	hurried a '.state == "Established" and .holdTimeSeconds == 0 and .keepaliveSeconds == 0'
}

scenario_hold_zero() {
	able no_hold_timer || return 0
	announce a 10.250.0.0/16
	xrs_peering a '.holdTime = 0'
	check_soon "a hold time of 0 on our side: no timer, no KEEPALIVEs" no_hold_timer
	check_route "and routes" "$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
	able hold_zero || return 0
	app_options a hold=0
	check_soon "on both sides" no_hold_timer
	xrs_peering a 'del(.holdTime)'
	check_soon "on the appliance's side" no_hold_timer
	check_route "and routes" "$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
}

# Refused OPENs of either side (RFC 4271 6.2).
scenario_refused() {
	xrs_peering a '.peerAsn = 65099'
	check_soon "another AS number than is configured here: OPEN error 2/2" hurried a \
		'.state != "Established" and .notificationSent.code == 2 and .notificationSent.subcode == 2'
	able say_refused &&
	check_soon "the appliance knows why" appliance_says a 'bad (peer|remote) as|AS unacceptable|code 2.*subcode 2'
	xrs_peering a ".peerAsn = ${ASN[a]}"
	app_options a rsasn=65098
	check_soon "another than is configured there: its 2/2 is kept" hurried a \
		'.state != "Established" and .notificationReceived.code == 2 and .notificationReceived.subcode == 2'
	check_peering "and is what went wrong last" a '.notificationReceived.subcodeName | length > 0'
}

scenario_md5() {
	able md5 || return
	(umask 077 && echo "correct-horse" >"$DIR/md5.key")
	app_options a password="correct-horse"
	check "when only the appliance has a key, the kernel refuses every attempt" attempts_fail
	xrs_peering a '.passwordFile = $f' --arg f "$DIR/md5.key"
	# No reset here: it may close a connection that was just made, and ExaBGP 4.2 takes none after that.
	check_soon "with the same key the session is authenticated" peering_holds a \
		'.state == "Established" and .tcpMd5'
	app_options a password="battery-staple"
	check "with another key the kernel refuses every attempt" attempts_fail
	app_options a password=
	check "without a key the kernel refuses every attempt" attempts_fail
	app_options a password="correct-horse"
	check_soon "with the same key again it comes back" established a
}

# Segments that our kernel dropped because they came from too far away (RFC 5082).
dropped_for_ttl_above() { # NUMBER
	[ "$(ttl_drops)" -gt "$1" ]
}

ttl_drops() {
	ns host nstat -asz TcpExtTCPMinTTLDrop | awk '/^Tcp/ { n += $2 } END { print n + 0 }'
}

scenario_gtsm() {
	local before
	before=$(ttl_drops)
	xrs_peering a '.ttlSecurityHops = 4'
	run_logged ctl -j peering reset a
	check_soon "GTSM: what an appliance sends with a low TTL is dropped" dropped_for_ttl_above $((before + 1))
	check_peering "GTSM: and there is no session" a '.state != "Established"'
	app_options a gtsm=1
	check_soon "GTSM: with TTL 255 from both sides there is" established a
	announce a 10.250.0.0/16
	check_soon "GTSM: and routes" same_number a .pfxRcd 1
}

# SYNs of the appliance that our kernel refused for their signature: wrong, missing or not expected.
md5_refused() {
	ns host nstat -asz TcpExtTCPMD5NotFound TcpExtTCPMD5Unexpected TcpExtTCPMD5Failure |
		awk '/^Tcp/ { n += $2 } END { print n + 0 }'
}

md5_refused_above() { # NUMBER
	[ "$(md5_refused)" -gt "$1" ]
}

# The appliance tries, is refused twice, and there is no session.
attempts_fail() {
	wait_for $WAIT "two refused segments" md5_refused_above $(($(md5_refused) + 1)) &&
		peering_holds a '.state != "Established"'
}

# --- what the appliance announces -------------------------------------------------------------------

scenario_learn_ipv4() {
	announce a 10.250.0.0/16 med=7 community=65001:1,65001:65535 \
		large=4200000001:1:2,1:4294967295:0 origin=incomplete
	announce a 0.0.0.0/0
	announce a 10.251.0.0/17 origin=egp prepend=2
	announce a 10.252.0.1/32 nexthop=10.1.2.9
	check_route "a route arrives with MED, communities, large communities and ORIGIN" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 4200000001 med=7 community=65001:1,65001:65535 \
			large=4200000001:1:2,1:4294967295:0 origin=incomplete)" learned a 10.250.0.0/16
	check_route "a default route arrives" \
		"$(expected_route 0.0.0.0/0 10.1.2.4 4200000001)" learned a 0.0.0.0/0
	check_route "a prepended route of ORIGIN EGP arrives" \
		"$(expected_route 10.251.0.0/17 10.1.2.4 "4200000001 4200000001 4200000001" origin=egp)" \
		learned a 10.251.0.0/17
	check_route "the next hop of a third party is kept" \
		"$(expected_route 10.252.0.1/32 10.1.2.9 4200000001)" learned a 10.252.0.1/32
	check_peering "all four are counted and accepted" a '.pfxRcd == 4 and .pfxAccepted == 4'
	check_effective "the VM's next hop is the appliance" 10.1.2.4 10.250.0.0/16
	check_effective "the VM's next hop is the third party" 10.1.2.9 10.252.0.1/32
}

scenario_learn_ipv6() {
	announce a fd77::/48 med=9 community=65001:6
	announce a fd79::/64 nexthop=fd00:1::2:9
	announce b fd78::/48 community=65002:6
	check_route "IPv6 over an IPv6 session arrives with its attributes" \
		"$(expected_route fd77::/48 fd00:1::2:4 4200000001 med=9 community=65001:6)" \
		learned a6 fd77::/48
	check_route "an IPv6 third-party next hop is kept" \
		"$(expected_route fd79::/64 fd00:1::2:9 4200000001)" learned a6 fd79::/64
	check_route "IPv6 over an IPv4 session arrives with its attributes" \
		"$(expected_route fd78::/48 fd00:1::2:5 65002 community=65002:6)" learned b fd78::/48
	check_effective "the VM's IPv6 next hop is the appliance" fd00:1::2:4 fd77::/48
	check_effective "the VM's IPv6 next hop is the other appliance" fd00:1::2:5 fd78::/48
	check_route "IPv6 goes from the IPv6 session to the IPv4 session" \
		"$(expected_route fd77::/48 fd00:1::2:4 "65515 4200000001" community=65001:6)" \
		app route b fd77::/48
	check_route "IPv6 goes from the IPv4 session to the IPv6 session" \
		"$(expected_route fd78::/48 fd00:1::2:5 "65515 65002" community=65002:6)" \
		app route a fd78::/48
}

scenario_loop() {
	able foreign_path || return
	announce a 10.250.0.0/16 path=65515
	announce a 10.251.0.0/16 path=65099
	check_soon "a path with our own AS number is refused, one with another is not" peering_holds a \
		'.pfxRcd == 2 and .pfxAccepted == 1'
	check_soon "and listed with its reason" explains 10.250.0.0/16 \
		'[.candidates[] | [.valid, .best, .installReason]] == [[false, false, "Loop"]]'
	check_route "only the other goes on" \
		"$(expected_route 10.251.0.0/16 10.1.2.4 "65515 4200000001 65099")" app route b 10.251.0.0/16
	check_soon "and no more" same_output "$(printf '10.1.0.0/16\n10.251.0.0/16')" app prefixes b
	check_effective "the VM has no route of it" "" 10.250.0.0/16
}

scenario_withdraw() {
	announce a 10.250.0.0/16
	announce a 10.251.0.0/16
	announce a 10.252.0.0/16
	check_route "three routes: the second is at the other appliance" \
		"$(expected_route 10.251.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.251.0.0/16
	withdraw a 10.251.0.0/16
	check_soon "a route that is withdrawn is gone here" gone learned a 10.251.0.0/16
	check_soon "and at the other appliance" gone app route b 10.251.0.0/16
	check_effective "and at the VM" "" 10.251.0.0/16
	check_route "its neighbours stay" \
		"$(expected_route 10.252.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.252.0.0/16
	announce a 10.250.0.0/16 med=5 community=65001:9
	check_route "a route announced again replaces the one before" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001" community=65001:9)" \
		app route b 10.250.0.0/16
	check_peering "and is not counted twice" a '.pfxRcd == 2'
}

appliance_asks_again() {
	local received updates
	received=$(peering b '.messages.received["ROUTE-REFRESH"]')
	updates=$(peering b .messages.sent.UPDATE)
	check "the appliance asks for our routes" app refresh b
	check_soon "we send everything again when the appliance asks" peering_holds b \
		".messages.received[\"ROUTE-REFRESH\"] > $received and .messages.sent.UPDATE >= $updates + 2"
}

appliance_answers() {
	local sent updates
	sent=$(peering a '.messages.sent["ROUTE-REFRESH"]')
	updates=$(peering a .messages.received.UPDATE)
	check "peering.reset --soft in is accepted" ctl -j peering reset a --soft in
	check_soon "the appliance sends its routes again when we ask" peering_holds a \
		".messages.sent[\"ROUTE-REFRESH\"] == $sent + 1 and .messages.received.UPDATE > $updates"
}

scenario_refresh() {
	local updates since
	if ! able enhanced_refresh; then
		xrs_peering a '.capabilities.enhancedRouteRefresh = "off"'
		wait_established a
	fi
	announce a 10.250.0.0/16
	check_soon "a route is learned" same_number a .pfxRcd 1
	wait_for $WAIT "the route at b" app route b 10.250.0.0/16
	since=$(peering a .establishedTime)
	if able answer_refresh; then
		appliance_answers
	fi
	if able refresh; then
		appliance_asks_again
	fi
	updates=$(peering a .messages.sent.UPDATE)
	check "peering.reset --soft out is accepted" ctl -j peering reset a --soft out
	check_soon "we send everything again when we are told to" peering_holds a \
		".messages.sent.UPDATE > $updates"
	check_peering "a refresh does not reset the session" a ".establishedTime == $since"
	check_peering "and counts no route twice" a '.pfxRcd == 1 and .pfxAccepted == 1'
}

# --- what the appliance is told ------------------------------------------------------------------

scenario_advertise() {
	check_route "our vnet's prefix arrives with AS_PATH 65515, ORIGIN IGP and our address" \
		"$(expected_route 10.1.0.0/16 $RS4 65515)" app route a 10.1.0.0/16
	check_route "our IPv6 prefix arrives over the IPv6 session" \
		"$(expected_route fd00:1::/48 $RS6 65515)" app route a fd00:1::/48
	check_route "our IPv6 prefix arrives over the IPv4 session with our IPv6 address" \
		"$(expected_route fd00:1::/48 $RS6 65515)" app route b fd00:1::/48
	check_route "peering.listAdvertisedRoutes says the same" \
		"$(expected_route 10.1.0.0/16 $RS4 65515)" advertised a 10.1.0.0/16
}

advertised() { # PEERING PREFIX
	ctl -j peering list-advertised-routes --name "$1" --prefix "$2" | normal_route '.value[]'
}

scenario_exchange() {
	announce a 10.250.0.0/16 med=7 community=65001:1,65001:2 large=1:2:3 origin=incomplete
	announce a 10.252.0.0/16 nexthop=10.1.2.9
	announce b 10.240.0.0/16 prepend=1
	check_route "a route goes on with our AS number in front, next hop and communities unchanged" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001" community=65001:1,65001:2 \
			large=1:2:3 origin=incomplete)" app route b 10.250.0.0/16
	check_route "a third-party next hop goes on unchanged" \
		"$(expected_route 10.252.0.0/16 10.1.2.9 "65515 4200000001")" app route b 10.252.0.0/16
	check_route "and in the other direction" \
		"$(expected_route 10.240.0.0/16 10.1.2.5 "65515 65002 65002")" app route a 10.240.0.0/16
	check_soon "what an appliance announced is not sent back to it" same_output \
		"$(printf '10.1.0.0/16\n10.240.0.0/16')" advertised_prefixes a
	check "the appliance has nothing else from us" same_output \
		"$(printf '10.1.0.0/16\n10.240.0.0/16')" app prefixes a
}

scenario_well_known_communities() {
	announce a 10.250.0.0/16
	announce a 10.251.0.0/16 community=65535:65282
	announce a 10.252.0.0/16 community=65535:65281,65001:5
	announce a 10.253.0.0/16 community=65535:65283
	check_soon "all are learned and accepted" peering_holds a '.pfxRcd == 4 and .pfxAccepted == 4'
	check_route "a route without such a community goes on" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
	check_soon "NO_ADVERTISE, NO_EXPORT and NO_EXPORT_SUBCONFED stay here" same_output \
		"$(printf '10.1.0.0/16\n10.250.0.0/16')" app prefixes b
	check_effective "and are used here" 10.1.2.4 10.251.0.0/16
	announce a 10.251.0.0/16
	check_route "NO_ADVERTISE taken away: the route goes on" \
		"$(expected_route 10.251.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.251.0.0/16
	announce a 10.250.0.0/16 community=65535:65281
	check_soon "NO_EXPORT added: the route is withdrawn from the other" gone app route b 10.250.0.0/16
}

# --- selection -------------------------------------------------------------------------------------

scenario_multipath() {
	announce a 10.77.0.0/16
	announce b 10.77.0.0/16
	check_soon "equal paths of two appliances share the load" explains 10.77.0.0/16 \
		'(.candidates | length) == 2 and all(.candidates[]; .valid and .multipath) and
		 ([.candidates[] | select(.best)] | length) == 1'
	check_effective "the VM has both next hops" "10.1.2.4 10.1.2.5" 10.77.0.0/16
	announce a 10.77.0.0/16 prepend=1
	check_soon "a prepended path loses by AS_PATH length, and explain says so" explains 10.77.0.0/16 \
		'[.candidates[] | [.peering, .best, .multipath, .lostAtStep, .lostTo]] ==
		 [["b", true, true, null, null], ["a", false, false, "asPathLength", "b"]]
		 or [.candidates[] | [.peering, .best, .multipath, .lostAtStep, .lostTo]] ==
		 [["b", true, false, null, null], ["a", false, false, "asPathLength", "b"]]'
	check_effective "the VM has the winner alone" 10.1.2.5 10.77.0.0/16
	check_route "the appliance that lost hears of the winner" \
		"$(expected_route 10.77.0.0/16 10.1.2.5 "65515 65002")" app route a 10.77.0.0/16
	check_soon "the winner hears of no other" gone app route b 10.77.0.0/16
	withdraw b 10.77.0.0/16
	check_effective "when the winner withdraws, the other takes over" 10.1.2.4 10.77.0.0/16
	check_route "and is announced to the first" \
		"$(expected_route 10.77.0.0/16 10.1.2.4 "65515 4200000001 4200000001")" \
		app route b 10.77.0.0/16
}

# --- changes of the configuration ----------------------------------------------------------------

scenario_reload_peerings() {
	local since
	announce b 10.240.0.0/16
	wait_for $WAIT "the route at a" app route a 10.240.0.0/16
	since=$(peering a .establishedTime)
	xrs_edit '.vnets[0].peerings += [{ name: "c", peerAsn: 65099, peerIp: "10.1.2.77" }]'
	check_peering "a peering that is added is there" c '.peerAsn == 65099 and .state != "Established"'
	xrs_edit 'del(.vnets[0].peerings[] | select(.name == "c"))'
	check_not "a peering that is removed is not" ctl -j peering show --name c
	xrs_edit 'del(.vnets[0].peerings[] | select(.name == "b"))'
	check_soon "the routes of a removed peering are withdrawn from the others" \
		gone app route a 10.240.0.0/16
	check_soon "its appliance was told that it is de-configured" appliance_says b \
		'de-?configured|unconfigured|code 6.*subcode 3'
	lab_config
	xrs_reload
	wait_established b
	check_route "added again, its routes come back" \
		"$(expected_route 10.240.0.0/16 10.1.2.5 "65515 65002")" app route a 10.240.0.0/16
	check_peering "all of that did not touch the other session" a ".establishedTime == $since"
}

scenario_reload_prefixes() {
	local since
	since=$(peering a .establishedTime)
	xrs_edit '.vnets[0].addressPrefixes += ["10.99.0.0/16", "fd00:99::/48"]'
	check_route "an address prefix that is added reaches the appliance" \
		"$(expected_route 10.99.0.0/16 $RS4 65515)" app route a 10.99.0.0/16
	check_route "an IPv6 prefix as well" \
		"$(expected_route fd00:99::/48 $RS6 65515)" app route b fd00:99::/48
	xrs_edit '.vnets[0].addressPrefixes -= ["10.99.0.0/16"]'
	check_soon "one that is removed is withdrawn" gone app route a 10.99.0.0/16
	check_peering "without a reset of the session" a ".establishedTime == $since"
}

# --- many ----------------------------------------------------------------------------------------------

scenario_max_prefixes() {
	xrs_peering a '.maxPrefixes = { limit: 5, action: "warn" }'
	bulk_prefixes 100 8 >"$DIR/a.bulk"
	run_logged app sync a
	check_soon "maxPrefixes warn: all are used" peering_holds a \
		'.state == "Established" and .pfxRcd == 8 and .pfxAccepted == 8'
	: >"$DIR/a.bulk"
	run_logged app sync a
	wait_for $WAIT "no route" same_number a .pfxRcd 0
	xrs_peering a '.maxPrefixes = { limit: 5, action: "block" }'
	bulk_prefixes 100 8 >"$DIR/a.bulk"
	run_logged app sync a
	check_soon "maxPrefixes block: five are used, the session stays" peering_holds a \
		'.state == "Established" and .pfxAccepted == 5'
	check_soon "the other appliance gets those five" same_output 6 count_prefixes b
	: >"$DIR/a.bulk"
	run_logged app sync a
	check_soon "maxPrefixes block: they can be withdrawn" same_number a .pfxAccepted 0
	max_prefixes_close restart
	check_soon "maxPrefixes restart: it comes back by itself" hurried a '.state == "Established"'
	max_prefixes_close shutdown
	check_peering "maxPrefixes shutdown: the session is down" a '.state == "Idle"'
	run_logged ctl -j peering enable a
	run_logged ctl -j peering reset a
	app_hurry a
	check_soon "maxPrefixes shutdown: enabled by hand it comes back" established a
}

# The session is closed while the appliance announces too much; then it announces nothing.
max_prefixes_close() { # ACTION
	local dropped
	dropped=$(peering a .connectionsDropped)
	xrs_peering a '.maxPrefixes = { limit: 5, action: $action, restartSeconds: 5 }' --arg action "$1"
	bulk_prefixes 100 8 >"$DIR/a.bulk"
	run_logged app sync a
	check_soon "maxPrefixes $1: above the limit the session is closed" \
		peering_holds a ".connectionsDropped > $dropped and .limits.maxPrefixes.exceeded > 0"
	check "maxPrefixes $1: Cease 6/1 was sent" reset_seen a sent 6 1
	check_soon "maxPrefixes $1: the appliance knows why" appliance_says a \
		'max[a-z]*[ -](number of )?prefix|code 6.*subcode 1'
	: >"$DIR/a.bulk"
	run_logged app sync a
	check_soon "maxPrefixes $1: its routes are gone from the other" same_output 1 count_prefixes b
}

scenario_limits() {
	local since
	since=$(peering a .establishedTime)
	xrs_peering a '.limits = { asPathLength: 3, communities: 2 }'
	announce a 10.250.0.0/16
	announce a 10.251.0.0/16 prepend=4
	announce a 10.252.0.0/16 community=65001:1,65001:2,65001:3
	check_soon "routes with too long an AS_PATH or too many communities are refused and counted" \
		peering_holds a '.pfxRcd == 1 and .limits.asPathLength.exceeded >= 1 and
			.limits.communities.exceeded >= 1'
	check_route "the one beside them goes on" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
	announce a 10.250.0.0/16 prepend=4
	check_soon "a route that becomes too long is taken for withdrawn" gone app route b 10.250.0.0/16
	check_peering "the session stays" a ".establishedTime == $since"
}

# 4,000 routes with paths of 70 AS numbers are more than a MiB; half of them are less.
scenario_memory() {
	echo "100.0.0.0/8 prepend=70 " >"$DIR/a.classes"
	bulk_prefixes 100 4000 >"$DIR/a.bulk"
	xrs_peering a '.limits = { memoryMiB: 1 }'
	run_logged app sync a || abandon "4,000 long routes of a"
	check_soon "beyond its memory an appliance's routes are refused and counted" peering_holds a \
		'.state == "Established" and .limits.memoryMiB.exceeded > 500 and .pfxRcd > 1000 and .pfxRcd < 3500'
	sed -i '1~2d' "$DIR/a.bulk"
	LC_ALL=C sort "$DIR/a.bulk" >"$DIR/a.expected"
	run_logged app sync a || abandon "2,000 of them are withdrawn"
	check_soon "when there is room the appliance is asked again, and what was refused is there" \
		routes_are "$DIR/a.expected" learned_prefixes a
	check "and that was said" grep -aq "there is room for what was refused: the peer is asked again" "$DIR/xrsd.log"
}

count_prefixes() { # NODE
	app prefixes "$1" | wc -l
}

scenario_bulk() {
	bulk_prefixes 100 "$BULK" >"$DIR/a.bulk"
	bulk_prefixes 150 "$BULK" >"$DIR/b.bulk"
	LC_ALL=C sort "$DIR/a.bulk" >"$DIR/a.expected"
	LC_ALL=C sort "$DIR/b.bulk" >"$DIR/b.expected"
	(echo 10.1.0.0/16 && cat "$DIR/b.bulk") | LC_ALL=C sort >"$DIR/a.told"
	(echo 10.1.0.0/16 && cat "$DIR/a.bulk") | LC_ALL=C sort >"$DIR/b.told"
	run_logged app sync a || abandon "$BULK routes of a"
	run_logged app sync b || abandon "$BULK routes of b"
	check_soon "$BULK routes are learned, prefix by prefix" routes_are "$DIR/a.expected" learned_prefixes a
	check_soon "and $BULK of the other" routes_are "$DIR/b.expected" learned_prefixes b
	check_soon "one appliance gets the $BULK of the other" routes_are "$DIR/a.told" app prefixes a
	check_soon "and the other way round" routes_are "$DIR/b.told" app prefixes b
	check "peering.listAdvertisedRoutes lists the same" routes_are "$DIR/a.told" advertised_prefixes a
	check "the maps hold all $((2 * BULK))" verified
	sed -i '1~2d' "$DIR/a.bulk"
	LC_ALL=C sort "$DIR/a.bulk" >"$DIR/a.expected"
	(echo 10.1.0.0/16 && cat "$DIR/a.bulk") | LC_ALL=C sort >"$DIR/b.told"
	run_logged app sync a || abandon "$((BULK / 2)) routes of a"
	check_soon "every second is withdrawn: $((BULK / 2)) are left" routes_are "$DIR/a.expected" learned_prefixes a
	check_soon "and at the other appliance" routes_are "$DIR/b.told" app prefixes b
}

# --- the end of an appliance ------------------------------------------------------------------------

scenario_killed() {
	announce a 10.250.0.0/16
	announce b 10.250.0.0/16 prepend=2
	check_route "a route of the one that will be killed" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
	app_down a KILL
	check_soon "an appliance that is killed takes its routes along" peering_holds a \
		'.state != "Established" and .pfxRcd == 0'
	check_soon "the other appliance hears of it" gone app route b 10.250.0.0/16
	check_effective "the VM's next hop is the other appliance" 10.1.2.5 10.250.0.0/16
	app_up a
	run_logged app sync a
	check_soon "it comes back with its routes" peering_holds a '.state == "Established" and .pfxRcd == 1'
	check_effective "and wins again" 10.1.2.4 10.250.0.0/16
}

stale() { # PEERING PREFIX
	ctl -j peering list-learned-routes --name "$1" --prefix "$2" | jq -c '[.value[] | .stale]'
}

scenario_graceful_restart() {
	local updates
	able restart || return
	app_options a gr=on
	# A prefix of no scenario before: when it is there, all that was sent before it is there.
	announce a 10.252.0.0/16
	check_route "a route of the one that will restart" \
		"$(expected_route 10.252.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.252.0.0/16
	check_peering "graceful restart is in force" a '.capabilities | index("graceful-restart") != null'
	updates=$(peering b .messages.sent.UPDATE)
	app_down a KILL
	check_soon "while it restarts its route is stale" same_output "[true]" stale a 10.252.0.0/16
	check_peering "and it is not Established" a '.state != "Established"'
	check_effective "and still used" 10.1.2.4 10.252.0.0/16
	app config a
	app restarted a
	wait_for 30 "the control of a" app ready a
	app sync a >/dev/null
	# Its F bit holds only while it recovers (RFC 4724 4.2): a few seconds, less than a back-off may be.
	skip_back_off a
	check_soon "it comes back and its route is fresh" same_output "[false]" stale a 10.252.0.0/16
	check_soon "and the session is Established" established a
	check_route "the other appliance has the route as before" \
		"$(expected_route 10.252.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.252.0.0/16
	check_peering "and was told nothing meanwhile" b ".messages.sent.UPDATE == $updates"
	app_options a gr=on grtime=2
	wait_established a
	check_soon "the route is there again" same_output "[false]" stale a 10.252.0.0/16
	app_down a KILL
	check_soon "without a return the stale route goes after the restart time" \
		gone stale_or_gone a 10.252.0.0/16
	check_soon "and is withdrawn from the other appliance" gone app route b 10.252.0.0/16
}

# Asks the appliance for a route, again and again, until the file $DIR/.watch goes; notes each time that it is not there.
watch_route() { # NODE PREFIX
	while [ -e "$DIR/.watch" ]; do
		[ -n "$(app route "$1" "$2" 2>/dev/null)" ] || echo "$EPOCHREALTIME" >>"$DIR/.missed"
	done
}

# RFC 4724, the other role: xrsd dies, and what it told stays in use until it is back.
scenario_we_restart() {
	local watcher
	able keep || return
	[ "${XRS_INTEROP_MODE:-auto}" != none ] || return 0
	app_options a gr=on
	announce b 10.240.0.0/16
	check_route "a route that the appliance has from us" \
		"$(expected_route 10.240.0.0/16 10.1.2.5 "65515 65002")" app route a 10.240.0.0/16
	: >"$DIR/.missed"
	: >"$DIR/.watch"
	watch_route a 10.240.0.0/16 &
	watcher=$!
	kill -KILL "$XRS_PID"
	wait_for 10 "the end of xrsd" is_gone "$XRS_PID"
	xrs_start
	app_hurry a
	app_hurry b
	wait_established a a6 b
	check_soon "we restart: the route is learned again" same_number b .pfxRcd 1
	check_route "we restart: and told again" \
		"$(expected_route 10.240.0.0/16 10.1.2.5 "65515 65002")" app route a 10.240.0.0/16
	rm -f "$DIR/.watch"
	wait "$watcher"
	if able be_awaited; then
		check_equal "we restart: the appliance kept it all the time" 0 "$(wc -l <"$DIR/.missed")"
	fi
	check_peering "we restart: our OPEN said so" a '.capabilitiesSent | index("graceful-restart") != null'
}

# --- capabilities ---------------------------------------------------------------------------------------

ALL_CAPABILITIES='{ fourOctetAs: $use, routeRefresh: $use, enhancedRouteRefresh: $use, extendedMessage: $use }'

scenario_capabilities() {
	announce a 10.250.0.0/16 community=65001:1
	xrs_peering b ".capabilities = $ALL_CAPABILITIES | .gracefulRestart = { enabled: false }" --arg use off
	check_soon "with nothing offered but the families, nothing else is in force" hurried b \
		'.state == "Established" and (.capabilities | sort) == ["ipv4-unicast", "ipv6-unicast"]'
	check_route "a 4-octet AS number goes through a 2-octet session (AS4_PATH, RFC 6793)" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001" community=65001:1)" \
		app route b 10.250.0.0/16
	announce b 10.240.0.0/16
	check_route "and routes come in over it" "$(expected_route 10.240.0.0/16 10.1.2.5 65002)" \
		learned b 10.240.0.0/16
	xrs_peering b ".capabilities = $ALL_CAPABILITIES | .gracefulRestart = {}" --arg use on
	check_soon "with all of them offered, those that the appliance has are in force" hurried b \
		'.state == "Established" and (.capabilitiesSent | index("extended-message") != null) and
		 ((.capabilitiesSent - (.capabilitiesSent - .capabilitiesReceived)) -
		  ["notification-graceful-restart"] - .capabilities) == []'
	check_route "the route is there as before" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001" community=65001:1)" \
		app route b 10.250.0.0/16
	capability_required
}

capability_required() {
	local missing
	for missing in extendedMessage:extended-message enhancedRouteRefresh:enhanced-route-refresh; do
		peering_holds b ".capabilitiesReceived | index(\"${missing#*:}\") == null" >/dev/null || continue
		xrs_peering b ".capabilities.${missing%:*} = \"require\""
		check_soon "${missing#*:} is required and missing: OPEN error 2/7" hurried b \
			'.state != "Established" and .notificationSent.code == 2 and .notificationSent.subcode == 7'
		return
	done
	xrs_peering b '.capabilities.fourOctetAs = "require"'
	check_soon "a capability that is required and there" hurried b '.state == "Established"'
}

stale_or_gone() { # prints the flags of the routes that are left
	stale "$@" | grep -v '^\[\]$'
}
