#!/usr/bin/env bash
# The submit files of configs/clusters: their commands are accepted by the program, and what the
# guide shows of them is what they say.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
failures=0
complain() {
  echo "$1"
  failures=$((failures + 1))
}

# accepted FILE COMMAND: with the batch system's words replaced by what they stand for.
accepted() {
  local command
  command=$(sed -e 's/\$(config)/configs\/om2vec-toy.yaml/; s/\$(input)/events/; s/\$(output)/prepared/' \
    -e 's/\$(Process)/3/; s/\$(parts)/16/; s/ --resume//; s/^hodo //' <<<"$2")
  # shellcheck disable=SC2086
  if ! "${HODO_PROGRAM:?}" $command --dry-run >/dev/null; then complain "$1: refused: $2"; fi
}

for file in configs/clusters/*.sh; do
  bash -n "$file" || complain "$file: not a script"
  grep -q '^hodo \|^  hodo \|srun.* hodo ' "$file" || complain "$file: starts nothing"
done
accepted slurm_train.sh "$(sed -n 's/^ *\(hodo om2vec train\) "$@"/\1 $(config)/p' configs/clusters/slurm_train.sh)"
SLURM_ARRAY_JOB_ID=9 SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=16 SLURM_ARRAY_TASK_MIN=0 \
  accepted slurm_array.sh \
  "$(sed -n 's/^\(hodo om2vec prepare\) "$@"/\1 $(input) $(output)/p' configs/clusters/slurm_array.sh)"

for file in configs/clusters/*.sub; do
  command=$(sed -n 's/^arguments *= "\(.*\)"$/\1/p' "$file")
  [ -n "$command" ] && accepted "$file" "$command" || complain "$file: no arguments in quotes"
  for key in executable request_cpus request_memory request_disk output error log; do
    grep -qE "^$key +=" "$file" || complain "$file: no $key"
  done
  tail -n 1 "$file" | grep -q '^queue' || complain "$file: does not end with queue"
done

# Lines of the guide that belong to a submit file.
while read -r line; do
  grep -qhxF -- "$line" <(sed 's/^ *//' configs/clusters/*) || complain "the guide differs: $line"
done < <(grep -E '^(#SBATCH|[a-z_]+ +=|srun )' docs/guide/clusters.md)

[ $failures = 0 ] || exit 1
echo "submit files: all commands accepted, the guide agrees"
