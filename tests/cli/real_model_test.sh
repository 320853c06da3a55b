#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# real_model_test.sh TOOL MODEL GOLDEN TEXT: the whole job on SmolLM2-135M's GGUF file, which `./dev quickstart` fetches.
# Exit code 77, which CTest shows as skipped, where the file is not there or is another one.
set -u -o pipefail
tool=$1
model=$2
golden=$3
text=$4
. "$(dirname "$0")/support.sh"

skip() { echo "skipped: $*"; exit 77; }
golden_value() { sed -nE "s/^ *\"$1\": \"?([^\",]*)\"?,?$/\1/p" "$golden"; }

[ -f "$model" ] || skip "no $model; './dev quickstart' fetches it"
[ "$(sha256sum "$model" | cut -d' ' -f1)" = "$(golden_value sha256)" ] || skip "$model is not the file of $golden"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
windows=(--text "$text" --context "$(golden_value context)" --max-windows "$(golden_value windows)")

# The model as it is, against transformers. Both are f32, in another order of sums.
expect 0 eval "$model" "${windows[@]}" --json
awk -v ours="$(json_number out perplexity)" -v theirs="$(golden_value perplexity)" \
  'BEGIN { exit !(ours / theirs > 0.9999 && ours / theirs < 1.0001) }' ||
  fail "perplexity $(json_number out perplexity), transformers says $(golden_value perplexity)"

# The job, inside 256 MiB.
job=(--calibration "$text" --samples 8 --length 256 --group 64 --grid 8 --memory 256MiB)
TIMEFORMAT='%U %S'
for method in rtn awq; do
  { time expect 0 quantize "$model" --output "$method" "${job[@]}" --method "$method" --report "$method.json" --quiet; } \
    2> spent
  grep -v '^[0-9. ]*$' spent >&2
  expect 0 verify "$method"
  holds "$(json_number "$method.json" peak_bytes) <= 268435456"
  expect 0 eval "$method" "${windows[@]}" --reference "$model" --json
  cp out "$method.eval"
done
holds "$(json_number awq.eval kl) < 0.7 * $(json_number rtn.eval kl)"
holds "$(json_number awq.eval top1) > 0.8"

# What plan says it takes, on one thread, against the processor time it took. Other work on the machine slows what shares
# its caches, and by how much is not known.
read -r user system < <(grep -E '^[0-9.]+ [0-9.]+$' spent)
expect 0 plan "$model" "${job[@]}" --threads 1 --json
bound=$(awk -v cores="$(nproc)" '{ print $1 < cores ? 2 : 4 }' /proc/loadavg)
echo "awq: planned $(json_number out estimated_seconds) s, took $user + $system s of processor time; bound $bound"
holds "$(json_number out estimated_seconds) / ($user + $system) < $bound"
holds "($user + $system) / $(json_number out estimated_seconds) < $bound"

[ "$failures" -eq 0 ] || { echo "$failures checks failed"; exit 1; }
