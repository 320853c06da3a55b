#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run_test.sh BUILD: run.sh works, shown on the processor with the smallest of everything; and it tells a failure.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
small=(--build "$1" --shapes tiny --checkpoint tiny --samples 4 --minutes 5)
small+=(--work "$scratch" --tables "$scratch/tables")

fail() { echo "$*" >&2; exit 1; }

"$here/run.sh" "${small[@]}" --device cpu --steps golden,ops,checkpoint,model | tee "$scratch/out"
steps=3
command -v python3 >/dev/null || steps=2 # it writes the checkpoint
grep -qx "$steps passed, 0 failed, $((4 - steps)) skipped" "$scratch/out" || fail "not all steps passed"
table=("$scratch"/tables/*.md)
for row in '| tiny | gptq | N 36, K 36, g 16 | [0-9.]+ [mu]?s | [0-9]+ % |' '| cpu | golden | passed | .*' \
  '.*no measure of any card.*'; do
  grep -qE "^${row//|/\\|}\$" "${table[0]}" || fail "the table lacks a row: $row"
done

if "$here/run.sh" "${small[@]}" --device nonsense:1 --steps ops >"$scratch/out" 2>&1; then
  fail "a missing device passed"
fi
grep -q '^nonsense:1 *device *failed' "$scratch/out" || fail "a missing device is not named"
