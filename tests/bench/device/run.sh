#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that a machine with a GPU can show, in bounded time; `./dev device` calls it, README.md describes it.
# No step stops the others. Exit status 1 if one failed or did not end in its time.
# shellcheck disable=SC2034 # what steps.sh and table.sh read
set -uo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
source "$root/tests/bench/json.sh"
source "$here/steps.sh"
source "$here/table.sh"

usage() {
  cat <<'TEXT'
usage: ./dev device [OPTION...]
  --device NAME,...   as scrooge devices names them; default: cuda:0 and vulkan:0, where they are there and no software
  --minutes N         for everything, 10 by default; no step takes more than its share of what is left
  --steps NAME,...    only these of build, conformance, golden, memcheck, racecheck, validation, ops, checkpoint, model
  --build FOLDER      take the programs of this build, or of what pack.sh made of one, and build nothing
  --offline           install and fetch nothing
  --shapes NAME,...   of single operations; 8b,smollm2 by default
  --checkpoint SHAPE  of the checkpoint without a model: tiny, 135m, 8b (default), 70b
  --blocks N          of that checkpoint, 2 by default
  --samples N         rows of 512 tokens for it, 128 by default
  --device-memory B   its ceiling on the device, 5.5GiB by default
  --model FILE --calibration TEXT --held-out TEXT
                      the real model; quickstart's, where it was fetched
  --tables FOLDER     where the dated table goes; tests/bench/device by default, build/device for software
  --work FOLDER       for logs and products; build/device by default
  --commit TEXT       what was measured, where git cannot tell
TEXT
}

fail() { echo "device: $*" >&2; exit 2; }

devices="" minutes=10 only="" build_folder="" shapes=8b,smollm2 checkpoint=8b blocks=2 samples=128 device_memory=5.5GiB
model="" calibration="" held_out="" tables="" work=$root/build/device commit=""
while (($#)); do
  case $1 in
    --help) usage; exit 0 ;;
    --offline) shift; continue ;;
  esac
  (($# > 1)) || fail "$1 lacks its value, or is no option; --help lists them"
  case $1 in
    --device) devices=${2//,/ } ;;
    --minutes) minutes=$2 ;;
    --steps) only=$2 ;;
    --build) build_folder=$(cd "$2" && pwd) || fail "there is no folder $2" ;;
    --shapes) shapes=$2 ;;
    --checkpoint) checkpoint=$2 ;;
    --blocks) blocks=$2 ;;
    --samples) samples=$2 ;;
    --device-memory) device_memory=$2 ;;
    --model) model=$2 ;;
    --calibration) calibration=$2 ;;
    --held-out) held_out=$2 ;;
    --tables) tables=$2 ;;
    --work) work=$2 ;;
    --commit) commit=$2 ;;
    *) fail "no such option: $1; --help lists them" ;;
  esac
  shift 2
