// SPDX-License-Identifier: Apache-2.0
// Sizes, counts and durations as people write and read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scrooge::cli {

// "512MiB", "1.5 GiB", "65536", "64B": bytes. Units are B, KiB, MiB, GiB, TiB in any case; a fraction needs a unit and
// is rounded down to whole bytes. nullopt for anything else and for sizes above 2^63.
std::optional<uint64_t> parse_size(std::string_view text);

std::string format_size(uint64_t bytes);      // "1.50 GiB", "812 B"
std::string format_duration(double seconds);  // "0.42 s", "12.3 s", "4:07", "1:02:45"
std::string format_clock(double seconds);     // "0:05", "4:07", "1:02:45"
std::string format_count(uint64_t count);     // "65,536"
std::string format_fixed(double value, int digits);
// "5 blocks", "1 block".
std::string format_quantity(uint64_t count, std::string_view noun);

}  // namespace scrooge::cli
