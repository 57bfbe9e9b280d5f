#!/bin/bash
# Prepares data in parts, one for each task of the array:
#   job=$(sbatch --parsable --array=0-15 slurm_array.sh events prepared)
#   sbatch --dependency=afterok:$job --wrap 'hodo om2vec prepare events prepared --verify'
# Apply works alike. A task that failed is done again with the same command; what is complete stays.
#SBATCH --job-name=hodo-array
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --time=01:00:00

hodo om2vec prepare "$@" --shard auto
