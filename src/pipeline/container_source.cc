// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/container_source.h"

#include "src/checkpoint/gguf_header.h"
#include "src/pipeline/gguf_bridge.h"

namespace scrooge::pipeline {

using container::SegmentKind;
using container::TensorRecord;

namespace {

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Result<std::unique_ptr<ModelSource>> ContainerSource::open(FileMap file, const LogSink& /*log*/) {
  SCROOGE_ASSIGN_OR_RETURN(container::ModelReader reader, container::ModelReader::open(std::move(file)));
  auto source = std::make_unique<ContainerSource>(std::move(reader));
  const std::string& path = source->reader_.path();
  const auto config = source->reader_.blob(SegmentKind::kConfig);
  if (!config) return error(StatusCode::kBadModelFile, path, ": no config inside; the file cannot be run");
  SCROOGE_ASSIGN_OR_RETURN(source->config_, model::parse_model_config(as_text(*config), path + " (config)"));
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

std::vector<SourceFile> ContainerSource::files() const { return {{reader_.path(), reader_.file().size()}}; }

std::vector<RawFile> ContainerSource::raw_files() const {
  static constexpr std::pair<SegmentKind, RawFile::Kind> kKinds[] = {
      {SegmentKind::kConfig, RawFile::Kind::kConfig},
      {SegmentKind::kTokenizer, RawFile::Kind::kTokenizer},
      {SegmentKind::kTokenizerConfig, RawFile::Kind::kTokenizerConfig},
      {SegmentKind::kGgufHeader, RawFile::Kind::kGgufHeader},
  };
  std::vector<RawFile> files;
  for (const auto& [segment, kind] : kKinds) {
    if (const auto bytes = reader_.blob(segment)) {
      files.push_back({kind, std::string(container::segment_kind_name(segment)), *bytes});
    }
  }
  return files;
}

Result<std::unique_ptr<tokenizer::Tokenizer>> ContainerSource::tokenizer() const {
  if (const auto header_bytes = reader_.blob(SegmentKind::kGgufHeader)) {
    SCROOGE_ASSIGN_OR_RETURN(const checkpoint::GgufHeader header,
                             checkpoint::GgufHeader::parse(*header_bytes, reader_.path() + " (gguf header)"));
    SCROOGE_ASSIGN_OR_RETURN(tokenizer::GgufVocabulary vocabulary, gguf_vocabulary(header));
    return tokenizer::Tokenizer::from_gguf(std::move(vocabulary), reader_.path());
  }
  const auto json = reader_.blob(SegmentKind::kTokenizer);
  if (!json) {
    return error(StatusCode::kMissingTokenizer, reader_.path(),
                 ": no tokenizer inside; give token ids in a file instead");
  }
  const auto config = reader_.blob(SegmentKind::kTokenizerConfig);
  return tokenizer::Tokenizer::from_json(as_text(*json), config ? as_text(*config) : std::string_view(),
                                         reader_.path() + " (tokenizer)");
}

Result<ModelSource::Shape> ContainerSource::shape_of(std::string_view name) const {
  const TensorRecord* tensor = reader_.find(name);
  if (tensor == nullptr) return error(StatusCode::kMissingTensor, "tensor ", name, " is missing");
  return Shape{static_cast<int64_t>(tensor->description.rows), static_cast<int64_t>(tensor->description.cols)};
}

Status ContainerSource::read_rows(std::string_view name, int64_t first, int64_t count, std::span<float> out) const {
  return reader_.read_rows(*reader_.find(name), static_cast<uint64_t>(first), static_cast<uint64_t>(count), out);
}

DType ContainerSource::dense_type(std::string_view name) const {
  const TensorRecord& tensor = *reader_.find(name);
  return tensor.description.kind == container::TensorKind::kQuantized ? DType::kF16 : tensor.description.dtype;
}

}  // namespace scrooge::pipeline
