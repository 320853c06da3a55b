#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli_test.sh GROUP TOOL CHECKPOINT TEXT: one group of tests of the scrooge command, in a folder of its own that is removed
# at the end. The groups are the test_ functions below.
set -u -o pipefail
group=$1
tool=$2
model=$3
text=$4
. "$(dirname "$0")/support.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

# A quick job on the tiny model.
small=(--calibration "$text" --samples 4 --length 32 --group 16 --grid 4)

test_help() {
  local command
  expect 0 --version
  out_has '^scrooge [0-9]+\.[0-9]+\.[0-9]+$'
  expect 0 --help
  for command in plan quantize inspect verify repack eval tokenize devices; do
    out_has "^  $command "
  done
  out_has '^  130 +cancelled$'
  for command in plan quantize inspect verify repack eval tokenize devices; do
    expect 0 "$command" --help
    out_has '^Examples:$'
    [ "$(grep -c "^  scrooge $command" out)" -ge 2 ] || fail "$command --help has fewer than two examples"
  done
}

test_usage() {
  expect 2
  err_has "Run 'scrooge --help'"
  expect 2 nonsense
  err_has "nonsense"
  expect 2 --nonsense
  expect 2 quantize
  expect 2 quantize "$model"
  err_has "--output"
  expect 2 quantize "$model" --output o
  err_has "--calibration"
  expect 2 quantize "$model" --output o "${small[@]}" --nonsense
  err_has "--nonsense"
  err_has "Run 'scrooge quantize --help'"
  for bad in 5 0 16 -4 4.5 four; do
    expect 2 quantize "$model" --output o --calibration "$text" --bits "$bad"
  done
  for bad in 7 1 -8 x; do
    expect 2 quantize "$model" --output o --calibration "$text" --group "$bad"
  done
  for bad in 0 1.5 -1 10XB MiB 1.MiB 1e9 99999999TiB; do
    expect 2 quantize "$model" --output o "${small[@]}" --memory "$bad"
    expect 2 quantize "$model" --output o "${small[@]}" --device-memory "$bad"
  done
  for bad in 0 -1 x 0x10 4294967296; do
    expect 2 quantize "$model" --output o --calibration "$text" --samples "$bad"
  done
  expect 2 quantize "$model" --output o "${small[@]}" --method magic
  expect 2 quantize "$model" --output o "${small[@]}" --preset huge
  err_has 'minimal, fast, production, max'
  expect 2 quantize "$model" --output o "${small[@]}" --propagate everything
  expect 2 quantize "$model" --output o "${small[@]}" --scale-type fp8
  expect 2 quantize "$model" --output o "${small[@]}" --symmetric --asymmetric
  expect 2 quantize "$model" --output o "${small[@]}" --quiet --verbose
  expect 2 quantize "$model" --output o "${small[@]}" --calibration-ids "$text"
  expect 2 eval "$model"
  expect 2 eval "$model" --text "$text" --context 0
  expect 2 tokenize "$model"
  expect 2 tokenize "$model" --decode "1 two 3"
  [ ! -e o ] || fail "a refused command wrote its output"
}

