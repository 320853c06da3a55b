#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The build step: a firmware that quantizes its model, embeds it and reads it. The job runs when something is different,
# and only then; it is seen by the model file, which a job replaces.
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
fresh_scratch
build=$SCRATCH/build model=$SCRATCH/build/tiny_model.scrooge
inputs="$SCRATCH/a checkpoint" # blanks in names go through depfiles of both kinds
mkdir "$inputs"
cp "$CHECKPOINT"/* "$TEXT" "$inputs"
text=$inputs/$(basename "$TEXT")
options=(-DCHECKPOINT="$inputs" -DTEXT="$text")

run_build() { quietly "$CMAKE" --build "$build" -j 4; }
identity() { stat -c %i "$model"; }
same_job() { [[ $(identity) == "$before" ]] || fail "$1: the job ran again"; }
log_has() { grep -q -- "$1" "$SCRATCH/log" || fail "$2: $(cat "$SCRATCH/log")"; }
refused() { # MESSAGE OPTION...: configuring fails with it
  "$CMAKE" -S "$HERE/firmware" -B "$SCRATCH/refused" -G "$GENERATOR" -DCMAKE_PREFIX_PATH="$PREFIX" "${options[@]}" \
    "${@:2}" >"$SCRATCH/log" 2>&1 && fail "configured with ${*:2}"
  tr -s ' \n' ' ' <"$SCRATCH/log" | grep -q -- "$1" || fail "without '$1': $(cat "$SCRATCH/log")"
  rm -rf "$SCRATCH/refused"
}

configure firmware "$build" "${options[@]}"
run_build
"$build/firmware" | grep -q 'q_proj.weight: ' || fail "the firmware did not read its model"
"$PREFIX/bin/scrooge" verify "$build/plain/8bit.scrooge" >/dev/null
before=$(identity)

run_build
! grep -q Quantizing "$SCRATCH/log" || fail "a second build ran the step: $(cat "$SCRATCH/log")"

sleep 0.01
touch "$inputs"/*
image=$(stat -c %Y.%i "$build/firmware")
run_build
same_job "touched"
log_has "files were touched" "the step did not look at touched files"
[[ $(stat -c %Y.%i "$build/firmware") == "$image" ]] || fail "touched files linked the firmware again"
run_build
! grep -q Quantizing "$SCRATCH/log" || fail "after touching, the step runs for ever: $(cat "$SCRATCH/log")"

configure firmware "$build" "${options[@]}" -DMEMORY=512MiB # which the bytes do not depend on
run_build
same_job "another budget"

sed -i 's/the/teh/g' "$text" # as long as before
run_build
[[ $(identity) != "$before" ]] || fail "another text, the same model"
"$build/firmware" "$SCRATCH/embedded"
cmp "$SCRATCH/embedded" "$model" || fail "the firmware holds another model than the build"
before=$(identity)
echo " " >>"$inputs/config.json"
run_build
[[ $(identity) != "$before" ]] || fail "another checkpoint, the same model"

# A build that was killed in the middle, with all that it had started, goes on behind the block that was finished: the
# same bytes, and the report says so. That moment is seen by the journal, which then more than doubles; by builtins
# alone and ahead of the job (nice), whose blocks take their time. Where it was too quick, again.
kill_session() { # SESSION
  local pids
  while pids=$(awk -v session="$1" '{ pid = $1; sub(/.*\) /, ""); if ($4 == session && $1 != "Z") print pid }' \
    /proc/[0-9]*/stat 2>/dev/null || true) && [[ $pids ]]; do
    kill -KILL $pids 2>/dev/null || true
  done
}
wait_for_block() { # SESSION: until a block of the model is done, or the session's first process has ended
  local size parts least=""
  while kill -0 "$1"; do
    mapfile -d '' parts <"$model.journal" || continue
    printf -v size %s "${parts[@]}"
    size=${#size}
    if ((size > 0 && size < ${least:-size + 1})); then least=$size; fi
    if [[ $least ]] && ((size > 2 * least)); then return; fi
  done 2>/dev/null
}
configure firmware "$build" "${options[@]}" -DGRID=400
run_build
cp "$model" "$SCRATCH/whole"
resumed=""
for turn in {1..10}; do
  rm "$model"
  setsid nice -n 19 "$CMAKE" --build "$build" --target tiny_model >"$SCRATCH/killed.log" 2>&1 &
  session=$!
  wait_for_block "$session"
  kill_session "$session"
  wait "$session" 2>/dev/null || true
  run_build
  ! grep -q "starting over" "$SCRATCH/log" || fail "a killed build started over: $(cat "$SCRATCH/log")"
  cmp "$model" "$SCRATCH/whole" || fail "a build that was killed (turn $turn) makes another model"
  if grep -q '"resumed_blocks": *[1-9]' "$build/tiny_model.json"; then
    resumed=yes
    break
  fi
done
[[ $resumed ]] || fail "of $turn builds that were killed none went on where it stopped"
configure firmware "$build" "${options[@]}" -DGRID=20

# What an interrupted job for another text has left does not stand in the way. Which moment leaves something to go on
# from is not known, so several are tried.
cp "$TEXT" "$SCRATCH/other.txt"
left=""
for delay in 0.1 0.15 0.2 0.3 0.4 0.6 0.8; do
  rm -f "$SCRATCH"/left*
  (timeout -s KILL "$delay" "$PREFIX/bin/scrooge" quantize "$inputs" -o "$SCRATCH/left" --samples 64 --length 64 \
    --calibration "$SCRATCH/other.txt" --states keep || true) >"$SCRATCH/log" 2>&1
  "$PREFIX/bin/scrooge" quantize "$inputs" -o "$SCRATCH/left" --method rtn >"$SCRATCH/log" 2>&1 && continue
  left=yes
  break
done
if [[ $left ]]; then
  for kind in "$SCRATCH"/left.*; do cp "$kind" "$model.${kind##*.}"; done
  rm "$model"
  run_build
  log_has "starting over" "leftovers of another job were taken"
else
  echo "no job could be interrupted here: that part is left out"
fi

rm "$build/plain/8bit.scrooge"
run_build
[[ -s $build/plain/8bit.scrooge ]] || fail "a model that was removed was not made again"
quietly "$CMAKE" --install "$build" --prefix "$SCRATCH/image"
cmp "$SCRATCH/image/share/firmware/tiny_model.scrooge" "$model"

refused "not understood: BITS, 4" -DWRONG="BITS;4"
refused "'5' is not understood" -DWRONG="SCHEME;awq-5"
refused "value is missing behind SCHEME" -DWRONG="SCHEME"
refused "makes no-name a name in C" -DWRONG="NAME;no-name;EMBED_C"

# A cross build runs the command of the building machine, and says so when it has not been told where that is.
refused "set SCROOGE_HOST_DIR" -DCMAKE_SYSTEM_NAME=Linux
refused "no scrooge command in SCROOGE_HOST_DIR" -DCMAKE_SYSTEM_NAME=Linux -DSCROOGE_HOST_DIR="$SCRATCH"
configure firmware "$SCRATCH/cross" "${options[@]}" -DCMAKE_SYSTEM_NAME=Linux -DSCROOGE_HOST_DIR="$PREFIX"
quietly "$CMAKE" --build "$SCRATCH/cross" --target plain_model
