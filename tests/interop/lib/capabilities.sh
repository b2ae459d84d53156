# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Capabilities: each on and off, required and missing, and in use. Sourced after scenarios.sh; the appliances have
# all of theirs switched on (CAPS), except long-lived graceful restart, which is an option of its own.

SCENARIOS="switched required enhanced_refresh next_hops_and_paths role graceful_shutdown planned_end our_restart first_selection notified long_lived"
CAPS=1
GIVEN_NEXT_HOP=       # it does not choose the next hop of what it announces by the session
LACKS=extendedNextHop # what the appliance does not offer in its IPv4 session

in_force() { # PEERING NAME...: Established with all of these
	hurried "$1" ".state == \"Established\" and ($(printf '"%s"\n' "${@:2}" | jq -cs .) - .capabilitiesInForce) == []"
}

not_in_force() { # PEERING NAME
	hurried "$1" ".state == \"Established\" and
		([.capabilitiesInForce, .capabilitiesSent | index(\"$2\")] == [null, null])"
}

# Ours are changed in one step, so that the session is made again only once for each.
scenario_switched() {
	xrs_peering a '.capabilities = { routeRefresh: "off", enhancedRouteRefresh: "off" } |
		.gracefulRestart = { enabled: false }'
	check_soon "without route refresh a session comes up, and without it" not_in_force a route-refresh
	check "and so without enhanced route refresh" not_in_force a enhanced-route-refresh
	check "and without graceful restart" not_in_force a graceful-restart
	xrs_peering a '.capabilities = { fourOctetAs: "off" } | del(.gracefulRestart)'
	check_soon "without 4-octet AS numbers on our side a session comes up" not_in_force a 4-octet-as
	announce a 10.250.0.0/16 prepend=1
	check_route "AS4_PATH brings the appliance's 4-octet AS number" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "4200000001 4200000001")" learned a 10.250.0.0/16
	announce b 10.240.0.0/16
	check_route "and a route goes to it with 2-octet AS numbers" \
		"$(expected_route 10.240.0.0/16 10.1.2.5 "65515 65002")" app route a 10.240.0.0/16
	xrs_peering b '.capabilities = { fourOctetAs: "off" }'
	check_soon "without 4-octet AS numbers toward the other appliance as well" not_in_force b 4-octet-as
	check_route "it has the first one's by AS4_PATH" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001 4200000001")" app route b 10.250.0.0/16
	if able no_capabilities; then
		xrs_peering a '.capabilities = { multiprotocol: "off", fourOctetAs: "off", routeRefresh: "off", enhancedRouteRefresh: "off" } |
			.gracefulRestart = { enabled: false }'
		check_soon "without any capability IPv4 unicast is in force" in_force a ipv4-unicast
		check_route "and carries routes" \
			"$(expected_route 10.250.0.0/16 10.1.2.4 "4200000001 4200000001")" learned a 10.250.0.0/16
	fi
	xrs_peering a '.capabilities = { extendedMessage: "on" } | del(.gracefulRestart)'
	check_soon "with everything on the session comes up" in_force a ipv4-unicast route-refresh 4-octet-as
	if able extended_message; then
		check_soon "extended messages are in force" in_force a extended-message
	fi
}

scenario_required() {
	able required || return 0
	xrs_peering a '.capabilities = { ($c): "require" }' --arg c "$LACKS"
	check_soon "a session without a required capability is refused with 2/7" peering_holds a \
		'.state != "Established" and .notificationSent.code == 2 and .notificationSent.subcode == 7'
	xrs_peering a '.capabilities = { multiprotocol: "require", fourOctetAs: "require", routeRefresh: "require" } |
		.gracefulRestart = { required: true }'
	run_logged ctl -j peering reset a
	check_soon "with what it has required it comes up" in_force a 4-octet-as route-refresh
}

refreshes() { # PEERING received|sent MORE-THAN
	peering_holds "$1" ".messages.$2[\"ROUTE-REFRESH\"] >= $3"
}

scenario_enhanced_refresh() {
	local received sent
	able enhanced_refresh || return 0
	check_soon "enhanced route refresh is in force" in_force a enhanced-route-refresh
	announce a 10.250.0.0/16
	announce b 10.240.0.0/16
	check_soon "a route is learned" same_number a .pfxRcd 1
	wait_for $WAIT "the route at a" app route a 10.240.0.0/16
	received=$(peering a '.messages.received["ROUTE-REFRESH"]')
	able answer_refresh || return 0
	check "we ask for the routes" ctl -j peering reset a --soft in
	check_soon "the appliance sends BoRR and EoRR around them" refreshes a received $((received + 2))
	check_soon "and they are fresh" same_output "[false]" stale a 10.250.0.0/16
	if able refresh; then
		received=$(peering a '.messages.received["ROUTE-REFRESH"]')
		sent=$(peering a '.messages.sent["ROUTE-REFRESH"]')
		check "the appliance asks for ours" app refresh a
		check_soon "we send BoRR and EoRR around them" refreshes a sent $((sent + 2))
		check_route "and it has them as before" \
			"$(expected_route 10.240.0.0/16 10.1.2.5 "65515 65002")" app route a 10.240.0.0/16
	fi
	check_peering "nothing was reset" a '.state == "Established" and .pfxRcd == 1'
}

next_hop_of() { # PEERING PREFIX
	ctl -j peering list-learned-routes --name "$1" --prefix "$2" | jq -c '.value[] | [.network, .nextHop]'
}

told_next_hop() { # NODE PREFIX NEXTHOP
	[ "$(app route "$1" "$2" | jq -r .nextHop)" = "$3" ]
}

# IPv4 over the IPv6 session of node a, in both directions, and into the route table of the VM.
extended_next_hop() {
	xrs_edit '(.vnets[0].peerings[] | select(.name == "a")).enabled = false |
		(.vnets[0].peerings[] | select(.name == "a6")) |= (.families = ["ipv4-unicast", "ipv6-unicast"] |
			.capabilities = { extendedNextHop: "on" })'
	check_soon "extended next hop is in force" in_force a6 extended-next-hop ipv4-unicast ipv6-unicast
	announce a 10.250.0.0/16 ${GIVEN_NEXT_HOP:+nexthop=${IP6[a]}}
	check_soon "an IPv4 prefix arrives with an IPv6 next hop" same_output \
		'["10.250.0.0/16","fd00:1::2:4"]' next_hop_of a6 10.250.0.0/16
	check_effective "the VM's IPv4 packets go to the appliance's IPv6 address" fd00:1::2:4 10.250.0.0/16
	check_soon "the appliance has our IPv4 prefix with our IPv6 address" told_next_hop a 10.1.0.0/16 $RS6
	check_soon "the other appliance, which can not read it, is not told" gone app route b 10.250.0.0/16
	if able keep_to_next_hops; then
		xrs_peering a6 '.capabilities = { extendedNextHop: "off" }'
		check_soon "extended next hop off on our side: the session comes up without" not_in_force a6 extended-next-hop
		wait_established a6
		check_not "and no IPv4 prefix has an IPv6 next hop" grep ':' <(next_hop_of a6 10.250.0.0/16 | sed 's/.*,//')
		xrs_peering a6 '.capabilities = { extendedNextHop: "on" }'
	fi
	withdraw a 10.250.0.0/16
}

# Node a announces one prefix in both of its sessions: two paths for b, once a map gave one an IPv4 next hop.
two_paths() {
	xrs_edit '.vnets[0].routeMaps = [{ name: "as-v4", rules: [{ match: { prefix: [{ contains: "0.0.0.0/0" }] },
			modify: { nextHop: "10.1.2.9", asPath: { prepend: [65099] } } }] }] |
		(.vnets[0].peerings[] | select(.name == "a6")).inboundRouteMap = "as-v4" |
		(.vnets[0].peerings[] | select(.name == "a")).enabled = true'
	wait_established a a6
	announce a 10.77.0.0/16
	check_soon "two paths of one prefix reach the appliance" same_output 2 app paths b 10.77.0.0/16
	xrs_peering a '.enabled = false'
	check_soon "one is left when one of its sessions ends" same_output 1 app paths b 10.77.0.0/16
	xrs_peering a6 '.enabled = false'
	check_soon "and none when both ended" gone app route b 10.77.0.0/16
}

