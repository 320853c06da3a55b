// SPDX-License-Identifier: Apache-2.0
// How the numbers of a checkpoint are stored. Every type is a row of blocks: `block_length` weights in `block_bytes`
// bytes, never shared between rows; plain types are blocks of one.
#pragma once

#include <cstdint>
#include <string_view>

namespace scrooge::checkpoint {

enum class StoredType { kF32, kF16, kBF16, kQ8_0, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ4_K, kQ5_K, kQ6_K };

struct StoredLayout {
  std::string_view name;  // "f32", "q4_k": for messages
  int64_t block_length;   // weights
  int64_t block_bytes;
};

constexpr StoredLayout stored_layout(StoredType type) {
  switch (type) {
    case StoredType::kF32: return {"f32", 1, 4};
    case StoredType::kF16: return {"f16", 1, 2};
    case StoredType::kBF16: return {"bf16", 1, 2};
    case StoredType::kQ8_0: return {"q8_0", 32, 34};
    case StoredType::kQ4_0: return {"q4_0", 32, 18};
    case StoredType::kQ4_1: return {"q4_1", 32, 20};
    case StoredType::kQ5_0: return {"q5_0", 32, 22};
    case StoredType::kQ5_1: return {"q5_1", 32, 24};
    case StoredType::kQ4_K: return {"q4_k", 256, 144};
    case StoredType::kQ5_K: return {"q5_k", 256, 176};
    case StoredType::kQ6_K: return {"q6_k", 256, 210};
  }
  return {"unknown", 1, 0};
}

constexpr std::string_view stored_type_name(StoredType type) { return stored_layout(type).name; }

constexpr double bits_per_weight(StoredType type) {
  const StoredLayout layout = stored_layout(type);
  return 8.0 * static_cast<double>(layout.block_bytes) / static_cast<double>(layout.block_length);
}

}  // namespace scrooge::checkpoint
