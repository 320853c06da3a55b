#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One job under one budget after another: does it keep to it, are the bytes the same, what does it cost?
#
#   tests/bench/memory_table.sh SCROOGE CHECKPOINT TEXT WORK [BUDGET_MIB...] [-- OPTION...]
#
# The ceiling of every run is real: a memory cgroup of the budget and 32 MiB where one can be made (as root), in which the
# page cache counts too; elsewhere RLIMIT_DATA of the budget and 64 MiB, for it also counts what is reserved and never
# touched (thread stacks, holes of the heap, code made for products). The peak is anonymous and shared resident memory,
# sampled 20 times a second. On a machine that does other work, too, compare the seconds of processor time. A budget of 0
# is none.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/json.sh"
scrooge=$1 checkpoint=$2 text=$3 work=$4
shift 4
budgets=()
while (($#)) && [[ $1 != -- ]]; do budgets+=("$1"); shift; done
shift $(($# > 0 ? 1 : 0))
((${#budgets[@]})) || budgets=(0 256 192 128 96 64)
mkdir -p "$work"

cgroup="" cgroup_limit=""
for place in /sys/fs/cgroup/memory:memory.limit_in_bytes /sys/fs/cgroup:memory.max; do
  [[ -z $cgroup && -e ${place%:*}/cgroup.procs ]] && mkdir "${place%:*}/scrooge-bench-$$" 2>/dev/null || continue
  cgroup=${place%:*}/scrooge-bench-$$ cgroup_limit=$cgroup/${place#*:}
  [[ -w $cgroup_limit ]] || { rmdir "$cgroup"; cgroup=""; }
done
trap '[[ -z $cgroup ]] || rmdir "$cgroup"' EXIT
if [[ -n $cgroup ]]; then echo "ceiling: a memory cgroup"; else echo "ceiling: RLIMIT_DATA"; fi

# Puts this process below the ceiling of a budget in MiB.
enter_ceiling() {
  (($1 > 0)) || return 0
  if [[ -n $cgroup ]]; then
    echo $((($1 + 32) << 20)) >"$cgroup_limit"
    echo "$BASHPID" >"$cgroup/cgroup.procs"
  else
    ulimit -d $((($1 + 64) << 10))
  fi
}

printf '| budget | peak resident | over | seconds | of processors | to unlimited | durable | SHA-256 |\n'
printf '| --- | --- | --- | --- | --- | --- | --- | --- |\n'
unlimited=""
for budget in "${budgets[@]}"; do
  output=$work/budget-$budget.scrooge
  (
    enter_ceiling "$budget"
    exec "$scrooge" quantize "$checkpoint" --output "$output" --calibration "$text" --fresh --spill "$work" \
      --memory "$([[ $budget == 0 ]] && echo unlimited || echo "${budget}MiB")" --report "$work/report.json" "$@"
  ) >"$work/log" 2>&1 &
  job=$! peak=0 cpu=0
  while kill -0 "$job" 2>/dev/null; do
    now=$(awk '/RssAnon|RssShmem/ { sum += $2 } END { print sum + 0 }' "/proc/$job/status" 2>/dev/null || echo 0)
    ((${now:-0} > peak)) && peak=$now
    now=$(awk -v hertz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hertz }' "/proc/$job/stat" 2>/dev/null || true)
    [[ -z $now || $now == 0 ]] || cpu=$now
    sleep 0.05
  done
  wait "$job" || { tail -n 2 "$work/log" >&2; exit 1; }
  [[ -n $unlimited ]] || unlimited=$cpu
  awk -v budget="$budget" -v peak="$peak" -v seconds="$(json_value "$work/report.json" seconds)" -v cpu="$cpu" \
    -v first="$unlimited" -v durable="$(json_value "$work/report.json" durable_seconds)" \
    -v digest="$(sha256sum "$output" | cut -c1-16)" 'BEGIN {
      mib = peak / 1024
      printf "| %s | %.0f MiB | %s | %.1f | %.1f | %.2f | %.2f s | %s |\n", budget ? budget " MiB" : "none", mib,
        budget ? sprintf("%+.0f MiB", mib - budget) : "-", seconds, cpu, cpu / first, durable, digest
    }'
  rm -f "$output"
done
