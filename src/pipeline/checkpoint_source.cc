// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/checkpoint_source.h"

#include <cmath>

#include "src/model/families/family.h"
#include "src/pipeline/gguf_bridge.h"

namespace scrooge::pipeline {

using checkpoint::TensorInfo;

namespace {

// GGUF keeps the two halves of a rotary pair next to each other: its row 2 i + j of a head is our row i + j * width
// / 2.
int64_t interleaved_row(int64_t row, int64_t head_width) {
  const int64_t head = row / head_width;
  const int64_t within = row % head_width;
  const int64_t half = head_width / 2;
  return head * head_width + (within % half) * 2 + within / half;
}

}  // namespace

Result<std::unique_ptr<ModelSource>> CheckpointSource::open(const std::string& path, const LogSink& log_sink) {
  auto source = std::make_unique<CheckpointSource>();
  SCROOGE_ASSIGN_OR_RETURN(source->checkpoint_, checkpoint::open_checkpoint(path));
  const checkpoint::Checkpoint& checkpoint = source->checkpoint_;
  for (const std::string& warning : checkpoint.warnings) log(log_sink, LogLevel::kWarning, warning);
  std::string config_name = path + "/config.json";
  if (checkpoint.gguf) {
    config_name = path;
    SCROOGE_ASSIGN_OR_RETURN(source->config_json_, gguf_config_json(*checkpoint.gguf));
  } else {
    source->config_json_ = checkpoint.config_json;
  }
  SCROOGE_ASSIGN_OR_RETURN(source->config_, model::parse_model_config(source->config_json_, config_name));
  source->plan_ = model::make_block_plan(source->config_);
  source->inv_freq_ = model::rope_inverse_frequencies(source->config_);
  if (checkpoint.gguf) {
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view arch, checkpoint.gguf->get_string("general.architecture"));
    source->interleaved_rope_ = model::find_gguf_family(arch)->gguf_interleaved_rope;
    SCROOGE_RETURN_IF_ERROR(source->read_rope_factors());
  }
  SCROOGE_RETURN_IF_ERROR(source->check_tensors().with_context(path));
  return std::unique_ptr<ModelSource>(std::move(source));
}

// llama3 scaling comes as a tensor of divisors, the config then says nothing.
Status CheckpointSource::read_rope_factors() {
  const TensorInfo* factors = checkpoint_.weights->find("rope_freqs.weight");
  if (factors == nullptr) return {};
  if (factors->rows() != 1 || factors->cols() != static_cast<int64_t>(inv_freq_.size())) {
    return error(StatusCode::kWrongShape, checkpoint_.path, ": tensor rope_freqs.weight has ", factors->cols(),
                 " factors, the head width asks for ", inv_freq_.size());
  }
  std::vector<float> values(inv_freq_.size());
  SCROOGE_RETURN_IF_ERROR(checkpoint_.weights->read_rows(*factors, 0, 1, values));
  for (size_t i = 0; i < values.size(); ++i) {
    inv_freq_[i] /= values[i];
    if (!(values[i] > 0) || !std::isfinite(inv_freq_[i])) {
      return error(StatusCode::kBadConfig, checkpoint_.path, ": rope_freqs.weight[", i, "] is ", values[i],
                   "; factors are positive and not tiny, the file is damaged");
    }
  }
  return {};
}

std::vector<SourceFile> CheckpointSource::files() const {
  std::vector<SourceFile> files;
  for (const FileMap& file : checkpoint_.weights->files()) files.push_back({file.path(), file.identity()});
  for (const auto& text : checkpoint_.text_files) files.push_back({text.path, text.identity});
  return files;
}

