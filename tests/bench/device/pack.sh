#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pack.sh BUILD FOLDER: the programs that `./dev device --build FOLDER` needs, and the libraries they load, for a
# machine of the same processor that has a GPU but not the packages to build with. The C and C++ run-time libraries stay
# behind: that machine's must not be older.
set -euo pipefail
export LC_ALL=C
(($# == 2)) || { echo "usage: $0 BUILD FOLDER" >&2; exit 2; }
build=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/lib"
needed=""
for program in scrooge conformance ops_bench; do
  built=$(readlink -f "$build/bin/$program")
  [[ -x $built ]] || { echo "pack: build $program first" >&2; exit 1; }
  strip -o "$folder/bin/$program" "$built"
  needed+=$(ldd "$built")$'\n'
done
if grep 'not found' <<<"$needed"; then echo "pack: libraries are missing here" >&2; exit 1; fi
awk '$2 == "=>" && $3 ~ /^\// { print $3 }' <<<"$needed" | sort -u | while read -r library; do
  name=$(basename "$library")
  case $name in
    libc.so* | libm.so* | libdl.so* | libpthread.so* | librt.so* | libstdc++.so* | libgcc_s.so*) ;;
    *) strip -o "$folder/lib/$name" "$library" ;;
  esac
done
: >"$folder/lib/packed" # run.sh then has these libraries found
du -sh "$folder"
