#!/usr/bin/env bash
# timed.sh NAME COMMAND...: runs a command, passes its output and its exit code on, and remembers how long it took and which tests were slow.
# timed.sh --report: prints the times, and the ten slowest tests.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=.build/times
if [ "$1" = --report ]; then
  echo "seconds, part:"
  cat "$folder/parts" 2>/dev/null
  echo "the ten slowest tests, in seconds:"
  sed -nE -e '/^. Test run/d' -e 's/^. Test (.*) passed after ([0-9.]+) seconds.*/\2 \1/p' -e 's/^([0-9.]+)s (call|setup) +(.*)/\1 \3/p' \
    "$folder"/*.log 2>/dev/null | sort -rn | head -10
  rm -rf "$folder"
  exit 0
fi
name=$1
shift
mkdir -p "$folder"
start=$(date +%s)
"$@" 2>&1 | tee "$folder/$name.log"
status=${PIPESTATUS[0]}
echo "$(($(date +%s) - start)) $name" >>"$folder/parts"
exit "$status"
