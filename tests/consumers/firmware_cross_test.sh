#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The firmware for other processors: the reader is cross-compiled and installed for the target, the command of this
# machine quantizes, and the image runs under qemu. For each processor with a Debian cross compiler and qemu-user here.
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
fresh_scratch
toolchains=$SOURCE/cmake/toolchains
ran=""

# cross TRIPLE MACHINE EMULATOR DEBIAN: MACHINE as readelf has it.
cross() {
  local triple=$1 machine=$2 emulator=$3 debian=$4 folder=$SCRATCH/$1
  if ! command -v "$triple-gcc" >/dev/null || ! command -v "$emulator" >/dev/null; then
    echo "$triple: left out, as there is no $triple-gcc or no $emulator"
    return
  fi
  toolchain=$toolchains/${triple%eabihf}.cmake
  [[ $triple == arm-* ]] && toolchain=$toolchains/armhf-linux-gnu.cmake
  quietly "$CMAKE" -S "$SOURCE" -B "$folder/scrooge" -G "$GENERATOR" --toolchain "$toolchain" \
    -DCMAKE_BUILD_TYPE=Release -DSCROOGE_READER_ONLY=ON
  quietly "$CMAKE" --build "$folder/scrooge"
  quietly "$CMAKE" --install "$folder/scrooge" --prefix "$folder/target"

  # Found by the prefix and by the folder of the package.
  local way
  for way in "CMAKE_PREFIX_PATH=$folder/target" "Scrooge_DIR=$folder/target/lib/cmake/Scrooge"; do
    rm -rf "$folder/build"
    quietly "$CMAKE" -S "$HERE/firmware" -B "$folder/build" -G "$GENERATOR" --toolchain "$toolchain" "-D$way" \
      -DSCROOGE_HOST_DIR="$PREFIX" -DCHECKPOINT="$CHECKPOINT" -DTEXT="$TEXT"
  done
  quietly "$CMAKE" --build "$folder/build"
  readelf -h "$folder/build/firmware" | grep -q "Machine: *$machine" || fail "$triple: not a program for $machine"
  "$emulator" -L "/usr/$triple" "$folder/build/firmware" | grep -q 'q_proj.weight: ' ||
    fail "$triple: the firmware did not read its model"
  "$emulator" -L "/usr/$triple" "$folder/build/firmware" "$folder/embedded"
  cmp "$folder/embedded" "$folder/build/tiny_model.scrooge" || fail "$triple: the firmware holds another model"

  # Packages are the target's, too.
  (cd "$folder/scrooge" && quietly "$(dirname "$CMAKE")/cpack" -G TGZ -B "$folder/packages")
  [[ -s $(echo "$folder"/packages/scrooge-*-Linux-"${triple%%-*}".tar.gz) ]] || fail "$(ls "$folder/packages")"
  if command -v dpkg-deb >/dev/null; then
    (cd "$folder/scrooge" && quietly "$(dirname "$CMAKE")/cpack" -G DEB -B "$folder/packages")
    [[ $(dpkg-deb -f "$folder"/packages/scrooge-reader-dev_*_"$debian".deb Architecture) == "$debian" ]] ||
      fail "$(ls "$folder/packages")"
  fi
  ran+=" $triple"
}

cross aarch64-linux-gnu AArch64 qemu-aarch64 arm64
cross arm-linux-gnueabihf ARM qemu-arm armhf
cross riscv64-linux-gnu RISC-V qemu-riscv64 riscv64
[[ $ran ]] || { echo "skipped: no cross compiler with its qemu"; exit 77; }
echo "ran:$ran"
