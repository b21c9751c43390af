#!/usr/bin/env bash
# make test-deb: the Debian package and the Python package in a clean Debian that has neither a clone nor Swift (debootstrap; root; network):
# installed by the steps of packaging/fathom.def, run by a user on 2 ranks, also with a rank of each build and on CPUs that have less,
# signals, exit codes and arguments through the launcher, man pages, a report, and removed without a trace.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() {
  printf 'test-deb: %s\n' "$@" >&2
  exit 1
}
[ "$(id -u)" -eq 0 ] || fail "a root of its own is made as root; run it as root"
if ! command -v debootstrap >/dev/null; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null ||
    fail "could not install debootstrap"
fi
version=$(cat VERSION)
deb=.build-deb/fathom_${version}_amd64.deb
[ -e "$deb" ] || fail "$deb is missing: make deb"
own=$PWD/.build-x86-64-v3-static/release/fathom

work=$(mktemp -d)
root=$work/root
# Mounts are those of each command's own namespace and end with it.
trap 'rm -rf --one-file-system "$work"' EXIT
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" >"$work/log" 2>&1 || fail "$(tail -n 5 "$work/log")"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
# Certificates of a mirror on the way, where this machine has them.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"

inside() { # USER COMMAND: a shell in the clean root, with a clean environment
  unshare -m --propagation private bash -c '
    mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys"
    [ ! -e "$0/cpuinfo" ] || mount --bind "$0/cpuinfo" "$0/proc/cpuinfo"
    exec chroot "$0" /usr/bin/env -i /bin/su - "$1" -c "export LC_ALL=C.UTF-8 PIP_CERT=/etc/ssl/certs/ca-certificates.crt; $2"
  ' "$root" "$1" "$2"
}
user() { inside user "$1"; }
step() { printf 'test-deb: %s\n' "$*"; }
want() { # TEXT WORDS: the words are in the text
  [[ $1 == *"$2"* ]] || fail "no \"$2\" in: $1"
}

# 1. Installed as packaging/fathom.def says.
part() { sed -n "/^%$1/,/^%/p" packaging/fathom.def | grep -v '^%'; }
cp -L "$deb" "$root/opt/fathom.deb"
inside root "set -e
$(part post)" >"$work/log" 2>&1 || fail "$(tail -n 20 "$work/log")"
inside root "set -e
$(part test)" >"$work/log" 2>&1 || fail "$(tail -n 20 "$work/log")"
step "installed and tested by the steps of packaging/fathom.def: $(inside root 'dpkg -l' | grep -c '^ii') packages in all"
inside root "apt-get install -y -qq --no-install-recommends man-db python3-venv && useradd -m -s /bin/bash user" >"$work/log" 2>&1 ||
  fail "$(tail -n 5 "$work/log")"
home=$root$(inside root 'echo ~user')
! inside root 'command -v swift || ls -d /opt/*' >/dev/null 2>&1 || fail "the root is not clean"

# 2. Removed: nothing with its name stays; installed again by dpkg alone for what follows.
listing() { (cd "$root" && find . -xdev -path ./proc -prune -o -path ./dev -prune -o -path ./sys -prune -o -path './var/log/*' -prune -o -path './var/cache/*' -prune -o \
  -path './var/lib/dpkg/*-old' -prune -o -path './home/*' -prune -o -path './tmp/*' -prune -o -print | LC_ALL=C sort); }
remove() { inside root 'dpkg --purge fathom' >"$work/log" 2>&1 || fail "$(cat "$work/log")"; }
remove
! listing | grep -i fathom || fail "this stayed after the package was removed"
listing >"$work/before"
cp -L "$deb" "$root/var/tmp/fathom.deb"
inside root 'dpkg -i /var/tmp/fathom.deb && rm /var/tmp/fathom.deb' >"$work/log" 2>&1 || fail "$(cat "$work/log")"
listing >"$work/with"
step "dpkg puts $(comm -13 "$work/before" "$work/with" | wc -l) files and folders there"

