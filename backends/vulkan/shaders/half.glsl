// SPDX-License-Identifier: Apache-2.0
// binary16, bfloat16 and binary32 as bit patterns, as src/base/half.h converts them: by integers only, so that
// neither a driver's rounding nor its treatment of denormals matters. Nearest, ties to even; NaN stays NaN.

// `bits` >> shift, to nearest even. REQUIRES: 1 <= shift.
uint shifted_to_even(uint bits, uint shift) {
  if (shift > 32) return 0;
  if (shift == 32) return bits > 0x80000000u ? 1u : 0u;
  const uint quotient = bits >> shift, rest = bits & ((1u << shift) - 1u), tie = 1u << (shift - 1);
  return quotient + uint(rest > tie || (rest == tie && (quotient & 1u) != 0));
}

uint float_to_bf16(uint bits) {
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (bits >> 16) | 0x40u;
  return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}

uint bf16_to_float(uint bits) { return bits << 16; }

uint float_to_fp16(uint bits) {
  const uint sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // rounds to infinity
  if (magnitude >= 0x38800000u) return sign | shifted_to_even(magnitude - 0x38000000u, 13);
  // Subnormal, in units of 2^-24.
  return sign | shifted_to_even((magnitude & 0x7fffffu) | 0x800000u, 126u - (magnitude >> 23));
}

uint fp16_to_float(uint bits) {
  const uint sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 0x1fu, mantissa = bits & 0x3ffu;
  if (exponent == 0x1fu) return sign | 0x7f800000u | (mantissa << 13);
  if (exponent != 0) return sign | ((exponent + 112u) << 23) | (mantissa << 13);
  if (mantissa == 0) return sign;
  const uint top = uint(findMSB(mantissa));  // subnormal: mantissa * 2^-24
  return sign | ((103u + top) << 23) | ((mantissa << (23u - top)) & 0x7fffffu);
}
