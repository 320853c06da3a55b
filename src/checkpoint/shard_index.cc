// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/shard_index.h"

#include <algorithm>

#include "src/base/json.h"
#include "src/checkpoint/model_folder.h"
#include "src/checkpoint/safetensors_header.h"

namespace scrooge::checkpoint {

Result<ShardIndex> parse_shard_index(std::string_view json, const std::string& name) {
  SCROOGE_ASSIGN_OR_RETURN(const JsonDocument document,
                           JsonDocument::parse(json, name, StatusCode::kBadCheckpoint, {.max_depth = 16}));
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue map, document.root().get("weight_map"));
  SCROOGE_ASSIGN_OR_RETURN(const auto members, map.as_object());
  if (members.size() > kMaxSafetensorsTensors) {
    return map.fail(concat(members.size(), " tensors, above the limit of ", kMaxSafetensorsTensors));
  }
  ShardIndex index;
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  pairs.reserve(members.size());
  for (const auto& [tensor, value] : members) {
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view shard, value.as_string());
    if (!is_plain_file_name(shard)) {
      return value.fail(concat("shard \"", printable(shard), "\" is not a plain file name inside the model folder"));
    }
    pairs.emplace_back(tensor, shard);
    index.shards.emplace_back(shard);
  }
  std::sort(index.shards.begin(), index.shards.end());
  index.shards.erase(std::unique(index.shards.begin(), index.shards.end()), index.shards.end());
  if (index.shards.size() > kMaxShards) {
    return map.fail(concat(index.shards.size(), " shards, above the limit of ", kMaxShards));
  }
  std::sort(pairs.begin(), pairs.end());
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (i > 0 && pairs[i].first == pairs[i - 1].first) {
      return map.fail(concat("tensor ", printable(pairs[i].first), " is listed twice"));
    }
    const auto shard = std::lower_bound(index.shards.begin(), index.shards.end(), pairs[i].second);
    index.entries.push_back({std::string(pairs[i].first), static_cast<size_t>(shard - index.shards.begin())});
  }
  return index;
}

}  // namespace scrooge::checkpoint
