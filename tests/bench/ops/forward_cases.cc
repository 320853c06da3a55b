// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/bench/ops/case.h"

namespace scrooge::bench {
namespace {

using backend::Precision;

void add_convert(int64_t rows, int64_t cols, DType from, DType to, std::vector<Case>& cases) {
  const double elements = product(rows, cols);
  cases.push_back({"convert", concat(dtype_name(from), " to ", dtype_name(to), ", ", rows, " x ", cols), std::nullopt,
                   0, elements * static_cast<double>(dtype_size(from) + dtype_size(to)), [=](Workspace& space) {
                     const backend::ConvertParams params{space.zeros(rows, cols, from), space.zeros(rows, cols, to)};
                     return Work{[params, &device = space.device()] { return device.convert(params); }, {}};
                   }});
}

void add_gemm(int64_t t, int64_t n, int64_t k, std::vector<Case>& cases) {
  for (const Precision precision : kPrecisions) {
    cases.push_back({"gemm", shape_text({{"T", t}, {"N", n}, {"K", k}}), precision, 2 * product(t, n) * double(k),
                     kFloat * (product(t, k) + product(n, k) + product(t, n)), [=](Workspace& space) {
                       const backend::GemmParams params{
                           space.random(t, k), space.random(n, k), space.zeros(t, n), {}, 0, precision};
                       return Work{[params, &device = space.device()] { return device.gemm(params); }, {}};
                     }});
  }
}

void add_attention(const ShapeSet& set, std::vector<Case>& cases) {
  const int64_t t = set.tokens, width = set.width, kv = set.kv_width();
  for (const Precision precision : kPrecisions) {
    // Both products over the pairs of a query and a key that it sees, (S + 1) / 2 of them a query on average.
    cases.push_back(
        {"attention_causal",
         shape_text({{"T", t}, {"S", set.sequence}, {"H", set.heads}, {"Hkv", set.kv_heads}, {"d", set.head_width()}}),
         precision, 2 * product(t, set.sequence + 1) * double(width), 2 * kFloat * (product(t, width) + product(t, kv)),
         [=](Workspace& space) {
           const float scale = 1 / std::sqrt(static_cast<float>(set.head_width()));
           const backend::AttentionCausalParams params{space.random(t, width),
                                                       space.random(t, kv),
                                                       space.random(t, kv),
                                                       space.zeros(t, width),
                                                       set.sequence,
                                                       set.heads,
                                                       set.kv_heads,
                                                       set.head_width(),
                                                       scale,
                                                       precision};
           return Work{[params, &device = space.device()] { return device.attention_causal(params); }, {}};
         }});
  }
}

}  // namespace

void add_forward_cases(const ShapeSet& set, std::vector<Case>& cases) {
  const int64_t t = set.tokens, d = set.width, f = set.ff, s = set.sequence, head = set.head_width();
  add_convert(f, d, DType::kBF16, DType::kF32, cases);  // a weight as it comes
  add_convert(t, f, DType::kF32, DType::kBF16, cases);  // activations as they are kept
  for (const auto& [n, k] : set.linears()) add_gemm(t, n, k, cases);
  add_gemm(t, set.kv_width(), d, cases);

  cases.push_back(
      {"normalize", shape_text({{"T", t}, {"K", d}}), std::nullopt, 4 * product(t, d), 2 * kFloat * product(t, d),
       [=](Workspace& space) {
         const backend::NormalizeParams params{space.random(t, d), space.zeros(t, d), space.random_vector(d), 1e-5f};
         return Work{[params, &device = space.device()] { return device.normalize(params); }, {}};
       }});
  cases.push_back(
      {"rope", shape_text({{"T", t}, {"H", set.heads}, {"d", head}}), std::nullopt, 4 * product(t, d),
       2 * kFloat * product(t, d), [=](Workspace& space) {
         const backend::RopeParams params{space.random(t, d), head, s, space.random_vector(head / 2, 1e-4f, 1), 1};
         return Work{[params, &device = space.device()] { return device.rope(params); }, {}};
       }});
  add_attention(set, cases);
  cases.push_back({"gate", shape_text({{"T", t}, {"F", f}}), std::nullopt, 8 * product(t, f),
                   3 * kFloat * product(t, f), [=](Workspace& space) {
                     const backend::GateParams params{space.random(t, f), space.random(t, f), space.zeros(t, f),
                                                      backend::Activation::kSilu};
                     return Work{[params, &device = space.device()] { return device.gate(params); }, {}};
                   }});
  cases.push_back({"add", shape_text({{"T", t}, {"K", d}}), std::nullopt, 2 * product(t, d), 3 * kFloat * product(t, d),
                   [=](Workspace& space) {
                     const backend::AddParams params{space.random(t, d), space.random(t, d), 1e-3f};
                     return Work{[params, &device = space.device()] { return device.add(params); }, {}};
                   }});
  for (const auto axis : {backend::ScaleAxisParams::Axis::kColumns, backend::ScaleAxisParams::Axis::kRows}) {
    const bool columns = axis == backend::ScaleAxisParams::Axis::kColumns;
    cases.push_back({"scale_axis", concat(columns ? "columns, " : "rows, ", shape_text({{"N", f}, {"K", d}})),
                     std::nullopt, product(f, d), 2 * kFloat * product(f, d), [=](Workspace& space) {
                       const backend::ScaleAxisParams params{space.random(f, d), space.zeros(f, d),
                                                             space.random_vector(columns ? d : f, 0.5f, 2), axis};
                       return Work{[params, &device = space.device()] { return device.scale_axis(params); }, {}};
                     }});
  }
}

}  // namespace scrooge::bench
