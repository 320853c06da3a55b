// SPDX-License-Identifier: Apache-2.0
// Block layouts, byte offsets in parentheses. d, m are f16; qs hold low nibbles first: in a block of 32, byte j holds
// weights j (low) and j + 16 (high); in a block of 256, 32 bytes hold a run of 32 (low) and the next run of 32 (high).
//   q8_0  d(0) q[32](2)                          w = d q, q signed
//   q4_0  d(0) qs[16](2)                         w = d (q - 8)
//   q4_1  d(0) m(2) qs[16](4)                    w = d q + m
//   q5_0  d(0) qh u32(2) qs[16](6)               w = d (q - 16), bit 4 of weight j is bit j of qh
//   q5_1  d(0) m(2) qh u32(4) qs[16](8)          w = d q + m
//   q4_k  d(0) dmin(2) scales[12](4) qs[128](16)             w = (d sc) q - dmin mn, sc and mn 6 bits per 32 weights
//   q5_k  d(0) dmin(2) scales[12](4) qh[32](16) qs[128](48)  bit 4 of run r, weight j is bit r of qh[j]
//   q6_k  ql[128](0) qh[64](128) sc[16](192) d(208)          w = (d sc) (q - 32), sc signed, per 16 weights
#include "src/checkpoint/dequantize.h"

#include "src/base/half.h"
#include "src/checkpoint/load.h"

namespace scrooge::checkpoint {
namespace {

float load_f16(const std::byte* from) { return fp16_to_float(load_le<uint16_t>(from)); }
int low_nibble(const std::byte* from) { return load_u8(from) & 15; }
int high_nibble(const std::byte* from) { return load_u8(from) >> 4; }
int load_i8(const std::byte* from) { return static_cast<int8_t>(load_u8(from)); }

void decode_f32(const std::byte* block, float* out) { *out = load_f32(block); }
void decode_f16(const std::byte* block, float* out) { *out = load_f16(block); }
void decode_bf16(const std::byte* block, float* out) { *out = bf16_to_float(load_le<uint16_t>(block)); }

void decode_q8_0(const std::byte* block, float* out) {
  const float d = load_f16(block);
  for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(load_i8(block + 2 + j));
}

void decode_q4_0(const std::byte* block, float* out) {
  const float d = load_f16(block);
  const std::byte* qs = block + 2;
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(low_nibble(qs + j) - 8);
    out[j + 16] = d * static_cast<float>(high_nibble(qs + j) - 8);
  }
}

void decode_q4_1(const std::byte* block, float* out) {
  const float d = load_f16(block);
  const float m = load_f16(block + 2);
  const std::byte* qs = block + 4;
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(low_nibble(qs + j)) + m;
    out[j + 16] = d * static_cast<float>(high_nibble(qs + j)) + m;
  }
}

// Bit `bit` of qh as bit 4 of a code.
int fifth_bit(uint32_t qh, int bit) { return static_cast<int>((qh >> bit & 1u) << 4); }

void decode_q5_0(const std::byte* block, float* out) {
  const float d = load_f16(block);
  const auto qh = load_le<uint32_t>(block + 2);
  const std::byte* qs = block + 6;
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>((low_nibble(qs + j) | fifth_bit(qh, j)) - 16);
    out[j + 16] = d * static_cast<float>((high_nibble(qs + j) | fifth_bit(qh, j + 16)) - 16);
  }
}

void decode_q5_1(const std::byte* block, float* out) {
  const float d = load_f16(block);
  const float m = load_f16(block + 2);
  const auto qh = load_le<uint32_t>(block + 4);
  const std::byte* qs = block + 8;
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(low_nibble(qs + j) | fifth_bit(qh, j)) + m;
    out[j + 16] = d * static_cast<float>(high_nibble(qs + j) | fifth_bit(qh, j + 16)) + m;
  }
}

struct SubScale {
  float scale;
  float minimum;
};

