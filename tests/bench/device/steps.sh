# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced by run.sh, whose variables these use: one function per step, each given the device. They return 0, 77 for
# skipped, 124 for out of time, else failed; figures go to files in $work that table.sh reads.

build_programs() {
  local missing=()
  command -v nvcc >/dev/null || [[ -x ${CUDA_PATH:-/usr/local/cuda}/bin/nvcc ]] || missing+=("no nvcc: without CUDA")
  command -v glslc >/dev/null || missing+=("no glslc: without Vulkan")
  detail=$(IFS=';'; echo "${missing[*]-}")
  (cd "$root" && limited cmake --preset release &&
    limited cmake --build --preset release --target scrooge_cli conformance ops_bench)
}

# ---- conformance -----------------------------------------------------------------------------------------------------

# The cases of the backend, which take its first device, in one process for every four processors.
run_conformance() {
  local backend=${1%%:*} status=0 shards process processes=() logs counts ok bad skipped s
  local filter="*/${backend}_*"
  [[ $backend != cpu ]] || filter+=":-*/cpu_eigen_*:*/cpu_reproducible_*"
  [[ -x $conformance ]] || { detail="there is no program conformance"; return 77; }
  shards=$(($(nproc) / 4 > 0 ? $(nproc) / 4 : 1))
  logs=$work/${1//:/-}-conformance
  rm -f "$logs".part*
  for ((s = 0; s < shards; ++s)); do
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$s \
      limited "$conformance" --gtest_filter="$filter" >"$logs.part$s" 2>&1 &
    processes+=($!)
  done
  for process in "${processes[@]}"; do
    wait "$process" || status=$?
  done
  cat "$logs".part*
  # Lines of single cases end in their time; those of the summary do not.
  counts=$(cat "$logs".part* | awk '/^\[ +OK \].* ms\)$/ { ++ok } /^\[ +FAILED +\].* ms\)$/ { ++bad }
    /^\[ +SKIPPED +\].* ms\)$/ { ++skipped } END { print ok + 0, bad + 0, skipped + 0 }')
  rm -f "$logs".part*
  read -r ok bad skipped <<<"$counts"
  detail="$ok cases passed, $bad failed, $skipped skipped"
  # A backend whose every case is skipped has shown nothing.
  ((bad == 0 && (status != 0 || ok > 0))) || status=1
  return "$status"
}

# ---- the tiny models -------------------------------------------------------------------------------------------------

# must WHAT COMMAND...: as limited, and a failure is told by WHAT.
must() {
  local what=$1 status=0
  shift
  limited "$@" || status=$?
  ((status == 0)) || detail+="${detail:+; }$what did not end well"
  return "$status"
}

# Plain rounding gives the weights of the processor, all of them; AWQ gives a model as near to the original.
run_golden() {
  local text=$root/tests/golden/tiny_text.txt folder=$work/golden tag=${1//:/-} name method place bad=0
  local windows=(--text "$text" --context 128 --max-windows 8 --json --quiet)
  mkdir -p "$folder"
  for name in tiny_llama tiny_qwen2; do
    for method in rtn awq; do
      for place in "$1" cpu; do
        must "$name, $method, $place" "$scrooge" quantize "$root/tests/golden/$name" \
          --output "$folder/$name-$method-${place//:/-}" --calibration "$text" --samples 16 --length 128 --group 32 \
          --method "$method" --device "$place" --fresh --quiet || return
      done
      compare_tiny "$name-$method" "$root/tests/golden/$name" || bad=1
    done
  done
  [[ -n $detail ]] || detail="two models as on cpu"
  return "$bad"
}

compare_tiny() { # NAME ORIGINAL: of NAME-DEVICE and NAME-cpu in $folder, evaluated on the processor
  local ours=$folder/$1-$tag theirs=$folder/$1-cpu kl
  if [[ $1 == *-rtn ]]; then
    must "eval of $1" "$scrooge" eval "$ours" --reference "$theirs" "${windows[@]}" >"$ours.eval" || return
    kl=$(json_value "$ours.eval" kl)
    echo "$1: KL against cpu's $kl"
    awk -v kl="$kl" 'BEGIN { exit !(kl != "" && kl == 0) }' && return
    detail+="${detail:+; }$1 differs from cpu's"
    return 1
  fi
  must "eval of $1" "$scrooge" eval "$ours" --reference "$2" "${windows[@]}" >"$ours.eval" || return
  must "eval of $1" "$scrooge" eval "$theirs" --reference "$2" "${windows[@]}" >"$theirs.eval" || return
  near "$ours.eval" "$theirs.eval" || { detail+="${detail:+; }$1: $near_text"; return 1; }
}

# near EVAL CPU_EVAL: a KL not worse than 5 % and a little, for another order of sums turns near ties of the search.
near() {
  local ours theirs
  ours=$(json_value "$1" kl) theirs=$(json_value "$2" kl)
  near_text="KL ${ours:0:8}, cpu ${theirs:0:8}"
  echo "$near_text"
  awk -v ours="$ours" -v theirs="$theirs" 'BEGIN { exit !(ours != "" && ours <= 1.05 * theirs + 0.0005) }'
}

# ---- what looks over the shoulder ------------------------------------------------------------------------------------

sanitize() { # DEVICE TOOL
  local sanitizer cuda=${CUDA_PATH:-/usr/local/cuda} candidate
  for candidate in compute-sanitizer "$cuda/bin/compute-sanitizer" "$cuda/compute-sanitizer/compute-sanitizer"; do
    sanitizer=$(command -v "$candidate") && break
  done
  [[ -n $sanitizer ]] || { detail="compute-sanitizer is not here"; return 77; }
  limited "$sanitizer" --tool "$2" --error-exitcode 9 "$ops_bench" --device "$1" --shapes tiny --runs 1
  local status=$?
  if grep -q 'Device not supported' "$step_log"; then # as in a sandbox that shows it a part of the card
    detail="compute-sanitizer cannot see into this card"
    return 77
  fi
  detail=$(grep -oE 'ERROR SUMMARY: .*|RACECHECK SUMMARY: .*' "$step_log" | tail -n 1)
  return "$status"
}
run_memcheck() { sanitize "$1" memcheck; }
run_racecheck() { sanitize "$1" racecheck; }

# Vulkan's validation layers, synchronization included. The loader says whether it found them.
run_validation() {
  local status=0 messages
  VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation VK_LOADER_DEBUG=layer,error \
    VK_LAYER_ENABLES=VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT \
    limited "$ops_bench" --device "$1" --shapes tiny --runs 1 || status=$?
  if ! grep -qiE 'insert.*VK_LAYER_KHRONOS_validation|VK_LAYER_KHRONOS_validation.*library' "$step_log"; then
    detail="the layer VK_LAYER_KHRONOS_validation is not here"
    return $((status == 0 ? 77 : status))
  fi
  messages=$(grep -cE 'Validation (Error|Warning)|VUID-|SYNC-HAZARD|UNASSIGNED-' "$step_log")
  detail="$messages validation messages"
  ((messages == 0)) || return 1
  return "$status"
}

# ---- times -----------------------------------------------------------------------------------------------------------

run_ops() {
  local file=$work/${1//:/-}-ops.jsonl status=0
  # The limit leaves time for the case at hand to end.
  limited "$ops_bench" --device "$1" --shapes "$shapes" --limit $(((step_end - SECONDS) * 8 / 10)) --json >"$file" ||
    status=$?
  cat "$file"
  detail="$(grep -c '"floor_seconds"' "$file") cases, $(grep -c '"error"' "$file") failed"
  detail+=", $(grep -c '"not_run"' "$file") not run for want of time"
  return "$status"
}

# A checkpoint of a large model's shape, its pages in memory. `fast` is the effort that the targets are for.
run_checkpoint() {
  local folder=$work/checkpoint-$checkpoint-$blocks-$samples output=$work/checkpoint.scrooge effort report
  command -v python3 >/dev/null || { detail="python3, which writes the checkpoint, is not here"; return 77; }
  if [[ ! -f $folder/done ]]; then
    rm -rf "$folder"
    must "writing the checkpoint" python3 "$root/tests/bench/make_checkpoint.py" "$checkpoint" "$folder" \
      --blocks "$blocks" --vocabulary 8192 --tokens $((samples * 512)) || return
    : >"$folder/done"
  fi
  cat "$folder/model.safetensors" >/dev/null
  for effort in fast default; do
    report=$work/${1//:/-}-checkpoint-$effort.json
    must "effort $effort" "$scrooge" quantize "$folder" --output "$output" --calibration-ids "$folder/ids.txt" \
      --samples "$samples" --length 512 --effort "$effort" --device "$1" --device-memory "$device_memory" --fresh \
      --quiet --report "$report" || return
    detail+="${detail:+; }$effort $(json_value "$report" seconds | cut -c1-6) s"
    rm -f "$output"
  done
}

# Quickstart's job. The processor's part is kept for a later run of the same program.
run_model() {
  local place name
  [[ -f $model && -f $calibration && -f $held_out ]] || { detail="the real model or its text is not here"; return 77; }
  for place in "$1" cpu; do
    name=$work/${place//:/-}-model
    [[ $place != cpu || ! -f $name.eval || $name.eval -ot $scrooge ]] || continue
    rm -f "$name.eval"
    must "quantizing on $place" "$scrooge" quantize "$model" --output "$name.scrooge" --calibration "$calibration" \
      --samples 32 --length 512 --bits 4 --group 64 --asymmetric --device "$place" --fresh --quiet \
      --report "$name.json" || return
    must "evaluating what $place made" "$scrooge" eval "$name.scrooge" --text "$held_out" --context 1024 \
      --max-windows 16 --reference "$model" --json --quiet >"$name.part" || return
    mv "$name.part" "$name.eval"
  done
  near "$work/${1//:/-}-model.eval" "$work/cpu-model.eval"
  local status=$?
  detail=$near_text
  return "$status"
}
