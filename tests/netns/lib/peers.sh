# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# One xrsd without a data plane in the namespace `host`, all of 10.1.0.0/16 on its loopback
# interface (and fd00:1::4), and peers made by tool_peers there. Sourced after lib/sh.sh.

CONF=$DIR/xrs.json
RS4=10.1.255.4
PEERS=$BUILD/tests/tool_peers

need_root
need_cmd ip jq nsenter
need_file "$XRSD" "$XRSCTL" "$PEERS"

ctl() {
	"$XRSCTL" -s "/run/$ID/xrs.sock" "$@"
}

loop_host() {
	ns_add host
	ip -n "$ID-host" addr add $RS4/16 dev lo
	ip -n "$ID-host" addr add fd00:1::4/64 dev lo nodad
}

configure() { # PEERINGS, a JSON list
	cat >"$CONF" <<-END
	{
	  "node": { "instance": "$ID", "routerId": "$RS4" }, "dataplane": { "mode": "none" },
	  "vnets": [ {
	    "name": "prod", "addressPrefixes": ["10.1.0.0/16", "fd00:1::/64"],
	    "routeServer": { "asn": 65515, "localAddress": "$RS4", "localAddress6": "fd00:1::4" },
	    "peerings": $1
	  } ]
	}
	END
}

xrs_start() {
	spawn xrsd nsenter --net="/run/netns/$ID-host" "$XRSD" -c "$CONF"
	XRS_PID=$spawned
	wait_for 30 "the answer of xrsd" ctl system info || abandon "xrsd starts"
}

# Changes the configuration with a jq program and has it read.
reconfigure() { # JQ-PROGRAM [JQ-OPTIONS...]
	jq "$@" "$CONF" >"$CONF.new" && mv "$CONF.new" "$CONF" || abandon "jq: $1"
	run_logged ctl -j config reload || abandon "config reload"
}

peers() { # LOG BEHAVIOUR FIRST-ADDRESS FIRST-ASN COUNT [ROUTES]: its process in $spawned
	spawn -n host "$1" "$PEERS" "$2" $RS4 "${@:3}"
}

figure() { # LOG WHAT: the latest of what tool_peers said
	tail -n 1 "$DIR/$1.log" | sed -n "s,.*\<$2 \([0-9/]*\).*,\1,p"
}

figure_is() { # LOG WHAT EXPECTED
	[ "$(figure "$1" "$2")" = "$3" ] || { tail -n 1 "$DIR/$1.log"; return 1; }
}

figure_above() { # LOG WHAT NUMBER
	local now
	now=$(figure "$1" "$2")
	[ "${now:-0}" -gt "$3" ] || { tail -n 1 "$DIR/$1.log"; return 1; }
}

peering() { # NAME JQ-PROGRAM
	ctl -j peering show --name "$1" | jq -c "$2"
}

peering_holds() { # NAME JQ-CONDITION; shows what there is when it does not hold
	ctl -j peering show --name "$1" >"$DIR/.peering.json" || return 1
	jq -e "$2" "$DIR/.peering.json" >/dev/null && return
	jq -c . "$DIR/.peering.json"
	return 1
}

peerings_are() { # NAMES...: sorted, exactly these
	local now
	now=$(ctl -j peering list | jq -r '[.value[].name] | sort | join(" ")')
	[ "$now" = "$*" ] || { echo "$now"; return 1; }
}

show_recent() {
	diag "$(tail -n 8 "$DIR/xrsd.log")"
}
