#!/bin/bash
# Runs a fathom job under Slurm and requeues itself until the job is finished.
#
#   sbatch --ntasks=64 --time=04:00:00 jobs/slurm.sh jobs/width-sweep.toml [further options of fathom run]
#
# As a job array, numbered from 1, each task makes its part of the draws, into width-sweep-part-I.h5; a dependent job joins them:
#
#   id=$(sbatch --parsable --array=1-8 --ntasks=16 --time=04:00:00 jobs/slurm.sh jobs/width-sweep.toml)
#   sbatch --dependency=afterok:$id jobs/slurm-merge.sh width-sweep
#
# The first submission decides the number of parts and keeps it in width-sweep.parts, so that tasks that failed can be submitted again
# by themselves:
#
#   sbatch --array=3,5 --ntasks=16 --time=04:00:00 jobs/slurm.sh jobs/width-sweep.toml
#
#SBATCH --job-name=fathom
#SBATCH --requeue
# A requeued job adds to the same log.
#SBATCH --open-mode=append
# Slurm sends USR1 to this script (B:) two minutes before the time limit: fathom writes a checkpoint and leaves with 75.
#SBATCH --signal=B:USR1@120
set -u

refuse() { # MESSAGE
  echo "slurm.sh: $1" >&2
  exit 64
}

if [ $# -lt 1 ]; then
  refuse "usage: sbatch [options of sbatch] $0 JOB.toml [options of fathom run]"
fi

# The part of the draws of this task of an array, and a file for it.
part=()
if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
  name=$(basename "$1" .toml)
  if [ "$SLURM_ARRAY_TASK_MIN" -eq 0 ]; then
    refuse "parts are numbered from 1: submit with --array=1-$((SLURM_ARRAY_TASK_MAX + 1)) instead of --array=0-$SLURM_ARRAY_TASK_MAX"
  fi
  if [ ! -e "$name.parts" ]; then
    if [ "$SLURM_ARRAY_TASK_COUNT" -ne "$SLURM_ARRAY_TASK_MAX" ]; then
      refuse "$name.parts, which the first submission writes, is not here: submit every part, --array=1-K, or write their number into it"
    fi
    # A hard link is made whole or not at all, whichever task comes first.
    echo "$SLURM_ARRAY_TASK_MAX" >"$name.parts.$SLURM_JOB_ID"
    ln "$name.parts.$SLURM_JOB_ID" "$name.parts" 2>/dev/null
    rm "$name.parts.$SLURM_JOB_ID"
  fi
  parts=$(cat "$name.parts") || refuse "$name.parts, the number of parts, cannot be read or written here"
  case $parts in
  '' | 0 | *[!0-9]*) refuse "$name.parts holds '$parts', and should hold the number of parts" ;;
  esac
  if [ "$SLURM_ARRAY_TASK_MAX" -gt "$parts" ]; then
    refuse "$name.parts says that the job has $parts parts, the array asks for part $SLURM_ARRAY_TASK_MAX; to divide the job differently, remove $name.parts and the files of its parts"
  fi
  part=(--part "$SLURM_ARRAY_TASK_ID/$parts" -o "$name-part-$SLURM_ARRAY_TASK_ID.h5")
fi

# Open MPI's mpirun reads hosts and task counts from the allocation.
mpirun "${FATHOM:-fathom}" run "$@" "${part[@]}" &
mpirun_pid=$!
trap 'signalled=yes; kill -USR1 "$mpirun_pid" 2>/dev/null' USR1

# A signal interrupts `wait`, whose status is then not that of mpirun: ask again, also where mpirun has ended meanwhile.
signalled=yes
while [ "$signalled" = yes ]; do
  signalled=no
  wait "$mpirun_pid"
  status=$?
done

# 75: stopped early, to be resumed.
if [ "$status" -eq 75 ] && [ -n "${SLURM_JOB_ID:-}" ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
