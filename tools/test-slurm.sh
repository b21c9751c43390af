#!/usr/bin/env bash
# make test-slurm: jobs/slurm.sh and job arrays under a real Slurm (slurmctld and slurmd on this host, started and stopped
# here): a job that finishes; one that meets its time limit, is requeued and finishes; scancel and resubmission; an array of
# parts, one of them killed and submitted again, with a dependent merge. Each must come to the digest of an uninterrupted run.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
fail() {
  printf 'test-slurm: %s\n' "$@" >&2
  exit 1
}
[ "$(id -u)" -eq 0 ] || fail "slurmctld and slurmd are started as root here; run it as root, or in a container"
if ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null; then
  echo "test-slurm: installing slurm-wlm"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm slurm-client >/dev/null ||
    fail "slurm-wlm could not be installed; install slurmctld, slurmd and slurm-client"
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d)
host=$(hostname -s)
# What Open MPI leaves of killed jobs goes with the folder.
export TMPDIR=$work OMPI_MCA_btl_vader_backing_directory=$work
export SLURM_CONF=$work/slurm.conf FATHOM=$root/.build/release/fathom
daemons=()
cleanup() {
  scancel --user=root 2>/dev/null || true
  sleep 1
  for process in "${daemons[@]}"; do kill "$process" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

# mpirun ends while the script handles the signal of the time limit (slowed down before every command): the status must be that of
# mpirun, or a run that can be gone on with is not requeued.
mkdir "$work/stub"
printf '#!/bin/sh\ntrap "exit 75" USR1\necho >%s/started\nwhile :; do sleep 0.1; done\n' "$work" >"$work/stub/mpirun"
printf '#!/bin/sh\necho "$@" >%s/requeued\n' "$work" >"$work/stub/scontrol"
chmod +x "$work"/stub/*
echo "trap 'sleep 0.3' DEBUG" >"$work/slow"
SLURM_JOB_ID=7 PATH=$work/stub:$PATH BASH_ENV=$work/slow bash jobs/slurm.sh job.toml &
script=$!
for _ in $(seq 100); do [ -e "$work/started" ] && break; sleep 0.1; done
sleep 2
kill -USR1 "$script"
status=0
wait "$script" || status=$?
[ "$status $(cat "$work/requeued" 2>/dev/null)" = "75 requeue 7" ] || fail "the signal hid the status of mpirun: $status"
echo "test-slurm: mpirun ends while the signal is handled"

cat >"$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=$host
SlurmUser=root
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmctldPort=26817
SlurmdPort=26818
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ReturnToService=2
KillWait=5
SchedulerParameters=sched_min_interval=500000,defer_batch=no
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
CONF
mkdir -p "$work/state" "$work/spool"
slurmctld -D >"$work/ctld.out" 2>&1 &
daemons+=($!)
slurmd -D >"$work/slurmd.out" 2>&1 &
daemons+=($!)
for _ in $(seq 60); do
  [ "$(sinfo -h -o %t 2>/dev/null)" = idle ] && break
  sleep 0.5
done
[ "$(sinfo -h -o %t)" = idle ] || { tail -n 5 "$work"/*.log "$work"/*.out >&2; fail "Slurm did not come up"; }

cd "$work"
# A job of so many replicas that no machine comes to their end: what is to be interrupted runs until it is, and `enough` then asks
# for a few more than are there.
replicas() { # NUMBER: writes job.toml
  cat >job.toml <<TOML
seed = 3
[particles]
system = "gaussian-attraction"
number = 64
step = 0.1
warm_up = 100
steps = 200_000
replicas = $1
TOML
}
endless() { replicas 100000; }
enough() { # FILE: sets `expected`, the digest of an uninterrupted run of what `job.toml` asks for from now on
  local done
  done=$("$FATHOM" show "$1" | sed -nE '1s/.*: ([0-9]+) of .*/\1/p')
  replicas $((done + 8))
  mpirun --oversubscribe -n 2 "$FATHOM" run job.toml -o "local-$1" >/dev/null 2>&1
  expected=$("$FATHOM" digest "local-$1")
}
until_there() { # FILE SECONDS
  for _ in $(seq "$2"); do [ -e "$1" ] && return 0; sleep 0.5; done
  fail "$(cat slurm-*.out)" "$1 was not written"
}
cp "$root/jobs/slurm.sh" "$root/jobs/slurm-merge.sh" .
state() { scontrol -o show job "$1" 2>/dev/null | grep -o 'JobState=[A-Z_]*' | cut -d= -f2 | sort -u || true; }
wait_for() { # JOB SECONDS: until it has ended
  local pending=0
  for _ in $(seq "$2"); do
    case $(state "$1") in
    PENDING) # A requeued job waits for two minutes; started at once, it fails: slurmd still removes its former script.
      pending=$((pending + 1))
      [ "$pending" -ne 8 ] || scontrol update jobid="$1" StartTime=now || true ;;
    COMPLETED | FAILED | CANCELLED | TIMEOUT) return 0 ;;
    esac
    sleep 1
  done
  fail "$(cat slurm-*.out)" "job $1 did not end: $(state "$1")"
}
submit() { sbatch --parsable --ntasks=1 "$@"; }
check() { # WHAT FILE DIGEST
  [ "$("$FATHOM" digest "$2")" = "$3" ] || fail "$(cat slurm-*.out)" "$1: the digest differs"
  echo "test-slurm: $1"
}

replicas 8
"$FATHOM" run job.toml -o local.h5 >/dev/null 2>&1
expected=$("$FATHOM" digest local.h5)

