#!/bin/bash
# Runs a fathom job under Slurm and requeues itself until the job is finished.
#
#   sbatch --ntasks=64 --time=04:00:00 jobs/slurm.sh jobs/width-sweep.toml [further options of fathom run]
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

# Open MPI's mpirun reads hosts and task counts from the allocation.
mpirun "${FATHOM:-fathom}" run "$@" &
mpirun_pid=$!
trap 'kill -USR1 "$mpirun_pid" 2>/dev/null' USR1

# A signal interrupts `wait`, so wait again until mpirun has really ended.
wait "$mpirun_pid"
status=$?
while kill -0 "$mpirun_pid" 2>/dev/null; do
  wait "$mpirun_pid"
  status=$?
done

# 75: stopped early, to be gone on with.
if [ "$status" -eq 75 ] && [ -n "${SLURM_JOB_ID:-}" ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
