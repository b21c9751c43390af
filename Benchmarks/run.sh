#!/usr/bin/env bash
# make bench: fathom and its peers in one run, on one core (the two-rank lines apart), into Benchmarks/RESULTS.md and
# Benchmarks/PARTICLES.md. `run.sh networks` or `run.sh particles` makes one of them.
set -euo pipefail
cd "$(dirname "$0")/.."
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
venv=.venv-bench
[ -x $venv/bin/python ] || python3 -m venv $venv
$venv/bin/python -m pip install --quiet --disable-pip-version-check -r Benchmarks/requirements.txt
swift build -c release --product fathom
swift build -c release --product fathom-bench

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
one="taskset -c 0"

fathom=.build/release/fathom
seconds() { # NAME COMMAND...: wall seconds and the largest memory of one process
  local name=$1
  shift
  /usr/bin/time -f "{\"name\": \"$name\", \"seconds\": %e, \"kib\": %M}" -o "$work/time" "$@" >/dev/null 2>"$work/log" ||
    { cat "$work/log" >&2; exit 1; }
  tail -n 1 "$work/time" >>"$work/runs.json"
}

networks() {
  echo "bench: fathom, inner loops"
  $one .build/release/fathom-bench >"$work/native.json"
  echo "bench: peers"
  $one $venv/bin/python Benchmarks/peers.py >"$work/peers.json"
  # Once more: a machine that others share changes its speed, and ratios need both sides at the same speed.
  $one .build/release/fathom-bench >>"$work/native.json"

  echo "bench: ranks, checkpoints, memory"
  local job="jobs/neural-covariance.toml --set network.layers=last --set network.width=256 --set network.depth=256"
  for i in 1 2 3 4; do
    seconds "ranks 1" mpirun -n 1 $fathom run $job --set network.draws=100000 --set limit=[] -o "$work/one-$i.h5"
    seconds "ranks 2" mpirun -n 2 $fathom run $job --set network.draws=100000 --set limit=[] -o "$work/two-$i.h5"
  done
  local small="jobs/neural-covariance.toml --set network.layers=last --set network.width=8 --set network.depth=1 --set limit=[]"
  seconds "draws 1e5" $fathom run $small --set network.draws=100000 -o "$work/small.h5"
  seconds "draws 1e7" $fathom run $small --set network.draws=10000000 -o "$work/large.h5"
  # A minute at the default interval of 60 s: the share of the checkpoints as the program itself reports it.
  $fathom run jobs/neural-covariance.toml --set network.draws=250000 -o "$work/checkpoint.h5" 2>"$work/checkpoint.log" >/dev/null
  grep -E "checkpoint.* together" "$work/checkpoint.log" >"$work/checkpoint.txt"

  echo "bench: cost against n, d and m"
  $one .build/release/fathom-bench cost | $venv/bin/python Benchmarks/cost.py

  $venv/bin/python Benchmarks/results.py "$work" >"$work/RESULTS.md"
  mv "$work/RESULTS.md" Benchmarks/RESULTS.md
  echo "bench: wrote Benchmarks/RESULTS.md"
}

particles() {
  rm -f "$work"/*.json
  local job="seed = 1
[particles]
system = \"double-well\"
number = 100000
step = 0.01
steps = 20000
measure_every = 100
replicas = 1
[run]
shards = RANKS"
  echo "bench: particle systems"
  $one .build/release/fathom-bench particles >"$work/native.json"
  (cd Benchmarks && $one ../$venv/bin/python peers_particles.py ../$fathom "$work") >"$work/peers.json"
  $one .build/release/fathom-bench particles >>"$work/native.json"
  for i in 1 2 3 4 5; do
    for ranks in 1 2; do
      echo "${job/RANKS/$ranks}" >"$work/job.toml"
      seconds "ranks $ranks" mpirun -n $ranks $fathom run "$work/job.toml" -o "$work/particles-$ranks-$i.h5"
    done
  done
  $venv/bin/python Benchmarks/results_particles.py "$work" >"$work/PARTICLES.md"
  mv "$work/PARTICLES.md" Benchmarks/PARTICLES.md
  echo "bench: wrote Benchmarks/PARTICLES.md"
}

case "${1:-all}" in
networks) networks ;;
particles) particles ;;
*)
  networks
  particles
  ;;
esac
