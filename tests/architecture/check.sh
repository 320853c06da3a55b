#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh RULE ROOT [LIBRARY]: prints file:line: message for each breach of a rule of the tree; exit 1 if there is one.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
(($# >= 2)) || { echo "usage: $0 includes|length|licence|words|exports ROOT [LIBRARY]" >&2; exit 2; }
rule=$1 library=${3:-}
sources=('*.cc' '*.c' '*.h' '*.hpp' '*.cu' '*.cuh' '*.comp' '*.glsl' '*.rs' '*.py' '*.sh' '*.fbs' dev)
cd "$2"

# files PATTERN...: the hand-written files with one of these names, NUL-separated.
files() {
  local names=() pattern
  for pattern in "$@"; do names+=(-o -name "$pattern"); done
  find . \( -name build -o -name '.git' -o -name .cache -o -name target -o -name __pycache__ \) -prune -o \
    -type f \( "${names[@]:1}" \) -print0 | sort -z
}

# Include edges against edges.txt. An include in quotes is written from the root; the tests may include anything.
includes() {
  files '*.cc' '*.c' '*.h' '*.hpp' '*.cu' '*.cuh' | xargs -0 -r awk -v table="$here/edges.txt" '
    function module_of(path,   part) {
      split(path, part, "/")
      if (part[1] == "src" || part[1] == "backends") return part[1] "/" part[2]
      return part[1]
    }
    function row_of(module) { return module ~ /^backends\// ? "backends/NAME" : module }
    function report(message) { printf "%s:%d: %s\n", path, FNR, message }
    BEGIN {
      while ((getline line < table) > 0) {
        n = split(line, word, " ")
        if (n == 0 || word[1] ~ /^#/) continue
        known[word[1]] = 1
        for (i = 2; i <= n; ++i) allowed[word[1], word[i]] = 1
      }
    }
    FNR == 1 {
      path = substr(FILENAME, 3)
      module = module_of(path)
      checked = module ~ /^(src|backends)\// || module == "include" || module == "bindings"
      if (checked && !(row_of(module) in known)) { report("module " module " is not in edges.txt"); checked = 0 }
    }
    !checked || !/^[ \t]*#[ \t]*include[ \t]*["<]/ { next }
    {
      quoted = $0 ~ /^[^<"]*"/
      target = $0
      sub(/^[^<"]*["<]/, "", target)
      sub(/[">].*$/, "", target)
      if (target ~ /^(src|backends|include|tests|bindings)\//) to = module_of(target)
      else if (target ~ /^scrooge\//) to = "include"
      else if (target ~ /_generated\.h$/) to = "schema"
      else if (quoted && target !~ /\//) { report("\"" target "\": write the include from the root"); next }
      else if (module == "include" && target ~ /\//) { report("a public header includes <" target ">"); next }
      else next
      if (to == module || (row_of(module), to) in allowed) next
      if (path == "src/backend/backend_list.cc" && target ~ /^backends\/[a-z_]+\/[a-z_]+_backend\.h$/) next
      report(module " must not include " to " (" target ")")
    }'
}

length() {
  files "${sources[@]}" '*.cmake' CMakeLists.txt | xargs -0 -r awk 'FNR == 801 { printf "%s:801: longer than 800 lines\n", substr(FILENAME, 3) }'
}

licence() {
  files "${sources[@]}" | { xargs -0 -r grep -L 'SPDX-License-Identifier: Apache-2\.0' || true; } |
    sed 's|^\./\(.*\)|\1:1: no SPDX-License-Identifier: Apache-2.0|'
}

# Absolute paths of some machine, and marks of unfinished work. Tests may name a temporary folder.
words() {
  local texts=("${sources[@]}" '*.cmake' CMakeLists.txt '*.md' '*.json' run)
  {
    files "${texts[@]}" | xargs -0 -r grep -nHIE '(^|[^[:alnum:]_.}/])/(wor[k]|roo[t])/' || true
    files "${texts[@]}" | grep -zv '^\./tests/' |
      xargs -0 -r grep -nHIE '(^|[^[:alnum:]_.}/])/(tm[p]|hom[e])/' || true
  } | sed -n 's|^\./\([^:]*:[0-9]*\):.*|\1: a path of one machine|p'
  files "${texts[@]}" | { xargs -0 -r grep -nHIwE 'TO[D]O|FIX[M]E' || true; } |
    sed -n 's|^\./\([^:]*:[0-9]*\):.*|\1: a mark of unfinished work|p'
}

# The library exports what the public header declares, and nothing else.
exports() {
  local header=include/scrooge/scrooge.h
  nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
    awk -v library="$library" -v header="$header" '
      { exported[$1] = 1 }
      $1 !~ /^scrooge_/ { printf "%s:1: exports %s, which lacks the prefix scrooge_\n", library, $1 }
      END {
        while ((getline line < header) > 0) {
          ++number
          if (line !~ /^SCROOGE_API/ || !match(line, /scrooge_[a-z0-9_]+\(/)) continue
          name = substr(line, RSTART, RLENGTH - 1)
          if (!(name in exported)) printf "%s:%d: %s is declared but not exported\n", header, number, name
        }
      }'
}

case $rule in
  includes | length | licence | words | exports) breaches=$("$rule") ;;
  *) echo "$0: no such rule: $rule" >&2; exit 2 ;;
esac
[[ -z $breaches ]] && exit 0
printf '%s\n' "$breaches"
exit 1
