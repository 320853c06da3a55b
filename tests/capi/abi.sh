#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The binary interface as text, from the header:
#   abi.sh layout HEADER CC [RUNNER...]   struct, field, offset, size in bytes; field - and offset 0: the whole struct
#   abi.sh symbols HEADER                 functions
#   abi.sh compare LIST COMMAND...        fails when `abi.sh COMMAND...` prints anything but LIST has
#   abi.sh types HEADER CXX               everything that debug information knows, as abidw (abigail-tools) writes it
#   abi.sh abidiff BASELINE HEADER CXX    fails where abidiff sees another interface than BASELINE
# After a change on purpose, in the root:
#   tests/capi/abi.sh layout include/scrooge/scrooge.h cc > tests/capi/abi_layout.txt
#   tests/capi/abi.sh symbols include/scrooge/scrooge.h > tests/capi/abi_symbols.txt
#   tests/capi/abi.sh types include/scrooge/scrooge.h c++ > tests/capi/abi_types.xml
# Structs only grow at the end and symbols stay: such a change adds lines, moves none, and enlarges a whole struct.
set -euo pipefail
export LC_ALL=C

symbols() { grep -oE '^SCROOGE_API .*' "$1" | grep -oE 'scrooge_[a-z0-9_]+\(' | tr -d '(' | sort -u; }

# A line of C for every struct and field. Fields are one to a line, or several without `*`, and may be functions or arrays.
layout_program() {
  echo '#include <scrooge/scrooge.h>'
  echo '#include <stdio.h>'
  echo '#define SIZE(s) printf("%s - 0 %lu\n", #s, (unsigned long)sizeof(s));'
  echo '#define FIELD(s, f) printf("%s %s %lu %lu\n", #s, #f, (unsigned long)offsetof(s, f), (unsigned long)sizeof(((s*)0)->f));'
  echo 'int main(void) {'
  sed 's|/\*.*\*/||; s|/\*.*||; /^ *\*/d' "$1" | awk '
    /^typedef struct .*\{/ { name = $3; print "SIZE(" name ")"; next }
    /^\}/ { name = "" }
    name == "" || !/;/ { next }
    {
      sub(/;.*/, "")
      if (match($0, /\(\*[a-z_0-9]+\)/)) field = substr($0, RSTART + 2, RLENGTH - 3)
      else { sub(/\[.*/, ""); n = split($0, word, /[ *]+/); field = word[n] }
      print "FIELD(" name ", " field ")"
    }'
  echo 'return 0; }'
}

layout() {
  local header=$1 cc=$2 folder
  shift 2
  folder=$(mktemp -d)
  layout_program "$header" >"$folder/layout.c"
  "$cc" -std=c99 "-I$(dirname "$(dirname "$header")")" "$folder/layout.c" -o "$folder/layout" && "$@" "$folder/layout"
  rm -rf "$folder"
}

# A library with the header's functions, all of them empty, and with debug information: made in a second from any build,
# while the interface of the real one has the same types, and the same functions by `symbols`.
library() {
  local header=$1 cxx=$2 output=$3 source
  source=$(dirname "$output")/interface.cc
  echo '#include <scrooge/scrooge.h>' >"$source"
  awk '/^SCROOGE_API / { inside = 1 } inside { if (sub(/;.*/, " { __builtin_trap(); }")) inside = 0; print }' \
    "$header" >>"$source"
  "$cxx" -std=c++17 -g "-fdebug-prefix-map=$(dirname "$source")=." -shared -fPIC "-I$(dirname "$(dirname "$header")")" \
    "$source" -o "$output"
}

types() {
  local folder
  folder=$(mktemp -d)
  library "$1" "$2" "$folder/libinterface.so"
  abidw --no-corpus-path --no-comp-dir-path --no-show-locs --drop-undefined-syms "$folder/libinterface.so"
  rm -rf "$folder"
}

abidiff() {
  local baseline=$1 folder status=0
  if ! grep -q '^#define __x86_64__ 1$' <("$3" -dM -E -x c++ /dev/null); then
    echo "$baseline is of x86-64: skipped"
    exit 77
  fi
  folder=$(mktemp -d)
  library "$2" "$3" "$folder/libinterface.so"
  command abidiff --no-show-locs "$baseline" "$folder/libinterface.so" || status=$?
  rm -rf "$folder"
  ((status == 0)) || echo "abi.sh says how to renew $baseline, if this is on purpose" >&2
  return $status
}

compare() {
  local list=$1
  shift
  if [[ $1 == layout ]] && ! grep -q '^#define __SIZEOF_POINTER__ 8$' <("$3" -dM -E -x c /dev/null); then
    echo "the list is of machines with 64-bit pointers: skipped"
    exit 77
  fi
  diff -u "$list" <("$@") || { echo "abi.sh says how to renew $list, if this is on purpose" >&2; exit 1; }
}

"$@"
