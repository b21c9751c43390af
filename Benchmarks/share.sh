#!/usr/bin/env bash
# usage: share.sh [PROGRAM [PROGRAM BEFORE]]
# A coupled run on 2 ranks of a machine with two cores: its quiet time, and the part of its fair share that it keeps beside two other
# busy processes (each core halved: the fair share is half the quiet speed). With a second program both are measured in turns.
# PAIRS (7) and TURNS (3): how many quiet and busy runs of each. The machine must be otherwise idle: medians are printed, with the range.
set -euo pipefail
cd "$(dirname "$0")/.."
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
programs=("$@")
[ $# -gt 0 ] || programs=(.build/release/fathom)
work=$(mktemp -d)
hogs=()
calm() { # ends the processes that compete
  for hog in "${hogs[@]}"; do kill "$hog" 2>/dev/null || true; done
  hogs=()
}
trap 'calm; rm -rf "$work"' EXIT
cat >"$work/job.toml" <<E2
seed = 1
[particles]
system = "gaussian-attraction"
integrator = "lmc"
number = 20000
step = 0.01
steps = ${STEPS:-40000}
measure_every = 100
replicas = 1
[run]
shards = 2
E2

seconds() { # PROGRAM: wall seconds of a run
  local start end
  start=$(date +%s.%N)
  timeout 300 mpirun --oversubscribe -n 2 "$1" run "$work/job.toml" --fresh -o "$work/result.h5" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
  end=$(date +%s.%N)
  awk "BEGIN { print $end - $start }"
}
summary() { # FILE: median, least and largest
  sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%.3f %.3f %.3f\n", v[int((NR + 1) / 2)], v[1], v[NR] }'
}

for ((i = 0; i < ${PAIRS:-7}; i++)); do
  for p in "${!programs[@]}"; do seconds "${programs[$p]}" >>"$work/quiet-$p"; done
done
for ((i = 0; i < ${TURNS:-3}; i++)); do
  for p in "${!programs[@]}"; do
    for _ in 1 2; do
      timeout 300 sh -c 'while :; do :; done' &
      hogs+=($!)
    done
    seconds "${programs[$p]}" >>"$work/busy-$p"
    calm
    wait 2>/dev/null || true
  done
done
echo "program                                  quiet s (least, largest)       busy s (least, largest)        share"
for p in "${!programs[@]}"; do
  read -r quiet least most < <(summary "$work/quiet-$p")
  read -r busy soonest latest < <(summary "$work/busy-$p")
  printf "%-40s %s (%s, %s)  %s (%s, %s)  %s\n" "${programs[$p]}" "$quiet" "$least" "$most" "$busy" "$soonest" "$latest" \
    "$(awk "BEGIN { printf \"%.2f\", 2 * $quiet / $busy }")"
done
if [ ${#programs[@]} -eq 2 ]; then
  paste "$work/quiet-0" "$work/quiet-1" | awk '{ print $2 / $1 }' >"$work/ratios"
  read -r middle least most < <(summary "$work/ratios")
  echo "quiet speed against the program before: $middle of it, median of pairs ($least to $most)"
fi
