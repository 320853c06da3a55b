# SPDX-License-Identifier: Apache-2.0
# Shared by the tests of this folder. CTest sets CMAKE, SOURCE, BUILD, PREFIX (the scratch installation), SCRATCH (of one
# test), CC, CXX, LIBDIR, GENERATOR, and the settings of the build: BUILD_TYPE, C_FLAGS, CXX_FLAGS, WITH_ONEDNN.
set -euo pipefail
export LC_ALL=C
unset DESTDIR CMAKE_PREFIX_PATH PKG_CONFIG_PATH LD_LIBRARY_PATH MAKEFLAGS
readonly HERE=$SOURCE/tests/consumers
readonly MODEL=$PREFIX/tiny.scrooge # made by the installed command
readonly CHECKPOINT=$SOURCE/tests/golden/tiny_llama TEXT=$SOURCE/tests/golden/tiny_text.txt

fail() { echo "$*" >&2; exit 1; }

fresh_scratch() { rm -rf "$SCRATCH" && mkdir -p "$SCRATCH"; }

# quietly COMMAND...: shows what it printed only if it fails.
quietly() {
  "$@" >"$SCRATCH/log" 2>&1 && return
  cat "$SCRATCH/log" >&2
  fail "failed: $*"
}

# configure FOLDER BUILD [OPTION...]: a project of this folder against the scratch installation.
configure() {
  quietly "$CMAKE" -S "$HERE/$1" -B "$2" -G "$GENERATOR" -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" \
    -DCMAKE_PREFIX_PATH="$PREFIX" -DMODEL="$MODEL" "${@:3}"
}
