#!/usr/bin/env bash
# Two machines as far as ranks can tell: each rank has a network and a host name of its own, and the
# two are joined by a cable. Names of hosts do not resolve. HODO_PROGRAM is the program under test.
# Exit code 77: such machines cannot be made here.
set -euo pipefail

if [ "$(id -u)" != 0 ] || ! command -v ip >/dev/null || ! command -v unshare >/dev/null; then
  echo "skipped: network namespaces need root and the packages iproute2 and util-linux"
  exit 77
fi
PATH=$(dirname "${HODO_PROGRAM:?}"):$PATH
here=$(mktemp -d "${TMPDIR:-/tmp}/hodo-machines-XXXXXX")
name=hodo$$
finish() {
  local code=$?
  trap - EXIT
  set +e
  [ $code = 0 ] || [ $code = 77 ] || tail -n 20 "$here"/*.log
  for machine in a b; do
    for process in $(ip netns pids $name$machine 2>/dev/null); do kill -KILL "$process"; done
    ip netns delete $name$machine 2>/dev/null
  done
  rm -rf "$here"
  exit $code
}
trap finish EXIT
trap 'exit 1' INT TERM

# ---- the machines and their cable ---------------------------------------------------------------
for machine in a b; do
  ip netns add $name$machine 2>"$here/ip.log" || { echo "skipped: no network namespaces here"; exit 77; }
done
ip link add c$$a type veth peer name c$$b 2>"$here/ip.log" || { echo "skipped: no virtual cable here"; exit 77; }
ip link set c$$a netns ${name}a
ip link set c$$b netns ${name}b
number=1
for machine in a b; do
  ip netns exec $name$machine ip address add 10.213.7.$number/24 dev c$$$machine
  ip netns exec $name$machine ip link set c$$$machine up
  ip netns exec $name$machine ip link set lo up
  number=$((number + 1))
done

# on MACHINE COMMAND...
# shellcheck disable=SC2016 # the inner shell expands its own words
on() {
  local machine=$1
  shift
  ip netns exec $name"$machine" unshare --uts sh -c 'hostname "$0"; exec "$@"' "node-$machine" "$@"
}
# pair OUTPUT OPTIONS...: rank 0 on the first machine, rank 1 on the second; the exit code of rank 0.
pair() {
  local output=$1 code=0
  shift
  for rank in 0 1; do
    RANK=$rank WORLD_SIZE=2 LOCAL_RANK=0 LOCAL_WORLD_SIZE=1 MASTER_ADDR=10.213.7.1 MASTER_PORT=29507 \
      on "$([ $rank = 0 ] && echo a || echo b)" hodo om2vec train small.yaml --output "$output" \
      --threads 1 "$@" >"$output.$rank.log" 2>&1 &
    [ $rank = 0 ] && first=$! || second=$!
  done
}

# ---- the trainings ------------------------------------------------------------------------------
cd "$here"
cat >small.yaml <<'TEXT'
workflow: om2vec
simulate: {output: events, events: 6, seed: 11, min_photons: 50}
train:
  data:
    train: [events]
    valid_fraction: 0.3
    binning: {bins: 128, window: 6400, rule: floor}
  model: {bins: 128, latent: 4, embed: 8, heads: 2, feedforward: 16, tokens: [16, 8, 4]}
  feed: {batch_size: 9}
  ranks: {wait: 30}
TEXT
hodo om2vec simulate small.yaml --quiet
hodo launch -n 2 om2vec train small.yaml --output launched --threads 1 --quiet
pair apart
wait "$first"
wait "$second"
grep -q '2 ranks meet' apart.0.log
cmp launched/metrics.csv apart/metrics.csv
cmp launched/model.safetensors apart/model.safetensors
echo "two machines: the bytes of one with two ranks"

# A rank that is lost is named with its machine.
pair lost --plan.epochs 100000 --plan.save-every 1
for _ in $(seq 300); do [ -e lost/checkpoints/last.safetensors ] && break; sleep 0.1; done
for process in $(ip netns pids ${name}b); do kill -KILL "$process"; done
code=0
wait "$first" || code=$?
[ $code = 1 ] || { echo "a lost machine: exit code $code"; exit 1; }
grep 'rank 1 (process [0-9]* on node-b) was lost' lost.0.log
wait "$second" || true

# A cable that is cut: both ends find out, since neither answers the other.
pair cut --plan.epochs 100000 --plan.save-every 1 --ranks.silence 3
for _ in $(seq 300); do [ -e cut/checkpoints/last.safetensors ] && break; sleep 0.1; done
ip netns exec ${name}b ip link set c$$b down
code=0
wait "$first" || code=$?
[ $code = 1 ] || { echo "a cut cable: exit code $code at the first machine"; exit 1; }
code=0
wait "$second" || code=$?
[ $code = 1 ] || { echo "a cut cable: exit code $code at the second machine"; exit 1; }
grep -h '^hodo: rank' cut.0.log cut.1.log
echo "a cut cable: both machines end"