id=$(submit slurm.sh job.toml -o short.h5)
wait_for "$id" 300
check "submitted and finished" short.h5 "$expected"

# Eight parts, of which the third is killed once it has written a checkpoint.
cat >dies <<SH
#!/bin/sh
if [ "\$SLURM_ARRAY_TASK_ID" != 3 ]; then exec "$FATHOM" "\$@"; fi
"$FATHOM" "\$@" &
until [ -e job-part-3.h5 ]; do sleep 0.02; done
kill -9 \$!
wait \$!
SH
chmod +x dies
array=$(FATHOM=$work/dies submit --array=1-8 slurm.sh job.toml --set run.checkpoint_every=0.05s)
for _ in $(seq 240); do
  states=$(state "$array")
  [ "$states" != "$(printf 'COMPLETED\nFAILED')" ] || break
  sleep 0.5
done
[ "$states" = "$(printf 'COMPLETED\nFAILED')" ] || fail "$(cat slurm-*.out)" "of eight tasks one was to fail: $states"
if bash slurm-merge.sh job 2>merge.log; then fail "a merge without part 3 was taken"; fi
grep -q "part 3 of 8 is missing or not finished" merge.log || fail "$(cat merge.log)" "the merge does not name part 3"
[ ! -e job.h5 ] || fail "the merge without part 3 wrote a file"
array=$(submit --array=3 slurm.sh job.toml)
id=$(submit --dependency=afterok:"$array" slurm-merge.sh job)
wait_for "$id" 300
grep -q "resuming from" "slurm-${array}_3.out" || fail "$(cat "slurm-${array}_3.out")" "part 3 started from scratch"
check "array of parts, one killed and submitted again, and a dependent merge" job.h5 "$expected"

# Arrays that cannot be meant: one sentence, and no work.
refused() { # MIN MAX COUNT WORDS: an array of the job `new`
  local said
  if said=$(cd "$work/stub" && env SLURM_ARRAY_TASK_ID="$1" SLURM_ARRAY_TASK_MIN="$1" SLURM_ARRAY_TASK_MAX="$2" SLURM_ARRAY_TASK_COUNT="$3" \
    SLURM_JOB_ID=9 bash "$root/jobs/slurm.sh" new.toml 2>&1); then fail "an array $1-$2 of $3 was taken"; fi
  [[ $said == *"$4"* ]] || fail "an array $1-$2 of $3: $said"
}
refused 0 7 8 "submit with --array=1-8 instead of --array=0-7"
refused 3 3 1 "new.parts, which the first submission writes, is not here"
echo 4 >"$work/stub/new.parts"
refused 1 8 8 "the job has 4 parts, the array asks for part 8"
echo "test-slurm: arrays that are refused"

# A limit of a minute; Slurm gives USR1 when 50 s of it are left (it looks every half minute). The requeued job waits for two
# minutes, so that it finds the number of replicas that is written meanwhile.
endless
id=$(submit --time=1 --signal=B:USR1@50 slurm.sh job.toml -o limit.h5)
for _ in $(seq 100); do
  grep -qs "rerun the command to resume" "slurm-$id.out" && [ "$(state "$id")" = PENDING ] && break
  [ "$(state "$id")" != FAILED ] || break
  sleep 1
done
[ "$(state "$id")" = PENDING ] || fail "$(cat "slurm-$id.out")" "the job was not requeued at its time limit: $(state "$id")"
enough limit.h5
wait_for "$id" 300
grep -q "resuming from" "slurm-$id.out" || fail "$(cat "slurm-$id.out")" "the requeued job started from scratch"
check "time limit, requeued, finished" limit.h5 "$expected"

endless
id=$(submit slurm.sh job.toml -o cancelled.h5 --set run.checkpoint_every=1s)
until_there cancelled.h5 60
scancel "$id"
wait_for "$id" 300
enough cancelled.h5
id=$(submit slurm.sh job.toml -o cancelled.h5)
wait_for "$id" 300
check "scancel, submitted again" cancelled.h5 "$expected"

endless
id=$(submit slurm.sh job.toml -o killed.h5 --set run.checkpoint_every=1s)
until_there killed.h5 60
scancel --signal=KILL --full "$id"
wait_for "$id" 300
enough killed.h5
id=$(submit slurm.sh job.toml -o killed.h5)
wait_for "$id" 300
grep -q "resuming from" "slurm-$id.out" || fail "$(cat "slurm-$id.out")" "the killed step left no checkpoint"
check "kill -9 of the job step, submitted again" killed.h5 "$expected"

row() { # NAME INJECTED TIMES HAPPENED MESSAGE: a row of docs/reliability.md
  [ -z "${FATHOM_FAULT_ROWS:-}" ] || { mkdir -p "$FATHOM_FAULT_ROWS" && echo "| $1 | $2 | $3 | $4 | $5 |" >"$FATHOM_FAULT_ROWS/$1"; }
}
row "Slurm time limit" "\`--time=1\`, USR1 to the script before it" 1 "checkpoint, exit 75, requeued, finished; the digest of an uninterrupted run" "\`resuming from …\`"
row "scancel" "\`scancel\`, submitted again" 1 "goes on; the digest of an uninterrupted run" "\`resuming from …\`"
row "killed array task" "one of eight parts, killed after a checkpoint and submitted again alone, then merged" 1 "merge names the part that is not finished; then the digest of one big run" "\`part 3 of 8 is missing or not finished\`"
row "kill -9 of a job step" "\`scancel --signal=KILL --full\`, submitted again" 1 "goes on; the digest of an uninterrupted run" "\`resuming from …\`"
