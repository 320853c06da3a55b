#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# compile_or_copy.sh COMPILER ARGUMENT...: a compiler launcher. Objects that the folder $REUSABLE has are copied from there
# instead of compiled; the others are listed in $REUSABLE.compiled. Run for every object, so it starts nothing else.
previous="" object=""
for argument; do
  [ "$previous" = -o ] && object=$argument
  previous=$argument
done
if [ -n "$object" ] && [ -e "$REUSABLE/$object" ]; then exec cp "$REUSABLE/$object" "$object"; fi
echo "$object" >>"$REUSABLE.compiled"
exec "$@"
