#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the build into PREFIX, for all other tests here, and looks at what came: everything that belongs there, and no
# path of the machine it was built on.
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
fresh_scratch
rm -rf "$PREFIX"
quietly "$CMAKE" --install "$BUILD" --prefix "$PREFIX"

for file in include/scrooge/{scrooge.h,scrooge.hpp,scrooge_reader.h} bin/scrooge share/scrooge/scrooge_model.fbs \
  share/scrooge/reader/scrooge_reader.{c,h} "$LIBDIR"/libscrooge{.so,.a,_reader.a} "$LIBDIR/pkgconfig/scrooge.pc" \
  "$LIBDIR"/cmake/Scrooge/Scrooge{Config,ConfigVersion,AddModel,ModelStep}.cmake; do
  [[ -s $PREFIX/$file ]] || fail "not installed: $file"
done
for folder in "$BUILD" "$SOURCE"; do
  ! grep -rlaF -- "$folder" "$PREFIX" || fail "these name a folder of this build: $folder"
done

# Who links the archive sees the C functions and nothing else by name.
if command -v nm >/dev/null; then
  seen=$(nm --defined-only "$PREFIX/$LIBDIR/libscrooge.a" | awk '$2 == "T" && $3 !~ /^scrooge_/ { print $3 }')
  [[ -z $seen ]] || fail "the static library shows: $seen"
fi
quietly "$PREFIX/bin/scrooge" quantize "$CHECKPOINT" --method rtn --output "$MODEL"
