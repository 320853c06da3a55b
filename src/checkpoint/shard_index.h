// SPDX-License-Identifier: Apache-2.0
// model.safetensors.index.json: which shard holds which tensor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace scrooge::checkpoint {

inline constexpr size_t kMaxShards = 10'000;

struct ShardIndex {
  struct Entry {
    std::string tensor;
    size_t shard;  // index into `shards`
  };
  std::vector<std::string> shards;  // sorted, unique; plain file names
  std::vector<Entry> entries;       // sorted by tensor, unique
};

// `name` is the index file, for messages. kBadCheckpoint: malformed, a tensor listed twice, more than kMaxShards
// shards, or a shard that is not a plain file name (a path, "..", a backslash, a NUL). metadata.total_size is not used.
Result<ShardIndex> parse_shard_index(std::string_view json, const std::string& name);

}  // namespace scrooge::checkpoint
