// SPDX-License-Identifier: Apache-2.0
// y = f(a) * b; y may be a or b. Each factor within a few units in the last place. Bound by memory: 12 bytes an
// element.
#include "backends/cuda/kernels/elementwise.cuh"

namespace scrooge::backend::cuda {
namespace {

struct Silu {
  static __device__ __forceinline__ float of(float a) { return __fdiv_rn(a, __fadd_rn(1.0f, expf(-a))); }
};
struct GeluTanh {
  static __device__ __forceinline__ float of(float a) {
    constexpr float kRoot = 0.79788456080286535588f;  // sqrt(2 / pi)
    return 0.5f * a * (1.0f + tanhf(kRoot * (a + 0.044715f * a * a * a)));
  }
};
struct GeluErf {
  static __device__ __forceinline__ float of(float a) { return 0.5f * a * (1.0f + erff(a * 0.70710678118654752440f)); }
};
struct Relu {
  static __device__ __forceinline__ float of(float a) { return a > 0.0f ? a : 0.0f; }
};

template <typename Activation>
__device__ __forceinline__ void gate(const GateArguments& args) {
  for_each_four(args.span, [&](int64_t row, int64_t column, int count, bool whole) {
    const Four<float> a = load(args.a.row(row) + column, count, whole);
    Four<float> b = load(args.b.row(row) + column, count, whole);
#pragma unroll
    for (int i = 0; i < 4; ++i) b.at[i] = __fmul_rn(Activation::of(a.at[i]), b.at[i]);
    store(args.y.row(row) + column, b, count, whole);
  });
}

}  // namespace

SCROOGE_KERNEL(scrooge_gate_silu, 256, GateArguments) { gate<Silu>(args); }
SCROOGE_KERNEL(scrooge_gate_gelu_tanh, 256, GateArguments) { gate<GeluTanh>(args); }
SCROOGE_KERNEL(scrooge_gate_gelu_erf, 256, GateArguments) { gate<GeluErf>(args); }
SCROOGE_KERNEL(scrooge_gate_relu, 256, GateArguments) { gate<Relu>(args); }

}  // namespace scrooge::backend::cuda
