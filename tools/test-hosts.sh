#!/usr/bin/env bash
# make test-hosts [reduced]: two and three hosts made of network namespaces with an sshd each. The digest must be that of one host; a
# host whose link goes down in the middle must end the job within a minute, with a message and a file to go on from.
set -euo pipefail
cd "$(dirname "$0")/.."
fathom=$PWD/.build/release/fathom
fail() {
  printf 'test-hosts: %s\n' "$@" >&2
  exit 1
}
[ "$(id -u)" -eq 0 ] || fail "network namespaces are made as root; run it as root, or in a container that may make them"
missing=()
for pair in ip:iproute2 sshd:openssh-server ssh:openssh-client; do command -v "${pair%%:*}" >/dev/null || [ -x "/usr/sbin/${pair%%:*}" ] || missing+=("${pair##*:}"); done
if [ ${#missing[@]} -gt 0 ]; then
  echo "test-hosts: installing ${missing[*]}"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "could not install ${missing[*]}"
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d)
# What Open MPI leaves of killed jobs goes with the folder.
export TMPDIR=$work OMPI_MCA_btl_vader_backing_directory=$work
tag=fathom$$
bridge=br$$
cleanup() {
  for n in 1 2 3; do
    ip netns pids "$tag-$n" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
    ip netns del "$tag-$n" 2>/dev/null || true
  done
  ip link del "$bridge" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
cp "$work/key.pub" "$work/authorized"
ip link add "$bridge" type bridge
ip link set "$bridge" up
for n in 1 2 3; do
  ip netns add "$tag-$n"
  ip link add "v$$-$n" type veth peer name eth0 netns "$tag-$n"
  ip link set "v$$-$n" master "$bridge" up
  ip -n "$tag-$n" addr add "10.77.0.$n/24" dev eth0
  ip -n "$tag-$n" link set eth0 up
  ip -n "$tag-$n" link set lo up
  ip netns exec "$tag-$n" /usr/sbin/sshd -f /dev/null -h "$work/host" -o "ListenAddress=10.77.0.$n" -o "PidFile=none" \
    -o "AuthorizedKeysFile=$work/authorized" -o StrictModes=no -o PermitRootLogin=yes -o UsePAM=no
done
for n in 1 2 3; do echo "10.77.0.$n slots=1" >>"$work/hosts"; done

on_hosts() { # RANKS ARGUMENTS...: fathom over so many hosts, started on the first
  local ranks=$1
  shift
  ip netns exec "$tag-1" mpirun --hostfile "$work/hosts" -n "$ranks" --map-by node \
    --mca plm_rsh_args "-i $work/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR" \
    --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 \
    --mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 3 --mca oob_tcp_keepalive_probes 3 "$fathom" "$@"
}

cd "$work"
cat >job.toml <<'TOML'
seed = 3
[particles]
system = "gaussian-attraction"
number = 2000
step = 0.05
warm_up = 100
steps = 2000
replicas = 2
TOML
"$fathom" run job.toml -o one.h5 >/dev/null 2>&1
whole=$("$fathom" digest one.h5)
counts="2 3"
steps=400000
[ "${1:-}" = reduced ] && counts=3 && steps=150000
for ranks in $counts; do
  on_hosts "$ranks" run "$work/job.toml" -o "$work/hosts-$ranks.h5" --set run.shards="$ranks" >out 2>log || fail "$ranks hosts: $(cat log)"
  [ "$("$fathom" digest "hosts-$ranks.h5")" = "$whole" ] || fail "$ranks hosts: another digest than on one"
  echo "test-hosts: $ranks hosts, one system over all: the digest of one host"
done

long=(--set "particles.steps=$steps" --set run.checkpoint_every=1s)
"$fathom" run job.toml -o long-one.h5 "${long[@]}" >/dev/null 2>&1 &
reference=$!
on_hosts 2 run "$work/job.toml" -o "$work/two.h5" --set run.shards=2 --watchdog 5s "${long[@]}" >out 2>log &
job=$!
for _ in $(seq 40); do [ -e two.h5 ] && break; sleep 0.5; done
[ -e two.h5 ] || fail "no checkpoint after twenty seconds: $(cat log)"
start=$SECONDS
ip link set "v$$-2" down
status=0
for _ in $(seq 60); do
  kill -0 "$job" 2>/dev/null || break
  sleep 1
done
kill -0 "$job" 2>/dev/null && fail "a lost host did not end the job within a minute: $(tail -n 5 log)"
wait "$job" || status=$?
[ "$status" -ne 0 ] || fail "a lost host ended the job with status 0"
grep -qiE "no progress|lost|unreachable|communication|aborted" log || fail "no word about the lost host: $(cat log)"
ended=$((SECONDS - start))
echo "test-hosts: a lost host ended the job after $ended s, status $status"
cp log log.two
"$fathom" verify two.h5 >/dev/null || fail "the file of the lost run is not whole"
wait "$reference"
"$fathom" run job.toml -o two.h5 "${long[@]}" >/dev/null 2>log || fail "$(cat log)"
[ "$("$fathom" digest two.h5)" = "$("$fathom" digest long-one.h5)" ] || fail "resumed after the loss: another digest"
echo "test-hosts: gone on with on one host: the digest of an uninterrupted run"

if [ -n "${FATHOM_FAULT_ROWS:-}" ]; then
  mkdir -p "$FATHOM_FAULT_ROWS"
  said=$(grep -m 1 -iE "no progress|lost|unreachable|communication|aborted" log.two | sed 's/|/ /g')
  echo "| lost host | \`ip link set … down\` for one of two hosts in the middle of a run | 1 | mpirun ends the job after $ended s, status $status; the file is whole; gone on with on one host, same bits | \`$said\` |" >"$FATHOM_FAULT_ROWS/lost host"
fi
