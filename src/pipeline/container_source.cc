// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/container_source.h"

#include "src/checkpoint/gguf_header.h"
#include "src/pipeline/gguf_bridge.h"

namespace scrooge::pipeline {

using container::SegmentKind;
using container::TensorRecord;

Result<std::unique_ptr<ModelSource>> ContainerSource::open(FileMap file, const LogSink& /*log*/) {
  SCROOGE_ASSIGN_OR_RETURN(container::ModelReader reader, container::ModelReader::open(std::move(file)));
  auto source = std::make_unique<ContainerSource>(std::move(reader));
  const std::string& path = source->reader_.path();
  if (source->reader_.metadata().info.is_calibration()) {
    return error(StatusCode::kBadModelFile, path,
                 ": holds the results of a calibration, not a model; give it as --from-calibration");
  }
  SCROOGE_RETURN_IF_ERROR(source->read_blobs());
  const std::string* const config = source->blob(RawFile::Kind::kConfig);
  if (config == nullptr) return error(StatusCode::kBadModelFile, path, ": no config inside; the file cannot be run");
  SCROOGE_ASSIGN_OR_RETURN(source->config_, model::parse_model_config(*config, path + " (config)"));
  source->plan_ = model::make_block_plan(source->config_);
  source->inv_freq_ = model::rope_inverse_frequencies(source->config_);
  if (const TensorRecord* frequencies = source->reader_.find(model::kInvFreqName)) {
    if (frequencies->description.rows != 1 || frequencies->description.cols != source->inv_freq_.size()) {
      return error(StatusCode::kWrongShape, path, ": tensor ", model::kInvFreqName, " does not fit the head width");
    }
    SCROOGE_RETURN_IF_ERROR(source->reader_.read_rows(*frequencies, 0, 1, source->inv_freq_));
  }
  SCROOGE_RETURN_IF_ERROR(source->check_tensors().with_context(path));
  return std::unique_ptr<ModelSource>(std::move(source));
}

std::vector<SourceFile> ContainerSource::files() const { return {{reader_.path(), reader_.file().identity()}}; }

Status ContainerSource::read_blobs() {
  static constexpr std::pair<SegmentKind, RawFile::Kind> kKinds[] = {
      {SegmentKind::kConfig, RawFile::Kind::kConfig},
      {SegmentKind::kTokenizer, RawFile::Kind::kTokenizer},
      {SegmentKind::kTokenizerConfig, RawFile::Kind::kTokenizerConfig},
      {SegmentKind::kGgufHeader, RawFile::Kind::kGgufHeader},
  };
  for (const auto& [segment, kind] : kKinds) {
    SCROOGE_ASSIGN_OR_RETURN(std::optional<std::string> content, reader_.read_blob(segment));
    if (content) blobs_.push_back({kind, std::string(container::segment_kind_name(segment)), std::move(*content)});
  }
  return {};
}

const std::string* ContainerSource::blob(RawFile::Kind kind) const {
  for (const Blob& blob : blobs_) {
    if (blob.kind == kind) return &blob.content;
  }
  return nullptr;
}

std::vector<RawFile> ContainerSource::raw_files() const {
  std::vector<RawFile> files;
  for (const Blob& blob : blobs_) files.push_back({blob.kind, blob.name, std::as_bytes(std::span(blob.content))});
  return files;
}

Result<std::unique_ptr<tokenizer::Tokenizer>> ContainerSource::tokenizer() const {
  if (const std::string* const bytes = blob(RawFile::Kind::kGgufHeader)) {
    SCROOGE_ASSIGN_OR_RETURN(
        const checkpoint::GgufHeader header,
        checkpoint::GgufHeader::parse(std::as_bytes(std::span(*bytes)), reader_.path() + " (gguf header)"));
    SCROOGE_ASSIGN_OR_RETURN(tokenizer::GgufVocabulary vocabulary, gguf_vocabulary(header));
    return tokenizer::Tokenizer::from_gguf(std::move(vocabulary), reader_.path());
  }
  const std::string* const json = blob(RawFile::Kind::kTokenizer);
  if (json == nullptr) {
    return error(StatusCode::kMissingTokenizer, reader_.path(),
                 ": no tokenizer inside; give token ids in a file instead");
  }
  const std::string* const config = blob(RawFile::Kind::kTokenizerConfig);
  return tokenizer::Tokenizer::from_json(*json, config != nullptr ? *config : std::string_view(),
                                         reader_.path() + " (tokenizer)");
}

Result<ModelSource::Shape> ContainerSource::shape_of(std::string_view name) const {
  const TensorRecord* tensor = reader_.find(name);
  if (tensor == nullptr) return error(StatusCode::kMissingTensor, "tensor ", name, " is missing");
  return Shape{static_cast<int64_t>(tensor->description.rows), static_cast<int64_t>(tensor->description.cols)};
}

Status ContainerSource::do_read_rows(std::string_view name, int64_t first, int64_t count, std::span<float> out) const {
  return reader_.read_rows(*reader_.find(name), static_cast<uint64_t>(first), static_cast<uint64_t>(count), out);
}

DType ContainerSource::dense_type(std::string_view name) const {
  const TensorRecord& tensor = *reader_.find(name);
  return tensor.description.kind == container::TensorKind::kQuantized ? DType::kF16 : tensor.description.dtype;
}

}  // namespace scrooge::pipeline
