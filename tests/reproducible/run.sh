#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh check JOB TOOL...: runs the job by TOOL... (a scrooge command, an emulator before it where it is foreign) with one
# thread and with three, and compares the SHA-256 of its outputs with digests.txt.
# run.sh print TOOL...: the lines of that file, to renew it where the arithmetic, the format or the version changed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
golden=$here/../golden
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Together: every op, both families and formats, a text and ready tokens, both scale types, packed and odd groups.
options() {
  case $1 in
    llama) echo "$golden/tiny_llama --calibration $golden/tiny_text.txt --samples 8 --length 48 --group 16" ;;
    qwen2)
      echo "$golden/tiny_qwen2 --calibration $golden/tiny_text.txt --samples 5 --length 37 --bits 3 --group 24" \
        "--symmetric --scale-type bf16 --effort max --outlier-percent 5"
      ;;
    gguf)
      echo "$golden/tiny_llama.gguf --calibration $golden/tiny_text.txt --samples 4 --length 32 --bits 8 --group 0" \
        "--effort fast --rounding heuristic --propagate block"
      ;;
    *) echo "run.sh: no such job: $1" >&2; return 1 ;;
  esac
}

# digest JOB THREADS TOOL...
digest() {
  local job=$1 threads=$2 arguments
  shift 2
  read -r -a arguments <<<"$(options "$job")"
  "$@" quantize "${arguments[@]}" --reproducible --threads "$threads" --quiet --fresh -o "$scratch/$job.$threads" >&2
  sha256sum <"$scratch/$job.$threads" | cut -d' ' -f1
}

command=$1
shift
case $command in
  print) for job in llama qwen2 gguf; do echo "$job $(digest "$job" 1 "$@")"; done ;;
  check)
    job=$1
    shift
    wanted=$(sed -n "s/^$job //p" "$here/digests.txt")
    for threads in 1 3; do
      found=$(digest "$job" "$threads" "$@")
      [[ $found == "$wanted" ]] || { echo "$job, $threads threads: SHA-256 $found, wanted $wanted" >&2; exit 1; }
    done
    ;;
  *) echo "run.sh: check or print" >&2; exit 2 ;;
esac
