#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cargo_test.sh SOURCE BUILD LIBRARY_FOLDER [TOOL]: builds and tests the crates of bindings/rust, offline and in BUILD
# alone; with clippy and rustfmt where cargo has them. Exit code 77: there is no cargo.
set -euo pipefail
source=$1 build=$2 library=$3 tool=${4:-}
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
