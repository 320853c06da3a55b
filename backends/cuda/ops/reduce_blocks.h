// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace scrooge::backend::cuda {

// The most blocks of a reduction. A number of its own, not the card's, so that sums do not depend on the card.
inline constexpr int64_t kReduceBlocks = 2048;

}  // namespace scrooge::backend::cuda
