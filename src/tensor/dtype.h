// SPDX-License-Identifier: Apache-2.0
// Element types of tensors in memory. Values are pinned: they are stored in .scrooge files.
#pragma once

#include <cstdint>
#include <string_view>

namespace scrooge {

enum class DType : int32_t {
  kF32 = 0,
  kF16 = 1,
  kBF16 = 2,
  kU8 = 3,
};

constexpr int64_t dtype_size(DType dtype) {
  switch (dtype) {
    case DType::kF32: return 4;
    case DType::kF16:
    case DType::kBF16: return 2;
    case DType::kU8: return 1;
  }
  return 0;
}

constexpr uint64_t float_bytes(int64_t floats) { return static_cast<uint64_t>(floats) * sizeof(float); }

constexpr std::string_view dtype_name(DType dtype) {
  switch (dtype) {
    case DType::kF32: return "f32";
    case DType::kF16: return "f16";
    case DType::kBF16: return "bf16";
    case DType::kU8: return "u8";
  }
  return "unknown";
}

}  // namespace scrooge
