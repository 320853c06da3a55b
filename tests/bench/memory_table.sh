#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One job under one budget after another: does it keep to it, are the bytes the same, what does it cost?
#
#   tests/bench/memory_table.sh SCROOGE CHECKPOINT TEXT WORK [BUDGET_MIB...] [-- OPTION...]
#
# The ceiling of every run is real (ceiling.sh). On a machine that does other work, too, compare the seconds of processor
# time. A budget of 0 is none; the others are those below 1 GiB that the README of src/pipeline has figures for.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
source "$here/json.sh"
source "$here/ceiling.sh"
(($# >= 4)) || { echo "usage: $0 SCROOGE CHECKPOINT TEXT WORK [BUDGET_MIB...] [-- OPTION...]" >&2; exit 2; }
scrooge=$1 checkpoint=$2 text=$3 work=$4
shift 4
budgets=()
while (($#)) && [[ $1 != -- ]]; do budgets+=("$1"); shift; done
shift $(($# > 0 ? 1 : 0))
((${#budgets[@]})) || budgets=(0 512 256 192 128 96)
mkdir -p "$work"
make_ceiling
trap remove_ceiling EXIT
echo "ceiling: $(ceiling_text)"

printf '| budget | peak resident | over | seconds | of processors | to unlimited | durable | SHA-256 |\n'
printf '| --- | --- | --- | --- | --- | --- | --- | --- |\n'
unlimited="" failed=0
for budget in "${budgets[@]}"; do
  output=$work/budget-$budget.scrooge
  if ! below_ceiling "$budget" "$work/log" "$scrooge" quantize "$checkpoint" --output "$output" --calibration "$text" \
    --fresh --spill "$work" --memory "$([[ $budget == 0 ]] && echo unlimited || echo "${budget}MiB")" \
    --report "$work/report.json" "$@"; then
    printf '| %s MiB | refused or killed | | | | | | |\n' "$budget"
    failed=1
    continue
  fi
  [[ -n $unlimited ]] || unlimited=$job_cpu
  awk -v budget="$budget" -v peak="$job_peak" -v seconds="$(json_value "$work/report.json" seconds)" -v cpu="$job_cpu" \
    -v first="$unlimited" -v durable="$(json_value "$work/report.json" durable_seconds)" \
    -v digest="$(sha256sum "$output" | cut -c1-16)" 'BEGIN {
      mib = peak / 1024
      printf "| %s | %.0f MiB | %s | %.1f | %.1f | %.2f | %.2f s | %s |\n", budget ? budget " MiB" : "none", mib,
        budget ? sprintf("%+.0f MiB", mib - budget) : "-", seconds, cpu, (first ? cpu / first : 0), durable, digest
    }'
  rm -f "$output"
done
exit "$failed"
