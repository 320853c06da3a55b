// SPDX-License-Identifier: Apache-2.0
// Products and quotients of f32 as IEEE has them, where Vulkan promises less: denormals may be flushed, and a
// division may be off by 2.5 units in the last place. What Vulkan does promise, and the self-test confirms, is that
// sums and products of normal numbers are rounded correctly, and that `precise` forbids contraction. Needs half.glsl.

const uint kSign = 0x80000000u, kInfinity = 0x7f800000u;

// |bits| = significand * 2^(exponent - 150), significand in [2^23, 2^24). REQUIRES: finite, not zero.
void take_apart(uint bits, out uint significand, out int exponent) {
  significand = bits & 0x7fffffu;
  exponent = int((bits >> 23) & 0xffu);
  if (exponent != 0) {
    significand |= 0x800000u;
  } else {
    const int shift = 23 - findMSB(significand);
    significand <<= shift;
    exponent = 1 - shift;
  }
}

// a * b, denormals kept.
uint exact_product(uint a, uint b) {
  precise float product = uintBitsToFloat(a) * uintBitsToFloat(b);
  const uint fast = floatBitsToUint(product), magnitude_a = a & ~kSign, magnitude_b = b & ~kSign;
  // Flushing can only have been at work where the result is tiny.
  if ((fast & ~kSign) >= 0x01000000u || magnitude_a == 0 || magnitude_b == 0) return fast;
  uint significand_a, significand_b, high, low;
  int exponent_a, exponent_b;
  take_apart(a, significand_a, exponent_a);
  take_apart(b, significand_b, exponent_b);
  umulExtended(significand_a, significand_b, high, low);
  const uint top = (high << 16) | (low >> 16) | uint((low & 0xffffu) != 0);  // of the 48 bits; the last one is sticky
  const int normal = findMSB(top) - 23;                                      // leaves 24 bits
  const int shift = max(normal, 135 - exponent_a - exponent_b);              // or units of 2^-149, if those are larger
  const uint rounded = shifted_to_even(top, uint(shift));
  const uint sign = (a ^ b) & kSign;
  if (shift != normal) return sign | rounded;
  return sign | ((uint(exponent_a + exponent_b - 134 + shift) << 23) + (rounded - 0x800000u));
}

// a / b; a quotient below the normal numbers is zero.
float exact_quotient(float a, float b) {
  const uint bits_a = floatBitsToUint(a), bits_b = floatBitsToUint(b);
  const uint magnitude_a = bits_a & ~kSign, magnitude_b = bits_b & ~kSign, sign = (bits_a ^ bits_b) & kSign;
  if (magnitude_a >= kInfinity || magnitude_b >= kInfinity || magnitude_b == 0) return a / b;
  if (magnitude_a == 0) return uintBitsToFloat(sign);
  uint numerator, denominator;
  int exponent_a, exponent_b;
  take_apart(bits_a, numerator, exponent_a);
  take_apart(bits_b, denominator, exponent_b);
  // The quotient of the significands with 24 bits, first from the float division, then corrected by its remainder. That
  // one is small, so 32 bits of the 48 tell it.
  const bool smaller = numerator < denominator;
  const int shift = smaller ? 24 : 23;
  uint quotient = uint(float(numerator) / float(denominator) * (smaller ? 16777216.0 : 8388608.0));
  int rest = int((numerator << shift) - quotient * denominator);
  while (rest < 0) {
    quotient -= 1;
    rest += int(denominator);
  }
  while (rest >= int(denominator)) {
    quotient += 1;
    rest -= int(denominator);
  }
  if (2 * rest > int(denominator)) quotient += 1;  // never a tie: that takes a 25th bit of the numerator
  const int exponent = exponent_a - exponent_b + 150 - shift;
  if (exponent <= 0) return uintBitsToFloat(sign);
  // quotient may have become 2^24, which the addition carries into the exponent.
  const uint bits = (uint(exponent) << 23) + (quotient - 0x800000u);
  return uintBitsToFloat(sign | (exponent >= 255 || bits >= kInfinity ? kInfinity : bits));
}

// roundEven(a / b): the float division will do, unless it falls next to a tie. REQUIRES: beyond 1024 the exact
// integer does not matter, for it is clamped.
float rounded_quotient(float a, float b) {
  const float quotient = a / b;
  const float nearest = roundEven(quotient);
  if (abs(abs(quotient - nearest) - 0.5) > 0.000244140625 || abs(quotient) > 1024.0) return nearest;
  return roundEven(exact_quotient(a, b));
}
