// SPDX-License-Identifier: Apache-2.0
// Sums that shaders leave in host memory as pairs of f32 (shaders/double_float.glsl), read back as f64.
#pragma once

#include <cmath>
#include <cstring>

#include "backends/vulkan/commands.h"

namespace scrooge::backend::vulkan {

inline constexpr uint64_t kPairBytes = 8;

inline double pair_at(const HostRange& range, int64_t index) {
  float pair[2];
  std::memcpy(pair, range.data() + static_cast<uint64_t>(index) * kPairBytes, sizeof pair);
  // Beyond the range of f32 the remainder is not a number.
  return std::isfinite(pair[0]) ? static_cast<double>(pair[0]) + static_cast<double>(pair[1])
                                : static_cast<double>(pair[0]);
}

inline double sum_of_pairs(const HostRange& range, int64_t begin, int64_t count) {
  double sum = 0;
  for (int64_t i = begin; i < begin + count; ++i) sum += pair_at(range, i);
  return sum;
}

}  // namespace scrooge::backend::vulkan
