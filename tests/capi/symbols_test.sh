#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# symbols_test.sh LIBRARY HEADER [NM]: the shared library exports every function of the header, and nothing else.
set -u -o pipefail
export LC_ALL=C
library=$1
header=$2
nm=${3:-nm}

command -v "$nm" > /dev/null || { echo "$nm not found: skipped"; exit 77; }

# Absolute symbols are the names of version-script nodes.
exported=$("$nm" -D --defined-only "$library" | awk '$(NF-1) != "A" { sub(/@.*/, "", $NF); print $NF }' | sort -u) || exit 1
declared=$(grep -oE '^SCROOGE_API .*' "$header" | grep -oE 'scrooge_[a-z0-9_]+\(' | tr -d '(' | sort -u)
[ -n "$declared" ] || { echo "no declarations found in $header"; exit 1; }

status=0
unexpected=$(comm -23 <(echo "$exported") <(echo "$declared"))
missing=$(comm -13 <(echo "$exported") <(echo "$declared"))
if [ -n "$unexpected" ]; then
  echo "exported but not in the header:"
  echo "$unexpected"
  status=1
fi
if [ -n "$missing" ]; then
  echo "in the header but not exported:"
  echo "$missing"
  status=1
fi
exit $status
