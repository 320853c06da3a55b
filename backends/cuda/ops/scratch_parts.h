// SPDX-License-Identifier: Apache-2.0
// Cuts an op's scratch into parts, and names each op's bound for the planner (scratch_bytes.cc): what the op asks for
// at most with linears of n rows and k inputs.
#pragma once

#include <cstdint>

#include "backends/cuda/driver_types.h"

namespace scrooge::backend::cuda {

// Without a base it only counts.
class ScratchCarver {
 public:
  explicit ScratchCarver(CuAddress base = 0) : base_(base) {}

  // Room for `count` of T, aligned to 256 bytes.
  template <typename T>
  CuAddress take(int64_t count) {
    const CuAddress at = base_ + used_;
    constexpr uint64_t kAlignment = 256;
    used_ += (static_cast<uint64_t>(count) * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return at;
  }
  uint64_t used() const { return used_; }

 private:
  CuAddress base_;
  uint64_t used_ = 0;
};

uint64_t reduce_scratch();
uint64_t column_stats_scratch(int64_t k);
uint64_t rope_scratch(int64_t positions, int64_t half);
uint64_t gemm_scratch(int64_t n, int64_t k);
uint64_t gram_accumulate_scratch(int64_t k);
uint64_t scale_search_scratch(int64_t n, int64_t k);
uint64_t gram_loss_scratch(int64_t n, int64_t k);
uint64_t gram_factor_scratch(int64_t k);
uint64_t gram_solve_scratch(int64_t n, int64_t k);
uint64_t clip_search_scratch(int64_t n, int64_t k, int64_t group, int64_t candidates);
uint64_t gptq_scratch(int64_t n, int64_t k);
uint64_t refine_codes_scratch(int64_t n, int64_t k);
uint64_t refit_scales_scratch(int64_t n, int64_t k, int64_t group);

}  // namespace scrooge::backend::cuda
