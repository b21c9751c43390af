#!/usr/bin/env bash
# make wheel: the Python package as a source distribution, and as a wheel that is made from it, in .build-wheel.
set -euo pipefail
cd "$(dirname "$0")/.."
out=.build-wheel
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y VERSION)}
export SOURCE_DATE_EPOCH
rm -rf "$out/clone" "$out"/*.whl "$out"/*.tar.gz
mkdir -p "$out/clone/analysis"
cp VERSION "$out/clone/"
cp -r analysis/fathom analysis/pyproject.toml analysis/setup.py analysis/README.md LICENSE "$out/clone/analysis/"
find "$out/clone" -name __pycache__ -prune -exec rm -rf {} +
[ -x "$out/venv/bin/python" ] || python3 -m venv "$out/venv"
"$out/venv/bin/python" -m pip install --quiet --disable-pip-version-check build
"$out/venv/bin/python" -m build --outdir "$out" "$out/clone/analysis" >"$out/log" 2>&1 || {
  tail -n 20 "$out/log" >&2
  exit 1
}
ls "$out"/*.whl "$out"/*.tar.gz
