// SPDX-License-Identifier: Apache-2.0
// The models whose shapes are measured. Letters as in src/backend/op_params.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "src/tensor/quant_spec.h"

namespace scrooge::bench {

struct ShapeSet {
  std::string_view name;
  int64_t tokens;    // T, as many as a job gives an op at a time
  int64_t sequence;  // S
  int64_t width;     // d
  int64_t ff;        // F
  int64_t heads;
  int64_t kv_heads;
  int64_t group;
  int64_t scale_candidates;  // C
  int64_t clip_candidates;   // R
  int64_t peak_size;         // the measured peak is that of a square product of this size
  int64_t copy_bytes;        // and of a copy of so much

  int64_t head_width() const { return width / heads; }
  int64_t kv_width() const { return head_width() * kv_heads; }
  QuantSpec spec() const {
    QuantSpec spec;
    spec.group = group;
    return spec;
  }
  // (N, K) of the linears that differ: o, gate, down.
  std::array<std::pair<int64_t, int64_t>, 3> linears() const { return {{{width, width}, {ff, width}, {width, ff}}}; }
};

// tiny: for tests, odd on purpose (ragged groups, no power of two). smollm2: SmolLM2-135M. 8b: Llama 3 8B.
inline constexpr ShapeSet kShapeSets[] = {
    {"tiny", 27, 9, 36, 52, 3, 1, 16, 5, 4, 64, 1 << 16},
    {"smollm2", 2048, 512, 576, 1536, 9, 3, 64, 39, 11, 2048, 256 << 20},
    {"8b", 4096, 512, 4096, 14336, 32, 8, 128, 20, 10, 8192, 1 << 30},
};

// Null where there is none of that name.
inline const ShapeSet* find_shapes(std::string_view name) {
  for (const ShapeSet& set : kShapeSets) {
    if (set.name == name) return &set;
  }
  return nullptr;
}

}  // namespace scrooge::bench
