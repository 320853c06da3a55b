// SPDX-License-Identifier: Apache-2.0
// Operands and results of products: conversions, bias, sums into the upper triangle, the mirror. Bound by memory: 6
// bytes an element for bf16 operands, 8 to 12 for results.
#include "backends/cuda/kernels/product.h"

#include "backends/cuda/kernels/elementwise.cuh"
#include "backends/cuda/kernels/half.cuh"

namespace scrooge::backend::cuda {
namespace {

__device__ __forceinline__ void assign(float& to, float value) { to = value; }
__device__ __forceinline__ void assign(Bits16& to, float value) { to = float_to_bf16(value); }

template <typename To>
__device__ __forceinline__ void make_operand(const OperandArguments<To>& args) {
  for_each_four(args.span, [&](int64_t row, int64_t column, int count, bool whole) {
    const Four<float> from = load(args.from.row(row) + column, count, whole);
    Four<To> to;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float factor = column + i < args.doubled_end ? 2.0f : 1.0f;
      assign(to.at[i], __fmul_rn(factor, from.at[i]));
    }
    store(args.to.row(row) + column, to, count, whole);
  });
}

}  // namespace

SCROOGE_KERNEL(scrooge_operand_bf16, 256, OperandArguments<Bits16>) { make_operand(args); }
SCROOGE_KERNEL(scrooge_operand_f32, 256, OperandArguments<float>) { make_operand(args); }

SCROOGE_KERNEL(scrooge_output, 256, OutputArguments) {
  for_each_four(args.span, [&](int64_t row, int64_t column, int count, bool whole) {
    Four<float> y{};
    if (args.product.address != 0) y = load(args.product.row(row) + column, count, whole);
    float* const to = args.y.row(row) + column;
    const Four<float> before = args.add != 0 || args.upper_only != 0 ? load<float>(to, count, whole) : Four<float>{};
    const Four<float> bias = args.bias.address != 0 ? load_each(args.bias.data() + column, count) : Four<float>{};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float base = args.add != 0 ? before.at[i] : 0.0f;
      y.at[i] = args.upper_only != 0 && column + i < row ? before.at[i] : y.at[i] + base + bias.at[i];
    }
    store(to, y, count, whole);
  });
}

// A block copies a square of 32 by 32, x over columns and y over rows of the lower triangle.
SCROOGE_KERNEL(scrooge_mirror, 256, MirrorArguments) {
  float* const tile = dynamic_shared<float>();  // [32][33]
  const int64_t size = args.gram.rows;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kWarp;
  for (int64_t below = static_cast<int64_t>(blockIdx.y) * kWarp; below < size;
       below += static_cast<int64_t>(gridDim.y) * kWarp) {
    if (below < first) continue;
    __syncthreads();
    for (int r = warp(); r < kWarp; r += 8) {
      const int64_t column = below + lane();
      if (first + r < size && column < size) tile[r * 33 + lane()] = args.gram.row(first + r)[column];
    }
    __syncthreads();
    for (int r = warp(); r < kWarp; r += 8) {
      const int64_t row = below + r;
      const int64_t column = first + lane();
      if (row < size && column < row) args.gram.row(row)[column] = tile[lane() * 33 + r];
    }
  }
}

}  // namespace scrooge::backend::cuda
