// SPDX-License-Identifier: Apache-2.0
// In which order the planes of a quantized tensor hold its codes, scales and zeros. The names, numbers and parameters
// are here; schema/README.md has the bytes, plane_codec.h puts them in order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/tensor/quant_spec.h"

namespace scrooge::container {

// Stored in files: a number is never used again for something else.
enum class LayoutId : uint16_t {
  kCanonical = 0,    // rows of bit streams (src/tensor/pack_bits.h): what every reader knows
  kInterleaved = 1,  // `rows` rows at a time, `chunk` bytes of each in turn: for kernels that work on several rows
  kAwq = 2,          // the word order of AutoAWQ's GEMM kernels: [K][N/8] words of eight rows each
};

// Of every layout above.
inline constexpr uint16_t kLayoutVersion = 1;

struct TensorLayout {
  LayoutId id = LayoutId::kCanonical;
  uint16_t rows = 0;   // interleaved: rows of a tile, 4 or 8
  uint16_t chunk = 0;  // interleaved: bytes of a row's codes that stay together

  bool canonical() const { return id == LayoutId::kCanonical; }
  friend bool operator==(const TensorLayout&, const TensorLayout&) = default;
};

constexpr bool is_known(LayoutId id) { return id <= LayoutId::kAwq; }

// "canonical", "interleaved4", "interleaved8", "awq": what the layouts that can be asked for are called.
inline constexpr std::string_view kLayoutNames = "canonical, interleaved4, interleaved8, awq";
std::string layout_name(const TensorLayout& layout);
// The layout of that name for a tensor of this scheme. kInvalidArgument listing the names; whether it can hold the
// tensor is for check_layout().
Result<TensorLayout> find_layout(std::string_view name, const QuantSpec& spec);

// Whether a tensor of this scheme and, where rows is not 0, of so many rows can be in this layout. kInvalidArgument
// with the remedy; the caller names the tensor. REQUIRES: spec.validate() succeeded.
Status check_layout(const TensorLayout& layout, const QuantSpec& spec, uint64_t rows = 0);

// Whether there is a zeros plane: AutoAWQ's kernels know no other scheme, so theirs always has one.
constexpr bool has_zeros(const QuantSpec& spec, const TensorLayout& layout) {
  return !spec.symmetric || layout.id == LayoutId::kAwq;
}

// Rows of the matrix that stand together: in each layout a whole number of these can be read by itself.
constexpr uint64_t row_granule(const TensorLayout& layout) {
  return layout.id == LayoutId::kInterleaved ? layout.rows : layout.id == LayoutId::kAwq ? 8 : 1;
}

}  // namespace scrooge::container
