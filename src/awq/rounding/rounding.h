// SPDX-License-Identifier: Apache-2.0
// The seam of rounding: from fixed scales and zeros to codes. One file per method, chosen by name; a new method is a
// new file and a line in rounding.cc. Whatever a method gives is kept, row by row, only where the exact loss improves.
#pragma once

#include <span>
#include <string_view>

#include "src/awq/quantized_linear.h"

namespace scrooge::awq {

struct RoundingProblem {
  backend::Matrix weight;  // the target W * s, [N,K]: some rows of a linear
  QuantSpec spec;
  std::span<const float> mean_input;  // [K], mean of x / s, signed; for methods that need it
  backend::Matrix factor;             // [K,K], of the scaled Gram matrix, its lower triangle; for methods that need it
  std::span<const int32_t> order;     // the factor's order
};

struct Rounding {
  std::string_view name;
  bool needs_factor = false;
  bool needs_mean = false;
  // Writes the codes of `to`; its scales and zeros are set and stay.
  Status (*round)(backend::Device& device, const RoundingProblem& problem, const QuantizedView& to);
};

extern const Rounding kNearest;    // round to nearest
extern const Rounding kHeuristic;  // nearest, then flips that cancel each row's mean error
extern const Rounding kGptq;       // second-order

std::span<const Rounding* const> all_roundings();
// kInvalidArgument lists the known names.
Result<const Rounding*> find_rounding(std::string_view name);

}  // namespace scrooge::awq
