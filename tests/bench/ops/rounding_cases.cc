// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <numeric>
#include <random>

#include "tests/bench/ops/case.h"

namespace scrooge::bench {
namespace {

using backend::Matrix;

using Order = std::shared_ptr<std::vector<int32_t>>;

Order random_order(int64_t size) {
  const auto order = std::make_shared<std::vector<int32_t>>(static_cast<size_t>(size));
  std::iota(order->begin(), order->end(), 0);
  std::shuffle(order->begin(), order->end(), std::mt19937(5));
  return order;
}

// What rounding to nearest makes of random weights.
struct Coded {
  Matrix w, scales, zeros, codes;
};
Coded make_coded(Workspace& space, int64_t n, int64_t k, const QuantSpec& spec) {
  const int64_t p = spec.groups(k);
  const Coded coded{space.random(n, k), space.zeros(n, p), space.zeros(n, p), space.zeros(n, k, DType::kU8)};
  if (!space.status().ok()) return coded;
  space.require(space.device().group_params({coded.w, coded.scales, coded.zeros, spec, {}, backend::ClipRule::kEnds}));
  space.require(space.device().quantize({coded.w, coded.scales, coded.zeros, coded.codes, spec}));
  return coded;
}

// Puts back what an op changes in place, from a copy of how it was.
std::function<Status()> restore(Workspace& space, const Matrix& changed) {
  const Matrix kept = space.zeros(changed.rows, changed.cols, changed.dtype);
  const auto bytes = static_cast<uint64_t>(changed.rows * changed.cols * dtype_size(changed.dtype));
  if (space.status().ok()) space.require(space.device().copy(*changed.buffer, 0, *kept.buffer, 0, bytes));
  return [=, &device = space.device()] { return device.copy(*kept.buffer, 0, *changed.buffer, 0, bytes); };
}

// Of a Gram matrix, in its place.
struct Factored {
  Matrix factor;
  Order order;
};
Factored make_factor(Workspace& space, int64_t k) {
  const Factored made{space.gram(k), random_order(k)};
  bool definite = false;
  if (space.status().ok()) {
    space.require(space.device().gram_factor({made.factor, made.factor, *made.order, 0.01, &definite}));
  }
  if (space.status().ok() && !definite) {
    space.require(Status(StatusCode::kInternal, "gram_factor: the Gram matrix should be definite"));
  }
  return made;
}

void add_gram_factor(int64_t k, std::vector<Case>& cases) {
  // A Cholesky factor and a triangular inverse, K^3 / 3 each, in f64; one triangle is read, both are written.
  cases.push_back(
      {"gram_factor", shape_text({{"K", k}}), std::nullopt, 2.0 / 3 * product(k, k) * double(k),
       kFloat * (0.5 * product(k, k + 1) + product(k, k)), [=](Workspace& space) {
         const Order order = random_order(k);
         const auto definite = std::make_shared<bool>();
         const backend::GramFactorParams params{space.gram(k), space.zeros(k, k), *order, 0.01, definite.get()};
         return Work{[params, order, definite, &device = space.device()] { return device.gram_factor(params); }, {}};
       }});
}

void add_gram_solve(int64_t n, int64_t k, std::vector<Case>& cases) {
  // Two products with a triangle, which is read once for both.
  cases.push_back(
      {"gram_solve", shape_text({{"N", n}, {"K", k}}), std::nullopt, 2 * product(n, k) * double(k + 1),
       kFloat * (0.5 * product(k, k + 1) + 2 * product(n, k)), [=](Workspace& space) {
         const Factored made = make_factor(space, k);
         const backend::GramSolveParams params{space.random(n, k), made.factor, space.zeros(n, k), *made.order};
         return Work{[params, order = made.order, &device = space.device()] { return device.gram_solve(params); }, {}};
       }});
}

void add_gptq(const ShapeSet& set, int64_t n, int64_t k, std::vector<Case>& cases) {
  const QuantSpec spec = set.spec();
  cases.push_back(
      {"gptq", shape_text({{"N", n}, {"K", k}, {"g", set.group}}), std::nullopt, product(n, k) * double(k),
       kFloat * (product(n, k) + 0.5 * product(k, k + 1) + 2 * product(n, spec.groups(k))) + product(n, k),
       [=](Workspace& space) {
         const Coded coded = make_coded(space, n, k, spec);
         const Factored made = make_factor(space, k);
         const backend::GptqParams params{coded.w,     coded.scales, coded.zeros, made.factor,
                                          coded.codes, *made.order,  spec};
         return Work{[params, order = made.order, &device = space.device()] { return device.gptq(params); }, {}};
       }});
}

void add_refit_scales(const ShapeSet& set, int64_t n, int64_t k, std::vector<Case>& cases) {
  const QuantSpec spec = set.spec();
  const int64_t p = spec.groups(k);
  // The errors times the Gram, and each group's row times its block.
  cases.push_back({"refit_scales", shape_text({{"N", n}, {"K", k}, {"g", set.group}}), std::nullopt,
                   2 * product(n, k) * double(k + spec.group_length(k)),
                   kFloat * (product(n, k) + product(k, k) + 3 * product(n, p)) + product(n, k), [=](Workspace& space) {
                     const Coded coded = make_coded(space, n, k, spec);
                     const backend::RefitScalesParams params{coded.w,       coded.codes,  coded.zeros,
                                                             space.gram(k), coded.scales, spec};
                     return Work{[params, &device = space.device()] { return device.refit_scales(params); },
                                 restore(space, coded.scales)};
                   }});
}

void add_refine_codes(const ShapeSet& set, int64_t n, int64_t k, std::vector<Case>& cases) {
  const QuantSpec spec = set.spec();
  const int64_t p = spec.groups(k);
  // The errors times the Gram. What follows a code that moves depends on how many do, and is not counted.
  cases.push_back(
      {"refine_codes", shape_text({{"N", n}, {"K", k}, {"g", set.group}}), std::nullopt, 2 * product(n, k) * double(k),
       kFloat * (product(n, k) + product(k, k) + 2 * product(n, p)) + 2 * product(n, k), [=](Workspace& space) {
         const Coded coded = make_coded(space, n, k, spec);
         const backend::RefineCodesParams params{coded.w, coded.codes, coded.scales, coded.zeros, space.gram(k), spec,
                                                 1};
         return Work{[params, &device = space.device()] { return device.refine_codes(params); },
                     restore(space, coded.codes)};
       }});
}

}  // namespace

void add_rounding_cases(const ShapeSet& set, std::vector<Case>& cases) {
  for (const int64_t k : {set.width, set.ff}) add_gram_factor(k, cases);
  for (const auto& [n, k] : set.linears()) {
    add_gram_solve(n, k, cases);
    add_gptq(set, n, k, cases);
    add_refit_scales(set, n, k, cases);
    add_refine_codes(set, n, k, cases);
  }
}

}  // namespace scrooge::bench
