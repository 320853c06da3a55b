// SPDX-License-Identifier: Apache-2.0
// Cosines and sines of the rotary embedding, kept from call to call: every block of a model asks for the same ones.
#pragma once

#include <vector>

#include "src/base/memory_budget.h"

namespace scrooge::backend::cpu {

class RopeTable {
 public:
  // Makes the table for positions [0, positions), unless it is there already. Angles are taken in f64.
  Status prepare(MemoryBudget& budget, std::span<const float> inv_freq, float magnitude, int64_t positions);
  // inv_freq.size() values each. REQUIRES: position below what was prepared.
  const float* cosine(int64_t position) const { return table_.as<float>().data() + 2 * position * half(); }
  const float* sine(int64_t position) const { return cosine(position) + half(); }

 private:
  int64_t half() const { return static_cast<int64_t>(inv_freq_.size()); }

  std::vector<float> inv_freq_;
  float magnitude_ = 0;
  int64_t positions_ = 0;
  HostBlock table_;
};

}  // namespace scrooge::backend::cpu
