#!/usr/bin/env bash
# Installs what is missing to build, test and draw: system packages by apt, Python packages into .venv of this
# clone. Says what to do where it may not install.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

command -v swift >/dev/null || fail \
  "Swift is not installed. Install Swift 6.3 or later from https://www.swift.org/install/linux and put it on the PATH."
version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1\2/p' | head -n 1)
[ "${version:-0}" -ge 62 ] || fail "Swift 6.2 or later is needed; found: $(swift --version 2>/dev/null | head -n 1)"

packages=()
need() { # PACKAGE TEST...: the package is wanted unless the test passes
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || packages+=("$package")
}
need pkg-config command -v pkg-config
need openmpi-bin command -v mpirun
need libopenmpi-dev test -e /usr/include/x86_64-linux-gnu/mpi -o -e /usr/lib/x86_64-linux-gnu/openmpi/include/mpi.h
need libhdf5-dev pkg-config --exists hdf5-serial
need libssl-dev pkg-config --exists libcrypto
need procps command -v pgrep
need util-linux command -v unshare
need strace command -v strace
need libfaketime sh -c "ls /usr/lib/*/faketime/libfaketimeMT.so.1"
need chromium test -x /usr/bin/chromium
need chromium-driver test -x /usr/bin/chromedriver
need time test -x /usr/bin/time
need python3-venv python3 -c 'import ensurepip, venv'

# make scaling alone needs SimGrid.
[ "${1:-}" = scaling ] && need libsimgrid-dev command -v smpirun

if [ ${#packages[@]} -gt 0 ]; then
  manual="install these packages and run the same command again: ${packages[*]}"
  command -v apt-get >/dev/null || fail "this system has no apt-get; $manual (or their like)"
  sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || fail "no right to install packages here; as root, $manual"
    sudo=(sudo)
  fi
  echo "setup: installing ${packages[*]}"
  "${sudo[@]}" apt-get update -qq || fail "apt-get update failed (is there a network?); $manual"
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
    fail "apt-get install failed; $manual"
fi

[ -x .venv/bin/python ] || python3 -m venv .venv || fail "python3 -m venv failed; install python3-venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check -e 'analysis[test]' ||
  fail "the Python packages of analysis/pyproject.toml could not be installed (is PyPI reachable?)"
touch .venv/.ready
