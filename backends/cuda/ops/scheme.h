// SPDX-License-Identifier: Apache-2.0
// QuantSpec and ClipCandidate as kernels get them.
#pragma once

#include "backends/cuda/kernels/quantize.h"
#include "src/backend/op_params.h"
#include "src/base/result.h"

namespace scrooge::backend::cuda {

// kUnsupported for rows longer than a kernel's counters.
inline Result<Scheme> scheme_of(const QuantSpec& spec, int64_t k) {
  constexpr int64_t kMost = int64_t{1} << 30;
  if (k > kMost) return error(StatusCode::kUnsupported, "rows of ", k, " weights; the kernels take up to ", kMost);
  static_assert(static_cast<int>(DType::kF32) == 0 && static_cast<int>(DType::kF16) == 1 &&
                static_cast<int>(DType::kBF16) == 2);
  Scheme scheme{};
  scheme.k = static_cast<int32_t>(k);
  scheme.group = static_cast<int32_t>(spec.group_length(k));
  scheme.groups = static_cast<int32_t>(spec.groups(k));
  scheme.symmetric = spec.symmetric ? 1 : 0;
  scheme.include_zero = spec.range != RangeRule::kMinMax ? 1 : 0;
  scheme.scale_dtype = static_cast<int32_t>(spec.scale_dtype);
  scheme.top = static_cast<float>(spec.max_code());
  scheme.symmetric_zero = static_cast<float>(spec.symmetric_zero());
  scheme.levels = spec.range == RangeRule::kFullRange ? scheme.top / 2 : static_cast<float>(spec.symmetric_zero() - 1);
  scheme.smallest = !spec.symmetric && spec.range == RangeRule::kMinMax ? 1e-5f / scheme.top : 1e-8f;
  return scheme;
}

inline Clip clip_of(ClipCandidate candidate, ClipRule rule) {
  return {candidate.low_ratio, candidate.high_ratio, rule == ClipRule::kAbsMax ? 1 : 0};
}

}  // namespace scrooge::backend::cuda
