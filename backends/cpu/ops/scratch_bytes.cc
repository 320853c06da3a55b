// SPDX-License-Identifier: Apache-2.0
// The bound the planner counts with. Scratch is reused from op to op, so it is the largest shared part plus, per
// worker, the largest worker part, plus what is kept beside: bf16 scratchpads and the rotary table.
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/execution.h"
#include "backends/cpu/ops/scratch_parts.h"
#include "backends/cpu/ops/tile_sizes.h"

namespace scrooge::backend::cpu {

uint64_t scratch_bytes(int threads, int64_t max_k, int64_t max_n, int64_t max_sequence) {
  const int64_t k = std::max<int64_t>(1, max_k);
  const int64_t n = std::max<int64_t>(1, max_n);
  const int64_t length = std::max<int64_t>(1, max_sequence);
  constexpr int64_t kHeadWidth = 256;  // the widest heads known
  constexpr int64_t kCandidates = 64;  // clip candidates
  constexpr uint64_t kPage = 4096;     // blocks are counted in pages
  const auto elements = [](int64_t a, int64_t b) { return static_cast<uint64_t>(a) * static_cast<uint64_t>(b); };

  const int64_t block_rows = std::min(n + 15, gemm_block_rows(k) + 15);
  const uint64_t gemm_shared = 2 * elements(block_rows, k);
  const uint64_t gram_shared = 2 * 2 * elements(kGramTokens + 16, k) + 512;
  const uint64_t factor_shared = gram_factor_shared_scratch(k);
  const uint64_t solve_shared = gram_solve_shared_scratch(k);
  const uint64_t gemm_worker = 2 * elements(kGemmRows + 16, k);
  const uint64_t gram_worker = 4 * elements(kGramTile + 16, kGramTile + 16);
  uint64_t clip_worker = clip_search_scratch(k, kCandidates);
  for (const int64_t group : {16, 32, 64, 128, 256, 512, 1024}) {
    if (group < k) clip_worker = std::max(clip_worker, clip_search_scratch(group, kCandidates));
  }
  const uint64_t worker = std::max(
      {gemm_worker, gram_worker, clip_worker, scale_search_scratch(k), gram_factor_scratch(k), gram_solve_scratch(k),
       gptq_scratch(k), refit_scales_scratch(k), refine_codes_scratch(k), attention_scratch(length, kHeadWidth)});
  const uint64_t scratchpad = (uint64_t{256} << 10) + 512 * static_cast<uint64_t>(k);
  const uint64_t table = elements(length, kHeadWidth) * sizeof(float);
  const auto workers = static_cast<uint64_t>(std::max(1, threads));
  return std::max({gemm_shared, gram_shared, factor_shared, solve_shared}) + kPage +
         workers * (worker + scratchpad + 2 * kPage) + table + kPage;
}

}  // namespace scrooge::backend::cpu
