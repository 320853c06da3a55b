// SPDX-License-Identifier: Apache-2.0
// Codes by round to nearest with given scales and zeros. Four weights a thread. Bound by memory: 5 bytes a weight.
#include "backends/cuda/kernels/elementwise.cuh"
#include "backends/cuda/kernels/quantize.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_quantize, 256, QuantizeArguments) {
  const Scheme& scheme = args.scheme;
  for_each_four(args.span, [&](int64_t row, int64_t column, int count, bool whole) {
    const Four<float> w = load(args.w.row(row) + column, count, whole);
    int group = static_cast<int>(column) / scheme.group;
    int next = (group + 1) * scheme.group - static_cast<int>(column);  // columns until the next group
    GroupScale params{args.scales.row(row)[group], args.zeros.row(row)[group]};
    Four<Code> codes{};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (i == next && i < count) {
        ++group;
        next += scheme.group;
        params = {args.scales.row(row)[group], args.zeros.row(row)[group]};
      }
      codes.at[i] = static_cast<Code>(quantize_value(w.at[i], params, scheme.top));
    }
    store(args.codes.row(row) + column, codes, count, whole);
  });
}

}  // namespace scrooge::backend::cuda
