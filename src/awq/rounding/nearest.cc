// SPDX-License-Identifier: Apache-2.0
#include "src/awq/rounding/rounding.h"

namespace scrooge::awq {
namespace {

Status round_nearest(backend::Device& device, const RoundingProblem& problem, const QuantizedView& to) {
  return device.quantize({problem.weight, to.scales, to.zeros, to.codes, problem.spec});
}

}  // namespace

const Rounding kNearest = {"nearest", false, false, round_nearest};

}  // namespace scrooge::awq