// Twelve bytes hold eight 6-bit scales and eight 6-bit minimums. Runs 0..3: the low six bits of bytes r and r + 4.
// Runs 4..7: four bits in byte r + 4 (scale low nibble, minimum high), the upper two bits in the tops of the former.
SubScale sub_scale(const std::byte* packed, int run) {
  if (run < 4) {
    return {static_cast<float>(load_u8(packed + run) & 63), static_cast<float>(load_u8(packed + run + 4) & 63)};
  }
  const int scale = low_nibble(packed + run + 4) | load_u8(packed + run - 4) >> 6 << 4;
  const int minimum = high_nibble(packed + run + 4) | load_u8(packed + run) >> 6 << 4;
  return {static_cast<float>(scale), static_cast<float>(minimum)};
}

// q4_k and q5_k differ in where qs starts and in the fifth bits (null when there are none).
void decode_runs(const std::byte* block, const std::byte* qs, const std::byte* qh, float* out) {
  const float d = load_f16(block);
  const float dmin = load_f16(block + 2);
  for (int run = 0; run < 8; ++run) {
    const SubScale sub = sub_scale(block + 4, run);
    const float scale = d * sub.scale;
    const float minimum = dmin * sub.minimum;
    const std::byte* codes = qs + run / 2 * 32;
    for (int j = 0; j < 32; ++j) {
      int code = run % 2 == 0 ? low_nibble(codes + j) : high_nibble(codes + j);
      if (qh != nullptr) code |= fifth_bit(load_u8(qh + j), run);
      out[run * 32 + j] = scale * static_cast<float>(code) - minimum;
    }
  }
}

void decode_q4_k(const std::byte* block, float* out) { decode_runs(block, block + 16, nullptr, out); }
void decode_q5_k(const std::byte* block, float* out) { decode_runs(block, block + 48, block + 16, out); }

// Each half of 128 weights: four runs of 32; runs 0, 1 are low nibbles of ql[0..31], ql[32..63], runs 2, 3 the high
// ones; run r takes its upper two bits from bits 2r, 2r + 1 of qh[j].
void decode_q6_k(const std::byte* block, float* out) {
  const float d = load_f16(block + 208);
  for (int half = 0; half < 2; ++half) {
    const std::byte* ql = block + half * 64;
    const std::byte* qh = block + 128 + half * 32;
    const std::byte* scales = block + 192 + half * 8;
    for (int run = 0; run < 4; ++run) {
      for (int j = 0; j < 32; ++j) {
        const std::byte* low = ql + run % 2 * 32 + j;
        const int code = (run < 2 ? low_nibble(low) : high_nibble(low)) | (load_u8(qh + j) >> (2 * run) & 3) << 4;
        const float scale = d * static_cast<float>(load_i8(scales + run * 2 + j / 16));
        out[half * 128 + run * 32 + j] = scale * static_cast<float>(code - 32);
      }
    }
  }
}

template <void (*Decode)(const std::byte*, float*)>
void decode_all(StoredType type, std::span<const std::byte> blocks, std::span<float> out) {
  const StoredLayout layout = stored_layout(type);
  const std::byte* block = blocks.data();
  const auto length = static_cast<size_t>(layout.block_length);
  for (size_t i = 0; i < out.size(); i += length, block += layout.block_bytes) Decode(block, out.data() + i);
}

}  // namespace

void dequantize(StoredType type, std::span<const std::byte> blocks, std::span<float> out) {
  switch (type) {
    case StoredType::kF32: return decode_all<decode_f32>(type, blocks, out);
    case StoredType::kF16: return decode_all<decode_f16>(type, blocks, out);
    case StoredType::kBF16: return decode_all<decode_bf16>(type, blocks, out);
    case StoredType::kQ8_0: return decode_all<decode_q8_0>(type, blocks, out);
    case StoredType::kQ4_0: return decode_all<decode_q4_0>(type, blocks, out);
    case StoredType::kQ4_1: return decode_all<decode_q4_1>(type, blocks, out);
    case StoredType::kQ5_0: return decode_all<decode_q5_0>(type, blocks, out);
    case StoredType::kQ5_1: return decode_all<decode_q5_1>(type, blocks, out);
    case StoredType::kQ4_K: return decode_all<decode_q4_k>(type, blocks, out);
    case StoredType::kQ5_K: return decode_all<decode_q5_k>(type, blocks, out);
    case StoredType::kQ6_K: return decode_all<decode_q6_k>(type, blocks, out);
  }
}

}  // namespace scrooge::checkpoint
