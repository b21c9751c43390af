#!/usr/bin/env bash
# make sanitize: builds what runs in process with AddressSanitizer, into .build-asan, and runs the catalog under it at tiny sizes
# (Tests/Sanitize/main.swift), in as many shares as there are cores. MPI is not part of it; leaks are not looked for, because the Swift runtime
# never frees its metadata.
set -uo pipefail
cd "$(dirname "$0")/.."
build=.build-asan
program=$build/release/fathom-sanitize
swift build -c release --sanitize=address --product fathom-sanitize --scratch-path "$build" || exit 1
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1:quarantine_size_mb=64
shares=$(nproc)
start=$(date +%s)
declare -A running=()
for share in $(seq "$shares"); do
  "$program" "$share" "$shares" "$build" >"$build/sanitize-$share.log" 2>&1 &
  running[$share]=$!
done
trap 'kill "${running[@]}" 2>/dev/null' INT TERM
failed=0
for share in "${!running[@]}"; do
  status=0
  wait "${running[$share]}" || status=$?
  if [ "$status" -ne 0 ]; then
    failed=1
    head -c 6000 "$build/sanitize-$share.log"
    printf '\nshare %s failed with status %s; the job under way was:\n' "$share" "$status"
    cat "$build/job-$share.toml"
  else
    tail -n 1 "$build/sanitize-$share.log"
  fi
done
echo "sanitize: $(($(date +%s) - start)) s"
exit "$failed"
