// SPDX-License-Identifier: Apache-2.0
// The header of one safetensors file: u64 length N, N bytes of JSON, then the data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/file_map.h"
#include "src/base/result.h"
#include "src/checkpoint/weight_source.h"

namespace scrooge::checkpoint {

inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;
inline constexpr size_t kMaxSafetensorsTensors = 1'000'000;
inline constexpr size_t kMaxTensorRank = 8;
inline constexpr size_t kMaxTensorName = 64 << 10;

struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;   // f32, f16, bf16; offsets from the start of the file; TensorInfo::file is 0
  std::vector<std::string> skipped;  // names of integer and boolean tensors: buffers, never weights Scrooge reads
};

// Reads and checks the whole header. Every tensor's bytes match its shape, and the data is covered without holes or
// overlap up to the end of the file. kBadCheckpoint naming file and field; kUnsupported for a tensor of a floating
// point type that Scrooge does not read.
Result<SafetensorsHeader> read_safetensors_header(const FileMap& file);

// The same for header text alone. `data_offset` is where the data begins and `file_size` where it must end.
Result<SafetensorsHeader> parse_safetensors_header(std::string_view json, uint64_t data_offset, uint64_t file_size,
                                                   const std::string& name);

}  // namespace scrooge::checkpoint
