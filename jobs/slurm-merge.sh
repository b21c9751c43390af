#!/bin/bash
# Joins the parts that a job array of slurm.sh has made: NAME-part-1.h5, NAME-part-2.h5, ... become NAME.h5, with the bits of one
# big run. Where parts are missing or not finished it says which, and writes nothing.
#
#   sbatch --dependency=afterok:ARRAY jobs/slurm-merge.sh NAME
#
#SBATCH --job-name=fathom-merge
#SBATCH --ntasks=1
set -u
[ $# -eq 1 ] || { echo "usage: sbatch --dependency=afterok:ARRAY $0 NAME" >&2; exit 64; }
exec "${FATHOM:-fathom}" merge "$1"-part-*.h5 -o "$1.h5"