# 3. A packaged job on 2 ranks; the digest of the build outside.
[ "$(user 'fathom --version')" = "$version" ] || fail "fathom --version: $(user 'fathom --version')"
small="--set network.draws=4000 --set network.width=32 --set network.depth=32 --set network.layers=[8,16,32]"
job=/usr/share/fathom/jobs/neural-covariance.toml
said=$(user "mpirun --oversubscribe -n 2 fathom run $job $small 2>&1") || fail "$said"
want "$said" "version $version" && want "$said" "2 ranks on 1 host"
# shellcheck disable=SC2086
(cd "$work" && "$own" run "$root$job" $small -o own.h5 >/dev/null 2>&1)
whole=$("$own" digest "$work/own.h5")
digest() { user "fathom digest '$1'"; }
[ "$(digest neural-covariance.h5)" = "$whole" ] || fail "another digest than outside"
user 'fathom verify neural-covariance.h5' >/dev/null || fail "the file is not whole"
step "$job on 2 ranks: the digest of a build from the sources"
user 'for job in /usr/share/fathom/jobs/*.toml; do fathom plan --patience 0.02 $job >/dev/null || exit 1; done' || fail "a packaged job does not plan"
step "all $(find "$root/usr/share/fathom/jobs" -name '*.toml' | wc -l) packaged jobs plan, with their data"

# 4. Both builds in one run, and CPUs that have less.
if grep -qm1 '^flags.* avx512vl' /proc/cpuinfo; then
  want "$said" ", AVX-512,"
  said=$(user "mpirun --oversubscribe -n 1 env FATHOM_MARCH=x86-64-v3 fathom run $job $small -o mixed.h5 : -n 1 fathom run $job $small -o mixed.h5 2>&1") || fail "$said"
  want "$said" "AVX-512 on 1 of 2 ranks"
  [ "$(digest mixed.h5)" = "$whole" ] || fail "a rank of each build: another digest"
  step "a rank of each build in one run: the same digest"
else
  step "this CPU has no AVX-512: a rank of each build was not tried"
fi
sed -E 's/ avx512[a-z0-9_]*//g' /proc/cpuinfo >"$root/cpuinfo"
said=$(user "fathom run $job $small -o narrow.h5 2>&1") || fail "$said"
want "$said" "no AVX-512"
[ "$(digest narrow.h5)" = "$whole" ] || fail "without AVX-512: another digest"
sed -E 's/ (avx2|avx512[a-z0-9_]*)//g' /proc/cpuinfo >"$root/cpuinfo"
status=0
said=$(user 'fathom --version 2>&1') || status=$?
[ "$status" -eq 69 ] || fail "a CPU without AVX2: status $status, $said"
want "$said" "no AVX2"
rm "$root/cpuinfo"
status=0
said=$(user 'FATHOM_MARCH=x86-64-v9 fathom --version 2>&1') || status=$?
[ "$status" -eq 64 ] || fail "FATHOM_MARCH=x86-64-v9: status $status, $said"
want "$said" "must be x86-64-v3 or x86-64-v4"
step "a CPU without AVX-512 takes the other build: the same digest; one without AVX2 is refused with 69, an unknown FATHOM_MARCH with 64"

