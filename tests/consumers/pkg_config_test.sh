#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pkg-config, from a copy of the installation: it is found where it lies. Shared and static, C99 and C++20.
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
fresh_scratch
cp -a "$PREFIX" "$SCRATCH/moved"
export PKG_CONFIG_PATH=$SCRATCH/moved/$LIBDIR/pkgconfig
pkg-config --atleast-version=0.1 scrooge || fail "pkg-config does not find scrooge"
read -r -a compile < <(pkg-config --cflags scrooge)
read -r -a shared < <(pkg-config --libs scrooge)
# -lscrooge takes the shared library where both are; -l:libscrooge.a never does.
read -r -a static < <(pkg-config --libs --static scrooge | sed 's/-lscrooge/-l:libscrooge.a/')
compile+=(-Wall -Wextra -Wshadow -pedantic -Werror "-Wl,-rpath,$SCRATCH/moved/$LIBDIR")
program=$HERE/program.c

quietly "$CC" -std=c99 "$program" "${compile[@]}" -o "$SCRATCH/c_shared" "${shared[@]}"
quietly "$CC" -std=c99 "$program" "${compile[@]}" -o "$SCRATCH/c_static" "${static[@]}"
quietly "$CXX" -std=c++20 -x c++ "$program" -x none "${compile[@]}" -o "$SCRATCH/cxx_shared" "${shared[@]}"
quietly "$CXX" -std=c++20 -x c++ "$program" -x none "${compile[@]}" -o "$SCRATCH/cxx_static" "${static[@]}"
for name in c_shared c_static cxx_shared cxx_static; do
  quietly "$SCRATCH/$name" "$MODEL"
  linked=$(ldd "$SCRATCH/$name" | grep -c "libscrooge\.so" || true)
  [[ $name == *static ]] && expected=0 || expected=1
  [[ $linked == "$expected" ]] || fail "$name: the wrong library is linked"
done

# The worked example of the README and the C++ wrapper, by what pkg-config says alone.
quietly "$CC" -std=c99 "$SOURCE/bindings/c/quantize.c" "${compile[@]}" -o "$SCRATCH/quantize" "${shared[@]}"
quietly "$SCRATCH/quantize" "$CHECKPOINT" "$TEXT" "$SCRATCH/tiny.scrooge"
quietly "$CXX" -std=c++17 "$SOURCE/tests/capi/wrapper_test.cc" "${compile[@]}" -o "$SCRATCH/wrapper" "${shared[@]}"
quietly "$SCRATCH/wrapper" "$CHECKPOINT"
