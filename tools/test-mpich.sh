#!/usr/bin/env bash
# make test-mpich: the program built with MPICH. The suite of MessagePassing under MPICH's launcher, every golden job on 1, 2 and 3 ranks with the
# digests that are recorded for Open MPI, a job stopped by a signal and resumed, and a launcher of the other MPI refused on either
# side. MPICH is taken from Debian's packages into a folder of the build, so that mpirun and mpicc of this machine stay what they are.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() {
  printf 'test-mpich: %s\n' "$@" >&2
  exit 1
}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
tree=$PWD/.build-mpich-root
libraries=$tree/usr/lib/x86_64-linux-gnu
if [ ! -e "$tree/ready" ]; then
  command -v apt-get >/dev/null || fail "this system has no apt-get; install MPICH and build with FATHOM_MPI=mpich (docs/cluster.md)"
  rm -rf "$tree" && mkdir -p "$tree/debs" "$tree/pkgconfig" "$tree/bin"
  # What they need and this machine lacks, besides compilers and headers.
  wanted() { apt-get install -s --no-install-recommends mpich libmpich12 2>/dev/null | awk '/^Inst /{print $2}' | grep -v '^hwloc'; }
  [ -n "$(wanted)" ] || apt-get update -qq || fail "apt-get update failed (is there a network?)"
  names=$(wanted || true)
  [[ " ${names//$'\n'/ } " == *" libmpich12 "* ]] || names="$names mpich libmpich12"
  # shellcheck disable=SC2086
  (cd "$tree/debs" && apt-get download $names libmpich-dev >/dev/null 2>log) || fail "$(cat "$tree/debs/log")"
  for deb in "$tree"/debs/*.deb; do dpkg -x "$deb" "$tree"; done
  cat >"$tree/pkgconfig/mpich.pc" <<PC
Name: mpich
Description: MPICH in a folder of its own
Version: $(sed -n 's/^Version: //p' "$libraries/pkgconfig/mpich.pc")
Libs: -L$libraries -lmpich
Cflags: -I$tree/usr/include/x86_64-linux-gnu/mpich
PC
  ln -s "$tree/usr/bin/mpiexec.hydra" "$tree/bin/mpiexec"
  rm -rf "$tree/debs"
  touch "$tree/ready"
fi
before=$(readlink -f "$(command -v mpirun)")
# FATHOM_MPICH_BUILT=1: the program has been built. The folder is one of its own because compiled headers of MPI stay in it.
if [ -z "${FATHOM_MPICH_BUILT:-}" ]; then
  for product in fathom mpi-probe; do
    FATHOM_MPI=mpich PKG_CONFIG_PATH=$tree/pkgconfig swift build -c release --product "$product" --scratch-path .build-mpich
  done
fi
fathom=$PWD/.build-mpich/release/fathom
theirs=$PWD/.build/release/fathom
export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
ldd "$fathom" | grep -q "$libraries/libmpich" || fail "the program is not linked with MPICH: $(ldd "$fathom" | grep -i mpi)"
mpiexec=$tree/usr/bin/mpiexec.hydra

echo "test-mpich: $("$mpiexec" --version | sed -n 's/^ *Version: */MPICH /p')"
FATHOM_PRODUCTS=$PWD/.build-mpich/release FATHOM_LAUNCHER="$mpiexec" .build/release/fathomPackageTests.xctest \
  --testing-library swift-testing --no-parallel --filter '^BindingTests\.(MessagePassing|Toy)' >"$tree/suite" 2>&1 ||
  fail "the suite of MessagePassing failed: $(grep -A 3 '✘' "$tree/suite")"
echo "test-mpich: $(grep -o 'Test run with .*' "$tree/suite")"

for ranks in 1 2 3; do
  python3 tools/goldens.py check "$fathom" --ranks "$ranks" --launcher "$mpiexec" >"$tree/goldens" || fail "$ranks ranks: $(cat "$tree/goldens")"
  echo "test-mpich: $ranks ranks: $(tail -n 1 "$tree/goldens")"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/job.toml" <<'TOML'
seed = 3
[particles]
system = "gaussian-attraction"
number = 2000
step = 0.05
warm_up = 100
steps = 3000
replicas = 2
TOML
cd "$work"
export TMPDIR=$work
mpirun --oversubscribe -n 2 "$theirs" run job.toml -o open.h5 >/dev/null 2>log || fail "$(cat log)"
whole=$("$fathom" digest open.h5)
"$mpiexec" -n 2 "$fathom" run job.toml -o stopped.h5 --set run.shards=2 --set run.checkpoint_every=1s >/dev/null 2>log &
job=$!
for _ in $(seq 80); do [ -e stopped.h5 ] && break; sleep 0.25; done
[ -e stopped.h5 ] || fail "no checkpoint: $(cat log)"
kill -USR1 "$job"
status=0
wait "$job" || status=$?
grep -q "rerun the command to resume" log || fail "the signal did not stop the ranks (status $status): $(cat log)"
"$mpiexec" -n 3 "$fathom" run job.toml -o stopped.h5 >/dev/null 2>log || fail "$(cat log)"
grep -q "resuming from" log || fail "nothing was resumed: $(cat log)"
[ "$("$fathom" digest stopped.h5)" = "$whole" ] || fail "stopped under MPICH on 2 ranks, resumed on 3: another digest than Open MPI's"
echo "test-mpich: one system over 2 ranks, stopped by USR1 (status $status), resumed on 3: the digest of Open MPI"
refused() { # NAME COMMAND...: several worlds of one rank
  local name=$1 status=0
  shift
  "$@" run job.toml -o foreign.h5 >/dev/null 2>log || status=$?
  [ "$status" -ne 0 ] && [ ! -e foreign.h5 ] && grep -q "launcher of another MPI.*built with $name:" log || fail "$name: status $status, $(cat log)"
}
refused MPICH mpirun --oversubscribe -n 2 "$fathom"
refused "Open MPI" "$mpiexec" -n 2 "$theirs"
echo "test-mpich: each refuses the launcher of the other"
[ "$(readlink -f "$(command -v mpirun)")" = "$before" ] || fail "mpirun of this machine is another now"
