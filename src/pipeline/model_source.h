// SPDX-License-Identifier: Apache-2.0
// A model to read from, whatever holds it: a safetensors folder, a GGUF file or a .scrooge file. Tensors go by the
// names of block_plan.h; rows come as f32.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/cancel.h"
#include "src/base/file_map.h"
#include "src/base/log.h"
#include "src/model/block_plan.h"
#include "src/tensor/dtype.h"
#include "src/tokenizer/tokenizer.h"

namespace scrooge::pipeline {

struct RawFile {
  enum class Kind { kConfig, kTokenizer, kTokenizerConfig, kGgufHeader };
  Kind kind;
  std::string name;
  std::span<const std::byte> bytes;  // lives as long as the source
};

struct SourceFile {
  std::string path;
  FileIdentity identity;  // when it was opened
};

// Immutable after open but for the cancel token; const members are safe from several threads without one, and belong to
// the job's thread with one.
class ModelSource {
 public:
  // Decides by content. Warnings (already low-bit source, ...) go to the log. Every tensor the architecture needs is
  // there with the right shape, or the error names it (kMissingTensor, kWrongShape).
  static Result<std::unique_ptr<ModelSource>> open(const std::string& path, const LogSink& log);
  virtual ~ModelSource() = default;

  const model::ModelConfig& config() const { return config_; }
  const model::BlockPlan& block_plan() const { return plan_; }
  std::span<const float> inv_freq() const { return inv_freq_; }
  virtual std::string_view format() const = 0;  // "safetensors", "gguf", "scrooge"
  // The files that make up the model, for digests and the input-is-output check.
  virtual std::vector<SourceFile> files() const = 0;
  // config, tokenizer and the like, as they are to be kept inside an output file.
  virtual std::vector<RawFile> raw_files() const = 0;
  // kMissingTokenizer when there is none.
  virtual Result<std::unique_ptr<tokenizer::Tokenizer>> tokenizer() const = 0;

  virtual bool has(std::string_view name) const = 0;
  // Asked before every read of rows, until it is taken away with null. It must outlive that.
  void set_cancel(CancelToken* cancel) { cancel_ = cancel; }
  // Rows as f32; a vector is one row. kSourceChanged, naming the tensor, when the file was cut short; kCancelled.
  // REQUIRES: has(name), rows inside, out.size() == count * columns.
  Status read_rows(std::string_view name, int64_t first, int64_t count, std::span<float> out) const;
  // The smallest type that holds the tensor as a person would keep it: bf16 for bf16, f32 for f32, f16 for the rest.
  virtual DType dense_type(std::string_view name) const = 0;
  virtual void prefetch(std::string_view name) const = 0;
  virtual void drop(std::string_view name) const = 0;
  // kSourceChanged when what rows are read from is not what it was when it was opened. Rows are those of the opened
  // files only if this is ok after they were read.
  virtual Status check_unchanged() const = 0;

  // kNonFinite about a tensor of this source, or kSourceChanged where that is the reason.
  Status non_finite(std::string_view name, uint64_t bad, uint64_t weights) const;

  // The head is the embedding table when tied.
  std::string_view head_name() const { return config_.tied_head ? model::kEmbeddingName : model::kHeadName; }

 protected:
  struct Shape {
    int64_t rows = 0;
    int64_t cols = 0;
  };
  // For check_tensors: the tensor's shape, or kMissingTensor with the name as the file spells it.
  virtual Result<Shape> shape_of(std::string_view name) const = 0;
  Status check_tensors() const;
  virtual Status do_read_rows(std::string_view name, int64_t first, int64_t count, std::span<float> out) const = 0;

  model::ModelConfig config_;
  model::BlockPlan plan_;
  std::vector<float> inv_freq_;

 private:
  CancelToken* cancel_ = nullptr;
};

// All tensor names of a block, biases included.
std::vector<std::string> block_tensor_names(const model::BlockPlan& plan, int64_t block);

}  // namespace scrooge::pipeline
