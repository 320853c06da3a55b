#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# installed_test.sh CMAKE BUILD SOURCE CC CXX LIBDIR: installs the build into a scratch folder and uses nothing but that:
# the C example as C99, the C++ wrapper as C++17, and the command where it was built.
set -euo pipefail
cmake=$1 build=$2 source=$3 cc=$4 cxx=$5 libdir=$6
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
model=$source/tests/golden/tiny_llama text=$source/tests/golden/tiny_text.txt

DESTDIR="" "$cmake" --install "$build" --prefix "$root" >"$scratch/install.log"
for header in scrooge.h scrooge.hpp; do
  [[ -f $root/include/scrooge/$header ]] || { echo "not installed: include/scrooge/$header"; exit 1; }
done
flags=(-Wall -Wextra -Wshadow -pedantic -Werror "-I$root/include")
link=("-L$root/$libdir" -lscrooge "-Wl,-rpath,$root/$libdir")

"$cc" -std=c99 "${flags[@]}" "$source/bindings/c/quantize.c" -o "$scratch/quantize" "${link[@]}"
"$scratch/quantize" "$model" "$text" "$scratch/tiny.scrooge"
[[ -s $scratch/tiny.scrooge ]] || { echo "the installed library wrote nothing"; exit 1; }

"$cxx" -std=c++17 "${flags[@]}" "$source/tests/capi/wrapper_test.cc" -o "$scratch/wrapper" "${link[@]}"
"$scratch/wrapper" "$model"

if [[ -x $root/bin/scrooge ]]; then
  "$root/bin/scrooge" verify "$scratch/tiny.scrooge"
fi
