// SPDX-License-Identifier: Apache-2.0
// The bounds the planner counts with. Scratch is one block, as large as the largest op needs; the
// workspace of products comes on top.
#include <algorithm>

#include "backends/cuda/cuda_backend.h"
#include "backends/cuda/cuda_device.h"
#include "backends/cuda/ops/scratch_parts.h"
#include "backends/cuda/staging.h"

namespace scrooge::backend::cuda {

uint64_t scratch_bytes(int, int64_t max_k, int64_t max_n, int64_t max_sequence) {
  const int64_t k = std::max<int64_t>(1, max_k);
  const int64_t n = std::max<int64_t>(1, max_n);
  constexpr int64_t kCandidates = 64;  // clip candidates
  uint64_t most = std::max({gptq_scratch(n, k), refine_codes_scratch(n, k), refit_scales_scratch(n, k, k)});
  for (int64_t group = 8; group < k; group *= 2) {
    most = std::max({most, clip_search_scratch(n, k, group, kCandidates), refit_scales_scratch(n, k, group)});
  }
  constexpr int64_t kHalfHead = 128;  // of the widest heads known
  most = std::max({most, clip_search_scratch(n, k, k, kCandidates), reduce_scratch(), column_stats_scratch(k),
                   rope_scratch(std::max<int64_t>(1, max_sequence), kHalfHead), gemm_scratch(n, k),
                   gram_accumulate_scratch(k), scale_search_scratch(n, k), gram_loss_scratch(n, k),
                   gram_factor_scratch(k), gram_solve_scratch(n, k)});
  return most + kBlasWorkspace;
}

// Results: a loss of eight bytes per row, some ops' at once.
uint64_t host_scratch_bytes(int, int64_t, int64_t max_n, int64_t) {
  const uint64_t results = std::max<uint64_t>(64 << 10, 8 * static_cast<uint64_t>(std::max<int64_t>(max_n, 1)));
  return Staging::kPieces * Staging::kPiece + results;
}

}  // namespace scrooge::backend::cuda
