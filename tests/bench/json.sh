# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by dev and the benchmark scripts.

# json_value FILE KEY: the value of a key of the outermost object; strings lose their quotes; nothing where there is
# none. Understands nesting and quotes, which is all that Scrooge's own reports need.
json_value() {
  awk -v key="$2" '
    { text = text $0 "\n" }
    END {
      depth = 0; string = ""; name = ""; value = ""; in_string = 0; taking = 0
      size = length(text)
      for (i = 1; i <= size; ++i) {
        c = substr(text, i, 1)
        if (in_string) {
          if (c == "\\") { string = string c substr(text, ++i, 1); continue }
          if (c != "\"") { string = string c; continue }
          in_string = 0
          if (taking) value = string; else name = string
        } else if (c == "\"") { in_string = 1; string = ""
        } else if (c == "{" || c == "[") { ++depth; if (taking) exit
        } else if (c == "}" || c == "]" || c == ",") {
          if (taking) { print value; exit }
          if (c != ",") --depth
        } else if (c == ":") { taking = depth == 1 && name == key
        } else if (taking && c !~ /[ \t\r\n]/) { value = value c }
      }
    }' "$1"
}
