#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Scrooge as a part of another build: by add_subdirectory, then by FetchContent in the same build folder. To be quick, an
# object is taken from the build under test where both builds compile it by the very same command, save for the folder;
# kernels and shaders, which are not objects, are left out.
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
fresh_scratch
build=$SCRATCH/build
export REUSABLE=$SCRATCH/reusable

# commands FILE FOLDER PREFIX: "OBJECT<tab>COMMAND" of each entry, as if it were built in FOLDER without PREFIX.
commands() {
  sed -nE 's/^ *"command": "(.*)",?$/\1/p' "$1" | sed "s| $3| |g; s|$2|BUILD|g" |
    sed -nE 's|^(.* -o ([^ ]*) -c .*)$|\2\t\1|p' | sort
}

# Puts into $REUSABLE the objects whose commands agree, and which the build under test has, newer than their source.
find_reusable() {
  local objects=()
  while IFS=$'\t' read -r object command; do
    [[ $BUILD/$object -nt ${command##* } ]] && objects+=("$object")
  done < <(comm -12 <(commands "$BUILD/compile_commands.json" "$BUILD" "") \
    <(commands "$build/compile_commands.json" "$build/scrooge" scrooge/))
  rm -rf "$REUSABLE"
  mkdir -p "$REUSABLE/scrooge"
  copied=${#objects[@]}
  ((copied == 0)) || (cd "$BUILD" && cp --parents -t "$REUSABLE/scrooge" "${objects[@]}")
}

: >"$REUSABLE.compiled"
for fetch in OFF ON; do
  configure from_source "$build" -DSCROOGE_CHECKOUT="$SOURCE" -DFETCH=$fetch -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
    -DCMAKE_BUILD_TYPE="$BUILD_TYPE" -DCMAKE_C_FLAGS="$C_FLAGS" -DCMAKE_CXX_FLAGS="$CXX_FLAGS" \
    -DSCROOGE_WITH_ONEDNN="$WITH_ONEDNN" -DSCROOGE_WITH_CUDA=OFF -DSCROOGE_WITH_VULKAN=OFF -DCHECKPOINT="$CHECKPOINT" \
    -DCMAKE_{C,CXX}_COMPILER_LAUNCHER="$HERE/compile_or_copy.sh"
  find_reusable
  quietly "$CMAKE" --build "$build" --target {,cxx_}with_scrooge{,_static} with_reader rtn_model
  (cd "$build" && quietly ctest --output-on-failure --no-tests=error)
done
echo "$copied objects could be copied, $(wc -l <"$REUSABLE.compiled") were compiled"
