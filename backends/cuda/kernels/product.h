// SPDX-License-Identifier: Apache-2.0
// What stands around the products of cuBLASLt.
#pragma once

#include "backends/cuda/kernels/elementwise.h"

namespace scrooge::backend::cuda {

// An operand made ready: f32 to bf16, or f32 to where it is aligned; columns from `doubled_end` on as they are, those
// before it doubled.
template <typename To>
struct OperandArguments {
  MatrixView<const float> from;
  MatrixView<To> to;
  Span span;
  int64_t doubled_end;
};

// y = product + y + bias; `product` and `bias` may be absent (address 0), y is read where `add` is set.
struct OutputArguments {
  MatrixView<const float> product;
  MatrixView<float> y;
  VectorView<const float> bias;
  Span span;
  int32_t add;
  int32_t upper_only;  // only columns from the row on
};

// The lower triangle from the upper one.
struct MirrorArguments {
  MatrixView<float> gram;
};

}  // namespace scrooge::backend::cuda
