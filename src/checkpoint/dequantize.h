// SPDX-License-Identifier: Apache-2.0
// Stored blocks to f32.
#pragma once

#include <cstddef>
#include <span>

#include "src/checkpoint/stored_type.h"

namespace scrooge::checkpoint {

// Decodes out.size() / block_length blocks. The formulas are those of the block formats, in f32 and in their order of
// operations, so the result is the same bits everywhere. `blocks` needs no alignment.
// REQUIRES: out.size() is a multiple of block_length, blocks.size() == out.size() / block_length * block_bytes.
void dequantize(StoredType type, std::span<const std::byte> blocks, std::span<float> out);

}  // namespace scrooge::checkpoint