scenario_next_hops_and_paths() {
	if able extended_next_hop; then
		extended_next_hop
	fi
	able add_path || return 0
	xrs_peering b '.addPath = { receive: true, sendMax: 4 }'
	check_soon "ADD-PATH is in force" in_force b add-path
	announce b 10.240.0.0/16
	check_soon "a route arrives with a path identifier" path_id_given b 10.240.0.0/16
	check_soon "the appliance has our prefix" app route b 10.1.0.0/16
	if able extended_next_hop; then
		two_paths
	fi
	xrs_peering b 'del(.addPath)'
	check_soon "ADD-PATH off on our side: the session comes up without" not_in_force b add-path
	check_route "and routes come without an identifier" "$(expected_route 10.240.0.0/16 10.1.2.5 65002)" \
		learned b 10.240.0.0/16
	check_not "which xrsd does not invent" path_id_given b 10.240.0.0/16
}

path_id_given() { # PEERING PREFIX
	[ "$(ctl -j peering list-learned-routes --name "$1" --prefix "$2" | jq '.value[0].pathId > 0')" = true ]
}

scenario_role() {
	able role || return 0
	xrs_peering a '.bgpRole = "provider"'
	check_soon "provider and customer meet" in_force a role
	check_soon "the appliance has our AS number in Only to Customer" same_output 65515 app otc a 10.1.0.0/16
	xrs_peering a '.bgpRole = "peer"'
	check_soon "peer and customer are refused with 2/11" peering_holds a '.state != "Established" and
		([.notificationSent, .notificationReceived] | map(select(. != null and .code == 2 and .subcode == 11)) | length > 0)'
	xrs_peering a '.bgpRole = "provider" | .bgpRoleStrict = true'
	run_logged ctl -j peering reset a
	check_soon "strict as well, because the appliance names its role" in_force a role
}

