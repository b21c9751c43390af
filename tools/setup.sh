#!/usr/bin/env bash
# setup.sh GROUP: installs what is missing for one purpose, system packages by apt, Python packages into .venv of this clone. Says
# what to do where it may not install. Groups:
#   build     the program: MPI, HDF5, libcrypto
#   report    the Python package and fathom-report
#   lint      report, and the checks of Python
#   test      build, lint, and what the tests take: strace, libfaketime, a browser, …
#   bench     build, report, and GNU time
#   scaling   build, report, and SimGrid
#   docs      build, report, and what makes the site
set -euo pipefail
cd "$(dirname "$0")/.."
group=${1:-test}

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

case $group in
  build) wanted=" build " ;;
  report) wanted=" report " ;;
  lint) wanted=" report lint " ;;
  test) wanted=" build report lint test " ;;
  bench | scaling | docs) wanted=" build report $group " ;;
  *) fail "no group $group; there are build, report, lint, test, bench, scaling, docs" ;;
esac
for_group() { [[ $wanted == *" $1 "* ]]; }

# One at a time, where two targets are made side by side.
mkdir -p .build
exec 9>.build/setup.lock
flock 9

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
if for_group build; then
  need pkg-config command -v pkg-config
  need python3 command -v python3
  need openmpi-bin command -v mpirun
  need libopenmpi-dev test -e /usr/include/x86_64-linux-gnu/mpi -o -e /usr/lib/x86_64-linux-gnu/openmpi/include/mpi.h
  need libhdf5-dev pkg-config --exists hdf5-serial
  need libssl-dev pkg-config --exists libcrypto
fi
if for_group report; then
  need python3-venv python3 -c 'import ensurepip, venv'
fi
if for_group test; then
  need procps command -v pgrep
  need util-linux command -v unshare
  need strace command -v strace
  need libfaketime sh -c "ls /usr/lib/*/faketime/libfaketimeMT.so.1"
  need chromium test -x /usr/bin/chromium
  need chromium-driver test -x /usr/bin/chromedriver
fi
if for_group bench; then need time test -x /usr/bin/time; fi
if for_group docs; then need fonts-stix test -e /usr/share/fonts/opentype/stix-word/STIXMath-Regular.otf; fi
if for_group scaling; then need libsimgrid-dev command -v smpirun; fi

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

if for_group report; then
  extra=""
  for_group lint && extra="[lint]"
  for_group test && extra="[test]"
  [ -x .venv/bin/python ] || python3 -m venv .venv || fail "python3 -m venv failed; install python3-venv"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -e "analysis$extra" ||
    fail "the Python packages of analysis/pyproject.toml could not be installed (is PyPI reachable?)"
fi
if for_group docs; then
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r analysis/requirements-docs.txt ||
    fail "the Python packages of analysis/requirements-docs.txt could not be installed (is PyPI reachable?)"
fi

# What make looks at, so that it asks once. Those of Python go with .venv.
stamps=.venv
for_group report || stamps=.build
mkdir -p "$stamps"
touch "$stamps/.ready-$group"
