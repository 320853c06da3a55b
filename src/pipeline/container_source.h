// SPDX-License-Identifier: Apache-2.0
// ModelSource over a .scrooge file: quantized tensors come dequantized, in the coordinates of the folded model.
#pragma once

#include "src/container/model_reader.h"
#include "src/pipeline/model_source.h"

namespace scrooge::pipeline {

class ContainerSource : public ModelSource {
 public:
  static Result<std::unique_ptr<ModelSource>> open(FileMap file, const LogSink& log);
  explicit ContainerSource(container::ModelReader reader) : reader_(std::move(reader)) {}

  std::string_view format() const override { return "scrooge"; }
  std::vector<SourceFile> files() const override;
  std::vector<RawFile> raw_files() const override;
  Result<std::unique_ptr<tokenizer::Tokenizer>> tokenizer() const override;
  bool has(std::string_view name) const override { return reader_.find(name) != nullptr; }
  DType dense_type(std::string_view name) const override;
  void prefetch(std::string_view name) const override { reader_.prefetch(*reader_.find(name)); }
  void drop(std::string_view name) const override { reader_.drop(*reader_.find(name)); }
  Status check_unchanged() const override { return reader_.file().check_unchanged(); }

 protected:
  Status do_read_rows(std::string_view name, int64_t first, int64_t count, std::span<float> out) const override;
  Result<Shape> shape_of(std::string_view name) const override;

 private:
  struct Blob {
    RawFile::Kind kind;
    std::string name;
    std::string content;
  };
  Status read_blobs();
  const std::string* blob(RawFile::Kind kind) const;

  container::ModelReader reader_;
  std::vector<Blob> blobs_;  // copies: the map of the file is never looked into
};

}  // namespace scrooge::pipeline