has_community() { # NODE PREFIX COMMUNITY NAME...: as numbers, or as an appliance calls it
	local word
	for word in "${@:3}"; do
		app route "$1" "$2" | jq -r '.communities[]' | grep -Fixq "$word" && return
	done
	app route "$1" "$2"
	return 1
}

told_of_the_end() { # NODE PREFIX
	has_community "$1" "$2" 65535:0 gracefulShutdown GRACEFUL_SHUTDOWN &&
		peering_holds "$1" '.state == "Established" and .gracefulShutdown'
}

scenario_graceful_shutdown() {
	announce b 10.240.0.0/16
	wait_for $WAIT "the route at a" app route a 10.240.0.0/16
	xrs_peering a '.shutdownDrainTime = 15'
	check "the peering is disabled" ctl -j peering disable a --message "moving house"
	check_soon "the appliance is told its routes again with GRACEFUL_SHUTDOWN, the session still up" \
		told_of_the_end a 10.240.0.0/16
	check_soon "then the session ends, with the text" peering_holds a \
		'.state == "Idle" and .adminState == "disabled" and .lastReset.subcode == 2 and .lastReset.text == "moving house"'
	announce a 10.250.0.0/16 community=65535:0
	announce b 10.250.0.0/16 prepend=2
	run_logged ctl -j peering enable a
	check_soon "enabled again, it comes up" established a
	if able obeyed_communities; then
		check_soon "a route that carries it is the last choice" explains 10.250.0.0/16 \
			'[.candidates[] | [.peering, .best, .lostAtStep]] ==
			 [["b", true, null], ["a", false, "gracefulShutdown"]]'
	fi
}

in_service() { # none | announced | done
	[ "$(ctl -j system info | jq -r .gracefulShutdown)" = "$1" ]
}

scenario_planned_end() {
	announce b 10.240.0.0/16
	announce a 10.250.0.0/16
	wait_for $WAIT "the route at a" app route a 10.240.0.0/16
	wait_for $WAIT "the route at b" app route b 10.250.0.0/16
	check "the route server is taken out of service" ctl system graceful-shutdown --seconds 600 --message "moving house"
	check_soon "one appliance is told, its session still up" told_of_the_end a 10.240.0.0/16
	check_soon "and the other" told_of_the_end b 10.250.0.0/16
	check "that is what it says of itself" in_service announced
	check "asked again, it hurries" ctl system graceful-shutdown --seconds 1
	check_soon "then every session ends, with the text" reset_seen a sent 6 2 "moving house"
	check_soon "of all" reset_seen b sent 6 2 "moving house"
	check_soon "and says so" in_service done
	check_peering "and none starts again" a '.state == "Idle" and .adminState == "disabled"'
	check "it is put back" ctl system startup
	wait_established a a6 b
	check_route "and the routes come back without the mark" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
}

# kill -9: forwarding and the routes of the others stay, the R bit is set, selection waits for End-of-RIB.
scenario_our_restart() {
	[ "${XRS_INTEROP_MODE:-auto}" != none ] || return 0
	able our_restart || return 0
	announce a 10.250.0.0/16
	check_route "a route of the one that stays" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
	stop_pid "$XRS_PID" KILL
	check_route "while xrsd is dead the other appliance keeps its routes" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
	xrs_start
	check_soon "it comes back and takes over" peering_holds a '.state == "Established" and .pfxAccepted == 1'
	check_soon "it selects when every peer has said everything" \
		grep -aq "every peer said everything again, selecting" "$DIR/xrsd.log"
	check_effective "the VM's next hop is as before" 10.1.2.4 10.250.0.0/16
	check_route "and the other appliance's route" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
	wait_established a a6 b
}

