// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "tests/bench/ops/case.h"

namespace scrooge::bench {
namespace {

using backend::Precision;

constexpr double kQuantizeOperations = 6;  // of one weight: scale, divide, round, add, clamp, and back

void add_scale_search(const ShapeSet& set, int64_t n, int64_t k, std::vector<Case>& cases) {
  const int64_t c = set.scale_candidates;
  const QuantSpec spec = set.spec();
  for (const Precision precision : kPrecisions) {
    cases.push_back(
        {"scale_search_loss", shape_text({{"N", n}, {"K", k}, {"C", c}, {"g", set.group}}), precision,
         double(c) * product(n, k) * (double(k + 1) + kQuantizeOperations),
         kFloat * (product(n, k) + 0.5 * product(k, k + 1) + product(c, k)), [=](Workspace& space) {
           const auto loss = std::make_shared<std::vector<double>>(static_cast<size_t>(c));
           const backend::ScaleSearchLossParams params{
               space.random(n, k), space.gram(k), space.random(c, k, 0.5f, 2), spec, {}, *loss, precision};
           return Work{[params, loss, &device = space.device()] { return device.scale_search_loss(params); }, {}};
         }});
  }
}

void add_clip_search(const ShapeSet& set, int64_t n, int64_t k, std::vector<Case>& cases) {
  const QuantSpec spec = set.spec();
  const int64_t r = set.clip_candidates, g = spec.group_length(k), p = spec.groups(k);
  cases.push_back(
      {"clip_search", shape_text({{"N", n}, {"K", k}, {"R", r}, {"g", set.group}}), std::nullopt,
       double(r) * product(n, k) * (double(g + 1) + kQuantizeOperations),
       kFloat * (product(n, k) + 0.5 * product(k, g + 1) + 3 * product(n, p)), [=](Workspace& space) {
         const auto candidates = std::make_shared<std::vector<backend::ClipCandidate>>();
         for (int64_t i = 0; i < r; ++i) {
           const float ratio = 1 - 0.05f * static_cast<float>(i);
           candidates->push_back({ratio, ratio});
         }
         const backend::ClipSearchParams params{space.random(n, k), space.gram(k),           space.zeros(n, p),
                                                space.zeros(n, p),  space.zeros(n, p),       spec,
                                                *candidates,        backend::ClipRule::kEnds};
         return Work{[params, candidates, &device = space.device()] { return device.clip_search(params); }, {}};
       }});
}

void add_gram_loss(int64_t n, int64_t k, std::vector<Case>& cases) {
  cases.push_back({"gram_loss", shape_text({{"N", n}, {"K", k}}), std::nullopt, product(n, k) * double(k + 2),
                   kFloat * (2 * product(n, k) + 0.5 * product(k, k + 1)), [=](Workspace& space) {
                     const auto loss = std::make_shared<std::vector<double>>(static_cast<size_t>(n));
                     const backend::GramLossParams params{space.random(n, k), space.random(n, k, -0.9f, 0.9f),
                                                          space.gram(k), *loss};
                     return Work{[params, loss, &device = space.device()] { return device.gram_loss(params); }, {}};
                   }});
}

}  // namespace

void add_search_cases(const ShapeSet& set, std::vector<Case>& cases) {
  for (const auto& [n, k] : set.linears()) {
    add_scale_search(set, n, k, cases);
    add_clip_search(set, n, k, cases);
  }
  add_gram_loss(set.width, set.width, cases);
  add_gram_loss(set.width, set.ff, cases);
}

}  // namespace scrooge::bench
