#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One job under one budget after another: does it keep to it, are the bytes the same, what does it cost?
#
#   tests/bench/memory_table.sh SCROOGE CHECKPOINT TEXT WORK [BUDGET_MIB...] [-- OPTION...]
#
# The ceiling of every run is real: RLIMIT_DATA of the budget and 64 MiB, which also counts what is reserved and never
# touched (thread stacks, holes of the heap). The peak is anonymous and shared resident memory, sampled 20 times a second.
# On a machine that does other work, too, compare the seconds of processor time. A budget of 0 is none.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/json.sh"
scrooge=$1 checkpoint=$2 text=$3 work=$4
shift 4
budgets=()
while (($#)) && [[ $1 != -- ]]; do budgets+=("$1"); shift; done
shift $(($# > 0 ? 1 : 0))
((${#budgets[@]})) || budgets=(0 256 192 128 96 64)
mkdir -p "$work"

printf '| budget | peak resident | over | seconds | of processors | to unlimited | durable | SHA-256 |\n'
printf '| --- | --- | --- | --- | --- | --- | --- | --- |\n'
unlimited=""
for budget in "${budgets[@]}"; do
  output=$work/budget-$budget.scrooge
  limit=$((budget > 0 ? budget : 0))
  (
    ((limit > 0)) && ulimit -d $(((limit + 64) * 1024))
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
