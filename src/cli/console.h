// SPDX-License-Identifier: Apache-2.0
// What is known about the terminal, and lines of notice that cannot disturb it.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace scrooge::cli {

// A terminal that understands cursor control (TERM is neither unset nor "dumb").
bool is_terminal(std::FILE* stream);

// is_terminal() and NO_COLOR unset or empty (no-color.org).
bool wants_colour(std::FILE* stream);

// Columns of the terminal behind `stream`; 80 while unknown.
std::size_t terminal_width(std::FILE* stream);

enum class Notice { kError, kWarning, kInfo, kDebug };

// "scrooge: text", "warning: text", "info: text" or "debug: text" as exactly one line: line ends and other control
// characters in `text` (it may quote a file's contents) become spaces.
void print_notice(std::FILE* stream, Notice notice, std::string_view text);

// `text` with every control character replaced by a space.
std::string without_control_characters(std::string_view text);

}  // namespace scrooge::cli
