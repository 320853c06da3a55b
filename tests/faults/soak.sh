#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# soak.sh BUILD SECONDS [SEED]: random faults until SECONDS are over. From a day on (86400) first every fault that there
# is, of which the tests of this folder make some; that alone takes hours. BUILD is a build folder with the tests built.
set -euo pipefail
(($# >= 2)) || { echo "usage: $0 BUILD SECONDS [SEED]" >&2; exit 2; }
build=$1 seconds=$2
start=$SECONDS
if ((seconds >= 86400)); then
  for program in "$build"/bin/faults_*; do
    [[ $program == */faults_soak ]] || SCROOGE_FAULTS=all "$program" --gtest_brief=1
  done
fi
left=$((seconds - (SECONDS - start)))
((left > 0)) || exit 0
exec "$build/bin/faults_soak" "$left" "${@:3}"
