// SPDX-License-Identifier: Apache-2.0
// Conversions of one row between the float types, with the rounding of src/base/half.h bit for bit.
#pragma once

#include <cstdint>

#include "src/tensor/dtype.h"

namespace scrooge::backend::cpu {

// n elements; kU8 is not a float type. The ranges do not overlap.
void convert_row(const void* from, DType from_type, void* to, DType to_type, int64_t n);

void float_to_bf16_row(const float* from, uint16_t* to, int64_t n);
// to = bf16(2 * from).
void doubled_to_bf16_row(const float* from, uint16_t* to, int64_t n);

}  // namespace scrooge::backend::cpu
