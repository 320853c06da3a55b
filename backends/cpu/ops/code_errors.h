// SPDX-License-Identifier: Apache-2.0
// What the codes of one group of a row are off by.
#pragma once

#include "backends/cpu/simd/math_row.h"
#include "backends/cpu/simd/quantize_row.h"

namespace scrooge::backend::cpu {

// error[i] = (codes[i] - zero) * scale - w[i].
inline void code_errors(const uint8_t* codes, const float* w, int64_t n, GroupParams params, float* error) {
  dequantize_row(codes, n, params, error);
  subtract_row(error, w, error, n);
}

}  // namespace scrooge::backend::cpu
