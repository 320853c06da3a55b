#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# find_package in C99 and in C++20: the shared and the static library, the reader, the command.
source "$(dirname "${BASH_SOURCE[0]}")/support.sh"
fresh_scratch
for cxx in OFF ON; do
  configure find_package "$SCRATCH/cxx-$cxx" -DCXX=$cxx
  quietly "$CMAKE" --build "$SCRATCH/cxx-$cxx"
  (cd "$SCRATCH/cxx-$cxx" && quietly ctest --output-on-failure --no-tests=error)
done

# The dynamic linker confirms which is which.
linked() { ldd "$SCRATCH/cxx-OFF/with_$1" | grep -c "libscrooge\.so" || true; }
[[ $(linked scrooge) == 1 && $(linked scrooge_static) == 0 ]] || fail "the wrong library is linked"
