// SPDX-License-Identifier: Apache-2.0
//! 16-bit floating point, by its bits.

pub(crate) fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

pub(crate) fn f16_to_f32(bits: u16) -> f32 {
    const SMALLEST: f32 = 5.960_464_5e-8; // 2^-24
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10 & 0x1f);
    let mantissa = u32::from(bits & 0x3ff);
    match exponent {
        0 => f32::from_bits((mantissa as f32 * SMALLEST).to_bits() | sign),
        0x1f => f32::from_bits(sign | 0x7f80_0000 | mantissa << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | mantissa << 13),
    }
}
