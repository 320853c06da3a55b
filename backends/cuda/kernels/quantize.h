// SPDX-License-Identifier: Apache-2.0
// A quantization scheme as kernels get it, and the arguments of the ops that decide by it.
#pragma once

#include "backends/cuda/kernels/elementwise.h"
#include "backends/cuda/kernels/view.h"

namespace scrooge::backend::cuda {

// QuantSpec for rows of k weights, with what follows from it.
struct Scheme {
  int32_t k;
  int32_t group;   // weights per scale, at most k
  int32_t groups;  // of a row
  int32_t symmetric;
  int32_t include_zero;  // asymmetric ranges are widened to hold 0
  int32_t scale_dtype;   // DType of the scale plane: 0 f32, 1 f16, 2 bf16
  float top;             // the greatest code
  float symmetric_zero;
  float levels;    // symmetric: absmax / levels is the scale
  float smallest;  // scale before rounding
};

// A candidate range: ClipCandidate, ClipRule.
struct Clip {
  float low_ratio, high_ratio;
  int32_t absmax;  // the rule
};

struct GroupParamsArguments {
  MatrixView<const float> w;
  MatrixView<float> scales, zeros;
  Scheme scheme;
  Clip clip;
};

// Codes of w, or w of codes, four elements a thread.
struct QuantizeArguments {
  MatrixView<const float> w, scales, zeros;
  MatrixView<Code> codes;
  Scheme scheme;
  Span span;
};
struct DequantizeArguments {
  MatrixView<const Code> codes;
  MatrixView<const float> scales, zeros;
  MatrixView<float> w;
  Scheme scheme;
  Span span;
};

struct PackArguments {
  MatrixView<const Code> codes;
  MatrixView<uint8_t> packed;
  int32_t bits;
  int32_t whole;  // every eight codes start at a multiple of 8 bytes, and their packed bytes at one of `bits`
};

}  // namespace scrooge::backend::cuda
