// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/view.h"

namespace scrooge::backend::cuda {

// The tiles of a block, for the host's launch and the kernel alike. `width` is the most a head may have.
struct AttentionTiles {
  int width;
  int queries;
  // Rows of a tile in shared memory: an odd number of 16-byte words, so that eight neighbouring rows meet eight
  // different groups of banks.
  constexpr int stride() const { return width + 4; }
  constexpr int shared_bytes() const { return 4 * (queries * stride() + kKeys * stride() + queries * (kKeys + 4)); }
  static constexpr int kKeys = 32;
};
inline constexpr AttentionTiles kAttention64{64, 64};
inline constexpr AttentionTiles kAttention128{128, 64};
inline constexpr AttentionTiles kAttention256{256, 32};

struct AttentionArguments {
  MatrixView<const float> q, k, v;
  MatrixView<float> out;
  int64_t sequence_length;
  int32_t heads, kv_heads, head_width;
  float scale;
};

}  // namespace scrooge::backend::cuda
