// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/rope_table.h"

#include <algorithm>

#include "src/base/portable_math.h"

namespace scrooge::backend::cpu {

Status RopeTable::prepare(MemoryBudget& budget, std::span<const float> inv_freq, float magnitude, int64_t positions) {
  const bool same = magnitude == magnitude_ && std::ranges::equal(inv_freq, inv_freq_);
  if (same && positions <= positions_) return {};
  positions_ = 0;
  table_.reset();
  inv_freq_.assign(inv_freq.begin(), inv_freq.end());
  magnitude_ = magnitude;
  SCROOGE_ASSIGN_OR_RETURN(
      table_, budget.allocate(static_cast<uint64_t>(2 * positions * half()) * sizeof(float), "rotary embedding table"));
  float* at = table_.as<float>().data();
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t i = 0; i < half(); ++i) {
      const double angle = static_cast<double>(position) * static_cast<double>(inv_freq_[static_cast<size_t>(i)]);
      const SineCosine of_angle = portable_sine_cosine(angle);
      at[i] = static_cast<float>(of_angle.cosine * static_cast<double>(magnitude));
      at[half() + i] = static_cast<float>(of_angle.sine * static_cast<double>(magnitude));
    }
    at += 2 * half();
  }
  positions_ = positions;
  return {};
}

}  // namespace scrooge::backend::cpu
