// SPDX-License-Identifier: Apache-2.0
#include "src/awq/rounding/rounding.h"

namespace scrooge::awq {

std::span<const Rounding* const> all_roundings() {
  static constexpr const Rounding* kRoundings[] = {&kNearest, &kHeuristic, &kGptq};
  return kRoundings;
}

Result<const Rounding*> find_rounding(std::string_view name) {
  std::string known;
  for (const Rounding* rounding : all_roundings()) {
    if (rounding->name == name) return rounding;
    known += concat(known.empty() ? "" : ", ", rounding->name);
  }
  return error(StatusCode::kInvalidArgument, "rounding: \"", printable(name), "\" is not one of ", known);
}

}  // namespace scrooge::awq
