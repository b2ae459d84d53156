#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 14400
# BGP at the size of the Internet: xrsd beside BIRD, FRR, OpenBGPD and GoBGP, with the same input in the
# same run, in turns, medians of XRS_BENCH_RUNS (3). README.md says what is measured and how to choose.
#
#   namespace peers                         namespace rs
#   bench_bgp 10.9.1.1, 10.9.1.2 ... eth0 --- rs0 10.9.0.1  the speaker, AS 65515
. "$(dirname "$0")/../lib/sh.sh"
. "$TOP/tests/bench/lib/speakers.sh"

BENCH=$BUILD/tests/bench_bgp
RUNS=${XRS_BENCH_RUNS:-3}
ROUTES=${XRS_BENCH_ROUTES:-1000000}
MESH_PEERS=${XRS_BENCH_MESH_PEERS:-500}
SPEAKERS=${XRS_BENCH_SPEAKERS:-xrs xrsbpf bird frr openbgpd gobgp mirror}
SCENARIOS=${XRS_BENCH_SCENARIOS:-small latency fib100k fanin full best2 mesh}
# These take minutes where the others take seconds, and so does the mesh: once is enough.
ONCE=" gobgp openbgpd frr "
# Who is not done by then is given up.
TIMEOUT=${XRS_BENCH_TIMEOUT:-300}
MESH_SECONDS=${XRS_BENCH_MESH_SECONDS:-120}
RESULTS=$BUILD/bench/bgp.tsv

need_root
need_cmd ip jq
need_file "$BENCH"

# Prefixes of the default-free zone where the data is at hand; else bench_bgp generates its own.
SOURCE=()
input() {
	local zone=$SHARED_DATA/mrt/dfz-prefixes.2025-10.txt.gz
	if [ -n "$XRS_BENCH_MRT" ]; then
		case $XRS_BENCH_MRT in
		*.gz) zcat "$XRS_BENCH_MRT" >"$DIR/mrt" ;;
		*.bz2) bzcat "$XRS_BENCH_MRT" >"$DIR/mrt" ;;
		*) cp "$XRS_BENCH_MRT" "$DIR/mrt" ;;
		esac
		SOURCE=(--mrt "$DIR/mrt")
	elif [ -e "$zone" ]; then
		zcat "$zone" >"$DIR/prefixes"
		SOURCE=(--prefixes "$DIR/prefixes")
	fi
}

family() { # PID: with its children and theirs
	local child
	echo "$1"
	for child in $(pgrep -P "$1"); do
		family "$child"
	done
}

# --- the scenarios: which peers, which speakers, what bench_bgp is told ------------------------------

declare -A PEERS=([small]=8 [latency]=2 [fib100k]=2 [fanin]=9 [full]=2 [best2]=3 [mesh]=$MESH_PEERS)
declare -A TITLE=(
	[small]="8 peers x 1,000 routes, everybody to everybody"
	[latency]="1,000 updates a second on a table of 100,000"
	[fib100k]="100,000 routes, 1 sender -> 1 receiver, and the BPF trie"
	[fanin]="8 senders x the same 100,000 -> 1 receiver"
	[full]="$ROUTES routes, 1 sender -> 1 receiver, and the BPF trie; all withdrawn"
	[best2]="the better of two senders of $ROUTES dies"
	[mesh]="$MESH_PEERS peers x 1,000 routes, everybody to everybody"
)

takes() { # SCENARIO SPEAKER: it makes sense
	case $1.$2 in
	latency.mirror | mesh.xrs | mesh.bird) return 0 ;;
	*.mirror | mesh.* | fanin.gobgp | best2.gobgp) return 1 ;;
	fib100k.xrsbpf) return 0 ;;
	fib100k.*) return 1 ;;
	esac
}

arguments() { # SCENARIO
	case $1 in
	small) echo mesh --peers 8 --routes 8000 ;;
	latency) echo latency --routes 100000 --rate 1000 --seconds ${XRS_BENCH_SECONDS:-5} ;;
	fib100k) echo full --routes 100000 ;;
	fanin) echo fanin --peers 8 --routes 100000 ;;
	full | best2) echo "$1" --routes "$ROUTES" --timeout "$TIMEOUT" ;;
	mesh) echo mesh --peers "$MESH_PEERS" --routes $((MESH_PEERS * 1000)) --compact --timeout "$MESH_SECONDS" ;;
	esac
}

