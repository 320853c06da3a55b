// SPDX-License-Identifier: Apache-2.0
// Orders in which channels are rounded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "tests/support/seeded_values.h"

namespace scrooge::test {

inline std::vector<int32_t> identity_order(int64_t k) {
  std::vector<int32_t> order(static_cast<size_t>(k));
  std::iota(order.begin(), order.end(), 0);
  return order;
}
inline std::vector<int32_t> reversed_order(int64_t k) {
  std::vector<int32_t> order = identity_order(k);
  std::reverse(order.begin(), order.end());
  return order;
}
inline std::vector<int32_t> random_order(int64_t k, uint64_t seed) {
  std::vector<int32_t> order = identity_order(k);
  SeededValues seeded(seed);
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<size_t>(seeded.below(static_cast<int64_t>(i)))]);
  }
  return order;
}

}  // namespace scrooge::test