test_inputs() {
  mkdir empty outputs bad_config
  cp "$model"/* bad_config/
  echo '{' > bad_config/config.json
  : > empty.txt
  expect 3 quantize missing --output outputs/o "${small[@]}"
  err_has 'missing'
  expect 3 quantize empty --output outputs/o "${small[@]}"
  expect 3 quantize bad_config --output outputs/o "${small[@]}"
  err_has 'config\.json'
  expect 3 quantize "$model" --output outputs/o --calibration missing.txt
  err_has 'missing\.txt'
  expect 3 quantize "$model" --output outputs/o --calibration empty.txt
  expect 3 quantize "$model" --output missing_folder/o "${small[@]}"
  expect 3 quantize "$model" --output outputs/o "${small[@]}" --report missing_folder/r
  expect 3 quantize "$model" --output outputs/o "${small[@]}" --report outputs
  expect 3 quantize "$model" --output outputs/o "${small[@]}" --report outputs/o
  expect 4 quantize "$model" --output outputs/o "${small[@]}" --memory 1KiB
  err_has '[0-9]'
  expect 5 quantize "$model" --output outputs/o "${small[@]}" --device nonsense
  expect 3 inspect missing
  expect 6 inspect "$text"
  expect 3 verify missing
  expect 6 verify "$text"
  expect 6 verify empty.txt
  expect 3 eval missing --text "$text"
  expect 3 eval "$model" --text missing.txt
  expect 3 tokenize missing text
  expect 3 tokenize empty text
  expect 3 tokenize "$model" --file missing.txt
  empty_folder outputs
  if [ "$(id -u)" -ne 0 ]; then
    chmod a-w outputs
    expect 3 quantize "$model" --output outputs/o "${small[@]}"
  fi
}

test_outputs() {
  local victim
  cp -r "$model" copy
  cp "$text" text.txt
  for victim in copy/model.safetensors copy/config.json text.txt; do
    cp "$victim" before
    expect 3 quantize copy --output "$victim" --calibration text.txt --samples 4 --length 32
    same "$victim" before
  done
  # Through another name, too.
  ln copy/model.safetensors alias
  expect 3 quantize copy --output alias --calibration text.txt --samples 4 --length 32
  cp text.txt before
  expect 3 quantize copy --output o --calibration text.txt --report text.txt
  same text.txt before
  mkdir folder
  run quantize copy --output folder "${small[@]}"
  [ "$code" -eq 2 ] || [ "$code" -eq 3 ] || fail "a folder as output: exit code $code"
  empty_folder folder
  if [ -e /dev/full ]; then
    "$tool" devices > /dev/full 2> err
    [ $? -eq 3 ] || fail "results that could not be written: $(cat err)"
  fi
}

test_tokenize() {
  local sample='Tim lost 7 coins by the cold grate, before dawn.' ids
  expect 0 tokenize "$model" "$sample"
  out_has '^[0-9]+( [0-9]+)+$'
  ids=$(cat out)
  cp out reference
  printf '%s' "$sample" > sample.txt
  expect 0 tokenize "$model" --file sample.txt
  same out reference
  printf '%s' "$sample" | "$tool" tokenize "$model" - > out || fail "tokenize -"
  same out reference
  expect 0 tokenize "$model" --decode "$ids"
  [ "$(cat out)" = "$sample" ] || fail "decoded: $(cat out)"
  expect 0 tokenize "$model" --decode "${ids// /,}" --json
  json_has out text
  expect 0 tokenize "$model" "$sample" --json
  json_has out ids count
  expect 0 tokenize "$model" ""
  run tokenize "$model" --decode 2000000000
  [ "$code" -eq 2 ] || [ "$code" -eq 3 ] || fail "an id beyond the vocabulary: exit code $code"
}

test_plan() {
  expect 0 plan "$model" --json
  json_has out peak_bytes minimum_bytes
  expect 0 plan "$model" --method rtn
  out_has 'peak .*minimum '
  # A table with a line for every item of the JSON, that fits a page.
  expect 0 plan "$model" "${small[@]}" --json
  json_has out items overhead_bytes spill_bytes budget_bytes budget_origin settings
  [ "$(grep -o '"placement":"held"' out | wc -l)" -gt 5 ] || fail "the items lack their placement"
  local lines
  lines=$(grep -o '"purpose"' out | wc -l)
  expect 0 plan "$model" "${small[@]}"
  out_has '^stage +buffer +MiB  kept$'
  out_has '^job  '
  [ "$(grep -cE '^.{5}.* [0-9]+\.[0-9]  (held|streamed|spilled|recomputed)$' out)" -eq "$lines" ] || fail "the table: $(cat out)"
  awk 'length > 100 { exit 1 }' out || fail "a line above 100 columns: $(cat out)"
  out_has '^job      4 rows of 32 tokens, effort default; '
  # So does time: a line for every part, correction and second-order rounding among them.
  out_has '^work +seconds +share$'
  out_has '^error correction +[0-9.]+ +[0-9]+ %$'
  out_has '^second-order rounding +[0-9.]+ +[0-9]+ %$'
  out_has '^time     about [0-9.:]+( s)?, [0-9.]+ times --effort fast; by a product timed on this machine$'
  expect 0 plan "$model" "${small[@]}" --json
  json_has out estimated_seconds estimated_seconds_fast estimated_ratio time_items rates held_out_tokens statistics_tokens
  local whole
  whole=$(json_number out estimated_seconds)
  expect 0 plan "$model" "${small[@]}" --correct 0 --json
  ! grep -q 'error correction' out || fail "a correction of 0 takes time"
  holds "$(json_number out estimated_seconds) > 0 && $whole > 0"
  mkdir outputs
  expect 0 plan "$model" --output outputs/o "${small[@]}" --bits 3 --memory 1.5GiB
  out_has '1\.50 GiB'
  empty_folder outputs
}

test_preset() {
  local order
  for order in "--preset minimal --length 64" "--length 64 --preset minimal"; do
    # shellcheck disable=SC2086
    expect 0 plan "$model" $order
    out_has '^job      preset minimal: 16 rows of 64 tokens, effort fast; '
  done
  expect 0 plan "$model" --preset max --effort default --json
  grep -q '"samples":256,"length":1024,"effort":"default"' out || fail "the settings: $(cat out)"
  expect 0 plan "$model" --json
  cp out before
  expect 0 plan "$model" --preset production --json
  for key in samples length effort; do
    [ "$(grep -oE "\"$key\":[^,]*" out)" = "$(grep -oE "\"$key\":[^,]*" before)" ] || fail "production is not the default"
  done
  expect 0 quantize "$model" --output named --calibration "$text" --group 16 --preset fast --length 32 --samples 4 --quiet
  expect 0 quantize "$model" --output spelled "${small[@]}" --grid 20 --effort fast --quiet
  same named spelled
}

test_budget() {
  local minimum peak
  expect 0 plan "$model" "${small[@]}" --json
  minimum=$(json_number out minimum_bytes)
  expect 0 quantize "$model" --output free "${small[@]}" --quiet
  expect 0 quantize "$model" --output tight "${small[@]}" --memory "$minimum" --report tight.json --quiet
  same free tight
  peak=$(json_number tight.json peak_bytes)
  holds "$peak <= $minimum"
  expect 4 quantize "$model" --output refused "${small[@]}" --memory "$((minimum - 1))"
  # The device's memory is the host's: the smaller ceiling counts.
  expect 4 quantize "$model" --output refused "${small[@]}" --device-memory "$((minimum - 1))"
  err_has 'device-memory'
  expect 0 plan "$model" "${small[@]}" --memory 1GiB --device-memory 512MiB
  out_has '^budget +512 MiB, given for the device$'
  expect 0 plan "$model" "${small[@]}" --memory 512MiB --device-memory unlimited
  out_has '^budget +512 MiB, given$'
  expect 0 plan "$model" "${small[@]}" --memory unlimited
  out_has '^budget +no limit$'
  # Not given: what is free, whatever says so first.
  expect 0 plan "$model" "${small[@]}"
  out_has '^budget +(no limit|[0-9.]+ [KMG]iB, (free in the cgroup|free on this machine|left by ulimit))$'
  (
    ulimit -v 2097152 2> /dev/null || exit 0
    expect 0 plan "$model" "${small[@]}"
    out_has '^budget +[0-9.]+ .iB, (free in the cgroup|free on this machine|left by ulimit)$'
    exit "$failures"
  ) || fail "a budget under ulimit"
  # Too small: the plan for the minimum, what would lower it, and the error.
  expect 4 plan "$model" "${small[@]}" --memory "$((minimum - 1))"
  out_has '^stage +buffer'
  out_has '^budget +too small'
  out_has '^less by +--'
  err_has "$minimum bytes"
  # The error alone says what else the job could run with.
  expect 4 quantize "$model" --output refused "${small[@]}" --memory 1 --threads 4
  err_has 'at least .*; raise --memory, .*give --effort fast \(needs [0-9.]+ [KM]iB\) or --threads 1 \(needs [0-9.]+ [KM]iB\), '
  expect 4 quantize "$model" --output refused "${small[@]}" --memory 1 --threads 1 --effort fast
  grep -qE 'effort fast \(|threads 1 \(' err && fail "advice to do what is done: $(cat err)"
  # What no budget counts is at most 32 MiB, and told.
  expect 0 plan "$model" "${small[@]}" --json
  holds "$(json_number out overhead_bytes) > 0 && $(json_number out overhead_bytes) <= 32 * 1048576"
  grep -q '"purpose":"token ids","bytes":512,' out || fail "token ids are not planned for: $(cat out)"
  expect 0 quantize "$model" --output told "${small[@]}" --layout awq --save-calibration told.calib --memory 64MiB
  out_has '^memory +peak [0-9.]+ [KM]iB and [0-9.]+ MiB of the process itself; budget 64.0 MiB, given$'
  [ ! -e refused ] || fail "a job beyond its budget wrote its output"
  # More than one chunk of tokens, so that there is something to spill.
  local many=(--calibration "$text" --samples 64 --length 32 --group 16 --grid 4)
  expect 0 plan "$model" "${many[@]}" --json
  minimum=$(json_number out minimum_bytes)
  expect 0 plan "$model" "${many[@]}" --memory "$((minimum - 1))" --spill .
  out_has '^spill  .* on disk$'
  expect 0 quantize "$model" --output free "${many[@]}" --quiet
  expect 0 quantize "$model" --output spilled "${many[@]}" --memory "$((minimum - 1))" --spill . --quiet
  same free spilled
}

# Disks: told by the plan, refused before the work.
test_disk() {
  local option
  expect 0 plan "$model" "${small[@]}" --output o --states keep
  out_has '^disk +\. needs [0-9.]+ [KM]iB \(output [0-9.]+ [KM]iB, kept hidden states [0-9.]+ [KM]iB\), [0-9.]+ .*iB free$'
  expect 0 plan "$model" "${small[@]}" --output o --spill . --json
  json_has out disk
  for option in --spill --output --save-calibration; do
    [ "$option" = --save-calibration ] && continue  # of quantize alone
    expect 3 plan "$model" "${small[@]}" "$option" nowhere/there
    err_has 'nowhere'
  done
  expect 3 quantize "$model" "${small[@]}" --output o --save-calibration nowhere/there
  expect 3 quantize "$model" "${small[@]}" --output o --spill nowhere
  err_has '^scrooge: not found: --spill: nowhere: '
  # A disk with less than the output takes.
  mkdir disk
  mount -t tmpfs -o size=128k tmpfs disk 2> /dev/null || return 0
  trap 'umount disk; rm -rf "$scratch"' EXIT
  expect 3 quantize "$model" "${small[@]}" --bits 8 --output disk/o
  err_has '^scrooge: no space left: disk: this job needs [0-9.]+ KiB \(output [0-9.]+ KiB.*\) on that disk, which has [0-9.]+ KiB free; '
  empty_folder disk
  # Spill files for which there is no room: planned with a warning, refused by the job.
  local many=(--calibration "$text" --samples 64 --length 32 --group 16 --grid 4 --spill disk) minimum
  expect 0 plan "$model" "${many[@]}" --json
  minimum=$(json_number out minimum_bytes)
  many+=(--memory "$((minimum + 100000))")
  expect 0 plan "$model" "${many[@]}"
  out_has '^disk +disk needs [0-9.]+ [KM]iB \(spill files [0-9.]+ [KM]iB\), [0-9.]+ KiB free$'
  err_has "^warning: disk: [0-9.]+ [KM]iB too little on that disk; 'scrooge quantize' would refuse this job$"
  expect 3 quantize "$model" "${many[@]}" --output o
  err_has '^scrooge: no space left: disk: this job needs .*spill files'
  [ ! -e o.partial ] || fail "a refused job began"
  head -c 120000 /dev/zero > disk/other
  expect 3 quantize "$model" "${small[@]}" --output o --save-calibration disk/c
  err_has ': disk: this job needs [0-9.]+ KiB \(calibration results [0-9.]+ KiB\) .*--save-calibration'
  [ "$(ls disk)" = other ] || fail "left behind: $(ls disk)"
}

# A file above the limit of the process is an error like any other, not the end by SIGXFSZ.
test_file_size() {
  (
    ulimit -f 64 || exit 1
    expect 3 quantize "$model" "${small[@]}" --output o
    err_has '^scrooge: no space left: o: .*ulimit -f'
    exit "$failures"
  ) || fail "a file size limit"
  [ "$(ls)" = $'err\nout' ] || fail "left behind: $(ls)"
}

# A text much larger than the budget and than what the process may have at all.
test_long_text() {
  local sampling part
  for _ in $(seq 100); do cat "$text"; done > part.txt
  while [ "$(size_of part.txt)" -lt 4000000 ]; do cat part.txt part.txt > more.txt && mv more.txt part.txt; done
  for _ in $(seq 16); do head -c 3800000 part.txt; done > long.txt
  [ "$(size_of long.txt)" -gt 60000000 ] || fail "the text is too short"
  (
    ulimit -d 98304 || exit 1
    for sampling in first even; do
      expect 0 plan "$model" --calibration long.txt --samples 64 --length 64 --group 16 --sampling "$sampling" \
        --memory 64MiB --threads 1
      out_has '^job      64 rows of 64 tokens'
    done
    exit "$failures"
  ) || fail "a long text in a budget of 64 MiB"
  rm -f long.txt
}

test_quantize() {
  local bits method sign name
  for bits in 2 3 4 8; do
    for method in awq rtn; do
      for sign in symmetric asymmetric; do
        name=$method-$bits-$sign
        expect 0 quantize "$model" --output "$name" "${small[@]}" --bits "$bits" --method "$method" --"$sign" --threads 1
        out_has "^wrote +$name"
        out_has '^weights +[0-9.]+ bits'
        expect 0 quantize "$model" --output again "${small[@]}" --bits "$bits" --method "$method" --"$sign" --threads 2
        same "$name" again
        expect 0 verify "$name"
      done
    done
  done
  holds "$(size_of rtn-2-symmetric) < $(size_of rtn-4-symmetric)"
  holds "$(size_of rtn-4-symmetric) < $(size_of rtn-8-symmetric)"
  for sign in linear block none; do
    expect 0 quantize "$model" --output "$sign" "${small[@]}" --propagate "$sign" --scale-type bf16 --no-clip --seed 7 --quiet
    [ ! -s out ] || fail "--quiet printed: $(cat out)"
  done
  expect 0 quantize "$model" --output reference "${small[@]}" --method rtn --device reference --group 0
  # RTN needs no text.
  expect 0 quantize "$model" --output rtn --method rtn --group 16
  # Enough short rows for a tenth of them to be held out, 6 of 64.
  for sampling in even random; do
    expect 0 quantize "$model" --output sampled --calibration "$text" --samples 64 --length 32 --group 16 --grid 4 \
      --sampling "$sampling" --outlier-percent 2.5 --max-tokens-per-sample 20 --refine 2 --refit 2 --report sampled.json
    holds "$(json_number sampled.json held_out_tokens) == 192"
    json_has sampled.json overfit_linears linears budget_bytes budget_origin
    grep -q held_out_loss_rtn sampled.json || fail "no held-out losses in the report"
    expect 0 verify sampled
  done
  # A seed implies random rows, also 0; other rows have none.
  local seeded
  for seeded in "--seed 0" "--seed 3" "--seed 3 --sampling random"; do
    # shellcheck disable=SC2086
    expect 0 quantize "$model" --output sampled "${small[@]}" --effort fast $seeded
    expect 0 inspect sampled --json
    grep -q '"sampling":"random"' out || fail "$seeded does not choose rows at random"
  done
  for seeded in "--sampling even --seed 3" "--seed 0 --sampling even" "--seed 3 --sampling first"; do
    # shellcheck disable=SC2086
    expect 2 quantize "$model" --output sampled "${small[@]}" $seeded
    err_has '--seed'
  done
  # What is held out, and what came of it, is told; where nothing is, there is a warning.
  expect 0 quantize "$model" --output sampled --calibration "$text" --samples 20 --length 64 --group 16 --grid 4
  out_has '^tokens   1,280; 1,152 in the statistics$'
  out_has '^guard    held out 128 tokens; [0-9]+ corrections? dropped, [0-9]+ linears? rounded to nearest'
  ! grep -q '^warning' err || fail "warnings: $(cat err)"
  expect 0 inspect sampled --json
  grep -q '"held_out":128,"statistics":1152' out || fail "the file does not say what was held out"
  grep -q '"effort":"default"' out || fail "the file does not say the effort"
  expect 0 quantize "$model" --output sampled "${small[@]}" --quiet
  err_has '^warning: held-out: of 4 rows of 32 tokens none is held out'
  expect 0 quantize "$model" --output sampled "${small[@]}" --held-out 0
  out_has '^guard    no tokens held out'
  expect 2 quantize "$model" --output sampled "${small[@]}" --sampling odd
  expect 2 quantize "$model" --output sampled "${small[@]}" --held-out 51
  "$tool" tokenize "$model" --file "$text" > ids
  expect 0 quantize "$model" --output ids_job --calibration-ids ids --samples 4 --length 32 --group 16
}

test_calibration() {
  expect 0 quantize "$model" --output first "${small[@]}" --effort fast --save-calibration saved --quiet
  expect 0 inspect saved
  out_has '^saved: .*--from-calibration'
  out_has '^block +stage +scale +alpha +gain$'
  out_has '^ +1 +down +[a-z_]+ +[01]\.[0-9]{3} +[0-9.]+ %$'
  out_has '^block +tokens +loss +by nearest +gain$'
  expect 0 inspect saved --json
  json_has out blocks sources attributes tag
  expect 0 verify saved
  expect 0 plan "$model" --group 16 --from-calibration saved
  out_has '^job      from the calibration results in saved$'
  expect 0 quantize "$model" --output second --group 16 --from-calibration saved --quiet
  expect 0 eval first --text "$text" --context 64 --json
  local perplexity
  perplexity=$(json_number out perplexity)
  expect 0 eval second --text "$text" --context 64 --json
  [ "$(json_number out perplexity)" = "$perplexity" ] || fail "another perplexity: $(cat out)"
  expect 0 quantize "$model" --output third --group 16 --from-calibration saved --rounding heuristic --no-clip --quiet
  local option
  for option in "--effort fast" "--method awq" "--samples 4" "--calibration $text" "--save-calibration more"; do
    # shellcheck disable=SC2086
    expect 2 quantize "$model" --output o --group 16 --from-calibration saved $option
    err_has 'from-calibration'
  done
  for option in "--rounding gptq" "--correct 0.5" "--refine 1" "--refit 1"; do
    # shellcheck disable=SC2086
    run quantize "$model" --output o --group 16 --from-calibration saved $option
    [ "$code" -eq 2 ] || fail "$option: exit code $code"
    err_has 'Gram matrix'
  done
  run quantize "$model" --output o --group 32 --from-calibration saved
  [ "$code" -ne 0 ] || fail "another group was taken"
  err_has 'group: 32 here, 16 in saved'
  expect 6 quantize "$model" --output o --group 16 --from-calibration first
  expect 6 eval saved --text "$text"
  expect 2 quantize "$model" --output o --method rtn --save-calibration o.calib
  cp saved before
  expect 3 quantize "$model" --output o --group 16 --from-calibration saved --report saved
  same saved before
  [ ! -e o ] || fail "a refused job left its output"
}

test_repack() {
  local layout other
  expect 0 quantize "$model" --output canonical "${small[@]}" --quiet
  expect 0 eval canonical --reference "$model" --text "$text" --context 64 --max-windows 4 --json
  local kl
  kl=$(json_number out kl)
  for layout in interleaved4 interleaved8 awq; do
    expect 0 quantize "$model" --output "$layout" "${small[@]}" --layout "$layout" --report report.json --quiet
    grep -q "\"layout\":\"$layout\"" report.json || fail "the report does not tell of $layout"
    expect 0 inspect "$layout"
    out_has "bits per weight, $layout\$"
    expect 0 verify "$layout"
    expect 0 eval "$layout" --reference "$model" --text "$text" --context 64 --max-windows 4 --json
    [ "$(json_number out kl)" = "$kl" ] || fail "another KL in layout $layout: $(cat out)"
    expect 0 repack canonical -o there --layout "$layout"
    out_has "^wrote +there, .*, layout $layout\$"
    same there "$layout"
  done
  for layout in interleaved4 interleaved8 awq canonical; do
    for other in canonical awq interleaved8; do
      expect 0 repack "$layout" --output back --layout "$other" --quiet
      [ ! -s out ] || fail "--quiet printed: $(cat out)"
      same back "$other"
    done
  done
  cp canonical before
  expect 3 repack canonical -o canonical --layout awq
  same canonical before
  expect 2 repack canonical -o back --layout marlin
  err_has 'interleaved8'
  expect 2 repack canonical -o back
  expect 3 repack missing -o back --layout awq
  expect 6 repack "$text" -o back --layout awq
  same back "$other"
  expect 0 quantize "$model" --output eight --method rtn --bits 8 --group 16 --layout interleaved8 --quiet
  expect 2 repack eight -o o --layout awq
  err_has 'tensor .*8'
  expect 2 quantize "$model" --output o --method rtn --bits 8 --group 16 --layout awq
  [ ! -e o ] || fail "a refused layout left an output"
}

test_inspect() {
  expect 0 quantize "$model" --output q "${small[@]}" --quiet
  expect 0 inspect q
  out_has '^quantized .*bits per weight'
  out_has '4-bit g16 asym'
  expect 0 inspect q --tensors 1
  out_has '--tensors 0 shows all'
  expect 0 inspect q --json
  json_has out
  expect 0 verify q --json
  json_has out
  expect 0 tokenize q "before dawn"
  cp out reference
  expect 0 tokenize "$model" "before dawn"
  same out reference
}

test_damage() {
  local size part
  expect 0 quantize "$model" --output q "${small[@]}" --quiet
  size=$(size_of q)
  # Longer than any padding between planes.
  for part in 4 2; do
    cp q damaged
    flip damaged $((size / part)) 512
    expect 6 verify damaged
    err_has 'damaged'
  done
  for offset in 0 8 16 32; do
    cp q damaged
    flip damaged "$offset" 1
    expect 6 verify damaged
  done
  for part in 2 3; do
    head -c $((size / part)) q > damaged
    expect 6 verify damaged
    expect 6 inspect damaged
  done
  head -c $((size - 1)) q > damaged
  expect 6 verify damaged
}

test_eval() {
  expect 0 quantize "$model" --output q "${small[@]}" --bits 8 --quiet
  expect 0 eval q --text "$text" --context 32 --max-windows 4 --reference "$model" --json
  json_has out perplexity tokens tokens_dropped kl top1 reference_perplexity seconds peak_bytes
  holds "$(json_number out tokens) == 4 * 31"
  holds "$(json_number out perplexity) > 1"
  holds "$(json_number out kl) >= 0 && $(json_number out kl) < 0.1"
  holds "$(json_number out top1) > 0.9"
  expect 0 eval "$model" --text "$text" --context 32 --max-windows 2 --json
  json_has out perplexity tokens
  grep -q '"kl"' out && fail "a divergence without a reference"
  expect 0 eval q --text "$text" --context 32 --max-windows 2
  out_has '^perplexity +[0-9.]+$'
  "$tool" tokenize "$model" --file "$text" > ids
  expect 0 eval q --token-ids ids --context 32 --max-windows 2 --json
}

test_devices() {
  local name
  expect 0 devices
  out_has '^cpu +available +[^ ]'
  expect 0 devices --json
  json_has out devices
  for key in id name available total_bytes free_bytes features driver own_memory software unfit; do
    grep -q "\"$key\":" out || fail "devices --json lacks $key"
  done
  name=$(grep -oE '"id":"cpu","name":"[^"]+' out | sed 's/.*"//')
  expect 0 plan "$model" --device cpu
  out_has '^device +cpu \('
  expect 0 plan "$model" --device cpu:0 --json
  grep -q '"device":"cpu"' out || fail "cpu:0 is not cpu"
  # By itself: what and why, and the same file as by its name.
  expect 0 plan "$model" --device auto
  out_has '^device +[a-z0-9:]+ \(.+\): .'
  expect 0 quantize "$model" --output auto "${small[@]}" --device auto
  err_has '^info: device [a-z0-9:]+ \(.+\): .'
  expect 0 quantize "$model" --output named "${small[@]}" --device "$(grep -oE '^info: device [a-z0-9:]+' err | cut -d ' ' -f 3)"
  grep -q '^info: device' err && fail "a reason where the name said which"
  same auto named
  expect 0 eval auto --text "$text" --context 32 --max-windows 1 --device auto
  err_has '^info: device [a-z0-9:]+ \(.+\): .'
  # By a part of its name, in any case.
  expect 0 plan "$model" --device "$(echo "$name" | tr '[:lower:]' '[:upper:]')"
  out_has '^device +cpu \(.*: its name has'
  # Never another one in its place.
  expect 5 plan "$model" --device 'no such device'
  err_has 'is not in this build; it has cpu, '
  expect 5 eval auto --text "$text" --device 'no such device'
  expect 2 plan "$model" --device cpu:1
  err_has 'cpu:1 does not exist'
  expect 2 plan "$model" --device cpu:x
}

# With the tool that has a device with memory of its own.
test_device_memory() {
  local least calls=2000
  local two=(--calibration "$text" --samples 32 --length 32 --group 16 --grid 4)  # chunks
  expect 0 devices
  out_has '^apart +available +Apart Test Card$'
  out_has '^ +own memory: .* free$'
  out_has '^ +driver: test driver 1$'
  expect 0 plan "$model" "${two[@]}" --device auto
  out_has '^device +apart \(Apart Test Card\): a card with memory of its own(;|$)'
  out_has '^stage +buffer on the device +MiB'
  out_has '^device +peak [0-9.]+ MiB, minimum budget [0-9.]+ MiB$'
  out_has '^budget +[0-9.]+ GiB, free on the device$'
  out_has '^memory +peak'
  expect 0 plan "$model" "${two[@]}" --device apart --json
  json_has out device_peak_bytes device_minimum_bytes device_budget_bytes device_budget_origin
  grep -q '"memory":"device"' out || fail "no item is on the device"
  least=$(json_number out device_minimum_bytes)
  expect 0 plan "$model" "${two[@]}" --device apart --device-memory "$least"
  out_has '^(job)? +what the device has no room for +'
  out_has '^budget +.*, given$'
  expect 4 plan "$model" "${two[@]}" --device apart --device-memory "$((least - 1))"
  err_has 'device memory: this job needs at least .*--device-memory'
  out_has '^budget +too small'
  out_has '^less by +--'
  # The two memories on the way and afterwards.
  expect 0 quantize "$model" --output free "${two[@]}" --device apart --report free.json
  err_has '^block 1/2 .* memory .* -> .*  device .* -> .*, peak '
  out_has '^device +peak .*; budget .*, free on the device$'
  json_has free.json device device_name device_peak_bytes planned_device_peak_bytes device_losses device_refusals
  holds "$(json_number free.json device_memory_peak) > 0"
  holds "$(json_number free.json device_peak_bytes) <= $(json_number free.json planned_device_peak_bytes)"
  expect 0 quantize "$model" --output tight "${two[@]}" --device apart --device-memory "$least" --report tight.json --quiet
  same free tight
  # It refuses memory, it is lost once, and twice.
  export APART_CAPACITY=$(json_number tight.json device_peak_bytes)
  expect 0 quantize "$model" --output refused "${two[@]}" --device apart --report refused.json
  err_has '^warning: device apart: .*refused .*going on with'
  holds "$(json_number refused.json device_refusals) >= 1"
  same free refused
  unset APART_CAPACITY
  APART_LOST=$calls expect 0 quantize "$model" --output lost "${two[@]}" --device apart
  err_has '^warning: device apart: .*is lost; it is made once more'
  same free lost
  APART_LOST="$calls $calls" expect 5 quantize "$model" --output twice "${two[@]}" --device apart
  err_has '^scrooge: unavailable: the device was lost a second time: '
  expect 0 quantize "$model" --output twice "${two[@]}" --device apart
  same free twice
  expect 0 eval free --text "$text" --context 32 --max-windows 2 --device apart
  out_has '^device memory +peak '
}

test_report() {
  expect 0 quantize "$model" --output q "${small[@]}" --report r.json
  json_has r.json seconds peak_bytes bits_per_weight linears blocks output_bytes tokens loss loss_rtn
  holds "$(json_number r.json output_bytes) == $(size_of q)"
  expect 0 quantize "$model" --output q2 "${small[@]}" --json
  json_has out seconds peak_bytes linears
  # What the output was made from, as a makefile rule; blanks are escaped.
  cp "$text" "a text"
  expect 0 quantize "$model" --output q "${small[@]}" --calibration "a text" --depfile q.d
  [ "$(head -n 1 q.d)" = 'q: \' ] || fail "not a rule: $(head -n 1 q.d)"
  for file in "$model"/*.json "$model/model.safetensors" 'a\ text'; do
    grep -qxE "  ${file//\\/\\\\}( \\\\)?" q.d || fail "q.d lacks $file: $(cat q.d)"
  done
  expect 3 quantize "$model" --output q "${small[@]}" --depfile q
  # Shards, and the index that names them.
  expect 0 quantize "${model%/*}/tiny_qwen2" --output s --method rtn --group 32 --depfile s.d
  for file in "${model%/*}"/tiny_qwen2/*.{json,safetensors}; do
    grep -qF "  $file" s.d || fail "s.d lacks $file: $(cat s.d)"
  done
  expect 0 quantize "${model%/*}/tiny_llama.gguf" --output g --method rtn --group 32 --depfile g.d
  [ "$(cat g.d)" = "g: \\"$'\n'"  ${model%/*}/tiny_llama.gguf" ] || fail "not the file alone: $(cat g.d)"
  [ "$(find . -name '*tmp*' | wc -l)" -eq 0 ] || fail "temporary files left: $(ls)"
}

test_progress() {
  expect 0 quantize "$model" --output q "${small[@]}"
  err_has '^block 1/2  calibrate .*quantize .*memory .* -> .*loss [0-9.]+x round-to-nearest$'
  err_has '^block 2/2  '
  no_control_characters err
  no_control_characters out
  command -v script > /dev/null || return
  # On a terminal the line is redrawn in place; colour unless refused.
  TERM=xterm script -qec "'$tool' quantize '$model' --output q ${small[*]}" typescript > /dev/null 2>&1 < /dev/null
  grep -q $'\r.*\x1b\\[K' typescript || fail "no line redrawn on a terminal"
  grep -q $'\x1b\\[36m' typescript || fail "no colour on a terminal"
  grep -q '^block 2/2' <(tr '\r' '\n' < typescript | sed $'s/\x1b\\[K//g') || fail "no final line on a terminal"
  NO_COLOR=1 TERM=xterm script -qec "'$tool' quantize '$model' --output q ${small[*]}" typescript > /dev/null 2>&1 < /dev/null
  grep -q $'\x1b\\[[0-9]*m' typescript && fail "colour against NO_COLOR"
  return 0
}

# Of the processes that this shell has waited for: milliseconds of processor time.
waited_ms() {
  times > times.txt
  awk 'NR == 2 { split($1, user, /[ms]/); split($2, kernel, /[ms]/)
    printf "%d", 1000 * (60 * (user[1] + kernel[1]) + user[2] + kernel[2]) }' times.txt
}

# One try: starts a job of a few seconds, sends SIGNAL after DELAY, and checks what is left, and that the job worked on
# for no more than 200 ms; of processor time, as the machine may have other work, with a clock tick and the end of the
# process on top. 0 when it was cancelled.
interrupt() {
  local signal=$1 delay=$2 pid before used
  rm -rf outputs
  mkdir outputs
  echo old > outputs/o
  before=$(waited_ms)
  "$tool" quantize "$model" --output outputs/o --calibration long.txt --samples 2000 --length 128 --group 16 --grid 40 \
    --threads 1 > out 2> err < /dev/null &
  pid=$!
  sleep "$delay"
  used=$(awk -v hertz="$(getconf CLK_TCK)" '{ printf "%d", 1000 * ($14 + $15) / hertz }' "/proc/$pid/stat" 2> /dev/null)
  kill "-$signal" "$pid" 2> /dev/null
  wait "$pid"
  code=$?
  [ "$code" -eq 130 ] || return 1
  used=$(($(waited_ms) - before - ${used:-0}))
  if [ "$used" -gt 260 ]; then fail "SIG$signal after $delay s: worked on for $used ms"; fi
  [ "$(cat outputs/o)" = old ] || fail "a cancelled job touched the old output"
  if [ -e outputs/o.partial ]; then
    grep -q '^scrooge: cancelled; 1 of 2 blocks are kept in outputs/o.partial' err
    return
  fi
  [ "$(ls -A outputs)" = o ] || fail "a cancelled job left $(ls -A outputs)"
  grep -q '^scrooge: cancelled; nothing was written$' err
}

# Killed again and again, each time a little later, until it comes through.
test_resume() {
  local delay code=1
  "$tool" quantize "$model" --output whole "${small[@]}" > /dev/null 2>&1 || fail "the undisturbed job failed"
  for delay in 0.02 0.05 0.08 0.1 0.12 0.15 0.2 0.3 0.5 1 60; do
    timeout -s KILL "$delay" "$tool" quantize "$model" --output killed "${small[@]}" --spill . > /dev/null 2> err
    code=$?
    # A job may be killed between publishing and its end, when everything is done but for the journal.
    [ -e killed ] && break
  done
  [ -e killed ] || fail "the last attempt failed with $code: $(tail -n 1 err)"
  cmp whole killed || fail "resumed bytes differ"
  [ ! -e killed.partial ] || fail "an unfinished file beside the finished one"
}

test_cancel() {
  local signal delay done
  for _ in $(seq 40); do cat "$text"; done > long.txt
  for signal in INT TERM; do
    done=no
    for delay in 0.1 0.2 0.4 0.05 0.8 1.6 0.02; do
      if interrupt "$signal" "$delay"; then
        done=yes
        break
      fi
    done
    [ "$done" = yes ] || fail "SIG$signal never cancelled a job; last exit code $code: $(tail -n 1 err)"
  done
}

"test_$group" || true
[ "$failures" -eq 0 ] || { echo "$failures checks failed"; exit 1; }
