// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/weight_source.h"

#include <limits>

#include "src/base/checked_size.h"

namespace scrooge::checkpoint {

std::optional<uint64_t> element_count(std::span<const int64_t> shape) {
  CheckedSize count = 1;
  for (const int64_t dimension : shape) {
    count *= CheckedSize(dimension);
    // Every prefix is checked: a zero at the end must not hide that rows() would overflow.
    if (!count.fits_in(std::numeric_limits<int64_t>::max())) return std::nullopt;
  }
  return count.value();
}

int64_t TensorInfo::rows() const {
  int64_t count = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) count *= shape[i];
  return count;
}

int64_t TensorInfo::cols() const { return shape.empty() ? 1 : shape.back(); }

}  // namespace scrooge::checkpoint
