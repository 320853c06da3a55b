// SPDX-License-Identifier: Apache-2.0
// How an elementwise op is cut: see kernels/elementwise.cuh.
#pragma once

#include <algorithm>
#include <initializer_list>

#include "backends/cuda/kernels/elementwise.h"
#include "backends/cuda/ops/views.h"
#include "backends/cuda/work.h"

namespace scrooge::backend::cuda {

// Where rows matter (a vector along one axis), `flat` is false: then a matrix keeps its rows.
inline Span span_of(std::initializer_list<const Matrix*> matrices, bool flat) {
  const Matrix& first = **matrices.begin();
  Span span{first.rows, first.cols, 1};
  bool packed = true;
  for (const Matrix* m : matrices) {
    packed = packed && (m->stride == m->cols || m->rows <= 1);
    const auto four = static_cast<uint64_t>(4 * dtype_size(m->dtype));
    const bool aligned = address_of(m->buffer, m->offset) % four == 0 && (m->rows <= 1 || m->stride % 4 == 0);
    if (!aligned) span.whole = 0;
  }
  if (!packed || !flat) return span;
  span = {1, first.rows * first.cols, 1};
  for (const Matrix* m : matrices) {
    if (address_of(m->buffer, m->offset) % static_cast<uint64_t>(4 * dtype_size(m->dtype)) != 0) span.whole = 0;
  }
  return span;
}

inline LaunchShape shape_of(const Span& span) {
  constexpr int64_t kMostRows = 32768;  // of a grid; blocks go on from there
  return {256, ceil_div(span.cols, 1024), std::min(span.rows, kMostRows), 1, 0};
}

}  // namespace scrooge::backend::cuda
