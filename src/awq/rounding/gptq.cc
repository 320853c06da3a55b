// SPDX-License-Identifier: Apache-2.0
// Second-order rounding (Frantar et al., arXiv 2210.17323) on the weights after the AWQ fold, with static groups and
// the channels in the order of the factor (falling diagonal of the Gram matrix).
#include "src/awq/rounding/rounding.h"

namespace scrooge::awq {
namespace {

Status round_gptq(backend::Device& device, const RoundingProblem& problem, const QuantizedView& to) {
  return device.gptq({problem.weight, to.scales, to.zeros, problem.factor, to.codes, problem.order, problem.spec});
}

}  // namespace

const Rounding kGptq = {"gptq", true, false, round_gptq};

}  // namespace scrooge::awq
