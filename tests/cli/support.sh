# SPDX-License-Identifier: Apache-2.0
# Sourced by cli_test.sh: runs the command, and says what went otherwise than expected.
export LC_ALL=C
unset NO_COLOR

failures=0
code=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# run ARGUMENT...: the command with its output in ./out and ./err and its exit code in $code.
run() {
  "$tool" "$@" > out 2> err < /dev/null
  code=$?
}

# expect CODE ARGUMENT...: runs and checks the exit code; errors must be one line that starts with "scrooge: ".
expect() {
  local wanted=$1
  shift
  run "$@"
  [ "$code" -eq "$wanted" ] || fail "scrooge $*: exit code $code, wanted $wanted; $(tail -n 2 err)"
  if [ "$wanted" -ne 0 ]; then
    [ "$(grep -c '^scrooge: ' err)" -eq 1 ] || fail "scrooge $*: not one error line: $(cat err)"
  fi
}

# out_has PATTERN, err_has PATTERN: extended regular expressions, a line of the last run.
out_has() { grep -qE -- "$1" out || fail "standard output lacks /$1/: $(head -c 400 out)"; }
err_has() { grep -qE -- "$1" err || fail "standard error lacks /$1/: $(head -c 400 err)"; }

# json_has FILE KEY...: the file is one JSON object with these keys. Parsed where a parser is at hand.
json_has() {
  local file=$1 key
  shift
  [ "$(head -c 1 "$file")" = "{" ] || fail "$file is no JSON object: $(head -c 200 "$file")"
  for key in "$@"; do
    grep -q "\"$key\"" "$file" || fail "$file lacks \"$key\": $(head -c 400 "$file")"
  done
  if python3 -c '' 2> /dev/null; then
    python3 -c 'import json, sys
data = json.load(open(sys.argv[1]))
sys.exit(any(key not in data for key in sys.argv[2:]))' "$file" "$@" 2> /dev/null ||
      fail "$file does not parse, or a key is not at its top: $*"
  fi
}

# json_number FILE KEY: the first number under KEY.
json_number() {
  grep -oE "\"$2\" *: *-?[0-9.]+([eE][-+]?[0-9]+)?" "$1" | head -n 1 | sed -E 's/.*: *//'
}

# holds EXPRESSION: an arithmetic condition, with fractions.
holds() { awk "BEGIN { exit !($1) }" || fail "not so: $1"; }

same() { cmp -s "$1" "$2" || fail "$1 and $2 differ"; }

# empty_folder FOLDER: nothing in it, hidden or temporary.
empty_folder() { [ -z "$(ls -A "$1")" ] || fail "left behind in $1: $(ls -A "$1")"; }

# no_control_characters FILE: line ends aside.
no_control_characters() { tr -d '\n' < "$1" | grep -q '[[:cntrl:]]' && fail "control characters in $1"; }

# flip FILE OFFSET COUNT: inverts the top bit of each of these bytes.
flip() {
  dd if="$1" bs=1 skip="$2" count="$3" 2> /dev/null | tr '\000-\177\200-\377' '\200-\377\000-\177' > flipped
  dd if=flipped of="$1" bs=1 seek="$2" conv=notrunc 2> /dev/null
}

size_of() { wc -c < "$1" | tr -d ' '; }
