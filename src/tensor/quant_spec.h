// SPDX-License-Identifier: Apache-2.0
// QuantSpec: how one linear is quantized, as data. W[N,K] is cut along K into P = ceil(K/g) groups per row; the last
// group may be shorter (ragged). Each group has one scale and, when asymmetric, one integer zero point.
//
//   code  q = clamp(round(w / scale) + zero, 0, 2^bits - 1)      round half to even
//   value w' = (q - zero) * scale
//
// Symmetric groups have the constant zero 2^(bits-1) and store no zeros plane. Scales are held as f32 numbers that are
// exactly representable in `scale_dtype`, so what is searched is what is stored.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/checked_size.h"
#include "src/base/status.h"
#include "src/tensor/dtype.h"

namespace scrooge {

// How the range of a group is found before clipping; the names say whose rule it is.
enum class RangeRule : int32_t {
  // asymmetric: [min(w, 0), max(w, 0)] so that zero is exact; symmetric: scale = absmax / (2^(bits-1) - 1).
  kZeroIncluded = 0,
  // asymmetric as AutoAWQ: [min, max] as they are, zero clamped into the codes. Symmetric as kZeroIncluded.
  kMinMax = 1,
  // symmetric as compressed-tensors: scale = absmax / ((2^bits - 1) / 2). Asymmetric as kZeroIncluded.
  kFullRange = 2,
};

struct QuantSpec {
  int bits = 4;         // 2, 3, 4 or 8
  int64_t group = 128;  // weights along K per scale; 0 means the whole row (per channel)
  bool symmetric = false;
  DType scale_dtype = DType::kF16;  // kF16 or kBF16 in files; kF32 only in memory, for comparison with other tools
  RangeRule range = RangeRule::kZeroIncluded;

  int max_code() const { return (1 << bits) - 1; }
  int symmetric_zero() const { return 1 << (bits - 1); }
  int64_t group_length(int64_t k) const { return group == 0 || group > k ? k : group; }
  int64_t groups(int64_t k) const {
    const int64_t length = group_length(k);
    return length == 0 ? 0 : (k + length - 1) / length;
  }
  // Bytes of one row of codes: a little-endian bit stream padded to whole bytes.
  int64_t code_row_bytes(int64_t k) const { return (k * bits + 7) / 8; }
  // Bytes of one row of zero points, same bit stream; 0 when symmetric.
  int64_t zero_row_bytes(int64_t k) const { return symmetric ? 0 : (groups(k) * bits + 7) / 8; }
  // Bits per weight as stored: codes, scales and zeros of W[N,K].
  double bits_per_weight(int64_t k) const {
    return 8.0 * static_cast<double>(code_row_bytes(k) + groups(k) * dtype_size(scale_dtype) + zero_row_bytes(k)) /
           static_cast<double>(k);
  }

  // kInvalidArgument naming the option to change.
  Status validate() const;
  friend bool operator==(const QuantSpec&, const QuantSpec&) = default;
};

}  // namespace scrooge
