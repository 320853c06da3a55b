// SPDX-License-Identifier: Apache-2.0
// Inputs shared by the suites of the quantization ops: shapes, schemes, weights with every awkward kind of group, and
// Gram matrices.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/backend/op_params.h"
#include "src/base/text.h"
#include "src/tensor/quantize_math.h"
#include "tests/support/seeded_values.h"

namespace scrooge::test {

struct GroupShape {
  int64_t n = 1, k = 1, g = 0;
  std::string name() const { return concat("n", n, "_k", k, "_g", g); }
};

// One group, ragged last groups, per channel (g = 0), a group wider than the row.
#define SCROOGE_GROUP_SHAPES                                                                                       \
  GroupShape{1, 1, 0}, GroupShape{3, 1, 8}, GroupShape{2, 8, 8}, GroupShape{17, 33, 8}, GroupShape{5, 65, 32},     \
      GroupShape{31, 127, 16}, GroupShape{9, 576, 128}, GroupShape{3, 320, 0}, GroupShape{7, 31, 64}, GroupShape { \
    33, 256, 64                                                                                                    \
  }

inline std::vector<QuantSpec> all_specs(int64_t group, std::span<const DType> scale_dtypes) {
  std::vector<QuantSpec> specs;
  for (const int bits : {2, 3, 4, 8}) {
    for (const bool symmetric : {false, true}) {
      for (const RangeRule range : {RangeRule::kZeroIncluded, RangeRule::kMinMax, RangeRule::kFullRange}) {
        for (const DType dtype : scale_dtypes) specs.push_back({bits, group, symmetric, dtype, range});
      }
    }
  }
  return specs;
}
inline constexpr DType kScaleTypes[] = {DType::kF32, DType::kF16, DType::kBF16};
inline constexpr DType kFileScaleTypes[] = {DType::kF16};

inline std::string spec_name(const QuantSpec& spec) {
  return concat(spec.bits, " bits, group ", spec.group, spec.symmetric ? ", sym" : ", asym", ", rule ",
                static_cast<int>(spec.range), ", scales ", dtype_name(spec.scale_dtype));
}

// Groups take turns: ordinary, all zero, constant, positive only, negative only, times `extreme`, divided by it, one
// outlier, ordinary with exact ties.
inline std::vector<float> awkward_weights(const GroupShape& shape, float extreme, uint64_t seed) {
  SeededValues seeded(seed);
  QuantSpec spec;
  spec.group = shape.g;
  const int64_t length = spec.group_length(shape.k);
  std::vector<float> weights;
  for (int64_t n = 0; n < shape.n; ++n) {
    for (int64_t k = 0; k < shape.k; ++k) {
      const float ordinary = 0.05f * seeded.bell();
      switch ((n + k / length) % 9) {
        case 1: weights.push_back(0); break;
        case 2: weights.push_back(-0.37f); break;
        case 3: weights.push_back(1 + std::fabs(ordinary)); break;
        case 4: weights.push_back(-1 - std::fabs(ordinary)); break;
        case 5: weights.push_back(extreme * ordinary); break;
        case 6: weights.push_back(ordinary / extreme); break;
        case 7: weights.push_back(k % length == 3 ? 2.0f : ordinary); break;
        case 8: weights.push_back(std::nearbyint(ordinary * 80) / 16); break;
        default: weights.push_back(ordinary);
      }
    }
  }
  return weights;
}

// G[K,K] = X^T X / T of correlated columns of very different size, symmetric to the bit.
inline std::vector<float> correlated_gram(int64_t k, uint64_t seed) {
  SeededValues seeded(seed);
  constexpr int64_t kTokens = 24;
  std::vector<float> x(static_cast<size_t>(kTokens * k));
  const std::vector<float> size = seeded.uniforms(k, 0.1f, 3);
  for (int64_t t = 0; t < kTokens; ++t) {
    const float common = seeded.bell();
    for (int64_t c = 0; c < k; ++c) {
      const auto column = static_cast<size_t>(c);
      x[static_cast<size_t>(t * k) + column] = size[column] * (c % 37 == 5 ? 20.0f : 1.0f) * (common + seeded.bell());
    }
  }
  std::vector<float> gram(static_cast<size_t>(k * k));
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = i; j < k; ++j) {
      double sum = 0;
      for (int64_t t = 0; t < kTokens; ++t) {
        sum += static_cast<double>(x[static_cast<size_t>(t * k + i)]) * x[static_cast<size_t>(t * k + j)];
      }
      gram[static_cast<size_t>(i * k + j)] = gram[static_cast<size_t>(j * k + i)] =
          static_cast<float>(sum / static_cast<double>(kTokens));
    }
  }
  return gram;
}

// Scale and zero point of one group under one candidate, straight from the definition in op_params.h.
inline GroupParams expected_params(std::span<const float> weights, backend::ClipCandidate clip, backend::ClipRule rule,
                                   const QuantSpec& spec) {
  float low = *std::min_element(weights.begin(), weights.end());
  float high = *std::max_element(weights.begin(), weights.end());
  if (rule == backend::ClipRule::kEnds) return params_from_range(clip.low_ratio * low, clip.high_ratio * high, spec);
  const float limit = clip.high_ratio * std::max(std::fabs(low), std::fabs(high));
  return params_from_range(std::clamp(low, -limit, limit), std::clamp(high, -limit, limit), spec);
}

inline float rounded(float w, GroupParams params, const QuantSpec& spec) {
  return dequantize_value(quantize_value(w, params, static_cast<float>(spec.max_code())), params);
}

// e G e^T over a range of columns in f64, and the same of magnitudes, from which bounds are made.
struct Quadratic {
  double value = 0;
  double magnitude = 0;    // |e| |G| |e|^T
  double sensitivity = 0;  // |de| |G| |e|^T: how far the value moves, to first order and halved, when e moves by de
};
inline Quadratic quadratic(std::span<const double> e, std::span<const double> de, std::span<const float> gram,
                           int64_t stride, int64_t begin) {
  Quadratic result;
  for (size_t i = 0; i < e.size(); ++i) {
    const float* row = gram.data() + (begin + static_cast<int64_t>(i)) * stride + begin;
    double product = 0;
    double magnitude = 0;
    for (size_t j = 0; j < e.size(); ++j) {
      product += row[j] * e[j];
      magnitude += std::fabs(row[j] * e[j]);
    }
    result.value += e[i] * product;
    result.magnitude += std::fabs(e[i]) * magnitude;
    result.sensitivity += de[i] * magnitude;
  }
  return result;
}

}  // namespace scrooge::test
