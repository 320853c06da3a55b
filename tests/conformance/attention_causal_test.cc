// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "tests/support/backend_fixture.h"

namespace scrooge::test {
namespace {

using namespace scrooge::backend;

struct AttentionShape {
  int64_t batch = 1, length = 1, heads = 1, kv_heads = 1, width = 1;
  std::string name() const { return concat("b", batch, "_s", length, "_h", heads, "_kv", kv_heads, "_d", width); }
};

class AttentionCausalTest : public ConformanceTest<AttentionShape> {};

// Error bound per output cell, from the inputs: an error in a logit acts on its softmax weight as exp does; what is
// left are the roundings of the weights and of the weighted sum.
std::vector<double> attention_bounds(const AttentionShape& s, float scale, Precision precision,
                                     const std::vector<float>& q, const std::vector<float>& k,
                                     const std::vector<float>& v) {
  const int64_t q_cols = s.heads * s.width;
  const int64_t kv_cols = s.kv_heads * s.width;
  const double fast = precision == Precision::kFast ? kFastProduct : 0;
  std::vector<double> bounds(static_cast<size_t>(s.batch * s.length * q_cols));
  std::vector<double> logits;
  for (int64_t t = 0; t < s.batch * s.length; ++t) {
    for (int64_t head = 0; head < s.heads; ++head) {
      const int64_t start = t - t % s.length;
      const int64_t key = head / (s.heads / s.kv_heads) * s.width;
      logits.clear();
      double logit_error = 0;
      for (int64_t j = start; j <= t; ++j) {
        double dot = 0;
        double magnitude = 0;
        for (int64_t i = 0; i < s.width; ++i) {
          const double product = static_cast<double>(q[static_cast<size_t>(t * q_cols + head * s.width + i)]) *
                                 k[static_cast<size_t>(j * kv_cols + key + i)];
          dot += product;
          magnitude += std::fabs(product);
        }
        logits.push_back(dot * scale);
        logit_error = std::max(logit_error, (gamma(s.width + 6) + fast) * magnitude * std::fabs(scale));
      }
      const double greatest = *std::max_element(logits.begin(), logits.end());
      double total = 0;
      for (double& logit : logits) total += logit = std::exp(logit - greatest);
      for (int64_t i = 0; i < s.width; ++i) {
        double sum = 0;
        for (int64_t j = start; j <= t; ++j) {
          sum +=
              logits[static_cast<size_t>(j - start)] / total * std::fabs(v[static_cast<size_t>(j * kv_cols + key + i)]);
        }
        bounds[static_cast<size_t>(t * q_cols + head * s.width + i)] =
            sum * (std::expm1(2 * logit_error) + gamma(2 * s.length + 32) + fast);
      }
    }
  }
  return bounds;
}

TEST_P(AttentionCausalTest, MatchesReference) {
  const AttentionShape s = shape();
  const int64_t rows = s.batch * s.length;
  const int64_t q_cols = s.heads * s.width;
  const int64_t kv_cols = s.kv_heads * s.width;
  SeededValues seeded(9);
  const std::vector<float> q = seeded.bells(rows * q_cols, 2);
  const std::vector<float> k = seeded.bells(rows * kv_cols, 2);
  const std::vector<float> v = seeded.bells(rows * kv_cols);
  const float scale = 1 / std::sqrt(static_cast<float>(s.width));
  for (const Precision precision : {Precision::kExact, Precision::kFast}) {
    const std::vector<double> bounds = attention_bounds(s, scale, precision, q, k, v);
    for (const Layout layout : kLayouts) {
      SCOPED_TRACE(concat("precision ", static_cast<int>(precision), ", lead ", layout.lead));
      const Comparison result = compare([&](Device& device) {
        GuardedMatrix gq(device, rows, q_cols, layout, q);
        GuardedMatrix gk(device, rows, kv_cols, layout, k);
        GuardedMatrix gv(device, rows, kv_cols, layout, v);
        GuardedMatrix out(device, rows, q_cols, layout);
        expect_ok(device.attention_causal({gq.matrix(), gk.matrix(), gv.matrix(), out.matrix(), s.length, s.heads,
                                           s.kv_heads, s.width, scale, precision}));
        return Outputs{{out.values()}, {}};
      });
      EXPECT_TRUE(
          within(result.expected.matrices[0], result.actual.matrices[0], q_cols, [&](size_t i) { return bounds[i]; }));
    }
  }
}

TEST_P(AttentionCausalTest, StaysFiniteWhenLogitsAreHuge) {
  const AttentionShape s = shape();
  const int64_t rows = s.batch * s.length;
  SeededValues seeded(10);
  GuardedMatrix q(tested(), rows, s.heads * s.width, kPacked, seeded.bells(rows * s.heads * s.width, 300));
  GuardedMatrix k(tested(), rows, s.kv_heads * s.width, kPacked, seeded.bells(rows * s.kv_heads * s.width, 300));
  GuardedMatrix v(tested(), rows, s.kv_heads * s.width, kPacked, seeded.bells(rows * s.kv_heads * s.width));
  GuardedMatrix out(tested(), rows, s.heads * s.width);
  expect_ok(tested().attention_causal(
      {q.matrix(), k.matrix(), v.matrix(), out.matrix(), s.length, s.heads, s.kv_heads, s.width, 1.0f}));
  for (const float value : out.values()) ASSERT_LE(std::fabs(value), 3.6f);
}

SCROOGE_CONFORMANCE(AttentionCausalTest, AttentionShape, {1, 1, 1, 1, 8}, {2, 17, 4, 2, 32}, {1, 65, 3, 1, 33},
                    {3, 31, 6, 6, 17}, {2, 127, 4, 1, 64}, {1, 193, 2, 2, 128});

}  // namespace
}  // namespace scrooge::test
