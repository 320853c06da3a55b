# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced by run.sh: the dated table, from the files that the steps left in $work.

# Awk for lines of ops_bench --json: value(KEY) of the line at hand.
readonly JSON_LINE='
  function value(key,   at, rest) {
    at = match($0, "\"" key "\": *")
    if (!at) return ""
    rest = substr($0, at + RLENGTH)
    if (substr(rest, 1, 1) == "\"") { rest = substr(rest, 2); return substr(rest, 1, index(rest, "\"") - 1) }
    match(rest, /^[^,}]*/)
    return substr(rest, 1, RLENGTH)
  }'

card() { # the name of the first device, and whether it computes on the processor
  local first=$work/${devices[0]//:/-}-device.jsonl
  card_name=$(json_value "$first" name)
  card_name=${card_name:-unknown}
  software=$(json_value "$first" software)
  [[ $(json_value "$first" backend) != cpu ]] || software=true
}

machine_rows() {
  local device header driver
  echo "| | |"
  echo "| --- | --- |"
  for device in "${devices[@]}"; do
    header=$work/${device//:/-}-device.jsonl
    [[ -s $header ]] || continue
    driver=$(json_value "$header" driver)
    echo "| $device | $(json_value "$header" name), driver ${driver:-none}; $(json_value "$header" features) |"
  done
  if command -v nvidia-smi >/dev/null; then
    driver=$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>&1 | head -n 1)
    echo "| nvidia-smi | $driver |"
  fi
  echo "| processor | $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) threads, $(uname -sm) |"
  echo "| commit | $commit |"
}

outcome_rows() {
  echo "| device | step | outcome | | seconds |"
  echo "| --- | --- | --- | --- | --- |"
  awk -F '\t' '{ print "| " $1 " | " $2 " | " $3 " | " $5 " | " $4 " |" }' "$outcomes"
}

peak_rows() {
  local device
  for device in "${devices[@]}"; do
    [[ -s $work/${device//:/-}-ops.jsonl ]] || continue
    awk -v device="$device" "$JSON_LINE"'
      /"peak_bytes"/ {
        printf "%s, shapes %s: %.1f TFLOP/s fast, %.1f exact, %.0f GB/s. ", device, value("shapes"),
          value("peak_fast_flops") / 1e12, value("peak_exact_flops") / 1e12, value("peak_bytes") / 1e9
      }' "$work/${device//:/-}-ops.jsonl"
  done
  echo
}

# One row per case, two columns per device.
op_rows() {
  local device files=() head="| shapes | op | shape |" rule="| --- | --- | --- |"
  for device in "${devices[@]}"; do
    [[ -s $work/${device//:/-}-ops.jsonl ]] || continue
    files+=("$work/${device//:/-}-ops.jsonl")
    head+=" $device | of floor |" rule+=" --- | --- |"
  done
  printf '%s\n%s\n' "$head" "$rule"
  awk -v files="${#files[@]}" "$JSON_LINE"'
    function time_text(seconds) {
      seconds += 0
      if (seconds < 1e-3) return sprintf("%.3g us", seconds * 1e6)
      if (seconds < 1) return sprintf("%.3g ms", seconds * 1e3)
      return sprintf("%.3g s", seconds)
    }
    FNR == 1 { ++file }
    /"op"/ {
      op = value("op") (value("precision") == "" ? "" : " " value("precision"))
      key = "| " value("shapes") " | " op " | " value("shape") " |"
      if (!(key in known)) { known[key] = 1; order[++count] = key }
      if (value("seconds") != "") {
        cell[key, file] = " " time_text(value("seconds")) " | " sprintf("%.0f %%", 100 * value("reached")) " |"
      } else {
        cell[key, file] = value("error") != "" ? " failed | |" : " not run | |"
      }
    }
    END {
      for (i = 1; i <= count; ++i) {
        row = order[i]
        for (f = 1; f <= files; ++f) row = row ((order[i], f) in cell ? cell[order[i], f] : " | |")
        print row
      }
    }' "${files[@]}"
}

mean_of() { # FILE KEY: of every number under that key but the first, of which the start of the job is a part
  grep -oE "\"$2\": *[0-9.e+-]+" "$1" | sed 's/.*: *//' |
    awk '{ if (NR > 1) { sum += $1; ++count } last = $1 } END { if (NR) printf "%.2f", count ? sum / count : last }'
}

checkpoint_rows() {
  local device effort report calibrating quantizing whole=32
  case $checkpoint in tiny) whole=2 ;; 135m) whole=30 ;; 70b) whole=80 ;; esac
  echo "| device | effort | seconds | a block: calibrating | quantizing | $whole such blocks | device peak |" \
    "host peak | losses, refusals |"
  echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
  for device in "${devices[@]}"; do
    for effort in fast default; do
      report=$work/${device//:/-}-checkpoint-$effort.json
      [[ -s $report ]] || continue
      calibrating=$(mean_of "$report" calibrate_seconds) quantizing=$(mean_of "$report" quantize_seconds)
      printf '| %s | %s | %.2f | %s | %s | %.0f | %s | %s | %s, %s |\n' "$device" "$effort" \
        "$(json_value "$report" seconds)" "$calibrating" "$quantizing" \
        "$(awk -v a="$calibrating" -v b="$quantizing" -v blocks="$whole" 'BEGIN { print blocks * (a + b) }')" \
        "$(mebibytes "$report" device_peak_bytes)" "$(mebibytes "$report" peak_bytes)" \
        "$(json_value "$report" device_losses)" "$(json_value "$report" device_refusals)"
    done
  done
}

mebibytes() { # REPORT KEY
  awk -v bytes="$(json_value "$1" "$2")" 'BEGIN { if (bytes > 0) printf "%.0f MiB", bytes / 1048576; else printf "-" }'
}

model_rows() {
  local device name
  echo "| device | seconds | KL | top-1 | perplexity | device peak | host peak |"
  echo "| --- | --- | --- | --- | --- | --- | --- |"
  for device in "${devices[@]}" cpu; do
    name=$work/${device//:/-}-model
    [[ -s $name.eval && -s $name.json ]] || continue
    printf '| %s | %.1f | %.4f | %.4f | %.3f | %s | %s |\n' "$device" "$(json_value "$name.json" seconds)" \
      "$(json_value "$name.eval" kl)" "$(json_value "$name.eval" top1)" "$(json_value "$name.eval" perplexity)" \
      "$(mebibytes "$name.json" device_peak_bytes)" "$(mebibytes "$name.json" peak_bytes)"
    [[ $device != cpu ]] || break
  done
}

any() { compgen -G "$1" >/dev/null; }

table_text() {
  echo "# $card_name, $(date +%F)"
  echo
  echo "Written by \`./dev device\`; ../README.md and README.md say how to read it."
  [[ $software != true ]] || echo "**Computed on the processor: no measure of any card.**"
  echo
  machine_rows
  printf '\n## Outcome\n\n'
  outcome_rows
  if any "$work/*-ops.jsonl"; then
    printf '\n## Operations\n\nMedian times; "of floor" is the least time that peaks allow over the median. Peaks:\n'
    peak_rows
    echo
    op_rows
  fi
  if any "$work/*-checkpoint-*.json"; then
    printf '\n## Checkpoint of the shape %s\n\n%s blocks, %s rows of 512 tokens, its pages in memory, ' "$checkpoint" \
      "$blocks" "$samples"
    printf 'at most %s on the device.\n\n' "$device_memory"
    checkpoint_rows
  fi
  if any "$work/*-model.eval"; then
    printf '\n## %s\n\n4 bits, groups of 64, default effort, 32 rows of 512 tokens; evaluated on the processor.\n\n' \
      "$(basename "$model")"
    model_rows
  fi
}

write_table() {
  local slug table n=1
  card
  slug=$(tr '[:upper:]' '[:lower:]' <<<"$card_name" | tr -cs 'a-z0-9' '-' | sed 's/^-*//; s/-*$//')
  if [[ -z $tables ]]; then
    tables=$here
    [[ $software != true ]] || tables=$work
  fi
  mkdir -p "$tables" || return
  table=$tables/$(date +%F)-$slug.md
  while [[ -e $table ]]; do table=$tables/$(date +%F)-$slug-$((++n)).md; done
  table_text >"$table.tmp-$$" && mv "$table.tmp-$$" "$table" && echo "table: ${table#"$root"/}"
}
