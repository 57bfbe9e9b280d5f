#!/usr/bin/env bash
# A real Slurm on this machine alone, which stands for two nodes: trains with two tasks on one node
# and on both, prepares data as an array, and shuts everything down again. HODO_PROGRAM is the program under test. Exit code 77: no Slurm here.
set -euo pipefail
source_folder=$(cd "$(dirname "$0")/../.." && pwd)

for program in munged slurmctld slurmd srun sbatch scontrol; do
  PATH=$PATH:/usr/sbin command -v $program >/dev/null && continue
  echo "skipped: $program is not installed (packages slurm-wlm and munge)"
  exit 77
done
if [ "$(id -u)" != 0 ]; then
  echo "skipped: slurmd starts jobs of other users and therefore needs root"
  exit 77
fi
PATH=$(dirname "${HODO_PROGRAM:?}"):$PATH:/usr/sbin
here=$(mktemp -d "${TMPDIR:-/tmp}/hodo-slurm-XXXXXX")
chmod 755 "$here"
daemons=()

finish() {
  local code=$?
  trap - EXIT
  set +e
  if [ $code != 0 ]; then
    for log in "$here"/*.log "$here"/*.out; do
      [ -s "$log" ] && echo "---- $(basename "$log")" && tail -n 15 "$log"
    done
  fi
  [ -e "$here/slurm.conf" ] && timeout 5 scancel --user=root 2>/dev/null
  for id in "${daemons[@]}"; do kill -TERM "$id" 2>/dev/null; done
  for id in "${daemons[@]}"; do
    for _ in $(seq 50); do kill -0 "$id" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$id" 2>/dev/null
    wait "$id" 2>/dev/null
  done
  rm -rf "$here"
  exit $code
}
trap finish EXIT
trap 'exit 1' INT TERM

# ---- the daemons ------------------------------------------------------------------------------
port=$((33000 + $$ * 3 % 9000))
host=$(hostname -s)
export SLURM_CONF=$here/slurm.conf
cat >"$SLURM_CONF" <<TEXT
ClusterName=hodo
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$here/munge.socket,cred_expire=5
CryptoType=crypto/munge
SlurmctldPort=$port
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
SchedulerParameters=sched_interval=1,batch_sched_delay=0
StateSaveLocation=$here/state
SlurmdSpoolDir=$here/spool-%n
SlurmctldPidFile=$here/slurmctld.pid
SlurmdPidFile=$here/slurmd-%n.pid
NodeName=hodo1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=4 RealMemory=500
NodeName=hodo2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=4 RealMemory=500
PartitionName=all Nodes=hodo[1-2] Default=YES MaxTime=10 State=UP
TEXT
mkdir "$here/state" "$here/spool-hodo1" "$here/spool-hodo2"
(umask 077 && head -c 1024 /dev/urandom >"$here/munge.key")
munged --foreground --force --key-file="$here/munge.key" --socket="$here/munge.socket" \
  --pid-file="$here/munge.pid" --log-file="$here/munge.log" --seed-file="$here/munge.seed" \
  >/dev/null 2>"$here/munged.log" &
daemons=($!)
for _ in $(seq 50); do [ -S "$here/munge.socket" ] && break; sleep 0.1; done
slurmctld -D -i >"$here/slurmctld.log" 2>&1 &
daemons=($! "${daemons[@]}")
for node in hodo1 hodo2; do
  slurmd -D -N $node >"$here/slurmd-$node.log" 2>&1 &
  daemons=($! "${daemons[@]}")
done
for _ in $(seq 200); do
  [ "$(timeout 5 sinfo -h -o %t 2>/dev/null)" = idle ] && break
  sleep 0.1
done
[ "$(sinfo -h -o %t)" = idle ] || { echo "Slurm did not start"; exit 1; }
echo "Slurm $(sinfo --version | cut -d' ' -f2) answers"

# wait_for JOB: until it is over; its state.
wait_for() {
  local state=
  for _ in $(seq 600); do
    state=$(scontrol --oneliner show job "$1" | grep -o 'JobState=[A-Z_]*' | sort -u)
    grep -qE 'PENDING|RUNNING|COMPLETING|CONFIGURING' <<<"$state" || break
    sleep 0.2
  done
  echo "$state"
}
expect_completed() {
  local state
  state=$(wait_for "$2")
  [ "$state" = JobState=COMPLETED ] || { echo "$1: $state"; exit 1; }
  echo "$1: completed"
}

# ---- the jobs ---------------------------------------------------------------------------------
cd "$here"
cp "$source_folder"/configs/clusters/slurm_*.sh .
cat >small.yaml <<'TEXT'
workflow: om2vec
simulate: {output: events, events: 8, seed: 11, min_photons: 50}
train:
  output: together
  data:
    train: [events]
    valid_fraction: 0.3
    binning: {bins: 128, window: 6400, rule: floor}
  model: {bins: 128, latent: 4, embed: 8, heads: 2, feedforward: 16, tokens: [16, 8, 4]}
  feed: {batch_size: 9}
  learner: {optimizer: {kind: sgd, rate: 0.05}}
  plan: {epochs: 1}
TEXT
hodo om2vec simulate small.yaml --quiet

train=$(sbatch --parsable --ntasks-per-node=2 --cpus-per-task=1 --time=5 --output=train.out \
  slurm_train.sh small.yaml)
parts=$(sbatch --parsable --array=0-2 --cpus-per-task=1 --time=5 --output=parts-%a.out \
  slurm_array.sh events prepared --binning.bins 128)
# The script of a job with two tasks is one process, whatever SLURM_NTASKS says.
alone=$(sbatch --parsable --ntasks=2 --time=5 --output=alone.out \
  --wrap 'hodo om2vec train small.yaml --output alone --threads 1')

expect_completed "training with two tasks" "$train"
grep -q '2 ranks meet, started by srun' train.out
expect_completed "array of three tasks" "$parts"
hodo om2vec prepare events prepared --binning.bins 128 --verify
ls prepared/*.parquet >/dev/null
expect_completed "a script without srun" "$alone"
grep -q 'ranks meet' alone.out && { echo "the script looked for other ranks"; exit 1; }
hodo weights diff alone/model.safetensors together/model.safetensors --tolerance 1e-5

# One task on each of two nodes: not the same machine for Slurm, so where they meet is told.
MASTER_ADDR=127.0.0.1 SLURM_CPUS_PER_TASK=1 srun --nodes=2 --ntasks=2 --ntasks-per-node=1 \
  hodo om2vec train small.yaml --output nodes 2>nodes.log
grep -q '2 ranks meet, started by srun' nodes.log
cmp nodes/model.safetensors together/model.safetensors
echo "a training on two nodes: the same bytes"

# A wrong option is every task's, and said once.
code=0
srun --ntasks=2 hodo om2vec train small.yaml --modle 3 2>usage.log || code=$?
if [ $code != 2 ] || [ "$(grep -c "unknown option '--modle'" usage.log)" != 1 ]; then
  cat usage.log
  echo "a wrong option: exit code $code"
  exit 1
fi
echo "a wrong option: said once"

# Asked to stop, as two minutes before the time limit: it saves, queues again by itself, and ends
# with the bytes of a run that nobody asked. (A job that queues again waits until its old
# credential has expired.)
longer=(--plan.epochs 12 --plan.save-every 1000)
train=$(sbatch --parsable --ntasks-per-node=2 --cpus-per-task=1 --time=5 --output=stopped.out \
  slurm_train.sh small.yaml --output stopped "${longer[@]}")
for _ in $(seq 300); do [ -s stopped/metrics.csv ] && break; sleep 0.1; done
scancel --signal=USR1 "$train"
for _ in $(seq 300); do grep -q 'the state is saved' stopped.out && break; sleep 0.1; done
SLURM_CPUS_PER_TASK=1 srun --ntasks=2 --cpus-per-task=1 hodo om2vec train small.yaml \
  --output whole "${longer[@]}" --quiet
expect_completed "a training asked to stop" "$train"
scontrol --oneliner show job "$train" | grep -q 'Requeue=1 Restarts=1 ' || {
  echo "the job did not queue again"
  exit 1
}
grep -q 'continuing stopped after step' stopped.out
cmp stopped/metrics.csv whole/metrics.csv
cmp stopped/model.safetensors whole/model.safetensors
echo "a training asked to stop: queued again and ended with the same bytes"

# A task that dies takes the job with it, and says which it was.
sbatch --parsable --ntasks-per-node=2 --cpus-per-task=1 --time=5 --output=lost.out slurm_train.sh \
  small.yaml --output lost --plan.epochs 100000 --plan.save-every 1 >lost.id
for _ in $(seq 300); do [ -e lost/checkpoints/last.safetensors ] && break; sleep 0.1; done
victim=$(for process in $(pgrep -x hodo); do
  grep -qz "^SLURM_JOB_ID=$(cat lost.id)$" "/proc/$process/environ" 2>/dev/null &&
    grep -qz '^SLURM_PROCID=1$' "/proc/$process/environ" && echo "$process"
done)
kill -KILL "$victim"
state=$(wait_for "$(cat lost.id)")
[ "$state" = JobState=FAILED ] || { echo "a training with a lost rank: $state"; exit 1; }
grep -E 'rank 1 .* was lost|task 1: Killed' lost.out
[ "$(grep -c '^hodo:' lost.out)" -le 1 ]
echo "a training with a lost rank: failed, as it should"