done
[[ $minutes =~ ^[1-9][0-9]*$ ]] || fail "--minutes takes a whole number, not $minutes"
mkdir -p "$work" || exit 2
work=$(cd "$work" && pwd)
readonly deadline=$((SECONDS + 60 * minutes))
readonly outcomes=$work/outcomes.tsv
: >"$outcomes"
rm -f "$work"/*.jsonl "$work"/*-checkpoint-*.json "$work"/checkpoint.scrooge*

# ---- steps -----------------------------------------------------------------------------------------------------------

detail="" step_end=0 step_log=""
# So that Ctrl-C reaches the program; elsewhere timeout also ends what it started.
foreground=()
[[ ! -t 0 ]] || foreground=(--foreground)

# limited COMMAND...: at most as long as the step may take; 124 where that was too long.
limited() {
  local left=$((step_end - SECONDS))
  ((left > 0)) || return 124
  timeout "${foreground[@]}" -k 5 "$left" "$@"
}

record() { # DEVICE STEP OUTCOME SECONDS DETAIL
  printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$outcomes"
  printf '%-10s %-12s %-10s %4s s  %s\n' "$@"
}

# step DEVICE NAME PERCENT FUNCTION: runs it with its output in a log, in that share of the time left for the device.
# It returns 0, 77 for skipped, 124 for not ended in time, anything else for failed, and may set `detail`.
step() {
  local device=$1 name=$2 share=$3 status=0 started=$SECONDS left
  [[ -z $only || ,$only, == *,$name,* ]] || return 0
  left=$((device_end - SECONDS))
  ((left >= 3)) || { record "$device" "$name" skipped 0 "no time was left"; return 0; }
  step_end=$((SECONDS + (left * share + 99) / 100))
  step_log=$work/${device//:/-}-$name.log
  detail=""
  "$4" "$device" >"$step_log" 2>&1 || status=$?
  case $status in
    0) record "$device" "$name" passed $((SECONDS - started)) "$detail" ;;
    77) record "$device" "$name" skipped $((SECONDS - started)) "$detail" ;;
    124 | 137) record "$device" "$name" incomplete $((SECONDS - started)) "${detail:+$detail; }stopped at its limit" ;;
    *) record "$device" "$name" failed $((SECONDS - started)) "${detail:+$detail; }see ${step_log#"$root"/}" ;;
  esac
  return "$status"
}

use_build() { # FOLDER
  scrooge=$1/bin/scrooge conformance=$1/bin/conformance ops_bench=$1/bin/ops_bench
  [[ ! -f $1/lib/packed ]] || export LD_LIBRARY_PATH=$1/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# ---- the whole -------------------------------------------------------------------------------------------------------

main() { # a function, read whole before it starts: the file may change in the minutes that it takes
  [[ -n $commit ]] || commit=$(git -C "$root" describe --always --dirty 2>/dev/null) || commit=unknown
  device_end=$deadline
  if [[ -n $build_folder ]]; then
    use_build "$build_folder"
  else
    only=${only:+build,$only} step all build 70 build_programs || { tail -n 20 "$step_log" >&2; exit 1; }
    use_build "$root/build/release"
  fi
  [[ -x $ops_bench ]] || { record all programs failed 0 "$ops_bench is missing"; exit 1; }

  if [[ -z $devices ]]; then
    for candidate in cuda:0 vulkan:0; do
      found=$("$ops_bench" --device "$candidate" --shapes none --json 2>>"$work/devices.log") || continue
      [[ $(json_value <(printf '%s' "$found") software) == true ]] || devices+=" $candidate"
    done
    [[ -n $devices ]] || fail "no GPU that this build can use ($work/devices.log); --device takes a name"
  fi

  read -r -a devices <<<"$devices"
  for ((d = 0; d < ${#devices[@]}; ++d)); do
    device=${devices[d]}
    # What the earlier ones left over is shared by those that are left.
    device_end=$((SECONDS + (deadline - SECONDS) / (${#devices[@]} - d)))
    if ! "$ops_bench" --device "$device" --shapes none --json >"$work/${device//:/-}-device.jsonl" \
      2>"$work/devices.log"; then
      record "$device" device failed 0 "$(tail -n 1 "$work/devices.log")"
      continue
    fi
    step "$device" conformance 35 run_conformance
    step "$device" golden 20 run_golden
    case $device in
      cuda*)
        step "$device" memcheck 20 run_memcheck
        step "$device" racecheck 20 run_racecheck ;;
      vulkan*) step "$device" validation 25 run_validation ;;
    esac
    step "$device" ops 45 run_ops
    step "$device" checkpoint 60 run_checkpoint
    step "$device" model 100 run_model
  done

  write_table
  awk -F '\t' '{ ++count[$3] } END {
    failed = count["failed"] + count["incomplete"]
    printf "%d passed, %d failed, %d skipped%s\n", count["passed"], failed, count["skipped"],
      count["incomplete"] ? "; of those failed " count["incomplete"] " did not end in their time" : ""
    exit failed > 0
  }' "$outcomes"
}
main; exit
