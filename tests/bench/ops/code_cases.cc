// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/ops/case.h"

namespace scrooge::bench {

void add_code_cases(const ShapeSet& set, std::vector<Case>& cases) {
  const int64_t n = set.ff, k = set.width;
  const QuantSpec spec = set.spec();
  const int64_t p = spec.groups(k);
  const std::string shape = shape_text({{"N", n}, {"K", k}, {"g", set.group}});
  const double weights = product(n, k), planes = 2 * kFloat * product(n, p);

  cases.push_back({"group_params", shape, std::nullopt, 2 * weights, kFloat * weights + planes, [=](Workspace& space) {
                     const backend::GroupParamsParams params{
                         space.random(n, k), space.zeros(n, p), space.zeros(n, p), spec, {}, backend::ClipRule::kEnds};
                     return Work{[params, &device = space.device()] { return device.group_params(params); }, {}};
                   }});
  cases.push_back(
      {"quantize", shape, std::nullopt, 4 * weights, (kFloat + 1) * weights + planes, [=](Workspace& space) {
         const backend::QuantizeParams params{space.random(n, k), space.random(n, p, 0.1f, 0.2f), space.zeros(n, p),
                                              space.zeros(n, k, DType::kU8), spec};
         return Work{[params, &device = space.device()] { return device.quantize(params); }, {}};
       }});
  cases.push_back(
      {"dequantize", shape, std::nullopt, 2 * weights, (kFloat + 1) * weights + planes, [=](Workspace& space) {
         const backend::DequantizeParams params{space.random_codes(n, k, spec.bits), space.random(n, p, 0.1f, 0.2f),
                                                space.zeros(n, p), space.zeros(n, k), spec};
         return Work{[params, &device = space.device()] { return device.dequantize(params); }, {}};
       }});
  for (const int bits : {4, 3}) {
    const int64_t bytes = (k * bits + 7) / 8;
    cases.push_back(
        {"pack", concat(bits, " bits, ", shape_text({{"N", n}, {"K", k}})), std::nullopt, 2 * weights,
         weights + product(n, bytes), [=](Workspace& space) {
           const backend::PackParams params{space.random_codes(n, k, bits), space.zeros(n, bytes, DType::kU8), bits};
           return Work{[params, &device = space.device()] { return device.pack(params); }, {}};
         }});
  }
}

}  // namespace scrooge::bench
