#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# compile_or_copy.sh COMPILER ARGUMENT...: a compiler launcher. Objects that $REUSABLE lists, as "OBJECT COPY", are
# copied instead of compiled.
object=""
for ((i = 2; i <= $#; ++i)); do
  [[ ${!i} == -o ]] && { next=$((i + 1)) object=${!next}; break; }
done
copy=$(awk -v object="$object" '$1 == object { print $2; exit }' "$REUSABLE")
if [[ $copy ]]; then exec cp "$copy" "$object"; fi
echo "$object" >>"$REUSABLE.compiled"
exec "$@"
