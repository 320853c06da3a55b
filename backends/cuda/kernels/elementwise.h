// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/cuda/kernels/view.h"

namespace scrooge::backend::cuda {

// The shape of an elementwise op. Packed matrices of any shape are one long row.
struct Span {
  int64_t rows, cols;
  int64_t whole;  // 1 where every view starts, row for row, at a multiple of four elements
};

struct AddArguments {
  MatrixView<const float> x;
  MatrixView<float> y;
  Span span;
  float alpha;
};

struct ScaleAxisArguments {
  MatrixView<const float> x;
  MatrixView<float> y;
  VectorView<const float> s;
  Span span;
};

template <typename From, typename To>
struct ConvertArguments {
  MatrixView<const From> from;
  MatrixView<To> to;
  Span span;
};

struct GateArguments {
  MatrixView<const float> a, b;
  MatrixView<float> y;
  Span span;
};

}  // namespace scrooge::backend::cuda
