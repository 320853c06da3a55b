// SPDX-License-Identifier: Apache-2.0
// Second-order rounding of a tile of kGptqRows rows that lies transposed: w[step][row].
#pragma once

#include <cstdint>

namespace scrooge::backend::cpu {

inline constexpr int64_t kGptqRows = 32;

struct GptqFactor {
  const float* rows = nullptr;
  int64_t stride = 0;
};

// Rounds one step, bit for bit by quantize_math.h: w becomes the codes; error = (w - value of the code) / pivot.
// All [kGptqRows].
void round_step(const float* scales, const float* zeros, float top, float pivot, float* w, float* error);
// w[t] -= sum of error[j - begin] * factor[t, j] over the steps j in [begin, end), for t in [from, to).
// Added in the order of j, so that blocks do not show in the result.
void spread_error(const GptqFactor& factor, int64_t begin, int64_t end, int64_t from, int64_t to, const float* error,
                  float* w);

}  // namespace scrooge::backend::cpu
