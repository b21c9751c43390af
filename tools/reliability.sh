#!/usr/bin/env bash
# Puts the rows that the fault tests have written into the table of docs/reliability.md; rows of other suites stay.
set -euo pipefail
cd "$(dirname "$0")/.."
page=docs/reliability.md
head=$(sed '/^|---/q' "$page")
old=$(sed '1,/^|---/d' "$page")
new=$(cat "$1"/*)
{
  echo "$head"
  # A row of the page stays unless a new one has its name.
  { echo "$new"; echo "$old"; } | awk -F' [|] ' 'NF > 1 && !($1 in seen) { seen[$1] = 1; print }' | sort
} >"$page.partial"
mv "$page.partial" "$page"
echo "$page: $(grep -c '^| ' "$page") lines of the table"
