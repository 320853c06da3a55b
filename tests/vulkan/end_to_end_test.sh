#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# end_to_end_test.sh TOOL CHECKPOINT TEXT: the tiny model quantized and evaluated on the device `vulkan`, beside the cpu.
# Exit code 77 where there is no such device. What validation layers say goes to standard output, for CTest to find.
set -u -o pipefail
tool=$1
model=$2
text=$3
. "$(dirname "$0")/../cli/support.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

"$tool" devices | grep -q '^vulkan .*available' || { echo "no device vulkan: skipped"; exit 77; }
job=(--calibration "$text" --samples 4 --length 32 --group 16 --grid 4 --quiet)

# near A B RELATIVE
near() { holds "($1) - ($2) <= $3 * ($2) && ($2) - ($1) <= $3 * ($2)"; }
# Digests of all planes and segments.
digests() { "$tool" inspect "$1" --json | grep -oE '"xxh64":"[^"]*"'; }
numbers() { grep -oE "\"$2\" *: *-?[0-9.]+([eE][-+]?[0-9]+)?" "$1" | sed -E 's/.*: *//'; }

# Plain rounding: every plane the same bytes.
for bits in 4 3; do
  for device in cpu vulkan; do
    expect 0 quantize "$model" --output "rtn_$device" --method rtn --bits $bits "${job[@]}" --device $device
    cat out
  done
  [ "$(digests rtn_cpu)" = "$(digests rtn_vulkan)" ] || fail "$bits bits: other bytes than those of the cpu"
done

# Statistics, of which no earlier decision is part: what the device finds in f32 is what the cpu's f32 finds.
statistics=("${job[@]}" --propagate none --effort fast)
expect 0 quantize "$model" --output statistics_cpu "${statistics[@]}" --reproducible --report cpu.json
expect 0 quantize "$model" --output statistics_vulkan "${statistics[@]}" --device vulkan --report vulkan.json
cat out
for figure in loss_rtn loss_identity; do
  paste <(numbers cpu.json $figure) <(numbers vulkan.json $figure) > losses
  [ "$(wc -l < losses)" -ge 8 ] || fail "too few figures $figure: $(cat losses)"
  while read -r cpu vulkan; do near "$vulkan" "$cpu" 1e-5; done < losses
done

# The whole job, where a near tie may be decided otherwise.
expect 0 quantize "$model" --output awq_cpu "${job[@]}" --reproducible --report cpu.json
expect 0 quantize "$model" --output awq_vulkan "${job[@]}" --device vulkan --report vulkan.json
cat out
expect 0 verify awq_vulkan
near "$(json_number vulkan.json loss)" "$(json_number cpu.json loss)" 0.01

# The same bytes once more, and the same file as scored by both.
expect 0 quantize "$model" --output again "${job[@]}" --device vulkan
cat out
same awq_vulkan again
for device in cpu vulkan; do
  expect 0 eval awq_vulkan --text "$text" --context 64 --max-windows 4 --reference "$model" --device $device --json
  cp out "eval_$device"
done
near "$(json_number eval_vulkan perplexity)" "$(json_number eval_cpu perplexity)" 1e-5
near "$(json_number eval_vulkan kl)" "$(json_number eval_cpu kl)" 1e-3
cat eval_vulkan
exit $((failures > 0))
