// SPDX-License-Identifier: Apache-2.0
// The tensors of a GGUF header held against the file that has their data.
#pragma once

#include <cstdint>
#include <vector>

#include "src/base/result.h"
#include "src/checkpoint/gguf_header.h"
#include "src/checkpoint/weight_source.h"

namespace scrooge::checkpoint {

// In file order, TensorInfo::file 0. kUnsupported naming tensor and type for types that Scrooge does not read;
// kBadCheckpoint for a row that is not whole blocks and for data that is misaligned, overlapping or outside
// `file_size` bytes.
Result<std::vector<TensorInfo>> gguf_tensors(const GgufHeader& header, uint64_t file_size);

}  // namespace scrooge::checkpoint
