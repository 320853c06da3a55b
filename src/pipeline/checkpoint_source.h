// SPDX-License-Identifier: Apache-2.0
// ModelSource over a checkpoint: tensor names of either format, and the row order that GGUF gives q and k undone.
#pragma once

#include "src/checkpoint/checkpoint.h"
#include "src/pipeline/model_source.h"

namespace scrooge::pipeline {

class CheckpointSource : public ModelSource {
 public:
  static Result<std::unique_ptr<ModelSource>> open(const std::string& path, const LogSink& log);

  std::string_view format() const override { return checkpoint_.gguf ? "gguf" : "safetensors"; }
  std::vector<SourceFile> files() const override;
  std::vector<RawFile> raw_files() const override;
  Result<std::unique_ptr<tokenizer::Tokenizer>> tokenizer() const override;
  bool has(std::string_view name) const override { return find(name) != nullptr; }
  DType dense_type(std::string_view name) const override;
  void prefetch(std::string_view name) const override;
  void drop(std::string_view name) const override;
  Status check_unchanged() const override { return checkpoint_.weights->check_unchanged(); }

 protected:
  Status do_read_rows(std::string_view name, int64_t first, int64_t count, std::span<float> out) const override;
  Result<Shape> shape_of(std::string_view name) const override;

 private:
  std::string stored_name(std::string_view name) const;
  const checkpoint::TensorInfo* find(std::string_view name) const;
  // Heads whose rows GGUF interleaves: of q or k; 0 for any other tensor.
  int64_t interleaved_heads(std::string_view name) const;
  Status read_rope_factors();

  checkpoint::Checkpoint checkpoint_;
  std::string config_json_;
  bool interleaved_rope_ = false;
};

}  // namespace scrooge::pipeline
