#!/usr/bin/env bash
# make bench: fathom and its peers in one run, on one core, into Benchmarks/RESULTS.md and PARTICLES.md, and the whole program on one and two ranks into PROGRAM.md.
# `run.sh networks`, `particles`, `manifolds` or `program` makes one of them; a name of the list of sections (formulas, training, diffusions, …) the rows of RESULTS.md on it.
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
  $one $venv/bin/python Benchmarks/peers_divergence.py >>"$work/peers.json"
  # Once more: a machine that others share changes its speed, and ratios need both sides at the same speed.
  $one .build/release/fathom-bench >>"$work/native.json"

  for name in matrix training regression finite_width kernels signatures; do
    echo "bench: ${sections[$name]}"
    "${name}_times"
  done

  echo "bench: cost against n, d and m"
  $one .build/release/fathom-bench cost | $venv/bin/python Benchmarks/cost.py

  $venv/bin/python Benchmarks/results.py "$work" >"$work/RESULTS.md"
  mv "$work/RESULTS.md" Benchmarks/RESULTS.md
  for name in semidefinite diffusions coulomb estimation kernel_machines walks bayes filters gases gas_tagged chemotaxis; do section $name; done
  echo "bench: wrote Benchmarks/RESULTS.md"
}

# neural-tangents 0.6.5 has an environment of its own, with JAX 0.4.23: its structured derivatives fail with later ones. It brings
# TensorFlow, which it imports (2 GB).
neural_tangents() { # WHAT
  local own=.venv-neural-tangents
  [ -x $own/bin/python ] || python3 -m venv $own || return
  $own/bin/python -m pip install --quiet --disable-pip-version-check -r Benchmarks/requirements-neural-tangents.txt || return
  (cd Benchmarks && $one ../$own/bin/python peers_finite_width.py "$1")
}

finite_width_times() {
  $one .build/release/fathom-bench finite-width >>"$work/native.json"
  (cd Benchmarks && $one ../$venv/bin/python peers_finite_width.py jax) >>"$work/peers.json"
  $one .build/release/fathom-bench finite-width >>"$work/native.json"
  neural_tangents neural-tangents >>"$work/peers.json" || echo "bench: without neural-tangents, which could not be installed"
  $one .build/release/fathom-bench finite-width >>"$work/native.json"
}

training_times() {
  local job="$work/ensemble.toml" name ranks
  cat >"$job" <<'JOB'
seed = 1
[training]
problem = "mlp"
width = 64
depth = 2
activation = "relu"
parametrisation = "ntk"
steps = 100
records = "last"
learning_rate = 0.1
draws = 2000
data = { teacher = "linear", features = 16, samples = 64 }
JOB
  for i in 1 2; do
    $one .build/release/fathom-bench training >"$work/pass.json"
    # Kernels of OpenBLAS that older versions need make this one slow.
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $one $venv/bin/python Benchmarks/peers_training.py <"$work/pass.json" >>"$work/peers.json"
    cat "$work/pass.json" >>"$work/native.json"
    for ranks in 1 2; do
      name="ensemble on $ranks"
      /usr/bin/time -f "{\"name\": \"$name\", \"user\": %U, \"system\": %S, \"ranks\": $ranks}" -o "$work/time" \
        mpirun -n $ranks $fathom run "$job" -o "$work/ensemble-$ranks-$i.h5" >/dev/null 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
      tail -n 1 "$work/time" >>"$work/native.json"
    done
  done
}

matrix_times() {
  for i in 1 2 3; do
    $one .build/release/fathom-bench matrix >"$work/pass.json"
    $one $venv/bin/python Benchmarks/peers_matrix.py <"$work/pass.json" >>"$work/peers.json"
    cat "$work/pass.json" >>"$work/native.json"
  done
  rm "$work/pass.json"
}

regression_times() {
  for i in 1 2; do
    $one .build/release/fathom-bench regression >>"$work/native.json"
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $one $venv/bin/python Benchmarks/peers_regression.py >>"$work/peers.json"
  done
}

