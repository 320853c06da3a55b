// SPDX-License-Identifier: Apache-2.0
// The bound the planner counts with: what a device takes from the budget beside buffers. Scratch is reused from op to
// op, so the largest counts; the ops not named here take none.
#include "backends/vulkan/commands.h"
#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/vulkan_backend.h"

namespace scrooge::backend::vulkan {
namespace {

// As for windows of the Gram matrix that are a fourth of what is promised, and the larger tiles.
uint64_t quadratic_scratch(int64_t size, int64_t rows) {
  constexpr int64_t kWindow = int64_t{8} << 20;  // elements
  constexpr int64_t kTile = 128;
  const int64_t windows = (size * size + kWindow - 1) / kWindow, slots = windows * ((size + 63) / 64);
  return scratch_part(std::min(rows, quadratic_rows(size, slots, kTile)) * (size + 4 + slots)) + kScratchAlignment;
}

}  // namespace

uint64_t scratch_bytes(int, int64_t max_k, int64_t max_n, int64_t max_sequence) {
  constexpr int64_t kHeadWidth = 8;  // the narrowest heads known
  const int64_t k = std::max<int64_t>(max_k, 1), n = std::max<int64_t>(max_n, 1);
  const AttentionScratch attention(std::max<int64_t>(max_sequence, 1), std::max<int64_t>(n / kHeadWidth, 1));
  // A row of refine_codes' slopes, of refit_scales' sums, of clip_search's trials with as many candidates as channels
  // in the smallest groups: all at most kScratch, or one row.
  const uint64_t one_row = scratch_part(std::max<int64_t>(kScratch / 4, 3 * k)) + 3 * kScratchAlignment;
  return std::max({attention.bytes(), GramFactorScratch(k).bytes(), GramSolveScratch(k, n).bytes(),
                   quadratic_scratch(k, n), GptqScratch(k, n).bytes(), one_row});
}

// Transfers on their way, what ops hold of numbers for the host, and what they read from it: orders, candidates.
uint64_t host_scratch_bytes(int, int64_t max_k, int64_t, int64_t) {
  constexpr uint64_t kHeld = uint64_t{1} << 20;
  return kHostBytes + kHeld + 2 * scratch_part(max_k);
}

}  // namespace scrooge::backend::vulkan
