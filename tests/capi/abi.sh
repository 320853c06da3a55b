#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The binary interface as text, from the header:
#   abi.sh layout HEADER CC [RUNNER...]   struct, field, offset, size in bytes; field - and offset 0: the whole struct
#   abi.sh symbols HEADER                 functions
#   abi.sh compare LIST COMMAND...        fails when `abi.sh COMMAND...` prints anything but LIST has
# After a change on purpose, in the root:
#   tests/capi/abi.sh layout include/scrooge/scrooge.h cc > tests/capi/abi_layout.txt
#   tests/capi/abi.sh symbols include/scrooge/scrooge.h > tests/capi/abi_symbols.txt
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