kernels_times() {
  $one .build/release/fathom-bench kernels >>"$work/native.json"
  neural_tangents kernels >>"$work/peers.json" || echo "bench: without neural-tangents, which could not be installed"
  $one .build/release/fathom-bench kernels >>"$work/native.json"
}

semidefinite_times() {
  local graphs="jobs/data/gset/G14 jobs/data/gset/G1 jobs/data/gset/G11" own=.venv-semidefinite
  [ -x $own/bin/python ] || python3 -m venv $own
  $own/bin/python -m pip install --quiet --disable-pip-version-check -r Benchmarks/requirements-semidefinite.txt
  $one .build/release/fathom-bench semidefinite $graphs >>"$work/native.json"
  OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $one $own/bin/python Benchmarks/peers_semidefinite.py $graphs >>"$work/peers.json"
  $one .build/release/fathom-bench semidefinite $graphs >>"$work/native.json"
}

signatures_times() {
  $one .build/release/fathom-bench signatures >>"$work/native.json"
  local own=.venv-signatures
  { [ -x $own/bin/python ] || python3 -m venv $own; } &&
    $own/bin/python -m pip install --quiet --disable-pip-version-check pysiglib==4.0.0 &&
    $one $own/bin/python Benchmarks/peers_signatures.py pysiglib >>"$work/peers.json" ||
    echo "bench: without pySigLib, which could not be installed"
  # The environment of its other rows.
  [ ! -x .venv-neural-tangents/bin/python ] ||
    $one .venv-neural-tangents/bin/python Benchmarks/peers_signatures.py neural-tangents >>"$work/peers.json"
  $one .build/release/fathom-bench signatures >>"$work/native.json"
}

