#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh SECONDS [TARGET...]: runs each libFuzzer target (all by default) that long, JOBS (one per core) at a time, and
# prints how often it ran. Exits with 1 when one finds something; the input is then left in FINDS. The corpus grows in
# CORPUS from run to run. BUILD (build/fuzz) is the build of the preset `fuzz`.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
(($# >= 1)) || { echo "usage: $0 SECONDS [TARGET...]" >&2; exit 2; }
seconds=$1
shift
jobs=${JOBS:-$(nproc)} build=${BUILD:-$here/../../build/fuzz}
corpus=${CORPUS:-$build/fuzz-corpus} finds=${FINDS:-$build/fuzz-finds}
targets=("$@")
if ((${#targets[@]} == 0)); then
  for source in "$here"/targets/*.cc; do targets+=("$(basename "$source" .cc)"); done
fi
# Leaks are finds too; a huge allocation is one (-malloc_limit_mb) instead of a crash of the machine.
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}

# For the files of the targets, in memory where possible, and for what one that crashes leaves behind.
TMPDIR=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

fuzz() { # TARGET
  local target=$1 program=$build/bin/fuzz_$1 dictionary=$here/dictionaries/$1.dict log=$finds/$1.log result=ok
  mkdir -p "$corpus/$target" "$finds/$target"
  "$program" "-write_seeds=$corpus/$target"
  local options=(-max_total_time="$seconds" -timeout=25 -rss_limit_mb=3000 -malloc_limit_mb=1500 -print_final_stats=1
    -max_len=65536 -artifact_prefix="$finds/$target/")
  [[ -f $dictionary ]] && options+=(-dict="$dictionary")
  local folders=("$corpus/$target")
  [[ -d $here/regressions/$target ]] && folders+=("$here/regressions/$target")
  if ! "$program" "${options[@]}" "${folders[@]}" >"$log" 2>&1; then
    result="FOUND something: $log, input under $finds/$target"
    tail -n 40 "$log" >&2
  fi
  awk -v target="$target" -v result="$result" -v corpus="$(find "$corpus/$target" -type f | wc -l)" '
    /stat::number_of_executed_units/ { executions = $2 }
    /stat::average_exec_per_sec/ { rate = $2 }
    END { printf "%-17s %12s %10s %8s %s\n", target, executions, rate, corpus, result }' "$log"
  [[ $result == ok ]]
}

for target in "${targets[@]}"; do
  [[ -x $build/bin/fuzz_$target ]] ||
    { echo "$0: no $build/bin/fuzz_$target; build the target 'fuzzers' of the preset 'fuzz'" >&2; exit 2; }
done
status=0 running=0
printf '%-17s %12s %10s %8s %s\n' target executions per-second corpus result
for target in "${targets[@]}"; do
  ((running < jobs)) || { wait -n || status=1; running=$((running - 1)); }
  fuzz "$target" &
  running=$((running + 1))
done
while ((running > 0)); do
  wait -n || status=1
  running=$((running - 1))
done
exit "$status"