again() { # RUN SCENARIO SPEAKER: it is worth this run
	[ "$1" = 1 ] || [ "$2" != mesh -a "${ONCE/ $3 /}" = "$ONCE" ]
}

measure() { # RUN SCENARIO SPEAKER
	local extra=() status perf=
	"$3_start" "${PEERS[$2]}" || return 1
	[ "$3" != xrsbpf ] || extra+=(--trie "/sys/fs/bpf/$ID/tables/bench.main.v4")
	case $3.$2 in
	xrs*.full) extra+=(--api "/run/$ID/xrs.sock") ;;
	esac
	sleep 1
	if [ -n "$XRS_BENCH_PERF" ]; then # profile.sh
		spawn perf perf record -q -F 1999 -e cpu-clock -g -o "$XRS_BENCH_PERF" -p "$(family "$SPEAKER_PID" | paste -sd,)"
		perf=$spawned
		sleep 1
	fi
	# shellcheck disable=SC2046 # words
	nsenter --net="/run/netns/$ID-peers" timeout $((3 * TIMEOUT)) \
		"$BENCH" $(arguments "$2") "${SOURCE[@]}" --speaker $RS --local "$(peer_ip 1)" \
		--pids "$(family "$SPEAKER_PID" | tr '\n' ' ')" "${extra[@]}" >"$DIR/out" 2>"$DIR/err"
	status=$?
	[ -z "$perf" ] || stop_pid "$perf" INT
	sed "s/^/$1 $2 $3 /" "$DIR/out" >>"$RESULTS"
	[ "$status" -eq 0 ] || diag "$2 $3: $(cat "$DIR/err")" "$(tail -n 5 "$DIR/${3%bpf}.log")"
	stop_pid "$SPEAKER_PID"
	rm -rf "/sys/fs/bpf/${ID:?}"
	return $status
}

# --- the table ---------------------------------------------------------------------------------------

# Medians, one row for each scenario and figure, one column for each speaker, with the ratio to BIRD.
table() { # SCENARIO
	awk -v scenario="$1" -v speakers="$SPEAKERS" '
		function median(list, n,   a, i, j, t) {
			n = split(list, a, " ")
			for (i = 2; i <= n; i++)
				for (j = i; j > 1 && a[j - 1] + 0 > a[j] + 0; j--) {
					t = a[j]; a[j] = a[j - 1]; a[j - 1] = t
				}
			return a[int((n + 1) / 2)]
		}
		$2 == scenario {
			if (!($4 in order)) { order[$4] = ++figures; name[figures] = $4 }
			values[$3, $4] = values[$3, $4] " " $5
		}
		END {
			n = split(speakers, s, " ")
			printf "%-12s", ""
			for (i = 1; i <= n; i++) printf "%18s", s[i]
			print ""
			for (f = 1; f <= figures; f++) {
				printf "%-12s", name[f]
				bird = values["bird", name[f]]
				for (i = 1; i <= n; i++) {
					v = values[s[i], name[f]]
					if (v == "") { printf "%18s", "-"; continue }
					ratio = ""
					if (bird != "" && median(bird) > 0)
						ratio = sprintf(" (%.2f)", median(v) / median(bird))
					printf "%18s", sprintf("%.5g%s", median(v), ratio)
				}
				print ""
			}
		}' "$RESULTS"
}

mkdir -p "${RESULTS%/*}"
: >"$RESULTS"
bench_network "$MESH_PEERS"
input
diag "$(date -u +%F), $(nproc) CPUs, $(sed -n 's/model name.*: //p' /proc/cpuinfo | head -1), Linux $(uname -r), load $(cut -d' ' -f1-3 /proc/loadavg)"
for scenario in $SCENARIOS; do
	figures=0
	for ((run = 1; run <= RUNS; run++)); do
		for speaker in $SPEAKERS; do
			takes "$scenario" "$speaker" && "${speaker}_there" || continue
			again "$run" "$scenario" "$speaker" || continue
			measure "$run" "$scenario" "$speaker" && figures=1
		done
	done
	diag "${TITLE[$scenario]}: seconds and MB, (ratio to BIRD); load $(cut -d' ' -f1 /proc/loadavg)"
	diag "$(table "$scenario")"
	check "figures of ${TITLE[$scenario]}" test "$figures" = 1
done
finish
