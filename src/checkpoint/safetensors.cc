// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/safetensors.h"

#include <algorithm>

#include "src/checkpoint/mapped_weights.h"
#include "src/checkpoint/safetensors_header.h"
#include "src/checkpoint/shard_index.h"
#include "src/checkpoint/text_file.h"

namespace scrooge::checkpoint {
namespace {

constexpr std::string_view kSingleName = "model.safetensors";
constexpr std::string_view kIndexName = "model.safetensors.index.json";

struct Shards {
  std::vector<FileMap> files;
  std::vector<TensorInfo> tensors;
  std::vector<std::string> skipped;
};

Status add_shard(FileMap file, Shards& shards) {
  SCROOGE_ASSIGN_OR_RETURN(SafetensorsHeader header, read_safetensors_header(file));
  for (TensorInfo& tensor : header.tensors) {
    tensor.file = static_cast<int>(shards.files.size());
    shards.tensors.push_back(std::move(tensor));
  }
  for (std::string& name : header.skipped) shards.skipped.push_back(std::move(name));
  shards.files.push_back(std::move(file));
  return {};
}

Result<std::unique_ptr<WeightSource>> finish(Shards shards, std::vector<std::string>& warnings) {
  if (!shards.skipped.empty()) {
    warnings.push_back(concat(shards.skipped.size(),
                              " integer tensors are not weights and were left out, the first is ",
                              printable(shards.skipped.front())));
  }
  SCROOGE_ASSIGN_OR_RETURN(auto weights, MappedWeights::make(std::move(shards.files), std::move(shards.tensors)));
  return std::unique_ptr<WeightSource>(std::move(weights));
}

// Every listed tensor must be in the shard that the index says.
Status check_listed(const ShardIndex& index, const WeightSource& weights, std::vector<std::string> skipped,
                    const std::string& index_path) {
  std::sort(skipped.begin(), skipped.end());
  for (const ShardIndex::Entry& entry : index.entries) {
    const TensorInfo* tensor = weights.find(entry.tensor);
    if (tensor != nullptr && static_cast<size_t>(tensor->file) == entry.shard) continue;
    if (tensor == nullptr && std::binary_search(skipped.begin(), skipped.end(), entry.tensor)) continue;
    return error(StatusCode::kMissingTensor, index_path, ": tensor ", printable(entry.tensor), " is not in ",
                 printable(index.shards[entry.shard]), ", where the index puts it; download index and shards again");
  }
  return {};
}

Result<std::unique_ptr<WeightSource>> open_sharded(const ModelFolder& folder, std::vector<std::string>& warnings) {
  const std::string index_path = folder.path_of(kIndexName);
  SCROOGE_ASSIGN_OR_RETURN(const TextFile index_file, read_text_file(folder, kIndexName, StatusCode::kBadCheckpoint));
  SCROOGE_ASSIGN_OR_RETURN(const ShardIndex index, parse_shard_index(index_file.content, index_path));
  Shards shards;
  for (const std::string& name : index.shards) {
    auto file = folder.open_file(name);
    if (!file.ok() && file.status().code() == StatusCode::kNotFound) {
      return error(StatusCode::kMissingShard, index_path, ": shard ", printable(name),
                   " is not in the folder; download it");
    }
    if (!file.ok()) return file.status().with_context(index_path);
    SCROOGE_RETURN_IF_ERROR(add_shard(std::move(*file), shards));
  }
  std::vector<std::string> skipped = shards.skipped;
  SCROOGE_ASSIGN_OR_RETURN(auto weights, finish(std::move(shards), warnings));
  SCROOGE_RETURN_IF_ERROR(check_listed(index, *weights, std::move(skipped), index_path));
  return weights;
}

Result<std::unique_ptr<WeightSource>> open_single(const ModelFolder& folder, std::string_view name,
                                                  std::vector<std::string>& warnings) {
  SCROOGE_ASSIGN_OR_RETURN(FileMap file, folder.open_file(name));
  Shards shards;
  SCROOGE_RETURN_IF_ERROR(add_shard(std::move(file), shards));
  return finish(std::move(shards), warnings);
}

}  // namespace

Result<std::unique_ptr<WeightSource>> open_safetensors(const ModelFolder& folder, std::vector<std::string>& warnings) {
  if (folder.has(kSingleName)) return open_single(folder, kSingleName, warnings);
  if (folder.has(kIndexName)) return open_sharded(folder, warnings);
  const std::vector<std::string> names = folder.names_ending_in(".safetensors", kMaxShards);
  if (names.size() == 1) return open_single(folder, names.front(), warnings);
  if (!names.empty()) {
    return error(StatusCode::kNotFound, folder.path(), ": ", names.size(), " safetensors files but no ", kIndexName,
                 "; download the index");
  }
  if (!folder.names_ending_in(".bin", 1).empty() || !folder.names_ending_in(".pth", 1).empty()) {
    return error(StatusCode::kNotFound, folder.path(),
                 " has no safetensors file, only pickled weights; convert the checkpoint to safetensors");
  }
  return error(StatusCode::kNotFound, folder.path(), " has no safetensors file; download ", kSingleName,
               " or the shards and their index");
}

}  // namespace scrooge::checkpoint
