#!/usr/bin/env bash
# What the formatters do not see: no file over 500 lines, C imports only in their bindings, nothing tracked that is
# built, no absolute paths of a machine.
set -uo pipefail
cd "$(dirname "$0")/.."
bad=0
report() {
  [ -z "$2" ] && return
  printf '%s:\n%s\n' "$1" "$2" >&2
  bad=1
}
report "files over 500 lines" "$(git ls-files '*.swift' '*.py' '*.sh' '*.h' | xargs wc -l | awk '$2 != "total" && $1 > 500')"
report "C imports outside the bindings" \
  "$(git grep -nE '^(internal |private |public |@_exported )*import C(MPI|HDF5|Crypto)' -- Sources | grep -vE '^Sources/(MessagePassing|Archive)/')"
report "built files tracked" "$(git ls-files -- ':!Tests/ResultsTests/Format2' | grep -E '(^|/)(\.build|\.venv|__pycache__|Package\.resolved)(/|$)|\.(h5|o)$')"
report "absolute paths" "$(git grep -nE '/(work|home|root)/[a-z]' -- . ':!tools/check-style.sh')"
report "test folders that no target of Package.swift builds" \
  "$(git ls-files 'Tests/*Tests/*.swift' | cut -d/ -f2 | sort -u | while read -r t; do grep -q "\"$t\"" Package.swift || echo "$t"; done)"
report "folders that Sources/README.md does not describe" \
  "$(git ls-files Sources | grep -oE '^Sources/([A-Za-z]+|Models/[A-Za-z]+)/' | sed -E 's|.*/([A-Za-z]+)/$|\1|' | sort -u |
    while read -r f; do grep -qE "^\| (.*, )?$f[ ,]" Sources/README.md || echo "$f"; done)"
report "shell scripts that do not parse" "$(git ls-files '*.sh' .ci/run packaging/debian/fathom | while read -r f; do bash -n "$f" 2>&1; done)"
version=$(cat VERSION)
report "files that name another version than VERSION, $version" "$(
  grep -qx "version: $version" CITATION.cff || echo CITATION.cff
  grep -m 1 '^## ' CHANGELOG.md | grep -qxE "## (Unreleased|$version( .*)?)" && grep -qE "^## $version( |\$)" CHANGELOG.md || echo CHANGELOG.md
  grep -qF "version(\"$version\"" packaging/package.py || echo packaging/package.py
  grep -qF "| ${version%.*} |" docs/versions.md || echo docs/versions.md
)"
exit $bad
