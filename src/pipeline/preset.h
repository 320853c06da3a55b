// SPDX-License-Identifier: Apache-2.0
// Named sizes of a job, from what a small board can hold to what a server has time for.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/result.h"

namespace scrooge::pipeline {

enum class Effort : int32_t { kFast = 0, kDefault = 1, kMax = 2 };

// "fast", "default", "max".
std::string_view effort_name(Effort effort);

// README.md of this folder has the reasons and what each costs.
struct Preset {
  std::string_view name;
  int64_t samples;
  int64_t length;
  Effort effort;
};

// From the smallest to the largest.
std::span<const Preset> all_presets();
// kInvalidArgument, naming those there are.
Result<Preset> find_preset(std::string_view name);

}  // namespace scrooge::pipeline