# Turns of fathom-bench WHAT and of the peers' script, PASSES times; of some peers in an environment of their own, by requirements-NAME.txt.
turns() { # PASSES WHAT SCRIPT [NAME]
  local python=$venv/bin/python
  if [ $# -gt 3 ]; then
    python=.venv-$4/bin/python
    [ -x "$python" ] || python3 -m venv ".venv-$4"
    "$python" -m pip install --quiet --disable-pip-version-check -r "Benchmarks/requirements-$4.txt"
  fi
  for ((i = 0; i < $1; i++)); do
    $one .build/release/fathom-bench "$2" >>"$work/native.json"
    $one "$python" "Benchmarks/$3" >>"$work/peers.json"
  done
}

formulas_times() { for i in 1 2 3; do $one .build/release/fathom-bench formulas >>"$work/native.json"; done; }

divergence_times() { turns 3 divergence peers_divergence.py; }

diffusions_times() { turns 2 diffusion peers_diffusions.py; }

coulomb_times() {
  $venv/bin/python -m pip install --quiet --disable-pip-version-check -r Benchmarks/requirements-coulomb.txt
  turns 2 coulomb peers_coulomb.py
}

estimation_times() {
  $venv/bin/python -m pip install --quiet --disable-pip-version-check -r Benchmarks/requirements-coulomb.txt
  turns 2 estimation peers_estimation.py
}

kernel_machines_times() { turns 3 kernel-machines peers_kernel_machines.py; }

chemotaxis_times() { turns 2 chemotaxis peers_chemotaxis.py; }

walks_times() { turns 2 walks peers_walks.py walks; }

bayes_times() {
  $venv/bin/python -m pip install --quiet --disable-pip-version-check -r Benchmarks/requirements-bayes.txt
  turns 2 bayes peers_bayes.py
}

filters_times() { turns 2 filters peers_filters.py filters; }

gases_times() { turns 2 gases peers_gases.py walks; }

gas_tagged_times() { turns 2 tagged-particle peers_gas_tagged.py; }

# What the rows are on: a section of RESULTS.md each, by NAME_times and results_NAME.py.
declare -A sections=(
  [formulas]="activations by formula" [matrix]="products of matrices" [training]="training"
  [regression]="dense factors and regression" [finite_width]="networks of finite width"
  [kernels]="closed kernels and a posterior" [signatures]="signature kernels and Gram matrices"
  [divergence]="divergences" [diffusions]="diffusions" [coulomb]="Coulomb gases"
  [semidefinite]="Max-Cut with a bound" [estimation]="densities and designs"
  [filters]="particle filters"
  [gases]="gases"
  [bayes]="Bayesian networks"
  [walks]="self-repellent walks"
  [gas_tagged]="tagged particles"
  [chemotaxis]="chemotaxis"
  [kernel_machines]="deep kernel machines"
)
section() { # NAME
  rm -f "$work"/*.json
  touch "$work/peers.json"
  echo "bench: ${sections[$1]}"
  "$1_times"
  $venv/bin/python "Benchmarks/results_$1.py" "$work"
  echo "bench: wrote the rows of ${sections[$1]} of Benchmarks/RESULTS.md"
}

particles() {
  rm -f "$work"/*.json
  echo "bench: particle systems"
  $one .build/release/fathom-bench particles >"$work/native.json"
  (cd Benchmarks && $one ../$venv/bin/python peers_particles.py ../$fathom "$work") >"$work/peers.json"
  $one .build/release/fathom-bench particles >>"$work/native.json"
  $venv/bin/python Benchmarks/results_particles.py "$work" >"$work/PARTICLES.md"
  mv "$work/PARTICLES.md" Benchmarks/PARTICLES.md
  echo "bench: wrote Benchmarks/PARTICLES.md"
}

manifolds() {
  rm -f "$work"/*.json
  echo "bench: systems on manifolds"
  for i in 1 2; do
    $one .build/release/fathom-bench manifolds >>"$work/native.json"
    (cd Benchmarks && $one ../$venv/bin/python peers_manifolds.py) >>"$work/peers.json"
  done
  (cd Benchmarks && ../$venv/bin/python results_manifolds.py "$work") >"$work/MANIFOLDS.md"
  mv "$work/MANIFOLDS.md" Benchmarks/MANIFOLDS.md
  echo "bench: wrote Benchmarks/MANIFOLDS.md"
}

program() {
  rm -f "$work"/*.json
  local network="jobs/neural-covariance.toml --set network.layers=last --set network.width=256 --set network.depth=256 \
    --set network.draws=60000 --set limit=[]"
  local particles="seed = 1
[particles]
system = \"double-well\"
number = 100000
step = 0.01
steps = 20000
measure_every = 100
replicas = 1
[run]
shards = RANKS"
  echo "bench: ranks"
  for i in 1 2 3 4 5 6 7; do
    for ranks in 1 2; do
      seconds "networks $ranks" mpirun -n $ranks $fathom run $network -o "$work/networks-$ranks-$i.h5"
    done
    for ranks in 1 2; do
      echo "${particles/RANKS/$ranks}" >"$work/job.toml"
      seconds "particles $ranks" mpirun -n $ranks $fathom run "$work/job.toml" -o "$work/particles-$ranks-$i.h5"
    done
  done
  echo "bench: checkpoints, memory"
  local small="jobs/neural-covariance.toml --set network.layers=last --set network.width=8 --set network.depth=1 --set limit=[]"
  seconds "draws 1e5" $fathom run $small --set network.draws=100000 -o "$work/small.h5"
  seconds "draws 1e7" $fathom run $small --set network.draws=10000000 -o "$work/large.h5"
  # A minute at the default interval of 60 s: the share of the checkpoints as the program itself reports it.
  $fathom run jobs/neural-covariance.toml --set network.draws=250000 -o "$work/checkpoint.h5" 2>"$work/checkpoint.log" >/dev/null
  grep -E "checkpoint.* together" "$work/checkpoint.log" >"$work/checkpoint.txt"

  $venv/bin/python Benchmarks/results_program.py "$work" >"$work/PROGRAM.md"
  mv "$work/PROGRAM.md" Benchmarks/PROGRAM.md
  echo "bench: wrote Benchmarks/PROGRAM.md"
}

what=${1:-all}
case $what in
networks | particles | manifolds | program) $what ;;
all)
  networks
  particles
  manifolds
  program
  ;;
*)
  name=${what//-/_}
  [ -n "${sections[$name]:-}" ] || { echo "bench: no rows on $what; there are ${!sections[*]}, networks, particles, manifolds, program" >&2; exit 64; }
  section "$name"
  ;;
esac
