// SPDX-License-Identifier: Apache-2.0
// Tile sizes that both an op and the bound of scratch_bytes() need. Measured: README.md.
#pragma once

#include <algorithm>
#include <cstdint>

namespace scrooge::backend::cpu {

inline constexpr int64_t kGemmRows = 128;
// Fewer columns for more inputs, so that no tile takes long.
inline int64_t gemm_cols(int64_t k) {
  return std::clamp<int64_t>((int64_t{3} << 20) / std::max<int64_t>(k, 1), 256, 1536);
}
inline constexpr int64_t kGemmFewRowsCols = 256;
// Rows of w that are held in bf16 at once: 4 MiB, 64 rows at least.
inline int64_t gemm_block_rows(int64_t k) { return std::max<int64_t>(64, (int64_t{4} << 20) / (2 * k) / 16 * 16); }

inline constexpr int64_t kGramTile = 192;
inline constexpr int64_t kGramTokens = 1024;  // of one bf16 chunk

// Elements of the error rows that one clip search task holds.
inline constexpr int64_t kClipElements = 262144;
inline int64_t clip_rows(int64_t group, int64_t candidates) {
  return std::max<int64_t>(1, std::min<int64_t>(1024, kClipElements / group) / candidates);
}

// Queries of one attention task: small, since half of the last square of its scores is masked.
inline constexpr int64_t kAttentionRows = 64;

}  // namespace scrooge::backend::cpu