cold_start() { # xrsd ends, and nothing of it forwards any more
	stop_pid "$XRS_PID" TERM
	run_logged "$XRSCTL" dataplane detach --instance "$ID"
	: >"$DIR/xrsd.log"
	xrs_start
}

deferral() { # what the first selection waits for
	ctl -j routeserver show --vnet prod | jq -c 'if .selectionDeferred then .awaitedPeerings else "selected" end'
}

# The peers are there and have said everything; one that is configured is not.
scenario_first_selection() {
	announce a 10.250.0.0/16
	xrs_edit '.vnets[0].routeServer.startDeferralTime = 600 |
		.vnets[0].peerings += [{ name: "c", peerAsn: 65099, peerIp: "10.1.2.77" }]'
	cold_start
	wait_established a a6 b
	check_soon "a first selection waits for End-of-RIB of a peer that is not there" same_output '["c"]' deferral
	check_soon "what another said is known meanwhile" same_number a .pfxRcd 1
	check_peering "and nobody is told" b ".messages.sent.UPDATE == 0 and .pfxSnt == 0"
	xrs_edit 'del(.vnets[0].peerings[] | select(.name == "c"))'
	check_soon "when nobody is missing any more it selects" same_output '"selected"' deferral
	check_route "and tells" "$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
	check_effective "and the VM has its route" 10.1.2.4 10.250.0.0/16
	xrs_edit '.vnets[0].routeServer.startDeferralTime = 3 |
		.vnets[0].peerings += [{ name: "c", peerAsn: 65099, peerIp: "10.1.2.77" }]'
	cold_start
	check_soon "the deadline ends the waiting" grep -aq "not every peer said everything in 3 s, selecting" "$DIR/xrsd.log"
	wait_established a a6 b
	check_route "and tells who is there" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
}

# RFC 8538: a session that a NOTIFICATION ended is a restart as well, unless that is a Hard Reset.
scenario_notified() {
	local updates
	able notified || return 0
	app_options a gr=on soft=on
	check_soon "graceful restart with notifications is in force" in_force a notification-graceful-restart
	wait_established a b
	announce a 10.250.0.0/16
	check_route "a route of the one that will be reset" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
	updates=$(peering b .messages.sent.UPDATE)
	check "it resets the session" app reset a
	check_soon "with a Cease that is no Hard Reset, and is back" peering_holds a \
		'.state == "Established" and .notificationReceived.code == 6 and .notificationReceived.subcode != 9 and .pfxRcd >= 1'
	check_soon "its route is fresh" same_output "[false]" stale a 10.250.0.0/16
	check_peering "nobody was told anything meanwhile" b ".messages.sent.UPDATE == $updates"
	check_effective "and it is used" 10.1.2.4 10.250.0.0/16
	app_options a gr=on soft=
	wait_established a b
	check_soon "its route is there" same_output "[false]" stale a 10.250.0.0/16
	updates=$(peering b .messages.sent.UPDATE)
	check "it resets the session hard" app reset a
	check_soon "the other one is told that the route goes, and comes" peering_holds b ".messages.sent.UPDATE >= $updates + 2"
	wait_established a b
}

scenario_long_lived() {
	able long_lived || return 0
	app_options b llgr=120 gr=on
	app_options a gr=on grtime=1 llgr=120
	xrs_edit '(.vnets[0].peerings[]).gracefulRestart = { longLivedTime: 120 }'
	check_soon "long-lived graceful restart is in force" in_force a long-lived-graceful-restart
	wait_established a b
	announce a 10.250.0.0/16
	announce a 10.251.0.0/16 community=65535:7
	check_route "a route of the one that will die" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
	app_down a KILL
	check_soon "after its restart time the route is told as LLGR_STALE" has_community b 10.250.0.0/16 65535:6 llgrStale llgr-stale
	check_effective "and still used" 10.1.2.4 10.250.0.0/16
	check_soon "one with NO_LLGR is withdrawn" gone app route b 10.251.0.0/16
	announce b 10.250.0.0/16 prepend=3
	check_soon "a path of another, however long, is better" explains 10.250.0.0/16 \
		'[.candidates[] | [.peering, .best, .lostAtStep]] == [["b", true, null], ["a", false, "llgrStale"]]'
	withdraw b 10.250.0.0/16
	app_up a
	app sync a >/dev/null
	check_soon "it comes back, and the route is fresh" same_output "[false]" stale a 10.250.0.0/16
	check_route "and told without the mark" \
		"$(expected_route 10.250.0.0/16 10.1.2.4 "65515 4200000001")" app route b 10.250.0.0/16
}
