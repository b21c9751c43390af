#!/usr/bin/env bash
# The tests in nine lanes side by side, each with its tests one after another, so that a test's time is its own: the jobs; the catalog; filters, gases, chemotaxis and walks; what
# else runs in process; runs of the program; faults; reports in a browser; Python; Slurm and lost hosts. Much of the last five is waiting.
# Ends with what failed.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=.build/times
mkdir -p "$logs"
declare -A lanes=()
lane() { # NAME COMMAND...
  local name=$1
  shift
  "$@" >"$logs/lane-$name.log" 2>&1 &
  lanes[$name]=$!
}
tests=(.build/release/fathomPackageTests.xctest --testing-library swift-testing --no-parallel)
# Lanes that only compute give way to those that wait for other programs, which would end last and leave cores idle.
lane jobs nice -n 10 "${tests[@]}" --filter '^CatalogTests\.JobFileTests'
lane catalog nice -n 10 "${tests[@]}" --filter '^CatalogTests\.' --skip 'JobFileTests'
lane kinetic nice -n 10 "${tests[@]}" --filter '^(FilterTests|GasesTests|ChemotaxisTests|WalksTests)\.'
lane in-process nice -n 10 "${tests[@]}" --skip '^(CatalogTests|CommandTests|FilterTests|GasesTests|ChemotaxisTests|WalksTests)\.'
lane commands "${tests[@]}" --filter '^CommandTests\.Commands'
lane faults "${tests[@]}" --filter '^CommandTests\.Faults'
lane browser .venv/bin/python -m pytest -q --durations=10 analysis/tests/test_report.py
lane cluster bash -c 'bash tools/test-slurm.sh && bash tools/test-hosts.sh reduced && echo "2 suites passed"'
lane python .venv/bin/python -m pytest -q --durations=10 analysis --ignore=analysis/tests/test_report.py
trap 'kill "${lanes[@]}" 2>/dev/null' INT TERM
failed=0
for name in "${!lanes[@]}"; do
  status=0
  wait "${lanes[$name]}" || status=$?
  # A lane whose pattern meets no test has not passed.
  if [ "$status" -eq 0 ] && grep -qE '(Test run with [1-9][0-9]* test.*|[1-9][0-9]*( suites)?) passed' "$logs/lane-$name.log"; then continue; fi
  failed=1
  printf '%s failed with status %s:\n' "$name" "$status"
  grep -E -A 3 '^✘|^E  |^FAILED|Fatal error|error:' "$logs/lane-$name.log" | cut -c 1-2000 || tail -n 20 "$logs/lane-$name.log"
done
grep -hE 'Test run with|[0-9]+ (suites )?passed' "$logs"/lane-*.log
exit "$failed"
