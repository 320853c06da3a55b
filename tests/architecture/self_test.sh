#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs check.sh on a small good tree, which must pass, then on one breach at a time, each of which must be found by file
# and line. COMPILER, the only argument, builds the library for the rule on exported symbols.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
compiler=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
failures=0
readonly licence='// SPDX-License-Identifier: Apache-2.0'

put() { mkdir -p "$root/$(dirname "$1")" && printf '%s\n' "${@:2}" >"$root/$1"; }

expect_clean() { # RULE [LIBRARY]
  local found
  found=$("$here/check.sh" "$1" "$root" "${@:2}") && return
  printf 'rule %s on the good tree found:\n%s\n' "$1" "$found"
  failures=$((failures + 1))
}

expect_found() { # RULE FILE:LINE [LIBRARY]: exactly one breach, there
  local found status=0
  found=$("$here/check.sh" "$1" "$root" "${@:3}") || status=$?
  [[ $status == 1 && $found == "$2: "* && $found != *$'\n'* ]] && return
  printf 'rule %s should find just %s; exit %s, found:\n%s\n' "$1" "$2" "$status" "$found"
  failures=$((failures + 1))
}

breach() { # RULE FILE:LINE LINE...: the file with these lines breaks the rule there; it is removed again
  local file=${2%:*}
  put "$file" "${@:3}"
  expect_found "$1" "$2"
  rm "$root/$file"
}

put include/scrooge/scrooge.h "$licence" '#include <stdint.h>' 'SCROOGE_API int scrooge_version(void);'
put src/cli/main.cc "$licence" '#include <CLI/CLI.hpp>' '#include "scrooge/scrooge.h"'
put src/capi/job.cc "$licence" '#include "scrooge/scrooge.h"' '#include "src/pipeline/job.h"'
put src/container/reader.cc "$licence" '#include "scrooge_model_generated.h"' '#include "src/tensor/dtype.h"'
put src/backend/backend_list.cc "$licence" '#include "backends/cpu/cpu_backend.h"'
put backends/cpu/gemm.cc "$licence" '#include "oneapi/dnnl/dnnl.hpp"' \
  '#include "backends/cpu/gemm.h"' '#include "src/backend/device.h"'
put tests/unit/any_test.cc "$licence" '#include "src/awq/solve.h"' "const char* folder = \"/tm""p/scratch\";"
put build/generated.h '#include "unlicensed.h"'
for rule in includes length licence words; do expect_clean "$rule"; done

breach includes src/base/a.h:3 "$licence" '' '#include "src/tensor/dtype.h"'
breach includes src/tensor/a.cc:2 "$licence" '#  include "src/backend/device.h"'
breach includes src/cli/a.cc:2 "$licence" '#include "src/base/status.h"'
breach includes src/reader/a.c:2 "$licence" '#include "src/base/status.h"'
breach includes bindings/c/a.c:2 "$licence" '#include "src/capi/scrooge_c.h"'
breach includes src/awq/a.cc:2 "$licence" '#include "src/container/writer.h"'
breach includes src/model/a.cc:2 "$licence" '#include "src/checkpoint/gguf.h"'
breach includes src/model/a.cc:2 "$licence" '#include "scrooge_model_generated.h"'
breach includes src/backend/a.cc:2 "$licence" '#include "backends/cpu/cpu_backend.h"'
breach includes backends/cpu/a.cc:2 "$licence" '#include "backends/reference/gemm.h"'
breach includes backends/cpu/a.cc:2 "$licence" '#include "src/model/block_plan.h"'
breach includes src/pipeline/a.cc:2 "$licence" '#include "job.h"'
breach includes src/pipeline/a.cc:2 "$licence" '#include "tests/support/random.h"'
breach includes include/scrooge/a.hpp:2 "$licence" '#include <flatbuffers/flatbuffers.h>'
breach includes src/extra/a.cc:1 "$licence"
breach length src/base/a.cc:801 "$licence" "$(yes '//' | head -n 800)"
breach licence src/base/a.cc:1 'int x;'
breach licence tests/unit/a.py:1 'x = 1'
breach words src/base/a.cc:2 "$licence" "const char* folder = \"/tm""p/scratch\";"
breach words tests/unit/a.cc:1 "// see /wor""k/notes"
breach words src/base/a.cc:2 "$licence" "// TO""DO: finish"

library=$root/build/libscrooge.so
build_library() { printf '%s\n' "$@" | "$compiler" -x c -shared -fPIC -fvisibility=hidden -nostdlib -o "$library" -; }
readonly shown='__attribute__((visibility("default")))'
build_library "$shown int scrooge_version(void) { return 1; }" 'int helper(void) { return 2; }'
expect_clean exports "$library"
build_library "$shown int scrooge_version(void) { return 1; }" "$shown int helper(void) { return 2; }"
expect_found exports "$library:1" "$library"
build_library "$shown int scrooge_other(void) { return 1; }"
expect_found exports include/scrooge/scrooge.h:3 "$library"

((failures == 0)) || { echo "$failures expectations failed"; exit 1; }