# 5. Arguments, exit codes, signals.
odd="it's \"odd\" \$HOME * .h5"
printf '%s' "$odd" >"$home/odd"
user "fathom run $job $small -o \"\$(cat odd)\"" >/dev/null 2>&1 || fail "an odd name"
[ -e "$home/$odd" ] || fail "the file $odd is not there"
status() { user "$1" >/dev/null 2>&1 && echo 0 || echo $?; }
codes="$(status 'fathom show') $(status "fathom run $job --set network.widht=3") $(status "mpirun -n 1 fathom run $job --set network.widht=3") $(status 'fathom --help')"
[ "$codes" = "64 65 65 0" ] || fail "exit codes $codes"
said=$(user "fathom run $job --set network.draws=100000000 --set run.checkpoint_every=1s -o long.h5 2>log & pid=\$!
for i in \$(seq 100); do [ -e long.h5 ] && break; sleep 0.1; done
readlink /proc/\$pid/exe; kill -USR1 \$pid; wait \$pid; echo status \$?")
want "$said" "/usr/lib/fathom/x86-64-v"
want "$said" "status 75"
user 'fathom verify long.h5' >/dev/null || fail "the stopped file is not whole"
took=$(user 'time (for i in $(seq 50); do fathom --version >/dev/null; done)' 2>&1 | sed -nE 's/real\s+0m(.*)s/\1/p')
direct=$(user 'time (for i in $(seq 50); do /usr/lib/fathom/x86-64-v3/fathom --version >/dev/null; done)' 2>&1 | sed -nE 's/real\s+0m(.*)s/\1/p')
step "arguments, exit codes (64, 65, 65 under mpirun) and USR1 (75) pass; fifty starts take $took s, $direct s without the choice of a build"

# 6. Man pages and completions.
for page in $(cd "$root/usr/share/man/man1" && ls fathom*.1.gz); do
  said=$(user "MANPAGER=cat MANWIDTH=100 man ${page%.1.gz} 2>&1") || fail "man ${page%.1.gz}: $said"
  want "$said" "fathom $version"
  want "$said" "EXIT STATUS"
done
want "$(user 'MANPAGER=cat man fathom-run')" "SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 ask for a checkpoint"
said=$(inside root 'for page in /usr/share/man/man1/fathom*.gz; do zcat $page | groff -man -Tutf8 -ww >/dev/null; done 2>&1')
[ -z "$said" ] || fail "groff warns: $said"
user 'source /usr/share/bash-completion/completions/fathom && complete -p fathom' >/dev/null || fail "completions of bash"
step "$(find "$root/usr/share/man/man1" -name 'fathom*.1.gz' | wc -l) man pages shown, without a warning of groff; completions load"

# 7. The Python package: the wheel, the source distribution, a report.
for file in .build-wheel/*"$version"*.whl .build-wheel/*"$version".tar.gz; do
  [ -e "$file" ] || fail "no Python package of $version in .build-wheel: make wheel"
  cp "$file" "$home/"
done
user 'python3 -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check ./*.whl 2>&1' || fail "pip could not install the wheel"
user 'venv/bin/fathom-report neural-covariance.h5' >/dev/null || fail "no report"
said=$(user 'grep -c "<svg\|<img" neural-covariance.html') || fail "no picture in the report"
user "cat >own.py && cd /tmp && PATH=/nowhere ~/venv/bin/python ~/own.py" <<'PY' || fail "fathom.run in Python"
import fathom
from fathom import launch
assert launch._find(None) == "/usr/bin/fathom", launch._find(None)
job = {"seed": 5, "network": {"architecture": "mlp", "activation": "tanh", "width": 8, "depth": 2, "inputs": {"correlation": 0.5}, "draws": 300}}
result = fathom.run(job, output="/tmp/own.h5")
assert result.finished and result.provenance()["version"] == fathom.__version__, (result.provenance(), fathom.__version__)
PY
user 'venv/bin/pip uninstall -q -y fathom-analysis && venv/bin/pip install --quiet --disable-pip-version-check ./*.tar.gz 2>&1' || fail "pip could not install the source distribution"
[ "$(user 'venv/bin/python -c "import fathom; print(fathom.__version__)"')" = "$version" ] || fail "the source distribution has another version"
step "wheel and source distribution install by pip into a fresh environment; a report with $said pictures; fathom.run finds /usr/bin/fathom without a PATH"

# 8. Removed without a trace.
remove
listing >"$work/after"
cmp -s "$work/before" "$work/after" || fail "this stayed, or went with it: $(diff "$work/before" "$work/after" | head -n 20)"
step "removed: not a file more or less than before, of $(wc -l <"$work/before")"
