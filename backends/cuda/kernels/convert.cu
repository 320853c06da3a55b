// SPDX-License-Identifier: Apache-2.0
// Between f32, f16 and bf16, to nearest, ties to even; from one half to
// the other goes by f32, which holds both exactly. Bound by memory: 4 to 6 bytes an element.
#include "backends/cuda/kernels/elementwise.cuh"
#include "backends/cuda/kernels/half.cuh"

namespace scrooge::backend::cuda {
namespace {

struct F32 {
  using Stored = float;
  static __device__ __forceinline__ float read(float value) { return value; }
  static __device__ __forceinline__ float write(float value) { return value; }
};
struct F16 {
  using Stored = Bits16;
  static __device__ __forceinline__ float read(Bits16 bits) { return fp16_to_float(bits); }
  static __device__ __forceinline__ Bits16 write(float value) { return float_to_fp16(value); }
};
struct BF16 {
  using Stored = Bits16;
  static __device__ __forceinline__ float read(Bits16 bits) { return bf16_to_float(bits); }
  static __device__ __forceinline__ Bits16 write(float value) { return float_to_bf16(value); }
};

template <typename From, typename To, typename Arguments>
__device__ __forceinline__ void convert(const Arguments& args) {
  for_each_four(args.span, [&](int64_t row, int64_t column, int count, bool whole) {
    const Four<typename From::Stored> from = load(args.from.row(row) + column, count, whole);
    Four<typename To::Stored> to;
#pragma unroll
    for (int i = 0; i < 4; ++i) to.at[i] = To::write(From::read(from.at[i]));
    store(args.to.row(row) + column, to, count, whole);
  });
}

}  // namespace

using FromFloat = ConvertArguments<float, Bits16>;
using ToFloat = ConvertArguments<Bits16, float>;
using HalfToHalf = ConvertArguments<Bits16, Bits16>;
using FloatToFloat = ConvertArguments<float, float>;

SCROOGE_KERNEL(scrooge_convert_f32_f32, 256, FloatToFloat) { convert<F32, F32>(args); }
SCROOGE_KERNEL(scrooge_convert_f32_f16, 256, FromFloat) { convert<F32, F16>(args); }
SCROOGE_KERNEL(scrooge_convert_f32_bf16, 256, FromFloat) { convert<F32, BF16>(args); }
SCROOGE_KERNEL(scrooge_convert_f16_f32, 256, ToFloat) { convert<F16, F32>(args); }
SCROOGE_KERNEL(scrooge_convert_bf16_f32, 256, ToFloat) { convert<BF16, F32>(args); }
SCROOGE_KERNEL(scrooge_convert_f16_f16, 256, HalfToHalf) { convert<F16, F16>(args); }
SCROOGE_KERNEL(scrooge_convert_bf16_bf16, 256, HalfToHalf) { convert<BF16, BF16>(args); }
SCROOGE_KERNEL(scrooge_convert_f16_bf16, 256, HalfToHalf) { convert<F16, BF16>(args); }
SCROOGE_KERNEL(scrooge_convert_bf16_f16, 256, HalfToHalf) { convert<BF16, F16>(args); }

}  // namespace scrooge::backend::cuda
