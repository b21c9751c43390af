#!/usr/bin/env bash
# make bench: fathom and its peers in one run, on one core, into Benchmarks/RESULTS.md and PARTICLES.md, and the whole program on one and two ranks into PROGRAM.md.
# `run.sh networks`, `particles` or `program` makes one of them; a name of the list at the end (formulas, training, diffusions, …) the rows of RESULTS.md on it.
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

  echo "bench: products of matrices"
  matrix_times

  echo "bench: training"
  training_times

  echo "bench: dense factors and regression"
  regression_times

  echo "bench: networks of finite width"
  finite_width_times
  echo "bench: closed kernels and a posterior"
  kernel_times
  echo "bench: signature kernels and Gram matrices"
  signature_times

  echo "bench: cost against n, d and m"
  $one .build/release/fathom-bench cost | $venv/bin/python Benchmarks/cost.py

  $venv/bin/python Benchmarks/results.py "$work" >"$work/RESULTS.md"
  mv "$work/RESULTS.md" Benchmarks/RESULTS.md
  echo "bench: wrote Benchmarks/RESULTS.md"
}

formulas() {
  echo "bench: activations by formula"
  for i in 1 2 3; do $one .build/release/fathom-bench formulas >>"$work/native.json"; done
  $venv/bin/python Benchmarks/results_formulas.py "$work/native.json"
  echo "bench: wrote the rows of formulas of Benchmarks/RESULTS.md"
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

finite_width() {
  rm -f "$work"/*.json
  echo "bench: networks of finite width"
  finite_width_times
  $venv/bin/python Benchmarks/results_finite_width.py "$work"
  echo "bench: wrote the rows of networks of finite width of Benchmarks/RESULTS.md"
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

training() {
  rm -f "$work"/*.json
  echo "bench: training"
  training_times
  $venv/bin/python Benchmarks/results_training.py "$work"
  echo "bench: wrote the rows of training of Benchmarks/RESULTS.md"
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

regression() {
  rm -f "$work"/*.json
  echo "bench: dense factors and regression"
  regression_times
  $venv/bin/python Benchmarks/results_regression.py "$work"
  echo "bench: wrote the rows of regression of Benchmarks/RESULTS.md"
}

matrix() {
  rm -f "$work"/*.json
  echo "bench: products of matrices"
  matrix_times
  $venv/bin/python Benchmarks/results_matrix.py "$work"
  echo "bench: wrote the rows of products of matrices of Benchmarks/RESULTS.md"
}

kernel_times() {
  $one .build/release/fathom-bench kernels >>"$work/native.json"
  neural_tangents kernels >>"$work/peers.json" || echo "bench: without neural-tangents, which could not be installed"
  $one .build/release/fathom-bench kernels >>"$work/native.json"
}

kernels() {
  rm -f "$work"/*.json
  touch "$work/peers.json"
  echo "bench: closed kernels and a posterior"
  kernel_times
  $venv/bin/python Benchmarks/results_kernels.py "$work"
  echo "bench: wrote the rows of closed kernels and a posterior of Benchmarks/RESULTS.md"
}

semidefinite_times() {
  local graphs="jobs/data/gset/G14 jobs/data/gset/G1 jobs/data/gset/G11" own=.venv-semidefinite
  [ -x $own/bin/python ] || python3 -m venv $own
  $own/bin/python -m pip install --quiet --disable-pip-version-check -r Benchmarks/requirements-semidefinite.txt
  $one .build/release/fathom-bench semidefinite $graphs >>"$work/native.json"
  OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $one $own/bin/python Benchmarks/peers_semidefinite.py $graphs >>"$work/peers.json"
  $one .build/release/fathom-bench semidefinite $graphs >>"$work/native.json"
}

coulomb() {
  rm -f "$work"/*.json
  echo "bench: Coulomb gases"
  $venv/bin/python -m pip install --quiet --disable-pip-version-check -r Benchmarks/requirements-coulomb.txt
  for i in 1 2; do
    $one .build/release/fathom-bench coulomb >>"$work/native.json"
    $one $venv/bin/python Benchmarks/peers_coulomb.py >>"$work/peers.json"
  done
  $venv/bin/python Benchmarks/results_coulomb.py "$work"
  echo "bench: wrote the rows of Coulomb gases of Benchmarks/RESULTS.md"
}

filters() {
  local own=.venv-filters
  rm -f "$work"/*.json
  echo "bench: particle filters"
  [ -x $own/bin/python ] || python3 -m venv $own
  $own/bin/python -m pip install --quiet --disable-pip-version-check -r Benchmarks/requirements-filters.txt
  for i in 1 2; do
    $one .build/release/fathom-bench filters >>"$work/native.json"
    $one $own/bin/python Benchmarks/peers_filters.py >>"$work/peers.json"
  done
  $venv/bin/python Benchmarks/results_filters.py "$work"
  echo "bench: wrote the rows of particle filters of Benchmarks/RESULTS.md"
}

diffusions() {
  rm -f "$work"/*.json
  echo "bench: diffusions"
  for i in 1 2; do
    $one .build/release/fathom-bench diffusion >>"$work/native.json"
    $one $venv/bin/python Benchmarks/peers_diffusions.py >>"$work/peers.json"
  done
  $venv/bin/python Benchmarks/results_diffusions.py "$work"
  echo "bench: wrote the rows of diffusions of Benchmarks/RESULTS.md"
}

semidefinite() {
  rm -f "$work"/*.json
  echo "bench: Max-Cut with a bound"
  semidefinite_times
  $venv/bin/python Benchmarks/results_semidefinite.py "$work"
  echo "bench: wrote the rows of Max-Cut of Benchmarks/RESULTS.md"
}

divergence() {
  rm -f "$work"/*.json
  echo "bench: divergences"
  for i in 1 2 3; do
    $one .build/release/fathom-bench divergence >>"$work/native.json"
    $one $venv/bin/python Benchmarks/peers_divergence.py >>"$work/peers.json"
  done
  $venv/bin/python Benchmarks/results_divergence.py "$work"
  echo "bench: wrote the rows of divergences of Benchmarks/RESULTS.md"
}

signature_times() {
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

signatures() {
  rm -f "$work"/*.json
  touch "$work/peers.json"
  echo "bench: signature kernels and Gram matrices"
  signature_times
  $venv/bin/python Benchmarks/results_signatures.py "$work"
  echo "bench: wrote the rows of signature kernels and Gram matrices of Benchmarks/RESULTS.md"
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

case "${1:-all}" in
networks) networks ;;
formulas) formulas ;;
finite-width) finite_width ;;
matrix) matrix ;;
regression) regression ;;
training) training ;;
divergence) divergence ;;
kernels) kernels ;;
semidefinite) semidefinite ;;
coulomb) coulomb ;;
diffusions) diffusions ;;
filters) filters ;;
signatures) signatures ;;
particles) particles ;;
manifolds) manifolds ;;
program) program ;;
*)
  networks
  particles
  manifolds
  program
  ;;
esac
