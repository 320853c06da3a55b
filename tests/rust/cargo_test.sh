#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cargo_test.sh SOURCE BUILD LIBRARY_FOLDER TOOL PREFIX LIBDIR: builds and tests the crates of bindings/rust, offline and
# in BUILD alone; with clippy and rustfmt where cargo has them. TOOL may be empty. PREFIX is an installation, for the
# static library; empty: none. Exit code 77: there is no cargo.
set -euo pipefail
source=$1 build=$2 library=$3 tool=$4 prefix=$5 libdir=$6
command -v cargo >/dev/null || { echo "skipped: there is no cargo (Debian's package cargo does)"; exit 77; }
cargo --version

export CARGO_TARGET_DIR=$build/target SCROOGE_LIB_DIR=$library SCROOGE_INCLUDE_DIR=$source/include
export LD_LIBRARY_PATH=$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
if [[ -n $tool ]]; then export SCROOGE_TOOL=$tool; fi
unset SCROOGE_STATIC SCROOGE_USE_PKG_CONFIG
cd "$source/bindings/rust"

cargo test --offline --locked --quiet
if cargo clippy --version >/dev/null 2>&1; then
  cargo clippy --offline --locked --quiet --all-targets --all-features -- -D warnings
else
  echo "no clippy: not checked"
fi
if cargo fmt --version >/dev/null 2>&1; then
  cargo fmt --check
else
  echo "no rustfmt: not checked"
fi

# The static library, found by pkg-config; by Debian's own cargo where that is here, the oldest that has to do. The
# first cargo above may be a newer one from elsewhere.
if [[ -z $prefix ]]; then
  echo "no installation: the static library is not linked"
elif ! command -v pkg-config >/dev/null; then
  echo "no pkg-config: the static library is not linked"
else
  cargo=cargo
  if [[ -x /usr/bin/cargo && -x /usr/bin/rustc ]]; then
    cargo=/usr/bin/cargo
    export RUSTC=/usr/bin/rustc CARGO_TARGET_DIR=$build/target-debian
  else
    echo "no cargo of Debian's: its version is not checked"
  fi
  unset SCROOGE_LIB_DIR SCROOGE_INCLUDE_DIR LD_LIBRARY_PATH
  export SCROOGE_STATIC=1 SCROOGE_USE_PKG_CONFIG=1 PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig
  "$cargo" --version
  "$cargo" build --offline --locked --quiet --workspace --examples
  quantize=$CARGO_TARGET_DIR/debug/examples/quantize
  ! ldd "$quantize" | grep libscrooge || { echo "linked to the shared library, not the static one"; exit 1; }
  golden=$source/tests/golden
  "$quantize" "$golden/tiny_llama" "$golden/tiny_text.txt" "$build/static.scrooge"
  "$CARGO_TARGET_DIR/debug/examples/list" "$build/static.scrooge" >"$build/list"
  grep -q 'q_proj.weight' "$build/list" || { cat "$build/list"; exit 1; }
fi
