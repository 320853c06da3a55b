#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# symbols_test.sh NM LIBRARY HEADER: the reader defines what its header declares and nothing else, takes only memcpy,
# memset and memcmp from outside, and has no data of its own that changes.
set -euo pipefail
export LC_ALL=C
nm=$1 library=$2 header=$3
declared=$(grep -oE '^[a-z].* \*?(scrooge_reader_[a-z0-9_]+)\(' "$header" | grep -oE 'scrooge_reader_[a-z0-9_]+\(' | tr -d '(' | sort -u)
defined=$("$nm" "$library" | awk '$2 == "T" { print $3 }' | sort -u)
diff <(echo "$declared") <(echo "$defined") || { echo "declared and defined functions differ"; exit 1; }
undefined=$("$nm" "$library" | awk '$1 == "U" { print $2 }' | grep -vxE 'memcpy|memset|memcmp' || true)
changing=$("$nm" "$library" | awk '$2 ~ /^[bBdDcC]$/ { print $3 }')
[[ -z $undefined$changing ]] || { echo "not allowed: $undefined $changing"; exit 1; }
