#!/bin/bash
# Runs a fathom job under Slurm and requeues itself until the job is finished.
#
#   sbatch --ntasks=64 --time=04:00:00 jobs/slurm.sh jobs/width-sweep.toml [further options of fathom run]
#
# As a job array each task makes its part of the draws, into width-sweep-part-I.h5; a dependent job joins them:
#
#   id=$(sbatch --parsable --array=1-8 --ntasks=16 --time=04:00:00 jobs/slurm.sh jobs/width-sweep.toml)
#   sbatch --dependency=afterok:$id jobs/slurm-merge.sh width-sweep
#
#SBATCH --job-name=fathom
#SBATCH --requeue
# A requeued job adds to the same log.
#SBATCH --open-mode=append
# Slurm sends USR1 to this script (B:) two minutes before the time limit: fathom writes a checkpoint and leaves with 75.
#SBATCH --signal=B:USR1@120
set -u

if [ $# -lt 1 ]; then
  echo "usage: sbatch [options of sbatch] $0 JOB.toml [options of fathom run]" >&2
  exit 64
fi

# The part of the draws of this task of an array, and a file for it.
part=()
if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
  part=(--part "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_MAX" -o "$(basename "$1" .toml)-part-$SLURM_ARRAY_TASK_ID.h5")
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

# 75: stopped early, to be gone on with.
if [ "$status" -eq 75 ] && [ -n "${SLURM_JOB_ID:-}" ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
