#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ops_bench_test.sh OPS_BENCH OP_PARAMS_H DEVICE: on the tiny shapes every op of the contract is measured, with a floor.
# Exit code 77, which CTest shows as skipped, where there is no such device.
set -euo pipefail
ops_bench=$1 contract=$2 device=$3
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT

code=0
"$ops_bench" --device "$device" --shapes tiny --runs 1 --threads 2 --json >"$lines" || code=$?
((code != 2)) || exit 77
((code == 0)) || { grep '"error"' "$lines"; echo "ops_bench failed with exit code $code"; exit 1; }

missing=0
while read -r op; do
  if ! grep "\"op\": *\"$op\"" "$lines" | grep -q '"floor_seconds": *[1-9]'; then
    echo "$op has no measured case"
    missing=1
  fi
done < <(sed -nE 's/^ *virtual Status ([a-z_]+)\(const .*/\1/p' "$contract")
exit "$missing"
