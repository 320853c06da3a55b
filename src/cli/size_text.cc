// SPDX-License-Identifier: Apache-2.0
#include "src/cli/size_text.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace scrooge::cli {
namespace {

struct Unit {
  std::string_view name;  // lower case
  int shift;
};
constexpr std::array<Unit, 5> kUnits{{{"b", 0}, {"kib", 10}, {"mib", 20}, {"gib", 30}, {"tib", 40}}};
constexpr std::array<const char*, 5> kUnitNames{"B", "KiB", "MiB", "GiB", "TiB"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace

std::optional<uint64_t> parse_size(std::string_view text) {
  constexpr long double kLimit = 9223372036854775808.0L;  // 2^63
  std::size_t at = 0;
  long double value = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) value = value * 10 + (text[at] - '0');
  if (at == 0) return std::nullopt;
  bool fraction = false;
  if (at < text.size() && text[at] == '.') {
    fraction = true;
    const std::size_t first = ++at;
    for (long double place = 0.1L; at < text.size() && is_digit(text[at]); ++at, place /= 10) {
      value += place * (text[at] - '0');
    }
    if (at == first) return std::nullopt;
  }
  while (at < text.size() && text[at] == ' ') ++at;
  const std::string suffix = lower(text.substr(at));
  if (suffix.empty()) {
    if (fraction || value > kLimit) return std::nullopt;
    return static_cast<uint64_t>(value);
  }
  for (const Unit& unit : kUnits) {
    if (suffix != unit.name) continue;
    value = std::floor(std::ldexp(value, unit.shift));
    if (value > kLimit) return std::nullopt;
    return static_cast<uint64_t>(value);
  }
  return std::nullopt;
}

std::string format_size(uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnitNames.size()) {
    value /= 1024;
    ++unit;
  }
  const int digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return format_fixed(value, digits) + " " + kUnitNames[unit];
}

std::string format_duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  if (seconds < 10) return format_fixed(seconds, 2) + " s";
  if (seconds < 60) return format_fixed(seconds, 1) + " s";
  return format_clock(seconds);
}

std::string format_clock(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  const auto whole = static_cast<uint64_t>(std::llround(seconds));
  const unsigned long long hours = whole / 3600;
  const unsigned long long minutes = whole / 60 % 60;
  const unsigned long long rest = whole % 60;
  std::array<char, 48> text{};
  if (hours > 0) {
    std::snprintf(text.data(), text.size(), "%llu:%02llu:%02llu", hours, minutes, rest);
  } else {
    std::snprintf(text.data(), text.size(), "%llu:%02llu", minutes, rest);
  }
  return text.data();
}

std::string format_count(uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string format_fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string format_quantity(uint64_t count, std::string_view noun) {
  return format_count(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace scrooge::cli
