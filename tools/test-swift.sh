#!/usr/bin/env bash
# The Swift tests in four processes side by side, each with its tests one after another, so that a test's time is its own: the
# catalog; what else runs in process; runs of the program; faults. Most of the last two is waiting for mpirun and for disks.
# Ends with what failed.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=.build/times
mkdir -p "$logs"
declare -A lanes=()
lane() { # NAME OPTIONS...
  local name=$1
  shift
  .build/release/fathomPackageTests.xctest --testing-library swift-testing --no-parallel "$@" >"$logs/swift-$name.log" 2>&1 &
  lanes[$name]=$!
}
lane catalog --filter '^CatalogTests\.'
lane in-process --skip '^(CatalogTests|CommandTests)\.'
lane commands --filter '^CommandTests\.Commands'
lane faults --filter '^CommandTests\.Faults'
trap 'kill "${lanes[@]}" 2>/dev/null' INT TERM
failed=0
for name in "${!lanes[@]}"; do
  status=0
  wait "${lanes[$name]}" || status=$?
  # A lane whose pattern meets no test has not passed.
  if [ "$status" -eq 0 ] && grep -q 'Test run with [1-9][0-9]* test.* passed' "$logs/swift-$name.log"; then continue; fi
  failed=1
  printf '%s failed with status %s:\n' "$name" "$status"
  grep -E -A 3 '^✘|Fatal error|error:' "$logs/swift-$name.log" | cut -c 1-2000 || tail -n 20 "$logs/swift-$name.log"
done
grep -h 'Test run with' "$logs"/swift-*.log
exit "$failed"
