#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# frames.sh once more with dataplane.mode generic, as on a driver without XDP of its own, and by the trie alone.
MODE=generic XDP_MODE=generic LOOKUP=trie
. "$(dirname "$0")/frames.sh"
