#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A checkpoint of a large model's shape and few blocks, planned and quantized in a given budget: its peak and its time.
#
#   tests/bench/large_shape.sh SCROOGE WORK [SHAPE [BLOCKS [BUDGET_MIB]]] [-- OPTION...]
#
# SHAPE is 8b, BLOCKS 2 and the budget 1536 MiB unless given. The checkpoint (make_checkpoint.py, plain Python; 1 GB for
# 8b and 2 blocks) stays in WORK for the next run, with a vocabulary of 8192. What is spilled goes there, too. The ceiling
# is real (ceiling.sh). 128 x 512 tokens, unless the options say otherwise.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
source "$here/json.sh"
source "$here/ceiling.sh"
(($# >= 2)) || { echo "usage: $0 SCROOGE WORK [SHAPE [BLOCKS [BUDGET_MIB]]] [-- OPTION...]" >&2; exit 2; }
scrooge=$1 work=$2
shift 2
shape=8b blocks=2 budget=1536
[[ $# == 0 || $1 == -- ]] || { shape=$1; shift; }
[[ $# == 0 || $1 == -- ]] || { blocks=$1; shift; }
[[ $# == 0 || $1 == -- ]] || { budget=$1; shift; }
shift $(($# > 0 ? 1 : 0))
mkdir -p "$work"
make_ceiling
trap remove_ceiling EXIT
model=$work/$shape-$blocks-blocks
[[ -e $model/model.safetensors ]] ||
  python3 "$here/make_checkpoint.py" "$shape" "$model" --blocks "$blocks" --vocabulary 8192 --tokens 140000

job=(--calibration-ids "$model/ids.txt" --output "$work/$shape.scrooge" --spill "$work" --memory "${budget}MiB" "$@")
"$scrooge" plan "$model" "${job[@]}"
below_ceiling "$budget" "$work/log" "$scrooge" quantize "$model" "${job[@]}" --fresh --report "$work/report.json"
report=$work/report.json
awk -v shape="$shape" -v blocks="$blocks" -v budget="$budget" -v peak="$job_peak" -v cpu="$job_cpu" \
  -v ceiling="$(ceiling_text)" -v counted="$(json_value "$report" peak_bytes)" \
  -v planned="$(json_value "$report" planned_peak_bytes)" -v seconds="$(json_value "$report" seconds)" 'BEGIN {
    mebi = 1048576
    printf "\n%s, %d blocks, budget %d MiB (ceiling: %s)\n", shape, blocks, budget, ceiling
    printf "peak resident %.0f MiB, counted %.0f MiB, planned %.0f MiB\n", peak / 1024, counted / mebi, planned / mebi
    printf "%.1f s, %.1f s of processors, %.1f of them a block\n", seconds, cpu, cpu / blocks }'
rm -f "$work/$shape.scrooge"
