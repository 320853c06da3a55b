#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job on a real model by a fixed protocol; `./dev bench` calls it. Quantizes with 32 rows of 512 tokens to
# 4 bits, groups of 64, asymmetric; evaluates windows of 2048 tokens against the original; samples the memory that the
# process really holds; then checks that a second run, one thread and two threads give the same bytes.
set -euo pipefail
export LC_NUMERIC=C
source "$(dirname "${BASH_SOURCE[0]}")/json.sh"
(($# == 5)) || { echo "usage: $0 SCROOGE MODEL CALIBRATION_TEXT EVALUATION_TEXT WORK_FOLDER" >&2; exit 2; }
readonly scrooge=$1 model=$2 calibration=$3 evaluation=$4 work=$5
mkdir -p "$work"
rm -f "$work"/*.scrooge "$work"/*.json "$work"/*.peak

fail() { echo "bench: $*" >&2; exit 1; }

# sampled NAME COMMAND...: runs it and leaves its peak of anonymous and shared memory, in bytes, in NAME.peak.
sampled() {
  local name=$1 key value peak=0 sum process
  shift
  "$@" >"$work/$name.log" 2>&1 &
  process=$!
  while kill -0 "$process" 2>/dev/null; do
    sum=0
    while read -r key value _; do
      case $key in RssAnon: | RssShmem:) ((sum += value)) || true ;; esac
    done 2>/dev/null <"/proc/$process/status" || true
    if ((sum > peak)); then peak=$sum; fi
    sleep 0.05
  done
  wait "$process" || { tail -n 5 "$work/$name.log" >&2; fail "this failed: $*"; }
  echo $((peak * 1024)) >"$work/$name.peak"
}

options() { # NAME: the arguments common to plan and quantize
  printf '%s\0' "$model" --output "$work/$1.scrooge" --calibration "$calibration" --samples 32 --length 512 --bits 4 \
    --group 64 --asymmetric
}

quantize() { # NAME [OPTION...]
  local name=$1 arguments
  shift
  mapfile -d '' -t arguments < <(options "$name")
  echo "quantizing: $name"
  sampled "$name" "$scrooge" quantize "${arguments[@]}" --report "$work/$name.report.json" "$@"
}

evaluate() { # NAME FILE [OPTION...]
  local name=$1 file=$2
  shift 2
  echo "evaluating: $name"
  "$scrooge" eval "$file" --text "$evaluation" --context 2048 --json "$@" >"$work/$name.eval.json" ||
    fail "evaluating $file failed"
}

number() { awk -v value="$1" -v format="$2" -v factor="${3:-1}" \
  'BEGIN { printf "%s", (value == "" || value == "null" ? "-" : sprintf(format, value * factor)) }'; }

mapfile -d '' -t plan_arguments < <(options awq)
"$scrooge" plan "${plan_arguments[@]}" --json >"$work/plan.json" || fail "the plan failed"
planned=$(json_value "$work/plan.json" peak_bytes)

quantize rtn --method rtn
quantize awq --method awq
evaluate original "$model"
evaluate rtn "$work/rtn.scrooge" --reference "$model"
evaluate awq "$work/awq.scrooge" --reference "$model"

echo
echo "processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) threads"
echo "calibration: $calibration; evaluation: $evaluation"
printf '%-9s %11s %8s %8s %9s %12s\n' model perplexity KL top-1 seconds "peak memory"
for name in original rtn awq; do
  seconds="" peak=""
  if [[ $name != original ]]; then
    seconds=$(json_value "$work/$name.report.json" seconds) peak=$(<"$work/$name.peak")
  fi
  report=$work/$name.eval.json
  printf '%-9s %11s %8s %8s %9s %12s\n' "$name" "$(number "$(json_value "$report" perplexity)" %.3f)" \
    "$(number "$(json_value "$report" kl)" %.4f)" "$(number "$(json_value "$report" top1)" '%.1f %%' 100)" \
    "$(number "$seconds" %.1f)" "$(number "$peak" '%.0f MiB' 9.5367431640625e-7)"
done
counted=$(json_value "$work/awq.report.json" peak_bytes)
awk -v measured="$(<"$work/awq.peak")" -v planned="$planned" -v counted="$counted" 'BEGIN {
  mebi = 1048576
  printf "awq memory: planned %.0f MiB, counted by the budget %.0f MiB, measured %.0f MiB, measured / planned %.3f\n",
    planned / mebi, counted / mebi, measured / mebi, planned ? measured / planned : 0 }'

quantize again --method awq
quantize one-thread --method awq --threads 1
quantize two-threads --method awq --threads 2
for name in again one-thread two-threads; do
  cmp -s "$work/awq.scrooge" "$work/$name.scrooge" || fail "$name.scrooge differs from awq.scrooge"
done
printf 'the same bytes in two runs, with 1 and with 2 threads: %s\n' "$(sha256sum "$work/awq.scrooge" | cut -d' ' -f1)"
for name in one-thread two-threads; do
  printf '%-12s %9s s\n' "$name" "$(number "$(json_value "$work/$name.report.json" seconds)" %.1f)"
done
