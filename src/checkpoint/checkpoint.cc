// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/checkpoint.h"

#include <filesystem>
#include <map>
#include <system_error>

#include "src/checkpoint/gguf_tensors.h"
#include "src/checkpoint/mapped_weights.h"
#include "src/checkpoint/model_folder.h"
#include "src/checkpoint/safetensors.h"
#include "src/checkpoint/text_file.h"

namespace scrooge::checkpoint {
namespace {

constexpr std::string_view kConfigName = "config.json";

// Low-bit sources still work; the user should know what the result is measured against.
void warn_if_low_bit(const WeightSource& weights, std::vector<std::string>& warnings) {
  double all = 0;
  double low = 0;
  double low_bits = 0;
  std::map<StoredType, double> by_type;
  for (const TensorInfo& tensor : weights.tensors()) {
    if (tensor.shape.size() != 2) continue;
    const auto count = static_cast<double>(element_count(tensor.shape).value_or(0));
    const double bits = bits_per_weight(tensor.type);
    all += count;
    if (bits >= 8.5) continue;
    low += count;
    low_bits += count * bits;
    by_type[tensor.type] += count;
  }
  if (low == 0 || low * 2 <= all) return;
  auto most = by_type.begin();
  for (auto it = by_type.begin(); it != by_type.end(); ++it) {
    if (it->second > most->second) most = it;
  }
  warnings.push_back(concat("source weights are already ", format_fixed(low_bits / low, 1), "-bit (",
                            by_type.size() > 1 ? "mostly " : "", stored_type_name(most->first),
                            "): results are measured against the dequantized source; a full-precision checkpoint gives "
                            "better quality"));
}

std::string keep(TextFile file, Checkpoint& checkpoint) {
  if (!file.path.empty()) checkpoint.text_files.push_back({std::move(file.path), file.identity});
  return std::move(file.content);
}

Result<Checkpoint> open_folder(const std::string& path) {
  SCROOGE_ASSIGN_OR_RETURN(const ModelFolder folder, ModelFolder::open(path));
  if (!folder.has(kConfigName)) {
    return error(StatusCode::kNotFound, folder.path(), " has no config.json; give a model folder or a .gguf file");
  }
  Checkpoint checkpoint;
  checkpoint.path = path;
  SCROOGE_ASSIGN_OR_RETURN(TextFile config, read_text_file(folder, kConfigName, StatusCode::kBadConfig));
  checkpoint.config_json = keep(std::move(config), checkpoint);
  SCROOGE_ASSIGN_OR_RETURN(TextFile tokenizer, read_optional_text_file(folder, "tokenizer.json",
                                                                       StatusCode::kBadTokenizer, kMaxTokenizerFile));
  checkpoint.tokenizer_json = keep(std::move(tokenizer), checkpoint);
  SCROOGE_ASSIGN_OR_RETURN(TextFile tokenizer_config,
                           read_optional_text_file(folder, "tokenizer_config.json", StatusCode::kBadTokenizer));
  checkpoint.tokenizer_config_json = keep(std::move(tokenizer_config), checkpoint);
  SCROOGE_ASSIGN_OR_RETURN(checkpoint.weights, open_safetensors(folder, checkpoint.warnings));
  return checkpoint;
}

Status check_magic(const FileMap& file) {
  char magic[4] = {};
  if (file.size() >= sizeof magic) {
    SCROOGE_RETURN_IF_ERROR(file.read(0, std::as_writable_bytes(std::span(magic))));
    if (std::string_view(magic, sizeof magic) == "GGUF") return {};
  }
  if (file.path().ends_with(".safetensors")) {
    return error(StatusCode::kInvalidArgument, file.path(),
                 ": a single safetensors file; give the folder that has it and config.json");
  }
  return error(StatusCode::kBadCheckpoint, file.path(),
               ": does not begin with \"GGUF\"; give a model folder or a .gguf file");
}

Result<Checkpoint> open_gguf(const std::string& path) {
  SCROOGE_ASSIGN_OR_RETURN(FileMap file, FileMap::open(path));
  SCROOGE_RETURN_IF_ERROR(check_magic(file));
  SCROOGE_ASSIGN_OR_RETURN(GgufHeader header, GgufHeader::read(file));
  if (const auto parts = header.find("split.count")) {
    SCROOGE_ASSIGN_OR_RETURN(const uint64_t count, parts->as_u64());
    if (count > 1) {
      return error(StatusCode::kUnsupported, path, ": one of ", count,
                   " parts of a split GGUF; merge them into one file first");
    }
  }
  SCROOGE_ASSIGN_OR_RETURN(auto tensors, gguf_tensors(header, file.size()));
  std::vector<FileMap> files;
  files.push_back(std::move(file));
  Checkpoint checkpoint;
  checkpoint.path = path;
  SCROOGE_ASSIGN_OR_RETURN(checkpoint.weights, MappedWeights::make(std::move(files), std::move(tensors)));
  checkpoint.gguf = std::make_shared<const GgufHeader>(std::move(header));
  return checkpoint;
}

}  // namespace

Result<Checkpoint> open_checkpoint(const std::string& path) {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(path, ignored);
  SCROOGE_ASSIGN_OR_RETURN(Checkpoint checkpoint, folder ? open_folder(path) : open_gguf(path));
  warn_if_low_bit(*checkpoint.weights, checkpoint.warnings);
  return checkpoint;
}

}  // namespace scrooge::checkpoint
