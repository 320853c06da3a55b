// SPDX-License-Identifier: Apache-2.0
// model.safetensors.index.json: whatever it says, only plain file names come out.
#include "src/checkpoint/shard_index.h"

#include <algorithm>

#include "src/checkpoint/model_folder.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/safetensors_writer.h"

namespace scrooge::fuzz {

const InputKind kInputKind = InputKind::kJson;

std::vector<std::string> seeds() {
  return {test::shard_index({{"w", "model-00001-of-00002.safetensors"}, {"v", "model-00002-of-00002.safetensors"}}),
          R"({"metadata":{"total_size":8},"weight_map":{"model.embed_tokens.weight":"a"}})", R"({"weight_map":{}})",
          R"({"weight_map":{"w":"..\/x","v":"a\\b","u":"\u002e\u002e"}})"};
}

void run(std::string_view input) {
  const auto index = checkpoint::parse_shard_index(input, "input");
  if (!index.ok()) return;
  require(std::is_sorted(index->shards.begin(), index->shards.end()), "shards are sorted");
  for (const std::string& shard : index->shards) {
    require(checkpoint::is_plain_file_name(shard), "a shard is a plain file name");
    require(shard.find('/') == std::string::npos && shard.find('\0') == std::string::npos && shard != "..",
            "a shard stays in its folder");
  }
  for (const auto& entry : index->entries) require(entry.shard < index->shards.size(), "an entry's shard is there");
}

}  // namespace scrooge::fuzz
