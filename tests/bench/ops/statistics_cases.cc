// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "tests/bench/ops/case.h"

namespace scrooge::bench {
namespace {

using backend::Precision;
using Kind = backend::ReduceParams::Kind;

void add_gram(int64_t t, int64_t k, bool mirror, std::vector<Case>& cases) {
  for (const Precision precision : kPrecisions) {
    // The upper triangle is read and written; mirrored, the lower one is written too.
    const double gram_bytes = kFloat * (product(k, k) + (mirror ? 0.5 * product(k, k) : 0));
    cases.push_back({"gram_accumulate", concat(shape_text({{"T", t}, {"K", k}}), mirror ? ", mirrored" : ""), precision,
                     product(k, k + 1) * double(t), kFloat * product(t, k) + gram_bytes, [=](Workspace& space) {
                       const backend::Matrix x = space.random(t, k);
                       const backend::GramAccumulateParams params{x, x, space.zeros(k, k), true, mirror, precision};
                       return Work{[params, &device = space.device()] { return device.gram_accumulate(params); }, {}};
                     }});
  }
}

void add_reduce(std::string_view name, Kind kind, double operations, int64_t rows, int64_t cols,
                std::vector<Case>& cases) {
  const bool two = kind == Kind::kSumSquaredDiff || kind == Kind::kDot;
  cases.push_back({"reduce", concat(name, ", ", rows, " x ", cols), std::nullopt, operations * product(rows, cols),
                   (two ? 2 : 1) * kFloat * product(rows, cols), [=](Workspace& space) {
                     const auto result = std::make_shared<double>();
                     const backend::Matrix a = space.random(rows, cols);
                     const backend::Matrix b = two ? space.random(rows, cols) : backend::Matrix{};
                     const backend::ReduceParams params{a, b, kind, result.get()};
                     return Work{[params, result, &device = space.device()] { return device.reduce(params); }, {}};
                   }});
}

}  // namespace

void add_statistics_cases(const ShapeSet& set, std::vector<Case>& cases) {
  const int64_t t = set.tokens, d = set.width, f = set.ff;
  for (const int64_t k : {d, f}) add_gram(t, k, false, cases);
  add_gram(t, d, true, cases);
  cases.push_back({"column_stats", shape_text({{"T", t}, {"K", f}}), std::nullopt, 4 * product(t, f),
                   kFloat * product(t, f), [=](Workspace& space) {
                     const backend::ColumnStatsParams params{space.random(t, f), space.zero_vector(f),
                                                             space.zero_vector(f), space.zero_vector(f)};
                     return Work{[params, &device = space.device()] { return device.column_stats(params); }, {}};
                   }});
  add_reduce("non-finite", Kind::kCountNonFinite, 1, f, d, cases);
  add_reduce("sum of squares", Kind::kSumSquares, 2, f, d, cases);
  add_reduce("squared difference", Kind::kSumSquaredDiff, 3, t, d, cases);
  add_reduce("dot", Kind::kDot, 2, t, d, cases);
}

}  // namespace scrooge::bench
