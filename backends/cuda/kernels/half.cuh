// SPDX-License-Identifier: Apache-2.0
// binary16 and bfloat16 as bit patterns, to nearest, ties to even: src/base/half.h for the card. Whole numbers only, so
// that tests on a processor see what the card does; a conversion is bound by memory anyway.
#pragma once

#include "backends/cuda/kernels/kernel.cuh"

namespace scrooge::backend::cuda {

__device__ __forceinline__ float bf16_to_float(Bits16 bits) {
  return __uint_as_float(static_cast<unsigned>(bits) << 16);
}

__device__ __forceinline__ Bits16 float_to_bf16(float value) {
  const unsigned bits = __float_as_uint(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<Bits16>((bits >> 16) | 0x0040u);
  return static_cast<Bits16>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

__device__ __forceinline__ float fp16_to_float(Bits16 bits) {
  const unsigned sign = static_cast<unsigned>(bits & 0x8000u) << 16;
  const unsigned exponent = (bits >> 10) & 0x1fu;
  const unsigned mantissa = bits & 0x3ffu;
  if (exponent == 0x1fu) return __uint_as_float(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return __uint_as_float(sign | ((exponent + 112u) << 23) | (mantissa << 13));
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;  // subnormal: exact
  return sign != 0 ? -magnitude : magnitude;
}

__device__ __forceinline__ Bits16 float_to_fp16(float value) {
  const unsigned bits = __float_as_uint(value);
  const unsigned sign = (bits >> 16) & 0x8000u;
  const unsigned magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<Bits16>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) return static_cast<Bits16>(sign | 0x7c00u);  // rounds to infinity
  if (magnitude >= 0x38800000u) {                                            // normal
    const unsigned rebased = magnitude - 0x38000000u;
    return static_cast<Bits16>(sign | ((rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13));
  }
  // Subnormal: adding 0.5 puts the unit of 2^-24 at the last bit of the mantissa, and the adder rounds to even.
  const float shifted = __fadd_rn(__uint_as_float(magnitude), 0.5f);
  return static_cast<Bits16>(sign | (__float_as_uint(shifted) - 0x3f000000u));
}

}  // namespace scrooge::backend::cuda
