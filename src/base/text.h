// SPDX-License-Identifier: Apache-2.0
// Small text helpers; locale-independent everywhere.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace scrooge {

namespace text_internal {
void append_double(std::string& out, double value);

template <typename Part>
void append(std::string& out, const Part& part) {
  if constexpr (std::is_same_v<Part, char>) {
    out.push_back(part);
  } else if constexpr (std::is_same_v<Part, bool>) {
    out.append(part ? "true" : "false");
  } else if constexpr (std::is_integral_v<Part>) {
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, part);
    out.append(buffer, end.ptr);
  } else if constexpr (std::is_floating_point_v<Part>) {
    append_double(out, static_cast<double>(part));
  } else {
    out.append(std::string_view(part));
  }
}
}  // namespace text_internal

// Joins strings, characters, integers and floating point numbers (shortest form that reads back).
template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::string out;
  (text_internal::append(out, parts), ...);
  return out;
}

// A fixed number of decimals, for people: format_fixed(3.14159, 2) == "3.14".
std::string format_fixed(double value, int decimals);

// 1536 -> "1.5 KiB", exact binary units for people.
std::string format_bytes(uint64_t bytes);

// "512MiB", "1.5GiB", "4096" (bytes), "64k" is refused: B, KiB, MiB, GiB, TiB only. False when malformed.
bool parse_bytes(std::string_view text, uint64_t& bytes);

// Escapes control characters and bytes outside ASCII, so that hostile names can be shown safely.
std::string printable(std::string_view text);

}  // namespace scrooge
