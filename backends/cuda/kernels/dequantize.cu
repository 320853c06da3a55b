// SPDX-License-Identifier: Apache-2.0
// w = (codes - zeros) * scales. Four weights a thread. Bound by memory: 5 bytes a weight.
#include "backends/cuda/kernels/elementwise.cuh"
#include "backends/cuda/kernels/quantize.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_dequantize, 256, DequantizeArguments) {
  const Scheme& scheme = args.scheme;
  for_each_four(args.span, [&](int64_t row, int64_t column, int count, bool whole) {
    const Four<Code> codes = load(args.codes.row(row) + column, count, whole);
    int group = static_cast<int>(column) / scheme.group;
    int next = (group + 1) * scheme.group - static_cast<int>(column);
    GroupScale params{args.scales.row(row)[group], args.zeros.row(row)[group]};
    Four<float> w{};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (i == next && i < count) {
        ++group;
        next += scheme.group;
        params = {args.scales.row(row)[group], args.zeros.row(row)[group]};
      }
      w.at[i] = dequantize_value(static_cast<float>(codes.at[i]), params);
    }
    store(args.w.row(row) + column, w, count, whole);
  });
}

}  // namespace scrooge::backend::cuda
