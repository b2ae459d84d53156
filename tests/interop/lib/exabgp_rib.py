#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The memory of an ExaBGP appliance, run by it as its API process: exabgp_rib.py COMMANDS STATE

ExaBGP keeps no table of what it receives. This holds one from the JSON on standard input, and writes it to
the file STATE whenever input has paused: {"routes": {PREFIX: route}, "notifications": [...], "acks": N}.
Lines written to the FIFO COMMANDS go to ExaBGP on standard output; "acks" counts its answers to them.
"""
import json
import os
import select
import sys

NOTIFICATION = 3  # its message type

commands, state_file = sys.argv[1:3]
# Both ends, so that the FIFO never ends when a writer closes it.
fifo = os.open(commands, os.O_RDWR)
neighbors = {}
notifications = []
acks = 0


def route(prefix, next_hop, attribute):
    """One route in the form that lab.sh compares."""
    return {
        "network": prefix,
        "nextHop": next_hop,
        "asPath": attribute.get("as-path", []),
        "origin": attribute.get("origin", ""),
        "med": attribute.get("med", 0),
        "communities": ["%d:%d" % tuple(c) for c in attribute.get("community", [])],
        "largeCommunities": ["%d:%d:%d" % tuple(c) for c in attribute.get("large-community", [])],
    }


def update(table, message):
    """Withdrawn first: a prefix that stands in both parts of a message is announced."""
    attribute = message.get("attribute", {})
    for prefixes in message.get("withdraw", {}).values():
        for entry in prefixes:
            table.pop(entry["nlri"], None)
    for next_hops in message.get("announce", {}).values():
        for next_hop, prefixes in next_hops.items():
            for entry in prefixes if isinstance(prefixes, list) else []:
                table[entry["nlri"]] = route(entry["nlri"], next_hop, attribute)


def notification(body):
    """Read here: ExaBGP 4.2 fails to print one with a shutdown communication (RFC 9003)."""
    code, subcode, data = body[0], body[1], body[2:]
    text = data[1 : 1 + data[0]].decode() if code == 6 and subcode in (2, 4) and data else ""
    return {"code": code, "subcode": subcode, "text": text}


def receive(line):
    """One line of ExaBGP: an event as JSON, or the answer to a command."""
    global acks
    if not line.startswith("{"):
        acks += 1
        return
    event = json.loads(line)
    neighbor = event.get("neighbor", {})
    peer = neighbor.get("address", {}).get("peer")
    if event["type"] == "state":
        neighbors[peer] = {}
    elif neighbor.get("message", {}).get("category") == NOTIFICATION:
        notifications.append(notification(bytes.fromhex(neighbor["message"]["body"][2:])))
    elif event["type"] == "update":
        update(neighbors.setdefault(peer, {}), neighbor.get("message", {}).get("update", {}))


def save():
    with open(state_file + ".new", "w", encoding="ascii") as out:
        json.dump({"neighbors": neighbors, "notifications": notifications, "acks": acks}, out)
    os.rename(state_file + ".new", state_file)


def lines_of(descriptor, rest):
    """The whole lines that have come, and the beginning of the next; None at the end of input."""
    data = os.read(descriptor, 1 << 20)
    if not data:
        return None, rest
    *lines, rest = (rest + data).split(b"\n")
    return lines, rest


def main():
    stdin_rest = fifo_rest = b""
    save()
    dirty = False
    while True:
        ready, _, _ = select.select([0, fifo], [], [], 0.05 if dirty else None)
        if 0 in ready:
            lines, stdin_rest = lines_of(0, stdin_rest)
            if lines is None:
                return
            for line in lines:
                receive(line.decode())
            dirty = True
        if fifo in ready:
            lines, fifo_rest = lines_of(fifo, fifo_rest)
            for line in lines:
                os.write(1, line + b"\n")
        if not ready:
            save()
            dirty = False


main()
