// SPDX-License-Identifier: Apache-2.0
#include "src/container/tensor_layout.h"

namespace scrooge::container {
namespace {

constexpr uint16_t kMaxChunk = 64;

// A chunk holds whole codes: at 3 bits 12 bytes are 32 of them, otherwise 8 bytes are 8, 16 or 32.
uint16_t usual_chunk(const QuantSpec& spec) { return spec.bits == 3 ? 12 : 8; }

}  // namespace

std::string layout_name(const TensorLayout& layout) {
  switch (layout.id) {
    case LayoutId::kCanonical: return "canonical";
    case LayoutId::kInterleaved: return concat("interleaved", layout.rows);
    case LayoutId::kAwq: return "awq";
  }
  return "unknown";
}

Result<TensorLayout> find_layout(std::string_view name, const QuantSpec& spec) {
  if (name == "canonical") return TensorLayout{};
  if (name == "interleaved4") return TensorLayout{LayoutId::kInterleaved, 4, usual_chunk(spec)};
  if (name == "interleaved8") return TensorLayout{LayoutId::kInterleaved, 8, usual_chunk(spec)};
  if (name == "awq") return TensorLayout{LayoutId::kAwq, 0, 0};
  return error(StatusCode::kInvalidArgument, "layout: \"", printable(name.substr(0, 100)), "\" is not one of ",
               kLayoutNames);
}

Status check_layout(const TensorLayout& layout, const QuantSpec& spec, uint64_t rows) {
  const auto fail = [&](const auto&... parts) {
    return error(StatusCode::kInvalidArgument, "layout ", layout_name(layout), ": ", parts...);
  };
  if (layout.id == LayoutId::kInterleaved) {
    const uint16_t step = spec.bits == 3 ? 12 : 4;
    if (layout.rows != 4 && layout.rows != 8) return fail("tiles of ", layout.rows, " rows; they are of 4 or 8");
    if (layout.chunk == 0 || layout.chunk > kMaxChunk || layout.chunk % step != 0) {
      return fail("chunks of ", layout.chunk, " bytes; at ", spec.bits, " bits they are multiples of ", step, " up to ",
                  kMaxChunk);
    }
    return {};
  }
  if (layout.rows != 0 || layout.chunk != 0) return fail("has the parameters of another layout");
  if (layout.id != LayoutId::kAwq) return {};
  if (spec.bits != 4) return fail("holds 4 bits per weight, not ", spec.bits, "; use an interleaved layout");
  if (rows % 8 != 0) return fail(rows, " rows are not a multiple of 8; use an interleaved layout");
  return {};
}

}  // namespace scrooge::container
