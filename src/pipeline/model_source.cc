// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/model_source.h"

namespace scrooge::pipeline {

std::vector<std::string> block_tensor_names(const model::BlockPlan& plan, int64_t block) {
  const std::string prefix = model::block_prefix(block);
  std::vector<std::string> names;
  for (const model::LinearPlan& linear : plan.linears) {
    names.push_back(concat(prefix, linear.name, ".weight"));
    if (linear.bias) names.push_back(concat(prefix, linear.name, ".bias"));
  }
  for (const std::string& norm : plan.norms) names.push_back(concat(prefix, norm, ".weight"));
  return names;
}

Status ModelSource::read_rows(std::string_view name, int64_t first, int64_t count, std::span<float> out) const {
  SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel_));
  return do_read_rows(name, first, count, out);
}

Status ModelSource::non_finite(std::string_view name, uint64_t bad, uint64_t weights) const {
  SCROOGE_RETURN_IF_ERROR(check_unchanged());
  const std::vector<SourceFile> all = files();
  return error(StatusCode::kNonFinite, all.empty() ? std::string() : all.front().path, ": tensor ", name, ": ", bad,
               " of ", weights,
               " weights are NaN or infinite, or too large for their type; the checkpoint is damaged, "
               "fetch it again");
}

Status ModelSource::check_tensors() const {
  const auto expect = [this](const std::string& name, int64_t rows, int64_t cols) -> Status {
    SCROOGE_ASSIGN_OR_RETURN(const Shape found, shape_of(name));
    if (found.rows == rows && found.cols == cols) return {};
    return error(StatusCode::kWrongShape, "tensor ", name, ": shape [", found.rows, ", ", found.cols,
                 "], the config asks for [", rows, ", ", cols,
                 "]; the config belongs to another checkpoint, or the file is damaged");
  };
  SCROOGE_RETURN_IF_ERROR(expect(std::string(model::kEmbeddingName), config_.vocabulary, config_.width));
  SCROOGE_RETURN_IF_ERROR(expect(std::string(model::kFinalNormName), 1, config_.width));
  if (!config_.tied_head) {
    SCROOGE_RETURN_IF_ERROR(expect(std::string(model::kHeadName), config_.vocabulary, config_.width));
  }
  for (int64_t block = 0; block < config_.blocks; ++block) {
    const std::string prefix = model::block_prefix(block);
    for (const model::LinearPlan& linear : plan_.linears) {
      SCROOGE_RETURN_IF_ERROR(expect(concat(prefix, linear.name, ".weight"), linear.rows, linear.cols));
      if (linear.bias) SCROOGE_RETURN_IF_ERROR(expect(concat(prefix, linear.name, ".bias"), 1, linear.rows));
    }
    for (const std::string& norm : plan_.norms) {
      SCROOGE_RETURN_IF_ERROR(expect(concat(prefix, norm, ".weight"), 1, config_.width));
    }
  }
  return {};
}

}  // namespace scrooge::pipeline
