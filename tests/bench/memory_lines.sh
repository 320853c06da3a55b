#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Memory against the number of blocks and, with spilling, against the number of samples: two flat lines, as a table.
#
#   tests/bench/memory_lines.sh SCROOGE WORK [BUDGET_MIB [SHAPE]] [-- OPTION...]
#
# The checkpoints are made (make_checkpoint.py, plain Python), with SmolLM2's shape and a small vocabulary unless SHAPE
# says otherwise. Rows have 256 tokens. The budget, 192 MiB unless given, is a ceiling that is real (ceiling.sh); more
# samples than it has room for are spilled. BLOCKS and SAMPLES are lists in the environment.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
source "$here/json.sh"
source "$here/ceiling.sh"
(($# >= 2)) || { echo "usage: $0 SCROOGE WORK [BUDGET_MIB [SHAPE]] [-- OPTION...]" >&2; exit 2; }
scrooge=$1 work=$2
shift 2
budget=192 shape=135m
[[ $# == 0 || $1 == -- ]] || { budget=$1; shift; }
[[ $# == 0 || $1 == -- ]] || { shape=$1; shift; }
shift $(($# > 0 ? 1 : 0))
read -r -a blocks <<<"${BLOCKS:-2 8 32}"
read -r -a samples <<<"${SAMPLES:-16 64 256}"
mkdir -p "$work"
make_ceiling
trap remove_ceiling EXIT
echo "budget $budget MiB; ceiling: $(ceiling_text)"

line() { # BLOCKS SAMPLES [OPTION...]
  local model=$work/$shape-$1 report=$work/report.json output=$work/line.scrooge count=$1 rows=$2
  shift 2
  [[ -e $model/model.safetensors ]] ||
    python3 "$here/make_checkpoint.py" "$shape" "$model" --blocks "$count" --vocabulary 4096 --tokens 70000
  below_ceiling "$budget" "$work/log" "$scrooge" quantize "$model" --output "$output" --fresh --states replay \
    --calibration-ids "$model/ids.txt" --samples "$rows" --length 256 --group 64 --spill "$work" \
    --memory "${budget}MiB" --report "$report" "$@"
  awk -v blocks="$count" -v samples="$rows" -v peak="$job_peak" -v counted="$(json_value "$report" peak_bytes)" \
    -v cpu="$job_cpu" 'BEGIN {
      printf "| %d | %d | %.1f MiB | %.0f MiB | %.1f |\n", blocks, samples, counted / 1048576, peak / 1024, cpu }'
  rm -f "$output"
}

printf '| blocks | samples | counted | peak resident | seconds of processors |\n| --- | --- | --- | --- | --- |\n'
for count in "${blocks[@]}"; do line "$count" "${samples[0]}" "$@"; done
for rows in "${samples[@]:1}"; do line "${blocks[0]}" "$rows" "$@"; done