std::vector<RawFile> CheckpointSource::raw_files() const {
  std::vector<RawFile> files;
  const auto add = [&](RawFile::Kind kind, const char* name, const std::string& text) {
    if (!text.empty()) files.push_back({kind, name, std::as_bytes(std::span(text))});
  };
  add(RawFile::Kind::kConfig, "config.json", config_json_);
  add(RawFile::Kind::kTokenizer, "tokenizer.json", checkpoint_.tokenizer_json);
  add(RawFile::Kind::kTokenizerConfig, "tokenizer_config.json", checkpoint_.tokenizer_config_json);
  if (checkpoint_.gguf) {
    files.push_back({RawFile::Kind::kGgufHeader, "gguf_header", checkpoint_.gguf->header_bytes()});
  }
  return files;
}

Result<std::unique_ptr<tokenizer::Tokenizer>> CheckpointSource::tokenizer() const {
  if (checkpoint_.gguf) {
    SCROOGE_ASSIGN_OR_RETURN(tokenizer::GgufVocabulary vocabulary, gguf_vocabulary(*checkpoint_.gguf));
    return tokenizer::Tokenizer::from_gguf(std::move(vocabulary), checkpoint_.path);
  }
  if (checkpoint_.tokenizer_json.empty()) {
    return error(StatusCode::kMissingTokenizer, checkpoint_.path,
                 ": no tokenizer.json; put it in the folder, or give token ids in a file instead");
  }
  return tokenizer::Tokenizer::from_json(checkpoint_.tokenizer_json, checkpoint_.tokenizer_config_json,
                                         checkpoint_.path + "/tokenizer.json");
}

std::string CheckpointSource::stored_name(std::string_view name) const {
  return checkpoint_.gguf ? model::gguf_tensor_name(name) : std::string(name);
}

const TensorInfo* CheckpointSource::find(std::string_view name) const {
  return checkpoint_.weights->find(stored_name(name));
}

Result<ModelSource::Shape> CheckpointSource::shape_of(std::string_view name) const {
  const TensorInfo* tensor = find(name);
  if (tensor == nullptr) {
    return error(StatusCode::kMissingTensor, "tensor ", stored_name(name), " is missing; the checkpoint is incomplete");
  }
  return Shape{tensor->rows(), tensor->cols()};
}

int64_t CheckpointSource::interleaved_heads(std::string_view name) const {
  if (!interleaved_rope_) return 0;
  if (name.find(".self_attn.q_proj.") != std::string_view::npos) return config_.heads;
  if (name.find(".self_attn.k_proj.") != std::string_view::npos) return config_.kv_heads;
  return 0;
}

Status CheckpointSource::do_read_rows(std::string_view name, int64_t first, int64_t count, std::span<float> out) const {
  const TensorInfo& tensor = *find(name);
  if (interleaved_heads(name) == 0) return checkpoint_.weights->read_rows(tensor, first, count, out);
  const int64_t width = config_.head_width;
  if (tensor.rows() == 1) {  // a bias: its elements are the rows
    std::vector<float> stored(out.size());
    SCROOGE_RETURN_IF_ERROR(checkpoint_.weights->read_rows(tensor, 0, 1, stored));
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = stored[static_cast<size_t>(interleaved_row(static_cast<int64_t>(i), width))];
    }
    return {};
  }
  const auto cols = static_cast<size_t>(tensor.cols());
  for (int64_t row = 0; row < count; ++row) {
    SCROOGE_RETURN_IF_ERROR(checkpoint_.weights->read_rows(tensor, interleaved_row(first + row, width), 1,
                                                           out.subspan(static_cast<size_t>(row) * cols, cols)));
  }
  return {};
}

DType CheckpointSource::dense_type(std::string_view name) const {
  switch (find(name)->type) {
    case checkpoint::StoredType::kF32: return DType::kF32;
    case checkpoint::StoredType::kBF16: return DType::kBF16;
    default: return DType::kF16;
  }
}

void CheckpointSource::prefetch(std::string_view name) const { checkpoint_.weights->prefetch(*find(name)); }

void CheckpointSource::drop(std::string_view name) const { checkpoint_.weights->drop(*find(name)); }

}  // namespace scrooge::pipeline
