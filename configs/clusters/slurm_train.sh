#!/bin/bash
# Trains with as many ranks as there are tasks, on one node or several:
#   sbatch slurm_train.sh config.yaml
# Two minutes before the time limit the ranks are asked to save; the job then queues again and goes
# on. Options of sbatch on the command line override those below.
#SBATCH --job-name=hodo-train
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --signal=USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append

srun --kill-on-bad-exit=1 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" \
  hodo om2vec train "$@" --resume
code=$?
if [ $code = 130 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit $code
